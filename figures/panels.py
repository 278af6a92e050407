"""What figures of several panels share: their axes, and means with errors over seeds."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures.style import GREY, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LAMBDA_INF = r"$\lambda_\mathrm{inf}$"
T_RENORM = r"$t_\mathrm{renorm}$"


def require(table: "pd.DataFrame", columns: Iterable[str]) -> None:
    """Raises InputError, naming the first missing column, unless the table has all `columns`."""
    for column in columns:
        if column not in table:
            raise InputError("table", list(table), f"has no column {column!r}")


def rows_of(table: "pd.DataFrame", column: str, value: str, columns: Sequence[str]) -> Any:
    """The rows with `value` in `column`. Raises InputError if there are none or columns lack."""
    require(table, [column, *columns])
    found = table[table[column] == value]
    if found.empty:
        raise InputError("table", f"{len(table)} rows", f"has no row with {column} = {value!r}")
    return found


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
    axes = list(ax.flat) if hasattr(ax, "flat") else list(ax) if isinstance(ax, list) else [ax]
    if len(axes) != rows * columns:
        raise InputError("ax", len(axes), f"must be {rows * columns} axes, one per panel")
    return axes


def over_seeds(rows: "pd.DataFrame", by: str, column: str) -> "pd.DataFrame":
    """Mean and standard error over seeds for each value of `by`: columns by, mean, sem.

    A missing value is a failed check. Where one seed failed there is no mean (NaN): that of the
    seeds which happened to pass is biased.
    """
    groups = rows.groupby(by)[column]
    return groups.agg(mean=lambda v: v.mean(skipna=False), sem=standard_error).reset_index()


def standard_error(values: "pd.Series") -> float:
    """Standard error of the mean; 0 for a single value, which has none to show."""
    n = values.count()
    return float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0


def few(values: Iterable[float], n: int) -> list[float]:
    """At most n of the sorted distinct values, evenly chosen, first and last among them."""
    ordered = sorted(set(values))
    if len(ordered) <= n:
        return ordered
    return [ordered[round(k * (len(ordered) - 1) / (n - 1))] for k in range(n)]


def zero_line(axis: "Axes") -> None:
    """A thin line at zero, between stability and chaos."""
    axis.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)


def shared_legend(axes: "list[Axes]", columns: int) -> None:
    """One legend below the figure with every label of the panels, each once; curves first."""
    from matplotlib.container import ErrorbarContainer

    entries: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    curves = [name for name, handle in entries.items() if isinstance(handle, ErrorbarContainer)]
    entries = {name: entries[name] for name in dict.fromkeys([*curves, *entries])}
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=columns)


def say_spread(axes: "list[Axes]", seeds: int, more: str = "") -> None:
    """What bars and bands are, above the figure."""
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    spread = f"mean ± s.e.m. over {seeds} seeds" if seeds > 1 else "one seed"
    figure.suptitle(f"{spread}{more}", fontsize=9)
