"""Fields of settings that hold distributions over neurons."""

from collections.abc import Iterable
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.distributions import FAMILIES, Distribution, as_distribution
from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.units import SECOND


def _positive(distribution: Distribution, argument: str) -> Distribution:
    atom_at_zero = distribution.family in ("constant", "uniform") and distribution.lower == 0
    if distribution.lower < 0 or atom_at_zero:
        raise InputError(argument, distribution.to_dict(), "all its values must be > 0")
    return distribution


class Spread(Checked[Distribution]):
    """A distribution over neurons in `dimension` ("s" or "1"), of positive values if asked.

    Its keys can be set one by one: "neuron.tau_m.mean".
    """

    nested = True

    def __init__(self, default: Distribution, dimension: str, positive: bool = False) -> None:
        super().__init__(default)
        self.dimension, self.positive = dimension, positive
        self.unit = dimension if dimension == SECOND else ""

    def allowed(self) -> str:
        number = "time" if self.dimension == SECOND else "number"
        values = f"{'positive ' if self.positive else ''}{number}s"
        return f"a {number}, or the table of a distribution of {values} ({', '.join(FAMILIES)})"

    def convert(self, value: Any) -> Distribution:
        found = as_distribution(value, self.dimension, self.argument)
        return _positive(found, self.argument) if self.positive else found

    def plain(self, value: Distribution) -> dict[str, Any]:
        return value.to_dict()

    def is_whole(self, value: Any) -> bool:
        return not isinstance(value, dict) or "family" in value

    def inside(self, held: Any, key: str, value: Any) -> dict[str, Any]:
        """The table with one key set; a gamma's cv goes before its shape."""
        if held is None:
            held = self.default()
        elif isinstance(held, Distribution):
            held = held.to_dict()
        table = dict(held) if isinstance(held, dict) else {"family": "constant", "value": held}
        if key == "cv" and table.get("family") == "gamma":
            table.pop("shape", None)
        return {**table, key: value}


class Spreads(Checked[tuple[Distribution, ...]]):
    """A list of distributions of positive times, one per cluster; may be empty."""

    unit = SECOND

    def __init__(self) -> None:
        super().__init__(())

    def allowed(self) -> str:
        return "a list of distributions of positive times, one per cluster"

    def convert(self, value: Any) -> tuple[Distribution, ...]:
        if isinstance(value, (str, dict)) or not isinstance(value, Iterable):
            raise InputError(self.argument, value, "must be a list of distributions")
        items = (as_distribution(item, SECOND, self.argument) for item in value)
        return tuple(_positive(item, self.argument) for item in items)

    def plain(self, value: tuple[Distribution, ...]) -> list[dict[str, Any]] | None:
        return [item.to_dict() for item in value] or None
