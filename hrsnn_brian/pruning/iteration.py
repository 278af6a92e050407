"""What a step of a recipe is given and gives back: a network, and what was seen of it."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.section import Section

if TYPE_CHECKING:
    from hrsnn_brian.pruning.recipe import Recipe

Floats = NDArray[np.float64]

# What a step may need to know of the network that its iteration starts from.
FACTS = {
    "covariance": "(N, N), of the filtered rates under task-agnostic white noise",
    "rates": "(N,), Hz, firing rates under task-agnostic white noise",
    "exponents": "(N,), 1/s, finite-time exponents of perturbing one neuron",
    "echo": "the input echo S, of a change of one sample shown through the encoder",
    "task_rates": "(N,), Hz, firing rates on the task",
    "readout_weight": "(N,), size of the trained readout's weights on each neuron",
}
# The methods of a probe that are not called like their fact.
METHODS = {"exponents": "node_exponents"}
OF_TASK = ("task_rates", "readout_weight")


class Probe(Protocol):
    """What may be asked of a network as it stands; `Measurements` asks the engine.

    T: s, over which a perturbation grows in `node_exponents`; unresolved: neurons to which the last
    of these gave the value of others; lambda_1_error, ...: standard errors of the last
    `lambda_1`, `common_lambda_1`, `common_growth` (1/s) and `echo`.
    `task_rates` and `readout_weight`, of a network trained for a task, need not be there.
    """

    T: float
    unresolved: int
    lambda_1_error: float
    common_lambda_1_error: float
    common_growth_error: float
    echo_error: float

    def covariance(self, network: Network) -> Floats: ...

    def rates(self, network: Network) -> Floats: ...

    def rate_hz(self, network: Network) -> float: ...

    def node_exponents(self, network: Network) -> Floats: ...

    def lambda_1(self, network: Network) -> float: ...

    def common_lambda_1(self, network: Network) -> float: ...

    def common_growth(self, network: Network) -> float: ...

    def echo(self, network: Network) -> float: ...

    def memory_capacity(self, network: Network) -> float: ...


def identity_of(probe: Any) -> Mapping[str, Any]:
    """What the numbers of a probe depend on, if it says so in its `identity`, as plain values."""
    return getattr(probe, "identity", {})


_FACT_OF = {"rate_hz": "rates"} | {method: fact for fact, method in METHODS.items()}


class Watched:
    """A probe that tells which fact it is asked for, by its name in `FACTS`, before it answers."""

    def __init__(self, probe: Any, tell: Callable[[str], None]) -> None:
        self._probe, self._tell = probe, tell

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._probe, name)
        fact = _FACT_OF.get(name, name)
        if fact not in FACTS:
            return found

        def asked(*words: Any) -> Any:
            self._tell(fact)
            return found(*words)

        return asked


@dataclass(frozen=True, eq=False)
class Iteration:
    """A network in the course of one iteration.

    number: from 1; 0 before the first. neurons, synapses: that this iteration leaves; budget: the
    synapses that the last one leaves. network: as it stands. source: as it was when the iterations
    began; original: as it was given. seen: facts by name (see `FACTS`), of the neurons that are
    there. told: what the history says of the iteration. log: name -> a file for a step's own log.
    """

    recipe: "Recipe"
    probe: Probe
    seed: int
    number: int
    rounds: int
    neurons: int
    synapses: int
    budget: int
    network: Network
    source: Network
    original: Network
    original_hz: Callable[[], float]
    original_echo: Callable[[], float]
    seen: Mapping[str, Floats] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    log: Callable[[str], Path | None] = lambda name: None

    def random(self, step: str) -> np.random.Generator:
        """The generator of a step, a stream of its own in every iteration."""
        return rng(self.seed, "prune", *self.recipe.stream(step, self.number))

    def note(self, operation: str, **more: Any) -> dict[str, Any]:
        """An entry for the history of the network."""
        place = {"recipe": self.recipe.name, "seed": self.seed}
        if self.number:
            place |= {"round": self.number, "rounds": self.rounds}
        return {"operation": operation, **place, **more}

    def with_network(self, network: Network, **told: Any) -> "Iteration":
        """The same iteration with another network of the same neurons."""
        return replace(self, network=network, told={**self.told, **told})

    def without(self, leavers: NDArray[np.int64]) -> "Iteration":
        """The iteration without some neurons, what was seen of them included."""
        smaller = self.network.without_neurons(
            leavers, **self.note("neurons", neurons=self.network.n_neurons - leavers.size)
        )
        seen = {name: _without(values, leavers) for name, values in self.seen.items()}
        return replace(self, network=smaller, seen=seen)


def _without(values: Floats, leavers: NDArray[np.int64]) -> Floats:
    """(N,) or (N, N) without the entries of the neurons that leave."""
    for axis in range(values.ndim):
        values = np.delete(values, leavers, axis=axis)
    return values


class Step(Section):
    """A step of a recipe: settings, and what it does to a network. Frozen dataclasses."""

    section: ClassVar[str]

    @property
    def needs(self) -> frozenset[str]:
        """Names of `FACTS` that the step looks at."""
        return frozenset()

    @property
    def asks(self) -> frozenset[str]:
        """Names of `FACTS` that it asks the probe for itself, of networks that it makes."""
        return frozenset()

    @abstractmethod
    def __call__(self, now: Iteration) -> Iteration:
        """The iteration after this step."""


def needs_of(steps: Iterable[Step]) -> tuple[str, ...]:
    """The facts that any of the steps looks at, sorted."""
    return tuple(sorted({need for step in steps for need in step.needs}))
