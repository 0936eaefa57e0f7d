# SPDX-License-Identifier: Apache-2.0
"""FRR's topics that no other file has: each asked of Herald with FRR and BIRD at its sides. The list of all of them is
in docs/coverage.md.

    frr --eth1--10.0.1.0/24--eth1-- herald --eth2--10.0.2.0/24--eth1-- bird
         .1   2001:db8:1::/64       .254      .254   2001:db8:2::/64   .1

Each test brings its own three configurations. AS numbers are the tests' own."""

import re
import signal
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from integration import harness
from integration.harness import ctl, established, herald_best, herald_peers, holds, kernel_routes, poll
from integration.test_routes import (
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
    topology,
    up,
)
from tools.lab import Lab, Node

HERALD = "10.0.1.254"  # as FRR knows it
PLAIN = {"198.51.100.0/24": ""}
COMMON, OTHER = "203.0.113.0/24", "203.0.114.0/24"
pytestmark = pytest.mark.topics  # ./dev test topics
TAKES_IPV6 = "ipv6 { import all; export none; };"


def running(directory: Path, herald: str, frr_files: dict[str, str], bird_files: dict[str, str]
            ) -> AbstractContextManager[Lab]:
    files = {"herald": {"/etc/herald/router.yaml": herald}, "frr": frr_files, "bird": bird_files}
    return harness.running(topology(directory, files), name="frr-topics")


def guests(name: str, prefix: str, **spec: Any) -> dict[str, Any]:
    """Neighbours of a range."""
    return peer(name, 0, peerASN=None, peerAddress=None, dynamicASN="external", listenRange=prefix, **spec)


def own(*prefixes: str) -> dict[str, Any]:
    return {"apiVersion": "herald.dev/v1", "kind": "BGPAdvertisement", "metadata": {"name": "own"},
            "spec": {"prefixes": list(prefixes)}}


def ipv6(*networks: str) -> tuple[str, ...]:
    """Lines for FRR's configuration: the other family on the same session."""
    return ("address-family ipv6 unicast", f"neighbor {HERALD} activate", *(f"network {each}" for each in networks),
            "exit-address-family")


def before_neighbours(*lines: str) -> str:
    """FRR applies what it reads at once: these lines of the router, before somebody can connect."""
    return "\n ".join(["router bgp 65001", *lines]) + "\nexit\n"


def changed(files: dict[str, str], old: str, new: str) -> dict[str, str]:
    assert any(old in text for text in files.values()), old
    return {path: text.replace(old, new) for path, text in files.items()}


def configure(node: Node, *lines: str) -> None:
    node.run(["vtysh", *(word for line in ("configure terminal", *lines) for word in ("-c", line))])


def configure_bird(lab: Lab, directory: Path, files: dict[str, str]) -> None:
    (directory / "bird" / "etc_bird_bird.conf").write_text(files["/etc/bird/bird.conf"])
    lab.node("bird").run("birdc configure")


def neighbour(lab: Lab) -> dict[str, Any]:
    """What FRR says of Herald."""
    return lab.node("frr").json(["vtysh", "-c", f"show bgp neighbors {HERALD} json"])[HERALD]


def bird_says(lab: Lab) -> str:
    return lab.node("bird").run("birdc show protocols all peer").stdout


