"""The pruning methods by name: what each is made of, its source, its cost and its options.

Most rank the synapses by an importance, choose survivors and compensate; they differ in the
importance, in who leaves when neurons leave, and in the defaults. Two are made at once, without
ranking (`build`): a fresh network and the control without recurrence.
"""

from dataclasses import replace

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.pruning import LNP, ingredients, rivals, scores
from hrsnn_brian.pruning.method import Method, number, one_of
from hrsnn_brian.pruning.synapses import BASES

_SELECTIONS = {
    "fixed": "exactly the budget, sampled",
    "independent": "the budget on average",
    "top": "the largest importances",
}
_SAMPLED, _TOP = one_of("fixed", _SELECTIONS), one_of("top", _SELECTIONS)
_LOTS = one_of("fixed", {k: v for k, v in _SELECTIONS.items() if k != "top"})
_BASE = one_of("carried", BASES)
_FACTOR = one_of("difference", scores.FACTORS)
_WITHIN, _WITHIN_NEURON = (one_of(k, ingredients.WITHIN) for k in ("all", "neuron"))
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
_NOISE_OPTIONS = {
    "selection": _SAMPLED,
    "within": _WITHIN,
    "base": _BASE,
    "factor": _FACTOR,
}
_FRUGAL_OPTIONS = {
    "selection": _TOP,
    "proportional": _PROPORTIONAL,
    "within": _WITHIN_NEURON,
    "base": _BASE,
    "factor": one_of("sum", scores.FACTORS),
    "power": number("1", 0, 2, "|w| and F count with this power of F"),
    "price": number("0.35", 0, 2, "0: importance alone; 1: importance per operation"),
    "gain": number("1.5", 0.1, 10, "factor on all weights after the last round"),
    "rate": number("1", 0, 10, "mean rate to restore, of the former; 0: leave it"),
    "ceiling": number("0", 0, 100, "largest rate, of the former mean; 0: none"),
}
_THRIFTY_OPTIONS = _FRUGAL_OPTIONS | {
    name: replace(_FRUGAL_OPTIONS[name], default=value)
    for name, value in (("power", "0.5"), ("gain", "2.5"), ("ceiling", "1.3"))
}
_NOISE_COST = "per round one covariance (simulated, or linear: 25 N^3) and a pass over synapses"
_NEURON_OPTIONS = {
    "importance": _BY,
    "proportional": _PROPORTIONAL,
    "selection": _TOP,
    "base": _BASE,
}
_FRUGAL = Method(
    name="frugal",
    description="every neuron keeps the inputs that pass on most for the spikes they cost, "
    "|w| (C_ii + C_jj) / r_j^0.35; neurons of lowest rate under noise leave; at last "
    "weights times 1.5, biases restore the mean rate",
    source="our choice, found by the study 'improve' on development seeds",
    cost="per round one covariance and one run for the rates; some twenty for the last",
    function=ingredients.by_noise_per_operation,
    compensation="variance",
    options=_FRUGAL_OPTIONS,
    needs=("covariance", "rates"),
    neurons="rates",
    finish=ingredients.turned_up,
)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="random",
            description="synapses leave at random, all with the same chance",
            source="null model; variance-preserving [our choice], 'none' for the raw rival",
            cost="one pass over the synapses",
            function=ingredients.by_lot,
            compensation="variance",
            options={"selection": _LOTS, "base": _BASE},
        ),
        Method(
            name="magnitude",
            description="the synapses of largest |w| stay; selection=fixed samples by |w| instead, "
            "within=class keeps the share of E and I",
            source="magnitude pruning (Han et al. 2015); row 0.5 [our choice], 'none' for raw",
            cost="one pass over the synapses per round",
            function=ingredients.by_magnitude,
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
            function=ingredients.by_noise,
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
            function=ingredients.by_magnitude_or_lot,
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
            function=ingredients.by_magnitude_or_lot,
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
            function=ingredients.by_readout,
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
            function=ingredients.by_shuffled_noise,
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
            function=ingredients.by_noise,
            compensation="row 0.5",
            options=_NOISE_OPTIONS,
            needs=("covariance",),
            finish=ingredients.rewired,
        ),
        _FRUGAL,
        replace(
            _FRUGAL,
            name="thrifty",
            description="as frugal, with the root of C_ii + C_jj and weights times 2.5; at last "
            "lower biases hold every neuron's rate below 1.3 times the former mean",
            cost="as frugal, and up to nine runs for the ceiling",
            options=_THRIFTY_OPTIONS,
        ),
        Method(
            name="fresh",
            description="a new random network of that size, drawn from the same parameters",
            source="null model: is pruning better than building small? [our choice]",
            cost="drawing a network",
            build=ingredients.fresh,
            options={"scale": one_of("in-degree", rivals.SCALES)},
        ),
        Method(
            name="no-recurrence",
            description="the control J = 0: neurons leave by lot and no synapse stays, whatever "
            "the budget",
            source="control [our choice]",
            cost="none",
            build=ingredients.no_recurrence,
        ),
    )
}
ALIASES = {alias: method.name for method in METHODS.values() for alias in method.aliases}


def get_method(name: str) -> Method:
    """The method of that name or alias.

    Raises InputError if there is none, naming the nearest; "lnp" is no method of this kind.
    """
    if name == LNP:
        raise InputError("method", name, "is a loop of its own: call hrsnn_brian.lnp")
    if name not in METHODS and name not in ALIASES:
        raise unknown_name("method", name, [*METHODS, *ALIASES, LNP])
    return METHODS[ALIASES.get(name, name)]


def list_methods() -> dict[str, str]:
    """Name -> one-line description, source and cost."""
    return {
        m.name: f"{m.description} [{m.source}; cost: {m.cost}]"
        + "".join(f" (also: {alias})" for alias in m.aliases)
        for m in METHODS.values()
    }
