"""Fields that hold a number, a name or a text."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.settings.checked import Checked, parse_value, unquoted


def as_number(value: Any) -> float | None:
    """A finite Python or numpy number, None for anything else, such as True or a text."""
    is_number = isinstance(value, (int, float, np.integer, np.floating))
    return value if is_number and not isinstance(value, bool) and math.isfinite(value) else None


def number_in(text: str) -> Any:
    """The number a text stands for, as TOML or Python write one; else the TOML value."""
    value = parse_value(text)
    try:
        return float(value) if value == text.strip() else value  # ".5", but not a quoted "0.5"
    except ValueError:
        return value


class Real(Checked[float]):
    """A finite number between two bounds; above: `low` itself is out, below: `high` is."""

    def __init__(
        self,
        default: float,
        low: float = -math.inf,
        high: float = math.inf,
        above: bool = False,
        below: bool = False,
    ) -> None:
        super().__init__(default)
        self.low, self.high, self.above, self.below = low, high, above, below

    def allowed(self) -> str:
        parts = [] if math.isinf(self.low) else [f"{'>' if self.above else '>='} {self.low:g}"]
        parts += [] if math.isinf(self.high) else [f"{'<' if self.below else '<='} {self.high:g}"]
        return " ".join(["a number", " and ".join(parts)]).rstrip()

    def convert(self, value: Any) -> float:
        number = as_number(value)
        if number is None or not self.low <= number <= self.high:
            raise self.refused(value)
        if (self.above and number == self.low) or (self.below and number == self.high):
            raise self.refused(value)
        return float(number)

    def read(self, text: str) -> Any:
        return number_in(text)


class OptionalExtra(Real):
    """A number >= 0 that is not written where it is 0: files without it stay as they are."""

    def __init__(self) -> None:
        super().__init__(0.0, 0)

    def plain(self, value: float) -> float | None:
        return value or None


class OptionalReal(Checked[float | None]):
    """A finite number above `low`, or None for "not wanted"; why: of the bound, for the error."""

    def __init__(self, low: float, why: str = "") -> None:
        super().__init__(None)
        self.low, self.why = low, why

    def allowed(self) -> str:
        return f"a number > {self.low:g}" + (f": {self.why}" if self.why else "")

    def convert(self, value: Any) -> float | None:
        number = as_number(value)
        if value is not None and (number is None or number <= self.low):
            raise self.refused(value)
        return None if number is None else float(number)


class Whole(Checked[int]):
    """A whole number from `low` to `high`."""

    def __init__(self, default: int, low: int, high: float = math.inf) -> None:
        super().__init__(default)
        self.low, self.high = low, high

    def allowed(self) -> str:
        above = "" if math.isinf(self.high) else f" and <= {self.high:g}"
        return f"a whole number >= {self.low}{above}"

    def convert(self, value: Any) -> int:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not self.low <= value <= self.high:
            raise self.refused(value)
        return int(value)


class AutoWhole(Whole):
    """A whole number not below `low`, or "auto", read as None: it follows from the others."""

    def __init__(self, low: int) -> None:
        super().__init__(low, low)
        self._default = None

    def allowed(self) -> str:
        return f"{super().allowed()}, or auto"

    def convert(self, value: Any) -> Any:
        return None if value in (None, "auto") else super().convert(value)

    def plain(self, value: int | None) -> int | str:
        return "auto" if value is None else value


class OptionalWhole(AutoWhole):
    """A whole number not below `low`, or None, which leaves the key out."""

    def allowed(self) -> str:
        return Whole.allowed(self)

    def convert(self, value: Any) -> Any:
        return None if value is None else Whole.convert(self, value)

    def plain(self, value: int | None) -> Any:
        return value


class Flag(Checked[bool]):
    """True or false."""

    def allowed(self) -> str:
        return "true or false"

    def convert(self, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise self.refused(value)
        return bool(value)

    def read(self, text: str) -> Any:
        return parse_value(text.lower())


class OneOf(Checked[str]):
    """One of a few names, each with what it means; `also`: other spellings of some of them."""

    def __init__(
        self, default: str, known: Mapping[str, str], also: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(default)
        self.known, self.also = known, also or {}

    def allowed(self) -> str:
        return f"one of {', '.join(self.known)}"

    def values(self) -> dict[str, str]:
        return {name: what for name, what in self.known.items() if what and what != name}

    def convert(self, value: Any) -> str:
        if isinstance(value, bool) and "on" in self.known:  # on and off, as TOML may write them
            value = "on" if value else "off"
        name = self.also.get(value, value) if isinstance(value, str) else value
        if not isinstance(name, str):
            raise self.refused(value)
        if name not in self.known:
            raise unknown_name(self.argument, name, self.known)
        return name

    def read(self, text: str) -> Any:
        return unquoted(text)


class Text(Checked[str]):
    """Any text."""

    def __init__(self, default: str = "") -> None:
        super().__init__(default)

    def allowed(self) -> str:
        return "a text"

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.refused(value)
        return value

    def read(self, text: str) -> Any:
        return unquoted(text)


class OptionalText(Checked[str | None]):
    """A text (such as a path), or None; what: the texts it takes, in words."""

    def __init__(self, what: str = "the path of a file") -> None:
        super().__init__(None)
        self.what = what

    def allowed(self) -> str:
        return self.what

    def convert(self, value: Any) -> str | None:
        if value is None:
            return None
        text = str(value) if hasattr(value, "__fspath__") else value
        if not isinstance(text, str) or not text:
            raise self.refused(value)
        return text


class Like(Checked[Any]):
    """A value of the kind of the default, whatever that is: an option of a user's own study.

    Only what is set by a text is checked: the presets of the study are its author's.
    """

    def allowed(self) -> str:
        return _kind(self._default)

    def convert(self, value: Any) -> Any:
        return value

    def read(self, text: str) -> Any:
        return self._parsed(text, self._default)

    def _parsed(self, text: str, former: object) -> object:
        if former is None or isinstance(former, Mapping):  # which says nothing of the kind
            return parse_value(text)
        if isinstance(former, list | tuple):
            item = former[0] if former else ""
            parts = [part.strip() for part in text.strip("[]").split(",") if part.strip()]
            if not parts:
                raise InputError(self.argument, text, "give at least one value")
            return [self._parsed(part, item) for part in parts]
        if isinstance(former, bool):
            if text.lower() in ("true", "false"):
                return text.lower() == "true"
        elif isinstance(former, int | float):
            try:
                return type(former)(text)
            except ValueError:
                pass
        else:
            return unquoted(text)
        raise InputError(self.argument, text, f"must be {_kind(former)}")


def _kind(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"a list, each {_kind(value[0] if value else '')}"
    if value is None or isinstance(value, Mapping):
        return "whatever TOML can hold"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a whole number" if isinstance(value, int) else "a number"
    return "a text"
