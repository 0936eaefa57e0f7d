# SPDX-License-Identifier: Apache-2.0
"""Beside a real Kubernetes API server: how fast services are announced, a burst of 5,000, one speaker in a large cluster.

latency  Service created -> UPDATE, last endpoint lost -> withdrawal, with 1,000 services present. The clock starts before
         the request that kubectl would make and stops when a BGP receiver has the bytes in hand.
burst    5,000 services with 20,000 endpoints created at once: until the last is announced, and what Herald wrote to
         the API for it, from the server's audit log. No service may be written twice with the same state.
backlog  the same, created while there is no controller: from its start on.
speaker  one speaker in a cluster of 10,000 services with 100,000 endpoints on 100 nodes: its memory, and from the end of
         the list to everything announced."""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from integration import kubernetes
from tests.bench import rig as rigs
from tests.bench.cluster import Cluster, Router, endpoints, service
from tests.bench.kubernetes_cluster import Api, KubernetesCluster, Writes

P99_LIMIT = 80  # ms
MEMORY_LIMIT, READY_LIMIT = 60, 2.0  # MiB, s
CLIENTS = 8


class Clients:
    """Several connections, so that many objects come at once."""

    def __init__(self, cluster: Cluster | KubernetesCluster, count: int = CLIENTS) -> None:
        self.free = cluster.apis(count)
        self.lock = threading.Lock()
        self.pool = ThreadPoolExecutor(count)

    def each(self, what: Callable[[Api, int], None], numbers: range) -> None:
        def one(number: int) -> None:
            with self.lock:
                api = self.free.pop()
            try:
                what(api, number)
            finally:
                with self.lock:
                    self.free.append(api)

        for done in [self.pool.submit(one, number) for number in numbers]:
            done.result()


def next_announced(router: Router, after: float, seconds: float = 20) -> str:
    """The one prefix that came since."""

    def fresh() -> list[str]:
        return [prefix for (sign, prefix), at in router.heard.items() if sign == "+" and at > after]

    with router.changed:
        if not router.changed.wait_for(fresh, seconds):
            raise rigs.RigError(f"{router.process.name} heard of no service within {seconds:.0f} s")
        return fresh()[0]


def sample(cluster: KubernetesCluster, name: str) -> dict[str, list[float]]:
    """Milliseconds from cause to effect, by each of the routers."""
    api = cluster.api
    api.create(endpoints(name, cluster.nodes))
    created = time.monotonic()
    api.create(service(name))
    answered = time.monotonic()
    prefix = next_announced(cluster.routers[0], created)
    announced = [router.when("+", prefix, created) - created for router in cluster.routers]
    lost = time.monotonic()
    gone = {"endpoints": endpoints(name, cluster.nodes, ready=False)["endpoints"]}
    api.patch("EndpointSlice", name, gone)
    patched = time.monotonic()
    withdrawn = [router.when("-", prefix, lost) - lost for router in cluster.routers]
    api.delete("Service", name)
    api.delete("EndpointSlice", name)
    taken = {"announce": announced, "withdraw": withdrawn, "answer to the Service": [answered - created],
             "answer to the endpoints": [patched - lost]}
    return {what: [1000 * value for value in values] for what, values in taken.items()}


def fill(cluster: KubernetesCluster, clients: Clients, services: int) -> None:
    def create(api: Api, number: int) -> None:
        api.create(endpoints(f"filler-{number}", cluster.nodes))
        api.create(service(f"filler-{number}"))

    began = time.monotonic()
    clients.each(create, range(services))
    cluster.announced(services, 120)
    rigs.progress(f"{services} services announced by {len(cluster.nodes)} nodes after {time.monotonic() - began:.1f} s")


