"""Condense runs of the study pruning_methods to the means over seeds that the repository keeps.

    python -m hrsnn_brian.studies.results.condense RUN [RUN ...] --out FILE.csv

One row per network, recipe, size, matching, task and readout: seeds with a score, mean and standard
error of the score, mean rate and operations.
"""

import argparse
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
from hrsnn_brian.statistics.paired_seeds import LEFT_OUT, by_seed, left_out, why_not

CELL = tuple(name for name in IDENTITY if name not in ("neurons", "synapses", "seed"))
_COSTS = ("rate_hz", "synaptic_ops_per_s")
COLUMNS = (
    Column("seeds", "seeds with a score", "1"),
    Column("of", "seeds there are", "1"),
    Column("left_out", "why the others do not count", role="note"),
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
    cells: dict[tuple[object, ...], list[Row]] = {}
    for row in table:
        cells.setdefault(tuple(row[name] for name in CELL), []).append(row)
    found = [_condensed(rows, _score(table, rows[0]["task"])) for rows in cells.values()]
    return Table(found, schema_of(found, COLUMNS))


def _score(table: Table, task: str) -> str:
    score = table.schema.primary(task)
    if score is None:
        raise InputError("task", task, f"must be one of {', '.join(table.schema.tasks)}")
    return score.name


def _condensed(rows: list[Row], name: str) -> Row:
    """The row of a cell; name: the score that its task is judged by."""
    seeds = by_seed(rows, "task", name)[rows[0]["task"]]
    counted = {row["seed"]: row for row in rows if not why_not(row, name)}.values()
    found: Row = {column: rows[0][column] for column in CELL}
    found |= {"seeds": len(seeds), "of": len(seeds) + len(seeds.left_out)}
    found |= {"left_out": left_out([seeds]).removeprefix(LEFT_OUT), "score": name}
    found |= dict.fromkeys(("mean", "sem", *_COSTS))
    if seeds:
        found["mean"] = round(mean(seeds.values()), 5)
        for column in _COSTS:
            found[column] = round(mean(float(row[column]) for row in counted), 2)
    if len(seeds) > 1:
        found["sem"] = round(stdev(seeds.values()) / len(seeds) ** 0.5, 5)
    return found


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
