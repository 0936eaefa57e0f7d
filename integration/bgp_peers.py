# SPDX-License-Identifier: Apache-2.0
"""The other end of an interoperability test: for each BGP implementation its configuration, and how to ask it.

A peer originates one prefix of each family, takes everything, and speaks both families on one IPv4 session.
To add an implementation, add a class and name it in PEERS. Knows nothing of Herald."""

import json
import re
from dataclasses import dataclass

from tools.lab import Node


@dataclass(frozen=True)
class Side:
    asn: int
    ipv4: str
    ipv6: str
    originates: tuple[str, ...] = ()  # one prefix of each family


@dataclass(frozen=True)
class Session:
    """One BGP session as one of its two ends sees it."""

    us: Side
    them: Side
    passive: bool = False
    password: str = ""

    @property
    def origin4(self) -> str:
        return next(prefix for prefix in self.us.originates if ":" not in prefix)

    @property
    def origin6(self) -> str:
        return next(prefix for prefix in self.us.originates if ":" in prefix)


class Peer:
    """Common to all: what a topology needs of an implementation, and what a test asks of it."""

    name = ""
    image = ""
    md5_active = md5_passive = True
    # The daemon starts before the lab's links and addresses are there, which some do not survive.
    needs_address_first = False

    def files(self, session: Session) -> dict[str, str]:
        raise NotImplementedError

    def command(self, session: Session) -> str:
        """What to run when the image's own start is not enough; empty for that."""
        return ""

    def exec(self, session: Session) -> list[str]:
        return []

    def established(self, node: Node, session: Session) -> bool:
        raise NotImplementedError

    def received(self, node: Node, session: Session) -> dict[str, tuple[list[int], str]]:
        """prefix -> (AS path, next hop) of what has come from the other side and is usable."""
        raise NotImplementedError


class Frr(Peer):
    name = "frr"
    image = "frrouting/frr:v8.4.4"

    def files(self, session: Session) -> dict[str, str]:
        them = session.them
        lines = [
            "frr defaults datacenter",
            f"router bgp {session.us.asn}",
            f" bgp router-id {session.us.ipv4}",
            " no bgp ebgp-requires-policy",
            " no bgp network import-check",
            f" neighbor {them.ipv4} remote-as {them.asn}",
            f" neighbor {them.ipv4} timers connect 1",
            f" neighbor {them.ipv4} passive" if session.passive else "!",
            f" neighbor {them.ipv4} password {session.password}" if session.password else "!",
            " address-family ipv4 unicast",
            f"  network {session.origin4}",
            f"  neighbor {them.ipv4} activate",
            " exit-address-family",
            " address-family ipv6 unicast",
            f"  network {session.origin6}",
            f"  neighbor {them.ipv4} activate",
            " exit-address-family",
        ]
        return {"/etc/frr/frr.conf": "\n".join(lines) + "\n", "/etc/frr/daemons": "bgpd=yes\n"}

    def established(self, node: Node, session: Session) -> bool:
        neighbour = node.json(["vtysh", "-c", f"show bgp neighbors {session.them.ipv4} json"])[session.them.ipv4]
        return neighbour["bgpState"] == "Established"

    def received(self, node: Node, session: Session) -> dict[str, tuple[list[int], str]]:
        found = {}
        for family in ("ipv4", "ipv6"):
            table = node.json(["vtysh", "-c", f"show bgp {family} unicast json"])
            for prefix, paths in table.get("routes", {}).items():
                for path in paths:
                    if path.get("bestpath") and path["path"]:
                        hops = [hop["ip"] for hop in path["nexthops"] if hop.get("scope", "global") == "global"]
                        found[prefix] = ([int(asn) for asn in path["path"].split()], hops[0])
        return found


