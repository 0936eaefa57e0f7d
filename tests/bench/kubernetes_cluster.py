# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server, Herald beside it, and for each speaker a router that only listens and stamps what it hears.

    router --- bridge --- etcd, kube-apiserver, herald-controller 10.9.0.1     speakers 10.9.1.1, 10.9.1.2, ...
                                                                               routers 10.9.2.1, 10.9.2.2, ...

As cluster.py, with the real API in place of Herald's own, and with what Herald writes there on record (the audit log)."""

import http.client
import json
import ssl
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from integration import kubernetes
from tests.bench import cluster as clusters
from tests.bench import rig as rigs

ADDRESS = "10.9.0.1"
POOL = "203.0.0.0/16"
CONTROLLER = "system:serviceaccount:herald-system:herald-controller"
SPEAKER = "system:serviceaccount:herald-system:herald-speaker"
BASE = kubernetes.ROOT / "deploy" / "kubernetes" / "base"


def audit_policy() -> dict[str, Any]:
    """All writes of Herald, with what was written to a Service."""
    ours = {"users": [CONTROLLER], "verbs": ["create", "update", "patch", "delete"]}
    services = {"level": "Request", **ours, "resources": [{"group": "", "resources": ["services", "services/status"]}]}
    return {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
            "rules": [services, {"level": "Metadata", **ours}, {"level": "None"}]}


class Api(clusters.Api):
    """One TLS connection to the API server that stays open, with the rights of an administrator."""

    def __init__(self, plane: kubernetes.Kubernetes, namespace: str) -> None:
        context = ssl.create_default_context(cafile=str(plane.certificates.folder / "ca.crt"))
        super().__init__(namespace, plane.tokens["admin"],
                         lambda: http.client.HTTPSConnection(plane.address, plane.port, timeout=120, context=context))
        self.slices = plane.slices

    def path(self, kind: str) -> str:
        path = clusters.collection(kind)
        return path.replace("/v1/", "/v1beta1/", 1) if kind == "EndpointSlice" and self.slices == "v1beta1" else path

    def create(self, thing: dict[str, Any]) -> dict[str, Any]:
        if thing["kind"] == "EndpointSlice":
            thing = {**thing, "apiVersion": f"discovery.k8s.io/{self.slices}"}
            if self.slices == "v1beta1":  # 1.20 drops nodeName from it
                thing["endpoints"] = [{**entry, "topology": {"kubernetes.io/hostname": entry["nodeName"]}}
                                      for entry in thing["endpoints"]]
        return self.call("POST", self.path(thing["kind"]), thing)

    def delete(self, kind: str, name: str) -> None:
        self.call("DELETE", f"{self.path(kind)}/{name}")

    def patch(self, kind: str, name: str, change: dict[str, Any]) -> None:
        self.call("PATCH", f"{self.path(kind)}/{name}", change, "application/merge-patch+json")

    def services(self) -> list[dict[str, Any]]:
        return self.call("GET", self.path("Service"))["items"]


