"""Run a network, or perturbed copies of it: what the rest of the package simulates with."""

from hrsnn_brian.errors import EngineError
from hrsnn_brian.files.machine import require_memory
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.arrays import Arrays
from hrsnn_brian.simulation.copies_scene import perturbed_scene, perturbed_shape
from hrsnn_brian.simulation.drive import Drive, FloatArray, Recorded, Recording
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.perturbation import Divergence, Perturbation
from hrsnn_brian.simulation.scene import asked_names, network_scene, network_shape


def simulate(engine: Engine, network: Network, drive: Drive) -> Recording:
    """Run a network under a drive.

    Raises InputError for a drive that does not fit, EngineError if the engine fails.
    """
    shape = network_shape(network, drive)
    asked = asked_names(network, drive, shape)
    if asked:
        numbers = drive.stimulus.shape[0] * network.n_neurons * len(asked)
        what = f"recording {network.n_neurons} neurons for {drive.stimulus.shape[0]} samples"
        require_memory(2 * 8.0 * numbers, what)  # in the program, then here
    scene = network_scene(network, drive, shape, engine.prepare(shape))
    result = engine.run(shape, scene)
    rows, columns = drive.stimulus.shape
    # Row 0 was recorded before the first sample.
    states = {
        name: _shaped(result, f"states.{inside}", rows + 1, network.n_neurons)[1:]
        for name, inside in asked.items()
    }
    u = None
    if shape.has_channels:
        u = _shaped(result, "predictions.u", rows + 1)[:rows, :columns]
    return Recording(
        states=Recorded(states),
        spike_count=result["spike_count"],
        seconds=rows * network.params.timing.sample,
        u=u,
        spike_index=result["spike_i"] if drive.record_spikes else None,
        spike_time=result["spike_t"] if drive.record_spikes else None,
    )


def simulate_perturbed(
    engine: Engine, network: Network, drive: Drive, perturbation: Perturbation
) -> Divergence:
    """Simulate a network with its perturbed copies.

    The time step is that of the network's timing. Raises InputError for parts that do not fit or a
    network with synaptic delays, EngineError if the engine fails.
    """
    shape = perturbed_shape(network, drive, perturbation)
    scene = perturbed_scene(network, drive, perturbation, shape, engine.prepare(shape))
    result = engine.run(shape, scene)
    copies = len(perturbation.directions)
    postponed, measured = int(result["postponed"][0]), len(result["log_time"])
    duration, dt, first, interval = (
        float(scene[name][0]) for name in ("duration", "dt", "first_step", "interval_steps")
    )
    wanted = int((duration / dt - first) / interval) if copies else 0
    if measured < wanted - 1 - postponed:  # the last one may have been put off past the end
        raise EngineError(f"the simulation measured {measured} of {wanted} intervals")
    return Divergence(
        log_growth=_shaped(result, "log_growth", measured, copies),
        intervals=result["log_time"],
        postponed=postponed,
        spike_count=result["spike_count"][:: copies + 1],
        seconds=drive.stimulus.shape[0] * network.params.timing.sample,
        snapshots=result["snapshots"].reshape(measured, -1),
    )


def _shaped(result: Arrays, name: str, rows: int, columns: int | None = None) -> FloatArray:
    """An array of a result as (rows, columns). Raises EngineError if it has another size."""
    array = result[name]
    if array.size % rows if columns is None else array.size != rows * columns:
        raise EngineError(f"the simulation left {array.size} values of {name}, not {rows} rows")
    return array.reshape(rows, -1 if columns is None else columns)
