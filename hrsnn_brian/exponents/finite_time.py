"""From distances of perturbed copies to growth logs, finite-time exponents and their reliability.

As the time T grows every perturbation of one neuron grows with the largest exponent, so that only
a finite T tells neurons apart. A distance of exactly zero has no logarithm: it is counted, and
the value that would depend on it is NaN, with the reason.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from hrsnn_brian.errors import InputError
from hrsnn_brian.exponents.qr import FloatArray

# Largest believable |ln growth| of one interval. Beyond it a spike fell on one side of a
# renormalisation in one copy and on the other side in the other.
STRADDLE = 5.0


@dataclass(frozen=True, eq=False)
class GrowthLogs:
    """Logarithms of growth with what was excluded from them.

    logs: as the distances; NaN where excluded. zero: how many distances were exactly zero.
    saturated: how many were not small compared with unrelated trajectories, or not finite.
    straddling: how many grew or shrank by more than the straddling limit.
    """

    logs: FloatArray
    zero: int
    saturated: int
    straddling: int

    @property
    def excluded_fraction(self) -> float:
        """Part of the intervals that was excluded."""
        return (self.zero + self.saturated + self.straddling) / max(self.logs.size, 1)

    def flags(self, tolerated: float = 0.01) -> tuple[str, ...]:
        """Reasons not to trust a mean of the logs: any zero distance, and more than the
        `tolerated` fraction of saturated or straddling intervals."""
        size = self.logs.size
        reasons = [f"zero distance in {self.zero} of {size} intervals"] if self.zero else []
        if self.saturated > tolerated * size:
            reasons.append(f"saturation in {self.saturated} of {size} intervals")
        if self.straddling > tolerated * size:
            reasons.append(
                f"spikes straddling a renormalisation in {self.straddling} of {size} intervals"
            )
        return tuple(reasons)


def growth_logs(
    distances: FloatArray,
    d0: float | FloatArray,
    *,
    saturation: float = math.inf,
    straddle: float = math.inf,
) -> GrowthLogs:
    """ln(d/d0) of distances of any shape; never the logarithm of zero.

    d0: initial distance, a number or an array that broadcasts. saturation: distances from it on
    are excluded, e.g. a tenth of that of two unrelated trajectories. straddle: a |ln growth|
    beyond it is excluded; `STRADDLE` suits one renormalisation interval.

    Raises InputError for a negative distance or a d0 that is not positive.
    """
    distances = np.asarray(distances, dtype=float)
    initial = np.asarray(d0, dtype=float)
    if not (np.isfinite(initial).all() and (initial > 0).all()):
        raise InputError("d0", d0, "must be a positive distance")
    if (distances < 0).any():
        raise InputError("distances", float(distances.min()), "must not be negative")
    zero = distances == 0.0
    saturated = ~(distances < saturation) | ~np.isfinite(distances)
    usable = ~(zero | saturated)
    logs = np.log(np.where(usable, distances, 1.0)) - np.log(initial)
    straddling = usable & (np.abs(logs) > straddle)
    logs[~usable | straddling] = np.nan
    return GrowthLogs(logs, int(zero.sum()), int(saturated.sum()), int(straddling.sum()))


@dataclass(frozen=True, eq=False)
class FiniteTimeResult:
    """Finite-time exponents l_i(T), one per neuron.

    exponents: (N,), 1/s; NaN where too few segments were valid. segments: (S, N), 1/s, single
    segments, NaN where excluded. zero, saturated: (N,) counts. T: seconds. flags: reasons.
    """

    exponents: FloatArray
    segments: FloatArray
    zero: NDArray[np.int64]
    saturated: NDArray[np.int64]
    T: float
    flags: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether every neuron has an exponent."""
        return not self.flags


def finite_time_exponents(
    distances: FloatArray,
    d0: float | FloatArray,
    T: float,
    *,
    saturation: float = math.inf,
    min_valid: float = 1.0,
) -> FiniteTimeResult:
    """l_i(T) = mean over input segments of ln(d_i(T)/d0)/T, 1/s.

    distances: (S, N), distance after T from a perturbation of neuron i alone at the start of
    segment s. d0: initial distance, number or (S, N). T: seconds. saturation: as in
    `growth_logs`. min_valid: a neuron with a smaller fraction of valid segments gets NaN; the
    default 1 is strict, because the mean over the segments that did not die is biased upwards.

    Raises InputError for another shape or a T that is not positive.
    """
    distances = np.asarray(distances, dtype=float)
    if distances.ndim != 2 or distances.size == 0:
        raise InputError("distances", distances.shape, "must have shape (segments, N), not empty")
    if not (math.isfinite(T) and T > 0):
        raise InputError("T", T, "must be a positive time in seconds")
    if not 0 < min_valid <= 1:
        raise InputError("min_valid", min_valid, "must lie in (0, 1]")
    segments = growth_logs(distances, d0, saturation=saturation).logs / T
    valid = np.isfinite(segments)
    zero = (distances == 0.0).sum(axis=0)
    count = valid.sum(axis=0)
    enough = (count > 0) & (count >= min_valid * len(segments))
    total = np.where(valid, segments, 0.0).sum(axis=0)
    exponents = np.where(enough, total / np.maximum(count, 1), np.nan)
    saturated = len(segments) - count - zero
    return FiniteTimeResult(
        exponents=exponents,
        segments=segments,
        zero=zero,
        saturated=saturated,
        T=T,
        flags=_neuron_flags(enough, zero, saturated),
    )


