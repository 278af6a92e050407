"""Tidy tables as CSV: one row per measurement, units in the column names, the same bytes always.

Beside every table lies its schema, see `files.schema`.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from numbers import Real
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.files.atomic import plain, replacing, write_text
from hrsnn_brian.files.csv_cells import is_number, read_cells
from hrsnn_brian.files.schema import (
    Schema,
    columns_of,
    read_schema,
    schema_from_dict,
    schema_of,
    schema_path,
)
from hrsnn_brian.files.score import value_of

Row = dict[str, Any]


class Table(list[Row]):
    """Rows of plain values and the schema of their columns: what summaries and verdicts read.

    rows: their values may be scores; without a `schema` it is what they say, or that of a `Table`.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], schema: Schema | None = None) -> None:
        rows = rows if isinstance(rows, Table) else list(rows)
        held: Schema | None = rows.schema if isinstance(rows, Table) else None
        super().__init__({name: value_of(value) for name, value in row.items()} for row in rows)
        self.schema: Schema = schema or held or schema_of(rows)

    def frame(self) -> Any:
        """As a `pandas.DataFrame` that knows its schema, as `read_table` gives one."""
        import pandas as pd

        frame = pd.DataFrame(list(self))
        frame.attrs["schema"] = self.schema.to_dict()
        return frame


def _cell(value: Any) -> str:
    value = value_of(value)
    if isinstance(value, Real) and math.isinf(float(value)):
        return str(float(value))
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """`rows` as CSV. Floats in shortest exact form, or inf; missing values, NaN are empty cells."""
    columns = columns_of(rows)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return stream.getvalue()


def write_csv(
    path: Path | str, rows: Sequence[Mapping[str, Any]], schema: Schema | None = None
) -> list[Path]:
    """Writes `rows` as CSV, and their schema (by default what they say) beside it; atomically."""
    path = Path(path)
    schema = Table(rows).schema if schema is None else schema
    text = json.dumps(schema.to_dict(), indent=2, ensure_ascii=False)
    write_text(schema_path(path), text + "\n")
    write_text(path, table_text(rows))
    return [path, schema_path(path)]


def write_table(
    path: Path | str, rows: Sequence[Mapping[str, Any]], schema: Schema | None = None
) -> list[Path]:
    """Writes `rows` as `write_csv` does, and as Parquet beside it when pyarrow is installed.

    Returns the files written, the CSV first.
    """
    files = write_csv(path, rows, schema)
    if find_spec("pyarrow") is None:
        return files
    parquet = files[0].with_suffix(".parquet")
    with replacing(parquet) as stream:
        read_table(path).to_parquet(stream, index=False)
    return [*files, parquet]


def read_table(path: Path | str) -> Any:
    """A table written by `write_table`, as a `pandas.DataFrame`.

    An empty cell is missing (NaN), nothing else is: "NA" and "null" are words. A column is of
    numbers or truth values if all its cells are; `require_numbers` says which cell is not. The
    index is the line of the row in the file less 2: 0, 1, 2, ... unless cells hold line breaks.
    If a schema lies beside the table, `schema_in` finds it.

    Raises InputError if the file is missing, empty or not a table, if a row is longer or shorter
    than the header (its line is named), or if two columns have one name.
    """
    import pandas as pd

    if not Path(path).exists():
        raise TableError("table", str(path), "no such file")
    cells = read_cells(path, "table", sep=",")
    for name in cells.header:
        if not name or cells.header.count(name) > 1:
            what = f"names {name!r} twice" if name else "leaves a column without a name"
            raise TableError("table", str(path), f"line 1 {what}")
    columns = zip(*cells.rows, strict=True) if cells.rows else [()] * len(cells.header)
    index = pd.Index([line - 2 for line in cells.lines], dtype="int64")
    filled = {
        name: pd.Series(_typed(column), index=index, dtype=None if any(column) else float)
        for name, column in zip(cells.header, columns, strict=True)
    }
    table = pd.DataFrame(filled, index=index)
    if schema_path(path).exists():
        table.attrs["schema"] = read_schema(path).to_dict()
    return table.reset_index(drop=True) if list(index) == list(range(len(index))) else table


def schema_in(table: Any) -> Schema:
    """The schema of a table of `read_table` or `Table.frame`.

    Raises InputError if it has none.
    """
    held = table.attrs.get("schema")
    if held is None:
        what = "has no schema beside it (as tables of version 0.1): run its study again"
        raise TableError("table", list(table), what)
    return schema_from_dict(held)


_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf|nan", re.IGNORECASE)
_TRUTH = {"true": True, "false": False}


def _typed(cells: Sequence[str]) -> list[Any]:
    """Cells as whole numbers, numbers, truth values or, if not all are the same, words."""
    filled = [cell.strip() for cell in cells if cell]
    if len(filled) == len(cells) and all(map(_WHOLE.fullmatch, filled)):
        return [int(cell) for cell in cells]
    if all(map(_is_real, filled)):
        return [float(cell) if cell else math.nan for cell in cells]
    if all(cell.lower() in _TRUTH for cell in filled):
        return [_TRUTH[cell.strip().lower()] if cell else math.nan for cell in cells]
    return [cell or math.nan for cell in cells]


def _is_real(cell: str) -> bool:
    return is_number(cell) or _INFINITE.fullmatch(cell.strip()) is not None


def require_numbers(table: Any, columns: Iterable[str]) -> None:
    """Raises InputError, naming line and cell, unless these columns of a table hold numbers alone.

    table: from `read_table`. Missing values, NaN and inf are numbers.
    """
    for name in columns:
        for row, value in table[name].items():
            if isinstance(value, str) and not _is_real(value):
                what = f"line {row + 2}: {name} holds {value!r}, not a number"
                raise TableError("table", name, what)


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
