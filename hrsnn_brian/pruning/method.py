"""What a pruning method is made of."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.evidence import Facts, Source

Floats = NDArray[np.float64]
Settings = Mapping[str, str]
Importance = Callable[[Network, Facts, Settings, int], Floats]
Build = Callable[[Network, int, int, int, Settings], Network]
Finish = Callable[[Network, Network, Source, Settings, int], Network]


@dataclass(frozen=True)
class Option:
    """A choice of a method, as text: one of the words `allowed`, or a number of low .. high."""

    default: str
    description: str
    allowed: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0

    def check(self, name: str, value: object) -> str:
        """The value as text. Raises InputError, naming the option, if it is not allowed."""
        if self.allowed:
            if value not in self.allowed:
                raise unknown_name(name, str(value), self.allowed)
            return str(value)
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not self.low <= number <= self.high:
            raise InputError(name, value, f"must be a number from {self.low:g} to {self.high:g}")
        return f"{number:g}"


@dataclass(frozen=True)
class Method:
    """A pruning method.

    function(network, facts, settings, seed): importance (nnz,) of each synapse, from the facts
        named in `needs` (see `evidence.NEEDS`); None for a method that has `build`.
    build(network, neurons, synapses, seed, settings): the whole result at once.
    finish(network, original, source, settings, seed): what is done after the last round, where
        `original` is the network given, before any neuron left.
    neurons: who leaves when neurons leave. "once": by lot, before the first round; "random": by
        lot, in every round; a name in `needs`: those of the lowest value, in every round.
    chooses_neurons: the method makes no sense where all neurons stay.
    compensation: its default. aliases: other names it goes by.
    """

    name: str
    description: str
    source: str
    cost: str
    function: Importance | None = None
    compensation: str = "none"
    options: Mapping[str, Option] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    neurons: str = "once"
    chooses_neurons: bool = False
    finish: Finish | None = None
    build: Build | None = None
    aliases: tuple[str, ...] = ()

    @property
    def needs_covariance(self) -> bool:
        """Whether it needs the covariance of rates."""
        return "covariance" in self.needs


def one_of(default: str, known: Mapping[str, str]) -> Option:
    """The option to be one of `known`: name -> what it means."""
    return Option(default, "; ".join(f"{k}: {v}" for k, v in known.items()), tuple(known))


def number(default: str, low: float, high: float, description: str) -> Option:
    """The option to be a number of low .. high."""
    return Option(default, description, low=low, high=high)
