"""Rows of a series between cuts: what a window, a target or a free run may reach."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Rows = slice | NDArray[np.int_]
"""Which rows: a slice where they follow each other, else their numbers in rising order."""


def shifted(rows: Rows, by: int) -> Rows:
    """The rows `by` samples later."""
    return slice(rows.start + by, rows.stop + by) if isinstance(rows, slice) else rows + by


def segments(n: int, cuts: tuple[int, ...]) -> list[slice]:
    """The stretches of `n` samples between the cuts; a cut is the first sample after it."""
    edges = (0, *cuts, n)
    return [slice(start, stop) for start, stop in pairwise(edges)]


def uncut(rows: slice, n: int, cuts: tuple[int, ...], before: int, after: int) -> Rows:
    """The `rows` of a series of `n` with `before` samples before and `after` after in one segment.

    A series without cuts has them all, as far back as it goes.
    """
    if not cuts:
        return rows
    kept = [
        np.arange(max(rows.start, part.start + before), min(rows.stop, part.stop - after))
        for part in segments(n, cuts)
    ]
    return np.concatenate(kept)
