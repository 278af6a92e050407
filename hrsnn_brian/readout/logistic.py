"""Multinomial logistic regression on blocks of features, its penalty chosen on rows held back.

L-BFGS on the rows themselves, which are read chunk by chunk as they lie on disk: standardisation is
put into the weights. In memory are a few copies of the weights, never of the rows. (scikit-learn's
solver is the same one, but wants one standardised array of all rows.)
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.readout.linear import linear_map
from hrsnn_brian.readout.moments import (
    Floats,
    Rows,
    check_rows,
    mean_and_scale,
    split,
)

# Penalties per training row, from the strongest, where the path begins. [our choice]
PENALTIES = (1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
LOG_LOSS, ERROR_RATE = LOSSES = ("log loss", "error rate")
# A fit ends where no entry of the gradient is larger, or after so many steps. [our choice]
TOLERANCE, STEPS = 1e-4, 500
CHUNK = 2048  # rows at a time: few columns come out of a product, it needs many rows [our choice]


@dataclass(frozen=True, eq=False)
class LogisticReadout:
    """A fitted classifier: class probabilities softmax(intercept + sum of block @ coefficients).

    In the RAW units of the blocks: `coefficients` maps a block's name to (features, classes),
    `intercept` is (classes,). `alpha`: the penalty per row, chosen on the validation rows, whose
    `validation_log_loss` and `validation_error_rate` are those before the refit; `at_edge`: whether
    it is the smallest of the grid. `converged`: whether the last fit ended by its gradient.
    """

    coefficients: Rows
    intercept: Floats
    alpha: float
    at_edge: bool
    validation_log_loss: float
    validation_error_rate: float
    converged: bool

    def predict(self, blocks: Rows) -> NDArray[np.intp]:
        """The likeliest class (n,) for blocks (n, features) named as at the fit.

        Raises InputError if a block is missing or has another number of features.
        """
        return linear_map(self.coefficients, self.intercept, blocks).argmax(axis=1)


def fit_logistic(
    rows: Rows,
    labels: NDArray[np.integer],
    n_validation: int,
    classes: int,
    *,
    alphas: tuple[float, ...] = PENALTIES,
    loss: str = LOSSES[0],
) -> LogisticReadout:
    """Minimises mean log loss + alpha/2 |W|^2, W (features, classes) of block-standardised rows.

    rows: blocks (n, features), which may be memory-mapped; labels (n,) in 0 ... classes - 1. The
    last `n_validation` rows choose the penalty, by the smallest `loss` (of `LOSSES`) after a fit to
    the rows before them; then all are fitted. Fits start from the one before, from the strongest
    penalty on, and end with the first that is no better. Blocks are standardised as for ridge, the
    intercept is free.

    Raises InputError for shapes that do not match, a value that is not finite, a label out of
    range, a penalty that is not positive, an unknown loss.
    """
    labels = np.asarray(labels)
    _check(rows, labels, n_validation, classes, alphas, loss)
    n_fit = len(labels) - n_validation
    whole = _Problem(rows, labels, classes)
    fitted = whole.part(slice(0, n_fit))
    held = whole.part(slice(n_fit, None))
    weights, best, found = whole.start(), (np.inf, np.inf), None
    for alpha in sorted(alphas, reverse=True):
        weights, _ = fitted.minimise(weights, alpha)
        log_loss, error_rate = held.losses(weights)
        order = (log_loss, error_rate) if loss == LOG_LOSS else (error_rate, log_loss)
        if order >= best:
            break
        best, found = order, (alpha, log_loss, error_rate, weights)
    assert found is not None  # losses are finite
    alpha, log_loss, error_rate, weights = found
    weights, converged = whole.minimise(weights, alpha)
    coefficients, intercept = whole.raw(weights)
    return LogisticReadout(
        coefficients=coefficients,
        intercept=intercept,
        alpha=alpha,
        at_edge=alpha == min(alphas),
        validation_log_loss=log_loss,
        validation_error_rate=error_rate,
        converged=converged,
    )


class _Problem:
    """The penalised mean log loss of some rows, as a function of standardised weights.

    Weights are (features + 1, classes), of which the last row is the intercept.
    """

    def __init__(self, rows: Rows, labels: NDArray[np.integer], classes: int) -> None:
        self.rows, self.labels, self.classes = rows, labels, classes
        self.widths = {name: block.shape[1] for name, block in rows.items()}
        standard = [mean_and_scale(block) for block in rows.values()]
        self.mean = np.concatenate([mean for mean, _ in standard])
        self.scale = np.repeat([scale for _, scale in standard], list(self.widths.values()))

    def part(self, rows: slice) -> "_Problem":
        """The problem of some of the rows, with the standardisation of all."""
        part = copy(self)
        part.rows = {name: block[rows] for name, block in self.rows.items()}
        part.labels = self.labels[rows]
        return part

    def start(self) -> Floats:
        return np.zeros((len(self.mean) + 1, self.classes))

    def raw(self, weights: Floats) -> tuple[dict[str, Floats], Floats]:
        """Coefficients by block and intercept for features as they are."""
        w = weights[:-1] / self.scale[:, None]
        return dict(zip(self.rows, split(w, self.widths), strict=True)), weights[-1] - self.mean @ w

    def minimise(self, start: Floats, alpha: float) -> tuple[Floats, bool]:
        """The weights of the smallest loss, and whether the gradient got small enough."""
        from scipy.optimize import minimize

        found = minimize(
            lambda w: self._objective(w.reshape(start.shape), alpha),
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"gtol": TOLERANCE, "ftol": 0.0, "maxiter": STEPS, "maxfun": 2 * STEPS},
        )
        return found.x.reshape(start.shape), bool(np.abs(found.jac).max() <= TOLERANCE)

    def losses(self, weights: Floats) -> tuple[float, float]:
        """Mean log loss and share of rows whose likeliest class is another."""
        total, wrong = 0.0, 0
        for _, labels, log_p in self._log_probabilities(weights):
            total -= log_p[np.arange(len(labels)), labels].sum()
            wrong += int(np.count_nonzero(log_p.argmax(axis=1) != labels))
        return float(total / len(self.labels)), wrong / len(self.labels)

    def _objective(self, weights: Floats, alpha: float) -> tuple[float, Floats]:
        """Penalised loss and its gradient."""
        total, gradient = 0.0, np.zeros_like(weights)
        per_block = dict(zip(self.rows, split(gradient[:-1], self.widths), strict=True))
        for blocks, labels, log_p in self._log_probabilities(weights):
            at = np.arange(len(labels)), labels
            total -= log_p[at].sum()
            residual = np.exp(log_p)
            residual[at] -= 1.0
            gradient[-1] += residual.sum(axis=0)
            for name, block in blocks.items():
                per_block[name] += block.T @ residual.astype(block.dtype)
        gradient[:-1] -= np.outer(self.mean, gradient[-1])
        gradient[:-1] /= self.scale[:, None]
        gradient /= len(self.labels)
        gradient[:-1] += alpha * weights[:-1]
        loss = total / len(self.labels) + 0.5 * alpha * np.sum(weights[:-1] ** 2)
        return float(loss), gradient.ravel()

    def _log_probabilities(
        self, weights: Floats
    ) -> Iterator[tuple[dict[str, np.ndarray], NDArray[np.integer], Floats]]:
        """Chunk by chunk the blocks, labels and log probabilities (rows, classes)."""
        coefficients, intercept = self.raw(weights)
        for start in range(0, len(self.labels), CHUNK):
            rows = slice(start, start + CHUNK)
            blocks = {name: _real(block[rows]) for name, block in self.rows.items()}
            score = np.tile(intercept, (len(self.labels[rows]), 1))
            for name, block in blocks.items():
                score += block @ coefficients[name].astype(block.dtype)
            score -= score.max(axis=1, keepdims=True)
            score -= np.log(np.exp(score).sum(axis=1, keepdims=True))
            yield blocks, self.labels[rows], score


def _real(block: np.ndarray) -> np.ndarray:
    """Single precision stays: it halves the time of what is mostly reading."""
    return np.asarray(block, dtype=np.float32 if block.dtype == np.float32 else np.float64)


def _check(
    rows: Rows,
    labels: NDArray[np.integer],
    n_validation: int,
    classes: int,
    alphas: tuple[float, ...],
    loss: str,
) -> None:
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError("labels", f"{labels.shape} {labels.dtype}", "must be (rows,) integers")
    if classes < 2:
        raise InputError("classes", classes, "must be at least 2")
    check_rows(rows, labels[:, None])
    if labels.min() < 0 or labels.max() >= classes:
        found = int(labels.min() if labels.min() < 0 else labels.max())
        raise InputError("labels", found, f"must lie between 0 and {classes - 1}")
    if not 1 <= n_validation <= len(labels) - 2:
        allowed = f"must lie between 1 and {len(labels) - 2} for {len(labels)} rows"
        raise InputError("n_validation", n_validation, allowed)
    if not alphas or not all(np.isfinite(a) and a > 0 for a in alphas):
        raise InputError("alphas", alphas, "must be positive numbers")
    if loss not in LOSSES:
        raise unknown_name("loss", loss, LOSSES)
