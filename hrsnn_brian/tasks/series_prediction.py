"""What was predicted of a series, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.score import Score
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.series import Series

if TYPE_CHECKING:
    from hrsnn_brian.tasks.series_predictor import SeriesPredictor


@dataclass(frozen=True, eq=False)
class SeriesPrediction:
    """What was predicted of a series, in its own units.

    rows (R,): of the series, from each of which is predicted. predictions: horizon -> (R, outputs).
    free: (steps, outputs), the run after the last row. scores: over `scored` rows whose later ones
    are there. remarks: what a reader must know.
    """

    predictor: "SeriesPredictor"
    series: Series
    rows: NDArray[np.int_]
    predictions: Mapping[int, FloatArray]
    free: FloatArray
    scores: tuple[Score, ...]
    scored: int
    remarks: tuple[str, ...]

    def table(self) -> list[dict[str, Any]]:
        """One row for each row predicted from, then one for each step of the free run."""
        found = [self._row(row, self._values(k)) for k, row in enumerate(self.rows)]
        for step, values in enumerate(self.free, start=1):
            named = zip(self.predictor.words, values, strict=True)
            more = {"free_step": step, **{f"free{word}": value for word, value in named}}
            found.append(self._row(len(self.series.values) - 1, more))
        return found

    def _values(self, k: int) -> dict[str, Any]:
        return {
            f"prediction{word}_h{h}": values[k, output]
            for output, word in enumerate(self.predictor.words)
            for h, values in self.predictions.items()
        }

    def _row(self, row: int, values: dict[str, Any]) -> dict[str, Any]:
        where: dict[str, Any] = {"row": int(row)}
        if self.series.lines:
            where["line"] = int(self.series.lines[row])
        if self.series.times:
            where["time"] = self.series.times[row]
        return where | values

    def columns(self) -> list[Column]:
        """What the columns of `table` mean."""
        unit, told = self.predictor.unit, self.predictor.told
        found = [
            Column("row", "row of the series, from 0, gaps cut out", "1", role="identity"),
            Column("line", "line of the file", "1", role="identity"),
            Column("time", "time of the row, as in the file", role="identity"),
            Column("free_step", "samples after that row, in a free run", "1", role="identity"),
        ]
        for text, name in zip(self.predictor.words, told, strict=True):
            found += [
                Column(f"prediction{text}_h{h}", f"predicted: {name} {h} rows on", unit)
                for h in self.predictor.horizons
            ]
            found.append(Column(f"free{text}", f"{name} in a run on its own predictions", unit))
        return found
