# SPDX-License-Identifier: Apache-2.0
"""What happens to routes on their way through Herald: policy, reflection, confederations, aggregates, AS numbers.

    frr --eth1--10.0.1.0/24--eth1-- herald --eth2--10.0.2.0/24--eth1-- bird
         .1                      .254      .254                     .1

Each test brings its own three configurations; both families where it matters. AS numbers are the tests' own."""

import json
import re
import signal
import textwrap
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from integration import between
from integration.between import (
    BIRD,
    FRR,
    bgp_filter,
    bird,
    bird_attributes,
    frr,
    frr_path,
    frr_route,
    peer,
    reload,
    resources,
    up,
)
from integration.harness import configure_frr, ctl, frr_sessions, herald_best, herald_peers, kernel_routes, poll
from tools.lab import Lab


@pytest.fixture
def running(tmp_path: Path) -> Callable[[str, dict[str, str], dict[str, str]], AbstractContextManager[Lab]]:
    return lambda herald, frr_files, bird_files: between.running(tmp_path, herald, frr_files, bird_files)


def test_filters_by_as_path_and_communities_of_all_kinds_and_their_change_without_a_reset(running, tmp_path) -> None:
    marks = textwrap.dedent("""
        route-map mark permit 10
         set community 65001:100
         set large-community 65001:1:2
         set extcommunity rt 65001:7
        exit
        route-map far permit 10
         set as-path prepend 64700 64701
        exit
        """)
    feeder = frr(65001, 65000, {"198.51.100.0/24": "mark", "198.51.101.0/24": "far", "198.51.102.0/24": ""},
                 global_lines=marks)
    rules = [
        {"name": "marked", "action": "next",
         "match": {"communities": ["rt:65001:*"]}, "set": {"addCommunities": ["large:65000:1:1"]}},
        {"name": "no-64701", "action": "reject", "match": {"asPathRegex": ["_64701$"]}},
        {"name": "marked-large", "action": "accept", "match": {"communities": ["large:65001:*:2"]},
         "set": {"med": 7, "prependPath": [64800], "removeCommunities": ["65001:*"], "addCommunities": ["rt:65000:9"]}},
        {"name": "rest", "action": "accept", "match": {"asPathRegex": ["^65001$"]}, "set": {"origin": "incomplete"}},
    ]

    def herald(rules: list[dict[str, Any]]) -> str:
        return resources({"asn": 65000}, bgp_filter("edge", *rules), peer("frr", 65001, keepRejected=True),
                         peer("bird", 65002, export=["edge"]))

    with running(herald(rules), feeder, bird(65002, 65000, {})) as lab:
        poll(lambda: up(lab), 30)

        def as_told() -> bool:
            got = bird_attributes(lab.node("bird"))
            assert got.keys() == {"198.51.100.0/24", "198.51.102.0/24"}, got
            marked = got["198.51.100.0/24"]
            assert marked["as_path"] == "65000 64800 65001", marked
            assert marked["med"] == "7", marked
            assert "community" not in marked, marked
            assert marked["large_community"] == "(65000, 1, 1) (65001, 1, 2)", marked
            assert set(re.findall(r"\(.*?\)", marked["ext_community"])) == {"(rt, 65000, 9)", "(rt, 65001, 7)"}, marked
            assert got["198.51.102.0/24"]["origin"] == "Incomplete", got
            return True

        poll(as_told, what="what the filter makes of FRR's routes at BIRD")
        node = lab.node("herald")

        def explained() -> bool:
            exports = node.json(ctl(node, "explain", "route", "198.51.101.0/24", "-o", "json"))["exports"]
            reasons = [each["reason"] for each in exports if each["peer"] == "bird"]
            assert reasons == ["rejected by export filters: filter edge, rule no-64701"], exports
            return True

        poll(explained, what="why the third route is not at BIRD")

        before, at_bird = frr_sessions(lab.node("frr")), herald_peers(node)["bird"]["establishedCount"]
        reload(lab, tmp_path, herald([rules[3], {"name": "far", "action": "accept",
                                                 "match": {"asPathRegex": ["_64700_"]}}]))
        poll(lambda: bird_attributes(lab.node("bird")).keys() == {"198.51.101.0/24", "198.51.102.0/24"} or
             "198.51.100.0/24" in bird_attributes(lab.node("bird")) and
             bird_attributes(lab.node("bird"))["198.51.100.0/24"]["as_path"] == "65000 65001" and
             "198.51.101.0/24" in bird_attributes(lab.node("bird")), what="the new filter's outcome")
        assert frr_sessions(lab.node("frr")) == before
        assert herald_peers(node)["bird"]["establishedCount"] == at_bird


