# SPDX-License-Identifier: Apache-2.0
"""What all benchmarks that need a network use: namespaces, processes in them, what those cost, and figures as text."""

import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("HERALD_BIN", ROOT / "build" / "release" / "bin"))
SECOND_OF_TICKS = os.sysconf("SC_CLK_TCK")


class RigError(Exception):
    """A benchmark cannot go on; the message says why."""


def progress(text: str) -> None:
    """One line on standard error, so that standard output holds nothing but results."""
    print(f"  {text}", file=sys.stderr, flush=True)


def program(name: str) -> Path:
    path = PROGRAMS / name
    if not path.exists():
        raise RigError(f"{path} is missing: build it first, or let ./dev bench do it")
    return path


def run(arguments: Sequence[object], **options: object) -> str:
    """Output of a command that must succeed."""
    done = subprocess.run([str(one) for one in arguments], text=True, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise RigError(f"{' '.join(map(str, arguments))}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait(what: str, holds: Callable[[], object], seconds: float = 30, pause: float = 0.01) -> float:
    """Seconds until the condition holds; a RigError past the deadline."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise RigError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(pause)
    return time.monotonic() - began


class Process:
    """A program in a network namespace, with its standard output and error in a file each."""

    def __init__(self, namespace: str, name: str, arguments: Sequence[object], folder: Path, **options: object) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with open(self.log, "w") as errors:
            options.setdefault("stdout", errors)
            self.child = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{namespace}", "--", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stderr=errors,
                **options,
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def alive(self) -> bool:
        return self.child.poll() is None

    def ending(self) -> str:
        return f"{self.name} ended with {self.child.returncode}: {self.log.read_text()[-2000:].strip()}"

    def said(self, text: str) -> bool:
        if not self.alive():
            raise RigError(self.ending())
        return text in self.log.read_text()

    def stop(self, seconds: float = 15) -> None:
        if not self.alive():
            return
        inherited = descendants(self.pid)
        self.child.terminate()
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        for pid in inherited:  # what a daemon left behind
            if os.path.exists(f"/proc/{pid}"):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def descendants(pid: int) -> list[int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        children = [child for child, of in parents.items() if of == parent]
        found += children
        waiting += children
    return found


def processor_seconds(pid: int) -> float:
    """User and system time to the nanosecond, where /proc/PID/stat only counts ticks."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_kib(pid: int, key: str = "VmRSS") -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    raise RigError(f"process {pid} has no {key}")


def kernel_routes(pid: int) -> int:
    """IPv4 prefixes in the main table of a process's network namespace."""
    text = Path(f"/proc/{pid}/net/fib_triestat").read_text()
    main = text.find("Main:")
    return int(text[text.index("Prefixes:", main) + 9 :].split(maxsplit=1)[0]) if main >= 0 else 0


class Rig:
    """Namespaces, processes and files of one run. Everything is gone when the run is, however it ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="herald-bench-"))
        self.folder.chmod(0o777)  # daemons that drop privileges write here, too
        self.namespaces: list[str] = []
        self.processes: list[Process] = []

    def namespace(self, name: str) -> str:
        """Makes a namespace; the name it has on this machine."""
        full = f"hb{os.getpid()}-{name}"
        run(["ip", "netns", "add", full])
        self.namespaces.append(full)
        self.ip(full, ["link set lo up"])
        return full

    def ip(self, namespace: str, commands: Iterable[str]) -> None:
        run(["ip", "-n", namespace, "-batch", "-"], input="\n".join(commands) + "\n")

    def spawn(self, namespace: str, name: str, arguments: Sequence[object], **options: object) -> Process:
        process = Process(namespace, name, arguments, self.folder, **options)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in reversed(self.processes):
            process.stop()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def rig() -> Iterator[Rig]:
    if os.geteuid() != 0:
        raise RigError("this benchmark makes network namespaces: run it as root")

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    previous = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    here = Rig()
    try:
        yield here
    except RigError as error:
        logs = [f"--- {one.name}\n{one.log.read_text()[-1500:]}" for one in here.processes if one.log.stat().st_size]
        raise RigError("\n".join([str(error), *logs])) from error
    finally:
        here.close()
        for number, handler in previous.items():
            signal.signal(number, handler)


# --- figures


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below `share` of all."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """median (min–max)"""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def verdict(value: float, limit: float) -> str:
    return "met" if value <= limit else "MISSED"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown, with columns as wide as their widest cell."""
    cells = [list(header), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main(program_main: Callable[[], None]) -> None:
    try:
        program_main()
    except RigError as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
