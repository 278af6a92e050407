"""Scores of predictions: root mean square errors and valid prediction time; units in names."""

import math
import re

import numpy as np

from hrsnn_brian.errors import InputError

_SPELT = {"h": "hours", "1": "", "%": "percent", "°C": "celsius", "°": "degrees"}


def unit_word(unit: str) -> str:
    """A unit as part of a column name: "m/s" is m_per_s, "1" is nothing."""
    word = re.sub(r"\W+", "_", _SPELT.get(unit, unit).lower().replace("/", "_per_"))
    return word.strip("_")


def rmse(prediction: np.ndarray, target: np.ndarray) -> float:
    """Root mean square error over all samples and variables, in the data's unit.

    Raises InputError if the shapes differ or there is nothing to score.
    """
    prediction, target = _pair(prediction, target)
    return float(np.sqrt(np.mean((prediction - target) ** 2)))


def nrmse(prediction: np.ndarray, target: np.ndarray) -> float:
    """Root mean square error over the target's standard deviation, dimensionless.

    For (samples, variables) each variable's mean square error is divided by its own variance and
    the mean over variables is taken before the root. 1 is the score of the target's own mean. NaN
    if a target is constant, which has no deviation to measure an error by.

    Raises InputError if the shapes differ or there is nothing to score.
    """
    prediction, target = _pair(prediction, target)
    if np.any(np.ptp(target, axis=0) == 0.0):  # its variance may be a rounding error
        return math.nan
    variance = target.var(axis=0)
    error = np.mean((prediction - target) ** 2, axis=0)
    return float(np.sqrt(np.mean(error / variance)))


def valid_prediction_time(
    prediction: np.ndarray,
    truth: np.ndarray,
    threshold: float = 0.4,
    steps_per_unit: float = 1.0,
    cap: float | None = None,
) -> float:
    """Time until the error of a free run first exceeds the threshold.

    `prediction` and `truth` are (steps, variables), z-scored by the training block; row 0 is the
    first free prediction. The error of a step is the root mean square over the variables; the
    result is the number of steps before the first one above `threshold` (0 if row 0 is already
    above, also if it is not a number), divided by `steps_per_unit`: with the samples per Lyapunov
    time, VPT in Lyapunov times. A run that never exceeds scores its whole length; `cap` (in
    units) bounds the result.

    Raises InputError if the shapes differ or are not (steps, variables), or a parameter is not
    positive.
    """
    prediction, truth = _pair(prediction, truth)
    if truth.ndim != 2:
        raise InputError("truth", truth.shape, "must have shape (steps, variables)")
    for name, value in (("threshold", threshold), ("steps_per_unit", steps_per_unit)):
        if not value > 0:
            raise InputError(name, value, "must be positive")
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.sqrt(np.mean((prediction - truth) ** 2, axis=1))
    # "not <=" rather than ">": a diverged run (inf, nan) has exceeded every threshold
    beyond = np.flatnonzero(~(error <= threshold))
    steps = int(beyond[0]) if len(beyond) else len(error)
    return min(steps / steps_per_unit, math.inf if cap is None else cap)


def _pair(prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    prediction, target = np.asarray(prediction, float), np.asarray(target, float)
    if prediction.shape != target.shape:
        raise InputError("prediction", prediction.shape, f"must have the target's {target.shape}")
    if target.size == 0:
        raise InputError("target", target.shape, "must not be empty")
    return prediction, target
