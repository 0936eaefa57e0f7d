# SPDX-License-Identifier: Apache-2.0
"""Objects that a test of one rule makes and takes away again, on the API of a lab."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

from integration.harness import endpoints, poll
from integration.rest import HERALD, SERVICES, SLICES, Rest, addresses

NODES = ("n1", "n2", "n3")
numbers = itertools.count()


@contextlib.contextmanager
def made(rest: Rest, path: str, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Iterator[str]:
    """Within, the object is there; gives its path."""
    rest.create(path, kind, name, spec, **metadata)
    try:
        yield f"{path}/{name}"
    finally:
        rest.delete(f"{path}/{name}")


@contextlib.contextmanager
def advertised(kind: str, rest: Rest, **spec: Any) -> Iterator[str]:
    """Within, an advertisement of that kind of the pool `rules`; gives its path."""
    spec = {"ipAddressPools": ["rules"], **spec}
    with made(rest, f"{HERALD}/{kind.lower()}s", kind, f"rule{next(numbers)}", spec) as path:
        yield path


@contextlib.contextmanager
def served(
    rest: Rest,
    ready: dict[str, bool] | None = None,
    *,
    pool: str = "rules",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> Iterator[str]:
    """Within, a service with an address of the pool and an endpoint on each node; gives its path."""
    name = f"rule-{next(numbers)}"
    spec = {"type": "LoadBalancer", "ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80}], **spec}
    annotations = {"metallb.io/address-pool": pool, **(annotations or {})}
    with contextlib.ExitStack() as stack:
        for slice in endpoints(name, ready or dict.fromkeys(NODES, True)):
            status, answer = rest.call("POST", SLICES, slice)
            assert status == 201, answer
            stack.callback(rest.delete, f"{SLICES}/{slice['metadata']['name']}")
        metadata = {"labels": labels or {}, "annotations": annotations}
        yield stack.enter_context(made(rest, SERVICES, "Service", name, spec, **metadata))


def given(rest: Rest, service: str) -> list[str]:
    return poll(lambda: addresses(rest.get(service)), 5, what=f"{service} has an address")


def label(rest: Rest, node: str, key: str, value: str | None) -> None:
    rest.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {key: value}}})


def by_name(*nodes: str) -> list[dict[str, Any]]:
    return [{"matchLabels": {"kubernetes.io/hostname": name}} for name in nodes]
