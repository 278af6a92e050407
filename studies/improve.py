"""The search for the best task-agnostic pruning recipe, and its confirmation on fresh seeds.

Development: every candidate on `seeds` seeds from the root seed on; as often as one likes.
Confirmation (preset "confirm"): the shipped recipes against every rival by magnitude and by lot, on
seeds that start FRESH above the root seed and that no development with that root has looked at;
to be run once. Candidates look at no task; all are scored with the primary readout, as pruned.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import NAME, Column, named
from hrsnn_brian.files.score import LOWER
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import RECIPES
from hrsnn_brian.runs.options import (
    Options,
    RecipeOptions,
    Recipes,
    StudyNetwork,
    Tasks,
)
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, OneOf, Real, Whole
from hrsnn_brian.statistics.comparison import compare_family
from hrsnn_brian.statistics.paired_seeds import BySeed, by_seed, left_out, paired, spread
from hrsnn_brian.studies.compared_recipes import COMPARED, LEAVE
from hrsnn_brian.studies.recipe_scores import BARE, FULL, PRIMARY, RAW, TASKS, scored_rows
from hrsnn_brian.studies.task_points import shown_tasks

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

FRESH = 1000  # confirmation seeds are this much above those of the development
PHASES = {
    "development": "from the root seed on, as often as one likes",
    "confirmation": f"from {FRESH} above the root seed on, to be run once",
}
SHIPPED = ("thrifty", "frugal")
RIVALS = tuple(
    name
    for name, where in COMPARED.items()
    if name.split()[0] in ("random", "magnitude", "sampling", "fresh") and where != LEAVE
)


def _frugal(**changes: float | str) -> Recipe:
    return RECIPES["frugal"].changed(**changes)


_NOISE_TOP = RECIPES["noise top variance (8 rounds)"]
CANDIDATES: dict[str, Recipe] = {
    **{name: RECIPES[name] for name in (*RIVALS, *SHIPPED)},
    "noise top variance (8 rounds)": _NOISE_TOP,
    "noise top in class": _NOISE_TOP.changed(within="class"),
    "noise top in neuron": _NOISE_TOP.changed(within="neuron"),
    "no price": _frugal(price=0),
    "no price nor gain": _frugal(price=0, gain=1),
    "price .35 no gain": _frugal(gain=1),
    "price .35 gain 2.5": _frugal(gain=2.5),
    "price .35 rate free": _frugal(rate=0),
    "price .35 all compete": _frugal(within="all"),
    "price .5": _frugal(price=0.5),
    "price 1 gain 2 rate .5": _frugal(price=1, gain=2, rate=0.5),
    "root F price .5 gain 2 rate .5": _frugal(power=0.5, price=0.5, gain=2, rate=0.5),
    "price 1 gain 2": _frugal(price=1, gain=2),
    "root F gain 2": RECIPES["frugal root F"],
    "ceiling 1": _frugal(ceiling=1),
    "ceiling 1.5": _frugal(ceiling=1.5),
    "gain 2 ceiling 1": _frugal(gain=2, ceiling=1),
    "price .7 gain 2 ceiling 1": _frugal(price=0.7, gain=2, ceiling=1),
    "root F gain 2.5 ceiling 1": _frugal(power=0.5, gain=2.5, ceiling=1),
    "root F gain 3 ceiling 1": _frugal(power=0.5, gain=3, ceiling=1),
    "power .75 gain 2.5 ceiling 1": _frugal(power=0.75, price=0.5, gain=2.5, ceiling=1),
}
"""Rivals, shipped recipes and what they were chosen from, by name. [our choice]"""


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed and candidate; the full and the bare network once per seed."""
    first = seed + (FRESH if options["phase"] == "confirmation" else 0)
    shared = {"tasks": shown_tasks(options["tasks"], options), "network": options["network"]}
    shared |= {"match": [RAW], "neuron_fraction": 1.0}
    found: list[Point] = []
    for number in range(options["seeds"]):
        base = {"phase": options["phase"], "seed": first + number} | shared
        found += [base | {"recipe": FULL, "keep": 1.0}, base | {"recipe": BARE, "keep": 0.0}]
        found += [base | {"recipe": r, "keep": options["keep"]} for r in options["recipes"]]
    return found


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per task."""
    recipe = None if point["recipe"] in (FULL, BARE) else CANDIDATES[point["recipe"]]
    return [row | {"phase": point["phase"]} for row in scored_rows(point, recipe, engine, PRIMARY)]


def summary(rows: Sequence[Row]) -> str:
    """Candidates from best to worst; for a confirmation the paired tests against every rival."""
    table = Table(rows)
    rows = named(table)
    tasks = list(dict.fromkeys(str(row["task"]) for row in rows))
    judged = {task: score for task in tasks if (score := table.schema.primary(task))}
    scores = {
        task: by_seed((row for row in rows if row["task"] == task), NAME, score.name)
        for task, score in judged.items()
    }
    first = [row for row in rows if row["task"] == tasks[0]]
    costs = {column: by_seed(first, NAME, column) for column in ("rate_hz", "synaptic_ops_per_s")}
    columns = {score.name: scores[task] for task, score in judged.items()} | costs
    recipes = sorted(scores[tasks[0]], key=lambda recipe: _rank(judged, scores, recipe))
    lines = [[name, *(spread(found[name]) for found in columns.values())] for name in recipes]
    seeds = len({row["seed"] for row in rows})
    best = "best first, by the mean log ratio to full"
    head = f"mean ± s.e.m. over {seeds} seeds, {best}; costs on {tasks[0]}"
    missing = left_out(seeds for found in scores.values() for seeds in found.values())
    blocks = [f"{head}{missing}\n{text_table(lines, ['recipe', *columns])}"]
    if seeds > 1 and rows[0]["phase"] == "confirmation":
        blocks += [_tests(judged, scores, shipped) for shipped in SHIPPED if shipped in recipes]
    return "\n\n".join(blocks)


def _rank(judged: dict[str, Column], scores: dict[str, BySeed], recipe: str) -> float:
    """Mean over tasks of the log of the mean score against the full network's, lower is better."""
    logs = []
    for task, found in scores.items():
        if not found[recipe]:
            return math.inf  # no seed has a score
        ratio = mean(found[recipe].values()) / mean(found[FULL].values())
        logs.append(math.log(max(ratio, 1e-9)) * (1 if judged[task].better == LOWER else -1))
    return mean(logs)


