"""LNP step 1 on arrays: choose the surviving synapses of a CSR matrix and rescale them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.pruning.compensation import Compensation, compensate
from hrsnn_brian.pruning.sampling import select

BASES = {
    "carried": "each round rescales the weights as the round before left them",
    "original": "each round rescales the survivors' original weights",
}


@dataclass(frozen=True)
class Pruning:
    """A network's weights while they are pruned round by round.

    W: CSR (N, N), the weights now; uncompensated: CSR with the same edges, the weights that the
    next round's compensation starts from; original: CSR (N, N), the weights before the first
    round, whose sums are the "former sums" of every round.
    """

    W: Any
    uncompensated: Any
    original: Any

    @classmethod
    def start(cls, W: Any) -> "Pruning":
        """The state before the first round. W: CSR (N, N), `W[post, pre]`."""
        return cls(W, W, W)


def prune_synapses(
    state: Pruning,
    q: NDArray[np.float64],
    budget: int,
    rng: np.random.Generator,
    selection: str = "fixed",
    compensation: Compensation | None = None,
    base: str = "carried",
) -> Pruning:
    """One round: keep `budget` synapses by importance q (nnz,) and compensate for the rest.

    selection: see `sampling.select`. compensation: default `row 0.5`. base: with "carried"
    (method section 8 taken literally) a partial row compensation acts again in every round, so
    that its total grows with the number of rounds: at 10 % kept, row 0.5 leaves about .5 of the
    summed |w| after one round and .8 after eight. With "original" it depends on the surviving
    edges alone. The two agree in one round, and wherever the sums are restored in full
    ("row 1", "variance"). [our choice]

    Raises InputError for a q of another length, an unknown selection or base, and for the
    literal compensation where it has no meaning: top selection (no probabilities) or the
    original base (the factors 1/p of the rounds must multiply).
    """
    compensation = compensation or Compensation("row")
    check_combination(selection, compensation, base)
    if q.shape != (state.W.nnz,):
        raise InputError("importance q", q.shape, f"must be ({state.W.nnz},), one per synapse")
    mask, p = select(q, budget, selection, rng)
    survivors = keep_entries(state.uncompensated, mask)
    W = compensate(survivors, state.original, compensation, p[mask])
    return replace(state, W=W, uncompensated=W if base == "carried" else survivors)


def check_combination(selection: str, compensation: Compensation, base: str) -> None:
    """Raises InputError where selection, compensation and base do not fit together."""
    if base not in BASES:
        raise unknown_name("base", base, BASES)
    if compensation.rule == "literal" and selection == "top":
        raise InputError(
            "compensation", str(compensation), "needs probabilities: selection fixed or independent"
        )
    if compensation.rule == "literal" and base == "original":
        raise InputError("compensation", str(compensation), "needs base = 'carried'")


def keep_entries(W: Any, mask: NDArray[np.bool_]) -> Any:
    """CSR of the entries where mask (nnz,) is true; order and shape stay."""
    before = np.concatenate(([0], np.cumsum(mask)))
    indptr = before[W.indptr].astype(W.indptr.dtype)
    return type(W)((W.data[mask], W.indices[mask], indptr), shape=W.shape)


def geometric_schedule(start: int, end: int, rounds: int) -> tuple[int, ...]:
    """Synapses left after each of `rounds` rounds, in equal ratios from `start` down to `end`.

    [our choice: method section 4, "schedule geometric in density"]
    Raises InputError unless rounds >= 1 and 1 <= end <= start.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int | np.integer) or rounds < 1:
        raise InputError("rounds", rounds, "must be a whole number >= 1")
    if not 1 <= end <= start:
        raise InputError("synapses", end, f"must be from 1 to {start}, the synapses there are")
    ratio = end / start
    return tuple(round(start * ratio ** (r / rounds)) for r in range(1, rounds)) + (end,)
