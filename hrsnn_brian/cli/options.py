"""Options the sub-commands share, and the checks of a single option's value."""

import argparse
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from hrsnn_brian.errors import HrsnnError, unknown_name

DEVICES = ("standalone", "cython", "numpy")


class UsageError(HrsnnError):
    """The command line itself cannot be read; one line, status 2."""


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=98)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and name the nearest valid option."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"formatter_class": _Help, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message.removesuffix('.')} (see {self.prog} --help)")

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Raises an error about the first of `words` this parser did not understand, if any."""
        if not words:
            return
        word = words[0].split("=")[0]
        if word.startswith("--"):
            known = [name for name in self._option_string_actions if name.startswith("--")]
            raise unknown_name("option", word, known)
        self.error(f"unexpected argument {words[0]!r}")


def add_common(parser: argparse.ArgumentParser, out: str, out_required: bool = False) -> None:
    """The common options; `out` says what this command writes there."""
    group = parser.add_argument_group("common options")
    group.add_argument(
        "--seed", type=whole(0), default=0, help="root of every random stream (default 0)"
    )
    group.add_argument(
        "--jobs", type=whole(1), help="processes of a study (default: usable cores, at most 8)"
    )
    group.add_argument(
        "--device",
        type=_device,
        default="standalone",
        help=f"{', '.join(DEVICES)} (default standalone: compiled C++)",
    )
    group.add_argument(
        "--threads",
        type=whole(1),
        default=1,
        help="threads of linear algebra (default 1; points of a study always run on one)",
    )
    group.add_argument("--out", type=user_path, required=out_required, help=out)
    group.add_argument(
        "--json", action="store_true", help="print one JSON object; all else to standard error"
    )


def add_settings(parser: argparse.ArgumentParser, what: str, where: str) -> None:
    """--set of `what`; where: the name of which `hrsnn list options` shows them."""
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"{what}, or a FILE.toml of such; may be repeated (hrsnn list options {where})",
    )


def user_path(text: str) -> str:
    """A path with `~` as the home folder, which shells leave alone in --option=~/path."""
    return os.path.expanduser(text)


def whole(low: int) -> Callable[[str], int]:
    """A reader of whole numbers from `low` on."""

    def read(text: str) -> int:
        try:
            if (value := int(text)) >= low:
                return value
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number >= {low}")

    return read


def number(text: str) -> float:
    """The number that a text is, NaN if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def fraction(text: str) -> float:
    """Reads a number in (0, 1]."""
    value = number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number in (0, 1]")
    return value


def _device(text: str) -> str:
    if text not in DEVICES:
        raise argparse.ArgumentTypeError(str(unknown_name("device", text, DEVICES)))
    return text


def default_jobs(given: int | None) -> int:
    """`--jobs`, or the usable cores up to 8."""
    from hrsnn_brian.files.machine import usable_cores

    return given if given is not None else min(usable_cores(), 8)
