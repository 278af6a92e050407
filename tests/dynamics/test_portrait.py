"""Tables behind the plots of one network: counts, means and units re-derived from the network."""

import numpy as np
import pytest

from hrsnn_brian.dynamics.portrait import KINDS, RASTER_NEURONS, Portrait
from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.settings.reader import read
from hrsnn_brian.simulation import Engine

CHEAP = [kind for kind in KINDS if kind not in ("spectrum", "divergence")]


@pytest.fixture(scope="module")
def look():
    settings = {"N": 120, "graph.kind": "clustered", "graph.clusters": 2, "bias": 0.3}
    network = build_network(read(HRSNNParams, {}, settings), seed=2)
    return Portrait(network.without_neurons([3, 50]), Engine("numpy"), seconds=1.0)


@pytest.fixture(scope="module")
def tables(look):
    return look.tables(CHEAP)


def test_columns_have_one_length(tables):
    for kind, table in tables.items():
        assert len({len(column) for column in table.values()}) == 1, kind
        assert len(next(iter(table.values()))) > 0, kind


def test_rates_and_raster_are_those_of_the_run(look, tables):
    n, found = look.network.n_neurons, look.recording
    assert tables["rates"]["rate_hz"].mean() == pytest.approx(found.rate_hz)
    raster = tables["raster"]
    assert set(np.unique(raster["line"])) <= set(range(RASTER_NEURONS))
    counts = dict(zip(look.network.neuron_id, found.spike_count, strict=True))
    assert found.seconds < 1.1  # the whole run is shown
    for neuron in np.unique(raster["neuron"]):
        assert (raster["neuron"] == neuron).sum() == counts[neuron]
    inhibitory = raster["class"] == "I"
    assert raster["line"][inhibitory].min() > raster["line"][~inhibitory].max()
    assert n == 118


def test_wiring_and_times_are_the_networks(look, tables):
    W = look.network.W.toarray()
    degrees = tables["degrees"]
    assert np.array_equal(degrees["in_degree"], (W != 0).sum(axis=1))
    assert np.array_equal(degrees["out_degree"], (W != 0).sum(axis=0))
    assert np.allclose(tables["tau"]["tau_m_ms"], 1e3 * look.network.tau_m)
    assert set(tables["tau"]["cluster"]) == {0, 1}
    blocks = tables["connectivity"]
    assert np.all((blocks["mean_weight"] <= 0) | (blocks["pre"] < look.network.is_e.sum()))
    size = blocks["pre"][1]
    order = np.argsort(~look.network.is_e, kind="stable")
    first = W[np.ix_(order[:size], order[size : 2 * size])].mean()
    assert blocks["mean_weight"][1] == pytest.approx(first)


def test_eigenvalues_sum_to_the_trace(look, tables):
    values = tables["eigenvalues"]
    assert values["real_per_s"].sum() == pytest.approx(-(1 / look.network.tau_m).sum())
    assert values["imag_per_s"].sum() == pytest.approx(0, abs=1e-6)


def test_components_explain_what_they_say(look, tables):
    from hrsnn_brian.dynamics.probe import filtered_rates

    pca = tables["pca"]
    total = filtered_rates(look.network, look.recording).var(axis=0).sum()
    assert pca["pc_1"].var() / total == pytest.approx(pca["explained_1"][0])
    assert abs(np.corrcoef(pca["pc_1"], pca["pc_2"])[0, 1]) < 1e-8


def test_autocorrelation_of_the_population_starts_at_one(tables):
    assert tables["autocorrelation"]["autocorrelation"][0] == pytest.approx(1)
    assert np.all(np.abs(tables["autocorrelation"]["autocorrelation"]) <= 1)


def test_unknown_names_are_refused(look):
    with pytest.raises(InputError, match="did you mean 'raster'"):
        look.tables(["rastor"])
    with pytest.raises(InputError, match="drive"):
        Portrait(look.network, look.engine, drive="white")
