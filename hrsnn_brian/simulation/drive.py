"""What goes into one run of a network, and what it leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError

FloatArray = NDArray[np.float64]
States = bool | tuple[str, ...]
"""What a recording keeps: all states, none, or those named."""


@dataclass(frozen=True)
class LinearReadout:
    """A readout inside the program: u_k = intercept + from_u.T u_(k-1) + sum from_states.T x,
    and, where it has squares, + factors.T (sum over traces of sums.T x)^2.

    intercept: (D,); from_u: (D, D), column d predicts channel d; from_states: for each of the
    model's recorded states ("trace_30ms", ..., "v") an array (N, D); absent states count zero.
    sums: for traces arrays (N, M), M at most `shape.SQUARES`; factors: (M, D).
    """

    intercept: FloatArray
    from_u: FloatArray
    from_states: dict[str, FloatArray]
    sums: Mapping[str, FloatArray] = field(default_factory=dict)
    factors: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True)
class Drive:
    """The input of one run.

    stimulus: (K, D) z-scored samples u(t), each shown for one sample time; (K, N) currents for
        `direct`.
    free: (K,) where the readout's prediction replaces the stimulus; needs `readout`.
    direct: the stimulus is each neuron's own current (added to its bias).
    noise_sd: standard deviation of Gaussian white noise added to each neuron's input, held for one
        sample, independent between neurons, frozen by `seed`.
    undriven_mean: if given, the stimulus is not shown; every neuron gets this mean current instead.
    seed: root of the initial state, Poisson and noise streams.
    trial: number among the trials of one seed, None for a run that is no trial: trials start in
        the same state and have Poisson and noise streams of their own.
    start: {state ("v", "I_syn", "trace_30ms", ...): (N,) its values at the start}; what is not
        named starts as without: v drawn between 0 and the threshold, currents and traces 0.
    traces: whether the program computes spike traces; without them it is faster.
    record_states, record_spikes: what to keep besides the spike counts; of the states all, none or
        those named ("trace_30ms", ..., "v"): writing and reading them is most of a long run.
    """

    stimulus: FloatArray
    free: NDArray[np.bool_] | None = None
    readout: LinearReadout | None = None
    direct: bool = False
    noise_sd: float = 0.0
    undriven_mean: float | None = None
    seed: int = 0
    trial: int | None = None
    start: Mapping[str, FloatArray] = field(default_factory=dict)
    traces: bool = True
    record_states: States = True
    record_spikes: bool = False

    def __post_init__(self) -> None:
        stimulus = np.asarray(self.stimulus, dtype=float)
        if stimulus.ndim != 2 or not stimulus.size or not np.all(np.isfinite(stimulus)):
            raise InputError(
                "stimulus", stimulus.shape, "must be a finite (samples, columns) array"
            )
        object.__setattr__(self, "stimulus", stimulus)
        if self.free is not None and self.free.shape != stimulus.shape[:1]:
            raise InputError("free", self.free.shape, f"must have shape {stimulus.shape[:1]}")
        if self.free is not None and self.free.any() and self.readout is None:
            raise InputError("readout", None, "a free-running sample needs a readout")


class Recorded(dict[str, FloatArray]):
    """States by name. Raises InputError for one that was not recorded."""

    def __missing__(self, name: str) -> FloatArray:
        kept = ", ".join(self) or "nothing"
        raise InputError("states", name, f"was not recorded: record_states kept {kept}")


@dataclass(frozen=True)
class Recording:
    """What one run left behind.

    states: per recorded name an array (K, N), row k the state after sample k was shown; to ask for
    another one is refused, see `Recorded`.
    u: (K, D) input that each sample really had (stimulus or prediction); None without channels.
    spike_count: (N,); seconds: biological time; spike_index, spike_time: (n,), if recorded.
    """

    states: Recorded
    spike_count: NDArray[np.int32]
    seconds: float
    u: FloatArray | None = None
    spike_index: NDArray[np.int32] | None = None
    spike_time: FloatArray | None = None

    @property
    def rate_hz(self) -> float:
        """Mean firing rate over neurons."""
        return float(self.spike_count.mean() / self.seconds)
