"""From judged cells to a verdict in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

from hrsnn_brian.files.tables import Table
from hrsnn_brian.report.claims import CLAIMS, Claim
from hrsnn_brian.report.judge import (
    AS_CLAIMED,
    FAILS,
    HOLDS,
    MIXED,
    NOT_TESTED,
    REVERSED,
    UNDECIDED,
    Cell,
    Settings,
    judged_cells,
    rival_names,
    without_rival,
)
from hrsnn_brian.report.records import RAW, Records, records_of

NAMED_CELLS = 4
"""How many failing cells a sentence names; the comparisons show them all."""


@dataclass(frozen=True)
class Verdict:
    """What the rows say about a claim.

    verdict: "holds": as claimed in every tested cell, raw and rate-matched ones among them, where
        there are both;
        "does not hold": some tested cell fails; "not tested": neither.
    direction: "as claimed", "no significant difference" (no cell is reversed), "the other way
        round" (some is, none is as claimed), "mixed" (both are found), or "not tested".
    why: the same in a sentence, with counts of cells, or what is missing.
    """

    claim: Claim
    verdict: str
    direction: str
    why: str
    cells: tuple[Cell, ...] = ()


def verdicts(
    tables: Mapping[str, Table],
    readout: str = "spikes",
    settings: Settings | None = None,
    claims: Sequence[Claim] = CLAIMS,
) -> list[Verdict]:
    """Judges `claims` on `tables` (by name, from `records.read_rows`) at one readout.

    Raises InputError if the settings cannot be used.
    """
    settings = settings or Settings()
    records = {name: records_of(rows, readout) for name, rows in tables.items()}
    return [_verdict(claim, records.get(claim.table), settings) for claim in claims]


def _verdict(claim: Claim, records: Records | None, settings: Settings) -> Verdict:
    untested = partial(Verdict, claim, NOT_TESTED, NOT_TESTED)
    if not any(fnmatchcase(settings.method, pattern) for pattern in claim.about):
        about = ", ".join(claim.about)
        return untested(f"{settings.method!r} has no part in it: it is about {about}")
    if records is None:
        return untested(f"no run holds the table {claim.table}")
    cells = tuple(judged_cells(claim, records, settings))
    if not cells:
        return untested(_absent(claim, records, claim.subject or settings.method))
    tested = [cell for cell in cells if cell.outcome != NOT_TESTED]
    failing = [cell for cell in tested if cell.outcome != AS_CLAIMED]
    if failing:
        return Verdict(claim, FAILS, _direction(tested), _failures(tested, failing), cells)
    if not tested:
        return untested(_reasons(cells), cells)
    kinds = {cell.size.match == RAW for cell in tested}
    if claim.matched and kinds == {False}:
        why = f"as claimed in all {len(tested)} tested cells, at equal rate"
        return Verdict(claim, HOLDS, AS_CLAIMED, why, cells)
    if len(kinds) == 2:
        why = f"as claimed in all {len(tested)} tested cells, raw and rate-matched"
        return Verdict(claim, HOLDS, AS_CLAIMED, why, cells)
    have, lack = ("raw", "rate-matched") if kinds == {True} else ("rate-matched", "raw")
    why = f"as claimed in all {len(tested)} {have} cells, but no {lack} cell is tested"
    return untested(why, cells)


def _direction(tested: Sequence[Cell]) -> str:
    outcomes = {cell.outcome for cell in tested}
    if REVERSED not in outcomes:
        return UNDECIDED
    return MIXED if AS_CLAIMED in outcomes else REVERSED


def _failures(tested: Sequence[Cell], failing: Sequence[Cell]) -> str:
    counts = [
        f"{outcome} in {found}"
        for outcome in (AS_CLAIMED, UNDECIDED, REVERSED)
        if (found := sum(cell.outcome == outcome for cell in tested))
    ]
    worst = sorted(failing, key=lambda cell: cell.outcome != REVERSED)
    named = [f"{cell} ({cell.outcome}: {_opponents(cell)})" for cell in worst[:NAMED_CELLS]]
    more = len(failing) - len(named)
    named += [f"{more} more"] if more else []
    return f"of {len(tested)} tested cells {', '.join(counts)}; fails in {'; '.join(named)}"


def _opponents(cell: Cell) -> str:
    guilty = [c.contest for c in cell.comparisons if c.outcome == cell.outcome]
    names = list(dict.fromkeys(f"{c.rival!r} by {c.measure}" for c in guilty))
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _reasons(cells: Sequence[Cell]) -> str:
    """Why none of `cells` is tested: each reason once, the commonest first."""
    reasons = [cell.reason for cell in cells]
    ordered = sorted(dict.fromkeys(reasons), key=reasons.count, reverse=True)
    more = f"; and {len(ordered) - 2} more reasons" if len(ordered) > 2 else ""
    return "; ".join(ordered[:2]) + more


def _absent(claim: Claim, records: Records, method: str) -> str:
    """What is missing when the rows allow no comparison at all."""
    sizes = records.sizes(method)
    if not sizes:
        return f"rows of {method!r} are missing"
    if claim.fewer_neurons and all(size.neuron_fraction >= 1 for size in sizes):
        return f"rows of {method!r} with neuron_fraction < 1 are missing"
    for demand in claim.demands:
        if not demand.names(records.names, method):
            return without_rival(demand, method)
    if not records.scores:
        return "no task has a column of scores"
    if claim.scored_by and claim.scored_by not in {s.name for s in records.scores.values()}:
        return f"no task is judged by {claim.scored_by}"
    rivals = " and ".join(dict.fromkeys(rival_names(demand) for demand in claim.demands))
    return f"{method!r} and {rivals} share no task and size"
