"""Columns that many tables share; among them those that say what a row is, the same everywhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.score import DIRECTIONS, LOWER, NONE

ROLES = ("identity", "size", "score", "cost", "measure", "note")


@dataclass(frozen=True)
class Column:
    """A column of a table. better: which direction is, "higher", "lower" or "none".

    role: "identity" says what a row is of, "size" how large the network is, "score" how well it
        does, "cost" what it takes, "measure" anything else measured, "note" is words.
    """

    name: str
    meaning: str = ""
    unit: str = ""
    better: str = NONE
    role: str = "measure"

    def __post_init__(self) -> None:
        for what, value, known in (
            ("better", self.better, DIRECTIONS),
            ("role", self.role, ROLES),
        ):
            if value not in known:
                raise InputError(
                    f"{what} of column {self.name}", value, f"one of {', '.join(known)}"
                )

    @property
    def label(self) -> str:
        """Meaning and unit, for an axis."""
        unit = f" ({self.unit})" if self.unit not in ("", "1") else ""
        return f"{self.meaning or self.name}{unit}"


# The values of `network` that stand for more than themselves, and of `match` for no matching and
# for that by the rate on the task.
FULL, PRUNED, NO_RECURRENCE = "full", "pruned", "no recurrence"
UNMATCHED, ON_TASK = "none", "task"


def _by_name(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


_IDENTITY = _by_name(
    Column("network", "which network or model: full, pruned, a control", role="identity"),
    Column("recipe", "how it was pruned, empty if it was not", role="identity"),
    Column("neurons", "neurons reached", "1", role="size"),
    Column("synapses", "synapses reached", "1", role="size"),
    Column("keep", "fraction of the synapses kept, in studies as asked for", "1", role="size"),
    Column(
        "neuron_fraction", "fraction of the neurons kept, in studies as asked for", "1", role="size"
    ),
    Column("match", "how its rate was brought to that of the full one", role="identity"),
    Column("task", "what it was put to", role="identity"),
    Column("readout", "what the readout sees beside the present input", role="identity"),
    Column("seed", "root of all random streams of the row", "1", role="identity"),
)
IDENTITY = tuple(_IDENTITY)
"""The first columns of every table of a study, in this order."""

KNOWN = _IDENTITY | _by_name(
    Column("density", "synapses over possible ones", "1", role="size"),
    Column("met_budget", "whether it has the size asked for", role="note"),
    Column("stable", "whether it met the stability condition of its pruning", role="note"),
    Column("stopped", "why pruning stopped early or was refused", role="note"),
    Column("note", "why the row is not of the size or rate asked for", role="note"),
    Column("reason", "why a check failed", role="note"),
    Column("rate_hz", "mean firing rate", "Hz", role="cost"),
    Column("silent_fraction", "neurons without a spike", "1"),
    Column("synaptic_ops_per_s", "synaptic operations", "1/s", LOWER, "cost"),
    Column("readout_ops_per_s", "operations of the readout", "1/s", LOWER, "cost"),
    Column("spikes_per_sample", "spikes per sample or image", "1", LOWER, "cost"),
    Column("synaptic_events_per_sample", "synaptic events per sample or image", "1", LOWER, "cost"),
    Column(
        "neuron_updates_per_sample",
        "neuron updates per sample or image on a clocked machine, about 7 multiply-adds each",
        "1",
        LOWER,
        "cost",
    ),
    Column("readout_ops_per_sample", "readout operations per sample or image", "1", LOWER, "cost"),
    Column("quantity", "what the row is about", role="identity"),
    Column("d0", "size of the perturbation", "1", role="identity"),
    Column("dt_ms", "time step", "ms", role="identity"),
    Column("t_renorm_ms", "time between renormalisations", "ms", role="identity"),
    Column("value_per_s", "exponent, or slope of a fit; empty if a check failed", "1/s"),
    Column("standard_error_per_s", "standard error of the exponent", "1/s"),
    Column("d0_difference_per_s", "how much another d0 changes the exponent", "1/s"),
    Column("passive_per_s", "exponent of the slowest leak alone", "1/s"),
    Column(
        "lambda_1_per_s", "largest Lyapunov exponent at one time step, to compare networks", "1/s"
    ),
    Column("lambda_1_error_per_s", "its standard error over independent inputs", "1/s"),
    Column("input_echo", "what is left of a perturbed input, 5 to 49 samples later", "1"),
    Column("input_echo_se", "its standard error over the perturbations", "1"),
    Column("lambda_common_per_s", "largest Lyapunov exponent under common noise", "1/s"),
    Column("lambda_common_error_per_s", "its standard error over independent inputs", "1/s"),
    Column("growth_common_per_s", "growth in 200 ms of random perturbations, common noise", "1/s"),
    Column("growth_common_error_per_s", "its standard error over inputs", "1/s"),
    Column("memory_capacity", "linear memory capacity", "samples"),
    Column("spectral_abscissa_per_s", "largest real part of an eigenvalue of -D + D W", "1/s"),
    Column("participation_ratio", "neurons of a leading eigenvector, mean", "1"),
    Column("iteration", "number of the iteration, 0 before the first", "1", role="identity"),
    Column("seconds", "wall clock", "s", role="cost"),
)


_EMPTY = {"recipe": "", "match": UNMATCHED, "task": "", "readout": ""}


def identity(network: str, *, seed: int, **more: Any) -> dict[str, Any]:
    """The identity columns of a row; more: those of the others that it has, by name.

    neurons, synapses: reached, None where there is no network. Raises InputError for a name that
    is not in `IDENTITY`.
    """
    row = {**dict.fromkeys(IDENTITY), **_EMPTY, "network": network, "seed": seed, **more}
    if len(row) > len(IDENTITY):
        raise unknown_name("identity column", next(iter(more.keys() - {*IDENTITY})), IDENTITY)
    return row


NAME = "name"


def name_of(row: Mapping[str, Any]) -> str:
    """What a row is called beside others: its recipe, or the network if none made it."""
    recipe = row.get("recipe")
    return recipe if isinstance(recipe, str) and recipe else str(row["network"])


def named(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their `name_of` in the column `NAME`, to be compared by."""
    return [{NAME: name_of(row), **row} for row in rows]
