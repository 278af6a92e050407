"""The model against closed forms and against Brian's own integrator, on the numpy target."""

from dataclasses import replace

import brian2 as b2
import numpy as np
import pytest
from scipy import sparse, stats
from scipy.linalg import expm

from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import (
    Drive,
    Engine,
    LinearReadout,
    network_scene,
    network_shape,
    simulate,
)
from hrsnn_brian.simulation.model import linear_system
from hrsnn_brian.simulation.propagators import propagators
from hrsnn_brian.simulation.randomness import frozen_uniform, white_noise
from hrsnn_brian.simulation.shape import ModelShape, channel_capacity

MS = 1e-3
FINE = {"dt": "0.05 ms", "sample": "1 ms"}


def silence(samples: int, **choices) -> Drive:
    """No input but the neurons' own bias."""
    return Drive(np.zeros((samples, 1)), undriven_mean=0.0, **choices)


@pytest.mark.parametrize("t_ref", ["0 ms", "5 ms"])
def test_f_i_curve_of_a_hard_reset_neuron_is_the_closed_form(hand_made, numpy_engine, t_ref):
    current = np.linspace(1.1, 4.0, 12)
    network = hand_made(
        np.zeros((12, 12)), bias=current, neuron={"reset": "hard", "t_ref": t_ref}, timing=FINE
    )
    recording = simulate(numpy_engine, network, silence(2000, record_states=False))
    refractory = float(t_ref.split()[0]) * MS
    expected = 1 / (refractory + 20 * MS * np.log(current / (current - 1)))
    np.testing.assert_allclose(recording.spike_count / 2.0, expected, rtol=0.01, atol=0.5)


def test_a_neuron_below_threshold_is_silent_and_relaxes_exponentially(hand_made, numpy_engine):
    network = hand_made(np.zeros((1, 1)), bias=0.9)
    recording = simulate(numpy_engine, network, silence(10))
    assert recording.spike_count[0] == 0
    v = recording.states["v"][:, 0]
    ratio = (0.9 - v[1:]) / (0.9 - v[:-1])
    np.testing.assert_allclose(ratio, np.exp(-1.0), rtol=1e-10)  # sample = tau_m = 20 ms


@pytest.mark.parametrize("tau_syn", [5 * MS, 20 * MS])
def test_the_psp_is_a_difference_of_exponentials(hand_made, numpy_engine, tau_syn):
    """Also where tau_syn equals tau_m = 20 ms and the two-exponential formula is singular."""
    W = np.zeros((2, 2))
    W[1, 0] = 0.5
    network = hand_made(
        W,
        bias=[1.5, 0.0],
        tau_e=tau_syn,
        tau_i=tau_syn,
        neuron={"reset": "hard", "t_ref": "400 ms"},
        synapse={"tau_e": f"{tau_syn} s", "tau_i": f"{tau_syn} s"},
        timing={"dt": "0.1 ms", "sample": "0.1 ms"},
    )
    recording = simulate(numpy_engine, network, silence(1500, record_spikes=True))
    assert list(recording.spike_index) == [0]
    v = recording.states["v"][:, 1] - recording.states["v"][0, 1] * np.exp(
        -np.arange(1500) * 0.1 / 20
    )
    # A kick enters after the step's update and is seen from the next one.
    t = (np.arange(1500) + 1) * 0.1 * MS - recording.spike_time[0] - 0.1 * MS
    if tau_syn == 20 * MS:
        expected = 0.5 * t / tau_syn * np.exp(-t / tau_syn)
    else:
        shape = np.exp(-t / (20 * MS)) - np.exp(-t / tau_syn)
        expected = 0.5 * tau_syn / (20 * MS - tau_syn) * shape
    np.testing.assert_allclose(v, np.where(t > 0, expected, 0), atol=1e-12)
    assert t[np.argmax(v)] == pytest.approx(
        20 * MS if tau_syn == 20 * MS else np.log(4) * 20 * 5 / 15 * MS, abs=0.11 * MS
    )


def test_propagators_are_exact_and_regular_at_equal_time_constants():
    system = linear_system(ModelShape(capacity=3, traces=0, refractory=False))
    tau_m, tau_e = np.array([20.0, 5.0, 10.0]) * MS, np.array([5.0, 5.0, 20.0]) * MS
    p = propagators(system, {"tau_m": tau_m, "tau_e": tau_e, "v_th": np.ones(3)}, 1 * MS)
    np.testing.assert_allclose(p["P_v_v"], np.exp(-MS / tau_m), rtol=1e-14)
    np.testing.assert_allclose(p["P_v_I_in"], 1 - np.exp(-MS / tau_m), rtol=1e-13)
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = tau_e / (tau_e - tau_m) * (np.exp(-MS / tau_e) - np.exp(-MS / tau_m))
    cross[1] = MS / tau_m[1] * np.exp(-MS / tau_m[1])
    np.testing.assert_allclose(p["P_v_I_syn"], cross, rtol=1e-12)


