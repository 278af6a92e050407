"""Real series: the two shipped with the package, and columns of the user's own CSV file.

What is missing or stuck is cut out, never filled in: the series is in pieces then.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.csv_cells import Cells, decimal_mark, is_number, pointed, read_cells
from hrsnn_brian.settings.fields import OptionalText, OptionalWhole, Real
from hrsnn_brian.settings.section import Section
from hrsnn_brian.tasks.data import data_file
from hrsnn_brian.tasks.segments import segments
from hrsnn_brian.tasks.time_column import find_time

MIN_SAMPLES = 300  # below this a chronological split leaves too little to fit and to score
MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "-"})  # of a cell, in small letters

# A run of equal values is implausible from ten rows on, if it is ten times as long as 99 in 100
# runs of the column: nights of a solar plant pass, a frozen anemometer does not. [choice]
STUCK_ROWS, STUCK_FACTOR, STUCK_QUANTILE = 10, 10, 0.99


@dataclass(frozen=True)
class Reading(Section):
    """How a file of the user's is read."""

    sep: OptionalText = OptionalText("a character or its name").about(
        "between cells; recognised unless given"
    )
    decimal: OptionalText = OptionalText(". or ,").about("decimal mark; recognised unless given")
    time: OptionalText = OptionalText("a column").about(
        "the column of times; looked for if not given"
    )
    stuck: OptionalWhole = OptionalWhole(0).about(
        "equal values on end that are cut out as a stuck sensor, 0 for never; unless given, "
        "10 or more, and ten times as many as 99 % of the column's runs have",
        "rows",
    )
    irregular: Real = Real(0.05, 0.0, 1.0).about(
        "share of irregular time steps up to which the series is cut at each; with more of them, "
        "such as the weekends of a price, rows count as equally spaced"
    )


@dataclass(frozen=True, eq=False)
class Series:
    """Columns of a file: `values` (T, D), what one row is, and what a reader must know.

    cuts: the rows that do not follow the one before them. lines, times: of the rows in the file,
    where there is one, and it has times.
    """

    values: np.ndarray
    names: tuple[str, ...] = ()
    step: str = "1 sample"
    remarks: tuple[str, ...] = ()
    cuts: tuple[int, ...] = field(default=(), kw_only=True)
    lines: Sequence[int] = field(default=(), kw_only=True)
    times: Sequence[str] = field(default=(), kw_only=True)

    def without_short_segments(self, shortest: int) -> "Series":
        """The same without the segments of fewer than `shortest` rows, which a remark tells."""
        parts = segments(len(self.values), self.cuts)
        long = [part for part in parts if part.stop - part.start >= shortest]
        if not self.cuts or len(long) == len(parts):
            return self
        kept = [row for part in long for row in range(part.start, part.stop)]
        lost = len(self.values) - len(kept)
        remark = f"of {len(parts)} segments {len(parts) - len(long)} have fewer than {shortest} "
        remark += f"rows and are left out ({lost} of {len(self.values)} rows)"
        return replace(
            self,
            values=self.values[kept],
            lines=[self.lines[row] for row in kept] if self.lines else (),
            times=[self.times[row] for row in kept] if self.times else (),
            cuts=tuple(np.cumsum([part.stop - part.start for part in long])[:-1].tolist()),
            remarks=(*self.remarks, remark),
        )


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
    columns: str | Sequence[str],
    reading: Reading | None = None,
    shortest: int = MIN_SAMPLES,
) -> Series:
    """Columns of a text file with a header line, in the file's order.

    columns: names, or one text of several with commas between. Rows without a value in one of them
    (an empty cell, nan, NA and the like) and rows of a stuck sensor are cut out, and the series is
    cut where the time column leaves out rows; each is a remark with the first line and the count.

    Raises InputError if the file cannot be read, a row and the header differ in length, a column
    is missing (the nearest name is given) or named twice, a cell is not a finite number (its line
    is given, the header being line 1), a column is constant, fewer than `shortest` rows are
    left, or the times run backwards.
    """
    reading = reading or Reading()
    wanted = [columns] if isinstance(columns, str) else [str(name) for name in columns]
    first = wanted[0] if wanted else None
    cells = read_cells(path, "data", reading.sep, reading.decimal, first)
    names = _names(cells, wanted)
    marks = [decimal_mark(cells, name, reading.decimal) for name in names]
    values = np.column_stack(
        [_numbers(cells, name, mark) for name, (mark, _) in zip(names, marks, strict=True)]
    )
    if len(values) < shortest:
        rows = f"has {len(values)} rows, at least {shortest} are needed"
        raise InputError("data", str(path), rows)
    remarks = [remark for _, remark in marks]
    bad = np.zeros(len(values), dtype=bool)
    for k, name in enumerate(names):
        missing = np.isnan(values[:, k])
        if not missing.all() and np.ptp(values[~missing, k]) == 0.0:
            value = values[np.argmin(missing), k]
            raise InputError("column", name, f"is constant ({value:g}): nothing to predict")
        stuck, remark = _stuck(values[:, k], cells.lines, name, reading.stuck)
        remarks += [_missing(missing, cells.lines, name), remark]
        bad |= missing | stuck
    times = find_time(cells, names, reading.time)
    follows = ~bad[:-1] & ~bad[1:]  # whether row k + 1 follows row k
    if times:
        within = times.irregular <= reading.irregular * len(follows)
        follows[list(times.breaks if within else ())] = False
        how = "the series is cut there" if within else "rows are scored as if equally spaced"
        remarks.append(f"{times.remark}; {how}" if times.breaks else times.remark)
    kept = np.flatnonzero(~bad)
    if len(kept) < shortest:
        why = f"{len(kept)} rows are left of {len(values)}, at least {shortest} are needed: "
        raise InputError("data", str(path), why + "; ".join(filter(None, remarks)))
    cuts = 1 + np.flatnonzero(~follows[kept[1:] - 1])
    step = times.step if times else Series.step
    told = tuple(filter(None, remarks))
    return Series(
        values[kept],
        names,
        step,
        told,
        cuts=tuple(cuts.tolist()),
        lines=[cells.lines[row] for row in kept],
        times=[times.texts[row] for row in kept] if times else (),
    )


