# SPDX-License-Identifier: Apache-2.0
"""heraldctl as people use it, against the real programs.

    heraldctl -- api.sock -- herald-controller -- SQLite
        |            +--- n1.sock -- herald-speaker (follows the API)
        |-- r1.sock -- herald-speaker 10.0.0.1 --- BGP --- 10.0.0.2 herald-speaker -- r2.sock
"""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.harness import PATIENCE, poll
from integration.programs import Host, host, router

# Of a name, ranges, and what else the spec says.
POOL = """
apiVersion: herald.dev/v1
kind: IPAddressPool
metadata: {name: %s}
spec: {addresses: [%s]%s}
"""
SET = """
apiVersion: herald.dev/v1
kind: IPAddressPool
metadata: {name: web, labels: {tier: front}}
spec: {addresses: [192.0.2.0/28], avoidBuggyIPs: true}
---
apiVersion: herald.dev/v1
kind: BGPAdvertisement
metadata: {name: web}
spec: {ipAddressPools: [web], communities: ["65000:80"]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {type: LoadBalancer, ports: [{port: 80}]}
"""


def said(host: Host, kind: str, name: str, what: str) -> dict[str, str]:
    """A condition of an object; a LookupError while it is not there."""
    return {one["type"]: one for one in host.json("get", kind, name)["status"]["conditions"]}[what]


def refused_objects(host: Host) -> str:
    """What the controller's metric says."""
    asked = ["curl", "-sf", "--unix-socket", host.folder / "api.sock", "http://controller/metrics"]
    text = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return next(line.split()[1] for line in text.splitlines() if line.startswith("herald_objects_refused "))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with host(tmp_path_factory.mktemp("ctl")) as one:
        one.start("herald-controller", "--store", one.folder / "store.db", "--listen", f"unix:{one.folder}/api.sock")
        for node, text in {
            "r1": router(65001, "10.0.0.1", "10.0.0.2", 65002, prefixes="198.51.100.0/24, 2001:db8:1::/48"),
            "r2": router(65002, "10.0.0.2", "10.0.0.1", 65001, prefixes="203.0.113.0/24"),
        }.items():
            one.speaker(node, "--resources", one.write(f"{node}.yaml", text))
        one.speaker("n1", "--api", f"unix:{one.folder}/api.sock")
        one.ctl("apply", "-f", "-", input=SET)
        poll(lambda: one.json("peers", node="r1")["peers"][0]["state"] == "Established", what="r1 and r2 meet")
        poll(lambda: one.json("get", "svc", "shop")["status"]["loadBalancer"]["ingress"], what="shop has an address")
        poll(lambda: said(one, "pool", "web", "Accepted")["status"] == "True", what="the pool is accepted")
        poll(lambda: one.json("get", "pool", "web")["status"]["assignedIPv4"] == 1, what="the pool's numbers")
        yield one


# --- resources


def test_what_is_applied_is_shown_in_a_table(world: Host) -> None:
    lines = world.ctl("get", "services").stdout.splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "ADDRESSES", "PORTS", "STATE", "AGE"]
    assert lines[1].split()[:5] == ["shop", "LoadBalancer", "192.0.2.1", "80", "IPAllocated"]
    assert world.ctl("get", "pools", "-l", "tier=front", "-o", "name").stdout == "ipaddresspool/web\n"
    assert world.ctl("get", "pools", "-l", "tier=back").stdout == "no ipaddresspools\n"
    assert world.ctl("get", "secrets").stdout == "no secrets in namespace default\n"


