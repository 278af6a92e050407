"""The studies of networks on many tasks: their points, what is pruned once, what they tell."""

import importlib
import types

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE, name_of
from hrsnn_brian.files.score import LOWER, Score
from hrsnn_brian.files.tables import Table
from hrsnn_brian.runs.points import points_of
from hrsnn_brian.runs.study import TABLE, load_study, resolve_options
from hrsnn_brian.simulation import Engine
from hrsnn_brian.studies import classification_table, prediction_table, task_points, transfer
from hrsnn_brian.tasks import echo_state

pruning = importlib.import_module("hrsnn_brian.pruning.prune")
SMALL = ("N=20", "seeds=1", "train=30", "test=12")


def options(study, *settings, preset="quick"):
    return resolve_options(load_study(study), preset, list(settings))


def mnist(folder, seed=0):
    random = np.random.default_rng(seed)
    names = {"x_train": (20, 28, 28), "x_test": (6, 28, 28)}
    arrays = {k: random.integers(0, 256, shape, dtype=np.uint8) for k, shape in names.items()}
    arrays |= {"y_train": np.arange(20) % 10, "y_test": np.arange(6)}
    np.savez(folder / "mnist.npz", **arrays)
    return folder


@pytest.mark.parametrize("name", ["transfer", "prediction_table", "classification_table"])
@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_every_preset_has_points_without_data_of_the_users(name, preset):
    study = load_study(name)
    without = ["rivals=none"] if name == "prediction_table" else []
    chosen = options(name, *without, preset=preset)
    found = points_of(study, chosen, 3)
    assert {point["seed"] for point in found} == set(range(3, 3 + chosen["seeds"]))
    assert {point["recipe"] for point in found} >= {FULL, *chosen["recipes"]}
    assert study.figures[0] == name


def test_points_of_one_network_follow_each_other_and_a_bare_one_is_not_trained():
    chosen = options("transfer", "seeds=1", "training=none,stdp", "tasks=wind,digits")
    found = transfer.points(chosen, 0)
    recipes = [point["recipe"] for point in found]
    assert list(dict.fromkeys(recipes)) == [FULL, NO_RECURRENCE, "frugal", "random variance"]
    assert recipes == sorted(recipes, key=list(dict.fromkeys(recipes)).index)
    assert len(found) == 2 * (2 + 1 + 2 + 2)
    bare = [point for point in found if point["recipe"] == NO_RECURRENCE]
    assert {(point["training"], point["keep"]) for point in bare} == {("none", 0.0)}


def test_a_recipe_that_must_see_a_task_sees_one_in_transfer_and_the_very_one_in_the_tables():
    many = ["recipes=activity,frugal", "seeds=1"]
    chosen = options("transfer", *many, "tasks=wind,digits", "looked_at=google")
    seen = {(p["recipe"], p["pruned_for"].get("task")) for p in transfer.points(chosen, 0)}
    assert {("activity", "google"), ("frugal", None), (FULL, None)} <= seen
    assert not any(recipe == "activity" and task != "google" for recipe, task in seen)
    chosen = options("prediction_table", *many, "tasks=wind,google")
    own = [p for p in prediction_table.points(chosen, 0) if p["recipe"] == "activity"]
    assert all(p["pruned_for"]["task"] == p["task"] for p in own)


def test_sets_in_files_join_where_data_is_given_and_are_asked_for_where_it_is_not(tmp_path):
    plain = options("classification_table", "seeds=1", "filed_tasks=mnist")
    assert task_points.tasks_of(plain) == ["digits"]
    given = options(
        "classification_table", "seeds=1", "filed_tasks=mnist", f"data={mnist(tmp_path)}"
    )
    assert task_points.tasks_of(given) == ["digits", "mnist"]
    for settings, message in (
        (["tasks=mnist"], "must be given for mnist"),
        (["filed_tasks=cifar10", f"data={tmp_path}"], "does not hold cifar10"),
    ):
        chosen = options("classification_table", *settings)
        with pytest.raises(InputError, match=message):
            classification_table.points(chosen, 0)


@pytest.mark.parametrize("study", ["transfer", "classification_table"])
def test_sets_in_files_named_by_the_user_are_the_only_ones(study, tmp_path):
    data = f"data={tmp_path}"
    for settings, wanted in (
        (["tasks=digits,cifar10"], ["digits", "cifar10"]),
        (["tasks=digits,cifar10", "filed_tasks=mnist"], ["digits", "cifar10", "mnist"]),
        (["tasks=digits"], ["digits", "mnist", "cifar10", "cifar100"]),
        (["tasks=digits", "filed_tasks="], ["digits"]),
    ):
        assert task_points.tasks_of(options(study, data, *settings)) == wanted


