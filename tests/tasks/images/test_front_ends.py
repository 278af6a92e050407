"""Front-ends: what an image is shown as, against its definition written out slowly."""

from typing import Any

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.images.dictionary import (
    normalised,
    path,
    pooling,
    random_patches,
    zca,
)
from hrsnn_brian.tasks.images.front_end import FrontEnd
from hrsnn_brian.tasks.images.front_ends import (
    FrontEndSettings,
    fit_front_end,
    make_front_end,
)
from hrsnn_brian.tasks.images.image_set import ImageSet

SMALL = {"kind": "patches", "size": 3, "grid": 2, "atoms": 7, "samples": 2000, "mirrored": False}
KINDS: list[dict[str, Any]] = [
    {"kind": "lines"},
    SMALL,
    SMALL | {"signs": "both", "threshold": 0.3, "stride": 2, "order": "inward"},
    SMALL | {"encoding": "triangle", "dictionary": "k-means", "grid": 3, "mirrored": True},
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path / "cache"))


def smooth(number: int, seed: int, side: int = 10) -> np.ndarray:
    """Images whose neighbouring pixels are alike, as in photographs, (number, side, side, 3)."""
    noise = np.random.default_rng(seed).normal(size=(number, side, side, 3))
    waves = noise.cumsum(axis=1).cumsum(axis=2)
    low, high = (f(waves, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
    return (255 * (waves - low) / (high - low)).astype(np.uint8)


def images(test_seed: int = 1, **changed: Any) -> ImageSet:
    train, test = smooth(40, 0), smooth(12, test_seed)
    parts = {"x_train": train, "y_train": np.arange(40) % 2, "x_test": test}
    parts |= {"y_test": np.arange(12) % 2, "name": "waves", "classes": ("a", "b")}
    return ImageSet(**(parts | changed))


def fitted(kind: dict[str, Any], of: ImageSet | None = None, seed: int = 0) -> FrontEnd:
    return fit_front_end(of or images(), FrontEndSettings(**kind), seed)


# ---- all of them ----


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_has_the_shape_promised_and_no_neighbours(kind: dict[str, Any]) -> None:
    front, shown = fitted(kind), images().x_test
    together = front.encode(shown)
    assert together.shape == (12, front.steps, front.columns)
    assert together.dtype == np.float64
    alone = np.concatenate([front.encode(shown[k : k + 1]) for k in range(12)])
    assert np.array_equal(alone, together)
    assert np.array_equal(front.encode(shown[::-1])[::-1], together)
    assert np.array_equal(front.features(shown), together.reshape(12, -1))


@pytest.mark.parametrize("kind", KINDS)
def test_neither_test_images_nor_labels_decide_anything(
    kind: dict[str, Any], tmp_path, monkeypatch
) -> None:
    first = fitted(kind).arrays()
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path / "another"))  # fitted again, not found
    other = images(test_seed=5, y_train=np.arange(40) // 20)
    again = fitted(kind, other).arrays()
    assert all(np.array_equal(first[name], again[name]) for name in first)
    train = images(x_train=smooth(40, 9))
    third = fitted(kind, train).arrays()
    assert not all(np.array_equal(first[name], third[name]) for name in first)


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_z_scored_by_the_training_images(kind: dict[str, Any]) -> None:
    front = fitted(kind)
    shown = front.encode(images().x_train)
    axis = None if kind["kind"] == "lines" else 0
    assert np.abs(shown.mean(axis=axis)).max() < 2e-3
    assert np.abs(shown.std(axis=axis) - 1).max() < 2e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_front_end_is_made_again_from_its_arrays(kind: dict[str, Any]) -> None:
    front = fitted(kind)
    again = make_front_end(FrontEndSettings(**kind), front.arrays())
    assert np.array_equal(again.encode(images().x_test), front.encode(images().x_test))


@pytest.mark.parametrize("kind", KINDS[:2])
def test_images_of_another_shape_are_refused(kind: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="must be \\(images, 10, 10, 3\\)"):
        fitted(kind).encode(smooth(2, 0, side=11))


# ---- lines ----


@pytest.mark.parametrize("show", ["rows", "columns", "both"])
def test_step_k_of_lines_is_row_k_beside_column_k(show: str) -> None:
    shown = images().x_test
    train = images().x_train.astype(float)
    encoded = fitted({"kind": "lines", "show": show}).encode(shown)
    scaled = (shown - train.mean()) / train.std()
    for step in range(10):
        row, column = scaled[3, step].ravel(), scaled[3, :, step].ravel()
        both = {"rows": row, "columns": column, "both": np.concatenate([row, column])}
        np.testing.assert_allclose(encoded[3, step], both[show], atol=1e-12)


def test_rows_and_columns_together_need_square_images() -> None:
    wide = images(x_train=smooth(40, 0)[:, :6], x_test=smooth(12, 1)[:, :6])
    with pytest.raises(InputError, match=r"lines\.show = 'both': must be rows or columns"):
        fitted({"kind": "lines"}, wide)
    assert fitted({"kind": "lines", "show": "columns"}, wide).steps == 10


# ---- patches ----


@pytest.mark.parametrize("kind", KINDS[1:])
def test_encoding_is_what_its_definition_says_patch_by_patch(kind: dict[str, Any]) -> None:
    settings = FrontEndSettings(**kind).patches
    front = fitted(kind)
    held = {name: np.asarray(array, dtype=float) for name, array in front.arrays().items()}
    image = images().x_test[4].astype(float)
    parts = _parts(image, settings, held)
    if settings.mirrored:
        parts = (parts + _parts(image[:, ::-1], settings, held)) / 2
    expected = (parts - held["mean"]) / held["std"]
    np.testing.assert_allclose(front.encode(images().x_test)[4], expected, rtol=1e-3, atol=1e-3)


def _parts(image: np.ndarray, settings: Any, held: dict) -> np.ndarray:
    """Mean responses in every part of an image, (steps, columns)."""
    starts = range(0, 10 - settings.size + 1, settings.stride)
    codes = np.array([[_code(image, r, c, settings, held) for c in starts] for r in starts])
    halves = np.array_split(np.arange(len(starts)), settings.grid)
    path_taken = path(settings.grid, settings.order)
    return np.array([codes[np.ix_(halves[r], halves[c])].mean(axis=(0, 1)) for r, c in path_taken])


def _code(image: np.ndarray, row: int, column: int, settings: Any, held: dict) -> np.ndarray:
    """The responses to one patch, from the formulas."""
    patch = image[row : row + settings.size, column : column + settings.size]
    planes = np.concatenate([patch[:, :, k].ravel() for k in range(3)])
    white = held["matrix"] @ (
        (planes - planes.mean()) / np.sqrt(planes.var() + settings.contrast) - held["center"]
    )
    if settings.encoding == "triangle":
        away = np.array([np.linalg.norm(white - atom) for atom in held["atoms"]])
        return np.maximum(away.mean() - away, 0)
    products = held["atoms"] @ white
    above = np.maximum(products - settings.threshold, 0)
    if settings.signs == "one":
        return above
    return np.concatenate([above, np.maximum(-products - settings.threshold, 0)])


def test_a_mirrored_front_end_tells_no_image_from_its_mirror_image() -> None:
    shown = images().x_test
    turned = shown[:, :, ::-1]
    mirrored, plain = fitted(SMALL | {"mirrored": True}), fitted(SMALL)
    assert np.array_equal(mirrored.encode(shown), mirrored.encode(turned))
    assert not np.allclose(plain.encode(shown), plain.encode(turned), atol=0.1)


def test_whitened_patches_have_the_identity_for_a_covariance() -> None:
    taken = random_patches(smooth(200, 3), 3, 20_000, np.random.default_rng(0))
    patches = normalised(taken, 10.0)
    cov = np.cov(zca(patches, 1e-9).of(patches).T.astype(float))
    flat = np.full((27, 27), 1 / 27)  # a normalised patch has mean zero: one direction is lost
    np.testing.assert_allclose(cov, np.eye(27) - flat, atol=0.01)
    matrix = zca(patches, 0.1).matrix
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)  # ZCA, not a rotation of it
    values = np.linalg.eigvalsh(np.cov(patches.T.astype(float)))
    expected = np.sort(values / (values + 0.1))
    cov = np.cov(zca(patches, 0.1).of(patches).T.astype(float))
    np.testing.assert_allclose(np.linalg.eigvalsh(cov), expected, atol=1e-4)


