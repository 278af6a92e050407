"""Image sets: read from every standard layout as they stand, or refused in one line."""

import gzip
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.images.image_set import ImageSet
from hrsnn_brian.tasks.images.read import NAMES, read_images

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def labels(n: int, classes: int = 10) -> np.ndarray:
    return np.arange(n) % classes


# ---- the set itself ----


def small(**changed: Any) -> ImageSet:
    parts = {
        "name": "toy",
        "x_train": pixels(6, 4, 5, 3),
        "y_train": labels(6, 3),
        "x_test": pixels(3, 4, 5, 3, seed=1),
        "y_test": labels(3, 3),
        "classes": ("a", "b", "c"),
    }
    return ImageSet(**(parts | changed))


def test_grey_images_get_a_channel_and_columns_of_labels_are_flattened() -> None:
    found = small(x_train=pixels(6, 4, 5), x_test=pixels(3, 4, 5), y_train=labels(6, 3)[:, None])
    assert found.shape == (4, 5, 1)
    assert found.y_train.tolist() == [0, 1, 2, 0, 1, 2]
    assert (found.y_train.dtype, found.x_train.flags.writeable) == (np.int64, False)


def test_limited_takes_the_first_images_in_the_order_of_the_file() -> None:
    found = small().limited(train=4, test=1)
    assert np.array_equal(found.x_train, small().x_train[:4])
    assert (len(found.y_train), len(found.x_test), len(found.y_test)) == (4, 1, 1)
    assert len(small().limited().x_train) == 6
    with pytest.raises(InputError, match="train = 7: must be from 1 to 6"):
        small().limited(train=7)


