"""What the studies of exponents share: whole networks as rows, their units and means."""

import math
from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import identity
from hrsnn_brian.files.tables import Row
from hrsnn_brian.runs.study import Point

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.exponents.spiking import Protocol
    from hrsnn_brian.dynamics.exponents.time_step import LargestExponent
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine


def whole(name: str, network: "Network", seed: int) -> Row:
    """The identity of a network that nothing was pruned from."""
    return identity(
        name,
        neurons=network.n_neurons,
        synapses=network.n_synapses,
        keep=1.0,
        neuron_fraction=1.0,
        seed=seed,
    )


def lambda_inf_at(
    point: Point, network: "Network", engine: "Engine", plan: "Protocol"
) -> "LargestExponent":
    """lambda_inf at the time steps of a point, which are not refined."""
    from hrsnn_brian.dynamics.exponents.time_step import lambda_inf

    steps, seed = point["dt"], point["seed"]
    return lambda_inf(
        network, engine=engine, protocol=plan, time_steps=steps, refinements=0, seed=seed
    )


def ms(seconds: float) -> float:
    """Milliseconds without the digits of the conversion."""
    return float(f"{1e3 * seconds:.12g}")


def mean_over_seeds(rows: Sequence[Row], column: str) -> float | None:
    """Mean over seeds, None if one of them failed."""
    values = [row[column] for row in rows]
    failed = not values or any(v is None or math.isnan(v) for v in values)
    return None if failed else mean(values)
