"""Exponents of spiking networks: four quantities that must never be confused.

* `lyapunov_spectrum`, and in `time_step` `agreed_spectrum` and `lambda_inf`, which compare time
  steps: the exponents, of infinitesimal perturbations. Spike times lie inside the step; on a grid
  the same computation returns the leak, whatever the weights.
* `short_growth`: the rate at which infinitesimal perturbations in random directions grow in 200 ms.
* `finite_size_exponents`: lambda(d0; t_renorm, dt) on the grid model, of perturbations as large as
  d0; it depends on all three arguments.
* `echo`: what becomes of a perturbation that is left alone.

All of them compare copies of a network under the same frozen input, in compiled code. Unit: 1/s,
natural logarithm. A failed check gives NaN and a reason.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hrsnn_brian.dynamics.exponents.growth import growth_logs
from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.dynamics.exponents.resolution import activity, segment_activity, unresolved
from hrsnn_brian.dynamics.exponents.result import SpectrumResult, spectrum_result
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.atomic import write_json
from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import derived_seed, rng
from hrsnn_brian.settings.fields import Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.times import Span
from hrsnn_brian.settings.units import seconds
from hrsnn_brian.simulation import (
    Drive,
    Engine,
    Perturbation,
    coloured_drive,
    common_drive,
    noise_drive,
    simulate_perturbed,
)

DriveMaker = Callable[[Network, float, int], Drive]
Report = Callable[[int, int], None]

# What a segment's file says about the network's activity.
_ACTIVITY = {"rate_hz", "kicks_per_step", "spikes_per_step", "lost_order_per_s", "seconds"}
# A measurement waits while a potential differs by this much: far above any d0 used here.
POSTPONE_ABOVE = 0.05


def with_time_step(network: Network, dt: object) -> Network:
    """The same network on another time step ("0.1 ms" or a quantity).

    Raises InputError if the sample time is not a whole number of steps.
    """
    timing = replace(network.params.timing, dt=seconds(dt, "dt"))
    return replace(network, params=replace(network.params, timing=timing))


def default_drive(network: Network, duration: float, seed: int) -> Drive:
    """The frozen input of an exponent: coloured noise for "current" encoders, else white noise."""
    if network.params.encoder.kind == "current":
        return coloured_drive(network, duration, seed)
    return noise_drive(network, duration, seed, record_states=False, traces=False)


DRIVES: dict[str, DriveMaker] = {"independent": default_drive, "common": common_drive}
"""What an exponent may be measured under. Independent noise averages out in what neurons send each
other: exponents under it do not see the coherent mode that an input excites and that runs away."""


@dataclass(frozen=True)
class Protocol(Section):
    """How long and how finely exponents are measured; times in seconds, or texts with a unit."""

    duration: Span = Span(10.0).about("measured time over all segments")
    segments: Whole = Whole(5, low=1).about(
        "independent inputs, whose spread gives the standard error"
    )
    warmup: Span = Span(0.5, positive=False).about("time before copies are perturbed")
    align: Span = Span(0.5, positive=False).about("time from there until growth counts")
    dt: Span = Span(1e-4).about("time step")
    t_renorm: Span = Span(20e-3).about("time between renormalisations")
    d0: Real = Real(1e-10, 0, above=True).about("size of the perturbation")

    def __post_init__(self) -> None:
        if self.duration / self.segments < 2 * self.t_renorm:
            allowed = f"must give every one of {self.segments} segments two intervals or more"
            raise InputError("duration", self.duration, allowed)


@dataclass(frozen=True)
class SegmentLog:
    """Where finished segments are kept, and who is told.

    folder: of their files, so that a killed computation resumes; None keeps none. on_segment:
    called with how many are finished, and with how many there will be.
    """

    folder: Path | None = None
    on_segment: Report = lambda done, total: None


def lyapunov_spectrum(
    network: Network,
    *,
    engine: Engine,
    k: int = 1,
    protocol: Protocol | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
    log: SegmentLog | None = None,
) -> SpectrumResult:
    """The k leading Lyapunov exponents of a network under frozen input, 1/s, at one time step.

    Benettin et al. 1980: k copies at distance d0, orthonormalised every t_renorm, spike times
    inside the step. Flags (and NaN): a distance of exactly zero, straddling spikes or saturation
    in over 1 % of the intervals, growths that rounding decides, and more events in a step than it
    resolves. Whether the step is short enough only a second one tells: see
    `time_step.agreed_spectrum`. settings: "passive_per_s", the slowest leak, which is all that a
    silent network has; what `resolution.activity` says about rate and events.

    Raises InputError if k exceeds the number of state variables or parts do not fit.
    """
    plan, log = protocol or Protocol(), log or SegmentLog()
    if not 1 <= k <= n_states(network):
        raise InputError("k", k, f"must be from 1 to {n_states(network)}")
    stepped = with_time_step(network, f"{plan.dt!r} s")
    segments = _Segments(stepped, engine, plan, k, drive, seed)
    found = []
    for number in range(plan.segments):
        found.append(segments.measured(number, log.folder))
        log.on_segment(number + 1, plan.segments)
    skip = round(plan.align / plan.t_renorm)
    measured = np.array([segment["log_growth"][skip:] for segment in found])
    checked = growth_logs(plan.d0 * np.exp(measured), plan.d0, saturation=POSTPONE_ABOVE)
    settings = segments.settings | activity(network, found, found[0]["seconds"])
    flags = [*checked.flags(plan.t_renorm), *unresolved(settings)]
    return spectrum_result(checked.logs, plan.t_renorm, flags=flags, settings=settings)


@dataclass(frozen=True)
class _Segments:
    """What the segments of one computation share; the network is on the time step of the plan."""

    network: Network
    engine: Engine
    plan: Protocol
    k: int
    drive: DriveMaker
    seed: int

    @cached_property
    def settings(self) -> dict[str, Any]:
        network = self.network
        return {
            "quantity": "lambda_inf",
            "drive": next((name for name, maker in DRIVES.items() if maker is self.drive), "own"),
            "k": self.k,
            "seed": self.seed,
            "neurons": network.n_neurons,
            "synapses": network.n_synapses,
            "network_seed": network.seed,
            "passive_per_s": slowest_leak(network),
            **{name: getattr(self.plan, name) for name in self.plan.__dataclass_fields__},
        }

    @property
    def steps(self) -> int:
        """Intervals of a segment."""
        plan = self.plan
        return math.ceil((plan.duration / plan.segments + plan.align) / plan.t_renorm)

    def measured(self, number: int, folder: Path | None) -> dict[str, Any]:
        """Log growths (n, k) and rate of one segment, from its file if it was finished before."""
        settings = self.settings | {"segment_seed": segment_seed(self.seed, number)}
        path = None if folder is None else Path(folder) / f"segment-{number}.json"
        if path is not None and path.exists():
            import json

            stored = json.loads(path.read_text())
            if stored["settings"] != settings or not _ACTIVITY.issubset(stored):
                raise InputError("folder", str(folder), "holds segments of another computation")
            growth = np.array(stored["log_growth"], dtype=float)
            # JSON has no minus infinity: the logarithm of a distance of zero was stored as null
            if len(growth) == self.steps:  # else a run that was cut short left it
                return {**stored, "log_growth": np.where(np.isnan(growth), -np.inf, growth)}
        found = self._run(number)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            listed = {"log_growth": found["log_growth"].tolist()}
            write_json(path, {"settings": settings, **found, **listed})
        return found

    def _run(self, number: int) -> dict[str, Any]:
        plan, network, sample = self.plan, self.network, self.network.params.timing.sample
        # one sample more, so that the last measurement lies inside the run
        needed = plan.warmup + self.steps * plan.t_renorm + sample
        perturbation = Perturbation(
            directions=random_directions(self.k, n_states(network), self.seed, number),
            d0=plan.d0,
            start=plan.warmup,
            interval=plan.t_renorm,
            action="orthonormalise",
            postpone_above=POSTPONE_ABOVE,
        )
        run = self.drive(
            network, math.ceil(needed / sample) * sample, segment_seed(self.seed, number)
        )
        divergence = simulate_perturbed(self.engine, network, run, perturbation)
        rates = divergence.spike_count / divergence.seconds
        return {
            "log_growth": divergence.log_growth[: self.steps],
            "rate_hz": float(divergence.spike_count.mean() / divergence.seconds),
            "seconds": divergence.seconds,
            **segment_activity(network, rates, plan.dt),
        }


def slowest_leak(network: Network) -> float:
    """The exponent, 1/s, of a network that is silent: that of its longest time constant."""
    return -1.0 / float(max(network.tau_m.max(), network.tau_e.max(), network.tau_i.max()))


def segment_seed(seed: int, number: int) -> int:
    """What the input and the initial state of a segment are drawn from."""
    return derived_seed(seed, "input", "segment", number)


def n_states(network: Network) -> int:
    """Potentials and synaptic currents: what a perturbation can have components in."""
    return network.n_neurons * (3 if network.params.synapse.currents == "two" else 2)


def random_directions(copies: int, n: int, seed: int, *keys: str | int) -> FloatArray:
    """Random unit vectors (copies, n), from the stream "perturbation"."""
    vectors = rng(seed, "perturbation", *keys).standard_normal((copies, n))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