def test_reflects_routes_between_clients(running) -> None:
    herald = resources({"asn": 65000, "clusterID": "9.9.9.9"}, peer("frr", 65000, routeReflectorClient=True),
                       peer("bird", 65000, routeReflectorClient=True))
    with running(herald, frr(65000, 65000, {"198.51.100.0/24": ""}),
                 bird(65000, 65000, {"203.0.113.0/24": ""}, channel="next hop self;")) as lab:
        poll(lambda: up(lab), 30)

        def at_bird() -> bool:
            got = bird_attributes(lab.node("bird"))["198.51.100.0/24"]
            assert (got["originator_id"], got["cluster_list"]) == ("10.0.1.1", "9.9.9.9"), got
            assert got["next_hop"] == FRR, got
            return True

        def at_frr() -> bool:
            got = frr_route(lab.node("frr"), "203.0.113.0/24")
            assert got["originatorId"] == "10.0.2.1", got
            assert got["clusterList"]["list"] == ["9.9.9.9"], got
            return True

        poll(at_bird, what="FRR's route, reflected, at BIRD")
        poll(at_frr, what="BIRD's route, reflected, at FRR")
        peers = herald_peers(lab.node("herald"))
        assert peers["frr"]["routeReflectorClient"] is True, peers["frr"]


def test_takes_reflected_routes_and_refuses_those_of_its_own_cluster(running) -> None:
    # FRR reflects what BIRD's address has said to it; here it reflects Herald's own routes to nobody, so BIRD plays
    # the reflector: it is told to reflect to Herald what it has from its static client route with a cluster list.
    herald = resources({"asn": 65000, "clusterID": "9.9.9.9"}, peer("frr", 65000, routeReflectorClient=True),
                       peer("bird", 65000, keepRejected=True))
    networks = {"203.0.113.0/24": "bgp_cluster_list.add(7.7.7.7); bgp_originator_id = 7.7.7.1;",
                "203.0.114.0/24": "bgp_cluster_list.add(9.9.9.9); bgp_originator_id = 7.7.7.1;"}
    with running(herald, frr(65000, 65000, {}), bird(65000, 65000, networks, channel="next hop self;")) as lab:
        poll(lambda: up(lab), 30)
        node = lab.node("herald")

        def only_one() -> bool:
            best = herald_best(node)
            assert best.keys() == {"203.0.113.0/24"}, best
            assert best["203.0.113.0/24"]["originatorId"] == "7.7.7.1", best
            assert best["203.0.113.0/24"]["clusterList"] == ["7.7.7.7"], best
            return True

        poll(only_one, what="the route of the other cluster, alone")

        def refused() -> bool:
            received = node.json(ctl(node, "routes", "in", "--peer", "bird", "-o", "json"))["routes"]
            rejected = [(route["prefix"], route["reason"].split(":")[0]) for route in received if route.get("rejected")]
            assert rejected == [("203.0.114.0/24", "loop")], received
            return True

        poll(refused, what="the route of its own cluster refused")
        poll(lambda: frr_route(lab.node("frr"), "203.0.113.0/24")["clusterList"]["list"] == ["9.9.9.9", "7.7.7.7"])


