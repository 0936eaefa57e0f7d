# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of a 1,000-service churn (deploy/containerlab/demo; the map is in test_demo.py).

Whatever is killed, controller, speaker or both: no address changes, none belongs to two services, nothing that was
acknowledged is lost, an address given up is not given out again at once, the routes that the nodes have learned stay
in their kernels without a flap, and the ToR sees a withdraw only where a service was deleted.

    HERALD_CRASH_SEED    repeats the choices of a run (printed)
    HERALD_CRASH_KILLS   how many times something is killed (default 7, about half a minute)
"""

import contextlib
import functools
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from integration import harness
from integration.churn import PEERS, POOL, Books, Churn, announcements, bound, received
from integration.harness import established, frr_sessions, kernel_routes, poll
from integration.rest import HERALD, Rest, addresses
from tools.lab import Lab, Node

NODES = ("n1", "n2", "n3")
SERVICES = 1000
QUARANTINE = 600  # seconds, longer than the test takes: nothing may be given out twice
LEARNED = {
    4: [f"10.{number}.0.0/16" for number in range(101, 201)],
    6: [f"fd00:a:{number:x}::/48" for number in range(1, 101)],
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with harness.running("demo") as lab:
        for name in NODES:
            poll(lambda: established(lab.node(name), f"tor-{name}"), 30, what=f"{name} established with the ToR")
        prepare_tor(lab.node("tor"))
        rest = Rest(lab.node("api"))
        selector = {"serviceSelectors": [{"matchLabels": {"reach": "churn"}}]}
        pool = {"addresses": ["198.18.0.0/16", "2001:db8:c::/64"], "quarantine": f"{QUARANTINE}s"}
        rest.create(f"{HERALD}/ipaddresspools", "IPAddressPool", "churn", {**pool, "serviceAllocation": selector})
        rest.create(f"{HERALD}/bgpadvertisements", "BGPAdvertisement", "churn", {"ipAddressPools": ["churn"]})
        for name in NODES:
            poll(lambda: has_learned(lab.node(name)), 30, what=f"{name} has learned the ToR's routes")
        yield lab


def vtysh(node: Node, *lines: str) -> None:
    node.run(["vtysh"], input="\n".join(["configure terminal", *lines, "end"]) + "\n")


def prepare_tor(tor: Node) -> None:
    vtysh(
        tor,
        "debug bgp updates in",
        "log timestamp precision 3",
        "log file /tmp/bgpd.log debugging",
        "ip prefix-list services seq 10 permit 198.18.0.0/16 le 32",
        "ipv6 prefix-list services seq 10 permit 2001:db8:c::/64 le 128",
        "router bgp 65001",
        "no bgp network import-check",
        *("address-family ipv4 unicast", *(f"network {prefix}" for prefix in LEARNED[4]), "exit-address-family"),
        *("address-family ipv6 unicast", *(f"network {prefix}" for prefix in LEARNED[6]), "exit-address-family"),
    )


def has_learned(node: Node) -> bool:
    for family, prefixes in LEARNED.items():
        missing = set(prefixes) - kernel_routes(node, family, "proto", "201").keys()
        assert not missing, f"{len(missing)} prefixes of IPv{family}"
    return True


def tor_table(tor: Node) -> dict[str, set[str]]:
    """address -> nodes that announce it, of the churn's pool."""
    return {address: set(nodes) for address, nodes in announcements(tor).items()}


class Killer:
    """Kills what it is told to and starts it again; keeps count."""

    def __init__(self, lab: Lab, chance: random.Random) -> None:
        self.lab, self.chance = lab, chance
        self.kills: Counter[str] = Counter()

    def strike(self, what: str) -> None:
        victims = {
            "controller": ["api"],
            "speaker": [self.chance.choice(NODES)],
            "both": ["api", self.chance.choice(NODES)],
            "everything": ["api", *NODES],
        }[what]
        self.chance.shuffle(victims)
        time.sleep(self.chance.uniform(0.1, 1.5))  # the random moment
        for victim in victims:
            self.lab.node(victim).kill(self.process(victim))
            self.kills[victim] += 1
        time.sleep(self.chance.uniform(0, 1))
        self.chance.shuffle(victims)
        for victim in victims:
            self.lab.node(victim).start(self.process(victim))
        for victim in victims:
            if victim != "api":
                poll(lambda: established(self.lab.node(victim), f"tor-{victim}"), 30, what=f"{victim} back")

    @staticmethod
    def process(node: str) -> str:
        return "herald-controller" if node == "api" else "herald-speaker"


