"""The figure of the pruning rules, on tables of known numbers."""

import numpy as np
import pytest
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures.pruning_methods import draw
from hrsnn_brian.figures.registry import draw_figure
from hrsnn_brian.figures.style import ORANGE, VERMILION
from hrsnn_brian.files.tables import Table, write_table

MG, LORENZ = "mackey-glass-84", "lorenz63-x"
SCORES = {"full": 0.1, "no recurrence": 0.4, "lnp": 0.2, "activity": 0.3}


def rows(keep=0.05):
    found = []
    for seed in (0, 1, 2):
        for rule, level in SCORES.items():
            reference = rule in ("full", "no recurrence")
            for match in ("none", "bias"):
                for task in (MG, LORENZ):
                    row = {"network": rule if reference else "pruned", "match": match}
                    row |= {"seed": seed, "task": task, "recipe": "" if reference else rule}
                    row |= {"keep": 1.0 if reference else keep, "readout": "spikes", "note": ""}
                    row |= {"neuron_fraction": 1.0 if reference else 0.6}
                    value = level + 0.01 * seed + (0.05 if match == "bias" else 0)
                    score = nrmse_84(value) if task == MG else vpt(2 - value)
                    row[score.name] = score
                    found.append({**row, "synaptic_ops_per_s": 1000 * level * (1 + seed)})
    return found


RAW, MATCHED = True, False  # whether points are filled


def points(axis, fill):
    """x and y of the points filled so, in the order of the recipes."""
    lines = [c.lines[0] for c in axis.containers]
    lines = [line for line in lines if (line.get_markerfacecolor() != "white") == fill]
    return np.column_stack(
        [
            np.concatenate(d).astype(float)
            for d in zip(*(line.get_data() for line in lines), strict=True)
        ]
    )


def test_best_rule_first_with_the_means_over_seeds_raw_and_matched():
    mackey, lorenz, cost = draw(Table(rows()).frame())
    assert [label.get_text() for label in mackey.get_yticklabels()] == ["lnp", "activity"]
    np.testing.assert_allclose(points(mackey, RAW)[:, 0], [0.21, 0.31])
    np.testing.assert_allclose(points(mackey, MATCHED)[:, 0], [0.26, 0.36])
    np.testing.assert_allclose(points(lorenz, RAW)[:, 0], [1.79, 1.69])
    np.testing.assert_allclose(points(cost, RAW)[:, 0], [0.4, 0.6])
    whiskers = mackey.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(np.ptp(whiskers[0][:, 0]), 2 * 0.01 / np.sqrt(3))
    full = next(line for line in mackey.lines if line.get_label() == "full")
    np.testing.assert_allclose(full.get_xdata(), 0.11)
    full = next(line for line in cost.lines if line.get_label() == "full")
    np.testing.assert_allclose(full.get_xdata(), 0.2)
    colours = [bars.lines[0].get_color() for bars in mackey.containers]
    assert colours == [VERMILION, ORANGE] * 2  # a recipe's own, as pruned and rate-matched
    assert "lower is better" in mackey.get_xlabel()
    assert "higher is better" in lorenz.get_xlabel()


def test_rates_matched_on_the_task_go_before_those_under_noise():
    on_task = [row | {"match": "task"} for row in rows() if row["match"] == "none"]
    mackey, *_ = draw(Table(rows() + on_task).frame())
    np.testing.assert_allclose(points(mackey, MATCHED)[:, 0], [0.21, 0.31])
    assert "rate matched on the task" in [line.get_label() for line in mackey.lines]


def test_one_row_of_panels_per_fraction_of_neurons_at_the_keep_nearest_five_percent():
    table = rows(0.05) + [row | {"neuron_fraction": 1.0} for row in rows(0.05)]
    table += [row for row in rows(0.2) if row["recipe"] in ("lnp", "activity")]
    axes = draw(Table(table).frame())
    assert len(axes) == 6
    assert axes[0].get_ylabel() == "100 % of neurons,\n5 % of synapses kept"
    assert axes[3].get_ylabel() == "60 % of neurons,\n5 % of synapses kept"
    assert "20 %" in draw(Table(table).frame(), keep=0.2)[0].get_ylabel()


def test_costs_of_all_rows_share_one_axis_from_tick_to_tick():
    table = rows() + [
        row | {"neuron_fraction": 1.0, "synaptic_ops_per_s": 7 * row["synaptic_ops_per_s"]}
        for row in rows()
        if row["recipe"]
    ]
    costs = draw(Table(table).frame())[2::3]
    assert costs[0].get_xlim() == costs[1].get_xlim()
    for axis in costs:
        ticks, (low, high) = axis.get_xticks(), axis.get_xlim()
        assert len(ticks) >= 3
        np.testing.assert_allclose([ticks[0], ticks[-1]], [low, high])
        found = np.concatenate([points(axis, fill)[:, 0] for fill in (RAW, MATCHED)])
        assert low < found.min() < found.max() < high


def test_a_bad_table_is_named_by_its_file(tmp_path):
    (tmp_path / "tables").mkdir()
    write_table(tmp_path / "tables" / "pruning_methods.csv", [{"recipe": "lnp", "seed": 1}])
    with pytest.raises(InputError, match=r"pruning_methods.csv'?: has no column 'task'"):
        draw_figure("pruning_methods", tmp_path)
    assert not (tmp_path / "figures").exists()


def test_networks_that_missed_the_size_are_not_drawn():
    table = Table(rows()).frame()
    table.loc[(table["recipe"] == "lnp") & (table["match"] == "bias"), "note"] = "rate out of reach"
    mackey = draw(table)[0]
    assert len(points(mackey, RAW)) == 2
    np.testing.assert_allclose(points(mackey, MATCHED)[:, 0], [0.36])


def test_a_table_without_a_column_is_refused():
    with pytest.raises(InputError, match="neuron_fraction"):
        draw(Table(rows()).frame().drop(columns="neuron_fraction"))


def test_the_legend_speaks_of_matched_rates_only_where_they_are_drawn():
    def legend(table):
        (found,) = draw(Table(table).frame())[0].figure.legends
        return [text.get_text() for text in found.get_texts()]

    assert legend(rows()) == ["as pruned", "rate matched", "full", "no recurrence"]
    raw = [row for row in rows() if row["match"] == "none"]
    assert legend(raw) == ["full", "no recurrence"]
