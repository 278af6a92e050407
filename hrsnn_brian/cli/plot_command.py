"""`hrsnn plot`: dynamics plots of one network, or of two side by side."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common, number, user_path
from hrsnn_brian.cli.output import Output, note
from hrsnn_brian.errors import InputError

if TYPE_CHECKING:
    from hrsnn_brian.files.tables import Row

SECONDS = 10.0
ALL = "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", type=user_path, help="a saved network")
    parser.add_argument(
        "other", metavar="OTHER.npz", type=user_path, nargs="?", help="another one beside it"
    )
    parser.add_argument(
        "--kind", default=ALL, metavar="KIND,...|all", help="which plots (hrsnn list plots)"
    )
    add_activity(parser)
    add_common(parser, "folder for PDF, SVG, PNG and the drawn tables (default: NET-plots)")


def add_activity(parser: argparse.ArgumentParser) -> None:
    """The options of how a network's activity is looked at."""
    parser.add_argument(
        "--seconds",
        default=str(SECONDS),
        metavar="S",
        help=f"biological time of the activity (default {SECONDS:g})",
    )
    parser.add_argument(
        "--drive",
        default="independent",
        help="what the network gets: independent noise for each neuron (default), or common "
        "noise shown through its encoder",
    )


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.cli.description import activity_noted, make_engine
    from hrsnn_brian.dynamics.portrait import KINDS, Portrait
    from hrsnn_brian.figures.portraits import side_by_side
    from hrsnn_brian.figures.style import save
    from hrsnn_brian.files.tables import write_csv
    from hrsnn_brian.network.io import load_network

    asked = [kind.strip() for kind in args.kind.split(",")]
    kinds = list(KINDS) if asked == [ALL] else list(dict.fromkeys(asked))
    files = [args.network, *filter(None, [args.other])]
    seconds = read_seconds(args.seconds)
    stem = Path(args.network)
    folder = Path(args.out) if args.out else stem.with_name(f"{stem.stem}-plots")
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", str(folder), "is a file; give a folder")
    engine = make_engine(args.device)
    looks = [Portrait(load_network(file), engine, args.seed, seconds, args.drive) for file in files]
    looks[0].tables([])
    written: list[Path] = []
    names = [Path(file).stem for file in files]
    for done, kind in enumerate(kinds, 1):
        with activity_noted():
            tables = [look.tables([kind])[kind] for look in looks]
        written += save(side_by_side(kind, tables, names), folder, kind)
        written.append(folder / f"{kind}.csv")
        write_csv(written[-1], _rows(tables, names))
        note(f"plot {done}/{len(kinds)}: {kind}")
    for file in written:
        output.say(str(file))
    output.result({"networks": files, "kinds": kinds, "files": written})
    return 0


def read_seconds(text: str) -> float:
    """--seconds. Raises InputError unless it is a number >= 1."""
    seconds = number(text)
    if not 1 <= seconds < float("inf"):
        raise InputError("--seconds", text, "must be a number >= 1")
    return seconds


def _rows(tables: list[dict[str, Any]], names: list[str]) -> "list[Row]":
    return [
        {"network": name, **dict(zip(table, values, strict=True))}
        for name, table in zip(names, tables, strict=True)
        for values in zip(*(column.tolist() for column in table.values()), strict=True)
    ]
