# SPDX-License-Identifier: Apache-2.0
"""What an internal router and one that is a hop away get from Herald, over sessions on IPv4 and on IPv6.

    herald (65000) --eth1--10.0.1.0/24-----eth1-- frr (65000) --eth2--10.0.3.0/24-----eth1-- bird (65002)
                .254       2001:db8:1::/64  .1                .9      2001:db8:3::/64  .1

Every session carries both families. BIRD's neighbour is Herald, FRR only forwards between them.
"""

import itertools
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration import harness
from integration.between import reload, sessions
from integration.bgp_peers import Side
from integration.harness import PATIENCE, configure_frr, established, herald_best, herald_peers, holds, pings, poll, soon
from integration.test_interop import node
from tools.lab import Lab

HERALD = Side(65000, "10.0.1.254", "2001:db8:1::fe")
FRR = Side(65000, "10.0.1.1", "2001:db8:1::1", ("198.51.100.0/24", "2001:db8:feed::/48"))
FRR_BEHIND = Side(65000, "10.0.3.9", "2001:db8:3::9")
BIRD = Side(65002, "10.0.3.1", "2001:db8:3::1", ("203.0.113.0/24", "2001:db8:beef::/48"))
SERVICE = ("192.0.2.80", "2001:db8:5::80")
PREFIXES = ("192.0.2.80/32", "2001:db8:5::80/128")
ROUTER_ID = "203.0.113.254"  # no address of anybody
CONNECT_TIME = 2
SPEAKER = "herald-speaker --node herald --resources /etc/herald/router.yaml --control unix:/run/herald/herald.sock"


def at(side: Side, transport: int) -> str:
    return side.ipv6 if transport == 6 else side.ipv4


def resources(transport: int, **advertised: Any) -> str:
    common = {"connectTime": f"{CONNECT_TIME}s", "import": ["accept-all"]}
    advertisement = {"communities": ["65000:80"], **advertised}
    ingress = {"loadBalancer": {"ingress": [{"ip": address} for address in SERVICE]}}
    ours = [
        ("BGPConfiguration", "default", {"asn": HERALD.asn, "routerID": ROUTER_ID}),
        ("BGPPeer", "frr", {"peerASN": FRR.asn, "peerAddress": at(FRR, transport), **common}),
        ("BGPPeer", "bird", {"peerASN": BIRD.asn, "peerAddress": at(BIRD, transport), "ebgpMultiHop": True, **common}),
        ("IPAddressPool", "web", {"addresses": ["192.0.2.0/24", "2001:db8:5::/112"]}),
        ("BGPAdvertisement", "web", {"ipAddressPools": ["web"], **advertisement}),
    ]
    objects: list[dict[str, Any]] = [
        {"apiVersion": "herald.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        for kind, name, spec in ours
    ]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "status": ingress}
    families = {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"]}
    objects.append({**service, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **families}})
    objects += harness.endpoints("web", {"herald": True})
    return "\n---\n".join(json.dumps(one) for one in objects)


def frr_files(transport: int) -> dict[str, str]:
    us = at(HERALD, transport)
    families = []
    for family, prefix in zip(("ipv4", "ipv6"), FRR.originates, strict=True):
        families += [f" address-family {family} unicast", f"  network {prefix}", f"  neighbor {us} activate"]
        families.append(" exit-address-family")
    lines = [
        "frr defaults datacenter",
        f"router bgp {FRR.asn}",
        f" bgp router-id {FRR.ipv4}",
        " no bgp network import-check",
        f" neighbor {us} remote-as {HERALD.asn}",
        f" neighbor {us} timers connect 1",
        *families,
    ]
    return {"/etc/frr/frr.conf": "\n".join(lines) + "\n", "/etc/frr/daemons": "bgpd=yes\n"}


