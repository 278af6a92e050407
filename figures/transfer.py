"""One pruned network on every task: scores relative to the unpruned one, and against the cost.

Left: task by task, mean and standard error over seeds of the score over that of the unpruned
network of the same seed; of an error the inverse, so that above 1 is better everywhere. Right: the
mean over the tasks against the synaptic events that the network needs of those of the unpruned one,
each task small. Filled: the readout alone is trained; open: the network too. Dashed: the mean over
the tasks of a network without synaptic events, which has no place on the logarithmic axis.
"""

from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import (
    given_axes,
    judged_by,
    records,
    require,
    say_spread,
    shared_legend,
    standard_error,
)
from hrsnn_brian.figures.style import (
    BLACK,
    GREY,
    house_style,
    new_figure,
    open_log_x,
    recipe_style,
)
from hrsnn_brian.files.columns import FULL, NAME
from hrsnn_brian.statistics.paired_seeds import BySeed, Seeds, by_seed, left_out, relative

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "task", "network", "recipe", "readout", "note", "training")
_EVENTS = "synaptic_events_per_sample"
_UNTRAINED = "none"
_FULL_MARK: dict[str, Any] = {"marker": "*", "color": BLACK, "markersize": 9}
_LABEL = "score relative to the unpruned network\n(of an error its inverse; above 1 is better)"


@dataclass(frozen=True)
class _Style:
    """How one network looks. place: among all, for its shift."""

    name: str
    colour: str
    shape: str
    filled: bool
    place: int

    def marks(self, size: float) -> dict[str, Any]:
        fill = self.colour if self.filled else "white"
        return {
            "color": self.colour,
            "marker": self.shape,
            "markerfacecolor": fill,
            "markersize": size,
            "linestyle": "none",
        }


def draw(table: "pd.DataFrame", ax: Any = None, readout: str = "spikes") -> "list[Axes]":
    """Draws a table of the study transfer: scores by task, and their mean against the cost.

    ax: two axes; None makes a figure. Raises InputError if columns, rows or scores are missing, or
    the axes are no two.
    """
    table = require(table, _NEEDED, (_EVENTS,))
    rows = table[table["readout"] == readout]
    trained = rows["training"]
    name = rows[NAME].where(trained == _UNTRAINED, rows[NAME] + ", " + trained)
    rows = rows.assign(**{NAME: name})
    if FULL not in set(name):
        raise TableError("table", f"readout {readout}", f"has no rows of the {FULL} network")
    tasks = [str(task) for task in rows["task"].unique()]
    scores, costs, missing = _ratios(rows, tasks)
    styles = _styles(rows)
    with house_style():
        if ax is None:
            widths = [max(2.5, 0.95 * len(tasks)), 2.9]
            figure = new_figure(0.7 + sum(widths), 4.4)
            axes = list(figure.subplots(1, 2, width_ratios=widths, sharey=True))
        else:
            axes = given_axes(ax, 2, "scores by task and against the cost")
        _draw_tasks(axes[0], scores, styles)
        _draw_costs(axes[1], scores, costs, styles)
        if ax is None:
            shared_legend(axes, 4)
            more = f"; readout: {readout} and present input{left_out(missing)}"
            say_spread(axes, rows["seed"].nunique(), more)
    return axes


def _ratios(
    rows: "pd.DataFrame", tasks: list[str]
) -> tuple[dict[str, BySeed], dict[str, BySeed], list[Seeds]]:
    """By task: scores and events relative to the full network; and the seeds behind them."""
    scores, costs = {}, {}
    for task in tasks:
        of_task = rows[rows["task"] == task]
        judged = judged_by(of_task)
        seen = records(of_task)
        scores[task] = relative(by_seed(seen, NAME, judged.name), FULL, judged.better)
        costs[task] = relative(by_seed(seen, NAME, _EVENTS), FULL, "higher")
    return scores, costs, [found for of_task in scores.values() for found in of_task.values()]


def _styles(rows: "pd.DataFrame") -> list[_Style]:
    """Of all networks but the full one, which is the line at 1; a recipe keeps its looks."""
    pairs = rows[[NAME, "recipe", "network", "training"]].drop_duplicates(NAME)
    found: list[_Style] = []
    for _, row in pairs.iterrows():
        name, training = str(row[NAME]), str(row["training"])
        if name == FULL:
            continue
        kind = name.removesuffix(f", {training}")
        filled = training == _UNTRAINED
        look = recipe_style(kind)
        found.append(_Style(name, look["color"], look["marker"], filled, len(found)))
    return found


def _draw_tasks(axis: "Axes", scores: dict[str, BySeed], styles: list[_Style]) -> None:
    axis.axhline(1.0, color=BLACK, linewidth=1, zorder=1)
    # in the legend the line at 1 and the star that stands on it among the costs are one
    axis.plot([], [], label=f"{FULL} (1 by definition)", linewidth=1, **_FULL_MARK)
    step = 0.8 / max(1, len(styles))
    for style in styles:
        points = [
            (k + step * (style.place - (len(styles) - 1) / 2), [*found.values()])
            for k, of_task in enumerate(scores.values())
            if (found := of_task.get(style.name))
        ]
        axis.errorbar(
            [x for x, _ in points],
            [mean(values) for _, values in points],
            yerr=[_error(values) for _, values in points],
            capsize=2,
            elinewidth=1,
            label=style.name,
            zorder=3,
            **style.marks(5),
        )
    for k in range(1, len(scores)):
        axis.axvline(k - 0.5, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
    axis.set_xlim(-0.5, len(scores) - 0.5)
    axis.set_ylim(bottom=0)
    axis.set_xticks(range(len(scores)), [*scores], rotation=25, ha="right")
    axis.set_ylabel(_LABEL)
    axis.set_title("task by task", loc="left")


def _draw_costs(
    axis: "Axes", scores: dict[str, BySeed], costs: dict[str, BySeed], styles: list[_Style]
) -> None:
    """The mean over the tasks, of seeds that have a score on every one; small: each task."""
    axis.axhline(1.0, color=BLACK, linewidth=1, zorder=1)
    axis.plot(1.0, 1.0, linestyle="none", zorder=4, **_FULL_MARK)
    for style in styles:
        of_tasks = [
            (scores[task].get(style.name, Seeds()), costs[task].get(style.name, Seeds()))
            for task in scores
        ]
        seeds = set.intersection(*({*found} for found, _ in of_tasks))
        if not seeds:
            continue
        whole = [mean(found[seed] for found, _ in of_tasks) for seed in sorted(seeds)]
        spent = [cost[s] for _, cost in of_tasks for s in cost]
        if not any(spent):  # no synapse, and no place on a logarithmic axis
            label = f"{style.name}, mean (no events)"
            look: dict[str, Any] = {"color": style.colour, "linestyle": "--", "linewidth": 1}
            axis.axhline(mean(whole), zorder=1, label=label, **look)
            continue
        for found, cost in of_tasks:
            if found and cost:
                marks = style.marks(3) | {"alpha": 0.35}
                axis.plot(mean(cost.values()), mean(found.values()), zorder=2, **marks)
        axis.errorbar(
            mean(spent),
            mean(whole),
            yerr=_error(whole),
            capsize=2,
            elinewidth=1,
            zorder=3,
            **style.marks(7),
        )
    open_log_x(axis)
    axis.set_xlabel("synaptic events per sample or image,\nof those of the unpruned network (log)")
    axis.set_title("mean of the tasks (small: each)", loc="left")


def _error(values: list[float]) -> float:
    import pandas as pd

    return standard_error(pd.Series(values))
