# SPDX-License-Identifier: Apache-2.0
"""Herald as a plain eBGP router from one file (deploy/containerlab/router), both families on one session each.

    198.51.100.0/24                                                         203.0.113.0/24
    2001:db8:feed::/48                                                      2001:db8:beef::/48
      frr (65001) --eth1-------eth1-- r1 (Herald, 65000) --eth2-------eth1-- gobgp (65002)
              10.0.1.1     10.0.1.2                    10.0.2.2     10.0.2.1
              passive end: r1                          passive end: gobgp
"""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration import harness
from integration.bgp_peers import GoBgp, Session, Side
from integration.harness import configure_frr, established, frr_sessions, gateways, herald_best, holds, kernel_routes, poll
from tools.lab import Lab

FROM_FRR = {4: ("198.51.100.0/24", "10.0.1.1"), 6: ("2001:db8:feed::/48", "2001:db8:1::1")}
FROM_GOBGP = {4: ("203.0.113.0/24", "10.0.2.1"), 6: ("2001:db8:beef::/48", "2001:db8:2::1")}
GOBGP_SIDE = Session(Side(65002, "10.0.2.1", "2001:db8:2::1"), Side(65000, "10.0.2.2", "2001:db8:2::2"), passive=True)
PROTOCOL = "201"  # Herald's number in the kernel
WARNING = 0x600000  # tshark's severity


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with harness.running("router") as lab:
        poll(lambda: established(lab.node("r1"), "frr", "gobgp"), 30, what="r1 established with both")
        poll(lambda: complete(lab), 15, what="all four prefixes in r1's kernel")
        yield lab


def complete(lab: Lab) -> bool:
    for family in (4, 6):
        routes = kernel_routes(lab.node("r1"), family)
        for prefix, hop in (FROM_FRR[family], FROM_GOBGP[family]):
            assert prefix in routes, f"{prefix} is not in the kernel: {sorted(routes)}"
            assert gateways(routes[prefix]) == {hop}, routes[prefix]
    return True


def test_learned_routes_are_in_the_table_and_in_the_kernel_as_configured(lab: Lab) -> None:
    best = herald_best(lab.node("r1"))
    for family in (4, 6):
        routes = kernel_routes(lab.node("r1"), family)
        for prefix, hop in (FROM_FRR[family], FROM_GOBGP[family]):
            assert best[prefix]["nextHops"] == [hop]
            assert (str(routes[prefix]["protocol"]), routes[prefix]["metric"]) == (PROTOCOL, 20)
            assert "nhid" in routes[prefix], "routes point to nexthop objects"


def test_each_neighbour_learns_the_others_routes_with_our_as_and_next_hop(lab: Lab) -> None:
    def at_gobgp() -> bool:
        received = GoBgp().received(lab.node("gobgp"), GOBGP_SIDE)
        assert received[FROM_FRR[4][0]] == ([65000, 65001], "10.0.2.2")
        assert received[FROM_FRR[6][0]] == ([65000, 65001], "2001:db8:2::2")
        return True

    poll(at_gobgp, 10, what="FRR's routes at GoBGP")
    for family in (4, 6):
        assert poll(lambda: harness.frr_paths(lab.node("frr"), FROM_GOBGP[family][0]), 10) == {"eth1"}
        name = "ipv4" if family == 4 else "ipv6"
        table = lab.node("frr").json(["vtysh", "-c", f"show bgp {name} unicast {FROM_GOBGP[family][0]} json"])
        assert table["paths"][0]["aspath"]["string"] == "65000 65002"


def test_packets_cross_the_router_in_both_families(lab: Lab) -> None:
    frr = lab.node("frr")
    poll(lambda: frr.run("ping -c1 -W1 -I 198.51.100.1 203.0.113.1"), 10, what="203.0.113.1 reached")
    poll(lambda: frr.run("ping -c1 -W1 -I 2001:db8:feed::1 2001:db8:beef::1"), 10, what="2001:db8:beef::1 reached")


def test_a_withdrawn_prefix_leaves_the_kernel_and_the_other_neighbour(lab: Lab) -> None:
    prefix = FROM_FRR[4][0]
    configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", f"no network {prefix}")
    poll(lambda: prefix not in kernel_routes(lab.node("r1"), 4), 5, what=f"{prefix} out of r1's kernel")
    poll(lambda: prefix not in GoBgp().received(lab.node("gobgp"), GOBGP_SIDE), 5, what=f"{prefix} out of GoBGP")
    assert FROM_FRR[6][0] in kernel_routes(lab.node("r1"), 6), "the other family stays"
    configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", f"network {prefix}")
    poll(lambda: complete(lab), 10, what="the prefix back")


