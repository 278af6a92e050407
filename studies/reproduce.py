"""The paper's claim, end to end: one network per seed, pruned by every recipe to one size.

A point is one recipe and seed. Its network is pruned once, scored on two series that need memory
and on images, and measured. Beside the scores (table `pruning_methods`, on which verdicts are
given) stand the tables of `reproduced_tables`: dynamics of every network, the course of pruning,
and of the first seed what pictures are drawn from.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hrsnn_brian.files.tables import Row
from hrsnn_brian.runs.options import Fractions, Names, Options, Recipes, StudyNetwork, Tasks
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag
from hrsnn_brian.studies import pruning_methods
from hrsnn_brian.studies.compared_recipes import COMPARED, compared_recipe
from hrsnn_brian.studies.recipe_scores import BARE, FULL, RAW, TASKS, scored_rows
from hrsnn_brian.studies.reproduced_tables import COLUMNS, TABLES, Watched

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

IMAGES = "digits"
RECIPES = (
    "lnp",
    "lnp echo",
    "frugal",
    "activity",
    "magnitude variance (8 rounds)",
    "random variance",
    "random echo",
)


def points(options: Options, seed: int) -> list[Point]:
    """Those of `pruning_methods`; the first seed is the one that pictures are of."""
    return [
        point | {"pictured": point["seed"] == seed}
        for point in pruning_methods.points(options, seed)
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """A row per task, and those of the other tables."""
    recipe = None if point["recipe"] in (FULL, BARE) else compared_recipe(point["recipe"])
    with TemporaryDirectory() as work:
        watched = Watched(point, recipe, engine, Path(work) / "iterations")
        rows = scored_rows(
            point,
            recipe,
            engine,
            tuple(point["readouts"]),
            describe=watched.describe,
            rounds=watched.rounds,
        )
        return [*rows, *watched.rows()]


@dataclass(frozen=True)
class ReproduceOptions(pruning_methods.MethodsOptions):
    """What is compared, and at which size."""

    tasks: Tasks = Tasks(*TASKS, IMAGES).about("what every network is scored on")
    recipes: Recipes = Recipes(*RECIPES, known=COMPARED).about("what is compared")
    keep: Fractions = Fractions(0.1, below_one=True).about("fractions of the synapses kept")
    neuron_fraction: Fractions = Fractions(0.6).about("fractions of the neurons kept")
    match: Names = Names({RAW: "nothing: as pruned"}, (RAW,), also={"raw": RAW}).about(
        "what brings the mean rate back; study pruning_methods knows more"
    )
    stability: Flag = Flag(True).about("dynamics of every network, too")
    network: StudyNetwork = StudyNetwork("default", "N=200").about("the network to prune")


STUDY = Study(
    name="reproduce",
    description="the paper's claim end to end: scores, cost, dynamics and verdicts at equal size",
    points=points,
    run=run,
    options=ReproduceOptions,
    families=pruning_methods.STUDY.families,
    tables=TABLES,
    presets={
        "quick": {},
        "paper": {
            "seeds": 10,
            "keep": [0.05],
            "vpt_starts": 30,
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    figures=(
        "pruning_methods",
        "paired_differences",
        "dynamics",
        "pruning_history",
        "free_runs",
        "concept",
        "eigenvalue_clouds",
        "state_components",
        "time_constants",
    ),
    summary=pruning_methods.summary,
    columns=COLUMNS,
)
