"""Patches of images: taken out, normalised, whitened, and a dictionary learnt from them."""

from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from hrsnn_brian.tasks.images.image_set import Pixels

Singles = NDArray[np.float32]

BATCH, PASSES = 4096, 20  # of k-means; more passes change no score we saw [our choice]


class Whitening(NamedTuple):
    """ZCA: x -> matrix (x - center); center (f,), matrix (f, f), symmetric."""

    center: Singles
    matrix: Singles

    def of(self, patches: Singles) -> Singles:
        """Whitened patches, (n, f)."""
        return np.matmul(patches - self.center, self.matrix, dtype=np.float32)


def one_thread() -> AbstractContextManager[object]:
    """Linear algebra on one thread: a sum's last bit depends on the threads, and many of them
    on a busy machine took twenty times the processor's time of one."""
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded before it can be limited)
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limited


def random_patches(
    images: Pixels, size: int, number: int, generator: np.random.Generator
) -> Singles:
    """`number` patches at random places of random images, (number, channels size size)."""
    n, height, width, _ = images.shape
    which = generator.integers(n, size=number)
    top = generator.integers(height - size + 1, size=number)
    left = generator.integers(width - size + 1, size=number)
    side = np.arange(size)
    rows, columns = top[:, None, None] + side[:, None], left[:, None, None] + side
    taken = images[which[:, None, None], rows, columns]
    return taken.transpose(0, 3, 1, 2).reshape(number, -1).astype(np.float32)


def all_patches(image: Pixels, size: int, stride: int) -> Singles:
    """The patches of one image, row by row, (places, channels size size)."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
    windows = sliding_window_view(planes, (len(planes), size, size))[0, ::stride, ::stride]
    return windows.reshape(windows.shape[0] * windows.shape[1], -1)


def normalised(patches: Singles, contrast: float) -> Singles:
    """Patches of mean zero, over the root of their variance plus `contrast`."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred) / patches.shape[1]
    centred /= np.sqrt(variance + np.float32(contrast))[:, None]
    return centred


def zca(patches: Singles, regular: float) -> Whitening:
    """The symmetric whitening of patches (n, f); regular: added to every eigenvalue."""
    center = patches.mean(axis=0, dtype=float)
    values, vectors = np.linalg.eigh(np.cov(patches.T.astype(float)))
    matrix = (vectors / np.sqrt(np.maximum(values, 0) + regular)) @ vectors.T
    return Whitening(center.astype(np.float32), matrix.astype(np.float32))


def unit_norm(atoms: Singles) -> Singles:
    """Atoms of Euclidean norm 1; one that is zero (a patch without contrast) stays zero."""
    norms = np.linalg.norm(atoms, axis=1, keepdims=True)
    return atoms / np.where(norms > 0, norms, 1)


def cluster_centres(patches: Singles, number: int, seed: int) -> Singles:
    """Centres of `number` clusters of patches (n, f), by k-means in small batches."""
    from sklearn.cluster import MiniBatchKMeans

    search = MiniBatchKMeans(number, batch_size=BATCH, max_iter=PASSES, n_init=1, random_state=seed)
    with one_thread():
        centres: Singles = search.fit(patches).cluster_centers_.astype(np.float32)
    return centres


def pooling(places: tuple[int, int], grid: int, order: str) -> Singles:
    """The matrix whose product with a column of places is their mean over every part of a grid.

    places: rows and columns of places. (grid grid, places), rows of it in `order`.
    """
    parts = [np.array_split(np.arange(n), grid) for n in places]
    matrix = np.zeros((grid * grid, *places), dtype=np.float32)
    for step, (row, column) in enumerate(path(grid, order)):
        inside = np.ix_(parts[0][row], parts[1][column])
        matrix[step][inside] = 1 / (len(parts[0][row]) * len(parts[1][column]))
    return matrix.reshape(grid * grid, -1)


def path(grid: int, order: str) -> list[tuple[int, int]]:
    """The parts (row, column) of a square grid in the order in which they are shown."""
    rows = [[(row, column) for column in range(grid)] for row in range(grid)]
    if order == "columns":
        rows = [list(column) for column in zip(*rows, strict=True)]
    elif order == "serpentine":
        rows = [row[::-1] if k % 2 else row for k, row in enumerate(rows)]
    elif order == "inward":
        ring = []
        while rows:  # the top row, then what is left of it turned to the left
            ring += rows[0]
            rows = [list(column) for column in zip(*rows[1:], strict=True)][::-1]
        return ring
    return [part for row in rows for part in row]
