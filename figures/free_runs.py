"""Predictions that feed themselves: a series, true and predicted, and the attractor they draw.

A row of panels per network, each from the start of median valid prediction time. Black: what
the series did; coloured: the free run; dashed: its valid prediction time. At the right both against
themselves a while before, so that a path of one variable shows its attractor.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.figures.panels import given_axes, require, say_above
from hrsnn_brian.figures.style import BLACK, GREY, house_style, new_figure, recipe_style
from hrsnn_brian.files.columns import NAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "task", "network", "recipe", "time", "unit", "starts")
_VALUES = ("truth", "predicted", "valid")
_AIR = 0.25  # of the range of the series, above and below it


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the table free_runs: two axes per network, the path in time and the attractor.

    ax: as many axes, row by row; None makes a figure. Raises InputError if a column is missing or
    the axes are too few.
    """
    table = require(table, _NEEDED, _VALUES)
    table = table[table["seed"] == table["seed"].min()]
    groups = [(str(name), rows) for name, rows in table.groupby(NAME, sort=False)]
    unit, task = (str(table[column].iloc[0]) for column in ("unit", "task"))
    low, high = table["truth"].min(), table["truth"].max()
    limits = (low - _AIR * (high - low), high + _AIR * (high - low))
    with house_style():
        if ax is None:
            figure = new_figure(7.2, 0.8 + 1.05 * len(groups))
            grid = figure.subplots(
                len(groups), 2, width_ratios=(3.2, 1), squeeze=False, sharex="col"
            )
            axes = list(grid.flat)
        else:
            axes = given_axes(ax, 2 * len(groups), "two per network")
        for k, (name, rows) in enumerate(groups):
            _draw_path(axes[2 * k], rows, name, unit)
            _draw_attractor(axes[2 * k + 1], rows, name)
            for axis in axes[2 * k : 2 * k + 2]:
                axis.set_ylim(*limits)
        axes[-2].set_xlabel(f"time since the prediction feeds itself ({unit})")
        axes[-1].set_xlabel("earlier by the lag (s.d.)")
        for path, attractor in zip(axes[::2], axes[1::2], strict=True):
            path.set_ylabel("series (s.d.)")
            attractor.set_ylabel("now (s.d.)")
        axes[-1].set_xlim(*limits)
        if ax is None:
            seed = int(table["seed"].iloc[0])
            starts = int(table["starts"].iloc[0])
            say_above(
                axes,
                f"{task}, seed {seed}: of {starts} starts the one of median valid time; in "
                "training s.d.\nblack: the series; coloured: predicted; dashed: valid until here",
            )
    return axes


def _draw_path(axis: "Axes", rows: "pd.DataFrame", name: str, unit: str) -> None:
    axis.plot(rows["time"], rows["truth"], color=BLACK, linewidth=0.9, label="series", zorder=2)
    colour = recipe_style(name)["color"] if name != "full" else GREY
    axis.plot(rows["time"], rows["predicted"], color=colour, linewidth=1.1, label=name, zorder=3)
    valid = float(rows["valid"].iloc[0])
    axis.axvline(valid, color=colour, linestyle="--", linewidth=1.2, zorder=1)
    axis.set_title(f"{name}: valid for {valid:.2f} {unit}", loc="left", pad=3)
    axis.margins(x=0.01)


def _draw_attractor(axis: "Axes", rows: "pd.DataFrame", name: str) -> None:
    truth, predicted = rows["truth"].to_numpy(float), rows["predicted"].to_numpy(float)
    lag = turning_lag(truth)
    colour = recipe_style(name)["color"] if name != "full" else GREY
    axis.plot(truth[:-lag], truth[lag:], color=BLACK, linewidth=0.5, alpha=0.6)
    axis.plot(predicted[:-lag], predicted[lag:], color=colour, linewidth=0.8)
    spacing = float(rows["time"].diff().median())
    axis.set_title(f"lag {lag * spacing:.2g}", loc="left", pad=3)


def turning_lag(series: "np.ndarray[Any, Any]") -> int:
    """The first lag at which the autocorrelation of the series is below 1/e, at least 1."""
    x = series - series.mean()
    if not x.any():
        return 1
    full = np.correlate(x, x, mode="full")[len(x) - 1 :]
    below = np.flatnonzero(full / full[0] < np.exp(-1))
    return max(1, int(below[0]) if below.size else 1)
