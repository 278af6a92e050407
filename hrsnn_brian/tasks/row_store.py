"""Rows of features on disk: more images than memory holds, each read as often as it is needed."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import EngineError
from hrsnn_brian.simulation.drive import FloatArray

CHUNK = 1000  # rows read at a time, whatever wrote them: sums then have the same last digits


class RowStore:
    """Blocks of rows by name, in single precision, in a temporary folder that `close` removes.

    rows: how many each block will have. The folder lies where `TMPDIR` says.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._folder = tempfile.TemporaryDirectory(prefix="hrsnn-rows-")
        self._paths: dict[str, Path] = {}
        self.widths: dict[str, int] = {}

    def append(self, blocks: Mapping[str, NDArray[np.floating]]) -> None:
        """Adds the next rows, (r, features) of each block.

        Raises EngineError when the disk has no room for all the rows of a new block.
        """
        new = {name: rows for name, rows in blocks.items() if name not in self._paths}
        self._require_room(sum(4 * self.rows * rows.shape[1] for rows in new.values()))
        for name, rows in blocks.items():
            if name in new:
                self._paths[name] = Path(self._folder.name) / f"{len(self._paths)}.f32"
                self.widths[name] = rows.shape[1]
            with open(self._paths[name], "ab") as stream:
                stream.write(np.ascontiguousarray(rows, dtype=np.float32).data)

    def read(self, names: Iterable[str], rows: range) -> dict[str, FloatArray]:
        """Some rows of some blocks, in double precision."""
        return {name: self._read(name, rows).astype(float) for name in names}

    def mapped(self, names: Iterable[str], rows: range) -> dict[str, NDArray[np.float32]]:
        """The same in single precision, left on disk until they are looked at."""
        return {
            name: np.memmap(self._paths[name], np.float32, "r").reshape(-1, self.widths[name])[
                rows.start : rows.stop
            ]
            for name in names
        }

    def chunks(self, names: Iterable[str], rows: range) -> Iterator[tuple[range, dict]]:
        """(numbers of some rows, those rows), in order."""
        names = list(names)
        for start in range(rows.start, rows.stop, CHUNK):
            part = range(start, min(start + CHUNK, rows.stop))
            yield part, self.read(names, part)

    def close(self) -> None:
        """Removes the folder."""
        self._folder.cleanup()

    def _read(self, name: str, rows: range) -> NDArray[np.float32]:
        width = self.widths[name]
        found = np.fromfile(
            self._paths[name], np.float32, len(rows) * width, offset=4 * rows.start * width
        )
        return found.reshape(len(rows), width)

    def _require_room(self, needed: float) -> None:
        free = shutil.disk_usage(self._folder.name).free
        if needed > free:
            folder = Path(self._folder.name).parent
            raise EngineError(
                f"states take {needed / 1e9:.3g} GB in {folder}, {free / 1e9:.3g} GB are free; "
                "set TMPDIR to another folder"
            )
