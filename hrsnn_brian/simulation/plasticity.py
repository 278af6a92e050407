"""Runs in which the recurrent synapses learn by STDP; the rule is `equations.PLASTIC_SYNAPSE`."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.files.machine import require_memory
from hrsnn_brian.network.network import FloatArray, Network
from hrsnn_brian.simulation.drive import Drive, Recorded, Recording
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.scene import network_scene, network_shape
from hrsnn_brian.simulation.shape import ModelShape, PlasticShape

_BYTES = 300  # per synapse, in the program and here


@dataclass(frozen=True, eq=False)
class Plasticity:
    """The constants of every synapse, (synapses,) in the order of `network.W.data`.

    tau_plus, tau_minus: windows of potentiation and depression, s. A_plus, A_minus: steps, >= 0.
    w_min, w_max: bounds of |w|. soft: 0 for the additive rule, 1 for the multiplicative one.

    Raises InputError for one that is not finite or out of range.
    """

    tau_plus: FloatArray
    tau_minus: FloatArray
    A_plus: FloatArray
    A_minus: FloatArray
    w_min: FloatArray
    w_max: FloatArray
    soft: FloatArray

    def __post_init__(self) -> None:
        shape = np.shape(self.w_max)
        for f in fields(self):
            values = np.asarray(getattr(self, f.name), dtype=float)
            if values.shape != shape or not np.isfinite(values).all() or np.any(values < 0):
                raise InputError(f.name, values.shape, f"must be {shape} finite numbers >= 0")
            if f.name.startswith("tau_") and np.any(values == 0):
                raise InputError(f.name, 0.0, "must be > 0 s")
            object.__setattr__(self, f.name, values)
        if np.any(self.w_min > self.w_max):
            raise InputError("w_min", float(self.w_min.max()), "must not be above w_max")


def plastic_shape(network: Network, drive: Drive) -> PlasticShape:
    """The shape of a network's program with synapses that learn."""
    table = network_shape(network, drive).to_dict() | {"traces": 0}
    return PlasticShape(**table)  # type: ignore[arg-type]


def simulate_plastic(
    engine: Engine,
    network: Network,
    drive: Drive,
    plasticity: Plasticity,
    weights: FloatArray | None = None,
) -> tuple[FloatArray, Recording]:
    """Run a network whose synapses learn; the weights at the end and what the run left.

    weights: (synapses,) at the start in the order of `network.W.data`, which they are by default;
    so come those at the end, signed. One that learning brought to 0 stays where it is. No states
    are recorded. Raises InputError for parts that do not fit or weights out of bounds or of the
    wrong sign, EngineError if the engine fails.
    """
    w = network.W.data if weights is None else np.asarray(weights, dtype=float)
    direction = np.sign(network.W.data)
    if w.shape != direction.shape or plasticity.w_max.shape != direction.shape:
        raise InputError("weights", w.shape, f"must be {network.n_synapses}, as the constants")
    size = direction * w
    if not np.all((size >= plasticity.w_min) & (size <= plasticity.w_max)):
        raise InputError("weights", "of some synapses", "must lie between w_min and w_max")
    require_memory(_BYTES * w.size, f"learning in {w.size} synapses")
    drive = replace(drive, traces=False, record_states=False)
    shape = plastic_shape(network, drive)
    scene = network_scene(network, drive, shape, engine.prepare(shape))
    order = synapse_order(network, shape)
    magnitudes = shape.currents == "two"
    for name, index in order.items():
        scene |= {
            f"{name}.{f.name}": getattr(plasticity, f.name)[index] for f in fields(plasticity)
        }
        scene[f"{name}.w"] = (size if magnitudes else w)[index]
        scene[f"{name}.direction"] = np.ones(index.size) if magnitudes else direction[index]
    result = engine.run(shape, scene)
    learnt = np.empty_like(w)
    for name, index in order.items():
        found = result[f"{name}.w"]
        if found.size != index.size:
            raise EngineError(f"the simulation left {found.size} of {index.size} weights")
        learnt[index] = direction[index] * found if magnitudes else found
    seconds = drive.stimulus.shape[0] * network.params.timing.sample
    spikes = (result["spike_i"], result["spike_t"]) if drive.record_spikes else (None, None)
    return learnt, Recording(Recorded(), result["spike_count"], seconds, None, *spikes)


def synapse_order(network: Network, shape: ModelShape) -> dict[str, NDArray[np.int64]]:
    """For each pathway the place in `network.W.data` of its synapses, as a scene lists them."""
    W = network.W
    numbered = sparse.csr_array((np.arange(W.nnz), W.indices, W.indptr), shape=W.shape)
    order = numbered.tocsc().data
    if shape.currents == "one":
        return {"recurrent": order}
    excites = W.data[order] > 0
    return {"excitatory": order[excites], "inhibitory": order[~excites]}
