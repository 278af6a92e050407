"""Recipes at equal size: a line per recipe, a panel per task, and one for the synaptic operations.

Points and bars: mean and standard error over the seeds that reached the size, in the colour of the
recipe's family; open points at the rate of the unpruned network, on the task if the table has that,
else under noise. Vertical: the unpruned network and the one without recurrence, with their standard
errors as bands. One row of panels for each fraction of neurons.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.equal_size import (
    OPS,
    RAW,
    REFERENCES,
    best_first,
    called,
    equal_size,
    percent,
)
from hrsnn_brian.figures.panels import (
    panel_grid,
    per_seed,
    say_spread,
    seeds_of,
    shared_legend,
    standard_error,
)
from hrsnn_brian.figures.style import GREY, SLATE, filled, house_style, recipe_style
from hrsnn_brian.files.columns import FULL, NAME, Column
from hrsnn_brian.statistics.paired_seeds import left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_CELL = (NAME, "neuron_fraction", "match")
_SHIFT = 0.14  # of a line, how far points as pruned and rate-matched stand from it


def draw(
    table: "pd.DataFrame", ax: Any = None, readout: str = "spikes", keep: float | None = None
) -> "list[Axes]":
    """Draws a table of the study pruning_methods: for each fraction of neurons its tasks and costs.

    ax: as many axes, row by row; None makes a figure. keep: which fraction of the synapses to
    show, by default the one of the table nearest to 0.05.
    Raises InputError if a column, rows or scores are missing, or the axes are too few.
    """
    found = equal_size(table, readout, keep)
    pruned, scores = found.counted, found.scores()
    missing = [
        seeds
        for task, score in scores.items()
        for seeds in seeds_of(found.pruned[found.pruned["task"] == task], _CELL, [score.name])
    ]
    fractions = sorted(pruned["neuron_fraction"].unique(), reverse=True)
    most = max(pruned[pruned["neuron_fraction"] == f][NAME].nunique() for f in fractions)
    with house_style():
        shape = (len(fractions), len(scores) + 1)
        axes = panel_grid(ax, shape, (2.9, max(2.2, 0.5 + 0.2 * most)))
        for row, fraction in enumerate(fractions):
            _draw_row(
                axes[row * shape[1] : (row + 1) * shape[1]],
                pruned[pruned["neuron_fraction"] == fraction],
                found.references,
                scores,
                f"{percent(fraction)} of neurons,\n{percent(found.keep)} of synapses kept",
            )
        _same_costs(axes[shape[1] - 1 :: shape[1]])
        if ax is None:
            shared_legend(axes, 4)
            more = f"; readout: {readout} and present input; best mean rank on top"
            say_spread(axes, table["seed"].nunique(), more + left_out(missing))
    return axes


def _draw_row(
    axes: "list[Axes]",
    rows: "pd.DataFrame",
    references: "pd.DataFrame",
    scores: dict[str, Column],
    title: str,
) -> None:
    recipes = best_first(rows, scores)
    raw = references[references["match"] == RAW]
    for axis, (task, score) in zip(axes, scores.items(), strict=False):
        _draw_recipes(axis, rows[rows["task"] == task], recipes, score.name)
        for name in REFERENCES:
            found = raw[(raw["task"] == task) & (raw[NAME] == name)]
            _draw_reference(axis, per_seed(found, [], score.name)[score.name].dropna(), name)
        axis.set_xlabel(f"{score.label}\n({score.better} is better)")
        axis.set_title(task, loc="left")
        if axis.dataLim.x0 < axis.dataLim.x1 / 2:  # accuracies would all be one point
            axis.set_xlim(left=0)
    _draw_recipes(axes[-1], _costs(rows), recipes, OPS)
    full = raw[(raw[NAME] == FULL) & raw["task"].isin(scores)]
    _draw_reference(axes[-1], _costs(full)[OPS].dropna(), FULL)
    axes[-1].set_xscale("log")
    axes[-1].set_xlabel("thousand synaptic operations\nper second (log scale)")
    axes[-1].set_title("cost, mean of the tasks", loc="left")
    for axis in axes:
        axis.set_ylim(len(recipes) - 0.4, -0.6)
        axis.set_yticks(range(len(recipes)), recipes if axis is axes[0] else [""] * len(recipes))
        axis.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
    axes[0].set_ylabel(title)


def _costs(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Thousand operations per second, the mean of the tasks of each seed."""
    of_tasks = per_seed(rows, [NAME, "match", "task"], OPS)
    ops = of_tasks.groupby([NAME, "match", "seed"], as_index=False)[OPS].mean()
    return ops.assign(**{OPS: ops[OPS] / 1000})


def _draw_reference(axis: "Axes", values: "pd.Series", name: str) -> None:
    if values.empty:
        return
    colour, dashes = REFERENCES[name]
    mean, error = values.mean(), standard_error(values)
    axis.axvline(mean, color=colour, linestyle=dashes, linewidth=1, label=name, zorder=1)
    axis.axvspan(mean - error, mean + error, color=colour, alpha=0.12, linewidth=0)


def _same_costs(axes: "Sequence[Axes]") -> None:
    """Logarithmic axes of one range, from tick to tick at 1, 2 and 5 of each decade."""
    from matplotlib.ticker import NullLocator

    limits = [axis.get_xlim() for axis in axes]
    low, high = min(a for a, _ in limits), max(b for _, b in limits)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 100 else (1,)
    ticks = [k * 10.0**d for d in decades for k in steps]
    first, last = max(t for t in ticks if t <= low), min(t for t in ticks if t >= high)
    ticks = [t for t in ticks if first <= t <= last]
    for axis in axes:
        axis.set_xlim(first, last)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.xaxis.set_minor_locator(NullLocator())


def _draw_recipes(axis: "Axes", rows: "pd.DataFrame", recipes: list[str], column: str) -> None:
    both = rows[rows["match"] != RAW][column].notna().any()
    for raw in (True, False):
        fill = "full" if raw else "none"
        of_kind = per_seed(rows[(rows["match"] == RAW) == raw], [NAME, "match"], column)
        chosen = of_kind.groupby([NAME, "seed"])[column].mean().dropna().groupby(NAME)
        for k, recipe in enumerate(recipes):
            if recipe not in chosen.groups:
                continue
            values = chosen.get_group(recipe)
            colour = recipe_style(recipe)["color"]
            y = k - (_SHIFT if raw else -_SHIFT) * bool(both)
            axis.errorbar(values.mean(), y, xerr=standard_error(values), linestyle="none",
                          capsize=2, elinewidth=1, zorder=3, color=colour, marker="o",
                          **filled(fill, colour))  # fmt: skip
        if both:
            (name,) = {called(match) for match in rows["match"] if (match == RAW) == raw}
            axis.plot([], [], "o", color=SLATE, label=name, **filled(fill, SLATE))
