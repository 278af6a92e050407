"""`hrsnn cache`: the compiled programs on disk, and what was learnt from images."""

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
    from hrsnn_brian.tasks.images.kept import ImageCache

    check_output_file(args.out, [".json"])
    caches = {"programs": ProgramCache(), "images": ImageCache()}
    removed = dict.fromkeys(caches, 0)
    if args.clear:
        freed = sum(cache.total_bytes() for cache in caches.values())
        removed = {what: cache.clear() for what, cache in caches.items()}
        what = f"{removed['programs']} programs, {removed['images']} folders about images"
        output.say(f"removed {what}, {freed / 1e6:.1f} MB")
    found = {what: cache.entries() for what, cache in caches.items()}
    for what, entries in found.items():
        megabytes = sum(e.bytes for e in entries) / 1e6
        number = f"{len(entries)} {what if what == 'programs' else 'folders'}"
        output.say(f"{caches[what].root}: {number}, {megabytes:.1f} MB")
        if entries:
            rows = [(e.key, e.bytes / 1e6, _local_time(e.last_used)) for e in entries]
            output.say(text_table(rows, [what, "MB", "last used"]))
    output.result(
        {
            "root": caches["programs"].root,
            "removed": sum(removed.values()),
            "total_bytes": sum(e.bytes for entries in found.values() for e in entries),
            **{
                what: [
                    {"key": e.key, "bytes": e.bytes, "last_used": _local_time(e.last_used)}
                    for e in entries
                ]
                for what, entries in found.items()
            },
        },
        args.out,
    )
    return 0


def _local_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
