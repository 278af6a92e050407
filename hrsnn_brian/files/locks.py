"""Locks between processes that end with their process, however it ends."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

try:
    import fcntl
except ImportError:  # no flock on this platform
    fcntl = None  # type: ignore[assignment]

# What file systems answer that have no flock (some network and user-space ones).
_UNSUPPORTED = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


class Lock:
    """An exclusive lock on the file `path`, held by the kernel, so that no file can go stale.

    exclusive: after `acquire`, whether the lock excludes anybody: False where there is no flock.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.exclusive = path, False
        self._descriptor: int | None = None

    def acquire(self, on_wait: Callable[[], None] | None = None) -> None:
        """Takes the lock; if another process holds it, calls `on_wait` once and waits.

        Raises BlockingIOError instead of waiting if there is no `on_wait`, OSError if the file
        cannot be made.
        """
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                self.exclusive = self._flock(wait=False)
            except BlockingIOError:
                if on_wait is None:
                    raise
                on_wait()
                self.exclusive = self._flock(wait=True)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Lets others have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self.exclusive = None, False

    def _flock(self, wait: bool) -> bool:
        if fcntl is None or self._descriptor is None:
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return False
            raise
        return True

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *error: object) -> None:
        self.release()
