"""Noise where it is asked for and nowhere else; costs of a process of its own."""

import math
import os
import time
from dataclasses import replace

import numpy as np
import own_process
import pytest
from scores import nrmse_84

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation import evaluate
from hrsnn_brian.files.columns import FULL
from hrsnn_brian.files.machine import peak_memory, processor_seconds
from hrsnn_brian.files.tables import Table
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.runs.study import load_study, resolve_options
from hrsnn_brian.simulation import Drive, simulate
from hrsnn_brian.studies import noise_robustness as noise
from hrsnn_brian.studies import scale
from hrsnn_brian.tasks.closed_loop import closed_loop_schedule
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.registry import get_task

TINY = ForecastTask(
    name="tiny",
    description="a sine",
    unit="1",
    step="1",
    series=np.sin(np.arange(90) / 5)[:, None],
    horizons=(2,),
    washout=10,
    train=50,
    validation=12,
    test=30,
    predict_increment=False,
    seed=3,
)


# ---- noise


def test_membrane_noise_has_the_variance_of_a_leak_driven_by_held_noise(hand_made, numpy_engine):
    """v_k = a v_(k-1) + (1 - a) x_k with a = exp(-sample/tau): var v = sd^2 (1 - a)/(1 + a)."""
    sd, n = 0.5, 400
    tables = {"neuron": {"noise": sd}, "timing": {"sample": "5 ms", "dt": "1 ms"}}
    network = hand_made(np.zeros((n, n)), v_th=100.0, tau_m=20e-3, **tables)
    drive = Drive(np.zeros((120, n)), direct=True, seed=2)
    v = simulate(numpy_engine, network, drive).states["v"][60:]
    a = math.exp(-5 / 20)
    assert v.var() == pytest.approx(sd**2 * (1 - a) / (1 + a), rel=0.05)
    assert np.corrcoef(v[:, 0], v[:, 1])[0, 1] < 0.5  # neurons have their own


def test_noise_that_is_not_there_leaves_files_as_they_were():
    assert "noise" not in HRSNNParams().to_dict()["neuron"]
    assert load_preset("default", ["noise=0"]) == load_preset("default")
    noisy = load_preset("default", ["neuron.noise=0.3"])
    assert HRSNNParams.from_dict(noisy.to_dict()) == noisy
    assert noisy.neuron.noise == 0.3
    with pytest.raises(InputError, match=r"neuron.noise = -1: must be a number >= 0"):
        load_preset("default", ["noise=-1"])


def test_noise_of_the_test_is_on_what_a_test_shows_alone():
    clean = get_task("lorenz63-x", 1, quick=True)
    task = replace(clean, test_noise=0.2)
    block = task.test_block
    np.testing.assert_array_equal(task.shown[: block.start], clean.shown[: block.start])
    np.testing.assert_array_equal(task.truth, clean.truth)
    added = task.shown[block] - clean.shown[block]
    assert added.std() == pytest.approx(0.2, rel=0.1)
    ours, other = closed_loop_schedule(task), closed_loop_schedule(clean)
    shown = (ours.teacher - other.teacher)[~ours.free]
    assert shown.std() == pytest.approx(0.2, rel=0.15)
    assert not (ours.teacher - other.teacher)[ours.free].any()
    with pytest.raises(InputError, match="test_noise = -1"):
        replace(clean, test_noise=-1)
    by_option = get_task("lorenz63-x", 1, quick=True, test_noise=0.2)
    np.testing.assert_array_equal(by_option.shown, task.shown)


def test_every_network_meets_the_noises_of_the_options(monkeypatch):
    study = load_study("noise_robustness")
    settings = ["N=20", "K=4", "input=0.1", "membrane=0.5,2", "tasks=lorenz63-x", "seeds=1"]
    options = resolve_options(study, None, settings)
    first, *others = noise.points(options, 7)
    assert [p["recipe"] for p in (first, *others)] == [FULL, "frugal", "random variance"]
    seen = []

    def rows(network, task, name, engine, seed, readouts):
        seen.append((network.params.neuron.noise, task.input_noise, task.test_noise))
        return [{"network": name, "seed": seed, "task": task.name}]

    monkeypatch.setattr(evaluate, "network_rows", rows)
    monkeypatch.setattr(noise, "task_of", lambda point: replace(TINY, input_noise=0.3))
    found = noise.run(first | {"noises": [tuple(one) for one in first["noises"]]}, None)
    assert [(row["noise"], row["noise_sd"]) for row in found] == [
        ("none", 0.0), ("input", 0.1), ("membrane", 0.5), ("membrane", 2.0)
    ]  # fmt: skip
    added = math.hypot(0.3, 0.1)  # the task's own noise stays
    assert seen == [(0, 0.3, 0), (0, added, 0.1), (0.5, 0.3, 0), (2.0, 0.3, 0)]


