"""Steps 1 to 3 of LNP as functions of a network and of what was measured on it.

Each calls the pure functions on arrays of `pruning`, and returns a new network that notes
the operation in its history. Random numbers come from the generator that is passed in.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.exponents.edges import edge_exponents, edge_weights
from hrsnn_brian.measurements import Measurements
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning import scores
from hrsnn_brian.pruning.compensation import parse_compensation
from hrsnn_brian.pruning.covariance import linear_covariance
from hrsnn_brian.pruning.delocalisation import EdgeTrial, delocalise
from hrsnn_brian.pruning.neurons import choose_leavers
from hrsnn_brian.pruning.options import OFF, LNPOptions
from hrsnn_brian.pruning.synapses import Pruning, keep_entries, prune_synapses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Found:
    """What an iteration measured on its network: arrays per neuron, None where not needed.

    covariance: (N, N); exponents: node exponents over T seconds (N,), 1/s; rates: (N,), Hz.
    """

    T: float
    covariance: Floats | None = None
    exponents: Floats | None = None
    rates: Floats | None = None

    def at(self, stay: NDArray[np.int64]) -> "Found":
        """The same for the neurons that stay."""
        return Found(
            self.T,
            None if self.covariance is None else self.covariance[np.ix_(stay, stay)],
            None if self.exponents is None else self.exponents[stay],
            None if self.rates is None else self.rates[stay],
        )


class NodeExponents:
    """Node exponents, measured in iterations 1, 1 + every, ...; in between neurons keep theirs."""

    def __init__(self, measure: Measurements, options: LNPOptions) -> None:
        self._measure, self._options = measure, options
        self._measured_in = 0
        self._by_id = np.zeros(0)

    def of(self, iteration: int, before: Callable[[int], Network]) -> Floats | None:
        """Those of the network that an iteration starts from, None where no step asks for them.

        before(k): the network that iteration k starts from. In a run that is resumed this is where
        the exponents in force are measured again.
        """
        if not self._options.needs_exponents:
            return None
        due = iteration - (iteration - 1) % self._options.exponent_every
        if due != self._measured_in:
            network = before(due)
            self._by_id = np.full(network.n_original, np.nan)
            self._by_id[network.neuron_id] = self._measure.node_exponents(network)
            self._measured_in = due
        return self._by_id[before(iteration).neuron_id]


def look(
    network: Network, measure: Measurements, options: LNPOptions, exponents: Floats | None
) -> Found:
    """Measure what else the steps will ask for, and nothing in vain; exponents: (N,), 1/s."""
    covariance = None
    if options.needs_covariance and options.covariance == "linear":
        covariance = linear_covariance(network.W, network.tau_m)
    elif options.needs_covariance:
        covariance = measure.covariance(network)
    return Found(
        measure.T,
        covariance,
        exponents,
        measure.rates(network) if options.neurons == "activity" else None,
    )


def importance(W: Any, found: Found, options: LNPOptions) -> Floats:
    """q (nnz,) of every synapse of CSR W: score times factor, see `LNPOptions`."""
    strength = {
        "uniform": scores.uniform,
        "magnitude": scores.magnitude,
        "exponent": lambda W: _exponent_weights(W, found, options),
        "product": lambda W: scores.magnitude(W) * _exponent_weights(W, found, options),
    }[options.score](W)
    if options.factor == "none":
        return np.asarray(strength)
    assert found.covariance is not None  # `look` has measured it
    return scores.noise(W, found.covariance, strength, options.factor)


def _exponent_weights(W: Any, found: Found, options: LNPOptions) -> Floats:
    assert found.exponents is not None  # `look` has measured them
    exponents = edge_exponents(W, found.exponents, found.T, options.neighbourhood)
    # only ratios matter: relative to the largest nothing overflows
    return edge_weights(exponents - exponents.max(initial=-math.inf), found.T)


def prune_by_noise(
    network: Network,
    source: Network,
    target: int,
    found: Found,
    options: LNPOptions,
    rng: np.random.Generator,
    **note: Any,
) -> Network:
    """Step 1: keep `target` synapses (all, if there are fewer) and compensate for the others.

    source: the network before the first iteration, whose sums are the former sums.
    """
    if options.synapses == OFF or target >= network.n_synapses:
        return network
    rows = np.searchsorted(source.neuron_id, network.neuron_id)
    original = source.W[rows] if options.former == "all" else source.W[rows][:, rows]
    base = network.W if options.base == "carried" else _former_weights(network, source)
    state = prune_synapses(
        Pruning(network.W, base, original),
        importance(network.W, found, options),
        target,
        rng,
        options.selection,
        parse_compensation(options.compensation),
        options.base,
    )
    return network.with_weights(state.W, operation="synapses", synapses=target, **note)


def _former_weights(network: Network, source: Network) -> Any:
    """W with each synapse's weight in `source`; one that was added has none and keeps its own."""
    rows = np.searchsorted(source.neuron_id, network.neuron_id)
    before, now = _keys(source.W[rows][:, rows]), _keys(network.W)
    at = np.minimum(np.searchsorted(before, now), len(before) - 1)
    former = source.W[rows][:, rows].data
    data = np.where(before[at] == now, former[at], network.W.data)
    return type(network.W)((data, network.W.indices, network.W.indptr), shape=network.W.shape)


