"""Many ridge penalties from one symmetric matrix: a reduction to a band serves them all.

With Q the product of Householder reflections and B a band of width b, A = Q B Q' costs 4/3 p^3
operations, all of them products of matrices (Bischof, Lang and Sun 2000). Then every penalty is
one banded Cholesky factor of B + c I, p b^2 operations: (A + c I)^-1 y = Q (B + c I)^-1 Q' y. An
eigendecomposition costs several times as much, for a matrix of eigenvectors nobody asks for.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import blas, lapack

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.moments import Floats

# The widest panel still pays: products of matrices reach their pace here, the band stays cheap.
WIDTH = 96
# A reduction costs about as much as this many Cholesky factors (measured, p = 1000 to 3000).
FACTORS = 5


def solve_penalised(matrix: Floats, right: Floats, penalties: Sequence[float]) -> Floats:
    """(matrix + c I)^-1 right for every penalty c, (p, penalties, m). `matrix` is destroyed.

    matrix: (p, p), symmetric and not negative, in columns (order "F"), of which the lower triangle
    is read; right: (p, m). Beside it memory is that of the solutions, or one copy of `matrix`.

    Raises InputError if a penalty drowns in the rounding of `matrix`.
    """
    solutions = np.empty((len(right), len(penalties), right.shape[1]))
    if len(penalties) < FACTORS:
        for k, penalty in enumerate(penalties):
            factor = matrix if k == len(penalties) - 1 else matrix.copy(order="F")
            factor[np.diag_indices_from(factor)] += penalty
            factor, info = lapack.dpotrf(factor, lower=1, clean=0, overwrite_a=1)
            _check(info, penalty)
            solutions[:, k] = lapack.dpotrs(factor, right, lower=1)[0]
        return solutions
    band, reflections = _to_band(matrix, max(1, min(WIDTH, len(matrix) - 1)))
    rotated = right.copy()
    for v, t in reflections:
        rotated[-len(v) :] -= v @ (t.T @ (v.T @ rotated[-len(v) :]))
    for k, penalty in enumerate(penalties):
        factor = band.copy(order="F")
        factor[0] += penalty
        factor, info = lapack.dpbtrf(factor, lower=1, overwrite_ab=1)
        _check(info, penalty)
        solutions[:, k] = lapack.dpbtrs(factor, rotated, lower=1)[0]
    together = solutions.reshape(len(right), -1)  # a view: V is read once for all penalties
    for v, t in reversed(reflections):
        part = together[-len(v) :]
        u = t @ (v.T @ part)
        blas.dgemm(-1.0, u.T, v, trans_b=1, beta=1.0, c=part.T, overwrite_c=1)  # part -= v @ u
    return solutions


def _to_band(matrix: Floats, width: int) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    """B in LAPACK's lower band storage (width + 1, p), and the blocks V, T of Q = prod I - V T V'.

    A block works on the last len(V) coordinates.
    """
    p = len(matrix)
    # What is left of the matrix moves to the front of its memory, V into the place it leaves.
    memory, end = matrix.ravel(order="K"), matrix.size
    band = np.zeros((width + 1, p), order="F")
    reflections = []
    rest = matrix
    for start in range(0, p, width):
        w = min(width, p - start)
        i, j = np.tril_indices(w)
        band[i - j, start + j] = rest[i, j]
        if w == len(rest):
            break
        v, t, r = _householder(rest[w:, :w])
        i, j = np.triu_indices(len(r), m=w)
        band[w + i - j, start + j] = r[i, j]
        rest = to_front(rest[w:, w:], memory)
        end -= v.size
        kept = memory[end : end + v.size].reshape(v.shape, order="F")
        kept[:] = v
        reflections.append((kept, t))
        # Q'AQ = A - V U' - U V' with U = (A V T) - V (T' V' A V T) / 2
        u = blas.dsymm(1.0, rest, np.asfortranarray(v @ t), lower=1)
        u -= v @ (0.5 * (t.T @ (v.T @ u)))
        rest = blas.dsyr2k(-1.0, v, u, beta=1.0, c=rest, lower=1, overwrite_c=1)
    return band, reflections


def _householder(panel: Floats) -> tuple[Floats, Floats, Floats]:
    """V (rows, k), T (k, k) and R (k, columns) of panel = (I - V T V') [R; 0]."""
    packed, tau, _, _ = lapack.dgeqrf(np.array(panel, order="F"), lwork=64 * panel.shape[1])
    k = len(tau)
    v = np.asfortranarray(np.tril(packed[:, :k], -1))
    v[np.arange(k), np.arange(k)] = 1.0
    products, t = v.T @ v, np.zeros((k, k))
    for j in range(k):
        t[:j, j] = -tau[j] * (t[:j, :j] @ products[:j, j])
        t[j, j] = tau[j]
    return v, t, packed[:k]


def to_front(part: Floats, memory: Floats) -> Floats:
    """The lower triangle of a square part of the matrix in `memory`, as a matrix at its front."""
    m = len(part)
    moved = memory[: m * m].reshape((m, m), order="F")
    for j in range(0, m, WIDTH):  # from the front: no column is overwritten before it is moved
        moved[j:, j : j + WIDTH] = part[j:, j : j + WIDTH]
    return moved


def _check(info: int, penalty: float) -> None:
    if info:
        raise InputError("penalty", penalty, "drowns in the rounding of the features' moments")
