"""Every pruning rule at equal numbers of synapses: scores, rates and operations, seed by seed.

A rule is a method with its rounds, compensation and options; the names of `RULES` say which. All
neurons stay. A point is one rule, task and seed at one size; the unpruned network and the control
without recurrence stand beside them.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.runs.score_columns import with_units
from hrsnn_brian.runs.study import Options, Point, Study
from hrsnn_brian.runs.tables import Row, text_table

if TYPE_CHECKING:
    import numpy as np

    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

# name: (method, rounds, compensation, options)
RULES: dict[str, tuple[str, int, str | None, dict[str, str]]] = {
    "random, raw": ("random", 1, "none", {}),
    "random, variance": ("random", 1, "variance", {}),
    "magnitude, raw": ("magnitude", 1, "none", {}),
    "magnitude, row .5": ("magnitude", 1, "row 0.5", {}),
    "magnitude, row .5, 8 rounds": ("magnitude", 8, "row 0.5", {}),
    "magnitude in class, row .5, 8 rounds": ("magnitude", 8, "row 0.5", {"within": "class"}),
    "magnitude, variance, 8 rounds": ("magnitude", 8, "variance", {}),
    "sampling by |w|, row .5, 8 rounds": ("magnitude", 8, "row 0.5", {"selection": "fixed"}),
    "noise, literal": ("noise", 1, "literal", {}),
    "noise, row .5, 8 rounds": ("noise", 8, "row 0.5", {}),
    "noise top, variance, 8 rounds": ("noise", 8, "variance", {"selection": "top"}),
    "noise shuffled, row .5, 8 rounds": ("noise-shuffled", 8, "row 0.5", {}),
    "class rewired, row .5, 8 rounds": ("class-rewired", 8, "row 0.5", {}),
    "fresh": ("fresh", 1, None, {}),
}
FULL, BARE = "full", "no recurrence"
SCORES = {"mackey-glass-84": "nrmse_h84", "lorenz63-x": "vpt_lyapunov_times"}


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, task, rule and fraction kept; full and bare networks once per task."""
    _check(options)
    found: list[Point] = []
    for number in range(options["seeds"]):
        for task in options["tasks"]:
            base = {"seed": seed + number, "task": task, "short_tasks": options["short_tasks"]}
            base["network"] = options["network"]
            found += [base | {"rule": FULL, "keep": 1.0}, base | {"rule": BARE, "keep": 0.0}]
            found += [
                base | {"rule": rule, "keep": keep}
                for rule in options["rules"]
                for keep in options["keep"]
            ]
    return found


def _check(options: Options) -> None:
    for rule in options["rules"]:
        if rule not in RULES:
            raise unknown_name("rule", rule, RULES)
    for task in options["tasks"]:
        if task not in SCORES:
            raise unknown_name("task", task, SCORES)
    for keep in options["keep"]:
        if not 0 < keep < 1:
            raise InputError("keep", keep, "must be in (0, 1)")
    if options["seeds"] < 1:
        raise InputError("seeds", options["seeds"], "must be at least 1")


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per readout."""
    from hrsnn_brian.evaluation import network_rows
    from hrsnn_brian.tasks.registry import get_task

    seed = point["seed"]
    task = get_task(point["task"], seed, quick=point["short_tasks"])
    network = _network(json.dumps(point["network"]), seed)
    if point["rule"] == BARE:
        network = network.without_recurrence()
    elif point["rule"] != FULL:
        network = _pruned(json.dumps(point["network"]), seed, point["rule"], point["keep"], engine)
    identity = {"seed": seed, "task": point["task"], "rule": point["rule"], "keep": point["keep"]}
    rows = network_rows(network, task, "network", engine, seed)
    dropped = ("task", "model", "keep")
    return [
        identity | with_units({k: v for k, v in row.items() if k not in dropped}, task.unit)
        for row in rows
    ]


@lru_cache(maxsize=2)
def _network(parameters: str, seed: int) -> "Network":
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.parameters.model import HRSNNParams

    return build_network(HRSNNParams.from_dict(json.loads(parameters)), seed)


@lru_cache(maxsize=4)
def _pruned(parameters: str, seed: int, rule: str, keep: float, engine: "Engine") -> "Network":
    from hrsnn_brian.measurements import noise_covariance
    from hrsnn_brian.sparsification.budget import resolve_budget
    from hrsnn_brian.sparsification.methods import prune

    method, rounds, compensation, options = RULES[rule]
    network = _network(parameters, seed)

    def covariance(current: "Network") -> "np.ndarray":
        return noise_covariance(current, engine, seed)

    return prune(
        network,
        method,
        resolve_budget(network, keep),
        seed,
        rounds=rounds,
        compensation=compensation,
        options=options,
        covariance=covariance,
    )


def summary(rows: Sequence[Row]) -> str:
    """Mean ± s.e.m. of the primary score, rate and operations, one block per task and size."""
    seen = [row for row in rows if row["readout"] == "spikes"]
    blocks = []
    for task in dict.fromkeys(row["task"] for row in seen):
        for keep in sorted({row["keep"] for row in seen if 0 < row["keep"] < 1}, reverse=True):
            chosen = [r for r in seen if r["task"] == task and r["keep"] in (keep, 0.0, 1.0)]
            lines = [_line(chosen, rule, SCORES[task]) for rule in _rules(chosen)]
            header = ["rule", SCORES[task], "rate_hz", "synaptic_ops_per_s"]
            blocks.append(f"{task}, keep {keep:g}\n{text_table(lines, header)}")
    seeds = len({row["seed"] for row in seen})
    return "\n\n".join([*blocks, f"mean ± s.e.m. over {seeds} seeds; readout: spikes and input"])


def _rules(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(str(row["rule"]) for row in rows))


def _line(rows: Sequence[Row], rule: str, score: str) -> list[Any]:
    of_rule = [row for row in rows if row["rule"] == rule]
    return [rule, *(_spread([r[c] for r in of_rule]) for c in (score, "rate_hz", _OPS))]


_OPS = "synaptic_ops_per_s"


def _spread(values: Sequence[Any]) -> str:
    numbers = [float(value) for value in values if value is not None]
    if len(numbers) < 2:
        return f"{numbers[0]:.3g}" if numbers else "-"
    return f"{mean(numbers):.3g} ± {stdev(numbers) / len(numbers) ** 0.5:.2g}"


STUDY = Study(
    name="pruning_methods",
    description="every pruning rule at equal numbers of synapses, on two tasks that need memory",
    points=points,
    run=run,
    presets={
        "quick": {
            "seeds": 3,
            "tasks": list(SCORES),
            "rules": list(RULES),
            "keep": [0.1, 0.05],
            "short_tasks": True,
            "network": {"preset": "default", "set": ["N=250"]},
        },
        "paper": {
            "seeds": 10,
            "tasks": list(SCORES),
            "rules": list(RULES),
            "keep": [0.2, 0.1, 0.05, 0.02],
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    summary=summary,
)
