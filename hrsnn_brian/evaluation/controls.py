"""Controls at the rate of the network they stand beside: equal membranes, slow input.

Heterogeneity and recurrence change how much a network fires, so that what a control lacks may be
spikes alone. All its biases are shifted until it fires as often as the network does while training
input of the task is shown. [our choice]
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.present import Currents, Show, as_shown, drive_of, present_trials, runs
from hrsnn_brian.evaluation.slow_input import SLOW_INPUT, slow_currents
from hrsnn_brian.files.columns import UNMATCHED
from hrsnn_brian.network.network import FloatArray, Network
from hrsnn_brian.pruning.rate_match import RateOutOfReachError, match_rate
from hrsnn_brian.simulation import Engine, simulate
from hrsnn_brian.tasks.task import Task, TrialsTask

HOMOGENEOUS = "homogeneous"
TRIALS = 200  # the first training trials, by which rates are matched
SAMPLES = 2500  # the last training samples of a run, by which they are


@dataclass(frozen=True)
class TaskRate:
    """Mean firing rates on training input of a task; `seed` is that of its presentation."""

    engine: Engine
    task: Task
    seed: int

    def __call__(self, network: Network, currents: Currents | None = None) -> float:
        """The rate in Hz; currents: see `Show`. Raises InputError as `training_trials` does."""
        if isinstance(self.task, TrialsTask):
            show = Show(None, currents, TRIALS)
            return present_trials(self.engine, network, self.task, self.seed, show).rate_hz
        timed, count, seconds = as_shown(network, self.task), 0.0, 0.0
        for inputs in self._inputs:
            found = simulate(self.engine, timed, drive_of(inputs, currents, self.seed, False))
            count, seconds = count + float(found.spike_count.mean()), seconds + found.seconds
        return count / seconds

    def matched(
        self, network: Network, wanted_hz: float, currents: Currents | None = None
    ) -> tuple[Network, str]:
        """The network at that rate by one offset of all biases; or as it is, and why."""
        if wanted_hz == 0:
            return network, "the network is silent"
        try:
            found = match_rate(network, wanted_hz, lambda other: self(other, currents))
        except RateOutOfReachError as problem:
            return network, str(problem)
        return found.network, ""

    @cached_property
    def lacking(self) -> str:
        """Why there is no rate: the task says it has nothing to train a network on; or ""."""
        try:
            _ = None if isinstance(self.task, TrialsTask) else self._inputs
        except InputError as problem:
            return str(problem)
        return ""

    @cached_property
    def _inputs(self) -> list[FloatArray]:
        found: list[FloatArray] = []
        left = SAMPLES
        for inputs in reversed(list(runs(self.task.training_trials()))):
            if left > 0:
                found.append(inputs[-left:])
                left -= len(found[-1])
        return found


@dataclass(frozen=True)
class Control:
    """A network to be shown beside another, at its rate.

    currents: what its neurons get, if not from the encoder. note: why the rate is another.
    """

    name: str
    network: Network
    currents: Currents | None = None
    note: str = ""

    @property
    def match(self) -> str:
        """How its rate was matched, the value of that column."""
        return UNMATCHED if self.note else "bias"


def matched_controls(engine: Engine, network: Network, task: Task, seed: int) -> Iterator[Control]:
    """`homogeneous`, unless the network is, and J = 0 with slow input, unless it is Poisson.

    They stand at the network's rate, or note why not.
    """
    others: list[Control] = []
    equal = homogeneous(network)
    if equal is not network:
        others.append(Control(HOMOGENEOUS, equal))
    slow = slow_currents(network, task)
    if slow is not None:
        others.append(Control(SLOW_INPUT, network.without_recurrence(), slow))
    rate = TaskRate(engine, task, seed)
    if rate.lacking:
        yield from (replace(other, note=rate.lacking) for other in others)
        return
    wanted = rate(network)
    for other in others:
        matched, note = rate.matched(other.network, wanted, other.currents)
        yield replace(other, network=matched, note=note)


def homogeneous(network: Network) -> Network:
    """The network with one membrane time constant per class, the mean of what its neurons have.

    Excitatory and inhibitory neurons are the classes, whatever their clusters. All else is kept:
    graph, weights, thresholds, biases, synapses, encoder. A homogeneous one comes back as it is.
    """
    return with_membranes(network, np.ones(network.n_neurons), operation=HOMOGENEOUS)


def with_membranes(network: Network, tau_m: FloatArray, **history: str) -> Network:
    """The network with membrane time constants in proportion to `tau_m` (N,), in each class scaled
    to the mean the network has there; `history` is noted as one operation.
    """
    scaled = np.array(tau_m, dtype=float)
    for members in (network.is_e, ~network.is_e):
        if members.any():
            scaled[members] *= network.tau_m[members].mean() / scaled[members].mean()
    if np.allclose(scaled, network.tau_m, rtol=1e-12, atol=0):
        return network
    return replace(network, tau_m=scaled, history=(*network.history, dict(history)))
