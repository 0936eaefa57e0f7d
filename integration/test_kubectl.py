# SPDX-License-Identifier: Apache-2.0
"""kubectl against the controller's own API, with no Kubernetes anywhere.

    kubectl (from PATH) ----+
                            +-- http://127.0.0.1:PORT -- herald-controller -- SQLite
    kubectl (Debian's 1.20) +

Binaries come from HERALD_BIN (default build/release/bin). Debian's kubectl is the oldest that has to work; where
PATH has a newer one, Debian's package is unpacked into a cache and both are tested.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from integration.harness import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("HERALD_BIN", ROOT / "build" / "release" / "bin"))
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "herald" / "kubectl-1.20"


def debian_kubectl():
    """Path of Debian's kubectl, fetched once; None where there is no way to get it."""
    unpacked = CACHE / "usr" / "bin" / "kubectl"
    if unpacked.exists():
        return unpacked
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "kubernetes-client"], cwd=CACHE, check=True, capture_output=True)
        package = next(CACHE.glob("kubernetes-client_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, CACHE], check=True, capture_output=True)
    except (OSError, StopIteration, subprocess.CalledProcessError):
        return None
    return unpacked if unpacked.exists() else None


def minor_version(kubectl):
    text = subprocess.run([kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    return int(re.match(r"\d+", json.loads(text.stdout)["clientVersion"]["minor"]).group())


def kubectls():
    found = {}
    for path in (shutil.which("kubectl"), debian_kubectl()):
        if path:
            found.setdefault(minor_version(path), str(path))
    return found


KUBECTLS = kubectls()
pytestmark = pytest.mark.skipif(not KUBECTLS, reason="no kubectl")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(check, within=20):
    """What `check` answers, once it is something."""
    deadline = time.monotonic() + within * PATIENCE
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, "did not come to hold in time"
        time.sleep(0.02)


class Controller:
    def __init__(self, folder):
        self.store = folder / "store.db"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BIN / "herald-controller", "--store", self.store, "--listen", self.url.removeprefix("http://")],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "event=ready" in line:
                return
        pytest.fail(f"the controller ended with {self.process.wait()}")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=20 * PATIENCE)
        self.process.stderr.close()
        return code


class Kubectl:
    """One kubectl, a server, and a namespace and home of its own."""

    def __init__(self, path, minor, server, home):
        self.path, self.minor, self.server = path, minor, server
        self.environment = {**os.environ, "HOME": str(home), "KUBECONFIG": str(home / "none")}

    def command(self, *arguments):
        return [self.path, "--server", self.server, *arguments]

    def run(self, *arguments, stdin=None):
        return subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True,
                              timeout=60 * PATIENCE, env=self.environment)

    def __call__(self, *arguments, stdin=None):
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def json(self, *arguments):
        return json.loads(self(*arguments, "-o", "json"))

    def fails(self, *arguments, stdin=None):
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(arguments)} should have failed: {done.stdout}"
        return done.stderr

    def apply(self, text, *arguments):
        return self("apply", "--validate=false", "-f", "-", *arguments, stdin=text)


@pytest.fixture(scope="module")
def controller(tmp_path_factory):
    running = Controller(tmp_path_factory.mktemp("controller"))
    yield running
    assert running.stop() == 0


@pytest.fixture(params=sorted(KUBECTLS), ids=lambda minor: f"1.{minor}")
def kubectl(request, controller, tmp_path):
    tool = Kubectl(KUBECTLS[request.param], request.param, controller.url, tmp_path)
    yield tool
    tool("delete", "services,endpointslices.discovery.k8s.io,secrets,events", "--all", "-n", "default")
    tool("delete", "nodes,ipaddresspools,bgppeers,bgpconfigurations,bgpadvertisements,bgpfilters,l2advertisements,"
         "communities", "--all")


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports:
  - {name: http, port: 80, protocol: TCP}
"""

POOL = """
apiVersion: herald.dev/v1
kind: IPAddressPool
metadata: {name: front, labels: {zone: a}}
spec:
  addresses: [192.0.2.0/24]
"""

PEER = """
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {name: tor1}
spec: {myASN: 65000, peerASN: 65001, peerAddress: 10.0.1.1}
"""

NODE = """
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {kubernetes.io/hostname: n1}}
status:
  addresses: [{type: InternalIP, address: 10.0.0.1}]
  conditions: [{type: Ready, status: "True", reason: Up, message: up}]
