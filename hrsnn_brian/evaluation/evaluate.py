"""Evaluate a network on a task: trials shown, readouts fitted, controls, one row for each."""

from dataclasses import dataclass, replace
from typing import Any

from hrsnn_brian.dynamics.cost import network_cost, saturated_fraction, warn_of_activity
from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.evaluation.present import Presented, present
from hrsnn_brian.files.atomic import plain
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE, PRUNED, identity
from hrsnn_brian.files.score import Score
from hrsnn_brian.network.network import Network
from hrsnn_brian.readout.products import BLOCK, COMPONENTS, principal_products
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.simulation.drive import FloatArray, LinearReadout
from hrsnn_brian.tasks.registry import as_task
from hrsnn_brian.tasks.task import ClosedLoop, Fitted, Task

Row = dict[str, Any]

# Both see the present input u. Of the network the primary one sees spikes alone; with v, a
# subtractive reset lets it see the low-passed input itself, past the spikes.
READOUTS = ("spikes", "spikes+v")
# Only where it is asked for: spikes alone, and products of components of their traces. With it
# a network without recurrence does about as well (three seeds of the default, N = 500: MG84 .050
# against .047, VPT on Lorenz x 2.4 against 2.3), so no benefit of recurrence can be shown by it.
QUADRATIC = "spikes+products"
NO_READOUT = "none"


@dataclass(frozen=True)
class Evaluation:
    """The scores and costs of a network on a task, one entry per model and readout.

    Keys: those of `identity` (network is "full" or "pruned", then "no recurrence" and the
    baselines of the task), density, rate_hz, silent_fraction, synaptic_ops_per_s,
    readout_ops_per_s and the scores of the task, which are `Score` objects in `entries`.
    saturated_fraction: of the network's neurons, see `dynamics.cost`.
    """

    entries: tuple[Row, ...]
    saturated_fraction: float = 0.0

    def rows(self) -> list[Row]:
        """The rows of a tidy table, of plain values, network first."""
        return [plain(entry, exact=True) for entry in self.entries]

    def primary(self) -> Row:
        """The network's row with the primary readout, spikes only."""
        return self.rows()[0]

    def scores(self) -> dict[str, Score]:
        """The scores of that row, by name of the column."""
        return {name: s for name, s in self.entries[0].items() if isinstance(s, Score)}


def evaluate(
    network: Network,
    task: Task | str,
    *,
    engine: Engine,
    seed: int = 0,
    readouts: str | tuple[str, ...] = READOUTS,
    controls: bool = True,
) -> Evaluation:
    """Scores of a network on a task, with its controls: J = 0 and the baselines of the task.

    task: a task, or the name of one, drawn from `seed` then. seed: root of initial state and
    encoder noise. readouts: of `READOUTS`, or `QUADRATIC`. Raises InputError for what is unknown,
    of another kind or does not fit. Warns (`ActivityWarning`) of a silent or saturated network.
    """
    if not isinstance(network, Network):
        raise InputError("network", network, "must be a Network, as load_network reads one")
    readouts = (readouts,) if isinstance(readouts, str) else tuple(readouts)
    for readout in readouts:
        if readout not in (*READOUTS, QUADRATIC):
            raise unknown_name("readout", str(readout), (*READOUTS, QUADRATIC))
    task = as_task(task, seed)
    shown = present(engine, network, task, seed)
    activity = (shown.spike_count, shown.seconds, network.params.ceiling_hz)
    warn_of_activity(*activity)
    name = FULL if network.keep == 1 and network.n_neurons == network.n_original else PRUNED
    rows = _rows(network, task, name, shown, engine, seed, readouts)
    del shown  # its states, before those of the controls
    if controls:
        bare = network.without_recurrence()
        rows += network_rows(bare, task, NO_RECURRENCE, engine, seed, readouts)
        rows += baseline_rows(task, seed)
    return Evaluation(tuple(rows), saturated_fraction(*activity))


def network_rows(
    network: Network,
    task: Task,
    name: str,
    engine: Engine,
    seed: int,
    readouts: tuple[str, ...] = READOUTS,
) -> list[Row]:
    """One row per readout for one network, called `name`, without controls."""
    shown = present(engine, network, task, seed)
    return _rows(network, task, name, shown, engine, seed, readouts)


def _rows(
    network: Network,
    task: Task,
    name: str,
    shown: Presented,
    engine: Engine,
    seed: int,
    readouts: tuple[str, ...],
) -> list[Row]:
    """The way of a spike to a score: states, a readout fitted to them, what it scores."""
    rows = []
    outputs = task.targets().shape[1]
    for readout in readouts:
        blocks = readout_blocks(shown, readout)
        fitted = _fitted_products(task, blocks) if readout == QUADRATIC else task.fit(blocks)
        scores = fitted.scores
        if fitted.closed_loop is not None:
            scores += _run_freely(network, fitted.closed_loop, engine, seed)
        cost = network_cost(
            network.W,
            shown.spike_count,
            shown.seconds,
            n_traces=len(blocks),
            n_outputs=outputs,
        )
        row = identity(
            name,
            keep=network.keep,
            neuron_fraction=network.n_neurons / network.n_original,
            task=task.name,
            readout=readout,
            seed=seed,
        )
        row |= cost.to_dict() | {"density": network.density}
        if readout == QUADRATIC:  # at every sample, whatever the spikes
            sums = len(blocks) * network.n_neurons + 1
            samples_per_s = 1 / network.params.timing.sample
            row["readout_ops_per_s"] += COMPONENTS * outputs * sums * samples_per_s
        rows.append(row | {score.name: score for score in scores})
    return rows


def _fitted_products(task: Task, blocks: dict[str, FloatArray]) -> Fitted:
    """The readout of states and of products of their components, which training rows give."""
    rows = task.fit({}).rows
    products = principal_products({name: states[rows] for name, states in blocks.items()})
    fitted = task.fit({**blocks, BLOCK: products.features(blocks)})
    loop = fitted.closed_loop
    if loop is None:
        return fitted
    weights = dict(loop.readout.from_states)
    squares = products.as_squares(weights.pop(BLOCK))
    readout = LinearReadout(
        loop.readout.intercept + squares.constant,
        loop.readout.from_u,
        {name: weights[name] + squares.linear[name] for name in weights},
        squares.sums,
        squares.factors,
    )
    return replace(fitted, closed_loop=replace(loop, readout=readout))


def baseline_rows(task: Task, seed: int) -> list[Row]:
    """The models without a network that the task brings, scored like one."""
    return [
        identity(name, task=task.name, readout=NO_READOUT, seed=seed)
        | {score.name: score for score in scores}
        for name, scores in task.baselines().items()
    ]


def readout_blocks(shown: Presented, readout: str) -> dict[str, FloatArray]:
    """The recorded states a readout may see, by name."""
    return {
        name: states
        for name, states in shown.states.items()
        if name != "v" or readout == "spikes+v"
    }


def _run_freely(network: Network, loop: ClosedLoop, engine: Engine, seed: int) -> tuple[Score, ...]:
    drive = Drive(
        loop.teacher, free=loop.free, readout=loop.readout, seed=seed, record_states=False
    )
    recording = simulate(engine, network, drive)
    assert recording.u is not None  # a closed loop has channels
    return loop.score(recording.u)
