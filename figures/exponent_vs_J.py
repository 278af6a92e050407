"""lambda_inf and rate against J (and against g), per condition: where stability ends.

The finest dt is joined by lines, the others are hollow beside it. A condition in which a check
failed has no number: a cross at the lower edge marks it.
"""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    LAMBDA_INF,
    draw_means,
    over_seeds,
    panel_grid,
    rows_of,
    say_spread,
    shared_legend,
    zero_line,
)
from hrsnn_brian.figures.scans import Scan, condition_styles, scans
from hrsnn_brian.figures.style import SLATE, house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = ("network", "J", "g", "seed", "dt_ms")
_VALUES = ("value_per_s", "rate_hz")
_LABELS = {
    "J": "strength of excitation J (mean thresholds)",
    "g": "relative strength of inhibition g",
}
_DODGE = 0.006  # of the range of the scan, keeps error bars of conditions apart


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the "exponent" rows of a table of the study lyapunov_spectrum.

    Returns the axes: lambda_inf against J and, if it was varied, g, and below them the rates.
    ax: those axes, row by row; None makes a figure.
    Raises InputError if columns or rows are missing or axes too few.
    """
    rows = rows_of(table, "quantity", "exponent", _COLUMNS, _VALUES)
    varied = scans(rows)
    with house_style():
        axes = panel_grid(ax, (2, len(varied)), (3.4, 2.3), sharex="col", sharey="row")
        for column, scan in enumerate(varied):
            top, bottom = axes[column], axes[column + len(varied)]
            _draw_exponents(top, scan, condition_styles(rows))
            _draw_rates(bottom, scan, condition_styles(rows))
            top.set_title(scan.fixed, loc="left")
            bottom.set_xlabel(_LABELS[scan.name])
            if len(scan.values) < 5:
                bottom.set_xticks(scan.values)
        axes[0].set_ylabel(f"largest exponent {LAMBDA_INF} (1/s)")
        axes[len(varied)].set_ylabel("mean rate (Hz)")
        if ax is None:
            shared_legend(axes, 3)
            say_spread(axes, rows["seed"].nunique())
    return axes


def _places(scan: Scan, styles: dict[str, tuple[str, str]]) -> dict[str, float]:
    width = _DODGE * (scan.values[-1] - scan.values[0])
    return {name: width * (k - (len(styles) - 1) / 2) for k, name in enumerate(styles)}


def _draw_exponents(axis: "Axes", scan: Scan, styles: dict[str, tuple[str, str]]) -> None:
    zero_line(axis)
    places = _places(scan, styles)
    steps = sorted(scan.rows["dt_ms"].unique())
    failed: list[float] = []
    for name, (colour, marker) in styles.items():
        of_condition = scan.rows[scan.rows["network"] == name]
        for k, dt in enumerate(steps):
            points = over_seeds(of_condition[of_condition["dt_ms"] == dt], scan.name, "value_per_s")
            failed += [
                float(x) for x in points.loc[points["mean"].isna(), scan.name] + places[name]
            ]
            other = {"yerr": None, "markerfacecolor": "white", "linestyle": "none"} if k else {}
            label, place = "_other step" if k else name, places[name] * (1 + 2 * k)
            style = {"color": colour, "marker": marker, "label": label, "zorder": 3 - k}
            draw_means(axis, points[scan.name] + place, points, **style, **other)
    axis.plot([], [], color=SLATE, marker="o", label=f"dt = {steps[0]:g} ms")
    for dt in steps[1:]:
        axis.plot([], [], color=SLATE, marker="o", markerfacecolor="white", linestyle="none",
                  label=f"dt = {dt:g} ms")  # fmt: skip
    if failed:
        edge = axis.get_xaxis_transform()
        axis.plot(failed, [0.03] * len(failed), "x", color=SLATE, transform=edge, clip_on=False,
                  label="a check failed (no number)")  # fmt: skip


def _draw_rates(axis: "Axes", scan: Scan, styles: dict[str, tuple[str, str]]) -> None:
    places = _places(scan, styles)
    finest = scan.rows[scan.rows["dt_ms"] == scan.rows["dt_ms"].min()]
    for name, (colour, marker) in styles.items():
        points = over_seeds(finest[finest["network"] == name], scan.name, "rate_hz")
        x = points[scan.name] + places[name]
        draw_means(axis, x, points, color=colour, marker=marker, label=name)
    axis.set_ylim(bottom=0)
