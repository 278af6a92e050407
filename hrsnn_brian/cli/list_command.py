"""`hrsnn list`: the names the other commands take."""

import argparse
from collections.abc import Callable

from hrsnn_brian.cli.options import add_common
from hrsnn_brian.cli.output import Output, check_output_file
from hrsnn_brian.errors import InputError, unknown_name


def _tasks() -> dict[str, str]:
    from hrsnn_brian.tasks.registry import list_tasks

    return list_tasks()


def _recipes() -> dict[str, str]:
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


def _options() -> dict[str, str]:
    from hrsnn_brian.cli.options_list import groups

    return {kind: ", ".join(names) for kind, names in groups().items()}


OPTIONS, FORMERLY = "options", {"methods": "recipes"}
LISTS: dict[str, tuple[str, Callable[[], dict[str, str]]]] = {
    "tasks": ("what a network is evaluated on", _tasks),
    "recipes": ("how it is pruned", _recipes),
    "studies": ("what hrsnn study runs", _studies),
    "figures": ("what hrsnn figure draws", _figures),
    "presets": ("parameters of networks", _presets),
    OPTIONS: ("what --set changes: hrsnn list options NAME, a recipe, task, study ...", _options),
    "systems": ("flows, maps and networks whose exponents are measured", _systems),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="WHAT", help=", ".join(LISTS))
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="with options: a recipe, task, study (or FILE.py), preset (or FILE.toml), ...",
    )
    add_common(parser, "also write the list to this file, as JSON")


def run(args: argparse.Namespace, output: Output) -> int:
    what = FORMERLY.get(args.what, args.what)
    if what is not None and what not in LISTS:
        raise unknown_name("list", what, LISTS)
    if args.name is not None and what != OPTIONS:
        raise InputError("list", args.name, f"only hrsnn list {OPTIONS} takes a name")
    check_output_file(args.out, [".json"])
    if args.name is not None:
        from hrsnn_brian.cli.options_list import options_of
        from hrsnn_brian.settings.listing import listed

        entries = options_of(args.name)
        for line in listed(entries):
            output.say(line)
        output.result({"options": entries, "of": args.name}, args.out)
        return 0
    if what is None:
        name, found = "lists", {name: description for name, (description, _) in LISTS.items()}
    else:
        name, found = args.what, LISTS[what][1]()
    width = max(map(len, found), default=0)
    for key, description in found.items():
        output.say(f"{key:<{width}}  {description}")
    output.result({name: found}, args.out)
    return 0