def announce(lab: Lab, line: str) -> None:
    configure(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", line)


def sessions(lab: Lab) -> dict[str, int]:
    """peer -> how many times it has been established: the same number means the same session."""
    return {name: one["establishedCount"] for name, one in herald_peers(lab.node("herald")).items()}


def exchanged(lab: Lab) -> bool:
    """FRR has BIRD's one route, and BIRD has FRR's."""
    return told_to_frr(lab).keys() == {COMMON} and bird_attributes(lab.node("bird")).keys() == PLAIN.keys()


def stale(lab: Lab, name: str) -> int:
    return herald_peers(lab.node("herald"))[name]["families"]["ipv4Unicast"]["stale"]


def told_to_frr(lab: Lab) -> dict[str, Any]:
    """prefix -> the paths that FRR has from Herald."""
    routes = lab.node("frr").json(["vtysh", "-c", "show bgp ipv4 unicast json"])["routes"]
    told = {prefix: [path for path in paths if path.get("peerId") == HERALD] for prefix, paths in routes.items()}
    return {prefix: paths for prefix, paths in told.items() if paths}


def notification(lab: Lab, name: str) -> str:
    """What ended the session last, at Herald."""
    return herald_peers(lab.node("herald"))[name].get("lastReset", {}).get("notification", "")


def down(lab: Lab, *names: str) -> bool:
    known = herald_peers(lab.node("herald"))
    return all(name not in known or known[name]["state"] != "Established" for name in names)


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
        configure(lab.node("frr"), "router bgp 65001", f"neighbor {HERALD} password new")
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
        configure(lab.node("frr"), "router bgp 65001", f"no neighbor {HERALD} passive")
        configure_bird(lab, tmp_path, changed(waits, "passive yes;", ""))
        poll(lambda: up(lab), 60)
        configure(lab.node("frr"), "router bgp 65001", f"neighbor {HERALD} shutdown message new cables")
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
        configure(lab.node("frr"), "router bgp 65001", f"no neighbor {HERALD} ttl-security hops 1")
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


# --- malformed messages


# A speaker of AS 65003 at the address given: says the UPDATEs whose bodies come in, one a line, and prints the
# NOTIFICATION that it gets.
SPEAKER = '''
import socket, struct, sys, threading
def message(kind, body=b""):
    return b"\\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body
def read():
    size, kind = struct.unpack("!HB", stream.read(19)[16:])
    return kind, stream.read(size - 19)
session = socket.create_connection(("10.0.2.254", 179), 10, (sys.argv[1], 0))
session.settimeout(None)
stream = session.makefile("rb")
four_octets = struct.pack("!BBBBI", 2, 6, 65, 4, 65003)
session.sendall(message(1, struct.pack("!BHH4sB", 4, 65003, 0, socket.inet_aton(sys.argv[1]), 8) + four_octets))
while read()[0] != 1: pass
session.sendall(message(4))
while read()[0] != 4: pass
def listen():
    kind = 0
    while kind != 3:
        kind, body = read()
    print(body[0], body[1], flush=True)
threading.Thread(target=listen, daemon=True).start()
for line in sys.stdin:
    session.sendall(message(2, bytes.fromhex(line)))
'''

ORIGIN, PATH, HOP = "40010100", "4002060201 0000fdeb", "400304 0a000211"
WELL = ORIGIN + PATH + HOP
# What comes of a route with these attributes: it is withdrawn, or the attribute is dropped (RFC 7606 section 7).
WITHDRAWN = {
    "ORIGIN 3": "40010103" + PATH + HOP,
    "ORIGIN of two octets": "4001020000" + PATH + HOP,
    "ORIGIN optional": "c0010100" + PATH + HOP,
    "no ORIGIN": PATH + HOP,
    "AS_PATH segment of type 5": ORIGIN + "4002060501 0000fdeb" + HOP,
    "AS_PATH segment longer than the attribute": ORIGIN + "4002060202 0000fdeb" + HOP,
    "AS_PATH with AS 0": ORIGIN + "40020a0202 0000fdeb 00000000" + HOP,
    "AS_PATH of somebody else": ORIGIN + "4002060201 0000fdec" + HOP,
    "no AS_PATH": ORIGIN + HOP,
    "NEXT_HOP of three octets": ORIGIN + PATH + "400303 0a0002",
    "NEXT_HOP 127.0.0.1": ORIGIN + PATH + "400304 7f000001",
    "no NEXT_HOP": ORIGIN + PATH,
    "MULTI_EXIT_DISC of three octets": WELL + "800403 000001",
    "MULTI_EXIT_DISC transitive": WELL + "c00404 00000001",
    "COMMUNITIES of five octets": WELL + "c00805 fdeb000100",
    "COMMUNITIES of none": WELL + "c00800",
    "EXTENDED COMMUNITIES of seven octets": WELL + "c01007 0002fdeb000000",
    "LARGE_COMMUNITY of eleven octets": WELL + "c0200b 0000fdeb 00000001 000002",
    "IPv6 EXTENDED COMMUNITIES of nineteen octets": WELL + "c01913" + 19 * "00",
    "ONLY_TO_CUSTOMER of three octets": WELL + "c02303 00fdeb",
    "an attribute beyond the end": WELL + "c00808 fdeb0001",
}
DROPPED = {
    "ATOMIC_AGGREGATE of one octet": WELL + "400601 00",
    "AGGREGATOR of six octets": WELL + "c00706 fdeb0a000001",
    "AGGREGATOR of AS 0": WELL + "c00708 00000000 0a000001",
    "LOCAL_PREF of another AS": WELL + "400504 000000ff",
    "ORIGINATOR_ID of another AS": WELL + "800904 0a000001",
    "CLUSTER_LIST of another AS": WELL + "800a04 0a000001",
    "AIGP where it is not enabled": WELL + "801a0b 01000b 0000000000000001",
    "a second ORIGIN": WELL + "40010102",
}
# The whole body, and the code and subcode that it is answered with.
ENDS = {
    "a prefix of 33 bits": ("0000 0014" + WELL + "21 6440000000", "3 10"),
    "attributes beyond the end": ("0000 00ff" + WELL, "3 1"),
    "an unknown well-known attribute": ("0000 0018" + WELL + "40c80100" + "1864 4000", "3 2"),
    "MP_REACH_NLRI twice": ("0000 0036" + WELL + 2 * "800e0e 0001 01 04 0a000211 00 20 64400001" + "1864 4000", "3 1"),
}


def test_malformed_routes_cost_no_session_and_leave_frr_and_what_cannot_be_read_is_answered(tmp_path) -> None:
    herald = resources({"asn": 65000}, peer("frr", 65001), guests("raw", "10.0.2.16/28"))
    cases = {f"100.64.{number}.0/24": each for number, each in enumerate([*WITHDRAWN, *DROPPED])}

    def body(prefix: str, attributes: str) -> str:
        octets = bytes.fromhex(attributes)
        return f"0000{len(octets):04x}{octets.hex()}186440{int(prefix.split('.')[2]):02x}\n"

    with running(tmp_path, herald, frr(65001, 65000, PLAIN), bird(65002, 65000, {})) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        poll(lambda: established(node, "frr"), 30)

        def speaker(number: int) -> Any:
            far.run(f"ip addr add 10.0.2.{number}/24 dev eth1")
            return far.popen(["python3", "-c", SPEAKER, f"10.0.2.{number}"], stdin=-1, stdout=-1, text=True)

        with speaker(17) as session:
            for prefix in cases:
                session.stdin.write(body(prefix, WELL))
            session.stdin.flush()
            poll(lambda: told_to_frr(lab).keys() == cases.keys(), what="all routes at FRR")
            before = sessions(lab)["frr"]
            for prefix, name in cases.items():
                session.stdin.write(body(prefix, {**WITHDRAWN, **DROPPED}[name]))
            session.stdin.flush()

            def as_specified() -> bool:
                left = {cases[prefix] for prefix in told_to_frr(lab)}
                assert left == DROPPED.keys(), left ^ DROPPED.keys()
                return True

            poll(as_specified, what="what is left at FRR")
            for prefix, name in cases.items():
                if name not in DROPPED:
                    continue
                shown = herald_best(node)[prefix]
                shown.pop("selectionReason")
                expected = {"prefix": prefix, "nextHops": ["10.0.2.17"], "peers": ["raw/10.0.2.17"], "local": False,
                            "origin": "igp", "asPath": "65003"}
                assert shown == expected, (name, shown)
            raw = herald_peers(node)["raw/10.0.2.17"]
            assert (raw["state"], raw["establishedCount"]) == ("Established", 1), raw
            session.kill()
        for number, (name, (text, answer)) in enumerate(ENDS.items(), 18):
            with speaker(number) as session:
                session.stdin.write(body("100.64.0.0", WELL) + text + "\n")
                session.stdin.flush()
                assert session.stdout.readline() == answer + "\n", name
                session.kill()
        assert sessions(lab)["frr"] == before


# --- which route is the best


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


def statics(files: dict[str, str], routes: list[str]) -> dict[str, str]:
    """BIRD with one more protocol for each route, all announced, with identifiers."""
    more = "".join(f"protocol static origin{n} {{ ipv4; route {route}; }}\n" for n, route in enumerate(routes))
    with_more = changed(files, "protocol bgp peer", f"{more}protocol bgp peer")
    return changed(with_more, 'proto = "origin"', 'proto ~ "origin*"')


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
        configure(feeder, "route-map mark permit 10", "set community 65001:2")
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


# --- restarts


KEEPS = ("bgp graceful-restart", "bgp graceful-restart preserve-fw-state")


def test_routes_outlive_a_notification_unless_it_is_a_hard_reset(tmp_path) -> None:
    def herald(hold_time: str) -> str:
        return resources({"asn": 65000}, own("192.0.2.0/24"), peer("bird", 65002),
                         peer("frr", 65001, gracefulRestart={"mode": "full"}, holdTime=hold_time))

    feeder_files = frr(65001, 65000, PLAIN, f"neighbor {HERALD} timers 1 3",
                       global_lines=before_neighbours(*KEEPS, "bgp graceful-restart restart-time 20"))
    with running(tmp_path, herald("3s"), feeder_files, bird(65002, 65000, {})) as lab:
        node, feeder = lab.node("herald"), lab.node("frr")
        poll(lambda: up(lab) and "198.51.100.0/24" in kernel_routes(node, 4), 30)
        assert herald_peers(node)["frr"]["negotiated"]["gracefulRestart"]["notification"] is True
        with harness.watched_routes(node) as changes:
            feeder.kill("bgpd", signal.SIGSTOP)
            try:
                poll(lambda: stale(lab, "frr") == 1, 15, what="stale")
                assert 'to=Connect reason="Hold Timer Expired"' in node.log("herald-speaker")
            finally:
                feeder.kill("bgpd", signal.SIGCONT)
            poll(lambda: up(lab) and stale(lab, "frr") == 0, 30, what="back")
            # A change of Herald's that opens the session anew.
            with harness.watched_routes(feeder) as changes_of_frr:
                before = herald_peers(node)["frr"]["establishedCount"]
                reload(lab, tmp_path, herald("4s"))
                poll(lambda: herald_peers(node)["frr"]["establishedCount"] > before, 30, what="opened anew")
                assert 'reason="Cease/Other Configuration Change"' in node.log("herald-speaker")
                assert [line for line in changes_of_frr() if "192.0.2.0/24" in line] == []
            assert [line for line in changes() if "198.51.100.0/24" in line] == []
        # What is meant for good is a hard reset, from either side.
        with harness.captured(feeder, "eth1", "tcp port 179") as packets:
            node.run(ctl(node, "restart", "frr"))
            administrative_reset = b"\xff" * 16 + b"\x00\x17\x03\x06\x09\x06\x04"  # within Cease/Hard Reset
            poll(lambda: administrative_reset in packets.read_bytes(), 10, what="the hard reset on the wire")
        poll(lambda: up(lab) and "198.51.100.0/24" in kernel_routes(node, 4), 30, what="back")
        configure(feeder, "router bgp 65001", f"neighbor {HERALD} shutdown")
        poll(lambda: "198.51.100.0/24" not in kernel_routes(node, 4), 10, what="nothing kept")


def test_long_lived_stale_routes_are_kept_from_neighbours_that_do_not_know_them(tmp_path) -> None:
    restart = {"gracefulRestart": {"mode": "full", "longLivedStaleTime": "60s"}}
    herald = resources({"asn": 65000}, peer("frr", 65001, **restart), peer("bird", 65002, **restart))
    lines = before_neighbours(*KEEPS, "bgp graceful-restart restart-time 1",
                              "bgp long-lived-graceful-restart stale-time 60")
    with running(tmp_path, herald, frr(65001, 65000, PLAIN, global_lines=lines),
                 bird(65002, 65000, {}, options="long lived graceful restart off;")) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        poll(lambda: up(lab) and bird_attributes(far).keys() == PLAIN.keys(), 30)
        lab.node("frr").kill("bgpd")
        poll(lambda: "llgr-stale" in herald_best(node)["198.51.100.0/24"].get("communities", []), 20, what="long-lived")
        poll(lambda: bird_attributes(far) == {}, what="withdrawn from BIRD")
        assert "198.51.100.0/24" in kernel_routes(node, 4), "still used here"
        [sent] = [each for each in node.json(ctl(node, "explain", "route", "198.51.100.0/24", "-o", "json"))["exports"]
                  if each["peer"] == "bird"]
        assert sent["reason"].startswith("long-lived stale"), sent


def test_all_paths_of_a_neighbour_outlive_its_restart_and_become_a_last_resort(tmp_path) -> None:
    restart = {"gracefulRestart": {"mode": "full", "longLivedStaleTime": "60s"}, "addPath": {"receive": True}}
    herald = resources({"asn": 65000}, peer("frr", 65001), peer("bird", 65002, **restart))
    options = ("graceful restart yes; graceful restart time 1;"
               "long lived graceful restart yes; long lived stale time 60;")
    other = statics(bird(65002, 65000, {}, options=options, channel="add paths tx; next hop keep;"),
                    [f"{COMMON} via 10.0.2.{number}" for number in (101, 102)])
    with running(tmp_path, herald, frr(65001, 65000, PLAIN), other) as lab:
        node, far = lab.node("herald"), lab.node("bird")
        poll(lambda: up(lab) and len(kernel_routes(node, 4)[COMMON]["hops"]) == 2, 30)
        with harness.watched_routes(node) as changes:
            far.kill("bird")
            poll(lambda: "llgr-stale" in herald_best(node)[COMMON].get("communities", []), 20, what="a last resort")
            assert stale(lab, "bird") == 2
            # -R: it says that it has gone on forwarding.
            far.start("bird", [*far.record.processes["bird"].argv, "-R"])
            poll(lambda: up(lab) and stale(lab, "bird") == 0, 60, what="back")
            assert "communities" not in herald_best(node)[COMMON]
            assert [line for line in changes() if line.startswith("Deleted") and COMMON in line] == []
        assert len(kernel_routes(node, 4)[COMMON]["hops"]) == 2


@pytest.mark.parametrize("apart", [False, True], ids=["one-control-plane", "apart"])
def test_a_loss_by_bfd_costs_routes_where_it_cannot_be_the_control_plane(tmp_path, apart: bool) -> None:
    """FRR's bfdd is frozen. Its packets have the C bit where FRR is to look at it itself (RFC 5882 section 4.3)."""
    profile = {"apiVersion": "herald.dev/v1", "kind": "BFDProfile", "metadata": {"name": "fast"},
               "spec": {"receiveInterval": 50, "transmitInterval": 50}}
    herald = resources({"asn": 65000}, profile, peer("bird", 65002),
                       peer("frr", 65001, gracefulRestart={"mode": "full"}, bfdProfile="fast"))
    fast = "bfd\n profile fast\n  receive-interval 50\n  transmit-interval 50\n exit\nexit\n"
    watched = [f"neighbor {HERALD} bfd profile fast", *([f"neighbor {HERALD} bfd check-control-plane-failure"] * apart)]
    lines = fast + before_neighbours(*KEEPS)
    feeder = changed(frr(65001, 65000, PLAIN, *watched, global_lines=lines), "bgpd=yes", "bgpd=yes\nbfdd=yes")
    with running(tmp_path, herald, feeder, bird(65002, 65000, {})) as lab:
        node = lab.node("herald")

        def settled() -> bool:
            session = herald_peers(node)["frr"]["bfd"]
            assert session["state"] == "Up" and session["uptimeMsec"] > 2500, session
            assert session["remote"]["controlPlaneIndependent"] is apart, session
            return up(lab) and "198.51.100.0/24" in kernel_routes(node, 4)

        poll(settled, 40)
        before = herald_peers(node)["frr"]["establishedCount"]
        with harness.watched_routes(node) as changes:
            lab.node("frr").kill("bfdd", signal.SIGSTOP)
            try:
                # BFD is not asked for before BGP may begin anew.
                poll(lambda: up(lab) and herald_peers(node)["frr"]["establishedCount"] > before, 20, what="begun anew")
                assert 'reason="Cease/BFD Down"' in node.log("herald-speaker")
                poll(lambda: "198.51.100.0/24" in kernel_routes(node, 4) and stale(lab, "frr") == 0, 20)
                gone = [line for line in changes() if line.startswith("Deleted") and "198.51.100.0/24" in line]
                assert len(gone) == int(apart), gone
            finally:
                lab.node("frr").kill("bfdd", signal.SIGCONT)
