"""Heterogeneous against equal membranes, and clusters against one: at equal size and equal rate.

Of one drawn network the membrane time constants alone are exchanged, for gamma-distributed ones of
several coefficients of variation and for equal ones, class means kept. A clustered network (CHRSNN)
meets one cluster of as many neurons and synapses, once with one gamma distribution and once with
its very membranes, so that wiring is told from time constants. All fire as the drawn network does
while training input of the task is shown, by one offset of all biases.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import NAME, Column, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.report.judge import FAILS, HOLDS, NOT_TESTED, REVERSED
from hrsnn_brian.runs.options import Options, StudyNetwork, StudyOptions, Tasks
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, OptionalText, Real, Text, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.statistics.comparison import PairedTest, compare_family, seeds_needed
from hrsnn_brian.statistics.paired_seeds import BySeed, by_seed, left_out, paired
from hrsnn_brian.studies.recipe_scores import RATE_MISSED
from hrsnn_brian.studies.task_points import shown_tasks, task_of

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

EQUAL = "homogeneous"
CLUSTERED, ONE, ONE_SAME = "clustered", "one cluster", "one cluster, same tau_m"
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
    network: StudyNetwork = StudyNetwork("default", "N=100").about("whose tau_m are exchanged")
    clustered: Text = Text("chrsnn").about(
        "preset or FILE.toml of the clustered network, at the N of the other one"
    )
    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, of tasks that have them")
    short_tasks: Flag = Flag(True).about("shorter series and fewer images, for a first look")
    data: OptionalText = OptionalText().about("where the images are, of sets that come in files")

    def __post_init__(self) -> None:
        graph = _clustered(self.clustered, self.network.N).graph
        if graph.kind != "clustered" or graph.clusters < 2:
            what = f"has {graph.clusters} cluster of kind {graph.kind}; two clusters are needed"
            raise InputError("clustered", self.clustered, what)


def _clustered(preset: str, size: int) -> HRSNNParams:
    return load_preset(preset, [f"N={size}"])


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, task and network."""
    clusters = _clustered(options["clustered"], options["network"]["N"]).to_dict()
    cvs = dict.fromkeys((0.0, *options["cvs"]))
    networks: list[dict[str, Any]] = [{NAME: _spread(cv), CV: cv} for cv in cvs]
    networks += [
        {NAME: name, CV: None, "clustered": clusters} for name in (CLUSTERED, ONE, ONE_SAME)
    ]
    return [
        {"seed": seed + number, "network": options["network"], **task, **network}
        for number in range(options["seeds"])
        for task in shown_tasks(options["tasks"], options)
        for network in networks
    ]


def _spread(cv: float) -> str:
    return f"tau_m cv {cv:g}" if cv else EQUAL


def run(point: Point, engine: "Engine") -> list[Row]:
    """The row of one network on one task, with the primary readout."""
    from hrsnn_brian.evaluation.controls import TaskRate
    from hrsnn_brian.evaluation.evaluate import network_rows
    from hrsnn_brian.network.build import build_network

    seed, task = point["seed"], task_of(point)
    drawn = build_network(HRSNNParams.from_dict(point["network"]), seed)
    rate = TaskRate(engine, task, seed)
    network, why = rate.matched(compared(drawn, point), rate(drawn))
    told = {"match": "bias", "note": why and f"{RATE_MISSED}: {why}", CV: point[CV]}
    rows = network_rows(network, task, point[NAME], engine, seed, task.readouts[:1])
    return [row | told for row in rows]


def compared(drawn: "Network", point: Point) -> "Network":
    """The network of a point, before its rate is matched."""
    from hrsnn_brian.evaluation.controls import homogeneous, with_membranes
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.distributions import Gamma
    from hrsnn_brian.seeds import rng

    seed = point["seed"]
    if point[CV] == 0:
        return homogeneous(drawn)
    if point[CV] is not None:
        law = Gamma.from_cv(mean="20 ms", cv=point[CV], low="2 ms", high="300 ms")
        tau_m = law.sample(rng(seed, "network", "tau_m"), drawn.n_neurons)
        return with_membranes(drawn, tau_m, operation=point[NAME])
    clusters = build_network(HRSNNParams.from_dict(point["clustered"]), seed)
    if point[NAME] == CLUSTERED:
        return clusters
    one = build_network(HRSNNParams.from_dict(_of_one_cluster(point["clustered"])), seed)
    same = replace(one, tau_m=clusters.tau_m)
    return same if point[NAME] == ONE_SAME else with_membranes(same, one.tau_m, operation=ONE)


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
    """Every spread against equal membranes, and the clustered network against one cluster."""
    pairs = [(name, EQUAL) for name in scores if name.startswith("tau_m cv")]
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
    together = len(options["cvs"]) + 2
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
            "cvs": [0.3, 0.58, 0.8, 1.0],
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
