"""The study of heterogeneous against equal membranes, and of clusters against one."""

import numpy as np
import pytest

from hrsnn_brian.dynamics import probe
from hrsnn_brian.errors import InputError, TableError
from hrsnn_brian.evaluation import controls, evaluate
from hrsnn_brian.figures.heterogeneity import draw
from hrsnn_brian.files.columns import NAME, identity
from hrsnn_brian.files.score import HIGHER, Score
from hrsnn_brian.files.tables import Table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.network import NEURON_ARRAYS
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.runs.study import load_study, resolve_options, undecided
from hrsnn_brian.studies import heterogeneity as study

NAMES = [
    study.EQUAL,
    "tau_m cv 0.58",
    "tau_m cv 1",
    "homogeneous, equal v_th",
    "tau_m cv 0.58, equal v_th",
    study.NO_RECURRENCE,
    study.CLUSTERED,
    study.ONE,
    study.ONE_SAME,
]


def options(*settings):
    return resolve_options(load_study("heterogeneity"), "quick", list(settings))


def networks():
    """Name -> network of seed 5, and the drawn one."""
    found = study.points(options("seeds=1", "tasks=wind"), 5)
    drawn = build_network(HRSNNParams.from_dict(found[0]["network"]), 5)
    return {point[NAME]: study.compared(drawn, point) for point in found}, drawn


def test_every_network_meets_every_task_on_every_seed():
    found = study.points(options("seeds=2", "tasks=wind,digits"), 7)
    assert [(p["seed"], p[NAME]) for p in found] == [(s, name) for s in (7, 8) for name in NAMES]
    assert {tuple(task["task"] for task in p["tasks"]) for p in found} == {("wind", "digits")}


def test_spreads_differ_in_membranes_alone_at_equal_class_means():
    found, drawn = networks()
    for name in NAMES[:3]:
        network = found[name]
        assert (network.W != drawn.W).nnz == 0
        for array in NEURON_ARRAYS.keys() - {"tau_m"}:
            np.testing.assert_array_equal(getattr(network, array), getattr(drawn, array))
        for members in (drawn.is_e, ~drawn.is_e):
            mean = drawn.tau_m[members].mean()
            assert network.tau_m[members].mean() == pytest.approx(mean)
    cvs = [found[name].tau_m.std() / found[name].tau_m.mean() for name in NAMES[:3]]
    assert cvs[0] < 0.1  # the classes differ
    assert cvs[1] == pytest.approx(0.58, rel=0.25)
    assert cvs[2] == pytest.approx(1, rel=0.25)


def test_thresholds_are_equal_beside_either_membranes_and_all_else_stays():
    found, drawn = networks()
    assert np.std(drawn.v_th) > 0.2
    for name in NAMES[:2]:
        even = found[name + study.EQUAL_V_TH]
        np.testing.assert_array_equal(even.tau_m, found[name].tau_m)
        for members in (drawn.is_e, ~drawn.is_e):
            np.testing.assert_allclose(even.v_th[members], drawn.v_th[members].mean())
    alike = options("seeds=1", "tasks=wind", "network.neuron.v_th=1.0")
    assert not [p for p in study.points(alike, 5) if "equal_v_th" in p]  # they are equal already


def test_excitatory_membranes_are_slower_by_the_ratio_at_the_mean_of_all():
    (point,) = [
        p
        for p in study.points(options("seeds=1", "tasks=wind", "e_slower=2.5"), 5)
        if "e_slower" in p
    ]
    all_found, drawn = networks()
    fast, base = study.compared(drawn, point), all_found["tau_m cv 0.58"]
    assert point[NAME] == "tau_m E/I 2.5"
    assert fast.tau_m.mean() == pytest.approx(base.tau_m.mean())
    means = [fast.tau_m[members].mean() for members in (fast.is_e, ~fast.is_e)]
    assert means[0] / means[1] == pytest.approx(2.5)
    for members in (fast.is_e, ~fast.is_e):
        scale = fast.tau_m[members] / base.tau_m[members]
        np.testing.assert_allclose(scale, scale[0])


