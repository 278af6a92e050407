"""Runs a study into a run directory: resumable, in parallel, shared, with provenance."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError, PointsFailedError
from hrsnn_brian.files.identity import code_identity, files_named, package_digest
from hrsnn_brian.files.tables import Table, write_table
from hrsnn_brian.runs.estimate import SAMPLES, Estimate, estimate, from_finished
from hrsnn_brian.runs.parallel import Executor, as_finished, on_this_machine
from hrsnn_brian.runs.points import named, points_of
from hrsnn_brian.runs.progress import Lines, Progress
from hrsnn_brian.runs.provenance import Session, utc_now
from hrsnn_brian.runs.records import Records, total_cost
from hrsnn_brian.runs.run_directory import RunDirectory, free_directory
from hrsnn_brian.runs.study import Options, Point, Study, resolve_options, undecided
from hrsnn_brian.runs.work import Done, Work

_FRESH = "--fresh begins anew beside it"
_KILLED = "its worker was killed three times; if the memory did not suffice, give fewer --jobs"
_LONGEST_POLL_S = 10.0


@dataclass(frozen=True)
class Plan:
    """What decides the numbers of a run. options: resolved; inputs: digests of files they name."""

    study: Study
    preset: str
    seed: int
    device: str
    options: Options
    points: list[Point]
    inputs: dict[str, str]

    def config(self) -> dict[str, dict[str, Any]]:
        """The same as config.toml holds it: two runs of equal configuration give equal tables."""
        study, code = self.study, code_identity()
        libraries = code.pop("libraries")
        run = {"study": study.name, "preset": self.preset, "seed": self.seed, "device": self.device}
        run |= code | ({"file": Path(study.source).name} if study.files else {})
        files = {**study.files, **self.inputs}
        return {"run": run, "libraries": libraries, "files": files, "options": dict(self.options)}


def plan_study(
    study: Study,
    *,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    seed: int = 0,
    device: str = "standalone",
) -> Plan:
    """What `run_study` is to do; study: from `load_study`, so that workers can load it too.

    Raises InputError if an option or a name cannot be used.
    """
    options = resolve_options(study, preset, overrides)
    name = next(iter(study.presets)) if preset is None else preset
    points = points_of(study, options, seed)
    return Plan(study, name, seed, device, options, points, files_named(options))


@dataclass(frozen=True)
class Shard:
    """The part `number` of `of` parts of the points of a run, counted from 1."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            allowed = "must be i/n with 1 <= i <= n, such as 2/5"
            raise InputError("--shard", f"{self.number}/{self.of}", allowed)

    def __str__(self) -> str:
        return f"shard {self.number}/{self.of}"

    def of_points(self, points: Sequence[Point]) -> list[Point]:
        """Every n-th, so that long points next to each other are shared, too."""
        return list(points[self.number - 1 :: self.of])


@dataclass(frozen=True)
class StudyRun:
    """A run as this process leaves it: where it is, its rows, and what it cost this time.

    rows: those of its main table, in the order of the points, with their schema; none if other
    shards have not finished theirs. computed: points computed now rather than found finished.
    engine: builds, runs and the seconds in each, of this time. seconds: wall time of this time.
    files: tables and figures.
    """

    path: Path
    plan: Plan
    rows: Table
    computed: int
    engine: dict[str, Any]
    seconds: float
    files: list[Path]


