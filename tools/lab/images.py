# SPDX-License-Identifier: Apache-2.0
"""Which local processes stand in for a container image. Adding an image is adding an entry to IMAGES.

A boot is a generator: it yields while it waits, so that all nodes of a lab boot side by side. Knows no namespaces: it
sees a node through the `Inside` protocol."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .errors import LabError

Boot = Iterator[None]
FRR_DIRECTORY = Path("/usr/lib/frr")


class Inside(Protocol):
    """A node as its image sees it."""

    def start(self, process: str, argv: list[str], env: dict[str, str] | None = None) -> object: ...

    def running(self, process: str) -> bool: ...

    def path(self, inside: str) -> Path: ...

    def execute(self, argv: list[str]) -> Iterator[None]: ...

    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class Image:
    pattern: str  # matched against the last part of the image's name, without tag
    boot: Callable[[Inside], Boot] | None = None  # when neither entrypoint nor cmd is given
    programs: tuple[str, ...] = ()  # what must be installed here
    tmpfs: dict[str, str] = field(default_factory=dict)  # directories of the image's own -> mount options
    files: dict[str, str] = field(default_factory=dict)
    needs_cmd: bool = False


def find(image: str) -> Image:
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    for known in IMAGES:
        if re.fullmatch(known.pattern, name):
            return known
    raise LabError(f"image `{image}` has no local stand-in (known: {', '.join(known.pattern for known in IMAGES)})")


def missing_programs(image: Image) -> list[str]:
    return [program for program in image.programs if not Path(program).exists()]


# --- FRR

# The image's own defaults, where the lab binds no `daemons` file.
_FRR_DAEMONS = "zebra=yes\nstaticd=yes\nvtysh_enable=yes\n"
_FRR_ALWAYS = ("zebra", "staticd")  # watchfrr starts them whatever the file says


def _boot_frr(node: Inside) -> Boot:
    """As watchfrr, without restarts: zebra, the daemons asked for, then the integrated configuration."""
    settings = _shell_assignments(node.path("/etc/frr/daemons").read_text())
    asked = [name for name, value in settings.items() if value == "yes" and not name.endswith("_enable")]
    wanted = list(dict.fromkeys([*_FRR_ALWAYS, *asked]))
    for name in [name for name in wanted if not (FRR_DIRECTORY / name).exists()]:
        node.note(f"/etc/frr/daemons asks for {name}, which the FRR installed here does not have")
        wanted.remove(name)
    for name in wanted:
        options = [word for word in shlex.split(settings.get(f"{name}_options", "")) if word not in ("-d", "--daemon")]
        node.start(name, [str(FRR_DIRECTORY / name), *options])
        if name == "zebra":
            yield from _await_path(node, name, "/run/frr/zserv.api")
    for name in wanted:
        yield from _await_path(node, name, f"/run/frr/{name}.vty")
    if settings.get("vtysh_enable", "yes") == "yes" and node.path("/etc/frr/frr.conf").exists():
        yield from node.execute(["vtysh", "-b"])


def _shell_assignments(text: str) -> dict[str, str]:
    assignments = {}
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        for word in words:
            name, equals, value = word.partition("=")
            if equals:
                assignments[name] = value
    return assignments


def _await_path(node: Inside, process: str, path: str) -> Boot:
    while not node.path(path).exists():
        if not node.running(process):
            raise LabError(f"{process} ended while it started")
        yield


# --- the others


def _boot_with_config(
    process: str, argv: list[str], *configs: str, env: dict[str, str] | None = None
) -> Callable[[Inside], Boot]:
    """A daemon with one configuration file, at the first of the places given where the lab has bound one."""

    def boot(node: Inside) -> Boot:
        for config in configs:
            if node.path(config).exists():
                node.start(process, [word.replace("{config}", config) for word in argv], env)
                return
        raise LabError(f"{process} needs a configuration: bind one to {' or '.join(configs)}")
        yield

    return boot


_OWN = "mode=755"
_FRRS = "mode=775,uid=frr,gid=frr"

IMAGES = (
    Image(
        "frr",
        _boot_frr,
        ("/usr/lib/frr/zebra", "/usr/bin/vtysh"),
        tmpfs={"/etc/frr": _OWN, "/run/frr": _FRRS, "/var/log/frr": _FRRS},
        files={"/etc/frr/daemons": _FRR_DAEMONS, "/etc/frr/vtysh.conf": ""},
    ),
    Image(
        r"bird\d?",
        _boot_with_config("bird", ["bird", "-f", "-c", "{config}"], "/etc/bird/bird.conf", "/etc/bird.conf"),
        ("/usr/sbin/bird",),
        tmpfs={"/etc/bird": _OWN, "/run/bird": _OWN},
    ),
    Image(
        "gobgpd?",
        _boot_with_config("gobgpd", ["gobgpd", "-f", "{config}"], "/etc/gobgp/gobgpd.toml", "/etc/gobgp/gobgpd.conf"),
        ("/usr/bin/gobgpd",),
        tmpfs={"/etc/gobgp": _OWN},
    ),
    Image(
        "openbgpd",
        _boot_with_config("bgpd", ["/usr/sbin/bgpd", "-d", "-f", "{config}"], "/etc/bgpd/bgpd.conf", "/etc/bgpd.conf"),
        ("/usr/sbin/bgpd",),
        tmpfs={"/etc/bgpd": _OWN, "/run/openbgpd": _OWN},
    ),
    Image(
        "exabgp",
        _boot_with_config(
            "exabgp", ["exabgp", "{config}"], "/etc/exabgp/exabgp.conf", env={"exabgp_daemon_user": "root"}
        ),
        ("/usr/sbin/exabgp",),
    ),
    Image("herald", needs_cmd=True, tmpfs={"/run/herald": _OWN, "/etc/herald": _OWN, "/var/lib/herald": _OWN}),
    # Tool boxes: a shell that waits. They run what `cmd` says, when it says something.
    Image(r"alpine|busybox|debian|ubuntu|python|netshoot|network-multitool|iperf3"),
)
