"""The points of a run, computed by this process and whoever shares them, and the results of all."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError, PointsFailedError
from hrsnn_brian.files.identity import package_digest
from hrsnn_brian.files.tables import Table, write_table
from hrsnn_brian.runs.claims import SESSIONS
from hrsnn_brian.runs.estimate import SAMPLES, from_finished
from hrsnn_brian.runs.parallel import Executor, as_finished, on_this_machine
from hrsnn_brian.runs.plan import Plan, Shard
from hrsnn_brian.runs.points import named, telling
from hrsnn_brian.runs.progress import Lines, Progress
from hrsnn_brian.runs.provenance import Session, utc_now
from hrsnn_brian.runs.records import Records, total_cost
from hrsnn_brian.runs.run_directory import FRESH, RunDirectory
from hrsnn_brian.runs.study import Point
from hrsnn_brian.runs.work import Done, Work

_KILLED = "its worker was killed three times; if the memory did not suffice, give fewer --jobs"
_LONGEST_POLL_S = 10.0


@dataclass(frozen=True)
class StudyRun:
    """A run as this process leaves it: where it is, its rows, and what it cost this time.

    rows: all rows, in the order of the points, with their schema; none if other shards have not
    finished theirs. computed: points computed now rather than found finished. engine: builds, runs
    and the seconds in each, of this time. seconds: wall time of this time. files: tables and
    figures.
    """

    path: Path
    plan: Plan
    rows: Table
    computed: int
    engine: dict[str, Any]
    seconds: float
    files: list[Path]


class Sweep:
    """The points of a plan, as far as this process has to do with them. mine: those it is to
    compute, unless another has them. apart: settings that tell them apart. done: those it computed.
    """

    def __init__(
        self,
        plan: Plan,
        run: RunDirectory,
        jobs: int | Executor,
        shard: Shard | None,
        retry_failed: bool,
    ) -> None:
        self.plan, self.run, self.shard = plan, run, shard
        self.done: list[Done] = []
        self.apart = telling(plan.points)
        self.records = Records(plan.study, plan.points, run.path)
        self.mine = plan.points if shard is None else shard.of_points(plan.points)
        if retry_failed:
            self.records.forget_failures(self.mine)
        if isinstance(jobs, int):
            jobs = on_this_machine(max(1, min(jobs, len(self._left(self.mine)))))
        self.executor = jobs

    def session(self) -> Session:
        """The entry of this process."""
        executor, total = self.executor, len(self.plan.points)
        device, seed = self.plan.device, self.plan.seed
        return Session(self.run, seed, executor.slots, device, total, str(executor))

    def _left(self, points: Sequence[Point]) -> list[Point]:
        return [point for point in points if not self.records.is_settled(point)]

    def carried_out(self, session: Session, draw: Callable[[str, Path], list[Path]]) -> StudyRun:
        """Computes what is missing and, if nothing is any more, writes the results."""
        self._compute()
        missing = len(self._left(self.plan.points))
        rows, files = Table([]), list[Path]()
        if missing:
            total, left = len(self.plan.points), f"{missing} points are left to other shards"
            self._say(f"{self.shard} is done: {total - missing} of {total} points are; {left}")
        elif self._may_write():
            rows, files = self._results(draw)
        engine = self.account(session, "done")
        told = f"done: {len(self.plan.points)} points, {len(self.done)} of them computed now"
        self.run.log(told)
        if files:
            self.run.finish(utc_now())
        return StudyRun(
            self.run.path, self.plan, rows, len(self.done), engine, session.seconds(), files
        )

    def _compute(self) -> None:
        """Computes my points as long as others do not; returns when all are finished or failed."""
        todo = self._left(self.mine)
        study, total, before = self.plan.study, len(self.mine), len(self.mine) - len(todo)
        of = f" of {len(self.plan.points)}, {self.shard}" if self.shard else ""
        failed = sum(self._failure(point) is not None for point in self.mine)
        head = f"{study.name}: {total} points{of}, {before - failed} finished before"
        head += f", {failed} failed (--retry-failed)" * bool(failed)
        self.run.log(f"{head}; {self.executor}, device {self.plan.device}")
        if todo:
            (self.run.path / "DONE").unlink(missing_ok=True)
        lines = Lines(log=self.run.log)
        with Progress(
            study.name, total, already=before, jobs=self.executor.slots, lines=lines
        ) as progress:
            how = f"{self.executor}, points claimed in {SESSIONS}/"
            progress.say(f"{head}; {how}; results in {self.run.path}")
            pause, told = 0.5, 0
            while todo:
                held: list[dict[str, Any]] = []
                self._compute_free(self._claimed(todo, held, progress), progress)
                todo = self._left(todo)
                if held and len(held) != told:
                    told = len(held)
                    progress.say(f"in work elsewhere: {told} of the points, {_places(held)}")
                if held:
                    time.sleep(pause)
                    pause = min(1.5 * pause, _LONGEST_POLL_S)

    def _claimed(
        self, todo: Sequence[Point], held: list[dict[str, Any]], progress: Progress
    ) -> Iterator[Point]:
        """Those of `todo` that this process has claimed, each when it is asked for.

        held: gets the entries of the processes that have the others.
        """
        for point in todo:
            if not self.records.is_settled(point):
                holder = self.run.owner.take(self.records.name(point))
                if holder is not None:
                    held.append(holder)
                    continue
                if not self.records.is_settled(point):  # by an owner who has ended since
                    yield point
                    continue
            progress.skip()

    def _compute_free(self, points: Iterator[Point], progress: Progress) -> None:
        study, source = self.plan.study, self.plan.study.source
        inputs = self.run.inputs(self.plan.inputs)
        code = (source, study.code, package_digest())
        work = Work(code, inputs, str(self.run.path), self.plan.device)
        for done in as_finished(work, points, self.executor, self._killed):
            self.done.append(done)
            if len(self.done) == SAMPLES:
                for line in from_finished(self.records, self.mine, self.executor.slots).shortages():
                    progress.say(f"warning: {line}")
            note = named(done.point, self.apart)
            progress.advance(
                f"{note} FAILED: {done.error}" if done.error else note, done.seconds, done.cold
            )

    def _killed(self, point: Point) -> Done:
        self.records.file_failure(point, _KILLED)
        return Done(point, error=f"{named(point)}: {_KILLED}")

    def _may_write(self) -> bool:
        """Whether to write the results: one process does it at a time, and a shard does not wait
        for another that is at it."""
        while (holder := self.run.owner.take("tables")) is not None:
            if self.shard is not None:
                self._say(f"all points are done; {_places([holder])} writes the tables")
                return False
            time.sleep(0.5)
        return True

    def _results(self, draw: Callable[[str, Path], list[Path]]) -> tuple[Table, list[Path]]:
        study, tables = self.plan.study, self.records.tables()
        rows = tables[study.main_table]
        failed = [found for point in self.plan.points if (found := self._failure(point))]
        if not rows and not failed:
            what = "no point returned a row: run(point, engine) returns dicts, one per row"
            raise InputError("study", study.name, what)
        path = self.run.tables / f"{study.main_table}.csv"
        files: list[Path] = []
        for name, table in tables.items():
            if table:
                files += write_table(self.run.tables / f"{name}.csv", table, table.schema)
        if failed:
            many = f"{len(failed)} of {len(self.plan.points)} points failed"
            others = f", the others are in {path}" if rows else ""
            trace = f"traceback in {self.run.path / 'log.txt'}; --retry-failed tries again"
            self.run.log(f"{many}{others}; after a change {FRESH}")
            raise PointsFailedError(f"{many}{others}; the first: {failed[0]['error']}; {trace}")
        files += [file for name in study.figures for file in draw(name, self.run.path)]
        return rows, files

    def _failure(self, point: Point) -> dict[str, Any] | None:
        """Of a point that failed and was not computed since."""
        return None if self.records.finished(point) else self.records.failed(point)

    def _say(self, text: str) -> None:
        self.run.log(text)
        print(text, file=sys.stderr, flush=True)

    def account(self, session: Session, status: str) -> dict[str, Any]:
        """Writes the cost of this session's points to the provenance and returns it."""
        finished = self.records.finished
        now = [record for done in self.done if (record := finished(done.point))]
        every = [record for point in self.plan.points if (record := finished(point))]
        engine = total_cost(now)
        session.write(status, len(every), len(now), engine, total_cost(every))
        return engine


def _places(entries: Sequence[dict[str, Any]]) -> str:
    """Where the processes of these entries are, each once."""
    return ", ".join(
        dict.fromkeys(f"{e.get('host', '?')} process {e.get('pid', '?')}" for e in entries)
    )
