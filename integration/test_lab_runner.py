# SPDX-License-Identifier: Apache-2.0
"""The lab runner itself (tools/lab), on small topologies without Herald.

      a --eth1---eth1-- b        and, where a test needs it, a switch:   a --- sw --- b
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integration.harness import PATIENCE, fetch, holds, pings, poll, running
from tools import lab as labs
from tools.lab import Lab, LabError, TopologyError, reader, sandbox, state
from tools.lab.process import Identity

REPOSITORY = Path(__file__).resolve().parents[1]
SWITCHED = """
topology:
  defaults: {kind: linux, image: "alpine:3"}
  nodes:
    a: {exec: [ip addr add 10.9.0.1/24 dev eth1]}
    b: {exec: [ip addr add 10.9.0.2/24 dev eth1]}
"""
ALPINE = "kind: linux, image: 'alpine:3'"
ONE = "topology:\n  nodes: {a: {kind: linux, image: 'alpine:3'}}\n  links: "
PAIR = SWITCHED + """
  links:
    - endpoints: ["a:eth1", "b:eth1"]
"""


def write(directory: Path, body: str, name: str = "runner") -> Path:
    path = directory / f"{name}.clab.yml"
    path.write_text(f"name: {name}\n{body}")
    return path


def command_line(*words: str, **options: object) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "tools.lab", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(argv, cwd=REPOSITORY, text=True, **pipes, **options)


def namespaces(lab_name: str) -> list[str]:
    return [entry.name for entry in Path("/run/netns").iterdir() if entry.name.startswith(f"clab-{lab_name}-")]


def nothing_left(lab_name: str) -> bool:
    assert namespaces(lab_name) == []
    assert not (state.ROOT / lab_name).exists()
    return True


# --- topology files


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("imgae: x", "unknown field `imgae`"),
        ("startup-config: x", "field `startup-config` is not supported here"),
        ("network-mode: host", "`network-mode: host` is not supported here"),
        ("network-mode: 'container:x'", "`network-mode: container:x` must name a linux node"),
        ("binds: ['missing:/x']", "missing does not exist"),
        ("binds: ['.:relative']", "`binds`: .:relative: must be SOURCE:/ABSOLUTE/TARGET"),
        ("exec: [\"echo 'x\"]", "`exec`: No closing quotation"),
        ("exec: ip link", "`exec` must be a list of strings"),
        ("env: [A]", "`env` must be a mapping, got a list"),
        ("user: frr", "`user`: processes here run as root"),
        ("healthcheck: {test: ['true']}", "`healthcheck.test` must be [CMD"),
        ("stages: {build: {}}", "unknown stage `build`"),
        ("stages: {create: {wait-for: [{node: b, stage: create}]}}", "there is no node `b`"),
        ("stages: {create: {wait-for: [{node: a, stage: configure}]}}", "nodes wait for each other"),
        ("stages: {exit: {wait-for: [{node: a, stage: healthy}]}}", "a has no `healthcheck`"),
        ("stages: {create: {exec: [{command: ls, phase: on-exit, target: host}]}}", "target `host` is not supported"),
        ("image: 'acme/router:1'", "image `acme/router:1` has no local stand-in"),
        ("image: 'herald:latest'", "`cmd` is required for image herald:latest"),
        ("image: 'herald:latest', cmd: herald-nonesuch", "there is no herald-nonesuch in"),
        ("image: null", "`image` is required for kind linux"),
        ("kind: nokia_srlinux", "kind `nokia_srlinux` is not run here (known: linux, bridge)"),
        ("kind: null", "`kind` is required"),
    ],
)
def test_a_wrong_field_is_refused_by_node_and_name(tmp_path: Path, fields: str, message: str) -> None:
    given = {key.split(":")[0] for key in re.findall(r"(?:^|, )(\w+):", fields)}
    usual = {"kind": "linux", "image": "'alpine:3'"}
    node = ", ".join([*(f"{key}: {value}" for key, value in usual.items() if key not in given), fields])
    with pytest.raises(TopologyError) as refused:
        Lab.up(write(tmp_path, f"topology: {{nodes: {{a: {{{node}}}}}}}"), bin_dir=tmp_path)
    [problem] = refused.value.problems
    assert problem.startswith(f"{tmp_path}/runner.clab.yml") and message in problem
    assert "node a" in problem or "nodes wait" in problem


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("topologie: {}\ntopology: {nodes: {a: {kind: bridge}}}", "lab: unknown field `topologie`"),
        ("mgmt: {ipv4-subnet: x}\ntopology: {nodes: {a: {kind: bridge}}}", "mgmt: `ipv4-subnet`: Expected 4 octets"),
        ("topology: {nodes: {}}", "`nodes` is required"),
        ("topology: {nodes: {a: {kind: linux, kind: bridge}}}", "not YAML: `kind` is given twice"),
        ("topology: {nodes: {'br|b': {kind: bridge, network-mode: none}}}", "is named `br|NODE`"),
        ("topology: [", "not YAML"),
        (ONE + "[{endpoints: ['a:eth1', 'z:eth1']}]", "link 0: endpoint `z:eth1`: there is no node `z`"),
        (ONE + "[{endpoints: ['a:eth1', 'host:x']}]", "link 0: endpoint `host:x`: `host` is not supported here"),
        (ONE + "[{endpoints: ['a:eth1', 'a:eth0']}]", "link 0: endpoint `a:eth0`: eth0 is the management interface"),
        (ONE + "[{endpoints: ['a:eth1', 'a']}]", "link 0: endpoint `a:`: must be NODE:INTERFACE"),
        (ONE + "[{endpoints: ['a:eth1', 'a:eth1']}]", "link 0: a:eth1 is already used by link 0"),
        (ONE + "[{endpoints: ['a:eth1']}]", "link 0: needs two `endpoints`"),
        (ONE + "[{endpoints: ['a:eth1', 'a:eth2'], mtu: 5}]", "link 0: `mtu` must be a number from 68 to 65535"),
        (ONE + "[{type: vxlan, endpoint: {}}]", "link 0: link type `vxlan` is not supported here"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(TopologyError) as refused:
        reader.read(write(tmp_path, body))
    assert [problem for problem in refused.value.problems if message in problem], refused.value.problems


def test_all_problems_of_a_file_are_reported_with_their_lines(tmp_path: Path) -> None:
    lines = ["topology:", "  nodes:", "    a:", "      kind: linux", "      image: alpine:3", "      colour: red"]
    body = "\n".join([*lines, "    b:", "      kind: vyos"])
    with pytest.raises(TopologyError) as refused:
        reader.read(write(tmp_path, body))
    assert [problem.split(": ", 1)[0].rpartition(":")[2] for problem in refused.value.problems] == ["7", "9"]


def test_node_wins_over_group_over_kind_over_defaults(tmp_path: Path) -> None:
    body = """
