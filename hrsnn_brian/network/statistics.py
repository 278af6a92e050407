"""Degrees, small-world measures and weight statistics of a network, for summaries and tests."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from hrsnn_brian.seeds import rng


@dataclass(frozen=True)
class ConnectivityStatistics:
    """Statistics of `W[post, pre]`; values that are not defined (no synapses) are NaN.

    clustering is Fagiolo's directed coefficient, averaged over neurons with at least two
    neighbours; path_length is the mean number of synapses on the shortest way from a sample of
    neurons to all they reach; reachable the fraction of pairs of that sample that are joined;
    reciprocity the fraction of synapses that have one going back.
    """

    neurons: int
    synapses: int
    density: float
    in_degree_mean: float
    in_degree_sd: float
    out_degree_mean: float
    out_degree_sd: float
    reciprocity: float
    clustering: float
    path_length: float
    reachable: float
    weight_e_mean: float
    weight_e_sd: float
    weight_i_mean: float
    weight_i_sd: float
    weight_i_fraction: float

    def to_dict(self) -> dict[str, float]:
        """The statistics by name, JSON-able."""
        return asdict(self)


def _graph(W: sparse.csr_array) -> sparse.csr_array:
    graph = sparse.csr_array(W).astype(np.float64)
    graph.eliminate_zeros()
    graph.data[:] = 1.0
    return graph


def clustering_coefficient(W: sparse.csr_array) -> float:
    """Mean directed clustering coefficient (Fagiolo 2007, Phys. Rev. E 76, 026107, eq. 6).

    C_i = [(A + A')^3]_ii / (2 [d_i (d_i - 1) - 2 b_i]) with the total degree d_i and the number
    b_i of reciprocated neighbours. It is 3(K-2)/(4(K-1)) for a ring of even in-degree K and equals
    the density, in the mean, for a random graph. NaN if no neuron has two neighbours.
    """
    graph = _graph(W)
    both = graph + graph.T
    total = both.sum(axis=1)
    mutual = graph.multiply(graph.T).sum(axis=1)
    possible = 2 * (total * (total - 1) - 2 * mutual)
    n = graph.shape[0]
    if both.nnz > 0.1 * n * n:
        dense = both.toarray()
        closed = np.einsum("ij,ji->i", dense @ dense, dense)
    else:
        closed = (both @ both).multiply(both).sum(axis=1)
    defined = possible > 0
    return float(np.mean(closed[defined] / possible[defined])) if defined.any() else float("nan")


def shortest_paths(W: sparse.csr_array, sample: int = 100) -> tuple[float, float]:
    """Mean directed path length, in synapses, and the fraction of pairs joined at all.

    Taken from `sample` sources, which are fixed by N (all neurons if there are no more).
    """
    n = W.shape[0]
    if n < 2:
        return float("nan"), float("nan")
    sources = np.arange(n)
    if n > sample:
        sources = np.sort(rng(0, "network", "path sample", n).choice(n, sample, replace=False))
    onward = sparse.csr_array(_graph(W).T)
    length = csgraph.dijkstra(onward, directed=True, indices=sources, unweighted=True)
    joined = np.isfinite(length) & (length > 0)
    mean = float(length[joined].mean()) if joined.any() else float("nan")
    return mean, float(joined.sum() / (len(sources) * (n - 1)))


def _mean_sd(values: np.ndarray) -> tuple[float, float]:
    return (float(values.mean()), float(values.std())) if values.size else (np.nan, np.nan)


def degree_statistics(W: sparse.csr_array, sample: int = 100) -> ConnectivityStatistics:
    """All statistics of (N, N) CSR weights `W[post, pre]`; `sample` sources for the path length.

    sd is that over neurons (or synapses), ddof 0. weight_i_fraction is the fraction of synapses
    that inhibit.
    """
    graph = _graph(W)
    n, synapses = graph.shape[0], int(graph.nnz)
    weights = sparse.csr_array(W).data
    into, out_of = _mean_sd(graph.sum(axis=1)), _mean_sd(graph.sum(axis=0))
    e, i = _mean_sd(weights[weights > 0]), _mean_sd(weights[weights < 0])
    path, reachable = shortest_paths(W, sample)
    nan = float("nan")
    return ConnectivityStatistics(
        neurons=n,
        synapses=synapses,
        density=synapses / (n * (n - 1)) if n > 1 else nan,
        in_degree_mean=into[0],
        in_degree_sd=into[1],
        out_degree_mean=out_of[0],
        out_degree_sd=out_of[1],
        reciprocity=float(graph.multiply(graph.T).sum()) / synapses if synapses else nan,
        clustering=clustering_coefficient(W),
        path_length=path,
        reachable=reachable,
        weight_e_mean=e[0],
        weight_e_sd=e[1],
        weight_i_mean=i[0],
        weight_i_sd=i[1],
        weight_i_fraction=float(np.mean(weights < 0)) if synapses else nan,
    )
