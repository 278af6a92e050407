"""Options of every command that runs a study: where its points are computed, and which."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import default_jobs, user_path
from hrsnn_brian.errors import InputError, unknown_name

if TYPE_CHECKING:
    from hrsnn_brian.runs.parallel import Executor
    from hrsnn_brian.runs.runner import Shard

LOKY, DASK = "loky", "dask"


def add_running(parser: argparse.ArgumentParser) -> None:
    """The options; several processes that are given one --out share its points."""
    group = parser.add_argument_group("running")
    group.add_argument(
        "--fresh",
        action="store_true",
        help="resume nothing: begin anew in the next free directory (RUN, RUN-2, ...)",
    )
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="compute a few points elsewhere and say what the run will take: time, disk, memory",
    )
    group.add_argument(
        "--retry-failed", action="store_true", help="compute points again that failed before"
    )
    group.add_argument(
        "--shard",
        metavar="I/N",
        help="the I-th of N parts of the points, such as of an array of jobs; give all the same "
        "--out, or join their directories (hrsnn join)",
    )
    group.add_argument(
        "--executor",
        default=LOKY,
        help="where points are computed: loky (default: processes of this machine) or dask",
    )
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="of dask: one that runs already, tcp://HOST:PORT"
    )
    group.add_argument(
        "--slurm",
        type=user_path,
        metavar="FILE.toml",
        help="of dask: SLURM starts workers; jobs = 10, and what dask_jobqueue.SLURMCluster takes",
    )


def shard_of(args: argparse.Namespace) -> "Shard | None":
    """Raises InputError unless --shard is i/n, or is not given."""
    if args.shard is None:
        return None
    found = re.fullmatch(r"(\d+)/(\d+)", args.shard)
    if found is None:
        raise InputError("--shard", args.shard, "must be i/n with 1 <= i <= n, such as 2/5")
    from hrsnn_brian.runs.runner import Shard

    return Shard(int(found[1]), int(found[2]))


@contextmanager
def executor_of(args: argparse.Namespace) -> "Iterator[int | Executor]":
    """What --executor, --scheduler, --slurm and --jobs ask for, as `run_study` takes it.

    Raises InputError if they do not go together, or it is not there.
    """
    if args.executor not in (LOKY, DASK):
        raise unknown_name("--executor", args.executor, (LOKY, DASK))
    jobs = default_jobs(args.jobs)
    if args.executor == DASK:
        if args.scheduler and args.slurm:
            raise InputError("--slurm", args.slurm, "starts a scheduler; leave --scheduler out")
        from hrsnn_brian.runs.cluster import dask_executor

        with dask_executor(jobs, args.scheduler, args.slurm) as executor:
            yield executor
        return
    for option, value in (("--scheduler", args.scheduler), ("--slurm", args.slurm)):
        if value:
            raise InputError(option, value, "is for --executor dask")
    yield jobs
