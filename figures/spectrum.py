"""Lyapunov exponents against their index, per condition: a panel for each of a few J and g."""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    draw_means,
    few,
    label_x,
    mean_over_seeds,
    over_seeds,
    panel_grid,
    rows_of,
    say_spread,
    shared_legend,
    zero_line,
)
from hrsnn_brian.figures.scans import condition_styles, scans
from hrsnn_brian.figures.style import house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = ("network", "J", "g", "seed", "index")
_VALUES = ("value_per_s", "rate_hz")
PANELS = 3  # of each scan
_INDEX = "index of the exponent"


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the "spectrum" rows of a table of the study lyapunov_spectrum.

    Returns one axes per shown J (and below them per shown g), at most `PANELS` of each; those
    that a short scan leaves empty are hidden. ax: those axes, row by row; None makes a figure.
    Raises InputError if columns or rows are missing or axes too few.
    """
    rows = rows_of(table, "quantity", "spectrum", _COLUMNS, _VALUES)
    varied = scans(rows)
    shown = [(scan, few(scan.values, PANELS)) for scan in varied]
    columns = max(len(values) for _, values in shown)
    with house_style():
        axes = panel_grid(ax, (len(shown), columns), (2.5, 2.3), sharex=True, sharey=True)
        for number, (scan, values) in enumerate(shown):
            line = axes[number * columns : (number + 1) * columns]
            for axis, value in zip(line, values, strict=False):
                _draw_panel(axis, scan.at(value), condition_styles(rows))
                axis.set_title(f"{scan.name} = {value:.3g}, {scan.fixed}", loc="left", pad=16)
            for axis in line[len(values) :]:
                axis.set_visible(False)
        if ax is None:
            shared_legend(axes, 5)
            more = "; above each panel: mean rates, or that a check failed"
            say_spread(axes, rows["seed"].nunique(), more)
    for axis in axes:
        axis.label_outer()
    if len(shown) > 1:  # where the scan below is the shorter one, the axis above has the labels
        label_x(axes[len(shown[1][1]) : columns], _INDEX)
    return axes


def _draw_panel(axis: "Axes", rows: "pd.DataFrame", styles: dict[str, tuple[str, str]]) -> None:
    zero_line(axis)
    for k, (name, (colour, marker)) in enumerate(styles.items()):
        of_condition = rows[rows["network"] == name]
        if of_condition.empty:
            continue
        points = over_seeds(of_condition, "index", "value_per_s")
        failed = bool(points["mean"].isna().any())
        thin = {"markersize": 3.5, "capsize": 1.5, "elinewidth": 0.8}
        style = {"color": colour, "marker": marker, "label": name, "zorder": 3}
        draw_means(axis, points["index"], points, **style, **thin)
        note = "failed" if failed else f"{mean_over_seeds(of_condition, 'rate_hz'):.0f} Hz"
        axis.text(k / len(styles), 1.01, note, color=colour, va="bottom", fontsize=8,
                  transform=axis.transAxes)  # fmt: skip
    axis.set_xlabel(_INDEX)
    axis.set_ylabel("exponent (1/s)")
