"""A task asked of its validation block, without its test block: what settings may be chosen by."""

from dataclasses import replace

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.split_series import VptProtocol
from hrsnn_brian.tasks.task import Task


def validation_task(task: Task) -> ForecastTask:
    """The task whose test block is the validation block of `task`; no test sample is in it.

    What was the training block trains up to there, and its last part, the same share as before,
    chooses the penalty. Free runs start in the validation block and end in it: each lasts at most
    half of it, so that starts are spread over the other half. [our choice]

    Raises InputError for a task that is no forecast, or a validation block too short to be asked.
    """
    if not isinstance(task, ForecastTask):
        name = getattr(task, "name", task)
        raise InputError("task", name, "has no validation block in time; give a series")
    train = task.train - task.validation
    if task.validation <= max(task.horizons):
        what = f"its validation block has {task.validation} samples: too few for the horizon"
        raise InputError("task", task.name, f"{what} {max(task.horizons)}")
    return replace(
        task,
        series=task.series[: task.washout + task.train],
        train=train,
        validation=round(task.validation * train / task.train),
        test=task.validation,
        vpt=None if task.vpt is None else _shorter(task.vpt, task.validation),
    )


def _shorter(vpt: VptProtocol, block: int) -> VptProtocol:
    """The protocol with free runs that fit a block of so many samples."""
    max_steps = min(vpt.max_steps, block // 2)
    return replace(
        vpt,
        max_steps=max_steps,
        starts=min(vpt.starts, block - max_steps + 1),
        cap=min(vpt.cap, max_steps / vpt.steps_per_unit),
    )
