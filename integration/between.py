# SPDX-License-Identifier: Apache-2.0
"""Herald as a router between FRR and BIRD, and what the three of them say:

    frr --eth1--10.0.1.0/24--eth1-- herald --eth2--10.0.2.0/24--eth1-- bird
         .1   2001:db8:1::/64       .254      .254   2001:db8:2::/64   .1

Each test brings its own three configurations."""

import json
import re
import signal
import textwrap
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml

from integration import harness
from integration.harness import configure_frr, herald_peers
from tools.lab import Lab, Node

FRR, BIRD = "10.0.1.1", "10.0.2.1"
ADDRESSES = {
    "frr": [("eth1", "10.0.1.1/24", "2001:db8:1::1/64")],
    "bird": [("eth1", "10.0.2.1/24", "2001:db8:2::1/64")],
    "herald": [("eth1", "10.0.1.254/24", "2001:db8:1::fe/64"), ("eth2", "10.0.2.254/24", "2001:db8:2::fe/64")],
}
IMAGES = {"frr": "frrouting/frr:v8.4.4", "bird": "bird:2", "herald": "herald:latest"}
HERALD = "10.0.1.254"  # as FRR knows it
PLAIN = {"198.51.100.0/24": ""}
COMMON, OTHER = "203.0.113.0/24", "203.0.114.0/24"
TAKES_IPV6 = "ipv6 { import all; export none; };"


def topology(directory: Path, files: dict[str, dict[str, str]]) -> Path:
    nodes: dict[str, Any] = {}
    for name, image in IMAGES.items():
        binds = harness.bound_files(directory, name, files[name])
        commands = [f"ip addr add {ipv6} dev {dev} nodad" for dev, _, ipv6 in ADDRESSES[name]]
        commands += [f"ip addr add {ipv4} dev {dev}" for dev, ipv4, _ in ADDRESSES[name]]
        nodes[name] = {"kind": "linux", "image": image, "network-mode": "none", "binds": binds, "exec": commands}
    control = "unix:/run/herald/herald.sock"
    nodes["herald"]["cmd"] = f"herald-speaker --node herald --resources /etc/herald/router.yaml --control {control}"
    links = [{"endpoints": ["frr:eth1", "herald:eth1"]}, {"endpoints": ["herald:eth2", "bird:eth1"]}]
    path = directory / "routes.clab.yml"
    path.write_text(yaml.safe_dump({"name": "routes", "topology": {"nodes": nodes, "links": links}}))
    return path


def resources(configuration: dict[str, Any], *others: dict[str, Any]) -> str:
    objects = [{"apiVersion": "herald.dev/v1", "kind": "BGPConfiguration", "metadata": {"name": "default"},
                "spec": {"routerID": "10.0.0.254", **configuration}}, *others]
    return "\n---\n".join(json.dumps(one) for one in objects)


def peer(name: str, asn: int, **spec: Any) -> dict[str, Any]:
    address = FRR if name == "frr" else BIRD
    spec = {"peerASN": asn, "peerAddress": address, "import": ["accept-all"], "export": ["accept-all"], **spec}
    return {"apiVersion": "herald.dev/v1", "kind": "BGPPeer", "metadata": {"name": name}, "spec": spec}


def bgp_filter(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "herald.dev/v1", "kind": "BGPFilter", "metadata": {"name": name},
            "spec": {"rules": list(rules)}}


def frr(asn: int, remote: int, networks: dict[str, str], *lines: str, global_lines: str = "") -> dict[str, str]:
    """`networks`: prefix -> route map that sets what it is announced with, or nothing."""
    statements = [f"network {prefix} {'route-map ' + by if by else ''}" for prefix, by in networks.items()]
    body = "\n".join([
        "frr defaults datacenter",
        global_lines,
        f"router bgp {asn}",
        " bgp router-id 10.0.1.1",
        " no bgp ebgp-requires-policy",
        " no bgp network import-check",
        f" neighbor 10.0.1.254 remote-as {remote}",
        " neighbor 10.0.1.254 timers connect 1",
        *(f" {line}" for line in lines if not line.startswith("af ")),
        " address-family ipv4 unicast",
        *(f"  {statement}" for statement in statements),
        *(f"  {line[3:]}" for line in lines if line.startswith("af ")),
        " exit-address-family",
    ])
    return {"/etc/frr/frr.conf": body + "\n", "/etc/frr/daemons": "bgpd=yes\n"}


def bird(asn: int, remote: int, networks: dict[str, str], options: str = "", channel: str = "") -> dict[str, str]:
    """`networks`: prefix -> statements that give its attributes."""
    statics = "".join(f"  route {prefix} blackhole {{ {set_} }};\n" for prefix, set_ in networks.items())
    return {"/etc/bird/bird.conf": textwrap.dedent("""
        router id 10.0.2.1;
        protocol device { scan time 1; }
        protocol direct { ipv4; interface "eth*"; }
        protocol static way { ipv4; route 10.0.1.0/24 via 10.0.2.254; }
        protocol static origin { ipv4;
        """) + statics + textwrap.dedent(f"""
        }}
        protocol bgp peer {{
          local 10.0.2.1 as {asn};
          neighbor 10.0.2.254 as {remote};
          connect delay time 1; connect retry time 1; error wait time 1, 2;
          {options}
          ipv4 {{ import all; export where proto = "origin"; {channel} }};
        }}
        """)}


