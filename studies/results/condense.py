"""Condense runs of the study pruning_methods to the means over seeds that the repository keeps.

    python -m hrsnn_brian.studies.results.condense RUN [RUN ...] --out FILE.csv

One row per network, recipe, size, matching, task and readout: seeds with a score, mean and standard
error of the score, mean rate and operations.
"""

import argparse
import math
from pathlib import Path
from statistics import mean, stdev

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import IDENTITY, Column
from hrsnn_brian.files.schema import complete, schema_of
from hrsnn_brian.files.tables import (
    Row,
    Table,
    columns_of,
    read_table,
    require_numbers,
    schema_in,
    write_table,
)

CELL = tuple(name for name in IDENTITY if name not in ("neurons", "synapses", "seed"))
COLUMNS = (
    Column("seeds", "seeds with a score", "1"),
    Column("score", "the column whose mean is given", role="note"),
    Column("mean", "mean of that score over seeds"),
    Column("sem", "its standard error"),
)


def condensed(table: Table) -> Table:
    """The rows over seeds of each cell, in order of appearance.

    A row counts if it has a score and no note: the others did not reach the size or the rate. The
    same seed in several runs counts once.
    Raises InputError for a task that is judged by no score.
    """
    cells: dict[tuple[object, ...], dict[int, Row]] = {}
    for row in table:
        name = _score(table, row["task"])
        seeds = cells.setdefault(tuple(row[name] for name in CELL), {})
        score = row.get(name)
        noted = isinstance(row["note"], str) and row["note"]  # an empty cell is read as NaN
        if score is not None and math.isfinite(score) and not noted:
            seeds[int(row["seed"])] = row
    found = []
    for cell, seeds in cells.items():
        identity = dict(zip(CELL, cell, strict=True))
        found.append(
            _condensed(identity, _score(table, str(identity["task"])), list(seeds.values()))
        )
    return Table(found, schema_of(found, COLUMNS))


def _score(table: Table, task: str) -> str:
    score = table.schema.primary(task)
    if score is None:
        raise InputError("task", task, f"must be one of {', '.join(table.schema.tasks)}")
    return score.name


def _condensed(cell: Row, name: str, rows: list[Row]) -> Row:
    scores = [float(row[name]) for row in rows]
    found: Row = cell | {"seeds": len(scores), "score": name}
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
    told = []
    for run in args.runs:
        table = read_table(run / "tables" / "pruning_methods.csv")
        schema = schema_in(table)
        require_numbers(table, ["seed", *schema.scores(), "rate_hz", "synaptic_ops_per_s"])
        rows += [
            {str(k): "" if k == "recipe" and v != v else v for k, v in row.items()}
            for row in table.to_dict("records")
        ]
        told.append(schema)
    found = condensed(Table(rows, complete(columns_of(rows), (), told)))
    write_table(args.out, found, found.schema)


if __name__ == "__main__":
    main()
