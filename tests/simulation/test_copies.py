"""Perturbed copies: the kernel against Brian's own synapses, and exponents that are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hrsnn_brian.dynamics.exponents.finite_size import (
    EchoProtocol,
    SizeProtocol,
    echo,
    finite_size_exponents,
)
from hrsnn_brian.dynamics.exponents.nodes import (
    NodeProtocol,
    node_exponents,
)
from hrsnn_brian.dynamics.exponents.spiking import (
    Protocol,
    SegmentLog,
    lyapunov_spectrum,
    random_directions,
)
from hrsnn_brian.dynamics.exponents.time_step import lambda_inf
from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.simulation import (
    Drive,
    Perturbation,
    coloured_drive,
    noise_drive,
    simulate_perturbed,
)
from hrsnn_brian.simulation.copies_scene import perturbed_scene, perturbed_shape

MS = 1e-3


def small_network(*overrides: str, seed: int = 1):
    return build_network(load_preset("network-C", ["N=40", "K=10", "J=3", *overrides]), seed)


def watch(network, **choices) -> Perturbation:
    settings = {"d0": 1e-7, "start": 0.02, "interval": 0.02, "action": "watch", **choices}
    return Perturbation(random_directions(3, network.n_neurons, 0), **settings)


@pytest.mark.compiled
@pytest.mark.parametrize("interpolated", [True, False])
@pytest.mark.parametrize("currents", ["one", "two"])
def test_the_kernel_does_what_brians_synapses_do(
    numpy_engine, compiled_engine, interpolated, currents
):
    """Spikes, distances and orthonormalised growth; references share nothing but the equations."""
    taus = [] if currents == "two" else ["tau_syn=7 ms", "currents=one", "reset=subtractive"]
    network = small_network(*taus)
    tau_e = np.repeat([4.0, 6.0, 9.0, 5.0], 10) * MS  # neighbouring targets share one, not all
    network = replace(network, tau_e=tau_e, tau_i=tau_e if taus else network.tau_i)
    drive = coloured_drive(network, 0.15, seed=3)
    for action in ("watch", "orthonormalise", "rescale", "restart"):
        perturbation = watch(
            network, action=action, interpolated=interpolated, d0=1e-7 if interpolated else 1e-2
        )
        expected, found = (
            simulate_perturbed(engine, network, drive, perturbation)
            for engine in (numpy_engine, compiled_engine)
        )
        assert expected.spike_count.sum() > 60
        np.testing.assert_array_equal(found.spike_count, expected.spike_count)
        assert found.log_growth.shape == (6, 3)
        np.testing.assert_allclose(found.log_growth, expected.log_growth, atol=1e-5)
        np.testing.assert_allclose(found.intervals, expected.intervals)
        np.testing.assert_allclose(found.snapshots, expected.snapshots, atol=1e-9)


def test_a_run_that_ends_before_the_first_measurement_is_refused(numpy_engine):
    network = small_network()
    drive = coloured_drive(network, 0.1, seed=1)
    with pytest.raises(InputError, match=r"drive = '0.1 s': must last 0.101 s"):
        simulate_perturbed(numpy_engine, network, drive, watch(network, start=0.081))


def test_identical_copies_stay_at_distance_exactly_zero(numpy_engine):
    network = small_network()
    drive = coloured_drive(network, 0.1, seed=1)
    for interpolated in (True, False):
        divergence = simulate_perturbed(
            numpy_engine, network, drive, watch(network, d0=0.0, interpolated=interpolated)
        )
        assert divergence.spike_count.sum() > 30
        assert np.all(np.isnan(divergence.log_growth))  # ln(0/0): nothing to compare


def test_uncoupled_neurons_below_threshold_have_their_leaks_as_spectrum(numpy_engine):
    network = small_network("N=4", "K=0", "bias=0.2", "tau_m=20 ms")
    network = replace(network, tau_m=np.array([30, 12, 20, 15]) * MS)
    plan = Protocol(duration=0.4, segments=1, warmup=0.05, align=0.3, t_renorm=0.01, d0=1e-6)
    silent = Drive(np.zeros((800, 4)), direct=True, traces=False, record_states=False)
    spectrum = lyapunov_spectrum(
        network, engine=numpy_engine, k=4, protocol=plan, drive=lambda *_: silent
    )
    assert spectrum.valid
    assert spectrum.settings["rate_hz"] == 0
    leaks = -1 / (np.array([30, 20, 15, 12]) * MS)  # those of the currents are smaller
    np.testing.assert_allclose(spectrum.exponents, leaks, rtol=5e-3)


def test_fast_columns_are_measured_and_those_that_rounding_decides_refused(numpy_engine):
    """150-fold shrinking in an interval is no straddling spike; rounding is no value."""
    network = small_network("N=4", "K=0", "bias=0.2", "tau_m=20 ms")
    network = replace(network, tau_e=np.full(4, 2 * MS), tau_i=np.full(4, 2 * MS))
    silent = Drive(np.zeros((800, 4)), direct=True, traces=False, record_states=False)
    plan = Protocol(duration=0.2, segments=1, warmup=0.02, align=0.2, d0=1e-6)

    def spectrum(fastest: float, t_renorm: float, d0: float = 1e-6):
        taus = np.array([30.0, 4.1, 3.9, fastest]) * MS
        return lyapunov_spectrum(
            replace(network, tau_m=taus),
            engine=numpy_engine,
            k=4,
            protocol=replace(plan, t_renorm=t_renorm, d0=d0),
            drive=lambda *_: silent,
        )

    found = spectrum(3.7, 20 * MS)
    assert found.valid
    np.testing.assert_allclose(1 / found.exponents, [-30e-3, -4.1e-3, -3.9e-3, -3.7e-3], rtol=0.01)
    lost = spectrum(1.05, 20 * MS, d0=1e-10)
    assert np.isnan(lost.exponents).all()
    assert "rounding: 1 of 4 columns" in lost.flags[0]
    further = spectrum(1.05, 5 * MS, d0=1e-10)  # of the currents
    assert further.exponents[3] == pytest.approx(-1 / 2e-3, rel=0.02)


def test_node_exponents_keep_what_is_resolved_and_say_what_is_not(numpy_engine):
    """Leaks of 20 ms, 5 ms (1e-8 becomes 1e-15: quantised) and 1 ms (exactly 0 after 80 ms)."""
    network = small_network("N=4", "K=0", "bias=0.2", "tau_m=20 ms")
    network = replace(network, tau_m=np.array([20, 20, 5, 1]) * MS)
    silent = Drive(np.zeros((400, 4)), direct=True, traces=False, record_states=False)
    common = {"engine": numpy_engine, "drive": lambda *_: silent}
    plan = NodeProtocol(segments=2, warmup=0.1)
    found = node_exponents(network, protocol=plan, **common)
    np.testing.assert_array_equal(found.resolved, [True, True, False, False])
    np.testing.assert_allclose(found.exponents[:2], -50.0, rtol=1e-6)
    assert found.valid
    np.testing.assert_array_equal(found.rounded, [False, False, True, False])
    assert found.raw[2] == pytest.approx(-200.0, abs=20)  # what used to be given
    died, rounded = found.flags
    assert died.startswith("zero distance: 1 of 4 neurons")
    assert rounded.startswith("rounding: 1 of 4 neurons")
    assert all("a shorter T or a larger d0" in flag for flag in found.flags)
    further = node_exponents(network, protocol=replace(plan, T="10 ms", d0=1e-6), **common)
    np.testing.assert_allclose(further.exponents, [-50, -50, -200, -1000], rtol=1e-4)
    assert further.flags == ()


def test_a_neuron_driven_above_threshold_keeps_a_shift_in_time(numpy_engine):
    """Constant drive: the exponent of each spiking neuron is 0; its perturbation is a phase."""
    network = small_network("N=3", "K=0", "bias=1.6", "t_ref=2 ms")
    constant = Drive(np.zeros((900, 3)), direct=True, traces=False, record_states=False)
    plan = Protocol(duration=0.4, segments=1, warmup=0.1, align=0.1, d0=1e-8, t_renorm=0.05)
    spectrum = lyapunov_spectrum(
        network, engine=numpy_engine, k=3, protocol=plan, drive=lambda *_: constant
    )
    np.testing.assert_allclose(spectrum.exponents, 0, atol=2.0)


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["network-A", "network-D"])
def test_lambda_depends_on_neither_d0_nor_renormalisation_nor_copies(compiled_engine, name):
    network = build_network(load_preset(name), seed=3)
    base = Protocol(duration=3.0, segments=1)
    found = [
        lyapunov_spectrum(network, engine=compiled_engine, k=k, protocol=replace(base, **choice))
        for k, choice in [
            (1, {}),
            (1, {"d0": 1e-8}),
            (1, {"t_renorm": 5 * MS}),
            (1, {"t_renorm": 100 * MS}),
            (3, {}),
        ]
    ]
    assert all(spectrum.valid for spectrum in found)
    values = [spectrum.largest for spectrum in found]
    np.testing.assert_allclose(values[:4], values[0], atol=0.5)
    # the largest of three finite-time exponents is not always that of the first direction
    assert values[4] == pytest.approx(values[0], abs=2.5)


@pytest.mark.compiled
def test_weak_coupling_is_stable_and_strong_coupling_chaotic(compiled_engine):
    plan = Protocol(duration=4.0, segments=2)
    values = {
        name: lambda_inf(
            build_network(load_preset(name), seed=1), engine=compiled_engine, protocol=plan
        )
        for name in ("network-A", "network-D")
    }
    assert values["network-A"].value < -5
    assert values["network-D"].value > 0
    for result in values.values():
        assert result.flags == ()
        assert result.d0_difference < 0.5
        assert sorted(result.at_dt) == [0.05 * MS, 0.1 * MS]


@pytest.mark.compiled
def test_small_perturbations_die_on_the_grid_and_say_so(compiled_engine):
    """The artefact: on the grid the same network has no small-perturbation exponent."""
    network = build_network(load_preset("network-A"), seed=1)
    plan = SizeProtocol(duration=1.0)
    tiny, large = finite_size_exponents(
        network, [1e-10, 0.1], engine=compiled_engine, protocol=plan
    )
    assert np.isnan(tiny.value)
    assert tiny.reason.startswith(("passive", "zero distance"))
    assert tiny.raw < -10  # nothing but leaks
    assert large.value > 10  # although the network is stable: lambda_inf < -5


@pytest.mark.compiled
def test_echo_tells_stable_from_unstable_by_its_plateau(compiled_engine):
    plateaus = [
        echo(
            build_network(load_preset(name), seed=1),
            engine=compiled_engine,
            protocol=EchoProtocol(duration=1.0),
        )
        for name in ("network-A", "network-C")
    ]
    assert 0.3 < plateaus[0].plateau_ratio < plateaus[1].plateau_ratio < 1.1


@pytest.mark.compiled
def test_node_exponents_do_not_depend_on_the_batches(compiled_engine):
    network = small_network()
    results = [
        node_exponents(
            network,
            engine=compiled_engine,
            protocol=NodeProtocol(segments=3, batch=batch, warmup=0.1),
        )
        for batch in (40, 13)
    ]
    assert results[0].segments.shape == (3, 40)
    np.testing.assert_allclose(results[0].segments, results[1].segments, atol=1e-6)
    assert results[0].exponents.std() > 1  # neurons differ


def test_a_spectrum_resumes_from_its_segments(numpy_engine, tmp_path):
    network = small_network("N=12", "K=4")
    plan = Protocol(duration=0.12, segments=2, warmup=0.02, align=0.02)
    kept = {"protocol": plan, "log": SegmentLog(tmp_path), "k": 2, "seed": 5}
    first = lyapunov_spectrum(network, engine=numpy_engine, **kept)
    (tmp_path / "segment-1.json").unlink()
    runs = numpy_engine.stats.runs
    again = lyapunov_spectrum(network, engine=numpy_engine, **kept)
    assert numpy_engine.stats.runs == runs + 1
    np.testing.assert_array_equal(again.history, first.history)
    with pytest.raises(InputError, match="another computation"):
        lyapunov_spectrum(network, engine=numpy_engine, **{**kept, "seed": 6})
    stored = json.loads((tmp_path / "segment-0.json").read_text())
    del stored["kicks_per_step"]  # as written by a version that did not look at events
    (tmp_path / "segment-0.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match="another computation"):
        lyapunov_spectrum(network, engine=numpy_engine, **kept)


@pytest.mark.parametrize(
    ("overrides", "said"), [(["delay=1 ms"], "delay"), (["encoder.kind=poisson"], "poisson")]
)
def test_networks_without_exponents_are_refused(numpy_engine, overrides, said):
    network = small_network(*overrides)
    drive = noise_drive(network, 0.1, 1)
    with pytest.raises(InputError, match=said):
        simulate_perturbed(numpy_engine, network, drive, watch(network))


@pytest.mark.parametrize("k", [0, 121])
def test_k_must_fit_the_state(numpy_engine, k):
    with pytest.raises(InputError, match="k = "):
        lyapunov_spectrum(small_network(), engine=numpy_engine, k=k)


@pytest.mark.compiled
def test_inconsistent_copies_are_refused_by_the_program(compiled_engine):
    network = small_network()
    drive, perturbation = coloured_drive(network, 0.1, 1), watch(network)
    shape = perturbed_shape(network, drive, perturbation)
    system = compiled_engine.prepare(shape)
    scene = perturbed_scene(network, drive, perturbation, shape, system)
    for name, value in [
        ("directions", np.zeros(7)),
        ("excitatory._synaptic_post", np.full(scene["excitatory.w"].size, 99, dtype=np.int32)),
        ("inhibitory.w", np.zeros(2)),
    ]:
        with pytest.raises(EngineError, match=name.split(".")[0]):
            compiled_engine.run(shape, {**scene, name: value})
