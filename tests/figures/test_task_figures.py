"""The figures of networks on many tasks, on tables of known numbers."""

import numpy as np
import pytest
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures import classification_table, prediction_table, transfer
from hrsnn_brian.figures.style import BLACK, GREEN, GREY, VERMILION
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE, PRUNED
from hrsnn_brian.files.score import HIGHER, Score
from hrsnn_brian.files.tables import Table, read_table

MG, LORENZ, DIGITS, CIFAR = "mackey-glass-84", "lorenz63-x", "digits", "cifar10"
EVENTS = {FULL: 1000.0, "lnp": 100.0, "frugal": 50.0, NO_RECURRENCE: 0.0}
# of an error twice as large and a time half as long as those of the full network: 0.5
RELATIVE = {FULL: 1.0, "lnp": 0.5, "frugal": 1.25, NO_RECURRENCE: 0.25}


def accuracy(value):
    return Score("accuracy", value, better=HIGHER, label="accuracy", primary=True)


def row(name, seed, task, readout="spikes", **more):
    pruned = name in ("lnp", "frugal")
    found = {"network": PRUNED if pruned else name, "recipe": name if pruned else ""}
    found |= {"seed": seed, "task": task, "readout": readout, "note": ""}
    if name in EVENTS:
        found["synaptic_events_per_sample"] = EVENTS[name]
    return {**found, **more}


def transfer_rows():
    found = []
    for seed in (0, 1, 2):
        for name, level in RELATIVE.items():
            for training, gain in (("none", 1.0), ("stdp", 0.8)):
                if name == NO_RECURRENCE and training == "stdp":
                    continue
                base = 1 + seed
                error, time = nrmse_84(0.1 * base / (level * gain)), vpt(base * level * gain)
                for task, score in ((MG, error), (LORENZ, time)):
                    found.append(row(name, seed, task, training=training, **{score.name: score}))
    return found


def prediction_rows():
    levels = {FULL: 0.1, "lnp": 0.2, NO_RECURRENCE: 0.4, "linear AR": 0.5, "ESN": 0.05}
    readouts = {"linear AR": "none", "ESN": "states"}
    return [
        row(name, seed, MG, readouts.get(name, "spikes"), nrmse_h84=nrmse_84(x + 0.01 * seed))
        for seed in (0, 1)
        for name, x in levels.items()
    ]


def classification_rows():
    levels = {FULL: 0.8, "lnp": 0.75, NO_RECURRENCE: 0.6, "linear on pixels": 0.5}
    found = []
    for seed in (0, 1):
        for task in (DIGITS, CIFAR):
            for name, x in levels.items():
                readout = "none" if name == "linear on pixels" else "spikes"
                found.append(row(name, seed, task, readout, accuracy=accuracy(x + 0.02 * seed)))
            found.append(row(FULL, seed, task, "spikes+v", accuracy=accuracy(0.9)))
    return found


def points(axis, name):
    (found,) = [c for c in axis.containers if c.get_label() == name]
    x, y = found.lines[0].get_data()
    return np.asarray(x, float), np.asarray(y, float)


def assert_within_the_page(figure):
    figure.draw_without_rendering()
    (legend,) = figure.legends
    for text in (legend, figure._suptitle, *(axis.xaxis.label for axis in figure.axes)):
        box = text.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.width, text


@pytest.mark.parametrize("tasks", [1, 2])
def test_whatever_the_number_of_tasks_the_words_are_within_the_page(tasks):
    kept = [r for r in transfer_rows() if r["task"] in (LORENZ, MG)[:tasks]]
    assert_within_the_page(transfer.draw(Table(kept).frame())[0].figure)
    models = [r for r in kept if r["training"] == "none"] if tasks == 2 else prediction_rows()
    assert_within_the_page(prediction_table.draw(Table(models).frame())[0].figure)


def test_the_legend_tells_the_star_and_the_dashed_line():
    tasks, _ = transfer.draw(Table(transfer_rows()).frame())
    (legend,) = tasks.figure.legends
    handles = dict(zip([t.get_text() for t in legend.texts], legend.legend_handles, strict=True))
    assert handles[f"{FULL} (1 by definition)"].get_marker() == "*"
    assert handles[f"{NO_RECURRENCE}, mean (no events)"].get_linestyle() == "--"


def test_above_one_is_better_for_errors_and_for_times():
    tasks, costs = transfer.draw(Table(transfer_rows()).frame())
    for name, level in RELATIVE.items():
        if name != FULL:
            np.testing.assert_allclose(points(tasks, name)[1], [level, level])
        if name != NO_RECURRENCE:
            np.testing.assert_allclose(points(tasks, f"{name}, stdp")[1], [0.8 * level] * 2)
    assert [text.get_text() for text in tasks.get_xticklabels()] == [MG, LORENZ]
    colours = {c.get_label(): c.lines[0].get_color() for c in tasks.containers}
    assert colours["lnp"] == colours["lnp, stdp"] == VERMILION
    assert (colours["frugal"], colours[NO_RECURRENCE]) == (GREEN, GREY)
    assert "inverse" in tasks.get_ylabel()
    means = {tuple(np.concatenate(c.lines[0].get_data())) for c in costs.containers}
    assert {(0.1, 0.5), (0.05, 1.25)} <= means
    bare = [line for line in costs.lines if line.get_color() == GREY]
    np.testing.assert_allclose(bare[0].get_ydata(), RELATIVE[NO_RECURRENCE])  # no place on the axis


