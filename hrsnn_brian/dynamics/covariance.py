"""Covariance of the filtered rates under task-agnostic white-noise drive.

Measured from sampled traces of a simulated network, or, as a fast alternative and as a test of
the linear regime, from the linear response of the network.

Linear response: x' = A x + D xi with A = -D + W_eff, D = diag(1/tau_m), xi white noise of
intensity sigma^2 into every neuron, and W_eff = gain D W: a recurrent input enters the
membrane equation through 1/tau_m as the drive does. [review: A = -D + W; our choice: the gain]
The stationary covariance solves A C + C A' + sigma^2 D D' = 0.
"""

import math
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, LinAlgWarning, cholesky, solve_continuous_lyapunov

from hrsnn_brian.errors import InputError

Floats = NDArray[np.float64]

RADIUS = 0.8  # spectral radius of gain W where no gain is given


def trace_covariance(traces: Floats) -> Floats:
    """Unbiased covariance (N, N) of sampled traces (T, N), in the traces' unit squared.

    Raises InputError unless `traces` is a finite matrix of at least two samples.
    """
    x = np.asarray(traces, dtype=float)
    if x.ndim != 2 or x.shape[0] < 2:
        raise InputError("traces", x.shape, "must be (samples, neurons) with at least 2 samples")
    if not np.isfinite(x).all():
        raise InputError("traces", float("nan"), "must be finite everywhere")
    centred = x - x.mean(axis=0)
    return centred.T @ centred / (x.shape[0] - 1)


def linear_operator(W: Floats, tau_m: Floats, gain: float) -> Floats:
    """A = -D + gain D W, 1/s. W: dense (N, N) `W[post, pre]`; tau_m: (N,), s."""
    return (gain * W - np.eye(W.shape[0])) / tau_m[:, None]


def stationary_covariance(A: Floats, Q: Floats) -> Floats:
    """C (N, N) of x' = A x + noise of intensity Q: the solution of A C + C A' + Q = 0.

    A: (N, N), 1/s; Q: (N, N), symmetric positive definite. Cost of order 25 N^3.
    By Lyapunov's theorem C is positive definite if and only if A is stable; this is the check.

    Raises InputError if A is not stable, since there is no stationary state then.
    """
    C = _solve(A, Q)
    if C is None:
        shape = f"{A.shape[0]} x {A.shape[0]} matrix"
        raise InputError("A", shape, "must be stable: every eigenvalue with a real part < 0")
    return C


def linear_covariance(
    W: object, tau_m: Floats, gain: float | None = None, sigma: float = 1.0
) -> Floats:
    """Covariance (N, N) of the linearised network under white noise of intensity sigma^2.

    W: (N, N), sparse or dense, weights; tau_m: (N,), s; gain: effect of a unit of presynaptic
    state, a dimensionless factor on W, the same for all. By default the gain puts the spectral
    radius of gain W at `RADIUS` (the radius of W being taken as no less than the circular law's
    ||W||_F / sqrt(N), for graphs without loops) and is halved until the network is stable, at
    most log2(sqrt(N)) times: below ||gain W|| = 1 every D (gain W - 1) is stable. [our choice]
    Memory is several dense (N, N); meant for N up to about 2000.

    Raises InputError if shapes do not fit, tau_m or sigma is not positive, or the network is
    unstable at the gain given.
    """
    dense = np.asarray(W.toarray() if hasattr(W, "toarray") else W, dtype=float)
    tau = np.asarray(tau_m, dtype=float)
    if dense.ndim != 2 or dense.shape != (tau.size, tau.size):
        raise InputError("W", dense.shape, f"must be ({tau.size}, {tau.size}), as tau_m says")
    if not np.isfinite(dense).all():
        raise InputError("W", float("nan"), "must be finite everywhere")
    if not (np.isfinite(tau) & (tau > 0)).all():
        raise InputError("tau_m", float(tau.min()), "must be finite and > 0 s")
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError("sigma", sigma, "must be finite and > 0")
    Q = np.diag((sigma / tau) ** 2)
    if gain is not None:
        return stationary_covariance(linear_operator(dense, tau, gain), Q)
    gain = RADIUS / _spectral_radius(dense)
    while (C := _solve(linear_operator(dense, tau, gain), Q)) is None:
        gain /= 2
    return C


def _solve(A: Floats, Q: Floats) -> Floats | None:
    """The stationary covariance, or None where A is not stable."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", LinAlgWarning)
        try:
            C = solve_continuous_lyapunov(A, -Q)
            C = (C + C.T) / 2
            cholesky(C)
        except (LinAlgError, LinAlgWarning, RuntimeWarning, ValueError):
            return None
    return C


def _spectral_radius(W: Floats) -> float:
    """The spectral radius, at least the circular law's; 1 for a network without synapses."""
    bulk = float(np.linalg.norm(W)) / math.sqrt(W.shape[0])
    return max(float(np.abs(np.linalg.eigvals(W)).max()), bulk) if bulk else 1.0
