"""Points computed by the workers of a dask cluster: one on this machine, one that runs already, or
one whose workers SLURM starts. Needs the extra [cluster], and the file system of the run at every
worker. Programs are built where the worker's $HRSNN_CACHE is.
"""

import logging
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor as Pool
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.identity import PACKAGE, package_version
from hrsnn_brian.files.toml import read_toml

EXTRA = "[cluster]"
_PATIENCE_S = 10.0
_COUNT_S = 2.0  # how long the number of workers counts as known
_JOBS = "jobs"  # in a SLURM file: how many to ask for; all else is for dask_jobqueue.SLURMCluster


class Dask:
    """The workers behind the scheduler of `client`, one point at a time on each."""

    def __init__(self, client: Any, told: str) -> None:
        from distributed.scheduler import KilledWorker

        self.killed: tuple[type[BaseException], ...] = (KilledWorker,)
        self._client, self._told = client, told
        self._slots, self._counted = 0, -_COUNT_S
        self._pool: Pool = client.get_executor(pure=False)

    def __str__(self) -> str:
        return f"on {self._told}"

    @property
    def slots(self) -> int:
        now = time.monotonic()
        if now - self._counted > _COUNT_S:
            try:
                self._slots, self._counted = len(self._client.nthreads()), now
            except OSError:  # the scheduler is gone, and what is in flight will say so
                self._counted = now
        return max(1, self._slots)

    def pool(self) -> Pool:
        return self._pool

    def stop(self) -> None:
        if self._client.status == "running":  # else nobody is there to be told
            self._pool.shutdown(wait=False)


@contextmanager
def dask_executor(
    jobs: int, scheduler: str | None = None, slurm: str | None = None
) -> Iterator[Dask]:
    """Workers for the duration of the block: those of the `scheduler` at that address, those that
    the TOML file `slurm` asks SLURM for, or `jobs` processes of this machine.

    Raises InputError if a package, the scheduler or SLURM is not there, if the file cannot be used
    or a worker has another version of this package.
    """
    _require("distributed", "--executor", "dask")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters, we say
    import dask
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        # whether a point kills its worker is found out by `as_finished`
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
        where: Any = scheduler
        if slurm is not None:
            where = stack.enter_context(slurm_cluster(slurm))
            told = f"workers of SLURM (dask, {slurm})"
        elif scheduler is None:
            where = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
            stack.callback(_close, where)
            told = f"{jobs} processes (dask)"
        else:
            told = f"the workers of {scheduler} (dask)"
        try:
            client = stack.enter_context(Client(where, timeout=_PATIENCE_S, set_as_default=False))
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or "no answer"
            raise InputError("--scheduler", scheduler, f"cannot be reached ({reason})") from None
        _require_same_version(client, scheduler)
        if not client.nthreads():
            print("no worker is there yet; the first points wait for one", file=sys.stderr)
        yield Dask(client, told)


@contextmanager
def slurm_cluster(file: str) -> Iterator[Any]:
    """The workers that a TOML file describes: `jobs = 10` and the arguments of
    `dask_jobqueue.SLURMCluster`, such as queue, account, cores, memory, walltime.

    Raises InputError if it cannot be used, or SLURM is not there.
    """
    _require("dask_jobqueue", "--slurm", file)
    table = read_toml(file, "--slurm", Path(file).name)
    jobs = table.pop(_JOBS, 1)
    if not isinstance(jobs, int) or jobs < 1:
        raise InputError(f"{_JOBS} in {file}", jobs, "must be a whole number >= 1")
    if shutil.which("sbatch") is None:
        raise InputError("--slurm", file, "asks for SLURM, but this machine has no sbatch")
    ours = signal.getsignal(signal.SIGINT)
    from dask_jobqueue import SLURMCluster

    signal.signal(signal.SIGINT, ours)  # the import has taken Ctrl-C for itself
    defaults = {
        "processes": table.get("cores", 1),
        "scheduler_options": {"dashboard_address": ":0"},
    }
    try:
        cluster = SLURMCluster(**defaults | table)
    except (TypeError, ValueError) as error:
        raise InputError("--slurm", file, " ".join(str(error).split())) from None
    try:
        cluster.scale(jobs=jobs)
        yield cluster
    finally:
        _close(cluster)


def _close(cluster: Any) -> None:
    """Ends its workers; not for ever, if one does not answer: the work is filed by now."""
    with suppress(TimeoutError):
        cluster.close(timeout=_PATIENCE_S)


def _require(module: str, option: str, value: str) -> None:
    if find_spec(module) is None:
        allowed = f"needs {module}, which is not installed: pip install '{PACKAGE}{EXTRA}'"
        raise InputError(option, value, allowed)


def _require_same_version(client: Any, scheduler: str | None) -> None:
    def version() -> str:  # within a function, so that it needs nothing at the worker
        from importlib import metadata

        try:
            return metadata.version("hrsnn-brian")
        except metadata.PackageNotFoundError:
            return "unknown"

    ours = package_version()
    for worker, theirs in client.run(version).items():
        if theirs != ours:
            what = f"its worker {worker} has {PACKAGE} {theirs}, not {ours} as here"
            raise InputError("--scheduler", scheduler, what)
