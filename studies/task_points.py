"""What the studies of many tasks share: points of one network and one task, and their rows.

A pruned network is kept in the process, so that the points of one network, which follow each other,
prune it once; the column `network_digest` shows that they meet the same one.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE, PRUNED, Column, identity
from hrsnn_brian.files.tables import Row
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import RECIPES, get_recipe, prunes_for_a_task
from hrsnn_brian.runs.options import (
    Options,
    RecipeOptions,
    Recipes,
    StudyNetwork,
    StudyOptions,
    Tasks,
)
from hrsnn_brian.runs.study import Point
from hrsnn_brian.settings.fields import Flag, OptionalText, OptionalWhole, Real, Whole
from hrsnn_brian.studies.compared_recipes import COMPARED, compared_recipe
from hrsnn_brian.tasks.registry import TASKS, get_task, task_options

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.evaluation.evaluate import Evaluation
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.pruning.prune import Rounds
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.images.image_set import ImageSet
    from hrsnn_brian.tasks.task import Task

# tasks of files that the user has
FILED = tuple(name for name in TASKS if "data" in task_options(name).keys().fields)
IMAGES = tuple(name for name in TASKS if "front_end.kind" in task_options(name).keys().fields)
SERIES = tuple(name for name in TASKS if name not in IMAGES)
PRUNED_FOR, DIGEST = "pruned_for", "network_digest"
SIZE_MISSED, ECHO_MISSED = "size out of reach", "echo out of reach"
COLUMNS = (
    Column(PRUNED_FOR, "the task its recipe looked at, empty if it saw none", role="identity"),
    Column(DIGEST, "hash of the network as pruned, before any training", role="note"),
)


_WHOLE = {FULL: 1.0, NO_RECURRENCE: 0.0}  # networks no recipe made -> share of the synapses
_PRUNING = tuple(name for name in RECIPES if name not in _WHOLE)


@dataclass(frozen=True)
class NetworkOptions(RecipeOptions):
    """Which networks, at which size, and how much they are shown."""

    recipes: Recipes = Recipes("frugal", "random variance", known=_PRUNING).about(
        "how the network is pruned; the unpruned one is always there"
    )
    keep: Real = Real(0.05, 0, 1, above=True, below=True).about("fraction of the synapses kept")
    neuron_fraction: Real = Real(0.6, 0, 1, above=True).about("fraction of the neurons kept")
    short_tasks: Flag = Flag(True).about("shorter series and fewer images, for a first look")
    network: StudyNetwork = StudyNetwork("default", "N=100").about("the network to prune")


@dataclass(frozen=True)
class SeriesOptions(NetworkOptions):
    """Of tasks that are series."""

    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, of tasks that have them")


@dataclass(frozen=True)
class ImageFiles(StudyOptions):
    """Of tasks that may be images: where those in files are, and how many are shown."""

    data: OptionalText = OptionalText("a folder, or an .npz file").about(
        "where the images are, of sets that come in files"
    )
    train: OptionalWhole = OptionalWhole(low=3).about(
        "training images of a set at most; all of them unless given"
    )
    test: OptionalWhole = OptionalWhole(low=1).about(
        "test images of a set at most; all of them unless given"
    )


@dataclass(frozen=True)
class ImagesOptions(ImageFiles, NetworkOptions):
    """Of tasks that are images."""


class FiledTasks(Tasks):
    """A list of image tasks that come in files; it may be empty."""

    def __init__(self, *default: str) -> None:
        super().__init__(*default, known=FILED)
        self.empty = True


@dataclass(frozen=True)
class FiledOptions(ImagesOptions):
    """Of sets in files that join by themselves."""

    filed_tasks: FiledTasks = FiledTasks("mnist", "cifar10", "cifar100").about(
        "added to the tasks if data is given; none of them if `tasks` is set to sets in files"
    )

    @classmethod
    def reconciled(
        cls, table: Mapping[str, Any], changed: dict[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Without the sets of `filed_tasks` if the user's `tasks` name sets in files themselves."""
        after = super().reconciled(table, changed, given)
        tasks = given.get("tasks")  # not checked yet: a file may hold anything
        named = isinstance(tasks, list) and any(name in FILED for name in tasks)
        return after | {"filed_tasks": []} if named and "filed_tasks" not in given else after


