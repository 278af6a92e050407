"""Importance of each synapse, one value per entry of the CSR matrix `W[post, pre]`.

Only the ratios of the values matter to the sampling. Nothing here is larger than the number of
synapses: the covariance is read at the edges only.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name

Floats = NDArray[np.float64]

LEAST_RATE = 0.1  # Hz

FACTORS = {
    "difference": "C_ii + C_jj - 2 sgn(w_ij) C_ij",
    "sum": "C_ii + C_jj",
}


def uniform(W: Any) -> Floats:
    """q_ij = 1: every synapse counts the same."""
    return np.ones(W.nnz)


def magnitude(W: Any) -> Floats:
    """q_ij = |w_ij|."""
    return np.abs(W.data)


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
    C = _covariance(C, W.shape[0])
    post = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    variance = np.diag(C)
    F = variance[post] + variance[W.indices]
    if factor == "difference":
        F -= 2.0 * np.sign(W.data) * C[post, W.indices]
    return np.maximum(F, 0.0)


def noise(W: Any, C: Floats, strength: Floats | None = None, factor: str = "difference") -> Floats:
    """q_ij = s_ij F_ij, diagonal entries excluded (q = 0). [paper: LNP step 1]

    strength: (nnz,), s_ij >= 0; default |w_ij| (Moore & Chaudhuri 2020), the Lyapunov edge
    weights for LNP. factor: see `covariance_factor`, which also says what is refused.

    Raises InputError if `strength` has another length than W has synapses.
    """
    s = magnitude(W) if strength is None else np.asarray(strength, dtype=float)
    if s.shape != (W.nnz,):
        raise InputError("strength", s.shape, f"must be ({W.nnz},), one value per synapse")
    q = s * covariance_factor(W, C, factor)
    post = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    q[post == W.indices] = 0.0
    return q


def per_operation(W: Any, q: Floats, rates: Floats, price: float) -> Floats:
    """q_ij / r_j^price: importance for what a synapse costs, an operation per spike of its source.

    q: (nnz,); rates: (N,), Hz, of the neurons, taken as at least 0.1 Hz, so that a source that
    hardly fires is not free. price: 0 looks at importance alone, 1 at importance per operation.
    [our choice]
    """
    return np.asarray(q / np.maximum(rates[W.indices], LEAST_RATE) ** price)


def _covariance(C: Floats, n: int) -> Floats:
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