def test_whole_numbers_of_another_type_are_pixels() -> None:
    assert np.array_equal(small(x_train=pixels(6, 4, 5, 3) * 1.0).x_train, pixels(6, 4, 5, 3))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x_train": pixels(6, 4, 5, 3) / 255}, "x_train = .* multiply images in 0"),
        ({"x_test": pixels(3, 4, 5, 3) / 2}, r"x_test = 'a value of \d+\.5': .* whole numbers"),
        ({"x_train": pixels(6, 4, 5, 3) * 2.0}, "x_train = 'values from .*from 0 to 255"),
        ({"x_train": np.full((6, 4, 5, 3), np.nan)}, "x_train = 'values from nan to nan'"),
        ({"x_train": pixels(6, 4, 5, 3).astype(str)}, "x_train = '<U3': pixels must be"),
        ({"x_train": pixels(6, 3, 4, 5)}, "x_train = 'array of shape 6 x 3 x 4 x 5': must be"),
        ({"x_train": pixels(6, 20)}, "x_train = 'array of shape 6 x 20': must be"),
        ({"x_test": pixels(3, 5, 4, 3)}, "x_test = 'images of 5 x 4 x 3': must be .* 4 x 5 x 3"),
        ({"x_test": pixels(3, 4, 5)}, "x_test = 'images of 4 x 5 x 1': must be .* 4 x 5 x 3"),
        ({"y_train": labels(5, 3)}, "y_train = '5 labels': must be one for each of the 6"),
        ({"y_test": np.array([0, 3, 1])}, "y_test = 3: label of image 1 must be from 0 to 2"),
        ({"y_train": labels(6, 3) - 1}, "y_train = -1: label of image 0 must be from 0 to 2"),
        ({"y_train": labels(6, 3) / 1}, "y_train = 'array of shape 6 and type float64'"),
        ({"y_train": np.ones(6, dtype=int)}, "y_train = 'b': is the only class"),
    ],
)
def test_what_is_no_set_of_images_is_refused_in_one_line(changed: dict, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        small(**changed)
    assert "\n" not in str(refused.value)


# ---- digits ----


def test_the_digits_are_all_there_in_a_split_that_is_stratified_and_fixed() -> None:
    from sklearn.datasets import load_digits

    found, again = read_images("digits"), read_images("digits", "/no/such/folder")
    assert np.array_equal(found.x_train, again.x_train)
    held = load_digits()
    both = np.concatenate([found.x_train, found.x_test])[..., 0]
    assert sorted(map(bytes, both)) == sorted(
        map(bytes, np.rint(held.images * 255 / 16).astype(np.uint8))
    )
    shares = [np.bincount(y) / len(y) for y in (found.y_train, found.y_test)]
    assert np.abs(shares[0] - shares[1]).max() < 0.002
    assert (len(found.x_test), found.x_train.max()) == (360, 255)


# ---- idx files ----


def idx(array: np.ndarray) -> bytes:
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def write_idx(folder: Path, zipped: bool = False, mark: str = "-") -> dict[str, np.ndarray]:
    arrays = {
        f"train-images{mark}idx3-ubyte": pixels(12, 28, 28),
        f"train-labels{mark}idx1-ubyte": labels(12),
        f"t10k-images{mark}idx3-ubyte": pixels(5, 28, 28, seed=1),
        f"t10k-labels{mark}idx1-ubyte": labels(5),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        content = idx(array)
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return arrays


@pytest.mark.parametrize(
    ("name", "inner", "zipped", "mark"),
    [
        ("mnist", ".", False, "-"),
        ("mnist", "mnist", True, "."),
        ("mnist", "MNIST/raw", True, "-"),
        ("fashion-mnist", "fashion-mnist", False, "-"),
        ("fashion-mnist", "FashionMNIST/raw", True, "-"),
    ],
)
def test_idx_files_are_read_wherever_they_usually_are(
    tmp_path: Path, name: str, inner: str, zipped: bool, mark: str
) -> None:
    arrays = list(write_idx(tmp_path / inner, zipped, mark).values())
    found = read_images(name, tmp_path)
    parts = (found.x_train[..., 0], found.y_train, found.x_test[..., 0], found.y_test)
    assert all(map(np.array_equal, parts, arrays))
    assert found.classes[9] == {"mnist": "9", "fashion-mnist": "ankle boot"}[name]


def _cut(content: bytes) -> bytes:
    return content[:-1]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("train-images-idx3-ubyte", _cut, "has 9423 bytes; its header promises 9424"),
        ("t10k-labels-idx1-ubyte", lambda c: c + b"\0", "has 14 bytes; its header promises 13"),
        ("t10k-labels-idx1-ubyte", lambda c: c[:3], "is no idx file of unsigned bytes in 1"),
        ("train-labels-idx1-ubyte", lambda c: b"\0\0\x0d" + c[3:], "is no idx file of unsigned"),
        ("train-labels-idx1-ubyte", lambda c: c[:-1] + b"\x0a", "y_train = 10: label of image 11"),
        ("train-labels-idx1-ubyte", lambda c: idx(labels(11)), "must be one for each of the 12"),
        ("train-images-idx3-ubyte", lambda c: None, "lacks train-images-idx3-ubyte"),
    ],
)
def test_a_bad_idx_file_is_named(tmp_path: Path, name: str, change: Any, said: str) -> None:
    write_idx(tmp_path)
    changed = change((tmp_path / name).read_bytes())
    (tmp_path / name).unlink()
    if changed is not None:
        (tmp_path / name).write_bytes(changed)
    with pytest.raises(InputError, match=said):
        read_images("mnist", tmp_path)


def test_a_truncated_gzip_and_images_of_another_size_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path, zipped=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    content = path.read_bytes()
    path.write_bytes(content[:100])
    with pytest.raises(InputError, match="cannot be read"):
        read_images("mnist", tmp_path)
    path.write_bytes(gzip.compress(idx(pixels(12, 28, 27))))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(pixels(5, 28, 27)))
    with pytest.raises(InputError, match="images of 28 x 27 x 1; those of mnist 28 x 28 x 1"):
        read_images("mnist", tmp_path)


# ---- CIFAR ----


