"""The program cache: found where the environment says, used as it is, emptied of our own only."""

import errno
import fcntl
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.files.locks import Lock
from hrsnn_brian.simulation import toolchain
from hrsnn_brian.simulation.cache import ProgramCache, default_root
from hrsnn_brian.simulation.program import program_key
from hrsnn_brian.simulation.shape import ModelShape

SHAPE = ModelShape(capacity=10)
SYSTEM = {"rows": {"v": {"v": "1"}}, "states": ["v"], "inputs": [], "parameters": [], "shared": []}
KEY = "0123456789abcdef01234567"


def make_program(root: Path, key: str = "") -> Path:
    """A folder as a build leaves it, without the build."""
    folder = root / (key or program_key(SHAPE, toolchain.find_compiler()))
    folder.mkdir(parents=True)
    manifest = {"shape": SHAPE.to_dict(), "system": SYSTEM, "compiler": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "program").write_text("#!/bin/sh\n")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project in which folders look a little like ours."""
    for name, text in {
        "web/manifest.json": '{"name": "my app"}',
        f"{KEY}/manifest.json": '{"shape": 1}',
        f"{KEY[::-1]}/data.bin": "mine",
        ".building-mine/notes": "mine",
        ".removed-notes": "mine",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a1b2c3d4e5f60718293a4b5c").symlink_to(make_program(tmp_path / "elsewhere", KEY))
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.suffix != ".lock"}


def test_clearing_a_project_folder_removes_our_programs_and_nothing_else(project, monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", str(project))
    before = files(project)
    make_program(project, "f" * 24)
    scrap = project / f".building-{'e' * 24}-12ab"
    scrap.mkdir()
    assert main(["cache", "--clear"]) == 0
    assert files(project) == before


def test_trimming_a_project_folder_removes_our_programs_and_nothing_else(project):
    before = files(project)
    make_program(project, "f" * 24)
    ProgramCache(project, limit_bytes=0).trim()
    assert files(project) == before


def test_a_folder_in_the_way_of_a_program_is_named_and_kept(tmp_path, monkeypatch):
    mine = tmp_path / program_key(SHAPE, toolchain.find_compiler())
    mine.mkdir()
    (mine / "thesis.tex").write_text("mine")
    monkeypatch.setattr("hrsnn_brian.simulation.cache.run_reporting", lambda *a, **k: None)
    with pytest.raises(EngineError, match=f"{mine.name} is in the way"):
        ProgramCache(tmp_path).get(SHAPE)
    assert (mine / "thesis.tex").exists()
    assert not list(tmp_path.glob(".building-*"))


@pytest.mark.parametrize(
    ("named", "base", "found"),
    [
        ("", None, "HOME/.cache/hrsnn-brian"),
        ("", "", "HOME/.cache/hrsnn-brian"),
        (None, "relative", "HOME/.cache/hrsnn-brian"),
        (None, "~/x", "HOME/x/hrsnn-brian"),
        (None, "/base", "/base/hrsnn-brian"),
        ("~/programs", None, "HOME/programs"),
        ("here/programs", None, "CWD/here/programs"),
        ("/absolute", "/base", "/absolute"),
    ],
)
def test_the_folder_is_the_one_the_environment_names(tmp_path, monkeypatch, named, base, found):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/of/nobody")
    for name, value in {"HRSNN_CACHE": named, "XDG_CACHE_HOME": base}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(
            name, value
        )
    expected = found.replace("HOME", "/home/of/nobody").replace("CWD", str(tmp_path))
    assert default_root() == Path(expected)


def test_an_unknown_home_is_one_line(monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", "~no-such-user/programs")
    with pytest.raises(InputError, match=r"HRSNN_CACHE = '~no-such-user.*home folder is not known"):
        default_root()


@pytest.mark.parametrize(
    ("text", "limit"), [("", 5e8), ("inf", math.inf), ("0", 0), ("1.5", 1.5e6)]
)
def test_the_limit_is_a_number_of_megabytes(tmp_path, monkeypatch, text, limit):
    monkeypatch.setenv("HRSNN_CACHE_LIMIT_MB", text)
    assert ProgramCache(tmp_path).limit_bytes == limit


@pytest.mark.parametrize("text", ["-1", "nan", "-inf", "much"])
def test_another_limit_is_refused(monkeypatch, capsys, text):
    monkeypatch.setenv("HRSNN_CACHE_LIMIT_MB", text)
    assert main(["cache"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"hrsnn: HRSNN_CACHE_LIMIT_MB = {text!r}: must be a number of megabytes")
    assert said.count("\n") == 1


def test_looking_at_a_cache_does_not_make_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path / "none"))
    assert main(["cache"]) == 0
    assert not (tmp_path / "none").exists()


# ---- locks ----


def test_a_second_process_waits_and_says_so(tmp_path):
    waited, order = threading.Event(), []
    held = Lock(tmp_path / "lock")
    held.acquire()
    other = Lock(tmp_path / "lock")
    thread = threading.Thread(target=lambda: (other.acquire(waited.set), order.append("other")))
    thread.start()
    assert waited.wait(10)
    order.append("held")
    held.release()
    thread.join(10)
    assert order == ["held", "other"]
    with pytest.raises(BlockingIOError):
        Lock(tmp_path / "lock").acquire()
    other.release()


def test_a_lock_file_left_behind_where_flock_is_missing_holds_nobody_up(tmp_path, monkeypatch):
    def flock(*arguments):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    program = make_program(tmp_path)
    (tmp_path / f"{program.name}.lock").touch()
    program.rename(tmp_path / "away")
    monkeypatch.setattr(
        "hrsnn_brian.simulation.cache.run_reporting",
        lambda command, **k: [
            p.rename(command[-1] / p.name) for p in (tmp_path / "away").iterdir()
        ],
    )
    found, built = ProgramCache(tmp_path).get(SHAPE)
    assert built
    assert found.folder == program


def test_two_that_build_at_once_where_there_are_no_locks_both_have_the_program(
    tmp_path, monkeypatch
):
    """The other begins after us and is faster; neither touches what the other is building."""

    def flock(*arguments):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    parts = make_program(tmp_path / "made")
    folders = []

    def build(command, **keywords):
        folder = Path(command[-1])
        folders.append(folder)
        if len(folders) == 1:
            assert ProgramCache(tmp_path).get(SHAPE)[1]
        for part in parts.iterdir():
            shutil.copy(part, folder)

    monkeypatch.setattr("hrsnn_brian.simulation.cache.run_reporting", build)
    found, built = ProgramCache(tmp_path).get(SHAPE)
    assert (built, found.folder) == (True, tmp_path / parts.name)
    assert files(found.folder) >= {"manifest.json", "program"}
    assert not list(tmp_path.glob(".building-*"))


def test_a_program_that_is_there_is_used_without_a_lock(tmp_path):
    make_program(tmp_path)
    _, built = ProgramCache(tmp_path).get(SHAPE)
    assert not built
    assert not list(tmp_path.glob("*.lock"))


# ---- the compiler ----


def test_a_compiler_may_be_several_words_and_a_relative_wrapper(tmp_path, monkeypatch):
    wrapper = tmp_path / "wrap"
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    plain = toolchain.find_compiler()
    monkeypatch.chdir(tmp_path)
    for text in (f"./wrap {plain.path}", f"{wrapper} {plain.path}", f"  ./wrap  {plain.path} "):
        monkeypatch.setenv("CXX", text)
        found = toolchain.find_compiler()
        assert found.command == (str(wrapper), plain.path)
        assert found.version == plain.version
        assert program_key(SHAPE, found) == program_key(SHAPE, plain)
    monkeypatch.setenv("CXX", f"{plain.path} -O0")
    assert program_key(SHAPE, toolchain.find_compiler()) != program_key(SHAPE, plain)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CXX", f"~/wrap {plain.path}")
    assert toolchain.find_compiler().command[0] == str(wrapper)
    monkeypatch.setenv("CXX", "")
    assert toolchain.find_compiler() == plain


@pytest.mark.compiled
def test_a_wrapped_compiler_compiles(tmp_path, monkeypatch):
    wrapper = tmp_path / "wrap"
    wrapper.write_text('#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\nexec "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXX", f"./wrap {toolchain.find_compiler().path}")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "objects.h").write_text("#include <vector>\n")
    (folder / "main.cpp").write_text("int main() { return 0; }\n")
    toolchain.compile_project(toolchain.find_compiler(), folder, ["main.cpp"], "program")
    assert subprocess.run([folder / "program"], check=False).returncode == 0
    assert (tmp_path / "calls").read_text().count("\n") == 4  # version, header, object, link


def test_compile_jobs_keep_to_the_cores_the_process_may_use(tmp_path):
    program = (
        "import os; os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})\n"
        "from unittest import mock\n"
        "from pathlib import Path\n"
        "from hrsnn_brian.simulation import toolchain\n"
        "with mock.patch.object(toolchain, 'ThreadPoolExecutor', side_effect=SystemExit) as pool:\n"
        "    try: toolchain.compile_project(toolchain.Compiler(('true',), ''), Path('.'), [], '')\n"
        "    except SystemExit: print(pool.call_args.kwargs['max_workers'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "1"
    assert os.cpu_count() is not None
