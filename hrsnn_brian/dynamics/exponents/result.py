"""The frozen result of an exponent computation, with its convergence history and its failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.exponents.qr import (
    FloatArray,
    block_means,
    entropy_rate,
    kaplan_yorke,
    running_exponents,
    standard_errors,
    zero_within_error,
)
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.shown import Framed

if TYPE_CHECKING:
    import pandas as pd

# Blocks of a single trajectory that stand in for independent segments.
BLOCKS = 10


@dataclass(frozen=True)
class LostExponents:
    """Exponents that could not be measured: number `first`, counted from 0, and all after it.

    reason: one line; negative: whether they are certainly below 0.
    """

    first: int
    reason: str
    negative: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class SpectrumResult(Framed):
    """The k leading Lyapunov exponents, natural logarithm, per unit time of the system.

    For networks the unit of time is the second, for flows that of the equations, for maps the
    iteration.

    exponents: (k,) descending; NaN, all of them or the last ones, if a check failed.
    standard_error: (k,) of the mean over independent segments (or blocks of one trajectory).
    history: (n, k) estimate after each renormalisation, kept also if a check failed.
    times: (n,) time since measuring began, per segment.
    kaplan_yorke: dimension, None if the k exponents and their errors do not determine it.
    entropy_rate: sum of the positive exponents (upper bound of the entropy rate), None if
        positive ones may be missing.
    flags: reasons why checks failed, one line each; empty for a valid result.
    settings: what was run, JSON-able.
    """

    exponents: FloatArray
    standard_error: FloatArray
    history: FloatArray
    times: FloatArray
    kaplan_yorke: float | None
    entropy_rate: float | None
    flags: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("exponents", "standard_error", "history", "times"):
            array = np.array(getattr(self, name), dtype=float)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "settings", dict(self.settings))

    def facts(self) -> dict[str, Any]:
        """The exponents, or why there are none."""
        pairs = zip(self.exponents[:3], self.standard_error[:3], strict=True)
        told = ", ".join(f"{value:.3g} +- {error:.2g}" for value, error in pairs)
        more = ", ..." if len(self.exponents) > 3 else ""
        found: dict[str, Any] = {"exponents": told + more}
        if self.kaplan_yorke is not None:
            found["kaplan_yorke"] = float(self.kaplan_yorke)
        return found | ({"flags": "; ".join(self.flags)} if self.flags else {})

    def frame(self) -> "pd.DataFrame":
        """index, exponent, standard_error: a row per exponent."""
        import pandas as pd

        index = np.arange(1, len(self.exponents) + 1)
        errors = self.standard_error
        columns = {"index": index, "exponent": self.exponents, "standard_error": errors}
        return pd.DataFrame(columns)

    @property
    def valid(self) -> bool:
        """Whether every check passed and every exponent is a number."""
        return not self.flags and bool(np.isfinite(self.exponents).all())

    @property
    def largest(self) -> float:
        """The largest exponent, NaN if a check failed."""
        return float(self.exponents[0])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and strings for JSON; NaN becomes None."""
        return {
            "exponents": _plain(self.exponents),
            "standard_error": _plain(self.standard_error),
            "kaplan_yorke": self.kaplan_yorke,
            "entropy_rate": self.entropy_rate,
            "valid": self.valid,
            "flags": list(self.flags),
            "settings": dict(self.settings),
            "times": _plain(self.times),
            "history": _plain(self.history),
        }


