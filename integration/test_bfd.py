# SPDX-License-Identifier: Apache-2.0
"""BFD with FRR (bfdd) and BIRD: up on both ends with the values that both negotiated, and what its loss does to BGP.

      herald (65000) --eth1-- eth1-- peer (65200: FRR or BIRD)         one hop
             10.0.2.1               10.0.2.2      2001:db8:2::/64

      herald (65000) --eth1-- eth1-- way --eth2-- eth1-- peer          several hops
             10.0.2.1       10.0.2.9   10.0.3.9       10.0.3.2
"""

import json
import re
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration import harness
from integration.bgp_peers import Side
from integration.harness import PATIENCE, configure_frr, herald_best, herald_peers, holds, poll
from integration.test_interop import node, start_with_address
from integration.test_router import values_of
from tools.lab import Lab, Node

OUR_AS, THEIR_AS = 65000, 65200
US = Side(OUR_AS, "10.0.2.1", "2001:db8:2::1")
NEAR = Side(THEIR_AS, "10.0.2.2", "2001:db8:2::2")
FAR = Side(THEIR_AS, "10.0.3.2", "2001:db8:3::2")
PREFIXES = ("203.0.113.0/24", "2001:db8:beef::/48")
SPEAKER = "herald-speaker --node herald --resources /etc/herald/router.yaml --control unix:/run/herald/herald.sock"


@dataclass(frozen=True)
class Profile:
    """What one end asks for; milliseconds."""

    receive: int = 300
    transmit: int = 300
    multiplier: int = 3
    echo: int = 0  # the interval; 0: no echo mode
    passive: bool = False
    auth: str = ""  # type, as Herald writes it
    minimum_ttl: int = 254

    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"receiveInterval": self.receive, "transmitInterval": self.transmit}
        spec |= {"detectMultiplier": self.multiplier, "passiveMode": self.passive, "minimumTtl": self.minimum_ttl}
        if self.echo:
            spec |= {"echoMode": True, "echoInterval": self.echo}
        if self.auth:
            spec["authentication"] = {"type": self.auth, "keyID": 7, "secret": {"name": "bfd"}}
        return spec


# A busy machine stands still for longer than what an idle one would notice.
FAST = Profile(round(50 * PATIENCE), round(50 * PATIENCE), 3)
OUR_ECHO, THEIR_ECHO = round(60 * PATIENCE), round(80 * PATIENCE)


@dataclass(frozen=True)
class Case:
    ours: Profile = Profile()
    theirs: Profile = Profile()
    ipv6: bool = False
    multihop: bool = False
    strict: bool = False
    their_bfd: bool = True
    hold_time: str = ""
    in_range: bool = False  # Herald knows the range of the neighbour alone

    @property
    def them(self) -> str:
        side = FAR if self.multihop else NEAR
        return side.ipv6 if self.ipv6 else side.ipv4

    @property
    def us(self) -> str:
        return US.ipv6 if self.ipv6 else US.ipv4

    def resources(self) -> str:
        place = {"listenRange": "10.0.2.0/24"} if self.in_range else {"peerAddress": self.them}
        peer: dict[str, Any] = {"peerASN": THEIR_AS, **place, "import": ["accept-all"]}
        peer |= {"bfdProfile": "test", "connectTime": "1s"}
        if self.multihop:
            peer["ebgpMultiHop"] = True
        if self.strict:
            peer["bfdStrict"] = True
        if self.hold_time:
            peer["bfdHoldTime"] = self.hold_time
        objects = [
            {"kind": "BGPConfiguration", "metadata": {"name": "default"}, "spec": {"asn": OUR_AS, "routerID": US.ipv4}},
            {"kind": "BFDProfile", "metadata": {"name": "test"}, "spec": self.ours.spec()},
            {"kind": "BGPPeer", "metadata": {"name": "peer"}, "spec": peer},
        ]
        documents = [{"apiVersion": "herald.dev/v1", **one} for one in objects]
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bfd"}}
        documents.append({**secret, "stringData": {"password": "open sesame"}})
        return yaml.safe_dump_all(documents)


