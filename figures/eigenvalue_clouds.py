"""Eigenvalues of A = -D + D W, a panel per network, and on how many neurons their modes live.

Right of the vertical line the linearised network grows. The last panel: the share of the modes
whose participation ratio, over the neurons, is at most so much.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.figures.panels import label_x, panel_grid, require, say_above
from hrsnn_brian.figures.style import GREY, house_style, recipe_style
from hrsnn_brian.files.columns import NAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "network", "recipe", "neurons")
_VALUES = ("real_per_s", "imag_per_s", "participation_ratio")
_COLUMNS = 3
_REAL = "real part (1/s)"


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the table eigenvalues: an axes per network, the last one for all modes.

    ax: those axes; None makes a figure. Raises InputError if a column is missing or the axes are
    too few.
    """
    table = require(table, _NEEDED, _VALUES)
    table = table[table["seed"] == table["seed"].min()]
    groups = [(str(name), rows) for name, rows in table.groupby(NAME, sort=False)]
    count = len(groups) + 1
    with house_style():
        axes = panel_grid(ax, (-(-count // _COLUMNS), _COLUMNS), (2.4, 1.9))
        for axis, (name, rows) in zip(axes, groups, strict=False):
            _draw_cloud(axis, rows, name)
            axis.set_xlim(*_limits(table["real_per_s"]))
            axis.set_ylim(*_limits(table["imag_per_s"]))
            axis.label_outer()
        label_x(axes[max(0, len(groups) - _COLUMNS) : len(groups)], _REAL)
        _draw_modes(axes[len(groups)], groups)
        for axis in axes[count:]:
            axis.set_visible(False)
        if ax is None:
            seed = int(table["seed"].iloc[0])
            say_above(axes, f"one network of each kind, seed {seed}; right of the line it grows")
    return axes[:count]


def _draw_cloud(axis: "Axes", rows: "pd.DataFrame", name: str) -> None:
    axis.axvline(0.0, color=GREY, linewidth=0.8, zorder=1)
    axis.scatter(rows["real_per_s"], rows["imag_per_s"], s=6, alpha=0.6, linewidths=0,
                 color=recipe_style(name)["color"], zorder=2)  # fmt: skip
    ratio, neurons = rows["participation_ratio"].mean(), int(rows["neurons"].iloc[0])
    axis.set_title(f"{name}\nmodes on {ratio:.0f} of {neurons} neurons", loc="left")
    axis.set(xlabel=_REAL, ylabel="imaginary part (1/s)")


def _draw_modes(axis: "Axes", groups: "list[tuple[str, pd.DataFrame]]") -> None:
    for name, rows in groups:
        share = np.sort((rows["participation_ratio"] / rows["neurons"]).dropna().to_numpy(float))
        style = recipe_style(name)
        axis.step(share, np.arange(1, len(share) + 1) / max(1, len(share)), where="post",
                  color=style["color"], linestyle=style["linestyle"], linewidth=1.2,
                  label=name)  # fmt: skip
    axis.set(xlabel="participation ratio / neurons", ylabel="share of the modes", ylim=(0, 1.02))
    axis.set_xlim(left=0)
    axis.set_title("how far modes spread", loc="left")


def _limits(values: "pd.Series") -> tuple[float, float]:
    low, high = float(values.min()), max(0.0, float(values.max()))
    air = 0.05 * (high - low) or 1.0
    return low - air, high + air
