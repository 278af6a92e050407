"""Real series as tasks: the shipped ones [paper], and the user's own; splits are our choice."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.settings.fields import OptionalText
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.named import FreeRunOptions, Horizons, NamedTask
from hrsnn_brian.tasks.scores import unit_word
from hrsnn_brian.tasks.series import (
    MIN_SAMPLES,
    Reading,
    Series,
    google_series,
    read_series,
    wind_series,
)
from hrsnn_brian.tasks.split_series import VPT_THRESHOLD, VptProtocol

DAY_AHEAD = (1, 3, 6, 12, 24)  # horizons of an hourly series, our choice
TWO_TRADING_WEEKS = (1, 2, 5, 10)  # horizons of a daily price, our choice


@dataclass(frozen=True)
class PriceOptions(FreeRunOptions):
    """Of a daily price."""

    horizons: Horizons = Horizons(*TWO_TRADING_WEEKS).about("how far ahead is predicted", "rows")


@dataclass(frozen=True)
class HourlyOptions(FreeRunOptions):
    """Of an hourly series."""

    horizons: Horizons = Horizons(*DAY_AHEAD).about("how far ahead is predicted", "rows")


@dataclass(frozen=True)
class OwnOptions(HourlyOptions):
    """Of a series of the user's own."""

    unit: OptionalText = OptionalText("a unit such as m/s or EUR, or 1 for none").about(
        "of what is predicted; the column's name unless given"
    )
    target: OptionalText = OptionalText("a column").about(
        "the one column that is predicted of those shown; all of them unless given"
    )


def google(seed: int, **options: Any) -> ForecastTask:
    """Google's daily closing price, US dollars, 1 to 10 trading days ahead.

    The data are fixed: `seed` is accepted for uniformity. The test block reaches prices beyond
    the training block; persistence is the score to beat.
    """
    series = Series(google_series()[:, None], step="1 trading day")
    return _real_series("google", series, PriceOptions(**options), "USD", "trading days")


def wind(seed: int, **options: Any) -> ForecastTask:
    """Hourly wind speed at La Haute Borne, m/s, 1 to 24 hours ahead. `seed` changes nothing."""
    series = Series(wind_series()[:, None], step="1 h")
    return _real_series("wind", series, HourlyOptions(**options), "m/s", "h")


def own_series_task(
    path: str | Path,
    column: str | Sequence[str],
    reading: Reading | None = None,
    **options: Any,
) -> ForecastTask:
    """Columns of the user's CSV file under the protocol of `wind`, in the data's own units.

    column: one or several, shown together; all are predicted, or the one that is the `target`. A
    target beside other columns has no closed loop: nothing would predict those. Where several are
    predicted and no unit is given, each has an RMSE of its own. reading: see `Reading`. options:
    the fields of `OwnOptions` (quick, starts, horizons, unit, target).

    Where rows are missing or a sensor is stuck the series is cut: the network is put back into its
    initial state there, as many rows as of the washout are left out after it, and no target and no
    free run crosses it. What is odd about the file (`task.remarks`) is also a `UserWarning`.

    Raises InputError as `read_series` does, and for options that do not fit the series.
    """
    chosen = OwnOptions(**options)
    series = read_series(path, column, reading)
    if chosen.unit is not None and chosen.unit != "1" and not unit_word(chosen.unit):
        allowed = "must have letters, such as m/s or EUR, or be 1 for none"
        raise InputError("unit", chosen.unit, allowed)
    if chosen.target is not None and chosen.target not in series.names:
        raise unknown_name("target", chosen.target, series.names)
    shown = "+".join(series.names)
    several = len(series.names) > 1
    name = f"{chosen.target} from {shown}" if chosen.target and several else shown
    unit = chosen.unit or (chosen.target or ("1" if several else shown))
    task = _real_series(f"{Path(path).stem}:{name}", series, chosen, unit, "samples")
    for remark in task.remarks:
        warnings.warn(remark, stacklevel=2)
    return task


def _real_series(
    name: str, series: Series, options: FreeRunOptions, unit: str, time_unit: str
) -> ForecastTask:
    """Chronological split: up to 100 samples of washout, 70 % of the rest train, 30 % test.

    The free runs last 48 samples; VPT uses the threshold 0.4 training standard deviations.
    """
    horizons, whole = options.horizons, len(series.values)
    washout = min(100, whole // 20)
    series = series.without_short_segments(washout + max(horizons) + 1)
    n = len(series.values)
    if n < MIN_SAMPLES:
        left = f"in segments that are long enough {n} rows are left of {whole}, at least "
        why = f"{left}{MIN_SAMPLES} are needed: {'; '.join(series.remarks)}"
        raise InputError("data", name, why)
    train = round(0.7 * (n - washout))
    test = n - washout - train
    furthest = min(test, train - train // 5) - 1
    if max(horizons) > furthest:
        allowed = f"must be whole numbers from 1 to {furthest} for {n} samples"
        raise InputError("horizons", list(horizons), allowed)
    target = options.target if isinstance(options, OwnOptions) else None
    outputs = () if target is None else (series.names.index(target),)
    mixed = isinstance(options, OwnOptions) and options.unit is None and not outputs
    task = ForecastTask(
        name=name,
        description=REAL_TASKS[name].description
        if name in REAL_TASKS
        else f"{name}, a series of the user's own",
        unit=unit,
        step=series.step,
        series=series.values,
        horizons=horizons,
        washout=washout,
        train=train,
        validation=train // 5,
        test=test,
        predict_increment=True,
        remarks=series.remarks,
        outputs=outputs,
        names=series.names if mixed and len(series.names) > 1 else (),
        variables=series.names,
        cuts=series.cuts,
    )
    runs_freely = 1 in horizons and task.outputs == task.inputs
    return _with_free_runs(task, options, time_unit) if runs_freely else task


def _with_free_runs(task: ForecastTask, options: FreeRunOptions, time_unit: str) -> ForecastTask:
    """As many as asked for; unless asked for, as many as there is room for between the cuts."""
    quick = options.quick
    vpt = VptProtocol(
        starts=options.starts if options.starts is not None else (10 if quick else 20),
        warmup=50 if quick else 100,
        max_steps=48,
        threshold=VPT_THRESHOLD,
        steps_per_unit=1.0,
        unit=time_unit,
        cap=48.0,
    )
    possible = len(task.free_starts(vpt))
    if options.starts is None and task.cuts and possible < vpt.starts:
        if not possible:
            remark = f"no segment of the test block has room for a free run of {vpt.max_steps} rows"
            return replace(task, remarks=(*task.remarks, remark))
        vpt = replace(vpt, starts=possible)
    return replace(task, vpt=vpt)


REAL_TASKS: dict[str, NamedTask] = {
    "google": NamedTask(
        "Google daily price 2004-2013, 1 to 10 trading days ahead", google, PriceOptions
    ),
    "wind": NamedTask(
        "hourly wind speed at La Haute Borne, 1 to 24 hours ahead", wind, HourlyOptions
    ),
}
