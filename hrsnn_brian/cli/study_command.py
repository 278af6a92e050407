"""`hrsnn study`: a study of the package, or of the user's own file, into a run directory."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, add_settings
from hrsnn_brian.cli.output import Output, note
from hrsnn_brian.cli.running_options import add_running, executor_of, shard_of

if TYPE_CHECKING:
    from hrsnn_brian.runs.estimate import Estimate
    from hrsnn_brian.runs.runner import Plan, StudyRun

RUN_DIRECTORY = (
    "the run directory (default: runs/STUDY-PRESET-seedS, or the next free number of it); "
    "an unfinished run of the same settings, code and files is resumed"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="NAME|FILE.py", help="see hrsnn list studies")
    parser.add_argument("--preset", help="of the study (default: its first, usually quick)")
    add_settings(parser, "an option of the study or its network, e.g. seeds=10", "NAME")
    add_running(parser)
    add_common(parser, RUN_DIRECTORY)


def run(args: argparse.Namespace, output: Output) -> int:
    run_named(args, args.study, output)
    return 0


def run_named(
    args: argparse.Namespace,
    study: str,
    output: Output,
    more: Callable[[Path], list[Path]] = lambda run: [],
) -> None:
    """Runs the study of that name or file as the options say, and reports.

    more: files written when the run is finished, from its directory.
    """
    from hrsnn_brian.runs.runner import plan_study
    from hrsnn_brian.runs.study import load_study

    plan = plan_study(
        load_study(study),
        preset=args.preset,
        overrides=args.settings,
        seed=args.seed,
        device=args.device,
    )
    run_plan(args, plan, output, more)


def run_plan(
    args: argparse.Namespace,
    plan: "Plan",
    output: Output,
    more: Callable[[Path], list[Path]] = lambda run: [],
) -> None:
    """Runs `plan` where, and as far as, the options of `add_running` say, and reports."""
    from hrsnn_brian.runs.runner import estimate_study, run_study

    shard = shard_of(args)
    with executor_of(args) as executor:
        if args.dry_run:
            _say(estimate_study(plan, executor, args.out, shard), output)
            return
        found = run_study(
            plan,
            jobs=executor,
            out=args.out,
            fresh=args.fresh,
            draw=draw,
            shard=shard,
            retry_failed=args.retry_failed,
        )
    files = [*found.files, *more(found.path)] if found.files else []
    report(replace(found, files=files), output)


def _say(found: "Estimate", output: Output) -> None:
    output.say(str(found))
    told = {"wall_seconds": found.wall_s, "disk": found.disk, "warnings": list(found.shortages())}
    output.result({**vars(found), **told})


def draw(name: str, run: Path) -> list[Path]:
    """Draws a figure of a finished run, if it has rows for it."""
    from hrsnn_brian.figures.registry import draw_figure, drawable

    if name not in drawable(run):
        note(f"no figure {name}: the run has no rows for it")
        return []
    return draw_figure(name, run)


def report(result: "StudyRun", output: Output) -> None:
    """Says what a finished run holds and where."""
    from hrsnn_brian.runs.progress import clock_text

    study, points = result.plan.study, len(result.plan.points)
    if study.summary is not None and result.files:
        output.say(study.summary(result.rows))
        output.say()
    cost = result.engine
    work = f"{result.computed} of {points} points computed in {clock_text(result.seconds)}"
    if cost:
        work += f"; {cost['builds']} builds ({cost['build_seconds']:.0f} s), {cost['runs']} runs"
    output.say(work)
    for file in result.files:
        output.say(str(file))
    output.result(
        {
            "study": study.name,
            "run": result.path,
            "points": points,
            "points_computed": result.computed,
            "wall_seconds": result.seconds,
            "engine": cost,
            "files": result.files,
        }
    )
