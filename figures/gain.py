"""Scores against the gain of the recurrence, and the same points against the input echo S.

A row of panels per task. A colour and symbol per recipe, a line and filling per fraction of the
synapses kept; in a large open symbol the gain that the echo chose. Dashed: S = 2, the eve of an
explosion.
"""

from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    figure_of,
    judged_by,
    over_seeds,
    panel_grid,
    require,
    say_spread,
    seeds_of,
    shared_legend,
)
from hrsnn_brian.figures.style import (
    GREY,
    filled,
    house_style,
    open_log_x,
    plain_log_y,
    recipe_style,
)
from hrsnn_brian.files.columns import FULL, NAME
from hrsnn_brian.statistics.paired_seeds import left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_GAIN, _RULE, _S = "gain", "gain_rule", "input_echo"
_NEEDED = ("seed", "task", "network", "recipe", "keep", "readout", "note", _RULE)
_EVE = 2.0
_OF_KEEPS = (("-", "full"), ("--", "none"), (":", "left"), ("-.", "top"))


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study gain: per task a panel against the gain and one against S.

    ax: as many axes, row by row; None makes a figure. Raises InputError if a column, rows or scores
    are missing, or the axes are too few.
    """
    table = require(table, _NEEDED, (_GAIN, _S))
    counted = table[table["note"].isna() | (table["note"] == "")]
    tasks = {str(task): rows for task, rows in counted.groupby("task", sort=False)}
    scores = {task: judged_by(rows) for task, rows in tasks.items()}
    styles = _styles(counted)
    missing = [
        seeds
        for task, rows in table.groupby("task", sort=False)
        if task in scores
        for seeds in seeds_of(rows, [NAME, "keep", _GAIN, _RULE], [scores[str(task)].name])
    ]
    with house_style():
        axes = panel_grid(ax, (len(tasks), 2), (3.6, 2.5), sharey="row")
        for k, (task, rows) in enumerate(tasks.items()):
            pair, score = axes[2 * k : 2 * k + 2], scores[task]
            for axis, column in zip(pair, (_GAIN, _S), strict=True):
                for (name, keep), style in styles.items():
                    curve = rows[(rows[NAME] == name) & (rows["keep"] == keep)]
                    _draw_curve(axis, curve, column, score.name, style)
                open_log_x(axis)
            pair[1].axvline(_EVE, color=GREY, linestyle="--", linewidth=1, zorder=1, label="S = 2")
            pair[0].set_title(task, loc="left")
            pair[0].set_ylabel(f"{score.label}\n({score.better} is better)")
            if score.better == "lower":
                plain_log_y(pair[0])
        axes[-2].set_xlabel("gain, factor on all weights")
        axes[-1].set_xlabel("input echo S")
        if ax is None:
            shared_legend(axes, 3)
            more = "; rates under noise restored; large: the gain chosen by the echo"
            say_spread(axes, table["seed"].nunique(), more + left_out(missing).replace("; ", "\n"))
            figure_of(axes).align_ylabels()
    return axes


def _styles(rows: "pd.DataFrame") -> dict[tuple[str, float], dict[str, Any]]:
    """(name, keep) -> how its curve is drawn; the unpruned network is black."""
    keeps = sorted(rows[rows[NAME] != FULL]["keep"].unique(), reverse=True)
    names = [str(name) for name in rows[NAME].unique() if name != FULL]
    found: dict[tuple[str, float], dict[str, Any]] = {}
    if FULL in set(rows[NAME]):
        found[FULL, 1.0] = {**recipe_style(FULL), "label": "unpruned"}
    for name in names:
        for k, keep in enumerate(keeps):
            line, fill = _OF_KEEPS[k % len(_OF_KEEPS)]
            look = {**recipe_style(name), "linestyle": line, "label": f"{name}, {100 * keep:g} %"}
            found[name, float(keep)] = {**look, **filled(fill, look["color"])}
    return found


def _draw_curve(
    axis: "Axes", curve: "pd.DataFrame", column: str, score: str, style: dict[str, Any]
) -> None:
    """The means over seeds at each gain, joined in the order of gains; both have error bars."""
    fixed = curve[curve[_RULE] == "fixed"]
    if not fixed.empty:
        y = over_seeds(fixed, _GAIN, score)
        x = over_seeds(fixed.assign(x=fixed[column]), _GAIN, "x")
        axis.errorbar(
            x["mean"], y["mean"], xerr=x["sem"], yerr=y["sem"], capsize=2, elinewidth=1, **style
        )
    echoed = curve[curve[_RULE] == "echo"]
    if not echoed.empty:
        x, y = (over_seeds(echoed.assign(x=echoed[c]), _RULE, "x") for c in (column, score))
        axis.errorbar(
            x["mean"],
            y["mean"],
            xerr=x["sem"],
            yerr=y["sem"],
            elinewidth=1,
            **style | {"label": None, "linestyle": "none"},
            zorder=4,
        )
        axis.plot(
            x["mean"],
            y["mean"],
            color=style["color"],
            marker=style["marker"],
            linestyle="none",
            markersize=11,
            markerfacecolor="none",
            markeredgewidth=1.4,
            zorder=4,
        )
