"""Weighted, directed betweenness centrality of neurons, with every tied shortest path counted.

b(v) = sum over ordered pairs s != v != t of n_st(v) / n_st, where n_st is the number of shortest
directed paths from s to t and n_st(v) that of those that pass through v (Freeman 1977). Paths run
as spikes do, from pre to post; pairs that are not joined contribute nothing; not normalised.

The core is scipy's Dijkstra followed by the accumulation of Brandes (2001, J. Math. Sociol. 25,
163), for many sources at once; igraph, when installed, gives the same, faster on sparse graphs.
Large graphs can do with paths from some of the neurons, the pivots of Brandes & Pich (2007, Int. J.
Bifurcation Chaos 17, 2303): their sum times N over their number is an unbiased estimate.
"""

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from hrsnn_brian.errors import InputError, unknown_name

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

DISTANCES = {
    "inverse": "1 / strength: the stronger a synapse, the shorter (distance of LNP [review])",
    "class": "1 / strength, strengths first divided by the mean of the sender's class, E or I",
    "hops": "1: every synapse counts the same",
}
BACKENDS = ("auto", "scipy", "igraph")

# Two paths tie if their lengths agree to this part of their sum, as in igraph.
TIE = 1e-10
# Strengths below this part of the largest are taken as this part. A path of weaker synapses would
# be so long that the short ones vanish in its rounding error.
WEAKEST = 1e-9
_CHUNK_CELLS = 1_000_000


def edge_distances(W: Any, strength: Floats | None = None, kind: str = "inverse") -> Floats:
    """Length (nnz,) of every synapse of CSR `W[post, pre]`, in the order of `W.data`.

    strength: (nnz,) edge weights >= 0, default |w|; for LNP those of the Lyapunov exponents.
    A strength of 0 is no connection: length infinity. kind: see `DISTANCES`. "class" [our
    choice] takes the sign of a synapse as its class; without it inhibitory synapses, |g| times
    stronger, are shorter, and inhibitory neurons are central for that alone.

    Raises InputError for an unknown kind and strengths that are negative, not finite or of another
    number than the synapses.
    """
    if kind not in DISTANCES:
        raise unknown_name("distance", kind, DISTANCES)
    s = np.abs(W.data) if strength is None else np.asarray(strength, dtype=float)
    if s.shape != (W.nnz,):
        raise InputError("strength", s.shape, f"must be ({W.nnz},), one value per synapse")
    if not np.isfinite(s).all() or (s < 0).any():
        raise InputError("strength", float(s.min()), "must be finite and >= 0 everywhere")
    if kind == "hops":
        return np.where(s > 0, 1.0, np.inf)
    if kind == "class":
        s = s.copy()
        for members in (W.data > 0, W.data < 0):
            if s[members].any():
                s[members] /= s[members].mean()
    if not s.any():
        return np.full(s.shape, np.inf)
    with np.errstate(divide="ignore"):
        return np.where(s > 0, 1.0 / np.maximum(s, WEAKEST * s.max()), np.inf)


def betweenness(
    W: Any,
    strength: Floats | None = None,
    distance: str = "inverse",
    backend: str = "auto",
    pivots: Indices | None = None,
) -> Floats:
    """Betweenness centrality (N,) of the neurons of CSR `W[post, pre]`, formula above.

    strength, distance: see `edge_distances`. backend: "scipy", "igraph", or "auto" for igraph
    where it is installed. pivots: neurons, each once, that paths start from; with those drawn at
    random the result is an estimate. Default all. Time goes as pivots times nnz: about 1 s for
    1000 with 1e5 synapses.

    Raises InputError as `edge_distances` does, for a W that is not square, pivots that are not
    different neurons, and if igraph is asked for but not installed.
    """
    if W.shape[0] != W.shape[1]:
        raise InputError("W", W.shape, "must be square")
    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS)
    installed = find_spec("igraph") is not None
    if backend == "igraph" and not installed:
        raise InputError("backend", backend, "is not installed: pip install 'hrsnn-brian[graph]'")
    sources = _sources(W.shape[0], pivots)
    lengths = edge_distances(W, strength, distance)
    post = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    real = np.isfinite(lengths) & (post != W.indices)
    edges = (W.indices[real].astype(np.int64), post[real], lengths[real])
    if not len(edges[2]):
        return np.zeros(W.shape[0])
    edges = _contenders(W.shape[0], *edges)
    use_igraph = backend == "igraph" or (backend == "auto" and installed)
    total = (_by_igraph if use_igraph else _by_scipy)(W.shape[0], sources, *edges)
    return total if pivots is None else total * (W.shape[0] / sources.size)


