"""Child processes that report progress: builders and compiled programs."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hrsnn_brian.errors import EngineError


def python_path() -> str:
    """PYTHONPATH for a child in another folder that is to find the modules this process finds."""
    return os.pathsep.join(os.path.abspath(entry) for entry in sys.path)


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turns what a file system refuses in the block into an EngineError about `what`."""
    try:
        yield
    except OSError as error:
        raise EngineError(f"{what}: {error.strerror}") from None


def run_reporting(
    command: Sequence[object],
    cwd: Path,
    on_progress: Callable[[float], None],
    what: str,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a process whose standard output carries lines `progress FRACTION`.

    Raises EngineError with the end of its standard error if it fails, KeyboardInterrupt if it was
    interrupted: then it did a part of its work, whoever got the signal.
    """
    with ExitStack() as stack:
        with writing("temporary files (set TMPDIR to a folder that takes them)"):
            file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
            errors = stack.enter_context(file)
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        except PermissionError:
            raise EngineError(
                f"{what}: {command[0]} must not be run: its file system or its mode forbids "
                "programs; set HRSNN_CACHE to a folder that may hold them"
            ) from None
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("progress "):
                    on_progress(float(line.split()[1]))
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        if status in (-signal.SIGINT, 128 + signal.SIGINT):
            raise KeyboardInterrupt
        if status != 0:
            errors.seek(0)
            raise EngineError(f"{what} failed: {_reason(status, errors.read()[-4000:].strip())}")


def _reason(status: int, said: str) -> str:
    if "std::bad_alloc" in said or "MemoryError" in said:
        return "memory does not suffice"
    if status == -signal.SIGKILL:
        return "it was killed; did the memory suffice?"
    ended = f"signal {-status}" if status < 0 else f"status {status}"
    return said.removeprefix("hrsnn: ") or f"it ended with {ended} and said nothing"
