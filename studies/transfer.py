"""One sparse network, every task: pruned once by each recipe, then put to series and images.

The paper's Figure 1b as an experiment. Recipes see no task, but those that must (`activity`), which
see the one task `looked_at`: their network is put to the others, too. Per seed a network is drawn
once; a point is one network, one way of training and one task. The unpruned network and the control
without recurrence stand beside the recipes; every score is also told relative to the unpruned one.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import FULL, NAME, NO_RECURRENCE, Column, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.runs.options import Names, Options, Tasks
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import OneOf
from hrsnn_brian.statistics.paired_seeds import by_seed, left_out, relative, spread
from hrsnn_brian.studies.recipe_scores import PRIMARY
from hrsnn_brian.studies.task_points import (
    COLUMNS,
    PRUNED_FOR,
    FiledOptions,
    SeriesOptions,
    looks_at_task,
    scored,
    shown_tasks,
    sized,
    tasks_of,
)
from hrsnn_brian.tasks.registry import list_tasks

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

TRAINING, UNTRAINED = "training", "none"
EVERY_RECIPE = (
    *("lnp", "lnp revised", "frugal", "thrifty", "activity"),
    *("magnitude variance (8 rounds)", "random variance"),
)
EVENTS = "synaptic_events_per_sample"
_COSTS = (EVENTS, "neuron_updates_per_sample")


@dataclass(frozen=True)
class TransferOptions(FiledOptions, SeriesOptions):
    """Which networks meet which tasks."""

    tasks: Tasks = Tasks(
        *("mackey-glass-84", "lorenz63-x", "rossler-x", "narma10", "wind", "digits")
    ).about("what every network is put to")
    looked_at: OneOf = OneOf("mackey-glass-84", list_tasks()).about(
        "the one task that recipes see which must see one, such as activity"
    )
    training: Names = Names(
        {UNTRAINED: "the readout alone", "stdp": "STDP on the task's training input before it"},
        (UNTRAINED,),
    ).about("what is trained, on every task anew")


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, network, training and task; those of one network follow each other."""
    tasks = shown_tasks(tasks_of(options), options)
    (looked_at,) = shown_tasks([options["looked_at"]], options)
    return [
        {"seed": seed + number, **sized(options, recipe), TRAINING: training, **task}
        | {PRUNED_FOR: looked_at if looks_at_task(recipe) else {}}
        for number in range(options["seeds"])
        for recipe in (FULL, NO_RECURRENCE, *options["recipes"])
        for training in options[TRAINING]
        if training == UNTRAINED or recipe != NO_RECURRENCE  # it has no synapse that learns
        for task in tasks
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row: the primary readout, spikes and present input."""
    from hrsnn_brian.evaluation.train import train

    mode, seed = point[TRAINING], point["seed"]

    def trained(network: "Network", task: "Task") -> "Network":
        if mode == UNTRAINED:
            return network
        return train(network, task, mode, engine=engine, seed=seed).network

    return [row | {TRAINING: mode} for row in scored(point, engine, PRIMARY, trained)]


def summary(rows: Sequence[Row]) -> str:
    """Per task every network: its score, that relative to the unpruned network, and its costs."""
    table = Table(rows)
    seen = trained_names(named(table))
    blocks = []
    for task in dict.fromkeys(row["task"] for row in seen):
        score = table.schema.primary(task)
        if score is None:
            continue
        mine = [row for row in seen if row["task"] == task]
        scores = by_seed(mine, NAME, score.name)
        costs = [by_seed(mine, NAME, column) for column in _COSTS]
        ratios = relative(scores, FULL, score.better)
        lines = [
            [name, found.count, *map(spread, (found, ratios[name], *(c[name] for c in costs)))]
            for name, found in scores.items()
        ]
        header = ["network", "seeds", score.name, "relative to full", *_COSTS]
        title = f"{task}: {score.label}, {score.better} is better{left_out(scores.values())}"
        blocks.append(f"{title}\n{text_table(lines, header)}")
    seeds = len({row["seed"] for row in seen})
    said = "relative: above 1 is better than the unpruned network (of an error, its inverse)"
    return "\n\n".join([*blocks, f"mean ± s.e.m. over {seeds} seeds, readout: spikes; {said}"])


def trained_names(rows: Sequence[Row]) -> list[Row]:
    """Rows of `named` whose names tell how their networks were trained, too."""
    return [
        row if row[TRAINING] == UNTRAINED else row | {NAME: f"{row[NAME]}, {row[TRAINING]}"}
        for row in rows
    ]


STUDY = Study(
    name="transfer",
    description="one network, pruned once by each recipe, on every task: series and images",
    points=points,
    run=run,
    options=TransferOptions,
    presets={
        "quick": {"seeds": 2},
        "paper": {
            "seeds": 5,
            "recipes": list(EVERY_RECIPE),
            "tasks": [
                *("mackey-glass-84", "lorenz63-x", "rossler-x", "narma10"),
                *("wind", "google", "digits"),
            ],
            "training": [UNTRAINED, "stdp"],
            "vpt_starts": 20,
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    figures=("transfer",),
    summary=summary,
    columns=(
        *COLUMNS,
        Column(TRAINING, "what was trained on the task before the readout", role="identity"),
    ),
)
