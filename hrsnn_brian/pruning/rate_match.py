"""Firing rates made equal by one global number, so that networks are compared at equal activity.

The number is an offset added to every `bias`, or a `gain` on all recurrent weights. The offset is
the default: it moves the rate one way, and reaches nearly every rate whatever the network. The
gain leaves the neurons alone but cannot be relied on: where inhibition prevails it lowers the rate
or moves it both ways, the rate may jump, and without synapses it does nothing. [our choice: of ten
methods at N = 100, one seed, 15 % of the synapses and 60 neurons left, the offset met the rate of
the full network in all ten and was at most 0.4 thresholds, the gain in four, by factors of 2.9
to 6.7]

A ceiling holds back the fastest neurons, which cost most operations: each above it gets a lower
bias, a little at a time, until the rates under a frozen input are below it. [our choice, after
intrinsic plasticity; it lets spikes be saved without a choice of synapses]
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network

Rate = Callable[[Network], float]


class RateOutOfReachError(InputError):
    """No value of the knob brings the network to the wanted rate."""


@dataclass(frozen=True)
class Knob:
    """What is turned: its value that changes nothing, its bounds, and the scale it is cut on."""

    neutral: float
    low: float
    high: float
    first: float
    logarithmic: bool

    def between(self, a: float, b: float, share: float) -> float:
        """That share of the way from a to b."""
        return a * (b / a) ** share if self.logarithmic else a + (b - a) * share

    def away(self, steps: int) -> float:
        """The value that many (signed) steps from neutral, at most at a bound; steps double."""
        reach = math.copysign(2 ** (abs(steps) - 1) * self.first, steps)
        value = self.neutral * math.exp(reach) if self.logarithmic else self.neutral + reach
        return min(max(value, self.low), self.high)


KNOBS = {
    "gain": Knob(neutral=1.0, low=0.1, high=10.0, first=math.log(1.25), logarithmic=True),
    "bias": Knob(neutral=0.0, low=-3.0, high=3.0, first=0.1, logarithmic=False),
}


_INTERPOLATED = 8  # narrowings; a smooth rate is met in two or three
_FROM_ENDS = 0.05


@dataclass(frozen=True)
class RateMatch:
    """The matched network, the `value` of the knob, its rate, and all (value, Hz) tried."""

    network: Network
    knob: str
    value: float
    rate_hz: float
    tried: tuple[tuple[float, float], ...]


def match_rate(
    network: Network,
    wanted_hz: float,
    rate: Rate,
    *,
    knob: str = "bias",
    tolerance: float = 0.02,
    steps: int = 20,
) -> RateMatch:
    """The network turned until `rate(network)` is wanted_hz, by interpolation.

    rate: mean rate in Hz, the same number for the same network (a frozen input), for networks that
    are silent or explode too. knob: "bias" offset, -3 .. 3, or "gain" of all weights, 0.1 .. 10.
    tolerance: relative to wanted_hz. steps: at most so many cuts of the interval, the later ones in
    half, for rates that jump or bend too much to interpolate. The search walks away from the
    network as it is until the wanted rate lies between two neighbours: with the gain in both
    directions, so that the change is the smallest that will do where the rate is not monotone; with
    the bias first in the direction in which rates move as they should, which nearly always
    suffices. A network within tolerance comes back as it is; else one entry is added to its
    history.

    Raises InputError for numbers out of range, if the rate is not a finite
    number >= 0; RateOutOfReachError, one of these, if no value within the bounds reaches the rate,
    or if it jumps across it.
    """
    for name, number in (("wanted_hz", wanted_hz), ("tolerance", tolerance)):
        if not (math.isfinite(number) and number > 0):
            raise InputError(name, number, "must be a finite number > 0")
    search = _Search(network, wanted_hz, tolerance, rate, knob, {})
    bracket = search.bracket()
    for step in range(steps):
        if search.found is not None or bracket is None:
            break
        bracket = search.narrow(*bracket, interpolate=step < _INTERPOLATED)
    if search.found is None:
        raise RateOutOfReachError("wanted_hz", wanted_hz, search.failure(bracket))
    return search.result()


@dataclass
class _Search:
    network: Network
    wanted: float
    tolerance: float
    rate: Rate
    knob: str
    tried: dict[float, float]
    found: float | None = None

    def bracket(self) -> tuple[float, float] | None:
        """Neighbouring values with the wanted rate between their rates, nearest to neutral."""
        knob = KNOBS[self.knob]
        last = {1: knob.neutral, -1: knob.neutral}
        above = self.is_above(knob.neutral)
        wanted_side = (-1 if above else 1) if self.knob == "bias" else None
        for side, value in _walk(knob, wanted_side):
            if self.found is not None:
                return None
            if self.is_above(value) != above:
                return last[side], value
            last[side] = value
        return None

    def narrow(self, a: float, b: float, interpolate: bool) -> tuple[float, float]:
        """The part of a .. b that the wanted rate lies in, cut where it is expected, or in half.

        The cut is by the logarithms of the rates, and not at the very ends.
        """
        low, high, share = self.tried[a], self.tried[b], 0.5
        if interpolate and low > 0 and high > 0:
            share = math.log(self.wanted / low) / math.log(high / low)
            share = min(max(share, _FROM_ENDS), 1 - _FROM_ENDS)
        cut = KNOBS[self.knob].between(a, b, share)
        return (cut, b) if self.is_above(cut) == self.is_above(a) else (a, cut)

    def is_above(self, value: float) -> bool:
        """Whether the rate at this value exceeds the wanted one; notes a value that matches."""
        if value not in self.tried:
            hz = float(self.rate(turned(self.network, self.knob, value)))
            if not (math.isfinite(hz) and hz >= 0):
                where = f"must be a finite number >= 0 ({self.knob} {value:.4g})"
                raise InputError("rate of the network", hz, where)
            self.tried[value] = hz
            if self.found is None and abs(hz - self.wanted) <= self.tolerance * self.wanted:
                self.found = value
        return self.tried[value] > self.wanted

    def failure(self, bracket: tuple[float, float] | None) -> str:
        """Why the rate was not reached."""
        if bracket is None:
            low, high = min(self.tried), max(self.tried)
            rates = f"{min(self.tried.values()):.4g} to {max(self.tried.values()):.4g} Hz"
            other = next(name for name in KNOBS if name != self.knob)
            return (
                f"out of reach: {self.knob} {low:.4g} to {high:.4g} gives {rates}; "
                f"want another rate, or turn the {other}"
            )
        a, b = sorted(bracket)
        return (
            f"not met within {100 * self.tolerance:g} %: between {self.knob} {a:.6g} and {b:.6g} "
            f"the rate goes from {self.tried[a]:.4g} to {self.tried[b]:.4g} Hz"
        )

    def result(self) -> RateMatch:
        """The network at the value found, with a note in its history."""
        assert self.found is not None
        hz = self.tried[self.found]
        note = {"operation": "rate match", "knob": self.knob, "value": self.found, "rate_hz": hz}
        matched = turned(self.network, self.knob, self.found)
        if matched is not self.network:
            matched = replace(matched, history=(*matched.history, note))
        return RateMatch(matched, self.knob, self.found, hz, tuple(self.tried.items()))


def turned(network: Network, knob: str, value: float) -> Network:
    """The network with all weights times `value` (gain) or all biases plus `value` (bias)."""
    if value == KNOBS[knob].neutral:
        return network
    if knob == "gain":
        return replace(network, W=network.W * value)
    return replace(network, bias=network.bias + value)


def _walk(knob: Knob, first: int | None) -> Iterator[tuple[int, float]]:
    """(side, value): ever farther from neutral up to the bounds, on both sides in turn, or on the
    side `first` before the other.
    """
    rounds = [(-1, 1)] if first is None else [(first,), (-first,)]
    for sides in rounds:
        open_sides, steps = {*sides}, 0
        while open_sides:
            steps += 1
            for side in sorted(open_sides):
                value = knob.away(side * steps)
                yield side, value
                if value in (knob.low, knob.high):
                    open_sides = open_sides - {side}


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
