"""Exact one-step propagators of the linear neuron, computed once per neuron, not once per step.

Between spikes the model is linear, x' = A x with the held input as extra components whose
derivative is zero, so x(t + dt) = expm(A dt) x(t). The exponential of the augmented matrix has no
singularity: tau_m == tau_e is exact. (Method: Rotter & Diesmann 1999.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from hrsnn_brian.errors import EngineError, InputError


@dataclass(frozen=True)
class LinearSystem:
    """A linear ODE as text, written by `model.linear_system` and stored beside a program.

    states: the variables, in the order of their equations.
    inputs: the variables held constant during a step.
    rows: for each state, {state or input: coefficient} with non-zero coefficients only.
    shared: parameters with one value for all neurons.
    """

    states: tuple[str, ...]
    inputs: tuple[str, ...]
    rows: dict[str, dict[str, str]]
    parameters: tuple[str, ...]
    shared: tuple[str, ...]

    def reachable(self, state: str) -> tuple[str, ...]:
        """Every variable that `state` depends on within one step, itself first."""
        found = [state]
        for name in found:
            found.extend(n for n in self.rows.get(name, {}) if n not in found)
        return tuple(found)

    def is_shared(self, state: str) -> bool:
        """Whether the propagators of `state` are the same for all neurons."""
        used = {
            p
            for name in self.reachable(state)
            for text in self.rows.get(name, {}).values()
            for p in self.parameters
            if p in _identifiers(text)
        }
        return used <= set(self.shared)

    def entries(self) -> list[tuple[str, str, str, bool]]:
        """(propagator name, state, variable, is_shared) for each structurally non-zero entry."""
        return [
            (f"P_{state}_{other}", state, other, self.is_shared(state))
            for state in self.states
            for other in self.reachable(state)
        ]

    def own_entries(self) -> list[str]:
        """Names of the propagators that differ from neuron to neuron."""
        return [name for name, _, _, shared in self.entries() if not shared]


def _identifiers(text: str) -> set[str]:
    return set(compile(text, "<coefficient>", "eval").co_names)


def propagators(
    system: LinearSystem, parameters: Mapping[str, NDArray[np.float64] | float], dt: float
) -> dict[str, NDArray[np.float64]]:
    """The entries of expm(A dt) for every neuron.

    parameters: SI values, arrays of shape (N,) or numbers. dt in seconds.
    Returns {name of `LinearSystem.entries`: array (N,), or (1,) where shared}.
    Raises InputError for a parameter that is missing, not finite or, if a time constant, not
    positive.
    """
    values = {}
    for name in system.parameters:
        if name not in parameters:
            raise EngineError(f"no value for the parameter {name!r} of the neuron equations")
        value = np.asarray(parameters[name], dtype=float)
        if not np.all(np.isfinite(value)) or (name.startswith("tau_") and np.any(value <= 0)):
            raise InputError(name, parameters[name], "must be finite, time constants positive")
        values[name] = value
    result: dict[str, NDArray[np.float64]] = {}
    for state in system.states:
        names = system.reachable(state)
        blocks = {
            (row, column): eval(compile(text, row, "eval"), {"__builtins__": {}}, values)
            for row in names
            for column, text in system.rows.get(row, {}).items()
        }
        size = 1 if system.is_shared(state) else max(np.size(v) for v in values.values())
        matrix = np.zeros((size, len(names), len(names)))
        for (row, column), block in blocks.items():
            matrix[:, names.index(row), names.index(column)] = block
        exponential = _exponentials(matrix * dt)
        for k, other in enumerate(names):
            result[f"P_{state}_{other}"] = np.ascontiguousarray(exponential[:, 0, k])
    return result


def _exponentials(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """expm of each of (n, k, k). Runs of one network, and of what pruning leaves of it, ask for the
    same again and again; scipy's expm, a Python loop, then takes as long as a short run.
    """
    k = matrices.shape[-1]
    if k == 1:
        return np.asarray(expm(matrices))
    found = [_exponential(matrix.tobytes(), k) for matrix in matrices]
    return np.frombuffer(b"".join(found)).reshape(-1, k, k)


@lru_cache(maxsize=2**15)
def _exponential(matrix: bytes, k: int) -> bytes:
    return bytes(expm(np.frombuffer(matrix).reshape(k, k)).tobytes())


def update_statements(system: LinearSystem) -> str:
    """The state update as abstract code: every state from the values at the step's start."""
    new = [
        f"_{state} = "
        + " + ".join(f"P_{state}_{other}*{other}" for other in system.reachable(state))
        for state in system.states
    ]
    return "\n".join([*new, *(f"{state} = _{state}" for state in system.states)])


def parameter_lines(system: LinearSystem) -> list[str]:
    """Declarations of the propagators, to be appended to the neuron's equations."""
    return [
        f"{name} : 1 (constant{', shared' if shared else ''})"
        for name, _, _, shared in system.entries()
    ]
