"""Named systems with known exponents: the estimator's validation table.

Values: Sprott 2003, Chaos and Time-Series Analysis, appendix A (Lorenz63, Rössler, Hénon);
Viswanath 1998 (Lorenz63, 0.905630); ln 2 for the logistic map at r = 4 is exact, and so are the
sums: the divergence -(sigma + 1 + beta) of Lorenz63 and the determinant -b of Hénon.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hrsnn_brian.dynamics.exponents.flows import (
    FlowProtocol,
    MapProtocol,
    flow_exponents,
    map_exponents,
)
from hrsnn_brian.dynamics.exponents.qr import FloatArray
from hrsnn_brian.dynamics.exponents.result import SpectrumResult
from hrsnn_brian.errors import unknown_name
from hrsnn_brian.seeds import rng


def lorenz63(t: float, x: FloatArray) -> FloatArray:
    """dx/dt of Lorenz 1963: sigma = 10, rho = 28, beta = 8/3; x (..., 3)."""
    a, b, c = np.moveaxis(x, -1, 0)
    return np.stack([10.0 * (b - a), a * (28.0 - c) - b, a * b - (8.0 / 3.0) * c], axis=-1)


def rossler(t: float, x: FloatArray) -> FloatArray:
    """dx/dt of Rössler 1976: a = b = 0.2, c = 5.7; x (..., 3)."""
    a, b, c = np.moveaxis(x, -1, 0)
    return np.stack([-b - c, a + 0.2 * b, 0.2 + c * (a - 5.7)], axis=-1)


def logistic(x: FloatArray) -> FloatArray:
    """One step of the logistic map at r = 4; x (..., 1)."""
    return 4.0 * x * (1.0 - x)


def henon(x: FloatArray) -> FloatArray:
    """One step of Hénon 1976: a = 1.4, b = 0.3; x (..., 2)."""
    a, b = np.moveaxis(x, -1, 0)
    return np.stack([1.0 - 1.4 * a * a + b, 0.3 * a], axis=-1)


@dataclass(frozen=True)
class NamedSystem:
    """A flow or map with known exponents.

    function: rhs(t, x) of a flow or step(x) of a map. centre, spread: starting points are drawn
    uniformly from centre +- spread, inside the basin of the attractor. segments: how many, run
    side by side. settings: recommended keyword arguments of `flow_exponents` or `map_exponents`.
    expected, tolerance: (dim,) exponents per unit time, and how far an estimate with these
    settings may lie from them.
    """

    name: str
    description: str
    kind: str
    function: Callable[..., FloatArray]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    segments: int
    settings: Mapping[str, float]
    expected: tuple[float, ...]
    tolerance: tuple[float, ...]

    def starting_points(self, segments: int, seed: int = 0) -> FloatArray:
        """Initial states (segments, dim) from the "state" stream of `seed`."""
        random = rng(seed, "state", self.name)
        offset = random.uniform(-1.0, 1.0, size=(segments, len(self.centre)))
        return np.array(self.centre) + np.array(self.spread) * offset


SYSTEMS = {
    system.name: system
    for system in (
        NamedSystem(
            name="lorenz63",
            description="Lorenz 1963, sigma = 10, rho = 28, beta = 8/3",
            kind="flow",
            function=lorenz63,
            centre=(0.0, 0.0, 25.0),
            spread=(10.0, 10.0, 10.0),
            segments=100,
            settings={"dt": 0.01, "duration": 200.0, "transient": 20.0, "t_renorm": 0.1},
            expected=(0.9056, 0.0, -14.5723),
            tolerance=(0.01, 0.005, 0.02),
        ),
        NamedSystem(
            name="rossler",
            description="Rössler 1976, a = b = 0.2, c = 5.7",
            kind="flow",
            function=rossler,
            # all around the origin: its phase diffuses so slowly that copies of one phase stay so
            centre=(0.0, 0.0, 0.1),
            spread=(6.0, 6.0, 0.1),
            segments=100,
            settings={"dt": 0.04, "duration": 700.0, "transient": 100.0, "t_renorm": 0.2},
            expected=(0.0714, 0.0, -5.3943),
            tolerance=(0.003, 0.001, 0.01),
        ),
        NamedSystem(
            name="logistic",
            description="logistic map at r = 4",
            kind="map",
            function=logistic,
            centre=(0.5,),
            spread=(0.45,),
            segments=100,
            settings={"n": 2000, "transient": 100, "d0": 1e-8},
            expected=(math.log(2.0),),
            tolerance=(0.001,),
        ),
        NamedSystem(
            name="henon",
            description="Hénon 1976, a = 1.4, b = 0.3",
            kind="map",
            function=henon,
            centre=(0.1, 0.1),
            spread=(0.1, 0.1),
            segments=100,
            settings={"n": 2000, "transient": 100},
            expected=(0.4192, math.log(0.3) - 0.4192),
            tolerance=(0.004, 0.004),
        ),
    )
}


def system_exponents(
    name: str, *, segments: int | None = None, seed: int = 0, **settings: Any
) -> SpectrumResult:
    """Exponents of a named system with its recommended settings, each of which can be replaced.

    Raises InputError for an unknown name or settings that cannot be used.
    """
    if name not in SYSTEMS:
        raise unknown_name("system", name, SYSTEMS)
    system = SYSTEMS[name]
    start = system.starting_points(system.segments if segments is None else segments, seed)
    return estimate(
        system.kind, system.function, start, seed=seed, **{**system.settings, **settings}
    )


def estimate(kind: str, function: Any, x0: Any, **settings: Any) -> SpectrumResult:
    """`flow_exponents` or `map_exponents` with the fields of their protocols among the settings."""
    measure: Any = flow_exponents if kind == "flow" else map_exponents
    protocol: Any = FlowProtocol if kind == "flow" else MapProtocol
    names = {field.name for field in fields(protocol)} & set(settings)
    how = protocol(**{name: settings.pop(name) for name in names})
    result: SpectrumResult = measure(function, x0, protocol=how, **settings)
    return result


@dataclass(frozen=True)
class ValidationRow:
    """One row of the validation table: quantities with known values and how to measure them.

    quantities: what each number is, unit included; expected, tolerance: as many numbers;
    measure: returns the numbers found, NaN where a check failed.
    """

    name: str
    quantities: tuple[str, ...]
    expected: tuple[float, ...]
    tolerance: tuple[float, ...]
    measure: Callable[[], Sequence[float]]

    @classmethod
    def single(
        cls, name: str, quantity: str, expected: float, within: float, measure: Callable[[], float]
    ) -> "ValidationRow":
        """A row of one quantity."""
        return cls(name, (quantity,), (expected,), (within,), lambda: (measure(),))


@dataclass(frozen=True)
class ValidationOutcome:
    """What one row of the validation table gave; `passed` counts NaN and missing as a miss."""

    row: ValidationRow
    found: tuple[float, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every quantity lies within its tolerance."""
        if len(self.found) != len(self.row.expected):
            return False
        columns = zip(self.found, self.row.expected, self.row.tolerance, strict=True)
        return all(abs(found - expected) <= within for found, expected, within in columns)


