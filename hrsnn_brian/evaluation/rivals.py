"""Rows of rivals: models of another kind and the same size, tuned for the task they are put to."""

from collections.abc import Callable
from typing import Any

from hrsnn_brian.files.columns import identity
from hrsnn_brian.files.score import Score
from hrsnn_brian.tasks.echo_state import STATES, TRIALS, settings_of, tuned
from hrsnn_brian.tasks.task import RunTask, Task

RIVALS = {"esn": "echo-state network of as many units (reservoirpy), tuned on validation rows"}


def rival_rows(
    task: Task,
    n_units: int,
    seed: int,
    trials: int = TRIALS,
    on_trial: Callable[[int, int], None] = lambda done, trials: None,
) -> list[dict[str, Any]]:
    """The row of the echo-state network of `n_units` units that so many trials found, see `tuned`.

    Beside the scores: the weights of its reservoir as synapses, multiply-adds per sample of
    reservoir and readout apart, and the settings found. Raises InputError as `tuned` does.
    """
    found = tuned(task, n_units, trials, seed, on_trial)
    row = identity(
        "ESN", neurons=n_units, synapses=found.weights, task=task.name, readout=STATES, seed=seed
    )
    assert isinstance(task, RunTask)  # as `tuned` has seen
    weights, outputs = found.weights, task.targets().shape[1]
    told = [
        *found.scores,
        Score("trials", trials, label="settings tried"),
        # a weight each, and two per unit for the leak
        Score("multiply_adds", weights + 2 * n_units, label="multiply-adds per sample"),
        Score("readout_multiply_adds", n_units * outputs, label="those of the readout"),
    ]
    told += [
        Score(f"esn_{key}", value, label=f"{key} of the echo-state network".replace("_", " "))
        for key, value in settings_of(found.params).items()
    ]
    return [row | {score.name: score for score in told}]
