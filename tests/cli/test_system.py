"""What the machine may refuse: one line each, no traceback, nothing lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from test_cache import SHAPE, make_program

from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.files.machine import free_memory, require_memory, usable_cores
from hrsnn_brian.simulation import cache
from hrsnn_brian.simulation.cache import ProgramCache, program_key
from hrsnn_brian.simulation.toolchain import find_compiler

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[2]
STUDY = """
from hrsnn_brian.runs.study import Study

def points(options, seed):
    return [{"k": k} for k in range(40)]

def run(point, engine):
    return [{"k": point["k"], "text": "x" * 20000}]

STUDY = Study("fills", "fills a disk", points, run, uses_engine=False, presets={"quick": {}})
"""


def hrsnn(*words: str, shell: str = "", **keywords) -> subprocess.CompletedProcess:
    """Runs the command in a process of its own; `shell` is a redirection."""
    keywords["env"] = {**os.environ, **keywords.pop("env", {})}
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-m", "hrsnn_brian", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, **keywords)


def assert_one_line(done: subprocess.CompletedProcess, status: int, *said: str) -> None:
    assert done.returncode == status, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("hrsnn: ")
    for text in said:
        assert text in done.stderr


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Makes file systems: `tmpfs("size=1m,noexec")`; `tmpfs("remount,ro", folder)` changes one."""
    made: list[Path] = []

    def mount(options: str, folder: Path | None = None) -> Path:
        if folder is None:
            folder = tmp_path / f"tmpfs-{len(made)}"
            folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("no mount command on this system")
        if done.returncode != 0:
            pytest.skip(f"tmpfs cannot be mounted here: {done.stderr.strip()}")
        if folder not in made:
            made.append(folder)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> None:
    with open(folder / "filler", "wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"x" * 4096)


# ---- the cache folder ----


def test_a_read_only_cache_that_holds_the_program_is_used(tmpfs):
    folder = tmpfs("size=1m")
    program = make_program(folder)
    tmpfs("remount,ro", folder)
    found, built = ProgramCache(folder).get(SHAPE)
    assert (found.folder, built) == (program, False)
    with pytest.raises(EngineError, match=r"cannot be cleared: Read-only"):
        ProgramCache(folder).clear()


def test_a_read_only_cache_without_the_program_is_one_line(tmpfs):
    folder = tmpfs("size=1m")
    tmpfs("remount,ro", folder)
    with pytest.raises(InputError, match=r"HRSNN_CACHE = .*cannot be written \(Read-only"):
        ProgramCache(folder).get(SHAPE)


def test_a_cache_that_must_not_hold_programs_is_one_line(tmpfs):
    with pytest.raises(InputError, match=r"HRSNN_CACHE = .*mounted noexec"):
        ProgramCache(tmpfs("size=1m,noexec")).get(SHAPE)


def test_a_full_cache_is_one_line(tmpfs):
    folder = tmpfs("size=1m")
    fill(folder)
    with pytest.raises((EngineError, InputError), match="No space left") as caught:
        ProgramCache(folder).get(SHAPE)
    assert "\n" not in str(caught.value)


@pytest.mark.compiled
def test_a_cache_that_fills_up_during_the_build_is_one_line(tmpfs):
    folder = tmpfs("size=300k")
    with pytest.raises(EngineError, match=r"(?i)no space left") as caught:
        ProgramCache(folder).get(SHAPE)
    assert "\n" not in str(caught.value)
    assert [p.suffix for p in folder.iterdir()] == [".lock"]


def test_a_folder_that_another_user_may_not_write_is_one_line(tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # the other user need not be able to read this environment, where the versions stand
    key = program_key(SHAPE, find_compiler())
    monkeypatch.setattr(cache, "program_key", lambda *_: key)
    folder = tmp_path / "programs"
    folder.mkdir(mode=0o755)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:  # modes do not bind root
        try:
            for place in (tmp_path, *tmp_path.parents[:-2]):
                os.chmod(place, os.stat(place).st_mode | 0o055)
            os.setuid(65534)
            ProgramCache(folder).get(SHAPE)
        except BaseException as error:
            os.write(writing, f"{type(error).__name__} {error}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reading, 10000).decode()
    assert said.startswith(f"InputError HRSNN_CACHE = '{folder}': ")
    assert "cannot be written (Permission denied)" in said


def test_doctor_tries_the_folder_that_is_in_use(tmpfs):
    for options, said in (("size=1m,noexec", "noexec"), ("size=1m,ro", "Read-only")):
        folder = tmpfs(options)
        done = hrsnn("doctor", "--json", env={"HRSNN_CACHE": str(folder)})
        assert done.returncode == 1
        report = json.loads(done.stdout)
        assert report["ok"] is False
        assert str(folder) in report["problem"]
        assert said in report["problem"]
        assert "Traceback" not in done.stderr


# ---- temporary files, disks, memory ----


@pytest.mark.compiled
def test_a_full_folder_for_temporary_files_is_one_line(tmpfs, tmp_path, compiled_engine):
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.parameters import HRSNNParams
    from hrsnn_brian.simulation import Drive, simulate

    network, folder = build_network(HRSNNParams(N=60), seed=0), tmpfs("size=256k")
    simulate(compiled_engine, network, Drive([[0.0]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        with pytest.raises(EngineError, match=r"TMPDIR.*No space left"):
            simulate(compiled_engine, network, Drive([[0.0]] * 20000))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_disk_that_fills_up_under_a_study_is_one_line_and_loses_no_point(tmpfs, tmp_path, jobs):
    (tmp_path / "fills.py").write_text(STUDY)
    folder = tmpfs("size=400k")
    done = hrsnn("study", "fills.py", "--jobs", jobs, "--out", str(folder / "run"), cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("hrsnn: ")
    assert "No space left on device" in done.stderr.splitlines()[-1]
    points = list((folder / "run" / "points").glob("*.json"))
    assert 0 < len(points) < 40
    assert all(len(json.loads(p.read_text())["rows"]) == 1 for p in points)
    assert not list(folder.rglob("*.part"))
    tmpfs("remount,size=20m", folder)
    done = hrsnn("study", "fills.py", "--jobs", jobs, "--out", str(folder / "run"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{len(points)} finished before" in done.stderr
    table = (folder / "run" / "tables" / "fills.csv").read_text()
    assert table == "k,text\n" + "".join(f"{k},{'x' * 20000}\n" for k in range(40))
    assert not list(folder.rglob("*.claim"))


@pytest.mark.parametrize("words", [["list", "studies"], ["list", "studies", "--json"]])
def test_standard_output_on_a_full_disk_is_one_line(words):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    done = hrsnn(*words, shell="> /dev/full")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "hrsnn: output: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_closed_standard_output(tmp_path):
    done = hrsnn("list", "studies", "--json", shell=">&-")
    assert_one_line(done, 1, "standard output is closed, where --json is to print")
    done = hrsnn("build", "--set", "N=60", "--out", "net.npz", shell=">&- 2>&-", cwd=tmp_path)
    assert done.returncode == 0
    import numpy as np

    with np.load(tmp_path / "net.npz") as held:  # its descriptor is not that of the prints
        assert len(held.files) > 3


def test_an_output_that_knows_ascii_only():
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = hrsnn("list", "systems", env=ascii_only)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"R\xf6ssler" in done.stdout


def test_memory_that_does_not_suffice_is_one_line(tmp_path):
    words = ["--duration", "1e9 s", "--device", "numpy"]
    done = hrsnn("lyapunov", "--system", "network-A", *words, cwd=tmp_path)
    assert_one_line(done, 1, "an input of 2e+08 s takes", "GB are free")
    done = hrsnn("lyapunov", "--system", "lorenz63", "--duration", "1e13", cwd=tmp_path)
    assert_one_line(done, 1, "memory does not suffice (Unable to allocate")


def test_memory_is_asked_for_before_it_is_used():
    require_memory(0.5 * free_memory(), "half")
    with pytest.raises(EngineError, match=r"^all of it takes .* GB of memory, .* GB are free$"):
        require_memory(1.01 * free_memory() + 1e9, "all of it")
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


# ---- names and folders ----


@pytest.mark.parametrize("length", [251, 264])
def test_a_name_at_the_limit_is_written_and_one_above_it_refused(tmp_path, length):
    name = "n" * (length - 4) + ".npz"
    done = hrsnn("build", "--set", "N=60", "--out", name, cwd=tmp_path)
    if length <= 255:
        assert done.returncode == 0, done.stderr
        assert [p.name for p in tmp_path.iterdir()] == [name]
    else:
        assert_one_line(done, 2, f"--out = '{name}'", "File name too long")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["build", "--out", "a.npz"], ["study", "fills.py"], ["cache"]])
def test_a_current_folder_that_was_deleted_is_one_line(tmp_path, words):
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os; os.rmdir({str(gone)!r}); os.execv({sys.executable!r}, "
    program += f"[{sys.executable!r}, '-m', 'hrsnn_brian', *{words!r}])"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HRSNN_CACHE": "relative"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=gone, env=env, capture_output=True, text=True
    )
    assert_one_line(done, 1, "the current folder was deleted; change to one that exists")


def test_a_tilde_is_the_home_folder(tmp_path):
    import numpy as np

    np.save(tmp_path / "W.npy", np.roll(np.eye(40), 1, axis=0) * 0.1)
    words = ["--set", "graph.kind=matrix", "--set", "graph.matrix=~/W.npy", "--out=~/net.npz"]
    home = {"HOME": str(tmp_path)}
    done = hrsnn("build", *words, cwd=tmp_path, env=home)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["W.npy", "net.npz"]


@pytest.mark.parametrize("path", [str(ROOT), "."])
def test_a_checkout_on_the_path_works_without_installation(tmp_path, path):
    """An interpreter without its site folders' editable installations, but with their libraries."""
    libraries = [p for p in sys.path if p.endswith("site-packages")]
    program = (
        "import sys; sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in repr(f)]\n"
        f"sys.path[1:1] = {libraries!r}\n"
        "from hrsnn_brian.cli.main import main\n"
        "from hrsnn_brian.runs.study import load_study\n"
        "from hrsnn_brian.figures.registry import list_figures\n"
        "import hrsnn_brian.studies\n"
        "assert len(list_figures()) > 5\n"
        "print(load_study('pruning_curve').name, hrsnn_brian.studies.__file__)\n"
        "sys.exit(main(['list', 'studies', '--json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=ROOT if path == "." else tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, listed = done.stdout.splitlines()
    assert first.startswith("pruning_curve ")
    assert first.endswith(str(Path("studies") / "__init__.py"))
    assert "pruning_curve" in json.loads(listed)["studies"]


@pytest.mark.parametrize(("words", "threads"), [([], 1), (["--threads", "2"], 2)])
def test_linear_algebra_runs_on_as_many_threads_as_asked_for(words, threads):
    program = (
        "import sys\n"
        "from hrsnn_brian.cli import list_command, main\n"
        "import threadpoolctl\n"
        "def run(args, output):\n"
        "    import numpy, scipy.linalg\n"
        "    print({p['num_threads'] for p in threadpoolctl.threadpool_info()})\n"
        "    return 0\n"
        "list_command.run = run\n"
        f"sys.argv = ['hrsnn', 'list', 'studies', *{words!r}]\n"
        "sys.exit(main.main())\n"
    )
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "4"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"{{{threads}}}"), done.stderr
