"""`hrsnn watch`: the progress of a run that other processes compute, here or elsewhere."""

import argparse
import time
from pathlib import Path

from hrsnn_brian.cli.options import add_common, user_path, whole
from hrsnn_brian.cli.output import Output, check_output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=user_path, metavar="RUN", help="a run directory")
    parser.add_argument(
        "--every", type=whole(1), default=5, metavar="SECONDS", help="look that often (default 5)"
    )
    parser.add_argument("--once", action="store_true", help="say how it stands and end")
    add_common(parser, "also write how it stands at the end to this file, as JSON")


def run(args: argparse.Namespace, output: Output) -> int:
    """0 when the run is done, or with --once; 1 when nobody works at it any more."""
    check_output_file(args.out, [".json"])
    from hrsnn_brian.runs.status import status_of

    path, said = Path(args.run), ""
    while True:
        status = status_of(path)
        if status.line() != said:
            said = status.line()
            output.say(said)
        if args.once or not status.workers:
            break
        time.sleep(args.every)
    if status.state != "done" and not status.workers:
        output.say("nobody works at it; the command that began it resumes it")
    output.result({"command": "watch", **vars(status)}, args.out)
    return 0 if args.once or status.state == "done" else 1
