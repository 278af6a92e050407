"""Names: what is near is offered, else what there is; they are taken wherever a thing is."""

import json
import re

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.cli.list_command import LISTS
from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.tasks.forecast_task import ForecastTask


@pytest.fixture
def network():
    return hb.build_network(hb.HRSNNParams(N=20, K=4), seed=1)


@pytest.mark.parametrize(
    ("value", "known", "hint"),
    [
        ("wnd", ["wind", "google"], "unknown; did you mean 'wind'? known: google, wind"),
        ("WIND", ["wind", "google"], "unknown; did you mean 'wind'? known: google, wind"),
        ("mackey", ["mackey-glass-84"], "unknown; did you mean 'mackey-glass-84'? known: "),
        ("foo", ["homogeneous", "dense"], "unknown; known: dense, homogeneous"),
        ("", ["a"], "unknown; known: a"),
        ("x", [], "unknown; known: none"),
    ],
)
def test_a_near_name_is_offered_a_far_one_is_not(value, known, hint):
    assert unknown_name("thing", value, known).allowed.startswith(hint)


def test_evaluate_takes_the_name_of_a_task(network, numpy_engine, monkeypatch):
    tiny = ForecastTask(
        name="tiny",
        description="a sine",
        unit="1",
        step="1",
        series=np.sin(np.arange(120) / 5)[:, None],
        horizons=(1,),
        washout=10,
        train=70,
        validation=14,
        test=40,
        predict_increment=True,
    )
    asked = []

    def get_task(name, seed):
        asked.append((name, seed))
        return tiny

    monkeypatch.setattr("hrsnn_brian.tasks.registry.get_task", get_task)
    options = {"engine": numpy_engine, "seed": 3, "readouts": "spikes", "controls": False}
    rows = hb.evaluate(network, "wind", **options).rows()
    assert [row["readout"] for row in rows] == ["spikes"]
    assert rows == hb.evaluate(network, tiny, **options).rows()
    assert asked == [("wind", 3)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "wnd"}, "did you mean 'wind'"),
        ({"task": 3}, "task = 3: must be a Task or a name: lorenz63"),
        ({"network": "net.npz"}, "network = 'net.npz': must be a Network"),
        ({"readouts": "spike"}, "readout = 'spike': unknown; did you mean 'spikes'"),
        ({"readouts": ("spikes", "v")}, "readout = 'v': unknown"),
    ],
)
def test_evaluate_refuses_what_is_none_in_one_line(
    network, numpy_engine, monkeypatch, change, message
):
    for module in ("evaluate", "present"):
        name = f"hrsnn_brian.evaluation.{module}.simulate"
        monkeypatch.setattr(name, lambda *_: pytest.fail("was run"))
    given = {"network": network, "task": "wind"} | change
    with pytest.raises(InputError, match=re.escape(message)):
        hb.evaluate(**given, engine=numpy_engine)


@pytest.mark.compiled
def test_prune_asks_for_a_task_where_one_is_needed_and_tells_every_round(network, compiled_engine):
    told = []

    def tell(done, total, row):
        told.append((done, total, row["synapses"]))

    given = {"engine": compiled_engine, "seed": 1, "rounds": 1}
    with pytest.raises(InputError, match="prunes for a task"):
        hb.prune(network, "activity", hb.Size(neurons=15, keep=0.5), **given)
    pruned = hb.prune(
        network,
        "noise",
        hb.Size(keep=0.5),
        **given | {"rounds": hb.Rounds(1, on_round=tell)},
    )
    half = network.n_synapses // 2
    assert told[-1] == (1, 1, half)
    again = hb.prune(network, "noise", hb.Size(keep=0.5), **given)
    assert np.array_equal(pruned.network.W.toarray(), again.network.W.toarray())


@pytest.mark.compiled
def test_prune_says_on_standard_error_what_it_does(network, tmp_path, capfd):
    hb.save_network(network, tmp_path / "net.npz")
    words = ["prune", str(tmp_path / "net.npz"), "--method", "noise", "--keep", "0.5"]
    assert main([*words, "--out", str(tmp_path / "a.npz")]) == 0
    out, err = capfd.readouterr()
    assert err.startswith("iteration 0: 20 neurons, 80 synapses")
    assert "noise 1/1 | elapsed 0:" in err
    assert "measuring the rate" in err
    assert "elapsed" not in out


def test_list_alone_lists_what_there_is_to_list(capfd):
    assert main(["list"]) == 0
    out = capfd.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == list(LISTS)
    assert main(["list", "--json"]) == 0
    assert set(json.loads(capfd.readouterr().out)["lists"]) == set(LISTS)


def test_the_lengths_of_a_recipe_that_measures_can_be_set_and_are_listed(network, tmp_path, capfd):
    for recipe, listed in (("frugal", True), ("random", False)):
        assert main(["list", "options", recipe]) == 0
        assert ("probe.rate_seconds = 10.0" in capfd.readouterr().out) is listed
    hb.save_network(network, tmp_path / "net.npz")
    words = ["prune", str(tmp_path / "net.npz"), "--keep", "0.5", "--out", str(tmp_path / "a.npz")]
    assert main([*words, "--recipe", "random", "--set", "probe.seconds=1"]) == 2
    assert main([*words, "--recipe", "frugal", "--set", "rate_seconds=0"]) == 2
    refused = capfd.readouterr().err.splitlines()
    assert "'probe.seconds': unknown" in refused[0]
    assert refused[1].startswith("hrsnn: probe.rate_seconds = 0: must be a number of seconds > 0")