"""

SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
- {addresses: [10.1.0.1], nodeName: n1, conditions: {ready: true}}
"""


def test_discovery(kubectl):
    assert "herald.dev/v1" in kubectl("api-versions")
    resources = kubectl("api-resources")
    for name in ("services", "nodes", "secrets", "endpointslices", "ipaddresspools", "bgppeers"):
        assert re.search(rf"^{name}\s", resources, re.MULTILINE), resources
    assert kubectl("version").count("GitVersion") + kubectl("version").count("Version") >= 2


def test_services(kubectl):
    assert "created" in kubectl("create", "--validate=false", "-f", "-", stdin=SERVICE)
    assert "AlreadyExists" in kubectl.fails("create", "--validate=false", "-f", "-", stdin=SERVICE)
    header, row = kubectl("get", "services").splitlines()
    assert header.split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert row.split()[:5] == ["web", "LoadBalancer", "<none>", "<pending>", "80/TCP"]
    assert kubectl("get", "svc", "web", "-o", "wide").splitlines()[1].split()[-1] == "app=web"
    assert "kind: Service" in kubectl("get", "svc/web", "-o", "yaml")
    assert kubectl("get", "svc", "-o", "jsonpath={.items[*].spec.ports[0].targetPort}") == "80"
    assert "web" in kubectl("get", "all")
    assert re.search(r"Type:\s+LoadBalancer", kubectl("describe", "service", "web"))
    assert "NotFound" in kubectl.fails("get", "service", "other")
    assert "deleted" in kubectl("delete", "service", "web")
    assert "No resources found" in kubectl.run("get", "services").stderr


def test_create_shorthands(kubectl):
    kubectl("create", "service", "loadbalancer", "shop", "--tcp=443:8443")
    assert kubectl.json("get", "service", "shop")["spec"]["ports"][0]["targetPort"] == 8443
    kubectl("create", "secret", "generic", "bgp", "--from-literal=password=hunter2")
    secret = kubectl.json("get", "secret", "bgp")
    assert base64.b64decode(secret["data"]["password"]) == b"hunter2"
    assert "hunter2" not in kubectl("describe", "secret", "bgp")
    kubectl("create", "namespace", "extra")
    assert "Active" in kubectl("get", "namespaces")
    kubectl("create", "service", "clusterip", "inside", "--tcp=80", "-n", "extra")
    assert "inside" in kubectl("get", "services", "--all-namespaces")
    assert "extra" in kubectl("describe", "namespace", "extra")
    kubectl("delete", "namespace", "extra")
    assert "inside" not in kubectl("get", "services", "--all-namespaces")


def test_apply_changes_only_what_it_says(kubectl):
    assert "created" in kubectl.apply(SERVICE)
    assert "unchanged" in kubectl.apply(SERVICE)
    kubectl("annotate", "service", "web", "other/tool=was-here")
    more = SERVICE + "  - {name: https, port: 443, protocol: TCP}\n  externalTrafficPolicy: Local\n"
    assert "configured" in kubectl.apply(more)
    service = kubectl.json("get", "service", "web")
    assert [port["port"] for port in service["spec"]["ports"]] == [80, 443]
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert "configured" in kubectl.apply(SERVICE)
    service = kubectl.json("get", "service", "web")
    assert [port["port"] for port in service["spec"]["ports"]] == [80]
    assert "externalTrafficPolicy" not in service["spec"]
    assert service["metadata"]["annotations"]["other/tool"] == "was-here"


def test_apply_of_own_kinds(kubectl):
    assert "created" in kubectl.apply(POOL)
    assert "unchanged" in kubectl.apply(POOL)
    assert "configured" in kubectl.apply(POOL + "  autoAssign: false\n")
    assert kubectl.json("get", "ipaddresspool", "front")["spec"]["autoAssign"] is False
    assert "configured" in kubectl.apply(POOL)
    assert "autoAssign" not in kubectl.json("get", "pool", "front")["spec"]


