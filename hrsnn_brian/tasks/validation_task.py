"""A task asked of its validation block, without its test block: what settings may be chosen by."""

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.task import Task


def validation_task(task: Task) -> ForecastTask:
    """The task whose test block is the validation block of `task`; no test sample is in it.

    See `SplitSeries.development`: the last part of what is left to train on, the same share as
    before, chooses the penalty; free runs start and end in the validation block. [our choice]

    Raises InputError for a task that is no forecast, or a validation block too short to be asked.
    """
    if not isinstance(task, ForecastTask):
        name = getattr(task, "name", task)
        raise InputError("task", name, "has no validation block in time; give a series")
    if task.validation <= max(task.horizons):
        what = f"its validation block has {task.validation} samples: too few for the horizon"
        raise InputError("task", task.name, f"{what} {max(task.horizons)}")
    return task.development()
