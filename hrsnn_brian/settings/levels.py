"""Several values for one setting, as a sweep takes them: lists and ranges.

"1,2,3" is a list, "0.05:0.3:6" are six numbers from .05 to .3, "0.05:0.3:6:log" six in equal
ratios, "10 ms:40 ms:4" four times. "0.05:0.3", or "0.05:0.3:log", are all numbers between, of which
a design draws. A value that is a list itself stands in brackets: "[1,6],[1]".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.checked import Checked, parse_value
from hrsnn_brian.settings.fields import Whole
from hrsnn_brian.settings.units import (
    DIMENSIONLESS,
    HERTZ,
    SECOND,
    format_hertz,
    format_seconds,
    measure,
)

LOG = "log"
_FORM = "a range is low:high:number, such as 0.05:0.3:6 or 10 ms:40 ms:4; :log after it for ratios"


@dataclass(frozen=True)
class Span:
    """All numbers from `low` to `high`, SI, in `unit` ("1", "s" or "Hz").

    log: evenly in the logarithm. whole: whole numbers only.
    """

    low: float
    high: float
    unit: str = DIMENSIONLESS
    log: bool = False
    whole: bool = False

    def at(self, level: float) -> Any:
        """The value at `level`, from 0 (low) to 1, in three digits that a user can type."""
        if self.whole and not self.log:
            low, high = round(self.low), round(self.high)
            return min(high, low + math.floor(level * (high - low + 1)))
        number = float(f"{self._number(level):.3g}")
        return self._plain(min(max(number, self.low), self.high))

    def steps(self, number: int) -> tuple[Any, ...]:
        """So many values, the first `low`, the last `high`."""
        levels = (k / (number - 1) for k in range(number))
        return tuple(self._plain(float(f"{self._number(level):.12g}")) for level in levels)

    def level(self, value: Any) -> float:
        """The level whose value comes closest, of a value as `at` gives it."""
        number = measure(value)
        low, high, x = self.low, self.high, math.nan if number is None else number[0]
        if self.log:
            low, high, x = math.log(low), math.log(high), math.log(max(x, 1e-300))
        return min(max((x - low) / (high - low), 0.0), 1.0)

    def _number(self, level: float) -> float:
        if self.log:
            return self.low * (self.high / self.low) ** level
        return self.low + (self.high - self.low) * level

    def _plain(self, number: float) -> Any:
        if self.unit == SECOND:
            return format_seconds(number)
        if self.unit == HERTZ:
            return format_hertz(number)
        return round(number) if self.whole else number

    def __str__(self) -> str:
        return f"{self._plain(self.low)}:{self._plain(self.high)}" + f":{LOG}" * self.log


Values = tuple[Any, ...] | Span


def values_in(text: str, checked: Checked[Any] | None, argument: str) -> Values:
    """What a text stands for; checked: the field whose values they are, None for a part of one.

    Raises InputError for a malformed range, one beside others without a number, or no value.
    """
    found: list[Any] = []
    parts = list(_parts(text))
    for part in parts:
        span, number = _range(part, checked, argument)
        if span is None:
            found += _read(part, checked, alone=len(parts) == 1)
        elif number is not None:
            found += span.steps(number)
        elif len(parts) > 1:
            raise InputError(argument, text, f"{part} needs a number beside other values; {_FORM}")
        else:
            return span
    if not found:
        raise InputError(argument, text, "give at least one value")
    return tuple(found)


def _parts(text: str) -> Iterator[str]:
    """The text cut at its commas, but for those in brackets and quotes."""
    part, depth, quote = "", 0, ""
    for c in text:
        if quote or c in "\"'":
            quote = ("" if c == quote else quote) if quote else c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and not depth:
            if part.strip():
                yield part.strip()
            part = ""
            continue
        part += c
    if part.strip():
        yield part.strip()


def _read(part: str, checked: Checked[Any] | None, alone: bool) -> list[Any]:
    of_lists = checked is not None and isinstance(checked.default(), list)
    if alone and part.startswith("[") and not of_lists:
        listed = parse_value(part)
        return listed if isinstance(listed, list) else [listed]
    return [parse_value(part) if checked is None else checked.read(part)]


def _range(
    part: str, checked: Checked[Any] | None, argument: str
) -> tuple[Span | None, int | None]:
    """The range that a text is, and how many values are asked of it; (None, None) if it is none."""
    pieces = [piece.strip() for piece in part.split(":")]
    low = _end(pieces[0])
    if len(pieces) < 2 or low is None:
        return None, None
    high, more = _end(pieces[1]), pieces[2:]
    log = more[-1:] == [LOG]
    more = more[:-1] if log else more
    fits = high is not None and low[1] == high[1] and low[0] < high[0] and len(more) <= 1
    if not fits or (more and not (more[0].isdecimal() and int(more[0]) >= 2)):
        raise InputError(argument, part, f"{_FORM}, low below high, two or more")
    assert high is not None
    if log and low[0] <= 0:
        raise InputError(argument, part, "a range of ratios needs ends above 0")
    span = Span(low[0], high[0], low[1], log, isinstance(checked, Whole))
    if span.whole and not (low[0].is_integer() and high[0].is_integer()):
        raise InputError(argument, part, "must have whole ends")
    return span, int(more[0]) if more else None


def _end(text: str) -> tuple[float, str] | None:
    try:
        number = float(text)
    except ValueError:
        return measure(text)
    return (number, DIMENSIONLESS) if math.isfinite(number) else None
