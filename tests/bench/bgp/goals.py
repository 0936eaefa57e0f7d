# SPDX-License-Identifier: Apache-2.0
"""Each goal with its figure, from one run: Herald is to be so much better than the best of the others, or within limits of its
own. Those beside a Kubernetes API server stay apart."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.bench import announce, idle, kernel
from tests.bench import rig as rigs
from tests.bench.bgp.loads import CURVES
from tests.bench.bgp.report import COSTS, ONLY_IDLE, PHASES, by_load_and_daemon, growth, idle_peer_kib

NOT_JUDGED = {"stolen by the host while probing", "memory at rest"}
# Shares of the best peer's figure; where nothing is said, Herald's is not to be above it.
REAL_TABLE = {"converged": 0.7, "peak memory": 0.8, "session down": 0.8}
SHARES = {
    "a": {"converged": 0.8, "peak memory": 0.8},
    "b": {"converged": 0.5, "peak memory": 0.8},
    "c": REAL_TABLE,
    "d": {"converged": 0.5},
    "e": {"converged": 0.3, "CPU": 0.8, "peak memory": 2},
    "real2010": REAL_TABLE,
    "real2024": REAL_TABLE,
    "real6": REAL_TABLE,
}
# While a full table loads, µs, whatever others need.
LIMITS = {("fload", name): 2000.0 for name in ("announce p99", "withdraw p99")}
IDLE_PEER_KIB = 32
# How much longer BGP may take where what it learns goes into the kernel, and how cost may grow with n.
SLOWED_BY_THE_KERNEL = 1.3
LINEAR = 1.15
FIB_ROUTES, FIB_GATEWAYS = 200_000, 2


@dataclass(frozen=True)
class Goal:
    of: str
    says: str
    figure: float | None  # nothing: was not measured
    limit: float
    unit: str = ""

    def row(self) -> list[str]:
        limit = f"{self.limit:.4g} {self.unit}".strip()
        if self.figure is None:
            return [self.of, self.says, "–", limit, "not measured"]
        return [self.of, self.says, f"{self.figure:.3g} {self.unit}".strip(), limit, rigs.verdict(self.figure, self.limit)]


def table(goals: Iterable[Goal]) -> str:
    return rigs.table(["of", "goal", "figure", "at most", "met"], [goal.row() for goal in goals])


# ---- beside the other daemons -------------------------------------------------------------------------


def share(medians: dict[str, float]) -> float | None:
    best = min((value for daemon, value in medians.items() if daemon != "herald"), default=0)
    return medians["herald"] / best if "herald" in medians and best > 0 else None


def beside_others(results: Iterable[dict], daemons: Sequence[str], loads: Sequence[str]) -> list[Goal]:
    runs, goals = by_load_and_daemon(results), []
    for load in loads:
        for name, _, get, _ in PHASES:
            if name in NOT_JUDGED or (name in ONLY_IDLE) != load.startswith("idle"):
                continue
            medians = {daemon: median for daemon in daemons if (median := measured(runs.get((load, daemon), []), get)) is not None}
            if "herald" not in medians:
                continue
            if (load, name) in LIMITS:
                goals.append(Goal(load, name, medians["herald"], LIMITS[load, name], "µs"))
            else:
                goals.append(Goal(load, f"{name}: share of the best peer", share(medians), SHARES.get(load, {}).get(name, 1)))
    if (peers := idle_peer_kib(runs, daemons)) and "herald" in peers:
        goals.append(Goal("idle500", "memory of an idle peer", peers["herald"], IDLE_PEER_KIB, "KiB"))
    if (slowed := slowed_by_the_kernel(runs)) is not None:
        goals.append(Goal("g500k", "converged: share of c500k", slowed, SLOWED_BY_THE_KERNEL))
    for what, points in CURVES.items():
        for name, _, get, _ in COSTS:
            values = [(number, [get(run) for run in runs.get((load, "herald"), [])]) for load, number in points.items()]
            if all(each for _, each in values):
                goals.append(Goal(what, f"{name}: grows with n to the power of", growth(values), LINEAR))
    return goals


def slowed_by_the_kernel(runs: dict[tuple[str, str], list[dict]]) -> float | None:
    [with_it, without] = [
        measured(runs.get((load, "herald"), []), lambda run: run["announce"]["t_converged"]) for load in ("g500k", "c500k")
    ]
    return with_it / without if with_it and without else None


def measured(runs: Iterable[dict], get) -> float | None:
    """The median; nothing where a phase was not part of the load, or was not over in time."""
    values = []
    for run in runs:
        try:
            values.append(get(run))
        except KeyError:
            return None
    return statistics.median(values) if values and min(values) >= 0 else None


# ---- the other benchmarks -----------------------------------------------------------------------------


def said(name: str, command: Sequence[object]) -> str:
    """Its standard output; its progress is ours."""
    rigs.progress(f"benchmark {name}")
    done = subprocess.run([str(one) for one in command], cwd=rigs.ROOT, text=True, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise rigs.RigError(f"{name}: exit {done.returncode}")
    return done.stdout


def ask(name: str, *arguments: object) -> dict | list:
    return json.loads(said(name, [sys.executable, "-m", f"tests.bench.{name}", *arguments, "--json"]))


def of_bfd(results: Iterable[dict]) -> Goal:
    last: dict[str, list[float]] = {}
    for run in results:
        last.setdefault(run["daemon"], []).append(run["last"])
    medians = {daemon: statistics.median(values) for daemon, values in last.items()}
    return Goal("bfd", "a frozen router: until its last prefix has moved", medians["herald"], medians["bird"], "ms")


def of_fib(lines: Iterable[dict]) -> list[Goal]:
    medians = {line["what"]: line["median"] for line in lines if "median" in line}
    return [
        Goal("netlink_fib", "a member of ECMP is lost: until the kernel has moved", medians["fail-over of one gateway"], 1, "ms"),
        Goal("netlink_fib", "insert: share of the bare one", medians["herald / bare"], 1.3),
    ]


def of_kernel(runs: Sequence[dict]) -> Goal:
    shares = [run["herald"] / run["bare"] for run in runs]
    return Goal("kernel", "routes of FRR: share of the bare insert", statistics.median(shares), kernel.LIMIT)


def of_announce(told: dict) -> list[Goal]:
    return [
        Goal("announce", f"{what}: {quantile}", figures[quantile], limit, "ms")
        for what, figures in told.items()
        for quantile, limit in (("median", announce.MEDIAN_LIMIT), ("p99", announce.P99_LIMIT))
    ]


def of_idle(told: dict) -> list[Goal]:
    goals = []
    for program, limit in idle.MEMORY_LIMIT.items():
        goals.append(Goal("idle", f"{program}: processor", told[program]["cpu_percent"], idle.CPU_LIMIT, "%"))
        goals.append(Goal("idle", f"{program}: memory", told[program]["rss_mib"], limit, "MiB"))
    return goals


def of_allocation(told: dict) -> list[Goal]:
    took = {each["name"]: each["real_time"] for each in told["benchmarks"] if each.get("time_unit") == "ms"}

    def longest(of: str) -> float | None:
        return max((time / 1000 for name, time in took.items() if name.startswith(of) and "/100000/" in name), default=None)

    return [
        Goal("allocate", "100,000 services from empty", longest("assign_from_empty"), 5, "s"),
        Goal("allocate", "a restart with 100,000", longest("restart_with"), 2, "s"),
    ]


def other_benchmarks(runs: int) -> dict[str, Callable[[], list[Goal]]]:
    fib = [rigs.PROGRAMS / "netlink_fib_bench", FIB_ROUTES, runs, FIB_GATEWAYS]
    allocate = [rigs.PROGRAMS / "controller_allocate_bench", "--benchmark_format=json"]
    return {
        "bfd": lambda: [of_bfd(ask("bfd", "--runs", runs))],
        "netlink_fib": lambda: of_fib(map(json.loads, said("netlink_fib", fib).splitlines())),
        "kernel": lambda: [of_kernel(ask("kernel", "--runs", runs)["runs"])],
        "announce": lambda: of_announce(ask("announce")["ms"]),
        "idle": lambda: of_idle(ask("idle")),
        "allocate": lambda: of_allocation(json.loads(said("allocate", allocate))),
    }


def of_other_benchmarks(benchmarks: dict[str, Callable[[], list[Goal]]]) -> list[Goal]:
    """One that does not come to its end takes no figure of the others along."""
    goals = []
    for name, measure in benchmarks.items():
        try:
            goals += measure()
        except (OSError, rigs.RigError) as error:
            rigs.progress(f"  {error}")
            goals.append(Goal(name, "comes to its end", None, 0))
    return goals
