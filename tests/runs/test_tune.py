"""Tuning: the validation block alone decides, a killed search goes on, presets round-trip."""

import math
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import evaluate
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.files.tables import read_table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.distributions import Constant, Gamma, Uniform
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.runs import trial_scores as module
from hrsnn_brian.runs.tune import tune
from hrsnn_brian.runs.tune_options import SEARCHED, tune_options
from hrsnn_brian.settings.ranges import Range
from hrsnn_brian.tasks.registry import get_task
from hrsnn_brian.tasks.validation_task import validation_task

TWO = ["vary=J,gain", "seeds=2"]


# ---- the validation block


@pytest.mark.parametrize("name", ["lorenz63-x", "mackey-glass-84", "wind"])
def test_the_validation_task_holds_no_test_sample(name):
    task = get_task(name, 3, quick=True)
    changed = np.array(task.series)
    changed[task.test_block] += 7.0 + np.arange(task.test)[:, None]
    ours, other = validation_task(task), validation_task(replace(task, series=changed))
    np.testing.assert_array_equal(ours.z, other.z)
    assert ours.n_samples == task.washout + task.train
    # asked is what chooses the penalty otherwise, and the penalty is chosen before it
    assert ours.test_block == slice(task.train_block.stop - task.validation, task.train_block.stop)
    assert ours.train + ours.test == task.train
    assert ours.validation / ours.train == pytest.approx(task.validation / task.train, abs=1e-3)


def test_free_runs_of_the_validation_task_start_and_end_in_the_block():
    from hrsnn_brian.tasks.closed_loop import closed_loop_schedule

    task = get_task("lorenz63-x", 0)
    ours = validation_task(task)
    schedule = closed_loop_schedule(ours)
    block = range(task.train_block.stop - task.validation, task.train_block.stop)
    assert schedule.starts[0] == block[0]
    assert schedule.starts[-1] + schedule.max_steps - 1 == block[-1]
    assert ours.vpt.cap == pytest.approx(schedule.max_steps / task.vpt.steps_per_unit)
    assert len(set(schedule.starts)) == task.vpt.starts


def test_a_validation_block_that_is_too_short_is_refused():
    task = get_task("mackey-glass-84", 0, quick=True)
    with pytest.raises(InputError, match="80 samples: too few for the horizon 84"):
        validation_task(replace(task, validation=80))
    with pytest.raises(InputError, match="no validation block; give"):
        validation_task("wind")  # type: ignore[arg-type]


def test_the_validation_task_of_images_asks_for_those_held_out():
    task = get_task("digits", 0, ["train=60", "test=9", "gain=5", "front_end.lines.show=rows"])
    ours = validation_task(task)
    held = task.held_rows
    assert (ours.n_train, ours.n_test) == (held.start, len(held)) == (48, 12)
    np.testing.assert_array_equal(ours.images.x_train, task.images.x_train[: held.start])
    np.testing.assert_array_equal(ours.images.x_test, task.images.x_train[held.start :])
    np.testing.assert_array_equal(ours.images.y_test, task.images.y_train[held.start :])
    assert (ours.shown_with, ours.options.front_end) == (task.shown_with, task.options.front_end)


# ---- ranges and what they set


def test_a_range_is_searched_on_its_scale_and_gives_numbers_one_can_type():
    geometric, linear = Range(0.03, 0.2), Range(-1.5, 1.0, signed=True)
    assert geometric.at((0.01, 1.0), 0.5) == 0.1
    assert linear.at((-1.5, 1.0), 0.5) == -0.25
    assert geometric.at((0.03, 0.2), 1 / 3) == float(f"{0.03 * (0.2 / 0.03) ** (1 / 3):.3g}")
    for field, ends in ((geometric, (0.03, 0.2)), (linear, (-1.5, 1.0))):
        for level in (0.0, 0.31, 1.0):
            assert field.level(ends, field.at(ends, level)) == pytest.approx(level, abs=0.01)
    assert (geometric.level((0.03, 0.2), 9.0), geometric.level((0.03, 0.2), 0.0)) == (1.0, 0.0)


