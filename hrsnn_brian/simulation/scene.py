"""From a network and a drive to the named arrays of one run, and back to a recording."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation.engine import Arrays, Engine
from hrsnn_brian.simulation.propagators import LinearSystem, propagators
from hrsnn_brian.simulation.shape import ModelShape, channel_capacity

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LinearReadout:
    """A readout inside the program: u_k = intercept + from_u.T u_(k-1) + sum from_states.T x.

    intercept: (D,); from_u: (D, D), column d predicts channel d; from_states: for each of the
    model's recorded states ("s1", ..., "v") an array (N, D); absent states count zero.
    """

    intercept: FloatArray
    from_u: FloatArray
    from_states: dict[str, FloatArray]


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
    traces: whether the program computes spike traces; without them it is faster.
    record_states, record_spikes: what to keep besides the spike counts.
    """

    stimulus: FloatArray
    free: NDArray[np.bool_] | None = None
    readout: LinearReadout | None = None
    direct: bool = False
    noise_sd: float = 0.0
    undriven_mean: float | None = None
    seed: int = 0
    traces: bool = True
    record_states: bool = True
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


@dataclass(frozen=True)
class Recording:
    """What one run left behind.

    states: per recorded name an array (K, N), row k the state after sample k was shown.
    u: (K, D) input that each sample really had (stimulus or prediction); None without channels.
    spike_count: (N,); seconds: biological time; spike_index, spike_time: (n,), if recorded.
    """

    states: dict[str, FloatArray]
    spike_count: NDArray[np.int32]
    seconds: float
    u: FloatArray | None = None
    spike_index: NDArray[np.int32] | None = None
    spike_time: FloatArray | None = None

    @property
    def rate_hz(self) -> float:
        """Mean firing rate over neurons."""
        return float(self.spike_count.mean() / self.seconds)


def network_shape(network: Network, drive: Drive) -> ModelShape:
    """The shape of a network's program under a drive."""
    params = network.params
    encoding = "direct" if drive.direct else params.encoder.kind
    columns = drive.stimulus.shape[1]
    return ModelShape(
        capacity=network.capacity,
        channels=1 if drive.direct else channel_capacity(columns),
        encoding=encoding,
        currents=params.synapse.currents,
        reset=params.neuron.reset,
        refractory=params.neuron.t_ref > 0,
        traces=len(params.timing.traces) if drive.traces else 0,
    )


def network_scene(
    network: Network, drive: Drive, shape: ModelShape, system: LinearSystem
) -> Arrays:
    """Every array of one run (the names are those scene.h looks up)."""
    timing = network.params.timing
    n, (rows, columns) = network.n_neurons, drive.stimulus.shape
    if shape.encoding == "direct" and columns != n:
        raise InputError("stimulus", (rows, columns), f"direct input needs {n} columns")
    free = np.zeros(rows) if drive.free is None else drive.free.astype(float)
    scene: Arrays = {
        "dt": _number(timing.dt),
        "sample": _number(timing.sample),
        "duration": _number(rows * timing.sample + timing.dt),
        "n_active": _number(n),
        "stimulus_rows": _number(rows),
        "stimulus_columns": _number(columns),
        "stimulus": drive.stimulus.ravel(),
        "free": free,
        "record_states": _number(drive.record_states),
        "record_spikes": _number(drive.record_spikes),
        "closed_loop": _number(bool(free.any())),
    }
    scene.update(_neuron_arrays(network, drive, shape, system))
    scene.update(_encoder_arrays(network, drive, shape))
    scene.update(_recurrent_arrays(network, shape))
    if shape.has_channels:
        scene.update(_channel_arrays(network, drive, shape))
    return scene


def simulate(engine: Engine, network: Network, drive: Drive) -> Recording:
    """Run a network under a drive.

    Raises InputError for a drive that does not fit, EngineError if the engine fails.
    """
    shape = network_shape(network, drive)
    scene = network_scene(network, drive, shape, engine.prepare(shape))
    result = engine.run(shape, scene)
    rows, columns = drive.stimulus.shape
    states = {}
    if drive.record_states:
        # Row 0 was recorded before the first sample.
        states = {
            name: result[f"states.{name}"].reshape(rows + 1, network.n_neurons)[1:]
            for name in shape.state_names
        }
    u = None
    if shape.has_channels:
        u = result["predictions.u"].reshape(rows + 1, -1)[:rows, :columns]
    return Recording(
        states=states,
        spike_count=result["spike_count"],
        seconds=rows * network.params.timing.sample,
        u=u,
        spike_index=result["spike_i"] if drive.record_spikes else None,
        spike_time=result["spike_t"] if drive.record_spikes else None,
    )


def _number(value: float) -> FloatArray:
    return np.array([float(value)])


def noise_stream(seed: int, stream: str) -> float:
    """The 53-bit number that keys frozen noise."""
    return float(rng(seed, stream, "frozen").integers(2**53))