def test_what_the_api_warns_of_is_said_once_on_standard_error(world: Host) -> None:
    waits = "apiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: %s}\nspec: %s\n---\n"
    spec = "{peerASN: 65001, peerAddress: 10.9.9.%d, import: [later]}"
    applied = world.ctl("apply", "-f", "-", input="".join(waits % (f"w{i}", spec % i) for i in (1, 2)))
    try:
        assert applied.stdout == "BGPPeer/w1 created\nBGPPeer/w2 created\n"
        warning = "Warning: spec.import: names BGPFilter/later, which is not there or is refused"
        assert [line for line in applied.stderr.splitlines() if line.startswith(warning)] == applied.stderr.splitlines()
        assert len(applied.stderr.splitlines()) == 1
    finally:
        world.ctl("delete", "bgppeer", "w1", "w2")
    assert world.ctl("apply", "-f", "-", input=POOL % ("quiet", "203.0.113.64/32", "")).stderr == ""
    world.ctl("delete", "pool", "quiet")


def test_objects_say_whether_they_are_accepted_and_what_comes_of_them(world: Host) -> None:
    peer = "apiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: asking}\n" \
           "spec: {myASN: 65000, peerASN: 65009, peerAddress: 10.9.9.9, import: [%s]}\n"
    ad = "---\napiVersion: herald.dev/v1\nkind: BGPAdvertisement\nmetadata: {name: asked}\nspec: {peers: [%s]}\n"
    world.ctl("apply", "-f", "-", input=peer % "later" + ad % "nobody")

    def says(kind: str, name: str, what: str, status: str, reason: str, *words: str) -> None:
        def so() -> bool:
            found = said(world, kind, name, what)
            assert (found["status"], found["reason"]) == (status, reason), found
            assert all(word in found["message"] for word in words), found
            return True

        poll(so, 20, what=f"{name}: {what} is {status}")

    try:
        missing = "spec.import: names BGPFilter/later, which is not there or is refused"
        says("peer", "asking", "Accepted", "False", "HeldDown", missing)
        poll(lambda: refused_objects(world) == "1", what="the metric counts it")
        says("peer", "asking", "Established", "False", "NotAccepted")
        says("bgpad", "asked", "Accepted", "True", "AcceptedWithWarnings", "spec.peers: names BGPPeer/nobody")
        says("bgpad", "asked", "Effective", "False", "NoPeer")
        # `describe` has the conditions, and the Event that came of the refusal.
        def described() -> bool:
            text = world.ctl("describe", "peer", "asking").stdout
            assert text.count(missing) == 2 and "HeldDown" in text and "NotAccepted" in text, text
            return True

        poll(described, 20, what="the condition and its Event are described")

        def listed() -> bool:
            row = dict(zip(*(line.split() for line in world.ctl("get", "peer", "asking").stdout.splitlines())))
            assert row["ACCEPTED"] == "HeldDown" and row["ESTABLISHED"] == "0/1", row
            return True

        poll(listed, 20, what="the peer and its node in the table")

        world.ctl("apply", "-f", "-", input=peer % "accept-all" + ad % "asking")
        says("peer", "asking", "Accepted", "True", "Accepted")
        poll(lambda: refused_objects(world) == "0", what="the metric counts none")
        says("peer", "asking", "Established", "False", "NotEstablished", "not on n1")
        says("bgpad", "asked", "Effective", "False", "NoSession", "no session with asking")
        found = world.json("get", "peer", "asking")
        assert found["status"]["sessions"] == {"nodes": 1, "established": 0, "summary": "0/1", "notEstablished": ["n1"]}
        assert said(world, "peer", "asking", "Accepted")["observedGeneration"] == found["metadata"]["generation"]
        # Heartbeats go on, and at rest nothing is written.
        version = found["metadata"]["resourceVersion"]
        beat = world.json("get", "speakerstate", "n1")["spec"]["heartbeat"]
        poll(lambda: world.json("get", "speakerstate", "n1")["spec"]["heartbeat"] >= beat + 4, 20, what="four heartbeats")
        assert world.json("get", "peer", "asking")["metadata"]["resourceVersion"] == version
    finally:
        world.ctl("delete", "bgppeer/asking", "bgpad/asked")


def test_wide_adds_labels_and_all_namespaces_adds_namespaces(world: Host) -> None:
    header, row = world.ctl("get", "pool", "web", "-o", "wide").stdout.splitlines()
    assert header.split()[-1] == "LABELS" and row.endswith('{"tier":"front"}')
    header, row = world.ctl("get", "svc", "-A").stdout.splitlines()
    assert header.startswith("NAMESPACE") and row.startswith("default")


