"""The figure of costs and paired differences, on tables of known numbers."""

import numpy as np
import pytest
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures.paired_differences import draw
from hrsnn_brian.files.tables import Table

MG, LORENZ = "mackey-glass-84", "lorenz63-x"
LEVELS = {"full": 0.1, "no recurrence": 0.4, "lnp echo": 0.2, "activity": 0.3}
SEEDS = (1, 2, 3)
OF_SEED = {"lnp echo": (0.0, 0.02, 0.07), "activity": (0.0, 0.01, 0.02)}


def rows(keeps=(0.05,)):
    found = []
    for name, level in LEVELS.items():
        pruned = name in OF_SEED
        for keep in keeps if pruned else (1.0,):
            for match in ("none", "task"):
                for k, seed in enumerate(SEEDS):
                    value = level + OF_SEED.get(name, (0, 0, 0))[k] + 0.05 * (match == "task")
                    row = {"network": "pruned" if pruned else name, "match": match}
                    row |= {"recipe": name if pruned else "", "seed": seed, "keep": keep}
                    row |= {"neuron_fraction": 0.6 if pruned else 1.0, "note": ""}
                    row |= {"readout": "spikes", "synaptic_ops_per_s": 1e6 * keep * (1 + k)}
                    for task, score in ((MG, nrmse_84(value)), (LORENZ, vpt(2 - value))):
                        found.append(row | {"task": task, score.name: score})
    return found


def x_of(container):
    return np.array(container.lines[0].get_xdata(), dtype=float)


def test_differences_are_those_of_the_same_seeds_and_costs_stand_above():
    axes = draw(Table(rows()).frame())
    mackey, lorenz, below, _ = axes
    assert [axis.get_title(loc="left") for axis in (mackey, lorenz)] == [MG, LORENZ]
    assert [label.get_text() for label in below.get_yticklabels()] == ["lnp echo"]
    raw, matched = below.containers
    d = np.subtract(OF_SEED["lnp echo"], OF_SEED["activity"]) - 0.1
    np.testing.assert_allclose([x_of(raw)[0], x_of(matched)[0]], d.mean())
    ((low, high),) = np.array(below.containers[0].lines[2][0].get_segments(), dtype=float)
    student = 4.302652729911275  # of two degrees of freedom, 97.5 %
    half = student * d.std(ddof=1) / np.sqrt(3)
    np.testing.assert_allclose([low[0], high[0]], [d.mean() - half, d.mean() + half])
    seeds = [line for line in below.lines if len(line.get_xdata()) == 3]
    np.testing.assert_allclose(np.sort(np.array(seeds[0].get_xdata(), dtype=float)), np.sort(d))
    assert [c.lines[0].get_fillstyle() for c in (raw, matched)] == ["full", "none"]
    assert "right is worse" in below.get_xlabel()
    named = {container.get_label(): container for container in mackey.containers}
    assert named.keys() == {"full", "lnp echo", "activity"}
    np.testing.assert_allclose(x_of(named["activity"]), [100.0])
    np.testing.assert_allclose(float(named["activity"].lines[0].get_ydata()[0]), 0.31)
    assert "differences to activity" in axes[0].figure.get_suptitle()


def test_sizes_of_a_recipe_are_joined_and_another_rival_can_be_chosen():
    axes = draw(Table(rows((0.2, 0.05))).frame(), rival="full")
    lines = {c.get_label(): x_of(c) for c in axes[0].containers}
    np.testing.assert_allclose(lines["lnp echo"], [100.0, 400.0])
    assert [t.get_text() for t in axes[2].get_yticklabels()] == ["lnp echo", "activity"]
    means = [x_of(container)[0] for container in axes[2].containers]
    np.testing.assert_allclose(means, [0.13, 0.21, 0.13, 0.21])  # raw, then at one rate


def test_what_cannot_be_drawn_is_one_line():
    with pytest.raises(InputError, match=r"rival = 'lottery'.*must be one of \['activity'"):
        draw(Table(rows()).frame(), rival="lottery")
    with pytest.raises(InputError, match="has no pruned network"):
        draw(Table([row for row in rows() if not row["recipe"]]).frame())
