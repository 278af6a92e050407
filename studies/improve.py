"""The search for the best task-agnostic pruning rule, and its confirmation on fresh seeds.

Development: every candidate on `seeds` seeds from the root seed on; as often as one likes.
Confirmation (preset "confirm"): the shipped rules against every rival by magnitude and by lot, on
seeds that start FRESH above the root seed and that no development with that root has looked at;
to be run once. Candidates look at no task; all are scored with the primary readout, as pruned.
"""

import math
from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.runs.study import Options, Point, Study
from hrsnn_brian.runs.tables import Row, text_table
from hrsnn_brian.studies.rule_scores import BARE, FULL, PRIMARY, RAW, SCORES, scored_rows
from hrsnn_brian.studies.rules import RULES, Rule

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

FRESH = 1000  # confirmation seeds are this much above those of the development
PHASES = {"development": 0, "confirmation": FRESH}
SHIPPED = ("frugal", "frugal price 1")
RIVALS = tuple(
    name
    for name in RULES
    if name.split()[0] in ("random", "magnitude", "sampling", "fresh")
    and RULES[name].neurons != "leave"
)


def _frugal(**options: str) -> Rule:
    return Rule("frugal", 8, options=options)


CANDIDATES: dict[str, Rule] = {
    **{name: RULES[name] for name in (*RIVALS, *SHIPPED)},
    "noise top variance (8 rounds)": RULES["noise top variance (8 rounds)"],
    "noise top in class": Rule("noise", 8, "variance", {"selection": "top", "within": "class"}),
    "noise top in neuron": Rule("noise", 8, "variance", {"selection": "top", "within": "neuron"}),
    "no price": _frugal(price="0"),
    "no price nor gain": _frugal(price="0", gain="1"),
    "price .35 no gain": _frugal(gain="1"),
    "price .35 gain 2.5": _frugal(gain="2.5"),
    "price .35 rate free": _frugal(rate="0"),
    "price .35 all compete": _frugal(within="all"),
    "price .5": _frugal(price="0.5"),
    "price 1 gain 2 rate .5": _frugal(price="1", gain="2", rate="0.5"),
    "root F price .5 gain 2 rate .5": _frugal(power="0.5", price="0.5", gain="2", rate="0.5"),
    "root F price .35 gain 2": _frugal(power="0.5", price="0.35", gain="2"),
}
"""Rivals, shipped rules and what they were chosen from, by name. [our choice]"""


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed and candidate; the full and the bare network once per seed."""
    _check(options)
    first = seed + PHASES[options["phase"]]
    names = ("tasks", "vpt_starts", "short_tasks", "network")
    shared = {name: options[name] for name in names} | {"match": [RAW], "neurons": 1.0}
    found: list[Point] = []
    for number in range(options["seeds"]):
        base = {"phase": options["phase"], "seed": first + number} | shared
        found += [base | {"rule": FULL, "keep": 1.0}, base | {"rule": BARE, "keep": 0.0}]
        found += [base | {"rule": r, "keep": options["keep"]} for r in options["rules"]]
    return found


def _check(options: Options) -> None:
    if options["phase"] not in PHASES:
        raise unknown_name("phase", options["phase"], PHASES)
    for rule in options["rules"]:
        if rule not in CANDIDATES:
            raise unknown_name("rule", rule, CANDIDATES)
    for task in options["tasks"]:
        if task not in SCORES:
            raise unknown_name("task", task, SCORES)
    if not 0 < options["keep"] < 1:
        raise InputError("keep", options["keep"], "must be in (0, 1)")
    if not 1 <= options["seeds"] <= FRESH:
        raise InputError("seeds", options["seeds"], f"must be from 1 to {FRESH}")
    if options["vpt_starts"] < 1:
        raise InputError("vpt_starts", options["vpt_starts"], "must be at least 1")


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per task."""
    rule = None if point["rule"] in (FULL, BARE) else CANDIDATES[point["rule"]]
    return [{"phase": point["phase"], **row} for row in scored_rows(point, rule, engine, PRIMARY)]