topology:
  defaults: {kind: linux, image: "alpine:3", env: {A: default, B: default, C: default, D: default}, exec: ["echo 1"]}
  kinds: {linux: {env: {B: kind, C: kind, D: kind}, exec: ["echo 2"]}}
  groups: {g: {image: "busybox:1", env: {C: group, D: group}, exec: ["echo 3"]}}
  nodes: {a: {group: g, env: {D: node}, exec: ["echo 4"]}, b: }
"""
    nodes = reader.read(write(tmp_path, body)).nodes
    assert nodes["a"].env == {"A": "default", "B": "kind", "C": "group", "D": "node"}
    assert nodes["a"].exec == [["echo", number] for number in "1234"]
    assert (nodes["a"].image, nodes["b"].image) == ("busybox:1", "alpine:3")


def test_variables_are_substituted_as_containerlab_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_IMAGE", "busybox:1")
    images = "{a: {image: '${LAB_IMAGE:=alpine:3}'}, b: {image: '${LAB_OTHER:=alpine:3}'}}"
    body = f"topology: {{defaults: {{kind: linux}}, nodes: {images}}}"
    nodes = reader.read(write(tmp_path, body)).nodes
    assert (nodes["a"].image, nodes["b"].image) == ("busybox:1", "alpine:3")


def test_what_only_decorates_a_container_is_ignored_and_said(tmp_path: Path) -> None:
    body = "topology: {nodes: {a: {kind: linux, image: 'alpine:3', memory: 1g, labels: {x: y}, ports: ['80:80']}}}"
    assert reader.read(write(tmp_path, body)).notes == ["node a: ignored: memory, ports"]


def without_foreign_patterns(mapping: dict[str, object]) -> dict[str, object]:
    """JSON Schema's regular expressions are ECMAScript's; those that Python does not have are left out."""
    pattern = mapping.get("pattern")
    return {key: value for key, value in mapping.items() if key != "pattern" or "\\p{" not in str(pattern)}


def test_our_labs_are_valid_by_containerlabs_schema(test_data: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    yaml = pytest.importorskip("yaml")
    text = (test_data / "containerlab" / "clab.schema.json").read_text()
    schema = json.loads(text, object_hook=without_foreign_patterns)
    topologies = sorted(REPOSITORY.glob("deploy/containerlab/*/*.clab.yml"))
    assert topologies
    for topology in topologies:
        jsonschema.validate(yaml.safe_load(topology.read_text()), schema)
        reader.read(topology)


# --- a running lab


def test_the_public_frr01_lab_runs_as_it_is(test_data: Path) -> None:
    with running(test_data / "containerlab" / "frr01" / "frr01.clab.yml") as lab:
        for number in "123":
            router = lab.node(f"router{number}")

            def both_full() -> bool:
                neighbours = router.json("vtysh -c 'show ip ospf neighbor json'")["neighbors"]
                return [entry[0]["nbrState"].split("/")[0] for entry in neighbours.values()] == ["Full", "Full"]

            poll(both_full, 60, what=f"router{number} full with both neighbours")
        for source, target in (("PC1", 12), ("PC2", 13), ("PC3", 11)):
            address = f"192.168.{target}.2"
            poll(lambda: pings(lab.node(source), address), 30, what=f"{source} reaches {address}")


def test_nodes_see_their_own_host_name_processes_and_interfaces(tmp_path: Path) -> None:
    with running(write(tmp_path, PAIR)) as lab:
        a = lab.node("a")
        assert a.run("hostname").stdout == "a\n"
        assert a.run("cat /proc/1/comm").stdout == "sh\n"
        assert sorted(a.run("ls /sys/class/net").stdout.split()) == ["eth0", "eth1", "lo"]
        poll(lambda: pings(a, "10.9.0.2"), 10)
        poll(lambda: pings(a, "b"), 10, what="nodes find each other by name over the management network")


def test_files_written_in_a_node_stay_in_it(tmp_path: Path) -> None:
    with running(write(tmp_path, PAIR)) as lab:
        paths = ("/etc/herald-lab-test", "/var/log/herald-lab-test", "/run/herald-lab-test")
        lab.node("a").run(["touch", *paths])
        for path in paths:
            assert not Path(path).exists()
            assert lab.node("b").run(["cat", path], check=False).returncode != 0
            assert lab.node("a").path(path).exists()


def test_binds_appear_where_they_should_and_read_only_ones_are(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("bound\n")
    (tmp_path / "tree").mkdir()
    body = f"topology: {{nodes: {{a: {{{ALPINE}, binds: ['in.txt:/opt/new/place/f:ro', 'tree:/srv/tree']}}}}}}"
    with running(write(tmp_path, body)) as lab:
        a = lab.node("a")
        assert a.run("cat /opt/new/place/f").stdout == "bound\n"
        assert a.run("sh -c 'echo x > /opt/new/place/f'", check=False).returncode != 0
        a.run("touch /srv/tree/made-inside")
        assert (tmp_path / "tree" / "made-inside").exists()
        assert not Path("/opt/new").exists()


def test_environment_command_and_sysctls_reach_the_process(tmp_path: Path) -> None:
    body = """
