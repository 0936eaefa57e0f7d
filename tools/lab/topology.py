# SPDX-License-Identifier: Apache-2.0
"""What a containerlab topology file says, as plain values. Knows neither the file's form nor how a lab is run."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

STAGES = ("create", "create-links", "configure", "healthy", "exit")

DEFAULT_MTU = 9500  # containerlab's, for links whose MTU is not given


@dataclass(frozen=True)
class Bind:
    source: Path
    target: str
    read_only: bool


@dataclass(frozen=True)
class HealthCheck:
    test: list[str]
    interval: float = 30
    retries: int = 3
    timeout: float = 30
    start_period: float = 0


@dataclass
class NodeSpec:
    name: str
    kind: str
    image: str = ""
    hostname: str = ""
    exec: list[list[str]] = field(default_factory=list)
    binds: list[Bind] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)
    sysctls: dict[str, str] = field(default_factory=dict)
    tmpfs: dict[str, str] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    network_of: str = ""  # the node whose network namespace this one shares
    management: bool = True
    mgmt_ipv4: str = ""
    mgmt_ipv6: str = ""
    wait_for: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # own stage -> (node, its stage)
    stage_exec: dict[tuple[str, str], list[list[str]]] = field(default_factory=dict)  # (stage, phase) -> commands
    healthcheck: HealthCheck | None = None
    startup_delay: float = 0

    @property
    def bridge_name(self) -> str:
        return self.name.partition("|")[0]


@dataclass(frozen=True)
class Endpoint:
    node: str
    interface: str
    mac: str = ""

    def __str__(self) -> str:
        return f"{self.node}:{self.interface}"


@dataclass(frozen=True)
class Link:
    ends: tuple[Endpoint, ...]  # two for veth, one for dummy
    mtu: int = DEFAULT_MTU


@dataclass
class Management:
    ipv4: ipaddress.IPv4Network
    ipv6: ipaddress.IPv6Network
    mtu: int = 1500


@dataclass
class Topology:
    path: Path
    name: str
    prefix: str
    management: Management
    nodes: dict[str, NodeSpec]
    links: list[Link]
    notes: list[str]  # what was ignored, for the user to see

    def container_name(self, node: str) -> str:
        return f"{self.prefix}{node}"