def test_a_link_that_goes_takes_its_routes_along_and_brings_them_back(lab: Lab) -> None:
    lab.link_down("r1", "eth2")
    for family in (4, 6):
        poll(lambda: FROM_GOBGP[family][0] not in kernel_routes(lab.node("r1"), family), 5, what="GoBGP's routes gone")
    poll(lambda: not harness.frr_paths(lab.node("frr"), FROM_GOBGP[4][0]), 15, what="FRR told")
    assert FROM_FRR[4][0] in kernel_routes(lab.node("r1"), 4)
    # Taking an interface down has removed its IPv6 address; the lab set it, so the lab puts it back.
    lab.link_up("r1", "eth2")
    lab.node("r1").run("ip addr replace 2001:db8:2::2/64 dev eth2")
    poll(lambda: complete(lab), 60, what="all routes back")


def test_a_reload_without_a_change_keeps_the_sessions(lab: Lab) -> None:
    frr = lab.node("frr")
    before = frr_sessions(frr)
    assert before["10.0.1.2"][0] == "Established"
    lab.node("r1").kill("herald-speaker", signal.SIGHUP)
    holds(lambda: frr_sessions(frr) == before and complete(lab), 2, what="the session of before")


def test_a_resource_file_that_is_broken_or_gone_changes_nothing(lab: Lab) -> None:
    frr, r1 = lab.node("frr"), lab.node("r1")
    command = r1.record.processes["herald-speaker"].argv
    good = r1.path("/etc/herald/router.yaml").read_text()
    file = r1.path("/tmp/resources.yaml")
    file.write_text(good)
    r1.stop("herald-speaker")
    r1.start("herald-speaker", [word.replace("/etc/herald/router.yaml", "/tmp/resources.yaml") for word in command])
    try:
        poll(lambda: established(r1, "frr", "gobgp") and complete(lab), 60, what="up with its own file")
        before = frr_sessions(frr)
        with harness.watched_routes(r1) as changes:
            for broken in (good[: len(good) // 2] + "\n  - ]: {", None):
                file.unlink() if broken is None else file.write_text(broken)
                said = len(r1.log("herald-speaker"))
                r1.kill("herald-speaker", signal.SIGHUP)
                poll(lambda: "resources.yaml" in r1.log("herald-speaker")[said:], 5, what="it says what is wrong")
                holds(lambda: frr_sessions(frr) == before and complete(lab), 1, what="everything as before")
            assert changes() == []
        file.write_text(good.replace("export: [accept-all]", "export: [reject-all]"))
        r1.kill("herald-speaker", signal.SIGHUP)
        poll(lambda: not harness.frr_paths(frr, FROM_GOBGP[4][0]), 10, what="the mended file is followed")
        assert frr_sessions(frr) == before
    finally:
        r1.kill("herald-speaker")
        r1.start("herald-speaker", command)
    poll(lambda: established(r1, "frr", "gobgp") and complete(lab), 60, what="back")


def test_after_a_crash_the_kernel_routes_are_adopted_without_a_flap(lab: Lab) -> None:
    r1 = lab.node("r1")
    with harness.watched_routes(r1) as changes:
        r1.kill("herald-speaker")
        assert complete(lab), "what was learned stays in the kernel"
        r1.start("herald-speaker")
        poll(lambda: established(r1, "frr", "gobgp"), 30, what="established again")
        poll(lambda: complete(lab), 15)
        poll(lambda: FROM_FRR[4][0] in herald_best(r1) and FROM_GOBGP[6][0] in herald_best(r1), 15)
        seen = changes()
    ours = [prefix for routes in (FROM_FRR, FROM_GOBGP) for prefix, _ in routes.values()]
    assert not [line for line in seen if "Deleted" in line and any(prefix in line for prefix in ours)], seen


def test_leaving_in_order_tells_the_neighbours_and_removes_only_our_routes(lab: Lab) -> None:
    r1 = lab.node("r1")
    r1.run("ip route add 192.0.2.0/24 via 10.0.2.1 proto static")
    r1.run("ip route add 203.0.113.0/24 via 10.0.2.1 metric 500 proto static")
    try:
        assert r1.stop("herald-speaker") == 0
        for family in (4, 6):
            assert not [route for route in kernel_routes(r1, family).values() if str(route["protocol"]) == PROTOCOL]
        assert {"192.0.2.0/24", "203.0.113.0/24"} <= kernel_routes(r1, 4).keys()

        def told() -> bool:
            neighbour = lab.node("frr").json(["vtysh", "-c", "show bgp neighbors 10.0.1.2 json"])["10.0.1.2"]
            reason = neighbour["lastNotificationReason"]
            assert reason == "Cease/Administrative Shutdown", reason
            return frr_sessions(lab.node("frr"))["10.0.1.2"][0] != "Established"

        poll(told, 5, what="FRR told")
    finally:
        r1.run("ip route del 192.0.2.0/24")
        r1.run("ip route del 203.0.113.0/24 metric 500")
        if not r1.running("herald-speaker"):
            r1.start("herald-speaker")
    poll(lambda: established(r1, "frr", "gobgp"), 30)
    poll(lambda: complete(lab), 15)


def test_cleanup_removes_everything_of_ours(lab: Lab) -> None:
    r1 = lab.node("r1")
    r1.kill("herald-speaker")
    r1.run("herald-speaker --cleanup")
    for family in (4, 6):
        assert not [route for route in kernel_routes(r1, family).values() if str(route["protocol"]) == PROTOCOL]
    assert not [entry for entry in r1.json("ip -N -json nexthop show") if str(entry.get("protocol")) == PROTOCOL]
    r1.start("herald-speaker")
    poll(lambda: established(r1, "frr", "gobgp"), 30)
    poll(lambda: complete(lab), 15)


def test_tshark_finds_nothing_wrong_with_what_we_send(lab: Lab) -> None:
    """From the first SYN to the Cease: OPEN, KEEPALIVE, UPDATE of both families with and without routes, End-of-RIB,
    ROUTE-REFRESH and its marks, NOTIFICATION."""
    frr, r1 = lab.node("frr"), lab.node("r1")
    command = r1.record.processes["herald-speaker"].argv
    resources = r1.path("/etc/herald/router.yaml").read_text()
    picky = "apiVersion: herald.dev/v1\nkind: BGPFilter\nmetadata: {name: all}\nspec: {rules: [{action: accept}]}\n"
    ours = r1.path("/tmp/router.yaml")
    ours.write_text(f"{picky}---\n{resources}")
    r1.stop("herald-speaker")
    with harness.captured(frr, "eth1", "tcp port 179") as packets:
        r1.start("herald-speaker", [word.replace("/etc/herald/router.yaml", "/tmp/router.yaml") for word in command])
        poll(lambda: established(r1, "frr", "gobgp"), 60)
        poll(lambda: complete(lab), 15)
        poll(lambda: all(harness.frr_paths(frr, FROM_GOBGP[family][0]) for family in (4, 6)), 10, what="announced")
        lab.node("frr").run(["vtysh", "-c", "clear bgp * soft in"])
        poll(lambda: messages(packets, 5) >= 2, 10, what="the marks of a refresh, or FRR's request for one")
        # Another import filter asks FRR for its routes again; another export filter takes ours back.
        ours.write_text(f"{picky}---\n{resources.replace('import: [accept-all]', 'import: [all]')}")
        refreshes = messages(packets, 5)
        r1.kill("herald-speaker", signal.SIGHUP)
        poll(lambda: messages(packets, 5) >= refreshes + 2, 10, what="a ROUTE-REFRESH for each family")
        ours.write_text(f"{picky}---\n{resources.replace('export: [accept-all]', 'export: [reject-all]')}")
        r1.kill("herald-speaker", signal.SIGHUP)
        poll(lambda: not any(harness.frr_paths(frr, FROM_GOBGP[family][0]) for family in (4, 6)), 10, what="withdrawn")
        r1.stop("herald-speaker")
        poll(lambda: messages(packets, 3), 10, what="the NOTIFICATION in the capture")
    r1.start("herald-speaker", command)
    ours = "ip.src == 10.0.1.2 && bgp"
    as_json = ["-T", "json", "--no-duplicate-keys", "-J", "bgp _ws.expert _ws.malformed"]
    layers = [packet["_source"]["layers"] for packet in json.loads(harness.tshark(frr, ours, *as_json))]
    kinds = {kind for packet in layers for kind in values_of(packet, "bgp.type")}
    assert kinds == {"1", "2", "3", "4", "5"}, f"not every type of message was sent: {kinds}"
    paths = {path for packet in layers for path in values_of(packet, "bgp.update.path_attribute.type_code")}
    assert {"14", "15"} <= paths, "IPv6 was announced and withdrawn"
    assert any(length != "0" for packet in layers for length in values_of(packet, "bgp.update.withdrawn_routes.length"))
    assert [packet for packet in layers if "_ws.malformed" in packet] == []
    severe = [int(severity, 0) for packet in layers for severity in values_of(packet, "_ws.expert.severity")]
    assert [severity for severity in severe if severity >= WARNING] == [], layers
    poll(lambda: established(r1, "frr", "gobgp"), 60)


def messages(capture: Path, kind: int) -> int:
    """How many BGP messages of a type a capture has, in both directions."""
    return len(re.findall(rb"\xff{16}..%c" % kind, capture.read_bytes(), re.DOTALL))


def values_of(tree: object, key: str) -> list[str]:
    """Every value that tshark's JSON has under a key, at any depth."""
    if isinstance(tree, list):
        return [value for item in tree for value in values_of(item, key)]
    if not isinstance(tree, dict):
        return []
    own = tree.get(key, [])
    here = [value for value in (own if isinstance(own, list) else [own]) if isinstance(value, str)]
    return here + [value for below in tree.values() for value in values_of(below, key)]
