"""Edge exponents: per-neuron finite-time exponents combined over the neurons around an edge.

The paper takes the harmonic mean over neighbouring nodes [paper: Chakraborty et al. 2024]. Of
signed exponents it is unsound; here it is taken of the growth factors exp(l_k T), which are
positive [our choice].
"""

import math

import numpy as np
from scipy import sparse

from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.errors import InputError, unknown_name

NEIGHBOURHOODS = ("endpoints", "union")


def edge_exponents(
    W: sparse.csr_array, node_exponents: FloatArray, T: float, neighbourhood: str = "endpoints"
) -> FloatArray:
    """Exponent of every synapse, 1/s, in the CSR order of `W` (N, N), `W[post, pre]`.

    L_ij = ln[n / sum_k exp(-l_k T)]/T over the n neurons k of the chosen set, so that exp(L_ij T)
    is the harmonic mean of their growth factors: between the smallest and the arithmetic mean of
    the l_k, damped towards the smaller. The set is the two neurons ("endpoints"), or the two with
    all that send to them or receive from them ("union"), where an edge keeps little identity in
    a dense graph. node_exponents: l (N,), 1/s; T: the time they were measured over, seconds. An
    edge whose set holds a NaN is NaN.

    Raises InputError for shapes that do not match, T <= 0 or an unknown neighbourhood.
    """
    exponents = _checked(W, node_exponents, neighbourhood)
    if not (math.isfinite(T) and T > 0):
        raise InputError("T", T, "must be a positive time in seconds")
    # relative to the smallest exponent no inverse growth factor exceeds 1: nothing overflows
    smallest = np.nanmin(exponents, initial=np.inf)
    floor = smallest if np.isfinite(smallest) else 0.0
    mean = _neighbourhood_mean(W, np.exp(-(exponents - floor) * T), neighbourhood)
    return floor - np.log(mean) / T


def edge_weights(exponents: FloatArray, T: float) -> FloatArray:
    """Edge weights a_ij = exp(L_ij T) > 0, the harmonic mean of the growth factors itself."""
    return np.exp(np.asarray(exponents, dtype=float) * T)


def signed_harmonic_mean(
    W: sparse.csr_array, node_exponents: FloatArray, neighbourhood: str = "endpoints"
) -> FloatArray:
    """n / sum_k 1/l_k per synapse: UNSOUND, here only for the study that shows why.

    For exponents of both signs it is not a mean: it lies outside their range, has a pole where
    1/l_k cancel and often the wrong sign. An exponent of zero gives zero, as the limit does.
    Arguments, order and errors as for `edge_exponents`.
    """
    exponents = _checked(W, node_exponents, neighbourhood)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 / _neighbourhood_mean(W, 1.0 / exponents, neighbourhood))


def _neighbourhood_mean(W: sparse.csr_array, values: FloatArray, neighbourhood: str) -> FloatArray:
    """Mean of the neurons' `values` over each synapse's set, (nnz,)."""
    post = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    pre = W.indices
    if neighbourhood == "endpoints":
        return 0.5 * (values[post] + values[pre])
    closed = _closed_neighbourhoods(W)
    # |A or B| = |A| + |B| - |A and B|, for counts and for sums alike
    sizes = _union_sum(closed, np.ones_like(values), post, pre)
    return _union_sum(closed, values, post, pre) / sizes


def _closed_neighbourhoods(W: sparse.csr_array) -> sparse.csr_array:
    """(N, N) of ones: row i marks neuron i and all its pre- and postsynaptic partners."""
    pattern = sparse.csr_array((np.ones(W.nnz), W.indices, W.indptr), shape=W.shape)
    closed = (pattern + pattern.T + sparse.eye_array(W.shape[0])).tocsr()
    closed.data[:] = 1.0
    return closed


def _union_sum(
    closed: sparse.csr_array, values: FloatArray, post: np.ndarray, pre: np.ndarray
) -> FloatArray:
    totals = closed @ values
    shared = ((closed * values[None, :]) @ closed.T).tocsr()
    both = np.asarray(shared[post, pre]).ravel()
    return np.asarray(totals[post] + totals[pre] - both)


def _checked(W: sparse.csr_array, node_exponents: FloatArray, neighbourhood: str) -> FloatArray:
    exponents = np.asarray(node_exponents, dtype=float)
    if neighbourhood not in NEIGHBOURHOODS:
        raise unknown_name("neighbourhood", neighbourhood, NEIGHBOURHOODS)
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise InputError("W", W.shape, "must be square")
    if exponents.shape != (W.shape[0],):
        raise InputError("node_exponents", exponents.shape, f"must have shape ({W.shape[0]},)")
    return exponents