@contextlib.contextmanager
def watched(lab: Lab) -> Iterator[Callable[[], list[str]]]:
    """Within, tells every change so far of a route that some node has learned."""
    learned = {prefix for prefixes in LEARNED.values() for prefix in prefixes}
    with contextlib.ExitStack() as stack:
        changes = {name: stack.enter_context(harness.watched_routes(lab.node(name))) for name in NODES}
        yield lambda: [
            f"{name}: {line}"
            for name, so_far in changes.items()
            for line in so_far()
            if learned & set(line.split())
        ]


def test_nothing_is_lost_changed_or_withdrawn_whatever_is_killed(lab: Lab) -> None:
    seed = int(os.environ.get("HERALD_CRASH_SEED") or random.randrange(1 << 30))
    kills = int(os.environ.get("HERALD_CRASH_KILLS") or 7)
    print(f"seed {seed}, {kills} kills; HERALD_CRASH_SEED={seed} repeats its choices")
    chance = random.Random(seed)
    plan = [("controller", "speaker", "both")[number % 3] for number in range(kills - 1)] + ["everything"]
    chance.shuffle(plan)
    tor, rest, books = lab.node("tor"), Rest(lab.node("api")), Books(QUARANTINE)
    churn, killer = Churn(rest, books, SERVICES, seed, {"reach": "churn"}), Killer(lab, chance)
    churn.fill()
    poll(lambda: all(addresses(service) for service in churn.look()), 20, what="every service has its addresses")
    held = {address for service in churn.look() for address in addresses(service)}
    poll(lambda: tor_table(tor).keys() == held, 20, what="the ToR has them all")
    sessions = frr_sessions(tor)
    withdraw_all_and_return(lab, rest, held)
    log = tor.path("/tmp/bgpd.log")
    told, at_start = len(log.read_text()), set(tor_table(tor))
    with watched(lab) as flaps:
        churn.start()
        try:
            for what in plan:
                killer.strike(what)
                assert not books.violations, f"seed {seed}, after killing {what}: {books.violations[:10]}"
        finally:
            churn.stop()
        poll(lambda: agrees(lab, churn), 30, what="services, ToR and nodes agree")
        for name in NODES:
            assert has_learned(lab.node(name))
        assert flaps() == [], f"seed {seed}: learned routes flapped"
    print(f"{dict(churn.operations)}, killed {dict(killer.kills)}")
    assert not books.violations, f"seed {seed}: {books.violations[:10]}"
    assert churn.operations["DELETE"] > 20 and churn.operations["PATCH"] > 20, "there was a churn"
    for peer, name in PEERS.items():
        state, count = frr_sessions(tor)[peer]
        # Of two connections that were opened at once FRR may close the one that it counted already.
        closed = lab.node(name).log("herald-speaker").count('from=Established to=Idle reason="closed by peer"')
        opened = count - sessions[peer][1] - killer.kills[name]
        assert state == "Established" and 0 <= opened <= closed, f"seed {seed}: {name}: {opened} more, {closed} closed"
    check_what_the_tor_saw(log.read_text()[told:], at_start, books, killer, seed)


def withdraw_all_and_return(lab: Lab, rest: Rest, held: set[str]) -> None:
    """More withdraws at once than one message holds, and none of the sessions minds."""
    tor = lab.node("tor")
    rest.delete(f"{HERALD}/bgpadvertisements/churn")
    poll(lambda: not tor_table(tor), 10, what="everything withdrawn")
    rest.create(f"{HERALD}/bgpadvertisements", "BGPAdvertisement", "churn", {"ipAddressPools": ["churn"]})
    everywhere = {address: set(NODES) for address in held}
    poll(lambda: tor_table(tor) == everywhere, 10, what="everything announced again")


def agrees(lab: Lab, churn: Churn) -> bool:
    """The API has what was acknowledged, the ToR and the nodes have what the API has."""
    services = churn.look()
    assert {service["metadata"]["name"]: service["metadata"]["labels"] for service in services} == churn.present
    assert all(addresses(service) for service in services)
    held = {address for service in services for address in addresses(service)}
    table = tor_table(lab.node("tor"))
    assert table.keys() == held, f"the ToR has {len(table)} addresses and the API {len(held)}"
    assert all(nodes == set(NODES) for nodes in table.values()), "all three nodes announce every address"
    for name in NODES:
        assert bound(lab.node(name)) == held, name
    return True


