# SPDX-License-Identifier: Apache-2.0
"""Herald beside BIRD, FRR, OpenBGPD and GoBGP on the same loads in one run: convergence, CPU, memory, latency, kernel.

Each run starts a fresh daemon. Runs of the daemons take turns, so that what disturbs the machine disturbs them alike."""

import argparse
import json
import sys

from tests.bench import rig as rigs
from tests.bench.bgp import goals
from tests.bench.bgp.daemons import DAEMONS
from tests.bench.bgp.loads import CURVES, LOADS, run
from tests.bench.bgp.report import brief, curves, tables

USUAL_DAEMONS = ("herald", "bird", "frr")
USUAL_LOADS = ("a", "b", "c", "d", "e", "f100k", "fload", "g100k", "g500k", "real2010", "real2024", "idle1", "idle500")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="./dev bench bgp", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.epilog = "loads:\n" + "\n".join(f"  {name:8} {load.says}" for name, load in LOADS.items())
    parser.epilog += "\ncurves:\n" + "\n".join(f"  {name:8} how cost grows: {' '.join(points)}" for name, points in CURVES.items())
    known = [*DAEMONS, *LOADS, *CURVES]
    parser.add_argument(
        "what", nargs="*", metavar="DAEMON|LOAD|CURVE", help=f"daemons: {' '.join(DAEMONS)}; loads and curves: see below"
    )
    parser.add_argument(
        "--all", action="store_true", help="all daemons and loads, or those named, then the other benchmarks: each goal with its figure"
    )
    parser.add_argument("--runs", type=int, default=5, help="of each daemon with each load (5)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one phase (120)")
    parser.add_argument("--json", metavar="FILE", help="write every run's figures there, too, one object a line")
    options = parser.parse_args()
    unknown = [name for name in options.what if name not in known]
    if unknown:
        parser.error(f"no such daemon, load or curve: {' '.join(unknown)}; there are: {' '.join(known)}")
    every_load = [name for name in LOADS if "smoke" not in name]
    daemons = [name for name in options.what if name in DAEMONS] or (list(DAEMONS) if options.all else USUAL_DAEMONS)
    asked = [name for word in options.what for name in CURVES.get(word, [word]) if name in LOADS]
    loads = list(dict.fromkeys(asked)) or (every_load if options.all else USUAL_LOADS)

    results, file = [], open(options.json, "a") if options.json else None
    for load in loads:
        rigs.progress(f"load {load}: {LOADS[load].says}")
        for number in range(options.runs):
            for daemon in daemons:
                result = run(daemon, load, options.timeout)
                results.append(result)
                rigs.progress(f"  {number + 1}/{options.runs} {brief(result)}")
                if file:
                    print(json.dumps(result), file=file, flush=True)
    print("\n" + tables(results, daemons, loads))
    if growth := curves(results, daemons):
        print("\n" + growth)
    if options.all:
        judged = goals.beside_others(results, daemons, loads) + goals.of_other_benchmarks(goals.other_benchmarks(options.runs))
        print("\n" + goals.table(judged))
    if any("error" in result for result in results):
        sys.exit(1)


if __name__ == "__main__":
    rigs.main(main)
