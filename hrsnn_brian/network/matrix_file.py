"""The user's own weight matrix, read from a file and checked."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import io, sparse

from hrsnn_brian.errors import UNREADABLE, InputError
from hrsnn_brian.network.matrix import as_weights
from hrsnn_brian.network.text_matrix import EDGES_HINT, LABELS_HINT, edges_matrix, read_text

_TEXTS = (".csv", ".tsv", ".txt")
_ALLOWED = (
    "must be a file .npz (scipy.sparse.save_npz), .npy, .mtx (MatrixMarket) or "
    f"{', '.join(_TEXTS)} (numbers)"
)
_CONVENTION = "W is W[post, pre], one sign per column, that of the sending neuron"


def load_matrix(
    path: str | Path,
    argument: str = "graph.matrix",
    *,
    layout: str = "dense",
    self_loops: str = "refuse",
) -> sparse.csr_array:
    """The signed weights `W[post, pre]` of a file, CSR float64 without stored zeros.

    Formats: .npz of `scipy.sparse.save_npz` or of one dense array, .npy, .mtx (MatrixMarket), and
    .csv, .tsv, .txt as `text_matrix` reads them. The values are the weights themselves. "~" is the
    home folder.
    layout: of a text or .npy, see `graph.format`. self_loops: "refuse", or "drop" to leave out the
    synapses of neurons onto themselves.

    Raises InputError for a missing, corrupt or pickled file, a matrix that is not square, real and
    finite, an entry on the diagonal unless dropped, a column with both signs (Dale's law).
    """
    try:
        file = Path(path).expanduser()
    except RuntimeError:  # "~name" of nobody
        raise InputError(argument, str(path), "no such home folder") from None
    if file.suffix.lower() not in (".npz", ".npy", ".mtx", *_TEXTS):
        raise InputError(argument, str(path), _ALLOWED)
    if not file.is_file():
        raise InputError(argument, str(path), "no such file")
    try:
        found = _read(file, layout)
    except (*UNREADABLE, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(argument, str(path), f"cannot be read as a matrix: {reason}") from None
    if len(found.shape) == 2:  # before a conversion that could need more memory than there is
        _check_shape(found.shape, argument, str(path))
    return _checked(as_weights(found, argument, str(path)), argument, str(path), self_loops)


def _read(file: Path, layout: str) -> Any:
    suffix = file.suffix.lower()
    if suffix in _TEXTS:
        return read_text(file, layout)
    if suffix == ".npy":
        array = np.load(file, allow_pickle=False)
        if layout.startswith("edges"):
            return edges_matrix(np.asarray(array, dtype=float), int(layout == "edges-from-1"))
        if layout == "dense":
            return array
    if layout != "dense":
        raise ValueError(f"graph.format={layout} is for text files")
    return _read_npz(file) if suffix == ".npz" else _read_mtx(file)


def _read_npz(file: Path) -> Any:
    with open(file, "rb") as stream:  # numpy leaves a file open that is no archive
        archive = np.load(stream, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("no .npz archive")
        if "format" not in archive.files:
            if len(archive.files) != 1:
                raise ValueError(f"holds {len(archive.files)} arrays, not one matrix")
            return archive[archive.files[0]]
        if str(archive["format"]).startswith("hrsnn"):
            raise ValueError("is a network of hrsnn build, not a matrix; evaluate or prune it")
        stream.seek(0)
        matrix = sparse.load_npz(stream)
        if matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)  # indices outside would be read past the arrays
        return matrix


def _read_mtx(file: Path) -> Any:
    if io.mminfo(file)[4] == "pattern":
        raise ValueError("is of the kind pattern, a graph without weights")
    return io.mmread(file)


def _checked(
    matrix: sparse.csr_array, argument: str, path: str, self_loops: str
) -> sparse.csr_array:
    matrix.sum_duplicates()
    if self_loops == "drop":
        entries = matrix.tocoo()
        off = entries.row != entries.col
        kept = (entries.data[off], (entries.row[off], entries.col[off]))
        matrix = sparse.csr_array(kept, shape=matrix.shape)
    matrix.eliminate_zeros()
    finite = np.isfinite(matrix.data)
    if not finite.all():
        entries = matrix.tocoo()
        k = int(np.flatnonzero(~np.isfinite(entries.data))[0])
        place = f"row {int(entries.row[k])}, column {int(entries.col[k])} (from 0)"
        raise InputError(argument, path, f"must be finite, is {entries.data[k]} in {place}")
    diagonal = np.flatnonzero(matrix.diagonal())
    if diagonal.size:
        allowed = (
            f"must have a zero diagonal, neuron {diagonal[0]} has a synapse onto itself"
            f" ({diagonal.size} in all); to leave these out: --set graph.self_loops=drop"
        )
        raise InputError(argument, path, allowed)
    column_signs(matrix, argument, path)
    return matrix


def _check_shape(shape: tuple[int, int], argument: str, path: str) -> None:
    rows, columns = shape
    if rows == columns == 0:
        raise InputError(argument, path, "must not be empty")
    if rows != columns:
        hints = [f"a line or column too many: {LABELS_HINT}"] if abs(rows - columns) == 1 else []
        hints += [EDGES_HINT] if columns == 3 else []
        found = "; ".join([f"must be square, has shape {rows} x {columns}", *hints])
        raise InputError(argument, path, found)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 1000 * rows > memory:  # bytes per neuron, as in `build_network`
        need = f"has {rows} neurons, which need {rows / 1e6:.3g} GB; there are {memory / 1e9:.3g}"
        raise InputError(argument, path, need)


def column_signs(
    matrix: sparse.csr_array, argument: str = "graph.matrix", path: str = "matrix"
) -> NDArray[np.bool_]:
    """True for each neuron whose outgoing weights are >= 0, excitatory; shape (N,).

    A neuron without outgoing synapses counts as excitatory. Raises InputError for a column with
    both signs, which says so if the transpose has none.
    """
    positive, negative = _signs(matrix)
    mixed = np.flatnonzero(positive & negative)
    if mixed.size:
        hint = _CONVENTION
        if not np.any(np.logical_and(*_signs(sparse.csr_array(matrix.T)))):
            hint = f"its rows have one sign each: is it W[pre, post]? Save its transpose; {hint}"
        allowed = f"column {mixed[0]} has weights of both signs, against Dale's law; {hint}"
        raise InputError(argument, path, allowed)
    return np.asarray(~negative)


def _signs(matrix: sparse.csr_array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which columns hold a positive and which a negative weight, (N,) each."""
    n = matrix.shape[1]
    positive = np.bincount(matrix.indices[matrix.data > 0], minlength=n) > 0
    negative = np.bincount(matrix.indices[matrix.data < 0], minlength=n) > 0
    return positive, negative
