"""A user's own Brian network, read to be measured and pruned, and its synapses written back."""

import warnings
from collections.abc import Sequence
from typing import Any

import brian2 as b2
import numpy as np
from brian2.core.namespace import get_local_namespace
from scipy import sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.matrix_file import column_signs
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.reader import Settings, read
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.simulation.own_objects import (
    Namespace,
    OwnNeurons,
    OwnSynapses,
    read_neurons,
    read_synapses,
    weight_variable,
)

SELF_LOOPS = ("refuse", "drop")


class OwnModelWarning(UserWarning):
    """Something of a user's own Brian objects has no place in a `Network`, or the reverse."""


def from_brian2(
    group: b2.NeuronGroup,
    *synapses: b2.Synapses,
    settings: Settings = (),
    seed: int = 0,
    self_loops: str = "refuse",
    namespace: Namespace | None = None,
) -> Network:
    """The network that a LIF group and its synapses are, to be measured, pruned, written back.

    group: dv/dt linear in v and in synaptic currents that decay exponentially, a threshold, a reset
    that sets or subtracts; parameters may differ from neuron to neuron, and carry any units.
    synapses: jumps of such a current, their signs by neuron (Dale's law), one delay for all.
    Potentials become u = (v - reset)/(mean distance from reset to threshold). Constant terms of
    dv/dt become the bias; those that depend on time, and noise, are left out with a warning.
    settings: of parameters the group does not have, such as "encoder.kind=current". seed: of the
    encoder. self_loops: "drop" leaves out synapses of a neuron onto itself. namespace: where
    constants of the equations are looked up, default the caller's variables.

    The engine integrates exactly: a group with method 'exact' has the same spikes. Raises
    InputError for a model that is another one, naming the part that is.
    """
    if self_loops not in SELF_LOOPS:
        raise InputError("self_loops", self_loops, f"must be one of {', '.join(SELF_LOOPS)}")
    known = get_local_namespace(1) if namespace is None else namespace
    neurons = read_neurons(group, known)
    if neurons.left_out:
        what = f"left out of {group.name!r}, as it varies in time: {', '.join(neurons.left_out)}"
        warnings.warn(what, OwnModelWarning, stacklevel=2)
    read_in = [read_synapses(item, group, neurons) for item in synapses]
    W = _matrix(len(group), read_in, known, self_loops)
    signs = column_signs(W)
    tau_e, tau_i, two = _time_constants(read_in, known, len(group))
    delays = {item.delay for item in read_in}
    if len(delays) > 1:
        raise InputError("delay", sorted(delays), "must be one for all synapses")
    facts = {
        "neuron": {"reset": "subtractive" if neurons.subtractive else "hard"},
        "synapse": {"currents": "two" if two else "one"},
    }
    table = _table(W, signs, neurons, facts, max(delays, default=0.0))
    params = read(HRSNNParams, table, settings)
    n = len(group)
    return Network(
        W=W,
        is_e=signs,
        cluster=np.zeros(n, dtype=np.int64),
        tau_m=neurons.tau_m,
        tau_e=tau_e,
        tau_i=tau_i,
        v_th=neurons.v_th,
        bias=neurons.bias,
        center=params.encoder.center.sample(rng(seed, "input", "center"), n),
        neuron_id=np.arange(n),
        params=params,
        seed=seed,
        n_original=n,
        synapses_original=int(W.nnz),
        history=({"operation": "from brian2", "group": group.name},),
    )


def rewrite_synapses(
    synapses: b2.Synapses | Sequence[b2.Synapses],
    network: Network,
    *,
    namespace: Namespace | None = None,
) -> None:
    """Gives a user's own synapses the connections and weights of a network, in place.

    synapses: those that `from_brian2` read, all of them; or, under cpp_standalone, like ones that
    were not connected yet. network: what became of it. Synapses that are gone leave the objects,
    those that stay keep all their other variables, and one that is new takes those of another
    synapse of its neuron. Neurons that were pruned stay in the group, without synapses.

    Warns (`OwnModelWarning`) where pruning changed biases or time constants: those are the group's,
    not the synapses', and stay as they are. Raises InputError, before any change, as `from_brian2`
    does, for weights that are no variable of every synapse, and for a group of another size.
    """
    items = [synapses] if isinstance(synapses, b2.Synapses) else list(synapses)
    known = get_local_namespace(1) if namespace is None else namespace
    group = getattr(items[0].source, "source", items[0].source)
    if len(group) != network.n_original:
        allowed = f"must be the {network.n_original} neurons that the network was read from"
        raise InputError(f"group {group.name!r}", f"{len(group)} neurons", allowed)
    neurons = read_neurons(group, known)
    own = [read_synapses(item, group, neurons) for item in items]
    names = [weight_variable(item) for item in own]
    shares = _shared_out(network, own, known)
    _warn_of_neurons(network, neurons, group.name)
    for item, name, (pre, post, weights) in zip(own, names, shares, strict=True):
        _rewrite(item, name, pre, post, weights / item.effect_on(post))


def _matrix(
    n: int, synapses: Sequence[OwnSynapses], namespace: Namespace, self_loops: str
) -> sparse.csr_array:
    if not synapses:
        raise InputError("synapses", "none", "give at least one Synapses object of the group")
    pre, post = (np.concatenate([getattr(s, e) for s in synapses]) for e in ("pre", "post"))
    w = np.concatenate([s.weights(namespace) for s in synapses])
    loops = pre == post
    if loops.any() and self_loops == "refuse":
        allowed = f"{loops.sum()} lead from a neuron to itself; self_loops='drop' leaves them out"
        raise InputError("synapses", f"{loops.size} synapses", allowed)
    return sparse.csr_array(
        sparse.coo_array((w[~loops], (post[~loops], pre[~loops])), shape=(n, n))
    )


