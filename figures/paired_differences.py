"""Score against synaptic operations, and below it every recipe against one rival, seed by seed.

A column per task. Above: a mark per recipe, mean and standard error over seeds in both directions,
beside the unpruned network; dashed: no recurrence, which has no operations; where that is far off,
the panel says how far. Below: how much better than the rival each is on the same seeds, mean and
95 % interval (Student's t, not corrected), under it faint dots, the seeds; right is better whatever
the score. Marks and colours of these lines name those above. Open: at the rate of the unpruned
network, against the rival at that rate. One size at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.equal_size import (
    OPS,
    RAW,
    EqualSize,
    best_first,
    called,
    equal_size,
    percent,
)
from hrsnn_brian.figures.panels import (
    draw_bare,
    error_of,
    panel_grid,
    records,
    say_above,
    say_empty,
    shared_legend,
)
from hrsnn_brian.figures.style import GREY, SLATE, filled, house_style, open_log_x, recipe_style
from hrsnn_brian.files.columns import FULL, NAME, NO_RECURRENCE, Column
from hrsnn_brian.statistics.comparison import PairedTest
from hrsnn_brian.statistics.paired_seeds import BySeed, Seeds, against, by_seed, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_RIVAL = "activity"  # pruning by activity, what the paper compares with
_UP, _LINE = 2.5, 0.17  # inches of the upper panels, and of a mean of the lower ones
_BELOW = 0.15  # of a recipe's line, how far single seeds lie below their mean


@dataclass(frozen=True)
class _Compared:
    """The rows of one task at one rate, with the score it is judged by."""

    rows: "pd.DataFrame"
    score: Column
    match: str
    rival: str

    def _by_seed(self, column: str) -> BySeed:
        return by_seed(records(self.rows), NAME, column)

    @cached_property
    def scores(self) -> BySeed:
        return self._by_seed(self.score.name)

    @cached_property
    def costs(self) -> BySeed:
        """Thousand operations per second."""
        found = self._by_seed(OPS)
        for seeds in found.values():
            seeds.update({seed: ops / 1000 for seed, ops in seeds.items()})
        return found

    @cached_property
    def gains(self) -> BySeed:
        """How much better than the rival on the same seed; those of it and by it are 0."""
        sign = -1 if self.score.better == "lower" else 1
        base, found = self.scores.get(self.rival, Seeds()), dict[str, Seeds]()
        for name, scores in self.scores.items():
            found[name] = mine = Seeds()
            mine.update({s: sign * (scores[s] - base[s]) for s in scores if s in base})
        return found


def draw(
    table: "pd.DataFrame",
    ax: Any = None,
    readout: str = "spikes",
    keep: float | None = None,
    fraction: float | None = None,
) -> "list[Axes]":
    """Draws a table of the study pruning_methods: scores and costs above, differences below.

    ax: as many axes, row by row; None makes a figure. keep: which fraction of the synapses, by
    default the one nearest to 0.05; fraction: of the neurons, by default the smallest there is. The
    rival is activity pruning, or the unpruned network where the table has none at that size.
    Raises InputError if a column, rows or scores are missing, or the axes are too few.
    """
    found, fraction = _of_fraction(equal_size(table, readout, keep), fraction)
    counted, scores = found.counted, found.scores()
    order = [FULL, *best_first(counted, scores)]
    rival = _RIVAL if _RIVAL in order else FULL
    panels = {task: _compared(found, task, score, rival) for task, score in scores.items()}
    with house_style():
        down = 0.5 + _LINE * len(order) * len(_matches(found))
        shape, size = (2, len(panels)), (3.0, (_UP + down) / 2)
        axes = panel_grid(ax, shape, size, height_ratios=(_UP, down))
        for axis, (task, compared) in zip(axes, panels.items(), strict=False):
            _draw_costs(axis, compared, order)
            axis.set_title(task, loc="left")
        for axis, compared in zip(axes[len(panels) :], panels.values(), strict=True):
            _draw_gains(axis, compared, order)
        for axis in axes[len(panels) + 1 :]:
            axis.tick_params(labelleft=False, left=False)
        if ax is None:
            shared_legend(axes, 4)
            size_of = f"{percent(fraction)} of neurons, {percent(found.keep)} of synapses kept"
            _say(axes, panels, f"; {size_of}; readout: {readout} and present input")
    return axes


def _of_fraction(found: EqualSize, fraction: float | None) -> tuple[EqualSize, float]:
    there = sorted(float(f) for f in found.counted["neuron_fraction"].dropna().unique())
    if not there or (fraction is not None and fraction not in there):
        what = f"has no pruned network of neuron_fraction {fraction}"
        raise TableError("table", f"keep {found.keep:g}", what)
    chosen = there[0] if fraction is None else fraction
    rows = found.pruned[found.pruned["neuron_fraction"] == chosen]
    return EqualSize(found.keep, rows, found.references), chosen


def _compared(found: EqualSize, task: str, score: Column, rival: str) -> list[_Compared]:
    """As pruned, and at the matched rate if there is one."""
    import pandas as pd

    rows = pd.concat([found.references, found.pruned])
    rows = rows[rows["task"] == task]
    return [_Compared(rows[rows["match"] == m], score, m, rival) for m in _matches(found)]


def _matches(found: EqualSize) -> list[str]:
    return sorted(map(str, found.pruned["match"].unique()), key=lambda match: match != RAW)


def _draw_costs(axis: "Axes", compared: list[_Compared], order: list[str]) -> None:
    several = len(compared) > 1
    for one in compared:
        for name in order if one is compared[0] else order[1:]:  # no one matched the full one
            scores, costs = one.scores.get(name, Seeds()), one.costs.get(name, Seeds())
            if not scores or not costs:
                continue
            axis.errorbar(mean(costs.values()), mean(scores.values()), xerr=error_of(costs),
                          yerr=error_of(scores), zorder=3, **_look(name, one.match))  # fmt: skip
        if several:
            fill = filled("full" if one.match == RAW else "none", SLATE)
            axis.plot([], [], "o", color=SLATE, label=called(one.match), **fill)
    open_log_x(axis)
    axis.margins(y=0.12)
    score = compared[0].score
    draw_bare(axis, compared[0].scores.get(NO_RECURRENCE, Seeds()))
    axis.set_xlabel("thousand synaptic operations\nper second (log scale)")
    axis.set_ylabel(f"{score.label}\n({score.better} is better)")


def _draw_gains(axis: "Axes", compared: list[_Compared], order: list[str]) -> None:
    rival, score = compared[0].rival, compared[0].score
    axis.axvline(0.0, color=SLATE, linewidth=0.8, zorder=1)
    axis.plot(0, order.index(rival), **_mark(rival, RAW), zorder=3)
    others = [name for name in order if name != rival]
    for k, one in enumerate(compared):
        shift = (k + 0.5) / len(compared) - 0.5
        tests = against(one.scores, rival, others)
        for name in others:
            _draw_line(axis, one, name, order.index(name) + shift, tests.get(name))
            if one.scores.get(name, Seeds()).left_out:
                axis.text(1.01, order.index(name) + shift, f"{one.scores[name].count} seeds",
                          color=GREY, fontsize=7, va="center",
                          transform=axis.get_yaxis_transform())  # fmt: skip
    if not any(one.gains.get(name) for one in compared for name in others):
        say_empty(axis)
    axis.set_ylim(len(order) - 0.4, -0.6)
    axis.set_yticks(range(len(order)), order)
    for label, name in zip(axis.get_yticklabels(), order, strict=True):
        label.set_color(recipe_style(name)["color"])
    between = [k + 0.5 for k in range(len(order) - 1)]
    axis.hlines(between, 0, 1, color=SLATE, alpha=0.15, linewidth=0.6, zorder=0,
                transform=axis.get_yaxis_transform())  # fmt: skip
    axis.locator_params(axis="x", nbins=5)
    first, second = (rival, "") if score.better == "lower" else ("", rival)
    axis.set_xlabel(f"{score.label},\n{first or 'each'} − {second or 'each'} (right is better)")


def _draw_line(axis: "Axes", one: _Compared, name: str, y: float, test: PairedTest | None) -> None:
    """The mean with its interval, the seeds below it; of a single seed only its mark."""
    gains = [*one.gains.get(name, Seeds()).values()]
    if test is None:
        axis.plot(gains, [y] * len(gains), **_mark(name, one.match), zorder=3)
        return
    half = (test.high - test.low) / 2
    axis.errorbar(mean(gains), y - _BELOW / 2, xerr=half, zorder=3, **_look(name, one.match))
    axis.plot(gains, [y + _BELOW / 2] * len(gains), ".", color=recipe_style(name)["color"],
              alpha=0.5, markersize=3.5, markeredgewidth=0, zorder=2)  # fmt: skip


def _look(name: str, match: str) -> dict[str, Any]:
    return {**_mark(name, match), "capsize": 2, "elinewidth": 1}


def _mark(name: str, match: str) -> dict[str, Any]:
    style = recipe_style(name)
    fill = filled("full" if match == RAW else "none", style["color"])
    return {**style, "linestyle": "none", **fill}


def _say(axes: "Sequence[Axes]", panels: dict[str, list[_Compared]], more: str) -> None:
    every = [one for compared in panels.values() for one in compared]
    found = [seeds for one in every for seeds in one.scores.values()]
    n, rival = len({s for seeds in found for s in (*seeds, *seeds.left_out)}), every[0].rival
    called_so = "the unpruned network" if rival == FULL else f"{rival} pruning"
    spread = f"mean ± s.e.m. over {n} seeds" if n > 1 else "one seed"
    below = ", mean and 95 % interval (faint: seeds)" if n > 1 else ""
    text = f"above: {spread}, marks as named below; below: difference to {called_so} on the same "
    say_above(axes, f"{text}{'seeds' if n > 1 else 'seed'}{below}{more}{left_out(found)}")
