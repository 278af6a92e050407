"""The study of dynamics: controls of the same size, matched rates, tests with the right sign."""

import math
from dataclasses import replace

import numpy as np
import pytest
from equality import equal_networks

from hrsnn_brian.dynamics.measures import MEASURES
from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.figures import dynamics as figure
from hrsnn_brian.files.columns import name_of
from hrsnn_brian.files.tables import Table, read_table, write_table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.compensation import class_sums
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.rivals import random_by_class
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.statistics.paired_seeds import spread
from hrsnn_brian.studies import dynamics as study


class Deaf:
    """Measures nothing."""


def options(**choices):
    network = load_preset("default", ["N=40", "K=10"])
    return study.DynamicsOptions(network=network, **choices).to_dict()


# ---- the control of composition


@pytest.fixture(scope="module")
def network():
    return build_network(HRSNNParams(N=60, graph=GraphParams(K=12)), 3)


def test_random_by_class_has_the_size_and_the_composition_asked_for(network):
    found = random_by_class(network, 40, 100, 47, 5)
    assert (found.n_neurons, found.n_synapses) == (40, 100)
    assert np.count_nonzero(found.W.data < 0) == 47
    ids = prune(network, "random", Size(40, synapses=100), probe=Deaf(), seed=5).network.neuron_id
    assert np.array_equal(found.neuron_id, ids)  # differs from random in the synapses alone
    original = network.W[ids][:, ids]
    assert not (found.W.astype(bool) > original.astype(bool)).nnz
    former, now = class_sums(original, 2), class_sums(found.W, 2)
    np.testing.assert_allclose(now[now > 0], former[now > 0])
    other = random_by_class(network, 40, 100, 47, 6)
    assert not np.array_equal(other.neuron_id, ids)


def test_a_class_that_runs_out_is_made_up_for_by_the_other(network):
    """60 % of the neurons: about 260 synapses between them, a fifth inhibitory."""
    ids = prune(network, "random", Size(36, synapses=10), probe=Deaf(), seed=5).network.neuron_id
    inside = network.W[ids][:, ids]
    inhibitory = np.count_nonzero(inside.data < 0)
    found = random_by_class(network, 36, inhibitory + 50, inhibitory + 20, 5)
    assert found.n_synapses == inhibitory + 50
    assert np.count_nonzero(found.W.data < 0) == inhibitory
    with pytest.raises(InputError, match=f"only {inside.nnz} are left"):
        random_by_class(network, 36, inside.nnz + 1, 10, 5)


# ---- points


def test_points_hold_the_full_network_once_per_seed():
    found = study.points(options(seeds=2, keep=[0.2, 0.1], neuron_fraction=[0.6, 1.0]), 3)
    sizes = [(p["seed"], p["keep"], p["neuron_fraction"]) for p in found]
    assert len(set(sizes)) == len(sizes) == 2 * (1 + 4)
    assert [size for size in sizes if size[1] == 1.0] == [(3, 1.0, 1.0), (4, 1.0, 1.0)]


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"controls": ["randm"]}, "did you mean 'random'"),
        ({"match": ["gain"]}, "known: bias, none"),
        ({"keep": [1.0]}, "keep"),
        ({"neuron_fraction": [1.5]}, "neuron_fraction"),
        ({"seeds": 0}, "seeds"),
        ({"exponents": 0}, "exponents"),
        ({"iterations": 1}, "iterations"),
        ({"iterations": 3}, "step 4 never has its turn"),
        ({"exponent_seconds": 0.0}, "duration"),
    ],
)
def test_bad_options_are_refused(choice, named):
    with pytest.raises(InputError, match=named):
        study.points(options(**choice), 0)


# ---- rows


@pytest.mark.compiled
def test_rows_of_all_kinds_have_one_size_and_matched_ones_one_rate(compiled_engine):
    short = {"noise_seconds": 10.0, "exponents": 2, "exponent_seconds": 0.4, "segments": 1}
    chosen = options(
        seeds=1, keep=[0.2], iterations=4, controls=["random same classes", "fresh"], **short
    )
    rows = Table(row for p in study.points(chosen, 1) for row in study.run(p, compiled_engine))
    full, *others = rows
    assert [(name_of(r), r["match"]) for r in others] == [
        (kind, matched)
        for kind in ("lnp", "random same classes", "fresh")
        for matched in ("none", "bias")
    ]
    assert (full["network"], full["neurons"], full["synapses"]) == ("full", 40, 400)
    assert {(row["neurons"], row["synapses"]) for row in others} == {(24, 80)}
    assert others[0]["inhibitory_fraction"] == others[2]["inhibitory_fraction"]
    for row in rows:
        assert set(MEASURES) <= set(row)
        assert row["lambda_1_per_s"] == row["exponent_1_per_s"] >= row["exponent_2_per_s"]
        assert 1 <= row["effective_dimension_noise"] <= row["neurons"]
        assert 1 <= row["participation_ratio"] <= row["neurons"]
        assert row["eigenvalue_1_real_per_s"] == row["spectral_abscissa_per_s"]
    for row in others:
        if row["match"] == "bias":  # matched on a run of its own, of 4 s
            assert row["rate_hz"] == pytest.approx(full["rate_hz"], rel=0.15)


