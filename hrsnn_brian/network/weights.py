"""Signed weights on a graph, with Dale's law, and their scaling to a spectral radius."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.distributions import Constant, Distribution, Gamma, Lognormal
from hrsnn_brian.network.parameters import WeightParams


def magnitude_distribution(params: WeightParams) -> Distribution:
    """The law of X, of mean 1: weights are J/sqrt(K)*X or -g*J/sqrt(K)*X."""
    if params.family == "constant":
        return Constant(1.0)
    if params.family == "lognormal":
        return Lognormal(mean=1.0, cv=params.cv)
    return Gamma.from_cv(mean=1.0, cv=params.cv)


def draw_weights(
    graph: sparse.csr_array,
    is_e: NDArray[np.bool_],
    params: WeightParams,
    rng: np.random.Generator,
    in_degree: float | None = None,
) -> sparse.csr_array:
    """Weights on the edges of `graph`: CSR (N, N) float64, `W[post, pre]`, Dale's law kept.

    graph: boolean CSR (N, N) `graph[post, pre]`; is_e: (N,), excitatory neurons; in_degree: the K
    that weights are scaled by, 1/sqrt(K), the graph's mean in-degree if left out. With J = 0 the
    result has no synapse; with g = 0, none from inhibitory neurons. One draw is made per edge, in
    CSR order, whatever J and g are, so networks of one seed that differ in J or g are scaled
    copies. Raises InputError if the wanted spectral radius cannot be reached.
    """
    n = graph.shape[0]
    K = graph.nnz / n if in_degree is None else in_degree
    size = magnitude_distribution(params).sample(rng, graph.nnz)
    scale = params.J / math.sqrt(K) if K else 0.0
    signed = np.where(is_e[graph.indices], size, -params.g * size) * scale
    weights = sparse.csr_array((signed, graph.indices.copy(), graph.indptr.copy()), shape=(n, n))
    weights.eliminate_zeros()
    if params.spectral_radius is not None:
        weights = scale_to_spectral_radius(weights, params.spectral_radius)
    return weights


def spectral_radius(W: sparse.csr_array) -> float:
    """Spectral radius max|mu - 1| of A = -1 + W over the eigenvalues mu of W.

    A is -D + W of the linearised network with time in units of each neuron's tau_m and unit
    gain, hence D = 1 [our choice: the source leaves the units of A open]. W = 0 gives 1.
    """
    return float(np.abs(np.linalg.eigvals(W.toarray()) - 1).max())


def scale_to_spectral_radius(
    W: sparse.csr_array, wanted: float, argument: str = "weights.spectral_radius"
) -> sparse.csr_array:
    """s*W with the s > 0 that gives -1 + s*W the spectral radius `wanted` > 1.

    |s*mu - 1| = R is quadratic in s for every eigenvalue mu; the smallest positive root is s. It
    is unique: W has a zero diagonal, so its eigenvalues sum to 0, the radius is never below 1
    and, being convex in s, grows with s. Costs one dense eigenvalue problem, O(N^3). Raises
    InputError for wanted <= 1 or a W without loops, whose eigenvalues are all 0.
    """
    mu = np.linalg.eigvals(W.toarray())
    size = np.abs(mu)
    if not wanted > 1:
        raise InputError(argument, wanted, "must be > 1, the radius of the leak")
    # eigenvalues of a nilpotent matrix come out as eps^(1/N), far above rounding: test the graph
    if _has_no_loop(W):
        raise InputError(argument, wanted, "this graph has no loops to scale")
    mu, size = mu[size > 0], size[size > 0]
    roots = (mu.real + np.sqrt(mu.real**2 + size**2 * (wanted**2 - 1))) / size**2
    return W * float(roots.min())


def _has_no_loop(W: sparse.csr_array) -> bool:
    count, _ = sparse.csgraph.connected_components(W, directed=True, connection="strong")
    return bool(count == W.shape[0])
