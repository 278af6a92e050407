"""What was learnt from images and what they were encoded as, on disk: both take minutes.

ROOT/images/<key>/ holds `manifest.json` and one file, ROOT being the folder of compiled programs
(`simulation.cache`). The key is a hash of images, settings, this folder's sources, the libraries
and the processor, whose kernels decide last bits. Beyond `LIMIT_BYTES` the least recently used go.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hrsnn_brian.errors import EngineError
from hrsnn_brian.files.folder_cache import MANIFEST, FolderCache, scrap
from hrsnn_brian.files.identity import PACKAGE, file_digest, joint_digest, version_of
from hrsnn_brian.simulation.cache import default_root
from hrsnn_brian.simulation.child import writing
from hrsnn_brian.simulation.toolchain import cpu_identity

T = TypeVar("T")

LIMIT_BYTES = 2e9  # about 70,000 images in the patches shipped for CIFAR-10 [our choice]
_LIBRARIES = ("numpy", "scikit-learn")
_KEY = re.compile(r"[0-9a-f]{24}")


class ImageCache(FolderCache):
    """Finds or makes a folder with what images gave. Safe for processes sharing `root`."""

    def __init__(self, root: Path | None = None, limit_bytes: float = LIMIT_BYTES) -> None:
        """root: the folder that also holds the programs; None for the one they are in."""
        super().__init__((root or default_root()) / "images", limit_bytes, _is_ours)

    def get(
        self,
        key: str,
        about: Mapping[str, Any],
        fill: Callable[[Path], None],
        read: Callable[[Path], T],
    ) -> T:
        """What `read` gives of the folder of `key`; if there is none, `fill` first makes its file.

        about: what the folder holds, for its manifest. A second process that wants the same waits.
        Raises EngineError if the folder cannot be written.
        """
        with suppress(FileNotFoundError, NotADirectoryError):
            return self._read(key, read)
        with writing(f"the cache {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            with self._lock(key) as lock:
                lock.acquire(on_wait=lambda: None)
                if not _is_ours(self.root / key):
                    self._make(key, about, fill)
                found = self._read(key, read)
        self.trim(keep=key)
        return found

    def _read(self, key: str, read: Callable[[Path], T]) -> T:
        found = read(self.root / key)
        with suppress(OSError):  # a cache that is read-only for us
            os.utime(self.root / key / MANIFEST)
        return found

    def _make(self, key: str, about: Mapping[str, Any], fill: Callable[[Path], None]) -> None:
        self._sweep(key)  # we hold its lock: its maker is dead
        private, target = self.root / scrap("building", key), self.root / key
        if os.path.lexists(target):
            raise EngineError(f"{target} is in the way: not made here; move it elsewhere")
        try:
            private.mkdir()
            fill(private)
            (private / MANIFEST).write_text(json.dumps({"holds": dict(about)}), encoding="utf-8")
            private.rename(target)
        finally:
            shutil.rmtree(private, ignore_errors=True)


def content_key(*parts: object) -> str:
    """The key of what images, arrays and plain values give with this code on this machine."""
    content = hashlib.sha256()
    made_by = [*map(version_of, (PACKAGE, *_LIBRARIES)), _sources(), cpu_identity()]
    for part in (*parts, made_by):
        if isinstance(part, np.ndarray):
            content.update(f"{part.dtype} {part.shape}\0".encode())
            content.update(np.ascontiguousarray(part).data)
        else:
            content.update(json.dumps(part, sort_keys=True).encode() + b"\0")
    return content.hexdigest()[:24]


@cache
def _sources() -> str:
    return joint_digest(
        {path.name: file_digest(path) for path in Path(__file__).parent.glob("*.py")}
    )


def _is_ours(folder: Path) -> bool:
    """Whether this cache made a folder: by its name and by what its manifest says."""
    if _KEY.fullmatch(folder.name) is None or folder.is_symlink():
        return False
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and set(manifest) == {"holds"}
