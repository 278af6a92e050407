"""`hrsnn tune`: settings of the network that score best on validation blocks, as a preset file."""

import argparse
import math
import shlex
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, add_settings, default_jobs, user_path, whole
from hrsnn_brian.cli.output import Output, check_output_file

if TYPE_CHECKING:
    from hrsnn_brian.runs.tune import Tuned

_SHOWN = 5  # of the trials, the best ones
_IMAGES = ("data", "train", "test")  # settings that the study has, too


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--task", action="append", required=True, help="see hrsnn list tasks; may be repeated"
    )
    parser.add_argument(
        "--trials", type=whole(1), default=40, help="settings tried (default 40), the start's first"
    )
    add_settings(parser, "a range such as J=0.05,0.15, seeds=3, preset=P or network.N=1000", "tune")
    parser.add_argument(
        "--run",
        type=user_path,
        metavar="DIR",
        help="the run directory (default: runs/tune-TASK-seedS, or the next free number of it); "
        "an unfinished run of the same settings and code is resumed",
    )
    add_common(parser, "the preset file to write, PRESET.toml", out_required=True)


def run(args: argparse.Namespace, output: Output) -> int:
    check_output_file(args.out, [".toml"])
    from hrsnn_brian.runs.tune import PRESET, TABLE, tune

    found = tune(
        args.task,
        args.trials,
        args.settings,
        seed=args.seed,
        jobs=default_jobs(args.jobs),
        device=args.device,
        run=args.run,
    )
    found.save(args.out)
    output.say(_shown(found))
    output.say()
    output.say(f"trials in {found.path / 'tables' / TABLE}")
    output.say(f"wrote {args.out}; validation blocks chose it, so confirm it on fresh seeds:")
    output.say(_confirming(args))
    output.result(
        {
            "command": "tune",
            "tasks": args.task,
            "seed": args.seed,
            "run": found.path,
            "trials": found.trials,
            "best": found.best,
            "gain": found.gain,
            "parameters": found.params.to_dict(),
            "files": [args.out, found.path / PRESET, found.path / "tables" / TABLE],
        }
    )
    return 0


def _confirming(args: argparse.Namespace) -> str:
    """The study on the same tasks and images, of seeds that chose nothing."""
    chosen = [f"presets=default,{args.out}", f"tasks={','.join(args.task)}"]
    chosen += [word for word in args.settings or [] if word.partition("=")[0] in _IMAGES]
    return " ".join(["hrsnn study tuning --seed N", *(f"--set {shlex.quote(c)}" for c in chosen)])


def _shown(found: "Tuned") -> str:
    """The trial one starts from, then the best ones."""
    from hrsnn_brian.files.tables import text_table

    names = [name for name in found.rows[0] if name not in ("seed", "objective", "best_so_far")]
    objective = {row["trial"]: row["objective"] for row in found.rows}
    numbers = (number for number in objective if math.isfinite(objective[number]))
    best = sorted(numbers, key=lambda number: -objective[number])[:_SHOWN]
    by_trial = [
        row for number in dict.fromkeys([0, *best]) for row in found.rows if row["trial"] == number
    ]
    return text_table([[row[name] for name in names] for row in by_trial], names)
