"""Figures of the study reproduce, on small tables of known numbers; none needs the engine."""

import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scores import nrmse_84

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures import (
    concept,
    eigenvalue_clouds,
    free_runs,
    pruning_history,
    state_components,
    time_constants,
)
from hrsnn_brian.figures.registry import drawable, drawn
from hrsnn_brian.figures.style import BLACK, FAMILIES, PURPLE, VERMILION, recipe_style
from hrsnn_brian.files.columns import FULL, identity
from hrsnn_brian.files.tables import Table, write_table
from hrsnn_brian.pruning.recipes import RECIPES
from hrsnn_brian.studies.compared_recipes import COMPARED

NETWORKS = {"full": 12, "lnp": 6, "lnp echo": 6}  # neurons


def of(name, **more):
    neurons = NETWORKS[name]
    network, recipe = ("full", "") if name == "full" else ("pruned", name)
    row = identity(network, recipe=recipe, neurons=neurons, synapses=3 * neurons, seed=4)
    return row | {"keep": 1.0, "neuron_fraction": neurons / 12} | more


def neurons():
    """Pruning leaves the even neurons, with twice the time constant."""
    return [
        of(name, neuron=k, cluster=k // 6, tau_m_ms=(10.0 + k) * (1 if name == "full" else 2))
        | {"class": "I" if k % 6 == 4 else "E"}
        for name in NETWORKS
        for k in range(0, 12, 1 if name == "full" else 2)
    ]


def synapses():
    return [
        of(name, pre=k, post=(k + 2) % 12, weight=1.0)
        for name in NETWORKS
        for k in range(0, 12, 1 if name == "full" else 2)
    ]


def eigenvalues():
    return [
        of(name, mode=k, real_per_s=-10.0 * k, imag_per_s=(-1.0) ** k, participation_ratio=2.0)
        for name in NETWORKS
        for k in range(1, 1 + NETWORKS[name])
    ]


def runs():
    return [
        of(name, task="lorenz63-x", start=3, starts=10, time=k / 10, unit="Lyapunov times")
        | {"truth": math.sin(k), "predicted": math.sin(k) + 0.1 * k, "valid": 0.4}
        for name in NETWORKS
        for k in range(20)
    ]


def history():
    found = []
    for seed in (4, 5):
        for recipe in ("lnp", "lnp echo"):
            for k in range(3):
                row = of(recipe, seed=seed, iteration=k, task="mackey-glass-84", readout="spikes")
                row |= {"neurons": 12 - 3 * k, "synapses": 36 >> k, "rate_hz": 10.0 + seed}
                row |= dict.fromkeys(("lambda_1_per_s", "lambda_common_per_s"), -5.0 - k)
                row |= dict.fromkeys(("input_echo", "participation_ratio"), 1.0 + k)
                score = nrmse_84(0.1 * (k + 1) + 0.01 * seed)
                found.append(row | {score.name: score})
    return found


def components():
    return [
        of(name, iteration=k, sample=t, pc_1=math.sin(t), pc_2=math.cos(t))
        | {"explained_1": 0.5, "explained_2": 0.25}
        for name in ("lnp", "lnp echo")
        for k in (0, 2)
        for t in range(5)
    ]


def trials():
    objective = (-3.0, -4.0, math.nan, -1.0)
    return [
        of(name, iteration=4, trial=k, objective=value, lambda_1_per_s=-value)
        for name in ("lnp", "lnp echo")
        for k, value in enumerate(objective)
    ]


TABLES = {
    "neurons": neurons,
    "synapses": synapses,
    "eigenvalues": eigenvalues,
    "free_runs": runs,
    "pruning_history": history,
    "state_components": components,
    "timescale_search": trials,
}
FIGURES = (
    *("concept", "pruning_history", "free_runs", "eigenvalue_clouds"),
    *("state_components", "time_constants"),
)


def frame(rows):
    return Table(rows()).frame()


def test_a_recipe_has_one_look_whatever_stands_beside_it():
    assert recipe_style("full")["color"] == BLACK
    assert {recipe_style(name)["color"] for name in ("lnp", "lnp echo", "lnp revised")} == {
        VERMILION
    }
    assert recipe_style("magnitude variance (8 rounds)")["color"] == PURPLE
    plain, echoed = recipe_style("lnp"), recipe_style("lnp echo")
    assert plain["marker"] != echoed["marker"]
    assert plain["linestyle"] != echoed["linestyle"]


def test_no_two_recipes_of_the_package_look_the_same():
    names = dict.fromkeys([*RECIPES, *COMPARED, FULL])
    looks = {name: tuple(recipe_style(name).values()) for name in names}
    assert len({*looks.values()}) == len(names)
    rewired = {looks[name][0] for name in names if name.startswith("class")}
    assert rewired == {FAMILIES["class"]}  # with a hyphen or without


def test_concept_shows_every_synapse_every_neuron_and_those_removed():
    before, after, times = concept.draw(frame(neurons), frame(synapses))
    assert before.get_title(loc="left") == "unpruned: 12 neurons,\n12 synapses"
    assert after.get_title(loc="left") == "lnp: 6 neurons,\n6 synapses"
    for axis, (lines, gone, held) in ((before, (12, 0, 12)), (after, (6, 6, 6))):
        edges, crosses, *discs = axis.collections
        assert len(edges.get_segments()) == lines
        assert len(crosses.get_offsets()) == gone
        assert sum(len(dots.get_offsets()) for dots in discs) == held
    assert [t.get_text() for t in times.get_legend().get_texts()] == [
        "unpruned, mean 16 ms",
        "lnp, mean 30 ms",
    ]
    echoed = concept.draw(frame(neurons), frame(synapses), recipe="lnp echo")
    assert echoed[1].get_title(loc="left").startswith("lnp echo")
    with pytest.raises(InputError, match="lacks the network before or after"):
        concept.draw(frame(neurons), frame(synapses), recipe="frugal")


def test_the_drawn_gamma_density_has_its_mean_and_variance():
    x = np.linspace(1e-3, 400, 40_001)
    density = concept.gamma_density(x, 20.0, 80.0)
    step = x[1] - x[0]
    assert density.sum() * step == pytest.approx(1.0, abs=1e-3)
    assert (x * density).sum() * step == pytest.approx(20.0, rel=1e-3)
    assert ((x - 20) ** 2 * density).sum() * step == pytest.approx(80.0, rel=1e-2)


def test_history_has_a_panel_per_measure_and_the_score_with_means_over_seeds():
    axes = pruning_history.draw(frame(history))
    assert len(axes) == len(pruning_history.MEASURES) + 1
    assert {axis.get_xlabel() for axis in axes} == {"iteration"}
    assert "mackey-glass-84" in axes[-1].get_ylabel()
    for axis in axes:
        assert [bars.get_label() for bars in axis.containers] == ["lnp", "lnp echo"]
    score = axes[-1].containers[0].lines[0]
    np.testing.assert_allclose(np.asarray(score.get_xdata(), float), [0, 1, 2])
    np.testing.assert_allclose(np.asarray(score.get_ydata(), float), [0.145, 0.245, 0.345])
    assert axes[2].get_ylim()[0] == 0.0
    assert "2 seeds" in axes[0].figure.get_suptitle()


def test_free_runs_show_truth_prediction_and_the_valid_time_of_every_network():
    axes = free_runs.draw(frame(runs))
    assert len(axes) == 2 * len(NETWORKS)
    for name, path, attractor in zip(NETWORKS, axes[::2], axes[1::2], strict=True):
        assert path.get_title(loc="left") == f"{name}: valid for 0.40 Lyapunov times"
        truth, predicted, valid = path.lines
        np.testing.assert_allclose(truth.get_ydata(), np.sin(np.arange(20)))
        np.testing.assert_allclose(predicted.get_ydata()[10], math.sin(10) + 1.0)
        assert valid.get_xdata()[0] == 0.4
        assert len(attractor.lines) == 2
    assert "10 starts" in axes[0].figure.get_suptitle()


def test_the_lag_of_an_attractor_is_where_the_series_forgets_itself():
    period = 40
    x = np.sin(2 * np.pi * np.arange(4000) / period)
    wanted = math.acos(math.exp(-1)) / (2 * np.pi) * period  # cos = 1/e
    assert abs(free_runs.turning_lag(x) - wanted) <= 1
    assert free_runs.turning_lag(np.zeros(10)) == 1


def test_clouds_share_axes_with_the_border_of_growth_inside():
    *clouds, modes = eigenvalue_clouds.draw(frame(eigenvalues))
    assert [len(axis.collections[0].get_offsets()) for axis in clouds] == [12, 6, 6]
    assert len({axis.get_xlim() for axis in clouds}) == 1
    assert clouds[0].get_xlim()[1] >= 0.0
    assert {cloud.get_xlabel() for cloud in clouds} == {"real part (1/s)"}  # none is below them
    assert clouds[1].get_title(loc="left") == "lnp\nmodes on 2 of 6 neurons"
    assert [line.get_xdata()[-1] for line in modes.lines] == pytest.approx([1 / 6, 1 / 3, 1 / 3])


def test_components_have_a_panel_per_recipe_and_iteration():
    axes = state_components.draw(frame(components))
    assert len(axes) == 4
    assert axes[0].get_title(loc="left").startswith("lnp: before")
    assert axes[3].get_title(loc="left").startswith("lnp echo, iteration 2")
    assert axes[0].get_xlabel() == "component 1 (50 %)"


def test_time_constants_pair_each_neuron_with_itself_and_show_every_trial():
    axes = time_constants.draw(frame(neurons), frame(trials))
    assert len(axes) == 4
    dots = np.concatenate([c.get_offsets() for c in axes[0].collections])
    np.testing.assert_allclose(dots[:, 1], 2 * dots[:, 0])
    assert len(dots) == 6
    best, tried, failed = axes[1].lines
    np.testing.assert_allclose(best.get_ydata(), [-3, -3, -3, -1])
    assert np.isnan(tried.get_ydata()[2])
    np.testing.assert_allclose(failed.get_xdata(), [2])
    with pytest.raises(InputError, match="has no network lnp"):
        time_constants.draw(frame(neurons).query("recipe != 'lnp'"), frame(trials))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    (path / "tables").mkdir()
    for name, rows in TABLES.items():
        table = Table(rows())
        write_table(path / "tables" / f"{name}.csv", table, table.schema)
    return path


def test_figures_are_drawn_without_brian_engine_or_compiler(run):
    assert set(drawable(run)) == set(FIGURES)
    code = (
        "import sys, pathlib\n"
        "from hrsnn_brian.figures.registry import draw_figure, drawable\n"
        "run = pathlib.Path(sys.argv[1])\n"
        "drawn = [draw_figure(name, run) for name in drawable(run)]\n"
        "assert len(drawn) == 6, drawn\n"
        "banned = ('brian2', 'hrsnn_brian.simulation', 'setuptools', 'distutils', 'sklearn')\n"
        "found = [m for m in sys.modules if m.startswith(banned)]\n"
        "assert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", code, run], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list((run / "figures").iterdir())) == 3 * len(FIGURES)


