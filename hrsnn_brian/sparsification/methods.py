"""The pruning methods by name, and `prune`, the one way to apply them to a network.

Every method ranks the synapses by an importance, chooses survivors and compensates; they differ
in the importance and in the defaults of the other two. None adds an edge or changes a sign.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.sparsification import scores
from hrsnn_brian.sparsification.budget import resolve_budget, resolve_neurons
from hrsnn_brian.sparsification.compensation import Compensation, parse_compensation
from hrsnn_brian.sparsification.covariance import linear_covariance
from hrsnn_brian.sparsification.neurons import random_leavers
from hrsnn_brian.sparsification.synapses import (
    BASES,
    Pruning,
    check_combination,
    geometric_schedule,
    prune_synapses,
)

Floats = NDArray[np.float64]
Covariance = str | Floats | Callable[[Network], Floats]
Importance = Callable[[Any, Floats | None, Mapping[str, str]], Floats]


@dataclass(frozen=True)
class Option:
    """A named choice of a method: what it may be, and what it is by default."""

    default: str
    allowed: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Method:
    """A pruning method. `function(W, C, options)` is the importance (nnz,) of each synapse."""

    name: str
    description: str
    source: str
    cost: str
    function: Importance
    compensation: str
    options: Mapping[str, Option] = field(default_factory=dict)
    needs_covariance: bool = False


def _selection(default: str) -> Option:
    what = "exactly the budget, sampled; the budget on average; the largest importances"
    return Option(default, ("fixed", "independent", "top"), what)


_BASE = Option("carried", tuple(BASES), "; ".join(f"{k}: {v}" for k, v in BASES.items()))
_FACTOR = Option(
    "difference", tuple(scores.FACTORS), "; ".join(f"{k}: {v}" for k, v in scores.FACTORS.items())
)


def _noise(W: Any, C: Floats | None, options: Mapping[str, str]) -> Floats:
    assert C is not None  # `prune` has refused to start without one
    return scores.noise(W, C, factor=options["factor"])


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="random",
            description="synapses leave at random, all with the same chance",
            source="null model; variance-preserving [our choice], 'none' for the raw rival",
            cost="one pass over the synapses",
            function=lambda W, _C, _options: scores.uniform(W),
            compensation="variance",
            options={
                "selection": Option("fixed", ("fixed", "independent"), _selection("").description),
                "base": _BASE,
            },
        ),
        Method(
            name="magnitude",
            description="the synapses of largest |w| stay; selection=fixed samples by |w| instead",
            source="magnitude pruning (Han et al. 2015); row 0.5 [our choice], 'none' for raw",
            cost="one pass over the synapses",
            function=lambda W, _C, _options: scores.magnitude(W),
            compensation="row 0.5",
            options={"selection": _selection("top"), "base": _BASE},
        ),
        Method(
            name="noise",
            description="synapses stay with p ~ |w| (C_ii + C_jj - 2 sgn(w) C_ij), C the "
            "covariance under white-noise drive",
            source="Moore & Chaudhuri 2020 (LNP step 1 with score |w|); row 0.5 [our choice], "
            "'literal' for w/p",
            cost="per round one covariance (simulated, or linear: 25 N^3) and a pass over synapses",
            function=_noise,
            compensation="row 0.5",
            options={"selection": _selection("fixed"), "base": _BASE, "factor": _FACTOR},
            needs_covariance=True,
        ),
    )
}


def get_method(name: str) -> Method:
    """The method of that name. Raises InputError, naming the nearest, if there is none."""
    if name not in METHODS:
        raise unknown_name("method", name, METHODS)
    return METHODS[name]


def list_methods() -> dict[str, str]:
    """Name -> one-line description, source and cost."""
    return {m.name: f"{m.description} [{m.source}; cost: {m.cost}]" for m in METHODS.values()}


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
) -> Network:
    """The network with `budget` synapses left, chosen by the named method.

    budget: exact number of synapses (see `resolve_budget`); met exactly unless
    selection=independent, which meets it on average. rounds: prunings in a geometric schedule,
    each with the importance of the network the round before left. compensation: words such as
    "row 0.5" (see `parse_compensation`); default is the method's. options: see the method's.
    covariance (methods that need one): an array (N, N) used in all rounds, a function of the
    network called in each round, or "linear" for `linear_covariance`. neurons: how many stay;
    the others, drawn at random within E and I, leave before the first round.

    The former sums of a compensation are those of the network given, without the neurons that
    left. One entry per round is added to the network's history. The same seed gives the same
    network (stream "prune").

    Raises InputError for anything unknown or out of range.
    """
    chosen = get_method(method)
    settings = _settings(chosen, options or {})
    rule = parse_compensation(chosen.compensation if compensation is None else compensation)
    check_combination(settings["selection"], rule, settings["base"])
    n_kept = resolve_neurons(network, neurons)
    budget = resolve_budget(network, synapses=budget, neurons=neurons)
    schedule = geometric_schedule(network.n_synapses, budget, rounds)
    _check_covariance(chosen, covariance)
    if n_kept < network.n_neurons:
        network, covariance = _remove_neurons(network, n_kept, budget, seed, covariance)
        schedule = geometric_schedule(network.n_synapses, budget, rounds)
    state = Pruning.start(network.W)
    for number, target in enumerate(schedule, start=1):
        C = _evaluate(covariance, network) if chosen.needs_covariance else None
        q = chosen.function(network.W, C, settings)
        state = prune_synapses(
            state,
            q,
            min(target, network.n_synapses),  # selection=independent may have left fewer
            rng(seed, "prune", chosen.name, number),
            settings["selection"],
            rule,
            settings["base"],
        )
        network = network.with_weights(
            state.W,
            operation="synapses",
            method=chosen.name,
            seed=seed,
            round=number,
            rounds=rounds,
            synapses=int(state.W.nnz),
            compensation=str(rule),
            **settings,
            **({"covariance": _kind(covariance)} if chosen.needs_covariance else {}),
        )
    return network


def _settings(method: Method, options: Mapping[str, str]) -> dict[str, str]:
    for name, value in options.items():
        if name not in method.options:
            raise unknown_name(f"option of method {method.name!r}", name, method.options)
        if value not in method.options[name].allowed:
            raise unknown_name(name, str(value), method.options[name].allowed)
    return {name: options.get(name, option.default) for name, option in method.options.items()}


def _check_covariance(method: Method, covariance: Covariance | None) -> None:
    if method.needs_covariance and covariance is None:
        raise InputError(
            "covariance", None, f"method {method.name!r} needs an array, a function or 'linear'"
        )
    if isinstance(covariance, str) and covariance != "linear":
        raise unknown_name("covariance", covariance, ["linear"])


def _evaluate(covariance: Covariance | None, network: Network) -> Floats:
    if isinstance(covariance, str):
        return linear_covariance(network.W, network.tau_m)
    return covariance(network) if callable(covariance) else np.asarray(covariance)


def _kind(covariance: Covariance | None) -> str:
    if isinstance(covariance, str):
        return covariance
    return "function" if callable(covariance) else "array"


def _remove_neurons(
    network: Network, count: int, budget: int, seed: int, covariance: Covariance | None
) -> tuple[Network, Covariance | None]:
    """The network without the neurons that leave; an array covariance shrinks with it."""
    leavers = random_leavers(network.is_e, count, rng(seed, "prune", "neurons"))
    if isinstance(covariance, np.ndarray):
        if covariance.shape != (network.n_neurons,) * 2:
            scores.covariance_factor(network.W, covariance)  # raises, with the shapes
        covariance = np.delete(np.delete(covariance, leavers, axis=0), leavers, axis=1)
    smaller = network.without_neurons(
        leavers, operation="neurons", method="random", seed=seed, neurons=count
    )
    if budget > smaller.n_synapses:
        raise InputError(
            "synapses",
            budget,
            f"only {smaller.n_synapses} are left between the {count} neurons that stay; "
            "keep more neurons or fewer synapses",
        )
    return smaller, covariance
