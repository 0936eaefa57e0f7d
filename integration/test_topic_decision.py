# SPDX-License-Identifier: Apache-2.0
"""FRR's topics (docs/coverage.md): which route is the best, which are used together, and how many are told.

Herald between FRR and BIRD as in between.py. AS numbers are the tests' own."""

import pytest

from integration import harness
from integration.between import (
    BIRD,
    COMMON,
    FRR,
    HERALD,
    OTHER,
    PLAIN,
    announce,
    bgp_filter,
    bird,
    changed,
    frr,
    frr_route,
    own,
    peer,
    reload,
    resources,
    running,
    sessions,
    statics,
    up,
)
from integration.harness import ctl, herald_best, herald_peers, kernel_routes, poll
from tools.lab import Lab


def test_the_best_route_and_why_it_is_by_each_step_of_the_decision(tmp_path) -> None:
    local_pref = bgp_filter("prefer", {"action": "next", "match": {"prefixes": [{"cidr": COMMON}]},
                                       "set": {"localPref": 200}})
    herald = resources({"asn": 65000, "multipath": {"maximumPaths": 1}}, local_pref, own("203.0.119.0/24"),
                       peer("frr", 65001, **{"import": ["prefer", "accept-all"]}), peer("bird", 65001))
    maps = ("route-map longer permit 10\n set as-path prepend 65001\nexit\n"
            "route-map incomplete permit 10\n set origin incomplete\nexit\n"
            "route-map med permit 10\n set metric 10\nexit")
    by_frr = {COMMON: "longer", OTHER: "longer", "203.0.115.0/24": "incomplete", "203.0.116.0/24": "med",
              "203.0.117.0/24": "", "203.0.118.0/24": "", "203.0.119.0/24": ""}
    by_bird = {COMMON: "", OTHER: "", "203.0.115.0/24": "", "203.0.116.0/24": "bgp_med = 5;",
               "203.0.117.0/24": ""}
    expected = {COMMON: (["frr"], "Local Pref"), OTHER: (["bird"], "AS Path"),
                "203.0.115.0/24": (["bird"], "Origin"), "203.0.116.0/24": (["bird"], "MED"),
                "203.0.117.0/24": (["frr"], "Router ID"), "203.0.118.0/24": (["frr"], "Only path"),
                "203.0.119.0/24": ([], "Local Route")}
    with running(tmp_path, herald, frr(65001, 65000, by_frr, global_lines=maps), bird(65001, 65000, by_bird)) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)

        def decided() -> bool:
            found = {prefix: (one["peers"], one["selectionReason"]) for prefix, one in herald_best(node).items()}
            assert found == expected, found
            return True

        poll(decided, what="each step decides its prefix")
        # The other path says by which step it lost.
        for prefix in by_bird:
            paths = node.json(ctl(node, "explain", "route", prefix, "-o", "json"))["paths"]
            [reason] = [path["reason"] for path in paths if not path["best"]]
            assert reason == expected[prefix][1], paths


@pytest.mark.parametrize(("asn", "router_id", "reason"), [
    (65001, "10.0.1.1", "Neighbor IP"),  # the same identifier as FRR's
    (65000, "10.0.0.1", "Peer Type"),  # internal, though its identifier is lower
])
def test_the_last_steps_of_the_decision(tmp_path, asn: int, router_id: str, reason: str) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", asn))
    as_long = "bgp_path.prepend(65001);" if asn == 65000 else ""
    other = changed(bird(asn, 65000, {COMMON: as_long}), "router id 10.0.2.1", f"router id {router_id}")
    with running(tmp_path, herald, frr(65001, 65000, {COMMON: ""}), other) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)

        def decided() -> bool:
            best = herald_best(node)[COMMON]
            assert (best["peers"][0], best["selectionReason"]) == ("frr", reason), best
            # Only what is equal up to the identifiers is used together.
            assert len(best["nextHops"]) == (2 if reason == "Neighbor IP" else 1), best
            return True

        poll(decided)


