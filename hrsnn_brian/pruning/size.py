"""How many neurons and synapses are wanted: exact whole numbers from three ways of saying it."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.network.network import Network


@dataclass(frozen=True)
class Size:
    """How large a pruned network shall be; of `keep`, `density`, `synapses` exactly one.

    neurons: how many stay (default: all). keep: fraction of the synapses of the ORIGINAL network;
    density: synapses over possible edges n (n - 1) of the RESULTING network; synapses: their
    number. Fractions are rounded to the nearest whole synapse. [our choice]
    """

    neurons: int | None = None
    keep: float | None = None
    density: float | None = None
    synapses: int | None = None

    def resolve(self, network: Network) -> tuple[int, int]:
        """(neurons, synapses) of `network` pruned to this size.

        Raises InputError unless exactly one of the three is given, in its range, and
        SizeOutOfReachError, one of these, if the network holds fewer synapses than asked for.
        """
        n = self.resolve_neurons(network)
        wanted = {"keep": self.keep, "density": self.density, "synapses": self.synapses}
        given = {name: value for name, value in wanted.items() if value is not None}
        if len(given) != 1:
            what = "give exactly one of keep, density and synapses"
            raise InputError("budget", given or None, what)
        ((name, value),) = given.items()
        if name == "synapses":
            count = _whole(name, value)
        else:
            total = network.synapses_original if name == "keep" else n * (n - 1)
            count = round(_fraction(name, value) * total)
        if count < 1:
            raise InputError(name, value, "must leave at least one synapse")
        held, possible = network.n_synapses, min(network.n_synapses, n * (n - 1))
        if count > possible:
            room = "" if possible == held else f" and {n} neurons have room for {possible}"
            why = f"asks for {count} synapses; this network of {network.n_neurons} neurons holds "
            raise SizeOutOfReachError(name, value, f"{why}{held}{room}; pruning adds none")
        return n, count

    def resolve_neurons(self, network: Network) -> int:
        """The number of neurons to keep. Raises InputError for one that is not there."""
        if self.neurons is None:
            return network.n_neurons
        count = _whole("neurons", self.neurons)
        if not 1 <= count <= network.n_neurons:
            what = f"must be from 1 to {network.n_neurons}, the neurons there are"
            raise InputError("neurons", self.neurons, what)
        return count

    @property
    def asks_for_synapses(self) -> bool:
        """Whether it says anything about synapses."""
        return (self.keep, self.density, self.synapses) != (None, None, None)


def _whole(name: str, value: object) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InputError(name, value, "must be a whole number")
    return int(value)


def _fraction(name: str, value: object) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or math.isnan(value):
        raise InputError(name, value, "must be a number in (0, 1]")
    fraction = float(value)
    if not 0 < fraction <= 1:
        raise InputError(name, value, "must be in (0, 1]")
    return fraction
