"""Runs a study into a run directory: resumable, in parallel, with provenance."""

import hashlib
import json
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hrsnn_brian.errors import InputError
from hrsnn_brian.runs.atomic import plain, write_json
from hrsnn_brian.runs.parallel import as_finished
from hrsnn_brian.runs.progress import EngineProgress, Progress
from hrsnn_brian.runs.provenance import add_costs, cost_since, package_version, utc_now
from hrsnn_brian.runs.run_directory import RunDirectory, append_log, free_directory
from hrsnn_brian.runs.session import Session
from hrsnn_brian.runs.study import Options, Point, Study, load_study, resolve_options
from hrsnn_brian.runs.tables import Row, write_table

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine


@dataclass(frozen=True)
class StudyRun:
    """A finished run: where it is, its rows, and what it cost this time.

    path: the run directory. rows: all rows, in the order of the points.
    points, computed: all points, and those computed now rather than found finished.
    engine: builds, runs and the seconds in each, of this time. seconds: wall time of this time.
    files: tables and figures.
    """

    path: Path
    study: Study
    options: Options
    rows: list[Row]
    points: int
    computed: int
    engine: dict[str, Any]
    seconds: float
    files: list[Path]


def run_study(
    study: Study,
    *,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    seed: int = 0,
    jobs: int = 1,
    device: str = "standalone",
    out: Path | str | None = None,
) -> StudyRun:
    """Runs every point of `study` that `out` does not hold yet, then writes tables and figures.

    study: from `load_study`, so that worker processes can load it too.
    out: the run directory; when None, `runs/<study>-<preset>-seed<seed>` under the current folder,
        or the next free number of it. An unfinished run of the same configuration is resumed.
    The table is the same, byte for byte, for any `jobs` and after any number of resumptions.

    Raises InputError before any work if an option, a name or `out` cannot be used, and
    CompilerMissingError if the device needs a compiler that is not there. Any other error
    leaves its traceback in the run's log.txt and the finished points in place.
    """
    options = resolve_options(study, preset, overrides)
    points = study.points(options, seed)
    if not points:
        raise InputError("study", study.name, "these options give no points")
    preset = next(iter(study.presets)) if preset is None else preset
    config = _config(study, preset, seed, device, options)
    if study.uses_engine and device == "standalone":
        from hrsnn_brian.simulation.toolchain import find_compiler

        find_compiler()  # before anything is written or any worker started
    if out is None:
        out = free_directory(Path("runs") / f"{study.name}-{preset}-seed{seed}", config)
    with RunDirectory.claim(out, config) as run:
        sweep = _Sweep(study, points, run, device)
        todo = [point for point in points if sweep.finished(point) is None]
        session = Session(run, seed, jobs, device)
        try:
            sweep.compute(todo, jobs)
            rows = [row for point in points for row in sweep.record(point)["rows"]]
            files = write_table(run.tables / f"{study.name}.csv", rows)
            files += _draw(study, run.path)
        except BaseException as error:
            run.log("".join(traceback.format_exception(error)))
            run.log("stopped; the same command resumes this run")
            sweep.account(session, "stopped", todo)
            raise
        engine = sweep.account(session, "done", todo)
        run.log(f"done: {len(points)} points, {len(todo)} of them computed now")
        run.finish(utc_now())
    return StudyRun(
        path=run.path,
        study=study,
        options=options,
        rows=rows,
        points=len(points),
        computed=len(todo),
        engine=engine,
        seconds=session.seconds(),
        files=files,
    )


def _config(
    study: Study, preset: str, seed: int, device: str, options: Options
) -> dict[str, dict[str, Any]]:
    """What decides the numbers: two runs of equal configuration give equal tables."""
    identity = {
        "study": study.name,
        "code": study.code,
        "hrsnn_brian": package_version(),
        "preset": preset,
        "seed": seed,
        "device": device,
    }
    return {"run": identity, "options": dict(options)}


def _draw(study: Study, path: Path) -> list[Path]:
    if not study.figures:
        return []
    from hrsnn_brian.figures.registry import draw_figure

    return [file for name in study.figures for file in draw_figure(name, path)]


def point_name(study: Study, point: Point) -> str:
    """Name of a point's file: a hash of what decides its rows, and of nothing else."""
    identity = [study.name, study.code, plain(point)]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


def _note(point: Point) -> str:
    """The point's short settings, for a line of progress."""
    return " ".join(f"{k}={v}" for k, v in point.items() if type(v) in (str, int, float))


@dataclass(frozen=True)
class _Sweep:
    """The points of a study and their files in a run directory."""

    study: Study
    points: list[Point]
    run: RunDirectory
    device: str

    def finished(self, point: Point) -> dict[str, Any] | None:
        """The record of a finished point, None if there is none that can be trusted."""
        try:
            path = self.run.points / f"{point_name(self.study, point)}.json"
            record = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError):
            return None
        if not isinstance(record, dict) or record.get("point") != plain(point):
            return None
        return record if "rows" in record else None

    def record(self, point: Point) -> dict[str, Any]:
        """The record of a point that must be finished, always as read back from its file."""
        record = self.finished(point)
        assert record is not None, f"point without a file: {point}"
        return record

    def compute(self, todo: list[Point], jobs: int) -> None:
        """Computes the points `todo`, each filed as soon as it is finished."""
        before = len(self.points) - len(todo)
        head = f"{self.study.name}: {len(self.points)} points, {before} finished before"
        self.run.log(f"{head}; jobs {jobs}, device {self.device}")
        work = partial(
            _run_point,
            source=self.study.source,
            code=self.study.code,
            folder=str(self.run.points),
            device=self.device,
        )
        with Progress(
            self.study.name, len(self.points), already=before, log=self.run.log
        ) as progress:
            progress.say(f"{head}; results in {self.run.path}")
            for point in as_finished(work, todo, jobs):
                progress.advance(_note(point))

    def account(self, session: Session, status: str, todo: list[Point]) -> dict[str, Any]:
        """Writes the cost of this session's points to the provenance and returns it."""
        now = [record for point in todo if (record := self.finished(point))]
        every = [record for point in self.points if (record := self.finished(point))]
        engine = _total(record["engine"] for record in now)
        session.write(
            status, len(every), len(now), engine, _total(record["engine"] for record in every)
        )
        return engine


def _total(costs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return reduce(add_costs, costs, {})


@cache
def _study(source: str, code: str) -> Study:
    study = load_study(source)
    if study.code != code:
        raise InputError("study", source, "the file was changed while its study ran")
    return study


@cache
def _engine(device: str, run: Path) -> "Engine":
    from hrsnn_brian.simulation import Engine

    return Engine(device=device, on_progress=EngineProgress(log=partial(append_log, run)))


def _run_point(point: Point, *, source: str, code: str, folder: str, device: str) -> Point:
    """Runs one point and files its rows and their cost, in whatever process this is."""
    study, clock = _study(source, code), time.monotonic()
    engine = _engine(device, Path(folder).parent) if study.uses_engine else None
    before = engine.stats.to_dict() if engine else {}
    rows = study.run(point, cast("Engine", engine))
    cost = cost_since(before, engine.stats.to_dict()) if engine else {}
    record = {"point": point, "rows": rows, "engine": cost, "seconds": time.monotonic() - clock}
    write_json(Path(folder) / f"{point_name(study, point)}.json", record)
    return point
