"""What images gave is kept on disk by content: found again to the bit, bounded, cleared."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_front_ends import KINDS, SMALL, images, smooth

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import EngineError
from hrsnn_brian.tasks.images import encoded as encoded_module
from hrsnn_brian.tasks.images.encoded import encoded
from hrsnn_brian.tasks.images.front_ends import FrontEndSettings, fit_front_end
from hrsnn_brian.tasks.images.kept import ImageCache, content_key
from hrsnn_brian.tasks.images.patches import Patches

SETTINGS = FrontEndSettings(**SMALL)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "images"


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds of the fits that were done, not found."""
    done: list[int] = []
    fit = Patches.fit

    def counting(pixels: Any, settings: Any, seed: int, on_progress: Any) -> Patches:
        done.append(seed)
        return fit(pixels, settings, seed, on_progress)

    monkeypatch.setattr(Patches, "fit", counting)
    return done


def test_a_front_end_is_fitted_once_and_found_to_the_bit(fits: list[int]) -> None:
    progress: list[float] = []
    first = fit_front_end(images(), SETTINGS, 0, progress.append)
    again = fit_front_end(images(test_seed=4), SETTINGS, 0)
    assert fits == [0]
    assert (len(progress), progress[-1], progress == sorted(progress)) == (40, 1.0, True)
    assert set(first.arrays()) == set(again.arrays())
    assert all(np.array_equal(first.arrays()[k], again.arrays()[k]) for k in first.arrays())
    assert np.array_equal(first.encode(images().x_test), again.encode(images().x_test))


def test_seed_settings_and_training_images_make_it_another(fits: list[int], root: Path) -> None:
    fit_front_end(images(), SETTINGS, 0)
    fit_front_end(images(), SETTINGS, 1)
    fit_front_end(images(), FrontEndSettings(**(SMALL | {"atoms": 6})), 0)
    fit_front_end(images(x_train=smooth(40, 8)), SETTINGS, 0)
    assert (len(fits), len(ImageCache().entries())) == (4, 4)
    assert not any(path.name.startswith(".") for path in root.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_encoded_images_are_those_of_the_front_end(kind: dict, monkeypatch) -> None:
    monkeypatch.setattr(encoded_module, "CHUNK", 5)  # 12 images: two chunks and a half
    front, shown = fit_front_end(images(), FrontEndSettings(**kind), 0), images().x_test
    progress: list[float] = []
    found = encoded(front, shown, progress.append)
    direct = front.encode(shown)
    rows = np.array([11, 2, 2])
    assert len(found) == 12
    assert np.array_equal(found[3:9], direct[3:9])
    assert np.array_equal(found[rows], direct[rows])
    assert found[0:2].dtype == np.float64
    assert progress == ([5 / 12, 10 / 12, 1.0] if front.costly else [])


def test_encoded_images_are_found_again_and_on_disk_in_half_precision(root: Path) -> None:
    front = fit_front_end(images(), SETTINGS, 0)
    first = encoded(front, images().x_test)[:]

    def refuse(fraction: float) -> None:
        raise AssertionError("encoded again")

    assert np.array_equal(encoded(front, images().x_test, refuse)[:], first)
    (file,) = root.glob("*/encoded.npy")
    assert file.stat().st_size == 128 + 2 * first.size
    with pytest.raises(AssertionError, match="encoded again"):
        encoded(front, images().x_train, refuse)


def test_what_fails_half_way_leaves_nothing_behind(root: Path) -> None:
    front = fit_front_end(images(), SETTINGS, 0)
    before = sorted(root.iterdir())

    def fail(fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoded(front, images().x_test, fail)
    after = [path for path in sorted(root.iterdir()) if path.suffix != ".lock"]
    assert after == [path for path in before if path.suffix != ".lock"]


def test_the_least_recently_used_go_beyond_the_limit(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "own", limit_bytes=2500)
    keys = [content_key(k) for k in range(3)]

    def fill(folder: Path) -> None:
        (folder / "data").write_bytes(bytes(1000))

    def read(folder: Path) -> int:
        return (folder / "data").stat().st_size

    for age, key in zip((30, 40), keys[:2], strict=True):
        assert cache.get(key, {"number": age}, fill, read) == 1000
        os.utime(cache.root / key / "manifest.json", (age, age))
    assert cache.get(keys[0], {}, fill, read) == 1000  # used now
    cache.get(keys[2], {}, fill, read)
    assert {entry.key for entry in cache.entries()} == {keys[0], keys[2]}
    small = ImageCache(tmp_path / "own", limit_bytes=0)
    small.get(content_key(3), {}, fill, read)
    assert [entry.key for entry in small.entries()] == [content_key(3)]  # the newest stays


def test_a_folder_that_is_in_the_way_or_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path)
    (cache.root / content_key(1)).mkdir(parents=True)
    with pytest.raises(EngineError, match="is in the way: not made here"):
        cache.get(content_key(1), {}, lambda folder: None, lambda folder: (folder / "x").stat())
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EngineError, match=r"the cache .*file/images: Not a directory"):
        ImageCache(tmp_path / "file").get(
            "0" * 24, {}, lambda folder: None, lambda folder: (folder / "x").stat()
        )


def test_hrsnn_cache_lists_and_clears_them_and_nothing_else(root: Path, capsys) -> None:
    fit_front_end(images(), SETTINGS, 0)
    (root / "mine").mkdir()
    (root / "mine" / "manifest.json").write_text('{"holds": 1}')
    (entry,) = ImageCache().entries()
    assert main(["cache"]) == 0
    assert entry.key in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert "removed 0 programs, 1 folders about images" in capsys.readouterr().out
    assert (ImageCache().entries(), (root / "mine").is_dir()) == ([], True)
