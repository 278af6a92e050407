"""The pruning methods by name: what each is made of, its source, its cost and its options.

Most rank the synapses by an importance, choose survivors and compensate; they differ in the
importance, in who leaves when neurons leave, and in the defaults. Two are made at once, without
ranking (`build`): a fresh network and the control without recurrence.
"""

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.sparsification import rivals, scores
from hrsnn_brian.sparsification.evidence import Facts, Floats
from hrsnn_brian.sparsification.method import Method, Settings, one_of
from hrsnn_brian.sparsification.synapses import BASES

_SELECTIONS = {
    "fixed": "exactly the budget, sampled",
    "independent": "the budget on average",
    "top": "the largest importances",
}
_SAMPLED, _TOP = one_of("fixed", _SELECTIONS), one_of("top", _SELECTIONS)
_LOTS = one_of("fixed", {k: v for k, v in _SELECTIONS.items() if k != "top"})
_BASE = one_of("carried", BASES)
_FACTOR = one_of("difference", scores.FACTORS)
_WITHIN = one_of(
    "all",
    {
        "all": "all synapses compete",
        "class": "E and I synapses compete apart, each keeps its share",
    },
)
_BY = one_of(
    "magnitude",
    {"magnitude": "synapses of largest |w| stay", "random": "synapses leave by lot"},
)
_PROPORTIONAL = one_of(
    "yes", {"yes": "E and I neurons stay in proportion", "no": "all neurons compete"}
)
_SHUFFLE = one_of(
    "all", {"all": "names exchanged among all neurons", "class": "within E and within I"}
)
_NOISE_OPTIONS = {"selection": _SAMPLED, "base": _BASE, "factor": _FACTOR}
_NOISE_COST = "per round one covariance (simulated, or linear: 25 N^3) and a pass over synapses"
_NEURON_OPTIONS = {
    "importance": _BY,
    "proportional": _PROPORTIONAL,
    "selection": _TOP,
    "base": _BASE,
}


def _random(network: Network, _facts: Facts, _settings: Settings, _seed: int) -> Floats:
    return scores.uniform(network.W)


def _magnitude(network: Network, _facts: Facts, settings: Settings, seed: int) -> Floats:
    return _competing(scores.magnitude(network.W), network, settings, seed)


def _either(network: Network, _facts: Facts, settings: Settings, _seed: int) -> Floats:
    by_size = settings["importance"] == "magnitude"
    return scores.magnitude(network.W) if by_size else scores.uniform(network.W)


def _lottery(network: Network, facts: Facts, settings: Settings, seed: int) -> Floats:
    q = rivals.readout_importance(network.W, facts["readout_weight"])
    return _competing(q, network, settings, seed)


def _noise(network: Network, facts: Facts, settings: Settings, _seed: int) -> Floats:
    return scores.noise(network.W, facts["covariance"], factor=settings["factor"])


def _noise_shuffled(network: Network, facts: Facts, settings: Settings, seed: int) -> Floats:
    """The exchange of names is that of the seed: the same in all rounds, so it never averages."""
    C = facts["covariance"]
    scores.covariance_factor(network.W, C)  # refuses what is no covariance of this network
    groups = network.is_e if settings["shuffle"] == "class" else None
    shuffled = rivals.shuffled_covariance(C, rng(seed, "prune", "shuffle"), groups)
    return scores.noise(network.W, shuffled, factor=settings["factor"])


def _competing(q: Floats, network: Network, settings: Settings, seed: int) -> Floats:
    if settings["within"] == "all":
        return q
    lots = rng(seed, "prune", "within class", network.n_synapses)
    return rivals.within_class(q, network.W.data > 0, settings["selection"], lots)


def _fresh(network: Network, neurons: int, synapses: int, seed: int, settings: Settings) -> Network:
    return rivals.fresh_network(network, neurons, synapses, seed, settings["scale"])


def _no_recurrence(
    network: Network, neurons: int, _synapses: int, seed: int, _settings: Settings
) -> Network:
    return rivals.without_recurrence(network, neurons, seed)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="random",
            description="synapses leave at random, all with the same chance",
            source="null model; variance-preserving [our choice], 'none' for the raw rival",
            cost="one pass over the synapses",
            function=_random,
            compensation="variance",
            options={"selection": _LOTS, "base": _BASE},
        ),
        Method(
            name="magnitude",
            description="the synapses of largest |w| stay; selection=fixed samples by |w| instead, "
            "within=class keeps the share of E and I",
            source="magnitude pruning (Han et al. 2015); row 0.5 [our choice], 'none' for raw",
            cost="one pass over the synapses per round",
            function=_magnitude,
            compensation="row 0.5",
            options={"selection": _TOP, "within": _WITHIN, "base": _BASE},
        ),
        Method(
            name="noise",
            description="synapses stay with p ~ |w| (C_ii + C_jj - 2 sgn(w) C_ij), C the "
            "covariance under white-noise drive",
            source="Moore & Chaudhuri 2020 (LNP step 1 with score |w|); row 0.5 [our choice], "
            "'literal' for w/p",
            cost=_NOISE_COST,
            function=_noise,
            compensation="row 0.5",
            options=_NOISE_OPTIONS,
            needs=("covariance",),
            aliases=("moore-chaudhuri",),
        ),
        Method(
            name="activity",
            description="in every round the neurons of lowest rate on the task leave, then the "
            "synapses of smallest |w|",
            source="activity pruning, the paper's rival [paper]; synapses as 'magnitude' "
            "[our choice]",
            cost="per round one run of the task",
            function=_either,
            compensation="row 0.5",
            options=_NEURON_OPTIONS,
            needs=("task_rates",),
            neurons="task_rates",
            chooses_neurons=True,
        ),
        Method(
            name="random-neurons",
            description="in every round neurons leave by lot, then the synapses of smallest |w|",
            source="null model of 'activity', from which it differs in the neurons alone",
            cost="one pass over the synapses per round",
            function=_either,
            compensation="row 0.5",
            options=_NEURON_OPTIONS,
            neurons="random",
            chooses_neurons=True,
        ),
        Method(
            name="lottery",
            description="in every round the readout is trained anew; the neurons it uses least "
            "leave, and the synapses of smallest |w| times the readout's weight on their target",
            source="iterative magnitude pruning with retraining (Frankle & Carbin 2019), for a "
            "network of which the readout alone is trained [our choice]",
            cost="per round one run of the task and one training of the readout",
            function=_lottery,
            compensation="row 0.5",
            options={
                "selection": _TOP,
                "within": _WITHIN,
                "proportional": _PROPORTIONAL,
                "base": _BASE,
            },
            needs=("readout_weight",),
            neurons="readout_weight",
        ),
        Method(
            name="noise-shuffled",
            description="as noise, with the covariance of other neurons: C shuffled across neurons",
            source="control of noise [our choice]",
            cost=_NOISE_COST,
            function=_noise_shuffled,
            compensation="row 0.5",
            options={**_NOISE_OPTIONS, "shuffle": _SHUFFLE},
            needs=("covariance",),
        ),
        Method(
            name="class-rewired",
            description="as noise, then every synapse gets a new source of its class; in-degrees "
            "and weights of every neuron stay",
            source="control of noise: composition and weights without the choice [our choice]",
            cost=_NOISE_COST,
            function=_noise,
            compensation="row 0.5",
            options=_NOISE_OPTIONS,
            needs=("covariance",),
            finish=rivals.rewire_within_class,
        ),
        Method(
            name="fresh",
            description="a new random network of that size, drawn from the same parameters",
            source="null model: is pruning better than building small? [our choice]",
            cost="drawing a network",
            build=_fresh,
            options={"scale": one_of("in-degree", rivals.SCALES)},
        ),
        Method(
            name="no-recurrence",
            description="the control J = 0: neurons leave by lot and no synapse stays, whatever "
            "the budget",
            source="control [our choice]",
            cost="none",
            build=_no_recurrence,
        ),
    )
}
ALIASES = {alias: method.name for method in METHODS.values() for alias in method.aliases}


def get_method(name: str) -> Method:
    """The method of that name or alias. Raises InputError, naming the nearest, if there is none."""
    if name not in METHODS and name not in ALIASES:
        raise unknown_name("method", name, [*METHODS, *ALIASES])
    return METHODS[ALIASES.get(name, name)]


def list_methods() -> dict[str, str]:
    """Name -> one-line description, source and cost."""
    return {
        m.name: f"{m.description} [{m.source}; cost: {m.cost}]"
        + "".join(f" (also: {alias})" for alias in m.aliases)
        for m in METHODS.values()
    }
