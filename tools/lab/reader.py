# SPDX-License-Identifier: Apache-2.0
"""Reads a containerlab topology file: inherits (node > group > kind > defaults), checks, resolves.

Everything wrong in a file is reported at once, each with file, line, node and field. A field that only matters to a
container engine is noted as ignored; one that would change what the lab does, and is not done here, is refused.
Must not know how a lab is run."""

import ipaddress
import re
import shlex
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from . import document
from .document import Mapping
from .errors import TopologyError
from .link_reader import LinkReader
from .problems import Problems, kind_of
from .topology import STAGES, Bind, HealthCheck, Management, NodeSpec, Topology

USED = frozenset(
    "kind group image exec binds env env-files entrypoint cmd sysctls hostname network-mode stages healthcheck "
    "startup-delay mgmt-ipv4 mgmt-ipv6 tmpfs aliases user".split()
)
# These tell a container engine how to fetch, confine or decorate a container. Nodes here run with all capabilities.
IGNORED = frozenset(
    "image-pull-policy restart-policy auto-remove labels runtime ports cpu cpu-set memory shm-size cap-add privileged "
    "devices security-opts cgroupns-mode cgroup-parent dns certificate link-apply-mode".split()
)
REFUSED = frozenset(
    "type license startup-config enforce-startup-config suppress-startup-config volumes credentials extras config "
    "components pid-mode".split()
)
# Not worth a word to the user: what they ask for holds here anyway.
SILENT = frozenset("labels cap-add privileged image-pull-policy auto-remove link-apply-mode".split())

LISTS = ("exec", "binds", "env-files", "aliases")  # joined over the layers
MAPS = ("env", "sysctls", "tmpfs", "labels")  # merged over the layers
ROOT_USER = ("root", "0", "0:0", "root:root")


def read(path: Path, name: str | None = None) -> Topology:
    """Reads and checks a topology file; `name` replaces the lab's own, so that two of the same can run side by side."""
    path = path.resolve()
    return _Reader(path, document.load(path)).topology(name)


