"""The protocol of a study: a list of points, and a pure function from a point to rows.

A study is a module (in `studies/`, or a user's own file) with a `STUDY`:

    def points(options, seed):      # -> list of points: plain dicts that JSON can hold
        return [{"seed": seed + k, "x": x} for k in range(options["seeds"]) for x in options["x"]]

    def run(point, engine):         # pure: the same point gives the same rows, in any process
        return [{"seed": point["seed"], "x": point["x"], "square": point["x"] ** 2}]

    STUDY = Study("squares", "squares of a few numbers", points, run,
                  presets={"quick": {"seeds": 2, "x": [1, 2]}}, uses_engine=False)

Rows of all points, in the order of the points, become `tables/<name>.csv`. A file of data that
`run` reads is best named by an option: a resumed run then notices that it has changed.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.runs.identity import joint_digest
from hrsnn_brian.runs.study_file import digests_of, module_from
from hrsnn_brian.runs.tables import Row

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

Point: TypeAlias = dict[str, Any]
Options: TypeAlias = dict[str, Any]
RunPoint: TypeAlias = Callable[[Point, "Engine"], Iterable[Row] | Row | None]

_FILE_NAME = re.compile(r"[^./\\\0-\x1f-][^/\\\0-\x1f]{0,99}")


@dataclass(frozen=True)
class Study:
    """A sweep over independent points.

    points: (options, seed) -> points; raises InputError for options that cannot be used.
    run: (point, engine) -> rows (dicts; a single one, or None for no row, will do); pure in the
        point. The engine may be shared between points.
    presets: name -> options; the first is the default. An option "network" of the form
        {"preset": name, "set": ["N=300", ...]} is resolved to the full parameters of the network.
    uses_engine: False hands `run` no engine (None) and asks for no compiler.
    figures: names of the figures drawn from the finished table.
    summary: rows -> a short text for the terminal.
    source, code: set by `load_study`: what it was given, and what identifies the code behind it
        (the name, for a study of the package; a hash of the content, for a user's file).
    files: set by `load_study`: name -> digest of a user's file and of its neighbours.
    """

    name: str
    description: str
    points: Callable[[Options, int], Iterable[Point]]
    run: RunPoint
    presets: Mapping[str, Options]
    uses_engine: bool = True
    figures: tuple[str, ...] = ()
    summary: Callable[[Sequence[Row]], str] | None = None
    source: str = ""
    code: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


def list_studies() -> dict[str, str]:
    """Name and description of every study the package brings."""
    import hrsnn_brian.studies as package

    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    found = {
        name: _study_in(importlib.import_module(f"{package.__name__}.{name}")) for name in names
    }
    return {name: study.description for name, study in sorted(found.items()) if study}


def _study_in(module: ModuleType) -> Study | None:
    study = getattr(module, "STUDY", None)
    return study if isinstance(study, Study) else None


def load_study(source: str) -> Study:
    """The study called `source`, or the `STUDY` of the file `source` if that ends in `.py`.

    The file may import modules of its own folder. Raises InputError for an unknown name, a missing
    file, one that fails or has no usable `STUDY`.
    """
    if source.endswith(".py"):
        path = Path(source).expanduser().absolute()
        files = digests_of(path) if path.is_file() else {}
        study = _study_in(module_from(path))
        if study is None:
            raise InputError("study", source, "the file defines no STUDY = Study(...)")
        _check(study)
        return replace(study, source=str(path), code=joint_digest(files), files=files)
    known = list_studies()
    if source not in known:
        own = f"{source}.py"
        raise unknown_name("study", source, [*known, *([own] if Path(own).is_file() else [])])
    study = _study_in(importlib.import_module(f"hrsnn_brian.studies.{source}"))
    assert study is not None
    return replace(study, source=source, code=source)


def _check(study: Study) -> None:
    """Raises InputError if a study of the user's own cannot be run or filed."""
    if not isinstance(study.presets, Mapping) or not study.presets:
        raise InputError(
            "presets", study.presets, "must be a dict of options by name, at least one"
        )
    for what, name in [("study name", study.name), *(("preset", key) for key in study.presets)]:
        if not isinstance(name, str) or not _FILE_NAME.fullmatch(name):
            allowed = "must be a short text without / or \\ that does not begin with a dot or dash"
            raise InputError(what, name, f"{allowed}: files are named after it")
    for key, options in study.presets.items():
        if not isinstance(options, Mapping):
            raise InputError(f"preset {key}", options, "must be a dict of options")
        network = options.get("network", {"preset": ""})
        if not isinstance(network, Mapping) or "preset" not in network:
            allowed = 'must have the form {"preset": "default", "set": ["N=300"]}'
            raise InputError("network", network, allowed)
    for what in ("points", "run"):
        if not callable(getattr(study, what)):
            raise InputError(what, getattr(study, what), "must be a function")


def resolve_options(study: Study, preset: str | None, overrides: Sequence[str]) -> Options:
    """The options of a preset (default: the first) with `key=value` overrides applied.

    A key of the options takes a value of the same kind (a list: comma-separated). Any other key
    is a parameter of the network, if the study has one.
    Raises InputError for an unknown preset or key, or a value of the wrong kind.
    """
    preset = next(iter(study.presets)) if preset is None else preset
    if preset not in study.presets:
        raise unknown_name("preset", preset, study.presets)
    options = deepcopy(study.presets[preset])
    network_overrides: list[str] = []
    for text in overrides:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            raise InputError("--set", text, "give key=value")
        if key in options and key != "network":
            options[key] = _parsed(key, value, options[key])
        elif "network" not in options:
            raise unknown_name("--set key", key, options)
        else:
            _check_network_key(key, [name for name in options if name != "network"])
            network_overrides.append(text)
    if "network" in options:
        options["network"] = _network_parameters(options["network"], network_overrides)
    return options


def _check_network_key(key: str, own: Sequence[str]) -> None:
    """Raises InputError, with the study's own options among those offered, for an unknown key."""
    from hrsnn_brian.parameters.overrides import resolve_key

    resolve_key(key, own)


def _network_parameters(network: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    from hrsnn_brian.parameters.presets import load_preset

    return load_preset(network["preset"], [*network.get("set", ()), *overrides]).to_dict()


def _parsed(key: str, text: str, former: object) -> object:
    """`text` as a value of the kind of `former`; as TOML where that says nothing of the kind."""
    if former is None or isinstance(former, Mapping):
        from hrsnn_brian.parameters.overrides import parse_value

        return parse_value(text)
    if isinstance(former, list):
        item = former[0] if former else ""
        parts = [part.strip() for part in text.strip("[]").split(",") if part.strip()]
        if not parts:
            raise InputError(key, text, "give at least one value")
        return [_parsed(key, part, item) for part in parts]
    if isinstance(former, bool):
        if text.lower() not in ("true", "false"):
            raise InputError(key, text, "must be true or false")
        return text.lower() == "true"
    if isinstance(former, int | float):
        kind = type(former)
        try:
            return kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise InputError(key, text, f"must be {what}") from None
    return text.strip("\"'")
