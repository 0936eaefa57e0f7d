# SPDX-License-Identifier: Apache-2.0
"""The main job on one picture (deploy/containerlab/demo): a controller, three nodes, an FRR ToR, a LAN, a client.

                client
          eth1 /      \\ eth2
        tor (FRR, 65001)    \\
     eth1 eth2 eth3          \\
      |    |    |             |
      n1   n2   n3  (Herald, 65000; a web server on each)
      |    |    |             |
     ======== lan 192.168.50.0/24, fd00:50::/64 ========          api (controller) on the management network

   web      routed: 203.0.113.0/24, 2001:db8:113::/64, by BGP from every node with an endpoint
   printer  lan: 192.168.50.200-250, fd00:50::200-2ff, by ARP and NDP from one node
"""

import ipaddress
import time
from collections.abc import Iterator

import pytest

from integration import harness
from integration.harness import (
    Api,
    endpoints,
    established,
    fetch,
    frr_paths,
    frr_sessions,
    holds,
    mac_of,
    neighbour,
    poll,
    soon,
)
from tools.lab import Lab, LabError

NODES = ("n1", "n2", "n3")
PORTS = {"n1": "eth1", "n2": "eth2", "n3": "eth3"}  # of the ToR
POOLS = {
    "web": {4: "203.0.113.0/24", 6: "2001:db8:113::/64"},
    "printer": {4: "192.168.50.0/24", 6: "fd00:50::/64"},
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with harness.running("demo") as lab:
        api = Api(lab)
        for name in NODES:
            poll(lambda: established(lab.node(name), f"tor-{name}"), 30, what=f"{name} established with the ToR")
        api.run("apply", "-f", "/etc/herald/service.yaml")
        poll(lambda: whole(lab), 20, what="both services reachable")
        yield lab


@pytest.fixture
def api(lab: Lab) -> Api:
    return Api(lab)


def prefixes(api: Api, service: str) -> list[str]:
    addresses = api.addresses(service)
    return [f"{addresses[4]}/32", f"{addresses[6]}/128"]


def tor_has(lab: Lab, api: Api, service: str, *nodes: str) -> bool:
    for prefix in prefixes(api, service):
        found = frr_paths(lab.node("tor"), prefix)
        assert found == {PORTS[name] for name in nodes}, f"{prefix} over {found}"
    return True


def owner(lab: Lab, address: str) -> str:
    """The one node that answers for an address on the LAN."""
    found = harness.answering(lab, "eth2", [address], NODES)[address]
    assert found, f"{address} is answered by nobody"
    return found


def whole(lab: Lab) -> bool:
    api = Api(lab)
    tor_has(lab, api, "web", *NODES)
    for address in api.addresses("printer").values():
        owner(lab, address)
    return True


def test_each_service_has_one_address_of_each_family_from_its_pool(api: Api) -> None:
    for service, pools in POOLS.items():
        addresses = api.addresses(service)
        assert addresses.keys() == {4, 6}
        for family, pool in pools.items():
            assert ipaddress.ip_address(addresses[family]) in ipaddress.ip_network(pool)


def test_the_tor_has_three_equal_paths_with_our_community(lab: Lab, api: Api) -> None:
    assert tor_has(lab, api, "web", *NODES)
    for prefix in prefixes(api, "web"):
        family = "ipv6" if ":" in prefix else "ipv4"
        table = lab.node("tor").json(["vtysh", "-c", f"show bgp {family} unicast {prefix} json"])
        assert [path["community"]["string"] for path in table["paths"]] == ["65000:100"] * 3
        assert sum(1 for path in table["paths"] if path.get("multipath")) == 3


def test_a_lan_service_is_not_announced_by_bgp(lab: Lab, api: Api) -> None:
    assert tor_has(lab, api, "printer")


def test_a_client_behind_the_tor_is_answered_by_all_three_nodes(lab: Lab, api: Api) -> None:
    for address in api.addresses("web").values():
        assert {fetch(lab.node("client"), address) for _ in range(40)} == set(NODES)


def test_a_client_on_the_lan_is_answered_by_the_owner(lab: Lab, api: Api) -> None:
    for address in api.addresses("printer").values():
        poll(lambda: fetch(lab.node("client"), address) == owner(lab, address), 10, what=f"{address} by its owner")


def test_nodes_learn_the_clients_network_from_the_tor(lab: Lab) -> None:
    for name in NODES:
        for family, prefix in ((4, "172.16.99.0/24"), (6, "fd00:99::/64")):
            poll(lambda: prefix in harness.kernel_routes(lab.node(name), family), 10, what=f"{prefix} at {name}")


def test_a_node_without_a_ready_endpoint_withdraws(lab: Lab, api: Api) -> None:
    api.apply(*endpoints("web", {"n1": True, "n2": False, "n3": True}))
    try:
        poll(lambda: tor_has(lab, api, "web", "n1", "n3"), 5, what="the ToR without n2")
        assert {fetch(lab.node("client"), api.addresses("web")[4]) for _ in range(20)} == {"n1", "n3"}
        api.apply(*endpoints("web", {"n1": False, "n2": False, "n3": False}))
        poll(lambda: tor_has(lab, api, "web"), 5, what="the ToR without the service")
    finally:
        api.apply(*endpoints("web", {name: True for name in NODES}))
    poll(lambda: tor_has(lab, api, "web", *NODES), 5, what="all three back")


def test_a_controller_that_crashes_and_returns_withdraws_nothing(lab: Lab, api: Api) -> None:
    before = {service: api.addresses(service) for service in POOLS}
    sessions = frr_sessions(lab.node("tor"))
    answering = poll(lambda: {address: owner(lab, address) for address in before["printer"].values()}, 5)

    def announced() -> bool:
        for family, address in before["web"].items():
            assert frr_paths(lab.node("tor"), f"{address}/{32 if family == 4 else 128}") == set(PORTS.values())
        return True

    api.node.kill("herald-controller")
    try:
        # Longer than three missed heartbeats: nobody may conclude from a silent API that the nodes are dead.
        holds(announced, 6, what="the ToR's three paths while the controller is away")
        assert {address: owner(lab, address) for address in answering} == answering
    finally:
        api.node.start("herald-controller")
    poll(lambda: {service: api.addresses(service) for service in POOLS} == before, 15, what="the addresses of before")
    holds(announced, 4, what="the ToR's three paths after the controller is back")
    assert {address: owner(lab, address) for address in answering} == answering
    assert frr_sessions(lab.node("tor")) == sessions, "no session was reset"


def test_when_the_owner_dies_another_node_takes_its_address_and_the_client_follows(lab: Lab, api: Api) -> None:
    addresses = api.addresses("printer")
    client = lab.node("client")
    for address in addresses.values():
        poll(lambda: harness.pings(client, address), 5, what=f"{address} reached")
    owned_by = poll(lambda: {address: owner(lab, address) for address in addresses.values()}, 5)
    first = owned_by[addresses[4]]
    owned = [address for address, node in owned_by.items() if node == first]
    macs = {mac_of(lab.node(name), "eth2"): name for name in NODES}
    node = lab.node(first)
    node.kill("herald-speaker")
    node.link_down("eth2")  # a node that dies does not go on answering from its kernel
    died = time.monotonic()
    try:
        for address in owned:
            # The client asks nothing: what changes its table is the gratuitous announcement.
            moved = f"{address} moved in the client's table"
            poll(lambda: macs.get(neighbour(client, address), first) != first, 10, what=moved)
        assert soon(died, 8), "three heartbeats of a second, and some"
        for address in owned:
            assert poll(lambda: fetch(client, address), 5) != first
    finally:
        node.link_up("eth2")
        node.run(f"ip addr replace fd00:50::{10 + int(first[1])}/64 dev eth2")
        node.start("herald-speaker")
    poll(lambda: established(node, f"tor-{first}"), 30)
    poll(lambda: whole(lab), 20, what="one owner each, and three paths")


def test_a_killed_speaker_is_out_of_the_tors_group_at_once(lab: Lab, api: Api) -> None:
    n3, client, address = lab.node("n3"), lab.node("client"), api.addresses("web")[4]
    n3.kill("herald-speaker")
    died = time.monotonic()
    try:
        poll(lambda: tor_has(lab, api, "web", "n1", "n2"), 5, what="the ToR without n3")
        assert soon(died, 2)
        assert {fetch(client, address) for _ in range(20)} == {"n1", "n2"}
    finally:
        n3.start("herald-speaker")
    poll(lambda: tor_has(lab, api, "web", *NODES), 30, what="n3 back")


def test_a_deleted_service_is_withdrawn_and_its_address_unbound(lab: Lab, api: Api) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "passing", "labels": {"reach": "routed"}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }
    api.apply(service, *endpoints("passing", {name: True for name in NODES}))
    address = poll(lambda: api.addresses("passing"), 5)[4]
    poll(lambda: frr_paths(lab.node("tor"), f"{address}/32") == set(PORTS.values()), 5, what="announced by all")
    poll(lambda: f"{address}/32" in lab.node("n1").run("ip -br addr show dev lo").stdout, 5, what="bound")
    api.run("delete", "service", "passing")
    poll(lambda: not frr_paths(lab.node("tor"), f"{address}/32"), 5, what="withdrawn")
    poll(lambda: f"{address}/32" not in lab.node("n1").run("ip -br addr show dev lo").stdout, 5, what="unbound")
    for family in ("ipv4", "ipv6"):
        api.run("delete", "endpointslice", f"passing-{family}")


def test_explain_names_the_announcer_and_the_gate(lab: Lab, api: Api) -> None:
    address = api.addresses("printer")[4]

    def explained() -> bool:
        announcer = owner(lab, address)
        for name in NODES:
            text = lab.node(name).run(harness.ctl(lab.node(name), "explain", "service", "printer")).stdout
            assert address in text
            assert announcer in text, f"{name} does not say that {announcer} answers:\n{text}"
        return True

    poll(explained, 10, what="all nodes say who answers")


def test_the_api_refuses_a_wrong_token(lab: Lab) -> None:
    n1 = lab.node("n1")
    n1.path("/tmp/wrong").write_text("not-the-token\n")
    with pytest.raises(LabError, match="401|nauthorized"):
        n1.run(["heraldctl", "--server", "http://172.20.21.10:7480", "--token-file", "/tmp/wrong", "get", "service"])
