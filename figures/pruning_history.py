"""The course of pruning: size, activity, dynamics and score after every iteration.

Lines: a recipe, mean over seeds with its standard error; iteration 0 is the unpruned network.
"""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    draw_means,
    judged_by,
    over_seeds,
    panel_grid,
    require,
    say_empty,
    say_spread,
    shared_legend,
    zero_line,
)
from hrsnn_brian.figures.style import house_style, plain_log_y, recipe_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MEASURES = {
    "neurons": "neurons",
    "synapses": "synapses (log)",
    "rate_hz": "mean rate (Hz)",
    "lambda_1_per_s": r"$\lambda_1$ (1/s)",
    "lambda_common_per_s": "$\\lambda_1$ under common\nnoise (1/s)",
    "input_echo": "input echo $S$",
    "participation_ratio": "participation ratio\nof 10 modes (neurons)",
}
_NEEDED = ("seed", "recipe", "task", "iteration")
_FROM_ZERO = ("neurons", "rate_hz", "input_echo", "participation_ratio")
_SIGNED = ("lambda_1_per_s", "lambda_common_per_s")
_COLUMNS = 4


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the table pruning_history: an axes per measure, then the score.

    ax: eight axes; None makes a figure. Raises InputError if a column or all scores are missing,
    or the axes are too few.
    """
    table = require(table, _NEEDED, list(MEASURES))
    score, task = judged_by(table), str(table["task"].iloc[0])
    shown = MEASURES | {score.name: f"{score.label}\n({task})"}
    with house_style():
        axes = panel_grid(ax, (-(-len(shown) // _COLUMNS), _COLUMNS), (2.2, 1.9), sharex=True)
        for axis, (column, label) in zip(axes, shown.items(), strict=True):
            _draw_measure(axis, table, column)
            axis.set_ylabel(label)
            axis.set_xlabel("iteration")
            axis.tick_params(labelbottom=True)
        axes[-1].set_title(f"{score.better} is better", loc="right", fontsize=8)
        if ax is None:
            shared_legend(axes, 4)
            say_spread(axes, table["seed"].nunique(), "; iteration 0: the unpruned network")
    return axes


def _draw_measure(axis: "Axes", table: "pd.DataFrame", column: str) -> None:
    from matplotlib.ticker import MaxNLocator

    if table[column].isna().all():
        say_empty(axis)
        return
    for recipe, rows in table.groupby("recipe", sort=False):
        points = over_seeds(rows, "iteration", column)
        draw_means(axis, points["iteration"], points, label=recipe, **recipe_style(str(recipe)))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if column == "synapses":
        plain_log_y(axis)
    elif column in _SIGNED:
        zero_line(axis)
    else:
        axis.set_ylim(0, 1.08 * axis.get_ylim()[1])
