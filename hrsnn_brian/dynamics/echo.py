"""The input echo S: how much of a perturbed input is left in the spikes, 100 ms to 1 s later.

A network is shown common noise, one value u(k) per sample, through its encoder,

    u(k) = a u(k-1) + sqrt(1 - a^2) z(k),   a = exp(-1/5),   z(k) standard normal,

and once more from the same start with u(t0) += 0.5 at t0 = 100, 150, 200, ... With x, x' the
recorded traces nearest to 30 ms (per neuron, at the end of a sample) of the two runs

    E(s) = mean over t0 of |x'(t0 + s) - x(t0 + s)|^2 / sum_i var x_i,   S = sum of E(s), s = 5..49

[our choice]. It has no unit, and knows neither the number of neurons
nor the scale of the traces. Without recurrence S is what membranes and spike times keep by
themselves, .03 in the default network, which has .5 to .7; above 2 is the eve of an explosion.

What independent noise per neuron cannot see: a perturbation of the input is *coherent*, it moves
all neurons that see the input together, and so does the mode in which a network runs away. Four
default networks (seeds 1 to 4) with weights doubled and biases that restore their rate under
independent noise have an exponent of -7.6 to -9.1/s under that noise, -8.9 to -9.4 before; under
common noise -1.6 to -5.8, -5.2 to -8.0 before; and S of 9 to 86. Shown that noise, three of them
fire at 58 to 98 Hz. Exponents, being of infinitesimal perturbations, may well be low again where a
network has run to; S is not. [measured]

Everything is counted in samples, as the memory that a task asks for is: with samples of 20 ms the
window is 100 ms to 1 s, with 40 ms it is 200 ms to 2 s. Samples of less than 20 ms are shown for
20 ms here, or their traces would be their own echo, as they are where a network records none of
less than 50 ms. Compare S only of networks with the same samples and traces. One channel is shown,
whatever a task has: a network takes inputs of any number of columns, and the measure is to need no
task. [our choice]
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, NoEchoError
from hrsnn_brian.files.shown import Framed
from hrsnn_brian.network.network import Network
from hrsnn_brian.settings.fields import Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.units import Seconds
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.simulation.noise import COMMON_SAMPLES, common_noise, held_samples, require_encoder

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

ECHO_TRACE = 30e-3  # of the recorded traces, the one closest to this is compared
EXPLOSIVE = 2.0  # S above which a network is about to run away


@dataclass(frozen=True)
class InputEchoProtocol(Section):
    """How the input is perturbed, and when the echo counts; times in samples."""

    section: ClassVar[str] = "input echo"
    samples: Whole = Whole(3000, low=1).about("length of a run", "samples")
    correlation: Real = Real(COMMON_SAMPLES, 0, above=True).about(
        "correlation time of the input", "samples"
    )
    step: Real = Real(0.5, 0, above=True).about("added to an input", "sd of the input")
    first: Whole = Whole(100, low=0).about("the first one that is perturbed", "samples")
    every: Whole = Whole(50, low=1).about("from one perturbation to the next", "samples")
    since: Whole = Whole(5, low=0).about("from a perturbation until its echo counts", "samples")
    until: Whole = Whole(49, low=0).about("from a perturbation to the end of its echo", "samples")

    def __post_init__(self) -> None:
        if not self.since <= self.until < self.every:
            allowed = f"must be from since = {self.since} to every - 1 = {self.every - 1}"
            raise InputError("until", self.until, allowed)
        least = self.first + self.every + self.until + 1
        if self.samples < least:
            raise InputError("samples", self.samples, f"two perturbations need {least}")

    @property
    def times(self) -> NDArray[np.int64]:
        """The perturbed samples t0 whose whole echo is inside the run."""
        return np.arange(self.first, self.samples - self.until, self.every)


@dataclass(frozen=True, repr=False)
class InputEcho(Framed):
    """strength: S. standard_error: over the perturbations, see `Echoes.sum`. curve: E(s), s = 0, 1,
    ..., `until`; where its end is not small, as in a network that runs away, perturbations have
    added up. rate_hz: mean rate of the unperturbed run.
    """

    strength: float
    standard_error: float
    curve: Floats
    rate_hz: float

    def facts(self) -> dict[str, Any]:
        """S with its error, and the rate."""
        told = f"{self.strength:.3g} +- {self.standard_error:.2g}"
        return {"S": told, "rate_hz": float(self.rate_hz)}

    def frame(self) -> "pd.DataFrame":
        """sample, echo: E(s) for s = 0, 1, ..."""
        import pandas as pd

        return pd.DataFrame({"sample": np.arange(len(self.curve)), "echo": self.curve})


def input_echo(
    network: Network, engine: Engine, seed: int, protocol: InputEchoProtocol | None = None
) -> InputEcho:
    """S of a network, in two runs of the program that the series tasks use.

    seed: of the noise and of the state at the start. Raises InputError for a network whose encoder
    shows it nothing, NoEchoError for a silent one and where not a single spike answers.
    """
    plan = protocol or InputEchoProtocol()
    require_encoder(network)
    timing = network.params.timing
    timing = replace(timing, sample=Seconds(timing.sample * held_samples(network)))
    network = replace(network, params=replace(network.params, timing=timing))
    u = common_noise(plan.samples, seed, plan.correlation)
    moved = u.copy()
    moved[plan.times] += plan.step
    trace = timing.nearest_trace(ECHO_TRACE)
    drive = Drive(u[:, None], seed=seed, record_states=(trace,))
    base = simulate(engine, network, drive)
    if not base.spike_count.any():
        raise NoEchoError("network", f"{network.n_neurons} neurons", "is silent: it has no echo")
    x, rate_hz = base.states[trace], base.rate_hz
    changed = simulate(engine, network, replace(drive, stimulus=moved[:, None])).states[trace]
    found = echoes(x, changed, plan.times, plan.until + 1)
    if not found.curves.any():
        allowed = f"no spike answers to a step of {plan.step:g} in its input"
        raise NoEchoError("network", f"{network.n_neurons} neurons", allowed)
    strength, error = found.sum(plan.since)
    return InputEcho(strength, error, found.curves.mean(axis=0), rate_hz)


@dataclass(frozen=True)
class Echoes:
    """Each perturbation's own. curves: |x'(t0 + s) - x(t0 + s)|^2 / sum_i var x_i, one row per t0.
    share: of the variance, that of the samples t0, t0 + 1, ... of each row; its mean is 1.
    """

    curves: Floats
    share: Floats

    def sum(self, since: int) -> tuple[float, float]:
        """S from s = `since` on, with its standard error: that of a ratio, since the variance is
        estimated from the same stretches of input; these are taken as independent."""
        each = self.curves[:, since:].sum(axis=1)
        residual = each - each.mean() * self.share
        return float(each.mean()), float(residual.std(ddof=1)) / math.sqrt(len(each))


def echoes(x: Floats, changed: Floats, times: NDArray[np.int64], length: int) -> Echoes:
    """The echoes in states x, changed (samples, N), without and with perturbations at `times`.

    length: samples of a row. The variances are those of x in these rows. Raises NoEchoError if
    there x is constant.
    """
    rows = times[:, None] + np.arange(length)
    power = np.square(x - x[rows.ravel()].mean(axis=0)).sum(axis=1)[rows]
    variance = float(power.mean())
    if variance == 0:
        raise NoEchoError("network", f"{x.shape[1]} neurons", "its traces are constant")
    distance = np.square(changed - x).sum(axis=1)[rows]
    return Echoes(distance / variance, power.mean(axis=1) / variance)