class Frr:
    name, image, processes = "frr", "frrouting/frr:v8.4.4", ("bfdd", "bgpd", "zebra")

    def files(self, case: Case) -> dict[str, str]:
        us, theirs = case.us, case.theirs
        hop = [f" neighbor {us} ebgp-multihop"] if case.multihop else []
        bfd = [f" neighbor {us} bfd", f" neighbor {us} bfd profile test"] if case.their_bfd else []
        echo = []
        if theirs.echo:
            echo = ["  echo-mode", f"  echo transmit-interval {theirs.echo}", f"  echo receive-interval {theirs.echo}"]
        lines = [
            "frr defaults datacenter",
            "bfd",
            " profile test",
            f"  detect-multiplier {theirs.multiplier}",
            f"  receive-interval {theirs.receive}",
            f"  transmit-interval {theirs.transmit}",
            *echo,
            "  passive-mode" if theirs.passive else "!",
            f"router bgp {THEIR_AS}",
            f" bgp router-id {NEAR.ipv4}",
            " no bgp ebgp-requires-policy",
            " no bgp network import-check",
            f" neighbor {us} remote-as {OUR_AS}",
            f" neighbor {us} timers connect 1",
            *hop,
            *bfd,
            " address-family ipv4 unicast",
            f"  network {PREFIXES[0]}",
            f"  neighbor {us} activate",
            " exit-address-family",
            " address-family ipv6 unicast",
            f"  network {PREFIXES[1]}",
            f"  neighbor {us} activate",
            " exit-address-family",
        ]
        return {"/etc/frr/frr.conf": "\n".join(lines) + "\n", "/etc/frr/daemons": "bgpd=yes\nbfdd=yes\n"}

    def session(self, far: Node, case: Case) -> dict[str, Any]:
        """What it says of its session with us; a LookupError while it has none."""
        return {one["peer"]: one for one in far.json(["vtysh", "-c", "show bfd peers json"])}[case.us]

    def up(self, far: Node, case: Case) -> bool:
        assert self.session(far, case)["status"] == "up", self.session(far, case)
        return True

    def sees(self, far: Node, case: Case) -> tuple[int, int, int]:
        """Our receive and transmit interval and multiplier as it has them from us."""
        session = self.session(far, case)
        return (
            session["remote-receive-interval"],
            session["remote-transmit-interval"],
            session["remote-detect-multiplier"],
        )


class Bird:
    name, image, processes = "bird", "bird:2", ("bird",)

    def files(self, case: Case) -> dict[str, str]:
        us, them, theirs = case.us, case.them, case.theirs
        auth = ""
        if theirs.auth:
            kind = theirs.auth.replace("-", " ").replace("simple password", "simple")
            auth = f'authentication {kind}; password "open sesame" {{ id 7; }};'
        options = f"""min rx interval {theirs.receive} ms; min tx interval {theirs.transmit} ms;
    multiplier {theirs.multiplier}; passive {"yes" if theirs.passive else "no"}; {auth}"""
        where = f"multihop {{ {options} }};" if case.multihop else f'interface "eth*" {{ {options} }};'
        return {
            "/etc/bird/bird.conf": f"""
router id {NEAR.ipv4};
protocol device {{ scan time 1; }}
protocol direct {{ ipv4; ipv6; interface "eth*"; }}
protocol static origin4 {{ ipv4; route {PREFIXES[0]} blackhole; }}
protocol static origin6 {{ ipv6; route {PREFIXES[1]} blackhole; }}
protocol bfd {{ {where} }}
protocol bgp peer {{
  local {them} as {THEIR_AS};
  neighbor {us} as {OUR_AS};
  {"multihop;" if case.multihop else "direct;"}
  {"bfd on;" if case.their_bfd else ""}
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export where source = RTS_STATIC; next hop address {NEAR.ipv4}; }};
  ipv6 {{ import all; export where source = RTS_STATIC; next hop address {NEAR.ipv6}; }};
}}
"""
        }

    def up(self, far: Node, case: Case) -> bool:
        text = far.run("birdc show bfd sessions").stdout
        assert re.search(rf"^{re.escape(case.us)}\s+\S+\s+Up\s", text, re.MULTILINE), text
        return True

    def sees(self, far: Node, case: Case) -> tuple[int, ...] | None:
        return None  # its commands show what was agreed only; see agreed()

    def agreed(self, far: Node, case: Case) -> tuple[float, float]:
        """Interval and timeout, in seconds, as it has agreed them."""
        text = far.run("birdc show bfd sessions").stdout
        found = re.search(rf"^{re.escape(case.us)}\s+\S+\s+Up\s+\S+(?:\s+\S+)?\s+([\d.]+)\s+([\d.]+)\s*$", text, re.M)
        assert found, text
        return float(found[1]), float(found[2])


