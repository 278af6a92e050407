"""Image sets in idx files, as MNIST and Fashion-MNIST are distributed."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.images.image_set import ImageSet

_BYTES = 8  # the code of the type "unsigned byte"


def read_idx_set(name: str, folder: Path, classes: tuple[str, ...]) -> ImageSet | None:
    """The set in the four idx files of a folder; None if there is none of them.

    Raises InputError if one is missing, damaged, or of another number of images than its header or
    its labels say.
    """
    wanted = [
        (part, kind, dimensions)
        for part in ("train", "t10k")
        for kind, dimensions in (("images", 3), ("labels", 1))
    ]
    files = [_find(folder, *which) for which in wanted]
    if not any(files):
        return None
    for path, (part, kind, dimensions) in zip(files, wanted, strict=True):
        if path is None:
            missing = f"lacks {part}-{kind}-idx{dimensions}-ubyte or .gz of it, for {name}"
            raise InputError("data", str(folder), missing)
    x_train, y_train, x_test, y_test = (
        _read(path, dimensions)
        for path, (_, _, dimensions) in zip(files, wanted, strict=True)
        if path is not None
    )
    return ImageSet(
        name, x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64), classes
    )


def _find(folder: Path, part: str, kind: str, dimensions: int) -> Path | None:
    """The file under its usual names; the one that is not gzipped if both are there."""
    names = [f"{part}-{kind}{mark}idx{dimensions}-ubyte" for mark in "-."]
    paths = [folder / f"{name}{end}" for end in ("", ".gz") for name in names]
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of an idx file of unsigned bytes."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("data", str(path), f"cannot be read: {error}") from None
    length = 4 + 4 * dimensions
    if len(content) < length or content[:4] != bytes((0, 0, _BYTES, dimensions)):
        allowed = f"is no idx file of unsigned bytes in {dimensions} dimensions"
        raise InputError("data", str(path), allowed)
    shape = struct.unpack(f">{dimensions}I", content[4:length])
    expected = length + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        allowed = f"has {len(content)} bytes; its header promises {expected} (truncated?)"
        raise InputError("data", str(path), allowed)
    return np.frombuffer(content, dtype=np.uint8, offset=length).reshape(shape)
