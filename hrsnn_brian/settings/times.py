"""Fields that hold times and rates."""

from collections.abc import Iterable
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.fields import Real
from hrsnn_brian.settings.lists import items_of
from hrsnn_brian.settings.units import Seconds, format_hertz, format_seconds, hertz, seconds


class Time(Checked[float]):
    """A time >= 0 (> 0 if `positive`), read in seconds; a bare number is refused."""

    unit = "s"

    def __init__(self, default: Any, positive: bool = False) -> None:
        super().__init__(default)
        self.positive = positive

    def allowed(self) -> str:
        return f"a time {'>' if self.positive else '>='} 0 ms, such as 20 ms"

    def convert(self, value: Any) -> float:
        time = seconds(value, self.argument)
        if time < 0 or (self.positive and time == 0):
            raise self.refused(value)
        return time

    def plain(self, value: float) -> str:
        return format_seconds(value)


class Span(Real):
    """A length of time >= 0 (> 0 if `positive`), as a number of seconds or a text with its unit."""

    unit = "s"

    def __init__(self, default: float, positive: bool = True) -> None:
        super().__init__(default, 0, above=positive)

    def allowed(self) -> str:
        return f"a number of seconds {'>' if self.above else '>='} 0, or a time such as 20 ms"

    def convert(self, value: Any) -> float:
        timed = isinstance(value, str) or hasattr(value, "dim")
        return Seconds(super().convert(seconds(value, self.argument) if timed else value))


class Times(Checked[tuple[float, ...]]):
    """A list of at least `least` positive, different times, read in seconds."""

    unit = "s"

    def __init__(self, default: Iterable[Any], least: int = 1) -> None:
        super().__init__(tuple(default))
        self.least = least

    def allowed(self) -> str:
        many = {1: "at least one", 2: "two time steps or more"}[self.least]
        return f"different times > 0 ms, such as 20 ms, {many}"

    def convert(self, value: Any) -> tuple[float, ...]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise InputError(self.argument, value, "must be a list of times, such as ['30 ms']")
        times = tuple(seconds(item, self.argument) for item in value)
        if len(times) < self.least or min(times) <= 0 or len(set(times)) < len(times):
            raise self.refused(value)
        return times

    def plain(self, value: tuple[float, ...]) -> list[str]:
        return [format_seconds(time) for time in value]

    def read(self, text: str) -> Any:
        return items_of(text, self.argument, str)


class Rate(Checked[float]):
    """A rate > 0, read in hertz."""

    unit = "Hz"

    def allowed(self) -> str:
        return "> 0 Hz, such as 200 Hz"

    def convert(self, value: Any) -> float:
        rate = hertz(value, self.argument)
        if rate <= 0:
            raise self.refused(value)
        return rate

    def plain(self, value: float) -> str:
        return format_hertz(value)
