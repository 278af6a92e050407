"""Exponents of spiking networks: three quantities that must never be confused.

* `lambda_inf` and `lyapunov_spectrum`: the exponents, of infinitesimal perturbations. Spike times
  lie inside the step; on a grid the same computation returns the leak, whatever the weights.
* `finite_size_exponents`: lambda(d0; t_renorm, dt) on the grid model, of perturbations as large as
  d0; it depends on all three arguments.
* `echo`: what becomes of a perturbation that is left alone.

All of them compare copies of a network under the same frozen input, in compiled code. Unit: 1/s,
natural logarithm. A failed check gives NaN and a reason.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.exponents.finite_time import (
    STRADDLE,
    FiniteTimeResult,
    finite_time_exponents,
    growth_from_directions,
    growth_logs,
)
from hrsnn_brian.exponents.qr import FloatArray
from hrsnn_brian.exponents.result import SpectrumResult, spectrum_result
from hrsnn_brian.network.network import Network
from hrsnn_brian.parameters.units import seconds
from hrsnn_brian.runs.atomic import write_json
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation import (
    Divergence,
    Drive,
    Engine,
    Perturbation,
    coloured_drive,
    noise_drive,
    run_replicas,
)

DriveMaker = Callable[[Network, float, int], Drive]
Report = Callable[[int, int], None]

# A measurement waits while a potential differs by this much: far above any d0 used here.
POSTPONE_ABOVE = 0.05
UNCONVERGED = 0.5  # 1/s between two sizes of perturbation


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


@dataclass(frozen=True)
class Protocol:
    """How long and how finely exponents are measured; times in seconds.

    duration: measured time over all segments. segments: independent inputs, whose spread gives the
    standard error. warmup: before copies are perturbed; align: before growth counts.
    dt: time step; t_renorm: between renormalisations; d0: size of the perturbation.
    """

    duration: float = 10.0
    segments: int = 5
    warmup: float = 0.5
    align: float = 0.5
    dt: float = 1e-4
    t_renorm: float = 20e-3
    d0: float = 1e-10

    def __post_init__(self) -> None:
        for name in ("duration", "segments", "dt", "t_renorm", "d0"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(name, value, "must be a positive number")
        if self.duration / self.segments < 2 * self.t_renorm:
            allowed = f"must give every one of {self.segments} segments two intervals or more"
            raise InputError("duration", self.duration, allowed)


def lyapunov_spectrum(
    network: Network,
    *,
    engine: Engine,
    k: int = 1,
    protocol: Protocol | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
    folder: Path | None = None,
    on_segment: Report = lambda done, total: None,
) -> SpectrumResult:
    """The k leading Lyapunov exponents of a network under frozen input, 1/s.

    Benettin et al. 1980: k copies at distance d0, orthonormalised every t_renorm, spike times
    inside the step. folder: where finished segments are kept, so that a killed computation
    resumes. Flags (and NaN): a distance of exactly zero, straddling spikes in over 1 % of the
    intervals, a perturbation that saturated. settings["passive"] is 1/s of the slowest leak, which
    is all that a silent network has.

    Raises InputError if k exceeds the number of state variables or parts do not fit.
    """
    plan = protocol or Protocol()
    if not 1 <= k <= n_states(network):
        raise InputError("k", k, f"must be from 1 to {n_states(network)}")
    stepped = with_time_step(network, f"{plan.dt!r} s")
    settings = _settings(network, plan, k, seed)
    logs, rates = [], []
    for number in range(plan.segments):
        divergence = _segment(stepped, engine, plan, k, drive, seed, number, folder, settings)
        skip = round(plan.align / plan.t_renorm)
        logs.append(divergence["log_growth"][skip:])
        rates.append(divergence["rate_hz"])
        on_segment(number + 1, plan.segments)
    measured = np.array(logs)
    checked = growth_logs(
        plan.d0 * np.exp(measured), plan.d0, saturation=POSTPONE_ABOVE, straddle=STRADDLE
    )
    return spectrum_result(
        checked.logs,
        plan.t_renorm,
        flags=checked.flags(),
        settings=settings | {"rate_hz": float(np.mean(rates))},
    )


def _settings(network: Network, plan: Protocol, k: int, seed: int) -> dict[str, Any]:
    slowest = max(network.tau_m.max(), network.tau_e.max(), network.tau_i.max())
    return {
        "quantity": "lambda_inf",
        "k": k,
        "seed": seed,
        "neurons": network.n_neurons,
        "synapses": network.n_synapses,
        "network_seed": network.seed,
        "passive_per_s": -1.0 / float(slowest),
        **{name: getattr(plan, name) for name in plan.__dataclass_fields__},
    }


def _segment(
    network: Network,
    engine: Engine,
    plan: Protocol,
    k: int,
    drive: DriveMaker,
    seed: int,
    number: int,
    folder: Path | None,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Log growths (n, k) and rate of one segment, from its file if it was finished before."""
    path = None if folder is None else Path(folder) / f"segment-{number}.json"
    if path is not None and path.exists():
        import json

        stored = json.loads(path.read_text())
        if stored["settings"] != settings:
            raise InputError("folder", str(folder), "holds segments of another computation")
        growth = np.array(stored["log_growth"], dtype=float)
        # JSON has no minus infinity: the logarithm of a distance of zero was stored as null
        return {**stored, "log_growth": np.where(np.isnan(growth), -np.inf, growth)}
    steps = math.ceil((plan.duration / plan.segments + plan.align) / plan.t_renorm)
    timing = network.params.timing
    # one sample more, so that the last measurement lies inside the run
    needed = plan.warmup + steps * plan.t_renorm + timing.sample
    perturbation = Perturbation(
        directions=random_directions(k, n_states(network), seed, number),
        d0=plan.d0,
        start=plan.warmup,
        interval=plan.t_renorm,
        action="orthonormalise",
        postpone_above=POSTPONE_ABOVE,
    )
    run = drive(network, math.ceil(needed / timing.sample) * timing.sample, seed * 1000 + number)
    divergence = run_replicas(engine, network, run, perturbation)
    found = {
        "settings": settings,
        "log_growth": divergence.log_growth[:steps].tolist(),
        "rate_hz": float(divergence.spike_count.mean() / divergence.seconds),
    }
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, found)
    return {**found, "log_growth": divergence.log_growth[:steps]}


