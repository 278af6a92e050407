"""Images: the full network, pruned ones and controls, with every readout, and what each costs.

A point is one network and one image set on one seed; the unpruned network brings its controls:
J = 0, J = 0 with slow input, linear readouts of the front-end's features and of pixels. The seed is
also that of the front-end, so that error bars hold its draw, too.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import FULL, IDENTITY, NO_RECURRENCE, Column
from hrsnn_brian.files.tables import Row
from hrsnn_brian.runs.options import Options, Tasks
from hrsnn_brian.runs.study import TABLE, Point, Study
from hrsnn_brian.settings.fields import Flag
from hrsnn_brian.studies.score_tables import score_tables
from hrsnn_brian.studies.task_points import (
    COLUMNS,
    IMAGES,
    PRUNED_FOR,
    FiledOptions,
    full_and_controls,
    looks_at_task,
    scored,
    shown_tasks,
    sized,
    tasks_of,
)

if TYPE_CHECKING:
    from hrsnn_brian.evaluation.evaluate import Evaluation
    from hrsnn_brian.simulation import Engine


@dataclass(frozen=True)
class ClassificationOptions(FiledOptions):
    """Which networks meet which images."""

    tasks: Tasks = Tasks("digits", known=IMAGES).about("the image sets")
    logistic: Flag = Flag(False).about("whether logistic readouts are fitted, too; they take long")


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, network and image set; those of one network follow each other."""
    tasks = shown_tasks(tasks_of(options), options)
    return [
        {"seed": seed + number, **sized(options, recipe), **task}
        | {PRUNED_FOR: task if looks_at_task(recipe) else {}}
        for number in range(options["seeds"])
        for recipe in (FULL, *options["recipes"])
        for task in tasks
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per readout; with the full network those of its controls; and confusions."""
    shown = full_and_controls if point["recipe"] == FULL else scored
    return shown(point, engine, others=confused)


def confused(found: "Evaluation") -> list[Row]:
    """What the first readout took test images for: a row per pair of classes that came, of the
    network and, where it was shown, of the one without recurrence."""
    readout, own = (found.entries[0][name] for name in ("readout", "network"))
    rows = []
    for entry in found.entries:
        if entry["readout"] != readout or entry["network"] not in (own, NO_RECURRENCE):
            continue
        told = {name: entry[name] for name in IDENTITY if name in entry} | {TABLE: CONFUSIONS}
        counts = found.confusion(entry["network"], readout)
        for wanted, row in zip(found.classes, counts, strict=True):
            for taken, n in zip(found.classes, row, strict=True):
                if n:
                    rows.append({**told, "wanted": wanted, "taken_for": taken, "images": int(n)})
    return rows


def summary(rows: Sequence[Row]) -> str:
    """Per image set all models and readouts, best first, with their costs per image."""
    return score_tables(rows, _COSTS)


ACCURACIES, CONFUSIONS = "classification_table", "confusions"
_COSTS = (
    "spikes_per_sample",
    "synaptic_events_per_sample",
    "neuron_updates_per_sample",
    "readout_ops_per_sample",
)

STUDY = Study(
    name="classification_table",
    description="images: full and pruned networks and controls, every readout, cost per image",
    points=points,
    run=run,
    options=ClassificationOptions,
    presets={
        "quick": {"seeds": 2},
        "paper": {
            "seeds": 5,
            "recipes": ["lnp", "lnp revised", "frugal", "activity", "random variance"],
            "logistic": True,
            "short_tasks": False,
            "network": {"preset": "default", "set": ["N=1000"]},
        },
    },
    figures=("classification_table", "confusions"),
    tables=(ACCURACIES, CONFUSIONS),
    summary=summary,
    columns=(
        *COLUMNS,
        Column("wanted", "class of test images", role="identity"),
        Column("taken_for", "class they were taken for", role="identity"),
        Column("images", "how many of them", "1"),
    ),
)
