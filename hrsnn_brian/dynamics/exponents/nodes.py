"""Finite-time exponents of single neurons: what LNP scores synapses with."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass

import numpy as np

from hrsnn_brian.dynamics.exponents.finite_time import (
    FiniteTimeResult,
    finite_time_exponents,
)
from hrsnn_brian.dynamics.exponents.spiking import (
    POSTPONE_ABOVE,
    DriveMaker,
    Report,
    default_drive,
    with_time_step,
)
from hrsnn_brian.network.network import Network
from hrsnn_brian.settings.fields import Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.times import Span
from hrsnn_brian.simulation import Engine, Perturbation, simulate_perturbed


@dataclass(frozen=True)
class NodeProtocol(Section):
    """How the exponents of single neurons are measured; times in seconds, or texts with a unit."""

    T: Span = Span(80e-3).about("time over which the perturbation of a neuron grows")
    segments: Whole = Whole(20, low=1).about("independent inputs")
    dt: Span = Span(1e-4).about("time step")
    d0: Real = Real(1e-8, 0, above=True).about("size of the perturbation")
    warmup: Span = Span(0.5, positive=False).about("time before copies are perturbed")
    batch: Whole = Whole(64, low=1).about("copies in a run")

    @property
    def seconds(self) -> float:
        """Biological time of a run: the warm-up and all segments."""
        return self.warmup + self.segments * self.T


def node_exponents(
    network: Network,
    *,
    engine: Engine,
    protocol: NodeProtocol | None = None,
    drive: DriveMaker = default_drive,
    seed: int = 0,
    on_batch: Report = lambda done, total: None,
) -> FiniteTimeResult:
    """Finite-time exponents l_i(T) of perturbing neuron i alone: its outgoing influence, 1/s.

    Neurons whose perturbation died, saturated or shrank to the rounding of the state have none; the
    flags say how many and what helps, and the others stand.

    Every segment of T starts again from the reference trajectory.
    """
    plan = protocol or NodeProtocol()
    d0, duration, batch = plan.d0, float(plan.T), plan.batch
    stepped = with_time_step(network, plan.dt)
    n = network.n_neurons
    run = drive(stepped, plan.seconds + stepped.params.timing.sample, seed)
    logs = []
    starts = range(0, n, batch)
    for number, start in enumerate(starts):
        chosen = np.arange(start, min(start + batch, n))
        # every batch has the same size, hence the same program
        padded = np.resize(chosen, min(batch, n))
        directions = np.zeros((len(padded), n))
        directions[np.arange(len(padded)), padded] = 1.0
        perturbation = Perturbation(
            directions, d0=d0, start=plan.warmup, interval=duration, action="restart"
        )
        divergence = simulate_perturbed(engine, stepped, run, perturbation)
        logs.append(divergence.log_growth[: plan.segments, : len(chosen)])
        on_batch(number + 1, len(starts))
    distances = d0 * np.exp(np.concatenate(logs, axis=1))
    return finite_time_exponents(distances, d0, duration, saturation=POSTPONE_ABOVE)
