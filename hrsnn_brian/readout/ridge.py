"""Ridge regression on blocks of features: one eigendecomposition serves every penalty and target.

With X the centred, block-standardised features of n training rows, y a centred target and a the
penalty per row, the coefficients are w = (X'X + a n I)^-1 X'y. From X'X = V diag(s) V' follows
w = V diag(1/(s + a n)) V'X'y, so that trying one more penalty costs a matrix-vector product.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from hrsnn_brian.errors import InputError, unknown_name

# Penalties per training row. They reach far below 1e-7, so that the smallest being chosen means
# something is wrong; the largest stands for a constant prediction, the best there is of noise.
ALPHAS = (*(float(10.0**k) for k in np.arange(-10.0, 2.5, 0.5)), 1e4, 1e6)

# How the validation rows choose: the smallest error, or the largest penalty whose error lies within
# one standard error of it (Breiman et al. 1984). A one-step error hardly tells small penalties
# apart, a closed loop does: it takes the second rule (our choice).
RULES = ("smallest error", "one standard error")


@dataclass(frozen=True, eq=False)
class RidgeReadout:
    """A fitted linear readout in the RAW units of its feature blocks.

    prediction = intercept + sum over blocks of block @ coefficients[block], with `coefficients`
    mapping a block's name to (features, targets) and `intercept` (targets,). For each target:
    `alpha`, the penalty per training row chosen on the validation rows; `at_edge`, whether it
    is the smallest of the grid; `validation_rmse`, the error there before the refit.
    """

    coefficients: Mapping[str, np.ndarray]
    intercept: np.ndarray
    alpha: np.ndarray
    at_edge: np.ndarray
    validation_rmse: np.ndarray

    def predict(self, blocks: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predictions (n, targets) for blocks (n, features) named as at the fit.

        Raises InputError if a block is missing or has another number of features.
        """
        total = self.intercept
        for name, weights in self.coefficients.items():
            if name not in blocks or blocks[name].shape[1] != len(weights):
                found = blocks[name].shape if name in blocks else "missing"
                raise InputError(f"block {name}", found, f"must be (rows, {len(weights)})")
            total = total + blocks[name] @ weights
        return total

    def select(self, targets: slice) -> "RidgeReadout":
        """The readout of some of the targets alone."""
        return RidgeReadout(
            coefficients={name: w[:, targets] for name, w in self.coefficients.items()},
            intercept=self.intercept[targets],
            alpha=self.alpha[targets],
            at_edge=self.at_edge[targets],
            validation_rmse=self.validation_rmse[targets],
        )


def fit_ridge(
    blocks: Mapping[str, np.ndarray],
    targets: np.ndarray,
    n_validation: int,
    alphas: tuple[float, ...] = ALPHAS,
    rule: str = RULES[0],
) -> RidgeReadout:
    """The readout of one rule, see `fit_readouts`."""
    return fit_readouts(blocks, targets, n_validation, alphas, (rule,))[0]


def fit_readouts(
    blocks: Mapping[str, np.ndarray],
    targets: np.ndarray,
    n_validation: int,
    alphas: tuple[float, ...] = ALPHAS,
    rules: tuple[str, ...] = RULES,
) -> tuple[RidgeReadout, ...]:
    """Fit `targets` (n, m) on the feature blocks, each (n, features); one readout per rule.

    The last `n_validation` rows choose the penalty of each target after a fit to the rows before
    them, by the rule; then that penalty per row is used for a fit to all n rows. The intercept is
    free. Each block is divided by one number, the root mean variance of its features, never
    feature by feature: a nearly silent neuron would be blown up. Peak memory is about twice that
    of the blocks, plus three Gram matrices.

    Raises InputError if shapes do not match, a value is not finite, a penalty is not positive, a
    rule is unknown, or `n_validation` leaves fewer than two rows to fit.
    """
    targets = np.asarray(targets, dtype=float)
    _check(blocks, targets, n_validation, alphas)
    for rule in rules:
        if rule not in RULES:
            raise unknown_name("rule", rule, RULES)
    x, mean, scale = _standardised(blocks)
    y_mean = targets.mean(axis=0)
    y = targets - y_mean

    n, n_fit = len(x), len(x) - n_validation
    gram_fit = x[:n_fit].T @ x[:n_fit]
    cross_fit = x[:n_fit].T @ y[:n_fit]
    # of all rows, and already centred: the means removed above are theirs
    gram = gram_fit + x[n_fit:].T @ x[n_fit:]
    cross = cross_fit + x[n_fit:].T @ y[n_fit:]

    errors, uncertainty = _validation_errors(x, y, n_fit, gram_fit, cross_fit, alphas)
    readouts = []
    for rule in rules:
        best = np.argmin(errors, axis=0)
        if rule == "one standard error":
            best = _largest_within_one_standard_error(errors, uncertainty, alphas)
        chosen = np.array(alphas)[best]
        weights = np.empty_like(cross)
        for alpha in np.unique(chosen):
            columns = chosen == alpha
            weights[:, columns] = _solve(gram, cross[:, columns], alpha * n)
        weights /= scale[:, None]
        readouts.append(
            RidgeReadout(
                coefficients=_split(weights, blocks),
                intercept=y_mean - mean @ weights,
                alpha=chosen,
                at_edge=chosen == min(alphas),
                validation_rmse=np.sqrt(errors[best, np.arange(len(best))]),
            )
        )
    return tuple(readouts)


