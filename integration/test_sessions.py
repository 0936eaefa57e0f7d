# SPDX-License-Identifier: Apache-2.0
"""Sessions beyond the plain ones: unnumbered links, ranges of neighbours, draining, roles; with FRR and BIRD.

                        eth1 -- eth1  frr (65001)   unnumbered, and so is the second link
    herald (65000)      eth2 -- eth2
                        eth3 -- eth1  bird (65002)  10.0.3.2, from the range 10.0.3.0/24; role provider

The links to FRR have no addresses but link-local ones, the same at FRR's end of both. FRR's loopback is reached over
both by IPv4 routes with IPv6 next hops.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from integration import harness
from integration.between import reload
from integration.bgp_peers import bird_routes
from integration.harness import PATIENCE, configure_frr, ctl, herald_best, herald_peers, kernel_routes, poll
from tools.lab import Lab

FRR = ("198.51.100.0/24", "2001:db8:feed::/48")
BIRD = ("203.0.113.0/24", "2001:db8:beef::/48")
LINKS = ("eth1", "eth2")  # to FRR, at both ends
OWN, OWN_ADDRESS = "192.0.2.0/24", "192.0.2.1"
BFD_INTERVAL = round(50 * PATIENCE)  # three of them are the detection time; hold times are 9 s

HERALD_FILE = f"""
apiVersion: herald.dev/v1
kind: BGPConfiguration
metadata: {{name: default}}
spec: {{asn: 65000, routerID: 10.0.3.1}}
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {{name: first}}
spec: {{dynamicASN: external, interface: eth1, connectTime: 1s, holdTime: 9s, import: [accept-all], export: [accept-all]}}
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {{name: second}}
spec: {{dynamicASN: external, interface: eth2, connectTime: 1s, holdTime: 9s, import: [accept-all], export: [accept-all]}}
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {{name: guests}}
spec:
  dynamicASN: external
  listenRange: 10.0.3.0/24
  holdTime: 9s
  role: customer
  import: [accept-all]
  export: [accept-all]
---
apiVersion: herald.dev/v1
kind: BGPAdvertisement
metadata: {{name: own}}
spec: {{prefixes: [{OWN}]}}
---
apiVersion: herald.dev/v1
kind: BFDProfile
metadata: {{name: fast}}
spec: {{receiveInterval: {BFD_INTERVAL}, transmitInterval: {BFD_INTERVAL}}}
"""

FRR_FILES = {
    "/etc/frr/daemons": "bgpd=yes\nbfdd=yes\n",
    "/etc/frr/frr.conf": f"""
frr defaults datacenter
interface lo
 ip address 198.51.100.1/32
!
ip route {FRR[0]} blackhole
ipv6 route {FRR[1]} blackhole
!
bfd
 profile fast
  receive-interval {BFD_INTERVAL}
  transmit-interval {BFD_INTERVAL}
!
router bgp 65001
 bgp router-id 198.51.100.1
 no bgp ebgp-requires-policy
 neighbor eth1 interface remote-as external
 neighbor eth2 interface remote-as external
 neighbor eth1 timers 3 9
 neighbor eth2 timers 3 9
 neighbor eth1 timers connect 1
 neighbor eth2 timers connect 1
 address-family ipv4 unicast
  network {FRR[0]}
 exit-address-family
 address-family ipv6 unicast
  network {FRR[1]}
  neighbor eth1 activate
  neighbor eth2 activate
 exit-address-family
""",
}

BIRD_FILES = {
    "/etc/bird/bird.conf": f"""
