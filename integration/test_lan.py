# SPDX-License-Identifier: Apache-2.0
"""Service IPs on one segment by ARP and NDP alone (deploy/containerlab/lan): ten services of both families.

      client   n1   n2   n3      (Herald; a web server on each)      api (controller) on the management network
        |      |    |    |
       ===================  lan 192.168.50.0/24, fd00:50::/64; services .200-.250 and ::200-::2ff
"""

import math
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from integration import harness
from integration.harness import Api, fetch, holds, mac_of, neighbour, owners, poll, soon
from tools.lab import Lab, Node

NODES = ("n1", "n2", "n3")
SERVICES = tuple(f"web{number}" for number in range(10))
HEARTBEAT = 0.3


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with harness.running("lan") as lab:
        poll(lambda: balanced(lab), 30, what="every address answered by one node, and every node with its share")
        yield lab


def addresses(lab: Lab) -> list[str]:
    api = Api(lab)
    return [address for service in SERVICES for address in api.addresses(service).values()]


def answering(lab: Lab) -> dict[str, str]:
    """address -> the one node that answers for it."""
    found = harness.answering(lab, "eth1", addresses(lab), NODES)
    assert all(found.values()), found
    return found


def balanced(lab: Lab) -> bool:
    """No node has so much more than its share that addresses are still to move to one that came later."""
    shares = Counter(answering(lab).values())
    assert set(shares) == set(NODES) and max(shares.values()) <= math.ceil(shares.total() / len(NODES)) + 1, shares
    return True


def test_owners_are_spread_over_the_nodes(lab: Lab) -> None:
    poll(lambda: set(answering(lab).values()) == set(NODES), 10, what="every node answers for some")


def test_both_families_are_served(lab: Lab) -> None:
    def served() -> bool:
        found = answering(lab)
        assert {address: fetch(lab.node("client"), address) for address in found} == found
        return {":" in address for address in found} == {True, False}

    poll(served, 10, what="every address served by who answers")


def test_a_unicast_probe_is_answered_too(lab: Lab) -> None:
    """What a kernel sends to confirm a neighbour it already knows."""
    client = lab.node("client")
    address = next(address for address in poll(lambda: answering(lab), 10) if ":" not in address)
    # iputils' arping broadcasts once and then asks the one who answered.
    text = client.run(["arping", "-c", "3", "-w", "4", "-I", "eth1", address]).stdout
    assert "Received 3 response" in text, text


def test_nobody_answers_for_an_address_that_no_service_has(lab: Lab) -> None:
    unused = ["192.168.50.250", "fd00:50::2ff"]
    assert owners(lab.node("client"), "eth1", unused) == {address: set() for address in unused}


def test_a_dead_nodes_addresses_move_and_all_others_stay(lab: Lab) -> None:
    client = lab.node("client")
    before = poll(lambda: answering(lab), 10)
    dead = "n2"
    moving = [address for address, node in before.items() if node == dead]
    for address in moving:
        poll(lambda: harness.pings(client, address), 5, what=f"{address} reached")
    by_mac = {mac_of(lab.node(name), "eth1"): name for name in NODES}
    lab.node(dead).kill("herald-speaker")
    lab.link_down(dead, "eth1")
    died = time.monotonic()
    try:
        for address in moving:
            moved = f"{address} moved in the client's table"
            poll(lambda: by_mac.get(neighbour(client, address), dead) != dead, 10, what=moved)
        assert soon(died, 3 * HEARTBEAT + 3)
        after = poll(lambda: answering(lab), 5)
        assert {address: node for address, node in after.items() if address not in moving} == {
            address: node for address, node in before.items() if address not in moving
        }, "an address whose owner lives does not move"
        assert {after[address] for address in moving} <= {"n1", "n3"}
    finally:
        lab.link_up(dead, "eth1")
        lab.node(dead).run("ip addr replace fd00:50::12/64 dev eth1")
        lab.node(dead).start("herald-speaker")
    poll(lambda: balanced(lab), 20, what="one owner each, and every node with its share")


def test_a_node_without_carrier_gives_its_addresses_up(lab: Lab) -> None:
    """Its speaker lives and still reaches the API: only the link is gone."""
    before = poll(lambda: answering(lab), 10)
    cut = before[next(iter(before))]
    lab.node("switch").link_down(cut)
    try:
        moved = poll(lambda: cut not in answering(lab).values() and answering(lab), 10, what=f"nothing on {cut}")
        assert {address: node for address, node in moved.items() if before[address] != cut} == {
            address: node for address, node in before.items() if node != cut
        }
    finally:
        lab.node("switch").link_up(cut)
    poll(lambda: balanced(lab), 20, what="one owner each, and every node with its share")


def test_two_speakers_never_answer_for_one_address_while_a_node_returns(lab: Lab) -> None:
    poll(lambda: len(answering(lab)) == 2 * len(SERVICES), 20)
    lab.node("n1").kill("herald-speaker")
    poll(lambda: "n1" not in answering(lab).values(), 10, what="n1 owns nothing")
    lab.node("n1").start("herald-speaker")
    holds(lambda: len(answering(lab)) == 2 * len(SERVICES), 5, what="exactly one owner of every address")


def test_a_service_without_endpoints_is_answered_by_nobody(lab: Lab) -> None:
    api = Api(lab)
    addresses_of = api.addresses("web0")
    api.apply(*harness.endpoints("web0", {name: False for name in NODES}))
    try:
        silent = {address: set() for address in addresses_of.values()}
        poll(lambda: owners(lab.node("client"), "eth1", silent) == silent, 5, what=f"nobody answers for {list(silent)}")
    finally:
        api.apply(*harness.endpoints("web0", {name: True for name in NODES}))
    poll(lambda: len(answering(lab)) == 2 * len(SERVICES), 10, what="one owner each")


def announced(client: Node) -> bool:
    """What was captured has both forms of gratuitous ARP, and unsolicited neighbour advertisements."""
    gratuitous = harness.tshark(client, "arp.isgratuitous", "-T", "fields", "-e", "arp.opcode")
    assert set(gratuitous.split()) == {"1", "2"}, gratuitous
    return bool(harness.tshark(client, "icmpv6.type == 136 && icmpv6.nd.na.flag.o == 1 && ipv6.dst == ff02::1"))


def test_tshark_finds_nothing_wrong_with_our_arp_and_ndp(lab: Lab) -> None:
    client = lab.node("client")
    with harness.captured(client, "eth1", "arp or icmp6"):
        victim = poll(lambda: answering(lab)[addresses(lab)[0]], 10)
        lab.node(victim).kill("herald-speaker")
        poll(lambda: victim not in answering(lab).values(), 10)
        lab.node(victim).start("herald-speaker")
        poll(lambda: announced(client), 20, what="all forms of announcements in the capture")
    from_nodes = " || ".join(f"eth.src == {mac_of(lab.node(name), 'eth1')}" for name in NODES)
    # A gratuitous reply says the same MAC twice by design; tshark notes duplicates as a warning of its own.
    severe = "_ws.expert.severity >= 0x600000 && !arp.duplicate-address-detected"
    assert harness.tshark(client, f"({from_nodes}) && (_ws.malformed || ({severe}))") == ""
    poll(lambda: len(answering(lab)) == 2 * len(SERVICES), 20)