class Bird(Peer):
    name = "bird"
    image = "bird:2"

    def files(self, session: Session) -> dict[str, str]:
        us, them = session.us, session.them
        options = ["passive yes;"] if session.passive else []
        options += [f'password "{session.password}";'] if session.password else []
        return {
            "/etc/bird/bird.conf": f"""
router id {us.ipv4};
protocol device {{ scan time 1; }}
protocol direct {{ ipv4; ipv6; interface "eth*"; }}
protocol static origin4 {{ ipv4; route {session.origin4} blackhole; }}
protocol static origin6 {{ ipv6; route {session.origin6} blackhole; }}
protocol bgp peer {{
  local {us.ipv4} as {us.asn};
  neighbor {them.ipv4} as {them.asn};
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  {" ".join(options)}
  ipv4 {{ import all; export where source = RTS_STATIC; }};
  ipv6 {{ import all; export where source = RTS_STATIC; next hop address {us.ipv6}; }};
}}
"""
        }

    def established(self, node: Node, session: Session) -> bool:
        return "Established" in node.run("birdc show protocols all peer").stdout

    def received(self, node: Node, session: Session) -> dict[str, tuple[list[int], str]]:
        return bird_routes(node, "peer")


def bird_routes(node: Node, protocol: str) -> dict[str, tuple[list[int], str]]:
    """prefix -> (AS path, next hop) of what BIRD has from one of its BGP protocols."""
    text = node.run(["birdc", "show", "route", "all", "protocol", protocol]).stdout
    found: dict[str, tuple[list[int], str]] = {}
    prefix, path = "", []
    for line in text.splitlines():
        if match := re.match(r"(\S+/\d+)\s+unicast", line):
            prefix = match[1]
        elif match := re.match(r"\s+BGP\.as_path:(.*)", line):
            path = [int(asn) for asn in match[1].split()]
        elif match := re.match(r"\s+BGP\.next_hop: (\S+)", line):
            found[prefix] = (path, match[1])
    return found


class GoBgp(Peer):
    name = "gobgp"
    image = "gobgp:3"

    def files(self, session: Session) -> dict[str, str]:
        families = "".join(
            f'\n  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = "{family}"\n'
            for family in ("ipv4-unicast", "ipv6-unicast")
        )
        return {
            "/etc/gobgp/gobgpd.toml": f"""
[global.config]
  as = {session.us.asn}
  router-id = "{session.us.ipv4}"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{session.them.ipv4}"
    peer-as = {session.them.asn}
    auth-password = "{session.password}"
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.transport.config]
    passive-mode = {str(session.passive).lower()}
    local-address = "{session.us.ipv4}"
{families}"""
        }

    def exec(self, session: Session) -> list[str]:
        add = [f"global rib add -a ipv4 {session.origin4} nexthop {session.us.ipv4}"]
        add += [f"global rib add -a ipv6 {session.origin6} nexthop {session.us.ipv6}"]
        return [f"sh -c 'until gobgp {words}; do sleep 0.1; done'" for words in add]

    def established(self, node: Node, session: Session) -> bool:
        [neighbour] = node.json("gobgp neighbor -j")
        return neighbour["state"].get("session_state") in (6, "ESTABLISHED")

    def received(self, node: Node, session: Session) -> dict[str, tuple[list[int], str]]:
        found = {}
        for family in ("ipv4", "ipv6"):
            for prefix, paths in node.json(f"gobgp global rib -a {family} -j").items():
                attributes = {attribute["type"]: attribute for path in paths for attribute in path["attrs"]}
                as_path = [asn for segment in attributes.get(2, {}).get("as_paths", []) for asn in segment["asns"]]
                if as_path:
                    found[prefix] = (as_path, attributes.get(3, attributes.get(14))["nexthop"])
        return found


