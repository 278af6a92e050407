"""What a run will take: time, disk and memory, from the points it has finished or a few samples."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from hrsnn_brian.errors import PointsFailedError
from hrsnn_brian.files.identity import package_digest
from hrsnn_brian.files.machine import free_memory
from hrsnn_brian.files.tables import table_text
from hrsnn_brian.runs.parallel import Workers, as_finished
from hrsnn_brian.runs.progress import clock_text
from hrsnn_brian.runs.records import POINTS, Records
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.runs.work import Work

SAMPLES, SAMPLING_S = 3, 60.0  # none is begun after that many seconds [our choice]


@dataclass(frozen=True)
class Estimate:
    """points: of the run, or the shard. left: those to compute, `slots` at a time. seconds: of each
    point that was looked at, without compiling. building_s: compiling, once. each: bytes of disk
    per point; free_disk: where they go. memory: bytes of one process."""

    points: int
    left: int
    slots: int
    seconds: tuple[float, ...]
    building_s: float
    each: float
    free_disk: float
    memory: float

    @property
    def disk(self) -> float:
        """Bytes that are still to come."""
        return self.each * self.left

    @property
    def wall_s(self) -> float:
        """Expected seconds until the run is done."""
        rounds = self.left / max(1, min(self.slots, self.left))
        return mean(self.seconds or (0.0,)) * rounds + self.building_s * (self.left > 0)

    def shortages(self) -> Iterator[str]:
        """A line for each thing of which there is not enough."""
        if self.disk > self.free_disk:
            free = f"{_size(self.free_disk)} are free"
            yield f"about {_size(self.disk)} of results are to come, {free}"
        free_ram, needed = free_memory(), self.memory * self.slots
        if needed > free_ram + self.memory:  # one of them may be running
            many = f"{self.slots} processes of {_size(self.memory)} need more memory than is free"
            yield f"{many} ({_size(free_ram)}); give fewer --jobs"

    def __str__(self) -> str:
        looked, built = f"{len(self.seconds)} points took", ""
        if self.seconds:
            looked += f" {min(self.seconds):.3g} to {max(self.seconds):.3g} s each"
        if self.building_s >= 1:
            built = f", and {self.building_s:.0f} s of compiling once"
        lines = [
            f"points: {self.points}, {self.left} of them to compute, {self.slots} at a time",
            f"time:   about {clock_text(self.wall_s)} ({looked}{built})",
            f"disk:   about {_size(self.disk)}; free: {_size(self.free_disk)}",
            f"memory: {_size(self.memory)} per process, {_size(self.memory * self.slots)} in all; "
            f"free: {_size(free_memory())}",
        ]
        return "\n".join([*lines, *(f"warning: {line}" for line in self.shortages())])


def estimate(
    records: Records, points: Sequence[Point], slots: int, device: str, files: dict[str, str]
) -> Estimate:
    """What computing the unfinished ones of `points` takes. records: of the run they belong to.

    If it has finished fewer than `SAMPLES`, some points are computed in a temporary folder, in a
    process of their own. Raises PointsFailedError if one of them fails.
    """
    todo = [point for point in points if not records.is_settled(point)]
    if len(points) - len(todo) >= SAMPLES or not todo:
        return from_finished(records, points, slots)
    with tempfile.TemporaryDirectory(prefix="hrsnn-sample-") as folder:
        samples = _sampled(records.study, _spread(todo), Path(folder), device, files)
        found = from_finished(samples, samples.points, slots)
    free = _free_disk(records.run)
    return replace(found, points=len(points), left=len(todo), free_disk=free)


def from_finished(records: Records, points: Sequence[Point], slots: int) -> Estimate:
    """The same, from those of `points` that are finished, and from nothing else."""
    known = [found for point in points if (found := records.finished(point))]
    size = sum(records.path(record["point"]).stat().st_size for record in known)
    size += sum(len(table_text(record["rows"])) for record in known)
    builds = [record["engine"].get("build_seconds", 0.0) for record in known]
    return Estimate(
        points=len(points),
        left=len(points) - len(known),
        slots=slots,
        seconds=tuple(record["seconds"] - b for record, b in zip(known, builds, strict=True)),
        building_s=sum(builds),
        each=size / max(1, len(known)),
        free_disk=_free_disk(records.run),
        memory=max((record.get("peak_memory", 0) for record in known), default=0),
    )


def _spread(points: Sequence[Point]) -> list[Point]:
    """The first, the last and some between, as they may differ in what they take."""
    last = len(points) - 1
    places = dict.fromkeys(round(k * last / (SAMPLES - 1)) for k in range(SAMPLES))
    return [points[place] for place in places]


def _sampled(
    study: Study, points: Sequence[Point], folder: Path, device: str, files: dict[str, str]
) -> Records:
    (folder / POINTS).mkdir()
    records = Records(study, points, folder)
    work = Work((study.source, study.code, package_digest()), files, str(folder), device)
    until = time.monotonic() + SAMPLING_S
    begun = (point for k, point in enumerate(points) if k == 0 or time.monotonic() < until)
    worker = Workers(1)
    try:
        for done in as_finished(work, begun, worker):
            if done.error:
                raise PointsFailedError(f"a sampled point failed: {done.error}")
    finally:
        worker.stop()
    return records


def _free_disk(folder: Path) -> float:
    """Bytes that are free where `folder` is or will be."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return float(shutil.disk_usage(there).free)


def _size(number: float) -> str:
    """Bytes as kB, MB or GB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number / 1e3:.3g} kB"
