"""The validation table of the exponents: every case with a known answer, measured by an engine.

Flows and maps (`systems.py`, `hard_cases.py`) test the estimator, also by what it must refuse; the
networks here test the simulation as well.
Neurons without synapses have analytic exponents: below threshold the slowest of their leaks,
above it 0, since a shifted spike train stays shifted. Identical copies may never part. For the
networks A to D, which have no analytic answer, the references come from an independent tangent
vector on the same realisation and input.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse

from hrsnn_brian.dynamics.exponents.growth import UNCONVERGED
from hrsnn_brian.dynamics.exponents.hard_cases import HARD_ROWS
from hrsnn_brian.dynamics.exponents.refusals import refusal_rows
from hrsnn_brian.dynamics.exponents.spiking import (
    DriveMaker,
    Protocol,
    default_drive,
    lyapunov_spectrum,
    random_directions,
    with_time_step,
)
from hrsnn_brian.dynamics.exponents.systems import (
    SYSTEM_ROWS,
    SYSTEMS,
    ValidationRow,
    run_self_test,
)
from hrsnn_brian.dynamics.exponents.time_step import lambda_inf
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.presets import list_presets, load_preset
from hrsnn_brian.simulation import Drive, Engine, Perturbation, simulate_perturbed

__all__ = ["list_systems", "run_self_test", "validation_rows"]

# Realisations and inputs of all rows: the references below belong to this seed.
SEED = 0
# lambda_inf, 1/s, of the presets network-A to network-D with seed 0 and the inputs and initial
# states of the default protocol (five segments of 2 s): the tangent vector with jumps of the tests
# (saltation.py) on its own trajectory at dt = 0.05 ms, standard errors 0.3, 0.2, 1.1 and 1.0.
REFERENCE_LAMBDA_INF = {
    "network-A": -9.58,
    "network-B": -1.62,
    "network-C": 3.28,
    "network-D": 3.57,
}
NETWORK_STEP = "0.05 ms"
NETWORK_TOLERANCE = 2.0  # 1/s

_SLOWEST_MEMBRANE, _SLOW_SYNAPSE, _SHORTEST = 40e-3, 50e-3, 3.5e-3
_RELATIVE = 1e-3  # tolerance below threshold
# Linear systems allow a large d0, whose decay is far above the rounding of the potentials.
_LINEAR = Protocol(duration=2.0, segments=1, d0=1e-6)


def list_systems() -> dict[str, str]:
    """Name -> one-line description of everything with known or reference exponents."""
    presets = list_presets()
    flows = {name: system.description for name, system in SYSTEMS.items()}
    return flows | {name: presets[name] for name in REFERENCE_LAMBDA_INF}


def validation_rows(engine: Engine) -> tuple[ValidationRow, ...]:
    """The whole validation table, for `run_self_test`; the networks run in three programs."""
    return (
        *SYSTEM_ROWS,
        *HARD_ROWS,
        _silent_row("slow membrane", _SLOWEST_MEMBRANE, lambda: _slow_membrane(engine)),
        _silent_row("slow synapse", _SLOW_SYNAPSE, lambda: _slow_synapse(engine)),
        _silent_row("all times short", _SHORTEST, lambda: _all_short(engine)),
        ValidationRow.single(
            "uncoupled LIF, constant drive above threshold",
            "lambda_inf, 1/s",
            0.0,
            2.0,
            lambda: _largest(  # its time constants and refractory period are network A's
                engine, uncoupled("neuron.bias=1.5"), constant_drive, Protocol(segments=1)
            ),
        ),
        ValidationRow.single(
            "identical copies of network-D",
            "intervals with a distance not exactly 0",
            0.0,
            0.0,
            lambda: _identical_copies(engine),
        ),
        *(_network_row(engine, name) for name in REFERENCE_LAMBDA_INF),
        *refusal_rows(engine, uncoupled("neuron.bias=0.5"), constant_drive),
    )


def uncoupled(*overrides: str) -> Network:
    """Network A without synapses: the same neurons and the same compiled program."""
    return build_network(load_preset("network-A", ["weights.J=0", *overrides]), SEED)


def constant_drive(network: Network, duration: float, seed: int) -> Drive:
    """No input but each neuron's bias."""
    return _direct(np.zeros((_rows(network, duration), network.n_neurons)), seed)


