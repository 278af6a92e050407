"""Readouts of independent trials with a label each: what they see, how they are fitted, scored."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.files.score import HIGHER, Score
from hrsnn_brian.readout.held_out import ERROR_RATE, RULES, Selection
from hrsnn_brian.readout.linear import RidgeReadout, linear_map
from hrsnn_brian.readout.logistic import LogisticReadout, fit_logistic
from hrsnn_brian.readout.ridge import fit_selections
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.row_store import RowStore
from hrsnn_brian.tasks.task import Fitted, Learner

SPIKES, LAST = "spikes", "spikes, last state"
WITH_V, WITH_FEATURES = "spikes+v", "spikes+features"
LOGISTIC = ", logistic"
FEATURES = "features"


class Labelled(Protocol):
    """What is asked of a task; see `ClassificationTask`."""

    y_train: NDArray[np.int_]
    y_test: NDArray[np.int_]
    classes: tuple[str, ...]
    at: tuple[int, ...]
    validation: int

    @property
    def fit_rows(self) -> range: ...
    @property
    def held_rows(self) -> range: ...
    @property
    def test_rows(self) -> range: ...
    @property
    def targets(self) -> FloatArray: ...
    def parts(self) -> Iterator[range]: ...
    def features(self, rows: range) -> NDArray: ...
    def plain(self, rows: range) -> dict[str, NDArray]: ...


@dataclass(frozen=True, eq=False)
class Classified(Fitted):
    """A fitted classifier. predicted (n_test,): the classes of the test trials.

    confusion (classes, classes): test trials by true class (rows) and predicted class. intercept:
    (classes,); `weights` are per class and in raw units, the largest output decides.
    """

    intercept: FloatArray
    predicted: NDArray[np.int_]
    confusion: NDArray[np.int_]
    classes: tuple[str, ...]


class Classifier(Learner):
    """Puts the states of all trials on disk, block by block, and fits each readout to its blocks.

    A block is a state after one snapshot: "trace_30ms, 4 shown" are the 30 ms traces after the
    fourth sample.
    """

    def __init__(self, task: Labelled, readouts: Sequence[str]) -> None:
        self.task, self.at = task, task.at
        self.seen = {readout.removesuffix(LOGISTIC) for readout in readouts}
        self._plain = [readout for readout in readouts if not readout.endswith(LOGISTIC)]
        self.store = RowStore(task.test_rows.stop)
        if WITH_FEATURES in self.seen:
            for rows in task.parts():
                self.store.append({FEATURES: task.features(rows)})

    def add(self, states: Mapping[str, FloatArray]) -> None:
        self.store.append(
            {
                block_name(name, self.at[k]): values[:, k]
                for name, values in states.items()
                for k in range(len(self.at))
                if name != "v" or (WITH_V in self.seen and k == len(self.at) - 1)
            }
        )

    def fitted(self, readout: str) -> Classified:
        if readout.endswith(LOGISTIC):
            names = self._blocks(readout.removesuffix(LOGISTIC))
            return _classified(self.task, self.store, _logistic(self.task, self.store, names))
        return _classified(self.task, self.store, self._ridges[readout])

    @cached_property
    def _ridges(self) -> dict[str, RidgeReadout]:
        """All ridge readouts, fitted together for what they share."""
        names = [self._blocks(readout) for readout in self._plain]
        return dict(zip(self._plain, _ridge(self.task, self.store, names), strict=True))

    def importance(self, readout: str) -> FloatArray:
        fitted = self.fitted(readout)
        names = [name for name in fitted.weights if name != FEATURES]
        power = 0.0
        for name in names:
            total = square = 0.0
            for _, rows in self.store.chunks([name], range(self.task.held_rows.stop)):
                total = total + rows[name].sum(axis=0)
                square = square + (rows[name] ** 2).sum(axis=0)
            mean = total / self.task.held_rows.stop
            variance = np.maximum(square / self.task.held_rows.stop - mean**2, 0.0)
            power = power + (fitted.weights[name] ** 2).sum(axis=1) * variance
        return np.sqrt(power)

    def close(self) -> None:
        self.store.close()

    def _blocks(self, seen: str) -> list[str]:
        """The names of the blocks a readout sees; potentials only after the last sample."""
        last = self.at[-1]
        states = [name for name in self.store.widths if name != FEATURES]
        spikes = [name for name in states if not name.startswith("v,")]
        return {
            SPIKES: spikes,
            LAST: [name for name in spikes if name.endswith(block_name("", last))],
            WITH_V: states,
            WITH_FEATURES: [*spikes, FEATURES],
        }[seen]


def confusion_of(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int
) -> NDArray[np.int_]:
    """Counts by true (rows) and predicted class, (classes, classes)."""
    confusion = np.zeros((classes, classes), dtype=int)
    np.add.at(confusion, (truth, predicted), 1)
    return confusion


def accuracy_scores(confusion: NDArray[np.int_]) -> tuple[Score, Score]:
    """Accuracy, and its mean over the classes there are."""
    of_class = confusion.sum(axis=1)
    recall = confusion.diagonal()[of_class > 0] / of_class[of_class > 0]
    return (
        Score(
            "accuracy",
            float(confusion.trace() / confusion.sum()),
            better=HIGHER,
            label="accuracy",
            primary=True,
        ),
        Score(
            "balanced_accuracy",
            float(recall.mean()),
            better=HIGHER,
            label="mean accuracy of a class",
            minor=True,
        ),
    )


def plain_scores(task: Labelled) -> dict[str, tuple[Score, ...]]:
    """Scores of a ridge classifier on what the trials are themselves, by name of the control."""
    with closing(RowStore(task.test_rows.stop)) as store:
        for rows in task.parts():
            store.append(task.plain(rows))
        return {
            name: _classified(task, store, _ridge(task, store, [[name]])[0]).scores
            for name in store.widths
        }


def block_name(name: str, sample: int) -> str:
    """What the states after a sample are called, from 0."""
    return f"{name}, {sample + 1} shown"


def _ridge(task: Labelled, store: RowStore, names: Sequence[Sequence[str]]) -> list[RidgeReadout]:
    """Of each selection of blocks one, with one output per class and one penalty for all, chosen
    by the errors on the held rows."""
    blocks = dict.fromkeys(name for some in names for name in some)
    rows = store.mapped(blocks, range(task.held_rows.stop))
    selection = Selection(rules=RULES[:1], loss=ERROR_RATE)
    fitted = fit_selections(rows, task.targets, task.validation, names, selection)
    return [readout for (readout,) in fitted]


def _logistic(task: Labelled, store: RowStore, names: Sequence[str]) -> LogisticReadout:
    rows = store.mapped(names, range(task.held_rows.stop))
    return fit_logistic(rows, task.y_train, task.validation, len(task.classes))


def _classified(
    task: Labelled, store: RowStore, readout: RidgeReadout | LogisticReadout
) -> Classified:
    """The readout with what it makes of the test trials."""
    outputs = [
        linear_map(readout.coefficients, readout.intercept, blocks)
        for _, blocks in store.chunks(readout.coefficients, task.test_rows)
    ]
    predicted = np.argmax(np.concatenate(outputs), axis=1)
    confusion = confusion_of(task.y_test, predicted, len(task.classes))
    scores = (
        *accuracy_scores(confusion),
        Score(
            "validation_accuracy",
            1.0 - float(readout.validation_error_rate or 0.0),
            label="accuracy on the training trials that chose the penalty",
        ),
        Score("alpha", float(np.max(readout.alpha)), label="largest ridge penalty per row chosen"),
        Score(
            "alpha_at_edge",
            int(np.any(readout.at_edge)),
            label="whether one is at the grid's end",
        ),
    )
    return Classified(
        weights=readout.coefficients,
        rows=slice(0, task.held_rows.stop),
        scores=scores,
        intercept=readout.intercept,
        predicted=predicted,
        confusion=confusion,
        classes=task.classes,
    )
