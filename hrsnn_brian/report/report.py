"""Verdicts as text for people, as a tidy table and as a document for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.tables import Row, text_table
from hrsnn_brian.report.contests import Contest
from hrsnn_brian.report.judge import AS_CLAIMED, FAILS, NOT_TESTED, Comparison
from hrsnn_brian.report.records import RAW
from hrsnn_brian.report.verdict import Verdict
from hrsnn_brian.statistics.comparison import PairedTest

LISTED = 24
"""Comparisons a claim's table lists whole; of more, only those that are not as claimed."""
_HEADER = (
    *("task", "keep", "neurons", "match", "rival", "measure", "n", "method", "rival's"),
    *("difference", "CI low", "CI high", "dz", "p t", "p Wilcoxon", "outcome", "no worse"),
)
_STATISTICS = tuple(field.name for field in fields(PairedTest) if field.name != "pairs")
COLUMNS = (
    Column("claim", "name of the claim", role="identity"),
    Column("table", "the table it is judged on", role="identity"),
    Column("verdict", "holds, does not hold or not tested", role="note"),
    Column("direction", "where the comparisons point", role="note"),
    Column("why", "the verdict in a sentence", role="note"),
    Column("rival", "what the method is compared with", role="identity"),
    Column("measure", "the column compared", role="identity"),
    Column("better", "which direction of the measure is", role="note"),
    Column("outcome", "what the comparison says", role="note"),
    Column("pairs", "paired seeds", "1"),
    Column("unpaired", "seeds that only one of the two has", "1"),
    Column("unequal", "paired seeds left out, of another size", "1"),
    Column("left_out", "why seeds are unpaired", role="note"),
    Column("method_mean", "mean of the method, in the unit of the measure"),
    Column("rival_mean", "mean of the rival, in the unit of the measure"),
    Column("wins", "pairs in which the method is larger", "1"),
    Column("ties", "pairs without a difference", "1"),
    Column("mean_difference", "method less rival, in the unit of the measure"),
    Column("low", "lower end of its confidence interval"),
    Column("high", "upper end of its confidence interval"),
    Column("confidence", "level of the interval", "1"),
    Column("dz", "mean over standard deviation of the differences", "1"),
    Column("t", "Student's t of the differences", "1"),
    Column("p_t", "two-sided p of the paired t test", "1"),
    Column("signed_rank", "Wilcoxon's signed-rank statistic", "1"),
    Column("p_wilcoxon", "two-sided p of Wilcoxon's test", "1"),
    Column("p_t_holm", "p of the t test, Holm-corrected in its family", "1"),
    Column("p_wilcoxon_holm", "p of Wilcoxon's test, Holm-corrected in its family", "1"),
    Column("margin", "loss that still counts as no worse, in the unit of the measure"),
    Column("no_worse", "whether the interval ends before the margin", role="note"),
)


def rows_of(found: Sequence[Verdict]) -> list[Row]:
    """One row per comparison, and one per claim that has none.

    method_mean and rival_mean are over the paired seeds, mean_difference is method - rival with
    its confidence interval low .. high; p ending in _holm are corrected within their family.
    """
    rows: list[Row] = []
    for verdict in found:
        judged = _judged(verdict)
        own = [judged | comparison_row(c) for c in _comparisons(verdict)]
        rows += own or [judged]
    return rows


