"""The one reader of what a user sets: `--set key=value`, TOML files and Python tables.

A key is a dotted path ("neuron.t_ref", "neuron.tau_m.mean"), a last part that occurs only once
("t_ref", "K", "J") or another name of it ("tau_syn"). A value is written as in TOML; a text needs
no quotes ("t_ref=0 ms"). In place of key=value stands the path of a TOML file, whose keys are then
set: `--set mine.toml --set J=0.2`.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, TypeVar

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.toml import read_toml
from hrsnn_brian.settings.keys import Keys
from hrsnn_brian.settings.section import Section

S = TypeVar("S", bound=Section)
FILE = ".toml"


def assignment(text: str, argument: str = "--set") -> tuple[str, str]:
    """Key and value of "key=value". Raises InputError for a text that is none."""
    key, equals, value = (part.strip() for part in text.partition("="))
    if not key or not equals:
        allowed = f"must be key=value, or the path of a TOML file that ends in {FILE}"
        raise InputError(argument, text, allowed)
    return key, value


Settings = Iterable[str] | Mapping[str, Any]
"""Texts, each key=value or the path of a TOML file; or a table, as such a file would hold it."""


def assignments(keys: Keys, settings: Settings) -> dict[str, Any]:
    """Full path -> value of everything that is set, the last one where several are.

    Raises InputError for a text that is no key=value, a file that cannot be read, a key that is
    unknown (the nearest is named) or ambiguous.
    """
    found: dict[str, Any] = {}
    for item in [settings] if isinstance(settings, Mapping) else settings:
        if isinstance(item, str) and ("=" in item or not item.strip().endswith(FILE)):
            key, text = assignment(item)
            chosen = {path: keys.read(path, text) for path in keys.paths(key)}
        else:
            chosen = keys.in_table(file_table(item.strip()) if isinstance(item, str) else item)
        for path, value in chosen.items():
            found.pop(path, None)  # a table set later goes before what was set inside it
            found[path] = value
    return found


def file_table(path: str) -> dict[str, Any]:
    """The table of a TOML file of settings, without its description. Raises InputError."""
    table = read_toml(path, "--set", path)
    table.pop("description", None)
    return table


def applied(
    keys: Keys, table: Mapping[str, Any], settings: Settings
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of a table with texts applied, and what they set by full path."""
    after, given = deepcopy(dict(table)), assignments(keys, settings)
    for path, value in given.items():
        keys.put(after, path, value)
    return after, given


def read(kind: type[S], table: Mapping[str, Any], settings: Settings = (), see: str = "") -> S:
    """The section of a table with texts applied; see: what `hrsnn list options` lists it as.

    Raises InputError as `assignments` does, and for what has no effect beside the rest.
    """
    keys = replace(kind.keys(), see=see)
    return kind.from_dict(kind.reconciled(table, *applied(keys, table, settings)))
