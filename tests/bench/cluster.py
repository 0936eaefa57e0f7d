# SPDX-License-Identifier: Apache-2.0
"""A controller, speakers that follow it, and for each speaker a router that only listens and stamps what it hears.

    router --- bridge --- controller 10.9.0.1     speakers 10.9.1.1, 10.9.1.2, ...
                                                  routers 10.9.2.1, 10.9.2.2, ... (AS 65001, 65002, ...)

The bridge, the controller and the routers are in one namespace; every speaker has a namespace of its own."""

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from tests.bench import rig as rigs
from tools.lab import linux

API = ("10.9.0.1", 7472)
TOKEN = "bench-only-0123456789"
POOL = "203.0.0.0/16"
NAMESPACE = "default"


class Api:
    """One connection to the controller that stays open, as a client of Kubernetes keeps it."""

    def __init__(self, namespace: str, token: str = TOKEN,
                 connection: Callable[[], http.client.HTTPConnection] | None = None) -> None:
        self.token = token

        # A socket belongs to the network namespace in which it was made.
        def connect() -> None:
            descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
            try:
                linux.enter_namespace(descriptor, linux.CLONE_NEWNET)
            finally:
                os.close(descriptor)
            self.connection = connection() if connection else http.client.HTTPConnection(*API, timeout=60)
            self.connection.connect()

        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()

    def call(self, method: str, path: str, body: object = None, kind: str = "application/json") -> dict:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise rigs.RigError(f"{method} {path}: {answer.status}: {text.decode()[:300]}")
        return json.loads(text)

    def create(self, thing: dict) -> dict:
        return self.call("POST", collection(thing["kind"]), thing)

    def services(self) -> list[dict]:
        return self.call("GET", collection("Service"))["items"]

    def delete(self, kind: str, name: str) -> None:
        self.call("DELETE", f"{collection(kind)}/{name}")

    def patch(self, kind: str, name: str, change: dict) -> None:
        self.call("PATCH", f"{collection(kind)}/{name}", change, "application/merge-patch+json")


def collection(kind: str) -> str:
    return {
        "Service": f"/api/v1/namespaces/{NAMESPACE}/services",
        "EndpointSlice": f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices",
        "Node": "/api/v1/nodes",
        "IPAddressPool": "/apis/herald.dev/v1/ipaddresspools",
        "BGPConfiguration": "/apis/herald.dev/v1/bgpconfigurations",
        "BGPPeer": "/apis/herald.dev/v1/bgppeers",
        "BGPAdvertisement": "/apis/herald.dev/v1/bgpadvertisements",
    }[kind]


def service(name: str) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]},
    }


def endpoints(name: str, nodes: Iterable[str], ready: bool = True) -> dict:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"port": 80}],
        "endpoints": [
            {"addresses": [f"10.244.0.{number}"], "nodeName": node, "conditions": {"ready": ready}}
            for number, node in enumerate(nodes, 1)
        ],
    }


