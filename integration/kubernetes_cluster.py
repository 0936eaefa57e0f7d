# SPDX-License-Identifier: Apache-2.0
"""The lab of test_kubernetes.py (its map is there) with Herald on it: what every test beside a real API server stands on."""

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from integration import harness, kubernetes
from integration.harness import endpoints, established, frr_paths, frr_sessions, poll, watched_routes
from integration.kubernetes import ROOT, Kubernetes, Program
from tools.lab import Lab

NODES = ("n1", "n2", "n3")
PORTS = {"n1": "eth1", "n2": "eth2", "n3": "eth3"}
CONTROLLER = "system:serviceaccount:herald-system:herald-controller"
SPEAKER = "system:serviceaccount:herald-system:herald-speaker"
DEPLOY = ROOT / "deploy" / "kubernetes"


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "annotations": spec.pop("annotations", {})},
        "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}], **spec},
    }


def network() -> list[dict[str, Any]]:
    """What the network side decides, as people would write it."""
    own = {"apiVersion": "herald.dev/v1"}
    peers = [
        {**own, "kind": "BGPPeer", "metadata": {"name": f"tor-{name}"},
         "spec": {"peerASN": 65001, "peerAddress": f"10.0.{name[1]}.1", "holdTime": "9s", "connectTime": "1s",
                  "nodeSelectors": [{"matchLabels": {"kubernetes.io/hostname": name}}]}}
        for name in NODES
    ]
    nodes = [{"apiVersion": "v1", "kind": "Node",
              "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}} for name in NODES]
    return [
        *nodes,
        {**own, "kind": "IPAddressPool", "metadata": {"name": "routed"},
         "spec": {"addresses": ["203.0.113.0/25", "2001:db8:113::1-2001:db8:113::ffff"], "quarantine": "1s"}},
        {**own, "kind": "BGPConfiguration", "metadata": {"name": "default"}, "spec": {"asn": 65000}},
        *peers,
        {**own, "kind": "BGPAdvertisement", "metadata": {"name": "all"}, "spec": {"ipAddressPools": ["routed"]}},
    ]


def install(plane: Kubernetes) -> None:
    """CRDs, the namespace and the rights, from the files that people use."""
    plane.install_crds()
    for file in ("namespace.yaml", "controller-rbac.yaml", "speaker-rbac.yaml"):
        plane.kubectl("apply", "-f", str(DEPLOY / "base" / file))


def slices(plane: Kubernetes, name: str, nodes: tuple[str, ...]) -> list[dict[str, Any]]:
    """EndpointSlices with an endpoint on each of the nodes, in the version that the server has."""
    out = endpoints(name, {node: True for node in nodes})
    if plane.slices == "v1beta1":
        for one in out:
            one["apiVersion"] = "discovery.k8s.io/v1beta1"
    return out


class Cluster:
    """The lab with its control plane and Herald on it."""

    def __init__(self, lab: Lab, plane: Kubernetes) -> None:
        self.lab = lab
        self.plane = plane
        self.tor = lab.node("tor")
        config = plane.kubeconfig("controller", CONTROLLER)
        self.controllers = [
            Program(plane, f"controller-{i}", "--kubeconfig", config, "--metrics", f"127.0.0.1:748{i}") for i in (1, 2)]

    def start_speaker(self, name: str) -> None:
        node = self.lab.node(name)
        node.path("/etc/herald/token").write_text(self.plane.tokens[SPEAKER] + "\n")
        config = self.plane.kubeconfig(f"speaker-{name}", SPEAKER)
        settings = json.loads(config.read_text())
        settings["users"][0]["user"] = {"tokenFile": "/etc/herald/token"}
        node.path("/etc/herald/kubeconfig").write_text(json.dumps(settings))
        node.start("herald-speaker", [
            "herald-speaker", "--node", name, "--kubernetes", "--kubeconfig", "/etc/herald/kubeconfig",
            "--control", f"unix:/run/herald/{name}.sock", "--bind-service-ips"])

    def leader(self) -> str:
        """Who holds the Lease."""
        lease = self.plane.get("lease", "herald-controller", "herald-system")
        return lease["spec"].get("holderIdentity", "")

    def tor_has(self, name: str, *nodes: str) -> bool:
        for family, address in self.plane.addresses(name).items():
            found = frr_paths(self.tor, f"{address}/{32 if family == 4 else 128}")
            assert found == {PORTS[node] for node in nodes}, f"{address} over {found}"
        return True

    def remove(self, *services: str) -> None:
        """Deletes them with their endpoints; returns when the ToR has forgotten them too, so that what follows sees none
        of it."""
        addresses = []
        for name in services:
            with contextlib.suppress(LookupError):
                addresses += self.plane.addresses(name).items()
        self.plane.kubectl("delete", "service", *services)
        for name in services:
            self.plane.kubectl("delete", "endpointslices", "-l", f"kubernetes.io/service-name={name}")
        for family, address in addresses:
            poll(lambda: not frr_paths(self.tor, f"{address}/{32 if family == 4 else 128}"), 20, what=f"{address} withdrawn")
            # The kernel of the ToR forgets a little later.
            poll(lambda: not self.tor.run(["ip", f"-{family}", "route", "show", address]).stdout, 20, what=f"{address} gone")

    @contextlib.contextmanager
    def no_withdraw(self) -> Iterator[None]:
        """Within, no route of the ToR goes and no session of it is opened again."""
        sessions = frr_sessions(self.tor)
        # What came just before is on its way into the kernel of the ToR, where a second path takes the first one's place.
        looks = [""]

        def settled() -> bool:
            looks.append("".join(self.tor.run(f"ip -{family} route show proto bgp").stdout for family in (4, 6)))
            time.sleep(0.3)
            return looks[-1] == looks[-2]

        poll(settled, 20, what="the routes of the ToR at rest")
        with watched_routes(self.tor, "-tshort") as changes:
            yield
            assert not any(" Deleted " in line for line in changes()), "\n".join(changes())
        assert frr_sessions(self.tor) == sessions


@contextlib.contextmanager
def running(folder: Path, slices: str, objects: list[dict[str, Any]],
            prepare: Callable[[Lab, Kubernetes], None] = lambda lab, plane: None) -> Iterator[Cluster]:
    """Two controllers and a speaker on every node, whose sessions are up; `prepare` does what comes before them."""
    with harness.running(ROOT / "integration" / "labs" / "kubernetes.clab.yml") as lab:
        with kubernetes.running(folder, slices, address="172.20.24.10", netns=lab.node("api").namespace) as plane:
            install(plane)
            prepare(lab, plane)
            plane.apply(*objects)
            # The server itself learns of new rights a little later.
            for caller in (SPEAKER, CONTROLLER):
                poll(lambda: plane.kubectl_run("auth", "can-i", "list", "l2advertisements.herald.dev", "--as", caller,
                                               check=False).stdout.strip() == "yes", 30, what=f"rights of {caller}")
            found = Cluster(lab, plane)
            try:
                for controller in found.controllers:
                    controller.start()
                for name in NODES:
                    found.start_speaker(name)
                for name in NODES:
                    poll(lambda: established(lab.node(name), f"tor-{name}"), 30, what=f"{name} established")
                yield found
            finally:
                for controller in found.controllers:
                    if controller.process is not None:
                        controller.end(signal.SIGKILL)