def test_is_a_member_of_a_confederation(running) -> None:
    herald = resources({"asn": 64601, "confederation": {"identifier": 65000, "members": [64602]}},
                       peer("frr", 64602), peer("bird", 65002))
    confederation = ("bgp confederation identifier 65000", "bgp confederation peers 64601")
    with running(herald, frr(64602, 64601, {"198.51.100.0/24": ""}, *confederation),
                 bird(65002, 65000, {"203.0.113.0/24": ""})) as lab:
        poll(lambda: up(lab), 30)
        poll(lambda: bird_attributes(lab.node("bird"))["198.51.100.0/24"]["as_path"] == "65000",
             what="one AS, seen from outside")
        poll(lambda: frr_path(lab.node("frr"), "203.0.113.0/24") == "(64601) 65002", what="the member's number inside")
        assert herald_best(lab.node("herald"))["198.51.100.0/24"]["asPath"] == "(64602)"
        assert herald_peers(lab.node("herald"))["frr"]["negotiated"]["type"] == "confederation"


def test_local_as_as_override_private_numbers_and_own_as(running) -> None:
    # Towards FRR the router is AS 64999; FRR's and BIRD's sites have the same private AS number.
    herald = resources({"asn": 65000},
                       peer("frr", 65001, localASN=64999, asOverride=True),
                       peer("bird", 65001, privateASNs="remove", numAllowedLocalASNumbers=1))
    far = "route-map far permit 10\n set as-path prepend 64700\nexit"
    bird_networks = {"203.0.113.0/24": "bgp_path.prepend(64701); bgp_path.prepend(65000);"}
    with running(herald, frr(65001, 64999, {"198.51.100.0/24": "far"}, "neighbor 10.0.1.254 enforce-first-as",
                             global_lines=far),
                 bird(65001, 65000, bird_networks, options="allow local as 1;")) as lab:
        poll(lambda: up(lab), 30)
        # 65001 is BIRD's own and stays; 64700 goes.
        poll(lambda: bird_attributes(lab.node("bird"))["198.51.100.0/24"]["as_path"] == "65000 65001",
             what="no private numbers but BIRD's own")
        # BIRD said 65001 65000 64701; 65001 is FRR's and becomes 64999.
        poll(lambda: frr_path(lab.node("frr"), "203.0.113.0/24") == "64999 64999 65000 64701", what="the local AS")


def test_default_route_aggregate_and_conditional_announcement(running) -> None:
    conditional = bgp_filter(
        "conditional",
        {"name": "backup", "action": "accept",
         "match": {"prefixes": [{"cidr": "192.0.2.0/24"}], "whenAbsent": ["198.51.100.0/24"]}},
        {"name": "rest", "action": "accept", "match": {"notPrefixes": [{"cidr": "192.0.2.0/24"}]}})
    herald = resources({"asn": 65000, "aggregates": [{"prefix": "198.51.0.0/16", "summaryOnly": True, "asSet": True}]},
                       conditional, peer("frr", 65001),
                       peer("bird", 65002, export=["conditional"], defaultOriginate={}))
    networks = {"198.51.100.0/24": "", "198.51.101.0/24": "", "192.0.2.0/24": ""}
    with running(herald, frr(65001, 65000, networks), bird(65002, 65000, {})) as lab:
        poll(lambda: up(lab), 30)
        routes = lambda: bird_attributes(lab.node("bird"))  # noqa: E731
        poll(lambda: routes().keys() == {"0.0.0.0/0", "198.51.0.0/16"}, what="default and summary at BIRD")
        paths = lambda: (routes()["198.51.0.0/16"]["as_path"], routes()["0.0.0.0/0"]["as_path"])  # noqa: E731
        poll(lambda: paths() == ("65000 65001", "65000"), what="the AS of FRR in the summary's path alone")
        before = herald_peers(lab.node("herald"))["bird"]["establishedCount"]
        configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", "no network 198.51.100.0/24")
        poll(lambda: routes().keys() == {"0.0.0.0/0", "198.51.0.0/16", "192.0.2.0/24"}, what="the backup at BIRD")
        configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", "no network 198.51.101.0/24")
        poll(lambda: routes().keys() == {"0.0.0.0/0", "192.0.2.0/24"}, what="no aggregate of nothing at BIRD")
        assert herald_peers(lab.node("herald"))["bird"]["establishedCount"] == before


