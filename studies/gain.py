"""What the gain of the recurrence does: scores and dynamics of pruned networks against it.

The survivors of a recipe stay, all their weights are multiplied by one gain, and biases restore the
mean rate under white noise. Gains are those asked for, and for pruned networks the echo gain, at
which the input echo S is the unpruned network's. The unpruned network is turned up and down, too.
Scored against the gain, every recipe and fraction kept has a curve of its own; against S they
should be one. [our choice]
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import FULL, NAME, PRUNED, Column, identity, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.pruning.recipes import RECIPES, prunes_for_a_task
from hrsnn_brian.runs.options import (
    Fractions,
    Options,
    RecipeOptions,
    Recipes,
    StudyNetwork,
    Tasks,
)
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, Real, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.statistics.paired_seeds import by_seed, left_out, spread
from hrsnn_brian.studies.recipe_scores import (
    GROWTH,
    PRIMARY,
    RATE_MISSED,
    TASKS,
    drawn_task,
    stability_row,
)
from hrsnn_brian.studies.task_points import (
    ECHO_MISSED,
    check_leavers,
    pruned_to,
    recipe_named,
    shown_tasks,
)

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

GAIN, RULE, RADIUS, NOISE_HZ = "gain", "gain_rule", "spectral_radius", "noise_rate_hz"
FIXED, ECHO = "fixed", "echo"
_TURNED = tuple(
    name for name, r in RECIPES.items() if name != "no recurrence" and not prunes_for_a_task(r)
)


@dataclass(frozen=True)
class GainOptions(RecipeOptions):
    """Which networks are turned up and down, and what is measured of them."""

    seeds: Whole = Whole(2, low=1).about("seeds, counted from the root seed on")
    recipes: Recipes = Recipes("random variance", known=_TURNED).about(
        "whose survivors get other gains; a gain of its own is left out"
    )
    keep: Fractions = Fractions(1.0, 0.2, 0.05).about(
        "fractions of the synapses kept; 1: the unpruned network"
    )
    neuron_fraction: Real = Real(1.0, 0, 1, above=True).about("fraction of the neurons kept")
    gains: Many = Many(Real(1.0, 0.1, 10), (0.5, 1.0, 2.0), GAIN).about(
        "factors on all weights; pruned networks get the echo gain as well"
    )
    tasks: Tasks = Tasks(*TASKS).about("what every network is scored on")
    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, of tasks that have them")
    short_tasks: Flag = Flag(True).about("shorter series and fewer images, for a first look")
    network: StudyNetwork = StudyNetwork("default", "N=250").about("the network to prune")

    def __post_init__(self) -> None:
        check_leavers(self.recipes, self.neuron_fraction)


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, recipe and fraction kept, with all its gains."""
    shared = {"tasks": shown_tasks(options["tasks"], options), "gains": options["gains"]}
    shared |= {"network": options["network"]}
    sizes = [(FULL, 1.0, 1.0)] if 1.0 in options["keep"] else []
    sizes += [
        (recipe, keep, options["neuron_fraction"])
        for recipe in options["recipes"]
        for keep in options["keep"]
        if keep < 1
    ]
    return [
        {"seed": seed + number, "recipe": name, "keep": keep, "neuron_fraction": part} | shared
        for number in range(options["seeds"])
        for name, keep, part in sizes
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per gain and task; S and the exponents of a network are in all its rows."""
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.build import drawn_network

    seed = point["seed"]
    measure = Measurements(engine, seed)
    full = drawn_network(json.dumps(point["network"]), seed)
    whole: Network | None = full
    note = ""
    if point["recipe"] != FULL:
        recipe = recipe_named(point["recipe"]).changed(gain="none")
        whole, note = pruned_to(point, recipe, full, measure)
    if whole is None:
        return _rows(point, None, measure, {RULE: FIXED, "note": note})
    turned = _turning(whole, measure.rate_hz(full), measure)
    rows: list[Row] = []
    for gain in dict.fromkeys(point["gains"]):
        rows += _told(point, turned, gain, FIXED, note, measure)
    if whole is not full:
        rows += _echoing(point, turned, measure.echo(full), note, measure)
    return rows


Turned = Callable[[float], "tuple[Network, str]"]


def _turning(whole: "Network", wanted_hz: float, measure: "Measurements") -> Turned:
    """Of a gain the network turned to it at the wanted rate; or at its own rate, and a note."""
    from functools import cache

    from hrsnn_brian.pruning.rate_match import turned
    from hrsnn_brian.pruning.rate_steps import matched

    @cache
    def at(gain: float) -> "tuple[Network, str]":
        louder = turned(whole, "gain", gain)
        found = matched(louder, wanted_hz, measure.rate_hz, "bias")
        return (louder, RATE_MISSED) if found is None else (found, "")

    return at


def _echoing(
    point: Point, turned: Turned, wanted: float, note: str, measure: "Measurements"
) -> list[Row]:
    """The rows at the echo gain, searched for as the step `gain` of a recipe does."""
    from hrsnn_brian.pruning.echo_gain import EchoOutOfReachError, search_gain

    try:
        found, _ = search_gain(lambda gain: measure.echo(turned(gain)[0]), wanted)
    except EchoOutOfReachError as problem:
        told = {RULE: ECHO, "note": f"{ECHO_MISSED}: {problem.allowed}"}
        return _rows(point, None, measure, told)
    return _told(point, turned, found.gain, ECHO, note, measure)


def _told(
    point: Point, turned: Turned, gain: float, rule: str, note: str, measure: "Measurements"
) -> list[Row]:
    """The rows of one gain with what is measured of its network."""
    from hrsnn_brian.network.weights import spectral_radius

    network, why = turned(gain)
    told = {GAIN: gain, RULE: rule, "note": "; ".join(filter(None, [note, why]))}
    told |= {NOISE_HZ: measure.rate_hz(network), RADIUS: spectral_radius(network.W)}
    return _rows(point, network, measure, told | stability_row(network, measure))


def _rows(point: Point, network: "Network | None", measure: "Measurements", told: Row) -> list[Row]:
    from hrsnn_brian.evaluation.evaluate import network_rows

    name = FULL if point["recipe"] == FULL else PRUNED
    told |= {column: point[column] for column in ("keep", "neuron_fraction")}
    told |= {"recipe": "" if name == FULL else point["recipe"], "match": "bias"}
    rows: list[Row] = []
    for shown in point["tasks"]:
        task = drawn_task(json.dumps(shown | {"seed": point["seed"]}))
        if network is None:
            seed = point["seed"]
            found = [identity(name, seed=seed, task=task.name, readout=r) for r in PRIMARY]
        else:
            found = network_rows(network, task, name, measure.engine, measure.seed, PRIMARY)
        rows += [row | told for row in found]
    return rows


_SHOWN = ("input_echo", "lambda_1_per_s", "lambda_common_per_s", "growth_common_per_s", "rate_hz")


def summary(rows: Sequence[Row]) -> str:
    """Per task and curve a line for each gain."""
    table = Table(rows)
    seen = named(table)
    blocks = [
        text
        for task in dict.fromkeys(row["task"] for row in seen)
        if (score := table.schema.primary(task)) is not None
        for text in _blocks([row for row in seen if row["task"] == task], task, score.name)
    ]
    seeds = len({row["seed"] for row in seen})
    return "\n\n".join(
        [*blocks, f"mean ± s.e.m. over {seeds} seeds; mean rates restored by biases"]
    )


def _blocks(rows: Sequence[Row], task: str, score: str) -> Iterator[str]:
    for name, keep in dict.fromkeys((row[NAME], row["keep"]) for row in rows):
        curve = [{**r, "at": _gain_name(r)} for r in rows if (r[NAME], r["keep"]) == (name, keep)]
        columns = (score, GAIN, *_SHOWN)
        found = [by_seed(curve, "at", column) for column in columns]
        lines = [
            [gain, found[0][gain].count, *(spread(each[gain]) for each in found)]
            for gain in found[0]
        ]
        title = f"{task}, {name}, {100 * keep:g} % of the synapses{left_out(found[0].values())}"
        yield f"{title}\n{text_table(lines, ['at', 'seeds', *columns])}"


def _gain_name(row: Row) -> str:
    return ECHO if row[RULE] == ECHO else f"gain {row[GAIN]:g}" if row.get(GAIN) else FIXED


STUDY = Study(
    name="gain",
    description="scores, input echo and exponents of pruned networks against the gain of their "
    "recurrence",
    points=points,
    run=run,
    options=GainOptions,
    presets={
        "quick": {},
        "paper": {
            "seeds": 8,
            "recipes": ["random variance", "magnitude row .5 once (8 rounds)", "frugal"],
            "keep": [1.0, 0.5, 0.2, 0.1, 0.05, 0.02],
            "gains": [0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0],
            "vpt_starts": 20,
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    figures=("gain",),
    summary=summary,
    columns=(
        Column(GAIN, "factor on all weights", "1", role="identity"),
        Column(RULE, "whether the gain was given or found by the input echo", role="identity"),
        Column(NOISE_HZ, "mean firing rate under white noise", "Hz"),
        Column(RADIUS, "spectral radius of the weights", "1"),
        GROWTH,
    ),
)
