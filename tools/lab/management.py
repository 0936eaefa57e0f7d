# SPDX-License-Identifier: Apache-2.0
"""containerlab's management network: eth0 of every node on one switch, with addresses, default routes and names.

The switch is in a namespace of the lab's own, so nothing outside is reached through it."""

import ipaddress
from collections.abc import Iterator
from itertools import islice

from . import wiring
from .errors import LabError
from .topology import NodeSpec, Topology

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def connect(topology: Topology, switch: str, first: dict[str, list[str]]) -> str:
    """Makes the links. Adds to `first` what is to be done in each node's namespace; gives lines for /etc/hosts."""
    networks: list[Network] = [topology.management.ipv4, topology.management.ipv6]
    gateways = [network[1] for network in networks]
    specs = [spec for spec in topology.nodes.values() if spec.management]
    places = [(topology.container_name(spec.name), f"p{number}") for number, spec in enumerate(specs)]
    mtu = topology.management.mtu
    wiring.batch(wiring.veth((namespace, "eth0", ""), (switch, port, ""), mtu) for namespace, port in places)
    lines = wiring.bridge("mgmt")
    lines += [_add(gateway, network, "mgmt") for gateway, network in zip(gateways, networks)]
    lines += [f"link set dev {port} master mgmt up" for _, port in places]
    wiring.batch(lines, switch)
    hosts = ""
    for spec, (namespace, _), addresses in zip(specs, places, assign(specs, networks)):
        first[namespace].append("link set dev eth0 up")
        first[namespace] += [_add(address, network, "eth0") for address, network in zip(addresses, networks)]
        first[namespace] += [f"route add default via {gateway}" for gateway in gateways]
        names = " ".join([spec.name, topology.container_name(spec.name), *spec.aliases])
        hosts += "".join(f"{address}\t{names}\n" for address in addresses)
    return hosts


def assign(specs: list[NodeSpec], networks: list[Network]) -> list[list[Address]]:
    """An address of each network for each node: the one it asks for, else the next free one after the gateway."""
    columns = []
    for network, key in zip(networks, ("mgmt_ipv4", "mgmt_ipv6")):
        wishes = [_wish(spec, key, network) for spec in specs]
        taken = {wish for wish in wishes if wish}
        free = (address for address in _hosts(network) if address not in taken)
        column = [wish or next(free, None) for wish in wishes]
        if None in column:
            raise LabError(f"mgmt: {network} has too few addresses for {len(specs)} nodes")
        columns.append(column)
    return [list(row) for row in zip(*columns)]  # type: ignore[arg-type]


def _wish(spec: NodeSpec, key: str, network: Network) -> Address | None:
    text = getattr(spec, key)
    where = f"node {spec.name}: `{key.replace('_', '-')}`"
    try:
        address = ipaddress.ip_address(text) if text else None
    except ValueError as error:
        raise LabError(f"{where}: {error}") from None
    if address is not None and address not in network:
        raise LabError(f"{where}: {address} is not in {network}")
    return address


def _hosts(network: Network) -> Iterator[Address]:
    """Those after the gateway, which is the first."""
    return islice(network.hosts(), 1, None)


def _add(address: Address, network: Network, interface: str) -> str:
    return f"addr add {address}/{network.prefixlen} dev {interface}{' nodad' if address.version == 6 else ''}"
