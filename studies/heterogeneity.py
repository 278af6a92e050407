"""Heterogeneous against equal membranes, and clusters against one: at equal size and equal rate.

Of one drawn network the membrane time constants alone are exchanged, for gamma-distributed ones of
several coefficients of variation and for equal ones, class means kept. If its thresholds differ,
both stand with equal thresholds, too, so that what the diversity of either is worth can be told
apart. With `e_slower` excitatory membranes are slower than inhibitory ones, the mean of all kept. A
clustered network (CHRSNN) meets one cluster of as many neurons and synapses, once with one gamma
distribution and once with its very membranes, so that wiring is told from time constants. All are
pruned, if a recipe is given, and fire as the drawn network does while training input of the task is
shown, by one offset of all biases. The control without recurrence stands beside them.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import NAME, NO_RECURRENCE, Column, identity, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.network.distributions import Constant
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.recipes import RECIPES, prunes_for_a_task
from hrsnn_brian.report.judge import FAILS, HOLDS, NOT_TESTED, REVERSED
from hrsnn_brian.runs.options import Options, StudyNetwork, StudyOptions, Tasks
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, OneOf, OptionalText, Real, Text, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.statistics.comparison import PairedTest, compare_family, seeds_needed
from hrsnn_brian.statistics.paired_seeds import BySeed, by_seed, left_out, paired
from hrsnn_brian.studies.recipe_scores import RATE_MISSED, drawn_task, task_rate
from hrsnn_brian.studies.task_points import (
    check_leavers,
    pruned_to,
    recipe_named,
    shown_tasks,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

EQUAL = "homogeneous"
CLUSTERED, ONE, ONE_SAME = "clustered", "one cluster", "one cluster, same tau_m"
EQUAL_V_TH, _SLOWER, NONE = ", equal v_th", "tau_m E/I", "none"
# those that draw no network of their own
_RECIPES = {n: r.description for n, r in RECIPES.items() if n not in ("fresh", NO_RECURRENCE)}
CV, EVENTS = "tau_m_cv", "synaptic_events_per_sample"


@dataclass(frozen=True)
class HeterogeneityOptions(StudyOptions):
    """Which networks meet on which tasks."""

    tasks: Tasks = Tasks("mackey-glass-84", "lorenz63-x", "digits").about(
        "what every network is scored on"
    )
    cvs: Many = Many(Real(0.58, 0, 2, above=True), (0.58, 1.0), "cv").about(
        "coefficients of variation of gamma-distributed tau_m; each meets equal ones"
    )
    thresholds: Flag = Flag(True).about(
        "networks with equal thresholds as well, if those of the network differ"
    )
    e_slower: Many = Many(Real(2.5, 0, above=True), (), "e_slower", empty=True).about(
        "mean tau_m of excitatory over that of inhibitory neurons; the mean of all stays"
    )
    network: StudyNetwork = StudyNetwork("default", "N=100").about("whose tau_m are exchanged")
    clustered: Text = Text("chrsnn").about(
        "preset or FILE.toml of the clustered network, at the N of the other one; none: no clusters"
    )
    recipe: OneOf = OneOf(NONE, {NONE: "networks stay as they are"} | _RECIPES).about(
        "how every network is pruned"
    )
    keep: Real = Real(0.05, 0, 1, above=True, below=True).about("fraction of the synapses kept")
    neuron_fraction: Real = Real(0.6, 0, 1, above=True).about("fraction of the neurons kept")
    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, of tasks that have them")
    short_tasks: Flag = Flag(True).about("shorter series and fewer images, for a first look")
    data: OptionalText = OptionalText().about("where the images are, of sets that come in files")

    def __post_init__(self) -> None:
        if self.recipe != NONE:
            check_leavers([self.recipe], self.neuron_fraction)
        if self.clustered == NONE:
            return
        graph = _clustered(self.clustered, self.network.N).graph
        if graph.kind != "clustered" or graph.clusters < 2:
            what = f"has {graph.clusters} cluster of kind {graph.kind}; two clusters are needed"
            raise InputError("clustered", self.clustered, what)


def _clustered(preset: str, size: int) -> HRSNNParams:
    return load_preset(preset, [f"N={size}"])


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed and network, put to all tasks."""
    pruning = {name: options[name] for name in ("keep", "neuron_fraction")}
    if options["recipe"] == NONE:
        pruning = {"keep": 1.0, "neuron_fraction": 1.0}
    shared = pruning | {"pruned_by": options["recipe"], "network": options["network"]}
    shared |= {"tasks": shown_tasks(options["tasks"], options)}
    return [
        {"seed": seed + number, **shared, **network}
        for number in range(options["seeds"])
        for network in _networks(options)
    ]


