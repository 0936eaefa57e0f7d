# SPDX-License-Identifier: Apache-2.0
"""The command line: `./dev lab up|down|exec|list`."""

import argparse
import json
import os
import signal
import sys
import time

from . import lab as labs
from . import state
from .errors import LabError
from .lab import Lab


class Console:
    """One line per step with the time since the start; colour only on a terminal."""

    COLOURS = {"lab": "1", "warning": "33", "note": "2"}

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def __call__(self, subject: str, text: str) -> None:
        elapsed = self.paint("2", f"{time.monotonic() - self.began:6.2f} s")
        who = self.paint(self.COLOURS.get(subject, "36"), f"{subject:<10}")
        print(f"{elapsed}  {who} {text}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.action(options))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; cleaned up", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    what = "Run containerlab topologies here, in network namespaces."
    parser = argparse.ArgumentParser(prog="./dev lab", description=what)
    actions = parser.add_subparsers(required=True, metavar="up|down|exec|list")
    up = actions.add_parser("up", help="start a lab: a name from deploy/containerlab or a .clab.yml file")
    up.add_argument("lab")
    up.add_argument("--name", help="run it under another name")
    up.set_defaults(action=_up)
    down = actions.add_parser("down", help="end labs and remove all they left; harmless when they are down")
    down.add_argument("lab", nargs="*")
    down.add_argument("--all", action="store_true", help="every running lab")
    down.set_defaults(action=_down)
    execute = actions.add_parser("exec", help="run a command in a node (default: bash); its exit status is kept")
    execute.add_argument("lab")
    execute.add_argument("node")
    execute.add_argument("command", nargs=argparse.REMAINDER)
    execute.set_defaults(action=_exec)
    listing = actions.add_parser("list", help="what runs in labs that are up, and which could be")
    listing.add_argument("lab", nargs="?")
    listing.add_argument("-o", choices=["json"], dest="output")
    listing.set_defaults(action=_list)
    return parser


def _up(options: argparse.Namespace) -> int:
    def terminate(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
    console = Console()
    lab = Lab.up(options.lab, name=options.name, bound=False, report=console)
    first = next((name for name, node in lab.nodes.items() if node.record.kind == "linux"), "NODE")
    console("lab", f"{lab.name} is up; look around: ./dev lab exec {lab.name} {first} -- ip -br addr")
    return 1 if lab.warnings else 0


def _down(options: argparse.Namespace) -> int:
    names = state.names() if options.all else [_lab_name(text) for text in options.lab]
    if not names and not options.all:
        raise LabError("say which lab, or --all")
    for name in names:
        print(f"{name}: {'down' if labs.down(name) else 'was not up'}")
    return 0


def _exec(options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    return Lab.open(_lab_name(options.lab)).node(options.node).interactive(command or ["bash"])


def _list(options: argparse.Namespace) -> int:
    names = [_lab_name(options.lab)] if options.lab else state.names()
    rows = [row for name in names for row in _rows(Lab.open(name))]
    if options.output == "json":
        print(json.dumps({"schemaVersion": 1, "processes": rows}, indent=2))
        return 0
    if rows:
        _print_table(rows)
    others = [name for name in labs.known() if name not in names]
    if not options.lab and others:
        print(f"not up: {', '.join(others)}")
    return 0


def _print_table(rows: list[dict[str, object]]) -> None:
    headings = ["LAB", "NODE", "IMAGE", "PROCESS", "PID", "STATE"]
    table = [headings, *[[str(row[heading.lower()]) for heading in headings] for row in rows]]
    widths = [max(len(line[column]) for line in table) for column in range(len(headings))]
    console = Console()
    for line in table:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
        if line is headings:
            text = console.paint("1", text)
        elif line[-1] == "ended":
            text = console.paint("31", text)
        print(text)


def _rows(lab: Lab) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, node in lab.nodes.items():
        common = {"lab": lab.name, "node": name, "image": node.record.image or node.record.kind}
        running = {True: "running", False: "ended"}
        if not node.record.processes:
            pid = node.record.init.pid if node.record.init else "-"
            rows.append({**common, "process": "-", "pid": pid, "state": "up" if node.alive else "ended"})
        for process, entry in node.record.processes.items():
            state_of = running[entry.identity.alive()]
            rows.append({**common, "process": process, "pid": entry.identity.pid, "state": state_of})
    return rows


def _lab_name(text: str) -> str:
    """A lab may be named by its file too."""
    if not text.endswith((".yml", ".yaml")):
        return text
    return labs.reader.read(labs.topology_path(text)).name


if __name__ == "__main__":
    sys.exit(main())
