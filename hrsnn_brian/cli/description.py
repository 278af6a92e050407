"""What the commands say about a network and about the engine's work."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

# What pruning asks of the engine, see `evidence.NEEDS`, as a line of progress says it.
MEASURES = {
    "covariance": "covariance of the rates under white noise",
    "rates": "rates under white noise",
    "task_rates": "rates on the task",
    "readout_weight": "readout trained on the task",
}


def network_facts(network: "Network") -> dict[str, Any]:
    """Size and sparsity, as every JSON result names them."""
    return {
        "neurons": network.n_neurons,
        "neurons_e": int(network.is_e.sum()),
        "synapses": network.n_synapses,
        "keep": network.keep,
        "density": network.density,
    }


def describe(network: "Network") -> str:
    """The same in one line."""
    n_e = int(network.is_e.sum())
    return (
        f"{network.n_neurons} neurons ({n_e} E, {network.n_neurons - n_e} I), "
        f"{network.n_synapses} synapses, keep {network.keep:.4g}, density {network.density:.4g}"
    )


def engine_facts(engine: "Engine") -> dict[str, Any]:
    """Device, builds, runs and the seconds in each."""
    return {"device": engine.device, **engine.stats.to_dict()}


def make_engine(device: str) -> "Engine":
    """An engine that says on standard error when it compiles."""
    from hrsnn_brian.runs.progress import EngineProgress
    from hrsnn_brian.simulation import Engine

    return Engine(device=device, on_progress=EngineProgress())
