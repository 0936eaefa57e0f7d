# SPDX-License-Identifier: Apache-2.0
"""Three nodes on two ToRs of two makes (deploy/containerlab/dual-tor); resources from a file, no controller.

                   client  198.51.100.1, 2001:db8:99::1
              eth1 /    \\ eth2
          eth9    /      \\    eth9
   tor1 (FRR, 65001)    tor2 (BIRD, 65002)
     eth1 eth2 eth3       eth1 eth2 eth3
        \\   \\    \\          /    /    /
         to eth1 of each     to eth2 of each
          n1      n2      n3   (Herald, 65000), each serves 203.0.113.80 and 2001:db8:113::80
"""

import functools
import re
from collections.abc import Iterator

import pytest

from integration import harness
from integration.harness import configure_frr, established, fetch, frr_paths, gateways, holds, kernel_routes, poll
from tools.lab import Lab

ANYCAST = {4: "203.0.113.80/32", 6: "2001:db8:113::80/128"}
CLIENT = {4: "198.51.100.1/32", 6: "2001:db8:99::1/128"}
NODES = ("n1", "n2", "n3")
ALL_PORTS = {"eth1", "eth2", "eth3"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with harness.running("dual-tor") as lab:
        poll(lambda: whole(lab), 40, what="all sessions up and all paths in use")
        yield lab


def whole(lab: Lab) -> bool:
    for number, name in enumerate(NODES, 1):
        established(lab.node(name), f"tor1-{name}", f"tor2-{name}")
        for family in (4, 6):
            assert gateways(kernel_routes(lab.node(name), family)[CLIENT[family]]) == tor_addresses(number, family)
    for family in (4, 6):
        assert frr_paths(lab.node("tor1"), ANYCAST[family]) == ALL_PORTS
        assert bird_paths(lab, family) == ALL_PORTS
    return True


def tor_addresses(number: int, family: int) -> set[str]:
    if family == 4:
        return {f"10.1.{number}.1", f"10.2.{number}.1"}
    return {f"fd00:1:{number}::1", f"fd00:2:{number}::1"}


def bird_paths(lab: Lab, family: int) -> set[str]:
    """Interfaces over which tor2's kernel reaches the anycast address."""
    route = kernel_routes(lab.node("tor2"), family).get(ANYCAST[family], {"hops": []})
    return {interface for _, interface in route["hops"]}


def answers(lab: Lab, address: str, requests: int = 40) -> set[str]:
    return {fetch(lab.node("client"), address) for _ in range(requests)}


def test_routes_from_both_tors_are_one_group_in_the_kernel(lab: Lab) -> None:
    for name in NODES:
        for family in (4, 6):
            route = kernel_routes(lab.node(name), family)[CLIENT[family]]
            assert len(route["hops"]) == 2 and "nhid" in route, route
            assert len(harness.herald_best(lab.node(name))[CLIENT[family]]["nextHops"]) == 2


def test_one_client_is_answered_by_all_three_nodes(lab: Lab) -> None:
    assert answers(lab, "203.0.113.80") == set(NODES)
    assert answers(lab, "2001:db8:113::80") == set(NODES)


def test_a_killed_speaker_leaves_the_paths_of_both_tors(lab: Lab) -> None:
    n2 = lab.node("n2")
    n2.kill("herald-speaker")
    try:
        for family in (4, 6):
            poll(lambda: frr_paths(lab.node("tor1"), ANYCAST[family]) == {"eth1", "eth3"}, 5, what="tor1 without n2")
            poll(lambda: bird_paths(lab, family) == {"eth1", "eth3"}, 5, what="tor2 without n2")
        assert answers(lab, "203.0.113.80") == {"n1", "n3"}
        assert gateways(kernel_routes(n2, 4)[CLIENT[4]]) == tor_addresses(2, 4), "what n2 had learned stays"
    finally:
        n2.start("herald-speaker")
    poll(lambda: whole(lab), 40, what="n2 back")


def test_a_tor_that_closes_its_sessions_takes_nothing_of_the_other_along(lab: Lab) -> None:
    """FRR sends Cease/Administrative Shutdown to all three."""
    tor1 = lab.node("tor1")
    configure_frr(tor1, "router bgp 65001", "neighbor nodes shutdown")
    try:
        for number, name in enumerate(NODES, 1):
            for family in (4, 6):
                left = {hop for hop in tor_addresses(number, family) if hop.startswith(("10.2.", "fd00:2:"))}
                routes = functools.partial(kernel_routes, lab.node(name), family)
                poll(lambda: gateways(routes()[CLIENT[family]]) == left, 5, what=f"{name} by tor2 alone")
            holds(lambda: established(lab.node(name), f"tor2-{name}"), 0.5)
    finally:
        configure_frr(tor1, "router bgp 65001", "no neighbor nodes shutdown")
    poll(lambda: whole(lab), 40, what="tor1 back")


def test_a_cut_link_moves_one_nodes_traffic_to_its_other_tor(lab: Lab) -> None:
    # As a router has it: otherwise the kernel drops the interface's IPv6 addresses when it goes down, and BIRD refuses
    # for good what comes before somebody has put them back.
    lab.node("tor2").run("sysctl -qw net.ipv6.conf.eth1.keep_addr_on_down=1 net.ipv6.conf.eth1.accept_dad=0")
    lab.link_down("tor2", "eth1")
    try:
        poll(lambda: gateways(kernel_routes(lab.node("n1"), 4)[CLIENT[4]]) == {"10.1.1.1"}, 15, what="n1 by tor1 alone")
        poll(lambda: bird_paths(lab, 4) == {"eth2", "eth3"}, 15, what="tor2 without n1")
        assert frr_paths(lab.node("tor1"), ANYCAST[4]) == ALL_PORTS
        assert gateways(kernel_routes(lab.node("n2"), 4)[CLIENT[4]]) == tor_addresses(2, 4)
    finally:
        lab.link_up("tor2", "eth1")
        poll(lambda: lab.node("n1").run("ping -c1 -W1 fd00:2:1::1"), 10)
    poll(lambda: whole(lab), 60, what="the link's paths back")


def test_birds_view_of_a_node_has_its_as_and_both_next_hops(lab: Lab) -> None:
    text = lab.node("tor2").run("birdc show route all protocol n3").stdout
    assert re.findall(r"BGP\.as_path: (.*)", text) == ["65000", "65000"]
    assert {hop.split()[0] for hop in re.findall(r"BGP\.next_hop: (.*)", text)} == {"10.2.3.2", "fd00:2:3::2"}
