# SPDX-License-Identifier: Apache-2.0
"""Collects what is wrong with a topology file, and what of it is ignored, while it is read."""

from pathlib import Path
from typing import Any

from .document import Mapping


class Problems:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[str] = []
        self.notes: list[str] = []  # what is ignored, for the user to see

    def add(self, where: Any, key: str, subject: str, text: str) -> None:
        """`where` is the mapping that has `key`, for its line; None when the problem has no one place."""
        line = where.lines.get(key) if isinstance(where, Mapping) else None
        self.found.append(f"{self.path}{f':{line}' if line else ''}: {subject}: {text}")

    def mapping(self, holder: Any, key: str, subject: str) -> Mapping:
        """The mapping under a key; an empty one when it is absent, or wrong, which is then on record."""
        value = holder.get(key)
        if value is None:
            return Mapping()
        if not isinstance(value, Mapping):
            self.add(holder, key, subject, f"`{key}` must be a mapping, got {kind_of(value)}")
            return Mapping()
        return value


def kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {dict: "a mapping", Mapping: "a mapping", list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")
