# SPDX-License-Identifier: Apache-2.0
"""deploy/Dockerfile against the source tree and the programs, since there is no container engine to build it with here.

      build stage (Debian 12, packages of tools/packages.txt) --COPY--> runtime stage (Debian 12, libraries only)
"""

import re
import subprocess
from pathlib import Path

from tools.lab import bin_directory

REPOSITORY = Path(__file__).resolve().parents[1]
DOCKERFILE = (REPOSITORY / "deploy" / "Dockerfile").read_text()
PROGRAMS = ("herald-speaker", "herald-controller", "heraldctl")
# In every Debian, essential or pulled in by what is named.
ALWAYS = {"libc6", "libgcc-s1", "libstdc++6", "zlib1g"}


def runtime_packages() -> set[str]:
    stage = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    listed = re.search(r"--no-install-recommends((?:[^&])+)&&", stage)
    assert listed
    return set(listed[1].replace("\\", " ").split())


def output_of(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_the_runtime_stage_has_the_library_packages_that_the_programs_load_and_no_others() -> None:
    loaded = "".join(output_of("ldd", str(bin_directory() / program)) for program in PROGRAMS)
    assert "not found" not in loaded
    # By folder and name: /lib and /usr/lib are one here, and other architectures have the same names.
    paths = {"*" + "/".join(path.split("/")[-2:]) for path in re.findall(r"=> (/\S+)", loaded)}
    needed = {line.split(":")[0] for line in output_of("dpkg", "-S", *paths).splitlines()}
    libraries = {package for package in runtime_packages() if package.startswith("lib")}
    assert needed - ALWAYS - libraries == set(), "missing from the image"
    assert libraries - needed == set(), "in the image for nothing"


def test_what_is_copied_from_the_source_tree_is_there_and_what_is_built_is_what_is_copied() -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)
    assert sources
    for source in sources:
        assert (REPOSITORY / source).exists(), source
    for program in PROGRAMS:
        assert f"/src/build/release/bin/{program} " in DOCKERFILE


def test_every_package_of_the_build_stage_comes_from_the_projects_own_list() -> None:
    build = DOCKERFILE[: DOCKERFILE.rindex("FROM ")]
    assert "tools/packages.txt" in build
    lines = (REPOSITORY / "tools" / "packages.txt").read_text().splitlines()
    assert [line for line in lines if line.startswith("build ")]
