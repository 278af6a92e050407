"""What figures of several panels share: their axes, and means with errors over seeds."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError, TableError
from hrsnn_brian.figures.style import GREY, SLATE, new_figure
from hrsnn_brian.files.columns import NAME, NO_RECURRENCE, Column, named
from hrsnn_brian.files.tables import require_numbers, schema_in
from hrsnn_brian.statistics.paired_seeds import Seeds, by_seed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAMBDA_INF = r"$\lambda_\mathrm{inf}$"
T_RENORM = r"$t_\mathrm{renorm}$"

_FAR = 1.0  # of the span of what is drawn: a control farther off is not drawn, but said

# Columns that hold words, or truth values; every other one a figure asks for holds numbers.
WORDS = frozenset(
    ("network", "recipe", "task", "group", "quantity")
    + ("match", "readout", "note", "reason", "met_budget", "training", "gain_rule", "noise")
    + ("class", "unit", "wanted", "taken_for")
)
MAY_BE_EMPTY = (
    "recipe",
    "note",
    "reason",
    "standard_error_per_s",
    "value_per_s",
    "start_s",
    "end_s",
)


def require(
    table: "pd.DataFrame", columns: Iterable[str], values: Sequence[str] = ()
) -> "pd.DataFrame":
    """The table with inf, which cannot be drawn, made NaN, and a column `NAME` if it has networks.

    columns: those that say what a row is; none may be empty throughout but `MAY_BE_EMPTY`.
    values: those to be drawn, of which at least one must hold a number; scores need not be named.
    Raises InputError if the table has no schema, and, naming the first column, for one that is
    missing, empty or holds text for a number.
    """
    columns = list(columns)
    for column in (*columns, *values):
        if column not in table:
            raise TableError("table", list(table), f"has no column {column!r}")
    numbers = [name for name in (*columns, *values) if name not in WORDS]
    scores = schema_in(table).scores()
    require_numbers(table, [*numbers, *(name for name in scores if name in table)])
    for column in columns:
        if column not in MAY_BE_EMPTY and table[column].isna().all():
            raise TableError("table", f"{len(table)} rows", f"column {column!r} is empty")
    table = table.replace([math.inf, -math.inf], math.nan)
    if "network" in columns:
        table = table.assign(**{NAME: [row[NAME] for row in named(records(table))]})
    if values and table[list(values)].isna().all(axis=None):
        raise TableError("table", f"{len(table)} rows", f"no row has a value of {values[0]!r}")
    return table


def rows_of(
    table: "pd.DataFrame",
    column: str,
    value: str,
    columns: Sequence[str],
    values: Sequence[str] = (),
) -> Any:
    """The rows with `value` in `column`, as `require` gives them.

    Raises InputError as `require` does, and if there are none.
    """
    if column not in table:
        raise TableError("table", list(table), f"has no column {column!r}")
    found = table[table[column] == value]
    if found.empty:
        raise TableError("table", f"{len(table)} rows", f"has no row with {column} = {value!r}")
    return require(found, columns, values)


def scores_of(rows: "pd.DataFrame") -> list[Column]:
    """The scores of one task's rows, checked by `require`, that are worth a panel: not all missing.

    Raises InputError if there is none.
    """
    (task,) = map(str, rows["task"].unique())
    found = [
        s for s in schema_in(rows).shown(task) if s.name in rows and rows[s.name].notna().any()
    ]
    if not found:
        raise TableError("table", list(rows), f"has no score columns with values for {task}")
    return found


def judged_by(rows: "pd.DataFrame") -> Column:
    """The score that one task is judged by. Raises InputError if its rows have none."""
    found = scores_of(rows)
    (task,) = map(str, rows["task"].unique())
    primary = schema_in(rows).primary(task)
    if primary not in found:
        raise TableError("table", list(rows), f"has no score columns with values for {task}")
    return primary


def per_seed(rows: "pd.DataFrame", by: Sequence[str], column: str) -> "pd.DataFrame":
    """Columns by, seed and `column`, a row per seed: what is there twice counts once.

    Raises InputError if a seed has two values.
    """
    keys = list(dict.fromkeys([*by, "seed"]))
    once = rows[[*keys, column]].drop_duplicates()
    twice = once[once.duplicated(keys, keep=False)]
    if not twice.empty:
        same = (twice[keys] == twice[keys].iloc[0]).all(axis=1)
        pair = twice[same][column].tolist()[:2]
        where = ", ".join(f"{key} {twice[key].iloc[0]}" for key in keys)
        what = f"two rows of {where} differ in {column}: {' and '.join(map(str, pair))}"
        raise TableError("table", column, what)
    return once


def panel_grid(
    ax: Any, shape: tuple[int, int], size_in: tuple[float, float], **shared: Any
) -> "list[Axes]":
    """Axes of a grid (rows, columns), row by row: those given, or those of a new figure.

    size_in: width and height of one panel. shared: sharex, sharey of a new figure.
    Raises InputError unless `ax` is None or as many axes as the grid has.
    """
    rows, columns = shape
    if ax is None:
        figure = new_figure(0.5 + size_in[0] * columns, 0.7 + size_in[1] * rows)
        return list(figure.subplots(rows, columns, squeeze=False, **shared).flat)
    return given_axes(ax, rows * columns, "one per panel")


def given_axes(ax: Any, wanted: int, each: str) -> "list[Axes]":
    """The axes a user gives, an array, a list or one. Raises InputError if too few."""
    axes = list(ax.flat) if hasattr(ax, "flat") else list(ax) if isinstance(ax, list) else [ax]
    if len(axes) != wanted:
        raise InputError("ax", len(axes), f"must be {wanted} axes, {each}")
    return axes


def over_seeds(rows: "pd.DataFrame", by: str, column: str) -> "pd.DataFrame":
    """Mean and standard error over seeds for each value of `by`: columns by, mean, sem.

    A missing value is a failed check. Where one seed failed there is no mean (NaN): that of the
    seeds which happened to pass is biased. Raises InputError as `per_seed` does.
    """
    groups = per_seed(rows, [by], column).groupby(by)[column]
    return groups.agg(mean=lambda v: v.mean(skipna=False), sem=standard_error).reset_index()


def draw_means(axis: "Axes", x: Any, points: "pd.DataFrame", **style: Any) -> None:
    """The means of `over_seeds` at x, their errors as bars; style: as matplotlib's errorbar."""
    bars = {"yerr": points["sem"], "capsize": 2, "elinewidth": 1}
    axis.errorbar(x, points["mean"], **{**bars, **style})


