"""`hrsnn verdicts`: the paper's claims, judged from the tables of finished runs."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common
from hrsnn_brian.cli.output import Output, check_output_file
from hrsnn_brian.errors import InputError, unknown_name

if TYPE_CHECKING:
    from hrsnn_brian.files.tables import Row
    from hrsnn_brian.report.judge import Settings

RECIPE, READOUT = "lnp", "spikes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="finished run directories, read as one table"
    )
    parser.add_argument(
        *("--recipe", "--method"),
        dest="recipe",
        default=RECIPE,
        help=f"what the claims are made about (default {RECIPE})",
    )
    parser.add_argument(
        "--readout", default=READOUT, help=f"rows of this readout (default {READOUT})"
    )
    parser.add_argument("--level", default="0.05", help="level of the tests (default 0.05)")
    parser.add_argument(
        "--margin",
        default="0.1",
        help="loss that still counts as no worse, as a fraction of what recurrence is worth on "
        "the task (default 0.1)",
    )
    add_common(parser, "also write every comparison (.csv) or the whole result (.json)")


def run(args: argparse.Namespace, output: Output) -> int:
    check_output_file(args.out, [".csv", ".json"])
    from hrsnn_brian.report.claims import CLAIMS
    from hrsnn_brian.report.judge import Settings
    from hrsnn_brian.report.records import mixed_origins, read_rows
    from hrsnn_brian.report.report import COLUMNS, document, rows_of, text_of
    from hrsnn_brian.report.verdict import verdicts

    level, margin = _number("--level", args.level), _number("--margin", args.margin)
    settings = Settings(args.recipe, level, margin)
    tables = read_rows(args.runs, (claim.table for claim in CLAIMS))
    _require_known("--recipe", args.recipe, RECIPE, _values(tables, "recipe") - {"", None})
    _require_known("--readout", args.readout, READOUT, _values(tables, "readout"))
    found = verdicts(tables, args.readout, settings)
    output.say(text_of(found))
    output.say(_legend(settings, args.readout))
    mixed = mixed_origins(args.runs)
    for line in mixed:
        output.say(f"warning: {line}")
    result = {
        "command": "verdicts",
        "runs": args.runs,
        "method": settings.method,
        "readout": args.readout,
        "level": settings.level,
        "margin": settings.margin,
        "warnings": mixed,
        "claims": document(found),
    }
    from hrsnn_brian.files.schema import schema_of

    rows = rows_of(found)
    output.table_or_result(rows, result, args.out, schema_of(rows, COLUMNS))
    return 0


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(option, text, "must be a number") from None


def _values(tables: "Mapping[str, Sequence[Row]]", column: str) -> set[str]:
    return {row[column] for rows in tables.values() for row in rows}


def _require_known(option: str, value: str, default: str, known: Iterable[str]) -> None:
    """A default that no row bears is allowed: its claims are not tested then."""
    if value not in {default, *known}:
        raise unknown_name(option, value, {default, *known})


def _legend(settings: "Settings", readout: str) -> str:
    return (
        f"recipe {settings.method!r}, readout {readout!r}; difference: recipe - rival over paired "
        f"seeds, with its {100 * (1 - settings.level):g} % CI (not corrected)\n"
        "dz: mean / standard deviation of the differences; p: two-sided, Holm-corrected within a "
        f"claim's cell, both below {settings.level:g} asked for\n"
        f"no worse: the CI excludes a loss of {settings.margin:g} of what recurrence is worth; of "
        "what is no score, of the rival's mean"
    )
