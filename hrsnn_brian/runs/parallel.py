"""Independent pieces of work on one or several processes, with the same numbers either way."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TypeVar

from hrsnn_brian.errors import EngineError

Item = TypeVar("Item")
Result = TypeVar("Result")


@cache
def _end_with(parent: int) -> None:
    """Ends this worker when `parent` is gone: a killed sweep must not go on in its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _on_one_thread(function: Callable[[Item], Result], item: Item) -> Result:
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded before it can be limited)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return function(item)


def _in_worker(function: Callable[[Item], Result], item: Item, parent: int) -> Result:
    if os.getppid() == parent:  # not so on another machine, where the scheduler ends workers
        _end_with(parent)
    return _on_one_thread(function, item)


def as_finished(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Iterator[Result]:
    """Yields `function(item)` for all items, in the order in which they finish.

    `jobs` = 1 works in this process. Otherwise joblib's workers do it, so that the same call runs
    under `joblib.parallel_config("dask")` on a cluster; `function` and items must be picklable.
    Linear algebra runs on one thread in every case: a sum's last bit depends on the threads.
    The first error ends the work and is raised here; EngineError if a worker was killed.
    """
    if jobs == 1 or len(items) <= 1:
        for item in items:
            yield _on_one_thread(function, item)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    pool = Parallel(
        n_jobs=min(jobs, len(items)),
        return_as="generator_unordered",
        batch_size=1,
        pre_dispatch="n_jobs",
    )
    try:
        yield from pool(delayed(_in_worker)(function, item, os.getpid()) for item in items)
    except TerminatedWorkerError:
        raise EngineError(
            f"one of {jobs} worker processes was killed; if the memory did not suffice, "
            "give fewer --jobs"
        ) from None
