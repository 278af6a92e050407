"""Chaotic series as tasks [paper]; splits and scores are our choice.

`quick` variants keep the task and shorten the blocks (our choice), for a first look.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from dataclasses import dataclass

from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import OptionalReal
from hrsnn_brian.tasks.chaotic import LAMBDA_MAX, lorenz63_series, mackey_glass_series
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.named import FreeRunOptions, NamedTask
from hrsnn_brian.tasks.split_series import VPT_THRESHOLD, VptProtocol

LORENZ_DT = 0.02


@dataclass(frozen=True)
class LorenzOptions(FreeRunOptions):
    """Of the Lorenz system."""

    cap: OptionalReal = OptionalReal(0).about(
        "where the prediction time is cut, 10 unless given, 6 if quick", "Lyapunov times"
    )


def lorenz63(
    seed: int, *, quick: bool = False, starts: int | None = None, cap: float | None = None
) -> ForecastTask:
    """Lorenz 1963, all three variables shown and predicted; VPT in Lyapunov times, capped."""
    return _lorenz("lorenz63", [0, 1, 2], seed, quick, starts, cap)


def lorenz63_x(
    seed: int, *, quick: bool = False, starts: int | None = None, cap: float | None = None
) -> ForecastTask:
    """Lorenz 1963, only x shown and predicted, which needs memory; VPT in Lyapunov times."""
    return _lorenz("lorenz63-x", [0], seed, quick, starts, cap)


def _lorenz(
    name: str, variables: list[int], seed: int, quick: bool, starts: int | None, cap: float | None
) -> ForecastTask:
    washout, train, test = (200, 3000, 1500) if quick else (200, 4000, 3600)
    cap = cap if cap is not None else (6.0 if quick else 10.0)
    per_lyapunov_time = 1.0 / (LAMBDA_MAX["lorenz63"] * LORENZ_DT)
    path = lorenz63_series(washout + train + test, rng(seed, "task", "lorenz63"), LORENZ_DT)
    return ForecastTask(
        name=name,
        description=CHAOTIC_TASKS[name].description,
        unit="1",
        step=f"{LORENZ_DT} time units",
        series=path[:, variables],
        horizons=(1,),
        washout=washout,
        train=train,
        validation=train // 5,
        test=test,
        predict_increment=True,
        vpt=VptProtocol(
            starts=starts if starts is not None else (10 if quick else 20),
            warmup=50 if quick else 100,
            max_steps=math.ceil(cap * per_lyapunov_time),
            threshold=VPT_THRESHOLD,
            steps_per_unit=per_lyapunov_time,
            unit="Lyapunov times",
            cap=cap,
        ),
    )


def mackey_glass_84(seed: int, *, quick: bool = False) -> ForecastTask:
    """Mackey-Glass (tau 17) 84 steps ahead, open loop; the score is NRMSE."""
    washout, train, test = (200, 3000, 1500) if quick else (200, 4000, 3000)
    series = mackey_glass_series(washout + train + test, rng(seed, "task", "mackey-glass"))
    return ForecastTask(
        name="mackey-glass-84",
        description=CHAOTIC_TASKS["mackey-glass-84"].description,
        unit="1",
        step="1 time unit",
        series=series[:, None],
        horizons=(84,),
        washout=washout,
        train=train,
        validation=train // 5,
        test=test,
        predict_increment=False,
    )


CHAOTIC_TASKS: dict[str, NamedTask] = {
    "lorenz63": NamedTask(
        "Lorenz 1963, x, y and z shown: one step ahead and closed loop", lorenz63, LorenzOptions
    ),
    "lorenz63-x": NamedTask(
        "Lorenz 1963, only x shown: one step ahead and closed loop", lorenz63_x, LorenzOptions
    ),
    "mackey-glass-84": NamedTask("Mackey-Glass (tau 17), 84 steps ahead", mackey_glass_84),
}
