"""Dynamics of an LNP network beside its controls of equal size: small multiples, and spectra.

A panel per measure, a line per kind of network, axes with their zero: dots are seeds, bars mean and
standard error; filled as the networks are, open at the rate of the full network. The last two
panels: leading Lyapunov exponents and real parts of the leading eigenvalues of A = -D + D W, of the
networks as they are.
"""

from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import (
    figure_of,
    panel_grid,
    per_seed,
    require,
    say_above,
    say_empty,
    seeds_of,
    standard_error,
    zero_line,
)
from hrsnn_brian.figures.style import GREY, house_style, recipe_style
from hrsnn_brian.files.columns import FULL, NAME, UNMATCHED
from hrsnn_brian.files.tables import require_numbers
from hrsnn_brian.statistics.paired_seeds import left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MEASURES = {
    "rate_hz": "mean rate (Hz)",
    "silent_fraction": "silent neurons (fraction)",
    "isi_cv": "CV of intervals",
    "lambda_1_per_s": r"$\lambda_1$ (1/s)",
    "lambda_common_per_s": "$\\lambda_1$ under common\nnoise (1/s)",
    "input_echo": "input echo $S$",
    "population_autocorrelation_ms": "autocorrelation time,\npopulation (ms)",
    "neuron_autocorrelation_ms": "autocorrelation time,\nneuron (ms)",
    "effective_dimension_input": "effective dimension\nunder one input",
    "effective_dimension_noise": "effective dimension\nunder noise",
    "memory_capacity": "linear memory capacity\n(samples)",
    "participation_ratio": "participation ratio\nof 10 modes (neurons)",
}
SPECTRA = {
    "exponent_{}_per_s": "Lyapunov exponent\n(1/s)",
    "eigenvalue_{}_real_per_s": "eigenvalue of $-D+DW$,\nreal part (1/s)",
}
_IDENTITY = ("seed", "network", "recipe", "match", "keep", "neuron_fraction")
_COLUMNS = 4
RAW = UNMATCHED


def draw(table: "pd.DataFrame", ax: Any = None) -> "list[Axes]":
    """Draws a table of the study dynamics: one axes per measure, then the two spectra.

    Of several sizes the smallest is drawn, beside the full network. ax: those axes; None makes a
    figure. Raises InputError if columns or rows are missing, or axes do not suffice.
    """
    table = require(table, _IDENTITY, list(MEASURES))
    full, pruned = table[table["network"] == FULL], table[table["network"] != FULL]
    if pruned.empty:
        raise TableError("table", f"{len(table)} rows", "has no pruned network")
    keep = pruned["keep"].min()
    fraction = pruned[pruned["keep"] == keep]["neuron_fraction"].min()
    pruned = pruned[(pruned["keep"] == keep) & (pruned["neuron_fraction"] == fraction)]
    groups = {FULL: full} if len(full) else {}
    groups |= {str(kind): pruned[pruned[NAME] == kind] for kind in pruned[NAME].unique()}
    count = len(MEASURES) + len(SPECTRA)
    with house_style():
        size = (2.2, max(1.75, 0.7 + 0.19 * len(groups)))
        axes = panel_grid(ax, (-(-count // _COLUMNS), _COLUMNS), size)
        for k, (axis, (column, label)) in enumerate(zip(axes, MEASURES.items(), strict=False)):
            _draw_measure(axis, groups, column)
            axis.set_xlabel(label)
            axis.tick_params(axis="y", labelleft=k % _COLUMNS == 0)
        for axis, (pattern, label) in zip(axes[len(MEASURES) :], SPECTRA.items(), strict=False):
            _draw_spectrum(axis, groups, pattern)
            axis.set_ylabel(label)
        for axis in axes[count:]:
            axis.set_visible(False)
        if ax is None:
            _legend(axes[0], groups, keep, fraction)
    return axes[:count]


def _draw_measure(axis: "Axes", groups: dict[str, "pd.DataFrame"], column: str) -> None:
    for place, (kind, rows) in enumerate(groups.items()):
        style = _style(kind)
        for matched, of_matching in per_seed(rows, ["match"], column).groupby("match"):
            values = of_matching[column].dropna()
            if values.empty:
                continue
            y = place + (0.0 if len(set(rows["match"])) == 1 else -0.2 if matched == RAW else 0.2)
            if len(values) > 1:
                axis.plot(values, [y] * len(values), ".", color=style["color"], alpha=0.4,
                          markersize=4, markeredgewidth=0, zorder=2)  # fmt: skip
            face = style["color"] if matched == RAW else "white"
            axis.errorbar(values.mean(), y, xerr=standard_error(values) or None, capsize=2,
                          elinewidth=1.1, markersize=4.5, markerfacecolor=face, zorder=3,
                          clip_on=False, **style)  # fmt: skip
    axis.set_yticks(range(len(groups)), list(groups))
    axis.set_ylim(len(groups) - 0.4, -0.6)
    if not axis.containers:
        say_empty(axis)
        return
    low, high = axis.get_xlim()
    signed = any(rows[column].min() < 0 for rows in groups.values())
    if signed:
        axis.axvline(0.0, color=GREY, linewidth=0.8, zorder=1)
    axis.set_xlim(low if signed else 0.0, max(high, 0.0))


def _style(kind: str) -> dict[str, Any]:
    """Colour and marker of a kind of network."""
    style = recipe_style(kind)
    return {"color": style["color"], "marker": style["marker"]}


def _draw_spectrum(axis: "Axes", groups: dict[str, "pd.DataFrame"], pattern: str) -> None:
    from matplotlib.ticker import MaxNLocator

    zero_line(axis)
    for kind in groups:
        style = _style(kind)
        raw = groups[kind][groups[kind]["match"] == RAW]
        names = takewhile(set(raw).__contains__, map(pattern.format, count(1)))
        index = {name: j for j, name in enumerate(names, start=1)}
        if not index:
            raise TableError("table", list(raw), f"has no columns {pattern!r}")
        require_numbers(raw, index)
        for name in index:
            per_seed(raw, [], name)  # one spectrum per seed
        values = raw.drop_duplicates("seed")[list(index)].dropna()
        if values.empty:
            continue
        means = values.mean().to_numpy()
        errors = [standard_error(values[name]) for name in index]
        thin: dict[str, Any] = {"markersize": 3, "linewidth": 1, "elinewidth": 0.8, "label": kind}
        axis.errorbar(list(index.values()), means, errors, **style, **thin, zorder=3)
    if not axis.containers:
        say_empty(axis)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("index")


def _legend(axis: "Axes", groups: dict[str, "pd.DataFrame"], keep: float, fraction: float) -> None:
    from matplotlib.lines import Line2D

    figure = figure_of([axis])
    handles = [
        Line2D([], [], linewidth=1, markersize=4.5, label=kind, **_style(kind)) for kind in groups
    ]
    if any((rows["match"] != RAW).any() for rows in groups.values()):
        handles.append(Line2D([], [], color=GREY, marker="o", markerfacecolor="white",
                              linestyle="", label="at the full network's rate"))  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    seeds = max(rows["seed"].nunique() for rows in groups.values())
    missing = [
        found for rows in groups.values() for found in seeds_of(rows, ["match"], MEASURES, True)
    ]
    shown = f"mean ± s.e.m. and single values of {seeds} seeds" if seeds > 1 else "one seed"
    size = f"{100 * keep:g} % of synapses, {100 * fraction:g} % of neurons"
    say_above([axis], f"{size}; {shown}{left_out(missing)}")
