# SPDX-License-Identifier: Apache-2.0
"""The controller's API by plain HTTP on its unix socket: for tests that make thousands of requests, where a process
for each would be the slow part. Knows nothing of what the objects mean."""

import http.client
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from tools.lab import Node

SERVICES = "/api/v1/namespaces/default/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
HERALD = "/apis/herald.dev/v1"


class Away(OSError):
    """Nobody answered; whether the request was carried out is not known."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Rest:
    """Safe to use from several threads: each has a connection of its own, opened again when it was lost."""

    def __init__(self, node: Node, socket_path: str = "/run/herald/api.sock") -> None:
        path = str(node.path(socket_path))
        self._prepare(lambda: _Connection(path), {})

    def _prepare(self, connection: Callable[[], http.client.HTTPConnection], headers: dict[str, str]) -> None:
        self._connection = connection
        self._headers = headers
        self._own = threading.local()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """HTTP status and object; raises Away."""
        status, answer = self._exchange(method, path, body)
        return status, json.loads(answer)

    def text(self, path: str) -> str:
        status, answer = self._exchange("GET", path, None)
        assert status == 200, answer
        return answer.decode()

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        content = "application/merge-patch+json" if method == "PATCH" else "application/json"
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connection()
        try:
            headers = {**self._headers, "Content-Type": content}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._own.connection = None
            raise Away(f"{method} {path}: {type(error).__name__}: {error}") from error

    def get(self, path: str) -> dict[str, Any]:
        """The object; a LookupError when there is none."""
        status, answer = self.call("GET", path)
        if status == 404:
            raise LookupError(path)
        assert status == 200, answer
        return answer

    def create(self, path: str, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
        status, answer = self.call("POST", path, {"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec})
        assert status == 201, answer
        return answer

    def patch(self, path: str, patch: dict[str, Any]) -> dict[str, Any]:
        status, answer = self.call("PATCH", path, patch)
        assert status == 200, answer
        return answer

    def delete(self, path: str) -> None:
        status, answer = self.call("DELETE", path)
        assert status == 200, answer


def addresses(service: dict[str, Any]) -> list[str]:
    """The service's addresses, in order."""
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return [entry["ip"] for entry in ingress]


def condition(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    """The condition of that type; empty when there is none."""
    conditions = thing.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})
