"""What was varied in a sweep against the score each task is judged by, in the form that fits.

One number: lines, one per category. Two numbers that form a grid: a heat map per task and category.
More, or drawn ones: a panel per number, all others averaged over. None: a dot per category.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    draw_means,
    figure_of,
    judged_by,
    over_seeds,
    panel_grid,
    records,
    require,
    say_empty,
    say_spread,
    seeds_of,
    shared_legend,
)
from hrsnn_brian.figures.style import (
    LINES,
    MARKERS,
    house_style,
    open_log_x,
    plain_log_x,
    recipe_style,
)
from hrsnn_brian.files.columns import NAME, Column
from hrsnn_brian.files.tables import schema_in
from hrsnn_brian.statistics.factors import factors_of, is_numeric, level, levels
from hrsnn_brian.statistics.paired_seeds import left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED = ("seed", "task", "network", "recipe", "readout", "note")
_CATEGORY, _READOUT = "category", Column("readout", "readout", role="identity")
_MANY = 12  # levels of a number that are joined by a line; more are points
_FEW = 6  # levels of a number that each have a tick
_MOST = 12  # categories that a figure can tell apart


@dataclass(frozen=True)
class _Task:
    """The rows of one task that count, with their category, and its score."""

    name: str
    rows: "pd.DataFrame"
    score: Column

    @property
    def label(self) -> str:
        return f"{self.score.label}\n({self.score.better} is better)"


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study sweep.

    ax: as many axes as there are panels; None makes a figure. Raises InputError if columns, rows or
    scores are missing, or the axes are too few.
    """
    table = require(table, _NEEDED)
    factors, rows = _factors(table)
    numbers = [f for f in factors if is_numeric(levels(rows, f.name))]
    words = [f for f in factors if f not in numbers]
    table = table.assign(
        **{
            _CATEGORY: [_called(row, words) for row in rows],
            **{f.name: [level(row, f.name) for row in rows] for f in numbers},
        }
    )
    tasks = [
        _Task(str(name), rows, judged_by(rows)) for name, rows in table.groupby("task", sort=False)
    ]
    missing = [
        seeds
        for task in tasks
        for seeds in seeds_of(task.rows, [f.name for f in factors], [task.score.name])
    ]
    tasks = [_Task(t.name, t.rows[_counts(t.rows)], t.score) for t in tasks]
    colours = _styles(table)
    with house_style():
        if not numbers:
            axes = _dots(tasks, colours, ax)
        elif len(numbers) == 2 and all(_is_grid(task.rows, numbers) for task in tasks):
            axes = _heat_maps(tasks, list(colours), numbers, ax)
        else:
            axes = _lines(tasks, colours, numbers, ax)
        if ax is None:
            seeds = table["seed"].nunique()
            more = "; all else averaged over" if len(numbers) > 2 else ""
            say_spread(axes, seeds, more + left_out(missing))
    return axes


def _factors(table: "pd.DataFrame") -> tuple[list[Column], list[dict[str, Any]]]:
    rows = records(table)
    found = factors_of(schema_in(table), rows)
    several = table["readout"].nunique() > 1
    return [*found, *([_READOUT] if several else [])], rows


def _called(row: dict[str, Any], words: list[Column]) -> str:
    """What a row is called beside others: its name, then what else are words."""
    others = [level(row, f.name) for f in words if f.name != NAME]
    found = [str(row[NAME]) if words and words[0].name == NAME else ""]
    return ", ".join(filter(None, [*found, *(str(v) for v in others if v is not None)]))


def _counts(rows: "pd.DataFrame") -> "pd.Series":
    noted: pd.Series = rows["note"].isna() | (rows["note"] == "")
    return noted