class _Reader:
    """One pass over one file. Gives a topology only when it has found no problem."""

    def __init__(self, path: Path, root: Any) -> None:
        self.path = path
        self.root = root
        self.problems = Problems(path)

    def topology(self, name: str | None) -> Topology:
        if not isinstance(self.root, Mapping):
            text = f"must be a mapping with `name` and `topology`, got {kind_of(self.root)}"
            raise TopologyError([f"{self.path}: {text}"])
        self.refuse_others(self.root, "lab", {"name", "prefix", "mgmt", "topology", "settings", "debug"})
        lab_name = name or self.root.get("name")
        if not isinstance(lab_name, str) or not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]*", lab_name):
            self.problems.add(self.root, "name", "lab", "`name` is required: letters, digits, `-`, `_` and `.`")
            lab_name = "unnamed"
        if "topology" not in self.root:
            self.problems.add(None, "", "lab", "`topology` is required")
        if "settings" in self.root:
            self.problems.notes.append("settings: ignored")
        body = self.problems.mapping(self.root, "topology", "lab")
        self.refuse_others(body, "topology", {"nodes", "links", "kinds", "groups", "defaults"})
        nodes = self.nodes(body)
        links = LinkReader(self.problems, nodes).links(body)
        self.check_relations(nodes)
        management = self.management()
        if self.problems.found:
            raise TopologyError(self.problems.found)
        return Topology(self.path, lab_name, self.prefix(lab_name), management, nodes, links, self.problems.notes)

    def refuse_others(self, mapping: Mapping, subject: str, known: set[str]) -> None:
        for key in mapping:
            if key not in known:
                self.problems.add(mapping, key, subject, f"unknown field `{key}`")

    def prefix(self, lab_name: str) -> str:
        prefix = self.root.get("prefix", "clab")
        if prefix == "__lab-name":
            return f"{lab_name}-"
        return f"{prefix}-{lab_name}-" if prefix else ""

    def management(self) -> Management:
        settings = self.problems.mapping(self.root, "mgmt", "lab")
        for key in settings:
            if key not in {"ipv4-subnet", "ipv6-subnet", "mtu", "network"}:
                self.problems.notes.append(f"mgmt.{key}: ignored")
        networks: list[Any] = []
        for key, default, parse in (
            ("ipv4-subnet", "172.20.20.0/24", ipaddress.IPv4Network),
            ("ipv6-subnet", "3fff:172:20:20::/64", ipaddress.IPv6Network),
        ):
            text = settings.get(key, default)
            try:
                networks.append(parse(default if text == "auto" else text))
            except ValueError as error:
                self.problems.add(settings, key, "mgmt", f"`{key}`: {error}")
                networks.append(parse(default))
        return Management(networks[0], networks[1], int(settings.get("mtu", 1500)))

    # --- one node

    def nodes(self, body: Mapping) -> dict[str, NodeSpec]:
        described = self.problems.mapping(body, "nodes", "topology")
        if not described:
            self.problems.add(body, "nodes", "topology", "`nodes` is required and must name at least one node")
        return {str(name): self.node(body, str(name), described) for name in described}

    def node(self, body: Mapping, name: str, described: Mapping) -> NodeSpec:
        subject = f"node {name}"
        if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._|-]*", name):
            text = "the name may hold letters, digits, `-`, `_`, `.` and `|`"
            self.problems.add(described, name, subject, text)
        own = self.problems.mapping(described, name, subject)
        layers = self.layers(body, own)
        self.check_fields(layers, subject)
        merged = merge(layers)
        spec = NodeSpec(name=name, kind=str(merged.get("kind", "")))
        if spec.kind not in ("linux", "bridge"):
            given = f"kind `{spec.kind}` is not run here" if spec.kind else "`kind` is required"
            where, key = (own, "kind") if "kind" in own else (described, name)
            self.problems.add(where, key, subject, f"{given} (known: linux, bridge)")
            return spec
        self.network(spec, merged, own, subject)
        if spec.kind == "linux":
            if not isinstance(merged.get("image"), str):
                self.problems.add(described, name, subject, "`image` is required for kind linux")
            self.inside(spec, merged, own, subject)
        return spec

    def inside(self, spec: NodeSpec, merged: dict[str, Any], own: Mapping, subject: str) -> None:
        spec.image = str(merged.get("image", ""))
        spec.hostname = str(merged.get("hostname", spec.name))
        spec.startup_delay = float(merged.get("startup-delay", 0))
        spec.mgmt_ipv4 = str(merged.get("mgmt-ipv4", ""))
        spec.mgmt_ipv6 = str(merged.get("mgmt-ipv6", ""))
        spec.env = self.environment(merged, own, subject)
        spec.sysctls = {key: str(value) for key, value in merged.get("sysctls", {}).items()}
        spec.tmpfs = {key: str(value) for key, value in merged.get("tmpfs", {}).items()}
        spec.aliases = list(merged.get("aliases", []))
        spec.exec = [self.command(own, "exec", subject, text) for text in merged.get("exec", [])]
        spec.cmd = self.command(own, "cmd", subject, merged.get("cmd", ""))
        spec.entrypoint = self.command(own, "entrypoint", subject, merged.get("entrypoint", ""))
        spec.binds = self.binds(spec.name, merged, own, subject)
        spec.healthcheck = self.health(merged, own, subject)
        for stage, content in (merged.get("stages") or {}).items():
            self.stage(spec, stage, content or {}, own, subject)

    def layers(self, body: Mapping, own: Mapping) -> list[Mapping]:
        """Weakest first: defaults, kind, group, node."""
        defaults = self.problems.mapping(body, "defaults", "topology")
        kinds = self.problems.mapping(body, "kinds", "topology")
        groups = self.problems.mapping(body, "groups", "topology")
        group_name = own.get("group", defaults.get("group"))
        group = self.problems.mapping(groups, group_name, f"group {group_name}") if group_name else Mapping()
        kind_name = own.get("kind", group.get("kind", defaults.get("kind")))
        kind = self.problems.mapping(kinds, kind_name, f"kind {kind_name}") if kind_name in kinds else Mapping()
        if not group_name and kind.get("group"):
            group = self.problems.mapping(groups, kind["group"], f"group {kind['group']}")
        return [defaults, kind, group, own]

    def check_fields(self, layers: list[Mapping], subject: str) -> None:
        ignored = []
        for layer in layers:
            for key, value in layer.items():
                if key in IGNORED and key not in SILENT:
                    ignored.append(key)
                wrong = wrong_with_field(key, value)
                if wrong:
                    self.problems.add(layer, key, subject, wrong)
                    layer[key] = None
        if ignored:
            self.problems.notes.append(f"{subject}: ignored: {', '.join(dict.fromkeys(ignored))}")

    def network(self, spec: NodeSpec, merged: dict[str, Any], own: Mapping, subject: str) -> None:
        mode = str(merged.get("network-mode", "bridge"))
        if mode.startswith("container:"):
            spec.network_of = mode.removeprefix("container:")
            spec.management = False
        elif mode == "none" or spec.kind == "bridge":
            spec.management = False
        elif mode != "bridge":
            text = f"`network-mode: {mode}` is not supported here: nothing of the host is touched"
            self.problems.add(own, "network-mode", subject, text)
        if spec.kind != "bridge":
            return
        bridge, bar, parent = spec.name.partition("|")
        if (bar or spec.network_of) and parent != spec.network_of:
            text = f"a bridge inside a node is named `{bridge}|NODE` and has `network-mode: container:NODE`"
            self.problems.add(own, "network-mode", subject, text)
        if len(bridge) > 15:
            self.problems.add(own, "kind", subject, "an interface name has at most 15 characters")

    def environment(self, merged: dict[str, Any], own: Mapping, subject: str) -> dict[str, str]:
        environment: dict[str, str] = {}
        for file_name in merged.get("env-files", []):
            try:
                lines = (self.path.parent / file_name).read_text().splitlines()
            except OSError as error:
                self.problems.add(own, "env-files", subject, f"`env-files`: {file_name}: {error.strerror}")
                continue
            for line in lines:
                key, equals, value = line.strip().partition("=")
                if equals and not key.startswith("#"):
                    environment[key] = value
        for key, value in merged.get("env", {}).items():
            environment[str(key)] = str(value).lower() if isinstance(value, bool) else str(value)
        return environment

    def command(self, where: Mapping, key: str, subject: str, text: Any) -> list[str]:
        try:
            return shlex.split(str(text))
        except ValueError as error:
            self.problems.add(where, key, subject, f"`{key}`: {error}: {text}")
            return []

    def binds(self, name: str, merged: dict[str, Any], own: Mapping, subject: str) -> list[Bind]:
        by_target: dict[str, Bind] = {}
        for text in merged.get("binds", []):
            source, _, rest = text.replace("__clabNodeName__", name).partition(":")
            target, _, mode = rest.partition(":")
            path = (self.path.parent / Path(source).expanduser()).resolve()
            wrong = ""
            if not target.startswith("/"):
                wrong = f"{text}: must be SOURCE:/ABSOLUTE/TARGET[:ro]"
            elif not set(mode.split(",")) <= {"", "ro", "rw", "z", "Z"}:
                wrong = f"{text}: option `{mode}` is not supported here"
            elif not path.exists():
                wrong = f"{path} does not exist"
            if wrong:
                self.problems.add(own, "binds", subject, f"`binds`: {wrong}")
            else:
                by_target[target] = Bind(path, target, "ro" in mode.split(","))
        return list(by_target.values())

    def health(self, merged: dict[str, Any], own: Mapping, subject: str) -> HealthCheck | None:
        given = merged.get("healthcheck")
        if given is None:
            return None
        for key in given:
            if key not in {"test", "interval", "retries", "timeout", "start-period"}:
                self.problems.add(own, "healthcheck", subject, f"unknown field `healthcheck.{key}`")
        test = given.get("test")
        if not isinstance(test, list) or len(test) < 2 or test[0] not in ("CMD", "CMD-SHELL"):
            text = "`healthcheck.test` must be [CMD, ARGUMENT...] or [CMD-SHELL, LINE]"
            self.problems.add(own, "healthcheck", subject, text)
            return None
        return HealthCheck(
            ["sh", "-c", str(test[1])] if test[0] == "CMD-SHELL" else [str(word) for word in test[1:]],
            float(given.get("interval", 30)),
            int(given.get("retries", 3)),
            float(given.get("timeout", 30)),
            float(given.get("start-period", 0)),
        )

    def stage(self, spec: NodeSpec, stage: str, content: dict[str, Any], own: Mapping, subject: str) -> None:
        def wrong(text: str) -> None:
            self.problems.add(own, "stages", subject, text)

        if stage not in STAGES:
            wrong(f"unknown stage `{stage}` (known: {', '.join(STAGES)})")
            return
        for key in content:
            if key not in ("wait-for", "exec"):
                wrong(f"unknown field `stages.{stage}.{key}`")
        for entry in content.get("wait-for", []):
            awaited = str(entry.get("stage", ""))
            if awaited in STAGES:
                spec.wait_for.setdefault(stage, []).append((str(entry.get("node", "")), awaited))
            else:
                wrong(f"`stages.{stage}.wait-for`: unknown stage `{awaited}`")
        for phase, text, target in stage_commands(content.get("exec", [])):
            if target == "container":
                spec.stage_exec.setdefault((stage, phase), []).append(self.command(own, "stages", subject, text))
            else:
                wrong(f"`stages.{stage}.exec`: target `{target}` is not supported here: nothing of the host is touched")

    # --- across nodes

    def check_relations(self, nodes: dict[str, NodeSpec]) -> None:
        order: TopologicalSorter[tuple[str, str]] = TopologicalSorter()
        for node in nodes.values():
            if node.network_of and self.check_network_of(node, nodes):
                order.add((node.name, "create"), (node.network_of, "create"))
            for earlier, later in zip(STAGES, STAGES[1:]):
                order.add((node.name, later), (node.name, earlier))
            for stage, awaited in node.wait_for.items():
                for other, other_stage in awaited:
                    self.check_wait(node, stage, other, other_stage, nodes)
                    order.add((node.name, stage), (other, other_stage))
        try:
            order.prepare()
        except CycleError as error:
            chain = " <- ".join(f"{name} {stage}" for name, stage in error.args[1])
            self.problems.add(None, "", "`stages`", f"nodes wait for each other: {chain}")

    def check_network_of(self, node: NodeSpec, nodes: dict[str, NodeSpec]) -> bool:
        other = nodes.get(node.network_of)
        if other and other.kind == "linux" and not other.network_of:
            return True
        text = f"`network-mode: container:{node.network_of}` must name a linux node with a network of its own"
        self.problems.add(None, "", f"node {node.name}", text)
        return False

    def check_wait(self, node: NodeSpec, stage: str, other: str, awaited: str, nodes: dict[str, NodeSpec]) -> None:
        subject = f"node {node.name}: `stages.{stage}.wait-for`"
        if other not in nodes:
            self.problems.add(None, "", subject, f"there is no node `{other}`")
        elif awaited == "healthy" and nodes[other].healthcheck is None:
            self.problems.add(None, "", subject, f"{other} has no `healthcheck`, so it never becomes healthy")


