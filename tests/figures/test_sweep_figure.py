"""Figures of sweeps, noise and scale: the form that fits, on tables of known numbers."""

import itertools

import numpy as np
import pytest
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures import noise_robustness, scale, sweep
from hrsnn_brian.figures.style import BLACK, GREEN, VERMILION
from hrsnn_brian.files.columns import FULL, PRUNED, Column
from hrsnn_brian.files.schema import schema_of
from hrsnn_brian.files.tables import Table

MG, LORENZ = "mackey-glass-84", "lorenz63-x"
UNITS = {"J": "1", "tau": "s", "g": "1", "kind": "", "noise": "", "noise_sd": "1"}
OWN = tuple(Column(n, f"meaning of {n}", unit, role="identity") for n, unit in UNITS.items())
SEEDS = (0, 1, 2)


def row(name, seed, **more):
    pruned = name not in (FULL, "no recurrence")
    found = {"network": PRUNED if pruned else name, "recipe": name if pruned else ""}
    size = {"keep": 0.1 if pruned else 1.0, "neuron_fraction": 1.0}
    task = {"task": MG, "readout": "spikes", "seed": seed, "note": ""}
    return {**found, **size, **task, **more}


def value(J=1.0, tau=1.0, g=1.0, seed=0, name=FULL):
    return 0.1 * J + tau + g / 10 + 0.01 * (seed - 1) + 0.2 * (name == FULL)


def table(names, **levels):
    """Every name with every level; `full` scores 0.2 more."""
    rows = []
    for name, seed, *values in itertools.product(names, SEEDS, *levels.values()):
        told = dict(zip(levels, values, strict=True))
        numbers = {k: v for k, v in told.items() if not isinstance(v, str)}
        rows.append(
            row(name, seed, **told, nrmse_h84=nrmse_84(value(**numbers, seed=seed, name=name)))
        )
    return Table(rows, schema_of(rows, OWN)).frame()


def curves(axis):
    """Label -> x, y and the half lengths of the bars."""
    found = {}
    for box in axis.containers:
        x, y = box.lines[0].get_data()
        (bars,) = box.lines[2]
        half = [float(np.ptp(segment[:, 1])) / 2 for segment in bars.get_segments()]
        found[box.get_label()] = (np.asarray(x, float), np.asarray(y, float), half)
    return found


def colours(axis):
    """Name -> colour of its curve."""
    return {bars.get_label(): bars.lines[0].get_color() for bars in axis.containers}


def within(axes):
    figure = axes[0].figure
    figure.draw_without_rendering()
    for axis in axes:
        for text in (axis.title, axis._left_title, axis.xaxis.label, axis.yaxis.label):
            box = text.get_window_extent()
            if text.get_text():
                assert -1 <= box.x0 <= box.x1 <= figure.bbox.width + 1, text
                assert -1 <= box.y0 <= box.y1 <= figure.bbox.height + 1, text


def test_one_number_is_a_line_per_category_with_bars_over_seeds():
    axes = sweep.draw(table([FULL, "lnp"], J=[0.1, 0.2, 0.3]))
    (axis,) = axes
    found = curves(axis)
    assert set(found) == {FULL, "lnp"}
    x, y, half = found["lnp"]
    np.testing.assert_allclose(x, [0.1, 0.2, 0.3])
    np.testing.assert_allclose(y, [value(J=J, seed=1, name="lnp") for J in x])
    np.testing.assert_allclose(half, 0.01 / np.sqrt(3), rtol=1e-6)  # s.d. .01 over three seeds
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["0.1", "0.2", "0.3"]
    assert axis.get_xlabel() == "J"
    assert colours(axis) == {FULL: BLACK, "lnp": VERMILION}
    within(axes)


def test_levels_in_ratios_stand_on_a_logarithmic_axis_and_words_make_categories():
    axes = sweep.draw(table(["lnp"], tau=[0.01, 0.1, 1.0], kind=["one", "two"]))
    assert axes[0].get_xscale() == "log"
    assert axes[0].get_xlabel() == "tau (s)"
    assert set(curves(axes[0])) == {"one", "two"}


def test_two_numbers_are_a_heat_map_per_category_with_its_means():
    axes = sweep.draw(table([FULL, "lnp"], J=[0.1, 0.2], tau=[1.0, 2.0, 3.0]))
    assert [axis._left_title.get_text() for axis in axes] == [f"{MG}: {FULL}", f"{MG}: lnp"]
    for axis, name in zip(axes, (FULL, "lnp"), strict=True):
        (mesh,) = axis.collections
        wanted = [[value(J=J, tau=tau, seed=1, name=name) for tau in (1, 2, 3)] for J in (0.1, 0.2)]
        np.testing.assert_allclose(mesh.get_array().reshape(2, 3), wanted)
        assert (axis.get_xlabel() or "tau (s)", axis.get_ylabel()) == ("tau (s)", "J")
        assert len(axis.texts) == 6
    assert axes[0].collections[0].get_clim() == axes[1].collections[0].get_clim()
    within(axes)


