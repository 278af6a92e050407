"""The dynamics of one network as one row: activity, exponents, memory, dimension, eigenmodes.

Units are in the names. All inputs are task-agnostic, frozen and seeded: white noise into every
neuron (activity, exponents, `effective_dimension_noise`), standard normal samples through the
encoder (`memory_capacity`, `effective_dimension_input`), or correlated ones (`common_noise_row`:
independent noise does not excite the coherent mode in which a network runs away). The formulas are
in `dynamics.activity`, `dynamics.eigenmodes`, `dynamics.echo` and `dynamics.exponents`.
Autocorrelation times are of spike counts in bins of one sample time, 20 ms by default: half of it,
10 ms, is what white noise has. [our choice]
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_brian.dynamics.activity import (
    autocorrelation_time,
    effective_dimension,
    isi_cv,
    population_rate,
)
from hrsnn_brian.dynamics.cost import network_cost
from hrsnn_brian.dynamics.eigenmodes import leading_modes, linearised, participation_ratio
from hrsnn_brian.errors import NoEchoError
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.score import Score
from hrsnn_brian.files.tables import Row
from hrsnn_brian.seeds import rng

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.network import Network

MODES = 10  # leading eigenvectors whose participation is averaged, as in step 3 of LNP
INPUT_SAMPLES = 2000
# Those compared in a summary.
MEASURES = (
    "rate_hz",
    "silent_fraction",
    "isi_cv",
    "lambda_1_per_s",
    "growth_per_s",
    "lambda_common_per_s",
    "growth_common_per_s",
    "input_echo",
    "kaplan_yorke_dimension",
    "entropy_rate_nats_per_s",
    "population_autocorrelation_ms",
    "neuron_autocorrelation_ms",
    "effective_dimension_noise",
    "effective_dimension_input",
    "memory_capacity",
    "spectral_abscissa_per_s",
    "participation_ratio",
    "synaptic_ops_per_s",
)

COLUMNS = (
    Column("isi_cv", "coefficient of variation of inter-spike intervals, mean over neurons", "1"),
    Column("population_autocorrelation_ms", "autocorrelation time of the population's rate", "ms"),
    Column("neuron_autocorrelation_ms", "autocorrelation time of a neuron's counts, mean", "ms"),
    Column("effective_dimension_noise", "participation ratio of rates under noise", "1"),
    Column("effective_dimension_input", "participation ratio of rates under one input", "1"),
    Column("kaplan_yorke_dimension", "Kaplan-Yorke dimension of the exponents", "1"),
    Column("growth_per_s", "growth of random perturbations in 200 ms", "1/s"),
    Column("entropy_rate_nats_per_s", "sum of the positive exponents", "nats/s"),
    Column("exponent_check", "why exponents are missing", role="note"),
    Column("participation_share", "participation ratio as a fraction of the neurons", "1"),
)


@dataclass(frozen=True)
class Lengths:
    """How much is measured. noise_seconds: biological time of the activity. exponents: how many;
    exponent_seconds: measured time of the spectrum, in `segments` inputs."""

    noise_seconds: float
    exponents: int
    exponent_seconds: float
    segments: int


def dynamics_row(network: "Network", measure: "Measurements", lengths: Lengths) -> Row:
    """All measures of a network; what is not defined, or failed its check, is NaN or None."""
    return {
        **_activity(network, measure, lengths.noise_seconds),
        "effective_dimension_input": _input_dimension(network, measure),
        "memory_capacity": measure.memory_capacity(network),
        **_exponents(network, measure, lengths),
        "growth_per_s": measure.growth(network),
        **common_noise_row(network, measure),
        **_modes(network, lengths.exponents),
    }


def echo_columns(network: "Network", measure: Any) -> Row:
    """The input echo and its error; NaN for a network without one (`NoEchoError`)."""
    try:
        return {"input_echo": measure.echo(network), "input_echo_se": measure.echo_error}
    except NoEchoError:
        return {"input_echo": math.nan, "input_echo_se": math.nan}


def common_noise_row(network: "Network", measure: Any) -> Row:
    """Echo, exponent and short growth under common noise shown through the encoder.

    measure: `Measurements`, or what answers like it. A network whose encoder shows it nothing has
    none of these columns.
    """
    if network.params.encoder.gain == 0:
        return {}
    return {
        **echo_columns(network, measure),
        "lambda_common_per_s": measure.common_lambda_1(network),
        "lambda_common_error_per_s": measure.common_lambda_1_error,
        "growth_common_per_s": measure.common_growth(network),
        "growth_common_error_per_s": measure.common_growth_error,
    }


def _activity(network: "Network", measure: "Measurements", seconds: float) -> Row:
    """Under white noise, after the first tenth: rates, irregularity, correlation in time."""
    from hrsnn_brian.dynamics.probe import filtered_rates, rate_states
    from hrsnn_brian.simulation import noise_drive, simulate

    drive = noise_drive(network, seconds, measure.seed, rate_states(network))
    drive = replace(drive, record_spikes=True)
    recording = simulate(measure.engine, network, drive)
    index, times = recording.spike_index, recording.spike_time
    assert index is not None and times is not None  # noqa: PT018 - the drive asked for them
    start, n = recording.seconds / 10, network.n_neurons
    late = times >= start
    index, times, length = index[late], times[late] - start, recording.seconds - start
    counts = np.bincount(index, minlength=n)
    cost = network_cost(network.W, counts, length)
    bin_width = network.params.timing.sample
    together = population_rate(times, n, length, bin_width)
    apart = [
        autocorrelation_time(population_rate(times[index == k], 1, length, bin_width), bin_width)
        for k in np.flatnonzero(counts)
    ]
    return {
        "rate_hz": cost.rate_hz,
        "silent_fraction": cost.silent_fraction,
        "synaptic_ops_per_s": cost.synaptic_ops_per_s,
        "isi_cv": _mean(isi_cv(index, times, n)),
        "population_autocorrelation_ms": 1e3 * autocorrelation_time(together, bin_width),
        "neuron_autocorrelation_ms": 1e3 * _mean(np.array(apart)),
        "effective_dimension_noise": effective_dimension(filtered_rates(network, recording)),
    }


def _input_dimension(network: "Network", measure: "Measurements") -> float:
    from hrsnn_brian.dynamics.probe import filtered_rates, rate_states
    from hrsnn_brian.simulation import Drive, simulate

    u = rng(measure.seed, "task", "dimension").standard_normal((INPUT_SAMPLES, 1))
    drive = Drive(u, seed=measure.seed, record_states=rate_states(network))
    recording = simulate(measure.engine, network, drive)
    return effective_dimension(filtered_rates(network, recording))


def _exponents(network: "Network", measure: "Measurements", lengths: Lengths) -> Row:
    """Leading Lyapunov exponents; `exponent_check` says why they are missing."""
    from hrsnn_brian.dynamics.exponents.spiking import Protocol, lyapunov_spectrum

    plan = Protocol(duration=lengths.exponent_seconds, segments=lengths.segments)
    found = lyapunov_spectrum(
        network, engine=measure.engine, k=lengths.exponents, protocol=plan, seed=measure.seed
    )
    each = {
        f"exponent_{j}_per_s": _per_s(f"exponent_{j}_per_s", x, f"Lyapunov exponent {j}")
        for j, x in enumerate(found.exponents, start=1)
    }
    return {
        "lambda_1_per_s": found.largest,
        "kaplan_yorke_dimension": found.kaplan_yorke,
        "entropy_rate_nats_per_s": found.entropy_rate,
        "exponent_check": "; ".join(found.flags),
        **each,
    }


def _modes(network: "Network", count: int) -> Row:
    """Leading eigenvalues of A = -D + D W, their abscissa, and where the eigenvectors live."""
    values, vectors = leading_modes(linearised(network.W, network.tau_m), max(count, MODES))
    ratio = float(participation_ratio(vectors[:, :MODES]).mean())
    each: dict[str, Any] = {}
    for j, value in enumerate(values[:count], start=1):
        for part, x in (("real", value.real), ("imag", value.imag)):
            name = f"eigenvalue_{j}_{part}_per_s"
            each[name] = _per_s(name, x, f"eigenvalue {j} of -D + D W, {part} part")
    return {
        "spectral_abscissa_per_s": float(values[0].real),
        "participation_ratio": ratio,
        "participation_share": ratio / network.n_neurons,
        **each,
    }


def _per_s(name: str, value: float, label: str) -> Score:
    """One of as many columns as are asked for: it says itself what it is."""
    return Score(name, float(value), "1/s", label=label)


def _mean(values: np.ndarray) -> float:
    """Mean of the defined values, NaN if none is."""
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")
