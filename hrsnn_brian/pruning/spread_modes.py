"""The step that keeps eigenmodes spread over the network; step 3 of LNP."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass
from typing import ClassVar

from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.delocalisation import CHOICES, Linearisation, delocalise
from hrsnn_brian.pruning.iteration import Iteration, Step
from hrsnn_brian.pruning.keep_synapses import without_least
from hrsnn_brian.settings.fields import OneOf, Real, Whole


@dataclass(frozen=True)
class SpreadModes(Step):
    """Add a few synapses that raise the participation ratio P = 1/sum |x_i|^4 of the leading modes.

    Modes are those of A = -D + gain D W; see `delocalisation` for how candidates are found. Each
    new synapse takes the place of the least important of the others, so that the number does not
    change; where no synapses leave in the recipe, none leaves here. [review; how is our choice]
    """

    section: ClassVar[str] = "delocalisation"
    rule: OneOf = OneOf("gradient", {**CHOICES, "off": "no synapse is added"}).about(
        "which candidate is tried"
    )
    added_edges: Whole = Whole(5, low=0).about("synapses added in an iteration, at most")
    modes: Whole = Whole(10, low=1).about("leading modes, here and in the history")
    gain: Real = Real(1.0).about("of the linearisation A = -D + gain D W")

    def linearisation(self, network: Network) -> Linearisation:
        """The modes that are kept spread, of a network."""
        return Linearisation(network.tau_m, self.gain, self.modes)

    def __call__(self, now: Iteration) -> Iteration:
        if self.rule == "off" or self.added_edges == 0:
            return now.with_network(now.network, added=0)
        random, network = now.random("delocalisation"), now.network
        linear = self.linearisation(network)
        result = delocalise(
            network.W, network.is_e, linear, self.added_edges, random, choice=self.rule
        )
        if not result.added:
            return now.with_network(network, added=0)
        W, keep = result.W, now.recipe.step("synapses")
        if keep is not None and keep.rule == "on":
            new = [t.post * W.shape[0] + t.pre for t in result.trials if t.accepted]
            W = without_least(W, new, keep, now, random)
        told = {"added": result.added, "before": result.before, "after": result.after}
        changed = network.with_weights(W, **now.note("delocalisation", **told))
        return now.with_network(changed, added=result.added)
