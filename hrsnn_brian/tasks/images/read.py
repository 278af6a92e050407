"""The image sets by name, from the standard files the user has. Nothing is downloaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import UNREADABLE, InputError, unknown_name
from hrsnn_brian.tasks.images.cifar import read_cifar10, read_cifar100
from hrsnn_brian.tasks.images.idx import read_idx_set
from hrsnn_brian.tasks.images.image_set import ImageSet, held_by

LABELS = {"fine": "the 100 classes of CIFAR-100", "coarse": "its 20 groups of them"}
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
DIGITS_TEST = 360  # of the 1,797 digits; the split is ours


@dataclass(frozen=True)
class Known:
    """A set there is a reader for.

    shape, classes: of its images. layout: its standard files, in words. folders: where they are,
    below the folder given, the likeliest first. read: such a folder and the labels wanted -> the
    set, or None if it does not hold it.
    """

    shape: tuple[int, int, int]
    classes: int
    layout: str
    folders: tuple[str, ...]
    read: Callable[[Path, str], ImageSet | None]


_CLOTHES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
_IDX = "train-images-idx3-ubyte, train-labels-idx1-ubyte and the two t10k files, gzipped or not"

KNOWN = {
    "mnist": Known(
        *((28, 28, 1), 10, _IDX, ("mnist", "MNIST/raw", ".")),
        lambda folder, labels: read_idx_set("mnist", folder, tuple("0123456789")),
    ),
    "fashion-mnist": Known(
        *((28, 28, 1), 10, _IDX),
        ("fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "."),
        lambda folder, labels: read_idx_set("fashion-mnist", folder, _CLOTHES),
    ),
    "cifar10": Known(
        *((32, 32, 3), 10, "cifar-10-batches-py/ with data_batch_1 to 5 and test_batch"),
        ("cifar-10-batches-py", "."),
        lambda folder, labels: read_cifar10(folder),
    ),
    "cifar100": Known(
        *((32, 32, 3), 100, "cifar-100-python/ with train and test", ("cifar-100-python", ".")),
        read_cifar100,
    ),
}
NAMES = ("digits", *KNOWN)


def read_images(name: str, data: str | Path | None = None, *, labels: str = "fine") -> ImageSet:
    """The image set `name`, one of `NAMES`.

    data: the folder with its standard files, or the folder above it; or an `.npz` file of x_train,
        y_train, x_test, y_test, or the folder with a `NAME.npz` or `NAME_*.npz`. Not looked at for
        the digits, which scikit-learn holds. labels: of CIFAR-100, "fine" or "coarse".

    Raises InputError if the set is not there (the files it may stand in are named) or not whole.
    """
    if name not in NAMES:
        raise unknown_name("image set", name, NAMES)
    if labels not in LABELS:
        raise unknown_name("labels", labels, LABELS)
    if labels == "coarse" and name != "cifar100":
        raise InputError("labels", labels, f"must be fine for {name}: only cifar100 has others")
    if name == "digits":
        return digits()
    known = KNOWN[name]
    if data is None:
        raise InputError("data", data, f"must be given for {name}: {_wanted(name)}")
    place = _place(data)
    with held_by(place):
        found = _in_folder(name, place, labels) if place.is_dir() else _npz(name, place, labels)
    if found.shape != known.shape:
        shape, allowed = (" x ".join(map(str, s)) for s in (found.shape, known.shape))
        raise InputError("data", str(place), f"holds images of {shape}; those of {name} {allowed}")
    return found


def digits() -> ImageSet:
    """The 8 x 8 digits of scikit-learn, 0..16 stretched to 0..255, in a fixed stratified split."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    held = load_digits()
    pixels = np.rint(held.images * (255 / 16)).astype(np.uint8)
    split = train_test_split(
        *(pixels, held.target), test_size=DIGITS_TEST, stratify=held.target, random_state=0
    )
    x_train, x_test, y_train, y_test = split
    return ImageSet("digits", x_train, y_train, x_test, y_test, tuple("0123456789"))


def _wanted(name: str) -> str:
    known = KNOWN[name]
    return f"a folder with {known.layout}, or an .npz of {', '.join(ARRAYS)} ({name}.npz)"


def _place(data: str | Path) -> Path:
    try:
        place = Path(data).expanduser()
        there = place.exists()
    except (OSError, RuntimeError):
        there = False
    if not there:
        raise InputError("data", str(data), "there is no such folder or file")
    return place


def _in_folder(name: str, folder: Path, labels: str) -> ImageSet:
    """The set in its standard files, or in the one `.npz` of its name."""
    for inner in KNOWN[name].folders:
        if (folder / inner).is_dir() and (found := KNOWN[name].read(folder / inner, labels)):
            return found
    stems = {name, name.replace("-", "_")}
    files = sorted(
        path
        for path in folder.glob("*.npz")
        if any(path.stem == stem or path.stem.startswith(f"{stem}_") for stem in stems)
    )
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise InputError("data", str(folder), f"may mean {names}; give the one you want")
    if not files:
        raise InputError("data", str(folder), f"does not hold {name}; expected {_wanted(name)}")
    return _npz(name, files[0], labels)


def _npz(name: str, path: Path, labels: str) -> ImageSet:
    """An `.npz` of `ARRAYS`, with `class_names` if it has them; with coarse_train, coarse_test and
    `coarse_names` if coarse labels are wanted."""
    coarse = labels == "coarse"
    wanted = ("x_train", "coarse_train", "x_test", "coarse_test") if coarse else ARRAYS
    classes = 20 if coarse else KNOWN[name].classes
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in wanted if key not in archive.files]
            if missing:
                reason = f"lacks {', '.join(missing)}; an .npz must hold {', '.join(wanted)}"
                raise InputError("data", str(path), reason)
            x_train, y_train, x_test, y_test = (archive[key] for key in wanted)
            key = "coarse_names" if coarse else "class_names"
            names = archive[key] if key in archive.files else np.arange(classes)
    except InputError:
        raise
    except UNREADABLE:
        reason = f"is damaged or no .npz file; expected {_wanted(name)}"
        raise InputError("data", str(path), reason) from None
    _require_names(path, names, classes)
    with held_by(path):
        return ImageSet(name, x_train, y_train, x_test, y_test, tuple(map(_word, names)))


def _require_names(path: Path, names: NDArray, classes: int) -> None:
    if names.shape != (classes,):
        reason = f"names classes by an array of shape {names.shape}; it must be ({classes},)"
        raise InputError("data", str(path), reason)


def _word(name: object) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
