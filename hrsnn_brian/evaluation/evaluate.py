"""Evaluate a network on a task: trials shown, readouts fitted, controls, one row for each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.cost import (
    Cost,
    network_cost,
    sample_cost,
    saturated_fraction,
    warn_of_activity,
)
from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.evaluation.controls import matched_controls
from hrsnn_brian.evaluation.model import Model, make_model
from hrsnn_brian.evaluation.present import (
    Activity,
    Currents,
    Presented,
    Show,
    as_shown,
    present,
    present_trials,
)
from hrsnn_brian.evaluation.quadratic import QUADRATIC, fit_products, product_ops
from hrsnn_brian.files.atomic import plain
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE, PRUNED, identity
from hrsnn_brian.files.score import Score
from hrsnn_brian.files.shown import Framed
from hrsnn_brian.files.tables import Table
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.classifier import Classified
from hrsnn_brian.tasks.registry import as_task
from hrsnn_brian.tasks.task import ClosedLoop, Fitted, RunTask, Task, TrialsTask, Watch, unwatched

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

READOUTS = RunTask.readouts
NO_READOUT = "none"
CONTROLS = {
    "all": "J = 0, the models of the task, and those of `matched_controls`",
    "basic": "J = 0 and the models of the task, in about half the time",
}


@dataclass(frozen=True, repr=False)
class Evaluation(Framed):
    """The scores and costs of a network on a task, one entry per model and readout.

    Keys: those of `identity` (network is "full" or "pruned", then "no recurrence" and the
    baselines of the task), density, those of `Cost` and `SampleCost` and the scores of the task,
    which are `Score` objects in `entries`. saturated_fraction: of the network's neurons, see
    `dynamics.cost`. fitted: (network, readout) of a row -> its readout. network, task, seed: those
    it is of.
    """

    entries: tuple[Row, ...]
    saturated_fraction: float = 0.0
    fitted: Mapping[tuple[str, str], Fitted] = field(default_factory=dict)
    network: Network = field(kw_only=True, repr=False)
    task: Task = field(kw_only=True, repr=False)
    seed: int = field(kw_only=True)

    def facts(self) -> dict[str, Any]:
        """Task and seed, and the scores the task is judged by."""
        judged = {s.name: s.value for s in self.scores().values() if s.primary}
        return {"task": self.task.name, **judged, "seed": self.seed, "rows": len(self.entries)}

    def frame(self) -> "pd.DataFrame":
        """The rows as a DataFrame that knows its schema."""
        frame: pd.DataFrame = Table(self.entries).frame()
        return frame

    def rows(self) -> list[Row]:
        """The rows of a tidy table, of plain values, network first."""
        return [plain(entry, exact=True) for entry in self.entries]

    def primary(self) -> Row:
        """The network's row with the primary readout, spikes only."""
        return self.rows()[0]

    def scores(self) -> dict[str, Score]:
        """The scores of that row, by name of the column."""
        return {name: s for name, s in self.entries[0].items() if isinstance(s, Score)}

    def model(self, readout: str | None = None) -> Model:
        """The network with a readout, by default the primary one, to predict new data with.

        Raises InputError if it was not fitted, or cannot be saved.
        """
        first = self.entries[0]
        name = readout or first["readout"]
        fitted = self.fitted.get((first["network"], name))
        if fitted is None:
            known = [name for network, name in self.fitted if network == first["network"]]
            raise unknown_name("readout", name, known)
        return make_model(self.network, self.task, name, fitted, self.seed)

    @property
    def classes(self) -> tuple[str, ...]:
        """Of a classification, in the order of `confusion`; none of another task."""
        found = (f.classes for f in self.fitted.values() if isinstance(f, Classified))
        return next(found, ())

    def confusion(self, network: str | None = None, readout: str | None = None) -> NDArray[np.int_]:
        """Test trials of a classification by true (rows) and predicted class, (classes, classes).

        Of the row with that network and readout, by default the first one's. Raises InputError if
        there is none, or the task has no classes.
        """
        first = self.entries[0]
        key = (network or first["network"], readout or first["readout"])
        if key not in self.fitted:
            known = ", ".join(" / ".join(pair) for pair in self.fitted)
            raise InputError("network / readout", " / ".join(key), f"must be one of {known}")
        found = self.fitted[key]
        if not isinstance(found, Classified):
            raise InputError("task", first["task"], "has no classes to confuse")
        return found.confusion


