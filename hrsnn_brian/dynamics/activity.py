"""Measures of a network's activity: rates, irregularity, memory and dimension.

Kernels on plain arrays: times in seconds, rates in hertz. Measures of the matrix that the
activity is linearised to are in `dynamics.eigenmodes`; rates from spike counts are
`dynamics.cost.rates_hz`. A measure that is not defined (a silent neuron, a constant signal) is NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.ridge import fit_ridge

Floats = NDArray[np.float64]
Indices = NDArray[np.integer]

# A determination coefficient of independent Gaussian series of n rows is beyond this / n with a
# probability of .001 (chi-square of one degree of freedom).
CHANCE = 10.83
# A range below this part of a signal's size is rounding: it is constant.
_CONSTANT = 1e-12
# Automatic windowing (Sokal 1997): lags are summed up to this many correlation times.
_WINDOW = 5.0


def population_rate(spike_time: Floats, n_neurons: int, seconds: float, bin_width: float) -> Floats:
    """Rate of the mean neuron in each bin, Hz, (bins,): r_k = spikes in bin k / (N * bin_width).

    spike_time: (n,), s, spikes of all neurons; bins cover [0, seconds), a last incomplete one is
    left out. Raises InputError for a time outside [0, seconds], no neurons, or no whole bin.
    """
    times = np.asarray(spike_time, dtype=float)
    if not (bin_width > 0 and np.isfinite(seconds) and seconds >= bin_width):
        raise InputError("bin_width", bin_width, f"must be > 0 and at most the {seconds} s at hand")
    if n_neurons < 1:
        raise InputError("n_neurons", n_neurons, "must be at least 1")
    outside = times[~((times >= 0) & (times <= seconds))]
    if outside.size:
        raise InputError("spike_time", float(outside[0]), f"must lie in 0 .. {seconds} s")
    bins = int(np.floor(seconds / bin_width * (1 + 1e-12)))
    index = np.floor(times / bin_width * (1 + 1e-12)).astype(np.int64)
    counts = np.bincount(index[index < bins], minlength=bins)
    return counts / (n_neurons * bin_width)


def isi_cv(spike_index: Indices, spike_time: Floats, n_neurons: int) -> Floats:
    """Coefficient of variation of each neuron's inter-spike intervals, (N,).

    CV = sd(ISI) / mean(ISI), sd with ddof 0: 0 for a clock, 1 for a Poisson process. NaN with
    fewer than three spikes, i.e. two intervals. spike_index: (n,) neuron of each spike;
    spike_time: (n,), s, any order. Raises InputError if the two differ in length or an index is
    not in 0 .. N-1, or a time is not finite.
    """
    index, times = np.asarray(spike_index), np.asarray(spike_time, dtype=float)
    if index.shape != times.shape or index.ndim != 1:
        raise InputError("spike_index", index.shape, f"must have the shape {times.shape} of times")
    outside = index[(index < 0) | (index >= n_neurons)]
    if outside.size:
        raise InputError("spike_index", int(outside[0]), f"must be in 0 .. {n_neurons - 1}")
    if not np.isfinite(times).all():
        raise InputError("spike_time", "nan or inf", "must be finite")
    order = np.lexsort((times, index))
    index, times = index[order], times[order]
    same = index[1:] == index[:-1]
    owner, interval = index[1:][same], np.diff(times)[same]
    count = np.bincount(owner, minlength=n_neurons)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, interval, n_neurons) / count
        variance = np.bincount(owner, (interval - mean[owner]) ** 2, n_neurons) / count
        return np.where(count >= 2, np.sqrt(variance) / mean, np.nan)


def autocorrelation_time(signal: Floats, dt: float) -> float:
    """Integrated autocorrelation time of a signal (T,) sampled every `dt` s, in seconds.

    tau = dt (1/2 + sum_{k=1..M} rho_k), rho_k = c_k / c_0, c_k = (1/T) sum_t x_t x_{t+k} of the
    centred signal; M is the first lag that reaches 5 tau (Sokal's window). It is the decay time
    of an exponential rho sampled finely, and dt/2 for white noise. NaN for a constant signal.

    Raises InputError unless the signal is a finite series of two samples or more and dt > 0.
    """
    x = np.asarray(signal, dtype=float)
    if x.ndim != 1 or len(x) < 2 or not np.isfinite(x).all():
        raise InputError("signal", x.shape, "must be a finite series of at least 2 samples")
    if not dt > 0:
        raise InputError("dt", dt, "must be > 0 s")
    rho = autocorrelation(x)
    if np.isnan(rho[0]):
        return float("nan")
    tau = np.cumsum(rho) - 0.5
    beyond = np.flatnonzero(np.arange(len(x)) >= _WINDOW * tau)
    return float(dt * tau[beyond[0] if len(beyond) else -1])


def autocorrelation(signal: Floats) -> Floats:
    """rho_k = c_k / c_0 (T,) of a signal (T,), see `autocorrelation_time`; NaN for a constant."""
    spread = np.ptp(signal)
    if spread <= _CONSTANT * np.abs(signal).max():
        return np.full(len(signal), np.nan)
    x = (signal - signal.mean()) / spread
    spectrum = np.fft.rfft(x, 2 * len(x))
    covariance = np.fft.irfft(np.abs(spectrum) ** 2)[: len(x)]
    return np.asarray(covariance / covariance[0])


def effective_dimension(states: Floats) -> float:
    """Participation ratio of the state covariance, from 1 to N.

    D = (tr C)^2 / tr(C^2) = (sum_i s_i)^2 / sum_i s_i^2 with the eigenvalues s_i of C, the
    covariance of `states` (T, N): 1 if all states move along one line, N if they are
    uncorrelated with equal variance, at most T - 1. NaN if nothing varies.

    Raises InputError unless `states` is a finite matrix of at least two samples.
    """
    x = np.asarray(states, dtype=float)
    if x.ndim != 2 or x.shape[0] < 2 or not np.isfinite(x).all():
        raise InputError("states", x.shape, "must be finite (samples, neurons), 2 samples or more")
    varies = np.ptp(x, axis=0) > _CONSTANT * np.abs(x).max(axis=0)
    if not varies.any():
        return float("nan")
    x = np.where(varies, x - x.mean(axis=0), 0.0)
    x = np.ldexp(x, -np.frexp(np.abs(x).max())[1])  # exact; fourth powers stay within the range
    gram = x.T @ x if x.shape[1] <= x.shape[0] else x @ x.T
    return float(np.trace(gram)) ** 2 / float(np.sum(gram**2))


def principal_components(states: Floats, count: int) -> tuple[Floats, Floats]:
    """States (T, N) on their leading principal components, (T, count), and the share of the
    variance on each, (count,); a share is 0 where nothing varies."""
    x = np.asarray(states, dtype=float)
    left, size, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    power = size**2
    share = power / power.sum() if power.any() else power
    return left[:, :count] * size[:count], share[:count]


@dataclass(frozen=True, eq=False)
class MemoryCapacity:
    """Linear memory: `total` = sum of `by_delay` (max_delay,), entry k - 1 that of delay k."""

    total: float
    by_delay: Floats


def memory_capacity(
    states: Mapping[str, Floats],
    u: Floats,
    max_delay: int,
    washout: int = 0,
) -> MemoryCapacity:
    """Linear memory capacity (Jaeger 2001, GMD report 152).

    MC = sum_{k=1..max_delay} r_k^2, r_k the correlation, on held-out rows, of u(t - k) with its
    ridge estimate from the states at t. By theory MC is at most the number of independent states;
    for x(t) = a x(t-1) + u(t) alone r_k^2 = (1 - a^2) a^(2k), MC = a^2. Values within chance of
    0 (p = .001, r^2 < 10.83 / test rows) count 0, lest many delays add up to a bias (as Dambre
    et al. 2012, Sci. Rep. 2, 514).

    states: blocks (T, features) by name, row t after sample t was shown; u: (T,) independent
    samples (of a correlated input the sum means little). The last third of the rows
    after `washout` is tested; the last fifth of the others chooses the penalty.

    Raises InputError if shapes do not fit, u is constant, or the rows do not suffice.
    """
    signal = np.asarray(u, dtype=float)
    if signal.ndim != 1 or not np.isfinite(signal).all() or not np.ptp(signal) > 0:
        raise InputError("u", signal.shape, "must be a finite series that varies")
    for name, block in states.items():
        if block.ndim != 2 or len(block) != len(signal):
            raise InputError(f"states {name}", block.shape, f"must have {len(signal)} rows")
    if max_delay < 1 or washout < 0:
        raise InputError("max_delay, washout", (max_delay, washout), "must be >= 1, >= 0")
    first = max(washout, max_delay)
    n_test = round((len(signal) - first) * (1 / 3))
    n_train = len(signal) - first - n_test
    n_validation = n_train // 5
    if n_test < 2 or n_validation < 1:
        raise InputError("u", len(signal), f"too few rows for {max_delay} delays and the washout")
    rows = np.arange(first, len(signal))
    targets = signal[rows[:, None] - np.arange(1, max_delay + 1)]
    blocks = {name: np.asarray(block, dtype=float)[first:] for name, block in states.items()}
    readout = fit_ridge(
        {name: block[:n_train] for name, block in blocks.items()}, targets[:n_train], n_validation
    )
    estimate = readout.predict({name: block[n_train:] for name, block in blocks.items()})
    r2 = _determination(estimate, targets[n_train:])
    by_delay = np.where(r2 < CHANCE / n_test, 0.0, r2)
    return MemoryCapacity(total=float(by_delay.sum()), by_delay=by_delay)


def _determination(a: Floats, b: Floats) -> Floats:
    """Squared correlation of the columns of a and b, 0 where one of them is constant."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    power = np.sum(a**2, axis=0) * np.sum(b**2, axis=0)
    return np.divide(np.sum(a * b, axis=0) ** 2, power, out=np.zeros(a.shape[1]), where=power > 0)
