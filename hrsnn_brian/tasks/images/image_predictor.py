"""Classes of new images, through the front-end that was fitted to the training images."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrsnn_brian.errors import UNREADABLE, InputError
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.class_predictor import ClassPredictor, NewTrials, parts_of
from hrsnn_brian.tasks.images.front_ends import FrontEnd, FrontEndSettings, make_front_end
from hrsnn_brian.tasks.images.image_set import as_labels, as_pixels, held_by
from hrsnn_brian.tasks.images.read import KNOWN, read_images
from hrsnn_brian.tasks.projection import InputSettings, currents_of
from hrsnn_brian.tasks.task import Projection

_LAYOUT = (
    "a folder with the set, a .npy file of images, or an .npz of x or x_test (and y or y_test)"
)


@dataclass(frozen=True)
class ImageNames:
    """Of an image set. labels: the kind, "fine" or "coarse"; classes: the names of all of them,
    also of those no training image had.
    """

    image_set: str
    labels: str
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ImagePredictor(ClassPredictor):
    """The same behind a front-end, of those settings. input: the way of its steps into a network.
    names: of the set it was fitted to.
    """

    kind: ClassVar[str] = "images"

    front_end: FrontEnd
    settings: FrontEndSettings
    input: InputSettings
    names: ImageNames

    @classmethod
    def behind(
        cls,
        predictor: ClassPredictor,
        front_end: FrontEnd,
        settings: FrontEndSettings,
        input: InputSettings,
        names: ImageNames,
    ) -> Self:
        """That of the front-end's steps, for images."""
        parts = {field.name: getattr(predictor, field.name) for field in fields(predictor)}
        return cls(**parts, front_end=front_end, settings=settings, input=input, names=names)

    def read(self, path: str | Path) -> NewTrials:
        """Images in a file, or the test images of a folder with the set the model is of.

        A file is an array of images, .npy, or an .npz of `x` (and `y`) or `x_test` (and `y_test`,
        or `coarse_test` for coarse labels). Raises InputError for what is none of these.
        """
        place = Path(path).expanduser()
        if place.is_dir() and self.names.image_set not in KNOWN:
            allowed = (
                f"is a folder, and the model is of {self.names.image_set}: give a .npy or .npz file"
            )
            raise InputError("data", str(path), allowed)
        if place.is_dir():
            found = read_images(self.names.image_set, place, labels=self.names.labels)
            return self._labelled(found.x_test, found.y_test)
        with held_by(place):
            return self._labelled(*self._in_file(place))

    def _in_file(self, place: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Images and, if it has them, labels of a .npy or .npz file, as they stand."""
        try:
            with open(place, "rb") as stream:
                held = np.load(stream, allow_pickle=False)
                if not isinstance(held, np.lib.npyio.NpzFile):
                    return held, None
                names = held.files
                x, y = ("x", "y") if "x" in names else ("x_test", self._test_labels)
                if x in names:
                    return held[x], held[y] if y in names else None
        except FileNotFoundError:
            raise InputError("data", str(place), "there is no such folder or file") from None
        except UNREADABLE:
            allowed = f"is damaged or holds no images; give {_LAYOUT}"
            raise InputError("data", str(place), allowed) from None
        raise InputError("data", str(place), f"holds no images; give {_LAYOUT}")

    @property
    def _test_labels(self) -> str:
        return "coarse_test" if self.names.labels == "coarse" else "y_test"

    def _labelled(self, images: NDArray[Any], y: NDArray[Any] | None) -> NewTrials:
        pixels = self._pixels(images)
        if y is None:
            return NewTrials(pixels)
        numbers = as_labels("labels", y, self.names.classes)
        if len(numbers) != len(pixels):
            allowed = f"must be one for each of the {len(pixels)} images"
            raise InputError("labels", f"{len(numbers)} labels", allowed)
        return NewTrials(pixels, tuple(self.names.classes[k] for k in numbers))

    def taken(self, data: NewTrials | ArrayLike) -> NewTrials:
        """Images (n, height, width[, channels]), 0 to 255, of the shape the model knows.

        Raises InputError for others.
        """
        given = data if isinstance(data, NewTrials) else NewTrials(np.asarray(data))
        return NewTrials(self._pixels(given.x), given.labels)

    def _pixels(self, given: Any) -> NDArray[Any]:
        """Images of the shape of those the model was fitted to. Raises InputError for others."""
        shape = np.shape(given)[1:]
        shape += (1,) * (len(shape) == 2)
        if len(shape) == 3 and shape != self.front_end.image:
            found, known = (" x ".join(map(str, s)) for s in (shape, self.front_end.image))
            allowed = f"must be {known}, as those the model was fitted to"
            raise InputError("data", f"images of {found}", allowed)
        return as_pixels("data", given)

    @property
    def currents(self) -> Projection | None:
        return currents_of(self.input)

    def inputs(self, x: NDArray[Any]) -> FloatArray:
        return self.front_end.encode(x)

    def saved(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        values, arrays = super().saved()
        values |= {"front_end": self.settings.to_dict(), "input": self.input.to_dict()}
        values["names"] = asdict(self.names)
        fitted = self.front_end.arrays()
        values["fitted"] = list(fitted)
        return values, arrays | {f"front_end/{name}": array for name, array in fitted.items()}

    @classmethod
    def from_saved(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        settings = FrontEndSettings.from_dict(values["front_end"])
        fitted = {name: arrays[f"front_end/{name}"] for name in values["fitted"]}
        names = values["names"]
        return cls(
            **parts_of(values, arrays),
            front_end=make_front_end(settings, fitted),
            settings=settings,
            input=InputSettings.from_dict(values["input"]),
            names=ImageNames(**{**names, "classes": tuple(names["classes"])}),
        )
