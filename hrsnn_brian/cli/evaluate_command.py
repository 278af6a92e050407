"""`hrsnn evaluate`: readouts on the states of a saved network, scored beside their controls."""

import argparse
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.errors import InputError

if TYPE_CHECKING:
    from hrsnn_brian.tasks.task import Task

SERIES_TASKS = ("google", "wind")
_SIZE_AND_COST = (
    "neurons",
    "synapses",
    "keep",
    "density",
    "rate_hz",
    "silent_fraction",
    "synaptic_ops_per_s",
    "readout_ops_per_s",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", help="the network to evaluate")
    parser.add_argument("--task", help="see hrsnn list tasks; not needed with --data")
    parser.add_argument(
        "--data", type=user_path, metavar="FILE.csv", help="your own series, scored like wind"
    )
    parser.add_argument("--column", metavar="NAME", help="the column of --data to predict")
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

    task = _task(args)
    network = load_network(args.network)
    engine = make_engine(args.device)

    from hrsnn_brian.evaluation import evaluate

    note(f"{task.name}: {task.n_samples} samples, controls included")
    with activity_noted():
        evaluation = evaluate(network, task, engine=engine, seed=args.seed)
    rows, primary = evaluation.rows(), evaluation.primary()
    output.say(describe(network))
    output.say(
        f"rate {primary['rate_hz']:.3g} Hz, "
        f"{primary['synaptic_ops_per_s']:.3g} synaptic operations/s on {task.name}"
    )
    output.say(_table(rows, task))
    result = {
        "command": "evaluate",
        "task": task.name,
        "seed": args.seed,
        **network_facts(network),
        "rate_hz": primary["rate_hz"],
        "saturated_fraction": evaluation.saturated_fraction,
        "synaptic_ops_per_s": primary["synaptic_ops_per_s"],
        "readout": primary["readout"],
        "scores": scores_of(primary),
        "rows": rows,
        "engine": engine_facts(engine),
    }
    if args.out is not None and args.out.endswith(".csv"):
        _write_rows(args.out, rows, task)
        output.say(f"wrote {args.out}")
        output.result(result)
    else:
        output.result(result, args.out)
    return 0


def _task(args: argparse.Namespace) -> "Task":
    from hrsnn_brian.tasks.registry import get_task, own_series_task

    if (args.data is None) != (args.column is None):
        raise InputError("--data, --column", (args.data, args.column), "give both or none")
    if args.data is None:
        if args.task is None:
            raise InputError("--task", None, "give a task, or --data and --column")
        return get_task(args.task, args.seed)
    if args.task is not None:
        get_task(args.task, args.seed)  # names the nearest if unknown
        if args.task not in SERIES_TASKS:
            allowed = f"with --data, give no task or one of {', '.join(SERIES_TASKS)}"
            raise InputError("--task", args.task, allowed)
    return own_series_task(args.data, args.column)


def scores_of(row: dict[str, Any]) -> dict[str, Any]:
    """The scores of an evaluation's row, without what identifies it and what it costs."""
    other = {"task", "model", "readout", *_SIZE_AND_COST}
    return {key: value for key, value in row.items() if key not in other}


def _table(rows: list[dict[str, Any]], task: "Task") -> str:
    from hrsnn_brian.runs.score_columns import scores_in, with_units
    from hrsnn_brian.runs.tables import text_table

    named = [with_units(row, task.unit) for row in rows]
    scores = scores_in(dict.fromkeys(key for row in named for key in row))
    lines = [
        [row["model"], row["readout"], *(row.get(score.column) for score in scores)]
        for row in named
    ]
    return text_table(lines, ["model", "readout", *(score.label for score in scores)])


def _write_rows(path: str, rows: list[dict[str, Any]], task: "Task") -> None:
    from hrsnn_brian.runs.atomic import write_text
    from hrsnn_brian.runs.score_columns import with_units
    from hrsnn_brian.runs.tables import table_text

    write_text(path, table_text([with_units(row, task.unit) for row in rows]))