def test_one_cluster_has_the_size_of_the_clustered_network_and_its_membranes_or_their_mean():
    found, _ = networks()
    clustered, one, same = (found[name] for name in NAMES[6:])
    assert set(clustered.cluster) == {0, 1}
    assert set(one.cluster) == set(same.cluster) == {0}
    assert clustered.n_neurons == one.n_neurons == 100
    assert clustered.n_synapses == one.n_synapses == same.n_synapses
    assert (one.W != same.W).nnz == 0
    np.testing.assert_array_equal(same.tau_m, clustered.tau_m)
    assert not np.allclose(one.tau_m, clustered.tau_m)
    for members in (one.is_e, ~one.is_e):
        mean = clustered.tau_m[members].mean()
        assert one.tau_m[members].mean() == pytest.approx(mean)
    inside = clustered.cluster[clustered.W.indices] == np.repeat(
        clustered.cluster, np.diff(clustered.W.indptr)
    )
    assert inside.mean() == pytest.approx(0.8)


@pytest.mark.parametrize("reached", [True, False])
def test_a_row_says_how_its_rate_was_matched(monkeypatch, reached):
    """All networks are to fire as the drawn one does; its row is the primary readout's."""
    asked = []
    monkeypatch.setattr(controls.TaskRate, "__call__", lambda *_: 12.0)

    def matched(rate, network, wanted_hz):
        asked.append(wanted_hz)
        return network, "" if reached else "not met within 2 %"

    def rows(network, task, name, engine, seed, readouts):
        return [identity(name, seed=seed, task=task.name, readout=r) for r in readouts]

    monkeypatch.setattr(controls.TaskRate, "matched", matched)
    monkeypatch.setattr(evaluate, "network_rows", rows)
    monkeypatch.setattr(probe.Measurements, "memory_capacity", lambda *_: 7.5)
    point = study.points(options("seeds=1", "tasks=wind", "cvs=0.58"), 5)[1]
    (row,) = study.run(point, None)
    assert asked == [12.0]
    assert (row["network"], row["readout"], row["match"]) == ("tau_m cv 0.58", "spikes", "bias")
    assert (row[study.CV], row["memory_capacity"]) == (0.58, 7.5)
    assert row["note"] == ("" if reached else "rate out of reach: not met within 2 %")


def test_networks_are_pruned_before_their_rate_is_that_of_the_drawn_one(monkeypatch):
    """Each by the same recipe to the same size, once for all tasks that the recipe does not see;
    what cannot be pruned has rows without scores."""
    seen = []

    def cut(point, recipe, full, measures):
        seen.append((recipe.name, point["keep"], len(set(full.tau_m)) > 2, measures.task.name))
        return (None, "size out of reach") if point[NAME] == study.EQUAL else (full, "")

    monkeypatch.setattr(study, "pruned_to", cut)
    monkeypatch.setattr(controls.TaskRate, "__call__", lambda *_: 12.0)
    monkeypatch.setattr(controls.TaskRate, "matched", lambda rate, network, hz: (network, ""))
    monkeypatch.setattr(
        evaluate,
        "network_rows",
        lambda network, task, name, *rest: [identity(name, seed=5, task=task.name)],
    )
    monkeypatch.setattr(probe.Measurements, "memory_capacity", lambda *_: 7.5)
    chosen = options("seeds=1", "tasks=wind,google", "recipe=random echo", "keep=0.1")
    rows = [row for point in study.points(chosen, 5)[:2] for row in study.run(point, None)]
    assert seen == [("random echo", 0.1, False, "wind"), ("random echo", 0.1, True, "wind")]
    assert [row["note"] for row in rows] == ["size out of reach"] * 2 + [""] * 2
    assert [(row["network"], row["task"], row["recipe"], row["keep"]) for row in rows] == [
        (name, task, "", 0.1)
        for name in (study.EQUAL, "tau_m cv 0.58")
        for task in ("wind", "google")
    ]


GAINS = (0, 0.01, -0.01, -0.005, 0.005, -0.1, 0.02, 0.01, 0.02)


def table_rows(gain, seeds=9):
    """Accuracies by network and seed: what each name adds to a common course over seeds."""
    found = []
    for name, more in zip(NAMES, gain, strict=True):
        for seed in range(seeds):
            value = 0.9 + 0.01 * np.sin(seed) + more * (1 + 0.1 * np.cos(3 * seed))
            score = Score("accuracy", value, better=HIGHER, label="accuracy", primary=True)
            row = identity(name, seed=seed, task="digits", readout="spikes", match="bias")
            cv = dict(zip(NAMES, (0.0, 0.58, 1.0), strict=False)).get(name)
            row |= {study.CV: cv, study.EVENTS: 80.0 if name == study.CLUSTERED else 100.0}
            row |= {"memory_capacity": 5 + more}
            found.append(row | {"accuracy": score, "note": "", "rate_hz": 20.0})
    return found