def latency(cluster: KubernetesCluster, samples: int) -> dict[str, Any]:
    taken: dict[str, list[float]] = {}
    for number in range(samples):
        for what, values in sample(cluster, f"probe-{number}").items():
            taken.setdefault(what, []).extend(values)
        if (number + 1) % 50 == 0:
            rigs.progress(f"{number + 1} of {samples} services announced and withdrawn")
    shares = {"median": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {what: {"samples": len(values), **{name: round(rigs.quantile(values, share), 2) for name, share in shares.items()}}
            for what, values in taken.items()}


def burst(cluster: KubernetesCluster, clients: Clients, name: str, present: int, count: int) -> dict[str, Any]:
    """Each service with four endpoints. As a backlog, the controller is away until all of them are there."""
    if name == "backlog":
        cluster.controller.stop()
    nodes = [*cluster.nodes, *cluster.nodes, *cluster.nodes, *cluster.nodes][:4]
    writes = Writes(cluster.audit)

    def create(api: Api, number: int) -> None:
        api.create(endpoints(f"{name}-{number}", nodes))
        api.create(service(f"{name}-{number}"))

    began = time.monotonic()
    clients.each(create, range(count))
    asked = time.monotonic() - began
    rigs.progress(f"{count} services created after {asked:.1f} s")
    if name == "backlog":
        began = time.monotonic()
        cluster.control()
    cluster.announced(present + count, 300)
    done = time.monotonic() - began
    rigs.progress(f"the last announced after {done:.1f} s; now the conditions that say so")
    writes.settled(5, 60 + count / 10)
    settled = time.monotonic() - began - 5
    holders: dict[str, str] = {}
    for one in cluster.api.services():
        for entry in one["status"]["loadBalancer"].get("ingress", []):
            assert holders.setdefault(entry["ip"], one["metadata"]["name"]) == one["metadata"]["name"], entry
    return {"count": count, "created_s": round(asked, 2), "announced_s": round(done, 2), "settled_s": round(settled, 1),
            "addresses": len(holders), **writes.count(f"{name}-")}


# --- one speaker in a large cluster


def node_name(number: int) -> str:
    """The first is the speaker's own; the others have names as long as they are out there."""
    return "n1" if number == 1 else f"worker-{number:03d}.rack-{number % 8}.example.net"


def large_slice(number: int, each: int, nodes: int) -> dict[str, Any]:
    out = endpoints(f"large-{number}", [node_name(1 + (number * each + index) % nodes) for index in range(each)])
    for index, entry in enumerate(out["endpoints"]):
        pod = number * each + index
        entry["addresses"] = [f"10.{128 + pod // 65536}.{pod // 256 % 256}.{pod % 256}"]
        entry["targetRef"] = {"kind": "Pod", "namespace": "default", "name": f"large-{number}-7d4f8b6c9-{index:05d}",
                              "uid": f"00000000-0000-4000-8000-{pod:012d}"}
    out["metadata"]["name"] = f"large-{number}-x7k2p"
    return out


def policy_of(number: int) -> str:
    """Two of three are announced by every node, the others by nodes with an endpoint."""
    return "Local" if number % 3 == 0 else "Cluster"


def large_service(number: int) -> dict[str, Any]:
    out = service(f"large-{number}")
    out["metadata"]["labels"] = {"app.kubernetes.io/name": f"large-{number}", "app.kubernetes.io/managed-by": "Helm"}
    out["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(out)}
    out["spec"]["allocateLoadBalancerNodePorts"] = False
    out["spec"]["selector"] = {"app.kubernetes.io/name": f"large-{number}"}
    out["spec"]["externalTrafficPolicy"] = policy_of(number)
    return out


def logged(process: rigs.Process, word: str) -> dict[str, Any] | None:
    for line in process.log.read_text().splitlines():
        if line.startswith("{") and json.loads(line)["msg"] == word:
            return json.loads(line)
    return None


def speaker(cluster: Cluster | KubernetesCluster, clients: Clients, services: int, endpoints_of_each: int,
            nodes: int) -> dict[str, Any]:
    api = cluster.api
    for name in map(node_name, range(2, nodes + 1)):
        labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": "zone-a"}
        api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})

    def create(one: Api, number: int) -> None:
        one.create(large_slice(number, endpoints_of_each, nodes))
        one.create(large_service(number))

    began = time.monotonic()
    clients.each(create, range(services))
    rigs.progress(f"{services} services, {services * endpoints_of_each} endpoints created after {time.monotonic() - began:.0f} s")
    rigs.wait("all services have an address", lambda: assigned(api) == services, 300, 1)
    # Those by any node, and those with an endpoint on this one.
    here = {number for number in range(services)
            if policy_of(number) == "Cluster" or any(entry["nodeName"] == cluster.nodes[0]
                                      for entry in large_slice(number, endpoints_of_each, nodes)["endpoints"])}
    if isinstance(cluster, KubernetesCluster):
        cluster.controller.stop()  # it would go on to say of each service that no speaker announces it
    rigs.progress(f"every service has its address; {len(here)} are this node's")
    runs = [one_start(cluster, len(here)) for _ in range(3)]
    return {"services": services, "endpoints": services * endpoints_of_each, "announced": len(here), "runs": runs}


def assigned(api: Api) -> int:
    return sum(bool(one["status"]["loadBalancer"].get("ingress")) for one in api.services())


