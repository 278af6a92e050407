"""Kernels of Benettin's method: orthonormal directions, their growth, and what follows from it.

Benettin et al. 1980 (Meccanica 15); Shimada and Nagashima 1979 (Prog. Theor. Phys. 61). All
kernels work on plain arrays; a leading axis of independent segments is carried along.
"""

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError

FloatArray = NDArray[np.float64]

# Standard errors within which an exponent is zero.
ZERO = 2.0


def orthonormalise(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gram-Schmidt of the rows: orthonormal rows (..., k, n) and their growth (..., k).

    vectors: (..., k, n) with k <= n, finite. Row j of the result spans, with the rows before it,
    what the first j + 1 rows of `vectors` span, and growth[j] = R_jj >= 0 is the length of row j
    orthogonal to the rows before it. Householder reflections, with the signs of a Gram-Schmidt
    process: as accurate for nearly parallel rows as two passes of it. A row that is dependent on
    those before it has growth 0 (or of rounding size) and an arbitrary orthogonal direction.
    """
    columns = np.swapaxes(vectors, -1, -2)
    q, r = np.linalg.qr(columns)
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    sign = np.where(diagonal < 0, -1.0, 1.0)
    return np.swapaxes(q * sign[..., None, :], -1, -2), np.abs(diagonal)


def running_exponents(logs: FloatArray, interval: float) -> FloatArray:
    """Estimates after each renormalisation, (n, k), from log growths (n, k) or (segments, n, k).

    interval: time between renormalisations. The mean runs over time and segments. NaN entries,
    intervals that a check has excluded, are left out of sum and count; an estimate without any
    valid interval is NaN.
    """
    stacked = logs[None] if logs.ndim == 2 else logs
    valid = np.isfinite(stacked)
    count = np.cumsum(valid.sum(axis=0), axis=0)
    total = np.cumsum(np.where(valid, stacked, 0.0).sum(axis=0), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / (count * interval), np.nan)


def standard_errors(estimates: FloatArray) -> FloatArray:
    """Standard error of the mean over independent estimates (m, k) -> (k,); NaN below two.

    NaN estimates are left out.
    """
    valid = np.isfinite(estimates)
    count = valid.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(valid, estimates, 0.0).sum(axis=0) / count
        square = np.where(valid, (estimates - mean) ** 2, 0.0).sum(axis=0)
        return np.where(count > 1, np.sqrt(square / (count - 1) / count), np.nan)


def block_means(logs: FloatArray, interval: float, blocks: int) -> FloatArray:
    """Exponents (blocks, k) of consecutive blocks of the log growths (n, k); the rest is left out.

    Blocks longer than the correlation time of the growth are as good as independent segments.
    Raises InputError if there are fewer intervals than blocks.
    """
    n = len(logs)
    if not 1 <= blocks <= n:
        raise InputError("blocks", blocks, f"must lie between 1 and the {n} intervals")
    length = n // blocks
    parts = logs[: length * blocks].reshape(blocks, length, -1)
    return np.stack([running_exponents(part, interval)[-1] for part in parts])


def zero_within_error(
    exponents: FloatArray, errors: FloatArray, resolution: float = 0.0
) -> NDArray[np.bool_]:
    """Whether each exponent (k,) is 0 within two standard errors and the resolution of a method.

    An error that is NaN, not known, counts as 0; an exponent that is NaN is not zero.
    """
    return np.abs(exponents) <= ZERO * np.nan_to_num(errors) + resolution


def kaplan_yorke(exponents: FloatArray, complete: bool = False) -> float | None:
    """Kaplan-Yorke dimension D = j + (l_1 + ... + l_j)/|l_(j+1)|, None where it is not known.

    exponents: (k,), any order. j is the largest number of leading exponents with a sum >= 0. If
    the sum of all k is still >= 0 there are two cases: `complete` (the k exponents are all there
    are) gives k; otherwise more exponents are needed and the result is None. A NaN gives None.
    Kaplan and Yorke 1979; conjectured to equal the information dimension of the attractor.
    """
    values = np.sort(np.asarray(exponents, dtype=float))[::-1]
    if values.size == 0 or not np.isfinite(values).all():
        return None
    sums = np.cumsum(values)
    negative = np.flatnonzero(sums < 0)
    if negative.size == 0:
        return float(len(values)) if complete else None
    j = int(negative[0])
    return float(j + (sums[j - 1] if j else 0.0) / abs(values[j]))


def entropy_rate(exponents: FloatArray, complete: bool = False) -> float | None:
    """Sum of the positive exponents, nats per unit time, None where it is not known.

    Pesin's formula: an upper bound of the metric entropy (Ruelle 1978), equal to it for an SRB
    measure. Without the whole spectrum (`complete`) the last of the exponents must be <= 0, or
    positive ones may be missing. A NaN gives None.
    """
    values = np.asarray(exponents, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        return None
    if not complete and values.min() > 0:
        return None
    return float(values[values > 0].sum())
