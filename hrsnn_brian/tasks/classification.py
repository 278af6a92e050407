"""Classification as a task: independent trials, a label each, ridge and logistic readouts."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import Score
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.class_predictor import ClassPredictor
from hrsnn_brian.tasks.classifier import (
    LAST,
    LOGISTIC,
    SPIKES,
    WITH_V,
    Classified,
    Classifier,
    plain_scores,
)
from hrsnn_brian.tasks.task import Fitted, TrialsTask

CHUNK = 256  # trials that are made at a time


class ClassificationTask(TrialsTask):
    """Trials (n, samples, D), z-scored, and the label of each; the score is accuracy.

    y_train, y_test: whole numbers from 0, or names. at: samples after which states are kept, by
    default after every quarter of a trial. validation: the last training trials, which choose the
    penalties and are fitted to afterwards; a fifth of them unless given, at most 2000.

    A subclass may make trials when they are asked for (`shown`) and say what a linear readout
    without a network sees (`plain`); it calls `set_up` in place of this constructor then, and has
    its own `at`.

    Raises InputError for arrays that do not fit each other, fewer than two classes, a label that
    no training trial has, a `validation` that leaves nothing to fit.
    """

    readouts: tuple[str, ...] = (SPIKES, LAST, WITH_V, SPIKES + LOGISTIC)
    control_readouts: tuple[str, ...] = (SPIKES, LAST)
    description = "independent trials, each with a label"
    step = "1 sample"

    def __init__(
        self,
        name: str,
        x_train: ArrayLike,
        y_train: ArrayLike,
        x_test: ArrayLike,
        y_test: ArrayLike,
        *,
        at: Sequence[int] | None = None,
        validation: int | None = None,
    ) -> None:
        self.name = name
        train, test = _trials("x_train", x_train), _trials("x_test", x_test)
        if test.shape[1:] != train.shape[1:]:
            raise InputError("x_test", test.shape, f"must have trials of shape {train.shape[1:]}")
        self._trials = {"train": train, "test": test}
        quarters = {train.shape[1] * k // 4 - 1 for k in (1, 2, 3, 4)} - {-1}
        self.at = tuple(sorted(quarters) if at is None else at)
        self.set_up(y_train, y_test, validation)
        for part, labels in (("train", self.n_train), ("test", self.n_test)):
            if len(self._trials[part]) != labels:
                allowed = f"must be {len(self._trials[part])}, one for each trial"
                raise InputError(f"y_{part}", f"{labels} labels", allowed)

    def set_up(self, y_train: ArrayLike, y_test: ArrayLike, validation: int | None = None) -> None:
        """Labels and hold-out; the name of the task is there already, for errors."""
        train, test = np.asarray(y_train), np.asarray(y_test)
        for name, labels in (("y_train", train), ("y_test", test)):
            if labels.ndim != 1 or not labels.size:
                raise InputError(name, labels.shape, "must be one label for each trial")
        names, self.y_train = np.unique(train, return_inverse=True)
        if len(names) < 2:
            raise InputError("y_train", str(names[0]), f"is the only class of {self.name}")
        place = np.minimum(np.searchsorted(names, test), len(names) - 1)
        unknown = names[place] != test
        if unknown.any():
            allowed = f"is the label of no training trial of {self.name}"
            raise InputError("y_test", str(test[unknown][0]), allowed)
        self.y_test = place
        self.classes = tuple(map(str, names))
        self.n_train, self.n_test = len(train), len(test)
        usual = min(max(1, self.n_train // 5), 2000)
        self.validation = usual if validation is None else validation
        if not 1 <= self.validation <= self.n_train - 2:
            allowed = f"must be from 1 to {self.n_train - 2} for {self.n_train} training trials"
            raise InputError("validation", self.validation, allowed)

    @property
    def fit_rows(self) -> range:
        """Trials that are fitted to before the penalty is chosen."""
        return range(self.n_train - self.validation)

    @property
    def held_rows(self) -> range:
        """Trials that choose the penalty, the last ones of the training trials."""
        return range(self.n_train - self.validation, self.n_train)

    @property
    def test_rows(self) -> range:
        """Trials that are scored; they follow the training trials."""
        return range(self.n_train, self.n_train + self.n_test)

    @property
    def targets(self) -> FloatArray:
        """Of the training trials, (n_train, classes): 1 for the class, else 0."""
        return np.eye(len(self.classes))[self.y_train]

    def shown(self, rows: range) -> FloatArray:
        """Trials (R, samples, D) by their numbers, all training or all test ones."""
        part, where = self.within(rows)
        return self._trials[part][where]

    def plain(self, rows: range) -> dict[str, NDArray]:
        """What a linear readout without a network may see: name of the control -> (R, features)."""
        return {"linear on inputs": self.shown(rows).reshape(len(rows), -1)}

    def features(self, rows: range) -> NDArray:
        """What `spikes+features` sees beside the spikes, (R, features)."""
        return next(iter(self.plain(rows).values()))

    def parts(self, stop: int | None = None) -> Iterator[range]:
        """Numbers of the trials in the order they are shown, some at a time."""
        for rows in (range(self.n_train), self.test_rows):
            last = rows.stop if stop is None else min(stop, rows.stop)
            for start in range(rows.start, last, CHUNK):
                yield range(start, min(start + CHUNK, last))

    def batches(self, stop: int | None = None) -> Iterator[FloatArray]:
        """The trials of `shown`, training ones first."""
        return map(self.shown, self.parts(stop))

    def predictor(self, readout: str, fitted: Fitted) -> ClassPredictor:
        """Of the classes of new trials (n, samples, D), z-scored as these are.

        Raises InputError if the task makes currents of its trials, by code that no file can hold.
        """
        if self.currents is not None:
            raise InputError("task", self.name, "has its own way into a network: it is not saved")
        return self.unprojected(readout, fitted)

    def unprojected(self, readout: str, fitted: Fitted) -> ClassPredictor:
        """The same, whatever way trials have into a network."""
        assert isinstance(fitted, Classified)
        shape = self.shown(self.test_rows[:1]).shape[1:]
        return ClassPredictor(
            self.at, shape, readout, fitted.classes, fitted.weights, fitted.intercept
        )

    def learner(self, readouts: Sequence[str]) -> "Classifier":
        """See `Classifier`."""
        return Classifier(self, readouts)

    def baselines(self) -> dict[str, tuple[Score, ...]]:
        """A ridge classifier on each of `plain`, fitted and scored like those on states."""
        return plain_scores(self)

    def within(self, rows: range) -> tuple[str, slice]:
        """ "train" or "test", and where these trials lie in it."""
        first = 0 if rows.stop <= self.n_train else self.n_train
        return ("test" if first else "train"), slice(rows.start - first, rows.stop - first)


def _trials(name: str, given: ArrayLike) -> FloatArray:
    trials = np.asarray(given, dtype=float)
    if trials.ndim != 3 or not trials.size or not np.isfinite(trials).all():
        raise InputError(name, trials.shape, "must be finite (trials, samples, columns) numbers")
    return trials