def test_limits_of_prefixes_both_ways(running) -> None:
    networks = {f"198.51.{number}.0/24": "" for number in range(4)}
    herald = resources({"asn": 65000}, peer("frr", 65001, maxPrefixes=3, maxPrefixesAction="warn"),
                       peer("bird", 65002, maxPrefixesOut=3, maxPrefixesRestart="2s"))
    with running(herald, frr(65001, 65000, networks), bird(65002, 65000, {})) as lab:
        node = lab.node("herald")

        def stopped() -> bool:
            bird_state = herald_peers(node)["bird"]
            assert bird_state["heldDown"] == "prefix limit reached", bird_state
            # BIRD forgets it when it tries again, after the pause.
            said = lab.node("bird").run("birdc show protocols all peer").stdout
            assert "Maximum number of prefixes" in said, said
            return True

        poll(stopped, 30, what="BIRD's session ended for what it was told, and BIRD knows why")
        assert herald_peers(node)["frr"]["state"] == "Established"
        configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", "no network 198.51.3.0/24")
        poll(lambda: up(lab), 20, what="the session comes back after its pause")
        left = {"198.51.0.0/24", "198.51.1.0/24", "198.51.2.0/24"}
        poll(lambda: kernel_routes(node, 4).keys() >= left, what="what is left in the kernel")


def test_several_paths_of_a_prefix_from_bird_and_to_frr(running) -> None:
    # BIRD has two routes for one prefix and sends both; FRR always offers to take several.
    bird_files = bird(65002, 65000, {"203.0.113.0/24": "bgp_path.prepend(64700);"}, channel="add paths tx;")
    text = bird_files["/etc/bird/bird.conf"]
    second = "protocol static second { ipv4 { preference 150; };\n  route 203.0.113.0/24 blackhole; }\n"
    bird_files["/etc/bird/bird.conf"] = text.replace("protocol bgp peer", second + "protocol bgp peer").replace(
        'where proto = "origin"', 'where proto = "origin" || proto = "second"')
    herald = resources({"asn": 65000}, peer("frr", 65001, addPath={"send": 4}),
                       peer("bird", 65002, addPath={"receive": True}))
    with running(herald, frr(65001, 65000, {}), bird_files) as lab:
        poll(lambda: up(lab), 30)
        node = lab.node("herald")
        assert herald_peers(node)["bird"]["negotiated"]["addPathReceive"] == ["ipv4-unicast"]
        assert herald_peers(node)["frr"]["negotiated"]["addPathSend"] == ["ipv4-unicast", "ipv6-unicast"] or \
            herald_peers(node)["frr"]["negotiated"]["addPathSend"] == ["ipv4-unicast"]

        def received() -> bool:
            routes = node.json(ctl(node, "routes", "in", "--peer", "bird", "-o", "json"))["routes"]
            assert {(route["prefix"], route["asPath"]) for route in routes} == \
                {("203.0.113.0/24", "65002 64700"), ("203.0.113.0/24", "65002")}, routes
            assert len({route["pathId"] for route in routes}) == 2, routes
            return True

        def passed_on() -> bool:
            paths = lab.node("frr").json(["vtysh", "-c", "show bgp ipv4 unicast 203.0.113.0/24 json"])["paths"]
            assert sorted(path["aspath"]["string"] for path in paths) == ["65000 65002", "65000 65002 64700"], paths
            return True

        poll(received, what="both of BIRD's paths at Herald")
        poll(passed_on, what="both paths at FRR")
        lab.node("bird").run("birdc disable second")
        poll(lambda: [path["aspath"]["string"] for path in lab.node("frr").json(
            ["vtysh", "-c", "show bgp ipv4 unicast 203.0.113.0/24 json"])["paths"]] == ["65000 65002 64700"],
             what="the one path that is left")


