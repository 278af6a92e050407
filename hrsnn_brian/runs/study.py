"""The protocol of a study: a list of points, and a pure function from a point to rows.

A study is a module (in `studies/`, or a user's own file) with a `STUDY`:

    def points(options, seed):      # -> list of points: plain dicts that JSON can hold
        return [{"seed": seed + k, "x": x} for k in range(options["seeds"]) for x in options["x"]]

    def run(point, engine):         # pure: the same point gives the same rows, in any process
        return [{"seed": point["seed"], "x": point["x"], "square": point["x"] ** 2}]

    STUDY = Study("squares", "squares of a few numbers", points, run,
                  presets={"quick": {"seeds": 2, "x": [1, 2]}}, uses_engine=False)

Values of a preset say of what kind the options are; `options=` a section of typed fields (see
`runs.options`) says it with bounds, units and meanings, for `hrsnn list options`.

Rows of all points, in the order of the points, become `tables/<name>.csv`, with a schema beside it
that says what the columns mean; a study of several `tables` sorts its rows into them. A value
may be a `Score`: its direction and unit, and whether the task is judged by it, are filed with it.
A file of data that
`run` reads is best named by an option: a resumed run then notices that it has changed.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.identity import joint_digest
from hrsnn_brian.files.tables import Row, Table
from hrsnn_brian.runs.options import NETWORK, Options, check_network, resolved
from hrsnn_brian.runs.study_file import digests_of, module_from
from hrsnn_brian.settings.section import Section
from hrsnn_brian.statistics.comparison import seeds_needed

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

Point: TypeAlias = dict[str, Any]
TABLE = "table"
"""The column in which a row of a study of several tables says into which it goes."""
RunPoint: TypeAlias = Callable[[Point, "Engine"], Iterable[Row] | Row | None]

# The studies of the package are found by name, like a user's file: nothing here depends on them.
STUDIES = "hrsnn_brian.studies"

_FILE_NAME = re.compile(r"[^./\\\0-\x1f-][^/\\\0-\x1f]{0,99}")


@dataclass(frozen=True)
class Study:
    """A sweep over independent points.

    points: (options, seed) -> points; raises InputError for options that cannot be used.
    run: (point, engine) -> rows (dicts; a single one, or None for no row, will do); pure in the
        point. The engine may be shared between points.
    presets: name -> options; the first is the default. An option "network" of the form
        {"preset": name, "set": ["N=300", ...]} is resolved to the full parameters of the network.
    varied: options -> columns that depend on them, beside these.
    options: the fields of the options, of which presets then are the differences; without it they
        are what the values of the preset show them to be.
    families: options -> how many comparisons are corrected together in the smallest and in the
        largest family of tests, None if there are no tests.
    uses_engine: False hands `run` no engine (None) and asks for no compiler.
    figures: names of the figures drawn from the finished table.
    summary: rows -> a short text for the terminal; the rows are a `Table`, which has their schema.
    tables: names of its tables, if there are others than one called as the study. The first is its
        main one, which has the rows without a `TABLE`; a table without rows is not written.
    columns: what the columns of its own mean; scores say it themselves (`Score` as a value).
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
    summary: Callable[[Table], str] | None = None
    columns: tuple[Column, ...] = ()
    varied: Callable[[Options], tuple[Column, ...]] | None = None
    options: type[Section] | None = None
    families: Callable[[Options], tuple[int, int] | None] | None = None
    tables: tuple[str, ...] = ()
    source: str = ""
    code: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def main_table(self) -> str:
        """The name of the table that its summary is of."""
        return self.tables[0] if self.tables else self.name


def list_studies() -> dict[str, str]:
    """Name and description of every study the package brings."""
    package = importlib.import_module(STUDIES)
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
    study = _study_in(importlib.import_module(f"{STUDIES}.{source}"))
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
        if NETWORK in options:
            check_network(options[NETWORK])
    if not all(isinstance(column, Column) for column in study.columns):
        raise InputError("columns", study.columns, "must be Column objects, one per column")
    for what in ("points", "run"):
        if not callable(getattr(study, what)):
            raise InputError(what, getattr(study, what), "must be a function")


def resolve_options(study: Study, preset: str | None, settings: Sequence[str]) -> Options:
    """The options of a preset (default: the first) with settings applied, as plain values.

    A setting is "key=value" or the path of a TOML file; lists are separated by commas. Keys are the
    study's own and, if it has one, those of its network.
    Raises InputError for an unknown preset or key, or a value that does not fit.
    """
    name = next(iter(study.presets)) if preset is None else preset
    if name not in study.presets:
        raise unknown_name("preset", name, study.presets)
    return resolved(study.options, study.presets[name], settings, study.source or study.name)


def undecided(study: Study, options: Options) -> str | None:
    """Why a run with these options can decide no test, or not all of them; None if it may."""
    families = None if study.families is None else study.families(options)
    if families is None:
        return None
    seeds, (least, most) = options["seeds"], (seeds_needed(comparisons=n) for n in families)
    if seeds >= most:
        return None
    together = f"{families[1]} comparisons corrected together"
    if seeds >= least:
        return f"{seeds} seeds decide single comparisons only; {together} need {most} seeds"
    first = f"a single comparison needs {least} seeds, " if families[0] == 1 else ""
    return f"{seeds} seeds can decide no verdict: {first}{together} need {most}"
