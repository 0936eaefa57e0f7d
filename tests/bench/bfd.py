# SPDX-License-Identifier: Apache-2.0
"""A router is frozen: how long until the last of its prefixes goes another way, by BFD of 50 ms x 3; beside BIRD and FRR.

        A (BIRD) --- 10.200.1.0/24 ---+
                                      +--- daemon under test --- 10.0.0.0/16 --- receiver (bgp_blast)
        B (BIRD) --- 10.200.2.0/24 ---+

A and B announce the same prefixes, A over the shorter path. All processes of A stop (SIGSTOP): its link and its TCP session
stay up. The clock starts then, and ends with the receiver's last UPDATE. A and B are the same program whatever is tested, since the
time of detection counts from the last packet that A sent."""

import argparse
import json
import os
import random
import re
import signal
import statistics
import time

from tests.bench import rig as rigs

DETECTION = "50 ms x 3"
ASN, RECEIVER_ASN, PEER_ASN = 65000, 65001, {"a": 65101, "b": 65102}
SUBNET = {"a": "10.200.1", "b": "10.200.2"}
FRR = "/usr/lib/frr"


def prefixes(count: int) -> list[str]:
    return [f"{20 + index // 65536}.{index // 256 % 256}.{index % 256}.0/24" for index in range(count)]


