"""Predictions that feed themselves, step by step: what a score of them is made of."""

from dataclasses import dataclass

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import readout_blocks
from hrsnn_brian.evaluation.present import present
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.closed_loop import closed_loop_schedule, valid_prediction_times
from hrsnn_brian.tasks.split_series import SplitSeries
from hrsnn_brian.tasks.task import RunTask


@dataclass(frozen=True, eq=False)
class FreeRun:
    """The free runs of a task's protocol.

    predicted: (S, steps, D), in training standard deviations; starts: (S,) where in `task.truth`
    each begins; valid: (S,) valid prediction times, in `unit`, of `steps_per_unit` steps.
    """

    predicted: FloatArray
    starts: np.ndarray
    valid: FloatArray
    unit: str
    steps_per_unit: float

    @property
    def steps(self) -> int:
        """Of each run."""
        return self.predicted.shape[1]


def free_run(
    network: Network, task: RunTask, engine: Engine, seed: int, readout: str = "spikes"
) -> FreeRun:
    """The runs that `evaluate` scores as valid prediction times, themselves.

    Raises InputError if the task has no closed loop.
    """
    if not isinstance(task, SplitSeries) or task.vpt is None:
        raise InputError("task", task.name, "has no closed loop")
    shown = present(engine, network, task, seed)
    fitted = task.fit(readout_blocks(shown, readout))
    loop, schedule = fitted.closed_loop, closed_loop_schedule(task)
    assert loop is not None  # the task has one
    drive = Drive(
        loop.teacher, free=loop.free, readout=loop.readout, seed=seed, record_states=False
    )
    recording = simulate(engine, network, drive)
    assert recording.u is not None  # a closed loop has channels
    predicted = recording.u[schedule.free]
    return FreeRun(
        predicted.reshape(len(schedule.starts), schedule.max_steps, -1),
        schedule.starts,
        valid_prediction_times(task, schedule, recording.u),
        task.vpt.unit,
        task.vpt.steps_per_unit,
    )
