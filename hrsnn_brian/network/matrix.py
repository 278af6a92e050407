"""A matrix given by hand, as CSR weights `W[post, pre]`."""

from typing import Any

import numpy as np
from scipy import sparse

from hrsnn_brian.errors import InputError

_KINDS = {"c": "complex numbers", "O": "objects", "U": "texts", "S": "texts", "V": "records"}


def as_weights(W: Any, argument: str = "W", name: object = None) -> sparse.csr_array:
    """A sparse or dense matrix as CSR float64; an equal one is not copied.

    Any real type and byte order will do, also those scipy.sparse has no arithmetic for, such as
    float16. name: what an error line shows as the value, default the shape. Raises InputError for
    anything that is no matrix of real numbers.
    """
    if not sparse.issparse(W):
        try:
            W = np.asarray(W)
        except ValueError:  # rows of different length
            raise InputError(argument, name or type(W).__name__, "must be a matrix") from None
    shown = W.shape if name is None else name
    if W.ndim != 2:
        raise InputError(argument, shown, f"must be a matrix, is an array of shape {W.shape}")
    if W.dtype.kind not in "biuf":
        found = _KINDS.get(W.dtype.kind, str(W.dtype))
        raise InputError(argument, shown, f"must hold real numbers, holds {found}")
    if sparse.issparse(W):
        return sparse.csr_array(W.astype(np.float64, copy=False))
    return sparse.csr_array(np.asarray(W, dtype=np.float64))