def write_cifar10(folder: Path, protocol: int = 2, text: type = bytes) -> list[np.ndarray]:
    """Six batches of two images; returned: images (12, 32, 32, 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    images = pixels(12, 32, 32, 3)

    def key(name: str) -> Any:
        return name.encode() if text is bytes else name

    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    for k, name in enumerate(names):
        two = images[2 * k : 2 * k + 2].transpose(0, 3, 1, 2).reshape(2, -1)
        batch = {key("data"): two, key("labels"): [k, (k + 1) % 10], key("filenames"): ["a", "b"]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=protocol))
    words = [key(f"class {k}") for k in range(10)]
    meta = {key("label_names"): words, key("num_cases_per_batch"): 2}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta, protocol=protocol))
    return images


@pytest.mark.parametrize("inner", ["cifar-10-batches-py", "."])
@pytest.mark.parametrize(("protocol", "text"), [(2, bytes), (5, str)])
def test_cifar10_batches_are_read(tmp_path: Path, inner: str, protocol: int, text: type) -> None:
    images = write_cifar10(tmp_path / inner, protocol, text)
    found = read_images("cifar10", tmp_path)
    assert np.array_equal(found.x_train, images[:10])
    assert np.array_equal(found.x_test, images[10:])
    assert found.y_train.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert (found.y_test.tolist(), found.classes[3]) == ([5, 6], "class 3")


@pytest.mark.parametrize(("wanted", "number"), [("fine", 100), ("coarse", 20)])
def test_cifar100_is_read_with_the_labels_wanted(tmp_path: Path, wanted: str, number: int) -> None:
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    rows = {"train": pixels(4, 3072), "test": pixels(2, 3072, seed=1)}
    for name, data in rows.items():
        fine = [99, 0, 1, 2][: len(data)]
        batch = {b"data": data, b"fine_labels": fine, b"coarse_labels": [f // 5 for f in fine]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    found = read_images("cifar100", tmp_path, labels=wanted)
    assert found.y_train.tolist() == ([99, 0, 1, 2] if wanted == "fine" else [19, 0, 0, 0])
    assert found.classes == tuple(map(str, range(number)))  # no `meta`: numbers
    assert found.x_train[1, 2, 3].tolist() == rows["train"][1].reshape(3, 32, 32)[:, 2, 3].tolist()


class Harmful:
    """A pickle that would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_names_anything_but_arrays_is_refused_and_runs_nothing(
    tmp_path: Path,
) -> None:
    write_cifar10(tmp_path)
    there = tmp_path / "made"
    batch = {b"data": Harmful(there), b"labels": [0]}
    (tmp_path / "data_batch_2").write_bytes(pickle.dumps(batch))
    with pytest.raises(InputError, match=r"data_batch_2.*it names (posix|nt)\.mkdir"):
        read_images("cifar10", tmp_path)
    assert not there.exists()


ROWS = pixels(2, 3072)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ({b"data": ROWS}, "lacks data or labels"),
        ({b"data": ROWS[:, 1:], b"labels": [0, 1]}, r"uint8 of shape \(2, 3071\); a batch has"),
        ({b"data": ROWS / 2, b"labels": [0, 1]}, "holds float64 of shape"),
        ({b"data": ROWS, b"labels": [0]}, "holds 2 images; its labels must be as many"),
        ({b"data": ROWS[:1], b"labels": [0]}, "holds 1 images, not 2"),
        ({b"data": ROWS, b"labels": [0, 10]}, "y_train = 10: label of image 5 must be"),
        ([1, 2], "it must hold a table"),
    ],
)
def test_a_bad_batch_is_named(tmp_path: Path, batch: Any, said: str) -> None:
    write_cifar10(tmp_path)
    (tmp_path / "data_batch_3").write_bytes(pickle.dumps(batch, protocol=2))
    with pytest.raises(InputError, match=said):
        read_images("cifar10", tmp_path)


@pytest.mark.parametrize("length", [0, 1, 50, 6000])
def test_a_truncated_batch_is_one_line(tmp_path: Path, length: int) -> None:
    write_cifar10(tmp_path)
    path = tmp_path / "test_batch"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(
        InputError, match=r"test_batch.*is damaged, truncated or no CIFAR"
    ) as refused:
        read_images("cifar10", tmp_path)
    assert "\n" not in str(refused.value)


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    write_cifar10(tmp_path / "cifar-10-batches-py")
    (tmp_path / "cifar-10-batches-py" / "data_batch_4").unlink()
    with pytest.raises(InputError, match="lacks data_batch_4, for cifar10"):
        read_images("cifar10", tmp_path)


# ---- .npz files ----


def arrays(side: int = 28, **changed: Any) -> dict[str, Any]:
    held = {
        "x_train": pixels(12, side, side),
        "y_train": labels(12).astype(np.uint8),
        "x_test": pixels(5, side, side, seed=1),
        "y_test": labels(5).astype(np.uint8),
    }
    return held | changed


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mnist", "mnist.npz"),
        ("mnist", "mnist_small.npz"),
        ("fashion-mnist", "fashion_mnist.npz"),
        ("fashion-mnist", "fashion-mnist_1.npz"),
    ],
)
def test_an_npz_is_read_as_a_file_and_from_its_folder(tmp_path: Path, name: str, file: str) -> None:
    np.savez(tmp_path / file, **arrays())
    np.savez(tmp_path / "cifar100_12k.npz", **arrays())  # another set beside it
    for data in (tmp_path, tmp_path / file, str(tmp_path)):
        found = read_images(name, data)
        assert np.array_equal(found.x_train[..., 0], arrays()["x_train"])
        assert np.array_equal(found.y_test, arrays()["y_test"])