def test_apply_without_switching_validation_off(kubectl):
    for text in (SERVICE, POOL, PEER, NODE, SLICE):
        assert "created" in kubectl("apply", "-f", "-", stdin=text)
        again = kubectl.run("apply", "-f", "-", stdin=text)
        assert "unchanged" in again.stdout and "error calculating patch" not in again.stderr, again.stderr
    error = kubectl.fails("apply", "-f", "-", stdin=PEER.replace("peerASN: 65001", "peerASN: 65001, holdTimer: 3s"))
    assert "holdTimer" in error


def test_server_side_apply(kubectl):
    assert "serverside-applied" in kubectl.apply(POOL, "--server-side")
    assert "serverside-applied" in kubectl.apply(SERVICE, "--server-side")
    mine = POOL.replace("192.0.2.0/24", "198.51.100.0/24")
    conflict = kubectl.fails("apply", "--validate=false", "--server-side", "--field-manager=other", "-f", "-",
                             stdin=mine)
    assert "conflict" in conflict
    kubectl.apply(mine, "--server-side", "--field-manager=other", "--force-conflicts")
    assert kubectl.json("get", "pool", "front")["spec"]["addresses"] == ["198.51.100.0/24"]


def test_patch_label_annotate(kubectl):
    kubectl.apply(SERVICE)
    kubectl.apply(PEER)
    kubectl("patch", "service", "web", "-p", '{"spec":{"ports":[{"port":443,"name":"https"}]}}')
    assert len(kubectl.json("get", "service", "web")["spec"]["ports"]) == 2
    kubectl("patch", "service", "web", "--type=json", "-p", '[{"op":"remove","path":"/spec/ports/1"}]')
    kubectl("patch", "bgppeer", "tor1", "--type=merge", "-p", '{"spec":{"holdTime":"30s"}}')
    assert kubectl.json("get", "peer", "tor1")["spec"]["holdTime"] == "30s"
    assert "spec.holdTime" in kubectl.fails("patch", "bgppeer", "tor1", "--type=merge", "-p",
                                            '{"spec":{"holdTime":"2s"}}')
    kubectl("label", "service", "web", "tier=front")
    assert "web" in kubectl("get", "services", "-l", "tier in (front,back),app=web")
    assert "web" not in kubectl("get", "services", "-l", "tier!=front")
    kubectl("label", "service", "web", "tier-")
    kubectl("annotate", "bgppeer", "tor1", "note=x")
    assert kubectl.json("get", "peer", "tor1")["metadata"]["annotations"]["note"] == "x"
    assert "web" in kubectl("get", "services", "--field-selector", "metadata.name=web,spec.type=LoadBalancer")


def test_nodes_and_slices(kubectl):
    kubectl.apply(NODE)
    kubectl.apply(SLICE)
    assert kubectl("get", "nodes").splitlines()[1].split()[:2] == ["n1", "Ready"]
    assert "10.0.0.1" in kubectl("get", "nodes", "-o", "wide")
    kubectl("cordon", "n1")
    assert "SchedulingDisabled" in kubectl("get", "node", "n1")
    kubectl("uncordon", "n1")
    assert "10.0.0.1" in kubectl("describe", "node", "n1")
    assert "10.1.0.1" in kubectl("get", "endpointslices.discovery.k8s.io")


def test_own_kinds(kubectl):
    kubectl.apply(POOL)
    kubectl.apply(PEER)
    assert kubectl("get", "ipaddresspools").splitlines()[1].split()[:3] == [
        "front", "true", "192.0.2.0/24"]
    assert kubectl("get", "bgppeers").splitlines()[1].split()[:3] == ["tor1", "10.0.1.1", "65001"]
    kubectl("wait", "--for=condition=Accepted", "--timeout=20s", "ipaddresspool/front", "bgppeer/tor1")
    # There is no node, so no session either.
    header, row = (line.split() for line in kubectl("get", "bgppeers").splitlines())
    assert header[:5] == ["NAME", "ADDRESS", "ASN", "ACCEPTED", "ESTABLISHED"] and row[3:5] == ["True", "0/0"]
    assert re.search(r"Reason:\s+NoNode", kubectl("describe", "bgppeer", "tor1"))
    assert "front" in kubectl("get", "herald")
    assert re.search(r"Peer Address:\s+10.0.1.1", kubectl("describe", "bgppeer", "tor1"))
    overlap = kubectl.fails("apply", "--validate=false", "-f", "-",
                            stdin=POOL.replace("name: front", "name: back").replace("/24", "/25"))
    assert "is invalid" in overlap and "overlap" in overlap
    assert "deleted" in kubectl("delete", "bgppeer", "tor1")
    kubectl("replace", "--validate=false", "-f", "-", stdin=POOL.replace("/24", "/25"))
    assert kubectl.json("get", "pool", "front")["spec"]["addresses"] == ["192.0.2.0/25"]