class OpenBgpd(Peer):
    name = "openbgpd"
    image = "openbgpd:7.7"
    md5_passive = False  # on Linux it puts no key on the socket that listens
    needs_address_first = True

    def files(self, session: Session) -> dict[str, str]:
        us, them = session.us, session.them
        options = ["passive"] if session.passive else []
        options += [f'tcp md5sig password "{session.password}"'] if session.password else []
        return {
            "/etc/openbgpd/bgpd.conf.in": "\n".join(
                [
                    f"AS {us.asn}",
                    f"router-id {us.ipv4}",
                    "fib-update no",
                    "connect-retry 30",
                    f"listen on {us.ipv4}",
                    f"network {session.origin4}",
                    f"network {session.origin6}",
                    f"neighbor {them.ipv4} {{",
                    f"  remote-as {them.asn}",
                    f"  local-address {us.ipv4}",
                    # On Linux it takes ::1 for its own IPv6 address; only on multihop sessions do rules win over that.
                    "  multihop 2",
                    *(f"  {option}" for option in options),
                    "  announce IPv4 unicast",
                    "  announce IPv6 unicast",
                    "}",
                    "allow from any",
                    "allow to any",
                    f"match to any inet6 set nexthop {us.ipv6}",
                    "match to any inet6 set nexthop no-modify",
                    "",
                ]
            )
        }

    def command(self, session: Session) -> str:
        # It refuses a configuration that others may read, which a file of a source tree is.
        return "install -m 600 /etc/openbgpd/bgpd.conf.in /run/bgpd.conf; exec /usr/sbin/bgpd -d -f /run/bgpd.conf"

    def established(self, node: Node, session: Session) -> bool:
        [neighbour] = node.json("bgpctl -j show neighbor")["neighbors"]
        return neighbour["state"] == "Established"

    def received(self, node: Node, session: Session) -> dict[str, tuple[list[int], str]]:
        found = {}
        for route in node.json("bgpctl -j show rib").get("rib", []):
            if route["valid"] and route["aspath"]:
                found[route["prefix"]] = ([int(asn) for asn in route["aspath"].split()], route["exit_nexthop"])
        return found


# ExaBGP hands its events to a program, by a pipe that does not block (so `cat` would end at once).
RECORDER = """import os, select
with open({path!r}, "ab", buffering=0) as record:
    while select.select([0], [], []) and (events := os.read(0, 65536)):
        record.write(events)
"""


class ExaBgp(Peer):
    name = "exabgp"
    image = "exabgp:4"
    needs_address_first = True

    RECORD = "/run/exabgp.jsonl"

    def files(self, session: Session) -> dict[str, str]:
        us, them = session.us, session.them
        # It listens only where a passive neighbour says on which port.
        options = ["passive true;\n  listen 179;" if session.passive else ""]
        options += [f'md5-password "{session.password}";\n  md5-base64 false;' if session.password else ""]
        return {
            "/etc/exabgp/record.py": RECORDER.format(path=self.RECORD),
            "/etc/exabgp/exabgp.conf": f"""
process record {{
  run /usr/bin/python3 /etc/exabgp/record.py;
  encoder json;
}}
neighbor {them.ipv4} {{
  router-id {us.ipv4};
  local-address {us.ipv4};
  local-as {us.asn};
  peer-as {them.asn};
  {" ".join(options)}
  family {{ ipv4 unicast; ipv6 unicast; }}
  api {{ processes [ record ]; neighbor-changes; receive {{ parsed; update; }} }}
  announce {{
    ipv4 {{ unicast {session.origin4} next-hop {us.ipv4}; }}
    ipv6 {{ unicast {session.origin6} next-hop {us.ipv6}; }}
  }}
}}
""",
        }

    def command(self, session: Session) -> str:
        return "exabgp_daemon_user=root exabgp_api_cli=false exec exabgp /etc/exabgp/exabgp.conf"

    def _events(self, node: Node) -> list[dict]:
        path = node.path(self.RECORD)
        # The last line may not have been written to its end yet.
        lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
        events = [json.loads(line) for line in lines]
        return [event for event in events if "neighbor" in event]

    def established(self, node: Node, session: Session) -> bool:
        changes = [event["neighbor"]["state"] for event in self._events(node) if event["type"] == "state"]
        return changes[-1:] == ["up"]

    def received(self, node: Node, session: Session) -> dict[str, tuple[list[int], str]]:
        found: dict[str, tuple[list[int], str]] = {}
        for event in self._events(node):
            if event["type"] == "state" and event["neighbor"]["state"] == "down":
                found.clear()
            update = event["neighbor"].get("message", {}).get("update", {})
            path = update.get("attribute", {}).get("as-path", [])
            for hops in update.get("announce", {}).values():
                for hop, entries in hops.items():
                    if not hop.startswith("fe80:"):
                        found.update({entry["nlri"]: (path, hop) for entry in entries if "nlri" in entry})
            for entries in update.get("withdraw", {}).values():
                for entry in entries:
                    found.pop(entry["nlri"], None)
        return found


PEERS: tuple[Peer, ...] = (Frr(), Bird(), GoBgp(), OpenBgpd(), ExaBgp())