class KubernetesCluster:
    def __init__(self, here: rigs.Rig, nodes: int, slices: str) -> None:
        self.here = here
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.hub, self.spaces = clusters.lay_out(here, self.nodes, nodes)
        self.audit = here.folder / "audit.log"
        policy = here.folder / "audit-policy.json"
        policy.write_text(json.dumps(audit_policy()))
        flags = (f"--audit-policy-file={policy}", f"--audit-log-path={self.audit}", "--audit-log-mode=batch",
                 "--audit-log-maxsize=2000", "--service-node-port-range=20000-60000")
        self.plane = kubernetes.Kubernetes(here.folder / "kubernetes", slices, address=ADDRESS, netns=self.hub, flags=flags)
        self.speakers: dict[str, rigs.Process] = {}
        self.routers: list[clusters.Router] = []
        try:
            self.plane.start()
            self._install()
        except BaseException:
            self.plane.stop()
            raise

    def __enter__(self) -> "KubernetesCluster":
        return self

    def __exit__(self, *_error: object) -> None:
        self.plane.stop()

    def _install(self) -> None:
        plane = self.plane
        plane.install_crds()
        for file in ("namespace.yaml", "controller-rbac.yaml", "speaker-rbac.yaml"):
            plane.kubectl("apply", "-f", str(BASE / file))
        self.api = Api(plane, self.hub)
        for thing in clusters.configuration(self.nodes, POOL, 1):
            self.api.create(thing)
        plane.kubeconfig("controller", CONTROLLER)
        self.control()

    def control(self) -> None:
        """Starts the controller, also once it was stopped."""
        config = self.plane.folder / "controller.kubeconfig"
        self.controller = self.here.spawn(self.hub, "controller", [
            rigs.program("herald-controller"), "--kubernetes", "--kubeconfig", config, "--log-level", "warning"])

    def listen(self) -> None:
        """A router for each node."""
        self.routers = [
            clusters.Router(self.here, self.hub, f"10.9.1.{number}", f"10.9.2.{number}", 65000 + number)
            for number in range(1, len(self.nodes) + 1)]

    def speak(self, node: str, *words: object) -> rigs.Process:
        config = self.plane.kubeconfig(f"speaker-{node}", SPEAKER)
        space = self.spaces[self.nodes.index(node)]
        self.speakers[node] = self.here.spawn(space, node, [
            rigs.program("herald-speaker"), "--node", node, "--kubernetes", "--kubeconfig", config,
            "--control", f"unix:{self.here.folder}/{node}.sock", *words])
        return self.speakers[node]

    def apis(self, count: int) -> list[Api]:
        return [Api(self.plane, self.hub) for _ in range(count)]

    def announced(self, services: int, seconds: float) -> float:
        """Seconds until every router has so many prefixes."""
        return rigs.wait(f"all routers have {services} services",
                         lambda: all(router.prefixes() == services for router in self.routers), seconds, 0.05)


class Writes:
    """What Herald has written since, out of the API server's audit log."""

    def __init__(self, audit: Path) -> None:
        self.audit = audit
        self.begin = audit.stat().st_size if audit.exists() else 0

    def entries(self) -> Iterable[dict[str, Any]]:
        with self.audit.open() as log:
            log.seek(self.begin)
            for line in log:
                if line.endswith("\n"):
                    yield json.loads(line)

    def settled(self, quiet: float, seconds: float) -> None:
        """Returns when no service has been written for so long: an audit line is late by a second at most."""
        deadline = time.monotonic() + seconds
        last, since = -1, time.monotonic()
        while time.monotonic() < deadline:
            count = sum(1 for one in self.entries() if one["objectRef"]["resource"] == "services")
            if count != last:
                last, since = count, time.monotonic()
            if time.monotonic() - since > quiet:
                return
            time.sleep(0.5)
        raise rigs.RigError(f"services were still being written after {seconds:.0f} s")

    def count(self, prefix: str) -> dict[str, Any]:
        """Of services with that prefix: writes of each, and how many of them wrote a state that was there before."""
        writes: Counter[str] = Counter()
        states: Counter[tuple[str, str]] = Counter()
        others: Counter[str] = Counter()
        refused = 0
        for one in self.entries():
            about, code = one["objectRef"], one["responseStatus"]["code"]
            if about["resource"] != "services":
                others[about["resource"]] += 1
            elif about["name"].startswith(prefix):
                writes[about["name"]] += 1
                refused += code >= 300
                states[about["name"], state_of(one.get("requestObject") or {})] += 1
        return {"services": len(writes), "writes": sum(writes.values()), "most_of_one": max(writes.values(), default=0),
                "most_of_a_state": max(states.values(), default=0), "refused": refused, "others": dict(others),
                "by_count": dict(sorted(Counter(writes.values()).items()))}


def state_of(patch: dict[str, Any]) -> str:
    """What a patch of a status says, without times and revisions."""
    status = patch.get("status", {})
    conditions = [[one.get(key) for key in ("type", "status", "reason", "message")] for one in status.get("conditions") or []]
    return json.dumps([status.get("loadBalancer"), conditions], sort_keys=True)
