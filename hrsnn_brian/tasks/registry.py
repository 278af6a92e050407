"""The tasks by name. The series are the paper's [paper]; splits and scores are our choice.

`quick` variants keep the task and shorten the blocks (our choice), for a first look.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import Flag, OptionalReal, OptionalWhole
from hrsnn_brian.settings.reader import Settings, applied
from hrsnn_brian.settings.section import Section, checked_fields
from hrsnn_brian.tasks.chaotic import LAMBDA_MAX, lorenz63_series, mackey_glass_series
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.image_task import DESCRIPTIONS, OPTIONS, image_task
from hrsnn_brian.tasks.scores import unit_word
from hrsnn_brian.tasks.series import google_series, read_series, wind_series
from hrsnn_brian.tasks.split_series import VptProtocol
from hrsnn_brian.tasks.task import RunTask, Task, TrialsTask

LORENZ_DT = 0.02
VPT_THRESHOLD = 0.4
DAY_AHEAD = (1, 3, 6, 12, 24)  # horizons of an hourly series, our choice
TWO_TRADING_WEEKS = (1, 2, 5, 10)  # horizons of a daily price, our choice


@dataclass(frozen=True)
class TaskOptions(Section):
    """What can be chosen of every shipped task."""

    quick: Flag = Flag(False).about("the same task with shorter blocks, for a first look")


@dataclass(frozen=True)
class FreeRunOptions(TaskOptions):
    """Of a task that is also run freely, on its own predictions."""

    starts: OptionalWhole = OptionalWhole(low=1).about(
        "starts of free runs, spread over the test block; 20 unless given, 10 if quick"
    )


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
        description=TASKS[name].description,
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
        description=TASKS["mackey-glass-84"].description,
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


def google(seed: int, *, quick: bool = False, starts: int | None = None) -> ForecastTask:
    """Google's daily closing price, US dollars, 1 to 10 trading days ahead.

    The data are fixed: `seed` is accepted for uniformity. The test block reaches prices beyond
    the training block; persistence is the score to beat.
    """
    return _real_series(
        "google",
        google_series(),
        unit="USD",
        step="1 trading day",
        time_unit="trading days",
        horizons=TWO_TRADING_WEEKS,
        quick=quick,
        starts=starts,
    )


def wind(seed: int, *, quick: bool = False, starts: int | None = None) -> ForecastTask:
    """Hourly wind speed at La Haute Borne, m/s, 1 to 24 hours ahead. `seed` changes nothing."""
    return _real_series(
        "wind",
        wind_series(),
        unit="m/s",
        step="1 h",
        time_unit="h",
        horizons=DAY_AHEAD,
        quick=quick,
        starts=starts,
    )


def own_series_task(
    path: str | Path,
    column: str,
    *,
    quick: bool = False,
    starts: int | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    time: str | None = None,
    horizons: tuple[int, ...] | None = None,
    unit: str | None = None,
) -> ForecastTask:
    """A column of the user's CSV file under the protocol of `wind`, in the data's own units.

    sep, decimal, time: how the file is read, see `read_series`. horizons: in rows, by default those
    of `wind`; without 1 among them there is no closed loop. unit: that of the column, by default
    its name. What is odd about the file (`task.remarks`) is also a `UserWarning`.

    Raises InputError as `read_series` does, and for horizons that do not fit the series.
    """
    series = read_series(path, column, sep=sep, decimal=decimal, time=time)
    if unit is not None and unit != "1" and not unit_word(unit):
        raise InputError("unit", unit, "must have letters, such as m/s or EUR, or be 1 for none")
    task = _real_series(
        f"{Path(path).stem}:{column}",
        series.values,
        unit=column if unit is None else unit,
        step=series.step,
        time_unit="samples",
        horizons=DAY_AHEAD if horizons is None else tuple(horizons),
        quick=quick,
        starts=starts,
        remarks=series.remarks,
    )
    for remark in task.remarks:
        warnings.warn(remark, stacklevel=2)
    return task


def _real_series(
    name: str,
    values: np.ndarray,
    *,
    unit: str,
    step: str,
    time_unit: str,
    horizons: tuple[int, ...],
    quick: bool,
    starts: int | None,
    remarks: tuple[str, ...] = (),
) -> ForecastTask:
    """Chronological split: up to 100 samples of washout, 70 % of the rest train, 30 % test.

    The free runs last 48 samples; VPT uses the threshold 0.4 training standard deviations.
    """
    washout = min(100, len(values) // 20)
    train = round(0.7 * (len(values) - washout))
    test = len(values) - washout - train
    furthest = min(test, train - train // 5) - 1
    if not all(type(h) is int and 1 <= h <= furthest for h in horizons):
        allowed = f"must be whole numbers from 1 to {furthest} for {len(values)} samples"
        raise InputError("horizons", list(horizons), allowed)
    return ForecastTask(
        name=name,
        description=list_tasks().get(name, f"{name}, a series of the user's own"),
        unit=unit,
        step=step,
        series=values[:, None],
        horizons=horizons,
        washout=washout,
        train=train,
        validation=train // 5,
        test=test,
        predict_increment=True,
        vpt=None
        if 1 not in horizons
        else VptProtocol(
            starts=starts if starts is not None else (10 if quick else 20),
            warmup=50 if quick else 100,
            max_steps=48,
            threshold=VPT_THRESHOLD,
            steps_per_unit=1.0,
            unit=time_unit,
            cap=48.0,
        ),
        remarks=remarks,
    )


class NamedTask(NamedTuple):
    """A task as it is listed; make: (seed, **options), with the fields of `options`."""

    description: str
    make: Callable[..., Task]
    options: type[Section] = TaskOptions


TASKS: dict[str, NamedTask] = {
    "lorenz63": NamedTask(
        "Lorenz 1963, x, y and z shown: one step ahead and closed loop", lorenz63, LorenzOptions
    ),
    "lorenz63-x": NamedTask(
        "Lorenz 1963, only x shown: one step ahead and closed loop", lorenz63_x, LorenzOptions
    ),
    "mackey-glass-84": NamedTask("Mackey-Glass (tau 17), 84 steps ahead", mackey_glass_84),
    "google": NamedTask(
        "Google daily price 2004-2013, 1 to 10 trading days ahead", google, FreeRunOptions
    ),
    "wind": NamedTask(
        "hourly wind speed at La Haute Borne, 1 to 24 hours ahead", wind, FreeRunOptions
    ),
}
TASKS |= {
    name: NamedTask(DESCRIPTIONS[name], image_task(name), kind) for name, kind in OPTIONS.items()
}


def list_tasks() -> dict[str, str]:
    """Task name -> one-line description."""
    return {name: task.description for name, task in TASKS.items()}


def get_task(name: str, seed: int, settings: Settings = (), **options: Any) -> Task:
    """The task called `name`, changed by keywords (`quick`, `starts`, ...) or settings as texts.

    Raises InputError for an unknown task or option, naming the nearest valid one.
    """
    kind = task_options(name)
    keys = replace(kind.keys(), argument=f"option of task {name}", see=name)
    table, _ = applied(keys, kind().to_dict(), settings)
    table, _ = applied(keys, table, options)
    chosen, parts = kind.from_dict(table), checked_fields(kind)
    return TASKS[name].make(seed, **{field: getattr(chosen, field) for field, _ in parts})


def task_options(name: str) -> type[Section]:
    """The options of the task called `name`. Raises InputError for an unknown task."""
    if name not in TASKS:
        raise unknown_name("task", name, TASKS)
    return TASKS[name].options


def as_task(task: Task | str, seed: int) -> Task:
    """A task, or the one of that name.

    Raises InputError for an unknown name, and for what is neither.
    """
    if isinstance(task, str):
        return get_task(task, seed)
    if not isinstance(task, RunTask | TrialsTask):
        raise InputError("task", task, f"must be a Task or a name: {', '.join(TASKS)}")
    return task
