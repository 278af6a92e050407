"""Reading the table of the study lyapunov_spectrum: J scanned at one g, g scanned at one J."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_brian.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

if TYPE_CHECKING:
    import pandas as pd

# A colour and a symbol for each condition, and for each of the few J or g of one panel.
CONDITION_STYLES = ((GREY, "o"), (BLUE, "s"), (ORANGE, "^"), (GREEN, "D"), (PURPLE, "v"))
VALUE_COLOURS = (SKY, BLUE, VERMILION, ORANGE)


@dataclass(frozen=True)
class Scan:
    """A parameter that was varied: its name, its values, and the rows with the other one fixed."""

    name: str
    values: list[float]
    fixed: str
    rows: "pd.DataFrame"

    def at(self, value: float) -> "pd.DataFrame":
        """The rows at one value."""
        return self.rows[self.rows[self.name] == value]


def scans(rows: "pd.DataFrame") -> list[Scan]:
    """The scan of J and, if more than one g was used, that of g.

    The fixed value is the one at which most values of the other were used.
    """
    found = []
    for name, other in (("J", "g"), ("g", "J")):
        fixed = rows.groupby(other)[name].nunique().idxmax()
        scan = rows[rows[other] == fixed]
        values = sorted(float(value) for value in scan[name].unique())
        if name == "J" or len(values) > 1:
            found.append(Scan(name, values, f"{other} = {fixed:.3g}", scan))
    return found


def condition_styles(rows: "pd.DataFrame") -> dict[str, tuple[str, str]]:
    """Condition -> (colour, symbol), in order of appearance."""
    conditions = rows["network"].unique()
    n = len(CONDITION_STYLES)
    return {str(name): CONDITION_STYLES[k % n] for k, name in enumerate(conditions)}