def _standardised(
    blocks: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centred features divided by their block's scale (n, p), their means and scales (p,)."""
    x = np.concatenate(list(blocks.values()), axis=1, dtype=float)
    mean = x.mean(axis=0)
    x -= mean
    variance = np.einsum("ij,ij->j", x, x) / len(x)
    scale = np.empty(len(variance))
    start = 0
    for block in blocks.values():
        stop = start + block.shape[1]
        size = np.sqrt(variance[start:stop].mean()) if stop > start else 0.0
        scale[start:stop] = size if size > 0 else 1.0
        start = stop
    x /= scale
    return x, mean, scale


def _validation_errors(
    x: np.ndarray,
    y: np.ndarray,
    n_fit: int,
    gram: np.ndarray,
    cross: np.ndarray,
    alphas: tuple[float, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared validation error after a fit to the first `n_fit` rows and its standard error.

    Both (alphas, targets); the standard error takes rows as independent.
    """
    x_mean, y_mean = x[:n_fit].mean(axis=0), y[:n_fit].mean(axis=0)
    centred_gram = gram - n_fit * np.outer(x_mean, x_mean)
    centred_cross = cross - n_fit * np.outer(x_mean, y_mean)
    s, v = scipy.linalg.eigh(centred_gram, driver="evd", overwrite_a=True, check_finite=False)
    s = np.maximum(s, 0.0)
    projected = (x[n_fit:] - x_mean) @ v
    rotated = v.T @ centred_cross
    truth = y[n_fit:] - y_mean
    errors, uncertainty = [], []
    for alpha in alphas:
        squared = (projected @ (rotated / (s + alpha * n_fit)[:, None]) - truth) ** 2
        errors.append(squared.mean(axis=0))
        uncertainty.append(squared.std(axis=0) / np.sqrt(len(squared)))
    return np.array(errors), np.array(uncertainty)


def _largest_within_one_standard_error(
    errors: np.ndarray, uncertainty: np.ndarray, alphas: tuple[float, ...]
) -> np.ndarray:
    """For each target the index of the penalty to use, (targets,)."""
    smallest = np.argmin(errors, axis=0)
    columns = np.arange(errors.shape[1])
    bound = errors[smallest, columns] + uncertainty[smallest, columns]
    penalties = np.where(errors <= bound, np.array(alphas)[:, None], -np.inf)
    return np.argmax(penalties, axis=0)


def _solve(gram: np.ndarray, cross: np.ndarray, penalty: float) -> np.ndarray:
    penalised = gram.copy()
    penalised[np.diag_indices_from(penalised)] += penalty
    return scipy.linalg.solve(
        penalised, cross, assume_a="pos", overwrite_a=True, check_finite=False
    )


def _split(weights: np.ndarray, blocks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    edges = np.cumsum([block.shape[1] for block in blocks.values()])[:-1]
    return dict(zip(blocks, np.split(weights, edges), strict=True))


def _check(
    blocks: Mapping[str, np.ndarray],
    targets: np.ndarray,
    n_validation: int,
    alphas: tuple[float, ...],
) -> None:
    if targets.ndim != 2 or targets.shape[1] == 0:
        raise InputError("targets", targets.shape, "must have shape (rows, targets)")
    if not blocks:
        raise InputError("blocks", "none", "at least one block of features is needed")
    if not 1 <= n_validation <= len(targets) - 2:
        allowed = f"must lie between 1 and {len(targets) - 2} for {len(targets)} rows"
        raise InputError("n_validation", n_validation, allowed)
    if not alphas or not all(np.isfinite(a) and a > 0 for a in alphas):
        raise InputError("alphas", alphas, "must be positive numbers")
    for name, block in [("targets", targets), *blocks.items()]:
        if block.ndim != 2 or len(block) != len(targets):
            raise InputError(f"block {name}", block.shape, f"must have {len(targets)} rows")
        if not np.isfinite(block).all():
            raise InputError(f"block {name}", "nan or inf", "must hold finite numbers")
