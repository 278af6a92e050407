"""Rows of a table as values by name and seed: which seeds count, and why the others do not.

One policy for summaries, tables, verdicts and figures: a seed counts in a mean if its row has a
finite value and a network of the size and the rate asked for. Seeds that do not are left out, never
filled in; how many count of how many is said wherever one is missing, and why. Figures of Lyapunov
exponents draw no mean at all then: whether a check fails depends on the value. [our choice]
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import mean, stdev
from typing import Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.files.score import HIGHER
from hrsnn_brian.statistics.comparison import PairedTest, compare_family

# Columns that say why a row has no value, or not one to be compared.
_REASONS = ("note", "stopped", "unmatched", "reason", "exponent_check")
LEFT_OUT = "; left out: "
Pair = tuple[list[float], list[float]]


class Seeds(dict[int, float]):
    """Seed -> value, of the seeds that count. left_out: seed -> why it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out: dict[int, str] = {}

    @property
    def count(self) -> str:
        """How many count: "6", or "5 of 6"."""
        return count_of(len(self), len(self) + len(self.left_out))


BySeed = dict[str, Seeds]


def count_of(n: int, every: int) -> str:
    """So many of so many, in words; the number alone if none is missing."""
    return str(n) if n == every else f"{n} of {every}"


def by_seed(
    rows: Iterable[Mapping[Any, Any]], name: str, column: str, any_size: bool = False
) -> BySeed:
    """{row[name]: {row["seed"]: row[column]}}, names in order of appearance.

    Rows without a value to compare are left out (`why_not`); their name stays, so that it can be
    seen to have none. A row that is there twice counts once. Raises InputError for a value or a
    seed that is no number, and for a seed with two values.
    """
    found: BySeed = {}
    for row in rows:
        seeds, seed = found.setdefault(str(row[name]), Seeds()), _seed(row)
        score, why = _score(row, column), why_not(row, column, any_size)
        if why:
            seeds.left_out.setdefault(seed, why)
        elif seeds.setdefault(seed, score) != score:
            what = f"{row[name]!r} has two values of {column!r} on seed {seed}"
            raise TableError("table", column, f"{what}, {seeds[seed]!r} and {score!r}")
    for seeds in found.values():
        seeds.left_out = {k: why for k, why in seeds.left_out.items() if k not in seeds}
    return found


def why_not(row: Mapping[Any, Any], column: str, any_size: bool = False) -> str:
    """Why a row does not count in a mean of `column`, in a few words; "" if it does.

    any_size: networks of another size than asked for count, too.
    """
    said = {name: row[name] for name in _REASONS if isinstance(row.get(name), str) and row[name]}
    words = next((why.partition(":")[0] for why in said.values()), "")
    if not any_size and ("note" in said or row.get("met_budget") in (False,)):
        return words or "another size"
    return "" if math.isfinite(_score(row, column)) else words or "no value"


def relative(scores: BySeed, reference: str, better: str) -> BySeed:
    """Every score over that of `reference` on the same seed; better "lower": the inverse of that.

    Above 1 is better than the reference in both cases. Seeds that one of the two lacks, or on which
    the score that is divided by is not positive, are left out, as they are in `by_seed`.
    """
    base, ratios = scores.get(reference, Seeds()), dict[str, Seeds]()
    for name, found in scores.items():
        ratios[name] = mine = Seeds()
        mine.left_out |= found.left_out
        for seed, score in found.items():
            above, below = (score, base.get(seed)) if better == HIGHER else (base.get(seed), score)
            if above is None or below is None:
                mine.left_out[seed] = f"no value of {reference}"
            elif below <= 0:
                mine.left_out[seed] = "a score of 0 to divide by"
            else:
                mine[seed] = above / below
    return ratios


def left_out(found: Iterable[Seeds]) -> str:
    """How many values are in no mean, and why: "; left out: 2 no value"; "" if there is none."""
    reasons = Counter(why for seeds in found for why in seeds.left_out.values())
    told = ", ".join(f"{n} {why}" for why, n in reasons.most_common())
    return f"{LEFT_OUT}{told}" if told else ""


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


def paired(one: Mapping[int, float], other: Mapping[int, float]) -> Pair | None:
    """The values of both on the seeds they share, in one order; None if fewer than two."""
    shared = sorted(one.keys() & other.keys())
    both = ([one[s] for s in shared], [other[s] for s in shared])
    return both if len(shared) >= 2 else None


def against(
    scores: BySeed, reference: str, names: Iterable[str] | None = None
) -> dict[str, PairedTest]:
    """Every name (default: all others) against `reference`, Holm-corrected over them all.

    A name counts on the seeds it shares with the reference; with fewer than two it is left out.
    """
    base = scores.get(reference, Seeds())
    pairs = {
        name: paired(scores.get(name, Seeds()), base)
        for name in (scores if names is None else names)
        if name != reference
    }
    return compare_family({name: pair for name, pair in pairs.items() if pair})


def spread(values: Iterable[float] | Seeds) -> str:
    """Mean ± standard error as text; the value alone if there is one, "-" if there is none.

    Of `Seeds` of which some are left out it says how many count.
    """
    numbers = list(values.values() if isinstance(values, Seeds) else values)
    some = f" ({values.count})" if isinstance(values, Seeds) and values.left_out else ""
    if len(numbers) < 2:
        return (f"{numbers[0]:.3g}" if numbers else "-") + some
    return f"{mean(numbers):.3g} ± {stdev(numbers) / math.sqrt(len(numbers)):.2g}{some}"
