"""Echo-state networks, the rival of every spiking network: same units, same task, same readout.

reservoirpy (extra `rivals`) draws and runs the reservoir; readout, free runs and scores are those
of the task, on its splits and starts. The settings are searched for as those of a spiking network
are, with as many trials, on the validation block alone (`SplitSeries.development`).
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import HIGHER, Score
from hrsnn_brian.readout.held_out import noiseless
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.statistics.search import OBJECTIVE, Search, maximise
from hrsnn_brian.tasks.closed_loop import BOUND
from hrsnn_brian.tasks.forecast import fit_forecast
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.task import ClosedLoop, Task

if TYPE_CHECKING:
    from reservoirpy.nodes import Reservoir

TRIALS = 40
STATES = "states"

# What a search varies, on a logarithmic scale, and between which bounds. [choice]
RANGES = {
    "spectral_radius": (0.1, 4.0),
    "leak": (0.03, 1.0),
    "input_scaling": (0.02, 6.0),
    "connectivity": (0.01, 0.2),
    "bias": (0.01, 4.0),
}


@dataclass(frozen=True)
class EchoStateParams(Section):
    """An echo-state network (Jaeger 2001) with leaky units.

    x(t) = (1 - leak) x(t - 1) + leak tanh(W x(t - 1) + W_in u(t) + b): W normal and sparse, scaled
    to the spectral radius; W_in and b dense, uniform on +-input_scaling and +-bias.
    """

    section = "echo state"
    units: Whole = Whole(500, 1).about("units")
    spectral_radius: Real = Real(0.9, 0.0).about("largest absolute eigenvalue of W", "1")
    leak: Real = Real(0.5, 0.0, 1.0, above=True).about("share of the new state", "1 per sample")
    input_scaling: Real = Real(0.5, 0.0).about("largest input weight", "1 per training s.d.")
    connectivity: Real = Real(0.1, 0.0, 1.0, above=True).about("share of weights in W", "1")
    bias: Real = Real(0.2, 0.0).about("largest bias", "1")


@dataclass(frozen=True)
class Tuned:
    """What a search found. scores: of the task; objective: the best on its validation block."""

    params: EchoStateParams
    scores: tuple[Score, ...]
    objective: float
    weights: int


def require_reservoirpy() -> None:
    """Raises InputError if the package that draws and runs echo-state networks is missing."""
    if find_spec("reservoirpy") is None:
        allowed = "needs reservoirpy, which is not installed: pip install 'hrsnn-brian[rivals]'"
        raise InputError("rival", "esn", allowed)


def check_rival(task: Task) -> None:
    """Raises InputError if reservoirpy is missing or the task is no series."""
    require_reservoirpy()
    if not isinstance(task, ForecastTask):
        raise InputError("rival", "esn", f"is a rival in forecasting; {task.name} is no series")


def tuned(
    task: Task,
    units: int = 500,
    trials: int = TRIALS,
    seed: int = 0,
    on_trial: Callable[[int, int], None] = lambda done, trials: None,
) -> Tuned:
    """The echo-state network of so many units that is best on the validation block, and its scores.

    trials: settings tried, by the search of `statistics.search`, judged by the primary score on the
    task's development split: the longest horizon, or where there is a closed loop the valid
    prediction time of free runs inside the validation block. seed: root of the reservoir, the same
    one at every trial, and of the search. on_trial: called with (done, trials).

    Raises InputError if reservoirpy is not installed, the task is no series, units or trials are
    not positive, or no trial gave a finite score.
    """
    check_rival(task)
    assert isinstance(task, ForecastTask)
    EchoStateParams(units=units)
    trial = task.development()
    done = 0

    def judged(point: tuple[float, ...]) -> dict[str, float]:
        nonlocal done
        scores, _ = echo_state_scores(trial, _params(units, point), seed)
        done += 1
        on_trial(done, trials)
        (primary,) = (score for score in scores if score.primary)
        return {OBJECTIVE: primary.value if primary.better == HIGHER else -primary.value}

    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):  # the last digits must not depend on the machine's cores
        history = maximise(judged, len(RANGES), Search(trials, seed))
        best = max(history, key=lambda evaluation: evaluation.objective)
        if best.objective == -math.inf:
            raise InputError("trials", trials, f"none of them gave a finite score of {task.name}")
        params = _params(units, best.point)
        scores, weights = echo_state_scores(task, params, seed)
    return Tuned(params, scores, best.objective, weights)


def echo_state_scores(
    task: ForecastTask, params: EchoStateParams, seed: int
) -> tuple[tuple[Score, ...], int]:
    """Scores of one echo-state network on a task, and how many weights its reservoir has.

    The reservoir is in its initial state, 0, where the task resets. Its penalty is one of
    `noiseless`.
    """
    trials = task.trials()
    reservoir = make_reservoir(params, trials[0].inputs.shape[1], seed)
    states = []
    for number, shown in enumerate(trials):
        if shown.reset and number:
            reservoir.reset()
        states.append(reservoir.run(shown.inputs))
    selection = noiseless(params.units + len(task.inputs))
    fitted = fit_forecast(task, {STATES: np.concatenate(states)}, selection)
    scores = fitted.scores
    if fitted.closed_loop is not None:
        reservoir.reset()
        scores += fitted.closed_loop.score(run_freely(reservoir, fitted.closed_loop))
    return scores, int(reservoir.W.nnz) + reservoir.Win.size


def make_reservoir(params: EchoStateParams, inputs: int, seed: int) -> "Reservoir":
    """The reservoir of these settings, drawn from `seed`; same seed, same random numbers."""
    from reservoirpy.mat_gen import normal, uniform
    from reservoirpy.nodes import Reservoir
    from scipy.sparse import csr_array

    reservoir = Reservoir(
        params.units,
        lr=params.leak,
        sr=params.spectral_radius,
        rc_connectivity=params.connectivity,
        input_scaling=params.input_scaling,
        input_connectivity=1.0,
        Win=uniform,
        W=normal,
        bias=params.bias * rng(seed, "network", "esn bias").uniform(-1, 1, params.units),
        seed=rng(seed, "network", "esn"),
    )
    reservoir.initialize(np.zeros((1, inputs)))
    reservoir.W = csr_array(reservoir.W)
    return reservoir


def run_freely(reservoir: "Reservoir", loop: ClosedLoop) -> FloatArray:
    """The inputs (K, D) of a run in which the readout's predictions stand in for the free ones."""
    shown = np.array(loop.teacher)
    step, weights = loop.readout, loop.readout.from_states[STATES]
    state, u = np.zeros(reservoir.units), np.zeros(shown.shape[1])
    for k, free in enumerate(loop.free):
        if free:
            u = np.clip(step.intercept + u @ step.from_u + state @ weights, -BOUND, BOUND)
            shown[k] = u
        else:
            u = shown[k]
        state = reservoir.step(u)
    return shown


def settings_of(params: EchoStateParams) -> Mapping[str, float]:
    """What the search chose, by name."""
    return {name: getattr(params, name) for name in RANGES}


def _params(units: int, point: tuple[float, ...]) -> EchoStateParams:
    chosen = {
        name: low * (high / low) ** x
        for x, (name, (low, high)) in zip(point, RANGES.items(), strict=True)
    }
    return EchoStateParams(units=units, **chosen)