def evaluate(
    network: Network,
    task: Task | str,
    *,
    engine: Engine,
    seed: int = 0,
    readouts: str | tuple[str, ...] | None = None,
    controls: str | bool = "all",
    watch: Watch = unwatched,
) -> Evaluation:
    """Scores of a network on a task, with its controls and the baselines of the task.

    controls: of `CONTROLS`, True for all, False for none. task: a task, or the name of one, drawn
    from `seed` then. seed: root of initial state and encoder noise.
    readouts: of `task.readouts`; default: all. watch: called with what is shown, how many trials of
    it were and how many there are. Raises InputError for what is unknown, of another kind or does
    not fit. Warns (`ActivityWarning`) of a silent or saturated network.
    """
    if not isinstance(network, Network):
        raise InputError("network", network, "must be a Network, as load_network reads one")
    if not isinstance(controls, bool) and controls not in CONTROLS:
        raise unknown_name("controls", str(controls), CONTROLS)
    task = as_task(task, seed)
    session = _Session(task, engine, seed, _known(readouts, task), watch)
    if isinstance(task, TrialsTask):
        task.prepare(watch)
    name = FULL if network.keep == 1 and network.n_neurons == network.n_original else PRUNED
    shown = session.show(network, name)
    found = (shown.spike_count, shown.seconds, network.params.ceiling_hz)
    warn_of_activity(*found)
    if controls:
        if isinstance(task, TrialsTask):
            asked = session.readouts
            session.readouts = tuple(r for r in asked if r in task.control_readouts) or asked
        session.show(network.without_recurrence(), NO_RECURRENCE)
        more = () if controls == "basic" else matched_controls(engine, network, task, seed)
        for control in more:
            said = {"match": control.match, "note": control.note}
            session.show(control.network, control.name, control.currents, said)
        session.entries += baseline_rows(task, seed)
    return Evaluation(
        tuple(session.entries),
        saturated_fraction(*found),
        session.fitted,
        network=network,
        task=task,
        seed=seed,
    )


def network_rows(
    network: Network,
    task: Task,
    name: str,
    engine: Engine,
    seed: int,
    readouts: tuple[str, ...] | None = None,
) -> list[Row]:
    """One row per readout for one network, called `name`, without controls."""
    return list(named_evaluation(network, task, name, engine, seed, readouts).entries)


def named_evaluation(
    network: Network,
    task: Task,
    name: str,
    engine: Engine,
    seed: int,
    readouts: tuple[str, ...] | None = None,
) -> Evaluation:
    """One network, called `name`, on a task, without controls."""
    session = _Session(task, engine, seed, _known(readouts, task))
    session.show(network, name)
    entries = tuple(session.entries)
    return Evaluation(entries, fitted=session.fitted, network=network, task=task, seed=seed)


def _known(readouts: str | tuple[str, ...] | None, task: Task) -> tuple[str, ...]:
    chosen = task.readouts if readouts is None else readouts
    chosen = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    for readout in chosen:
        if readout not in readouts_of(task):
            raise unknown_name("readout", str(readout), readouts_of(task))
    return chosen


def readouts_of(task: Task) -> tuple[str, ...]:
    """Those a task may be asked for: its own and, of a run, `QUADRATIC`."""
    return (*task.readouts, QUADRATIC) if isinstance(task, RunTask) else task.readouts


