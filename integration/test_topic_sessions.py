# SPDX-License-Identifier: Apache-2.0
"""FRR's topics (docs/coverage.md): how sessions come about and end: passwords, listening, OPENs, roles, refresh; over link-local addresses.

Herald between FRR and BIRD as in between.py. AS numbers are the tests' own."""

import re
from typing import Any

from integration import harness
from integration.between import (
    COMMON,
    HERALD,
    OTHER,
    PLAIN,
    before_neighbours,
    bgp_filter,
    bird,
    bird_attributes,
    bird_says,
    changed,
    configure_bird,
    down,
    frr,
    frr_path,
    frr_route,
    guests,
    neighbour,
    notification,
    peer,
    reload,
    resources,
    running,
    sessions,
    told_to_frr,
    up,
)
from integration.harness import configure_frr, ctl, established, herald_best, herald_peers, holds, kernel_routes, poll


# --- sessions


def test_neighbours_meet_with_the_same_password_only_and_a_longer_range_has_its_own(tmp_path) -> None:
    def herald(password: str) -> str:
        return resources({"asn": 65000}, peer("frr", 65001, password=password),
                         guests("wide", "10.0.2.0/24", password="of the wide one"),
                         guests("narrow", "10.0.2.0/30", password="of the narrow one"))

    with running(tmp_path, herald("something else"), frr(65001, 65000, PLAIN, f"neighbor {HERALD} password open"),
                 bird(65002, 65000, {}, options='password "of the narrow one";')) as lab:
        poll(lambda: established(lab.node("herald"), "narrow/10.0.2.1"), 30, what="BIRD, by the longer range")
        holds(lambda: down(lab, "frr"), 2, what="no session with another password")
        reload(lab, tmp_path, herald("open"))
        poll(lambda: established(lab.node("herald"), "frr"), 30, what="FRR, with its password")
        assert herald_peers(lab.node("herald"))["frr"]["transport"]["md5"] is True
        # A new password on one side, then on the other.
        reload(lab, tmp_path, herald("new"))
        poll(lambda: down(lab, "frr"), 10, what="the session begun anew")
        holds(lambda: down(lab, "frr"), 2, what="no session with the old password")
        configure_frr(lab.node("frr"), "router bgp 65001", f"neighbor {HERALD} password new")
        poll(lambda: established(lab.node("herald"), "frr", "narrow/10.0.2.1"), 30, what="FRR, with the new password")


def test_each_side_is_told_why_the_other_ended_the_session(tmp_path) -> None:
    def herald(**spec: Any) -> str:
        return resources({"asn": 65000}, peer("frr", 65001, **spec), peer("bird", 65002, **spec))

    # Who hears it does not dial: another attempt would come after it.
    waits = bird(65002, 65000, {}, options="passive yes;")
    with running(tmp_path, herald(), frr(65001, 65000, PLAIN, f"neighbor {HERALD} passive"), waits) as lab:
        poll(lambda: up(lab), 30)
        reload(lab, tmp_path, herald(shutdown=True, shutdownMessage="moved to rack 7"))
        poll(lambda: neighbour(lab)["lastNotificationReason"] == "Cease/Administrative Shutdown", 10)
        assert neighbour(lab)["lastShutdownDescription"] == "moved to rack 7", neighbour(lab)
        poll(lambda: "moved to rack 7" in bird_says(lab), 10, what="the text at BIRD")
        reload(lab, tmp_path, herald(passive=True))
        configure_frr(lab.node("frr"), "router bgp 65001", f"no neighbor {HERALD} passive")
        configure_bird(lab, tmp_path, changed(waits, "passive yes;", ""))
        poll(lambda: up(lab), 60)
        configure_frr(lab.node("frr"), "router bgp 65001", f"neighbor {HERALD} shutdown message new cables")
        lab.node("bird").run(["birdc", "disable", "peer", '"new software"'])
        # FRR has agreed to RFC 8538, by which it says that nothing is to be kept.
        for name, said in (("frr", "Cease/Hard Reset (Cease/Administrative Shutdown: new cables)"),
                           ("bird", "Cease/Administrative Shutdown: new software")):
            poll(lambda n=name, s=said: notification(lab, n) == s, 10, what=f"{name}: {said}")
            assert herald_peers(lab.node("herald"))[name]["lastReset"]["by"] == "remote"