def check_what_the_tor_saw(log: str, at_start: set[str], books: Books, killer: Killer, seed: int) -> None:
    announced, withdrawn = received(log, POOL)
    assert announced and withdrawn, "FRR's log was read"
    for address, withdraws in withdrawn.items():
        first = min(moment for moment, _ in withdraws)
        # The log has whole milliseconds.
        cause = books.first_delete.get(address, float("inf")) <= first + 0.001
        assert cause, f"seed {seed}: {address} was withdrawn though nobody had deleted its service"
        for peer, count in Counter(peer for _, peer in withdraws).items():
            assert count <= books.deletes[address], f"seed {seed}: {PEERS[peer]} withdrew {address} {count} times"
    for address, by_peer in announced.items():
        for peer, count in by_peer.items():
            # Once for each service that came to have it, and again in each session that a kill made necessary.
            most = int(address not in at_start) + books.deletes[address] + killer.kills[PEERS[peer]]
            if count > most:
                told = [line for line in log.splitlines() if f" {address}/" in line and f" {peer}(" in line]
                pytest.fail(f"seed {seed}: {PEERS[peer]} announced {address} more than {most} times: {told}")


def test_routes_that_went_while_a_speaker_was_dead_leave_its_kernel_and_only_they(lab: Lab) -> None:
    node, tor = lab.node("n1"), lab.node("tor")
    gone = LEARNED[4][7]
    with watched(lab) as changes:
        node.kill("herald-speaker")
        vtysh(tor, "router bgp 65001", "address-family ipv4 unicast", f"no network {gone}")
        try:
            assert gone in kernel_routes(node, 4, "proto", "201"), "nobody is there to remove it"
            node.start("herald-speaker")
            poll(lambda: established(node, "tor-n1"), 30, what="established again")
            poll(lambda: gone not in kernel_routes(node, 4, "proto", "201"), 20, what=f"{gone} removed")
            seen = poll(lambda: [line for line in changes() if line.startswith("n1")], 5, what="the removal told")
            assert len(seen) == 1 and gone in seen[0] and "Deleted" in seen[0], seen
        finally:
            vtysh(tor, "router bgp 65001", "address-family ipv4 unicast", f"network {gone}")
    for name in NODES:
        poll(lambda: has_learned(lab.node(name)), 10, what=f"{gone} back at {name}")
    poll(lambda: all(nodes == set(NODES) for nodes in tor_table(tor).values()), 20, what="n1 has told all again")


def test_a_minute_without_the_api_changes_nothing(lab: Lab) -> None:
    """Many times the heartbeat and the hold time: what was announced and answered for stays, packets go on."""
    api, tor, client = lab.node("api"), lab.node("tor"), lab.node("client")
    api.run(["heraldctl", "--token-file", "/etc/herald/token", "apply", "-f", "/etc/herald/service.yaml"])
    services = harness.Api(lab)
    web = poll(lambda: services.addresses("web"), 10, what="web has addresses")
    printer = poll(lambda: services.addresses("printer"), 10, what="printer has addresses")
    for family, address in web.items():
        paths = functools.partial(harness.frr_paths, tor, f"{address}/{32 if family == 4 else 128}")
        poll(lambda: len(paths()) == len(NODES), 15, what=f"{address} announced by all nodes")
    reached = [*web.values(), *printer.values()]
    for address in reached:
        poll(lambda: harness.fetch(client, address), 15, what=f"{address} reached")

    def answered_by() -> dict[str, str]:
        found = harness.answering(lab, "eth2", printer.values(), NODES)
        assert all(found.values()), found
        return found

    on_lan = poll(answered_by, 15, what="one node answers for each address")
    before = frr_sessions(tor), tor_table(tor), {name: bound(lab.node(name)) for name in NODES}
    log = tor.path("/tmp/bgpd.log")
    told = len(log.read_text())
    with watched(lab) as flaps:
        api.stop("herald-controller")
        try:
            harness.holds(lambda: all(harness.fetch(client, address) for address in reached), 60, what="all reached")
            assert answered_by() == on_lan, "the same nodes answer"
        finally:
            api.start("herald-controller")
        poll(lambda: services.addresses("web") == web, 15, what="the API is back")
        harness.holds(lambda: all(harness.fetch(client, address) for address in reached), 5, what="still reached")
        assert answered_by() == on_lan
        assert flaps() == []
    assert (frr_sessions(tor), tor_table(tor), {name: bound(lab.node(name)) for name in NODES}) == before
    updates = [line for line in log.read_text()[told:].splitlines() if " rcvd " in line]
    assert updates == [], "nobody told the ToR anything"
