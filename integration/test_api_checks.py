# SPDX-License-Identifier: Apache-2.0
"""What clients rely on, asked of two servers alike: Herald's own API and a real Kubernetes API server. What passes on
the real one has to pass on ours, so that ours cannot drift."""

import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from integration import kubernetes
from integration.harness import PATIENCE, poll
from integration.kubernetes import ROOT

_names = itertools.count(1)
MERGE = "application/merge-patch+json"


class Server(Protocol):
    def request(self, method: str, path: str, body: Any = None, content_type: str = ...) -> tuple[int, Any]: ...

    def stream(self, path: str) -> Iterator[dict[str, Any]]: ...


class Embedded:
    """herald-controller with a store of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{self.address}"
        binaries = Path(os.environ.get("HERALD_BIN", ROOT / "build" / "release" / "bin"))
        with (folder / "controller.log").open("wb") as log:
            self.process = subprocess.Popen(
                [binaries / "herald-controller", "--store", folder / "store.db", "--listen", self.address,
                 "--class", "nobody.example/none"],  # the services here are for nobody to act upon
                stdin=subprocess.DEVNULL, stderr=log)
        poll(lambda: self.request("GET", "/readyz")[0] == 200, 20, what="the controller answers")

    def open(self, method: str, path: str, body: Any, content_type: str, timeout: float) -> Any:
        asked = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(),
                                       method=method, headers={"Content-Type": content_type})
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=timeout)

    def request(self, method: str, path: str, body: Any = None,
                content_type: str = "application/json") -> tuple[int, Any]:
        try:
            with self.open(method, path, body, content_type, 20 * PATIENCE) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()

    def stream(self, path: str) -> Iterator[dict[str, Any]]:
        with self.open("GET", path, None, "application/json", 30 * PATIENCE) as answer:
            for line in answer:
                yield json.loads(line)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20 * PATIENCE) == 0


class Real(Embedded):
    """kube-apiserver with Herald's CRDs."""

    def __init__(self, plane: kubernetes.Kubernetes) -> None:
        self.plane = plane
        self.url = plane.url
        plane.install_crds()

    def open(self, method: str, path: str, body: Any, content_type: str, timeout: float) -> Any:
        return kubernetes.opener(self.plane).open(
            kubernetes.asked(self.plane, method, path, body, content_type), timeout=timeout)


@pytest.fixture(scope="module", params=["embedded", pytest.param("kubernetes", marks=pytest.mark.kubernetes)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    if request.param == "embedded":
        embedded = Embedded(folder)
        yield embedded
        embedded.stop()
    else:
        with kubernetes.running(folder, "v1beta1") as plane:
            yield Real(plane)


def fresh() -> str:
    return f"check-{next(_names)}"


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **spec}}


def pool(name: str, addresses: str) -> dict[str, Any]:
    return {"apiVersion": "herald.dev/v1", "kind": "IPAddressPool", "metadata": {"name": name},
            "spec": {"addresses": [addresses], "autoAssign": False}}


SERVICES = "/api/v1/namespaces/default/services"
POOLS = "/apis/herald.dev/v1/ipaddresspools"


def test_health_and_version(server: Server) -> None:
    for path in ("/healthz", "/readyz", "/livez"):
        assert server.request("GET", path) == (200, "ok"), path
    code, version = server.request("GET", "/version")
    assert code == 200 and version["gitVersion"].startswith("v") and version["major"] == "1"


def test_discovery(server: Server) -> None:
    code, groups = server.request("GET", "/apis")
    assert code == 200
    assert "herald.dev/v1" in {version["groupVersion"] for group in groups["groups"] for version in group["versions"]}
    code, found = server.request("GET", "/apis/herald.dev/v1")
    kinds = {entry["name"]: entry for entry in found["resources"]}
    assert kinds["ipaddresspools"]["namespaced"] is False and "pool" in kinds["ipaddresspools"]["shortNames"]
    assert {"get", "list", "watch", "create", "update", "patch", "delete"} <= set(kinds["ipaddresspools"]["verbs"])
    assert "ipaddresspools/status" in kinds and "herald" in kinds["bgppeers"]["categories"]
    code, core = server.request("GET", "/api/v1")
    assert {"services", "services/status", "nodes", "namespaces", "secrets"} <= {one["name"] for one in core["resources"]}