def test_neighbours_connect_to_the_addresses_that_are_listened_on(tmp_path) -> None:
    def herald(*addresses: str) -> str:
        return resources({"asn": 65000, "listen": {"addresses": list(addresses)}}, peer("frr", 65001, passive=True),
                         peer("bird", 65002, passive=True))

    with running(tmp_path, herald(HERALD, "10.0.3.254"), frr(65001, 65000, PLAIN), bird(65002, 65000, {})) as lab:
        poll(lambda: established(lab.node("herald"), "frr"), 30)
        before = sessions(lab)["frr"]
        poll(lambda: "Connection refused" in bird_says(lab), 10, what="nobody where BIRD asks")
        reload(lab, tmp_path, herald(HERALD, "10.0.2.254"))
        poll(lambda: up(lab), 30)
        assert sessions(lab)["frr"] == before


def test_ttl_security_lets_those_meet_who_both_have_it(tmp_path) -> None:
    """Without it a neighbour on the link is sent packets with a TTL of 1, which the other side then drops."""
    def herald(**spec: Any) -> str:
        return resources({"asn": 65000}, peer("frr", 65001, **spec), peer("bird", 65002, **spec))

    secured = frr(65001, 65000, PLAIN, f"neighbor {HERALD} ttl-security hops 1", f"neighbor {HERALD} timers 1 3")
    # Otherwise BIRD waits four minutes for the OPEN on a connection whose packets it has dropped.
    options = "ttl security yes; hold time 3; startup hold time 3;"
    with running(tmp_path, herald(), secured, bird(65002, 65000, {}, options=options)) as lab:
        frr_is = lambda: neighbour(lab)["bgpState"]  # noqa: E731
        bird_is = lambda: re.findall(r"BGP state:\s+(\w+)", bird_says(lab))[0]  # noqa: E731
        poll(lambda: frr_is() and bird_is(), 20, what="FRR and BIRD answering")
        holds(lambda: "Established" not in (frr_is(), bird_is()), 5, what="no session with packets of TTL 1")
        reload(lab, tmp_path, herald(ttlSecurity=1))
        poll(lambda: up(lab) and frr_is() == bird_is() == "Established", 60, what="both, with it on both sides")
        reload(lab, tmp_path, herald())
        poll(lambda: "Established" not in (frr_is(), bird_is()), 30, what="nothing heard any more")
        reload(lab, tmp_path, herald(ttlSecurity=1))
        poll(lambda: up(lab) and frr_is() == bird_is() == "Established", 60, what="both again")
        configure_frr(lab.node("frr"), "router bgp 65001", f"no neighbor {HERALD} ttl-security hops 1")
        poll(lambda: down(lab, "frr"), 30, what="FRR's packets of TTL 1 dropped")
        holds(lambda: down(lab, "frr") and established(lab.node("herald"), "bird"), 3, what="FRR alone stays away")


def test_identifiers_are_unique_within_an_as_only(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65000))
    same = changed(bird(65000, 65000, {}), "router id 10.0.2.1", "router id 10.0.0.254")
    with running(tmp_path, herald, changed(frr(65001, 65000, PLAIN), "router-id 10.0.1.1", "router-id 10.0.0.254"),
                 same) as lab:
        poll(lambda: established(lab.node("herald"), "frr"), 30, what="FRR, of another AS, with our identifier")
        assert herald_peers(lab.node("herald"))["frr"]["negotiated"]["peerRouterId"] == "10.0.0.254"
        poll(lambda: notification(lab, "bird") == "OPEN Message Error/Bad BGP Identifier", 20, what="BIRD refused")
        assert down(lab, "bird")
        configure_bird(lab, tmp_path, changed(same, "router id 10.0.0.254", "router id 10.0.2.1"))
        poll(lambda: up(lab), 60, what="BIRD, with an identifier of its own")


def test_the_shorter_hold_time_counts_and_one_that_is_refused_is_told(tmp_path) -> None:
    def herald(hold_time: str) -> str:
        return resources({"asn": 65000}, peer("frr", 65001, holdTime=hold_time), peer("bird", 65002))

    feeder = frr(65001, 65000, PLAIN, f"neighbor {HERALD} timers 10 60",
                 global_lines=before_neighbours("bgp minimum-holdtime 20"))
    with running(tmp_path, herald("9s"), feeder, bird(65002, 65000, {}, options="hold time 12;")) as lab:
        poll(lambda: notification(lab, "frr") == "OPEN Message Error/Unacceptable Hold Time", 30, what="the refusal")
        reload(lab, tmp_path, herald("45s"))
        poll(lambda: up(lab), 60)
        agreed = {name: one["negotiated"] for name, one in herald_peers(lab.node("herald")).items()}
        assert {name: one["holdTimeSec"] for name, one in agreed.items()} == {"frr": 45, "bird": 12}, agreed
        assert neighbour(lab)["bgpTimerHoldTimeMsecs"] == 45000, neighbour(lab)