def _time_constants(
    synapses: Sequence[OwnSynapses], namespace: Namespace, n: int
) -> tuple[FloatArray, FloatArray, bool]:
    """tau_e and tau_i (N,) in s, and whether they belong to two currents."""
    found: dict[bool, FloatArray] = {}
    for item in synapses:
        weights = item.weights(namespace)
        for excitatory in np.unique(weights[weights != 0] > 0):
            tau = found.setdefault(bool(excitatory), item.current.tau)
            if not np.allclose(tau, item.current.tau, rtol=1e-12):
                what = "excitation (or inhibition) must have one current, with one time constant"
                raise InputError("synapses", item.source.name, what)
    tau_e = found.get(True, found.get(False, np.full(n, 1e-3)))
    tau_i = found.get(False, tau_e)
    return tau_e, tau_i, not np.allclose(tau_e, tau_i, rtol=1e-12)


def _table(
    W: sparse.csr_array, signs: Any, neurons: OwnNeurons, facts: dict[str, Any], delay: float
) -> dict[str, Any]:
    """The parameters that say what the network is; what a law would be drawn from is its mean."""
    n = W.shape[0]
    step = neurons.dt
    neuron = facts["neuron"] | {
        "t_ref": f"{1e3 * round(neurons.t_ref / step) * step:.12g} ms",
        "tau_m": f"{1e3 * neurons.tau_m.mean():.12g} ms",
        "v_th": float(neurons.v_th.mean()),
        "bias": float(neurons.bias.mean()),
    }
    graph = {"K": min(round(W.nnz / n), n - 1)}
    # the default sample, as a whole number of steps
    sample = max(1, round(HRSNNParams().timing.sample / step)) * step
    timing = {"dt": f"{1e3 * step:.12g} ms", "sample": f"{1e3 * sample:.12g} ms"}
    synapse = facts["synapse"] | {"delay": f"{1e3 * round(delay / step) * step:.12g} ms"}
    return {
        "N": n,
        "fraction_e": float(np.mean(signs)),
        "graph": graph,
        "neuron": neuron,
        "synapse": synapse,
        "timing": timing,
    }


def _shared_out(
    network: Network, own: Sequence[OwnSynapses], namespace: Namespace
) -> list[tuple[Any, Any, FloatArray]]:
    """For every Synapses object the pre, post and weight of its synapses: old ones in their old
    order, then new ones, which go to the object that has other synapses of their sign.
    """
    n, W = network.n_original, network.W.tocoo()
    key = network.neuron_id[W.col].astype(np.int64) * n + network.neuron_id[W.row]
    left = dict(zip(key.tolist(), W.data.tolist(), strict=True))
    kept = []
    for item in own:
        old = (item.pre.astype(np.int64) * n + item.post).tolist()
        kept.append([(k, left.pop(k)) for k in old if k in left])
    of_sign = [np.sign(item.weights(namespace)).sum() for item in own]
    for k, w in left.items():
        signs = [(s == 0) or (s > 0) == (w > 0) for s in of_sign]
        kept[signs.index(True) if any(signs) else 0].append((k, w))
    shares = []
    for pairs in kept:
        ends, weights = np.array([k for k, _ in pairs], dtype=np.int64), [w for _, w in pairs]
        shares.append((ends // n, ends % n, np.array(weights, dtype=float)))
    return shares


def _warn_of_neurons(network: Network, neurons: OwnNeurons, name: str) -> None:
    ids = network.neuron_id
    for what in ("bias", "tau_m", "v_th"):
        before = getattr(neurons, what)[ids]
        if not np.allclose(getattr(network, what), before, rtol=1e-9, atol=1e-12):
            text = f"pruning changed {what} of the neurons; group {name!r} keeps its own"
            warnings.warn(text, OwnModelWarning, stacklevel=3)


def _rewrite(item: OwnSynapses, name: str, pre: Any, post: Any, weights: FloatArray) -> None:
    synapses = item.source
    if not synapses._connect_called:
        synapses.connect(i=pre, j=post)
        setattr(synapses, name, b2.Quantity(weights, synapses.variables[name].dim))
        return
    place: dict[tuple[int, int], int] = {}
    first: dict[int, int] = {}
    for k, ends in enumerate(zip(item.pre.tolist(), item.post.tolist(), strict=True)):
        place.setdefault(ends, k)
        first.setdefault(ends[0], k)
    wanted = zip(pre.tolist(), post.tolist(), strict=True)
    take = np.array([place.get(ends, first.get(ends[0], 0)) for ends in wanted], dtype=np.int64)
    for variable in synapses._registered_variables:
        values = variable.get_value()[take]
        variable.resize(take.size)
        variable.get_value()[:] = values
    for key, value in (("_synaptic_pre", pre), ("_synaptic_post", post), (name, weights)):
        synapses.variables[key].get_value()[:] = value
    synapses.variables["N"].set_value(take.size)
    for counts in ("N_incoming", "N_outgoing"):
        synapses.variables[counts].get_value()[:] = 0
    synapses._update_synapse_numbers(0)
