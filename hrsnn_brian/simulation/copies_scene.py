"""From a network, a drive and a perturbation to the named arrays of one run of copies."""

import math

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.arrays import Arrays
from hrsnn_brian.simulation.drive import Drive
from hrsnn_brian.simulation.perturbation import ACTIONS, Perturbation
from hrsnn_brian.simulation.propagators import LinearSystem, propagators
from hrsnn_brian.simulation.scene import (
    channel_arrays,
    encoder_arrays,
    initial_potential,
    network_shape,
    number,
    stimulus_arrays,
)
from hrsnn_brian.simulation.shape import PerturbedShape


def perturbed_shape(network: Network, drive: Drive, perturbation: Perturbation) -> PerturbedShape:
    """The shape of the program: room for a power of two of neurons in all, at least 4096."""
    if network.params.synapse.delay > 0:
        raise InputError(
            "synapse.delay", network.params.synapse.delay, "exponents need synapses without delay"
        )
    base = network_shape(network, drive)
    total = network.capacity * (len(perturbation.directions) + 1)
    return PerturbedShape(
        capacity=base.capacity,
        channels=base.channels,
        encoding=base.encoding,
        currents=base.currents,
        reset=base.reset,
        refractory=base.refractory and not perturbation.interpolated,
        total=max(4096, 2 ** math.ceil(math.log2(total))),
        interpolated=perturbation.interpolated,
    )


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
    scene |= _cell_arrays(network, system)
    scene |= _copy_arrays(network, drive, shape, system)
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
    network: Network, drive: Drive, shape: PerturbedShape, system: LinearSystem
) -> Arrays:
    """The initial state of the reference; that of its copies is the same."""
    neuron, n = network.params.neuron, network.n_neurons
    zeros = np.zeros(n)
    values: Arrays = dict.fromkeys(system.states, zeros)
    values |= {"v": initial_potential(network, drive.seed), "cell": np.arange(n, dtype=np.int32)}
    if shape.reset == "hard":
        values["v_reset"] = number(neuron.v_reset)
    if shape.interpolated:
        restart = neuron.v_reset if shape.reset == "hard" else 0.0
        values |= {"remaining": zeros, "mobile": zeros + 1.0, "rise": zeros, "since": zeros}
        values |= {"t_ref": number(neuron.t_ref), "v_restart": number(restart)}
    elif shape.refractory:
        steps = round(neuron.t_ref / network.params.timing.dt)
        values |= {"release": np.zeros(n, dtype=np.int32)}
        values |= {"refractory_steps": np.array([steps], dtype=np.int32)}
    return {f"neurons.{name}": value for name, value in values.items()}


def _pathway_arrays(network: Network, shape: PerturbedShape) -> Arrays:
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
