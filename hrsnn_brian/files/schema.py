"""What the columns of a table mean: the schema that lies beside every CSV, as `NAME.schema.json`.

Figures, verdicts and summaries ask it which columns are scores, in which direction they are better
and by which one a task is judged. Columns are described in three places: those that many tables
share in `files.columns`, those of one study in its `Study.columns`, scores by themselves (`Score`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError, TableError
from hrsnn_brian.files.columns import KNOWN, Column
from hrsnn_brian.files.score import NONE, Score

FORMAT = 1


@dataclass(frozen=True)
class TaskScores:
    """The score columns of one task. shown: those worth a panel. primary: that it is judged by."""

    scores: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    primary: str | None = None

    def joined(self, other: "TaskScores") -> "TaskScores":
        """These and those of `other`, in order, each once."""
        return TaskScores(
            tuple(dict.fromkeys([*self.scores, *other.scores])),
            tuple(dict.fromkeys([*self.shown, *other.shown])),
            self.primary or other.primary,
        )


@dataclass(frozen=True)
class Schema:
    """columns: name -> column, in the order of the table. tasks: name -> its scores; those of rows
    without a task stand under ""."""

    columns: Mapping[str, Column] = field(default_factory=dict)
    tasks: Mapping[str, TaskScores] = field(default_factory=dict)

    def primary(self, task: str) -> Column | None:
        """The score a task is judged by, None if it has none."""
        name = self.tasks.get(task, TaskScores()).primary
        return self.columns[name] if name else None

    def shown(self, task: str) -> list[Column]:
        """The scores of a task that are worth a panel."""
        return [self.columns[name] for name in self.tasks.get(task, TaskScores()).shown]

    def scores(self) -> list[str]:
        """The names of all score columns."""
        return [name for name, column in self.columns.items() if column.role == "score"]

    def of(self, rows: Iterable[Mapping[str, Any]]) -> "Schema":
        """The part of it that speaks of the columns of `rows`."""
        held = set(columns_of(rows))
        found = {
            task: TaskScores(
                tuple(name for name in told.scores if name in held),
                tuple(name for name in told.shown if name in held),
                told.primary if told.primary in held else None,
            )
            for task, told in self.tasks.items()
        }
        return Schema(
            {name: column for name, column in self.columns.items() if name in held},
            {task: told for task, told in found.items() if told.scores},
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        columns = {column.name: asdict(column) for column in self.columns.values()}
        for described in columns.values():
            del described["name"]
        return {
            "schema": FORMAT,
            "columns": columns,
            "tasks": {task: asdict(scores) for task, scores in self.tasks.items()},
        }


def schema_from_dict(document: Any) -> Schema:
    """The schema that `to_dict` wrote. Raises InputError if it is none of this format."""
    known = document.get("schema") if isinstance(document, dict) else None
    if known != FORMAT:
        raise InputError("schema", known, f"must be of format {FORMAT}")
    try:
        columns = {name: Column(name, **told) for name, told in document["columns"].items()}
        tasks = {
            task: TaskScores(tuple(told["scores"]), tuple(told["shown"]), told["primary"])
            for task, told in document["tasks"].items()
        }
        named = {name for of_task in tasks.values() for name in of_task.scores}
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError("schema", FORMAT, f"lacks a part: {error}") from None
    if not named <= columns.keys():
        raise InputError("schema", sorted(named - columns.keys()), "are scores without a column")
    return Schema(columns, tasks)


def columns_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """All columns, each beside the one it first followed, in order of first appearance."""
    columns: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name in columns:
                place = columns.index(name) + 1
            else:
                columns.insert(place, name)
                place += 1
    return columns


def schema_of(rows: Iterable[Mapping[str, Any]], declared: Iterable[Column] = ()) -> Schema:
    """The schema of rows: scores say themselves what they are, `declared` and known columns are
    looked up by name, all others have no meaning."""
    rows = list(rows)
    told = scores_told(rows)
    return complete(columns_of(rows), declared, [told])


def scores_told(rows: Iterable[Mapping[str, Any]]) -> Schema:
    """What the `Score` objects among the values of rows say of their columns and tasks."""
    columns: dict[str, Column] = {}
    tasks: dict[str, TaskScores] = {}
    for row in rows:
        task = row.get("task") or ""
        for name, score in row.items():
            if not isinstance(score, Score):
                continue
            columns.setdefault(name, replace(_column(score), name=name))
            if score.better != NONE:
                shown = () if score.minor else (name,)
                one = TaskScores((name,), shown, name if score.primary else None)
                tasks[task] = tasks.get(task, TaskScores()).joined(one)
    return Schema(columns, tasks)


def complete(names: Iterable[str], declared: Iterable[Column], told: Iterable[Schema]) -> Schema:
    """The schema of a table with the columns `names`, of what its parts have told of scores."""
    columns = KNOWN | {column.name: column for column in declared}
    tasks: dict[str, TaskScores] = {}
    names = list(names)
    for part in told:
        columns |= part.columns
        names += part.columns
        for task, scores in part.tasks.items():
            tasks[task] = tasks.get(task, TaskScores()).joined(scores)
    return Schema({name: columns.get(name, Column(name)) for name in names}, tasks)


def _column(score: Score) -> Column:
    role = "score" if score.better != NONE else "measure"
    role = "note" if isinstance(score.value, str) else role
    return Column(score.name, score.label, score.unit, score.better, role)


def schema_path(table: Path | str) -> Path:
    """Where the schema of a table lies."""
    return Path(table).with_suffix(".schema.json")


def read_schema(table: Path | str) -> Schema:
    """The schema beside the table `table` (a CSV).

    Raises InputError if there is none, as for tables of version 0.1, or none that can be read.
    """
    path = schema_path(table)
    try:
        return schema_from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        what = f"has no {path.name} beside it (as tables of version 0.1): run its study again"
        raise TableError("table", str(table), what) from None
    except (OSError, ValueError) as problem:  # InputError is a ValueError
        reason = problem.allowed if isinstance(problem, InputError) else "is no JSON"
        what = f"{reason}; run the study of the table again"
        raise InputError("schema", str(path), what) from None
