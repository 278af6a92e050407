"""Scores of predictions of a new series by its own later rows, as an evaluation has them."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.files.score import Score
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.forecast import horizon_scores
from hrsnn_brian.tasks.segments import segments, uncut
from hrsnn_brian.tasks.series import Series

if TYPE_CHECKING:
    from hrsnn_brian.tasks.series_predictor import SeriesPredictor


def block_digest(values: FloatArray) -> str:
    """A short hash of numbers, by which a training block is known again."""
    return hashlib.sha256(np.ascontiguousarray(values, dtype=float).tobytes()).hexdigest()[:16]


def scored(
    predictor: "SeriesPredictor",
    series: Series,
    rows: NDArray[np.int_],
    predictions: Mapping[int, FloatArray],
) -> tuple[tuple[Score, ...], int, tuple[str, ...]]:
    """Scores, of how many rows they are, and what a reader must know of that.

    rows, predictions: as in `SeriesPrediction`. One set of rows for all horizons: those whose later
    ones are in the series, without a cut between; after the training block, if it begins with that.
    """
    truth = _truth(predictor, series)
    if truth is None:
        return (), 0, ("what is predicted is no column of the data: nothing to score by",)
    n, longest = len(series.values), max(predictor.horizons)
    block = slice(predictor.washout, n - longest)
    inside = uncut(block, n, series.cuts, predictor.washout, longest)
    first = _first(predictor, series, longest)
    remarks = ("the data begin with the training block, which is not scored",) * (first > 0)
    chosen = np.arange(n)[inside]
    chosen = chosen[chosen >= first]
    if not len(chosen):
        return (), 0, (*remarks, f"no row has one {longest} rows on that could be scored")
    place = np.searchsorted(rows, chosen)
    scores = horizon_scores(
        predictor,
        {h: predicted[place] for h, predicted in predictions.items()},
        {h: truth[chosen + h] for h in predictor.horizons},
    )
    return scores, len(chosen), remarks


def _truth(predictor: "SeriesPredictor", series: Series) -> FloatArray | None:
    """The columns that are predicted, (T, outputs); None if they are not in the series."""
    if series.values.shape[1] == len(predictor.mean):
        return series.values[:, list(predictor.outputs)]
    places = [predictor.inputs.index(k) for k in predictor.outputs if k in predictor.inputs]
    return series.values[:, places] if len(places) == len(predictor.outputs) else None


def _first(predictor: "SeriesPredictor", series: Series, longest: int) -> int:
    """The first row after the training block, 0 if the series does not begin with it.

    Segments too short for a target were left out of the task, if they were cut at all.
    """
    start, stop, digest = predictor.trained
    shortest = predictor.washout + longest + 1 if series.cuts else 0
    long = [
        np.arange(part.start, part.stop)
        for part in segments(len(series.values), series.cuts)
        if part.stop - part.start >= shortest
    ]
    kept = np.concatenate([np.arange(0), *long])
    if len(kept) < stop or block_digest(series.values[kept[start:stop]]) != digest:
        return 0
    return int(kept[stop - 1]) + 1