class Router:
    """Listens to one speaker; knows when each prefix came and went, by the clock of time.monotonic()."""

    def __init__(self, here: rigs.Rig, namespace: str, speaker: str, address: str, asn: int) -> None:
        self.heard: dict[tuple[str, str], float] = {}  # ("+" or "-", prefix) -> the last time
        self.changed = threading.Condition()
        self.process = here.spawn(
            namespace,
            f"router-{asn}",
            [rigs.program("bgp_blast"), "--monitor", "--senders", 0, "--receivers", 1, "--dut", f"{speaker}:179"]
            + ["--source", address, "--first-asn", asn, "--connect-timeout", 60],
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        for line in self.process.child.stdout:
            fields = line.split()
            if len(fields) != 4:
                continue
            with self.changed:
                self.heard[fields[2], fields[3]] = float(fields[0])
                self.changed.notify_all()

    def when(self, sign: str, prefix: str, after: float, seconds: float = 10) -> float:
        """The time at which the change arrived; it may have come already."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.heard.get((sign, prefix), 0) > after, seconds):
                raise rigs.RigError(f"{self.process.name} did not hear {sign}{prefix} within {seconds:.0f} s")
            return self.heard[sign, prefix]

    def prefixes(self) -> int:
        with self.changed:
            return sum(
                self.heard.get(("-", prefix), 0) < at for (sign, prefix), at in self.heard.items() if sign == "+"
            )


def lay_out(here: rigs.Rig, nodes: list[str], routers: int) -> tuple[str, list[str]]:
    """The bridge with the addresses of API and routers, and a namespace for each node: names of both."""
    hub = here.namespace("hub")
    commands = ["link add br0 type bridge", "link set br0 up", "addr add 10.9.0.1/16 dev br0"]
    here.ip(hub, commands + [f"addr add 10.9.2.{number}/16 dev br0" for number in range(1, routers + 1)])
    spaces = []
    for number, node in enumerate(nodes, 1):
        space = here.namespace(node)
        here.ip(hub, [f"link add {node} type veth peer name eth0 netns {space}", f"link set {node} master br0 up"])
        here.ip(space, [f"addr add 10.9.1.{number}/16 dev eth0", "link set eth0 up"])
        spaces.append(space)
    return hub, spaces


def configuration(nodes: list[str], pool: str, routers_each: int) -> list[dict[str, Any]]:
    """Nodes, and what the network side decides: every node announces everything to its own routers."""

    def herald(kind: str, name: str, spec: dict) -> dict[str, Any]:
        return {"apiVersion": "herald.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}

    things = [
        herald("IPAddressPool", "bench", {"addresses": [pool], "quarantine": "0s"}),
        herald("BGPConfiguration", "default", {"asn": 65000, "import": ["accept-all"]}),
        herald("BGPAdvertisement", "bench", {"ipAddressPools": ["bench"]}),
    ]
    for index, node in enumerate(node for node in nodes for _ in range(routers_each)):
        selector = {"matchLabels": {"kubernetes.io/hostname": node}}
        peer = {"peerASN": 65001 + index, "peerAddress": f"10.9.2.{index + 1}", "passive": True}
        things.append(herald("BGPPeer", f"router{index + 1}", peer | {"nodeSelectors": [selector]}))
    for node in nodes:
        labels = {"kubernetes.io/hostname": node}
        things.append({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "labels": labels}})
    return things


class Cluster:
    """The controller with its configuration; `start` brings up a speaker on each node, and routers."""

    def __init__(self, here: rigs.Rig, nodes: int, routers_each: int = 1) -> None:
        self.here = here
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.routers_each = routers_each
        self.hub, self.spaces = lay_out(here, self.nodes, nodes * routers_each)
        self.token = here.folder / "token"
        self.token.write_text(TOKEN + "\n")
        self.controller = here.spawn(
            self.hub,
            "controller",
            [rigs.program("herald-controller"), "--store", here.folder / "store.db", "--token-file", self.token]
            + ["--listen", f"{API[0]}:{API[1]}", "--log-level", "warning"],
        )
        rigs.wait("the controller answers", lambda: self._answers(self.hub))
        self.api = Api(self.hub)
        for thing in configuration(self.nodes, POOL, routers_each):
            self.api.create(thing)
        self.speakers: list[rigs.Process] = []
        self.routers: list[Router] = []

    def start(self) -> "Cluster":
        for node in self.nodes:
            self.speak(node, "--log-level", "warning")
        self.routers = [
            Router(self.here, self.hub, f"10.9.1.{1 + index // self.routers_each}", f"10.9.2.{index + 1}", 65001 + index)
            for index in range(len(self.nodes) * self.routers_each)
        ]
        return self

    def speak(self, node: str, *words: object) -> rigs.Process:
        self.speakers.append(
            self.here.spawn(
                self.spaces[self.nodes.index(node)],
                node,
                [rigs.program("herald-speaker"), "--node", node, "--api", f"http://{API[0]}:{API[1]}"]
                + ["--token-file", self.token, "--control", f"unix:{self.here.folder}/{node}.sock", *words],
            )
        )
        return self.speakers[-1]

    def apis(self, count: int) -> list[Api]:
        return [Api(self.hub) for _ in range(count)]

    def _answers(self, hub: str) -> bool:
        self.controller.said("")  # fails when it has ended
        knock = f": > /dev/tcp/{API[0]}/{API[1]}"
        done = subprocess.run(["nsenter", f"--net=/run/netns/{hub}", "bash", "-c", knock], capture_output=True)
        return done.returncode == 0

    def fill(self, services: int) -> None:
        """So many services that every node announces; returns when all routers have them all."""
        began = time.monotonic()
        for number in range(services):
            self.api.create(endpoints(f"filler-{number}", self.nodes))
            self.api.create(service(f"filler-{number}"))
        rigs.wait(
            f"all routers have {services} services",
            lambda: all(router.prefixes() == services for router in self.routers),
            120,
        )
        rigs.progress(f"{services} services on {len(self.nodes)} nodes after {time.monotonic() - began:.1f} s")
