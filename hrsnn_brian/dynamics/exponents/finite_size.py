"""Perturbations of finite size on the time grid: lambda(d0; t_renorm, dt), and the echo."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.dynamics.exponents.spiking import (
    DriveMaker,
    default_drive,
    random_directions,
    slowest_leak,
    with_time_step,
)
from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.settings.fields import Flag, Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.times import Span
from hrsnn_brian.simulation import Divergence, Engine, Perturbation, simulate_perturbed


@dataclass(frozen=True)
class FiniteSize:
    """lambda(d0; t_renorm, dt) on the grid model, 1/s, with what it is worth.

    value is NaN with a reason if every perturbation died ("passive": the copies differ by nothing
    but the leak, or not at all) or filled the attractor ("saturated").
    """

    value: float
    standard_error: float
    d0: float
    t_renorm: float
    dt: float
    raw: float
    reason: str


@dataclass(frozen=True)
class SizeProtocol(Section):
    """How finite-size exponents are measured; times in seconds, or texts with a unit."""

    dt: Span = Span(1e-4).about("time step, on which the value depends")
    t_renorm: Span = Span(20e-3).about("time between renormalisations, on which it depends, too")
    duration: Span = Span(5.0).about("measured time")
    copies: Whole = Whole(8, low=1).about("perturbed copies")
    warmup: Span = Span(0.5, positive=False).about("time before copies are perturbed")


@dataclass(frozen=True)
class EchoProtocol(Section):
    """How copies that are left alone are followed; times in seconds, or texts with a unit."""

    d0: Real = Real(0.1, 0, above=True).about("size of the perturbation")
    copies: Whole = Whole(16, low=1).about("perturbed copies")
    duration: Span = Span(2.0).about("measured time")
    interval: Span = Span(0.02).about("time between measurements of the distance")
    dt: Span = Span(1e-4).about("time step")
    warmup: Span = Span(0.5, positive=False).about("time before copies are perturbed")
    interpolated: Flag = Flag(False).about("spike times inside the step, not on the time grid")


def finite_size_exponents(
    network: Network,
    sizes: Sequence[float],
    *,
    engine: Engine,
    protocol: SizeProtocol | None = None,
    unrelated: float | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> list[FiniteSize]:
    """The finite-size curve of one network: one entry per size d0.

    Each of the copies, in random directions, is rescaled to d0 every t_renorm on the time grid.
    unrelated: distance of unrelated states (`unrelated_distance`), measured if not given.
    Reasons: "passive" where the value equals the slowest leak within 5 %; "saturated" where the
    distance after t_renorm exceeds a third of that of unrelated states.
    """
    plan = protocol or SizeProtocol()
    stepped, interval = with_time_step(network, plan.dt), float(plan.t_renorm)
    run = drive(stepped, plan.warmup + plan.duration + stepped.params.timing.sample, seed)
    full = unrelated
    if full is None:
        full = unrelated_distance(network, engine=engine, dt=plan.dt, drive=drive, seed=seed)
    found = []
    for d0 in sizes:
        perturbation = Perturbation(
            random_directions(plan.copies, network.n_neurons, seed),
            d0=d0,
            start=plan.warmup,
            interval=interval,
            action="rescale",
            interpolated=False,
        )
        divergence = simulate_perturbed(engine, stepped, run, perturbation)
        found.append(_finite_size(divergence, d0, interval, stepped, full, slowest_leak(network)))
    return found


def _finite_size(
    divergence: Divergence,
    d0: float,
    interval: float,
    network: Network,
    unrelated: float,
    passive: float,
) -> FiniteSize:
    logs = divergence.log_growth[round(0.25 / interval) :]
    alive = np.isfinite(logs)
    each = np.where(alive, logs, 0.0).sum(axis=0) / (np.maximum(alive.sum(axis=0), 1) * interval)
    raw = float(each.mean())
    reason = ""
    if not alive.all():
        reason = f"zero distance in {int((~alive).sum())} of {alive.size} intervals"
    elif d0 * math.exp(float(np.mean(logs))) > unrelated / 3:
        reason = "saturated: the distance of unrelated states"
    elif (logs <= 0.5 * passive * interval).all():
        # A spike that moves to another step makes a jump; without one every distance only leaks,
        # with the slowest neuron that rarely fires, hence at the slowest time constant or faster.
        reason = "passive: no spike moved, the distance only leaks"
    return FiniteSize(
        value=math.nan if reason else raw,
        standard_error=float(each.std(ddof=1) / math.sqrt(len(each))) if len(each) > 1 else 0.0,
        d0=d0,
        t_renorm=interval,
        dt=network.params.timing.dt,
        raw=raw,
        reason=reason,
    )


@dataclass(frozen=True)
class Echo:
    """What became of perturbations that were left alone, on the grid model.

    times: (n,) s after the perturbation. distance: (n, copies), mean over segments not taken.
    plateau_ratio: mean distance at the end over that of unrelated states. reconverged: fraction
    of copies that ended nearer than they began.
    """

    times: FloatArray
    distance: FloatArray
    unrelated: float
    plateau_ratio: float
    reconverged: float


def echo(
    network: Network,
    *,
    engine: Engine,
    protocol: EchoProtocol | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> Echo:
    """Follow copies at distance d0 without touching them.

    The plateau is the mean of the last quarter of the time.
    """
    plan = protocol or EchoProtocol()
    divergence = _left_alone(network, engine, plan, drive, seed)
    distance = plan.d0 * np.exp(divergence.log_growth)
    full = _unrelated(divergence.snapshots, plan.interval)
    tail = distance[-max(1, len(distance) // 4) :]
    return Echo(
        times=np.cumsum(divergence.intervals),
        distance=distance,
        unrelated=full,
        plateau_ratio=float(tail.mean() / full),
        reconverged=float(np.mean(distance[-1] < plan.d0)),
    )


def _left_alone(
    network: Network, engine: Engine, plan: EchoProtocol, drive: DriveMaker, seed: int
) -> Divergence:
    stepped = with_time_step(network, plan.dt)
    perturbation = Perturbation(
        random_directions(plan.copies, network.n_neurons, seed),
        d0=plan.d0,
        start=plan.warmup,
        interval=plan.interval,
        action="watch",
        interpolated=plan.interpolated,
    )
    run = drive(stepped, plan.warmup + plan.duration + stepped.params.timing.sample, seed)
    return simulate_perturbed(engine, stepped, run, perturbation)


def unrelated_distance(
    network: Network,
    *,
    engine: Engine,
    dt: Any = "0.1 ms",
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> float:
    """Mean distance of two states of the network at least 0.5 s apart, in 2 s."""
    plan = EchoProtocol(copies=1, dt=dt)
    return _unrelated(_left_alone(network, engine, plan, drive, seed).snapshots, plan.interval)


def _unrelated(snapshots: FloatArray, interval: float) -> float:
    apart = max(1, math.ceil(0.5 / interval))
    if len(snapshots) <= apart:
        raise InputError("duration", len(snapshots) * interval, "must exceed 0.5 s")
    differences = snapshots[apart:] - snapshots[:-apart]
    return float(np.linalg.norm(differences, axis=1).mean())
