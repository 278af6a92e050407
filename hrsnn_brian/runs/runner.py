"""Runs a study into a run directory: resumable, in parallel, with provenance."""

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hrsnn_brian.errors import InputError, StudyError
from hrsnn_brian.files.atomic import plain, write_text
from hrsnn_brian.files.identity import code_identity, files_named, package_digest, require_unchanged
from hrsnn_brian.files.schema import complete, schema_from_dict, scores_told
from hrsnn_brian.files.tables import Row, Table, columns_of, write_table
from hrsnn_brian.runs.parallel import as_finished
from hrsnn_brian.runs.points import exact_text, named, points_of, rows_of
from hrsnn_brian.runs.progress import EngineProgress, Lines, Progress
from hrsnn_brian.runs.provenance import Session, add_costs, cost_since, utc_now
from hrsnn_brian.runs.run_directory import RunDirectory, append_log, free_directory
from hrsnn_brian.runs.study import Options, Point, Study, load_study, resolve_options, undecided

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

_FRESH = "--fresh begins anew beside it"


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
class StudyRun:
    """A finished run: where it is, its rows, and what it cost this time.

    rows: all rows, in the order of the points, with their schema. computed: points computed now
    rather than found finished. engine: builds, runs and the seconds in each, of this time.
    seconds: wall time of this time. files: tables and figures.
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
    jobs: int = 1,
    out: Path | str | None = None,
    fresh: bool = False,
    draw: Callable[[str, Path], list[Path]] = lambda name, run: [],
) -> StudyRun:
    """Computes every point of `plan` that `out` does not hold yet, then writes tables and figures.

    out: the run directory; when None, `runs/<study>-<preset>-seed<seed>` under the current folder,
        or the next free number of it. An unfinished run of the same configuration is resumed.
    draw: (name of a figure of the study, the run directory) -> files it drew there.
    fresh: begin anew, in the first free directory of `out`, `out`-2, ...: nothing is resumed.
    The table is the same, byte for byte, for any `jobs` and after any number of resumptions. So
    a run is not resumed if its settings, code, libraries or the files that options name are not
    those it began with.

    Raises InputError before any work if `out` cannot be used, and CompilerMissingError if the
    device needs a compiler that is not there. Any other error leaves its traceback in the run's
    log.txt and the finished points in place.
    """
    study, config = plan.study, plan.config()
    if study.uses_engine and plan.device == "standalone":
        from hrsnn_brian.simulation.toolchain import find_compiler

        find_compiler()  # before anything is written or any worker started
    tell = partial(print, file=sys.stderr, flush=True)
    if warning := undecided(study, plan.options):
        tell(f"warning: {warning}")
    base = Path(out or Path("runs") / f"{study.name}-{plan.preset}-seed{plan.seed}")
    if out is None or fresh:
        base = free_directory(base, config, fresh=fresh, say=tell)
    with RunDirectory.claim(base, config, _FRESH) as run:
        if study.files:
            run.keep_code(Path(study.source).parent, study.files)
        sweep = _Sweep(plan, run)
        todo = [point for point in plan.points if sweep.finished(point) is None]
        session = Session(run, plan.seed, jobs, plan.device)
        try:
            sweep.compute(todo, jobs)
            rows = sweep.table()
            if not rows:
                what = "no point returned a row: run(point, engine) returns dicts, one per row"
                raise InputError("study", study.name, what)
            files = write_table(run.tables / f"{study.name}.csv", rows, rows.schema)
            files += [file for name in study.figures for file in draw(name, run.path)]
        except BaseException as error:
            run.log("".join(traceback.format_exception(error)))
            run.log("stopped; the same command resumes this run while code and files are the same;")
            run.log(f"after a change {_FRESH}")
            sweep.account(session, "stopped", todo)
            if isinstance(error, StudyError):
                raise StudyError(f"{error}; traceback in {run.path / 'log.txt'}") from error
            raise
        engine = sweep.account(session, "done", todo)
        run.log(f"done: {len(plan.points)} points, {len(todo)} of them computed now")
        run.finish(utc_now())
    return StudyRun(run.path, plan, rows, len(todo), engine, session.seconds(), files)


def point_name(study: Study, point: Point) -> str:
    """Name of a point's file: a hash of what decides its rows, and of nothing else."""
    identity = [study.name, study.code, point]
    return hashlib.sha256(exact_text(identity).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class _Sweep:
    """The points of a study and their files in a run directory."""

    plan: Plan
    run: RunDirectory

    def finished(self, point: Point) -> dict[str, Any] | None:
        """The record of a finished point, None if there is none that can be trusted."""
        try:
            path = self.run.points / f"{point_name(self.plan.study, point)}.json"
            record = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError):
            return None
        if not isinstance(record, dict) or exact_text(record.get("point")) != exact_text(point):
            return None
        return record if {"rows", "scores"} <= record.keys() else None

    def record(self, point: Point) -> dict[str, Any]:
        """The record of a point that must be finished, always as read back from its file."""
        record = self.finished(point)
        assert record is not None, f"point without a file: {point}"
        return record

    def table(self) -> Table:
        """The rows of all points, in order, with their schema."""
        records = [self.record(point) for point in self.plan.points]
        rows = [row for record in records for row in record["rows"]]
        told = [schema_from_dict(record["scores"]) for record in records]
        own = self.plan.study.columns_of(self.plan.options)
        return Table(rows, complete(columns_of(rows), own, told))

    def compute(self, todo: list[Point], jobs: int) -> None:
        """Computes the points `todo`, each filed as soon as it is finished."""
        study, total = self.plan.study, len(self.plan.points)
        before = total - len(todo)
        head = f"{study.name}: {total} points, {before} finished before"
        self.run.log(f"{head}; jobs {jobs}, device {self.plan.device}")
        inputs = self.run.inputs(self.plan.inputs)
        code = (study.source, study.code, package_digest())
        work = _Work(code, inputs, str(self.run.points), self.plan.device)
        lines = Lines(log=self.run.log)
        with Progress(study.name, total, already=before, jobs=jobs, lines=lines) as progress:
            progress.say(f"{head}; results in {self.run.path}")
            for point, seconds, cold in as_finished(work, todo, jobs):
                progress.advance(named(point), seconds, cold)

    def account(self, session: Session, status: str, todo: list[Point]) -> dict[str, Any]:
        """Writes the cost of this session's points to the provenance and returns it."""
        now = [record for point in todo if (record := self.finished(point))]
        every = [record for point in self.plan.points if (record := self.finished(point))]
        engine = _total(record["engine"] for record in now)
        session.write(
            status, len(every), len(now), engine, _total(record["engine"] for record in every)
        )
        return engine


