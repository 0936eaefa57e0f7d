# SPDX-License-Identifier: Apache-2.0
"""Integration tests: one file per topology, on real daemons in network namespaces. See harness.py for the tools.

    HERALD_BIN             where herald-speaker, herald-controller and heraldctl are (default build/release/bin)
    HERALD_TEST_DATA       third-party data; tests that read it are collected only when it is set
    HERALD_TEST_PATIENCE   multiplies every deadline, for a machine that does other work too (default 1)
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from integration import harness, kubernetes  # noqa: E402
from integration.rest import Rest  # noqa: E402
from tools import lab as labs  # noqa: E402


def pytest_sessionstart(session: pytest.Session) -> None:
    if os.geteuid() != 0 and not session.config.option.collectonly:
        pytest.exit("integration tests make network namespaces: run them as root", returncode=2)
    # A shell's background job ignores interrupts, and so would all that is started here, labs that are to clean up among it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in labs.clear_leftovers() if os.geteuid() == 0 else []:
        print(f"cleaned up lab {name}, left over from a run that was killed")


@pytest.fixture(scope="session")
def test_data() -> Path:
    return Path(os.environ["HERALD_TEST_DATA"])


@pytest.fixture
def rest(lab: labs.Lab) -> Rest:
    """The controller of the lab that the test's own file brings up."""
    return Rest(lab.node("api"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without the data, its tests are not there, rather than skipped."""
    if not os.environ.get("HERALD_TEST_DATA"):
        items[:] = [item for item in items if "test_data" not in getattr(item, "fixturenames", ())]
    # The same for the Kubernetes server, which `./dev test kubernetes` builds and asks for.
    if kubernetes.programs() is None or "kubernetes" not in config.option.markexpr:
        items[:] = [item for item in items if item.get_closest_marker("kubernetes") is None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kubernetes: needs the server of tools/kubernetes/server.sh")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    words = [*harness.last_words, *(entry for lab in harness.live_labs for entry in harness.said(lab))]
    harness.last_words.clear()
    for lab, node, process, text in words:
        report.sections.append((f"{lab} {node} {process}", "\n".join(text.splitlines()[-40:])))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stand-in", action="store_true", help="test_interop: BIRD in Herald's place, to check the tests")
