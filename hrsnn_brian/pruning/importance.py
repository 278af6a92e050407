"""Importance of each synapse, one value per entry of the CSR matrix `W[post, pre]`.

Only the ratios of the values matter to the sampling. Nothing here is larger than the number of
synapses: the covariance is read at the edges only.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_RATE = 0.1  # Hz

FACTORS = {
    "difference": "C_ii + C_jj - 2 sgn(w_ij) C_ij",
    "sum": "C_ii + C_jj",
}


def covariance_factor(W: Any, C: Floats, factor: str = "difference") -> Floats:
    """F_ij at the edges: the part of the noise score that depends on the covariance.

    C: (N, N), covariance of the filtered rates. "difference" is
    C_ii + C_jj - 2 sgn(w_ij) C_ij, the variance of x_i - sgn(w_ij) x_j [paper: Moore &
    Chaudhuri 2020]; "sum" leaves the cross term out [our choice: as good in prototypes].
    Round-off below zero is cut to zero. A neuron without variance contributes nothing.

    Raises InputError if C does not fit W, is not finite, has a negative variance or is zero
    everywhere (a silent network), or if `factor` is unknown.
    """
    if factor not in FACTORS:
        raise unknown_name("factor", factor, FACTORS)
    C = checked_covariance(C, W.shape[0])
    post = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    variance = np.diag(C)
    F = variance[post] + variance[W.indices]
    if factor == "difference":
        F -= 2.0 * np.sign(W.data) * C[post, W.indices]
    return np.maximum(F, 0.0)


def per_operation(W: Any, q: Floats, rates: Floats, price: float) -> Floats:
    """q_ij / r_j^price: importance for what a synapse costs, an operation per spike of its source.

    q: (nnz,); rates: (N,), Hz, of the neurons, taken as at least 0.1 Hz, so that a source that
    hardly fires is not free. price: 0 looks at importance alone, 1 at importance per operation.
    [our choice]
    """
    return np.asarray(q / np.maximum(rates[W.indices], LEAST_RATE) ** price)


def readout_importance(W: Any, readout_weight: Floats) -> Floats:
    """q_ij = |w_ij| r_i, r_i the size of the trained readout's weights on neuron i. [our choice]

    W: CSR (N, N) `W[post, pre]`; readout_weight: (N,), >= 0. A synapse counts for as much as the
    readout uses the neuron it acts on.
    """
    return np.abs(W.data) * np.repeat(readout_weight, np.diff(W.indptr))


def within_class(q: Floats, excitatory: Mask, selection: str, rng: np.random.Generator) -> Floats:
    """Importances that make synapses compete within E and I only, so that both keep their share.

    q: (m,) importances; excitatory: (m,) class of each synapse. For selection "top" the importance
    becomes the rank within the class over the class's size (ties ranked by lot): the largest of
    all are then the same fraction of both, to one synapse. For sampling, importances are divided
    by their class mean, which gives each class its share on average, unless some are certain to
    stay (p = 1). [our choice: the share of inhibition is a confound of magnitude pruning]
    """
    q = np.asarray(q, dtype=float)
    out = np.zeros(q.size)
    for members in (np.flatnonzero(excitatory), np.flatnonzero(~excitatory)):
        values = q[members]
        if selection == "top":
            order = np.lexsort((rng.random(values.size), values))
            out[members[order]] = (np.arange(values.size) + 0.5) / max(values.size, 1)
        elif values.any():
            out[members] = values / values.mean()
    return out


def within_neuron(q: Floats, W: Any, rng: np.random.Generator) -> Floats:
    """Importances that make every neuron keep the same share of its inputs, those of largest q.

    q: (m,) importances of the synapses of CSR W (N, N). Each becomes its rank among the inputs of
    its neuron over their number, so that the largest of all are, to one synapse, the same fraction
    of each neuron's inputs; ties, and who keeps the odd one, are decided by lot. [our choice]
    """
    number = np.diff(W.indptr)
    post = np.repeat(np.arange(W.shape[0]), number)
    order = np.lexsort((rng.random(W.nnz), q, post))
    rank = np.empty(W.nnz)
    rank[order] = np.arange(W.nnz) - np.repeat(W.indptr[:-1], number)
    share = (rank + 0.5) / number[post]
    return np.asarray(share + 1e-9 * rng.random(W.nnz))


def shuffled_covariance(
    C: Floats, rng: np.random.Generator, groups: NDArray[Any] | None = None
) -> Floats:
    """C (N, N) with the neurons' names exchanged at random: P C P', the spectrum is C's own.

    groups: (N,) labels; neurons then exchange names with those of their own label only.
    """
    order = np.arange(C.shape[0])
    labels = np.zeros_like(order) if groups is None else np.asarray(groups)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order[members] = rng.permutation(members)
    return np.ascontiguousarray(C[np.ix_(order, order)])


def checked_covariance(C: Floats, n: int) -> Floats:
    """C (n, n). Raises InputError, as `covariance_factor` says, if it is none of n neurons."""
    C = np.asarray(C, dtype=float)
    if C.shape != (n, n):
        raise InputError("covariance", C.shape, f"must be ({n}, {n}), one row per neuron")
    if not np.isfinite(C).all():
        raise InputError("covariance", float("nan"), "must be finite everywhere")
    variance = np.diag(C)
    if (variance < 0).any():
        at = int(np.argmin(variance))
        raise InputError("covariance", float(variance[at]), f"has a variance < 0 (neuron {at})")
    if not variance.any():
        raise InputError(
            "covariance", 0.0, "is zero everywhere: no neuron responds, raise the drive or the bias"
        )
    return C
