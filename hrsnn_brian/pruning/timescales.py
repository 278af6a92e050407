"""LNP step 4: choose the gamma distributions of the membrane time constants.

[review: the time constants are tuned by Bayesian optimisation against the Lyapunov spectrum.] Here
the objective is a callable, so that any task-agnostic measure can take its place; searched are
shape and mean of one gamma distribution per group of neurons, on logarithmic scales. With free
means slow leaks are found, which meet most objectives: in the place of the means their ratios can
be searched, at the mean over all neurons that the network has. [our choice]
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.distributions import Gamma
from hrsnn_brian.network.network import Network
from hrsnn_brian.settings.units import SECOND
from hrsnn_brian.statistics.search import (
    OBJECTIVE,
    Evaluation,
    Measures,
    Search,
    best_evaluation,
    maximise,
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Gammas = Mapping[str, Gamma]
Objective = Callable[[Gammas], float | Measures]

GROUPINGS = {
    "all": "one distribution for all neurons",
    "class": "one for excitatory, one for inhibitory neurons",
    "cluster": "one per cluster",
    "class and cluster": "one per class and cluster",
}
SHAPES = (1.0, 20.0)
MEANS = (5e-3, 100e-3)
RATIOS = (0.2, 5.0)
CLIP = (2e-3, 300e-3)


def neuron_groups(network: Network, grouping: str = "class and cluster") -> dict[str, Mask]:
    """The groups that have a distribution of their own: name -> mask (N,), none of them empty.

    Names are "all", "e", "i", "0", "1", ..., "e0", "i0", "e1", ... by grouping, see `GROUPINGS`.
    """
    classes = {"": np.ones(network.n_neurons, dtype=bool)}
    if grouping.startswith("class"):
        classes = {"e": network.is_e, "i": ~network.is_e}
    clusters = {"": np.ones(network.n_neurons, dtype=bool)}
    if grouping.endswith("cluster"):
        clusters = {str(c): network.cluster == c for c in np.unique(network.cluster)}
    groups = {
        f"{c}{k}" or "all": members & inside
        for k, inside in clusters.items()
        for c, members in classes.items()
    }
    return {name: mask for name, mask in groups.items() if mask.any()}


def retime(network: Network, gammas: Gammas, grouping: str = "class and cluster") -> Network:
    """The network with time constants tau_m of the given gamma distributions.

    gammas: one per group of `neuron_groups`, in seconds; a group left out keeps its tau_m. Within a
    group the neuron of rank r of n gets the quantile (r + 1/2)/n, clipped to the gamma's low and
    high: the same neurons stay the slow ones, and the sample is as close to the distribution
    as n values can be. Nothing is random. Equal tau_m are ranked by index. One entry is added
    to the history.

    Raises InputError for a group there is not, or a distribution that is not of times.
    """
    groups = neuron_groups(network, grouping)
    tau_m = network.tau_m.copy()
    for name, law in gammas.items():
        if name not in groups:
            raise unknown_name("group of neurons", name, groups)
        if law.unit != SECOND:
            raise InputError(f"gamma of group {name!r}", law.to_dict(), "must be in seconds")
        members = np.flatnonzero(groups[name])
        order = members[np.argsort(network.tau_m[members], kind="stable")]
        tau_m[order] = np.clip(law.mean * _profile(law.shape, len(order)), law.low, law.high)
    entry = {
        "operation": "timescales",
        "grouping": grouping,
        "gammas": {name: law.to_dict() for name, law in gammas.items()},
    }
    return replace(network, tau_m=tau_m, history=(*network.history, entry))


def _profile(shape: float, count: int) -> Floats:
    """The quantiles (r + 1/2)/count of the gamma distribution of mean 1."""
    from scipy.stats import gamma as gamma_law

    level = (np.arange(count) + 0.5) / count
    return np.asarray(gamma_law.ppf(level, shape, scale=1 / shape), dtype=float)


@dataclass(frozen=True)
class TimescaleSpace:
    """What is searched: per group a shape and a mean (s) within bounds, all on log scales.

    sizes: neurons by group, see `neuron_groups`. mean: of tau_m over all neurons (s), if it is
    fixed: the mean of each group after the first is searched as its ratio to that of the first,
    and all are scaled until what `retime` gives has that mean; clipping moves ratios a little.
    A point of the unit cube has the shape of each group in turn, followed by its mean or ratio.
    """

    sizes: Mapping[str, int]
    mean: float | None = None

    @classmethod
    def of(cls, network: Network, grouping: str, fixed: bool = False) -> "TimescaleSpace":
        """The space of a network's groups; fixed: at its mean tau_m.

        Raises InputError if that mean is to be fixed and no time constants within `CLIP` have it.
        """
        sizes = {name: int(mask.sum()) for name, mask in neuron_groups(network, grouping).items()}
        mean = float(network.tau_m.mean())
        if fixed and not CLIP[0] < mean < CLIP[1]:
            allowed = "must be between {:g} and {:g} s to be fixed".format(*CLIP)
            raise InputError("mean of tau_m", round(mean, 6), allowed)
        return cls(sizes, mean if fixed else None)

    @property
    def dimensions(self) -> int:
        """Coordinates of a point."""
        return 2 * len(self.sizes) - (self.mean is not None)

    def gammas(self, point: tuple[float, ...]) -> dict[str, Gamma]:
        """The distributions a point stands for."""
        values = iter(point)
        shapes, means = {}, {}
        for name in self.sizes:
            shapes[name] = _between(SHAPES, next(values))
            if self.mean is None:
                means[name] = _between(MEANS, next(values))
            else:
                means[name] = _between(RATIOS, next(values)) if means else 1.0
        scale = 1.0 if self.mean is None else self._scale(shapes, means, self.mean)
        low, high = CLIP
        return {
            name: Gamma(shape, scale * means[name], low=low, high=high, unit=SECOND)
            for name, shape in shapes.items()
        }

    def _scale(self, shapes: Mapping[str, float], means: Mapping[str, float], mean: float) -> float:
        """The factor on all means at which the clipped time constants have that mean."""
        from scipy.optimize import brentq

        parts = [means[name] * _profile(shapes[name], n) for name, n in self.sizes.items()]
        relative = np.concatenate(parts)

        def off(log_scale: float) -> float:
            return float(np.clip(math.exp(log_scale) * relative, *CLIP).mean()) - mean

        # between the scales at which all are clipped low and all are clipped high
        ends = (math.log(CLIP[0] / relative.max()), math.log(CLIP[1] / relative.min()))
        return math.exp(brentq(off, *ends, xtol=1e-14, rtol=1e-14))

    def point(self, network: Network, grouping: str) -> tuple[float, ...]:
        """The point nearest to the network's own tau_m: their mean and shape = mean^2/variance.

        Outside the bounds it is moved onto them (equal tau_m have an infinite shape).
        """
        groups = neuron_groups(network, grouping)
        first = 0.0
        coordinates: list[float] = []
        for name in self.sizes:
            tau = network.tau_m[groups[name]]
            mean, variance = float(tau.mean()), float(tau.var())
            shape = mean**2 / variance if variance > 0 else math.inf
            coordinates.append(_level(SHAPES, shape))
            if self.mean is None:
                coordinates.append(_level(MEANS, mean))
            elif first:
                coordinates.append(_level(RATIOS, mean / first))
            first = first or mean
        return tuple(coordinates)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, JSON-able."""
        bounds = {"shapes": list(SHAPES), "clip": list(CLIP)}
        if self.mean is None:
            return {"groups": list(self.sizes), **bounds, "means": list(MEANS)}
        return {"sizes": dict(self.sizes), **bounds, "ratios": list(RATIOS), "mean": self.mean}


