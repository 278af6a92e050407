"""Runs a study into a run directory: resumable, in parallel, shared, with provenance."""

import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hrsnn_brian.errors import PointsFailedError
from hrsnn_brian.runs.computing import StudyRun, Sweep
from hrsnn_brian.runs.estimate import Estimate, estimate
from hrsnn_brian.runs.parallel import Executor
from hrsnn_brian.runs.plan import Plan, Shard, plan_study
from hrsnn_brian.runs.records import Records
from hrsnn_brian.runs.run_directory import FRESH, RunDirectory, free_directory
from hrsnn_brian.runs.study import undecided

__all__ = ["Plan", "Shard", "StudyRun", "estimate_study", "plan_study", "run_study"]


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
    with RunDirectory.claim(_directory(plan, out, fresh, shard), config, FRESH, shared=True) as run:
        if study.files:
            run.keep_code(Path(study.source).parent, study.files)
        sweep = Sweep(plan, run, jobs, shard, retry_failed)
        session = sweep.session()
        try:
            return sweep.carried_out(session, draw)
        except BaseException as error:
            failed = isinstance(error, PointsFailedError)
            if not failed:
                run.log("".join(traceback.format_exception(error)))
                run.log("stopped; the same command resumes this run while code and files are the")
                run.log(f"same; after a change {FRESH}")
            sweep.account(session, "failed" if failed else "stopped")
            raise


def estimate_study(
    plan: Plan,
    jobs: int | Executor = 1,
    out: Path | str | None = None,
    shard: Shard | None = None,
) -> Estimate:
    """What `run_study` with these arguments would take; writes nothing where it would.

    Raises PointsFailedError if a point that is computed as a sample fails.
    """
    path = _directory(plan, out, False, shard)
    points = plan.points if shard is None else shard.of_points(plan.points)
    records = Records(plan.study, plan.points, path)
    slots = jobs if isinstance(jobs, int) else jobs.slots
    return estimate(records, points, slots, plan.device, plan.inputs)


def _directory(plan: Plan, out: Path | str | None, fresh: bool, shard: Shard | None) -> Path:
    base = Path(out or Path("runs") / f"{plan.study.name}-{plan.preset}-seed{plan.seed}")
    if fresh or (out is None and shard is None):  # a shard that comes late belongs to the first
        say = partial(print, file=sys.stderr, flush=True)
        return free_directory(base, plan.config(), fresh=fresh, say=say)
    return base
