"""What a task is listed as, and the options that several tasks share."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hrsnn_brian.settings.fields import Flag, OptionalWhole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.tasks.task import Task


@dataclass(frozen=True)
class TaskOptions(Section):
    """What can be chosen of every shipped task."""

    quick: Flag = Flag(False).about("the same task with shorter blocks, for a first look")


@dataclass(frozen=True)
class FreeRunOptions(TaskOptions):
    """Of a task that is also run freely, on its own predictions."""

    starts: OptionalWhole = OptionalWhole(low=1).about(
        "starts of free runs, spread over the test block; 20 unless given, 10 if quick"
    )


class NamedTask(NamedTuple):
    """A task as it is listed; make: (seed, **options), with the fields of `options`."""

    description: str
    make: Callable[..., Task]
    options: type[Section] = TaskOptions
