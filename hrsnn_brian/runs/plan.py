"""What a run is to do: a study with its options, its points, and what decides their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.identity import code_identity, files_named
from hrsnn_brian.runs.points import points_of
from hrsnn_brian.runs.study import Options, Point, Study, resolve_options


@dataclass(frozen=True)
class Plan:
    """What decides the numbers of a run. options: resolved; inputs: digests of files they name."""

    study: Study
    preset: str
    seed: int
    device: str
    options: Options
    points: list[Point]
    inputs: dict[str, str]

    def config(self) -> dict[str, dict[str, Any]]:
        """The same as config.toml holds it: two runs of equal configuration give equal tables."""
        study, code = self.study, code_identity()
        libraries = code.pop("libraries")
        run = {"study": study.name, "preset": self.preset, "seed": self.seed, "device": self.device}
        run |= code | ({"file": Path(study.source).name} if study.files else {})
        files = {**study.files, **self.inputs}
        return {"run": run, "libraries": libraries, "files": files, "options": dict(self.options)}


def plan_study(
    study: Study,
    *,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    seed: int = 0,
    device: str = "standalone",
) -> Plan:
    """What `run_study` is to do; study: from `load_study`, so that workers can load it too.

    Raises InputError if an option or a name cannot be used.
    """
    options = resolve_options(study, preset, overrides)
    name = next(iter(study.presets)) if preset is None else preset
    points = points_of(study, options, seed)
    study = described(study, options)
    return Plan(study, name, seed, device, options, points, files_named(options))


def described(study: Study, options: Options) -> Study:
    """The study with the columns that its options make, such as the settings of a sweep."""
    if study.varied is None:
        return study
    return replace(study, columns=(*study.columns, *study.varied(options)))


@dataclass(frozen=True)
class Shard:
    """The part `number` of `of` parts of the points of a run, counted from 1."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            allowed = "must be i/n with 1 <= i <= n, such as 2/5"
            raise InputError("--shard", f"{self.number}/{self.of}", allowed)

    def __str__(self) -> str:
        return f"shard {self.number}/{self.of}"

    def of_points(self, points: Sequence[Point]) -> list[Point]:
        """Every n-th, so that long points next to each other are shared, too."""
        return list(points[self.number - 1 :: self.of])
