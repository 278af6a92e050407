"""`hrsnn reproduce`: the main study, from nothing to a figure and a table."""

import argparse

from hrsnn_brian.cli.options import add_common, add_settings
from hrsnn_brian.cli.output import Output
from hrsnn_brian.cli.running_options import add_running
from hrsnn_brian.cli.study_command import RUN_DIRECTORY, run_named

MAIN_STUDY = "pruning_curve"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", help="quick (default): minutes on two cores; paper: hours")
    add_settings(parser, "an option of the study or its network, e.g. seeds=10", MAIN_STUDY)
    add_running(parser)
    add_common(parser, RUN_DIRECTORY)


def run(args: argparse.Namespace, output: Output) -> int:
    run_named(args, MAIN_STUDY, output)
    return 0
