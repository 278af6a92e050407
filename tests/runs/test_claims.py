"""Claims of work in a shared directory: one owner at a time, and none that is gone."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.runs import claims
from hrsnn_brian.runs.claims import SESSIONS, STALE_S, Owner, sessions
from hrsnn_brian.runs.run_directory import RunDirectory

HOLDER = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from hrsnn_brian.runs.claims import Owner\n"
    "Owner(Path(sys.argv[1])).take('a')\n"
    "print('taken', flush=True)\n"
    "time.sleep(60)\n"
)


def other_machine(owner: Owner, silent_s: float) -> None:
    """Makes `owner` one of another machine that was heard of `silent_s` ago."""
    owner._ended.set()
    owner.path.write_text(json.dumps(owner.facts | {"machine": "another"}))
    heard = owner.path.stat().st_mtime - silent_s
    os.utime(owner.path, (heard, heard))


def test_work_is_taken_once_and_free_again_when_its_owner_has_ended(tmp_path):
    one, two = Owner(tmp_path), Owner(tmp_path)
    assert one.take("a") is None
    assert one.take("a") is None  # it is ours
    assert two.take("a")["pid"] == os.getpid()
    assert two.take("b") is None
    one.end()
    assert two.take("a") is None
    two.end()
    assert list((tmp_path / SESSIONS).iterdir()) == []


@pytest.mark.signals
def test_the_claim_of_a_killed_process_is_void_at_once(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"taken\n"
    owner = Owner(tmp_path)
    assert owner.take("a")["pid"] == holder.pid
    assert [seen.alive for seen in sessions(tmp_path)] == [True, True]
    holder.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    assert owner.take("a") is None
    holder.wait()
    assert owner.others() == []


@pytest.mark.parametrize(("silent_s", "held"), [(STALE_S - 20, True), (STALE_S + 20, False)])
def test_an_owner_on_another_machine_is_judged_by_its_heartbeat(tmp_path, silent_s, held):
    there, here = Owner(tmp_path), Owner(tmp_path)
    there.take("a")
    other_machine(there, silent_s)
    assert (here.take("a") is not None) == held
    assert len(here.others()) == held


def test_a_process_that_merely_has_the_number_of_the_owner_is_not_the_owner(tmp_path):
    gone, here = Owner(tmp_path), Owner(tmp_path)
    gone.take("a")
    gone._ended.set()
    gone.path.write_text(json.dumps(gone.facts | {"birth": "1"}))
    assert (here.take("a") is None) == Path("/proc/self/stat").exists()


def test_a_claim_that_was_made_but_not_written_holds_until_it_is_old(tmp_path):
    owner = Owner(tmp_path)
    claim = tmp_path / SESSIONS / "a.1.claim"
    claim.touch()
    assert owner.take("a") is not None
    old = claim.stat().st_mtime - STALE_S - 20
    os.utime(claim, (old, old))
    assert owner.take("a") is None


def no_links(*_):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_claim_is_never_there_without_its_owner(tmp_path, monkeypatch):
    """Nothing is written after its making, so a kill between the two leaves none that hold up."""
    owner = Owner(tmp_path)
    monkeypatch.setattr(claims.os, "write", None)
    assert owner.take("a") is None
    assert (tmp_path / SESSIONS / "a.1.claim").readlink() == Path(owner.name)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("abandoned", [False, True])
def test_of_many_who_ask_at_once_one_gets_it(tmp_path, monkeypatch, abandoned, links):
    if not links:
        monkeypatch.setattr(claims.os, "symlink", no_links)
    names = [f"p{k}" for k in range(60)]
    if abandoned:
        gone = Owner(tmp_path)
        assert all(gone.take(name) is None for name in names)
        other_machine(gone, STALE_S + 20)
    owners = [Owner(tmp_path) for _ in range(4)]
    start, won = threading.Barrier(4), {owner.name: list[str]() for owner in owners}

    def ask(owner: Owner) -> None:
        start.wait()
        won[owner.name] += [name for name in names if owner.take(name) is None]

    threads = [threading.Thread(target=ask, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for found in won.values() for name in found) == sorted(names)


def test_a_full_disk_leaves_no_claim(tmp_path, monkeypatch):
    owner = Owner(tmp_path)

    def write(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(claims.os, "symlink", no_links)
        patch.setattr(claims.os, "write", write)
        with pytest.raises(OSError, match="No space left"):
            owner.take("a")
    assert owner.take("a") is None


def test_a_directory_is_had_alone_without_file_locks_or_shared(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr("hrsnn_brian.files.locks.fcntl.flock", flock)
    config = {"run": {"seed": 0}}
    with RunDirectory.claim(tmp_path / "alone", config):
        said = rf"in use by another process \(.*, process {os.getpid()}\)"
        with pytest.raises(InputError, match=said):
            RunDirectory.claim(tmp_path / "alone", config)
    RunDirectory.claim(tmp_path / "alone", config).release()
    part = tmp_path / "run" / "points" / ".hrsnn-1-0a1b2c3d.part"
    with RunDirectory.claim(tmp_path / "run", config, shared=True) as first:
        part.touch()
        RunDirectory.claim(tmp_path / "run", config, shared=True).release()
        assert part.exists()  # the first may be writing it
        assert first.owner.others() == []
    RunDirectory.claim(tmp_path / "run", config, shared=True).release()
    assert not part.exists()
