"""A search for the maximum of an expensive, noisy function, resumable from its log.

`propose` is the ask: the next point is a function of the seed and of the evaluations so far, and of
nothing else. `maximise` evaluates, logs and repeats. So a search that was killed continues from
its log to the very points an uninterrupted one would have tried. Points live in the unit cube.
"""

import hashlib
import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.atomic import write_text
from hrsnn_brian.statistics.designs import SOBOL, unit_points

Floats = NDArray[np.float64]
Measures = Mapping[str, float]

SEARCHES = {
    "bayesian": "Gaussian process and upper confidence bound (bayesian-optimization)",
    SOBOL: "scrambled Sobol points, no learning: the control at equal cost",
}
OBJECTIVE = "objective"
_FORMAT = "hrsnn-search/1"
# Standard deviation of the objective's noise, of the spread of its values. [our choice]
_NOISE = 0.1


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: the point (d,) of the unit cube and all that was measured there.

    `measures` holds at least "objective"; an objective that is not finite is a failure.
    """

    point: tuple[float, ...]
    measures: Measures

    @property
    def objective(self) -> float:
        """The value to be maximised, -inf for a failed evaluation."""
        value = self.measures[OBJECTIVE]
        return value if math.isfinite(value) else -math.inf


@dataclass(frozen=True)
class Search:
    """How a search is run.

    trials: evaluations in all. seed: of the proposals. method: see `SEARCHES`. log: a file with a
    header and one JSON line per evaluation, written whole and atomically after each; evaluations
    it holds are taken from there, without a call. settings: JSON-able, what else the numbers
    depend on; it goes into the header, so that a log is not taken for another's.

    Raises InputError for numbers out of range or an unknown method.
    """

    trials: int
    seed: int = 0
    method: str = "bayesian"
    log: Path | str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise InputError("trials", self.trials, "must be at least 1")
        if self.seed < 0:
            raise InputError("seed", self.seed, "must be a whole number >= 0")
        if self.method not in SEARCHES:
            raise unknown_name("search", self.method, SEARCHES)


def propose(
    history: Sequence[Evaluation],
    dimensions: int,
    seed: int,
    method: str = "bayesian",
    initial: int | None = None,
) -> tuple[float, ...]:
    """The next point (d,) of [0, 1]^d to evaluate, given all evaluations so far.

    The first `initial` (default d + 2) points are Sobol's, and all are with method "sobol". After
    that the Gaussian process of bayesian-optimization is fitted to the history anew; a failed
    evaluation counts there as the worst one that did not fail.

    Raises InputError for an unknown method.
    """
    if method not in SEARCHES:
        raise unknown_name("search", method, SEARCHES)
    number = len(history)
    first = dimensions + 2 if initial is None else initial
    usable = [e.objective for e in history if e.objective > -math.inf]
    if method == SOBOL or number < first or not usable:
        return _sobol_point(number, dimensions, seed)
    from bayes_opt import BayesianOptimization

    names = [f"x{k:03d}" for k in range(dimensions)]
    digest = hashlib.sha256(f"{seed}/{number}".encode()).digest()
    optimiser = BayesianOptimization(
        f=None,
        pbounds=dict.fromkeys(names, (0.0, 1.0)),
        random_state=int.from_bytes(digest[:4], "little"),
        allow_duplicate_points=True,
        verbose=0,
    )
    optimiser.set_gp_params(alpha=_NOISE**2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's fit at the ends of its range
        for evaluation in history:
            target = max(evaluation.objective, min(usable))
            optimiser.register(dict(zip(names, evaluation.point, strict=True)), target)
        found = optimiser.suggest()
    return tuple(float(found[name]) for name in names)


def _sobol_point(number: int, dimensions: int, seed: int) -> tuple[float, ...]:
    return tuple(float(x) for x in unit_points(SOBOL, number + 1, dimensions, seed)[-1])


def maximise(
    function: Callable[[tuple[float, ...]], Measures],
    dimensions: int,
    search: Search,
    start: tuple[float, ...] | None = None,
    on_trial: Callable[[Sequence[Evaluation]], None] = lambda history: None,
) -> tuple[Evaluation, ...]:
    """Evaluate `function` as often as `search` says, learning from each; all, in order.

    function: point of the unit cube -> measures, "objective" (to be maximised) among them. start:
    evaluated first, if given. on_trial: told all evaluations so far, those of the log at the
    beginning and all again after each new one.

    Raises InputError for fewer dimensions than one, and a log that belongs to another search or
    cannot be read. An error of `function` ends the search; what was logged stays.
    """
    if dimensions < 1:
        raise InputError("dimensions", dimensions, "must be at least 1")
    header = {
        "format": _FORMAT,
        "method": search.method,
        "seed": search.seed,
        "dimensions": dimensions,
        "start": start if start is None else list(start),
        "settings": dict(search.settings),
    }
    log = None if search.log is None else Path(search.log)
    history = [] if log is None else _read_log(log, header)[: search.trials]
    on_trial(history)
    while len(history) < search.trials:
        if start is not None and not history:
            point = start
        else:
            point = propose(history, dimensions, search.seed, search.method)
        measures = {name: float(value) for name, value in function(point).items()}
        if OBJECTIVE not in measures:
            raise InputError("objective", sorted(measures), f"must name a value {OBJECTIVE!r}")
        history.append(Evaluation(point, measures))
        if log is not None:
            _write_log(log, header, history)
        on_trial(history)
    return tuple(history)


def best_evaluation(history: Sequence[Evaluation]) -> Evaluation | None:
    """The evaluation of largest objective, the earliest of equals; None if every one failed."""
    best = max(history, key=lambda e: e.objective)
    return None if best.objective == -math.inf else best


def _write_log(path: Path, header: Mapping[str, Any], history: Sequence[Evaluation]) -> None:
    lines = [header]
    for number, evaluation in enumerate(history):
        plain = {k: v if math.isfinite(v) else None for k, v in evaluation.measures.items()}
        lines.append({"number": number, "point": list(evaluation.point), "measures": plain})
    write_text(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))


def _read_log(path: Path, header: Mapping[str, Any]) -> list[Evaluation]:
    if not path.exists():
        return []
    try:
        found, *lines = [json.loads(line) for line in path.read_text().splitlines()]
        history = [
            Evaluation(
                tuple(float(x) for x in line["point"]),
                {k: math.nan if v is None else float(v) for k, v in line["measures"].items()},
            )
            for line in lines
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise InputError("log", str(path), f"is not the log of a search ({problem})") from None
    if found != json.loads(json.dumps(header)):
        raise InputError("log", str(path), "belongs to a search with other settings; remove it")
    return history