def _networks(options: Options) -> list[dict[str, Any]]:
    """What a point holds of each network."""
    cvs = [0.0, *options["cvs"]]
    found: list[dict[str, Any]] = [{NAME: spread_name(cv), CV: cv} for cv in dict.fromkeys(cvs)]
    if options["thresholds"] and _differ(options["network"]["neuron"]["v_th"]):
        found += [
            {NAME: spread_name(cv) + EQUAL_V_TH, CV: None, "cv": cv, "equal_v_th": True}
            for cv in cvs[:2]
        ]
    found += [
        {NAME: f"{_SLOWER} {slower:g}", CV: None, "cv": cvs[1], "e_slower": slower}
        for slower in dict.fromkeys(options["e_slower"])
    ]
    found.append({NAME: NO_RECURRENCE, CV: None})
    if options["clustered"] != NONE:
        clusters = _clustered(options["clustered"], options["network"]["N"]).to_dict()
        names = (CLUSTERED, ONE, ONE_SAME)
        found += [{NAME: name, CV: None, "clustered": clusters} for name in names]
    return found


def spread_name(cv: float) -> str:
    """What the network is called whose tau_m have that coefficient of variation."""
    return f"tau_m cv {cv:g}" if cv else EQUAL


def _differ(spread: Any) -> bool:
    """Whether a parameter differs between neurons."""
    return isinstance(spread, dict) and spread["family"] != Constant.family


def run(point: Point, engine: "Engine") -> list[Row]:
    """The rows of one network on every task, with the primary readout."""
    from hrsnn_brian.evaluation.task_probe import TaskProbe
    from hrsnn_brian.network.build import drawn_network

    seed = point["seed"]
    drawn = drawn_network(json.dumps(point["network"]), seed)
    whole = compared(drawn, point)
    pruned: tuple[Network | None, str] | None = None
    recipe = recipe_named(point["pruned_by"]) if point["pruned_by"] != NONE else None
    if recipe is None or not whole.n_synapses:
        pruned, recipe = (whole, ""), None
    rows: list[Row] = []
    for shown in point["tasks"]:
        task = drawn_task(json.dumps(shown | {"seed": seed}))
        if recipe is not None and (pruned is None or prunes_for_a_task(recipe)):
            pruned = pruned_to(point, recipe, whole, TaskProbe(engine, seed, task=task))
        assert pruned is not None
        rows += _rows(point, drawn, *pruned, engine, task)
    return rows


def _rows(
    point: Point,
    drawn: "Network",
    pruned: "Network | None",
    note: str,
    engine: "Engine",
    task: "Task",
) -> list[Row]:
    """The row on one task, at the rate of the drawn network; without a score if there is none."""
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.evaluation.controls import TaskRate
    from hrsnn_brian.evaluation.evaluate import network_rows

    seed, readouts = point["seed"], task.readouts[:1]
    told = {CV: point[CV], "match": "bias", "note": note}
    told |= {name: point[name] for name in ("keep", "neuron_fraction")}
    if pruned is None:
        rows = [identity(point[NAME], seed=seed, task=task.name, readout=r) for r in readouts]
        return [row | told for row in rows]
    rate = TaskRate(engine, task, seed)
    network, why = rate.matched(pruned, task_rate(drawn, engine, task, seed))
    told["note"] = "; ".join(filter(None, [note, why and f"{RATE_MISSED}: {why}"]))
    told["memory_capacity"] = Measurements(engine, seed).memory_capacity(network)
    rows = network_rows(network, task, point[NAME], engine, seed, readouts)
    return [row | told for row in rows]


