# SPDX-License-Identifier: Apache-2.0
"""Calico's own objects, applied as they are: Herald between FRR and BIRD as in between.py.

One test applies a file of Calico's where the third-party test data lies."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration import harness
from integration.between import COMMON, OTHER, bird, bird_attributes, frr, reload, running, sessions, topology
from integration.harness import established, herald_best, poll, watched_routes
from tools.lab import Node

NEAR, FAR = "198.51.100.0/24", "198.51.101.0/24"
SAMPLE = Path(os.environ.get("HERALD_TEST_DATA") or "/nowhere") / "calico/samples"


def metrics(node: Node) -> dict[str, list[int]]:
    """prefix -> the metrics of Herald's routes in the kernel; more than one for a moment only."""
    found: dict[str, list[int]] = {}
    for route in node.json(["ip", "-N", "-json", "route", "show", "proto", "201"]):
        found.setdefault(route["dst"], []).append(route.get("metric", 0))
    return found


def calico(kind: str, name: str, **spec: Any) -> str:
    return yaml.safe_dump({"apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": {"name": name},
                           "spec": spec})


def objects(priority: int) -> str:
    edge = {
        "importV4": [
            {"action": "Accept", "asPathPrefix": [65001, 65100], "operations": [{"setPriority": {"value": priority}}]},
            {"action": "Reject", "interface": "eth2", "cidr": COMMON, "matchOperator": "Equal"},
            {"action": "Accept", "interface": "eth*"},
            {"action": "Reject"},
        ],
        "exportV4": [
            {"action": "Accept", "priority": 512, "operations": [{"addCommunity": {"value": "65000:512"}}]},
            {"action": "Accept", "source": "RemotePeers", "interface": "*"},
        ],
    }
    return "---\n".join([
        calico("BGPConfiguration", "default", nodeToNodeMeshEnabled=False, asNumber=65000),
        calico("BGPFilter", "edge", **edge),
        calico("BGPPeer", "frr", peerIP="10.0.1.1", asNumber=65001, filters=["edge"]),
        calico("BGPPeer", "bird", peerIP="10.0.2.1", asNumber=65002, filters=["edge"]),
    ])


def test_filters_know_links_and_give_priorities_that_the_kernel_has(tmp_path) -> None:
    far = "route-map far permit 10\n set as-path prepend 65001 65100\nexit"
    files = frr(65001, 65000, {NEAR: "", FAR: "far"}, global_lines=far)
    with running(tmp_path, objects(512), files, bird(65002, 65000, {COMMON: "", OTHER: ""})) as lab:
        node = lab.node("herald")
        poll(lambda: established(node, "frr", "bird"), 30)

        def has(own: dict[str, int], community: bool) -> bool:
            """Metrics of FRR's routes; and whether BIRD sees the community on the one with a priority."""
            expected = {NEAR: [1024], OTHER: [1024]} | {prefix: [metric] for prefix, metric in own.items()}
            assert metrics(node) == expected, "COMMON came over eth2"
            told = {prefix: one.get("community", "") for prefix, one in bird_attributes(lab.node("bird")).items()}
            assert told == {NEAR: "", FAR: "(65000,512)" if community else ""}, told
            return True

        # FRR prepends its own number once more: 65001 65001 65100 is another beginning.
        poll(lambda: has({FAR: 1024}, False), 15, what="no priority: the path begins otherwise")
        harness.configure_frr(lab.node("frr"), "route-map far permit 10", "set as-path prepend 65100")
        poll(lambda: has({FAR: 512}, True), 15, what="the priority as metric, and the community of its rule")
        assert herald_best(node)[FAR]["kernelMetric"] == 512
        explained = node.run(harness.ctl(node, "explain", "route", COMMON)).stdout
        assert f"{COMMON} is not in the table" in explained, explained
        assert re.search(r"bird: [1-9]\d* announcements so far; keepRejected: true in BGPPeer/bird", explained), explained

        before = sessions(lab)
        with watched_routes(node, "-4") as changes:
            reload(lab, tmp_path, objects(100))
            poll(lambda: has({FAR: 100}, False), 15, what="the other priority")
            seen = [line for line in changes() if FAR in line]
        assert [line.startswith("Deleted") for line in seen] == [False, True], "the new route before the old one goes"
        assert "metric 100" in seen[0] and "metric 512" in seen[1], seen
        assert sessions(lab) == before

        # The link that leads to FRR gets a name that no rule knows.
        node.run("ip link set eth1 down")
        node.run("ip link set eth1 name wan1")
        node.run("ip link set wan1 up")
        poll(lambda: established(node, "frr", "bird"), 60, what="FRR again, over wan1")
        poll(lambda: metrics(node) == {FAR: [100], OTHER: [1024]}, 15, what="only what no link is asked of")


def test_a_file_of_calicos_is_applied_as_it_is(tmp_path) -> None:
    sample = SAMPLE / "calicoctl_bgpfilter_as_path_and_priority.yaml"
    if not sample.exists():
        pytest.skip("no third-party test data")
    plain, one, two = "10.55.0.0/24", "10.56.0.0/24", "10.57.0.0/24"
    frr_conf = f"""
frr defaults datacenter
route-map one permit 10
 set as-path prepend 65000
exit
route-map two permit 10
 set as-path prepend 65002 65000
exit
router bgp 64512
 bgp router-id 10.192.0.3
 no bgp network import-check
 neighbor 10.192.0.2 remote-as 64512
 neighbor 10.192.0.2 timers connect 1
 address-family ipv4 unicast
  network {plain}
  network {one} route-map one
  network {two} route-map two
 exit-address-family
"""
    path = topology(tmp_path, {"herald": {"/etc/herald/router.yaml": sample.read_text()},
                               "frr": {"/etc/frr/frr.conf": frr_conf, "/etc/frr/daemons": "bgpd=yes\n"},
                               "bird": bird(64512, 64512, {})})
    lab_file = yaml.safe_load(path.read_text())
    nodes = lab_file["topology"]["nodes"]
    nodes["herald"]["cmd"] = nodes["herald"]["cmd"].replace("--node herald", "--node kube-master")
    nodes["herald"]["exec"].append("ip addr add 10.192.0.2/16 dev eth1")
    nodes["frr"]["exec"].append("ip addr add 10.192.0.3/16 dev eth1")
    path.write_text(yaml.safe_dump(lab_file))
    with harness.running(path) as lab:
        node = lab.node("herald")
        poll(lambda: established(node, "test-global-peer-with-filter/kube-node-1"), 30, what="the node it selects")
        expected = {plain: [1024], one: [100], two: [1024]}
        poll(lambda: metrics(node) == expected, 15, what="priorities by the beginning of the path")
