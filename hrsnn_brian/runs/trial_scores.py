"""What a trial of a search scores: its networks on the validation blocks of tasks."""

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.files.score import LOWER
from hrsnn_brian.runs.parallel import as_finished
from hrsnn_brian.runs.progress import EngineProgress, Lines
from hrsnn_brian.runs.provenance import cost_since
from hrsnn_brian.runs.run_directory import append_log
from hrsnn_brian.runs.tune_options import Point, TuneOptions
from hrsnn_brian.statistics.search import OBJECTIVE

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.forecast_task import ForecastTask
    from hrsnn_brian.tasks.image_task import ImageTask

_SMALLEST = 1e-3  # a score below counts as this: a prediction time of 0 has no logarithm
COSTS = ("rate_hz", "synaptic_ops_per_s")
Item = tuple[str, int]  # name of a task and seed of its network


@dataclass(frozen=True)
class TrialScores:
    """How every trial of a search is scored. tasks: their names. seed: of the first network.

    folder: of the run, whose log is told of compilations.
    """

    tasks: tuple[str, ...]
    options: TuneOptions
    seed: int
    device: str
    folder: Path

    def measured(self, point: Point, jobs: int) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Objective, and per task the mean score and its spread and costs; cost of the engine."""
        work = partial(
            _scored,
            parameters=json.dumps(self.options.params(point).to_dict()),
            options=json.dumps(self.options.to_dict()),
            device=self.device,
            folder=str(self.folder),
        )
        seeds = range(self.seed, self.seed + self.options.seeds)
        results = dict(as_finished(work, [(name, s) for name in self.tasks for s in seeds], jobs))
        engine = [result["engine"] for result in results.values()]
        return objective_of(results, self.tasks, seeds), engine


def objective_of(
    results: Mapping[Item, Mapping[str, Any]], tasks: Iterable[str], seeds: Iterable[int]
) -> dict[str, float]:
    """The objective, the mean over tasks of the log of the mean score (errors negated), and per
    task that score, its spread and costs.

    results: (task, seed) -> "score", "better" and `COSTS`.
    """
    found: dict[str, float] = {}
    terms = []
    for name in tasks:
        mine = [results[name, seed] for seed in seeds]
        scores = [result["score"] for result in mine]
        sign = -1.0 if mine[0]["better"] == LOWER else 1.0
        terms.append(sign * math.log(max(float(np.mean(scores)), _SMALLEST)))
        found[f"{name}/score"] = float(np.mean(scores))
        found[f"{name}/score_sd"] = float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
        for cost in COSTS:
            found[f"{name}/{cost}"] = float(np.mean([result[cost] for result in mine]))
    return {OBJECTIVE: float(np.mean(terms)), **found}


def named_validation_task(name: str, seed: int, options: TuneOptions) -> "ForecastTask | ImageTask":
    """The validation task of a task by name, with those of the options it has."""
    from hrsnn_brian.tasks.registry import get_task, task_options
    from hrsnn_brian.tasks.validation_task import validation_task

    known = task_options(name).keys().fields
    chosen = {key: getattr(options, key) for key in ("quick", "starts", "data") if key in known}
    return validation_task(get_task(name, seed, **chosen))


@cache
def engine_of(device: str, run: str) -> "Engine":
    """The engine of this process for a run, whose log is told of compilations."""
    from hrsnn_brian.simulation import Engine

    return Engine(device=device, on_progress=EngineProgress(Lines(partial(append_log, Path(run)))))


def _scored(
    item: Item,
    *,
    parameters: str,
    options: str,
    device: str,
    folder: str,
) -> tuple[Item, dict[str, Any]]:
    """One network on one task's validation block, in whatever process this is."""
    from hrsnn_brian.dynamics.cost import ActivityWarning
    from hrsnn_brian.evaluation.evaluate import evaluate
    from hrsnn_brian.network.build import drawn_network
    from hrsnn_brian.network.runaway import RunawayWarning

    name, seed = item
    engine = engine_of(device, folder)
    before = engine.stats.to_dict()
    with warnings.catch_warnings():
        for kind in (RunawayWarning, ActivityWarning):  # a bad trial shows in its score
            warnings.simplefilter("ignore", kind)
        network = drawn_network(parameters, seed)
        chosen = TuneOptions.from_dict(json.loads(options))
        task, readout = named_validation_task(name, seed, chosen), chosen.readout
        found = evaluate(network, task, engine=engine, seed=seed, readouts=readout, controls=False)
    score = next(score for score in found.scores().values() if score.primary)
    row = found.primary()
    return item, {
        "score": float(score.value),
        "better": score.better,
        **{cost: row[cost] for cost in COSTS},
        "engine": cost_since(before, engine.stats.to_dict()),
    }
