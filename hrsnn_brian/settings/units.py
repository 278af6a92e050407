"""Times and rates with their units: a Brian quantity or a string such as "20 ms" -> SI floats.

A bare number is refused, so that 20 can never be taken for 20 s. Brian itself is not imported:
a `Quantity` brings its own dimensions. Text is read and written in decimal arithmetic, hence
`seconds(format_seconds(x)) == x` for every finite float.
"""

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError

_PREFIXES = {"n": "1e-9", "u": "1e-6", "µ": "1e-6", "μ": "1e-6", "m": "1e-3"}
_TIMES = {"s": "1", "second": "1", "seconds": "1"} | {p + "s": f for p, f in _PREFIXES.items()}
_RATES = {"Hz": "1", "hertz": "1", "kHz": "1e3"}
_TEXT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\*?\s*([A-Za-zµμ]+)\s*")
_BASE_UNITS = ("m", "kg", "s", "A", "K", "mol", "cd")

SECOND, HERTZ, DIMENSIONLESS = "s", "Hz", "1"


class Seconds(float):
    """A float known to be a time in seconds: what parameters hold, so that they can be set anew."""


class Hertz(float):
    """A float known to be a rate in hertz."""


def _from_text(text: str) -> tuple[float, str] | None:
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    number, unit = match.groups()
    for symbols, dimension in ((_TIMES, SECOND), (_RATES, HERTZ)):
        if unit in symbols:
            return float(Decimal(number) * Decimal(symbols[unit])), dimension
    return None


def _dimension_of(dim: object) -> str | None:
    get = getattr(dim, "get_dimension", None)
    if get is None:
        return None
    powers = {unit: float(get(unit)) for unit in _BASE_UNITS}
    named = {unit: power for unit, power in powers.items() if power != 0}
    if not named:
        return DIMENSIONLESS
    return {1.0: SECOND, -1.0: HERTZ}.get(named["s"]) if set(named) == {"s"} else None


def measure(value: Any) -> tuple[float, str] | None:
    """A scalar in SI and its dimension ("s", "Hz" or "1"); None if it is no such scalar.

    `value` is a number, a text of number and unit, or a Brian quantity.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, (Seconds, Hertz)):
        return float(value), SECOND if isinstance(value, Seconds) else HERTZ
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        if np.ndim(value) != 0:
            return None
        number = float(np.asarray(value))
    except (TypeError, ValueError):
        return None
    dim = getattr(value, "dim", None)
    dimension = DIMENSIONLESS if dim is None else _dimension_of(dim)
    return None if dimension is None else (number, dimension)


def _require(value: object, dimension: str, argument: str, allowed: str) -> float:
    found = measure(value)
    if found is None or found[1] != dimension or not math.isfinite(found[0]):
        raise InputError(argument, value, allowed)
    return found[0]


def seconds(value: object, argument: str = "time") -> Seconds:
    """A time in seconds from a Brian quantity or a text such as "20 ms".

    Raises InputError for a bare number, another dimension, an array, NaN or infinity.
    """
    return Seconds(_require(value, SECOND, argument, "give a time with a unit, such as '20 ms'"))


def hertz(value: object, argument: str = "rate") -> Hertz:
    """A rate in hertz from a Brian quantity or a text such as "200 Hz"; raises as `seconds`."""
    return Hertz(_require(value, HERTZ, argument, "give a rate with a unit, such as '200 Hz'"))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_seconds(value: float) -> str:
    """The text of a time in seconds: "20 ms" below a second, "1.5 s" from there on."""
    exact = Decimal(repr(float(value)))
    return f"{_plain(exact)} s" if abs(value) >= 1 else f"{_plain(exact * 1000)} ms"


def format_hertz(value: float) -> str:
    """The text of a rate in hertz, "200 Hz"."""
    return f"{_plain(Decimal(repr(float(value))))} Hz"