def _keys(W: Any) -> NDArray[np.int64]:
    """One whole number per synapse of a CSR with sorted indices, increasing."""
    post = np.repeat(np.arange(W.shape[0], dtype=np.int64), np.diff(W.indptr))
    return post * W.shape[1] + W.indices


def remove_neurons(
    network: Network,
    count: int,
    fraction_e: float,
    found: Found,
    options: LNPOptions,
    rng: np.random.Generator,
    **note: Any,
) -> tuple[Network, Found]:
    """Step 2: `count` neurons stay; the others leave the network, and what was measured on them.

    fraction_e: share of excitatory neurons that stays, where E and I leave in proportion.
    """
    if options.neurons == OFF or count == network.n_neurons:
        return network, found
    by_exponents = options.neurons == "betweenness" and options.graph == "exponent"
    leavers = choose_leavers(
        options.neurons,
        network.W,
        network.is_e,
        count,
        rng,
        strength=_exponent_weights(network.W, found, options) if by_exponents else None,
        distance=options.distance,
        pivots=options.pivots,
        rates=found.rates,
        proportional=options.proportional != OFF,
        fraction_e=fraction_e,
    )
    stay = np.setdiff1d(np.arange(network.n_neurons), leavers)
    smaller = network.without_neurons(leavers, operation="neurons", neurons=count, **note)
    return smaller, found.at(stay)


def spread_modes(
    network: Network, found: Found, options: LNPOptions, rng: np.random.Generator, **note: Any
) -> tuple[Network, int]:
    """Step 3: the network with a few new synapses that spread its leading modes, and how many.

    Each takes the place of the least important of the others, so that the number of synapses does
    not change; with step 1 off nothing leaves.
    """
    if options.delocalisation == OFF or options.added_edges == 0:
        return network, 0
    result = delocalise(
        network.W,
        network.is_e,
        network.tau_m,
        options.added_edges,
        rng,
        gain=options.gain,
        modes=options.modes,
        choice=options.delocalisation,
    )
    if not result.added:
        return network, 0
    W = result.W
    if options.synapses != OFF:
        W = _without_least(W, result.trials, found, options, rng)
    note |= {"before": result.before, "after": result.after}
    changed = network.with_weights(W, operation="delocalisation", added=result.added, **note)
    return changed, result.added


def _without_least(
    W: Any,
    trials: Sequence[EdgeTrial],
    found: Found,
    options: LNPOptions,
    rng: np.random.Generator,
) -> Any:
    """W without as many of the least important synapses as were added, none of them new.

    Ties are broken by lot: where all synapses count the same, any may leave.
    """
    n = W.shape[0]
    new = [trial.post * n + trial.pre for trial in trials if trial.accepted]
    q = importance(W, found, options)
    q[np.isin(_keys(W), new)] = np.inf
    mask = np.ones(W.nnz, dtype=bool)
    order = np.lexsort((rng.random(W.nnz), q))
    mask[order[: min(len(new), W.nnz - len(new))]] = False
    return keep_entries(W, mask)
