"""Who works on what in a run directory, where several processes and machines may share it.

A process that works in the directory has a file in sessions/, whose time it renews: its heartbeat.
It takes a piece of work by making sessions/<name>.<k>.claim, a symbolic link to that file: the
file system lets one process alone do it, and there is no moment at which the claim is there without
its owner. Where there are no links it is a file (O_EXCL) with the owner's name inside. No file
locks are asked for. Nobody removes a claim
while others work: that of an owner who is gone is void, and the next takes <name>.<k+1>.claim.

An owner is gone if its file says that it has ended, if it ran on this machine and its process is
there no more, or if it has not renewed its heartbeat for `STALE_S`. A process that was only taken
for gone (stopped for long, say) does no harm: both compute the same rows.
"""

import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

BEAT_S = 15.0
STALE_S = 180.0  # far above BEAT_S: clocks of network file systems, long calls that let nobody in
SESSIONS, RUNNING, KILLED = "sessions", "running", "killed"


@cache
def _machine() -> str:
    """This machine since it was started, and the processes that can be seen from here."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return platform.node()


def _birth(pid: int) -> str | None:
    """When a process of this machine was started; "" where that is not told, None if it is gone."""
    try:
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state in "ZX" else numbers[18]  # dead, but nobody has asked for its status
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""


def is_alive(entry: Mapping[str, Any], age_s: float) -> bool:
    """Whether the owner of a file of sessions/ still works. entry: its content; age_s: of its
    heartbeat."""
    if entry.get("status", RUNNING) != RUNNING:
        return False
    if entry.get("machine") == _machine():
        birth = _birth(int(entry["pid"]))
        if birth is None or (birth and birth != entry.get("birth")):
            return False
        if birth:
            return True
    return age_s < STALE_S


def read_entry(path: Path) -> dict[str, Any]:
    """The content of a file of sessions/; empty if it is just being made.

    Raises FileNotFoundError if there is none.
    """
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


class Owner:
    """This process at work in the run directory `run`; its heartbeat goes on until `end`."""

    def __init__(self, run: Path) -> None:
        """Signs in. Raises OSError if that cannot be written."""
        self.folder = run / SESSIONS
        self.folder.mkdir(exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        self.name = f"{stamp}-{secrets.token_hex(4)}.json"
        self.path = self.folder / self.name
        self.facts = {
            "host": platform.node(),
            "pid": os.getpid(),
            "machine": _machine(),
            "birth": _birth(os.getpid()),
            "status": RUNNING,
        }
        # Not by way of a part: whoever comes upon unfinished files must know that we are here.
        with open(self.path, "x", encoding="utf-8") as stream:
            stream.write(json.dumps(self.facts))
        self._ended = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_S):
            with suppress(OSError):  # one beat may be lost, and a full disk is told of elsewhere
                os.utime(self.path)

    def end(self) -> None:
        """Signs out: our claims are void from now on. What was done here stays as it is noted."""
        self._ended.set()
        if not self.others():
            for claim in self.folder.glob("*.claim"):
                claim.unlink(missing_ok=True)
        with suppress(OSError):
            if read_entry(self.path).get("status", RUNNING) == RUNNING:
                self.path.unlink()

    def others(self) -> list[dict[str, Any]]:
        """The entries of all other processes that work in the directory now."""
        found = [self._alive(path) for path in self.folder.glob("*.json") if path != self.path]
        return [entry for entry in found if entry is not None]

    def take(self, name: str) -> dict[str, Any] | None:
        """Claims the work `name`: None if it is ours now, else the entry of who holds it."""
        for number in count(1):
            claim = self.folder / f"{name}.{number}.claim"
            try:
                self._make(claim)
            except FileExistsError:
                owner = _text(claim)
                if owner == self.name:
                    return None
                # no owner yet: a file between its making and its writing, or killed there
                entry = self._alive(self.folder / owner if owner else claim)
                if entry is not None:
                    return entry
            else:
                return None
        raise AssertionError

    def _make(self, claim: Path) -> None:
        try:
            os.symlink(self.name, claim)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):  # not on this file system, or not allowed
            self._make_file(claim)

    def _make_file(self, claim: Path) -> None:
        handle = os.open(claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            os.write(handle, self.name.encode())
        except OSError:
            claim.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)

    def _alive(self, path: Path) -> dict[str, Any] | None:
        """The entry of another owner, None if it is gone. Its age is by the clock of the files,
        which two machines share."""
        try:
            entry = read_entry(path)
            with suppress(OSError):
                os.utime(self.path)
            age_s = self.path.stat().st_mtime - path.stat().st_mtime
            return entry if is_alive(entry, age_s) else None
        except FileNotFoundError:
            return None


def _text(claim: Path) -> str:
    """The name of a claim's owner."""
    with suppress(OSError):
        return os.readlink(claim)
    try:
        return claim.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


class Seen(NamedTuple):
    """A process that works or worked in a run directory: its entry, whether it works now, and when
    it was heard of last (seconds since the epoch)."""

    entry: dict[str, Any]
    alive: bool
    heard: float


def sessions(run: Path) -> Iterator[Seen]:
    """All of a run directory, in order of their beginning."""
    for path in sorted((run / SESSIONS).glob("*.json")):
        with suppress(FileNotFoundError):
            entry, heard = read_entry(path), path.stat().st_mtime
            yield Seen(entry, is_alive(entry, time.time() - heard), heard)
