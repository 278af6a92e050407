"""Where a command's words go: the result to standard output, all else to standard error."""

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from hrsnn_brian.errors import HrsnnError, InputError

if TYPE_CHECKING:
    from hrsnn_brian.files.schema import Schema
    from hrsnn_brian.files.tables import Row


class Output:
    """With `as_json`, standard output carries one JSON object and nothing else.

    Whatever a library or a child process prints to standard output meanwhile goes to standard
    error. Without it, `say` prints the result for people to standard output.
    """

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._stdout: TextIO | None = sys.stdout
        self._stack = ExitStack()

    def __enter__(self) -> "Output":
        if self._stdout is None:  # closed
            if self.as_json:
                raise HrsnnError("standard output is closed, where --json is to print")
            self._stdout = self._stack.enter_context(open(os.devnull, "w"))
            self._stack.enter_context(redirect_stdout(self._stdout))
        elif self.as_json:
            if self._is_descriptor_1():
                sys.stdout.flush()
                self._stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
                self._stack.callback(self._stdout.close)
                self._stack.callback(os.dup2, self._stdout.fileno(), 1)
                os.dup2(2, 1)
            self._stack.enter_context(redirect_stdout(sys.stderr))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _is_descriptor_1(self) -> bool:
        try:
            return self._stdout is not None and os.path.sameopenfile(self._stdout.fileno(), 1)
        except (OSError, ValueError):  # a stream in memory, or descriptor 1 is closed
            return False

    def say(self, text: str = "") -> None:
        """A line of the result for people."""
        print(text, file=sys.stderr if self.as_json else self._stdout, flush=True)

    def result(self, value: Mapping[str, Any], out: str | None = None) -> None:
        """The result for programs: printed with --json, and written to the file `out` if given."""
        from hrsnn_brian.files.atomic import plain, write_json

        if out is not None:
            write_json(out, value)
            self.say(f"wrote {out}")
        if self.as_json:
            text = json.dumps(plain(value), allow_nan=False)
            print(text, file=self._stdout, flush=True)

    def table_or_result(
        self,
        rows: "Sequence[Row]",
        value: Mapping[str, Any],
        out: str | None,
        schema: "Schema | None" = None,
    ) -> None:
        """The same, but a file `out` whose name ends in .csv gets the rows, as `write_csv` does."""
        if out is None or not out.endswith(".csv"):
            self.result(value, out)
            return
        from hrsnn_brian.files.tables import write_csv

        write_csv(out, rows, schema)
        self.say(f"wrote {out}")
        self.result(value)


def note(text: str) -> None:
    """A line about the work, never the result."""
    with suppress(OSError):  # nobody is left to be told
        print(text, file=sys.stderr, flush=True)


def check_output_file(path: str | None, suffixes: Sequence[str], option: str = "--out") -> None:
    """Refuses a file of that option that could not be written, before any work; None is fine.

    Raises InputError unless the name ends in one of `suffixes`, its folder exists and takes files.
    """
    if path is None:
        return
    from hrsnn_brian.runs.run_directory import require_writable

    target = Path(path)
    if target.suffix not in suffixes:
        raise InputError(option, path, f"must end in {' or '.join(suffixes)}")
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        kind = 0
    except OSError as error:
        raise InputError(option, path, f"cannot be written ({error.strerror})") from None
    if stat.S_ISDIR(kind):
        raise InputError(option, path, "is a directory; give a file name")
    if not target.absolute().parent.is_dir():
        raise InputError(option, path, "its folder does not exist")
    require_writable(target.absolute().parent, target)
