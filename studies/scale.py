"""What size costs and what it earns: time, memory and score against the number of neurons.

Every point has a process of its own, so that its memory is its own. Timed are drawing the network,
pruning it, 10 s of biological time of its program, and the task with its readout, in processor time
of one thread, which others on the machine change little; programs are built before and not timed.
Two runs of this study differ in times and memory, in nothing else. One row per seed, size and
network, with the primary readout.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from hrsnn_brian.files.columns import FULL, NAME, PRUNED, Column, named
from hrsnn_brian.files.machine import peak_memory, processor_seconds
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.runs.options import Options, RecipeOptions, Recipes, StudyNetwork
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, OneOf, Real, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.settings.reader import read
from hrsnn_brian.statistics.paired_seeds import by_seed, left_out, spread
from hrsnn_brian.studies.task_points import SERIES, task_settings
from hrsnn_brian.tasks.registry import list_tasks

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

N = "N"
RUN_SECONDS = 10.0  # of biological time
STAGES = {
    "draw_cpu_s": "processor time to draw the network",
    "prune_cpu_s": "processor time to prune it",
    "run_cpu_s": f"processor time of {RUN_SECONDS:g} s of biological time",
    "task_cpu_s": "processor time to show the task and to train and score the readout",
}
COSTS = {
    **STAGES,
    "cpu_s": "processor time of all of it",
    "wall_s": "wall clock of all of it",
    "peak_memory_mb": "memory of the largest process at most",
}


@dataclass(frozen=True)
class ScaleOptions(RecipeOptions):
    """Which sizes are timed, on what."""

    seeds: Whole = Whole(1, low=1).about("seeds, counted from the root seed on")
    sizes: Many = Many(Whole(500, low=2), (200, 500, 1000), "size").about("neurons")
    recipes: Recipes = Recipes("frugal").about("how each network is pruned, too")
    keep: Real = Real(0.05, 0, 1, above=True, below=True).about("fraction of the synapses kept")
    task: OneOf = OneOf("mackey-glass-84", {n: list_tasks()[n] for n in SERIES}).about(
        "what every network is scored on"
    )
    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, if the task has them")
    short_tasks: Flag = Flag(True).about("shorter series, for a first look")
    short_measures: Flag = Flag(True).about("shorter measurements of pruning")
    network: StudyNetwork = StudyNetwork("default").about("whose N is exchanged")

    def __post_init__(self) -> None:
        for size in self.sizes:
            _params(self.network.to_dict(), size)


def _params(network: dict[str, Any], size: int) -> HRSNNParams:
    return read(HRSNNParams, network, [f"{N}={size}"])


def points(options: Options, seed: int) -> list[Point]:
    """One point per size, seed and network, the smallest first."""
    settings = task_settings(options["task"], options)
    shown = {"task": options["task"], "task_settings": settings}
    return [
        {"seed": seed + number, N: size, "recipe": recipe}
        | {"keep": 1.0 if recipe == FULL else options["keep"]}
        | shown
        | {"short_measures": options["short_measures"]}
        | {"network": _params(options["network"], size).to_dict()}
        for size in sorted(set(options["sizes"]))
        for number in range(options["seeds"])
        for recipe in (FULL, *options["recipes"])
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """The row of a point, measured in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measured, point, engine.device).result()


def measured(point: Point, device: str) -> list[Row]:
    """The row of a point, with the costs of this process since it began."""

    from hrsnn_brian.evaluation.evaluate import network_rows
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.simulation import Engine, noise_drive, simulate
    from hrsnn_brian.tasks.registry import get_task

    engine, seed, spent = Engine(device), point["seed"], dict.fromkeys(COSTS, 0.0)
    params = HRSNNParams.from_dict(point["network"])
    with _timed(spent, "draw_cpu_s"):
        network = build_network(params, seed)
    simulate(engine, network, noise_drive(network, 0.0, seed))  # builds the program
    if point["recipe"] != FULL:
        with _timed(spent, "prune_cpu_s"):
            network = _pruned(network, point, engine)
    with _timed(spent, "run_cpu_s"):
        simulate(engine, network, noise_drive(network, RUN_SECONDS, seed, record_states=False))
    task = get_task(point["task"], seed, **point["task_settings"])
    name = FULL if point["recipe"] == FULL else PRUNED
    with _timed(spent, "task_cpu_s"):
        (row,) = network_rows(network, task, name, engine, seed, task.readouts[:1])
    spent["peak_memory_mb"] = peak_memory() / 1e6
    recipe = "" if point["recipe"] == FULL else point["recipe"]
    return [row | {"recipe": recipe, "keep": point["keep"], N: point[N], **spent}]


def _pruned(network: "Network", point: Point, engine: "Engine") -> "Network":
    from hrsnn_brian.dynamics.probe import SHORT
    from hrsnn_brian.evaluation.task_probe import TaskProbe
    from hrsnn_brian.pruning.prune import prune
    from hrsnn_brian.pruning.size import Size
    from hrsnn_brian.tasks.registry import get_task

    seed = point["seed"]
    task = get_task(point["task"], seed, **point["task_settings"])
    probe = TaskProbe(engine, seed, SHORT if point["short_measures"] else None, task=task)
    size = Size(keep=point["keep"])
    return prune(network, point["recipe"], size, probe=probe, seed=seed).network


@contextmanager
def _timed(spent: dict[str, float], stage: str) -> Iterator[None]:
    start, used = time.perf_counter(), processor_seconds()
    yield
    spent[stage] = processor_seconds() - used
    spent["cpu_s"] += spent[stage]
    spent["wall_s"] += time.perf_counter() - start


def summary(rows: Sequence[Row]) -> str:
    """A line per size and network: neurons, synapses, costs and the score."""
    table = Table(rows)
    (task,) = dict.fromkeys(row["task"] for row in table)
    score = table.schema.primary(task)
    columns = [*COSTS, *([score.name] if score else [])]
    keyed = [row | {"line": f"{row[N]} {row[NAME]}"} for row in named(table)]
    found = {column: by_seed(keyed, "line", column) for column in columns}
    lines = []
    for line, first in {row["line"]: row for row in reversed(keyed)}.items():
        means = [spread(found[column][line]) for column in columns]
        lines.append([first[N], first[NAME], first["synapses"], *means])
    seeds = len({row["seed"] for row in rows})
    missing = left_out(seeds for values in found.values() for seeds in values.values())
    header = [N, "network", "synapses", *columns]
    text = text_table(list(reversed(lines)), header)
    return f"{task}, mean ± s.e.m. over {seeds} seeds{missing}\n{text}"


STUDY = Study(
    name="scale",
    description="time, memory and score against the number of neurons, full and pruned",
    points=points,
    run=run,
    options=ScaleOptions,
    presets={
        "quick": {},
        "paper": {
            "seeds": 3,
            "sizes": [200, 500, 1000, 2000, 5000],
            "recipes": ["frugal", "lnp"],
            "short_tasks": False,
        },
    },
    figures=("scale",),
    summary=summary,
    columns=(
        Column(N, "neurons before pruning", "1", role="size"),
        *(Column(name, what, "MB" if name.endswith("mb") else "s", "lower", "cost")
          for name, what in COSTS.items()),
    ),
)  # fmt: skip
