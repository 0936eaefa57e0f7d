# SPDX-License-Identifier: Apache-2.0
"""Herald exchanges both families with every implementation, as active and as passive side, with and without MD5.

      feeder (BIRD, 65100) --eth1-- herald (65000) --eth2-- peer (65200: FRR, BIRD, GoBGP, OpenBGPD or ExaBGP)
             10.0.1.2        10.0.1.1    10.0.2.1        10.0.2.2

Herald carries routes between the two: what the feeder originates must reach the peer, and the other way round, with
Herald in the AS path and as next hop. `--stand-in` puts BIRD in Herald's place, to tell a wrong test from a wrong
Herald.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from integration import harness
from integration.bgp_peers import PEERS, Bird, Peer, Session, Side, bird_routes
from integration.harness import gateways, kernel_routes, poll
from tools.lab import Lab

FEEDER = Side(65100, "10.0.1.2", "2001:db8:1::2", ("198.51.100.0/24", "2001:db8:feed::/48"))
TO_FEEDER = Side(65000, "10.0.1.1", "2001:db8:1::1")
TO_PEER = Side(65000, "10.0.2.1", "2001:db8:2::1")
PEER = Side(65200, "10.0.2.2", "2001:db8:2::2", ("203.0.113.0/24", "2001:db8:beef::/48"))

HERALD_PEER = """
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {{name: {name}}}
spec:
  peerASN: {them.asn}
  peerAddress: {them.ipv4}
  passive: {passive}
  import: [accept-all]
  export: [accept-all]
"""


class Herald:
    name = "herald"
    image = "herald:latest"
    command = "herald-speaker --node herald --resources /etc/herald/router.yaml --control unix:/run/herald/herald.sock"

    def files(self, passive: bool, password: str) -> dict[str, str]:
        resources = f"""apiVersion: herald.dev/v1
kind: BGPConfiguration
metadata: {{name: default}}
spec:
  asn: {TO_PEER.asn}
  routerID: {TO_PEER.ipv4}
"""
        resources += HERALD_PEER.format(name="feeder", them=FEEDER, passive="false")
        resources += HERALD_PEER.format(name="peer", them=PEER, passive=str(passive).lower())
        resources += f"  password: {password}\n" if password else ""
        return {"/etc/herald/router.yaml": resources}

    def established(self, lab: Lab) -> bool:
        return harness.established(lab.node("herald"), "feeder", "peer")

    def holds(self, lab: Lab) -> bool:
        """Its own view, and the kernel's, of what both sides have announced."""
        node = lab.node("herald")
        best = harness.herald_best(node)
        for side in (FEEDER, PEER):
            for prefix in side.originates:
                hop = side.ipv6 if ":" in prefix else side.ipv4
                assert best[prefix]["nextHops"] == [hop], best[prefix]
                assert gateways(kernel_routes(node, 6 if ":" in prefix else 4)[prefix]) == {hop}
        return True


class StandIn(Herald):
    """BIRD with the same two sessions."""

    name = "bird"
    image = "bird:2"
    command = ""

    def files(self, passive: bool, password: str) -> dict[str, str]:
        protocols = ""
        for name, us, them in (("feeder", TO_FEEDER, FEEDER), ("peer", TO_PEER, PEER)):
            options = f'passive {"yes" if passive and name == "peer" else "no"};'
            options += f' password "{password}";' if password and name == "peer" else ""
            protocols += f"""
protocol bgp {name} {{
  local {us.ipv4} as {us.asn}; neighbor {them.ipv4} as {them.asn}; {options}
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export where source = RTS_BGP; }};
  ipv6 {{ import all; export where source = RTS_BGP; next hop address {us.ipv6}; }};
}}
"""
        common = 'protocol device { scan time 1; }\nprotocol direct { ipv4; ipv6; interface "eth*"; }'
        return {"/etc/bird/bird.conf": f"router id {TO_PEER.ipv4};\n{common}\n{protocols}"}

    def established(self, lab: Lab) -> bool:
        states = lab.node("herald").run("birdc show protocols").stdout
        assert states.count("Established") == 2, states
        return True

    def holds(self, lab: Lab) -> bool:
        known = {**bird_routes(lab.node("herald"), "feeder"), **bird_routes(lab.node("herald"), "peer")}
        assert {*FEEDER.originates, *PEER.originates} <= known.keys(), known
        return True


