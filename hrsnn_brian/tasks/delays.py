"""Readouts of delayed inputs: linear autoregression, and with products of pairs NG-RC."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.held_out import noiseless
from hrsnn_brian.readout.ridge import RidgeReadout, fit_ridge
from hrsnn_brian.tasks.segments import Rows, shifted
from hrsnn_brian.tasks.split_series import SplitSeries

Blocks = dict[str, np.ndarray]


@dataclass(frozen=True)
class Delays:
    """What a model sees: `taps` samples, `skip` apart, the newest first.

    quadratic: also the product of every two of their values, squares among them.
    """

    taps: int
    skip: int = 1
    quadratic: bool = False

    @property
    def reach(self) -> int:
        """Samples from the oldest tap to the newest, both counted."""
        return (self.taps - 1) * self.skip + 1

    def n_features(self, variables: int) -> int:
        """How many numbers it makes of a sample of so many variables."""
        n = self.taps * variables
        return n + self.quadratic * n * (n + 1) // 2

    def of_rows(self, shown: np.ndarray, rows: Rows) -> Blocks:
        """The features of the given rows of a series (T, D), by block, (rows, features)."""
        lagged = [shown[shifted(rows, -k * self.skip)] for k in range(self.taps)]
        return self._blocks(np.hstack(lagged))

    def of_recent(self, recent: np.ndarray) -> Blocks:
        """The features after the recent samples (starts, samples, D), the oldest first."""
        newest_first = recent[:, :: -self.skip][:, : self.taps]
        return self._blocks(newest_first.reshape(len(recent), -1))

    def _blocks(self, lagged: np.ndarray) -> Blocks:
        if not self.quadratic:
            return {"lags": lagged}
        first, second = np.triu_indices(lagged.shape[1])
        return {"lags": lagged, "products": lagged[:, first] * lagged[:, second]}


@dataclass(frozen=True, eq=False)
class DelayModel:
    """One readout of delays per horizon; the delays of each were chosen on the validation rows.

    `readouts[h]` predicts the z-scored target of horizon h from the blocks of `delays[h]`.
    """

    delays: dict[int, Delays]
    readouts: dict[int, RidgeReadout]
    increment: bool

    def forecast(self, task: SplitSeries) -> dict[int, np.ndarray]:
        """Predictions on the test rows, (test rows, outputs), in data units, by horizon."""
        rows = task.test_rows
        return {
            h: task.in_units(
                task.now(rows) + readout.predict(self.delays[h].of_rows(task.shown, rows))
            )
            for h, readout in self.readouts.items()
        }

    def next_sample(self, recent: np.ndarray) -> np.ndarray:
        """One step of a free run: (starts, D) after the recent samples (starts, samples, D)."""
        step = self.readouts[1].predict(self.delays[1].of_recent(recent))
        return recent[:, -1] + step if self.increment else step


def fit_delays(task: SplitSeries, candidates: Sequence[Delays]) -> DelayModel:
    """Fit the targets of each horizon of the task on delayed inputs, all outputs jointly.

    Coefficients as in `fit_ridge`, the penalty is one of `noiseless`; of the candidates the one
    with the smallest error on the validation rows. Those that reach back before the series, or a
    cut, are left out.

    Raises InputError if none is left.
    """
    rows, d = task.train_rows, len(task.outputs)
    possible = [delays for delays in candidates if 1 <= delays.reach <= task.history]
    if not possible:
        reaches = [delays.reach for delays in candidates]
        raise InputError("delays", reaches, f"one must reach back 1 to {task.history} samples")
    targets = np.hstack([task.target(rows, h) for h in task.horizons])
    fits = {
        delays: fit_ridge(
            delays.of_rows(task.shown, rows),
            targets,
            task.validation_rows,
            noiseless(delays.n_features(len(task.inputs))).alphas,
        )
        for delays in possible
    }
    best, readouts = {}, {}
    for k, h in enumerate(task.horizons):
        columns = slice(k * d, (k + 1) * d)
        errors = {delays: _error(fit, columns) for delays, fit in fits.items()}
        best[h] = min(possible, key=errors.__getitem__)
        readouts[h] = fits[best[h]].select(columns)
    return DelayModel(best, readouts, task.predict_increment)


def _error(fit: RidgeReadout, columns: slice) -> float:
    return float(np.sum(fit.validation_rmse[columns] ** 2))
