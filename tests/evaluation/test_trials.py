"""Independent trials through a network: states, controls, costs, rows."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation import controls
from hrsnn_brian.evaluation import evaluate as evaluating
from hrsnn_brian.evaluation.evaluate import network_rows
from hrsnn_brian.evaluation.present import Show, as_shown, present_trials
from hrsnn_brian.evaluation.slow_input import encoded, low_passed, slow_currents
from hrsnn_brian.files.columns import UNMATCHED
from hrsnn_brian.simulation import Recorded, batch
from hrsnn_brian.tasks import classification

SAMPLES = 3


class Patterns(hb.ClassificationTask):
    """Which of two random patterns a trial shows, its samples 3 ms each."""

    shown_with = {"sample": "3 ms", "traces": ("30 ms",), "gain": 20.0}  # noqa: RUF012
    readouts = ("spikes", "spikes, last state")

    def __init__(self, train: int = 12, test: int = 6) -> None:
        random = np.random.default_rng(0)
        n = train + test
        y = np.arange(n) % 2
        x = random.standard_normal((2, SAMPLES, 2))[y] + 0.1 * random.standard_normal(
            (n, SAMPLES, 2)
        )
        super().__init__("patterns", x[:train], y[:train], x[train:], y[train:], at=(0, 2))


@pytest.fixture(scope="module")
def network() -> hb.Network:
    tau_m = {"family": "gamma", "shape": 3, "mean": "4 ms", "low": "1 ms"}
    return hb.build_network(hb.HRSNNParams(N=20, K=5, J=2.0, tau_m=tau_m, tau_syn="9 ms"), seed=1)


def test_a_table_has_every_control_and_the_network_is_left_as_it_was(
    network, numpy_engine, monkeypatch
):
    matching = partial(controls.match_rate, tolerance=0.1)  # fewer steps: Brian itself is slow
    monkeypatch.setattr(controls, "match_rate", matching)
    told = []
    found = hb.evaluate(
        network,
        Patterns(),
        engine=numpy_engine,
        seed=3,
        watch=lambda what, done, total: told.append((what, done, total)),
    )
    rows = found.rows()
    assert [(row["network"], row["readout"]) for row in rows] == [
        (name, readout)
        for name in ("full", "no recurrence", "homogeneous", "no recurrence, slow input")
        for readout in Patterns.readouts
    ] + [("linear on inputs", "none")]
    full, bare, equal, slow = rows[0], rows[2], rows[4], rows[6]
    assert full["spikes_per_sample"] != bare["spikes_per_sample"]
    assert (bare["synapses"], slow["synapses"]) == (0, 0)
    assert equal["synapses"] == full["synapses"] > 0
    assert (full["match"], bare["match"]) == (UNMATCHED, UNMATCHED)
    for control in (equal, slow):
        assert (control["match"], control["note"]) == ("bias", "")
        assert control["rate_hz"] == pytest.approx(full["rate_hz"], rel=0.1)
    assert abs(bare["rate_hz"] / full["rate_hz"] - 1) > 0.1
    assert network.params.encoder.gain == 4.0
    counts = found.confusion("no recurrence", "spikes")
    assert counts.sum() == 6
    assert np.trace(counts) / 6 == bare["accuracy"]
    assert found.confusion().sum() == 6
    with pytest.raises(hb.InputError, match="'full / v': must be one of full / spikes, full"):
        found.confusion(readout="v")
    assert told[0] == ("full: shown", 18, 18)
    assert told[-1] == ("no recurrence, slow input: readouts", 2, 2)


def test_costs_are_counted_per_trial(network, numpy_engine):
    task = Patterns()
    row = network_rows(network, task, "full", numpy_engine, 3, ("spikes",))[0]
    shown = present_trials(numpy_engine, network, task, 3)
    fan_out = np.asarray((network.W != 0).sum(axis=0)).ravel()
    assert shown.spike_count.sum() > 0
    assert shown.seconds == pytest.approx(18 * SAMPLES * 3e-3)
    assert row["spikes_per_sample"] == pytest.approx(shown.spike_count.sum() / 18)
    assert row["synaptic_events_per_sample"] == pytest.approx(fan_out @ shown.spike_count / 18)
    assert row["neuron_updates_per_sample"] == 20 * SAMPLES * 3
    assert row["readout_ops_per_sample"] == pytest.approx(20 * 2 * 2)  # N, snapshots, classes
    assert row["rate_hz"] == pytest.approx(shown.rate_hz)


def test_batches_of_any_size_give_the_same_rows(network, numpy_engine, monkeypatch):
    first = network_rows(network, Patterns(), "full", numpy_engine, 3)
    monkeypatch.setattr(batch, "ROOM", 140)  # seven copies of 20 neurons
    monkeypatch.setattr(classification, "CHUNK", 5)
    assert network_rows(network, Patterns(), "full", numpy_engine, 3) == first


def test_only_as_many_trials_are_shown_as_are_asked_for(network, numpy_engine):
    some = present_trials(numpy_engine, network, Patterns(), 3, Show(stop=4))
    assert some.seconds == pytest.approx(4 * SAMPLES * 3e-3)


@pytest.mark.parametrize("kind", ["population", "current"])
def test_the_currents_of_the_control_are_those_of_the_encoder(numpy_engine, kind):
    """Shown unfiltered they make the very same spikes."""
    network = hb.build_network(_kind(kind), 1)
    task = Patterns()
    timed = as_shown(network, task)
    by_encoder = present_trials(numpy_engine, network, task, 3)
    show = Show(currents=lambda trials: encoded(timed, trials))
    by_hand = present_trials(numpy_engine, network, task, 3, show)
    assert by_encoder.spike_count.sum() > 0
    np.testing.assert_array_equal(by_hand.spike_count, by_encoder.spike_count)


def _kind(kind: str) -> hb.HRSNNParams:
    return hb.HRSNNParams.from_dict({"N": 20, "encoder": {"kind": kind}})


def test_slow_input_is_the_mean_of_a_first_order_filter_over_each_sample(network):
    """Against the filter in steps of a thousandth of a sample."""
    network = replace(network, tau_e=np.linspace(1e-3, 50e-3, 20))
    currents = np.random.default_rng(0).standard_normal((2, 5, 20))
    sample, fine = network.params.timing.sample, 1000
    state, means = np.zeros((2, 20)), []
    for k in range(5):
        total = 0.0
        for _ in range(fine):
            step = np.exp(-sample / fine / network.tau_e)
            total = total + 0.5 * state
            state = currents[:, k] + (state - currents[:, k]) * step
            total = total + 0.5 * state
        means.append(total / fine)
    np.testing.assert_allclose(low_passed(network, currents), np.stack(means, 1), atol=1e-5)


def test_pruning_for_a_task_of_trials_asks_the_same_as_for_a_run(network, numpy_engine):
    probe = hb.TaskProbe(numpy_engine, 3, task=Patterns())
    rates, weight = probe.task_rates(network), probe.readout_weight(network)
    shown = present_trials(numpy_engine, network, Patterns(), 3)
    np.testing.assert_allclose(rates, shown.spike_count / shown.seconds)
    np.testing.assert_array_equal(weight[rates == 0], 0)
    assert weight.max() > 0


def test_a_run_has_costs_per_sample_of_the_time_it_is_shown(network, numpy_engine, monkeypatch):
    from hrsnn_brian.tasks import get_task

    task = get_task("wind", 0, quick=True)
    monkeypatch.setattr(
        evaluating, "_run_freely", lambda network, loop, engine, seed: loop.score(loop.teacher)
    )

    def present(engine, network, task, seed, *, currents, record_states):
        assert record_states == network.params.timing.trace_names  # all that the readout sees
        states = {"trace_30ms": np.random.default_rng(0).random((task.n_samples, 20))}
        return evaluating.Presented(np.full(20, 7), task.n_samples * 0.02, states)

    monkeypatch.setattr(evaluating, "present", present)
    row = network_rows(network, task, "full", numpy_engine, 0, ("spikes",))[0]
    assert row["spikes_per_sample"] == pytest.approx(20 * 7 / task.n_samples)
    assert row["neuron_updates_per_sample"] == 20 * 20


def test_a_readout_cannot_see_a_state_that_was_not_recorded():
    kept = {"trace_30ms": np.zeros((3, 2)), "trace_100ms": np.ones((3, 2))}
    shown = evaluating.Presented(np.zeros(2), 1.0, Recorded(kept))
    assert evaluating.readout_blocks(shown, "spikes") == kept
    with pytest.raises(
        InputError, match=r"states = 'v': was not recorded.*trace_30ms, trace_100ms"
    ):
        evaluating.readout_blocks(shown, "spikes+v")


def test_currents_made_beforehand_allow_no_run_on_own_predictions(network, monkeypatch):
    """The row has the scores of the open loop and says how its rate was matched."""
    from hrsnn_brian.tasks import get_task

    def present(engine, network, task, seed, *, currents, record_states):
        asked.append(currents)
        states = {"trace_30ms": np.random.default_rng(0).random((task.n_samples, 20))}
        return evaluating.Presented(np.full(20, 7), task.n_samples * 0.02, states)

    def run_freely(network, loop, engine, seed):
        return loop.score(loop.teacher)

    asked = []
    monkeypatch.setattr(evaluating, "present", present)
    monkeypatch.setattr(evaluating, "_run_freely", run_freely)
    session = evaluating._Session(get_task("wind", 0, quick=True), None, 0, ("spikes",))
    session.show(network, "full")
    session.show(network, "slow", encoded, {"match": "bias", "note": "why"})
    full, slow = session.entries
    assert asked == [None, encoded]
    assert "vpt_hours" in full
    assert all(name.startswith("vpt") for name in set(full) - set(slow))
    assert not any(name.startswith("vpt") for name in slow)
    assert slow["nrmse_h1"] == full["nrmse_h1"]
    assert (full["match"], slow["match"], slow["note"]) == (UNMATCHED, "bias", "why")


def test_currents_of_a_task_take_the_place_of_the_encoder_and_pass_the_slow_filter(
    network, numpy_engine
):
    """With the encoder's own the spikes are the same; without input there is only the bias."""
    task, by_encoder = Patterns(), present_trials(numpy_engine, network, Patterns(), 3)
    task.currents = encoded
    by_task = present_trials(numpy_engine, network, task, 3)
    assert by_encoder.spike_count.sum() > 0
    np.testing.assert_array_equal(by_task.spike_count, by_encoder.spike_count)
    task.currents = lambda timed, trials: np.zeros((*trials.shape[:2], timed.n_neurons))
    assert present_trials(numpy_engine, network, task, 3).spike_count.sum() == 0
    task.currents = lambda timed, trials: 2 * encoded(timed, trials)
    slow = slow_currents(network, task)
    timed, trials = as_shown(network, task), task.shown(range(2))
    expected = low_passed(timed, 2 * encoded(timed, trials))
    np.testing.assert_allclose(slow(trials), expected)
