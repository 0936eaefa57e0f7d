# SPDX-License-Identifier: Apache-2.0
"""The record of a running lab: /run/herald-lab/NAME/state.json, written whole at every change.

It is all that `down` needs, so an interrupted or killed `up` can always be cleaned. Does nothing to processes."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import LabError
from .process import Identity

ROOT = Path("/run/herald-lab")


@dataclass
class ProcessRecord:
    identity: Identity
    argv: list[str]
    log: str
    ended: int | None = None  # exit status where it is known


@dataclass
class NodeRecord:
    kind: str
    image: str
    namespace: str  # name under /run/netns
    init: Identity | None = None
    env: dict[str, str] = field(default_factory=dict)
    processes: dict[str, ProcessRecord] = field(default_factory=dict)


@dataclass
class State:
    name: str
    topology: str
    phase: str  # "starting" or "up"
    owner: Identity  # who runs `up`; with `bound`, the lab does not outlive it
    bound: bool
    namespaces: list[str]  # all that `down` removes
    nodes: dict[str, NodeRecord]

    @property
    def directory(self) -> Path:
        return ROOT / self.name

    def save(self) -> None:
        draft = self.directory / "state.json.new"
        draft.write_text(json.dumps(asdict(self), indent=1))
        draft.replace(self.directory / "state.json")

    @property
    def abandoned(self) -> bool:
        """Nobody is left who will finish or end it."""
        return not self.owner.alive() and (self.bound or self.phase == "starting")


def claim(state: State) -> None:
    """Takes the lab's name; fails if somebody has it."""
    ROOT.mkdir(exist_ok=True)
    try:
        state.directory.mkdir()
    except FileExistsError:
        raise LabError(f"lab {state.name} is already up; end it with: ./dev lab down {state.name}") from None
    state.save()


def load(name: str) -> State | None:
    try:
        raw = json.loads((ROOT / name / "state.json").read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LabError(f"{ROOT / name / 'state.json'}: {error}") from error
    nodes = {
        node: NodeRecord(
            record["kind"],
            record["image"],
            record["namespace"],
            _identity(record["init"]),
            record["env"],
            {
                process: ProcessRecord(Identity(**entry["identity"]), entry["argv"], entry["log"], entry["ended"])
                for process, entry in record["processes"].items()
            },
        )
        for node, record in raw["nodes"].items()
    }
    owner = Identity(**raw["owner"])
    return State(raw["name"], raw["topology"], raw["phase"], owner, raw["bound"], raw["namespaces"], nodes)


def names() -> list[str]:
    return sorted(entry.name for entry in ROOT.iterdir() if entry.is_dir()) if ROOT.is_dir() else []


@contextlib.contextmanager
def clearing() -> Iterator[None]:
    """One at a time on this machine: two that take the same abandoned lab down would be in each other's way."""
    ROOT.mkdir(exist_ok=True)
    with (ROOT / ".clearing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def release(name: str) -> None:
    shutil.rmtree(ROOT / name, ignore_errors=True)


def myself() -> Identity:
    return Identity.of(os.getpid())


def _identity(raw: dict[str, int] | None) -> Identity | None:
    return Identity(**raw) if raw else None
