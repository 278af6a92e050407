"""The gain of the recurrence: a number, or the one at which a network echoes its input as before.

What a pruned network lacks most is the right gain. The input echo S (`dynamics.echo`) says how much
of a small change of one input sample is still there 0.1 to 1 s later; the echo gain is the common
factor on all weights at which S is the unpruned network's. No task is looked at, and no number
is free. [our choice; that Lyapunov quantities shall guide it is the paper's]
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

from hrsnn_brian.dynamics.cost import ActivityWarning
from hrsnn_brian.dynamics.echo import EXPLOSIVE
from hrsnn_brian.errors import InputError, NoEchoError
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.iteration import Iteration, Probe, Step
from hrsnn_brian.pruning.rate_match import lower_rates
from hrsnn_brian.pruning.rate_steps import matched
from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.fields import Real, Whole, as_number, number_in

ECHO, NONE = "echo", "none"
_POWER = 1.5  # S goes about as this power of the gain [measured]
_STRIDE = math.log(2.0)  # largest step of ln gain before the target lies between two trials
_MARGIN = 0.1  # of the bracket, that a trial keeps from its ends
_DANGER = f"above {EXPLOSIVE:g}: such networks explode on some inputs; weaken the weights"


class EchoOutOfReachError(InputError):
    """No gain within the bounds gives the pruned network the input echo that is wanted."""


class GainWarning(ActivityWarning):
    """The input echo that was reached is not the one wanted, or is that of a network in danger."""


@dataclass(frozen=True)
class Trial:
    """A gain, the input echo there, and off = ln(S / S wanted); -inf where there is no echo."""

    gain: float
    echo: float
    off: float


def search_gain(
    echo: Callable[[float], float],
    wanted: float,
    *,
    largest: float = 4.0,
    tolerance: float = 0.12,
    trials: int = 5,
) -> tuple[Trial, tuple[Trial, ...]]:
    """The trial of a gain at which echo(gain) is `wanted`, and all that were made.

    A bracketed secant of ln echo over ln gain, from a gain of 1, within 1/largest .. largest. Where
    no trial comes within `tolerance` of ln `wanted`, the answer is the nearest from below, on the
    side on which networks do not explode.

    Raises EchoOutOfReachError if all trials lie on one side of `wanted`, InputError if this is no
    number > 0.
    """
    if not (math.isfinite(wanted) and wanted > 0):
        raise InputError("input echo", wanted, "must be a finite number > 0 to be restored")
    found: list[Trial] = []
    while len(found) < trials:
        gain = _next_gain(found, largest)
        if gain is None:
            break
        strength = float(echo(gain))
        off = math.log(strength / wanted) if strength > 0 else -math.inf
        found.append(Trial(gain, strength, off))
        if abs(off) <= tolerance:
            return found[-1], tuple(found)
    below = [trial for trial in found if trial.off < 0]
    if len(below) in (0, len(found)):
        low, high = min(found, key=lambda t: t.gain), max(found, key=lambda t: t.gain)
        what = (
            f"the input echo of {wanted:.3g} is out of reach: gain {low.gain:.3g} to "
            f"{high.gain:.3g} gives {low.echo:.3g} to {high.echo:.3g}; keep more synapses, or give "
            "the gain as a number"
        )
        raise EchoOutOfReachError("gain", ECHO, what)
    return max(below, key=lambda trial: (trial.off, trial.gain)), tuple(found)


def _next_gain(found: list[Trial], largest: float) -> float | None:
    """The gain to try next; None if all trials are on one side and the last was at the bound."""
    if not found:
        return 1.0
    tried = sorted((math.log(trial.gain), trial.off) for trial in found)
    across = [(a, b) for a, b in pairwise(tried) if a[1] * b[1] < 0]
    if across:
        # of several brackets the one nearest to the network as it is
        (a, below), (b, above) = min(across, key=lambda pair: abs(pair[0][0] + pair[1][0]))
        share = below / (below - above) if math.isfinite(below - above) else 0.5
        return math.exp(a + (b - a) * min(max(share, _MARGIN), 1 - _MARGIN))
    up = tried[0][1] < 0
    x, off = tried[-1] if up else tried[0]
    reach = math.log(largest)
    if abs(x) >= reach * (1 - 1e-12):
        return None
    slope = _POWER
    if len(tried) > 1 and math.isfinite(sum(off for _, off in tried)):
        (x0, off0), (x1, off1) = tried[-2:] if up else tried[:2]
        slope = max((off1 - off0) / (x1 - x0), _POWER / 3)
    step = min(abs(off) / slope, _STRIDE) * 1.05  # a little beyond: a bracket is worth more
    return math.exp(min(x + step, reach) if up else max(x - step, -reach))


def wanted_echo(network: Network, probe: Probe) -> float:
    """The input echo of the unpruned network.

    Raises InputError if it has none: it is silent, or its encoder shows it nothing. Warns
    (`GainWarning`) if it is itself on the eve of an explosion.
    """
    strength = float(probe.echo(network))
    if strength > EXPLOSIVE:
        _warn(f"the unpruned network has an input echo of {strength:.3g}, {_DANGER}")
    return strength


def _warn(what: str) -> None:
    warnings.warn(what, GainWarning, stacklevel=2)


class GainRule(Checked[Any]):
    """A factor, "echo" or "none"."""

    low, high = 0.1, 10.0

    def allowed(self) -> str:
        return f"echo, none or a number >= {self.low:g} and <= {self.high:g}"

    def values(self) -> dict[str, str]:
        return {
            ECHO: "the factor at which the input echo is the unpruned network's",
            NONE: "weights and mean rate stay as they are",
        }

    def convert(self, value: Any) -> str | float:
        if value in (ECHO, NONE):
            return str(value)
        number = as_number(value)
        if number is None or not self.low <= number <= self.high:
            raise self.refused(value)
        return float(number)

    def read(self, text: str) -> Any:
        return number_in(text)


@dataclass(frozen=True)
class EchoGain(Step):
    """All weights times one gain, the mean rate under white noise restored, no rate far above it.

    With gain = echo a trial is a finished network: biases have restored the mean rate, and the
    ceiling holds, before its echo is measured. A mean rate that is out of reach is left as it is,
    which the history notes. [our choice]

    Raises EchoOutOfReachError; warns (`GainWarning`) of an echo that was not met, or is above 2.
    """

    section: ClassVar[str] = "gain"
    rule: GainRule = GainRule(NONE).about("factor on all weights")
    rate: Real = Real(1.0, 0, 10).about("mean rate to restore, of the former; 0: leave it")
    ceiling: Real = Real(0.0, 0, 100).about("largest rate, of the former mean; 0: none")
    largest: Real = Real(4.0, 1, 10, above=True).about("largest gain tried for the echo")
    tolerance: Real = Real(0.12, 0, 1, above=True).about("|ln S/S'| at which the echo is met")
    trials: Whole = Whole(5, low=2).about("gains tried for the echo, at most")

    @property
    def asks(self) -> frozenset[str]:
        if self.rule == NONE:
            return frozenset({"rates"} if self.ceiling else ())
        rates = {"rates"} if self.rate or self.ceiling or self.rule == ECHO else set()
        return frozenset(rates | ({ECHO} if self.rule == ECHO else set()))

    def __call__(self, now: Iteration) -> Iteration:
        if self.rule == ECHO:
            return now.with_network(self._echoing(now))
        return now.with_network(self._finished(now, self.rule))

    def _echoing(self, now: Iteration) -> Network:
        """The finished network whose echo is the unpruned one's."""
        wanted, probe = now.original_echo(), now.probe
        made: dict[float, Network] = {}

        def echo(gain: float) -> float:
            made[gain] = self._finished(now, gain)
            try:
                return probe.echo(made[gain])
            except NoEchoError:  # not a spike answers: less than any echo
                return 0.0

        found, tried = search_gain(
            echo, wanted, largest=self.largest, tolerance=self.tolerance, trials=self.trials
        )
        if abs(found.off) > self.tolerance:
            jump = f"the input echo jumps across the {wanted:.3g} of the unpruned network"
            _warn(f"{jump}; with gain {found.gain:.3g} it is {found.echo:.3g}")
        elif found.echo > EXPLOSIVE >= wanted:
            _warn(f"the pruned network has an input echo of {found.echo:.3g}, {_DANGER}")
        note = now.note(
            "echo gain",
            gain=found.gain,
            echo=found.echo,
            wanted=wanted,
            trials=[[trial.gain, trial.echo] for trial in tried],
        )
        network = made[found.gain]
        return replace(network, history=(*network.history, note))

    def _finished(self, now: Iteration, gain: str | float) -> Network:
        """The network with that gain, rate and ceiling."""
        network, probe = now.network, now.probe
        if gain != NONE and gain != 1:
            network = network.with_weights(network.W * gain, **now.note("gain", value=gain))
        if gain != NONE and self.rate:
            wanted = self.rate * now.original_hz()
            turned = matched(network, wanted, probe.rate_hz, "bias")
            network = turned or _unmatched(network, now)
        if self.ceiling:
            network = lower_rates(network, self.ceiling * now.original_hz(), probe.rates)
        return network


def _unmatched(network: Network, now: Iteration) -> Network:
    note = now.note("rate match", reached=False, rate_hz=now.probe.rate_hz(network))
    return replace(network, history=(*network.history, note))
