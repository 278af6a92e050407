"""Small networks drawn at random, and covariances that fit them."""

import numpy as np
from scipy import sparse

from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams

RNG = np.random.default_rng


def weights(n=40, in_degree=12, seed=0):
    """Signed CSR: the first 80 % of the columns excitatory, gamma magnitudes, no diagonal."""
    random = RNG(seed)
    dense = np.zeros((n, n))
    for post in range(n):
        others = np.delete(np.arange(n), post)
        pre = random.choice(others, in_degree, replace=False)
        dense[post, pre] = random.gamma(2, 0.5, in_degree)
    dense[:, int(0.8 * n) :] *= -6
    return sparse.csr_array(dense)


def network(n=40, in_degree=12, seed=0):
    W = weights(n, in_degree, seed)
    one = np.ones(n)
    return Network(
        W=W,
        is_e=np.arange(n) < int(0.8 * n),
        cluster=np.zeros(n, int),
        tau_m=RNG(seed).gamma(3, 0.02 / 3, n) + 2e-3,
        tau_e=0.1 * one,
        tau_i=0.1 * one,
        v_th=one,
        bias=0 * one,
        center=0 * one,
        neuron_id=np.arange(n),
        params=HRSNNParams(),
        seed=seed,
        n_original=n,
        synapses_original=W.nnz,
    )


def covariance_matrix(n, seed=1):
    X = RNG(seed).standard_normal((3 * n, n)) * RNG(seed + 1).gamma(2, 1, n)
    return X.T @ X / (3 * n)
