"""One point of a study, computed and filed in whatever process this is, on whatever machine."""

import os
import platform
import time
import traceback
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hrsnn_brian.errors import CompilerMissingError, EngineError, HrsnnError, InputError
from hrsnn_brian.files.identity import package_digest, require_unchanged
from hrsnn_brian.runs.points import rows_of
from hrsnn_brian.runs.progress import EngineProgress, Lines
from hrsnn_brian.runs.provenance import cost_since
from hrsnn_brian.runs.records import Records
from hrsnn_brian.runs.run_directory import append_log
from hrsnn_brian.runs.study import Point, Study, load_study

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine


@dataclass(frozen=True)
class Done:
    """A point that is filed. seconds: without those of compiling. cold: it was the first of its
    process, which pays for imports and waits for programs that another process compiles. error:
    why it failed, "" if it did not."""

    point: Point
    seconds: float = 0.0
    cold: bool = False
    error: str = ""


@dataclass(frozen=True)
class Work:
    """code: source and digest of the study, digest of the package. files: digests of the inputs."""

    code: tuple[str, str, str]
    files: dict[str, str]
    run: str
    device: str
    cwd: str = field(default_factory=os.getcwd)

    def __call__(self, point: Point) -> Done:
        """Files the rows of the point and their cost, or that it failed and why.

        Raises what no other point would be spared: code or inputs that have changed, a disk that
        is full, a folder that this machine does not see.
        """
        self._enter()
        clock, loads = time.monotonic(), _study.cache_info().misses
        study = _study(*self.code)
        records = Records(study, [point], Path(self.run))
        engine = _engine(self.device, Path(self.run)) if study.uses_engine else None
        before = engine.stats.to_dict() if engine else {}
        try:
            rows = rows_of(study, point, cast("Engine", engine))
        except CompilerMissingError:
            raise
        except (HrsnnError, MemoryError) as error:
            require_unchanged(self.files)
            return Done(point, time.monotonic() - clock, error=_filed(records, point, error))
        require_unchanged(self.files)
        cost = cost_since(before, engine.stats.to_dict()) if engine else {}
        seconds = time.monotonic() - clock
        records.file(point, rows, cost, seconds)
        cold = _study.cache_info().misses > loads
        return Done(point, seconds - cost.get("build_seconds", 0.0), cold)

    def _enter(self) -> None:
        """A worker started elsewhere would read other files by the same name."""
        try:
            os.chdir(self.cwd)
            os.stat(self.run)
        except OSError as error:
            what = f"{platform.node()} does not see {error.filename} ({error.strerror})"
            raise EngineError(f"{what}; all workers need the file system of the run") from None


def _filed(records: Records, point: Point, error: BaseException) -> str:
    """Files that the point failed; the error in one line."""
    told = str(error) or "memory does not suffice"
    trace = "".join(traceback.format_exception(error))
    records.file_failure(point, told, trace)
    append_log(records.run, trace)
    return told


@cache
def _study(source: str, code: str, package: str) -> Study:
    study = load_study(source)
    if study.code != code:
        raise InputError("study", source, "its code was changed while it ran; put it back to go on")
    if package_digest() != package:
        what = f"its source files on {platform.node()} are not those the study began with"
        raise InputError("hrsnn_brian", package, f"{what}; put them back to go on")
    return study


@cache
def _engine(device: str, run: Path) -> "Engine":
    from hrsnn_brian.simulation import Engine

    return Engine(
        device=device, on_progress=EngineProgress(Lines(partial(append_log, run), every_s=5.0))
    )
