"""What pruning does: a network before and after, and the time constants of its neurons.

Neurons stand on a ring in the order of their numbers, which is that of the small world, cluster
after cluster; excitatory ones are discs, inhibitory ones triangles, coloured by their time
constants. Crosses: neurons that were removed. Lines at the right: the gamma distributions of the
same mean and variance.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import figure_of, given_axes, require
from hrsnn_brian.figures.style import BLACK, GREY, house_style, new_figure, recipe_style
from hrsnn_brian.files.columns import FULL, NAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEURONS = ("seed", "network", "recipe", "neuron", "class", "cluster")
_SYNAPSES = ("seed", "network", "recipe", "pre", "post")
_USUAL = "lnp"


def draw(
    neurons: "pd.DataFrame", synapses: "pd.DataFrame", ax: Any = None, recipe: str | None = None
) -> "list[Axes]":
    """Draws the tables neurons and synapses: three axes, before, after, and time constants.

    recipe: whose network is the one after, by default lnp, or the first. ax: three axes; None makes
    a figure. Raises InputError if a column or the networks are missing, or the axes are not three.
    """
    neurons, synapses = require(neurons, _NEURONS, ("tau_m_ms",)), require(synapses, _SYNAPSES)
    pruned = [str(name) for name in neurons[NAME].unique() if name != FULL]
    if FULL not in set(neurons[NAME]) or not pruned or recipe not in (None, *pruned):
        raise TableError("table", sorted(set(neurons[NAME])), "lacks the network before or after")
    after = recipe or (_USUAL if _USUAL in pruned else pruned[0])
    span = (float(neurons["tau_m_ms"].min()), float(neurons["tau_m_ms"].max()))
    with house_style():
        if ax is None:
            figure = new_figure(7.6, 2.9)
            axes = list(figure.subplots(1, 3, width_ratios=(1.2, 1.2, 1)))
        else:
            axes = given_axes(ax, 3, "before, after and time constants")
        before = neurons[neurons[NAME] == FULL]
        for axis, name in zip(axes, (FULL, after), strict=False):
            held = neurons[neurons[NAME] == name]
            dots = _draw_ring(axis, before, held, synapses[synapses[NAME] == name], span)
            axis.set_title(
                f"{'unpruned' if name == FULL else name}: {len(held)} neurons,\n"
                f"{(synapses[NAME] == name).sum()} synapses",
                loc="left",
            )
        bar = figure_of(axes).colorbar(dots, ax=axes[:2], shrink=0.6, location="bottom",
                                       aspect=40, pad=0.02)  # fmt: skip
        bar.set_label("membrane time constant (ms)")
        for name, colour in ((FULL, BLACK), (after, recipe_style(after)["color"])):
            _draw_times(axes[2], neurons[neurons[NAME] == name], name, colour)
        axes[2].set(xlabel="membrane time constant (ms)", ylabel="density (1/ms)")
        axes[2].set_title("time constants", loc="left")
        axes[2].set_xlim(left=0)
        axes[2].legend(fontsize=8, handlelength=1.2)
    return axes


def _draw_ring(
    axis: "Axes",
    before: "pd.DataFrame",
    held: "pd.DataFrame",
    synapses: "pd.DataFrame",
    span: tuple[float, float],
) -> Any:
    from matplotlib.collections import LineCollection

    order = before.sort_values(["cluster", "neuron"])["neuron"].to_numpy(int)
    angle = 2 * np.pi * np.arange(len(order)) / len(order)
    place = {int(k): (math.sin(a), math.cos(a)) for k, a in zip(order, angle, strict=True)}
    ends = zip(synapses["pre"].astype(int), synapses["post"].astype(int), strict=True)
    lines = [(place[pre], place[post]) for pre, post in ends]
    alpha = min(0.5, 25 / max(1, len(lines)) ** 0.75)
    size = min(13.0, 1200 / len(order))
    axis.add_collection(
        LineCollection(lines, colors=BLACK, alpha=alpha, linewidths=0.4, zorder=1, rasterized=True)
    )
    gone = np.array([place[k] for k in order if k not in set(held["neuron"])]).reshape(-1, 2)
    gone = 1.07 * gone  # outside the ring, where neighbours do not hide them
    axis.scatter(gone[:, 0], gone[:, 1], s=size, marker="x", linewidths=0.5, color=GREY, zorder=2)
    dots = None
    for kind, marker in (("E", "o"), ("I", "^")):
        mine = held[held["class"] == kind]
        xy = np.array([place[int(k)] for k in mine["neuron"]]).reshape(-1, 2)
        dots = axis.scatter(xy[:, 0], xy[:, 1], c=mine["tau_m_ms"], vmin=span[0], vmax=span[1],
                            cmap="viridis", s=size, marker=marker, linewidths=0,
                            zorder=3)  # fmt: skip
    axis.set_aspect("equal")
    axis.set(xlim=(-1.12, 1.12), ylim=(-1.12, 1.12))
    axis.set_axis_off()
    return dots


def _draw_times(axis: "Axes", rows: "pd.DataFrame", name: str, colour: str) -> None:
    """A histogram, and for each cluster the gamma distribution of its mean and variance."""
    values = rows["tau_m_ms"].to_numpy(float)
    label = f"{'unpruned' if name == FULL else name}, mean {values.mean():.0f} ms"
    axis.hist(values, bins=min(30, max(8, math.isqrt(len(values)))), density=True, color=colour,
              alpha=0.25, label=label)  # fmt: skip
    x = np.linspace(1e-3 * values.max(), 1.05 * values.max(), 200)
    for _, of_cluster in rows.groupby("cluster"):
        tau = of_cluster["tau_m_ms"].to_numpy(float)
        if tau.std() > 0:
            share = len(tau) / len(values)
            axis.plot(x, share * gamma_density(x, tau.mean(), tau.var()), color=colour)


def gamma_density(x: Any, mean: float, variance: float) -> Any:
    """Density of the gamma distribution of that mean and variance at x > 0."""
    shape, scale = mean**2 / variance, variance / mean
    return np.exp((shape - 1) * np.log(x) - x / scale - math.lgamma(shape) - shape * np.log(scale))
