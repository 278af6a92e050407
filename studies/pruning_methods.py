"""Every pruning rule at equal numbers of neurons and synapses: scores, rates and operations.

A point is one rule, seed and size (see `rules`): it is pruned once and scored on every task, as it
is and with its mean rate brought back to that of the unpruned network. The unpruned network and
the control without recurrence stand beside the rules.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.runs.score_columns import with_units
from hrsnn_brian.runs.study import Options, Point, Study
from hrsnn_brian.runs.tables import Row, text_table
from hrsnn_brian.studies.rules import RULES, Rule, apply_rule, compared_at, get_rule

if TYPE_CHECKING:
    from hrsnn_brian.measurements import Measurements
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

FULL, BARE = "full", "no recurrence"
SCORES = {"mackey-glass-84": "nrmse_h84", "lorenz63-x": "vpt_lyapunov_times"}
# the networks of a row: as pruned, or turned to the rate of the unpruned one (see `match_rate`)
RAW = "none"
MATCHES = (RAW, "bias", "gain")
RATE_MISSED, SIZE_MISSED = "rate out of reach", "size out of reach"
# matched networks are scored with the primary readout alone: v shows the bias that was turned
PRIMARY = ("spikes",)


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, rule and fractions of synapses and neurons; full and bare once a seed."""
    _check(options)
    found: list[Point] = []
    shared = {name: options[name] for name in ("tasks", "match", "short_tasks", "network")}
    for number in range(options["seeds"]):
        base = {"seed": seed + number} | shared
        found += [
            base | {"rule": FULL, "keep": 1.0, "neurons": 1.0},
            base | {"rule": BARE, "keep": 0.0, "neurons": 1.0},
        ]
        found += [
            base | {"rule": rule, "keep": keep, "neurons": fraction}
            for fraction in options["neurons"]
            for rule in options["rules"]
            if compared_at(get_rule(rule), fraction)
            for keep in options["keep"]
        ]
    return found


