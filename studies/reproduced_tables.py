"""What the study reproduce files beside its scores, each a table of its own.

dynamics          per seed and recipe: every measure of `dynamics.measures` of its network
pruning_history   per iteration of a recipe that watches its stability: what it measured, and the
                  score of the network of that iteration on the first task
and of the first seed alone, to draw pictures from:
eigenvalues       all of A = -D + D W, with the participation ratio of each
free_runs         a prediction that feeds itself, true and predicted: of the starts that are
                  scored, the one of median valid time
state_components  states under one input on their two leading components, along the pruning
neurons, synapses the network before and after
timescale_search  every trial of the search of time constants

A recipe that prunes for a task makes several networks; these tables are of that for the first one.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.dynamics.measures import COLUMNS as MEASURED
from hrsnn_brian.dynamics.measures import Lengths, dynamics_row
from hrsnn_brian.files.columns import FULL, PRUNED, Column, identity
from hrsnn_brian.files.score import Score
from hrsnn_brian.files.tables import Row
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import prunes_for_a_task
from hrsnn_brian.runs.study import TABLE, Point
from hrsnn_brian.studies.recipe_scores import BARE, PRIMARY
from hrsnn_brian.studies.task_points import task_of

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.pruning.prune import Rounds
    from hrsnn_brian.simulation import Engine

SCORES, DYNAMICS, HISTORY = "pruning_methods", "dynamics", "pruning_history"
TABLES = (
    *(SCORES, DYNAMICS, HISTORY, "eigenvalues", "free_runs", "state_components"),
    *("neurons", "synapses", "timescale_search"),
)
COLUMNS = (
    *MEASURED,
    Column("neuron", "number of the neuron before pruning", "1", role="identity"),
    Column("pre", "the neuron that sends, its number before pruning", "1", role="identity"),
    Column("post", "the neuron that receives, its number before pruning", "1", role="identity"),
    Column("class", "E, excitatory, or I, inhibitory", role="identity"),
    Column("cluster", "number of its cluster", "1", role="identity"),
    Column("tau_m_ms", "membrane time constant", "ms"),
    Column("weight", "of the synapse, in mean thresholds", "1"),
    Column("mode", "number of the eigenvalue, largest real part first", "1", role="identity"),
    Column("real_per_s", "real part of an eigenvalue of -D + D W", "1/s"),
    Column("imag_per_s", "imaginary part of it", "1/s"),
    Column("trial", "number of the trial, the present distributions first", "1", role="identity"),
    Column("objective", "what the search maximises; empty if the trial failed", "1/s"),
    Column("sample", "number of the sample shown", "1", role="identity"),
    Column("pc_1", "states on their leading principal component", "1"),
    Column("pc_2", "states on their second principal component", "1"),
    Column("explained_1", "share of the variance on the leading component", "1"),
    Column("explained_2", "share of the variance on the second component", "1"),
    Column("start", "number of the start, in the order of the series", "1", role="identity"),
    Column("starts", "starts that are scored", "1"),
    Column("time", "since the prediction began to feed itself", "see unit"),
    Column("unit", "unit of the times of the row", role="note"),
    Column("truth", "what the series did", "training s.d."),
    Column("predicted", "what was predicted", "training s.d."),
    Column("valid", "valid prediction time of this run", "see unit"),
)

_LENGTHS = Lengths(noise_seconds=20.0, exponents=8, exponent_seconds=2.0, segments=2)
_OF_ITERATION = (
    *("iteration", "rate_hz", "lambda_1_per_s", "lambda_1_error_per_s", "lambda_common_per_s"),
    *("input_echo", "spectral_abscissa_per_s", "participation_ratio", "memory_capacity"),
    *("synaptic_ops_per_s", "added"),
)
_STABILITY = (
    *("lambda_1_per_s", "lambda_1_error_per_s", "growth_per_s", "input_echo", "input_echo_se"),
    *("lambda_common_per_s", "lambda_common_error_per_s"),
    *("growth_common_per_s", "growth_common_error_per_s"),
)
_SNAPSHOTS, _STATES = 4, 400  # iterations and samples that states are shown of


class Watched:
    """A point while it is computed, and what its tables then hold.

    describe: for `scored_rows`; measures the first network it is shown. rounds: where its
    iterations are kept, None for recipes that have none of interest.
    """

    def __init__(self, point: Point, recipe: Recipe | None, engine: "Engine", work: Path) -> None:
        self.point, self.engine, self.work = point, engine, work
        self.network: Network | None = None
        self.measured: Row = {}
        self.iterated = (
            recipe is not None and recipe.stability is not None and not prunes_for_a_task(recipe)
        )

    @property
    def rounds(self) -> "Rounds | None":
        from hrsnn_brian.pruning.prune import Rounds

        return Rounds(work=self.work) if self.iterated else None

    def describe(self, network: "Network", measure: "Measurements") -> Row:
        """The columns of stability, of the first network; none of those for further tasks, and of
        that without recurrence."""
        if self.network is not None or self.point["recipe"] == BARE:
            return {}
        self.network = network
        self.measured = dynamics_row(network, measure, _LENGTHS)
        return {name: self.measured[name] for name in _STABILITY if name in self.measured}

    def rows(self) -> list[Row]:
        """Those of all tables but the scores, once the point is scored."""
        if self.network is None:
            return []
        found = [{TABLE: DYNAMICS, **self._identity(self.network), **self.measured}]
        if self.iterated:
            found += self._history()
        if self.point["pictured"]:
            found += [
                {TABLE: table, **self._identity(self.network), **row}
                for table, rows in self._pictures(self.network)
                for row in rows
            ]
        return found

    def _identity(self, network: "Network", **more: Any) -> Row:
        made = self.point["recipe"] != FULL
        return identity(
            PRUNED if made else FULL,
            recipe=self.point["recipe"] if made else "",
            neurons=network.n_neurons,
            synapses=network.n_synapses,
            keep=self.point["keep"],
            neuron_fraction=self.point["neuron_fraction"],
            seed=self.point["seed"],
            **more,
        )

    def _task(self, number: int = 0) -> Any:
        return task_of(self.point["tasks"][number] | {"seed": self.point["seed"]})

    def _iterations(self) -> "Iterator[tuple[Row, Network]]":
        """What was measured of every iteration, and its network."""
        from hrsnn_brian.network.io import load_network

        for path in sorted(self.work.glob("iteration-*.json")):
            yield json.loads(path.read_text()), load_network(path.with_suffix(".npz"))

    def _history(self) -> Iterator[Row]:
        from hrsnn_brian.evaluation.evaluate import network_rows

        task, seed = self._task(), self.point["seed"]
        for told, network in self._iterations():
            (scored,) = network_rows(network, task, PRUNED, self.engine, seed, PRIMARY)
            (score,) = (v for v in scored.values() if isinstance(v, Score) and v.primary)
            row = self._identity(network, task=task.name, readout=PRIMARY[0])
            told = {name: told[name] for name in _OF_ITERATION if name in told}
            yield {TABLE: HISTORY, **row, **told, score.name: score}

    def _pictures(self, network: "Network") -> Iterator[tuple[str, list[Row]]]:
        yield "eigenvalues", _eigenvalues(network)
        yield "neurons", _neurons(network)
        yield "synapses", _synapses(network)
        for number, shown in enumerate(self.point["tasks"]):
            task = self._task(number)
            if getattr(task, "vpt", None) is not None:
                yield "free_runs", [{"task": shown["task"], **row} for row in self._free(task)]
                break
        if self.iterated:
            yield "state_components", list(self._components())
            yield "timescale_search", list(_trials(self.work))

    def _free(self, task: Any) -> list[Row]:
        """The run of median valid prediction time."""
        from hrsnn_brian.evaluation.free_run import free_run

        assert self.network is not None
        found = free_run(self.network, task, self.engine, self.point["seed"])
        k = int(found.valid.argsort(kind="stable")[len(found.valid) // 2])
        start = int(found.starts[k])
        truth, predicted = task.truth[start : start + found.steps, 0], found.predicted[k, :, 0]
        return [
            {
                "start": k + 1,
                "starts": len(found.starts),
                "time": step / found.steps_per_unit,
                "unit": found.unit,
                "truth": float(true),
                "predicted": float(said),
                "valid": float(found.valid[k]),
            }
            for step, (true, said) in enumerate(zip(truth, predicted, strict=True))
        ]

    def _components(self) -> Iterator[Row]:
        """States under the first task's input, of iterations from the first to the last."""
        from hrsnn_brian.dynamics.activity import principal_components
        from hrsnn_brian.dynamics.probe import filtered_rates
        from hrsnn_brian.evaluation.present import present

        every = list(self._iterations())
        task, last = self._task(), len(every) - 1
        unpruned = None
        for k in sorted({round(j * last / (_SNAPSHOTS - 1)) for j in range(_SNAPSHOTS)}):
            network = every[k][1]
            shown = present(self.engine, network, task, self.point["seed"])
            on, share = principal_components(filtered_rates(network, shown)[:_STATES], 2)
            unpruned = on if unpruned is None else unpruned
            on = on * np.sign((on * unpruned).sum(axis=0))  # the sign of a component means nothing
            for sample, (one, two) in enumerate(on):
                yield {
                    "neurons": network.n_neurons,
                    "synapses": network.n_synapses,
                    "iteration": k,
                    "sample": sample,
                    "pc_1": float(one),
                    "pc_2": float(two),
                    "explained_1": float(share[0]),
                    "explained_2": float(share[1]),
                }


