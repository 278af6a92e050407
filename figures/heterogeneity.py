"""Score, events, rate and memory against the spread of tau_m, and clusters beside one, per task.

A column of panels per task. Curve: networks that differ in tau_m alone, 0 the homogeneous one.
Right of it: equal thresholds, slower excitatory membranes, the clustered network and one cluster.
All at one mean rate.
"""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    draw_bare,
    draw_means,
    judged_by,
    over_seeds,
    panel_grid,
    records,
    require,
    say_spread,
    seeds_of,
    shared_legend,
)
from hrsnn_brian.figures.style import BLUE, ORANGE, house_style
from hrsnn_brian.files.columns import NAME, NO_RECURRENCE
from hrsnn_brian.statistics.paired_seeds import Seeds, by_seed, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_CV, _EVENTS, _MEMORY = "tau_m_cv", "synaptic_events_per_sample", "memory_capacity"
_BELOW = {
    _EVENTS: "synaptic events\nper sample or image",
    "rate_hz": "mean rate (Hz)",
    _MEMORY: "linear memory capacity\n(samples)",
}
_NEEDED = ("seed", "task", "network", "readout", "note", _CV)


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study heterogeneity: score, events, rate, memory; a column per task.

    Memory is not drawn of tables that lack it. ax: as many axes, row by row; None makes a figure.
    Raises InputError if a column, rows or scores are missing, or the axes are too few.
    """
    table = require(table, _NEEDED, (_EVENTS,))
    tasks = {str(task): rows for task, rows in table.groupby("task", sort=False)}
    scores = {task: judged_by(rows) for task, rows in tasks.items()}
    missing = [
        seeds
        for task, rows in tasks.items()
        for seeds in seeds_of(rows, [NAME], [scores[task].name])
    ]
    below = [name for name in _BELOW if name in table and table[name].notna().any()]
    with house_style():
        axes = panel_grid(ax, (1 + len(below), len(tasks)), (2.7, 2.5))
        for column, (task, rows) in enumerate(tasks.items()):
            panels = axes[column :: len(tasks)]
            counted = rows[rows["note"].isna() | (rows["note"] == "")]
            bare = by_seed(records(counted), NAME, scores[task].name).get(NO_RECURRENCE, Seeds())
            counted = counted[counted[NAME] != NO_RECURRENCE]
            for axis, drawn in zip(panels, (scores[task].name, *below), strict=True):
                _draw_networks(axis, counted, drawn)
                axis.set_ylabel(_BELOW.get(drawn, "") if column == 0 else "")
            draw_bare(panels[0], bare)
            for axis in panels[1:]:
                axis.set_ylim(bottom=0)
            for axis in panels[:-1]:
                axis.set_xlabel("")
                axis.set_xticklabels([])
            panels[0].set_title(task, loc="left")
            panels[0].set_ylabel(f"{scores[task].label}\n({scores[task].better} is better)")
        if ax is None:
            more = "; all networks of a task at one mean rate"
            shared_legend(axes, 1)
            say_spread(axes, table["seed"].nunique(), more + left_out(missing))
    return axes


def _draw_networks(axis: "Axes", rows: "pd.DataFrame", column: str) -> None:
    curve, clusters = rows[rows[_CV].notna()], rows[rows[_CV].isna()]
    points = over_seeds(curve, _CV, column)
    cvs = [float(cv) for cv in points[_CV]]
    draw_means(axis, cvs, points, color=BLUE, marker="o")
    places = {
        str(name): (max(cvs, default=0.0) or 1.0) * (1.25 + 0.2 * k)
        for k, name in enumerate(clusters[NAME].unique())
    }
    means = over_seeds(clusters, NAME, column)
    x = [places[str(name)] for name in means[NAME]]
    draw_means(axis, x, means, color=ORANGE, marker="s", linestyle="none")
    axis.set_xticks([*cvs, *places.values()], [*(f"{cv:g}" for cv in cvs), *places], rotation=90)
    axis.set_xlabel("coefficient of variation of tau_m")
    axis.margins(y=0.15)
