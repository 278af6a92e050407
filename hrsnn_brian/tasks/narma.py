"""NARMA-10: a nonlinear moving average of a random input, which is shown, to be told from it."""

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.seeds import rng

ORDER = 10
TRANSIENT = 200  # samples, from y = 0
# The mean input has a stable fixed point at y = 0.38 and an unstable one at 1.02; beyond this bound
# no draw returns.
DIVERGED = 10.0
ATTEMPTS = 100


def narma10_series(n: int, seed: int) -> np.ndarray:
    """`n` samples of input and output, [u(t), y(t)], (n, 2).

        y(t + 1) = 0.3 y(t) + 0.05 y(t) sum of y(t - i), i = 0..9 + 1.5 u(t - 9) u(t) + 0.1

    u is uniform on [0, 0.5]; `TRANSIENT` samples from y = 0 are discarded. A draw whose output runs
    away, beyond `DIVERGED`, is refused and the next stream of the seed is drawn. Additions and
    products of Python floats in a fixed order, so that the series is the same on every machine.
    Source: Atiya & Parlos 2000; the redrawing is our choice.

    Raises InputError if `n` < 1, or if `ATTEMPTS` draws in turn run away.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InputError("n", n, "must be a whole number of samples >= 1")
    for attempt in range(ATTEMPTS):
        u = [0.5 * float(r) for r in rng(seed, "task", "narma10", attempt).random(TRANSIENT + n)]
        y = _response(u)
        if y is not None:
            return np.column_stack([u, y])[TRANSIENT:]
    raise InputError("n", n, f"{ATTEMPTS} draws of so many samples ran away; ask for fewer")


def _response(u: list[float]) -> list[float] | None:
    """y of the input, as many samples; None if it runs away."""
    y = [0.0] * ORDER
    for t in range(ORDER - 1, len(u) - 1):
        recent = 0.0
        for i in range(ORDER):
            recent += y[t - i]
        y.append(0.3 * y[t] + 0.05 * y[t] * recent + 1.5 * u[t - ORDER + 1] * u[t] + 0.1)
        if y[-1] > DIVERGED:
            return None
    return y
