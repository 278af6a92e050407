"""Baselines every table carries: persistence, the present input alone, linear AR, NG-RC.

A network's readout sees the present input beside its states; "input only" is that readout without
a network, and shows what of a score the network has earned. "NG-RC", next-generation reservoir
computing (Gauthier et al. 2021), is a readout of delayed inputs and all their products in pairs:
cheap, and strong where the law of the series is quadratic.

All are scored by the same functions, on the same test rows and the same free runs as the
network (`forecast_scores`, `closed_loop_scores`).
"""

from collections.abc import Callable, Sequence

import numpy as np

from hrsnn_brian.files.score import Score
from hrsnn_brian.tasks.closed_loop import BOUND, closed_loop_schedule, closed_loop_scores
from hrsnn_brian.tasks.delays import DelayModel, Delays, fit_delays
from hrsnn_brian.tasks.forecast import forecast_scores
from hrsnn_brian.tasks.split_series import SplitSeries

AR_ORDERS = (1, 2, 3, 5, 8, 12, 18, 24, 36, 48, 72, 96)
# Of several variables, and of long series, only as many taps as the bounds below allow. [choice]
NGRC_DELAYS = tuple(
    Delays(taps, skip, quadratic=True) for taps in (2, 4, 8, 16, 24, 32) for skip in (1, 2, 3, 4)
)
MOST_FEATURES, MOST_VALUES = 600, 20_000_000
PERSISTENCE, INPUT_ONLY, LINEAR_AR, NGRC = "persistence", "input only", "linear AR", "NG-RC"


def baseline_scores(task: SplitSeries) -> dict[str, tuple[Score, ...]]:
    """Scores of the models without a network, by name.

    They are the network's, without its penalty; linear AR has `order_h<horizon>`, NG-RC
    `taps_h<horizon>` and `skip_h<horizon>`, as chosen by the error on the validation rows. NG-RC
    runs freely with the delays whose free runs in the validation block are valid longest, since the
    smallest error often belongs to delays that run away. Persistence is left out where what is
    predicted is not shown.
    """
    rows = {}
    if set(task.outputs) <= set(task.inputs):
        rows[PERSISTENCE] = forecast_scores(task, persistence_forecast(task))
        if task.closed_loop:
            rows[PERSISTENCE] += _free_run_scores(task, lambda recent: recent[:, -1])
    orders, quadratic = tuple(map(Delays, AR_ORDERS)), _affordable(task)
    for name, delays in ((INPUT_ONLY, (Delays(1),)), (LINEAR_AR, orders), (NGRC, quadratic)):
        model = fit_delays(task, delays)
        rows[name] = forecast_scores(task, model.forecast(task))
        chosen = _chosen(name, model)
        if task.closed_loop:
            running = model if name != NGRC else fit_delays(task, [_steadiest(task, delays)])
            rows[name] += _free_run_scores(task, running.next_sample)
            if name == NGRC:
                taps, skip = running.delays[1].taps, running.delays[1].skip
                chosen += (
                    Score("taps_free", taps, label="delays of NG-RC in a free run"),
                    Score("skip_free", skip, label="samples between them"),
                )
        rows[name] += chosen
    return rows


def persistence_forecast(task: SplitSeries) -> dict[int, np.ndarray]:
    """The last known sample as the prediction of every horizon, (test rows, outputs), in units."""
    return dict.fromkeys(task.horizons, task.series[task.test_rows][:, list(task.outputs)])


def _affordable(task: SplitSeries) -> tuple[Delays, ...]:
    d, most = len(task.inputs), min(MOST_FEATURES, MOST_VALUES // task.n_samples)
    found = tuple(delays for delays in NGRC_DELAYS if delays.n_features(d) <= most)
    return found or (Delays(1, quadratic=True),)


def _steadiest(task: SplitSeries, candidates: Sequence[Delays]) -> Delays:
    """The delays with the longest valid prediction in the validation block, the first of equals.

    Where that block has no room for a free run: those with the smallest one-step error.
    """
    trial = task.development()
    if not trial.closed_loop:
        return fit_delays(task, candidates).delays[1]
    possible = [d for d in candidates if d.reach <= trial.history]
    models = [fit_delays(trial, [delays]) for delays in possible]
    times = [_free_run_scores(trial, model.next_sample)[0].value for model in models]
    return possible[int(np.argmax(times))]


def _chosen(name: str, model: DelayModel) -> tuple[Score, ...]:
    if name == INPUT_ONLY:
        return ()
    found = []
    for h, delays in model.delays.items():
        if name == LINEAR_AR:
            label = f"order of the linear AR, {h} ahead"
            found.append(Score(f"order_h{h}", delays.taps, label=label))
        else:
            found.append(Score(f"taps_h{h}", delays.taps, label=f"delays of NG-RC, {h} ahead"))
            label = f"samples between the delays of NG-RC, {h} ahead"
            found.append(Score(f"skip_h{h}", delays.skip, label=label))
    return tuple(found)


def _free_run_scores(
    task: SplitSeries, step: Callable[[np.ndarray], np.ndarray]
) -> tuple[Score, ...]:
    """Closed-loop scores of a model given as a map from recent samples to the next one.

    It is shown (starts, samples, D), oldest first: all that any of the models may look back on.
    """
    schedule = closed_loop_schedule(task)
    memory = min(task.history, int(schedule.starts[0]))
    known = np.stack([task.truth[start - memory : start] for start in schedule.starts])
    free = np.empty((len(schedule.starts), schedule.max_steps, len(task.outputs)))
    for k in range(schedule.max_steps):
        free[:, k] = np.clip(step(known), -BOUND, BOUND)
        known = np.concatenate([known[:, 1:], free[:, k : k + 1]], axis=1)
    predicted = np.array(schedule.teacher)
    predicted[schedule.free] = free.reshape(-1, len(task.outputs))
    return closed_loop_scores(task, schedule, predicted)
