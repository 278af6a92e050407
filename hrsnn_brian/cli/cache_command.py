"""`hrsnn cache`: the compiled programs on disk."""

import argparse
from datetime import datetime

from hrsnn_brian.cli.options import add_common
from hrsnn_brian.cli.output import Output, check_output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clear", action="store_true", help="remove all of them")
    add_common(parser, "also write the list to this file, as JSON")


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.files.tables import text_table
    from hrsnn_brian.simulation.cache import ProgramCache

    check_output_file(args.out, [".json"])
    cache = ProgramCache()
    removed = 0
    if args.clear:
        freed = cache.total_bytes()
        removed = cache.clear()
        output.say(f"removed {removed} programs, {freed / 1e6:.1f} MB")
    entries = cache.entries()
    output.say(f"{cache.root}: {len(entries)} programs, {cache.total_bytes() / 1e6:.1f} MB")
    if entries:
        rows = [(e.key, e.bytes / 1e6, _local_time(e.last_used)) for e in entries]
        output.say(text_table(rows, ["program", "MB", "last used"]))
    output.result(
        {
            "root": cache.root,
            "removed": removed,
            "total_bytes": cache.total_bytes(),
            "programs": [
                {"key": e.key, "bytes": e.bytes, "last_used": _local_time(e.last_used)}
                for e in entries
            ],
        },
        args.out,
    )
    return 0


def _local_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
