"""Score against operations, a panel per task, and below it what recipes differ by on equal seeds.

Above, filled points: a recipe as pruned, at every size of the table, joined by a line; black the
unpruned network, grey the one without recurrence, whose operations are none, as a line. Below, at
one size: mean paired difference to the rival with its 95 % interval, small dots the single seeds;
open: rate-matched, rival as well. The rival is activity pruning, else the unpruned network.
"""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import (
    draw_differences,
    judged_by,
    panel_grid,
    per_seed,
    require,
    say_spread,
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
    open_log_x,
    recipe_style,
)
from hrsnn_brian.files.columns import FULL, NAME, NO_RECURRENCE, ON_TASK, UNMATCHED, Column
from hrsnn_brian.statistics.paired_seeds import by_seed, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

RIVALS = ("activity", FULL)
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
_OPS = "synaptic_ops_per_s"
_USUAL_KEEP = 0.05
_SEEDS = 0.14  # of a line, how far below their mean the seeds are; the first recipe is on top
_SHIFT = 0.2  # of a line, how far points as pruned and rate-matched stand from it


def draw(
    table: "pd.DataFrame", ax: Any = None, readout: str = "spikes", rival: str | None = None
) -> "list[Axes]":
    """Draws a table of the study pruning_methods; returns the panels above, then those below.

    The fewest neurons of the table are drawn, and below the fraction of synapses nearest to 0.05.
    ax: as many axes, two per task; None makes a figure. rival: name of a recipe or "full".
    Raises InputError if a column, rows, scores or the rival are missing, or axes are not two each.
    """
    table = require(table, _NEEDED, (_OPS,))
    table = table[table["readout"] == readout]
    pruned = table[table["recipe"].notna() & (table["recipe"] != "")]
    if pruned.empty:
        raise TableError("table", f"readout {readout}", "has no pruned network")
    fraction = pruned["neuron_fraction"].min()
    pruned = pruned[pruned["neuron_fraction"] == fraction]
    keep = min(pruned["keep"].unique(), key=lambda k: abs(k - _USUAL_KEEP))
    references = table[table[NAME].isin((FULL, NO_RECURRENCE))]
    names = {*pruned[NAME], *references[NAME]}
    rival = next((name for name in RIVALS if name in names), "") if rival is None else rival
    if rival not in names:
        raise TableError("rival", rival, f"must be one of {sorted(names)}")
    scores = {str(task): judged_by(rows) for task, rows in pruned.groupby("task", sort=False)}
    recipes = [str(name) for name in pruned[NAME].unique() if name != rival]
    with house_style():
        axes = _new_axes(len(scores), len(recipes)) if ax is None else panel_grid(
            ax, (2, len(scores)), (0, 0)
        )  # fmt: skip
        missing = []
        for k, (task, score) in enumerate(scores.items()):
            of_task, others = (rows[rows["task"] == task] for rows in (pruned, references))
            _draw_costs(axes[k], of_task, others, score)
            axes[k].set_title(task, loc="left")
            below = axes[len(scores) + k]
            here = of_task[of_task["keep"] == keep]
            _draw_differences(below, here, others, score, recipes, rival)
            below.set_yticks(range(len(recipes)), recipes if k == 0 else [""] * len(recipes))
            missing += seeds_of(here, (NAME, "match"), [score.name])
        if ax is None:
            shared_legend(axes, 4)
            size = f"{100 * fraction:g} % of the neurons; below: {100 * keep:g} % of the synapses"
            what = f"; {size}, differences to {rival}, 95 % intervals{left_out(missing)}"
            say_spread(axes, table["seed"].nunique(), what)
    return axes


def _new_axes(tasks: int, lines: int) -> "list[Axes]":
    heights = (2.3, max(1.2, 0.5 + 0.22 * lines))
    figure = new_figure(0.9 + 2.6 * tasks, 1.1 + sum(heights))
    return list(figure.subplots(2, tasks, squeeze=False, height_ratios=heights).flat)


