"""Drawing a network from its parameters: each quantity from its own random stream.

Because streams are named, a change of one parameter leaves all other draws of the same seed as
they are: networks of one seed that differ in tau_m alone share graph, weights and thresholds.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.effect import BESIDE_A_MATRIX, get_value, meaningless
from hrsnn_brian.network.graphs import clustered, erdos_renyi, fixed_indegree, small_world
from hrsnn_brian.network.matrix_fields import BY_IN_DEGREE
from hrsnn_brian.network.matrix_file import column_signs, load_matrix
from hrsnn_brian.network.network import FloatArray, IntArray, Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.runaway import warn_of_runaway
from hrsnn_brian.network.weights import draw_weights, scale_to_spectral_radius
from hrsnn_brian.seeds import rng


def build_network(params: HRSNNParams, seed: int) -> Network:
    """The network that `params` and `seed` stand for; the same arguments give the same network.

    Neurons are ordered excitatory first. Clusters are equal parts (to one neuron) of the
    excitatory and of the inhibitory neurons. On the small-world ring neurons sit in random order,
    so that inhibition is spread over it. With graph.kind "matrix" the weights are the file's,
    scaled as graph.scale says, excitation and inhibition follow from the signs of its columns, and
    N, K and fraction_e of the network's params are those of the matrix; others, like J, that are
    set and mean nothing beside it are refused.

    Raises InputError for a seed that is no whole number >= 0 or parameters that cannot be met;
    warns (`RunawayWarning`) of a network whose rate nothing bounds.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError("seed", seed, "must be a whole number >= 0")
    seed = int(seed)
    _check_size(params)
    if params.graph.kind == "matrix":
        params, W, is_e = _from_matrix(params)
    else:
        is_e = np.arange(params.N) < params.n_excitatory
        W = _draw_recurrence(params, is_e, seed)
    network = _with_neurons(params, seed, W, is_e)
    warn_of_runaway(network)
    return network


@lru_cache(maxsize=2)
def drawn_network(parameters: str, seed: int) -> Network:
    """The network of parameters given as JSON, kept in the process for the work that shares it.

    Raises InputError as `build_network` does.
    """
    return build_network(HRSNNParams.from_dict(json.loads(parameters)), seed)


def _check_size(params: HRSNNParams) -> None:
    """Refuse what cannot be held: drawing a synapse takes about 60 bytes at the peak."""
    expected = params.N * params.in_degree
    need = 60 * expected + 1000 * params.N
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if params.graph.kind != "matrix" and (need > have or expected >= 2**31):
        allowed = (
            f"about {expected:.3g} synapses need {need / 1e9:.3g} GB; there are {have / 1e9:.3g}"
        )
        raise InputError("N", params.N, f"{allowed} (set graph.K to have fewer)")


def _from_matrix(
    params: HRSNNParams,
) -> tuple[HRSNNParams, sparse.csr_array, NDArray[np.bool_]]:
    graph = params.graph
    W = load_matrix(graph.matrix or "", layout=graph.format, self_loops=graph.self_loops)
    is_e = column_signs(W)
    n = W.shape[0]
    facts = {"N": n, "fraction_e": float(is_e.mean()), "graph.K": round(W.nnz / n)}
    _refuse_other_facts(params, facts)
    wanted = params.weights.spectral_radius
    if graph.scale == BY_IN_DEGREE and W.nnz:
        W = W / math.sqrt(W.nnz / n)
    elif not isinstance(graph.scale, str):
        W = scale_to_spectral_radius(W, graph.scale, "graph.scale")
    elif wanted is not None:
        W = scale_to_spectral_radius(W, wanted)
    graph = replace(graph, K=facts["graph.K"])
    return replace(params, N=n, fraction_e=facts["fraction_e"], graph=graph), W, is_e


