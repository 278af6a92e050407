"""Accuracy against synaptic operations per image: a panel per image set, a point per readout.

Points and bars: mean and standard error over seeds; colour and symbol: the network, filling: the
readout.
Horizontal: what costs no synaptic event, with its standard error as a band. In the panel of
CIFAR-10 the paper's own points stand beside (`paper_points.csv`): they were digitised from the
authors' site, which does not print the data set, and are of another front-end and other training.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import (
    error_of,
    judged_by,
    panel_grid,
    records,
    require,
    say_spread,
    shared_legend,
)
from hrsnn_brian.figures.style import GREY, SLATE, filled, house_style, open_log_x, recipe_style
from hrsnn_brian.files.columns import FULL, NAME, PRUNED
from hrsnn_brian.files.tables import read_table
from hrsnn_brian.statistics.paired_seeds import Seeds, by_seed, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "task", "network", "recipe", "readout", "note")
_EVENTS = "synaptic_events_per_sample"
_FILLS = ("full", "none", "left", "bottom", "right", "top")  # of readouts
_SIZE = 6.5  # of symbols, so that their filling is seen
_MAIN, _NO_READOUT = "spikes", "none"
_OF_PAPER = "cifar10"
_DASHES = ("--", ":", "-.", (0, (5, 1)), (0, (1, 3)), (0, (3, 1, 1, 1, 1, 1)))
PAPER = Path(__file__).with_name("paper_points.csv")
_PAPER_LOOKS = {
    "LNP": ("*", "LNP, theirs (authors' site,\ndigitised; CIFAR-10 inferred)"),
    "rival": ("x", "their rivals (the same figure)"),
}


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study classification_table: a panel per image set.

    ax: as many axes as sets; None makes a figure. Raises InputError if columns, rows or scores are
    missing, or the axes are too few.
    """
    table = require(table, _NEEDED, (_EVENTS,))
    tasks = [str(task) for task in table["task"].unique()]
    # without an event there is no place on a logarithmic axis, but a line
    networks = table[table[_EVENTS] > 0]
    lines = table[~table[NAME].isin(networks[NAME]) & table["readout"].isin([_MAIN, _NO_READOUT])]
    if networks.empty:
        raise TableError("table", f"{len(table)} rows", "has no network with synaptic events")
    looks = _looks(networks)
    readouts = [str(readout) for readout in networks["readout"].unique()]
    fills = {readout: _FILLS[k % len(_FILLS)] for k, readout in enumerate(readouts)}
    missing: list[Seeds] = []
    with house_style():
        axes = panel_grid(ax, (1, len(tasks)), (4.0, 3.9))
        for axis, task in zip(axes, tasks, strict=True):
            of_task = table[table["task"] == task]
            score = judged_by(of_task)
            missing += _draw_networks(axis, of_task, score.name, looks, fills)
            missing += _draw_lines(axis, lines[lines["task"] == task], score.name)
            if task == _OF_PAPER:
                _draw_paper(axis)
            open_log_x(axis)
            axis.set_xlabel("synaptic operations per image (log scale)")
            axis.set_ylabel(score.label)
            axis.set_title(task, loc="left")
        _explain(axes[0], looks, fills)
        if ax is None:
            shared_legend(axes, min(4, 1 + len(tasks)))
            more = f"; operations of readouts not counted{left_out(missing)}"
            say_spread(axes, table["seed"].nunique(), more)
    return axes


def _looks(networks: "pd.DataFrame") -> dict[str, dict[str, Any]]:
    """Colour and symbol of every network: of a recipe its own; controls are grey squares."""
    kinds = networks.drop_duplicates(NAME).set_index(NAME)["network"]
    return {
        str(name): {key: recipe_style(str(name))[key] for key in ("color", "marker")}
        if kind in (FULL, PRUNED)
        else {"color": GREY, "marker": "s"}
        for name, kind in kinds.items()
    }


def _draw_networks(
    axis: "Axes",
    rows: "pd.DataFrame",
    score: str,
    looks: dict[str, dict[str, Any]],
    fills: dict[str, str],
) -> Iterator[Seeds]:
    for readout, fill in fills.items():
        chosen = records(rows[rows["readout"] == readout])
        scores, events = (by_seed(chosen, NAME, column) for column in (score, _EVENTS))
        for name, look in looks.items():
            found, cost = scores.get(name, Seeds()), events.get(name, Seeds())
            yield found
            if not found or not cost or not mean(cost.values()):
                continue
            axis.errorbar(
                mean(cost.values()),
                mean(found.values()),
                xerr=error_of(cost) or None,
                yerr=error_of(found) or None,
                capsize=2,
                elinewidth=1,
                zorder=3,
                markersize=_SIZE,
                **look,
                **filled(fill, look["color"]),
            )


def _draw_lines(axis: "Axes", rows: "pd.DataFrame", score: str) -> Iterator[Seeds]:
    """Lines of what costs no synaptic event: its primary readout, or it has none."""
    for k, (name, found) in enumerate(by_seed(records(rows), NAME, score).items()):
        yield found
        if not found:
            continue
        level, error = mean(found.values()), error_of(found)
        colour = SLATE if k % 2 else GREY
        dashes: Any = _DASHES[k % len(_DASHES)]
        axis.axhline(level, color=colour, linestyle=dashes, linewidth=1.1, label=name, zorder=1)
        axis.axhspan(level - error, level + error, color=colour, alpha=0.12, linewidth=0, zorder=0)


def _draw_paper(axis: "Axes") -> None:
    points = read_table(PAPER)
    for group, (marker, label) in _PAPER_LOOKS.items():
        of_group = points[points["group"] == group]
        axis.plot(
            1e6 * of_group["synaptic_ops_million"],
            of_group["accuracy_percent"] / 100,
            linestyle="none",
            marker=marker,
            color=SLATE,
            markersize=6,
            label=label,
            zorder=2,
        )


def _explain(axis: "Axes", looks: dict[str, dict[str, Any]], fills: dict[str, str]) -> None:
    """Entries of the legend: the symbol of each network, a dot filled as of each readout."""
    for name, look in looks.items():
        axis.plot([], [], linestyle="none", markersize=_SIZE, label=name, **look)
    for readout, fill in fills.items():
        axis.plot([], [], linestyle="none", marker="o", color=SLATE, label=f"readout: {readout}",
                  markersize=_SIZE, **filled(fill, SLATE))  # fmt: skip
