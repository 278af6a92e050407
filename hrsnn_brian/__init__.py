"""Sparse heterogeneous spiking networks in Brian2: build, simulate, prune, evaluate.

    import hrsnn_brian as hb

    params = hb.HRSNNParams(N=300)
    network = hb.build_network(params, seed=1)
    engine = hb.Engine()                                   # compiles once, runs many
    pruned = hb.prune(network, "lnp", hb.Size(neurons=180, keep=0.1), engine=engine)
    scores = hb.evaluate(pruned.network, "wind", engine=engine, seed=1)
    print(scores.rows())

Names are imported when first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

# `studies` and `figures` are links to the folders beside the package, for all who read a checkout.
_PUBLIC = {
    "Constant": "network.distributions",
    "Gamma": "network.distributions",
    "Lognormal": "network.distributions",
    "Uniform": "network.distributions",
    "HRSNNParams": "network.parameters",
    "load_preset": "network.presets",
    "Network": "network.network",
    "build_network": "network.build",
    "load_network": "network.io",
    "save_network": "network.io",
    "Drive": "simulation",
    "Engine": "simulation",
    "Presentation": "simulation",
    "Recording": "simulation",
    "simulate": "simulation",
    "simulate_batch": "simulation",
    "Task": "tasks.task",
    "RunTask": "tasks.task",
    "TrialsTask": "tasks.task",
    "ClassificationTask": "tasks.classification",
    "ForecastTask": "tasks.forecast_task",
    "get_task": "tasks.registry",
    "own_series_task": "tasks.real_series",
    "Reading": "tasks.series",
    "evaluate": "evaluation.evaluate",
    "Evaluation": "evaluation.evaluate",
    "Model": "evaluation.model",
    "save_model": "evaluation.model",
    "load_model": "evaluation.model",
    "train": "evaluation.train",
    "Trained": "training.train",
    "Stdp": "training.stdp",
    "prune": "pruning.prune",
    "Rounds": "pruning.prune",
    "Size": "pruning.size",
    "Recipe": "pruning.recipe",
    "get_recipe": "pruning.recipes",
    "TaskProbe": "evaluation.task_probe",
    "Measurements": "dynamics.probe",
    "ProbeLengths": "dynamics.probe",
    "noise_covariance": "dynamics.probe",
    "Protocol": "dynamics.exponents.spiking",
    "SegmentLog": "dynamics.exponents.spiking",
    "lyapunov_spectrum": "dynamics.exponents.spiking",
    "lambda_inf": "dynamics.exponents.time_step",
    "agreed_spectrum": "dynamics.exponents.time_step",
    "runaway_rate": "network.runaway",
    "RunawayWarning": "network.runaway",
    "short_growth": "dynamics.exponents.short_time",
    "GrowthProtocol": "dynamics.exponents.short_time",
    "finite_size_exponents": "dynamics.exponents.finite_size",
    "SizeProtocol": "dynamics.exponents.finite_size",
    "echo": "dynamics.exponents.finite_size",
    "EchoProtocol": "dynamics.exponents.finite_size",
    "input_echo": "dynamics.echo",
    "InputEchoProtocol": "dynamics.echo",
    "node_exponents": "dynamics.exponents.nodes",
    "NodeProtocol": "dynamics.exponents.nodes",
    "edge_exponents": "dynamics.exponents.edges",
    "FlowProtocol": "dynamics.exponents.flows",
    "MapProtocol": "dynamics.exponents.flows",
    "flow_exponents": "dynamics.exponents.flows",
    "map_exponents": "dynamics.exponents.flows",
    "Study": "runs.study",
    "tune": "runs.tune",
    "Tuned": "runs.tune",
    "Score": "files.score",
    "Column": "files.columns",
    "InputError": "errors",
    "NoEchoError": "errors",
    "EngineError": "errors",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return __all__
