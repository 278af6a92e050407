"""A Bayesian search of a sweep's ranges, as `tune` searches: on validation blocks, resumable.

What takes several values is searched, lists as well; every trial is scored on all seeds and tasks.
"""

import json
import math
import warnings
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.identity import code_identity, files_named
from hrsnn_brian.files.schema import schema_of
from hrsnn_brian.files.tables import Row, Table, write_table
from hrsnn_brian.runs.parallel import as_finished
from hrsnn_brian.runs.provenance import Session, cost_since
from hrsnn_brian.runs.run_directory import RunDirectory, free_directory
from hrsnn_brian.runs.search_run import Costs, History, SearchRun
from hrsnn_brian.runs.study import Point
from hrsnn_brian.runs.sweep_options import SweepOptions
from hrsnn_brian.runs.sweep_parts import NAME
from hrsnn_brian.runs.sweep_points import drawn, point_at, sweep_rows
from hrsnn_brian.runs.trial_scores import COSTS, engine_of, objective_of
from hrsnn_brian.settings.fields import OneOf, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.statistics.search import OBJECTIVE, SEARCHES, Search
from hrsnn_brian.tasks.registry import get_task
from hrsnn_brian.tasks.validation_task import validation_task

TABLE = "sweep_search.csv"
COLUMNS = (
    Column("trial", "number of the trial", "1", role="identity"),
    Column("score", "what the task is judged by, on its validation block, mean over seeds"),
    Column("score_sd", "standard deviation of the score over seeds"),
    Column(OBJECTIVE, "what is maximised: mean over tasks of the log of the score, errors negated"),
    Column("best_so_far", "largest objective up to this trial"),
)


@dataclass(frozen=True)
class SearchOptions(Section):
    """How a sweep is searched."""

    section = "search"
    trials: Whole = Whole(40, low=1).about("settings tried")  # noqa: RUF009
    method: OneOf = OneOf("bayesian", SEARCHES).about("how they are proposed")  # noqa: RUF009


@dataclass(frozen=True)
class Searched:
    """What a search found: the rows of its trials, and those of the best one; where it lies."""

    path: Path
    rows: Table
    best: Table


