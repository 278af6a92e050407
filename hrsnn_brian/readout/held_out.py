"""How rows held back choose a ridge penalty: errors on a grid, and two rules."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.readout.moments import Floats

# Penalties per training row. They reach far below 1e-7, so that the smallest being chosen means
# something is wrong; the largest stands for a constant prediction, the best there is of noise.
ALPHAS = (*(float(10.0**k) for k in np.arange(-10.0, 2.5, 0.5)), 1e4, 1e6)

# How the held rows choose: the smallest error, or the largest penalty whose error lies within one
# standard error of it (Breiman et al. 1984). A one-step error hardly tells small penalties apart, a
# closed loop does: it takes the second rule (our choice).
RULES = ("smallest error", "one standard error")

# What is counted: squared errors, target by target; or, where targets are classes (one column each,
# largest for the true one), how often another column is the largest: one penalty for all then.
SQUARED, ERROR_RATE = LOSSES = ("squared error", "error rate")


@dataclass(frozen=True)
class Selection:
    """How a penalty is chosen: grid of penalties per row, rules (a readout each), loss.

    Raises InputError for what is unknown, an empty grid or one that is not of positive numbers.
    """

    alphas: tuple[float, ...] = ALPHAS
    rules: tuple[str, ...] = RULES
    loss: str = SQUARED

    def __post_init__(self) -> None:
        if not self.alphas or not all(np.isfinite(a) and a > 0 for a in self.alphas):
            raise InputError("alphas", self.alphas, "must be positive numbers")
        for rule in self.rules:
            if rule not in RULES:
                raise unknown_name("rule", rule, RULES)
        if self.loss not in LOSSES:
            raise unknown_name("loss", self.loss, LOSSES)


def noiseless(features: int) -> Selection:
    """The usual penalties and smaller ones, for features in which no spikes make noise.

    States of an echo-state network, and products of delays, are the better the smaller the penalty
    is, down to the rounding of so many features, of which it stays ten times. [our choice]
    """
    smaller = (float(10.0**k) for k in np.arange(-14.0, -10.0, 0.5))
    rounding = 10 * np.finfo(float).eps * features
    return Selection((*(alpha for alpha in smaller if alpha > rounding), *ALPHAS))


class HeldErrors:
    """Errors of k penalties on held rows that arrive in chunks."""

    def __init__(self, selection: Selection, targets: int) -> None:
        self.selection, self.n = selection, 0
        k = len(selection.alphas)
        self.squares, self.fourths = np.zeros((k, targets)), np.zeros((k, targets))
        self.wrong = np.zeros(k)

    def add(self, predicted: Floats, truth: Floats) -> None:
        """predicted: (r, k, targets), truth: (r, targets)."""
        squared = (predicted - truth[:, None]) ** 2
        self.squares += squared.sum(axis=0)
        self.fourths += np.einsum("rkm,rkm->km", squared, squared)
        wrong = predicted.argmax(axis=2) != truth.argmax(axis=1)[:, None]
        self.wrong += wrong.sum(axis=0)
        self.n += len(truth)

    def rmse(self, best: NDArray[np.intp]) -> Floats:
        """Root mean squared error of each target under its penalty, (targets,)."""
        return np.sqrt(self.squares[best, np.arange(len(best))] / self.n)

    def error_rate(self, best: NDArray[np.intp]) -> float | None:
        """Share of held rows given another class, None where targets are no classes."""
        return float(self.wrong[best[0]] / self.n) if self.selection.loss == ERROR_RATE else None

    def best(self, rule: str) -> NDArray[np.intp]:
        """For each target the index of the penalty to use, (targets,).

        Of equal errors the smallest penalty counts, of equal error rates, which are common, the
        largest. The standard error takes rows as independent.
        """
        alphas = np.array(self.selection.alphas)[:, None]
        if self.selection.loss == ERROR_RATE:
            rate = self.wrong[:, None] / self.n
            bound = rate.min() + (rule != RULES[0]) * _binomial_error(rate.min(), self.n)
            best = np.argmax(np.where(rate <= bound, alphas, -np.inf), axis=0)
            return np.repeat(best, self.squares.shape[1])
        errors = self.squares / self.n
        smallest = np.argmin(errors, axis=0)
        if rule == RULES[0]:
            return smallest
        columns = np.arange(errors.shape[1])
        variance = np.maximum(self.fourths / self.n - errors**2, 0.0)
        bound = (errors + np.sqrt(variance / self.n))[smallest, columns]
        return np.argmax(np.where(errors <= bound, alphas, -np.inf), axis=0)


def _binomial_error(rate: float, n: int) -> float:
    return float(np.sqrt(rate * (1.0 - rate) / n))
