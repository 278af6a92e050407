"""`hrsnn reproduce`: the paper's claim end to end, from nothing to tables, figures and a report."""

import argparse
from pathlib import Path

from hrsnn_brian.cli.options import add_common, add_settings
from hrsnn_brian.cli.output import Output
from hrsnn_brian.cli.running_options import add_running
from hrsnn_brian.cli.study_command import RUN_DIRECTORY, run_named

STUDY = "reproduce"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", help="quick (default): minutes on two cores; paper: hours")
    add_settings(parser, "an option of the study or its network, e.g. seeds=10", STUDY)
    add_running(parser)
    add_common(parser, RUN_DIRECTORY)


def run(args: argparse.Namespace, output: Output) -> int:
    run_named(args, STUDY, output, more=lambda run: _report(run, output))
    return 0


def _report(run: Path, output: Output) -> list[Path]:
    """Writes the page of the run, and says the verdicts on all claims."""
    from hrsnn_brian.cli.report_command import FILE, verdicts_of, write_report
    from hrsnn_brian.report.report import overview
    from hrsnn_brian.report.run_facts import read_run

    found, _ = verdicts_of([read_run(run)], [])
    output.say(f"{overview(found)}\n")
    return [write_report([str(run)], run / FILE)]
