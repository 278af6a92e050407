"""What a recipe that prunes a trained network may ask beyond `Measurements`: of one task."""

from typing import Any

import numpy as np

from hrsnn_brian.dynamics.cost import rates_hz
from hrsnn_brian.dynamics.probe import Floats, Measurements, ProbeLengths
from hrsnn_brian.evaluation.evaluate import readout_blocks, states_seen
from hrsnn_brian.evaluation.present import Show, activity, present, present_trials
from hrsnn_brian.evaluation.train import train
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Engine
from hrsnn_brian.tasks.task import RunTask, Task, TrialsTask


class TaskProbe(Measurements):
    """Measurements that know the task a network is trained for; see `Measurements`."""

    def __init__(
        self, engine: Engine, seed: int = 0, lengths: ProbeLengths | None = None, *, task: Task
    ) -> None:
        super().__init__(engine, seed, lengths)
        self.task = task

    @property
    def identity(self) -> dict[str, Any]:
        return {**super().identity, "task": self.task.name}

    def task_rates(self, network: Network) -> Floats:
        """Firing rates (N,), Hz, while the trials of the task are shown."""
        shown = activity(self.engine, network, self.task, self.seed)
        return rates_hz(shown.spike_count, shown.seconds)

    def trained(self, network: Network) -> Network:
        """The network after STDP of its recurrent synapses on the training input of the task."""
        return train(network, self.task, engine=self.engine, seed=self.seed).network

    def readout_weight(self, network: Network) -> Floats:
        """Size (N,) of each neuron's part in a readout trained on the task, spikes only.

        Root of the sum over traces and targets of (weight * sd of the trace)^2: what the neuron
        contributes, whatever its rate. [our choice]
        """
        if isinstance(self.task, TrialsTask):
            with self.task.learner(["spikes"]) as learner:
                present_trials(self.engine, network, self.task, self.seed, Show(learner))
                return learner.importance("spikes")
        assert isinstance(self.task, RunTask)
        kept = states_seen(network, self.task, ["spikes"])
        shown = present(self.engine, network, self.task, self.seed, record_states=kept)
        blocks = readout_blocks(shown, "spikes")
        fitted = self.task.fit(blocks)
        power = np.zeros(network.n_neurons)
        for name, states in blocks.items():
            spread = states[fitted.rows].std(axis=0)
            power += np.sum((fitted.weights[name] * spread[:, None]) ** 2, axis=1)
        return np.sqrt(power)
