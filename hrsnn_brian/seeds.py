"""Named, independent random streams: one root seed fixes everything, in any order of use.

A stream is identified by its root seed, a name from `STREAMS` and optional keys (a fold, a
method, a round). The identity alone decides the numbers, so neither the order of draws
nor the number of workers can change a result.
"""

import hashlib

import numpy as np

from hrsnn_brian.errors import InputError, unknown_name

STREAMS = (
    *("network", "state", "input", "perturbation", "prune", "readout", "task", "noise"),
    *("training", "design"),
)


def _words(text: str) -> list[int]:
    digest = hashlib.sha256(text.encode()).digest()
    return [int.from_bytes(digest[k : k + 4], "little") for k in range(0, 16, 4)]


def seed_sequence(root: int, stream: str, *keys: str | int) -> np.random.SeedSequence:
    """The `SeedSequence` of a named stream.

    Raises InputError if `stream` is not in `STREAMS` or `root` is negative.
    """
    if stream not in STREAMS:
        raise unknown_name("seed stream", stream, STREAMS)
    if root < 0:
        raise InputError("seed", root, "must be a whole number >= 0")
    identity = "/".join([stream, *(f"{type(k).__name__}:{k}" for k in keys)])
    return np.random.SeedSequence([root, *_words(identity)])


def rng(root: int, stream: str, *keys: str | int) -> np.random.Generator:
    """A fresh generator for the stream; the same arguments give the same numbers."""
    return np.random.default_rng(seed_sequence(root, stream, *keys))


def derived_seed(root: int, stream: str, *keys: str | int) -> int:
    """A root seed drawn from the stream, for one of several things that each take a seed."""
    return int(rng(root, stream, *keys).integers(2**62))
