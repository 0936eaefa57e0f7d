# SPDX-License-Identifier: Apache-2.0
"""YAML with a line number for every key, and the `${VAR:=default}` substitution that containerlab does first.

Knows the form of the text only; what the keys mean is in topology.py."""

import os
import re
from pathlib import Path
from typing import Any

import yaml

from .errors import TopologyError

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-=]([^}]*))?\}|([A-Za-z_]\w*))")


class Mapping(dict):
    """A YAML mapping that remembers where each key stands."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


class _Loader(yaml.SafeLoader):
    pass


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> Mapping:
    own_keys = set()
    for key, _ in node.value:
        if key.value != "<<" and key.value in own_keys:
            raise yaml.constructor.ConstructorError(None, None, f"`{key.value}` is given twice", key.start_mark)
        own_keys.add(key.value)
    loader.flatten_mapping(node)
    mapping = Mapping()
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        mapping[key] = loader.construct_object(value_node, deep=True)
        mapping.lines[key] = key_node.start_mark.line + 1
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def substitute(text: str, environment: dict[str, str]) -> str:
    """`$VAR` and `${VAR}` from the environment, empty when unset; `${VAR:-x}` and `${VAR:=x}` fall back to x."""

    def value(match: re.Match[str]) -> str:
        braced, fallback, bare = match.groups()
        return environment.get(braced or bare) or fallback or ""

    return _VARIABLE.sub(value, text)


def load(path: Path) -> Any:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise TopologyError([f"{path}: cannot be read: {error}"]) from error
    try:
        return yaml.load(substitute(text, dict(os.environ)), _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TopologyError([f"{path}:{line}: not YAML: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise TopologyError([f"{path}: not YAML: {error}"]) from error