def merge(layers: list[Mapping]) -> dict[str, Any]:
    """The strongest layer's value, except that maps are merged and lists are joined."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if value is None:
                continue
            if key in MAPS:
                merged[key] = {**merged.get(key, {}), **value}
            elif key in LISTS:
                before = merged.get(key, [])
                merged[key] = before + [item for item in value if key == "exec" or item not in before]
            else:
                merged[key] = value
    return merged


def wrong_with_field(key: str, value: Any) -> str:
    if key in REFUSED:
        return f"field `{key}` is not supported here"
    if key not in USED and key not in IGNORED:
        return f"unknown field `{key}`"
    if value is None:
        return ""
    if key in LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return f"`{key}` must be a list of strings"
    if key in (*MAPS, "stages", "healthcheck") and not isinstance(value, dict):
        return f"`{key}` must be a mapping, got {kind_of(value)}"
    if key == "user" and str(value) not in ROOT_USER:
        return "`user`: processes here run as root"
    return ""


def stage_commands(given: Any) -> list[tuple[str, str, str]]:
    """Both spellings of `stages.STAGE.exec`, as (phase, command, target)."""
    if isinstance(given, dict):
        return [(phase, text, "container") for phase, texts in given.items() for text in texts]
    return [
        (str(item.get("phase")), str(item.get("command")), str(item.get("target", "container"))) for item in given
    ]
