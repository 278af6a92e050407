"""The user's own weight matrix, read from a file and checked."""

import os
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hrsnn_brian.errors import UNREADABLE, InputError

_FORMATS = ".npz (scipy.sparse.save_npz), .npy or .csv"


def _read_npz(path: Path) -> sparse.csr_array:
    with open(path, "rb") as stream:  # numpy leaves a file open that is no archive
        return sparse.csr_array(sparse.load_npz(stream))


def _read_npy(path: Path) -> sparse.csr_array:
    return sparse.csr_array(_two_dimensional(np.load(path, allow_pickle=False)))


def _read_csv(path: Path) -> sparse.csr_array:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of a file without a single number
        return sparse.csr_array(np.loadtxt(path, delimiter=",", ndmin=2))


def _two_dimensional(array: NDArray[np.float64]) -> NDArray[np.float64]:
    if array.ndim != 2:
        raise ValueError(f"holds an array of shape {array.shape}, not a matrix")
    return array


_READERS = {".npz": _read_npz, ".npy": _read_npy, ".csv": _read_csv}


def load_matrix(path: str | Path, argument: str = "graph.matrix") -> sparse.csr_array:
    """The signed weights `W[post, pre]` of a file, CSR float64 without stored zeros.

    Formats: .npz of `scipy.sparse.save_npz`, .npy (dense), .csv (dense, commas, no header).
    The values are the weights themselves. Raises InputError for a missing, corrupt or pickled
    file, a matrix that is not square, real and finite, an entry on the diagonal (a neuron has no
    synapse onto itself; it is refused rather than dropped in silence) or a column with both
    signs (Dale's law).
    """
    file = Path(os.path.expanduser(path))
    if file.suffix.lower() not in _READERS:
        raise InputError(argument, str(path), f"must be a file {_FORMATS}")
    if not file.is_file():
        raise InputError(argument, str(path), "no such file")
    try:
        matrix = _READERS[file.suffix.lower()](file)
    except (*UNREADABLE, UserWarning) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(argument, str(path), f"cannot be read as a matrix: {reason}") from None
    return _checked(matrix, argument, str(path))


def _checked(matrix: sparse.csr_array, argument: str, path: str) -> sparse.csr_array:
    rows, columns = matrix.shape
    if rows != columns or rows == 0:
        raise InputError(argument, path, f"must be square, has shape {rows} x {columns}")
    if not (np.issubdtype(matrix.dtype, np.number) or matrix.dtype == np.bool_):
        raise InputError(argument, path, f"must hold numbers, holds {matrix.dtype}")
    if np.iscomplexobj(matrix.data):
        raise InputError(argument, path, "must hold real numbers, holds complex ones")
    matrix = matrix.astype(np.float64)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    finite = np.isfinite(matrix.data)
    if not finite.all():
        entries = matrix.tocoo()
        k = int(np.flatnonzero(~np.isfinite(entries.data))[0])
        place = f"row {int(entries.row[k])}, column {int(entries.col[k])} (from 0)"
        raise InputError(argument, path, f"must be finite, is {entries.data[k]} in {place}")
    diagonal = np.flatnonzero(matrix.diagonal())
    if diagonal.size:
        allowed = f"must have a zero diagonal, neuron {diagonal[0]} has a synapse onto itself"
        raise InputError(argument, path, allowed)
    column_signs(matrix, argument, path)
    return matrix


def column_signs(
    matrix: sparse.csr_array, argument: str = "graph.matrix", path: str = "matrix"
) -> NDArray[np.bool_]:
    """True for each neuron whose outgoing weights are >= 0, excitatory; shape (N,).

    A neuron without outgoing synapses counts as excitatory. Raises InputError for a column with
    both signs.
    """
    n = matrix.shape[1]
    positive = np.bincount(matrix.indices[matrix.data > 0], minlength=n) > 0
    negative = np.bincount(matrix.indices[matrix.data < 0], minlength=n) > 0
    mixed = np.flatnonzero(positive & negative)
    if mixed.size:
        allowed = f"column {mixed[0]} has weights of both signs, against Dale's law"
        raise InputError(argument, path, allowed)
    return np.asarray(~negative)