def spectrum_result(
    logs: FloatArray,
    interval: float,
    *,
    complete: bool = False,
    flags: Sequence[str] = (),
    lost: LostExponents | None = None,
    resolution: float | None = None,
    settings: Mapping[str, Any] | None = None,
) -> SpectrumResult:
    """Exponents from the log growths ln R_jj of every renormalisation.

    logs: (segments, n, k), or (n, k) for one segment; NaN marks an excluded interval.
    interval: time between renormalisations. complete: the k exponents are the whole spectrum.
    flags: failed checks; any makes the exponents, dimension and entropy rate NaN or None.
    lost: the columns from which on exponents are NaN, those before it stay.
    resolution: given for flows and maps, where an exponent that is 0 within its error is 0: the
        error that every exponent has at least. For networks under a frozen input, whose exponents
        may be close to 0 on either side, None.

    The exponents are means over all intervals, the standard errors come from the segments, with
    one segment from its `BLOCKS` blocks. Exponents are sorted; columns of the history keep the
    order of the exponents. Raises InputError if `logs` is empty or of another shape.
    """
    logs = np.asarray(logs, dtype=float)
    logs = logs[None] if logs.ndim == 2 else logs
    if logs.ndim != 3 or 0 in logs.shape:
        raise InputError("logs", logs.shape, "must have shape (segments, n, k), not empty")
    if not (np.isfinite(interval) and interval > 0):
        raise InputError("interval", interval, "must be a positive time")
    history = running_exponents(logs, interval)
    kept = history.shape[1] if lost is None else lost.first
    order = np.argsort(-history[-1, :kept], kind="stable")
    order = np.append(order, np.arange(kept, history.shape[1]))
    exponents = history[-1][order]
    exponents[kept:] = np.nan
    reasons = list(flags)
    if not reasons and not np.isfinite(exponents[:kept]).all():
        reasons.append("no valid interval is left for at least one exponent")
    if reasons:
        exponents = np.full_like(exponents, np.nan)
    errors = _errors(logs, interval)[order]
    times = interval * np.arange(1, logs.shape[1] + 1)
    measured = exponents[:kept]
    zero = zero_within_error(
        measured,
        np.fmax(errors, _wandering(history[:, order], times))[:kept],
        resolution or 0.0,
    )
    dimension, entropy = _consequences(
        measured, zero, lost, complete, exact_zeros=resolution is not None
    )
    return SpectrumResult(
        exponents=exponents,
        standard_error=errors,
        history=history[:, order],
        times=times,
        kaplan_yorke=dimension,
        entropy_rate=entropy,
        flags=tuple(reasons if lost is None else [*reasons, lost.reason]),
        settings=settings or {},
    )


def _consequences(
    measured: FloatArray,
    zero: NDArray[np.bool_],
    lost: LostExponents | None,
    complete: bool,
    exact_zeros: bool,
) -> tuple[float | None, float | None]:
    """Dimension and entropy rate, None where they are not known.

    Both jump, or are not known, by the sign of an exponent that is 0 within its error. Where it is
    0, an attractor without a positive exponent has as many dimensions as zeros: a limit cycle 1, a
    torus of two frequencies 2.
    """
    if not (measured.size and np.isfinite(measured).all()):
        return None, None
    whole = complete and lost is None
    # no positive exponent and no zero is missing
    enough = whole or (lost is not None and lost.negative)
    if not (exact_zeros and zero[0]):
        dimension = None if zero[0] else kaplan_yorke(measured, whole)
        return dimension, entropy_rate(measured, enough or (exact_zeros and bool(zero[-1])))
    count = int(zero.sum())
    return (float(count) if enough or count < len(zero) else None), 0.0


def _wandering(history: FloatArray, times: FloatArray) -> FloatArray:
    """Error of an exponent by the log growth of its column: its range about a straight line.

    Growth along a limit cycle only goes up and down, by no less than it may end up or down, in step
    with the blocks that a standard error compares.
    """
    growth = history * times[:, None]
    about = growth - times[:, None] / times[-1] * growth[-1]
    with np.errstate(invalid="ignore"):
        return np.ptp(about, axis=0) / times[-1]


def _errors(logs: FloatArray, interval: float) -> FloatArray:
    if len(logs) > 1:
        ends = np.stack([running_exponents(segment, interval)[-1] for segment in logs])
        return standard_errors(ends)
    return standard_errors(block_means(logs[0], interval, min(BLOCKS, logs.shape[1])))


def _plain(array: FloatArray) -> list[Any]:
    """Nested lists of floats with None for what JSON cannot hold."""
    boxed = array.astype(object)
    boxed[~np.isfinite(array)] = None
    listed: list[Any] = boxed.tolist()
    return listed
