"""The mode `stdp`: heterogeneous pair-based STDP of the recurrent synapses, its settings.

[paper: unsupervised STDP whose time constants and rates differ between synapses, after the same
authors' arXiv:2302.11618; gamma distributions, bounds and all numbers are our choice]
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.distributions import Gamma
from hrsnn_brian.network.network import FloatArray, Network
from hrsnn_brian.network.spread_fields import Spread
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import OneOf, Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.units import DIMENSIONLESS, SECOND
from hrsnn_brian.simulation import Plasticity

RULES = {
    "additive": "steps of A*w_max, whatever the weight",
    "multiplicative": "steps of A*(w_max - |w|) up and A*|w| down",
}
LEARN = {
    "excitatory": "those of excitatory neurons; the others keep their weights",
    "inhibitory": "those of inhibitory neurons, by the same window for |w|",
    "all": "",
}
SCALES = {
    "own": "its own |w| before training",
    "row": "the mean |w| of its class onto the same neuron; a synapse beyond that bound stays in",
}
RATES = {
    "free": "becomes what it becomes",
    "matched": "is put back on the training input by one offset of all biases",
}
_QUANTITIES = ("tau_plus", "tau_minus", "A_plus", "A_minus")


@dataclass(frozen=True)
class Stdp(Section):
    """What can be chosen of STDP; each synapse draws tau and A of its own."""

    section: ClassVar[str] = "stdp"
    tau_plus: Spread = Spread(
        Gamma.from_cv(mean="20 ms", cv=0.5, low="1 ms"), SECOND, positive=True
    ).about("window of pre before post, which strengthens", grade="paper")
    tau_minus: Spread = Spread(
        Gamma.from_cv(mean="20 ms", cv=0.5, low="1 ms"), SECOND, positive=True
    ).about("window of post before pre, which weakens", grade="paper")
    A_plus: Spread = Spread(Gamma.from_cv(mean=1e-3, cv=0.5), DIMENSIONLESS).about(
        "step of a pair that strengthens, in units of the largest |w|; 0 for none", grade="paper"
    )
    A_minus: Spread = Spread(Gamma.from_cv(mean=1e-3, cv=0.5), DIMENSIONLESS).about(
        "step of a pair that weakens, in units of the largest |w|; 0 for none", grade="paper"
    )
    rule: OneOf = OneOf("additive", RULES).about("how a step depends on the weight")
    synapses: OneOf = OneOf("excitatory", LEARN).about("which synapses learn")
    scale: OneOf = OneOf("own", SCALES).about("what the bounds of a synapse are relative to")
    low: Real = Real(0.01, 0, 1).about(
        "smallest |w|; at 0 a synapse may come to nothing and then leaves the network"
    )
    high: Real = Real(2.0, 1).about("largest |w|")
    repeats: Whole = Whole(1, low=1).about("times the training input is shown")
    rates: OneOf = OneOf("free", RATES).about("the mean firing rate after training")

    def __post_init__(self) -> None:
        for name in ("A_plus", "A_minus"):
            spread = getattr(self, name)
            if spread.lower < 0:
                raise InputError(f"stdp.{name}", spread.to_dict(), "its values must be >= 0")

    def learns(self, network: Network) -> np.ndarray:
        """Which synapses learn, (synapses,). Raises InputError if none does."""
        w = network.W.data
        found = {"excitatory": w > 0, "inhibitory": w < 0, "all": w != 0}[self.synapses]
        if not found.any():
            what = "" if self.synapses == "all" else f"{self.synapses} "
            why = f"has no {what}synapses to train"
            raise InputError("network", f"{network.n_neurons} neurons", why)
        return found

    def draw(self, network: Network, seed: int) -> Plasticity:
        """The constants of the synapses of a network, in the order of `network.W.data`.

        Each quantity comes from a stream of its own: one may change and the others stay.
        """
        learns, size = self.learns(network), np.abs(network.W.data)
        drawn = {
            name: getattr(self, name).sample(rng(seed, "training", "stdp", name), size.size)
            for name in _QUANTITIES
        }
        for name in ("A_plus", "A_minus"):
            drawn[name] = np.where(learns, drawn[name], 0.0)
        unit = size if self.scale == "own" else _row_means(network)
        return Plasticity(
            **drawn,
            w_min=np.where(learns, np.minimum(self.low * unit, size), size),
            w_max=np.where(learns, np.maximum(self.high * unit, size), size),
            soft=np.full(size.size, float(self.rule == "multiplicative")),
        )


def _row_means(network: Network) -> FloatArray:
    """Mean |w| of the synapses of the same class onto the same neuron, (synapses,)."""
    W = network.W
    post = np.repeat(np.arange(network.n_neurons), np.diff(W.indptr))
    group = 2 * post + (W.data > 0)
    total, count = np.bincount(group, np.abs(W.data)), np.bincount(group)
    return total[group] / count[group]


def with_data(network: Network, data: FloatArray) -> sparse.csr_array:
    """The network's matrix with other weights on the same synapses."""
    W = network.W
    return sparse.csr_array((data, W.indices, W.indptr), shape=W.shape)
