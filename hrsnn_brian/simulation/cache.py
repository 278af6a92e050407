"""Compiled programs on disk, under the hash of everything that decides them.

Layout: ROOT/<key>/ holds `program`, `manifest.json` and the generated sources. A program is
built in a private folder and renamed into place under a lock, so that a second process waits
instead of building again and a build killed half-way leaves nothing that looks finished. On file
systems without locks both build, and the first stays.
ROOT is $HRSNN_CACHE, else $XDG_CACHE_HOME/hrsnn-brian, else ~/.cache/hrsnn-brian; give each
cluster node a local folder. It may be read-only if it holds the program. The least recently used
programs go when ROOT exceeds its limit ($HRSNN_CACHE_LIMIT_MB, 500 MB if not set). Nothing is
removed but what `is_program` and `FolderCache` recognise as made here.
"""

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.files.folder_cache import FolderCache, scrap
from hrsnn_brian.simulation.child import python_path, run_reporting, writing
from hrsnn_brian.simulation.program import Program, is_program, program_key, read_program
from hrsnn_brian.simulation.shape import ModelShape
from hrsnn_brian.simulation.toolchain import find_compiler

DEFAULT_LIMIT_MB = "500"


def default_root() -> Path:
    """The cache folder that the environment names; an empty variable is one that is not set.

    Raises InputError if the home folder it asks for is not known.
    """
    named = os.environ.get("HRSNN_CACHE")
    if named:
        return _expanded("HRSNN_CACHE", named).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    if base and (folder := _expanded("XDG_CACHE_HOME", base)).is_absolute():
        return folder / "hrsnn-brian"  # the standard has relative ones ignored
    return _expanded("HRSNN_CACHE", "~") / ".cache" / "hrsnn-brian"


def _expanded(variable: str, text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        allowed = "its home folder is not known; give a folder for compiled programs"
        raise InputError(variable, text, allowed) from None


class ProgramCache(FolderCache):
    """Finds or builds programs. Safe for concurrent use by processes sharing `root`."""

    def __init__(self, root: Path | None = None, limit_bytes: float | None = None) -> None:
        limit_bytes = limit_bytes if limit_bytes is not None else _limit_from_environment()
        super().__init__(default_root() if root is None else Path(root), limit_bytes, is_program)

    def get(
        self,
        shape: ModelShape,
        on_build: Callable[[float], None] = lambda fraction: None,
        on_wait: Callable[[], None] = lambda: None,
    ) -> tuple[Program, bool]:
        """The program of `shape` and whether it had to be built.

        on_wait: called once if another process is building it.
        Raises CompilerMissingError without a compiler, InputError for a folder that takes no
        programs, EngineError when the build fails.
        """
        key = program_key(shape, find_compiler())
        program = read_program(self.root / key)
        built = program is None
        if program is None:
            self.require_usable()
            with self._lock(key) as lock:
                lock.acquire(on_wait)
                program = read_program(self.root / key)
                built = program is None
                if program is None:
                    if lock.exclusive:
                        self._sweep(key)  # its builder is dead
                    program = self._build(shape, key, on_build)
        with suppress(OSError):  # a cache that is read-only for us
            os.utime(program.folder / "manifest.json")
        if built:
            self.trim(keep=key)
        return program, built

    def require_usable(self) -> None:
        """Raises InputError unless programs can be made and run in `root`."""
        root = str(self.root)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot be created: {error.strerror}"
            raise InputError("HRSNN_CACHE", root, f"{reason}; give another folder") from None
        probe = self.root / scrap("building", "0" * 24)
        try:
            probe.touch(exist_ok=False)
            probe.unlink()
        except OSError as error:
            reason = f"does not hold this program and cannot be written ({error.strerror})"
            raise InputError("HRSNN_CACHE", root, f"{reason}; give another folder") from None
        if os.statvfs(self.root).f_flag & getattr(os, "ST_NOEXEC", 0):
            allowed = "must not hold programs (mounted noexec); give another folder"
            raise InputError("HRSNN_CACHE", root, allowed)

    @contextmanager
    def trial(self) -> Iterator["ProgramCache"]:
        """An empty cache inside this one for the duration of the block.

        Its name is that of scrap: `clear` removes what a killed trial leaves.
        """
        folder = self.root / scrap("building", "0" * 24)
        with writing(f"the cache {self.root}"):
            folder.mkdir()
        try:
            yield ProgramCache(folder, math.inf)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _build(self, shape: ModelShape, key: str, on_build: Callable[[float], None]) -> Program:
        private = self.root / scrap("building", key)
        target, shape_file = self.root / key, private / "shape.json"
        place = f"the simulation program in {self.root}"
        try:
            with writing(place):
                private.mkdir()
                shape_file.write_text(json.dumps(shape.to_dict()), encoding="utf-8")
            run_reporting(
                [sys.executable, "-m", "hrsnn_brian.simulation.generate", shape_file, private],
                cwd=private,
                on_progress=on_build,
                what="building the simulation program",
                environment={"PYTHONPATH": python_path()},
            )
            if read_program(target) is None:  # else another was faster, where there are no locks
                if os.path.lexists(target):
                    what = "is in the way: no complete program; move it elsewhere"
                    raise EngineError(f"{target} {what}")
                with writing(place):
                    private.rename(target)
        finally:
            shutil.rmtree(private, ignore_errors=True)
        program = read_program(self.root / key)
        if program is None:
            raise EngineError(f"the program just built has left {target}")
        return program


def _limit_from_environment() -> float:
    """Bytes; an empty variable is one that is not set, inf means no limit."""
    text = os.environ.get("HRSNN_CACHE_LIMIT_MB") or DEFAULT_LIMIT_MB
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not limit >= 0:
        allowed = "must be a number of megabytes >= 0, or inf for no limit"
        raise InputError("HRSNN_CACHE_LIMIT_MB", text, allowed)
    return limit * 1e6
