"""Baselines every table carries: persistence, the present input alone, a linear autoregression.

A network's readout sees the present input beside its states; "input only" is that readout without
a network, and shows what of a score the network has earned.

Both are scored by the same functions, on the same test rows and the same free runs as the
network (`forecast_scores`, `closed_loop_scores`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import Score
from hrsnn_brian.readout.ridge import RidgeReadout, fit_ridge
from hrsnn_brian.tasks.closed_loop import closed_loop_schedule, closed_loop_scores
from hrsnn_brian.tasks.forecast import forecast_scores
from hrsnn_brian.tasks.split_series import SplitSeries

AR_ORDERS = (1, 2, 3, 5, 8, 12, 18, 24, 36, 48, 72, 96)

PERSISTENCE, INPUT_ONLY, LINEAR_AR = "persistence", "input only", "linear AR"


@dataclass(frozen=True, eq=False)
class LinearAR:
    """One linear map per horizon from the last `order` samples, order chosen on validation.

    `models[h]` predicts the z-scored target of horizon h from the block "lags" of `lags`.
    """

    orders: dict[int, int]
    models: dict[int, RidgeReadout]


def baseline_scores(task: SplitSeries) -> dict[str, tuple[Score, ...]]:
    """Scores of persistence, the present input alone and linear autoregression, by name.

    They are the network's, without its penalty; the last has `order_h<horizon>`, the orders chosen.
    """
    ar = fit_ar(task)
    present = fit_ar(task, orders=(1,))
    rows = {
        PERSISTENCE: forecast_scores(task, persistence_forecast(task)),
        INPUT_ONLY: forecast_scores(task, ar_forecast(task, present)),
        LINEAR_AR: forecast_scores(task, ar_forecast(task, ar)),
    }
    if task.closed_loop:
        rows[PERSISTENCE] += _free_run_scores(task, lambda recent: recent[:, -1])
        rows[INPUT_ONLY] += _free_run_scores(
            task, lambda recent: _next_sample(task, present, recent)
        )
        rows[LINEAR_AR] += _free_run_scores(task, lambda recent: _next_sample(task, ar, recent))
    rows[LINEAR_AR] += tuple(
        Score(f"order_h{h}", order, label=f"order of the linear AR, {h} ahead")
        for h, order in ar.orders.items()
    )
    return rows


def persistence_forecast(task: SplitSeries) -> dict[int, np.ndarray]:
    """The last known sample as the prediction of every horizon, (test rows, D), data units."""
    return dict.fromkeys(task.horizons, task.series[task.test_rows])


def fit_ar(task: SplitSeries, orders: tuple[int, ...] = AR_ORDERS) -> LinearAR:
    """Fit z(t + h) on z(t), ..., z(t - p + 1) for each horizon h of the task, jointly in D.

    Coefficients and penalty as in `fit_ridge`; the order p is the one with the smallest error
    on the validation rows. Orders whose lags would begin before the series are left out.

    Raises InputError if no order is left.
    """
    rows = task.train_rows
    possible = [p for p in orders if 1 <= p <= rows.start + 1]
    if not possible:
        raise InputError("orders", orders, f"one must lie between 1 and {rows.start + 1}")
    targets = np.hstack([task.target(rows, h) for h in task.horizons])
    fits = {
        p: fit_ridge({"lags": lags(task.z, rows, p)}, targets, task.validation) for p in possible
    }
    d = task.n_variables
    best, models = {}, {}
    for k, h in enumerate(task.horizons):
        columns = slice(k * d, (k + 1) * d)
        best[h] = min(possible, key=lambda p: float(np.sum(fits[p].validation_rmse[columns] ** 2)))
        models[h] = fits[best[h]].select(columns)
    return LinearAR(orders=best, models=models)


def ar_forecast(task: SplitSeries, ar: LinearAR) -> dict[int, np.ndarray]:
    """Predictions of the autoregression on the test rows, (test rows, D), in data units."""
    rows = task.test_rows
    now = task.z[rows] if task.predict_increment else 0.0
    return {
        h: task.in_units(now + model.predict({"lags": lags(task.z, rows, ar.orders[h])}))
        for h, model in ar.models.items()
    }


def lags(z: np.ndarray, rows: slice, order: int) -> np.ndarray:
    """[z(t), z(t-1), ..., z(t-order+1)] for the rows t, (rows, order * D)."""
    return np.hstack([z[rows.start - k : rows.stop - k] for k in range(order)])


def _next_sample(task: SplitSeries, ar: LinearAR, recent: np.ndarray) -> np.ndarray:
    """One step of the free run: the next z (starts, D) from the recent ones (starts, k, D)."""
    order = ar.orders[1]
    newest_first = recent[:, ::-1][:, :order]
    step = ar.models[1].predict({"lags": newest_first.reshape(len(recent), -1)})
    return recent[:, -1] + step if task.predict_increment else step


def _free_run_scores(
    task: SplitSeries, step: Callable[[np.ndarray], np.ndarray]
) -> tuple[Score, ...]:
    """Closed-loop scores of a model given as a map from the recent samples to the next one."""
    schedule = closed_loop_schedule(task)
    memory = min(max(AR_ORDERS), int(schedule.starts[0]))
    known = np.stack([task.z[start - memory : start] for start in schedule.starts])
    free = np.empty((len(schedule.starts), schedule.max_steps, task.n_variables))
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(schedule.max_steps):
            free[:, k] = step(known)
            known = np.concatenate([known[:, 1:], free[:, k : k + 1]], axis=1)
    predicted = np.array(schedule.teacher)
    predicted[schedule.free] = free.reshape(-1, task.n_variables)
    return closed_loop_scores(task, schedule, predicted)