def _sources(n: int, pivots: Indices | None) -> Indices:
    if pivots is None:
        return np.arange(n)
    chosen = np.unique(pivots)
    if not chosen.size or chosen.size != np.size(pivots) or chosen[0] < 0 or chosen[-1] >= n:
        raise InputError("pivots", f"{np.size(pivots)} numbers", f"must differ, in 0 .. {n - 1}")
    return chosen


def _by_igraph(
    n: int, sources: Indices, source: Indices, target: Indices, length: Floats
) -> Floats:
    import igraph

    graph = igraph.Graph(n=n, edges=np.column_stack((source, target)), directed=True)
    some = {} if sources.size == n else {"sources": sources.tolist()}
    return np.array(graph.betweenness(directed=True, weights=length.tolist(), **some))


def _by_scipy(n: int, sources: Indices, source: Indices, target: Indices, length: Floats) -> Floats:
    graph = sparse.csr_array((length, (source, target)), shape=(n, n))
    total = np.zeros(n)
    for some in _chunks(sources, max(n, len(length))):
        away = csgraph.dijkstra(graph, indices=some)
        total += _dependencies(some, away, source, target, length)
    return total


def _chunks(sources: Indices, width: int) -> list[Indices]:
    """The sources in runs whose (sources, width) arrays fit into memory."""
    rows = max(1, _CHUNK_CELLS // width)
    return [sources[start : start + rows] for start in range(0, sources.size, rows)]


def _contenders(
    n: int, source: Indices, target: Indices, length: Floats
) -> tuple[Indices, Indices, Floats]:
    """The edges without those that a detour over short edges undercuts.

    Such an edge lies on no shortest path. Detours are sought in the graph of each neuron's
    shortest few outgoing edges, which in a dense network takes a fraction of the time.
    """
    order = np.lexsort((length, source))
    source, target, length = source[order], target[order], length[order]
    first = np.searchsorted(source, np.arange(n + 1))
    few = np.arange(len(source)) - first[source] < 2 * math.ceil(math.log2(n))
    graph = sparse.csr_array((length[few], (source[few], target[few])), shape=(n, n))
    keep = np.empty(len(length), dtype=bool)
    for sources in _chunks(np.arange(n), n):
        low, high = first[sources[0]], first[sources[-1] + 1]
        away = csgraph.dijkstra(graph, indices=sources)
        detour = away[source[low:high] - sources[0], target[low:high]]
        keep[low:high] = length[low:high] <= detour * (1 + 2 * TIE)
    return source[keep], target[keep], length[keep]


def _dependencies(
    sources: Indices,
    away: Floats,
    source: Indices,
    target: Indices,
    length: Floats,
) -> Floats:
    """Sum over the sources s of delta_s(v) = sum over t of n_st(v) / n_st, shape (N,).

    away: (sources, N) distances. With T the adjacency of the shortest-path graph of one source,
    path counts are n = e_s + T n, and with x = (1 + delta) / n Brandes' recursion reads
    x = 1/n + T' x. T is nilpotent: both sums end after as many terms as the longest path has edges.
    """
    rows, n = away.shape
    by_neuron = np.ascontiguousarray(away.T)
    bound = np.where(np.isfinite(by_neuron), by_neuron * ((1 + TIE) / (1 - TIE)), -1.0)
    through = by_neuron[source]
    through += length[:, None]
    edge, row = np.nonzero(through <= bound[target])
    onward = away[row, source[edge]] < away[row, target[edge]]
    edge, row = edge[onward], row[onward]
    start, end = row * n + source[edge], row * n + target[edge]
    T = sparse.csr_array((np.ones(len(row)), (end, start)), shape=(rows * n, rows * n))
    root = np.zeros(rows * n)
    root[np.arange(rows) * n + sources] = 1.0
    paths = _nilpotent_sum(T, root)
    reached = paths > 0
    inverse = np.divide(1.0, paths, out=np.zeros_like(paths), where=reached)
    delta = np.where(reached, paths * _nilpotent_sum(T.T.tocsr(), inverse) - 1.0, 0.0)
    delta[root > 0] = 0.0
    return delta.reshape(rows, n).sum(axis=0)


def _nilpotent_sum(T: sparse.csr_array, start: Floats) -> Floats:
    """start + T start + T^2 start + ... of a nilpotent T."""
    total, term = start.copy(), start
    while (term := T @ term).any():
        total += term
    return total
