"""Encoded images, read chunk by chunk whatever their number."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.readout.moments import let_go
from hrsnn_brian.tasks.images.front_end import Floats, FrontEnd, OnProgress
from hrsnn_brian.tasks.images.image_set import Pixels
from hrsnn_brian.tasks.images.kept import ImageCache, content_key

CHUNK = 100  # images between two words of progress
_FILE = "encoded.npy"


class Encoded:
    """Images as a front-end encodes them: `encoded[rows]` is (rows, steps, columns), any rows."""

    def __init__(
        self, front_end: FrontEnd, images: Pixels, kept: NDArray[np.float16] | None
    ) -> None:
        """kept: all of them, on disk; None encodes them whenever they are asked for."""
        self._front_end, self._images, self._kept = front_end, images, kept

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, rows: slice | NDArray[np.int_]) -> Floats:
        if self._kept is None:
            return self._front_end.encode(self._images[rows])
        found = np.asarray(self._kept[rows], dtype=float)
        let_go(self._kept)
        return found


def encoded(
    front_end: FrontEnd, images: Pixels, on_progress: OnProgress = lambda fraction: None
) -> Encoded:
    """All images (n, height, width, channels), encoded now and kept on disk if that is costly.

    The numbers are those of `front_end.encode`, to the bit. Memory does not grow with n.
    """
    if not front_end.costly:
        return Encoded(front_end, images, None)
    fitted = front_end.arrays().values()
    key = content_key("encoded", front_end.settings.to_dict(), *fitted, images)

    def fill(folder: Path) -> None:
        shape = (len(images), front_end.steps, front_end.columns)
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        with open(folder / _FILE, "xb") as stream:  # not mapped: a full disk would kill us
            np.lib.format.write_array_header_1_0(stream, header)
            for start in range(0, len(images), CHUNK):
                block = front_end.encode(images[start : start + CHUNK])
                stream.write(block.astype("<f2").tobytes())
                on_progress(min(1.0, (start + CHUNK) / len(images)))

    kept = ImageCache().get(
        key,
        {"images": len(images), "steps": front_end.steps, "columns": front_end.columns},
        fill,
        lambda folder: np.load(folder / _FILE, mmap_mode="r", allow_pickle=False),
    )
    return Encoded(front_end, images, kept)
