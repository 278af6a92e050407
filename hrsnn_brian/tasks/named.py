"""What a task is listed as, and the options that several tasks share."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.fields import Flag, OptionalWhole, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.settings.section import Section
from hrsnn_brian.tasks.task import Task


@dataclass(frozen=True)
class TaskOptions(Section):
    """What can be chosen of every task."""

    quick: Flag = Flag(False).about("the same task with shorter blocks, for a first look")


class Horizons(Many):
    """How many samples ahead, in rising order; without 1 among them there is no free run."""

    def __init__(self, *default: int) -> None:
        super().__init__(Whole(1, 1), default)

    def convert(self, value: Any) -> tuple[int, ...]:
        return tuple(sorted(set(super().convert(value))))


@dataclass(frozen=True)
class ForecastOptions(TaskOptions):
    """What can be chosen of a series that is predicted."""

    horizons: Horizons = Horizons(1).about("how far ahead is predicted", "samples")


@dataclass(frozen=True)
class FreeRunOptions(ForecastOptions):
    """Of a task that is also run freely, on its own predictions."""

    starts: OptionalWhole = OptionalWhole(low=1).about(
        "starts of free runs, spread over the test block; 20 unless given, 10 if quick"
    )

    def __post_init__(self) -> None:
        if self.starts is not None and 1 not in self.horizons:
            allowed = "has no effect: without 1 among the horizons there is no free run"
            raise InputError("starts", self.starts, allowed)


class NamedTask(NamedTuple):
    """A task as it is listed; make: (seed, **options), with the fields of `options`."""

    description: str
    make: Callable[..., Task]
    options: type[Section] = TaskOptions
