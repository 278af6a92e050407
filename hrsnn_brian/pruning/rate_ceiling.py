"""A ceiling on firing rates: the fastest neurons, which cost most operations, are held back.

Each neuron above the ceiling gets a lower bias, a little at a time, until the rates under a frozen
input are below it. [our choice, after intrinsic plasticity; it lets spikes be saved without a
choice of synapses]
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.network.network import Network

Rates = Callable[[Network], NDArray[np.float64]]

STEPS = 8
_STEP = 0.4  # thresholds, for a rate e times too high or higher
_TOLERANCE = 0.02


def lower_rates(network: Network, ceiling_hz: float, rates: Rates) -> Network:
    """The network with lower biases where `rates(network)` (N,), Hz, exceed ceiling_hz.

    At most STEPS times the bias of every neuron more than 2 % above the ceiling falls by 0.4 times
    the logarithm of its excess, at most by 0.4. Less inhibition may bring others up, so a few
    may end above. One entry with the largest rate that was left is added to the history.
    """
    now = rates(network)
    for _ in range(STEPS):
        above = now > ceiling_hz * (1 + _TOLERANCE)
        if not above.any():
            break
        excess = np.log(np.maximum(now, ceiling_hz) / ceiling_hz)
        fall = np.where(above, _STEP * np.minimum(excess, 1.0), 0.0)
        network = replace(network, bias=network.bias - fall)
        now = rates(network)
    entry = {
        "operation": "rate ceiling",
        "ceiling_hz": ceiling_hz,
        "largest_hz": float(now.max(initial=0.0)),
    }
    return replace(network, history=(*network.history, entry))
