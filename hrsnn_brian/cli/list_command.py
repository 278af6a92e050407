"""`hrsnn list`: the names the other commands take."""

import argparse
from collections.abc import Callable

from hrsnn_brian.cli.options import add_common
from hrsnn_brian.cli.output import Output, check_output_file
from hrsnn_brian.errors import unknown_name


def _tasks() -> dict[str, str]:
    from hrsnn_brian.tasks.registry import list_tasks

    return list_tasks()


def _methods() -> dict[str, str]:
    from hrsnn_brian.pruning.recipes import list_recipes

    return list_recipes()


def _studies() -> dict[str, str]:
    from hrsnn_brian.runs.study import list_studies

    return list_studies()


def _figures() -> dict[str, str]:
    from hrsnn_brian.figures.registry import list_figures

    return list_figures()


def _presets() -> dict[str, str]:
    from hrsnn_brian.network.presets import list_presets

    return list_presets()


def _systems() -> dict[str, str]:
    from hrsnn_brian.dynamics.exponents.validation import list_systems

    return list_systems()


LISTS: dict[str, tuple[str, Callable[[], dict[str, str]]]] = {
    "tasks": ("what a network is evaluated on", _tasks),
    "methods": ("how it is pruned", _methods),
    "studies": ("what hrsnn study runs", _studies),
    "figures": ("what hrsnn figure draws", _figures),
    "presets": ("parameters of networks", _presets),
    "systems": ("flows, maps and networks whose exponents are measured", _systems),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="WHAT", help=", ".join(LISTS))
    add_common(parser, "also write the list to this file, as JSON")


def run(args: argparse.Namespace, output: Output) -> int:
    if args.what is not None and args.what not in LISTS:
        raise unknown_name("list", args.what, LISTS)
    check_output_file(args.out, [".json"])
    if args.what is None:
        name, found = "lists", {name: description for name, (description, _) in LISTS.items()}
    else:
        name, found = args.what, LISTS[args.what][1]()
    width = max(map(len, found), default=0)
    for key, description in found.items():
        output.say(f"{key:<{width}}  {description}")
    output.result({name: found}, args.out)
    return 0
