"""How objects show themselves: a line as text, a small table in a notebook."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ROWS = 20  # of a result that a notebook shows


class Shown:
    """Base of what people print: `facts` says what it is in a few words each.

    A result also has a `frame`, of which a notebook shows the first rows.
    """

    def facts(self) -> Mapping[str, Any]:
        """Name -> value, the most telling first."""
        raise NotImplementedError

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {_text(value)}" for name, value in self.facts().items())
        return f"<{type(self).__name__}: {told}>"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(_text(value))}</td></tr>"
            for name, value in self.facts().items()
        )
        page = f"<strong>{escape(type(self).__name__)}</strong><table>{cells}</table>"
        if not isinstance(self, Framed):
            return page
        frame = self.frame()
        more = f"<p>{len(frame)} rows, see frame()</p>" if len(frame) > ROWS else ""
        return page + str(frame.head(ROWS).to_html(index=False, float_format=_text)) + more


class Framed(Shown):
    """A result with rows."""

    def frame(self) -> "pd.DataFrame":
        """Its rows as a DataFrame."""
        raise NotImplementedError


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
