# SPDX-License-Identifier: Apache-2.0
"""What the ToR hears, by every rule that resources can state (deploy/containerlab/demo; the map is in test_demo.py).

Rules are tried on a pool of their own, 198.18.0.0/24 and 2001:db8:c::/120, with advertisements of their own."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import pytest

from integration import harness, rules
from integration.harness import ctl, endpoints, established, frr_sessions, holds, owners, poll
from integration.rest import HERALD, SLICES, Rest, addresses
from integration.rules import NODES, by_name, given, label, made, served
from tools.lab import Lab

PEERS = {"10.0.1.2": "n1", "10.0.2.2": "n2", "10.0.3.2": "n3"}
advertised = functools.partial(rules.advertised, "BGPAdvertisement")
Paths = dict[str, dict[str, Any]]  # node -> what FRR shows of its path


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with harness.running("demo") as lab:
        lines = ["ip prefix-list services seq 10 permit 198.18.0.0/24 le 32"]
        lines += ["ip prefix-list services seq 11 permit 192.168.50.0/24 le 32"]
        lines += ["ipv6 prefix-list services seq 10 permit 2001:db8:c::/120 le 128"]
        lab.node("tor").run(["vtysh"], input="\n".join(["configure terminal", *lines, "end"]) + "\n")
        rest = Rest(lab.node("api"))
        spec = {"addresses": ["198.18.0.0/24", "2001:db8:c::/120"], "autoAssign": False, "quarantine": "0s"}
        rest.create(f"{HERALD}/ipaddresspools", "IPAddressPool", "rules", spec)
        for name in NODES:
            poll(lambda: established(lab.node(name), f"tor-{name}"), 30, what=f"{name} established with the ToR")
        states = lambda: {state for state, _ in frr_sessions(lab.node("tor")).values()}  # noqa: E731
        poll(lambda: states() == {"Established"}, 10, what="the ToR established with all nodes")
        yield lab


def heard(lab: Lab, prefix: str) -> Paths:
    """The paths of a prefix at the ToR, best or not."""
    family = "ipv6" if ":" in prefix else "ipv4"
    answer = lab.node("tor").json(["vtysh", "-c", f"show bgp {family} unicast {prefix} json"])
    return {PEERS[path["peer"]["peerId"]]: path for path in answer.get("paths", [])}


def host(address: str) -> str:
    return f"{address}/{128 if ':' in address else 32}"


def heard_from(lab: Lab, wanted: list[str], *nodes: str) -> bool:
    for address in wanted:
        found = heard(lab, host(address)).keys()
        assert found == set(nodes), f"{address} is announced by {sorted(found)}"
    return True


def settles_on(lab: Lab, wanted: list[str], *nodes: str, within: float = 5) -> None:
    poll(lambda: heard_from(lab, wanted, *nodes), within, what=f"{wanted} announced by {nodes or 'nobody'}")


def carries(lab: Lab, prefix: str, **attributes: Any) -> bool:
    """All three nodes announce the prefix, with these attributes as FRR shows them."""
    paths = heard(lab, prefix)
    assert paths.keys() == set(NODES), f"{prefix}: {sorted(paths)}"
    for node, path in paths.items():
        shown = {
            "communities": set(path.get("community", {}).get("string", "").split()),
            "large": set(path.get("largeCommunity", {}).get("string", "").split()),
            "med": path.get("metric") or 0,
            "path": path["aspath"]["string"],
        }
        wrong = {name: shown[name] for name, value in attributes.items() if shown[name] != value}
        assert not wrong, f"{prefix} from {node}: {wrong}"
    return True


def test_local_policy_makes_next_hops_of_the_nodes_with_endpoints_and_follows_them(lab: Lab, rest: Rest) -> None:
    ready = {"n1": True, "n2": False, "n3": False}
    with advertised(rest), served(rest, ready, externalTrafficPolicy="Local") as service:
        wanted, name = given(rest, service), service.rpartition("/")[2]
        settles_on(lab, wanted, "n1")
        for nodes in (("n2", "n3"), (), ("n1", "n2", "n3")):
            for slice in endpoints(name, {node: node in nodes for node in NODES}):
                rest.patch(f"{SLICES}/{slice['metadata']['name']}", {"endpoints": slice["endpoints"]})
            settles_on(lab, wanted, *nodes)


def test_cluster_policy_needs_one_endpoint_anywhere(lab: Lab, rest: Rest) -> None:
    with advertised(rest), served(rest, {"n2": True}) as service:
        wanted, name = given(rest, service), service.rpartition("/")[2]
        settles_on(lab, wanted, *NODES)
        for slice in endpoints(name, {"n2": False}):
            rest.patch(f"{SLICES}/{slice['metadata']['name']}", {"endpoints": slice["endpoints"]})
        settles_on(lab, wanted)


def test_a_shared_address_is_announced_until_the_last_service_on_it_goes(lab: Lab, rest: Rest) -> None:
    key = {"metallb.io/allow-shared-ip": "together"}
    with advertised(rest), served(rest, annotations=key, ports=[{"port": 80}]) as first:
        wanted = given(rest, first)
        with served(rest, annotations=key, ports=[{"port": 81}]) as second:
            assert given(rest, second) == wanted
            settles_on(lab, wanted, *NODES)
        holds(lambda: heard_from(lab, wanted, *NODES), 1, what="announced for the one that is left")
    settles_on(lab, wanted)


def test_nodes_without_network_or_excluded_by_label_withdraw(lab: Lab, rest: Rest) -> None:
    with advertised(rest), served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, *NODES)
        down = {"type": "NetworkUnavailable", "status": "True"}
        rest.patch("/api/v1/nodes/n1/status", {"status": {"conditions": [down]}})
        try:
            settles_on(lab, wanted, "n2", "n3")
            label(rest, "n3", "node.kubernetes.io/exclude-from-external-load-balancers", "")
            settles_on(lab, wanted, "n2")
        finally:
            rest.patch("/api/v1/nodes/n1/status", {"status": {"conditions": []}})
            label(rest, "n3", "node.kubernetes.io/exclude-from-external-load-balancers", None)
        settles_on(lab, wanted, *NODES)


def test_attributes_are_as_advertised_and_change_while_the_sessions_stay(lab: Lab, rest: Rest) -> None:
    sessions = frr_sessions(lab.node("tor"))
    aliases = {"communities": [{"name": "blue", "value": "65000:7"}]}
    with made(rest, f"{HERALD}/communities", "Community", "aliases", aliases):
        given_ = {"communities": ["65000:1", "large:65000:2:3", "blue"], "med": 30, "localPref": 500}
        with advertised(rest, **given_) as path, served(rest) as service:
            four, six = (host(address) for address in given(rest, service))
            for prefix in (four, six):
                first = {"communities": {"65000:1", "65000:7"}, "large": {"65000:2:3"}, "med": 30, "path": "65000"}
                poll(lambda: carries(lab, prefix, **first), 5, what="the attributes of the advertisement")
            rest.patch(path, {"spec": {"communities": ["65000:9"], "med": None, "prepend": 2}})
            for prefix in (four, six):
                changed = {"communities": {"65000:9"}, "large": set(), "med": 0, "path": "65000 65000 65000"}
                poll(lambda: carries(lab, prefix, **changed), 5, what="the new attributes")
            rest.patch(path, {"spec": {"aggregationLength": 24, "aggregationLengthV6": 120}})
            for prefix in ("198.18.0.0/24", "2001:db8:c::/120"):
                poll(lambda: carries(lab, prefix, communities={"65000:9"}), 5, what=f"{prefix} announced")
            settles_on(lab, given(rest, service))
        for prefix in ("198.18.0.0/24", "2001:db8:c::/120"):
            poll(lambda: not heard(lab, prefix), 5, what=f"the aggregate {prefix} gone with its last service")
    assert frr_sessions(lab.node("tor")) == sessions


def test_overlapping_advertisements_are_united(lab: Lab, rest: Rest) -> None:
    with served(rest) as service, advertised(rest, communities=["65000:1", "65000:2"]):
        prefix = host(given(rest, service)[0])
        poll(lambda: carries(lab, prefix, communities={"65000:1", "65000:2"}), 5)
        with advertised(rest, communities=["65000:2", "large:65000:1:1"]):
            poll(lambda: carries(lab, prefix, communities={"65000:1", "65000:2"}, large={"65000:1:1"}), 5)
        poll(lambda: carries(lab, prefix, communities={"65000:1", "65000:2"}, large=set()), 5)


def test_advertisements_go_to_the_peers_that_they_name_with_attributes_of_their_own(lab: Lab, rest: Rest) -> None:
    to_first = advertised(rest, peers=["tor-n1"], communities=["65000:1"])
    with served(rest) as service, to_first:
        wanted = given(rest, service)
        settles_on(lab, wanted, "n1")
        with advertised(rest, peers=["tor-n2"], communities=["65000:2"]) as second:
            settles_on(lab, wanted, "n1", "n2")

            def marked() -> bool:
                for address in wanted:
                    paths = heard(lab, host(address))
                    assert {node: path["community"]["string"] for node, path in paths.items()} == {
                        "n1": "65000:1",
                        "n2": "65000:2",
                    }
                return True

            poll(marked, 5, what="the community of each advertisement")
            rest.patch(second, {"spec": {"peers": ["tor-n3"]}})
            settles_on(lab, wanted, "n1", "n3")


def test_node_selectors_follow_labels_and_edits(lab: Lab, rest: Rest) -> None:
    with served(rest) as service, advertised(rest, nodeSelectors=by_name("n2")) as path:
        wanted = given(rest, service)
        settles_on(lab, wanted, "n2")
        rest.patch(path, {"spec": {"nodeSelectors": [{"matchLabels": {"edge": "yes"}}, *by_name("n1")]}})
        settles_on(lab, wanted, "n1")
        label(rest, "n3", "edge", "yes")
        try:
            settles_on(lab, wanted, "n1", "n3")
        finally:
            label(rest, "n3", "edge", None)
        settles_on(lab, wanted, "n1")
        with served(rest, annotations={"metallb.io/address-pool": "routed"}, labels={"reach": "routed"}) as other:
            settles_on(lab, given(rest, other), *NODES)
            rest.patch(path, {"spec": {"nodeSelectors": by_name("n3")}})
            settles_on(lab, wanted, "n3")
            settles_on(lab, given(rest, other), *NODES)


def test_service_selectors_follow_labels_and_edits(lab: Lab, rest: Rest) -> None:
    web, db = [{"matchLabels": {"tier": "web"}}], [{"matchLabels": {"tier": "db"}}]
    with served(rest, labels={"tier": "web"}) as one, served(rest, labels={"tier": "db"}) as two:
        with advertised(rest, serviceSelectors=web) as path:
            settles_on(lab, given(rest, one), *NODES)
            settles_on(lab, given(rest, two))
            rest.patch(two, {"metadata": {"labels": {"tier": "web"}}})
            settles_on(lab, given(rest, two), *NODES)
            rest.patch(path, {"spec": {"serviceSelectors": db}})
            settles_on(lab, [*given(rest, one), *given(rest, two)])
            with advertised(rest, serviceSelectors=web, communities=["65000:5"]):
                for service in (one, two):
                    prefix = host(given(rest, service)[0])
                    poll(lambda: carries(lab, prefix, communities={"65000:5"}), 5)


def test_one_service_may_be_announced_and_answered_for(lab: Lab, rest: Rest) -> None:
    """An address of the LAN, by ARP from one node and by BGP from all."""
    pool = {"addresses": ["192.168.50.150/32"], "autoAssign": False, "quarantine": "0s"}
    both = {"ipAddressPools": ["both"]}
    with (
        made(rest, f"{HERALD}/ipaddresspools", "IPAddressPool", "both", pool),
        made(rest, f"{HERALD}/l2advertisements", "L2Advertisement", "both", both),
        made(rest, f"{HERALD}/bgpadvertisements", "BGPAdvertisement", "both", both),
        served(rest, pool="both", ipFamilyPolicy="SingleStack") as service,
    ):
        wanted = given(rest, service)
        settles_on(lab, wanted, *NODES)
        poll(lambda: len(owners(lab.node("client"), "eth2", wanted)[wanted[0]]) == 1, 10, what="one owner on the LAN")


def test_a_pool_that_goes_takes_its_services_along_and_no_others(lab: Lab, rest: Rest) -> None:
    """Nobody falls back to an old configuration: the rest goes on, and changes of the rest arrive."""
    pool = {"addresses": ["198.19.0.0/30"], "autoAssign": False, "quarantine": "0s"}
    allow = "ip prefix-list services seq 20 permit 198.19.0.0/30 le 32"
    lab.node("tor").run(["vtysh"], input=f"configure terminal\n{allow}\nend\n")
    brief = f"{HERALD}/ipaddresspools/brief"

    def missed() -> int:
        """How many times n1 has said that an advertisement names a pool that is not there."""
        return lab.node("n1").log("herald-speaker").count("names IPAddressPool/brief")

    rest.create(f"{HERALD}/ipaddresspools", "IPAddressPool", "brief", pool)
    with (
        advertised(rest, ipAddressPools=["rules", "brief"]),
        served(rest) as stays,
        served(rest, pool="brief", ipFamilyPolicy="SingleStack") as goes,
    ):
        wanted = given(rest, goes)
        settles_on(lab, wanted, *NODES)
        before = missed()
        rest.delete(brief)
        settles_on(lab, wanted)
        poll(lambda: missed() > before, 5, what="n1 says what is missing")
        poll(lambda: addresses(rest.get(goes)) == [], 5, what="the address taken back")
        settles_on(lab, given(rest, stays), *NODES)
        with served(rest) as fresh:
            settles_on(lab, given(rest, fresh), *NODES)
        assert missed() == before + 1, "said once, not with every change of something else"


def test_peers_that_come_and_go_one_by_one_leave_the_others_alone(lab: Lab, rest: Rest) -> None:
    tor = lab.node("tor")
    with advertised(rest), served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, *NODES)
        sessions = frr_sessions(tor)
        peer = rest.get(f"{HERALD}/bgppeers/tor-n2")
        rest.delete(f"{HERALD}/bgppeers/tor-n2")
        settles_on(lab, wanted, "n1", "n3")
        rest.create(f"{HERALD}/bgppeers", "BGPPeer", "tor-n2", peer["spec"])
        settles_on(lab, wanted, *NODES)
        after = frr_sessions(tor)
        assert {name: after[name] for name in ("10.0.1.2", "10.0.3.2")} == {
            name: sessions[name] for name in ("10.0.1.2", "10.0.3.2")
        }


def test_node_selectors_of_a_neighbour_follow_labels_and_edits(lab: Lab, rest: Rest) -> None:
    """tor-n2 is the ToR on the link of n2; the others have no way to it."""
    tor, path = lab.node("tor"), f"{HERALD}/bgppeers/tor-n2"

    def neighbours_of_n2(*wanted: str) -> bool:
        known = harness.herald_peers(lab.node("n2"))
        assert known.keys() == set(wanted), sorted(known)
        return not wanted or established(lab.node("n2"), *wanted)

    with advertised(rest), served(rest) as service:
        wanted = given(rest, service)
        settles_on(lab, wanted, *NODES)
        others = {name: entry for name, entry in frr_sessions(tor).items() if name != "10.0.2.2"}
        try:
            # One of several suffices.
            for selectors, rack, has in (
                ([{"matchLabels": {"rack": "a"}}], None, False),
                ([{"matchLabels": {"rack": "a"}}], "a", True),
                ([{"matchExpressions": [{"key": "rack", "operator": "NotIn", "values": ["a"]}]}], "a", False),
                ([{"matchLabels": {"rack": "b"}}, *by_name("n2")], "a", True),
            ):
                label(rest, "n2", "rack", rack)
                rest.patch(path, {"spec": {"nodeSelectors": [*selectors]}})
                poll(lambda: neighbours_of_n2(*(["tor-n2"] if has else [])), 20, what=f"{selectors} with {rack}: {has}")
                settles_on(lab, wanted, *(NODES if has else ("n1", "n3")), within=10)
        finally:
            label(rest, "n2", "rack", None)
            rest.patch(path, {"spec": {"nodeSelectors": by_name("n2")}})
        settles_on(lab, wanted, *NODES, within=20)
        after = frr_sessions(tor)
        assert {name: after[name] for name in others} == others, "nobody else was touched"


def test_metrics_say_what_the_tor_has(lab: Lab, rest: Rest) -> None:
    with advertised(rest, nodeSelectors=by_name("n1")), served(rest) as service:
        settles_on(lab, given(rest, service), "n1")
        tor = lab.node("tor")

        def same() -> bool:
            counted = {}
            for family in ("ipv4", "ipv6"):
                summary = tor.json(["vtysh", "-c", f"show bgp {family} unicast summary json"])["peers"]["10.0.1.2"]
                counted[family] = summary["pfxRcd"]
            shown = lab.node("n1").run("curl -s http://127.0.0.1:7473/metrics").stdout
            lines = dict(line.rsplit(" ", 1) for line in shown.splitlines() if line and not line.startswith("#"))
            for family, count in counted.items():
                of_tor = [
                    float(value)
                    for name, value in lines.items()
                    if name.startswith("herald_bgp_prefixes_advertised{") and f'family="{family}' in name
                ]
                assert of_tor == [count], f"{family}: {of_tor} advertised, the ToR has {count}"
            assert lines['herald_bgp_session_up{peer="tor-n1"}'] == "1"
            return True

        poll(same, 5, what="the same numbers at n1 and the ToR")


def test_explain_names_the_gate_for_each_rule(lab: Lab, rest: Rest) -> None:
    with advertised(rest, nodeSelectors=by_name("n2")), served(rest) as service:
        given(rest, service)
        name = service.rpartition("/")[2]

        def said(node: str) -> str:
            return lab.node(node).run(ctl(lab.node(node), "explain", "service", name)).stdout

        poll(lambda: "do not match node n1" in said("n1"), 5, what="n1 says which selector stops it")
        poll(lambda: "do not match" not in said("n2"), 5, what="n2 announces it")


@contextlib.contextmanager
def remote_as(lab: Lab, value: str) -> Iterator[None]:
    """Within, the ToR takes the nodes for members of that AS."""

    def say(value: str) -> None:
        lines = ["configure terminal", "router bgp 65001", f"neighbor nodes remote-as {value}", "end"]
        lab.node("tor").run(["vtysh"], input="\n".join(lines) + "\n")

    say(value)
    try:
        yield
    finally:
        say("65000")


def test_each_node_may_have_an_as_of_its_own(lab: Lab, rest: Rest) -> None:
    """As where every rack or server is an AS: the peers of a node say `myASN`."""
    numbers = {"n1": 65011, "n2": 65012, "n3": 4200000013}

    def paths(wanted: dict[str, int]) -> bool:
        heard_of = heard(lab, prefix)
        assert {node: path["aspath"]["string"] for node, path in heard_of.items()} == {
            node: str(asn) for node, asn in wanted.items()
        }
        return True

    def ecmp(width: int) -> bool:
        installed = lab.node("tor").json(["ip", "-json", "route", "show", prefix])
        assert [len(route.get("nexthops", [])) for route in installed] == [width], installed
        return True

    with advertised(rest), served(rest) as service:
        prefix = host(given(rest, service)[0])
        try:
            with remote_as(lab, "external"):
                for node, asn in numbers.items():
                    rest.patch(f"{HERALD}/bgppeers/tor-{node}", {"spec": {"myASN": asn}})
                poll(lambda: paths(numbers), 20, what="a path of each AS at the ToR")
                poll(lambda: ecmp(len(numbers)), 10, what="all of them in the ToR's kernel")
        finally:
            for node in NODES:
                rest.patch(f"{HERALD}/bgppeers/tor-{node}", {"spec": {"myASN": None}})
        poll(lambda: paths(dict.fromkeys(NODES, 65000)), 20, what="the AS of all nodes again")


def test_dynamic_asn_takes_peers_of_the_stated_kind_and_no_others(lab: Lab, rest: Rest) -> None:
    path = f"{HERALD}/bgppeers/tor-n1"

    def refused() -> bool:
        peer = harness.herald_peers(lab.node("n1"))["tor-n1"]
        assert peer["state"] != "Established"
        return peer.get("lastReset", {}).get("notification") == "OPEN Message Error/Bad Peer AS"

    with advertised(rest), served(rest) as service:
        wanted = given(rest, service)
        try:
            for kind, nodes in (("external", NODES), ("internal", ("n2", "n3")), ("external", NODES)):
                rest.patch(path, {"spec": {"peerASN": None, "dynamicASN": kind}})
                settles_on(lab, wanted, *nodes, within=20)
                if kind == "internal":
                    poll(refused, 10, what="the reason at n1: the ToR is of another AS")
        finally:
            rest.patch(path, {"spec": {"peerASN": 65001, "dynamicASN": None}})
        settles_on(lab, wanted, *NODES, within=20)
