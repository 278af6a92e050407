"""The step that chooses the surviving synapses and rescales them; step 1 of LNP."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.exponents.edges import NEIGHBOURHOODS, edge_exponents, edge_weights
from hrsnn_brian.errors import InputError
from hrsnn_brian.pruning import importance
from hrsnn_brian.pruning.compensation import RULES, compensate, parse_compensation
from hrsnn_brian.pruning.iteration import Floats, Iteration, Step
from hrsnn_brian.pruning.survivors import keep_entries, select
from hrsnn_brian.seeds import rng as stream
from hrsnn_brian.settings.checked import Checked, unquoted
from hrsnn_brian.settings.fields import OneOf, Real, Whole

SWITCH = {"on": "the step is taken", "off": "it is not"}
SCORES = {
    "exponent": "a_ij = exp(l_ij T), l_ij the exponent of the edge [paper]",
    "magnitude": "|w_ij|",
    "product": "|w_ij| a_ij",
    "uniform": "the same for all",
    "readout": "|w_ij| times the weight of the trained readout on neuron i",
}
SELECTIONS = {
    "fixed": "exactly the budget, sampled",
    "independent": "sampled, the budget on average",
    "top": "the largest importances",
}
FACTORS = {**importance.FACTORS, "none": "1"}
WITHIN = {
    "all": "all synapses compete",
    "class": "E and I synapses compete apart, each keeps its share",
    "neuron": "the inputs of a neuron compete, each neuron keeps the same share",
}
SHUFFLES = {
    "no": "C is that of the network",
    "all": "the neurons' names in C are exchanged among all",
    "class": "they are exchanged within E and within I",
}
BASES = {
    "carried": "each round rescales the weights as the round before left them",
    "original": "each round rescales the survivors' original weights",
}
FORMER = {
    "survivors": "the sums to restore are of the neurons that stay",
    "all": "of all neurons there ever were",
}
COVARIANCES = {
    "simulated": "of a run under white noise",
    "linear": "from the Lyapunov equation of the linear response",
}


class Words(Checked[str]):
    """A compensation as words, such as "row 0.5"."""

    def allowed(self) -> str:
        return "none, row ALPHA, variance, literal CAP or capped"

    def values(self) -> dict[str, str]:
        return RULES

    def convert(self, value: Any) -> str:
        return str(parse_compensation(value))

    def read(self, text: str) -> Any:
        return unquoted(text)


@dataclass(frozen=True)
class KeepSynapses(Step):
    """Keep the synapses of the iteration by importance q, and rescale them for those that left.

        q_ij = s_ij F_ij^power / r_j^price,  F_ij = C_ii + C_jj - 2 sgn(w_ij) C_ij

    s the score, C the covariance of the filtered rates under white noise [paper: Moore & Chaudhuri
    2020; LNP puts the edge weight a_ij of the Lyapunov exponents in the place of |w_ij|], r_j the
    rate of the source: an operation costs a spike [our choice]. Sampled synapses are kept with
    p_ij = min(1, K q_ij), K such that sum p is the number wanted.

    base: with "carried" a partial row compensation acts again in every iteration, so that its total
    grows with their number; with "original" it depends on the surviving edges alone. The two agree
    wherever the sums are restored in full. [our choice]

    Raises InputError where selection, compensation and base do not fit together.
    """

    section: ClassVar[str] = "synapses"
    renamed: ClassVar[Mapping[str, str]] = {
        "importance": "score (magnitude, or uniform for random)"
    }
    rule: OneOf = OneOf("on", SWITCH).about("whether synapses leave", grade="paper")
    score: OneOf = OneOf("exponent", SCORES, {"random": "uniform"}).about(
        "s_ij of the importance", grade="paper"
    )
    factor: OneOf = OneOf("difference", FACTORS).about("F_ij of the importance", grade="paper")
    power: Real = Real(1.0, 0, 2).about("s and F count with this power of F")
    price: Real = Real(0.0, 0, 2).about("0: importance alone; 1: importance per operation")
    covariance: OneOf = OneOf("simulated", COVARIANCES).about("where C comes from")
    shuffle: OneOf = OneOf("no", SHUFFLES).about("the control of C")
    neighbourhood: OneOf = OneOf("endpoints", {n: n for n in NEIGHBOURHOODS}).about(
        "nodes of the harmonic mean over growth factors that makes l_ij", grade="review"
    )
    exponent_every: Whole = Whole(1, low=1).about(
        "iterations from one measurement of the node exponents to the next"
    )
    within: OneOf = OneOf("all", WITHIN).about("who competes with whom")
    selection: OneOf = OneOf("fixed", SELECTIONS).about("how survivors are chosen", grade="paper")
    compensation: Words = Words("row 0.5").about("how survivors are rescaled for those that left")
    base: OneOf = OneOf("carried", BASES).about("which weights are rescaled")
    former: OneOf = OneOf("survivors", FORMER).about("whose sums are restored")

    def __post_init__(self) -> None:
        rule = self.compensation.split()[0]
        by_probability = rule in ("literal", "capped")
        if by_probability and self.selection == "top":
            what = "needs probabilities: selection fixed or independent"
            raise InputError("compensation", self.compensation, what)
        if by_probability and self.base == "original":
            raise InputError("compensation", self.compensation, "needs base = 'carried'")

    @property
    def needs(self) -> frozenset[str]:
        if self.rule == "off":
            return frozenset()
        asked = {
            "covariance": self.factor != "none",
            "exponents": self.score in ("exponent", "product"),
            "readout_weight": self.score == "readout",
            "rates": self.price > 0,
        }
        return frozenset(name for name, needed in asked.items() if needed)

    def __call__(self, now: Iteration) -> Iteration:
        network, target = now.network, min(now.synapses, now.network.n_synapses)
        if self.rule == "off" or target == network.n_synapses:
            return now
        mask, p = select(
            self.importance(network.W, now), target, self.selection, now.random("synapses")
        )
        rows = np.searchsorted(now.source.neuron_id, network.neuron_id)
        among = now.source.W[rows][:, rows]
        W = network.W if self.base == "carried" else _former_weights(network.W, among)
        W = compensate(
            keep_entries(W, mask),
            now.source.W[rows] if self.former == "all" else among,
            parse_compensation(self.compensation),
            p[mask],
        )
        note = now.note("synapses", synapses=int(W.nnz), **self.to_dict())
        return now.with_network(network.with_weights(W, **note))

    def importance(self, W: Any, now: Iteration) -> Floats:
        """q (nnz,) of every synapse of CSR W."""
        q = self._score(W, now)
        if self.factor != "none":
            C = self._covariance(now)
            F = importance.covariance_factor(W, C, self.factor)
            q = q * (F if self.power == 1 else F**self.power)
        if self.price > 0:
            q = importance.per_operation(W, q, now.seen["rates"], self.price)
        return self._competing(q, W, now.seed)

    def _score(self, W: Any, now: Iteration) -> Floats:
        if self.score == "uniform":
            return np.ones(W.nnz)
        if self.score == "readout":
            return importance.readout_importance(W, now.seen["readout_weight"])
        if self.score == "magnitude":
            return np.abs(np.asarray(W.data))
        weights = edge_strength(W, now, self.neighbourhood)
        return np.abs(W.data) * weights if self.score == "product" else weights

    def _covariance(self, now: Iteration) -> Floats:
        C = now.seen["covariance"]
        if self.shuffle == "no":
            return C
        # the exchange is that of the seed: the same in all iterations, so it never averages
        groups = now.network.is_e if self.shuffle == "class" else None
        return importance.shuffled_covariance(C, stream(now.seed, "prune", "shuffle"), groups)

    def _competing(self, q: Floats, W: Any, seed: int) -> Floats:
        if self.within == "all":
            return q
        lots = stream(seed, "prune", "within class", W.nnz)
        if self.within == "neuron":
            return importance.within_neuron(q, W, lots)
        return importance.within_class(q, W.data > 0, self.selection, lots)


def edge_strength(W: Any, now: Iteration, neighbourhood: str) -> Floats:
    """a_ij = exp(l_ij T) (nnz,), relative to the largest, so that nothing overflows. [paper]"""
    T = now.probe.T
    exponents = edge_exponents(W, now.seen["exponents"], T, neighbourhood)
    return edge_weights(exponents - exponents.max(initial=-math.inf), T)


def without_least(
    W: Any, new: Sequence[int], keep: KeepSynapses, now: Iteration, rng: np.random.Generator
) -> Any:
    """W without as many of its least important synapses as are `new` (keys of `edge_keys`).

    Ties are broken by lot: where all synapses count the same, any may leave.
    """
    q = keep.importance(W, now)
    q[np.isin(edge_keys(W), new)] = np.inf
    mask = np.ones(W.nnz, dtype=bool)
    order = np.lexsort((rng.random(W.nnz), q))
    mask[order[: min(len(new), W.nnz - len(new))]] = False
    return keep_entries(W, mask)


def edge_keys(W: Any) -> NDArray[np.int64]:
    """One whole number per synapse of a CSR with sorted indices, increasing."""
    post = np.repeat(np.arange(W.shape[0], dtype=np.int64), np.diff(W.indptr))
    return post * W.shape[1] + W.indices


def _former_weights(W: Any, former: Any) -> Any:
    """W with each synapse's weight in `former`; one that was added has none and keeps its own."""
    before, now = edge_keys(former), edge_keys(W)
    at = np.minimum(np.searchsorted(before, now), len(before) - 1)
    data = np.where(before[at] == now, former.data[at], W.data)
    return type(W)((data, W.indices, W.indptr), shape=W.shape)
