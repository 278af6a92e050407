"""Real series: the two shipped with the package, and a column of the user's own CSV file."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.csv_cells import decimal_mark, is_number, pointed, read_cells
from hrsnn_brian.tasks.data import data_file
from hrsnn_brian.tasks.time_column import find_time

MIN_SAMPLES = 300  # below this a chronological split leaves too little to fit and to score
STUCK = 0.05  # share of the rows in one run of equal values from which it is remarked [choice]


@dataclass(frozen=True, eq=False)
class Series:
    """A column of a file: `values` (T,), what one row is (`step`), and what a reader must know."""

    values: np.ndarray
    step: str = "1 sample"
    remarks: tuple[str, ...] = ()


def google_series() -> np.ndarray:
    """Daily closing price of Google in US dollars, 2004-08-19 to 2013-03-01, (2148,)."""
    return _shipped("google", "close_usd")


def wind_series() -> np.ndarray:
    """Hourly wind speed in m/s, La Haute Borne, turbine R80711, from 2014-01-01, (4038,).

    Credit: ENGIE, La Haute Borne (Licence Ouverte 2.0). Five significant digits are shipped.
    """
    return _shipped("wind", "wind_speed_m_per_s")


def _shipped(name: str, column: str) -> np.ndarray:
    cells = read_cells(data_file(name), "data", sep=",")
    return np.array(cells.column(column), dtype=float)


def read_series(
    path: str | Path | Traversable,
    column: str,
    *,
    sep: str | None = None,
    decimal: str | None = None,
    time: str | None = None,
) -> Series:
    """One column of a text file with a header line, in the file's order.

    sep, decimal: as in `read_cells` and `decimal_mark`; None recognises them. time: the column of
    times, of which irregular steps are remarked; None looks for it (`find_time`).

    Raises InputError if the file cannot be read, a row and the header differ in length, the column
    is missing (the nearest name is given) or named twice, a cell is not a finite number (its line
    is given, the header being line 1), the series is shorter than `MIN_SAMPLES` or constant, or
    the times run backwards.
    """
    cells = read_cells(path, "data", sep, decimal, column)
    values = _numbers(cells.column(column), cells.lines, column, decimal)
    if len(values) < MIN_SAMPLES:
        raise InputError(
            "data", str(path), f"has {len(values)} rows, at least {MIN_SAMPLES} are needed"
        )
    if np.ptp(values) == 0.0:
        raise InputError("column", column, f"is constant ({values[0]:g}): nothing to predict")
    times = find_time(cells, column, time)
    remarks = [times.remark if times else "", _stuck(values, cells.lines, column)]
    step = times.step if times else Series.step
    return Series(values, step, tuple(filter(None, remarks)))


def _numbers(
    texts: Sequence[str], lines: Sequence[int], column: str, decimal: str | None
) -> np.ndarray:
    mark = decimal_mark(texts, lines, decimal)
    pointed_texts = [pointed(text, mark) for text in texts]
    for line, text, cell in zip(lines, texts, pointed_texts, strict=True):
        if not (is_number(cell) and abs(float(cell)) < 1e100):  # so that squares are finite too
            raise InputError("column", column, f"line {line} holds {text!r}, not a finite number")
    return np.array(pointed_texts, dtype=float)


def _stuck(values: np.ndarray, lines: Sequence[int], column: str) -> str:
    """What to say of the longest run of one value, if it is long; else ""."""
    starts = np.flatnonzero(np.append(True, np.diff(values) != 0))
    lengths = np.diff(np.append(starts, len(values)))
    longest = int(np.argmax(lengths))
    n, first = int(lengths[longest]), int(starts[longest])
    if n < STUCK * len(values):
        return ""
    return (
        f"column {column!r} holds {values[first]:g} in {n} rows on end, lines {lines[first]} to "
        f"{lines[first + n - 1]}: a stuck sensor?"
    )
