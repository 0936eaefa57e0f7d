# SPDX-License-Identifier: Apache-2.0
"""The BGP daemons that are compared: how each is configured for the same job, and started.

Address 10.0.0.1, AS 65000, passive; peer i is 10.0.1.1 + i with AS 65001 + i; everything is accepted from and announced to
everybody. Each daemon runs in the foreground and leaves nothing outside the folder of the run, OpenBGPD's chroot excepted."""

import ipaddress
import json
import os
from collections.abc import Sequence
from pathlib import Path

from tests.bench import rig as rigs

ADDRESS, ASN, FIRST_ASN = "10.0.0.1", 65000, 65001


def peer_address(index: int) -> str:
    return str(ipaddress.ip_address("10.0.1.1") + index)


class Daemon:
    """One run of a daemon. `fib` asks for learned routes in the kernel, which not every daemon can do."""

    can_fib = True

    def __init__(self, here: rigs.Rig, namespace: str, peers: int, *, fib: bool = False, ipv6: bool = False) -> None:
        self.here, self.namespace = here, namespace
        self.peers, self.fib, self.ipv6 = range(peers), fib, ipv6
        self.folder: Path = here.folder
        self.processes: list[rigs.Process] = []

    def write(self, name: str, lines: Sequence[str], mode: int = 0o644) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        path.chmod(mode)
        return path

    def spawn(self, *arguments: object) -> None:
        name = f"{type(self).__name__.lower()}{len(self.processes)}"
        self.processes.append(self.here.spawn(self.namespace, name, arguments))

    def start(self) -> None:
        raise NotImplementedError

    def pids(self) -> list[int]:
        return [pid for one in self.processes for pid in (one.pid, *rigs.descendants(one.pid))]


class Herald(Daemon):
    def start(self) -> None:
        family = "ipv6-unicast" if self.ipv6 else "ipv4-unicast"
        listen = {"addresses": [ADDRESS], "port": 179}
        router = {"asn": ASN, "routerID": ADDRESS, "listen": listen, "kernel": {"install": self.fib}}
        documents = [("BGPConfiguration", "default", router)]
        for index in self.peers:
            peer = {"peerASN": FIRST_ASN + index, "peerAddress": peer_address(index), "passive": True}
            peer |= {"holdTime": "180s", "families": [family], "maxPrefixes": 0}
            documents.append(("BGPPeer", f"p{index}", peer | {"import": ["accept-all"], "export": ["accept-all"]}))
        file = self.write(
            "router.yaml",
            [
                json.dumps({"apiVersion": "herald.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}) + "\n---"
                for kind, name, spec in documents
            ],
        )
        program = rigs.program("herald-speaker")
        self.spawn(program, "--node", "dut", "--resources", file, "--control", f"unix:{self.folder}/herald.sock")


class Bird(Daemon):
    def start(self) -> None:
        family = "ipv6" if self.ipv6 else "ipv4"
        lines = [f'log "{self.folder}/bird.log" {{ warning, error, fatal, bug, auth }};']
        lines += [f"router id {ADDRESS};", "protocol device {}"]
        if self.fib:
            lines.append(f"protocol kernel {{ {family} {{ import none; export all; }}; }}")
        for index in self.peers:
            lines.append(
                f"protocol bgp p{index} {{ local {ADDRESS} as {ASN}; passive on; hold time 180; "
                f"neighbor {peer_address(index)} as {FIRST_ASN + index}; {family} {{ import all; export all; }}; }}"
            )
        file = self.write("bird.conf", lines)
        self.spawn("/usr/sbin/bird", "-f", "-c", file, "-s", self.folder / "bird.ctl", "-P", self.folder / "bird.pid")


class Frr(Daemon):
    LIBRARY = "/usr/lib/frr"

    def start(self) -> None:
        zebra = self.write("zebra.conf", [f"log file {self.folder}/zebra.log warnings"])
        lines = ["frr defaults traditional", f"log file {self.folder}/bgpd.log warnings", f"router bgp {ASN}"]
        lines += [f" bgp router-id {ADDRESS}", " no bgp ebgp-requires-policy", " no bgp network import-check"]
        lines += [" timers bgp 60 180"]
        for index in self.peers:
            lines.append(f" neighbor {peer_address(index)} remote-as {FIRST_ASN + index}")
            lines.append(f" neighbor {peer_address(index)} passive")
        if self.ipv6:
            lines.append(" address-family ipv6 unicast")
            lines += [f"  neighbor {peer_address(index)} activate" for index in self.peers]
            lines.append(" exit-address-family")
        bgpd = self.write("bgpd.conf", lines)
        socket = self.folder / "zserv.api"
        common = ["-P", 0, "--vty_socket", self.folder, "-z", socket]
        self.spawn(f"{self.LIBRARY}/zebra", *common, "-f", zebra, "-i", self.folder / "zebra.pid", "-s", 90_000_000)
        rigs.wait("zebra listens", socket.exists, 10, 0.002)
        without_kernel = [] if self.fib else ["-n"]
        self.spawn(f"{self.LIBRARY}/bgpd", *common, "-f", bgpd, "-i", self.folder / "bgpd.pid", *without_kernel)


class Gobgp(Daemon):
    can_fib = False  # only through zebra

    def start(self) -> None:
        family = "ipv6-unicast" if self.ipv6 else "ipv4-unicast"
        neighbors = [
            {
                "config": {"neighbor-address": peer_address(index), "peer-as": FIRST_ASN + index},
                "transport": {"config": {"passive-mode": True}},
                "timers": {"config": {"hold-time": 180, "keepalive-interval": 60}},
                "afi-safis": [{"config": {"afi-safi-name": family}}],
            }
            for index in self.peers
        ]
        router = {"config": {"as": ASN, "router-id": ADDRESS, "local-address-list": [ADDRESS]}}
        file = self.write("gobgpd.json", [json.dumps({"global": router, "neighbors": neighbors})])
        self.spawn("/usr/bin/gobgpd", "-f", file, "-t", "json", "--api-hosts", "127.0.0.1:50051", "--log-level", "error")


class Openbgpd(Daemon):
    can_fib = False  # Linux is not among the kernels that it writes to

    def start(self) -> None:
        family, other = ("IPv6", "IPv4") if self.ipv6 else ("IPv4", "IPv6")
        lines = [f"AS {ASN}", f"router-id {ADDRESS}", "fib-update no", f"listen on {ADDRESS}", "holdtime 180"]
        lines.append(f'socket "{self.folder}/bgpd.sock"')
        for index in self.peers:
            lines += [f"neighbor {peer_address(index)} {{", f" remote-as {FIRST_ASN + index}", " passive"]
            lines += [f" announce {family} unicast", f" announce {other} none", "}"]
        file = self.write("openbgpd.conf", [*lines, "allow from any", "allow to any"], 0o600)
        os.makedirs("/run/openbgpd", exist_ok=True)  # its chroot, which its service would make
        os.chmod("/run/openbgpd", 0o755)
        self.spawn("/usr/sbin/bgpd", "-d", "-f", file)


DAEMONS: dict[str, type[Daemon]] = {
    "herald": Herald,
    "bird": Bird,
    "frr": Frr,
    "openbgpd": Openbgpd,
    "gobgp": Gobgp,
}
