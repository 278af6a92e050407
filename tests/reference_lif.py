"""Independent reference of the interpolated LIF rule: numpy only, nothing of the package.

    dv/dt = (I_e - I_i + I(t) - v)/tau_m  unless refractory,  dI_x/dt = -I_x/tau_x,  I_x += |w|

integrated on a grid with spike times interpolated inside the step, h before its end, as one
would write it in Brian; with perturbed copies (Benettin) and, on the same trajectory, the tangent
vector of `saltation.py`. All times in seconds; states are (rows, N), row 0 is the unperturbed
trajectory.
"""

from dataclasses import dataclass

import numpy as np
from lif_network import LIFNetwork, State, kick_response
from saltation import Tangent


@dataclass(frozen=True)
class Spike:
    """One spike of row 0: h seconds before the end of step `step`."""

    step: int
    neuron: int
    h: float


@dataclass(frozen=True)
class Run:
    """What `simulate` gives: spikes of row 0, the final state, ln growth per renormalisation of
    the copies (m, rows - 1) and of the tangent vector (m,)."""

    spikes: list[Spike]
    state: State
    copy_logs: np.ndarray
    tangent_logs: np.ndarray


def simulate(
    network: LIFNetwork,
    current: np.ndarray,
    *,
    dt: float,
    steps: int,
    state: State,
    hold: float = 1e-3,
    d0: tuple[float, ...] = (),
    t_renorm: float = 20e-3,
    tangent: bool = False,
    rule: str = "linear",
    seed: int = 11,
) -> Run:
    """The interpolated rule on a grid of dt, as one would write it in Brian.

    current: (m, N), row k holds during [k*hold, (k+1)*hold). d0: one perturbed copy in a random
    direction per entry; empty for a plain run of the rows of `state`. tangent: follow the tangent
    vector of row 0. rule: "linear", crossing on the chord and v += w*h/tau_m for a kick of age h;
    "parabola", crossing on the parabola with the slope at the step's end, kicks to second order
    and only since the neuron's release.
    """
    state = state.copy()
    generator = np.random.default_rng(seed)
    every, per_hold = round(t_renorm / dt), round(hold / dt)
    sizes = np.array(d0)
    if d0:
        _perturb(state, sizes, generator)
    vector = Tangent(network, generator) if tangent else None
    grid = GridRule(network, dt, rule)
    spikes: list[Spike] = []
    copy_logs, tangent_logs = [], []
    for step in range(steps):
        x = current[step // per_hold]
        before = State(*(a[0].copy() for a in vars(state).values())) if vector else None
        rows, neurons, h = grid.advance(state, x)
        first = rows == 0
        spikes += [
            Spike(step, int(j), float(t)) for j, t in zip(neurons[first], h[first], strict=True)
        ]
        if vector and before:
            vector.advance(before, x, dt, neurons[first], h[first])
        if (step + 1) % every == 0:
            if d0:
                copy_logs.append(_renormalise(state, sizes))
            if vector:
                tangent_logs.append(vector.renormalise())
    return Run(spikes, state, np.array(copy_logs), np.array(tangent_logs))


class GridRule:
    """One step for all rows: update, threshold, kicks, reset, in Brian's order."""

    def __init__(self, network: LIFNetwork, dt: float, rule: str) -> None:
        if rule not in ("linear", "parabola"):
            raise ValueError(rule)
        self.network, self.dt, self.parabola = network, dt, rule == "parabola"
        self.p_v = np.exp(-dt / network.tau_m)
        self.p_ve = kick_response(dt, network.tau_m, network.tau_e)
        self.p_vi = kick_response(dt, network.tau_m, network.tau_i)
        self.p_e, self.p_i = np.exp(-dt / network.tau_e), np.exp(-dt / network.tau_i)

    def advance(self, s: State, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance `s` in place; rows, neurons and h of the spikes."""
        net, dt = self.network, self.dt
        full = self.p_v * s.v + self.p_ve * s.i_e - self.p_vi * s.i_i + (1.0 - self.p_v) * x
        active = np.clip(dt - s.rc, 0.0, dt)
        rise = active / dt * (full - s.v)
        s.v = s.v + rise
        s.i_e, s.i_i = s.i_e * self.p_e, s.i_i * self.p_i
        s.rc = np.maximum(s.rc - dt, 0.0)
        rows, neurons = np.nonzero(s.v >= net.v_th)
        if not rows.size:
            return rows, neurons, np.zeros(0)
        over, rise = s.v[rows, neurons] - net.v_th[neurons], rise[rows, neurons]
        h = self._since_crossing(s, x, rows, neurons, over, rise)
        v_reset = np.full(len(h), net.v_reset)
        if net.reset == "subtractive":
            # the potential at the crossing less the threshold: 0 unless h was clipped
            v_reset = np.zeros(len(h)) if self.parabola else over - rise * h / dt
        for row, j, lag in zip(rows, neurons, h, strict=True):
            self._kick(s, int(row), int(j), float(lag), active)
        self._reset(s, x, rows, neurons, h, v_reset)
        return rows, neurons, h

    def _since_crossing(self, s: State, x, rows, neurons, over, rise) -> np.ndarray:
        dt = self.dt
        if not self.parabola:
            return np.clip(over / np.clip(rise, 1e-12, 1e9), 0.0, 2.0) * dt
        drive = s.i_e[rows, neurons] - s.i_i[rows, neurons] + x[neurons]
        slope = (drive - s.v[rows, neurons]) / self.network.tau_m[neurons]
        curvature = 2.0 * (slope * dt - rise) / dt**2
        root = np.sqrt(np.maximum(slope**2 - 2.0 * curvature * over, 0.0))
        return np.clip(2.0 * over / np.maximum(slope + root, 1e-9), 0.0, 2.0 * dt)

    def _kick(self, s: State, row: int, j: int, h: float, active: np.ndarray) -> None:
        net = self.network
        post, w = net.fan_out[j]
        tau_m = net.tau_m[post]
        tau = net.tau_e[post] if net.is_e[j] else net.tau_i[post]
        if net.is_e[j]:
            s.i_e[row, post] += w * np.exp(-h / tau)
        else:
            s.i_i[row, post] -= w * np.exp(-h / tau)
        response = h / tau_m
        if self.parabola:
            moving = active[row, post]
            age = np.where(moving < self.dt, np.minimum(h, moving), h)
            response = age / tau_m * (1.0 - 0.5 * age * (1.0 / tau_m + 1.0 / tau))
        s.v[row, post] += np.where(s.rc[row, post] <= 0.0, w * response, 0.0)

    def _reset(self, s: State, x: np.ndarray, rows, neurons, h, v_reset) -> None:
        net = self.network
        drive = s.i_e[rows, neurons] - s.i_i[rows, neurons] + x[neurons]
        moved = np.clip(h - net.t_ref, 0.0, 2.0 * self.dt) / net.tau_m[neurons]
        if self.parabola:
            moved = -np.expm1(-moved)
        s.v[rows, neurons] = v_reset + moved * (drive - v_reset)
        s.rc[rows, neurons] = np.maximum(net.t_ref - h, 0.0)


def _perturb(state: State, sizes: np.ndarray, generator: np.random.Generator) -> None:
    """Replace the rows by row 0 and one copy per size, at that distance."""
    n = state.v.shape[1]
    direction = generator.normal(size=(3, len(sizes), n))
    direction *= sizes[:, None] / np.sqrt((direction**2).sum(axis=(0, 2)))[:, None]
    for name, offset in zip(("v", "i_e", "i_i"), direction, strict=True):
        base = getattr(state, name)[:1]
        setattr(state, name, np.concatenate([base, base + offset]))
    state.rc = np.repeat(state.rc[:1], len(sizes) + 1, axis=0)


def _renormalise(s: State, sizes: np.ndarray) -> np.ndarray:
    """ln growth of the copies; puts them back at their distances. Zero distance raises."""
    square = sum(((a[1:] - a[0]) ** 2).sum(axis=1) for a in (s.v, s.i_e, s.i_i))
    distance = np.sqrt(square)
    if (distance == 0.0).any():
        raise ZeroDivisionError("a copy has met its reference")
    factor = (sizes / distance)[:, None]
    for a in (s.v, s.i_e, s.i_i, s.rc):
        a[1:] = a[0] + (a[1:] - a[0]) * factor
    np.maximum(s.rc, 0.0, out=s.rc)
    return np.log(distance / sizes)
