"""The pairs behind one comparison: the method and a rival on the same seeds, at equal size."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hrsnn_brian.files.tables import Row
from hrsnn_brian.report.claims import BARE, FULL, REFERENCES, SCORE, Claim, Demand
from hrsnn_brian.report.records import Records, Size, number
from hrsnn_brian.statistics.paired_seeds import count_of, why_not

SIZE_TOLERANCE = 0.05
"""Relative difference in neurons or synapses up to which two networks are of equal size: sampled
budgets are met within their standard deviation, 4.5 % of 500 synapses. [choice]"""


@dataclass(frozen=True)
class Contest:
    """The method against `rival` in one cell, by one measure.

    measure, better: the column, and whether "lower" or "higher" is better.
    ours, theirs: values of the paired seeds, in one order.
    unpaired: seeds that only one of the two has, or without a finite value.
    unequal: paired seeds left out because the two networks differ in size.
    why: why seeds are unpaired, a reason each.
    margin: loss by which the method still counts as no worse, None where it has no meaning.
    """

    task: str
    size: Size
    demand: Demand
    rival: str
    measure: str
    better: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    unpaired: int
    unequal: int
    why: tuple[str, ...]
    margin: float | None

    @property
    def pairs(self) -> int:
        """How many seeds are compared."""
        return len(self.ours)

    @property
    def count(self) -> str:
        """The same, of how many: "6", or "5 of 6"."""
        return count_of(self.pairs, self.pairs + self.unpaired + self.unequal)


def contests_of(claim: Claim, records: Records, method: str, margin: float) -> list[Contest]:
    """Every comparison the claim asks for and the rows allow, even of a single pair or none.

    margin: that of non-inferiority, as a fraction of what recurrence is worth (`_margin`).
    """
    found = []
    for size in records.sizes(method):
        if claim.fewer_neurons and size.neuron_fraction >= 1:
            continue
        for task in records.tasks:
            score = records.scores.get(task)
            if claim.scored_by and (score is None or score.name != claim.scored_by):
                continue
            if not records.rows(task, method, size):
                continue
            for demand in claim.demands:
                for rival in demand.names(records.names, method):
                    contest = _contest(records, task, size, method, rival, demand, margin)
                    found += [contest] if contest else []
    return found


def _contest(
    records: Records,
    task: str,
    size: Size,
    method: str,
    rival: str,
    demand: Demand,
    margin: float,
) -> Contest | None:
    """None if the rival has no row there, or the task no score."""
    ours, theirs = records.rows(task, method, size), records.rows(task, rival, size)
    score = records.scores.get(task)
    column, better = demand.measure, "lower"
    if demand.measure == SCORE and score is not None:
        column, better = score.name, score.better
    if demand.below is not None:  # on every seed the same network, but for the measure
        theirs = {seed: row | {column: demand.below} for seed, row in ours.items()}
    if not theirs or (demand.measure == SCORE and score is None):
        return None
    seeds = _paired(ours, theirs, column)
    if demand.measure == SCORE:
        allowed = _margin(records, task, size, rival, column, better, margin)
    else:
        allowed = _share(theirs, seeds, column, margin)
    equal = [s for s in seeds if rival in REFERENCES or _equal_size(ours[s], theirs[s])]
    lost = sorted((ours.keys() | theirs.keys()) - {*seeds})
    return Contest(
        task=task,
        size=size,
        demand=demand,
        rival=rival,
        measure=column,
        better=better,
        ours=tuple(number(ours[seed][column]) for seed in equal),
        theirs=tuple(number(theirs[seed][column]) for seed in equal),
        unpaired=len(lost),
        unequal=len(seeds) - len(equal),
        why=tuple(_why_unpaired(ours.get(s), theirs.get(s), column) for s in lost),
        margin=allowed,
    )


def _paired(a: Mapping[int, Row], b: Mapping[int, Row], column: str) -> list[int]:
    """Seeds that have a finite value of `column` on both sides."""
    return [
        seed
        for seed in sorted(a.keys() & b.keys())
        if not any(math.isnan(number(rows[seed].get(column))) for rows in (a, b))
    ]


def _why_unpaired(ours: Row | None, theirs: Row | None, column: str) -> str:
    if ours is None or theirs is None:
        return "only one of the two has the seed"
    return why_not(ours, column, any_size=True) or why_not(theirs, column, any_size=True)


def _equal_size(a: Row, b: Row) -> bool:
    return all(
        abs(number(a[name]) - number(b[name])) <= SIZE_TOLERANCE * max(number(b[name]), 1)
        for name in ("neurons", "synapses")
    )


def _share(
    theirs: Mapping[int, Row], seeds: list[int], column: str, fraction: float
) -> float | None:
    """`fraction` of the size of the rival's mean: the margin of what is no score. [choice]"""
    values = [number(theirs[seed][column]) for seed in seeds]
    return fraction * abs(sum(values)) / len(values) if values else None


def _margin(
    records: Records,
    task: str,
    size: Size,
    rival: str,
    column: str,
    better: str,
    fraction: float,
) -> float | None:
    """`fraction` of what recurrence is worth: the mean gain of the full network (of the rival,
    where there is no full one) over the one without recurrence. None if the rows do not show a
    gain. [choice, as in trials that must keep a part of the effect of the standard treatment]"""
    full = records.rows(task, FULL, size) or records.rows(task, rival, size)
    bare = records.rows(task, BARE, size)
    seeds = _paired(full, bare, column)
    if not seeds:
        return None
    rises = [number(full[seed][column]) - number(bare[seed][column]) for seed in seeds]
    gain = sum(rises) / len(rises) * (1 if better == "higher" else -1)
    return fraction * gain if gain > 0 else None
