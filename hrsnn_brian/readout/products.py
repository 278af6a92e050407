"""Quadratic features of recorded states: products of their few leading principal components.

With z the first R components of the states x of training rows, standardised, a linear readout of x
and of all z_a z_b (a <= b) is a quadratic one, as of NG-RC (Gauthier et al. 2021), whose cost grows
with the states, not with their pairs. Components come from training rows alone. [our choice]
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.errors import InputError

BLOCK = "products"
COMPONENTS = 20
Blocks = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Products:
    """Components of named blocks of states: z = sum over blocks of block @ axes[block] - offset.

    axes: (features, R) each; offset: (R,). z has mean 0 and covariance 1 over the rows it is of.
    """

    axes: Blocks
    offset: np.ndarray

    def features(self, blocks: Blocks) -> np.ndarray:
        """The products (rows, R (R + 1)/2), z_0 z_0, z_0 z_1, ... first."""
        z = sum(blocks[name] @ axes for name, axes in self.axes.items()) - self.offset
        a, b = np.triu_indices(len(self.offset))
        return np.asarray(z[:, a] * z[:, b])

    def as_squares(self, weights: np.ndarray) -> "Squares":
        """What `weights` (R (R + 1)/2, outputs) make of the products, as squares of sums.

        The form z'Qz of each output is diagonal in the eigenvectors of Q.
        """
        size, outputs = len(self.offset), weights.shape[1]
        a, b = np.triu_indices(size)
        turns, factors = [], np.zeros((size * outputs, outputs))
        for k in range(outputs):
            form = np.zeros((size, size))
            form[a, b] = weights[:, k] / 2
            values, vectors = np.linalg.eigh(form + form.T)
            turns.append(vectors)
            factors[k * size : (k + 1) * size, k] = values
        turn = np.hstack(turns)
        shift = self.offset @ turn
        sums = {name: axes @ turn for name, axes in self.axes.items()}
        # (s.x - shift)^2 = (s.x)^2 - 2 shift s.x + shift^2
        linear = {name: part @ (-2 * shift[:, None] * factors) for name, part in sums.items()}
        return Squares(sums, factors, linear, (shift**2) @ factors)


@dataclass(frozen=True, eq=False)
class Squares:
    """A quadratic form: constant + sum over blocks of block @ linear + (block @ sums)^2 @ factors.

    sums[block]: (features, M), added up over blocks before they are squared; factors:
    (M, outputs); linear[block]: (features, outputs); constant: (outputs,).
    """

    sums: Blocks
    factors: np.ndarray
    linear: Blocks
    constant: np.ndarray


def principal_products(blocks: Blocks, components: int = COMPONENTS) -> Products:
    """The leading components of the rows given, each block (rows, features) divided by one scale.

    Fewer than `components` where there are no more. Raises InputError without a state that varies.
    """
    from scipy.sparse.linalg import svds

    x = np.concatenate(list(blocks.values()), axis=1, dtype=float)
    mean = x.mean(axis=0)
    x -= mean
    edges = np.cumsum([block.shape[1] for block in blocks.values()])[:-1]
    scale = np.concatenate(
        [
            np.full(part.shape[1], np.sqrt(np.mean(part**2)) or 1.0)
            for part in np.split(x, edges, axis=1)
        ]
    )
    x /= scale
    size = min(components, *(side - 1 for side in x.shape))
    if size < 1 or not x.any():
        raise InputError("states", x.shape, "have no principal components")
    # Lanczos from a fixed vector: the same axes each time
    _, values, vectors = svds(x, k=size, v0=np.ones(min(x.shape)), solver="arpack")
    kept = values > 1e-9 * values.max()
    axes = vectors[kept].T * (np.sqrt(len(x)) / values[kept]) / scale[:, None]
    parts = np.split(axes, edges)
    return Products(dict(zip(blocks, parts, strict=True)), mean @ axes)
