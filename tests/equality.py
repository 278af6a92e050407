"""Whether two networks are the same."""

from dataclasses import fields

import numpy as np

from hrsnn_brian.network.network import Network


def equal_networks(a: Network, b: Network) -> bool:
    """True if two networks agree bit by bit in every array, parameter and note of history."""
    for f in fields(Network):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if f.name == "W":
            same = x.shape == y.shape and all(
                np.array_equal(getattr(x, part), getattr(y, part))
                for part in ("data", "indices", "indptr")
            )
        else:
            same = np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y
        if not same:
            return False
    return True
