"""Ctrl-C: at once, with status 130 and nothing filed that is not whole."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.dynamics.exponents.spiking import Protocol, SegmentLog, lyapunov_spectrum
from hrsnn_brian.errors import EngineError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import Engine, child

pytestmark = pytest.mark.signals
PATIENCE_S = 20  # a hang is meant: how soon it ends is a benchmark's to say, machines are noisy
HRSNN = [sys.executable, "-m", "hrsnn_brian"]
STUDY = """
from pathlib import Path
from hrsnn_brian.runs.study import Study

def points(options, seed):
    return [{"seed": seed + k, "calls": options["calls"], "s": options["s"]} for k in range(6)]

def run(point, engine):
    import hrsnn_brian as hb
    from hrsnn_brian.simulation import noise_drive
    network = hb.build_network(hb.HRSNNParams(N=60), seed=point["seed"])
    engine.prepare(hb.simulation.network_shape(network, noise_drive(network, 1.0, 0)))
    (Path(point["calls"]) / f"{point['seed']}").touch()
    drive = noise_drive(network, point["s"], point["seed"], record_states=False)
    return [{"seed": point["seed"], "rate_hz": hb.simulate(engine, network, drive).rate_hz}]

STUDY = Study("long", "long runs", points, run, presets={"quick": {"calls": "", "s": 60.0}})
"""


def interrupted(
    command: list[str], ready: Callable[[], bool], cwd: Path, group: bool = True, pause: float = 0.7
) -> tuple[int, float, str]:
    """Status as of a shell, seconds from the signal to the end, and what a command said.

    group: the whole group gets the signal, as on a terminal; else the command's process alone.
    """
    with open(cwd / "said", "w+") as said:
        process = subprocess.Popen(
            command, cwd=cwd, stdout=said, stderr=said, start_new_session=True
        )
        deadline = time.monotonic() + 120
        while not ready():
            assert process.poll() is None, (cwd / "said").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(pause)
        start = time.monotonic()
        (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
        status = process.wait(30)
        status = status if status >= 0 else 128 - status  # as a shell reports it
        return status, time.monotonic() - start, (cwd / "said").read_text()


@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "device", ["numpy", pytest.param("standalone", marks=pytest.mark.compiled)]
)
def test_an_interrupted_study_files_nothing_and_resumes(tmp_path, device, jobs, group):
    (tmp_path / "long.py").write_text(STUDY)
    calls = tmp_path / "calls"
    calls.mkdir()
    seconds = {"numpy": 60, "standalone": 20000}[device]
    words = ["study", "long.py", "--device", device, "--jobs", str(jobs), "--out", "run"]
    command = [*HRSNN, *words, "--set", f"calls={calls}", "--set", f"s={seconds}"]
    started = lambda: len(list(calls.iterdir())) >= jobs  # noqa: E731
    status, took, said = interrupted(command, started, tmp_path, group)
    assert (status, took < PATIENCE_S) == (130, True), (took, said)
    assert "hrsnn: interrupted" in said
    assert "DONE" not in {p.name for p in (tmp_path / "run").iterdir()}
    assert list((tmp_path / "run" / "points").glob("*.json")) == []


def test_an_interrupted_spectrum_on_numpy_files_no_short_segment(tmp_path):
    words = ["--set", "N=60", "--out", "net.npz"]
    subprocess.run([*HRSNN, "build", *words], cwd=tmp_path, check=True, capture_output=True)
    options = ["--device", "numpy", "--duration", "40 s", "--segments", "2", "--out", "run"]
    command = [*HRSNN, "lyapunov", "--network", "net.npz", *options]
    log = tmp_path / "run" / "config.toml"
    status, took, said = interrupted(command, log.exists, tmp_path, pause=4)
    assert (status, took < PATIENCE_S) == (130, True), (took, said)
    assert list((tmp_path / "run").rglob("segment-*.json")) == []


def test_a_short_segment_that_an_interruption_left_is_measured_again(tmp_path, numpy_engine):
    network = build_network(HRSNNParams(N=40), seed=0)
    plan = Protocol(duration=0.4, segments=2, warmup=0.1, align=0.1, t_renorm=0.02, dt=1e-3)
    measure = lambda: lyapunov_spectrum(  # noqa: E731
        network, k=1, engine=numpy_engine, protocol=plan, log=SegmentLog(tmp_path)
    )
    whole = measure()
    path = next(tmp_path.rglob("segment-1.json"))
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "log_growth": stored["log_growth"][:3]}))
    again = measure()
    np.testing.assert_array_equal(whole.exponents, again.exponents)
    assert json.loads(path.read_text()) == stored


def test_a_child_that_is_interrupted_alone_is_an_interruption(tmp_path):
    program = "import os, signal; print('progress 0.5', flush=True); os.kill(os.getpid(), 2)"
    seen = []
    with pytest.raises(KeyboardInterrupt):
        child.run_reporting([sys.executable, "-c", program], tmp_path, seen.append, "the work")
    assert seen == [0.5]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; os.kill(os.getpid(), 9)", "the work failed: it was killed; did the memory"),
        ("raise SystemExit(4)", "the work failed: it ended with status 4 and said nothing"),
        ("import sys; sys.exit('hrsnn: no such array')", "the work failed: no such array"),
        ("import sys; sys.exit('what():  std::bad_alloc')", "memory does not suffice"),
    ],
)
def test_a_child_that_fails_says_why_in_one_line(tmp_path, program, said):
    with pytest.raises(EngineError, match=said) as caught:
        child.run_reporting([sys.executable, "-c", program], tmp_path, print, "the work")
    assert "\n" not in str(caught.value)


@pytest.mark.compiled
def test_a_compiled_program_that_gets_the_signal_itself_leaves_no_result(tmp_path, monkeypatch):
    """Brian's own handler would end this stretch of the run early and go on with the next."""
    engine = Engine("standalone")
    network = build_network(HRSNNParams(N=60), seed=0)
    from hrsnn_brian.simulation import noise_drive, simulate

    popen = subprocess.Popen

    def start(*arguments, **keywords):
        process = popen(*arguments, **keywords)
        if str(arguments[0][0]).endswith("program"):
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
        return process

    drive = noise_drive(network, 20000.0, 0, record_states=False)
    simulate(engine, network, noise_drive(network, 1.0, 0, record_states=False))
    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt):
        simulate(engine, network, drive)


