"""Time steps that agree, or are refined, or give no value; models without a limit."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.dynamics.exponents.refusals import (
    EVENT_TOLERANCE,
    REFERENCE_EVENT_BASED,
    order_network,
)
from hrsnn_brian.dynamics.exponents.resolution import lost_order
from hrsnn_brian.dynamics.exponents.result import SpectrumResult, spectrum_result
from hrsnn_brian.dynamics.exponents.spiking import Protocol, lyapunov_spectrum
from hrsnn_brian.dynamics.exponents.time_step import (
    agree,
    agreed_spectrum,
    disagreements,
    lambda_inf,
)
from hrsnn_brian.dynamics.probe import Measurements, ProbeLengths
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.network.runaway import RunawayWarning, runaway_rate

SHORT = Protocol(duration=2.0, segments=2)


def built(preset: str, seed: int, *overrides: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunawayWarning)
        return build_network(load_preset(preset, overrides), seed)


def spectrum(dt: float, values, *, error=0.1, flags=(), **settings: float) -> SpectrumResult:
    """A spectrum whose exponents are `values`, each with a standard error of `error`."""
    values = np.atleast_1d(values).astype(float)
    spread = error * np.sqrt(2.0) * np.array([[-1.0], [1.0]]) / np.sqrt(2.0)
    logs = np.repeat((values + spread)[:, None], 4, axis=1)
    usual = {
        "dt": dt,
        "rate_hz": 20.0,
        "rate_error_hz": 0.1,
        "kicks_per_step": 0.1,
        "spikes_per_step": 0.01,
        "lost_order_per_s": 0.1,
        "d0": 1e-10,
    }
    return spectrum_result(logs, 1.0, flags=flags, settings=usual | settings)


# ---- two steps ----


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"values": 1.0}, {"values": 1.41}, ""),
        ({"values": 1.0}, {"values": 1.44}, "exponent 1 is 1 and 1.44/s"),
        ({"values": 4.8, "error": 1.9}, {"values": 1.56, "error": 0.15}, ""),
        ({"values": 4.8, "error": 0.9}, {"values": 1.56, "error": 0.15}, "is 4.8 and 1.56/s"),
        ({"values": -8.0, "error": 1e-6}, {"values": -8.09, "error": 1e-6}, ""),
        ({"values": -8.0, "error": 1e-6}, {"values": -8.2, "error": 1e-6}, "exponent 1"),
        ({"values": [1.0] * 9}, {"values": [1.44] * 9}, ""),  # the largest of nine differences
        ({"values": [3.0, 1.0, 0.0]}, {"values": [3.0, 1.0, -0.6]}, "exponent 3 is 0 and -0.6/s"),
        ({"values": 1.0, "rate_hz": 20.9}, {"values": 1.0}, ""),
        ({"values": 1.0, "rate_hz": 21.1}, {"values": 1.0}, "the rate is 21.1 and 20 Hz"),
        ({"values": 1.0, "rate_hz": 24.0, "rate_error_hz": 2.0}, {"values": 1.0}, ""),
        ({"values": 1.6, "rate_hz": 740.0}, {"values": 1.6, "rate_hz": 1381.0}, "740 and 1381 Hz"),
    ],
)
def test_steps_disagree_beyond_three_combined_errors_or_five_per_cent_of_the_rate(
    first, second, reason
):
    found = disagreements(spectrum(1e-4, **first), spectrum(5e-5, **second))
    assert (found == ()) == (reason == "")
    assert all(line.startswith("dt = 0.1 ms and 0.05 ms: ") and reason in line for line in found)


class Steps:
    """Measures `values` one after the other, by halves of 0.1 ms, and counts the calls."""

    def __init__(self, *values: float, **settings: float) -> None:
        self.values, self.settings, self.asked = list(values), settings, []

    def __call__(self, dt: float) -> SpectrumResult:
        self.asked.append(dt)
        return spectrum(dt, self.values[len(self.asked) - 1], **self.settings)


def test_the_next_smaller_step_is_tried_until_two_agree():
    steps = Steps(1.68, 0.99, 0.6, 0.3)
    found = agree(steps, (1e-4, 5e-5), lambda: None)
    assert steps.asked == [1e-4, 5e-5, 2.5e-5]
    assert found.flags == ()
    assert found.result.valid
    assert found.result.largest == pytest.approx(0.6)
    assert len(found.abandoned) == 1
    assert "1.68 and 0.99" in found.abandoned[0]


def test_refinements_are_bounded_and_what_still_disagrees_is_no_value():
    steps = Steps(8.0, 6.0, 4.0, 2.0, 1.0)
    found = agree(steps, (1e-4, 5e-5), lambda: None)
    assert steps.asked == [1e-4, 5e-5, 2.5e-5, 1.25e-5]
    assert np.isnan(found.result.exponents).all()
    assert not found.result.valid
    assert found.flags == found.result.flags
    assert "exponent 1 is 4 and 2/s" in found.flags[0]
    assert list(found.at_dt) == steps.asked


def test_a_model_without_a_limit_is_not_refined():
    first, second = spectrum(1e-4, 1.6, rate_hz=740.0), spectrum(5e-5, 1.5, rate_hz=1381.0)
    asked = []

    def measure(dt):
        asked.append(dt)
        return first if dt == 1e-4 else second

    found = agree(measure, (1e-4, 5e-5), lambda: "no limit")
    assert len(asked) == 2
    assert found.flags[0] == "no limit"
    assert np.isnan(found.result.largest)
    # an explosion that the rates do not show is not what is wrong
    apart = agree(Steps(8.0, 6.0, 4.0, 2.0), (1e-4, 5e-5), lambda: "no limit")
    assert "no limit" not in apart.flags
    assert len(apart.at_dt) == 4


def test_events_that_lose_their_order_ask_for_a_shorter_step_but_refuse_nothing():
    steps = Steps(1.0, 1.0, 1.0, 1.0, lost_order_per_s=0.5)
    found = agree(steps, (1e-4, 5e-5), lambda: None)
    assert len(steps.asked) == 4
    assert found.result.largest == pytest.approx(1.0)
    assert "order of its spikes may change exponents by 0.5/s" in found.abandoned[0]
    strong = Steps(10.0, 10.0, lost_order_per_s=0.5)  # little, beside 10/s
    assert agree(strong, (1e-4, 5e-5), lambda: None).abandoned == ()


def test_a_failure_that_shorter_steps_do_not_mend_stops_at_two():
    steps = Steps(1.0, 1.0, flags=("zero distance in 1 of 8 intervals",))
    found = agree(steps, (1e-4, 5e-5), lambda: None)
    assert len(steps.asked) == 2
    assert len(found.flags) == 2
    assert found.flags[0].startswith("dt = 0.1 ms: zero distance")


def test_lost_order_counts_kicks_of_one_step_by_their_weight(hand_made):
    W = np.array([[0.0, 0.0], [3.0, 0.0]])
    network = hand_made(W, tau_m=20e-3, v_th=2.0)
    rates = np.array([10.0, 50.0])
    # the second neuron: 50 Hz, 10 Hz * 0.1 ms kicks of 3, against 2 (1 + 50*0.02) of drive
    expected = 0.5 * 50.0 * (10.0 * 1e-4) * 3.0 / (2.0 * 2.0)
    assert lost_order(network, rates, 1e-4) == pytest.approx(expected)


# ---- models without a limit ----


def test_runaway_of_two_neurons_is_analytic(hand_made):
    """Mutual excitation w: dI/dt = I (w/(tau_m v_th) - 1/tau_e)."""
    W = np.array([[0.0, 7.0], [7.0, 0.0]])
    network = hand_made(W, tau_m=20e-3, tau_e=5e-3, v_th=2.0)
    growth = 7.0 / (20e-3 * 2.0) - 1.0 / 5e-3
    assert growth < 0
    assert runaway_rate(network) == pytest.approx(growth, rel=0.05)
    strong = hand_made(2 * W, tau_m=20e-3, tau_e=5e-3, v_th=2.0)
    assert runaway_rate(strong) == pytest.approx(14.0 / 40e-3 - 200.0, rel=0.05)
    inhibited = hand_made(-2 * W, tau_m=20e-3, tau_e=5e-3, v_th=2.0)
    assert runaway_rate(inhibited) < 0


def test_refractoriness_bounds_the_rate():
    assert runaway_rate(built("dense", 1, "N=200")) > 10
    assert runaway_rate(built("dense", 1, "N=200", "neuron.t_ref=1 ms")) == -np.inf


def test_a_model_without_a_limit_is_named_where_it_is_built(tmp_path, capfd):
    with pytest.warns(RunawayWarning, match="no limit as dt -> 0"):
        build_network(load_preset("dense", ["N=200"]), 1)
    file = str(tmp_path / "net.npz")
    words = ["build", "--preset", "dense", "--set", "N=200", "--out", file, "--json", "--seed"]
    for seed, said in (("1", 1), ("0", 0)):
        capfd.readouterr()
        assert main([*words, seed]) == 0
        out, err = capfd.readouterr()
        assert err.count("warning: t_ref = 0 and strong excitation") == said
        assert len(json.loads(out)["warnings"]) == said
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("network-D", "sparse"):
            build_network(load_preset(name), 0)


@pytest.mark.compiled
def test_the_command_refuses_a_model_without_a_limit(tmp_path, capfd):
    file = str(tmp_path / "net.npz")
    assert main(["build", "--preset", "dense", "--set", "N=200", "--seed", "1", "--out", file]) == 0
    for k in ("1", "2"):
        capfd.readouterr()
        words = ["--network", file, "--k", k, "--duration", "2 s", "--segments", "2", "--json"]
        assert main(["lyapunov", *words]) == 1
        result = json.loads(capfd.readouterr().out)
        assert result["exponents"] == [None] * int(k)
        assert "no limit as dt -> 0" in result["flags"][0]
        assert "the rate is" in result["flags"][1]
        assert list(result["at_dt"]) == ["0.1 ms", "0.05 ms"]  # not refined in vain


# ---- on networks ----


@pytest.mark.compiled
def test_lambda_inf_is_refined_to_that_of_events_in_their_order(compiled_engine):
    network = order_network()
    found = lambda_inf(network, engine=compiled_engine)
    assert found.flags == ()
    assert list(found.at_dt)[:3] == [1e-4, 5e-5, 2.5e-5]
    assert abs(found.value - REFERENCE_EVENT_BASED) < EVENT_TOLERANCE
    for dt in (1e-4, 5e-5):  # where it used to stop
        assert found.at_dt[dt].largest > REFERENCE_EVENT_BASED + EVENT_TOLERANCE


@pytest.mark.compiled
def test_too_many_events_in_a_step_are_refused_at_one_step_too(compiled_engine):
    plan = replace(SHORT, dt=5e-4)
    network = built("dense", 0, "N=200")
    found = lyapunov_spectrum(network, engine=compiled_engine, protocol=plan)
    assert np.isnan(found.largest)
    assert any("kicks" in flag for flag in found.flags)
    assert any("fastest neuron" in flag for flag in found.flags)
    lengths = ProbeLengths(exponent_seconds=SHORT.duration)
    measure = Measurements(compiled_engine, lengths=lengths)  # compares networks all the same
    assert np.isfinite(measure.lambda_1(built("dense", 0, "N=200")))


@pytest.mark.compiled
def test_the_default_network_and_a_pruned_one_stay_valid(compiled_engine):
    network = built("sparse", 0, "N=200")
    kept = network.W.copy()
    kept.data = kept.data * (np.random.default_rng(0).random(kept.nnz) < 0.2) * 2.0
    for one in (network, network.with_weights(kept)):
        found = agreed_spectrum(one, engine=compiled_engine, k=3, protocol=SHORT)
        assert found.flags == ()
        assert found.abandoned == ()
        assert list(found.at_dt) == [1e-4, 5e-5]
        first, second = (result.exponents for result in found.at_dt.values())
        np.testing.assert_allclose(first, second, atol=0.2)
