"""Synapses that learn: the window of a pair, sums over all pairs, bounds, agreement of targets."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import Drive, Plasticity, simulate, simulate_plastic

W0, DT = 0.01, 1e-3
TAU_PLUS, TAU_MINUS, A_PLUS, A_MINUS = 17e-3, 34e-3, 0.03, 0.02


def constants(size: int, **changes: object) -> Plasticity:
    """Constants of `size` synapses, by default those above with bounds nobody reaches."""
    values = {
        "tau_plus": TAU_PLUS,
        "tau_minus": TAU_MINUS,
        "A_plus": A_PLUS,
        "A_minus": A_MINUS,
        "w_min": 0.0,
        "w_max": 10 * W0,
        "soft": 0.0,
    } | changes
    return Plasticity(**{k: np.broadcast_to(np.float64(v), size).copy() for k, v in values.items()})


def pair(hand_made, w: float = W0, delay_ms: int = 0, currents: str = "one"):
    """Neuron 0 onto neuron 1, which spike when and only when they are told to."""
    return hand_made(
        np.array([[0.0, 0.0], [w, 0.0]]),
        neuron={"reset": "hard"},
        synapse={"delay": f"{delay_ms} ms", "currents": currents},
        timing={"sample": "1 ms"},
    )


def told(pre: list[int], post: list[int], steps: int) -> Drive:
    """Currents that make the neurons spike at these steps."""
    currents = np.zeros((steps, 2))
    currents[pre, 0] = currents[post, 1] = 100.0
    return Drive(currents, direct=True, record_spikes=True)


def learnt(engine, network, drive: Drive, **changes: object) -> float:
    """The weight of the one synapse after the spikes, which are checked."""
    w, recording = simulate_plastic(engine, network, drive, constants(1, **changes))
    for neuron in (0, 1):
        times = recording.spike_time[recording.spike_index == neuron]
        assert np.round(times / DT).tolist() == np.flatnonzero(drive.stimulus[:, neuron]).tolist()
    return float(w[0])


def window(lag: float) -> float:
    """The closed form of a pair in units of w_max; lag = t_post - t_pre, s."""
    return A_PLUS * np.exp(-lag / TAU_PLUS) if lag >= 0 else -A_MINUS * np.exp(lag / TAU_MINUS)


@pytest.mark.parametrize("lag", [-60, -3, -1, 0, 1, 2, 40])
def test_one_pair_changes_the_weight_by_the_learning_window(hand_made, numpy_engine, lag):
    drive = told([62], [62 + lag], 110)
    found = learnt(numpy_engine, pair(hand_made), drive)
    assert found - W0 == pytest.approx(10 * W0 * window(lag * DT), rel=1e-9)


@pytest.mark.parametrize("currents", ["one", "two"])
def test_an_inhibitory_synapse_learns_by_its_size_and_stays_inhibitory(
    hand_made, numpy_engine, currents
):
    drive = told([20], [30], 60)
    found = learnt(numpy_engine, pair(hand_made, -W0, currents=currents), drive)
    assert found == pytest.approx(-W0 - 10 * W0 * window(10e-3), rel=1e-9)


@pytest.mark.parametrize("lag", [-2, 3, 5, 6, 20])
def test_a_spike_counts_when_it_arrives(hand_made, numpy_engine, lag):
    """With a delay of 5 ms the synapse sees t_post - (t_pre + 5 ms)."""
    found = learnt(numpy_engine, pair(hand_made, delay_ms=5), told([40], [40 + lag], 120))
    assert found - W0 == pytest.approx(10 * W0 * window((lag - 5) * DT), rel=1e-9)


def test_spike_trains_add_up_over_all_pairs(hand_made, numpy_engine):
    random = np.random.default_rng(5)
    pre, post = (np.sort(random.choice(400, 40, replace=False)).tolist() for _ in range(2))
    steps = {"w_max": 1.0, "A_plus": 1e-4, "A_minus": 8e-5}
    found = learnt(numpy_engine, pair(hand_made), told(pre, post, 410), **steps)
    lags = (np.array(post)[:, None] - np.array(pre)) * DT
    total = np.where(
        lags >= 0, 1e-4 * np.exp(-lags / TAU_PLUS), -8e-5 * np.exp(lags / TAU_MINUS)
    ).sum()
    assert found - W0 == pytest.approx(total, rel=1e-9)
    assert abs(total) > 1e-3 * W0


def test_the_multiplicative_rule_steps_by_what_is_left(hand_made, numpy_engine):
    """By hand, spike by spike: each a part of the way to a bound."""
    pre, post = [20, 100, 130], [25, 90, 137]
    w, w_max, x, y = W0, 2 * W0, [], []
    for step in range(160):  # pre before post where both spike
        if step in pre:
            w -= 0.2 * sum(np.exp(-(step - s) * DT / TAU_MINUS) for s in y) * w
            x.append(step)
        if step in post:
            w += 0.1 * sum(np.exp(-(step - s) * DT / TAU_PLUS) for s in x) * (w_max - w)
            y.append(step)
    given = {"A_plus": 0.1, "A_minus": 0.2, "soft": 1.0, "w_max": w_max}
    found = learnt(numpy_engine, pair(hand_made), told(pre, post, 160), **given)
    assert found == pytest.approx(w, rel=1e-9)


@pytest.mark.parametrize(("lag", "bound"), [(2, 1.5 * W0), (-2, 0.5 * W0)])
def test_many_pairs_end_at_the_bound_exactly(hand_made, numpy_engine, lag, bound):
    pre = list(range(20, 180, 40))
    drive = told(pre, [step + lag for step in pre], 190)
    given = {"A_plus": 0.5, "A_minus": 0.5, "w_min": 0.5 * W0, "w_max": 1.5 * W0}
    one_sided = given | {"A_minus" if lag > 0 else "A_plus": 0.0}
    assert learnt(numpy_engine, pair(hand_made), drive, **one_sided) == bound


@pytest.fixture(scope="module")
def network():
    params = HRSNNParams(N=60, K=12, J=0.3, bias={"family": "uniform", "low": -0.5, "high": 1.5})
    return build_network(params, seed=2)


def busy(seed: int = 0, samples: int = 25) -> Drive:
    u = np.random.default_rng(seed).standard_normal((samples, 2))
    return Drive(u, seed=1, record_spikes=True)


def mixed(network, strength: float = 0.05) -> Plasticity:
    """Constants that differ from synapse to synapse."""
    size = np.abs(network.W.data)
    random = np.random.default_rng(3)
    drawn = {
        name: mean * random.gamma(4, 0.25, size.size)
        for name, mean in (
            ("tau_plus", TAU_PLUS),
            ("tau_minus", TAU_MINUS),
            ("A_plus", strength),
            ("A_minus", strength),
        )
    }
    return replace(constants(size.size), **drawn, w_min=0.2 * size, w_max=3 * size)


@pytest.mark.parametrize("soft", [0.0, 1.0])
def test_weights_stay_in_bounds_and_keep_their_sign_at_high_rates(network, numpy_engine, soft):
    plasticity = replace(mixed(network, 0.5), soft=np.full(network.n_synapses, soft))
    w, recording = simulate_plastic(numpy_engine, network, busy(), plasticity)
    assert recording.rate_hz > 40
    assert np.array_equal(np.sign(w), np.sign(network.W.data))
    size = np.abs(w)
    assert np.all((size >= plasticity.w_min) & (size <= plasticity.w_max))
    if soft == 0:
        assert np.mean((size == plasticity.w_min) | (size == plasticity.w_max)) > 0.5


def test_every_synapse_has_its_own_constants(network, numpy_engine):
    """Synapse by synapse the change equals that from its own constants and its two spike trains."""
    plasticity = replace(mixed(network, 1e-3), w_min=np.zeros(network.n_synapses))
    drive = busy(samples=20)
    w, recording = simulate_plastic(numpy_engine, network, drive, plasticity)
    trains = [recording.spike_time[recording.spike_index == k] for k in range(60)]
    rows = np.repeat(np.arange(60), np.diff(network.W.indptr))
    p = plasticity
    change = np.zeros(w.size)
    for k, (post, pre) in enumerate(zip(rows, network.W.indices, strict=True)):
        lags = trains[post][:, None] - trains[pre]
        after = lags > -DT / 2
        up = p.A_plus[k] * np.exp(-np.abs(lags) / p.tau_plus[k])
        down = p.A_minus[k] * np.exp(-np.abs(lags) / p.tau_minus[k])
        change[k] = p.w_max[k] * np.where(after, up, -down).sum()
    inside = np.abs(change) < 0.5 * np.abs(network.W.data)  # touched no bound
    assert inside.mean() > 0.5
    expected = network.W.data + np.sign(network.W.data) * change
    np.testing.assert_allclose(w[inside], expected[inside], rtol=1e-9)


def test_the_weights_go_on_from_where_they_were(network, numpy_engine):
    run = partial(simulate_plastic, numpy_engine, plasticity=mixed(network))
    once, _ = run(network, busy(0, 10))
    twice, _ = run(network, busy(1, 10), weights=once)
    W = network.W.copy()
    W.data = once
    assert np.array_equal(twice, run(network.with_weights(W), busy(1, 10))[0])
    assert not np.array_equal(twice, run(network, busy(1, 10))[0])


@pytest.mark.compiled
def test_without_steps_the_spikes_are_those_of_the_network(network, compiled_engine):
    plasticity = mixed(network, 0.0)
    w, found = simulate_plastic(compiled_engine, network, busy(), plasticity)
    expected = simulate(compiled_engine, network, busy())
    assert np.array_equal(w, network.W.data)
    assert np.array_equal(found.spike_index, expected.spike_index)
    assert np.array_equal(found.spike_time, expected.spike_time)


@pytest.mark.compiled
@pytest.mark.parametrize(("currents", "delay"), [("one", "0 ms"), ("two", "3 ms")])
def test_numpy_and_the_compiled_program_agree(
    network, numpy_engine, compiled_engine, currents, delay
):
    table = network.params.to_dict()
    table["synapse"] |= {"delay": delay, "currents": currents}
    network = replace(network, params=HRSNNParams.from_dict(table))
    (w, a), (v, b) = (
        simulate_plastic(engine, network, busy(), mixed(network))
        for engine in (numpy_engine, compiled_engine)
    )
    assert np.array_equal(a.spike_index, b.spike_index)
    np.testing.assert_allclose(w, v, rtol=1e-10)
    assert np.mean(w != network.W.data) > 0.5


@pytest.mark.compiled
def test_one_program_serves_networks_of_any_number_of_synapses(network, compiled_engine):
    half = network.W.copy()
    half.data[::2] = 0.0
    pruned = network.with_weights(half)
    for one in (network, pruned, network.without_recurrence()):
        w, _ = simulate_plastic(compiled_engine, one, busy(), mixed(one))
        assert w.shape == (one.n_synapses,)
    assert compiled_engine.stats.builds <= 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tau_plus": np.zeros(1)}, "tau_plus"),
        ({"A_minus": np.array([-0.1])}, "A_minus"),
        ({"A_plus": np.array([np.nan])}, "A_plus"),
        ({"w_max": np.zeros(2)}, "must be"),
        ({"w_min": np.ones(1)}, "w_min"),
    ],
)
def test_constants_out_of_range_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        replace(constants(1), **change)


def test_weights_that_do_not_fit_are_refused(hand_made, numpy_engine):
    network, drive = pair(hand_made), told([2], [4], 10)
    for weights, said in (
        (np.array([-W0]), "w_min and w_max"),
        (np.array([20 * W0]), "w_min and w_max"),
        (np.array([W0, W0]), "must be 1"),
    ):
        with pytest.raises(InputError, match=said):
            simulate_plastic(numpy_engine, network, drive, constants(1), weights)