def compared(drawn: "Network", point: Point) -> "Network":
    """The network of a point, before it is pruned and its rate is matched."""
    from hrsnn_brian.evaluation.controls import with_membranes
    from hrsnn_brian.network.build import build_network

    seed = point["seed"]
    if point[NAME] == NO_RECURRENCE:
        return drawn.without_recurrence()
    if "clustered" not in point:
        found = _with_spread(drawn, point[CV] if point[CV] is not None else point["cv"], seed)
        if point.get("equal_v_th"):
            found = replace(found, v_th=_class_means(found.v_th, found.is_e))
        return _with_slower_e(found, point["e_slower"]) if "e_slower" in point else found
    clusters = build_network(HRSNNParams.from_dict(point["clustered"]), seed)
    if point[NAME] == CLUSTERED:
        return clusters
    one = build_network(HRSNNParams.from_dict(_of_one_cluster(point["clustered"])), seed)
    same = replace(one, tau_m=clusters.tau_m)
    return same if point[NAME] == ONE_SAME else with_membranes(same, one.tau_m, operation=ONE)


def _with_spread(drawn: "Network", cv: float, seed: int) -> "Network":
    """The network with gamma-distributed tau_m of that coefficient of variation, or equal ones."""
    from hrsnn_brian.evaluation.controls import homogeneous, with_membranes
    from hrsnn_brian.network.distributions import Gamma
    from hrsnn_brian.seeds import rng

    if cv == 0:
        return homogeneous(drawn)
    law = Gamma.from_cv(mean="20 ms", cv=cv, low="2 ms", high="300 ms")
    tau_m = law.sample(rng(seed, "network", "tau_m"), drawn.n_neurons)
    return with_membranes(drawn, tau_m, operation=spread_name(cv))


def _with_slower_e(network: "Network", slower: float) -> "Network":
    """The network with class means of tau_m in that ratio, excitatory over inhibitory."""
    is_e = network.is_e
    tau_m = network.tau_m * np.where(is_e, slower, 1.0) / _class_means(network.tau_m, is_e)
    return replace(network, tau_m=tau_m * network.tau_m.mean() / tau_m.mean())


def _class_means(values: "NDArray[np.float64]", is_e: "NDArray[np.bool_]") -> Any:
    """Of every neuron the mean of its class, (N,)."""
    means = values.copy()
    for members in (is_e, ~is_e):
        if members.any():
            means[members] = values[members].mean()
    return means


def _of_one_cluster(table: dict[str, Any]) -> dict[str, Any]:
    """The parameters with one cluster, and `tau_m` in place of a distribution for each."""
    graph, neuron = table["graph"] | {"clusters": 1}, dict(table["neuron"])
    neuron.pop("tau_m_clusters", None)
    return table | {"graph": graph, "neuron": neuron}


@dataclass(frozen=True)
class Comparison:
    """One network against another on the seeds they share.

    test: Holm-corrected over the comparisons of the task; None with fewer than two pairs.
    events: ratio of their mean synaptic events per sample, on these seeds. verdict: whether the
    first one scores better.
    """

    ours: str
    theirs: str
    test: PairedTest | None
    events: float | None
    verdict: str


