# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of a churn of Services beside a real Kubernetes API server (the map is in test_kubernetes.py).

Whatever is killed, one of two controllers, a speaker or the API server: no address changes, none belongs to two
services, none is lost for good, and the ToR loses a route only where a service was deleted: by no withdraw, and, since
all speak graceful restart, by no session that ended.

    HERALD_CRASH_SEED    repeats the choices of a run (printed)
    HERALD_CRASH_KILLS   how many times something is killed (default 10, about a minute)
"""

import os
import random
import re
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from integration import harness, kubernetes_cluster
from integration.churn import PEERS, POOL, Books, Churn, announcements, bound, received
from integration.harness import PATIENCE, established, frr_sessions, poll
from integration.kubernetes import KubernetesRest
from integration.kubernetes_cluster import NODES, Cluster, network, slices
from integration.rest import HERALD, SERVICES, addresses
from tools.lab import Lab, Node

COUNT = 150  # services; the pool has few more addresses, so those that leak are missed soon
SIZE = 256  # addresses of each family
POOL_SPEC = {"addresses": ["198.18.0.0/24", "2001:db8:c::/120"], "quarantine": "2s"}
VICTIMS = ("controller", "speaker", "API server", "controller and speaker", "speaker and API server")

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes_cluster.running(tmp_path_factory.mktemp("kubernetes"), "v1beta1", objects(),
                                    lambda lab, _plane: prepare_tor(lab.node("tor"))) as found:
        # They outlive their services, since nobody here clears away after those.
        plane = found.plane
        plane.apply(*(one for number in range(COUNT) for one in slices(plane, f"churn{number}", NODES)[:1]))
        yield found


def objects() -> list[dict[str, Any]]:
    """The network of test_kubernetes.py with graceful restart, and a pool for the churn alone."""
    out = network()
    for one in out:
        if one["kind"] == "BGPPeer":
            one["spec"]["gracefulRestart"] = {"mode": "full", "restartTime": "300s"}
    selector = {"serviceSelectors": [{"matchLabels": {"reach": "churn"}}]}
    own = {"apiVersion": "herald.dev/v1", "metadata": {"name": "churn"}}
    return [*out, {**own, "kind": "IPAddressPool", "spec": {**POOL_SPEC, "serviceAllocation": selector}},
            {**own, "kind": "BGPAdvertisement", "spec": {"ipAddressPools": ["churn"]}}]


def prepare_tor(tor: Node) -> None:
    lines = [
        "configure terminal", "debug bgp updates in", "log timestamp precision 3", "log file /tmp/bgpd.log debugging",
        "ip prefix-list services seq 10 permit 198.18.0.0/24 le 32",
        "ipv6 prefix-list services seq 10 permit 2001:db8:c::/120 le 128",
        "router bgp 65001", "bgp graceful-restart", "bgp graceful-restart stalepath-time 600", "end"]
    tor.run(["vtysh"], input="\n".join(lines) + "\n")


class Killer:
    """Kills what it is told to and starts it again; keeps count."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self.cluster, self.chance = cluster, chance
        self.kills: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return sum(self.kills[one] for one in ("controller", "speaker", "API server"))

    def strike(self, what: str) -> None:
        victims = what.split(" and ")
        speaker = self.chance.choice(NODES)
        controller = self.chance.choice(self.cluster.controllers)
        self.chance.shuffle(victims)
        time.sleep(self.chance.uniform(0.05, 1))  # the random moment
        for victim in victims:
            if victim == "controller":
                controller.end(signal.SIGKILL)
            elif victim == "speaker":
                self.cluster.lab.node(speaker).kill("herald-speaker")
                self.kills[speaker] += 1
            else:
                self.cluster.plane.end("kube-apiserver", signal.SIGKILL)
            self.kills[victim] += 1
        time.sleep(self.chance.uniform(0, 1))
        for victim in self.chance.sample(victims, len(victims)):
            if victim == "controller":
                controller.file.write_bytes(b"")
                controller.start()
            elif victim == "speaker":
                self.cluster.lab.node(speaker).start("herald-speaker")
            else:
                self.cluster.plane.start_api()
        if "speaker" in victims:
            self.back(speaker)
        if "controller" in victims:
            controller.says("event=ready", 60)

    def back(self, name: str) -> None:
        """A second restart in the midst of the first would rightly cost the routes of both (RFC 4724, 4.2)."""
        tor = self.cluster.tor
        poll(lambda: established(self.cluster.lab.node(name), f"tor-{name}"), 60, what=f"{name} back")
        poll(lambda: not any(paths.get(name) for paths in announcements(tor).values()), 60, what=f"{name} has told all again")


