"""What this machine lends to this process: processors and memory."""

import os
import resource
import sys
from pathlib import Path

from hrsnn_brian.errors import EngineError

# What libraries of linear algebra ask, when they are loaded, for their number of threads.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def usable_cores() -> int:
    """Cores this process may use: those of its affinity and of its share in a container."""
    from joblib import cpu_count

    return int(cpu_count())


def free_memory() -> float:
    """Bytes this process can still get: free ones of the machine, the rest of its container."""
    free = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            free.append(int(line.split()[1]) * 1024)
    limit, used = (_lines(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if limit and used and limit[0].isdigit():
        free.append(int(limit[0]) - int(used[0]))
    return float(min(free))


def require_memory(needed: float, what: str) -> None:
    """Raises EngineError unless `needed` bytes are free; before they are asked for, because a
    system that promises more than it has kills the process later, without a word.
    """
    free = free_memory()
    if needed > free:
        raise EngineError(
            f"{what} takes {needed / 1e9:.3g} GB of memory, {free / 1e9:.3g} GB are free"
        )


def peak_memory() -> int:
    """Bytes this process has held at most so far, or its largest child if that took more."""
    unit = 1 if sys.platform == "darwin" else 1024
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    own, children = (resource.getrusage(kind).ru_maxrss * unit for kind in kinds)
    for line in _lines("/proc/self/status"):
        if line.startswith("VmHWM:"):  # ru_maxrss begins with that of the process it came from
            own = int(line.split()[1]) * 1024
    return max(own, children)


def processor_seconds() -> float:
    """CPU time of this process and of those it has waited for."""
    used = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
