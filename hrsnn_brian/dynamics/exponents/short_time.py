"""The growth rate of random perturbations over a short time, such as 200 ms.

    g(T) = mean over inputs and directions of ln(|d(T)| / |d(0)|) / T,   1/s,

for infinitesimal d(0) in random directions of all potentials and synaptic currents. As T grows it
becomes the largest exponent; at 200 ms [our choice] it also knows of what grows for a while and
then dies, as the response to an input does in a network that is about to run away: under common
noise a g above 0 is the eve of an explosion, while the exponent may still be far below.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.dynamics.exponents.growth import growth_logs
from hrsnn_brian.dynamics.exponents.spiking import (
    POSTPONE_ABOVE,
    DriveMaker,
    default_drive,
    n_states,
    random_directions,
    with_time_step,
)
from hrsnn_brian.network.network import Network
from hrsnn_brian.settings.fields import Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.times import Span
from hrsnn_brian.simulation import Engine, Perturbation, simulate_perturbed


@dataclass(frozen=True)
class GrowthProtocol(Section):
    """How short growth is measured; times in seconds, or texts with a unit."""

    T: Span = Span(200e-3).about("time over which perturbations grow")
    segments: Whole = Whole(40, low=2).about("inputs one after the other, of T each")
    copies: Whole = Whole(3, low=1).about("random directions")
    dt: Span = Span(0.5e-3).about("time step")
    d0: Real = Real(1e-8, 0, above=True).about("size of the perturbation")
    warmup: Span = Span(0.5, positive=False).about("time before copies are perturbed")


@dataclass(frozen=True)
class ShortGrowth:
    """value: g(T), 1/s, NaN with reasons in `flags` if a check failed. standard_error: over the
    inputs, which follow each other and are taken as independent; T: seconds."""

    value: float
    standard_error: float
    T: float
    flags: tuple[str, ...]


def short_growth(
    network: Network,
    *,
    engine: Engine,
    protocol: GrowthProtocol | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> ShortGrowth:
    """g(T) of a network under frozen input, see above.

    Every T copies start again from the reference trajectory. Flags (and NaN): a distance of exactly
    zero, saturation in over 1 % of them, and growths that rounding decides. Raises InputError for
    parts that do not fit.
    """
    plan = protocol or GrowthProtocol()
    stepped = with_time_step(network, f"{plan.dt!r} s")
    perturbation = Perturbation(
        random_directions(plan.copies, n_states(network), seed, "short"),
        d0=plan.d0,
        start=plan.warmup,
        interval=plan.T,
        action="restart",
        postpone_above=POSTPONE_ABOVE,
    )
    # one sample more, so that the last measurement lies inside the run
    needed, sample = plan.warmup + plan.segments * plan.T, network.params.timing.sample
    run = drive(stepped, math.ceil(needed / sample + 1) * sample, seed)
    found = simulate_perturbed(engine, stepped, run, perturbation)
    grown = found.log_growth[: plan.segments]
    checked = growth_logs(plan.d0 * np.exp(grown), plan.d0, saturation=POSTPONE_ABOVE)
    each = checked.logs.mean(axis=1) / found.intervals[: len(grown)]
    flags = checked.flags(plan.T)
    if flags:
        return ShortGrowth(math.nan, math.nan, plan.T, flags)
    kept = each[np.isfinite(each)]
    error = float(kept.std(ddof=1)) / math.sqrt(len(kept))
    return ShortGrowth(float(kept.mean()), error, plan.T, ())
