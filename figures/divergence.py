"""ln distance of a perturbation left alone, with the fitted window and its slope."""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    few,
    panel_grid,
    per_seed,
    rows_of,
    say_spread,
    standard_error,
)
from hrsnn_brian.figures.scans import VALUE_COLOURS, scans
from hrsnn_brian.figures.style import BLACK, house_style
from hrsnn_brian.files.tables import require_numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = ("network", "J", "g", "seed")
_FIT = ["seed", "value_per_s", "start_s", "end_s", "ln_distance"]
LINES = 3  # values of J


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the "divergence" and "fit" rows of a table of the study lyapunov_spectrum.

    Thin: one curve per seed. Black dashes: the line fitted to each, over its window. The legend
    gives the slope, mean and standard error over seeds, or how many seeds have no window.

    Returns one axes per condition. ax: those axes; None makes a figure.
    Raises InputError if columns or rows are missing or axes too few.
    """
    curves = rows_of(table, "quantity", "divergence", (*_COLUMNS, "time_s"), ("ln_distance",))
    fits = rows_of(table, "quantity", "fit", (*_COLUMNS, *_FIT[:-1]))
    require_numbers(fits, ["ln_distance"])
    scan, *_ = scans(curves)
    fitted = fits[fits["g"].isin(scan.rows["g"].unique())]
    conditions = list(curves["network"].unique())
    with house_style():
        axes = panel_grid(ax, (1, len(conditions)), (2.7, 3.0), sharey=True)
        for axis, condition in zip(axes, conditions, strict=True):
            for k, J in enumerate(few(scan.values, LINES)):
                here = scan.at(J)
                lines = fitted[(fitted["J"] == J) & (fitted["network"] == condition)]
                colour = VALUE_COLOURS[k % len(VALUE_COLOURS)]
                _draw_curves(axis, here[here["network"] == condition], colour)
                _draw_fits(axis, lines, colour, f"J = {J:.3g}")
            axis.set_title(f"{condition}, {scan.fixed}", loc="left")
            axis.set_xlabel("time since the perturbation (s)")
            axis.legend(loc="upper left", fontsize=8, handlelength=1.2)
            axis.margins(y=0.02)
        axes[0].set_ylabel("ln distance (distance in mean thresholds)")
        low, high = axes[0].get_ylim()
        axes[0].set_ylim(low, high + 0.4 * (high - low))  # room for the legends
        if ax is None:
            more = " of the slopes (1/s); one curve per seed; dashed: fitted windows"
            say_spread(axes, curves["seed"].nunique(), more)
    return axes


def _draw_curves(axis: "Axes", rows: "pd.DataFrame", colour: str) -> None:
    for _, curve in per_seed(rows, ["time_s"], "ln_distance").groupby("seed"):
        axis.plot(curve["time_s"], curve["ln_distance"], color=colour, linewidth=0.9, alpha=0.8)


def _draw_fits(axis: "Axes", fits: "pd.DataFrame", colour: str, name: str) -> None:
    per_seed(fits, [], "value_per_s")  # one slope per seed
    fits = fits[_FIT].drop_duplicates("seed")
    valid = fits[fits["value_per_s"].notna()]
    for slope, start, end, level in valid[
        ["value_per_s", "start_s", "end_s", "ln_distance"]
    ].itertuples(index=False):
        axis.plot([start, end], [level, level + slope * (end - start)], color=BLACK,
                  linestyle="--", linewidth=1, zorder=4)  # fmt: skip
    missing, slope = len(fits) - len(valid), valid["value_per_s"]
    text = f"{slope.mean():.1f} ± {standard_error(slope):.1f}".replace("-", "−")
    if missing:
        text = f"no window in {missing} of {len(fits)} seeds"
    axis.plot([], [], color=colour, label=f"{name}: {text}")
