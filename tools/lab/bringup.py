# SPDX-License-Identifier: Apache-2.0
"""Takes a topology from nothing to running: namespaces, management network, then every node through its stages.

Each node is a generator that yields while it waits; they take turns, so nodes boot side by side and wait for each
other's stages without threads. The order is containerlab's: processes start first, links come next, `exec` last."""

import os
import pwd
import re
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import images, management, sandbox, wiring
from .errors import LabError
from .images import Image
from .node import Node
from .state import State
from .topology import STAGES, HealthCheck, Link, NodeSpec, Topology

Report = Callable[[str, str], None]

BIN_INSIDE = "/opt/herald/bin"
PATH_INSIDE = f"{BIN_INSIDE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TURN = 0.004  # seconds between rounds in which nobody could go on

# What a container host gives: IPv4 is forwarded, IPv6 is there, and who is reached by one link may answer by another.
SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
}


class BringUp:
    def __init__(self, topology: Topology, state: State, nodes: dict[str, Node], bin_dir: Path, report: Report) -> None:
        self.topology = topology
        self.state = state
        self.nodes = nodes
        self.bin_dir = bin_dir
        self.report = report
        self.warnings: list[str] = []
        self.done: set[tuple[str, str]] = set()
        self.ready_for_links: set[str] = set()
        self.pending_links = list(topology.links)
        self.images = {spec.name: images.find(spec.image) for spec in topology.nodes.values() if spec.kind == "linux"}

    def run(self) -> None:
        self.make_namespaces()
        lives = {name: self.life(spec) for name, spec in self.topology.nodes.items()}
        while lives:
            progress = False
            for name in list(lives):
                before = len(self.done)
                try:
                    next(lives[name])
                except StopIteration:
                    del lives[name]
                    progress = True
                except LabError as error:
                    where = "" if str(error).startswith("node ") else f"node {name}: "
                    raise LabError(f"{where}{error}{self.log_tail(name)}") from None
                progress |= len(self.done) > before
            progress |= self.make_links()
            if not progress:
                time.sleep(TURN)
        self.check_processes()

    # --- before the stages

    def make_namespaces(self) -> None:
        owners = [spec for spec in self.topology.nodes.values() if not spec.network_of]
        wiring.add_namespaces(self.state.namespaces)
        first = {self.state.nodes[spec.name].namespace: ["link set dev lo up"] for spec in owners}
        hosts = ""
        if any(spec.management for spec in owners):
            hosts = management.connect(self.topology, self.state.namespaces[-1], first)
        for namespace, lines in first.items():
            wiring.batch(lines, namespace)
        linux_nodes = [spec for spec in self.topology.nodes.values() if spec.kind == "linux"]
        for spec in linux_nodes:
            self.make_sandbox(spec, hosts)
        self.report("lab", f"{len(linux_nodes)} nodes made")

    def make_sandbox(self, spec: NodeSpec, hosts: str) -> None:
        record = self.state.nodes[spec.name]
        image = self.images[spec.name]
        scratch = self.state.directory / "root" / spec.name
        scratch.mkdir(parents=True)
        logs = self.state.directory / "logs" / spec.name
        logs.mkdir(parents=True)
        binds = list(spec.binds)
        if self.bin_dir.is_dir():
            binds.insert(0, sandbox.Bind(self.bin_dir, BIN_INSIDE, read_only=True))
        plan = sandbox.Plan(
            hostname=spec.hostname,
            namespace=record.namespace,
            scratch=scratch,
            binds=binds,
            tmpfs={path: _numeric_owner(options) for path, options in {**image.tmpfs, **spec.tmpfs}.items()},
            files={
                "/etc/hostname": f"{spec.hostname}\n",
                "/etc/hosts": f"127.0.0.1\tlocalhost {spec.hostname}\n::1\tlocalhost\n{hosts}",
                "/etc/resolv.conf": "# a lab has no name server\n",
                **image.files,
            },
            sysctls=spec.sysctls if spec.network_of else {**SYSCTLS, **spec.sysctls},
        )
        record.env = self.environment(spec)
        self.nodes[spec.name].adopt(sandbox.start_init(plan, logs / "init.log"))

    def environment(self, spec: NodeSpec) -> dict[str, str]:
        links = sum(1 for link in self.topology.links for end in link.ends if end.node == spec.name)
        sanitizers = {key: value for key, value in os.environ.items() if re.fullmatch(r"[A-Z]+SAN_OPTIONS", key)}
        return {
            "PATH": PATH_INSIDE,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "HOSTNAME": spec.hostname,
            "CLAB_INTFS": str(links),
            **sanitizers,
            **spec.env,
        }

    # --- one node's stages

    def life(self, spec: NodeSpec) -> Iterator[None]:
        waiting = [places for node in self.topology.nodes.values() for places in node.wait_for.values()]
        awaited = {place for places in waiting for place in places}
        steps = {
            "create": self.create,
            "create-links": self.await_links,
            "configure": self.configure,
            "healthy": self.await_health,
            "exit": self.await_exit,
        }
        for stage in STAGES:
            if stage in ("healthy", "exit") and (spec.name, stage) not in awaited:
                continue
            while not self.may_enter(spec, stage):
                yield
            yield from self.execute(spec.name, spec.stage_exec.get((stage, "on-enter"), []))
            yield from steps[stage](spec)
            yield from self.execute(spec.name, spec.stage_exec.get((stage, "on-exit"), []))
            self.done.add((spec.name, stage))

    def may_enter(self, spec: NodeSpec, stage: str) -> bool:
        awaited = list(spec.wait_for.get(stage, []))
        if stage == "create" and spec.network_of:
            awaited.append((spec.network_of, "create"))
        return all(place in self.done for place in awaited)

    def create(self, spec: NodeSpec) -> Iterator[None]:
        namespace = self.state.nodes[spec.name].namespace
        if spec.kind == "bridge":
            wiring.batch(wiring.bridge(spec.bridge_name), namespace)
            return
        not_before = time.monotonic() + spec.startup_delay
        while time.monotonic() < not_before:
            yield
        image = self.images[spec.name]
        inside = _Inside(self, spec.name)
        started = time.monotonic()
        if spec.entrypoint or spec.cmd:
            argv = [*spec.entrypoint, *spec.cmd]
            inside.start(Path(argv[0]).name, argv)
        elif image.needs_cmd:
            raise LabError(f"image {spec.image} needs `cmd`: which of its programs to run")
        elif image.boot:
            yield from image.boot(inside)
        processes = self.state.nodes[spec.name].processes
        if processes:
            self.report(spec.name, f"{', '.join(processes)} up after {time.monotonic() - started:.2f} s")

    def await_links(self, spec: NodeSpec) -> Iterator[None]:
        self.ready_for_links.add(spec.name)
        while any(end.node == spec.name for link in self.pending_links for end in link.ends):
            yield

    def configure(self, spec: NodeSpec) -> Iterator[None]:
        yield from self.execute(spec.name, spec.exec)

    def execute(self, name: str, commands: list[list[str]]) -> Iterator[None]:
        """As containerlab does, a command that fails is said and the lab goes on.

        One shell runs them all, each word quoted, so that a node costs one entry into its namespaces."""
        if not commands:
            return
        script = "".join(
            f"printf '%s\\n' {shlex.quote(f'$ {shlex.join(argv)}')}; {shlex.join(argv)} || echo \"# exit $?\"\n"
            for argv in commands
        )
        log = self.state.directory / "logs" / name / "exec.log"
        with log.open("ab") as output:
            start = output.tell()
            child = self.nodes[name].popen(["sh", "-c", script], stdout=output, stderr=output)
            while child.poll() is None:
                yield
        said = log.read_bytes()[start:].decode(errors="replace")
        for command, outcome in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*?)# exit \d+$", said, re.MULTILINE):
            self.warn(f"node {name}: exec: `{command}` failed: {' '.join(outcome.split())}")

    def await_health(self, spec: NodeSpec) -> Iterator[None]:
        check = spec.healthcheck
        assert check is not None  # the reader has seen to it
        deadline = time.monotonic() + check.start_period + check.interval * check.retries
        while not (yield from self.healthy(spec.name, check)):
            if time.monotonic() > deadline:
                raise LabError(f"not healthy: `{' '.join(check.test)}` has failed {check.retries} times")
            yield
        self.report(spec.name, "healthy")

    def healthy(self, name: str, check: HealthCheck) -> Iterator[None]:
        child = self.nodes[name].popen(check.test, stdout=-3, stderr=-3)
        deadline = time.monotonic() + check.timeout
        while child.poll() is None:
            if time.monotonic() > deadline:
                child.kill()
            yield
        return child.returncode == 0

    def await_exit(self, spec: NodeSpec) -> Iterator[None]:
        node = self.nodes[spec.name]
        while any(node.running(process) for process in node.record.processes):
            yield

    # --- links

    def make_links(self) -> bool:
        ready = [link for link in self.pending_links if all(end.node in self.ready_for_links for end in link.ends)]
        if not ready:
            return False
        wiring.batch(self.link_command(link) for link in ready)
        after: dict[str, list[str]] = {}
        for end in (end for link in ready for end in link.ends):
            spec = self.topology.nodes[end.node]
            master = f" master {spec.bridge_name}" if spec.kind == "bridge" else ""
            namespace = self.state.nodes[end.node].namespace
            after.setdefault(namespace, []).append(f"link set dev {end.interface}{master} up")
        for namespace, lines in after.items():
            wiring.batch(lines, namespace)
        self.pending_links = [link for link in self.pending_links if link not in ready]
        self.report("lab", f"{len(ready)} link{'s' if len(ready) > 1 else ''} made")
        return True

    def link_command(self, link: Link) -> str:
        ends = [(self.state.nodes[end.node].namespace, end.interface, end.mac) for end in link.ends]
        if len(ends) == 1:
            return wiring.dummy(ends[0], link.mtu)
        return wiring.veth(ends[0], ends[1], link.mtu)

    # --- what went wrong

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self.report("warning", text)

    def check_processes(self) -> None:
        for name, node in self.nodes.items():
            for process in node.record.processes:
                status = node.exit_status(process)
                if status is not None and (name, "exit") not in self.done:
                    self.warn(f"node {name}: {process} has ended with {status}{self.log_tail(name)}")

    def log_tail(self, name: str, lines: int = 8) -> str:
        text = ""
        for process, log in self.nodes[name].logs().items():
            if log.strip():
                tail = "\n".join(f"    {line}" for line in log.strip().splitlines()[-lines:])
                text += f"\n  {name} {process}.log:\n{tail}"
        return text


