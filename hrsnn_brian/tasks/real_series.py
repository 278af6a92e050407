"""Real series as tasks: the shipped ones [paper], and the user's own; splits are our choice."""

import warnings
from pathlib import Path

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.named import FreeRunOptions, NamedTask
from hrsnn_brian.tasks.scores import unit_word
from hrsnn_brian.tasks.series import google_series, read_series, wind_series
from hrsnn_brian.tasks.split_series import VPT_THRESHOLD, VptProtocol

DAY_AHEAD = (1, 3, 6, 12, 24)  # horizons of an hourly series, our choice
TWO_TRADING_WEEKS = (1, 2, 5, 10)  # horizons of a daily price, our choice


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
        description=REAL_TASKS[name].description
        if name in REAL_TASKS
        else f"{name}, a series of the user's own",
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


REAL_TASKS: dict[str, NamedTask] = {
    "google": NamedTask(
        "Google daily price 2004-2013, 1 to 10 trading days ahead", google, FreeRunOptions
    ),
    "wind": NamedTask(
        "hourly wind speed at La Haute Borne, 1 to 24 hours ahead", wind, FreeRunOptions
    ),
}