def document(found: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The verdicts with their cells and comparisons, JSON-able but for what is not finite."""
    return [
        _judged(verdict)
        | {
            "text": verdict.claim.text,
            "source": verdict.claim.source,
            "cells": [
                {
                    "task": cell.task or None,
                    "keep": cell.size.keep,
                    "neuron_fraction": cell.size.neuron_fraction,
                    "match": cell.size.match,
                    "outcome": cell.outcome,
                    "reason": cell.reason,
                    "comparisons": [comparison_row(c) for c in cell.comparisons],
                }
                for cell in verdict.cells
            ],
        }
        for verdict in found
    ]


def _judged(verdict: Verdict) -> Row:
    return {
        "claim": verdict.claim.name,
        "table": verdict.claim.table,
        "verdict": verdict.verdict,
        "direction": verdict.direction,
        "why": verdict.why,
    }


def _comparisons(verdict: Verdict) -> list[Comparison]:
    return [comparison for cell in verdict.cells for comparison in cell.comparisons]


def comparison_row(comparison: Comparison) -> Row:
    """A comparison as a flat row."""
    contest, test = comparison.contest, comparison.test
    statistics: Mapping[str, Any] = asdict(test) if test else {}  # dz and t may be infinite
    return {
        "task": contest.task,
        "keep": contest.size.keep,
        "neuron_fraction": contest.size.neuron_fraction,
        "match": contest.size.match,
        "rival": contest.rival,
        "measure": contest.measure,
        "better": contest.better,
        "outcome": comparison.outcome,
        "reason": comparison.reason,
        "pairs": contest.pairs,
        "unpaired": contest.unpaired,
        "unequal": contest.unequal,
        "left_out": "; ".join(_reasons([contest])),
        "method_mean": _mean(contest.ours),
        "rival_mean": _mean(contest.theirs),
        **{name: statistics.get(name) for name in _STATISTICS},
        "margin": contest.margin,
        "no_worse": comparison.no_worse,
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def text_of(found: Sequence[Verdict]) -> str:
    """A paragraph and a table for each claim."""
    width = max((len(verdict.claim.name) for verdict in found), default=0)
    overview = [f"{v.claim.name:<{width}}  {v.verdict}" for v in found]
    return "\n".join([*overview, "", *(line for verdict in found for line in _lines(verdict))])


def overview(found: Mapping[str, Sequence[Verdict]]) -> str:
    """Recipe -> verdicts as a table: a line per claim, a column per recipe."""
    claims = dict.fromkeys(v.claim.name for verdicts in found.values() for v in verdicts)
    said = [{v.claim.name: v.verdict for v in verdicts} for verdicts in found.values()]
    lines = [[name, *(each[name] for each in said)] for name in claims]
    return text_table(lines, ["claim", *found])


def _lines(verdict: Verdict) -> Iterator[str]:
    claim = verdict.claim
    direction = f" ({verdict.direction})" if verdict.verdict == FAILS else ""
    yield f"{claim.name}: {verdict.verdict.upper()}{direction}"
    yield f"  {claim.text}"
    yield f"  {claim.source}"
    yield f"  {verdict.why}"
    comparisons = _comparisons(verdict)
    tested = [c for c in comparisons if c.outcome != NOT_TESTED]
    listed = [c for c in tested if len(tested) <= LISTED or c.outcome != AS_CLAIMED]
    if listed:
        table = text_table([_line(c) for c in listed], _HEADER)
        yield from (f"  {line}" for line in table.splitlines())
    for count, what in (
        (len(tested) - len(listed), "comparisons are as claimed and not listed"),
        (len(comparisons) - len(tested), "comparisons are not tested"),
        (sum(c.contest.unequal for c in comparisons), "pairs are left out: of unequal size"),
        (sum(c.contest.unpaired for c in comparisons), "seeds are left out: without a pair"),
    ):
        if count:
            yield f"  {count} {what}"
    for reason in _reasons(c.contest for c in comparisons):
        yield f"    {reason}"
    yield ""


def _reasons(contests: Iterable[Contest]) -> list[str]:
    """Why seeds are without a pair, the commonest reason first."""
    counted = Counter(why for contest in contests for why in contest.why)
    return [f"{n} {why}" for why, n in counted.most_common()]


def _line(comparison: Comparison) -> list[object]:
    row = comparison_row(comparison)
    match = "raw" if row["match"] == RAW else row["match"]
    no_worse = {True: "yes", False: "not shown", None: "-"}[comparison.no_worse]
    numbers = ("method_mean", "rival_mean", "mean_difference", "low", "high", "dz")
    return [
        *(row["task"], row["keep"], row["neuron_fraction"], match, row["rival"], row["measure"]),
        comparison.contest.count,
        *(row[name] for name in numbers),
        *(row["p_t_holm"], row["p_wilcoxon_holm"], comparison.outcome, no_worse),
    ]
