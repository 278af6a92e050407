"""Betweenness: hand-computed graphs, networkx as oracle, igraph as the other backend."""

import numpy as np
import pytest
from scipy import sparse

from hrsnn_brian.dynamics import betweenness as module
from hrsnn_brian.dynamics.betweenness import betweenness, edge_distances
from hrsnn_brian.errors import InputError


def graph(n, edges):
    """CSR `W[post, pre]` of (pre, post, weight)."""
    W = np.zeros((n, n))
    for pre, post, weight in edges:
        W[post, pre] = weight
    return sparse.csr_array(W)


def random_graph(n, degree, seed, weights=None):
    random = np.random.default_rng(seed)
    W = np.zeros((n, n))
    for post in range(n):
        pre = random.choice(np.delete(np.arange(n), post), degree, replace=False)
        draw = random.gamma(2, 0.5, degree) if weights is None else random.choice(weights, degree)
        W[post, pre] = draw
    return sparse.csr_array(W)


def by_networkx(W, kind="inverse"):
    networkx = pytest.importorskip("networkx")
    G = networkx.DiGraph()
    G.add_nodes_from(range(W.shape[0]))
    post, pre = W.nonzero()
    for p, q, length in zip(pre, post, edge_distances(W, kind=kind), strict=True):
        G.add_edge(int(p), int(q), length=length)
    found = networkx.betweenness_centrality(G, weight="length", normalized=False)
    return np.array([found[k] for k in range(W.shape[0])])


# Strengths whose inverses are exact: sums of lengths then tie exactly in networkx too.
EXACT = (1.0, 0.5, 0.25)


def test_chain():
    """Neuron k of a directed chain of n lies between its k predecessors and n - 1 - k followers."""
    n = 12
    chain = graph(n, [(k, k + 1, 0.3) for k in range(n - 1)])
    k = np.arange(n)
    np.testing.assert_array_equal(betweenness(chain, backend="scipy"), k * (n - 1 - k))


def test_directions_count():
    """In a one-way ring each neuron is inside (n-1)(n-2)/2 paths; both ways it would be fewer."""
    n = 7
    ring = graph(n, [(k, (k + 1) % n, 1.0) for k in range(n)])
    expected = np.full(n, (n - 1) * (n - 2) / 2)
    np.testing.assert_array_equal(betweenness(ring, backend="scipy"), expected)


def test_tied_paths_share():
    """0 -> {1, 2, 3} -> 4 -> {5, 6} -> 7, all equal: each tied neuron carries its share."""
    edges = [(0, k, 1.0) for k in (1, 2, 3)] + [(k, 4, 1.0) for k in (1, 2, 3)]
    edges += [(4, k, 1.0) for k in (5, 6)] + [(k, 7, 1.0) for k in (5, 6)]
    found = betweenness(graph(8, edges), backend="scipy")
    # of 1: from 0 to {4, 5, 6, 7}, a third each; of 5: from {0, 1, 2, 3, 4} to 7, a half each;
    # of 4: all 4 sources to all 3 sinks
    np.testing.assert_allclose(found, [0, 4 / 3, 4 / 3, 4 / 3, 12, 5 / 2, 5 / 2, 0])


def test_ties_survive_rounding():
    """0.1 + 0.2 is not 0.3 in floating point, but the paths tie."""
    one = graph(4, [(0, 1, 1 / 0.1), (1, 3, 1 / 0.2), (0, 2, 1 / 0.15), (2, 3, 1 / 0.15)])
    np.testing.assert_allclose(betweenness(one, backend="scipy"), [0, 0.5, 0.5, 0])


def test_stronger_synapses_are_shorter():
    """A detour over two strong synapses beats a weak direct one; strength replaces |w|."""
    W = graph(3, [(0, 1, 4.0), (1, 2, -4.0), (0, 2, 1.0)])
    np.testing.assert_array_equal(betweenness(W, backend="scipy"), [0, 1, 0])
    np.testing.assert_array_equal(betweenness(W, distance="hops", backend="scipy"), [0, 0, 0])
    strength = np.where(W.data == 1.0, 3.0, 4.0)
    np.testing.assert_array_equal(betweenness(W, strength, backend="scipy"), [0, 0, 0])
    # a strength of zero is no synapse
    strength = np.where(W.data == 1.0, 0.0, 4.0)
    np.testing.assert_array_equal(betweenness(W, strength, backend="scipy"), [0, 1, 0])


def test_class_distance_undoes_the_scale_of_a_class():
    """With lengths relative to the class mean, scaling all inhibition changes nothing."""
    W = random_graph(40, 6, 0)
    W.data[W.indices >= 30] *= -1
    scaled = W.copy()
    scaled.data[scaled.data < 0] *= 6
    plain = [betweenness(w, distance="class") for w in (W, scaled)]
    np.testing.assert_allclose(*plain)
    assert not np.allclose(betweenness(W), betweenness(scaled))