def test_propagators_asked_for_again_are_those_of_the_neurons_that_stay():
    """Bit by bit those of scipy's expm, whatever was asked before and in whatever order."""
    system = linear_system(ModelShape(capacity=3, traces=0, refractory=False))
    tau_m, tau_e = np.array([20.0, 7.0, 13.0]) * MS, np.array([5.0, 5.0, 20.0]) * MS
    for chosen in ([0, 1, 2], [2, 0]):
        for dt in (1 * MS, 0.5 * MS):
            values = {"tau_m": tau_m[chosen], "tau_e": tau_e[chosen], "v_th": np.ones(len(chosen))}
            found = propagators(system, values, dt)
            for k, (m, e) in enumerate(zip(tau_m[chosen], tau_e[chosen], strict=True)):
                order = system.reachable("v")
                A = np.zeros((3, 3))
                for name, entry in (("v", -1 / m), ("I_syn", 1 / m), ("I_in", 1 / m)):
                    A[order.index("v"), order.index(name)] = entry
                A[order.index("I_syn"), order.index("I_syn")] = -1 / e
                expected = expm(A * dt)[order.index("v")]
                assert [found[f"P_v_{name}"][k] for name in order] == list(expected)


def test_propagators_refuse_bad_time_constants():
    system = linear_system(ModelShape(capacity=1, traces=0, refractory=False))
    with pytest.raises(InputError, match="tau_m"):
        propagators(system, {"tau_m": -1.0, "tau_e": 1.0, "v_th": 1.0}, MS)
    with pytest.raises(EngineError, match="tau_e"):
        propagators(system, {"tau_m": 1.0, "v_th": 1.0}, MS)


def test_shared_propagators_are_single_numbers():
    system = linear_system(ModelShape(capacity=3, traces=2))
    shared = {name for name, _, _, is_shared in system.entries() if is_shared}
    assert shared == {"P_s1_s1", "P_s2_s2"}


@pytest.mark.parametrize("reset", ["hard", "subtractive"])
@pytest.mark.parametrize("currents", ["one", "two"])
def test_spikes_equal_those_of_brians_exact_integration(numpy_engine, reset, currents):
    """The same network written plainly in Brian: method='exact', Brian's own refractoriness."""
    table = {
        "N": 80,
        "neuron": {"reset": reset, "bias": {"family": "uniform", "low": 0.5, "high": 2.0}},
        "synapse": {
            "currents": currents,
            "tau_e": "7 ms",
            "tau_i": "7 ms" if currents == "one" else "13 ms",
        },
        "weights": {"J": 0.3},
    }
    network = build_network(HRSNNParams.from_dict(table), seed=4)
    recording = simulate(numpy_engine, network, silence(25, record_spikes=True))
    expected_i, expected_t = plain_brian_spikes(network, currents, seconds=0.501)
    assert len(expected_i) > 300
    np.testing.assert_array_equal(recording.spike_index, expected_i)
    np.testing.assert_allclose(recording.spike_time, expected_t, atol=1e-9)


def plain_brian_spikes(network, currents, seconds):
    b2.set_device("runtime")
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = 1 * b2.ms
    synaptic = "I_e" if currents == "one" else "(I_e - I_i)"
    group = b2.NeuronGroup(
        network.n_neurons,
        f"""dv/dt = ({synaptic} + bias - v)/tau_m : 1 (unless refractory)
        dI_e/dt = -I_e/tau_e : 1
        dI_i/dt = -I_i/tau_i : 1
        tau_m : second
        tau_e : second
        tau_i : second
        v_th : 1
        bias : 1""",
        threshold="v >= v_th",
        reset="v -= v_th" if network.params.neuron.reset == "subtractive" else "v = 0",
        refractory=2 * b2.ms,
        method="exact",
        name="plain",
    )
    for name in ("tau_m", "tau_e", "tau_i"):
        setattr(group, name, getattr(network, name) * b2.second)
    group.v_th, group.bias = network.v_th, network.bias
    scene_v = network_scene(
        network,
        silence(1),
        network_shape(network, silence(1)),
        linear_system(network_shape(network, silence(1))),
    )["neurons.v"]
    group.v = scene_v
    W = network.W.tocsc()
    pre, post = np.repeat(np.arange(network.n_neurons), np.diff(W.indptr)), W.indices
    objects = [group]
    for name, chosen in (("I_e", network.is_e[pre]), ("I_i", ~network.is_e[pre])):
        target, sign = (name, 1.0) if currents == "two" else ("I_e", 1.0)
        if name == "I_i":
            sign = -1.0 if currents == "two" else 1.0
        synapses = b2.Synapses(
            group, group, "w : 1", on_pre=f"{target}_post += w", name=f"to_{name}"
        )
        synapses.connect(i=pre[chosen], j=post[chosen])
        synapses.w = sign * W.data[chosen]
        objects.append(synapses)
    monitor = b2.SpikeMonitor(group, name="plain_spikes")
    net = b2.Network(*objects, monitor)
    net.run(seconds * b2.second)
    return np.array(monitor.i[:]), np.array(monitor.t_[:])