topology:
  nodes:
    a:
      kind: linux
      image: alpine:3
      network-mode: none
      hostname: other
      env: {WORD: hello, FLAG: true}
      sysctls: {net.ipv6.conf.default.accept_dad: 0, net.ipv4.fib_multipath_hash_policy: 1}
      entrypoint: sh -c
      cmd: "'echo $$WORD $$FLAG; exec sleep 99'"
"""
    path = write(tmp_path, body.replace("$$", "${DOLLAR:=$}"))
    with running(path) as lab:
        a = lab.node("a")
        poll(lambda: "hello true" in a.log("sh"), 5)
        assert a.running("sh")
        assert a.run("sysctl -n net.ipv4.fib_multipath_hash_policy net.ipv6.conf.default.accept_dad").stdout == "1\n0\n"
        assert a.run("hostname").stdout == "other\n"
        assert a.run("ls /sys/class/net").stdout == "lo\n"


def test_a_failing_exec_is_said_and_the_lab_goes_on(tmp_path: Path) -> None:
    body = f"topology: {{nodes: {{a: {{{ALPINE}, exec: ['ip link show dev nonesuch', 'touch /tmp/after']}}}}}}"
    with Lab.up(write(tmp_path, body), name=f"runner-{os.getpid()}") as lab:
        assert len(lab.warnings) == 1
        assert lab.warnings[0] == 'node a: exec: `ip link show dev nonesuch` failed: Device "nonesuch" does not exist.'
        assert lab.node("a").path("/tmp/after").exists()


def test_exec_is_not_a_shell(tmp_path: Path) -> None:
    commands = "['touch $HOME x && touch y', \"sh -c 'touch p && touch q'\"]".replace("$HOME", "${DOLLAR:=$}HOME")
    with running(write(tmp_path, f"topology: {{nodes: {{a: {{{ALPINE}, exec: {commands}}}}}}}")) as lab:
        made = {entry.name for entry in lab.node("a").path("/").iterdir() if entry.is_file()}
        assert {"$HOME", "x", "&&", "touch", "y", "p", "q"} <= made


@pytest.mark.parametrize(
    ("switch", "port"),
    [
        ("    sw: {kind: bridge}", "sw"),
        ('    "sw|s": {kind: bridge, network-mode: "container:s"}\n    s: {network-mode: none}', "sw|s"),
    ],
    ids=["own", "in-a-node"],
)
def test_a_bridge_switches_without_touching_the_host(tmp_path: Path, switch: str, port: str) -> None:
    links = f'[{{endpoints: ["a:eth1", "{port}:p1"]}}, {{endpoints: ["b:eth1", "{port}:p2"]}}]'
    body = f"{SWITCHED}{switch}\n  links: {links}\n"
    before = sorted(os.listdir("/sys/class/net"))
    with running(write(tmp_path, body)) as lab:
        # A port forwards only when the kernel has told the bridge of its carrier, up to a second later.
        assert poll(lambda: pings(lab.node("a"), "10.9.0.2"), 10)
        assert sorted(os.listdir("/sys/class/net")) == before


def test_link_attributes_are_set(tmp_path: Path) -> None:
    body = """