def test_every_setting_moves_what_it_names_and_nothing_else():
    base = load_preset()
    for name in SEARCHED:
        options = tune_options([f"vary={name}"])
        assert options.params(options.start) == base
        changed = options.params((1.0,))
        highest = options.values((1.0,))[name]
        told = {
            "J": (changed.weights.J, {"weights": {"J": highest}}),
            "g": (changed.weights.g, {"weights": {"g": highest}}),
            "gain": (changed.encoder.gain, {"encoder": {"gain": highest}}),
            "width": (changed.encoder.width, {"encoder": {"width": highest}}),
            "e_slower": (changed.neuron.e_slower, {"neuron": {"e_slower": highest}}),
            "sample": (changed.timing.sample, {"timing": {"sample": "60 ms"}}),
            "tau_syn": (changed.synapse.tau_e.value, {"synapse": {"tau_syn": "200 ms"}}),
            "tau_m": (
                changed.neuron.tau_m.mean,
                {"neuron": {"tau_m": Gamma(shape=3, mean="50 ms", low="2 ms", high="300 ms")}},
            ),
            "bias": (changed.neuron.bias.low + 2.7, {"neuron": {"bias": Uniform(-1.7, 0.3)}}),
        }[name]
        assert told[0] == pytest.approx(highest)
        from hrsnn_brian.settings.reader import read

        assert changed == read(HRSNNParams, base.to_dict(), told[1])


def test_what_the_network_does_not_have_is_refused():
    for settings, told in (
        (["preset=chrsnn"], "means nothing beside neuron.tau_m_clusters"),
        (["network.neuron.bias={family = 'gamma', shape = 2.0, mean = 1.0}"], "neither uniform"),
        (["J=0.2,0.1"], "two numbers > 0, lowest and highest"),
        (["J=0,0.1"], "two numbers > 0"),
        (["sample=10,20"], "a time with a unit"),
        (["vary=nothing"], "vary"),
        (["vary="], "at least one value"),
        (["preset=nowhere"], "preset"),
    ):
        with pytest.raises(InputError, match=told):
            tune_options(settings)
    assert tune_options(["preset=chrsnn", "vary=J,gain"]).network.graph.clusters == 2


def test_slower_excitation_keeps_the_mean_and_every_other_draw():
    usual = build_network(HRSNNParams(N=200), 5)
    slow = build_network(HRSNNParams(N=200, e_slower=2.5), 5)
    e, i = usual.is_e, ~usual.is_e
    for members in (e, i):
        ratio = slow.tau_m[members] / usual.tau_m[members]
        np.testing.assert_allclose(ratio, ratio[0])
    scale = (slow.tau_m / usual.tau_m)[[0, -1]]
    assert scale[0] / scale[1] == pytest.approx(2.5)
    assert e.mean() * scale[0] + i.mean() * scale[1] == pytest.approx(1.0)
    assert (usual.W != slow.W).nnz == 0
    np.testing.assert_array_equal(usual.v_th, slow.v_th)


# ---- the search


@pytest.fixture
def analytic(monkeypatch):
    """Scores that are known functions of J and gain, best at (0.1 + shift, 8); a list of calls."""
    calls = []

    def scored(item, *, parameters, **rest):
        import json

        params = HRSNNParams.from_dict(json.loads(parameters))
        calls.append((item, params))
        distance = abs(math.log(params.weights.J / 0.06)) + abs(math.log(params.encoder.gain / 8))
        better = "higher" if item[0] == "lorenz63-x" else "lower"
        score = math.exp(-distance if better == "higher" else distance) * (1 + 0.01 * item[1])
        cost = {"rate_hz": 10.0, "synaptic_ops_per_s": 1e5, "engine": {"runs": 1}}
        return item, {"score": score, "better": better, **cost}

    monkeypatch.setattr(module, "_scored", scored)
    return calls


def searched(folder, trials=8, tasks=("mackey-glass-84", "lorenz63-x"), settings=TWO):
    return tune(tasks, trials, settings, seed=4, device="numpy", run=folder)


