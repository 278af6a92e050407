"""What a recipe that prunes a trained network may ask beyond `Measurements`: of one task."""

import numpy as np

from hrsnn_brian.dynamics.probe import Floats, Measurements, ProbeLengths, firing_rates
from hrsnn_brian.evaluation.evaluate import readout_blocks
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.tasks.forecast import fit_forecast
from hrsnn_brian.tasks.task import Task


class TaskProbe(Measurements):
    """Measurements that know the task a network is trained for; see `Measurements`."""

    def __init__(
        self, engine: Engine, seed: int = 0, lengths: ProbeLengths | None = None, *, task: Task
    ) -> None:
        super().__init__(engine, seed, lengths)
        self.task = task

    def task_rates(self, network: Network) -> Floats:
        """Firing rates (N,), Hz, while the samples of the task are shown."""
        drive = Drive(self.task.z, seed=self.seed, record_states=False)
        return firing_rates(simulate(self.engine, network, drive))

    def readout_weight(self, network: Network) -> Floats:
        """Size (N,) of each neuron's part in a readout trained on the task, spikes only.

        Root of the sum over traces and targets of (weight * sd of the trace)^2: what the neuron
        contributes, whatever its rate. [our choice]
        """
        recording = simulate(self.engine, network, Drive(self.task.z, seed=self.seed))
        blocks = readout_blocks(recording, "spikes")
        readout = fit_forecast(self.task, blocks).readout
        power = np.zeros(network.n_neurons)
        for name, states in blocks.items():
            spread = states[self.task.train_rows].std(axis=0)
            power += np.sum((readout.coefficients[name] * spread[:, None]) ** 2, axis=1)
        return np.sqrt(power)
