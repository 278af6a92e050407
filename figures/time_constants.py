"""Time constants before and after the search, neuron by neuron, and the search itself.

A row per recipe that searches. Left: neurons that stayed; on the line nothing changed. Right:
every trial of every search, joined by the best so far; a cross at the bottom is one that failed.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import panel_grid, require, say_above
from hrsnn_brian.figures.style import BLUE, GREY, LINES, MARKERS, VERMILION, house_style
from hrsnn_brian.files.columns import FULL, NAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEURONS = ("seed", "network", "recipe", "neuron", "class")
_TRIALS = ("seed", "network", "recipe", "iteration", "trial")


def draw(neurons: "pd.DataFrame", trials: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the tables neurons and timescale_search: two axes per recipe that searched.

    ax: those axes, row by row; None makes a figure. Raises InputError if a column or a network is
    missing, or the axes are too few.
    """
    neurons, trials = require(neurons, _NEURONS, ("tau_m_ms",)), require(trials, _TRIALS)
    recipes = [str(name) for name in trials["recipe"].unique()]
    for name in (FULL, *recipes):
        if name not in set(neurons[NAME]):
            raise TableError("table", sorted(set(neurons[NAME])), f"has no network {name}")
    with house_style():
        axes = panel_grid(ax, (len(recipes), 2), (3.1, 2.3))
        for k, recipe in enumerate(recipes):
            _draw_neurons(axes[2 * k], neurons, recipe)
            _draw_trials(axes[2 * k + 1], trials[trials["recipe"] == recipe])
        if ax is None:
            seed = int(trials["seed"].iloc[0])
            say_above(axes, f"the search of time constants (step 4), seed {seed}")
    return axes


def _draw_neurons(axis: "Axes", neurons: "pd.DataFrame", recipe: str) -> None:
    before = neurons[neurons[NAME] == FULL].set_index("neuron")["tau_m_ms"]
    after = neurons[neurons[NAME] == recipe]
    top = 1.05 * max(before.max(), after["tau_m_ms"].max())
    axis.plot([0, top], [0, top], color=GREY, linewidth=0.8, zorder=1)
    for kind, word, colour in (("E", "excitatory", BLUE), ("I", "inhibitory", VERMILION)):
        mine = after[after["class"] == kind]
        axis.scatter(before.reindex(mine["neuron"]), mine["tau_m_ms"], s=9, linewidths=0,
                     alpha=0.7, color=colour, label=word, zorder=2)  # fmt: skip
    axis.set(xlim=(0, top), ylim=(0, top), xlabel="time constant before (ms)")
    axis.set_ylabel("after (ms)")
    axis.set_title(f"{recipe}: {len(after)} neurons that stayed", loc="left")
    axis.legend(fontsize=8, handletextpad=0.2)


def _draw_trials(axis: "Axes", trials: "pd.DataFrame") -> None:
    from matplotlib.ticker import MaxNLocator

    for k, (iteration, rows) in enumerate(trials.groupby("iteration")):
        rows = rows.sort_values("trial")
        best = rows["objective"].cummax().ffill()
        colour = LINES[k % len(LINES)]
        axis.step(rows["trial"], best, where="post", color=colour, linewidth=1,
                  label=f"iteration {iteration}, best so far")  # fmt: skip
        axis.plot(rows["trial"], rows["objective"], MARKERS[k % len(MARKERS)], color=colour)
        failed = rows[rows["objective"].isna()]["trial"]
        axis.plot(failed, np.full(len(failed), 0.03), "x", color=colour, markersize=5,
                  transform=axis.get_xaxis_transform())  # fmt: skip
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set(xlabel="trial (0: as it was)", ylabel=r"objective, $-|\lambda_1|$ (1/s)")
    axis.margins(y=0.2)
    axis.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
