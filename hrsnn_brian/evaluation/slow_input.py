"""The control that tells recurrence from slow synapses: J = 0, the input filtered as they filter.

Synapses of 100 ms hold on to what was shown. A network without recurrence has none, so that what
it lacks may be that memory alone. Here its input currents pass a filter of the same time constant.
[our choice]
"""

import numpy as np

from hrsnn_brian.evaluation.present import Currents, as_shown
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.currents import encoded
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.task import Task, TrialsTask

SLOW_INPUT = "no recurrence, slow input"


def slow_currents(network: Network, task: Task) -> Currents | None:
    """What makes the input currents of the control; None for Poisson input, which has a filter of
    its own.
    """
    own = task.currents if isinstance(task, TrialsTask) else None
    if own is None and network.params.encoder.kind == "poisson":
        return None
    timed, unfiltered = as_shown(network, task), own or encoded
    return lambda trials: low_passed(timed, unfiltered(timed, trials))


def low_passed(network: Network, currents: FloatArray) -> FloatArray:
    """Currents (R, K, N) after a filter of each neuron's synaptic time constant, 0 at first.

    Of every sample the mean over the time it is shown: input is held for a sample.
    """
    ratio = network.tau_e / network.params.timing.sample
    left = np.exp(-1 / ratio)
    held, filtered = np.zeros_like(currents[:, 0]), np.empty_like(currents)
    for k in range(currents.shape[1]):
        now = currents[:, k]
        filtered[:, k] = now + (held - now) * ratio * (1 - left)
        held = now + (held - now) * left
    return filtered
