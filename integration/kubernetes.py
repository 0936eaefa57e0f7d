# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes control plane for tests: etcd, kube-apiserver and, where asked, kube-controller-manager 1.20, made by
tools/kubernetes/server.sh, on addresses of this machine or of a network namespace. No kubelet, no containers.

Two profiles, because 1.20 has EndpointSlices as v1beta1 only:

    v1beta1   the server as it is; with controllers, slices are made from Pods
    v1        v1beta1 is switched off and a CRD stands in for discovery.k8s.io/v1

What 1.20 does not know (loadBalancerClass, ipMode, CEL) is tested on Herald's own API."""

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integration.harness import PATIENCE, poll
from integration.rest import Away, Rest
from tools.lab import linux

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(os.environ.get("HERALD_BIN", ROOT / "build" / "release" / "bin"))
SCRIPT = ROOT / "tools" / "kubernetes" / "server.sh"
GATES = "IPv6DualStack=true,EndpointSliceTerminatingCondition=true,EndpointSliceNodeName=true"
# Users of the token file: name -> groups. Service accounts, so that the RBAC of deploy/kubernetes is what they have.
ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:herald-system", "system:authenticated")
USERS = {
    "admin": ("system:masters",),
    "nobody": (),
    "system:serviceaccount:herald-system:herald-controller": ACCOUNTS,
    "system:serviceaccount:herald-system:herald-speaker": ACCOUNTS,
}
SLICE_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "endpointslices.discovery.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, stands in for the built-in kind"},
    },
    "spec": {
        "group": "discovery.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "EndpointSlice", "listKind": "EndpointSliceList", "plural": "endpointslices",
                  "singular": "endpointslice"},
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }],
    },
}


