# SPDX-License-Identifier: Apache-2.0
"""What FRR's topics (docs/coverage.md) leave out: neighbours by node, messages out of place, communities that we send.

Herald between FRR and BIRD as in between.py. AS numbers are the tests' own."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from integration import harness
from integration.between import (
    BIRD,
    COMMON,
    FRR,
    HERALD,
    PLAIN,
    bgp_filter,
    bird,
    bird_attributes,
    exchanged,
    frr,
    frr_route,
    guests,
    own,
    peer,
    reload,
    resources,
    running,
    sessions,
)
from integration.harness import established, herald_best, herald_peers, poll
from integration.raw_speaker import OPEN, RANGE, UPDATE, answer, say, speaker
from tools.lab import Lab


def test_nodes_that_a_neighbour_selects_are_neighbours_as_long_as_their_labels_say_so(tmp_path) -> None:
    def node(name: str, address: str, rack: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"rack": rack}},
                "status": {"addresses": [{"type": "InternalIP", "address": address}]}}

    def herald(rack_of_frr: str) -> str:
        mesh = peer("mesh", 0, peerASN=None, peerAddress=None, dynamicASN="external",
                    peerSelectors=[{"matchLabels": {"rack": "a"}}])
        return resources({"asn": 65000}, node("herald", "10.0.2.254", "a"), node("frr", FRR, rack_of_frr),
                         node("bird", BIRD, "a"), mesh)

    with running(tmp_path, herald("a"), frr(65001, 65000, PLAIN), bird(65002, 65000, {COMMON: ""})) as lab:
        known = lambda: herald_peers(lab.node("herald"))  # noqa: E731
        poll(lambda: established(lab.node("herald"), "mesh/frr", "mesh/bird"), 30)
        assert known().keys() == {"mesh/frr", "mesh/bird"}, "not itself"
        poll(lambda: exchanged(lab), what="each route at the other end")
        before = sessions(lab)["mesh/bird"]
        reload(lab, tmp_path, herald("b"))
        poll(lambda: known().keys() == {"mesh/bird"}, what="FRR no neighbour any more")
        poll(lambda: not bird_attributes(lab.node("bird")), what="its route gone at BIRD")
        reload(lab, tmp_path, herald("a"))
        poll(lambda: established(lab.node("herald"), "mesh/frr") and exchanged(lab), 30, what="both again")
        assert sessions(lab)["mesh/bird"] == before


@pytest.mark.parametrize(("state", "kind", "body", "expected"), [
    ("OpenSent", UPDATE, "00000000", "5 1 02"),
    ("OpenConfirm", UPDATE, "00000000", "5 2 02"),
    ("Established", OPEN, "04 fdeb 005a 0a000211 00", "5 3 01"),
], ids=["OpenSent", "OpenConfirm", "Established"])
def test_a_message_out_of_place_is_answered_with_the_state_that_it_came_in(tmp_path, state: str, kind: int, body: str,
                                                                           expected: str) -> None:
    """RFC 6608 section 4: the subcode is the state, the data the type of the message."""
    herald = resources({"asn": 65000}, peer("frr", 65001), guests("raw", RANGE))
    with running(tmp_path, herald, frr(65001, 65000, PLAIN), bird(65002, 65000, {})) as lab:
        poll(lambda: established(lab.node("herald"), "frr"), 30)
        before = sessions(lab)["frr"]
        with speaker(lab, 17, state) as session:
            say(session, kind, body)
            assert answer(session) == expected
        assert sessions(lab)["frr"] == before


def test_link_bandwidth_that_a_filter_sets_is_seen_by_both(tmp_path) -> None:
    wide = bgp_filter("wide", {"action": "accept", "set": {"linkBandwidth": 1000}})  # Mbit/s
    herald = resources({"asn": 65000}, wide, own("192.0.2.0/24"), peer("frr", 65001, export=["wide"]),
                       peer("bird", 65002, export=["wide"]))
    narrow = "route-map narrow permit 10\n set extcommunity bandwidth 10\nexit"
    with running(tmp_path, herald, frr(65001, 65000, {"198.51.100.0/24": "narrow"}, global_lines=narrow),
                 bird(65002, 65000, {})) as lab:

        def at_frr() -> bool:
            shown = frr_route(lab.node("frr"), "192.0.2.0/24")["extendedCommunity"]["string"]
            assert shown == "LB:65000:125000000 (1.000 Gbps)", shown
            return True

        def at_bird() -> bool:
            # Sub-type 4, AS 65000, 125e6 octets a second as a float; on FRR's route in place of what FRR said.
            got = bird_attributes(lab.node("bird"))
            found = {prefix: one.get("ext_community") for prefix, one in got.items()}
            assert found == dict.fromkeys(("192.0.2.0/24", *PLAIN), f"(unknown 0x4, 65000, {0x4cee6b28})"), found
            return True

        poll(at_frr, 30, what="the bandwidth at FRR")
        poll(at_bird, 30, what="the bandwidth at BIRD")


def test_blackhole_is_told_of_a_route_of_ours_and_by_a_filter(tmp_path) -> None:
    ours, theirs = "192.0.2.1/32", "203.0.113.1/32"
    mark = bgp_filter("mark", {"action": "next", "match": {"prefixes": [{"cidr": theirs}]},
                               "set": {"addCommunities": ["65535:666"]}}, {"action": "accept"})
    advertisement = own(ours)
    advertisement["spec"]["communities"] = ["65535:666"]
    herald = resources({"asn": 65000}, mark, advertisement, peer("frr", 65001, export=["mark"]), peer("bird", 65002))
    with running(tmp_path, herald, frr(65001, 65000, {}), bird(65002, 65000, {theirs: "", COMMON: ""})) as lab:

        def told() -> bool:
            # FRR adds NO_EXPORT by itself.
            at_frr = {prefix: frr_route(lab.node("frr"), prefix).get("community", {}).get("list", [])
                      for prefix in (ours, theirs, COMMON)}
            assert "blackhole" in at_frr[ours] and "blackhole" in at_frr[theirs] and not at_frr[COMMON], at_frr
            at_bird = bird_attributes(lab.node("bird"))
            assert at_bird[ours]["community"] == "(65535,666)", at_bird
            return True

        poll(told, 30, what="BLACKHOLE at FRR and at BIRD")


@contextlib.contextmanager
def fed_by_exabgp(lab: Lab, attribute: str) -> Iterator[None]:
    """Within, ExaBGP on BIRD's node announces COMMON with an attribute: type, flags and value as it writes them."""
    far = lab.node("bird")
    far.run("ip addr add 10.0.2.17/24 dev eth1")
    far.path("/tmp/exabgp.conf").write_text(f"""
neighbor 10.0.2.254 {{
  router-id 10.0.2.17;
  local-address 10.0.2.17;
  local-as 65003;
  peer-as 65000;
  family {{ ipv4 unicast; }}
  announce {{ ipv4 {{ unicast {COMMON} next-hop 10.0.2.17 attribute [ {attribute} ]; }} }}
}}
""")
    with far.popen("env exabgp_daemon_user=root exabgp_api_cli=false exabgp /tmp/exabgp.conf") as feeder:
        try:
            poll(lambda: herald_best(lab.node("herald"))[COMMON]["peers"] == ["exabgp/10.0.2.17"], 30, what="its route")
            yield
        finally:
            feeder.kill()


