"""Checked fields of the parameter dataclasses.

`t_ref: Time = Time("2 ms")` in a frozen dataclass is set from whatever the user gives, checked
and converted at once, and read back as the plain value kernels take (here: seconds). A value
that does not fit raises an InputError that names `section.key`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Generic, Self, TypeVar

import numpy as np

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.settings.units import format_hertz, format_seconds, hertz, seconds

T = TypeVar("T")


class Checked(ABC, Generic[T]):
    """A dataclass field that converts and checks what it is set to.

    meaning: one line; unit: of the number as it is read, "" if it has none; grade: whose choice the
    default is, "paper", "review" or "choice".
    """

    meaning, unit, grade = "", "", "choice"

    def __init__(self, default: Any) -> None:
        self._default = default
        self.argument = "value"

    def about(self, meaning: str, unit: str = "", grade: str = "choice") -> Self:
        """The same field with what a user is told of it."""
        self.meaning, self.unit, self.grade = meaning, unit, grade
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        section = getattr(owner, "section", "")
        self.argument = f"{section}.{name}" if section else name

    def __get__(self, instance: object, owner: type | None = None) -> T:
        if instance is None:  # dataclasses asks the class for the default value
            return self.convert(self._default)
        value: T = vars(instance)[self.name]
        return value

    def __set__(self, instance: object, value: Any) -> None:
        vars(instance)[self.name] = self.convert(value)

    @abstractmethod
    def convert(self, value: Any) -> T:
        """The checked value, or an InputError."""

    def plain(self, value: T) -> Any:
        """The value as TOML can hold it; None leaves the key out."""
        return value


class Real(Checked[float]):
    """A finite number between two bounds."""

    def __init__(
        self, default: float, low: float = -math.inf, high: float = math.inf, above: bool = False
    ) -> None:
        super().__init__(default)
        self.low, self.high, self.above = low, high, above

    def allowed(self) -> str:
        """What the field takes, for the error line."""
        parts = [] if math.isinf(self.low) else [f"{'>' if self.above else '>='} {self.low:g}"]
        parts += [] if math.isinf(self.high) else [f"<= {self.high:g}"]
        return " ".join(["must be a number", " and ".join(parts)]).rstrip()

    def convert(self, value: Any) -> float:
        is_number = isinstance(value, (int, float, np.integer, np.floating))
        if not is_number or isinstance(value, bool) or not math.isfinite(value):
            raise InputError(self.argument, value, self.allowed())
        below = value <= self.low if self.above else value < self.low
        if below or value > self.high:
            raise InputError(self.argument, value, self.allowed())
        return float(value)


class OptionalReal(Checked[float | None]):
    """A finite number above `low`, or None for "not wanted"."""

    def __init__(self, low: float, allowed: str) -> None:
        super().__init__(None)
        self.low, self.allowed = low, allowed

    def convert(self, value: Any) -> float | None:
        if value is None:
            return None
        is_number = isinstance(value, (int, float, np.integer, np.floating))
        if not is_number or isinstance(value, bool) or not self.low < value < math.inf:
            raise InputError(self.argument, value, self.allowed)
        return float(value)


def _whole(value: Any, low: int, argument: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise InputError(argument, value, f"must be a whole number >= {low}")
    return int(value)


class Whole(Checked[int]):
    """A whole number not below `low`."""

    def __init__(self, default: int, low: int) -> None:
        super().__init__(default)
        self.low = low

    def convert(self, value: Any) -> int:
        return _whole(value, self.low, self.argument)


class AutoWhole(Checked[int | None]):
    """A whole number not below `low`, or "auto", read as None: it follows from the others."""

    def __init__(self, low: int) -> None:
        super().__init__(None)
        self.low = low

    def convert(self, value: Any) -> int | None:
        return None if value in (None, "auto") else _whole(value, self.low, self.argument)

    def plain(self, value: int | None) -> int | str:
        return "auto" if value is None else value


class Choice(Checked[str]):
    """One of a few names."""

    def __init__(self, *names: str) -> None:
        super().__init__(names[0])
        self.names = names

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise InputError(self.argument, value, f"must be one of {', '.join(self.names)}")
        if value not in self.names:
            raise unknown_name(self.argument, value, self.names)
        return value


class OneOf(Checked[str]):
    """One of a few names, each with what it means; `also`: other spellings of some of them."""

    def __init__(
        self, default: str, known: Mapping[str, str], also: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(default)
        self.known, self.also = known, also or {}

    def convert(self, value: Any) -> str:
        if isinstance(value, bool):  # on and off, as TOML may write them
            value = "on" if value else "off"
        name = self.also.get(value, value) if isinstance(value, str) else value
        if not isinstance(name, str) or name not in self.known:
            raise unknown_name(self.argument, str(value), self.known)
        return name


class OptionalText(Checked[str | None]):
    """A text (a path), or None."""

    def __init__(self) -> None:
        super().__init__(None)

    def convert(self, value: Any) -> str | None:
        if value is None:
            return None
        text = str(value) if hasattr(value, "__fspath__") else value
        if not isinstance(text, str) or not text:
            raise InputError(self.argument, value, "must be the path of a file")
        return text


class Time(Checked[float]):
    """A time >= 0 (> 0 if `positive`), read in seconds."""

    def __init__(self, default: Any, positive: bool = False) -> None:
        super().__init__(default)
        self.positive = positive

    def convert(self, value: Any) -> float:
        time = seconds(value, self.argument)
        if time < 0 or (self.positive and time == 0):
            raise InputError(self.argument, value, f"must be {'>' if self.positive else '>='} 0 ms")
        return time

    def plain(self, value: float) -> str:
        return format_seconds(value)


class Times(Checked[tuple[float, ...]]):
    """A non-empty list of positive, different times, read in seconds."""

    def convert(self, value: Any) -> tuple[float, ...]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise InputError(self.argument, value, "must be a list of times, such as ['30 ms']")
        times = tuple(seconds(item, self.argument) for item in value)
        if not times or min(times) <= 0 or len(set(times)) < len(times):
            raise InputError(self.argument, value, "must be different times > 0 ms, at least one")
        return times

    def plain(self, value: tuple[float, ...]) -> list[str]:
        return [format_seconds(time) for time in value]


class Rate(Checked[float]):
    """A rate > 0, read in hertz."""

    def convert(self, value: Any) -> float:
        rate = hertz(value, self.argument)
        if rate <= 0:
            raise InputError(self.argument, value, "must be > 0 Hz")
        return rate

    def plain(self, value: float) -> str:
        return format_hertz(value)
