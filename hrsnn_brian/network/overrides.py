"""`--set key=value`: changes of a parameter table from the command line.

A key is a dotted path ("neuron.t_ref", "neuron.tau_m.mean") or a last part that occurs only once
("t_ref", "K", "J"). A value is written as in TOML; a text needs no quotes ("t_ref=0 ms").
`HRSNNParams` takes the same keys in Python. `tau_syn` stands for both synaptic time constants.
"""

import tomllib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.effect import with_effect
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.spread_fields import Spread
from hrsnn_brian.settings.section import Part, Section, checked_fields

ARGUMENT = "--set key"
_BOTH_SYNAPSES = ("synapse.tau_e", "synapse.tau_i")


def known_keys() -> tuple[str, ...]:
    """Every key that can be set, as a dotted path, without those inside distributions."""
    keys: list[str] = []
    for name, checked in checked_fields(HRSNNParams):
        if isinstance(checked, Part):
            keys += [f"{name}.{leaf}" for leaf, _ in checked_fields(checked.kind)]
        else:
            keys.append(name)
    return tuple(keys)


def _distribution_keys() -> set[str]:
    parts = [(n, c) for n, c in checked_fields(HRSNNParams) if isinstance(c, Part)]
    return {
        f"{name}.{leaf}"
        for name, part in parts
        for leaf, checked in checked_fields(part.kind)
        if isinstance(checked, Spread)
    }


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


def resolve_key(key: str, others: Iterable[str] = (), argument: str = ARGUMENT) -> tuple[str, ...]:
    """The full paths a key stands for (two for tau_syn).

    Raises InputError about `argument` for a key that is ambiguous or unknown; `others` are names
    that are none of the network's and are offered beside them.
    """
    known = known_keys()
    if key in known:
        return (key,)
    if key == "tau_syn":
        return _BOTH_SYNAPSES
    owner, _, last = key.rpartition(".")
    owners = _matches(owner, known) if owner else []
    if len(owners) == 1 and owners[0] in _distribution_keys():
        return (f"{owners[0]}.{last}",)
    matches = _matches(key, known)
    if len(matches) > 1:
        raise InputError(argument, key, f"is ambiguous: {', '.join(matches)}")
    if not matches:
        raise unknown_name(argument, key, [*others, *_nearest_pool(key, known)])
    return (matches[0],)


def _nearest_pool(key: str, known: Iterable[str]) -> list[str]:
    """Paths for a dotted key, last parts for a short one, so that like is compared with like."""
    return list(known) if "." in key else sorted({path.rpartition(".")[2] for path in known})


def _matches(key: str, known: Iterable[str]) -> list[str]:
    return [path for path in known if path == key or path.endswith(f".{key}")]


def _set(table: dict[str, Any], path: str, value: Any) -> None:
    *owners, last = path.split(".")
    for depth, owner in enumerate(owners):
        if ".".join(owners[: depth + 1]) in _distribution_keys():
            table[owner] = _as_table(table.get(owner), ".".join(owners[: depth + 1]))
        table = table.setdefault(owner, {})
        if not isinstance(table, dict):
            raise InputError(ARGUMENT, path, f"{owner} is not a table of parameters")
    if last == "cv" and table.get("family") == "gamma":
        table.pop("shape", None)
    table[last] = value


def _as_table(distribution: Any, path: str) -> dict[str, Any]:
    """The table of a distribution that is left out (the default), a constant or a table."""
    if distribution is None:
        section, name = path.split(".")
        default: dict[str, Any] = HRSNNParams().to_dict()[section][name]
        return default
    if isinstance(distribution, dict):
        return distribution
    return {"family": "constant", "value": distribution}


def apply_overrides(table: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """A copy of a parameter table with "key=value" texts applied, checked as a whole.

    `table` is that of a preset or of `HRSNNParams.to_dict()`. Raises InputError for a text
    without "=", a key that is unknown (the nearest valid one is named) or ambiguous, for values
    `HRSNNParams.from_dict` refuses, and for keys without effect beside the others.
    """
    changed = deepcopy(dict(table))
    given: dict[str, Any] = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError("--set", text, "must be key=value")
        for path in resolve_key(key.strip()):
            given[path] = parse_value(value)
            _set(changed, path, given[path])
    return with_effect(table, changed, given)


def expand_short_keys(given: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `HRSNNParams`, short keys such as "J" put into their sections.

    A short key goes before the section it belongs to, as in `replace(params, J=0.2)`. Raises
    InputError for a key that is unknown or ambiguous, or also in the table of its section.
    """
    fields = {name for name, _ in checked_fields(HRSNNParams)}
    changed = {name: value for name, value in given.items() if name in fields}
    for key, value in given.items():
        for path in () if key in fields else resolve_key(key, fields, "model parameter"):
            section = path.split(".")[0]
            held = changed.get(section, {})
            if isinstance(held, Mapping) and path == f"{section}.{key}" and key in held:
                raise InputError(key, value, f"is also given in {section}")
            changed[section] = held.to_dict() if isinstance(held, Section) else deepcopy(held)
            _set(changed, path, value)
    return changed
