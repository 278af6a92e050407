"""`hrsnn join`: shards of a run, or repeats of it with other seeds, as one run."""

import argparse
from pathlib import Path

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", type=user_path, metavar="RUN", help="run directories of one study"
    )
    add_common(parser, "the run directory to make, or to add to", out_required=True)


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.cli.study_command import draw, report
    from hrsnn_brian.runs.join import join_runs

    runs = [Path(run) for run in args.runs]
    found, missing = join_runs(runs, Path(args.out), draw)
    if found is not None:
        report(found, output)
        return 0
    output.say(
        f"{args.out}: {missing} points are missing yet; join it with the runs that have them"
    )
    output.result({"command": "join", "runs": args.runs, "run": args.out, "missing": missing})
    return 0
