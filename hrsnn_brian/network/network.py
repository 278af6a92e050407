"""A drawn network: signed weights and the constants of every neuron, as read-only arrays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.shown import Shown
from hrsnn_brian.network.matrix import as_weights
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.seeds import rng

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
SparseOrDense = Any  # scipy.sparse array or matrix, or anything numpy takes

NEURON_ARRAYS: dict[str, type] = {
    "is_e": np.bool_,
    "cluster": np.int64,
    "tau_m": np.float64,
    "tau_e": np.float64,
    "tau_i": np.float64,
    "v_th": np.float64,
    "bias": np.float64,
    "center": np.float64,
    "neuron_id": np.int64,
}


@dataclass(frozen=True, eq=False, repr=False)
class Network(Shown):
    """A network of N neurons, drawn or pruned. Arrays cannot be written to.

    W: CSR (N, N) float64, `W[post, pre]`, sorted indices, no diagonal and no stored zero; columns
        of excitatory neurons are >= 0, those of inhibitory ones <= 0 (Dale's law).
    is_e, cluster: (N,) excitatory?, cluster number.
    tau_m, tau_e, tau_i: (N,) time constants in seconds; v_th, bias, center: (N,) dimensionless.
    neuron_id: (N,) index of each neuron in the original network, increasing.
    params, seed: what the original was drawn from.
    n_original, synapses_original: size of the original network.
    history: one JSON-able dict per pruning operation, oldest first.

    Raises InputError if the parts do not fit together, W is not finite or breaks Dale's law.
    """

    W: sparse.csr_array
    is_e: NDArray[np.bool_]
    cluster: IntArray
    tau_m: FloatArray
    tau_e: FloatArray
    tau_i: FloatArray
    v_th: FloatArray
    bias: FloatArray
    center: FloatArray
    neuron_id: IntArray
    params: HRSNNParams
    seed: int
    n_original: int
    synapses_original: int
    history: tuple[dict[str, Any], ...] = ()

    def facts(self) -> dict[str, Any]:
        """Its size, classes, time constants, and what was done to it."""
        excitatory = int(self.is_e.sum())
        tau = f"{1e3 * self.tau_m.mean():.3g} +- {1e3 * self.tau_m.std():.3g} ms"
        return {
            "neurons": f"{self.n_neurons} ({excitatory} E, {self.n_neurons - excitatory} I)",
            "synapses": self.n_synapses,
            "keep": float(self.keep),
            "tau_m": tau,
            "seed": self.seed,
            "history": ", ".join(str(e.get("operation", "?")) for e in self.history) or "none",
        }

    def __post_init__(self) -> None:
        W = as_weights(self.W)
        n = W.shape[0]
        for name, kind in NEURON_ARRAYS.items():
            array = _frozen(np.array(getattr(self, name), dtype=kind))
            if array.shape != (n,):
                raise InputError(f"network.{name}", array.shape, f"must have shape ({n},)")
            if not np.all(np.isfinite(array)):
                raise InputError(f"network.{name}", "nan or inf", "must be finite")
            object.__setattr__(self, name, array)
        for name in ("tau_m", "tau_e", "tau_i", "v_th"):
            if np.any(getattr(self, name) <= 0):
                raise InputError(f"network.{name}", float(getattr(self, name).min()), "must be > 0")
        ids = self.neuron_id
        if n == 0 or ids[0] < 0 or ids[-1] >= self.n_original or np.any(np.diff(ids) <= 0):
            allowed = f"must increase within 0..{self.n_original - 1}, at least one neuron"
            raise InputError("network.neuron_id", ids.tolist()[:3], allowed)
        object.__setattr__(self, "W", _checked_weights(W, self.is_e))
        object.__setattr__(self, "history", tuple(_plain_json(entry) for entry in self.history))

    @property
    def n_neurons(self) -> int:
        """Neurons in this network."""
        return int(self.W.shape[0])

    @property
    def n_synapses(self) -> int:
        """Synapses in this network."""
        return int(self.W.nnz)

    @property
    def keep(self) -> float:
        """Fraction of the original synapses that is left (1 if there never were any)."""
        return self.n_synapses / self.synapses_original if self.synapses_original else 1.0

    @property
    def density(self) -> float:
        """Synapses over possible synapses of this network, N*(N-1)."""
        possible = self.n_neurons * (self.n_neurons - 1)
        return self.n_synapses / possible if possible else 0.0

    @property
    def capacity(self) -> int:
        """Neurons the engine is compiled for: n_original to two digits, rounded up, at least 1000.

        Pruning does not change it, so a pruned network runs in the binary of its original. Small
        networks share one: unused room costs nothing, a build of their own 10 s. [our choice]
        """
        step = 10 ** max(len(str(self.n_original)) - 2, 0)
        return max(1000, -(-self.n_original // step) * step)

    def with_weights(self, W: SparseOrDense, **history: Any) -> "Network":
        """The same neurons with other synapses; `history`, if any, is noted as one operation.

        W: (N, N) sparse or dense, `W[post, pre]`. Raises InputError as the class does.
        """
        n = self.n_neurons
        weights = as_weights(W)
        if weights.shape != (n, n):
            raise InputError("W", weights.shape, f"must have shape ({n}, {n})")
        return replace(self, W=weights, history=self._extended(history))

    def without_neurons(self, removed: ArrayLike, **history: Any) -> "Network":
        """The network without some neurons; their synapses go with them and arrays shrink.

        removed: a boolean mask of shape (N,) or indices into this network. Raises InputError if
        it is neither or nothing would be left.
        """
        n = self.n_neurons
        gone = np.asarray(removed)
        keep = np.ones(n, dtype=bool)
        if gone.dtype == bool and gone.shape == (n,):
            keep = ~gone
        elif gone.size and gone.ndim == 1 and np.issubdtype(gone.dtype, np.integer):
            if gone.min() < 0 or gone.max() >= n:
                raise InputError("removed", int(gone[(gone < 0) | (gone >= n)][0]), f"0..{n - 1}")
            keep[gone] = False
        elif gone.size:
            raise InputError("removed", gone.shape, f"must be a mask of shape ({n},) or indices")
        if not keep.any():
            raise InputError("removed", n, f"at least one of the {n} neurons must stay")
        arrays = {name: getattr(self, name)[keep] for name in NEURON_ARRAYS}
        index = np.flatnonzero(keep)
        weights = self.W[index][:, index]
        return replace(self, W=weights, history=self._extended(history), **arrays)

    def without_recurrence(self) -> "Network":
        """The control J = 0: the same neurons and input, no synapse."""
        empty = sparse.csr_array((self.n_neurons, self.n_neurons), dtype=np.float64)
        return self.with_weights(empty, operation="without recurrence")

    def directions(self, D: int) -> FloatArray:
        """Encoder directions, (N, D): random signs for D = 1, random unit vectors for D > 1.

        They belong to the original neurons (stream "input"), so pruning does not move them.
        """
        if D < 1:
            raise InputError("D", D, "must be a whole number >= 1")
        random = rng(self.seed, "input", "directions", D)
        vectors = random.standard_normal((self.n_original, D))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.ascontiguousarray(vectors[self.neuron_id])

    def _extended(self, entry: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        return (*self.history, dict(entry)) if entry else self.history


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _plain_json(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry as JSON gives it back, so that saving and loading change nothing."""

    def convert(value: object) -> object:
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise TypeError(f"history cannot hold a {type(value).__name__}")

    plain: dict[str, Any] = json.loads(json.dumps(entry, default=convert))
    return plain


def _checked_weights(W: sparse.csr_array, is_e: NDArray[np.bool_]) -> sparse.csr_array:
    """A read-only canonical copy of W; InputError if it breaks what `Network` promises."""
    if W.shape[0] != W.shape[1]:
        raise InputError("W", W.shape, "must be square")
    weights = W.copy()
    weights.sum_duplicates()
    weights.eliminate_zeros()
    weights.sort_indices()
    if not np.all(np.isfinite(weights.data)):
        raise InputError("W", "nan or inf", "must be finite")
    if np.any(weights.diagonal() != 0):
        raise InputError("W", "an entry on the diagonal", "a neuron has no synapse onto itself")
    wrong = np.flatnonzero((weights.data > 0) != is_e[weights.indices])
    if wrong.size:
        pre = int(weights.indices[wrong[0]])
        kind = "excitatory" if is_e[pre] else "inhibitory"
        value = float(weights.data[wrong[0]])
        raise InputError(f"W[:, {pre}]", value, f"has the wrong sign, neuron {pre} is {kind}")
    for part in (weights.data, weights.indices, weights.indptr):
        _frozen(part)
    return weights
