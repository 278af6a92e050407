"""Score against the fraction of synapses kept, for every pruning recipe, task and seed.

The same pruned network serves every task: pruning sees no task. A point is one evaluation, a few
seconds of work; what several points share (networks, covariances, tasks) is kept in the process.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import FULL, NAME, PRUNED, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.runs.options import (
    Fractions,
    Options,
    RecipeOptions,
    Recipes,
    StudyNetwork,
    Tasks,
)
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag
from hrsnn_brian.statistics.paired_seeds import by_seed, left_out, spread

if TYPE_CHECKING:
    import numpy as np

    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, task, recipe and fraction kept, and one per unpruned network."""
    found: list[Point] = []
    for number in range(options["seeds"]):
        for task in options["tasks"]:
            base = {"seed": seed + number, "task": task}
            rest = {"short_tasks": options["short_tasks"], "network": options["network"]}
            full = {"recipe": FULL, "keep": 1.0, "curves": options["recipes"]}
            found.append(base | full | rest)
            found += [
                base | {"recipe": recipe, "keep": keep} | rest
                for recipe in options["recipes"]
                for keep in options["keep"]
                if keep < 1
            ]
    return found


def run(point: Point, engine: "Engine") -> list[Row]:
    """Rows of one evaluation; those of the unpruned network start the curve of every recipe."""
    from hrsnn_brian.evaluation.evaluate import evaluate
    from hrsnn_brian.network.build import drawn_network

    seed = point["seed"]
    task = _task(point["task"], seed, point["short_tasks"])
    parameters = json.dumps(point["network"])
    unpruned = point["recipe"] == FULL
    network = (
        drawn_network(parameters, seed)
        if unpruned
        else _pruned(parameters, seed, point["recipe"], point["keep"], engine)
    )
    found = evaluate(
        network, task, engine=engine, seed=seed, controls="basic" if unpruned else False
    )
    return [row for entry in found.entries for row in _rows(point, entry)]


def _rows(point: Point, entry: Row) -> list[Row]:
    """An entry of an evaluation as rows of the table: several where several curves start."""
    if entry["network"] not in (FULL, PRUNED):
        return [entry]
    recipes = point.get("curves", [point["recipe"]])
    return [entry | {"recipe": recipe, "keep": point["keep"]} for recipe in recipes]


@lru_cache(maxsize=8)
def _task(name: str, seed: int, short: bool) -> "Task":
    from hrsnn_brian.tasks.registry import get_task

    return get_task(name, seed, quick=short)


@lru_cache(maxsize=2)
def _covariance(parameters: str, seed: int, engine: "Engine") -> "np.ndarray":
    from hrsnn_brian.dynamics.probe import noise_covariance
    from hrsnn_brian.network.build import drawn_network

    return noise_covariance(drawn_network(parameters, seed), engine, seed)


def _pruned(parameters: str, seed: int, recipe: str, keep: float, engine: "Engine") -> "Network":
    """Pruned in one round, the covariance measured once for all fractions kept."""
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.build import drawn_network
    from hrsnn_brian.pruning.prune import prune
    from hrsnn_brian.pruning.size import Size

    class Once(Measurements):
        def covariance(self, network: "Network") -> "np.ndarray":
            return _covariance(parameters, seed, engine)

    probe = Once(engine, seed)
    network = drawn_network(parameters, seed)
    return prune(network, recipe, Size(keep=keep), probe=probe, seed=seed, rounds=1).network


def summary(rows: Sequence[Row]) -> str:
    """One short table per task: the score it is judged by, spikes-only readout."""
    table = Table(rows)
    seen = [row for row in named(table) if row["readout"] in ("spikes", "none")]
    blocks = []
    for task in dict.fromkeys(row["task"] for row in seen):
        score = table.schema.primary(task)
        if score is None:
            continue
        title = f"{task}: {score.label}, {score.better} is better"
        of_task = [row for row in seen if row["task"] == task]
        blocks.append(f"{title}{_block(of_task, score.name)}")
    seeds = len({row["seed"] for row in seen})
    spread = f"mean ± s.e.m. over {seeds} seeds" if seeds > 1 else "one seed"
    return "\n\n".join(
        [*blocks, f"{spread}; readout: spikes and present input; all scores are in the table"]
    )


def _block(rows: Sequence[Row], column: str) -> str:
    """Recipes by fractions kept; a control, which keeps no synapse or has none, in its column."""
    keeps = sorted({row["keep"] for row in rows if row.get("keep")}, reverse=True)
    values = {
        keep: by_seed([row for row in rows if (row.get("keep") or 0.0) == keep], NAME, column)
        for keep in [*keeps, 0.0]
    }
    names = sorted(dict.fromkeys(row[NAME] for row in rows), key=lambda name: name in values[0.0])
    lines = [[name, *(spread(found.get(name, ())) for found in values.values())] for name in names]
    missing = left_out(seeds for found in values.values() for seeds in found.values())
    header = ["recipe", *(f"keep {keep:g}" for keep in keeps), "control"]
    return f"{missing}\n{text_table(lines, header)}"


@dataclass(frozen=True)
class CurveOptions(RecipeOptions):
    """What the curve is drawn of."""

    tasks: Tasks = Tasks("lorenz63-x", "wind").about("what every network is scored on")
    recipes: Recipes = Recipes("random", "magnitude", "noise").about("how networks are pruned")
    keep: Fractions = Fractions(1.0, 0.5, 0.2, 0.1, 0.05).about("fractions of the synapses kept")
    short_tasks: Flag = Flag(False).about("shorter series, for a first look")
    network: StudyNetwork = StudyNetwork("default", "N=250").about("the network to prune")


STUDY = Study(
    name="pruning_curve",
    description="scores against the fraction of synapses kept, per recipe, task and seed",
    points=points,
    run=run,
    options=CurveOptions,
    presets={
        "quick": {},
        "paper": {
            "seeds": 10,
            "tasks": ["lorenz63", "lorenz63-x", "mackey-glass-84", "google", "wind"],
            "network": {"preset": "default", "set": ["N=1000"]},
        },
    },
    figures=("pruning_curve",),
    summary=summary,
)
