# SPDX-License-Identifier: Apache-2.0
"""deploy/ without a cluster: what it installs, the metrics it speaks of, its alerts, and that the Helm chart installs the same.

    deploy/kubernetes --tools/helm_chart.py--> deploy/helm/herald --rendered here, with values--> the same objects"""

import copy
import itertools
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "deploy" / "helm" / "herald"
Object = dict[str, Any]


def documents(path: Path) -> list[Object]:
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def key_of(thing: Object) -> tuple[str, str, str]:
    return thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def patched(base: Any, patch: Any) -> Any:
    """A strategic merge, as far as the overlays use it: mappings merge, lists of things with names merge by name."""
    if isinstance(base, dict) and isinstance(patch, dict):
        return {**base, **{key: patched(base.get(key), value) for key, value in patch.items()}}
    named = isinstance(patch, list) and isinstance(base, list) and all(isinstance(one, dict) and "name" in one for one in patch)
    if not named:
        return patch
    changes = {one["name"]: one for one in patch}
    known = {one["name"] for one in base}
    return [one for one in patch if one["name"] not in known] + [patched(one, changes.get(one["name"], {})) for one in base]


def kustomized(folder: Path) -> dict[tuple[str, str, str], Object]:
    """What `kubectl kustomize` gives, for what is used here: resources, patches, a generated ConfigMap."""
    settings = yaml.safe_load((folder / "kustomization.yaml").read_text())
    objects: dict[tuple[str, str, str], Object] = {}
    for resource in settings.get("resources", []):
        path = (folder / resource).resolve()
        objects |= kustomized(path) if path.is_dir() else {key_of(one): one for one in documents(path)}
    for patch in settings.get("patches", []):
        for change in documents(folder / patch["path"]):
            objects[key_of(change)] = patched(objects[key_of(change)], change)
    for made in settings.get("configMapGenerator", []):
        name, _, file = made["files"][0].partition("=")
        one = {"apiVersion": "v1", "kind": "ConfigMap", "data": {name: (folder / file).read_text()},
               "metadata": {"name": made["name"], "namespace": settings["namespace"], "labels": made["options"]["labels"]}}
        objects[key_of(one)] = one
    return objects


# --- the chart


class Renderer:
    """The part of Helm's templates that the chart uses: values, if, range over texts, toJson, Files.Get with nindent."""

    def __init__(self, values: Object, namespace: str) -> None:
        self.values = values
        self.namespace = namespace

    def value(self, path: str) -> Any:
        if path == ".Release.Namespace":
            return self.namespace
        assert path.startswith(".Values."), path
        found: Any = self.values
        for key in path.removeprefix(".Values.").split("."):
            found = found[key]
        return found

    def expression(self, text: str, item: str | None) -> str:
        text = text.strip()
        if text.startswith("`"):
            return text.strip("`")
        if text == ".":
            assert item is not None
            return item
        if get := re.fullmatch(r'\.Files\.Get "([^"]+)" \| nindent (\d+)', text):
            lines = (CHART / get[1]).read_text().splitlines()
            return "".join("\n" + " " * int(get[2]) + line for line in lines) + "\n"
        path, _, function = text.partition(" | ")
        assert function in ("", "toJson"), text
        found = self.value(path)
        return json.dumps(found) if function else str(found)

    def render(self, text: str) -> str:
        lines = iter(text.splitlines())
        return "\n".join(self.block(lines, None)) + "\n"

    def block(self, lines: Iterator[str], item: str | None) -> list[str]:
        out: list[str] = []
        for line in lines:
            words = re.fullmatch(r"\s*\{\{- (if|range|end)\s*(\S*) \}\}", line)
            if words is None and line.lstrip().startswith("{{- ."):
                out[-1] += self.expression(line.strip()[3:-2], item)
            elif words is None:
                out.append(re.sub(r"\{\{-? ?(`[^`]*`|[^`]*?) ?\}\}", lambda found: self.expression(found[1], item), line))
            elif words[1] == "end":
                return out
            else:
                inside = list(self.until_end(lines))
                chosen = self.value(words[2])
                rounds = chosen if words[1] == "range" else [item] if chosen else []
                for one in rounds:
                    out += self.block(iter(inside), one)
        return out

    def until_end(self, lines: Iterator[str]) -> Iterator[str]:
        depth = 1
        for line in lines:
            depth += 1 if re.match(r"\s*\{\{- (if|range) ", line) else -1 if re.match(r"\s*\{\{- end \}\}", line) else 0
            if depth == 0:
                return
            yield line