def _draw_costs(
    axis: "Axes", rows: "pd.DataFrame", references: "pd.DataFrame", score: Column
) -> None:
    raw = rows[(rows["match"] == UNMATCHED) & ~_noted(rows)]
    for recipe, of_recipe in raw.groupby(NAME, sort=False):
        points = [_mean_of(at_size, score.name) for _, at_size in of_recipe.groupby("keep")]
        style = recipe_style(str(recipe)) | {"fillstyle": "full"}
        _cross(axis, points, label=str(recipe), **style)
    references = references[references["match"] == UNMATCHED]
    full = references[references[NAME] == FULL]
    if not full.empty:
        _cross(axis, [_mean_of(full, score.name)], color=BLACK, marker="*", label=FULL)
    bare = references[references[NAME] == NO_RECURRENCE]
    values = per_seed(bare, [], score.name)[score.name].dropna()
    if not values.empty:
        mean, error = values.mean(), standard_error(values)
        axis.axhline(mean, color=GREY, linestyle="--", linewidth=1, label=NO_RECURRENCE, zorder=1)
        axis.axhspan(mean - error, mean + error, color=GREY, alpha=0.15, linewidth=0)
    open_log_x(axis)
    axis.set_xlabel("thousand synaptic operations\nper second (log scale)")
    axis.set_ylabel(f"{score.label}\n({score.better} is better)")


def _noted(rows: "pd.DataFrame") -> "pd.Series":
    """Which rows say why they do not count, as networks of another size; read back, none is NaN."""
    return rows["note"].notna() & (rows["note"] != "")


def _mean_of(rows: "pd.DataFrame", column: str) -> tuple[float, float, float, float]:
    """Operations in thousands and score: both means, then both standard errors."""
    ops, values = (
        per_seed(rows, [], name)[name].dropna() / by for name, by in ((_OPS, 1000), (column, 1))
    )
    return ops.mean(), values.mean(), standard_error(ops), standard_error(values)


def _cross(axis: "Axes", points: list[tuple[float, float, float, float]], **style: Any) -> None:
    x, y, x_error, y_error = zip(*points, strict=True)
    axis.errorbar(x, y, xerr=x_error, yerr=y_error, capsize=2, elinewidth=0.9, linewidth=0.9,
                  zorder=3, **style)  # fmt: skip


def _draw_differences(
    axis: "Axes",
    rows: "pd.DataFrame",
    references: "pd.DataFrame",
    score: Column,
    recipes: list[str],
    rival: str,
) -> None:
    import pandas as pd

    axis.axvline(0.0, color=SLATE, linewidth=0.8, zorder=1)
    every = pd.concat([rows, references[references[NAME] == FULL]])
    kinds = [str(m) for m in rows["match"].unique()]
    matched = next((m for m in (ON_TASK, *kinds) if m in kinds and m != UNMATCHED), None)
    for match in filter(None, (UNMATCHED, matched)):
        scores = by_seed(every[every["match"] == match].to_dict("records"), NAME, score.name)
        raw = match == UNMATCHED
        for k, recipe in enumerate(recipes):
            if rival in scores and recipe in scores:
                y = k - (_SHIFT if raw else -_SHIFT) * bool(matched)
                fill = "full" if raw else "none"
                colour = recipe_style(recipe)["color"]
                draw_differences(axis, scores[recipe], scores[rival], y, -_SEEDS, color=colour,
                                 fillstyle=fill)  # fmt: skip
        if matched:
            name = "as pruned" if raw else f"rate matched{' on the task' * (match == ON_TASK)}"
            axis.plot([], [], "o", color=SLATE, fillstyle="full" if raw else "none", label=name)
    worse = "worse" if score.better == "lower" else "better"
    axis.set_xlabel(f"Δ {score.label}\n(right is {worse})")
    axis.set_ylim(len(recipes) - 0.4, -0.6)
    axis.locator_params(axis="x", nbins=5)
    axis.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
