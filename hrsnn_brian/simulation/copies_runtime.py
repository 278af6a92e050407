"""Run copies on Brian's numpy or cython target: Brian's own Synapses, comparison in Python.

The independent counterpart of copies.cpp for small studies and for tests.
"""

from collections.abc import Mapping
from typing import Any

import brian2 as b2
import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.simulation.model import Model
from hrsnn_brian.simulation.perturbation import ACTIONS

Scene = Mapping[str, NDArray]


class Observer:
    """Perturbs, measures and renormalises copies; called at the end of every step."""

    def __init__(self, model: Model, scene: Scene) -> None:
        self.neurons: Any = model["neurons"]
        self.copies, self.n = int(scene["copies"][0]), int(scene["n_cells"][0])
        self.dt, self.d0 = float(scene["dt"][0]), float(scene["d0"][0])
        self.first = int(scene["first_step"][0])
        self.interval = int(scene["interval_steps"][0])
        self.action = ACTIONS[int(scene["action"][0])]
        self.postpone_above = float(scene["postpone_above"][0])
        # (copies, components perturbed, N)
        self.directions = scene["directions"].reshape(self.copies - 1, -1, self.n)
        self.states = ["v", *(current for _, current in model.shape.pathways)]
        self.timed = "remaining" in self.neurons.variables
        self.tau_m = scene["cells.tau_m"]
        self.step = self.due = self.last = self.postponed = 0
        self.log_growth: list[NDArray] = []
        self.log_time: list[float] = []
        self.snapshots: list[NDArray] = []

    def operation(self) -> b2.NetworkOperation:
        return b2.NetworkOperation(self._observe, when="end", name="observe_copies")

    def result(self) -> dict[str, NDArray]:
        return {
            "log_growth": np.array(self.log_growth).ravel(),
            "log_time": np.array(self.log_time),
            "snapshots": np.array(self.snapshots).ravel(),
            "postponed": np.array([float(self.postponed)]),
        }

    def _observe(self) -> None:
        self.step += 1
        if self.copies < 2 or self.step < self.first:
            return
        if self.step == self.first:
            self._perturb()
            self.last, self.due = self.step, self.step + self.interval
            return
        if self.step < self.due:
            return
        if self._straddles() and self.step < self.due + 10:
            self.postponed += 1
            return
        self._measure()
        self.due += self.interval

    def _state(self) -> NDArray:
        """(components, N, copies); a refractory time counts as tau_m makes it a potential."""
        columns = [getattr(self.neurons, f"{name}_")[:] for name in self.states]
        state = [np.asarray(c).reshape(self.n, self.copies) for c in columns]
        if self.timed:
            remaining = np.asarray(self.neurons.remaining_[:]).reshape(self.n, self.copies)
            state.append(remaining / self.tau_m[:, None])
        return np.array(state)

    def _write(self, state: NDArray) -> None:
        for name, values in zip(self.states, state, strict=False):
            setattr(self.neurons, f"{name}_", values.ravel())
        if self.timed:
            remaining = np.maximum(state[-1], 0.0) * self.tau_m[:, None]
            self.neurons.remaining_ = remaining.ravel()

    def _straddles(self) -> bool:
        v = self._state()[0]
        return self.postpone_above > 0 and bool(
            np.any(np.abs(v[:, 1:] - v[:, :1]) > self.postpone_above)
        )

    def _perturb(self) -> None:
        state = self._state()
        state[:, :, 1:] = state[:, :, :1]
        perturbed = self.directions.shape[1]
        state[:perturbed, :, 1:] += self.d0 * np.moveaxis(self.directions, 0, -1)
        self._write(state)

    def _measure(self) -> None:
        state = self._state()
        difference = (state[:, :, 1:] - state[:, :, :1]).reshape(-1, self.copies - 1)
        if self.action == "orthonormalise":
            directions, triangle = np.linalg.qr(difference)
            signs = np.where(np.diag(triangle) < 0, -1.0, 1.0)
            directions, growth = directions * signs, np.abs(np.diag(triangle))
        else:
            growth = np.linalg.norm(difference, axis=0)
            directions = difference / np.where(growth > 0, growth, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.log_growth.append(np.log(growth / self.d0))
        if self.action == "watch":
            self.snapshots.append(state[:, :, 0].ravel())
        self.log_time.append((self.step - self.last) * self.dt)
        self.last = self.step
        if self.action == "restart":
            self._perturb()
        elif self.action != "watch":
            copies = directions.reshape(len(state), self.n, -1) * self.d0
            state[:, :, 1:] = state[:, :, :1] + copies
            self._write(state)
