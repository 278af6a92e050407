"""The contract from what is shown to a score: trials, targets, a fitted readout, scores.

A task is one file with a subclass of `RunTask`, whose trials follow each other as they are given,
or of `TrialsTask`, whose trials are independent and shown side by side; `evaluation` knows nothing
else of it. The way of a spike to a score: `evaluation` shows the trials and records states, the
task fits readouts to them and gives `Score`s, which become columns of a row.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import Score
from hrsnn_brian.files.shown import Shown
from hrsnn_brian.network.network import Network
from hrsnn_brian.readout.products import Products
from hrsnn_brian.simulation.drive import FloatArray, LinearReadout

Projection = Callable[[Network, FloatArray], FloatArray]
"""Of a network, as shown, and trials (R, K, D): what neurons get beside their bias, (R, K, N)."""

Watch = Callable[[str, int, int], None]
"""Called with what is at work, how much of it is done, and how much there is."""


def unwatched(what: str, done: int, total: int) -> None:
    """Progress nobody wants to hear of."""


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
    closed_loop: the run that is to be scored as well, None if the task asks for none. products:
    what made the block of that name, None if there is none.
    """

    weights: Mapping[str, FloatArray]
    rows: slice | NDArray[np.int_]
    scores: tuple[Score, ...]
    closed_loop: ClosedLoop | None = field(default=None, kw_only=True)
    products: Products | None = field(default=None, kw_only=True)


class Predictor(ABC):
    """A fitted readout with all a task knew of its data: it predicts new data from their states.

    kind: what a file calls it.
    """

    kind: ClassVar[str]

    @abstractmethod
    def saved(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Everything it is: values for JSON, and arrays by name."""

    @classmethod
    @abstractmethod
    def from_saved(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """That of `saved`. Raises KeyError, ValueError, TypeError or InputError if it is none."""


class Task(Shown, ABC):
    """What a network is put to; its kinds are `RunTask` and `TrialsTask`.

    name: its column value. description: one line. remarks: what a reader of its scores must know.
    step: what one sample is. readouts: what they may see, the primary one first. shown_with:
    parameters that replace the network's while the task is shown (`sample`, `traces`, `gain`); its
    file stays as it is.
    """

    name: str
    description: str
    step: str
    remarks: tuple[str, ...] = ()
    readouts: tuple[str, ...]
    shown_with: Mapping[str, Any] = MappingProxyType({})

    def facts(self) -> dict[str, Any]:
        """Its name, what it is and what readouts may see."""
        told = {"task": self.name, "what": self.description, "a sample is": self.step}
        return told | {"readouts": ", ".join(self.readouts)}

    @abstractmethod
    def extent(self) -> str:
        """How much there is of it, in words."""

    def baselines(self) -> dict[str, tuple[Score, ...]]:
        """Scores without a network, by name of the model: the same ones as of a readout."""
        return {}

    def predictor(self, readout: str, fitted: "Fitted") -> "Predictor":
        """What predicts new data with that readout, and can be saved.

        Raises InputError if the task's readouts cannot be.
        """
        raise InputError("task", self.name, "has no readouts that can be saved")

    def training_trials(self) -> Sequence[Trial]:
        """What a network may be shown before a readout is fitted: nothing of the test block.

        Raises InputError if the task has no such trials.
        """
        raise InputError("task", self.name, "has no trials to train a network on")


class RunTask(Task):
    """A task whose trials follow each other, such as forecasting; all states are kept."""

    # Both see the present input u. Of the network the primary one sees spikes alone; with v, a
    # subtractive reset lets it see the low-passed input itself, past the spikes.
    readouts = ("spikes", "spikes+v")

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

    def fits(
        self, states: Mapping[str, FloatArray], selections: Sequence[Sequence[str]]
    ) -> list[Fitted]:
        """A readout of each selection of blocks; a task may share what they have in common."""
        return [self.fit({name: states[name] for name in names}) for names in selections]

    @property
    def n_samples(self) -> int:
        """Samples of all trials."""
        return sum(len(trial.inputs) for trial in self.trials())

    def extent(self) -> str:
        return f"{self.n_samples} samples"


class Learner(ABC):
    """Takes the states of independent trials as they come, and fits readouts to them.

    Used in a `with`: what it put aside is gone at the end.
    """

    @abstractmethod
    def add(self, states: Mapping[str, FloatArray]) -> None:
        """States of the next trials: recorded name -> (trials, samples kept, N)."""

    @abstractmethod
    def fitted(self, readout: str) -> Fitted:
        """One of the task's readouts, once the states of all trials were added."""

    @abstractmethod
    def importance(self, readout: str) -> FloatArray:
        """Size (N,) of each neuron's part in that readout, see `TaskProbe.readout_weight`."""

    @abstractmethod
    def close(self) -> None:
        """Puts away what was put aside."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


TRAINING_TRIALS = 1000  # that a network is trained on before the readout [our choice]


class TrialsTask(Task):
    """A task of independent trials, each from the reset state, shown side by side.

    at: numbers of the samples of a trial after which states are kept, increasing.
    n_train, n_test: trials; those a readout is fitted to are shown first. control_readouts: those
    of the readouts that networks without recurrence have, too. currents: a network with the
    parameters of `shown_with`, trials (R, K, D) -> (R, K, N) what neurons get beside their bias;
    None: what the encoder makes of the trials.
    """

    at: tuple[int, ...]
    n_train: int
    n_test: int
    control_readouts: tuple[str, ...]
    currents: Projection | None = None

    def prepare(self, watch: Watch) -> None:
        """Does what takes long before anything can be shown."""

    @abstractmethod
    def batches(self, stop: int | None = None) -> Iterator[FloatArray]:
        """What is shown: chunks (R, samples, D) of any R, all training trials, then all test ones.

        stop: only so many trials.
        """

    @abstractmethod
    def learner(self, readouts: Sequence[str]) -> Learner:
        """What takes the states of all trials, in the order of `batches`, for these readouts."""

    def training_trials(self) -> Sequence[Trial]:
        """The first of the training trials, one after the other without a reset."""
        n = min(self.n_train, TRAINING_TRIALS)
        return [Trial(x, reset=False) for chunk in self.batches(n) for x in chunk]

    def extent(self) -> str:
        return f"{self.n_train} training and {self.n_test} test trials"
