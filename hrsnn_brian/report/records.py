"""The rows of finished runs: read, checked, merged and indexed by what was compared."""

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import NAME, ON_TASK, UNMATCHED, Column, named
from hrsnn_brian.files.schema import complete, read_schema
from hrsnn_brian.files.tables import Row, Table, columns_of, read_table, require_numbers
from hrsnn_brian.files.toml import flat
from hrsnn_brian.report.claims import (
    ECHO,
    GROWTH_COMMON,
    LAMBDA,
    LAMBDA_COMMON,
    OPERATIONS,
    REFERENCES,
)

RAW = UNMATCHED
WORDS = ("task", "network", "match", "readout")
SIZES = ("neurons", "synapses")
NUMBERS = ("seed", "keep", "neuron_fraction", *SIZES)
WHOLE = ("seed", *SIZES)
MEASURES = (OPERATIONS, "rate_hz", LAMBDA, LAMBDA_COMMON, GROWTH_COMMON, ECHO)
IDENTITY = ("seed", "task", "network", "recipe", "keep", "neuron_fraction", "match", "readout")


@dataclass(frozen=True, order=True)
class Size:
    """Fractions of the original neurons and synapses, and how the rate was matched (RAW: not)."""

    neuron_fraction: float
    keep: float
    match: str

    def __str__(self) -> str:
        how = "on the task" if self.match == ON_TASK else f"by {self.match}"
        rate = "raw" if self.match == RAW else f"rate matched {how}"
        return f"keep {self.keep:g}, neurons {self.neuron_fraction:g}, {rate}"


@dataclass(frozen=True)
class Records:
    """Rows of one table at one readout.

    cells: (task, name, size) -> seed -> row; a name is a recipe's, or of a network that none made.
    scores: task -> its primary score.
    """

    cells: Mapping[tuple[str, str, Size], Mapping[int, Row]]
    scores: Mapping[str, Column]

    @property
    def tasks(self) -> list[str]:
        """Tasks, in the order of the rows."""
        return list(dict.fromkeys(task for task, _, _ in self.cells))

    @property
    def names(self) -> list[str]:
        """Recipes and other networks, in the order of the rows."""
        return list(dict.fromkeys(name for _, name, _ in self.cells))

    def sizes(self, name: str) -> list[Size]:
        """All sizes of a recipe on any task, the largest first."""
        return sorted({size for _, its_name, size in self.cells if its_name == name}, reverse=True)

    def rows(self, task: str, name: str, size: Size) -> Mapping[int, Row]:
        """Seed -> row. A reference stands for every size: rate-matched if there is such a row."""
        if name not in REFERENCES:
            return self.cells.get((task, name, size), {})
        for match in (size.match, RAW):
            for (its_task, its_name, its_size), rows in self.cells.items():
                if (its_task, its_name, its_size.match) == (task, name, match):
                    return rows
        return {}


def records_of(table: Table, readout: str) -> Records:
    """The rows of one readout, indexed."""
    cells: dict[tuple[str, str, Size], dict[int, Row]] = {}
    chosen = [row for row in named(table) if row["readout"] == readout]
    for row in chosen:
        size = Size(float(row["neuron_fraction"]), float(row["keep"]), row["match"])
        cells.setdefault((row["task"], row[NAME], size), {})[int(row["seed"])] = row
    scores = {}
    for task in dict.fromkeys(row["task"] for row in chosen):
        score = table.schema.primary(task)
        of_task = (row for row in chosen if row["task"] == task)
        if score is not None and any(row.get(score.name) is not None for row in of_task):
            scores[task] = score
    return Records(cells, scores)


