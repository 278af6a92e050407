"""Which synapses stay, given the importance q of each: probabilities and three ways to choose.

`independent` keeps each synapse by its own coin [paper: Moore & Chaudhuri 2020], so the number
kept scatters around the budget. `fixed` has the same inclusion probabilities and meets the
budget exactly (systematic sampling in random order, Madow 1949) [our choice]. `top` keeps the
largest and draws nothing but the order of ties.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def probabilities(q: Floats, budget: float) -> Floats:
    """p = min(1, K q) with K such that sum p = budget. [paper: method step 1]

    q: (m,) importances >= 0 of any scale; budget: 0 .. m, not necessarily whole.
    K is found by bisection over the number of saturated entries (p = 1) of the sorted q, hence
    exactly and in at most log2(m) steps: with the k largest saturated,
    K = (budget - k) / (sum of the rest), and k is the smallest for which none of the rest
    exceeds 1. If the budget exceeds the number of positive q, these all get p = 1 and the zeros
    share what is left evenly. [our choice]

    Raises InputError if q is not a finite, non-negative vector or budget is not in 0 .. m.
    """
    q = _importances(q, budget)
    positive = q > 0
    n_positive = int(np.count_nonzero(positive))
    if budget >= n_positive:
        n_zero = q.size - n_positive
        share = (budget - n_positive) / n_zero if n_zero else 0.0
        return np.where(positive, 1.0, share)
    q = q / q.max()
    ascending = np.sort(q[positive])
    sums = np.cumsum(ascending)
    low, high = 0, int(budget)  # at most `budget` entries can have p = 1
    while low < high:
        k = (low + high) // 2
        rest = n_positive - k - 1  # index of the largest unsaturated entry
        if (budget - k) * ascending[rest] <= sums[rest]:
            high = k
        else:
            low = k + 1
    K = (budget - low) / sums[n_positive - low - 1]
    return np.minimum(1.0, K * q)


def sample_independent(p: Floats, rng: np.random.Generator) -> Mask:
    """(m,) mask: each entry kept with its probability p, independently.

    The number kept has mean sum p and variance sum p (1 - p).
    """
    return rng.random(p.size) < p


def sample_fixed(p: Floats, rng: np.random.Generator) -> Mask:
    """(m,) mask with exactly sum p entries, each kept with its probability p.

    Entries are laid end to end in random order, each as long as its p; those hit by a comb of
    unit spacing and random offset are kept (Madow 1949). Lengths are integers in units of at
    most 2^-39 (for up to 4e6 kept entries), so that count and p = 0, p = 1 are exact.

    Raises InputError if sum p is not a whole number.
    """
    count = round(float(p.sum()))
    if abs(p.sum() - count) > 1e-6 * max(count, 1):
        raise InputError("sum of p", float(p.sum()), "must be a whole number")
    if count == 0:
        return np.zeros(p.size, dtype=bool)
    bits = min(52, 61 - count.bit_length())
    order = rng.permutation(p.size)
    lengths = _integer_lengths(p[order], count, bits)
    offset = int(rng.integers(1 << bits))
    comb = (np.arange(count, dtype=np.int64) << bits) + offset
    mask = np.zeros(p.size, dtype=bool)
    mask[order[np.searchsorted(np.cumsum(lengths), comb, side="right")]] = True
    return mask


def select_top(q: Floats, budget: int, rng: np.random.Generator) -> Mask:
    """(m,) mask of the `budget` largest q; ties at the edge are broken at random, not by index.

    Raises InputError if q is not a finite, non-negative vector or budget is not in 0 .. m.
    """
    q = _importances(q, budget)
    if budget == 0:
        return np.zeros(q.size, dtype=bool)
    threshold = np.partition(q, q.size - budget)[q.size - budget]
    mask = q > threshold
    ties = np.flatnonzero(q == threshold)
    missing = budget - int(np.count_nonzero(mask))
    mask[rng.choice(ties, size=missing, replace=False)] = True
    return mask


def _fixed(q: Floats, budget: int, rng: np.random.Generator) -> tuple[Mask, Floats]:
    p = probabilities(q, budget)
    return sample_fixed(p, rng), p


def _independent(q: Floats, budget: int, rng: np.random.Generator) -> tuple[Mask, Floats]:
    p = probabilities(q, budget)
    return sample_independent(p, rng), p


def _top(q: Floats, budget: int, rng: np.random.Generator) -> tuple[Mask, Floats]:
    mask = select_top(q, budget, rng)
    return mask, mask.astype(float)


Selection = Callable[[Floats, int, np.random.Generator], tuple[Mask, Floats]]
SELECTIONS: dict[str, Selection] = {"fixed": _fixed, "independent": _independent, "top": _top}


def select(q: Floats, budget: int, selection: str, rng: np.random.Generator) -> tuple[Mask, Floats]:
    """Mask (m,) of the entries that stay, and the probability (m,) with which each did.

    selection: "fixed" (exactly `budget` kept), "independent" (`budget` on average) or "top"
    (exactly `budget`; the probabilities are then just the mask).

    Raises InputError for the q and budget the three refuse.
    """
    return SELECTIONS[selection](q, budget, rng)


def _importances(q: Floats, budget: float) -> Floats:
    q = np.asarray(q, dtype=float)
    if q.ndim != 1:
        raise InputError("importance q", q.shape, "must be a vector, one value per synapse")
    bad = ~(np.isfinite(q) & (q >= 0))
    if bad.any():
        at = int(np.argmax(bad))
        raise InputError("importance q", float(q[at]), f"must be finite and >= 0 (entry {at})")
    if not 0 <= budget <= q.size:
        raise InputError("budget", budget, f"must be from 0 to {q.size}, the synapses there are")
    return q


def _integer_lengths(p: Floats, count: int, bits: int) -> NDArray[np.int64]:
    """p in units of 2^-bits, with the round-off spread so that the sum is exactly `count`."""
    one = 1 << bits
    lengths = np.rint(p * float(one)).astype(np.int64)
    excess = int(lengths.sum()) - (count << bits)
    while excess:
        step = -1 if excess > 0 else 1
        movable = np.flatnonzero((lengths > 0) & (lengths < one))
        if not movable.size:  # p within round-off of a 0/1 vector whose sum is not `count`
            raise InputError("sum of p", float(p.sum()), "must be a whole number")
        each = max(abs(excess) // movable.size, 1)
        chosen = movable[: abs(excess)]
        before = lengths[chosen]
        lengths[chosen] = np.clip(before + step * each, 0, one)
        excess += int((lengths[chosen] - before).sum())
    return lengths


def keep_entries(W: Any, mask: NDArray[np.bool_]) -> Any:
    """CSR of the entries where mask (nnz,) is true; order and shape stay."""
    before = np.concatenate(([0], np.cumsum(mask)))
    indptr = before[W.indptr].astype(W.indptr.dtype)
    return type(W)((W.data[mask], W.indices[mask], indptr), shape=W.shape)


def geometric_schedule(start: int, end: int, rounds: int) -> tuple[int, ...]:
    """Synapses left after each of `rounds` rounds, in equal ratios from `start` down to `end`.

    [our choice: method section 4, "schedule geometric in density"]
    """
    ratio = end / start
    return tuple(round(start * ratio ** (r / rounds)) for r in range(1, rounds)) + (end,)