class _Inside:
    """A node as its image's boot sees it (images.Inside)."""

    def __init__(self, bring_up: BringUp, name: str) -> None:
        self._bring_up = bring_up
        self._name = name
        self._node = bring_up.nodes[name]

    def start(self, process: str, argv: list[str], env: dict[str, str] | None = None) -> object:
        return self._node.start(process, argv, env)

    def running(self, process: str) -> bool:
        return self._node.running(process)

    def path(self, inside: str) -> Path:
        return self._node.path(inside)

    def execute(self, argv: list[str]) -> Iterator[None]:
        return self._bring_up.execute(self._name, [argv])

    def note(self, text: str) -> None:
        self._bring_up.report("note", f"node {self._name}: {text}")


def check_images(topology: Topology, bin_dir: Path) -> list[str]:
    """Everything about images that would fail later, said before anything is made."""
    problems = []
    for spec in topology.nodes.values():
        if spec.kind != "linux":
            continue
        where = f"{topology.path}: node {spec.name}:"
        try:
            image: Image = images.find(spec.image)
        except LabError as error:
            problems.append(f"{where} {error}")
            continue
        if image.needs_cmd and not spec.cmd and not spec.entrypoint:
            problems.append(f"{where} `cmd` is required for image {spec.image}: which of its programs to run")
        problems += [f"{where} image {spec.image} needs {missing} here" for missing in images.missing_programs(image)]
        program = [*spec.entrypoint, *spec.cmd][:1]
        if image.needs_cmd and program and "/" not in program[0] and not (bin_dir / program[0]).exists():
            problems.append(f"{where} there is no {program[0]} in {bin_dir}: build it (./dev build) or set HERALD_BIN")
    return problems


def _numeric_owner(options: str) -> str:
    def number(match: re.Match[str]) -> str:
        try:
            account = pwd.getpwnam(match[2])
        except KeyError:
            return f"{match[1]}=0"
        return f"{match[1]}={account.pw_uid if match[1] == 'uid' else account.pw_gid}"

    return re.sub(r"(uid|gid)=([a-z_]\w*)", number, options)
