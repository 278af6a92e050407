"""Steps of controls that keep no synapse of the network they are given."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass
from typing import ClassVar

from hrsnn_brian.pruning import rivals
from hrsnn_brian.pruning.iteration import Iteration, Step
from hrsnn_brian.settings.fields import OneOf


@dataclass(frozen=True)
class Rewire(Step):
    """Every synapse gets a new source of its class; in-degrees and weights of neurons stay."""

    section: ClassVar[str] = "rewiring"

    def __call__(self, now: Iteration) -> Iteration:
        return now.with_network(rivals.rewire_within_class(now.network, now.seed))


@dataclass(frozen=True)
class DrawAnew(Step):
    """A new random network of that size, drawn from the same parameters."""

    section: ClassVar[str] = "fresh"
    scale: OneOf = OneOf("in-degree", rivals.SCALES).about("how weights follow the in-degree")

    def __call__(self, now: Iteration) -> Iteration:
        drawn = rivals.fresh_network(now.original, now.neurons, now.synapses, now.seed, self.scale)
        return now.with_network(drawn)


@dataclass(frozen=True)
class DropRecurrence(Step):
    """The control J = 0: neurons leave by lot and no synapse stays, whatever the budget."""

    section: ClassVar[str] = "no_recurrence"

    def __call__(self, now: Iteration) -> Iteration:
        bare = rivals.without_recurrence(now.original, now.neurons, now.seed)
        return now.with_network(bare)