def test_several_kinds_and_objects_at_once(world: Host) -> None:
    assert world.ctl("get", "all", "-o", "name").stdout.splitlines() == [
        "ipaddresspool/web", "bgpadvertisement/web", "service/shop"]
    both = json.loads(world.ctl("get", "pool/web", "svc/shop", "-o", "json").stdout)
    assert [(item["kind"], item["apiVersion"]) for item in both["items"]] == [
        ("IPAddressPool", "herald.dev/v1"), ("Service", "v1")]
    text = world.ctl("get", "pools,bgpads").stdout
    assert "IPAddressPool\n" in text and "BGPAdvertisement\n" in text


def test_yaml_that_is_shown_can_be_applied(world: Host) -> None:
    text = world.ctl("get", "pool", "web", "-o", "yaml").stdout
    assert "managedFields" not in text
    assert world.ctl("apply", "-f", "-", input=text).stdout == "IPAddressPool/web unchanged\n"
    assert "managedFields" in world.ctl("get", "pool", "web", "-o", "yaml", "--show-managed-fields").stdout


def test_apply_keeps_what_was_written_as_it_was_written(world: Host) -> None:
    pool = ("once", "198.18.0.0/30")
    text = POOL % (*pool, ", autoAssign: false")
    assert world.ctl("apply", "-f", "-", input=text).stdout == "IPAddressPool/once created\n"
    assert world.json("get", "pool", "once")["spec"] == {"addresses": ["198.18.0.0/30"], "autoAssign": False}
    assert world.ctl("apply", "-f", "-", input=POOL % (*pool, "")).stdout == "IPAddressPool/once configured\n"
    assert world.json("get", "pool", "once")["spec"] == {"addresses": ["198.18.0.0/30"]}, "a field left out goes"
    assert world.ctl("delete", "pool/once").stdout == "ipaddresspool/once deleted\n"


def test_a_plan_says_what_would_follow_and_changes_nothing(world: Host) -> None:
    before = world.json("get", "pool", "web")
    moved = POOL % ("web", "198.18.3.0/30", "")
    plan = json.loads(world.ctl("plan", "-f", "-", "-o", "json", input=moved).stdout)
    assert plan["schemaVersion"] == 1 and plan["sessions"] == [] and plan["refused"] == []
    assert [(one["service"], one["change"], one["before"], one["after"]) for one in plan["services"]] == [
        ("default/shop", "changes", ["192.0.2.1"], ["198.18.3.0"])]
    text = world.ctl("plan", "-f", "-", input=moved).stdout
    assert "default/shop" in text and "198.18.3.0" in text
    peer = "apiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: planned}\n" \
           "spec: {myASN: 65000, peerASN: 65009, peerAddress: 10.0.0.9}\n"
    sessions = json.loads(world.ctl("plan", "-f", "-", "-o", "json", input=peer).stdout)["sessions"]
    assert [(one["peer"], one["change"], one["nodes"]) for one in sessions] == [("planned", "added", ["n1"])]
    assert "no service changes its address" in world.ctl("plan", "-f", "-", input=SET).stdout
    lost = json.loads(world.ctl("plan", "--delete", "-f", "-", "-o", "json", input=moved).stdout)["services"]
    assert [(one["service"], one["change"]) for one in lost] == [("default/shop", "loses")]
    assert world.json("get", "pool", "web") == before


def test_a_plan_names_what_would_be_refused(world: Host) -> None:
    overlapping = world.ctl("plan", "-f", "-", input=POOL % ("other", "192.0.2.8/29", ""), code=1)
    assert "IPAddressPool/other" in overlapping.stdout and "overlap" in overlapping.stdout
    assert "1 of the objects would be refused" in overlapping.stderr
    wrong = world.ctl("plan", "-f", "-", input=POOL % ("other", "nonsense", ""), code=1)
    assert "spec.addresses" in wrong.stderr
    away = world.ctl("migrate", "metallb", code=2)
    assert "--kubernetes" in away.stderr
    unknown = world.ctl("migrate", "porter", code=2)
    assert "must be metallb" in unknown.stderr


