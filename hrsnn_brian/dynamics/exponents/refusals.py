"""Rows of the validation table for what must be refused, and for values that only fine steps give.

A value that a check refuses is NaN; here it counts as 0 values given.
"""

import warnings
from dataclasses import replace

import numpy as np

from hrsnn_brian.dynamics.exponents.nodes import NodeProtocol, node_exponents
from hrsnn_brian.dynamics.exponents.spiking import DriveMaker, Protocol
from hrsnn_brian.dynamics.exponents.systems import ValidationRow
from hrsnn_brian.dynamics.exponents.time_step import agreed_spectrum, lambda_inf
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.network.runaway import RunawayWarning, runaway_rate
from hrsnn_brian.simulation import Engine

# lambda_inf, 1/s, of `order_network` with the inputs and initial states of the default protocol
# (five segments of 2 s): the tangent vector of the tests that meets every spike at its own time
# (`python tests/dynamics/test_oracle.py`, five minutes), standard error 0.10.
REFERENCE_EVENT_BASED = -0.14
EVENT_TOLERANCE = 0.75  # 1/s; at 0.1 and 0.05 ms the exponent is 1.04 and 0.96

_SHORT = Protocol(duration=2.0, segments=2)
_TAU_RESOLVED, _TAU_LOST = 20e-3, 3e-3


def order_network() -> Network:
    """50 neurons of network C without refractoriness: the order of spikes within a step matters."""
    overrides = ["N=50", "graph.K=10", "neuron.t_ref=0 ms"]
    return build_network(load_preset("network-C", overrides), 3)


def refusal_rows(engine: Engine, silent: Network, drive: DriveMaker) -> tuple[ValidationRow, ...]:
    """The rows; silent: neurons without synapses below threshold under `drive`."""
    return (
        ValidationRow.single(
            "50 neurons of network-C, no refractory period, against events in their order",
            "lambda_inf at steps that agree, 1/s",
            REFERENCE_EVENT_BASED,
            EVENT_TOLERANCE,
            lambda: lambda_inf(order_network(), engine=engine).value,
        ),
        ValidationRow(
            name="dense with N = 200: no limit as dt -> 0",
            quantities=("explodes (1: yes)", "lambda_inf given (0: refused)", "spectra given"),
            expected=(1.0, 0.0, 0.0),
            tolerance=(0.0, 0.0, 0.0),
            measure=lambda: _without_limit(engine),
        ),
        ValidationRow(
            name="dense with N = 200, another seed: steps with too many events",
            quantities=("explodes (1: yes)", "lambda_inf given (0: refused)"),
            expected=(0.0, 0.0),
            tolerance=(0.0, 0.0),
            measure=lambda: _too_many_events(engine),
        ),
        ValidationRow(
            name="node exponents of silent neurons, one with a membrane of 3 ms",
            quantities=("exponents, 1/s", "spread of the exponents, 1/s", "neurons without one"),
            expected=(-1.0 / _TAU_RESOLVED, 0.0, 1.0),
            tolerance=(0.05, 0.05, 0.0),
            measure=lambda: _node_exponents(engine, silent, drive),
        ),
    )


def _dense(seed: int) -> Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunawayWarning)  # it is what the row is about
        return build_network(load_preset("dense", ["N=200"]), seed)


def _given(value: float) -> float:
    return float(np.isfinite(value))


def _without_limit(engine: Engine) -> tuple[float, float, float]:
    network = _dense(1)
    largest = lambda_inf(network, engine=engine, protocol=_SHORT).value
    spectrum = agreed_spectrum(network, engine=engine, k=2, protocol=_SHORT).result
    return float(runaway_rate(network) > 0), _given(largest), _given(spectrum.largest)


def _too_many_events(engine: Engine) -> tuple[float, float]:
    """Steps at which the default ones' value, which is valid, cannot be had."""
    network = _dense(0)
    steps = ("0.5 ms", "0.25 ms")
    found = lambda_inf(network, engine=engine, protocol=_SHORT, time_steps=steps, refinements=0)
    return float(runaway_rate(network) > 0), _given(found.value)


def _node_exponents(
    engine: Engine, silent: Network, drive: DriveMaker
) -> tuple[float, float, float]:
    tau_m = np.full(silent.n_neurons, _TAU_RESOLVED)
    tau_m[7] = _TAU_LOST
    found = node_exponents(
        replace(silent, tau_m=tau_m),
        engine=engine,
        # no more copies than fit into the program of the other rows
        protocol=NodeProtocol(segments=2, warmup=0.1, batch=12),
        drive=drive,
    )
    known = found.exponents[found.resolved]
    return float(known.mean()), float(np.ptp(known)), float(np.sum(~found.resolved))
