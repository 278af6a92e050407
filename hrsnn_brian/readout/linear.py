"""A fitted linear readout."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.held_out import HeldErrors
from hrsnn_brian.readout.moments import Floats, Rows


@dataclass(frozen=True, eq=False)
class RidgeReadout:
    """A fitted linear readout in the RAW units of its feature blocks.

    prediction = intercept + sum over blocks of block @ coefficients[block], with `coefficients`
    mapping a block's name to (features, targets) and `intercept` (targets,). For each target:
    `alpha`, the penalty per training row chosen on the validation rows; `at_edge`, whether it
    is the smallest of the grid; `validation_rmse`, the error there before the refit.
    `validation_error_rate`: of classes there, if that chose the penalty.
    """

    coefficients: Mapping[str, np.ndarray]
    intercept: np.ndarray
    alpha: np.ndarray
    at_edge: np.ndarray
    validation_rmse: np.ndarray
    validation_error_rate: float | None = None

    def predict(self, blocks: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predictions (n, targets) for blocks (n, features) named as at the fit.

        Raises InputError if a block is missing or has another number of features.
        """
        return linear_map(self.coefficients, self.intercept, blocks)

    def select(self, targets: slice) -> "RidgeReadout":
        """The readout of some of the targets alone."""
        return RidgeReadout(
            coefficients={name: w[:, targets] for name, w in self.coefficients.items()},
            intercept=self.intercept[targets],
            alpha=self.alpha[targets],
            at_edge=self.at_edge[targets],
            validation_rmse=self.validation_rmse[targets],
            validation_error_rate=self.validation_error_rate,
        )


def linear_map(coefficients: Rows, intercept: np.ndarray, blocks: Rows) -> np.ndarray:
    """intercept + sum over blocks of block @ coefficients[block]; InputError if one is missing."""
    total = intercept
    for name, weights in coefficients.items():
        if name not in blocks or blocks[name].shape[1] != len(weights):
            found = blocks[name].shape if name in blocks else "missing"
            raise InputError(f"block {name}", found, f"must be (rows, {len(weights)})")
        total = total + blocks[name] @ weights
    return total


def fitted_readout(
    coefficients: Rows, intercept: Floats, errors: HeldErrors, best: np.ndarray
) -> RidgeReadout:
    """A fitted readout with what the held rows said of its penalties, those of index `best`."""
    alphas = np.array(errors.selection.alphas)
    return RidgeReadout(
        coefficients=coefficients,
        intercept=intercept,
        alpha=alphas[best],
        at_edge=alphas[best] == alphas.min(),
        validation_rmse=errors.rmse(best),
        validation_error_rate=errors.error_rate(best),
    )
