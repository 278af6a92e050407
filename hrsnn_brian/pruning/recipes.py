"""The registry: every pruning recipe by name, Lyapunov Noise Pruning and all it is compared with.

Most are made from another one by `changed`. A rival is one file's worth of one entry here.
"""

from collections.abc import Iterable
from dataclasses import replace

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.pruning.echo_gain import ECHO, EchoGain
from hrsnn_brian.pruning.iteration import OF_TASK
from hrsnn_brian.pruning.keep_neurons import KeepNeurons
from hrsnn_brian.pruning.keep_synapses import KeepSynapses
from hrsnn_brian.pruning.lnp import CAPPED, ECHO_GAIN, ECHOED, LITERAL, LNP, REVISED
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.rivals import DrawAnew, DropRecurrence, Rewire, TrainFirst

# Neurons leave at once and by lot, where a recipe does not choose them.
_BY_LOT = (KeepNeurons(rule="random"),)
_NOISE_COST = "per round one covariance (simulated, or linear: 25 N^3) and a pass over synapses"

RANDOM = Recipe(
    name="random",
    description="synapses leave at random, all with the same chance; sums of squares are restored",
    source="null model; the compensation is our choice",
    cost="one pass over the synapses",
    family="random",
    start=_BY_LOT,
    steps=(KeepSynapses(score="uniform", factor="none", compensation="variance"),),
)
MAGNITUDE = Recipe(
    name="magnitude",
    description="the synapses of largest |w| stay; selection=fixed samples by |w| instead, "
    "within=class keeps the share of E and I",
    source="magnitude pruning (Han et al. 2015); row 0.5 is our choice",
    cost="one pass over the synapses per round",
    family="magnitude",
    start=_BY_LOT,
    steps=(KeepSynapses(score="magnitude", factor="none", selection="top"),),
)
NOISE = Recipe(
    name="noise",
    description="synapses stay with p ~ |w| (C_ii + C_jj - 2 sgn(w) C_ij), C the covariance under "
    "white-noise drive",
    source="Moore & Chaudhuri 2020 (LNP step 1 with score |w|); row 0.5 is our choice",
    cost=_NOISE_COST,
    family="noise",
    start=_BY_LOT,
    steps=(KeepSynapses(score="magnitude"),),
)
SHUFFLED = Recipe(
    name="noise-shuffled",
    description="as noise, with the covariance of other neurons: C shuffled across neurons",
    source="control of noise [our choice]",
    cost=_NOISE_COST,
    family="noise-shuffled",
    start=_BY_LOT,
    steps=(KeepSynapses(score="magnitude", shuffle="all"),),
)
REWIRED = Recipe(
    name="class-rewired",
    description="as noise, then every synapse gets a new source of its class; in-degrees and "
    "weights of every neuron stay",
    source="control of noise: composition and weights without the choice [our choice]",
    cost=_NOISE_COST,
    family="class-rewired",
    start=_BY_LOT,
    steps=NOISE.steps,
    finish=(Rewire(), EchoGain()),
)
FRUGAL = Recipe(
    name="frugal",
    description="every neuron keeps the inputs that pass on most for the spikes they cost, "
    "|w| (C_ii + C_jj) / r_j^0.35; neurons of lowest rate under noise leave; at last weights "
    "times 1.5, biases restore the mean rate",
    source="our choice, found by the study 'improve' on development seeds",
    cost="per round one covariance and one run for the rates; some twenty for the last",
    family="frugal",
    rounds=8,
    steps=(
        KeepNeurons(rule="activity"),
        KeepSynapses(
            score="magnitude",
            factor="sum",
            price=0.35,
            within="neuron",
            selection="top",
            compensation="variance",
        ),
    ),
    finish=(EchoGain(rule=1.5),),
)
THRIFTY = FRUGAL.changed(
    name="thrifty",
    description="as frugal, with the root of C_ii + C_jj and weights times 2.5; at last lower "
    "biases hold every neuron's rate below 1.3 times the former mean",
    cost="as frugal, and up to nine runs for the ceiling",
    power=0.5,
    gain=2.5,
    ceiling=1.3,
)
_KEEP_LARGEST = KeepSynapses(
    score="magnitude", factor="none", selection="top", compensation="variance"
)
ACTIVITY = Recipe(
    name="activity",
    description="in every round the neurons of lowest rate on the task leave, then the synapses "
    "of smallest |w|",
    source="activity pruning, the paper's rival [paper]; synapses as 'magnitude' [our choice]",
    cost="per round one run of the task",
    family="activity",
    rounds=8,
    fewer_neurons=True,
    steps=(KeepNeurons(rule="task activity"), _KEEP_LARGEST),
)
ACTIVITY_STDP = replace(
    ACTIVITY,
    name="activity stdp",
    description="as activity, of a network whose recurrent synapses were first trained by STDP on "
    "the training input of the task",
    cost="as activity, and the training",
    start=(TrainFirst(),),
)
RANDOM_NEURONS = Recipe(
    name="random neurons",
    description="in every round neurons leave by lot, then the synapses of smallest |w|",
    source="null model of 'activity', from which it differs in the neurons alone",
    cost="one pass over the synapses per round",
    family="random-neurons",
    rounds=8,
    fewer_neurons=True,
    steps=(KeepNeurons(rule="random"), _KEEP_LARGEST),
)
LOTTERY = Recipe(
    name="lottery",
    description="in every round the readout is trained anew; the neurons it uses least leave, and "
    "the synapses of smallest |w| times the readout's weight on their target",
    source="iterative magnitude pruning with retraining (Frankle & Carbin 2019), for a network of "
    "which the readout alone is trained [our choice]",
    cost="per round one run of the task and one training of the readout",
    family="lottery",
    rounds=8,
    steps=(
        KeepNeurons(rule="readout"),
        KeepSynapses(score="readout", factor="none", selection="top", compensation="variance"),
    ),
)
FRESH = Recipe(
    name="fresh",
    description="a new random network of that size, drawn from the same parameters",
    source="null model: is pruning better than building small? [our choice]",
    cost="drawing a network",
    family="fresh",
    finish=(DrawAnew(), EchoGain()),
)
NO_RECURRENCE = Recipe(
    name="no recurrence",
    description="the control J = 0: neurons leave by lot and no synapse stays, whatever the budget",
    source="control [our choice]",
    cost="none",
    family="no-recurrence",
    finish=(DropRecurrence(), EchoGain()),
)


