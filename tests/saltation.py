"""The tangent vector with jumps on a given trajectory: the oracle for spiking exponents.

At a spike of j, b = dv_j/(dv_j/dt just before), minus the shift of the spike: dI_i -= (w/tau_x) b,
dv_i += (w/tau_m) b unless i is refractory, dv_j = (dv_j/dt just after) b at the release. Between
spikes the exact linear flow. numpy only, nothing of the package.
"""

import numpy as np
from lif_network import LIFNetwork, State, kick_response

# 1/s; a spike with a smaller slope happens about once in 10,000, and would dominate the tangent.
SMALLEST_SLOPE = 0.1


class Tangent:
    """The tangent vector of one trajectory on the grid.

    The rule lets free propagation over the step decide its crossings; kicks of the same step act
    after them. So must the slopes: with kicks of the same step in the slope before a spike, some
    inhibited just too late have slopes near 0, and the exponent comes out far too large.
    """

    def __init__(self, network: LIFNetwork, generator: np.random.Generator) -> None:
        self.network = network
        self.dv, self.de, self.di = generator.normal(size=(3, network.n))
        # of refractory neurons: minus the shift of their last spike
        self.b = np.zeros(network.n)
        self.renormalise()

    def renormalise(self) -> float:
        size = float(np.sqrt((self.dv**2 + self.de**2 + self.di**2).sum()))
        for a in (self.dv, self.de, self.di, self.b):
            a /= size
        return float(np.log(size))

    def advance(
        self, s: State, x: np.ndarray, dt: float, neurons: np.ndarray, h: np.ndarray
    ) -> None:
        """Over the step that began in `s` (rows of one trajectory, (N,)) with these spikes."""
        net = self.network
        released = (s.rc > 0.0) & (s.rc < dt)
        if released.any():
            # v of a refractory neuron waits at its reset value
            self.dv = np.where(released, self._slope(s, x, s.rc, s.v) * self.b, self.dv)
        b = np.zeros(0)
        if neurons.size:
            t = np.maximum(dt - h, 0.0)
            # a neuron above threshold at the start of the step fires with its slope there
            v = np.maximum(s.v[neurons], net.v_th[neurons])
            slope = self._slope(s, x, np.maximum(t, s.rc[neurons]), v, neurons)
            dv = self._free(np.maximum(t - s.rc[neurons], 0.0), s.rc[neurons], neurons)
            b = dv / np.maximum(slope, SMALLEST_SLOPE)
            restarted = self._restarted(s, x, dt, neurons, h, b)
        moving = s.rc < dt
        whole = self._free(np.maximum(dt - s.rc, 0.0), s.rc, slice(None))
        self.dv = np.where(moving, whole, 0.0)
        self.de *= np.exp(-dt / net.tau_e)
        self.di *= np.exp(-dt / net.tau_i)
        # how long before the end of the step v began to move; unbounded where it always did
        active = np.where(s.rc <= 0.0, np.inf, np.maximum(dt - s.rc, 0.0))
        if neurons.size:
            active[neurons] = h if net.t_ref == 0.0 else 0.0
            self.dv[neurons] = restarted
            self.b[neurons] = b
        for j, lag, shift in zip(neurons, h, b, strict=True):
            self._jump(int(j), float(lag), float(shift), active)

    def _restarted(self, s: State, x: np.ndarray, dt: float, neurons, h, b) -> np.ndarray:
        """dv of the spiking neurons at the end of the step, without kicks of this step."""
        net = self.network
        if net.t_ref > 0.0:
            return np.zeros(len(neurons))
        t, left = np.maximum(dt - h, 0.0), np.minimum(h, dt)
        slope = self._slope(s, x, t, net.after_reset(net.v_th[neurons]), neurons)
        tau_m, tau_e, tau_i = (a[neurons] for a in (net.tau_m, net.tau_e, net.tau_i))
        return (
            slope * b * np.exp(-left / tau_m)
            + kick_response(left, tau_m, tau_e) * self.de[neurons] * np.exp(-t / tau_e)
            - kick_response(left, tau_m, tau_i) * self.di[neurons] * np.exp(-t / tau_i)
        )

    def _slope(self, s: State, x, t, v, pick=slice(None)) -> np.ndarray:
        """dv/dt at time t in the step of neurons with potential v there, without new kicks."""
        net = self.network
        e = s.i_e[pick] * np.exp(-t / net.tau_e[pick])
        q = s.i_i[pick] * np.exp(-t / net.tau_i[pick])
        return (e - q + x[pick] - v) / net.tau_m[pick]

    def _free(self, elapsed, waited, pick) -> np.ndarray:
        """dv after `elapsed` of free motion that began `waited` into the step."""
        net = self.network
        de = self.de[pick] * np.exp(-waited / net.tau_e[pick])
        di = self.di[pick] * np.exp(-waited / net.tau_i[pick])
        return (
            self.dv[pick] * np.exp(-elapsed / net.tau_m[pick])
            + kick_response(elapsed, net.tau_m[pick], net.tau_e[pick]) * de
            - kick_response(elapsed, net.tau_m[pick], net.tau_i[pick]) * di
        )

    def _jump(self, j: int, h: float, b: float, active: np.ndarray) -> None:
        """What a spike of j shifted by -b has changed at the end of the step."""
        net = self.network
        post, w = net.fan_out[j]
        tau = net.tau_e[post] if net.is_e[j] else net.tau_i[post]
        jump = -np.abs(w) * b / tau
        (self.de if net.is_e[j] else self.di)[post] += jump * np.exp(-h / tau)
        sign = 1.0 if net.is_e[j] else -1.0
        since = np.minimum(h, active[post])
        response = kick_response(since, net.tau_m[post], tau) * np.exp(-(h - since) / tau)
        direct = np.where(h <= active[post], w * b / net.tau_m[post], 0.0)
        change = sign * jump * response + direct * np.exp(-h / net.tau_m[post])
        self.dv[post] += np.where(active[post] > 0.0, change, 0.0)
