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
from collections.abc import Iterable

from tests.bench import rig as rigs
from tools.lab import linux

API = ("10.9.0.1", 7472)
TOKEN = "bench-only-0123456789"
POOL = "203.0.0.0/16"
NAMESPACE = "default"


class Api:
    """One connection to the controller that stays open, as a client of Kubernetes keeps it."""

    def __init__(self, namespace: str) -> None:
        # A socket belongs to the network namespace in which it was made.
        def connect() -> None:
            descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
            try:
                linux.enter_namespace(descriptor, linux.CLONE_NEWNET)
            finally:
                os.close(descriptor)
            self.connection = http.client.HTTPConnection(*API, timeout=60)
            self.connection.connect()

        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()

    def call(self, method: str, path: str, body: object = None, kind: str = "application/json") -> dict:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise rigs.RigError(f"{method} {path}: {answer.status}: {text.decode()[:300]}")
        return json.loads(text)

    def create(self, thing: dict) -> dict:
        return self.call("POST", collection(thing["kind"]), thing)

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


class Cluster:
    def __init__(self, here: rigs.Rig, nodes: int, routers_each: int = 1) -> None:
        self.here = here
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        hub = here.namespace("hub")
        routers = nodes * routers_each
        commands = ["link add br0 type bridge", "link set br0 up", "addr add 10.9.0.1/16 dev br0"]
        commands += [f"addr add 10.9.2.{number}/16 dev br0" for number in range(1, routers + 1)]
        here.ip(hub, commands)
        spaces = []
        for number, node in enumerate(self.nodes, 1):
            space = here.namespace(node)
            here.ip(hub, [f"link add {node} type veth peer name eth0 netns {space}", f"link set {node} master br0 up"])
            here.ip(space, [f"addr add 10.9.1.{number}/16 dev eth0", "link set eth0 up"])
            spaces.append(space)

        token = here.folder / "token"
        token.write_text(TOKEN + "\n")
        self.controller = here.spawn(
            hub,
            "controller",
            [rigs.program("herald-controller"), "--store", here.folder / "store.db", "--token-file", token]
            + ["--listen", f"{API[0]}:{API[1]}", "--log-level", "warning"],
        )
        rigs.wait("the controller answers", lambda: self._answers(hub))
        self.api = Api(hub)
        self._configure(routers_each)
        self.speakers = [
            here.spawn(
                space,
                node,
                [rigs.program("herald-speaker"), "--node", node, "--api", f"http://{API[0]}:{API[1]}"]
                + ["--token-file", token, "--control", f"unix:{here.folder}/{node}.sock", "--log-level", "warning"],
            )
            for node, space in zip(self.nodes, spaces)
        ]
        self.routers = [
            Router(here, hub, f"10.9.1.{1 + index // routers_each}", f"10.9.2.{index + 1}", 65001 + index)
            for index in range(routers)
        ]

    def _answers(self, hub: str) -> bool:
        self.controller.said("")  # fails when it has ended
        knock = f": > /dev/tcp/{API[0]}/{API[1]}"
        done = subprocess.run(["nsenter", f"--net=/run/netns/{hub}", "bash", "-c", knock], capture_output=True)
        return done.returncode == 0

    def _configure(self, routers_each: int) -> None:
        def herald(kind: str, name: str, spec: dict) -> None:
            self.api.create({"apiVersion": "herald.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})

        herald("IPAddressPool", "bench", {"addresses": [POOL], "quarantine": "0s"})
        herald("BGPConfiguration", "default", {"asn": 65000, "import": ["accept-all"]})
        herald("BGPAdvertisement", "bench", {"ipAddressPools": ["bench"]})
        for index, node in enumerate(node for node in self.nodes for _ in range(routers_each)):
            selector = {"matchLabels": {"kubernetes.io/hostname": node}}
            peer = {"peerASN": 65001 + index, "peerAddress": f"10.9.2.{index + 1}", "passive": True}
            herald("BGPPeer", f"router{index + 1}", peer | {"nodeSelectors": [selector]})
        for node in self.nodes:
            labels = {"kubernetes.io/hostname": node}
            self.api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "labels": labels}})

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
