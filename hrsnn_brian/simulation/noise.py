"""Task-agnostic drives: white or coloured noise for each neuron, or common noise for all."""

import math

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.machine import require_memory
from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation.drive import Drive, States

CORRELATION_TIME = 20e-3  # s
COMMON_SAMPLES = 5.0  # correlation time of common noise, in samples
SHORTEST_SHOWN = 20e-3  # s that a value of common noise is shown, or longer


def noise_drive(
    network: Network, seconds: float, seed: int, record_states: States = True, traces: bool = True
) -> Drive:
    """Gaussian white noise held for one sample, of at least 20 samples.

    Each neuron gets independent noise whose mean and variance are those its population's encoder
    would give for a standard normal input (our choice).
    """
    rows = _rows(network, seconds, columns=1)
    mean, sd = encoder_moments(network)
    return Drive(
        np.zeros((rows, 1)),
        noise_sd=sd,
        undriven_mean=mean,
        seed=seed,
        record_states=record_states,
        traces=traces,
    )


def coloured_drive(network: Network, seconds: float, seed: int) -> Drive:
    """An Ornstein-Uhlenbeck current for each neuron, held for one sample; for "current" encoders.

    The standard deviation is the encoder's gain, `CORRELATION_TIME` that of the input of the
    presets network-A to network-D. Raises InputError for another encoder.
    """
    encoder, timing = network.params.encoder, network.params.timing
    if encoder.kind != "current":
        raise InputError("encoder.kind", encoder.kind, "must be 'current' for a coloured drive")
    rows = _rows(network, seconds, columns=2 * network.n_neurons)
    random = rng(seed, "input", "coloured")
    decay = np.exp(-timing.sample / CORRELATION_TIME)
    kicks = random.standard_normal((rows + 1, network.n_original)) * np.sqrt(1 - decay**2)
    x = kicks[0] / np.sqrt(1 - decay**2)  # stationary from the start
    current = np.empty((rows, network.n_neurons))
    for row in range(rows):
        x = decay * x + kicks[row + 1]
        current[row] = x[network.neuron_id]
    return Drive(encoder.gain * current, direct=True, seed=seed, record_states=False, traces=False)


def common_drive(network: Network, seconds: float, seed: int) -> Drive:
    """One noise u(k) for all neurons, shown through the encoder, see `common_noise`.

    Neurons that see it alike are moved together, as by a task; independent noise averages out in
    what they send. Raises InputError for an encoder that shows nothing.
    """
    require_encoder(network)
    rows, held = _rows(network, seconds, columns=1), held_samples(network)
    u = np.repeat(common_noise(-(-rows // held), seed), held)[:rows]
    return Drive(u[:, None], seed=seed, record_states=False, traces=False)


def held_samples(network: Network) -> int:
    """Samples that show one value of common noise: 1, or as many as make 20 ms. [our choice]"""
    return math.ceil(SHORTEST_SHOWN / network.params.timing.sample * (1 - 1e-9))


def common_noise(
    samples: int, seed: int, correlation: float = COMMON_SAMPLES
) -> NDArray[np.float64]:
    """Gaussian AR(1) noise (samples,) of mean 0 and variance 1, stationary from the start.

    correlation: samples after which its autocorrelation is 1/e.
    """
    a = math.exp(-1 / correlation)
    u = rng(seed, "input", "common").standard_normal(samples)
    u[1:] *= math.sqrt(1 - a**2)
    for k in range(1, samples):
        u[k] += a * u[k - 1]
    return u


def require_encoder(network: Network) -> None:
    """Raises InputError for an encoder that shows the network nothing."""
    if network.params.encoder.gain == 0:
        raise InputError("encoder.gain", 0.0, "must not be 0 for common noise through the encoder")


def _rows(network: Network, seconds: float, columns: int) -> int:
    """Samples in `seconds`. Raises EngineError if there is no memory for an input so long."""
    rows = max(20, round(seconds / network.params.timing.sample))
    require_memory(3 * 8.0 * rows * columns, f"an input of {seconds:g} s")  # checked and sent, too
    return rows


def encoder_moments(network: Network) -> tuple[float, float]:
    """Mean and standard deviation, over neurons and u ~ N(0, 1), of the encoder's current.

    Gauss-Hermite quadrature over u; the direction's sign does not matter, u being symmetric.
    """
    encoder = network.params.encoder
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    weights = weights / weights.sum()
    if encoder.kind == "current":
        return 0.0, abs(encoder.gain)
    current = encoder.gain * np.exp(
        -((nodes[None, :] - network.center[:, None]) ** 2) / (2 * encoder.width**2)
    )
    mean = float((current @ weights).mean())
    second = float((current**2 @ weights).mean())
    return mean, float(np.sqrt(max(second - mean**2, 0.0)))