router id 10.0.3.2;
protocol device {{ scan time 1; }}
protocol direct {{ ipv4; ipv6; interface "eth*"; }}
protocol static {{ ipv4; route {BIRD[0]} blackhole; }}
protocol static {{ ipv6; route {BIRD[1]} blackhole; }}
protocol bgp herald {{
  local 10.0.3.2 as 65002;
  neighbor 10.0.3.1 as 65000;
  local role provider;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export where source = RTS_STATIC; }};
  ipv6 {{ import all; export where source = RTS_STATIC; next hop address 2001:db8:3::2; }};
}}
"""
}


def topology(directory: Path, resources: str) -> Path:
    speaker = "herald-speaker --node herald --resources /etc/herald/router.yaml --control unix:/run/herald/herald.sock"
    nodes = {
        "herald": (
            "herald:latest",
            {"/etc/herald/router.yaml": resources},
            ["ip addr add 2001:db8:3::1/64 dev eth3 nodad", "ip addr add 10.0.3.1/24 dev eth3"]
            + [f"ip addr add {OWN_ADDRESS}/32 dev lo"],
        ),
        # The same link-local address at the far end of both links.
        "frr": (
            "frrouting/frr:v8.4.4",
            FRR_FILES,
            [f"ip addr add fe80::f/64 dev {interface} nodad scope link" for interface in LINKS]
            # A router that takes default routes from others all the same.
            + [f"sysctl -qw net.ipv6.conf.{interface}.accept_ra=2" for interface in LINKS],
        ),
        "bird": (
            "bird:2",
            BIRD_FILES,
            ["ip addr add 2001:db8:3::2/64 dev eth1 nodad", "ip addr add 10.0.3.2/24 dev eth1"],
        ),
    }
    described = {}
    for name, (image, files, commands) in nodes.items():
        binds = harness.bound_files(directory, name, files)
        described[name] = {"kind": "linux", "image": image, "network-mode": "none", "binds": binds, "exec": commands}
        described[name]["sysctls"] = {
            "net.ipv4.ip_forward": 1,
            "net.ipv6.conf.all.forwarding": 1,
            "net.ipv6.conf.default.accept_dad": 0,
        }
    described["herald"]["cmd"] = speaker
    # It has no other link-local address.
    described["frr"]["sysctls"]["net.ipv6.conf.default.addr_gen_mode"] = 1
    links = [["herald:eth1", "frr:eth1"], ["herald:eth2", "frr:eth2"], ["herald:eth3", "bird:eth1"]]
    path = directory / "sessions.clab.yml"
    path.write_text(
        yaml.safe_dump(
            {"name": "sessions", "topology": {"nodes": described, "links": [{"endpoints": ends} for ends in links]}}
        )
    )
    return path


def ready_at_frr(lab: Lab, interface: str) -> bool:
    shown = lab.node("frr").run(["vtysh", "-c", f"show interface {interface}"]).stdout
    return "line protocol is up" in shown and "fe80::f/64" in shown


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions")


@pytest.fixture(scope="module")
def lab(directory: Path) -> Iterator[Lab]:
    # FRR forgets a neighbour that it hears of while the link comes up, and for good: so Herald is silent until then.
    silent = "\n---\n".join(one for one in HERALD_FILE.split("\n---\n") if "interface:" not in one)
    with harness.running(topology(directory, silent), name="sessions") as lab:
        poll(lambda: all(ready_at_frr(lab, link) for link in LINKS), 20, what="FRR sees its links")
        reload(lab, directory, HERALD_FILE)
        poll(lambda: harness.established(lab.node("herald"), "first", "second", "guests/10.0.3.2"), 60, what="all up")
        poll(lambda: {*FRR, *BIRD} <= herald_best(lab.node("herald")).keys(), 20, what="all routes at Herald")
        yield lab


def test_both_ends_of_an_unnumbered_link_find_each_other(lab: Lab) -> None:
    peers = herald_peers(lab.node("herald"))
    assert (peers["first"]["address"], peers["first"]["interface"]) == ("fe80::f", "eth1")
    assert (peers["second"]["address"], peers["second"]["interface"]) == ("fe80::f", "eth2")
    for name in ("first", "second"):
        assert peers[name]["negotiated"]["ipv4OverIpv6NextHops"] is True
        assert peers[name]["negotiated"]["peerAsn"] == 65001
    states = lambda: {name: state for name, (state, _) in harness.frr_sessions(lab.node("frr")).items()}  # noqa: E731
    poll(lambda: states() == {"eth1": "Established", "eth2": "Established"}, 10, what="both up at FRR")


def test_ipv4_routes_go_over_both_links_by_ipv6_next_hops(lab: Lab) -> None:
    herald = lab.node("herald")
    for prefix in FRR:
        both = ["fe80::f%eth1", "fe80::f%eth2"]
        poll(lambda p=prefix: sorted(herald_best(herald)[p]["nextHops"]) == both, what=f"{prefix} by both links")
        family = 6 if ":" in prefix else 4
        hops = [("fe80::f", "eth1"), ("fe80::f", "eth2")]
        in_kernel = lambda p=prefix, f=family: sorted(kernel_routes(herald, f)[p]["hops"])  # noqa: E731
        poll(lambda: in_kernel() == hops, 10, what=f"{prefix} by both links in the kernel")
    poll(lambda: harness.frr_paths(lab.node("frr"), BIRD[0]) == {"eth1", "eth2"}, 15, what="IPv4 at FRR over both")
    # There and back over links that have no IPv4 address at all.
    ping = ["ping", "-c1", "-W1", "-n", "-I", OWN_ADDRESS, "198.51.100.1"]
    poll(lambda: herald.run(ping, check=False).returncode == 0, 10, what="FRR's loopback reached")


def test_a_link_that_goes_leaves_the_other(lab: Lab) -> None:
    herald = lab.node("herald")
    lab.link_down("herald", "eth2")
    poll(lambda: herald_best(herald)[FRR[0]]["nextHops"] == ["fe80::f%eth1"], 20, what="one way left")
    poll(lambda: kernel_routes(herald, 4)[FRR[0]]["hops"] == [("fe80::f", "eth1")], 10, what="one way in the kernel")
    lab.link_up("herald", "eth2")
    lab.node("frr").run("ip addr replace fe80::f/64 dev eth2 nodad scope link")
    poll(lambda: len(herald_best(herald)[FRR[0]]["nextHops"]) == 2, 60, what="both ways again")


def test_nobody_on_the_link_gets_a_default_route(lab: Lab) -> None:
    frr = lab.node("frr")
    takes = frr.run("sysctl -n net.ipv6.conf.eth1.accept_ra net.ipv6.conf.eth2.accept_ra").stdout.split()
    assert takes == ["2", "2"], "FRR's kernel would take one"
    # It has heard Herald on both links: the sessions are up.
    assert [route for route in frr.json("ip -6 -json route show default") if route.get("protocol") == "ra"] == []


def test_a_neighbour_of_a_range_is_there_with_its_session_only(lab: Lab) -> None:
    herald, bird = lab.node("herald"), lab.node("bird")
    peer = herald_peers(herald)["guests/10.0.3.2"]
    assert (peer["dynamic"], peer["group"], peer["passive"]) == (True, "guests", True)
    bird.kill("bird")
    poll(lambda: "guests/10.0.3.2" not in herald_peers(herald), 15, what="gone with its session")
    poll(lambda: BIRD[0] not in herald_best(herald), 10)
    bird.start("bird")
    poll(lambda: harness.established(herald, "guests/10.0.3.2"), 30, what="back")


def test_roles_are_agreed_on_and_what_comes_from_the_provider_is_marked(lab: Lab) -> None:
    herald = lab.node("herald")
    poll(lambda: harness.established(herald, "guests/10.0.3.2"), 30)
    assert herald_peers(herald)["guests/10.0.3.2"]["negotiated"]["role"] == {"ours": "customer", "confirmed": True}
    # BIRD is the provider and marks what it sends with its own AS.
    poll(lambda: herald_best(herald)[BIRD[0]]["onlyToCustomer"] == 65002, 10)
    shown = lab.node("bird").run("birdc show protocols all herald").stdout
    assert "Role: customer" in shown, shown


def test_draining_is_heard_by_all_and_taken_back(lab: Lab) -> None:
    herald, frr, bird = lab.node("herald"), lab.node("frr"), lab.node("bird")
    poll(lambda: harness.established(herald, "first", "second", "guests/10.0.3.2"), 60)

    def communities() -> str:
        return str(frr.json(["vtysh", "-c", f"show bgp ipv4 unicast {OWN} json"])["paths"])

    poll(lambda: "gracefulShutdown" not in communities(), 15, what="the route at FRR")
    states = lambda: {state for state, _ in harness.frr_sessions(frr).values()}  # noqa: E731
    poll(lambda: states() == {"Established"}, 10, what="both links up at FRR")
    poll(lambda: OWN in bird_routes(bird, "herald"), 10, what="the route at BIRD")
    before = harness.frr_sessions(frr)
    herald.run(ctl(herald, "drain"))
    poll(lambda: "gracefulShutdown" in communities() or "graceful-shutdown" in communities(), 10, what="FRR told")
    bird_knows = f"birdc show route all {OWN}"
    poll(lambda: "(65535,0)" in bird.run(bird_knows).stdout, 10, what="BIRD told")
    assert OWN in bird_routes(bird, "herald")
    assert herald.json(ctl(herald, "status", "-o", "json"))["draining"] is True
    herald.run(ctl(herald, "undrain"))
    poll(lambda: "gracefulShutdown" not in communities(), 10, what="taken back")
    assert harness.frr_sessions(frr) == before, "no session was touched"


def test_a_peer_that_is_about_to_go_is_the_last_resort(lab: Lab) -> None:
    """FRR announces one prefix by both links, by the first with the community."""
    herald, frr = lab.node("herald"), lab.node("frr")
    configuration = [
        "route-map LEAVING permit 10",
        "set community graceful-shutdown",
        "exit",
        "router bgp 65001",
        "address-family ipv4 unicast",
    ]

    def configure(*last: str) -> None:
        configure_frr(frr, *configuration, *last)

    poll(lambda: len(herald_best(herald)[FRR[0]]["nextHops"]) == 2, 30)
    configure("neighbor eth1 route-map LEAVING out")
    poll(lambda: herald_best(herald)[FRR[0]]["nextHops"] == ["fe80::f%eth2"], 15, what="the other way")
    configure("no neighbor eth1 route-map LEAVING out")
    poll(lambda: len(herald_best(herald)[FRR[0]]["nextHops"]) == 2, 15, what="both ways again")


def test_bfd_watches_both_unnumbered_links_and_a_frozen_neighbour_is_lost_at_once(lab: Lab, directory: Path) -> None:
    herald, frr = lab.node("herald"), lab.node("frr")
    configure_frr(frr, "router bgp 65001", *(f"neighbor {link} bfd profile fast" for link in LINKS))
    reload(lab, directory, HERALD_FILE.replace("interface: eth", "bfdProfile: fast, interface: eth"))

    def at_herald() -> bool:
        known = {name: herald_peers(herald)[name]["bfd"] for name in ("first", "second")}
        assert all(one["state"] == "Up" and one["uptimeMsec"] > 2500 for one in known.values()), known
        return harness.established(herald, "first", "second")

    def at_frr() -> bool:
        sessions = frr.json(["vtysh", "-c", "show bfd peers json"])
        assert {one["interface"]: one["status"] for one in sessions} == dict.fromkeys(LINKS, "up"), sessions
        return True

    def both() -> bool:
        return at_herald() and at_frr() and {*FRR} <= herald_best(herald).keys()

    poll(both, 40, what="BFD up on both links at both ends")
    began = time.monotonic()
    for process in ("bfdd", "bgpd", "zebra"):
        frr.kill(process, signal.SIGSTOP)
    try:
        poll(lambda: not {*FRR} & herald_best(herald).keys(), 5, what="its routes gone")
        assert harness.soon(began, 1.0), "the hold time is 9 s"
        for name in ("first", "second"):
            assert herald_peers(herald)[name]["lastReset"]["notification"] == "Cease/BFD Down"
    finally:
        for process in ("bfdd", "bgpd", "zebra"):
            frr.kill(process, signal.SIGCONT)
    poll(both, 60, what="up again")
