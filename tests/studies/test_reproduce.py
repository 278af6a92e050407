"""The study reproduce: its points, its tables, and what it files of a network."""

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE
from hrsnn_brian.files.tables import read_table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.recipes import prunes_for_a_task
from hrsnn_brian.runs.runner import plan_study, run_study
from hrsnn_brian.runs.study import load_study, resolve_options
from hrsnn_brian.studies import reproduce, reproduced_tables
from hrsnn_brian.studies.compared_recipes import compared_recipe

OWN = """
from hrsnn_brian.runs.study import Study

def points(options, seed):
    return [{"seed": seed + k, "lost": options["lost"]} for k in range(2)]

def run(point, engine):
    mean = {"seed": point["seed"], "x": 1.0}
    return [mean, *({"table": point["lost"], "seed": point["seed"], "k": k} for k in range(3))]

STUDY = Study("two", "two tables", points, run, uses_engine=False, tables=("means", "each"),
              presets={"quick": {"lost": "each"}})
"""


def test_rows_go_into_the_table_they_name_and_others_into_the_first(tmp_path):
    (tmp_path / "two.py").write_text(OWN)
    study = load_study(str(tmp_path / "two.py"))
    done = run_study(plan_study(study), out=tmp_path / "run")
    assert [path.name for path in done.files if path.suffix == ".csv"] == ["means.csv", "each.csv"]
    means, each = (read_table(tmp_path / "run" / "tables" / f"{t}.csv") for t in study.tables)
    assert list(means.columns) == ["seed", "x"]
    assert list(each.columns) == ["seed", "k"]
    assert (len(means), len(each), len(done.rows)) == (2, 6, 2)
    again = run_study(plan_study(study), out=tmp_path / "run")  # from the finished points
    assert again.computed == 0
    lost = plan_study(study, overrides=["lost=nowhere"])
    with pytest.raises(InputError, match="table = 'nowhere': unknown"):
        run_study(lost, out=tmp_path / "lost")


def test_points_are_every_recipe_once_a_seed_beside_full_and_bare():
    options = resolve_options(reproduce.STUDY, None, ["N=40", "seeds=2", "short_tasks=true"])
    found = reproduce.points(options, 5)
    per_seed = [p["recipe"] for p in found if p["seed"] == 5]
    assert per_seed == [FULL, NO_RECURRENCE, *reproduce.RECIPES]
    assert {p["pictured"] for p in found if p["seed"] == 5} == {True}
    assert {p["pictured"] for p in found if p["seed"] == 6} == {False}
    shown = [task["task"] for task in found[0]["tasks"]]
    assert shown == ["mackey-glass-84", "lorenz63-x", "digits"]
    assert {
        (p["keep"], p["neuron_fraction"]) for p in found if p["recipe"] in reproduce.RECIPES
    } == {(0.1, 0.6)}


def test_iterations_are_kept_of_recipes_that_watch_their_stability_alone(tmp_path):
    kept = {
        name
        for name in reproduce.RECIPES
        if reproduced_tables.Watched({}, compared_recipe(name), None, tmp_path).iterated
    }
    assert kept == {"lnp", "lnp echo"}
    assert not any(prunes_for_a_task(compared_recipe(name)) for name in kept)


def test_pictures_hold_every_neuron_synapse_and_eigenvalue_by_its_old_number():
    network = build_network(load_preset("default", ["N=30"]), 1)
    some = network.without_neurons(np.arange(0, 30, 2))
    neurons = reproduced_tables._neurons(some)
    assert [row["neuron"] for row in neurons] == some.neuron_id.tolist()
    assert [row["class"] == "E" for row in neurons] == some.is_e.tolist()
    dense = np.zeros((30, 30))
    for row in reproduced_tables._synapses(some):
        dense[row["post"], row["pre"]] = row["weight"]
    ids = some.neuron_id
    np.testing.assert_array_equal(dense[np.ix_(ids, ids)], some.W.toarray())
    values = reproduced_tables._eigenvalues(some)
    A = some.W.toarray() / some.tau_m[:, None] - np.diag(1 / some.tau_m)
    wanted = np.sort(np.linalg.eigvals(A).real)[::-1]
    np.testing.assert_allclose(sorted((v["real_per_s"] for v in values), reverse=True), wanted)
    assert all(1 <= v["participation_ratio"] <= some.n_neurons for v in values)