def _neuron_flags(enough: np.ndarray, zero: np.ndarray, saturated: np.ndarray) -> tuple[str, ...]:
    lost = ~enough
    reasons = []
    if (died := int((lost & (zero > 0)).sum())) > 0:
        reasons.append(f"zero distance: {died} of {len(enough)} neurons have no exponent")
    if (full := int((lost & (saturated > 0)).sum())) > 0:
        reasons.append(f"saturation: {full} of {len(enough)} neurons have no exponent")
    return tuple(reasons)


def growth_from_directions(directions: FloatArray, growth: FloatArray) -> FloatArray:
    """Growth factors g_i >= 0, (N,), of one-neuron perturbations from random-direction copies.

    directions: (m, N), unit vectors u with independent random components, one per copy and
    segment; growth: (m,), |dx(T)|/|dx(0)| of each. For a linear response M, |M u|^2 = sum_i
    u_i^2 |M e_i|^2 + cross terms of mean zero, so that g_i^2 = |M e_i|^2 follow from a
    non-negative least-squares fit of the squared growth on u_i^2 [our choice]. Needs m >= 2 N
    rows; its noise falls as sqrt(N/m), so one-neuron copies are the better buy unless segments
    are many. An estimate of exactly zero means: not resolved.

    Raises InputError for other shapes, too few rows or components that all have one size (random
    signs carry no information on single neurons).
    """
    directions, growth = np.asarray(directions, dtype=float), np.asarray(growth, dtype=float)
    if directions.ndim != 2 or growth.shape != directions.shape[:1]:
        raise InputError("growth", growth.shape, "must be (m,) for directions (m, N)")
    m, n = directions.shape
    if m < 2 * n:
        raise InputError("directions", m, f"at least {2 * n} copies are needed for {n} neurons")
    squares = directions**2
    if np.linalg.matrix_rank(squares) < n:
        raise InputError("directions", "dependent", "squared components must vary independently")
    fitted, _ = nnls(squares, growth**2)
    return np.sqrt(fitted)


@dataclass(frozen=True)
class Reliability:
    """Split-half reliability of a per-neuron measure.

    half: mean Pearson correlation between the means of two halves of the segments. full: the
    same for all segments, by the Spearman-Brown formula 2 r/(1 + r) (the reliability of the
    reported mean). n_neurons: neurons without NaN that entered.
    """

    half: float
    full: float
    n_neurons: int


def split_half_reliability(
    segments: FloatArray, *, splits: int = 200, seed: int = 0
) -> Reliability:
    """Reliability of the mean over `segments` (S, N) as a measure of differences between neurons.

    Segments are split into two halves at random `splits` times (one is left out of each split if
    S is odd), the halves' means correlated over neurons, and the correlations averaged. With
    signal variance a and noise variance b per segment, half = a/(a + 2b/S), full = a/(a + b/S).
    Neurons with a NaN in any segment are left out; NaN if fewer than 3 remain or nothing varies.

    Raises InputError for fewer than two segments.
    """
    segments = np.asarray(segments, dtype=float)
    if segments.ndim != 2 or len(segments) < 2:
        raise InputError("segments", segments.shape, "must have shape (segments >= 2, N)")
    if splits < 1:
        raise InputError("splits", splits, "must be a whole number >= 1")
    kept = segments[:, np.isfinite(segments).all(axis=0)]
    n = kept.shape[1]
    if n < 3:
        return Reliability(math.nan, math.nan, n)
    random = np.random.default_rng(seed)
    size = len(kept) // 2
    correlations = []
    for _ in range(splits):
        order = random.permutation(len(kept))
        first, second = kept[order[:size]].mean(axis=0), kept[order[size : 2 * size]].mean(axis=0)
        correlations.append(_pearson(first, second))
    half = float(np.mean(correlations))
    return Reliability(half, 2.0 * half / (1.0 + half), n)


def _pearson(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan
