"""The front-end of patches: whitened, compared with a dictionary, pooled over parts of the image.

Coates, Lee & Ng 2011 (triangle encoding, k-means) and Coates & Ng 2011 (soft threshold, dictionary
of plain data patches). Every patch p of an image becomes

    q = (p - mean(p)) / sqrt(var(p) + contrast)             local contrast normalisation
    x = W (q - m),  W = V (L + whitening)^(-1/2) V^T        ZCA; m, V, L of the training patches
    s_k = max(d_k . x - threshold, 0)                       soft threshold, d_k of unit norm; or
    s_k = max(mean_j |x - d_j| - |x - d_k|, 0)              triangle

and the means of s over the parts of a grid, z-scored, are the inputs, a part a step. Means over an
image and its mirror image spare a readout learning that a class looks the same from both sides.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import Flag, OneOf, Real, Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.tasks.images.dictionary import (
    Singles,
    Whitening,
    all_patches,
    cluster_centres,
    normalised,
    one_thread,
    pooling,
    random_patches,
    unit_norm,
    zca,
)
from hrsnn_brian.tasks.images.front_end import Floats, FrontEnd, OnProgress
from hrsnn_brian.tasks.images.image_set import Pixels


@dataclass(frozen=True)
class PatchSettings(Section):
    """Of an image that is shown as what its parts have in common with a dictionary of patches."""

    section = "front_end.patches"
    size: Whole = Whole(6, 2).about("side of a patch", "pixels")
    stride: Whole = Whole(1, 1).about("from patch to patch", "pixels")
    contrast: Real = Real(10.0, 0, above=True).about(
        "added to the variance of a patch before it is divided by", "pixel values squared"
    )
    whitening: Real = Real(0.1, 0, above=True).about(
        "added to the eigenvalues of the covariance of patches before whitening"
    )
    dictionary: OneOf = OneOf(
        "data", {"data": "patches as they are", "k-means": "the centres of clusters of patches"}
    ).about("what patches are compared with")
    atoms: Whole = Whole(1600, 1).about("size of the dictionary")
    encoding: OneOf = OneOf(
        "soft threshold",
        {
            "soft threshold": "what the product with an atom has above the threshold",
            "triangle": "how much nearer than the mean of all atoms one is",
        },
    ).about("what is known of a patch")
    threshold: Real = Real(1.0, 0).about("of the soft threshold")
    signs: OneOf = OneOf(
        "one", {"one": "products above the threshold", "both": "and, apart, those below minus it"}
    ).about("which products the soft threshold lets pass")
    mirrored: Flag = Flag(True).about(
        "whether responses are means over an image and its mirror image, at twice the work"
    )
    grid: Whole = Whole(3, 1).about("parts along a side of the image, each pooled into a step")
    order: OneOf = OneOf(
        "rows",
        {
            "rows": "row by row, from left to right",
            "columns": "column by column, from top to bottom",
            "serpentine": "row by row, every other from right to left",
            "inward": "in a spiral whose last step is in the middle",
        },
    ).about("in which order the parts are shown")
    samples: Whole = Whole(100_000, 1000).about(
        "patches that whitening and k-means are learnt from", "patches"
    )
    scaling: Whole = Whole(2000, 2).about(
        "training images, at most, that mean and deviation of the inputs are taken from", "images"
    )


class Patches(FrontEnd):
    """Responses to a dictionary of patches, pooled: grid^2 steps of a column per atom (and sign).

    An image at a time, so that its numbers depend on no other and memory on their number not at
    all; in single precision, the result rounded to 11 bits, as which it is kept on disk.
    """

    settings: PatchSettings
    costly = True

    def __init__(
        self, settings: PatchSettings, image: tuple[int, ...], fitted: Mapping[str, NDArray]
    ) -> None:
        """fitted: center, matrix, atoms and, unless nothing is to be scaled yet, mean and std.

        Raises InputError if the images are too small.
        """
        self.settings, self.image = settings, image
        self._fitted = dict(fitted) | {"image": np.array(image)}
        self.steps = settings.grid**2
        self.columns = settings.atoms * (2 if settings.signs == "both" else 1)
        places = _places(settings, image)
        self._pooling = pooling(places, settings.grid, settings.order)
        self._whitening = Whitening(fitted["center"], fitted["matrix"])
        self._atoms: Singles = fitted["atoms"]
        with one_thread():
            self._compared = np.ascontiguousarray(self._whitening.matrix @ self._atoms.T)
        self._products = np.empty((places[0] * places[1], settings.atoms), dtype=np.float32)
        self._codes = np.empty_like(self._products)

    @classmethod
    def fit(
        cls, images: Pixels, settings: PatchSettings, seed: int, on_progress: OnProgress
    ) -> "Patches":
        """The front-end learnt from training images (n, height, width, channels), no labels."""
        _places(settings, images.shape[1:])
        with one_thread():
            return cls._fitted_to(images, settings, rng(seed, "task", "patches"), on_progress)

    @classmethod
    def _fitted_to(
        cls,
        images: Pixels,
        settings: PatchSettings,
        generator: np.random.Generator,
        on_progress: OnProgress,
    ) -> "Patches":
        learnt = _learnt(images, settings, generator)
        unscaled = cls(settings, images.shape[1:], learnt)
        rows = generator.permutation(len(images))[: settings.scaling]
        mean = np.zeros((unscaled.steps, unscaled.columns))
        squares = np.zeros_like(mean)  # of the distances from the mean (Welford)
        for done, row in enumerate(rows, start=1):
            code = unscaled._pooled(images[row])
            away = code - mean
            mean += away / done
            squares += away * (code - mean)
            on_progress(done / len(rows))
        return cls(
            *(settings, images.shape[1:]), learnt | {"mean": mean, "std": np.sqrt(squares / done)}
        )

    def arrays(self) -> Mapping[str, NDArray]:
        return self._fitted

    def _encode(self, images: Pixels) -> Floats:
        encoded = np.empty((len(images), self.steps, self.columns))
        std = self._fitted["std"]
        scale = np.where(std > 0, std, np.inf)  # of an atom that nothing is like
        with one_thread():
            for row, image in enumerate(images):
                scaled = (self._pooled(image) - self._fitted["mean"]) / scale
                encoded[row] = scaled.astype(np.float16)
        return encoded

    def _pooled(self, image: Pixels) -> Singles:
        """(steps, columns) of an image, before scaling."""
        if not self.settings.mirrored:
            return self._responses(image)
        both = [self._responses(image), self._responses(image[:, ::-1])]
        return np.mean(both, axis=0, dtype=np.float32)

    def _responses(self, image: Pixels) -> Singles:
        """(steps, columns) of an image as it is."""
        settings, codes = self.settings, self._codes
        patches = all_patches(image, settings.size, settings.stride)
        patches = normalised(patches, settings.contrast) - self._whitening.center
        products = np.matmul(patches, self._compared, out=self._products)
        if settings.encoding == "triangle":
            codes = self._distances(patches @ self._whitening.matrix)
            np.subtract(codes.mean(axis=1, keepdims=True), codes, out=codes)
            return self._pooling @ np.maximum(codes, 0, out=codes)
        threshold = np.float32(settings.threshold)
        np.subtract(products, threshold, out=codes)
        above = self._pooling @ np.maximum(codes, 0, out=codes)
        if settings.signs == "one":
            return above
        np.subtract(-threshold, products, out=codes)
        below = self._pooling @ np.maximum(codes, 0, out=codes)
        return np.concatenate([above, below], axis=1)

    def _distances(self, whitened: Singles) -> Singles:
        """Of whitened patches from the atoms, (places, atoms), with their products at hand."""
        codes = np.multiply(self._products, -2, out=self._codes)
        codes += (whitened**2).sum(axis=1, keepdims=True)
        codes += (self._atoms**2).sum(axis=1)
        return np.sqrt(np.maximum(codes, 0, out=codes), out=codes)


def _places(settings: PatchSettings, image: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of patches in an image; an InputError if it is too small for them."""
    height, width, _ = image
    places = tuple((side - settings.size) // settings.stride + 1 for side in (height, width))
    if min(height, width) < settings.size:
        allowed = f"must be at most {min(height, width)}, the side of the images"
        raise InputError("front_end.patches.size", settings.size, allowed)
    if min(places) < settings.grid:
        allowed = f"must be at most {min(places)}, the patches along a side of the image"
        raise InputError("front_end.patches.grid", settings.grid, allowed)
    return places[0], places[1]


def _learnt(
    images: Pixels, settings: PatchSettings, generator: np.random.Generator
) -> dict[str, Singles]:
    """Whitening and dictionary of training images."""

    def drawn(number: int) -> Singles:
        patches = random_patches(images, settings.size, number, generator)
        return normalised(patches, settings.contrast)

    patches = drawn(settings.samples)
    whitening = zca(patches, settings.whitening)
    if settings.dictionary == "data":
        atoms = whitening.of(drawn(settings.atoms))
    else:
        seed = int(generator.integers(2**31))
        atoms = cluster_centres(whitening.of(patches), settings.atoms, seed)
    if settings.encoding == "soft threshold":
        atoms = unit_norm(atoms)
    return {"center": whitening.center, "matrix": whitening.matrix, "atoms": atoms}
