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


class TableError(InputError):
    """A table does not hold what is asked of it: a column, a number, one value per seed."""


class SizeOutOfReachError(InputError):
    """A network of the size asked for cannot be made from this one."""


class EngineError(HrsnnError, RuntimeError):
    """The simulation engine failed: a build, a run or an assumption about Brian's internals."""


class CompilerMissingError(EngineError):
    """No C++ compiler on the path; the message says what to install and what works meanwhile."""


class StudyError(HrsnnError, RuntimeError):
    """A study's own code failed at a point; the message names the point and the line."""


class PointsFailedError(StudyError):
    """Some points of a run failed, and all others are finished; ends a command with status 3."""


class WorkerKilledError(EngineError):
    """A worker process was killed at the same work again and again."""


# Near enough to be a slip of the pen; farther names are not offered. [our choice]
_SIMILAR = 0.6


def unknown_name(argument: str, value: str, known: Iterable[str]) -> InputError:
    """An `InputError` for a name that is not in `known`: the nearest, if one is near, and all."""
    names = sorted(known)
    near = _nearest(value.lower(), names)
    hint = "unknown; " if near is None else f"unknown; did you mean {near!r}? "
    return InputError(argument, value, f"{hint}known: {', '.join(names) or 'none'}")


def _nearest(value: str, names: list[str]) -> str | None:
    """The name most like `value` in whatever case, or the first that begins with it."""
    lower = {name.lower(): name for name in names}
    near = get_close_matches(value, lower, n=1, cutoff=_SIMILAR)
    near += [name for name in lower if len(value) > 2 and name.startswith(value)]
    return lower[near[0]] if near else None
