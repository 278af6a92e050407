"""Probes without an engine: what they measure are functions of the network alone, counted."""

from typing import Any

import numpy as np
from scipy.sparse.linalg import norm

from hrsnn_brian.dynamics.covariance import linear_covariance
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.iteration import Iteration
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.recipe import Recipe


class Stub:
    """All that `lnp` asks. lambda_1 is the mean tau_m in 10 ms, minus 5.

    `unstable` iterations get 3/s, `silent` ones no rate, by number of neurons.
    """

    T = 80e-3
    unresolved = 0
    lambda_1_error = common_lambda_1_error = common_growth_error = 0.5
    echo_error = 0.02

    def __init__(self, unstable=(), silent=(), rate=10.0):
        self.unstable, self.silent, self.rate = unstable, silent, rate
        self.calls = []

    def covariance(self, network):
        self.calls.append("covariance")
        return linear_covariance(network.W, network.tau_m)

    def node_exponents(self, network):
        self.calls.append("node_exponents")
        return -20.0 - 40.0 * np.random.default_rng(5).random(network.n_original)[network.neuron_id]

    def rates(self, network):
        hz = 0.0 if network.n_neurons in self.silent else self.rate
        return hz * (0.5 + (network.neuron_id % 7) / 6)

    def rate_hz(self, network):
        return float(self.rates(network).mean())

    def lambda_1(self, network):
        unstable = network.n_neurons in self.unstable
        return 3.0 if unstable else float(network.tau_m.mean() / 10e-3) - 5.0

    def common_lambda_1(self, network):
        return self.lambda_1(network) - 4.0

    def common_growth(self, network):
        return self.lambda_1(network) + 2.0

    def memory_capacity(self, network):
        return 1.0

    def echo(self, network):
        """Goes as the power 1.5 of a gain."""
        return 0.6 * (np.abs(network.W).sum() * norm(network.W) / network.n_neurons**1.5) ** 0.75


class Growing(Stub):
    """Node exponents that depend on the network they are measured in."""

    def node_exponents(self, network):
        return super().node_exponents(network) * (1 + network.W.sum(axis=1) / network.n_neurons)


class Facts(Stub):
    """All that any recipe asks, of a task too: facts of the neuron, and a note of who was asked."""

    def __init__(self, n: int, seed: int = 7):
        super().__init__()
        random = np.random.default_rng(seed)
        self.n = n
        self.hz = random.gamma(2, 10, n)
        self.weight = random.gamma(1, 1, n)
        self.mixing = random.normal(size=(n, 3 * n)) * random.gamma(2, 1, n)[:, None]
        self.asked = []

    def covariance(self, net):
        self.asked.append((net.n_neurons, net.n_synapses))
        x = self.mixing[net.neuron_id]
        return x @ x.T / (3 * self.n)

    def task_rates(self, net):
        self.asked.append((net.n_neurons, net.n_synapses))
        return self.hz[net.neuron_id]

    def rates(self, net):
        """Rises with the bias; not noted: the last touch asks as often as it takes."""
        return self.hz[net.neuron_id] * np.exp(net.bias)

    def rate_hz(self, net):
        return float(self.rates(net).mean())

    def readout_weight(self, net):
        self.asked.append((net.n_neurons, net.n_synapses))
        return self.weight[net.neuron_id]

    def trained(self, net):
        """Every weight becomes another, of its sign."""
        W = net.W.copy()
        W.data *= np.random.default_rng(1).uniform(0.2, 2.0, W.nnz)
        return net.with_weights(W, operation="train")


class Given:
    """A covariance of the original's neurons, the same whatever the synapses."""

    def __init__(self, covariance: Any):
        self.C = np.asarray(covariance, dtype=float)

    def covariance(self, network):
        fits = len(self.C) > network.neuron_id[-1]
        return self.C[np.ix_(network.neuron_id, network.neuron_id)] if fits else self.C


class Deaf:
    """Measures nothing."""


def iteration(
    network: Network,
    *,
    recipe: Recipe = LNP,
    probe: Any = None,
    seed: int = 0,
    number: int = 1,
    neurons: int | None = None,
    synapses: int | None = None,
    budget: int = 1,
    source: Network | None = None,
    **seen: Any,
) -> Iteration:
    """An iteration in the state a step finds it in; seen: facts by name."""
    probe = Stub() if probe is None else probe
    return Iteration(
        recipe=recipe,
        probe=probe,
        seed=seed,
        number=number,
        rounds=20,
        neurons=network.n_neurons if neurons is None else neurons,
        synapses=network.n_synapses if synapses is None else synapses,
        budget=budget,
        network=network,
        source=network if source is None else source,
        original=network if source is None else source,
        original_hz=lambda: probe.rate_hz(network),
        original_echo=lambda: probe.echo(network if source is None else source),
        seen=seen,
    )
