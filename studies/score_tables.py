"""Text tables of models on tasks: mean and standard deviation over seeds, costs beside them."""

from collections.abc import Iterable, Sequence
from statistics import mean, stdev

from hrsnn_brian.files.columns import NAME, Column, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.statistics.paired_seeds import Seeds, by_seed, left_out

NO_READOUT = "none"


def score_tables(rows: Sequence[Row], costs: Sequence[str]) -> str:
    """One block per task, a line per model and readout, the best first."""
    table = Table(rows)
    seen = labelled(named(table))
    blocks = []
    for task in dict.fromkeys(row["task"] for row in seen):
        score = table.schema.primary(task)
        if score is not None:
            blocks.append(_block([row for row in seen if row["task"] == task], score, costs))
    seeds = len({row["seed"] for row in seen})
    return "\n\n".join([*blocks, f"mean and standard deviation over {seeds} seeds"])


def labelled(rows: Iterable[Row]) -> list[Row]:
    """Rows of `named`, those of a network with their readout in the name."""
    return [
        row if row["readout"] == NO_READOUT else row | {NAME: f"{row[NAME]} / {row['readout']}"}
        for row in rows
    ]


def _block(rows: Sequence[Row], score: Column, costs: Sequence[str]) -> str:
    scores = by_seed(rows, NAME, score.name)
    beside = [by_seed(rows, NAME, cost) for cost in costs]
    sign = -1 if score.better == "higher" else 1
    order = sorted(scores, key=lambda name: (not scores[name], sign * (_mean(scores[name]) or 0)))
    lines = [
        [name, found.count, _mean(found), _sd(found), *(_mean(cost[name]) for cost in beside)]
        for name in order
        for found in [scores[name]]
    ]
    title = f"{rows[0]['task']}: {score.label}, {score.better} is better"
    header = ["model / readout", "seeds", score.name, "sd", *costs]
    return f"{title}{left_out(scores.values())}\n{text_table(lines, header)}"


def _mean(found: Seeds) -> float | None:
    return mean(found.values()) if found else None


def _sd(found: Seeds) -> float | None:
    return stdev(found.values()) if len(found) > 1 else None
