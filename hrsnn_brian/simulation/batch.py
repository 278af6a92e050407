"""Many inputs at once: trials side by side as copies of one network on one weight matrix.

Each trial starts in the same reset state, has its own input and its own frozen noise, and ends as
a run of that trial alone would (`Presentation.drive`): spikes and states are equal bit by bit,
whatever the number of trials that run together. States leave in chunks of bounded memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.files.machine import require_memory
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.arrays import Arrays
from hrsnn_brian.simulation.copies_scene import cells_and_copies
from hrsnn_brian.simulation.drive import Drive, FloatArray
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.propagators import LinearSystem
from hrsnn_brian.simulation.scene import (
    channel_arrays,
    encoder_arrays,
    network_shape,
    neuron_arrays,
    noise_stream,
    number,
    recorded_names,
    recurrent_arrays,
    stimulus_arrays,
)
from hrsnn_brian.simulation.shape import BatchShape

# Neurons of all copies together: more are no faster. [our choice, measured]
ROOM = 2**16
LANES = 8  # copies whose inputs the program adds up side by side: groups of whole lanes waste none
MEMORY = 64e6  # bytes of recorded states that leave together, where one trial has no more


@dataclass(frozen=True)
class Presentation:
    """How trials are shown and what is kept of them.

    at: numbers of the samples after which states are kept, increasing; None: after the last.
    seed, start, noise_sd, direct, traces: as in `Drive`; `seed` with a trial's number keys its
    Poisson and white noise.
    """

    at: tuple[int, ...] | None = None
    seed: int = 0
    start: Mapping[str, FloatArray] = field(default_factory=dict)
    noise_sd: float = 0.0
    direct: bool = False
    traces: bool = True

    def drive(self, stimulus: FloatArray, trial: int) -> Drive:
        """The input of a run of one trial alone; stimulus (K, D)."""
        return Drive(
            stimulus,
            direct=self.direct,
            noise_sd=self.noise_sd,
            seed=self.seed,
            trial=trial,
            start=self.start,
            traces=self.traces,
        )

    def samples(self, shown: int) -> NDArray[np.int64]:
        """`at` for trials of `shown` samples. Raises InputError if it does not fit."""
        at = np.asarray([shown - 1] if self.at is None else self.at)
        whole = at.ndim == 1 and at.size > 0 and np.issubdtype(at.dtype, np.integer)
        if not whole or at[0] < 0 or at[-1] >= shown or np.any(np.diff(at) <= 0):
            raise InputError(
                "at", self.at, f"must be increasing numbers of samples, 0..{shown - 1}"
            )
        return at


@dataclass(frozen=True)
class TrialStates:
    """What some consecutive trials left behind.

    trials: their numbers. states: per recorded name an array (trials, samples kept, N).
    spike_count: (trials, N). seconds: biological time of each.
    """

    trials: range
    states: dict[str, FloatArray]
    spike_count: NDArray[np.int32]
    seconds: float


def simulate_batch(
    engine: Engine,
    network: Network,
    trials: FloatArray | Iterable[FloatArray],
    presentation: Presentation | None = None,
) -> Iterator[TrialStates]:
    """Show trials to a network, each from the reset state, and yield what they left in order.

    trials: (R, K, D), z-scored samples as in `Drive`, or chunks of such arrays with the same K and
    D, of any R; they are taken as they are needed. One program serves all chunks, all tasks and
    all networks of one shape.

    Raises InputError for trials that do not fit, EngineError if the engine fails.
    """
    how = presentation or Presentation()
    chunks = _checked(iter([trials] if isinstance(trials, np.ndarray) else trials))
    first = next(chunks, None)
    if first is None:
        return
    drive = how.drive(first[0], trial=0)
    shape = batch_shape(network, drive)
    system = engine.prepare(shape)
    at = how.samples(first.shape[1])
    size = _copies(network, len(shape.state_names) * len(at))
    shared = _shared_arrays(network, drive, shape, system)
    done = 0
    for stimulus in _grouped(first, chunks, size):
        numbers = range(done, done + len(stimulus))
        result = engine.run(shape, shared | _trial_arrays(network, stimulus, numbers, how, shape))
        yield TrialStates(
            trials=numbers,
            states={
                name: _by_trial(result[f"states.{inside}"], len(at), network, numbers)
                for name, inside in recorded_names(network, shape).items()
            },
            spike_count=_by_trial(result["spike_count"], 1, network, numbers)[:, 0],
            seconds=stimulus.shape[1] * network.params.timing.sample,
        )
        done = numbers.stop


def batch_shape(network: Network, drive: Drive) -> BatchShape:
    """The shape of the program; the number of input channels does not matter to it."""
    base = network_shape(network, drive).to_dict() | {"channels": 1}
    return BatchShape(**base, total=max(ROOM, network.capacity))  # type: ignore[arg-type]


def _shared_arrays(
    network: Network, drive: Drive, shape: BatchShape, system: LinearSystem
) -> Arrays:
    """The arrays of a run that are the same for all trials; `drive` is that of one of them."""
    scene = stimulus_arrays(network, drive, shape) | {"n_cells": number(network.n_neurons)}
    scene |= cells_and_copies(neuron_arrays(network, drive, shape, system), system)
    scene |= encoder_arrays(network, drive, shape)
    scene |= recurrent_arrays(network, shape)
    if shape.has_channels:
        channels = channel_arrays(network, drive)
        scene |= {name: value for name, value in channels.items() if name.startswith("channels.")}
        scene["input_directions"] = network.directions(
            drive.stimulus.shape[1]
        ).ravel()  # no synapses
    return scene


def _trial_arrays(
    network: Network, stimulus: FloatArray, numbers: range, how: Presentation, shape: BatchShape
) -> Arrays:
    """The arrays of a run that are those of its trials, stimulus (R, K, D)."""
    copies, shown, columns = stimulus.shape
    wanted = np.zeros(shown)
    wanted[how.samples(shown)] = 1.0
    n = network.n_neurons
    scene = {
        "n_active": number(n * copies),
        "n_inputs": number(n * copies),
        "copies": number(copies),
        "stimulus_columns": number(columns * copies),
        "stimulus": np.ascontiguousarray(stimulus.transpose(1, 2, 0)).ravel(),
        "recorded": wanted,
    }
    drives = [how.drive(stimulus[0], trial) for trial in numbers]
    streams = {"encoder.stream": "noise"}
    if shape.encoding == "poisson":
        streams["neurons.stream"] = "input"
    for key, name in streams.items():
        scene[key] = np.tile([noise_stream(drive, name) for drive in drives], n)
    return scene


def _copies(network: Network, states: int) -> int:
    """Trials that run together: as many as ROOM and MEMORY hold, at least one."""
    one = 8.0 * network.n_neurons * states
    require_memory(2 * max(one, MEMORY), f"the states of trials of {network.n_neurons} neurons")
    size = int(max(1, min(ROOM // network.n_neurons, MEMORY // one)))
    return size - size % LANES if size > LANES else size


def _checked(chunks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """Chunks of trials, empty ones left out. Raises InputError for what is no chunk."""
    samples = None
    for chunk in chunks:
        array = np.asarray(chunk, dtype=float)
        if array.ndim != 3 or (array.size == 0 and len(array)) or not np.isfinite(array).all():
            allowed = "must be finite (trials, samples, columns) arrays"
            raise InputError("trials", array.shape, allowed)
        if not len(array):
            continue
        samples = samples or array.shape[1:]
        if array.shape[1:] != samples:
            what = f"must all have {samples[0]} samples of {samples[1]} columns, as the first"
            raise InputError("trials", array.shape, what)
        yield array


def _grouped(first: FloatArray, chunks: Iterator[FloatArray], size: int) -> Iterator[FloatArray]:
    """The same trials in groups of `size`, the last one of what is left."""
    held = first
    while True:
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
        more = next(chunks, None)
        if more is None:
            break
        held = np.concatenate([held, more])
    if len(held):
        yield held


def _by_trial(values: NDArray, kept: int, network: Network, numbers: range) -> NDArray:
    """(trials, kept, N) of what a program leaves as (kept, N, trials)."""
    shape = (kept, network.n_neurons, len(numbers))
    if values.size != np.prod(shape):
        raise EngineError(f"the simulation left {values.size} values, not {shape}")
    return np.ascontiguousarray(values.reshape(shape).transpose(2, 0, 1))
