"""Delimited text as cells: the one reader of series and of tables, which shifts no column.

Every row has as many cells as the header has names, or is named. (`pandas.read_csv` fills a short
row with NaN and makes an index of the first column if the header is one name short; `csv.Sniffer`
gives up on a single column and on decimal commas.)
"""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from hrsnn_brian.errors import InputError, unknown_name

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # a number with thousands apart, or decimals
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class _Misfit(InputError):
    """A file is no table under one separator; it may be one under another."""


@dataclass(frozen=True)
class Cells:
    """The cells of a file as they stand: `rows[k]` begins at line `lines[k]`, a cell per name.

    sep: what stands between them.
    """

    path: str
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    sep: str

    def column(self, name: str) -> list[str]:
        """The cells called `name`, without blanks around them.

        Raises InputError if no column, or more than one, has that name.
        """
        if name not in self.header:
            if self.header and all(map(is_number, self.header)):
                reason = "line 1 holds numbers; it must hold the names of the columns"
                raise InputError("column", name, reason)
            raise unknown_name("column", name, filter(None, self.header))
        if self.header.count(name) > 1:
            places = [str(k) for k, other in enumerate(self.header, start=1) if other == name]
            reason = f"is the name of columns {' and '.join(places)}; names must differ"
            raise InputError("column", name, reason)
        place = self.header.index(name)
        return [row[place].strip() for row in self.rows]


