"""From a network and a drive to the named arrays of one run."""

import math

import numpy as np

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation.arrays import Arrays
from hrsnn_brian.simulation.drive import Drive, FloatArray, LinearReadout
from hrsnn_brian.simulation.propagators import LinearSystem, propagators
from hrsnn_brian.simulation.shape import SQUARES, ModelShape, channel_capacity


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


def recorded_names(network: Network, shape: ModelShape) -> dict[str, str]:
    """What a recording calls the states -> what the program does.

    The program is the same for all time constants of the traces and cannot be named after them.
    """
    traces = zip(network.params.timing.trace_names, shape.trace_names, strict=False)
    return {**dict(traces), "v": "v"}


def asked_names(network: Network, drive: Drive, shape: ModelShape) -> dict[str, str]:
    """Those of `recorded_names` that the drive asks for. Raises InputError for one that is none."""
    names = recorded_names(network, shape)
    if isinstance(drive.record_states, bool):
        return names if drive.record_states else {}
    for name in drive.record_states:
        if name not in names:
            raise unknown_name("record_states", name, names)
    return {name: inside for name, inside in names.items() if name in drive.record_states}


def network_scene(
    network: Network, drive: Drive, shape: ModelShape, system: LinearSystem
) -> Arrays:
    """Every array of one run (the names are those scene.h looks up)."""
    scene = stimulus_arrays(network, drive, shape)
    scene["n_active"] = number(network.n_neurons)
    asked = asked_names(network, drive, shape).values()
    for switch, wanted in (
        *((f"record_{name}", name in asked) for name in shape.state_names),
        ("record_spikes", drive.record_spikes),
        ("closed_loop", drive.free is not None and bool(drive.free.any())),
    ):
        scene[switch] = number(wanted)
    values = neuron_arrays(network, drive, shape, system)
    scene.update({f"neurons.{name}": value for name, value in values.items()})
    scene.update(encoder_arrays(network, drive, shape))
    scene.update(recurrent_arrays(network, shape))
    if shape.has_channels:
        scene.update(channel_arrays(network, drive))
        scene.update(_readout_arrays(network, drive, shape))
    return scene


def stimulus_arrays(network: Network, drive: Drive, shape: ModelShape) -> Arrays:
    """Clocks, duration and stimulus, the same for a network and for its copies."""
    timing = network.params.timing
    n, (rows, columns) = network.n_neurons, drive.stimulus.shape
    if shape.encoding == "direct" and columns != n:
        raise InputError("stimulus", (rows, columns), f"direct input needs {n} columns")
    return {
        "dt": number(timing.dt),
        "sample": number(timing.sample),
        "delay": number(network.params.synapse.delay),
        "duration": number(rows * timing.sample + timing.dt),
        "n_inputs": number(n),
        "stimulus_rows": number(rows),
        "stimulus_columns": number(columns),
        "stimulus": drive.stimulus.ravel(),
        "free": np.zeros(rows) if drive.free is None else drive.free.astype(float),
    }


def initial_potential(network: Network, seed: int) -> FloatArray:
    """v of every neuron at the start, uniform between 0 and its threshold (our choice); (N,)."""
    phase = rng(seed, "state", "v").random(network.n_original)[network.neuron_id]
    return phase * network.v_th


def number(value: float) -> FloatArray:
    """A single value as a scene holds it."""
    return np.array([float(value)])


def noise_stream(drive: Drive, stream: str) -> float:
    """The 53-bit number that keys frozen noise."""
    trial = () if drive.trial is None else ("trial", drive.trial)
    return float(rng(drive.seed, stream, "frozen", *trial).integers(2**53))


def neuron_arrays(
    network: Network, drive: Drive, shape: ModelShape, system: LinearSystem
) -> Arrays:
    """Parameters, propagators and initial state of every neuron."""
    n = network.n_neurons
    values = neuron_parameters(network, drive, shape)
    values.update(propagators(system, values, network.params.timing.dt))
    if shape.refractory:
        values["release"] = np.zeros(n, dtype=np.int32)
    for state in system.states:
        values[state] = np.zeros(n)
    values["v"] = initial_potential(network, drive.seed)
    values.update(_given_start(network, drive, shape, system))
    return values


def neuron_parameters(network: Network, drive: Drive, shape: ModelShape) -> Arrays:
    """The constants of the neurons' equations, in SI units."""
    params = network.params
    values: Arrays = {"tau_m": network.tau_m, "tau_e": network.tau_e, "v_th": network.v_th}
    if shape.currents == "two":
        values["tau_i"] = network.tau_i
    if shape.reset == "hard":
        values["v_reset"] = number(params.neuron.v_reset)
    if shape.refractory:
        steps = round(params.neuron.t_ref / params.timing.dt)
        values["refractory_steps"] = np.array([steps], dtype=np.int32)
    for name, tau in zip(shape.trace_names, params.timing.traces, strict=False):
        values[f"tau_{name}"] = number(tau)
    if shape.encoding == "poisson":
        encoder = params.encoder
        values["tau_in"] = number(encoder.tau_in)
        gain = encoder.gain if drive.undriven_mean is None else 0.0
        values["kick"] = number(gain / (encoder.rate_max * encoder.tau_in))
        values["stream"] = number(noise_stream(drive, "input"))
        values["neuron_id"] = network.neuron_id.astype(np.int32)
    return values


