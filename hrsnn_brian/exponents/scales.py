"""Sizes of a system's variables, so that exponents do not depend on the units they are given in.

Exponents are the same in every norm, but a perturbation must be small beside each variable's range
and large beside its rounding, also as it spreads from one variable to the others. So a variable
whose range is out of the ordinary is measured in a unit of its own, a power of two. One that moves
little about a large value is measured from the middle of its range, and raises the units of all:
perturbations are then in the geometric mean of its range and its rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.exponents.qr import FloatArray

# Units from 1 / ORDINARY to ORDINARY are left at 1; a range below size / ORDINARY is centred.
ORDINARY = 2.0**7
# A range below this part of the size is rounding: the variable is at rest, its size is its unit.
AT_REST = 2.0**-34
# So is one whose range in the second half of the time is below this part of that in the first.
SETTLING = 0.25
# Units are raised by this at most.
COARSEST = 2.0**14
# A perturbation of more than this part of a variable's range is not small.
SMALL = 0.02


@dataclass(frozen=True)
class Scales:
    """centre, unit: (dim,), of the distance |(x - centre)/unit|; extent: (dim,) range of motion,
    infinite for a variable at rest; largest: greatest |(x - centre)/unit| seen."""

    centre: FloatArray
    unit: FloatArray
    extent: FloatArray
    largest: float

    def reasons(self, d0: float) -> list[str]:
        """Why perturbations of d0 are not small; empty if they are."""
        share = d0 * max(1.0, self.largest) * self.unit / self.extent
        worst = int(np.argmax(share))
        if share[worst] <= SMALL:
            return []
        return [
            f"perturbations are not small: they move variable {worst + 1} by "
            f"{share[worst]:.2g} of its range {self.extent[worst]:.3g}: lower d0, or choose the "
            "variables so that they do not move about a large value"
        ]


def measured_scales(
    advance: Callable[[float, FloatArray], FloatArray],
    start: FloatArray,
    interval: float,
    skip: int,
    count: int,
) -> tuple[Scales, FloatArray]:
    """Scales of a trajectory from `start` (segments, dim), and where it ended (segments, 1, dim).

    It is followed alone, without copies, for `skip` intervals, and for a tenth of the `count` to
    be measured, of a hundred at least. What comes after `skip` counts, of a variable at rest all.
    """
    x = start[:, None, :]
    more = min(count, max(100, count // 10))
    ranges = [_Range.of(x)]
    with np.errstate(all="ignore"):
        for m in range(skip + more):
            x = advance(m * interval, x)
            if not np.isfinite(x).all():
                break
            ranges.append(_Range.of(x))
    late = ranges[skip + 1 :] or ranges[-1:]
    half = (len(late) + 1) // 2
    return _scales(_union(ranges), _union(late[:half]), _union(late[half:] or late)), x


@dataclass(frozen=True)
class _Range:
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, x: FloatArray) -> "_Range":
        return cls(x.min(axis=(0, 1)), x.max(axis=(0, 1)))

    @property
    def size(self) -> FloatArray:
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def extent(self) -> FloatArray:
        return self.high - self.low


def _union(ranges: Sequence[_Range]) -> _Range:
    low = np.min([each.low for each in ranges], axis=0)
    return _Range(low, np.max([each.high for each in ranges], axis=0))


def _scales(whole: _Range, first: _Range, second: _Range) -> Scales:
    late = _union((first, second))
    rest = (second.extent < SETTLING * first.extent) | (late.extent <= AT_REST * late.size)
    size = np.where(rest, whole.size, late.size)
    extent = np.where(rest, size, late.extent)
    centre = np.where(extent < size / ORDINARY, late.low + 0.5 * late.extent, 0.0)
    moving = extent > 0
    offset = np.divide(size, extent, out=np.ones_like(size), where=moving).max()
    wanted = extent * min(float(np.sqrt(offset)), COARSEST)
    ordinary = ~moving | ((wanted >= 1 / ORDINARY) & (wanted <= ORDINARY))
    unit = np.where(ordinary, 1.0, np.exp2(np.round(np.log2(np.where(ordinary, 1.0, wanted)))))
    reach = np.maximum(np.abs(late.low - centre), np.abs(late.high - centre)) / unit
    return Scales(centre, unit, np.where(rest, np.inf, extent), float(reach.max()))
