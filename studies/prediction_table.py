"""Series: the full network, pruned ones, controls without a network, rivals, with what each costs.

A point is one model and one task on one seed; the unpruned network brings its controls (J = 0 and
others), persistence, the present input alone, linear AR and NG-RC. The echo-state network has as
many units as the unpruned one and is tuned for every task.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_brian.evaluation.evaluate import READOUTS
from hrsnn_brian.evaluation.quadratic import QUADRATIC
from hrsnn_brian.evaluation.rivals import RIVALS, rival_rows
from hrsnn_brian.files.columns import FULL, Column
from hrsnn_brian.files.score import LOWER
from hrsnn_brian.files.tables import Row
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.runs.options import Names, Options, Tasks
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import OneOf, Whole
from hrsnn_brian.studies.recipe_scores import PRIMARY, TASKS
from hrsnn_brian.studies.score_tables import score_tables
from hrsnn_brian.studies.task_points import (
    COLUMNS,
    PRUNED_FOR,
    SERIES,
    SeriesOptions,
    full_and_controls,
    looks_at_task,
    scored,
    shown_tasks,
    sized,
    task_of,
)
from hrsnn_brian.tasks.echo_state import TRIALS, require_reservoirpy

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

ESN = "esn"
MULTIPLY_ADDS = "multiply_adds"
PER_UPDATE = 7  # multiply-adds of one neuron update, see `dynamics.cost.SampleCost`


@dataclass(frozen=True)
class PredictionOptions(SeriesOptions):
    """Which models meet on which series."""

    tasks: Tasks = Tasks(*TASKS, known=SERIES).about("the series")
    readouts: Names = Names((*READOUTS, QUADRATIC), PRIMARY, one="readout").about(
        "what a readout of a network sees beside the present input"
    )
    rivals: OneOf = OneOf("none", {"none": "no model of another kind", **RIVALS}).about(
        "a rival beside the networks; needs the extra [rivals]"
    )
    trials: Whole = Whole(TRIALS, low=1).about("settings tried for a rival, on every task")


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, model and task; those of one network follow each other."""
    rival = options["rivals"] == ESN
    if rival:
        require_reservoirpy()
    tasks = shown_tasks(options["tasks"], options)
    shared = {"readouts": options["readouts"]}
    found: list[Point] = []
    for number in range(options["seeds"]):
        base = {"seed": seed + number}
        found += [
            base
            | sized(options, recipe)
            | shared
            | task
            # trained for the very task, as the paper's rival is
            | {PRUNED_FOR: task if looks_at_task(recipe) else {}}
            for recipe in (FULL, *options["recipes"])
            for task in tasks
        ]
        if rival:
            units = {"units": HRSNNParams.from_dict(options["network"]).N}
            search = units | {"trials": options["trials"]}
            found += [base | {"rival": ESN} | search | task for task in tasks]
    return found


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per readout; with the full network those of its controls."""
    if "rival" in point:
        rows = rival_rows(task_of(point), point["units"], point["seed"], point["trials"])
        return [_with_costs(row) for row in rows]
    readouts = tuple(point["readouts"])
    if point["recipe"] != FULL:
        rows = scored(point, engine, readouts)
    else:
        rows = full_and_controls(point, engine, readouts)
    return [_with_costs(row) for row in rows]


def _with_costs(row: Row) -> Row:
    """A network's multiply-adds on a clocked machine, or a rival's in the columns of a network."""
    if MULTIPLY_ADDS in row:
        readout = row["readout_multiply_adds"].value
        shared = {"neuron_updates_per_sample": row["neurons"], "readout_ops_per_sample": readout}
        return row | {**shared, PRUNED_FOR: "", "note": ""}
    updates = row.get("neuron_updates_per_sample")
    if updates is None:
        return row
    return row | {MULTIPLY_ADDS: PER_UPDATE * updates + row["synaptic_events_per_sample"]}


def summary(rows: Sequence[Row]) -> str:
    """Per task all models, best first, with their costs per sample."""
    return score_tables(rows, _COSTS)


_COSTS = (
    MULTIPLY_ADDS,
    "neuron_updates_per_sample",
    "synaptic_events_per_sample",
    "readout_ops_per_sample",
)

STUDY = Study(
    name="prediction_table",
    description="series: full and pruned networks, controls, linear models, NG-RC, echo states",
    points=points,
    run=run,
    options=PredictionOptions,
    presets={
        "quick": {"seeds": 2},
        "paper": {
            "seeds": 5,
            "tasks": [
                *("mackey-glass-84", "lorenz63-x", "rossler-x", "narma10"),
                *("wind", "google"),
            ],
            "recipes": ["lnp", "lnp revised", "frugal", "activity", "random variance"],
            "rivals": ESN,
            "vpt_starts": 20,
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    figures=("prediction_table",),
    summary=summary,
    columns=(
        *COLUMNS,
        Column(
            MULTIPLY_ADDS,
            f"multiply-adds per sample on a clocked machine, {PER_UPDATE} per neuron update and "
            "one per synaptic event, readout apart",
            "1",
            LOWER,
            "cost",
        ),
    ),
)
