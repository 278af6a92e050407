"""The trials of a task shown to a network: stretches without a reset between them are one run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.task import Task, Trial


@dataclass(frozen=True)
class Presented:
    """What all trials left behind.

    states: per recorded name an array (samples of all trials, N), row t the state after sample t.
    spike_count: (N,); seconds: biological time.
    """

    states: dict[str, FloatArray]
    spike_count: NDArray[np.int32]
    seconds: float


def present(
    engine: Engine, network: Network, task: Task, seed: int, *, record_states: bool = True
) -> Presented:
    """Shows the trials of a task; `seed` is the root of initial state and encoder noise.

    A reset begins a new run of that same root: it puts back the very state, and the noise of the
    encoder, that the first trial began with.
    """
    recordings = [
        simulate(engine, network, Drive(inputs, seed=seed, record_states=record_states))
        for inputs in runs(task.trials())
    ]
    first, *others = recordings
    if not others:  # its states are not copied
        return Presented(first.states, first.spike_count, first.seconds)
    return Presented(
        {name: np.concatenate([r.states[name] for r in recordings]) for name in first.states},
        np.sum([r.spike_count for r in recordings], axis=0),
        sum(r.seconds for r in recordings),
    )


def runs(trials: Sequence[Trial]) -> Iterator[FloatArray]:
    """The inputs of each run: those of a trial and of the following ones without a reset."""
    run: list[FloatArray] = []
    for trial in trials:
        if trial.reset and run:
            yield np.concatenate(run)
            run = []
        run.append(trial.inputs)
    if run:
        yield run[0] if len(run) == 1 else np.concatenate(run)
