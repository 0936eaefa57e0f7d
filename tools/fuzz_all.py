#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target for so many seconds of processor time, one on each processor, and says how each ended.

    tools/fuzz_all.py SECONDS [TARGET...]     targets that had their time already are left out: build/fuzz/clean says which

Called by `./dev fuzz --all`, which builds them. Processor time, so that work beside it costs a target nothing; an interrupted
run goes on where it was. Exit code 1: some target found something, and its input is named."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUZZ = ROOT / "build/fuzz"
TICKS = os.sysconf("SC_CLK_TCK")
CLEAR_LINE = "\r\033[K" if sys.stdout.isatty() else ""


def say(text: str, end: str = "\n") -> None:
    """Where the progress stands, on a terminal."""
    print(CLEAR_LINE + text, end=end, flush=True)


def processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass
class Target:
    name: str
    before: float = 0  # seconds of earlier runs of this program
    child: subprocess.Popen | None = None

    @property
    def program(self) -> Path:
        return FUZZ / "bin" / self.name

    @cached_property
    def record(self) -> Path:
        """Seconds that this very program ran without a finding: one of other code begins anew, one built again from the same goes on."""
        return FUZZ / "clean" / f"{self.name}-{hashlib.sha256(self.program.read_bytes()).hexdigest()[:16]}"

    @property
    def log(self) -> Path:
        return FUZZ / "clean" / f"{self.name}.log"

    def start(self) -> None:
        found = FUZZ / "corpus" / self.name
        found.mkdir(parents=True, exist_ok=True)
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.before = float(self.record.read_text()) if self.record.exists() else 0
        # The limit is of the clock, and others may have the processor meanwhile.
        words = [str(self.program), "-timeout=600", "-rss_limit_mb=2048", f"-artifact_prefix={FUZZ}/{self.name}-", str(found),
                 str(ROOT / "tests/fuzz/corpus" / self.name)]
        with self.log.open("a") as log:
            self.child = subprocess.Popen(["nice", "-n", "19", *words], stdout=log, stderr=log)

    def spent(self) -> float:
        assert self.child
        total = self.before + processor_seconds(self.child.pid)
        if self.child.poll() is None:
            self.record.write_text(f"{total:.0f}")
        return total

    def stop(self) -> None:
        assert self.child
        self.child.send_signal(signal.SIGINT)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def run(names: list[str], seconds: float) -> list[str]:
    """Names of the targets that found something."""
    waiting, running, bad = [Target(name) for name in names], [], []
    total = len(waiting)
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                target = waiting.pop(0)
                target.start()
                running.append(target)
            time.sleep(1)
            times = [(target, target.spent()) for target in running]
            if CLEAR_LINE:
                say(", ".join(f"{target.name} {spent:.0f} of {seconds:.0f} s" for target, spent in times), end="\r")
            for target, spent in times:
                assert target.child
                ended = target.child.poll() is not None
                if not ended and spent < seconds:
                    continue
                running.remove(target)
                if ended:
                    bad.append(target.name)
                    say(f"{target.name}: found something after {spent:.0f} s: see {target.log}")
                else:
                    target.stop()
                    done = total - len(waiting) - len(running)
                    say(f"{target.name}: {spent:.0f} s of processor time, clean ({done} of {total})")
    finally:
        for target in running:
            target.stop()
    return bad


def main() -> None:
    seconds = float(sys.argv[1])
    all_targets = sorted(path.stem for path in (ROOT / "tests/fuzz").glob("*_fuzz.cpp"))
    names = sys.argv[2:] or all_targets
    if unknown := set(names) - set(all_targets):
        sys.exit(f"no fuzz target named {', '.join(sorted(unknown))}; there are: {' '.join(all_targets)}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if bad := run(names, seconds):
        sys.exit(f"findings: {' '.join(bad)}")


if __name__ == "__main__":
    main()
