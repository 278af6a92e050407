"""What a recipe's network scores: pruned once, on every task, as it is and at a matched rate."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hrsnn_brian.errors import SizeOutOfReachError
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE, PRUNED, UNMATCHED, identity
from hrsnn_brian.files.tables import Row
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import prunes_for_a_task
from hrsnn_brian.runs.study import Point

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

BARE = NO_RECURRENCE
TASKS = ("mackey-glass-84", "lorenz63-x")
# the networks of a row: as pruned, or turned to the rate of the unpruned one (see `match_rate`)
RAW = UNMATCHED
MATCHES = {
    RAW: "nothing: as pruned",
    "bias": "an offset of all biases",
    "gain": "a factor on all weights",
}
RATE_MISSED, SIZE_MISSED = "rate out of reach", "size out of reach"
PRIMARY = ("spikes",)


def scored_rows(
    point: Point, recipe: Recipe | None, engine: "Engine", readouts: tuple[str, ...]
) -> list[Row]:
    """The rows of a point under a recipe (None: of the full or bare network that it names)."""
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.build import drawn_network

    seed = point["seed"]
    measure = Measurements(engine, seed)
    full = drawn_network(json.dumps(point["network"]), seed)
    tasks = [_task(name, point) for name in point["tasks"]]
    asked = {name: point[name] for name in ("keep", "neuron_fraction")}
    asked |= (
        {"network": point["recipe"], "recipe": ""}
        if recipe is None
        else {"network": PRUNED, "recipe": point["recipe"]}
    )
    rows: list[Row] = []
    for task, pruned, note in _pruned(point, recipe, full, tasks, measure):
        as_pruned = _scored(pruned, task, measure, readouts)
        for match in point["match"]:
            network, why = pruned, note
            if pruned is not None and pruned is not full and match != RAW:
                network = _matched(pruned, match, full, measure)
                why = note if network else "; ".join(filter(None, [note, RATE_MISSED]))
            # a network that needed no turning is not scored again
            same = network is pruned
            found = as_pruned if same else _scored(network, task, measure, readouts)
            rows += [row | asked | {"match": match, "note": why} for row in found]
    return rows


def _task(name: str, point: Point) -> "Task":
    from hrsnn_brian.tasks.registry import get_task, task_options

    starts = {"starts": point["vpt_starts"]} if "starts" in task_options(name).keys().fields else {}
    return get_task(name, point["seed"], quick=point["short_tasks"], **starts)


def _pruned(
    point: Point,
    recipe: Recipe | None,
    full: "Network",
    tasks: "Sequence[Task]",
    measure: "Measurements",
) -> "Iterator[tuple[Task, Network | None, str]]":
    """Each task with its network and what is to be noted; one network unless the recipe looks."""
    if recipe is None:
        network = full if point["recipe"] == FULL else full.without_recurrence()
        yield from ((task, network, "") for task in tasks)
        return
    neurons = (
        None if point["neuron_fraction"] == 1 else round(point["neuron_fraction"] * full.n_neurons)
    )
    synapses = max(1, round(point["keep"] * full.n_synapses))
    found: tuple[Network | None, str] | None = None
    for task in tasks:
        if found is None or prunes_for_a_task(recipe):
            found = _apply(full, recipe, measure, synapses, neurons, task)
        yield task, *found


def _apply(
    full: "Network",
    recipe: Recipe,
    measure: "Measurements",
    synapses: int,
    neurons: int | None,
    task: "Task",
) -> "tuple[Network | None, str]":
    """The pruned network and a note; None where the neurons that stay have too few synapses."""
    from hrsnn_brian.evaluation.task_probe import TaskProbe
    from hrsnn_brian.pruning.prune import prune
    from hrsnn_brian.pruning.size import Size

    asking = TaskProbe(measure.engine, measure.seed, task=task)
    size = Size(neurons=neurons, synapses=synapses)
    try:
        found = prune(full, recipe, size, probe=asking, seed=measure.seed)
    except SizeOutOfReachError:
        return None, SIZE_MISSED
    return found.network, found.stopped or ""


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
    network: "Network", knob: str, full: "Network", measure: "Measurements"
) -> "Network | None":
    """The network at the rate of the full one under white noise; None if it is out of reach."""
    from hrsnn_brian.pruning.rate_steps import matched

    return matched(network, measure.rate_hz(full), measure.rate_hz, knob)
