# SPDX-License-Identifier: Apache-2.0
"""FRR's topics (docs/coverage.md): filters, AS numbers, next hops, limits, communities, and routes of our own.

Herald between FRR and BIRD as in between.py. AS numbers are the tests' own."""

import re
from typing import Any

import pytest

from integration.between import (
    BIRD,
    COMMON,
    FRR,
    HERALD,
    OTHER,
    PLAIN,
    TAKES_IPV6,
    announce,
    bgp_filter,
    bird,
    bird_attributes,
    bird_says,
    exchanged,
    frr,
    frr_path,
    frr_route,
    ipv6,
    neighbour,
    own,
    peer,
    reload,
    resources,
    running,
    sessions,
    told_to_frr,
    up,
)
from integration.harness import configure_frr, ctl, established, herald_best, herald_peers, kernel_routes, poll


# --- policy


def test_nothing_comes_in_and_nothing_learned_goes_out_without_a_policy(tmp_path) -> None:
    def herald(**policy: Any) -> str:
        return resources({"asn": 65000}, own("192.0.2.0/24"), peer("frr", 65001, **policy),
                         peer("bird", 65002, **policy))

    with running(tmp_path, herald(**{"import": None, "export": None, "keepRejected": True}), frr(65001, 65000, PLAIN),
                 bird(65002, 65000, {COMMON: ""})) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        for name, prefix in (("frr", "198.51.100.0/24"), ("bird", COMMON)):

            def refused(name: str = name, prefix: str = prefix) -> bool:
                heard = node.json(ctl(node, "routes", "in", "--peer", name, "-o", "json"))["routes"]
                return {each["prefix"]: each for each in heard}[prefix]["rejected"]

            poll(refused, what=f"the route of {name} heard")
        assert herald_best(node).keys() == {"192.0.2.0/24"}
        reload(lab, tmp_path, herald(export=None))
        poll(lambda: herald_best(node).keys() == {"192.0.2.0/24", *PLAIN, COMMON}, what="let in")
        poll(lambda: told_to_frr(lab).keys() == {"192.0.2.0/24"} == bird_attributes(lab.node("bird")).keys(),
             what="its own, and nothing learned")
        explained = node.json(ctl(node, "explain", "route", COMMON, "-o", "json"))["exports"]
        assert {each["peer"]: each["reason"] for each in explained}["frr"] == \
            "no export filter: learned routes are not announced", explained


def test_rules_tell_routes_apart_by_each_of_their_conditions(tmp_path) -> None:
    matches: list[dict[str, Any]] = [
        {"prefixes": [{"cidr": "198.51.100.0/24", "ge": 26, "le": 28}]},
        {"notPrefixes": [{"cidr": "198.51.0.0/16", "le": 32}]},
        {"prefixes": [{"cidr": "0.0.0.0/0", "le": 32}]},
        {"family": "ipv6-unicast"},
        {"med": 30},
        {"origin": "incomplete"},
        {"asPathContains": [64700]},
        {"originAS": [64701]},
        {"neighborAS": [65001]},
        {"asPathMinLength": 2},
        {"asPathMaxLength": 1},
        {"nextHops": ["10.0.1.0/24"]},
        {"peers": ["frr"]},
        {"peers": ["bird"]},
        {"peerType": "internal"},
        {"communities": ["ro:65001:*"]},
        {"localPref": 300},
    ]
    rules = [{"name": "prefer", "action": "next", "match": {"communities": ["large:65001:*:*"]},
              "set": {"localPref": 300}}]
    rules += [{"name": f"rule {number}", "action": "next", "match": match,
               "set": {"addCommunities": [f"65000:{number}"]}} for number, match in enumerate(matches)]
    herald = resources({"asn": 65000}, bgp_filter("tell", *rules, {"name": "rest", "action": "accept"}),
                       peer("frr", 65001, **{"import": ["tell"]}), peer("bird", 65002))
    maps = ("route-map med permit 10\n set metric 30\n set origin incomplete\nexit\n"
            "route-map path permit 10\n set as-path prepend 64700 64701\nexit\n"
            "route-map communities permit 10\n set large-community 65001:1:1\n set extcommunity soo 65001:8\nexit")
    networks = {"198.51.100.0/24": "", "198.51.100.0/26": "", "198.51.100.64/28": "med", "198.51.100.96/29": "path",
                "192.0.2.0/24": "communities"}
    expected = {"198.51.100.0/24": {2, 8, 10, 11, 12}, "198.51.100.0/26": {0, 2, 8, 10, 11, 12},
                "198.51.100.64/28": {0, 2, 4, 5, 8, 10, 11, 12}, "198.51.100.96/29": {2, 6, 7, 8, 9, 11, 12},
                "192.0.2.0/24": {1, 2, 8, 10, 11, 12, 15, 16}, "2001:db8:100::/48": {1, 3, 8, 10, 12}}
    with running(tmp_path, herald, frr(65001, 65000, networks, *ipv6("2001:db8:100::/48"), global_lines=maps),
                 bird(65002, 65000, {}, options=TAKES_IPV6)) as lab:
        poll(lambda: up(lab), 30)

        def told_apart() -> bool:
            got = bird_attributes(lab.node("bird"))
            found = {prefix: {int(number) for number in re.findall(r"\(65000,(\d+)\)", one.get("community", ""))}
                     for prefix, one in got.items()}
            assert found == expected, found
            return True

        poll(told_apart, what="which rules matched, at BIRD")


