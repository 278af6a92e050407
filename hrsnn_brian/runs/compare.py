"""What differs between two runs: settings, code and files, and the results, paired over seeds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.tables import Row, read_table, schema_in
from hrsnn_brian.files.toml import flat
from hrsnn_brian.runs.status import read_config
from hrsnn_brian.statistics.comparison import compare_family

SEED = "seed"
COLUMNS = (
    Column("table", "the table both runs have", role="identity"),
    Column("condition", "the columns that say what is compared, and their values", role="identity"),
    Column("score", "the column that is compared", role="identity"),
    Column("pairs", "seeds that both runs have", "1", role="size"),
    Column("first", "mean over these seeds in the first run"),
    Column("second", "mean over these seeds in the second run"),
    Column("difference", "mean of second - first over these seeds"),
    Column("low", "lower end of its 95 % confidence interval"),
    Column("high", "upper end of its 95 % confidence interval"),
    Column("p_t", "two-sided, paired t test, Holm-corrected within the table", "1"),
    Column("p_wilcoxon", "two-sided, signed ranks, Holm-corrected within the table", "1"),
)
_Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Tables:
    """Two tables of one name. same: whether they are equal, byte for byte. rows: of each. only:
    rows whose condition and seed only one of them has. unequal: common rows with another number in
    some score. scores: a row for every condition and score with two common seeds or more."""

    name: str
    same: bool
    rows: tuple[int, int]
    only: tuple[int, int]
    unequal: int
    scores: list[Row]


@dataclass(frozen=True)
class Comparison:
    """settings, code: key -> value in the first run and in the second, where they differ. tables:
    those both have. missing: tables that one of them lacks, with its directory."""

    settings: dict[str, tuple[Any, Any]]
    code: dict[str, tuple[Any, Any]]
    tables: list[Tables]
    missing: list[tuple[str, Path]]


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compares two run directories, finished or not.

    Raises InputError if one is none, or a table cannot be read.
    """
    ours, theirs = (flat(read_config(run)) for run in (first, second))
    differing = {
        key: (ours.get(key), theirs.get(key))
        for key in dict.fromkeys([*ours, *theirs])
        if repr(ours.get(key)) != repr(theirs.get(key))
    }
    code = {key: both for key, both in differing.items() if _is_code(key)}
    settings = {key: both for key, both in differing.items() if key not in code}
    held = [{file.name for file in (run / "tables").glob("*.csv")} for run in (first, second)]
    missing = [(name, first) for name in sorted(held[1] - held[0])]
    missing += [(name, second) for name in sorted(held[0] - held[1])]
    tables = [_compared(first, second, name) for name in sorted(held[0] & held[1])]
    return Comparison(settings, code, tables, missing)


def _is_code(key: str) -> bool:
    place = key.split(".")
    return place[0] in ("files", "libraries") or place[-1] in ("hrsnn_brian", "package")


def _compared(first: Path, second: Path, name: str) -> Tables:
    paths = [run / "tables" / name for run in (first, second)]
    if paths[0].read_bytes() == paths[1].read_bytes():
        n = len(read_table(paths[0]))
        return Tables(name, True, (n, n), (0, 0), 0, [])
    frames = [read_table(path) for path in paths]
    for path, frame in zip(paths, frames, strict=True):
        if SEED not in frame:
            raise InputError("table", str(path), f"has no column {SEED}: nothing to pair by")
    scores = [name for name in _scores(frames[0]) if name in frames[1]]
    ours, theirs = (_indexed(*both, set(scores)) for both in zip(paths, frames, strict=True))
    common = ours.keys() & theirs.keys()
    unequal = sum(any(not _equal(ours[k], theirs[k], score) for score in scores) for k in common)
    only = (len(ours) - len(common), len(theirs) - len(common))
    rows = _paired(name, scores, ours, theirs)
    return Tables(name, False, (len(frames[0]), len(frames[1])), only, unequal, rows)


def _scores(frame: Any) -> list[str]:
    """The columns that tell how well: those the schema calls so, or all measured numbers."""
    schema = schema_in(frame)
    told = [name for name in schema.scores() if name in frame]
    numbers = [name for name in map(str, frame) if frame[name].dtype.kind == "f"]
    measures = [
        name
        for name in numbers
        if name not in schema.columns or schema.columns[name].role == "measure"
    ]
    return told or measures


def _indexed(path: Path, frame: Any, scores: set[str]) -> dict[tuple[_Key, int], Row]:
    """(condition, seed) -> row; the condition is all that says what the row is of."""
    names = [name for name in map(str, frame) if name not in (SEED, *scores)]
    told = schema_in(frame).columns
    identity = [n for n in names if n in told and told[n].role == "identity"]
    if identity:
        identity += [name for name in _ASKED if name in names]
    else:  # a study that does not say: words, whole numbers
        identity = [name for name in names if frame[name].dtype.kind in "Oib"]
    found: dict[tuple[_Key, int], Row] = {}
    for row in frame.to_dict("records"):
        key = tuple((name, str(row[name])) for name in identity if row[name] == row[name])
        if found.setdefault((key, int(row[SEED])), row) is not row:
            what = f"has several rows of seed {row[SEED]} and {_text(key) or 'nothing else'}"
            asked = "its study must declare the columns that tell them apart (role identity)"
            raise InputError("table", str(path), f"{what}: {asked}")
    return found


def _text(condition: _Key) -> str:
    return " ".join(f"{name}={value}" for name, value in condition)


# Sizes that are asked for rather than reached.
_ASKED = ("keep", "neuron_fraction")


def _equal(ours: Row, theirs: Row, score: str) -> bool:
    a, b = ours[score], theirs[score]
    return bool(a == b or (a != a and b != b))


def _paired(
    table: str,
    scores: list[str],
    ours: Mapping[tuple[_Key, int], Row],
    theirs: Mapping[tuple[_Key, int], Row],
) -> list[Row]:
    pairs: dict[tuple[_Key, str], tuple[list[float], list[float]]] = {}
    for (key, seed), row in ours.items():
        other = theirs.get((key, seed))
        for score in scores if other is not None else ():
            assert other is not None
            values = _number(row[score]), _number(other[score])
            if all(map(math.isfinite, values)):
                both = pairs.setdefault((key, score), ([], []))
                both[0].append(values[0])
                both[1].append(values[1])
    enough = {repr(at): (b, a) for at, (a, b) in pairs.items() if len(a) > 1}
    tests = compare_family(enough)
    rows: list[Row] = []
    for at, (a, b) in pairs.items():
        if (test := tests.get(repr(at))) is None:
            continue
        rows.append(
            {
                "table": table,
                "condition": _text(at[0]),
                "score": at[1],
                "pairs": test.pairs,
                "first": sum(a) / len(a),
                "second": sum(b) / len(b),
                "difference": test.mean_difference,
                "low": test.low,
                "high": test.high,
                "p_t": test.p_t_holm,
                "p_wilcoxon": test.p_wilcoxon_holm,
            }
        )
    return rows


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
