# SPDX-License-Identifier: Apache-2.0
"""What every topology's test uses: labs that end with the test, and waiting that says what it waited for.

Nothing here sleeps for a fixed time: `poll` asks again until the answer is right or the deadline has passed."""

import contextlib
import itertools
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tools.lab import Lab, LabError, Node

Value = TypeVar("Value")

# Deadlines are for an idle machine with two cores; a busy one may ask for a multiple of them.
PATIENCE = float(os.environ.get("HERALD_TEST_PATIENCE", "1"))

# Labs that are up in this process, so that a failing test can show what their processes said; and what those said
# that a failure has taken down since: lab, node, process, text.
live_labs: list[Lab] = []
last_words: list[tuple[str, str, str, str]] = []


def said(lab: Lab) -> list[tuple[str, str, str, str]]:
    """What the processes of a lab have printed."""
    return [
        (lab.name, node, process, text)
        for node, processes in lab.logs().items()
        for process, text in processes.items()
        if text.strip()
    ]


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
        except BaseException:
            last_words.extend(said(lab))
            raise
        finally:
            live_labs.remove(lab)


def bound_files(directory: Path, node: str, files: dict[str, str]) -> list[str]:
    """Writes a node's files beside the topology; gives the binds that put them where they belong."""
    binds = []
    for target, content in files.items():
        source = directory / node / target.strip("/").replace("/", "_")
        source.parent.mkdir(exist_ok=True)
        source.write_text(content)
        binds.append(f"{source.relative_to(directory)}:{target}:ro")
    return binds


def poll(until: Callable[[], Value], deadline: float = 15, *, what: str = "") -> Value:
    """Gives the first true value of `until`; an assertion that fails inside it means "not yet", as does a LabError.

    Past the deadline (seconds) the last answer is the failure's message."""
    deadline *= PATIENCE
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
        after = time.monotonic() - began
        assert value, f"{what or 'the condition'} did not hold at look {looks}, after {after:.1f} s: {value!r}"
        time.sleep(0.05)


def soon(began: float, seconds: float) -> bool:
    """No longer than `seconds` since `began` of time.monotonic()."""
    took = time.monotonic() - began
    assert took < seconds * PATIENCE, f"took {took:.1f} s, more than {seconds * PATIENCE:.1f} s"
    return True


# --- asking Herald


def ctl(node: Node, *words: str) -> list[str]:
    """A heraldctl command for the speaker of a node, whose name is the node's."""
    return ["heraldctl", "--control", f"unix:/run/herald/{node.name}.sock", *words]


def herald_peers(node: Node) -> dict[str, dict[str, Any]]:
    """name -> what `heraldctl peers` says of it."""
    answer = node.json(ctl(node, "peers", "-o", "json"))
    assert answer["schemaVersion"] == 1, answer
    return {peer["name"]: peer for peer in answer["peers"]}


def herald_best(node: Node) -> dict[str, dict[str, Any]]:
    """prefix -> best route."""
    answer = node.json(ctl(node, "routes", "best", "-o", "json"))
    assert answer["schemaVersion"] == 1, answer
    return {route["prefix"]: route for route in answer["routes"]}


def established(node: Node, *peers: str) -> bool:
    """The named peers are up; without names, all there are."""
    known = herald_peers(node)
    states = {name: known[name]["state"] for name in peers or known}
    assert states and all(state == "Established" for state in states.values()), f"{node.name}: {states}"
    return True


class Api:
    """The controller of a lab, by heraldctl on its node `api`."""

    def __init__(self, lab: Lab) -> None:
        self.node = lab.node("api")

    def run(self, *words: str, input: str | None = None) -> str:
        return self.node.run(["heraldctl", "--token-file", "/etc/herald/token", *words], input=input).stdout

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return json.loads(self.run("get", kind, name, "-o", "json"))

    def apply(self, *objects: dict[str, Any]) -> None:
        # JSON is YAML, and every resource reader takes a stream of documents.
        self.run("apply", "-f", "-", input="\n---\n".join(json.dumps(one) for one in objects))

    def addresses(self, service: str) -> dict[int, str]:
        """4 and 6 -> the service's address; a LookupError while it has none."""
        ingress = self.get("service", service)["status"]["loadBalancer"]["ingress"]
        return {6 if ":" in entry["ip"] else 4: entry["ip"] for entry in ingress}


