"""From a network to a sparse one: the pruning loop, with its measurements from the engine."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Engine, Recording, noise_drive, simulate
from hrsnn_brian.sparsification.budget import resolve_budget
from hrsnn_brian.sparsification.covariance import trace_covariance
from hrsnn_brian.sparsification.methods import get_method, prune

COVARIANCES = ("simulated", "linear")
COVARIANCE_SECONDS = 60.0
COVARIANCE_TRACE = 100e-3  # of the recorded traces, the one closest to this is the filtered rate


def prune_network(
    network: Network,
    method: str,
    *,
    engine: Engine,
    seed: int = 0,
    keep: float | None = None,
    density: float | None = None,
    synapses: int | None = None,
    neurons: int | None = None,
    rounds: int = 1,
    compensation: str | None = None,
    options: Mapping[str, str] | None = None,
    covariance: str = "simulated",
) -> Network:
    """Prune by a named method to exactly one of `keep`, `density` or `synapses`.

    Methods that need the covariance of rates get it from a white-noise run of the network as it
    stands at each round ("simulated") or from the linear response ("linear"). Simulated runs use
    the program of the task runs, so pruning builds nothing.

    Raises InputError for unknown names, values out of range or a budget that cannot be met.
    """
    if covariance not in COVARIANCES:
        raise unknown_name("covariance", covariance, COVARIANCES)
    budget = resolve_budget(network, keep, density, synapses, neurons)

    def measured(current: Network) -> NDArray[np.float64]:
        return noise_covariance(current, engine, seed)

    source = measured if covariance == "simulated" else "linear"
    return prune(
        network,
        method,
        budget,
        seed,
        rounds=rounds,
        compensation=compensation,
        options=options,
        covariance=source if get_method(method).needs_covariance else None,
        neurons=neurons,
    )


def noise_covariance(
    network: Network, engine: Engine, seed: int, seconds: float = COVARIANCE_SECONDS
) -> NDArray[np.float64]:
    """Covariance (N, N) of the filtered rates under white noise, see `noise_run`.

    The filter is the recorded trace closest to 100 ms; the first tenth is left out.
    """
    recording = noise_run(network, engine, seed, seconds)
    taus = network.params.timing.traces
    nearest = int(np.argmin([abs(np.log(tau / COVARIANCE_TRACE)) for tau in taus]))
    traces = recording.states[f"s{nearest + 1}"]
    return trace_covariance(traces[len(traces) // 10 :])


def noise_run(
    network: Network, engine: Engine, seed: int, seconds: float, record_states: bool = True
) -> Recording:
    """A run under the task-agnostic white noise of `noise_drive`."""
    return simulate(engine, network, noise_drive(network, seconds, seed, record_states))
