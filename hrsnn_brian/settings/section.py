"""Groups of settings: frozen dataclasses whose fields check what they are set to.

A section is read from a table and written back to one; sections may hold sections.
"""

from abc import ABCMeta
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, replace
from functools import cache
from inspect import getattr_static
from typing import Any, ClassVar, TypeVar

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.keys import Keys

S = TypeVar("S", bound="Section")


class _Keywords(ABCMeta):
    """Lets a class say what its keyword arguments stand for, before they are its fields."""

    def __call__(cls, *args: Any, **given: Any) -> Any:
        return super().__call__(*args, **cls.keywords(given))  # type: ignore[attr-defined]


class Section(metaclass=_Keywords):
    """Conversion of a group of parameters to and from plain values.

    section: its name in dotted paths. aliases: another name -> the fields it stands for. renamed:
    a name that is no longer taken -> what to say of it.
    """

    section: ClassVar[str] = ""
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    renamed: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def keys(cls) -> Keys:
        """Every key that can be set, those of inner sections by their dotted path."""
        own = {name: c for name, c in checked_fields(cls) if not isinstance(c, Part)}
        found = Keys(own, cls.aliases, cls.renamed)
        for name, checked in checked_fields(cls):
            if isinstance(checked, Part):
                found |= checked.kind.keys().under(name)
        return found

    @classmethod
    def keywords(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Keyword arguments as fields, short keys and aliases put where they belong.

        A short key goes before the section it belongs to, as in `replace(params, J=0.2)`. Raises
        InputError for a key that is unknown or ambiguous, or given twice.
        """
        own = {name for name, _ in checked_fields(cls)}
        if own.issuperset(given):
            return given
        keys = replace(cls.keys(), argument=f"{cls.section or 'model'} parameter")
        changed = {name: value for name, value in given.items() if name in own}
        for key, value in given.items():
            for path in () if key in own else keys.paths(key, own):
                top, _, inner = path.partition(".")
                held = changed.get(top, {})
                twice = isinstance(held, Mapping) and inner == key and key in held
                if twice or (not inner and top in changed):
                    raise InputError(key, value, f"is also given in {top}")
                if inner:
                    changed[top] = held.to_dict() if isinstance(held, Section) else deepcopy(held)
                keys.put(changed, path, value)
        return changed

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
        known = {*(name for name, _ in checked_fields(cls)), *cls.aliases}
        for key in map(str, table):
            if key not in known:
                argument = f"{cls.section or 'model'} parameter"
                raise Keys(dict(checked_fields(cls)), argument=argument).unknown(key)
        return cls(**table)

    @classmethod
    def reconciled(
        cls, table: Mapping[str, Any], changed: dict[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`changed`, that is `table` after what the user set (`given`, by full path), made whole.

        Inner sections may drop what means nothing beside the user's choices, or refuse a choice
        that has no effect beside the others.
        """
        for name, checked in checked_fields(cls):
            split = ((path.partition("."), value) for path, value in given.items())
            inner = {rest: value for (top, dot, rest), value in split if dot and top == name}
            if isinstance(checked, Part) and inner:
                before = table.get(name, {})
                changed[name] = checked.kind.reconciled(before, changed[name], inner)
        return changed


@cache
def checked_fields(cls: type[Section]) -> tuple[tuple[str, Checked[Any]], ...]:
    """The names of a section's fields, inherited ones too, with the objects that check them."""
    return tuple((f.name, getattr_static(cls, f.name)) for f in fields(cls))  # type: ignore[arg-type]


class Part(Checked[S]):
    """A section inside another: set from the section, or from a table of what differs from the
    default."""

    def __init__(self, kind: type[S], default: Mapping[str, Any] | None = None) -> None:
        super().__init__(default or {})
        self.kind, self._usual = kind, default or {}

    def allowed(self) -> str:
        return "a table of parameters"

    def convert(self, value: Any) -> S:
        if isinstance(value, self.kind):
            return value
        return self.kind.from_dict(_completed(value, self._usual))

    def plain(self, value: S) -> dict[str, Any]:
        return value.to_dict()


def _completed(table: Any, default: Any) -> Any:
    """The table with what it leaves out of `default`; so are tables in it."""
    if not isinstance(table, Mapping) or not isinstance(default, Mapping):
        return table
    return {**default, **{key: _completed(given, default.get(key)) for key, given in table.items()}}