def bird_attributes(node: Node) -> dict[str, dict[str, str]]:
    """prefix -> the BGP attributes of the best route that came from Herald, by BIRD's names."""
    found: dict[str, dict[str, str]] = {}
    prefix = ""
    for line in node.run("birdc show route all protocol peer").stdout.splitlines():
        if match := re.match(r"(\S+/\d+)\s", line):
            prefix = match[1]
            found.setdefault(prefix, {})
        elif match := re.match(r"\s+BGP\.(\w+):\s*(.*)", line):
            found[prefix].setdefault(match[1], match[2].strip())
    return found


def frr_route(node: Node, prefix: str) -> dict[str, Any]:
    """The path that came from Herald; a LookupError when there is none."""
    answer = node.json(["vtysh", "-c", f"show bgp ipv4 unicast {prefix} json"])
    for path in answer.get("paths", []):
        if path.get("peer", {}).get("peerId") == "10.0.1.254":
            return path
    raise LookupError(prefix)


def frr_path(node: Node, prefix: str) -> str:
    return frr_route(node, prefix)["aspath"]["string"]


def up(lab: Lab) -> bool:
    return harness.established(lab.node("herald"), "frr", "bird")


def reload(lab: Lab, directory: Path, herald: str) -> None:
    (directory / "herald" / "etc_herald_router.yaml").write_text(herald)
    lab.node("herald").kill("herald-speaker", signal.SIGHUP)


def running(directory: Path, herald: str, frr_files: dict[str, str], bird_files: dict[str, str]
            ) -> AbstractContextManager[Lab]:
    files = {"herald": {"/etc/herald/router.yaml": herald}, "frr": frr_files, "bird": bird_files}
    return harness.running(topology(directory, files))


def guests(name: str, prefix: str, **spec: Any) -> dict[str, Any]:
    """Neighbours of a range."""
    return peer(name, 0, peerASN=None, peerAddress=None, dynamicASN="external", listenRange=prefix, **spec)


def own(*prefixes: str) -> dict[str, Any]:
    return {"apiVersion": "herald.dev/v1", "kind": "BGPAdvertisement", "metadata": {"name": "own"},
            "spec": {"prefixes": list(prefixes)}}


def ipv6(*networks: str) -> tuple[str, ...]:
    """Lines for FRR's configuration: the other family on the same session."""
    return ("address-family ipv6 unicast", f"neighbor {HERALD} activate", *(f"network {each}" for each in networks),
            "exit-address-family")


def before_neighbours(*lines: str) -> str:
    """FRR applies what it reads at once: these lines of the router, before somebody can connect."""
    return "\n ".join(["router bgp 65001", *lines]) + "\nexit\n"


def changed(files: dict[str, str], old: str, new: str) -> dict[str, str]:
    assert any(old in text for text in files.values()), old
    return {path: text.replace(old, new) for path, text in files.items()}


def configure_bird(lab: Lab, directory: Path, files: dict[str, str]) -> None:
    (directory / "bird" / "etc_bird_bird.conf").write_text(files["/etc/bird/bird.conf"])
    lab.node("bird").run("birdc configure")


def neighbour(lab: Lab) -> dict[str, Any]:
    """What FRR says of Herald."""
    return lab.node("frr").json(["vtysh", "-c", f"show bgp neighbors {HERALD} json"])[HERALD]


def bird_says(lab: Lab) -> str:
    return lab.node("bird").run("birdc show protocols all peer").stdout


def announce(lab: Lab, line: str) -> None:
    configure_frr(lab.node("frr"), "router bgp 65001", "address-family ipv4 unicast", line)


def sessions(lab: Lab) -> dict[str, int]:
    """peer -> how many times it has been established: the same number means the same session."""
    return {name: one["establishedCount"] for name, one in herald_peers(lab.node("herald")).items()}


def exchanged(lab: Lab) -> bool:
    """FRR has BIRD's one route, and BIRD has FRR's."""
    return told_to_frr(lab).keys() == {COMMON} and bird_attributes(lab.node("bird")).keys() == PLAIN.keys()


def stale(lab: Lab, name: str) -> int:
    return herald_peers(lab.node("herald"))[name]["families"]["ipv4Unicast"]["stale"]


def told_to_frr(lab: Lab) -> dict[str, Any]:
    """prefix -> the paths that FRR has from Herald."""
    routes = lab.node("frr").json(["vtysh", "-c", "show bgp ipv4 unicast json"])["routes"]
    told = {prefix: [path for path in paths if path.get("peerId") == HERALD] for prefix, paths in routes.items()}
    return {prefix: paths for prefix, paths in told.items() if paths}


def notification(lab: Lab, name: str) -> str:
    """What ended the session last, at Herald."""
    return herald_peers(lab.node("herald"))[name].get("lastReset", {}).get("notification", "")


def down(lab: Lab, *names: str) -> bool:
    known = herald_peers(lab.node("herald"))
    return all(name not in known or known[name]["state"] != "Established" for name in names)


def statics(files: dict[str, str], routes: list[str]) -> dict[str, str]:
    """BIRD with one more protocol for each route, all announced, with identifiers."""
    more = "".join(f"protocol static origin{n} {{ ipv4; route {route}; }}\n" for n, route in enumerate(routes))
    with_more = changed(files, "protocol bgp peer", f"{more}protocol bgp peer")
    return changed(with_more, 'proto = "origin"', 'proto ~ "origin*"')