def _total(costs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return reduce(add_costs, costs, {})


@cache
def _study(source: str, code: str, package: str) -> Study:
    study = load_study(source)
    if study.code != code:
        raise InputError("study", source, "its code was changed while it ran; put it back to go on")
    if package_digest() != package:
        what = "its source files were changed while the study ran; put them back to go on"
        raise InputError("hrsnn_brian", package, what)
    return study


@cache
def _engine(device: str, run: Path) -> "Engine":
    from hrsnn_brian.simulation import Engine

    return Engine(
        device=device, on_progress=EngineProgress(Lines(partial(append_log, run), every_s=5.0))
    )


@dataclass(frozen=True)
class _Work:
    """Runs one point and files its rows and their cost, in whatever process this is.

    code: source and digest of the study, digest of the package. files: digests of the inputs.
    """

    code: tuple[str, str, str]
    files: dict[str, str]
    folder: str
    device: str
    cwd: str = field(default_factory=os.getcwd)

    def __call__(self, point: Point) -> tuple[Point, float, bool]:
        """The point, its seconds without those of compiling, and whether it was the first of this
        process, which pays for imports and waits for programs that another process compiles."""
        os.chdir(self.cwd)  # a worker started elsewhere would read other files by the same name
        folder, clock, loads = Path(self.folder), time.monotonic(), _study.cache_info().misses
        study = _study(*self.code)
        engine = _engine(self.device, folder.parent) if study.uses_engine else None
        before = engine.stats.to_dict() if engine else {}
        rows = rows_of(study, point, cast("Engine", engine))
        require_unchanged(self.files)
        cost = cost_since(before, engine.stats.to_dict()) if engine else {}
        seconds = time.monotonic() - clock
        _file(folder / f"{point_name(study, point)}.json", point, rows, cost, seconds)
        cold = _study.cache_info().misses > loads
        return point, seconds - cost.get("build_seconds", 0.0), cold


def _file(path: Path, point: Point, rows: list[Row], cost: dict[str, Any], seconds: float) -> None:
    """Files a finished point, whole: infinite numbers as they are, NaN in a row as missing."""
    kept = [
        {name: None if value != value else value for name, value in row.items()}
        for row in plain(rows, exact=True)
    ]
    record = {
        "point": plain(point, exact=True),
        "rows": kept,
        "scores": scores_told(rows).to_dict(),
        "engine": cost,
        "seconds": seconds,
    }
    write_text(path, json.dumps(record, indent=2) + "\n")