def test_link_bandwidth_communities_weigh_next_hops_in_the_kernel(running) -> None:
    wide = "route-map wide permit 10\n set extcommunity bandwidth 1000\nexit"  # Mbit/s
    narrow = {"203.0.113.0/24": "bgp_ext_community.add((generic, 0x0004fdea, 0x4bee6b28));"}  # 31.25e6 octets/s, transitive
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002))
    with running(herald, frr(65001, 65000, {"203.0.113.0/24": "wide"}, global_lines=wide),
                 bird(65002, 65000, narrow)) as lab:
        poll(lambda: up(lab), 30)
        node = lab.node("herald")

        def weighed() -> bool:
            objects = {entry["id"]: entry for entry in node.json(["ip", "-json", "nexthop", "show"])}
            route = kernel_routes(node, 4)["203.0.113.0/24"]
            members = objects[route["nhid"]]["group"]
            found = {objects[member["id"]]["gateway"]: member.get("weight", 1) for member in members}
            assert found == {FRR: 4, BIRD: 1}, found
            return True

        poll(weighed, what="weights by bandwidth in the kernel")
        shown = node.json(ctl(node, "explain", "route", "203.0.113.0/24", "-o", "json"))["paths"]
        assert {path["peer"]: path["linkBandwidth"] for path in shown} == {"frr": 125e6, "bird": 31.25e6}, shown


def test_accumulated_metrics_are_exchanged_with_bird_and_decide_before_the_path(running, tmp_path) -> None:
    # bgp_path.prepend makes BIRD's path the longer one.
    networks = {"203.0.113.0/24": "igp_metric = 100; bgp_path.prepend(64700);", "198.51.101.0/24": "igp_metric = 2000000000;"}
    cost = bgp_filter("cost", {"name": "cost", "action": "accept", "set": {"aigp": 250}})

    def herald(aigp: bool) -> str:
        return resources({"asn": 65000}, cost, peer("frr", 65001, **{"import": ["cost"]}),
                         peer("bird", 65002, aigp=aigp))

    with running(herald(aigp=True), frr(65001, 65000, {"203.0.113.0/24": "", "198.51.100.0/24": ""}),
                 bird(65002, 65000, networks, channel="aigp originate;")) as lab:
        poll(lambda: up(lab), 30)
        node = lab.node("herald")

        def exchanged() -> bool:
            best = herald_best(node)
            found = {prefix: (best[prefix]["peers"], best[prefix].get("aigp"), best[prefix]["selectionReason"])
                     for prefix in ("203.0.113.0/24", "198.51.100.0/24", "198.51.101.0/24")}
            assert found == {"203.0.113.0/24": (["bird"], 100, "AIGP"), "198.51.100.0/24": (["frr"], 250, "Only path"),
                             "198.51.101.0/24": (["bird"], 2000000000, "Only path")}, found
            assert bird_attributes(lab.node("bird"))["198.51.100.0/24"]["aigp"] == "250"
            return True

        poll(exchanged, what="metrics from BIRD and to it")
        known = herald_peers(node)["bird"]
        assert known["aigp"] is True

        reload(lab, tmp_path, herald(aigp=False))

        def ignored() -> bool:
            best = herald_best(node)
            assert best["203.0.113.0/24"]["peers"] == ["frr"], best["203.0.113.0/24"]
            assert "aigp" not in best["198.51.101.0/24"], best["198.51.101.0/24"]
            assert "aigp" not in bird_attributes(lab.node("bird"))["198.51.100.0/24"]
            return True

        poll(ignored, what="no metric from BIRD, and none to it")
        assert herald_peers(node)["bird"]["establishedCount"] == known["establishedCount"]


