"""Which recipes the studies compare where: all neurons staying, fewer of them, or both."""

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import get_recipe

# whether a recipe is compared where all neurons stay, where some leave, or in both cases
STAY, LEAVE, BOTH = "stay", "leave", "both"
COMPARED: dict[str, str] = {
    "random raw": STAY,
    "random variance": BOTH,
    "random gain 2": BOTH,
    "random echo": BOTH,
    "magnitude raw": STAY,
    "magnitude row .5": STAY,
    "magnitude row .5 (8 rounds)": STAY,
    "magnitude row .5 once (8 rounds)": BOTH,
    "magnitude echo": BOTH,
    "magnitude variance (8 rounds)": BOTH,
    "magnitude in class raw": STAY,
    "magnitude in class variance (8 rounds)": STAY,
    "sampling by |w| row .5 (8 rounds)": STAY,
    "sampling by |w| variance (8 rounds)": STAY,
    "noise literal": STAY,
    "noise row .5 (8 rounds)": STAY,
    "noise top variance (8 rounds)": BOTH,
    "noise shuffled top variance (8 rounds)": STAY,
    "class rewired noise top variance (8 rounds)": STAY,
    "frugal": BOTH,
    "frugal root F": BOTH,
    "frugal echo": BOTH,
    "thrifty": BOTH,
    "thrifty echo": BOTH,
    "fresh": BOTH,
    "lnp echo": BOTH,
    "lnp echo gain": BOTH,
    "lnp": LEAVE,
    "lnp literal": LEAVE,
    "lnp capped": LEAVE,
    "lnp revised": LEAVE,
    "activity": LEAVE,
    "activity echo": LEAVE,
    "activity stdp": LEAVE,
    "activity random synapses": LEAVE,
    "random neurons": LEAVE,
    "lottery": LEAVE,
    "lottery echo": LEAVE,
}
# Iterations of the variants of lnp in comparisons; the others take their own number.
LNP_ROUNDS = 8


def compared_recipe(name: str) -> Recipe:
    """The recipe of that name, as it is compared. Raises InputError if it is not among them."""
    if name not in COMPARED:
        raise unknown_name("recipe", name, COMPARED)
    recipe = get_recipe(name)
    return recipe.changed(rounds=LNP_ROUNDS) if recipe.family == "lnp" else recipe


def compared_at(name: str, fraction: float) -> bool:
    """Whether a recipe is compared where that fraction of the neurons stays."""
    return COMPARED[name] in ((STAY, BOTH) if fraction == 1 else (LEAVE, BOTH))
