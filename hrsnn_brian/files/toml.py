"""The TOML subset a resolved configuration needs; `tomllib` reads it back unchanged."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.atomic import plain


def read_toml(source: Any, argument: str, name: str) -> dict[str, Any]:
    """The table of a TOML file in UTF-8; source: its path, or a resource of the package.

    Raises InputError about `argument` = `name` if it cannot be read or is no TOML.
    """
    source = Path(source) if isinstance(source, str) else source
    try:
        return tomllib.loads(source.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(argument, name, f"line {line} is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(argument, name, f"is not valid TOML: {error}") from None
    except OSError as error:
        raise InputError(argument, name, f"cannot be read ({error.strerror})") from None


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted path -> value of a table of tables."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        inner = isinstance(value, Mapping)
        found |= flat(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": value}
    return found


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _value(value: Any) -> str:
    if value is None:
        return "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)  # TOML's own spelling, with nan and inf
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no TOML form: {value!r}")


def _tables(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [
        f"{_key(name)} = {_value(value)}" for name, value in table.items() if not _is_table(value)
    ]
    for name, value in table.items():
        if _is_table(value):
            inner = (*path, name)
            lines += ["", f"[{'.'.join(map(_key, inner))}]", *_tables(value, inner)]
    return lines


def dump_toml(config: Mapping[str, Any]) -> str:
    """`config` (nested mappings of plain values) as TOML, NaN and inf included.

    None has no TOML form: its key is left out, an item of a list becomes an empty table.
    """
    return "\n".join(_tables(_without_none(plain(config, exact=True)), ())).strip("\n") + "\n"


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value
