"""How many synapses are wanted: one exact whole number from the three ways of saying it.

`keep` is a fraction of the synapses of the ORIGINAL network, `density` is synapses over
possible edges of the RESULTING network (self-loops excluded), `synapses` is the number itself.
"""

import math
from dataclasses import dataclass
from numbers import Integral, Real

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.network.network import Network


def resolve_budget(
    network: Network,
    keep: float | None = None,
    density: float | None = None,
    synapses: int | None = None,
    neurons: int | None = None,
) -> int:
    """The number of synapses asked for by exactly one of `keep`, `density` and `synapses`.

    `neurons` is the size of the resulting network where neurons leave too (default: all stay);
    it sets the number of possible edges n (n - 1) that `density` refers to. Fractions are
    rounded to the nearest whole synapse. [our choice]

    Raises InputError if none or several of the three are given, if a value is out of its
    range or not a number, or if the network holds fewer synapses than asked for.
    """
    n = resolve_neurons(network, neurons)
    wanted = {"keep": keep, "density": density, "synapses": synapses}
    given = {name: value for name, value in wanted.items() if value is not None}
    if len(given) != 1:
        raise InputError("budget", given or None, "give exactly one of keep, density and synapses")
    ((name, value),) = given.items()
    if name == "synapses":
        count = _whole(name, value)
    else:
        total = network.synapses_original if name == "keep" else n * (n - 1)
        count = round(_fraction(name, value) * total)
    if count < 1:
        raise InputError(name, value, "must leave at least one synapse")
    possible = min(network.n_synapses, n * (n - 1))
    if count > possible:
        why = (
            f"asks for {count} synapses; this network of {network.n_neurons} neurons holds "
            f"{network.n_synapses}"
        )
        room = (
            "" if possible == network.n_synapses else f" and {n} neurons have room for {possible}"
        )
        raise SizeOutOfReachError(name, value, f"{why}{room}; pruning adds none")
    return count


def resolve_neurons(network: Network, neurons: int | None) -> int:
    """The number of neurons to keep: all if None.

    Raises InputError unless it is a whole number from 1 to the number there are.
    """
    if neurons is None:
        return network.n_neurons
    count = _whole("neurons", neurons)
    if not 1 <= count <= network.n_neurons:
        raise InputError(
            "neurons", neurons, f"must be from 1 to {network.n_neurons}, the neurons there are"
        )
    return count


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


@dataclass(frozen=True)
class Size:
    """How large a pruned network shall be; of `keep`, `density`, `synapses` exactly one.

    neurons: how many stay (default: all). keep: fraction of the original synapses; density:
    synapses over possible ones of the resulting network; synapses: their number.
    """

    neurons: int | None = None
    keep: float | None = None
    density: float | None = None
    synapses: int | None = None

    def resolve(self, network: Network) -> tuple[int, int]:
        """(neurons, synapses) of `network` pruned to this size; InputError as `resolve_budget`."""
        neurons = resolve_neurons(network, self.neurons)
        return neurons, resolve_budget(
            network, self.keep, self.density, self.synapses, self.neurons
        )

    @property
    def asks_for_synapses(self) -> bool:
        """Whether it says anything about synapses."""
        return (self.keep, self.density, self.synapses) != (None, None, None)