topology:
  defaults: {kind: linux, image: "alpine:3"}
  nodes: {a: , b: }
  links:
    - type: veth
      endpoints: [{node: a, interface: lan0, mac: "02:00:00:00:00:0a"}, {node: b, interface: lan0}]
      mtu: 1400
    - endpoints: ["a:eth1", "b:eth1"]
"""
    with running(write(tmp_path, body)) as lab:
        interfaces = {entry["ifname"]: entry for entry in lab.node("a").json("ip -json link")}
        assert (interfaces["lan0"]["address"], interfaces["lan0"]["mtu"]) == ("02:00:00:00:00:0a", 1400)
        assert interfaces["eth1"]["mtu"] == 9500


def test_a_node_can_live_in_the_network_of_another(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("from the sidecar\n")
    body = """
topology:
  defaults: {kind: linux, image: "python:3"}
  nodes:
    web: {network-mode: "container:a", cmd: python3 -m http.server -d /www 80, binds: ["index.html:/www/index.html"]}
    a:
    b:
"""
    with running(write(tmp_path, body)) as lab:
        assert poll(lambda: fetch(lab.node("b"), "a"), 10) == "from the sidecar"
        assert lab.node("web").run("hostname").stdout == "web\n"


def test_stages_hold_a_node_back_until_another_is_healthy(tmp_path: Path) -> None:
    body = """
topology:
  defaults: {kind: linux, image: "alpine:3"}
  nodes:
    late:
      cmd: sh -c "date +%s%N > /tmp/started; exec sleep 99"
      stages:
        create: {wait-for: [{node: early, stage: healthy}]}
        configure: {exec: {on-exit: ["touch /tmp/configured"]}}
    early:
      exec: ["sh -c '(sleep 0.3; date +%s%N > /tmp/ready) &'"]
      healthcheck: {test: [CMD-SHELL, "test -s /tmp/ready"], interval: 1, retries: 10}
