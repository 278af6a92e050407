"""Files of arrays that say what they are: `.npz` without pickles, with `format` and `version`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import UNREADABLE, InputError
from hrsnn_brian.files.atomic import write_npz

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Archive:
    """A kind of file. what: "network" or the like; version: the one that is written and read."""

    what: str
    version: int

    @property
    def argument(self) -> str:
        """What messages call such a file."""
        return f"{self.what} file"

    @property
    def head(self) -> Arrays:
        """The arrays that name kind and version."""
        return {"format": np.array(f"hrsnn-{self.what}"), "version": np.array(self.version)}

    def write(self, path: str | Path, arrays: Arrays) -> Path:
        """Writes `arrays` and the head, whole or not at all; returns the path.

        Raises InputError if the name does not end in .npz or the place cannot be written to.
        """
        target = Path(path)
        if target.suffix != ".npz":
            raise InputError(self.argument, str(path), "must end in .npz")
        try:
            write_npz(target, self.head | arrays)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(self.argument, str(path), f"cannot be written: {reason}") from None
        return target

    def read(self, path: str | Path) -> Arrays:
        """The arrays of such a file.

        Raises InputError if it is missing, corrupt, pickled, of another kind or version.
        """
        file = Path(path)
        if not file.is_file():
            raise InputError(self.argument, str(path), "no such file")
        try:
            with open(file, "rb") as stream:  # numpy leaves a file open that is no archive
                archive = np.load(stream, allow_pickle=False)
                if not isinstance(archive, np.lib.npyio.NpzFile):
                    raise ValueError("a single array")
                arrays = {name: archive[name] for name in archive.files}
        except UNREADABLE as error:
            allowed = "is corrupt, pickled or no .npz archive"
            raise InputError(self.argument, str(file), allowed) from error
        if str(arrays.get("format")) != str(self.head["format"]):
            raise InputError(self.argument, str(file), f"is not a {self.what} saved by hrsnn")
        version = arrays.get("version")
        if version is None or version.shape != () or version != self.version:
            allowed = f"has version {version} of the format; this program reads version "
            raise InputError(self.argument, str(file), f"{allowed}{self.version}")
        return arrays

    def require(self, path: str | Path, arrays: Arrays, names: Iterable[str]) -> None:
        """Raises InputError if one of `names` is not in the file."""
        missing = [name for name in names if name not in arrays]
        if missing:
            raise InputError(self.argument, str(path), f"is damaged: it lacks {missing[0]}")

    @contextmanager
    def making(self, path: str | Path) -> Iterator[None]:
        """Makes of what goes wrong with the file's contents one InputError about the file."""
        try:
            yield
            return
        except InputError as error:
            reason = f"is not usable: {error}"
        except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
            reason = f"is damaged: {' '.join(str(error).split())}"
        raise InputError(self.argument, str(path), reason)
