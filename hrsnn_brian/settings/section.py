"""Groups of settings: frozen dataclasses whose fields check what they are set to.

A section is read from a table and written back to one; sections may hold sections.
"""

from abc import ABCMeta
from collections.abc import Iterable, Mapping
from dataclasses import fields
from inspect import getattr_static
from typing import Any, ClassVar, TypeVar

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.settings.fields import Checked

S = TypeVar("S", bound="Section")


class _Keywords(ABCMeta):
    """Lets a class say what its keyword arguments stand for, before they are its fields."""

    def __call__(cls, *args: Any, **given: Any) -> Any:
        return super().__call__(*args, **cls.keywords(given))  # type: ignore[attr-defined]


class Section(metaclass=_Keywords):
    """Conversion of a group of parameters to and from plain values."""

    section: ClassVar[str] = ""

    @classmethod
    def keywords(cls, given: dict[str, Any]) -> dict[str, Any]:
        """`given` as fields. Raises InputError for an unknown one."""
        _refuse_unknown(cls, given)
        return given

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
        _refuse_unknown(cls, map(str, table))
        return cls(**table)


def checked_fields(cls: type[Section]) -> list[tuple[str, Checked[Any]]]:
    """The names of a section's fields, inherited ones too, with the objects that check them."""
    return [(f.name, getattr_static(cls, f.name)) for f in fields(cls)]  # type: ignore[arg-type]


def _refuse_unknown(cls: type[Section], keys: Iterable[str]) -> None:
    known = [name for name, _ in checked_fields(cls)]
    for key in keys:
        if key not in known:
            raise unknown_name(f"{cls.section or 'model'} parameter", key, known)


class Part(Checked[S]):
    """A section inside another: set from the section or from its table."""

    def __init__(self, kind: type[S]) -> None:
        super().__init__({})
        self.kind = kind

    def convert(self, value: Any) -> S:
        return value if isinstance(value, self.kind) else self.kind.from_dict(value)

    def plain(self, value: S) -> dict[str, Any]:
        return value.to_dict()
