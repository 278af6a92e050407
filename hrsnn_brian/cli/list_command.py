"""`hrsnn list`: the names the other commands take."""

import argparse
from importlib import import_module

from hrsnn_brian.cli.options import add_common
from hrsnn_brian.cli.output import Output, check_output_file
from hrsnn_brian.errors import InputError, unknown_name

OPTIONS, FORMERLY = "options", {"methods": "recipes"}
# what is listed: in words, and the function that lists it
LISTS = {
    "tasks": ("what a network is evaluated on", "tasks.registry:list_tasks"),
    "recipes": ("how it is pruned", "pruning.recipes:list_recipes"),
    "studies": ("what hrsnn study runs", "runs.study:list_studies"),
    "figures": ("what hrsnn figure draws", "figures.registry:list_figures"),
    "plots": ("what hrsnn plot draws of a network", "dynamics.portrait:list_plots"),
    "presets": ("parameters of networks", "network.presets:list_presets"),
    OPTIONS: (
        "what --set changes: hrsnn list options NAME, a recipe, task, study ...",
        "cli.options_list:list_groups",
    ),
    "systems": (
        "flows, maps and networks whose exponents are measured",
        "dynamics.exponents.validation:list_systems",
    ),
}


def _listed(what: str) -> dict[str, str]:
    module, _, function = LISTS[what][1].partition(":")
    found: dict[str, str] = getattr(import_module(f"hrsnn_brian.{module}"), function)()
    return found


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
        name, found = args.what, _listed(what)
    width = max(map(len, found), default=0)
    for key, description in found.items():
        output.say(f"{key:<{width}}  {description}")
    output.result({name: found}, args.out)
    return 0