def test_neighbours_without_capabilities_get_ipv4_and_as_numbers_of_two_octets(tmp_path) -> None:
    ours, far = 4200000000, "route-map far permit 10\n set as-path prepend 4200000001\nexit"

    def herald(**spec: Any) -> str:
        return resources({"asn": ours}, peer("frr", 65001, **spec), peer("bird", 65002, localASN=64999))

    feeder = frr(65001, ours, {"198.51.100.0/24": "far"}, f"neighbor {HERALD} dont-capability-negotiate",
                 global_lines=far)
    old = bird(65002, 64999, {COMMON: "bgp_path.prepend(4200000002);"}, options="enable as4 off;")
    # FRR goes on with a session that it had before it was told.
    with running(tmp_path, herald(shutdown=True), feeder, old) as lab:
        reload(lab, tmp_path, herald())
        poll(lambda: up(lab), 60)
        agreed = {name: one["negotiated"] for name, one in herald_peers(lab.node("herald")).items()}
        assert agreed["frr"]["families"] == ["ipv4-unicast"], agreed
        assert not agreed["frr"]["routeRefresh"] and "gracefulRestart" not in agreed["frr"], agreed
        assert not agreed["frr"]["fourOctetAsn"] and not agreed["bird"]["fourOctetAsn"], agreed
        # What has no room in two octets travels in AS4_PATH, both ways; FRR takes none from who has the capability.
        poll(lambda: bird_attributes(lab.node("bird"))["198.51.100.0/24"]["as_path"] == "64999 65001 4200000001")
        poll(lambda: herald_best(lab.node("herald"))[COMMON]["asPath"] == "65002 4200000002", what="BIRD's path")
        poll(lambda: frr_path(lab.node("frr"), COMMON) == "23456 65002 23456", what="AS_TRANS at FRR")


def test_an_open_with_long_parameters_is_read(tmp_path) -> None:
    """FRR 8.4 that is told to write it takes every OPEN for one, and so refuses Herald's, which has no need of it. But
    Herald has taken FRR's before, and answered."""
    herald = resources({"asn": 65000}, peer("frr", 65001, passive=True), peer("bird", 65002))
    feeder = frr(65001, 65000, PLAIN, f"neighbor {HERALD} extended-optional-parameters")
    with running(tmp_path, herald, feeder, bird(65002, 65000, {})) as lab:
        with harness.captured(lab.node("frr"), "eth1", "tcp port 179") as packets:
            long_form = rb"\xff{16}..\x01\x04.{8}\xff\xff"  # RFC 9072 section 2
            answered = re.compile(long_form + rb".*\xff{16}\x00\x13\x04", re.DOTALL)
            poll(lambda: answered.search(packets.read_bytes()), 30, what="a KEEPALIVE for the OPEN in its long form")
        poll(lambda: notification(lab, "frr"), 10, what="FRR's refusal")
        said = herald_peers(lab.node("herald"))["frr"]
        assert said["lastReset"]["by"] == "remote" and said["messages"]["out"]["notification"] == 0, said


def test_a_neighbour_of_a_range_may_be_hops_away_and_know_us_by_another_as(tmp_path) -> None:
    spec = {"localASN": 64999, "ebgpMultiHop": True, "password": "open", "maxDynamicPeers": 1}
    herald = resources({"asn": 65000}, guests("far", "10.9.0.0/16", **spec))
    feeder = frr(65001, 64999, PLAIN, f"neighbor {HERALD} ebgp-multihop 2", f"neighbor {HERALD} password open",
                 f"neighbor {HERALD} update-source 10.9.9.1",
                 global_lines="interface lo\n ip address 10.9.9.1/32\nexit")
    other = bird(65002, 64999, {}, options='multihop 2; password "open"; disabled yes;')
    with running(tmp_path, herald, feeder, changed(other, "local 10.0.2.1", "local 10.9.8.1")) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        node.run("ip route add 10.9.9.1 via 10.0.1.1")
        node.run("ip route add 10.9.8.1 via 10.0.2.1")
        poll(lambda: established(node, "far/10.9.9.1"), 30)
        # FRR's loopback is no neighbour of the kernel's: the route goes where that address goes.
        poll(lambda: kernel_routes(node, 4)["198.51.100.0/24"]["hops"] == [("10.0.1.1", "eth1")], what="in the kernel")
        assert herald_best(node)["198.51.100.0/24"]["nextHops"] == ["10.9.9.1"]
        far.run("ip addr add 10.9.8.1/32 dev lo")
        far.run("birdc enable peer")
        poll(lambda: "Out of Resources" in bird_says(lab), 30, what="no more of the range than allowed")
        assert list(herald_peers(node)) == ["far/10.9.9.1"]


