"""Quadratic features of spike traces: squares of sums of a few of them, drawn once per network.

A linear readout of traces x and of such squares is a quadratic one of x, as of NG-RC (Gauthier et
al. 2021), at a cost that does not grow with the number of pairs: each feature takes FAN products
and one square. Nothing is fitted, and spikes are all it sees. [our choice]
"""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation.drive import FloatArray

SQUARES = 400
FAN = 10  # traces in a sum
BLOCK = "squares"


def square_sums(network: Network) -> list[sparse.csr_array]:
    """For each trace of the network's timing the weights (N, SQUARES) of its part in every sum.

    They belong to the original neurons (stream "readout"), so pruning does not move them.
    """
    traces, n = len(network.params.timing.traces), network.n_original
    random = rng(network.seed, "readout", BLOCK, traces)
    fan = min(FAN, traces * n)
    which = np.array([random.choice(traces * n, fan, replace=False) for _ in range(SQUARES)])
    weight = random.standard_normal((SQUARES, fan))
    feature = np.repeat(np.arange(SQUARES), fan)
    ends = (which.ravel(), feature)
    whole = sparse.csr_array((weight.ravel(), ends), shape=(traces * n, SQUARES))
    return [whole[k * n + network.neuron_id] for k in range(traces)]


def square_ops(outputs: int) -> int:
    """Multiply-adds that the features take per sample, with their weights for the outputs."""
    return SQUARES * (FAN + 1 + outputs)


def squares(network: Network, states: Mapping[str, FloatArray]) -> FloatArray:
    """The features (rows, SQUARES) of recorded traces, each (rows, N)."""
    names = network.params.timing.trace_names
    sums = sum(
        part.T @ states[name].T for name, part in zip(names, square_sums(network), strict=True)
    )
    found: FloatArray = np.square(np.asarray(sums).T)
    return found