def test_original_timescales_undo_the_fourth_step_and_nothing_else(network):
    pruned = prune(network, "magnitude", Size(40, synapses=200), probe=Deaf(), seed=5).network
    tuned = replace(pruned, tau_m=2 * pruned.tau_m, bias=pruned.bias + 0.3)
    (_, _), (kind, undone) = study._networks(
        {"seed": 0, "controls": ["original timescales"]}, network, tuned, Deaf()
    )
    assert kind == "original timescales"
    assert equal_networks(undone, pruned)


def test_refused_pruning_is_a_row_without_measures(monkeypatch):
    def refuse(*_, **__):
        raise SizeOutOfReachError("synapses", 40, "only 30 are left")

    monkeypatch.setattr("hrsnn_brian.pruning.prune.prune", refuse)
    _, point = study.points(options(seeds=1), 0)
    (row,) = study.run(point, None)
    assert (row["recipe"], row["met_budget"]) == ("lnp", False)
    assert "only 30 are left" in row["stopped"]


# ---- summary and figure

KINDS = ("full", "lnp", *study.CONTROLS)
SEEDS = (0, 1, 2)


def value(kind: str, matched: str, seed: int) -> float:
    return KINDS.index(kind) + 0.1 * seed * (-1) ** KINDS.index(kind) + (matched == "bias")


def synthetic_rows() -> list[dict]:
    rows = []
    for seed in SEEDS:
        for kind in KINDS:
            size = {"keep": 0.1, "neuron_fraction": 0.6}
            if kind == "full":
                size = {"keep": 1.0, "neuron_fraction": 1.0}
            for matched in ("none",) if kind == "full" else ("none", "bias"):
                x = value(kind, matched, seed)
                rows.append(
                    study._identity({"seed": seed, **size}, kind, matched)
                    | {"stopped": ""}
                    | dict.fromkeys((*MEASURES, "participation_share"), x)
                    | {f"exponent_{j}_per_s": x - j for j in (1, 2, 3)}
                    | {f"eigenvalue_{j}_real_per_s": x - 2 * j for j in (1, 2, 3)}
                )
    rows[-1]["lambda_1_per_s"] = math.nan  # a failed check
    return rows


def test_summary_tests_lnp_minus_the_others():
    blocks = study.summary(synthetic_rows()).split("\n\n")
    assert blocks[0].startswith("keep 0.1, 0.6 of the neurons, as they are")
    assert "at the full network's rate, by a bias" in blocks[2]
    rate = next(x for x in blocks[0].splitlines() if x.startswith("rate_hz"))
    assert spread([value("random", "none", s) for s in SEEDS]) in rate
    tests = next(x for x in blocks[1].splitlines() if x.startswith("rate_hz"))
    # lnp lies above full and below random; the differences to it go as 0.2 * seed
    signs = [word[0] for word in tests.split() if word[0] in "+-"]
    assert signs == ["+", "-", "-", "-", "-", "-"]
    assert "refused in 0 runs" in blocks[-1]


@pytest.fixture
def table(tmp_path):
    write_table(tmp_path / "dynamics.csv", synthetic_rows())
    return read_table(tmp_path / "dynamics.csv")


def test_figure_has_a_panel_per_measure_with_means_and_errors(table):
    axes = figure.draw(table)
    assert len(axes) == len(figure.MEASURES) + 2
    bars = axes[0].containers
    assert len(bars) == 1 + 2 * (len(KINDS) - 1)
    wanted = [value("lnp", "bias", s) for s in SEEDS]
    means = [float(bar[0].get_xdata()[0]) for bar in bars]
    assert axes[0].get_xlim()[0] == 0.0  # no measure is shown without its zero
    kinds = [label.get_text() for label in axes[0].get_yticklabels()]
    assert kinds == list(dict.fromkeys(KINDS))
    assert means[0] == pytest.approx(np.mean([value("full", "none", s) for s in SEEDS]))
    assert np.mean(wanted) in [pytest.approx(m) for m in means]
    exponents = {bar.get_label(): bar[0] for bar in axes[-2].containers}
    lnp = np.mean([value("lnp", "none", s) for s in SEEDS])
    np.testing.assert_allclose(exponents["lnp"].get_ydata(orig=False), lnp - np.arange(1, 4))
    assert "3 seeds" in axes[0].figure.get_suptitle()


def test_figure_panels_do_not_overlap_and_bad_tables_are_refused(table):
    axes = figure.draw(table)
    drawn = axes[0].figure
    drawn.draw_without_rendering()
    boxes = [axis.get_tightbbox() for axis in axes] + [drawn.legends[0].get_window_extent()]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])
    with pytest.raises(InputError, match="no column 'isi_cv'"):
        figure.draw(table.drop(columns="isi_cv"))
    with pytest.raises(InputError, match="no pruned network"):
        figure.draw(table[table["network"] == "full"])
    with pytest.raises(InputError, match="no columns"):
        figure.draw(table.drop(columns=[f"exponent_{j}_per_s" for j in (1, 2, 3)]))
    with pytest.raises(InputError, match="16 axes"):
        figure.draw(table, ax=axes[0])
