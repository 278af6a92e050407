"""The step that brings the mean rate back; it changes no synapse."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass
from typing import ClassVar

from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.iteration import Iteration, Step
from hrsnn_brian.pruning.rate_match import Rate, RateOutOfReachError, match_rate
from hrsnn_brian.settings.fields import OneOf

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
