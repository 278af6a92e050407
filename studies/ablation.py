"""Which ingredient of Lyapunov Noise Pruning carries its result: an ablation at equal sizes.

The baseline is `lnp` with its default options. A variant leaves a step out, or all but one, or
exchanges one ingredient; `ablation_recipes` says which and how.

A point is one variant, seed and size: it is pruned once and scored on every task. Pruning that
stops early leaves a network of another size, and one that is refused leaves none: `met_budget` and
`stopped` say so, and no comparison counts such a row. Rates are not matched, and are in the table.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import READOUTS
from hrsnn_brian.files.columns import PRUNED, Column, identity
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.tune_timescales import check_rounds
from hrsnn_brian.runs.options import (
    Fractions,
    Names,
    Options,
    RecipeOptions,
    Recipes,
    StudyNetwork,
    Tasks,
)
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, Whole
from hrsnn_brian.statistics.comparison import PairedTest
from hrsnn_brian.statistics.paired_seeds import against, by_seed, left_out, spread
from hrsnn_brian.studies.ablation_recipes import ALONE, BASELINE, NO_STEP, QUICK, VARIANTS

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.pruning.prune import Pruned
    from hrsnn_brian.simulation import Engine


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, size and variant; the baseline is always among them."""
    kept = ("tasks", "readouts", "short_tasks", "short_measures", "iterations", "network")
    settings = {name: options[name] for name in kept}
    variants = list(dict.fromkeys([BASELINE, *options["recipes"]]))
    return [
        {"seed": seed + number, "recipe": variant, "keep": keep, "neuron_fraction": fraction}
        | settings
        for number in range(options["seeds"])
        for keep in options["keep"]
        for fraction in options["neuron_fraction"]
        for variant in variants
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per task and readout."""
    from hrsnn_brian.evaluation.evaluate import network_rows
    from hrsnn_brian.network.build import drawn_network
    from hrsnn_brian.pruning.size import Size
    from hrsnn_brian.tasks.registry import get_task

    seed, network = point["seed"], drawn_network(json.dumps(point["network"]), point["seed"])
    neurons = round(point["neuron_fraction"] * network.n_neurons)
    size = (neurons, Size(keep=point["keep"]).resolve(network)[1])
    asked = {"recipe": point["recipe"]}
    asked |= {name: point[name] for name in ("keep", "neuron_fraction")}
    group = {"group": VARIANTS[point["recipe"]].group}
    try:
        result = _pruned(point, network, size, engine)
    except InputError as refusal:
        told = {"met_budget": False, "stable": False, "stopped": f"refused: {refusal}"}
        return [
            identity(PRUNED, seed=seed, task=task, readout=readout) | asked | group | told
            for task in point["tasks"]
            for readout in point["readouts"]
        ]
    rows: list[Row] = []
    for name in point["tasks"]:
        task = get_task(name, seed, quick=point["short_tasks"])
        readouts = tuple(point["readouts"])
        found = network_rows(result.network, task, PRUNED, engine, seed, readouts)
        rows += [row | asked | group | _told(result, size) for row in found]
    return rows


def _pruned(point: Point, network: "Network", size: tuple[int, int], engine: "Engine") -> "Pruned":
    from hrsnn_brian.dynamics.probe import SHORT, Measurements
    from hrsnn_brian.pruning.prune import prune
    from hrsnn_brian.pruning.size import Size

    seed = point["seed"]
    return prune(
        network,
        VARIANTS[point["recipe"]].recipe(point["iterations"]),
        Size(neurons=size[0], synapses=size[1]),
        probe=Measurements(engine, seed, SHORT if point["short_measures"] else None),
        seed=seed,
    )


def _told(result: "Pruned", size: tuple[int, int]) -> Row:
    """What the row says of the pruning; size: the neurons and synapses asked for."""
    network = result.network
    stable = [row for row in result.history if row["stable"]]
    last = stable[-1] if result.stopped and stable else result.history[-1]
    return {
        "neurons": network.n_neurons,
        "synapses": network.n_synapses,
        "met_budget": (network.n_neurons, network.n_synapses) == size,
        "stable": result.stable,
        "stopped": result.stopped or "",
        "lambda_1_per_s": last["lambda_1_per_s"],
    }


def summary(rows: Sequence[Row]) -> str:
    """Per task and size every variant against the baseline, and the steps alone against none."""
    table = Table(rows)
    seen = [row for row in table if row["readout"] == rows[0]["readout"]]
    blocks = [
        _block(
            [row for row in seen if (row["task"], row["keep"], row["neuron_fraction"]) == place],
            table.schema.primary(place[0]),
        )
        for place in dict.fromkeys((r["task"], r["keep"], r["neuron_fraction"]) for r in seen)
    ]
    seeds = len({row["seed"] for row in seen})
    return "\n\n".join(
        [
            *blocks,
            f"mean ± s.e.m. over {seeds} seeds; readout: {rows[0]['readout']} and input. "
            "difference: to the baseline on the same seeds, with dz, its effect size; p: paired t "
            "and Wilcoxon, two-sided, Holm over all variants of the task.",
        ]
    )


def _block(rows: Sequence[Row], score: Column | None) -> str:
    if score is None:
        return f"{rows[0]['task']}: no network has a score"
    scores = by_seed(rows, "recipe", score.name)
    tests = against(scores, BASELINE)
    groups = {row["recipe"]: row["group"] for row in rows}
    lines = []
    for variant, values in scores.items():
        of_variant = [r for r in rows if r["recipe"] == variant and r["seed"] in values]
        rates, ops = ([row[name] for row in of_variant] for name in ("rate_hz", _OPS))
        means = [spread([*values.values()]), spread(rates), spread(ops)]
        lines.append([variant, groups[variant], values.count, *means, *_test_cells(tests, variant)])
    header = ["recipe", "group", "n", score.name, "rate_hz", _OPS, *_TEST_HEADER]
    size = f"keep {rows[0]['keep']:g}, {rows[0]['neuron_fraction']:g} of the neurons"
    text = f"{rows[0]['task']}, {size} ({score.better} is better)"
    text += f"{left_out(scores.values())}\n{text_table(lines, header)}"
    alone = against(scores, NO_STEP, [v for v, group in groups.items() if group == ALONE])
    if not alone:
        return text
    steps = [[variant, *_test_cells(alone, variant)] for variant in alone]
    header = [f"against {NO_STEP}", *_TEST_HEADER]
    return f"{text}\n\n{text_table(steps, header)}"


_OPS = "synaptic_ops_per_s"
_TEST_HEADER = ("difference", "dz", "p t", "p Wilcoxon")


def _test_cells(tests: Mapping[str, PairedTest], name: str) -> list[Any]:
    test = tests.get(name)
    if test is None:
        return [None] * len(_TEST_HEADER)
    return [test.mean_difference, test.dz, test.p_t_holm, test.p_wilcoxon_holm]


@dataclass(frozen=True)
class AblationOptions(RecipeOptions):
    """Which recipes made from LNP are compared with it, and where."""

    tasks: Tasks = Tasks("mackey-glass-84", "lorenz63-x").about("what every network is scored on")
    recipes: Recipes = Recipes(*QUICK, known=VARIANTS).about(
        "lnp with steps left out, alone or an ingredient exchanged"
    )
    # of 20 synapses per neuron: fewer would leave islands
    keep: Fractions = Fractions(0.1, below_one=True).about("fractions of the synapses kept")
    neuron_fraction: Fractions = Fractions(0.6).about("fractions of the neurons kept")
    iterations: Whole = Whole(4, low=1).about("iterations of lnp")
    readouts: Names = Names(READOUTS, ("spikes",), one="readout").about(
        "what the readout is fitted to"
    )
    short_tasks: Flag = Flag(True).about("shorter series, for a first look")
    short_measures: Flag = Flag(True).about("a third of the measuring time, for a first look")
    network: StudyNetwork = StudyNetwork("default", "N=200").about("the network to prune")

    def __post_init__(self) -> None:
        check_rounds(LNP, self.iterations, "iterations")


def _families(options: Options) -> tuple[int, int] | None:
    others = len({*options["recipes"]} - {BASELINE})
    return (others, others) if others else None


STUDY = Study(
    name="ablation",
    description="LNP with each step left out, each alone and each ingredient exchanged",
    points=points,
    run=run,
    options=AblationOptions,
    families=_families,
    presets={
        "quick": {},
        "paper": {
            "seeds": 12,  # 36 comparisons together need 11
            "recipes": list(VARIANTS),
            "keep": [0.05],
            "iterations": 20,
            "readouts": ["spikes", "spikes+v"],
            "short_tasks": False,
            "short_measures": False,
            "network": {"preset": "default"},
        },
    },
    figures=("ablation",),
    summary=summary,
    columns=(Column("group", "which kind of change of lnp the recipe is", role="identity"),),
)
