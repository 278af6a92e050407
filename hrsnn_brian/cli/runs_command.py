"""`hrsnn runs`: the run directories of a folder: what they are, when, how far, at what cost."""

import argparse
from pathlib import Path

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, check_output_file

_HEADER = ("run", "what", "begun (UTC)", "points", "failed", "state", "wall", "core h", "MB")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        nargs="?",
        type=user_path,
        default="runs",
        metavar="DIR",
        help="where they are, at most two levels below (default runs)",
    )
    add_common(parser, "also write the list to this file, as JSON")


def run(args: argparse.Namespace, output: Output) -> int:
    check_output_file(args.out, [".json"])
    from hrsnn_brian.files.tables import text_table
    from hrsnn_brian.runs.progress import clock_text
    from hrsnn_brian.runs.status import runs_in

    found = runs_in(Path(args.folder))
    rows = [
        (
            str(one.path),
            one.what,
            one.begun[:16].replace("T", " "),
            one.points,
            one.failed,
            one.state + (f" ({len(one.workers)})" if len(one.workers) > 1 else ""),
            clock_text(one.wall_s),
            one.core_s / 3600,
            one.size / 1e6,
        )
        for one in found
    ]
    output.say(text_table(rows, _HEADER) if rows else f"no runs in {args.folder}")
    told = {"command": "runs", "folder": args.folder, "runs": [vars(one) for one in found]}
    output.result(told, args.out)
    return 0
