"""A score: a number that travels from the task that gives it to table, figure and verdict."""

from dataclasses import dataclass
from typing import Any

from hrsnn_brian.errors import InputError

HIGHER, LOWER, NONE = "higher", "lower", "none"
DIRECTIONS = (HIGHER, LOWER, NONE)


@dataclass(frozen=True)
class Score:
    """A number by which a network is judged, and all that is needed to speak of it.

    name: its column, the unit spelt in it ("rmse_h6_m_per_s"). unit: as it is shown, "1" for none.
    better: "higher" or "lower"; "none" for what only stands beside the scores, such as an error
        bar, a penalty or a remark.
    label: what it is, without the unit. primary: whether the task is judged by it.
    minor: told in the table only; figures give it no panel.

    Raises InputError for another direction, or a primary score without one.
    """

    name: str
    value: Any
    unit: str = "1"
    better: str = NONE
    label: str = ""
    primary: bool = False
    minor: bool = False

    def __post_init__(self) -> None:
        allowed = DIRECTIONS[:2] if self.primary else DIRECTIONS
        if self.better not in allowed:
            raise InputError(f"better of {self.name}", self.better, f"one of {', '.join(allowed)}")


def value_of(value: Any) -> Any:
    """The plain value of a score; anything else as it is."""
    return value.value if isinstance(value, Score) else value