def test_a_search_finds_better_and_files_every_trial(analytic, tmp_path):
    found = searched(tmp_path / "run")
    table = read_table(tmp_path / "run" / "tables" / "tuning.csv")
    assert len(table) == 8 * 2
    assert list(table["trial"]) == sorted(list(range(8)) * 2)
    assert len(analytic) == 8 * 2 * 2
    assert {item[1] for item, _ in analytic} == {4, 5}
    first = table[table["trial"] == 0]
    assert (first["J"] == 0.1).all()
    assert (first["gain"] == 4.0).all()
    # mean of the two tasks' logs, errors negated: the distance, up to the factors of the seeds
    start = -(math.log(0.1 / 0.06) + math.log(2))
    assert first["objective"].iloc[0] == pytest.approx(start, abs=0.01)
    assert found.gain == pytest.approx(table["objective"].max() - first["objective"].iloc[0])
    assert found.gain > 0.5
    best = table[table["trial"] == found.best].iloc[0]
    assert (best["J"], best["gain"]) == (found.params.weights.J, found.params.encoder.gain)
    assert list(table["best_so_far"]) == list(np.maximum.accumulate(table["objective"]))
    assert read_schema(tmp_path / "run" / "tables" / "tuning.csv").columns["gain"].meaning
    assert (tmp_path / "run" / "DONE").exists()


def test_the_start_is_kept_where_nothing_beats_it(analytic, tmp_path):
    settings = [*TWO, "network.weights.J=0.06", "network.encoder.gain=8"]
    found = searched(tmp_path / "run", settings=settings)
    assert (found.best, found.gain) == (0, 0.0)
    assert found.params == load_preset("default", ["J=0.06", "gain=8"])