def tasks_of(options: Options) -> list[str]:
    """The tasks of the options: those of `tasks`, and those of `filed_tasks` if there is data."""
    more = options["filed_tasks"] if "data" in options else []
    return list(dict.fromkeys([*options["tasks"], *more]))


def task_settings(name: str, options: Options) -> dict[str, Any]:
    """What of the options that task knows, as `get_task` takes it."""
    given = {"quick": "short_tasks", "starts": "vpt_starts"}
    given |= {key: key for key in ("data", "train", "test", "logistic")}
    known = task_options(name).keys().fields
    return {key: options[own] for key, own in given.items() if key in known and own in options}


def shown_tasks(names: Iterable[str], options: Options) -> list[dict[str, Any]]:
    """What a point holds of each task: its name, its settings, and a hash of the user's images.

    With the hash a point is another one when the images have changed, and is computed anew; the
    images are read for it, so that a set that is absent or damaged is found before any work.
    Raises InputError for that.
    """
    found = []
    for name in names:
        settings = _within(name, task_settings(name, options))
        found.append({"task": name, "task_settings": settings, "images": _images(name, settings)})
    return found


def _within(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with no more images than that set has."""
    asked = settings.keys() & {"train", "test"}
    if name not in IMAGES or not asked:
        return settings
    held = _image_set(name, {key: settings[key] for key in settings.keys() & {"data"}})
    most = {part: len(getattr(held, f"x_{part}")) for part in asked}
    return settings | {part: min(settings[part], most[part]) for part in sorted(asked)}


def _image_set(name: str, settings: dict[str, Any]) -> "ImageSet":
    from hrsnn_brian.tasks.image_task import ImageTask

    task = get_task(name, 0, **settings)
    assert isinstance(task, ImageTask)
    return task.images


def _images(name: str, settings: dict[str, Any]) -> str:
    return _digest(_image_set(name, settings)) if name in FILED else ""


def _digest(images: "ImageSet") -> str:
    content = hashlib.sha256()
    for part in ("x_train", "y_train", "x_test", "y_test"):
        held = getattr(images, part)
        content.update(f"{part} {held.dtype} {held.shape}\0".encode())
        content.update(held.data)
    return content.hexdigest()[:16]


def sized(options: Options, recipe: str) -> dict[str, Any]:
    """What a point holds of a network: `FULL`, `NO_RECURRENCE` or a recipe, and the size asked."""
    return {
        "recipe": recipe,
        "keep": _WHOLE.get(recipe, options["keep"]),
        "neuron_fraction": 1.0 if recipe in _WHOLE else options["neuron_fraction"],
        "network": options["network"],
    }


def looks_at_task(name: str) -> bool:
    """Whether that recipe needs to be told a task."""
    return name in RECIPES and prunes_for_a_task(RECIPES[name])


def task_of(point: Point) -> "Task":
    """The task of a point, drawn from its seed.

    Raises InputError if the images are no longer those the point was made for.
    """
    from hrsnn_brian.tasks.image_task import ImageTask

    task = get_task(point["task"], point["seed"], **point["task_settings"])
    held = point.get("images")
    if held and isinstance(task, ImageTask) and _digest(task.images) != held:
        what = f"holds other images of {task.name} than when the study began; put them back"
        raise InputError("data", point["task_settings"]["data"], what)
    return task


def network_of(point: Point, engine: "Engine") -> "tuple[Network | None, str]":
    """The network of a point and a note; None where the size is out of reach.

    pruned_for: of the point, the task that the recipe looks at, as `shown_tasks` gives it.
    """
    from hrsnn_brian.network.build import drawn_network

    drawn = json.dumps(point["network"])
    if point["recipe"] not in _WHOLE:
        asked = {name: point[name] for name in ("recipe", "keep", "neuron_fraction")}
        looked = json.dumps(point[PRUNED_FOR])
        return _pruned(engine, drawn, point["seed"], json.dumps(asked), looked)
    full = drawn_network(drawn, point["seed"])
    return (full if point["recipe"] == FULL else full.without_recurrence()), ""


@lru_cache(maxsize=2)
def _pruned(
    engine: "Engine", drawn: str, seed: int, asked: str, looked: str
) -> "tuple[Network | None, str]":
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.evaluation.task_probe import TaskProbe
    from hrsnn_brian.network.build import drawn_network

    full, point, of_task = drawn_network(drawn, seed), json.loads(asked), json.loads(looked)
    probe = Measurements(engine, seed)
    if of_task:
        task = get_task(of_task["task"], seed, **of_task["task_settings"])
        probe = TaskProbe(engine, seed, task=task)
    return pruned_to(point, recipe_named(point["recipe"]), full, probe)


def check_leavers(recipes: Iterable[str], neuron_fraction: float) -> None:
    """Raises InputError for a recipe that chooses who leaves where all neurons stay."""
    for name in recipes:
        if neuron_fraction == 1 and RECIPES[name].fewer_neurons:
            what = f"recipe {name!r} chooses who leaves: give a fraction below 1"
            raise InputError("neuron_fraction", neuron_fraction, what)


def pruned_to(
    point: Point,
    recipe: Recipe,
    full: "Network",
    probe: "Measurements",
    rounds: "Rounds | None" = None,
) -> "tuple[Network | None, str]":
    """The network pruned to the fractions that a point asks for, with the seed of the probe, and a
    note; None where the neurons that stay have too few synapses, or no gain gives the echo.
    rounds: as `prune` takes them.
    """
    from hrsnn_brian.pruning.echo_gain import EchoOutOfReachError
    from hrsnn_brian.pruning.prune import prune
    from hrsnn_brian.pruning.size import Size

    neurons = round(point["neuron_fraction"] * full.n_neurons)
    size = Size(
        neurons=None if neurons == full.n_neurons else neurons,
        synapses=max(1, round(point["keep"] * full.n_synapses)),
    )
    try:
        found = prune(full, recipe, size, probe=probe, seed=probe.seed, rounds=rounds)
    except SizeOutOfReachError:
        return None, SIZE_MISSED
    except EchoOutOfReachError as problem:
        return None, f"{ECHO_MISSED}: {problem.allowed}"
    return found.network, found.stopped or ""


def recipe_named(name: str) -> Recipe:
    """The recipe of that name, as studies compare it if they do."""
    return compared_recipe(name) if name in COMPARED else get_recipe(name)


def scored(
    point: Point,
    engine: "Engine",
    readouts: tuple[str, ...] | None = None,
    trained: "Callable[[Network, Task], Network]" = lambda network, task: network,
    others: "Callable[[Evaluation], list[Row]]" = lambda found: [],
) -> list[Row]:
    """The rows of a point's network on its task, one per readout (default: all), no controls.

    trained: what becomes of the network before; `DIGEST` is that of the network as pruned.
    others: rows of other tables, which get the recipe and size, too.
    """
    from hrsnn_brian.evaluation.evaluate import named_evaluation
    from hrsnn_brian.network.digest import network_digest

    seed, task = point["seed"], task_of(point)
    network, note = network_of(point, engine)
    chosen = task.readouts if readouts is None else readouts
    name = point["recipe"] if point["recipe"] in _WHOLE else PRUNED
    if network is None:
        rows = [identity(name, seed=seed, task=task.name, readout=readout) for readout in chosen]
        digest, more = "", []
    else:
        found = named_evaluation(trained(network, task), task, name, engine, seed, chosen)
        rows, more = list(found.entries), others(found)
        digest = network_digest(network)
    asked = {
        "recipe": "" if point["recipe"] in _WHOLE else point["recipe"],
        "keep": point["keep"],
        "neuron_fraction": point["neuron_fraction"],
    }
    told = {
        PRUNED_FOR: point[PRUNED_FOR]["task"] if point[PRUNED_FOR] else "",
        DIGEST: digest,
        "note": note,
    }
    return [row | asked | told for row in rows] + [row | asked for row in more]


def full_and_controls(
    point: Point,
    engine: "Engine",
    readouts: tuple[str, ...] | None = None,
    others: "Callable[[Evaluation], list[Row]]" = lambda found: [],
) -> list[Row]:
    """The rows of the unpruned network on its task with all controls that `evaluate` gives.

    others: rows of other tables.
    """
    from hrsnn_brian.evaluation.evaluate import evaluate

    network, _ = network_of(point, engine)
    assert network is not None
    found = evaluate(network, task_of(point), engine=engine, seed=point["seed"], readouts=readouts)
    return [{PRUNED_FOR: "", "note": "", **row} for row in found.entries] + others(found)
