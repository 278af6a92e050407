"""Synthetic series as tasks: chaotic ones [paper] and NARMA-10; splits and scores are our choice.

`quick` variants keep the task and shorten the blocks (our choice), for a first look.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import OptionalReal, Real
from hrsnn_brian.tasks.chaotic import (
    LAMBDA_MAX,
    lorenz63_series,
    mackey_glass_series,
    rossler_series,
)
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.named import (
    ForecastOptions,
    FreeRunOptions,
    Horizons,
    NamedTask,
    TaskOptions,
)
from hrsnn_brian.tasks.narma import narma10_series
from hrsnn_brian.tasks.split_series import VPT_THRESHOLD, VptProtocol

LORENZ_DT, ROSSLER_DT = 0.02, 0.2
WASHOUT, TRAIN = 200, 4000
QUICK_TRAIN, QUICK_TEST = 3000, 1500
_NOISE = "noise on the input shown in training, standard deviation; targets stay clean"
_TEST_NOISE = "the same on the input shown in the test, and before free runs"


@dataclass(frozen=True)
class LorenzOptions(FreeRunOptions):
    """Of the Lorenz system."""

    cap: OptionalReal = OptionalReal(0).about(
        "where the prediction time is cut, 10 unless given, 6 if quick", "Lyapunov times"
    )
    input_noise: Real = Real(0.0, 0.0).about(_NOISE, "training s.d.")
    test_noise: Real = Real(0.0, 0.0).about(_TEST_NOISE, "training s.d.")


@dataclass(frozen=True)
class RosslerOptions(FreeRunOptions):
    """Of the Rössler system."""

    cap: OptionalReal = OptionalReal(0).about(
        "where the prediction time is cut, 5 unless given, 3 if quick", "Lyapunov times"
    )
    input_noise: Real = Real(0.01, 0.0).about(_NOISE, "training s.d.")
    test_noise: Real = Real(0.0, 0.0).about(_TEST_NOISE, "training s.d.")


@dataclass(frozen=True)
class MackeyGlassOptions(ForecastOptions):
    """Of the Mackey-Glass equation."""

    horizons: Horizons = Horizons(84).about("how far ahead is predicted", "samples")
    input_noise: Real = Real(0.0, 0.0).about(_NOISE, "training s.d.")
    test_noise: Real = Real(0.0, 0.0).about(_TEST_NOISE, "training s.d.")


@dataclass(frozen=True)
class _Flow:
    """A chaotic flow that is sampled and run freely. cap, quick_cap: in Lyapunov times."""

    key: str
    series: Callable[[int, np.random.Generator, float], np.ndarray]
    dt: float
    cap: float
    quick_cap: float


_LORENZ = _Flow("lorenz63", lorenz63_series, LORENZ_DT, 10.0, 6.0)
_ROSSLER = _Flow("rossler", rossler_series, ROSSLER_DT, 5.0, 3.0)


def lorenz63(seed: int, **options: Any) -> ForecastTask:
    """Lorenz 1963, all three variables shown and predicted; VPT in Lyapunov times, capped."""
    return _run_freely("lorenz63", _LORENZ, (0, 1, 2), seed, LorenzOptions(**options))


def lorenz63_x(seed: int, **options: Any) -> ForecastTask:
    """Lorenz 1963, only x shown and predicted, which needs memory; VPT in Lyapunov times."""
    return _run_freely("lorenz63-x", _LORENZ, (0,), seed, LorenzOptions(**options))


def rossler(seed: int, **options: Any) -> ForecastTask:
    """Rössler, all three variables shown and predicted; VPT in Lyapunov times, capped."""
    return _run_freely("rossler", _ROSSLER, (0, 1, 2), seed, RosslerOptions(**options))


def rossler_x(seed: int, **options: Any) -> ForecastTask:
    """Rössler, only x shown and predicted, which needs memory; VPT in Lyapunov times."""
    return _run_freely("rossler-x", _ROSSLER, (0,), seed, RosslerOptions(**options))


def _run_freely(
    name: str,
    flow: _Flow,
    variables: tuple[int, ...],
    seed: int,
    options: LorenzOptions | RosslerOptions,
) -> ForecastTask:
    quick = options.quick
    train, test = (QUICK_TRAIN, QUICK_TEST) if quick else (TRAIN, 3600)
    cap = options.cap if options.cap is not None else (flow.quick_cap if quick else flow.cap)
    per_lyapunov_time = 1.0 / (LAMBDA_MAX[flow.key] * flow.dt)
    path = flow.series(WASHOUT + train + test, rng(seed, "task", flow.key), flow.dt)
    starts = options.starts if options.starts is not None else (10 if quick else 20)
    vpt = VptProtocol(
        starts=starts,
        warmup=50 if quick else 100,
        max_steps=math.ceil(cap * per_lyapunov_time),
        threshold=VPT_THRESHOLD,
        steps_per_unit=per_lyapunov_time,
        unit="Lyapunov times",
        cap=cap,
    )
    return ForecastTask(
        name=name,
        description=CHAOTIC_TASKS[name].description,
        unit="1",
        step=f"{flow.dt} time units",
        series=path[:, variables],
        horizons=options.horizons,
        washout=WASHOUT,
        train=train,
        validation=train // 5,
        test=test,
        predict_increment=True,
        vpt=vpt if 1 in options.horizons else None,
        input_noise=options.input_noise,
        test_noise=options.test_noise,
        seed=seed,
    )


def mackey_glass_84(seed: int, **options: Any) -> ForecastTask:
    """Mackey-Glass (tau 17) 84 steps ahead, open loop; the score is NRMSE."""
    chosen = MackeyGlassOptions(**options)
    train, test = (QUICK_TRAIN, QUICK_TEST) if chosen.quick else (TRAIN, 3000)
    series = mackey_glass_series(WASHOUT + train + test, rng(seed, "task", "mackey-glass"))
    return ForecastTask(
        name="mackey-glass-84",
        description=CHAOTIC_TASKS["mackey-glass-84"].description,
        unit="1",
        step="1 time unit",
        series=series[:, None],
        horizons=chosen.horizons,
        washout=WASHOUT,
        train=train,
        validation=train // 5,
        test=test,
        predict_increment=False,
        input_noise=chosen.input_noise,
        test_noise=chosen.test_noise,
        seed=seed,
    )


def narma10(seed: int, **options: Any) -> ForecastTask:
    """NARMA-10: the random input u is shown, the output y of the next sample asked for; NRMSE."""
    quick = TaskOptions(**options).quick
    train, test = (QUICK_TRAIN, QUICK_TEST) if quick else (TRAIN, 3000)
    return ForecastTask(
        name="narma10",
        description=CHAOTIC_TASKS["narma10"].description,
        unit="1",
        step="1 sample",
        series=narma10_series(WASHOUT + train + test, seed),
        horizons=(1,),
        washout=WASHOUT,
        train=train,
        validation=train // 5,
        test=test,
        predict_increment=False,
        inputs=(0,),
        outputs=(1,),
    )


CHAOTIC_TASKS: dict[str, NamedTask] = {
    "lorenz63": NamedTask(
        "Lorenz 1963, x, y and z shown: one step ahead and closed loop", lorenz63, LorenzOptions
    ),
    "lorenz63-x": NamedTask(
        "Lorenz 1963, only x shown: one step ahead and closed loop", lorenz63_x, LorenzOptions
    ),
    "rossler": NamedTask(
        "Rössler, x, y and z shown: one step ahead and closed loop", rossler, RosslerOptions
    ),
    "rossler-x": NamedTask(
        "Rössler, only x shown: one step ahead and closed loop", rossler_x, RosslerOptions
    ),
    "mackey-glass-84": NamedTask(
        "Mackey-Glass (tau 17), 84 steps ahead", mackey_glass_84, MackeyGlassOptions
    ),
    "narma10": NamedTask("NARMA-10, the output of a random input that is shown", narma10),
}