def test_titles_and_labels_stay_inside_the_page_and_apart(run):
    for name in FIGURES:
        figure = drawn(name, run)
        figure.draw_without_rendering()
        page = figure.bbox.padded(2)
        texts = [axis.title for axis in figure.axes] + [axis._left_title for axis in figure.axes]
        texts += [figure._suptitle] if figure._suptitle else []
        for text in texts:
            box = text.get_window_extent()
            inside = page.x0 <= box.x0 and box.x1 <= page.x1
            assert inside or not text.get_text(), (name, text.get_text())


def test_the_result_of_hrsnn_lyapunov_is_drawn_as_a_spectrum(tmp_path):
    assert drawable(tmp_path) == []
    result = {"exponents": [-1.0, -2.0, None], "standard_error": [0.1, 0.2, None]}
    (tmp_path / "result.json").write_text(json.dumps({"command": "lyapunov", **result}))
    assert drawable(tmp_path) == ["spectrum"]
    (axis,) = drawn("spectrum", tmp_path).axes
    (bars,) = axis.containers
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [-1.0, -2.0, math.nan])
    assert axis.get_ylabel() == "exponent (1/s)"
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(InputError, match="is no result of hrsnn lyapunov"):
        drawn("spectrum", tmp_path)


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="no column 'valid'"):
        free_runs.draw(pd.DataFrame(frame(runs)).drop(columns="valid"))
