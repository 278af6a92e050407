"""Accuracy against synaptic operations per image: a panel per image set, a point per readout.

Points and bars: mean and standard error over seeds; colour: the network, symbol: the readout.
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
    judged_by,
    panel_grid,
    require,
    say_spread,
    shared_legend,
    standard_error,
)
from hrsnn_brian.figures.style import (
    BLACK,
    GREY,
    LINES,
    MARKERS,
    SLATE,
    house_style,
    open_log_x,
    recipe_style,
)
from hrsnn_brian.files.columns import FULL, NAME, PRUNED
from hrsnn_brian.files.tables import read_table
from hrsnn_brian.statistics.paired_seeds import Seeds, by_seed, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "task", "network", "recipe", "readout", "note")
_EVENTS = "synaptic_events_per_sample"
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
    colours = _colours(networks)
    readouts = [str(readout) for readout in networks["readout"].unique()]
    symbols = {readout: MARKERS[k % len(MARKERS)] for k, readout in enumerate(readouts)}
    missing: list[Seeds] = []
    with house_style():
        axes = panel_grid(ax, (1, len(tasks)), (4.0, 3.9))
        for axis, task in zip(axes, tasks, strict=True):
            of_task = table[table["task"] == task]
            score = judged_by(of_task)
            missing += _draw_networks(axis, of_task, score.name, colours, symbols)
            missing += _draw_lines(axis, lines[lines["task"] == task], score.name)
            if task == _OF_PAPER:
                _draw_paper(axis)
            open_log_x(axis)
            axis.set_xlabel("synaptic operations per image (log scale)")
            axis.set_ylabel(score.label)
            axis.set_title(task, loc="left")
        _explain(axes[0], colours, symbols)
        if ax is None:
            shared_legend(axes, min(4, 1 + len(tasks)))
            more = f"; operations of readouts not counted{left_out(missing)}"
            say_spread(axes, table["seed"].nunique(), more)
    return axes


def _colours(networks: "pd.DataFrame") -> dict[str, str]:
    """Black for the unpruned network, grey for controls; a pruned one has the colour of its recipe
    or, where another one of the table has that, too, what is left of the palette."""
    kinds = networks.drop_duplicates(NAME).set_index(NAME)["network"]
    pruned = [name for name, kind in kinds.items() if kind == PRUNED]
    others = {str(name): BLACK if kind == FULL else GREY for name, kind in kinds.items()}
    colours: dict[str, str] = {}
    for name in map(str, pruned):
        taken = set(colours.values())
        free = [c for c in (recipe_style(name)["color"], *LINES) if c not in taken]
        colours[name] = free[0] if free else recipe_style(name)["color"]
    return others | colours


def _draw_networks(
    axis: "Axes",
    rows: "pd.DataFrame",
    score: str,
    colours: dict[str, str],
    symbols: dict[str, str],
) -> Iterator[Seeds]:
    for readout, symbol in symbols.items():
        records = _records(rows[(rows["readout"] == readout)])
        scores, events = (by_seed(records, NAME, column) for column in (score, _EVENTS))
        for name, colour in colours.items():
            found, cost = scores.get(name, Seeds()), events.get(name, Seeds())
            yield found
            if not found or not cost or not mean(cost.values()):
                continue
            axis.errorbar(
                mean(cost.values()),
                mean(found.values()),
                xerr=_error(cost),
                yerr=_error(found),
                marker=symbol,
                color=colour,
                markerfacecolor=colour if readout == _MAIN else "white",
                capsize=2,
                elinewidth=1,
                zorder=3,
            )


def _draw_lines(axis: "Axes", rows: "pd.DataFrame", score: str) -> Iterator[Seeds]:
    """Lines of what costs no synaptic event: its primary readout, or it has none."""
    for k, (name, found) in enumerate(by_seed(_records(rows), NAME, score).items()):
        yield found
        if not found:
            continue
        level, error = mean(found.values()), _error(found)
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


def _explain(axis: "Axes", colours: dict[str, str], symbols: dict[str, str]) -> None:
    """Entries of the legend: a square of each colour, a grey symbol of each readout."""
    for name, colour in colours.items():
        axis.plot([], [], linestyle="none", marker="s", color=colour, label=name)
    for readout, symbol in symbols.items():
        fill = SLATE if readout == _MAIN else "white"
        axis.plot([], [], linestyle="none", marker=symbol, color=SLATE,
                  markerfacecolor=fill, label=f"readout: {readout}")  # fmt: skip


def _records(rows: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]


def _error(found: Seeds) -> float:
    import pandas as pd

    return standard_error(pd.Series([*found.values()]))
