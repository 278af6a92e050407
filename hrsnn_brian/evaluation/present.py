"""The trials of a task shown to a network: one after the other, or many side by side.

Of a `RunTask`, stretches without a reset between them are one run; a `TrialsTask` is a batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.settings.reader import read
from hrsnn_brian.simulation import (
    Drive,
    Engine,
    Presentation,
    Recorded,
    States,
    simulate,
    simulate_batch,
)
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.task import Learner, RunTask, Task, Trial, TrialsTask

Currents = Callable[[FloatArray], FloatArray]
"""Trials (R, K, D) -> (R, K, N), what each neuron gets in place of what the encoder makes."""


@dataclass(frozen=True)
class Activity:
    """What a network did while a task was shown. spike_count: (N,); seconds: biological time."""

    spike_count: NDArray[np.integer]
    seconds: float

    @property
    def rate_hz(self) -> float:
        """Mean firing rate over neurons."""
        return float(self.spike_count.mean() / self.seconds)


@dataclass(frozen=True)
class Presented(Activity):
    """The same of a run, with its states: per recorded name an array (samples of all trials, N),
    row t the state after sample t.
    """

    states: dict[str, FloatArray]


@dataclass(frozen=True)
class Show:
    """How trials are shown. learner: gets the states of each in order. currents: trials (R, K, D)
    -> (R, K, N) that neurons get in place of what the task or the encoder makes of them. stop:
    only so many trials. watch: called with the number of trials shown so far.
    """

    learner: Learner | None = None
    currents: Currents | None = None
    stop: int | None = None
    watch: Callable[[int], None] = lambda shown: None


def as_shown(network: Network, task: Task) -> Network:
    """The network with the parameters a task asks for in `shown_with`.

    Raises InputError if they do not fit, such as a sample that is no whole number of time steps.
    """
    if not task.shown_with:
        return network
    params = read(HRSNNParams, network.params.to_dict(), task.shown_with)
    return replace(network, params=params)


def present(
    engine: Engine,
    network: Network,
    task: RunTask,
    seed: int,
    *,
    currents: Currents | None = None,
    record_states: States = True,
) -> Presented:
    """Shows the trials of a task; `seed` is the root of initial state and encoder noise.

    currents: what neurons get, if not from the encoder. record_states: as in `Drive`.

    A reset begins a new run of that same root: it puts back the very state, and the noise of the
    encoder, that the first trial began with.
    """
    network = as_shown(network, task)
    drives = (drive_of(inputs, currents, seed, record_states) for inputs in runs(task.trials()))
    return present_runs(engine, network, drives)


def present_runs(engine: Engine, network: Network, drives: Iterable[Drive]) -> Presented:
    """The same of runs by their drives, to a network with its parameters."""
    recordings = [simulate(engine, network, drive) for drive in drives]
    first, *others = recordings
    if not others:  # its states are not copied
        return Presented(first.spike_count, first.seconds, first.states)
    return Presented(
        np.sum([r.spike_count for r in recordings], axis=0),
        sum(r.seconds for r in recordings),
        Recorded((n, np.concatenate([r.states[n] for r in recordings])) for n in first.states),
    )


def drive_of(
    inputs: FloatArray, currents: Currents | None, seed: int, record_states: States
) -> Drive:
    """The drive of a run of inputs (K, D), through the encoder or as currents."""
    if currents is None:
        return Drive(inputs, seed=seed, record_states=record_states)
    return Drive(currents(inputs[None])[0], direct=True, seed=seed, record_states=record_states)


def present_trials(
    engine: Engine,
    network: Network,
    task: TrialsTask,
    seed: int,
    show: Show | None = None,
) -> Activity:
    """Shows independent trials side by side; `seed` is that of `Presentation`."""
    show = show or Show()
    network = as_shown(network, task)
    currents = show.currents
    if currents is None and task.currents is not None:
        currents = partial(task.currents, network)
    how = Presentation(at=task.at, seed=seed, direct=currents is not None)
    batches = task.batches(show.stop)
    if currents is not None:
        batches = map(currents, batches)
    count, seconds = np.zeros(network.n_neurons, dtype=np.int64), 0.0
    for chunk in simulate_batch(engine, network, batches, how):
        if show.learner is not None:
            show.learner.add(chunk.states)
        count += chunk.spike_count.sum(axis=0)
        seconds = chunk.seconds * chunk.trials.stop
        show.watch(chunk.trials.stop)
    return Activity(count, seconds)


def activity(engine: Engine, network: Network, task: Task, seed: int) -> Activity:
    """What a network does while a task is shown to it."""
    if isinstance(task, TrialsTask):
        return present_trials(engine, network, task, seed)
    assert isinstance(task, RunTask)
    return present(engine, network, task, seed, record_states=False)


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
