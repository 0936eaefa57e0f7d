# SPDX-License-Identifier: Apache-2.0
"""What a container would be: one node's namespaces (PID, mount, UTS, IPC; network by name) and its private file system.

The file system is the host's own as a read-only lower layer under a tmpfs, so that every path can be bound over or
written without touching the host. PID 1 of the node is a shell that only waits: when it is killed the kernel ends
everything in the node. Knows no images and no topology."""

import os
import re
import signal
import subprocess
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import linux
from .errors import LabError
from .process import Identity
from .topology import Bind

NETNS = Path("/run/netns")
# The shell collects orphans while it waits; `exec sleep` would leave zombies behind.
INIT = ["/bin/sh", "-c", "sleep infinity & wait"]
# Fresh in every node, as in a container that has just been started.
FRESH = ("/run", "/tmp", "/var/log", "/var/tmp")
# File systems that carry no files of interest, or that the node gets its own of.
_PSEUDO = re.compile(
    r"proc|sysfs|devtmpfs|devpts|tmpfs|cgroup2?|mqueue|debugfs|tracefs|securityfs|pstore|bpf|fusectl|configfs|nsfs|"
    r"hugetlbfs|binfmt_misc|autofs|rpc_pipefs|efivarfs|ramfs"
)


@dataclass
class Plan:
    """Everything that makes one node's inside."""

    hostname: str
    namespace: str
    scratch: Path  # an empty directory to build the file system on
    binds: list[Bind] = field(default_factory=list)
    tmpfs: dict[str, str] = field(default_factory=dict)  # path -> mount options
    files: dict[str, str] = field(default_factory=dict)  # path -> content
    sysctls: dict[str, str] = field(default_factory=dict)


def start_init(plan: Plan, log: Path) -> "subprocess.Popen[bytes]":
    """Starts PID 1 of a new node inside the network namespace `plan.namespace`, which must exist."""

    def enter_new() -> None:
        try:
            _build(plan)
        except BaseException:
            traceback.print_exc()
            raise

    with log.open("wb") as output, _children_in_new_pid_namespace():
        try:
            return subprocess.Popen(
                INIT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                preexec_fn=enter_new,
                start_new_session=True,
            )
        except subprocess.SubprocessError:
            reason = log.read_text().strip().splitlines() or ["no reason given"]
            raise LabError(f"node {plan.hostname}: cannot be set up: {reason[-1]}") from None


def spawn(init: Identity, argv: list[str], env: dict[str, str], **options: Any) -> "subprocess.Popen[Any]":
    """subprocess.Popen inside a node. The child is a direct child: its pid, status and signals are the usual ones."""
    return _spawn(init, argv, env, lambda: None, options)


def spawn_detached(init: Identity, argv: list[str], env: dict[str, str], **options: Any) -> int:
    """Starts a process that belongs to the node's PID 1, for when this process will not stay to wait for it.

    An orphan would go to the host's PID 1, and until that collects it the kernel cannot end the node."""
    reading, writing = os.pipe()

    def fork_again() -> None:
        if os.fork() != 0:
            os._exit(0)
        # Still in the host's mount namespace, whose /proc counts pids as the host does.
        os.write(writing, os.readlink("/proc/self").encode())

    try:
        _spawn(init, argv, env, fork_again, options).wait()
        return int(os.read(reading, 32))
    finally:
        os.close(reading)
        os.close(writing)


def _spawn(
    init: Identity, argv: list[str], env: dict[str, str], prepare: Callable[[], None], options: dict[str, Any]
) -> "subprocess.Popen[Any]":
    if not init.alive():
        raise LabError("the node is not running")
    base = f"/proc/{init.pid}/ns"
    descriptors = {flag: os.open(f"{base}/{name}", os.O_RDONLY | os.O_CLOEXEC) for name, flag in _JOINED}

    def enter() -> None:
        prepare()
        for flag, descriptor in descriptors.items():
            linux.enter_namespace(descriptor, flag)

    try:
        with _children_in_pid_namespace(f"{base}/pid"):
            return subprocess.Popen(argv, env=env, preexec_fn=enter, **options)
    except FileNotFoundError:
        raise LabError(f"there is no program `{argv[0]}` in the node") from None
    except PermissionError:
        raise LabError(f"`{argv[0]}` is not a program") from None
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)


