"""What makes an estimate from perturbed copies meaningless, counted while it runs."""

import numpy as np

from hrsnn_brian.exponents.qr import FloatArray

# A difference shorter than this many roundings of the state carries no information.
ROUNDING_FLOOR = 1e3 * float(np.finfo(float).eps)
# Chaotic maps fold: near a critical point a difference may vanish without harm to the mean.
ROUNDED_FRACTION = 1e-3
# A difference longer than this part of the reference trajectory's extent is no longer linear.
SATURATION = 0.1


class DistanceChecks:
    """Counts of what makes a Benettin estimate meaningless, gathered interval by interval."""

    def __init__(self) -> None:
        self.zero = self.rounded = self.intervals = 0
        self.stopped: int | None = None
        self.longest: FloatArray = np.zeros(1)
        self.low: FloatArray = np.array(np.inf)
        self.high: FloatArray = np.array(-np.inf)

    def count_not_finite(self, interval: int) -> None:
        self.stopped = interval

    def update(
        self, reference: FloatArray, final: FloatArray, initial: FloatArray, length: FloatArray
    ) -> None:
        """Take in one interval: the state (s, 1, dim), its copies' distances after and before
        (s, k), and the orthogonal part `length` (s, k) of the former."""
        self.intervals += length.size
        size = np.abs(reference).max(axis=2)
        self.zero += int((length == 0.0).sum())
        self.rounded += int(((length > 0.0) & (length < ROUNDING_FLOOR * size)).sum())
        # at a stable fixed point the extent shrinks to nothing: only what grows can saturate
        grown = np.where(final > 10.0 * initial, final, 0.0).max(axis=1)
        self.longest = np.maximum(self.longest, grown)
        self.low = np.minimum(self.low, reference[:, 0])
        self.high = np.maximum(self.high, reference[:, 0])

    def reasons(self) -> list[str]:
        """One line per failed check."""
        found = []
        if self.stopped is not None:
            found.append(f"the trajectory left the finite numbers in interval {self.stopped}")
        if self.zero:
            found.append(f"zero distance in {self.zero} of {self.intervals} growths")
        if self.rounded > ROUNDED_FRACTION * self.intervals:
            found.append(
                f"distance at the rounding floor in {self.rounded} of {self.intervals} growths:"
                " renormalise more often or raise d0"
            )
        if self.saturated:
            found.append(
                f"saturation: a distance exceeded {SATURATION} of the trajectory's extent:"
                " renormalise more often or lower d0"
            )
        return found

    @property
    def saturated(self) -> bool:
        if not self.intervals:
            return False
        extent = np.linalg.norm(self.high - self.low, axis=1)
        return bool((self.longest > SATURATION * extent)[extent > 0].any())
