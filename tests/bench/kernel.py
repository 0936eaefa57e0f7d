# SPDX-License-Identifier: Apache-2.0
"""100,000 routes from FRR through herald-speaker into the kernel, against a bare batched insert of the same routes.

    bgp_blast 10.8.0.2 --- FRR 10.8.0.1 / 10.9.0.2 --- herald-speaker 10.9.0.1

FRR has learned all routes before the session with Herald comes up. The clock runs from FRR's first UPDATE to the last route
being in the kernel's table, then from FRR losing its source to the last route being gone. How long FRR works before it
sends anything is shown apart, and what the ratio is with it. The bare insert is the same prefixes in the same namespace,
sent as full netlink messages with one acknowledgement a batch."""

import argparse
import json
import statistics
import subprocess
import time

from tests.bench import rig as rigs

LIMIT = 2.0  # times the bare insert


class Stage:
    """The three of the picture; FRR full, its neighbour Herald held down."""

    def __init__(self, here: rigs.Rig, routes: int) -> None:
        self.here, self.routes = here, routes
        self.source, self.frr, self.dut = (here.namespace(name) for name in ("source", "frr", "dut"))
        here.ip(self.source, [f"link add eth0 type veth peer name eth0 netns {self.frr}"])
        here.ip(self.dut, [f"link add eth0 type veth peer name eth1 netns {self.frr}"])
        here.ip(self.source, ["addr add 10.8.0.2/24 dev eth0", "link set eth0 up"])
        here.ip(self.frr, ["addr add 10.8.0.1/24 dev eth0", "link set eth0 up"])
        here.ip(self.frr, ["addr add 10.9.0.2/24 dev eth1", "link set eth1 up"])
        here.ip(self.dut, ["addr add 10.9.0.1/24 dev eth0", "link set eth0 up"])
        self.prefixes = rigs.run([rigs.program("bgp_blast"), "--dump", "--prefixes", routes])
        self.start_frr()

    def start_frr(self) -> None:
        folder = self.here.folder
        lines = ["frr defaults traditional", "router bgp 65001", " bgp router-id 10.9.0.2", " no bgp ebgp-requires-policy"]
        lines += [" neighbor 10.8.0.2 remote-as 65100", " neighbor 10.8.0.2 passive"]
        lines += [" neighbor 10.9.0.1 remote-as 65000", " neighbor 10.9.0.1 timers connect 1"]
        # Otherwise FRR lets a second pass before it sends anything.
        lines += [" coalesce-time 0", " neighbor 10.9.0.1 advertisement-interval 0", " neighbor 10.9.0.1 shutdown"]
        (folder / "bgpd.conf").write_text("\n".join(lines) + "\n")
        bgpd = ["/usr/lib/frr/bgpd", "-P", 0, "--vty_socket", folder, "-z", folder / "none.api", "-n"]
        bgpd += ["-f", folder / "bgpd.conf", "-i", folder / "bgpd.pid"]
        self.here.spawn(self.frr, "bgpd", bgpd)
        rigs.wait("FRR is there", lambda: (folder / "bgpd.vty").exists())

    def vtysh(self, *commands: str) -> str:
        arguments = ["vtysh", "--vty_socket", self.here.folder]
        return rigs.run(arguments + [word for command in commands for word in ("-c", command)])

    def fill(self) -> rigs.Process:
        """A process that keeps FRR full for as long as it lives."""
        report = open(self.here.folder / "fill.json", "w")
        arguments = [rigs.program("bgp_blast"), "--keep", "--senders", 1, "--receivers", 0, "--prefixes", self.routes]
        arguments += ["--dut", "10.8.0.1:179", "--source", "10.8.0.2", "--first-asn", 65100]
        process = self.here.spawn(self.source, "fill", arguments, stdout=report)
        rigs.wait("FRR has all routes", lambda: self.known_to_frr() == self.routes, 120, 0.2)
        return process

    def known_to_frr(self) -> int:
        summary = json.loads(self.vtysh("show bgp ipv4 unicast summary json"))
        return summary["peers"].get("10.8.0.2", {}).get("pfxRcd", 0) if "peers" in summary else 0

    def start_herald(self) -> rigs.Process:
        documents = [
            ("BGPConfiguration", "default", {"asn": 65000, "routerID": "10.9.0.1", "kernel": {"install": True}}),
            (
                "BGPPeer",
                "frr",
                {"peerASN": 65001, "peerAddress": "10.9.0.2", "passive": True, "import": ["accept-all"], "maxPrefixes": 0},
            ),
        ]
        text = "\n---\n".join(
            json.dumps({"apiVersion": "herald.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
            for kind, name, spec in documents
        )
        file = self.here.folder / "router.yaml"
        file.write_text(text)
        speaker = self.here.spawn(
            self.dut,
            "herald",
            [rigs.program("herald-speaker"), "--node", "dut", "--resources", file, "--tune-kernel"]
            + ["--control", f"unix:{self.here.folder}/dut.sock"],
        )
        rigs.wait("herald-speaker is ready", lambda: speaker.said("ready"))
        return speaker

    def bare(self) -> dict[str, float]:
        """Seconds to add and to remove, without any daemon."""
        done = subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.dut}", "--", rigs.program("fib_insert"), "10.9.0.2", "eth0"],
            input=self.prefixes,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise rigs.RigError(f"fib_insert: {done.stderr.strip()} {done.stdout.strip()}")
        return {line["operation"]: line["seconds"] for line in map(json.loads, done.stdout.splitlines())}


def filled(pid: int, target: int, reached, seconds: float = 60) -> float:
    """When the kernel's table has reached a size; looking costs a thirtieth of a processor at most."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        count = rigs.kernel_routes(pid)
        ended = time.monotonic()
        if reached(count, target):
            return ended
        if ended > deadline:
            raise rigs.RigError(f"the kernel has {count} routes, not {target}, after {seconds:.0f} s")
        time.sleep(max(0.002, min(29 * (ended - began), 0.05)))


def received(pid: int) -> int:
    """Octets on the link to FRR, as the process sees it."""
    with open(f"/proc/{pid}/net/dev") as counters:
        return next(int(line.split()[1]) for line in counters if line.strip().startswith("eth0:"))


def measure(routes: int) -> dict[str, float]:
    with rigs.rig() as here:
        stage = Stage(here, routes)
        source = stage.fill()
        bare = stage.bare()
        speaker = stage.start_herald()
        own = rigs.kernel_routes(speaker.pid)
        stage.vtysh("configure terminal", "router bgp 65001", "no neighbor 10.9.0.1 shutdown")
        rigs.wait("the session is up", lambda: speaker.said("to=Established"), 30, 0.001)
        up = time.monotonic()
        # More octets than a session takes to come up.
        rigs.wait("FRR's first UPDATE", lambda: received(speaker.pid) > 8000, 30, 0.002)
        began = time.monotonic()
        inserted = filled(speaker.pid, own + routes, lambda count, target: count >= target) - began
        lost = time.monotonic()
        source.stop()
        removed = filled(speaker.pid, own, lambda count, target: count <= target) - lost
        return {
            "bare": bare["add"],
            "bare_remove": bare["remove"],
            "frr_silent": began - up,
            "herald": inserted,
            "herald_remove": removed,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench kernel", description=__doc__)
    parser.add_argument("--routes", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    runs = []
    for number in range(options.runs):
        runs.append(measure(options.routes))
        rigs.progress(f"run {number + 1}: " + ", ".join(f"{name} {value:.3f} s" for name, value in runs[-1].items()))
    ratios = [run["herald"] / run["bare"] for run in runs]
    from_established = [(run["frr_silent"] + run["herald"]) / run["bare"] for run in runs]
    if options.json:
        print(json.dumps({"routes": options.routes, "runs": runs}))
        return
    print(f"\n{options.routes} routes from FRR, {options.runs} runs; seconds, median (min–max)\n")
    column = {name: rigs.spread([run[name] for run in runs]) for name in runs[0]}
    good = [rigs.verdict(statistics.median(of_runs), LIMIT) for of_runs in (ratios, from_established)]
    print(
        rigs.table(
            ["", "all in the kernel", "all gone", f"goal: at most {LIMIT:.0f} times the bare insert"],
            [
                ["bare batched insert", column["bare"], column["bare_remove"], ""],
                ["Established -> FRR's first UPDATE", column["frr_silent"], "", ""],
                ["FRR's first UPDATE -> all by herald-speaker", column["herald"], column["herald_remove"], ""],
                ["ratio", rigs.spread(ratios, 2), "", good[0]],
                ["ratio from Established on", rigs.spread(from_established, 2), "", good[1]],
            ],
        )
    )


if __name__ == "__main__":
    rigs.main(main)
