"""From a network, a drive and a perturbation to the named arrays of one run of copies."""

import math

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.arrays import Arrays
from hrsnn_brian.simulation.drive import Drive
from hrsnn_brian.simulation.perturbation import ACTIONS, Perturbation
from hrsnn_brian.simulation.propagators import LinearSystem
from hrsnn_brian.simulation.scene import (
    channel_arrays,
    encoder_arrays,
    network_shape,
    neuron_arrays,
    number,
    recurrent_arrays,
    stimulus_arrays,
)
from hrsnn_brian.simulation.shape import PerturbedShape


def perturbed_shape(network: Network, drive: Drive, perturbation: Perturbation) -> PerturbedShape:
    """The shape of the program: room for a power of two of neurons in all, at least 32768."""
    if network.params.synapse.delay > 0:
        raise InputError(
            "synapse.delay", network.params.synapse.delay, "exponents need synapses without delay"
        )
    base = network_shape(network, drive).to_dict() | {"traces": 0}
    if perturbation.interpolated:
        base["refractory"] = False
    total = network.n_original * (len(perturbation.directions) + 1)
    room = max(2**15, network.capacity, 2 ** math.ceil(math.log2(total)))
    return PerturbedShape(**base, total=room, interpolated=perturbation.interpolated)  # type: ignore[arg-type]


def perturbed_scene(
    network: Network,
    drive: Drive,
    perturbation: Perturbation,
    shape: PerturbedShape,
    system: LinearSystem,
) -> Arrays:
    """Every array of one run of copies (the names are those scene.h and copies.h look up)."""
    n, timing = network.n_neurons, network.params.timing
    directions = np.asarray(perturbation.directions, dtype=float)
    full = n * (1 + len(shape.pathways))
    if directions.ndim != 2 or directions.shape[1] not in (n, full):
        raise InputError("directions", directions.shape, f"must be (copies, {n}) or {full} wide")
    copies = len(directions) + 1
    first = max(1, round(perturbation.start / timing.dt))
    interval = max(1, round(perturbation.interval / timing.dt))
    lasts = len(drive.stimulus) * timing.sample
    if first + interval > round(lasts / timing.dt):
        allowed = f"must last {(first + interval) * timing.dt:g} s, to the first measurement"
        raise InputError("drive", f"{lasts:g} s", allowed)
    scene = stimulus_arrays(network, drive, shape)
    scene |= {
        "n_active": number(n * copies),
        "n_cells": number(n),
        "copies": number(copies),
        "directions": directions.ravel(),
        "directions_width": number(directions.shape[1]),
        "d0": number(perturbation.d0),
        "first_step": number(first),
        "interval_steps": number(interval),
        "action": number(ACTIONS.index(perturbation.action)),
        "postpone_above": number(perturbation.postpone_above),
    }
    values = neuron_arrays(network, drive, shape, system)
    values |= _interpolated_arrays(network, shape) if shape.interpolated else {}
    scene |= cells_and_copies(values, system)
    scene |= encoder_arrays(network, drive, shape)
    scene |= recurrent_arrays(network, shape)
    if shape.has_channels:
        scene |= channel_arrays(network, drive)
    return scene


def cells_and_copies(values: Arrays, system: LinearSystem) -> Arrays:
    """Arrays of neurons, those apart that copies share."""
    shared = {*system.own_entries(), "tau_m", "tau_e", "tau_i", "v_th"}
    return {
        f"{'cells' if name in shared else 'neurons'}.{name}": v for name, v in values.items()
    } | {"neurons.cell": np.arange(len(values["v"]), dtype=np.int32)}


def _interpolated_arrays(network: Network, shape: PerturbedShape) -> Arrays:
    neuron, zeros = network.params.neuron, np.zeros(network.n_neurons)
    restart = neuron.v_reset if shape.reset == "hard" else 0.0
    values: Arrays = {"remaining": zeros, "mobile": zeros + 1.0, "rise": zeros, "since": zeros}
    return values | {"t_ref": number(neuron.t_ref), "v_restart": number(restart)}
