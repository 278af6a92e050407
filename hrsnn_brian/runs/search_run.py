"""A search in a run directory: its log, its table after every trial, progress and provenance.

The log is points/trials.jsonl; a run that was killed continues from there to the very trials an
uninterrupted one would have made.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, TypeVar

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.tables import Table, write_csv
from hrsnn_brian.runs.progress import Lines, Progress
from hrsnn_brian.runs.provenance import Session, add_costs, utc_now
from hrsnn_brian.runs.run_directory import RunDirectory
from hrsnn_brian.statistics.search import Evaluation, Search, best_evaluation, maximise

LOG = "trials.jsonl"
Costs = list[dict[str, Any]]
History = Sequence[Evaluation]
T = TypeVar("T")


def _best(history: History) -> str:
    best = best_evaluation(history)
    return "" if best is None else f"best {best.objective:.4g}"


@dataclass(frozen=True)
class SearchRun:
    """A search and the directory of its run.

    name: what is searched by, for progress. search: how; its log is put into the directory.
    dimensions: of the unit cube. measured: point -> measures, and costs of engines. rows: the
    table of the trials so far, kept in tables/`table`. best: what progress says of them. start:
    tried first. what: about what an error is.
    """

    name: str
    run: RunDirectory
    search: Search
    dimensions: int
    measured: Callable[[tuple[float, ...]], tuple[dict[str, float], Costs]]
    rows: Callable[[History], Table]
    table: str
    what: str
    best: Callable[[History], str] = field(kw_only=True, default=_best)
    start: tuple[float, ...] | None = None
    costs: Costs = field(default_factory=list)

    def finished(self, session: Session, finish: Callable[[tuple[Evaluation, ...]], T]) -> T:
        """What `finish` makes of all trials, those of the log on; the run is done then.

        Raises InputError if no trial gave a number.
        """
        before = self._logged()
        try:
            with Progress(
                self.name,
                self.search.trials,
                already=before,
                overhead=lambda: sum(cost.get("build_seconds", 0.0) for cost in self.costs),
                lines=Lines(self.run.log),
            ) as progress:
                trials = f"{before} of {self.search.trials} trials before"
                progress.say(f"{self.name}: {trials}; {self.run.path}")
                history = self._searched(progress)
            if best_evaluation(history) is None:
                raise InputError(self.name, self.what, "no trial gave a number")
            found = finish(history)
        except BaseException as error:
            self.run.log("".join(traceback.format_exception(error)))
            self._account(session, "stopped", before)
            raise
        self._account(session, "done", before)
        self.run.finish(utc_now())
        return found

    def _logged(self) -> int:
        log = self.run.points / LOG
        held = len(log.read_text(encoding="utf-8").splitlines()) - 1 if log.exists() else 0
        return min(max(held, 0), self.search.trials)

    def _account(self, session: Session, status: str, before: int) -> None:
        cost: dict[str, Any] = reduce(add_costs, self.costs, {})
        done = self._logged()
        session.write(status, done, done - before, cost, cost)

    def _searched(self, progress: Progress) -> tuple[Evaluation, ...]:
        from threadpoolctl import threadpool_limits

        def measured(point: tuple[float, ...]) -> dict[str, float]:
            found, cost = self.measured(point)
            self.costs.extend(cost)
            return found

        def told(history: History) -> None:
            if not history:
                return
            rows = self.rows(history)
            write_csv(self.run.tables / self.table, rows, rows.schema)
            if len(history) > progress.done:
                progress.advance(self.best(history))

        search = replace(self.search, log=self.run.points / LOG)
        with threadpool_limits(limits=1):  # a sum's last bit depends on the threads
            return maximise(measured, self.dimensions, search, self.start, told)
