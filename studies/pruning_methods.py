"""Every pruning rule at equal numbers of neurons and synapses: scores, rates and operations.

A point is one rule, seed and size (see `rules`): it is pruned once and scored on every task, as it
is and with its mean rate brought back to that of the unpruned network. The unpruned network and
the control without recurrence stand beside the rules.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import NAME, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.runs.study import Options, Point, Study
from hrsnn_brian.statistics.paired_seeds import by_seed, spread
from hrsnn_brian.studies.option_checks import check_fractions, check_least, check_names
from hrsnn_brian.studies.rule_scores import BARE, FULL, MATCHES, RAW, TASKS, scored_rows
from hrsnn_brian.studies.rules import COMPARED, compared_at, compared_recipe

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, rule and fractions of synapses and neurons; full and bare once a seed.

    A rule has no point at fractions of neurons where it is not compared (see `compared_at`).
    """
    _check(options)
    found: list[Point] = []
    names = ("tasks", "match", "vpt_starts", "short_tasks", "network")
    shared = {name: options[name] for name in names}
    for number in range(options["seeds"]):
        base = {"seed": seed + number} | shared
        found += [
            base | {"rule": FULL, "keep": 1.0, "neuron_fraction": 1.0},
            base | {"rule": BARE, "keep": 0.0, "neuron_fraction": 1.0},
        ]
        found += [
            base | {"rule": rule, "keep": keep, "neuron_fraction": fraction}
            for fraction in options["neuron_fraction"]
            for rule in options["rules"]
            if compared_at(rule, fraction)
            for keep in options["keep"]
        ]
    return found


def _check(options: Options) -> None:
    check_names(options, "rules", "rule", COMPARED)
    check_names(options, "tasks", "task", TASKS)
    check_names(options, "match", "match", MATCHES)
    check_fractions(options, "keep", below_one=True)
    check_fractions(options, "neuron_fraction")
    check_least(options, seeds=1, vpt_starts=1)
    fractions = options["neuron_fraction"]
    if not any(compared_at(rule, f) for rule in options["rules"] for f in fractions):
        what = "none of them is compared at these fractions of neurons; add 1.0 or one below it"
        raise InputError("rules", ", ".join(options["rules"]), what)


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per task, matching and readout."""
    from hrsnn_brian.evaluation.evaluate import READOUTS

    rule = None if point["rule"] in (FULL, BARE) else compared_recipe(point["rule"])
    return scored_rows(point, rule, engine, READOUTS)


def summary(rows: Sequence[Row]) -> str:
    """Mean ± s.e.m. of score, rate and operations: one block per task, size and matching."""
    table = Table(rows)
    seen = [row for row in named(table) if row["readout"] == "spikes"]
    pruned = [row for row in seen if row["recipe"]]
    sizes = dict.fromkeys(tuple(row[c] for c in _BLOCK) for row in pruned)
    blocks = []
    for task, match, fraction, keep in sizes:
        here = (task, match)
        chosen = [
            row
            for row in seen
            if (row["task"], row["match"]) == here
            and (not row["recipe"] or (row["neuron_fraction"], row["keep"]) == (fraction, keep))
        ]
        score = table.schema.primary(task)
        if score is None:
            continue
        lines = [_line(chosen, name, score.name) for name in _names(chosen)]
        size = f"{100 * keep:g} % of the synapses, {100 * fraction:g} % of the neurons"
        title = f"{task}, {size}, {_MATCHED[match]}"
        header = ["recipe", "seeds", score.name, "rate_hz", _OPS]
        blocks.append(f"{title}\n{text_table(lines, header)}")
    seeds = len({row["seed"] for row in seen})
    return "\n\n".join([*blocks, f"mean ± s.e.m. over {seeds} seeds; readout: spikes and input"])


_BLOCK = ("task", "match", "neuron_fraction", "keep")
_MATCHED = {RAW: "as pruned", "bias": "rate matched by bias", "gain": "rate matched by gain"}
_OPS = "synaptic_ops_per_s"


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(str(row[NAME]) for row in rows))


def _line(rows: Sequence[Row], name: str, score: str) -> list[Any]:
    """A recipe's means over the seeds that have a score at the size asked for."""
    own = [r for r in rows if r[NAME] == name and not r["note"]]
    columns = (by_seed(own, NAME, column) for column in (score, "rate_hz", _OPS))
    spreads = [spread(found.get(name, {}).values()) for found in columns]
    return [name, len(own), *spreads]


STUDY = Study(
    name="pruning_methods",
    description="every pruning rule at equal numbers of neurons and synapses, on two tasks that "
    "need memory",
    points=points,
    run=run,
    presets={
        "quick": {
            "seeds": 3,
            "tasks": list(TASKS),
            "rules": list(COMPARED),
            "keep": [0.1, 0.05],
            "neuron_fraction": [1.0, 0.6],
            "match": [RAW, "bias"],
            "vpt_starts": 10,
            "short_tasks": True,
            "network": {"preset": "default", "set": ["N=250"]},
        },
        "paper": {
            "seeds": 10,
            "tasks": list(TASKS),
            "rules": list(COMPARED),
            "keep": [0.2, 0.1, 0.05, 0.02],
            "neuron_fraction": [1.0, 0.6],
            "match": [RAW, "bias"],
            "vpt_starts": 30,
            "short_tasks": False,
            "network": {"preset": "default"},
        },
    },
    figures=("pruning_methods",),
    summary=summary,
)
