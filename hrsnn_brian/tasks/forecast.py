"""Open-loop forecasts: from recorded states to predictions and scores in the data's units."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.ridge import RidgeReadout, fit_readouts
from hrsnn_brian.tasks.scores import nrmse, rmse
from hrsnn_brian.tasks.split_series import Task

INPUT_BLOCK = "u"


@dataclass(frozen=True, eq=False)
class Forecast:
    """A readout fitted to a task, its test predictions and their scores.

    `predictions[h]` is (test rows, D) in data units. `scores` are those of `forecast_scores`
    and `alpha`, the largest penalty per row chosen, with `alpha_at_edge`. `one_step` is the
    readout for a closed loop, with the penalty of the one-standard-error rule; None if 1 is not
    among the horizons.
    """

    readout: RidgeReadout
    predictions: dict[int, np.ndarray]
    scores: dict[str, float | int | str]
    one_step: RidgeReadout | None


def fit_forecast(task: Task, states: Mapping[str, np.ndarray]) -> Forecast:
    """Ridge on [1, u, states] for every horizon of the task at once.

    `states` maps the name of a block ("trace_30ms", "v", ...) to (T, features), T the task's
    samples: row t is the state after sample t was shown. Targets of all horizons come from the
    rows `task.train_rows`; the last `task.validation` of them choose each target's penalty.
    An empty `states` gives the linear readout of the present input alone.

    Raises InputError if a block is called "u", has other than T rows, or is not finite.
    """
    if INPUT_BLOCK in states:
        raise InputError("states", INPUT_BLOCK, "is the name of the input's own block")
    blocks = {INPUT_BLOCK: task.z, **states}
    for name, block in blocks.items():
        if block.ndim != 2 or len(block) != task.n_samples:
            raise InputError(f"states {name}", block.shape, f"must have {task.n_samples} rows")
    rows, d = task.train_rows, task.n_variables
    readout, steadier = fit_readouts(
        {name: block[rows] for name, block in blocks.items()},
        np.hstack([task.target(rows, h) for h in task.horizons]),
        task.validation,
    )
    now = task.z[task.test_rows] if task.predict_increment else 0.0
    raw = readout.predict({name: block[task.test_rows] for name, block in blocks.items()})
    columns = {h: slice(k * d, (k + 1) * d) for k, h in enumerate(task.horizons)}
    predictions = {h: task.in_units(now + raw[:, columns[h]]) for h in task.horizons}
    scores = forecast_scores(task, predictions)
    scores["alpha"] = float(readout.alpha.max())
    scores["alpha_at_edge"] = int(readout.at_edge.any())
    one_step = steadier.select(columns[1]) if 1 in columns else None
    return Forecast(readout, predictions, scores, one_step)


def forecast_scores(
    task: Task, predictions: Mapping[int, np.ndarray]
) -> dict[str, float | int | str]:
    """`rmse_h<h>` (data units) and `nrmse_h<h>` of each horizon h, over `task.test_rows`.

    Where an NRMSE is NaN, `nrmse_note` says why.
    """
    rows = task.test_rows
    undefined = []
    scores: dict[str, float | int | str] = {}
    for h, prediction in predictions.items():
        truth = task.series[rows.start + h : rows.stop + h]
        scores[f"rmse_h{h}"] = rmse(prediction, truth)
        scores[f"nrmse_h{h}"] = nrmse(prediction, truth)
        if np.any(np.ptp(truth, axis=0) == 0.0):
            undefined.append(str(h))
    if undefined:
        scores["nrmse_note"] = f"targets {', '.join(undefined)} ahead are constant: no NRMSE"
    return scores
