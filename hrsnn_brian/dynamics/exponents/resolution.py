"""What a time step resolves: a neuron spikes once in it, and its spikes do not see each other.

Kicks act at the end of the step in which they arise, with the effect they have by then. What is
lost is their order: a neuron that a kick should have slowed or hurried just before it spikes
spikes as if there had been none. The error of an exponent is of first order in the number of such
kicks. [our choice]
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hrsnn_brian.network.network import FloatArray, Network
from hrsnn_brian.settings.units import format_seconds

# More kicks of a neuron, or spikes of the fastest one, per step are not resolved.
MOST_KICKS, MOST_SPIKES = 1.0, 0.2
# A shorter step is tried above this, 1/s or as a part of the exponent: among networks C and D and
# others of strong synapses exponents then change by less than their errors. [measured]
LOST_ORDER, LOST_PART = 0.4, 0.15


def segment_activity(network: Network, rates: FloatArray, dt: float) -> dict[str, float]:
    """What one segment's rates (N,), Hz, say about the events in a step of dt (s)."""
    return {
        "kicks_per_step": float(rates[network.W.indices].sum() / network.n_neurons) * dt,
        "spikes_per_step": float(rates.max()) * dt,
        "lost_order_per_s": lost_order(network, rates, dt),
    }


def lost_order(network: Network, rates: FloatArray, dt: float) -> float:
    """Mean over neurons of r_i sum_j r_j dt |w_ij|/(drive_i - v_th,i), 1/s.

    How often a neuron spikes in a step in which it is kicked, times the part of its slope that the
    kick makes: how fast ln growth may go wrong. The drive above threshold is taken to be
    v (1 + r_i tau_m,i), v from reset to threshold, as of a neuron that fires regularly or rarely.
    """
    neuron = network.params.neuron
    climb = network.v_th - (neuron.v_reset if neuron.reset == "hard" else 0.0)
    kicks = abs(network.W) @ rates * dt
    return float(np.mean(rates * kicks / (climb * (1.0 + rates * network.tau_m))))


def activity(
    network: Network, segments: Sequence[Mapping[str, Any]], seconds: float
) -> dict[str, float]:
    """Rate and events per step over segments of `seconds` each.

    The error of the rate is that of the segments' mean, and at least that of a count of spikes.
    """
    rates = np.array([segment["rate_hz"] for segment in segments])
    counted = math.sqrt(rates.mean() / (network.n_neurons * seconds * len(rates)))
    spread = float(rates.std(ddof=1)) / math.sqrt(len(rates)) if len(rates) > 1 else 0.0
    means = {
        name: float(np.mean([segment[name] for segment in segments]))
        for name in ("rate_hz", "kicks_per_step", "lost_order_per_s")
    }
    fastest = max(float(segment["spikes_per_step"]) for segment in segments)
    return means | {"rate_error_hz": max(counted, spread), "spikes_per_step": fastest}


def unresolved(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Why a step is too long for the events in it; empty if it is not."""
    kicks, spikes = settings["kicks_per_step"], settings["spikes_per_step"]
    at = f"at {settings['rate_hz']:.4g} Hz a step of {format_seconds(settings['dt'])}"
    reasons = []
    if kicks > MOST_KICKS:
        reasons.append(f"{at} brings a neuron {kicks:.2g} kicks: up to {MOST_KICKS:g} are resolved")
    if spikes > MOST_SPIKES:
        reasons.append(
            f"{at} has the fastest neuron spike in {spikes:.2g} of all steps: up to "
            f"{MOST_SPIKES:g} are resolved"
        )
    return tuple(reasons)


def order_lost(settings: Mapping[str, Any], exponent: float) -> str | None:
    """Why a shorter step should be tried although events are few enough; None if it need not."""
    lost = settings["lost_order_per_s"]
    if lost <= max(LOST_ORDER, LOST_PART * abs(exponent)):
        return None
    step = format_seconds(settings["dt"])
    return f"dt = {step}: the lost order of its spikes may change exponents by {lost:.2g}/s"
