# SPDX-License-Identifier: Apache-2.0
"""A process by pid *and* start time, so that a recycled pid is never taken for one of ours."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    pid: int
    start: int  # clock ticks since boot, field 22 of /proc/PID/stat

    @staticmethod
    def of(pid: int) -> "Identity":
        return Identity(pid, _start_time(pid) or 0)

    def alive(self) -> bool:
        return _start_time(self.pid) == self.start

    def send(self, number: int) -> bool:
        """Sends the signal if the process still is the one recorded; says whether it did."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def await_exit(self, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                return False
            meanwhile()
            time.sleep(0.002)
        return True

    def end(self, seconds: float = 5.0) -> None:
        """Kills and waits until the kernel has let go of it."""
        self.send(signal.SIGKILL)
        self.await_exit(seconds)


def _start_time(pid: int) -> int | None:
    """None for a process that does not run: gone, or a zombie nobody has waited for.

    The first thread may be a zombie while others still hold the process's sockets: that is alive."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        ended = fields[0] in (b"Z", b"X") and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if ended else int(fields[19])


def in_network_namespaces(paths: Iterable[Path]) -> list[Identity]:
    """Every process inside one of the network namespaces that the paths stand for."""
    wanted = {(status.st_dev, status.st_ino) for status in map(_status, paths) if status}
    found = []
    for entry in Path("/proc").iterdir() if wanted else ():
        if entry.name.isdigit():
            status = _status(entry / "ns" / "net")
            if status and (status.st_dev, status.st_ino) in wanted:
                found.append(Identity.of(int(entry.name)))
    return found


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
