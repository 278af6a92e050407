"""Comparisons, cells and claims judged.

A comparison is "as claimed" if both paired tests say so after Holm's correction within its family:
the rivals and measures of one cell, or, for a claim about one network on several tasks, those of
one size on all tasks. A claim must pass in every cell that is tested, which needs no correction
over cells (an intersection-union test); a single cell out of many that stands alone does. [choice]
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hrsnn_brian.errors import InputError
from hrsnn_brian.report.claims import PRUNED_FOR_A_TASK, Claim, Demand
from hrsnn_brian.report.contests import Contest, contests_of
from hrsnn_brian.report.records import Records, Size
from hrsnn_brian.statistics.comparison import PairedTest, compare_family, seeds_needed

AS_CLAIMED = "as claimed"
UNDECIDED = "no significant difference"
REVERSED = "the other way round"
MIXED = "mixed"
NOT_TESTED = "not tested"
HOLDS, FAILS = "holds", "does not hold"


@dataclass(frozen=True)
class Settings:
    """How to judge.

    method: the recipe the claims are made about. level: of all tests; confidence is 1 - level.
    margin: of non-inferiority, a fraction of what recurrence is worth on the task; of what is no
    score, of the rival's mean.

    Raises InputError unless level is in (0, 0.5] and margin in (0, 1].
    """

    method: str = "lnp"
    level: float = 0.05
    margin: float = 0.1

    def __post_init__(self) -> None:
        for name, highest in (("level", 0.5), ("margin", 1.0)):
            value = getattr(self, name)
            if not 0 < value <= highest:
                raise InputError(name, value, f"must be in (0, {highest:g}]")


@dataclass(frozen=True)
class Comparison:
    """A contest and its outcome; reason says why it is not tested, test is None then.

    no_worse: whether the confidence interval (not Holm-corrected) ends before the margin; None
    where there is no margin.
    """

    contest: Contest
    outcome: str
    test: PairedTest | None = None
    no_worse: bool | None = None
    reason: str = ""


@dataclass(frozen=True)
class Cell:
    """All comparisons of a claim at one size: on one task, or on all (task "")."""

    task: str
    size: Size
    outcome: str
    comparisons: tuple[Comparison, ...]
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.task or 'all tasks'}, {self.size}"


def judged_cells(claim: Claim, records: Records, settings: Settings) -> list[Cell]:
    """Every cell the rows allow for the claim, judged."""
    families: dict[tuple[str, Size], list[Contest]] = {}
    method = claim.subject or settings.method
    for contest in contests_of(claim, records, method, settings.margin):
        task = "" if claim.one_network else contest.task
        families.setdefault((task, contest.size), []).append(contest)
    return [
        _cell(claim, task, size, _family(contests, settings), records, method)
        for (task, size), contests in families.items()
    ]


def _family(contests: Sequence[Contest], settings: Settings) -> list[Comparison]:
    """The contests tested together; too few pairs for the family's size are not tested."""
    least = seeds_needed(settings.level)
    many = sum(contest.pairs >= least for contest in contests)
    needed = seeds_needed(settings.level, max(many, 1))
    ready = {str(k): c for k, c in enumerate(contests) if c.pairs >= needed}
    tests = compare_family({k: (c.ours, c.theirs) for k, c in ready.items()}, 1 - settings.level)
    return [
        _outcome(contest, tests[str(k)], settings)
        if str(k) in ready
        else Comparison(contest, NOT_TESTED, reason=_too_few(contest, needed, many, settings.level))
        for k, contest in enumerate(contests)
    ]


def _too_few(contest: Contest, needed: int, many: int, level: float) -> str:
    lost = f" ({contest.unequal} more of unequal size)" if contest.unequal else ""
    if not contest.pairs and not contest.unequal and {*contest.why} == {"no value"}:
        return f"no row has a value of {contest.measure}"
    seeds = f"{contest.pairs} paired seed{'s' * (contest.pairs != 1)}{lost}"
    together = f" with {many} comparisons together" if many > 1 else ""
    return f"{seeds}; Wilcoxon cannot reach p < {level:g} below {needed}{together}"


