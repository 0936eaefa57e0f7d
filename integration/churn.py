# SPDX-License-Identifier: Apache-2.0
"""A thousand services that come, change and go while others try to break things, and the books that tell what is
right: what was acknowledged must be there, what was deleted must not, an address belongs to one service and stays.

Requests that nobody answered may or may not have been carried out; the next look decides which."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from integration.rest import SERVICES, Away, Rest, addresses
from tools.lab import Node

WORKERS = 12
POOL = ("198.18.", "2001:db8:c:")  # how addresses of the churn's pool begin
PEERS = {"10.0.1.2": "n1", "10.0.2.2": "n2", "10.0.3.2": "n3"}  # as the ToR sees the nodes


def announcements(tor: Node) -> dict[str, dict[str, bool]]:
    """address -> node that announces it -> whether that is left of a session that ended; of the churn's pool."""
    table: dict[str, dict[str, bool]] = {}
    for family in ("ipv4", "ipv6"):
        for prefix, paths in tor.json(["vtysh", "-c", f"show bgp {family} unicast json"])["routes"].items():
            if prefix.startswith(POOL):
                table[prefix.partition("/")[0]] = {PEERS[path["peerId"]]: bool(path.get("stale")) for path in paths}
    return table


def bound(node: Node) -> set[str]:
    """Addresses of the churn's pool on the node's loopback interface."""
    entries = node.json(["ip", "-json", "addr", "show", "dev", "lo"])[0]["addr_info"]
    return {entry["local"] for entry in entries if entry["local"].startswith(POOL)}


class Books:
    """What has been seen of the services' addresses. Safe to use from several threads."""

    def __init__(self, quarantine: float) -> None:
        self.violations: list[str] = []
        self.deletes: Counter[str] = Counter()  # address -> how often its holder was told to go
        self.first_delete: dict[str, float] = {}  # address -> when that was first asked, by the wall clock
        self._quarantine = quarantine
        self._by_uid: dict[str, tuple[int, list[str]]] = {}  # with the revision that was seen
        self._last: dict[str, tuple[str, float]] = {}  # address -> who was last seen with it, and when
        self._lock = threading.Lock()

    def violation(self, text: str) -> None:
        with self._lock:
            self.violations.append(f"{time.strftime('%H:%M:%S')} {text}")

    def saw_all(self, services: list[dict[str, Any]]) -> None:
        """One consistent list of all services."""
        holders: dict[str, str] = {}
        for service in services:
            name = service["metadata"]["name"]
            for address in addresses(service):
                if address in holders:
                    self.violation(f"{address} belongs to {holders[address]} and to {name}")
                holders[address] = name
            self.saw(service)

    def saw(self, service: dict[str, Any]) -> None:
        name, uid, has = service["metadata"]["name"], service["metadata"]["uid"], addresses(service)
        now = time.monotonic()
        with self._lock:
            revision = int(service["metadata"]["resourceVersion"])
            seen, known = self._by_uid.get(uid, (0, []))
            if revision < seen:
                return  # an answer that another thread's has overtaken
            if known and has != known:
                self.violations.append(f"{name} had {known} and now has {has}")
            if has:
                self._by_uid[uid] = revision, has
            for address in has:
                before, when = self._last.get(address, (name, now))
                if before != name and now - when < self._quarantine:
                    self.violations.append(f"{address} went from {before} to {name} after {now - when:.1f} s")
                self._last[address] = (name, now)

    def deleting(self, service: dict[str, Any]) -> None:
        with self._lock:
            for address in addresses(service):
                self.deletes[address] += 1
                self.first_delete.setdefault(address, time.time())


