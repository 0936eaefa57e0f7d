# SPDX-License-Identifier: Apache-2.0
"""Runs as one line each, and all of them as tables: median (min–max) of each daemon, Herald's share of the best peer, and how
cost grows."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

from tests.bench import rig as rigs
from tests.bench.bgp.loads import CURVES

# What a row of a table shows: name, unit, how to get it from a run, digits.
Figure = tuple[str, str, Callable[[dict], float], int]


def at(phase: str, key: str, factor: float = 1) -> Callable[[dict], float]:
    return lambda run: run[phase][key] * factor


MIB = 1 / 1024
MS = 1000
PHASES: list[Figure] = [
    ("converged", "s", at("announce", "t_converged"), 3),
    ("CPU", "s", at("announce", "dut_cpu"), 2),
    ("peak memory", "MiB", at("announce", "dut_peak_kb", MIB), 0),
    ("in the kernel", "s", at("announce", "t_fib"), 3),
    ("flap", "ms", at("flap", "t_converged", MS), 1),
    ("session down", "s", at("down", "t_converged"), 3),
    ("session down, CPU", "s", at("down", "dut_cpu"), 2),
    ("kernel empty", "s", at("down", "t_fib"), 3),
    ("announce p50", "µs", at("latency_announce", "p50_us"), 0),
    ("announce p99", "µs", at("latency_announce", "p99_us"), 0),
    ("withdraw p50", "µs", at("latency_withdraw", "p50_us"), 0),
    ("withdraw p99", "µs", at("latency_withdraw", "p99_us"), 0),
    ("stolen by the host while probing", "% of a processor", lambda run: run["latency_stolen"] * 100, 1),
    ("start to Established", "ms", lambda run: run["exec_to_established"] * MS, 1),
    ("memory at rest", "MiB", lambda run: run["rss_kib"] * MIB, 2),
]
# What a curve shows.
COSTS = PHASES[:3]
# The start and the memory at rest mean something only where nothing else was measured.
ONLY_IDLE = {"start to Established", "memory at rest"}


def brief(run: dict) -> str:
    head = f"{run['daemon']:9}"
    for problem in ("error", "skipped"):
        if problem in run:
            return f"{head} {problem}: {run[problem]}"
    parts = []
    for name in ("announce", "flap", "down"):
        if name in run:
            phase = run[name]
            text = f"{name} {phase['t_converged']:.3f} s"
            text += f", kernel {phase['t_fib']:.3f} s" if phase["t_fib"] >= 0 else ""
            text += f", CPU {phase['dut_cpu']:.2f} s, peak {phase['dut_peak_kb'] * MIB:.0f} MiB"
            text += f", TIME IS UP with {phase['min_right']} of {phase['expected']} right" if phase["timeout"] else ""
            parts.append(text)
    for name in ("latency_announce", "latency_withdraw"):
        if name in run:
            parts.append(f"{name} p50 {run[name]['p50_us']:.0f}, p99 {run[name]['p99_us']:.0f} µs")
    if "latency_stolen" in run:
        parts.append(f"stolen {run['latency_stolen']:.1%}")
    parts.append(f"load average {run['load_average']}")
    return head + " " + "; ".join(parts)


def by_load_and_daemon(results: Iterable[dict]) -> dict[tuple[str, str], list[dict]]:
    """The runs that came to their end."""
    runs: dict[tuple[str, str], list[dict]] = {}
    for result in results:
        if "error" not in result and "skipped" not in result:
            runs.setdefault((result["load"], result["daemon"]), []).append(result)
    return runs


def tables(results: Iterable[dict], daemons: Sequence[str], loads: Sequence[str]) -> str:
    runs, rows = by_load_and_daemon(results), []
    for load in loads:
        for figure in PHASES:
            if (figure[0] in ONLY_IDLE) == load.startswith("idle"):
                rows += row(load, figure, [runs.get((load, daemon), []) for daemon in daemons], daemons)
    per_peer = idle_peer(runs, daemons)
    text = rigs.table(["load", "figure", *daemons, "herald / best peer"], rows)
    return text + (f"\n\nmemory of one idle peer, KiB: {per_peer}" if per_peer else "")


def curves(results: Iterable[dict], daemons: Sequence[str]) -> str:
    """How cost grows with each number of which several were measured; n^1 is linear, and less where something is there at n = 0."""
    runs, texts = by_load_and_daemon(results), []
    for what, points in CURVES.items():
        measured = {load: number for load, number in points.items() if any((load, daemon) in runs for daemon in daemons)}
        if len(measured) < 2:
            continue
        rows = []
        for figure in COSTS:
            for daemon in daemons:
                values = [(number, [figure[2](run) for run in runs.get((load, daemon), [])]) for load, number in measured.items()]
                rows.append(curve(figure, daemon, values))
        texts.append(rigs.table([what, "daemon", *(f"{number:,}" for number in measured.values()), "grows with"], rows))
    return "\n\n".join(texts)


def curve(figure: Figure, daemon: str, points: Sequence[tuple[int, list[float]]]) -> list[str]:
    name, unit, _, digits = figure
    cells = [f"{statistics.median(values):.{digits}f}" if values else "–" for _, values in points]
    power = growth(points)
    return [f"{name}, {unit}", daemon, *cells, "–" if power is None else f"n^{power:.2f}"]


def growth(points: Sequence[tuple[int, list[float]]]) -> float | None:
    """The power of n; nothing of less than two points."""
    medians = [(number, statistics.median(values)) for number, values in points if values]
    seen = [(math.log(number), math.log(value)) for number, value in medians if value > 0]
    return statistics.linear_regression(*zip(*seen)).slope if len(seen) > 1 else None


def row(load: str, figure: Figure, by_daemon: Sequence[list[dict]], daemons: Sequence[str]) -> list[list[str]]:
    name, unit, get, digits = figure
    cells, medians = [], {}
    for daemon, runs in zip(daemons, by_daemon):
        values, late = [], 0
        for run in runs:
            try:
                value = get(run)
            except KeyError:
                continue
            late += any(phase.get("timeout", False) for phase in run.values() if isinstance(phase, dict))
            if value >= 0:
                values.append(value)
        cells.append(rigs.spread(values, digits) if values else "–")
        if late:
            cells[-1] += f" ({late} not in time)"
        if values:
            medians[daemon] = statistics.median(values)
    if not medians:
        return []
    best = min((value for daemon, value in medians.items() if daemon != "herald"), default=0)
    share = f"{medians['herald'] / best:.2f}" if "herald" in medians and best > 0 else "–"
    return [[load, f"{name}, {unit}", *cells, share]]


def idle_peer(runs: dict[tuple[str, str], list[dict]], daemons: Sequence[str]) -> str:
    """What 499 more peers add, shared out among them."""
    return ", ".join(f"{daemon} {kib:.1f}" for daemon, kib in idle_peer_kib(runs, daemons).items())


def idle_peer_kib(runs: dict[tuple[str, str], list[dict]], daemons: Sequence[str]) -> dict[str, float]:
    found = {}
    for daemon in daemons:
        few, many = ([run["rss_kib"] for run in runs.get((load, daemon), ())] for load in ("idle1", "idle500"))
        if few and many:
            found[daemon] = (statistics.median(many) - statistics.median(few)) / 499
    return found