def _names(cells: Cells, wanted: Sequence[str]) -> tuple[str, ...]:
    """The columns asked for; a text that is none may be several with commas between."""
    names: list[str] = []
    for text in wanted:
        parts = [part.strip() for part in text.split(",")]
        names += [text] if text in cells.header or not set(parts) & {*cells.header} else parts
    if not names or len(set(names)) < len(names):
        raise InputError("column", list(wanted), "must be different columns, at least one")
    return tuple(names)


def _numbers(cells: Cells, column: str, mark: str) -> NDArray[np.float64]:
    """The numbers of a column with that decimal mark, NaN where it has none."""
    found = []
    for line, text in zip(cells.lines, cells.column(column), strict=True):
        cell = "nan" if text.casefold() in MISSING else pointed(text, mark)
        # so that squares are finite too
        if cell != "nan" and not (is_number(cell) and abs(float(cell)) < 1e100):
            raise InputError("column", column, f"line {line} holds {text!r}, not a finite number")
        found.append(float(cell))
    return np.array(found)


def _missing(missing: NDArray[np.bool_], lines: Sequence[int], column: str) -> str:
    count = int(missing.sum())
    if not count:
        return ""
    first = lines[int(np.argmax(missing))]
    return f"column {column!r} has no value in {count} rows, the first at line {first}: cut out"


def _stuck(
    values: NDArray[np.float64], lines: Sequence[int], column: str, rows: int | None
) -> tuple[NDArray[np.bool_], str]:
    """Which values a stuck sensor gave, (T,), and what to say of them; `rows`: as in `Reading`."""
    starts = np.flatnonzero(np.append(True, ~(np.diff(values) == 0)))  # NaN repeats nothing
    lengths = np.diff(np.append(starts, len(values)))
    usual = int(np.quantile(lengths, STUCK_QUANTILE, method="lower"))
    shortest = max(STUCK_ROWS, STUCK_FACTOR * usual) if rows is None else rows
    runs = np.flatnonzero(lengths >= (max(shortest, 2) if shortest else np.inf))
    found = np.zeros(len(values), dtype=bool)
    for run in runs:
        found[starts[run] : starts[run] + lengths[run]] = True
    if not found.any():
        return found, ""
    begin, n = int(starts[runs[0]]), int(lengths[runs[0]])
    remark = (
        f"column {column!r} holds {values[begin]:g} in {n} rows on end, lines {lines[begin]} to "
    )
    remark += f"{lines[begin + n - 1]}"
    if len(runs) > 1:
        remark += f", the first of {len(runs)} such runs ({found.sum()} rows)"
    return found, f"{remark}: a stuck sensor, cut out (from {shortest} rows on end)"
