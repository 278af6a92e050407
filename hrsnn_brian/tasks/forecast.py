"""Open-loop forecasts: from recorded states to predictions and scores in the data's units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import LOWER, Score
from hrsnn_brian.readout.held_out import Selection
from hrsnn_brian.readout.ridge import RidgeReadout, fit_selections
from hrsnn_brian.simulation.drive import LinearReadout
from hrsnn_brian.tasks.closed_loop import closed_loop_schedule, closed_loop_scores
from hrsnn_brian.tasks.scores import nrmse, rmse, unit_word
from hrsnn_brian.tasks.segments import shifted
from hrsnn_brian.tasks.split_series import SplitSeries
from hrsnn_brian.tasks.task import ClosedLoop, Fitted

INPUT_BLOCK = "u"


@dataclass(frozen=True, eq=False)
class Forecast(Fitted):
    """A readout fitted to a task, and its test predictions.

    `predictions[h]` is (test rows, outputs) in data units. `scores` are those of `forecast_scores`
    and `alpha`, the largest penalty per row chosen, with `alpha_at_edge`. `one_step` is the
    readout for a closed loop, with the penalty of the one-standard-error rule; None if 1 is not
    among the horizons.
    """

    readout: RidgeReadout
    predictions: dict[int, np.ndarray]
    one_step: RidgeReadout | None


def fit_forecast(
    task: SplitSeries, states: Mapping[str, np.ndarray], selection: Selection | None = None
) -> Forecast:
    """The forecast of all blocks of `states`, see `fit_forecasts`."""
    return fit_forecasts(task, states, [tuple(states)], selection)[0]


def fit_forecasts(
    task: SplitSeries,
    states: Mapping[str, np.ndarray],
    selections: Sequence[Sequence[str]],
    selection: Selection | None = None,
) -> list[Forecast]:
    """Ridge on [1, u, states] for every horizon of the task at once, of each selection of blocks.

    `states` maps the name of a block ("trace_30ms", "v", ...) to (T, features), T the task's
    samples: row t is the state after sample t was shown. Targets of all horizons come from the
    rows `task.train_rows`; the last `task.validation` of them choose each target's penalty.
    No block gives the linear readout of the present input alone. selection: of both rules, by
    default among the usual penalties.

    Raises InputError if a block is called "u", has other than T rows, or is not finite.
    """
    if INPUT_BLOCK in states:
        raise InputError("states", INPUT_BLOCK, "is the name of the input's own block")
    blocks = {INPUT_BLOCK: task.shown, **states}
    for name, block in blocks.items():
        if block.ndim != 2 or len(block) != task.n_samples:
            raise InputError(f"states {name}", block.shape, f"must have {task.n_samples} rows")
    rows = task.train_rows
    fitted = fit_selections(
        {name: block[rows] for name, block in blocks.items()},
        np.hstack([task.target(rows, h) for h in task.horizons]),
        task.validation_rows,
        [(INPUT_BLOCK, *names) for names in selections],
        selection,
    )
    asked = {name: block[task.test_rows] for name, block in blocks.items()}
    return [_forecast(task, asked, readout, steadier) for readout, steadier in fitted]


def _forecast(
    task: SplitSeries,
    asked: Mapping[str, np.ndarray],
    readout: RidgeReadout,
    steadier: RidgeReadout,
) -> Forecast:
    """The predictions of the test rows `asked`, and the closed loop if the task has one."""
    now, raw, d = task.now(task.test_rows), readout.predict(asked), len(task.outputs)
    columns = {h: slice(k * d, (k + 1) * d) for k, h in enumerate(task.horizons)}
    predictions = {h: task.in_units(now + raw[:, columns[h]]) for h in task.horizons}
    one_step = steadier.select(columns[1]) if 1 in columns else None
    return Forecast(
        weights=readout.coefficients,
        rows=task.train_rows,
        scores=(*forecast_scores(task, predictions), *_penalty(readout)),
        closed_loop=_closed_loop(task, one_step) if one_step and task.closed_loop else None,
        readout=readout,
        predictions=predictions,
        one_step=one_step,
    )


def _penalty(readout: RidgeReadout) -> tuple[Score, ...]:
    return (
        Score("alpha", float(readout.alpha.max()), label="largest ridge penalty per row chosen"),
        Score(
            "alpha_at_edge", int(readout.at_edge.any()), label="whether one is at the grid's end"
        ),
    )


def _closed_loop(task: SplitSeries, one_step: RidgeReadout) -> ClosedLoop:
    """The closed loop of the task's protocol with the one-step readout inside."""
    schedule = closed_loop_schedule(task)
    return ClosedLoop(
        schedule.teacher,
        schedule.free,
        inside(task, one_step),
        partial(closed_loop_scores, task, schedule),
    )


