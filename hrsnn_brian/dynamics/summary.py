"""A network in a dozen numbers: what it is, and what it does under task-agnostic noise."""

import math
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.dynamics.eigenmodes import leading_modes, linearised
from hrsnn_brian.dynamics.probe import SHORT, Measurements, noise_run
from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Engine


@dataclass(frozen=True)
class Fact:
    """A number of a network, in `unit`; NaN with a `reason` where it has none. error: its s.e."""

    name: str
    meaning: str
    value: float
    unit: str = ""
    error: float | None = None
    reason: str = ""

    @property
    def text(self) -> str:
        """As people read it."""
        if math.isnan(self.value):
            return f"none ({self.reason})"
        error = "" if self.error is None or math.isnan(self.error) else f" +- {self.error:.2g}"
        return f"{self.value:.4g}{error} {self.unit}".rstrip()


def summarise(network: Network, engine: Engine, seed: int = 0) -> list[Fact]:
    """What it is: sizes, classes, degrees, weights, time constants, spectral radius. What it does
    under noise: rate, silent neurons, lambda_1 under independent and common noise, input echo.

    lambda_1 as `Measurements` has it, at one time step.
    """
    return [*_structure(network), *_activity(network, engine, seed)]


def _structure(network: Network) -> list[Fact]:
    n, W = network.n_neurons, network.W
    e, i = W.data[W.data > 0], W.data[W.data < 0]
    tau = 1e3 * network.tau_m
    modes, _ = leading_modes(linearised(W, network.tau_m), 1)
    return [
        Fact("neurons", "neurons", n, f"of {network.n_original}"),
        Fact("neurons_e", "excitatory neurons", int(network.is_e.sum())),
        Fact("clusters", "clusters", int(np.unique(network.cluster).size)),
        Fact("synapses", "synapses", network.n_synapses, f"of {network.synapses_original}"),
        Fact("keep", "of the original synapses", network.keep),
        Fact("density", "of the possible synapses", network.density),
        Fact("in_degree", "mean in-degree", network.n_synapses / n),
        _mean("weight_e", "mean weight, excitatory", e),
        _mean("weight_i", "mean weight, inhibitory", i),
        Fact("tau_m_ms", "mean membrane time constant", float(tau.mean()), "ms"),
        Fact("tau_m_sd_ms", "its spread over neurons (sd)", float(tau.std()), "ms"),
        Fact("v_th_sd", "spread of thresholds (sd)", float(network.v_th.std())),
        Fact("spectral_radius", "spectral radius of W", _radius(network)),
        Fact("abscissa_per_s", "largest real part of A = -D + D W", modes[0].real, "1/s"),
    ]


def _mean(name: str, meaning: str, weights: np.ndarray) -> Fact:
    if not weights.size:
        return Fact(name, meaning, math.nan, reason="there are none")
    return Fact(name, meaning, float(weights.mean()))


def _radius(network: Network) -> float:
    """Largest modulus of the eigenvalues of W."""
    from scipy.sparse.linalg import eigs

    n = network.n_neurons
    if network.n_synapses == 0:
        return 0.0
    if n <= 500:
        return float(np.abs(np.linalg.eigvals(network.W.toarray())).max())
    start = np.random.default_rng(n).standard_normal(n)
    return float(np.abs(eigs(network.W, 1, which="LM", v0=start, return_eigenvectors=False))[0])


def _activity(network: Network, engine: Engine, seed: int) -> list[Fact]:
    probe = Measurements(engine, seed, SHORT)
    run = noise_run(network, engine, seed, 10.0, record_states=False)
    found = [
        Fact("rate_hz", "mean rate under noise", run.rate_hz, "Hz"),
        Fact("silent_fraction", "of its neurons silent", float(np.mean(run.spike_count == 0))),
    ]
    for name, meaning, unit, measure, error in (
        ("lambda_1_per_s", "lambda_1, independent noise", "1/s", "lambda_1", "lambda_1_error"),
        ("lambda_common_per_s", "lambda_1, common noise", "1/s", "common_lambda_1",
         "common_lambda_1_error"),
        ("input_echo", "input echo S", "", "echo", "echo_error"),
    ):  # fmt: skip
        try:
            value, reason = float(getattr(probe, measure)(network)), "a check failed"
            found.append(Fact(name, meaning, value, unit, getattr(probe, error), reason))
        except InputError as problem:
            found.append(Fact(name, meaning, math.nan, unit, None, str(problem)))
    return found