def test_apply_takes_metallb_objects_as_the_kinds_they_stand_for(world: Host) -> None:
    text = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: old, namespace: metallb-system}\n" \
           "spec: {addresses: [198.18.1.0/30], autoAssign: false}\n"
    assert world.ctl("apply", "-f", "-", input=text).stdout == "IPAddressPool/old created\n"
    assert world.json("get", "pool", "old")["apiVersion"] == "herald.dev/v1"
    assert world.ctl("delete", "-f", "-", input=text).stdout == "ipaddresspool/old deleted\n"


def test_a_dry_run_changes_nothing(world: Host) -> None:
    text = SET.replace("/28", "/27")
    said = world.ctl("apply", "--dry-run", "-f", "-", input=text).stdout.splitlines()
    assert said[0] == "IPAddressPool/web configured (dry run)"
    assert world.json("get", "pool", "web")["spec"]["addresses"] == ["192.0.2.0/28"]


def test_a_refused_object_does_not_stop_the_others(world: Host) -> None:
    clash = POOL % ("clash", "192.0.2.8/30", ", autoAssign: false")
    fine = POOL % ("fine", "198.18.2.0/30", ", autoAssign: false")
    done = world.ctl("apply", "-f", "-", input=clash + "---" + fine, code=1)
    assert done.stdout == "IPAddressPool/fine created\n"
    assert "IPAddressPool/clash" in done.stderr
    assert "spec.addresses[0]: 192.0.2.8/30 overlaps 192.0.2.0/28 of IPAddressPool/web" in done.stderr
    done = world.ctl("delete", "pool", "nope", "fine", code=1)
    assert done.stdout == "ipaddresspool/fine deleted\n"
    assert 'ipaddresspool/nope: ipaddresspools.herald.dev "nope" not found' in done.stderr


def test_a_file_with_a_mistake_is_refused_with_its_place(world: Host) -> None:
    path = world.write("bad.yaml", SET + "---\napiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: tor1}\n"
                       "spec:\n  peerASN: 65001\n  peerAddress: 10.0.0.1\n  holdTime: 2s\n")
    done = world.ctl("apply", "-f", path, code=1)
    assert done.stderr == (f"heraldctl: nothing was done:\n  {path}:23:13: BGPPeer/tor1 spec.holdTime: "
                           "must be 0 or at least 3 s, got 2 s\n")
    assert world.ctl("get", "peers").stdout == "no bgppeers\n"


def test_describe_shows_conditions_and_events_and_no_secrets(world: Host) -> None:
    def described() -> bool:
        text = world.ctl("describe", "svc/shop").stdout
        assert "Conditions:" in text and "192.0.2.1 from pool web" in text, text
        assert "Events:" in text and "assigned 192.0.2.1 from pool web" in text, text
        return True

    poll(described, what="the condition and the Event of the allocation")
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hush}\n"
    world.ctl("apply", "-f", "-", input=secret)
    text = world.ctl("describe", "secret", "s").stdout
    assert "characters of base64" in text and "aHVzaA" not in text
    world.ctl("delete", "secret", "s")