def number(value: Any) -> float:
    """A cell as a number; NaN if it is empty or not finite."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan


def read_rows(runs: Sequence[Path | str], tables: Iterable[str]) -> dict[str, Table]:
    """Table -> the rows of all `runs` that hold it, each measurement once; NaN becomes None.

    Raises InputError if a run is no run directory, is not finished, holds none of `tables`, lacks
    a column or a value, was made with other settings, or disagrees with another about a number.
    """
    tables = list(dict.fromkeys(tables))
    paths = [Path(run) for run in runs]
    configs = {path: _config(path) for path in paths}
    merged: dict[str, Table] = {}
    for table in tables:
        holders = [path for path in paths if _file(path, table).is_file()]
        for path in holders[1:]:
            _require_same_settings(path, configs[path], configs[holders[0]])
        if holders:
            rows = _merged([(path, _rows(path, table)) for path in holders])
            schemas = [read_schema(_file(path, table)) for path in holders]
            merged[table] = Table(rows, complete(columns_of(rows), (), schemas))
    for path in paths:
        if not any(_file(path, table).is_file() for table in tables):
            raise InputError("RUN", str(path), f"holds no table of {', '.join(tables)}")
    return merged


def mixed_origins(runs: Sequence[Path | str]) -> list[str]:
    """A line per run that other code, libraries or another device made than the first: their rows
    are joined, but a difference between them may not be one of what is compared.

    Raises InputError as `read_rows` does for what is no finished run.
    """
    first, *others = [(Path(run), _origin(_config(Path(run)))) for run in runs]
    return [
        f"{path} was not made as {first[0]}: {'; '.join(differing)}"
        for path, origin in others
        if (differing := _differing_origins(origin, first[1]))
    ]


def _origin(config: Mapping[str, Any]) -> dict[str, str]:
    run = config.get("run", {})
    found = {"hrsnn_brian": run.get("hrsnn_brian"), "device": run.get("device")}
    found |= {"the digest of its source files": run.get("package")}
    found |= config.get("libraries", {})
    found |= {f"the digest of {name}": it for name, it in config.get("files", {}).items()}
    return {name: str(value) for name, value in found.items() if value is not None}


def _differing_origins(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    return [
        f"{name} is {ours.get(name, 'unknown')}, not {theirs.get(name, 'unknown')}"
        for name in dict.fromkeys([*theirs, *ours])
        if ours.get(name) != theirs.get(name)
    ]


def _file(run: Path, table: str) -> Path:
    return run / "tables" / f"{table}.csv"


def _config(run: Path) -> dict[str, Any]:
    try:
        config = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        reason = "is not a run directory (it holds no config.toml that can be read)"
        raise InputError("RUN", str(run), reason) from None
    if not (run / "DONE").is_file():
        reason = "is not finished (it holds no DONE); the command that began it resumes it"
        raise InputError("RUN", str(run), reason)
    return config


def _require_same_settings(run: Path, config: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Lists and the number of seeds span the grid and may differ; all else must agree."""
    ours, theirs = _settings(config), _settings(other)
    for key in [*theirs, *ours]:
        if ours.get(key) != theirs.get(key):
            what = f"{ours.get(key)!r}, not {theirs.get(key)!r} as in the first run"
            raise InputError("RUN", str(run), f"cannot be joined: its {key} is {what}")


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    options = config.get("options", {})
    return flat({k: v for k, v in options.items() if k != "seeds" and not isinstance(v, list)})


def _rows(run: Path, table: str) -> list[Row]:
    path = _file(run, table)
    frame, schema = read_table(path), read_schema(path)
    lacking = [name for name in (*IDENTITY, *SIZES) if name not in frame.columns]
    if lacking:
        what = f"lacks the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}"
        raise InputError("table", str(path), f"{what}; run its study again")
    compared = [name for name in map(str, frame) if name in NUMBERS or name in MEASURES]
    try:
        scores = [name for name in schema.scores() if name in frame]
        require_numbers(frame, [*compared, *scores])
    except InputError as error:
        raise InputError("table", str(path), error.allowed) from None
    rows: list[Row] = [
        {str(name): None if value != value else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
    for at, row in zip(frame.index, rows, strict=True):
        bad = [name for name in WORDS if not isinstance(row[name], str)]
        # a row that notes why it has no network has no size either
        needed = [name for name in NUMBERS if name not in SIZES or not row.get("note")]
        bad += [name for name in needed if math.isnan(number(row[name]))]
        bad += [name for name in WHOLE if row[name] is not None and row[name] % 1]
        if bad:
            raise InputError("table", str(path), f"line {at + 2} has no usable {bad[0]}")
    return rows


def _merged(tables: Iterable[tuple[Path, list[Row]]]) -> list[Row]:
    found: dict[tuple[Any, ...], tuple[Path, Row]] = {}
    for path, rows in tables:
        for row in rows:
            key = tuple(row[name] for name in IDENTITY)
            first, other = found.setdefault(key, (path, row))
            differing = [k for k in row if k in other and row[k] != other[k]]
            if differing:
                k = differing[0]
                what = ", ".join(f"{name} {row[name]}" for name in IDENTITY)
                reason = f"{k} of {what} is {row[k]!r}, but {other[k]!r} in {first}"
                raise InputError("RUN", str(path), f"disagrees: {reason}")
    return [row for _, row in found.values()]
