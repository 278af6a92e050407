"""lambda(d0; t_renorm, dt) against d0 for several dt, one panel per network: the grid artefact.

Lines join the means over seeds of valid values. A failed check is a hollow symbol at the raw
number, which is no exponent, joined to nothing; regions where every dt fails the same way are
shaded. The horizontal line is lambda_inf, which knows neither d0 nor the grid.
"""

from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from hrsnn_brian.figures.panels import (
    LAMBDA_INF,
    T_RENORM,
    draw_means,
    mean_over_seeds,
    over_seeds,
    panel_grid,
    per_seed,
    require,
    rows_of,
    say_spread,
    shared_legend,
    zero_line,
)
from hrsnn_brian.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SLATE, house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = ("network", "seed", "d0", "t_renorm_ms", "dt_ms", "reason", "passive_per_s")
_VALUES = ("value_per_s", "raw_per_s")
# reason as it begins -> (name of the region, symbol of a failed value)
FAILURES = {
    "passive": ("passive", "v"),
    "zero distance": ("passive", "X"),
    "saturated": ("saturated", "*"),
}
_SHADES = {"passive": "#EDEDED", "saturated": "#F7E3D4"}
_LINES = ((BLUE, "o"), (GREEN, "s"), (ORANGE, "^"), (PURPLE, "D"))
_DODGE = 1.3  # factor in d0 between curves, keeps their error bars apart


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study perturbation_size; returns one axes per t_renorm and network.

    ax: that many axes, networks in a row (one axes if it is one); None makes a figure.
    Raises InputError if columns or the finite-size rows are missing, or axes too few.
    """
    curves = rows_of(table, "quantity", "finite_size", _COLUMNS, _VALUES)
    exact = table[table["quantity"] == "lambda_inf"]
    if not exact.empty:
        exact = require(exact, ("network", "seed", "dt_ms", "value_per_s"))
    networks, intervals = list(curves["network"].unique()), sorted(curves["t_renorm_ms"].unique())
    panels = list(product(intervals, networks))
    wide = len(networks) if len(intervals) > 1 or len(networks) < 3 else (len(networks) + 1) // 2
    shape = (len(panels) // wide, wide) if len(panels) % wide == 0 else (1, len(panels))
    with house_style():
        axes = panel_grid(ax, shape, (3.4, 2.4), sharex=True, sharey=True)
        for axis, (interval, network) in zip(axes, panels, strict=True):
            here = curves[(curves["network"] == network) & (curves["t_renorm_ms"] == interval)]
            _draw_panel(axis, here, exact[exact["network"] == network])
            axis.set_title(f"{network}, {T_RENORM} = {interval:g} ms", loc="left")
        if ax is None:
            shared_legend(axes, min(5, 2 * wide - 1))
            say_spread(
                axes,
                curves["seed"].nunique(),
                "; same networks and input at every dt; hollow: raw numbers of failed checks",
            )
    for axis in axes:
        axis.label_outer()
    return axes


def _draw_panel(axis: "Axes", curves: "pd.DataFrame", exact: "pd.DataFrame") -> None:
    axis.set_xscale("log")
    zero_line(axis)
    leak = mean_over_seeds(curves, "passive_per_s")
    axis.axhline(leak, color=SLATE, linestyle=":", linewidth=1, label="slowest leak", zorder=1)
    _draw_exponent(axis, exact)
    steps = sorted(curves["dt_ms"].unique())
    for k, dt in enumerate(steps):
        _draw_curve(axis, curves[curves["dt_ms"] == dt], k, (k - (len(steps) - 1) / 2))
    _shade(axis, curves)
    axis.set_xlabel(r"perturbation $d_0$ (mean thresholds)")
    axis.set_ylabel(rf"$\lambda(d_0$; {T_RENORM}, dt) (1/s)")


def _draw_exponent(axis: "Axes", exact: "pd.DataFrame") -> None:
    """lambda_inf at every dt: a line and, at the finest, a band; nothing if a check failed."""
    if exact.empty:
        return
    found = over_seeds(exact, "dt_ms", "value_per_s")
    for k, (dt, mean, sem) in enumerate(found.itertuples(index=False)):
        label = f"{LAMBDA_INF}, dt = {dt:g} ms"
        if mean != mean:
            axis.plot([], [], linestyle="none", marker="x", color=BLACK, label=f"{label}: failed")
            continue
        axis.axhline(mean, color=BLACK, linestyle="--" if k else "-", label=label, zorder=2)
        if k == 0:
            axis.axhspan(mean - sem, mean + sem, color=BLACK, alpha=0.15, linewidth=0, zorder=1)


def _draw_curve(axis: "Axes", rows: "pd.DataFrame", number: int, place: float) -> None:
    colour, marker = _LINES[number % len(_LINES)]
    shift = _DODGE**place
    points = over_seeds(rows, "d0", "value_per_s")
    label = f"dt = {rows['dt_ms'].iloc[0]:g} ms"
    style = {"color": colour, "marker": marker, "label": label, "zorder": 4}
    draw_means(axis, points["d0"] * shift, points, **style)
    failed = rows[rows["d0"].isin(points.loc[points["mean"].isna(), "d0"])]
    for reason, (_, symbol) in FAILURES.items():
        # where seeds failed in different ways, or some passed, each is shown for itself
        raw = _raw(failed[_begins(failed, reason)])
        if not raw.empty:
            _hollow(axis, raw.index * shift, raw, colour, symbol)
            _hollow(axis, [], [], GREY, symbol, f"failed: {reason}")
    passed = _raw(failed[failed["value_per_s"].notna()])
    if not passed.empty:
        _hollow(axis, passed.index * shift, passed, colour, marker)
        _hollow(axis, [], [], GREY, "o", "some seeds failed (mean of the others)")


def _raw(rows: "pd.DataFrame") -> "pd.Series":
    """Raw numbers, mean over seeds, by d0."""
    return per_seed(rows, ["d0"], "raw_per_s").groupby("d0")["raw_per_s"].mean()


def _begins(rows: "pd.DataFrame", reason: str) -> Any:
    said = rows["reason"].map(lambda why: isinstance(why, str) and why.startswith(reason))
    return said.astype(bool)


def _hollow(axis: "Axes", x: Any, y: Any, colour: str, symbol: str, label: str = "") -> None:
    axis.plot(
        x,
        y,
        linestyle="none",
        marker=symbol,
        markerfacecolor="white",
        markeredgecolor=colour,
        markersize=3.5,
        label=label or "_raw",
        zorder=3,
    )


def _shade(axis: "Axes", rows: "pd.DataFrame") -> None:
    """Shades, for each region, the sizes at which every dt and seed fails that way."""
    sizes = sorted(rows["d0"].unique())
    edges = [sizes[0] / 2, *((a * b) ** 0.5 for a, b in pairwise(sizes)),
             sizes[-1] * 2]  # fmt: skip
    axis.set_xlim(edges[0], edges[-1])
    for region, shade in _SHADES.items():
        reasons = [reason for reason, (name, _) in FAILURES.items() if name == region]
        fails = rows.assign(fails=sum(_begins(rows, reason) for reason in reasons) > 0)
        everywhere = fails.groupby("d0")["fails"].all()
        label = f"{region} at every dt"
        for k, size in enumerate(sizes):
            if everywhere[size]:
                axis.axvspan(edges[k], edges[k + 1], color=shade, linewidth=0, zorder=0,
                             label=label)  # fmt: skip
                label = "_region"
