"""Write the tables of texts from the result files beside this module.

    python -m hrsnn_brian.studies.results.tables README.md studies/results/README.md

A table stands between two lines of a text, the first of which says what it shows:

    <!-- table: pruning_methods keep=0.05 neuron_fraction=1.0 -->
    <!-- end -->

The first word is the file, without .csv. All else chooses rows; `match` is `none` and `readout` is
`spikes` unless said; `recipes=` lists recipes, between semicolons, where not all are wanted. There
is a row per recipe, best NRMSE first, and the unpruned network and the bare one for scale.
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
MACKEY_GLASS, LORENZ = "mackey-glass-84", "lorenz63-x"
HEADER = (
    "| recipe | NRMSE, Mackey-Glass 84 ahead | VPT, Lorenz from x | kops/s | seeds |\n"
    "|---|---|---|---|---|"
)
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
    both = {
        recipe: [cells.get((recipe, task), {}) for task in (MACKEY_GLASS, LORENZ)]
        for recipe in shown
    }
    shown.sort(key=lambda recipe: float(both[recipe][0].get("mean") or "inf"))
    lines = [_line(recipe, *both[recipe]) for recipe in shown]
    return "\n".join([f"<!-- table: {name} {words} -->", HEADER, *lines, "<!-- end -->"])


def _shown(row: Cell, chosen: Cell) -> bool:
    """The unpruned and the bare network have one size and one rate, whatever is chosen."""
    if row["network"] in NAMES:
        return (row["match"], row["readout"]) == ("none", chosen["readout"])
    return all(row[column] == value for column, value in chosen.items())


def _line(recipe: str, mackey_glass: Cell, lorenz: Cell) -> str:
    seeds = "/".join(dict.fromkeys(map(_seeds, (mackey_glass, lorenz))))
    operations = mackey_glass.get("synaptic_ops_per_s")
    values = (
        _value(mackey_glass, 3),
        _value(lorenz, 2),
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
    return f"{float(mean):.{digits}f}" + (f" ± {float(sem):.{digits}f}" if sem else "")


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
