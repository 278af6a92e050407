"""The study of all pruning rules: its points, its rows and what it refuses."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scores import nrmse_84

from hrsnn_brian.dynamics.probe import Measurements, ProbeLengths
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.controls import TaskRate
from hrsnn_brian.files.columns import name_of
from hrsnn_brian.files.schema import scores_told
from hrsnn_brian.files.tables import Table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.echo_gain import EchoOutOfReachError
from hrsnn_brian.pruning.keep_neurons import KeepNeurons
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.recipes import RECIPES, prunes_for_a_task
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.runs.study import load_study
from hrsnn_brian.simulation import Engine
from hrsnn_brian.studies import pruning_methods, recipe_scores, task_points
from hrsnn_brian.studies.compared_recipes import BOTH, COMPARED, LEAVE, compared_at, compared_recipe
from hrsnn_brian.studies.results.condense import condensed
from hrsnn_brian.tasks.registry import get_task


def options(**choices):
    given = {"seeds": 1, "network": load_preset("default", ["N=40"])} | choices
    return pruning_methods.MethodsOptions(**given).to_dict()


def test_every_rule_is_a_recipe_compared_where_it_makes_sense():
    for name in COMPARED:
        recipe = compared_recipe(name)
        assert recipe.rounds >= 1
        assert "," not in name  # names are given in comma-separated lists
        assert recipe.to_dict() == RECIPES[name].to_dict()
        assert not (recipe.fewer_neurons and compared_at(name, 1.0))
        if recipe.family == "lnp":
            where = BOTH if name in ("lnp echo", "lnp echo gain") else LEAVE
            assert (recipe.rounds, COMPARED[name]) == (8, where)
    of_task = {name for name in COMPARED if prunes_for_a_task(RECIPES[name])}
    assert of_task == {
        *("activity", "activity random synapses", "activity echo", "activity stdp"),
        *("lottery", "lottery echo"),
    }
    for name in (name for name in COMPARED if COMPARED[name] == LEAVE):
        assert any(isinstance(step, KeepNeurons) for step in RECIPES[name].steps)
    with pytest.raises(InputError, match="recipe = 'noise': unknown"):
        compared_recipe("noise")  # a recipe, but not one that is compared


def test_points_hold_every_rule_at_every_size_beside_full_and_bare():
    found = pruning_methods.points(options(keep=[0.1, 0.05], neuron_fraction=[1.0, 0.6]), seed=7)
    at = {
        fraction: sum(compared_at(rule, fraction) for rule in COMPARED) for fraction in (1.0, 0.6)
    }
    assert len(found) == 2 + 2 * (at[1.0] + at[0.6])
    assert all(compared_at(rule, 1.0) or compared_at(rule, 0.6) for rule in COMPARED)
    assert {point["seed"] for point in found} == {7}
    assert {pruning_methods.FULL, pruning_methods.BARE} < {point["recipe"] for point in found}


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"recipes": ["magnitude, row 5"]}, "magnitude row .5"),
        ({"tasks": ["wnd"]}, "lorenz63-x"),
        ({"keep": [1.0]}, "keep"),
        ({"neuron_fraction": [0.0]}, "neuron_fraction"),
        ({"match": ["rate"]}, "match"),
        ({"recipes": ["activity"], "neuron_fraction": [1.0]}, "activity"),
        ({"seeds": 0}, "seeds"),
    ],
)
def test_bad_options_are_refused(choice, named):
    with pytest.raises(InputError, match=named):
        pruning_methods.points(options(**choice), seed=0)


def test_a_rule_of_the_task_needs_one():
    network = build_network(load_preset("default", ["N=40"]), 0)
    with pytest.raises(InputError, match="prunes for a task"):
        prune(network, "lottery", Size(30, synapses=40), probe=Measurements(Engine("numpy")))


def rows_of(engine, **choices):
    points = pruning_methods.points(options(tasks=["mackey-glass-84"], **choices), seed=1)
    return Table(row for point in points for row in pruning_methods.run(point, engine))


@pytest.mark.compiled
def test_rules_meet_the_same_size_and_the_bare_network_has_none(compiled_engine):
    chosen = ["noise row .5 (8 rounds)", "fresh"]
    rows = rows_of(compiled_engine, recipes=chosen, keep=[0.5], neuron_fraction=[1.0])
    synapses = {(name_of(row), row["synapses"]) for row in rows}
    assert synapses == {
        ("full", 160),
        ("no recurrence", 0),
        *((rule, 80) for rule in chosen),
    }
    for match in ("none", "bias"):
        assert {r["readout"] for r in rows if r["match"] == match} == {"spikes"}
    assert all(0 < row["nrmse_h84"] < 2 for row in rows)
    text = load_study("pruning_methods").summary(rows)
    assert "84, 50 % of the synapses, 100 % of the neurons, rate matched by bias" in text


@pytest.mark.compiled
def test_neurons_leave_under_every_rule_and_matched_networks_fire_alike(compiled_engine):
    chosen = ["activity", "random neurons", "fresh"]
    rows = rows_of(compiled_engine, recipes=chosen, keep=[0.1], neuron_fraction=[0.5])
    pruned = [row for row in rows if row["recipe"] in chosen]
    assert {(row["neurons"], row["synapses"]) for row in pruned} == {(20, 16)}
    network = build_network(load_preset("default", ["N=40"]), 1)
    measure = Measurements(compiled_engine, 1)
    fresh = prune(network, "fresh", Size(20, synapses=16), probe=measure, seed=1).network
    task = get_task("mackey-glass-84", 1, quick=True)
    on_task = TaskRate(compiled_engine, task, 1)
    for match, rate in (("bias", measure.rate_hz), ("task", on_task)):
        matched, why = recipe_scores._matched(fresh, match, network, task, measure)
        assert rate(matched) == pytest.approx(rate(network), rel=0.02)
        assert rate(fresh) != pytest.approx(rate(network), rel=0.02)
        assert why == ""


@pytest.mark.compiled
def test_a_rate_on_digits_is_matched_too_and_one_out_of_reach_is_told(compiled_engine):
    network = build_network(load_preset("default", ["N=40"]), 1)
    task = get_task("digits", 1, quick=True)
    rate, measure = TaskRate(compiled_engine, task, 1), Measurements(compiled_engine, 1)
    bare = network.without_recurrence()
    matched, _ = recipe_scores._matched(bare, "task", network, task, measure)
    assert rate(matched) == pytest.approx(rate(network), rel=0.02)
    deaf = replace(bare, bias=bare.bias - 100)
    missing, why = recipe_scores._matched(deaf, "task", network, task, measure)
    assert missing is None
    assert why.startswith("rate out of reach: ")


@pytest.mark.compiled
def test_what_is_out_of_reach_has_a_row_that_says_so(compiled_engine, monkeypatch):
    monkeypatch.setattr(recipe_scores, "_matched", lambda *given: (None, "rate out of reach"))
    rows = rows_of(compiled_engine, recipes=["fresh"], keep=[0.5], neuron_fraction=[1.0])
    lost = [row for row in rows if row["recipe"] == "fresh" and row["match"] == "bias"]
    assert [row["note"] for row in lost] == ["rate out of reach"]
    assert not any("nrmse_h84" in row for row in lost)
    matched = load_study("pruning_methods").summary(rows).split("rate matched")[1]
    assert "; left out: 2 rate out of reach" in matched
    assert re.search(r"^fresh +0 of 1 +- +- +-$", matched, re.MULTILINE)


@pytest.mark.compiled
def test_neurons_without_enough_synapses_between_them_do_not_stop_the_others(compiled_engine):
    rows = rows_of(compiled_engine, recipes=["random neurons"], keep=[0.9], neuron_fraction=[0.5])
    lost = [row for row in rows if row["recipe"] == "random neurons"]
    assert {row["note"] for row in lost} == {"size out of reach"}
    assert len(lost) == 2


@pytest.mark.compiled
def test_lnp_is_a_rule_like_any_other_and_notes_when_it_stops(compiled_engine):
    network = build_network(load_preset("default", ["N=40"]), 1)
    measure = Measurements(compiled_engine, 1, ProbeLengths(segments=2, exponent_seconds=0.5))
    quick = LNP.changed(timescales="off", delocalisation="off", rounds=2)
    point = {"neuron_fraction": 0.75, "keep": 0.5}
    pruned, note = task_points.pruned_to(point, quick, network, measure)
    assert (pruned.n_neurons, pruned.n_synapses, note) == (30, 80, "")
    doomed = quick.changed(max_rate=25.0, patience=1)
    kept, note = task_points.pruned_to(point | {"keep": 0.125}, doomed, network, measure)
    assert (note == "") == ((kept.n_neurons, kept.n_synapses) == (30, 20))


def test_an_echo_that_no_gain_reaches_is_a_row_without_a_score(monkeypatch):
    def refuse(*given, **more):
        raise EchoOutOfReachError("gain", "echo", "the input echo of 0.6 is out of reach")

    monkeypatch.setattr("hrsnn_brian.pruning.prune.prune", refuse)
    network = build_network(load_preset("default", ["N=40"]), 1)
    point = {"neuron_fraction": 1.0, "keep": 0.02}
    found, note = task_points.pruned_to(point, LNP, network, Measurements(Engine("numpy")))
    assert found is None
    assert note == "echo out of reach: the input echo of 0.6 is out of reach"


def test_the_reference_table_has_the_mean_of_each_cell_over_seeds_that_reached_it():
    cell = {"task": "mackey-glass-84", "keep": 0.05, "neuron_fraction": 1.0, "match": "bias"}
    cell |= {"readout": "spikes", "network": "pruned", "recipe": "fresh"}
    cell |= {"synaptic_ops_per_s": 100.0, "rate_hz": 20.0}
    told = scores_told([{"task": "mackey-glass-84", "nrmse_h84": nrmse_84(0.0)}])
    rows = [
        cell | {"seed": 1, "nrmse_h84": 0.1, "note": ""},
        cell | {"seed": 2, "nrmse_h84": 0.3, "note": float("nan"), "rate_hz": 10.0},
        cell | {"seed": 3, "nrmse_h84": None, "note": "rate out of reach"},
        cell | {"seed": 4, "nrmse_h84": 0.9, "note": "stopped after iteration 2"},
        cell | {"seed": 2, "nrmse_h84": 0.3, "note": "", "rate_hz": 10.0},
    ]
    (found,) = condensed(Table(rows, told))
    wanted = {"seeds": 2, "mean": 0.2, "sem": 0.1, "rate_hz": 15.0}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    assert (found["of"], found["left_out"]) == (
        4,
        "1 rate out of reach, 1 stopped after iteration 2",
    )
    (empty,) = condensed(Table(rows[2:4], told))
    assert (empty["seeds"], empty["mean"], empty["sem"]) == (0, None, None)
    with pytest.raises(InputError, match="task = 'wind'"):
        condensed(Table([cell | {"task": "wind"}], told))


def test_the_reference_table_has_ranks_tests_against_a_rival_and_networks_that_run_away():
    told = scores_told([{"task": "mackey-glass-84", "nrmse_h84": nrmse_84(0.0)}])
    levels = {"full": 0.07, "lnp echo": 0.06, "activity": 0.08, "random echo": 0.065}
    rows = []
    for name, level in levels.items():
        for match in ("none",) if name == "full" else ("none", "task"):
            for seed in range(8):
                noise = np.random.default_rng([seed, *map(ord, name)]).normal(0, 0.004)
                row = {"network": "pruned", "recipe": name, "task": "mackey-glass-84"}
                row |= {"network": "full", "recipe": ""} if name == "full" else {}
                row |= {"keep": 0.05, "neuron_fraction": 0.6, "match": match, "readout": "spikes"}
                row |= {"seed": seed, "nrmse_h84": level + noise, "note": "", "input_echo": 0.6}
                rows.append(row | {"rate_hz": 20.0 + seed, "synaptic_ops_per_s": 100.0})
    loud = [row for row in rows if row["recipe"] == "random echo" and row["match"] == "none"]
    loud[0]["input_echo"], loud[1]["rate_hz"], loud[2]["rate_hz"] = 2.1, 31.6, 14.6
    found = condensed(Table(rows, told), "activity")
    by_cell = {(row["recipe"] or "full", row["match"]): row for row in found}
    for match in ("none", "task"):
        ranks = [by_cell[name, match]["rank"] for name in [*levels][1:]]
        assert ranks == [1, 3, 2]
    assert by_cell["random echo", "none"]["unruly"] == 3
    assert by_cell["random echo", "task"]["unruly"] == 0
    column = {
        name: [row["nrmse_h84"] for row in rows if (row["recipe"], row["match"]) == (name, "task")]
        for name in levels
    }
    p = [stats.ttest_rel(column[n], column["activity"]).pvalue for n in ("lnp echo", "random echo")]
    ours = by_cell["lnp echo", "task"]
    assert ours["rival"] == "activity"
    assert ours["difference"] == pytest.approx(-0.02, abs=0.005)
    first = 2 * p[0] if p[0] < p[1] else max(p[0], 2 * p[1])  # Holm of two
    assert ours["p_t"] == pytest.approx(first, rel=0.01)
    assert ours["p_wilcoxon"] == pytest.approx(2 * 2 / 2**8, rel=0.01)
    assert by_cell["activity", "task"]["p_t"] is None
    against_full = condensed(Table(rows, told), "full")
    worst = next(row for row in against_full if row["recipe"] == "activity")
    assert worst["difference"] == pytest.approx(0.01, abs=0.005)
    with pytest.raises(InputError, match="did you mean 'activity'"):
        condensed(Table(rows, told), "activty")