def test_data_patches_of_the_dictionary_are_whitened_training_patches_of_unit_norm() -> None:
    held = fitted(SMALL).arrays()
    train = images().x_train
    corners = [(r, c) for r in range(8) for c in range(8)]
    every = np.concatenate([train[:, r : r + 3, c : c + 3] for r, c in corners])
    planes = every.transpose(0, 3, 1, 2).reshape(len(every), -1).astype(np.float32)
    white = (normalised(planes, 10.0) - held["center"]) @ held["matrix"]
    white /= np.linalg.norm(white, axis=1, keepdims=True)
    nearest = (white @ held["atoms"].T).max(axis=0)
    np.testing.assert_allclose(nearest, 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(held["atoms"], axis=1), 1, atol=1e-5)


def test_seeds_draw_other_patches_and_the_same_seed_the_same() -> None:
    first, same, other = (fitted(SMALL, seed=seed).arrays()["atoms"] for seed in (0, 0, 1))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("places", [(8, 8), (7, 5)])
def test_pooling_takes_means_of_parts_that_tile_the_image(places: tuple[int, int]) -> None:
    matrix = pooling(places, 3, "rows")
    assert matrix.shape == (9, places[0] * places[1])
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)
    assert ((matrix > 0).sum(axis=0) == 1).all()
    parts = (matrix > 0).argmax(axis=0).reshape(places)
    assert (parts[0, 0], parts[0, -1], parts[-1, 0], parts[-1, -1]) == (0, 2, 6, 8)


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        ("rows", [[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
        ("columns", [[0, 3, 6], [1, 4, 7], [2, 5, 8]]),
        ("serpentine", [[0, 1, 2], [5, 4, 3], [6, 7, 8]]),
        ("inward", [[0, 1, 2], [7, 8, 3], [6, 5, 4]]),
    ],
)
def test_parts_are_shown_in_the_order_asked_for(order: str, numbers: list[list[int]]) -> None:
    found = np.empty((3, 3), dtype=int)
    for step, part in enumerate(path(3, order)):
        found[part] = step
    assert found.tolist() == numbers


@pytest.mark.parametrize("order", ["rows", "columns", "serpentine", "inward"])
def test_every_part_is_shown_once(order: str) -> None:
    for grid in range(1, 6):
        assert sorted(path(grid, order)) == [(r, c) for r in range(grid) for c in range(grid)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"size": 11}, r"patches\.size = 11: must be at most 10, the side of the images"),
        ({"size": 8, "grid": 4}, r"patches\.grid = 4: must be at most 3, the patches along"),
        ({"whitening": 0}, r"patches\.whitening = 0: must be a number > 0"),
        ({"encoding": "triangel"}, "did you mean 'triangle'"),
    ],
)
def test_settings_that_do_not_suit_the_images_are_refused(changed: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fitted(SMALL | changed)


def test_flat_images_give_finite_numbers() -> None:
    """A patch without contrast is no atom of unit norm, and an atom nothing is like stays 0."""
    flat = np.full((40, 10, 10, 3), 7, dtype=np.uint8)
    flat[20:] = 200
    front = fitted(SMALL, images(x_train=flat))
    assert np.isfinite(front.encode(images().x_test)).all()
