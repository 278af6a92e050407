"""Sweeps: three ways to say one, checked points, rows with what varied, searches that resume."""

import shlex
from pathlib import Path

import numpy as np
import pytest
import sweep_fakes

import hrsnn_brian as hb
from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import network_rows
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.files.tables import read_table
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.runs import sweep_points as module
from hrsnn_brian.runs.study import load_study, resolve_options
from hrsnn_brian.runs.sweep import Sweep, part_of, sweep_of
from hrsnn_brian.runs.sweep_options import SweepOptions
from hrsnn_brian.tasks.forecast_task import ForecastTask

FILE = """
description = "heterogeneity against coupling"
seeds = 4
recipe = ["frugal", "none"]
[network]
J = "0.05:0.3:6"
[network.neuron]
tau_m.shape = [1, 3]
[size]
keep = 0.05
[task]
name = "lorenz63-x"
quick = true
"""
WORDS = {
    "network": ["J=0.05:0.3:6", "tau_m.shape=1,3"],
    "recipe": ["frugal,none"],
    "size": ["keep=0.05"],
    "task": ["lorenz63-x", "quick=true"],
}


@pytest.fixture
def faked(monkeypatch):
    sweep_fakes.install(monkeypatch)


def options_of(**table) -> SweepOptions:
    return sweep_of(table).options


# ---- three ways to say it


