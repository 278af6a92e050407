"""`hrsnn evaluate`: readouts on the states of a saved network, scored beside their controls."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common, add_settings, user_path, whole
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.cli.reading_options import add_column, add_reading
from hrsnn_brian.cli.task_options import add_prediction, task_of
from hrsnn_brian.errors import InputError, unknown_name

if TYPE_CHECKING:
    from hrsnn_brian.evaluation.evaluate import Evaluation
    from hrsnn_brian.files.tables import Table
    from hrsnn_brian.tasks.task import Task


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
    add_prediction(own)
    add_reading(own)
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
    task = task_of(args, args.settings)
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


def _confusions(evaluation: "Evaluation") -> dict[str, Any]:
    """Of a classification its classes and, by network and readout, what was taken for what."""
    if not evaluation.classes:
        return {}
    tables = [
        {"network": network, "readout": readout, "counts": evaluation.confusion(network, readout)}
        for network, readout in evaluation.fitted
    ]
    return {"classes": evaluation.classes, "confusions": tables}


def _shown(table: "Table", task: str) -> str:
    from hrsnn_brian.files.tables import text_table

    scores = table.schema.shown(task)
    lines = [
        [row["network"], row["readout"], *(row.get(score.name) for score in scores)]
        for row in table
    ]
    return text_table(lines, ["network", "readout", *(score.label for score in scores)])
