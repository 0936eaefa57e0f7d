#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the templates of deploy/helm/herald out of deploy/kubernetes, so that both install the same.

    tools/helm_chart.py           write them
    tools/helm_chart.py --check   exit 1 when they are not what they would be

What can be set is little on purpose: deploy/helm/herald/values.yaml. Everything else is done as with any objects, by patches."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "deploy" / "kubernetes"
TEMPLATES = ROOT / "deploy" / "helm" / "herald" / "templates"

# What stands in the files -> what the chart has in its place. Each must be found, or the chart would be wrong.
EVERYWHERE = [("namespace: herald-system", "namespace: {{ .Release.Namespace }}")]
IMAGE = [
    ("image: herald:latest", "image: {{ .Values.image }}"),
    ("imagePullPolicy: IfNotPresent", "imagePullPolicy: {{ .Values.imagePullPolicy }}"),
]
ARGUMENTS = "\n        {{{{- range .Values.{0}.extraArgs }}}}\n        - {{{{ . }}}}\n        {{{{- end }}}}"


def when(item: str, indent: int = 8) -> str:
    """One more item of a list, where the webhook is on."""
    space = "\n" + " " * indent
    return f"{space}{{{{- if .Values.admission.enabled }}}}{space}- {item}{space}{{{{- end }}}}"


FILES: dict[str, tuple[list[str], str, list[tuple[str, str]]]] = {
    "namespace.yaml": (["base/namespace.yaml"], "namespace.create", [
        ("name: herald-system", "name: {{ .Release.Namespace }}")]),
    "controller.yaml": (["base/controller.yaml"], "", [
        *EVERYWHERE, *IMAGE,
        ("replicas: 2", "replicas: {{ .Values.controller.replicas }}"),
        ("        - --log-format=json", "        - --log-format=json" + when("--webhook=0.0.0.0:7475") + ARGUMENTS.format("controller")),
        ("        - {name: metrics, containerPort: 7474}",
         when("{name: webhook, containerPort: 7475}").removeprefix("\n") + "\n        - {name: metrics, containerPort: 7474}"),
        ("limits: {memory: 512Mi}", "limits: {memory: {{ .Values.controller.memory }}}")]),
    "controller-rbac.yaml": (["base/controller-rbac.yaml"], "", EVERYWHERE),
    "network-policy.yaml": (["base/network-policy.yaml"], "", [
        *EVERYWHERE,
        ("    - {port: 7474, protocol: TCP}", "    - {port: 7474, protocol: TCP}" + when("{port: 7475, protocol: TCP}", 4))]),
    "speaker.yaml": (["base/speaker.yaml"], "", [
        *EVERYWHERE, *IMAGE,
        ("        - --log-format=json", "        - --log-format=json" + ARGUMENTS.format("speaker")),
        ("limits: {memory: 1Gi}", "limits: {memory: {{ .Values.speaker.memory }}}"),
        ("add: [NET_ADMIN, NET_RAW, NET_BIND_SERVICE]", "add: {{ .Values.speaker.capabilities | toJson }}")]),
    "speaker-rbac.yaml": (["base/speaker-rbac.yaml"], "", [
        *EVERYWHERE, ("resourceNames: [bgp-password]", "resourceNames: {{ .Values.speaker.passwordSecrets | toJson }}")]),
    "metallb.yaml": (["overlays/metallb/rbac.yaml"], "metallb.enabled", [
        *EVERYWHERE, ("namespace: metallb-system", "namespace: {{ .Values.metallb.namespace }}")]),
    "admission.yaml": (["overlays/admission/webhook.yaml"], "admission.enabled", EVERYWHERE),
    "monitoring.yaml": (["monitoring/pod-monitors.yaml", "monitoring/alerts.yaml"], "monitoring.enabled", EVERYWHERE),
}
DASHBOARD = """{{- if .Values.monitoring.enabled }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: herald-dashboard
  namespace: {{ .Release.Namespace }}
  labels: {app.kubernetes.io/name: herald, grafana_dashboard: "1"}
data:
  herald.json: |-
    {{- .Files.Get "dashboard.json" | nindent 4 }}
{{- end }}
"""


def template(name: str) -> str:
    sources, condition, replacements = FILES[name]
    text = "---\n".join((SOURCE / source).read_text() for source in sources)
    if name == "monitoring.yaml":
        text = quoted(text)
    for before, after in replacements:
        assert before in text, f"{name}: {before!r} is not there"
        text = text.replace(before, after)
    return f"{{{{- if .Values.{condition} }}}}\n{text}{{{{- end }}}}\n" if condition else text


def quoted(text: str) -> str:
    """Braces that are Prometheus' own."""
    out = ""
    while "{{" in text:
        before, _, rest = text.partition("{{")
        inside, _, text = rest.partition("}}")
        out += before + "{{`{{" + inside + "}}`}}"
    return out + text


def chart() -> dict[Path, str]:
    files = {TEMPLATES / name: template(name) for name in FILES}
    files[TEMPLATES / "dashboard.yaml"] = DASHBOARD
    files[TEMPLATES.parent / "dashboard.json"] = (SOURCE / "monitoring" / "dashboard.json").read_text()
    files[TEMPLATES.parent / "crds" / "herald.dev.yaml"] = (SOURCE / "crds" / "herald.dev.yaml").read_text()
    return files


def main() -> int:
    status = 0
    for path, text in chart().items():
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path.relative_to(ROOT)} is not what tools/helm_chart.py makes of deploy/kubernetes", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