def test_drops_packets_for_blackholed_routes_of_a_neighbour_that_may_ask_for_it(running) -> None:
    black = "route-map black permit 10\n set community blackhole additive\nexit"
    herald = resources({"asn": 65000}, peer("frr", 65001, acceptBlackhole=True), peer("bird", 65002))
    with running(herald, frr(65001, 65000, {"203.0.113.1/32": "black", "198.51.100.0/24": ""}, global_lines=black),
                 bird(65002, 65000, {"203.0.113.2/32": "bgp_community.add((65535, 666));"})) as lab:
        poll(lambda: up(lab), 30)
        node = lab.node("herald")

        def dropped() -> bool:
            objects = {entry["id"]: entry for entry in node.json(["ip", "-json", "nexthop", "show"])}
            routes = kernel_routes(node, 4)
            found = {prefix: "blackhole" in objects[routes[prefix]["nhid"]]
                     for prefix in ("203.0.113.1/32", "203.0.113.2/32", "198.51.100.0/24")}
            assert found == {"203.0.113.1/32": True, "203.0.113.2/32": False, "198.51.100.0/24": False}, found
            return True

        poll(dropped, what="a blackhole for FRR's host route alone")


PAYLOADS = "/tmp/payloads.json"  # of StayRTR at BIRD's node


def stayrtr(*options: str) -> list[str]:
    return ["stayrtr", *options, "-bind", f"{BIRD}:3323", "-cache", PAYLOADS, "-checktime=false"]


def allow(lab: Lab, origins: dict[str, int]) -> None:
    """Who may originate what, no longer than it is; for StayRTR when it starts or is told by SIGHUP."""
    roas = [{"prefix": prefix, "maxLength": int(prefix.partition("/")[2]), "asn": f"AS{asn}", "ta": "test", "expires": 2**32}
            for prefix, asn in origins.items()]
    lab.node("bird").path(PAYLOADS).write_text(json.dumps({"metadata": {}, "roas": roas}))


@pytest.mark.parametrize("version", [1, 0])
def test_origins_are_validated_by_a_cache_and_its_changes_apply_without_a_reset(running, version: int) -> None:
    """StayRTR, with payloads from a file. Version 0 is RFC 6810."""
    drop = bgp_filter("rpki", {"name": "drop-invalid", "action": "reject",
                               "match": {"rpki": "invalid", "direction": "import"}})
    herald = resources({"asn": 65000, "rpkiCaches": [{"address": BIRD, "port": 3323}]}, drop,
                       peer("frr", 65001, **{"import": ["rpki", "accept-all"]}, keepRejected=True), peer("bird", 65002))
    first, second = "198.51.100.0/24", "198.51.101.0/24"
    with running(herald, frr(65001, 65000, {first: "", second: ""}), bird(65002, 65000, {})) as lab:
        node, at = lab.node("herald"), lab.node("bird")
        allow(lab, {first: 65001, second: 65009, "2001:db8:100::/48": 65001})
        command = stayrtr("-protocol", str(version))
        at.start("stayrtr", command)
        poll(lambda: up(lab), 30)

        def synchronized() -> bool:
            [cache] = node.json(ctl(node, "status", "-o", "json"))["rpki"]["caches"]
            shown = {key: cache[key] for key in ("synchronized", "protocolVersion", "payloads")}
            assert shown == {"synchronized": True, "protocolVersion": version, "payloads": 3}, cache
            return True

        poll(synchronized, 30, what="the cache's payloads at Herald")
        poll(lambda: bird_attributes(at).keys() == {first}, what="the valid route alone at BIRD")

        def explained() -> bool:
            paths = node.json(ctl(node, "explain", "route", second, "-o", "json"))["paths"]
            assert [(path["rpki"], path["reason"]) for path in paths] == \
                [("invalid", "filter rpki, rule drop-invalid")], paths
            return True

        poll(explained, what="why the other is not at BIRD")
        before = frr_sessions(lab.node("frr"))
        allow(lab, {first: 65009, second: 65001})
        at.kill("stayrtr", signal.SIGHUP)
        poll(lambda: bird_attributes(at).keys() == {second}, what="the other route at BIRD")
        # A cache that starts anew knows nothing of the session before; this one hangs up when it is asked about it.
        at.kill("stayrtr")
        allow(lab, {first: 65001})
        at.start("stayrtr", command)
        poll(lambda: bird_attributes(at).keys() == {first, second}, 60, what="both at BIRD, by a cache that is new")
        assert frr_sessions(lab.node("frr")) == before