def test_watch_prints_what_changes(world: Host) -> None:
    with open(world.folder / "watch.out", "wb") as out:
        words = world.words("heraldctl", "--server", f"unix:{world.folder}/api.sock", "watch", "ns")
        watching = subprocess.Popen(words, stdout=out, env=world.environment)
    try:
        seen = lambda: (world.folder / "watch.out").read_text()  # noqa: E731
        poll(lambda: "ADDED    default" in seen(), what="what is there")
        world.ctl("apply", "-f", "-", input="apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
        poll(lambda: "ADDED    shop" in seen(), what="what is added")
        world.ctl("delete", "ns", "shop")
        poll(lambda: "DELETED  shop" in seen(), what="what is deleted")
    finally:
        watching.terminate()
        watching.wait(timeout=10 * PATIENCE)


# --- speakers


def test_status_is_one_screen(world: Host) -> None:
    text = world.ctl("status", node="r1").stdout
    assert "AS 65001  id 10.0.0.1" in text and "1 of 1 established" in text
    assert "only what lists has names" in world.ctl("status", "-o", "name", node="r1", code=2).stderr

    def follows() -> bool:
        text = world.ctl("status", node="n1").stdout
        assert "no BGPPeer selects this node" in text and "reached" in text, text
        return True

    poll(follows, what="n1 follows the API")


def test_peers_in_every_form(world: Host) -> None:
    header, row = world.ctl("peers", node="r1").stdout.splitlines()
    assert header.split() == ["PEER", "ADDRESS", "ASN", "STATE", "UP", "BFD", "RECEIVED", "ADVERTISED", "TROUBLE"]
    assert row.split()[:4] == ["other", "10.0.0.2", "65002", "Established"]
    assert "ROUTER-ID" in world.ctl("peers", "-o", "wide", node="r1").stdout
    assert world.ctl("peers", "-o", "name", node="r1").stdout == "other\n"
    assert "state: Established" in world.ctl("peers", "other", "-o", "yaml", node="r1").stdout
    done = world.ctl("peers", "nobody", node="r1", code=1)
    assert done.stderr == "heraldctl: there is no peer named nobody on this node\n"


def test_routes_of_every_table(world: Host) -> None:
    poll(lambda: "203.0.113.0/24" in world.ctl("routes", "best", node="r1").stdout, what="r1 has r2's route")
    best = world.ctl("routes", "best", node="r1").stdout
    assert "198.51.100.0/24  local" in best and "2001:db8:1::/48" in best
    assert "203.0.113.0/24" in world.ctl("routes", "in", "--peer", "other", node="r1").stdout
    out = lambda: world.ctl("routes", "out", "--peer", "other", node="r1").stdout  # noqa: E731
    poll(lambda: "198.51.100.0/24" in out(), what="r1 has told its own route")
    only = world.ctl("routes", "best", "203.0.113.0/24", node="r1").stdout
    assert "203.0.113.0/24" in only and "198.51.100.0/24" not in only
    assert "203.0.113.0/24" not in world.ctl("routes", "best", "--family", "ipv6", node="r1").stdout
    assert world.ctl("routes", "in", "--peer", "other", "-o", "name", node="r1").stdout == "203.0.113.0/24\n"
    through_it = world.ctl("routes", "best", "--peer", "other", node="r1").stdout
    assert "203.0.113.0/24" in through_it and "198.51.100.0/24" not in through_it
    for table in ("in", "best", "kernel"):
        refused = world.ctl("routes", table, "--peer", "nobody", node="r1", code=1).stderr
        assert refused == "heraldctl: there is no peer named nobody on this node\n"
    assert world.ctl("routes", "in", node="r1", code=2).stderr == "heraldctl: routes in: --peer NAME is needed\n"
    assert 'must be in, best, out or kernel, got "bset"' in world.ctl("routes", "bset", node="r1", code=2).stderr
    assert "is not ADDRESS/LENGTH" in world.ctl("routes", "best", "10.0.0.0/33", node="r1", code=1).stderr


def test_parameters_that_mean_nothing_are_refused(world: Host) -> None:
    def answer(method: str, target: str) -> tuple[int, str]:
        asked = ["curl", "-s", "-X", method, "--unix-socket", world.folder / "r1.sock", f"http://speaker{target}"]
        told = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
        return told["code"], told["message"]

    assert answer("GET", "/routes/best?famly=ipv4") == (
        400, "famly: is no parameter of /routes/best, which takes peer, family, prefix")
    assert answer("GET", "/status?verbose=1") == (400, "verbose: is no parameter of /status, which takes none")
    assert answer("POST", "/peers/other/refresh?direction=both") == (400, 'direction: must be in or out, got "both"')
    assert answer("POST", "/peers/other/restart?direction=in") == (
        400, "direction: is no parameter of /peers/other/restart, which takes reason")


def test_explain_a_route(world: Host) -> None:
    poll(lambda: "203.0.113.0/24" in world.ctl("routes", "best", node="r1").stdout, what="r1 has r2's route")
    text = world.ctl("explain", "route", "203.0.113.0/24", node="r1").stdout
    assert "best" in text and "TOLD TO" in text
    assert "is not in the table" in world.ctl("explain", "route", "10.9.9.0/24", node="r1").stdout
    assert "203.0.113.77 is within 203.0.113.0/24\n" in world.ctl("explain", "route", "203.0.113.77", node="r1").stdout
    refused = world.ctl("explain", "route", "203.0.113", node="r1", code=1).stderr
    assert 'prefix: must be ADDRESS or ADDRESS/LENGTH, got "203.0.113"' in refused, refused
    assert "service [NAMESPACE/]NAME, route PREFIX" in world.ctl("explain", "service", code=2).stderr
    assert "WHAT" in world.ctl("explain", "route", "--help").stdout


def test_explain_says_what_would_help(world: Host) -> None:
    def text() -> str:
        said = world.ctl("explain", "service", "shop", node="n1").stdout
        assert "192.0.2.1" in said, said
        assert "NoPeer" in said and "Write a BGPPeer whose nodeSelectors match this node." in said, said
        assert "NoAdvertisement" in said and "an L2Advertisement" in said, said
        return said

    said = poll(text, what="n1 knows the service, and says what it lacks")
    assert said == world.ctl("explain", "service", "default/shop", node="n1").stdout
    assert "default/shop" in world.ctl("services", node="n1").stdout
    done = world.ctl("explain", "service", "nosuch", node="n1", code=1)
    assert done.stderr == "heraldctl: there is no service default/nosuch\n"
    done = world.ctl("explain", "servce", "shop", node="n1", code=2)
    assert 'must be service or route, got "servce"' in done.stderr


def test_restart_and_refresh(world: Host) -> None:
    count = world.json("peers", "other", node="r1")["peers"][0]["establishedCount"]
    assert world.ctl("refresh", "other", node="r1").stdout.startswith("other: ")
    assert world.ctl("refresh", "other", "--out", node="r1").stdout.startswith("other: ")
    world.ctl("restart", "other", "--reason", "a test", node="r1")

    def back() -> bool:
        peer = world.json("peers", "other", node="r1")["peers"][0]
        return peer["state"] == "Established" and peer["establishedCount"] > count

    poll(back, 30, what="the session is back")
    poll(lambda: "a test" in json.dumps(world.json("peers", "other", node="r2")), what="the neighbour was told why")


# --- what goes wrong


def test_who_is_not_there_is_named(world: Host, tmp_path: Path) -> None:
    done = world.run("heraldctl", "--control", f"unix:{tmp_path}/none.sock", "peers", code=1)
    assert done.stderr == (f"heraldctl: unix:{tmp_path}/none.sock: cannot connect: No such file or directory\n"
                           f"  Is herald-speaker running there, with --control unix:{tmp_path}/none.sock?\n")
    done = world.run("heraldctl", "--server", "http://127.0.0.1:1", "get", "pools", code=1)
    assert "http://127.0.0.1:1: cannot connect: Connection refused" in done.stderr
    assert "--server URL or HERALD_SERVER" in done.stderr
    done = world.run("heraldctl", "--server", "ftp://x", "get", "pools", code=2)
    assert done.stderr.startswith("heraldctl: --server: ")


def test_the_environment_says_where_things_are(world: Host) -> None:
    where = {"HERALD_SERVER": f"unix:{world.folder}/api.sock", "HERALD_CONTROL": f"unix:{world.folder}/r2.sock"}
    assert "web" in world.run("heraldctl", "get", "pools", environment=where).stdout
    assert "10.0.0.1" in world.run("heraldctl", "peers", environment=where).stdout


def test_usage_is_explained_and_is_exit_code_2(world: Host) -> None:
    for words, said in {
        ("gett", "pools"): 'there is no command "gett"; did you mean get?',
        ("get", "peerz"): 'there is no kind "peerz"; did you mean peer?',
        ("get", "pools", "-o", "tabel"): "must be table, wide, json, yaml or name",
        ("get",): "heraldctl get: KIND is required",
        ("describe", "pools"): "describe: KIND NAME or KIND/NAME is needed",
        ("delete",): "delete: KIND NAME or -f FILE is needed",
        ("delete", "pools"): "delete: KIND NAME or KIND/NAME is needed",
        ("completion", "fish"): "must be bash or zsh",
    }.items():
        done = world.ctl(*words, code=2)
        assert said in done.stderr and done.stdout == "", words


def test_files_that_cannot_be_used(world: Host) -> None:
    assert "/nope.yaml: cannot be read" in world.ctl("apply", "-f", "/nope.yaml", code=1).stderr
    assert "standard input: has no objects" in world.ctl("apply", "-f", "-", input="# nothing\n", code=1).stderr
    assert "not valid YAML" in world.ctl("apply", "-f", "-", input="a: [", code=1).stderr


def test_a_token_is_asked_for(world: Host, tmp_path: Path) -> None:
    tokens = world.write("tokens", "0123456789abcdef-admin,alice\n0123456789abcdef-view,bob,viewer\n")
    controller = world.start("herald-controller", "--store", tmp_path / "s.db", "--listen", "127.0.0.1:17472",
                             "--token-file", tokens)
    server = ("heraldctl", "--server", "http://127.0.0.1:17472")
    good = world.write("good", "0123456789abcdef-admin")
    wrong = world.write("wrong", "0123456789abcdef-nobody")
    viewer = world.write("viewer", "0123456789abcdef-view")
    try:
        for words in ((), ("--token-file", wrong)):
            done = world.run(*server, *words, "get", "pools", code=1)
            assert "Unauthorized" in done.stderr and "--token-file FILE" in done.stderr
        assert world.run(*server, "--token-file", good, "get", "pools").stdout == "no ipaddresspools\n"
        done = world.run(*server, "get", "pools", environment={"HERALD_TOKEN_FILE": str(good)})
        assert "no ipaddresspools" in done.stdout
        done = world.run(*server, "--token-file", viewer, "get", "secrets", code=1)
        assert 'user "bob" cannot list resource "secrets"' in done.stderr
        done = world.run(*server, "--token-file", viewer, "delete", "pool", "web", code=1)
        assert "Forbidden" in done.stderr
        done = world.run(*server, "--token-file", tmp_path / "absent", "get", "pools", code=2)
        assert done.stderr == f"heraldctl: --token-file: {tmp_path}/absent: cannot be read\n"
    finally:
        assert controller.stop() == 0


def test_colours_are_for_terminals(world: Host) -> None:
    words = world.words("heraldctl", "--control", f"unix:{world.folder}/r1.sock", "peers")

    def on_a_terminal(**more: str) -> str:
        ours, theirs = pty.openpty()
        subprocess.run(words, stdout=theirs, env={**world.environment, **more}, check=True, timeout=30 * PATIENCE)
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(ours, 4096):
                text += piece
        except OSError:
            pass  # the end of a terminal
        os.close(ours)
        return text.decode()

    assert "\x1b[32mEstablished\x1b[0m" in on_a_terminal()
    assert "\x1b" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in world.ctl("peers", node="r1").stdout


def test_completion_asks_the_real_thing(world: Host) -> None:
    script = """. <(heraldctl completion bash)
COMP_WORDS=(heraldctl --server unix:%s/api.sock get pools w); COMP_CWORD=5; _heraldctl; echo "${COMPREPLY[@]}"
COMP_WORDS=(heraldctl --control unix:%s/r1.sock peers o); COMP_CWORD=4; _heraldctl; echo "${COMPREPLY[@]}"
""" % (world.folder, world.folder)
    assert world.run("bash", "--norc", input=script).stdout == "web\nother\n"
