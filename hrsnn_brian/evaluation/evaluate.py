"""Evaluate a network on a task: states, readouts, closed loop, controls, one row for each."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hrsnn_brian.dynamics.cost import network_cost, saturated_fraction, warn_of_activity
from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.readout.ridge import RidgeReadout
from hrsnn_brian.simulation import Drive, Engine, LinearReadout, Recording, simulate
from hrsnn_brian.tasks.baselines import baseline_scores
from hrsnn_brian.tasks.closed_loop import closed_loop_schedule, closed_loop_scores
from hrsnn_brian.tasks.forecast import INPUT_BLOCK, fit_forecast
from hrsnn_brian.tasks.registry import as_task
from hrsnn_brian.tasks.split_series import Task

Row = dict[str, Any]

# Both see the present input u. Of the network the primary one sees spikes alone; with v, a
# subtractive reset lets it see the low-passed input itself, past the spikes.
READOUTS = ("spikes", "spikes+v")
NO_RECURRENCE = "no recurrence"


@dataclass(frozen=True)
class Evaluation:
    """The scores and costs of a network on a task, one dict per model and readout.

    Keys: task, model ("network", "no recurrence", "persistence", "input only", "linear AR"),
    readout, neurons, synapses, keep, density, rate_hz, silent_fraction, synaptic_ops_per_s,
    readout_ops_per_s and the scores of `forecast_scores` and `closed_loop_scores`.
    saturated_fraction: of the network's neurons, see `metrics.cost`.
    """

    entries: tuple[Row, ...]
    saturated_fraction: float = 0.0

    def rows(self) -> list[Row]:
        """The rows of a tidy table, network first."""
        return [dict(entry) for entry in self.entries]

    def primary(self) -> Row:
        """The network's row with the primary readout, spikes only."""
        return dict(self.entries[0])


def evaluate(
    network: Network,
    task: Task | str,
    *,
    engine: Engine,
    seed: int = 0,
    readouts: str | tuple[str, ...] = READOUTS,
    controls: bool = True,
) -> Evaluation:
    """Scores of a network on a task, with its controls: J = 0 and those of `baseline_rows`.

    task: a task, or the name of one, drawn from `seed` then. seed: root of initial state and
    encoder noise. readouts: of `READOUTS`. Raises InputError for what is unknown, of another kind
    or does not fit. Warns (`ActivityWarning`) of a silent or saturated network.
    """
    if not isinstance(network, Network):
        raise InputError("network", network, "must be a Network, as load_network reads one")
    readouts = (readouts,) if isinstance(readouts, str) else tuple(readouts)
    for readout in readouts:
        if readout not in READOUTS:
            raise unknown_name("readout", str(readout), READOUTS)
    task = as_task(task, seed)
    recording = simulate(engine, network, Drive(task.z, seed=seed))
    activity = (recording.spike_count, recording.seconds, network.params.ceiling_hz)
    warn_of_activity(*activity)
    rows = _rows(network, task, "network", recording, engine, seed, readouts)
    del recording  # its states, before those of the controls
    if controls:
        bare = network.without_recurrence()
        rows += network_rows(bare, task, NO_RECURRENCE, engine, seed, readouts)
        rows += baseline_rows(task)
    return Evaluation(tuple(rows), saturated_fraction(*activity))


def network_rows(
    network: Network,
    task: Task,
    model: str,
    engine: Engine,
    seed: int,
    readouts: tuple[str, ...] = READOUTS,
) -> list[Row]:
    """One row per readout for one network, without controls."""
    recording = simulate(engine, network, Drive(task.z, seed=seed))
    return _rows(network, task, model, recording, engine, seed, readouts)


def _rows(
    network: Network,
    task: Task,
    model: str,
    recording: Recording,
    engine: Engine,
    seed: int,
    readouts: tuple[str, ...],
) -> list[Row]:
    rows = []
    for readout in readouts:
        blocks = readout_blocks(recording, readout)
        forecast = fit_forecast(task, blocks)
        scores = dict(forecast.scores)
        if forecast.one_step is not None and task.closed_loop:
            scores |= _closed_loop(network, task, forecast.one_step, engine, seed)
        cost = network_cost(
            network.W,
            recording.spike_count,
            recording.seconds,
            n_traces=len(blocks),
            n_outputs=task.n_variables * len(task.horizons),
        )
        identity = {"task": task.name, "model": model, "readout": readout}
        size = {"keep": network.keep, "density": network.density}
        rows.append({**identity, **cost.to_dict(), **size, **scores})
    return rows


def baseline_rows(task: Task) -> list[Row]:
    """Persistence, the present input alone and linear AR, scored like a network."""
    names = {"persistence": "persistence", "input": "input only", "ar": "linear AR"}
    return [
        {"task": task.name, "model": names[key], "readout": "none", **scores}
        for key, scores in baseline_scores(task).items()
    ]


def readout_blocks(recording: Recording, readout: str) -> dict[str, np.ndarray]:
    """The recorded states a readout may see, by name."""
    return {
        name: states
        for name, states in recording.states.items()
        if name != "v" or readout == "spikes+v"
    }


def _closed_loop(
    network: Network, task: Task, one_step: RidgeReadout, engine: Engine, seed: int
) -> dict[str, float | int | str]:
    schedule = closed_loop_schedule(task)
    from_u = np.array(one_step.coefficients[INPUT_BLOCK])
    if task.predict_increment:
        from_u += np.eye(task.n_variables)
    states = {name: w for name, w in one_step.coefficients.items() if name != INPUT_BLOCK}
    drive = Drive(
        schedule.teacher,
        free=schedule.free,
        readout=LinearReadout(one_step.intercept, from_u, states),
        seed=seed,
        record_states=False,
    )
    recording = simulate(engine, network, drive)
    assert recording.u is not None  # a closed loop has channels
    return closed_loop_scores(task, schedule, recording.u)
