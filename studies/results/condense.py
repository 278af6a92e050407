"""Condense runs of the study pruning_methods to the means over seeds that the repository keeps.

    python -m hrsnn_brian.studies.results.condense RUN [RUN ...] --out FILE.csv [--against RECIPE]

One row per network, recipe, size, matching, task and readout: seeds with a score, mean and standard
error of the score, mean rate, operations and input echo, the rank among the recipes of that size
and matching, and how many networks are unruly. With a rival the paired tests against it, corrected
(Holm) over those recipes.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.columns import (
    FULL,
    IDENTITY,
    NAME,
    NO_RECURRENCE,
    UNMATCHED,
    Column,
    named,
)
from hrsnn_brian.files.schema import complete, schema_of
from hrsnn_brian.files.score import HIGHER
from hrsnn_brian.files.tables import (
    Row,
    Table,
    columns_of,
    read_table,
    require_numbers,
    schema_in,
    write_table,
)
from hrsnn_brian.statistics.paired_seeds import LEFT_OUT, against, by_seed, left_out, why_not

REFERENCES = (FULL, NO_RECURRENCE)
CELL = tuple(name for name in IDENTITY if name not in ("neurons", "synapses", "seed"))
_COSTS = ("rate_hz", "synaptic_ops_per_s", "input_echo")
_PLACE = ("keep", "neuron_fraction", "match", "task", "readout")
_TESTS = ("difference", "p_t", "p_wilcoxon")
MOST_ECHO, MOST_RATE = 2.0, 1.5
COLUMNS = (
    Column("seeds", "seeds with a score", "1"),
    Column("of", "seeds there are", "1"),
    Column("left_out", "why the others do not count", role="note"),
    Column("score", "the column whose mean is given", role="note"),
    Column("mean", "mean of that score over seeds"),
    Column("sem", "its standard error"),
    Column(
        "rank", "place of the mean among the recipes of that size and matching, 1 the best", "1"
    ),
    Column(
        "unruly",
        f"seeds with an input echo above {MOST_ECHO:g}, or a rate not within a factor of "
        f"{MOST_RATE:g} of that of the unpruned network",
        "1",
    ),
    Column("rival", "what the differences are to", role="note"),
    Column("difference", "mean score less the rival's, on the same seeds"),
    Column("p_t", "two-sided p of the paired t test, Holm over the recipes", "1"),
    Column("p_wilcoxon", "two-sided p of Wilcoxon's test, Holm over the recipes", "1"),
)


def condensed(table: Table, rival: str = "") -> Table:
    """The rows over seeds of each cell, in order of appearance.

    A row counts if it has a score and no note: the others did not reach the size or the rate. The
    same seed in several runs counts once. rival: of a recipe or network, to compare with.
    Raises InputError for a task that is judged by no score, and a rival that there is not.
    """
    rows = Table(named(table), table.schema)
    known = list(dict.fromkeys(row[NAME] for row in rows))
    if rival and rival not in known:
        raise unknown_name("rival", rival, known)
    cells: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        cells.setdefault(tuple(row[name] for name in CELL), []).append(row)
    full = {(r["task"], r["seed"]): r["rate_hz"] for r in rows if r["network"] == FULL}
    scores = {task: _score(table, task) for task in dict.fromkeys(row["task"] for row in rows)}
    found = [_condensed(own, scores[own[0]["task"]].name, full) for own in cells.values()]
    places: dict[tuple[object, ...], list[Row]] = {}
    for row in found:
        if row["recipe"]:
            places.setdefault(tuple(row[name] for name in _PLACE), []).append(row)
    for here in places.values():
        score = scores[here[0]["task"]]
        _rank(here, score.better)
        if rival:
            _compare(here, rival, rows, score.name)
    return Table(found, schema_of(found, COLUMNS))


def _rank(here: list[Row], better: str) -> None:
    """Notes the rank of every recipe that has a mean."""
    sign = -1 if better == HIGHER else 1
    scored = sorted((row for row in here if row["seeds"]), key=lambda row: sign * row["mean"])
    for rank, row in enumerate(scored, start=1):
        row["rank"] = rank


def _compare(here: list[Row], rival: str, rows: Table, score: str) -> None:
    """Notes the tests of every recipe against the rival; a reference has one size and rate."""
    place = {name: here[0][name] for name in _PLACE}
    chosen = [row for row in rows if row["recipe"] and all(row[n] == place[n] for n in place)]
    if rival in REFERENCES:
        like = {"task": place["task"], "readout": place["readout"], "match": UNMATCHED}
        chosen += [r for r in rows if r[NAME] == rival and all(r[n] == like[n] for n in like)]
    tests = against(by_seed(chosen, NAME, score), rival)
    for row in here:
        test = tests.get(row["recipe"])
        row["rival"] = rival
        if test is not None:
            values = (test.mean_difference, test.p_t_holm, test.p_wilcoxon_holm)
            row.update({name: float(f"{x:.3g}") for name, x in zip(_TESTS, values, strict=True)})


def _score(table: Table, task: str) -> Column:
    """The score that a task is judged by."""
    score = table.schema.primary(task)
    if score is None:
        raise InputError("task", task, f"must be one of {', '.join(table.schema.tasks)}")
    return score


def _condensed(rows: list[Row], name: str, full: Mapping[tuple[str, int], float]) -> Row:
    """The row of a cell. name: the score that its task is judged by; full: (task, seed) -> rate of
    the unpruned network."""
    seeds = by_seed(rows, "task", name)[rows[0]["task"]]
    counted = {row["seed"]: row for row in rows if not why_not(row, name)}.values()
    found: Row = {column: rows[0][column] for column in CELL}
    found |= {"seeds": len(seeds), "of": len(seeds) + len(seeds.left_out)}
    found |= {"left_out": left_out([seeds]).removeprefix(LEFT_OUT), "score": name}
    found |= dict.fromkeys(("mean", "sem", *_COSTS, "rank", "unruly", "rival", *_TESTS))
    if seeds:
        found["mean"] = round(mean(seeds.values()), 5)
        for column in _COSTS:
            values = [float(row[column]) for row in counted if row.get(column) is not None]
            found[column] = round(mean(values), 3) if values else None
        found["unruly"] = sum(_unruly(row, full) for row in counted)
    if len(seeds) > 1:
        found["sem"] = round(stdev(seeds.values()) / len(seeds) ** 0.5, 5)
    return found


def _unruly(row: Row, full: Mapping[tuple[str, int], float]) -> bool:
    usual = full.get((row["task"], row["seed"]), 0.0)
    ratio = row["rate_hz"] / usual if usual else 1.0
    loud = row.get("input_echo") is not None and row["input_echo"] > MOST_ECHO
    return loud or not 1 / MOST_RATE <= ratio <= MOST_RATE


def _filled(column: object, value: object) -> object:
    """A cell; one that is empty is None, of a recipe no name."""
    return value if value == value else "" if column == "recipe" else None


def main() -> None:
    """Reads the runs' tables and writes the condensed one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="run directories")
    parser.add_argument("--against", default="", help="a recipe, or full: what is compared with")
    parser.add_argument("--out", type=Path, required=True, help="the table to write, .csv")
    args = parser.parse_args()
    rows: list[Row] = []
    told = []
    for run in args.runs:
        table = read_table(run / "tables" / "pruning_methods.csv")
        schema = schema_in(table)
        numbers = ["seed", *schema.scores(), *(name for name in _COSTS if name in table)]
        require_numbers(table, numbers)
        rows += [{str(k): _filled(k, v) for k, v in r.items()} for r in table.to_dict("records")]
        told.append(schema)
    found = condensed(Table(rows, complete(columns_of(rows), (), told)), args.against)
    write_table(args.out, found, found.schema)


if __name__ == "__main__":
    main()