def _check(options: Options) -> None:
    for rule in options["rules"]:
        get_rule(rule)
    for task in options["tasks"]:
        if task not in SCORES:
            raise unknown_name("task", task, SCORES)
    for match in options["match"]:
        if match not in MATCHES:
            raise unknown_name("match", match, MATCHES)
    for keep in options["keep"]:
        if not 0 < keep < 1:
            raise InputError("keep", keep, "must be in (0, 1)")
    for fraction in options["neurons"]:
        if not 0 < fraction <= 1:
            raise InputError("neurons", fraction, "must be in (0, 1], a fraction")
    if options["seeds"] < 1:
        raise InputError("seeds", options["seeds"], "must be at least 1")
    for rule in options["rules"]:
        if not any(compared_at(get_rule(rule), fraction) for fraction in options["neurons"]):
            where = "is not compared at these fractions of neurons; "
            raise InputError("rules", rule, where + "add 1.0 or one below it")


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per task, matching and readout."""
    from hrsnn_brian.measurements import Measurements
    from hrsnn_brian.tasks.registry import get_task

    seed = point["seed"]
    measure = Measurements(engine, seed)
    full = _network(json.dumps(point["network"]), seed)
    tasks = [get_task(name, seed, quick=point["short_tasks"]) for name in point["tasks"]]
    rows: list[Row] = []
    for task, pruned, note in _pruned(point, full, tasks, measure):
        for match in point["match"]:
            named = {"seed": seed, "task": task.name, "rule": point["rule"]}
            sizes = {"keep": point["keep"], "neuron_fraction": point["neurons"], "match": match}
            rows += _scored(pruned, task, match, note, full, measure, named | sizes)
    return rows


def _pruned(
    point: Point, full: "Network", tasks: "Sequence[Task]", measure: "Measurements"
) -> "Iterator[tuple[Task, Network | None, str]]":
    """Each task with its network and what is to be noted; one network unless the rule looks."""
    if point["rule"] in (FULL, BARE):
        network = full if point["rule"] == FULL else full.without_recurrence()
        yield from ((task, network, "") for task in tasks)
        return
    rule = get_rule(point["rule"])
    neurons = None if point["neurons"] == 1 else round(point["neurons"] * full.n_neurons)
    synapses = max(1, round(point["keep"] * full.n_synapses))
    found: tuple[Network | None, str] | None = None
    for task in tasks:
        if found is None or rule.of_task:
            found = _apply(full, rule, measure, synapses, neurons, task)
        yield task, *found


def _apply(
    full: "Network",
    rule: Rule,
    measure: "Measurements",
    synapses: int,
    neurons: int | None,
    task: "Task",
) -> "tuple[Network | None, str]":
    """The pruned network and a note; None where the neurons that stay have too few synapses."""
    try:
        return apply_rule(
            full, rule, measure=measure, synapses=synapses, neurons=neurons, task=task
        )
    except InputError as error:
        if error.argument != "synapses":
            raise
        return None, SIZE_MISSED


def _scored(
    pruned: "Network | None",
    task: "Task",
    match: str,
    note: str,
    full: "Network",
    measure: "Measurements",
    identity: Row,
) -> list[Row]:
    """Rows of one network on one task; without scores where size or rate are out of reach."""
    from hrsnn_brian.evaluation import READOUTS, network_rows

    readouts = READOUTS if match == RAW else PRIMARY
    network = pruned
    if pruned is not None and pruned is not full and match != RAW:
        network = _matched(pruned, match, full, measure)
        note = note if network else "; ".join(filter(None, [note, RATE_MISSED]))
    if network is None:
        return [identity | {"readout": readout, "note": note} for readout in readouts]
    dropped = ("task", "model", "keep")
    return [
        identity
        | {"readout": row["readout"], "note": note}
        | with_units({k: v for k, v in row.items() if k not in dropped}, task.unit)
        for row in network_rows(network, task, "network", measure.engine, measure.seed, readouts)
    ]


@lru_cache(maxsize=2)
def _network(parameters: str, seed: int) -> "Network":
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.parameters.model import HRSNNParams

    return build_network(HRSNNParams.from_dict(json.loads(parameters)), seed)


def _matched(
    network: "Network", knob: str, full: "Network", measure: "Measurements"
) -> "Network | None":
    """The network at the rate of the full one under white noise; None if it is out of reach."""
    from hrsnn_brian.sparsification.rate_match import match_rate

    try:
        return match_rate(network, measure.rate_hz(full), measure.rate_hz, knob=knob).network
    except InputError as error:
        if error.argument != "wanted_hz":
            raise
        return None


def summary(rows: Sequence[Row]) -> str:
    """Mean ± s.e.m. of score, rate and operations: one block per task, size and matching."""
    seen = [row for row in rows if row["readout"] == "spikes"]
    pruned = [row for row in seen if row["rule"] not in (FULL, BARE)]
    sizes = dict.fromkeys(tuple(row[c] for c in _BLOCK) for row in pruned)
    blocks = []
    for task, match, fraction, keep in sizes:
        here = (task, match)
        chosen = [
            row
            for row in seen
            if (row["task"], row["match"]) == here
            and (
                row["rule"] in (FULL, BARE)
                or (row["neuron_fraction"], row["keep"]) == (fraction, keep)
            )
        ]
        lines = [_line(chosen, rule, SCORES[task]) for rule in _rules(chosen)]
        title = f"{task}, keep {keep:g}, neurons {fraction:g}, {_MATCHED[match]}"
        header = ["rule", "seeds", SCORES[task], "rate_hz", _OPS]
        blocks.append(f"{title}\n{text_table(lines, header)}")
    seeds = len({row["seed"] for row in seen})
    return "\n\n".join([*blocks, f"mean ± s.e.m. over {seeds} seeds; readout: spikes and input"])


_BLOCK = ("task", "match", "neuron_fraction", "keep")
_MATCHED = {RAW: "as pruned", "bias": "rate matched by bias", "gain": "rate matched by gain"}
_OPS = "synaptic_ops_per_s"


def _rules(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(str(row["rule"]) for row in rows))


def _line(rows: Sequence[Row], rule: str, score: str) -> list[Any]:
    """A rule's means over the seeds that have a score at the size asked for."""
    of_rule = [r for r in rows if r["rule"] == rule and not r["note"]]
    spreads = [_spread([row.get(column) for row in of_rule]) for column in (score, "rate_hz", _OPS)]
    return [rule, len(of_rule), *spreads]


def _spread(values: Sequence[Any]) -> str:
    numbers = [float(value) for value in values if value is not None]
    if len(numbers) < 2:
        return f"{numbers[0]:.3g}" if numbers else "-"
    return f"{mean(numbers):.3g} ± {stdev(numbers) / len(numbers) ** 0.5:.2g}"


STUDY = Study(
    name="pruning_methods",
    description="every pruning rule at equal numbers of neurons and synapses, on two tasks that "
    "need memory",
    points=points,
    run=run,
    presets={
        "quick": {
            "seeds": 3,
            "tasks": list(SCORES),
            "rules": list(RULES),
            "keep": [0.1, 0.05],
            "neurons": [1.0, 0.6],
            "match": [RAW, "bias"],
            "short_tasks": True,
            "network": {"preset": "default", "set": ["N=250"]},
        },
        "paper": {
            "seeds": 10,
            "tasks": list(SCORES),
            "rules": list(RULES),
            "keep": [0.2, 0.1, 0.05, 0.02],
            "neurons": [1.0, 0.6],
            "match": [RAW, "bias"],
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    summary=summary,
)