"""
    with running(write(tmp_path, body)) as lab:
        # Both by the same clock: the times of files are up to a tick behind it.
        ready = int(lab.node("early").path("/tmp/ready").read_text())
        started = int(poll(lambda: lab.node("late").path("/tmp/started").read_text()))
        assert started > ready
        assert lab.node("late").path("/tmp/configured").exists()


def test_a_node_that_never_becomes_healthy_ends_the_lab_with_the_reason(tmp_path: Path) -> None:
    body = """
topology:
  defaults: {kind: linux, image: "alpine:3"}
  nodes:
    a: {healthcheck: {test: [CMD, "false"], interval: 1, retries: 1}}
    b: {stages: {create: {wait-for: [{node: a, stage: healthy}]}}}
"""
    name = f"runner-{os.getpid()}"
    with pytest.raises(LabError, match="node a: not healthy: `false` has failed"):
        Lab.up(write(tmp_path, body), name=name)
    assert nothing_left(name)


def test_processes_are_killed_started_again_and_links_cut(tmp_path: Path) -> None:
    body = PAIR.replace("a: {", "a: {cmd: sleep 99, ")
    with running(write(tmp_path, body)) as lab:
        a = lab.node("a")
        first = a.pid("sleep")
        a.kill("sleep")
        assert not a.running("sleep")
        a.start("sleep")
        assert a.running("sleep") and a.pid("sleep") != first
        assert a.stop("sleep") == -signal.SIGTERM
        with pytest.raises(LabError, match="there is no process nonesuch"):
            a.kill("nonesuch")
        lab.link_down("b", "eth1")
        assert a.run("ping -c1 -W1 10.9.0.2", check=False).returncode != 0
        lab.link_up("b", "eth1")
        poll(lambda: pings(a, "10.9.0.2"), 10)


def test_commands_report_status_output_and_timeouts(tmp_path: Path) -> None:
    with running(write(tmp_path, PAIR)) as lab:
        a = lab.node("a")
        assert a.run(["cat"], input="through").stdout == "through"
        assert a.run("sh -c 'exit 3'", check=False).returncode == 3
        with pytest.raises(LabError, match="a: `sh -c 'echo why >&2; exit 3'` ended with 3\nwhy"):
            a.run("sh -c 'echo why >&2; exit 3'")
        with pytest.raises(LabError, match="still ran after 0.2 s"):
            a.run("sleep 9", timeout=0.2)
        with pytest.raises(LabError, match="node a: there is no program `nonesuch`"):
            a.run("nonesuch")


# --- up and down


def test_down_is_idempotent_and_leaves_nothing(tmp_path: Path) -> None:
    lab = Lab.up(write(tmp_path, PAIR), name=f"runner-{os.getpid()}")
    init = lab.node("a").record.init
    lab.down()
    assert not init.alive()
    assert nothing_left(lab.name)
    lab.down()
    assert labs.down(lab.name) is False


def test_a_name_is_taken_once_and_another_name_runs_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path, PAIR)
    with running(path) as lab, running(path, name="other") as other:
        with pytest.raises(LabError, match="is already up"):
            Lab.up(path, name=lab.name)
        assert lab.node("a").alive and other.node("a").alive


def test_down_never_kills_a_process_that_only_has_a_recorded_pid(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "99"])
    lab = Lab.up(write(tmp_path, PAIR), name=f"runner-{os.getpid()}")
    try:
        real = lab.node("a").record.init
        lab.node("a").record.init = Identity(bystander.pid, 1)
        lab.state.save()
        labs.down(lab.name)
        assert bystander.poll() is None
        assert not real.alive(), "what really was in the lab is found by its namespace"
        assert nothing_left(lab.name)
    finally:
        bystander.kill()
        bystander.wait()


SLOW = """
topology:
  defaults: {kind: linux, image: "alpine:3"}
  nodes:
    a: {cmd: sleep 999, healthcheck: {test: [CMD, "false"], interval: 60, retries: 9}}
    b: {stages: {create: {wait-for: [{node: a, stage: healthy}]}}}
