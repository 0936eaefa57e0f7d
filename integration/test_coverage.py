# SPDX-License-Identifier: Apache-2.0
"""docs/coverage.md names tests that exist, and no file of labs without one: a row must not outlive what it promises."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
UNIT = re.compile(r"TEST(?:_F|_P)?\((\w+), (\w+)\)")


def unit_tests(path: Path) -> set[str]:
    found = {f"{suite}.{name}" for suite, name in UNIT.findall(path.read_text())}
    return found | {f"{test.partition('.')[0]}.*" for test in found}


def integration_tests(path: Path) -> set[str]:
    return set(re.findall(r"^def test_(\w+)", path.read_text(), re.MULTILINE))


def test_every_test_that_is_named_exists() -> None:
    unit_files = list((REPOSITORY / "tests").rglob("*_test.cpp"))
    named = 0
    for number, line in enumerate((REPOSITORY / "docs/coverage.md").read_text().splitlines(), 1):
        known: set[str] = set()
        for words in re.findall(r"`([^`]+)`", line):
            file, _, test = words.partition(": ")
            where = f"coverage.md:{number}: {words}"
            if re.fullmatch(r"[\w/]+_test\.cpp", file):
                files = [path for path in unit_files if str(path).endswith(f"/{file}")]
                assert len(files) == 1, f"{where}: {len(files)} files of that name"
                known = unit_tests(files[0])
            elif re.fullmatch(r"test_\w+\.py", file):
                assert (REPOSITORY / "integration" / file).exists(), where
                assert test, f"{where}: which test of it?"
                known = integration_tests(REPOSITORY / "integration" / file)
            elif not known or not re.fullmatch(r"[A-Z]\w+\.(\w+|\*)|[A-Z]\w+|\w+_\w+", words):
                continue
            else:
                test = words
            if not test:
                continue
            named += 1
            # After a first test, others of its suite may stand without it.
            assert test in known or any(one.endswith(f".{test}") for one in known), f"{where}: no such test"
    assert named > 80, "the file was read"