def test_traces_are_exponential_sums_over_the_neurons_spikes(numpy_engine):
    network = build_network(HRSNNParams(N=40), seed=2)
    u = np.sin(np.arange(60) / 6)[:, None]
    recording = simulate(numpy_engine, network, Drive(u, record_spikes=True))
    ends = (np.arange(60) + 1) * 20 * MS
    for name, tau in zip(
        ("trace_30ms", "trace_100ms", "trace_300ms"), (30 * MS, 100 * MS, 300 * MS), strict=True
    ):
        expected = np.zeros((60, 40))
        for i, t in zip(recording.spike_index, recording.spike_time, strict=True):
            # counted from the end of the spike's step on
            later = ends - t > 0.5 * MS
            expected[later, i] += np.exp(-(ends[later] - t - MS) / tau)
        np.testing.assert_allclose(recording.states[name], expected, atol=1e-9)


def test_masked_and_rewritten_synapses_give_identical_spikes(numpy_engine):
    """Zeroed weights are the oracle for synapses that are gone."""
    network = build_network(HRSNNParams(N=60), seed=3)
    drive = Drive(np.cos(np.arange(40) / 4)[:, None], record_spikes=True)
    stay = np.random.default_rng(0).random(network.n_synapses) < 0.3
    rewritten = network.W.copy()
    rewritten.data = np.where(stay, rewritten.data, 0.0)
    rewritten = sparse.csr_array(rewritten.toarray())
    pruned = simulate(numpy_engine, network.with_weights(rewritten), drive)

    shape = network_shape(network, drive)
    scene = network_scene(network, drive, shape, numpy_engine.prepare(shape))
    survivors = {(i, j) for i, j in zip(*rewritten.nonzero(), strict=True)}
    ends = zip(scene["recurrent._synaptic_post"], scene["recurrent._synaptic_pre"], strict=True)
    scene["recurrent.w"] = np.where([e in survivors for e in ends], scene["recurrent.w"], 0.0)
    masked = numpy_engine.run(shape, scene)
    assert len(masked["spike_i"]) > 100
    np.testing.assert_array_equal(pruned.spike_index, masked["spike_i"])
    np.testing.assert_array_equal(pruned.spike_time, masked["spike_t"])


def test_removing_silenced_neurons_leaves_the_others_spikes_alone(numpy_engine):
    """Survivors keep direction, initial state, noise and thresholds: same spikes, new indices."""
    network = build_network(HRSNNParams(N=50), seed=5)
    gone = np.random.default_rng(1).permutation(50)[:20]
    W = network.W.toarray()
    W[:, gone] = 0
    cut = network.with_weights(W)
    drive = Drive(np.sin(np.arange(40) / 3)[:, None], noise_sd=0.5, record_spikes=True, seed=9)
    full = simulate(numpy_engine, cut, drive)
    small_network = cut.without_neurons(gone)
    small = simulate(numpy_engine, small_network, drive)
    stays = ~np.isin(full.spike_index, gone)
    np.testing.assert_array_equal(
        small_network.neuron_id[small.spike_index], full.spike_index[stays]
    )
    np.testing.assert_array_equal(small.spike_time, full.spike_time[stays])


def test_a_delay_shifts_the_postsynaptic_response(hand_made, numpy_engine):
    W = np.array([[0, 0], [3.0, 0]])
    onsets = []
    for delay in ("0 ms", "4 ms"):
        network = hand_made(
            W,
            bias=[1.5, 0.0],
            neuron={"reset": "hard", "t_ref": "200 ms"},
            synapse={"tau_e": "5 ms", "tau_i": "5 ms", "delay": delay},
            timing={"dt": "1 ms", "sample": "1 ms"},
        )
        network = replace(network, v_th=np.array([1.0, 50.0]))
        v = simulate(numpy_engine, network, silence(60)).states["v"][:, 1]
        onsets.append(int(np.argmax(np.diff(v))))
    assert onsets[1] - onsets[0] == 4