"""


def test_down_works_after_an_interrupt_within_a_nodes_pid_namespace(tmp_path: Path) -> None:
    lab = Lab.up(write(tmp_path, PAIR), name=f"runner-{os.getpid()}")
    try:
        # As far as an interrupt lets it come at worst: children would be born in a namespace that ends with the node.
        sandbox._children_in_pid_namespace(f"/proc/{lab.node('a').record.init.pid}/ns/pid").__enter__()
        lab.down()
        assert nothing_left(lab.name)
    finally:
        sandbox.keep_children_here()
        lab.down()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_cleans_up(tmp_path: Path, number: int) -> None:
    name = f"slow-{os.getpid()}"
    with command_line("up", str(write(tmp_path, SLOW)), "--name", name) as up:
        poll(lambda: Lab.open(name).node("a").running("sleep"), 20)
        pid = Lab.open(name).node("a").pid("sleep")
        up.send_signal(number)
        output, _ = up.communicate(timeout=20 * PATIENCE)
    assert up.returncode == 130, output
    assert "interrupted; cleaned up" in output
    assert not Path(f"/proc/{pid}").exists()
    assert nothing_left(name)


def test_a_killed_up_is_cleaned_by_the_next_one(tmp_path: Path) -> None:
    name = f"slow-{os.getpid()}"
    with command_line("up", str(write(tmp_path, SLOW)), "--name", name) as up:
        poll(lambda: Lab.open(name).node("a").running("sleep"), 20)
        left = Lab.open(name).node("a").record.init
        up.kill()
    assert left.alive()
    with Lab.up(write(tmp_path, PAIR), name=name) as lab:
        assert not left.alive()
        assert lab.node("b").alive
    assert nothing_left(name)


def test_the_command_line_starts_lists_enters_and_ends_a_lab(tmp_path: Path) -> None:
    name = f"cli-{os.getpid()}"
    path = write(tmp_path, PAIR.replace("a: {", "a: {cmd: sleep 999, "))
    with command_line("up", str(path), "--name", name) as up:
        output, _ = up.communicate(timeout=30 * PATIENCE)
    try:
        assert up.returncode == 0, output
        assert f"{name} is up" in output and "\033" not in output
        with command_line("list", name, "-o", "json") as listing:
            rows = {row["node"]: row for row in json.loads(listing.communicate()[0])["processes"]}
        assert (rows["a"]["process"], rows["a"]["state"]) == ("sleep", "running")
        with command_line("exec", name, "b", "--", "sh", "-c", "cat; exit 7", stdin=subprocess.PIPE) as inside:
            assert inside.communicate("typed", timeout=10 * PATIENCE)[0] == "typed"
        assert inside.returncode == 7
        assert Path(f"/proc/{rows['a']['pid']}").exists()
    finally:
        with command_line("down", name) as ending:
            assert ending.communicate(timeout=20 * PATIENCE)[0] == f"{name}: down\n"
    assert nothing_left(name)
    with command_line("exec", name, "b", "--", "true") as missing:
        assert f"lab {name} is not up" in missing.communicate(timeout=10 * PATIENCE)[0]
    assert missing.returncode == 1


def test_a_lab_outlives_the_command_that_started_it_but_not_a_dead_test(tmp_path: Path) -> None:
    name = f"orphan-{os.getpid()}"
    script = f"from tools.lab import Lab; Lab.up({str(write(tmp_path, PAIR))!r}, name={name!r})"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)
    assert Lab.open(name).node("a").alive
    assert name in labs.clear_leftovers()
    assert nothing_left(name)


def test_runs_that_start_together_do_not_clear_the_same_lab(tmp_path: Path) -> None:
    name = f"orphan-{os.getpid()}"
    script = f"from tools.lab import Lab; Lab.up({str(write(tmp_path, PAIR))!r}, name={name!r})"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)
    clear = [sys.executable, "-c", "from tools import lab; print(*lab.clear_leftovers())"]
    together = [subprocess.Popen(clear, cwd=REPOSITORY, stdout=-1, stderr=-2, text=True) for _ in range(4)]
    said = [one.communicate(timeout=30 * PATIENCE)[0] for one in together]
    assert [one.returncode for one in together] == [0] * 4, said
    assert sum(name in words.split() for words in said) == 1, said
    assert nothing_left(name)


def test_poll_says_what_it_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(AssertionError, match="still not: the moon; last answer: 0"):
        poll(lambda: 0, 0.2, what="the moon")
    assert time.monotonic() - began < 2 * PATIENCE
    with pytest.raises(AssertionError, match="the sun did not hold at look 1"):
        holds(lambda: False, 0.2, what="the sun")
