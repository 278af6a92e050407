"""Fields of settings that hold distributions over neurons."""

from collections.abc import Iterable
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.distributions import Distribution, as_distribution
from hrsnn_brian.settings.fields import Checked


def _positive(distribution: Distribution, argument: str) -> Distribution:
    atom_at_zero = distribution.family in ("constant", "uniform") and distribution.lower == 0
    if distribution.lower < 0 or atom_at_zero:
        raise InputError(argument, distribution.to_dict(), "all its values must be > 0")
    return distribution


class Spread(Checked[Distribution]):
    """A distribution over neurons in `unit` ("s" or "1"), of positive values if asked."""

    def __init__(self, default: Distribution, unit: str, positive: bool = False) -> None:
        super().__init__(default)
        self.unit, self.positive = unit, positive

    def convert(self, value: Any) -> Distribution:
        found = as_distribution(value, self.unit, self.argument)
        return _positive(found, self.argument) if self.positive else found

    def plain(self, value: Distribution) -> dict[str, Any]:
        return value.to_dict()


class Spreads(Checked[tuple[Distribution, ...]]):
    """A list of distributions of positive values in `unit`, one per cluster; may be empty."""

    def __init__(self, unit: str) -> None:
        super().__init__(())
        self.unit = unit

    def convert(self, value: Any) -> tuple[Distribution, ...]:
        if isinstance(value, (str, dict)) or not isinstance(value, Iterable):
            raise InputError(self.argument, value, "must be a list of distributions")
        items = (as_distribution(item, self.unit, self.argument) for item in value)
        return tuple(_positive(item, self.argument) for item in items)

    def plain(self, value: tuple[Distribution, ...]) -> list[dict[str, Any]] | None:
        return [item.to_dict() for item in value] or None