FRR, BIRD = Frr(), Bird()


def boot(directory: Path, daemon: Frr | Bird, case: Case) -> Path:
    them = FAR if case.multihop else NEAR
    resources = {"/etc/herald/router.yaml": case.resources()}
    nodes = {
        "herald": node(directory, "herald", "herald:latest", resources, [("eth1", US)]),
        "peer": node(directory, "peer", daemon.image, daemon.files(case), [("eth1", them)]),
    }
    nodes["herald"]["cmd"] = SPEAKER
    if daemon is BIRD and case.multihop:  # it never sends when it starts before its address is there
        start_with_address(directory, nodes["peer"], "exec bird -f -c /etc/bird/bird.conf", wait=True)
    forward = ["sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv6.conf.all.forwarding=1"]
    for one in nodes.values():
        one["exec"] = [*forward, *one["exec"]]
    links = [{"endpoints": ["herald:eth1", "peer:eth1"]}]
    if case.multihop:
        way = [("eth1", Side(0, "10.0.2.9", "2001:db8:2::9")), ("eth2", Side(0, "10.0.3.9", "2001:db8:3::9"))]
        nodes["way"] = node(directory, "way", "alpine:3", {}, way, forward)
        for name, network, hop in (("herald", 3, 2), ("peer", 2, 3)):
            nodes[name]["exec"] += [f"ip route replace 10.0.{network}.0/24 via 10.0.{hop}.9"]
            nodes[name]["exec"] += [f"ip route replace 2001:db8:{network}::/64 via 2001:db8:{hop}::9"]
        links = [{"endpoints": ["herald:eth1", "way:eth1"]}, {"endpoints": ["way:eth2", "peer:eth1"]}]
    path = directory / "bfd.clab.yml"
    path.write_text(yaml.safe_dump({"name": "bfd", "topology": {"nodes": nodes, "links": links}}))
    return path


def router_file(directory: Path) -> Path:
    """Herald's resources, as the host sees the file that is bound into its node."""
    return directory / "herald" / "etc_herald_router.yaml"


def our_session(lab: Lab) -> dict[str, Any]:
    return herald_peers(lab.node("herald"))["peer"]["bfd"]


def settled(lab: Lab, daemon: Frr | Bird, case: Case) -> dict[str, Any]:
    """Our session once both ends are up and stay so: FRR makes its own anew when BGP comes up for the first time."""

    def long_up() -> bool:
        assert both_up(lab, daemon, case)
        return our_session(lab)["uptimeMsec"] > 2500

    poll(long_up, 40, what="up on both ends")
    return our_session(lab)


def both_up(lab: Lab, daemon: Frr | Bird, case: Case) -> bool:
    session = our_session(lab)
    assert session["state"] == "Up", session
    return daemon.up(lab.node("peer"), case) and harness.established(lab.node("herald"))


def running(directory: Path, daemon: Frr | Bird, case: Case) -> Any:
    return harness.running(boot(directory, daemon, case), name=f"bfd-{daemon.name}")


# --- up, with the values that both negotiated


