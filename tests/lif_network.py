"""The network and state that the oracles of the exponent tests share; numpy and scipy only."""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class LIFNetwork:
    """W (N, N) signed CSR W[post, pre]; is_e, time constants and thresholds (N,)."""

    W: sp.csr_array
    is_e: np.ndarray
    tau_m: np.ndarray
    tau_e: np.ndarray
    tau_i: np.ndarray
    v_th: np.ndarray
    v_reset: float = 0.0
    reset: str = "hard"
    t_ref: float = 2e-3
    fan_out: list[tuple[np.ndarray, np.ndarray]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        columns = sp.csc_array(self.W)
        ends = columns.indptr
        pairs = [slice(ends[j], ends[j + 1]) for j in range(columns.shape[0])]
        fan_out = [(columns.indices[s], columns.data[s]) for s in pairs]
        object.__setattr__(self, "fan_out", fan_out)

    @property
    def n(self) -> int:
        return len(self.tau_m)

    def after_reset(self, at_threshold: np.ndarray) -> np.ndarray:
        """v just after a spike of neurons whose v_th are `at_threshold`."""
        return np.where(self.reset == "hard", self.v_reset, 0.0 * at_threshold)


@dataclass
class State:
    """v, I_e, I_i and remaining refractory time rc (seconds), each (rows, N)."""

    v: np.ndarray
    i_e: np.ndarray
    i_i: np.ndarray
    rc: np.ndarray

    def copy(self) -> "State":
        return State(self.v.copy(), self.i_e.copy(), self.i_i.copy(), self.rc.copy())


def random_state(n: int, rows: int = 1, seed: int = 3) -> State:
    """Equal rows: v uniform below threshold 1, no currents, nobody refractory."""
    v = np.tile(np.random.default_rng(seed).uniform(0.0, 1.0, n), (rows, 1))
    return State(v, np.zeros_like(v), np.zeros_like(v), np.zeros_like(v))


def kick_response(h: np.ndarray, tau_m: np.ndarray, tau_s: np.ndarray) -> np.ndarray:
    """v after time h of a unit synaptic current at time 0; exact, also where tau_s = tau_m."""
    z = np.asarray(h) * (1.0 / tau_m - 1.0 / tau_s)
    ratio = np.where(np.abs(z) < 1e-9, 1.0, -np.expm1(-z) / np.where(z == 0.0, 1.0, z))
    return h / tau_m * np.exp(-h / tau_s) * ratio
