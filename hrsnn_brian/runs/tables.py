"""Tidy tables as CSV: one row per measurement, units in the column names, the same bytes always."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.runs.atomic import plain, replacing, write_text

Row = dict[str, Any]


def columns_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """All columns, each beside the one it first followed, in order of first appearance."""
    columns: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name in columns:
                place = columns.index(name) + 1
            else:
                columns.insert(place, name)
                place += 1
    return columns


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """`rows` as CSV. Floats in shortest exact form; a missing value or NaN is an empty cell."""
    columns = columns_of(rows)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return stream.getvalue()


def write_table(path: Path | str, rows: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Writes `rows` as CSV, and as Parquet beside it when pyarrow is installed; both atomically.

    Returns the files written, the CSV first.
    """
    path = Path(path)
    write_text(path, table_text(rows))
    if find_spec("pyarrow") is None:
        return [path]
    parquet = path.with_suffix(".parquet")
    with replacing(parquet) as stream:
        read_table(path).to_parquet(stream)
    return [path, parquet]


def read_table(path: Path | str) -> Any:
    """A table written by `write_table`, as a `pandas.DataFrame`.

    Raises InputError if the file is missing, empty or not a table.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, engine="python")  # its floats are exact in every pandas
    except FileNotFoundError:
        raise InputError("table", str(path), "no such file") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError("table", str(path), f"not a CSV table ({error})") from None


def text_table(rows: Iterable[Sequence[object]], header: Sequence[str]) -> str:
    """Rows as aligned text: numbers to the right in three or four digits, words to the left."""
    cells = [[_short(value) for value in row] for row in rows]
    numeric = [all(_is_number(row[k]) for row in cells) for k in range(len(header))]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join(map(line, [list(header), *cells]))


def _short(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == "-"
    return True
