"""lambda_inf of the compiled engine against the saltation oracle on the same trajectory.

The oracle (`reference_lif.py`, `saltation.py`) shares no code with the package: it integrates the
same network in numpy and follows a tangent vector with a jump at every spike.
"""

import numpy as np
import pytest
from lif_network import LIFNetwork, State
from reference_lif import simulate as reference_run

from hrsnn_brian.exponents.spiking import random_directions, with_time_step
from hrsnn_brian.network.build import build_network
from hrsnn_brian.parameters.presets import load_preset
from hrsnn_brian.simulation import Perturbation, coloured_drive, run_replicas
from hrsnn_brian.simulation.scene import initial_potential

SECONDS, SKIP, T_RENORM = 2.5, 0.5, 20e-3


def oracle_network(network) -> LIFNetwork:
    neuron = network.params.neuron
    return LIFNetwork(
        W=network.W,
        is_e=network.is_e,
        tau_m=network.tau_m,
        tau_e=network.tau_e,
        tau_i=network.tau_i,
        v_th=network.v_th,
        v_reset=neuron.v_reset,
        reset=neuron.reset,
        t_ref=neuron.t_ref,
    )


def both(engine, network, dt: float) -> tuple[float, float, np.ndarray, np.ndarray]:
    """lambda from perturbed copies, lambda from the tangent, spike counts of both."""
    stepped = with_time_step(network, f"{dt} s")
    drive = coloured_drive(stepped, SECONDS, seed=4)
    perturbation = Perturbation(
        random_directions(1, network.n_neurons, 0),
        d0=1e-10,
        start=SKIP,
        interval=T_RENORM,
        postpone_above=0.05,
    )
    divergence = run_replicas(engine, stepped, drive, perturbation)
    v = initial_potential(network, drive.seed)[None, :]
    start = State(v, np.zeros_like(v), np.zeros_like(v), np.zeros_like(v))
    run = reference_run(
        oracle_network(network),
        np.vstack([drive.stimulus, drive.stimulus[-1:]]) + network.bias,
        dt=dt,
        steps=round(SECONDS / dt) + 1,
        state=start,
        hold=network.params.timing.sample,
        t_renorm=T_RENORM,
        tangent=True,
        rule="parabola",
    )
    skip = round(2 * SKIP / T_RENORM)  # the tangent and the copies align first
    copies = divergence.log_growth[skip - round(SKIP / T_RENORM) :, 0]
    tangent = np.asarray(run.tangent_logs)[skip:]
    counts = np.bincount([s.neuron for s in run.spikes], minlength=network.n_neurons)
    return (
        copies.mean() / T_RENORM,
        tangent.mean() / T_RENORM,
        divergence.spike_count,
        counts,
    )


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("network-A", []),
        ("network-B", []),
        ("network-C", []),
        ("network-D", []),
        ("network-B", ["reset=subtractive"]),
        ("network-A", ["t_ref=0 ms"]),
    ],
)
def test_copies_agree_with_the_tangent_on_the_same_trajectory(compiled_engine, name, overrides):
    network = build_network(load_preset(name, overrides), seed=1)
    copies, tangent, spikes, expected = both(compiled_engine, network, dt=5e-5)
    if network.params.neuron.t_ref > 0:
        np.testing.assert_array_equal(spikes, expected)
    else:  # the rules differ in which kicks of a step a restarting neuron sees
        assert spikes.sum() == pytest.approx(expected.sum(), rel=2e-3)
    assert copies == pytest.approx(tangent, abs=2.0)