def run_study(
    plan: Plan,
    *,
    jobs: int | Executor = 1,
    out: Path | str | None = None,
    fresh: bool = False,
    draw: Callable[[str, Path], list[Path]] = lambda name, run: [],
    shard: Shard | None = None,
    retry_failed: bool = False,
) -> StudyRun:
    """Computes every point of `plan` that `out` does not hold yet, then writes tables and figures.

    jobs: processes of this machine, or where else.
    out: the run directory; when None, `runs/<study>-<preset>-seed<seed>` under the current folder,
        or the next free number of it. An unfinished run of the same configuration is resumed, and
        shared with all processes that work at it: each point is computed by one of them. All wait
        for the last, and every one leaves whole tables behind.
    draw: (name of a figure of the study, the run directory) -> files it drew there.
    fresh: begin anew, in the first free directory of `out`, `out`-2, ...: nothing is resumed.
    shard: compute this part of the points and wait for no other; the last writes the tables.
    retry_failed: compute points again that failed before.
    The table is the same, byte for byte, for any `jobs`, however many processes share the run and
    after any number of resumptions. So a run is not resumed if its settings, code, libraries or
    the files that options name are not those it began with.

    Raises InputError before any work if `out` cannot be used, and CompilerMissingError if the
    device needs a compiler that is not there. PointsFailedError at the end, with the table of the
    others written, if points failed: what they raised stands in failed/ and in log.txt. Any other
    error leaves its traceback in log.txt and the finished points in place.
    """
    study, config = plan.study, plan.config()
    if study.uses_engine and plan.device == "standalone":
        from hrsnn_brian.simulation.toolchain import find_compiler

        find_compiler()  # before anything is written or any worker started
    tell = partial(print, file=sys.stderr, flush=True)
    if warning := undecided(study, plan.options):
        tell(f"warning: {warning}")
    executor = on_this_machine(jobs) if isinstance(jobs, int) else jobs
    with RunDirectory.claim(
        _directory(plan, out, fresh, shard), config, _FRESH, shared=True
    ) as run:
        if study.files:
            run.keep_code(Path(study.source).parent, study.files)
        sweep = _Sweep(plan, run, executor, shard)
        session = Session(
            run, plan.seed, executor.slots, plan.device, len(plan.points), str(executor)
        )
        try:
            return sweep.carried_out(session, draw, retry_failed)
        except BaseException as error:
            failed = isinstance(error, PointsFailedError)
            if not failed:
                run.log("".join(traceback.format_exception(error)))
                run.log("stopped; the same command resumes this run while code and files are the")
                run.log(f"same; after a change {_FRESH}")
            sweep.account(session, "failed" if failed else "stopped")
            raise


def estimate_study(
    plan: Plan, slots: int, out: Path | str | None = None, shard: Shard | None = None
) -> Estimate:
    """What `run_study` with these arguments would take; writes nothing where it would.

    Raises PointsFailedError if a point that is computed as a sample fails.
    """
    path = _directory(plan, out, False, shard)
    points = plan.points if shard is None else shard.of_points(plan.points)
    records = Records(plan.study, plan.points, path)
    return estimate(records, points, slots, plan.device, plan.inputs)


def _directory(plan: Plan, out: Path | str | None, fresh: bool, shard: Shard | None) -> Path:
    base = Path(out or Path("runs") / f"{plan.study.name}-{plan.preset}-seed{plan.seed}")
    if fresh or (out is None and shard is None):  # a shard that comes late belongs to the first
        say = partial(print, file=sys.stderr, flush=True)
        return free_directory(base, plan.config(), fresh=fresh, say=say)
    return base


@dataclass
class _Sweep:
    """The points of a plan, as far as this process has to do with them. done: those it computed."""

    plan: Plan
    run: RunDirectory
    executor: Executor
    shard: Shard | None
    done: list[Done] = field(default_factory=list)

    def __post_init__(self) -> None:
        points = self.plan.points
        self.records = Records(self.plan.study, points, self.run.path)
        self.mine = points if self.shard is None else self.shard.of_points(points)

    def carried_out(
        self, session: Session, draw: Callable[[str, Path], list[Path]], retry_failed: bool
    ) -> StudyRun:
        """Computes what is missing and, if nothing is any more, writes the results."""
        if retry_failed:
            self.records.forget_failures(self.mine)
        self._compute()
        missing = sum(not self.records.is_settled(point) for point in self.plan.points)
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
        todo = [point for point in self.mine if not self.records.is_settled(point)]
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
            progress.say(f"{head}; {self.executor}; results in {self.run.path}")
            pause, told = 0.5, 0
            while todo:
                held: list[dict[str, Any]] = []
                self._compute_free(self._claimed(todo, held, progress), progress)
                todo = [point for point in todo if not self.records.is_settled(point)]
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
            note = named(done.point)
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
        study, tables = self.plan.study, self.records.tables(self.plan.options)
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
            self.run.log(f"{many}{others}; after a change {_FRESH}")
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
