"""Chaotic series: Lorenz, Rössler, Mackey-Glass, the same to the last digit on every machine.

Chaos makes of the last bit of a rounding another trajectory within 40 Lyapunov times, so nothing
here goes through a library whose order of operations depends on the processor. All are integrated
by the classical Runge-Kutta scheme in additions, products and quotients of Python floats, which
IEEE 754 rounds alike everywhere; integer powers are products. [our choice]
"""

import math
from collections.abc import Callable

import numpy as np

from hrsnn_brian.errors import InputError

# Largest Lyapunov exponents, 1/(the system's own time unit), natural logarithm.
LAMBDA_MAX = {
    "lorenz63": 0.9056,  # sigma 10, rho 28, beta 8/3; Sprott 2003
    "rossler": 0.0714,  # a 0.2, b 0.2, c 5.7; Sprott 2003
}

LORENZ_STEP = 0.002  # time units, at most
LORENZ_TRANSIENT = 40.0  # time units; contraction onto the attractor is exp(-13.7 t)
ROSSLER_STEP = 0.01  # time units, at most; a turn takes 6
ROSSLER_TRANSIENT = 300.0  # time units, 50 turns; contraction onto the attractor is exp(-5.4 t)
MACKEY_GLASS_TRANSIENT = 1000  # time units, about 60 delays
_MG_STEPS_PER_UNIT = 10

State = tuple[float, float, float]


def lorenz63_series(
    n: int,
    rng: np.random.Generator,
    dt: float = 0.02,
    sigma: float = 10.0,
    rho: float = 28.0,
    beta: float = 8.0 / 3.0,
) -> np.ndarray:
    """`n` samples, `dt` time units apart, of a trajectory on the Lorenz attractor, (n, 3).

        dx/dt = sigma (y - x),  dy/dt = x (rho - z) - y,  dz/dt = x y - beta z

    The initial state is drawn from `rng` around the attractor and `LORENZ_TRANSIENT` time units
    are discarded. Runge-Kutta steps of 0.002 time units or the next shorter part of dt: relative
    errors of 1e-8 in one. Source of the system: Lorenz 1963; of the protocol: our choice.

    Raises InputError if `n` < 1 or `dt` is not positive.
    """
    sigma, rho, beta = float(sigma), float(rho), float(beta)

    def slope(x: float, y: float, z: float) -> State:
        return sigma * (y - x), x * (rho - z) - y, x * y - beta * z

    u = [-10.0 + 20.0 * float(r) for r in rng.random(3)]
    start = (u[0], u[1], u[2] + (rho - 1.0))
    return _sampled(slope, start, n, dt, LORENZ_STEP, LORENZ_TRANSIENT)


def rossler_series(
    n: int,
    rng: np.random.Generator,
    dt: float = 0.2,
    a: float = 0.2,
    b: float = 0.2,
    c: float = 5.7,
) -> np.ndarray:
    """`n` samples, `dt` time units apart, of a trajectory on the Rössler attractor, (n, 3).

        dx/dt = -y - z,  dy/dt = x + a y,  dz/dt = b + z (x - c)

    The initial state is drawn from `rng`, x and y from U(-4, 4), z from U(0, 1), and
    `ROSSLER_TRANSIENT` time units are discarded. Runge-Kutta steps of 0.01 time units or the next
    shorter part of dt. Source of the system: Rössler 1976; of the protocol: our choice.

    Raises InputError if `n` < 1 or `dt` is not positive.
    """
    a, b, c = float(a), float(b), float(c)

    def slope(x: float, y: float, z: float) -> State:
        return -y - z, x + a * y, b + z * (x - c)

    u = [float(r) for r in rng.random(3)]
    start = (-4.0 + 8.0 * u[0], -4.0 + 8.0 * u[1], u[2])
    return _sampled(slope, start, n, dt, ROSSLER_STEP, ROSSLER_TRANSIENT)


def _sampled(
    slope: Callable[[float, float, float], State],
    start: State,
    n: int,
    dt: float,
    longest: float,
    transient: float,
) -> np.ndarray:
    """`n` samples, `dt` apart, of a flow after its transient, (n, 3); steps `longest` at most."""
    _check_length(n)
    if not (np.isfinite(dt) and dt > 0):
        raise InputError("dt", dt, "must be a positive number of time units")
    dt = float(dt)
    steps = math.ceil(dt / longest * (1 - 1e-9))
    h = dt / steps
    state, path = start, []
    for k in range(-math.ceil(transient / dt), n):
        if k >= 0:
            path.append(state)
        for _ in range(steps):
            state = _runge_kutta(slope, state, h)
    return np.array(path)


