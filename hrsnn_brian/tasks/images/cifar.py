"""CIFAR-10 and CIFAR-100 in their Python batches, which are pickles: read without running code."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import UNREADABLE, InputError
from hrsnn_brian.tasks.images.image_set import ImageSet

_SIDE, _CHANNELS = 32, 3
_ROW = _SIDE * _SIDE * _CHANNELS  # a row holds the red, then the green, then the blue plane


def read_cifar10(folder: Path) -> ImageSet | None:
    """The set in a folder's `data_batch_1` to `data_batch_5` and `test_batch`; None without any.

    The names of the classes come from `batches.meta`, if it is there.
    Raises InputError if a batch is missing or damaged, or of another size than `batches.meta` says.
    """
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    if not _holds(folder, names, "cifar10"):
        return None
    meta = _meta(folder / "batches.meta")
    batches = [_batch(folder / name, "labels", meta.get("num_cases_per_batch")) for name in names]
    images, labels = zip(*batches, strict=True)
    return ImageSet(
        "cifar10",
        np.concatenate(images[:-1]),
        np.concatenate(labels[:-1]),
        images[-1],
        labels[-1],
        _classes(meta, "label_names", 10),
    )


def read_cifar100(folder: Path, labels: str) -> ImageSet | None:
    """The set in a folder's `train` and `test`, with its "fine" or "coarse" labels; None without.

    The names of the classes come from `meta`, if it is there.
    Raises InputError if a file is missing or damaged.
    """
    if not _holds(folder, ["train", "test"], "cifar100"):
        return None
    train, test = (_batch(folder / name, f"{labels}_labels") for name in ("train", "test"))
    classes = _classes(_meta(folder / "meta"), f"{labels}_label_names", _CIFAR100[labels])
    return ImageSet("cifar100", *train, *test, classes)


_CIFAR100 = {"fine": 100, "coarse": 20}


def _holds(folder: Path, names: list[str], what: str) -> bool:
    """Whether a folder holds these files; an InputError if it holds a part of them."""
    missing = [name for name in names if not (folder / name).is_file()]
    if missing and len(missing) < len(names):
        raise InputError("data", str(folder), f"lacks {', '.join(missing)}, for {what}")
    return not missing


def _batch(
    path: Path, labels: str, expected: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (n, 32, 32, 3) and labels (n,) of a batch of `expected` images, if that is known."""
    batch = _unpickled(path)
    if "data" not in batch or labels not in batch:
        raise InputError("data", str(path), f"is no batch of images: lacks data or {labels}")
    data, numbers = np.asarray(batch["data"]), np.asarray(batch[labels])
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != _ROW:
        found = f"{data.dtype} of shape {data.shape}"
        raise InputError("data", str(path), f"holds {found}; a batch has uint8 rows of {_ROW}")
    if numbers.shape != (len(data),) or numbers.dtype.kind not in "ui":
        reason = f"holds {len(data)} images; its {labels} must be as many whole numbers"
        raise InputError("data", str(path), reason)
    if expected is not None and len(data) != expected:
        raise InputError("data", str(path), f"holds {len(data)} images, not {expected}")
    images = data.reshape(-1, _CHANNELS, _SIDE, _SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), numbers.astype(np.int64)


def _meta(path: Path) -> dict[str, Any]:
    return _unpickled(path) if path.is_file() else {}


def _classes(meta: Mapping[str, Any], key: str, number: int) -> tuple[str, ...]:
    """Names of the classes; their numbers where no file names as many."""
    names = meta.get(key)
    if not isinstance(names, list) or len(names) != number:
        return tuple(map(str, range(number)))
    return tuple(n.decode(errors="replace") if isinstance(n, bytes) else str(n) for n in names)


def _unpickled(path: Path) -> dict[str, Any]:
    """The table a batch is, with keys as text."""
    try:
        with open(path, "rb") as stream:
            table = _PlainUnpickler(stream, encoding="bytes").load()
    except (*UNREADABLE, pickle.UnpicklingError, AttributeError, IndexError, MemoryError) as error:
        reason = f"is damaged, truncated or no CIFAR batch ({type(error).__name__}: {error})"
        raise InputError("data", str(path), reason) from None
    if not isinstance(table, dict):
        raise InputError("data", str(path), "is no CIFAR batch: it must hold a table")
    return {k.decode(errors="replace") if isinstance(k, bytes) else str(k): table[k] for k in table}


def _latin(text: str, encoding: str) -> bytes:
    """How protocol 2 writes bytes; of the codecs there are, this one alone."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes as {encoding}")
    return text.encode(encoding)


class _PlainUnpickler(pickle.Unpickler):
    """Reads numpy arrays and plain types, and refuses everything else a pickle could name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _latin
        inner = module.replace("numpy.core", "numpy._core")  # as numpy before 2 called it
        if (inner, name) in _ALLOWED:
            if inner == "numpy":
                return getattr(np, name)
            return super().find_class(_core(inner), name)
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no batch needs")


_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}


def _core(module: str) -> str:
    """The module under the name this numpy has for it."""
    return module if hasattr(np, "_core") else module.replace("numpy._core", "numpy.core")