class Churn:
    """Works on services NAME0, NAME1, … until stopped. Each worker has names of its own, so it knows their state."""

    def __init__(self, rest: Rest, books: Books, count: int, seed: int, labels: dict[str, str], workers: int = WORKERS,
                 pause: float = 0) -> None:
        """`pause`: what each worker waits between two requests, so that a slow API has time for others."""
        self.rest, self.books = rest, books
        self._workers, self._pause = workers, pause
        self.operations: Counter[str] = Counter()
        self.present: dict[str, dict[str, str]] = {}  # name -> labels as acknowledged
        self._labels = labels
        self._names = [f"churn{number}" for number in range(count)]
        self._seed = seed
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def fill(self) -> None:
        """Creates all of them."""
        self._run(lambda names, chance: [self._create(name, chance) for name in names])
        self._join()

    def start(self) -> None:
        self._stop.clear()
        self._run(self._work)
        self._threads.append(threading.Thread(target=self._guarded(self._observe), daemon=True))
        self._threads[-1].start()

    def stop(self) -> None:
        self._stop.set()
        self._join()

    def look(self) -> list[dict[str, Any]]:
        """All services, checked against the books."""
        services = [one for one in self.rest.get(SERVICES)["items"] if one["metadata"]["name"] in self._names]
        self.books.saw_all(services)
        return services

    def _run(self, work: Callable[[list[str], random.Random], Any]) -> None:
        for worker in range(self._workers):
            names, chance = self._names[worker :: self._workers], random.Random(self._seed * self._workers + worker)
            thread = threading.Thread(target=self._guarded(lambda n=names, c=chance: work(n, c)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a worker is stuck"
        self._threads = []

    def _guarded(self, work: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except Exception as error:  # in a thread, it would only be printed
                self.books.violation(f"{type(error).__name__}: {error}")

        return run

    def _work(self, names: list[str], chance: random.Random) -> None:
        while not self._stop.wait(self._pause):
            name = chance.choice(names)
            if name not in self.present:
                self._create(name, chance)
            elif chance.random() < 0.4:
                self._delete(name)
            else:
                self._change(name, chance)

    def _observe(self) -> None:
        while not self._stop.wait(0.3):
            try:
                self.look()
            except Away:
                continue

    def _create(self, name: str, chance: random.Random) -> None:
        labels = {**self._labels, "round": "0"}
        body = {
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "type": "LoadBalancer",
                "ipFamilyPolicy": chance.choice(["SingleStack", "RequireDualStack"]),
                "ports": [{"port": chance.randrange(1, 60000)}],
            },
        }
        status = self._acknowledged("POST", SERVICES, name, body)
        if status == 409:
            self.books.violation(f"{name} was gone and is there again")
        if status == 201:
            self.present[name] = labels

    def _change(self, name: str, chance: random.Random) -> None:
        labels = {**self.present[name], "round": str(int(self.present[name]["round"]) + 1)}
        patch = {"metadata": {"labels": labels}, "spec": {"ports": [{"port": chance.randrange(1, 60000)}]}}
        status = self._acknowledged("PATCH", f"{SERVICES}/{name}", name, patch)
        if status == 404:
            self.books.violation(f"{name} was acknowledged and is lost")
        if status == 200:
            self.present[name] = labels

    def _delete(self, name: str) -> None:
        try:
            service = self.rest.get(f"{SERVICES}/{name}")
        except Away:
            return
        except LookupError:
            return self.books.violation(f"{name} was acknowledged and is lost")
        if not addresses(service):
            return  # so that the books know every address that was ever given
        self.books.saw(service)
        self.books.deleting(service)
        status = self._acknowledged("DELETE", f"{SERVICES}/{name}", name, None)
        if status == 404:
            self.books.violation(f"{name} was acknowledged and is lost")
        if status == 200:
            self.present.pop(name, None)

    def _acknowledged(self, method: str, path: str, name: str, body: dict[str, Any] | None) -> int:
        """The HTTP status; 0 when it stayed unknown whether it was done, and then the name's state is looked up."""
        try:
            status, answer = self.rest.call(method, path, body)
        except Away:
            self.operations["unanswered"] += 1
            self._look_up(name)
            return 0
        self.operations[method] += 1
        if status >= 400 and status not in (404, 409):
            self.books.violation(f"{method} {path}: {answer}")
        return status

    def _look_up(self, name: str) -> None:
        while True:
            try:
                found = self.rest.get(f"{SERVICES}/{name}")
            except Away:
                time.sleep(0.05)
                continue
            except LookupError:
                self.present.pop(name, None)
                return
            self.present[name] = found["metadata"]["labels"]
            return


def received(log: str, prefixes: tuple[str, ...]) -> tuple[dict[str, Counter[str]], dict[str, list[tuple[float, str]]]]:
    """From FRR's log with `debug bgp updates in`: per address, announcements by peer; and withdraws as (time, peer)."""
    announced: dict[str, Counter[str]] = defaultdict(Counter)
    withdrawn: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for line in log.splitlines():
        head, _, rest = line.partition("] ")
        peer, _, what = rest.partition("(Unknown) rcvd ")
        if not what:
            continue
        gone = what.startswith("UPDATE about ") and what.endswith("-- withdrawn")
        address = what.removeprefix("UPDATE about ").partition("/")[0]
        if not address.startswith(prefixes):
            continue
        if gone:
            day, clock = head.split()[:2]
            seconds, _, fraction = clock.partition(".")
            moment = time.mktime(time.strptime(f"{day} {seconds}", "%Y/%m/%d %H:%M:%S"))
            withdrawn[address].append((moment + float(f"0.{fraction}"), peer))
        elif what.endswith(" unicast"):
            announced[address][peer] += 1
    return announced, withdrawn
