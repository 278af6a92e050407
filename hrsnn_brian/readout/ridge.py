"""Ridge regression on blocks of features, its penalty chosen on rows held back.

With X the centred, block-standardised features of n training rows, y a centred target and a the
penalty per row, the coefficients are w = (X'X + a n I)^-1 X'y. Each block is divided by one number,
the root mean variance of its features over all rows, never feature by feature: a nearly silent
neuron would be blown up. The intercept is free. A fit to the first rows is scored on those held
back, for every penalty of a grid; the penalty chosen is then used for a fit to all rows.

From `Moments`, of rows that have streamed past: `fit_moments`. From rows at hand: `fit_ridge`,
`fit_readouts`, `fit_selections`, in whichever of the two forms is smaller (see `dual.py`).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.dual import fit_dual
from hrsnn_brian.readout.held_out import ALPHAS, RULES, SQUARED, HeldErrors, Selection
from hrsnn_brian.readout.linear import RidgeReadout, fitted_readout
from hrsnn_brian.readout.moments import (
    Floats,
    Moments,
    Rows,
    block_scale,
    check_rows,
    chunks,
    select_names,
    split,
)
from hrsnn_brian.readout.penalised import solve_penalised


def fit_moments(
    moments: Moments,
    held: Rows,
    held_targets: np.ndarray,
    *,
    names: Iterable[str] | None = None,
    alphas: tuple[float, ...] = ALPHAS,
    rule: str = RULES[0],
    loss: str = SQUARED,
) -> RidgeReadout:
    """The readout from some blocks (default all) of the rows in `moments`, which stay untouched.

    The held rows, blocks (r, features) which may be memory-mapped, and targets (r, m) choose the
    penalty; then they are fitted too. loss: of `LOSSES`; with "error rate", targets are one column
    per class, largest for the true one. Memory beside `moments`: two Gram matrices.

    Raises InputError if shapes do not match, a value is not finite, a penalty is not positive, a
    name is unknown, or fewer than two rows are in `moments`.
    """
    return _from_moments(moments, held, held_targets, names, Selection(alphas, (rule,), loss))[0]


def fit_ridge(
    blocks: Rows,
    targets: np.ndarray,
    n_validation: int,
    alphas: tuple[float, ...] = ALPHAS,
    rule: str = RULES[0],
) -> RidgeReadout:
    """The readout of one rule, see `fit_readouts`."""
    return fit_readouts(blocks, targets, n_validation, Selection(alphas, (rule,)))[0]


def fit_readouts(
    blocks: Rows, targets: np.ndarray, n_validation: int, selection: Selection | None = None
) -> tuple[RidgeReadout, ...]:
    """Readouts of `targets` (n, m) from the feature blocks, each (n, features); one per rule.

    See `fit_selections`.
    """
    return fit_selections(blocks, targets, n_validation, [tuple(blocks)], selection)[0]


def fit_selections(
    blocks: Rows,
    targets: np.ndarray,
    n_validation: int,
    names: Sequence[Iterable[str]],
    selection: Selection | None = None,
) -> list[tuple[RidgeReadout, ...]]:
    """For each selection of blocks the readouts of `targets` (n, m), one per rule.

    blocks: (n, features) each, which may be memory-mapped; what the selections share is computed
    once, apart for those with more features than rows fitted to. The last `n_validation` rows
    choose the penalty of each target after a fit to the rows before them; then that penalty per row
    is used for a fit to all n rows. Peak memory beside the blocks is about three matrices of size
    min(rows, features).

    Raises InputError if shapes do not match, a value is not finite, a penalty is not positive, a
    rule or name is unknown, or `n_validation` leaves fewer than two rows to fit.
    """
    targets = np.asarray(targets, dtype=float)
    selection = selection or Selection()
    check_rows(blocks, targets)
    if not 1 <= n_validation <= len(targets) - 2:
        allowed = f"must lie between 1 and {len(targets) - 2} for {len(targets)} rows"
        raise InputError("n_validation", n_validation, allowed)
    chosen = [select_names(blocks, some) for some in names]
    n_fit = len(targets) - n_validation
    wide = [some for some in chosen if n_fit < sum(blocks[name].shape[1] for name in some)]
    narrow = [some for some in chosen if some not in wide]
    fitted: dict[tuple[str, ...], tuple[RidgeReadout, ...]] = {}
    if narrow:
        used = _used(blocks, narrow)
        moments = Moments()
        moments.add({name: block[:n_fit] for name, block in used.items()}, targets[:n_fit])
        held = {name: block[n_fit:] for name, block in used.items()}
        for some in dict.fromkeys(narrow):
            fitted[some] = _from_moments(moments, held, targets[n_fit:], some, selection)
        del moments  # before the kernel
    if wide:
        found = fit_dual(_used(blocks, wide), targets, n_fit, wide, selection)
        fitted |= zip(wide, found, strict=True)
    return [fitted[some] for some in chosen]


def _used(blocks: Rows, names: Sequence[tuple[str, ...]]) -> Rows:
    """The blocks that any of some selections has."""
    return {name: blocks[name] for name in blocks if any(name in some for some in names)}


def _from_moments(
    moments: Moments,
    held: Rows,
    held_targets: np.ndarray,
    names: Iterable[str] | None,
    selection: Selection,
) -> tuple[RidgeReadout, ...]:
    if moments.n < 2:
        raise InputError("moments", moments.n, "must be of at least two rows")
    part = moments.select(names)
    held = {name: held[name] for name in part.names if name in held}
    part.check(held, held_targets)
    scale = _scale(part, held, held_targets)
    errors = HeldErrors(selection, held_targets.shape[1])
    weights = _solve(part, scale, selection.alphas)
    for x, y in chunks(held, held_targets, part.names):
        errors.add(np.tensordot(x - part.mean, weights, 1) + part.target_mean, y)
    del part, weights  # before another Gram matrix

    total = moments.select(names)
    total.add(held, held_targets)
    best = [errors.best(rule) for rule in selection.rules]
    used, at = np.unique(best, return_inverse=True)
    weights = _solve(total, scale, [selection.alphas[k] for k in used])
    readouts = []
    for k, where in zip(best, at.reshape(len(best), -1), strict=True):
        w = weights[:, where, np.arange(len(where))]
        coefficients = dict(zip(total.names, split(w, total.widths), strict=True))
        intercept = total.target_mean - total.mean @ w
        readouts.append(fitted_readout(coefficients, intercept, errors, k))
    return tuple(readouts)


def _solve(moments: Moments, scale: Floats, alphas: Sequence[float]) -> Floats:
    """Coefficients in raw units for each penalty, (p, alphas, m). Uses up the Gram matrix."""
    gram = moments.gram
    gram /= scale[:, None]
    gram /= scale
    right = moments.cross / scale[:, None]
    weights = solve_penalised(gram, right, [alpha * moments.n for alpha in alphas])
    weights /= scale[:, None, None]
    return weights


def _scale(moments: Moments, held: Rows, held_targets: np.ndarray) -> Floats:
    """What each feature is divided by, (p,): from the variances over fitted and held rows."""
    squares, distance = np.diagonal(moments.gram).copy(), np.zeros(len(moments.mean))
    for x, _ in chunks(held, held_targets, moments.names):
        x -= moments.mean
        squares += np.einsum("ij,ij->j", x, x)
        distance += x.sum(axis=0)
    n = moments.n + len(held_targets)
    variance = (squares - distance**2 / n) / n
    return block_scale(variance, moments.mean + distance / n, moments.widths)
