# SPDX-License-Identifier: Apache-2.0
"""What Herald costs while nothing happens: 1,000 services, three peers; processor and memory of speaker and controller."""

import argparse
import json
import time

from tests.bench import rig as rigs
from tests.bench.cluster import Cluster

CPU_LIMIT = 0.1  # per cent of one processor
MEMORY_LIMIT = {"speaker": 25, "controller": 40}  # MiB


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench idle", description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20, help="how long to watch (20)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    with rigs.rig() as here:
        cluster = Cluster(here, nodes=1, routers_each=options.peers).start()
        cluster.fill(options.services)
        pids = {"speaker": cluster.speakers[0].pid, "controller": cluster.controller.pid}
        # What the changes of before set in motion (statuses, checkpoints) ends first.
        rigs.wait("the programs are quiet", lambda: quiet(pids.values()), 60, 0)
        rigs.progress(f"watching for {options.seconds:.0f} s")
        before = {name: rigs.processor_seconds(pid) for name, pid in pids.items()}
        began = time.monotonic()
        time.sleep(options.seconds)  # the measurement itself
        elapsed = time.monotonic() - began
        figures = {
            name: {
                "cpu_percent": round(100 * (rigs.processor_seconds(pid) - before[name]) / elapsed, 4),
                "rss_mib": round(rigs.memory_kib(pid) / 1024, 2),
                "peak_mib": round(rigs.memory_kib(pid, "VmHWM") / 1024, 2),
            }
            for name, pid in pids.items()
        }
    if options.json:
        print(json.dumps({"services": options.services, "peers": options.peers, "seconds": elapsed, **figures}))
        return
    print(f"\n{options.services} services, {options.peers} peers, {elapsed:.0f} s\n")
    rows = [
        [
            name,
            f"{cost['cpu_percent']:.3f} %",
            f"< {CPU_LIMIT} %: {rigs.verdict(cost['cpu_percent'], CPU_LIMIT)}",
            f"{cost['rss_mib']:.1f} MiB",
            f"< {MEMORY_LIMIT[name]} MiB: {rigs.verdict(cost['rss_mib'], MEMORY_LIMIT[name])}",
            f"{cost['peak_mib']:.1f} MiB",
        ]
        for name, cost in figures.items()
    ]
    print(rigs.table(["program", "CPU", "goal", "RSS", "goal", "peak"], rows))


def quiet(pids) -> bool:
    """Less than a hundredth of a processor for all, over half a second."""
    before = [rigs.processor_seconds(pid) for pid in pids]
    time.sleep(0.5)
    return all(rigs.processor_seconds(pid) - used < 0.005 for pid, used in zip(pids, before))


if __name__ == "__main__":
    rigs.main(main)
