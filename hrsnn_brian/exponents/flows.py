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

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.exponents.checks import DistanceChecks
from hrsnn_brian.exponents.qr import FloatArray, orthonormalise
from hrsnn_brian.exponents.result import SpectrumResult, spectrum_result
from hrsnn_brian.seeds import rng

Rhs = Callable[[float, FloatArray], FloatArray]
Step = Callable[[FloatArray], FloatArray]
# Advances the state (..., dim) over one interval; the argument is the time at its start.
Advance = Callable[[float, FloatArray], FloatArray]


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
    d0: float = 1e-8,
    t_renorm: float | None = None,
    transient: float | None = None,
    method: str = "rk4",
    seed: int = 0,
) -> SpectrumResult:
    """The k leading Lyapunov exponents of dx/dt = rhs(t, x), per unit of its time.

    rhs(t, x): derivative, for x of shape (..., dim), of the same shape.
    x0: initial state (dim,), or (segments, dim): independent trajectories, run side by side, whose
        spread gives the standard errors.
    k: how many exponents; all `dim` of them by default.
    dt: integration step; duration: measured time per segment, rounded to renormalisations.
    d0: distance of the copies, times the largest |component| of the state where that exceeds 1.
    t_renorm: time between renormalisations, by default 10 dt, rounded to whole steps.
    transient: discarded before measuring, by default a tenth of the duration; both the
        trajectory and the directions of the copies settle during it.
    method: "rk4" or "euler"; seed: of the initial directions, the "perturbation" stream.

    The exponents are NaN, with reasons in `flags`, if a difference was exactly zero, fell to
    the rounding floor, saturated at a tenth of the trajectory's extent, or if the trajectory left
    the finite numbers. Raises InputError for arguments that cannot be used.

    >>> import numpy as np
    >>> decay = np.array([-1.0, -3.0])
    >>> result = flow_exponents(
    ...     lambda t, x: decay * x, np.zeros(2), dt=0.01, duration=10.0, transient=20.0
    ... )
    >>> result.exponents.round(6)
    array([-1., -3.])
    """
    for name, value in (("dt", dt), ("duration", duration)):
        _require_positive(name, value)
    steps = 10 if t_renorm is None else round(_require_positive("t_renorm", t_renorm) / dt)
    interval = max(steps, 1) * dt
    skipped = 0.1 * duration if transient is None else transient
    if not (math.isfinite(skipped) and skipped >= 0):
        raise InputError("transient", transient, "must be a time >= 0")
    if method not in STEPPERS:
        raise unknown_name("method", method, STEPPERS)
    stepper = STEPPERS[method]

    def advance(t: float, x: FloatArray) -> FloatArray:
        for n in range(max(steps, 1)):
            x = stepper(rhs, t + n * dt, x, dt)
        return x

    start = _starting_points(x0)
    plan = _Plan(
        k=_require_k(k, start.shape[1]),
        d0=_require_positive("d0", d0),
        interval=interval,
        skip=round(skipped / interval),
        count=_require_count("duration", duration, duration / interval),
        seed=seed,
    )
    settings = {"kind": "flow", "dt": dt, "t_renorm": interval, "method": method}
    return _benettin(advance, start, plan, settings)


def map_exponents(
    step: Step,
    x0: FloatArray,
    *,
    k: int | None = None,
    n: int,
    d0: float = 1e-9,
    n_renorm: int = 1,
    transient: int | None = None,
    seed: int = 0,
) -> SpectrumResult:
    """The k leading Lyapunov exponents of the map x -> step(x), per iteration.

    step(x): for x of shape (..., dim), of the same shape.
    x0: initial state (dim,), or (segments, dim) for independent trajectories side by side.
    n: measured iterations per segment; n_renorm: iterations between renormalisations.
    d0, k, seed: as in `flow_exponents`, and so are the checks; transient: discarded iterations,
        by default a tenth of n, at least 100.

    Raises InputError for arguments that cannot be used.

    >>> import numpy as np
    >>> factors = np.array([2.0, 0.5])
    >>> result = map_exponents(lambda x: factors * x, np.zeros(2), n=10)
    >>> (result.exponents / np.log(2)).round(6)
    array([ 1., -1.])
    """
    _require_positive("n", n)
    if not (isinstance(n_renorm, int) and n_renorm >= 1):
        raise InputError("n_renorm", n_renorm, "must be a whole number >= 1")
    skipped = max(n // 10, 100) if transient is None else transient
    if skipped < 0:
        raise InputError("transient", transient, "must be a whole number >= 0")

    def advance(t: float, x: FloatArray) -> FloatArray:
        for _ in range(n_renorm):
            x = step(x)
        return x

    start = _starting_points(x0)
    plan = _Plan(
        k=_require_k(k, start.shape[1]),
        d0=_require_positive("d0", d0),
        interval=n_renorm,
        skip=math.ceil(skipped / n_renorm),
        count=_require_count("n", n, n / n_renorm),
        seed=seed,
    )
    return _benettin(advance, start, plan, {"kind": "map", "n_renorm": n_renorm})


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
    advance: Advance, start: FloatArray, plan: _Plan, settings: Mapping[str, Any]
) -> SpectrumResult:
    """The loop over renormalisations, for all segments and copies at once."""
    segments, dim = start.shape
    random = rng(plan.seed, "perturbation", "directions")
    directions, _ = orthonormalise(random.normal(size=(segments, plan.k, dim)))
    reference = start[:, None, :]
    logs = np.full((segments, plan.count, plan.k), np.nan)
    checks = DistanceChecks()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for m in range(plan.skip + plan.count):
            distance = plan.d0 * np.maximum(1.0, np.abs(reference).max(axis=2, keepdims=True))
            copies = np.concatenate([reference, reference + distance * directions], axis=1)
            # what was really added, after rounding to the reference
            added = copies[:, 1:] - reference
            moved = advance(m * plan.interval, copies)
            reference, differences = moved[:, :1], moved[:, 1:] - moved[:, :1]
            if not np.isfinite(moved).all():
                checks.count_not_finite(m)
                break
            directions, length = orthonormalise(differences)
            if m >= plan.skip:
                initial = np.linalg.norm(added, axis=2)
                logs[:, m - plan.skip] = np.log(length / initial)
                checks.update(reference, np.linalg.norm(differences, axis=2), initial, length)
    logs[~np.isfinite(logs)] = np.nan
    return spectrum_result(
        logs,
        plan.interval,
        complete=plan.k == dim,
        flags=checks.reasons(),
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


def _require_positive(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise InputError(name, value, "must be a positive number")
    return value


def _require_k(k: int | None, dim: int) -> int:
    wanted = dim if k is None else k
    if not 1 <= wanted <= dim:
        raise InputError("k", k, f"must lie between 1 and the dimension {dim}")
    return wanted


def _require_count(name: str, value: float, intervals: float) -> int:
    if round(intervals) < 1:
        raise InputError(name, value, "must hold at least one renormalisation interval")
    return round(intervals)


def _starting_points(x0: FloatArray) -> FloatArray:
    start = np.atleast_1d(np.asarray(x0, dtype=float))
    start = start[None] if start.ndim == 1 else start
    if start.ndim != 2 or start.size == 0:
        raise InputError("x0", np.shape(x0), "must have shape (dim,) or (segments, dim)")
    if not np.isfinite(start).all():
        raise InputError("x0", "nan or inf", "must hold finite numbers")
    return start