def _outcome(contest: Contest, test: PairedTest, settings: Settings) -> Comparison:
    better, margin = contest.better, contest.margin
    worse = "lower" if better == "higher" else "higher"
    loss = test.high if better == "lower" else -test.low
    no_worse = None if margin is None else loss < margin
    reason = ""
    bound = contest.demand.below
    if test.favours(better, settings.level):
        outcome = AS_CLAIMED
        if bound is not None and max(contest.ours) >= bound:
            outcome, above = UNDECIDED, sum(x >= bound for x in contest.ours)
            reason = f"{above} of {contest.pairs} seeds do not keep it"
    elif test.favours(worse, settings.level):
        outcome = REVERSED
    elif not contest.demand.at_least:
        outcome = UNDECIDED
    elif no_worse is None:
        outcome = NOT_TESTED
        reason = "no margin: the unpruned network is not seen to beat the one without recurrence"
    else:
        outcome = AS_CLAIMED if no_worse else UNDECIDED
    return Comparison(contest, outcome, test, no_worse, reason)


def _cell(
    claim: Claim,
    task: str,
    size: Size,
    comparisons: Sequence[Comparison],
    records: Records,
    method: str,
) -> Cell:
    outcomes = [comparison.outcome for comparison in comparisons]
    several = _several_networks(records, method, size) if claim.one_network else ""
    reason = several or _incomplete(claim, comparisons, method)
    outcome = NOT_TESTED if reason else AS_CLAIMED
    if not several and {*outcomes} & {REVERSED, UNDECIDED}:  # one failure is enough
        outcome = REVERSED if REVERSED in outcomes else UNDECIDED
        if claim.least and outcome == UNDECIDED:  # but here
            outcome = AS_CLAIMED if outcomes.count(AS_CLAIMED) >= claim.least else outcome
            outcome = NOT_TESTED if reason else outcome
    return Cell(task, size, outcome, tuple(comparisons), reason)


def _incomplete(claim: Claim, comparisons: Sequence[Comparison], method: str) -> str:
    """Which demand no comparison of the cell has tested, and why; "" if there is none."""
    for demand in claim.demands:
        own = [c for c in comparisons if c.contest.demand == demand]
        if not own:
            return without_rival(demand, method, " at this size")
        if all(c.outcome == NOT_TESTED for c in own):
            best = max(own, key=lambda c: c.contest.pairs)
            return f"against {best.contest.rival!r}: {best.reason}"
    tested = {c.contest.task for c in comparisons if c.outcome != NOT_TESTED}
    wanted = claim.least + 1 if claim.least else 2
    if claim.one_network and len(tested) < wanted:
        few = [f"; {c.contest.task}: {c.reason}" for c in comparisons if c.reason]
        return "".join([f"{len(tested)} of at least {wanted} tasks tested", *few[:1]])
    return ""


def rival_names(demand: Demand) -> str:
    """The patterns of a demand, as words."""
    return " or ".join(repr(pattern) for pattern in demand.rivals)


def without_rival(demand: Demand, method: str, where: str = "") -> str:
    """Why nothing stands against the method."""
    if demand.rivals == (method,):
        return f"{method!r} is the rival itself"
    return f"rows of {rival_names(demand)} are missing{where}"


def _several_networks(records: Records, method: str, size: Size) -> str:
    """Why the rows at `size` are not of one network per seed on all tasks; "" if they may be."""
    if method in PRUNED_FOR_A_TASK:
        return f"{method!r} prunes for a task"
    shapes: dict[int, set[tuple[int, int]]] = {}
    for task in records.tasks:
        for seed, row in records.rows(task, method, size).items():
            if row["neurons"] is not None:
                shapes.setdefault(seed, set()).add((row["neurons"], row["synapses"]))
    differing = [seed for seed, found in shapes.items() if len(found) > 1]
    return f"seed {differing[0]} has a network of another size on each task" if differing else ""
