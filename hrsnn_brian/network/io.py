"""Networks on disk: one `.npz` file without pickles.

Arrays in the file, all little but the weights: `format` (text "hrsnn-network") and `version`
(whole number); `W_data`, `W_indices`, `W_indptr` (CSR of `W[post, pre]`); `is_e`, `cluster`,
`tau_m`, `tau_e`, `tau_i` (seconds), `v_th`, `bias`, `center`, `neuron_id`, each of shape (N,);
`meta`, a JSON text with `params` (as in TOML), `seed`, `n_original`, `synapses_original` and
`history`. `numpy.load(path, allow_pickle=False)` reads it without this package.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hrsnn_brian.errors import UNREADABLE, InputError
from hrsnn_brian.files.atomic import write_npz
from hrsnn_brian.network.network import NEURON_ARRAYS, Network
from hrsnn_brian.network.parameters import HRSNNParams

FORMAT, VERSION = "hrsnn-network", 1
_MATRIX = ("W_data", "W_indices", "W_indptr")
_META = ("params", "seed", "n_original", "synapses_original", "history")


def save_network(network: Network, path: str | Path) -> Path:
    """Writes the network to `path` (.npz), whole or not at all; returns the path.

    Raises InputError if the name does not end in .npz or the place cannot be written to.
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise InputError("network file", str(path), "must end in .npz")
    meta = {
        "params": network.params.to_dict(),
        "seed": network.seed,
        "n_original": network.n_original,
        "synapses_original": network.synapses_original,
        "history": list(network.history),
    }
    arrays: dict[str, NDArray[Any]] = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "meta": np.array(json.dumps(meta)),
        "W_data": network.W.data,
        "W_indices": network.W.indices,
        "W_indptr": network.W.indptr,
        **{name: getattr(network, name) for name in NEURON_ARRAYS},
    }
    try:
        write_npz(target, arrays)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError("network file", str(path), f"cannot be written: {reason}") from None
    return target


def load_network(path: str | Path) -> Network:
    """The network in a file of `save_network`, equal to the saved one bit by bit.

    Raises InputError if the file is missing, corrupt, pickled, of another kind or version, or
    holds parts that do not fit together or are not finite.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("network file", str(path), "no such file")
    arrays = _read_arrays(file)
    try:
        return _assemble(arrays)
    except InputError as error:
        reason = f"is not usable: {error}"
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        reason = f"is damaged: {' '.join(str(error).split())}"
    raise InputError("network file", str(path), reason)


def _read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    try:
        with open(file, "rb") as stream:  # numpy leaves a file open that is no archive
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            arrays = {name: archive[name] for name in archive.files}
    except UNREADABLE as error:
        allowed = "is corrupt, pickled or no .npz archive"
        raise InputError("network file", str(file), allowed) from error
    if str(arrays.get("format")) != FORMAT:
        raise InputError("network file", str(file), "is not a network saved by hrsnn")
    version = arrays.get("version")
    if version is None or version.shape != () or version != VERSION:
        allowed = f"has version {version} of the format; this program reads version {VERSION}"
        raise InputError("network file", str(file), allowed)
    missing = [name for name in ("meta", *_MATRIX, *NEURON_ARRAYS) if name not in arrays]
    if missing:
        raise InputError("network file", str(file), f"is damaged: it lacks {missing[0]}")
    return arrays


def _assemble(arrays: dict[str, NDArray[Any]]) -> Network:
    n = len(arrays["neuron_id"])
    data, indices, indptr = (arrays[name] for name in _MATRIX)
    W = sparse.csr_array((data, indices, indptr), shape=(n, n))
    W.check_format(full_check=True)
    meta = json.loads(str(arrays["meta"]))
    lacking = [key for key in _META if key not in meta]
    if lacking:
        raise KeyError(f"its meta lacks {lacking[0]}")
    for name, kind in NEURON_ARRAYS.items():
        if arrays[name].dtype.kind != np.dtype(kind).kind:
            raise ValueError(f"{name} holds {arrays[name].dtype}")
    return Network(
        W=W,
        params=HRSNNParams.from_dict(meta["params"]),
        seed=int(meta["seed"]),
        n_original=int(meta["n_original"]),
        synapses_original=int(meta["synapses_original"]),
        history=tuple(meta["history"]),
        **{name: arrays[name] for name in NEURON_ARRAYS},
    )
