"""Compiled programs on disk, under the hash of everything that decides them.

Layout: ROOT/<key>/ holds `program`, `manifest.json` and the generated sources. A program is
built in a private folder and renamed into place under a lock, so that a second process waits
instead of building again and a build killed half-way leaves nothing that looks finished.
ROOT is $HRSNN_CACHE, else $XDG_CACHE_HOME/hrsnn-brian, else ~/.cache/hrsnn-brian; give each
cluster node a local folder. The least recently used programs go when ROOT exceeds its limit
($HRSNN_CACHE_LIMIT_MB, 500 MB if not set).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.simulation.propagators import LinearSystem
from hrsnn_brian.simulation.shape import ModelShape, shape_from_dict
from hrsnn_brian.simulation.toolchain import FLAGS, Compiler, cpu_identity, find_compiler

# Every file whose text ends up in a program.
_SOURCES = (
    "equations.py",
    "generate.py",
    "model.py",
    "propagators.py",
    "replicas.cpp",
    "replicas.h",
    "replicas.py",
    "scene.cpp",
    "scene.h",
    "shape.py",
)


@dataclass(frozen=True)
class Program:
    """A compiled program: its folder and the linear system its propagators belong to."""

    folder: Path
    shape: ModelShape
    system: LinearSystem

    @property
    def executable(self) -> Path:
        return self.folder / "program"


@dataclass(frozen=True)
class CacheEntry:
    """One program on disk: key, size in bytes, time of last use (seconds since the epoch)."""

    key: str
    bytes: int
    last_used: float


def program_key(shape: ModelShape, compiler: Compiler) -> str:
    """Content hash of shape, model sources, Brian, compiler, flags and CPU."""
    here = Path(__file__).parent
    parts = [
        json.dumps(shape.to_dict(), sort_keys=True),
        version("brian2"),
        compiler.version,
        " ".join(FLAGS),
        cpu_identity(),
        *((here / name).read_text() for name in _SOURCES),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def default_root() -> Path:
    if "HRSNN_CACHE" in os.environ:
        return Path(os.environ["HRSNN_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hrsnn-brian"


class ProgramCache:
    """Finds or builds programs. Safe for concurrent use by processes sharing `root`."""

    def __init__(self, root: Path | None = None, limit_bytes: int | None = None) -> None:
        self.root = Path(root) if root is not None else default_root()
        self.limit_bytes = limit_bytes if limit_bytes is not None else _limit_from_environment()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError("HRSNN_CACHE", str(self.root), f"cannot be created: {error}") from None

    def get(
        self, shape: ModelShape, on_build: Callable[[float], None] = lambda fraction: None
    ) -> tuple[Program, bool]:
        """The program of `shape` and whether it had to be built.

        Raises CompilerMissingError without a compiler, EngineError when the build fails.
        """
        compiler = find_compiler()
        key = program_key(shape, compiler)
        folder = self.root / key
        with FileLock(self.root / f"{key}.lock"):
            built = not (folder / "manifest.json").exists()
            if built:
                self._build(shape, key, on_build)
            program = _load(folder)
            os.utime(folder / "manifest.json")
        if built:
            self.trim(keep=key)
        return program, built

    def _build(self, shape: ModelShape, key: str, on_build: Callable[[float], None]) -> None:
        for stale in self.root.glob(f".building-{key}-*"):  # we hold its lock: its builder is dead
            shutil.rmtree(stale, ignore_errors=True)
        private = Path(tempfile.mkdtemp(prefix=f".building-{key}-", dir=self.root))
        try:
            shape_file = private / "shape.json"
            shape_file.write_text(json.dumps(shape.to_dict()))
            run_reporting(
                [sys.executable, "-m", "hrsnn_brian.simulation.generate", shape_file, private],
                cwd=self.root,
                on_progress=on_build,
                what="building the simulation program",
            )
            target = self.root / key
            if target.exists():  # without a manifest: not ours to keep
                shutil.rmtree(target)
            private.rename(target)
        finally:
            shutil.rmtree(private, ignore_errors=True)

    def entries(self) -> list[CacheEntry]:
        """The programs on disk, most recently used first."""
        found = []
        for manifest in self.root.glob("*/manifest.json"):
            files = [p.stat().st_size for p in manifest.parent.rglob("*") if p.is_file()]
            found.append(CacheEntry(manifest.parent.name, sum(files), manifest.stat().st_mtime))
        return sorted(found, key=lambda entry: -entry.last_used)

    def total_bytes(self) -> int:
        return sum(entry.bytes for entry in self.entries())

    def trim(self, keep: str = "") -> None:
        """Remove the least recently used programs until the limit is met; never `keep`."""
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        for entry in reversed(entries):
            if total <= self.limit_bytes:
                return
            if entry.key != keep:
                self._remove(entry.key)
                total -= entry.bytes

    def clear(self) -> int:
        """Remove every program; returns how many there were."""
        entries = self.entries()
        for entry in entries:
            self._remove(entry.key)
        return len(entries)

    def _remove(self, key: str) -> None:
        with FileLock(self.root / f"{key}.lock"):
            shutil.rmtree(self.root / key, ignore_errors=True)


def run_reporting(
    command: list[object],
    cwd: Path,
    on_progress: Callable[[float], None],
    what: str,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a process whose standard output carries lines `progress FRACTION`.

    Raises EngineError with the end of its standard error if it fails.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("progress "):
                    on_progress(float(line.split()[1]))
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        if status != 0:
            errors.seek(0)
            said = errors.read()[-4000:].strip()
            raise EngineError(f"{what} failed with status {status}: {said or 'it said nothing'}")


def _load(folder: Path) -> Program:
    manifest = json.loads((folder / "manifest.json").read_text())
    system = manifest["system"]
    linear = LinearSystem(
        rows=system["rows"],
        **{k: tuple(system[k]) for k in ("states", "inputs", "parameters", "shared")},
    )
    return Program(folder, shape_from_dict(manifest["shape"]), linear)


def _limit_from_environment() -> int:
    text = os.environ.get("HRSNN_CACHE_LIMIT_MB", "500")
    try:
        return int(float(text) * 1e6)
    except ValueError:
        raise InputError("HRSNN_CACHE_LIMIT_MB", text, "must be a number of megabytes") from None
