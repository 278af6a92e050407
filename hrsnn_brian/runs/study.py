"""The protocol of a study: a list of points, and a pure function from a point to rows.

A study is a module (in `studies/`, or a user's own file) with a `STUDY`:

    def points(options, seed):      # -> list of points: plain dicts that JSON can hold
        return [{"seed": seed + k, "x": x} for k in range(options["seeds"]) for x in options["x"]]

    def run(point, engine):         # pure: the same point gives the same rows, in any process
        return [{"seed": point["seed"], "x": point["x"], "square": point["x"] ** 2}]

    STUDY = Study("squares", "squares of a few numbers", points, run,
                  presets={"quick": {"seeds": 2, "x": [1, 2]}}, uses_engine=False)

Rows of all points, in the order of the points, become `tables/<name>.csv`.
"""

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.runs.tables import Row

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

Point: TypeAlias = dict[str, Any]
Options: TypeAlias = dict[str, Any]
RunPoint: TypeAlias = Callable[[Point, "Engine"], list[Row]]


@dataclass(frozen=True)
class Study:
    """A sweep over independent points.

    points: (options, seed) -> points; raises InputError for options that cannot be used.
    run: (point, engine) -> rows; pure in the point. The engine may be shared between points.
    presets: name -> options; the first is the default. An option "network" of the form
        {"preset": name, "set": ["N=300", ...]} is resolved to the full parameters of the network.
    uses_engine: False hands `run` no engine (None) and asks for no compiler.
    figures: names of the figures drawn from the finished table.
    summary: rows -> a short text for the terminal.
    source, code: set by `load_study`: what it was given, and what identifies the code behind it
        (the name, for a study of the package; a hash of the content, for a user's file).
    """

    name: str
    description: str
    points: Callable[[Options, int], list[Point]]
    run: RunPoint
    presets: Mapping[str, Options]
    uses_engine: bool = True
    figures: tuple[str, ...] = ()
    summary: Callable[[Sequence[Row]], str] | None = None
    source: str = ""
    code: str = ""


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

    Raises InputError for an unknown name, a missing file, one that fails or has no `STUDY`.
    """
    if source.endswith(".py"):
        path = Path(source).absolute()
        code = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
        study = _study_in(_module_from(path))
        if study is None:
            raise InputError("study", source, "the file defines no STUDY = Study(...)")
        return replace(study, source=str(path), code=code)
    known = list_studies()
    if source not in known:
        raise unknown_name("study", source, known)
    study = _study_in(importlib.import_module(f"hrsnn_brian.studies.{source}"))
    assert study is not None
    return replace(study, source=source, code=source)


def _module_from(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError("study", str(path), "no such file")
    name = f"hrsnn_user_study_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses of the file look themselves up here
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = f"the file fails with {type(error).__name__}: {error}{_line_of(error, path)}"
        raise InputError("study", str(path), line) from error
    return module


def _line_of(error: Exception, path: Path) -> str:
    frames = [f.lineno for f in extract_tb(error.__traceback__) if f.filename == str(path)]
    return f" (line {frames[-1]})" if frames else ""


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
            near = get_close_matches(key, options, n=1, cutoff=0.7)
            if near and "." not in key:
                raise unknown_name("--set key", key, options)
            network_overrides.append(text)
    if "network" in options:
        options["network"] = _network_parameters(options["network"], network_overrides)
    return options


def _network_parameters(network: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    from hrsnn_brian.parameters.presets import load_preset

    return load_preset(network["preset"], [*network.get("set", ()), *overrides]).to_dict()


def _parsed(key: str, text: str, former: object) -> object:
    """`text` as a value of the kind of `former`."""
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
