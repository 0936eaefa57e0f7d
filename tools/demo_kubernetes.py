# SPDX-License-Identifier: Apache-2.0
"""Herald beside Kubernetes, told in short lines with real output: a real API server, three nodes, an FRR ToR.

  ./dev demo --kubernetes"""

import contextlib
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from integration import kubernetes
from integration.harness import endpoints, established
from integration.kubernetes import ROOT, Kubernetes, Program
from tools.demo import next_hops, say, show, wait
from tools.lab import Lab, LabError

NODES = ("n1", "n2", "n3")
SPACE = "shop"
ACCOUNT = "system:serviceaccount:herald-system:herald-"
DEPLOY = ROOT / "deploy" / "kubernetes"
HERALD = {"apiVersion": "herald.dev/v1"}


def network() -> list[dict[str, Any]]:
    peers = [
        {**HERALD, "kind": "BGPPeer", "metadata": {"name": f"tor-{name}"},
         "spec": {"peerASN": 65001, "peerAddress": f"10.0.{name[1]}.1", "holdTime": "9s", "connectTime": "1s",
                  "nodeSelectors": [{"matchLabels": {"kubernetes.io/hostname": name}}]}}
        for name in NODES
    ]
    nodes = [{"apiVersion": "v1", "kind": "Node",
              "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}} for name in NODES]
    return [
        *nodes, *peers,
        {**HERALD, "kind": "IPAddressPool", "metadata": {"name": "front"}, "spec": {"addresses": ["203.0.113.0/24"]}},
        {**HERALD, "kind": "BGPConfiguration", "metadata": {"name": "default"}, "spec": {"asn": 65000}},
        {**HERALD, "kind": "BGPAdvertisement", "metadata": {"name": "front"}, "spec": {"ipAddressPools": ["front"]}},
    ]


def application(plane: Kubernetes) -> list[dict[str, Any]]:
    found = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
         "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]}},
        *endpoints("web", {name: True for name in NODES})[:1],
    ]
    for one in found[1:]:
        one["metadata"]["namespace"] = SPACE
    return found


def address(plane: Kubernetes) -> str:
    return plane.addresses("web", SPACE)[4]


class Story:
    def __init__(self, lab: Lab, plane: Kubernetes) -> None:
        self.lab, self.plane, self.tor = lab, plane, lab.node("tor")

    def start(self) -> list[Program]:
        plane = self.plane
        plane.install_crds()
        for file in ("namespace.yaml", "controller-rbac.yaml", "speaker-rbac.yaml"):
            plane.kubectl("apply", "-f", str(DEPLOY / "base" / file))
        plane.apply(*network())
        config = plane.kubeconfig("controller", ACCOUNT + "controller")
        controllers = [Program(plane, f"controller-{i}", "--kubeconfig", config).start() for i in (1, 2)]
        text = plane.kubeconfig("speaker", ACCOUNT + "speaker").read_text()
        for name in NODES:
            node = self.lab.node(name)
            node.path("/etc/herald/kubeconfig").write_text(text)
            node.start("herald-speaker", [
                "herald-speaker", "--node", name, "--kubernetes", "--kubeconfig", "/etc/herald/kubeconfig",
                "--control", f"unix:/run/herald/{name}.sock", "--bind-service-ips"])
        for name in NODES:
            wait(f"{name} is established with the ToR", lambda n=name: _is(lambda: established(self.lab.node(n), f"tor-{n}")))
        return controllers

    def service(self) -> None:
        say("1. kubectl applies a namespace, a Service and the endpoints of its pods. The controller writes an address into its status.")
        began = time.monotonic()
        self.plane.apply(*application(self.plane))
        applied = time.monotonic()
        wait("the service has an address", lambda: _is(lambda: address(self.plane)))
        show(f"kubectl get service web -n {SPACE}", self.plane.kubectl("get", "service", "web", "-n", SPACE))
        print(f"  (kubectl took {applied - began:.1f} s; the address was there {time.monotonic() - applied:.1f} s later)")

    def routes(self) -> None:
        say("2. Each of the three speakers announces it to the ToR.")
        found = address(self.plane)
        wait("the ToR has three next hops", lambda: next_hops(self.tor, found) == 3)
        show(f"tor: ip route show {found}", self.tor.run(f"ip route show {found}").stdout)
        show("kubectl get herald", self.plane.kubectl("get", "herald"))

    def death(self) -> None:
        say("3. n3 loses its speaker.")
        found = address(self.plane)
        self.lab.node("n3").kill("herald-speaker")
        took = wait("the ToR has two next hops", lambda: next_hops(self.tor, found) == 2)
        print(f"  the ToR has two next hops after {took * 1000:.0f} ms")
        self.lab.node("n3").start("herald-speaker")
        wait("n3 is back", lambda: next_hops(self.tor, found) == 3)

    def outage(self) -> None:
        say("4. The API server is killed, and comes back five seconds later.")
        found = address(self.plane)
        self.plane.end("kube-apiserver", signal.SIGKILL)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if next_hops(self.tor, found) != 3:
                raise LabError("the ToR lost a next hop while the API was away")
            time.sleep(0.1)
        print("  the ToR had three next hops all the time")
        self.plane.start_api()

    def condition(self) -> str:
        path = '{.status.conditions[?(@.type=="herald.dev/Announced")].message}'
        return self.plane.kubectl("get", "service", "web", "-n", SPACE, "-o", f"jsonpath={path}")

    def why(self) -> None:
        say("5. And why? The Service says who announces it; on a node, every address is explained in full.")
        wait("the condition names the three nodes", lambda: _is(lambda: "n1, n2 and n3" in self.condition()))
        show("kubectl get service web -o jsonpath=… herald.dev/Announced", self.condition())
        node = self.lab.node("n1")
        show("n1: heraldctl explain service shop/web", node.run(
            ["heraldctl", "--control", "unix:/run/herald/n1.sock", "explain", "service", f"{SPACE}/web"]).stdout)
        show(f"kubectl describe service web -n {SPACE}", "\n".join(
            line for line in self.plane.kubectl("describe", "service", "web", "-n", SPACE).splitlines()
            if line.startswith(("Name", "LoadBalancer", "Events", "  "))))


def _is(condition: Any) -> bool:
    try:
        return bool(condition())
    except (AssertionError, json.JSONDecodeError) as error:
        raise LookupError(str(error)) from None


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say("Herald beside Kubernetes: a real API server, two controllers, three speakers and an FRR ToR on this machine.")
    with contextlib.ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="herald-demo-")))
            lab = stack.enter_context(Lab.up(ROOT / "integration" / "labs" / "kubernetes.clab.yml"))
            plane = stack.enter_context(kubernetes.running(
                folder, "v1", address="172.20.24.10", netns=lab.node("api").namespace))
            story = Story(lab, plane)
            for controller in story.start():
                stack.callback(controller.end, signal.SIGKILL)
            for step in (story.service, story.routes, story.death, story.outage, story.why):
                step()
            say("Done.")
            return 0
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            return 130
        except (LabError, AssertionError) as error:
            print(f"\nthe demo failed: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
