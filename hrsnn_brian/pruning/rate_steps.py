"""Steps that change no synapse: rates brought to a wanted value, weights turned up."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass, replace
from typing import ClassVar

from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.iteration import Iteration, Step
from hrsnn_brian.pruning.rate_match import Rate, RateOutOfReachError, lower_rates, match_rate
from hrsnn_brian.settings.fields import OneOf, Real

KNOB_NAMES = {
    "off": "rates are left as they are",
    "gain": "a factor on all weights",
    "bias": "an offset of all biases",
}


def matched(network: Network, rate_hz: float, rate: Rate, knob: str) -> Network | None:
    """The network at that mean rate, turned by `knob`; None where it cannot be brought there."""
    if knob == "off":
        return network
    try:
        return match_rate(network, rate_hz, rate, knob=knob).network
    except RateOutOfReachError:
        return None


@dataclass(frozen=True)
class MatchRate(Step):
    """Bring the network back to the mean rate it was given with, where it can be. [our choice]"""

    section: ClassVar[str] = "rate_match"
    rule: OneOf = OneOf("off", KNOB_NAMES).about("what is turned after every iteration")

    def __call__(self, now: Iteration) -> Iteration:
        if self.rule == "off":
            return now
        network = matched(now.network, now.original_hz(), now.probe.rate_hz, self.rule)
        return now.with_network(network or now.network)


@dataclass(frozen=True)
class TurnUp(Step):
    """Stronger weights, a share of the former mean rate under white noise, no rate far above it.

    None costs a synapse, and lower rates save operations. A mean rate that is out of reach is left
    as it is, which the history notes. [our choice]
    """

    section: ClassVar[str] = "finish"
    gain: Real = Real(1.5, 0.1, 10).about("factor on all weights")
    rate: Real = Real(1.0, 0, 10).about("mean rate to restore, of the former; 0: leave it")
    ceiling: Real = Real(0.0, 0, 100).about("largest rate, of the former mean; 0: none")

    def __call__(self, now: Iteration) -> Iteration:
        network, probe = now.network, now.probe
        if self.gain != 1:
            note = now.note("gain", value=self.gain)
            network = network.with_weights(network.W * self.gain, **note)
        if self.rate:
            wanted = self.rate * now.original_hz()
            turned = matched(network, wanted, probe.rate_hz, "bias")
            network = turned or _noted(network, now, probe.rate_hz(network))
        if self.ceiling:
            network = lower_rates(network, self.ceiling * now.original_hz(), probe.rates)
        return now.with_network(network)


def _noted(network: Network, now: Iteration, hz: float) -> Network:
    note = now.note("rate match", reached=False, rate_hz=hz)
    return replace(network, history=(*network.history, note))