def mean_over_seeds(rows: "pd.DataFrame", column: str) -> float:
    """The mean of the seeds' means, however many rows a seed has."""
    return float(rows.groupby("seed")[column].mean().mean())


def standard_error(values: "pd.Series") -> float:
    """Standard error of the mean; 0 for a single value, which has none to show."""
    n = values.count()
    return float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0


def error_of(seeds: Mapping[Any, float]) -> float:
    """The same of seed -> value."""
    import pandas as pd

    return standard_error(pd.Series([*seeds.values()]))


def records(rows: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows as dicts, as `statistics.paired_seeds` takes them."""
    return [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]


def draw_bare(axis: "Axes", bare: Mapping[Any, float]) -> None:
    """The control without recurrence as a line, or its score in words if that is far off what is
    drawn. bare: seed -> score."""
    if not bare:
        return
    level, error = sum(bare.values()) / len(bare), error_of(bare)
    low, high = axis.dataLim.intervaly
    off = max(low - level, level - high)
    if 0 < _FAR * (high - low) < off:
        above = level > high
        text = f"{NO_RECURRENCE}: {level:.3g} {'↑' if above else '↓'}"
        axis.text(0.98, 0.98 if above else 0.02, text, color=SLATE, fontsize=8, ha="right",
                  va="top" if above else "bottom", transform=axis.transAxes)  # fmt: skip
        return
    label = f"{NO_RECURRENCE} (no operations)"
    axis.axhline(level, color=GREY, linestyle="--", linewidth=1, label=label, zorder=1)
    axis.axhspan(level - error, level + error, color=GREY, alpha=0.12, linewidth=0)


def few(values: Iterable[float], n: int) -> list[float]:
    """At most n of the sorted distinct values, evenly chosen, first and last among them."""
    ordered = sorted(set(values))
    if len(ordered) <= n:
        return ordered
    return [ordered[round(k * (len(ordered) - 1) / (n - 1))] for k in range(n)]


def say_empty(axis: "Axes") -> None:
    """Says in a panel that there is nothing to draw."""
    axis.text(0.5, 0.5, "no values", color=GREY, ha="center", va="center", fontsize=8,
              transform=axis.transAxes)  # fmt: skip


def zero_line(axis: "Axes") -> None:
    """A thin line at zero, between stability and chaos."""
    axis.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)


def label_x(axes: "Iterable[Axes]", text: str) -> None:
    """Gives panels that have none of their kind below them the labels of their x axis."""
    for axis in axes:
        axis.tick_params(labelbottom=True)
        axis.set_xlabel(text)


def figure_of(axes: "Sequence[Axes]") -> "Figure":
    """The whole figure that axes are part of."""
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    return figure


def shared_legend(axes: "list[Axes]", columns: int) -> None:
    """One legend below the figure with every label of the panels, each once; curves first.

    columns: at most; fewer where the page is too narrow for them.
    """
    from matplotlib.container import ErrorbarContainer

    entries: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    curves = [name for name, handle in entries.items() if isinstance(handle, ErrorbarContainer)]
    entries = {name: entries[name] for name in dict.fromkeys([*curves, *entries])}
    if not entries:
        return
    figure = figure_of(axes)
    for ncols in range(columns, 0, -1):
        legend = figure.legend(
            [*entries.values()], [*entries], loc="outside lower center", ncols=ncols
        )
        if ncols == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def seeds_of(
    rows: "pd.DataFrame", by: Sequence[str], columns: Iterable[str], any_size: bool = False
) -> list[Seeds]:
    """The seeds behind every mean of `columns`, one for each different `by`."""
    named_rows = [{**row, _GROUP: [row[name] for name in by]} for row in records(rows)]
    found = (by_seed(named_rows, _GROUP, column, any_size) for column in columns)
    return [seeds for groups in found for seeds in groups.values()]


_GROUP = "group of rows"


def say_spread(axes: "list[Axes]", seeds: int, more: str = "") -> None:
    """What bars and bands are, above the figure."""
    spread = f"mean ± s.e.m. over {seeds} seeds" if seeds > 1 else "one seed"
    say_above(axes, f"{spread}{more}")


def say_above(axes: "Sequence[Axes]", text: str) -> None:
    """A title of the figure, in as many lines as its width asks for."""
    figure = figure_of(axes)
    letters = int(_LETTERS_PER_INCH * figure.get_figwidth())
    together = text.replace(" %", "\N{NO-BREAK SPACE}%")  # a number and its unit
    lines = [line for part in together.splitlines() for line in textwrap.wrap(part, letters)]
    figure.suptitle("\n".join(lines).replace("\N{NO-BREAK SPACE}", " "), fontsize=9)


_LETTERS_PER_INCH = 13.0  # of the title's size
