"""The points of a sweep, each checked before anything runs, and the rows of one.

A point is a seed, a network, a recipe and a size; all tasks are in it, so that a network is pruned
once. Settings are combined by the design, names (presets, recipes, tasks) with everything. What a
recipe or task does not have is left out of its points, which then are the fewer.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.evaluation.evaluate import network_rows, readouts_of
from hrsnn_brian.files.columns import NO_RECURRENCE, PRUNED, identity
from hrsnn_brian.files.tables import Row
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import preset_table
from hrsnn_brian.pruning.recipe import Recipe, with_lengths
from hrsnn_brian.pruning.recipes import get_recipe, prunes_for_a_task
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.pruning.tune_timescales import check_rounds
from hrsnn_brian.runs.study import Point
from hrsnn_brian.runs.sweep_options import PARTS, SweepOptions
from hrsnn_brian.runs.sweep_parts import NAME, PRESET, WHOLE, in_column
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.levels import Span, Values
from hrsnn_brian.settings.listing import shown
from hrsnn_brian.settings.reader import read
from hrsnn_brian.statistics.designs import GRID, unit_points
from hrsnn_brian.tasks.registry import get_task, task_options

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import ProbeLengths
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

Setting = dict[str, dict[str, Any]]  # part -> path -> one value
SIZE_MISSED = "size out of reach"
# What a point holds beside the columns of what is varied.
_HELD = ("seed", "recipe", "network", "options", "size", "tasks", "readouts")


def settings_of(options: SweepOptions, seed: int) -> list[Setting]:
    """Every combination of settings that the design makes; seed: of one that draws."""
    varied = [(part, path, v) for part in PARTS for path, v in options.of(part).items()]
    if options.design == GRID:
        chosen = itertools.product(*(v for _, _, v in varied if not isinstance(v, Span)))
        return [_setting(varied, values) for values in chosen]
    return [setting_at(options, level) for level in _levels(options, seed)]


def _levels(options: SweepOptions, seed: int) -> Iterator[tuple[float, ...]]:
    dimensions = len(drawn(options))
    if not dimensions:
        raise InputError("design", options.design, "nothing to draw: no setting has several values")
    yield from unit_points(options.design, options.draws, dimensions, rng(seed, "design"))


def drawn(options: SweepOptions) -> list[tuple[str, str, Values]]:
    """Part, path and values of every setting that has more than one."""
    every = ((part, path, v) for part in PARTS for path, v in options.of(part).items())
    return [one for one in every if isinstance(one[2], Span) or len(one[2]) > 1]


def setting_at(options: SweepOptions, point: tuple[float, ...]) -> Setting:
    """The settings at a point of the unit cube, one coordinate for each of `drawn`."""
    varied = [(part, path, v) for part in PARTS for path, v in options.of(part).items()]
    levels = dict(zip((one[:2] for one in drawn(options)), point, strict=True))
    return _setting(varied, [_at(v, levels.get((part, path), 0.0)) for part, path, v in varied])


def _at(values: Values, level: float) -> Any:
    if isinstance(values, Span):
        return values.at(level)
    return values[min(int(level * len(values)), len(values) - 1)]


def _setting(varied: list[tuple[str, str, Values]], values: Any) -> Setting:
    found: Setting = {part: {} for part in PARTS}
    for (part, path, _), value in zip(varied, values, strict=True):
        found[part][path] = value
    return found


def sweep_points(options: SweepOptions, seed: int) -> list[Point]:
    """One point per seed, settings, preset, recipe and size, in this order.

    Raises InputError for a combination that cannot be, and names it.
    """
    found: dict[str, Point] = {}
    make = _Maker(options, seed)
    crossed = itertools.product(
        settings_of(options, seed), options.names("network"), options.names("recipe")
    )
    for setting, preset, recipe in crossed:
        point = make(setting, preset, recipe)
        same = found.setdefault(json.dumps(point | {"tasks": None}, sort_keys=True), point)
        if same is not point:
            same["tasks"] += [one for one in point["tasks"] if one not in same["tasks"]]
    return [{"seed": seed + k} | point for k in range(options.seeds) for point in found.values()]


@dataclass
class _Maker:
    """Makes points, without their seed, and checks each part of them once.

    seed: of the tasks that are made for it.
    """

    options: SweepOptions
    seed: int
    networks: dict[str, HRSNNParams] = field(default_factory=dict)
    tasks: dict[str, "Task"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._columns = {column.name for column in self.options.columns()}

    def __call__(self, setting: Setting, preset: str, recipe: str) -> Point:
        """Raises InputError for what cannot be, with the values of the settings that vary."""
        pruned = recipe not in WHOLE
        own = self.options.part("recipe").keys([recipe]).fields if pruned else {}
        of_recipe = {path: value for path, value in setting["recipe"].items() if path in own}
        size = setting["size"] if pruned else {}
        used = {"network": setting["network"], "recipe": of_recipe, "size": size}
        told = {PRESET: preset} if PRESET in self._columns else {}
        for part, values in used.items():
            told |= self._told(part, values)
        where = {"recipe": recipe, **told}
        point: Point = {
            **where,
            "options": of_recipe,
            "size": size,
            "readouts": [*self.options.readouts],
        }
        point["tasks"] = [self._shown(name, setting["task"]) for name in self.options.names("task")]
        try:
            params = self._network(preset, setting["network"])
            self._check(point, params)
        except InputError as error:
            at = " ".join(f"{name}={shown(value)}" for name, value in where.items())
            what = f"{error.allowed} (at the point {at})"
            raise InputError(error.argument, error.value, what) from None
        return point | {"network": params.to_dict()}

    def _told(self, part: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of those settings of a part that vary."""
        named = ((self.options.part(part).columns(path), v) for path, v in values.items())
        return {name: in_column(value) for name, value in named if name in self._columns}

    def _shown(self, task: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        known = task_options(task).keys().fields
        given = {path: value for path, value in settings.items() if path in known}
        return {NAME: task, "settings": given, "columns": self._told("task", given)}

    def _network(self, preset: str, settings: dict[str, Any]) -> HRSNNParams:
        key = json.dumps([preset, settings])
        if key not in self.networks:
            params = read(HRSNNParams, preset_table(preset), settings, see=preset)
            self.networks[key] = params
        return self.networks[key]

    def _check(self, point: Point, params: HRSNNParams) -> None:
        for task in point["tasks"]:
            known = readouts_of(self._task(task))
            for readout in point["readouts"]:
                if readout not in known:
                    what = f"of task {task[NAME]} must be one of {', '.join(known)}"
                    raise InputError("readout", readout, what)
        if point["recipe"] in WHOLE:
            return
        recipe, _ = _recipe(point)
        check_rounds(recipe, recipe.rounds)
        neurons = _size(point["size"], params.N).neurons
        if neurons is not None and neurons > params.N:
            raise InputError("neurons", neurons, f"must be at most N = {params.N}")
        if recipe.fewer_neurons and neurons in (None, params.N):
            what = f"recipe {recipe.name!r} chooses who leaves: give fewer than {params.N}"
            raise InputError("neurons", neurons, what)

    def _task(self, task: Mapping[str, Any]) -> "Task":
        key = json.dumps(task)
        if key not in self.tasks:
            self.tasks[key] = get_task(task[NAME], self.seed, **task["settings"])
        return self.tasks[key]


def _recipe(point: Point) -> "tuple[Recipe, ProbeLengths]":
    settings = dict(point["options"])
    rounds = {"rounds": settings.pop("rounds")} if "rounds" in settings else {}
    recipe = get_recipe(point["recipe"]).changed(**rounds)
    return with_lengths(recipe, settings)


def _size(asked: Mapping[str, Any], neurons: int) -> Size:
    sizes = dict(asked)
    fraction = sizes.pop("neuron_fraction", 1.0)
    if fraction < 1:
        sizes["neurons"] = max(1, round(fraction * neurons))
    return Size(**sizes)


def point_at(options: SweepOptions, level: tuple[float, ...], seed: int) -> Point:
    """The point at a place of the unit cube, of a sweep with one preset and one recipe."""
    (preset,), (recipe,) = options.names("network"), options.names("recipe")
    return _Maker(options, seed)(setting_at(options, level), preset, recipe) | {"seed": seed}


def sweep_rows(
    point: Point, engine: "Engine", asked: "Callable[[Task], Task]" = lambda task: task
) -> list[Row]:
    """One row per task and readout of the network of a point; asked: what is made of each task."""
    tasks = (
        (one, asked(get_task(one[NAME], point["seed"], **one["settings"])))
        for one in point["tasks"]
    )
    told = {name: value for name, value in point.items() if name not in _HELD}
    rows: list[Row] = []
    for one, network, task, note in _networks(point, engine, tasks):
        rows += [row | told | one["columns"] for row in _scored(point, engine, network, task, note)]
    return rows


def _networks(
    point: Point, engine: "Engine", tasks: "Iterator[tuple[Mapping[str, Any], Task]]"
) -> "Iterator[tuple[Mapping[str, Any], Network | None, Task, str]]":
    """Each task with the network for it, None where its size is out of reach, and a note."""
    from hrsnn_brian.network.build import drawn_network

    full = drawn_network(json.dumps(point["network"]), point["seed"])
    if point["recipe"] in WHOLE:
        bare = point["recipe"] == NO_RECURRENCE
        yield from ((one, full.without_recurrence() if bare else full, t, "") for one, t in tasks)
        return
    recipe, lengths = _recipe(point)
    found: tuple[Network | None, str] | None = None
    for one, task in tasks:
        if found is None or prunes_for_a_task(recipe):
            found = _pruned(full, recipe, lengths, point, engine, task)
        yield one, found[0], task, found[1]


def _pruned(
    full: "Network",
    recipe: Recipe,
    lengths: "ProbeLengths",
    point: Point,
    engine: "Engine",
    task: "Task",
) -> "tuple[Network | None, str]":
    from hrsnn_brian.evaluation.task_probe import TaskProbe
    from hrsnn_brian.pruning.prune import prune

    seed, size = point["seed"], _size(point["size"], full.n_neurons)
    probe = TaskProbe(engine, seed, lengths, task=task)
    try:
        found = prune(full, recipe, size, probe=probe, seed=seed)
    except SizeOutOfReachError:
        return None, SIZE_MISSED
    return found.network, found.stopped or ""


def _scored(
    point: Point, engine: "Engine", network: "Network | None", task: "Task", note: str
) -> list[Row]:
    seed, readouts, recipe = point["seed"], tuple(point["readouts"]), point["recipe"]
    name = WHOLE.get(recipe, PRUNED)
    if network is None:
        rows = [identity(name, seed=seed, task=task.name, readout=r) for r in readouts]
    else:
        rows = network_rows(network, task, name, engine, seed, readouts)
    asked = {"recipe": "" if recipe in WHOLE else recipe, "note": note}
    asked |= {name: v for name, v in point["size"].items() if name in ("keep", "neuron_fraction")}
    return [row | asked for row in rows]
