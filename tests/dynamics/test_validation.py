"""The validation table: its rows on compiled networks, and that wrong physics would be a miss."""

from dataclasses import replace

import numpy as np
import pytest
from lif_network import LIFNetwork, State
from reference_lif import simulate

from hrsnn_brian.dynamics.exponents import validation
from hrsnn_brian.dynamics.exponents.spiking import Protocol, lyapunov_spectrum, segment_seed
from hrsnn_brian.dynamics.exponents.systems import ValidationOutcome, ValidationRow, run_self_test
from hrsnn_brian.dynamics.exponents.validation import constant_drive, uncoupled, validation_rows
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.simulation import Engine, Perturbation, coloured_drive
from hrsnn_brian.simulation.scene import initial_potential


def row_of(engine: Engine, start: str) -> ValidationRow:
    (found,) = [row for row in validation_rows(engine) if row.name.startswith(start)]
    return found


def measured(engine: Engine, start: str) -> ValidationOutcome:
    return run_self_test([row_of(engine, start)])[0]


def test_the_table_is_complete_and_every_quantity_has_a_tolerance():
    rows = validation_rows(Engine("numpy"))
    names = " ".join(row.name for row in rows)
    for case in ("Lorenz", "Rössler", "logistic", "Hénon", "below threshold", "above threshold"):
        assert case in names
    for case in ("limit cycle", "torus", "1e7 times", "own work array", "lost at once", "rounding"):
        assert case in names
    for case in ("identical copies", *(f"network-{letter}" for letter in "ABCD")):
        assert case in names
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert len(row.quantities) == len(row.expected) == len(row.tolerance) > 0
        assert np.isfinite([*row.expected, *row.tolerance]).all()


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("LIF below threshold, slow membrane", -1 / 40e-3),
        ("LIF below threshold, slow synapse", -1 / 50e-3),
        ("uncoupled LIF", 0.0),
    ],
)
def test_analytic_rows(start, expected, compiled_engine):
    outcome = measured(compiled_engine, start)
    assert outcome.row.expected == (pytest.approx(expected),)
    assert outcome.passed
    assert outcome.found == (pytest.approx(expected, abs=0.02),)


@pytest.mark.compiled
def test_another_time_constant_is_a_miss(compiled_engine, monkeypatch):
    monkeypatch.setattr(validation, "_SLOWEST_MEMBRANE", 40.1e-3)
    row = row_of(compiled_engine, "LIF below threshold, slow membrane")
    monkeypatch.undo()
    assert not run_self_test([row])[0].passed


@pytest.mark.compiled
def test_copies_that_part_are_a_miss(compiled_engine, monkeypatch):
    assert measured(compiled_engine, "identical copies").passed

    def perturbed(directions: np.ndarray, **arguments: object) -> Perturbation:
        return Perturbation(directions, **arguments | {"d0": 1e-12})

    monkeypatch.setattr(validation, "Perturbation", perturbed)
    assert not measured(compiled_engine, "identical copies").passed


@pytest.mark.compiled
def test_spectrum_of_uncoupled_neurons_is_analytic(compiled_engine):
    """One neuron fires and keeps its phase; of the silent ones the slowest leak is next."""
    network = uncoupled("neuron.bias=0.5", "neuron.tau_m=20 ms")
    bias, tau_m = network.bias.copy(), network.tau_m.copy()
    bias[3], tau_m[7] = 1.5, 40e-3
    found = lyapunov_spectrum(
        replace(network, bias=bias, tau_m=tau_m),
        engine=compiled_engine,
        k=2,
        protocol=Protocol(duration=4.0, segments=1, d0=1e-8),
        drive=constant_drive,
    )
    assert found.exponents[0] == pytest.approx(0.0, abs=0.5)
    assert found.exponents[1] == pytest.approx(-25.0, rel=1e-3)


def oracle_exponent(network: Network, *, dt: float, duration: float, discard: float) -> float:
    """The tangent vector's growth, 1/s, under the first input of a protocol with seed 0."""
    names = ("W", "is_e", "tau_m", "tau_e", "tau_i", "v_th")
    copy = LIFNetwork(**{name: getattr(network, name) for name in names})
    stimulus = coloured_drive(network, duration, segment_seed(0, 0)).stimulus
    v = initial_potential(network, segment_seed(0, 0))[None]
    run = simulate(
        copy,
        network.bias + stimulus,
        dt=dt,
        steps=round(duration / dt),
        state=State(v, *np.zeros((3, *v.shape))),
        tangent=True,
        rule="parabola",
    )
    return float(run.tangent_logs[round(discard / 20e-3) :].mean() / 20e-3)


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["network-A", "network-D"])
def test_the_engine_agrees_with_the_oracle_on_a_realisation_of_the_table(name, compiled_engine):
    network = build_network(load_preset(name), validation.SEED)
    plan = Protocol(duration=2.0, segments=1, dt=validation.NETWORK_STEP)
    found = lyapunov_spectrum(network, engine=compiled_engine, protocol=plan).largest
    expected = oracle_exponent(network, dt=plan.dt, duration=3.0, discard=1.0)
    assert abs(found - expected) < validation.NETWORK_TOLERANCE
    # the five segments of the reference scatter about its mean
    assert abs(expected - validation.REFERENCE_LAMBDA_INF[name]) < 4.0