def test_the_local_as_stands_in_paths_as_its_options_say_and_private_numbers_are_replaced(tmp_path) -> None:
    def herald(*options: str) -> str:
        return resources({"asn": 65000}, peer("frr", 65001, localASN=64999, localASNOptions=list(options)),
                         peer("bird", 65002, privateASNs="keep" if options else "replace"))

    far = "route-map far permit 10\n set as-path prepend 64700\nexit"
    with running(tmp_path, herald("no-prepend"), frr(65001, 64999, {"198.51.100.0/24": "far"}, global_lines=far),
                 bird(65002, 65000, {COMMON: ""})) as lab:
        poll(lambda: up(lab), 30)
        poll(lambda: exchanged(lab), what="each route at the other end")
        before = sessions(lab)
        # What FRR has of BIRD's route, and BIRD of FRR's.
        for options, to_frr, to_bird in (
            (["no-prepend"], "64999 65000 65002", "65000 65001 64700"),
            (["replace-as"], "64999 65002", "65000 64999 65001 64700"),
            (["no-prepend", "replace-as"], "64999 65002", "65000 65001 64700"),
            ([], "64999 65000 65002", "65000 65000 65000 65000"),
        ):
            reload(lab, tmp_path, herald(*options))
            poll(lambda path=to_frr: frr_path(lab.node("frr"), COMMON) == path, what=f"{options}: at FRR {to_frr}")
            poll(lambda path=to_bird: bird_attributes(lab.node("bird"))["198.51.100.0/24"]["as_path"] == path,
                 what=f"{options}: at BIRD {to_bird}")
        assert sessions(lab) == before


def test_the_next_hop_is_kept_ours_or_another_as_configured(tmp_path) -> None:
    def herald(to_frr: dict[str, Any], to_bird: dict[str, Any], *others: dict[str, Any]) -> str:
        return resources({"asn": 65000}, *others, peer("frr", 65001, **to_frr),
                         peer("bird", 0, peerASN=None, dynamicASN="internal", **to_bird))

    set_one = bgp_filter("hop", {"action": "accept", "set": {"nextHop": "10.0.2.77"}})
    with running(tmp_path, herald({}, {}), frr(65001, 65000, PLAIN),
                 bird(65000, 65000, {COMMON: ""}, channel="next hop self;")) as lab:
        poll(lambda: up(lab), 30)
        poll(lambda: exchanged(lab), what="each route at the other end")
        before = sessions(lab)
        for to_frr, to_bird, others, at_frr, at_bird in (
            ({}, {}, [], "10.0.1.254", FRR),
            ({"nextHopMode": "Keep"}, {"nextHopMode": "Self"}, [], BIRD, "10.0.2.254"),
            ({"nextHops": ["10.0.1.9"]}, {"nextHops": ["10.0.2.9"]}, [], "10.0.1.9", "10.0.2.9"),
            ({"nextHopMode": "Self"}, {"export": ["hop"]}, [set_one], "10.0.1.254", "10.0.2.77"),
        ):
            reload(lab, tmp_path, herald(to_frr, to_bird, *others))

            def announced(frr_hop: str = at_frr, bird_hop: str = at_bird) -> bool:
                hops = [hop["ip"] for hop in frr_route(lab.node("frr"), COMMON)["nexthops"]]
                assert hops == [frr_hop], hops
                attributes = bird_attributes(lab.node("bird"))["198.51.100.0/24"]
                assert attributes["next_hop"] == bird_hop, attributes
                return True

            poll(announced, what=f"{to_frr} at FRR and {to_bird} at BIRD")
        assert sessions(lab) == before