def bird_files(transport: int) -> dict[str, str]:
    return {"/etc/bird/bird.conf": f"""
router id {BIRD.ipv4};
protocol device {{ scan time 1; }}
protocol direct {{ ipv4; ipv6; interface "eth*"; }}
protocol kernel {{ ipv4 {{ export where source = RTS_BGP; }}; }}
protocol kernel {{ ipv6 {{ export where source = RTS_BGP; }}; }}
protocol static way4 {{ ipv4; route 10.0.1.0/24 via {FRR_BEHIND.ipv4}; }}
protocol static way6 {{ ipv6; route 2001:db8:1::/64 via {FRR_BEHIND.ipv6}; }}
protocol static origin4 {{ ipv4; route {BIRD.originates[0]} blackhole; }}
protocol static origin6 {{ ipv6; route {BIRD.originates[1]} blackhole; }}
protocol bgp herald {{
  local {at(BIRD, transport)} as {BIRD.asn};
  neighbor {at(HERALD, transport)} as {HERALD.asn};
  multihop 2;
  allow bgp_local_pref on;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export where proto = "origin4"; next hop address {BIRD.ipv4}; }};
  ipv6 {{ import all; export where proto = "origin6"; next hop address {BIRD.ipv6}; }};
}}
"""}


def topology(directory: Path, transport: int) -> Path:
    forward = ["sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv6.conf.all.forwarding=1"]
    served = [f"ip addr add {prefix} dev lo" for prefix in PREFIXES]
    to_herald = ["ip route add 10.0.1.0/24 via 10.0.3.9", "ip route add 2001:db8:1::/64 via 2001:db8:3::9"]
    to_bird = ["ip route add 10.0.3.0/24 via 10.0.1.1", "ip route add 2001:db8:3::/64 via 2001:db8:1::1"]
    ours = {"/etc/herald/router.yaml": resources(transport)}
    ports = [("eth1", FRR), ("eth2", FRR_BEHIND)]
    nodes = {
        "herald": node(directory, "herald", "herald:latest", ours, [("eth1", HERALD)], [*served, *to_bird]),
        "frr": node(directory, "frr", "frrouting/frr:v8.4.4", frr_files(transport), ports, forward),
        "bird": node(directory, "bird", "bird:2", bird_files(transport), [("eth1", BIRD)], to_herald),
    }
    nodes["herald"]["cmd"] = SPEAKER
    links = [{"endpoints": ["herald:eth1", "frr:eth1"]}, {"endpoints": ["frr:eth2", "bird:eth1"]}]
    path = directory / "neighbours.clab.yml"
    path.write_text(yaml.safe_dump({"name": "neighbours", "topology": {"nodes": nodes, "links": links}}))
    return path