MIXED = Case(Profile(380, 270, 5), Profile(120, 400, 4))
CASES = {
    "default": Case(),
    "fast": Case(FAST, FAST),
    "mixed": MIXED,
    "mixed-ipv6": replace(MIXED, ipv6=True),
    "passive": replace(MIXED, ours=replace(MIXED.ours, passive=True)),
    "their-passive": replace(MIXED, theirs=replace(MIXED.theirs, passive=True)),
    "multihop": replace(MIXED, multihop=True),
    "multihop-ipv6": replace(MIXED, multihop=True, ipv6=True),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("daemon", (FRR, BIRD), ids=lambda daemon: daemon.name)
def test_is_up_on_both_ends_with_the_negotiated_values(daemon: Frr | Bird, name: str, tmp_path: Path) -> None:
    case = CASES[name]
    if daemon is BIRD and case.multihop:
        case = replace(case, ours=replace(case.ours, minimum_ttl=63))  # it sends over several hops with TTL 64
    ours, theirs = case.ours, case.theirs
    sent, heard = max(ours.transmit, theirs.receive), max(ours.receive, theirs.transmit)
    with running(tmp_path, daemon, case) as lab:
        poll(lambda: both_up(lab, daemon, case), 30, what="BFD up on both ends and BGP established")

        def agreed() -> bool:
            session = our_session(lab)
            assert session["transmitIntervalMsec"] == sent, session
            assert session["receiveIntervalMsec"] == heard, session
            assert session["detectionTimeMsec"] == heard * theirs.multiplier, session
            assert session["remote"]["detectMultiplier"] == theirs.multiplier, session
            assert session["multihop"] == case.multihop and session["passive"] == ours.passive, session
            assert session["local"] == case.us and "upAt" in session, session
            return True

        poll(agreed, 10, what="the negotiated values at Herald")
        far = lab.node("peer")
        if isinstance(daemon, Frr):
            asked = (ours.receive, ours.transmit, ours.multiplier)
            poll(lambda: daemon.sees(far, case) == asked, 10, what="what Herald asks for, at FRR")
        else:
            poll(lambda: daemon.agreed(far, case) == (heard / 1000, sent * ours.multiplier / 1000), 10, what="at BIRD")

        def shown() -> bool:
            herald = lab.node("herald")
            wide = herald.run(harness.ctl(herald, "peers", "-o", "wide")).stdout
            assert f"{sent}ms/{heard}ms x{theirs.multiplier}" in wide, wide
            status = herald.run(harness.ctl(herald, "status")).stdout
            assert re.search(r"^BFD +1 of 1 up$", status, re.MULTILINE), status
            return True

        # FRR makes its session anew when BGP comes up for the first time.
        poll(shown, 10, what="the same for people")


AUTHENTICATION = ("simple-password", "keyed-md5", "meticulous-keyed-md5", "keyed-sha1", "meticulous-keyed-sha1")


@pytest.mark.parametrize("kind", AUTHENTICATION)
def test_is_up_with_every_kind_of_authentication(kind: str, tmp_path: Path) -> None:
    case = Case(replace(FAST, auth=kind), replace(FAST, auth=kind))
    with running(tmp_path, BIRD, case) as lab:
        poll(lambda: both_up(lab, BIRD, case), 30, what="up with authentication")
        assert our_session(lab)["authentication"] == kind
        # Another key: neither end takes the other for alive.
        config = router_file(tmp_path)
        config.write_text(config.read_text().replace("open sesame", "open barley"))
        lab.node("herald").kill("herald-speaker", signal.SIGHUP)
        poll(lambda: our_session(lab)["state"] == "Down", 10, what="down with another key")


@pytest.mark.parametrize("ipv6", (False, True), ids=("ipv4", "ipv6"))
def test_echoes_come_back_and_their_loss_is_noticed(ipv6: bool, tmp_path: Path) -> None:
    case = Case(replace(FAST, echo=OUR_ECHO), Profile(300, 300, 3, echo=THEIR_ECHO), ipv6=ipv6)
    with running(tmp_path, FRR, case) as lab:
        fell = settled(lab, FRR, case)["downCount"]
        poll(lambda: our_session(lab)["echo"]["state"] == "active", 15, what="echoes come back to Herald")
        poll(lambda: our_session(lab)["echo"]["intervalMsec"] == THEIR_ECHO, 5, what="FRR's interval at Herald")
        far = lab.node("peer")
        poll(lambda: FRR.session(far, case)["remote-echo-receive-interval"] == OUR_ECHO, 5, what="Herald's at FRR")
        poll(lambda: frr_echoes(far, case)[1] > 3, 15, what="FRR's echoes come back to it")
        before = our_session(lab)["echoPackets"]["in"]
        poll(lambda: our_session(lab)["echoPackets"]["in"] > before + 10, 10, what="echoes go on")
        assert our_session(lab)["downCount"] == fell, json.dumps(our_session(lab))
        # The neighbour's node ceases to forward: Control packets still pass, echoes no longer come back.
        far.run("sysctl -qw net.ipv4.ip_forward=0")
        far.run("sysctl -qw net.ipv6.conf.all.forwarding=0")
        poll(lambda: our_session(lab)["lastDown"]["diagnostic"] == "echo function failed", 10, what="the loss")


def frr_echoes(far: Node, case: Case) -> tuple[int, int]:
    """Echo packets that FRR has sent and heard."""
    session = {one["peer"]: one for one in far.json(["vtysh", "-c", "show bfd peers counters json"])}[case.us]
    return session["echo-packet-output"], session["echo-packet-input"]


# --- what its loss does to BGP


@pytest.mark.parametrize("daemon", (FRR, BIRD), ids=lambda daemon: daemon.name)
def test_a_frozen_peer_is_lost_within_the_detection_time(daemon: Frr | Bird, tmp_path: Path) -> None:
    case = Case(FAST, FAST)
    with running(tmp_path, daemon, case) as lab:
        herald, far = lab.node("herald"), lab.node("peer")
        settled(lab, daemon, case)
        poll(lambda: set(PREFIXES) <= herald_best(herald).keys(), 15, what="its routes")
        began = time.monotonic()
        for process in daemon.processes:
            far.kill(process, signal.SIGSTOP)
        try:
            poll(lambda: not set(PREFIXES) & herald_best(herald).keys(), 5, what="its routes gone")
            took = time.monotonic() - began
            session = herald_peers(herald)["peer"]
            assert session["lastReset"]["notification"] == "Cease/BFD Down", session["lastReset"]
            assert session["lastReset"]["by"] == "local"
            assert session["bfd"]["lastDown"]["diagnostic"] == "control detection time expired", session["bfd"]
            # The detection time, 150 ms on an idle machine, and what asking takes.
            assert took < 1.0 * PATIENCE, took
        finally:
            for process in daemon.processes:
                far.kill(process, signal.SIGCONT)
        poll(lambda: both_up(lab, daemon, case), 60, what="up again")
        poll(lambda: set(PREFIXES) <= herald_best(herald).keys(), 30, what="its routes back")


@pytest.mark.parametrize("daemon", (FRR, BIRD), ids=lambda daemon: daemon.name)
def test_a_neighbour_of_a_range_is_watched_like_any_other(daemon: Frr | Bird, tmp_path: Path) -> None:
    case = Case(FAST, FAST, in_range=True)
    name = f"peer/{NEAR.ipv4}"
    with running(tmp_path, daemon, case) as lab:
        herald, far = lab.node("herald"), lab.node("peer")

        def up() -> bool:
            session = herald_peers(herald)[name]
            assert session["state"] == "Established" and session["bfd"]["state"] == "Up", session
            return session["bfd"]["uptimeMsec"] > 2500 and daemon.up(far, case)

        poll(up, 60, what="BGP and BFD up with whom no configuration names")
        poll(lambda: set(PREFIXES) <= herald_best(herald).keys(), 15, what="its routes")
        for process in daemon.processes:
            far.kill(process, signal.SIGSTOP)
        try:
            # Long before the hold time. The neighbour is gone with its session.
            poll(lambda: not set(PREFIXES) & herald_best(herald).keys(), 5, what="its routes gone")
            poll(lambda: name not in herald_peers(herald), 5, what="the neighbour gone")
        finally:
            for process in daemon.processes:
                far.kill(process, signal.SIGCONT)
        poll(up, 60, what="up again")


def test_frr_is_told_by_the_cease_that_bfd_is_down(tmp_path: Path) -> None:
    case = Case(FAST, FAST)
    with running(tmp_path, FRR, case) as lab:
        far = lab.node("peer")
        poll(lambda: both_up(lab, FRR, case), 30, what="up")
        with harness.captured(far, "eth1", "tcp port 179") as packets:
            far.kill("bfdd", signal.SIGSTOP)
            try:
                # NOTIFICATION, Cease, BFD Down.
                cease = re.compile(rb"\xff{16}\x00\x15\x03\x06\x0a", re.DOTALL)
                poll(lambda: cease.search(packets.read_bytes()), 10, what="the Cease on the wire")
            finally:
                far.kill("bfdd", signal.SIGCONT)
        poll(lambda: both_up(lab, FRR, case), 60, what="up again")


def test_a_loss_that_frr_alone_has_noticed_is_its_reason_at_herald(tmp_path: Path) -> None:
    """BFD gets through in neither direction. FRR notices at once, Herald would much later."""
    case = Case(FAST, Profile(FAST.receive, 1000, 100))
    with running(tmp_path, FRR, case) as lab:
        herald, far = lab.node("herald"), lab.node("peer")
        assert settled(lab, FRR, case)["detectionTimeMsec"] == 100_000
        for one in (far, herald):  # its BFD packets go to a station that is not there
            one.run("ip neigh add 10.0.2.99 lladdr 02:00:00:00:00:99 dev eth1")
            one.run("ip route add default via 10.0.2.99 dev eth1 table 100")
            one.run("ip rule add pref 100 ipproto udp dport 3784 lookup 100")
        poll(lambda: FRR.session(far, case)["status"] == "down", 10, what="down at FRR")

        # Both have RFC 8538, by which FRR says that nothing is to be kept.
        reason = ("remote", "Cease/Hard Reset (Cease/BFD Down)")

        def told() -> bool:
            reset = herald_peers(herald)["peer"]["lastReset"]
            assert (reset["by"], reset.get("notification")) == reason, reset
            return True

        poll(told, 10, what="the reason at Herald")
        assert our_session(lab)["state"] == "Up", our_session(lab)
        for one in (far, herald):
            one.run("ip rule del pref 100")
        poll(lambda: both_up(lab, FRR, case), 60, what="up again")


def test_a_peer_that_switches_bfd_off_keeps_its_session(tmp_path: Path) -> None:
    case = Case(FAST, FAST)
    with running(tmp_path, FRR, case) as lab:
        herald, far = lab.node("herald"), lab.node("peer")
        settled(lab, FRR, case)
        before = herald_peers(herald)["peer"]["establishedCount"]
        configure_frr(far, "bfd", "profile test", "shutdown")
        poll(lambda: our_session(lab)["remote"]["state"] == "AdminDown", 10, what="AdminDown heard")
        assert our_session(lab)["state"] == "Down"
        holds(lambda: harness.established(herald), 1, what="BGP without BFD")
        assert herald_peers(herald)["peer"]["establishedCount"] == before
        configure_frr(far, "bfd", "profile test", "no shutdown")
        poll(lambda: both_up(lab, FRR, case), 30, what="up again")
        assert herald_peers(herald)["peer"]["establishedCount"] == before


# --- changes while it runs (B-20)


@pytest.mark.parametrize("daemon", (FRR, BIRD), ids=lambda daemon: daemon.name)
def test_a_change_of_the_profile_applies_live(daemon: Frr | Bird, tmp_path: Path) -> None:
    case = Case(FAST, FAST)
    with running(tmp_path, daemon, case) as lab:
        herald, far = lab.node("herald"), lab.node("peer")
        fell = settled(lab, daemon, case)["downCount"]
        before = herald_peers(herald)["peer"]["establishedCount"]
        for ours in (Profile(400, 250, 5), Profile(60, 70, 4), Profile(1000, 1000, 3), FAST):
            changed = replace(case, ours=ours)
            router_file(tmp_path).write_text(changed.resources())
            herald.kill("herald-speaker", signal.SIGHUP)

            def applied() -> bool:
                session = our_session(lab)
                assert session["transmitIntervalMsec"] == max(ours.transmit, FAST.receive), session
                assert session["receiveIntervalMsec"] == max(ours.receive, FAST.transmit), session
                assert not session["polling"] and session["detectMultiplier"] == ours.multiplier, session
                if isinstance(daemon, Frr):
                    assert daemon.sees(far, case) == (ours.receive, ours.transmit, ours.multiplier)
                return True

            poll(applied, 15, what=f"{ours} applied")
        assert our_session(lab)["downCount"] == fell, json.dumps(our_session(lab))
        assert herald_peers(herald)["peer"]["establishedCount"] == before
        # Without the profile nobody is watched. Both take our AdminDown for a loss and may reset the session; we do not.
        without = list(yaml.safe_load_all(case.resources()))
        for one in without:
            one.get("spec", {}).pop("bfdProfile", None)
        router_file(tmp_path).write_text(yaml.safe_dump_all(without))
        herald.kill("herald-speaker", signal.SIGHUP)
        poll(lambda: "bfd" not in herald_peers(herald)["peer"], 10, what="no longer watched")
        poll(lambda: holds(lambda: harness.established(herald), 1) is None, 20, what="established without BFD")
        peer = herald_peers(herald)["peer"]
        assert peer["establishedCount"] == before or peer["lastReset"]["by"] != "local", peer


def test_an_unknown_profile_keeps_the_peer_down_and_says_so(tmp_path: Path) -> None:
    case = Case(FAST, FAST)
    path = boot(tmp_path, BIRD, case)
    config = router_file(tmp_path)
    config.write_text(config.read_text().replace("bfdProfile: test", "bfdProfile: tset"))
    with harness.running(path, name="bfd-unknown") as lab:
        held_down = lambda: herald_peers(lab.node("herald"))["peer"]["heldDown"]  # noqa: E731
        poll(lambda: "BFDProfile/tset" in held_down(), 10, what="held down by the wrong name")
        config.write_text(case.resources())
        lab.node("herald").kill("herald-speaker", signal.SIGHUP)
        poll(lambda: both_up(lab, BIRD, case), 30, what="up with the right name")


# --- strict mode


def test_a_strict_session_waits_for_bfd(tmp_path: Path) -> None:
    case = Case(FAST, FAST, strict=True, their_bfd=False)
    with running(tmp_path, FRR, case) as lab:
        herald, far = lab.node("herald"), lab.node("peer")
        poll(lambda: herald_peers(herald)["peer"].get("waitsForBfd"), 10, what="waiting")
        holds(lambda: herald_peers(herald)["peer"]["state"] == "Idle", 3, what="no session without BFD")
        neighbour = f"neighbor {case.us} bfd"
        configure_frr(far, f"router bgp {THEIR_AS}", neighbour, f"{neighbour} profile test")
        poll(lambda: both_up(lab, FRR, case), 30, what="up with BFD")


def test_a_strict_session_waits_no_longer_than_its_hold_time(tmp_path: Path) -> None:
    case = Case(FAST, FAST, strict=True, their_bfd=False, hold_time="2s")
    with running(tmp_path, FRR, case) as lab:
        herald = lab.node("herald")
        poll(lambda: harness.established(herald), 30, what="established without BFD")
        assert our_session(lab)["state"] == "Down"


# --- on the wire


@pytest.mark.parametrize("ipv6", (False, True), ids=("ipv4", "ipv6"))
def test_tshark_finds_nothing_wrong_with_what_we_send(ipv6: bool, tmp_path: Path) -> None:
    case = Case(FAST, FAST, ipv6=ipv6)
    with running(tmp_path, FRR, case) as lab:
        herald, far = lab.node("herald"), lab.node("peer")
        poll(lambda: both_up(lab, FRR, case), 30, what="up")
        with harness.captured(far, "eth1", "udp port 3784") as packets:
            herald.stop("herald-speaker")
            herald.start("herald-speaker")
            poll(lambda: both_up(lab, FRR, case), 60, what="up again")
            poll(lambda: packets.stat().st_size > 20_000, 20, what="packets")
        words = ["-T", "json", "--no-duplicate-keys", "-J", "ip ipv6 udp bfd _ws.expert _ws.malformed"]
        field = "ipv6.src" if ipv6 else "ip.src"
        packets_of_ours = json.loads(harness.tshark(far, f"{field} == {case.us} && bfd", *words))
        seen = [one["_source"]["layers"] for one in packets_of_ours]
        states = {state for packet in seen for state in values_of(packet, "bfd.sta")}
        # AdminDown as it leaves, Up in the end; between them Down, or Init at once where the peer's Down was there first.
        sent = {int(state, 0) for state in states}
        assert {0, 3} <= sent and sent & {1, 2}, states
        for packet in seen:
            assert "_ws.malformed" not in packet and "_ws.expert" not in json.dumps(packet), packet
            ttl = packet["ipv6"]["ipv6.hlim"] if ipv6 else packet["ip"]["ip.ttl"]
            assert ttl == "255", packet
            assert 49152 <= int(packet["udp"]["udp.srcport"]) <= 65535
        ports = {packet["udp"]["udp.srcport"] for packet in seen}
        assert len(ports) <= 2, "one source port for the life of a session"