def first_neuron_until(time: float, current: float) -> DriveMaker:
    """A drive that gives the first neuron `current` until `time` (s) and all others none."""

    def drive(network: Network, duration: float, seed: int) -> Drive:
        stimulus = np.zeros((_rows(network, duration), network.n_neurons))
        stimulus[: round(time / network.params.timing.sample), 0] = current
        return _direct(stimulus, seed)

    return drive


def _direct(stimulus: np.ndarray, seed: int) -> Drive:
    return Drive(stimulus, direct=True, seed=seed, record_states=False, traces=False)


def _rows(network: Network, duration: float) -> int:
    return round(duration / network.params.timing.sample)


def _silent_row(slowest: str, time_constant: float, measure: Callable[[], float]) -> ValidationRow:
    """max(-1/tau_m, -1/tau_syn), where `slowest` says which of the two it is."""
    name, within = f"LIF below threshold, {slowest}", _RELATIVE / time_constant
    return ValidationRow.single(name, "lambda_inf, 1/s", -1.0 / time_constant, within, measure)


def _slow_membrane(engine: Engine) -> float:
    """One membrane of 40 ms among those of 20 ms, synaptic currents of 5 and 10 ms."""
    network = uncoupled("neuron.bias=0.5", "neuron.tau_m=20 ms")
    tau_m = network.tau_m.copy()
    tau_m[7] = _SLOWEST_MEMBRANE
    return _largest(engine, replace(network, tau_m=tau_m), constant_drive)


def _slow_synapse(engine: Engine) -> float:
    """Membranes of 10 ms, excitatory currents of 50 ms.

    Copies are perturbed in their potentials alone, so a difference of currents has to be made:
    shortly after the perturbation the first neuron fires, at another time in the copy, onto the
    second one through the only synapse. Then all are silent, and only then growth counts.
    """
    network = uncoupled("neuron.bias=0.5", "neuron.tau_m=10 ms", "synapse.tau_e=50 ms")
    weights = sparse.csr_array(([0.1], ([1], [0])), shape=network.W.shape)
    fires = first_neuron_until(_LINEAR.warmup + 0.2 * _LINEAR.align, current=1.5)
    return _largest(engine, network.with_weights(weights), fires)


def _all_short(engine: Engine) -> float:
    """Distances shrink 300-fold between renormalisations, although no spike straddles any."""
    network = uncoupled("neuron.bias=0.5", "neuron.tau_m=3 ms", "synapse.tau_i=3 ms")
    network = replace(network, tau_e=np.full(network.n_neurons, _SHORTEST))
    return _largest(engine, network, constant_drive)


def _largest(
    engine: Engine, network: Network, drive: DriveMaker, plan: Protocol = _LINEAR
) -> float:
    found = lyapunov_spectrum(network, engine=engine, protocol=plan, drive=drive, seed=SEED)
    return found.largest


def _identical_copies(engine: Engine) -> float:
    """Two copies that were not perturbed at all, in the most chaotic network, for 5 s."""
    network = with_time_step(build_network(load_preset("network-D"), SEED), NETWORK_STEP)
    watch = Perturbation(
        random_directions(2, network.n_neurons, SEED),
        d0=0.0,
        start=0.5,
        interval=20e-3,
        action="watch",
    )
    divergence = simulate_perturbed(engine, network, default_drive(network, 5.5, SEED), watch)
    if not (divergence.log_growth.size and divergence.spike_count.any()):
        return math.nan
    # the logarithm of a distance of 0 is -inf, or NaN where it was divided by d0 = 0 before
    return float(np.sum(divergence.log_growth > -np.inf))


def _network_row(engine: Engine, name: str) -> ValidationRow:
    def measure() -> tuple[float, float]:
        network = build_network(load_preset(name), SEED)
        found = lambda_inf(network, engine=engine, time_steps=(NETWORK_STEP,), seed=SEED)
        return found.value, found.d0_difference

    return ValidationRow(
        name=name,
        quantities=(
            f"lambda_inf at dt = {NETWORK_STEP}, 1/s",
            "its change from d0 = 1e-10 to 1e-6, 1/s",
        ),
        expected=(REFERENCE_LAMBDA_INF[name], 0.0),
        tolerance=(NETWORK_TOLERANCE, UNCONVERGED),
        measure=measure,
    )