def echoed(recipe: Recipe, name: str = "") -> Recipe:
    """The twin of a recipe that ends at the echo gain, called "<name> echo" unless named."""
    return recipe.changed(
        name=name or f"{recipe.name} {ECHO}",
        description=f"{recipe.description}; at last the gain that restores the input echo",
        source=f"{recipe.source}; the echo gain is our choice",
        cost=f"{recipe.cost}; up to 5 input echoes, each after some ten runs for the rates",
        gain=ECHO,
    )


# Variants that studies compare, under names of their own.
_TOP = {"selection": "top", "compensation": "variance", "rounds": 8}
_COMPARED = {
    "random raw": RANDOM.changed(compensation="none"),
    "random variance": RANDOM,
    "magnitude raw": MAGNITUDE.changed(compensation="none"),
    "magnitude row .5": MAGNITUDE,
    "magnitude row .5 (8 rounds)": MAGNITUDE.changed(rounds=8),
    "magnitude row .5 once (8 rounds)": MAGNITUDE.changed(rounds=8, base="original"),
    "magnitude variance (8 rounds)": MAGNITUDE.changed(**_TOP),
    "magnitude in class raw": MAGNITUDE.changed(compensation="none", within="class"),
    "magnitude in class variance (8 rounds)": MAGNITUDE.changed(**_TOP, within="class"),
    "sampling by |w| row .5 (8 rounds)": MAGNITUDE.changed(rounds=8, selection="fixed"),
    "sampling by |w| variance (8 rounds)": MAGNITUDE.changed(**_TOP | {"selection": "fixed"}),
    "noise literal": NOISE.changed(compensation="literal"),
    "noise row .5 (8 rounds)": NOISE.changed(rounds=8),
    "noise top variance (8 rounds)": NOISE.changed(**_TOP),
    "noise shuffled top variance (8 rounds)": SHUFFLED.changed(**_TOP),
    "class rewired noise top variance (8 rounds)": REWIRED.changed(**_TOP),
    "frugal root F": FRUGAL.changed(power=0.5, gain=2.0),
    "activity random synapses": ACTIVITY.changed(score="uniform"),
    "random gain 2": RANDOM.changed(gain=2.0),
}
# The controls of the echo gain: survivors by every rule, the gain by the echo.
_ECHOED = (
    echoed(RANDOM),
    echoed(_COMPARED["magnitude row .5 once (8 rounds)"], "magnitude echo"),
    *map(echoed, (FRUGAL, THRIFTY, ACTIVITY, LOTTERY)),
)
_OWN = (
    *(
        LNP,
        LITERAL,
        CAPPED,
        REVISED,
        ECHOED,
        ECHO_GAIN,
        FRUGAL,
        THRIFTY,
        RANDOM,
        MAGNITUDE,
        NOISE,
        ACTIVITY,
    ),
    *(ACTIVITY_STDP, RANDOM_NEURONS, LOTTERY, SHUFFLED, REWIRED, FRESH, NO_RECURRENCE),
)
RECIPES = {
    **{recipe.name: recipe for recipe in _OWN},
    **{name: recipe.changed(name=name) for name, recipe in _COMPARED.items()},
    **{recipe.name: recipe for recipe in _ECHOED},
}
ALIASES = {
    "moore-chaudhuri": "noise",
    "random-neurons": "random neurons",
    "no-recurrence": "no recurrence",
}


def get_recipe(recipe: str | Recipe) -> Recipe:
    """The recipe of that name or alias, or the recipe itself.

    Raises InputError if there is none, naming the nearest.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES and recipe not in ALIASES:
        raise unknown_name("recipe", recipe, [*RECIPES, *ALIASES])
    return RECIPES[ALIASES.get(recipe, recipe)]


def list_recipes(names: Iterable[str] = tuple(RECIPES)) -> dict[str, str]:
    """Name -> one-line description, source and cost."""
    also = dict.fromkeys(RECIPES, "")
    for alias, name in ALIASES.items():
        also[name] += f" (also: {alias})"
    return {
        name: f"{r.description} [{r.source}; {r.rounds} rounds; cost: {r.cost}]{also[name]}"
        for name, r in ((name, RECIPES[name]) for name in names)
    }


def prunes_for_a_task(recipe: Recipe) -> bool:
    """Whether the recipe looks at a task, so that every task has a pruned network of its own."""
    return any(need in OF_TASK for need in recipe.needs)