def is_number(cell: str) -> bool:
    """Whether a cell is a finite decimal number with a point: no "1_000", no "nan"."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def read_cells(
    path: str | Path | Traversable,
    argument: str,
    sep: str | None = None,
    decimal: str | None = None,
    wanted: str | None = None,
) -> Cells:
    """The cells of a UTF-8 (or, with its mark, UTF-16) text file whose first line names columns.

    sep: a character or a name of `SEPARATORS`; None takes that under which every row has a cell for
    each name, and `wanted`, if given, is one of the names. decimal: if it is a comma, a header of
    one name has rows of one cell.
    An empty cell too many at a row's end passes, as do empty lines at the end and, in a file of
    several columns, anywhere. A first line "sep=;" (spreadsheets write it) is obeyed.

    Raises InputError about `argument`, naming the line, if the file cannot be read, rows and header
    differ in length, or several separators fit; about `sep` or `decimal` if they are no such marks.
    """
    text = _text(path, argument)
    declared = re.match(r"sep=(.)\r?\n", text)
    if declared:
        text = text[declared.end() :]
    first = 2 if declared else 1
    sep = _separator(sep) if sep is not None else declared[1] if declared else None
    if decimal not in (None, ".", ","):
        raise InputError("decimal", decimal, "must be . or ,")
    name = str(path)
    candidates = [sep] if sep is not None else _candidates(text, decimal)
    if len(candidates) == 1:
        return _read(text, candidates[0], name, argument, first)
    fitting: dict[str, Cells] = {}
    for mark in candidates:
        with suppress(_Misfit):
            fitting[mark] = _read(text, mark, name, argument, first)
    chosen = [mark for mark, cells in fitting.items() if wanted in cells.header]
    chosen = chosen or list(fitting)[:1]
    if len(chosen) == 1:
        return fitting[chosen[0]]
    what = "may each separate its cells" if chosen else "do not separate every row as line 1"
    marks = " and ".join(map(repr, chosen or candidates))
    raise InputError(argument, name, f"{marks} {what}; say what does (--sep)")


def _text(path: str | Path | Traversable, argument: str) -> str:
    source = Path(path).expanduser() if isinstance(path, str | Path) else path
    try:
        raw = source.read_bytes()
        wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        raise InputError(argument, str(path), f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(argument, str(path), "must be a CSV file of UTF-8 text") from None


def _separator(given: str) -> str:
    mark = "\t" if given == "\\t" else SEPARATORS.get(given, given)
    if len(mark) != 1 or mark.isalnum() or mark in "\"'.+-\r\n":
        allowed = f"must be one character or one of {', '.join(SEPARATORS)}"
        raise InputError("sep", given, allowed)
    return mark


def _candidates(text: str, decimal: str | None) -> list[str]:
    """Separators to try: those of the header; one column or blanks between cells if it has none."""
    header = text.split("\n", 1)[0]
    found = [s for s in SEPARATORS.values() if s in header.strip() and s != " "]
    if found:
        return found
    single = ";" if decimal == "," else ","
    return [single, " "] if " " in header.strip() else [single]


def _read(text: str, sep: str, name: str, argument: str, first: int) -> Cells:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=sep, skipinitialspace=sep == " ", strict=True
    )
    records: list[tuple[int, list[str]]] = []
    line = first
    try:
        for record in reader:
            records.append((line, record))
            line = reader.line_num + first
    except csv.Error as error:
        raise _Misfit(argument, name, f"line {line} is no CSV ({error})") from None
    header = [cell.strip() for cell in records[0][1]] if records else []
    if not any(header):
        reason = "must begin with a line of column names; it is empty"
        raise InputError(argument, name, reason)
    body = _without_blank_lines(records[1:], len(header))
    _require_length(body, header, sep, name, argument)
    rows = [row[: len(header)] for _, row in body]
    return Cells(name, header, rows, [at for at, _ in body], sep)


def _without_blank_lines(
    body: Sequence[tuple[int, list[str]]], columns: int
) -> list[tuple[int, list[str]]]:
    """Of one column, a blank line between others is a missing value and must be seen."""
    last = max((k for k, (_, row) in enumerate(body) if row), default=-1)
    kept = [(line, row or [""]) for line, row in body[: last + 1]]
    return [(line, row) for line, row in kept if columns == 1 or len(row) > 1 or row[0].strip()]


def _require_length(
    body: Sequence[tuple[int, list[str]]],
    header: Sequence[str],
    sep: str,
    name: str,
    argument: str,
) -> None:
    n = len(header)
    for line, row in body:
        if len(row) == n or (len(row) == n + 1 and not row[-1].strip()):
            continue
        cells = f"{len(row)} cell{'s' * (len(row) != 1)}"
        reason = f"line {line} has {cells}, the header has {n}"
        if len(row) == n + 1 and all(len(other) == n + 1 for _, other in body):
            reason += ", and so has every line: name each column"
        if sep == "," and len(row) > n:
            reason += "; a decimal comma needs quotes or another separator"
            reason += ", in a single column --decimal ," * (n == 1)
        raise _Misfit(argument, name, reason)


def decimal_mark(cells: Cells, column: str, decimal: str | None) -> tuple[str, str]:
    """The decimal mark of a column, the one given or the one its cells are numbers with; a remark.

    Where its commas may as well mark thousands, as in 5,134, other cells of the file decide, or
    ";" between them, which spreadsheets write where the comma is taken: the remark tells of it.

    Raises InputError if nothing decides.
    """
    if decimal is not None:
        return decimal, ""
    texts = cells.column(column)
    commas = [k for k, text in enumerate(texts) if "," in text]
    if not commas or any("." in text for text in texts):
        return ".", ""
    if not all(_GROUPED.fullmatch(texts[k]) for k in commas):
        return ",", ""
    others = [cell.strip() for row in cells.rows for cell in row if is_number(pointed(cell, ","))]
    if any("," in cell and not _GROUPED.fullmatch(cell) for cell in others):
        return ",", ""
    held = f"line {cells.lines[commas[0]]} holds {texts[commas[0]]!r}"
    if cells.sep == ";" and not any("." in cell for cell in others):
        told = f"column {column!r}: {held}, its comma taken as a decimal one since ; ends the cells"
        return ",", told
    allowed = f"{held}: if the comma is a decimal one, say so (--decimal ,); thousands take no mark"
    raise InputError("decimal", decimal, allowed)


def pointed(cell: str, decimal: str) -> str:
    """A cell with its decimal comma made a point; a cell with both is left as it is."""
    return cell.replace(",", ".") if decimal == "," and "." not in cell else cell