def test_roles_that_do_not_fit_are_refused_and_leaks_are_dropped(tmp_path) -> None:
    def herald(frr_role: str, **spec: Any) -> str:
        return resources({"asn": 65000}, peer("frr", 65001, role=frr_role),
                         peer("bird", 65002, role="provider", **spec))

    routes = {COMMON: "bgp_otc = 65002;", OTHER: ""}
    with running(tmp_path, herald("provider"), frr(65001, 65000, PLAIN, f"neighbor {HERALD} local-role customer"),
                 bird(65002, 65000, routes)) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        roles = {name: one["negotiated"]["role"]["confirmed"] for name, one in herald_peers(node).items()}
        assert roles == {"frr": True, "bird": False}, roles
        # What a customer says was for customers only is a leak; the other one is marked for FRR, our customer.
        poll(lambda: frr_route(lab.node("frr"), OTHER)["otc"] == 65000, what="the mark at FRR")
        poll(lambda: herald_best(node).keys() == {OTHER, *PLAIN}, what="all but the leak")
        metrics = ["curl", "-s", "--unix-socket", "/run/herald/herald.sock", "http://x/metrics"]
        leaked = r'herald_bgp_prefixes_leaked_total\{[^}]*"bird"[^}]*\} 1\b'
        poll(lambda: re.search(leaked, node.run(metrics).stdout), what="the leak counted")
        reload(lab, tmp_path, herald("customer", roleStrict=True))
        for name in ("frr", "bird"):
            poll(lambda n=name: notification(lab, n) == "OPEN Message Error/Role Mismatch", 20, what=f"{name} refused")
        assert down(lab, "frr", "bird")


def test_routes_are_asked_for_again_both_ways_and_after_a_change_of_import_filters(tmp_path) -> None:
    def herald(*refused: str) -> str:
        no = bgp_filter("some", *({"action": "reject", "match": {"prefixes": [{"cidr": each}]}} for each in refused),
                        {"action": "accept"})
        return resources({"asn": 65000}, no, peer("frr", 65001, **{"import": ["some"]}),
                         peer("bird", 65002, **{"import": ["some"]}))

    with running(tmp_path, herald("198.51.100.0/24", COMMON), frr(65001, 65000, {**PLAIN, "198.51.101.0/24": ""}),
                 bird(65002, 65000, {COMMON: "", OTHER: ""})) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        poll(lambda: up(lab), 30)
        poll(lambda: herald_best(node).keys() == {"198.51.101.0/24", OTHER}, what="what is let in")
        assert all(one["negotiated"]["enhancedRouteRefresh"] for one in herald_peers(node).values())
        before = sessions(lab)
        reload(lab, tmp_path, herald(OTHER))
        poll(lambda: herald_best(node).keys() == {*PLAIN, "198.51.101.0/24", COMMON}, what="by the new filter")
        asked = neighbour(lab)["messageStats"]["routeRefreshRecv"]
        heard = {name: one["messages"]["in"] for name, one in herald_peers(node).items()}
        node.run(ctl(node, "refresh", "frr"))
        node.run(ctl(node, "refresh", "bird"))
        poll(lambda: neighbour(lab)["messageStats"]["routeRefreshRecv"] > asked, 10, what="FRR asked")
        # BIRD marks beginning and end of what it says again (RFC 7313).
        poll(lambda: herald_peers(node)["bird"]["messages"]["in"]["routeRefresh"] >= heard["bird"]["routeRefresh"] + 2)
        said = {name: one["messages"]["out"] for name, one in herald_peers(node).items()}
        lab.node("frr").run(["vtysh", "-c", "clear bgp * soft in"])
        far.run("birdc reload in peer")
        for name in ("frr", "bird"):
            poll(lambda n=name: herald_peers(node)[n]["messages"]["out"]["update"] > said[n]["update"], 10,
                 what=f"{name} told again")
        poll(lambda: bird_attributes(far).keys() == {*PLAIN, "198.51.101.0/24"}, what="nothing lost at BIRD")
        poll(lambda: told_to_frr(lab).keys() == {COMMON}, what="nothing lost at FRR")
        assert sessions(lab) == before


