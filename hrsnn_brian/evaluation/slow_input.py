"""The control that tells recurrence from slow synapses: J = 0, the input filtered as they filter.

Synapses of 100 ms hold on to what was shown. A network without recurrence has none, so that what
it lacks may be that memory alone. Here its input currents pass a filter of the same time constant,
and all biases are shifted until it fires as often as the network it is compared with. [our choice]
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.evaluation.present import Show, as_shown, present_trials
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.rate_match import RateOutOfReachError, match_rate
from hrsnn_brian.simulation import Engine
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.task import TrialsTask

SLOW_INPUT = "no recurrence, slow input"
TRIALS = 200  # the first training trials, by which the rates are matched


@dataclass(frozen=True)
class SlowInput:
    """The control. currents: trials (R, K, D) -> (R, K, N), what each neuron gets in their place.

    matched: whether its rate is that of the network; note: if not, why.
    """

    network: Network
    currents: Callable[[FloatArray], FloatArray]
    matched: bool
    note: str = ""


def slow_input(engine: Engine, network: Network, task: TrialsTask, seed: int) -> SlowInput | None:
    """The control of a network on a task; None for Poisson input, which has a filter of its own."""
    unfiltered = task.currents or encoded
    if unfiltered is encoded and network.params.encoder.kind == "poisson":
        return None
    timed = as_shown(network, task)

    def currents(trials: FloatArray) -> FloatArray:
        return low_passed(timed, unfiltered(timed, trials))

    def rate(other: Network) -> float:
        return present_trials(engine, other, task, seed, Show(None, currents, TRIALS)).rate_hz

    bare = network.without_recurrence()
    wanted = present_trials(engine, network, task, seed, Show(stop=TRIALS)).rate_hz
    if wanted == 0:
        return SlowInput(bare, currents, False, "the network is silent")
    try:
        return SlowInput(match_rate(bare, wanted, rate).network, currents, True)
    except RateOutOfReachError as problem:
        return SlowInput(bare, currents, False, str(problem))


def encoded(network: Network, trials: FloatArray) -> FloatArray:
    """What the encoder makes of trials (R, K, D): currents (R, K, N), see `EncoderParams`."""
    encoder = network.params.encoder
    x = trials @ network.directions(trials.shape[2]).T
    if encoder.kind == "current":
        return encoder.gain * x
    return encoder.gain * np.exp(-0.5 * ((x - network.center) / encoder.width) ** 2)


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
