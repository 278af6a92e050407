"""What the rivals and controls of LNP are made of: functions on networks, and their steps.

The recipes themselves are in `recipes`; `prune` applies them.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.weights import scale_to_spectral_radius
from hrsnn_brian.pruning.compensation import variance_preserving
from hrsnn_brian.pruning.iteration import Iteration, Step
from hrsnn_brian.pruning.keep_neurons import leavers
from hrsnn_brian.pruning.survivors import keep_entries
from hrsnn_brian.seeds import derived_seed, rng
from hrsnn_brian.settings.fields import OneOf

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCALES = {
    "in-degree": "weights J/sqrt(K) X, K the mean in-degree of the new network",
    "original": "weights J/sqrt(K) X, K the in-degree the original was drawn with",
}


def rewire_within_class(network: Network, seed: int) -> Network:
    """The network with new sources: each neuron's E inputs come from other E neurons, I likewise.

    Sources are drawn uniformly, without repeats or self-loops, and the weights are dealt to them at
    random. Each neuron keeps its number of E and of I inputs and the weights these have; what is
    lost is who projects to whom, and the out-degrees. Stream "prune"; one entry of history.
    """
    random = rng(seed, "prune", "rewire")
    W, is_e = network.W, network.is_e
    sources = W.indices.copy()
    classes = (np.flatnonzero(is_e), np.flatnonzero(~is_e))
    for post in range(network.n_neurons):
        row = slice(W.indptr[post], W.indptr[post + 1])
        entry_is_e = is_e[W.indices[row]]
        drawn = sources[row]
        for members, entries in zip(classes, (entry_is_e, ~entry_is_e), strict=True):
            others = members[members != post]
            drawn[entries] = random.choice(others, np.count_nonzero(entries), replace=False)
    rewired = type(W)((W.data.copy(), sources, W.indptr.copy()), shape=W.shape)
    return network.with_weights(rewired, operation="rewiring", within="class", seed=seed)


def random_by_class(
    network: Network, neurons: int, synapses: int, inhibitory: int, seed: int
) -> Network:
    """The control of composition: all by lot, but `inhibitory` of the `synapses` are inhibitory.

    `neurons` stay, the very ones of the method "random"; each neuron's E and I input is then
    brought back to its former sum of squares, see `variance_preserving`. If a class has fewer
    synapses than asked for, all of them stay and the other class makes up the number. Stream
    "prune"; two entries of history. [our choice]

    Raises InputError if fewer than `synapses` are left between the neurons that stay.
    """
    method = "random by class"
    network = _by_lot(network, neurons, method=method, seed=seed)
    W, random = network.W, rng(seed, "prune", method)
    if synapses > W.nnz:
        why = f"only {W.nnz} are left between the {neurons} neurons that stay"
        raise SizeOutOfReachError("synapses", synapses, why)
    entries = np.flatnonzero(W.data > 0), np.flatnonzero(W.data < 0)
    stay_i = min(max(inhibitory, synapses - entries[0].size), entries[1].size)
    stay = np.zeros(W.nnz, dtype=bool)
    for members, count in zip(entries, (synapses - stay_i, stay_i), strict=True):
        stay[random.choice(members, count, replace=False)] = True
    kept = variance_preserving(keep_entries(W, stay), W)
    note = {"operation": "synapses", "synapses": synapses, "method": method, "seed": seed}
    return network.with_weights(kept, **note)


def without_recurrence(network: Network, neurons: int, seed: int) -> Network:
    """The control J = 0: `neurons` stay, by lot within E and I, without any synapse."""
    return _by_lot(network, neurons, method="random", seed=seed).without_recurrence()


def _by_lot(network: Network, neurons: int, *, method: str, seed: int) -> Network:
    leave = leavers(None, network.is_e, neurons, rng(seed, "prune", "neurons"))
    if not leave.size:
        return network
    note = {"operation": "neurons", "method": method, "seed": seed, "neurons": neurons}
    return network.without_neurons(leave, **note)


def fresh_network(
    network: Network, neurons: int, synapses: int, seed: int, scale: str = "in-degree"
) -> Network:
    """A new random network of that size, drawn from the parameters the original was drawn from.

    Graph kind and all laws are the original's, with N = neurons and a mean in-degree of
    synapses / neurons: it is drawn with the next whole in-degree, from which the surplus leaves
    by lot (one synapse of a neuron at most, where in-degrees are fixed; with erdos_renyi the
    graph is uniform among those of so many edges). scale: see `SCALES`; a spectral radius asked
    for by the parameters is met instead. Neurons are new too: tau_m, thresholds, biases and
    encoder centres are drawn anew, as are the input directions. `n_original` and
    `synapses_original` stay those of the original, so that keep and engine size compare.

    Raises InputError for a network whose weights are from a file, which have no law, or a size
    that the graph kind cannot have.
    """
    params = network.params
    if params.graph.kind == "matrix":
        raise InputError(
            "method", "fresh", "a network from a matrix has no law to draw from; try class-rewired"
        )
    if not params.weights.J or not params.weights.g:
        raise InputError("method", "fresh", "needs J > 0 and g > 0: weights of 0 are no synapses")
    if synapses > neurons * (neurons - 1):
        room = f"{neurons} neurons have room for {neurons * (neurons - 1)}"
        raise SizeOutOfReachError("synapses", synapses, room)
    key = derived_seed(seed, "prune", "fresh", neurons, synapses)
    drawn = _drawn_with_at_least(params, neurons, synapses, key)
    W = _thinned(drawn, synapses, rng(seed, "prune", "fresh", "surplus"))
    if params.weights.spectral_radius is not None:
        W = scale_to_spectral_radius(W, params.weights.spectral_radius)
    else:
        K = synapses / neurons if scale == "in-degree" else params.in_degree
        W = W * np.sqrt(drawn.params.in_degree / K)
    note = {"operation": "fresh", "method": "fresh", "seed": seed, "scale": scale}
    size = {"neurons": neurons, "synapses": synapses}
    return replace(
        drawn,
        W=W,
        n_original=network.n_original,
        synapses_original=network.synapses_original,
        history=(note | size,),
    )


def _drawn_with_at_least(params: HRSNNParams, neurons: int, synapses: int, seed: int) -> Network:
    """A network of the least whole in-degree that holds so many synapses.

    erdos_renyi scatters around its mean, so that it starts six standard deviations above."""
    slack = 6 * np.sqrt(synapses) if params.graph.kind == "erdos_renyi" else 0.0
    weights = replace(params.weights, spectral_radius=None)
    for K in range(min(int(np.ceil((synapses + slack) / neurons)), neurons - 1), neurons):
        graph = replace(params.graph, K=K)
        drawn = build_network(replace(params, N=neurons, graph=graph, weights=weights), seed)
        if drawn.n_synapses >= synapses:
            return replace(drawn, params=replace(drawn.params, weights=params.weights))
    raise SizeOutOfReachError(
        "synapses", synapses, f"{neurons} neurons of this kind cannot have so many"
    )


def _thinned(network: Network, synapses: int, random: np.random.Generator) -> Any:
    """The weights without a surplus of synapses, spread over the neurons where it is small."""
    W, n = network.W, network.n_neurons
    surplus = W.nnz - synapses
    if network.params.graph.kind != "erdos_renyi" and surplus < n:
        rows = random.choice(n, surplus, replace=False)
        leave = W.indptr[rows] + random.integers(np.diff(W.indptr)[rows])
    else:
        leave = random.choice(W.nnz, surplus, replace=False)
    stay = np.ones(W.nnz, dtype=bool)
    stay[leave] = False
    return keep_entries(W, stay)


@dataclass(frozen=True)
class Rewire(Step):
    """Every synapse gets a new source of its class; in-degrees and weights of neurons stay."""

    section: ClassVar[str] = "rewiring"

    def __call__(self, now: Iteration) -> Iteration:
        return now.with_network(rewire_within_class(now.network, now.seed))


@dataclass(frozen=True)
class DrawAnew(Step):
    """A new random network of that size, drawn from the same parameters."""

    section: ClassVar[str] = "fresh"
    scale: OneOf = OneOf("in-degree", SCALES).about("how weights follow the in-degree")

    def __call__(self, now: Iteration) -> Iteration:
        drawn = fresh_network(now.original, now.neurons, now.synapses, now.seed, self.scale)
        return now.with_network(drawn)


@dataclass(frozen=True)
class DropRecurrence(Step):
    """The control J = 0: neurons leave by lot and no synapse stays, whatever the budget."""

    section: ClassVar[str] = "no_recurrence"

    def __call__(self, now: Iteration) -> Iteration:
        bare = without_recurrence(now.original, now.neurons, now.seed)
        return now.with_network(bare)


@dataclass(frozen=True)
class TrainFirst(Step):
    """The dense network is trained on the task before anything leaves. [paper: the rival prunes
    trained models; how the probe trains is our choice]"""

    section: ClassVar[str] = "training"

    @property
    def asks(self) -> frozenset[str]:
        return frozenset({_TRAINED})

    def __call__(self, now: Iteration) -> Iteration:
        trained: Callable[[Network], Network] = getattr(now.probe, _TRAINED)
        return now.with_network(trained(now.network))


_TRAINED = "trained"  # of `iteration.FACTS`
