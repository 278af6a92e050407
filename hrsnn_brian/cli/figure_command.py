"""`hrsnn figure`: draws figures again from the tables of a run, without simulating."""

import argparse
from pathlib import Path

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, note
from hrsnn_brian.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("figure", metavar="NAME|all", help="see hrsnn list figures")
    parser.add_argument(
        "--run", type=user_path, required=True, help="the run directory whose tables to draw"
    )
    add_common(parser, "folder for the PDF, SVG and PNG (default: RUN/figures)")


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.figures.registry import draw_figure, drawable
    from hrsnn_brian.runs.so_far import so_far

    path = Path(args.run)
    if not (path / "config.toml").is_file():
        raise InputError("--run", args.run, "is not a run directory (it holds no config.toml)")
    folder = Path(args.out) if args.out is not None else path / "figures"
    with so_far(path) as (view, missing):
        names = drawable(view) if args.figure == "all" else [args.figure]
        if not names:
            said = f"holds no table that a figure is drawn from{missing and '; '}{missing}"
            raise InputError("--run", args.run, said)
        files = [file for name in names for file in draw_figure(name, view, folder, missing)]
        if missing:
            note(f"{path}: {missing}")
    for file in files:
        output.say(str(file))
    output.result({"run": path, "files": files})
    return 0