@pytest.fixture(scope="module", params=[4, 6], ids=["over-ipv4", "over-ipv6"])
def transport(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def directory(transport: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("neighbours")


@pytest.fixture(scope="module")
def lab(transport: int, directory: Path) -> Iterator[Lab]:
    with harness.running(topology(directory, transport), name="neighbours") as lab:
        poll(lambda: established(lab.node("herald"), "frr", "bird"), 40, what="both sessions up")
        yield lab


def frr_path(lab: Lab, prefix: str) -> dict[str, Any]:
    """FRR's path from Herald; a LookupError when there is none."""
    family = "ipv6" if ":" in prefix else "ipv4"
    answer = lab.node("frr").json(["vtysh", "-c", f"show bgp {family} unicast {prefix} json"])
    [path] = answer.get("paths", []) or [{}]
    return path


def bird_attribute(lab: Lab, prefix: str, name: str) -> str:
    shown = lab.node("bird").run(f"birdc show route all {prefix} protocol herald").stdout
    found = re.search(rf"BGP\.{name}: (.*)", shown)
    assert found, shown
    return found[1].strip()


def test_services_reach_an_internal_router_and_one_that_is_a_hop_away(lab: Lab) -> None:
    def told() -> bool:
        for prefix in PREFIXES:
            path = frr_path(lab, prefix)
            assert path["valid"] and path["peer"]["type"] == "internal" and path["aspath"]["string"] == "Local", path
            assert path["community"]["string"] == "65000:80", path
            assert bird_attribute(lab, prefix, "as_path") == "65000"
            assert bird_attribute(lab, prefix, "community") == "(65000,80)"
        return True

    poll(told, 20, what="both families of the service at both")
    for address in SERVICE:
        poll(lambda a=address: pings(lab.node("frr"), a), 15, what=f"{address} reached from FRR")
        poll(lambda a=address: pings(lab.node("bird"), a), 15, what=f"{address} reached from BIRD, through FRR")


def test_both_families_come_over_one_session(lab: Lab, transport: int) -> None:
    herald = lab.node("herald")
    assert (":" in herald_peers(herald)["frr"]["address"]) == (transport == 6)
    for name, side in (("frr", FRR), ("bird", BIRD)):
        for prefix in side.originates:
            hop = side.ipv6 if ":" in prefix else side.ipv4
            poll(lambda p=prefix, n=name: herald_best(herald)[p]["peers"] == [n], 20, what=f"{prefix} from {name}")
            assert herald_best(herald)[prefix]["nextHops"] == [hop]


def test_local_preference_is_told_to_the_internal_router_only(lab: Lab, directory: Path, transport: int) -> None:
    """BIRD would take one from us if there were one."""
    before = sessions(lab)

    def heard(preference: int, community: int) -> bool:
        for prefix in PREFIXES:
            path = frr_path(lab, prefix)
            assert (path["locPrf"], path["community"]["string"]) == (preference, f"65000:{community}"), path
            # What BIRD gives by itself to a route that has none.
            assert bird_attribute(lab, prefix, "community") == f"(65000,{community})"
            assert bird_attribute(lab, prefix, "local_pref") == "100"
        return True

    poll(lambda: heard(100, 80), 15, what="without one FRR is told the usual one")
    for number, preference in enumerate((500, 70)):
        community = 81 + number
        changed = resources(transport, localPref=preference, communities=[f"65000:{community}"])
        reload(lab, directory, changed)
        poll(lambda p=preference, c=community: heard(p, c), 15, what=f"{preference} at FRR, in both families")
    assert sessions(lab) == before, "no session was touched"


def test_our_identifier_is_the_one_that_is_configured(lab: Lab, transport: int) -> None:
    us = at(HERALD, transport)

    def seen() -> bool:
        at_frr = lab.node("frr").json(["vtysh", "-c", f"show bgp neighbors {us} json"])[us]["remoteRouterId"]
        at_bird = re.findall(r"Neighbor ID:\s+(\S+)", lab.node("bird").run("birdc show protocols all herald").stdout)
        assert (at_frr, at_bird) == (ROUTER_ID, [ROUTER_ID])
        return True

    poll(seen, 15, what="our identifier at FRR and at BIRD")


def test_a_neighbour_that_has_reset_the_session_is_dialled_within_the_connect_time(lab: Lab, transport: int) -> None:
    """FRR does not dial, so that it is Herald who comes back."""
    herald, us = lab.node("herald"), at(HERALD, transport)

    def configure(line: str) -> None:
        configure_frr(lab.node("frr"), f"router bgp {FRR.asn}", line)

    assert herald_peers(herald)["frr"]["timers"]["connectRetrySec"] == CONNECT_TIME
    configure(f"neighbor {us} passive")
    poll(lambda: established(herald, "frr"), 30, what="up, with FRR passive")
    count = lambda: herald_peers(herald)["frr"]["establishedCount"]  # noqa: E731
    before = count()
    began = time.monotonic()
    lab.node("frr").run(["vtysh", "-c", "clear bgp *"])
    poll(lambda: count() > before and established(herald, "frr"), 20, what="back after the reset")
    assert soon(began, CONNECT_TIME + 1)
    # Away for so long that the pauses would have grown to more, by default to 10 s.
    times_up = count()
    with harness.captured(lab.node("frr"), "eth1", "tcp port 179"):
        configure(f"neighbor {us} shutdown")
        try:
            holds(lambda: count() == times_up, 20, what="away")
        finally:
            configure(f"no neighbor {us} shutdown")
        poll(lambda: established(herald, "frr"), 20, what="back after it was away for long")
    source = "ipv6.src" if transport == 6 else "ip.src"
    dialled = f"{source} == {us} && tcp.flags.syn == 1 && tcp.flags.ack == 0"
    times = harness.tshark(lab.node("frr"), dialled, "-T", "fields", "-e", "frame.time_epoch").split()
    pauses = [float(after) - float(before) for before, after in itertools.pairwise(times)]
    assert len(pauses) > 5 and max(pauses) < CONNECT_TIME + PATIENCE, pauses
