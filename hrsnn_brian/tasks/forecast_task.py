"""Forecasting as a task: one long trial, targets some samples ahead, ridge, and a free run."""

from collections.abc import Mapping, Sequence

import numpy as np

from hrsnn_brian.files.score import Score
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.baselines import baseline_scores
from hrsnn_brian.tasks.forecast import Forecast, fit_forecast, fit_forecasts
from hrsnn_brian.tasks.segments import segments, uncut
from hrsnn_brian.tasks.series_predictor import SeriesPredictor, series_predictor
from hrsnn_brian.tasks.split_series import SplitSeries
from hrsnn_brian.tasks.task import Fitted, RunTask, Trial


class ForecastTask(SplitSeries, RunTask):
    """A series to be predicted; its fields are those of `SplitSeries`."""

    def trials(self) -> tuple[Trial, ...]:
        """The z-scored inputs, shown once from end to end; a reset at every cut."""
        return self._shown_up_to(self.n_samples)

    def training_trials(self) -> tuple[Trial, ...]:
        """The same up to the end of the training block."""
        return self._shown_up_to(self.train_block.stop)

    def _shown_up_to(self, end: int) -> tuple[Trial, ...]:
        cuts = tuple(cut for cut in self.cuts if cut < end)
        return tuple(Trial(self.shown[part]) for part in segments(end, cuts))

    def targets(self) -> FloatArray:
        """z-scored, (T, horizons * outputs), horizon by horizon; NaN where it lies past the end.

        The end is that of the series, or the next cut.
        """
        d, n = len(self.outputs), self.n_samples
        found = np.full((n, len(self.horizons) * d), np.nan)
        for k, h in enumerate(self.horizons):
            rows = uncut(slice(0, n - h), n, self.cuts, 0, h)
            found[rows, k * d : (k + 1) * d] = self.target(rows, h)
        return found

    def fit(self, states: Mapping[str, FloatArray]) -> Forecast:
        """Ridge on [1, u, states], see `fit_forecasts`."""
        return fit_forecast(self, states)

    def fits(
        self, states: Mapping[str, FloatArray], selections: Sequence[Sequence[str]]
    ) -> list[Fitted]:
        """The same of some of the states each, which share a Gram matrix."""
        return [*fit_forecasts(self, states, selections)]

    def predictor(self, readout: str, fitted: Fitted) -> SeriesPredictor:
        """Of the series' variables, in their own units."""
        return series_predictor(self, fitted)

    def baselines(self) -> dict[str, tuple[Score, ...]]:
        """Persistence, the present input alone and linear autoregression."""
        return baseline_scores(self)