def _between(bounds: tuple[float, float], level: float) -> float:
    return float(bounds[0] * (bounds[1] / bounds[0]) ** level)


def _level(bounds: tuple[float, float], value: float) -> float:
    level = math.log(value / bounds[0]) / math.log(bounds[1] / bounds[0])
    return min(max(level, 0.0), 1.0)


@dataclass(frozen=True, eq=False)
class TimescaleSearch:
    """The outcome of a search: `best` distributions by group, their `objective`, and all trials.

    evaluations: in order, the first that of the network's own distributions. On a noisy objective
    the best of many values is an optimistic one.
    """

    best: dict[str, Gamma]
    objective: float
    evaluations: tuple[Evaluation, ...]


def search_timescales(
    network: Network,
    objective: Objective,
    search: Search,
    grouping: str = "class and cluster",
    fixed: bool = False,
) -> TimescaleSearch | None:
    """Search the gamma distributions of tau_m that maximise a task-agnostic objective.

    None if no evaluation gave a number.

    objective: distributions by group -> the value to maximise, or a mapping of measures with one
    called "objective"; typically it measures `retime(network, gammas, grouping)`. A value that
    is not finite (a silent network) is a failure and never chosen. The first evaluation is at the
    gamma distributions closest to the network's own tau_m. fixed: all have its mean tau_m. What is
    raised `TimescaleSpace.of` and `search.maximise` say.
    """
    space = TimescaleSpace.of(network, grouping, fixed)

    def measure(point: tuple[float, ...]) -> Measures:
        value = objective(space.gammas(point))
        return value if isinstance(value, Mapping) else {OBJECTIVE: value}

    settings = {"space": space.to_dict(), "grouping": grouping, **search.settings}
    evaluations = maximise(
        measure,
        space.dimensions,
        replace(search, settings=settings),
        space.point(network, grouping),
    )
    best = best_evaluation(evaluations)
    if best is None:
        return None
    return TimescaleSearch(space.gammas(best.point), best.objective, evaluations)
