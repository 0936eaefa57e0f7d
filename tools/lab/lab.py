# SPDX-License-Identifier: Apache-2.0
"""A lab as a whole: up, found again, down. This is the interface for tests, the demo and the command line."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from . import bringup, process, reader, sandbox, state, wiring
from .errors import LabError, TopologyError
from .node import Node
from .state import NodeRecord, State
from .topology import Topology

REPOSITORY = Path(__file__).resolve().parents[2]
OUR_LABS = REPOSITORY / "deploy" / "containerlab"


def topology_path(name_or_path: str | Path) -> Path:
    """`demo` means deploy/containerlab/demo/demo.clab.yml; anything that looks like a file is taken as one."""
    text = str(name_or_path)
    if text.endswith((".yml", ".yaml")):
        return Path(text)
    path = OUR_LABS / text / f"{text}.clab.yml"
    if not path.exists():
        raise LabError(f"there is no lab `{text}` (known: {', '.join(known())}; or give the path of a .clab.yml file)")
    return path


def known() -> list[str]:
    return sorted(entry.parent.name for entry in OUR_LABS.glob("*/*.clab.yml"))


def bin_directory() -> Path:
    return Path(os.environ.get("HERALD_BIN") or REPOSITORY / "build" / "release" / "bin").resolve()


class Lab:
    """A running lab. As a context manager it is taken down at the end, whatever happens."""

    def __init__(self, lab_state: State) -> None:
        self.state = lab_state
        self.nodes = {name: Node(name, lab_state) for name in lab_state.nodes}
        self.warnings: list[str] = []  # commands of `exec` that failed, processes that ended at once
        self.notes: list[str] = []  # what of the file was ignored

    @property
    def name(self) -> str:
        return self.state.name

    @staticmethod
    def up(
        name_or_path: str | Path,
        *,
        name: str | None = None,
        bin_dir: Path | None = None,
        bound: bool = True,
        report: bringup.Report = lambda subject, text: None,
    ) -> "Lab":
        """Runs a topology. With `bound` the lab counts as left over once this process is gone."""
        binaries = bin_dir or bin_directory()
        topology = reader.read(topology_path(name_or_path), name)
        problems = bringup.check_images(topology, binaries)
        if problems:
            raise TopologyError(problems)
        if os.geteuid() != 0:
            raise LabError("network namespaces need root")
        if shutil.which("ip") is None:
            raise LabError("there is no `ip`: install iproute2")
        _clear_abandoned(topology.name)
        lab = Lab(_initial_state(topology, bound))
        lab.notes = topology.notes
        for note in topology.notes:
            report("note", note)
        state.claim(lab.state)
        try:
            work = bringup.BringUp(topology, lab.state, lab.nodes, binaries, report)
            work.run()
            lab.warnings = work.warnings
            lab.state.phase = "up"
            lab.state.save()
        except BaseException:
            lab.down()
            raise
        return lab

    @staticmethod
    def open(name: str) -> "Lab":
        found = state.load(name)
        if found is None:
            raise LabError(f"lab {name} is not up (running: {', '.join(state.names()) or 'none'})")
        return Lab(found)

    def node(self, name: str) -> Node:
        try:
            return self.nodes[name]
        except KeyError:
            raise LabError(f"lab {self.name} has no node {name} (known: {', '.join(self.nodes)})") from None

    def link_down(self, node: str, interface: str) -> None:
        self.node(node).link_down(interface)

    def link_up(self, node: str, interface: str) -> None:
        self.node(node).link_up(interface)

    def logs(self) -> dict[str, dict[str, str]]:
        """node -> process -> everything it has said."""
        return {name: node.logs() for name, node in self.nodes.items()}

    def down(self) -> None:
        """Ends every process, removes every namespace and the record. Harmless when it is already down."""
        _take_down(self.state, self._reap)

    def _reap(self) -> None:
        for node in self.nodes.values():
            node.reap()

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_: object) -> None:
        self.down()


def down(name: str) -> bool:
    """Takes a lab down by name; says whether there was anything to do."""
    found = state.load(name)
    if found is not None:
        _take_down(found)
        return True
    existed = (state.ROOT / name).is_dir()
    state.release(name)
    return existed


def clear_leftovers() -> list[str]:
    """Takes down every lab that nobody will: its `up` was killed, or the test that owned it."""
    return [name for name in state.names() if _clear_abandoned(name)]


def _clear_abandoned(name: str) -> bool:
    with state.clearing():
        found = state.load(name)
        if found is None or not found.abandoned:
            return False
        _take_down(found)
        return True


def _initial_state(topology: Topology, bound: bool) -> State:
    nodes = {}
    for spec in topology.nodes.values():
        owner = spec.network_of or spec.name
        nodes[spec.name] = NodeRecord(spec.kind, spec.image, topology.container_name(owner))
    namespaces = list(dict.fromkeys(record.namespace for record in nodes.values()))
    if any(spec.management for spec in topology.nodes.values()):
        namespaces.append(topology.container_name("mgmt.switch"))
    return State(topology.name, str(topology.path), "starting", state.myself(), bound, namespaces, nodes)


def _take_down(found: State, reap: Callable[[], None] = lambda: None) -> None:
    sandbox.keep_children_here()
    inits = [record.init for record in found.nodes.values() if record.init]
    # PID 1 of a node takes everything in its PID namespace along.
    for init in inits:
        init.send(9)
    for init in inits:
        init.await_exit(5, reap)
    reap()
    # An `up` killed between starting a PID 1 and recording it: still inside a namespace that is on record.
    for straggler in process.in_network_namespaces(sandbox.NETNS / name for name in found.namespaces):
        straggler.end()
    wiring.remove_namespaces(found.namespaces)
    state.release(found.name)
