"""Lyapunov exponents of flows and maps, from perturbed copies of a trajectory.

Benettin's method in its spectral form: k copies start at distance d0 from the reference in
orthogonal directions; at each renormalisation the differences are orthonormalised (QR), the
logarithms of their growth recorded, and the copies put back at distance d0. Only the given
function is used, never its derivative, so that the very method that measures spiking networks
can be tested on systems with known exponents.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrsnn_brian.dynamics.exponents.arguments import (
    exponents_wanted,
    intervals_in,
    not_negative,
    positive,
    starting_points,
    whole,
)
from hrsnn_brian.dynamics.exponents.checks import DistanceChecks
from hrsnn_brian.dynamics.exponents.functions import StackFunction
from hrsnn_brian.dynamics.exponents.qr import FloatArray, orthonormalise
from hrsnn_brian.dynamics.exponents.result import SpectrumResult, spectrum_result
from hrsnn_brian.dynamics.exponents.scales import measured_scales
from hrsnn_brian.errors import unknown_name
from hrsnn_brian.seeds import rng

Rhs = Callable[[float, FloatArray], FloatArray]
Step = Callable[[FloatArray], FloatArray]
# Advances the state (..., dim) over one interval; the argument is the time at its start.
Advance = Callable[[float, FloatArray], FloatArray]


@dataclass(frozen=True)
class FlowProtocol:
    """How the copies of a flow are handled.

    d0: distance of the copies, times the largest |component| of the state where that exceeds 1;
        components very small, very large or far from 0 are measured in units of their own, see
        `scales`.
    t_renorm: time between renormalisations, by default 10 dt, rounded to whole steps.
    transient: discarded before measuring, by default a tenth of the duration; both the
        trajectory and the directions of the copies settle during it.
    method: "rk4" or "euler".
    """

    d0: float = 1e-8
    t_renorm: float | None = None
    transient: float | None = None
    method: str = "rk4"


@dataclass(frozen=True)
class MapProtocol:
    """How the copies of a map are handled: d0 as in `FlowProtocol`; n_renorm: iterations between
    renormalisations; transient: discarded iterations, by default a tenth of n, at least 100."""

    d0: float = 1e-9
    n_renorm: int = 1
    transient: int | None = None


@dataclass(frozen=True)
class _Plan:
    """What to run: `skip` intervals to discard, then `count` of length `interval` to measure."""

    k: int
    d0: float
    interval: float
    skip: int
    count: int
    seed: int


def flow_exponents(
    rhs: Rhs,
    x0: FloatArray,
    *,
    k: int | None = None,
    dt: float,
    duration: float,
    protocol: FlowProtocol | None = None,
    seed: int = 0,
) -> SpectrumResult:
    """The k leading Lyapunov exponents of dx/dt = rhs(t, x), per unit of its time.

    rhs(t, x): derivative, for x of shape (..., dim), of the same shape. A function for one state
        (dim,), its components (`a, b = x`) or rows of states will do: how stacks have to be
        handed over is found out with a few states, and that they are not mixed is checked.
    x0: initial state (dim,), or (segments, dim): independent trajectories, run side by side, whose
        spread gives the standard errors.
    k: how many exponents; all `dim` of them by default.
    dt: integration step; duration: measured time per segment, rounded to renormalisations.
    seed: of the initial directions, the "perturbation" stream.

    The exponents are NaN, with reasons in `flags`, if perturbations are not small, a difference
    saturated at a tenth of the trajectory's extent, or the trajectory left the finite numbers. One
    whose differences were exactly zero or fell to the rounding floor is NaN with all after it;
    those before it are kept. Raises InputError for arguments that cannot be used.

    >>> import numpy as np
    >>> decay = np.array([-1.0, -3.0])
    >>> result = flow_exponents(lambda t, x: decay * x, np.zeros(2), dt=0.01, duration=50.0)
    >>> result.exponents.round(6)
    array([-1., -3.])
    """
    for name, value in (("dt", dt), ("duration", duration)):
        positive(name, value)
    how = protocol or FlowProtocol()
    steps = 10 if how.t_renorm is None else round(positive("t_renorm", how.t_renorm) / dt)
    steps = max(steps, 1)
    interval = steps * dt
    skipped = 0.1 * duration if how.transient is None else not_negative("transient", how.transient)
    if how.method not in STEPPERS:
        raise unknown_name("method", how.method, STEPPERS)
    stepper = STEPPERS[how.method]

    start = starting_points(x0)
    k = exponents_wanted(k, start.shape[1])
    given = StackFunction("rhs", rhs, rhs, start, k + 1)

    def advance(t: float, x: FloatArray) -> FloatArray:
        for n in range(steps):
            x = stepper(given, t + n * dt, x, dt)
        return x

    plan = _Plan(
        k=k,
        d0=positive("d0", how.d0),
        interval=interval,
        skip=round(skipped / interval),
        count=intervals_in("duration", duration, duration / interval),
        seed=seed,
    )
    settings = {"kind": "flow", "dt": dt, "t_renorm": interval, "method": how.method}
    return _benettin(given, advance, start, plan, settings)


def map_exponents(
    step: Step,
    x0: FloatArray,
    *,
    k: int | None = None,
    n: int,
    protocol: MapProtocol | None = None,
    seed: int = 0,
) -> SpectrumResult:
    """The k leading Lyapunov exponents of the map x -> step(x), per iteration.

    step(x): for x of shape (..., dim), of the same shape; others as in `flow_exponents`.
    x0: initial state (dim,), or (segments, dim) for independent trajectories side by side.
    n: measured iterations per segment. k, seed and the checks: as in `flow_exponents`.

    Raises InputError for arguments that cannot be used.

    >>> import numpy as np
    >>> factors = np.array([2.0, 0.5])
    >>> result = map_exponents(lambda x: factors * x, np.zeros(2), n=10)
    >>> (result.exponents / np.log(2)).round(6)
    array([ 1., -1.])
    """
    positive("n", n)
    how = protocol or MapProtocol()
    every = whole("n_renorm", how.n_renorm, "must be a whole number >= 1")
    usual = max(n // 10, 100)
    skipped = usual if how.transient is None else not_negative("transient", how.transient)

    start = starting_points(x0)
    k = exponents_wanted(k, start.shape[1])
    given = StackFunction("step", step, lambda t, x: step(x), start, k + 1)

    def advance(t: float, x: FloatArray) -> FloatArray:
        for _ in range(every):
            x = given(t, x)
        return x

    plan = _Plan(
        k=k,
        d0=positive("d0", how.d0),
        interval=every,
        skip=math.ceil(skipped / every),
        count=intervals_in("n", n, n / every),
        seed=seed,
    )
    return _benettin(given, advance, start, plan, {"kind": "map", "n_renorm": every})


def _rk4(rhs: Rhs, t: float, x: FloatArray, dt: float) -> FloatArray:
    a = rhs(t, x)
    b = rhs(t + 0.5 * dt, x + (0.5 * dt) * a)
    c = rhs(t + 0.5 * dt, x + (0.5 * dt) * b)
    d = rhs(t + dt, x + dt * c)
    return x + (dt / 6.0) * (a + 2.0 * (b + c) + d)


def _euler(rhs: Rhs, t: float, x: FloatArray, dt: float) -> FloatArray:
    return x + dt * rhs(t, x)


STEPPERS = {"rk4": _rk4, "euler": _euler}


def _benettin(
    given: StackFunction,
    advance: Advance,
    start: FloatArray,
    plan: _Plan,
    settings: Mapping[str, Any],
) -> SpectrumResult:
    """The loop over renormalisations, for all segments and copies at once."""
    segments, dim = start.shape
    # first, so that a duration that does not fit the memory is refused at once
    logs = np.full((segments, plan.count, plan.k), np.nan)
    scales, end = measured_scales(advance, start, plan.interval, plan.skip, plan.count)
    if np.isfinite(end).all():
        given.check((plan.skip + plan.count) * plan.interval, end[:, 0])
    random = rng(plan.seed, "perturbation", "directions")
    directions, _ = orthonormalise(random.normal(size=(segments, plan.k, dim)))
    reference = start[:, None, :]
    checks = DistanceChecks(plan.k)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for m in range(plan.skip + plan.count):
            if m == plan.skip:
                checks.begin(reference / scales.unit)
            size = np.abs((reference - scales.centre) / scales.unit).max(axis=2, keepdims=True)
            distance = plan.d0 * np.maximum(1.0, size)
            perturbed = reference + distance * directions * scales.unit
            # what was really added, after rounding to the reference
            added = (perturbed - reference) / scales.unit
            moved = advance(m * plan.interval, np.concatenate([reference, perturbed], axis=1))
            reference, differences = moved[:, :1], (moved[:, 1:] - moved[:, :1]) / scales.unit
            if not np.isfinite(moved).all():
                checks.count_not_finite(m)
                break
            directions, length = orthonormalise(differences)
            if m >= plan.skip:
                initial, final = (np.linalg.norm(each, axis=2) for each in (added, differences))
                logs[:, m - plan.skip] = np.log(length / initial)
                checks.update(reference / scales.unit, final, initial, length)
    logs[~np.isfinite(logs)] = np.nan
    return spectrum_result(
        logs,
        plan.interval,
        complete=plan.k == dim,
        flags=[*scales.reasons(plan.d0), *checks.reasons()],
        lost=checks.lost(plan.interval),
        # the growth of a distance d0 is curved by about d0, and rounded by about eps/d0
        resolution=(plan.d0 + 4 * float(np.finfo(float).eps) / plan.d0) / plan.interval,
        settings={
            **settings,
            "k": plan.k,
            "dimension": dim,
            "segments": segments,
            "duration": plan.count * plan.interval,
            "transient": plan.skip * plan.interval,
            "d0": plan.d0,
            "seed": plan.seed,
        },
    )
