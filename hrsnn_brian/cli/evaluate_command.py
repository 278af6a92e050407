"""`hrsnn evaluate`: readouts on the states of a saved network, scored beside their controls."""

import argparse
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common, add_settings, user_path, whole
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.cli.reading_options import OF_READING, add_column, add_reading, reading
from hrsnn_brian.errors import InputError, unknown_name

if TYPE_CHECKING:
    from hrsnn_brian.evaluation.evaluate import Evaluation
    from hrsnn_brian.files.tables import Table
    from hrsnn_brian.tasks.task import Task

# of a series of one's own: they mean nothing with --task
_OF_DATA = ("column", "target", *OF_READING, "horizons", "unit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", help="the network to evaluate")
    parser.add_argument("--task", help="see hrsnn list tasks; instead of --data")
    add_settings(parser, "an option of the task, e.g. starts=40", "TASK")
    parser.add_argument(
        "--data",
        type=user_path,
        metavar="PATH",
        help="folder or .npz file of an image task; without --task, a .csv file of your own",
    )
    parser.add_argument("--labels", help="which classes an image set is sorted into: fine, coarse")
    parser.add_argument(
        "--controls",
        choices=["all", "basic"],
        default="all",
        help="basic: without those at the network's own rate, in about half the time (default all)",
    )
    parser.add_argument(
        "--rivals", choices=["esn"], help="also a tuned echo-state network of as many units"
    )
    parser.add_argument("--trials", type=whole(1), help="settings tried for a rival (default: 40)")
    parser.add_argument(
        "--save",
        type=user_path,
        metavar="MODEL.npz",
        help="keep network and readout in this file, for hrsnn predict",
    )
    parser.add_argument(
        "--readout", metavar="NAME", help="the readout to save (default: the task's first)"
    )
    own = parser.add_argument_group("your own series (--data FILE.csv), scored like wind")
    add_column(own, "what is shown and predicted")
    own.add_argument("--target", metavar="NAME", help="predict only this one of several columns")
    add_reading(own)
    own.add_argument(
        "--horizons", type=_horizons, metavar="1,6,24", help="in rows (default: those of wind)"
    )
    own.add_argument("--unit", help="of the column, such as m/s; 1 for none (default: its name)")
    add_common(parser, "also write the rows (.csv) or the whole result (.json) to this file")


def run(args: argparse.Namespace, output: Output) -> int:
    check_output_file(args.out, [".csv", ".json"])
    from hrsnn_brian.cli.description import (
        activity_noted,
        describe,
        engine_facts,
        make_engine,
        network_facts,
    )
    from hrsnn_brian.network.io import load_network

    if args.trials is not None and args.rivals is None:
        raise InputError("--trials", args.trials, "has no effect without --rivals")
    task = _task(args)
    if args.rivals is not None:
        from hrsnn_brian.tasks.echo_state import check_rival

        check_rival(task)
    _check_save(args, task)
    network = load_network(args.network)
    engine = make_engine(args.device)

    from hrsnn_brian.evaluation.evaluate import evaluate
    from hrsnn_brian.evaluation.model import save_model
    from hrsnn_brian.files.tables import Table
    from hrsnn_brian.runs.progress import Stages

    note(f"{task.name}: {task.extent()}, step {task.step}, controls included")
    for remark in task.remarks:
        note(f"warning: {remark}")
    with activity_noted(), Stages(lambda: engine.stats.build_seconds) as watch:
        asked = task.readouts if args.readout is None else (*task.readouts, args.readout)
        evaluation = evaluate(
            network,
            task,
            engine=engine,
            seed=args.seed,
            readouts=tuple(dict.fromkeys(asked)),
            controls=args.controls,
            watch=watch,
        )
    rivals = _rivals(args, task, network.n_neurons)
    table, primary = Table([*evaluation.entries, *rivals]), evaluation.primary()
    output.say(describe(network))
    output.say(
        f"rate {primary['rate_hz']:.3g} Hz, "
        f"{primary['synaptic_ops_per_s']:.3g} synaptic operations/s on {task.name}"
    )
    output.say(_shown(table, task.name))
    for score in evaluation.scores().values():
        if isinstance(score.value, str):  # a remark
            note(f"warning: {score.value}")
    if args.save is not None:
        model = evaluation.model(args.readout)
        save_model(model, args.save)
        output.say(f"wrote {args.save}: {model.readout} on {task.name}, for hrsnn predict")
    result = {
        "command": "evaluate",
        "task": task.name,
        "settings": list(args.settings),
        "warnings": list(task.remarks),
        "seed": args.seed,
        **network_facts(network),
        "rate_hz": primary["rate_hz"],
        "saturated_fraction": evaluation.saturated_fraction,
        "synaptic_ops_per_s": primary["synaptic_ops_per_s"],
        "readout": primary["readout"],
        "scores": evaluation.scores(),
        "rows": table,
        "model": args.save,
        **_confusions(evaluation),
        "engine": engine_facts(engine),
    }
    output.table_or_result(table, result, args.out)
    return 0


