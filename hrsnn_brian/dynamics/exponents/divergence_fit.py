"""The exponential part of a divergence: its window, and the slope of the line fitted to it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_brian.files.tables import Row

if TYPE_CHECKING:
    import numpy as np

# ln distances between which a perturbation is infinitesimal: above rounding, below saturation.
ALIGN = 0.25  # s, by which copies have turned into the direction that grows
ROUNDING, SATURATION = math.log(1e-12), math.log(1e-2)


@dataclass(frozen=True)
class Fit:
    """Straight line through ln distance: slope (1/s) between start and end (s).

    ln_distance: of the line at start. reason: why there is no slope (NaN), else empty.
    """

    slope: float
    start: float
    end: float
    ln_distance: float
    reason: str = ""

    def row(self) -> Row:
        """As columns of the table."""
        return {
            "value_per_s": self.slope,
            "start_s": self.start,
            "end_s": self.end,
            "ln_distance": self.ln_distance,
            "reason": self.reason,
        }


def fit_window(times: "np.ndarray", ln_distance: "np.ndarray") -> Fit:
    """Fits the window from `ALIGN` on until the distance leaves the infinitesimal range.

    times, ln_distance: (n,). The range is 1e-12 to 1e-2 (our choice). The slope is Theil and
    Sen's median, which a single spike that straddles a measurement does not bend. A window
    shorter than 0.2 s gives no slope.
    """
    import numpy as np
    from scipy.stats import theilslopes

    late = times >= ALIGN
    outside = late & ~((ln_distance > ROUNDING) & (ln_distance < SATURATION))
    stop = int(np.argmax(outside)) if outside.any() else len(times)
    window = slice(int(np.argmax(late)), stop)
    inside = times[window]
    if not late.any() or len(inside) < 3 or inside[-1] - inside[0] < 0.2:
        return Fit(math.nan, math.nan, math.nan, math.nan, "the infinitesimal window is too short")
    slope, intercept, *_ = theilslopes(ln_distance[window], inside)
    start, end = float(inside[0]), float(inside[-1])
    return Fit(float(slope), start, end, float(intercept + slope * start))
