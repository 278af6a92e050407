"""LNP step 2: which neurons leave.

[review: those of lowest betweenness centrality.] Rivals: lowest activity, chance. [our choice]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.betweenness import betweenness
from hrsnn_brian.errors import InputError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def betweenness_scores(
    W: Any, strength: Floats | None, distance: str, pivots: int, rng: np.random.Generator
) -> Floats:
    """Betweenness centrality (N,), estimated from the paths of `pivots` neurons, 0 or N for all.

    W: CSR (N, N) `W[post, pre]`; strength (nnz,), distance: the graph, see
    `dynamics.betweenness.edge_distances`. The pivots are drawn by lot.
    Raises InputError as `betweenness` does.
    """
    n = W.shape[0]
    drawn = rng.choice(n, pivots, replace=False) if 0 < pivots < n else None
    return betweenness(W, strength, distance, pivots=drawn)


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
    `random_leavers`.

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
    `random_leavers`.

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
