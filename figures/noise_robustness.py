"""Scores of full and pruned networks against noise on the input and on membranes, per task."""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    draw_means,
    judged_by,
    over_seeds,
    panel_grid,
    require,
    say_spread,
    seeds_of,
    shared_legend,
)
from hrsnn_brian.figures.style import house_style, recipe_style
from hrsnn_brian.files.columns import FULL, NAME
from hrsnn_brian.statistics.paired_seeds import left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NOISE, _SIZE = "noise", "noise_sd"
_NEEDED = ("seed", "task", "network", "recipe", "note", _NOISE, _SIZE)
_LABELS = {
    "input": "noise on the input (s.d. of the series)",
    "membrane": "noise on membranes (mean thresholds)",
}


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study noise_robustness: a row per task, a column per kind of noise.

    Sizes stand in equal distances, "0" is without noise. ax: those axes, row by row; None makes a
    figure. Raises InputError if columns, rows or scores are missing, or the axes are too few.
    """
    table = require(table, _NEEDED)
    kinds = [kind for kind in _LABELS if (table[_NOISE] == kind).any()]
    tasks = {str(task): rows for task, rows in table.groupby("task", sort=False)}
    scores = {task: judged_by(rows) for task, rows in tasks.items()}
    missing = [
        seeds
        for task, rows in tasks.items()
        for seeds in seeds_of(rows, [NAME, _NOISE, _SIZE], [scores[task].name])
    ]
    names = [*dict.fromkeys([FULL, *table[NAME].unique()])]
    with house_style():
        axes = panel_grid(ax, (len(tasks), len(kinds)), (3.2, 2.3), sharex="col", sharey="row")
        panels = iter(axes)
        for task, rows in tasks.items():
            counted = rows[rows["note"].isna() | (rows["note"] == "")]
            for kind in kinds:
                axis = next(panels)
                _draw_kind(axis, counted, kind, scores[task].name, names)
                if kind == kinds[0]:
                    axis.set_title(task, loc="left")
                    axis.set_ylabel(f"{scores[task].label}\n({scores[task].better} is better)")
                axis.set_xlabel(_LABELS[kind] if task == [*tasks][-1] else "")
        if ax is None:
            shared_legend(axes, 4)
            say_spread(axes, table["seed"].nunique(), left_out(missing))
    return axes


def _draw_kind(
    axis: "Axes",
    rows: "pd.DataFrame",
    kind: str,
    score: str,
    names: list[str],
) -> None:
    chosen = rows[rows[_NOISE].isin([kind, "none"])]
    sizes = sorted(float(size) for size in chosen[_SIZE].unique())
    for name in names:
        means = over_seeds(chosen[chosen[NAME] == name], _SIZE, score)
        x = [sizes.index(size) for size in means[_SIZE]]
        draw_means(axis, x, means, label=name, **recipe_style(name))
    axis.set_xticks(range(len(sizes)), [f"{size:g}" for size in sizes])
    axis.margins(y=0.1)