def one_start(cluster: Cluster | KubernetesCluster, announced: int) -> dict[str, float]:
    """A speaker from its start until its router has everything."""
    node = cluster.nodes[0]
    router = Router(cluster.here, cluster.hub, "10.9.1.1", "10.9.2.1", 65001)
    wall = time.time() - time.monotonic()
    process = cluster.speak(node, "--log-format", "json")
    rigs.wait("everything announced", lambda: process.alive() and router.prefixes() == announced, 120, 0.02)
    last = wall + max(router.heard.values())
    listed = logged(process, "resources listed")
    ready = logged(process, "resources in force")
    assert listed and ready, process.log.read_text()[-2000:]
    at = {name: datetime.fromisoformat(line["time"]).timestamp() for name, line in (("listed", listed), ("ready", ready))}
    time.sleep(3)  # what it frees after the start is freed
    out = {"list_s": int(listed["ms"]) / 1000, "ready_s": round(at["ready"] - at["listed"], 3),
           "announced_s": round(last - at["listed"], 3), "rss_mib": round(rigs.memory_kib(process.pid) / 1024, 1),
           "peak_mib": round(rigs.memory_kib(process.pid, "VmHWM") / 1024, 1)}
    rigs.progress(json.dumps(out))
    process.stop()
    router.process.stop()
    return out


def report(figures: dict[str, Any]) -> None:
    rows = [[f"latency: {what}", f"p50 {one['median']} ms, p99 {one['p99']} ms, max {one['max']} ms ({one['samples']})",
             *([f"p99 < {P99_LIMIT} ms", rigs.verdict(one["p99"], P99_LIMIT)] if "answer" not in what else ["", ""])]
            for what, one in figures.get("latency", {}).items()]
    for name in ("burst", "backlog"):
        if not (one := figures.get(name)):
            continue
        rows += [
            [name, f"{one['count']} created in {one['created_s']} s, all announced at {one['announced_s']} s, all said at "
                   f"{one['settled_s']} s", "all announced", rigs.verdict(one["count"], one["addresses"])],
            [f"{name}: writes", f"{one['writes']} to {one['services']} services, {one['most_of_one']} at most to one, "
                              f"{one['refused']} refused; others {one['others']}", "a state once",
             rigs.verdict(one["most_of_a_state"], 1)]]
    if one := figures.get("speaker"):
        memory, ready = (max(run[key] for run in one["runs"]) for key in ("rss_mib", "announced_s"))
        rows += [["speaker: memory", f"RSS {memory} MiB, peak {max(run['peak_mib'] for run in one['runs'])} MiB",
                  f"< {MEMORY_LIMIT} MiB", rigs.verdict(memory, MEMORY_LIMIT)],
                 ["speaker: start", f"listed in {max(run['list_s'] for run in one['runs']):.1f} s; all {one['announced']} at "
                                    f"the router {ready} s later", f"< {READY_LIMIT} s", rigs.verdict(ready, READY_LIMIT)]]
    print("\n" + rigs.table(["what", "figure", "goal", ""], rows))


def large(cluster: Cluster | KubernetesCluster, services: int) -> dict[str, Any]:
    return speaker(cluster, Clients(cluster), services, 10, 100)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench kubernetes", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=["latency", "burst", "backlog", "speaker"], help="one part; may be repeated")
    parser.add_argument("--nodes", type=int, default=3, help="speakers of latency and burst, each with a router (3)")
    parser.add_argument("--services", type=int, default=1000, help="services that are there already (1000)")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--burst", type=int, default=5000, help="services created at once, four endpoints each (5000)")
    parser.add_argument("--large", type=int, default=10000, help="services of the large cluster, ten endpoints each (10000)")
    parser.add_argument("--large-at", choices=["kubernetes", "herald"], default="kubernetes",
                        help="whose API the speaker's large cluster is in; Herald's is filled faster")
    parser.add_argument("--slices", choices=["v1", "v1beta1"], default="v1beta1",
                        help="EndpointSlices as built in (v1beta1), or as v1 by the stand-in")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    if kubernetes.programs() is None:
        sys.exit("the server is not built: ./dev test kubernetes builds it")
    parts = options.only or ["latency", "burst", "backlog", "speaker"]
    figures: dict[str, Any] = {}
    if parts != ["speaker"]:
        with rigs.rig() as here, KubernetesCluster(here, options.nodes, options.slices) as cluster:
            clients = Clients(cluster)
            for node in cluster.nodes:
                cluster.speak(node)
            cluster.listen()
            fill(cluster, clients, options.services)
            Writes(cluster.audit).settled(3, 120)
            if "latency" in parts:
                figures["latency"] = latency(cluster, options.samples)
            present = options.services
            for name in ("burst", "backlog"):
                if name in parts:
                    figures[name] = burst(cluster, clients, name, present, options.burst)
                    present += options.burst
    if "speaker" in parts:
        with rigs.rig() as here:
            if options.large_at == "herald":
                figures["speaker"] = large(Cluster(here, 1), options.large)
            else:
                with KubernetesCluster(here, 1, options.slices) as plane:
                    figures["speaker"] = large(plane, options.large)
    if options.json:
        print(json.dumps(figures))
    else:
        report(figures)


if __name__ == "__main__":
    rigs.main(main)
