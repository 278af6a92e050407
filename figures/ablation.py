"""The ablation of LNP: what each change costs or gains, against the baseline on the same seeds.

A panel per task; in it a line per variant, grouped: mean paired difference to the baseline with its
95 % confidence interval (Student's t, not corrected), small dots below it the single seeds; of one
seed its difference alone.
Where seeds are left out, as those whose network is of another size, the number left is at the side.
"""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError, TableError
from hrsnn_brian.figures.panels import judged_by, panel_grid, require, say_above, seeds_of
from hrsnn_brian.figures.style import BLUE, GREEN, GREY, SLATE, VERMILION, house_style
from hrsnn_brian.statistics.comparison import paired_test
from hrsnn_brian.statistics.paired_seeds import BySeed, by_seed, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

BASELINE = "baseline"
GROUPS = {"left out": VERMILION, "alone": BLUE, "exchanged": GREEN}
_NEEDED = (
    "seed",
    "network",
    "recipe",
    "group",
    "keep",
    "neuron_fraction",
    "task",
    "readout",
    "met_budget",
)
_BELOW = 0.3  # of a line, how far single seeds lie below their mean


def draw(table: "pd.DataFrame", ax: Any = None, readout: str = "spikes") -> "list[Axes]":
    """Draws a table of the study ablation; returns one axes per task.

    Of several sizes the smallest is drawn. ax: those axes; None makes a figure. readout: which
    readout's rows to draw.
    Raises InputError if columns, rows or scores are missing, or axes are not one per task.
    """
    table = require(table, _NEEDED)
    if readout not in set(table["readout"]):
        raise InputError("readout", readout, f"must be one of {sorted(set(table['readout']))}")
    rows = table[table["readout"] == readout]
    keep = rows["keep"].min()
    fraction = rows[rows["keep"] == keep]["neuron_fraction"].min()
    rows = rows[(rows["keep"] == keep) & (rows["neuron_fraction"] == fraction)]
    tasks = list(rows["task"].unique())
    order = _order(rows)
    with house_style():
        axes = panel_grid(ax, (1, len(tasks)), (2.9, 0.17 * len(order) + 0.5))
        for axis, task in zip(axes, tasks, strict=True):
            _draw_panel(axis, rows[rows["task"] == task], str(task), order)
        for axis in axes[1:]:
            axis.tick_params(labelleft=False, left=False)
        if ax is None:
            seeds, score = rows["seed"].nunique(), judged_by(rows[rows["task"] == tasks[0]])
            missing = left_out(seeds_of(rows[rows["task"] == tasks[0]], ["recipe"], [score.name]))
            spread = "s, mean, 95 % interval (small dots: seeds)" if seeds > 1 else ""
            say_above(
                axes,
                f"difference to LNP's default on {seeds} seed{spread}\n"
                f"{100 * keep:g} % of synapses, {100 * fraction:g} % of neurons{missing}",
            )
    return axes


def _order(rows: "pd.DataFrame") -> dict[str, float]:
    """Height of every variant's line, the first on top; groups stand apart."""
    heights: dict[str, float] = {}
    height = 0.0
    for group in GROUPS:
        for variant in rows[rows["group"] == group]["recipe"].unique():
            heights[str(variant)] = height
            height -= 1.0
        height -= 0.8
    if not heights:
        raise TableError("table", sorted(set(rows["recipe"])), "has no variant but the baseline")
    return heights


def _draw_panel(axis: "Axes", rows: "pd.DataFrame", task: str, heights: dict[str, float]) -> None:
    score = judged_by(rows)
    scores = by_seed(rows.to_dict("records"), "recipe", score.name)
    if not scores.get(BASELINE):
        raise TableError("table", task, "has no baseline of the size asked for")
    groups = dict(zip(rows["recipe"], rows["group"], strict=True))
    axis.axvline(0.0, color=SLATE, linewidth=0.8, zorder=1)
    for variant, height in heights.items():
        _draw_line(axis, scores, variant, height, GROUPS[groups[variant]])
        if scores[variant].left_out:
            axis.text(1.01, height, f"{scores[variant].count} seeds", color=GREY, fontsize=7,
                      va="center", transform=axis.get_yaxis_transform())  # fmt: skip
    for group, colour in GROUPS.items():
        of_group = [h for v, h in heights.items() if groups[v] == group]
        if of_group:
            axis.axhspan(min(of_group) - 0.5, max(of_group) + 0.5, color=colour, alpha=0.07, lw=0)
    axis.set_yticks(list(heights.values()), list(heights))
    axis.set_ylim(min(heights.values()) - 0.9, max(heights.values()) + 0.9)
    for label, variant in zip(axis.get_yticklabels(), heights, strict=True):
        label.set_color(GROUPS[groups[variant]])
    axis.set_xlabel(f"Δ {score.label}")
    axis.locator_params(axis="x", nbins=5)
    worse = "right is worse" if score.better == "lower" else "right is better"
    axis.set_title(f"{task} ({worse})", loc="left")


def _draw_line(axis: "Axes", scores: BySeed, variant: str, height: float, colour: str) -> None:
    base, values = scores[BASELINE], scores[variant]
    shared = sorted(base.keys() & values.keys())
    if not shared:
        return
    differences = [values[seed] - base[seed] for seed in shared]
    if len(shared) < 2:
        axis.plot(differences, [height], "o", color=colour, markersize=4, label=variant, zorder=3)
        return
    below = [height - _BELOW] * len(shared)
    axis.plot(differences, below, ".", color=colour, alpha=0.7, markersize=3.5,
              markeredgewidth=0, zorder=2)  # fmt: skip
    test = paired_test([values[seed] for seed in shared], [base[seed] for seed in shared])
    axis.errorbar(
        test.mean_difference,
        height,
        xerr=[[test.mean_difference - test.low], [test.high - test.mean_difference]],
        color=colour,
        marker="o",
        markersize=4,
        capsize=2,
        elinewidth=1.1,
        label=variant,
        zorder=3,
    )
