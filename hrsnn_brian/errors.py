"""Errors a user can meet. `InputError` ends a command with status 2 and one line."""

import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from difflib import get_close_matches

# What numpy, scipy and zipfile raise on a damaged or foreign file, by version and by damage.
UNREADABLE = (
    *(ValueError, TypeError, KeyError, EOFError, OSError, RuntimeError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)


class HrsnnError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(HrsnnError, ValueError):
    """What the user gave cannot be used: one line naming argument, value and what is allowed."""

    def __init__(self, argument: str, value: object, allowed: str) -> None:
        self.argument, self.value, self.allowed = argument, value, allowed
        super().__init__(f"{argument} = {value!r}: {allowed}")

    def __reduce__(self) -> tuple[type, tuple[str, object, str]]:
        return type(self), (self.argument, self.value, self.allowed)


class SizeOutOfReachError(InputError):
    """A network of the size asked for cannot be made from this one."""


class EngineError(HrsnnError, RuntimeError):
    """The simulation engine failed: a build, a run or an assumption about Brian's internals."""


class CompilerMissingError(EngineError):
    """No C++ compiler on the path; the message says what to install and what works meanwhile."""


def unknown_name(argument: str, value: str, known: Iterable[str]) -> InputError:
    """An `InputError` for a name that is not in `known`, naming the nearest valid one."""
    names = sorted(known)
    lower = {name.lower(): name for name in names}
    near = get_close_matches(value.lower(), lower, n=1, cutoff=0.0)
    hint = f"unknown; did you mean {lower[near[0]]!r}? " if near else "unknown; "
    return InputError(argument, value, f"{hint}known: {', '.join(names)}")
