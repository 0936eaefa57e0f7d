# SPDX-License-Identifier: Apache-2.0
"""Graceful restart (RFC 4724, RFC 8538, RFC 9494) with FRR and BIRD: Herald restarts and they help, and the other way.

    198.51.100.1                                                              203.0.113.1
    2001:db8:feed::1                                                          2001:db8:beef::1
      frr (65001) --eth1-------eth1-- herald (65000) --eth2-------eth1-- bird (65002)
              10.0.1.2     10.0.1.1                  10.0.2.1     10.0.2.2

Everybody forwards by what BGP has put into the kernel, so a route that goes is a packet that is lost: pings run from
end to end while somebody is killed.
"""

import contextlib
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from integration import harness
from integration.harness import PATIENCE, configure_frr, herald_best, herald_peers, holds, kernel_routes, poll
from tools.lab import Lab, Node

FRR = ("198.51.100.0/24", "2001:db8:feed::/48")
BIRD = ("203.0.113.0/24", "2001:db8:beef::/48")
NO_LLGR = "203.0.114.0/24"  # of BIRD, with the community that forbids to keep it for long
PINGS = (("198.51.100.1", "203.0.113.1"), ("2001:db8:feed::1", "2001:db8:beef::1"))


def herald_files(restart: str) -> dict[str, str]:
    peers = "".join(
        f"""---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {{name: {name}}}
spec:
  peerASN: {asn}
  peerAddress: {address}
  holdTime: 30s
  connectTime: 1s
  import: [accept-all]
  export: [accept-all]
  {restart}
"""
        for name, asn, address in (("frr", 65001, "10.0.1.2"), ("bird", 65002, "10.0.2.2"))
    )
    own = "apiVersion: herald.dev/v1\nkind: BGPConfiguration\nmetadata: {name: default}\n"
    return {"/etc/herald/router.yaml": f"{own}spec: {{asn: 65000, routerID: 10.0.1.1}}\n{peers}"}


FRR_FILES = {
    "/etc/frr/daemons": 'bgpd=yes\nzebra_options="-A 127.0.0.1 -K 60"\n',
    "/etc/frr/frr.conf": f"""
frr defaults datacenter
interface lo
 ip address 198.51.100.1/32
 ipv6 address 2001:db8:feed::1/128
!
ip route {FRR[0]} blackhole
ip route 192.0.2.0/24 blackhole
ipv6 route {FRR[1]} blackhole
!
router bgp 65001
 bgp router-id 10.0.1.2
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 bgp graceful-restart restart-time 40
 bgp graceful-restart rib-stale-time 20
 bgp long-lived-graceful-restart stale-time 60
 no bgp ebgp-requires-policy
 neighbor 10.0.1.1 remote-as 65000
 neighbor 10.0.1.1 timers 10 30
 neighbor 10.0.1.1 timers connect 1
 address-family ipv4 unicast
  network {FRR[0]}
 exit-address-family
 address-family ipv6 unicast
  network {FRR[1]}
  neighbor 10.0.1.1 activate
 exit-address-family
""",
}

BIRD_FILES = {
    "/etc/bird/bird.conf": f"""
router id 10.0.2.2;
protocol device {{ scan time 1; }}
protocol direct {{ ipv4; ipv6; interface "eth*"; }}
protocol kernel {{ ipv4 {{ export where source = RTS_BGP; }}; }}
protocol kernel {{ ipv6 {{ export where source = RTS_BGP; }}; }}
protocol static {{
  ipv4;
  route {BIRD[0]} blackhole;
  route {NO_LLGR} blackhole {{ bgp_community.add((65535, 7)); }};
}}
protocol static {{ ipv6; route {BIRD[1]} blackhole; }}
protocol bgp herald {{
  local 10.0.2.2 as 65002;
  neighbor 10.0.2.1 as 65000;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  graceful restart yes; graceful restart time 40;
  long lived graceful restart yes; long lived stale time 60;
  ipv4 {{ import all; export where source = RTS_STATIC; }};
  ipv6 {{ import all; export where source = RTS_STATIC; next hop address 2001:db8:2::2; }};
}}
"""
}


