"""A sweep without its simulations: scores that are functions of the settings."""

from types import SimpleNamespace

import numpy as np
from scores import nrmse_84, vpt

from hrsnn_brian.files.columns import identity
from hrsnn_brian.runs import sweep_points


def score_of(network, name, seed):
    """Best at J = 0.15 and tau_m shape 3; pruned networks are worse."""
    params = network.params
    J, shape = params.weights.J, params.neuron.tau_m.shape
    noise = np.random.default_rng([seed, int(1e4 * J), int(shape)]).normal()
    off = (np.log(J / 0.15)) ** 2 + 0.5 * abs(shape - 3)
    return 0.1 + 0.05 * off + 0.03 * (name == "pruned") + 0.002 * noise


def network_rows(network, task, name, engine, seed, readouts):
    value = score_of(network, name, seed)
    score = nrmse_84(value) if task.name == "mackey-glass-84" else vpt(0.2 / value)
    costs = {"rate_hz": 20.0, "synaptic_ops_per_s": 1e4}
    row = identity(name, seed=seed, task=task.name, keep=1.0, neuron_fraction=1.0, synapses=9)
    return [row | {"readout": readout, score.name: score, **costs} for readout in readouts]


def install(monkeypatch):
    """Fakes the engine, the drawing, the pruning and the scoring of this process."""
    tasks = {}

    def get_task(name, seed, **settings):
        key = (name, repr(settings))
        if key not in tasks:
            tasks[key] = real(name, 0, **settings)
        return tasks[key]

    def drawn(parameters, seed):
        import json

        from hrsnn_brian.network.parameters import HRSNNParams

        return SimpleNamespace(params=HRSNNParams.from_dict(json.loads(parameters)), n_neurons=500)

    real = sweep_points.get_task
    pruned = lambda full, recipe, lengths, point, engine, task: (full, "")  # noqa: E731
    monkeypatch.setattr(sweep_points, "get_task", get_task)
    monkeypatch.setattr(sweep_points, "network_rows", network_rows)
    monkeypatch.setattr(sweep_points, "_pruned", pruned)
    monkeypatch.setattr("hrsnn_brian.network.build.drawn_network", drawn)
    for command in ("sweep_command", "running_options"):
        monkeypatch.setattr(f"hrsnn_brian.cli.{command}.default_jobs", lambda given: 1)
