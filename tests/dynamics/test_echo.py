"""The input echo, common noise and short growth against what they must be in closed form."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from hrsnn_brian.dynamics.echo import InputEchoProtocol, echoes, input_echo
from hrsnn_brian.dynamics.exponents.short_time import GrowthProtocol, short_growth
from hrsnn_brian.dynamics.exponents.spiking import (
    Protocol,
    lyapunov_spectrum,
    n_states,
    random_directions,
)
from hrsnn_brian.dynamics.measures import common_noise_row
from hrsnn_brian.dynamics.probe import Measurements, ProbeLengths
from hrsnn_brian.errors import InputError, NoEchoError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import common_drive
from hrsnn_brian.simulation.noise import common_noise

PLAN = InputEchoProtocol()


def filtered(u: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x_i(k) = a_i x_i(k - 1) + b_i u(k)."""
    x = np.zeros((len(u), len(a)))
    for k in range(len(u)):
        x[k] = a * x[k - 1] + b * u[k]
    return x


def perturbed(u: np.ndarray) -> np.ndarray:
    moved = u.copy()
    moved[PLAN.times] += PLAN.step
    return moved


# ---- the measure


def test_curve_and_sum_of_a_given_response_are_exact():
    """x' - x = c r^s along a vector d: E(s) = c^2 r^2s |d|^2 / sum of variances, in every row."""
    random = np.random.default_rng(0)
    x = random.standard_normal((PLAN.samples, 7)) * np.arange(1, 8)
    d, c, r = random.standard_normal(7), 0.3, 0.9
    s = np.arange(PLAN.every)
    changed = x.copy()
    for t0 in PLAN.times:
        changed[t0 : t0 + PLAN.every] += c * r ** s[:, None] * d
    found = echoes(x, changed, PLAN.times, PLAN.until + 1)
    expected = c**2 * r ** (2 * s) * (d @ d) / x[PLAN.first :].var(axis=0).sum()
    np.testing.assert_allclose(found.curves, np.tile(expected, (len(PLAN.times), 1)))
    assert found.share.mean() == pytest.approx(1.0)
    strength, error = found.sum(PLAN.since)
    assert strength == pytest.approx(expected[5:50].sum())
    assert error > 0  # of the variances alone, here


def test_neither_scale_nor_number_of_neurons_enters():
    random = np.random.default_rng(1)
    x = random.standard_normal((PLAN.samples, 5))
    changed = x + random.standard_normal(x.shape)
    first = echoes(x, changed, PLAN.times, 50).sum(5)
    many = echoes(np.tile(7 * x, 3), np.tile(7 * changed, 3), PLAN.times, 50).sum(5)
    assert many == pytest.approx(first)


def test_echo_of_linear_filters_and_its_standard_error():
    """E(s) = sum (b step a^s)^2 / sum of the variances under AR(1) input, which for pole a and
    correlation phi are b^2 (1 + a phi) / ((1 - a^2)(1 - a phi)); the error is that of repetitions.
    """
    a, b = np.array([0.9, 0.8, 0.5]), np.array([1.0, -2.0, 3.0])
    phi = math.exp(-1 / PLAN.correlation)
    variance = np.sum(b**2 * (1 + a * phi) / ((1 - a**2) * (1 - a * phi)))
    s = np.arange(PLAN.since, PLAN.until + 1)[:, None]
    expected = np.sum((b * PLAN.step * a**s) ** 2) / variance
    found = []
    for seed in range(40):
        u = common_noise(PLAN.samples, seed)
        x, changed = filtered(u, a, b), filtered(perturbed(u), a, b)
        found.append(echoes(x, changed, PLAN.times, PLAN.until + 1).sum(PLAN.since))
    values, errors = np.array(found).T
    assert values.mean() == pytest.approx(expected, rel=0.02)
    assert values.std(ddof=1) == pytest.approx(errors.mean(), rel=0.3)


