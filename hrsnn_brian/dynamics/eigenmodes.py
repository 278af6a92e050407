"""Eigenmodes of the linearised network x' = A x: spectral abscissa and localisation.

A = -D + gain D W with D = diag(1/tau_m), 1/s, the operator of `dynamics.covariance`:
a recurrent input enters the membrane equation through 1/tau_m. [review: A = -D + W; our choice:
the gain, the effect of a unit of presynaptic state]
"""

import warnings
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import ArpackError, eigs

from hrsnn_brian.errors import InputError

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

# Below this size a dense decomposition is as fast as Arnoldi's.
DENSE = 200
# Leading modes are ranked by real part; these digits decide which of them a network has.
_TOLERANCE = 1e-10
_RESTARTS = 150


def linearised(W: Any, tau_m: Floats, gain: float | Floats = 1.0) -> sparse.csr_array:
    """A = -D + D W diag(gain), CSR (N, N), 1/s.

    W: sparse (N, N) `W[post, pre]`; tau_m: (N,), s; gain: one number or (N,), one per presynaptic
    neuron. Raises InputError if shapes do not fit or tau_m or gain cannot be used.
    """
    tau, g = np.asarray(tau_m, dtype=float), np.asarray(gain, dtype=float)
    if W.shape != (tau.size, tau.size):
        raise InputError("W", W.shape, f"must be ({tau.size}, {tau.size}), as tau_m says")
    if not (np.isfinite(tau) & (tau > 0)).all():
        raise InputError("tau_m", float(tau.min()), "must be finite and > 0 s")
    if g.shape not in ((), tau.shape) or not np.isfinite(g).all():
        raise InputError("gain", g.shape, f"must be one finite number or {tau.size} of them")
    rate = sparse.diags_array(1 / tau)
    scaled = sparse.csr_array(W) @ sparse.diags_array(np.broadcast_to(g, tau.shape))
    return sparse.csr_array(rate @ scaled - rate)


def leading_modes(A: Any, k: int | None = None) -> tuple[Complexes, Complexes]:
    """The k eigenvalues of largest real part, descending (k,), and their eigenvectors (N, k).

    A: sparse or dense (N, N); vectors are unit columns. Of a conjugate pair the one of positive
    imaginary part comes first; if only half a pair is among the first k, it is that one. k = None
    gives all. Up to N = 200, or for k near N, a dense decomposition (2 s for N = 1000), else
    Arnoldi's iteration from a fixed start vector; it falls back to the dense one where it fails.

    Raises InputError unless A is square and finite and k >= 1.
    """
    n = A.shape[0]
    values_of_A = A.data if sparse.issparse(A) else np.asarray(A)
    if A.shape != (n, n) or n == 0 or not np.isfinite(values_of_A).all():
        raise InputError("A", A.shape, "must be square and finite")
    if k is not None and k < 1:
        raise InputError("k", k, "must be at least 1")
    k = n if k is None else min(k, n)
    modes = None if n <= DENSE or 4 * k > n else _arnoldi(A, k)
    if modes is None:
        dense = A.toarray() if sparse.issparse(A) else np.asarray(A, dtype=float)
        modes = scipy.linalg.eig(dense, check_finite=False)
    values, vectors = (np.asarray(part, dtype=complex) for part in modes)
    order = np.lexsort((-values.imag, -np.round(values.real / _scale(values), 10)))[:k]
    vectors = vectors[:, order]
    return values[order], vectors / np.linalg.norm(vectors, axis=0)


def _scale(values: Complexes) -> float:
    """A size against which real parts are rounded, so that conjugates tie."""
    return float(np.abs(values).max()) or 1.0


def _arnoldi(A: Any, k: int) -> tuple[Complexes, Complexes] | None:
    """The leading modes by ARPACK, retried in a larger subspace; None if it does not converge."""
    n = A.shape[0]
    start = np.random.default_rng(n).standard_normal(n)
    wanted = k + 2  # so that no conjugate pair is cut in two
    for subspace in (4 * wanted + 20, 10 * wanted + 50):
        try:
            found: tuple[Complexes, Complexes] = eigs(
                A,
                wanted,
                which="LR",
                v0=start,
                ncv=min(n - 1, subspace),
                maxiter=_RESTARTS,
                tol=_TOLERANCE,
            )
        except ArpackError:
            continue
        return found
    return None


def participation_ratio(vectors: NDArray[Any]) -> Floats:
    """P = (sum_i |x_i|^2)^2 / sum_i |x_i|^4 of each column of (N, k), shape (k,).

    The number of neurons a mode lives on: 1 if it sits on one, N if it is spread evenly, N/3
    on average for a real Gaussian direction. For unit vectors it is 1 / sum |x_i|^4. A vector
    of zeros has NaN. A single vector (N,) is taken as one column.
    """
    x = np.abs(np.asarray(vectors))
    x = x.reshape(len(x), -1)
    with np.errstate(invalid="ignore"):
        power = (x / x.max(axis=0)) ** 2
        return np.asarray(power.sum(axis=0) ** 2 / (power**2).sum(axis=0), dtype=float)


def participation_gradient(A: Any, values: NDArray[Any], vectors: NDArray[Any]) -> Floats:
    """Derivative (N, N) of the mean participation ratio of given modes by every entry of A.

    values: (k,), vectors: (N, k), eigenpairs of A (N, N). For one mode x, with S the reduced
    resolvent of A at its eigenvalue, dx = S dA x (up to a multiple of x, which P ignores), and

        dP / dA_ij = Re[(c' S)_i x_j],  c = 4 conj(x) (1 - |x|^2 P) P  for |x| = 1.

    z = S'c solves (lambda - A)' z = c with x'z = 0, bordered so that it is regular. One dense
    complex solve per mode, a conjugate pair counting once. A mode that belongs to a multiple
    eigenvalue has no derivative and counts as zero.
    """
    dense = A.toarray() if sparse.issparse(A) else np.asarray(A, dtype=float)
    n, k = vectors.shape
    total = np.zeros((n, n))
    for value, x in zip(values, vectors.T, strict=True):
        if value.imag < 0 and np.isclose(values, value.conjugate(), rtol=1e-9).any():
            continue
        pair = value.imag > 0 and np.isclose(values, value.conjugate(), rtol=1e-9).any()
        z = _adjoint(dense, value, x)
        total += (2 if pair else 1) * np.outer(z, x).real
    return total / k


def _adjoint(dense: Floats, value: complex, x: NDArray[Any]) -> NDArray[Any]:
    """z of `participation_gradient` for a mode (value, x), zero where it is not defined."""
    n = len(x)
    if value.imag == 0 and not x.imag.any():
        value, x = value.real, x.real
    power = np.abs(x) ** 2
    ratio = 1 / np.sum(power**2)
    bordered = np.zeros((n + 1, n + 1), dtype=x.dtype)
    bordered[:n, :n] = -dense.T
    bordered[np.arange(n), np.arange(n)] += value
    bordered[:n, n], bordered[n, :n] = x.conj(), x
    c = np.append(4 * x.conj() * (1 - power * ratio) * ratio, 0)
    try:
        with warnings.catch_warnings():  # ill-conditioned: as good as a multiple eigenvalue
            warnings.simplefilter("error", scipy.linalg.LinAlgWarning)
            z = scipy.linalg.solve(bordered, c, overwrite_a=True, check_finite=False)[:n]
    except (np.linalg.LinAlgError, scipy.linalg.LinAlgWarning):
        return np.zeros(n)
    return z if np.isfinite(z).all() else np.zeros(n)
