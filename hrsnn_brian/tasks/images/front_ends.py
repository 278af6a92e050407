"""The front-ends there are, chosen by their settings, fitted, and made again from their arrays."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.files.atomic import write_npz
from hrsnn_brian.settings.fields import OneOf
from hrsnn_brian.settings.section import Part, Section
from hrsnn_brian.tasks.images.front_end import Floats, FrontEnd, OnProgress
from hrsnn_brian.tasks.images.image_set import ImageSet
from hrsnn_brian.tasks.images.kept import ImageCache, content_key
from hrsnn_brian.tasks.images.patches import Patches, PatchSettings
from hrsnn_brian.tasks.images.rows_columns import LineSettings, RowsColumns

__all__ = ["Floats", "FrontEnd", "FrontEndSettings", "OnProgress", "fit_front_end"]


@dataclass(frozen=True)
class FrontEndSettings(Section):
    """What images are turned into before a network sees them."""

    section = "front_end"
    kind: OneOf = OneOf(
        "lines",
        {
            "lines": "rows and columns of pixels",
            "patches": "responses to a dictionary of whitened patches, pooled",
        },
    ).about("what an image is shown as")
    lines: Part[LineSettings] = Part(LineSettings)
    patches: Part[PatchSettings] = Part(PatchSettings)


_FILE = "fitted.npz"


def fit_front_end(
    images: ImageSet,
    settings: FrontEndSettings,
    seed: int,
    on_progress: OnProgress = lambda fraction: None,
) -> FrontEnd:
    """The front-end fitted to the training images alone, without their labels; patches are kept.

    seed: of the patches drawn (stream "task"). on_progress: called with the fraction done.
    Raises InputError if the images do not suit the settings.
    """
    pixels = images.x_train
    if settings.kind == "lines":
        return RowsColumns.fit(pixels, settings.lines)

    def fill(folder: Path) -> None:
        fitted = Patches.fit(pixels, settings.patches, seed, on_progress)
        write_npz(folder / _FILE, fitted.arrays())

    def read(folder: Path) -> FrontEnd:
        with np.load(folder / _FILE, allow_pickle=False) as arrays:
            return make_front_end(settings, dict(arrays))

    key = content_key("front-end", settings.patches.to_dict(), seed, pixels)
    return ImageCache().get(key, {"front-end of": images.name, "seed": seed}, fill, read)


def make_front_end(settings: FrontEndSettings, arrays: Mapping[str, NDArray]) -> FrontEnd:
    """The front-end whose `arrays` these are."""
    image = tuple(map(int, arrays["image"]))
    if settings.kind == "lines":
        mean, std = (float(arrays[name]) for name in ("mean", "std"))
        return RowsColumns(settings.lines, image, mean, std)
    return Patches(settings.patches, image, arrays)
