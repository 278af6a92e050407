"""Recipes at equal size: a line per recipe, a panel per task, and one for the synaptic operations.

Points and bars: mean and standard error over the seeds that reached the size, in the colour of the
recipe's family; open points at the rate of the unpruned network. Vertical: the unpruned network and
the one without recurrence, with their standard errors as bands. One row of panels for each
fraction of neurons.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import (
    judged_by,
    panel_grid,
    per_seed,
    require,
    say_spread,
    seeds_of,
    shared_legend,
    standard_error,
)
from hrsnn_brian.figures.style import BLACK, GREY, SLATE, house_style, recipe_style
from hrsnn_brian.files.columns import FULL, NAME, NO_RECURRENCE, UNMATCHED, Column
from hrsnn_brian.statistics.paired_seeds import left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

REFERENCES = {FULL: (BLACK, "-"), NO_RECURRENCE: (GREY, "--")}
RAW = UNMATCHED
_NEEDED = (
    "seed",
    "task",
    "network",
    "recipe",
    "keep",
    "neuron_fraction",
    "match",
    "readout",
    "note",
)
_CELL = (NAME, "neuron_fraction", "match")
_OPS = "synaptic_ops_per_s"
_USUAL_KEEP = 0.05
_SHIFT = 0.14  # of a line, how far points as pruned and rate-matched stand from it


def draw(
    table: "pd.DataFrame", ax: Any = None, readout: str = "spikes", keep: float | None = None
) -> "list[Axes]":
    """Draws a table of the study pruning_methods: for each fraction of neurons its tasks and costs.

    ax: as many axes, row by row; None makes a figure. keep: which fraction of the synapses to
    show, by default the one of the table nearest to 0.05.
    Raises InputError if a column, rows or scores are missing, or the axes are too few.
    """
    table = require(table, _NEEDED, (_OPS,))
    pruned = table[~table[NAME].isin(REFERENCES) & (table["readout"] == readout)]
    keeps = sorted(float(k) for k in pruned["keep"].dropna().unique())
    if not keeps or (keep is not None and keep not in keeps):
        what = f"has no pruned network with keep {keep}" if keeps else "has no pruned network"
        raise TableError("table", f"readout {readout}", what)
    keep = min(keeps, key=lambda k: abs(k - _USUAL_KEEP)) if keep is None else keep
    of_keep = pruned[pruned["keep"] == keep]
    unnoted = pruned["note"].isna() | (pruned["note"] == "")  # read back, an empty cell is NaN
    pruned = pruned[(pruned["keep"] == keep) & unnoted]
    if pruned.empty:
        raise TableError("table", f"keep {keep:g}", "no pruned network reached the size asked for")
    references = table[table[NAME].isin(REFERENCES) & (table["readout"] == readout)]
    scores = {str(task): judged_by(rows) for task, rows in pruned.groupby("task", sort=False)}
    missing = [
        seeds
        for task, score in scores.items()
        for seeds in seeds_of(of_keep[of_keep["task"] == task], _CELL, [score.name])
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
                references,
                scores,
                f"{_percent(fraction)} of neurons,\n{_percent(keep)} of synapses kept",
            )
        _same_costs(axes[shape[1] - 1 :: shape[1]])
        if ax is None:
            shared_legend(axes, 4)
            more = f"; readout: {readout} and present input; best mean rank on top"
            say_spread(axes, table["seed"].nunique(), more + left_out(missing))
    return axes


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _draw_row(
    axes: "list[Axes]",
    rows: "pd.DataFrame",
    references: "pd.DataFrame",
    scores: dict[str, Column],
    title: str,
) -> None:
    recipes = _best_first(rows, scores)
    raw = references[references["match"] == RAW]
    for axis, (task, score) in zip(axes, scores.items(), strict=False):
        _draw_recipes(axis, rows[rows["task"] == task], recipes, score.name)
        for name in REFERENCES:
            found = raw[(raw["task"] == task) & (raw[NAME] == name)]
            _draw_reference(axis, per_seed(found, [], score.name)[score.name].dropna(), name)
        axis.set_xlabel(f"{score.label}\n({score.better} is better)")
        axis.set_title(task, loc="left")
        axis.set_xlim(left=0)
    _draw_recipes(axes[-1], _costs(rows), recipes, _OPS)
    full = raw[(raw[NAME] == FULL) & raw["task"].isin(scores)]
    _draw_reference(axes[-1], _costs(full)[_OPS].dropna(), FULL)
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
    of_tasks = per_seed(rows, [NAME, "match", "task"], _OPS)
    ops = of_tasks.groupby([NAME, "match", "seed"], as_index=False)[_OPS].mean()
    return ops.assign(**{_OPS: ops[_OPS] / 1000})


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


def _best_first(rows: "pd.DataFrame", scores: dict[str, Column]) -> list[str]:
    """Recipes by their mean rank over the tasks, as pruned."""
    raw = rows[rows["match"] == RAW]
    ranks: Any = 0
    for task, score in scores.items():
        of_task = per_seed(raw[raw["task"] == task], [NAME], score.name)
        means = of_task.groupby(NAME)[score.name].mean()
        ranks = means.rank(ascending=score.better == "lower") + ranks
    return [str(recipe) for recipe in ranks.sort_values().index]


def _draw_recipes(axis: "Axes", rows: "pd.DataFrame", recipes: list[str], column: str) -> None:
    both = rows[rows["match"] != RAW][column].notna().any()
    for raw, fill in ((True, "full"), (False, "none")):
        of_kind = per_seed(rows[(rows["match"] == RAW) == raw], [NAME, "match"], column)
        chosen = of_kind.groupby([NAME, "seed"])[column].mean().dropna().groupby(NAME)
        for k, recipe in enumerate(recipes):
            if recipe not in chosen.groups:
                continue
            values = chosen.get_group(recipe)
            style: dict[str, Any] = {
                "color": recipe_style(recipe)["color"],
                "fillstyle": fill,
                "marker": "o",
            }
            y = k - (_SHIFT if raw else -_SHIFT) * bool(both)
            axis.errorbar(values.mean(), y, xerr=standard_error(values), linestyle="none",
                          capsize=2, elinewidth=1, zorder=3, **style)  # fmt: skip
        if both:
            name = "as pruned" if raw else "rate matched"
            axis.plot([], [], "o", color=SLATE, fillstyle=fill, label=name)