def _given_start(network: Network, drive: Drive, shape: ModelShape, system: LinearSystem) -> Arrays:
    """The states at the start that the drive gives, by their names in the program."""
    names = {name: name for name in system.states if name not in shape.trace_names}
    names |= recorded_names(network, shape)
    given = {}
    for name, value in drive.start.items():
        if name not in names:
            raise unknown_name("start", name, names)
        if value.shape != (network.n_neurons,) or not np.isfinite(value).all():
            allowed = f"must be {network.n_neurons} finite numbers"
            raise InputError(f"start {name!r}", value.shape, allowed)
        given[names[name]] = value
    return given


def encoder_arrays(network: Network, drive: Drive, shape: ModelShape) -> Arrays:
    """What the encoder group needs, per neuron of the network."""
    encoder, n = network.params.encoder, network.n_neurons
    shown = drive.undriven_mean is None
    values: Arrays = {
        "bias": network.bias + (drive.undriven_mean or 0.0),
        "sd": number(math.hypot(drive.noise_sd, network.params.neuron.noise)),
        "stream": number(noise_stream(drive, "noise")),
        "neuron_id": network.neuron_id.astype(np.int32),
        "I": np.zeros(n),
    }
    if shape.has_channels:
        values["x"] = np.zeros(n)
    if shape.encoding in ("population", "poisson"):
        values.update(center=network.center, width=number(encoder.width))
    if shape.encoding in ("population", "current"):
        values["gain"] = number(encoder.gain if shown else 0.0)
    if shape.encoding == "poisson":
        values.update(rate_max=number(encoder.rate_max), rate=np.zeros(n))
    return {f"encoder.{name}": value for name, value in values.items()}


def recurrent_arrays(network: Network, shape: ModelShape) -> Arrays:
    """The synapses of every pathway, sorted by the neuron they come from."""
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
    return scene


def channel_arrays(network: Network, drive: Drive) -> Arrays:
    """The channels and their projection on the encoder."""
    D = drive.stimulus.shape[1]
    inner = ("u", "from_states", "from_squares", "from_u")
    zeros = {f"channels.{name}": np.zeros(D) for name in inner}
    intercept = np.zeros(D) if drive.readout is None else drive.readout.intercept
    return {
        **projection_arrays(network.directions(D)),
        **zeros,
        "channels.intercept": np.asarray(intercept, dtype=float),
    }


def projection_arrays(directions: FloatArray) -> Arrays:
    """The synapses from channels to the encoder; directions (N, D)."""
    n, D = directions.shape
    return _dense("projection", D, n, {"p": directions.T})


def _readout_arrays(network: Network, drive: Drive, shape: ModelShape) -> Arrays:
    n, D = network.n_neurons, drive.stimulus.shape[1]
    readout = drive.readout or LinearReadout(np.zeros(D), np.zeros((D, D)), {})
    names = recorded_names(network, shape)
    unknown = (set(readout.from_states) | set(readout.sums)) - set(names)
    if unknown:
        raise InputError("readout", sorted(unknown), f"states are {', '.join(names)}")
    weights = {
        f"c_{inside}": readout.from_states.get(name, np.zeros((n, D)))
        for name, inside in names.items()
    }
    return {
        **_dense("readout", n, D, weights),
        **_dense("feedback", D, D, {"c": readout.from_u}),
        **(_square_arrays(n, D, readout, shape, names) if shape.traces else {}),
    }


def _square_arrays(
    n: int, D: int, readout: LinearReadout, shape: ModelShape, names: dict[str, str]
) -> Arrays:
    """The sums of traces and the weights of their squares; none where the readout has none."""
    size = len(readout.factors)
    if size > SQUARES or "v" in readout.sums:
        raise InputError("readout", size, f"squares are of traces alone, at most {SQUARES}")
    parts = {
        f"q_{inside}": readout.sums.get(name, np.zeros((n, size)))
        for name, inside in names.items()
        if inside in shape.trace_names
    }
    factors = readout.factors if size else np.zeros((0, D))
    return {
        "squares": number(size > 0),
        "squares.h": np.zeros(SQUARES),
        **_dense("sums", n, size, parts),
        **_dense("squared", size, D, {"c": factors}),
    }


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
