"""Groups of settings: frozen dataclasses whose fields check what they are set to.

A section is read from a table and written back to one; sections may hold sections.
"""

from collections.abc import Mapping
from dataclasses import fields
from inspect import getattr_static
from typing import Any, ClassVar, TypeVar

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.parameters.fields import Checked

S = TypeVar("S", bound="Section")


class Section:
    """Conversion of a group of parameters to and from plain values."""

    section: ClassVar[str] = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain, TOML-able values; keys that are not set (None) are left out."""
        plain = {name: f.plain(getattr(self, name)) for name, f in checked_fields(type(self))}
        return {name: value for name, value in plain.items() if value is not None}

    @classmethod
    def from_dict(cls: type[S], table: Mapping[str, Any]) -> S:
        """The parameters of a table; what it leaves out keeps its default.

        Raises InputError for an unknown key (the nearest valid one is named) or an unusable value.
        """
        if not isinstance(table, Mapping):
            raise InputError(cls.section or "parameters", table, "must be a table of parameters")
        known = [name for name, _ in checked_fields(cls)]
        for key in table:
            if key not in known:
                raise unknown_name(f"{cls.section or 'model'} parameter", str(key), known)
        return cls(**table)


def checked_fields(cls: type[Section]) -> list[tuple[str, Checked[Any]]]:
    """The names of a section's fields, inherited ones too, with the objects that check them."""
    return [(f.name, getattr_static(cls, f.name)) for f in fields(cls)]  # type: ignore[arg-type]


class Part(Checked[S]):
    """A section inside another: set from the section or from its table."""

    def __init__(self, kind: type[S]) -> None:
        super().__init__({})
        self.kind = kind

    def convert(self, value: Any) -> S:
        return value if isinstance(value, self.kind) else self.kind.from_dict(value)

    def plain(self, value: S) -> dict[str, Any]:
        return value.to_dict()
