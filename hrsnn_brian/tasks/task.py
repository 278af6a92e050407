"""The contract from what is shown to a score: trials, targets, a fitted readout, scores.

A task is one file with a subclass of `Task`; `evaluation.evaluate` knows nothing else of it. The
way of a spike to a score: `evaluation.evaluate` shows the trials and records states, `Task.fit`
fits a readout to them and gives `Score`s, which become columns of a row.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import Score
from hrsnn_brian.simulation.drive import FloatArray, LinearReadout


@dataclass(frozen=True, eq=False)
class Trial:
    """What is shown in one stretch: inputs (samples, D), z-scored.

    reset: whether the network is put back into its initial state before; else it goes on from
        where the trial before left it.
    """

    inputs: FloatArray
    reset: bool = True


@dataclass(frozen=True, eq=False)
class ClosedLoop:
    """A run on its own predictions that a task asks for.

    teacher (K, D): inputs; free (K,): where the prediction of `readout` takes their place.
    score: the inputs that were shown in it, (K, D) -> scores.
    """

    teacher: FloatArray
    free: NDArray[np.bool_]
    readout: LinearReadout
    score: Callable[[FloatArray], tuple[Score, ...]]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A readout fitted to recorded states.

    weights: name of a block of states -> (features, outputs). rows: the rows of the states it was
    fitted to; no other may decide a number of it. scores: of its outputs for the rows held back.
    closed_loop: the run that is to be scored as well, None if the task asks for none.
    """

    weights: Mapping[str, FloatArray]
    rows: slice | NDArray[np.int_]
    scores: tuple[Score, ...]
    closed_loop: ClosedLoop | None = field(default=None, kw_only=True)


class Task(ABC):
    """What a network is put to.

    name: its column value. description: one line. remarks: what a reader of its scores must know.
    step: what one sample is.
    """

    name: str
    description: str
    step: str
    remarks: tuple[str, ...]

    @abstractmethod
    def trials(self) -> Sequence[Trial]:
        """What is shown, in order. The first trial begins in the initial state."""

    @abstractmethod
    def targets(self) -> FloatArray:
        """What a readout is to give, (rows, outputs); NaN where nothing is asked."""

    @abstractmethod
    def fit(self, states: Mapping[str, FloatArray]) -> Fitted:
        """A readout fitted to `states`: name of a block -> (samples of all trials, features).

        Row t is the state after sample t was shown. The present input is the task's to add.
        """

    def baselines(self) -> dict[str, tuple[Score, ...]]:
        """Scores without a network, by name of the model: the same ones as of `fit`."""
        return {}

    def training_trials(self) -> Sequence[Trial]:
        """What a network may be shown before a readout is fitted: nothing of the test block.

        Raises InputError if the task has no such trials.
        """
        raise InputError("task", self.name, "has no trials to train a network on")

    @property
    def n_samples(self) -> int:
        """Samples of all trials."""
        return sum(len(trial.inputs) for trial in self.trials())