def _tests(judged: dict[str, Column], scores: dict[str, BySeed], shipped: str) -> str:
    """The shipped recipe against every rival on every task: one family, Holm-corrected."""
    family = {
        (task, rival): pair
        for task, found in scores.items()
        for rival in found
        if rival in RIVALS and (pair := paired(found[shipped], found[rival]))
    }
    tests = compare_family({f"{task}: {rival}": pair for (task, rival), pair in family.items()})
    lines = []
    for (task, _), (name, test) in zip(family, tests.items(), strict=True):
        numbers = (test.mean_difference, test.dz, test.p_t_holm, test.p_wilcoxon_holm)
        verdict = "better" if test.favours(judged[task].better) else "-"
        lines.append([name, test.pairs, *(f"{number:.3g}" for number in numbers), verdict])
    header = ["against", "pairs", "difference", "dz", "p t", "p Wilcoxon", "verdict"]
    return f"{shipped}, paired by seed, Holm over {len(lines)} tests\n{text_table(lines, header)}"


@dataclass(frozen=True)
class SearchOptions(RecipeOptions):
    """Which candidates are scored, on which seeds."""

    seeds: Whole = Whole(2, low=1, high=FRESH).about("seeds, counted from the phase's first on")
    phase: OneOf = OneOf("development", PHASES).about("whose seeds are used")
    recipes: Recipes = Recipes(*CANDIDATES, known=CANDIDATES).about("the candidates")
    keep: Real = Real(0.05, 0, 1, above=True, below=True).about("fraction of the synapses kept")
    tasks: Tasks = Tasks(*TASKS, known=TASKS).about("what every network is scored on")
    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, of tasks that have them")
    short_tasks: Flag = Flag(True).about("shorter series, for a first look")
    network: StudyNetwork = StudyNetwork("default", "N=250").about("the network to prune")


def _families(options: Options) -> tuple[int, int] | None:
    if options["phase"] == "development":
        return None
    tests = len(options["tasks"]) * sum(recipe in RIVALS for recipe in options["recipes"])
    return (tests, tests) if tests else None


_PAPER = {"seeds": 6, "vpt_starts": 30, "short_tasks": False, "network": {"preset": "default"}}

STUDY = Study(
    name="improve",
    description="the search for the best task-agnostic recipe on development seeds, and its "
    "confirmation on fresh ones",
    points=points,
    run=run,
    options=SearchOptions,
    families=_families,
    presets={
        "quick": {},
        "paper": _PAPER,
        "confirm": _PAPER | {"phase": "confirmation", "seeds": 16, "recipes": [*SHIPPED, *RIVALS]},
    },
    summary=summary,
    columns=(Column("phase", "development seeds, or fresh ones", role="identity"),),
)