def run_self_test(
    rows: Iterable[ValidationRow] | None = None,
    report: Callable[[ValidationOutcome], None] | None = None,
) -> tuple[ValidationOutcome, ...]:
    """Measure every row in turn; by default those of the flows and maps, `SYSTEM_ROWS`.

    report: called with each outcome as soon as it is there.
    """
    outcomes = []
    for row in SYSTEM_ROWS if rows is None else rows:
        began = time.perf_counter()
        found = tuple(float(value) for value in row.measure())
        outcomes.append(ValidationOutcome(row, found, time.perf_counter() - began))
        if report is not None:
            report(outcomes[-1])
    return tuple(outcomes)


def _spectrum_row(name: str) -> ValidationRow:
    system = SYSTEMS[name]
    unit = "per unit time" if system.kind == "flow" else "per iteration"
    return ValidationRow(
        name=system.description,
        quantities=tuple(f"lambda_{j + 1}, {unit}" for j in range(len(system.expected))),
        expected=system.expected,
        tolerance=system.tolerance,
        measure=lambda: system_exponents(name).exponents.tolist(),
    )


def _henon_row() -> ValidationRow:
    """Hénon's second exponent is only known through the sum ln b, which is exact."""
    system = SYSTEMS["henon"]

    def measure() -> tuple[float, float]:
        exponents = system_exponents("henon").exponents
        return float(exponents[0]), float(exponents.sum())

    return ValidationRow(
        name=system.description,
        quantities=("lambda_1, per iteration", "sum, per iteration"),
        expected=(system.expected[0], math.log(0.3)),
        tolerance=system.tolerance,
        measure=measure,
    )


SYSTEM_ROWS = (
    _spectrum_row("lorenz63"),
    _spectrum_row("rossler"),
    _spectrum_row("logistic"),
    _henon_row(),
)