def test_errors_say_what_is_wrong(server: Server) -> None:
    name = fresh()
    code, status = server.request("GET", f"{SERVICES}/{name}")
    assert (code, status["reason"], status["kind"]) == (404, "NotFound", "Status")
    assert status["details"]["name"] == name and status["details"]["kind"] == "services"
    assert server.request("GET", "/apis/herald.dev/v1/nothings")[0] == 404
    assert server.request("POST", SERVICES, service(name))[0] == 201
    code, status = server.request("POST", SERVICES, service(name))
    assert (code, status["reason"]) == (409, "AlreadyExists")
    code, status = server.request("POST", SERVICES, service("Not_A_Name"))
    assert (code, status["reason"]) == (422, "Invalid")
    code, status = server.request("POST", SERVICES, service(fresh(), ports=[{"port": 70000}]))
    assert code == 422 and any("port" in cause["field"] for cause in status["details"]["causes"]), status
    assert server.request("PUT", f"{SERVICES}/{name}", service("another"))[0] == 400


def test_objects_have_identity_and_versions(server: Server) -> None:
    name = fresh()
    code, made = server.request("POST", SERVICES, service(name))
    assert code == 201
    meta = made["metadata"]
    assert meta["uid"] and meta["creationTimestamp"].endswith("Z") and int(meta["resourceVersion"]) > 0
    assert made["spec"]["ports"][0]["protocol"] == "TCP" and made["spec"]["ports"][0]["targetPort"] == 80
    code, patched = server.request("PATCH", f"{SERVICES}/{name}", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    assert code == 200 and int(patched["metadata"]["resourceVersion"]) > int(meta["resourceVersion"])
    assert patched["metadata"]["uid"] == meta["uid"]
    code, same = server.request("PATCH", f"{SERVICES}/{name}", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    assert same["metadata"]["resourceVersion"] == patched["metadata"]["resourceVersion"], "nothing was changed"


def test_a_stale_write_is_refused(server: Server) -> None:
    name = fresh()
    _, made = server.request("POST", SERVICES, service(name))
    server.request("PATCH", f"{SERVICES}/{name}", {"metadata": {"labels": {"a": "1"}}}, MERGE)
    code, status = server.request("PUT", f"{SERVICES}/{name}", made)
    assert (code, status["reason"]) == (409, "Conflict")
    stale = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"], "labels": {"a": "2"}}}
    assert server.request("PATCH", f"{SERVICES}/{name}", stale, MERGE)[0] == 409


CONDITION = {"type": "herald.dev/Assigned", "status": "True", "reason": "Assigned", "message": "from front",
             "lastTransitionTime": "2026-01-01T00:00:00Z"}


def test_a_services_status_is_written_by_its_subresource_alone(server: Server) -> None:
    name = fresh()
    status: dict[str, Any] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    assert server.request("POST", SERVICES, {**service(name), "status": status})[0] == 201
    _, found = server.request("GET", f"{SERVICES}/{name}")
    assert not found.get("status", {}).get("loadBalancer"), "given with the object, it is dropped"
    code, found = server.request("PATCH", f"{SERVICES}/{name}/status",
                                 {"status": status, "spec": {"externalTrafficPolicy": "Local"}}, MERGE)
    assert code == 200 and found["status"]["loadBalancer"] == status["loadBalancer"]
    assert found["spec"].get("externalTrafficPolicy") != "Local", "the subresource changes nothing else"
    stale = {"metadata": {"resourceVersion": "1"}, "status": {"loadBalancer": None}}
    assert server.request("PATCH", f"{SERVICES}/{name}/status", stale, MERGE)[0] == 409
    code, found = server.request("PATCH", f"{SERVICES}/{name}/status", {"status": {"conditions": [CONDITION]}}, MERGE)
    assert code == 200 and found["status"]["conditions"][0]["type"] == "herald.dev/Assigned"
    assert found["status"]["loadBalancer"] == status["loadBalancer"], "a merge patch leaves the rest"


def of_test(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions of CONDITION's type: whoever keeps the objects may add others by and by."""
    return [one for one in found.get("status", {}).get("conditions", []) if one["type"] == CONDITION["type"]]


def test_an_own_kinds_status_is_written_by_its_subresource_alone(server: Server) -> None:
    name = fresh()
    filters = "/apis/herald.dev/v1/bgpfilters"
    made = {"apiVersion": "herald.dev/v1", "kind": "BGPFilter", "metadata": {"name": name},
            "spec": {"rules": [{"action": "accept"}]}, "status": {"conditions": [CONDITION]}}
    assert server.request("POST", filters, made)[0] == 201
    _, found = server.request("GET", f"{filters}/{name}")
    assert of_test(found) == [], "given with the object, it is dropped"
    generation = found["metadata"]["generation"]
    patch = {"status": {"conditions": [CONDITION]}, "spec": {"rules": []}}
    code, found = server.request("PATCH", f"{filters}/{name}/status", patch, MERGE)
    assert code == 200 and of_test(found) == [CONDITION], found
    assert len(found["spec"]["rules"]) == 1, "the subresource changes nothing else"
    assert found["metadata"]["generation"] == generation, "what is wanted is the same"
    stale = {"metadata": {"resourceVersion": "1"}, "status": {"conditions": []}}
    assert server.request("PATCH", f"{filters}/{name}/status", stale, MERGE)[0] == 409
    code, found = server.request("PATCH", f"{filters}/{name}", {"spec": {"rules": []}, "status": None}, MERGE)
    assert code == 200 and of_test(found) == [CONDITION], "nor does the object change its status"
    assert found["metadata"]["generation"] == generation + 1


def test_lists_come_in_pages(server: Server) -> None:
    label = fresh()
    for _ in range(5):
        one = service(fresh())
        one["metadata"]["labels"] = {"page": label}
        assert server.request("POST", SERVICES, one)[0] == 201
    query = f"{SERVICES}?labelSelector=page%3D{label}"
    seen, more, pages = [], "", 0
    while True:
        code, page = server.request("GET", f"{query}&limit=2" + (f"&continue={more}" if more else ""))
        assert code == 200 and page["kind"] == "ServiceList" and len(page["items"]) <= 2
        seen += [item["metadata"]["name"] for item in page["items"]]
        more, pages = page["metadata"].get("continue", ""), pages + 1
        if not more:
            break
    assert len(set(seen)) == 5 and pages == 3
    by_name = server.request("GET", f"{SERVICES}?fieldSelector=metadata.name%3D{seen[0]}")[1]["items"]
    assert [item["metadata"]["name"] for item in by_name] == [seen[0]]


def test_a_watch_tells_changes_in_order_and_resumes(server: Server) -> None:
    name = fresh()
    _, before = server.request("GET", SERVICES)
    version = before["metadata"]["resourceVersion"]
    server.request("POST", SERVICES, service(name))
    server.request("PATCH", f"{SERVICES}/{name}", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    server.request("DELETE", f"{SERVICES}/{name}")
    query = f"{SERVICES}?watch=true&fieldSelector=metadata.name%3D{name}&timeoutSeconds=10"
    seen = list(itertools.islice(server.stream(f"{query}&resourceVersion={version}"), 3))
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)
    again = next(server.stream(f"{query}&resourceVersion={versions[1]}"))
    assert again["type"] == "DELETED", "from where it stood, and not from the beginning"


def test_a_watch_follows(server: Server) -> None:
    name = fresh()
    version = server.request("GET", POOLS)[1]["metadata"]["resourceVersion"]
    address = f"198.51.{next(_names)}.0/24"

    def later() -> None:
        time.sleep(0.3)  # the watch below is to be there first; when it is not, the test still holds
        server.request("POST", POOLS, pool(name, address))

    thread = threading.Thread(target=later)
    thread.start()
    began = time.monotonic()
    events = server.stream(f"{POOLS}?watch=true&resourceVersion={version}&timeoutSeconds=20")
    found = next(event for event in events if event["object"]["metadata"]["name"] == name)
    thread.join()
    assert found["type"] == "ADDED" and time.monotonic() - began < 10 * PATIENCE


def test_the_future_is_no_place_to_watch_from(server: Server) -> None:
    code, status = server.request("GET", f"{SERVICES}?resourceVersion=99999999999999999")
    assert code == 504 and status["reason"] == "Timeout", status


def test_own_kinds_are_checked(server: Server) -> None:
    wrong = pool(fresh(), "198.51.100.0/24")
    wrong["spec"]["autoAssign"] = "perhaps"
    assert server.request("POST", POOLS, wrong)[0] == 422
    empty = pool(fresh(), "")
    empty["spec"] = {}
    code, status = server.request("POST", POOLS, empty)
    assert code == 422 and any(cause["field"] == "spec.addresses" for cause in status["details"]["causes"]), status
    peers = "/apis/herald.dev/v1/bgppeers"
    peer = {"apiVersion": "herald.dev/v1", "kind": "BGPPeer", "metadata": {"name": fresh()},
            "spec": {"peerASN": 65001, "peerAddress": "192.0.2.1", "myASN": 65000}}
    code, made = server.request("POST", peers, peer)
    assert code == 201, made
    for field, value in (("peerPort", 70000), ("ttlSecurity", 0), ("dynamicASN", "both"), ("password", "x" * 81)):
        code, status = server.request("PATCH", f"{peers}/{peer['metadata']['name']}", {"spec": {field: value}}, MERGE)
        assert code == 422, (field, status)
    assert server.request("DELETE", f"{peers}/{peer['metadata']['name']}")[0] == 200


def test_server_side_apply_owns_fields(server: Server) -> None:
    name = fresh()
    path = f"{POOLS}/{name}?fieldManager="
    mine = pool(name, f"198.51.{next(_names)}.0/24")
    assert server.request("PATCH", path + "one", mine, "application/apply-patch+yaml")[0] in (200, 201)
    theirs = pool(name, f"198.51.{next(_names)}.0/24")
    code, status = server.request("PATCH", path + "two", theirs, "application/apply-patch+yaml")
    assert (code, status["reason"]) == (409, "Conflict")
    code, found = server.request("PATCH", path + "two&force=true", theirs, "application/apply-patch+yaml")
    assert code == 200 and found["spec"]["addresses"] == theirs["spec"]["addresses"]


def test_a_dry_run_changes_nothing(server: Server) -> None:
    name = fresh()
    assert server.request("POST", f"{SERVICES}?dryRun=All", service(name))[0] == 201
    assert server.request("GET", f"{SERVICES}/{name}")[0] == 404


def test_finalizers_hold_a_deletion_up(server: Server) -> None:
    name = fresh()
    one = pool(name, f"198.51.{next(_names)}.0/24")
    one["metadata"]["finalizers"] = ["herald.dev/check"]
    assert server.request("POST", POOLS, one)[0] == 201
    assert server.request("DELETE", f"{POOLS}/{name}")[0] == 200
    _, found = server.request("GET", f"{POOLS}/{name}")
    assert found["metadata"]["deletionTimestamp"]
    server.request("PATCH", f"{POOLS}/{name}", {"metadata": {"finalizers": None}}, MERGE)
    poll(lambda: server.request("GET", f"{POOLS}/{name}")[0] == 404, 10, what="gone without its finalizer")
