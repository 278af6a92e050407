"""Finite-time exponents of single neurons from distances of copies, and their reliability.

As the time T grows every perturbation of one neuron grows with the largest exponent, so that only
a finite T tells neurons apart. A neuron whose distances cannot be trusted has none (NaN); how many
and why is said, and the others stand.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.exponents.growth import UNCONVERGED, growth_logs
from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.errors import InputError

SPLITS = 200


@dataclass(frozen=True, eq=False)
class FiniteTimeResult:
    """Finite-time exponents l_i(T), one per neuron.

    exponents: (N,), 1/s; NaN where a segment was not valid or rounding decides. segments:
    (S, N), 1/s, single segments, NaN where excluded. zero, saturated: (N,) counts. rounded: (N,),
    whether the perturbation shrank to the rounding of the state, so that the exponent is quantised;
    raw: (N,), the exponents with those of rounded neurons. T: seconds. flags: how many neurons
    have no exponent and why; the others' stand.
    """

    exponents: FloatArray
    segments: FloatArray
    zero: NDArray[np.int64]
    saturated: NDArray[np.int64]
    rounded: NDArray[np.bool_]
    raw: FloatArray
    T: float
    flags: tuple[str, ...]

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """(N,) which neurons have an exponent."""
        return np.isfinite(self.exponents)

    @property
    def valid(self) -> bool:
        """Whether there is any exponent; `resolved` says of which neurons."""
        return bool(self.resolved.any())


def finite_time_exponents(
    distances: FloatArray,
    d0: float | FloatArray,
    T: float,
    *,
    saturation: float = math.inf,
) -> FiniteTimeResult:
    """l_i(T) = mean over input segments of ln(d_i(T)/d0)/T, 1/s.

    distances: (S, N), distance after T from a perturbation of neuron i alone at the start of
    segment s. d0: initial distance, number or (S, N). T: seconds. saturation: as in
    `growth_logs`. A neuron with any segment that is not valid gets NaN, because the mean over
    those that did not die is biased upwards; so does one whose exponent rounding may change by
    more than `UNCONVERGED`.

    Raises InputError for another shape or a T that is not positive.
    """
    distances = np.asarray(distances, dtype=float)
    if distances.ndim != 2 or distances.size == 0:
        raise InputError("distances", distances.shape, "must have shape (segments, N), not empty")
    if not (math.isfinite(T) and T > 0):
        raise InputError("T", T, "must be a positive time in seconds")
    growth = growth_logs(distances, d0, saturation=saturation)
    segments = growth.logs / T
    valid = np.isfinite(segments)
    zero = (distances == 0.0).sum(axis=0)
    count = valid.sum(axis=0)
    enough = count == len(segments)
    raw = np.where(enough, np.where(valid, segments, 0.0).sum(axis=0) / len(segments), np.nan)
    rounded = enough & (growth.rounding > UNCONVERGED * T)
    saturated = len(segments) - count - zero
    return FiniteTimeResult(
        exponents=np.where(rounded, np.nan, raw),
        segments=segments,
        zero=zero,
        saturated=saturated,
        rounded=rounded,
        raw=raw,
        T=T,
        flags=_neuron_flags(enough, zero, saturated, rounded),
    )


def _neuron_flags(
    enough: np.ndarray, zero: np.ndarray, saturated: np.ndarray, rounded: np.ndarray
) -> tuple[str, ...]:
    lost, n = ~enough, len(enough)
    reasons = []
    if (died := int((lost & (zero > 0)).sum())) > 0:
        way = "a shorter T or a larger d0 resolves more"
        reasons.append(f"zero distance: {died} of {n} neurons have no exponent; {way}")
    if (full := int((lost & (saturated > 0)).sum())) > 0:
        way = "a shorter T or a smaller d0 resolves more"
        reasons.append(f"saturation: {full} of {n} neurons have no exponent; {way}")
    if (few := int(rounded.sum())) > 0:
        way = "their perturbations shrink to that of the state; a shorter T or a larger d0 resolves"
        reasons.append(f"rounding: {few} of {n} neurons have no exponent; {way} more")
    return tuple(reasons)


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
    segments: FloatArray,
) -> Reliability:
    """Reliability of the mean over `segments` (S, N) as a measure of differences between neurons.

    Segments are split into two halves at random `SPLITS` times (one is left out of each split if
    S is odd), the halves' means correlated over neurons, and the correlations averaged. With
    signal variance a and noise variance b per segment, half = a/(a + 2b/S), full = a/(a + b/S).
    Neurons with a NaN in any segment are left out; NaN if fewer than 3 remain or nothing varies.

    Raises InputError for fewer than two segments.
    """
    segments = np.asarray(segments, dtype=float)
    if segments.ndim != 2 or len(segments) < 2:
        raise InputError("segments", segments.shape, "must have shape (segments >= 2, N)")
    kept = segments[:, np.isfinite(segments).all(axis=0)]
    n = kept.shape[1]
    if n < 3:
        return Reliability(math.nan, math.nan, n)
    random = np.random.default_rng(0)
    size = len(kept) // 2
    correlations = []
    for _ in range(SPLITS):
        order = random.permutation(len(kept))
        first, second = kept[order[:size]].mean(axis=0), kept[order[size : 2 * size]].mean(axis=0)
        correlations.append(_pearson(first, second))
    half = float(np.mean(correlations))
    return Reliability(half, 2.0 * half / (1.0 + half), n)


def _pearson(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan
