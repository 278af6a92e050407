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
    from hrsnn_brian.parameters.presets import list_presets

    return list_presets()


def _systems() -> dict[str, str]:
    from hrsnn_brian.exponents.validation import list_systems

    return list_systems()


LISTS: dict[str, Callable[[], dict[str, str]]] = {
    "tasks": _tasks,
    "methods": _methods,
    "studies": _studies,
    "figures": _figures,
    "presets": _presets,
    "systems": _systems,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help=", ".join(LISTS))
    add_common(parser, "also write the list to this file, as JSON")


def run(args: argparse.Namespace, output: Output) -> int:
    if args.what not in LISTS:
        raise unknown_name("list", args.what, LISTS)
    check_output_file(args.out, [".json"])
    found = LISTS[args.what]()
    width = max(map(len, found), default=0)
    for name, description in found.items():
        output.say(f"{name:<{width}}  {description}")
    output.result({args.what: found}, args.out)
    return 0
