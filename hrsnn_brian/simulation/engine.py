"""Run scenes on a device: compiled standalone programs, or Brian's cython and numpy targets.

A *scene* is a dict of named arrays that says everything about one run (`scene.py` makes it); a
*result* is a dict of named arrays. Devices differ in speed, not in spikes.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hrsnn_brian.errors import EngineError, unknown_name
from hrsnn_brian.files.shown import Shown
from hrsnn_brian.simulation.arrays import Arrays, read_arrays, write_arrays
from hrsnn_brian.simulation.cache import ProgramCache
from hrsnn_brian.simulation.child import run_reporting, writing
from hrsnn_brian.simulation.program import Program
from hrsnn_brian.simulation.propagators import LinearSystem
from hrsnn_brian.simulation.shape import ModelShape

DEVICES = ("standalone", "cython", "numpy")
OnProgress = Callable[[str, float], None]


@dataclass
class EngineStats:
    """What an engine has done so far; times in seconds of wall clock."""

    builds: int = 0
    runs: int = 0
    build_seconds: float = 0.0
    run_seconds: float = 0.0

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


class Engine(Shown):
    """Runs scenes on one device and counts builds and runs in `stats`.

    device: "standalone" (compiled once per shape), "cython" or "numpy".
    on_progress: called with ("build" or "run", fraction done), with ("wait", 0) when another
        process is building the program.
    Raises InputError for an unknown device, EngineError when a build or a run fails.
    """

    def __init__(
        self,
        device: str = "standalone",
        cache: ProgramCache | None = None,
        on_progress: OnProgress = lambda what, fraction: None,
    ) -> None:
        if device not in DEVICES:
            raise unknown_name("device", device, DEVICES)
        if device != "standalone":
            import brian2  # noqa: F401 - at once, since its import takes over Python's warnings
        self.device = device
        self.on_progress = on_progress
        self.stats = EngineStats()
        self._cache = cache
        self._programs: dict[ModelShape, Program] = {}
        self._systems: dict[ModelShape, LinearSystem] = {}

    def facts(self) -> dict[str, Any]:
        """Its device, and what it has done."""
        return {"device": self.device, **self.stats.to_dict()}

    def prepare(self, shape: ModelShape) -> LinearSystem:
        """Have the program of `shape` ready; returns the linear system of its neurons."""
        if self.device == "standalone":
            return self._program(shape).system
        if shape not in self._systems:
            from hrsnn_brian.simulation.model import linear_system

            self._systems[shape] = linear_system(shape)
        return self._systems[shape]

    def run(self, shape: ModelShape, scene: Mapping[str, NDArray]) -> Arrays:
        """Simulate one scene; returns the recorded arrays (flat, as `simulate` reads them)."""
        if self.device == "standalone":
            program = self._program(shape)
            start = time.perf_counter()
            result = _run_program(program, scene, lambda f: self.on_progress("run", f))
        else:
            from hrsnn_brian.simulation.runtime import run_on_target

            start = time.perf_counter()
            result = run_on_target(self.device, shape, scene)
        _require_whole(scene, result.pop("steps"))
        self.stats.runs += 1
        self.stats.run_seconds += time.perf_counter() - start
        return result

    def _program(self, shape: ModelShape) -> Program:
        known = self._programs.get(shape)
        if known is not None and known.executable.exists():
            return known
        if self._cache is None:
            self._cache = ProgramCache()
        start = time.perf_counter()
        program, built = self._cache.get(
            shape,
            on_build=lambda f: self.on_progress("build", f),
            on_wait=lambda: self.on_progress("wait", 0.0),
        )
        if built:
            self.stats.builds += 1
            self.stats.build_seconds += time.perf_counter() - start
        self._programs[shape] = program
        return program


def _require_whole(scene: Mapping[str, NDArray], steps: NDArray) -> None:
    """Raises EngineError unless Brian's clock reached the end of the scene."""
    wanted = int(scene["duration"][0] / scene["dt"][0] + 0.5)
    if int(steps[0]) != wanted:
        raise EngineError(f"the simulation ended after {int(steps[0])} of {wanted} steps")


def _run_program(
    program: Program, scene: Mapping[str, NDArray], on_progress: Callable[[float], None]
) -> Arrays:
    place = "temporary files of the simulation (set TMPDIR to a folder that takes them)"
    with writing(place):
        folder = Path(tempfile.mkdtemp(prefix="hrsnn-run-"))
    try:
        with writing(place):
            write_arrays(folder / "scene", scene)
        run_reporting(
            [program.executable],
            cwd=program.folder,
            on_progress=on_progress,
            what="the simulation",
            environment={
                "HRSNN_SCENE": str(folder / "scene"),
                "HRSNN_RESULT": str(folder / "result"),
            },
        )
        with writing(place):
            return read_arrays(folder / "result")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
