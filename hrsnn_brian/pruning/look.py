"""What an iteration measures of its network before any step is taken."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from hrsnn_brian.dynamics.covariance import linear_covariance
from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.importance import checked_covariance
from hrsnn_brian.pruning.iteration import Floats, Probe, Step, needs_of
from hrsnn_brian.pruning.recipe import Recipe

Before = Callable[[int], Network]


class Look:
    """Measures what the steps of a recipe will ask for, and nothing in vain.

    Node exponents, N perturbed copies, are measured in iterations 1, 1 + exponent_every, ...; in
    between neurons keep theirs. [our choice, for large networks]
    told: what the history says of what was measured last.
    """

    def __init__(self, probe: Probe, recipe: Recipe) -> None:
        self._probe, self._recipe = probe, recipe
        self._keep = recipe.step("synapses")
        self._measured_in = 0
        self._by_id = np.zeros(0)
        self.told: dict[str, int] = {}

    def __call__(self, iteration: int, before: Before) -> Mapping[str, Floats]:
        """Facts by name of the network that an iteration starts from.

        before(k): the network that iteration k starts from. In a run that is resumed this is where
        the exponents in force are measured again.
        Raises InputError if what was measured does not fit the network.
        """
        needs = needs_of(self._recipe.steps)
        return {need: self._fact(need, before(iteration), iteration, before) for need in needs}

    def once(self, network: Network, steps: Iterable[Step]) -> Mapping[str, Floats]:
        """What steps outside the iterations will ask for."""
        return {need: self._fact(need, network, 1, lambda _: network) for need in needs_of(steps)}

    def _fact(self, need: str, network: Network, iteration: int, before: Before) -> Floats:
        if need == "exponents":
            return self._exponents(iteration, before)
        linear = self._keep is not None and self._keep.covariance == "linear"
        if need == "covariance" and linear:
            return linear_covariance(network.W, network.tau_m)
        values = np.asarray(getattr(self._probe, need)(network), dtype=float)
        n = network.n_neurons
        if need == "covariance":
            return checked_covariance(values, n)
        if values.shape != (n,) or not np.isfinite(values).all():
            raise InputError(need, values.shape, f"must be {n} finite numbers, one per neuron")
        if not values.any():
            what = "is zero everywhere: a silent network, raise the drive or the bias"
            raise InputError(need, 0.0, what)
        return values

    def _exponents(self, iteration: int, before: Before) -> Floats:
        every = 1 if self._keep is None else self._keep.exponent_every
        due = iteration - (iteration - 1) % every
        if due != self._measured_in:
            network = before(due)
            self._by_id = np.full(network.n_original, np.nan)
            self._by_id[network.neuron_id] = self._probe.node_exponents(network)
            self._measured_in = due
            self.told = {"neurons_without_exponent": self._probe.unresolved}
        return self._by_id[before(iteration).neuron_id]