def comparisons(scores: BySeed, events: BySeed, better: str) -> list[Comparison]:
    """Every spread against equal membranes, tau_m against v_th, and clusters against one."""
    spreads = [name for name in scores if name.startswith("tau_m cv") and "," not in name]
    pairs = [(name, EQUAL) for name in spreads]
    neither, first = EQUAL + EQUAL_V_TH, next(iter(spreads), EQUAL)
    pairs += [(first + EQUAL_V_TH, EQUAL), (first + EQUAL_V_TH, neither), (EQUAL, neither)]
    pairs += [(name, first) for name in scores if name.startswith(_SLOWER)]
    pairs += [(CLUSTERED, ONE), (CLUSTERED, ONE_SAME)]
    pairs = [pair for pair in pairs if scores.keys() >= {*pair}]
    values = {pair: paired(*(scores[name] for name in pair)) for pair in pairs}
    tests = compare_family({" - ".join(pair): two for pair, two in values.items() if two})
    needed = seeds_needed(comparisons=max(len(tests), 1))
    found = []
    for pair in pairs:
        test, spent = tests.get(" - ".join(pair)), paired(*(events[name] for name in pair))
        ratio = mean(spent[0]) / mean(spent[1]) if spent and any(spent[1]) else None
        found.append(Comparison(*pair, test, ratio, _verdict(test, better, needed)))
    return found


def _verdict(test: PairedTest | None, better: str, needed: int) -> str:
    if test is None or test.pairs < needed:
        return f"{NOT_TESTED}: {needed} paired seeds are needed"
    if test.favours(better):
        return HOLDS
    other = "lower" if better == "higher" else "higher"
    return f"{FAILS}, {REVERSED}" if test.favours(other) else FAILS


_TESTED = ("mean_difference", "p_t_holm", "p_wilcoxon_holm")


def summary(rows: Sequence[Row]) -> str:
    """Per task every network, then every comparison with its verdict."""
    table = Table(rows)
    blocks = []
    for task in dict.fromkeys(row["task"] for row in rows):
        score = table.schema.primary(task)
        if score is not None:
            mine = [row for row in named(table) if row["task"] == task]
            blocks += _blocks(mine, f"{task}, rates matched", score)
    seeds = len({row["seed"] for row in rows})
    note = "a comparison holds if the first one scores better, both paired tests below .05"
    return "\n\n".join([*blocks, f"mean and standard deviation over {seeds} seeds; {note}"])


def _blocks(rows: Sequence[Row], title: str, score: Column) -> list[str]:
    scores, rates, events = (by_seed(rows, NAME, c) for c in (score.name, "rate_hz", EVENTS))
    lines = [
        [
            name,
            found.count,
            mean(found.values()) if found else None,
            stdev(found.values()) if len(found) > 1 else None,
            *(mean(cost[name].values()) if cost[name] else None for cost in (rates, events)),
        ]
        for name, found in scores.items()
    ]
    header = ["network", "seeds", score.name, "sd", "rate_hz", EVENTS]
    networks = f"{title}{left_out(scores.values())}\n{text_table(lines, header)}"
    judged = [
        [
            f"{one.ours} against {one.theirs}",
            *(
                (t.mean_difference, t.p_t_holm, t.p_wilcoxon_holm)
                if (t := one.test)
                else [None] * 3
            ),
            one.events,
            one.verdict,
        ]
        for one in comparisons(scores, events, score.better)
    ]
    header = ["comparison", "difference", "p t (Holm)", "p W (Holm)", "events ratio", "verdict"]
    return [networks, text_table(judged, header)]


def _families(options: Options) -> tuple[int, int]:
    together = len(options["cvs"]) + len(options["e_slower"])
    together += 2 * (options["clustered"] != NONE)
    if options["thresholds"] and _differ(options["network"]["neuron"]["v_th"]):
        together += 3
    return together, together


STUDY = Study(
    name="heterogeneity",
    description="heterogeneous against equal membranes and clusters against one, at equal rate",
    points=points,
    run=run,
    options=HeterogeneityOptions,
    families=_families,
    presets={
        "quick": {},
        "paper": {
            "seeds": 12,
            "cvs": [0.58, 0.3, 0.8, 1.0],
            "e_slower": [2.5],
            "network": {"preset": "default"},
            "vpt_starts": 20,
            "short_tasks": False,
        },
    },
    figures=("heterogeneity",),
    summary=summary,
    columns=(
        Column(
            CV, "coefficient of variation of tau_m, empty if clusters meet", "1", role="identity"
        ),
    ),
)
