# SPDX-License-Identifier: Apache-2.0
"""Herald's programs by themselves, in one network namespace that ends with the test: no lab, no other daemons."""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integration.harness import PATIENCE, poll

BIN = Path(os.environ.get("HERALD_BIN", Path(__file__).resolve().parents[1] / "build" / "release" / "bin")).resolve()
ROUTERS = ("10.0.0.1", "10.0.0.2")
# A service with an address, and what announces it.
SERVICE = """
---
apiVersion: herald.dev/v1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: herald.dev/v1
kind: BGPAdvertisement
metadata: {name: web}
spec: {ipAddressPools: [web], localPref: 100}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {type: LoadBalancer, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.80}]}}
"""
_numbers = itertools.count(1)


class Program:
    """A daemon that runs in a host's namespace; its standard error is a file."""

    def __init__(self, words: list[str], log: Path, environment: dict[str, str]) -> None:
        self._log = log
        with open(log, "wb") as stream:
            self.process = subprocess.Popen(words, stdout=stream, stderr=stream, env=environment)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def says(self, pattern: str, *, times: int = 1) -> str:
        """The log, once the pattern (of `re`) has been in it so many times."""

        def said() -> str:
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.log()}"
            text = self.log()
            assert len(re.findall(pattern, text)) >= times, text
            return text

        return poll(said, 20, what=f"the log says {pattern!r}")

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Its exit code; minus the signal when that ended it."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20 * PATIENCE)


class Host:
    """A network namespace with nothing but loopback, which has the addresses of two routers, and a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.netns = f"herald-{os.getpid()}-{next(_numbers)}"
        self.programs: list[Program] = []
        # Nothing of the caller's own setup may answer for the programs.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("HERALD_")}
        self.environment["PATH"] = f"{BIN}:{self.environment['PATH']}"

    def words(self, *words: str | Path) -> list[str]:
        return ["ip", "netns", "exec", self.netns, *map(str, words)]

    def run(self, *words: str | Path, input: str | None = None, code: int | None = 0,
            environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs to the end; with another exit code than the one given, the test fails. None: any."""
        done = subprocess.run(self.words(*words), input=input, capture_output=True, text=True, timeout=20 * PATIENCE,
                              cwd=self.folder, env={**self.environment, **(environment or {})})
        assert code is None or done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def start(self, *words: str | Path, ready: bool = True, environment: dict[str, str] | None = None) -> Program:
        log = self.folder / f"{Path(words[0]).name}-{len(self.programs)}.log"
        program = Program(self.words(*words), log, {**self.environment, **(environment or {})})
        self.programs.append(program)
        if ready:
            program.says(r"(event=| info )ready\b")
        return program

    def speaker(self, node: str, *words: str | Path, **options: Any) -> Program:
        """With its control socket at NODE.sock in the folder."""
        control = f"unix:{self.folder / node}.sock"
        return self.start("herald-speaker", "--node", node, "--control", control, *words, **options)

    def ctl(self, *words: str | Path, node: str | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
        """heraldctl, with the folder's api.sock as server and a node's socket as control."""
        where: list[str | Path] = ["--server", f"unix:{self.folder}/api.sock"]
        if node is not None:
            where += ["--control", f"unix:{self.folder / node}.sock"]
        return self.run("heraldctl", *where, *words, **options)

    def json(self, *words: str | Path, node: str | None = None) -> Any:
        return json.loads(self.ctl(*words, "-o", "json", node=node).stdout)

    def write(self, name: str, text: str) -> Path:
        """A file of the folder, replaced at once, as editors do."""
        path = self.folder / name
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(text)
        fresh.rename(path)
        return path


@contextlib.contextmanager
def host(folder: Path) -> Iterator[Host]:
    one = Host(folder)
    subprocess.run(["ip", "netns", "add", one.netns], check=True)
    try:
        one.run("ip", "link", "set", "lo", "up")
        for address in ROUTERS:
            one.run("ip", "address", "add", f"{address}/32", "dev", "lo")
        yield one
    finally:
        for program in one.programs:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.stop(signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", one.netns], check=False)


def router(asn: int, address: str, peer: str, peer_asn: int, *, prefixes: str = "") -> str:
    """Resources of one of two routers that speak over loopback, and program no kernel."""
    return f"""
apiVersion: herald.dev/v1
kind: BGPConfiguration
metadata: {{name: default}}
spec:
  asn: {asn}
  routerID: {address}
  listen: {{addresses: [{address}]}}
  kernel: {{install: false}}
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {{name: other}}
spec: {{peerASN: {peer_asn}, peerAddress: {peer}, sourceAddress: {address}, connectTime: 1s, import: [accept-all]}}
---
apiVersion: herald.dev/v1
kind: BGPAdvertisement
metadata: {{name: own}}
spec: {{prefixes: [{prefixes}]}}
"""
