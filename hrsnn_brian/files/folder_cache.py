"""Folders that are dear to make, on disk under the hash of everything that decides them.

A folder is made under another name (`scrap`) while a lock on its key is held, and renamed when it
is whole, so that nobody finds a half of it and a killed process leaves nothing that looks finished.
"""

import re
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hrsnn_brian.errors import EngineError
from hrsnn_brian.files.locks import Lock

MANIFEST = "manifest.json"  # in every folder; its time is that of the last use
_SCRAP = re.compile(r"\.(building|removed)-(?P<key>[0-9a-f]{24})-\w+")  # a killed process left it


@dataclass(frozen=True)
class CacheEntry:
    """One folder on disk: key, size in bytes, time of last use (seconds since the epoch)."""

    key: str
    bytes: int
    last_used: float


def scrap(what: str, key: str) -> str:
    return f".{what}-{key}-{secrets.token_hex(4)}"


class FolderCache:
    """Lists and removes such folders. Safe for concurrent use by processes sharing `root`."""

    def __init__(self, root: Path, limit_bytes: float, is_entry: Callable[[Path], bool]) -> None:
        """is_entry: whether a folder in `root` was made here; nothing else is touched."""
        self.root, self.limit_bytes, self._is_entry = root.absolute(), limit_bytes, is_entry

    def _lock(self, key: str) -> Lock:
        return Lock(self.root / f"{key}.lock")

    def entries(self) -> list[CacheEntry]:
        """What is on disk, most recently used first."""
        found = []
        for folder in self.root.glob("*"):
            if self._is_entry(folder):
                files = [p.stat().st_size for p in folder.rglob("*") if p.is_file()]
                used = (folder / MANIFEST).stat().st_mtime
                found.append(CacheEntry(folder.name, sum(files), used))
        return sorted(found, key=lambda entry: -entry.last_used)

    def total_bytes(self) -> int:
        return sum(entry.bytes for entry in self.entries())

    def trim(self, keep: str = "") -> None:
        """Remove the least recently used entries until the limit is met; never `keep`."""
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        for entry in reversed(entries):
            if total <= self.limit_bytes:
                return
            if entry.key != keep:
                with suppress(OSError):  # another user's, in a shared folder: theirs to remove
                    self._remove(entry.key)
                    total -= entry.bytes

    def clear(self) -> int:
        """Remove every entry and what killed processes left; returns how many entries.

        Raises EngineError if one cannot be removed.
        """
        entries = self.entries()
        try:
            for entry in entries:
                self._remove(entry.key)
            for key in {m["key"] for p in self.root.glob(".*") if (m := _SCRAP.fullmatch(p.name))}:
                with suppress(BlockingIOError), self._lock(key) as lock:  # being built
                    lock.acquire()
                    self._sweep(key)
        except OSError as error:
            raise EngineError(f"{self.root} cannot be cleared: {error.strerror}") from None
        return len(entries)

    def _remove(self, key: str) -> None:
        """Out of the way at once, so that nobody finds a half of it, then deleted."""
        with self._lock(key) as lock:
            lock.acquire(on_wait=lambda: None)
            if self._is_entry(self.root / key):  # not removed by another process meanwhile
                aside = self.root / scrap("removed", key)
                (self.root / key).rename(aside)
                shutil.rmtree(aside)

    def _sweep(self, key: str) -> None:
        for scrap in self.root.glob(f".*-{key}-*"):
            if _SCRAP.fullmatch(scrap.name) and scrap.is_dir():
                shutil.rmtree(scrap, ignore_errors=True)
            elif _SCRAP.fullmatch(scrap.name):
                scrap.unlink(missing_ok=True)