def test_four_in_and_no_more_than_allowed_and_the_session_returns(tmp_path) -> None:
    networks = {f"198.51.{number}.0/24": "" for number in range(4)}
    herald = resources({"asn": 65000}, peer("frr", 65001, maxPrefixes=3, maxPrefixesRestart="2s"),
                       peer("bird", 65002, maxPrefixes=3))
    with running(tmp_path, herald, frr(65001, 65000, networks), bird(65002, 65000, networks)) as lab:
        node = lab.node("herald")
        for name in ("frr", "bird"):
            poll(lambda n=name: herald_peers(node)[n].get("heldDown") == "prefix limit reached", 30, what=name)
        reason = "Cease/Maximum Number of Prefixes Reached"
        poll(lambda: neighbour(lab).get("lastNotificationReason") == reason, 10, what="FRR told")
        poll(lambda: "198.51.0.0/24" not in herald_best(node), 10, what="nothing kept of either")
        announce(lab, "no network 198.51.3.0/24")
        poll(lambda: established(node, "frr"), 30, what="FRR again, after the pause")
        poll(lambda: kernel_routes(node, 4).keys() >= {f"198.51.{number}.0/24" for number in range(3)})
        # BIRD is not tried again before somebody says so.
        assert herald_peers(node)["bird"]["heldDown"] == "prefix limit reached"
        lab.node("bird").run("birdc disable origin")
        node.run(ctl(node, "restart", "bird"))
        poll(lambda: up(lab), 30, what="BIRD, restarted by hand")


# --- communities


@pytest.mark.parametrize(("configuration", "asn", "passes"), [
    ({"asn": 65000}, 65002, set()),
    ({"asn": 64601, "confederation": {"identifier": 65000, "members": [64602]}}, 64602, {"no-export"}),
    ({"asn": 65000}, 65000, {"no-export", "local-AS"}),
], ids=["external", "confederation", "internal"])
def test_well_known_communities_end_where_they_say(tmp_path, configuration: dict[str, Any], asn: int,
                                                   passes: set[str]) -> None:
    names = {"198.51.101.0/24": "no-export", "198.51.102.0/24": "local-AS", "198.51.103.0/24": "no-advertise"}
    # FRR obeys them itself, so it marks its routes on their way out.
    maps = "route-map mark permit 9\nexit\n" + "\n".join(
        f"ip prefix-list {name} permit {prefix}\nroute-map mark permit {number}\n match ip address prefix-list {name}\n"
        f" set community {name}\nexit" for number, (prefix, name) in enumerate(names.items(), 1))
    member = "confederation 65000; confederation member yes;" if asn == 64602 else ""
    herald = resources(configuration, peer("frr", 65001), peer("bird", asn, nextHopMode="Self"))
    with running(tmp_path, herald, frr(65001, 65000, {**PLAIN, **dict.fromkeys(names, "")},
                                                f"af neighbor {HERALD} route-map mark out", global_lines=maps),
                 bird(asn, configuration["asn"], {}, options=member)) as lab:
        poll(lambda: up(lab), 30)
        poll(lambda: herald_best(lab.node("herald")).keys() == {**PLAIN, **names}.keys(), what="all at Herald")
        poll(lambda: bird_attributes(lab.node("bird")).keys() == {
            *PLAIN, *(prefix for prefix, name in names.items() if name in passes)}, what=f"{passes} at BIRD")


def test_a_change_that_a_neighbour_cannot_see_is_not_told(tmp_path) -> None:
    strip = bgp_filter("strip", {"action": "accept", "set": {"removeCommunities": ["65001:*"]}})
    herald = resources({"asn": 65000}, strip, peer("frr", 65001), peer("bird", 65002, export=["strip"]))
    mark = "route-map mark permit 10\n set community 65001:1\nexit"
    with running(tmp_path, herald, frr(65001, 65000, {"198.51.100.0/24": "mark"}, global_lines=mark),
                 bird(65002, 65000, {})) as lab:
        node, feeder = lab.node("herald"), lab.node("frr")
        poll(lambda: up(lab), 30)
        poll(lambda: bird_attributes(lab.node("bird")).keys() == PLAIN.keys(), what="the route at BIRD")

        def counts() -> list[str]:
            """Updates and withdraws that BIRD has received."""
            return [re.search(rf"Import {what}: +(\d+)", bird_says(lab))[1] for what in ("updates", "withdraws")]

        assert counts() == ["1", "0"]
        configure_frr(feeder, "route-map mark permit 10", "set community 65001:2")
        poll(lambda: herald_best(node)["198.51.100.0/24"]["communities"] == ["65001:2"], 30, what="the change")
        announce(lab, "no network 198.51.100.0/24")
        # Whatever had been said before it would have arrived before it.
        poll(lambda: counts()[1] == "1", what="the withdraw at BIRD")
        assert counts() == ["1", "1"], bird_says(lab)