def _runge_kutta(slope: Callable[[float, float, float], State], state: State, h: float) -> State:
    """The state one step of the classical Runge-Kutta scheme later."""
    x, y, z = state
    half = 0.5 * h
    a1, b1, c1 = slope(x, y, z)
    a2, b2, c2 = slope(x + half * a1, y + half * b1, z + half * c1)
    a3, b3, c3 = slope(x + half * a2, y + half * b2, z + half * c2)
    a4, b4, c4 = slope(x + h * a3, y + h * b3, z + h * c3)
    sixth = h / 6.0
    return (
        x + sixth * (a1 + 2.0 * (a2 + a3) + a4),
        y + sixth * (b1 + 2.0 * (b2 + b3) + b4),
        z + sixth * (c1 + 2.0 * (c2 + c3) + c4),
    )


def mackey_glass_series(
    n: int,
    rng: np.random.Generator,
    tau: float = 17.0,
    beta: float = 0.2,
    gamma: float = 0.1,
    power: int = 10,
) -> np.ndarray:
    """`n` samples, one time unit apart, of the Mackey-Glass equation, (n,).

        dx/dt = beta x(t - tau)/(1 + x(t - tau)^power) - gamma x

    Classical Runge-Kutta with step 0.1, on whose grid the delay lies; the delayed value at the
    half step is the cubic Hermite interpolant of the stored values and slopes, so the scheme
    keeps its fourth order. The history is a constant drawn from U(1.1, 1.3) (the fixed point is
    at 1), and `MACKEY_GLASS_TRANSIENT` time units are discarded. Source of the system: Mackey &
    Glass 1977; tau = 17 and sampling at 1 are the usual ones.

    Raises InputError if `n` < 1, `tau` is no positive multiple of 0.1 or `power` no whole number
    >= 1.
    """
    _check_length(n)
    if isinstance(power, bool) or not isinstance(power, int | np.integer) or power < 1:
        raise InputError("power", power, "must be a whole number >= 1")
    delay = round(tau * _MG_STEPS_PER_UNIT)
    if delay < 1 or abs(delay - tau * _MG_STEPS_PER_UNIT) > 1e-9:
        raise InputError("tau", tau, "must be a positive multiple of 0.1 time units")
    steps = (MACKEY_GLASS_TRANSIENT + n - 1) * _MG_STEPS_PER_UNIT
    history = 1.1 + (1.3 - 1.1) * float(rng.random())
    path = _mackey_glass_path(steps, delay, history, beta, gamma, power)
    sampled = path[delay + MACKEY_GLASS_TRANSIENT * _MG_STEPS_PER_UNIT :: _MG_STEPS_PER_UNIT]
    return np.array(sampled)


def _mackey_glass_path(
    steps: int, delay: int, history: float, beta: float, gamma: float, power: int
) -> list[float]:
    """x on the integration grid: `delay` values of constant history, x(0), then `steps` steps."""
    h = 1.0 / _MG_STEPS_PER_UNIT
    x = [history] * (delay + 1)
    slope = [0.0] * delay  # of the constant history
    for k in range(steps):
        late, late_next = x[k], x[k + 1]  # x(t - tau), x(t + h - tau)
        here = x[k + delay]
        feed = beta * late / (1.0 + _power(late, power))
        slope.append(feed - gamma * here)
        # the history ends with slope 0, whatever the slope x leaves it with
        late_slope = slope[k + 1] if k + 1 != delay else 0.0
        late_half = 0.5 * (late + late_next) + 0.125 * h * (slope[k] - late_slope)
        feed_half = beta * late_half / (1.0 + _power(late_half, power))
        feed_next = beta * late_next / (1.0 + _power(late_next, power))
        k1 = slope[-1]
        k2 = feed_half - gamma * (here + 0.5 * h * k1)
        k3 = feed_half - gamma * (here + 0.5 * h * k2)
        k4 = feed_next - gamma * (here + h * k3)
        x.append(here + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4))
    return x


def _power(x: float, n: int) -> float:
    """x^n by squaring: the library's power is not rounded alike everywhere."""
    found = 1.0
    while n:
        if n & 1:
            found *= x
        x *= x
        n >>= 1
    return found


def _check_length(n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InputError("n", n, "must be a whole number of samples >= 1")
