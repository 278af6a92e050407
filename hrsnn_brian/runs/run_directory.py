"""The folder of one run. It explains itself and survives a kill at any moment.

config.toml       the resolved configuration and digests of code and files: what decides the numbers
provenance.json   versions, commit, compiler, CPU, seeds, wall time, engine builds and runs
log.txt           every line of progress, and the traceback if something broke
points/           one small file per finished point: what a resumed run need not repeat
failed/           one per point that failed, with its traceback
sessions/         who worked here, or does, and holds which point (see `runs.claims`)
code/             the user's own study and the modules beside it, as the run began with them
tables/ figures/  the results
DONE              written last: without it the results are not complete
"""

import json
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.atomic import (
    is_part,
    new_part,
    parts_in,
    write_bytes,
    write_new,
    write_text,
)
from hrsnn_brian.files.toml import dump_toml, flat
from hrsnn_brian.runs.claims import SESSIONS, Owner

ARGUMENT = "--out"
FREE, UNFINISHED, FINISHED, OTHER, FOREIGN = "free", "unfinished", "finished", "other", "foreign"
CHANGED = "changed"
_CODE = ("hrsnn_brian", "package", "run.hrsnn_brian", "run.package")
_GO_ON = "give another directory"
FRESH = "--fresh begins anew beside it"  # what else to do, for those who have that option


def state_of(path: Path, config: Mapping[str, Any]) -> str:
    """What stands at `path`, seen from a run of `config`. Reads only.

    "free" (nothing, or an empty folder), "unfinished" or "finished" (this very run), "changed"
    (the same settings, but other code, libraries or files), "other" (another run) or "foreign"
    (a file, or a folder that is no run directory).
    """
    if not os.path.lexists(path):
        return FREE
    if not path.is_dir():
        return FOREIGN
    try:
        held = _held(path)
    except FileNotFoundError:
        # a run killed before it wrote config.toml leaves folders, its entry and perhaps a part
        ours = {"points", "tables", "figures", SESSIONS}
        strangers = any(
            p.name not in ours and p.parent.name != SESSIONS and not is_part(p)
            for p in path.rglob("*")
        )
        return FOREIGN if strangers else FREE
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return FOREIGN
    differing = _differing(held, _wanted(config))
    if differing:
        return CHANGED if all(map(_is_code, differing)) else OTHER
    return FINISHED if (path / "DONE").exists() else UNFINISHED


def _held(path: Path) -> dict[str, Any]:
    return flat(tomllib.loads((path / "config.toml").read_text(encoding="utf-8")))


def _wanted(config: Mapping[str, Any]) -> dict[str, Any]:
    return flat(tomllib.loads(dump_toml(config)))


def _is_code(key: str) -> bool:
    return key in _CODE or key.startswith(("libraries.", "files."))