def programs() -> Path | None:
    """Where the built server is; None when it has not been built on this machine."""
    found = subprocess.run([SCRIPT, "path"], capture_output=True, text=True)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class Certificates:
    """An authority, what it signs, and the key pair of service account tokens."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        folder.mkdir(parents=True)
        self.authority("ca")
        self.issue_server()
        self.issue("client-admin", "/O=system:masters/CN=certified-admin", "extendedKeyUsage=clientAuth")
        _openssl(folder, "genrsa", "-out", "sa.key", "2048")
        _openssl(folder, "rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")

    def authority(self, name: str) -> None:
        _openssl(self.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", f"/CN=herald-test-{name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")

    def issue_server(self, ca: str = "ca") -> None:
        names = f"DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:{self.address},IP:10.96.0.1"
        self.issue("apiserver", "/CN=kube-apiserver", f"subjectAltName={names}", ca=ca)

    def issue(self, name: str, subject: str, extension: str, ca: str = "ca") -> None:
        _openssl(self.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                 "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(extension + "\n")
        _openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key",
                 "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


def _free_ports(address: str, count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
                   for _ in range(count)]
        for one in sockets:
            one.bind((address, 0))
        return [one.getsockname()[1] for one in sockets]


class Kubernetes:
    """The control plane. Use it by `running`; everything ends with it."""

    def __init__(self, folder: Path, slices: str = "v1", *, controllers: bool = False, address: str = "127.0.0.1",
                 netns: str | None = None, flags: tuple[str, ...] = ()) -> None:
        found = programs()
        assert found is not None, "the server is not built: ./dev test kubernetes builds it"
        self.bin = found
        self.folder = folder
        self.slices = slices
        self.controllers = controllers
        self.address = address
        self.netns = netns
        self.flags = flags  # of the API server, besides those that it always has
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        # In a namespace of its own there is nobody else, and its ports cannot be tried from here.
        self.etcd_port, self.peer_port, self.port = (
            (2379, 2380, 6443) if netns else tuple(_free_ports("127.0.0.1", 3)))
        self.certificates = Certificates(folder / "pki", address)
        self.tokens = {name: f"token-{index}" for index, name in enumerate(USERS)}
        self.write_tokens()

    # --- processes

    def within(self, *argv: object) -> list[str]:
        words = [str(word) for word in argv]
        return ["ip", "netns", "exec", self.netns, *words] if self.netns else words

    def _spawn(self, name: str, *argv: object) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.within(self.bin / name, *argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "NO_PROXY": "*"}, start_new_session=True)

    def start_etcd(self) -> None:
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.peer_port}"
        self._spawn("etcd", "--name", "t", "--data-dir", self.folder / "etcd", "--listen-client-urls", client,
                    "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                    "--initial-cluster", f"t={peer}", "--logger=zap", "--log-level=warn", "--unsafe-no-fsync")

    def start_api(self) -> None:
        poll(lambda: self._start_api_once() or self.ready(), 60, what="the API server ready")

    def _start_api_once(self) -> None:
        """A start has deadlines of its own, which a busy machine may miss; a kubelet would start it again, too."""
        running = self.processes.get("kube-apiserver")
        if running is not None and running.poll() is None:
            return
        pki = self.certificates.folder
        flags = [] if self.slices == "v1beta1" else ["--runtime-config=discovery.k8s.io/v1beta1=false"]
        self._spawn(
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}", f"--bind-address={self.address}",
            f"--secure-port={self.port}", f"--advertise-address={self.address}", "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/108", "--authorization-mode=RBAC",
            f"--token-auth-file={self.folder / 'tokens.csv'}", f"--client-ca-file={pki / 'ca.crt'}",
            "--allow-privileged=true", f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}", f"--cert-dir={pki}",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={pki / 'sa.pub'}",
            f"--service-account-signing-key-file={pki / 'sa.key'}", "--disable-admission-plugins=ServiceAccount",
            f"--feature-gates={GATES},ServiceLBNodePortControl=true,MixedProtocolLBService=true", *flags, *self.flags)

    def start_controllers(self) -> None:
        config = self.kubeconfig("controller-manager", "admin")
        pki = self.certificates.folder
        self._spawn(
            "kube-controller-manager", f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}", "--leader-elect=false", "--bind-address=127.0.0.1",
            "--secure-port=0", "--port=0", f"--service-account-private-key-file={pki / 'sa.key'}",
            f"--root-ca-file={pki / 'ca.crt'}", f"--feature-gates={GATES}",
            "--controllers=namespace,garbagecollector,endpoint,endpointslice,serviceaccount,serviceaccount-token")

    def start(self) -> None:
        self.start_etcd()
        self.start_api()
        if self.controllers:
            self.start_controllers()
        if self.slices == "v1":
            self.apply(SLICE_CRD)
            poll(lambda: self.kubectl("get", "endpointslices.v1.discovery.k8s.io", "-A") is not None, 20,
                 what="the stand-in for EndpointSlices")

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        process = self.processes.pop(name)
        process.send_signal(number)
        try:
            process.wait(timeout=20 * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        for name in ("kube-controller-manager", "kube-apiserver", "etcd"):
            if name in self.processes:
                self.end(name, signal.SIGKILL)

    def restart_api(self, number: int = signal.SIGKILL) -> None:
        self.end("kube-apiserver", number)
        self.start_api()

    # --- access

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self.port}"

    def ready(self) -> bool:
        assert self.processes["kube-apiserver"].poll() is None, self.log("kube-apiserver")
        done = subprocess.run(
            self.within("curl", "-sS", "--noproxy", "*", "--max-time", "5", "--cacert",
                        self.certificates.folder / "ca.crt", "-H", f"Authorization: Bearer {self.tokens['admin']}",
                        f"{self.url}/readyz"), capture_output=True, text=True)
        return done.stdout == "ok"

    def log(self, name: str) -> str:
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-30:])

    def write_tokens(self) -> None:
        """The server reads them at its start."""
        lines = [f'{token},{name},{index},"{",".join(USERS[name])}"' if USERS[name] else f"{token},{name},{index}"
                 for index, (name, token) in enumerate(self.tokens.items())]
        (self.folder / "tokens.csv").write_text("\n".join(lines) + "\n")

    def kubeconfig(self, name: str, user: str, *, token_file: str | None = None, certificate: bool = False,
                   namespace: str = "herald-system") -> Path:
        """Written for a user of USERS, by token, by a file with a token, or by the client certificate; all inline."""

        def inline(file: str) -> str:
            return base64.b64encode(self.certificates.text(file).encode()).decode()

        who: dict[str, Any] = {"token": self.tokens.get(user, user)}
        if token_file:
            who = {"tokenFile": token_file}
        if certificate:
            who = {"client-certificate-data": inline("client-admin.crt"), "client-key-data": inline("client-admin.key")}
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test",
                          "cluster": {"server": self.url, "certificate-authority-data": inline("ca.crt")}}],
            "users": [{"name": user, "user": who}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user, "namespace": namespace}}],
        }, indent=1))
        return path

    def kubectl_run(self, *words: str, input: str | None = None, user: str = "admin",
                    check: bool = True) -> "subprocess.CompletedProcess[str]":
        config = self.folder / f"kubectl-{user.rpartition(':')[2]}.kubeconfig"
        if not config.exists():
            self.kubeconfig(config.name.removesuffix(".kubeconfig"), user, namespace="default")
        home = self.folder / "home"
        done = subprocess.run(
            self.within(self.bin / "kubectl", "--kubeconfig", config, *words),
            input=input, capture_output=True, text=True, timeout=60 * PATIENCE,
            env={**os.environ, "HOME": str(home), "NO_PROXY": "*"})
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}{done.stdout}"
        return done

    def kubectl(self, *words: str, input: str | None = None, user: str = "admin") -> str:
        return self.kubectl_run(*words, input=input, user=user).stdout

    def apply(self, *objects: dict[str, Any], user: str = "admin") -> str:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self.kubectl("apply", "--validate=false", "-f", "-", input=text, user=user)

    def get(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any]:
        return json.loads(self.kubectl("get", kind, name, "-n", namespace, "-o", "json"))

    def install_crds(self) -> None:
        self.kubectl("apply", "--validate=false", "-f", str(ROOT / "deploy" / "kubernetes" / "crds" / "herald.dev.yaml"))
        self.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "-l", "app.kubernetes.io/name=herald")

    def compact(self) -> None:
        """etcd forgets all revisions but the last: watches from older ones get 410."""
        etcdctl = [self.bin / "etcdctl", "--endpoints", f"http://127.0.0.1:{self.etcd_port}"]
        status = subprocess.run(self.within(*etcdctl, "endpoint", "status", "-w", "json"), capture_output=True,
                                text=True, check=True, env={**os.environ, "ETCDCTL_API": "3"})
        revision = json.loads(status.stdout)[0]["Status"]["header"]["revision"]
        subprocess.run(self.within(*etcdctl, "compact", str(revision)), check=True, capture_output=True,
                       env={**os.environ, "ETCDCTL_API": "3"})

    def addresses(self, service: str, namespace: str = "default") -> dict[int, str]:
        """4 and 6 -> the service's address; a LookupError while it has none."""
        ingress = self.get("service", service, namespace)["status"]["loadBalancer"]["ingress"]
        return {6 if ":" in entry["ip"] else 4: entry["ip"] for entry in ingress}