class Run:
    """One daemon under test between its two peers and the receiver."""

    def __init__(self, here: rigs.Rig, count: int) -> None:
        self.here, self.count = here, count
        self.dut, self.load = here.namespace("dut"), here.namespace("load")
        here.ip(self.dut, [f"link add eth0 type veth peer name eth0 netns {self.load}", "link set eth0 up", "addr add 10.0.0.1/16 dev eth0"])
        here.ip(self.load, ["link set eth0 up", "addr add 10.0.1.1/16 dev eth0"])
        self.peers: dict[str, rigs.Process] = {}
        for name, subnet in SUBNET.items():
            space = here.namespace(name)
            here.ip(self.dut, [f"link add to-{name} type veth peer name eth0 netns {space}", f"link set to-{name} up",
                               f"addr add {subnet}.1/24 dev to-{name}"])
            here.ip(space, ["link set eth0 up", f"addr add {subnet}.2/24 dev eth0"])
            self.peers[name] = here.spawn(space, name, self.peer(name))

    def write(self, name: str, text: str) -> str:
        path = self.here.folder / name
        path.write_text(text + "\n")
        return str(path)

    def peer(self, name: str) -> list[object]:
        longer = f"bgp_path.prepend({PEER_ASN[name]});" if name == "b" else ""
        routes = " ".join(f"route {prefix} blackhole;" for prefix in prefixes(self.count))
        file = self.write(f"{name}.conf", f"""
router id {SUBNET[name]}.2;
protocol device {{}}
protocol bfd {{ interface "*" {{ min rx interval 50 ms; min tx interval 50 ms; multiplier 3; }}; }}
protocol static {{ ipv4; {routes} }}
protocol bgp up {{
  local {SUBNET[name]}.2 as {PEER_ASN[name]};
  neighbor {SUBNET[name]}.1 as {ASN};
  bfd on;
  connect delay time 1;
  ipv4 {{ import all; export filter {{ {longer} accept; }}; }};
}}""")
        return ["/usr/sbin/bird", "-f", "-c", file, "-s", self.here.folder / f"{name}.ctl", "-P", self.here.folder / f"{name}.pid"]

    def ask(self, name: str, *words: str) -> str:
        return rigs.run(["/usr/sbin/birdc", "-s", self.here.folder / f"{name}.ctl", *words])

    def ready(self, name: str) -> bool:
        """The peer's BFD session has its final values, and its routes have been sent."""
        if not (self.here.folder / f"{name}.ctl").exists():
            return False
        session = re.search(rf"{SUBNET[name]}\.1\s+\S+\s+Up\s+\S+\s+0\.050\s+0\.150", self.ask(name, "show bfd sessions"))
        return session is not None and f" {self.count} exported" in self.ask(name, "show protocols all up")

    def session(self, name: str) -> str:
        """The state of the peer's BGP session, and since when."""
        return self.ask(name, "show protocols up")

    def herald(self) -> None:
        detection = {"receiveInterval": 50, "transmitInterval": 50, "detectMultiplier": 3}
        accept = {"families": ["ipv4-unicast"], "maxPrefixes": 0, "import": ["accept-all"], "export": ["accept-all"]}
        router = {"asn": ASN, "routerID": "10.0.0.1", "listen": {"addresses": ["10.0.0.1"], "port": 179}}
        documents = [("BGPConfiguration", "default", router | {"kernel": {"install": False}}), ("BFDProfile", "fast", detection)]
        for name, subnet in SUBNET.items():
            peer = {"peerASN": PEER_ASN[name], "peerAddress": f"{subnet}.2", "bfdProfile": "fast"}
            documents.append(("BGPPeer", name, peer | accept))
        receiver = {"peerASN": RECEIVER_ASN, "peerAddress": "10.0.1.1", "passive": True}
        documents.append(("BGPPeer", "receiver", receiver | accept))
        objects = ({"apiVersion": "herald.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec} for kind, name, spec in documents)
        file = self.write("router.yaml", "\n---\n".join(map(json.dumps, objects)))
        control = f"unix:{self.here.folder}/herald.sock"
        self.here.spawn(self.dut, "herald", [rigs.program("herald-speaker"), "--node", "dut", "--resources", file, "--control", control])

    def bird(self) -> None:
        lines = ["router id 10.0.0.1;", "protocol device {}"]
        lines.append('protocol bfd { interface "*" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; }; }')
        for name, subnet in SUBNET.items():
            lines.append(f"protocol bgp {name} {{ local {subnet}.1 as {ASN}; neighbor {subnet}.2 as {PEER_ASN[name]}; bfd on; "
                         "connect delay time 1; ipv4 { import all; export all; }; }")
        lines.append(f"protocol bgp receiver {{ local 10.0.0.1 as {ASN}; neighbor 10.0.1.1 as {RECEIVER_ASN}; passive on; "
                     "ipv4 { import all; export all; }; }")
        file = self.write("bird.conf", "\n".join(lines))
        self.here.spawn(self.dut, "bird", ["/usr/sbin/bird", "-f", "-c", file, "-s", self.here.folder / "dut.ctl",
                                           "-P", self.here.folder / "dut.pid"])

    def frr(self) -> None:
        zebra = self.write("zebra.conf", "frr defaults traditional")
        bfd = self.write("bfdd.conf", "bfd\n profile fast\n  detect-multiplier 3\n  receive-interval 50\n  transmit-interval 50\n exit\nexit")
        lines = ["frr defaults traditional", f"router bgp {ASN}", " bgp router-id 10.0.0.1", " no bgp ebgp-requires-policy",
                 " no bgp network import-check", f" neighbor 10.0.1.1 remote-as {RECEIVER_ASN}", " neighbor 10.0.1.1 passive"]
        for name, subnet in SUBNET.items():
            lines += [f" neighbor {subnet}.2 remote-as {PEER_ASN[name]}", f" neighbor {subnet}.2 timers connect 1",
                      f" neighbor {subnet}.2 bfd", f" neighbor {subnet}.2 bfd profile fast"]
        bgp = self.write("bgpd.conf", "\n".join(lines))
        folder = self.here.folder
        common = ["-P", 0, "--vty_socket", folder, "-z", folder / "zserv.api"]
        self.here.spawn(self.dut, "zebra", [f"{FRR}/zebra", *common, "-f", zebra, "-i", folder / "zebra.pid", "-s", 90_000_000])
        rigs.wait("zebra listens", (folder / "zserv.api").exists, 10)
        self.here.spawn(self.dut, "bfdd", [f"{FRR}/bfdd", *common, "-f", bfd, "-i", folder / "bfdd.pid", "--bfdctl", folder / "bfdd.sock"])
        rigs.wait("bfdd listens", (folder / "bfdd.sock").exists, 10)
        self.here.spawn(self.dut, "bgpd", [f"{FRR}/bgpd", *common, "-f", bgp, "-i", folder / "bgpd.pid", "-n"])

    def measure(self, daemon: str) -> dict | None:
        """Milliseconds from the freeze to the receiver's first and last UPDATE; none if more was lost than A, since a
        host that pauses for the time of detection takes down what it likes."""
        getattr(self, daemon)()
        heard = self.here.folder / "heard"
        watch = [rigs.program("bgp_blast"), "--senders", 0, "--receivers", 1, "--monitor"]
        self.here.spawn(self.load, "receiver", watch, stdout=open(heard, "w"))

        def since(begin: float) -> dict[str, float]:
            """When each prefix was last announced, after a moment of the monotonic clock."""
            found = {}
            for line in heard.read_text().splitlines():
                at, _, change, prefix = line.split()
                if change == "+" and float(at) > begin:
                    found[prefix] = float(at)
            return found

        for name in self.peers:
            rigs.wait(f"BFD and routes of {name}", lambda: self.ready(name), 60, 0.2)
        rigs.wait("the receiver has every prefix", lambda: len(since(0)) == self.count, 60, 0.2)
        before = {name: self.session(name) for name in self.peers}
        # FRR sends what changed at the end of an interval, and a poll sequence may be on its way.
        time.sleep(3 + random.random() * 0.1)
        if any(self.session(name) != state for name, state in before.items()):
            return None
        victims = [self.peers["a"].pid, *rigs.descendants(self.peers["a"].pid)]
        begun = time.monotonic()
        for pid in victims:
            os.kill(pid, signal.SIGSTOP)
        try:
            b_lost = lambda: self.session("b") != before["b"]  # noqa: E731
            rigs.wait("all prefixes moved", lambda: len(since(begun)) == self.count or b_lost(), 10, 0.1)
        finally:
            for pid in victims:
                os.kill(pid, signal.SIGCONT)
        if b_lost():
            return None
        moved = since(begun).values()
        return {"daemon": daemon, "first": (min(moved) - begun) * 1000, "last": (max(moved) - begun) * 1000}


DAEMONS = ("herald", "bird", "frr")
TRIES = 5


def one_run(daemon: str, prefixes: int) -> dict:
    for _ in range(TRIES):
        with rigs.rig() as here:
            if result := Run(here, prefixes).measure(daemon):
                return result
        rigs.progress(f"again: {daemon} lost more than the frozen router, by a pause of this host")
    raise rigs.RigError(f"the host paused in each of {TRIES} runs of {daemon}: no figure")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="./dev bench bfd", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("daemons", nargs="*", metavar="DAEMON", choices=[[], *DAEMONS], help=" ".join(DAEMONS))
    parser.add_argument("--runs", type=int, default=8, help="of each daemon (8)")
    parser.add_argument("--prefixes", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="all runs as one JSON array in place of the table")
    options = parser.parse_args()
    daemons = options.daemons or DAEMONS

    results = []
    for number in range(options.runs):
        for daemon in daemons:
            result = one_run(daemon, options.prefixes)
            results.append(result)
            rigs.progress(f"{number + 1}/{options.runs} {daemon:7} first {result['first']:.1f} ms, last {result['last']:.1f} ms")
    if options.json:
        print(json.dumps(results))
        return
    rows = []
    for figure in ("first", "last"):
        by_daemon = {daemon: [run[figure] for run in results if run["daemon"] == daemon] for daemon in daemons}
        best = min((statistics.median(values) for daemon, values in by_daemon.items() if daemon != "herald"), default=0)
        share = f"{statistics.median(by_daemon['herald']) / best:.2f}" if "herald" in by_daemon and best else "–"
        rows.append([f"{figure} of {options.prefixes} prefixes moved, ms", *(rigs.spread(values, 1) for values in by_daemon.values()), share])
    print(f"BFD {DETECTION}; the session's last packet is up to 50 ms old when the peer freezes, so detection takes 100 to 150 ms\n")
    print(rigs.table(["figure", *daemons, "herald / best peer"], rows))


if __name__ == "__main__":
    rigs.main(main)
