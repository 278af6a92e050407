"""Time, memory and score against the number of neurons, full and pruned networks."""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    draw_means,
    judged_by,
    over_seeds,
    panel_grid,
    require,
    say_spread,
    shared_legend,
)
from hrsnn_brian.figures.style import (
    house_style,
    plain_log_x,
    plain_log_y,
    recipe_style,
)
from hrsnn_brian.files.columns import NAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SIZE = "N"
_PANELS = {
    "run_cpu_s": "10 s of biological time (CPU s)",
    "cpu_s": "draw, prune, run and task (CPU s)",
    "peak_memory_mb": "peak memory (MB)",
}


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study scale: a panel per cost and one of the score.

    ax: those axes; None makes a figure. Raises InputError if columns, rows or scores are missing,
    or the axes are too few.
    """
    table = require(table, ("seed", "task", "network", "recipe", _SIZE), tuple(_PANELS))
    score = judged_by(table)
    names = [str(name) for name in table[NAME].unique()]
    labels = _PANELS | {score.name: f"{score.label}\n({score.better} is better)"}
    sizes = sorted(float(size) for size in table[_SIZE].unique())
    with house_style():
        axes = panel_grid(ax, (2, 2), (3.1, 2.3))
        for axis, (column, label) in zip(axes, labels.items(), strict=True):
            for name in names:
                means = over_seeds(table[table[NAME] == name], _SIZE, column)
                draw_means(axis, means[_SIZE], means, label=name, **recipe_style(name))
            plain_log_x(axis, sizes)
            if column in _PANELS:
                plain_log_y(axis)
            axis.set_xlabel("neurons N")
            axis.set_ylabel(label)
        if ax is None:
            shared_legend(axes, 4)
            say_spread(axes, table["seed"].nunique(), f"; {table['task'].iloc[0]}")
    return axes
