# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, bridges and veth pairs, by batches of iproute2 commands: one process for many links.

Everything is made inside named network namespaces; nothing ever exists in the host's own."""

import subprocess
from collections.abc import Iterable

from .errors import LabError
from .sandbox import NETNS


def batch(lines: Iterable[str], namespace: str = "") -> None:
    text = "\n".join(lines) + "\n"
    if not text.strip():
        return
    argv = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"ip: {done.stderr.strip()} (in: {_failed_line(text, done.stderr)})")


def add_namespaces(names: Iterable[str]) -> None:
    batch(f"netns add {name}" for name in names)


def remove_namespaces(names: Iterable[str]) -> None:
    batch(f"netns del {name}" for name in names if (NETNS / name).exists())


End = tuple[str, str, str]  # namespace, interface, MAC or empty


def veth(one: End, other: End, mtu: int) -> str:
    return f"link add {_end(one, mtu)} type veth peer name {_end(other, mtu)}"


def dummy(end: End, mtu: int) -> str:
    return f"link add {_end(end, mtu)} type dummy"


def _end(end: End, mtu: int) -> str:
    namespace, interface, mac = end
    address = f" address {mac}" if mac else ""
    return f"{interface} mtu {mtu}{address} netns {namespace}"


def bridge(name: str) -> list[str]:
    """Commands for a plain switch: no spanning tree delay, no snooping, no address of its own."""
    return [f"link add {name} type bridge forward_delay 0 mcast_snooping 0", f"link set dev {name} addrgenmode none up"]


def _failed_line(text: str, error: str) -> str:
    # "Command failed -:3" is iproute2's way to say which line.
    _, found, number = error.rpartition("-:")
    lines = text.splitlines()
    return lines[int(number) - 1] if found and number.strip().isdigit() and int(number) <= len(lines) else lines[0]
