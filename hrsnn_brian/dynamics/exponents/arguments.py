"""Arguments of `flow_exponents` and `map_exponents`, checked; each raises InputError."""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.errors import InputError


def positive(name: str, value: float) -> float:
    if not (_is_number(value) and value > 0):
        raise InputError(name, value, "must be a positive number")
    return value


def not_negative(name: str, value: float) -> float:
    if not (_is_number(value) and value >= 0):
        raise InputError(name, value, "must be a number >= 0")
    return value


def whole(name: str, value: int, allowed: str, most: float = math.inf) -> int:
    """A whole number from 1 on."""
    if not (_is_number(value) and isinstance(value, Integral) and 1 <= value <= most):
        raise InputError(name, value, allowed)
    return int(value)


def exponents_wanted(k: int | None, dim: int) -> int:
    """k, or all of them."""
    wanted = dim if k is None else k
    return whole("k", wanted, f"must be a whole number from 1 to the dimension {dim}", most=dim)


def intervals_in(name: str, value: float, intervals: float) -> int:
    if round(intervals) < 1:
        raise InputError(name, value, "must hold at least one renormalisation interval")
    return round(intervals)


def starting_points(x0: Any) -> FloatArray:
    """(segments, dim) from one state or several."""
    try:
        given = np.asarray(x0)
    except ValueError:
        raise InputError("x0", x0, "must hold states of the same dimension") from None
    if given.dtype.kind not in "fiub":
        raise InputError("x0", x0, "must hold real numbers")
    start = np.atleast_1d(given.astype(float))
    start = start[None] if start.ndim == 1 else start
    if start.ndim != 2 or start.size == 0:
        raise InputError("x0", given.shape, "must have shape (dim,) or (segments, dim)")
    if not np.isfinite(start).all():
        raise InputError("x0", "nan or inf", "must hold finite numbers")
    return start


def _is_number(value: object) -> bool:
    return (
        isinstance(value, Real) and not isinstance(value, bool | np.bool_) and math.isfinite(value)
    )
