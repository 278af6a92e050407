"""What decides a compiled program, and nothing else.

Two simulations with the same `ModelShape` run the same binary: connectivity, weights, time
constants, thresholds, initial states, inputs, dt, duration and (up to the capacity) the number
of neurons come in at run time, and so does what is recorded. That is why pruning never recompiles.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name

ENCODINGS = ("population", "current", "poisson", "direct")
RESETS = ("subtractive", "hard")
CURRENTS = ("one", "two")


@dataclass(frozen=True)
class ModelShape:
    """The compile-time choices of a model.

    capacity: largest number of neurons (and of stimulus columns when `encoding` is "direct").
    channels: largest number of input channels D.
    encoding: how u(t) becomes a current: Gaussian tuning, linear, Poisson kicks at a Gaussian
        rate, or one stimulus column per neuron.
    currents: "one" signed synaptic current or "two" (excitatory, inhibitory).
    traces: number of exponential spike traces per neuron (0 for none).
    """

    capacity: int
    channels: int = 1
    encoding: str = "population"
    currents: str = "one"
    reset: str = "subtractive"
    refractory: bool = True
    traces: int = 3

    def __post_init__(self) -> None:
        if self.capacity < 1 or self.channels < 1 or self.traces < 0:
            raise InputError("shape", self, "capacity and channels >= 1, traces >= 0")
        for name, known in (("encoding", ENCODINGS), ("reset", RESETS), ("currents", CURRENTS)):
            if getattr(self, name) not in known:
                raise unknown_name(name, getattr(self, name), known)

    @property
    def own_input(self) -> bool:
        """Whether each of several copies has an input of its own."""
        return False

    @property
    def plastic(self) -> bool:
        """Whether the recurrent synapses learn during the run."""
        return False

    @property
    def has_channels(self) -> bool:
        """Whether the input passes through channels u(t)."""
        return self.encoding != "direct"

    @property
    def trace_names(self) -> tuple[str, ...]:
        """Their names in the program, whatever their time constants."""
        return tuple(f"s{k + 1}" for k in range(self.traces))

    @property
    def state_names(self) -> tuple[str, ...]:
        """What a recording of states holds and a readout may use, in order, as the program says."""
        return (*self.trace_names, "v")

    @property
    def pathways(self) -> tuple[tuple[str, str], ...]:
        """(Synapses name, current it drives) for each recurrent pathway."""
        if self.currents == "one":
            return (("recurrent", "I_syn"),)
        return (("excitatory", "I_e"), ("inhibitory", "I_i"))

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class PlasticShape(ModelShape):
    """The compile-time choices of a program whose recurrent synapses learn; no traces."""

    traces: int = 0
    rule: str = "stdp"

    @property
    def plastic(self) -> bool:
        return True


@dataclass(frozen=True)
class CopiesShape(ModelShape):
    """The compile-time choices of a program that runs copies of one network on one weight matrix.

    total: room for neurons of all copies together.
    """

    total: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.total < self.capacity:
            raise InputError("shape", self, "total >= capacity")


@dataclass(frozen=True)
class PerturbedShape(CopiesShape):
    """Copies that share their input and are perturbed.

    interpolated: spike times lie inside the step (for infinitesimal exponents), else on its grid.
    Copies have no traces; in interpolated ones `refractory` is False, their refractory period is
    counted in time.
    """

    traces: int = 0
    interpolated: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.traces:
            raise InputError("shape", self, "no traces")
        if self.encoding == "poisson":
            raise InputError("encoder.kind", "poisson", "perturbed copies need a smooth encoder")
        if self.interpolated and self.refractory:
            raise InputError("refractory", True, "is counted in time between the steps")


@dataclass(frozen=True)
class BatchShape(CopiesShape):
    """Copies with inputs of their own, whatever the number of its channels."""

    @property
    def own_input(self) -> bool:
        return True


def shape_from_dict(table: dict[str, Any]) -> ModelShape:
    """The shape that `to_dict` wrote."""
    if "total" not in table:
        return (PlasticShape if "rule" in table else ModelShape)(**table)
    return (PerturbedShape if "interpolated" in table else BatchShape)(**table)


# Squares of sums of traces that a readout inside the program may have. [our choice]
SQUARES = 400


def channel_capacity(channels: int) -> int:
    """Room for `channels` inputs: 4, then powers of two, so that tasks share programs."""
    return max(4, 2 ** math.ceil(math.log2(channels)))
