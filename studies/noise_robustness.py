"""What noise does to full and pruned networks: on the input, or on every membrane.

Networks are pruned as they are, without noise; then they meet each task under each noise, in
training and in the test, so that a readout has seen the noise it is tested with. [our choice] Noise
on the input is in standard deviations of the series, noise on membranes (`neuron.noise`) in mean
thresholds. One row per seed, task, network, kind of noise and size of it; "none" is without.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import FULL, NAME, PRUNED, Column, identity, named
from hrsnn_brian.files.score import LOWER
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.runs.options import Options, Recipes, Tasks
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Real
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.statistics.comparison import PairedTest, compare_family, seeds_needed
from hrsnn_brian.statistics.paired_seeds import BySeed, Seeds, by_seed, left_out, paired, spread
from hrsnn_brian.studies.task_points import (
    COLUMNS,
    DIGEST,
    PRUNED_FOR,
    SERIES,
    SeriesOptions,
    looks_at_task,
    network_of,
    shown_tasks,
    sized,
    task_of,
)
from hrsnn_brian.tasks.forecast_task import ForecastTask

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

NOISE, SIZE = "noise", "noise_sd"
NONE, INPUT, MEMBRANE = "none", "input", "membrane"


@dataclass(frozen=True)
class NoiseOptions(SeriesOptions):
    """Which networks meet how much noise on which tasks."""

    tasks: Tasks = Tasks("mackey-glass-84", "lorenz63-x", known=SERIES).about(
        "what every network is scored on"
    )
    recipes: Recipes = Recipes("frugal", "random variance").about(
        "how the network is pruned; the unpruned one is always there"
    )
    input: Many = Many(Real(0.1, 0, above=True), (0.03, 0.1, 0.3), "input").about(
        "noise on the input, standard deviations of the series"
    )
    membrane: Many = Many(Real(0.1, 0, above=True), (0.1, 0.3, 1.0), "membrane").about(
        "noise on every membrane's input, mean thresholds"
    )

    def __post_init__(self) -> None:
        for name in (INPUT, MEMBRANE):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise InputError(name, list(getattr(self, name)), "names a size twice")


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, network and task."""
    noises = [(NONE, 0.0), *((kind, sd) for kind in (INPUT, MEMBRANE) for sd in options[kind])]
    tasks = shown_tasks(options["tasks"], options)
    return [
        {"seed": seed + number, **sized(options, recipe), **task, "noises": noises}
        | {PRUNED_FOR: task if looks_at_task(recipe) else None}
        for number in range(options["seeds"])
        for recipe in (FULL, *options["recipes"])
        for task in tasks
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per noise, with the primary readout."""
    from hrsnn_brian.evaluation.evaluate import network_rows
    from hrsnn_brian.network.digest import network_digest

    seed, task = point["seed"], task_of(point)
    network, note = network_of(point, engine)
    pruned = point["recipe"] != FULL
    told = {
        "recipe": point["recipe"] if pruned else "",
        **{name: point[name] for name in ("keep", "neuron_fraction")},
        PRUNED_FOR: point[PRUNED_FOR]["task"] if point[PRUNED_FOR] else "",
        DIGEST: "" if network is None else network_digest(network),
        "note": note,
    }
    rows: list[Row] = []
    name, readouts = PRUNED if pruned else FULL, task.readouts[:1]
    for kind, sd in point["noises"]:
        if network is None:
            found = [identity(name, seed=seed, task=task.name, readout=readouts[0])]
        else:
            shown = noisy_task(task, sd if kind == INPUT else 0.0)
            noisy = noisy_network(network, sd if kind == MEMBRANE else 0.0)
            found = network_rows(noisy, shown, name, engine, seed, readouts)
        rows += [row | told | {NOISE: kind, SIZE: sd} for row in found]
    return rows


def noisy_task(task: "Task", sd: float) -> "Task":
    """The task with more noise on its input, the task's own included, in training and test."""
    assert isinstance(task, ForecastTask)
    return replace(
        task,
        input_noise=math.hypot(task.input_noise, sd),
        test_noise=math.hypot(task.test_noise, sd),
    )


def noisy_network(network: "Network", sd: float) -> "Network":
    """The network with more noise on its membranes, its own included."""
    neuron = network.params.neuron
    neuron = replace(neuron, noise=math.hypot(neuron.noise, sd))
    return replace(network, params=replace(network.params, neuron=neuron))


def summary(rows: Sequence[Row]) -> str:
    """Per task the score of every network under every noise, then who loses more than `full`."""
    table = Table(rows)
    blocks = []
    for task in dict.fromkeys(row["task"] for row in rows):
        score = table.schema.primary(task)
        if score is not None:
            mine = [row for row in named(table) if row["task"] == task]
            blocks += [_scores(mine, task, score), _tests(mine, score)]
    seeds = len({row["seed"] for row in rows})
    return "\n\n".join([*filter(None, blocks), f"mean ± s.e.m. over {seeds} seeds"])


def _under(rows: Sequence[Row], noise: tuple[str, float], score: Column) -> BySeed:
    chosen = [row for row in rows if (row[NOISE], row[SIZE]) == noise]
    return by_seed(chosen, NAME, score.name)


def _noises(rows: Sequence[Row]) -> list[tuple[str, float]]:
    return list(dict.fromkeys((str(row[NOISE]), float(row[SIZE])) for row in rows))


def _scores(rows: Sequence[Row], task: str, score: Column) -> str:
    found = {noise: _under(rows, noise, score) for noise in _noises(rows)}
    names = list(next(iter(found.values())))
    lines = [[kind, sd, *(spread(found[kind, sd][name]) for name in names)] for kind, sd in found]
    missing = left_out(seeds for scores in found.values() for seeds in scores.values())
    title = f"{task}: {score.label}, {score.better} is better{missing}"
    return f"{title}\n{text_table(lines, [NOISE, SIZE, *names])}"


def _tests(rows: Sequence[Row], score: Column) -> str:
    tests = losses(rows, score)
    if not tests:
        return ""
    lines = [
        [name, kind, sd, t.pairs, *(f"{x:.3g}" for x in _numbers(t)), _verdict(t)]
        for (name, kind, sd), t in tests.items()
    ]
    header = ["network", NOISE, SIZE, "pairs", "excess loss", "p t (Holm)", "p W (Holm)", "loses"]
    needed = seeds_needed(comparisons=len(tests))
    head = f"log of the factor lost to noise, less that of full; {needed} seeds are needed"
    return f"{head}\n{text_table(lines, header)}"


def _numbers(test: PairedTest) -> tuple[float, float, float]:
    return test.mean_difference, test.p_t_holm, test.p_wilcoxon_holm


def _verdict(test: PairedTest) -> str:
    more, less = test.favours("higher"), test.favours(LOWER)
    return "more" if more else "less" if less else "-"


def losses(rows: Sequence[Row], score: Column) -> dict[tuple[str, str, float], PairedTest]:
    """(network, noise, size) -> its loss against that of the full network, Holm-corrected.

    A loss is the log of the factor by which the score is worse than without noise, on one seed.
    """
    clean = _under(rows, (NONE, 0.0), score)
    pairs = {}
    for noise in _noises(rows):
        if noise[0] == NONE:
            continue
        noisy = _under(rows, noise, score)
        lost = {name: _lost(clean[name], noisy[name], score) for name in noisy}
        for name in lost:
            two = None if name == FULL else paired(lost[name], lost.get(FULL, {}))
            if two is not None:
                pairs[name, *noise] = two
    tests = compare_family({repr(key): two for key, two in pairs.items()})
    return dict(zip(pairs, tests.values(), strict=True))


def _lost(clean: Seeds, noisy: Seeds, score: Column) -> dict[int, float]:
    """Seed -> log factor lost; seeds with a score of 0, which has no logarithm, are left out."""
    sign = 1 if score.better == LOWER else -1
    both = [seed for seed in clean if clean[seed] > 0 and noisy.get(seed, 0) > 0]
    return {seed: sign * math.log(noisy[seed] / clean[seed]) for seed in both}


def _families(options: Options) -> tuple[int, int]:
    together = len(options["recipes"]) * (len(options[INPUT]) + len(options[MEMBRANE]))
    return together, together


STUDY = Study(
    name="noise_robustness",
    description="noise on the input and on membranes: what full and pruned networks lose to it",
    points=points,
    run=run,
    options=NoiseOptions,
    families=_families,
    presets={
        "quick": {},
        "paper": {
            "seeds": 12,
            "recipes": ["lnp", "lnp revised", "frugal", "activity", "random variance"],
            "input": [0.01, 0.03, 0.1, 0.3],
            "membrane": [0.03, 0.1, 0.3, 1.0],
            "vpt_starts": 20,
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    figures=("noise_robustness",),
    summary=summary,
    columns=(
        *COLUMNS,
        Column(NOISE, "where noise comes in: none, on the input, on membranes", role="identity"),
        Column(
            SIZE,
            "standard deviation of the noise: of the series on the input, mean thresholds on "
            "membranes",
            "1",
            role="identity",
        ),
    ),
)
