"""Rows of a table as scores by name and seed, and names compared on the seeds they share."""

import math
from collections.abc import Iterable, Mapping
from statistics import mean, stdev
from typing import Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.statistics.comparison import PairedTest, compare_family

BySeed = dict[str, dict[int, float]]


def by_seed(rows: Iterable[Mapping[Any, Any]], name: str, column: str) -> BySeed:
    """{row[name]: {row["seed"]: row[column]}}, names in order of appearance.

    A value that is missing or not finite is left out; its name stays, so that it can be seen to
    have none. A row that is there twice counts once. Raises InputError for a value or a seed that
    is no number, and for a seed with two values.
    """
    found: BySeed = {}
    for row in rows:
        seeds, score = found.setdefault(str(row[name]), {}), _score(row, column)
        seed = _seed(row)
        if math.isfinite(score) and seeds.setdefault(seed, score) != score:
            what = f"{row[name]!r} has two values of {column!r} on seed {seed}"
            raise TableError("table", column, f"{what}, {seeds[seed]!r} and {score!r}")
    return found


def _score(row: Mapping[Any, Any], column: str) -> float:
    value = row.get(column)
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError):
        what = f"column {column!r} holds {value!r}, not a number"
        raise TableError("table", column, what) from None


def _seed(row: Mapping[Any, Any]) -> int:
    seed = _score(row, "seed")
    if not seed.is_integer():
        raise TableError("table", "seed", f"column 'seed' holds {row['seed']!r}, no whole number")
    return int(seed)


def against(
    scores: BySeed, reference: str, names: Iterable[str] | None = None
) -> dict[str, PairedTest]:
    """Every name (default: all others) against `reference`, Holm-corrected over them all.

    A name counts on the seeds it shares with the reference; with fewer than two it is left out.
    """
    base = scores.get(reference, {})
    pairs = {}
    for name in scores if names is None else names:
        shared = sorted(base.keys() & scores.get(name, {}).keys())
        if name != reference and len(shared) >= 2:
            pairs[name] = ([scores[name][s] for s in shared], [base[s] for s in shared])
    return compare_family(pairs)


def spread(values: Iterable[float]) -> str:
    """Mean ± standard error as text; the value alone if there is one, "-" if there is none."""
    numbers = list(values)
    if len(numbers) < 2:
        return f"{numbers[0]:.3g}" if numbers else "-"
    return f"{mean(numbers):.3g} ± {stdev(numbers) / math.sqrt(len(numbers)):.2g}"