def endpoints(service: str, ready: dict[str, bool]) -> list[dict[str, Any]]:
    """The EndpointSlices, one a family, of a service with one endpoint on each of the nodes."""
    return [
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{service}-{family.lower()}", "labels": {"kubernetes.io/service-name": service}},
            "addressType": family,
            "ports": [{"port": 80}],
            "endpoints": [
                {"addresses": [f"{network}{number}"], "nodeName": node, "conditions": {"ready": is_ready}}
                for number, (node, is_ready) in enumerate(ready.items(), 1)
            ],
        }
        for family, network in (("IPv4", "10.244.0."), ("IPv6", "fd00:244::"))
    ]


# --- asking the others


def frr_paths(node: Node, prefix: str) -> set[str]:
    """Interfaces over which FRR has a prefix in the kernel; empty when it has no such route.

    By interface, because for IPv6 it may use a link-local next hop."""
    family = "ipv6" if ":" in prefix else "ip"
    answer = node.json(["vtysh", "-c", f"show {family} route {prefix} json"])
    hops = [hop for route in answer.get(prefix, []) if route.get("selected") for hop in route["nexthops"]]
    return {hop["interfaceName"] for hop in hops if hop.get("active") and hop.get("fib")}


def frr_sessions(node: Node) -> dict[str, tuple[str, int]]:
    """neighbour -> state, and how many times it has been established: the same number means the same session."""
    peers = node.json(["vtysh", "-c", "show bgp ipv4 unicast summary json"])["peers"]
    return {neighbour: (entry["state"], entry["connectionsEstablished"]) for neighbour, entry in peers.items()}


def configure_frr(node: Node, *lines: str) -> None:
    """Applies the lines one after the other, each in the context that those before it opened."""
    node.run(["vtysh", *(word for line in ("configure terminal", *lines) for word in ("-c", line))])


def kernel_routes(node: Node, family: int, *selector: str) -> dict[str, dict[str, Any]]:
    """prefix -> route, with numbers for names of protocols and tables, and with `hops`: one or more (gateway, dev).

    A route that points to a nexthop object shows its hops only with nexthop_compat_mode, so they are looked up."""
    objects = {entry["id"]: entry for entry in node.json(["ip", "-json", "nexthop", "show"])}
    routes = {}
    for route in node.json(["ip", f"-{family}", "-N", "-json", "route", "show", *selector]):
        if "nhid" in route and route["nhid"] in objects:
            target = objects[route["nhid"]]
            hops = [objects[member["id"]] for member in target["group"]] if "group" in target else [target]
        else:
            hops = route.get("nexthops") or [route]
        route["hops"] = [(hop.get("gateway") or hop.get("via", {}).get("host"), hop.get("dev")) for hop in hops]
        is_host = "/" not in route["dst"] and route["dst"] != "default"
        routes[route["dst"] + (("/32" if family == 4 else "/128") if is_host else "")] = route
    return routes


def gateways(route: dict[str, Any]) -> set[str]:
    return {gateway for gateway, _ in route["hops"] if gateway}


def owners(node: Node, interface: str, addresses: Iterable[str]) -> dict[str, set[str]]:
    """IP -> MAC addresses that answer for it on a segment, by ARP broadcasts and neighbour solicitations.

    Waits for everybody who might answer, so all addresses are asked at the same time. Those that nobody answers for are
    asked once more: on a busy machine an answer may be late."""
    found = _owners(node, interface, addresses)
    return found | _owners(node, interface, [address for address, macs in found.items() if not macs])


