"""Right-hand sides and maps as users write them, made safe for stacks of copies.

The estimator hands over a stack (..., dim) of states. Functions for one state, for its components
(`x, y, z = s`) or for a table of rows are as common, and many of them take a stack without an
error and mix its states. So the values for single states are the truth, and the first way to hand
over a stack that gives them is taken; applied state by state every function for one state works.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.exponents.qr import FloatArray
from hrsnn_brian.seeds import rng

Function = Callable[[float, FloatArray], Any]

# Relative spread of the states that are tried, far above rounding and near the starting points.
SPREAD = 1e-3
# A stack and its single states may differ by the order of their sums, not by more.
AGREEMENT = 1e-9
# States of a stack that are compared one by one.
SAMPLE = 64


# Shapes that a single state may be given in: its own, or a table or stack of one.
_SINGLE = ((-1,), (1, -1), (1, 1, -1))


class StackFunction:
    """A user's function of (t, x), x of shape (..., dim): checked, its values always copied.

    name: of the argument, for messages; function: what the user gave; call: the same as a function
    of (t, x); start: (segments, dim) states; copies: how many of each there will be in a stack.

    Raises InputError if the function fails for a state, returns something else than `dim` real
    numbers in double precision, or other values when it is called again.
    """

    def __init__(
        self, name: str, function: Any, call: Function, start: FloatArray, copies: int
    ) -> None:
        if not callable(function):
            raise InputError(name, function, "must be a function")
        self._name, self._call, self._dim = name, call, start.shape[1]
        self._shown = getattr(function, "__qualname__", repr(function))
        self._copies = copies, 1
        self._modifies = False
        stacks = self._around(start)
        self._single = self._find_single(stacks[0][0, 0])
        wanted = [self._alone(0.0, stack) for stack in stacks]
        for way in (self._stack, self._rows, self._components, self._one_by_one):
            self._way = way
            if all(map(self._agrees, (0.0, 0.0), stacks, wanted)):
                return
        raise self._error("gives a stack of states other values than its states one by one")

    def __call__(self, t: float, x: FloatArray) -> FloatArray:
        found = self._way(t, x.copy() if self._modifies else x)
        if found.shape != x.shape:
            raise self._error(f"returned shape {found.shape} for x of shape {x.shape}")
        return found

    def check(self, t: float, states: FloatArray) -> None:
        """Compares stacks with their single states again, around other `states` (segments, dim).

        Raises InputError where they differ.
        """
        for stack in self._around(states):
            if not self._agrees(t, stack, self._alone(t, stack)):
                raise self._error(
                    "gives a stack of states other values than its states one by one, if not yet "
                    "at x0"
                )

    # ---- ways to hand over a stack (..., dim) ----

    def _stack(self, t: float, x: FloatArray) -> FloatArray:
        return _numbers(self._call(t, x))

    def _rows(self, t: float, x: FloatArray) -> FloatArray:
        rows = x.reshape(-1, self._dim)
        return _of_shape(_numbers(self._call(t, rows)), rows.shape).reshape(x.shape)

    def _components(self, t: float, x: FloatArray) -> FloatArray:
        components = x.reshape(-1, self._dim).T
        return _of_shape(_numbers(self._call(t, components)), components.shape).T.reshape(x.shape)

    def _one_by_one(self, t: float, x: FloatArray) -> FloatArray:
        states = x.reshape(-1, self._dim)
        return np.array([self._of_single(t, state) for state in states]).reshape(x.shape)

    def _of_single(self, t: float, state: FloatArray) -> FloatArray:
        """(dim,) of one state; a column, or a bare number in one dimension, will do."""
        found = _numbers(self._call(t, state.reshape(self._single)))
        if found.size != self._dim:
            raise _Unusable(f"returned shape {found.shape} for a state of shape {state.shape}")
        return found.reshape(-1)

    # ---- checks ----

    def _around(self, states: FloatArray) -> list[FloatArray]:
        """Stacks (segments, copies, dim) of the sizes that will be used, near `states`."""
        random = rng(0, "state", "stack check")
        size = np.abs(states)
        least = np.min(size, axis=1, keepdims=True, initial=1.0, where=size > 0)
        step = SPREAD * np.where(size > 0, size, least)
        shapes = [(len(states), copies, self._dim) for copies in self._copies]
        return [
            states[:, None] + step[:, None] * random.uniform(-1, 1, size=shape) for shape in shapes
        ]

    def _find_single(self, state: FloatArray) -> tuple[int, ...]:
        """The shape that the function takes a single state in."""
        problems = []
        for self._single in _SINGLE:
            try:
                with np.errstate(all="ignore"):
                    self._of_single(0.0, state.copy())
                return self._single
            except Exception as problem:  # not written for this shape: the next is tried
                problems.append(problem)
        first = problems[0]
        kind = "" if isinstance(first, _Unusable) else f"{type(first).__name__}: "
        raise self._error(kind + (str(first).splitlines() or [""])[0]) from first

    def _alone(self, t: float, stack: FloatArray) -> FloatArray:
        """Values (sample, dim) of single states."""
        found = []
        with np.errstate(all="ignore"):
            for state in _sample(stack):
                given = state.copy()
                first = self._of_single(t, given)
                self._modifies |= not np.array_equal(given, state, equal_nan=True)
                again = self._of_single(t, state.copy())
                if not np.array_equal(first, again, equal_nan=True):
                    raise self._error("returned other values when called again with the same state")
                found.append(first)
        return np.array(found)

    def _agrees(self, t: float, stack: FloatArray, wanted: FloatArray) -> bool:
        given = stack.copy()
        with np.errstate(all="ignore"):
            try:
                found = self._way(t, given)
            except Exception:  # not written for this way: the next is tried
                return False
            self._modifies |= not np.array_equal(given, stack, equal_nan=True)
            if found.shape != stack.shape:
                return False
            found = _sample(found)
            finite = np.where(np.isfinite(wanted), np.abs(wanted), 0.0)
            same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
            near = np.abs(found - wanted) <= AGREEMENT * finite.max(axis=0)
            return bool((same | near).all())

    def _error(self, what: str) -> InputError:
        call = "rhs(t, x)" if self._name == "rhs" else f"{self._name}(x)"
        wanted = f"x of shape (..., {self._dim}), or one state ({self._dim},)"
        return InputError(
            self._name, self._shown, f"{what}; {call} takes {wanted}, and returns the same shape"
        )


class _Unusable(TypeError):
    """What a function returned is not one real number in double precision per variable."""


def _sample(stack: FloatArray) -> FloatArray:
    states = stack.reshape(-1, stack.shape[-1])
    return states[np.unique(np.linspace(0, len(states) - 1, SAMPLE).astype(int))]


def _numbers(value: Any) -> FloatArray:
    """A copy in double precision: a function may return its own work array."""
    if value is None:
        raise _Unusable("returned None")
    found = np.asarray(value)
    if found.dtype.kind not in "fiub":
        raise _Unusable(f"returned values of type {found.dtype}, not real numbers")
    if found.dtype.kind == "f" and found.itemsize < 8:
        raise _Unusable(f"returned {found.dtype}, whose rounding hides small perturbations")
    return np.array(found, dtype=float)


def _of_shape(found: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    if found.shape != shape:
        raise ValueError(f"returned shape {found.shape} for {shape}")
    return found
