"""What the pruning methods are made of: importances, networks built at once, last touches.

Each has the signature that `method.Method` asks for; `registry` puts them together.
"""

from dataclasses import replace

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning import rivals, scores
from hrsnn_brian.pruning.evidence import Facts, Floats, Source
from hrsnn_brian.pruning.method import Settings
from hrsnn_brian.pruning.rate_ceiling import lower_rates
from hrsnn_brian.pruning.rate_match import Rate, match_rate
from hrsnn_brian.seeds import rng

WITHIN = {
    "all": "all synapses compete",
    "class": "E and I synapses compete apart, each keeps its share",
    "neuron": "the inputs of a neuron compete, each neuron keeps the same share",
}


def by_lot(network: Network, _facts: Facts, _settings: Settings, _seed: int) -> Floats:
    """The same for all."""
    return scores.uniform(network.W)


def by_magnitude(network: Network, _facts: Facts, settings: Settings, seed: int) -> Floats:
    """|w|."""
    return _competing(scores.magnitude(network.W), network, settings, seed)


def by_magnitude_or_lot(network: Network, _facts: Facts, settings: Settings, _seed: int) -> Floats:
    """|w|, or the same for all, as the option `importance` says."""
    by_size = settings["importance"] == "magnitude"
    return scores.magnitude(network.W) if by_size else scores.uniform(network.W)


def by_readout(network: Network, facts: Facts, settings: Settings, seed: int) -> Floats:
    """|w| times the weight of the trained readout on the target."""
    q = rivals.readout_importance(network.W, facts["readout_weight"])
    return _competing(q, network, settings, seed)


def by_noise(network: Network, facts: Facts, settings: Settings, seed: int) -> Floats:
    """|w| F, F of the covariance, see `scores.noise`."""
    q = scores.noise(network.W, facts["covariance"], factor=settings["factor"])
    return _competing(q, network, settings, seed)


def by_shuffled_noise(network: Network, facts: Facts, settings: Settings, seed: int) -> Floats:
    """|w| F with the neurons' names in C exchanged.

    The exchange is that of the seed: the same in all rounds, so it never averages.
    """
    C = facts["covariance"]
    scores.covariance_factor(network.W, C)  # refuses what is no covariance of this network
    groups = network.is_e if settings["shuffle"] == "class" else None
    shuffled = rivals.shuffled_covariance(C, rng(seed, "prune", "shuffle"), groups)
    q = scores.noise(network.W, shuffled, factor=settings["factor"])
    return _competing(q, network, settings, seed)


def by_noise_per_operation(network: Network, facts: Facts, settings: Settings, seed: int) -> Floats:
    """|w| F^power / r^price: what a synapse passes on, for what it costs."""
    F = scores.covariance_factor(network.W, facts["covariance"], settings["factor"])
    q = scores.magnitude(network.W) * F ** float(settings["power"])
    q = scores.per_operation(network.W, q, facts["rates"], float(settings["price"]))
    return _competing(q, network, settings, seed)


def _competing(q: Floats, network: Network, settings: Settings, seed: int) -> Floats:
    """q as compared among all, within the class or within the inputs of a neuron."""
    if settings["within"] == "all":
        return q
    lots = rng(seed, "prune", "within class", network.n_synapses)
    if settings["within"] == "neuron":
        return rivals.within_neuron(q, network.W, lots)
    return rivals.within_class(q, network.W.data > 0, settings["selection"], lots)


def fresh(network: Network, neurons: int, synapses: int, seed: int, settings: Settings) -> Network:
    """A new random network of that size."""
    return rivals.fresh_network(network, neurons, synapses, seed, settings["scale"])


def no_recurrence(
    network: Network, neurons: int, _synapses: int, seed: int, _settings: Settings
) -> Network:
    """The control J = 0."""
    return rivals.without_recurrence(network, neurons, seed)


def rewired(
    network: Network, _original: Network, _source: Source, _settings: Settings, seed: int
) -> Network:
    """Every synapse gets a new source of its class."""
    return rivals.rewire_within_class(network, seed)


def turned_up(
    network: Network, original: Network, source: Source, settings: Settings, _seed: int
) -> Network:
    """Stronger weights, a share of the former mean rate under white noise, no rate far above it.

    None costs a synapse, and lower rates save operations. A mean rate that is out of reach is left
    as it is, which the history notes.
    """
    gain, share, ceiling = (float(settings[name]) for name in ("gain", "rate", "ceiling"))
    measure = source.measure
    if gain != 1:
        network = network.with_weights(network.W * gain, operation="gain", value=gain)
    if share == 0 and ceiling == 0:
        return network
    assert measure is not None  # `Source.check` has asked for its rates

    def rate(candidate: Network) -> float:
        return float(np.mean(measure.rates(candidate)))

    former = rate(original)
    if share:
        network = _at_rate(network, share * former, rate)
    return lower_rates(network, ceiling * former, measure.rates) if ceiling else network


def _at_rate(network: Network, wanted_hz: float, rate: Rate) -> Network:
    try:
        return match_rate(network, wanted_hz, rate).network
    except InputError as error:
        if error.argument != "wanted_hz":
            raise
        note = {"operation": "rate match", "reached": False, "rate_hz": rate(network)}
        return replace(network, history=(*network.history, note))