def _differing(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """The keys that differ, those of settings first. 1, 1.0 and true differ, NaN does not.

    A file that was not there when the run began is its output, or comes with another that changed.
    """
    keys = dict.fromkeys([*wanted, *held])
    found = [
        key
        for key in keys
        if json.dumps(held.get(key)) != json.dumps(wanted.get(key))
        and not (key.startswith("files.") and key not in held)
    ]
    return sorted(found, key=_is_code)


def difference(path: Path, config: Mapping[str, Any]) -> str:
    """What differs most between the run at `path` and one of `config`, as text; "" if nothing."""
    held, wanted = _held(path), _wanted(config)
    differing = _differing(held, wanted)
    if not differing:
        return ""
    if not _is_code(differing[0]):
        differing = differing[:1]
    elif any(key in wanted and key not in held for key in _CODE):
        return "it did not note the code it was made by"
    return ", ".join(_one_difference(key, held.get(key), wanted.get(key)) for key in differing)


def _one_difference(key: str, held: Any, wanted: Any) -> str:
    table, _, name = key.partition(".")
    if table == "files":
        return f"{name} has changed" if wanted is not None else f"{name} is gone or no longer used"
    if key in _CODE and key.endswith("package"):
        return "the source files of hrsnn_brian have changed"
    if _is_code(key):
        return f"{name or table} was {held or 'missing'}, now {wanted or 'missing'}"
    return f"its {key} is {held!r}, not {wanted!r}"


def free_directory(
    base: Path,
    config: Mapping[str, Any],
    *,
    fresh: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """`base`, or the first of `base-2`, `base-3`, ... that is free or holds this run unfinished.

    fresh: only one that is free. say: is told of an unfinished run that is passed over because
    its code or files have changed.
    """
    taken = (FREE,) if fresh else (FREE, UNFINISHED)
    candidate, number = base, 1
    while (state := state_of(candidate, config)) not in taken:
        if state == CHANGED and not fresh and not (candidate / "DONE").exists():
            say(f"{candidate} is unfinished but not resumed: {difference(candidate, config)}")
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
    """A run directory in use by this process, alone or with others that share its work.

    owner: this process, as others see it and its claims.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], owner: Owner) -> None:
        self.path, self.config, self.owner = path, config, owner

    @classmethod
    def claim(
        cls,
        path: Path | str,
        config: Mapping[str, Any],
        go_on: str = _GO_ON,
        *,
        shared: bool = False,
    ) -> "RunDirectory":
        """Takes `path` for a run of `config`: a new folder, or this very run, to be resumed.

        go_on: what to do if another run is there, for the line of the error. shared: with other
        processes of the same run, who then claim its points.

        Raises InputError, with nothing changed or left behind, if `path` cannot be written, holds
        another run or something that is no run, or is in use by another process.
        """
        path = Path(path).absolute()
        _refuse_unless_ours(path, config, go_on)
        _make_folder(path)
        for name in ("points", "tables", "figures"):
            (path / name).mkdir(exist_ok=True)
        unfinished = parts_in(path)  # of others who are gone, unless they are seen below
        owner = Owner(path)
        try:
            holder = None if shared else owner.take("run")
            if holder is not None:
                told = f"{holder.get('host', '')}, process {holder.get('pid', '?')}"
                raise InputError(ARGUMENT, str(path), f"in use by another process ({told})")
            _clear(unfinished, owner)
            write_new(path / "config.toml", dump_toml(config))
            _refuse_unless_ours(path, config, go_on)
            if not shared:
                (path / "DONE").unlink(missing_ok=True)
        except BaseException:
            owner.end()
            raise
        return cls(path, config, owner)

    @property
    def points(self) -> Path:
        """Folder of the finished points."""
        return self.path / "points"

    @property
    def failed(self) -> Path:
        """Folder of the points that failed; made by the first of them."""
        return self.path / "failed"

    @property
    def tables(self) -> Path:
        """Folder of the tables."""
        return self.path / "tables"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.path / "figures"

    def keep_code(self, folder: Path, names: Iterable[str]) -> None:
        """Copies the files `names` of `folder` to code/, once: a run can be finished with them."""
        for name in names:
            copy = self.path / "code" / name
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(copy, (folder / name).read_bytes())

    def inputs(self, files: Mapping[str, str]) -> dict[str, str]:
        """Those of `files` that were there when the run began; the others are what it writes."""
        held = _held(self.path)
        return {name: digest for name, digest in files.items() if f"files.{name}" in held}

    def log(self, text: str) -> None:
        """Appends `text` to log.txt."""
        append_log(self.path, text)

    def finish(self, note: str) -> None:
        """Writes the done marker. Call it last."""
        write_text(self.path / "DONE", note + "\n")

    def release(self) -> None:
        """Lets other processes use the directory, and what was claimed in it."""
        _clear(parts_in(self.path), self.owner)  # a worker that was killed leaves them
        self.owner.end()

    def __enter__(self) -> "RunDirectory":
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


def _clear(unfinished: Iterable[Path], owner: Owner) -> None:
    """Removes unfinished files, looked for before, unless another process is at work there."""
    if not owner.others():
        for part in unfinished:
            part.unlink(missing_ok=True)


def _refuse_unless_ours(path: Path, config: Mapping[str, Any], go_on: str) -> None:
    state = state_of(path, config)
    if state == OTHER:
        reason = f"holds another run ({difference(path, config)}); {go_on}"
        raise InputError(ARGUMENT, str(path), reason)
    if state == CHANGED:
        what = f"was begun with other code or files: {difference(path, config)}"
        raise InputError(ARGUMENT, str(path), f"{what}; {go_on}{_as_it_began(path, config)}")
    if state == FOREIGN:
        what = "is not a run directory" if path.is_dir() else "is a file"
        raise InputError(ARGUMENT, str(path), f"{what}; give a new or an empty directory")


def _as_it_began(path: Path, config: Mapping[str, Any]) -> str:
    """How to finish a run with the code it began with, where only kept files have changed."""
    held = _held(path)
    changed = _differing(held, _wanted(config))
    kept = path / "code"
    if not all((kept / key.removeprefix("files.")).is_file() for key in changed):
        return ""
    return f", and the study {kept / held['run.file']} finishes it as it began"
