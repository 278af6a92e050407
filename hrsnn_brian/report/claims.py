"""The claims of the paper's abstract, in our words, and what each asks of a table.

Only the sentences of the abstract are the paper's; sizes, rivals, pairing and the meaning of "no
worse" are our choice. A grade in `source` says which part is whose.
"""

from dataclasses import dataclass

from hrsnn_brian.files.columns import FULL, NO_RECURRENCE

SCORE = "score"
"""Stands for the primary score of a task, which the schema of the table names."""
OPERATIONS = "synaptic_ops_per_s"

BARE = NO_RECURRENCE
REFERENCES = (FULL, BARE)
"""Networks that have one size only; every size of the method is compared with it."""
ACTIVITY = "activity"
PRUNED_FOR_A_TASK = (ACTIVITY, "lottery")


@dataclass(frozen=True)
class Demand:
    """The method against each rival by one measure, on the same seeds, task, size and readout.

    rivals: names of recipes or networks, with * for any text; the method is never its own rival.
    measure: SCORE, or a column of cost, of which less is better.
    at_least: no worse is enough: the confidence interval of the difference ends before the margin
        of non-inferiority (`judge.Settings`). Else the method must be better.
    """

    rivals: tuple[str, ...]
    measure: str = SCORE
    at_least: bool = False


@dataclass(frozen=True)
class Claim:
    """A claim, and all it demands of one cell: a task at one size, raw or rate-matched.

    table: the table it is judged on, `tables/<table>.csv`, written by the study of that name.
    fewer_neurons: only sizes with fewer neurons than the original speak for or against it.
    one_network: it is about one network per seed put to several tasks, judged together.
    about: the recipes it can be about, with * for any text.
    needs: what would have to be measured, for a claim no table speaks of; it has no demands.
    """

    name: str
    text: str
    source: str
    demands: tuple[Demand, ...] = ()
    table: str = "pruning_methods"
    fewer_neurons: bool = False
    one_network: bool = False
    about: tuple[str, ...] = ("*",)
    needs: str = ""


CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="better-than-dense",
        text="With fewer neurons and synapses, the sparse network predicts better than the dense "
        "one it was pruned from.",
        source="[choice] the strong reading of 'sparse without loss of performance'",
        demands=(Demand((FULL,)),),
        fewer_neurons=True,
    ),
    Claim(
        name="no-worse-than-dense",
        text="With fewer neurons and synapses, the sparse network predicts no worse than the dense "
        "one it was pruned from.",
        source="[choice] the weak reading of 'sparse without loss of performance'",
        demands=(Demand((FULL,), at_least=True),),
        fewer_neurons=True,
    ),
    Claim(
        name="better-than-activity",
        text="At equal neurons and synapses, it predicts better than a network trained for the "
        "task and pruned by activity.",
        source="[paper] abstract; equal sizes are our [choice]",
        demands=(Demand((ACTIVITY,)),),
    ),
    Claim(
        name="task-agnostic",
        text="One sparse network per seed, pruned without a task, predicts better than activity "
        "pruning on every task it is put to.",
        source="[paper] abstract; at least two tasks of prediction are our [choice]",
        demands=(Demand((ACTIVITY,)),),
        one_network=True,
    ),
    Claim(
        name="better-than-simple-rules",
        text="At equal neurons and synapses, it predicts better than random removal, removal by "
        "magnitude and a fresh random network.",
        source="[review] what the reviewers asked for; the rivals are our [choice]",
        demands=(Demand(("random*",)), Demand(("magnitude*", "sampling*")), Demand(("fresh",))),
    ),
    Claim(
        name="cheaper-than-activity",
        text="It needs fewer synaptic operations per second than activity pruning at equal neurons "
        "and synapses, and predicts no worse.",
        source="[paper] abstract, 'computational efficiency'; operations, not synapses: [review]",
        demands=(Demand((ACTIVITY,), OPERATIONS), Demand((ACTIVITY,), at_least=True)),
    ),
    Claim(
        name="cheaper-than-dense",
        text="It needs fewer synaptic operations per second than the dense network it was pruned "
        "from, and predicts no worse.",
        source="[review] operations, not synapses",
        demands=(Demand((FULL,), OPERATIONS), Demand((FULL,), at_least=True)),
    ),
    Claim(
        name="exponents",
        text="With Lyapunov exponents, pruning predicts better than by noise covariance without "
        "them. (The whole method is compared; an ablation isolates the exponents.)",
        source="[paper] abstract names exponents as an ingredient; the comparison is [review]",
        demands=(Demand(("noise literal", "noise row*", "noise top*")),),
        about=("lnp", "lnp literal"),
    ),
    Claim(
        name="stable",
        text="Exponents make the sparse network stable.",
        source="[paper] abstract",
        needs="exponents of pruned networks beside random ones of equal size (study dynamics)",
    ),
    Claim(
        name="heterogeneity",
        text="Diversity of neuronal timescales helps: a heterogeneous network prunes better than a "
        "homogeneous one.",
        source="[paper] abstract",
        needs="the same recipes on networks with equal membranes, at matched rate (of unpruned "
        "networks the study heterogeneity says it)",
    ),
    Claim(
        name="images",
        text="The same sparse network can be trained to classify images.",
        source="[paper] abstract; CIFAR-10 and CIFAR-100",
        needs="no comparison; the studies transfer and classification_table show accuracies",
    ),
    Claim(
        name="clusters",
        text="Clusters with timescales of their own (CHRSNN) do better than one population.",
        source="[paper] text",
        needs="the same recipes on networks of preset chrsnn beside one cluster, at matched rate "
        "(of unpruned networks the study heterogeneity says it)",
    ),
)
