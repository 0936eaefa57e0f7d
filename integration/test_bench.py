# SPDX-License-Identifier: Apache-2.0
"""The benchmarks, small: they run to their end, and what they report is possible. The figures themselves are not judged.

    bgp_blast (senders, receivers) --- herald | BIRD | FRR
    BIRD, BIRD --- herald --- bgp_blast
    FRR --- herald --- kernel
    controller --- speakers --- bgp_blast (routers)
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from integration.harness import PATIENCE
from tests.bench import rig as rigs
from tests.bench.bgp import goals, loads
from tests.bench.bgp.daemons import DAEMONS, Daemon

ROOT = Path(__file__).resolve().parents[1]


def bench(name: str, *arguments: object) -> str:
    command = [sys.executable, "-m", f"tests.bench.{name}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=300 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("daemon", ["herald", "bird", "frr"])
def test_every_phase_converges(daemon: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    table = bench("bgp", daemon, "smoke", "gsmoke", "--runs", 1, "--json", figures)
    assert daemon in table
    runs = {run["load"]: run for run in map(json.loads, figures.read_text().splitlines())}
    for phase in ("announce", "flap", "down"):
        told = runs["smoke"][phase]
        assert not told["timeout"] and told["t_converged"] >= 0, told
        assert told["min_right"] == told["expected"] == 1000 and told["peers_lost"] == 0, told
    assert runs["smoke"]["latency_announce"]["n"] == runs["smoke"]["latency_withdraw"]["n"] == 5
    assert runs["gsmoke"]["announce"]["t_fib"] > 0 and runs["gsmoke"]["down"]["t_fib"] > 0


class Fleeting(Daemon):
    def start(self) -> None:
        self.spawn("/bin/sh", "-c", "echo out of memory >&2; exit 3")


def test_a_daemon_that_ends_before_its_time_spoils_its_own_run_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DAEMONS, "fleeting", Fleeting)
    assert loads.run("fleeting", "smoke", 1)["error"] == "fleeting0 ended with 3: out of memory"


def test_growth_is_shown_where_two_points_of_a_curve_are_measured() -> None:
    lines = bench("bgp", "herald", "e100", "e250", "--runs", 1).splitlines()
    [header] = [line for line in lines if line.startswith("| peers")]
    assert [cell.strip() for cell in header.split("|")[3:-1]] == ["100", "250", "grows with"]
    [memory] = [line for line in lines if line.startswith("| peak memory, MiB | herald")]
    few, many, power = (cell.strip() for cell in memory.split("|")[3:-1])
    assert 0 < int(few) <= int(many), memory
    assert 0 <= float(power.removeprefix("n^")) <= 1, memory


def a_run(daemon: str, load: str, converged: float, kib: int = 1024) -> dict:
    phase = {"t_converged": converged, "dut_cpu": converged, "dut_peak_kb": kib, "t_fib": -1}
    return {"daemon": daemon, "load": load, "announce": phase, "rss_kib": kib, "exec_to_established": converged}


def test_goals_are_judged_by_the_best_of_the_others_and_by_limits() -> None:
    runs = [a_run("herald", "a", 1.0), a_run("bird", "a", 2.0), a_run("frr", "a", 0.5), {"daemon": "gobgp", "load": "a", "error": "x"}]
    runs += [a_run("herald", "c", 10.0), a_run("bird", "c", 40.0)]
    runs += [a_run("herald", load, 1.0, kib) for load, kib in (("idle1", 1000), ("idle500", 1499))]
    runs += [a_run("bird", load, 2.0, kib) for load, kib in (("idle1", 1000), ("idle500", 1998))]
    found = {(goal.of, goal.says): goal for goal in goals.beside_others(runs, ["herald", "bird", "frr", "gobgp"], ["a", "c", "idle500"])}
    assert found["a", "converged: share of the best peer"].figure == 2.0
    assert found["a", "converged: share of the best peer"].row()[-1] == "MISSED"
    assert found["c", "converged: share of the best peer"].row()[2:] == ["0.25", "0.7", "met"]
    assert ("a", "in the kernel: share of the best peer") not in found, "was not asked for"
    assert found["idle500", "memory of an idle peer"].row()[2:] == ["1 KiB", "32 KiB", "met"]
    assert not any(of == "prefixes" for of, _ in found), "two of the four points"

    [moved, inserted] = goals.of_fib([{"what": "fail-over of one gateway", "median": 0.06}, {"what": "herald / bare", "median": 1.4}])
    assert (moved.row()[-1], inserted.row()[-1]) == ("met", "MISSED")
    assert goals.of_bfd([{"daemon": "herald", "last": 140}, {"daemon": "bird", "last": 130}]).row()[-1] == "MISSED"
    names = ("assign_from_empty/100000/iterations:1/real_time", "restart_with/100000/iterations:3/real_time")
    told = {"benchmarks": [{"name": name, "real_time": 1500, "time_unit": "ms"} for name in names]}
    assert [goal.figure for goal in goals.of_allocation(told)] == [1.5, 1.5]


def test_a_benchmark_that_fails_costs_no_other_its_figure() -> None:
    def fails() -> list:
        raise rigs.RigError("no")

    [one, other] = goals.of_other_benchmarks({"one": fails, "other": lambda: [goals.Goal("other", "x", 1, 2)]})
    assert one.row()[-1] == "not measured" and other.row()[-1] == "met"
    assert "MISSED" not in goals.table([one, other])


@pytest.mark.skipif(not os.environ.get("HERALD_TEST_DATA"), reason="the table is third-party data")
def test_a_real_table_converges(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    bench("bgp", "herald", "real6", "--runs", 1, "--json", figures)
    told = json.loads(figures.read_text())
    assert told["announce"]["min_right"] == told["announce"]["expected"] > 100_000, told
    assert told["down"]["min_right"] == told["down"]["expected"] and not told["down"]["timeout"], told


def test_prefixes_of_a_frozen_router_move() -> None:
    [told] = json.loads(bench("bfd", "herald", "--runs", 1, "--prefixes", 10, "--json"))
    assert 0 < told["first"] <= told["last"], told


def test_announcements_are_seen_by_all_routers() -> None:
    told = json.loads(bench("announce", "--nodes", 2, "--services", 5, "--samples", 3, "--json"))
    samples = {name: figures["samples"] for name, figures in told["ms"].items()}
    assert samples == {
        "announce, a router": 6,
        "announce, the last router": 3,
        "withdraw, a router": 6,
        "withdraw, the last router": 3,
    }
    assert all(0 < figures["median"] <= figures["max"] for figures in told["ms"].values()), told


def test_idle_programs_are_looked_at() -> None:
    told = json.loads(bench("idle", "--services", 5, "--peers", 2, "--seconds", 1, "--json"))
    for program in ("speaker", "controller"):
        assert told[program]["rss_mib"] > 1 and told[program]["cpu_percent"] < 100, told


def test_routes_of_frr_come_and_go() -> None:
    told = json.loads(bench("kernel", "--routes", 1000, "--runs", 1, "--json"))
    assert all(seconds > 0 for seconds in told["runs"][0].values()), told


@pytest.mark.kubernetes
def test_services_of_kubernetes_are_announced_and_written_once_for_each_state() -> None:
    told = json.loads(bench("kubernetes", "--services", 5, "--samples", 3, "--burst", 20, "--large", 40, "--json"))
    for what in ("announce", "withdraw"):
        assert told["latency"][what]["samples"] == 9 and told["latency"][what]["median"] > 0, told
    for name, addresses in (("burst", 25), ("backlog", 45)):
        assert told[name]["addresses"] == addresses and told[name]["services"] == 20, told
        # An address, then the word that it is announced.
        assert told[name]["most_of_a_state"] == 1 and told[name]["writes"] >= 40, told
    assert all(run["rss_mib"] > 1 and run["announced_s"] > 0 for run in told["speaker"]["runs"]), told