def test_a_long_call_of_linear_algebra_is_interrupted_too(tmp_path):
    """Python would run the handler of the signal only after the whole decomposition."""
    (tmp_path / "busy.py").write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from hrsnn_brian.cli import process\n"
        "process.own_process()\n"
        "process.limit_threads(1)\n"
        "import numpy as np\n"
        "a = np.random.default_rng(0).normal(size=(6000, 6000))\n"
        "Path('ready').touch()\n"
        "np.linalg.svd(a)\n"
    )
    ready = tmp_path / "ready"
    status, took, said = interrupted([sys.executable, "busy.py"], ready.exists, tmp_path)
    assert (status, took < PATIENCE_S) == (130, True), (took, said)


def test_termination_ends_the_children_and_leaves_no_temporary_files(tmp_path):
    program = (
        "import sys, tempfile\n"
        "from pathlib import Path\n"
        "from hrsnn_brian.cli import process\n"
        "from hrsnn_brian.simulation import child\n"
        "process.own_process()\n"
        "with tempfile.TemporaryDirectory(dir='.') as folder:\n"
        "    work = [sys.executable, '-c', 'import os, time; print(\"progress\", os.getpid(),"
        " flush=True); time.sleep(60)']\n"
        "    file = lambda pid: Path('pid').write_text(str(int(pid)))\n"
        "    child.run_reporting(work, Path('.'), file, '')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    pid = tmp_path / "pid"
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    assert process.wait(10) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert [p.name for p in tmp_path.iterdir()] == ["pid"]
