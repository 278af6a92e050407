"""Fields that hold lists."""

from collections.abc import Callable, Iterable
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.checked import Checked, parse_value, unquoted


def items_of(text: str, argument: str, read: Callable[[str], Any]) -> list[Any]:
    """The items of a list: as TOML writes one, or separated by commas."""
    text = text.strip()
    if text.startswith("["):
        try:
            listed = parse_value(text)
        except InputError:  # such as [wind, google]
            listed = None
        if isinstance(listed, list):
            return listed
    parts = [unquoted(part) for part in text.strip("[]").split(",") if part.strip()]
    if not parts:
        raise InputError(argument, text, "give at least one value")
    return [read(part) for part in parts]


class Many(Checked[tuple[Any, ...]]):
    """A list of values that a field of its own checks each; one: what a single one is called.

    empty: whether it may have none.
    """

    def __init__(
        self, item: Checked[Any], default: Iterable[Any], one: str = "", empty: bool = False
    ) -> None:
        super().__init__(tuple(default))
        self.item, self.one, self.empty = item, one, empty

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.item.argument = self.one or self.argument

    def allowed(self) -> str:
        return f"a list, each {self.item.allowed()}"

    def values(self) -> dict[str, str]:
        return self.item.values()

    def convert(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise self.refused(value)
        items = tuple(self.item.convert(item) for item in value)
        if not items and not self.empty:
            raise InputError(self.argument, list(items), "give at least one value")
        return items

    def plain(self, value: tuple[Any, ...]) -> list[Any]:
        return [self.item.plain(item) for item in value]

    def read(self, text: str) -> Any:
        if self.empty and not text.strip():
            return []
        return items_of(text, self.argument, self.item.read)
