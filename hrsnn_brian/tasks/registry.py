"""The tasks by name."""

from dataclasses import replace
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.settings.reader import Settings, applied
from hrsnn_brian.settings.section import Section, checked_fields
from hrsnn_brian.tasks.chaotic_tasks import CHAOTIC_TASKS
from hrsnn_brian.tasks.image_task import DESCRIPTIONS, OPTIONS, image_task
from hrsnn_brian.tasks.named import NamedTask
from hrsnn_brian.tasks.real_series import REAL_TASKS
from hrsnn_brian.tasks.task import RunTask, Task, TrialsTask

TASKS: dict[str, NamedTask] = CHAOTIC_TASKS | REAL_TASKS
TASKS |= {
    name: NamedTask(DESCRIPTIONS[name], image_task(name), kind) for name, kind in OPTIONS.items()
}


def list_tasks() -> dict[str, str]:
    """Task name -> one-line description."""
    return {name: task.description for name, task in TASKS.items()}


def get_task(name: str, seed: int, settings: Settings = (), **options: Any) -> Task:
    """The task called `name`, changed by keywords (`quick`, `starts`, ...) or settings as texts.

    Raises InputError for an unknown task or option, naming the nearest valid one.
    """
    kind = task_options(name)
    keys = replace(kind.keys(), argument=f"option of task {name}", see=name)
    table, _ = applied(keys, kind().to_dict(), settings)
    table, _ = applied(keys, table, options)
    chosen, parts = kind.from_dict(table), checked_fields(kind)
    return TASKS[name].make(seed, **{field: getattr(chosen, field) for field, _ in parts})


def task_options(name: str) -> type[Section]:
    """The options of the task called `name`. Raises InputError for an unknown task."""
    if name not in TASKS:
        raise unknown_name("task", name, TASKS)
    return TASKS[name].options


def as_task(task: Task | str, seed: int) -> Task:
    """A task, or the one of that name.

    Raises InputError for an unknown name, and for what is neither.
    """
    if isinstance(task, str):
        return get_task(task, seed)
    if not isinstance(task, RunTask | TrialsTask):
        raise InputError("task", task, f"must be a Task or a name: {', '.join(TASKS)}")
    return task
