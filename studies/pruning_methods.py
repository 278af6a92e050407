"""Every pruning recipe at equal numbers of neurons and synapses: scores, rates and operations.

A point is one recipe, seed and size (see `compared_recipes`): it is pruned once and scored on every
task, as it is and with its mean rate brought back to that of the unpruned network, under white
noise or on the task itself. The unpruned network and the control without recurrence stand beside
the recipes.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import READOUTS
from hrsnn_brian.files.columns import NAME, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.report.claims import CLAIMS
from hrsnn_brian.runs.options import (
    Fractions,
    Names,
    Options,
    RecipeOptions,
    Recipes,
    StudyNetwork,
    Tasks,
)
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, Whole
from hrsnn_brian.statistics.paired_seeds import by_seed, left_out, spread
from hrsnn_brian.studies.compared_recipes import COMPARED, compared_at, compared_recipe
from hrsnn_brian.studies.recipe_scores import (
    BARE,
    FULL,
    GROWTH,
    MATCHES,
    ON_TASK,
    PRIMARY,
    RAW,
    TASKS,
    scored_rows,
)
from hrsnn_brian.studies.task_points import ImageFiles, shown_tasks

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, recipe and fractions of synapses and neurons; full and bare once a seed.

    A recipe has no point at fractions of neurons where it is not compared (see `compared_at`).
    """
    found: list[Point] = []
    shared = {name: options[name] for name in ("match", "readouts", "stability", "network")}
    shared |= {"tasks": shown_tasks(options["tasks"], options)}
    for number in range(options["seeds"]):
        base = {"seed": seed + number} | shared
        found += [
            base | {"recipe": FULL, "keep": 1.0, "neuron_fraction": 1.0},
            base | {"recipe": BARE, "keep": 0.0, "neuron_fraction": 1.0},
        ]
        found += [
            base | {"recipe": recipe, "keep": keep, "neuron_fraction": fraction}
            for fraction in options["neuron_fraction"]
            for recipe in options["recipes"]
            if compared_at(recipe, fraction)
            for keep in options["keep"]
        ]
    return found


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per task, matching and readout."""
    recipe = None if point["recipe"] in (FULL, BARE) else compared_recipe(point["recipe"])
    return scored_rows(point, recipe, engine, tuple(point["readouts"]))


def summary(rows: Sequence[Row]) -> str:
    """Mean ± s.e.m. of score, rate and operations: one block per task, size and matching."""
    table = Table(rows)
    seen = [row for row in named(table) if row["readout"] == "spikes"]
    pruned = [row for row in seen if row["recipe"]]
    sizes = dict.fromkeys(tuple(row[c] for c in _BLOCK) for row in pruned)
    blocks = []
    for task, match, fraction, keep in sizes:
        here = (task, match)
        chosen = [
            row
            for row in seen
            if (row["task"], row["match"]) == here
            and (not row["recipe"] or (row["neuron_fraction"], row["keep"]) == (fraction, keep))
        ]
        score = table.schema.primary(task)
        if score is None:
            continue
        found = [by_seed(chosen, NAME, column) for column in (score.name, "rate_hz", _OPS)]
        lines = [
            [name, found[0][name].count, *(spread([*each[name].values()]) for each in found)]
            for name in found[0]
        ]
        size = f"{100 * keep:g} % of the synapses, {100 * fraction:g} % of the neurons"
        title = f"{task}, {size}, {_MATCHED[match]}"
        header = ["recipe", "seeds", score.name, "rate_hz", _OPS]
        blocks.append(f"{title}{left_out(found[0].values())}\n{text_table(lines, header)}")
    seeds = len({row["seed"] for row in seen})
    return "\n\n".join([*blocks, f"mean ± s.e.m. over {seeds} seeds; readout: spikes and input"])


_BLOCK = ("task", "match", "neuron_fraction", "keep")
_MATCHED = {
    RAW: "as pruned",
    "bias": "rate matched by bias",
    "gain": "rate matched by gain",
    ON_TASK: "rate matched on the task",
}
_OPS = "synaptic_ops_per_s"


@dataclass(frozen=True)
class MethodsOptions(ImageFiles, RecipeOptions):
    """What is compared, at which sizes."""

    tasks: Tasks = Tasks(*TASKS).about("what every network is scored on")
    recipes: Recipes = Recipes(*COMPARED, known=COMPARED).about(
        "what is compared, where all neurons stay, fewer of them, or both"
    )
    keep: Fractions = Fractions(0.1, 0.05, below_one=True).about("fractions of the synapses kept")
    neuron_fraction: Fractions = Fractions(1.0, 0.6).about("fractions of the neurons kept")
    match: Names = Names(MATCHES, (RAW, "bias"), also={"raw": RAW}).about(
        "what brings the mean rate back to that of the unpruned network"
    )
    readouts: Names = Names(READOUTS, PRIMARY, one="readout").about(
        "what a readout sees beside the present input"
    )
    stability: Flag = Flag(False).about(
        "exponents, growth and input echo of every network, too, which verdicts on stability need"
    )
    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, of tasks that have them")
    short_tasks: Flag = Flag(True).about("shorter series and fewer images, for a first look")
    network: StudyNetwork = StudyNetwork("default", "N=250").about("the network to prune")

    def __post_init__(self) -> None:
        if not any(compared_at(r, f) for r in self.recipes for f in self.neuron_fraction):
            what = "none of them is compared at these fractions of neurons; add 1.0 or one below it"
            raise InputError("recipes", ", ".join(self.recipes), what)


def _families(options: Options) -> tuple[int, int] | None:
    """The smallest and the largest number of rivals that a claim puts to the test together."""
    recipes = {*options["recipes"], FULL}
    sizes = [
        sum(len(demand.names(recipes, "")) for demand in claim.demands)
        for claim in CLAIMS
        if not claim.subject
    ]
    return min(filter(None, sizes)), max(sizes)


STUDY = Study(
    name="pruning_methods",
    description="every pruning recipe at equal numbers of neurons and synapses, on two tasks that "
    "need memory",
    points=points,
    run=run,
    options=MethodsOptions,
    families=_families,
    presets={
        "quick": {},
        "paper": {
            "seeds": 10,
            "keep": [0.2, 0.1, 0.05, 0.02],
            "match": [RAW, "bias", ON_TASK],
            "vpt_starts": 30,
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    figures=("pruning_methods", "paired_differences"),
    summary=summary,
    columns=(GROWTH,),
)
