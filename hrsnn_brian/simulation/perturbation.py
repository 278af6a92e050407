"""How copies of a network are perturbed, and how they part."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.simulation.drive import FloatArray

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
