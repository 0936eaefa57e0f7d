# SPDX-License-Identifier: Apache-2.0
"""What the runner raises. Every message is one that a user can act on; none carries a traceback."""


class LabError(Exception):
    """A lab cannot be started, found or used."""


class TopologyError(LabError):
    """A topology file is wrong or asks for what is not done here; holds every problem, not the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
