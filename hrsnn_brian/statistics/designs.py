"""Designs: which points of a unit cube stand for all of it."""

import warnings

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import unknown_name

GRID, RANDOM, SOBOL = "grid", "random", "sobol"
DESIGNS = {
    GRID: "every value with every other",
    RANDOM: "draws, each independent of the others",
    SOBOL: "scrambled Sobol points, which fill the ranges evenly; best a power of two of them",
}


def unit_points(
    design: str, number: int, dimensions: int, random: np.random.Generator | int
) -> NDArray[np.float64]:
    """Points (number, dimensions) of [0, 1)^d; random: what draws or scrambles them, or its seed.

    Raises InputError for a design that does not draw.
    """
    if design == RANDOM:
        return np.random.default_rng(random).random((number, dimensions))
    if design != SOBOL:
        raise unknown_name("design", design, (RANDOM, SOBOL))
    from scipy.stats import qmc

    sampler = qmc.Sobol(dimensions, scramble=True, seed=random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the number need not be a power of two
        return np.asarray(sampler.random(number))
