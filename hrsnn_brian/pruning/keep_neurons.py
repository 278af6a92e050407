"""The step in which neurons leave, step 2 of LNP: by betweenness, activity or chance.

[review: those of lowest betweenness centrality.] The rivals are our choice.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.betweenness import DISTANCES, betweenness
from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.pruning.iteration import Floats, Iteration, Step
from hrsnn_brian.pruning.keep_synapses import SWITCH, edge_strength
from hrsnn_brian.settings.fields import OneOf, Whole

Indices = NDArray[np.int64]


def leavers(
    score: Floats | None,
    is_e: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
    proportional: bool = True,
    fraction_e: float | None = None,
) -> Indices:
    """Sorted indices of the neurons of lowest score (N,) that leave so that `count` stay.

    score: None for neurons chosen at random; equal scores, such as those of silent neurons, leave
    by lot. is_e: (N,). proportional: E and I stay in their proportion, or as fraction_e says, to
    the nearest whole neuron: the balance of the network is not drawn by lot.

    Raises InputError if a score is missing or not a number.
    """
    groups = _classes(is_e, count, proportional, fraction_e)
    if score is None:
        leave = [
            rng.choice(members, members.size - stay, replace=False) for members, stay in groups
        ]
        return np.sort(np.concatenate(leave))
    values = np.asarray(score, dtype=float)
    if values.shape != is_e.shape or np.isnan(values).any():
        raise InputError("score", values.shape, f"must be {is_e.size} numbers, one per neuron")
    lot = rng.random(is_e.size)
    leave = [
        members[np.lexsort((lot[members], values[members]))[: members.size - stay]]
        for members, stay in groups
    ]
    return np.sort(np.concatenate(leave))


def _classes(
    is_e: NDArray[np.bool_], count: int, proportional: bool, fraction_e: float | None
) -> Sequence[tuple[Indices, int]]:
    """Groups that compete among themselves, with the number that stays of each."""
    if not proportional:
        return [(np.arange(is_e.size), count)]
    excitatory, inhibitory = np.flatnonzero(is_e), np.flatnonzero(~is_e)
    fraction = excitatory.size / is_e.size if fraction_e is None else fraction_e
    stay_e = min(max(round(count * fraction), count - inhibitory.size), excitatory.size)
    return [(excitatory, stay_e), (inhibitory, count - stay_e)]


RULES = {
    "betweenness": "those of lowest betweenness centrality on the weighted, directed graph leave",
    "activity": "those of lowest rate under white noise leave",
    "task activity": "those of lowest rate on the task leave (the paper's rival)",
    "readout": "those that the readout trained on the task uses least leave",
    "random": "neurons leave by lot",
    "off": "none leaves",
}
_FACTS = {"activity": "rates", "task activity": "task_rates", "readout": "readout_weight"}
GRAPHS = {"exponent": "edge weights a_ij of the Lyapunov exponents", "magnitude": "|w_ij|"}


@dataclass(frozen=True)
class KeepNeurons(Step):
    """Keep the neurons of the iteration; the others leave the network, with their synapses.

    [review: those of lowest betweenness centrality are removed.] Where E and I leave in proportion
    neurons compete within their class [our choice]; with the distance 1/|w| betweenness otherwise
    removes only excitatory neurons, inhibitory synapses being stronger.

    Raises InputError if fewer synapses are left between those that stay than the budget asks for.
    """

    section: ClassVar[str] = "neurons"
    rule: OneOf = OneOf("betweenness", RULES).about("who leaves", grade="review")
    graph: OneOf = OneOf("exponent", GRAPHS).about("strength of an edge, for betweenness")
    distance: OneOf = OneOf("inverse", DISTANCES).about("length of an edge, for betweenness")
    pivots: Whole = Whole(0, low=0).about(
        "neurons, drawn anew each time, that shortest paths start from; 0 for all"
    )
    proportional: OneOf = OneOf("on", SWITCH, {"yes": "on", "no": "off"}).about(
        "whether E and I leave in proportion"
    )

    @property
    def needs(self) -> frozenset[str]:
        if self.rule == "betweenness" and self.graph == "exponent":
            return frozenset({"exponents"})
        return frozenset({_FACTS[self.rule]} if self.rule in _FACTS else ())

    def __call__(self, now: Iteration) -> Iteration:
        network, count = now.network, now.neurons
        if self.rule == "off" or count == network.n_neurons:
            return now
        random, proportional = now.random("neurons"), self.proportional == "on"
        share = float(now.source.is_e.mean())
        scores = None if self.rule == "random" else self._scores(now, random)
        leave = leavers(scores, network.is_e, count, random, proportional, share)
        after = now.without(leave)
        left, budget = after.network.n_synapses, now.budget
        if left < budget:
            why = f"only {left} are left between the {count} neurons that stay; "
            raise SizeOutOfReachError(
                "synapses", budget, why + "keep more neurons or fewer synapses"
            )
        return after

    def _scores(self, now: Iteration, random: np.random.Generator) -> Floats:
        if self.rule in _FACTS:
            return now.seen[_FACTS[self.rule]]
        W, strength = now.network.W, None
        if self.graph == "exponent":
            keep = now.recipe.step("synapses")
            strength = edge_strength(W, now, keep.neighbourhood if keep else "endpoints")
        n = W.shape[0]
        drawn = random.choice(n, self.pivots, replace=False) if 0 < self.pivots < n else None
        return betweenness(W, strength, self.distance, pivots=drawn)
