"""Write the tables of texts from the result files beside this module.

    python -m hrsnn_brian.studies.results.tables README.md studies/results/README.md

A table stands between two lines of a text, the first of which says what it shows:

    <!-- table: pruning_methods keep=0.05 neuron_fraction=1.0 -->
    <!-- end -->

The first word is the file, without .csv. All else chooses rows; `match` is `none` and `readout` is
`spikes` unless said; `recipes=` lists recipes, between semicolons, where not all are wanted. There
is a row per recipe, best NRMSE first, and the unpruned network and the bare one for scale. Digits
have a column if the file has them. In brackets stands the larger of both p against the rival of the
file, if it has one.
"""

import argparse
import csv
import re
from functools import cache
from pathlib import Path

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.atomic import write_text
from hrsnn_brian.files.columns import FULL, NO_RECURRENCE
from hrsnn_brian.statistics.paired_seeds import count_of

HERE = Path(__file__).parent
TABLE = re.compile(r"<!-- table: (?P<name>\w+) (?P<words>.*?) -->\n.*?<!-- end -->", re.DOTALL)
TASKS = {  # what a column is called, and its digits
    "mackey-glass-84": ("NRMSE, Mackey-Glass 84 ahead", 3),
    "lorenz63-x": ("VPT, Lorenz from x", 2),
    "digits": ("accuracy, digits", 3),
}
ALWAYS = ("mackey-glass-84", "lorenz63-x")
NAMES = {FULL: "*unpruned, all neurons*", NO_RECURRENCE: "*no recurrence*"}
ABSENT = "–"  # no seed has a score
Cell = dict[str, str]


def renewed(text: str) -> str:
    """The text with every table as the result files have it now.

    Raises InputError for a file, a column or a recipe that there is not, and a table without rows.
    """
    return TABLE.sub(lambda found: _table(found["name"], found["words"]), text)


def _table(name: str, words: str) -> str:
    pairs = [word.partition("=") for word in re.split(r" (?=\w+=)", words)]
    chosen = {"match": "none", "readout": "spikes"} | {key: value for key, _, value in pairs}
    wanted = [recipe for recipe in chosen.pop("recipes", "").split(";") if recipe]
    rows = _rows(name)
    for column in chosen:
        if column not in rows[0]:
            raise unknown_name("column", column, rows[0])
    cells = {
        (row["recipe"] or row["network"], row["task"]): row for row in rows if _shown(row, chosen)
    }
    known = list(dict.fromkeys(recipe for recipe, _ in cells))
    for recipe in wanted:
        if recipe not in known:
            raise unknown_name("recipe", recipe, known)
    shown = [recipe for recipe in known if not wanted or recipe in wanted or recipe in NAMES]
    if not set(shown) - set(NAMES):
        raise InputError("table", f"{name} {words}", "no recipe has rows like that")
    tasks = [task for task in TASKS if task in ALWAYS or any(t == task for _, t in cells)]
    all_of = {recipe: [cells.get((recipe, task), {}) for task in tasks] for recipe in shown}
    shown.sort(key=lambda recipe: float(all_of[recipe][0].get("mean") or "inf"))
    lines = [_line(recipe, dict(zip(tasks, all_of[recipe], strict=True))) for recipe in shown]
    rivals = list(dict.fromkeys(row["rival"] for row in cells.values() if row.get("rival")))
    against = f" (p against {rivals[0]})" if rivals else ""
    head = ["recipe", *(TASKS[task][0] + against for task in tasks), "kops/s", "seeds"]
    header = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([f"<!-- table: {name} {words} -->", *header, *lines, "<!-- end -->"])


def _shown(row: Cell, chosen: Cell) -> bool:
    """The unpruned and the bare network have one size and one rate, whatever is chosen."""
    if row["network"] in NAMES:
        return (row["match"], row["readout"]) == ("none", chosen["readout"])
    return all(row[column] == value for column, value in chosen.items())


def _line(recipe: str, cells: dict[str, Cell]) -> str:
    seeds = "/".join(dict.fromkeys(map(_seeds, cells.values())))
    operations = cells[ALWAYS[0]].get("synaptic_ops_per_s")
    values = (
        *(_value(cell, TASKS[task][1]) for task, cell in cells.items()),
        f"{float(operations) / 1000:.0f}" if operations else ABSENT,
        seeds,
    )
    name = NAMES.get(recipe, recipe).replace("|", r"\|")  # else it ends a cell
    return f"| {name} | {' | '.join(values)} |"


def _seeds(cell: Cell) -> str:
    """How many seeds count, and of how many where the file says so and some do not."""
    seeds = cell.get("seeds", "0")
    return count_of(int(seeds), int(cell.get("of", seeds)))


def _value(cell: Cell, digits: int) -> str:
    mean, sem = cell.get("mean"), cell.get("sem")
    if not mean:
        return ABSENT
    return f"{float(mean):.{digits}f}" + (f" ± {float(sem):.{digits}f}" if sem else "") + _p(cell)


def _p(cell: Cell) -> str:
    """The larger p of both tests, in brackets."""
    found = [float(cell[name]) for name in ("p_t", "p_wilcoxon") if cell.get(name)]
    if not found:
        return ""
    return f" ({max(found):.3f})" if max(found) >= 0.001 else " (< .001)"


@cache
def _rows(name: str) -> list[Cell]:
    files = sorted(path.stem for path in HERE.glob("*.csv"))
    if name not in files:
        raise unknown_name("result file", name, files)
    with (HERE / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Renews the tables of the texts named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("texts", nargs="+", type=Path, help="Markdown files")
    for path in parser.parse_args().texts:
        write_text(path, renewed(path.read_text()))


if __name__ == "__main__":
    main()
