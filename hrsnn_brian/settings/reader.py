"""The reader of `--set key=value`: dotted paths or unambiguous last parts, values as in TOML."""

import tomllib
from collections.abc import Iterable
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name


def assignment(text: str, argument: str = "--set") -> tuple[str, str]:
    """Key and value of "key=value". Raises InputError for a text that is none."""
    key, equals, value = (part.strip() for part in text.partition("="))
    if not key or not equals:
        raise InputError(argument, text, "must be key=value")
    return key, value


def parse_value(text: str) -> Any:
    """The TOML value a text stands for; a text that is none is itself.

    Raises InputError for a table or list that TOML cannot read.
    """
    text = text.strip()
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError as error:
        if text[:1] in ("{", "["):
            raise InputError("value", text, f"is not valid TOML: {error}") from None
        return text
    return parsed["value"] if set(parsed) == {"value"} else text


def resolve(argument: str, key: str, known: Iterable[str]) -> str:
    """The dotted path of `known` that a key stands for: itself, or the one that ends with it.

    Raises InputError if it is unknown, naming the nearest, or ambiguous, naming all.
    """
    paths = list(known)
    if key in paths:
        return key
    matches = [path for path in paths if path.endswith(f".{key}")]
    if len(matches) > 1:
        raise InputError(argument, key, f"is ambiguous: {', '.join(matches)}")
    if not matches:
        # paths for a dotted key, last parts for a short one: like is compared with like
        pool = paths if "." in key else sorted({path.rpartition(".")[2] for path in paths})
        raise unknown_name(argument, key, pool)
    return matches[0]
