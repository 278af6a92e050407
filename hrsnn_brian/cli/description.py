"""What the commands say about a network and about the engine's work."""

import math
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.output import note

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

# What pruning asks of the engine, see `iteration.FACTS`, as a line of progress says it.
MEASURES = {
    "covariance": "covariance of the rates under white noise",
    "rates": "rates under white noise",
    "exponents": "exponents of the neurons",
    "echo": "input echo",
    "task_rates": "rates on the task",
    "readout_weight": "readout trained on the task",
    "trained": "training on the task",
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
    """The same in one line; of a user's matrix also its scale."""
    n_e = int(network.is_e.sum())
    text = (
        f"{network.n_neurons} neurons ({n_e} E, {network.n_neurons - n_e} I), "
        f"{network.n_synapses} synapses, keep {network.keep:.4g}, density {network.density:.4g}"
    )
    if network.params.graph.kind != "matrix":
        return text
    scale = {name: _number(value) for name, value in weight_scale(network).items()}
    return f"{text}, matrix {scaled_as(network)}: J = {scale['J']}, g = {scale['g']}"


def _number(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.3g}"


def weight_scale(network: "Network") -> dict[str, float]:
    """The weights as those of a drawn network are set: a mean synapse has J/sqrt(K), -g*J/sqrt(K).

    K is the mean in-degree. NaN where a class has no synapse.
    """
    K, data = network.n_synapses / network.n_neurons, network.W.data
    e, i = (float(w.mean()) if w.size else math.nan for w in (data[data > 0], data[data < 0]))
    return {"K": K, "weight_e": e, "weight_i": i, "J": e * math.sqrt(K), "g": -i / e}


def times_as_strong(network: "Network", J: float, g: float) -> float:
    """By how much a mean synapse is stronger than with J and g, of the class where it is most."""
    scale = weight_scale(network)
    root = math.sqrt(scale["K"])
    pairs = ((scale["weight_e"] * root, J), (-scale["weight_i"] * root, g * J))
    return max((w / usual for w, usual in pairs if usual and not math.isnan(w)), default=0.0)


def describe_matrix(network: "Network", preset: str, J: float, g: float) -> str:
    """What a weight of the user's matrix is, beside those of a preset, in one line."""
    mean = {name: _number(value) for name, value in weight_scale(network).items()}
    return (
        f"W[post, pre] {scaled_as(network)}: mean weights {mean['weight_e']} (E) and "
        f"{mean['weight_i']} (I), in-degree {mean['K']}, where drawn networks have J/sqrt(K) and "
        f"-g*J/sqrt(K); preset {preset}: J = {J:.3g}, g = {g:.3g}"
    )


def scaled_as(network: "Network") -> str:
    """How the user's matrix became the weights, in words."""
    from hrsnn_brian.network.matrix_fields import AS_GIVEN, BY_IN_DEGREE

    scale, radius = network.params.graph.scale, network.params.weights.spectral_radius
    if scale == BY_IN_DEGREE:
        return "divided by sqrt(K)"
    if scale == AS_GIVEN and radius is None:
        return "as given"
    return f"scaled to spectral radius {radius if scale == AS_GIVEN else scale:g}"


def history_lines(history: Iterable[Mapping[str, Any]]) -> list[str]:
    """What was done to a network, a line per operation and one per table in it."""
    lines = []
    for entry in history:
        plain = {key: value for key, value in entry.items() if not isinstance(value, Mapping)}
        lines.append(f"{plain.pop('operation', 'operation')}: {_values(plain)}")
        tables = ((key, value) for key, value in entry.items() if isinstance(value, Mapping))
        lines += [f"    {key}: {_values(table)}" for key, table in tables]
    return lines


def _values(table: Mapping[str, Any]) -> str:
    from hrsnn_brian.settings.listing import shown

    return ", ".join(
        f"{key} = {f'{value:.4g}' if isinstance(value, float) else shown(value)}"
        for key, value in table.items()
    )


def activity_noted() -> AbstractContextManager[None]:
    """Inside, warnings of a network's activity are notes of the command; each is given once."""
    from hrsnn_brian.dynamics.cost import activity_said

    return activity_said(lambda text: note(f"warning: {text}"))


def engine_facts(engine: "Engine") -> dict[str, Any]:
    """Device, builds, runs and the seconds in each."""
    return {"device": engine.device, **engine.stats.to_dict()}


def make_engine(device: str) -> "Engine":
    """An engine that says on standard error when it compiles."""
    from hrsnn_brian.runs.progress import EngineProgress
    from hrsnn_brian.simulation import Engine

    return Engine(device=device, on_progress=EngineProgress())
