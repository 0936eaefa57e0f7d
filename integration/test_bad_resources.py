# SPDX-License-Identifier: Apache-2.0
"""Resources with mistakes among good ones: each is named, with its field and place, and everything else runs.

    set.yaml (good and bad) -> herald-speaker 10.0.0.1 --- BGP --- 10.0.0.2 herald-speaker
    POST, one by one -> herald-controller -> Status objects with causes
"""

import http.client
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from integration.harness import poll
from integration.programs import SERVICE, Host, host, router

H = "herald.dev/v1"
PEER = {"peerASN": 65009, "peerAddress": "10.9.0.1"}


def peer(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": H, "kind": "BGPPeer", "spec": {**PEER, **fields}}


def ours(kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": H, "kind": kind, "spec": fields}


def rule(**fields: Any) -> dict[str, Any]:
    return ours("BGPFilter", rules=[fields])


def core(kind: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": "discovery.k8s.io/v1" if kind == "EndpointSlice" else "v1", "kind": kind, **parts}


# What is wrong, the object, the field that is named, and a part of what is said of it.
BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("hold-time", peer(holdTime="2s"), "spec.holdTime", "must be 0 or at least 3 s, got 2 s"),
    ("hold-time-unit", peer(holdTime=90), "spec.holdTime", "must be a duration with its unit, such as 90s"),
    ("keepalive", peer(holdTime="9s", keepaliveTime="10s"), "spec.keepaliveTime", "must not be above holdTime (9s)"),
    ("connect-time", peer(connectTime="0s"), "spec.connectTime", "must be from 1s to 65535s"),
    ("port", peer(peerPort=70000), "spec.peerPort", "must be a whole number from 1 to 65535, got 70000"),
    ("asn", peer(peerASN=0), "spec.peerASN", "must be a whole number from 1 to 4294967295, got 0"),
    ("asn-as-text", peer(peerASN="65001"), "spec.peerASN", "write it without quotes: 65001"),
    ("two-asns", peer(dynamicASN="external"), "spec.dynamicASN", "must not be given together with peerASN"),
    ("dynamic-asn", {**peer(), "spec": {"peerAddress": "10.9.0.1", "dynamicASN": "any"}}, "spec.dynamicASN",
     "must be internal or external"),
    ("no-address", {**peer(), "spec": {"peerASN": 1}}, "spec.peerAddress", "is required"),
    ("address", peer(peerAddress="10.0.0.300"), "spec.peerAddress", "must be an IPv4 or IPv6 address"),
    ("multicast", peer(peerAddress="224.0.0.1"), "spec.peerAddress", "must be the address of one host"),
    ("source", peer(sourceAddress="2001:db8::1"), "spec.sourceAddress", "must be of the same family as peerAddress"),
    ("router-id", peer(routerID="0.0.0.0"), "spec.routerID", "must be written like an IPv4 address"),
    ("passive", peer(passive="yes"), "spec.passive", "must be true or false"),
    ("ttl", peer(ttlSecurity=255), "spec.ttlSecurity", "must be a whole number from 1 to 254"),
    ("ttl-and-multihop", peer(ttlSecurity=2, ebgpMultiHop=True), "spec.ttlSecurity", "together with ebgpMultiHop"),
    ("password", peer(password="x" * 81), "spec.password", "must be at most 80 octets, has 81"),
    ("passwords", peer(password="x", passwordSecret={"name": "s"}), "spec.passwordSecret", "together with password"),
    ("families", peer(families=["ipv5-unicast"]), "spec.families[0]", "must be ipv4-unicast or ipv6-unicast"),
    ("no-families", peer(families=[]), "spec.families", "must have at least one entry"),
    ("family-twice", peer(families=["ipv4-unicast", "ipv4-unicast"]), "spec.families", "has ipv4-unicast twice"),
    ("max-prefixes", peer(maxPrefixes=-1), "spec.maxPrefixes", "must be a whole number from 0"),
    ("import", peer(**{"import": "accept-all"}), "spec.import", "must be a list"),
    ("message", peer(shutdown=True, shutdownMessage="x" * 256), "spec.shutdownMessage", "must be at most 255 octets"),
    ("misspelt", peer(holdtime="9s"), "spec.holdtime", "is not a field that Herald knows; did you mean holdTime?"),
    ("vrf", peer(vrf="red"), "spec.vrf", "is not implemented by Herald"),
    ("selector", peer(nodeSelectors=[{"matchExpressions": [{"key": "a", "operator": "In"}]}]),
     "spec.nodeSelectors[0].matchExpressions[0].values", "must have at least one entry for In and NotIn"),
    ("spec-is-a-list", {**peer(), "spec": []}, "spec", "must be a mapping"),
    ("no-spec", {"apiVersion": H, "kind": "BGPPeer"}, "spec", "is required"),
    ("namespace", {**peer(), "metadata": {"namespace": "x"}}, "metadata.namespace", "must be left out"),
    ("label", {**peer(), "metadata": {"labels": {"a": 1}}}, "metadata.labels.a", "must be text; write it in quotes"),
    ("configuration-name", ours("BGPConfiguration", asn=65001), "metadata.name", "must be default, or node."),
    ("no-ranges", ours("IPAddressPool", addresses=[]), "spec.addresses", "must have at least one entry"),
    ("range", ours("IPAddressPool", addresses=["198.18.0.9-198.18.0.1"]), "spec.addresses[0]",
     "must be a range that begins with its lower address"),
    ("prefix", ours("IPAddressPool", addresses=["198.18.0.0/33"]), "spec.addresses[0]", "must be a prefix such as"),
    ("pool-overlap-itself", ours("IPAddressPool", addresses=["198.18.0.0/24", "198.18.0.9-198.18.0.10"]),
     "spec.addresses", "overlap"),
    ("pool-overlap", ours("IPAddressPool", addresses=["192.0.2.64/26"]), "spec.addresses[0]",
     "overlaps 192.0.2.0/24 of IPAddressPool/web"),
    ("priority", ours("IPAddressPool", addresses=["198.18.1.0/24"], serviceAllocation={"priority": -1}),
     "spec.serviceAllocation.priority", "must be a whole number from 0"),
    ("community", ours("Community", communities=[{"name": "x", "value": "65536:1"}]), "spec.communities[0].value",
     "must be a community such as"),
    ("alias", ours("Community", communities=[{"name": "a:b", "value": "1:2"}]), "spec.communities[0].name",
     'must not contain ":"'),
    ("aggregation", ours("BGPAdvertisement", aggregationLength=33), "spec.aggregationLength", "from 1 to 32, got 33"),
    ("aggregation-beyond", ours("BGPAdvertisement", ipAddressPools=["web"], aggregationLength=8),
     "spec.aggregationLength", "8 is shorter than any part of 192.0.2.0/24 in IPAddressPool/web"),
    ("aggregation-of-some", ours("BGPAdvertisement", aggregationLength=24, serviceSelectors=[{}]),
     "spec.serviceSelectors", "can only be used with aggregationLength 32"),
    ("prepend", ours("BGPAdvertisement", prepend=17), "spec.prepend", "must be a whole number from 0 to 16, got 17"),
    ("host-bits", ours("BGPAdvertisement", prefixes=["10.0.0.1/24"]), "spec.prefixes[0]", "did you mean 10.0.0.0/24?"),
    ("local-prefs", ours("BGPAdvertisement", ipAddressPools=["web"], localPref=200), "spec.localPref",
     "200 contradicts 100 of BGPAdvertisement/web"),
    ("action", rule(action="permit"), "spec.rules[0].action", "must be accept, reject or next"),
    ("no-action", rule(match={}), "spec.rules[0].action", "is required"),
    ("le", rule(action="accept", match={"prefixes": [{"cidr": "10.0.0.0/8", "ge": 24, "le": 16}]}),
     "spec.rules[0].match.prefixes[0].le", "must not be below ge (24), got 16"),
    ("set-and-reject", rule(action="reject", set={"med": 1}), "spec.rules[0].set", "means nothing in a rule"),
    ("interface", ours("L2Advertisement", interfaces=["a-very-long-interface"]), "spec.interfaces[0]",
     "must be the name of an interface"),
    ("weight", ours("L2Advertisement", preferredNodeSelectors=[{"weight": 101, "preference": {}}]),
     "spec.preferredNodeSelectors[0].weight", "must be a whole number from 1 to 100, got 101"),
    ("service-port", core("Service", spec={"ports": [{"port": 0}]}), "spec.ports[0].port", "from 1 to 65535, got 0"),
    ("service-families", core("Service", spec={"ipFamilies": ["IPv5"]}), "spec.ipFamilies[0]", "must be IPv4 or IPv6"),
    ("service-policy", core("Service", spec={"externalTrafficPolicy": "local"}), "spec.externalTrafficPolicy",
     "must be Cluster or Local"),
    ("endpoint", core("EndpointSlice", addressType="IPv4", endpoints=[{"addresses": ["x"]}]),
     "endpoints[0].addresses[0]", "must be an IPv4 or IPv6 address"),
    ("secret", core("Secret", data={"password": "not base64!"}), "data.password", "must be base64"),
]

def named(number: int, what: str, one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "metadata": {"name": f"bad-{number:02}-{what}", **one.get("metadata", {})}}


OBJECTS = [named(number, what, one) for number, (what, one, _, _) in enumerate(BAD)]


def title(one: dict[str, Any]) -> str:
    space = "default/" if one["kind"] in ("Service", "EndpointSlice", "Secret") else ""
    return f"{one['kind']}/{space}{one['metadata']['name']}"


@pytest.fixture
def world(tmp_path: Path) -> Any:
    with host(tmp_path) as one:
        yield one


def test_there_are_enough_kinds_of_mistakes() -> None:
    assert len({(one["kind"], field, said) for _, one, field, said in BAD}) >= 50


def test_a_speaker_runs_what_is_good_and_names_what_is_not(world: Host) -> None:
    good = router(65001, "10.0.0.1", "10.0.0.2", 65002, prefixes="198.51.100.0/24")
    # Bad ones before, between and behind the good ones.
    parts = [part.strip("\n") for part in re.split(r"^---$", good + SERVICE, flags=re.M) if part.strip()]
    bad = [json.dumps(one) for one in OBJECTS]
    # What two objects contradict each other in is the younger one's fault: in a file, the later one's.
    late = [text for text, (what, *_) in zip(bad, BAD) if what in ("pool-overlap", "aggregation-beyond", "local-prefs")]
    early = [text for text in bad if text not in late]
    mixed = early[: len(early) // 2] + [text for pair in zip(early[len(early) // 2 :], parts) for text in pair]
    mixed += parts[len(early) - len(early) // 2 :] + early[len(early) // 2 + len(parts) :] + late
    path = world.write("set.yaml", "\n---\n".join(mixed) + "\n")
    lines = path.read_text().splitlines()

    one = world.speaker("r1", "--resources", path)
    world.speaker("r2", "--resources", world.write("r2.yaml", router(65002, "10.0.0.2", "10.0.0.1", 65001)))

    def learned() -> bool:
        routes = {route["prefix"] for route in world.json("routes", "best", node="r2")["routes"]}
        assert {"198.51.100.0/24", "192.0.2.80/32"} <= routes, routes
        return True

    poll(learned, 30, what="what is good is announced")

    said = world.run("herald-speaker", "--node", "r1", "--check", "--resources", path, code=2).stdout.splitlines()
    status = world.json("status", node="r1")["problems"]
    log = one.log()
    for thing, (_, _, field, message) in zip(OBJECTS, BAD):
        mine = [line for line in said if f": {title(thing)} {field}: " in line]
        assert len(mine) == 1 and message in mine[0], (title(thing), field, message, mine)
        # The place is that of the object: every one stands on a line of its own.
        number = int(mine[0].removeprefix(f"{path}:").split(":")[0])
        assert json.loads(lines[number - 1]) == thing
        assert any(title(thing) in problem for problem in status), title(thing)
        assert title(thing) in log, title(thing)
    assert len(said) == len(BAD), [line for line in said if not any(title(thing) in line for thing in OBJECTS)]

    verdicts = world.json("services", node="r1")["services"]
    assert any(verdict["announced"] for service in verdicts for verdict in service["verdicts"])


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("herald")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))


PLURALS = {"IPAddressPool": "ipaddresspools", "Community": "communities", "EndpointSlice": "endpointslices"}


def post(world: Host, one: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
    """Code, body and warning."""
    root = "/api/v1" if one["apiVersion"] == "v1" else f"/apis/{one['apiVersion']}"
    space = "/namespaces/default" if one["kind"] in ("Service", "EndpointSlice", "Secret") else ""
    connection = UnixConnection(world.folder / "api.sock")
    plural = PLURALS.get(one["kind"], one["kind"].lower() + "s")
    connection.request("POST", f"{root}{space}/{plural}", json.dumps(one), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    warning = answer.headers.get("Warning", "")
    connection.close()
    return answer.status, body, warning


def test_the_api_refuses_each_with_its_causes_and_keeps_serving(world: Host) -> None:
    world.start("herald-controller", "--store", world.folder / "s.db", "--listen", f"unix:{world.folder}/api.sock")
    world.ctl("apply", "-f", "-", input=SERVICE)
    made = 1  # by SERVICE
    for number, (thing, (what, _, field, message)) in enumerate(zip(OBJECTS, BAD)):
        code, body, _ = post(world, thing)
        assert body["kind"] == "Status" and body["status"] == "Failure", (what, body)
        if what == "namespace":  # the path says it, and disagrees
            assert code in (400, 422), (what, body)
            continue
        assert (code, body["reason"]) == (422, "Invalid"), (what, code, body)
        assert body["details"]["name"] == thing["metadata"]["name"] and body["details"]["kind"] == thing["kind"]
        causes = {cause["field"]: cause["message"] for cause in body["details"]["causes"]}
        assert message in causes.get(field, ""), (what, causes)
        if number % 10 == 0:
            fine = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"fine-{number}"},
                    "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
            assert post(world, fine)[0] == 201
            made += 1

    def assigned() -> bool:
        items = world.json("get", "services")["items"]
        assert len(items) == made
        return all(item["status"]["loadBalancer"].get("ingress") for item in items)

    poll(assigned, what="services have addresses all the while")
    assert not [line for line in world.ctl("get", "all", "-o", "name").stdout.splitlines() if "bad-" in line]


def test_the_api_takes_what_waits_for_something_and_warns(world: Host) -> None:
    world.start("herald-controller", "--store", world.folder / "s.db", "--listen", f"unix:{world.folder}/api.sock")
    code, _, warning = post(world, {**peer(myASN=65001, **{"import": ["later"]}), "metadata": {"name": "tor"}})
    assert code == 201
    assert "spec.import: names BGPFilter/later, which is not there or is refused" in warning


@pytest.mark.parametrize(("body", "code"), [
    ("{", 400), ("[]", 400), ('"x"', 400), ("{}", 422), ('{"kind": "BGPPeer"}', 422),
    ('{"apiVersion": "herald.dev/v1", "kind": "BGPFilter", "metadata": {"name": "x"}}', 400),
    ('{"apiVersion": "herald.dev/v2", "kind": "BGPPeer", "metadata": {"name": "x"}}', 400),
    ("[" * 10000, 400), ('{"a": "\xff"}', 400),
])
def test_bodies_that_are_no_object_are_refused(world: Host, body: str, code: int) -> None:
    world.start("herald-controller", "--store", world.folder / "s.db", "--listen", f"unix:{world.folder}/api.sock")
    connection = UnixConnection(world.folder / "api.sock")
    connection.request("POST", "/apis/herald.dev/v1/bgppeers", body.encode("latin-1"),
                       {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = json.loads(answer.read())
    assert (answer.status, said["kind"], said["code"]) == (code, "Status", code), said
    assert said["message"]
    connection.close()
    assert world.ctl("get", "peers").stdout == "no bgppeers\n"
