"""Fields that hold the range in which a search looks for a number."""

import math
from collections.abc import Iterable
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.fields import as_number, number_in
from hrsnn_brian.settings.lists import items_of
from hrsnn_brian.settings.units import SECOND, Seconds, format_seconds, seconds


class Range(Checked[tuple[float, float]]):
    """A lowest and a highest number, `signed` or positive; in seconds where `unit` is "s".

    Positive ones are searched on a logarithmic scale, signed ones on a linear one.
    """

    def __init__(self, low: Any, high: Any, unit: str = "", signed: bool = False) -> None:
        super().__init__((low, high))
        self.unit, self.signed = unit, signed

    def allowed(self) -> str:
        kind = "times > 0 ms" if self.unit == SECOND else "numbers" + " > 0" * (not self.signed)
        example = "10 ms, 40 ms" if self.unit == SECOND else "0.5, 2"
        return f"two {kind}, lowest and highest, such as {example}"

    def convert(self, value: Any) -> tuple[float, float]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise self.refused(value)
        ends = [self._number(item) for item in value]
        if len(ends) != 2 or not ends[0] < ends[1] or (ends[0] <= 0 and not self.signed):
            raise self.refused(value)
        return ends[0], ends[1]

    def _number(self, item: Any) -> float:
        if self.unit == SECOND:
            return seconds(item, self.argument)
        number = as_number(item)
        if number is None:
            raise InputError(self.argument, item, f"must be {self.allowed()}")
        return number

    def plain(self, value: tuple[float, float]) -> list[Any]:
        return [format_seconds(end) if self.unit == SECOND else end for end in value]

    def read(self, text: str) -> Any:
        return items_of(text, self.argument, str if self.unit == SECOND else number_in)

    def at(self, ends: tuple[float, float], level: float) -> float:
        """The number at `level`, from 0 (lowest) to 1, in three digits that a user can type."""
        low, high = ends
        found = low + (high - low) * level if self.signed else low * (high / low) ** level
        number = float(f"{found:.3g}")
        return Seconds(number) if self.unit == SECOND else number

    def level(self, ends: tuple[float, float], number: float) -> float:
        """The level whose number comes closest."""
        low, high = ends
        if not self.signed:
            low, high, number = math.log(low), math.log(high), math.log(max(number, 1e-300))
        return min(max((number - low) / (high - low), 0.0), 1.0)