def test_explain(kubectl):
    assert "Address of the neighbour" in kubectl("explain", "bgppeer.spec.peerAddress")
    assert "holdTime" in kubectl("explain", "bgppeers", "--recursive")
    assert "nodePort" in kubectl("explain", "service.spec.ports")


def test_watch(kubectl):
    kubectl.apply(SERVICE)
    with subprocess.Popen(kubectl.command("get", "services", "--watch", "--output-watch-events"),
                          stdout=subprocess.PIPE, text=True, env=kubectl.environment) as watching:
        try:
            seen = []

            def read_until(word):
                for line in watching.stdout:
                    seen.append(line)
                    if word in line:
                        return
                pytest.fail(f"the watch ended without {word}: {seen}")

            read_until("ADDED")
            kubectl("label", "service", "web", "seen=yes")
            read_until("MODIFIED")
            kubectl("delete", "service", "web")
            read_until("DELETED")
        finally:
            watching.kill()


def test_wait(kubectl):
    kubectl.apply(SERVICE)
    with subprocess.Popen(kubectl.command("wait", "service/web", "--for=condition=Assigned", "--timeout=20s"),
                          stdout=subprocess.PIPE, text=True, env=kubectl.environment) as waiting:
        patch = {"status": {"conditions": [{"type": "Assigned", "status": "True", "reason": "x", "message": "",
                                            "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}
        request = urllib.request.Request(
            f"{kubectl.server}/api/v1/namespaces/default/services/web/status", json.dumps(patch).encode(),
            {"Content-Type": "application/merge-patch+json"}, method="PATCH")
        urllib.request.urlopen(request, timeout=20 * PATIENCE).close()
        assert waiting.wait(timeout=30 * PATIENCE) == 0
        assert "condition met" in waiting.stdout.read()
    kubectl("delete", "service", "web", "--wait=false")
    gone = kubectl.run("wait", "service/web", "--for=delete", "--timeout=20s")
    # Older ones fail when there is nothing to wait for any more.
    assert gone.returncode == 0 or "no matching resources found" in gone.stderr


def test_events(kubectl):
    kubectl.apply(SERVICE)
    uid = kubectl.json("get", "service", "web")["metadata"]["uid"]
    kubectl.apply(json.dumps({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1", "namespace": "default"},
        "type": "Warning", "reason": "AllocationFailed", "message": "no addresses left",
        "involvedObject": {"kind": "Service", "name": "web", "namespace": "default", "uid": uid, "apiVersion": "v1"},
        "source": {"component": "herald-controller"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "count": 1}))
    assert "AllocationFailed" in kubectl("get", "events")
    assert "no addresses left" in kubectl("describe", "service", "web")


def test_chunks(kubectl):
    kubectl.apply("---\n".join(SERVICE.replace("name: web,", f"name: web-{i},") for i in range(25)))
    assert len(kubectl("get", "services", "--chunk-size=10", "-o", "name").split()) == 25
    assert kubectl("get", "services", "--chunk-size=10").count("web-") == 25
    assert "deleted" in kubectl("delete", "services", "-l", "app=web")
    assert kubectl("get", "services", "-o", "name") == ""


def test_restart(tmp_path):
    """What was applied is there after a kill, with the same identity, and watches resume."""
    controller = Controller(tmp_path)
    kubectl = Kubectl(KUBECTLS[max(KUBECTLS)], max(KUBECTLS), controller.url, tmp_path)
    try:
        kubectl.apply(SERVICE)
        # There is no pool, which its status is to say first.
        eventually(lambda: kubectl.json("get", "service", "web").get("status", {}).get("conditions"))
        before = kubectl.json("get", "service", "web")
        controller.stop(signal.SIGKILL)
        controller.start()
        assert kubectl.json("get", "service", "web") == before
    finally:
        controller.stop()