def summary(rows: Sequence[Row]) -> str:
    """Candidates from best to worst; for a confirmation the paired tests against every rival."""
    rules = list(dict.fromkeys(str(row["rule"]) for row in rows))
    table = {rule: _by_task([row for row in rows if row["rule"] == rule]) for rule in rules}
    tasks = list(dict.fromkeys(str(row["task"]) for row in rows))
    header = ["rule", *(SCORES[task] for task in tasks), "rate_hz", "synaptic_ops_per_s"]
    lines = []
    for rule in sorted(rules, key=lambda rule: _rank(table, rule, tasks)):
        seen = [row for task in tasks for row in table[rule][task].values()]
        scores = [mean(_scores(table, rule, task).values()) for task in tasks]
        costs = [mean(float(row[c]) for row in seen) for c in header[-2:]]
        lines.append([rule, *(f"{number:.3g}" for number in (*scores, *costs))])
    seeds = len({row["seed"] for row in rows})
    blocks = [f"means over {seeds} seeds, best first\n{text_table(lines, header)}"]
    if seeds > 1 and rows[0]["phase"] == "confirmation":
        blocks += [_tests(table, shipped, tasks) for shipped in SHIPPED if shipped in table]
    return "\n\n".join(blocks)


_ByTask = dict[str, dict[int, Row]]


def _by_task(rows: Sequence[Row]) -> _ByTask:
    found: _ByTask = {}
    for row in rows:
        found.setdefault(str(row["task"]), {})[int(row["seed"])] = row
    return found


def _scores(table: dict[str, _ByTask], rule: str, task: str) -> dict[int, float]:
    return {seed: float(row[SCORES[task]]) for seed, row in table[rule][task].items()}


def _lower_is_better(task: str) -> bool:
    return not SCORES[task].startswith("vpt")


def _rank(table: dict[str, _ByTask], rule: str, tasks: Sequence[str]) -> float:
    """Mean over tasks of the log of the mean score against the full network's, lower is better."""
    logs = []
    for task in tasks:
        ratio = mean(_scores(table, rule, task).values()) / mean(
            _scores(table, FULL, task).values()
        )
        logs.append(math.log(max(ratio, 1e-9)) * (1 if _lower_is_better(task) else -1))
    return mean(logs)


def _tests(table: dict[str, _ByTask], shipped: str, tasks: Sequence[str]) -> str:
    """The shipped rule against every rival on every task: one family, Holm-corrected."""
    from hrsnn_brian.metrics.comparison import compare_family

    rivals = [rule for rule in table if rule in RIVALS]
    family: dict[str, Any] = {}
    for task in tasks:
        ours = _scores(table, shipped, task)
        for rival in rivals:
            theirs = _scores(table, rival, task)
            both = sorted(set(ours) & set(theirs))
            family[f"{task}: {rival}"] = ([ours[s] for s in both], [theirs[s] for s in both])
    lines = []
    for name, test in compare_family(family).items():
        better = "lower" if _lower_is_better(name.split(":")[0]) else "higher"
        verdict = "better" if test.favours(better) else "-"
        numbers = (test.mean_difference, test.dz, test.p_t_holm, test.p_wilcoxon_holm)
        lines.append([name, test.pairs, *(f"{number:.3g}" for number in numbers), verdict])
    header = ["against", "pairs", "difference", "dz", "p_t_holm", "p_wilcoxon_holm", "verdict"]
    return f"{shipped}, paired by seed, Holm over {len(lines)} tests\n{text_table(lines, header)}"


_PAPER: Options = {
    "phase": "development",
    "seeds": 6,
    "rules": list(CANDIDATES),
    "keep": 0.05,
    "tasks": list(SCORES),
    "vpt_starts": 30,
    "short_tasks": False,
    "network": {"preset": "default"},
}

STUDY = Study(
    name="improve",
    description="the search for the best task-agnostic rule on development seeds, and its "
    "confirmation on fresh ones",
    points=points,
    run=run,
    presets={
        "quick": _PAPER
        | {
            "seeds": 2,
            "vpt_starts": 10,
            "short_tasks": True,
            "network": {"preset": "default", "set": ["N=250"]},
        },
        "paper": _PAPER,
        "confirm": _PAPER | {"phase": "confirmation", "seeds": 16, "rules": [*SHIPPED, *RIVALS]},
    },
    summary=summary,
)
