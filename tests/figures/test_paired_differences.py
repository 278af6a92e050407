"""The figure of scores against operations with paired differences, on tables of known numbers."""

import numpy as np
import pytest
from scipy.stats import t as student
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures.paired_differences import draw
from hrsnn_brian.figures.registry import FIGURES, drawn
from hrsnn_brian.figures.style import BLACK, ORANGE, VERMILION
from hrsnn_brian.files.tables import Table, write_table
from hrsnn_brian.studies.pruning_methods import STUDY

MG, LORENZ = "mackey-glass-84", "lorenz63-x"
SEEDS = (0, 1, 2, 3)
ERRORS = {
    "full": [0.10, 0.12, 0.11, 0.13],
    "no recurrence": [0.4, 0.4, 0.4, 0.4],
    "activity": [0.30, 0.33, 0.31, 0.36],
    "lnp": [0.20, 0.26, 0.25, 0.24],
}
MATCHED = 0.01  # added to the errors of pruned networks at the matched rate, times the seed


def rows(without=(), keep=0.05, fraction=0.6):
    found = []
    for name, errors in ERRORS.items():
        reference = name in ("full", "no recurrence")
        for seed in () if name in without else SEEDS:
            for match in ("none", "task"):
                for task in (MG, LORENZ):
                    more = 0.0 if reference or match == "none" else MATCHED * seed
                    value = errors[seed] + more
                    score = nrmse_84(value) if task == MG else vpt(2 - value)
                    found.append(
                        {
                            "network": name if reference else "pruned",
                            "recipe": "" if reference else name,
                            "keep": 1.0 if reference else keep,
                            "neuron_fraction": 1.0 if reference else fraction,
                            "match": match,
                            "task": task,
                            "readout": "spikes",
                            "seed": seed,
                            "note": "",
                            score.name: score,
                            "synaptic_ops_per_s": 0 if name == "no recurrence" else 1e3 * 2**seed,
                        }
                    )
    return found


def axes_of(table, **choice):
    return draw(Table(table).frame(), **choice)


def title(axes):
    return axes[0].figure.get_suptitle().replace("\n", " ")


def bars(axis):
    """Mean, ends of the interval, and whether it is filled, of every bar in the order drawn."""
    found = []
    for container in axis.containers:
        line, _, (segments,) = container.lines
        ((low, _), (high, _)) = segments.get_segments()[0]
        filled = line.get_markerfacecolor() == line.get_color()
        found.append((float(line.get_xdata()[0]), float(low), float(high), filled))
    return found


def test_differences_are_those_of_the_same_seeds_with_their_student_interval():
    *_, mackey, lorenz = axes_of(rows())
    assert [text.get_text() for text in mackey.get_yticklabels()] == ["full", "lnp", "activity"]
    activity = np.array(ERRORS["activity"])
    wanted = [activity - ERRORS["full"], activity - ERRORS["lnp"]]  # of errors less is better
    matched = activity + MATCHED * np.arange(4) - ERRORS["full"]
    for axis in (mackey, lorenz):  # 2 - error is better by as much
        found = bars(axis)
        assert [filled for *_, filled in found] == [True, True, False, False]
        for d, (middle, low, high, _) in zip([*wanted, matched, wanted[1]], found, strict=True):
            half = student.ppf(0.975, 3) * d.std(ddof=1) / 2
            np.testing.assert_allclose(
                [middle, low, high], [d.mean(), d.mean() - half, d.mean() + half], atol=1e-12
            )
        seeds = [line.get_xdata() for line in axis.lines if line.get_marker() == "."]
        np.testing.assert_allclose(sorted(seeds[1]), sorted(wanted[1]), atol=1e-12)
        assert "right is better" in axis.get_xlabel()
    assert "activity − each" in mackey.get_xlabel()
    assert "each − activity" in lorenz.get_xlabel()


