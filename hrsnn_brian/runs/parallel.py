"""Independent pieces of work, here or in other processes, with the same numbers either way.

An `Executor` says where: in this process or in workers of this machine (`on_this_machine`), or on
a cluster (`runs.cluster`). All of them hand out pools of `concurrent.futures`, and one loop feeds
them, `as_finished`.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures import Executor as Pool
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from typing import Any, NoReturn, Protocol, TypeVar

from hrsnn_brian.errors import EngineError, WorkerKilledError
from hrsnn_brian.files.machine import THREAD_VARIABLES

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Where work is done. killed: what a pool raises about work whose process was killed."""

    killed: tuple[type[BaseException], ...]

    def __str__(self) -> str:
        """What it is, in a few words."""

    @property
    def slots(self) -> int:
        """How many pieces are worked on at a time."""

    def pool(self) -> Pool:
        """Where to submit to; a new one if that before has broken."""

    def stop(self) -> None:
        """Ends what still runs."""


class _Inline(Pool):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class InProcess:
    """One piece after the other, in this process."""

    killed: tuple[type[BaseException], ...] = ()
    slots = 1

    def __str__(self) -> str:
        return "in one process"

    def pool(self) -> Pool:
        return _Inline()

    def stop(self) -> None:
        """Nothing is left running."""


class Workers:
    """joblib's worker processes on this machine (loky)."""

    def __init__(self, slots: int) -> None:
        from joblib.externals.loky.process_executor import BrokenProcessPool

        self.slots = slots
        self.killed: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def __str__(self) -> str:
        return f"in {self.slots} processes (loky)"

    def pool(self) -> Pool:
        from joblib.externals.loky import get_reusable_executor

        found: Pool = get_reusable_executor(
            max_workers=self.slots,
            timeout=300,  # seconds until idle ones end
            env=dict.fromkeys(THREAD_VARIABLES, "1"),
            initializer=_end_with,
            initargs=(os.getpid(),),
        )
        return found

    def stop(self) -> None:
        with _silent("ExecutorManagerThread"):
            self.pool().shutdown(kill_workers=True)  # type: ignore[call-arg]


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keeps a thread of this name from printing how it ended.

    loky's manager drops the work that waits when its workers are killed, and then may look for it
    (a KeyError); its pool is given up at that moment, and what happened is told by who stops it.
    """
    before = threading.excepthook

    def told(args: threading.ExceptHookArgs) -> None:
        if args.thread is None or args.thread.name != name:
            before(args)

    threading.excepthook = told
    try:
        yield
    finally:
        threading.excepthook = before


def on_this_machine(jobs: int) -> Executor:
    """`jobs` processes of this machine; with one, it is this process itself."""
    return InProcess() if jobs == 1 else Workers(jobs)


def _end_with(parent: int) -> None:
    """Ends this worker when `parent` is gone: a killed sweep must not go on in its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


_alone = threading.RLock()  # workers of a cluster may have several threads, our work knows of one


def _on_one_thread(function: Callable[[Item], Result], item: Item) -> Result:
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded before it can be limited)

    with _alone, _libraries(len(sys.modules)).limit(limits=1):
        return function(item)


@lru_cache(maxsize=1)
def _libraries(modules: int) -> Any:
    """Those of linear algebra that are loaded; looked for again when a module has come."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _give_up(item: object) -> NoReturn:
    what = "a worker process was killed three times at the same work, the last time alone"
    raise WorkerKilledError(f"{what}; if the memory did not suffice, give fewer --jobs")


def as_finished(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int | Executor,
    on_killed: Callable[[Item], Result] = _give_up,
) -> Iterator[Result]:
    """Yields `function(item)` for all items, in the order in which they finish.

    items: taken one by one, whenever one can be begun. jobs: processes of this machine, or where
    else; `function` and items must be picklable unless it is one. Linear algebra runs on one
    thread in every case: a sum's last bit depends on the threads.
    on_killed: gives the result of an item whose worker was killed three times; by default
    WorkerKilledError is raised. When a worker dies, it is not known at which of the items in
    flight: those are tried once more together and then one by one.
    The first error ends the work and is raised here; EngineError if the executor is lost.
    """
    if isinstance(jobs, int) and isinstance(items, Sized):
        jobs = max(1, min(jobs, len(items)))
    executor = on_this_machine(jobs) if isinstance(jobs, int) else jobs
    work = partial(_on_one_thread, function)
    killed = yield from _round(executor, work, items)
    killed = yield from _round(executor, work, killed)
    for item in killed:
        if (yield from _round(executor, work, [item])):
            yield on_killed(item)


def _round(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, list[Item]]:
    """Yields the results of items; returns those that were in flight when a worker was killed."""
    waiting, flying, killed = iter(items), dict[Future[Result], Item](), list[Item]()
    try:
        while True:
            pool = executor.pool()
            for item in islice(waiting, max(0, executor.slots - len(flying))):
                try:
                    flying[pool.submit(work, item)] = item
                except executor.killed:  # it broke meanwhile
                    killed.append(item)
            if not flying:
                return killed
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                item = flying.pop(future)
                try:
                    result = future.result()
                except executor.killed:
                    killed.append(item)
                except CancelledError:
                    what = f"what was in flight {executor} was lost; the same command goes on"
                    raise EngineError(what) from None
                else:
                    yield result
    finally:
        if flying:
            executor.stop()
