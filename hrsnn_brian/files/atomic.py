"""Files that are either whole or absent: written beside the target, flushed, then moved over it."""

import json
import math
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from hrsnn_brian.files.score import Score

_PART = re.compile(r"\.hrsnn-\d+-[0-9a-f]{8}\.part")


def _flush_directory(folder: Path) -> None:
    """Makes a rename durable where the file system allows folders to be flushed."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def replacing(path: Path | str, flush_folder: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends without an error.

    A reader sees the former file or the new one, never a part. After an error, nothing is left.
    flush_folder: also after a loss of power; False where the former one will do as well then.
    """
    path = Path(path)
    part = new_part(path.parent)
    try:
        with open(part, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if flush_folder:
        _flush_directory(path.parent)


def new_part(folder: Path) -> Path:
    """A name of ours for an unfinished file, short whatever the name of the finished one."""
    return folder / f".hrsnn-{os.getpid()}-{secrets.token_hex(4)}.part"


def is_part(path: Path) -> bool:
    """Whether `path` bears a name of `new_part`."""
    return _PART.fullmatch(path.name) is not None


def parts_in(folder: Path) -> list[Path]:
    """What writers have not finished, in `folder` and below: left by killed ones, if none works."""
    return list(filter(is_part, folder.rglob(".*")))


def remove_parts(folder: Path) -> None:
    """Removes what killed writers left in `folder` and below. Only for a folder nobody writes."""
    for part in parts_in(folder):
        part.unlink(missing_ok=True)


def write_bytes(path: Path | str, content: bytes, flush_folder: bool = True) -> None:
    """Writes `content` atomically; flush_folder: as of `replacing`."""
    with replacing(path, flush_folder) as stream:
        stream.write(content)


def write_text(path: Path | str, text: str, flush_folder: bool = True) -> None:
    """Writes `text` as UTF-8, atomically; flush_folder: as of `replacing`."""
    write_bytes(path, text.encode(), flush_folder)


def write_new(path: Path, text: str) -> None:
    """Writes `text` as UTF-8, whole or not at all, unless there is such a file: the first wins."""
    part = new_part(path.parent)
    try:
        with open(part, "x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            return
        except OSError:  # no links on this file system
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    _flush_directory(path.parent)


def write_json(path: Path | str, value: object) -> None:
    """Writes `value`, made plain by `plain`, as indented strict JSON, atomically."""
    write_text(path, json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def write_npz(path: Path | str, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays as a compressed `.npz` without pickles, atomically.

    Raises ValueError if an array holds Python objects.
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"array {name!r} holds Python objects")
    with replacing(path) as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def plain(value: Any, *, exact: bool = False) -> Any:
    """`value` with numpy scalars and arrays, paths, tuples and scores made plain.

    NaN and inf become None, which strict JSON can hold, or stay what they are if `exact`.
    """
    if isinstance(value, Score):
        return plain(value.value, exact=exact)
    if isinstance(value, Mapping):
        return {str(key): plain(item, exact=exact) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), exact=exact)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item, exact=exact) for item in items]
    if isinstance(value, np.generic):
        return plain(value.item(), exact=exact)
    if isinstance(value, float):
        return value if exact or math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no plain form: {value!r}")