def test_nothing_is_changed_doubled_leaked_or_withdrawn_whatever_is_killed(cluster: Cluster) -> None:
    seed = int(os.environ.get("HERALD_CRASH_SEED") or random.randrange(1 << 30))
    kills = int(os.environ.get("HERALD_CRASH_KILLS") or 10)
    print(f"seed {seed}, {kills} kills; HERALD_CRASH_SEED={seed} repeats its choices")
    chance = random.Random(seed)
    lab, tor, rest = cluster.lab, cluster.tor, KubernetesRest(cluster.plane)
    # How long an address rests is forgotten with both controllers, so the books do not ask for it.
    books = Books(0)
    churn = Churn(rest, books, COUNT, seed, {"reach": "churn"}, workers=4, pause=0.1)
    killer = Killer(cluster, chance)
    churn.fill()
    poll(lambda: all(addresses(service) for service in churn.look()), 60, what="every service has its addresses")
    poll(lambda: agrees(lab, churn), 60, what="the ToR has them all")
    sessions = frr_sessions(tor)
    log = tor.path("/tmp/bgpd.log")
    told = len(log.read_text())
    with harness.watched_routes(tor, "-ts", "-o") as changes:
        churn.start()
        try:
            while killer.count < kills:
                what = chance.choice(VICTIMS)
                killer.strike(what)
                print(f"{killer.count} of {kills}: {what}", flush=True)
                assert not books.violations, f"seed {seed}, after killing the {what}: {books.violations[:10]}"
        finally:
            churn.stop()
        poll(lambda: agrees(lab, churn), 60, what="services, ToR and nodes agree")
        poll(lambda: not check_lost_routes(changes(), books, seed), 5, what="no route of the ToR lost")
    print(f"{dict(churn.operations)}, killed {dict(killer.kills)}")
    assert not books.violations, f"seed {seed}: {books.violations[:10]}"
    assert churn.operations["DELETE"] > 10 and churn.operations["PATCH"] > 10, "there was a churn"
    for peer, name in PEERS.items():
        state, count = frr_sessions(tor)[peer]
        # Of two connections that were opened at once FRR may close the one that it counted already.
        closed = lab.node(name).log("herald-speaker").count('from=Established to=Idle reason="closed by peer"')
        opened = count - sessions[peer][1] - killer.kills[name]
        assert state == "Established" and 0 <= opened <= closed, f"seed {seed}: {name}: {opened} more, {closed} closed"
    check_withdraws(log.read_text()[told:], books, seed)
    nothing_leaked(cluster, rest, churn)


def agrees(lab: Lab, churn: Churn) -> bool:
    """The API has what was acknowledged, the ToR and the nodes have what the API has."""
    services = churn.look()
    assert {service["metadata"]["name"]: service["metadata"]["labels"] for service in services} == churn.present
    assert all(addresses(service) for service in services)
    held = {address for service in services for address in addresses(service)}
    table = announcements(lab.node("tor"))
    assert table.keys() == held, f"the ToR has {len(table)} addresses and the API {len(held)}"
    everywhere = dict.fromkeys(NODES, False)
    others = {address: paths for address, paths in table.items() if paths != everywhere}
    assert not others, f"all three nodes announce every address, but {len(others)}: {dict(list(others.items())[:3])}"
    for name in NODES:
        assert bound(lab.node(name)) == held, name
    return True


def check_withdraws(log: str, books: Books, seed: int) -> None:
    announced, withdrawn = received(log, POOL)
    assert announced and withdrawn, "FRR's log was read"
    for address, withdraws in withdrawn.items():
        first = min(moment for moment, _ in withdraws)
        # The log has whole milliseconds.
        cause = books.first_delete.get(address, float("inf")) <= first + 0.001
        assert cause, f"seed {seed}: {address} was withdrawn though nobody had deleted its service"
        for peer, count in Counter(peer for _, peer in withdraws).items():
            assert count <= books.deletes[address], f"seed {seed}: {PEERS[peer]} withdrew {address} {count} times"


def check_lost_routes(changes: list[str], books: Books, seed: int) -> None:
    """The ToR's kernel was without a route no more often than a service of that address was deleted.

    An IPv6 route changes its next hops by being deleted and added in one go, which is no loss."""
    told: dict[str, list[tuple[float, bool, str]]] = defaultdict(list)  # time, deleted, line
    for line in changes:
        found = re.match(r"\[([^]]*)\] *(Deleted )?(\S+)", line)
        if found and found[3].startswith(POOL):
            moment = datetime.fromisoformat(found[1]).timestamp()
            told[found[3].partition("/")[0]].append((moment, bool(found[2]), line))
    assert told, "the ToR's routes were watched"
    for address, lines in told.items():
        follows = [*(moment for moment, _, _ in lines[1:]), float("inf")]
        lost = [gone for (moment, gone, _), after in zip(lines, follows) if gone and after - moment > 0.1 * PATIENCE]
        text = "\n".join(line for _, _, line in lines)
        assert len(lost) <= books.deletes[address], (
            f"seed {seed}: the ToR lost {address} {len(lost)} times, not {books.deletes[address]}:\n{text}")


def nothing_leaked(cluster: Cluster, rest: KubernetesRest, churn: Churn) -> None:
    """The pool counts what services have and nothing else, and all the rest of it can be given out."""
    held: dict[int, set[str]] = defaultdict(set)
    for service in churn.look():
        for address in addresses(service):
            held[6 if ":" in address else 4].add(address)

    def counted() -> bool:
        status = rest.get(f"{HERALD}/ipaddresspools/churn")["status"]
        for family, mine in held.items():
            assert status[f"assignedIPv{family}"] == len(mine), status
            assert status.get(f"quarantinedIPv{family}", 0) == 0, status
        return True

    poll(counted, 30, what="the pool's numbers")
    for family, name in ((4, "IPv4"), (6, "IPv6")):
        free = SIZE - len(held[family])
        for number in range(free):
            rest.create(SERVICES, "Service", f"last{family}-{number}", {
                "type": "LoadBalancer", "ipFamilies": [name], "ipFamilyPolicy": "SingleStack", "ports": [{"port": 80}],
                "allocateLoadBalancerNodePorts": False}, labels={"reach": "churn"})

    def all_given() -> bool:
        given = [address for service in rest.get(SERVICES)["items"] for address in addresses(service)]
        assert len(given) == len(set(given)) == 2 * SIZE, f"{len(given)} addresses, {len(set(given))} different ones"
        return True

    poll(all_given, 60, what="every address of the pool given to a service")
