"""Which network it is: one short hash, for all that must not mix two of them."""

import hashlib
import json

from hrsnn_brian.network.network import NEURON_ARRAYS, Network


def network_digest(network: Network) -> str:
    """A hash of everything that decides what becomes of a network; its history does not."""
    digest = hashlib.sha256(json.dumps(network.params.to_dict(), sort_keys=True).encode())
    for part in (network.W.data, network.W.indices, network.W.indptr):
        digest.update(part.astype(float if part is network.W.data else "i8").tobytes())
    for name in NEURON_ARRAYS:
        digest.update(getattr(network, name).tobytes())
    digest.update(f"{network.seed}/{network.n_original}".encode())
    return digest.hexdigest()[:32]
