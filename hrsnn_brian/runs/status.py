"""What stands in run directories: what they are of, how far, and who works there. Reads only."""

import os
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.runs.claims import RUNNING, Seen, sessions
from hrsnn_brian.runs.progress import clock_text

_DEEP = ("config.toml", "*/config.toml", "*/*/config.toml")
_RECENT = 50  # finished points whose times say how fast the run is


@dataclass(frozen=True)
class RunStatus:
    """One run. what: study, preset and seed, or the command. begun: ISO 8601 in UTC, "" if unknown.
    done, total, failed: points; total is None if it is not known. state: "done", "running",
    "failed", "stopped" or "killed". workers: who is at work, as host, process and points at a time.
    wall_s: of all sessions together. core_s: the same times their points at a time. left_s: as fast
    as it was lately; None if that is not known. size: bytes."""

    path: Path
    what: str
    begun: str
    done: int
    total: int | None
    failed: int
    state: str
    workers: tuple[str, ...]
    wall_s: float
    core_s: float
    left_s: float | None
    size: int

    @property
    def points(self) -> str:
        """How far it is: "12/60"."""
        return f"{self.done}/{'?' if self.total is None else self.total}"

    def line(self) -> str:
        """How far it is and who is at it, in one line."""
        left = "?" if self.left_s is None else clock_text(self.left_s)
        parts = [f"{self.what} {self.points}", self.state, f"left {left}"]
        parts += [f"{self.failed} failed"] * bool(self.failed)
        return " | ".join([*parts, *([", ".join(self.workers)] if self.workers else [])])


def read_config(run: Path, argument: str = "RUN") -> dict[str, Any]:
    """The configuration of a run directory. Raises InputError if `run` is none."""
    try:
        return tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        reason = "is not a run directory (it holds no config.toml that can be read)"
        raise InputError(argument, str(run), reason) from None


def runs_in(folder: Path) -> list[RunStatus]:
    """The runs in `folder` and the two levels below, the latest last; it may be a run itself.

    Raises InputError if there is no such folder.
    """
    if not folder.is_dir():
        raise InputError("DIR", str(folder), "no such folder")
    configs = [file for pattern in _DEEP for file in folder.glob(pattern)]
    found = []
    for file in configs:
        try:
            found.append(status_of(file.parent))
        except InputError:
            continue  # another program's config.toml
    made = {status.path: (status.path / "config.toml").stat().st_mtime_ns for status in found}
    return sorted(found, key=lambda status: (status.begun, made[status.path]))


def status_of(run: Path) -> RunStatus:
    """What stands in the run directory `run`. Raises InputError if it is none."""
    config = read_config(run)
    told = config.get("run", {})
    if not (told.keys() | config.keys()) & {"study", "tasks", "command"}:
        raise InputError("RUN", str(run), "its config.toml is of no run of this program")
    seen = list(sessions(run))
    times = sorted(file.stat().st_mtime for file in (run / "points").glob("*.json"))
    told_totals = [one.entry["points_total"] for one in seen if "points_total" in one.entry]
    done, total = len(times), told_totals[-1] if told_totals else None
    if (trials := run / "points" / "trials.jsonl").exists():
        done = max(0, len(trials.read_text(encoding="utf-8").splitlines()) - 1)
    walls = [_wall(one) for one in seen]
    return RunStatus(
        path=run,
        what=_what(config),
        begun=str(seen[0].entry.get("started", "")) if seen else "",
        done=done,
        total=total,
        failed=sum(1 for _ in (run / "failed").glob("*.json")),
        state=_state(run, seen),
        workers=tuple(_worker(one.entry) for one in seen if one.alive),
        wall_s=sum(walls),
        core_s=sum(w * one.entry.get("jobs", 1) for w, one in zip(walls, seen, strict=True)),
        left_s=_left(times[-_RECENT:], done, total),
        size=sum(_sizes(run)),
    )


def _what(config: dict[str, Any]) -> str:
    run = config.get("run", {})
    if "study" in run:
        return f"{run['study']} {run.get('preset', '')} seed {run.get('seed')}"
    name = config.get("command") or run.get("command") or "tune"
    tasks = run.get("tasks", [])
    return " ".join([str(name), *map(str, tasks)])


def _state(run: Path, seen: Sequence[Seen]) -> str:
    if (run / "DONE").exists():
        return "done"
    if any(one.alive for one in seen):
        return RUNNING
    last = seen[-1].entry.get("status", RUNNING) if seen else RUNNING
    return "killed" if last == RUNNING else "stopped" if last == "done" else str(last)


def _worker(entry: dict[str, Any]) -> str:
    jobs = entry.get("jobs", 1)
    at_a_time = f" ({jobs} at a time)" if jobs != 1 else ""
    return f"{entry.get('host', '?')} process {entry.get('pid', '?')}{at_a_time}"


def _wall(one: Seen) -> float:
    """Seconds of a session; of one that runs or was killed, until it was heard of last."""
    if one.entry.get("status", RUNNING) != RUNNING:
        return float(one.entry.get("wall_seconds", 0.0))
    try:
        began = datetime.fromisoformat(one.entry["started"])
    except (KeyError, ValueError):
        return 0.0
    last = time.time() if one.alive else one.heard
    return max(0.0, last - began.astimezone(UTC).timestamp())


def _left(times: Sequence[float], done: int, total: int | None) -> float | None:
    if total is None or done >= total:
        return None if total is None else 0.0
    if len(times) < 2:
        return None
    return (times[-1] - times[0]) / (len(times) - 1) * (total - done)


def _sizes(folder: Path) -> Iterator[int]:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _sizes(Path(entry.path))
        else:
            yield entry.stat(follow_symlinks=False).st_size
