"""The oracles of the spiking exponents, checked against derivatives and analytic values."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from event_driven import EventDriven
from lif_network import LIFNetwork, State, kick_response, random_state
from networks_abcd import build, frozen_input
from reference_lif import simulate


def uncoupled(n: int = 20, t_ref: float = 2e-3) -> LIFNetwork:
    generator = np.random.default_rng(0)
    return LIFNetwork(
        W=sp.csr_array((n, n)),
        is_e=np.arange(n) < n // 2,
        tau_m=generator.uniform(8e-3, 30e-3, n),
        tau_e=np.full(n, 5e-3),
        tau_i=np.full(n, 10e-3),
        v_th=generator.uniform(0.6, 1.0, n),
        t_ref=t_ref,
    )


def test_kick_response_solves_its_equation() -> None:
    """Against scipy's matrix exponential, also where both time constants are equal."""
    from scipy.linalg import expm

    for tau_m, tau_s in ((20e-3, 5e-3), (10e-3, 10e-3), (5e-3, 5e-3 * (1 + 1e-10))):
        flow = np.array([[-1 / tau_m, 1 / tau_m], [0.0, -1 / tau_s]])
        for h in (0.0, 1e-5, 3e-3):
            expected = expm(flow * h)[0, 1]
            assert kick_response(h, tau_m, tau_s) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("reset", ["hard", "subtractive"])
@pytest.mark.parametrize("t_ref", [2e-3, 0.0])
def test_event_driven_tangent_is_the_derivative_of_the_trajectory(reset: str, t_ref: float) -> None:
    """Finite difference of two trajectories over 150 ms, every neuron with several spikes."""
    net = build("C", 2, reset=reset, t_ref=t_ref, n=60)
    current = 0.6 + frozen_input("C", 0.15, n=60)
    arguments = {"dt": 2.5e-4, "steps": 600, "every": 10_000}
    start = random_state(60).v[0]
    base, shifted = EventDriven(net, start), EventDriven(net, start)
    epsilon = 1e-8
    first = [a.copy() for a in (base.dv, base.de, base.dq)]
    for name, offset in zip(("v", "e", "q"), first, strict=True):
        setattr(shifted, name, getattr(shifted, name) + epsilon * offset)
    spikes, _ = base.run(current, **arguments)
    shifted.run(current, **arguments)
    assert len(spikes) > 200
    found = np.concatenate([base.dv, base.de, base.dq])
    difference = [getattr(shifted, a) - getattr(base, a) for a in ("v", "e", "q")]
    expected = np.concatenate(difference) / epsilon
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error < 1e-3


def low_state(n: int) -> State:
    """Nobody above threshold at the start."""
    state = random_state(n)
    return replace(state, v=0.5 * state.v)


def test_below_threshold_both_measure_the_leak() -> None:
    net = uncoupled()
    net = replace(net, tau_m=np.append(np.minimum(net.tau_m[1:], 20e-3), 40e-3))
    current = np.full((400, net.n), 0.3)
    run = simulate(
        net, current, dt=1e-4, steps=4000, state=low_state(net.n), d0=(1e-6,), tangent=True
    )
    assert not run.spikes
    for logs in (run.copy_logs[10:, 0], run.tangent_logs[10:]):
        assert logs[-1] / 20e-3 == pytest.approx(-1.0 / 40e-3, rel=1e-3)


@pytest.mark.parametrize("rule", ["linear", "parabola"])
@pytest.mark.parametrize("t_ref", [2e-3, 0.0])
def test_uncoupled_neurons_keep_a_shift_of_their_spikes(rule: str, t_ref: float) -> None:
    net = uncoupled(t_ref=t_ref)
    current = np.full((2000, net.n), 1.5)
    run = simulate(
        net,
        current,
        dt=1e-4,
        steps=10_000,
        state=random_state(net.n),
        d0=(1e-8,),
        tangent=True,
        rule=rule,
    )
    for logs in (run.copy_logs[25:, 0], run.tangent_logs[25:]):
        assert abs(logs.mean() / 20e-3) < 1.0


def fourth_spikes(times: np.ndarray, neurons: np.ndarray, n: int) -> np.ndarray:
    """Time of each neuron's fourth spike."""
    return np.array([np.sort(times[neurons == j])[3] for j in range(n)])


def test_spikes_of_the_grid_converge_to_those_of_the_network() -> None:
    """A smaller step brings spike times closer; the parabola is better than the chord."""
    net = uncoupled()
    current = np.full((300, net.n), 1.5)
    state = low_state(net.n)
    spikes, _ = EventDriven(net, state.v[0]).run(current, dt=1e-4, steps=2000, every=10_000)
    truth = fourth_spikes(spikes[:, 0], spikes[:, 1], net.n)
    error = {}
    for rule in ("linear", "parabola"):
        for dt in (5e-4, 1e-4):
            run = simulate(net, current, dt=dt, steps=round(0.2 / dt), state=state, rule=rule)
            times = np.array([(s.step + 1) * dt - s.h for s in run.spikes])
            neurons = np.array([s.neuron for s in run.spikes])
            error[rule, dt] = np.abs(fourth_spikes(times, neurons, net.n) - truth).max()
    assert error["linear", 1e-4] < error["linear", 5e-4] / 3
    assert error["parabola", 1e-4] < error["parabola", 5e-4] / 3
    assert error["parabola", 1e-4] < error["linear", 1e-4]


def test_tangent_and_copies_agree_on_a_chaotic_network() -> None:
    net = build("C")
    run = simulate(
        net,
        frozen_input("C", 2.0),
        dt=1e-4,
        steps=20_000,
        state=random_state(net.n),
        d0=(1e-8, 1e-10),
        tangent=True,
        rule="parabola",
    )
    growth = run.copy_logs[25:] / 20e-3
    assert abs(growth[:, 0].mean() - growth[:, 1].mean()) < 0.5
    assert abs(growth.mean() - run.tangent_logs[25:].mean() / 20e-3) < 2.0
