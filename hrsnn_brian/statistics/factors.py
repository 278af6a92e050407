"""What was varied in a table, and what each of it does, paired over seeds.

The effect of a factor is that of one of its levels against another with all other factors equal,
averaged over these; a factor that a row does not have (such as the size of an unpruned network)
agrees with every level. [our choice]
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hrsnn_brian.files.columns import IDENTITY, NAME, Column
from hrsnn_brian.files.schema import Schema
from hrsnn_brian.statistics.comparison import PairedTest, compare_family
from hrsnn_brian.statistics.paired_seeds import why_not

Row = Mapping[str, Any]
Key = tuple[Any, ...]
_ASKED = ("keep", "neuron_fraction")
_NAME = Column(NAME, "recipe or network", role="identity")
MANY = 6  # levels of a number of which all pairs are compared; of more only neighbours


def factors_of(schema: Schema, rows: Sequence[Row]) -> list[Column]:
    """What takes several values: the name first, then asked sizes and identity columns.

    Tasks and readouts are apart: they have scores of their own.
    """
    own = [c for c in schema.columns.values() if c.role == "identity" and c.name not in IDENTITY]
    asked = [schema.columns[name] for name in _ASKED if name in schema.columns]
    every = [_NAME, *asked, *own]
    return [column for column in every if len(levels(rows, column.name)) > 1]


def levels(rows: Iterable[Row], factor: str) -> list[Any]:
    """The values of a factor: numbers in order, words as they come."""
    found = list(dict.fromkeys(v for row in rows if (v := level(row, factor)) is not None))
    return sorted(found) if is_numeric(found) else found


def level(row: Row, factor: str) -> Any:
    """The value of a factor in a row, None if the row has none."""
    recipe = row.get("recipe")
    if factor in _ASKED and not (isinstance(recipe, str) and recipe):
        return None  # no one asked: it was not pruned
    value = row.get(factor)
    empty = value is None or value == "" or (isinstance(value, float) and math.isnan(value))
    return None if empty else value


def is_numeric(values: Iterable[Any]) -> bool:
    """Whether all values are numbers."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def effects(
    rows: Sequence[Row], factors: Sequence[str], column: str
) -> dict[tuple[str, Any, Any], PairedTest]:
    """(factor, level, other level) -> test of `column`, Holm-corrected over all of them.

    rows: of one task and readout. Pairs that share fewer than two seeds are left out.
    """
    counted = [row for row in rows if not why_not(row, column)]
    pairs = {}
    for factor in factors:
        others = [name for name in factors if name != factor]
        found = _by_level(counted, factor, others, column)
        for one, other in _compared(list(found)):
            means = _means(found[one], found[other])
            if len(means) > 1:
                a, b = zip(*means, strict=True)
                pairs[factor, one, other] = (a, b)
    tests = compare_family({repr(key): pair for key, pair in pairs.items()})
    return dict(zip(pairs, tests.values(), strict=True))


def _compared(found: list[Any]) -> list[tuple[Any, Any]]:
    if is_numeric(found):
        found = sorted(found)
        return list(
            itertools.pairwise(found) if len(found) > MANY else itertools.combinations(found, 2)
        )
    return list(itertools.combinations(found, 2))


Cells = dict[int, list[tuple[Key, float]]]


def _by_level(rows: Iterable[Row], factor: str, others: list[str], column: str) -> dict[Any, Cells]:
    """Level -> seed -> (levels of the other factors, value)."""
    found: dict[Any, Cells] = {}
    for row in rows:
        at = level(row, factor)
        if at is not None:
            key = tuple(level(row, name) for name in others)
            cells = found.setdefault(at, defaultdict(list))
            cells[int(row["seed"])].append((key, float(row[column])))
    return found


def _means(one: Cells, other: Cells) -> list[tuple[float, float]]:
    """Per shared seed the means of both over all settings that they share."""
    means = []
    for seed in sorted(one.keys() & other.keys()):
        both = [(a, b) for k, a in one[seed] for m, b in other[seed] if _agree(k, m)]
        if both:
            means.append((sum(a for a, _ in both) / len(both), sum(b for _, b in both) / len(both)))
    return means


def _agree(one: Key, other: Key) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))
