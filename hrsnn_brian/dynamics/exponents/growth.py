"""From distances of perturbed copies to logarithms of their growth.

A distance of exactly zero has no logarithm: it is counted, and the value that would depend on it
is NaN, with the reason. So is what rounding decides.
"""

import math
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.errors import InputError

# What rounding may have added to a distance of network states of order 1: on the default network
# growths measured from 1e-8 and from 1e-5 differ by no more.
ROUNDING = 8 * float(np.finfo(float).eps)
# 1/s: an exponent that rounding, or the size of the perturbation, may change by more is none.
UNCONVERGED = 0.5
# The fraction of intervals that may be left out of a mean.
TOLERATED = 0.01


@dataclass(frozen=True, eq=False)
class GrowthLogs:
    """Logarithms of growth with what was excluded from them.

    logs: as the distances; NaN where excluded. zero: how many distances were exactly zero.
    saturated: how many were not small compared with unrelated trajectories, or not finite; a spike
    that only one of two copies has fired yet is such a distance. rounding: of each column (the
    last axis), the mean relative error of its distances by rounding.
    """

    logs: FloatArray
    zero: int
    saturated: int
    rounding: FloatArray

    def flags(self, interval: float = math.inf) -> tuple[str, ...]:
        """Reasons not to trust means of the columns of logs over intervals of `interval` (s).

        Any zero distance; in one column more than `TOLERATED` of them saturated, or an error
        by rounding of more than `UNCONVERGED`.
        """
        size = self.logs.size
        reasons = [f"zero distance in {self.zero} of {size} intervals"] if self.zero else []
        lost = np.isnan(self.logs).reshape(-1, self.rounding.size).mean(axis=0)
        if self.saturated and lost.max() > TOLERATED:
            reasons.append(
                f"a spike straddles a renormalisation, or a distance saturates, in "
                f"{self.saturated} of {size} intervals: renormalise more often or lower d0"
            )
        rounded = self.rounding > UNCONVERGED * interval
        if rounded.any():
            reasons.append(
                f"rounding: {rounded.sum()} of {rounded.size} columns shrink to the rounding of "
                "the state within an interval: renormalise more often, raise d0, or lower k"
            )
        return tuple(reasons)


def growth_logs(
    distances: FloatArray, d0: float | FloatArray, *, saturation: float = math.inf
) -> GrowthLogs:
    """ln(d/d0) of distances of any shape; never the logarithm of zero.

    d0: initial distance, a number or an array that broadcasts. saturation: distances from it on
    are excluded, e.g. a tenth of that of two unrelated trajectories. However far below it, a
    distance has grown or shrunk as the linear dynamics says, and counts.

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
    logs[~usable] = np.nan
    columns = distances.reshape(-1, distances.shape[-1] if distances.ndim > 1 else 1)
    return GrowthLogs(logs, int(zero.sum()), int(saturated.sum()), _rounding(columns))


def _rounding(columns: FloatArray) -> FloatArray:
    """Mean over rows of the relative error of distances by rounding, one per column.

    Zeros are told apart from it; where nothing else is left it is nil.
    """
    known = columns > 0
    errors = np.where(known, ROUNDING / np.where(known, columns, 1.0), 0.0)
    return np.asarray(errors.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