def test_origins_are_validated_as_the_neighbour_will_see_them(running) -> None:
    """RFC 8893. Without FRR's private number, Herald is the origin of what it passes on."""
    drop = bgp_filter("rpki-out", {"name": "drop-invalid", "action": "reject",
                                   "match": {"rpki": "invalid", "direction": "export"}})
    herald = resources({"asn": 65000, "rpkiCaches": [{"address": BIRD, "port": 3323}]}, drop, peer("frr", 65001),
                       peer("bird", 65002, export=["rpki-out", "accept-all"], privateASNs="remove"))
    first, second = "198.51.100.0/24", "198.51.101.0/24"
    with running(herald, frr(65001, 65000, {first: "", second: ""}), bird(65002, 65000, {})) as lab:
        node, at = lab.node("herald"), lab.node("bird")
        allow(lab, {first: 65000, second: 65001})
        at.start("stayrtr", stayrtr())
        poll(lambda: up(lab), 30)
        poll(lambda: bird_attributes(at).keys() == {first}, 30, what="the route alone whose origin Herald may be")

        def explained() -> bool:
            exports = node.json(ctl(node, "explain", "route", second, "-o", "json"))["exports"]
            assert ["rejected by export filters: filter rpki-out, rule drop-invalid"] == \
                [each["reason"] for each in exports if each["peer"] == "bird"], exports
            return True

        poll(explained, what="why the other is not at BIRD")
        before = frr_sessions(lab.node("frr"))
        allow(lab, {first: 65001, second: 65000})
        at.kill("stayrtr", signal.SIGHUP)
        poll(lambda: bird_attributes(at).keys() == {second}, 30, what="the other route at BIRD")
        assert frr_sessions(lab.node("frr")) == before


def test_advertises_only_what_the_kernel_has_where_that_is_asked_for(running, tmp_path) -> None:
    """Somebody else's route of the same metric keeps one of ours out of the kernel."""
    taken, free = "198.51.100.0/24", "198.51.101.0/24"

    def herald(first: bool) -> str:
        return resources({"asn": 65000, "kernel": {"installBeforeAdvertising": first}}, peer("frr", 65001),
                         peer("bird", 65002))

    with running(herald(True), frr(65001, 65000, {}), bird(65002, 65000, {})) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        node.run(["ip", "route", "add", taken, "dev", "eth2", "metric", "20", "proto", "static"])
        configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", f"network {taken}", f"network {free}")
        routes = lambda: bird_attributes(lab.node("bird")).keys()  # noqa: E731
        poll(lambda: routes() == {free}, what="the route that is in the kernel, alone, at BIRD")

        def told() -> bool:
            exports = node.json(ctl(node, "explain", "route", taken, "-o", "json"))["exports"]
            assert ["not in the kernel yet"] == [each["reason"] for each in exports if each["peer"] == "bird"], exports
            assert "another route to this prefix" in node.run(ctl(node, "routes", "kernel")).stdout
            return True

        poll(told, what="why the other is not at BIRD")
        node.run(["ip", "route", "del", taken, "dev", "eth2", "metric", "20"])
        poll(lambda: routes() == {taken, free}, 20, what="both at BIRD once there is room")
        # Where nobody waits any more, both are told; where somebody does again, what the kernel lacks is withdrawn.
        node.run(["ip", "route", "replace", taken, "dev", "eth2", "metric", "20", "proto", "static"])
        poll(lambda: routes() == {free}, 20, what="the route that was pushed out of the kernel withdrawn")
        before = frr_sessions(lab.node("frr"))
        for first, wanted in ((False, {taken, free}), (True, {free})):
            reload(lab, tmp_path, herald(first))
            poll(lambda: routes() == wanted, what=f"{sorted(wanted)} at BIRD")
        assert frr_sessions(lab.node("frr")) == before
        assert set(kernel_routes(node, 4, "proto", "201")) == {free}


def test_med_decides_between_neighbouring_as_where_that_is_asked_for(running, tmp_path) -> None:
    prefix = "203.0.113.0/24"

    def herald(always: bool) -> str:
        return resources({"asn": 65000, "alwaysCompareMED": always}, peer("frr", 65001), peer("bird", 65002))

    feeder = frr(65001, 65000, {prefix: "fifty"}, global_lines="route-map fifty permit 10\n set metric 50\nexit")
    with running(herald(False), feeder, bird(65002, 65000, {prefix: "bgp_med = 10;"})) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        hops = lambda: {gateway for gateway, _ in kernel_routes(node, 4)[prefix]["hops"]}  # noqa: E731
        poll(lambda: hops() == {FRR, BIRD}, what="both paths in use: no MED compares different AS")
        reload(lab, tmp_path, herald(True))
        poll(lambda: hops() == {BIRD}, what="the lower MED alone in use")
        paths = node.json(ctl(node, "explain", "route", prefix, "-o", "json"))["paths"]
        assert [path["reason"] for path in paths if path["peer"] == "frr"] == ["MED"], paths
        reload(lab, tmp_path, herald(False))
        poll(lambda: hops() == {FRR, BIRD}, what="both again")


def test_a_route_whose_next_hop_cannot_be_reached_gives_way_to_one_whose_can(running) -> None:
    """FRR's way is shorter and leads to a next hop that is not on the link."""
    prefix, far = "203.0.113.0/24", "10.99.0.1"
    third = f"route-map third permit 10\n set ip next-hop {far}\nexit"
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002))
    with running(herald, frr(65001, 65000, {prefix: ""}, "af neighbor 10.0.1.254 route-map third out", global_lines=third),
                 bird(65002, 65000, {prefix: "bgp_path.prepend(64999);"})) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)

        def used(by: str, hop: str) -> bool:
            assert herald_best(node)[prefix]["peers"] == [by], herald_best(node)
            assert {gateway for gateway, _ in kernel_routes(node, 4)[prefix]["hops"]} == {hop}
            return True

        def explained() -> bool:
            paths = node.json(ctl(node, "explain", "route", prefix, "-o", "json"))["paths"]
            assert [path["reason"] for path in paths if path["peer"] == "frr"] == ["Next hop unreachable"], paths
            return f"not reached: {far}" in node.run(ctl(node, "status")).stdout

        poll(explained, what="why FRR's route is not used")
        poll(lambda: used("bird", BIRD), what="the longer way in use")
        node.run(["ip", "route", "add", f"{far}/32", "via", FRR])
        poll(lambda: used("frr", FRR), what="the shorter way in use once there is a route to its next hop")
        poll(lambda: prefix in bird_attributes(lab.node("bird")),
             what="BIRD told of FRR's route")
        node.run(["ip", "route", "del", f"{far}/32"])
        poll(lambda: used("bird", BIRD), what="the longer way in use again")
        poll(lambda: prefix not in bird_attributes(lab.node("bird")), what="BIRD no longer told of FRR's route")
        poll(lambda: frr_path(lab.node("frr"), prefix) == "65000 65002 64999", what="FRR told of BIRD's route")