def test_a_label_of_no_training_image_is_told_with_its_set(tmp_path):
    mnist(tmp_path)
    chosen = options("transfer", "tasks=mnist", f"data={tmp_path}", "train=3")
    with pytest.raises(InputError, match=r"y_test = '3': .* no training trial of mnist"):
        transfer.points(chosen, 0)


def test_a_set_gives_no_more_images_than_it_has(tmp_path):
    settings = ["train=2000", "test=5", "filed_tasks=mnist", f"data={mnist(tmp_path)}", "seeds=1"]
    found = classification_table.points(options("classification_table", *settings), 0)
    sizes = {p["task"]: (p["task_settings"]["train"], p["task_settings"]["test"]) for p in found}
    assert sizes == {"digits": (1437, 5), "mnist": (20, 5)}


def test_other_images_in_the_folder_are_other_points(tmp_path):
    def found():
        chosen = options("transfer", "tasks=wind,mnist", f"data={tmp_path}", "filed_tasks=[]")
        return transfer.points(chosen, 0)

    mnist(tmp_path)
    first = found()
    assert found() == first
    mnist(tmp_path, seed=1)
    with pytest.raises(InputError, match="holds other images of mnist"):
        task_points.task_of(first[-1])
    other = found()
    assert task_points.task_of(other[-1]).name == "mnist"
    assert [a == b for a, b in zip(first, other, strict=True)] == [
        point["task"] == "wind" for point in first
    ]


def test_a_missing_rival_is_said_before_any_work(monkeypatch):
    monkeypatch.setattr(echo_state, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"hrsnn-brian\[rivals\]"):
        prediction_table.points(options("prediction_table", "rivals=esn"), 0)


def test_a_rival_has_as_many_units_and_stands_in_the_columns_of_networks():
    chosen = options("prediction_table", "rivals=esn", "N=20", "seeds=1", "trials=3")
    rivals = [p for p in prediction_table.points(chosen, 0) if "rival" in p]
    assert [(p["units"], p["trials"], p["task"]) for p in rivals] == [
        (20, 3, "mackey-glass-84"),
        (20, 3, "lorenz63-x"),
    ]
    pytest.importorskip("reservoirpy")
    (row,) = prediction_table.run(rivals[0] | {"trials": 1}, Engine("numpy"))
    assert row["neuron_updates_per_sample"] == 20
    assert row["readout_ops_per_sample"] == 20  # one output
    assert row["multiply_adds"].value == row["synapses"] + 40


def test_one_pruned_network_meets_every_task_and_is_pruned_once(monkeypatch, numpy_engine):
    calls, real = [], pruning.prune

    def counted(*given, **more):
        calls.append(given[1].name)
        return real(*given, **more)

    monkeypatch.setattr(pruning, "prune", counted)
    chosen = options("transfer", *SMALL, "tasks=digits", "recipes=random variance", "keep=0.2")
    found = transfer.points(chosen, 1)
    # the same set with other images as a second task: quick for every engine
    found += [p | {"task_settings": p["task_settings"] | {"train": 31}} for p in found]
    found.sort(key=lambda p: p["recipe"])
    rows = [row for point in found for row in transfer.run(point, numpy_engine)]
    assert calls == ["random variance"]
    digests = {(name_of(row), row["network_digest"]) for row in rows}
    assert len(digests) == len({name for name, _ in digests}) == 3
    pruned = [row for row in rows if row["recipe"]]
    assert {(row["neurons"], row["synapses"]) for row in pruned} == {(12, 8)}
    assert all(row["synaptic_events_per_sample"] >= 0 for row in rows)


def test_the_full_network_brings_its_controls_and_pruned_ones_every_readout(
    numpy_engine, monkeypatch
):
    evaluation = importlib.import_module("hrsnn_brian.evaluation.evaluate")
    # those at matched rates are slow without a compiler
    monkeypatch.setattr(evaluation, "matched_controls", lambda *given: ())
    chosen = options("classification_table", *SMALL, "recipes=random variance", "keep=0.2")
    rows = [
        row
        for point in classification_table.points(chosen, 1)
        for row in classification_table.run(point, numpy_engine)
    ]
    confused = [row for row in rows if row.pop(TABLE, "") == classification_table.CONFUSIONS]
    rows = [row for row in rows if row not in confused]
    for name in (FULL, NO_RECURRENCE, "random variance"):  # as many are right as the score says
        first = next(r for r in rows if name_of(r) == name and r["readout"] == "spikes")
        of_it = [row for row in confused if name_of(row) == name]
        right = sum(row["images"] for row in of_it if row["wanted"] == row["taken_for"])
        every = sum(row["images"] for row in of_it)
        assert first["accuracy"].value == pytest.approx(right / every)
    readouts = {"spikes", "spikes, last state", "spikes+v", "spikes+features"}
    for name in (FULL, "random variance"):
        assert {row["readout"] for row in rows if name_of(row) == name} == readouts
    names = {name_of(row) for row in rows}
    assert {NO_RECURRENCE, "linear on features", "linear on pixels"} <= names
    text = load_study("classification_table").summary(Table(rows))
    assert "random variance / spikes+features" in text
    assert "accuracy, higher is better" in text


