"""`hrsnn predict`: new data through a saved network and readout, nothing trained again."""

import argparse
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common, user_path, whole
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.cli.reading_options import OF_READING, add_column, add_reading, reading
from hrsnn_brian.errors import InputError

if TYPE_CHECKING:
    from hrsnn_brian.evaluation.model import Model
    from hrsnn_brian.tasks.class_predictor import ClassPrediction
    from hrsnn_brian.tasks.series_prediction import SeriesPrediction

_PRINTED = 10  # rows, the last ones; all are in the file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL.npz", help="what hrsnn evaluate --save wrote")
    parser.add_argument(
        "--data",
        type=user_path,
        required=True,
        metavar="PATH",
        help="a series: a .csv file; images: the folder of the set (its test images), "
        "a .npy file, or an .npz of x (and y) or x_test (and y_test)",
    )
    parser.add_argument("--network", metavar="NET.npz", help="make sure the model is of this one")
    own = parser.add_argument_group("a series (--data FILE.csv)")
    add_column(own, "what the network is shown (default: the columns it was trained on)")
    add_reading(own)
    own.add_argument(
        "--free",
        type=whole(1),
        metavar="STEPS",
        help="also run so many samples on from the last row, on its own predictions",
    )
    add_common(parser, "also write the predictions (.csv) or the whole result (.json) to this file")
    parser.set_defaults(seed=None)  # the model's own


def run(args: argparse.Namespace, output: Output) -> int:
    check_output_file(args.out, [".csv", ".json"])
    from hrsnn_brian.cli.description import describe, engine_facts, make_engine, network_facts
    from hrsnn_brian.evaluation.model import load_model
    from hrsnn_brian.network.io import load_network
    from hrsnn_brian.runs.progress import Stages

    model = load_model(args.model)
    if args.network is not None:
        model.require_network(load_network(args.network), "--network")
    if args.seed not in (None, model.seed):
        raise InputError("--seed", args.seed, f"the model is of seed {model.seed}")
    data = _data(args, model)
    engine = make_engine(args.device)
    note(f"{model.readout} on {model.task}, seed {model.seed}; nothing is trained")
    with Stages(lambda: engine.stats.build_seconds) as watch:
        found = model.predict(data, engine=engine, free=args.free or 0, watch=watch)
    for remark in found.remarks:
        note(f"warning: {remark}")
    rows = found.table()
    output.say(describe(model.network))
    output.say(_shown(rows))
    output.say(_scored(found))
    result = {
        "command": "predict",
        "model": args.model,
        "data": args.data,
        "task": model.task,
        "readout": model.readout,
        "seed": model.seed,
        "trained_scores": model.scores,
        **network_facts(model.network),
        "warnings": list(found.remarks),
        "scored": found.scored,
        "scores": {score.name: score for score in found.scores},
        "rows": rows,
        "engine": engine_facts(engine),
    }
    from hrsnn_brian.files.schema import schema_of

    output.table_or_result(rows, result, args.out, schema_of(rows, found.columns()))
    return 0


def _data(args: argparse.Namespace, model: "Model") -> Any:
    """The data as the model takes it."""
    from hrsnn_brian.tasks.class_predictor import ClassPredictor
    from hrsnn_brian.tasks.series_predictor import SeriesPredictor

    if isinstance(model.predictor, SeriesPredictor):
        return model.predictor.read(args.data, args.column, reading(args))
    for name in ("column", *OF_READING, "free"):
        if getattr(args, name) is not None:
            allowed = f"is about a series; the model is of {model.task}"
            raise InputError(f"--{name}", getattr(args, name), allowed)
    assert isinstance(model.predictor, ClassPredictor)
    return model.predictor.read(args.data)


def _shown(rows: list[dict[str, Any]]) -> str:
    from hrsnn_brian.files.schema import columns_of
    from hrsnn_brian.files.tables import text_table

    header = columns_of(rows)
    return text_table([[row.get(name) for name in header] for row in rows[-_PRINTED:]], header)


def _scored(found: "SeriesPrediction | ClassPrediction") -> str:
    """The scores in a line each, with their units."""
    if not found.scores:
        return "nothing to score by"
    lines = [f"scores of {found.scored} rows:"]
    for score in found.scores:
        unit = "" if score.unit in ("", "1") else f" {score.unit}"
        value = score.value if isinstance(score.value, str) else f"{score.value:.4g}{unit}"
        lines.append(f"  {score.label}: {value}")
    return "\n".join(lines)