def _owners(node: Node, interface: str, addresses: Iterable[str]) -> dict[str, set[str]]:
    asked = {}
    for address in addresses:
        words = ["ndisc6", "-m", "-q", "-r", "1", "-w", "600", address, interface]
        if ":" not in address:
            # With a deadline it waits for that many replies, which is more than there are.
            words = ["arping", "-b", "-c", "9", "-w", "1", "-I", interface, address]
        asked[address] = node.popen(words, stdout=-1, stderr=-3, text=True)
    replies = {address: child.communicate(timeout=20)[0].lower() for address, child in asked.items()}
    return {address: set(re.findall(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", text)) for address, text in replies.items()}


def mac_of(node: Node, interface: str) -> str:
    return node.json(["ip", "-json", "link", "show", "dev", interface])[0]["address"]


def answering(lab: Lab, interface: str, addresses: Iterable[str], nodes: Iterable[str]) -> dict[str, str]:
    """IP -> the node that answers the client for it on a segment, the empty string for nobody. Never two, never others."""
    by_mac = {mac_of(lab.node(name), interface): name for name in nodes}
    found = {}
    for address, macs in owners(lab.node("client"), interface, addresses).items():
        assert len(macs) <= 1 and macs <= by_mac.keys(), f"{address} is answered by {macs}, nodes: {by_mac}"
        found[address] = by_mac[macs.pop()] if macs else ""
    return found


def neighbour(node: Node, address: str) -> str:
    """The MAC that the node's kernel has for an address now, empty for none."""
    known = node.json(["ip", "-json", "neigh", "show", address])
    return known[0].get("lladdr", "") if known else ""


@contextlib.contextmanager
def watched_routes(node: Node, *options: str) -> Iterator[Callable[[], list[str]]]:
    """Within, the function given tells every change of the node's routes so far, as `ip OPTIONS monitor` prints them."""
    record = node.path("/tmp/route-monitor")
    marker, marks = "192.0.2.254", itertools.count(1)
    with record.open("wb") as output, node.popen(["ip", *options, "monitor", "route"], stdout=output) as monitor:

        def mark() -> str:
            own = f"{marker} metric {next(marks)} "
            node.run(f"ip route add blackhole {own}")
            node.run(f"ip route del blackhole {own}")
            return own

        def so_far() -> list[str]:
            # The monitor prints in order: when it has printed this mark, all that came before is there.
            last = mark()
            poll(lambda: last in record.read_text(), 10, what="ip monitor up to date")
            return [line for line in record.read_text().splitlines() if marker not in line]

        try:
            poll(lambda: mark() and marker in record.read_text(), 10, what="ip monitor listening")
            yield so_far
        finally:
            monitor.kill()


@contextlib.contextmanager
def captured(node: Node, interface: str, what: str) -> Iterator[Path]:
    """Within, tcpdump writes what matches into the file given, each packet at once."""
    file = node.path("/tmp/captured.pcap")
    words = ["tcpdump", "--immediate-mode", "-U", "-i", interface, "-w", "/tmp/captured.pcap", *what.split()]
    with node.popen(words, stderr=-1, text=True) as capture:
        said = ""
        for line in capture.stderr:
            said += line
            if "listening on" in line:
                break
        assert "listening on" in said, said
        try:
            yield file
        finally:
            capture.terminate()


def tshark(node: Node, display_filter: str, *words: str) -> str:
    """What tshark makes of the packets of `captured` that match."""
    return node.run(["tshark", "-r", "/tmp/captured.pcap", "-Y", display_filter, *words], timeout=180).stdout


def pings(node: Node, address: str) -> bool:
    done = node.run(["ping", "-c1", "-W1", "-n", address], check=False)
    assert done.returncode == 0, f"{node.name} cannot reach {address}: {done.stdout.strip().splitlines()[-2:]}"
    return True


def fetch(node: Node, address: str, port: int = 80) -> str:
    """One HTTP request on a connection of its own; gives the body."""
    host = f"[{address}]" if ":" in address else address
    words = ["curl", "-sS", "--noproxy", "*", "--max-time", str(2 * PATIENCE), f"http://{host}:{port}/"]
    return node.run(words).stdout.strip()