@dataclass(frozen=True)
class SweepSearch:
    """A search of `options` from `seed` on. jobs: processes, which change no number."""

    options: SweepOptions
    search: SearchOptions
    seed: int = 0
    jobs: int = 1
    device: str = "standalone"
    _points: dict[tuple[float, ...], Point] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for part in ("network", "recipe"):
            if len(names := self.options.names(part)) > 1:
                raise InputError(part, ", ".join(names), "a search takes one of them")
        if len(self.options.readouts) > 1:
            what = "a search takes one readout"
            raise InputError("readouts", ", ".join(self.options.readouts), what)
        if not self._dimensions:
            raise InputError("search", self.search.trials, "no setting has several values")
        for level in (0.0, 0.5, 1.0):  # what cannot be is refused before anything runs
            for task in self._at((level,) * self._dimensions)["tasks"]:
                validation_task(get_task(task[NAME], self.seed, **task["settings"]))

    def _at(self, level: tuple[float, ...]) -> Point:
        """The point at a place of the unit cube."""
        if level not in self._points:
            self._points[level] = point_at(self.options, level, self.seed)
        return self._points[level]

    @property
    def _dimensions(self) -> int:
        return len(drawn(self.options))

    def found(self, out: Path | str | None = None) -> Searched:
        """Runs the search in the directory `out`, or goes on with it.

        out: by default `runs/sweep-search-seed<seed>`, or the next free number of it.
        Raises InputError for a directory that cannot be used, and if no trial gave a number.
        """
        if self.device == "standalone":
            from hrsnn_brian.simulation.toolchain import find_compiler

            find_compiler()  # before anything is written
        config, base = self._config(), Path(out or Path("runs") / f"sweep-search-seed{self.seed}")
        if out is None:
            base = free_directory(base, config)
        with RunDirectory.claim(base, config) as run:
            work = SearchRun(
                name="sweep",
                run=run,
                search=Search(
                    self.search.trials,
                    self.seed,
                    self.search.method,
                    settings={"options": self.options.to_dict()},
                ),
                dimensions=self._dimensions,
                measured=lambda point: self._measured(point, str(run.path)),
                rows=self._rows,
                table=TABLE,
                what=", ".join(self.options.names("task")),
            )
            session = Session(run, self.seed, self.jobs, self.device, self.search.trials)
            rows = work.finished(session, partial(self._filed, run))
        best = max(row[OBJECTIVE] for row in rows)
        chosen = [row for row in rows if row[OBJECTIVE] == best]
        return Searched(run.path, rows, Table(chosen, rows.schema))

    def _config(self) -> dict[str, dict[str, Any]]:
        code = code_identity()
        libraries = code.pop("libraries")
        table = self.options.to_dict()
        told = {"study": "sweep search", "seed": self.seed, "device": self.device, **code}
        told |= self.search.to_dict()
        return {"run": told, "libraries": libraries, "files": files_named(table), "options": table}

    def _filed(self, run: RunDirectory, history: History) -> Table:
        rows = self._rows(history)
        write_table(run.tables / TABLE, rows, rows.schema)
        return rows

    def _measured(self, level: tuple[float, ...], folder: str) -> tuple[dict[str, float], Costs]:
        point = self._at(level)
        seeds = range(self.seed, self.seed + self.options.seeds)
        items = [json.dumps(point | {"seed": seed}) for seed in seeds]
        work = partial(_scored, device=self.device, folder=folder)
        done = list(as_finished(work, items, self.jobs))
        results = {(task, seed): row for found, _ in done for task, seed, row in found}
        engine = [cost for _, cost in done]
        return objective_of(results, self.options.names("task"), seeds), engine

    def _rows(self, history: History) -> Table:
        """A row per trial and task."""
        rows: list[Row] = []
        best, columns = -math.inf, self.options.columns()
        for number, trial in enumerate(history):
            best = max(best, trial.objective)
            point = self._at(trial.point)
            varied = {column.name: point.get(column.name) for column in columns}
            judged = {OBJECTIVE: trial.measures[OBJECTIVE], "best_so_far": best}
            for task in point["tasks"]:
                start = f"{task[NAME]}/"
                measured = {
                    key.removeprefix(start): value
                    for key, value in trial.measures.items()
                    if key.startswith(start)
                }
                told = {"trial": number, "task": task[NAME], "seed": self.seed}
                rows.append(told | varied | task["columns"] | measured | judged)
        return Table(rows, schema_of(rows, (*COLUMNS, *columns)))


def _scored(
    item: str, *, device: str, folder: str
) -> tuple[list[tuple[str, int, Row]], dict[str, Any]]:
    """The scores of a point on the validation blocks of its tasks, in whatever process this is."""
    from hrsnn_brian.dynamics.cost import ActivityWarning
    from hrsnn_brian.network.runaway import RunawayWarning

    point: Point = json.loads(item)
    engine = engine_of(device, folder)
    before = engine.stats.to_dict()
    with warnings.catch_warnings():
        for kind in (RunawayWarning, ActivityWarning):  # a bad trial shows in its score
            warnings.simplefilter("ignore", kind)
        rows = sweep_rows(point, engine, validation_task)
    found = []
    for one, row in zip(point["tasks"], rows, strict=True):
        score = next((v for v in row.values() if getattr(v, "primary", False)), None)
        # without a network of that size there is no score: a trial that failed
        value = math.nan if score is None else float(score.value)
        better = "higher" if score is None else score.better
        costs = {name: row.get(name, math.nan) for name in COSTS}
        found.append((one[NAME], point["seed"], {"score": value, "better": better, **costs}))
    return found, cost_since(before, engine.stats.to_dict())
