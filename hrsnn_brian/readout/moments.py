"""First and second moments of blocks of features, accumulated while the rows stream past."""

import mmap
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from hrsnn_brian.errors import InputError, unknown_name

Floats = NDArray[np.float64]
Rows = Mapping[str, np.ndarray]

# Rows taken at a time: enough for the pace of a product of matrices, little memory. [our choice]
CHUNK = 512


class Moments:
    """Means, centred Gram matrix and cross moments of the rows added so far, blocks by name.

    With p features in all blocks and m targets, and sums over n rows: `mean` (p,), `target_mean`
    (m,), `gram` (p, p) the sum of (x - mean)(x - mean)', of which only the lower triangle is
    filled, and `cross` (p, m) that of (x - mean)(y - target_mean)'. Rows are centred on the mean of
    their chunk and chunks merged by the formula of Chan, Golub and LeVeque (1983): an offset
    however large costs no digits. Memory is the Gram matrix and one chunk of rows. Chunks of a few
    hundred rows are quick; of few rows, writing the Gram matrix takes the time.
    """

    n: int
    widths: dict[str, int]
    mean: Floats
    target_mean: Floats
    gram: Floats
    cross: Floats

    def __init__(self) -> None:
        self.n, self.widths = 0, {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks, in the order of the features."""
        return tuple(self.widths)

    def add(self, blocks: Rows, targets: np.ndarray) -> None:
        """Adds rows: blocks (r, features) of any real type, memory-mapped or not; targets (r, m).

        Raises InputError, and adds nothing, if names or shapes differ from the first ones, or a
        number is not finite.
        """
        self.check(blocks, targets)
        if self.n == 0:
            self.widths = {name: block.shape[1] for name, block in blocks.items()}
            p, m = sum(self.widths.values()), targets.shape[1]
            self.mean, self.target_mean = np.zeros(p), np.zeros(m)
            self.gram, self.cross = np.zeros((p, p), order="F"), np.zeros((p, m))
        for x, y in chunks(blocks, targets, self.names):
            self._merge(x, y)

    def check(self, blocks: Rows, targets: np.ndarray) -> None:
        """Raises InputError if the rows are unlike the ones before, or not finite."""
        check_rows(blocks, targets, self.widths or None)
        if self.n and targets.shape[1] != len(self.target_mean):
            allowed = f"must have {len(self.target_mean)} columns, as before"
            raise InputError("targets", targets.shape, allowed)

    def _merge(self, x: Floats, y: Floats) -> None:
        """Chan's formula: the means' distance enters as one more, weighted row."""
        n, r = self.n, len(x)
        x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
        weight = np.sqrt(n * r / (n + r))
        x = np.vstack([x - x_mean, weight * (x_mean - self.mean)])
        y = np.vstack([y - y_mean, weight * (y_mean - self.target_mean)])
        self.gram = blas.dsyrk(1.0, x.T, beta=1.0, c=self.gram, lower=1, overwrite_c=1)
        self.cross += x.T @ y
        self.mean += (x_mean - self.mean) * (r / (n + r))
        self.target_mean += (y_mean - self.target_mean) * (r / (n + r))
        self.n += r

    def __add__(self, other: "Moments") -> "Moments":
        """The moments of the rows of both; blocks and targets must be the same ones."""
        if not isinstance(other, Moments):
            return NotImplemented
        total = (self if self.n else other).select()
        if not self.n or not other.n:
            return total
        if (self.widths, self.cross.shape) != (other.widths, other.cross.shape):
            raise InputError("moments", other.widths, f"must be of the blocks {self.widths}")
        n, r = self.n, other.n
        dx, dy = other.mean - self.mean, other.target_mean - self.target_mean
        weight = n * r / (n + r)
        total.gram += other.gram
        total.gram = blas.dsyr(weight, dx, lower=1, a=total.gram, overwrite_a=1)
        total.cross += other.cross + weight * np.outer(dx, dy)
        total.mean += dx * (r / (n + r))
        total.target_mean += dy * (r / (n + r))
        total.n = n + r
        return total

    def select(self, names: Iterable[str] | None = None) -> "Moments":
        """A copy with some of the blocks (default all), in the order they stand here.

        Raises InputError if a name is unknown or none is given.
        """
        kept = select_names(self.names, names)
        part = Moments()
        part.n, part.widths = self.n, {name: self.widths[name] for name in kept}
        at = np.concatenate([np.arange(s.start, s.stop) for s in self.slices(kept)])
        part.mean, part.target_mean = self.mean[at], self.target_mean.copy()
        part.cross, part.gram = self.cross[at], np.empty((len(at), len(at)), order="F")
        column = 0
        for block in self.slices(kept):  # whole columns: a Gram matrix is large
            width = block.stop - block.start
            part.gram[:, column : column + width] = self.gram[at, block]
            column += width
        return part

    def slices(self, names: Iterable[str]) -> list[slice]:
        """Where the features of each block stand."""
        stops = np.cumsum(list(self.widths.values()))
        where = {
            name: slice(int(stop) - width, int(stop))
            for (name, width), stop in zip(self.widths.items(), stops, strict=True)
        }
        return [where[name] for name in names]


def chunks(
    blocks: Rows, targets: np.ndarray, names: Iterable[str]
) -> Iterator[tuple[Floats, Floats]]:
    """The blocks side by side and the targets, as float64, `CHUNK` rows at a time."""
    for start in range(0, len(targets), CHUNK):
        rows = slice(start, start + CHUNK)
        side_by_side = np.concatenate([blocks[name][rows] for name in names], axis=1, dtype=float)
        for name in names:
            let_go(blocks[name])
        yield side_by_side, np.asarray(targets[rows], dtype=float)


def select_names(known: Iterable[str], names: Iterable[str] | None) -> tuple[str, ...]:
    """Those of `names` in the order of `known`, all of them for None; InputError if unknown."""
    known = tuple(known)
    wanted = known if names is None else (names,) if isinstance(names, str) else tuple(names)
    for name in wanted:
        if name not in known:
            raise unknown_name("block", name, known)
    if not wanted:
        raise InputError("blocks", "none", "at least one block of features is needed")
    return tuple(name for name in known if name in wanted)


def check_rows(blocks: Rows, targets: np.ndarray, widths: Mapping[str, int] | None = None) -> None:
    """Raises InputError if blocks and targets (rows, columns) do not match or are not finite."""
    if targets.ndim != 2 or targets.shape[1] == 0:
        raise InputError("targets", targets.shape, "must have shape (rows, targets)")
    if len(targets) == 0:
        raise InputError("targets", targets.shape, "must have rows")
    if not blocks:
        raise InputError("blocks", "none", "at least one block of features is needed")
    if widths is not None and set(widths) != set(blocks):
        raise InputError("blocks", sorted(blocks), f"must be {', '.join(sorted(widths))}")
    for name, block in [("targets", targets), *blocks.items()]:
        if block.ndim != 2 or len(block) != len(targets):
            raise InputError(f"block {name}", block.shape, f"must have {len(targets)} rows")
        if widths is not None and name in widths and block.shape[1] != widths[name]:
            raise InputError(f"block {name}", block.shape, f"must have {widths[name]} columns")
        for start in range(0, len(block), CHUNK):
            if not np.isfinite(block[start : start + CHUNK]).all():
                raise InputError(f"block {name}", "nan or inf", "must hold finite numbers")
            let_go(block)


def block_scale(variance: Floats, mean: Floats, widths: Mapping[str, int]) -> Floats:
    """Root mean variance of each block, for its every feature, (p,); 1 where nothing varies."""
    rounding = 64 * np.finfo(float).eps * np.abs(mean)  # of a mean: no signal
    varying = np.where(variance > rounding**2, variance, 0.0)
    sizes = [float(np.sqrt(part.mean())) if part.any() else 1.0 for part in split(varying, widths)]
    return np.repeat(sizes, list(widths.values()))


def mean_and_scale(block: np.ndarray) -> tuple[Floats, float]:
    """Means of a block's features (f,) and the one number all are divided by."""
    mean = block.mean(axis=0, dtype=float)
    variance = np.zeros(len(mean))
    for start in range(0, len(block), CHUNK):
        x = block[start : start + CHUNK] - mean
        variance += np.einsum("ij,ij->j", x, x) / len(block)
        let_go(block)
    return mean, float(block_scale(variance, mean, {"": len(mean)})[0]) if len(mean) else 1.0


def let_go(block: np.ndarray) -> None:
    """Pages of a block mapped to be read need not stay in memory, where they would all add up."""
    if isinstance(block, np.memmap) and block.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        block._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def split(values: Floats, widths: Mapping[str, int]) -> list[Floats]:
    """Along the features, block by block."""
    return np.split(values, np.cumsum(list(widths.values()))[:-1])