def topology(directory: Path, restart: str) -> Path:
    speaker = "herald-speaker --node herald --resources /etc/herald/router.yaml --control unix:/run/herald/herald.sock"
    nodes = {
        "frr": ("frrouting/frr:v8.4.4", FRR_FILES, {"eth1": ("10.0.1.2/24", "2001:db8:1::2/64")}, []),
        "herald": (
            "herald:latest",
            herald_files(restart),
            {"eth1": ("10.0.1.1/24", "2001:db8:1::1/64"), "eth2": ("10.0.2.1/24", "2001:db8:2::1/64")},
            [],
        ),
        "bird": (
            "bird:2",
            BIRD_FILES,
            {"eth1": ("10.0.2.2/24", "2001:db8:2::2/64")},
            ["ip addr add 203.0.113.1/32 dev lo", "ip addr add 2001:db8:beef::1/128 dev lo"],
        ),
    }
    described = {}
    for name, (image, files, interfaces, commands) in nodes.items():
        binds = harness.bound_files(directory, name, files)
        setup = [
            f"ip addr add {address} dev {interface}" + (" nodad" if ":" in address else "")
            for interface, addresses in interfaces.items()
            for address in reversed(addresses)
        ]
        described[name] = {"kind": "linux", "image": image, "network-mode": "none", "binds": binds}
        described[name]["exec"] = [*commands, *setup]
        described[name]["sysctls"] = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
    described["herald"]["cmd"] = speaker
    links = [{"endpoints": ["frr:eth1", "herald:eth1"]}, {"endpoints": ["herald:eth2", "bird:eth1"]}]
    path = directory / "restart.clab.yml"
    path.write_text(yaml.safe_dump({"name": "restart", "topology": {"nodes": described, "links": links}}))
    return path


@contextlib.contextmanager
def lab_with(directory: Path, restart: str, name: str) -> Iterator[Lab]:
    with harness.running(topology(directory, restart), name=name) as lab:
        converge(lab)
        yield lab


def converge(lab: Lab) -> None:
    poll(lambda: harness.established(lab.node("herald"), "frr", "bird"), 60, what="both sessions up")
    for source, target in PINGS:
        poll(lambda s=source, t=target: reaches(lab.node("frr"), s, t), 40, what=f"{target} reached from {source}")


def reaches(node: Node, source: str, target: str) -> bool:
    return node.run(["ping", "-c1", "-W1", "-n", "-I", source, target], check=False).returncode == 0


@contextlib.contextmanager
def counted_losses(lab: Lab) -> Iterator[Callable[[], dict[str, int]]]:
    """Within, the ends ping each other; the function ends that and tells how many packets were lost, by target."""
    commands = [["ping", "-n", "-q", "-i", "0.02", "-W", "2", "-I", source, target] for source, target in PINGS]
    children = [lab.node("frr").popen(words, stdout=-1, stderr=-2, text=True) for words in commands]

    def losses() -> dict[str, int]:
        lost = {}
        for (_, target), child in zip(PINGS, children, strict=True):
            child.send_signal(signal.SIGINT)
            text = child.communicate(timeout=20)[0]
            sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", text).groups())
            assert sent > 20, text
            lost[target] = max(0, sent - received - 1)  # the last one may still have been under way
        return lost

    try:
        yield losses
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()


def has_its_configuration(frr: Node) -> bool:
    """vtysh says nothing when a daemon that has just been started does not listen yet."""
    frr.run(["vtysh", "-b"], check=False)
    return "10.0.1.1" in frr.run(["vtysh", "-c", "show bgp summary"], check=False).stdout


def restart_view(node: Node, peer: str) -> dict:
    return herald_peers(node)[peer]["gracefulRestart"]


def all_routes(node: Node) -> bool:
    best = herald_best(node)
    return all(prefix in best for prefix in (*FRR, *BIRD))


def settled(lab: Lab) -> bool:
    """The restarted speaker has told everybody everything."""
    node = lab.node("herald")
    assert harness.established(node, "frr", "bird") and all_routes(node)
    return node.json(harness.ctl(node, "status", "-o", "json"))["restarting"] is False


def marked_at(lab: Lab) -> set[str]:
    """What FRR and BIRD have from Herald as long-lived stale. A LookupError when something is not there."""
    marked = set()
    for prefix in BIRD:
        family = "ipv6" if ":" in prefix else "ipv4"
        [path] = lab.node("frr").json(["vtysh", "-c", f"show bgp {family} unicast {prefix} json"])["paths"]
        if "llgr-stale" in path.get("community", {}).get("string", ""):
            marked.add(prefix)
    for prefix in FRR:
        shown = lab.node("bird").run(f"birdc show route all {prefix} protocol herald").stdout
        assert f"{prefix} " in shown, shown
        if "(65535,6)" in shown:
            marked.add(prefix)
    return marked


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    restart = "gracefulRestart: {mode: full, longLivedStaleTime: 60s}"
    with lab_with(tmp_path_factory.mktemp("full"), restart, "graceful-restart") as lab:
        yield lab


