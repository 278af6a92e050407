"""Training: constants drawn as declared, what the file keeps, what is refused, the command."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from equality import equal_networks

import hrsnn_brian as hb
from hrsnn_brian.cli.main import main
from hrsnn_brian.dynamics.cost import ActivityWarning
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.slow_input import encoded
from hrsnn_brian.training.stdp import Stdp
from hrsnn_brian.training.train import Trained, mode_settings, train_on


@pytest.fixture(scope="module")
def network():
    bias = {"family": "uniform", "low": -2.5, "high": -0.3}
    return hb.build_network(hb.HRSNNParams(N=60, K=12, bias=bias), seed=2)


@pytest.fixture(scope="module")
def inputs():
    return list(np.random.default_rng(1).standard_normal((2, 15, 1)))


STRONG = ["A_plus.mean=0.01", "A_minus.mean=0.006"]


@pytest.mark.parametrize("name", ["tau_plus", "tau_minus", "A_plus", "A_minus"])
def test_constants_are_drawn_per_synapse_from_the_declared_gamma(name):
    """Mean and cv within 4 standard errors of 40,000 draws, each quantity on its own stream."""
    network = hb.build_network(hb.HRSNNParams(N=1000, K=50), seed=1)
    unit = "ms" if name.startswith("tau") else ""
    settings = mode_settings("stdp", [f"{name}.mean=30 {unit}".strip(), f"{name}.cv=0.4"])
    first, other = settings.draw(network, 5), Stdp().draw(network, 5)
    excites = network.W.data > 0
    values = getattr(first, name)[excites]
    mean = 30 * (1e-3 if unit else 1)
    assert values.mean() == pytest.approx(mean, abs=4 * 0.4 * mean / 200)
    assert values.std() / values.mean() == pytest.approx(0.4, abs=4 * 0.4 / 200)
    assert len(np.unique(values)) == values.size
    for same in {"tau_plus", "tau_minus", "A_plus", "A_minus"} - {name}:
        assert np.array_equal(getattr(first, same), getattr(other, same))
    assert not np.array_equal(values, getattr(settings.draw(network, 6), name)[excites])
    if name.startswith("A"):
        assert np.all(getattr(first, name)[~excites] == 0)


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("choice", "sign"), [("excitatory", [True, False]), ("inhibitory", [False, True])]
)
def test_only_the_chosen_synapses_learn(network, inputs, compiled_engine, choice, sign):
    settings = mode_settings("stdp", [*STRONG, f"synapses={choice}"])
    after = train_on(network, inputs[:1], settings, engine=compiled_engine).network.W.data
    before = network.W.data
    moved = [bool(np.any(after[part] != before[part])) for part in (before > 0, before < 0)]
    assert moved == sign


def test_bounds_follow_the_row_where_asked(network):
    bounds = mode_settings("stdp", ["scale=row", "high=3", "low=0.5", "synapses=all"])
    found = bounds.draw(network, 0)
    W = network.W.toarray()
    for k, (post, pre) in enumerate(zip(*network.W.nonzero(), strict=True)):
        same = W[post][np.sign(W[post]) == np.sign(W[post, pre])]
        size, mean = abs(W[post, pre]), np.abs(same).mean()
        assert found.w_max[k] == pytest.approx(max(3 * mean, size))
        assert found.w_min[k] == pytest.approx(min(0.5 * mean, size))


@pytest.mark.compiled
def test_training_is_the_same_again_and_runs_go_on_from_each_other(
    network, inputs, compiled_engine
):
    settings = mode_settings("stdp", [*STRONG, "scale=row", "high=1.5", "low=0"])
    both = train_on(network, inputs, settings, engine=compiled_engine, seed=3)
    again = train_on(network, inputs, settings, engine=compiled_engine, seed=3)
    assert equal_networks(both.network, again.network)
    swapped = train_on(network, inputs[::-1], settings, engine=compiled_engine, seed=3)
    assert not np.array_equal(both.network.W.data, swapped.network.W.data)
    twice = train_on(
        network, inputs[:1], replace(settings, repeats=2), engine=compiled_engine, seed=3
    )
    doubled = train_on(network, inputs[:1] * 2, settings, engine=compiled_engine, seed=3)
    assert np.array_equal(twice.network.W.data, doubled.network.W.data)


@pytest.mark.compiled
def test_a_trained_network_keeps_what_was_done_to_it(network, inputs, compiled_engine, tmp_path):
    told = []
    trained = train_on(
        network,
        inputs,
        mode_settings("stdp", STRONG),
        engine=compiled_engine,
        seed=4,
        name="mine",
        on_run=lambda done, total: told.append((done, total)),
    )
    assert told == [(0, 2), (1, 2), (2, 2)]
    path = hb.save_network(trained.network, tmp_path / "t.npz")
    loaded = hb.load_network(path)
    assert equal_networks(loaded, trained.network)
    (note,) = loaded.history
    assert note == trained.note
    assert (note["input"], note["seed"], note["samples"]) == ("mine", 4, 30)
    assert Stdp.from_dict(note["settings"]) == mode_settings("stdp", STRONG)
    w = loaded.W.data[loaded.W.data > 0]
    assert note["after"]["weight_e_mean"] == pytest.approx(w.mean())
    before = network.W.data[network.W.data > 0]
    ratio = w / before
    assert note["change_mean"] == pytest.approx(ratio.mean() - 1)
    assert note["at_high"] == pytest.approx(np.mean(ratio >= 2 * (1 - 1e-12)))
    assert note["at_low"] == pytest.approx(np.mean(ratio <= 0.01 * (1 + 1e-12)))
    assert loaded.n_synapses == network.n_synapses
    assert note["after"]["rate_hz"] != note["before"]["rate_hz"]


@pytest.mark.compiled
def test_synapses_that_come_to_nothing_leave_and_are_counted(network, inputs, compiled_engine):
    settings = mode_settings("stdp", ["A_plus=0", "A_minus=0.5", "low=0"])
    trained = train_on(network, inputs, settings, engine=compiled_engine)
    lost = network.n_synapses - trained.network.n_synapses
    assert trained.note["lost_synapses"] == lost > 20
    assert trained.network.synapses_original == network.n_synapses


@pytest.mark.compiled
def test_the_rate_is_put_back_where_asked(network, inputs, compiled_engine):
    settings = mode_settings("stdp", ["A_plus=0", "A_minus=0.1"])
    free = train_on(network, inputs[:1], settings, engine=compiled_engine).note
    assert abs(free["after"]["rate_hz"] / free["before"]["rate_hz"] - 1) > 0.03
    matched = train_on(
        network, inputs[:1], replace(settings, rates="matched"), engine=compiled_engine
    )
    hz = [matched.note[when]["rate_hz"] for when in ("before", "after")]
    assert hz[1] == pytest.approx(hz[0], rel=0.02)
    shift = matched.network.bias - network.bias
    np.testing.assert_allclose(shift, matched.note["bias_offset"])
    assert matched.note["bias_offset"] != 0


def test_nothing_of_the_test_block_is_shown(network, numpy_engine, monkeypatch):
    task = hb.get_task("wind", 0, quick=True)
    shown = []

    def stop(network, inputs, *rest, **more):
        shown.extend(inputs)
        return Trained(network, {})

    monkeypatch.setattr("hrsnn_brian.evaluation.train.train_on", stop)
    hb.train(network, task, engine=numpy_engine)
    (run,) = shown
    assert np.array_equal(run.stimulus, task.z[: task.washout + task.train])
    hb.TaskProbe(numpy_engine, task=task).trained(network)
    assert np.array_equal(shown[1].stimulus, run.stimulus)  # the rival that prunes what was trained


class _Tables(hb.RunTask):
    name, description, step, remarks = "tables", "", "", ()

    def trials(self):
        return ()

    def targets(self):
        return np.zeros((0, 1))

    def fit(self, states):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mode": "stpd"}, "did you mean 'stdp'"),
        ({"task": "wnd"}, "did you mean 'wind'"),
        ({"task": _Tables()}, "task = 'tables': has no trials to train a network on"),
        ({"settings": ["A_pluss=1"]}, "did you mean 'A_plus"),
        ({"settings": ["A_plus=-0.1"]}, "stdp.A_plus"),
        ({"settings": ["A_plus=10 ms"]}, "without a unit"),
        ({"settings": ["tau_plus=20"]}, "a time with a unit"),
        ({"settings": ["tau_minus.mean=0 ms"]}, "must be > 0"),
        ({"settings": ["high=0.5"]}, "must be a number >= 1"),
        ({"settings": ["low=2"]}, "stdp.low"),
        ({"settings": ["synapses=none"]}, "synapses"),
        ({"settings": ["repeats=0"]}, "repeats"),
    ],
)
def test_bad_input_is_one_line(network, numpy_engine, given, said):
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        hb.train(network, **{"task": "wind"} | given, engine=numpy_engine)
    assert "\n" not in str(caught.value)


def test_inputs_and_networks_that_cannot_train_are_refused(network, inputs, numpy_engine):
    bare = network.without_recurrence()
    for what, runs, said in (
        (bare, inputs, "has no excitatory synapses to train"),
        (network, [], "at least one run"),
        (network, [inputs[0], np.zeros((5, 2))], "same columns"),
        (network, [np.full((5, 1), np.nan)], "finite"),
    ):
        with pytest.raises(InputError, match=said):
            train_on(what, runs, engine=numpy_engine)


@pytest.mark.compiled
def test_a_silent_network_is_told_of_and_unchanged(network, inputs, compiled_engine):
    silent = replace(network, bias=network.bias - 90)
    with pytest.warns(ActivityWarning, match="silent"):
        trained = train_on(silent, inputs, engine=compiled_engine).network
    assert np.array_equal(trained.W.data, network.W.data)


@pytest.mark.compiled
def test_the_command_writes_a_network_that_describe_explains(
    network, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    tiny = hb.get_task("mackey-glass-84", 0, quick=True)
    short = replace(
        tiny,
        series=tiny.series[:420],
        washout=20,
        train=200,
        validation=40,
        test=200,
        horizons=(1,),
    )
    monkeypatch.setattr("hrsnn_brian.tasks.registry.get_task", lambda *_: short)
    hb.save_network(network, "n.npz")
    words = ["train", "n.npz", "--task", "mackey-glass-84", "--set", "A_plus.mean=0.01"]
    assert main([*words, "--out", "t.npz", "--json"]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    trained = hb.load_network("t.npz")
    assert result["after"]["rate_hz"] == trained.history[0]["after"]["rate_hz"]
    assert "stdp 20/20" in err
    assert "left 0:00" in err
    assert main(["describe", "t.npz"]) == 0
    text = capsys.readouterr().out
    for part in ("train: mode = stdp", "input = mackey-glass-84", "A_plus*x", "rate_hz"):
        assert part in text
    assert main(["describe", "n.npz"]) == 0
    assert "stdp" not in capsys.readouterr().out


def test_a_network_is_trained_as_the_task_shows_it_and_keeps_its_parameters(network, monkeypatch):
    seen = []

    def train_on(network, inputs, how, **_):
        seen.append((network.params.timing.sample, network.params.encoder.gain))
        seen.append([run.stimulus.shape for run in inputs])
        return Trained(network, {})

    monkeypatch.setattr("hrsnn_brian.evaluation.train.train_on", train_on)
    task = hb.get_task("digits", 0, train=40)
    found = hb.train(network, task, engine=None)
    shape = (40 * task.front_end.steps, task.front_end.columns)  # one image after the other
    assert seen == [(0.01, 8.0), [shape]]
    assert found.network.params == network.params != hb.HRSNNParams(gain=8.0)


def test_a_task_trains_on_the_currents_that_it_makes_itself(network, numpy_engine):
    """With those of the encoder training is the same; without input it is another."""
    x = np.random.default_rng(2).standard_normal((6, 3, 2))
    task = hb.ClassificationTask("patterns", x[:4], [0, 1, 0, 1], x[4:], [0, 1])
    found = []
    for currents in (None, encoded, lambda shown, trials: 0 * encoded(shown, trials)):
        task.currents = currents
        found.append(hb.train(network, task, "stdp", STRONG, engine=numpy_engine).network.W.data)
    by_encoder, by_task, without = found
    assert np.abs(by_encoder - network.W.data).max() > 0
    np.testing.assert_array_equal(by_task, by_encoder)
    assert not np.array_equal(without, by_encoder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train n.npz --task wind --out n.npz", "is the network to train"),
        ("train n.npz --task wind --out t.csv", "must end in .npz"),
        ("train n.npz --task wind --mode bp --out t.npz", "mode = 'bp': unknown"),
        ("train gone.npz --task wind --out t.npz", "no such file"),
        ("train n.npz --task wind --set A=1 --out t.npz", "see hrsnn list options stdp"),
        ("train n.npz --task wind --task-set A=1 --out t.npz", "see hrsnn list options wind"),
        ("train n.npz --task wind --data x --out t.npz", "contradicts --data x"),
        ("train n.npz --task mnist --data gone --out t.npz", "gone"),
    ],
)
def test_the_command_refuses_in_one_line(network, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    hb.save_network(network, "n.npz")
    assert main(words.split()) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "t.npz").exists()
