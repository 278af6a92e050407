"""LNP step 2: which neurons leave.

[review: those of lowest betweenness centrality.] Rivals: lowest activity, chance. [our choice]
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def lowest_leavers(
    score: Floats,
    is_e: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
    proportional: bool = True,
    fraction_e: float | None = None,
) -> Indices:
    """Sorted indices of the neurons of lowest score (N,) that leave so that `count` stay.

    Equal scores, such as those of silent neurons, leave by lot. is_e: (N,). proportional: E and I
    stay in their proportion, or as fraction_e says, to the nearest whole neuron: the balance of the
    network is not drawn by lot.

    Raises InputError if a score is missing or not a number.
    """
    groups = _classes(is_e, count, proportional, fraction_e)
    values = np.asarray(score, dtype=float)
    if values.shape != is_e.shape or np.isnan(values).any():
        raise InputError("score", values.shape, f"must be {is_e.size} numbers, one per neuron")
    lot = rng.random(is_e.size)
    leave = [
        members[np.lexsort((lot[members], values[members]))[: members.size - stay]]
        for members, stay in groups
    ]
    return np.sort(np.concatenate(leave))


def random_leavers(
    is_e: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
    proportional: bool = True,
    fraction_e: float | None = None,
) -> Indices:
    """The same, chosen at random."""
    leave = [
        rng.choice(members, size=members.size - stay, replace=False)
        for members, stay in _classes(is_e, count, proportional, fraction_e)
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
