"""The claims of the paper's abstract, in our words, and what each asks of a table.

Only the sentences of the abstract are the paper's; sizes, rivals, pairing and the meaning of "no
worse" are our choice. A grade in `source` says which part is whose.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from hrsnn_brian.files.columns import FULL, NO_RECURRENCE

SCORE = "score"
"""Stands for the primary score of a task, which the schema of the table names."""
OPERATIONS = "synaptic_ops_per_s"

BARE = NO_RECURRENCE
REFERENCES = (FULL, BARE)
"""Networks that have one size only; every size of the method is compared with it."""
ACTIVITY = "activity"
PRUNED_FOR_A_TASK = (ACTIVITY, "activity echo", "activity stdp", "lottery", "lottery echo")
ACCURACY = "accuracy"
GIVEN_A_GAIN = ("* echo", "* gain *")
# of networks under noise and under input: all are lower in what is more stable
LAMBDA, LAMBDA_COMMON = "lambda_1_per_s", "lambda_common_per_s"
GROWTH_COMMON, ECHO = "growth_common_per_s", "input_echo"


@dataclass(frozen=True)
class Demand:
    """The method against each rival by one measure, on the same seeds, task, size and readout.

    rivals: names of recipes or networks, with * for any text; the method is never its own rival.
    but: such names of which none is a rival.
    measure: SCORE, or another column, of which less is better.
    at_least: no worse is enough: the confidence interval of the difference ends before the margin
        of non-inferiority (`judge.Settings`). Else the method must be better.
    below: a bound in the place of rivals, which the measure must keep on every seed.
    """

    rivals: tuple[str, ...] = ()
    measure: str = SCORE
    at_least: bool = False
    but: tuple[str, ...] = ()
    below: float | None = None

    def names(self, known: Iterable[str], method: str) -> list[str]:
        """What the method is compared with, of the names that are known."""
        if self.below is not None:
            return [f"below {self.below:g}"]
        return [
            name
            for name in known
            if name != method and _fits(name, self.rivals) and not _fits(name, self.but)
        ]


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True)
class Claim:
    """A claim, and all it demands of one cell: a task at one size, raw or rate-matched.

    table: the table it is judged on, `tables/<table>.csv`, written by the study of that name.
    subject: the network it is about, if that is not the method.
    fewer_neurons: only sizes with fewer neurons than the original speak for or against it.
    one_network: it is about one network per seed put to several tasks, judged together; with
        `least`, better on so many of one more is enough, if it is the other way round on none.
    matched: its table holds networks at one rate only, so that no raw cell is asked for.
    scored_by: only tasks judged by that score speak for or against it.
    about: the recipes it can be about, with * for any text.
    """

    name: str
    text: str
    source: str
    demands: tuple[Demand, ...]
    table: str = "pruning_methods"
    subject: str = ""
    fewer_neurons: bool = False
    one_network: bool = False
    least: int = 0
    matched: bool = False
    scored_by: str = ""
    about: tuple[str, ...] = ("*",)


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
        name="never-worse-than-activity",
        text="At equal neurons and synapses, it predicts no worse than activity pruning anywhere.",
        source="[paper] abstract, read weakly; equal sizes are our [choice]",
        demands=(Demand((ACTIVITY,), at_least=True),),
    ),
    Claim(
        name="better-than-activity-after-stdp",
        text="At equal neurons and synapses, it predicts better than a network whose synapses were "
        "trained by STDP on the task and that was then pruned by activity.",
        source="[paper] abstract, 'trained dense models'; STDP as one way is our [choice]",
        demands=(Demand(("activity stdp",)),),
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
        name="better-on-two-of-three",
        text="One sparse network per seed predicts better than activity pruning on two of three "
        "tasks at least, and worse on none.",
        source="[choice] a weaker reading of the abstract; images are a task like another",
        demands=(Demand((ACTIVITY,)),),
        one_network=True,
        least=2,
    ),
    Claim(
        name="better-than-simple-rules",
        text="At equal neurons and synapses, it predicts better than random removal, removal by "
        "magnitude and a fresh random network.",
        source="[review] what the reviewers asked for; the rivals are our [choice]",
        demands=(
            Demand(("random*",), but=GIVEN_A_GAIN),
            Demand(("magnitude*", "sampling*"), but=GIVEN_A_GAIN),
            Demand(("fresh",)),
        ),
    ),
    Claim(
        name="more-than-the-gain",
        text="At equal neurons and synapses, it predicts better than survivors drawn by lot that "
        "have the echo gain, or one fixed gain.",
        source="[choice] what is left of a rule when the gain is taken for itself",
        demands=(Demand(("random echo",)), Demand(("random gain *",))),
    ),
    Claim(
        name="better-than-rivals-with-gain",
        text="At equal neurons and synapses, it predicts better than its rivals do with the echo "
        "gain: activity pruning, lottery tickets, magnitude.",
        source="[choice] every rival gets what helps",
        demands=(Demand(("activity echo", "lottery echo", "magnitude echo")),),
    ),
    Claim(
        name="cheaper-than-activity",
        text="It needs fewer synaptic operations per second than activity pruning at equal neurons "
        "and synapses, and predicts no worse.",
        source="[paper] abstract, 'computational efficiency'; operations, not synapses: [review]",
        demands=(Demand((ACTIVITY,), OPERATIONS), Demand((ACTIVITY,), at_least=True)),
    ),
    Claim(
        name="no-dearer-than-activity",
        text="It needs no more synaptic operations per second than activity pruning at equal "
        "neurons and synapses.",
        source="[paper] abstract, 'computational efficiency'; operations, not synapses: [review]",
        demands=(Demand((ACTIVITY,), OPERATIONS, at_least=True),),
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
        about=("lnp", "lnp literal", "lnp capped"),
    ),
    Claim(
        name="stable",
        text="The sparse network is stable: its exponents under independent and under common noise "
        "and its growth in 200 ms are negative, its input echo is below 2, on every seed.",
        source="[paper] abstract, 'stable'; common noise, echo and bounds are our [choice]",
        demands=(
            *(Demand(measure=name, below=0.0) for name in (LAMBDA, LAMBDA_COMMON, GROWTH_COMMON)),
            Demand(measure=ECHO, below=2.0),
        ),
    ),
    Claim(
        name="stable-as-before",
        text="Pruning leaves exponents and input echo no higher than those of the dense network.",
        source="[paper] abstract, 'stable'; before and after: [review]",
        demands=tuple(
            Demand((FULL,), name, at_least=True) for name in (LAMBDA, LAMBDA_COMMON, ECHO)
        ),
    ),
    Claim(
        name="stabler-than-random",
        text="At equal neurons and synapses, its exponents are lower than those of randomly sparse "
        "networks.",
        source="[review] the motivation of the paper, as summaries tell it",
        demands=tuple(
            Demand(("random variance", "fresh"), name) for name in (LAMBDA, LAMBDA_COMMON)
        ),
    ),
    Claim(
        name="heterogeneity",
        text="Diversity of neuronal timescales helps: with gamma-distributed time constants a "
        "network predicts better than with equal ones, at equal rate.",
        source="[paper] abstract; equal rates: [choice]",
        demands=(Demand(("homogeneous",)),),
        table="heterogeneity",
        subject="tau_m cv 0.58",
        matched=True,
    ),
    Claim(
        name="timescales-before-thresholds",
        text="Diversity of timescales alone is worth more than that of thresholds alone, at equal "
        "rate.",
        source="[choice] why the paper's heterogeneity and not another",
        demands=(Demand(("homogeneous",)),),
        table="heterogeneity",
        subject="tau_m cv 0.58, equal v_th",
        matched=True,
    ),
    Claim(
        name="images",
        text="The same sparse network can be trained to classify images: no worse than the dense "
        "one, and better than without recurrence.",
        source="[paper] abstract; CIFAR-10 and CIFAR-100; the comparisons are our [choice]",
        demands=(Demand((FULL,), at_least=True), Demand((BARE,))),
        scored_by=ACCURACY,
    ),
    Claim(
        name="clusters",
        text="Clusters with timescales of their own (CHRSNN) predict better than one population of "
        "the same size, at equal rate.",
        source="[paper] text",
        demands=(Demand(("one cluster",)),),
        table="heterogeneity",
        subject="clustered",
        matched=True,
    ),
    Claim(
        name="clusters-cheaper",
        text="Clusters need fewer synaptic operations per second than one population, at equal "
        "rate, and predict no worse.",
        source="[paper] results figure of the authors, 20 to 25 % fewer operations",
        demands=(Demand(("one cluster",), OPERATIONS), Demand(("one cluster",), at_least=True)),
        table="heterogeneity",
        subject="clustered",
        matched=True,
    ),
)
