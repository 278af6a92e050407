"""A task asked of its validation block, without its test block: what settings may be chosen by."""

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.image_task import ImageTask
from hrsnn_brian.tasks.task import Task


def validation_task(task: Task) -> ForecastTask | ImageTask:
    """The task whose test block is the validation block of `task`; no test sample is in it.

    See `SplitSeries.development`: the last part of what is left to train on, the same share as
    before, chooses the penalty; free runs start and end in the validation block. Of images see
    `ImageTask.development`. [our choice]

    Raises InputError for a task that is neither, or a validation block too short to be asked.
    """
    if isinstance(task, ImageTask):
        return task.development()
    if not isinstance(task, ForecastTask):
        name = getattr(task, "name", task)
        raise InputError("task", name, "has no validation block; give a series or an image task")
    if task.validation <= max(task.horizons):
        what = f"its validation block has {task.validation} samples: too few for the horizon"
        raise InputError("task", task.name, f"{what} {max(task.horizons)}")
    return task.development()
