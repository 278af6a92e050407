"""Classes of new images, through the front-end that was fitted to the training images."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrsnn_brian.errors import UNREADABLE, InputError
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.class_predictor import ClassPredictor, NewTrials, parts_of
from hrsnn_brian.tasks.images.front_ends import FrontEnd, FrontEndSettings, make_front_end
from hrsnn_brian.tasks.images.image_set import as_labels, as_pixels
from hrsnn_brian.tasks.images.read import read_images

_LAYOUT = (
    "a folder with the set, a .npy file of images, or an .npz of x or x_test (and y or y_test)"
)


@dataclass(frozen=True, eq=False)
class ImagePredictor(ClassPredictor):
    """The same behind a front-end. image_set, labels: the set it was fitted to and the kind of its
    labels; all_classes: the names of all its classes, also of those no training image had.
    """

    kind: ClassVar[str] = "images"

    front_end: FrontEnd
    settings: FrontEndSettings
    image_set: str
    labels: str
    all_classes: tuple[str, ...]

    @classmethod
    def behind(
        cls,
        predictor: ClassPredictor,
        front_end: FrontEnd,
        settings: FrontEndSettings,
        image_set: str,
        labels: str,
        all_classes: tuple[str, ...],
    ) -> Self:
        """That of the front-end's steps, for images."""
        parts = {field.name: getattr(predictor, field.name) for field in fields(predictor)}
        return cls(
            **parts,
            front_end=front_end,
            settings=settings,
            image_set=image_set,
            labels=labels,
            all_classes=all_classes,
        )

    def read(self, path: str | Path) -> NewTrials:
        """Images in a file, or the test images of a folder with the set the model is of.

        A file is an array of images, .npy, or an .npz of `x` (and `y`) or `x_test` (and `y_test`,
        or `coarse_test` for coarse labels). Raises InputError for what is none of these.
        """
        place = Path(path).expanduser()
        if place.is_dir():
            found = read_images(self.image_set, place, labels=self.labels)
            return self._labelled(found.x_test, found.y_test)
        try:
            with open(place, "rb") as stream:
                held = np.load(stream, allow_pickle=False)
                if not isinstance(held, np.lib.npyio.NpzFile):
                    return self._labelled(held, None)
                names = held.files
                x, y = ("x", "y") if "x" in names else ("x_test", self._test_labels)
                if x not in names:
                    raise InputError("data", str(path), f"holds no images; give {_LAYOUT}")
                images, classes = held[x], held[y] if y in names else None
        except FileNotFoundError:
            raise InputError("data", str(path), "there is no such folder or file") from None
        except InputError:
            raise
        except UNREADABLE:
            allowed = f"is damaged or holds no images; give {_LAYOUT}"
            raise InputError("data", str(path), allowed) from None
        return self._labelled(images, classes)

    @property
    def _test_labels(self) -> str:
        return "coarse_test" if self.labels == "coarse" else "y_test"

    def _labelled(self, images: NDArray[Any], y: NDArray[Any] | None) -> NewTrials:
        pixels = as_pixels("data", images)
        if y is None:
            return NewTrials(pixels)
        numbers = as_labels("labels", y, self.all_classes)
        if len(numbers) != len(pixels):
            allowed = f"must be one for each of the {len(pixels)} images"
            raise InputError("labels", f"{len(numbers)} labels", allowed)
        return NewTrials(pixels, tuple(self.all_classes[k] for k in numbers))

    def taken(self, data: NewTrials | ArrayLike) -> NewTrials:
        """Images (n, height, width[, channels]), 0 to 255, of the shape the model knows.

        Raises InputError for others.
        """
        given = data if isinstance(data, NewTrials) else NewTrials(np.asarray(data))
        pixels = as_pixels("data", given.x)
        if pixels.shape[1:] != self.front_end.image:
            found, known = (
                " x ".join(map(str, s)) for s in (pixels.shape[1:], self.front_end.image)
            )
            allowed = f"must be {known}, as those the model was fitted to"
            raise InputError("data", f"images of {found}", allowed)
        return NewTrials(pixels, given.labels)

    def inputs(self, x: NDArray[Any]) -> FloatArray:
        return self.front_end.encode(x)

    def saved(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        values, arrays = super().saved()
        values |= {name: getattr(self, name) for name in ("image_set", "labels", "all_classes")}
        values["front_end"] = self.settings.to_dict()
        fitted = self.front_end.arrays()
        values["fitted"] = list(fitted)
        return values, arrays | {f"front_end/{name}": array for name, array in fitted.items()}

    @classmethod
    def from_saved(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        settings = FrontEndSettings.from_dict(values["front_end"])
        fitted = {name: arrays[f"front_end/{name}"] for name in values["fitted"]}
        return cls(
            **parts_of(values, arrays),
            front_end=make_front_end(settings, fitted),
            settings=settings,
            image_set=values["image_set"],
            labels=values["labels"],
            all_classes=tuple(values["all_classes"]),
        )
