# SPDX-License-Identifier: Apache-2.0
"""How long Services wait for a controller when the one that leads is killed, or leaves: a real Kubernetes API server, two controllers."""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from integration import kubernetes
from integration.kubernetes import Kubernetes, Program

GOAL = {"SIGKILL": 3.0, "SIGTERM": 0.5}


def leader(plane: Kubernetes, controllers: list[Program]) -> tuple[Program, Program]:
    """The one that leads and the other, when both are ready."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        asked = plane.kubectl_run("get", "lease", "herald-controller", "-n", "herald-system", "-o",
                                  "jsonpath={.spec.holderIdentity}", check=False)
        holder = asked.stdout if asked.returncode == 0 and asked.stdout else "nobody"
        order = sorted(controllers, key=lambda one: f"identity={holder}" in one.log, reverse=True)
        alive = all(one.process is not None and one.process.poll() is None for one in controllers)
        stands_by = order[1].log.rpartition("event=ready")[2]
        if alive and f"identity={holder}" in order[0].log and "event=ready" in order[1].log and "event=leading" not in stands_by:
            return order[0], order[1]
        time.sleep(0.2)
    raise TimeoutError("no controller leads while the other stands by")


def take_over(plane: Kubernetes, controllers: list[Program], number: int) -> float:
    """Seconds from the signal to the other's first word as leader."""
    first, second = leader(plane, controllers)
    seen = second.log.count("event=leading")
    began = time.monotonic()
    first.send(number)
    while second.log.count("event=leading") == seen:
        if time.monotonic() - began > 30:
            raise TimeoutError(second.log[-500:])
        time.sleep(0.002)
    took = time.monotonic() - began
    first.end(signal.SIGKILL)
    first.file.write_bytes(b"")
    first.start()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench takeover", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each signal (10)")
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    if kubernetes.programs() is None:
        sys.exit("the server is not built: ./dev test kubernetes builds it")
    os.environ.setdefault("HERALD_TEST_PATIENCE", "4")
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="herald-takeover-") as folder, kubernetes.running(Path(folder) / "k", "v1") as plane:
        plane.install_crds()
        for file in ("namespace.yaml", "controller-rbac.yaml"):
            plane.kubectl("apply", "-f", str(kubernetes.ROOT / "deploy" / "kubernetes" / "base" / file))
        plane.apply({"apiVersion": "herald.dev/v1", "kind": "IPAddressPool", "metadata": {"name": "front"},
                     "spec": {"addresses": ["203.0.113.0/24", "198.51.100.0/22"]}})
        plane.apply(*({"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{index}"},
                       "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}} for index in range(options.services)))
        config = plane.kubeconfig("controller", "system:serviceaccount:herald-system:herald-controller")
        controllers = [Program(plane, f"controller-{index}", "--kubeconfig", config).start() for index in (1, 2)]
        try:
            for name in GOAL:
                figures[name] = [take_over(plane, controllers, getattr(signal, name)) for _ in range(options.runs)]
        finally:
            for one in controllers:
                one.end(signal.SIGKILL)
    if options.json:
        print(json.dumps({"services": options.services, "seconds": figures}))
        return
    print(f"\n{options.services} services, {options.runs} runs\n")
    for name, seconds in figures.items():
        print(f"{name}: median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s; "
              f"goal {GOAL[name]} s: {'met' if max(seconds) < GOAL[name] else 'MISSED'}")


if __name__ == "__main__":
    main()