def inside(task: SplitSeries, one_step: RidgeReadout) -> LinearReadout:
    """The one-step readout as it stands inside a closed loop: it gives the next input."""
    from_u = np.array(one_step.coefficients[INPUT_BLOCK])
    if task.predict_increment:
        from_u += np.eye(len(task.inputs))
    states = {name: w for name, w in one_step.coefficients.items() if name != INPUT_BLOCK}
    return LinearReadout(one_step.intercept, from_u, states)


def forecast_scores(task: SplitSeries, predictions: Mapping[int, np.ndarray]) -> tuple[Score, ...]:
    """The `horizon_scores` over `task.test_rows`."""
    columns = list(task.outputs)
    truth = {h: task.series[shifted(task.test_rows, h)][:, columns] for h in predictions}
    return horizon_scores(task, predictions, truth)


class Predicted(Protocol):
    """What is asked of a task to score its predictions; see `SplitSeries`."""

    @property
    def unit(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def horizons(self) -> tuple[int, ...]: ...
    @property
    def closed_loop(self) -> bool: ...


def horizon_scores(
    task: Predicted, predictions: Mapping[int, np.ndarray], truths: Mapping[int, np.ndarray]
) -> tuple[Score, ...]:
    """RMSE in the data's unit and NRMSE of each horizon h, of (rows, outputs) in data units.

    Worth a panel are the shortest and the longest horizon: RMSE where there is a unit, else NRMSE.
    Without a closed loop the longest horizon is what the task is judged by. [our choice] Where an
    NRMSE is NaN, `nrmse_note` says why.
    """
    unit = unit_word(task.unit)
    ends = (min(task.horizons), max(task.horizons))
    scores: list[Score] = []
    undefined = []
    for h, prediction in predictions.items():
        truth = truths[h]
        ahead = f"{h} step{'s' if h > 1 else ''} ahead"
        for error, kind, shown in ((rmse, "rmse", bool(unit)), (nrmse, "nrmse", not unit)):
            in_unit = kind == "rmse" and unit
            scores.append(
                Score(
                    f"{kind}_h{h}_{unit}" if in_unit else f"{kind}_h{h}",
                    error(prediction, truth),
                    unit=task.unit if in_unit else "1",
                    better=LOWER,
                    label=f"{kind.upper()} {ahead}",
                    primary=shown and h == ends[1] and not task.closed_loop,
                    minor=not (shown and h in ends),
                )
            )
        if np.any(np.ptp(truth, axis=0) == 0.0):
            undefined.append(str(h))
        for k, name in enumerate(task.names):
            error_of = rmse(prediction[:, k], truth[:, k])
            column, label = f"rmse_h{h}_{unit_word(name)}", f"RMSE of {name} {ahead}"
            scores.append(Score(column, error_of, name, LOWER, label, minor=True))
    if undefined:
        why = f"targets {', '.join(undefined)} ahead are constant: no NRMSE"
        scores.append(Score("nrmse_note", why, unit="", label="why an NRMSE is missing"))
    return tuple(scores)
