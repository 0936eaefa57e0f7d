# SPDX-License-Identifier: Apache-2.0
"""What every topology's test uses: labs that end with the test, and waiting that says what it waited for.

Nothing here sleeps for a fixed time: `poll` asks again until the answer is right or the deadline has passed."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tools.lab import Lab, LabError, Node

Value = TypeVar("Value")

# Labs that are up in this process, so that a failing test can show what their processes said.
live_labs: list[Lab] = []


@contextlib.contextmanager
def running(name_or_path: str | Path, **options: Any) -> Iterator[Lab]:
    """A lab under a name of its own, so that two test runs on one machine do not meet."""
    text = str(name_or_path)
    own_name = options.pop("name", Path(text).name.partition(".")[0]) + f"-{os.getpid()}"
    with Lab.up(name_or_path, name=own_name, **options) as lab:
        live_labs.append(lab)
        try:
            assert lab.warnings == [], "\n".join(lab.warnings)
            yield lab
        finally:
            live_labs.remove(lab)


def poll(until: Callable[[], Value], deadline: float = 15, *, what: str = "") -> Value:
    """Gives the first true value of `until`; an assertion that fails inside it means "not yet", as does a LabError.

    Past the deadline (seconds) the last answer is the failure's message."""
    began = time.monotonic()
    pause = 0.02
    while True:
        try:
            value = until()
            if value:
                return value
            last = f"last answer: {value!r}"
        except (AssertionError, LabError, LookupError, OSError) as error:
            last = f"{type(error).__name__}: {error}"
        waited = time.monotonic() - began
        if waited > deadline:
            description = what or getattr(until, "__name__", "the condition")
            raise AssertionError(f"after {waited:.1f} s still not: {description}; {last}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


def holds(condition: Callable[[], Value], seconds: float, *, what: str = "") -> None:
    """The opposite of poll: the condition is true now and at every look until `seconds` have passed."""
    began = time.monotonic()
    looks = 0
    while time.monotonic() - began < seconds:
        looks += 1
        value = condition()
        assert value, f"{what or 'the condition'} did not hold at look {looks}, after {time.monotonic() - began:.1f} s: {value!r}"
        time.sleep(0.05)


# --- asking Herald


def control(node: Node, speaker: str) -> list[str]:
    return ["heraldctl", "--control", f"unix:/run/herald/{speaker}.sock"]


def herald_peers(node: Node, speaker: str | None = None) -> dict[str, dict[str, Any]]:
    """name -> what `heraldctl peers` says of it."""
    answer = node.json([*control(node, speaker or node.name), "peers", "-o", "json"])
    assert answer["schemaVersion"] == 1, answer
    return {peer["name"]: peer for peer in answer["peers"]}


def herald_best(node: Node, speaker: str | None = None) -> dict[str, dict[str, Any]]:
    """prefix -> best route."""
    answer = node.json([*control(node, speaker or node.name), "routes", "best", "-o", "json"])
    assert answer["schemaVersion"] == 1, answer
    return {route["prefix"]: route for route in answer["routes"]}


def established(node: Node, *peers: str) -> bool:
    known = herald_peers(node)
    states = {name: known[name]["state"] for name in peers or known}
    assert states and all(state == "Established" for state in states.values()), f"{node.name}: {states}"
    return True


# --- asking the others


def frr_next_hops(node: Node, prefix: str) -> set[str]:
    """Next hops that FRR has in the kernel for a prefix; empty when it has no such route."""
    family = "ipv6" if ":" in prefix else "ip"
    answer = node.json(["vtysh", "-c", f"show {family} route {prefix} json"])
    routes = answer.get(prefix, [])
    return {
        hop.get("ip") or hop.get("interfaceName")
        for route in routes
        if route.get("selected")
        for hop in route["nexthops"]
        if hop.get("active") and hop.get("fib")
    }


def frr_sessions(node: Node) -> dict[str, str]:
    """neighbour -> state, over both families."""
    answer = node.json(["vtysh", "-c", "show bgp summary json"])
    peers = {}
    for family in ("ipv4Unicast", "ipv6Unicast"):
        for neighbour, entry in answer.get(family, {}).get("peers", {}).items():
            peers[neighbour] = entry["state"]
    return peers


def kernel_routes(node: Node, family: int, *selector: str) -> dict[str, dict[str, Any]]:
    """dst -> route, as `ip -json route show` prints them."""
    return {route["dst"]: route for route in node.json(["ip", f"-{family}", "-json", "-details", "route", "show", *selector])}


def gateways(route: dict[str, Any]) -> set[str]:
    """Every gateway of a kernel route, with or without a nexthop group."""
    hops = route.get("nexthops") or [route]
    return {hop["gateway"] if "gateway" in hop else hop["via"]["host"] for hop in hops if "gateway" in hop or "via" in hop}


def pings(node: Node, address: str) -> bool:
    done = node.run(["ping", "-c1", "-W1", "-n", address], check=False)
    assert done.returncode == 0, f"{node.name} cannot reach {address}: {done.stdout.strip().splitlines()[-2:]}"
    return True


def fetch(node: Node, address: str, port: int = 80) -> str:
    """One HTTP request on a connection of its own; gives the body."""
    host = f"[{address}]" if ":" in address else address
    return node.run(["curl", "-sS", "--noproxy", "*", "--max-time", "2", f"http://{host}:{port}/"]).stdout.strip()
