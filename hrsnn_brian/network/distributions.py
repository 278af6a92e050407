"""Distributions of per-neuron quantities, the heterogeneity of an HRSNN.

A distribution holds SI floats and the unit they are in ("s" or "1"). Dimensional arguments are
Brian quantities or texts such as "20 ms"; bare numbers make a dimensionless distribution, unless
`unit="s"` says that they are seconds. In TOML: `{family = "gamma", shape = 3.0, mean = "20 ms"}`;
a lone value stands for a constant.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.settings.units import DIMENSIONLESS, SECOND, format_seconds, measure

FloatArray = NDArray[np.float64]


class Scalar:
    """A number in a distribution: set as a number, text or Brian quantity, read as an SI float."""

    def __init__(self, default: float | None = None) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type | None = None) -> float:
        if instance is not None:
            value: float = vars(instance)[self.name]
            return value
        if self.default is None:
            raise AttributeError(self.name)
        return self.default

    def __set__(self, instance: object, value: Any) -> None:
        vars(instance)[self.name] = value


def _is_neutral(value: object) -> bool:
    """0 and infinity mean the same in every unit."""
    return isinstance(value, (int, float)) and (value == 0 or math.isinf(value))


@dataclass(frozen=True)
class Distribution:
    """Base of the distributions: unit handling, checks and conversion to plain values."""

    unit: str = field(default="", kw_only=True)

    family: ClassVar[str] = ""
    _dimensional: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for f in fields(self):
            if f.name not in ("unit", *self._dimensional):
                self._set(f.name, DIMENSIONLESS)
        found = {self._set(name, self.unit) for name in self._dimensional} - {None}
        if len(found) > 1:
            raise InputError(self.family, self._given(), "all its values need the same unit")
        object.__setattr__(self, "unit", next(iter(found), None) or self.unit or DIMENSIONLESS)
        self._check()

    def _set(self, name: str, unit: str) -> str | None:
        """Turn one field into a float; return its unit, None where it fits any."""
        value = vars(self)[name]
        found = measure(value)
        if found is None or math.isnan(found[0]) or found[1] not in (SECOND, DIMENSIONLESS):
            raise InputError(f"{self.family}.{name}", value, "must be a number or a time")
        vars(self)[name] = found[0]
        if _is_neutral(value):
            return None
        if found[1] == DIMENSIONLESS and unit == SECOND:
            return SECOND
        if unit and found[1] != unit:
            raise InputError(f"{self.family}.{name}", value, f"must be in unit {unit!r}")
        return found[1]

    def _given(self) -> dict[str, float]:
        return {name: vars(self)[name] for name in self._dimensional}

    def _demand(self, condition: bool, name: str, allowed: str) -> None:
        if not condition:
            raise InputError(f"{self.family}.{name}", vars(self)[name], allowed)

    def _check(self) -> None:
        """Refuse values outside the family's range."""

    @property
    def lower(self) -> float:
        """The lower end of the support, in the unit of the distribution."""
        raise NotImplementedError

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        """`size` independent draws, shape (size,), in SI."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Plain values for TOML and JSON, times as texts; exact under `as_distribution`."""
        plain: dict[str, Any] = {"family": self.family}
        for f in fields(self):
            value = vars(self)[f.name]
            if f.name == "unit" or (f.name == "high" and math.isinf(value)):
                continue
            timed = self.unit == SECOND and f.name in self._dimensional
            plain[f.name] = format_seconds(value) if timed else value
        return plain


@dataclass(frozen=True)
class Constant(Distribution):
    """The same value everywhere."""

    value: Scalar = Scalar()

    family: ClassVar[str] = "constant"
    _dimensional: ClassVar[tuple[str, ...]] = ("value",)

    def _check(self) -> None:
        self._demand(math.isfinite(self.value), "value", "must be finite")

    @property
    def lower(self) -> float:
        return self.value

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return np.full(size, self.value)


