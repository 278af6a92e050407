"""LNP step 2: which neurons leave.

[review: those of lowest betweenness centrality.] Rivals: lowest activity, chance. [our choice]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.connectivity.betweenness import betweenness
from hrsnn_brian.errors import InputError, unknown_name

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

RULES = {
    "betweenness": "lowest betweenness centrality on the weighted, directed graph leaves [review]",
    "activity": "lowest firing rate leaves (activity pruning, the paper's rival [paper])",
    "random": "leaves by lot [our choice]",
}


def choose_leavers(
    rule: str,
    W: Any,
    is_e: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
    *,
    strength: Floats | None = None,
    distance: str = "inverse",
    pivots: int = 0,
    rates: Floats | None = None,
    proportional: bool = True,
    fraction_e: float | None = None,
) -> Indices:
    """Sorted indices of the neurons that leave so that `count` stay, by a rule of `RULES`.

    W: CSR (N, N) `W[post, pre]`; strength, distance: the graph of "betweenness", see
    `connectivity.betweenness.edge_distances`; pivots: estimate it from the paths of this many
    neurons, drawn by lot, 0 or N for all; rates: (N,), Hz, needed by "activity".
    proportional: E and I stay in their proportion, and neurons compete within their class
    [our choice]. With False all compete, as in the paper; betweenness with the distance 1/|w| then
    removes only excitatory neurons, inhibitory synapses being stronger. fraction_e: the proportion
    of E that stays; default is that of the neurons at hand. Where neurons leave round by round,
    give that of the first, or the rounding of each round adds up.

    Raises InputError for an unknown rule, a count that is not in 1 .. N, pivots < 0, missing rates
    and what `betweenness` and `lowest_leavers` refuse.
    """
    if rule not in RULES:
        raise unknown_name("neuron rule", rule, RULES)
    if rule == "random":
        return random_leavers(is_e, count, rng, proportional, fraction_e)
    if rule == "activity" and rates is None:
        raise InputError("rates", None, "the rule 'activity' needs each neuron's firing rate")
    _check_count(is_e, count)
    if rule == "betweenness":
        score = betweenness(W, strength, distance, pivots=_draw_pivots(is_e.size, pivots, rng))
    else:
        score = np.asarray(rates)
    return lowest_leavers(score, is_e, count, rng, proportional, fraction_e)


def _draw_pivots(n: int, pivots: int, rng: np.random.Generator) -> Indices | None:
    """That many of n neurons, None for all of them."""
    if pivots < 0:
        raise InputError("pivots", pivots, "must be a whole number >= 0")
    return rng.choice(n, pivots, replace=False) if 0 < pivots < n else None


def lowest_leavers(
    score: Floats,
    is_e: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
    proportional: bool = True,
    fraction_e: float | None = None,
) -> Indices:
    """Sorted indices of the neurons of lowest score (N,) that leave so that `count` stay.

    Equal scores, such as those of silent neurons, leave by lot. proportional, fraction_e: see
    `choose_leavers`.

    Raises InputError if count is not in 1 .. N, or a score is missing or not a number.
    """
    _check_count(is_e, count)
    values = np.asarray(score, dtype=float)
    if values.shape != is_e.shape or np.isnan(values).any():
        raise InputError("score", values.shape, f"must be {is_e.size} numbers, one per neuron")
    lot = rng.random(is_e.size)
    leave = []
    for members, stay in _classes(is_e, count, proportional, fraction_e):
        order = np.lexsort((lot[members], values[members]))
        leave.append(members[order[: members.size - stay]])
    return np.sort(np.concatenate(leave))


def random_leavers(
    is_e: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
    proportional: bool = True,
    fraction_e: float | None = None,
) -> Indices:
    """Sorted indices of the neurons that leave so that `count` stay, chosen at random.

    is_e: (N,) bool. proportional: E and I stay in their proportion, rounded to the nearest whole
    neuron, so that the balance of the network is not drawn by lot; fraction_e: see
    `choose_leavers`.

    Raises InputError if count is not in 1 .. N.
    """
    _check_count(is_e, count)
    leave = [
        rng.choice(members, size=members.size - stay, replace=False)
        for members, stay in _classes(is_e, count, proportional, fraction_e)
    ]
    return np.sort(np.concatenate(leave))


def _check_count(is_e: NDArray[np.bool_], count: int) -> None:
    if not 1 <= count <= is_e.size:
        raise InputError("neurons", count, f"must be from 1 to {is_e.size}, the neurons there are")


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
