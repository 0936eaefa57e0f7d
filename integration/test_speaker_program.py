# SPDX-License-Identifier: Apache-2.0
"""herald-speaker as a program: command line, exit codes, signals, reload, what it leaves behind.

    herald-speaker 10.0.0.1 --- BGP over loopback --- 10.0.0.2 herald-speaker
"""

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.harness import holds, poll
from integration.programs import SERVICE, Host, host, router

PLAIN = router(65001, "10.0.0.1", "10.0.0.2", 65002, prefixes="198.51.100.0/24")
OTHER = router(65002, "10.0.0.2", "10.0.0.1", 65001, prefixes="203.0.113.0/24")
BAD_PEER = """
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {name: broken}
spec: {peerASN: 65001, peerAddress: 10.0.0.9, holdTime: 2s}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path) as one:
        yield one


# --- reading and printing, without running


def test_check_is_silent_and_0_when_all_is_well(world: Host) -> None:
    done = world.run("herald-speaker", "--check", "--resources", world.write("r1.yaml", PLAIN))
    assert (done.stdout, done.stderr) == ("", "")


def test_check_says_every_mistake_and_is_2(world: Host) -> None:
    path = world.write("r1.yaml", PLAIN + BAD_PEER + BAD_PEER.replace("broken", "worse").replace("2s", "90"))
    done = world.run("herald-speaker", "--check", "--resources", path, code=2)
    lines = done.stdout.splitlines()
    assert len(lines) == 2, lines
    assert lines[0] == (f"{path}:25:57: BGPPeer/broken spec.holdTime: must be 0 or at least 3 s, got 2 s")
    assert "BGPPeer/worse spec.holdTime: must be a duration with its unit, such as 90s; got the number 90" in lines[1]


def test_check_judges_as_the_node(world: Host) -> None:
    path = world.write("r1.yaml", PLAIN + """
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {name: same}
spec: {peerASN: 65002, peerAddress: 10.0.0.2, nodeSelectors: [{matchLabels: {kubernetes.io/hostname: r9}}]}
""")
    assert world.run("herald-speaker", "--node", "r1", "--check", "--resources", path).stdout == ""
    assert "BGPPeer/same" in world.run("herald-speaker", "--node", "r9", "--check", "--resources", path, code=2).stdout


def test_a_file_that_is_not_there_is_named(world: Host) -> None:
    for option in ("--check", "--print-config"):
        done = world.run("herald-speaker", option, "--resources", "/nope.yaml", code=2)
        assert "/nope.yaml: cannot be read: No such file or directory" in done.stdout + done.stderr


def test_print_config_reads_back_to_itself(world: Host) -> None:
    for folder in sorted(Path(__file__).resolve().parents[1].glob("tests/golden/config/0[12]-*.in.yaml")):
        once = world.run("herald-speaker", "--print-config", "--resources", folder).stdout
        assert once
        again = world.run("herald-speaker", "--print-config", "--resources", world.write("again.yaml", once)).stdout
        assert again == once


def test_print_config_prints_what_runs(world: Host) -> None:
    path = world.write("r1.yaml", PLAIN + BAD_PEER)
    done = world.run("herald-speaker", "--print-config", "--resources", path, code=2)
    assert "name: other" in done.stdout and "broken" not in done.stdout
    assert "BGPPeer/broken spec.holdTime" in done.stderr


def test_a_folder_is_a_set(world: Host) -> None:
    (world.folder / "set").mkdir()
    for number, text in enumerate(PLAIN.split("---\n")):
        world.write(f"set/{number}.yaml", text)
    world.write("set/notes.txt", "not YAML: [")
    world.run("herald-speaker", "--check", "--resources", world.folder / "set")


# --- usage


@pytest.mark.parametrize(("words", "said"), [
    ([], "--resources, --api or --kubernetes is needed"),
    (["--check"], "--check and --print-config read --resources"),
    (["--print-config", "--api", "unix:/x"], "--check and --print-config read --resources"),
    (["--resources", "x", "--api", "unix:/x"], "--api"),
    (["--token-file", "x", "--resources", "x"], "--token-file"),
    (["--resources", "x", "--heartbeat", "5"], "5"),
    (["--resources", "x", "--log-level", "loud"], '--log-level: must be debug, info, warning, error or none, got "loud"'),
    (["--resources", "x", "--log-format", "xml"], '--log-format: must be text or json, got "xml"'),
    (["--resources", "x", "--control", "127.0.0.1:9999"], '--control: must be unix:PATH, got "127.0.0.1:9999"'),
    (["--frobnicate"], "--frobnicate"),
    (["--api", "ftp://x"], "--api: "),
    (["--resources", "/nope.yaml"], "/nope.yaml"),
    (["--resources", "/dev/null", "--control", "tcp:1"], "tcp:1"),
    (["--resources", "/dev/null", "--control", "unix:/dev/null/x.sock"], "/dev/null"),
    (["--resources", "/dev/null", "--metrics", "everywhere"], "--metrics: everywhere"),
])
def test_usage_and_configuration_errors_are_2(world: Host, words: list[str], said: str) -> None:
    done = world.run("herald-speaker", *words, code=2)
    assert said in done.stderr, done.stderr


def test_help_and_version_are_0(world: Host) -> None:
    shown = world.run("herald-speaker", "--help").stdout
    assert "--resources" in shown
    assert all(c.isprintable() or c == "\n" for c in shown), repr(shown)
    assert world.run("herald-speaker", "--version").stdout.startswith("herald-speaker ")


@pytest.mark.parametrize("program", ["herald-speaker", "herald-controller"])
def test_every_option_is_in_the_manual(world: Host, program: str) -> None:
    options = set(re.findall(r"(?:^|[ ,])--([a-z-]+)", world.run(program, "--help").stdout))
    manual = (Path(__file__).resolve().parents[1] / "docs" / "man" / f"{program}.8").read_text()
    assert options and not {option for option in options - {"help", "version"} if f"Fl -{option}" not in manual}


def test_a_metrics_port_that_is_taken_is_named(world: Host) -> None:
    path = world.write("r1.yaml", PLAIN)
    world.speaker("r1", "--resources", path, "--metrics", "127.0.0.1:7473")
    done = world.run("herald-speaker", "--resources", path, "--metrics", "127.0.0.1:7473", code=2)
    assert "127.0.0.1:7473" in done.stderr and "in use" in done.stderr


# --- running


def test_ready_is_one_line_and_told_to_the_supervisor(world: Host) -> None:
    notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notifications.bind(str(world.folder / "notify"))
    notifications.settimeout(20)
    one = world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN), "--log-format", "json", ready=False,
                        environment={"NOTIFY_SOCKET": str(world.folder / "notify")})
    assert notifications.recv(100) == b"READY=1"
    ready = [line for line in map(json.loads, one.log().splitlines()) if "ready" in line.values()]
    assert len(ready) == 1 and ready[0]["node"] == "r1", one.log()
    assert one.stop() == 0
    assert notifications.recv(100) == b"STOPPING=1"
    notifications.close()


def test_metrics_and_health_are_served(world: Host) -> None:
    world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN), "--metrics", "127.0.0.1:7473")
    assert "herald_" in world.run("curl", "-sf", "http://127.0.0.1:7473/metrics").stdout
    world.run("curl", "-sf", "http://127.0.0.1:7473/healthz")
    world.run("curl", "-sf", "http://127.0.0.1:7473/peers", code=22)


def test_the_control_socket_is_the_owners_alone(world: Host) -> None:
    one = world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN))
    assert os.stat(world.folder / "r1.sock").st_mode & 0o777 == 0o600
    assert one.stop() == 0
    # What a crash left there does not hinder the next start.
    one = world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN))
    assert one.stop(signal.SIGKILL) == -signal.SIGKILL
    assert world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN)).stop() == 0


def meet(world: Host) -> None:
    def both() -> bool:
        for node in ("r1", "r2"):
            assert world.json("peers", node=node)["peers"][0]["state"] == "Established"
        return True

    poll(both, 20, what="r1 and r2 meet")


def test_sigterm_leaves_in_order_and_says_so_to_neighbours(world: Host) -> None:
    one = world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN))
    world.speaker("r2", "--resources", world.write("r2.yaml", OTHER))
    meet(world)
    assert one.stop() == 0
    assert "leaving" in one.log()

    def told() -> bool:
        reset = world.json("peers", node="r2")["peers"][0]["lastReset"]
        assert reset["by"] == "remote" and reset["code"] == 6, reset
        # Both have graceful restart, so the shutdown is a hard reset: RFC 8538 section 3.
        assert "Cease/Hard Reset (Cease/Administrative Shutdown)" in json.dumps(reset), reset
        return True

    poll(told, what="Cease/Administrative Shutdown")


def test_sighup_and_a_changed_file_reload_without_a_bounce(world: Host) -> None:
    one = world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN))
    world.speaker("r2", "--resources", world.write("r2.yaml", OTHER))
    meet(world)
    count = world.json("peers", node="r2")["peers"][0]["establishedCount"]
    one.process.send_signal(signal.SIGHUP)
    one.says("resources read again")

    def learned() -> set[str]:
        return {route["prefix"] for route in world.json("routes", "best", node="r2")["routes"]}

    world.write("r1.yaml", PLAIN.replace("198.51.100.0/24", "198.51.100.0/24, 192.0.2.0/24"))
    poll(lambda: "192.0.2.0/24" in learned(), what="the new prefix is announced")
    assert world.json("peers", node="r2")["peers"][0]["establishedCount"] == count


def test_a_broken_file_keeps_what_runs(world: Host) -> None:
    one = world.speaker("r1", "--resources", world.write("r1.yaml", PLAIN))
    world.speaker("r2", "--resources", world.write("r2.yaml", OTHER))
    meet(world)
    world.write("r1.yaml", "apiVersion: [")
    one.says("not valid YAML")
    holds(lambda: world.json("peers", node="r2")["peers"][0]["state"] == "Established", 1, what="the session stays")
    problems = world.json("status", node="r1")["problems"]
    assert any("not valid YAML" in problem and "stay in force" in problem for problem in problems), problems
    world.write("r1.yaml", PLAIN + BAD_PEER)
    one.says("BGPPeer/broken")
    assert world.json("peers", node="r2")["peers"][0]["state"] == "Established"
    problems = world.json("status", node="r1")["problems"]
    assert any("BGPPeer/broken" in problem and "spec.holdTime" in problem for problem in problems), problems
    assert not any("not valid YAML" in problem for problem in problems), problems


# --- the kernel


def test_cleanup_leaves_nothing_of_ours_and_all_of_others(world: Host) -> None:
    world.run("ip", "route", "add", "198.18.0.0/24", "dev", "lo", "proto", "static")
    path = world.write("r1.yaml", PLAIN + SERVICE)
    own = world.speaker("r1", "--resources", path, "--bind-service-ips")

    def addresses() -> str:
        return world.run("ip", "address", "show", "dev", "lo").stdout

    poll(lambda: "192.0.2.80/32" in addresses(), what="the service's address is bound")
    assert own.stop(signal.SIGKILL) == -signal.SIGKILL  # a crash cleans nothing up
    assert "192.0.2.80/32" in addresses()
    done = world.run("herald-speaker", "--cleanup")
    assert done.stdout == "removed 0 routes, 0 nexthop objects and 1 service addresses\n"
    assert "192.0.2.80" not in addresses() and "10.0.0.1/32" in addresses()
    assert "198.18.0.0/24" in world.run("ip", "route", "show").stdout
    done = world.run("herald-speaker", "--cleanup")
    assert done.stdout == "removed 0 routes, 0 nexthop objects and 0 service addresses\n"
