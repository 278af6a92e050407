"""Networks on disk: one `.npz` file without pickles.

Arrays in the file, all little but the weights: `format` (text "hrsnn-network") and `version`
(whole number); `W_data`, `W_indices`, `W_indptr` (CSR of `W[post, pre]`); `is_e`, `cluster`,
`tau_m`, `tau_e`, `tau_i` (seconds), `v_th`, `bias`, `center`, `neuron_id`, each of shape (N,);
`meta`, a JSON text with `params` (as in TOML), `seed`, `n_original`, `synapses_original` and
`history`. `numpy.load(path, allow_pickle=False)` reads it without this package.
"""

import json
from pathlib import Path

import numpy as np
from scipy import sparse

from hrsnn_brian.files.archive import Archive, Arrays
from hrsnn_brian.network.network import NEURON_ARRAYS, Network
from hrsnn_brian.network.parameters import HRSNNParams

NETWORK_FILE = Archive("network", 1)
_MATRIX = ("W_data", "W_indices", "W_indptr")
_META = ("params", "seed", "n_original", "synapses_original", "history")


def save_network(network: Network, path: str | Path) -> Path:
    """Writes the network to `path` (.npz), whole or not at all; returns the path.

    Raises InputError if the name does not end in .npz or the place cannot be written to.
    """
    return NETWORK_FILE.write(path, network_arrays(network))


def load_network(path: str | Path) -> Network:
    """The network in a file of `save_network`, equal to the saved one bit by bit.

    Raises InputError if the file is missing, corrupt, pickled, of another kind or version, or
    holds parts that do not fit together or are not finite.
    """
    arrays = NETWORK_FILE.read(path)
    NETWORK_FILE.require(path, arrays, NETWORK_ARRAYS)
    with NETWORK_FILE.making(path):
        return network_from(arrays)


def network_arrays(network: Network) -> Arrays:
    """All that a network is, as the arrays of its file."""
    meta = {
        "params": network.params.to_dict(),
        "seed": network.seed,
        "n_original": network.n_original,
        "synapses_original": network.synapses_original,
        "history": list(network.history),
    }
    return {
        "meta": np.array(json.dumps(meta)),
        "W_data": network.W.data,
        "W_indices": network.W.indices,
        "W_indptr": network.W.indptr,
        **{name: getattr(network, name) for name in NEURON_ARRAYS},
    }


NETWORK_ARRAYS = ("meta", *_MATRIX, *NEURON_ARRAYS)


def network_from(arrays: Arrays) -> Network:
    """The network of `network_arrays`; raises what damaged ones bring about, see `Archive`."""
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
