"""Exponents of networks at time steps that agree: `lambda_inf` and `agreed_spectrum`.

Events of one step do not see each other, an error of first order in the number of kicks that a
neuron gets within a step. So every exponent is measured at two steps; where they contradict each
other the next smaller one is tried, a bounded number of times, and what still disagrees is no value
(NaN) but a reason.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.special import ndtr, ndtri

from hrsnn_brian.dynamics.exponents.growth import UNCONVERGED
from hrsnn_brian.dynamics.exponents.resolution import order_lost, unresolved
from hrsnn_brian.dynamics.exponents.result import SpectrumResult
from hrsnn_brian.dynamics.exponents.spiking import (
    DriveMaker,
    Protocol,
    default_drive,
    lyapunov_spectrum,
)
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.runaway import runaway_message
from hrsnn_brian.settings.units import format_seconds, seconds
from hrsnn_brian.simulation import Engine

# How often the step is halved beyond the two that are always measured.
REFINEMENTS = 2
# Two steps disagree beyond this many combined standard errors, for k exponents beyond what is as
# improbable for the largest of k differences ...
DEVIATIONS = 3.0
# ... but not below this, in 1/s and as a part of the exponent.
SMALLEST_CHANGE, SMALLEST_PART = 0.1, 0.01
# Rates disagree beyond this part, if it is more than `DEVIATIONS` of their errors as well.
RATE_CHANGE = 0.05

# The size that lambda_inf is checked at, and the one where d0 is near that.
CHECK_D0 = (1e-6, 1e-10)

Measure = Callable[[float], SpectrumResult]


@dataclass(frozen=True)
class Agreement:
    """Spectra of one network at several time steps, and whether the two shortest agree.

    at_dt: {dt in s: SpectrumResult}, from long to short. abandoned: why steps were refined, one
    line each. flags: why there is no value; empty if the two agree.
    """

    at_dt: dict[float, SpectrumResult]
    abandoned: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def result(self) -> SpectrumResult:
        """The spectrum at the shortest step, NaN with the reasons where they disagree."""
        finest = list(self.at_dt.values())[-1]
        if not self.flags:
            return finest
        return replace(
            finest,
            exponents=np.full_like(finest.exponents, np.nan),
            kaplan_yorke=None,
            entropy_rate=None,
            flags=self.flags,
        )


def disagreements(coarse: SpectrumResult, fine: SpectrumResult) -> tuple[str, ...]:
    """How the spectra at two time steps contradict each other; empty if they do not."""
    steps = " and ".join(format_seconds(result.settings["dt"]) for result in (coarse, fine))
    reasons = []
    if rates := _rates_differ(coarse, fine):
        reasons.append(f"dt = {steps}: the rate is {rates[0]:.4g} and {rates[1]:.4g} Hz")
    # history keeps the values of spectra whose checks failed
    first, second = coarse.history[-1], fine.history[-1]
    error = np.hypot(coarse.standard_error, fine.standard_error)
    deviations = -ndtri(ndtr(-DEVIATIONS) / len(first))
    floor = np.maximum(SMALLEST_CHANGE, SMALLEST_PART * np.abs(second))
    apart = np.abs(first - second) - np.maximum(deviations * error, floor)
    if (apart > 0).any():
        j = int(np.nanargmax(apart))
        reasons.append(
            f"dt = {steps}: exponent {j + 1} is {first[j]:.4g} and {second[j]:.4g}/s, combined "
            f"standard error {error[j]:.2g}"
        )
    return tuple(reasons)


def _rates_differ(coarse: SpectrumResult, fine: SpectrumResult) -> tuple[float, float] | None:
    """The two rates, Hz, if they contradict each other."""
    rates = coarse.settings["rate_hz"], fine.settings["rate_hz"]
    error = math.hypot(coarse.settings["rate_error_hz"], fine.settings["rate_error_hz"])
    allowed = max(RATE_CHANGE * min(rates), DEVIATIONS * error)
    return rates if abs(rates[0] - rates[1]) > allowed else None


def agree(
    measure: Measure,
    steps: Sequence[float],
    runaway: Callable[[], str | None],
    refinements: int = REFINEMENTS,
) -> Agreement:
    """Spectra from `measure` at `steps` (s, falling) and shorter ones until the last two agree.

    runaway: says why the model has no limit, or None; where rates disagree as well, shorter steps
    are no use. A single step is taken as it is.
    """
    results = [measure(dt) for dt in steps]
    abandoned: list[str] = []
    while len(results) > 1 and len(abandoned) < refinements:
        reasons = _too_long(*results[-2:])
        if not reasons or (_rates_differ(*results[-2:]) and runaway()):
            break
        abandoned.append("; ".join(reasons))
        results.append(measure(results[-1].settings["dt"] / 2))
    at_dt = {result.settings["dt"]: result for result in results}
    flags = _own_flags(results[-2:])
    if len(results) > 1 and (apart := disagreements(*results[-2:])):
        no_limit = runaway() if _rates_differ(*results[-2:]) else None
        flags = ((no_limit,) if no_limit else ()) + apart + flags
    return Agreement(at_dt, tuple(abandoned), flags)


def _too_long(coarse: SpectrumResult, fine: SpectrumResult) -> tuple[str, ...]:
    """Why a shorter step may give what these two do not; empty if they suffice or it is no use."""
    pair = (coarse, fine)
    others = [flag for r in pair for flag in r.flags if flag not in unresolved(r.settings)]
    if others:
        return ()
    lost = order_lost(fine.settings, float(fine.history[-1, 0]))
    return _own_flags(pair) + disagreements(coarse, fine) + ((lost,) if lost else ())


def _own_flags(results: Sequence[SpectrumResult]) -> tuple[str, ...]:
    return tuple(
        f"dt = {format_seconds(result.settings['dt'])}: {flag}"
        for result in results
        for flag in result.flags
    )


@dataclass(frozen=True)
class LargestExponent:
    """lambda_inf with its convergence in the time step and in d0.

    value, standard_error: at the shortest dt; NaN with reasons in `flags` if a check failed.
    at_dt, abandoned: as in `Agreement`. d0_difference: |difference|, 1/s, between the two sizes of
    perturbation at the longer of the two steps compared; NaN where these disagree already.
    """

    value: float
    standard_error: float
    at_dt: dict[float, SpectrumResult]
    abandoned: tuple[str, ...]
    d0_difference: float
    flags: tuple[str, ...]


def largest_exponent(found: Agreement, check: SpectrumResult | None) -> LargestExponent:
    """lambda_inf from spectra at several time steps and, at one of the last two, at a second d0.

    Fails (NaN) if the steps disagree, the two sizes do by more than 0.5/s, or a spectrum raised a
    flag. check: not needed, hence None, where steps disagree.
    """
    flags, difference = list(found.flags), math.nan
    if check is not None:
        same = found.at_dt[check.settings["dt"]]
        flags += [f"d0 = {check.settings['d0']:g}: {flag}" for flag in check.flags]
        difference = abs(check.largest - same.largest)
        if difference > UNCONVERGED:
            sizes = f"d0 = {same.settings['d0']:g} and {check.settings['d0']:g}"
            flags.append(f"{sizes} differ by {difference:.2g}/s")
    fine = found.result
    return LargestExponent(
        value=math.nan if flags else fine.largest,
        standard_error=float(fine.standard_error[0]),
        at_dt=found.at_dt,
        abandoned=found.abandoned,
        d0_difference=difference,
        flags=tuple(flags),
    )


def check_step(found: Agreement) -> float:
    """The step (s) at which a second d0 is to be tried: the longer of the two compared."""
    return list(found.at_dt)[-2:][0]


def checked_at(plan: Protocol, dt: float) -> Protocol:
    """The protocol that lambda_inf is checked with: another d0, at one of its steps (s)."""
    usual, other = CHECK_D0
    return replace(plan, dt=dt, d0=usual if plan.d0 < 0.1 * usual else other)


def agreed_spectrum(
    network: Network,
    *,
    engine: Engine,
    k: int = 1,
    protocol: Protocol | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> Agreement:
    """The k leading exponents, 1/s, at time steps that agree; `.result` has them.

    Measured at the protocol's step and at half of it. If these disagree, or the order of spikes
    within a step matters too much, the step is halved, at most `REFINEMENTS` times. Flags (and
    NaN): those of `lyapunov_spectrum` at either of the last two steps; exponents more than about
    three combined standard errors apart; rates more than 5 % apart, and then, if so, that the
    model has no limit as dt -> 0.
    """
    plan = protocol or Protocol()
    spectrum = partial(lyapunov_spectrum, network, engine=engine, k=k, drive=drive, seed=seed)
    return agree(
        lambda dt: spectrum(protocol=replace(plan, dt=dt)),
        (plan.dt, plan.dt / 2),
        lambda: runaway_message(network),
    )


def lambda_inf(
    network: Network,
    *,
    engine: Engine,
    protocol: Protocol | None = None,
    time_steps: Sequence[object] = ("0.1 ms", "0.05 ms"),
    refinements: int = REFINEMENTS,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> LargestExponent:
    """The largest exponent, 1/s, at time steps and at two sizes of perturbation that agree.

    Of more time steps only the coarsest and the finest count; one alone is allowed, and is then not
    checked. Steps are refined as by `agreed_spectrum`; see `largest_exponent` for when it fails.
    """
    plan = protocol or Protocol()
    steps = sorted({float(seconds(dt, "dt")) for dt in time_steps}, reverse=True)
    spectrum = partial(lyapunov_spectrum, network, engine=engine, drive=drive, seed=seed)
    found = agree(
        lambda dt: spectrum(protocol=replace(plan, dt=dt)),
        tuple(dict.fromkeys((steps[0], steps[-1]))),
        lambda: runaway_message(network),
        refinements,
    )
    again = None if found.flags else spectrum(protocol=checked_at(plan, check_step(found)))
    return largest_exponent(found, again)
