# SPDX-License-Identifier: Apache-2.0
"""Who answers for an address, by every rule that resources can state (deploy/containerlab/lan; map in test_lan.py).

Rules are tried on a pool of their own with advertisements of their own: 192.168.50.100-119 and fd00:50::100-::113."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import pytest

from integration import harness, rules
from integration.harness import ctl, endpoints, fetch, holds, mac_of, owners, poll
from integration.rest import HERALD, SERVICES, SLICES, Rest, addresses, condition
from integration.rules import NODES, by_name, given, label, made, numbers, served
from tools.lab import Lab

advertised = functools.partial(rules.advertised, "L2Advertisement")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with harness.running("lan") as lab:
        rest = Rest(lab.node("api"))
        spec = {"addresses": ["192.168.50.100-192.168.50.119", "fd00:50::100-fd00:50::113"], "autoAssign": False}
        rest.create(f"{HERALD}/ipaddresspools", "IPAddressPool", "rules", {**spec, "quarantine": "0s"})
        for number in range(10):
            poll(lambda: len(harness.Api(lab).addresses(f"web{number}")) == 2, 30, what=f"web{number} has addresses")
        for name in NODES:
            poll(lambda: rest.get(f"{HERALD}/speakerstates/{name}"), 30, what=f"{name} reports")
        yield lab


def answering(lab: Lab, wanted: list[str]) -> dict[str, str]:
    """address -> the node that answers for it; the empty string for nobody. Never two."""
    return harness.answering(lab, "eth1", wanted, NODES)


def answered_by(lab: Lab, wanted: list[str], *nodes: str) -> bool:
    """Each address is answered by one of the nodes; without nodes, by nobody."""
    found = answering(lab, wanted)
    assert set(found.values()) <= (set(nodes) or {""}), found
    return True


def reached_at_owners(lab: Lab, wanted: list[str]) -> dict[str, str]:
    """As answering(), once every address is answered, and the client is served by who answers."""

    def served_by_owners() -> dict[str, str]:
        found = answering(lab, wanted)
        assert {address: fetch(lab.node("client"), address) for address in found} == found
        return found

    return poll(served_by_owners, 10, what=f"{wanted} served by who answers")


def settles_on(lab: Lab, wanted: list[str], *nodes: str) -> None:
    poll(lambda: answered_by(lab, wanted, *nodes), 10, what=f"{wanted} answered by {nodes or 'nobody'}")


def test_cluster_policy_answers_and_says_who(lab: Lab, rest: Rest) -> None:
    with advertised(rest), served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, *NODES)
        for address, node in reached_at_owners(lab, wanted).items():
            poll(lambda: address in rest.get(f"{HERALD}/speakerstates/{node}")["spec"]["owned"], 5, what="published")
            name = service.rpartition("/")[2]
            explain = ctl(lab.node("n1"), "explain", "service", name)
            poll(lambda: f"{node}" in lab.node("n1").run(explain).stdout, 5, what=f"n1 says that {node} answers")


def test_local_policy_is_answered_only_where_endpoints_are_and_follows_them(lab: Lab, rest: Rest) -> None:
    only = {"n1": False, "n2": True, "n3": False}
    with advertised(rest), served(rest, only, externalTrafficPolicy="Local") as service:
        wanted, name = given(rest, service), service.rpartition("/")[2]
        settles_on(lab, wanted, "n2")
        for ready in ({"n1": False, "n2": False, "n3": True}, {"n1": True, "n2": False, "n3": False}):
            for slice in endpoints(name, ready):
                rest.patch(f"{SLICES}/{slice['metadata']['name']}", {"endpoints": slice["endpoints"]})
            settles_on(lab, wanted, next(node for node, is_ready in ready.items() if is_ready))
        for slice in endpoints(name, dict.fromkeys(NODES, False)):
            rest.patch(f"{SLICES}/{slice['metadata']['name']}", {"endpoints": slice["endpoints"]})
        settles_on(lab, wanted)


ECHO = """
import socket, sys
served = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
served.bind((sys.argv[1], 80))
while True:
    data, sender = served.recvfrom(100)
    served.sendto(data, sender)
