"""The network itself: every spike at its crossing, every kick at its spike; numpy only.

Between events all variables follow exact exponentials; dt is only the grid on which crossings are
looked for. With the tangent vector it gives the exponents that the grid's must approach.
"""

import numpy as np
from lif_network import LIFNetwork, kick_response
from saltation import SMALLEST_SLOPE


class EventDriven:
    """One trajectory with its tangent; `run` returns spikes (time, neuron) and ln growth."""

    def __init__(self, network: LIFNetwork, v: np.ndarray, seed: int = 11) -> None:
        n = network.n
        self.net, self.v = network, v.copy()
        self.e, self.q, self.rc, self.b = np.zeros((4, n))
        self.dv, self.de, self.dq = np.random.default_rng(seed).normal(size=(3, n))

    def run(
        self, current: np.ndarray, *, dt: float, steps: int, hold: float = 1e-3, every: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """spikes (m, 2) and ln growth of the tangent per `every` steps."""
        spikes, logs = [], []
        for step in range(steps):
            x, left = current[int((step + 0.5) * dt / hold)], dt
            while (found := self._next_crossing(x, left)) is not None:
                j, elapsed = found
                self._advance(x, elapsed)
                left -= elapsed
                spikes.append(((step + 1) * dt - left, j))
                self._spike(j, x)
            self._advance(x, left)
            if (step + 1) % every == 0:
                size = np.sqrt(sum((a**2).sum() for a in (self.dv, self.de, self.dq)))
                logs.append(np.log(size))
                for a in (self.dv, self.de, self.dq, self.b):
                    a /= size
        return np.array(spikes).reshape(-1, 2), np.array(logs)

    def _potential(self, x: np.ndarray, elapsed: np.ndarray | float, pick=slice(None)):
        """v after `elapsed`, and dv/dt there; refractory neurons wait for their release."""
        net, rc = self.net, self.rc[pick]
        tau_m, tau_e, tau_i = net.tau_m[pick], net.tau_e[pick], net.tau_i[pick]
        a, wait = np.maximum(elapsed - rc, 0.0), np.minimum(rc, elapsed)
        e, q = self.e[pick] * np.exp(-wait / tau_e), self.q[pick] * np.exp(-wait / tau_i)
        decay = np.exp(-a / tau_m)
        v = self.v[pick] * decay + (1.0 - decay) * x[pick]
        v = v + kick_response(a, tau_m, tau_e) * e - kick_response(a, tau_m, tau_i) * q
        drive = e * np.exp(-a / tau_e) - q * np.exp(-a / tau_i) + x[pick]
        return v, (drive - v) / tau_m

    def _next_crossing(self, x: np.ndarray, left: float) -> tuple[int, float] | None:
        if left <= 0.0:
            return None
        v, _ = self._potential(x, left)
        candidates = np.flatnonzero((v >= self.net.v_th) & (self.rc < left))
        if not candidates.size:
            return None
        low = np.minimum(self.rc[candidates], left)
        high = np.full(len(candidates), left)
        t = high.copy()
        for _ in range(60):
            v, slope = self._potential(x, t, candidates)
            error = v - self.net.v_th[candidates]
            low, high = np.where(error < 0, t, low), np.where(error < 0, high, t)
            with np.errstate(divide="ignore", invalid="ignore"):
                newton = t - error / slope
            inside = (newton >= low) & (newton <= high)
            moved = np.where(inside, newton, 0.5 * (low + high))
            if np.max(np.abs(moved - t)) < 1e-16:
                break
            t = moved
        first = int(np.argmin(t))
        return int(candidates[first]), float(t[first])

    def _advance(self, x: np.ndarray, elapsed: float) -> None:
        net = self.net
        if elapsed <= 0.0:
            return
        wait, a = np.minimum(self.rc, elapsed), np.maximum(elapsed - self.rc, 0.0)
        de, dq = self.de * np.exp(-wait / net.tau_e), self.dq * np.exp(-wait / net.tau_i)
        released = (self.rc > 0.0) & (self.rc < elapsed)
        if released.any():
            e = self.e * np.exp(-wait / net.tau_e)
            q = self.q * np.exp(-wait / net.tau_i)
            slope = (e - q + x - self.v) / net.tau_m
            self.dv = np.where(released, slope * self.b, self.dv)
        self.v, _ = self._potential(x, elapsed)
        self.dv = (
            self.dv * np.exp(-a / net.tau_m)
            + kick_response(a, net.tau_m, net.tau_e) * de
            - kick_response(a, net.tau_m, net.tau_i) * dq
        )
        self.e *= np.exp(-elapsed / net.tau_e)
        self.q *= np.exp(-elapsed / net.tau_i)
        self.de = de * np.exp(-a / net.tau_e)
        self.dq = dq * np.exp(-a / net.tau_i)
        self.rc = np.maximum(self.rc - elapsed, 0.0)

    def _spike(self, j: int, x: np.ndarray) -> None:
        net = self.net
        slope = (self.e[j] - self.q[j] + x[j] - net.v_th[j]) / net.tau_m[j]
        b = self.dv[j] / max(slope, SMALLEST_SLOPE)
        self.v[j] = net.after_reset(net.v_th[j : j + 1])[0]
        after = (self.e[j] - self.q[j] + x[j] - self.v[j]) / net.tau_m[j]
        self.rc[j], self.b[j] = net.t_ref, b
        self.dv[j] = 0.0 if net.t_ref > 0.0 else after * b
        post, w = net.fan_out[j]
        if net.is_e[j]:
            self.e[post] += w
            self.de[post] -= w * b / net.tau_e[post]
        else:
            self.q[post] -= w
            self.dq[post] += w * b / net.tau_i[post]
        self.dv[post] += np.where(self.rc[post] <= 0.0, w * b / net.tau_m[post], 0.0)