def test_a_killed_search_goes_on_as_if_nothing_had_been(analytic, monkeypatch, tmp_path):
    whole = searched(tmp_path / "whole")
    scored, left = module._scored, [11]  # in the third trial

    def killed(item, **rest):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return scored(item, **rest)

    monkeypatch.setattr(module, "_scored", killed)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "cut")
    part = read_table(tmp_path / "cut" / "tables" / "tuning.csv")
    assert list(part["trial"]) == [0, 0, 1, 1]
    assert not (tmp_path / "cut" / "DONE").exists()
    analytic.clear()
    resumed = searched(tmp_path / "cut")
    assert len(analytic) == 6 * 2 * 2  # the trials that were finished are not made again
    assert resumed.params == whole.params
    for name in ("tables/tuning.csv", "points/trials.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_run_of_other_settings_is_not_continued(analytic, tmp_path):
    searched(tmp_path / "run", trials=2)
    with pytest.raises(InputError, match="holds another run"):
        searched(tmp_path / "run", trials=2, settings=[*TWO, "gain=2,9"])


def test_the_preset_file_is_the_network_that_was_found(analytic, tmp_path):
    found = searched(tmp_path / "run")
    file = tmp_path / "mine.toml"
    found.save(file)
    assert load_preset(str(file)) == found.params
    assert load_preset(str(tmp_path / "run" / "preset.toml"), ["J=0.2"]).weights.J == 0.2
    assert "mackey-glass-84" in tomllib.loads(file.read_text())["description"]
    assert f"trial {found.best} of 8" in file.read_text()
    network = tmp_path / "net.npz"
    words = ["build", "--preset", str(file), "--set", "N=50", "--out", str(network)]
    assert main(words) == 0


def test_no_trial_with_a_number_is_an_error(monkeypatch, tmp_path):
    def scored(item, **rest):
        cost = {"rate_hz": 0.0, "synaptic_ops_per_s": 0.0, "engine": {}}
        return item, {"score": math.nan, "better": "lower", **cost}

    monkeypatch.setattr(module, "_scored", scored)
    with pytest.raises(InputError, match="no trial gave a number"):
        searched(tmp_path / "run", trials=2)


def test_a_trial_scores_the_validation_task(tmp_path, numpy_engine, monkeypatch):
    def short(name, seed, **options):
        blocks = {"washout": 10, "train": 100, "validation": 30, "test": 40}
        task = get_task("google", seed)
        return replace(task, series=task.series[:150], horizons=(1, 2), vpt=None, **blocks)

    monkeypatch.setattr("hrsnn_brian.tasks.registry.get_task", short)
    small = ["network.N=20", "network.timing.sample=1 ms", "seeds=2", "vary=J"]
    found = tune("google", 1, small, seed=3, device="numpy", run=tmp_path / "run")
    by_hand = []
    for seed in (3, 4):
        network = build_network(load_preset("default", ["N=20", "sample=1 ms"]), seed)
        task = validation_task(short("google", seed))
        scores = evaluate(network, task, engine=numpy_engine, seed=seed, controls=False).scores()
        by_hand.append(next(score.value for score in scores.values() if score.primary))
    assert found.rows[0]["score"] == np.mean(by_hand)
    assert found.rows[0]["score_sd"] == np.std(by_hand, ddof=1)


@pytest.mark.filterwarnings("ignore:the network is saturated")
def test_images_are_tuned_by_what_reaches_them(monkeypatch, tmp_path, numpy_engine):
    few = {"train": 50, "test": 5, "sample": "1 ms", "logistic": False}
    monkeypatch.setattr(
        "hrsnn_brian.tasks.registry.get_task",
        lambda name, seed, **options: get_task(name, seed, **few),
    )
    small = ["network.N=20", "graph.K=5", "seeds=1"]
    found = tune("digits", 2, small, seed=3, device="numpy", run=tmp_path / "run")
    assert {*SEARCHED} - found.rows[0].keys() == {"gain", "sample"}
    network = build_network(load_preset("default", ["N=20", "K=5"]), 3)
    task = validation_task(get_task("digits", 3, **few))
    row = evaluate(network, task, engine=numpy_engine, seed=3, controls=False).primary()
    assert found.rows[0]["score"] == row["accuracy"]


# ---- the command


def test_the_command_writes_a_preset_and_says_what_it_found(analytic, tmp_path, capsys):
    words = ["tune", "--task", "mackey-glass-84", "--trials", "9", "--device", "numpy"]
    words += ["--jobs", "1", "--set", "vary=J,gain", "--run", str(tmp_path / "run")]
    assert main([*words, "--out", str(tmp_path / "p.toml")]) == 0
    said = capsys.readouterr()
    assert "confirm it on fresh seeds" in said.out
    load_preset(str(tmp_path / "p.toml"))
    table = read_table(tmp_path / "run" / "tables" / "tuning.csv")
    ranked = table.sort_values("score")["trial"].head(5)  # the start, then the best, best first
    shown = [line.split()[1] for line in said.out.splitlines() if line.startswith("mackey")]
    assert shown == list(dict.fromkeys(["0", *map(str, ranked)]))
    best = table.loc[table["score"].idxmin()]
    assert f"best: mackey-glass-84 {best['score']:.4g} in trial {best['trial']}" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--task", "mackey-glas-84"], "mackey-glass-84"),
        (["--task", "wind", "--task", "wind"], "each once"),
        (["--task", "wind", "--trials", "0"], "trials"),
        (["--task", "wind", "--set", "J=0.1"], "two numbers"),
        (["--task", "wind", "--set", "encoder.kind=current"], "no effect"),
        (["--task", "wind", "--set", "preset=none.toml"], "none.toml"),
        (["--task", "digits", "--set", "vary=J,gain"], "vary = 'gain': has no effect"),
        (["--task", "digits", "--set", "readout=spikes+products"], "readout of digits = "),
        (["--task", "mnist"], "data = None: must be given for mnist: a folder with"),
        (["--task", "mnist", "--set", "data=gone"], "data = 'gone': there is no such folder"),
        ([], "--task"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(words, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["tune", *words, "--device", "numpy", "--out", "p.toml"]) == 2
    said = capsys.readouterr().err.strip()
    assert told in said
    assert "\n" not in said
    assert list(tmp_path.iterdir()) == []


def test_out_must_be_a_preset_file(tmp_path, capsys):
    assert main(["tune", "--task", "wind", "--out", str(tmp_path / "p.npz")]) == 2
    assert ".toml" in capsys.readouterr().err


def test_a_homogeneous_network_is_tuned_by_its_one_time_constant():
    options = tune_options(["preset=homogeneous", "vary=tau_m"])
    assert options.params((1.0,)).neuron.tau_m == Constant("50 ms")
