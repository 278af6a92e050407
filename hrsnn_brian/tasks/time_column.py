"""The time column of a user's series: found, read, and its irregular steps named.

A forecasting task counts in rows. Where the file says when a row was taken, a gap or a repetition
is noticed here; nothing is filled in, and it is for the reader to cut (`series`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.csv_cells import Cells, is_number, pointed

TOLERANCE = 0.01  # of the usual step, by which a regular one may differ [choice]

_RUNNING = re.compile(r"(date|time|datetime|timestamp|ts|t)([ _(\[].*)?")
# as often a feature as a running time: it counts only if it rises throughout
_COUNTING = re.compile(r"(|index|sample|seconds?|minutes?|hours?|days?|years?)([ _(\[].*)?")
_DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


@dataclass(frozen=True)
class TimeColumn:
    """The times of the rows. step: the usual one, as text. remark: what is irregular, or "".

    irregular: how many steps are. breaks: which, step k being that from row k to the next; empty if
    none is, or all that is known is that they are not even. texts: of the rows, as in the file.
    """

    name: str
    step: str
    irregular: int
    remark: str = ""
    breaks: tuple[int, ...] = ()
    texts: Sequence[str] = ()


def find_time(cells: Cells, columns: Sequence[str], given: str | None = None) -> TimeColumn | None:
    """The times beside `columns`: of the column `given`, else of the most regular that is found.

    Found are columns of dates, and numbers in a column called time, t, timestamp and the like, or
    (if they rise) index, hour and the like. None if there is none.

    Raises InputError if the times run backwards, or those of `given` cannot be read.
    """
    if given is not None:
        read = _read(cells.column(given), cells.lines)
        if isinstance(read, str):
            raise InputError("time", given, read)
        return _described(given, read, cells)
    found, unread = [], []
    for name, texts in _candidates(cells, columns).items():
        read = _read(texts, cells.lines)
        if not isinstance(read, str):
            if _is_running(name) or np.all(np.diff(read.instants) > 0):
                found.append(_described(name, read, cells))
        elif _is_running(name):
            remark = f"the steps of the time column {name!r} are not checked: {read}"
            unread.append(TimeColumn(name, "1 sample", 0, remark, texts=texts))
    return min(found, key=lambda time: time.irregular) if found else next(iter(unread), None)


@dataclass(frozen=True)
class _Times:
    instants: np.ndarray  # seconds, months or the file's own numbers
    unit: str  # "s", "months" or ""
    texts: Sequence[str]


def _is_running(name: str) -> bool:
    return _RUNNING.fullmatch(name.casefold()) is not None


def _candidates(cells: Cells, columns: Sequence[str]) -> dict[str, Sequence[str]]:
    """Columns that may be times, and a date joined with a time of day beside it."""
    found: dict[str, Sequence[str]] = {}
    for name in cells.header:
        if name in columns or cells.header.count(name) > 1 or not cells.rows:
            continue
        named = _is_running(name) or _COUNTING.fullmatch(name.casefold())
        texts = cells.column(name)
        if named or not (is_number(texts[0]) or isinstance(_read(texts[:2], cells.lines), str)):
            found[name] = texts
    by_name = {name.casefold(): name for name in found}
    if "date" in by_name and "time" in by_name:
        date, clock = by_name["date"], by_name["time"]
        joined = [f"{d} {t}" for d, t in zip(found[date], found[clock], strict=True)]
        if not isinstance(_read(joined, cells.lines), str):
            return {f"{date} {clock}": joined}
    return found


def _read(texts: Sequence[str], lines: Sequence[int]) -> "_Times | str":
    """The times of the cells, or why they are none."""
    days = all(re.fullmatch(r"(19|20)\d{6}", text) for text in texts)
    if not days:
        numbers = [pointed(text, ",") for text in texts]
        if all(map(is_number, numbers)):
            return _Times(np.array(numbers, dtype=float), "", texts)
    readings = [dates for dates in _readings(texts) if dates is not None]
    if not readings:
        bad = next((k for k, text in enumerate(texts) if not _any_reading(text)), 0)
        return f"line {lines[bad]} holds {texts[bad]!r}, no time that can be read"
    # 3/4/2014: of the readings that are possible the one with the most even steps
    return min((_instants(dates, texts) for dates in readings), key=lambda t: _irregular(t).sum())


def _any_reading(text: str) -> bool:
    return any(dates is not None for dates in _readings([text]))


def _readings(texts: Sequence[str]) -> "list[list[datetime] | None]":
    if (iso := _parsed(texts, None)) is not None:
        return [iso]
    return [_parsed(texts, date + clock) for date, clock in product(_DATES, _CLOCKS)]


def _parsed(texts: Sequence[str], form: str | None) -> list[datetime] | None:
    try:
        if form is None:
            return _comparable([datetime.fromisoformat(text) for text in texts])
        return [datetime.strptime(text, form) for text in texts]
    except ValueError:
        return None


def _comparable(dates: list[datetime]) -> list[datetime]:
    if len({date.tzinfo is None for date in dates}) > 1:
        raise ValueError("some with a time zone, some without")
    return dates


def _instants(dates: list[datetime], texts: Sequence[str]) -> _Times:
    """Seconds since the first; months, if every date is the same day of its month."""
    within = {(date.day, date.time()) for date in dates}
    if len(within) == 1 and len(dates) > 1 and dates[0].day <= 28:
        months = np.array([12.0 * date.year + date.month for date in dates])
        return _Times(months - months[0], "months", texts)
    seconds = [(date - dates[0]).total_seconds() for date in dates]
    return _Times(np.array(seconds), "s", texts)


def _irregular(times: _Times) -> np.ndarray:
    """Which steps differ from the median one by more than `TOLERANCE` or the digits written."""
    steps = np.diff(times.instants)
    usual = float(np.median(steps)) if len(steps) else 0.0
    digits = max((len(text.partition(".")[2]) for text in times.texts), default=0)
    rounding = 1.01 * 10.0**-digits if times.unit == "" else 0.0
    allowed = max(TOLERANCE * usual, rounding if rounding < usual / 2 else 0.0)
    irregular: np.ndarray = np.abs(steps - usual) > allowed
    return irregular


def _described(name: str, times: _Times, cells: Cells) -> TimeColumn:
    steps = np.diff(times.instants)
    usual = float(np.median(steps)) if len(steps) else 1.0
    if usual < 0:
        raise InputError("time", name, "runs backwards: reverse the rows, the oldest comes first")
    if usual == 0:  # such as the day of hourly values
        what = "does not advance in most rows: their steps are not checked"
        remark = f"the time column {name!r} {what}"
        return TimeColumn(name, "1 sample", len(steps), remark, texts=times.texts)
    irregular = _irregular(times)
    label = _length(usual, times.unit)
    if not irregular.any():
        return TimeColumn(name, label, 0, texts=times.texts)
    k, count = int(np.argmax(irregular)), int(irregular.sum())
    texts, lines = times.texts, cells.lines
    remark = (
        f"{count} of {len(steps)} steps of the time column {name!r} are not {label}; the first is "
        f"{_length(float(steps[k]), times.unit)}, from line {lines[k]} ({texts[k]}) to line "
        f"{lines[k + 1]} ({texts[k + 1]})"
    )
    return TimeColumn(name, label, count, remark, tuple(np.flatnonzero(irregular).tolist()), texts)


def _length(step: float, unit: str) -> str:
    if unit == "":
        return f"{step:g}"
    if unit == "months":
        return f"{step:g} month{'s' * (step != 1)}"
    for size, word in _UNITS:
        if step % size == 0:
            return f"{step / size:g} {word}"
    return f"{step:g} s"
