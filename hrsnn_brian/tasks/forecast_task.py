"""Forecasting as a task: one long trial, targets some samples ahead, ridge, and a free run."""

from collections.abc import Mapping

import numpy as np

from hrsnn_brian.files.score import Score
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.baselines import baseline_scores
from hrsnn_brian.tasks.forecast import Forecast, fit_forecast
from hrsnn_brian.tasks.split_series import SplitSeries
from hrsnn_brian.tasks.task import RunTask, Trial


class ForecastTask(SplitSeries, RunTask):
    """A series to be predicted; its fields are those of `SplitSeries`."""

    def trials(self) -> tuple[Trial, ...]:
        """The z-scored series, shown once from end to end."""
        return (Trial(self.z),)

    def targets(self) -> FloatArray:
        """z-scored, (T, horizons * D), horizon by horizon; NaN from where the series has ended."""
        found = np.full((self.n_samples, len(self.horizons) * self.n_variables), np.nan)
        for k, h in enumerate(self.horizons):
            rows = slice(0, self.n_samples - h)
            columns = slice(k * self.n_variables, (k + 1) * self.n_variables)
            found[rows, columns] = self.target(rows, h)
        return found

    def fit(self, states: Mapping[str, FloatArray]) -> Forecast:
        """Ridge on [1, u, states], see `fit_forecast`."""
        return fit_forecast(self, states)

    def baselines(self) -> dict[str, tuple[Score, ...]]:
        """Persistence, the present input alone and linear autoregression."""
        return baseline_scores(self)
