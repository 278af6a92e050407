"""What a front-end is: it makes of an image a short series of inputs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.section import Section
from hrsnn_brian.tasks.images.image_set import Pixels

Floats = NDArray[np.float64]
OnProgress = Callable[[float], None]


class FrontEnd(ABC):
    """Turns an image into `steps` inputs of `columns` numbers each, shown one after the other.

    settings: as it was fitted by. image: height, width and channels of the images it was fitted to
    and takes. costly: whether encoding takes so long that its results are better kept on disk.
    """

    settings: Section
    image: tuple[int, ...]
    steps: int
    columns: int
    costly: ClassVar[bool] = False

    def encode(self, images: Pixels) -> Floats:
        """(R, height, width, channels) -> (R, steps, columns), z-scored by training statistics.

        An image's numbers do not depend on those it stands beside. Raises InputError for images of
        another shape.
        """
        if images.ndim != 4 or images.shape[1:] != self.image:
            allowed = f"must be (images, {', '.join(map(str, self.image))}), as those fitted to"
            raise InputError("images", images.shape, allowed)
        return self._encode(images)

    def features(self, images: Pixels) -> Floats:
        """What a linear readout without a network sees, (R, steps columns): all steps at once."""
        return self.encode(images).reshape(len(images), -1)

    @abstractmethod
    def arrays(self) -> Mapping[str, NDArray]:
        """All that was fitted, by name: with the settings, the same front-end again."""

    @abstractmethod
    def _encode(self, images: Pixels) -> Floats: ...
