"""`hrsnn sweep`: any settings against any others, without a line of code."""

import argparse
from typing import Any

from hrsnn_brian.cli.options import add_common, default_jobs, whole
from hrsnn_brian.cli.output import Output
from hrsnn_brian.cli.running_options import LOKY, add_running

_EXAMPLE = """values: 1,2,3  a list   0.05:0.3:6  six from .05 to .3   0.05:0.3:6:log  in ratios
        0.05:0.3  all between, for a design that draws or a search

example:
  hrsnn sweep --network tau_m.shape=1,2,3,5 --network J=0.05:0.3:6 --recipe lnp,frugal,none \\
      --size keep=0.05 --task mackey-glass-84,lorenz63-x --seeds 10
"""
_OUT = (
    "the run directory (default: runs/sweep-..., or the next free number of it); an unfinished "
    "run of the same settings, code and files is resumed"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLE
    parser.add_argument("file", nargs="*", metavar="FILE.toml", help="a sweep as a file")
    for part, named, settings in (
        ("network", "PRESETS", "options default"),
        ("recipe", "RECIPES", "options RECIPE; none: unpruned"),
        ("task", "TASKS", "options TASK"),
        ("size", "", "keep, density, synapses, neuron_fraction, neurons"),
    ):
        text = f"{named.lower()}, or " if named else ""
        parser.add_argument(
            f"--{part}",
            action="append",
            default=[],
            metavar=f"{named}|KEY=VALUES" if named else "KEY=VALUES",
            help=f"{text}settings with their values ({settings}); may be repeated",
        )
    parser.add_argument("--readout", metavar="NAMES", help="what readouts see (default spikes)")
    parser.add_argument("--seeds", type=whole(1), help="from --seed on (default 3)")
    parser.add_argument("--design", help="grid (default), random or sobol")
    parser.add_argument("--draws", type=whole(1), help="points of a design that draws (default 32)")
    parser.add_argument(
        "--search",
        action="append",
        metavar="trials=N",
        help="search the ranges on validation blocks in so many trials (method=sobol: no learning)",
    )
    add_running(parser)
    add_common(parser, _OUT)


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.runs.sweep import sweep_of

    sweep = sweep_of(*args.file, _table(args))
    if sweep.search is not None:
        return _search(args, sweep, output)
    from hrsnn_brian.cli.study_command import run_plan

    run_plan(args, sweep.plan(args.seed, args.device), output)
    return 0


def _table(args: argparse.Namespace) -> dict[str, Any]:
    from hrsnn_brian.runs.sweep import part_of, section_of
    from hrsnn_brian.runs.sweep_options import PARTS
    from hrsnn_brian.runs.sweep_search import SearchOptions

    table: dict[str, Any] = {}
    for part in PARTS:
        if words := getattr(args, part):
            table[part] = part_of(words, part)
    if args.readout is not None:
        table["readouts"] = [name.strip() for name in args.readout.split(",")]
    table |= {
        name: value
        for name in ("seeds", "design", "draws")
        if (value := getattr(args, name)) is not None
    }
    if args.search is not None:
        table["search"] = section_of(SearchOptions, args.search, "--search")
    return table


def _search(args: argparse.Namespace, sweep: Any, output: Output) -> int:
    from hrsnn_brian.errors import InputError
    from hrsnn_brian.files.tables import text_table

    for option in ("fresh", "dry_run", "retry_failed", "shard", "scheduler", "slurm"):
        if given := getattr(args, option):
            name = f"--{option.replace('_', '-')}"
            raise InputError(name, given, "is not for a search, whose trials follow each other")
    if args.executor != LOKY:
        raise InputError("--executor", args.executor, "a search runs on this machine: --jobs")
    found = sweep.searching(args.seed, default_jobs(args.jobs), args.device).found(args.out)
    header = list(found.best[0])
    output.say(text_table([[row.get(name) for name in header] for row in found.best], header))
    output.say()
    table = found.path / "tables" / "sweep_search.csv"
    output.say(f"the best of {sweep.search.trials} trials; all in {table}")
    output.say("validation blocks chose it: sweep its values on fresh seeds (--seed)")
    output.result({"study": "sweep", "run": found.path, "best": list(found.best), "files": [table]})
    return 0