def test_common_noise_is_stationary_from_the_start_and_frozen_by_its_seed():
    u = np.array([common_noise(200, seed) for seed in range(4000)])
    assert u.mean() == pytest.approx(0, abs=0.01)
    for k in (0, 100, 199):
        assert u[:, k].var() == pytest.approx(1, abs=0.08)
    for lag in (1, 5, 10):
        found = np.mean(u[:, lag:] * u[:, :-lag])
        assert found == pytest.approx(math.exp(-lag / 5), abs=0.03)
    assert np.array_equal(common_noise(200, 3), u[3])
    np.testing.assert_array_equal(common_noise(50, 3, 1e-3), common_noise(50, 3, 1e-4))  # white


def test_a_value_is_shown_for_20_ms_or_longer():
    """Of 1 ms samples 20 show one value; a sample of 40 ms shows its own."""
    for sample, held in (("1 ms", 20), ("20 ms", 1), ("40 ms", 1), ("15 ms", 2)):
        network = build_network(HRSNNParams(N=10, sample=sample), 0)
        u = common_drive(network, 1.2, 0).stimulus[:, 0]
        assert len(u) == round(1.2 / network.params.timing.sample)
        blocks = u[: len(u) // held * held].reshape(-1, held)
        assert (blocks == blocks[:, :1]).all()
        assert len(np.unique(u)) == -(-len(u) // held)


# ---- networks

SHORT = InputEchoProtocol(samples=1500)


@pytest.fixture(scope="module")
def network():
    return build_network(HRSNNParams(N=40), 0)


@pytest.mark.compiled
def test_echo_rises_with_the_gain_and_is_nearly_nothing_without_recurrence(
    network, compiled_engine
):
    """Twice in the same program the same number; in the seed of the input its error is honest."""
    found = [
        input_echo(network.with_weights(network.W * g), compiled_engine, 0, SHORT)
        for g in (0.5, 1.0, 2.0)
    ]
    alone = input_echo(network.without_recurrence(), compiled_engine, 0, SHORT)
    strengths = [alone.strength, *(echo.strength for echo in found)]
    assert strengths == sorted(strengths)
    assert 0 < alone.strength < 0.15 < strengths[-1] / 2
    assert alone.curve[0] > 100 * alone.curve[-1]
    whole = found[1]
    assert whole.strength == pytest.approx(whole.curve[5:50].sum())
    again = input_echo(network, compiled_engine, 0, SHORT)
    assert np.array_equal(again.curve, whole.curve)
    others = [input_echo(network, compiled_engine, seed, SHORT) for seed in (1, 2)]
    for echo in others:
        error = math.hypot(echo.standard_error, whole.standard_error)
        assert 0 < abs(echo.strength - whole.strength) < 4 * error
        assert 0.02 < echo.standard_error / echo.strength < 0.25
    assert whole.rate_hz == pytest.approx(others[0].rate_hz, rel=0.2)
    assert compiled_engine.stats.builds <= 1


@pytest.mark.compiled
def test_probe_answers_as_the_functions_and_says_its_errors(network, compiled_engine):
    measure = Measurements(compiled_engine, 2, ProbeLengths(echo_samples=1500))
    row = common_noise_row(network, measure)
    echo = input_echo(network, compiled_engine, 2, SHORT)
    assert (row["input_echo"], row["input_echo_se"]) == (echo.strength, echo.standard_error)
    assert row["lambda_common_per_s"] == measure.common_lambda_1(network)
    assert row["lambda_common_per_s"] != measure.lambda_1(network)
    assert row["growth_common_per_s"] != measure.growth(network)
    errors = ("lambda_common_error_per_s", "growth_common_error_per_s", "input_echo_se")
    assert all(0 < row[name] < 10 for name in errors)
    dark = replace(network, params=HRSNNParams(N=40, encoder={"gain": 0.0}))
    assert common_noise_row(dark, measure) == {}
    silent = replace(network, bias=network.bias - 1e3)
    assert math.isnan(common_noise_row(silent, measure)["input_echo"])


@pytest.mark.compiled
def test_a_network_below_threshold_has_its_slowest_leak_under_common_noise(
    network, compiled_engine
):
    tau_m = network.tau_m.copy()
    tau_m[7] = 200e-3
    quiet = replace(network.without_recurrence(), bias=network.bias - 50, tau_m=tau_m)
    # late enough for all but the slowest to have decayed; linear, so a large d0 does no harm
    plan = Protocol(duration=1.0, segments=1, align=3.0, d0=1e-4)
    found = lyapunov_spectrum(quiet, engine=compiled_engine, protocol=plan, drive=common_drive)
    assert found.largest == pytest.approx(-1 / 0.2, rel=1e-3)
    assert found.settings["drive"] == "common"


@pytest.mark.compiled
def test_short_growth_of_a_network_below_threshold_is_that_of_its_leaks(network, compiled_engine):
    """Each neuron's (v, I) decays by the exponential of its own 2 x 2 matrix."""
    quiet = replace(network.without_recurrence(), bias=network.bias - 50)
    plan = GrowthProtocol(segments=3, copies=2)
    found = short_growth(quiet, engine=compiled_engine, protocol=plan, drive=common_drive, seed=4)
    directions = random_directions(2, n_states(quiet), 4, "short").reshape(2, 2, -1)
    ends = np.zeros_like(directions)
    for i in range(quiet.n_neurons):
        m, s = quiet.tau_m[i], quiet.tau_e[i]
        flow = expm(np.array([[-1 / m, 1 / m], [0, -1 / s]]) * plan.T)
        ends[:, :, i] = directions[:, :, i] @ flow.T
    sizes = np.linalg.norm(ends.reshape(2, -1), axis=1)
    assert found.value == pytest.approx(np.log(sizes).mean() / plan.T, rel=1e-3)
    assert found.standard_error < 1e-3
    assert found.flags == ()


# ---- bad input


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"until": 50}, "until = 50: must be from since = 5 to every - 1 = 49"),
        ({"until": 4}, "until = 4"),
        ({"samples": 199}, "samples = 199: two perturbations need 200"),
        ({"step": 0.0}, "step"),
        ({"correlation": 0.0}, "correlation"),
    ],
)
def test_unusable_protocols_are_refused(choice, named):
    with pytest.raises(InputError, match=named):
        InputEchoProtocol(**choice)
    assert len(InputEchoProtocol(samples=200).times) == 2
    assert InputEchoProtocol().times[[0, -1]].tolist() == [100, 2950]


@pytest.mark.compiled
def test_networks_without_an_input_or_an_echo_are_refused_in_one_line(network, compiled_engine):
    plan = InputEchoProtocol(samples=16, first=4, every=6, since=1, until=5)
    dark = replace(network, params=HRSNNParams(N=40, encoder={"gain": 0.0}))
    for measure in (input_echo, lambda n, *rest: common_drive(n, 1.0, 0)):
        with pytest.raises(InputError, match=r"encoder.gain = 0.0: must not be 0 for common noise"):
            measure(dark, compiled_engine, 0, plan)
    silent = replace(network, bias=network.bias - 1e3)
    with pytest.raises(NoEchoError, match=r"40 neurons.*is silent"):
        input_echo(silent, compiled_engine, 0, plan)
    # driven far above threshold, with receptive fields where no input ever is
    blind = replace(network, bias=network.bias + 5, center=network.center + 1e3)
    with pytest.raises(NoEchoError, match=r"no spike answers to a step of 0\.5"):
        input_echo(blind, compiled_engine, 0, plan)
    with pytest.raises(NoEchoError, match="traces are constant"):
        echoes(np.ones((16, 2)), np.ones((16, 2)), plan.times, 6)
