"""Real series: the two shipped with the package, and a column of the user's own CSV file."""

import csv
import math
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO

import numpy as np

from hrsnn_brian.data import data_file
from hrsnn_brian.errors import InputError, unknown_name

MIN_SAMPLES = 300  # below this a chronological split leaves too little to fit and to score


def google_series() -> np.ndarray:
    """Daily closing price of Google in US dollars, 2004-08-19 to 2013-03-01, (2148,)."""
    return csv_series(data_file("google"), "close_usd")


def wind_series() -> np.ndarray:
    """Hourly wind speed in m/s, La Haute Borne, turbine R80711, from 2014-01-01, (4038,).

    Credit: ENGIE, La Haute Borne (Licence Ouverte 2.0). Five significant digits are shipped.
    """
    return csv_series(data_file("wind"), "wind_speed_m_per_s")


def csv_series(path: str | Path | Traversable, column: str) -> np.ndarray:
    """One column of a comma-separated file with a header line, in the file's order, (T,).

    Raises InputError if the file cannot be read as CSV text, the column is missing (the nearest
    name is given), a cell is not a finite number (its line is given, the header being line 1),
    the series is shorter than `MIN_SAMPLES`, or it is constant.
    """
    source = Path(path) if isinstance(path, str) else path
    try:
        with source.open("r", encoding="utf-8-sig") as file:
            values = _read_column(file, str(path), column)
    except OSError as error:
        raise InputError("data", str(path), f"cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError("data", str(path), "must be a comma-separated UTF-8 text file") from None
    if len(values) < MIN_SAMPLES:
        raise InputError(
            "data", str(path), f"has {len(values)} rows, at least {MIN_SAMPLES} are needed"
        )
    series = np.array(values)
    if np.ptp(series) == 0.0:
        raise InputError("column", column, f"is constant ({values[0]:g}): nothing to predict")
    return series


def _read_column(file: IO[str], path: str, column: str) -> list[float]:
    reader = csv.reader(file)
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise InputError("data", path, "must begin with a line of column names; it is empty")
    if column not in header:
        raise unknown_name("column", column, filter(None, header))
    index = header.index(column)
    values = []
    for row in reader:
        if not row:
            continue
        cell = row[index].strip() if index < len(row) else ""
        values.append(_finite(cell, column, reader.line_num))
    return values


def _finite(cell: str, column: str, line: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not abs(value) < 1e100:  # so that squares are finite too
        raise InputError("column", column, f"line {line} holds {cell!r}, not a finite number")
    return value
