"""Classes of new trials by a readout that was fitted to others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.score import Score
from hrsnn_brian.readout.linear import linear_map
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.classifier import (
    FEATURES,
    LOGISTIC,
    accuracy_scores,
    block_name,
    confusion_of,
)
from hrsnn_brian.tasks.task import Predictor, Projection

CHUNK = 256  # trials that are made at a time


@dataclass(frozen=True, eq=False)
class NewTrials:
    """What is to be classified: x (n, ...) as the predictor takes it, and, where they are known,
    the name of the class of each, (n,)."""

    x: NDArray[Any]
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class ClassPrediction:
    """The class of each trial, (n,), and how sure the readout is of it.

    certainty (n,): the probability of a logistic readout; else the margin, by which the largest
    output is larger than the next, 1 for a clear case. scores: accuracy, where labels are known; a
    class that no training trial had is never predicted.
    """

    predicted: tuple[str, ...]
    certainty: FloatArray
    measure: str
    labels: tuple[str, ...] | None
    scores: tuple[Score, ...]
    remarks: tuple[str, ...] = ()

    @property
    def scored(self) -> int:
        """Trials with a label."""
        return len(self.labels or ())

    def table(self) -> list[dict[str, Any]]:
        """One row for each trial."""
        rows = [
            {"trial": k, "class": name, self.measure: float(value)}
            for k, (name, value) in enumerate(zip(self.predicted, self.certainty, strict=True))
        ]
        for row, label in zip(rows, self.labels or (), strict=False):
            row["label"] = label
        return rows

    def columns(self) -> list[Column]:
        """What the columns of `table` mean."""
        return [
            Column("trial", "number of the trial or image, from 0", "1", role="identity"),
            Column("class", "predicted class", role="note"),
            Column("probability", "of the class, as the readout has it", "1"),
            Column("margin", "largest output less the next", "1"),
            Column("label", "true class", role="note"),
        ]


@dataclass(frozen=True, eq=False)
class ClassPredictor(Predictor):
    """A readout of the states after the samples `at`; trials are (n, samples, D) as `shape` says.

    coefficients: block -> (features, classes), intercept: (classes,); see `Classified`.
    """

    kind: ClassVar[str] = "classes"

    at: tuple[int, ...]
    shape: tuple[int, ...]
    readout: str
    classes: tuple[str, ...]
    coefficients: Mapping[str, FloatArray]
    intercept: FloatArray

    def __post_init__(self) -> None:
        if self.intercept.shape != (len(self.classes),):
            raise ValueError("its readout has not one output for each class")
        for part in (self.intercept, *self.coefficients.values()):
            if part.shape[-1:] != self.intercept.shape or not np.isfinite(part).all():
                raise ValueError("its readout is not finite, or of other classes")

    def read(self, path: str | Path) -> NewTrials:
        """Trials in a file; see `ImagePredictor.read`."""
        raise InputError("data", str(path), "of this model are given as an array, in Python")

    def taken(self, data: NewTrials | ArrayLike) -> NewTrials:
        """Trials of the right shape. Raises InputError for others, or what is not finite."""
        given = data if isinstance(data, NewTrials) else NewTrials(np.asarray(data))
        x = np.asarray(given.x, dtype=float)
        if x.ndim != 3 or not len(x) or x.shape[1:] != self.shape:
            allowed = f"must be (trials, {', '.join(map(str, self.shape))})"
            raise InputError("data", f"array of shape {x.shape}", allowed)
        if not np.isfinite(x).all():
            raise InputError("data", "nan or inf", "must be finite")
        return NewTrials(x, given.labels)

    def inputs(self, x: NDArray[Any]) -> FloatArray:
        """What a network is shown of some of `taken`, (R, samples, D)."""
        return x

    @property
    def currents(self) -> Projection | None:
        """As of `TrialsTask`."""
        return None

    def batches(self, trials: NewTrials, seen: list[FloatArray]) -> Iterator[FloatArray]:
        """What is shown, chunk by chunk; `seen` gets the same, if the readout sees it, too."""
        for start in range(0, len(trials.x), CHUNK):
            shown = self.inputs(trials.x[start : start + CHUNK])
            if FEATURES in self.coefficients:
                seen.append(shown.reshape(len(shown), -1))
            yield shown

    def outputs(self, states: Mapping[str, FloatArray], features: FloatArray | None) -> FloatArray:
        """What the readout makes of states (R, samples kept, N) and features, (R, classes)."""
        blocks = {
            block_name(name, sample): values[:, k]
            for name, values in states.items()
            for k, sample in enumerate(self.at)
        }
        if features is not None:
            blocks[FEATURES] = features
        return linear_map(self.coefficients, self.intercept, blocks)

    def predict(self, trials: NewTrials, outputs: FloatArray) -> ClassPrediction:
        """The classes by `outputs` of all trials."""
        best = outputs.argmax(axis=1)
        ordered = np.sort(outputs, axis=1)
        measure, certainty = "margin", ordered[:, -1] - ordered[:, -2]
        if self.readout.endswith(LOGISTIC):
            measure, certainty = "probability", 1 / np.exp(outputs - ordered[:, -1:]).sum(axis=1)
        return ClassPrediction(
            tuple(self.classes[k] for k in best),
            certainty,
            measure,
            trials.labels,
            self._scores(trials.labels, best),
        )

    def _scores(
        self, labels: Sequence[str] | None, predicted: NDArray[np.integer]
    ) -> tuple[Score, ...]:
        if labels is None:
            return ()
        every = [*self.classes, *sorted({*labels} - {*self.classes})]
        truth = np.array([every.index(label) for label in labels])
        return accuracy_scores(confusion_of(truth, predicted, len(every)))

    def saved(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        values = {name: getattr(self, name) for name in ("at", "shape", "readout", "classes")}
        arrays = {f"weights/{name}": w for name, w in self.coefficients.items()}
        return values | {"blocks": list(self.coefficients)}, arrays | {"intercept": self.intercept}

    @classmethod
    def from_saved(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(**parts_of(values, arrays))


def parts_of(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """The fields of a `ClassPredictor` from what it saved."""
    return {
        "at": tuple(map(int, values["at"])),
        "shape": tuple(map(int, values["shape"])),
        "readout": str(values["readout"]),
        "classes": tuple(map(str, values["classes"])),
        "coefficients": {name: arrays[f"weights/{name}"] for name in values["blocks"]},
        "intercept": arrays["intercept"],
    }