@dataclass
class _Session:
    """The way of a spike to a score: states, readouts fitted to them, what they score."""

    task: Task
    engine: Engine
    seed: int
    readouts: tuple[str, ...]
    watch: Watch = unwatched
    entries: list[Row] = field(default_factory=list)
    fitted: dict[tuple[str, str], Fitted] = field(default_factory=dict)

    def show(
        self,
        network: Network,
        name: str,
        currents: Currents | None = None,
        others: Mapping[str, str] = MappingProxyType({}),
    ) -> Activity:
        """Shows the task to a network; its rows, with the columns `others`, join the entries.

        currents: what its neurons get, if not from the encoder. No run on its own predictions then:
        they are made of the whole input beforehand.
        """
        if isinstance(self.task, TrialsTask):
            return self._show_trials(network, name, currents, others)
        assert isinstance(self.task, RunTask)
        states = states_seen(network, self.task, self.readouts)
        shown = present(
            self.engine, network, self.task, self.seed, currents=currents, record_states=states
        )
        outputs = self.task.targets().shape[1]
        seen = {readout: readout_blocks(shown, readout) for readout in self.readouts}
        for readout, fitted in self._fitted(shown, seen).items():
            blocks, scores = seen[readout], fitted.scores
            if fitted.closed_loop is not None and currents is None:
                scores += _run_freely(network, fitted.closed_loop, self.engine, self.seed)
            cost = network_cost(network.W, shown.spike_count, shown.seconds, len(blocks), outputs)
            seconds = as_shown(network, self.task).params.timing.sample
            if readout == QUADRATIC:
                products = product_ops(len(blocks), network.n_neurons, outputs) / seconds
                cost = replace(cost, readout_ops_per_s=cost.readout_ops_per_s + products)
            fitted = replace(fitted, scores=scores)
            self._add(network, name, readout, fitted, {**_costs(network, cost, seconds), **others})
        return Activity(shown.spike_count, shown.seconds)

    def _fitted(
        self, shown: Presented, seen: Mapping[str, dict[str, FloatArray]]
    ) -> dict[str, Fitted]:
        """The readouts of the states each sees."""
        assert isinstance(self.task, RunTask)
        linear = [readout for readout in seen if readout != QUADRATIC]
        found = self.task.fits(shown.states, [tuple(seen[readout]) for readout in linear])
        fitted = dict(zip(linear, found, strict=True))
        if QUADRATIC in seen:
            fitted[QUADRATIC] = fit_products(self.task, seen[QUADRATIC])
        return {readout: fitted[readout] for readout in seen}

    def _show_trials(
        self,
        network: Network,
        name: str,
        currents: Currents | None,
        others: Mapping[str, str],
    ) -> Activity:
        task = self.task
        assert isinstance(task, TrialsTask)
        total = task.n_train + task.n_test
        with task.learner(self.readouts) as learner:
            show = Show(
                learner, currents, watch=lambda shown: self.watch(f"{name}: shown", shown, total)
            )
            found = present_trials(self.engine, network, task, self.seed, show)
            cost = network_cost(network.W, found.spike_count, found.seconds)
            for k, readout in enumerate(self.readouts):
                self.watch(f"{name}: readouts", k, len(self.readouts))
                fitted = learner.fitted(readout)
                weights = sum(w.size for w in fitted.weights.values())
                seconds = found.seconds / total
                applied = replace(cost, readout_ops_per_s=weights / seconds)
                costs = {**_costs(network, applied, seconds), **others}
                self._add(network, name, readout, fitted, costs)
            self.watch(f"{name}: readouts", len(self.readouts), len(self.readouts))
        return found

    def _add(
        self,
        network: Network,
        name: str,
        readout: str,
        fitted: Fitted,
        others: Mapping[str, Any],
    ) -> None:
        row = identity(
            name,
            keep=network.keep,
            neuron_fraction=network.n_neurons / network.n_original,
            task=self.task.name,
            readout=readout,
            seed=self.seed,
        )
        self.entries.append({**row, **others, **{s.name: s for s in fitted.scores}})
        self.fitted[name, readout] = fitted


def _costs(network: Network, cost: Cost, seconds: float) -> Row:
    """All columns of cost; seconds: how long a sample or trial is shown."""
    per_sample = sample_cost(cost, seconds, network.params.timing.dt)
    return cost.to_dict() | {"density": network.density} | per_sample.to_dict()


def baseline_rows(task: Task, seed: int) -> list[Row]:
    """The models without a network that the task brings, scored like one."""
    return [
        identity(name, task=task.name, readout=NO_READOUT, seed=seed)
        | {score.name: score for score in scores}
        for name, scores in task.baselines().items()
    ]


def readout_blocks(shown: Presented, readout: str) -> dict[str, FloatArray]:
    """The recorded states a readout may see, by name.

    Raises InputError if v, which it may see, was not recorded.
    """
    names = [name for name in shown.states if name != "v"]
    return {name: shown.states[name] for name in (*names, *_beside_traces(readout))}


def states_seen(network: Network, task: RunTask, readouts: Iterable[str]) -> tuple[str, ...]:
    """Names of the states that some of the readouts sees, while the task is shown."""
    more = dict.fromkeys(name for readout in readouts for name in _beside_traces(readout))
    return (*as_shown(network, task).params.timing.trace_names, *more)


def _beside_traces(readout: str) -> tuple[str, ...]:
    return ("v",) if readout == "spikes+v" else ()


def _run_freely(network: Network, loop: ClosedLoop, engine: Engine, seed: int) -> tuple[Score, ...]:
    drive = Drive(
        loop.teacher, free=loop.free, readout=loop.readout, seed=seed, record_states=False
    )
    recording = simulate(engine, network, drive)
    assert recording.u is not None  # a closed loop has channels
    return loop.score(recording.u)
