"""Which neurons leave when only a number is asked for. [our choice]"""

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError


def random_leavers(
    is_e: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Sorted indices of the neurons that leave so that `count` stay, chosen at random.

    is_e: (N,) bool. E and I stay in their proportion, rounded to the nearest whole neuron, so
    that the balance of the network is not drawn by lot.

    Raises InputError if count is not in 1 .. N.
    """
    if not 1 <= count <= is_e.size:
        raise InputError("neurons", count, f"must be from 1 to {is_e.size}, the neurons there are")
    excitatory, inhibitory = np.flatnonzero(is_e), np.flatnonzero(~is_e)
    stay_e = round(count * excitatory.size / is_e.size)
    stay_i = count - stay_e
    leave = [
        rng.choice(members, size=members.size - stay, replace=False)
        for members, stay in ((excitatory, stay_e), (inhibitory, stay_i))
    ]
    return np.sort(np.concatenate(leave))
