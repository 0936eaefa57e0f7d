# SPDX-License-Identifier: Apache-2.0
"""Service created -> UPDATE on the wire, and last endpoint lost -> withdraw, with 1,000 services present.

The clock starts before the request to the controller's API and stops when a BGP receiver has the bytes of the UPDATE (or
of the withdrawal) in hand. Receiver and clock are on the same machine, so nothing but the path through Herald is between:
API, store (on disk before the answer), allocator, watch, speaker, BGP, TCP."""

import argparse
import json
import time

from tests.bench import rig as rigs
from tests.bench.cluster import Cluster, endpoints, service

MEDIAN_LIMIT, P99_LIMIT = 20, 50  # ms


def sample(cluster: Cluster, name: str) -> dict[str, list[float]]:
    """Milliseconds from cause to effect, by each of the routers."""
    api = cluster.api
    api.create(endpoints(name, cluster.nodes))
    created = time.monotonic()
    api.create(service(name))
    ip = wait_for_address(cluster, name)
    announced = [router.when("+", f"{ip}/32", created) - created for router in cluster.routers]

    lost = time.monotonic()
    api.patch("EndpointSlice", name, {"endpoints": endpoints(name, cluster.nodes, ready=False)["endpoints"]})
    withdrawn = [router.when("-", f"{ip}/32", lost) - lost for router in cluster.routers]
    api.delete("Service", name)
    api.delete("EndpointSlice", name)
    return {"announce": [1000 * value for value in announced], "withdraw": [1000 * value for value in withdrawn]}


def wait_for_address(cluster: Cluster, name: str) -> str:
    path = f"/api/v1/namespaces/default/services/{name}"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        ingress = cluster.api.call("GET", path).get("status", {}).get("loadBalancer", {}).get("ingress")
        if ingress:
            return ingress[0]["ip"]
        time.sleep(0.002)
    raise rigs.RigError(f"service {name} has no address after 10 s")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench announce", description=__doc__)
    parser.add_argument("--nodes", type=int, default=3, help="speakers, each with a router of its own (3)")
    parser.add_argument("--services", type=int, default=1000, help="services that are there already (1000)")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()

    taken: dict[str, list[float]] = {"announce": [], "withdraw": []}
    slowest: dict[str, list[float]] = {"announce": [], "withdraw": []}
    with rigs.rig() as here:
        cluster = Cluster(here, options.nodes).start()
        cluster.fill(options.services)
        for number in range(options.samples):
            for what, values in sample(cluster, f"probe-{number}").items():
                taken[what] += values
                slowest[what].append(max(values))
            if (number + 1) % 50 == 0:
                rigs.progress(f"{number + 1} of {options.samples} services announced and withdrawn")
    report(options, taken, slowest)


def report(options: argparse.Namespace, taken: dict[str, list[float]], slowest: dict[str, list[float]]) -> None:
    shares = {"median": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    rows, figures = [], {}
    for what in taken:
        for who, values in (("a router", taken[what]), ("the last router", slowest[what])):
            quantiles = {name: rigs.quantile(values, share) for name, share in shares.items()}
            figures[f"{what}, {who}"] = {"samples": len(values), **{k: round(v, 3) for k, v in quantiles.items()}}
            good = max(quantiles["median"] / MEDIAN_LIMIT, quantiles["p99"] / P99_LIMIT)
            cells = [f"{value:.2f}" for value in quantiles.values()]
            rows.append([what, who, len(values), *cells, rigs.verdict(good, 1)])
    if options.json:
        print(json.dumps({"nodes": options.nodes, "services": options.services, "ms": figures}))
        return
    print(f"\n{options.services} services, {options.nodes} speakers; milliseconds\n")
    goal = f"median < {MEDIAN_LIMIT}, p99 < {P99_LIMIT}"
    print(rigs.table(["change", "seen by", "samples", *shares, goal], rows))


if __name__ == "__main__":
    rigs.main(main)
