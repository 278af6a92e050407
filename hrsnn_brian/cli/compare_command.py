"""`hrsnn compare`: what differs between two runs in settings, code and results."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, check_output_file

if TYPE_CHECKING:
    from hrsnn_brian.runs.compare import Comparison, Tables

_SHOWN = ("condition", "score", "pairs", "first", "second", "difference", "p_t", "p_wilcoxon")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=user_path, metavar="RUN", help="a run directory")
    parser.add_argument("second", type=user_path, metavar="RUN", help="another")
    parser.add_argument("--all", action="store_true", help="show results that are equal, too")
    add_common(parser, "also write the results (.csv) or the whole comparison (.json)")


def run(args: argparse.Namespace, output: Output) -> int:
    check_output_file(args.out, [".csv", ".json"])
    from hrsnn_brian.files.schema import schema_of
    from hrsnn_brian.runs.compare import COLUMNS, compare_runs

    found = compare_runs(Path(args.first), Path(args.second))
    _say_origins(found, output)
    for table in found.tables:
        _say_table(table, args.all, output)
    for name, path in found.missing:
        output.say(f"{name}: not in {path}")
    rows = [row for table in found.tables for row in table.scores]
    told = {
        "command": "compare",
        "runs": [args.first, args.second],
        "settings": found.settings,
        "code": found.code,
        "tables": [vars(table) for table in found.tables],
        "missing": found.missing,
    }
    output.table_or_result(rows, told, args.out, schema_of(rows, COLUMNS))
    return 0


def _say_origins(found: "Comparison", output: Output) -> None:
    for what, differing in (("settings", found.settings), ("code and files", found.code)):
        output.say(f"{what}: the same" if not differing else f"{what}:")
        for key, (first, second) in differing.items():
            output.say(f"  {key}: {_value(first)} | {_value(second)}")


def _value(value: object) -> str:
    return "-" if value is None else str(value)


def _say_table(table: "Tables", everything: bool, output: Output) -> None:
    from hrsnn_brian.files.tables import text_table

    if table.same:
        output.say(f"{table.name}: equal, byte for byte ({table.rows[0]} rows)")
        return
    common = table.rows[0] - table.only[0]
    line = f"{table.name}: {common} common rows, {table.unequal} of them with other scores"
    output.say(f"{line}; {table.only[0]} rows only in the first, {table.only[1]} in the second")
    rows = [row for row in table.scores if everything or row["low"] != 0 or row["high"] != 0]
    if rows:
        output.say(text_table([[row[name] for name in _SHOWN] for row in rows], _SHOWN))
        output.say("difference: second - first over paired seeds; p: Holm-corrected in this table")
