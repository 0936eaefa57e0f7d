# SPDX-License-Identifier: Apache-2.0
"""A running node: run commands in it, start, stop and kill its processes, cut its links.

Works from the recorded state alone, so that it serves the process that started the lab and any later one alike."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from . import sandbox, wiring
from .errors import LabError
from .process import Identity
from .state import NodeRecord, ProcessRecord, State

Command = str | Sequence[str]


class Node:
    def __init__(self, name: str, state: State) -> None:
        self.name = name
        self._state = state
        self._children: dict[str, subprocess.Popen[Any]] = {}
        self._commands: list[subprocess.Popen[Any]] = []

    @property
    def record(self) -> NodeRecord:
        return self._state.nodes[self.name]

    @property
    def namespace(self) -> str:
        """The network namespace's name, for `ip netns exec` and `ip -n`."""
        return self.record.namespace

    @property
    def alive(self) -> bool:
        if self.record.kind == "bridge":
            return (sandbox.NETNS / self.namespace).exists()
        return self.record.init is not None and self.record.init.alive()

    # --- commands

    def run(
        self, command: Command, *, check: bool = True, timeout: float = 30, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command (words, or one string split as a shell would, but with no shell) and gives its text output."""
        argv = _words(command)
        what = f"{self.name}: `{shlex.join(argv)}`"
        pipe = subprocess.PIPE
        source = pipe if input is not None else subprocess.DEVNULL
        child = self._spawn(argv, stdin=source, stdout=pipe, stderr=pipe, text=True)
        try:
            output, errors = child.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            output, errors = child.communicate()
            raise LabError(f"{what} still ran after {timeout} s\n{output}{errors}") from None
        if check and child.returncode != 0:
            raise LabError(f"{what} ended with {child.returncode}\n{output}{errors}".rstrip())
        return subprocess.CompletedProcess(argv, child.returncode, output, errors)

    def json(self, command: Command, *, timeout: float = 30) -> Any:
        """Runs a command that prints JSON."""
        text = self.run(command, timeout=timeout).stdout
        try:
            return json.loads(text)
        except ValueError as error:
            raise LabError(f"{self.name}: `{command}` printed no JSON ({error}):\n{text}") from None

    def popen(self, command: Command, **options: Any) -> "subprocess.Popen[Any]":
        """subprocess.Popen in the node; it ends with the lab at the latest."""
        options.setdefault("stdin", subprocess.DEVNULL)
        self._commands = [child for child in self._commands if child.poll() is None]
        self._commands.append(self._spawn(_words(command), **options))
        return self._commands[-1]

    def interactive(self, argv: Sequence[str]) -> int:
        """Runs a command on this terminal; gives its exit status as a shell would."""
        keep = {"TERM": os.environ["TERM"]} if "TERM" in os.environ else {}
        child = self._spawn(list(argv), start_new_session=False, env=keep)
        while True:
            try:
                status = child.wait()
                return 128 - status if status < 0 else status
            except KeyboardInterrupt:
                continue  # the terminal has sent it to the command too; its answer counts

    # --- processes

    def start(self, process: str, command: Command | None = None, env: dict[str, str] | None = None) -> Identity:
        """Starts a long-lived process; without a command, the one recorded under that name starts again."""
        known = self.record.processes.get(process)
        if known and known.identity.alive():
            raise LabError(f"{self.name}: {process} already runs")
        if command is None:
            command = self._process(process).argv
        argv = _words(command)
        directory = self._state.directory / "logs" / self.name
        directory.mkdir(parents=True, exist_ok=True)
        log = directory / f"{process}.log"
        with log.open("ab") as output:
            identity = self._start(process, argv, {**self.record.env, **(env or {})}, output)
        self.record.processes[process] = ProcessRecord(identity, argv, str(log))
        self._state.save()
        return identity

    def kill(self, process: str, number: int = signal.SIGKILL, *, timeout: float = 10) -> None:
        """Sends a signal; for SIGKILL and SIGTERM returns when the process is gone."""
        identity = self._process(process).identity
        if not identity.send(number):
            raise LabError(f"{self.name}: {process} does not run")
        ends = number in (signal.SIGKILL, signal.SIGTERM)
        if ends and not identity.await_exit(timeout, self.reap):
            raise LabError(f"{self.name}: {process} still runs {timeout} s after signal {number}")

    def stop(self, process: str, *, timeout: float = 10) -> int | None:
        """SIGTERM, then waits; gives the exit status when this process started it."""
        self.kill(process, signal.SIGTERM, timeout=timeout)
        return self.exit_status(process)

    def running(self, process: str) -> bool:
        return process in self.record.processes and self._process(process).identity.alive()

    def exit_status(self, process: str) -> int | None:
        """None while it runs, and when another process (or the node's PID 1) is its parent."""
        child = self._children.get(process)
        return child.poll() if child else None

    def pid(self, process: str) -> int:
        return self._process(process).identity.pid

    def log(self, process: str) -> str:
        return Path(self._process(process).log).read_text(errors="replace")

    def logs(self) -> dict[str, str]:
        directory = self._state.directory / "logs" / self.name
        return {path.stem: path.read_text(errors="replace") for path in sorted(directory.glob("*.log"))}

    # --- file system and links

    def path(self, inside: str) -> Path:
        """A file of the node, as a path that is good out here."""
        with self._named_errors():
            return sandbox.inside(self._init(), inside)

    def link_down(self, interface: str) -> None:
        wiring.batch([f"link set dev {interface} down"], self.namespace)

    def link_up(self, interface: str) -> None:
        wiring.batch([f"link set dev {interface} up"], self.namespace)

    # --- within

    def adopt(self, init: "subprocess.Popen[Any]") -> None:
        """Takes the node's freshly started PID 1."""
        self._children["init"] = init
        self.record.init = Identity.of(init.pid)
        self._state.save()

    def reap(self) -> None:
        """Collects children that have ended; the kernel ends a PID namespace only when all are collected."""
        for child in [*self._children.values(), *self._commands]:
            child.poll()

    def _start(self, process: str, argv: list[str], env: dict[str, str], output: IO[bytes]) -> Identity:
        options: dict[str, Any] = {"stdout": output, "stderr": output}
        options |= {"stdin": subprocess.DEVNULL, "start_new_session": True}
        with self._named_errors():
            if not (self._state.bound and self._state.owner.pid == os.getpid()):
                return Identity.of(sandbox.spawn_detached(self._init(), argv, env, **options))
            self._children[process] = sandbox.spawn(self._init(), argv, env, **options)
            return Identity.of(self._children[process].pid)

    def _spawn(self, argv: list[str], **options: Any) -> "subprocess.Popen[Any]":
        options.setdefault("start_new_session", True)
        environment = {**self.record.env, **options.pop("env", {})}
        with self._named_errors():
            return sandbox.spawn(self._init(), argv, environment, **options)

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except LabError as error:
            raise LabError(f"node {self.name}: {error}") from None

    def _init(self) -> Identity:
        if self.record.init is None:
            what = "a bridge has no processes" if self.record.kind == "bridge" else "it has not been started"
            raise LabError(what)
        return self.record.init

    def _process(self, name: str) -> ProcessRecord:
        try:
            return self.record.processes[name]
        except KeyError:
            known = ", ".join(self.record.processes) or "none"
            raise LabError(f"{self.name}: there is no process {name} (known: {known})") from None


def _words(command: Command) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
