"""Networks whose rate nothing bounds: without a refractory period, excitation may run away.

Far above threshold the leak no longer counts: a neuron with current I > 0 fires I/(tau_m v) times
per second, v from reset to threshold, and the currents obey, with tau the synapses' own,

    dI/dt = -I/tau + W r,    r_j = max(I_j, 0)/(tau_m,j v_j)

which scales with I. Where that grows, spikes only end with the time step, at most one in each: the
rate doubles with every halving of dt, and no quantity of the model has a limit as dt -> 0. A
refractory period bounds the rate instead. [our choice]
"""

import math
import warnings

import numpy as np

from hrsnn_brian.network.network import FloatArray, Network
from hrsnn_brian.seeds import rng

# Growth, 1/s, that the integration below tells from none.
RUNS_AWAY = 0.5
_STARTS, _TIMES, _MOST_STEPS = 20, 40.0, 1000


class RunawayWarning(UserWarning):
    """The model has no limit as the time step goes to zero."""


def runaway_rate(network: Network) -> float:
    """The fastest growth of the currents far above threshold, 1/s; -inf with a refractory period.

    From 20 random starts, spread over orders of magnitude, since inhibition decides which part of
    the network stays active. Positive: the network explodes if anything ever drives it there.
    """
    neuron = network.params.neuron
    if neuron.t_ref > 0 or network.n_synapses == 0:
        return -math.inf
    climb = network.v_th - (neuron.v_reset if neuron.reset == "hard" else 0.0)
    gain = 1.0 / (network.tau_m * climb)
    columns = network.W.tocsc()
    parts = [
        (abs(columns[:, members].tocsr()) * gain[members], tau[:, None])
        for members, tau in ((network.is_e, network.tau_e), (~network.is_e, network.tau_i))
    ]
    excited = rng(0, "state", "runaway").lognormal(sigma=3.0, size=(network.n_neurons, _STARTS))
    return _growth(parts, network.is_e, np.array([excited, np.zeros_like(excited)]))


def _growth(parts: list, is_e: np.ndarray, state: FloatArray) -> float:
    """Largest growth, 1/s, over the starts; state (2, N, starts), excitation and inhibition."""
    (_, tau_e), (_, tau_i) = parts
    members = (is_e, ~is_e)

    def slope(now: FloatArray) -> FloatArray:
        active = np.maximum(now[0] - now[1], 0.0)
        return np.array(
            [
                part @ active[who] - current / tau
                for (part, tau), who, current in zip(parts, members, now, strict=True)
            ]
        )

    slowest, leak = max(tau_e.max(), tau_i.max()), 1.0 / min(tau_e.min(), tau_i.min())
    step = 1.0 / (leak + _strength(parts, members))
    steps = min(math.ceil(_TIMES * slowest / step), _MOST_STEPS)
    last, grown = math.ceil(steps / 4), np.zeros(state.shape[2])
    for k in range(steps):
        state = state + step * slope(state + 0.5 * step * slope(state))
        size = np.sqrt((state**2).sum(axis=(0, 1)))
        state = state / size
        if k >= steps - last:
            grown += np.log(size)
    return float(grown.max() / (step * last))


def _strength(parts: list, members: tuple[np.ndarray, np.ndarray]) -> float:
    """The largest eigenvalue of all synapses' sizes, 1/s: how fast currents can change."""
    x, size = np.ones(len(members[0])), 0.0
    for _ in range(20):
        y = sum(part @ x[who] for (part, _), who in zip(parts, members, strict=True))
        size = float(np.linalg.norm(y) / np.linalg.norm(x))
        if size == 0.0:
            break
        x = y / size
    return size


def runaway_message(network: Network) -> str | None:
    """One line on a model without a limit as dt -> 0; None if its rate is bounded."""
    growth = runaway_rate(network)
    if growth < RUNS_AWAY:
        return None
    return (
        f"t_ref = 0 and strong excitation: above a certain activity rates grow without bound (at "
        f"{growth:.3g}/s) and the time step alone limits them; such a model has no limit as "
        "dt -> 0, nor exponents. Set neuron.t_ref, or weaken the excitation"
    )


def warn_of_runaway(network: Network) -> None:
    """Warns with `RunawayWarning` where `runaway_message` has something to say."""
    if (message := runaway_message(network)) is not None:
        warnings.warn(message, RunawayWarning, stacklevel=3)