def test_disconnected_and_empty():
    two = graph(6, [(0, 1, 1.0), (1, 2, 1.0), (3, 4, 0.1), (4, 5, 0.1)])
    np.testing.assert_array_equal(betweenness(two, backend="scipy"), [0, 1, 0, 0, 1, 0])
    assert not betweenness(sparse.csr_array((5, 5))).any()
    assert betweenness(sparse.csr_array((1, 1))).tolist() == [0.0]


def test_extreme_range_of_weights():
    """A bridge 1e30 times weaker still joins; rounding does not swallow the strong synapses."""
    bridge = graph(4, [(0, 1, 1.0), (1, 2, 1e-30), (2, 3, 1.0)])
    np.testing.assert_array_equal(betweenness(bridge, backend="scipy"), [0, 2, 2, 0])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("degree", [1, 3, 12])
@pytest.mark.parametrize("weights", [None, EXACT, (1.0,)], ids=["gamma", "ties", "equal"])
def test_against_networkx(seed, degree, weights):
    """Directed graphs, many of them disconnected (degree 1), with and without ties."""
    W = random_graph(45, degree, seed, weights)
    np.testing.assert_allclose(betweenness(W, backend="scipy"), by_networkx(W), atol=1e-9)


def test_separate_parts_against_networkx():
    parts = [random_graph(15, 3, seed, EXACT) for seed in (0, 1)]
    W = sparse.csr_array(sparse.block_diag([*parts, sparse.csr_array((4, 4))]))
    found = betweenness(W, backend="scipy")
    np.testing.assert_allclose(found, by_networkx(W), atol=1e-9)
    assert not found[-4:].any()


def test_chunks_do_not_matter(monkeypatch):
    W = random_graph(50, 5, 4, EXACT)
    whole = betweenness(W, backend="scipy")
    monkeypatch.setattr(module, "_CHUNK_CELLS", 400)
    np.testing.assert_allclose(betweenness(W, backend="scipy"), whole)


@pytest.mark.parametrize("weights", [None, EXACT, (1.0,)], ids=["gamma", "ties", "equal"])
@pytest.mark.parametrize("degree", [1, 4, 40])
def test_igraph_is_equal(degree, weights):
    pytest.importorskip("igraph")
    W = random_graph(150, degree, degree, weights)
    by_scipy, by_igraph = (betweenness(W, backend=name) for name in ("scipy", "igraph"))
    np.testing.assert_allclose(by_scipy, by_igraph, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(betweenness(W), by_igraph)


def test_refusals(monkeypatch):
    W = random_graph(5, 2, 0)
    with pytest.raises(InputError, match="inverse"):
        betweenness(W, distance="invers")
    with pytest.raises(InputError, match="backend"):
        betweenness(W, backend="rustworkx")
    with pytest.raises(InputError, match="one value per synapse"):
        betweenness(W, np.ones(3))
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="finite and >= 0"):
            betweenness(W, np.full(W.nnz, bad))
    with pytest.raises(InputError, match="square"):
        betweenness(sparse.csr_array((3, 4)))
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"hrsnn-brian\[graph\]"):
        betweenness(W, backend="igraph")
    np.testing.assert_array_equal(betweenness(W), betweenness(W, backend="scipy"))


# ---- pivots


@pytest.mark.parametrize("backend", ["scipy", "igraph"])
def test_pivots_of_a_chain(backend):
    """From neuron 0 of a chain of 6 alone: k has 5 - k followers, times 6 for one pivot of six."""
    if backend == "igraph":
        pytest.importorskip("igraph")
    chain = graph(6, [(k, k + 1, 0.3) for k in range(5)])
    found = betweenness(chain, backend=backend, pivots=np.array([0]))
    np.testing.assert_allclose(found, 6 * np.array([0, 4, 3, 2, 1, 0]))


def test_pivots_are_an_unbiased_estimate_and_alike_in_both_backends():
    W = random_graph(40, 5, 1)
    whole = betweenness(W, backend="scipy")
    single = [betweenness(W, backend="scipy", pivots=np.array([k])) for k in range(40)]
    np.testing.assert_allclose(np.mean(single, axis=0), whole)
    np.testing.assert_array_equal(betweenness(W, backend="scipy", pivots=np.arange(40)), whole)
    pytest.importorskip("igraph")
    some = np.array([31, 2, 7])
    one, other = (betweenness(W, backend=name, pivots=some) for name in ("scipy", "igraph"))
    np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("pivots", [[], [1, 1], [-1], [40]])
def test_pivots_must_be_different_neurons(pivots):
    with pytest.raises(InputError, match="must differ, in 0"):
        betweenness(random_graph(40, 5, 1), pivots=np.array(pivots, dtype=int))