def inside(init: Identity, path: str) -> Path:
    """A path of the node's file system as seen from here."""
    return Path(f"/proc/{init.pid}/root") / path.lstrip("/")


_JOINED = (
    ("net", linux.CLONE_NEWNET),
    ("uts", linux.CLONE_NEWUTS),
    ("ipc", linux.CLONE_NEWIPC),
    ("mnt", linux.CLONE_NEWNS),
)


def keep_children_here() -> None:
    """Children of this thread are born in its own PID namespace: also where an interrupt came before that was so again."""
    linux.enter_namespace("/proc/self/ns/pid", linux.CLONE_NEWPID)


class _children_in_pid_namespace:
    """While entered, children of this thread are born in another PID namespace; the thread itself stays."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        linux.enter_namespace(self.path, linux.CLONE_NEWPID)

    def __exit__(self, *_: object) -> None:
        keep_children_here()


class _children_in_new_pid_namespace(_children_in_pid_namespace):
    def __init__(self) -> None:
        super().__init__("")

    def __enter__(self) -> None:
        linux.unshare(linux.CLONE_NEWPID)


def _build(plan: Plan) -> None:
    """Runs as PID 1 of the node, before it becomes the waiting shell."""
    linux.enter_namespace(NETNS / plan.namespace, linux.CLONE_NEWNET)
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
    linux.set_host_name(plan.hostname)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    carried = _content_mounts()
    linux.mount("herald-lab", plan.scratch, "tmpfs", options="mode=755")
    layers = {name: plan.scratch / name for name in ("upper", "work", "root")}
    for layer in layers.values():
        layer.mkdir()
    root = layers["root"]
    try:
        # volatile: nothing of it is to survive, so nothing needs to be synced.
        options = f"lowerdir=/,upperdir={layers['upper']},workdir={layers['work']},volatile"
        linux.mount("herald-lab", root, "overlay", options=options)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; a lab needs a kernel with overlayfs") from error
    _mount_kernel_views(root)
    _enter_root(root)
    for point in carried:
        if Path(point).exists():
            linux.bind(f"/.old{point}", point, read_only=True)
    for path in FRESH:
        linux.mount("herald-lab", path, "tmpfs", options="mode=1777" if "tmp" in path else "mode=755")
    Path("/run/lock").mkdir()
    for path, options in plan.tmpfs.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        linux.mount("herald-lab", path, "tmpfs", options=options)
    for path, content in plan.files.items():
        _write_fresh(Path(path), content)
    for bind in plan.binds:
        _bind(bind)
    linux.unmount("/.old")
    os.rmdir("/.old")
    for key, value in plan.sysctls.items():
        _set_sysctl(key, value)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def _content_mounts() -> list[str]:
    """Mounts below / that hold files (a separate /home or a source tree): the overlay does not see through them."""
    points = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        point, kind = left.split()[4], right.split()[0]
        hidden = point == "/" or point.startswith(("/proc", "/sys", "/dev", "/run", "/tmp"))
        if not hidden and not _PSEUDO.fullmatch(kind) and point not in ("/etc/hosts", "/etc/hostname"):
            points.append(point)
    return points


def _mount_kernel_views(root: Path) -> None:
    linux.mount("proc", root / "proc", "proc")
    # A new sysfs shows this network namespace under /sys/class/net; the host's would show the host's.
    linux.mount("sysfs", root / "sys", "sysfs")
    linux.mount("/dev", root / "dev", flags=linux.MS_BIND | linux.MS_REC)


def _enter_root(root: Path) -> None:
    (root / ".old").mkdir()
    linux.pivot_root(root, root / ".old")
    os.chdir("/")


def _bind(bind: Bind) -> None:
    source, target = Path(f"/.old{bind.source}"), Path(bind.target)
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    linux.bind(source, target, read_only=bind.read_only)


def _write_fresh(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # may be a link into the host's /run
    path.write_text(content)


def _set_sysctl(key: str, value: str) -> None:
    path = Path("/proc/sys") / _sysctl_path(key)
    try:
        path.write_text(value)
    except OSError as error:
        raise OSError(error.errno, f"sysctl {key}={value}: {error.strerror}") from error


def _sysctl_path(key: str) -> str:
    """As sysctl(8): whichever of `.` and `/` comes first is the separator, the other one stands for itself."""
    if "/" in key and ("." not in key or key.index("/") < key.index(".")):
        return key
    return key.translate(str.maketrans("./", "/."))