def chart(change: Callable[[Object], Any] = lambda values: None, namespace: str = "herald-system"
          ) -> dict[tuple[str, str, str], Object]:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    values["namespace"]["create"] = True
    change(values)
    renderer = Renderer(values, namespace)
    texts = [renderer.render(path.read_text()) for path in sorted((CHART / "templates").glob("*.yaml"))]
    found = itertools.chain.from_iterable(yaml.safe_load_all(text) for text in texts)
    return {key_of(one): one for one in [*found, *documents(CHART / "crds" / "herald.dev.yaml")] if one}


def without_newline_at_end(objects: dict[tuple[str, str, str], Object]) -> dict[tuple[str, str, str], Object]:
    out = copy.deepcopy(objects)
    for one in out.values():
        if one["kind"] == "ConfigMap":
            one["data"] = {name: text.rstrip() for name, text in one["data"].items()}
    return out


def turn_on(*names: str) -> Callable[[Object], None]:
    def change(values: Object) -> None:
        for name in names:
            values[name]["enabled"] = True

    return change


def capabilities(*names: str) -> Callable[[Object], None]:
    def change(values: Object) -> None:
        values["speaker"]["capabilities"] = list(names)

    return change


@pytest.mark.parametrize(("folders", "change"), [
    (["base"], lambda values: None),
    (["overlays/bgp"], capabilities("NET_ADMIN", "NET_BIND_SERVICE")),
    (["overlays/l2"], capabilities("NET_ADMIN", "NET_RAW")),
    (["overlays/metallb"], turn_on("metallb")),
    (["overlays/admission"], turn_on("admission")),
    (["base", "monitoring"], turn_on("monitoring")),
], ids=["base", "bgp", "l2", "metallb", "admission", "monitoring"])
def test_the_chart_installs_what_kustomize_installs(folders: list[str], change: Callable[[Object], None]) -> None:
    expected: dict[tuple[str, str, str], Object] = {}
    for folder in folders:
        expected |= kustomized(DEPLOY / folder)
    found = without_newline_at_end(chart(change))
    expected = without_newline_at_end(expected)
    assert found.keys() == expected.keys()
    for key, one in expected.items():
        assert found[key] == one, key


