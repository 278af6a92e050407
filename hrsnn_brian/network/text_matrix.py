"""Matrices and lists of synapses written as text, whatever program wrote them.

The separator (comma, semicolon, tab or blanks) and a decimal comma are recognised; a byte-order
mark, quotes, comments after "#" and one empty last cell per line pass. Labels and lists of synapses
are read only where `layout` says so.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

LABELS_HINT = "if they are labels: --set graph.format=labelled"
EDGES_HINT = "for lines pre, post, weight: --set graph.format=edges"

# A comma needs digits on both sides, so that the cells of "0, 1, 2" are no numbers by themselves.
_NUMBER = re.compile(r"[-+]?((\d+(\.\d*|,\d+)?|\.\d+)(e[-+]?\d+)?|nan|inf|infinity)", re.I)
_EDGE_COLUMNS = (("pre", "source", "from"), ("post", "target", "to"), ("weight", "w"))

Floats = NDArray[np.float64]


class Line(NamedTuple):
    """A line with something on it, and its number in the file, from 1."""

    number: int
    text: str


def read_text(path: Path, layout: str) -> Floats | sparse.coo_array:
    """The matrix of a text file; raises ValueError, in one line, for what cannot be read as one."""
    lines = _lines(path)
    body = lines if layout == "dense" else lines[1:] or lines  # the first may be a header
    longest = max((line.text for line in body), key=len)
    separator = _separator(longest, labelled=layout == "labelled")
    if separator is not None and all(line.text.endswith(separator) for line in body):
        lines = [Line(number, text.removesuffix(separator)) for number, text in lines]
    if layout.startswith("edges"):
        return _edges(lines, separator, first=1 if layout == "edges-from-1" else 0)
    if layout == "labelled":
        return _numbers(_without_labels(lines, separator), "\t", " (labels not counted)")
    return _numbers(lines, separator, f"; {LABELS_HINT}; {EDGES_HINT}")


def edges_matrix(columns: Floats, first: int) -> sparse.coo_array:
    """The matrix of synapses (n, 3): pre and post, counted from `first`, and weight.

    It has as many neurons as the largest number says; a line of weight 0 only names its neurons.
    Raises ValueError for numbers that are no neurons and for a synapse named twice.
    """
    if columns.ndim != 2 or columns.shape[1] != 3 or not len(columns):
        shape = " x ".join(map(str, columns.shape))
        raise ValueError(f"a list of synapses has columns pre, post and weight, this is {shape}")
    ends = columns[:, :2]
    odd = np.flatnonzero(~((ends >= first) & (ends < 2**53) & (ends == np.floor(ends))).all(axis=1))
    if odd.size:
        pre, post = ends[odd[0]]
        where = f"synapse {odd[0] + 1}, {pre:g} -> {post:g}"
        raise ValueError(f"{where}: neurons are whole numbers from {first} on")
    if first == 0 and ends.min() > 0:
        raise ValueError(
            "no synapse names neuron 0: if neurons are counted from 1, --set "
            "graph.format=edges-from-1; if neuron 0 has none, add the line 0, 1, 0"
        )
    pre, post = (ends.astype(np.int64) - first).T
    _, index, count = np.unique(ends, axis=0, return_index=True, return_counts=True)
    if np.any(count > 1):
        twice = ends[index[np.argmax(count > 1)]]
        raise ValueError(f"the synapse {twice[0]:g} -> {twice[1]:g} is named more than once")
    n = int(max(pre.max(), post.max())) + 1
    return sparse.coo_array((columns[:, 2], (post, pre)), shape=(n, n))


def _lines(path: Path) -> list[Line]:
    raw = path.read_bytes()
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = raw.decode("utf-16" if utf16 else "utf-8").lstrip("\ufeff")
    bare = (line.partition("#")[0].strip(" \r") for line in text.splitlines())
    lines = [Line(number, line) for number, line in enumerate(bare, 1) if line.strip()]
    if not lines:
        raise ValueError("holds no numbers")
    return lines


def _separator(line: str, labelled: bool) -> str | None:
    """What separates the cells of a line, None for blanks."""
    for mark in (";", "\t"):
        if mark in line:
            return mark
    words = line.split()[1 if labelled else 0 :]
    if "," not in line or (len(words) > 1 and all(map(_NUMBER.fullmatch, words))):
        return None
    return ","


def _cells(line: Line, separator: str | None) -> list[str]:
    if '"' not in line.text:
        return [cell.strip() for cell in line.text.split(separator)]
    mark = separator or " "
    cells = next(csv.reader([line.text], delimiter=mark, skipinitialspace=True))
    return [cell.strip() for cell in cells]


def _numbers(lines: Sequence[Line], separator: str | None, hint: str = "") -> Floats:
    """The cells as numbers, (lines, columns); `hint` is for text where a label may stand."""
    if any('"' in line.text for line in lines):
        lines = [Line(line.number, "\t".join(_cells(line, separator))) for line in lines]
        separator = "\t"
    texts = [line.text for line in lines]
    if separator != "," and any("," in text for text in texts):
        if any("." in text for text in texts):  # commas for thousands, or both kinds of mark
            _name_the_cell(lines, separator, hint)
        texts = [text.replace(",", ".") for text in texts]
    try:
        return np.loadtxt(texts, delimiter=separator, ndmin=2, comments=None)
    except ValueError:
        _name_the_cell(lines, separator, hint)


def _name_the_cell(lines: Sequence[Line], separator: str | None, hint: str) -> NoReturn:
    """Raises ValueError for the first line that is no line of numbers."""
    width = len(_cells(lines[-1], separator))
    point = comma = False
    for line in lines:
        cells = _cells(line, separator)
        for column, cell in enumerate(cells):
            where = f"line {line.number}, cell {column + 1}"
            if not _NUMBER.fullmatch(cell):
                found = f"{cell[:40]!r} is no number" if cell else "is empty"
                more = hint if line is lines[0] or column == 0 else ""
                raise ValueError(f"{where}: {found}{more}")
            point, comma = point or "." in cell, comma or "," in cell
            if point and comma:
                raise ValueError(f"{where}: {cell!r}: the decimal mark is both a point and a comma")
        if len(cells) != width:
            raise ValueError(f"line {line.number} has {len(cells)} cells, the last has {width}")
    raise ValueError("cannot be read as numbers")


def _without_labels(lines: Sequence[Line], separator: str | None) -> list[Line]:
    """The lines without the first one, the first cell of each, or both, as the shape wants it."""
    height, width = len(lines), len(_cells(lines[-1], separator))
    top, left = height != width - 1, width != height - 1
    head = _cells(lines[0], separator)
    body = [_cells(line, separator) for line in lines[top:]]
    if not body or (left and width == 1):
        raise ValueError("holds nothing but labels")
    if top and left:
        head = head[1:] if len(head) == width else head
        rows = [cells[0] for cells in body]
        pairs = zip(rows, head, strict=False)
        other = next(((k, a, b) for k, (a, b) in enumerate(pairs) if a != b), None)
        if other:
            k, row, column = other
            order = "rows and columns must be the same neurons in the same order"
            raise ValueError(f"row {k + 1} is labelled {row!r}, column {k + 1} {column!r}: {order}")
    return _rejoined(lines[top:], [cells[1:] if left else cells for cells in body])


def _rejoined(lines: Sequence[Line], cells: Iterable[list[str]]) -> list[Line]:
    """The lines with other cells, separated by tabs."""
    return [Line(line.number, "\t".join(some)) for line, some in zip(lines, cells, strict=True)]


def _edges(lines: list[Line], separator: str | None, first: int) -> sparse.coo_array:
    head = _cells(lines[0], separator)
    if not all(map(_NUMBER.fullmatch, head)):
        order = [_edge_column(head, names, lines[0].number) for names in _EDGE_COLUMNS]
        rows = [_cells(line, separator) for line in lines[1:]]
        if not rows:
            raise ValueError("lists no synapse")
        short = next((k for k, row in enumerate(rows, 1) if len(row) != len(head)), None)
        if short:
            counts = f"{len(rows[short - 1])} cells, line {lines[0].number} has {len(head)}"
            raise ValueError(f"line {lines[short].number} has {counts}")
        lines = _rejoined(lines[1:], [[row[k] for k in order] for row in rows])
        separator = "\t"
    return edges_matrix(_numbers(lines, separator), first)


def _edge_column(head: list[str], names: tuple[str, ...], line: int) -> int:
    found = [k for k, cell in enumerate(head) if cell.lower() in names]
    if len(found) != 1:
        wanted = f"give one column named {' or '.join(names)}"
        raise ValueError(f"line {line} names {', '.join(head)[:80]}: {wanted}")
    return found[0]
