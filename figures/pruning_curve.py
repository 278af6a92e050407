"""Score against the fraction of synapses kept: a row of panels per task, a line per recipe.

Lines and bars: mean and standard error over seeds. Horizontal: the controls of the same table, no
recurrence (J = 0, with its standard error as a band), persistence and linear autoregression.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures.panels import (
    given_axes,
    over_seeds,
    per_seed,
    require,
    say_spread,
    scores_of,
    seeds_of,
    shared_legend,
    standard_error,
)
from hrsnn_brian.figures.style import (
    BLACK,
    GREY,
    SLATE,
    house_style,
    new_figure,
    plain_log_x,
    plain_log_y,
    recipe_style,
)
from hrsnn_brian.files.columns import NAME, Column
from hrsnn_brian.statistics.paired_seeds import Seeds, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

CONTROLS = {
    "no recurrence": (BLACK, "--"),
    "persistence": (GREY, ":"),
    "input only": ("#7A5230", (0, (3, 1, 1, 1, 1, 1))),
    "linear AR": (SLATE, "-."),
    "NG-RC": ("#5B8C85", (0, (5, 1))),
}
_NEEDED = ("seed", "task", "network", "recipe", "keep", "readout")
_NO_READOUT = "none"  # of the controls that have none
_DODGE = 0.03  # of the value: keeps the error bars of several methods apart


@dataclass(frozen=True)
class Panel:
    """What one panel shows."""

    task: str
    score: Column


def panels(table: "pd.DataFrame", readout: str = "spikes") -> list[Panel]:
    """The panels of a table: for each task, in order of appearance, the scores of that readout.

    Raises InputError if a column or all rows of the readout are missing, or a task has no score.
    """
    table = require(table, _NEEDED)
    rows = table[table["readout"] == readout]
    if rows.empty:
        raise InputError("readout", readout, f"must be one of {sorted(set(table['readout']))}")
    return [
        Panel(task, score)
        for task in rows["task"].unique()
        for score in scores_of(rows[rows["task"] == task])
    ]


def draw(table: "pd.DataFrame", ax: Any = None, readout: str = "spikes") -> "list[Axes]":
    """Draws a table of the study pruning_curve; returns one axes per panel.

    ax: as many axes as `panels(table)`, in that order (one axes if it is one); None makes a figure.
    readout: which readout's rows to draw.
    Raises InputError if columns or rows of that readout are missing, or axes too few.
    """
    shown = panels(table, readout)
    table = require(table, _NEEDED)
    with house_style():
        each = "one per task and score"
        axes = _new_axes(shown) if ax is None else given_axes(ax, len(shown), each)
        for axis, panel in zip(axes, shown, strict=True):
            _draw_panel(axis, table[table["task"] == panel.task], panel, readout)
        if ax is None:
            _legend(axes, table, shown, readout)
    return axes


def _new_axes(shown: list[Panel]) -> "list[Axes]":
    tasks = list(dict.fromkeys(panel.task for panel in shown))
    per_task = [[panel for panel in shown if panel.task == task] for task in tasks]
    columns = max(map(len, per_task))
    figure = new_figure(0.4 + 2.6 * columns, 0.9 + 2.1 * len(tasks))
    grid = figure.subplots(len(tasks), columns, squeeze=False)
    for row, group in zip(grid, per_task, strict=True):
        for unused in row[len(group) :]:
            unused.remove()
    return [axis for row, group in zip(grid, per_task, strict=True) for axis in row[: len(group)]]


def _draw_panel(axis: "Axes", rows: "pd.DataFrame", panel: Panel, readout: str) -> None:
    column = panel.score.name
    seen = rows[rows["readout"].isin([readout, _NO_READOUT])].dropna(subset=[column])
    methods = _methods(seen)
    for k, method in enumerate(methods):
        points = over_seeds(seen[seen[NAME] == method], "keep", column)
        shift = 1 + _DODGE * (k - (len(methods) - 1) / 2)
        axis.errorbar(
            [keep * shift for keep in points["keep"]],
            points["mean"],
            yerr=points["sem"],
            **recipe_style(method),
            capsize=2,
            elinewidth=1,
            label=method,
            zorder=3,
        )
    for control, (colour, dashes) in CONTROLS.items():
        values = per_seed(seen[seen[NAME] == control], [], column)[column]
        if values.empty:
            continue
        mean, sem = values.mean(), standard_error(values)
        axis.axhline(mean, color=colour, linestyle=dashes, linewidth=1.1, label=control, zorder=2)
        axis.axhspan(mean - sem, mean + sem, color=colour, alpha=0.12, linewidth=0, zorder=1)
    _finish(axis, panel, seen[seen[NAME].isin(methods)]["keep"].unique())


def _finish(axis: "Axes", panel: Panel, keeps: Any) -> None:
    plain_log_x(axis, sorted(float(keep) for keep in keeps))
    axis.set_xlabel("fraction of synapses kept")
    axis.set_ylabel(panel.score.label)
    axis.set_title(f"{panel.task} ({panel.score.better} is better)", loc="left")
    low, high = axis.dataLim.intervaly
    if panel.score.better == "lower" and low > 0 and high > 8 * low:
        plain_log_y(axis)
    elif panel.score.better == "higher":
        axis.set_ylim(0, 1.12 * high)


def _methods(rows: "pd.DataFrame") -> list[str]:
    return [str(method) for method in rows[NAME].unique() if method not in CONTROLS]


def _legend(axes: "list[Axes]", table: "pd.DataFrame", shown: list[Panel], readout: str) -> None:
    shared_legend(axes, 7)
    missing: list[Seeds] = []
    for panel in shown:
        rows = table[(table["task"] == panel.task) & (table["readout"] == readout)]
        missing += seeds_of(rows, (NAME, "keep"), [panel.score.name])
    more = f"; readout: {readout} and present input{left_out(missing)}"
    say_spread(axes, table["seed"].nunique(), more)
