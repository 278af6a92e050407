"""The front-end that shows an image line by line: its rows, its columns, or both at once."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.fields import OneOf
from hrsnn_brian.settings.section import Section
from hrsnn_brian.tasks.images.front_end import Floats, FrontEnd
from hrsnn_brian.tasks.images.image_set import Pixels

_CHUNK = 1000  # images at a time


@dataclass(frozen=True)
class LineSettings(Section):
    """Of an image that is shown line by line."""

    section = "front_end.lines"
    show: OneOf = OneOf(
        "both",
        {
            "rows": "from top to bottom",
            "columns": "from left to right",
            "both": "row k beside column k",
            "in turn": "all rows, then all columns",
        },
    ).about("which lines of the image are its steps")


class RowsColumns(FrontEnd):
    """Lines of pixels, less the mean of all training pixels and over their deviation.

    One mean for all: a margin that hardly ever changes would else be blown up.
    """

    settings: LineSettings

    def __init__(
        self, settings: LineSettings, image: tuple[int, ...], mean: float, std: float
    ) -> None:
        """mean, std: of the pixels. Raises InputError if such images cannot be shown so."""
        height, width, channels = image
        if settings.show in ("both", "in turn") and height != width:
            allowed = f"must be rows or columns for images of {height} x {width}"
            raise InputError("front_end.lines.show", settings.show, allowed)
        self.settings, self.image, self.mean, self.std = settings, image, mean, std
        sizes = {  # steps, columns
            "rows": (height, width),
            "columns": (width, height),
            "both": (height, height + width),
            "in turn": (height + width, width),
        }
        self.steps, self.columns = sizes[settings.show]
        self.columns *= channels

    @classmethod
    def fit(cls, images: Pixels, settings: LineSettings) -> "RowsColumns":
        """The front-end with the statistics of training images (n, height, width, channels)."""
        counts = np.zeros(256, dtype=np.int64)
        for start in range(0, len(images), _CHUNK):
            counts += np.bincount(images[start : start + _CHUNK].ravel(), minlength=256)
        share, values = counts / counts.sum(), np.arange(256)
        mean = float(share @ values)
        return cls(settings, images.shape[1:], mean, float(np.sqrt(share @ (values - mean) ** 2)))

    def arrays(self) -> Mapping[str, NDArray]:
        return {
            "image": np.array(self.image),
            "mean": np.array(self.mean),
            "std": np.array(self.std),
        }

    def _encode(self, images: Pixels) -> Floats:
        rows = images.reshape(len(images), self.image[0], -1)
        columns = images.swapaxes(1, 2).reshape(len(images), self.image[1], -1)
        lines = {"rows": [rows], "columns": [columns]}.get(self.settings.show, [rows, columns])
        shown = np.concatenate(lines, axis=1 if self.settings.show == "in turn" else 2)
        return np.asarray((shown - self.mean) / self.std, dtype=float)
