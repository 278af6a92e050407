"""The running estimate of the largest exponent against measured time, a panel per condition."""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    LAMBDA_INF,
    few,
    mean_over_seeds,
    over_seeds,
    panel_grid,
    rows_of,
    say_spread,
    shared_legend,
    zero_line,
)
from hrsnn_brian.figures.scans import VALUE_COLOURS, scans
from hrsnn_brian.figures.style import house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = ("network", "J", "g", "seed", "index", "time_s", "reason")
_FINAL = ("network", "J", "g", "seed", "index", "standard_error_per_s")
LINES = 4  # values of J


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the "history" rows of a table of the study lyapunov_spectrum.

    Lines: mean over seeds of the largest exponent's estimate. Bands: its standard error over
    seeds. Bars at the end: the standard error over independent input segments, as the study
    reports it, averaged over seeds. A history whose checks failed is dotted and without a bar.

    Returns one axes per condition. ax: those axes; None makes a figure.
    Raises InputError if columns or rows are missing or axes too few.
    """
    rows = rows_of(table, "quantity", "history", _COLUMNS, ("value_per_s",))
    rows = rows[rows["index"] == 1]
    found = rows_of(table, "quantity", "spectrum", _FINAL)
    scan, *_ = scans(rows)
    conditions = list(rows["network"].unique())
    with house_style():
        axes = panel_grid(ax, (1, len(conditions)), (2.6, 2.7), sharey=True)
        for axis, condition in zip(axes, conditions, strict=True):
            zero_line(axis)
            for k, J in enumerate(few(scan.values, LINES)):
                history = scan.at(J)
                final = found[(found["index"] == 1) & (found["J"] == J)]
                final = final[final["g"].isin(history["g"].unique())]
                colour = VALUE_COLOURS[k % len(VALUE_COLOURS)]
                _draw_line(
                    axis,
                    history[history["network"] == condition],
                    final[final["network"] == condition],
                    colour,
                    f"J = {J:.3g}",
                    k,
                )
            axis.set_title(f"{condition}, {scan.fixed}", loc="left")
            axis.set_xlabel("measured time per segment (s)")
        axes[0].set_ylabel(f"estimate of {LAMBDA_INF} (1/s)")
        if ax is None:
            shared_legend(axes, 4)
            bars = "; bars at the end: standard error over input segments"
            say_spread(axes, rows["seed"].nunique(), bars)
    return axes


def _draw_line(
    axis: "Axes",
    history: "pd.DataFrame",
    final: "pd.DataFrame",
    colour: str,
    label: str,
    place: int,
) -> None:
    if history.empty:
        return
    points = over_seeds(history, "time_s", "value_per_s")
    times, mean, sem = points["time_s"], points["mean"], points["sem"]
    failed = bool(history["reason"].notna().any())
    axis.plot(times, mean, color=colour, label=label, linestyle=":" if failed else "-", zorder=3)
    axis.fill_between(times, mean - sem, mean + sem, color=colour, alpha=0.2, linewidth=0)
    if failed or final.empty:
        axis.plot([], [], color=colour, linestyle=":", label="a check failed")
        return
    end = float(times.iloc[-1])
    axis.errorbar(
        [end * (1.03 + 0.025 * place)],
        [mean.iloc[-1]],
        yerr=[mean_over_seeds(final, "standard_error_per_s")],
        color=colour,
        marker="_",
        capsize=2,
        elinewidth=1,
        zorder=4,
    )