def test_words_a_file_and_python_say_the_same(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    by_words = sweep_of({part: part_of(words, part) for part, words in WORDS.items()}, {"seeds": 4})
    in_python = options_of(
        network={"J": np.linspace(0.05, 0.3, 6).round(2).tolist(), "tau_m": {"shape": [1, 3]}},
        recipe=["frugal", "none"],
        size={"keep": 0.05},
        task={"name": "lorenz63-x", "quick": True},
        seeds=4,
    )
    assert sweep_of(str(path)).options == by_words.options == in_python
    assert SweepOptions.from_dict(in_python.to_dict()) == in_python
    assert resolve_options(load_study("sweep"), None, [str(path)]) == in_python.to_dict()


def test_words_beside_a_file_change_it(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    changed = sweep_of(str(path), {"recipe": "thrifty", "network": {"N": 60}, "seeds": 2}).options
    assert changed.names("recipe") == ("thrifty",)
    assert changed.seeds == 2
    assert {"N", "weights.J", "neuron.tau_m.shape"} < changed.network.keys()


# ---- points


def test_a_grid_has_every_value_with_every_other_and_a_point_for_each_seed():
    made = Sweep(options_of(**sweep_of(FILE_TABLE).options.to_dict())).plan(seed=5).points
    assert len(made) == 4 * 2 * 6 * 2
    assert [p["seed"] for p in made[:: 2 * 6 * 2]] == [5, 6, 7, 8]
    for point in made[:24]:
        changes = [f"J={point['weights.J']}", f"tau_m.shape={point['neuron.tau_m.shape']}"]
        assert point["network"] == load_preset("default", changes).to_dict()
        assert point["size"] == ({"keep": 0.05} if point["recipe"] == "frugal" else {})


FILE_TABLE = {
    "network": {"J": "0.05:0.3:6", "tau_m.shape": [1, 3]},
    "recipe": ["frugal", "none"],
    "size": {"keep": 0.05},
    "task": {"name": "mackey-glass-84", "quick": True},
    "seeds": 4,
}


def test_what_a_recipe_or_task_does_not_have_makes_no_points_of_it():
    options = options_of(
        recipe={
            "name": ["frugal", "lnp", "none"],
            "stability.patience": [2, 3],
            "rounds": [4, 6, 8],
        },
        size={"keep": [0.1, 0.2]},
        task={"name": ["mackey-glass-84", "wind"], "quick": True, "starts": [3, 5]},
        seeds=1,
    )
    made = module.sweep_points(options, 0)
    count = {name: sum(p["recipe"] == name for p in made) for name in ("frugal", "lnp", "none")}
    assert count == {"frugal": 6, "lnp": 12, "none": 1}  # rounds x keep; patience x rounds x keep
    (bare,) = [point for point in made if point["recipe"] == "none"]
    tasks = [(one["name"], one["columns"].get("task.starts")) for one in bare["tasks"]]
    assert tasks == [("mackey-glass-84", None), ("wind", 3), ("wind", 5)]
    first = next(p for p in made if p["recipe"] == "lnp")
    recipe, _ = module._recipe(first)
    assert (recipe.rounds, recipe.stability.patience) == (4, 2)


def test_an_alias_sets_all_it_stands_for_and_columns_are_in_si():
    options = options_of(network={"tau_syn": ["50 ms", "80 ms"], "preset": ["default", "low-rate"]})
    made = module.sweep_points(options, 0)
    assert {p["synapse.tau_syn"] for p in made} == {0.05, 0.08}
    assert {p["preset"] for p in made} == {"default", "low-rate"}
    for point in made:
        tables = (point["network"]["synapse"][name] for name in ("tau_e", "tau_i"))
        assert len({table["value"] for table in tables}) == 1
    preset, column = options.columns()
    assert (preset.role, column.role, column.unit) == ("identity", "identity", "s")
    assert column.meaning.startswith("time constant of excitation")


@pytest.mark.parametrize("design", ["sobol", "random"])
def test_a_design_draws_from_ranges_and_lists(design):
    network = {"J": "0.05:0.3:log", "N": "40:60", "currents": ["one", "two"], "g": 5}
    options = options_of(network=network, design=design, draws=16, recipe=["none"], seeds=2)
    made = module.sweep_points(options, 3)
    assert len(made) == 32
    assert all(0.05 <= p["weights.J"] <= 0.3 and p["N"] in range(40, 61) for p in made)
    assert {p["synapse.currents"] for p in made} == {"one", "two"}
    assert made == module.sweep_points(options, 3)
    again = module.sweep_points(options, 4)
    assert {p["weights.J"] for p in again} != {p["weights.J"] for p in made}
    half = [p for p in made if p["weights.J"] < np.sqrt(0.05 * 0.3)]
    if design == "sobol":
        assert len(half) == 16  # half the points in each half of the range, in its logarithm


REFUSED = [
    ("--network JJ=1", "did you mean 'J'"),
    ("--network tau_m.shap=1,2", "did you mean 'shape'"),
    ("--network J=0.3:0.05:6", "low below high"),
    ("--network J=0.05:0.3", "needs a number in a grid"),
    ("--network J=-1,2", "weights.J = -1"),
    ("--network J=.1,.1", "names a value twice"),
    ("--network N=20,40 --network K=30", "(at the point recipe=none N=20)"),
    ("--network tau_m.shape=0,1", "(at the point recipe=none neuron.tau_m.shape=0)"),
    ("--network J=.1 --network J=.2", "is given twice"),
    ("--network J=.1 --network weights.J=.2", "is given twice"),
    ("--recipe lpn", "did you mean 'lnp'"),
    ("--recipe lnp", "lnp needs one: keep=0.05"),
    ("--recipe lnp --size keep=.1 --recipe roundz=2", "did you mean 'rounds'"),
    ("--recipe frugal --size keep=.1 --size density=.1", "give one of them"),
    ("--recipe frugal --size keep=.1 --size neurons=900", "must be at most N = 500"),
    ("--recipe activity --size keep=.2", "chooses who leaves"),
    ("--recipe none --recipe rounds=3", "it has none"),
    ("--task wnd", "did you mean 'wind'"),
    ("--task wind --task start=3", "did you mean 'starts'"),
    ("--readout v", "must be one of spikes, spikes+v"),
    ("--design sobl", "did you mean 'sobol'"),
    ("--design sobol", "nothing to draw"),
    ("--search trials=3", "no setting has several values"),
    ("--search trial=3", "--search = 'trial'"),
    ("--search trials=3 --network J=.1,.2 --recipe none,lnp --size keep=.1", "takes one of them"),
    ("gone.toml", "cannot be read"),
    ("bad.toml", "did you mean 'network'"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_cannot_be_is_one_line_and_nothing_is_written(
    words, message, faked, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text("[netwrk]\nJ = 0.1\n")
    assert main(["sweep", *words.split()]) == 2
    err = capfd.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


# ---- rows


def test_rows_are_those_of_the_network_pruned_and_shown_by_hand(numpy_engine, monkeypatch):
    tiny = ForecastTask(
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
    )
    monkeypatch.setattr(module, "get_task", lambda name, seed, **settings: tiny)
    options = options_of(
        network={"N": 20, "J": [0.1, 0.2], "sample": "4 ms"},
        recipe=["random", "none", "no recurrence"],
        size={"keep": 0.5},
        seeds=1,
    )
    made = [p for p in module.sweep_points(options, 4) if p["weights.J"] == 0.2]
    found = [row for point in made for row in module.sweep_rows(point, numpy_engine)]
    full = hb.build_network(load_preset("default", ["N=20", "J=0.2", "sample=4 ms"]), 4)
    pruned = hb.prune(full, "random", hb.Size(keep=0.5), engine=numpy_engine, seed=4).network
    networks = {"pruned": pruned, "full": full, "no recurrence": full.without_recurrence()}
    for row, (name, network) in zip(found, networks.items(), strict=True):
        (own,) = network_rows(network, tiny, name, numpy_engine, 4, ("spikes",))
        told = {"recipe": "random" if name == "pruned" else "", "note": "", "weights.J": 0.2}
        told |= {"keep": 0.5} if name == "pruned" else {}
        assert row == own | told
    assert [row["synapses"] for row in found] == [20, 40, 0]


def test_a_sweep_ends_with_table_schema_tests_and_figure_and_resumes(
    faked, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    words = [f"--{part} {shlex.quote(w)}" for part, all_ in WORDS.items() for w in all_]
    command = shlex.split(f"sweep {' '.join(words)} --seeds 3 --device numpy --out run")
    assert main(command) == 0
    out = capfd.readouterr().out
    assert "recipe" in out
    assert "17 comparisons, all else equal" in out  # 1 of recipes, 15 of J, 1 of shapes
    assert out.count("72 of 72 points computed") == 1
    table, schema = read_table("run/tables/sweep.csv"), read_schema("run/tables/sweep.csv")
    J = schema.columns["weights.J"]
    assert (J.role, J.unit) == ("identity", "1")
    assert J.meaning.startswith("strength of excitation")
    assert schema.columns["neuron.tau_m.shape"].meaning.startswith("shape of membrane time")
    assert list(table.columns[:3]) == ["network", "recipe", "neurons"]
    assert Path("run/figures/sweep.pdf").stat().st_size > 1000
    before = Path("run/tables/sweep.csv").read_bytes()
    for path in [*Path("run/points").glob("*.json")][:5]:
        path.unlink()
    Path("run/DONE").unlink()
    assert main(command) == 0
    assert "5 of 72 points computed" in capfd.readouterr().out
    assert Path("run/tables/sweep.csv").read_bytes() == before


def test_python_gives_the_table_of_the_run(faked, tmp_path):
    two = {"network": {"J": [0.1, 0.2]}}
    frame = hb.sweep(FILE_TABLE, two, seeds=2, device="numpy", out=tmp_path / "run", seed=3)
    assert frame.attrs["run"] == str(tmp_path / "run")
    assert sorted(frame["seed"].unique()) == [3, 4]
    assert frame.groupby(["weights.J", "neuron.tau_m.shape", "network"]).ngroups == 8
    read = read_table(tmp_path / "run" / "tables" / "sweep.csv")
    np.testing.assert_array_equal(frame["nrmse_h84"], read["nrmse_h84"])
    assert (tmp_path / "run" / "figures" / "sweep.png").exists()


# ---- a search


SEARCHED = {
    "network": {"J": "0.05:0.5:log", "tau_m.shape": [1, 3]},
    "task": {"name": "mackey-glass-84", "quick": True},
    "seeds": 2,
    "search": {"trials": 16, "method": "sobol"},
}


def test_a_search_finds_what_scores_best_and_resumes(faked, tmp_path, monkeypatch):
    frame = hb.sweep(SEARCHED, device="numpy", out=tmp_path / "whole")
    assert list(frame["trial"]) == list(range(16))
    best = frame.loc[frame["objective"].idxmax()]
    assert best["neuron.tau_m.shape"] == 3
    assert best["weights.J"] == pytest.approx(0.15, rel=0.35)
    assert best["objective"] == pytest.approx(-np.log(best["score"]))
    calls, real = [], sweep_fakes.network_rows

    def failing(*arguments):
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(module, "network_rows", failing)
    with pytest.raises(KeyboardInterrupt):
        hb.sweep(SEARCHED, device="numpy", out=tmp_path / "killed")
    assert not (tmp_path / "killed" / "DONE").exists()
    hb.sweep(SEARCHED, device="numpy", out=tmp_path / "killed")
    assert len(calls) == 9 + 2 * (16 - 4)  # four trials of two networks were logged
    names = [f"tables/sweep_search.{kind}" for kind in ("csv", "schema.json")]
    for name in (*names, "points/trials.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_search_asks_the_validation_block_alone(faked, tmp_path, monkeypatch):
    asked, real = [], sweep_fakes.network_rows
    monkeypatch.setattr(
        module, "network_rows", lambda *given: asked.append(given[1]) or real(*given)
    )
    hb.sweep(SEARCHED | {"search": {"trials": 2}}, device="numpy", out=tmp_path / "run")
    whole = hb.get_task("mackey-glass-84", 0, quick=True)
    assert {task.n_samples for task in asked} == {whole.train_block.stop}


def test_a_search_that_is_no_search_is_refused():
    for more, message in (
        ({"design": "grid"}, "leave it out"),
        ({"draws": 4}, "leave it out"),
        ({"search": {"trials": 0}}, "trials = 0"),
        ({"readouts": ["spikes", "spikes+v"]}, "one readout"),
    ):
        with pytest.raises(InputError, match=message):
            sweep_of(SEARCHED | more).searching()