def test_paths_of_different_as_are_used_together_unless_they_must_be_the_same(tmp_path) -> None:
    def herald(relax: bool) -> str:
        return resources({"asn": 65000, "multipath": {"relax": relax}}, peer("frr", 65001), peer("bird", 65002))

    with running(tmp_path, herald(relax=True), frr(65001, 65000, {COMMON: ""}),
                 bird(65002, 65000, {COMMON: ""})) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        poll(lambda: harness.gateways(kernel_routes(node, 4)[COMMON]) == {FRR, BIRD}, what="both in the kernel")
        before = sessions(lab)
        reload(lab, tmp_path, herald(relax=False))
        poll(lambda: harness.gateways(kernel_routes(node, 4)[COMMON]) == {FRR}, what="FRR's alone")
        assert sessions(lab) == before


def test_the_shorter_cluster_list_decides_between_reflectors(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65000, addPath={"receive": True}))
    reflected = "bgp_originator_id = 7.7.7.1; bgp_cluster_list.add(7.7.7.7);"
    routes = [f"{COMMON} blackhole {{ {reflected} {more} }}" for more in ("bgp_cluster_list.add(8.8.8.8);", "")]
    other = statics(bird(65000, 65000, {}, channel="add paths tx; next hop self;"), routes)
    with running(tmp_path, herald, frr(65001, 65000, PLAIN), other) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)

        def decided() -> bool:
            best = herald_best(node)[COMMON]
            assert (best["clusterList"], best["selectionReason"]) == (["7.7.7.7"], "Cluster List"), best
            return True

        poll(decided)
        # FRR, of another AS, sees nothing of that.
        route = poll(lambda: frr_route(lab.node("frr"), COMMON))
        assert not {"originatorId", "clusterList"} & route.keys(), route


def test_sixty_four_paths_of_one_neighbour_are_one_group_in_the_kernel(tmp_path) -> None:
    hops = [f"10.0.2.{number}" for number in range(100, 164)]
    herald = resources({"asn": 65000, "multipath": {"maximumPaths": 128}}, peer("frr", 65001),
                       peer("bird", 65002, addPath={"receive": True}))
    # Two of the paths have the same next hop, which is in the group once.
    routes = [f"{COMMON} via {hop}" for hop in [*hops, hops[0]]]
    other = statics(bird(65002, 65000, {}, channel="add paths tx; next hop keep;"), routes)
    with running(tmp_path, herald, frr(65001, 65000, PLAIN), other) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        poll(lambda: sorted(kernel_routes(node, 4)[COMMON]["hops"]) == sorted((hop, "eth2") for hop in hops), 30,
             what="all next hops in the kernel")
        lab.node("bird").run("birdc disable origin7")
        poll(lambda: len(kernel_routes(node, 4)[COMMON]["hops"]) == 63, what="one less")


def test_no_more_than_the_best_paths_are_told_and_none_beside_to_who_takes_one(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001, addPath={"send": 2}),
                       peer("bird", 65002, addPath={"receive": True}))
    longer = [f"{COMMON} blackhole {{ {times * 'bgp_path.prepend(64700); '}}}" for times in (1, 2)]
    other = statics(bird(65002, 65000, {COMMON: ""}, channel="add paths tx;"), longer)

    def at_frr(lab: Lab) -> list[str]:
        paths = lab.node("frr").json(["vtysh", "-c", f"show bgp ipv4 unicast {COMMON} json"])["paths"]
        return sorted(path["aspath"]["string"] for path in paths)

    with running(tmp_path, herald, frr(65001, 65000, {}), other) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        poll(lambda: len(node.json(ctl(node, "routes", "in", "--peer", "bird", "-o", "json"))["routes"]) == 3)
        poll(lambda: at_frr(lab) == ["65000 65002", "65000 65002 64700"], what="the two best at FRR")
        lab.node("bird").run("birdc disable origin")
        poll(lambda: at_frr(lab) == ["65000 65002 64700", "65000 65002 64700 64700"], what="the next two")
        announce(lab, f"neighbor {HERALD} disable-addpath-rx")
        poll(lambda: up(lab) and herald_peers(node)["frr"]["negotiated"]["addPathSend"] == [], 60, what="not agreed")
        poll(lambda: at_frr(lab) == ["65000 65002 64700"], what="one path without an identifier")
