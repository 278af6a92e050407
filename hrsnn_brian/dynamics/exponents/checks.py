"""What makes an estimate from perturbed copies meaningless, counted while it runs."""

import numpy as np

from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.dynamics.exponents.result import LostExponents

# A difference shorter than this many roundings of the state carries no information.
ROUNDING_FLOOR = 1e3 * float(np.finfo(float).eps)
# Chaotic maps fold: near a critical point a difference may vanish without harm to the mean.
ROUNDED_FRACTION = 1e-3
# A direction that is lost in this part of the growths has an exponent below what is resolved.
ALWAYS = 0.99
# A difference longer than this part of the reference trajectory's extent is no longer linear.
SATURATION = 0.1


class DistanceChecks:
    """Counts of what makes a Benettin estimate meaningless, gathered interval by interval.

    k: copies. A growth that is lost in one direction spoils that and the following exponents, for
    each direction is orthogonal to those before it; every other reason spoils all of them.
    """

    def __init__(self, k: int) -> None:
        self.zero, self.rounded = np.zeros((2, k), dtype=int)
        self.growths = self.intervals = 0
        self.stopped: int | None = None
        self.floor = 0.0
        self.longest: FloatArray = np.zeros(1)
        self.low: FloatArray = np.array(np.inf)
        self.high: FloatArray = np.array(-np.inf)

    def count_not_finite(self, interval: int) -> None:
        self.stopped = interval

    def begin(self, reference: FloatArray) -> None:
        """Take in the state (s, 1, dim) from which growth counts."""
        self.low = self.high = reference[:, 0]

    def update(
        self, reference: FloatArray, final: FloatArray, initial: FloatArray, length: FloatArray
    ) -> None:
        """Take in one interval: the state (s, 1, dim), its copies' distances after and before
        (s, k), and the orthogonal part `length` (s, k) of the former."""
        self.intervals += 1
        self.growths += len(length)
        size = np.abs(reference).max(axis=2)
        floor = ROUNDING_FLOOR * size
        self.zero += (length == 0.0).sum(axis=0)
        self.rounded += ((length > 0.0) & (length < floor)).sum(axis=0)
        self.floor += float(np.log(floor / initial).mean())
        # at a stable fixed point the extent shrinks to nothing: only what grows can saturate
        grown = np.where(final > 10.0 * initial, final, 0.0).max(axis=1)
        self.longest = np.maximum(self.longest, grown)
        self.low = np.minimum(self.low, reference[:, 0])
        self.high = np.maximum(self.high, reference[:, 0])

    def reasons(self) -> list[str]:
        """One line per failed check that concerns all exponents."""
        found = []
        if self.stopped is not None:
            found.append(f"the trajectory left the finite numbers in interval {self.stopped}")
        if self.saturated:
            found.append(
                f"saturation: a distance exceeded {SATURATION} of the trajectory's extent:"
                " renormalise more often or lower d0"
            )
        return found

    def lost(self, interval: float) -> LostExponents | None:
        """The exponents whose distances came to nothing or to rounding, None if there are none.

        interval: time between renormalisations.
        """
        fails = self.zero > 0
        if self.rounded.sum() > ROUNDED_FRACTION * self.growths * self.rounded.size:
            fails |= self.rounded > ROUNDED_FRACTION * self.growths
        if not fails.any():
            return None
        first = int(np.argmax(fails))
        zero, rounded = int(self.zero[first]), int(self.rounded[first])
        parts = [f"zero distance in {zero}"] * (zero > 0)
        parts += [f"distance at the rounding floor in {rounded}"] * (rounded > 0)
        reason = f"exponent {first + 1}: {' and '.join(parts)} of {self.growths} growths"
        bound = self.floor / self.intervals / interval
        negative = zero + rounded >= ALWAYS * self.growths and bound < 0
        below = f": it is below {bound:.3g}, or -inf"
        reason += below if negative else ": renormalise more often or raise d0"
        return LostExponents(first, reason, negative)

    @property
    def saturated(self) -> bool:
        if not self.intervals:
            return False
        extent = np.linalg.norm(self.high - self.low, axis=1)
        return bool((self.longest > SATURATION * extent)[extent > 0].any())
