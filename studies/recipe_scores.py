"""What a recipe's network scores: pruned once, on every task, as it is and at a matched rate."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import (
    FULL,
    NO_RECURRENCE,
    ON_TASK,
    PRUNED,
    UNMATCHED,
    Column,
    identity,
)
from hrsnn_brian.files.tables import Row
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import prunes_for_a_task
from hrsnn_brian.runs.study import Point
from hrsnn_brian.studies.task_points import pruned_to, task_of

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.pruning.prune import Rounds
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

BARE = NO_RECURRENCE
TASKS = ("mackey-glass-84", "lorenz63-x")
# the networks of a row: as pruned, or turned to a rate of the unpruned one
RAW = UNMATCHED
MATCHES = {
    RAW: "nothing: as pruned",
    "bias": "an offset of all biases, by the rate under white noise",
    "gain": "a factor on all weights, by the rate under white noise",
    ON_TASK: "an offset of all biases, by the rate on training input of the task",
}
RATE_MISSED = "rate out of reach"
PRIMARY = ("spikes",)
GROWTH = Column("growth_per_s", "growth of random perturbations in 200 ms", "1/s")


def scored_rows(
    point: Point,
    recipe: Recipe | None,
    engine: "Engine",
    readouts: tuple[str, ...],
    *,
    describe: "Callable[[Network, Measurements], Row] | None" = None,
    rounds: "Rounds | None" = None,
) -> list[Row]:
    """The rows of a point under a recipe (None: of the full or bare network that it names).

    describe: network -> more columns, asked once for each network, also if it is on several tasks;
    by default those of `stability_row` with `stability` in the point, else none. rounds: where
    iterations are kept and who is told of them. The tasks of a point are as `shown_tasks` gives
    them.
    """
    from hrsnn_brian.dynamics.probe import Measurements

    seed = point["seed"]
    measure = Measurements(engine, seed)
    full = _drawn(point)
    tasks = [drawn_task(json.dumps(shown | {"seed": seed})) for shown in point["tasks"]]
    asked = {name: point[name] for name in ("keep", "neuron_fraction")}
    asked |= (
        {"network": point["recipe"], "recipe": ""}
        if recipe is None
        else {"network": PRUNED, "recipe": point["recipe"]}
    )
    if describe is None:
        describe = stability_row if point.get("stability") else lambda network, measure: {}
    described = cache(lambda network: describe(network, measure))  # one for all its tasks
    rows: list[Row] = []
    for task, pruned, note in _pruned(point, recipe, full, tasks, (measure, rounds)):
        as_pruned = _scored(pruned, task, measure, readouts)
        for match in point["match"]:
            network, why = pruned, note
            if pruned is not None and pruned is not full and match != RAW:
                network, missed = _matched(pruned, match, full, task, measure)
                why = "; ".join(filter(None, [note, missed]))
            # a network that needed no turning is not scored again
            same = network is pruned
            found = as_pruned if same else _scored(network, task, measure, readouts)
            told = asked | {"match": match, "note": why}
            if network is not None:
                told |= described(network)
            rows += [row | told for row in found]
    return rows


def stability_row(network: "Network", measure: "Measurements") -> Row:
    """Exponent and 200-ms growth under independent and under common noise, and the input echo."""
    from hrsnn_brian.dynamics.measures import common_noise_row

    return {
        "lambda_1_per_s": measure.lambda_1(network),
        "lambda_1_error_per_s": measure.lambda_1_error,
        "growth_per_s": measure.growth(network),
        **common_noise_row(network, measure),
    }


def _drawn(point: Point) -> "Network":
    from hrsnn_brian.network.build import drawn_network

    return drawn_network(json.dumps(point["network"]), point["seed"])


@lru_cache(maxsize=3)
def drawn_task(shown: str) -> "Task":
    """A task, as JSON of what a point holds of it; drawn once for the points that follow."""
    return task_of(json.loads(shown))


def _pruned(
    point: Point,
    recipe: Recipe | None,
    full: "Network",
    tasks: "Sequence[Task]",
    how: "tuple[Measurements, Rounds | None]",
) -> "Iterator[tuple[Task, Network | None, str]]":
    """Each task with its network and what is to be noted; one network unless the recipe looks."""
    if recipe is None:
        network = full if point["recipe"] == FULL else full.without_recurrence()
        yield from ((task, network, "") for task in tasks)
        return
    from hrsnn_brian.evaluation.task_probe import TaskProbe

    measure, rounds = how
    found: tuple[Network | None, str] | None = None
    for task in tasks:
        if found is None or prunes_for_a_task(recipe):
            probe = TaskProbe(measure.engine, measure.seed, task=task)
            found = pruned_to(point, recipe, full, probe, rounds)
        yield task, *found


def _scored(
    network: "Network | None", task: "Task", measure: "Measurements", readouts: tuple[str, ...]
) -> list[Row]:
    """A row per readout of one network on one task; without scores where there is no network."""
    from hrsnn_brian.evaluation.evaluate import network_rows

    seed = measure.seed
    if network is None:
        return [identity(PRUNED, seed=seed, task=task.name, readout=r) for r in readouts]
    return network_rows(network, task, PRUNED, measure.engine, seed, readouts)


def _matched(
    network: "Network", match: str, full: "Network", task: "Task", measure: "Measurements"
) -> "tuple[Network | None, str]":
    """The network at the rate of the full one; None if that is out of reach, and why."""
    from hrsnn_brian.evaluation.controls import TaskRate

    engine, seed = measure.engine, measure.seed
    if match == ON_TASK:
        wanted = task_rate(full, engine, task, seed)
        found, why = TaskRate(engine, task, seed).matched(network, wanted)
        return (None, f"{RATE_MISSED}: {why}") if why else (found, "")
    turned = _matched_under_noise(network, match, full, engine, seed)
    return turned, "" if turned else RATE_MISSED


# What points of one seed share, or the tasks of a point, is measured once in a process.


@lru_cache(maxsize=8)
def task_rate(full: "Network", engine: "Engine", task: "Task", seed: int) -> float:
    """The rate of a network on training input of a task, Hz."""
    from hrsnn_brian.evaluation.controls import TaskRate

    return TaskRate(engine, task, seed)(full)


@lru_cache(maxsize=2)
def _noise_rate(full: "Network", engine: "Engine", seed: int) -> float:
    from hrsnn_brian.dynamics.probe import Measurements

    return Measurements(engine, seed).rate_hz(full)


@lru_cache(maxsize=2)
def _matched_under_noise(
    network: "Network", knob: str, full: "Network", engine: "Engine", seed: int
) -> "Network | None":
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.pruning.rate_steps import matched

    wanted = _noise_rate(full, engine, seed)
    return matched(network, wanted, Measurements(engine, seed).rate_hz, knob)
