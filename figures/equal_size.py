"""Reading the table of the study pruning_methods: networks of one size, and their order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import TableError
from hrsnn_brian.figures.panels import judged_by, per_seed, require
from hrsnn_brian.figures.style import BLACK, GREY
from hrsnn_brian.files.columns import FULL, NAME, NO_RECURRENCE, ON_TASK, UNMATCHED, Column

if TYPE_CHECKING:
    import pandas as pd

REFERENCES = {FULL: (BLACK, "-"), NO_RECURRENCE: (GREY, "--")}
RAW = UNMATCHED
OPS = "synaptic_ops_per_s"
_NEEDED = (
    "seed",
    "task",
    "network",
    "recipe",
    "keep",
    "neuron_fraction",
    "match",
    "readout",
    "note",
)
_USUAL_KEEP = 0.05
_LABELS = {ON_TASK: "rate matched on the task"}


@dataclass(frozen=True)
class EqualSize:
    """What is drawn of a table: the networks of one keep, as pruned and at one matched rate.

    pruned: rows of every fraction of neurons, those included that missed their size or rate.
    references: rows of the unpruned network and of the one without recurrence.
    """

    keep: float
    pruned: "pd.DataFrame"
    references: "pd.DataFrame"

    @property
    def counted(self) -> "pd.DataFrame":
        """The pruned networks that have the size and rate asked for."""
        note = self.pruned["note"]  # read back, an empty cell is NaN
        return self.pruned[note.isna() | (note == "")]

    def scores(self) -> dict[str, Column]:
        """Task -> the score it is judged by."""
        tasks = self.counted.groupby("task", sort=False)
        return {str(task): judged_by(rows) for task, rows in tasks}


def equal_size(table: "pd.DataFrame", readout: str, keep: float | None) -> EqualSize:
    """keep: which fraction of the synapses, by default the one of the table nearest to 0.05.

    Raises InputError if a column or rows are missing, or no pruned network has the size.
    """
    table = require(table, _NEEDED, (OPS,))
    table = table[table["readout"] == readout]
    pruned = table[~table[NAME].isin(REFERENCES)]
    keeps = sorted(float(k) for k in pruned["keep"].dropna().unique())
    if not keeps or (keep is not None and keep not in keeps):
        what = f"has no pruned network with keep {keep}" if keeps else "has no pruned network"
        raise TableError("table", f"readout {readout}", what)
    keep = min(keeps, key=lambda k: abs(k - _USUAL_KEEP)) if keep is None else keep
    pruned = pruned[pruned["match"].isin((RAW, _matched(pruned)))]
    found = EqualSize(keep, pruned[pruned["keep"] == keep], table[table[NAME].isin(REFERENCES)])
    if found.counted.empty:
        raise TableError("table", f"keep {keep:g}", "no pruned network reached the size asked for")
    return found


def _matched(rows: "pd.DataFrame") -> str:
    """Which of the rates that were matched is drawn: that on the task, or the first one."""
    kinds = [str(match) for match in rows["match"].unique() if match != RAW]
    return ON_TASK if ON_TASK in kinds or not kinds else kinds[0]


def called(match: str) -> str:
    """What a legend calls points of that `match`."""
    return "as pruned" if match == RAW else _LABELS.get(match, "rate matched")


def percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def best_first(rows: "pd.DataFrame", scores: dict[str, Column]) -> list[str]:
    """Recipes by their mean rank over the tasks, as pruned."""
    raw = rows[rows["match"] == RAW]
    ranks: Any = 0
    for task, score in scores.items():
        of_task = per_seed(raw[raw["task"] == task], [NAME], score.name)
        means = of_task.groupby(NAME)[score.name].mean()
        ranks = means.rank(ascending=score.better == "lower") + ranks
    return [str(recipe) for recipe in ranks.sort_values().index]