def test_above_are_scores_and_operations_with_their_errors_and_the_references():
    mackey, lorenz, *_ = axes_of(rows())
    assert mackey.get_xscale() == "log"
    assert "per second" in mackey.get_xlabel()
    assert "lower is better" in mackey.get_ylabel()
    assert "higher is better" in lorenz.get_ylabel()
    marks = [c.lines[0] for c in mackey.containers]
    assert [line.get_color() for line in marks] == [BLACK, VERMILION, ORANGE, VERMILION, ORANGE]
    ops = 2.0 ** np.arange(4)
    np.testing.assert_allclose(marks[0].get_xydata(), [[ops.mean(), 0.115]])
    across, up = mackey.containers[0].lines[2]
    ends = across.get_segments()[0][:, 0]
    np.testing.assert_allclose(np.ptp(ends), ops.std(ddof=1))  # twice the s.e.m. of four
    np.testing.assert_allclose(np.ptp(up.get_segments()[0][:, 1]), np.std(ERRORS["full"], ddof=1))
    assert any(line.get_label().startswith("no recurrence") for line in mackey.lines)
    (legend,) = mackey.figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["as pruned", "rate matched on the task", "no recurrence (no operations)"]


def test_a_network_without_recurrence_far_off_the_scale_is_told_in_words():
    table = rows()
    for row in table:
        if row["network"] == "no recurrence" and row["task"] == MG:
            row["nrmse_h84"] = nrmse_84(0.9)
    mackey = axes_of(table)[0]
    assert [text.get_text() for text in mackey.texts] == ["no recurrence: 0.9 ↑"]
    assert mackey.get_ylim()[1] < 0.9


def test_without_activity_pruning_the_unpruned_network_is_the_rival():
    axes = axes_of(rows(without=["activity"]))
    assert "the unpruned network" in title(axes)
    found = bars(axes[2])
    d = np.array(ERRORS["full"]) - ERRORS["lnp"]
    np.testing.assert_allclose(found[0][0], d.mean())
    assert len(found) == 2


def test_seeds_that_missed_the_size_are_left_out_of_pairs_and_told():
    table = rows()
    for row in table:
        if row["recipe"] == "activity" and row["seed"] == 3 and row["match"] == "none":
            row["note"] = "size out of reach"
    axes = axes_of(table)
    d = (np.array(ERRORS["activity"]) - ERRORS["lnp"])[:3]
    np.testing.assert_allclose(bars(axes[2])[1][0], d.mean())
    assert "over 4 seeds" in title(axes)
    assert "left out: 2 size out of reach" in title(axes)  # of two tasks


def test_one_size_at_a_time_the_usual_keep_and_the_fewest_neurons():
    table = rows() + [
        {**row, **change}
        for row in rows()
        if row["recipe"]
        for change in ({"neuron_fraction": 1.0}, {"keep": 0.2})
    ]
    assert "60 % of neurons, 5 % of" in title(axes_of(table))
    assert "100 % of neurons" in title(axes_of(table, fraction=1.0))
    assert "20 % of synapses" in title(axes_of(table, keep=0.2))
    with pytest.raises(InputError, match="no pruned network of neuron_fraction"):
        axes_of(table, fraction=0.3)


def test_of_one_seed_there_are_marks_without_intervals():
    axes = axes_of([row for row in rows() if row["seed"] == 0])
    assert not axes[2].containers
    marks = [line for line in axes[2].lines if line.get_marker() not in ("None", None)]
    found = [float(x) for line in marks for x in line.get_xdata()]
    np.testing.assert_allclose(found, [0, 0.2, 0.1, 0.2, 0.1])
    assert title(axes).startswith("above: one seed")


def test_it_is_a_figure_of_its_study_and_names_what_a_table_lacks(tmp_path):
    assert "paired_differences" in STUDY.figures
    assert FIGURES["paired_differences"].table == STUDY.name
    (tmp_path / "tables").mkdir()
    table = Table([{k: v for k, v in row.items() if k != "match"} for row in rows()])
    write_table(tmp_path / "tables" / "pruning_methods.csv", table, table.schema)
    with pytest.raises(InputError, match=r"pruning_methods.csv'?: has no column 'match'"):
        drawn("paired_differences", tmp_path)