@dataclass(frozen=True)
class Gamma(Distribution):
    """Gamma distribution of given shape and mean, CV = 1/sqrt(shape); draws clipped to [low, high].

    Clipping moves the mass beyond an end onto that end, so the mean is that of the unclipped law.
    Gamma-distributed membrane time constants are what makes the network heterogeneous [paper].
    """

    shape: Scalar = Scalar()
    mean: Scalar = Scalar()
    low: Scalar = Scalar(0.0)
    high: Scalar = Scalar(math.inf)

    family: ClassVar[str] = "gamma"
    _dimensional: ClassVar[tuple[str, ...]] = ("mean", "low", "high")

    @classmethod
    def from_cv(cls, *, mean: Any, cv: float, low: Any = 0.0, high: Any = math.inf) -> "Gamma":
        """The gamma distribution of given mean and coefficient of variation (shape = 1/cv^2)."""
        return cls(shape=_shape_of_cv(cv), mean=mean, low=low, high=high)

    def _check(self) -> None:
        self._demand(0 < self.shape < math.inf, "shape", "must be > 0")
        self._demand(0 < self.mean < math.inf, "mean", "must be > 0")
        self._demand(self.low >= 0, "low", "must be >= 0")
        self._demand(self.high > self.low, "high", "must be above low")

    @property
    def lower(self) -> float:
        return self.low

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return np.clip(rng.gamma(self.shape, self.mean / self.shape, size), self.low, self.high)


@dataclass(frozen=True)
class Lognormal(Distribution):
    """Lognormal of given mean and CV: sigma^2 = ln(1 + cv^2), mu = ln(mean) - sigma^2/2."""

    mean: Scalar = Scalar()
    cv: Scalar = Scalar()

    family: ClassVar[str] = "lognormal"
    _dimensional: ClassVar[tuple[str, ...]] = ("mean",)

    def _check(self) -> None:
        self._demand(0 < self.mean < math.inf, "mean", "must be > 0")
        self._demand(0 < self.cv < math.inf, "cv", "must be > 0")

    @property
    def lower(self) -> float:
        return 0.0

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        variance = math.log1p(self.cv**2)
        return rng.lognormal(math.log(self.mean) - variance / 2, math.sqrt(variance), size)


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform distribution on [low, high)."""

    low: Scalar = Scalar()
    high: Scalar = Scalar()

    family: ClassVar[str] = "uniform"
    _dimensional: ClassVar[tuple[str, ...]] = ("low", "high")

    def _check(self) -> None:
        self._demand(math.isfinite(self.low), "low", "must be finite")
        self._demand(self.low <= self.high < math.inf, "high", "must be finite and not below low")

    @property
    def lower(self) -> float:
        return self.low

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return rng.uniform(self.low, self.high, size)


FAMILIES: dict[str, type[Distribution]] = {
    cls.family: cls for cls in (Constant, Gamma, Lognormal, Uniform)
}


def _shape_of_cv(cv: object) -> float:
    found = measure(cv)
    if found is None or found[1] != DIMENSIONLESS or not 0 < found[0] < math.inf:
        raise InputError("gamma.cv", cv, "must be a number > 0")
    return 1 / found[0] ** 2


def distribution_from_dict(
    table: Mapping[str, Any], argument: str = "distribution"
) -> Distribution:
    """The distribution a TOML table describes; a gamma takes `cv` in place of `shape`.

    Raises InputError for an unknown family or key, a missing key or an unusable value.
    """
    values = dict(table)
    name = values.pop("family", None)
    if not isinstance(name, str):
        raise InputError(argument, dict(table), f"needs a family: {', '.join(sorted(FAMILIES))}")
    if name not in FAMILIES:
        raise unknown_name(f"{argument}.family", name, FAMILIES)
    cls = FAMILIES[name]
    if cls is Gamma and "cv" in values and "shape" not in values:
        values["shape"] = _shape_of_cv(values.pop("cv"))
    known = [f.name for f in fields(cls) if f.name != "unit"]
    for key in values:
        if key not in known:
            raise unknown_name(argument, key, known)
    optional = ("low", "high") if cls is Gamma else ()
    missing = [key for key in known if key not in values and key not in optional]
    if missing:
        raise InputError(argument, dict(table), f"a {name} distribution also needs {missing[0]}")
    try:
        return cls(**values)
    except InputError as error:
        raise InputError(f"{argument}: {error.argument}", error.value, error.allowed) from None


def as_distribution(value: object, unit: str, argument: str = "distribution") -> Distribution:
    """A distribution in `unit` ("s" or "1") from one, from its table, or from a constant.

    Raises InputError where the unit differs; a bare number for a time names the remedy.
    """
    if isinstance(value, Mapping):
        found = distribution_from_dict(value, argument)
    elif isinstance(value, Distribution):
        found = value
    elif measure(value) is not None:
        found = Constant(value)
    else:
        raise InputError(argument, value, "must be a distribution, its table or a constant")
    if found.unit != unit:
        wanted = "a time with a unit, such as '20 ms'" if unit == SECOND else "without a unit"
        raise InputError(argument, found.to_dict(), f"its values must be {wanted}")
    return found