def _neuron_arrays(
    network: Network, drive: Drive, shape: ModelShape, system: LinearSystem
) -> Arrays:
    params = network.params
    n = network.n_neurons
    values: Arrays = {"tau_m": network.tau_m, "tau_e": network.tau_e, "v_th": network.v_th}
    if shape.currents == "two":
        values["tau_i"] = network.tau_i
    if shape.reset == "hard":
        values["v_reset"] = _number(params.neuron.v_reset)
    if shape.refractory:
        steps = round(params.neuron.t_ref / params.timing.dt)
        values["refractory_steps"] = np.array([steps], dtype=np.int32)
    for name, tau in zip(shape.trace_names, params.timing.traces, strict=False):
        values[f"tau_{name}"] = _number(tau)
    if shape.encoding == "poisson":
        encoder = params.encoder
        values["tau_in"] = _number(encoder.tau_in)
        gain = encoder.gain if drive.undriven_mean is None else 0.0
        values["kick"] = _number(gain / (encoder.rate_max * encoder.tau_in))
        values["stream"] = _number(noise_stream(drive.seed, "input"))
        values["neuron_id"] = network.neuron_id.astype(np.int32)
    values.update(propagators(system, values, params.timing.dt))
    if shape.refractory:
        values["release"] = np.zeros(n, dtype=np.int32)
    for state in system.states:
        values[state] = np.zeros(n)
    phase = rng(drive.seed, "state", "v").random(network.n_original)[network.neuron_id]
    values["v"] = phase * network.v_th
    return {f"neurons.{name}": value for name, value in values.items()}


def _encoder_arrays(network: Network, drive: Drive, shape: ModelShape) -> Arrays:
    encoder, n = network.params.encoder, network.n_neurons
    shown = drive.undriven_mean is None
    values: Arrays = {
        "bias": network.bias + (drive.undriven_mean or 0.0),
        "sd": _number(drive.noise_sd),
        "stream": _number(noise_stream(drive.seed, "noise")),
        "neuron_id": network.neuron_id.astype(np.int32),
        "I": np.zeros(n),
    }
    if shape.has_channels:
        values["x"] = np.zeros(n)
    if shape.encoding in ("population", "poisson"):
        values.update(center=network.center, width=_number(encoder.width))
    if shape.encoding in ("population", "current"):
        values["gain"] = _number(encoder.gain if shown else 0.0)
    if shape.encoding == "poisson":
        values.update(rate_max=_number(encoder.rate_max), rate=np.zeros(n))
    return {f"encoder.{name}": value for name, value in values.items()}


def _recurrent_arrays(network: Network, shape: ModelShape) -> Arrays:
    columns = network.W.tocsc()  # synapses of one neuron side by side, as spikes need them
    pre = np.repeat(np.arange(network.n_neurons, dtype=np.int32), np.diff(columns.indptr))
    post, w = columns.indices.astype(np.int32), columns.data
    scene: Arrays = {}
    for name, _ in shape.pathways:
        chosen = np.ones(w.size, dtype=bool)
        if name != "recurrent":
            chosen = network.is_e[pre] == (name == "excitatory")
        scene[f"{name}._synaptic_pre"] = pre[chosen]
        scene[f"{name}._synaptic_post"] = post[chosen]
        scene[f"{name}.w"] = np.abs(w[chosen]) if name != "recurrent" else w[chosen]
        scene[f"{name}.delay"] = _number(network.params.synapse.delay)
    return scene


def _channel_arrays(network: Network, drive: Drive, shape: ModelShape) -> Arrays:
    n, D = network.n_neurons, drive.stimulus.shape[1]
    scene = {
        **_dense("projection", D, n, {"p": network.directions(D).T}),
        "channels.u": np.zeros(D),
    }
    readout = drive.readout or LinearReadout(np.zeros(D), np.zeros((D, D)), {})
    unknown = set(readout.from_states) - set(shape.state_names)
    if unknown:
        raise InputError("readout", sorted(unknown), f"states are {', '.join(shape.state_names)}")
    weights = {
        f"c_{name}": readout.from_states.get(name, np.zeros((n, D))) for name in shape.state_names
    }
    scene.update(_dense("readout", n, D, weights))
    scene.update(_dense("feedback", D, D, {"c": readout.from_u}))
    for name in ("from_states", "from_u"):
        scene[f"channels.{name}"] = np.zeros(D)
    scene["channels.intercept"] = np.asarray(readout.intercept, dtype=float)
    return scene


def _dense(name: str, n_pre: int, n_post: int, weights: dict[str, FloatArray]) -> Arrays:
    """All-to-all synapses, with weights of shape (n_pre, n_post)."""
    pre, post = np.indices((n_pre, n_post), dtype=np.int32)
    scene: Arrays = {
        f"{name}._synaptic_pre": pre.ravel(),
        f"{name}._synaptic_post": post.ravel(),
    }
    for key, value in weights.items():
        if value.shape != (n_pre, n_post):
            raise InputError(f"{name}.{key}", value.shape, f"must have shape {(n_pre, n_post)}")
        scene[f"{name}.{key}"] = np.asarray(value, dtype=float).ravel()
    return scene
