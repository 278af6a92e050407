"""Directed random graphs as boolean CSR matrices `graph[post, pre]`, without self-connections.

Pure functions of their arguments and a generator. They know nothing of excitation and
inhibition; the caller decides which neuron sits where.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hrsnn_brian.errors import InputError

IntArray = NDArray[np.int64]


def from_pairs(post: IntArray, pre: IntArray, n: int) -> sparse.csr_array:
    """The (n, n) boolean graph of the pairs pre -> post, sorted."""
    graph = sparse.csr_array((np.ones(len(post), dtype=bool), (post, pre)), shape=(n, n))
    graph.sort_indices()
    return graph


def _check_in_degree(K: int, available: int) -> None:
    if not 0 <= K <= available:
        raise InputError("K", K, f"must be 0..{available}, the neurons that can be a source")


def _choose(candidates: IntArray, k: int, rng: np.random.Generator) -> IntArray:
    return rng.choice(candidates, k, replace=False, shuffle=False)


def _per_neuron(n: int, sources_of: Callable[[int], IntArray]) -> sparse.csr_array:
    rows = [np.asarray(sources_of(post), dtype=np.int64) for post in range(n)]
    post = np.repeat(np.arange(n), [len(row) for row in rows])
    return from_pairs(post, np.concatenate(rows), n)


def fixed_indegree(
    n: int, K: int, rng: np.random.Generator, group: IntArray | None = None
) -> sparse.csr_array:
    """Every neuron receives from exactly K different others.

    group: (n,) class of each neuron, or None. Without it all sets of K sources are equally
    likely; with it each class gives its share of the K, rounded, as in Brunel (2000), which
    spares neurons the chance surplus of one class.
    """
    _check_in_degree(K, n - 1)
    classes = (
        np.zeros(n, dtype=np.int64) if group is None else np.unique(group, return_inverse=True)[1]
    )
    members = [np.flatnonzero(classes == k) for k in range(classes.max() + 1)]
    available = np.array([len(others) for others in members])

    def sources(post: int) -> IntArray:
        own = classes[post]
        count = _shares(K, available - (np.arange(len(members)) == own))
        drawn = [
            _choose(others[others != post] if k == own else others, count[k], rng)
            for k, others in enumerate(members)
        ]
        return np.concatenate(drawn)

    return _per_neuron(n, sources)


def _shares(K: int, available: IntArray) -> IntArray:
    """K cut in proportion to `available` by largest remainders; no share exceeds its part."""
    exact = K * available / max(available.sum(), 1)
    shares = np.floor(exact).astype(np.int64)
    left = K - shares.sum()
    shares[np.argsort(shares - exact, kind="stable")[:left]] += 1
    return shares


def erdos_renyi(n: int, K: float, rng: np.random.Generator) -> sparse.csr_array:
    """Every one of the n*(n-1) synapses exists independently with probability K/(n-1)."""
    if not 0 <= K <= max(n - 1, 0):
        raise InputError("K", K, f"must be 0..{n - 1}, the mean in-degree")

    def sources(post: int) -> IntArray:
        drawn = np.flatnonzero(rng.random(n - 1) * (n - 1) < K)
        return drawn + (drawn >= post)

    return _per_neuron(n, sources)


def small_world(n: int, K: int, rewire: float, rng: np.random.Generator) -> sparse.csr_array:
    """Directed Watts-Strogatz graph: a ring where synapses have had their sources drawn anew.

    Every neuron starts with its K nearest neighbours on the ring as sources (for odd K one more
    on the side of the lower indices). Each synapse is picked with probability `rewire`; the
    picked ones of a neuron get new, different sources among all that are not left as one.
    In-degrees stay K; rewire = 0 is the ring, rewire = 1 exactly `fixed_indegree`.
    """
    _check_in_degree(K, n - 1)
    if not 0 <= rewire <= 1:
        raise InputError("rewire", rewire, "must be in [0, 1]")
    offsets = np.concatenate([-np.arange(1, (K + 1) // 2 + 1), np.arange(1, K // 2 + 1)])

    def sources(post: int) -> IntArray:
        kept = (post + offsets[rng.random(K) >= rewire]) % n
        free = np.ones(n, dtype=bool)
        free[post] = False
        free[kept] = False
        drawn = _choose(np.flatnonzero(free), K - len(kept), rng)
        return np.concatenate([kept, drawn])

    return _per_neuron(n, sources)


def clustered(
    cluster: IntArray, K: int, within: float, rng: np.random.Generator
) -> sparse.csr_array:
    """Dense inside clusters, sparse between: in-degree K, round(within*K) from the own cluster.

    cluster: (n,) cluster number of each neuron. The other inputs come from all neurons outside.
    With a single cluster this is `fixed_indegree`. Raises InputError where a cluster is too
    small for the inputs asked of it.
    """
    n = len(cluster)
    if not 0 <= within <= 1:
        raise InputError("within", within, "must be in [0, 1]")
    if len(np.unique(cluster)) == 1:
        return fixed_indegree(n, K, rng)
    inner = round(within * K)
    smallest = int(np.unique(cluster, return_counts=True)[1].min())
    largest = int(np.unique(cluster, return_counts=True)[1].max())
    if inner > smallest - 1 or K - inner > n - largest:
        allowed = f"too many for clusters of {smallest}..{largest} neurons with within = {within:g}"
        raise InputError("K", K, allowed)

    def sources(post: int) -> IntArray:
        own = cluster == cluster[post]
        outside = np.flatnonzero(~own)
        own[post] = False
        inside, between = np.flatnonzero(own), K - inner
        return np.concatenate([_choose(inside, inner, rng), _choose(outside, between, rng)])

    return _per_neuron(n, sources)
