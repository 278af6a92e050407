"""Plots of one network: a function for each table of `dynamics.portrait`, drawn into given axes.

Every function takes a table (columns of one length) and axes, or makes a figure, and returns the
axes. Blue is excitatory, vermilion inhibitory.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.figures.panels import zero_line
from hrsnn_brian.figures.style import BLUE, GREY, LINES, VERMILION, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Table = Mapping[str, Any]
CLASSES = {"E": ("excitatory", BLUE), "I": ("inhibitory", VERMILION)}
PANEL = (3.2, 2.5)  # inches


def raster(table: Table, ax: "Axes | None" = None) -> "Axes":
    """A tick per spike; a line per neuron, inhibitory ones on top."""
    axis = _axes(ax)
    for name, (label, colour) in CLASSES.items():
        mine = table["class"] == name
        axis.scatter(table["time_s"][mine], table["line"][mine], s=4, marker="|", linewidths=0.7,
                     color=colour, label=label)  # fmt: skip
    axis.set(xlabel="time (s)", ylabel="neuron (a sample)")
    _legend(axis, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, markerscale=3)
    return axis


def rates(table: Table, ax: "Axes | None" = None) -> "Axes":
    """Histogram of the rates; the legend has the means."""
    axis = _axes(ax)
    _by_class(axis, table, "rate_hz", "{:.1f} Hz")
    axis.set(xlabel="firing rate (Hz)", ylabel="neurons")
    return axis


def isi(table: Table, ax: "Axes | None" = None) -> "Axes":
    """Histogram of the variation of intervals: 0 a clock, 1 a Poisson process."""
    axis = _axes(ax)
    _by_class(axis, table, "isi_cv", "{:.2f}")
    axis.axvline(1.0, color=GREY, linewidth=0.8, linestyle=":")
    axis.set(xlabel="CV of the inter-spike intervals", ylabel="neurons")
    return axis


def tau(table: Table, ax: "Axes | None" = None) -> "Axes":
    """Histogram of tau_m, by cluster where there are several, else by class."""
    axis = _axes(ax)
    clusters = np.unique(table["cluster"])
    if len(clusters) == 1:
        _by_class(axis, table, "tau_m_ms", "{:.0f} ms")
    else:
        groups = [
            (f"cluster {k}", LINES[number % len(LINES)], table["cluster"] == k)
            for number, k in enumerate(clusters)
        ]
        _histograms(axis, table["tau_m_ms"], groups, "{:.0f} ms")
    axis.set(xlabel="membrane time constant (ms)", ylabel="neurons")
    return axis


def connectivity(table: Table, ax: "Axes | None" = None) -> "Axes":
    """The matrix in blocks: orange excites, blue inhibits, white is nothing."""
    axis = _axes(ax)
    side = math.isqrt(len(table["mean_weight"]))
    mean = np.asarray(table["mean_weight"], dtype=float).reshape(side, side)
    top = float(np.abs(mean).max()) or 1.0
    step = float(table["pre"][1]) if side > 1 else 1.0
    extent = (0.0, side * step, side * step, 0.0)
    image = axis.imshow(
        mean, cmap="PuOr_r", vmin=-top, vmax=top, extent=extent, interpolation="nearest"
    )
    bar = axis.figure.colorbar(image, ax=axis, shrink=0.8)
    bar.set_label("mean weight (mean thresholds)")
    axis.set(xlabel="from neuron", ylabel="to neuron")
    return axis


def degrees(table: Table, ax: "Axes | None" = None) -> "Axes":
    """Histograms of in- and out-degrees."""
    axis = _axes(ax)
    values = np.concatenate([table["in_degree"], table["out_degree"]])
    incoming = np.arange(len(values)) < len(table["in_degree"])
    groups = [("in", BLUE, incoming), ("out", LINES[0], ~incoming)]
    _histograms(axis, values, groups, "{:.1f}")
    axis.set(xlabel="synapses of a neuron", ylabel="neurons")
    return axis


def eigenvalues(table: Table, ax: "Axes | None" = None) -> "Axes":
    """The cloud in the complex plane; right of the line the linearised network grows."""
    axis = _axes(ax)
    axis.scatter(table["real_per_s"], table["imag_per_s"], s=5, color=BLUE, linewidths=0, alpha=0.7)
    axis.axvline(0.0, color=GREY, linewidth=0.8)
    axis.set(xlabel="real part (1/s)", ylabel="imaginary part (1/s)")
    return axis


def spectrum(table: Table, ax: "Axes | None" = None) -> "Axes":
    """Exponents by index, with their standard errors over inputs."""
    axis = _axes(ax)
    zero_line(axis)
    values = np.asarray(table["exponent_per_s"], dtype=float)
    axis.errorbar(table["index"], values, yerr=table["standard_error_per_s"], fmt="o-", color=BLUE,
                  capsize=2, elinewidth=1)  # fmt: skip
    if np.isnan(values).all():
        axis.text(0.5, 0.5, "a check failed:\nno exponent", ha="center", va="center", color=GREY,
                  transform=axis.transAxes)  # fmt: skip
    axis.set(xlabel="index of the exponent", ylabel="exponent (1/s)")
    return axis


def divergence(table: Table, ax: "Axes | None" = None) -> "Axes":
    """ln distance of each copy; where a line ends, the copies had met."""
    axis = _axes(ax)
    for copy in np.unique(table["copy"]):
        mine = table["copy"] == copy
        axis.plot(table["time_s"][mine], table["ln_distance"][mine], color=BLUE, linewidth=0.9,
                  alpha=0.7)  # fmt: skip
    axis.set(xlabel="time since the perturbation (s)", ylabel="ln distance")
    return axis


def pca(table: Table, ax: "Axes | None" = None) -> "Axes":
    """The path of the states in the plane of their two leading components."""
    axis = _axes(ax)
    axis.plot(table["pc_1"], table["pc_2"], color=BLUE, linewidth=0.6, alpha=0.8)
    shares = [100 * float(table[f"explained_{k}"][0]) for k in (1, 2)]
    axis.set(xlabel=f"component 1 ({shares[0]:.0f} %)", ylabel=f"component 2 ({shares[1]:.0f} %)")
    return axis


def autocorrelation(table: Table, ax: "Axes | None" = None) -> "Axes":
    """Of the population rate, in bins of 5 ms."""
    axis = _axes(ax)
    zero_line(axis)
    axis.plot(1e3 * np.asarray(table["lag_s"]), table["autocorrelation"], color=BLUE)
    axis.set(xlabel="lag (ms)", ylabel="autocorrelation of the rate")
    return axis


PLOTS: dict[str, Callable[..., Any]] = {
    plot.__name__: plot
    for plot in (
        *(raster, rates, isi, tau, connectivity, degrees),
        *(eigenvalues, spectrum, divergence, pca, autocorrelation),
    )
}


def plot_kind(kind: str, table: Table, ax: "Axes | None" = None) -> "Axes":
    """The plot of that name. Raises InputError if there is none."""
    if kind not in PLOTS:
        raise unknown_name("kind", kind, PLOTS)
    with house_style():
        drawn: Axes = PLOTS[kind](table, ax)
    return drawn


def side_by_side(kind: str, tables: Sequence[Table], names: Sequence[str]) -> "Figure":
    """A figure of one kind: a panel per network, on the same axes so that they compare."""
    with house_style():
        figure = new_figure(0.4 + PANEL[0] * len(tables), 0.4 + PANEL[1])
        same = kind != "connectivity"  # matrices keep their own sizes
        axes = figure.subplots(1, len(tables), squeeze=False, sharex=same, sharey=same)
        for axis, table, name in zip(axes.flat, tables, names, strict=True):
            PLOTS[kind](table, axis)
            axis.set_title(name, loc="left", pad=18 if kind == "raster" else None)
    return figure


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    axis: Axes = new_figure(0.4 + PANEL[0], 0.4 + PANEL[1]).subplots()
    return axis


def _by_class(axis: "Axes", table: Table, column: str, form: str) -> None:
    groups = [(label, colour, table["class"] == name) for name, (label, colour) in CLASSES.items()]
    _histograms(axis, table[column], groups, form)


def _histograms(axis: "Axes", values: Any, groups: Sequence[tuple[Any, ...]], form: str) -> None:
    """Histograms on common bins; the legend has the mean of each group, and how many have none."""
    values = np.asarray(values, dtype=float)
    known = values[np.isfinite(values)]
    if not known.size:
        axis.text(0.5, 0.5, "no values", ha="center", va="center", color=GREY,
                  transform=axis.transAxes)  # fmt: skip
        return
    bins, top = _edges(known), 0.0
    for label, colour, mine in groups:
        chosen = values[mine]
        there = chosen[np.isfinite(chosen)]
        if not chosen.size:
            continue
        mean = "mean " + form.format(there.mean()) if there.size else "no values"
        missing = f", {chosen.size - there.size} without" if there.size < chosen.size else ""
        axis.hist(there, bins=bins.tolist(), histtype="stepfilled", alpha=0.35, color=colour)
        count, *_ = axis.hist(there, bins=bins.tolist(), histtype="step", color=colour,
                              label=f"{label}: {mean}{missing}")  # fmt: skip
        top = max(top, float(np.max(count)))
    axis.set_ylim(0, max(axis.get_ylim()[1], 1.35 * top))  # room for the legend
    _legend(axis, loc="upper right")


def _edges(known: Any) -> Any:
    """Edges of bins, whole numbers in the middle of theirs."""
    if not np.array_equal(known, np.round(known)):
        return np.histogram_bin_edges(known, bins=min(40, max(10, math.isqrt(known.size))))
    low, high = known.min(), known.max()
    step = max(1, math.ceil((high - low) / 40))
    return np.arange(low - 0.5, high + step, step)


def _legend(axis: "Axes", **where: Any) -> None:
    axis.legend(fontsize=8, handlelength=1.2, **where)
