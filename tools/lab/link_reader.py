# SPDX-License-Identifier: Apache-2.0
"""Reads `topology.links`: the brief form and the extended veth and dummy. Knows of a node its name and its kind."""

import re
from typing import Any

from .document import Mapping
from .problems import Problems
from .topology import DEFAULT_MTU, Endpoint, Link, NodeSpec

# Ends that containerlab makes on the host.
ON_THE_HOST = ("host", "mgmt-net", "macvlan", "dummy")
MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")


class LinkReader:
    def __init__(self, problems: Problems, nodes: dict[str, NodeSpec]) -> None:
        self.problems = problems
        self.nodes = nodes

    def links(self, body: Mapping) -> list[Link]:
        given = body.get("links") or []
        if not isinstance(given, list):
            self.problems.add(body, "links", "topology", "`links` must be a list")
            return []
        links = [self.link(entry, f"link {number}") for number, entry in enumerate(given)]
        self.check_ends_are_free(given, links)
        return [link for link in links if link]

    def check_ends_are_free(self, given: list[Any], links: list[Link | None]) -> None:
        taken: dict[tuple[str, str], int] = {}
        for number, link in enumerate(links):
            for end in link.ends if link else ():
                place = (self.nodes[end.node].network_of or end.node, end.interface)
                if place in taken:
                    text = f"{end} is already used by link {taken[place]}"
                    self.problems.add(given[number], "endpoints", f"link {number}", text)
                taken[place] = number

    def link(self, entry: Any, subject: str) -> Link | None:
        if not isinstance(entry, Mapping):
            self.problems.add(None, "", subject, "must be a mapping with `endpoints`")
            return None
        kind = entry.get("type", "veth")
        if kind not in ("veth", "dummy"):
            text = f"link type `{kind}` is not supported here (known: veth, dummy)"
            self.problems.add(entry, "type", subject, text)
            return None
        key = "endpoint" if kind == "dummy" else "endpoints"
        self.check_fields(entry, subject, key)
        raw = [entry.get(key)] if kind == "dummy" else entry.get(key)
        if not isinstance(raw, list) or len(raw) != (1 if kind == "dummy" else 2):
            text = "needs two `endpoints`" if kind == "veth" else "needs one `endpoint`"
            self.problems.add(entry, key, subject, text)
            return None
        mtu = entry.get("mtu", DEFAULT_MTU)
        if not isinstance(mtu, int) or not 68 <= mtu <= 65535:
            self.problems.add(entry, "mtu", subject, f"`mtu` must be a number from 68 to 65535, got {mtu}")
            return None
        ends = [self.endpoint(entry, item, subject) for item in raw]
        return Link(tuple(end for end in ends if end), mtu) if all(ends) else None

    def check_fields(self, entry: Mapping, subject: str, ends_key: str) -> None:
        for key in entry:
            if key in ("ipv4", "ipv6", "vars", "labels"):
                self.problems.notes.append(f"{subject}: ignored: {key} (kind linux takes addresses by `exec`)")
            elif key not in ("type", "mtu", ends_key):
                self.problems.add(entry, key, subject, f"unknown field `{key}`")

    def endpoint(self, entry: Mapping, item: Any, subject: str) -> Endpoint | None:
        node = interface = mac = ""
        if isinstance(item, str):
            node, _, interface = item.partition(":")
        elif isinstance(item, Mapping):
            node, interface, mac = (str(item.get(key, "")) for key in ("node", "interface", "mac"))
            for key in item:
                if key in ("ipv4", "ipv6", "vars"):
                    self.problems.notes.append(f"{subject}: ignored: {key} of {node}:{interface}")
                elif key not in ("node", "interface", "mac"):
                    self.problems.add(item, key, subject, f"unknown field `{key}` of an endpoint")
        wrong = self.wrong_with(node, interface, mac)
        if wrong:
            name = f"{node}:{interface}" if node else item
            self.problems.add(entry, "endpoints", subject, f"endpoint `{name}`: {wrong}")
            return None
        return Endpoint(node, interface, mac.replace("-", ":"))

    def wrong_with(self, node: str, interface: str, mac: str) -> str:
        if not node or not interface:
            return "must be NODE:INTERFACE"
        if node not in self.nodes:
            if node in ON_THE_HOST:
                return f"`{node}` is not supported here: nothing of the host is touched"
            return f"there is no node `{node}`"
        if len(interface) > 15 or "/" in interface:
            return "an interface name has at most 15 characters and no `/`"
        if interface == "eth0" and self.nodes[node].management:
            return "eth0 is the management interface unless `network-mode: none`"
        if mac and not MAC.fullmatch(mac):
            return f"`mac` {mac} is not a MAC address"
        return ""