def test_a_loss_is_the_log_of_the_factor_against_that_of_the_full_network():
    rows = []
    for seed in range(8):
        base = 0.1 + 0.01 * seed
        for name, factor in ((FULL, 1.5), ("lnp", 3.0), ("frugal", 1.2)):
            who = {"network": name if name == FULL else "pruned"}
            who["recipe"] = "" if name == FULL else name
            for kind, sd, worse in (("none", 0.0, 1.0), ("input", 0.1, factor)):
                score = nrmse_84(base * worse * (1 + 1e-3 * ((seed * 7) % 5) * (kind == "input")))
                told = {"task": "mackey-glass-84", "seed": seed, "readout": "spikes", "note": ""}
                rows.append(who | told | {"noise": kind, "noise_sd": sd, score.name: score})
    table = Table(rows)
    named = [row | {"name": row["recipe"] or row["network"]} for row in table]
    tests = noise.losses(named, table.schema.primary("mackey-glass-84"))
    assert [*tests] == [("lnp", "input", 0.1), ("frugal", "input", 0.1)]
    assert tests["lnp", "input", 0.1].mean_difference == pytest.approx(math.log(2))
    assert tests["frugal", "input", 0.1].mean_difference == pytest.approx(math.log(1.2 / 1.5))
    text = noise.summary(table)
    assert "more" in text
    assert "less" in text
    assert "8 seeds" in text
    with pytest.raises(InputError, match="names a size twice"):
        resolve_options(load_study("noise_robustness"), None, ["input=0.1,0.1"])


# ---- scale


def test_a_point_of_scale_is_measured_in_a_process_of_its_own(monkeypatch, numpy_engine):
    monkeypatch.setattr(scale, "measured", own_process.measured)
    (row,) = scale.run({"N": 20}, numpy_engine)
    assert row["pid"] != os.getpid()
    assert (row["device"], row["N"]) == ("numpy", 20)


def test_what_is_measured_is_what_was_spent():
    before, used = peak_memory(), processor_seconds()
    held = np.ones(int(before / 8) + 8_000_000)  # as much as ever, and 64 MB
    assert peak_memory() - before > 60e6
    del held
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert processor_seconds() - used > 0.04


def test_a_row_of_scale_has_the_costs_of_its_stages_and_a_score(monkeypatch):
    settings = ["sizes=20,12", "K=4", "keep=0.5", "recipes=random", "sample=2 ms"]
    options = resolve_options(load_study("scale"), None, settings)
    made = scale.points(options, 1)
    assert [(p["N"], p["recipe"]) for p in made] == [
        (12, FULL), (12, "random"), (20, FULL), (20, "random")
    ]  # fmt: skip
    monkeypatch.setattr("hrsnn_brian.tasks.registry.get_task", lambda *_, **__: TINY)
    monkeypatch.setattr(scale, "RUN_SECONDS", 0.1)
    (row,) = scale.measured(made[3], "numpy")
    assert (row["N"], row["neurons"], row["synapses"]) == (20, 20, 40)
    assert all(row[stage] > 0 for stage in scale.COSTS)
    assert row["cpu_s"] == pytest.approx(sum(row[stage] for stage in scale.STAGES))
    text = scale.summary([row])
    assert "20  random" in text
    assert "nrmse_h2" in text


def test_sizes_that_cannot_be_are_refused_before_anything_runs():
    with pytest.raises(InputError, match="must be at most N - 1 = 19"):
        resolve_options(load_study("scale"), None, ["sizes=20,200", "K=30"])