def _eigenvalues(network: "Network") -> list[Row]:
    from hrsnn_brian.dynamics.eigenmodes import leading_modes, linearised, participation_ratio
    from hrsnn_brian.dynamics.portrait import MODES

    count = None if network.n_neurons <= MODES else MODES // 4
    values, vectors = leading_modes(linearised(network.W, network.tau_m), count)
    return [
        {"mode": k, "real_per_s": value.real, "imag_per_s": value.imag, "participation_ratio": p}
        for k, (value, p) in enumerate(
            zip(values.tolist(), participation_ratio(vectors).tolist(), strict=True), 1
        )
    ]


def _neurons(network: "Network") -> list[Row]:
    columns = (network.neuron_id, network.is_e, network.cluster, 1e3 * network.tau_m)
    return [
        {"neuron": int(k), "class": "E" if e else "I", "cluster": int(c), "tau_m_ms": float(t)}
        for k, e, c, t in zip(*columns, strict=True)
    ]


def _synapses(network: "Network") -> list[Row]:
    W, names = network.W.tocoo(), network.neuron_id
    return [
        {"pre": int(names[j]), "post": int(names[i]), "weight": float(w)}
        for i, j, w in zip(W.row, W.col, W.data, strict=True)
    ]


def _trials(work: Path) -> Iterator[Row]:
    """Of every search of time constants; a trial that failed has no objective."""
    for path in sorted(work.glob("timescales-*.jsonl")):
        _, *lines = path.read_text().splitlines()
        for told in map(json.loads, lines):
            measures = {k: math.nan if v is None else v for k, v in told["measures"].items()}
            yield {
                "iteration": int(path.stem.rsplit("-", 1)[1]),
                "trial": told["number"],
                **measures,
            }
