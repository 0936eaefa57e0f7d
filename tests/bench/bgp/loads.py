# SPDX-License-Identifier: Apache-2.0
"""What is asked of the daemons, and one run of it."""

import gzip
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench import rig as rigs
from tests.bench.bgp.daemons import ADDRESS, DAEMONS, peer_address


@dataclass(frozen=True)
class Load:
    says: str
    senders: int = 1
    receivers: int = 1
    arguments: str = ""
    fib: bool = False
    ipv6: bool = False
    table: str = ""  # a compressed MRT file below HERALD_TEST_DATA/mrt


LOADS = {
    "smoke": Load("2 senders x the same 1k -> 1 receiver, everything once", 2, 1, "--prefixes 1000 --flap 100 --probes 5 --down"),
    "gsmoke": Load("1 sender x 1k, into the kernel; session down", 1, 1, "--prefixes 1000 --down --fib-down", fib=True),
    "a": Load("1 sender x 100k -> 1 receiver; 10k flap; session down", 1, 1, "--prefixes 100000 --flap 10000 --down"),
    "a6": Load("the same with IPv6", 1, 1, "--prefixes 100000 --ipv6 --flap 10000 --down", ipv6=True),
    "b": Load("10 senders x the same 100k -> 1 receiver; one session down", 10, 1, "--prefixes 100000 --down"),
    "c": Load("1 sender x 1M -> 1 receiver; session down", 1, 1, "--prefixes 1000000 --down"),
    "c500k": Load("1 sender x 500k -> 1 receiver; session down", 1, 1, "--prefixes 500000 --down"),
    "c2": Load("1 sender x 2M -> 1 receiver; session down", 1, 1, "--prefixes 2000000 --down"),
    "d": Load("30 senders x 10k, all to all; one session down", 30, 1, "--prefixes 10000 --disjoint --down"),
    "e": Load("10 senders x 10k -> 50 receivers; one session down", 10, 50, "--prefixes 10000 --disjoint --down"),
    "e100": Load("10 senders x 1k -> 90 receivers", 10, 90, "--prefixes 1000 --disjoint"),
    "e250": Load("10 senders x 1k -> 240 receivers", 10, 240, "--prefixes 1000 --disjoint"),
    "e500": Load("10 senders x 1k -> 490 receivers", 10, 490, "--prefixes 1000 --disjoint"),
    "e1000": Load("10 senders x 1k -> 990 receivers", 10, 990, "--prefixes 1000 --disjoint"),
    "f0": Load("1000 single prefixes, 5 ms apart, 100 in the table", 1, 1, "--prefixes 100 --probes 1000"),
    "f100k": Load("1000 single prefixes, 5 ms apart, 100k in the table", 1, 1, "--prefixes 100000 --probes 1000"),
    "fload": Load(
        "1000 single prefixes while 500k are sent over and over", 2, 1, "--prefixes 500000 --probes 1000 --while-loading"
    ),
    "g100k": Load("1 sender x 100k, into the kernel; session down", 1, 1, "--prefixes 100000 --down --fib-down", fib=True),
    "g500k": Load("1 sender x 500k, into the kernel; session down", 1, 1, "--prefixes 500000 --down --fib-down", fib=True),
    "real2010": Load(
        "2 senders with the tables of two peers of a collector, 2010: 323k prefixes in 117k attribute sets -> 1 receiver; session down",
        2, 1, "--down", table="derived_full_2010_2peers.mrt.gz",
    ),
    "real2024": Load(
        "1 sender with the 902k IPv4 prefixes of 2024 -> 1 receiver; session down",
        1, 1, "--down", table="derived_full_2024_synthattr.mrt.gz",
    ),
    "real6": Load(
        "1 sender with the 160k IPv6 prefixes of 2024 -> 1 receiver; session down",
        1, 1, "--ipv6 --down", ipv6=True, table="derived_full_v6.mrt.gz",
    ),
    "idle1": Load("1 session, no prefixes", 1, 0, "--prefixes 0 --retry 5"),
    "idle500": Load("500 sessions, no prefixes", 500, 0, "--prefixes 0 --settle 3"),
}

# Loads that differ in one number only: what grows, and each load's number of it.
CURVES = {
    "prefixes": {"a": 100_000, "c500k": 500_000, "c": 1_000_000, "c2": 2_000_000},
    "peers": {"e100": 100, "e250": 250, "e500": 500, "e1000": 1000},
}


def network(here: rigs.Rig, peers: int) -> tuple[str, str]:
    """The daemon's namespace and that of all its peers, with one veth pair between them."""
    dut, load = here.namespace("dut"), here.namespace("load")
    here.ip(dut, [f"link add eth0 type veth peer name eth0 netns {load}", "link set eth0 up"])
    here.ip(dut, [f"addr add {ADDRESS}/16 dev eth0", "addr add fd00::1/64 dev eth0 nodad"])
    addresses = [f"addr add {peer_address(index)}/16 dev eth0" for index in range(peers)]
    addresses += [f"addr add fd00::1:{index + 1:x}/64 dev eth0 nodad" for index in range(peers)]
    here.ip(load, ["link set eth0 up", *addresses])
    return dut, load


def run(daemon_name: str, load_name: str, timeout: float) -> dict:
    """The report of bgp_blast, with what the daemon's processes hold; an `error` where a run did not come to its end."""
    load, kind = LOADS[load_name], DAEMONS[daemon_name]
    result = {"daemon": daemon_name, "load": load_name, "load_average": round(os.getloadavg()[0], 2)}
    if load.fib and not kind.can_fib:
        return result | {"skipped": "does not write to this kernel"}
    table = Path(os.environ.get("HERALD_TEST_DATA") or "/nonexistent") / "mrt" / load.table
    if load.table and not table.exists():
        return result | {"skipped": f"HERALD_TEST_DATA has no mrt/{load.table}"}
    with rigs.rig() as here:
        dut, peers = network(here, load.senders + load.receivers)
        daemon = kind(here, dut, load.senders + load.receivers, fib=load.fib, ipv6=load.ipv6)
        started = time.monotonic()
        daemon.start()
        arguments = [rigs.program("bgp_blast"), "--senders", load.senders, "--receivers", load.receivers]
        arguments += ["--timeout", timeout, *load.arguments.split(), "--pids", ",".join(map(str, daemon.pids()))]
        if load.table:
            plain = here.folder / table.stem
            with gzip.open(table) as packed, open(plain, "wb") as file:
                shutil.copyfileobj(packed, file)
            arguments += ["--table", plain]
        if load.fib:
            arguments += ["--fib-pid", daemon.pids()[-1]]
        blast = here.spawn(peers, "blast", arguments, stdout=open(here.folder / "report.json", "w"))
        # Some daemons grow until the host has no memory left.
        gone = lambda: [one for one in daemon.processes if not one.alive()]  # noqa: E731
        rigs.wait("bgp_blast has measured all", lambda: gone() or not blast.alive(), timeout * 4 + 120, 0.05)
        if lost := gone():
            return result | {"error": "; ".join(one.ending() for one in lost)}
        try:
            result |= json.loads((here.folder / "report.json").read_text())
        except ValueError:
            return result | {"error": blast.log.read_text().strip() or "no report"}
        if result["established"] < result["peers"]:
            return result | {"error": f"{result['established']} of {result['peers']} sessions came up"}
        result["exec_to_established"] = result["t_established_mono"] - started
        result["rss_kib"] = sum(rigs.memory_kib(pid) for pid in daemon.pids())
    return result
