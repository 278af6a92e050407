"""The study of what a tuned setting is worth: its points, rows and verdicts."""

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import FULL, PRUNED, identity
from hrsnn_brian.files.score import LOWER, Score
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.runs.study import load_study, resolve_options, undecided
from hrsnn_brian.runs.tune import tune
from hrsnn_brian.studies import tuning


def options(*settings):
    return resolve_options(load_study("tuning"), "quick", list(settings))


def test_every_preset_meets_every_size_full_and_pruned():
    chosen = options("presets=default,low-rate", "sizes=100,200", "seeds=2", "recipes=frugal")
    found = tuning.points(chosen, 7)
    assert len(found) == 2 * 2 * 2 * 2
    assert {point["seed"] for point in found} == {7, 8}
    networks = [HRSNNParams.from_dict(point["network"]) for point in found]
    assert {network.N for network in networks} == {100, 200}
    assert {network.encoder.gain for network in networks} == {4.0}
    assert {(p["recipe"], p["keep"]) for p in found} == {(FULL, 1.0), ("frugal", 0.05)}


def test_a_preset_file_of_ones_own_takes_part(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[weights]\nJ = 0.07\n")
    found = tuning.points(options(f"presets=default,{file}", "seeds=1"), 0)
    assert {HRSNNParams.from_dict(point["network"]).weights.J for point in found} == {0.1, 0.07}
    with pytest.raises(InputError, match="nowhere"):
        options("presets=default,nowhere")


def test_images_that_come_in_files_are_named(tmp_path):
    random = np.random.default_rng(0)
    images = {
        f"x_{part}": random.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        for part, n in (("train", 40), ("test", 9))
    }
    labels = {"y_train": np.arange(40) % 10, "y_test": np.arange(9)}
    np.savez(tmp_path / "mnist.npz", **images, **labels)
    named = ("tasks=mnist", f"data={tmp_path}", "train=30", "seeds=1")
    (task,) = tuning.points(options(*named), 0)[0]["tasks"]
    assert (task["task"], task["task_settings"]["train"]) == ("mnist", 30)
    with pytest.raises(InputError, match="data"):
        tuning.points(options("tasks=mnist", "seeds=1"), 0)


def rows(first, second):
    """Scores by seed of the default and of another preset, full; the default pruned as well."""
    found = []
    for preset, recipe, scores in (
        ("default", "", first),
        ("default", "frugal", first),
        ("mine.toml", "", second),
    ):
        for seed, score in enumerate(scores):
            name = PRUNED if recipe else FULL
            row = identity(name, recipe=recipe, seed=seed, task="t", readout="spikes")
            nrmse = Score("nrmse", score, better=LOWER, primary=True)
            found.append(row | {"preset": preset, "N": 100, "nrmse": nrmse, "rate_hz": 10.0})
    return found


def test_the_summary_tests_each_against_the_first_full_network():
    text = tuning.summary(rows([1.0, 1.1, 1.2, 1.3, 1.4], [0.51, 0.60, 0.72, 0.8, 0.9]))
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines()}
    assert [name for name in lines if name.endswith((": full", ": frugal"))][-3:] == [
        "default: full",
        "default: frugal",
        "mine.toml: full",
    ]
    assert lines["default: full"][-1] == "-"
    assert float(lines["mine.toml: full"][-1]) < 0.001
    assert "0.706" in lines["mine.toml: full"]
    assert "p of the paired t test against default: full" in text


def test_too_few_seeds_to_decide_are_said_beforehand():
    study = load_study("tuning")
    assert undecided(study, options("seeds=2", "presets=default,low-rate"))
    assert undecided(study, options("seeds=2", "presets=default", "recipes=frugal"))


def test_tune_and_its_study_know_the_quadratic_readout(tmp_path):
    assert options("readouts=spikes,spikes+products")
    with pytest.raises(InputError, match="readout"):
        tune("wind", 1, ["readout=cubic"], device="numpy", run=tmp_path / "run")
