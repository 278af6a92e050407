"""The pruning rules that the studies compare: a method of the package with all its settings, named.

No name holds a comma: names are given in comma-separated lists. A rule is applied by `apply_rule`,
to any number of neurons and synapses that it can meet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.pruning import LNP

if TYPE_CHECKING:
    from hrsnn_brian.measurements import Measurements
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.tasks.task import Task

# whether a rule is compared where all neurons stay, where some leave, or in both cases
STAY, LEAVE, BOTH = "stay", "leave", "both"


@dataclass(frozen=True)
class Rule:
    """A method of `hrsnn list methods` with rounds (of lnp: iterations), compensation and options.

    compensation None is the method's own. neurons: where the rule is compared, see `STAY`; rules
    that choose no neurons let them leave by lot. of_task: it looks at the task, so that every task
    gets a network of its own. variant: of lnp.
    """

    method: str
    rounds: int = 1
    compensation: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    neurons: str = STAY
    of_task: bool = False
    variant: str = "default"


_TOP, _SAMPLED = {"selection": "top"}, {"selection": "fixed"}
_ORIGINAL = {"base": "original"}
_IN_CLASS = {"within": "class"}

RULES: dict[str, Rule] = {
    "random raw": Rule("random", 1, "none"),
    "random variance": Rule("random", 1, "variance", neurons=BOTH),
    "magnitude raw": Rule("magnitude", 1, "none"),
    "magnitude row .5": Rule("magnitude", 1, "row 0.5"),
    "magnitude row .5 (8 rounds)": Rule("magnitude", 8, "row 0.5"),
    "magnitude row .5 once (8 rounds)": Rule("magnitude", 8, "row 0.5", _ORIGINAL),
    "magnitude variance (8 rounds)": Rule("magnitude", 8, "variance", neurons=BOTH),
    "magnitude in class raw": Rule("magnitude", 1, "none", _IN_CLASS),
    "magnitude in class variance (8 rounds)": Rule("magnitude", 8, "variance", _IN_CLASS),
    "sampling by |w| row .5 (8 rounds)": Rule("magnitude", 8, "row 0.5", _SAMPLED),
    "sampling by |w| variance (8 rounds)": Rule("magnitude", 8, "variance", _SAMPLED),
    "noise literal": Rule("noise", 1, "literal"),
    "noise row .5 (8 rounds)": Rule("noise", 8, "row 0.5"),
    "noise top variance (8 rounds)": Rule("noise", 8, "variance", _TOP, BOTH),
    "noise shuffled top variance (8 rounds)": Rule("noise-shuffled", 8, "variance", _TOP),
    "class rewired noise top variance (8 rounds)": Rule("class-rewired", 8, "variance", _TOP),
    "frugal": Rule("frugal", 8, neurons=BOTH),
    "frugal root F": Rule("frugal", 8, options={"power": "0.5", "gain": "2"}, neurons=BOTH),
    "thrifty": Rule("thrifty", 8, neurons=BOTH),
    "fresh": Rule("fresh", neurons=BOTH),
    "lnp": Rule(LNP, 8, neurons=LEAVE),
    "lnp literal": Rule(LNP, 8, neurons=LEAVE, variant="literal"),
    "lnp revised": Rule(LNP, 8, neurons=LEAVE, variant="revised"),
    "activity": Rule("activity", 8, "variance", neurons=LEAVE, of_task=True),
    "activity random synapses": Rule(
        "activity", 8, "variance", {"importance": "random"}, LEAVE, of_task=True
    ),
    "random neurons": Rule("random-neurons", 8, "variance", neurons=LEAVE),
    "lottery": Rule("lottery", 8, "variance", neurons=LEAVE, of_task=True),
}


def get_rule(name: str) -> Rule:
    """The rule of that name. Raises InputError, naming the nearest, if there is none."""
    if name not in RULES:
        raise unknown_name("rule", name, RULES)
    return RULES[name]


def compared_at(rule: Rule, fraction: float) -> bool:
    """Whether a rule is compared where that fraction of the neurons stays."""
    return rule.neurons in ((STAY, BOTH) if fraction == 1 else (LEAVE, BOTH))


def check_installed(names: Iterable[str]) -> None:
    """Raises InputError if a rule of that name needs a package that is not installed."""
    from hrsnn_brian.pruning.options import lnp_options

    for rule in (RULES[name] for name in names):
        if rule.method == LNP:
            lnp_options(rule.variant, rule.options).check_installed()


def apply_rule(
    network: "Network",
    rule: Rule,
    *,
    measure: "Measurements",
    synapses: int,
    neurons: int | None = None,
    task: "Task | None" = None,
) -> tuple["Network", str]:
    """The network pruned to that size, and a note: empty, or why the size was not reached.

    measure: what the rule may ask of the network; its seed is that of all random choices. Only
    lnp may end early, with the last stable network.
    Raises InputError as `prune` and `lnp` do.
    """
    from hrsnn_brian.pruning.methods import prune
    from hrsnn_brian.pruning.options import lnp_options
    from hrsnn_brian.pruning.pipeline import lnp

    if rule.method == LNP:
        chosen = dict(rule.options)
        if rule.compensation is not None:
            chosen["compensation"] = rule.compensation
        found = lnp(
            network,
            seed=measure.seed,
            neurons=neurons,
            synapses=synapses,
            iterations=rule.rounds,
            options=lnp_options(rule.variant, chosen),
            measure=measure,
        )
        return found.network, found.stopped or ""
    if rule.of_task and task is None:
        raise InputError("task", None, f"method {rule.method!r} prunes for a task")
    pruned = prune(
        network,
        rule.method,
        synapses,
        measure.seed,
        rounds=rule.rounds,
        compensation=rule.compensation,
        options=rule.options,
        neurons=neurons,
        measure=measure,
        task=task,
    )
    return pruned, ""
