"""What networks take test images for: a row of panels per image set, a panel per network.

Shades: the share of the images of a class (row) that were taken for a class (column), mean over
seeds; by their square roots, so that rare confusions are seen. Readout: the first of the task.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.figures.panels import (
    figure_of,
    panel_grid,
    per_seed,
    require,
    say_spread,
    standard_error,
)
from hrsnn_brian.figures.style import house_style
from hrsnn_brian.files.columns import NAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "task", "network", "recipe", "readout", "wanted", "taken_for")
_IMAGES = "images"
_NAMED = 20  # classes, above which they have no names beside the panel


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws the table confusions of the study classification_table.

    ax: as many axes as sets times networks, row by row; None makes a figure. Raises InputError if
    columns or rows are missing, or the axes are too few.
    """
    table = require(table, _NEEDED, (_IMAGES,))
    tasks, names = ([*table[column].unique()] for column in ("task", NAME))
    with house_style():
        axes = panel_grid(ax, (len(tasks), len(names)), (2.5, 2.5))
        grid = np.array(axes, dtype=object).reshape(len(tasks), len(names))
        for panels, task in zip(grid, tasks, strict=True):
            of_task = table[table["task"] == task]
            for axis, name in zip(panels, names, strict=True):
                rows = of_task[of_task[NAME] == name]
                if rows.empty:
                    axis.set_axis_off()
                else:
                    image = _draw_panel(axis, rows, _classes(of_task), f"{task}\n{name}")
            panels[0].set_ylabel("class of the image")
        for axis in grid[-1]:
            axis.set_xlabel("taken for")
        if ax is None:
            figure = figure_of(axes)
            bar = figure.colorbar(image, ax=axes, shrink=0.6)
            bar.set_label("share of the class's images (root scale)")
            readouts = ", ".join(map(str, table["readout"].unique()))
            say_spread(axes, table["seed"].nunique(), f"; readout: {readouts}")
    return axes


def _classes(rows: "pd.DataFrame") -> list[str]:
    """All that came, numbers in their order."""
    found = {str(name) for column in ("wanted", "taken_for") for name in rows[column]}
    return sorted(found, key=lambda name: (0, int(name), "") if name.isdigit() else (1, 0, name))


def shares(rows: "pd.DataFrame", classes: list[str]) -> NDArray[np.float64]:
    """Of the images of a class (row) those taken for a class (column), mean over seeds; NaN for a
    class without images."""
    place = {name: k for k, name in enumerate(classes)}
    matrices = []
    for _, of_seed in per_seed(rows, ["wanted", "taken_for"], _IMAGES).groupby("seed"):
        counts = np.zeros((len(classes), len(classes)))
        cells = zip(of_seed["wanted"], of_seed["taken_for"], of_seed[_IMAGES], strict=True)
        for wanted, taken, images in cells:
            counts[place[str(wanted)], place[str(taken)]] = images
        with np.errstate(invalid="ignore"):
            matrices.append(counts / counts.sum(axis=1, keepdims=True))
    return np.asarray(np.mean(matrices, axis=0))


def _draw_panel(axis: "Axes", rows: "pd.DataFrame", classes: list[str], title: str) -> Any:
    from matplotlib.colors import PowerNorm

    image = axis.imshow(
        shares(rows, classes), cmap="cividis", norm=PowerNorm(0.5, 0, 1), interpolation="nearest"
    )
    right = rows[rows["wanted"].astype(str) == rows["taken_for"].astype(str)]
    hits = right.groupby("seed")[_IMAGES].sum() / rows.groupby("seed")[_IMAGES].sum()
    accuracy = hits.fillna(0.0)
    said = f"{accuracy.mean():.3f}"
    if len(accuracy) > 1:
        said += f" ± {standard_error(accuracy):.3f}"
    axis.set_title(f"{title}, {said}", loc="left")
    if len(classes) <= _NAMED:
        turned = 90 if max(map(len, classes)) > 2 else 0
        axis.set_xticks(range(len(classes)), classes, rotation=turned)
        axis.set_yticks(range(len(classes)), classes)
    return image