def _refuse_other_facts(params: HRSNNParams, facts: Mapping[str, float]) -> None:
    """Raises InputError for a parameter that is neither its default nor what the matrix says."""
    usual = HRSNNParams()
    for path in BESIDE_A_MATRIX:
        value = get_value(params, path)
        if value in (get_value(usual, path), facts.get(path)):
            continue
        if path == "N":
            allowed = f"the matrix has {facts[path]} neurons; leave N out"
            raise InputError(path, value, allowed)
        raise meaningless(path, value)


def _draw_recurrence(params: HRSNNParams, is_e: NDArray[np.bool_], seed: int) -> sparse.csr_array:
    graph = _draw_graph(params, is_e, seed)
    random = rng(seed, "network", "weights")
    return draw_weights(graph, is_e, params.weights, random, params.in_degree)


def _draw_graph(params: HRSNNParams, is_e: NDArray[np.bool_], seed: int) -> sparse.csr_array:
    n, K, graph = params.N, params.in_degree, params.graph
    random = rng(seed, "network", "graph")
    if graph.kind == "erdos_renyi":
        return erdos_renyi(n, K, random)
    if graph.kind == "clustered":
        return clustered(_clusters(is_e, graph.clusters), K, graph.within, random)
    if graph.kind == "small_world":
        place = rng(seed, "network", "ring").permutation(n)
        ring = small_world(n, K, graph.rewire, random)
        return sparse.csr_array(ring[place][:, place])
    return fixed_indegree(n, K, random, group=is_e.astype(np.int64))


def _clusters(is_e: NDArray[np.bool_], clusters: int) -> IntArray:
    """Cluster number of each neuron: both classes cut into equal runs; shape (N,)."""
    cluster = np.zeros(len(is_e), dtype=np.int64)
    for members in (np.flatnonzero(is_e), np.flatnonzero(~is_e)):
        cluster[members] = np.arange(len(members)) * clusters // max(len(members), 1)
    return cluster


def _membrane_times(
    params: HRSNNParams, cluster: IntArray, is_e: NDArray[np.bool_], seed: int
) -> FloatArray:
    tau_m = _drawn_membrane_times(params, cluster, seed)
    slower = params.neuron.e_slower
    if slower == 1:
        return tau_m
    scale = np.where(is_e, slower, 1.0)
    return tau_m * scale / scale.mean()


def _drawn_membrane_times(params: HRSNNParams, cluster: IntArray, seed: int) -> FloatArray:
    if not params.neuron.tau_m_clusters:
        return params.neuron.tau_m.sample(rng(seed, "network", "tau_m"), params.N)
    tau_m = np.empty(params.N)
    for k, distribution in enumerate(params.neuron.tau_m_clusters):
        members = cluster == k
        random = rng(seed, "network", "tau_m", k)
        tau_m[members] = distribution.sample(random, int(members.sum()))
    return tau_m


def _with_neurons(
    params: HRSNNParams, seed: int, W: sparse.csr_array, is_e: NDArray[np.bool_]
) -> Network:
    n, neuron, synapse = params.N, params.neuron, params.synapse
    cluster = _clusters(is_e, params.graph.clusters)
    tau_e = synapse.tau_e.sample(rng(seed, "network", "tau_e"), n)
    tau_i = tau_e
    if synapse.currents == "two":
        tau_i = synapse.tau_i.sample(rng(seed, "network", "tau_i"), n)
    return Network(
        W=W,
        is_e=is_e,
        cluster=cluster,
        tau_m=_membrane_times(params, cluster, is_e, seed),
        tau_e=tau_e,
        tau_i=tau_i,
        v_th=neuron.v_th.sample(rng(seed, "network", "v_th"), n),
        bias=neuron.bias.sample(rng(seed, "network", "bias"), n),
        center=params.encoder.center.sample(rng(seed, "input", "center"), n),
        neuron_id=np.arange(n),
        params=params,
        seed=seed,
        n_original=n,
        synapses_original=int(W.nnz),
    )
