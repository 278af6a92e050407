"""Plots of one network: what is drawn is what the table says, in the axes given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from hrsnn_brian.dynamics.portrait import KINDS
from hrsnn_brian.errors import InputError
from hrsnn_brian.figures.portraits import PLOTS, plot_kind, side_by_side
from hrsnn_brian.figures.style import save

N = 40
RANDOM = np.random.default_rng(0)
CLASS = np.where(np.arange(N) < 30, "E", "I")


def tables() -> dict:
    ids = np.arange(N)
    return {
        "raster": {"time_s": RANDOM.random(N), "line": ids, "neuron": ids, "class": CLASS},
        "rates": {"neuron": ids, "class": CLASS, "rate_hz": RANDOM.gamma(2, 5, N)},
        "isi": {"neuron": ids, "class": CLASS, "isi_cv": np.where(ids < 5, np.nan, 0.5)},
        "tau": {"neuron": ids, "class": CLASS, "cluster": ids % 2, "tau_m_ms": 1.0 + ids},
        "connectivity": {
            "post": np.repeat([0, 10, 20, 30], 4),
            "pre": np.tile([0, 10, 20, 30], 4),
            "mean_weight": np.linspace(-1, 0.5, 16),
        },
        "degrees": {"neuron": ids, "class": CLASS, "in_degree": ids % 5, "out_degree": ids % 7},
        "eigenvalues": {"real_per_s": -RANDOM.random(N), "imag_per_s": RANDOM.random(N)},
        "spectrum": {
            "index": np.arange(1, 4),
            "exponent_per_s": np.array([-1.0, -2.0, -3.0]),
            "standard_error_per_s": np.full(3, 0.1),
        },
        "divergence": {
            "copy": np.tile([0, 1], 3),
            "time_s": np.repeat([0.1, 0.2, 0.3], 2),
            "ln_distance": np.array([-18, -18, -19, -19, np.nan, -20]),
        },
        "pca": {
            "time_s": np.arange(N),
            "pc_1": RANDOM.random(N),
            "pc_2": RANDOM.random(N),
            "explained_1": np.full(N, 0.42),
            "explained_2": np.full(N, 0.13),
        },
        "autocorrelation": {"lag_s": np.arange(5) * 5e-3, "autocorrelation": 0.5 ** np.arange(5)},
    }


def test_every_kind_has_a_plot():
    assert list(PLOTS) == list(KINDS) == list(tables())


@pytest.mark.parametrize("kind", PLOTS)
def test_axes_are_used_labelled_and_returned(kind):
    axis = Figure().subplots()
    assert plot_kind(kind, tables()[kind], ax=axis) is axis
    assert axis.get_xlabel()
    assert axis.get_ylabel()
    assert axis.has_data()
    assert plot_kind(kind, tables()[kind]).get_xlabel() == axis.get_xlabel()


def test_means_and_gaps_are_told_in_the_legend():
    axis = plot_kind("isi", tables()["isi"])
    texts = [text.get_text() for text in axis.get_legend().get_texts()]
    assert texts == ["excitatory: mean 0.50, 5 without", "inhibitory: mean 0.50"]


def test_degrees_are_counted_one_by_one():
    axis = plot_kind("degrees", tables()["degrees"])
    edges = np.unique(np.round(axis.patches[-1].get_path().vertices[:, 0], 6))
    assert np.allclose(edges, np.arange(-0.5, 7))


def test_clusters_have_colours_of_their_own():
    axis = plot_kind("tau", tables()["tau"])
    assert [text.get_text()[:9] for text in axis.get_legend().get_texts()] == [
        "cluster 0",
        "cluster 1",
    ]


def test_a_failed_exponent_is_said():
    failed = tables()["spectrum"] | {"exponent_per_s": np.full(3, np.nan)}
    assert "no exponent" in plot_kind("spectrum", failed).texts[0].get_text()


def test_two_networks_share_their_axes_and_files_their_bytes(tmp_path):
    here, there = tables()["rates"], tables()["rates"]
    figure = side_by_side("rates", [here, there], ["before", "after"])
    left, right = figure.axes
    assert left.get_xlim() == right.get_xlim()
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["before", "after"]
    first = [path.read_bytes() for path in save(figure, tmp_path / "a", "rates")]
    again = side_by_side("rates", [here, there], ["before", "after"])
    assert first == [path.read_bytes() for path in save(again, tmp_path / "b", "rates")]


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="did you mean 'isi'"):
        plot_kind("isis", {})