def n_states(network: Network) -> int:
    """Potentials and synaptic currents: what a perturbation can have components in."""
    return network.n_neurons * (3 if network.params.synapse.currents == "two" else 2)


def random_directions(copies: int, n: int, seed: int, *keys: int) -> FloatArray:
    """Random unit vectors (copies, n), from the stream "perturbation"."""
    vectors = rng(seed, "perturbation", *keys).standard_normal((copies, n))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass(frozen=True)
class LargestExponent:
    """lambda_inf at two time steps, with its convergence in d0.

    value, standard_error: at the finest dt; NaN with reasons in `flags` if a check failed.
    at_dt: {dt in s: SpectrumResult}. d0_difference: largest |difference|, 1/s, between the two
    sizes of perturbation.
    """

    value: float
    standard_error: float
    at_dt: dict[float, SpectrumResult]
    d0_difference: float
    flags: tuple[str, ...]


def lambda_inf(
    network: Network,
    *,
    engine: Engine,
    protocol: Protocol | None = None,
    time_steps: Sequence[object] = ("0.1 ms", "0.05 ms"),
    check_d0: float = 1e-6,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> LargestExponent:
    """The largest exponent, 1/s, at two values of dt and checked at two sizes of perturbation.

    Fails (NaN) if the sizes `protocol.d0` and `check_d0` disagree by more than 0.5/s at the
    coarsest dt, or a flag of `lyapunov_spectrum` is raised.
    """
    plan = protocol or Protocol()
    steps = sorted((float(seconds(dt, "dt")) for dt in time_steps), reverse=True)
    common = {"engine": engine, "drive": drive, "seed": seed}
    at_dt = {
        dt: lyapunov_spectrum(network, protocol=replace(plan, dt=dt), **common)  # type: ignore[arg-type]
        for dt in steps
    }
    coarse = replace(plan, dt=steps[0], d0=check_d0)
    checked = lyapunov_spectrum(network, protocol=coarse, **common)  # type: ignore[arg-type]
    difference = abs(checked.largest - at_dt[steps[0]].largest)
    flags = [f"dt = {dt} s: {flag}" for dt, result in at_dt.items() for flag in result.flags]
    if not difference <= UNCONVERGED:
        flags.append(f"d0 = {plan.d0} and {check_d0} differ by {difference:.2g}/s")
    finest = at_dt[steps[-1]]
    return LargestExponent(
        value=math.nan if flags else finest.largest,
        standard_error=float(finest.standard_error[0]),
        at_dt=at_dt,
        d0_difference=difference,
        flags=tuple(flags),
    )


def node_exponents(
    network: Network,
    *,
    engine: Engine,
    T: object = "80 ms",
    segments: int = 20,
    dt: object = "0.1 ms",
    d0: float = 1e-8,
    warmup: float = 0.5,
    batch: int = 64,
    drive: DriveMaker = default_drive,
    seed: int = 0,
    on_batch: Report = lambda done, total: None,
) -> FiniteTimeResult:
    """Finite-time exponents l_i(T) of perturbing neuron i alone: its outgoing influence, 1/s.

    Every segment of T starts again from the reference trajectory. Copies run `batch` at a time.
    """
    duration = float(seconds(T, "T"))
    stepped = with_time_step(network, dt)
    n = network.n_neurons
    run = drive(stepped, warmup + segments * duration + stepped.params.timing.sample, seed)
    logs = []
    starts = range(0, n, batch)
    for number, start in enumerate(starts):
        chosen = np.arange(start, min(start + batch, n))
        # every batch has the same size, hence the same program
        padded = np.resize(chosen, min(batch, n))
        perturbation = Perturbation(
            np.eye(n)[padded], d0=d0, start=warmup, interval=duration, action="restart"
        )
        divergence = run_replicas(engine, stepped, run, perturbation)
        logs.append(divergence.log_growth[:segments, : len(chosen)])
        on_batch(number + 1, len(starts))
    distances = d0 * np.exp(np.concatenate(logs, axis=1))
    return finite_time_exponents(distances, d0, duration, saturation=POSTPONE_ABOVE)


def node_exponents_from_random(
    network: Network,
    *,
    engine: Engine,
    directions: int | None = None,
    T: object = "80 ms",
    segments: int = 20,
    dt: object = "0.1 ms",
    d0: float = 1e-8,
    warmup: float = 0.5,
    batch: int = 64,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> FiniteTimeResult:
    """`node_exponents` estimated from `directions` (default 3N, at least 2N) random copies.

    Each segment's squared growths are regressed on the squared components (see
    `growth_from_directions`); a neuron whose growth is not resolved in a segment counts as a
    distance of zero there, and half of the segments must resolve it.
    """
    duration = float(seconds(T, "T"))
    stepped = with_time_step(network, dt)
    n = network.n_neurons
    vectors = random_directions(directions or 3 * n, n, seed)
    run = drive(stepped, warmup + segments * duration + stepped.params.timing.sample, seed)
    logs = []
    for start in range(0, len(vectors), batch):
        chosen = vectors[start : start + batch]
        padded = np.resize(chosen, (batch, n))
        perturbation = Perturbation(
            padded, d0=d0, start=warmup, interval=duration, action="restart"
        )
        divergence = run_replicas(engine, stepped, run, perturbation)
        logs.append(divergence.log_growth[:segments, : len(chosen)])
    growth = np.exp(np.concatenate(logs, axis=1))
    single = np.stack([growth_from_directions(vectors, one) for one in growth])
    return finite_time_exponents(d0 * single, d0, duration, min_valid=0.5)


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


def finite_size_exponents(
    network: Network,
    sizes: Sequence[float],
    *,
    engine: Engine,
    dt: object = "0.1 ms",
    t_renorm: object = "20 ms",
    duration: float = 5.0,
    copies: int = 8,
    warmup: float = 0.5,
    unrelated: float | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> list[FiniteSize]:
    """The finite-size curve of one network: one entry per size d0.

    Each of `copies` random directions is rescaled to d0 every t_renorm on the time grid.
    unrelated: distance of unrelated states (`unrelated_distance`), measured if not given.
    Reasons: "passive" where the value equals the slowest leak within 5 %; "saturated" where the
    distance after t_renorm exceeds a third of that of unrelated states.
    """
    stepped = with_time_step(network, dt)
    interval = float(seconds(t_renorm, "t_renorm"))
    run = drive(stepped, warmup + duration + stepped.params.timing.sample, seed)
    full = (
        unrelated_distance(network, engine=engine, dt=dt, drive=drive, seed=seed)
        if (unrelated is None)
        else unrelated
    )
    slowest = max(network.tau_m.max(), network.tau_e.max(), network.tau_i.max())
    found = []
    for d0 in sizes:
        perturbation = Perturbation(
            random_directions(copies, network.n_neurons, seed),
            d0=d0,
            start=warmup,
            interval=interval,
            action="rescale",
            interpolated=False,
        )
        divergence = run_replicas(engine, stepped, run, perturbation)
        found.append(_finite_size(divergence, d0, interval, stepped, full, -1 / float(slowest)))
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
    d0: float = 0.1,
    copies: int = 16,
    duration: float = 2.0,
    interval: float = 0.02,
    dt: object = "0.1 ms",
    warmup: float = 0.5,
    drive: DriveMaker = default_drive,
    seed: int = 0,
    interpolated: bool = False,
) -> Echo:
    """Follow `copies` perturbations of size d0 for `duration` s without touching them.

    The plateau is the mean of the last quarter of the time.
    """
    stepped = with_time_step(network, dt)
    perturbation = Perturbation(
        random_directions(copies, network.n_neurons, seed),
        d0=d0,
        start=warmup,
        interval=interval,
        action="watch",
        interpolated=interpolated,
    )
    run = drive(stepped, warmup + duration + stepped.params.timing.sample, seed)
    divergence = run_replicas(engine, stepped, run, perturbation)
    distance = d0 * np.exp(divergence.log_growth)
    full = _unrelated(divergence.snapshots, interval)
    tail = distance[-max(1, len(distance) // 4) :]
    return Echo(
        times=np.cumsum(divergence.intervals),
        distance=distance,
        unrelated=full,
        plateau_ratio=float(tail.mean() / full),
        reconverged=float(np.mean(distance[-1] < d0)),
    )


def unrelated_distance(
    network: Network,
    *,
    engine: Engine,
    dt: object = "0.1 ms",
    duration: float = 2.0,
    drive: DriveMaker = default_drive,
    seed: int = 0,
) -> float:
    """Mean distance of two states of the network at least 0.5 s apart."""
    stepped = with_time_step(network, dt)
    interval = 0.02
    perturbation = Perturbation(
        random_directions(1, network.n_neurons, seed),
        d0=0.0,
        start=0.5,
        interval=interval,
        action="watch",
        interpolated=False,
    )
    run = drive(stepped, 0.5 + duration + stepped.params.timing.sample, seed)
    return _unrelated(run_replicas(engine, stepped, run, perturbation).snapshots, interval)


def _unrelated(snapshots: FloatArray, interval: float) -> float:
    apart = max(1, math.ceil(0.5 / interval))
    if len(snapshots) <= apart:
        raise InputError("duration", len(snapshots) * interval, "must exceed 0.5 s")
    differences = snapshots[apart:] - snapshots[:-apart]
    return float(np.linalg.norm(differences, axis=1).mean())