@pytest.mark.parametrize(
    "device", ["numpy", pytest.param("standalone", marks=pytest.mark.compiled)]
)
@pytest.mark.parametrize("quadratic", [False, True])
def test_the_closed_loop_is_the_readout_of_the_recorded_states(device, quadratic):
    network = build_network(HRSNNParams(N=30), seed=6)
    random = np.random.default_rng(3)
    u = random.standard_normal((50, 2))
    free = np.zeros(50, dtype=bool)
    free[20:35] = True
    free[42:] = True
    readout = LinearReadout(
        intercept=random.normal(size=2) * 0.1,
        from_u=random.normal(size=(2, 2)) * 0.5,
        from_states={
            k: random.normal(size=(30, 2)) * 0.05 for k in ("trace_30ms", "trace_300ms", "v")
        },
    )
    if quadratic:
        network = network.without_neurons([3, 17])
        readout = LinearReadout(
            readout.intercept,
            readout.from_u,
            {k: w[:28] for k, w in readout.from_states.items()},
            {k: random.normal(size=(28, 5)) for k in ("trace_100ms", "trace_300ms")},
            random.normal(size=(5, 2)) * 1e-3,
        )
    recording = simulate(Engine(device), network, Drive(u, free=free, readout=readout))
    for k in range(1, 50):
        expected = u[k]
        if free[k]:
            expected = readout.intercept + recording.u[k - 1] @ readout.from_u
            for name, weights in readout.from_states.items():
                expected = expected + recording.states[name][k - 1] @ weights
            if quadratic:
                sums = [recording.states[n][k - 1] @ part for n, part in readout.sums.items()]
                expected = expected + np.sum(sums, axis=0) ** 2 @ readout.factors
        np.testing.assert_allclose(recording.u[k], expected, atol=1e-9)
    assert not np.allclose(recording.u[free], u[free])


def test_the_population_code_is_gaussian_in_the_projected_input(hand_made, numpy_engine):
    """Neurons below threshold: v settles on bias + gain exp(-(p u - c)^2 / 2 width^2)."""
    centers = np.linspace(-2, 2, 9)
    network = hand_made(
        np.zeros((9, 9)),
        center=centers,
        tau_m=1 * MS,
        bias=-5.0,
        encoder={"gain": 4.0, "width": 0.7},
    )
    v = simulate(numpy_engine, network, Drive(np.full((3, 1), 0.8))).states["v"][-1]
    x = network.directions(1)[:, 0] * 0.8
    np.testing.assert_allclose(v, -5 + 4 * np.exp(-((x - centers) ** 2) / 0.98), atol=1e-6)


def test_poisson_input_has_the_mean_of_the_population_code(hand_made, numpy_engine):
    network = hand_made(
        np.zeros((200, 200)),
        tau_m=20 * MS,
        v_th=1e6,
        encoder={"kind": "poisson", "gain": 4.0, "rate_max": "200 Hz"},
    )
    v = simulate(numpy_engine, network, Drive(np.zeros((200, 1)))).states["v"][50:]
    assert v.mean() == pytest.approx(4.0, rel=0.02)  # u = center = 0: full rate
    assert v.std() > 0.5  # and it is noise, not a current


def test_frozen_noise_is_uniform_normal_and_uncorrelated():
    step, neuron = np.arange(400)[:, None], np.arange(50)[None, :]
    uniform = frozen_uniform(123.0, step, neuron)
    normal = white_noise(2.0, 123.0, step, neuron)
    assert stats.kstest(uniform.ravel(), "uniform").pvalue > 0.01
    assert stats.kstest(normal.ravel() / 2, "norm").pvalue > 0.01
    n = uniform.size
    for a, b in (
        (normal[1:], normal[:-1]),
        (normal[:, 1:], normal[:, :-1]),
        (normal, white_noise(2.0, 124.0, step, neuron)),
    ):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / np.sqrt(n)
    np.testing.assert_array_equal(normal[7, 9], white_noise(2.0, 123.0, 7, 9))


def test_the_initial_state_depends_on_the_seed_alone(numpy_engine):
    network = build_network(HRSNNParams(N=30), seed=1)
    runs = [simulate(numpy_engine, network, silence(3, seed=s)).states["v"][0] for s in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize(
    ("choices", "named"),
    [
        ({"stimulus": np.zeros(3)}, "stimulus"),
        ({"stimulus": np.array([[np.nan]])}, "stimulus"),
        ({"stimulus": np.zeros((3, 1)), "free": np.zeros(2, dtype=bool)}, "free"),
        ({"stimulus": np.zeros((2, 1)), "free": np.ones(2, dtype=bool)}, "readout"),
    ],
)
def test_a_drive_that_cannot_be_is_refused(choices, named):
    with pytest.raises(InputError, match=named):
        Drive(**choices)


def test_direct_input_needs_one_column_per_neuron(numpy_engine):
    network = build_network(HRSNNParams(N=20), seed=1)
    with pytest.raises(InputError, match="20 columns"):
        simulate(numpy_engine, network, Drive(np.zeros((3, 2)), direct=True))


def test_channel_capacity_is_shared_between_small_tasks():
    assert [channel_capacity(d) for d in (1, 3, 4, 5, 9)] == [4, 4, 4, 8, 16]
