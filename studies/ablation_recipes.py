"""The variants of the ablation: named changes of the default options of `lnp`, in three groups.

left out   A step decides nothing. Where the step meets a budget its criterion gives way to chance:
           synapses are drawn with equal chances (score uniform, factor none), neurons leave by
           lot. Steps 3 and 4 are switched off. To switch off 1 or 2 would leave another size.
alone      The other three steps are left out, in that sense; "left out: all four" is the loop
           without any, to compare these with too.
exchanged  One ingredient is another, and the name says which option has which value. "one shot" is
           two iterations (neurons and synapses cannot fall in one), with one timescale search;
           "literal" is the paper to the letter, four options at once.
"""

from dataclasses import dataclass, field
from typing import Any

from hrsnn_brian.pruning.lnp import LNP, TO_THE_LETTER
from hrsnn_brian.pruning.recipe import Recipe

BASELINE = "baseline"
LEFT_OUT, ALONE, EXCHANGED = "left out", "alone", "exchanged"
NO_STEP = f"{LEFT_OUT}: all four"
# What leaves a step out while every size stays what it was.
STEPS: dict[str, dict[str, str]] = {
    "synapses": {"score": "uniform", "factor": "none"},
    "neurons": {"neurons": "random"},
    "delocalisation": {"delocalisation": "off"},
    "timescales": {"timescales": "off"},
}
# Values already among those that leave a step out are not repeated.
INGREDIENTS: dict[str, tuple[str, ...]] = {
    "score": ("magnitude", "product", "uniform"),
    "factor": ("sum", "none"),
    "covariance": ("linear",),
    "neighbourhood": ("union",),
    "selection": ("top",),
    "compensation": ("none", "row 1", "variance", "literal"),
    "base": ("original",),
    "former": ("all",),
    "rate_match": ("bias",),
    "neurons": ("activity",),
    "graph": ("magnitude",),
    "distance": ("class", "hops"),
    "proportional": ("off",),
    "delocalisation": ("random",),
    "timescales": ("sobol",),
    "objective": ("memory", "echo"),
    "mean": ("fixed",),
    "timescale_rate": ("off",),
    "grouping": ("all",),
}


@dataclass(frozen=True)
class Variant:
    """A change of the default options of `lnp`; iterations: None for those of the study."""

    group: str
    changes: dict[str, Any] = field(default_factory=dict)
    iterations: int | None = None

    def recipe(self, iterations: int) -> Recipe:
        """The recipe of the variant; iterations: those of the study."""
        return LNP.changed(rounds=self.iterations or iterations, **self.changes)


def _left_out(*steps: str) -> dict[str, Any]:
    return {option: value for step in steps for option, value in STEPS[step].items()}


VARIANTS: dict[str, Variant] = {
    BASELINE: Variant(BASELINE),
    **{f"{LEFT_OUT}: {step}": Variant(LEFT_OUT, _left_out(step)) for step in STEPS},
    NO_STEP: Variant(LEFT_OUT, _left_out(*STEPS)),
    **{
        f"{ALONE}: {step}": Variant(ALONE, _left_out(*(other for other in STEPS if other != step)))
        for step in STEPS
    },
    **{
        f"{option}: {value}": Variant(EXCHANGED, {option: value})
        for option, values in INGREDIENTS.items()
        for value in values
    },
    "one shot": Variant(EXCHANGED, {"timescale_every": 2}, iterations=2),
    "literal": Variant(EXCHANGED, dict(TO_THE_LETTER)),
}
# Enough for a first look: every step, and the ingredients that prototypes found to matter or not.
QUICK = (
    *(name for name, variant in VARIANTS.items() if variant.group != EXCHANGED),
    *(f"score: {value}" for value in ("magnitude", "product")),
    *(f"factor: {value}" for value in INGREDIENTS["factor"]),
    *(f"compensation: {value}" for value in INGREDIENTS["compensation"]),
    *("selection: top", "neurons: activity", "delocalisation: random", "objective: memory"),
    *("one shot", "literal"),
)
