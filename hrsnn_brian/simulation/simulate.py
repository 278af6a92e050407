"""Run a network, or perturbed copies of it: what the rest of the package simulates with."""

from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.drive import Drive, Recording
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.perturbation import Divergence, Perturbation
from hrsnn_brian.simulation.replica_scene import replica_scene, replica_shape
from hrsnn_brian.simulation.scene import network_scene, network_shape


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
