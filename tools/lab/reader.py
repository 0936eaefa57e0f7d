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
from .topology import DEFAULT_MTU, STAGES, Bind, Endpoint, HealthCheck, Link, Management, NodeSpec, Topology

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
SILENT = frozenset("labels cap-add privileged image-pull-policy restart-policy auto-remove link-apply-mode".split())

MERGED_MAPS = ("env", "sysctls", "tmpfs", "labels")
JOINED_LISTS = ("exec", "binds", "env-files", "aliases")

SPECIAL_ENDPOINTS = ("host", "mgmt-net", "macvlan", "dummy")


def read(path: Path, name: str | None = None) -> Topology:
    """Reads and checks a topology file; `name` replaces the lab's own, so that two of the same can run side by side."""
    return _Reader(path.resolve(), document.load(path)).topology(name)


class _Reader:
    """One pass over one file. Collects problems; gives a topology only when there are none."""

    def __init__(self, path: Path, root: Any) -> None:
        self.path = path
        self.root = root
        self.problems: list[str] = []
        self.notes: list[str] = []

    def problem(self, where: Any, key: str, subject: str, text: str) -> None:
        line = where.lines.get(key) if isinstance(where, Mapping) else None
        self.problems.append(f"{self.path}{f':{line}' if line else ''}: {subject}: {text}")

    def mapping(self, holder: Any, key: str, subject: str) -> Mapping:
        value = holder.get(key)
        if value is None:
            return Mapping()
        if not isinstance(value, Mapping):
            self.problem(holder, key, subject, f"`{key}` must be a mapping, got {_kind_of(value)}")
            return Mapping()
        return value

    def topology(self, name: str | None) -> Topology:
        if not isinstance(self.root, Mapping):
            raise TopologyError([f"{self.path}: must be a mapping with `name` and `topology`, got {_kind_of(self.root)}"])
        known = {"name", "prefix", "mgmt", "topology", "settings", "debug"}
        for key in self.root:
            if key not in known:
                self.problem(self.root, key, "lab", f"unknown field `{key}`")
        lab_name = name or self.root.get("name")
        if not isinstance(lab_name, str) or not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]*", lab_name):
            self.problem(self.root, "name", "lab", "`name` is required: letters, digits, `-`, `_` and `.`")
            lab_name = "unnamed"
        if "topology" not in self.root:
            self.problem(self.root, "", "lab", "`topology` is required")
        if "settings" in self.root:
            self.notes.append("settings: ignored")
        body = self.mapping(self.root, "topology", "lab")
        for key in body:
            if key not in {"nodes", "links", "kinds", "groups", "defaults"}:
                self.problem(body, key, "topology", f"unknown field `{key}`")
        nodes = self.nodes(body)
        links = self.links(body, nodes)
        self.check_relations(nodes)
        management = self.management()
        if self.problems:
            raise TopologyError(self.problems)
        return Topology(self.path, lab_name, self.prefix(lab_name), management, nodes, links, self.notes)

    def prefix(self, lab_name: str) -> str:
        prefix = self.root.get("prefix", "clab")
        if prefix == "__lab-name":
            return f"{lab_name}-"
        return f"{prefix}-{lab_name}-" if prefix else ""

    def management(self) -> Management:
        settings = self.mapping(self.root, "mgmt", "lab")
        for key in settings:
            if key not in {"ipv4-subnet", "ipv6-subnet", "mtu", "network"}:
                self.notes.append(f"mgmt.{key}: ignored")
        values: dict[str, Any] = {}
        for key, default, parse in (
            ("ipv4-subnet", "172.20.20.0/24", ipaddress.IPv4Network),
            ("ipv6-subnet", "3fff:172:20:20::/64", ipaddress.IPv6Network),
        ):
            text = settings.get(key, default)
            try:
                values[key] = parse(default if text == "auto" else text)
            except ValueError as error:
                self.problem(settings, key, "mgmt", f"`{key}`: {error}")
                values[key] = parse(default)
        return Management(values["ipv4-subnet"], values["ipv6-subnet"], int(settings.get("mtu", 1500)))

    # --- nodes

    def nodes(self, body: Mapping) -> dict[str, NodeSpec]:
        described = self.mapping(body, "nodes", "topology")
        if not described:
            self.problem(body, "nodes", "topology", "`nodes` is required and must name at least one node")
        return {name: self.node(body, name, described) for name in described}

    def node(self, body: Mapping, name: str, described: Mapping) -> NodeSpec:
        subject = f"node {name}"
        if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._|-]*", str(name)):
            self.problem(described, name, subject, "the name may hold letters, digits, `-`, `_`, `.` and `|`")
        own = self.mapping(described, name, subject)
        layers = self.layers(body, own, subject)
        merged = self.merge(layers)
        self.check_fields(layers, subject)
        spec = NodeSpec(name=name, kind=str(merged.get("kind", "")))
        if spec.kind not in ("linux", "bridge"):
            given = f"kind `{spec.kind}` is not run here" if spec.kind else "`kind` is required"
            self.problem(own if "kind" in own else described, "kind" if "kind" in own else name, subject, f"{given} (known: linux, bridge)")
            return spec
        self.network(spec, merged, own, subject)
        if spec.kind == "bridge":
            return spec
        if not isinstance(merged.get("image"), str):
            self.problem(described, name, subject, "`image` is required for kind linux")
        spec.image = str(merged.get("image", ""))
        spec.hostname = str(merged.get("hostname", name))
        spec.startup_delay = float(merged.get("startup-delay", 0))
        spec.mgmt_ipv4 = str(merged.get("mgmt-ipv4", ""))
        spec.mgmt_ipv6 = str(merged.get("mgmt-ipv6", ""))
        spec.env = self.environment(merged, own, subject)
        spec.sysctls = {key: str(value) for key, value in merged.get("sysctls", {}).items()}
        spec.tmpfs = {key: str(value) for key, value in merged.get("tmpfs", {}).items()}
        spec.aliases = [str(alias) for alias in merged.get("aliases", [])]
        spec.exec = [self.command(own, "exec", subject, text) for text in merged.get("exec", [])]
        spec.cmd = self.command(own, "cmd", subject, merged.get("cmd", ""))
        spec.entrypoint = self.command(own, "entrypoint", subject, merged.get("entrypoint", ""))
        spec.binds = self.binds(name, merged, own, subject)
        spec.healthcheck = self.health(merged, own, subject)
        self.stages(spec, merged, own, subject)
        return spec

    def layers(self, body: Mapping, own: Mapping, subject: str) -> list[Mapping]:
        """Weakest first: defaults, kind, group, node."""
        defaults = self.mapping(body, "defaults", "topology")
        kinds = self.mapping(body, "kinds", "topology")
        groups = self.mapping(body, "groups", "topology")
        group_name = own.get("group", defaults.get("group"))
        group = self.mapping(groups, group_name, f"group {group_name}") if group_name else Mapping()
        kind_name = own.get("kind", group.get("kind", defaults.get("kind")))
        kind = self.mapping(kinds, kind_name, f"kind {kind_name}") if kind_name in kinds else Mapping()
        if not group_name and kind.get("group"):
            group = self.mapping(groups, kind["group"], f"group {kind['group']}")
        return [defaults, kind, group, own]

    def merge(self, layers: list[Mapping]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for layer in layers:
            for key, value in layer.items():
                if key in MERGED_MAPS and isinstance(value, dict):
                    merged[key] = {**merged.get(key, {}), **value}
                elif key in JOINED_LISTS and isinstance(value, list):
                    merged[key] = merged.get(key, []) + [item for item in value if item not in merged.get(key, []) or key == "exec"]
                elif value is not None:
                    merged[key] = value
        return merged

    def check_fields(self, layers: list[Mapping], subject: str) -> None:
        lists, maps = ("exec", "binds", "env-files", "aliases"), ("env", "sysctls", "tmpfs", "stages", "healthcheck", "labels")
        ignored = []
        for layer in layers:
            for key, value in layer.items():
                if key in REFUSED:
                    self.problem(layer, key, subject, f"field `{key}` is not supported here")
                elif key in IGNORED:
                    ignored += [] if key in SILENT else [key]
                elif key not in USED:
                    self.problem(layer, key, subject, f"unknown field `{key}`")
                elif key in lists and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                    self.problem(layer, key, subject, f"`{key}` must be a list of strings")
                    layer[key] = None
                elif key in maps and not isinstance(value, dict):
                    self.problem(layer, key, subject, f"`{key}` must be a mapping, got {_kind_of(value)}")
                    layer[key] = None
                elif key == "user" and str(value) not in ("root", "0", "0:0", "root:root"):
                    self.problem(layer, key, subject, "`user`: processes here run as root")
        if ignored:
            self.notes.append(f"{subject}: ignored: {', '.join(dict.fromkeys(ignored))}")

    def network(self, spec: NodeSpec, merged: dict[str, Any], own: Mapping, subject: str) -> None:
        mode = str(merged.get("network-mode", "bridge"))
        if mode.startswith("container:"):
            spec.network_of = mode.removeprefix("container:")
            spec.management = False
        elif mode == "none" or spec.kind == "bridge":
            spec.management = False
        elif mode != "bridge":
            self.problem(own, "network-mode", subject, f"`network-mode: {mode}` is not supported here: nothing of the host is touched")
        bridge, bar, parent = spec.name.partition("|")
        if spec.kind == "bridge" and (bar or spec.network_of) and parent != spec.network_of:
            self.problem(own, "network-mode", subject, f"a bridge inside a node is named `{bridge}|NODE` and has `network-mode: container:NODE`")
        if spec.kind == "bridge" and len(bridge) > 15:
            self.problem(own, "kind", subject, "an interface name has at most 15 characters")

    def environment(self, merged: dict[str, Any], own: Mapping, subject: str) -> dict[str, str]:
        environment: dict[str, str] = {}
        for file_name in merged.get("env-files", []):
            try:
                lines = (self.path.parent / file_name).read_text().splitlines()
            except OSError as error:
                self.problem(own, "env-files", subject, f"`env-files`: {file_name}: {error.strerror}")
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
            self.problem(where, key, subject, f"`{key}`: {error}: {text}")
            return []

    def binds(self, name: str, merged: dict[str, Any], own: Mapping, subject: str) -> list[Bind]:
        by_target: dict[str, Bind] = {}
        for text in merged.get("binds", []):
            source, _, rest = text.replace("__clabNodeName__", name).partition(":")
            target, _, mode = rest.partition(":")
            path = (self.path.parent / Path(source).expanduser()).resolve()
            if not target.startswith("/"):
                self.problem(own, "binds", subject, f"`binds`: {text}: must be SOURCE:/ABSOLUTE/TARGET[:ro]")
            elif not set(mode.split(",")) <= {"", "ro", "rw", "z", "Z"}:
                self.problem(own, "binds", subject, f"`binds`: {text}: option `{mode}` is not supported here")
            elif not path.exists():
                self.problem(own, "binds", subject, f"`binds`: {path} does not exist")
            else:
                by_target[target] = Bind(path, target, "ro" in mode.split(","))
        return list(by_target.values())

    def health(self, merged: dict[str, Any], own: Mapping, subject: str) -> HealthCheck | None:
        given = merged.get("healthcheck")
        if given is None:
            return None
        for key in given:
            if key not in {"test", "interval", "retries", "timeout", "start-period"}:
                self.problem(own, "healthcheck", subject, f"unknown field `healthcheck.{key}`")
        test = given.get("test")
        if not isinstance(test, list) or len(test) < 2 or test[0] not in ("CMD", "CMD-SHELL"):
            self.problem(own, "healthcheck", subject, "`healthcheck.test` must be [CMD, ARGUMENT...] or [CMD-SHELL, LINE]")
            return None
        argv = ["sh", "-c", str(test[1])] if test[0] == "CMD-SHELL" else [str(word) for word in test[1:]]
        return HealthCheck(
            argv,
            float(given.get("interval", 30)),
            int(given.get("retries", 3)),
            float(given.get("timeout", 30)),
            float(given.get("start-period", 0)),
        )

    def stages(self, spec: NodeSpec, merged: dict[str, Any], own: Mapping, subject: str) -> None:
        for stage, content in (merged.get("stages") or {}).items():
            if stage not in STAGES:
                self.problem(own, "stages", subject, f"unknown stage `{stage}` (known: {', '.join(STAGES)})")
                continue
            for key in content or {}:
                if key not in ("wait-for", "exec"):
                    self.problem(own, "stages", subject, f"unknown field `stages.{stage}.{key}`")
            for entry in (content or {}).get("wait-for", []):
                awaited = str(entry.get("stage", ""))
                if awaited not in STAGES:
                    self.problem(own, "stages", subject, f"`stages.{stage}.wait-for`: unknown stage `{awaited}`")
                else:
                    spec.wait_for.setdefault(stage, []).append((str(entry.get("node", "")), awaited))
            for phase, text, target in _stage_commands((content or {}).get("exec", [])):
                if target != "container":
                    self.problem(own, "stages", subject, f"`stages.{stage}.exec`: target `{target}` is not supported here: nothing of the host is touched")
                else:
                    spec.stage_exec.setdefault((stage, phase), []).append(self.command(own, "stages", subject, text))

    # --- links

    def links(self, body: Mapping, nodes: dict[str, NodeSpec]) -> list[Link]:
        given = body.get("links") or []
        if not isinstance(given, list):
            self.problem(body, "links", "topology", "`links` must be a list")
            return []
        links = [self.link(entry, number, nodes) for number, entry in enumerate(given)]
        taken: dict[tuple[str, str], int] = {}
        for number, link in enumerate(links):
            for end in link.ends if link else ():
                place = nodes[end.node].network_of or end.node if end.node in nodes else end.node
                if (place, end.interface) in taken:
                    self.problem(given[number], "endpoints", f"link {number}", f"{end} is already used by link {taken[place, end.interface]}")
                taken[place, end.interface] = number
        return [link for link in links if link]

    def link(self, entry: Any, number: int, nodes: dict[str, NodeSpec]) -> Link | None:
        subject = f"link {number}"
        if not isinstance(entry, Mapping):
            self.problem(None, "", subject, "must be a mapping with `endpoints`")
            return None
        kind = entry.get("type", "veth")
        if kind not in ("veth", "dummy"):
            self.problem(entry, "type", subject, f"link type `{kind}` is not supported here (known: veth, dummy)")
            return None
        ends_key = "endpoint" if kind == "dummy" else "endpoints"
        for key in entry:
            if key in ("ipv4", "ipv6", "vars", "labels"):
                self.notes.append(f"{subject}: ignored: {key} (kind linux takes addresses by `exec`)")
            elif key not in ("type", "mtu", ends_key):
                self.problem(entry, key, subject, f"unknown field `{key}`")
        raw = [entry.get("endpoint")] if kind == "dummy" else entry.get("endpoints")
        if not isinstance(raw, list) or len(raw) != (1 if kind == "dummy" else 2):
            self.problem(entry, ends_key, subject, "needs two `endpoints`" if kind == "veth" else "needs one `endpoint`")
            return None
        ends = [self.endpoint(entry, item, subject, nodes) for item in raw]
        mtu = entry.get("mtu", DEFAULT_MTU)
        if not isinstance(mtu, int) or not 68 <= mtu <= 65535:
            self.problem(entry, "mtu", subject, f"`mtu` must be a number from 68 to 65535, got {mtu}")
            return None
        return Link(tuple(end for end in ends if end), mtu) if all(ends) else None

    def endpoint(self, entry: Mapping, item: Any, subject: str, nodes: dict[str, NodeSpec]) -> Endpoint | None:
        if isinstance(item, str):
            node, colon, interface = item.partition(":")
            mac = ""
        elif isinstance(item, Mapping):
            node, interface, mac = str(item.get("node", "")), str(item.get("interface", "")), str(item.get("mac", ""))
            colon = ":"
            for key in item:
                if key in ("ipv4", "ipv6", "vars"):
                    self.notes.append(f"{subject}: ignored: {key} of {node}:{interface}")
                elif key not in ("node", "interface", "mac"):
                    self.problem(item, key, subject, f"unknown field `{key}` of an endpoint")
        else:
            node = interface = colon = mac = ""
        if not (node and colon and interface):
            self.problem(entry, "endpoints", subject, f"endpoint `{item}` must be NODE:INTERFACE")
        elif node in SPECIAL_ENDPOINTS and node not in nodes:
            self.problem(entry, "endpoints", subject, f"endpoint `{item}`: `{node}` is not supported here: nothing of the host is touched")
        elif node not in nodes:
            self.problem(entry, "endpoints", subject, f"endpoint `{item}`: there is no node `{node}`")
        elif len(interface) > 15 or "/" in interface:
            self.problem(entry, "endpoints", subject, f"endpoint `{item}`: an interface name has at most 15 characters and no `/`")
        elif interface == "eth0" and nodes[node].management:
            self.problem(entry, "endpoints", subject, f"endpoint `{item}`: eth0 is the management interface unless `network-mode: none`")
        elif mac and not re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}", mac):
            self.problem(entry, "endpoints", subject, f"endpoint `{node}:{interface}`: `mac` {mac} is not a MAC address")
        else:
            return Endpoint(node, interface, mac.replace("-", ":"))
        return None

    # --- across nodes

    def check_relations(self, nodes: dict[str, NodeSpec]) -> None:
        order: TopologicalSorter[tuple[str, str]] = TopologicalSorter()
        for node in nodes.values():
            if node.network_of:
                if node.network_of not in nodes or nodes[node.network_of].kind != "linux" or nodes[node.network_of].network_of:
                    self.problems.append(f"{self.path}: node {node.name}: `network-mode: container:{node.network_of}` must name a linux node with a network of its own")
                else:
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
            self.problems.append(f"{self.path}: `stages`: nodes wait for each other: {chain}")

    def check_wait(self, node: NodeSpec, stage: str, other: str, other_stage: str, nodes: dict[str, NodeSpec]) -> None:
        where = f"{self.path}: node {node.name}: `stages.{stage}.wait-for`"
        if other not in nodes:
            self.problems.append(f"{where}: there is no node `{other}`")
        elif other_stage == "healthy" and nodes[other].healthcheck is None:
            self.problems.append(f"{where}: {other} has no `healthcheck`, so it never becomes healthy")


def _stage_commands(given: Any) -> list[tuple[str, str, str]]:
    """Both spellings of `stages.STAGE.exec`, as (phase, command, target)."""
    if isinstance(given, dict):
        return [(phase, text, "container") for phase, texts in given.items() for text in texts]
    return [(str(item.get("phase")), str(item.get("command")), str(item.get("target", "container"))) for item in given]


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {dict: "a mapping", Mapping: "a mapping", list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")
