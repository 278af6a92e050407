"""The base of all fields: what is set is converted and checked, and described in one place.

`t_ref: Time = Time("2 ms").about("refractory period")` in a frozen dataclass is set from whatever
the user gives, checked and converted at once, and read back as the plain value kernels take (here:
seconds). A value that does not fit raises an InputError that names `section.key`.
"""

import tomllib
from abc import ABC, abstractmethod
from typing import Any, Generic, Self, TypeVar

from hrsnn_brian.errors import InputError

T = TypeVar("T")


class Checked(ABC, Generic[T]):
    """A dataclass field that converts and checks what it is set to.

    meaning: one line; unit: of the number as it is read, "" if it has none; grade: whose choice the
    default is, "paper", "review" or "choice". nested: whether its value is a table of which single
    keys can be set (`inside`).
    """

    meaning, unit, grade = "", "", "choice"
    nested = False

    def __init__(self, default: Any) -> None:
        self._default = default
        self.argument = "value"

    def about(self, meaning: str, unit: str | None = None, grade: str = "choice") -> Self:
        """The same field with what a user is told of it; unit: None for that of its kind."""
        self.meaning, self.grade = meaning, grade
        self.unit = self.unit if unit is None else unit
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

    @abstractmethod
    def allowed(self) -> str:
        """What the field takes, in words that follow "must be"."""

    def values(self) -> dict[str, str]:
        """What each of a few names means; empty where the field takes something else."""
        return {}

    def plain(self, value: T) -> Any:
        """The value as TOML can hold it; None leaves the key out."""
        return value

    def read(self, text: str) -> Any:
        """What a text of the command line stands for, still to be converted."""
        return parse_value(text)

    def inside(self, held: Any, key: str, value: Any) -> dict[str, Any]:
        """The table of a nested value with one key set; held: the table so far, if there is one."""
        raise NotImplementedError

    def is_whole(self, value: Any) -> bool:
        """Whether this is all of a nested value, not a table of some of its keys."""
        return True

    def default(self) -> Any:
        """The default as a user would write it, None if there is none."""
        value = self.convert(self._default)
        plain = self.plain(value)
        return value if plain is None and isinstance(value, str) else plain

    def refused(self, value: Any) -> InputError:
        """The error about a value that does not fit."""
        return InputError(self.argument, value, f"must be {self.allowed()}")


def parse_value(text: str) -> Any:
    """The TOML value a text stands for; a text that is none is itself.

    Raises InputError for a table or list that TOML cannot read.
    """
    text = text.strip()
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError as error:
        if text[:1] in ("{", "["):
            raise InputError("value", text, f"is not valid TOML: {error}") from None
        return text
    return parsed["value"] if set(parsed) == {"value"} else text


def unquoted(text: str) -> str:
    """A text without blanks around it and without the quotes that TOML would want."""
    return text.strip().strip("\"'")
