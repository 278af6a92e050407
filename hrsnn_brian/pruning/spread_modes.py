"""The step that keeps eigenmodes spread over the network, step 3 of LNP: it adds a few synapses.

[review: edges are added to keep the eigenvectors delocalised, by raising the degree heterogeneity
within local neighbourhoods.] How is our choice:

1. sites are the neurons whose neighbourhoods are poorest in degree heterogeneity;
2. at a site every synapse to or from it that is missing and would raise that heterogeneity is a
   candidate; its weight is drawn from those its sender already has;
3. the candidate that promises most is tried, by the exact derivative of the mean participation
   ratio of the k leading eigenvectors of A = -D + gain D W, or one at random;
4. it stays only if that mean, computed anew, has risen.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hrsnn_brian.dynamics.eigenmodes import (
    leading_modes,
    linearised,
    participation_gradient,
    participation_ratio,
)
from hrsnn_brian.network.heterogeneity import degree_heterogeneity, heterogeneity_with
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.iteration import Iteration, Step
from hrsnn_brian.pruning.keep_synapses import edge_strength, without_least
from hrsnn_brian.settings.fields import OneOf, Real, Whole

Floats = NDArray[np.float64]

CHOICES = {
    "gradient": "the candidate of the largest predicted gain; costs k dense solves of size N",
    "random": "any candidate; costs nothing, for networks of several thousand neurons",
}
MATRICES = {
    "weights": "W",
    "exponents": "L, L_ij = sgn(w_ij) a_ij of the edge exponents, as large as W in all: -D + L",
}
_LEAST_GAIN = 1e-9  # relative: a smaller rise is within the accuracy of the eigenvectors


@dataclass(frozen=True)
class EdgeTrial:
    """One proposal: the synapse tried at a site, what was predicted, and what became of it.

    `predicted` is the derivative's forecast of the rise of the mean participation ratio (NaN with
    choice "random"), `participation` the mean with the synapse (NaN if it was not computed, when
    no candidate promised a rise), `accepted` whether it stayed.
    """

    site: int
    post: int
    pre: int
    weight: float
    predicted: float
    participation: float = float("nan")
    accepted: bool = False


@dataclass(frozen=True)
class Delocalisation:
    """The network with its new synapses.

    W: CSR (N, N); trials: the log, in order; before, after: mean participation ratio of the
    leading modes.
    """

    W: sparse.csr_array
    trials: tuple[EdgeTrial, ...]
    before: float
    after: float

    @property
    def added(self) -> int:
        """Synapses added."""
        return sum(trial.accepted for trial in self.trials)


@dataclass(frozen=True, eq=False)
class Linearisation:
    """How a W is turned into leading modes: those of A = -D + gain D M, D = diag(1/tau_m).

    tau_m: (N,), s. gain: see `linearised`. modes: k, how many of largest real part. coupling: M of
    a W, of the same entries; by default W itself.
    """

    tau_m: Floats
    gain: float | Floats = 1.0
    modes: int = 10
    coupling: Callable[[Any], Any] = lambda W: W

    def measure(self, W: Any) -> tuple[float, float]:
        """Mean participation ratio of the leading modes and spectral abscissa, 1/s."""
        A = linearised(self.coupling(W), self.tau_m, self.gain)
        values, vectors = leading_modes(A, self.modes)
        return float(participation_ratio(vectors).mean()), float(values[0].real)

    def slope(self, W: Any) -> Floats:
        """Derivative (N, N) of the mean participation ratio by every entry of M."""
        A = linearised(self.coupling(W), self.tau_m, self.gain)
        gradient = participation_gradient(A, *leading_modes(A, self.modes))
        gains = np.broadcast_to(np.asarray(self.gain, dtype=float), len(gradient))
        return gradient * gains / np.asarray(self.tau_m, dtype=float)[:, None]


def delocalise(
    W: Any,
    is_e: NDArray[np.bool_],
    linear: Linearisation,
    edges: int,
    rng: np.random.Generator,
    choice: str = "gradient",
) -> Delocalisation:
    """Add at most `edges` synapses that raise the mean participation ratio of leading modes.

    W: CSR (N, N) `W[post, pre]`, unchanged; is_e: (N,), Dale's law is kept; choice: see `CHOICES`.
    One synapse is tried at each of 3 * edges sites (at most N). No self-loop and no second synapse
    from one neuron to another is added; a sender without synapses of its own draws the weight
    from those of its class. The derivative is taken once, at the W given. About 1 s for N = 1000
    and 10 edges.
    """
    W = sparse.csr_array(W, copy=True)
    W.sort_indices()
    before = current = linear.measure(W)[0]
    slope = linear.slope(W) if choice == "gradient" and edges else None
    trials: list[EdgeTrial] = []
    for site in np.argsort(degree_heterogeneity(W), kind="stable")[: 3 * edges]:
        if sum(trial.accepted for trial in trials) == edges:
            break
        candidate = _candidate(W, is_e, int(site), slope, rng)
        if candidate is None:
            continue
        accepted, reached = False, float("nan")
        if not candidate.predicted <= 0:  # NaN is no prediction
            larger = with_edge(W, candidate.post, candidate.pre, candidate.weight)
            reached = linear.measure(larger)[0]
            accepted = reached > current * (1 + _LEAST_GAIN)
        if accepted:
            W, current = larger, reached
        trials.append(replace(candidate, participation=reached, accepted=accepted))
    return Delocalisation(W, tuple(trials), before, current)


def _candidate(
    W: sparse.csr_array,
    is_e: NDArray[np.bool_],
    site: int,
    slope: Floats | None,
    rng: np.random.Generator,
) -> EdgeTrial | None:
    """The synapse to try at a site, None if there is none.

    Weights are drawn for every neuron, whether or not it can be a sender here, so that the
    random stream does not depend on the candidates of the sites before.
    """
    n = W.shape[0]
    weight = draw_weights_of_senders(W, is_e, rng)
    lot = rng.random(2 * n)
    others = np.arange(n)
    post = np.concatenate((np.full(n, site), others))
    pre = np.concatenate((others, np.full(n, site)))
    now = degree_heterogeneity(W)[site]
    raises = np.tile(heterogeneity_with(W, site) > now, 2)
    taken = np.zeros(2 * n, dtype=bool)
    taken[W.indices[W.indptr[site] : W.indptr[site + 1]]] = True
    taken[n + W[:, [site]].nonzero()[0]] = True
    possible = np.flatnonzero(raises & ~taken & (post != pre) & (weight[pre] != 0))
    if not len(possible):
        return None
    if slope is None:
        best = possible[np.argmax(lot[possible])]
        predicted = float("nan")
    else:
        rise = slope[post[possible], pre[possible]] * weight[pre[possible]]
        best, predicted = possible[np.argmax(rise)], float(rise.max())
    return EdgeTrial(site, int(post[best]), int(pre[best]), float(weight[pre[best]]), predicted)


def draw_weights_of_senders(
    W: sparse.csr_array, is_e: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """One weight (N,) for a new synapse of each neuron, drawn from those it has as a sender.

    A neuron without outgoing synapses draws from all of its class; 0 if the class has none.
    """
    by_sender = W.tocsc()
    count = np.diff(by_sender.indptr)
    lot = rng.random((2, W.shape[0]))
    weight = np.zeros(W.shape[0])
    pick = by_sender.indptr[:-1] + np.floor(lot[0] * count).astype(np.int64)
    weight[count > 0] = by_sender.data[pick[count > 0]]
    for members, pool in ((is_e, W.data[W.data > 0]), (~is_e, W.data[W.data < 0])):
        lone = members & (count == 0)
        if len(pool):
            weight[lone] = pool[np.floor(lot[1][lone] * len(pool)).astype(np.int64)]
    return weight


def with_edge(W: sparse.csr_array, post: int, pre: int, weight: float) -> sparse.csr_array:
    """W with one more synapse, entries in order."""
    at = int(W.indptr[post]) + int(
        np.searchsorted(W.indices[W.indptr[post] : W.indptr[post + 1]], pre)
    )
    indptr = W.indptr.copy()
    indptr[post + 1 :] += 1
    data, indices = np.insert(W.data, at, weight), np.insert(W.indices, at, pre)
    return sparse.csr_array((data, indices, indptr), shape=W.shape)


def lyapunov_matrix(W: Any, now: Iteration) -> Any:
    """L (N, N), L_ij = sgn(w_ij) a_ij at the synapses of CSR W, scaled to the norm of W.

    [review: the linear model is -D + L; that L has the edge weights a_ij, the signs of W, which
    exponents do not see, and its norm is our choice; forecasts take a new synapse's weight for its
    entry of L]
    """
    keep = now.recipe.step("synapses")
    data = np.sign(W.data) * edge_strength(W, now, keep.neighbourhood if keep else "endpoints")
    norm = float(np.linalg.norm(data))
    scale = float(np.linalg.norm(W.data)) / norm if norm else 1.0
    return type(W)((scale * data, W.indices, W.indptr), shape=W.shape)


@dataclass(frozen=True)
class SpreadModes(Step):
    """Add a few synapses that raise the participation ratio P = 1/sum |x_i|^4 of the leading modes.

    Modes are those of A = -D + gain D W; the page above says how candidates are found. Each
    new synapse takes the place of the least important of the others, so that the number does not
    change; where no synapses leave in the recipe, none leaves here. [review; how is our choice]
    """

    section: ClassVar[str] = "delocalisation"
    rule: OneOf = OneOf("gradient", {**CHOICES, "off": "no synapse is added"}).about(
        "which candidate is tried"
    )
    added_edges: Whole = Whole(5, low=0).about("synapses added in an iteration, at most")
    modes: Whole = Whole(10, low=1).about("leading modes, here and in the history")
    gain: Real = Real(1.0).about("of the linearisation A = -D + gain D M")
    matrix: OneOf = OneOf("weights", MATRICES).about("M of the linearisation")

    @property
    def needs(self) -> frozenset[str]:
        used = self.matrix == "exponents" and self.rule != "off" and self.added_edges > 0
        return frozenset({"exponents"} if used else ())

    def linearisation(self, network: Network) -> Linearisation:
        """The modes that are kept spread, of a network."""
        return Linearisation(network.tau_m, self.gain, self.modes)

    def __call__(self, now: Iteration) -> Iteration:
        if self.rule == "off" or self.added_edges == 0:
            return now.with_network(now.network, added=0)
        random, network = now.random("delocalisation"), now.network
        linear = self.linearisation(network)
        if self.matrix == "exponents":
            linear = replace(linear, coupling=lambda W: lyapunov_matrix(W, now))
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