def test_coarse_labels_and_names_of_an_npz(tmp_path: Path) -> None:
    held = arrays(x_train=pixels(12, 32, 32, 3), x_test=pixels(5, 32, 32, 3))
    names = [f"group {k}" for k in range(20)]
    coarse = {"coarse_train": labels(12, 20), "coarse_test": labels(5, 20), "coarse_names": names}
    np.savez(tmp_path / "cifar100.npz", **held, **coarse)
    found = read_images("cifar100", tmp_path, labels="coarse")
    assert (found.y_train[11], found.classes[19]) == (11, "group 19")
    assert len(read_images("cifar100", tmp_path).classes) == 100


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"x_train": pixels(12, 28, 28)}, "lacks y_train, x_test, y_test"),
        (arrays(side=8), "holds images of 8 x 8 x 1; those of mnist 28 x 28 x 1"),
        (arrays(y_test=labels(5) + 6), r"mnist\.npz': y_test = 10: label of image 4 must be"),
        (
            arrays(x_train=pixels(12, 28, 28) / 255.0),
            r"mnist\.npz': x_train = .* multiply images in 0",
        ),
        (arrays(class_names=["a", "b"]), r"array of shape \(2,\); it must be \(10,\)"),
        (arrays(y_train=np.array([None] * 12)), "is damaged or no .npz"),
    ],
)
def test_a_bad_npz_is_refused(tmp_path: Path, held: dict, said: str) -> None:
    np.savez(tmp_path / "mnist.npz", **held)
    with pytest.raises(InputError, match=said):
        read_images("mnist", tmp_path)


@pytest.mark.parametrize("length", [0, 100, 5000])
def test_a_truncated_npz_is_one_line(tmp_path: Path, length: int) -> None:
    np.savez_compressed(tmp_path / "mnist.npz", **arrays())
    content = (tmp_path / "mnist.npz").read_bytes()
    (tmp_path / "mnist.npz").write_bytes(content[:length])
    with pytest.raises(InputError, match=r"mnist\.npz': is damaged or no \.npz file"):
        read_images("mnist", tmp_path)


# ---- what is not there ----


@pytest.mark.parametrize("name", [name for name in NAMES if name != "digits"])
def test_a_folder_without_the_set_says_what_it_should_hold(tmp_path: Path, name: str) -> None:
    layout = {
        "mnist": "train-images-idx3-ubyte",
        "fashion-mnist": "train-images-idx3-ubyte",
        "cifar10": "cifar-10-batches-py/ with data_batch_1",
        "cifar100": "cifar-100-python/ with train",
    }
    with pytest.raises(InputError, match=f"does not hold {name}; expected .*{layout[name]}"):
        read_images(name, tmp_path)
    with pytest.raises(InputError, match=f"must be given for {name}: .*{layout[name]}"):
        read_images(name)
    with pytest.raises(InputError, match="there is no such folder or file"):
        read_images(name, tmp_path / "nowhere")


def test_unknown_names_labels_and_doubtful_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'cifar10'"):
        read_images("cifar-10", tmp_path)
    with pytest.raises(InputError, match="labels = 'course': unknown; did you mean 'coarse'"):
        read_images("cifar100", tmp_path, labels="course")
    with pytest.raises(InputError, match="must be fine for mnist"):
        read_images("mnist", tmp_path, labels="coarse")
    for file in ("mnist.npz", "mnist_b.npz"):
        np.savez(tmp_path / file, **arrays())
    with pytest.raises(InputError, match=r"may mean mnist\.npz, mnist_b\.npz"):
        read_images("mnist", tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"needs the data sets of {SHARED}")
@pytest.mark.parametrize(
    ("name", "train", "classes"),
    [("mnist", 60000, 10), ("cifar10", 10000, 10), ("cifar100", 10000, 100)],
)
def test_the_data_sets_at_hand_are_read(name: str, train: int, classes: int) -> None:
    found = read_images(name, SHARED)
    assert (len(found.x_train), len(np.unique(found.y_train))) == (train, classes)
