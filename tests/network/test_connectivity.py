"""Graphs and weights: degrees, small-world limits, Dale's law, loaded matrices."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse, stats

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.graphs import clustered, erdos_renyi, fixed_indegree, small_world
from hrsnn_brian.network.matrix_file import column_signs, load_matrix
from hrsnn_brian.network.parameters import WeightParams
from hrsnn_brian.network.statistics import (
    clustering_coefficient,
    degree_statistics,
    shortest_paths,
)
from hrsnn_brian.network.weights import (
    draw_weights,
    magnitude_distribution,
    scale_to_spectral_radius,
    spectral_radius,
)
from hrsnn_brian.seeds import rng


def random(key: str) -> np.random.Generator:
    return rng(2, "network", "test", key)


def in_degrees(graph: sparse.csr_array) -> np.ndarray:
    return np.diff(graph.indptr)


def out_degrees(graph: sparse.csr_array) -> np.ndarray:
    return np.bincount(graph.indices, minlength=graph.shape[0])


def same_graph(a: sparse.csr_array, b: sparse.csr_array) -> bool:
    return np.array_equal(a.toarray(), b.toarray())


GRAPHS = {
    "fixed_indegree": lambda n, K, r: fixed_indegree(n, K, r),
    "by class": lambda n, K, r: fixed_indegree(n, K, r, np.arange(n) % 3),
    "erdos_renyi": lambda n, K, r: erdos_renyi(n, K, r),
    "small_world": lambda n, K, r: small_world(n, K, 0.3, r),
    "clustered": lambda n, K, r: clustered(np.arange(n) % 3, K, 0.6, r),
}


@pytest.mark.parametrize("kind", GRAPHS)
def test_graphs_are_simple_sorted_and_fixed_by_their_generator(kind: str) -> None:
    graph = GRAPHS[kind](90, 12, random(kind))
    assert graph.dtype == bool
    assert graph.data.all()
    assert graph.has_canonical_format
    assert graph.diagonal().sum() == 0
    same = GRAPHS[kind](90, 12, random(kind))
    assert same_graph(graph, same)
    assert not same_graph(graph, GRAPHS[kind](90, 12, random("other")))


@pytest.mark.parametrize("kind", [k for k in GRAPHS if k != "erdos_renyi"])
def test_in_degrees_are_exactly_K(kind: str) -> None:
    assert set(in_degrees(GRAPHS[kind](90, 13, random(kind)))) == {13}


@pytest.mark.parametrize("n", [1, 2, 7])
def test_complete_graphs_are_reached(n: int) -> None:
    everyone = ~np.eye(n, dtype=bool)
    for graph in (
        fixed_indegree(n, n - 1, random("full")),
        fixed_indegree(n, n - 1, random("full"), np.arange(n) // 3),
        erdos_renyi(n, n - 1, random("full")),
        small_world(n, n - 1, 0.5, random("full")),
    ):
        assert np.array_equal(graph.toarray(), everyone)


def test_sources_of_fixed_indegree_are_uniform() -> None:
    graph = fixed_indegree(400, 40, random("uniform"))
    # an out-degree is Binomial(n - 1, K/(n - 1)), the sum over neurons being fixed
    variance = 399 * (40 / 399) * (1 - 40 / 399)
    assert np.var(out_degrees(graph)) == pytest.approx(variance, rel=0.25)
    lags = (graph.nonzero()[0] - graph.nonzero()[1]) % 400
    counts = np.bincount(lags, minlength=400)[1:]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_fixed_indegree_by_class_gives_every_neuron_its_share() -> None:
    is_e = np.arange(500) < 400
    graph = fixed_indegree(500, 50, random("class"), is_e.astype(int)).toarray()
    assert set(graph[:, is_e].sum(axis=1)) == {40}
    assert set(graph[:, ~is_e].sum(axis=1)) == {10}


def test_erdos_renyi_degrees_are_binomial() -> None:
    n, K = 600, 30
    graph = erdos_renyi(n, K, random("er"))
    p = K / (n - 1)
    assert stats.binomtest(graph.nnz, n * (n - 1), p).pvalue > 1e-3
    for degrees in (in_degrees(graph), out_degrees(graph)):
        assert degrees.var() == pytest.approx((n - 1) * p * (1 - p), rel=0.2)
    assert degree_statistics(graph).reciprocity == pytest.approx(p, abs=0.01)


@pytest.mark.parametrize("K", [4, 10, 20])
def test_unrewired_small_world_has_the_clustering_and_paths_of_the_ring(K: int) -> None:
    n = 121
    ring = small_world(n, K, 0.0, random("ring"))
    assert same_graph(ring, ring.T.tocsr())
    assert clustering_coefficient(ring) == pytest.approx(3 * (K - 2) / (4 * (K - 1)), rel=1e-12)
    hops = -(-np.arange(1, (n - 1) // 2 + 1) // (K // 2))  # ceil(distance / (K/2))
    length, reachable = shortest_paths(ring)
    assert length == pytest.approx(hops.mean(), rel=1e-12)
    assert reachable == 1.0
    assert set(out_degrees(ring)) == {K}


def test_fully_rewired_small_world_clusters_like_a_random_graph() -> None:
    n, K = 400, 20
    graph = small_world(n, K, 1.0, random("random"))
    # any two neighbours of a neuron are joined with the probability of any pair, the density
    assert clustering_coefficient(graph) == pytest.approx(K / (n - 1), rel=0.05)
    compared = fixed_indegree(n, K, random("compared"))
    assert shortest_paths(graph)[0] == pytest.approx(shortest_paths(compared)[0], rel=0.02)
    assert np.var(out_degrees(graph)) == pytest.approx(np.var(out_degrees(compared)), rel=0.35)


def test_rewired_fraction_is_the_one_asked_for() -> None:
    n, K, rewire = 500, 20, 0.1
    graph = small_world(n, K, rewire, random("fraction"))
    ring = small_world(n, K, 0.0, random("fraction"))
    moved = graph.nnz - graph.multiply(ring).nnz
    # a source drawn anew misses the free ring places, about rewire*K of n - K, nearly always
    back = rewire * K / (n - K)
    assert stats.binomtest(moved, n * K, rewire * (1 - back)).pvalue > 1e-3


def test_small_world_is_small_and_clustered_in_between() -> None:
    ring, between, far = (small_world(400, 20, p, random("sw")) for p in (0.0, 0.1, 1.0))
    # to first order each of a triangle's three edges survives with probability 1 - rewire
    assert clustering_coefficient(between) == pytest.approx(
        clustering_coefficient(ring) * 0.9**3, rel=0.08
    )
    assert shortest_paths(between)[0] < 1.25 * shortest_paths(far)[0] < shortest_paths(ring)[0]


def test_clusters_give_the_fraction_asked_for() -> None:
    cluster = np.repeat(np.arange(3), [60, 70, 80])
    graph = clustered(cluster, 20, 0.8, random("clusters")).tocoo()
    inside = cluster[graph.row] == cluster[graph.col]
    assert set(np.bincount(graph.row[inside])) == {16}
    assert set(np.bincount(graph.row[~inside])) == {4}
    one = clustered(np.zeros(50, dtype=int), 9, 0.8, random("one"))
    assert set(in_degrees(one)) == {9}


@pytest.mark.parametrize(
    "draw",
    [
        lambda r: fixed_indegree(10, 10, r),
        lambda r: erdos_renyi(10, 9.5, r),
        lambda r: small_world(10, 4, 1.5, r),
        lambda r: small_world(10, -1, 0.5, r),
        lambda r: clustered(np.arange(10) % 2, 8, 0.9, r),
        lambda r: clustered(np.arange(10) % 2, 4, -0.1, r),
    ],
)
def test_impossible_graphs_are_refused(draw: object) -> None:
    with pytest.raises(InputError):
        draw(random("bad"))  # type: ignore[operator]


# --- statistics ----------------------------------------------------------------------------


def brute_clustering(adjacency: np.ndarray) -> float:
    """Directed triangles counted one by one over all that the degrees allow."""
    n = len(adjacency)
    a = adjacency.astype(int)
    values = []
    for i in range(n):
        both = a[i] + a[:, i]
        closed = sum(
            both[j] * both[k] * (a[j, k] + a[k, j]) for j in range(n) for k in range(n) if j != k
        )
        possible = sum(both[j] * both[k] * 2 for j in range(n) for k in range(n) if j != k)
        if possible:
            values.append(closed / possible)
    return float(np.mean(values))


@pytest.mark.parametrize("p", [0.05, 0.15, 0.5])
def test_clustering_agrees_with_counting_triangles(p: float) -> None:
    graph = erdos_renyi(24, p * 23, random(f"count {p}"))
    assert clustering_coefficient(graph) == pytest.approx(brute_clustering(graph.toarray()))


def test_paths_follow_the_direction_of_synapses() -> None:
    chain = np.zeros((4, 4))
    chain[[1, 2, 3], [0, 1, 2]] = 1.0  # 0 -> 1 -> 2 -> 3
    length, reachable = shortest_paths(sparse.csr_array(chain))
    assert length == pytest.approx((3 * 1 + 2 * 2 + 1 * 3) / 6)
    assert reachable == pytest.approx(6 / 12)
    chain[0, 3] = -1.0
    assert shortest_paths(sparse.csr_array(chain)) == (2.0, 1.0)


def test_statistics_of_no_synapses_are_defined_or_nan() -> None:
    found = degree_statistics(sparse.csr_array((5, 5)))
    assert (found.synapses, found.density, found.in_degree_mean) == (0, 0.0, 0.0)
    assert np.isnan([found.clustering, found.path_length, found.weight_e_mean]).all()


# --- weights -------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["gamma", "lognormal", "constant"])
def test_weight_magnitudes_have_the_stated_law(family: str) -> None:
    n, K = 400, 50
    is_e = np.arange(n) < 320
    params = WeightParams(family=family)
    W = draw_weights(fixed_indegree(n, K, random("g")), is_e, params, random(family))
    unit = params.J / np.sqrt(K)
    e = W.data[is_e[W.indices]] / unit
    i = W.data[~is_e[W.indices]] / (-params.g * unit)
    sigma = np.sqrt(np.log(1.5))
    law = {
        "gamma": stats.gamma(2, scale=0.5),
        "lognormal": stats.lognorm(sigma, scale=np.exp(-(sigma**2) / 2)),
    }
    for x in (e, i):
        assert x.min() > 0
        if family == "constant":
            assert np.allclose(x, 1.0, rtol=1e-14)
        else:
            assert stats.kstest(x, law[family].cdf).pvalue > 1e-3
            assert x.mean() == pytest.approx(1.0, rel=0.05)


def test_weight_statistics_match_the_parameters() -> None:
    n, K = 500, 50
    is_e = np.arange(n) < 400
    params = WeightParams()
    W = draw_weights(small_world(n, K, 0.1, random("s")), is_e, params, random("w"))
    found = degree_statistics(W)
    unit = 0.10 / np.sqrt(50)
    assert found.weight_e_mean == pytest.approx(unit, rel=0.03)
    assert found.weight_e_sd / found.weight_e_mean == pytest.approx(0.5**0.5, rel=0.03)
    assert found.weight_i_mean == pytest.approx(-6 * unit, rel=0.03)
    assert found.weight_i_fraction == pytest.approx(0.2, abs=0.01)
    assert (found.in_degree_mean, found.in_degree_sd) == (50.0, 0.0)
    assert found.density == pytest.approx(50 / 499)


def test_dale_and_scaling_with_J_and_g() -> None:
    n = 100
    is_e = np.arange(n) % 5 > 0
    graph = erdos_renyi(n, 10, random("dale"))

    def weights(**change: float) -> sparse.csr_array:
        return draw_weights(graph, is_e, WeightParams(**change), random("scaling"), 10)

    W = weights()
    assert (W.data[is_e[W.indices]] > 0).all()
    assert (W.data[~is_e[W.indices]] < 0).all()
    assert abs(weights(J=0.2) - 2 * W).max() < 1e-16
    assert abs(weights(g=3.0) - W.multiply(np.where(is_e, 1.0, 0.5))).max() < 1e-16
    assert weights(J=0.0).nnz == 0
    assert (weights(g=0.0).data > 0).all()


def test_wanted_spectral_radius_is_reached_by_one_positive_factor() -> None:
    n = 60
    is_e = np.arange(n) < 48
    graph = fixed_indegree(n, 20, random("radius"))
    plain = draw_weights(graph, is_e, WeightParams(J=0.3), random("rho"))
    for wanted in (1.05, 1.5, 4.0):
        params = WeightParams(J=0.3, spectral_radius=wanted)
        W = draw_weights(graph, is_e, params, random("rho"))
        assert spectral_radius(W) == pytest.approx(wanted, rel=1e-9)
        ratio = W.data / plain.data
        assert ratio.min() > 0
        assert np.ptp(ratio) < 1e-12 * ratio.max()
    assert spectral_radius(plain * 0) == 1.0
    # a pair that excites each other: mu = +-w, so |-1 - s*w| = 3 asks for s = 2/w
    pair = sparse.csr_array(np.array([[0, 0.25], [0.25, 0]]))
    assert scale_to_spectral_radius(pair, 3.0).toarray()[0, 1] == pytest.approx(2.0)


def test_spectral_radius_that_cannot_be_reached_is_refused() -> None:
    feedforward = sparse.csr_array(np.tril(np.ones((30, 30)), -1))
    with pytest.raises(InputError, match="no loops"):
        scale_to_spectral_radius(feedforward, 1.5)
    with pytest.raises(InputError, match="> 1"):
        scale_to_spectral_radius(sparse.csr_array(np.ones((2, 2)) - np.eye(2)), 1.0)


def test_magnitudes_have_mean_one() -> None:
    for family in ("gamma", "lognormal", "constant"):
        law = magnitude_distribution(WeightParams(family=family, cv=0.3))
        assert law.sample(random("m"), 20_000).mean() == pytest.approx(1.0, abs=0.01)


# --- loaded matrices -----------------------------------------------------------------------


def a_matrix() -> np.ndarray:
    graph = erdos_renyi(30, 6, random("file"))
    W = draw_weights(graph, np.arange(30) < 24, WeightParams(), random("file weights"))
    return W.toarray()


def write(path: Path, matrix: np.ndarray) -> Path:
    if path.suffix == ".npz":
        sparse.save_npz(path, sparse.coo_array(matrix))
    elif path.suffix == ".npy":
        np.save(path, matrix)
    else:
        np.savetxt(path, matrix, delimiter=",", fmt="%.17g")
    return path


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv"])
def test_a_matrix_is_read_exactly(tmp_path: Path, suffix: str) -> None:
    matrix = a_matrix()
    found = load_matrix(write(tmp_path / f"w{suffix}", matrix))
    assert np.array_equal(found.toarray(), matrix)
    assert found.nnz == np.count_nonzero(matrix)
    assert np.array_equal(column_signs(found), ~(matrix < 0).any(axis=0))
    stated = degree_statistics(found)
    positive = matrix[matrix > 0]
    assert stated.in_degree_mean == pytest.approx((matrix != 0).sum() / 30)
    assert stated.out_degree_sd == pytest.approx((matrix != 0).sum(axis=0).std())
    assert stated.weight_e_sd == pytest.approx(positive.std())


def spoil(**entries: float) -> np.ndarray:
    matrix = a_matrix()
    for place, value in entries.items():
        row, column = map(int, place.strip("_").split("_"))
        matrix[row, column] = value
    return matrix


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv"])
@pytest.mark.parametrize(
    ("matrix", "named"),
    [
        (np.ones((3, 4)), "square, has shape 3 x 4"),
        (spoil(_3_7=np.nan), "finite, is nan in row 3, column 7"),
        (spoil(_3_7=np.inf), "finite, is inf"),
        (spoil(_5_5=1.0), "neuron 5 has a synapse onto itself"),
        (spoil(_1_2=1.0, _3_2=-1.0), "column 2 has weights of both signs"),
    ],
)
def test_unusable_matrices_are_refused_in_one_line(
    tmp_path: Path, suffix: str, matrix: np.ndarray, named: str
) -> None:
    path = write(tmp_path / f"w{suffix}", matrix)
    with pytest.raises(InputError) as error:
        load_matrix(path)
    assert named in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("w.csv", b"a,b\n1,2\n"),
        ("w.csv", b"1,2\n3\n"),
        ("w.csv", b""),
        ("w.npy", b"nothing"),
        ("w.npz", b"PK\x03\x04 cut short"),
        ("w.txt", b"1"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_corrupt_files_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        load_matrix(tmp_path / name)
    assert "\n" not in str(error.value)


def test_pickled_odd_and_missing_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "pickled.npy", np.array([[None, 1], [2, None]]), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    np.save(tmp_path / "complex.npy", np.array([[0, 1j], [1, 0]]))
    np.save(tmp_path / "text.npy", np.array([["a", "b"], ["c", "d"]]))
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name in ("pickled.npy", "cube.npy", "complex.npy", "text.npy", "other.npz", "no.npy"):
        with pytest.raises(InputError) as error:
            load_matrix(tmp_path / name)
        assert "\n" not in str(error.value)