def test_seeds_are_paired_before_they_are_averaged():
    """Scores that differ threefold between seeds, in step: the ratio has no spread."""
    rows = [r for r in transfer_rows() if r["training"] == "none"]
    axis = transfer.draw(Table(rows).frame())[0]
    (lnp,) = [c for c in axis.containers if c.get_label() == "lnp"]
    assert np.ptp(lnp.lines[2][0].get_segments()[0][:, 1]) == pytest.approx(0, abs=1e-12)


def test_a_network_that_misses_a_task_has_no_mean_of_the_tasks():
    rows = transfer_rows()
    for r in rows:
        if r["recipe"] == "lnp" and r["task"] == MG:
            r["note"] = "size out of reach"
    tasks, costs = transfer.draw(Table(rows).frame())
    assert len(points(tasks, "lnp")[1]) == 1
    assert (0.1, 0.5) not in {
        tuple(np.concatenate(c.lines[0].get_data())) for c in costs.containers
    }
    assert "left out: 6 size out of reach" in tasks.figure.get_suptitle().replace("\n", " ")


def test_without_the_unpruned_network_nothing_is_relative():
    rows = [r for r in transfer_rows() if r["network"] != FULL]
    with pytest.raises(InputError, match="has no rows of the full network"):
        transfer.draw(Table(rows).frame())


def test_models_stand_best_first_with_their_means_and_errors():
    (axis,) = prediction_table.draw(Table(prediction_rows()).frame())
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["ESN", FULL, "lnp", NO_RECURRENCE, "linear AR"]
    found = {names[int(c.lines[0].get_ydata()[0])]: c.lines for c in axis.containers}
    assert found[FULL][0].get_xdata() == pytest.approx([0.105])
    whisker = found[FULL][2][0].get_segments()[0]
    assert np.ptp(whisker[:, 0]) == pytest.approx(2 * 0.005)
    looks = {name: (line.get_color(), line.get_marker()) for name, (line, *_) in found.items()}
    assert (looks[FULL], looks["lnp"]) == ((BLACK, "D"), (VERMILION, "o"))
    assert looks[NO_RECURRENCE] == (GREY, "s")
    assert looks["linear AR"] == (GREY, "^")
    assert "log scale" in axis.get_xlabel()  # 0.055 to 0.505


def test_where_more_is_better_the_order_turns():
    rows = [r for r in transfer_rows() if r["task"] == LORENZ and r["training"] == "none"]
    (axis,) = prediction_table.draw(Table(rows).frame())
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["frugal", FULL, "lnp", NO_RECURRENCE]
    assert axis.get_xlim()[0] == 0


def test_the_papers_points_stand_beside_cifar10_alone_and_are_marked_as_theirs():
    digits, cifar = classification_table.draw(Table(classification_rows()).frame())
    theirs = {
        axis: [line for line in axis.lines if "theirs" in str(line.get_label())]
        for axis in (digits, cifar)
    }
    assert not theirs[digits]
    (line,) = theirs[cifar]
    assert "digitised" in line.get_label()
    np.testing.assert_allclose(line.get_xdata()[:2], [19.9e6, 15.8e6])
    np.testing.assert_allclose(line.get_ydata()[:2], [0.8950, 0.9097])
    held = read_table(classification_table.PAPER)
    assert len(held) == 12
    assert held["source"].str.contains("digitised").all()


def test_a_control_that_has_synapses_is_a_point():
    rows = classification_rows()
    rows += [
        row("homogeneous", 0, DIGITS, accuracy=accuracy(0.7), synaptic_events_per_sample=800.0)
    ]
    digits, _ = classification_table.draw(Table(rows).frame())
    found = [c.lines[0] for c in digits.containers if c.lines[0].get_color() == GREY]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in found] == [(800.0, 0.7)]
    lines = {line.get_label() for line in digits.lines if len(line.get_xdata()) == 2}
    assert lines == {NO_RECURRENCE, "linear on pixels"}


def test_accuracy_stands_over_events_and_what_has_none_is_a_line():
    digits, _ = classification_table.draw(Table(classification_rows()).frame())
    found = {
        tuple(np.concatenate(c.lines[0].get_data()).astype(float).round(9))
        for c in digits.containers
    }
    assert found == {(1000.0, 0.81), (1000.0, 0.9), (100.0, 0.76)}
    looks = {(c.lines[0].get_color(), c.lines[0].get_markerfacecolor()) for c in digits.containers}
    assert looks == {(BLACK, BLACK), (BLACK, "white"), (VERMILION, VERMILION)}
    levels = {
        line.get_label(): line.get_ydata()[0]
        for line in digits.lines
        if line.get_label() in (NO_RECURRENCE, "linear on pixels")
    }
    assert levels == {NO_RECURRENCE: pytest.approx(0.61), "linear on pixels": pytest.approx(0.51)}
    assert digits.get_xscale() == "log"
