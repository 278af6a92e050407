"""Condense runs of the study pruning_methods to the means over seeds that the repository keeps.

    python -m hrsnn_brian.studies.results.condense RUN [RUN ...] --out FILE.csv

One row per task, size, matching, readout and rule: seeds with a score, mean and standard error of
the score, mean rate and operations.
"""

import argparse
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, stdev

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score_columns import is_score
from hrsnn_brian.files.tables import Row, read_table, require_numbers, write_table
from hrsnn_brian.studies.rule_scores import SCORES

CELL = ("task", "keep", "neuron_fraction", "match", "readout", "rule")


def condensed(rows: Iterable[Row]) -> list[Row]:
    """The rows over seeds of each cell, in order of appearance.

    A row counts if it has a score and no note: the others did not reach the size or the rate. The
    same seed in several runs counts once.
    Raises InputError for a task whose score is not known.
    """
    cells: dict[tuple[object, ...], dict[int, Row]] = {}
    for row in rows:
        if row["task"] not in SCORES:
            raise InputError("task", row["task"], f"must be one of {', '.join(SCORES)}")
        seeds = cells.setdefault(tuple(row[name] for name in CELL), {})
        score = row.get(SCORES[row["task"]])
        noted = isinstance(row["note"], str) and row["note"]  # an empty cell is read as NaN
        if score is not None and math.isfinite(score) and not noted:
            seeds[int(row["seed"])] = row
    return [_condensed(cell, list(seeds.values())) for cell, seeds in cells.items()]


def _condensed(cell: Sequence[object], rows: list[Row]) -> Row:
    name = SCORES[str(cell[0])]
    scores = [float(row[name]) for row in rows]
    found: Row = dict(zip(CELL, cell, strict=True))
    found |= {"seeds": len(scores), "score": name}
    if scores:
        found |= {"mean": round(mean(scores), 5)}
        for column in ("rate_hz", "synaptic_ops_per_s"):
            found[column] = round(mean(float(row[column]) for row in rows), 2)
    if len(scores) > 1:
        found["sem"] = round(stdev(scores) / len(scores) ** 0.5, 5)
    order = [*CELL, "seeds", "score", "mean", "sem", "rate_hz", "synaptic_ops_per_s"]
    return {column: found.get(column) for column in order}


def main() -> None:
    """Reads the runs' tables and writes the condensed one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="run directories")
    parser.add_argument("--out", type=Path, required=True, help="the table to write, .csv")
    args = parser.parse_args()
    rows: list[Row] = []
    for run in args.runs:
        table = read_table(run / "tables" / "pruning_methods.csv")
        require_numbers(table, ["seed", *filter(is_score, table), "rate_hz", "synaptic_ops_per_s"])
        rows += [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    write_table(args.out, condensed(rows))


if __name__ == "__main__":
    main()