def test_one_session_that_is_about_to_go_is_a_last_resort_for_both_ends(tmp_path) -> None:
    def herald(**spec: Any) -> str:
        return resources({"asn": 65000}, own("192.0.2.0/24"), peer("frr", 65001, **spec), peer("bird", 65002))

    going = "route-map going permit 10\n set community graceful-shutdown\nexit"
    with running(tmp_path, herald(), frr(65001, 65000, {COMMON: "", OTHER: "going"}, global_lines=going),
                 bird(65002, 65000, {prefix: "bgp_path.prepend(64700);" for prefix in (COMMON, OTHER)})) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)

        def best() -> list[tuple[str, str]]:
            routes = herald_best(node)
            return [(routes[prefix]["peers"][0], routes[prefix]["selectionReason"]) for prefix in (COMMON, OTHER)]

        def marked() -> bool:
            return "gracefulShutdown" in str(frr_route(lab.node("frr"), "192.0.2.0/24"))

        poll(lambda: best() == [("frr", "AS Path"), ("bird", "Local Pref")], what="FRR says that of one route")
        poll(lambda: not marked(), what="our route at FRR")
        poll(lambda: "192.0.2.0/24" in bird_attributes(lab.node("bird")), what="our route at BIRD")
        before = sessions(lab)
        reload(lab, tmp_path, herald(gracefulShutdown=True))
        poll(lambda: best() == [("bird", "Local Pref")] * 2 and marked(), what="the session with FRR about to go")
        assert "(65535,0)" not in bird_attributes(lab.node("bird"))["192.0.2.0/24"].get("community", "")
        reload(lab, tmp_path, herald(honorGracefulShutdown=False))
        poll(lambda: best() == [("frr", "AS Path")] * 2 and not marked(), what="FRR's word ignored")
        assert sessions(lab) == before


# --- routes of our own


def test_aggregates_within_each_other_with_what_is_within_and_in_both_families(tmp_path) -> None:
    aggregates = [{"prefix": "198.51.0.0/16", "communities": ["65000:1"]}, {"prefix": "198.48.0.0/12"},
                  {"prefix": "2001:db8:100::/40", "summaryOnly": True}]
    herald = resources({"asn": 65000, "aggregates": aggregates}, peer("frr", 65001), peer("bird", 65002))
    with running(tmp_path, herald, frr(65001, 65000, {**PLAIN, "198.48.1.0/24": ""}, *ipv6("2001:db8:101::/48")),
                 bird(65002, 65000, {}, options=TAKES_IPV6)) as lab:
        poll(lambda: up(lab), 30)
        routes = lambda: bird_attributes(lab.node("bird"))  # noqa: E731
        poll(lambda: routes().keys() == {*PLAIN, "198.48.1.0/24", "198.51.0.0/16", "198.48.0.0/12",
                                         "2001:db8:100::/40"}, what="all at BIRD")
        got = routes()
        assert got["198.51.0.0/16"]["community"] == "(65000,1)", got
        for prefix in ("198.51.0.0/16", "198.48.0.0/12", "2001:db8:100::/40"):
            assert "atomic_aggr" in got[prefix] and got[prefix]["as_path"] == "65000", got[prefix]
            assert got[prefix]["aggregator"] == "10.0.0.254 AS65000", got[prefix]
        announce(lab, "no network 198.51.100.0/24")
        left = {"198.48.1.0/24", "198.48.0.0/12", "2001:db8:100::/40"}
        poll(lambda: routes().keys() == left, what="the outer one left")


def test_a_default_route_and_others_while_something_is_there(tmp_path) -> None:
    while_there = bgp_filter(
        "conditional",
        {"action": "accept", "match": {"prefixes": [{"cidr": "0.0.0.0/0"}, {"cidr": "::/0"}]}},
        {"action": "accept", "match": {"prefixes": [{"cidr": "192.0.2.0/24"}], "whenPresent": ["198.51.100.0/24"]}})
    herald = resources({"asn": 65000}, while_there, own("192.0.2.0/24"), peer("frr", 65001),
                       peer("bird", 65002, export=["conditional"],
                            defaultOriginate={"whenPresent": ["198.51.101.0/24"]}))

    with running(tmp_path, herald, frr(65001, 65000, {"198.51.101.0/24": ""}),
                 bird(65002, 65000, {}, options=TAKES_IPV6)) as lab:
        poll(lambda: up(lab), 30)
        defaults = {"0.0.0.0/0", "::/0"}
        # What FRR announces next, or no longer, and what is at BIRD then.
        for line, expected in (
            ("", defaults),
            ("network 198.51.100.0/24", {*defaults, "192.0.2.0/24"}),
            ("no network 198.51.101.0/24", {"192.0.2.0/24"}),
            ("no network 198.51.100.0/24", set()),
            ("network 198.51.101.0/24", defaults),
        ):
            if line:
                announce(lab, line)
            poll(lambda wanted=expected: bird_attributes(lab.node("bird")).keys() == wanted, what=f"{expected} at BIRD")
        # None of them is used here, and FRR is told nothing of them.
        assert not {"default", "0.0.0.0/0"} & kernel_routes(lab.node("herald"), 4, "proto", "201").keys()
        poll(lambda: told_to_frr(lab).keys() == {"192.0.2.0/24"}, what="our route alone at FRR")
