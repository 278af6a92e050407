"""Everything that a sweep varies, and how its points are chosen."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import READOUTS
from hrsnn_brian.evaluation.quadratic import QUADRATIC
from hrsnn_brian.files.columns import Column
from hrsnn_brian.network.presets import DEFAULT_PRESET
from hrsnn_brian.runs.options import StudyOptions
from hrsnn_brian.runs.sweep_parts import (
    NAME,
    NO_RECIPE,
    PRESET,
    WHOLE,
    Choice,
    Networks,
    Pruning,
    Shown,
    Sizes,
    Varied,
)
from hrsnn_brian.settings.fields import OneOf, Text, Whole
from hrsnn_brian.settings.levels import Span
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.statistics.designs import DESIGNS, GRID


@dataclass(frozen=True)
class SweepOptions(StudyOptions):
    """Everything that may be a list, and how the points are chosen."""

    network: Networks = Networks({PRESET: DEFAULT_PRESET}).about("presets, and settings of theirs")
    recipe: Pruning = Pruning({NAME: NO_RECIPE}).about(
        "how networks are pruned; none: not at all; and options of the recipes"
    )
    size: Sizes = Sizes({}).about("how large the pruned networks are")
    task: Shown = Shown({NAME: "mackey-glass-84"}).about("what networks are put to, and options")
    readouts: Many = Many(Text(READOUTS[0]), READOUTS[:1], "readout").about(
        f"what a readout sees beside the present input: of a series {', '.join(READOUTS)} or "
        f"{QUADRATIC}; of images those of its task"
    )
    design: OneOf = OneOf(GRID, DESIGNS).about("how settings are combined; names always cross")
    draws: Whole = Whole(32, low=1).about("points of a design that draws")

    def __post_init__(self) -> None:
        spans = [(n, str(v)) for n, v in self.settings().items() if isinstance(v, Span)]
        if self.design == GRID and spans:
            allowed = "needs a number in a grid, low:high:number; or another design, or a search"
            raise InputError(spans[0][0], spans[0][1], allowed)
        pruned = [name for name in self.names("recipe") if name not in WHOLE]
        if pruned and not {"keep", "density", "synapses"} & self.size.keys():
            raise InputError("size", dict(self.size) or None, f"{pruned[0]} needs one: keep=0.05")

    def settings(self) -> Varied:
        """Name of its column -> values, of every setting that is no name."""
        return Varied((self.part(p).columns(n), v) for p in PARTS for n, v in self.of(p).items())

    def names(self, part: str) -> tuple[str, ...]:
        """The names of a part: presets, recipes or tasks."""
        found: Varied = getattr(self, part)
        held = found.get(self.part(part).called, ())
        assert isinstance(held, tuple)
        return held

    def of(self, part: str) -> Varied:
        """The settings of a part, without its names."""
        found: Varied = getattr(self, part)
        return Varied((n, v) for n, v in found.items() if n != self.part(part).called)

    @classmethod
    def part(cls, name: str) -> Choice:
        """The field of that name."""
        found: Choice = vars(cls)[name]
        return found

    def columns(self) -> tuple[Column, ...]:
        """The columns of what takes more than one value."""
        found = []
        if len(self.names("network")) > 1:
            found.append(Column(PRESET, "parameters it was drawn from", role="identity"))
        for name in PARTS:
            for path, values in self.of(name).items():
                if isinstance(values, Span) or len(values) > 1:
                    found.append(self.part(name).column(path, self.names(name)))
        return tuple(found)


PARTS = ("network", "recipe", "size", "task")
