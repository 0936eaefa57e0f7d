# SPDX-License-Identifier: Apache-2.0
"""Herald beside a real Kubernetes API server (integration/kubernetes.py), with the RBAC of deploy/kubernetes.

          tor (FRR, 65001)
       eth1  eth2  eth3
        |     |     |
        n1    n2    n3      herald-speaker --kubernetes on each (65000)
        |     |     |
       ======= management network =======  api: etcd, kube-apiserver, two herald-controllers

The API server stays out of the way of the network: whatever happens to it, the ToR's routes are recorded, and none may
go."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration import harness, kubernetes_cluster
from integration.harness import frr_paths, holds, poll, soon, watched_routes
from integration.kubernetes import BIN, Kubernetes, Program
from integration.kubernetes_cluster import CONTROLLER, DEPLOY, NODES, PORTS, SPEAKER, Cluster, network, service, slices
from tools.lab import Lab

pytestmark = pytest.mark.kubernetes


def install_metallb(plane: Kubernetes, data: Path) -> None:
    """What a cluster with MetalLB has: its CRDs and objects; and the rights to read them."""
    for file in sorted((data / "metallb" / "crds").glob("*.yaml")):
        plane.kubectl("apply", "--validate=false", "-f", str(file))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/ipaddresspools.metallb.io",
                  "crd/bgpadvertisements.metallb.io", "crd/bgppeers.metallb.io")
    plane.kubectl("create", "namespace", "metallb-system")
    plane.kubectl("apply", "-f", str(DEPLOY / "overlays" / "metallb" / "rbac.yaml"))
    own = {"apiVersion": "metallb.io/v1beta1"}
    plane.apply(
        {**own, "kind": "IPAddressPool", "metadata": {"name": "legacy", "namespace": "metallb-system"},
         "spec": {"addresses": ["203.0.113.200-203.0.113.220"], "autoAssign": False}},
        {**own, "kind": "BGPAdvertisement", "metadata": {"name": "legacy", "namespace": "metallb-system"},
         "spec": {"ipAddressPools": ["legacy"]}},
        {**own, "kind": "IPAddressPool", "metadata": {"name": "elsewhere", "namespace": "default"},
         "spec": {"addresses": ["203.0.113.240-203.0.113.250"]}})


@pytest.fixture(scope="module", params=["v1", "v1beta1"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    def prepare(_lab: Lab, plane: Kubernetes) -> None:
        if request.param == "v1" and os.environ.get("HERALD_TEST_DATA"):
            install_metallb(plane, Path(os.environ["HERALD_TEST_DATA"]))

    with kubernetes_cluster.running(tmp_path_factory.mktemp("kubernetes"), request.param, network(), prepare) as found:
        found.plane.apply(service("web", ipFamilyPolicy="RequireDualStack"), *slices(found.plane, "web", NODES))
        poll(lambda: found.tor_has("web", *NODES), 20, what="web on the ToR")
        yield found


def test_a_service_gets_its_addresses_and_is_announced(cluster: Cluster) -> None:
    plane = cluster.plane
    addresses = plane.addresses("web")
    assert set(addresses) == {4, 6}
    status = plane.get("service", "web")["status"]
    condition = next(one for one in status["conditions"] if one["type"] == "herald.dev/Assigned")
    assert condition["status"] == "True" and "routed" in condition["message"] + condition["reason"], condition
    managers = plane.get("service", "web")["metadata"]["managedFields"]
    assert any(entry["manager"] == "herald-controller" for entry in managers), managers

    def told() -> bool:
        events = json.loads(plane.kubectl("get", "events", "-o", "json"))["items"]
        mine = [event for event in events if event["involvedObject"]["name"] == "web" and event["reason"] == "IPAllocated"]
        assert len(mine) == 1, events
        return True

    poll(told, 10, what="the Event of the allocation")
    assert "203.0.113." in plane.kubectl("get", "service", "web")
    # The numbers of a pool follow within two seconds.
    poll(lambda: plane.get("ipaddresspool", "routed")["status"]["assignedIPv4"] == 1, 10, what="the pool's numbers")
    assert "203.0.113.0/25" in plane.kubectl("get", "pool", "routed")
    # So far the server has not been restarted (just then it refuses everybody), and the rights were enough.
    for name in NODES:
        assert "orbidden" not in cluster.lab.node(name).log("herald-speaker")
    for controller in cluster.controllers:
        assert "orbidden" not in controller.log


def test_endpoints_come_and_go(cluster: Cluster) -> None:
    plane = cluster.plane
    plane.apply(*slices(plane, "web", ("n1", "n3")))
    try:
        poll(lambda: cluster.tor_has("web", "n1", "n3"), 10, what="without n2")
    finally:
        plane.apply(*slices(plane, "web", NODES))
    poll(lambda: cluster.tor_has("web", *NODES), 10, what="all three")


def test_a_service_whose_slices_come_later_is_announced_by_their_nodes_alone(cluster: Cluster) -> None:
    """It has no selector, and without slices nobody serves it."""
    plane = cluster.plane
    with watched_routes(cluster.tor) as changes:
        plane.apply(service("early"))
        address = poll(lambda: plane.addresses("early"), 10, what="an address")[4]
        holds(lambda: not frr_paths(cluster.tor, f"{address}/32"), 2, what="announced by nobody")
        plane.apply(*slices(plane, "early", ("n2",))[:1])
        poll(lambda: cluster.tor_has("early", "n2"), 10, what="announced by n2")
        seen = [line for line in changes() if line.startswith(f"{address} ")]
        assert seen and all("via 10.0.2.2" in line for line in seen), changes()
    cluster.remove("early")


def test_a_deleted_service_is_withdrawn_and_its_address_free_again(cluster: Cluster) -> None:
    plane = cluster.plane
    plane.apply(service("passing", loadBalancerIP="203.0.113.77"), *slices(plane, "passing", ("n1",))[:1])
    poll(lambda: cluster.tor_has("passing", "n1"), 10, what="passing announced")
    cluster.remove("passing")
    poll(lambda: not frr_paths(cluster.tor, "203.0.113.77/32"), 10, what="withdrawn")
    plane.apply(service("second", loadBalancerIP="203.0.113.77"))
    poll(lambda: plane.addresses("second")[4] == "203.0.113.77", 10, what="the address given again")
    cluster.remove("second")


def test_what_others_wrote_is_left_alone(cluster: Cluster) -> None:
    """A status with an address in no pool, and one of a service that is no load balancer at all."""
    plane = cluster.plane
    plane.apply(service("cloud"))
    poll(lambda: plane.addresses("cloud"), 10)
    plane.apply({**service("plain"), "spec": {"type": "ClusterIP", "ports": [{"port": 80}]}})
    other = [{"type": "example.com/Ready", "status": "True", "reason": "Other", "message": "",
              "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    for name in ("cloud", "plain"):
        found = plane.get("service", name)
        conditions = other + [one for one in found["status"].get("conditions", [])]
        code, _ = patch_status(cluster, name, {"conditions": conditions})
        assert code == 0
    plane.kubectl("annotate", "service", "cloud", "note=changed")

    def kept() -> bool:
        for name in ("cloud", "plain"):
            conditions = plane.get("service", name)["status"]["conditions"]
            assert any(one["type"] == "example.com/Ready" for one in conditions), conditions
        return True

    holds(kept, 1, what="the condition of somebody else")
    cluster.remove("cloud", "plain")


def condition(plane: Kubernetes, name: str, kind: str) -> dict[str, Any]:
    """herald.dev/KIND of a service; a LookupError while it is not there."""
    conditions = plane.get("service", name)["status"].get("conditions", [])
    return {one["type"]: one for one in conditions}[f"herald.dev/{kind}"]


def test_a_service_says_who_announces_it_or_what_stops_it(cluster: Cluster) -> None:
    plane = cluster.plane

    def says(status: str, *words: str, lacks: str = "nothing of this") -> bool:
        found = condition(plane, "web", "Announced")
        assert found["status"] == status, found
        assert all(word in found["message"] + found["reason"] for word in words) and lacks not in found["message"], found
        return True

    everywhere = [f"{address}: by BGP from n1, n2 and n3" for address in plane.addresses("web").values()]
    poll(lambda: says("True", *everywhere), 20)
    plane.apply(*slices(plane, "web", ("n1", "n3")))
    try:
        poll(lambda: says("True", "from n1 and n3", lacks="n2"), 20, what="the endpoints that are left")
    finally:
        plane.apply(*slices(plane, "web", NODES))
    advertisement = next(one for one in network() if one["kind"] == "BGPAdvertisement")
    plane.kubectl("delete", "bgpadvertisements.herald.dev", "all")
    try:
        poll(lambda: says("False", "NoAdvertisement", "no BGPAdvertisement selects IPAddressPool routed"), 20)
    finally:
        plane.apply(advertisement)
    poll(lambda: says("True", *everywhere), 20, what="announced again")
    cluster.lab.node("n3").kill("herald-speaker")
    try:
        poll(lambda: says("True", "from n1 and n2", lacks="n3"), 20, what="a node that is dead")
    finally:
        cluster.lab.node("n3").start("herald-speaker")
    poll(lambda: says("True", *everywhere), 30, what="a node that is back")
    poll(lambda: cluster.tor_has("web", *NODES), 20)
    # At rest, nothing is written.
    version = plane.get("service", "web")["metadata"]["resourceVersion"]
    holds(lambda: plane.get("service", "web")["metadata"]["resourceVersion"] == version, 3, what="the service as it is")


def test_objects_say_whether_they_are_accepted(cluster: Cluster) -> None:
    plane = cluster.plane

    def says(kind: str, name: str, what: str, status: str, reason: str, *words: str) -> bool:
        found = {one["type"]: one for one in plane.get(f"{kind}.herald.dev", name)["status"]["conditions"]}[what]
        assert (found["status"], found["reason"]) == (status, reason), found
        assert all(word in found["message"] for word in words), found
        return True

    for name in NODES:
        poll(lambda: says("bgppeers", f"tor-{name}", "Established", "True", "Established", f"on {name}"), 20)
    for kind, name in (("ipaddresspools", "routed"), ("bgpconfigurations", "default"), ("bgpadvertisements", "all")):
        poll(lambda: says(kind, name, "Accepted", "True", "Accepted"), 20, what=f"{name} accepted")
    poll(lambda: says("bgpadvertisements", "all", "Effective", "True", "Effective", "3 nodes and 3 BGPPeers"), 20)
    header, *rows = (line.split() for line in plane.kubectl("get", "bgppeers.herald.dev").splitlines())
    assert header == ["NAME", "ADDRESS", "ASN", "ACCEPTED", "ESTABLISHED", "AGE"]
    assert [row[:5] for row in rows if row[0] == "tor-n2"] == [["tor-n2", "10.0.2.1", "65001", "True", "1/1"]]
    assert "Effective" in plane.kubectl("get", "bgpadvertisements.herald.dev", "all")

    # What the schema lets through and the reader does not, with one Event.
    wrong = {"apiVersion": "herald.dev/v1", "kind": "BGPPeer", "metadata": {"name": "wrong"},
             "spec": {"peerASN": 65001, "peerAddress": "10.0.1.300"}}
    plane.apply(wrong)
    try:
        poll(lambda: says("bgppeers", "wrong", "Accepted", "False", "Invalid", "spec.peerAddress: must be"), 20)
        assert says("bgppeers", "wrong", "Established", "False", "NotAccepted"), "both are written at once"

        def told() -> bool:
            events = json.loads(plane.kubectl("get", "events", "-o", "json"))["items"]
            mine = [one for one in events if one["involvedObject"]["name"] == "wrong"]
            assert [(one["reason"], one["type"]) for one in mine] == [("NotAccepted", "Warning")], mine
            assert "spec.peerAddress" in mine[0]["message"]
            return True

        poll(told, 20, what="the Event of the refusal")
        plane.apply({**wrong, "spec": {"peerASN": 65001, "peerAddress": "10.0.1.1", "nodeSelectors": [
            {"matchLabels": {"kubernetes.io/hostname": "n1"}}]}})
        poll(lambda: says("bgppeers", "wrong", "Accepted", "False", "SetAside", "spec.peerAddress", "BGPPeer/tor-n1"), 20)
    finally:
        plane.kubectl("delete", "bgppeers.herald.dev", "wrong")

    cluster.lab.node("n3").kill("herald-speaker")
    try:
        poll(lambda: says("bgppeers", "tor-n3", "Established", "False", "NoSpeaker", "n3"), 20, what="a node that is dead")
        assert says("bgppeers", "tor-n1", "Established", "True", "Established")
    finally:
        cluster.lab.node("n3").start("herald-speaker")
    poll(lambda: says("bgppeers", "tor-n3", "Established", "True", "Established"), 30, what="a node that is back")
    poll(lambda: cluster.tor_has("web", *NODES), 20)
    # At rest nothing is written, and on MetalLB's objects never.
    def versions() -> dict[str, str]:
        return {name: plane.get("bgppeers.herald.dev", f"tor-{name}")["metadata"]["resourceVersion"] for name in NODES}

    before = versions()
    holds(lambda: versions() == before, 3, what="the peers as they are")
    metallb = plane.kubectl_run("get", "bgpadvertisements.metallb.io", "-A", "-o", "json", check=False)
    if metallb.returncode == 0:
        assert all("conditions" not in one.get("status", {}) for one in json.loads(metallb.stdout)["items"])


def patch_status(cluster: Cluster, name: str, status: dict[str, Any]) -> tuple[int, str]:
    """kubectl of 1.20 has no --subresource."""
    plane = cluster.plane
    done = cluster.lab.node("api").run(
        ["curl", "-sS", "--fail-with-body", "--noproxy", "*", "-X", "PATCH", "--cacert", "/dev/stdin", "-H",
         f"Authorization: Bearer {plane.tokens['admin']}", "-H", "Content-Type: application/merge-patch+json", "-d",
         json.dumps({"status": status}), f"{plane.url}/api/v1/namespaces/default/services/{name}/status"],
        input=plane.certificates.text("ca.crt"), check=False)
    return done.returncode, done.stdout + done.stderr


def outage(cluster: Cluster) -> float:
    """Minutes, so that leases, tokens and watches run out; in one of the two profiles more than three heartbeats will do."""
    return float(os.environ.get("HERALD_OUTAGE_SECONDS", "130")) if cluster.plane.slices == "v1" else 6


def stays_announced(cluster: Cluster, address: str, seconds: float) -> None:
    """By all nodes; asks nobody but the ToR."""
    holds(lambda: frr_paths(cluster.tor, f"{address}/32") == set(PORTS.values()), seconds, what="announced meanwhile")


def test_the_api_server_is_killed_and_nothing_is_withdrawn(cluster: Cluster) -> None:
    plane = cluster.plane
    before = plane.addresses("web")
    with cluster.no_withdraw():
        plane.end("kube-apiserver", signal.SIGKILL)
        # Nobody may be taken for dead because the API is silent.
        stays_announced(cluster, before[4], outage(cluster))
        plane.start_api()
        plane.apply(service("after"), *slices(plane, "after", ("n2",))[:1])
        poll(lambda: cluster.tor_has("after", "n2"), 30, what="a new service after the outage")
        assert plane.addresses("web") == before
    cluster.remove("after")


def test_etcd_is_gone_and_nothing_is_withdrawn(cluster: Cluster) -> None:
    """The API server answers, and every answer that matters is an error."""
    plane = cluster.plane
    before = plane.addresses("web")
    with cluster.no_withdraw():
        plane.end("etcd", signal.SIGKILL)
        stays_announced(cluster, before[4], outage(cluster))
        plane.start_etcd()
        plane.restart_api()
        plane.apply(service("recovered"), *slices(plane, "recovered", ("n3",))[:1])
        poll(lambda: cluster.tor_has("recovered", "n3"), 30, what="a new service after the outage")
        assert plane.addresses("web") == before
    cluster.remove("recovered")


def test_half_open_connections_are_noticed_and_nothing_is_withdrawn(cluster: Cluster) -> None:
    """Packets from the API server to the nodes vanish: nobody is told that the connections are dead."""
    plane = cluster.plane
    api = cluster.lab.node("api")
    node = cluster.lab.node("n2")
    addresses = [entry["local"] for name in NODES
                 for entry in cluster.lab.node(name).json(["ip", "-json", "-4", "addr", "show", "eth0"])[0]["addr_info"]]
    with cluster.no_withdraw():
        for address in addresses:
            api.run(["ip", "route", "add", "blackhole", f"{address}/32"])
        try:
            poll(lambda: node.log("herald-speaker").count("API not reached") > 0, 20, what="the silence is noticed")
            plane.apply(service("unseen"), *slices(plane, "unseen", ("n1",))[:1])
            holds(lambda: cluster.tor_has("web", *NODES), outage(cluster), what="announced meanwhile")
        finally:
            for address in addresses:
                api.run(["ip", "route", "del", "blackhole", f"{address}/32"])
        poll(lambda: cluster.tor_has("unseen", "n1"), 60, what="what happened meanwhile")
    cluster.remove("unseen")


def test_a_slow_api_server_delays_changes_and_withdraws_nothing(cluster: Cluster) -> None:
    """It stands still for two seconds of every two and a half, so that every answer is late and requests pile up."""
    plane = cluster.plane
    server = plane.processes["kube-apiserver"]
    over = threading.Event()

    def stutter() -> None:
        while not over.is_set():
            server.send_signal(signal.SIGSTOP)
            over.wait(2)
            server.send_signal(signal.SIGCONT)
            over.wait(0.5)

    with cluster.no_withdraw():
        slowed = threading.Thread(target=stutter)
        slowed.start()
        try:
            plane.apply(service("late"), *slices(plane, "late", ("n3",))[:1])
            poll(lambda: cluster.tor_has("late", "n3"), 60, what="a new service, by and by")
            before = plane.addresses("web")
            stays_announced(cluster, before[4], outage(cluster) / 4)
        finally:
            over.set()
            slowed.join()
        assert plane.addresses("web") == before
    cluster.remove("late")


def test_a_compacted_history_is_listed_again_without_a_flap(cluster: Cluster) -> None:
    plane = cluster.plane
    speakers = [cluster.lab.node(name) for name in NODES]
    with cluster.no_withdraw():
        plane.end("kube-apiserver", signal.SIGKILL)
        plane.start_api()
        # Where the watches stood is forgotten: they get 410, and list.
        plane.kubectl("annotate", "service", "web", "changed=before")
        plane.compact()
        plane.restart_api()
        plane.apply(service("fresh"), *slices(plane, "fresh", ("n2",))[:1])
        poll(lambda: cluster.tor_has("fresh", "n2"), 30, what="a change after the new list")
        assert cluster.tor_has("web", *NODES)
    cluster.remove("fresh")
    poll(lambda: all("followed again" in node.log("herald-speaker") for node in speakers), 30, what="all follow again")


def test_a_new_token_and_a_new_server_certificate_are_used(cluster: Cluster) -> None:
    plane = cluster.plane
    with cluster.no_withdraw():
        plane.tokens[SPEAKER] = "another-token"
        plane.write_tokens()
        plane.certificates.issue_server()
        plane.restart_api()
        # With the old one they are turned away, and keep what they have.
        node = cluster.lab.node("n1")
        poll(lambda: "nauthorized" in node.log("herald-speaker") or "401" in node.log("herald-speaker"), 20)
        for name in NODES:
            cluster.lab.node(name).path("/etc/herald/token").write_text("another-token\n")
        plane.apply(service("renewed"), *slices(plane, "renewed", ("n1", "n3"))[:1])
        poll(lambda: cluster.tor_has("renewed", "n1", "n3"), 30, what="a change told with the new token")
    cluster.remove("renewed")


def test_a_killed_controller_is_replaced_within_three_seconds(cluster: Cluster) -> None:
    plane = cluster.plane
    poll(lambda: cluster.leader() != "", 10)
    before = plane.addresses("web")
    leader, standby = leading(cluster)
    with cluster.no_withdraw():
        leader.end(signal.SIGKILL)
        killed = time.monotonic()
        plane.apply(service("orphan"))
        poll(lambda: plane.addresses("orphan"), 10, what="an address by the other controller")
        assert soon(killed, 3.5), "3 s for the Lease, and kubectl"
        assert plane.addresses("web") == before
    leader.start()
    cluster.remove("orphan")
    assert standby.process is not None and standby.process.poll() is None


def test_a_controller_that_leaves_hands_over_at_once(cluster: Cluster) -> None:
    leader, standby = leading(cluster)
    seen = standby.log.count("event=leading")
    began = time.monotonic()
    assert leader.end(signal.SIGTERM) == 0

    def took_over() -> bool:
        assert standby.log.count("event=leading") > seen
        return True

    poll(took_over, 5, what="the other leads")
    assert soon(began, 1.0), "0.5 s, and the time the first took to leave"
    leader.start()


def test_a_controller_that_wakes_up_late_writes_nothing(cluster: Cluster) -> None:
    plane = cluster.plane
    leader, standby = leading(cluster)
    leader.send(signal.SIGSTOP)
    try:
        plane.apply(service("late", loadBalancerIP="203.0.113.90"))
        poll(lambda: plane.addresses("late"), 10, what="the address by the other")
        cluster.remove("late")
        plane.apply(service("later", loadBalancerIP="203.0.113.90"))
        poll(lambda: plane.addresses("later"), 10, what="the address given to another service")
    finally:
        leader.send(signal.SIGCONT)
    leader.says("standing-by", 10)
    holds(lambda: plane.addresses("later") == {4: "203.0.113.90"}, 1, what="the address of the new leader's choice")
    cluster.remove("later")


def test_an_address_rests_also_when_another_controller_leads(cluster: Cluster) -> None:
    plane = cluster.plane
    plane.apply({"apiVersion": "herald.dev/v1", "kind": "IPAddressPool", "metadata": {"name": "resting"},
                 "spec": {"addresses": ["198.51.100.1/32"], "autoAssign": False, "quarantine": "10m"}})
    wish = {"herald.dev/address-pool": "resting"}
    plane.apply(service("early", annotations=wish))
    poll(lambda: plane.addresses("early"), 10)
    cluster.remove("early")
    leader, _ = leading(cluster)
    assert leader.end(signal.SIGTERM) == 0
    plane.apply(service("eager", annotations=wish))

    def refused() -> bool:
        found = condition(plane, "eager", "Assigned")
        assert found["status"] == "False" and found["reason"] == "PoolExhausted", found
        return True

    poll(refused, 15, what="the address still rests")
    leader.start()
    # The service that had it gets it back at once.
    plane.apply(service("early", annotations=wish))
    poll(lambda: plane.addresses("early")[4] == "198.51.100.1", 10, what="the address for its old holder")
    cluster.remove("early", "eager")
    plane.kubectl("delete", "ipaddresspools.herald.dev", "resting")


def leading(cluster: Cluster) -> tuple[Program, Program]:
    """The controller that leads, and the other one, when both have listed what there is."""

    def settled() -> tuple[Program, Program] | None:
        holder = cluster.leader()
        order = sorted(cluster.controllers, key=lambda one: holders(one, holder), reverse=True)
        assert holders(order[0], holder) and not holders(order[1], holder), f"{holder} is neither"
        assert all("event=ready" in one.log[one.began:] for one in order)
        return order[0], order[1]

    return poll(settled, 15, what="one leads, the other stands by")


def holders(controller: Program, holder: str) -> bool:
    return controller.process is not None and controller.process.poll() is None and f"identity={holder}" in controller.log


def test_a_node_that_dies_leaves_the_ecmp_group(cluster: Cluster) -> None:
    cluster.lab.node("n3").kill("herald-speaker")
    try:
        poll(lambda: cluster.tor_has("web", "n1", "n2"), 5, what="without n3")
    finally:
        cluster.lab.node("n3").start("herald-speaker")
    poll(lambda: cluster.tor_has("web", *NODES), 30, what="n3 back")


def test_a_password_is_read_by_name_alone(cluster: Cluster) -> None:
    plane = cluster.plane
    can = plane.kubectl_run("auth", "can-i", "list", "secrets", "-n", "herald-system", "--as", SPEAKER, check=False)
    assert can.stdout.strip() == "no"
    peer = {"apiVersion": "herald.dev/v1", "kind": "BGPPeer", "metadata": {"name": "secretive"},
            "spec": {"peerASN": 65009, "peerAddress": "10.0.1.9", "nodeSelectors": [{"matchLabels": {"kubernetes.io/hostname": "n1"}}],
                     "passwordSecret": {"name": "bgp-password", "namespace": "herald-system"}}}
    node = cluster.lab.node("n1")
    plane.apply(peer)

    def held_down() -> bool:
        reasons = json.dumps(harness.herald_peers(node)["secretive"])
        assert "bgp-password" in reasons, reasons
        return True

    poll(held_down, 10, what="held down while the Secret is not there")
    plane.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bgp-password", "namespace": "herald-system"},
                 "type": "kubernetes.io/basic-auth", "stringData": {"password": "hush"}})
    plane.kubectl("annotate", "bgppeer", "secretive", "look=again")

    def let_go() -> bool:
        entry = harness.herald_peers(node)["secretive"]
        assert "bgp-password" not in json.dumps(entry), entry
        return True

    poll(let_go, 40, what="with the password")
    plane.kubectl("delete", "bgppeer", "secretive")


def test_the_rights_are_enough_and_no_more(cluster: Cluster) -> None:
    """Every test here runs with them; these are the ones that must not be there."""
    plane = cluster.plane

    def may(user: str, *words: str) -> bool:
        return plane.kubectl_run("auth", "can-i", *words, "--as", user, check=False).stdout.strip() == "yes"

    assert may(CONTROLLER, "patch", "services", "--subresource=status")
    assert may(CONTROLLER, "patch", "bgppeers.herald.dev", "--subresource=status")
    for words in (("update", "services"), ("patch", "services"), ("get", "secrets"), ("update", "nodes"),
                  ("delete", "services"), ("patch", "ipaddresspools.herald.dev"), ("patch", "bgppeers.herald.dev"),
                  ("patch", "speakerstates.herald.dev", "--subresource=status")):
        assert not may(CONTROLLER, *words), words
    for words in (("patch", "services", "--subresource=status"), ("list", "secrets"), ("get", "secrets"),
                  ("update", "nodes"), ("create", "events"), ("patch", "bgppeers.herald.dev")):
        assert not may(SPEAKER, *words), words


def test_a_user_without_rights_gets_nothing_that_is_not_hers(cluster: Cluster) -> None:
    """Somebody who may write Services of one namespace, and nothing else: no address outside the pools, none of another
    namespace, none by a status of her own."""
    plane = cluster.plane
    plane.kubectl("create", "namespace", "mallory")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "services", "namespace": "mallory"}}
    plane.apply(
        {**role, "kind": "Role", "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": ["*"]}]},
        {**role, "kind": "RoleBinding", "subjects": [{"kind": "User", "name": "nobody"}],
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "services"}})
    # The server itself learns of new rights a little later.
    poll(lambda: plane.kubectl_run("auth", "can-i", "create", "services", "-n", "mallory", "--as", "nobody",
                                   check=False).stdout.strip() == "yes", 30, what="her rights")
    key = {"metallb.io/allow-shared-ip": "bank"}
    plane.apply(service("bank", annotations=key, ports=[{"port": 443}], loadBalancerIP="203.0.113.99"),
                *slices(plane, "bank", ("n1",))[:1])
    poll(lambda: cluster.tor_has("bank", "n1"), 10)
    wishes = {
        "elsewhere": {"loadBalancerIP": "192.0.2.66"},
        "router": {"annotations": {"metallb.io/loadBalancerIPs": "10.0.1.1"}},
        "thief": {"annotations": {**key, "herald.dev/share-with-namespaces": "*"}, "loadBalancerIP": "203.0.113.99",
                  "ports": [{"port": 8443}]},
        "twin": {"loadBalancerIP": "203.0.113.99"},
    }
    for name, wish in wishes.items():
        one = service(name, **wish)
        one["metadata"]["namespace"] = "mallory"
        plane.apply(one, user="nobody")

    def refused() -> bool:
        reasons = {}
        for name in wishes:
            status = plane.get("service", name, "mallory")["status"]
            assert "ingress" not in status["loadBalancer"], status
            reasons[name] = {one["type"]: one["reason"] for one in status["conditions"]}["herald.dev/Assigned"]
        assert reasons == {"elsewhere": "AddressNotInPool", "router": "AddressNotInPool",
                           "thief": "SharingNamespaceDiffers", "twin": "AddressInUse"}, reasons
        return True

    poll(refused, 15, what="every wish refused, with its reason")
    forged = plane.kubectl_run("patch", "service", "elsewhere", "-n", "mallory", "--type=merge", "-p", json.dumps(
        {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.1.1"}]}}}), user="nobody", check=False)
    assert forged.returncode == 0, "the part that is no status is hers"
    assert "ingress" not in plane.get("service", "elsewhere", "mallory")["status"]["loadBalancer"]
    for words in (("create", "ipaddresspools.herald.dev"), ("get", "secrets", "-n", "herald-system"),
                  ("patch", "services", "--subresource=status", "-n", "mallory"), ("create", "bgppeers.herald.dev")):
        can = plane.kubectl_run("auth", "can-i", *words, "--as", "nobody", check=False)
        assert can.stdout.strip() == "no", words
    holds(lambda: not frr_paths(cluster.tor, "192.0.2.66/32") and not frr_paths(cluster.tor, "10.0.1.1/32"), 1)
    assert cluster.tor_has("bank", "n1")
    # First those that wait for what the other has.
    plane.kubectl("delete", "service", *wishes, "-n", "mallory")
    cluster.remove("bank")


def test_the_webhook_refuses_mistakes_keeps_what_is_in_use_and_fails_open(cluster: Cluster) -> None:
    """By URL, since there is no network of Services here; the rest is that of deploy/kubernetes/overlays/admission."""
    plane = cluster.plane
    objects = list(yaml.safe_load_all((DEPLOY / "overlays" / "admission" / "webhook.yaml").read_text()))
    webhook = next(one for one in objects if one["kind"] == "ValidatingWebhookConfiguration")
    webhook["webhooks"][0]["clientConfig"] = {"url": f"https://{plane.address}:7475/validate"}
    plane.apply(webhook, *(one for one in objects if one["kind"].startswith("ClusterRole")))
    pool = {"apiVersion": "herald.dev/v1", "kind": "IPAddressPool", "metadata": {"name": "judged"},
            "spec": {"addresses": ["203.0.113.64/26"]}}

    def attempt(*words: str, input: str | None = None) -> str:
        return plane.kubectl_run(*words, input=input, check=False).stderr

    def judging() -> bool:
        said = attempt("apply", "--dry-run=server", "--validate=false", "-f", "-", input=json.dumps(pool))
        assert "objects.herald.dev" in said and "overlap" in said and "routed" in said, said
        return True

    config = plane.kubeconfig("controller", CONTROLLER)
    # It stands by, and judges all the same.
    controller = Program(plane, "controller-webhook", "--kubeconfig", config, "--webhook", f"{plane.address}:7475").start()
    try:
        poll(judging, 20, what="the API server asks, and trusts the certificate")
        plane.apply({**pool, "spec": {"addresses": ["198.51.100.0/28"], "autoAssign": False}})
        plane.apply(service("judged", annotations={"herald.dev/address-pool": "judged"}))
        poll(lambda: plane.addresses("judged"), 10)

        def kept() -> bool:
            said = attempt("delete", "ipaddresspools.herald.dev", "judged", "--dry-run=server")
            assert "in use by Service default/judged" in said, said
            return True

        poll(kept, 10, what="the pool in use is kept")
        # The manifest again takes the certificate out, and the controller puts it back.
        plane.kubectl("patch", "validatingwebhookconfiguration", "herald", "--type=json", "-p",
                      '[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]')
        poll(judging, 60, what="the certificate is listed again")
        cluster.remove("judged")
    finally:
        controller.end(signal.SIGKILL)
    # Nobody answers: everything is let through, and the reader has the last word.
    began = time.monotonic()
    plane.apply({**pool, "metadata": {"name": "unjudged"}, "spec": {"addresses": ["203.0.113.64/26"]}})
    assert soon(began, 10)
    plane.kubectl("delete", "ipaddresspools.herald.dev", "judged", "unjudged")
    plane.kubectl("delete", "validatingwebhookconfiguration", "herald")


def test_the_overlays_apply(cluster: Cluster) -> None:
    """Everything of deploy/kubernetes is taken by the server, and each overlay gives the speaker what it needs."""
    plane = cluster.plane
    wanted = {
        "base": {"NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE"},
        "overlays/bgp": {"NET_ADMIN", "NET_BIND_SERVICE"},
        "overlays/l2": {"NET_ADMIN", "NET_RAW"},
    }
    for overlay, capabilities in wanted.items():
        # The newest kubectl around: that of Debian 12 builds no folder of folders.
        built = subprocess.run(["kubectl", "kustomize", str(DEPLOY / overlay)], capture_output=True, text=True)
        if built.returncode != 0 and "must be a file" in built.stderr:
            for file in ("controller.yaml", "speaker.yaml"):
                plane.kubectl("apply", "-f", str(DEPLOY / "base" / file))
            break
        assert built.returncode == 0 and "deprecated" not in built.stderr, built.stderr
        plane.kubectl("apply", "--validate=false", "-f", "-", input=built.stdout)
        speaker = plane.get("daemonset", "herald-speaker", "herald-system")["spec"]["template"]["spec"]
        security = speaker["containers"][0]["securityContext"]
        assert set(security["capabilities"]["add"]) == capabilities, overlay
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    controller = plane.get("deployment", "herald-controller", "herald-system")["spec"]
    assert controller["replicas"] == 2 and controller["template"]["spec"]["securityContext"]["runAsNonRoot"]
    for kind, name in (("daemonset", "herald-speaker"), ("deployment", "herald-controller")):
        command = plane.get(kind, name, "herald-system")["spec"]["template"]["spec"]["containers"][0]["command"]
        options = [word.partition("=")[0] for word in command if word.startswith("--")]
        known = subprocess.run([BIN / command[0], "--help"], capture_output=True, text=True).stdout
        assert all(option in known for option in options), options
        plane.kubectl("delete", kind, name, "-n", "herald-system")


def test_metallbs_objects_are_obeyed_where_they_are(cluster: Cluster, test_data: Path) -> None:
    plane = cluster.plane
    if plane.slices != "v1":
        return  # the other cluster is the one without MetalLB's kinds
    plane.apply(service("migrated", annotations={"metallb.universe.tf/address-pool": "legacy"}),
                *slices(plane, "migrated", ("n1", "n2"))[:1])
    address = poll(lambda: plane.addresses("migrated"), 10)[4]
    assert address == "203.0.113.200"
    poll(lambda: cluster.tor_has("migrated", "n1", "n2"), 10, what="announced by MetalLB's advertisement")

    def counted() -> bool:
        found = json.loads(plane.kubectl("get", "ipaddresspools.metallb.io", "legacy", "-n", "metallb-system", "-o", "json"))
        assert found.get("status", {}).get("assignedIPv4") == 1, found
        return True

    poll(counted, 10, what="the status of MetalLB's pool")
    # MetalLB obeys one namespace, and so does Herald.
    plane.apply(service("other", annotations={"metallb.io/address-pool": "elsewhere"}))
    poll(lambda: "elsewhere" in json.dumps(plane.get("service", "other")["status"].get("conditions", [])), 10)
    assert "ingress" not in plane.get("service", "other")["status"]["loadBalancer"]
    cluster.remove("migrated", "other")


def test_metallbs_objects_are_taken_over_with_every_address_kept(cluster: Cluster, test_data: Path) -> None:
    plane = cluster.plane
    if plane.slices != "v1":
        return  # the other cluster is the one without MetalLB's kinds
    node = cluster.lab.node("n1")
    config = plane.kubeconfig("migrating", "admin", certificate=True)
    node.path("/etc/herald/admin").write_text(config.read_text())
    migrate = ["heraldctl", "--kubernetes", "--kubeconfig", "/etc/herald/admin", "migrate", "metallb"]
    plane.apply(service("inherited", annotations={"metallb.io/address-pool": "legacy"}),
                *slices(plane, "inherited", ("n1", "n2"))[:1])
    poll(lambda: cluster.tor_has("inherited", "n1", "n2"), 10)
    address = plane.addresses("inherited")
    report = json.loads(node.run([*migrate, "-o", "json"]).stdout)
    assert report["refused"] == [] and report["services"] == [], report
    assert {one["metadata"]["name"] for one in report["objects"]} == {"legacy"}
    assert report["kept"] >= 2 and "quarantine" in json.dumps(report["differences"])
    # What cannot be taken over is named, and then nothing is written.
    odd = {"apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer", "metadata": {"name": "odd", "namespace": "metallb-system"},
           "spec": {"myASN": 65000, "peerASN": 65001, "peerAddress": "10.0.1.7", "vrf": "red"}}
    plane.apply(odd)
    refused = node.run([*migrate, "--apply"], check=False)
    assert refused.returncode == 1 and "BGPPeer/odd" in refused.stdout and "spec.vrf" in refused.stdout, refused
    assert plane.kubectl_run("get", "ipaddresspools.herald.dev", "legacy", check=False).returncode != 0
    plane.kubectl("delete", "bgppeers.metallb.io", "odd", "-n", "metallb-system")
    with cluster.no_withdraw():
        written = node.run([*migrate, "--apply"]).stdout
        assert "IPAddressPool/legacy written" in written and "BGPAdvertisement/legacy written" in written
        for kind in ("ipaddresspools", "bgpadvertisements"):
            plane.kubectl("delete", f"{kind}.metallb.io", "legacy", "-n", "metallb-system")
        plane.kubectl("annotate", "service", "inherited", "look=again")

        def ours() -> bool:
            status = plane.get("ipaddresspools.herald.dev", "legacy")["status"]
            assert status["assignedIPv4"] == 1, status
            return True

        poll(ours, 10, what="the pool that is ours now")
        assert cluster.tor_has("inherited", "n1", "n2") and plane.addresses("inherited") == address
    cluster.remove("inherited")


def test_controllers_tell_their_state(cluster: Cluster) -> None:
    leading(cluster)
    api = cluster.lab.node("api")

    def told() -> bool:
        seen = []
        for port in (7481, 7482):
            url = f"http://127.0.0.1:{port}"
            assert api.run(["curl", "-sS", "--noproxy", "*", f"{url}/readyz"]).stdout == "ok\n"
            lines = api.run(["curl", "-sS", "--noproxy", "*", f"{url}/metrics"]).stdout.splitlines()
            values = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line and line[0] != "#"}
            assert values["herald_controller_current"] == 1 and values["herald_controller_services"] >= 1, values
            seen.append(values["herald_controller_leader"])
            if values["herald_controller_leader"] == 1:
                assert values['herald_pool_services{pool="routed"}'] >= 1, values
        assert sorted(seen) == [0, 1], seen
        return True

    poll(told, 10, what="the metrics of both")


def test_heraldctl_speaks_to_the_cluster(cluster: Cluster) -> None:
    plane = cluster.plane
    node = cluster.lab.node("n1")
    config = plane.kubeconfig("certified", "admin", certificate=True)
    node.path("/etc/herald/admin").write_text(config.read_text())
    ask = ["heraldctl", "--kubernetes", "--kubeconfig", "/etc/herald/admin"]
    assert "203.0.113." in node.run([*ask, "get", "service"]).stdout
    assert "routed" in node.run([*ask, "get", "pool"]).stdout
    assert "IPAllocated" in node.run([*ask, "describe", "service", "web"]).stdout
    refused = node.run([*ask, "--context", "nowhere", "get", "pool"], check=False)
    assert refused.returncode == 2 and "nowhere" in refused.stderr, refused
    assert "203.0.113." in node.run(harness.ctl(node, "explain", "service", "web")).stdout