def _check_save(args: argparse.Namespace, task: "Task") -> None:
    """Refuses, before any work, what could not be saved after it."""
    if args.save is None:
        if args.readout is not None:
            raise InputError("--readout", args.readout, "has no effect without --save")
        return
    check_output_file(args.save, [".npz"], "--save")
    if Path(args.save).resolve() == Path(args.network).resolve():
        raise InputError("--save", args.save, "is the network; give another file")
    from hrsnn_brian.evaluation.evaluate import readouts_of

    if args.readout is not None and args.readout not in readouts_of(task):
        raise unknown_name("--readout", args.readout, readouts_of(task))


def _rivals(args: argparse.Namespace, task: "Task", units: int) -> "list[dict[str, Any]]":
    if args.rivals is None:
        return []
    from hrsnn_brian.evaluation.rivals import rival_rows
    from hrsnn_brian.runs.progress import Progress
    from hrsnn_brian.tasks.echo_state import TRIALS

    trials = TRIALS if args.trials is None else args.trials
    with Progress("echo-state network", trials) as progress:
        return rival_rows(task, units, args.seed, trials, lambda *_: progress.advance())


def _task(args: argparse.Namespace) -> "Task":
    from hrsnn_brian.tasks.real_series import own_series_task
    from hrsnn_brian.tasks.registry import get_task, task_options

    if args.task is not None or args.data is None:
        if args.task is None:
            raise InputError("--task", None, "give a task, or --data and --column")
        known = task_options(args.task).keys().fields
        if args.data is not None and "data" not in known:
            allowed = f"contradicts --data {args.data}; give one of the two"
            raise InputError("--task", args.task, allowed)
        for name in _OF_DATA:
            if getattr(args, name) is not None:
                allowed = "is about a file of your own: give --data, and no --task"
                given = getattr(args, name)
                shown = ",".join(given) if isinstance(given, list) else given
                raise InputError(f"--{name}", shown, allowed)
        if args.labels is not None and "labels" not in known:
            allowed = f"is nothing that can be chosen of task {args.task}"
            raise InputError("--labels", args.labels, allowed)
        both = {"data": args.data, "labels": args.labels}
        chosen = {name: value for name, value in both.items() if value is not None}
        return get_task(args.task, args.seed, args.settings, **chosen)
    for option, given in (("--set", next(iter(args.settings), None)), ("--labels", args.labels)):
        if given is not None:
            raise InputError(option, given, "is about a task, not a file of your own")
    if args.column is None:
        raise InputError("--column", None, "name the column of --data to predict")
    options = {name: getattr(args, name) for name in ("horizons", "unit", "target")}
    given = {name: value for name, value in options.items() if value is not None}
    with warnings.catch_warnings():  # told by `run`, in a line each
        warnings.simplefilter("ignore")
        return own_series_task(args.data, args.column, reading(args), **given)


def _confusions(evaluation: "Evaluation") -> dict[str, Any]:
    """Of a classification its classes and, by network and readout, what was taken for what."""
    from hrsnn_brian.tasks.classifier import Classified

    found = [fit for fit in evaluation.fitted.values() if isinstance(fit, Classified)]
    if not found:
        return {}
    tables = [
        {"network": network, "readout": readout, "counts": evaluation.confusion(network, readout)}
        for network, readout in evaluation.fitted
    ]
    return {"classes": found[0].classes, "confusions": tables}


def _horizons(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"0*[1-9][0-9]{0,8}", part) for part in parts):
        allowed = "whole numbers of rows >= 1, such as 1,6,24"
        raise argparse.ArgumentTypeError(f"{text!r} is not {allowed}")
    return tuple(sorted({int(part) for part in parts}))


def _shown(table: "Table", task: str) -> str:
    from hrsnn_brian.files.tables import text_table

    scores = table.schema.shown(task)
    lines = [
        [row["network"], row["readout"], *(row.get(score.name) for score in scores)]
        for row in table
    ]
    return text_table(lines, ["network", "readout", *(score.label for score in scores)])