def _styles(table: "pd.DataFrame") -> dict[str, tuple[str, str]]:
    """Category -> colour and symbol: those of its recipe, of several of one recipe another symbol.

    Where nothing differs in its recipe each has a colour.
    """
    names = {str(c): str(n) for c, n in zip(table[_CATEGORY], table[NAME], strict=True)}
    if len({*names.values()}) == 1 and [*names] != [*names.values()]:
        n = len(LINES)
        found = {
            c: (LINES[k % n], MARKERS[(k + k // n) % len(MARKERS)]) for k, c in enumerate(names)
        }
    else:
        found = {}
        for category, name in names.items():
            look, k = recipe_style(name), [*names.values()][: len(found)].count(name)
            others = (look["marker"], *(m for m in MARKERS if m != look["marker"]))
            found[category] = look["color"], others[k % len(others)]
    return dict([*found.items()][:_MOST])


def _is_grid(rows: "pd.DataFrame", numbers: list[Column]) -> bool:
    """Whether every level of each meets every level of the others."""
    names = [number.name for number in numbers]
    met = rows[names].dropna().drop_duplicates()
    return len(met) == math.prod(rows[name].nunique() for name in names)


def _averaged(rows: "pd.DataFrame", by: list[str], score: str) -> "pd.DataFrame":
    """A row per `by` and seed: the mean over all else."""
    found: pd.DataFrame = rows.groupby([*by, "seed"], sort=True)[score].mean().reset_index()
    return found


def _dots(tasks: list[_Task], styles: dict[str, tuple[str, str]], ax: Any) -> "list[Axes]":
    axes = panel_grid(ax, (1, len(tasks)), (2.9, 0.9 + 0.26 * len(styles)), sharey="row")
    for axis, task in zip(axes, tasks, strict=True):
        for place, (name, (colour, marker)) in enumerate(styles.items()):
            mine = task.rows[task.rows[_CATEGORY] == name]
            if mine.empty:
                continue
            means = over_seeds(
                _averaged(mine, [_CATEGORY], task.score.name), _CATEGORY, task.score.name
            )
            axis.errorbar(means["mean"], [place], xerr=means["sem"], color=colour, marker=marker,
                          capsize=2, elinewidth=1, linestyle="none")  # fmt: skip
        axis.set_yticks(range(len(styles)), [name or "all" for name in styles])
        axis.set_ylim(len(styles) - 0.5, -0.5)
        axis.set_title(task.name, loc="left")
        axis.set_xlabel(task.label)
    return axes


def _lines(
    tasks: list[_Task], styles: dict[str, tuple[str, str]], numbers: list[Column], ax: Any
) -> "list[Axes]":
    """A row of panels per task, a column per number."""
    joined = all(_is_grid(task.rows, numbers) for task in tasks)
    axes = panel_grid(ax, (len(tasks), len(numbers)), (3.0, 2.3), sharex="col", sharey="row")
    panels = iter(axes)
    for task in tasks:
        for place, number in enumerate(numbers):
            axis = next(panels)
            for name, style in styles.items():
                _line(axis, task, number.name, (name, *style), joined)
            if not axis.containers:
                say_empty(axis)
            if place == 0:
                axis.set_title(task.name, loc="left")
                axis.set_ylabel(task.label)
            if task is tasks[-1]:
                axis.set_xlabel(_axis_label(number))
            _scale(axis, task.rows[number.name].dropna(), ticks=joined)
    if ax is None and len(styles) > 1:
        shared_legend(axes, 4)
    return axes


def _line(
    axis: "Axes", task: _Task, number: str, category: tuple[str, str, str], joined: bool
) -> None:
    name, colour, marker = category
    mine = task.rows[task.rows[_CATEGORY] == name]
    look = {"color": colour, "marker": marker, "label": name or task.score.name}
    if mine[number].isna().all():  # it has no such setting: one value, wherever
        whole = _averaged(mine, [_CATEGORY], task.score.name)
        if len(whole):
            axis.axhline(whole[task.score.name].mean(), linestyle="--", linewidth=1.0, color=colour,
                         label=f"{name} (all of it)", zorder=1)  # fmt: skip
        return
    points = over_seeds(_averaged(mine, [number], task.score.name), number, task.score.name)
    line = joined and len(points) <= _MANY
    draw_means(axis, points[number], points, **look, linestyle="-" if line else "none")


def _scale(axis: "Axes", values: "pd.Series", ticks: bool) -> None:
    """Logarithmic where the levels lie in ratios rather than in differences; ticks: at a few."""
    found = sorted({float(v) for v in values})
    ratios = len(found) > 2 and found[0] > 0 and found[-1] >= 8 * found[0]
    if len(found) > _FEW or not ticks:
        if ratios:
            open_log_x(axis)
    elif ratios:
        plain_log_x(axis, found)
    else:
        axis.set_xticks(found, [f"{value:g}" for value in found])


def _axis_label(number: Column) -> str:
    """The name of a setting and its unit; what it means is in the schema."""
    unit = f" ({number.unit})" if number.unit not in ("", "1") else ""
    return f"{number.name}{unit}"


def _heat_maps(
    tasks: list[_Task], names: list[str], numbers: list[Column], ax: Any
) -> "list[Axes]":
    """A row of panels per category, a column per task; one scale of colours per task."""
    y, x = sorted(numbers, key=lambda n: tasks[0].rows[n.name].nunique())
    gridded = [n for n in names if any(len(_of(t, n, [x, y])) for t in tasks)]
    axes = panel_grid(ax, (len(gridded), len(tasks)), (3.1, 2.4))
    for column, task in enumerate(tasks):
        grids = [_of(task, name, [x, y]) for name in gridded]
        means = [g.groupby([y.name, x.name])[task.score.name].mean().unstack() for g in grids]
        known = [float(v) for m in means for v in m.to_numpy().ravel() if v == v]
        ends = (min(known), max(known)) if known else (0.0, 1.0)
        for row, (name, mean) in enumerate(zip(gridded, means, strict=True)):
            axis = axes[row * len(tasks) + column]
            if mean.empty:
                say_empty(axis)
                continue
            edges = [range(n + 1) for n in reversed(mean.shape)]
            image = axis.pcolormesh(*edges, mean, cmap="cividis", vmin=ends[0], vmax=ends[1])
            for ticks, found in ((axis.set_xticks, mean.columns), (axis.set_yticks, mean.index)):
                ticks([k + 0.5 for k in range(len(found))], [f"{v:g}" for v in found])
            _tell(axis, task, grids[row], (y, x), ends)
            axis.set_title(": ".join(filter(None, [task.name, name])), loc="left")
            axis.set_xlabel(_axis_label(x) if row == len(gridded) - 1 else "")
            axis.set_ylabel(_axis_label(y) if column == 0 else "")
            bar = figure_of([axis]).colorbar(image, ax=axis)
            bar.set_label(task.label)
    return axes


def _tell(
    axis: "Axes",
    task: _Task,
    rows: "pd.DataFrame",
    numbers: tuple[Column, Column],
    ends: tuple[float, float],
) -> None:
    """Writes mean and standard error into the fields, unless there are too many of them."""
    down, across = (sorted(rows[number.name].unique()) for number in numbers)
    if len(across) > _FEW or len(down) > _FEW:
        return
    for i, one in enumerate(down):
        mine = rows[rows[numbers[0].name] == one]
        means = over_seeds(mine, numbers[1].name, task.score.name)
        for value, mean, sem in means.itertuples(index=False):
            dark = mean < (ends[0] + ends[1]) / 2
            place = (across.index(value) + 0.5, i + 0.5)
            axis.text(*place, f"{mean:.3g}\n± {sem:.1g}", ha="center", va="center", fontsize=7,
                      color="white" if dark else "black")  # fmt: skip


def _of(task: _Task, name: str, numbers: list[Column]) -> "pd.DataFrame":
    mine = task.rows[task.rows[_CATEGORY] == name]
    return _averaged(
        mine.dropna(subset=[n.name for n in numbers]), [n.name for n in numbers], task.score.name
    )