def cases() -> Iterator[object]:
    for peer in PEERS:
        for herald_passive in (False, True):
            can_md5 = peer.md5_active if herald_passive else peer.md5_passive
            for password in ("", "correct-horse") if can_md5 else ("",):
                side = "passive" if herald_passive else "active"
                name = f"{peer.name}-herald-{side}{'-md5' if password else ''}"
                yield pytest.param(peer, herald_passive, password, id=name)


@pytest.mark.parametrize(("peer", "herald_passive", "password"), cases())
def test_both_families_pass_both_ways(
    peer: Peer, herald_passive: bool, password: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    herald = StandIn() if request.config.getoption("--stand-in") else Herald()
    session = Session(PEER, TO_PEER, passive=not herald_passive, password=password)
    with harness.running(topology(tmp_path, herald, peer, session), name=f"interop-{peer.name}") as net:
        exchange(net, herald, peer, session)


def exchange(net: Lab, herald: Herald, peer: Peer, session: Session) -> None:
    far, feeder = net.node("peer"), net.node("feeder")
    poll(lambda: herald.established(net), 30, what="both sessions established at Herald")
    poll(lambda: peer.established(far, session), 10, what=f"established at {peer.name}")

    def peer_has_the_feeders() -> bool:
        received = peer.received(far, session)
        for prefix in FEEDER.originates:
            hop = TO_PEER.ipv6 if ":" in prefix else TO_PEER.ipv4
            assert received[prefix] == ([TO_PEER.asn, FEEDER.asn], hop), received
        return True

    def feeder_has_the_peers() -> bool:
        received = bird_routes(feeder, "peer")
        for prefix in PEER.originates:
            hop = TO_FEEDER.ipv6 if ":" in prefix else TO_FEEDER.ipv4
            path, via = received[prefix]
            assert (path, via) == ([TO_FEEDER.asn, PEER.asn], hop), received
        return True

    poll(peer_has_the_feeders, 15, what=f"the feeder's routes at {peer.name}")
    poll(feeder_has_the_peers, 15, what=f"{peer.name}'s routes at the feeder")
    poll(lambda: herald.holds(net), 15, what="all routes at Herald and in its kernel")
    assert peer.established(far, session), "the session stands after the exchange"


# --- the topology, as a containerlab file


def topology(directory: Path, herald: Herald, peer: Peer, session: Session) -> Path:
    to_herald = Session(FEEDER, TO_FEEDER)
    feeder = Bird()
    nodes = {
        "feeder": node(directory, "feeder", feeder.image, feeder.files(to_herald), [("eth1", FEEDER)]),
        "herald": node(
            directory,
            "herald",
            herald.image,
            herald.files(not session.passive, session.password),
            [("eth1", TO_FEEDER), ("eth2", TO_PEER)],
        ),
        "peer": node(directory, "peer", peer.image, peer.files(session), [("eth1", PEER)], peer.exec(session)),
    }
    if herald.command:
        nodes["herald"]["cmd"] = herald.command
    if command := peer.command(session):
        start_with_address(directory, nodes["peer"], command, peer.needs_address_first)
    links = [{"endpoints": ["feeder:eth1", "herald:eth1"]}, {"endpoints": ["herald:eth2", "peer:eth1"]}]
    path = directory / "interop.clab.yml"
    path.write_text(yaml.safe_dump({"name": "interop", "topology": {"nodes": nodes, "links": links}}))
    return path


def node(
    directory: Path,
    name: str,
    image: str,
    files: dict[str, str],
    addresses: list[tuple[str, Side]],
    exec: Sequence[str] = (),
) -> dict[str, object]:
    binds = harness.bound_files(directory, name, files)
    # IPv6 first: IPv4 lets the session come up, and a route whose next hop is on no link yet may be refused for good.
    commands = [f"ip addr add {side.ipv6}/64 dev {interface} nodad" for interface, side in addresses]
    commands += [f"ip addr add {side.ipv4}/24 dev {interface}" for interface, side in addresses]
    return {"kind": "linux", "image": image, "network-mode": "none", "binds": binds, "exec": [*commands, *exec]}


def start_with_address(directory: Path, described: dict, command: str, wait: bool) -> None:
    script = directory / "start.sh"
    waiting = "until ip addr show dev eth1 2>/dev/null | grep -q 'inet 10'; do sleep 0.05; done\n" if wait else ""
    script.write_text(waiting + command + "\n")
    described["binds"].append("start.sh:/start.sh:ro")
    described["entrypoint"] = "sh"
    described["cmd"] = "/start.sh"
