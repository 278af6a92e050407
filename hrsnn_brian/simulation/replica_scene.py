"""Run perturbed copies of a network under one frozen input and log how they part."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.drive import Drive, FloatArray
from hrsnn_brian.simulation.engine import Arrays, Engine
from hrsnn_brian.simulation.propagators import LinearSystem, propagators
from hrsnn_brian.simulation.scene import (
    channel_arrays,
    encoder_arrays,
    initial_potential,
    network_shape,
    number,
    stimulus_arrays,
)
from hrsnn_brian.simulation.shape import ReplicaShape

ACTIONS = ("orthonormalise", "rescale", "restart", "watch")


@dataclass(frozen=True)
class Perturbation:
    """How copies are perturbed and what happens at each measurement.

    directions: unit vectors, one per perturbed copy: (copies, N) in v, or (copies, states*N) in v
        and then each synaptic current; with (0, N) the reference runs alone.
    d0: size of the perturbation. start: time of the first one, s. interval: between
    measurements, s.
    action: "orthonormalise" (QR, for spectra), "rescale" (each copy alone), "restart" (again from
    the reference along `directions`) or "watch" (nothing).
    postpone_above: a measurement waits, at most 10 steps, while a potential of a copy differs by
    more than this (a spike that straddles the boundary); 0 never waits.
    interpolated: spike times inside the step, for infinitesimal perturbations; else on the grid.
    """

    directions: FloatArray
    d0: float
    start: float
    interval: float
    action: str = "rescale"
    postpone_above: float = 0.0
    interpolated: bool = True

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise InputError("action", self.action, f"one of {', '.join(ACTIONS)}")
        for name in ("d0", "interval"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0 and (value > 0 or name == "d0")):
                raise InputError(name, value, "must be a positive number")


@dataclass(frozen=True)
class Divergence:
    """What the copies did.

    log_growth: (n, copies) natural logarithm of the growth over each interval, of the distance
    over d0 for "watch"; -inf where a distance was exactly zero. intervals: (n,) their lengths, s.
    postponed: steps by which measurements waited. spike_count: (N,) of the reference.
    snapshots: (n, states) the reference at each measurement of "watch", else empty; a refractory
    time counts as a potential through tau_m, as in all distances.
    """

    log_growth: FloatArray
    intervals: FloatArray
    postponed: int
    spike_count: NDArray[np.int32]
    seconds: float
    snapshots: FloatArray


def run_replicas(
    engine: Engine, network: Network, drive: Drive, perturbation: Perturbation
) -> Divergence:
    """Simulate a network with its perturbed copies.

    The time step is that of the network's timing. Raises InputError for parts that do not fit or a
    network with synaptic delays, EngineError if the engine fails.
    """
    shape = replica_shape(network, drive, perturbation)
    scene = replica_scene(network, drive, perturbation, shape, engine.prepare(shape))
    result = engine.run(shape, scene)
    copies = len(perturbation.directions)
    return Divergence(
        log_growth=result["log_growth"].reshape(len(result["log_time"]), copies),
        intervals=result["log_time"],
        postponed=int(result["postponed"][0]),
        spike_count=result["spike_count"][:: copies + 1],
        seconds=drive.stimulus.shape[0] * network.params.timing.sample,
        snapshots=result["snapshots"].reshape(len(result["log_time"]), -1),
    )


def replica_shape(network: Network, drive: Drive, perturbation: Perturbation) -> ReplicaShape:
    """The shape of the program: room for a power of two of neurons in all, at least 4096."""
    if network.params.synapse.delay > 0:
        raise InputError(
            "synapse.delay", network.params.synapse.delay, "exponents need synapses without delay"
        )
    base = network_shape(network, drive)
    total = network.capacity * (len(perturbation.directions) + 1)
    return ReplicaShape(
        capacity=base.capacity,
        channels=base.channels,
        encoding=base.encoding,
        currents=base.currents,
        reset=base.reset,
        refractory=base.refractory and not perturbation.interpolated,
        total=max(4096, 2 ** math.ceil(math.log2(total))),
        interpolated=perturbation.interpolated,
    )


def replica_scene(
    network: Network,
    drive: Drive,
    perturbation: Perturbation,
    shape: ReplicaShape,
    system: LinearSystem,
) -> Arrays:
    """Every array of one run of copies (the names are those scene.h and replicas.h look up)."""
    n, timing = network.n_neurons, network.params.timing
    directions = np.asarray(perturbation.directions, dtype=float)
    full = n * (1 + len(shape.pathways))
    if directions.ndim != 2 or directions.shape[1] not in (n, full):
        raise InputError("directions", directions.shape, f"must be (copies, {n}) or {full} wide")
    copies = len(directions) + 1
    scene = stimulus_arrays(network, drive, shape)
    scene |= {
        "n_active": number(n * copies),
        "n_cells": number(n),
        "copies": number(copies),
        "directions": directions.ravel(),
        "directions_width": number(directions.shape[1]),
        "d0": number(perturbation.d0),
        "first_step": number(max(1, round(perturbation.start / timing.dt))),
        "interval_steps": number(max(1, round(perturbation.interval / timing.dt))),
        "action": number(ACTIONS.index(perturbation.action)),
        "postpone_above": number(perturbation.postpone_above),
    }
    scene |= _cell_arrays(network, system)
    scene |= _copy_arrays(network, drive, shape, system, copies)
    scene |= encoder_arrays(network, drive, shape)
    scene |= _pathway_arrays(network, shape)
    if shape.has_channels:
        scene |= channel_arrays(network, drive)
    return scene


def _cell_arrays(network: Network, system: LinearSystem) -> Arrays:
    values: Arrays = {"tau_m": network.tau_m, "tau_e": network.tau_e, "v_th": network.v_th}
    if "tau_i" in system.parameters:
        values["tau_i"] = network.tau_i
    parameters = values | {"v_reset": number(0.0)}  # not in any propagator
    values |= propagators(system, parameters, network.params.timing.dt)
    return {f"cells.{name}": value for name, value in values.items()}


def _copy_arrays(
    network: Network, drive: Drive, shape: ReplicaShape, system: LinearSystem, copies: int
) -> Arrays:
    neuron, n = network.params.neuron, network.n_neurons
    v = np.repeat(initial_potential(network, drive.seed), copies)
    zeros = np.zeros(n * copies)
    values: Arrays = dict.fromkeys(system.states, zeros)
    values |= {"v": v, "cell": np.repeat(np.arange(n, dtype=np.int32), copies)}
    if shape.reset == "hard":
        values["v_reset"] = number(neuron.v_reset)
    if shape.interpolated:
        restart = neuron.v_reset if shape.reset == "hard" else 0.0
        values |= {"remaining": zeros, "mobile": zeros + 1.0, "rise": zeros, "since": zeros}
        values |= {"t_ref": number(neuron.t_ref), "v_restart": number(restart)}
    elif shape.refractory:
        steps = round(neuron.t_ref / network.params.timing.dt)
        values |= {"release": np.zeros(n * copies, dtype=np.int32)}
        values |= {"refractory_steps": np.array([steps], dtype=np.int32)}
    return {f"neurons.{name}": value for name, value in values.items()}


def _pathway_arrays(network: Network, shape: ReplicaShape) -> Arrays:
    """One weight matrix for all copies: outgoing synapses of every neuron, per pathway."""
    columns = network.W.tocsc()
    scene: Arrays = {}
    for number_, (name, _) in enumerate(shape.pathways):
        chosen = columns
        if name != "recurrent":
            members = network.is_e if name == "excitatory" else ~network.is_e
            chosen = abs(columns.multiply(members[None, :])).tocsc()
            chosen.eliminate_zeros()
        scene[f"pathway{number_}.start"] = chosen.indptr.astype(np.int64)
        scene[f"pathway{number_}.post"] = chosen.indices.astype(np.int32)
        scene[f"pathway{number_}.w"] = chosen.data.astype(float)
    return scene
