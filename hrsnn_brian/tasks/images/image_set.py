"""Labelled images, checked when they are made: training images and test images of one shape."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images (n, height, width, channels), values 0 to 255, and the number of the class of each.

    name: of the set. x_train, x_test: also (n, height, width) if grey, any type of number as long
    as every value is whole. y_train, y_test: (n,) or (n, 1), from 0. classes: their names.

    Raises InputError unless images and labels agree in number, training and test images in height,
    width and channels (1 or 3, the last axis), every label names a class, the training images are
    of two classes at least, and pixels are whole numbers from 0 to 255 that reach above 1: images
    in 0..1 are refused, not guessed at.
    """

    name: str
    x_train: Pixels
    y_train: Labels
    x_test: Pixels
    y_test: Labels
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))
        for part in ("train", "test"):
            images = as_pixels(f"x_{part}", getattr(self, f"x_{part}"))
            labels = as_labels(f"y_{part}", getattr(self, f"y_{part}"), self.classes)
            if len(images) != len(labels):
                allowed = f"must be one for each of the {len(images)} images of x_{part}"
                raise InputError(f"y_{part}", f"{len(labels)} labels", allowed)
            object.__setattr__(self, f"x_{part}", images)
            object.__setattr__(self, f"y_{part}", labels)
        if self.x_test.shape[1:] != self.x_train.shape[1:]:
            allowed = f"must be as those of x_train, {_text(self.shape)}"
            raise InputError("x_test", f"images of {_text(self.x_test.shape[1:])}", allowed)
        if len(np.unique(self.y_train)) < 2:
            found = self.classes[self.y_train[0]]
            raise InputError("y_train", found, "is the only class of the training images")

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width and channels of an image."""
        return self.x_train.shape[1:]

    def limited(self, train: int | None = None, test: int | None = None) -> Self:
        """The first images, in the order of the file; None: all of them.

        Raises InputError for a number that is not from 1 to that of the images.
        """
        for name, number, images in (("train", train, self.x_train), ("test", test, self.x_test)):
            if number is not None and not 1 <= number <= len(images):
                allowed = f"must be from 1 to {len(images)}, the images {self.name} has of that"
                raise InputError(name, number, allowed)
        return replace(
            self,
            x_train=self.x_train[:train],
            y_train=self.y_train[:train],
            x_test=self.x_test[:test],
            y_test=self.y_test[:test],
        )


@contextmanager
def held_by(path: Path) -> Iterator[None]:
    """Inside, an `InputError` about what a file or folder holds names it, if it does not yet."""
    try:
        yield
    except InputError as problem:
        if problem.argument == "data" and Path(str(problem.value)).exists():
            raise
        said = f"{problem.value}: {problem.allowed}" if problem.argument == "data" else str(problem)
        raise InputError("data", str(path), said) from None


def as_pixels(argument: str, given: Any) -> Pixels:
    """Images (n, height, width[, channels]) as `ImageSet` holds them; InputError as it raises."""
    images = np.asarray(given)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        allowed = "must be (images, height, width) or (images, height, width, 1 or 3 channels)"
        raise InputError(argument, f"array of shape {_text(np.shape(given))}", allowed)
    allowed = "pixels must be whole numbers from 0 to 255"
    if images.dtype.kind not in "buif":
        raise InputError(argument, str(images.dtype), allowed)
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 255):
        raise InputError(argument, f"values from {low:g} to {high:g}", allowed)
    if high <= 16:  # as scikit-learn's digits come
        allowed += "; multiply images in 0..1 by 255, in 0..16 by 255/16, and round"
        raise InputError(argument, f"values from {low:g} to {high:g}", allowed)
    pixels = images.astype(np.uint8)
    if not np.array_equal(pixels, images):
        wrong = images[pixels != images][0]
        raise InputError(argument, f"a value of {wrong:g}", allowed)
    pixels.setflags(write=False)
    return pixels


def as_labels(argument: str, given: Any, classes: Sequence[str]) -> Labels:
    """The number of the class of each image; InputError as `ImageSet` raises."""
    labels = np.asarray(given)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "ui":
        found = f"array of shape {_text(labels.shape)} and type {labels.dtype}"
        raise InputError(argument, found, "must be one whole number for each image")
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(wrong):
        allowed = f"label of image {wrong[0]} must be from 0 to {len(classes) - 1}"
        raise InputError(argument, int(labels[wrong[0]]), allowed)
    numbers = labels.astype(np.int64)
    numbers.setflags(write=False)
    return numbers


def _text(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