def test_attributes_of_more_than_4096_octets_pass(tmp_path) -> None:
    many = 1500
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002))
    communities = " ".join(f"bgp_community.add((64700, {number}));" for number in range(many))
    with running(tmp_path, herald, frr(65001, 65000, PLAIN),
                 bird(65002, 65000, {COMMON: communities}, options="enable extended messages on;")) as lab:
        poll(lambda: up(lab), 30)
        assert all(one["negotiated"]["extendedMessages"] for one in herald_peers(lab.node("herald")).values())
        poll(lambda: len(frr_route(lab.node("frr"), COMMON)["community"]["list"]) == many, what="all of them at FRR")


# --- addresses


def test_ipv4_routes_have_ipv6_next_hops_on_sessions_over_ipv6(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001, peerAddress="2001:db8:1::1"),
                       peer("bird", 65002, peerAddress="2001:db8:2::1"))
    feeder = changed(frr(65001, 65000, PLAIN, f"neighbor {HERALD} capability extended-nexthop",
                         f"af neighbor {HERALD} activate"), HERALD, "2001:db8:1::fe")
    other = changed(changed(bird(65002, 65000, {COMMON: ""}, channel="extended next hop on;"), "local 10.0.2.1",
                            "local 2001:db8:2::1"), "neighbor 10.0.2.254", "neighbor 2001:db8:2::fe")
    with running(tmp_path, herald, feeder, other) as lab:
        node = lab.node("herald")
        poll(lambda: up(lab), 30)
        # Where it has an IPv4 address it announces that one.
        node.run("ip -4 addr flush scope global")
        for name in ("frr", "bird"):
            node.run(ctl(node, "restart", name))
        for prefix, hop in (("198.51.100.0/24", ("2001:db8:1::1", "eth1")), (COMMON, ("2001:db8:2::1", "eth2"))):
            poll(lambda p=prefix, h=hop: kernel_routes(node, 4)[p]["hops"] == [h], what=f"{prefix} in the kernel")
        poll(lambda: bird_attributes(lab.node("bird"))["198.51.100.0/24"]["next_hop"].split()[0] == "2001:db8:2::fe")

        def at_frr() -> bool:
            paths = lab.node("frr").json(["vtysh", "-c", f"show bgp ipv4 unicast {COMMON} json"])["paths"]
            assert "2001:db8:1::fe" in {hop["ip"] for path in paths for hop in path["nexthops"]}, paths
            return True

        poll(at_frr, what="our IPv6 next hop at FRR")
        poll(lambda: harness.frr_paths(lab.node("frr"), COMMON) == {"eth1"}, what="in FRR's kernel")


def test_sessions_over_link_local_addresses_that_are_given(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001, peerAddress="fe80::f", interface="eth1"),
                       peer("bird", 65002, peerAddress="fe80::b", interface="eth2"))
    feeder = frr(65001, 65000, PLAIN, f"neighbor {HERALD} interface eth1",
                 f"neighbor {HERALD} capability extended-nexthop", f"af neighbor {HERALD} activate")
    # BIRD would announce :: beside its link-local address.
    hops = "extended next hop on; next hop address 2001:db8:2::1;"
    other = changed(changed(bird(65002, 65000, {COMMON: ""}, channel=hops), "local 10.0.2.1",
                            'interface "eth1"; local fe80::b'), "neighbor 10.0.2.254", "neighbor fe80::fe")
    with running(tmp_path, herald, changed(feeder, HERALD, "fe80::fe"), other) as lab:
        node = lab.node("herald")
        for one, interface, address in ((node, "eth1", "fe80::fe"), (node, "eth2", "fe80::fe"),
                                        (lab.node("frr"), "eth1", "fe80::f"), (lab.node("bird"), "eth1", "fe80::b")):
            one.run(f"ip addr add {address}/64 dev {interface} nodad scope link")
        poll(lambda: up(lab), 60)
        for prefix, hop in (("198.51.100.0/24", ("fe80::f", "eth1")), (COMMON, ("fe80::b", "eth2"))):
            poll(lambda p=prefix, h=hop: kernel_routes(node, 4)[p]["hops"] == [h], what=f"{prefix} in the kernel")
        poll(lambda: harness.frr_paths(lab.node("frr"), COMMON) == {"eth1"}, what="BIRD's route in FRR's kernel")
        poll(lambda: bird_attributes(lab.node("bird")).keys() == PLAIN.keys(), what="FRR's route at BIRD")