def test_both_peers_agree_on_it(lab: Lab) -> None:
    peers = herald_peers(lab.node("herald"))
    for name in ("frr", "bird"):
        terms = peers[name]["negotiated"]["gracefulRestart"]
        assert terms["restartTimeSec"] == 40, terms
        assert terms["ipv4Unicast"]["kept"] and terms["ipv6Unicast"]["kept"], terms
        assert terms["ipv4Unicast"]["longLivedStaleTimeSec"] == 60, terms
        poll(lambda n=name: restart_view(lab.node("herald"), n)["ipv4Unicast"]["endOfRib"] is True, 10, what="End-of-RIB")
    assert peers["frr"]["negotiated"]["gracefulRestart"]["notification"] is True, "FRR has RFC 8538"
    neighbour = lab.node("frr").json(["vtysh", "-c", "show bgp ipv4 neighbors 10.0.1.1 graceful-restart json"])
    assert "Restart" in str(neighbour), neighbour
    shown = lab.node("bird").run("birdc show protocols all herald").stdout
    assert re.search(r"Neighbor capabilities.*Graceful restart.*Restart time: 120", shown, re.DOTALL), shown


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["crash", "stop"])
def test_no_packet_is_lost_while_the_speaker_restarts(lab: Lab, number: signal.Signals) -> None:
    herald = lab.node("herald")
    converge(lab)
    with counted_losses(lab) as losses, harness.watched_routes(herald) as changes:
        herald.kill("herald-speaker", number)
        assert len([1 for family in (4, 6) for prefix in kernel_routes(herald, family) if prefix in FRR + BIRD]) == 4
        herald.start("herald-speaker")
        poll(lambda: settled(lab), 60, what="everybody told everything again")
        # What is left over from before the restart goes a few seconds later.
        holds(lambda: all_routes(herald), 5, what="all routes")
        lost, seen = losses(), changes()
    assert set(lost.values()) == {0}, lost
    assert not [line for line in seen if "Deleted" in line and any(prefix in line for prefix in FRR + BIRD)], seen


def test_what_was_withdrawn_while_the_speaker_was_away_leaves_the_kernel(lab: Lab) -> None:
    herald, frr = lab.node("herald"), lab.node("frr")
    family = ("router bgp 65001", "address-family ipv4 unicast")
    configure_frr(frr, *family, "network 192.0.2.0/24")
    poll(lambda: "192.0.2.0/24" in kernel_routes(herald, 4), 10, what="the third prefix in the kernel")
    herald.kill("herald-speaker")
    configure_frr(frr, *family, "no network 192.0.2.0/24")
    assert "192.0.2.0/24" in kernel_routes(herald, 4)
    herald.start("herald-speaker")
    poll(lambda: settled(lab), 60, what="everybody told everything again")
    poll(lambda: "192.0.2.0/24" not in kernel_routes(herald, 4), 30, what="the third prefix swept")
    assert FRR[0] in kernel_routes(herald, 4)


def test_the_routes_of_a_peer_that_restarts_stay_in_the_kernel(lab: Lab) -> None:
    """FRR's bgpd is killed; zebra keeps its routes, Herald keeps bgpd's."""
    herald, frr = lab.node("herald"), lab.node("frr")
    converge(lab)
    with counted_losses(lab) as losses, harness.watched_routes(herald) as changes:
        frr.kill("bgpd")
        kept = poll(lambda: herald_peers(herald)["frr"]["families"]["ipv4Unicast"]["stale"], 10, what="stale routes")
        assert kept == 1 and restart_view(herald, "frr")["ipv4Unicast"]["phase"] == "restarting"
        frr.start("bgpd")
        poll(lambda: has_its_configuration(frr), 20, what="bgpd configured")
        poll(lambda: settled(lab), 60, what="the session back")
        poll(lambda: restart_view(herald, "frr")["ipv6Unicast"]["phase"] == "none", 60, what="End-of-RIB")
        lost, seen = losses(), changes()
    assert not [line for line in seen if "Deleted" in line and any(prefix in line for prefix in FRR)], seen
    assert lost[PINGS[0][1]] == 0, lost
    # zebra takes its IPv6 route away and puts it back when bgpd says it anew: a moment on an idle machine, at FRR.
    assert lost[PINGS[1][1]] < 10 * PATIENCE, lost


