"""`prune`, the one way to apply a pruning method by name to a network.

The methods are in `registry`. All but the fresh network and the rewired one add no edge, and none
changes a sign.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning import scores
from hrsnn_brian.pruning.budget import resolve_budget, resolve_neurons
from hrsnn_brian.pruning.compensation import Compensation, parse_compensation
from hrsnn_brian.pruning.evidence import Covariance, Facts, Floats, Measure, Source
from hrsnn_brian.pruning.method import Method
from hrsnn_brian.pruning.neurons import Indices, lowest_leavers, random_leavers
from hrsnn_brian.pruning.registry import METHODS, get_method, list_methods
from hrsnn_brian.pruning.synapses import (
    Pruning,
    check_combination,
    geometric_schedule,
    prune_synapses,
)
from hrsnn_brian.seeds import rng

__all__ = ["METHODS", "Method", "get_method", "list_methods", "prune"]


def prune(
    network: Network,
    method: str,
    budget: int,
    seed: int,
    rounds: int = 1,
    compensation: str | Compensation | None = None,
    options: Mapping[str, str] | None = None,
    covariance: Covariance | None = None,
    neurons: int | None = None,
    *,
    measure: Measure | None = None,
    task: Any = None,
) -> Network:
    """The network with `budget` synapses left, chosen by the named method.

    budget: exact number of synapses (see `resolve_budget`); met exactly unless
    selection=independent, which meets it on average, or the method is no-recurrence, which leaves
    none. rounds: prunings in a geometric schedule, each with the importance of the network the
    round before left. compensation: words such as "row 0.5" (see `parse_compensation`); default
    is the method's. options: see the method's. covariance (methods that need one): an array
    (N, N) used in all rounds, a function of the network called in each round, or "linear" for
    `linear_covariance`; default is `measure.covariance`. neurons: how many stay; the others leave
    before the first round, drawn at random within E and I, or in every round in a geometric
    schedule of their own, where the method chooses them. measure: what is asked, in each round,
    for the facts the method `needs` (see `evidence.Measure`); task: passed on to it.

    The former sums of a compensation are those of the network given, without the neurons that
    left. One entry per round is added to the network's history. The same seed gives the same
    network (stream "prune"). Methods that are built at once (fresh, no-recurrence) take no
    compensation and have no rounds.

    Raises InputError for anything unknown, missing or out of range.
    """
    chosen = get_method(method)
    settings = _settings(chosen, options or {})
    source = Source(covariance, measure, task)
    rule = parse_compensation(chosen.compensation if compensation is None else compensation)
    n_kept = resolve_neurons(network, neurons)
    budget = resolve_budget(network, synapses=budget, neurons=neurons)
    schedule = geometric_schedule(network.n_synapses, budget, rounds)
    if chosen.chooses_neurons and n_kept == network.n_neurons:
        what = f"method {chosen.name!r} chooses who leaves: give fewer than {n_kept}"
        raise InputError("neurons", neurons, what)
    if chosen.build is not None:
        if rule.rule != "none":
            what = f"method {chosen.name!r} has no survivors to rescale"
            raise InputError("compensation", str(rule), what)
        return chosen.build(network, n_kept, budget, seed, settings)
    check_combination(settings["selection"], rule, settings["base"])
    source.check(chosen.name, chosen.needs)
    original = network
    if chosen.neurons == "once" and n_kept < network.n_neurons:
        network, source = _remove_at_once(network, n_kept, budget, seed, source)
        schedule = geometric_schedule(network.n_synapses, budget, rounds)
    pruned = _rounds(network, chosen, n_kept, schedule, seed, rule, settings, source)
    if chosen.finish is None:
        return pruned
    return chosen.finish(pruned, original, source, settings, seed)


def _rounds(
    network: Network,
    method: Method,
    n_kept: int,
    schedule: tuple[int, ...],
    seed: int,
    rule: Compensation,
    settings: dict[str, str],
    source: Source,
) -> Network:
    assert method.function is not None  # those without one have `build`
    state = Pruning.start(network.W)
    rounds = len(schedule)
    sizes = geometric_schedule(network.n_neurons, n_kept, rounds)
    fraction_e = float(network.is_e.mean())
    for number, (size, target) in enumerate(zip(sizes, schedule, strict=True), start=1):
        facts = source.facts(network, method.needs)
        if size < network.n_neurons:
            leavers = _leavers(network, method, size, fraction_e, facts, seed, number, settings)
            note: dict[str, str | int] = {"method": method.name, "round": number, "rounds": rounds}
            network = _leave(network, leavers, schedule[-1], seed, **note)
            state = _restricted(state, leavers)
            facts = {name: _without(values, leavers) for name, values in facts.items()}
        q = method.function(network, facts, settings, seed)
        state = prune_synapses(
            state,
            q,
            min(target, network.n_synapses),  # selection=independent may have left fewer
            rng(seed, "prune", method.name, number),
            settings["selection"],
            rule,
            settings["base"],
        )
        network = network.with_weights(
            state.W,
            operation="synapses",
            method=method.name,
            seed=seed,
            round=number,
            rounds=rounds,
            synapses=int(state.W.nnz),
            compensation=str(rule),
            **settings,
            **({"covariance": source.kind} if method.needs_covariance else {}),
        )
    return network


def _settings(method: Method, options: Mapping[str, str]) -> dict[str, str]:
    for name in options:
        if name not in method.options:
            if not method.options:
                raise InputError("option", name, f"method {method.name!r} has none")
            raise unknown_name(f"option of method {method.name!r}", name, method.options)
    return {
        name: option.check(name, options.get(name, option.default))
        for name, option in method.options.items()
    }


def _leavers(
    network: Network,
    method: Method,
    count: int,
    fraction_e: float,
    facts: Facts,
    seed: int,
    number: int,
    settings: Mapping[str, str],
) -> Indices:
    random = rng(seed, "prune", "neurons", number)
    proportional = settings["proportional"] == "yes"
    if method.neurons == "random":
        return random_leavers(network.is_e, count, random, proportional, fraction_e)
    score = facts[method.neurons]
    return lowest_leavers(score, network.is_e, count, random, proportional, fraction_e)


def _restricted(state: Pruning, leavers: Indices) -> Pruning:
    """The state without the synapses of the neurons that leave, original ones included."""
    stay = np.delete(np.arange(state.W.shape[0]), leavers)

    def cut(W: Any) -> Any:
        smaller = W[stay][:, stay]
        smaller.sort_indices()
        return smaller

    return Pruning(cut(state.W), cut(state.uncompensated), cut(state.original))


def _without(values: Floats, leavers: Indices) -> Floats:
    """(N,) or (N, N) without the entries of the neurons that leave."""
    for axis in range(values.ndim):
        values = np.delete(values, leavers, axis=axis)
    return values


def _remove_at_once(
    network: Network, count: int, budget: int, seed: int, source: Source
) -> tuple[Network, Source]:
    """The network without the neurons that leave by lot; an array covariance shrinks with it."""
    leavers = random_leavers(network.is_e, count, rng(seed, "prune", "neurons"))
    covariance = source.covariance
    if isinstance(covariance, np.ndarray):
        if covariance.shape != (network.n_neurons,) * 2:
            scores.covariance_factor(network.W, covariance)  # raises, with the shapes
        covariance = _without(covariance, leavers)
    smaller = _leave(network, leavers, budget, seed, method="random")
    return smaller, replace(source, covariance=covariance)


def _leave(
    network: Network, leavers: Indices, budget: int, seed: int, **note: str | int
) -> Network:
    count = network.n_neurons - leavers.size
    smaller = network.without_neurons(
        leavers, operation="neurons", seed=seed, neurons=count, **note
    )
    if budget > smaller.n_synapses:
        raise InputError(
            "synapses",
            budget,
            f"only {smaller.n_synapses} are left between the {count} neurons that stay; "
            "keep more neurons or fewer synapses",
        )
    return smaller
