"""Networks A-D for the exponent tests: N = 300, asynchronous and irregular, from stable to chaotic.

240 excitatory and 60 inhibitory neurons, each with 0.8 K excitatory and 0.2 K inhibitory inputs,
K = p N; tau_e 5 ms, tau_i 10 ms, tau_m ~ Gamma(4, mean 20 ms) clipped to 5.3-80 ms, threshold 1,
reset to 0, t_ref 2 ms. Weights are J*X and -6*J*X with X ~ Gamma(4, mean 1), NOT scaled by
1/sqrt(K): with J/sqrt(K) all four are far from chaos (-9.6, -9.1, -6.8, -8.8 per s), without, and
with this spread, they lie at -8.7, -1.6, 1.8 and 5.2 (means of four realisations; -7.9, -2.7, 1.7
and 3.2 were measured on one). Input: 1.2 + sigma*OU, 20 ms, unit variance, held for 1 ms.
"""

import numpy as np
import scipy.sparse as sp
from lif_network import LIFNetwork

N, N_E, G = 300, 240, 6.0
MU, TAU_OU, HOLD = 1.2, 20e-3, 1e-3
# J, sigma, p
NETWORKS = {
    "A": (0.1, 0.5, 0.1),
    "B": (0.3, 0.5, 0.1),
    "C": (0.5, 0.5, 0.1),
    "D": (0.6, 0.7, 0.2),
}


def build(
    name: str,
    seed: int = 1,
    *,
    reset: str = "hard",
    t_ref: float = 2e-3,
    n: int = N,
    cv: float = 0.5,
) -> LIFNetwork:
    """Network `name`, one realisation; n: another size at the same in-degree probability; cv: of
    the weights' magnitudes, 0 for constant ones."""
    J, _, p = NETWORKS[name]
    generator = np.random.default_rng([seed, ord(name)])
    n_e, k = round(n * N_E / N), round(p * n)
    tau_m = np.clip(generator.gamma(4.0, 5e-3, n), 5.3e-3, 80e-3)
    k_e = round(k * N_E / N)
    rows = []
    for i in range(n):
        others = np.delete(np.arange(n), i)
        pre = np.concatenate(
            [
                generator.choice(others[others < n_e], k_e, replace=False),
                generator.choice(others[others >= n_e], k - k_e, replace=False),
            ]
        )
        magnitude = generator.gamma(cv**-2, cv**2, k) if cv else np.ones(k)
        row = np.zeros(n)
        row[pre] = np.where(pre < n_e, 1.0, -G) * J * magnitude
        rows.append(row)
    return LIFNetwork(
        W=sp.csr_array(np.array(rows)),
        is_e=np.arange(n) < n_e,
        tau_m=tau_m,
        tau_e=np.full(n, 5e-3),
        tau_i=np.full(n, 10e-3),
        v_th=np.ones(n),
        v_reset=0.0,
        reset=reset,
        t_ref=t_ref,
    )


def frozen_input(name: str, duration: float, seed: int = 5, n: int = N) -> np.ndarray:
    """Input current (ceil(duration/1 ms) + 1, n), one row per held millisecond."""
    sigma = NETWORKS[name][1]
    generator = np.random.default_rng([seed, 77])
    decay = np.exp(-HOLD / TAU_OU)
    x = generator.normal(size=(int(np.ceil(duration / HOLD - 1e-9)) + 1, n))
    x[1:] *= np.sqrt(1 - decay**2)
    for k in range(1, len(x)):
        x[k] += decay * x[k - 1]
    return MU + sigma * x