def verdicts_of(rows):
    return {
        line.split("  ")[0]: line.split("  ")[-1].strip()
        for line in study.summary(Table(rows)).splitlines()
        if " against " in line
    }


def test_a_comparison_holds_by_both_tests_and_operations_stand_beside_it():
    rows = table_rows(GAINS)
    assert verdicts_of(rows) == {
        "tau_m cv 0.58 against homogeneous": "holds",
        "tau_m cv 1 against homogeneous": "does not hold, the other way round",
        "tau_m cv 0.58, equal v_th against homogeneous": "holds",
        "tau_m cv 0.58, equal v_th against homogeneous, equal v_th": "holds",
        "homogeneous against homogeneous, equal v_th": "holds",
        "clustered against one cluster": "holds",
        "clustered against one cluster, same tau_m": "does not hold",
    }
    assert "0.8  holds" in study.summary(Table(rows))
    few = verdicts_of([row for row in rows if row["seed"] < 8])
    assert set(few.values()) == {"not tested: 9 paired seeds are needed"}


def test_a_row_at_another_rate_is_left_out():
    rows = table_rows(GAINS)
    rows[0]["note"] = "rate out of reach: not met within 2 %"
    found = verdicts_of(rows)
    assert found["tau_m cv 1 against homogeneous"].startswith("not tested")
    assert found["clustered against one cluster"] == "holds"
    assert "left out: 1 rate out of reach" in study.summary(Table(rows))


def test_the_figure_draws_means_against_the_spread_and_clusters_beside():
    rows = table_rows(GAINS)
    score, events, rate, memory = draw(Table(rows).frame())
    curve, clusters = (c.lines[0] for c in score.containers)
    values = {
        name: [float(r["accuracy"].value) for r in rows if r["network"] == name] for name in NAMES
    }
    x, y = np.array(curve.get_data(), dtype=float)  # matplotlib keeps objects
    np.testing.assert_allclose(x, [0, 0.58, 1])
    np.testing.assert_allclose(y, [np.mean(values[name]) for name in NAMES[:3]])
    by_place = dict(zip(clusters.get_xdata(), clusters.get_ydata(), strict=True))
    found = [by_place[x] for x in sorted(by_place)]
    np.testing.assert_allclose(found, [np.mean(values[name]) for name in (*NAMES[3:5], *NAMES[6:])])
    assert min(by_place) > 1
    assert sorted(events.containers[1].lines[0].get_ydata()) == [80, 100, 100, 100, 100]
    bare = np.mean([float(r["accuracy"].value) for r in rows if r["network"] == NAMES[5]])
    assert [text.get_text() for text in score.texts] == [f"no recurrence: {bare:.3g} ↓"]
    assert set(rate.containers[0].lines[0].get_ydata()) == {20.0}
    remembered = np.array(memory.containers[0].lines[0].get_ydata(), dtype=float)
    np.testing.assert_allclose(remembered, [5 + more for more in GAINS[:3]])
    assert len(draw(Table(rows).frame().drop(columns="memory_capacity"))) == 3
    with pytest.raises(TableError, match=study.CV):
        draw(Table(rows).frame().drop(columns=study.CV))


def test_what_cannot_be_compared_is_refused():
    for setting, message in (
        ("clustered=default", "two clusters are needed"),
        ("clustered=chrsn", "chrsnn"),
        ("cvs=0", "must be"),
        ("cvs=fast", "cv"),
        ("tasks=digit", "digits"),
        ("recipe=fresh", "recipe"),  # it would draw membranes of its own
    ):
        with pytest.raises(InputError, match=message):
            options(setting)
    with pytest.raises(InputError, match="chooses who leaves"):
        options("recipe=activity", "neuron_fraction=1")
    with pytest.raises(InputError, match="data"):
        study.points(options("tasks=mnist"), 0)
    unpruned = study.points(options("clustered=none", "thresholds=false", "seeds=1"), 0)
    assert {point[NAME] for point in unpruned} == {*NAMES[:3], study.NO_RECURRENCE}
    assert {point["keep"] for point in unpruned} == {1.0}
    assert undecided(load_study("heterogeneity"), options())
    assert not undecided(load_study("heterogeneity"), options("seeds=12"))
