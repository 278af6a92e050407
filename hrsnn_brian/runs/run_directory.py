"""The folder of one run. It explains itself and survives a kill at any moment.

config.toml       the resolved configuration: what decides the numbers, nothing else
provenance.json   versions, commit, compiler, CPU, seeds, wall time, engine builds and runs
log.txt           every line of progress, and the traceback if something broke
points/           one small file per finished point: what a resumed run need not repeat
tables/ figures/  the results
DONE              written last: without it the results are not complete
"""

import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.locks import Lock
from hrsnn_brian.runs.atomic import is_part, new_part, remove_parts, write_text
from hrsnn_brian.runs.toml import dump_toml

ARGUMENT = "--out"
FREE, UNFINISHED, FINISHED, OTHER, FOREIGN = "free", "unfinished", "finished", "other", "foreign"


def state_of(path: Path, config: Mapping[str, Any]) -> str:
    """What stands at `path`, seen from a run of `config`. Reads only.

    "free" (nothing, or an empty folder), "unfinished" or "finished" (this very run), "other"
    (another run) or "foreign" (a file, or a folder that is no run directory).
    """
    if not os.path.lexists(path):
        return FREE
    if not path.is_dir():
        return FOREIGN
    try:
        held = tomllib.loads((path / "config.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        # a run killed before it wrote config.toml leaves folders, a lock and perhaps a part
        ours = {"points", "tables", "figures", ".lock"}
        strangers = any(p.name not in ours and not is_part(p) for p in path.rglob("*"))
        return FOREIGN if strangers else FREE
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return FOREIGN
    if held != tomllib.loads(dump_toml(config)):
        return OTHER
    return FINISHED if (path / "DONE").exists() else UNFINISHED


def _difference(path: Path, config: Mapping[str, Any]) -> str:
    """The first setting in which the run at `path` differs from `config`, as text."""
    held = _flat(tomllib.loads((path / "config.toml").read_text(encoding="utf-8")))
    wanted = _flat(tomllib.loads(dump_toml(config)))
    for key in [*wanted, *held]:
        if held.get(key) != wanted.get(key):
            if key == "run.code":
                return "made by another version of the study's file"
            return f"its {key} is {held.get(key)!r}, not {wanted.get(key)!r}"
    return "its configuration differs"


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        flat.update(_flat(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return flat


def free_directory(base: Path, config: Mapping[str, Any]) -> Path:
    """`base`, or the first of `base-2`, `base-3`, ... that is free or holds this run unfinished."""
    candidate, number = base, 1
    while state_of(candidate, config) not in (FREE, UNFINISHED):
        number += 1
        candidate = base.with_name(f"{base.name}-{number}")
    return candidate


def require_writable(folder: Path, value: Path) -> None:
    """Raises InputError about `value` unless a file can be made in `folder`, by making one."""
    probe = new_part(folder)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise InputError(ARGUMENT, str(value), f"cannot be written ({error.strerror})") from None


def _make_folder(path: Path) -> None:
    """Makes `path` and its missing parents, or none of them."""
    missing = [p for p in (path, *path.parents) if not os.path.lexists(p)]
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            folder.mkdir()
            made.append(folder)
        require_writable(path, path)
    except (OSError, InputError) as error:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, InputError):
            raise
        reason = f"cannot be made ({error.strerror})"
        raise InputError(ARGUMENT, str(path), reason) from None


def append_log(run: Path, text: str) -> None:
    """Appends `text` to the log.txt of the directory `run`, each line with the local time."""
    stamp = datetime.now().astimezone().isoformat(timespec="seconds")
    lines = "".join(f"{stamp} {line}\n" for line in text.splitlines())
    with open(run / "log.txt", "a", encoding="utf-8") as stream:
        stream.write(lines)


class RunDirectory:
    """A run directory in use by this process; a second process is refused until it is released."""

    def __init__(self, path: Path, config: Mapping[str, Any], lock: Any) -> None:
        self.path, self.config, self._lock = path, config, lock

    @classmethod
    def claim(cls, path: Path | str, config: Mapping[str, Any]) -> "RunDirectory":
        """Takes `path` for a run of `config`: a new folder, or this very run, to be resumed.

        Raises InputError, with nothing changed or left behind, if `path` cannot be written, holds
        another run or something that is no run, or is in use by another process.
        """
        path = Path(path).absolute()
        _refuse_unless_ours(path, config)
        _make_folder(path)
        for name in ("points", "tables", "figures"):
            (path / name).mkdir(exist_ok=True)
        lock = Lock(path / "points" / ".lock")
        try:
            lock.acquire()
        except BlockingIOError:
            raise InputError(ARGUMENT, str(path), "in use by another process") from None
        try:
            _refuse_unless_ours(path, config)
            remove_parts(path)
            if not (path / "config.toml").exists():
                write_text(path / "config.toml", dump_toml(config))
            (path / "DONE").unlink(missing_ok=True)
        except BaseException:
            lock.release()
            raise
        return cls(path, config, lock)

    @property
    def points(self) -> Path:
        """Folder of the finished points."""
        return self.path / "points"

    @property
    def tables(self) -> Path:
        """Folder of the tables."""
        return self.path / "tables"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.path / "figures"

    def log(self, text: str) -> None:
        """Appends `text` to log.txt."""
        append_log(self.path, text)

    def finish(self, note: str) -> None:
        """Writes the done marker. Call it last."""
        write_text(self.path / "DONE", note + "\n")

    def release(self) -> None:
        """Lets other processes use the directory."""
        self._lock.release()

    def __enter__(self) -> "RunDirectory":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _refuse_unless_ours(path: Path, config: Mapping[str, Any]) -> None:
    state = state_of(path, config)
    if state == OTHER:
        reason = f"holds another run ({_difference(path, config)}); give another directory"
        raise InputError(ARGUMENT, str(path), reason)
    if state == FOREIGN:
        what = "is not a run directory" if path.is_dir() else "is a file"
        raise InputError(ARGUMENT, str(path), f"{what}; give a new or an empty directory")
