"""The frozen result of an exponent computation, with its convergence history and its failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.exponents.qr import (
    FloatArray,
    block_means,
    entropy_rate,
    kaplan_yorke,
    running_exponents,
    standard_errors,
)

# Blocks of a single trajectory that stand in for independent segments.
BLOCKS = 10


@dataclass(frozen=True, eq=False)
class SpectrumResult:
    """The k leading Lyapunov exponents, natural logarithm, per unit time of the system.

    For networks the unit of time is the second, for flows that of the equations, for maps the
    iteration.

    exponents: (k,) descending; NaN, all of them, if a check failed.
    standard_error: (k,) of the mean over independent segments (or blocks of one trajectory).
    history: (n, k) estimate after each renormalisation, kept also if a check failed.
    times: (n,) time since measuring began, per segment.
    kaplan_yorke: dimension, None if the k exponents do not determine it.
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
    settings: Mapping[str, Any] | None = None,
) -> SpectrumResult:
    """Exponents from the log growths ln R_jj of every renormalisation.

    logs: (segments, n, k), or (n, k) for one segment; NaN marks an excluded interval.
    interval: time between renormalisations. complete: the k exponents are the whole spectrum.
    flags: failed checks; any makes the exponents, dimension and entropy rate NaN or None.

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
    order = np.argsort(-history[-1], kind="stable")
    exponents = history[-1][order]
    reasons = list(flags)
    if not reasons and not np.isfinite(exponents).all():
        reasons.append("no valid interval is left for at least one exponent")
    if reasons:
        exponents = np.full_like(exponents, np.nan)
    return SpectrumResult(
        exponents=exponents,
        standard_error=_errors(logs, interval)[order],
        history=history[:, order],
        times=interval * np.arange(1, logs.shape[1] + 1),
        kaplan_yorke=kaplan_yorke(exponents, complete),
        entropy_rate=entropy_rate(exponents, complete),
        flags=tuple(reasons),
        settings=settings or {},
    )


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