def test_the_templates_are_those_that_the_sources_make() -> None:
    done = subprocess.run([ROOT / "tools" / "helm_chart.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_can_be_set_in_the_chart_is_set() -> None:
    def change(values: Object) -> None:
        values["image"] = "example.com/herald:1"
        values["controller"] |= {"replicas": 3, "memory": "1Gi", "extraArgs": ["--class=herald.dev/lb"]}
        values["speaker"] |= {"extraArgs": ["--class=herald.dev/lb"], "passwordSecrets": ["one", "two"], "memory": "2Gi"}

    objects = chart(change, namespace="network")
    controller = objects["Deployment", "network", "herald-controller"]["spec"]
    speaker = objects["DaemonSet", "network", "herald-speaker"]["spec"]
    assert controller["replicas"] == 3
    for spec, memory in ((controller, "1Gi"), (speaker, "2Gi")):
        container = spec["template"]["spec"]["containers"][0]
        assert container["image"] == "example.com/herald:1" and container["command"][-1] == "--class=herald.dev/lb"
        assert container["resources"]["limits"]["memory"] == memory
    role = objects["Role", "network", "herald-speaker-secrets"]
    assert role["rules"][0]["resourceNames"] == ["one", "two"]
    bindings = [one for key, one in objects.items() if key[0].endswith("Binding")]
    assert bindings and all(subject["namespace"] == "network" for one in bindings for subject in one["subjects"])


def test_kubectl_agrees_on_what_kustomize_gives() -> None:
    for folder in ("base", "overlays/bgp", "overlays/metallb", "overlays/admission", "monitoring"):
        done = subprocess.run(["kubectl", "kustomize", str(DEPLOY / folder)], capture_output=True, text=True)
        if done.returncode != 0 and "must be a file" in done.stderr:
            # That of Debian 12 builds no folder of folders: then the parts have to be good at least.
            assert kustomized(DEPLOY / folder)
            continue
        assert done.returncode == 0, done.stderr
        found = {key_of(one): one for one in yaml.safe_load_all(done.stdout)}
        assert found == kustomized(DEPLOY / folder), folder


def test_the_webhook_judges_what_people_write_and_lets_through_when_it_is_away() -> None:
    objects = kustomized(DEPLOY / "overlays" / "admission")
    webhook = objects["ValidatingWebhookConfiguration", "", "herald"]["webhooks"][0]
    assert webhook["failurePolicy"] == "Ignore" and webhook["sideEffects"] == "None" and webhook["timeoutSeconds"] <= 5
    crds = {one["spec"]["names"]["plural"] for one in documents(DEPLOY / "crds" / "herald.dev.yaml")}
    # Heartbeats are not people's, and come all the time.
    assert set(webhook["rules"][0]["resources"]) == crds - {"speakerstates"}
    service = objects["Service", "herald-system", webhook["clientConfig"]["service"]["name"]]["spec"]
    container = objects["Deployment", "herald-system", "herald-controller"]["spec"]["template"]["spec"]["containers"][0]
    port = next(one for one in container["ports"] if one["name"] == service["ports"][0]["targetPort"])
    assert f"--webhook=0.0.0.0:{port['containerPort']}" in container["command"]


# --- monitoring


def metric_names() -> set[str]:
    """Every metric that there is, by its reference. That the programs serve exactly those is another test's business."""
    return set(re.findall(r"`(herald_[a-z0-9_]+[a-z0-9])`", (ROOT / "docs" / "reference" / "metrics.md").read_text()))


def named_in(expression: str) -> set[str]:
    found = set(re.findall(r"\bherald_[a-z0-9_]+", expression))
    return {re.sub(r"(?<=_seconds)_(bucket|sum|count)$", "", name) for name in found}


def rules() -> list[Object]:
    groups = documents(DEPLOY / "monitoring" / "alerts.yaml")[0]["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_reference_names_the_metrics_that_the_sources_have() -> None:
    sources = "".join(path.read_text() for folder in ("speaker", "controller", "insight")
                      for path in (ROOT / folder).rglob("*.cpp"))
    assert set(re.findall(r'"(herald_[a-z0-9_]+)"', sources)) == metric_names()


def test_alerts_speak_of_metrics_that_exist() -> None:
    known = metric_names()
    for rule in rules():
        used = named_in(rule["expr"])
        assert used and used <= known, (rule["alert"], used - known)
        assert {"severity"} <= rule["labels"].keys() and rule["annotations"]["summary"]


def test_the_dashboard_speaks_of_metrics_that_exist() -> None:
    board = json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())
    known = metric_names()
    places = []
    for panel in board["panels"]:
        for target in panel["targets"]:
            used = named_in(target["expr"])
            assert used and used <= known, (panel["title"], used - known)
        places.append(panel["gridPos"])
    cells = [(x, y) for place in places for x in range(place["x"], place["x"] + place["w"])
             for y in range(place["y"], place["y"] + place["h"])]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24, "panels lie on each other"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def promtool(*words: object) -> str:
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def rule_file(tmp_path: Path) -> Path:
    file = tmp_path / "alerts.yaml"
    file.write_text(yaml.safe_dump(documents(DEPLOY / "monitoring" / "alerts.yaml")[0]["spec"]))
    return file


def test_prometheus_takes_the_alerts(rule_file: Path) -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "--lint-fatal", rule_file)


def test_prometheus_takes_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    board = json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": [
        {"record": f"query:{index}", "expr": query} for index, query in enumerate(queries)]}]}))
    promtool("check", "rules", file)