def test_three_numbers_are_a_panel_each_with_the_others_averaged_over():
    axes = sweep.draw(table(["lnp"], J=[0.1, 0.2], tau=[1.0, 2.0], g=[2.0, 4.0]))
    assert len(axes) == 3
    x, y, _ = curves(axes[1])["nrmse_h84"]
    np.testing.assert_allclose(y, [0.015 + tau + 0.3 for tau in x])
    assert "all else averaged over" in axes[0].figure._suptitle.get_text()


def test_drawn_numbers_are_points_without_a_line():
    rng = np.random.default_rng(0)
    rows = []
    for J, tau in rng.random((5, 2)):
        rows += [row(FULL, s, J=J, tau=tau, nrmse_h84=nrmse_84(J + tau)) for s in SEEDS]
    axes = sweep.draw(Table(rows, schema_of(rows, OWN)).frame())
    assert len(axes) == 2
    assert [box.lines[0].get_linestyle() for axis in axes for box in axis.containers] == [
        "None"
    ] * 2


def test_no_number_is_a_dot_per_category():
    (axis,) = sweep.draw(table([FULL, "lnp", "no recurrence"]))
    assert [t.get_text() for t in axis.get_yticklabels()] == [FULL, "lnp", "no recurrence"]
    places = [float(box.lines[0].get_xdata()[0]) for box in axis.containers]
    np.testing.assert_allclose(places, [1.4, 1.2, 1.2])


def test_a_size_that_was_not_asked_is_no_place_on_its_axis():
    """The unpruned network has no keep: it is a level line beside the curve."""
    rows = [row("lnp", s, keep=k, nrmse_h84=nrmse_84(1 - k)) for s in SEEDS for k in (0.1, 0.2)]
    rows += [row(FULL, s, nrmse_h84=nrmse_84(0.5)) for s in SEEDS]
    (axis,) = sweep.draw(Table(rows, schema_of(rows, OWN)).frame())
    assert set(curves(axis)) == {"lnp"}
    (level,) = [line for line in axis.lines if line.get_linestyle() == "--"]
    assert set(level.get_ydata()) == {0.5}


def test_rows_out_of_reach_are_left_out_and_told():
    found = table(["lnp"], J=[0.1, 0.2])
    found.loc[(found["J"] == 0.2) & (found["seed"] == 2), "note"] = "size out of reach"
    (axis,) = sweep.draw(found)
    _, y, _ = curves(axis)["nrmse_h84"]
    assert y[1] == pytest.approx(value(J=0.2, seed=0.5, name="lnp"))
    assert "left out: 1 size out of reach" in axis.figure._suptitle.get_text().replace("\n", " ")


def test_a_table_that_is_no_sweep_is_refused():
    with pytest.raises(InputError, match="no column 'note'"):
        sweep.draw(table([FULL], J=[0.1, 0.2]).drop(columns="note"))


# ---- noise and scale


def test_noise_has_a_column_per_kind_that_begin_with_the_same_points():
    rows = []
    sizes = [("none", 0.0), ("input", 0.1), ("input", 0.3), ("membrane", 1.0)]
    for name, seed, task, (kind, sd) in itertools.product(
        ("lnp", FULL), SEEDS, (MG, LORENZ), sizes
    ):
        score = nrmse_84(0.1 + sd + 0.01 * seed) if task == MG else vpt(2 - sd)
        rows.append(row(name, seed, noise=kind, noise_sd=sd) | {"task": task, score.name: score})
    axes = noise_robustness.draw(Table(rows, schema_of(rows, OWN)).frame())
    assert len(axes) == 4
    for axis, wanted in ((axes[0], [0.11, 0.21, 0.41]), (axes[3], [2.0, 1.0])):
        x, y, _ = curves(axis)["lnp"]
        np.testing.assert_allclose(y, wanted)
        np.testing.assert_allclose(x, range(len(wanted)))
    assert [t.get_text() for t in axes[2].get_xticklabels()] == ["0", "0.1", "0.3"]
    assert colours(axes[0]) == {FULL: BLACK, "lnp": VERMILION}
    within(axes)


def test_scale_draws_costs_and_the_score_on_logarithmic_axes():
    rows = [
        row(
            name,
            s,
            N=n,
            run_cpu_s=n / 1e3,
            cpu_s=n / 1e2,
            peak_memory_mb=n,
            nrmse_h84=nrmse_84(9 / n),
        )
        for name in (FULL, "frugal")
        for s in SEEDS
        for n in (200, 500, 5000)
    ]
    axes = scale.draw(Table(rows, schema_of(rows, OWN)).frame())
    np.testing.assert_allclose(curves(axes[2])["frugal"][1], [200, 500, 5000])
    assert colours(axes[0]) == {FULL: BLACK, "frugal": GREEN}
    assert [axis.get_xscale() for axis in axes] == ["log"] * 4
    assert [axis.get_yscale() for axis in axes] == ["log", "log", "log", "linear"]
    assert axes[3].get_ylabel().startswith("NRMSE 84 steps ahead")
    within(axes)