def test_confusions_are_of_each_network_itself_and_of_the_one_without_recurrence():
    counts = {FULL: [[5, 1], [0, 6]], NO_RECURRENCE: [[4, 2], [3, 3]], "homogeneous": [[0, 6]] * 2}
    readouts = ("spikes", "spikes+v")
    entries = [{"network": n, "readout": r, "seed": 7} for n in counts for r in readouts]
    found = types.SimpleNamespace(
        entries=entries,
        classes=("cat", "dog"),
        confusion=lambda network, readout: np.array(counts[network]) * (readout == "spikes"),
    )
    told = [
        (row["network"], row["wanted"], row["taken_for"], row["images"])
        for row in classification_table.confused(found)
    ]
    assert told == [
        (FULL, "cat", "cat", 5),
        (FULL, "cat", "dog", 1),
        (FULL, "dog", "dog", 6),
        (NO_RECURRENCE, "cat", "cat", 4),
        (NO_RECURRENCE, "cat", "dog", 2),
        (NO_RECURRENCE, "dog", "cat", 3),
        (NO_RECURRENCE, "dog", "dog", 3),
    ]


def test_stdp_comes_before_the_readout_and_the_digest_is_that_of_the_pruned_network(numpy_engine):
    chosen = options(
        "transfer", *SMALL, "tasks=digits", "recipes=random variance", "keep=0.2",
        "training=none,stdp",
    )  # fmt: skip
    found = [p for p in transfer.points(chosen, 1) if p["recipe"] == "random variance"]
    (plain,), (trained,) = (transfer.run(point, numpy_engine) for point in found)
    assert (plain["training"], trained["training"]) == ("none", "stdp")
    assert plain["network_digest"] == trained["network_digest"]
    assert plain["spikes_per_sample"] != trained["spikes_per_sample"]


def test_a_size_out_of_reach_has_a_row_that_says_so(numpy_engine):
    chosen = options(
        "transfer", *SMALL, "tasks=digits", "recipes=random variance", "keep=0.9",
        "neuron_fraction=0.5",
    )  # fmt: skip
    (row,) = transfer.run(transfer.points(chosen, 1)[-1], numpy_engine)
    assert (row["note"], row["recipe"]) == ("size out of reach", "random variance")
    assert "accuracy" not in row


def test_costs_of_a_clocked_machine_are_updates_and_events():
    row = {"neuron_updates_per_sample": 100.0, "synaptic_events_per_sample": 30.0}
    assert prediction_table._with_costs(row)["multiply_adds"] == 730
    assert prediction_table._with_costs({"network": "persistence"}) == {"network": "persistence"}


def told(network, seed, value, recipe=""):
    score = Score("error", value, better=LOWER, primary=True, label="error")
    row = {"network": network, "recipe": recipe, "seed": seed, "task": "t", "readout": "spikes"}
    row |= {"error": score, "training": "none", "neuron_updates_per_sample": 9.0}
    return row | {"synaptic_events_per_sample": 5.0}


def test_summaries_tell_scores_relative_to_the_full_network_and_best_first():
    rows = [told(FULL, seed, 1.0 + seed) for seed in (0, 1)]
    rows += [told("pruned", seed, 2.0 + 2 * seed, "lnp") for seed in (0, 1)]
    rows += [told("pruned", seed, 0.5, "frugal") for seed in (0, 1)]
    lines = transfer.summary(Table(rows)).splitlines()
    (lnp,) = [line for line in lines if line.startswith("lnp")]
    assert "0.5 ± 0 " in lnp  # an error twice as large, on both seeds
    lines = classification_table.score_tables(rows, ["synaptic_events_per_sample"]).splitlines()
    assert [line.split(" / ")[0] for line in lines[2:5]] == ["frugal", FULL, "lnp"]
    assert lines[4].split()[-3:] == ["3", "1.414", "5"]
