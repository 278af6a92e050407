"""Every model on every series: a panel per task, the best on top, by the score it is judged by.

Points and bars: mean and standard error over the seeds that count. A symbol says what
kind of model it is; pruned networks have the colours of their recipes.
"""

import math
from statistics import mean
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import (
    error_of,
    judged_by,
    panel_grid,
    records,
    require,
    say_spread,
    shared_legend,
)
from hrsnn_brian.figures.style import (
    BLACK,
    GREY,
    SLATE,
    house_style,
    plain_log_x,
    recipe_style,
)
from hrsnn_brian.files.columns import FULL, NAME, PRUNED, Column
from hrsnn_brian.statistics.paired_seeds import BySeed, Seeds, by_seed, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "task", "network", "recipe", "readout", "note")
_NO_READOUT, _RIVAL = "none", "states"  # readouts of models without a network, and of echo states
_PAGE = 6.5  # inches that the legend and the line above the panels need
_PRUNED = "pruned network"
_KINDS = {
    "unpruned network": (BLACK, "D"),
    _PRUNED: (SLATE, "o"),  # in the legend; in the panels each has its recipe's
    "control of the network": (GREY, "s"),
    "without a network": (GREY, "^"),
    "echo-state network, tuned": (SLATE, "v"),
}


def draw(table: "pd.DataFrame", ax: Any = None, readout: str = "spikes") -> "list[Axes]":
    """Draws a table of the study prediction_table: a panel per task.

    ax: as many axes as tasks; None makes a figure. readout: which one of the networks.
    Raises InputError if columns, rows or scores are missing, or the axes are too few.
    """
    table = require(table, _NEEDED)
    rows = table[table["readout"].isin([readout, _NO_READOUT, _RIVAL])]
    if not (rows["readout"] == readout).any():
        raise TableError("table", f"readout {readout}", "has no rows")
    tasks = [str(task) for task in rows["task"].unique()]
    columns = min(3, len(tasks))
    shape = (math.ceil(len(tasks) / columns), columns)
    most = max(rows[rows["task"] == task][NAME].nunique() for task in tasks)
    missing: list[Seeds] = []
    with house_style():
        if ax is None:
            width = max(3.7, _PAGE / columns)
            axes = panel_grid(None, shape, (width, 0.8 + 0.2 * most))
            for unused in axes[len(tasks) :]:
                unused.remove()
            axes = axes[: len(tasks)]
        else:
            axes = panel_grid(ax, (1, len(tasks)), (0, 0))
        for axis, task in zip(axes, tasks, strict=True):
            of_task = rows[rows["task"] == task]
            missing += _draw_task(axis, of_task, judged_by(of_task)).values()
            axis.set_title(task, loc="left")
        if ax is None:
            shared_legend(axes, 3)
            more = f"; readout of networks: {readout} and present input{left_out(missing)}"
            say_spread(axes, table["seed"].nunique(), more)
    return axes


def _draw_task(axis: "Axes", rows: "pd.DataFrame", score: Column) -> BySeed:
    seen = records(rows)
    found = by_seed(seen, NAME, score.name)
    kinds = {row[NAME]: _kind(row) for row in seen}
    shown = {name: mean(seeds.values()) for name, seeds in found.items() if seeds}
    best_first = sorted(shown, key=lambda name: shown[name], reverse=score.better == "higher")
    for kind, (colour, marker) in _KINDS.items():
        names = [name for name in best_first if kinds[name] == kind]
        for name in names:
            axis.errorbar(
                shown[name],
                best_first.index(name),
                xerr=error_of(found[name]),
                linestyle="none",
                marker=marker,
                color=recipe_style(name)["color"] if kind == _PRUNED else colour,
                capsize=2,
                elinewidth=1,
                zorder=3,
            )
        if names:
            axis.plot([], [], marker, color=colour, label=kind)
    axis.set_yticks(range(len(best_first)), best_first)
    axis.set_ylim(len(best_first) - 0.4, -0.6)
    axis.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
    _scale(axis, score, [*shown.values()])
    return found


def _kind(row: dict[str, Any]) -> str:
    network, readout = row["network"], row["readout"]
    if network in (FULL, PRUNED):
        return "unpruned network" if network == FULL else _PRUNED
    if readout == _RIVAL:
        return "echo-state network, tuned"
    return "without a network" if readout == _NO_READOUT else "control of the network"


def _scale(axis: "Axes", score: Column, values: list[float]) -> None:
    """From 0 on; errors of very different size on a logarithmic axis, which says so."""
    log = score.better == "lower" and min(values) > 0 and max(values) > 8 * min(values)
    scale = ", log scale" if log else ""
    axis.set_xlabel(f"{score.label} ({score.better} is better{scale})")
    if not log:
        axis.set_xlim(left=0)
        return
    decades = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    ticks = [k * 10.0**d for d in decades for k in (1, 2, 5)]
    low, high = axis.get_xlim()
    plain_log_x(axis, [tick for tick in ticks if low <= tick <= 1.2 * high])
