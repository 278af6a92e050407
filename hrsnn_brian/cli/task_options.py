"""The task a command is given: one by name, or a series of the user's own."""

import argparse
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.reading_options import OF_READING, reading
from hrsnn_brian.errors import InputError

if TYPE_CHECKING:
    from hrsnn_brian.tasks.task import Task

_PREDICTED = ("target", "horizons", "unit")
# of a series of one's own: they mean nothing with --task
_OF_DATA = ("column", *_PREDICTED, *OF_READING)


def add_prediction(group: Any) -> None:
    """The options of what is predicted of a series, and how it is scored."""
    group.add_argument("--target", metavar="NAME", help="predict only this one of several columns")
    group.add_argument(
        "--horizons", type=_horizons, metavar="1,6,24", help="in rows (default: those of wind)"
    )
    group.add_argument("--unit", help="of the column, such as m/s; 1 for none (default: its name)")


def task_of(args: argparse.Namespace, settings: Sequence[str], option: str = "--set") -> "Task":
    """The task of --task, or of --data and --column. settings: of the task, given by `option`.

    Raises InputError for what is unknown, missing, or means nothing beside the rest.
    """
    if args.task is None and args.data is None:
        raise InputError("--task", None, "give a task, or --data and --column")
    labels = getattr(args, "labels", None)
    if args.task is not None:
        return _named(args, settings, labels)
    for name, given in ((option, next(iter(settings), None)), ("--labels", labels)):
        if given is not None:
            raise InputError(name, given, "is about a task, not a file of your own")
    return _own(args)


def _named(args: argparse.Namespace, settings: Sequence[str], labels: str | None) -> "Task":
    from hrsnn_brian.tasks.registry import get_task, task_options

    known = task_options(args.task).keys().fields
    if args.data is not None and "data" not in known:
        allowed = f"contradicts --data {args.data}; give one of the two"
        raise InputError("--task", args.task, allowed)
    for name in _OF_DATA:
        if (given := getattr(args, name, None)) is not None:
            allowed = "is about a file of your own: give --data, and no --task"
            shown = ",".join(given) if isinstance(given, list) else given
            raise InputError(f"--{name}", shown, allowed)
    if labels is not None and "labels" not in known:
        allowed = f"is nothing that can be chosen of task {args.task}"
        raise InputError("--labels", labels, allowed)
    both = {"data": args.data, "labels": labels}
    chosen = {name: value for name, value in both.items() if value is not None}
    return get_task(args.task, args.seed, settings, **chosen)


def _own(args: argparse.Namespace) -> "Task":
    from hrsnn_brian.tasks.real_series import own_series_task

    if args.column is None:
        raise InputError("--column", None, "name the columns of --data")
    options = {name: getattr(args, name, None) for name in _PREDICTED}
    chosen = {name: value for name, value in options.items() if value is not None}
    with warnings.catch_warnings():  # remarks of the task, which the command tells in a line each
        warnings.simplefilter("ignore")
        return own_series_task(args.data, args.column, reading(args), **chosen)


def _horizons(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"0*[1-9][0-9]{0,8}", part) for part in parts):
        allowed = "whole numbers of rows >= 1, such as 1,6,24"
        raise argparse.ArgumentTypeError(f"{text!r} is not {allowed}")
    return tuple(sorted({int(part) for part in parts}))
