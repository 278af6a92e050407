"""Rows of the validation table where an estimator of flows and maps is easily wrong without a word.

Exponents that are 0 in theory and of either sign in numbers, variables of very different size, a
function that returns its own work array, a direction that is lost at once; and estimates that mean
nothing and must be refused.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.dynamics.exponents.result import SpectrumResult
from hrsnn_brian.dynamics.exponents.systems import SYSTEMS, ValidationRow, estimate, lorenz63

# One variable of Lorenz 1963 in another unit.
_UNIT = 1e7
_LORENZ: dict[str, Any] = {"dt": 0.01, "duration": 25.0, "transient": 15.0}
_SEGMENTS = 100


def van_der_pol(t: float, x: FloatArray) -> FloatArray:
    """dx/dt of van der Pol 1926, mu = 1: one limit cycle; x (..., 2)."""
    a, b = np.moveaxis(x, -1, 0)
    return np.stack([b, (1 - a * a) * b - a], axis=-1)


def two_phases(t: float, x: FloatArray) -> FloatArray:
    """Two circles of exponent -2 and -2 sqrt(2), run through at frequencies 1 : sqrt(2); (..., 4).

    dr/dt = r - r^3, dphi/dt = 1, the second circle sqrt(2) times as fast.
    """
    a, b, c, d = np.moveaxis(x, -1, 0)
    r, s = 1 - a * a - b * b, 1 - c * c - d * d
    first, second = (a * r - b, b * r + a), (c * s - d, d * s + c)
    return np.stack([*first, *(math.sqrt(2) * each for each in second)], axis=-1)


def folded(x: FloatArray) -> FloatArray:
    """The logistic map at r = 4 beside a copy of its former state: rank 1; x (..., 2)."""
    a = x[..., 0]
    return np.stack([4.0 * a * (1.0 - a), 0.5 * a], axis=-1)


class OwnArray:
    """Lorenz 1963, returned in one and the same array at every call."""

    def __init__(self) -> None:
        self.found: FloatArray = np.empty(0)

    def __call__(self, t: float, x: FloatArray) -> FloatArray:
        if self.found.shape != x.shape:
            self.found = np.empty_like(x)
        self.found[...] = lorenz63(t, x)
        return self.found


def one_variable_scaled(t: float, x: FloatArray) -> FloatArray:
    """Lorenz 1963 with its third variable in units of 1e-7; x (..., 3)."""
    unit = np.array([1.0, 1.0, _UNIT])
    return lorenz63(t, x / unit) * unit


def _with_dimension(
    name: str, expected: tuple[float, ...], within: float, measure: Callable[[], SpectrumResult]
) -> ValidationRow:
    """A quasi-periodic flow: its zeros, and the dimension that follows from them, exactly."""

    def found() -> tuple[float, ...]:
        result = measure()
        dimension = math.nan if result.kaplan_yorke is None else result.kaplan_yorke
        return (*result.exponents[: len(expected)].tolist(), dimension)

    return ValidationRow(
        name=name,
        quantities=(
            *(f"lambda_{j + 1}, per unit time" for j in range(len(expected))),
            "Kaplan-Yorke dimension",
        ),
        expected=(*expected, float(len(expected))),
        tolerance=(*(within for _ in expected), 0.0),
        measure=found,
    )


def _lorenz_row(
    name: str, function: Callable[..., FloatArray], unit: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> ValidationRow:
    system = SYSTEMS["lorenz63"]

    def measure() -> list[float]:
        start = system.starting_points(_SEGMENTS) * np.array(unit)
        return estimate("flow", function, start, **_LORENZ).exponents.tolist()

    return ValidationRow(
        name=f"Lorenz 1963, {name}",
        quantities=tuple(f"lambda_{j + 1}, per unit time" for j in range(3)),
        expected=system.expected,
        tolerance=(0.03, 0.02, 0.04),
        measure=measure,
    )


def _folded() -> tuple[float, float]:
    start = np.random.default_rng(0).uniform(0.05, 0.95, size=(_SEGMENTS, 2))
    exponents = estimate("map", folded, start, n=500).exponents
    return float(exponents[0]), float(np.isnan(exponents[1]))


def _refused(name: str, measure: Callable[[], SpectrumResult]) -> ValidationRow:
    def found() -> float:
        result = measure()
        return float(np.isnan(result.exponents).all() and bool(result.flags))

    return ValidationRow.single(name, "refused (1: yes)", 1.0, 0.0, found)


def _lorenz(**changed: float) -> SpectrumResult:
    start = SYSTEMS["lorenz63"].starting_points(2)
    return estimate("flow", lorenz63, start, **(_LORENZ | changed))


HARD_ROWS = (
    _with_dimension(
        "van der Pol 1926, limit cycle",
        (0.0,),
        0.01,
        lambda: estimate(
            "flow", van_der_pol, np.array([2.0, 0.0]), dt=0.02, duration=60.0, transient=20.0
        ),
    ),
    _with_dimension(
        "two circles, torus of two frequencies",
        (0.0, 0.0),
        1e-6,
        lambda: estimate(
            "flow",
            two_phases,
            np.array([1.0, 0.0, 0.0, 1.0]),
            dt=0.02,
            duration=40.0,
            transient=15.0,
        ),
    ),
    _lorenz_row("one variable 1e7 times as large", one_variable_scaled, (1.0, 1.0, _UNIT)),
    _lorenz_row("returned in its own work array", OwnArray()),
    ValidationRow(
        name="logistic map at r = 4 beside a direction lost at once",
        quantities=("lambda_1, per iteration", "lambda_2 refused (1: yes)"),
        expected=(math.log(2.0), 1.0),
        tolerance=(0.005, 0.0),
        measure=_folded,
    ),
    _refused("Lorenz 1963, distances of a tenth of the state", lambda: _lorenz(d0=0.1)),
    _refused("Lorenz 1963, distances below rounding", lambda: _lorenz(d0=1e-15)),
    _refused("Lorenz 1963, renormalised too rarely", lambda: _lorenz(t_renorm=20.0)),
    _refused(
        "a map that leaves the finite numbers",
        lambda: estimate("map", lambda x: x * x, np.array([2.0]), n=100),
    ),
)
