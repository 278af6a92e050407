"""Ridge where features outnumber rows: the dual form, in matrices of rows by rows.

With K = X X' the kernel of the n standardised rows, w = X' a with a = (K + c I)^-1 y: the same
coefficients as (X'X + c I)^-1 X'y, from n^2 p + n^3 operations instead of n p^2 + p^3. The kernel
of several blocks is the sum of theirs, so that what is added to a selection is all that costs.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from hrsnn_brian.readout.held_out import HeldErrors, Selection
from hrsnn_brian.readout.linear import RidgeReadout, fitted_readout
from hrsnn_brian.readout.moments import CHUNK, Floats, Rows, let_go, mean_and_scale
from hrsnn_brian.readout.penalised import solve_penalised, to_front

COLUMNS = 1024  # features standardised at a time [our choice]


def fit_dual(
    blocks: Rows,
    targets: Floats,
    n_fit: int,
    names: Sequence[tuple[str, ...]],
    selection: Selection,
) -> list[tuple[RidgeReadout, ...]]:
    """The readouts of `fit_selections`, whose arguments these are, checked.

    The first `n_fit` rows are fitted, the others choose the penalty. One kernel goes from the
    smallest selection to the largest: blocks are added and, where most of the last one stays,
    taken away.
    """
    n = len(targets)
    standard = {name: mean_and_scale(block) for name, block in blocks.items()}
    kernel, inside = np.zeros((n, n), order="F"), set[str]()
    fitted: dict[tuple[str, ...], tuple[RidgeReadout, ...]] = {}
    todo = sorted(dict.fromkeys(names), key=len)
    for some in todo:
        if _width(blocks, inside.difference(some)) > _width(blocks, inside.intersection(some)):
            kernel[:], inside = 0.0, set()
        for name in blocks:
            if (name in some) != (name in inside):
                sign = 1.0 if name in some else -1.0
                kernel = _add_block(kernel, sign, blocks[name], *standard[name])
        inside = set(some)
        with _set_aside(kernel) as put_back:
            errors = _held_errors(kernel, targets, n_fit, selection)
            put_back()
            solved = _dual_coefficients(kernel, targets, errors)
            if some != todo[-1]:
                put_back()
        readouts = []
        for best, a in solved:
            weights = {name: _coefficients(blocks[name], a, *standard[name]) for name in some}
            centre = sum(standard[name][0] @ w for name, w in weights.items())
            intercept = targets.mean(axis=0) - centre
            readouts.append(fitted_readout(weights, intercept, errors, best))
        fitted[some] = tuple(readouts)
    return [fitted[some] for some in names]


@contextmanager
def _set_aside(kernel: Floats) -> Iterator[Callable[[], None]]:
    """What gives `kernel` back as it was, from disk: a copy is what memory has no room for."""
    with tempfile.TemporaryFile() as stream:
        stream.write(kernel.T.data)  # in columns: its transpose is contiguous

        def put_back() -> None:
            stream.seek(0)
            stream.readinto(kernel.T.data)

        yield put_back


def _width(blocks: Rows, names: Iterable[str]) -> int:
    return sum(blocks[name].shape[1] for name in names)


def _add_block(
    kernel: Floats, sign: float, block: np.ndarray, mean: Floats, scale: float
) -> Floats:
    """`kernel` (its lower triangle) plus `sign` times that of a block, in place."""
    for start in range(0, block.shape[1], COLUMNS):
        columns = slice(start, start + COLUMNS)
        x = np.empty((len(block), len(mean[columns])), order="F")
        for first in range(0, len(block), CHUNK):
            rows = slice(first, first + CHUNK)
            x[rows] = block[rows, columns]
            let_go(block)
        x -= mean[columns]
        x /= scale
        kernel = blas.dsyrk(sign, x, beta=1.0, c=kernel, lower=1, overwrite_c=1)
    return kernel


def _held_errors(kernel: Floats, targets: Floats, n_fit: int, selection: Selection) -> HeldErrors:
    """After a fit to the first rows, centred on their own mean, which is not that of all.

    `kernel` is destroyed.
    """
    held = kernel[n_fit:, :n_fit].copy()
    fit = to_front(kernel[:n_fit, :n_fit], kernel.ravel(order="K"))
    mean = blas.dsymv(1.0 / n_fit, fit, np.ones(n_fit), lower=1)
    fit -= mean[:, None]
    fit -= mean
    fit += mean.mean()
    y_mean = targets[:n_fit].mean(axis=0)
    penalties = [alpha * n_fit for alpha in selection.alphas]
    dual = solve_penalised(fit, targets[:n_fit] - y_mean, penalties)
    dual -= dual.mean(axis=0)  # in exact arithmetic their sum is zero
    shift = np.tensordot(mean, dual, 1) - y_mean
    errors = HeldErrors(selection, targets.shape[1])
    for start in range(0, len(held), CHUNK):
        rows = slice(start, start + CHUNK)
        errors.add(np.tensordot(held[rows], dual, 1) - shift, targets[n_fit:][rows])
    return errors


def _dual_coefficients(
    kernel: Floats, targets: Floats, errors: HeldErrors
) -> list[tuple[NDArray[np.intp], Floats]]:
    """For each rule the index of every target's penalty and a (n, targets), of all rows.

    `kernel` is destroyed.
    """
    selection = errors.selection
    best = [errors.best(rule) for rule in selection.rules]
    used, at = np.unique(best, return_inverse=True)
    penalties = [selection.alphas[k] * len(targets) for k in used]
    dual = solve_penalised(kernel, targets - targets.mean(axis=0), penalties)
    dual -= dual.mean(axis=0)
    return [
        (k, dual[:, where, np.arange(len(where))])
        for k, where in zip(best, at.reshape(len(best), -1), strict=True)
    ]


def _coefficients(block: np.ndarray, a: Floats, mean: Floats, scale: float) -> Floats:
    """In raw units: (X - mean)'a / scale^2."""
    total = np.zeros((block.shape[1], a.shape[1]))
    for start in range(0, len(block), CHUNK):
        rows = slice(start, start + CHUNK)
        total += (block[rows] - mean).T @ a[rows]
        let_go(block)
    return total / scale**2
