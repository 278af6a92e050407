"""How a file of the user's own is read: the options of all commands that take one."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrsnn_brian.tasks.series import Reading

OF_READING = ("sep", "decimal", "time", "stuck", "irregular")


def add_column(group: Any, what: str) -> None:
    """--column, which is `what`."""
    group.add_argument(
        "--column",
        metavar="NAME",
        action="append",
        help=f"{what}; for several give a,b or repeat it",
    )


def add_reading(group: Any) -> None:
    """The options of `OF_READING`."""
    group.add_argument(
        "--sep", help='between cells: a character, "tab" or "space" (default: found)'
    )
    group.add_argument("--decimal", help="decimal mark, . or , (default: found)")
    group.add_argument("--time", metavar="NAME", help="the column of times (default: looked for)")
    group.add_argument(
        "--stuck", metavar="ROWS", help="equal values on end that are cut out; 0 for none"
    )
    group.add_argument(
        "--irregular", metavar="SHARE", help="of time steps, up to which each is a cut (0.05)"
    )


def reading(args: argparse.Namespace) -> "Reading":
    """What they say. Raises InputError for a value that is none."""
    from hrsnn_brian.settings.reader import assignments
    from hrsnn_brian.tasks.series import Reading

    numbers = {name: getattr(args, name) for name in ("stuck", "irregular")}
    set_by_text = [f"{name}={text}" for name, text in numbers.items() if text is not None]
    marks = {"sep": args.sep, "decimal": args.decimal, "time": args.time}
    return Reading(**marks, **assignments(Reading.keys(), set_by_text))