# metric -> values each minute, the alert, when it must be quiet and when it must fire
SERIES = [
    ({'herald_controller_leader{pod="a"}': "1x3 0x20", 'herald_controller_leader{pod="b"}': "0x23"}, "HeraldNoController", 2, 6),
    ({'herald_controller_leader{pod="a"}': "1x3 _x20"}, "HeraldNoController", 2, 20),
    ({"herald_services_unannounced": "0x5 2x20"}, "HeraldServicesUnannounced", 5, 12),
    ({"herald_services_waiting": "0x2 1x30"}, "HeraldServicesWait", 8, 15),
    ({"herald_objects_refused": "0x2 1x30"}, "HeraldObjectsRefused", 8, 15),
    ({'herald_bgp_session_up{peer="t",node="n"}': "1x2 0x20", 'herald_bgp_session_held_down{peer="t",node="n"}': "0x22"},
     "HeraldSessionDown", 3, 7),
    ({'herald_bgp_session_held_down{peer="t",node="n"}': "1x20"}, "HeraldSessionHeldDown", 3, 8),
    ({'herald_pool_addresses{pool="p",family="IPv4"}': "4x30", 'herald_pool_assigned_addresses{pool="p",family="IPv4"}': "1x5 3x25",
      'herald_pool_quarantined_addresses{pool="p",family="IPv4"}': "0x5 1x25"}, "HeraldPoolExhausted", 5, 13),
    ({'herald_bgp_sessions_established_total{peer="t",node="n"}': "1x10 2+1x20"}, "HeraldSessionFlaps", 9, 20),
    ({'herald_layer2_foreign_claims_total{node="n"}': "0x10 3x10"}, "HeraldAddressClaimedByAnother", 9, 12),
    ({'herald_api_connected{node="n"}': "1x3 0x20"}, "HeraldSpeakerBehind", 5, 12),
]


@pytest.mark.parametrize(("series", "alert", "quiet", "firing"), SERIES,
                         ids=[f"{index}-{entry[1]}" for index, entry in enumerate(SERIES)])
def test_alerts_fire_when_they_should(rule_file: Path, tmp_path: Path, series: dict[str, str], alert: str, quiet: int,
                                      firing: int) -> None:
    rule = next(one for one in rules() if one["alert"] == alert)
    file = tmp_path / "test.yaml"

    def tried(minute: int, fires: bool) -> subprocess.CompletedProcess[str]:
        file.write_text(yaml.safe_dump({
            "rule_files": [str(rule_file)], "evaluation_interval": "1m",
            "tests": [{"interval": "1m",
                       "input_series": [{"series": name, "values": values} for name, values in series.items()],
                       "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}]}]}))
        done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True)
        # Expecting none, the test fails exactly when it fires; what else could fail is said otherwise.
        assert (done.returncode != 0) == fires, done.stdout + done.stderr
        return done

    tried(quiet, False)
    found = tried(firing, True)
    assert f'alertname="{alert}"' in found.stdout + found.stderr and rule["labels"]["severity"] in found.stdout + found.stderr


# --- what runs


def test_controllers_and_speakers_have_no_more_rights_than_they_use() -> None:
    pods = {key[2]: one["spec"]["template"]["spec"] for key, one in kustomized(DEPLOY / "base").items()
            if key[0] in ("Deployment", "DaemonSet")}
    for name, pod in pods.items():
        security = pod["containers"][0]["securityContext"]
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], name
        assert security["capabilities"]["drop"] == ["ALL"]
    assert pods["herald-controller"]["securityContext"]["runAsNonRoot"]
    assert "add" not in pods["herald-controller"]["containers"][0]["securityContext"]["capabilities"]


@pytest.mark.parametrize("folder", ["base", "overlays/admission"])
def test_the_policy_lets_in_what_is_asked_for_and_nothing_else(folder: str) -> None:
    objects = kustomized(DEPLOY / folder)
    policy = objects["NetworkPolicy", "herald-system", "herald-controller"]["spec"]
    container = objects["Deployment", "herald-system", "herald-controller"]["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= container["metadata"]["labels"].items()
    opened = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    assert opened == {port["containerPort"] for port in container["spec"]["containers"][0]["ports"]}
    assert all("to" in rule or rule["ports"] for rule in policy["egress"])