def test_ipv6_extended_communities_are_passed_on(tmp_path) -> None:
    """RFC 5701. BIRD shows the octets of an attribute that it does not know."""
    target = "000220010db80000000000000000000000010007"  # type, sub-type, address, number
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002), guests("exabgp", RANGE))
    with running(tmp_path, herald, frr(65001, 65000, {}), bird(65002, 65000, {})) as lab:
        poll(lambda: established(lab.node("herald"), "frr", "bird"), 30)
        with fed_by_exabgp(lab, f"0x19 0xc0 0x{target}"):
            octets = " ".join(re.findall("..", target))

            def at_bird() -> bool:
                shown = lab.node("bird").run("birdc show route all protocol peer").stdout
                assert re.search(rf"BGP\.19.*: {octets}$", shown, re.MULTILINE), shown
                return True

            poll(at_bird, what="the community at BIRD")


@pytest.mark.parametrize(("attribute", "kind", "sent"), [
    ("0x08 0xe0 0xfdeb0064", 8, True),
    ("0x08 0xc0 0xfdeb0064", 8, False),
    ("0x63 0xc0 0x0102", 99, True),
], ids=["known-partial", "known", "unknown"])
def test_that_somebody_did_not_know_an_attribute_is_passed_on(tmp_path, attribute: str, kind: int, sent: bool) -> None:
    """RFC 4271 section 5: the Partial bit is never set back to 0, and is set on what this router does not know."""
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002), guests("exabgp", RANGE))
    with running(tmp_path, herald, frr(65001, 65000, {}), bird(65002, 65000, {})) as lab:
        node = lab.node("herald")
        poll(lambda: established(node, "frr", "bird"), 30)
        with harness.captured(node, "eth1", "tcp port 179"), fed_by_exabgp(lab, attribute):

            def on_the_wire() -> bool:
                words = ["-T", "fields", "-e", "bgp.update.path_attribute.type_code"]
                words += ["-e", "bgp.update.path_attribute.flags.partial"]
                seen = harness.tshark(node, f"ip.src == {HERALD} && bgp.update.path_attribute.type_code == {kind}", *words)
                types, partial = seen.split("\n")[0].split("\t")
                found = dict(zip(map(int, types.split(",")), partial.split(","), strict=True))
                assert found[kind] in (("1", "True") if sent else ("0", "False")), seen
                return True

            poll(on_the_wire, 15, what="the attribute on its way to FRR")
