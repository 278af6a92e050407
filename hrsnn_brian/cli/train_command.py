"""`hrsnn train`: a saved network shown a task's training input, its synapses learning."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, add_settings, user_path
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.cli.reading_options import add_column, add_reading
from hrsnn_brian.cli.task_options import task_of
from hrsnn_brian.errors import InputError

if TYPE_CHECKING:
    from hrsnn_brian.runs.progress import EngineProgress, Progress
    from hrsnn_brian.simulation import Engine

_PIECES = 20  # of a run, for the time left


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", help="the network to train")
    parser.add_argument("--task", help="whose training input is shown; instead of --data")
    parser.add_argument("--mode", default="stdp", help="how it learns (default stdp)")
    add_settings(parser, "an option of the mode, e.g. A_plus.mean=0.002", "stdp")
    parser.add_argument(
        "--task-set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the task, e.g. train=200; may be repeated (hrsnn list options TASK)",
    )
    parser.add_argument(
        "--data",
        type=user_path,
        metavar="PATH",
        help="folder or .npz file of an image task; without --task, a .csv file of your own",
    )
    own = parser.add_argument_group("your own series (--data FILE.csv), its training block shown")
    add_column(own, "what is shown")
    add_reading(own)
    add_common(parser, "the file to write, TRAINED.npz", out_required=True)


def run(args: argparse.Namespace, output: Output) -> int:
    check_output_file(args.out, [".npz"])
    if Path(args.out).resolve() == Path(args.network).resolve():
        raise InputError("--out", args.out, "is the network to train; give another file")

    from hrsnn_brian.cli.description import (
        activity_noted,
        describe,
        engine_facts,
        history_lines,
        network_facts,
    )
    from hrsnn_brian.evaluation.train import train
    from hrsnn_brian.network.io import load_network, save_network
    from hrsnn_brian.runs.progress import EngineProgress
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.training.train import mode_settings

    settings = mode_settings(args.mode, args.settings)
    task = task_of(args, args.task_set, "--task-set")
    network = load_network(args.network)
    engine = Engine(device=args.device)
    progress = _TrainingProgress(args.mode, engine, EngineProgress())
    note(f"{task.name}: {args.mode} on the training input, seed {args.seed}")
    for remark in task.remarks:
        note(f"warning: {remark}")
    with activity_noted():
        trained = train(
            network,
            task,
            args.mode,
            settings,
            engine=engine,
            seed=args.seed,
            on_run=progress.on_run,
        )
    save_network(trained.network, args.out)
    output.say(f"before  {describe(network)}")
    output.say(f"after   {describe(trained.network)}")
    for line in history_lines([trained.note]):
        output.say(line)
    output.say(f"wrote {args.out}")
    output.result(
        {
            "command": "train",
            "file": args.out,
            **network_facts(trained.network),
            **trained.note,
            "engine": engine_facts(engine),
        }
    )
    return 0


class _TrainingProgress:
    """A line with the time left for every piece of a run in which synapses learn."""

    def __init__(self, label: str, engine: "Engine", building: "EngineProgress") -> None:
        self._label, self._engine, self._building = label, engine, building
        self._progress: Progress | None = None
        engine.on_progress = self._on_engine

    def on_run(self, done: int, total: int) -> None:
        """So many of the runs are done; the first call begins them, the last one ends them."""
        from hrsnn_brian.runs.progress import Progress

        if self._progress is None:
            stats = self._engine.stats
            self._progress = Progress(
                self._label, _PIECES * total, overhead=lambda: stats.build_seconds
            )
        while self._progress.done < _PIECES * done:
            self._progress.advance()
        self._done = done

    def _on_engine(self, what: str, fraction: float) -> None:
        self._building(what, fraction)
        if what == "run" and self._progress is not None:
            pieces = _PIECES * self._done + int(_PIECES * min(fraction, 1.0))
            while self._progress.done < min(pieces, self._progress.total):
                self._progress.advance()