"""
ASK = """
import socket, sys
asking = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(2)
asking.connect((sys.argv[1], 80))
asking.send(b"echo")
print(asking.recv(100).decode())
"""


def test_tcp_and_udp_ports_of_one_service_share_its_address(lab: Lab, rest: Rest) -> None:
    ports = [{"name": "web", "port": 80}, {"name": "echo", "port": 80, "protocol": "UDP"}]
    with advertised(rest), served(rest, ports=ports) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, *NODES)
        for address, node in reached_at_owners(lab, wanted).items():
            echo = lab.node(node).popen(["python3", "-c", ECHO, address])
            try:
                client = lab.node("client")
                poll(lambda: "echo" in client.run(["python3", "-c", ASK, address]).stdout, 5, what="an echo by UDP")
            finally:
                echo.kill()


def test_a_node_without_network_answers_for_nothing(lab: Lab, rest: Rest) -> None:
    every = [address for number in range(10) for address in harness.Api(lab).addresses(f"web{number}").values()]
    down = {"type": "NetworkUnavailable", "status": "True"}
    rest.patch("/api/v1/nodes/n1/status", {"status": {"conditions": [down]}})
    try:
        settles_on(lab, every, "n2", "n3")
    finally:
        rest.patch("/api/v1/nodes/n1/status", {"status": {"conditions": []}})
    poll(lambda: set(answering(lab, every).values()) == set(NODES), 10, what="n1 takes its share again")


def test_a_node_excluded_by_label_answers_for_nothing(lab: Lab, rest: Rest) -> None:
    every = [address for number in range(10) for address in harness.Api(lab).addresses(f"web{number}").values()]
    label(rest, "n2", "node.kubernetes.io/exclude-from-external-load-balancers", "")
    try:
        settles_on(lab, every, "n1", "n3")
    finally:
        label(rest, "n2", "node.kubernetes.io/exclude-from-external-load-balancers", None)
    poll(lambda: set(answering(lab, every).values()) == set(NODES), 10, what="n2 takes its share again")


@pytest.mark.parametrize("ranges", [["192.168.50.120/31", "fd00:50::120/127"], ["192.168.50.122-192.168.50.123"]])
def test_pools_may_be_prefixes_or_ranges(lab: Lab, rest: Rest, ranges: list[str]) -> None:
    name = f"pool{next(numbers)}"
    with made(rest, f"{HERALD}/ipaddresspools", "IPAddressPool", name, {"addresses": ranges, "autoAssign": False}):
        policy = "RequireDualStack" if len(ranges) == 2 else "SingleStack"
        annotations = {"herald.dev/address-pool": name}
        asks = served(rest, annotations=annotations, ipFamilyPolicy=policy)
        with advertised(rest, ipAddressPools=[name]), asks as it:
            wanted = given(rest, it)
            assert wanted[0] == ranges[0].partition("-")[0].partition("/")[0]
            settles_on(lab, wanted, *NODES)
            noted = lambda: rest.get(it)["metadata"]["annotations"]["metallb.io/ip-allocated-from-pool"]  # noqa: E731
            poll(lambda: noted() == name, 5, what="the pool noted on the service")


def test_services_that_share_an_address_have_one_owner(lab: Lab, rest: Rest) -> None:
    key = {"metallb.io/allow-shared-ip": "together"}
    with advertised(rest), contextlib.ExitStack() as stack:
        wanted = [
            given(rest, stack.enter_context(served(rest, annotations=key, ports=[{"port": port}])))
            for port in (80, 81, 82)
        ]
        assert wanted[0] == wanted[1] == wanted[2] and len(wanted[0]) == 2
        settles_on(lab, wanted[0], *NODES)
        holds(lambda: answered_by(lab, wanted[0], *NODES), 3, what="one owner")


def test_shared_addresses_and_service_selectors_go_together(lab: Lab, rest: Rest) -> None:
    """One of the two is selected: the address is answered for, by the nodes of its advertisement."""
    key = {"metallb.io/allow-shared-ip": "mixed"}
    selector = [{"matchLabels": {"rule": "selected"}}]
    with advertised(rest, serviceSelectors=selector, nodeSelectors=by_name("n2")), contextlib.ExitStack() as stack:
        first = stack.enter_context(served(rest, annotations=key, labels={"rule": "selected"}, ports=[{"port": 80}]))
        second = stack.enter_context(served(rest, annotations=key, ports=[{"port": 81}]))
        assert given(rest, first) == given(rest, second)
        settles_on(lab, given(rest, first), "n2")


def metrics(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_metrics_count_questions_answers_and_announcements(lab: Lab, rest: Rest) -> None:
    node = lab.node("n3")
    before = metrics(node.run("curl -s http://127.0.0.1:7473/metrics").stdout)
    with advertised(rest, nodeSelectors=by_name("n3")), served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, "n3")

        def counted() -> bool:
            after = metrics(node.run("curl -s http://127.0.0.1:7473/metrics").stdout)
            for protocol in ("arp", "ndp"):
                for what in ("requests", "replies", "announcements"):
                    name = f'herald_layer2_{what}_total{{protocol="{protocol}"}}'
                    assert after[name] > before.get(name, 0), name
            return after["herald_layer2_addresses"] >= 2

        poll(counted, 5, what="n3 counts what it does")

    def pools_counted() -> bool:
        pools = metrics(rest.text("/metrics"))
        assert pools['herald_pool_addresses{family="ipv4",pool="rules"}'] == 20
        assert pools['herald_pool_assigned_addresses{family="ipv4",pool="lan"}'] == 10
        assert pools['herald_pool_assigned_addresses{family="ipv6",pool="lan"}'] == 10
        assert pools['herald_pool_services{pool="lan"}'] == 10
        return pools["herald_services_waiting"] == 0

    poll(pools_counted, 5, what="the controller counts what services have")


def test_a_pool_without_auto_assign_serves_only_those_who_name_it(lab: Lab, rest: Rest) -> None:
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    with advertised(rest):
        with made(rest, SERVICES, "Service", f"rule-{next(numbers)}", spec) as service:
            assert given(rest, service)[0].startswith("192.168.50.2"), "of the lab's pool"
        with served(rest, ipFamilyPolicy="SingleStack", ipFamilies=["IPv6"]) as service:
            assert given(rest, service)[0].startswith("fd00:50::1")
        exactly = {"metallb.io/loadBalancerIPs": "192.168.50.111,fd00:50::111"}
        with served(rest, annotations=exactly) as service:
            assert given(rest, service) == ["192.168.50.111", "fd00:50::111"]
            settles_on(lab, given(rest, service), *NODES)


def test_node_selectors_of_one_several_and_a_label_that_comes_later(lab: Lab, rest: Rest) -> None:
    with served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted)
        with advertised(rest, nodeSelectors=by_name("n2")) as path:
            settles_on(lab, wanted, "n2")
            rest.patch(path, {"spec": {"nodeSelectors": by_name("n1", "n3")}})
            settles_on(lab, wanted, "n1", "n3")
            rest.patch(path, {"spec": {"nodeSelectors": [{"matchLabels": {"edge": "yes"}}]}})
            settles_on(lab, wanted)
            label(rest, "n3", "edge", "yes")
            try:
                settles_on(lab, wanted, "n3")
            finally:
                label(rest, "n3", "edge", None)
            settles_on(lab, wanted)


def test_interfaces_decide_and_one_that_no_node_has_silences(lab: Lab, rest: Rest) -> None:
    """A second interface on n2 alone, on the same segment: only n2 may own what is bound to it."""
    lab.node("n2").run("ip link add eth7 link eth1 type macvlan mode bridge")
    lab.node("n2").run("ip link set eth7 up")
    lab.node("n2").run("ip addr add 192.168.50.72/24 dev eth7")
    lab.node("n2").run("ip addr add fd00:50::72/64 dev eth7")
    try:
        with advertised(rest, interfaces=["eth7"]) as path, served(rest) as service:
            wanted = given(rest, service)
            second = mac_of(lab.node("n2"), "eth7")
            of_eth7 = {address: {second} for address in wanted}
            poll(lambda: owners(lab.node("client"), "eth1", wanted) == of_eth7, 10, what="answered by eth7 alone")
            rest.patch(path, {"spec": {"interfaces": ["eth1"]}})
            settles_on(lab, wanted, *NODES)
            rest.patch(path, {"spec": {"interfaces": ["eth9"]}})
            settles_on(lab, wanted)
            name = service.rpartition("/")[2]
            explain = ctl(lab.node("n1"), "explain", "service", name)
            poll(lambda: "interface" in lab.node("n1").run(explain).stdout, 5, what="n1 says what stops it")
            with advertised(rest, interfaces=["eth1"], nodeSelectors=by_name("n3")):
                settles_on(lab, wanted, "n3")
    finally:
        lab.node("n2").run("ip link del eth7")


def preferred(*pairs: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"weight": weight, "preference": by_name(node)[0]} for weight, node in pairs]


def test_preferred_nodes_win_fall_back_and_are_summed(lab: Lab, rest: Rest) -> None:
    with advertised(rest, preferredNodeSelectors=preferred((10, "n1"), (5, "n3"))) as path, served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, "n1")
        label(rest, "n1", "node.kubernetes.io/exclude-from-external-load-balancers", "")
        try:
            settles_on(lab, wanted, "n3")
        finally:
            label(rest, "n1", "node.kubernetes.io/exclude-from-external-load-balancers", None)
        settles_on(lab, wanted, "n1")
        with advertised(rest, preferredNodeSelectors=preferred((6, "n3"))):
            settles_on(lab, wanted, "n3")  # 5 + 6 of two advertisements
        settles_on(lab, wanted, "n1")
        rest.patch(path, {"spec": {"nodeSelectors": by_name("n2", "n3")}})
        settles_on(lab, wanted, "n3")  # the selector excludes the one preferred most
        rest.patch(path, {"spec": {"preferredNodeSelectors": preferred((1, "n2"))}})
        settles_on(lab, wanted, "n2")


def test_a_preferred_node_that_dies_is_replaced_and_takes_back_what_it_is_preferred_for(lab: Lab, rest: Rest) -> None:
    with advertised(rest, preferredNodeSelectors=preferred((10, "n2"))), served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, "n2")
        lab.node("n2").kill("herald-speaker")
        try:
            settles_on(lab, wanted, "n1", "n3")
        finally:
            lab.node("n2").start("herald-speaker")
        settles_on(lab, wanted, "n2")


def test_service_selectors_choose_services_and_any_of_them_suffices(lab: Lab, rest: Rest) -> None:
    team = {"key": "team", "operator": "In", "values": ["a"]}
    selectors = [{"matchLabels": {"tier": "web"}}, {"matchExpressions": [team]}]
    with advertised(rest, serviceSelectors=selectors, nodeSelectors=by_name("n1")), contextlib.ExitStack() as stack:
        by_label = stack.enter_context(served(rest, labels={"tier": "web"}))
        by_expression = stack.enter_context(served(rest, labels={"team": "a"}))
        unselected = stack.enter_context(served(rest, labels={"tier": "db"}))
        settles_on(lab, given(rest, by_label), "n1")
        settles_on(lab, given(rest, by_expression), "n1")
        settles_on(lab, given(rest, unselected))
        rest.patch(unselected, {"metadata": {"labels": {"team": "a"}}})
        settles_on(lab, given(rest, unselected), "n1")


def test_a_service_of_another_class_is_left_alone(lab: Lab, rest: Rest) -> None:
    with advertised(rest), served(rest, loadBalancerClass="example.com/other") as other, served(rest) as ours:
        given(rest, ours)  # whoever comes later has been looked at
        assert addresses(rest.get(other)) == [] and condition(rest.get(other), "herald.dev/Assigned") == {}