def test_a_route_that_a_peer_no_longer_has_goes_at_its_end_of_rib_and_the_others_stay(lab: Lab) -> None:
    """FRR's bgpd reads its file again, which knows nothing of the third prefix."""
    herald, frr, bird = lab.node("herald"), lab.node("frr"), lab.node("bird")
    third = "192.0.2.0/24"
    converge(lab)
    configure_frr(frr, "router bgp 65001", "address-family ipv4 unicast", f"network {third}")
    poll(lambda: third in kernel_routes(herald, 4) and third in kernel_routes(bird, 4), 15, what="the third at both")
    with harness.watched_routes(herald) as changes, harness.watched_routes(bird) as changes_of_bird:
        frr.kill("bgpd")
        poll(lambda: herald_peers(herald)["frr"]["families"]["ipv4Unicast"]["stale"] == 2, 10, what="both stale")
        assert third in herald_best(herald) and third in kernel_routes(bird, 4)
        frr.start("bgpd")
        poll(lambda: has_its_configuration(frr), 20, what="bgpd configured")
        poll(lambda: restart_view(herald, "frr")["ipv4Unicast"]["phase"] == "none", 60, what="End-of-RIB")
        poll(lambda: third not in herald_best(herald), 10, what="gone from the table")
        poll(lambda: third not in kernel_routes(herald, 4), 10, what="gone from the kernel")
        poll(lambda: third not in kernel_routes(bird, 4), 10, what="gone at BIRD")
        assert all_routes(herald)
        for seen in (changes(), changes_of_bird()):
            gone = [line for line in seen if "Deleted" in line]
            assert any(third in line for line in gone), seen
            assert not [line for line in gone if any(prefix in line for prefix in FRR)], gone


def test_a_peer_that_stays_away_becomes_a_last_resort(lab: Lab) -> None:
    """BIRD is gone for longer than its restart time, and has agreed to the long-lived form."""
    herald, frr = lab.node("herald"), lab.node("frr")
    converge(lab)
    poll(lambda: NO_LLGR in kernel_routes(herald, 4) and NO_LLGR in kernel_routes(frr, 4), 10, what="the third prefix")
    lab.node("bird").kill("bird")
    try:
        poll(lambda: restart_view(herald, "bird")["ipv4Unicast"]["phase"] == "restarting", 10)
        assert NO_LLGR in herald_best(herald)
        poll(lambda: restart_view(herald, "bird")["ipv4Unicast"]["phase"] == "long-lived", 60, what="long-lived stale")
        poll(lambda: "llgr-stale" in str(herald_best(herald)[BIRD[0]].get("communities")), 10, what="the community")
        assert NO_LLGR not in herald_best(herald) and NO_LLGR not in kernel_routes(herald, 4)

        def frr_knows() -> bool:
            paths = frr.json(["vtysh", "-c", f"show bgp ipv4 unicast {BIRD[0]} json"])["paths"]
            assert "llgrStale" in str(paths) or "llgr-stale" in str(paths), paths
            return True

        poll(frr_knows, 10, what="FRR told with the community")
        poll(lambda: NO_LLGR not in kernel_routes(frr, 4), 10, what="what may not be kept is gone at FRR")
        poll(lambda: BIRD[0] not in herald_best(herald), 90, what="the long-lived stale time over")
    finally:
        lab.node("bird").start("bird")
    converge(lab)


def test_a_speaker_that_stays_away_is_a_last_resort_at_both_peers_until_it_is_back(tmp_path: Path) -> None:
    """Herald is gone for longer than its restart time; FRR and BIRD keep what it told, marked (RFC 9494)."""
    restart = "gracefulRestart: {mode: full, restartTime: 2s, longLivedStaleTime: 300s}"
    with lab_with(tmp_path, restart, "long-lived-restart") as lab:
        herald = lab.node("herald")
        poll(lambda: marked_at(lab) == set(), 15, what="nothing marked")
        with counted_losses(lab) as losses:
            herald.kill("herald-speaker")
            poll(lambda: marked_at(lab) == {*FRR, *BIRD}, 60, what="LLGR_STALE at both, in both families")
            herald.start("herald-speaker")
            poll(lambda: settled(lab) and marked_at(lab) == set(), 60, what="fresh at both")
            lost = losses()
        # FRR and BIRD put a route into the kernel anew when its attributes change.
        assert all(count < 10 * PATIENCE for count in lost.values()), lost


def test_without_it_a_restart_is_visible(tmp_path: Path) -> None:
    """The counterpart: the same topology, measured the same way, loses packets."""
    with lab_with(tmp_path, 'gracefulRestart: {mode: "off"}', "no-graceful-restart") as lab:
        assert "gracefulRestart" not in herald_peers(lab.node("herald"))["frr"]["negotiated"]
        with counted_losses(lab) as losses:
            lab.node("herald").stop("herald-speaker")
            gone = time.monotonic()
            poll(lambda: not harness.frr_paths(lab.node("frr"), BIRD[0]), 10, what="FRR without the route")
            assert time.monotonic() - gone < 10 * PATIENCE
            lab.node("herald").start("herald-speaker")
            converge(lab)
            lost = losses()
        assert all(count > 0 for count in lost.values()), lost