@contextlib.contextmanager
def running(folder: Path, slices: str = "v1", **options: Any) -> Iterator[Kubernetes]:
    plane = Kubernetes(folder, slices, **options)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()
        shutil.rmtree(folder / "etcd", ignore_errors=True)


def opener(plane: Kubernetes) -> urllib.request.OpenerDirector:
    """For requests from this network namespace."""
    context = ssl.create_default_context(cafile=str(plane.certificates.folder / "ca.crt"))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def asked(plane: Kubernetes, method: str, path: str, body: Any, content_type: str,
          user: str = "admin") -> urllib.request.Request:
    return urllib.request.Request(
        plane.url + path, None if body is None else json.dumps(body).encode(), method=method,
        headers={"Content-Type": content_type, "Authorization": f"Bearer {plane.tokens.get(user, user)}"})


class _Connection(http.client.HTTPSConnection):
    """From within the control plane's namespace."""

    def __init__(self, plane: Kubernetes) -> None:
        context = ssl.create_default_context(cafile=str(plane.certificates.folder / "ca.crt"))
        super().__init__(plane.address, plane.port, timeout=30, context=context)
        self._netns = plane.netns

    def connect(self) -> None:
        failed: list[OSError] = []

        def connect() -> None:
            try:
                if self._netns:
                    linux.enter_namespace(f"/run/netns/{self._netns}", linux.CLONE_NEWNET)
                super(_Connection, self).connect()
            except OSError as error:
                failed.append(error)

        # A socket belongs to the namespace in which it was made; a thread of its own, so that no other is moved there.
        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]


class KubernetesRest(Rest):
    """The API as `Rest`. A server that answers 5xx or 429 says nothing of what it did: that is Away, too."""

    def __init__(self, plane: Kubernetes, user: str = "admin") -> None:
        self._prepare(lambda: _Connection(plane), {"Authorization": f"Bearer {plane.tokens[user]}"})

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        status, answer = super()._exchange(method, path, body)
        if status >= 500 or status == 429:
            raise Away(f"{method} {path}: HTTP status {status}")
        return status, answer


class Program:
    """herald-controller or herald-speaker in the same namespace as the control plane; its log in a file."""

    def __init__(self, plane: Kubernetes, name: str, *words: object, program: str = "herald-controller") -> None:
        self.argv = plane.within(BIN / program, "--kubernetes", *words)
        self.file = plane.folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.began = 0  # where its latest start begins in the log

    def start(self) -> "Program":
        with self.file.open("ab") as log:
            self.began = log.tell()
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        return self

    @property
    def log(self) -> str:
        return self.file.read_text(errors="replace")

    def says(self, word: str, deadline: float = 20) -> float:
        """Waits until its log has the word; the time of time.monotonic() when it was seen."""

        def said() -> bool:
            assert word in self.log, self.log[-2000:]
            return True

        poll(said, deadline, what=f"{self.file.name} says {word}")
        return time.monotonic()

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=20 * PATIENCE)
