"""States under one input on their two leading principal components, along the pruning.

A row of panels per recipe, from the unpruned network at the left to the last iteration.
"""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import panel_grid, require, say_above
from hrsnn_brian.figures.style import house_style, recipe_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "recipe", "neurons", "synapses", "iteration", "sample")
_VALUES = ("pc_1", "pc_2", "explained_1", "explained_2")


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the table state_components: an axes per recipe and iteration.

    ax: those axes, row by row; None makes a figure. Raises InputError if a column is missing or the
    axes are too few.
    """
    table = require(table, _NEEDED, _VALUES)
    table = table[table["seed"] == table["seed"].min()]
    recipes = [str(name) for name in table["recipe"].unique()]
    columns = max(table[table["recipe"] == name]["iteration"].nunique() for name in recipes)
    with house_style():
        axes = panel_grid(ax, (len(recipes), columns), (1.95, 2.0))
        for k, recipe in enumerate(recipes):
            of_recipe = table[table["recipe"] == recipe]
            row = axes[k * columns : (k + 1) * columns]
            shown = [rows for _, rows in of_recipe.groupby("iteration")]
            for axis, rows in zip(row, shown, strict=False):
                _draw_path(axis, rows, recipe)
            for axis in row[len(shown) :]:
                axis.set_visible(False)
        if ax is None:
            seed = int(table["seed"].iloc[0])
            say_above(axes, f"filtered rates under the input of one task, centred; seed {seed}")
    return axes


def _draw_path(axis: "Axes", rows: "pd.DataFrame", recipe: str) -> None:
    first = rows.iloc[0]
    iteration = int(first["iteration"])
    axis.plot(rows["pc_1"], rows["pc_2"], linewidth=0.6, color=recipe_style(recipe)["color"])
    name = f"{recipe}, iteration {iteration}" if iteration else f"{recipe}: before"
    size = f"{int(first['neurons'])} neurons, {int(first['synapses'])} synapses"
    axis.set_title(f"{name}\n{size}", loc="left", fontsize=8)
    axis.set_xlabel(f"component 1 ({100 * first['explained_1']:.0f} %)")
    axis.set_ylabel(f"component 2 ({100 * first['explained_2']:.0f} %)")
    axis.locator_params(nbins=4)
