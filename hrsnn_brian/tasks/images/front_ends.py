"""The front-ends there are, which of them a set of images has, and where fitted ones are kept."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from hrsnn_brian.settings.fields import OneOf
from hrsnn_brian.settings.section import Part, Section
from hrsnn_brian.tasks.images.front_end import Floats, FrontEnd, OnProgress
from hrsnn_brian.tasks.images.image_set import ImageSet
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


DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "digits": {"kind": "lines"},
    "mnist": {"kind": "lines"},
    "fashion-mnist": {"kind": "lines"},
    "cifar10": {"kind": "patches"},
    "cifar100": {"kind": "patches"},
}


def default_settings(name: str) -> FrontEndSettings:
    """The settings shipped for an image set."""
    return FrontEndSettings.from_dict(DEFAULTS[name])


def fit_front_end(
    images: ImageSet,
    settings: FrontEndSettings,
    seed: int,
    on_progress: OnProgress = lambda fraction: None,
) -> FrontEnd:
    """The front-end fitted to the training images alone, without their labels.

    seed: of the patches drawn (stream "task"). on_progress: called with the fraction done.
    Raises InputError if the images do not suit the settings.
    """
    if settings.kind == "lines":
        return RowsColumns.fit(images.x_train, settings.lines)
    return Patches.fit(images.x_train, settings.patches, seed, on_progress)


def make_front_end(settings: FrontEndSettings, arrays: Mapping[str, NDArray]) -> FrontEnd:
    """The front-end whose `arrays` these are."""
    image = tuple(map(int, arrays["image"]))
    if settings.kind == "lines":
        mean, std = (float(arrays[name]) for name in ("mean", "std"))
        return RowsColumns(settings.lines, image, mean, std)
    fitted = {name: array for name, array in arrays.items() if name != "image"}
    return Patches(settings.patches, image, fitted)
