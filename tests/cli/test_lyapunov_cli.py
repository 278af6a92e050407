"""`hrsnn lyapunov`: what it reports, how it resumes, and what it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.dynamics.exponents import validation
from hrsnn_brian.dynamics.exponents.spiking import DRIVES, Protocol, lyapunov_spectrum
from hrsnn_brian.dynamics.exponents.systems import ValidationRow
from hrsnn_brian.dynamics.probe import Measurements
from hrsnn_brian.network.io import load_network
from hrsnn_brian.simulation import Engine

SMALL = ["--preset", "network-D", "--set", "N=30", "--set", "graph.K=10"]


def lines_of(capfd: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[str, str]:
    capfd.readouterr()
    assert main(["lyapunov", *words]) == status
    captured = capfd.readouterr()
    return captured.out, captured.err


def json_of(capfd: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict:
    out, _ = lines_of(capfd, *words, "--json", status=status)
    assert out.count("\n") == 1
    return json.loads(out)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def network(here: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    assert main(["build", *SMALL, "--out", "net.npz"]) == 0
    assert main(["build", *SMALL, "--set", "synapse.delay=1 ms", "--out", "delayed.npz"]) == 0
    assert main(["build", *SMALL, "--set", "encoder.kind=poisson", "--out", "poisson.npz"]) == 0
    assert main(["build", *SMALL, "--set", "encoder.gain=0", "--out", "dark.npz"]) == 0
    (here / "file").write_text("x")
    (here / "full").mkdir()
    (here / "full" / "mine.txt").write_text("x")
    capfd.readouterr()
    return here / "net.npz"


# ---- bad input ----

BAD = {
    "nothing": ("", "give exactly one"),
    "both": ("--system henon --network net.npz", "give exactly one"),
    "unknown system": ("--system lorentz63", "did you mean 'lorenz63'"),
    "unknown network system": ("--system network-E", "did you mean 'network-"),
    "k = 0": ("--system henon --k 0", "--k.*>= 1"),
    "k word": ("--system henon --k all", "--k.*'all'"),
    "k above the dimension": ("--system lorenz63 --k 4 --out run", "k = 4.*dimension 3"),
    "k above the states": ("--network net.npz --k 91 --out run", "k = 91: must be from 1 to 90"),
    "delay": ("--network delayed.npz --out run", "synapse.delay.*without delay"),
    "poisson": ("--network poisson.npz --out run", "encoder.kind = 'poisson'"),
    "common noise, poisson": ("--network poisson.npz --drive common --out run", "encoder.kind"),
    "common noise, no input": ("--network dark.npz --drive common --out run", "encoder.gain = 0"),
    "drive of a map": ("--system henon --drive common", "--drive = 'common'.*henon has no input"),
    "drive of none": ("--network net.npz --drive white", "--drive.*'white'"),
    "self-test with drive": ("--self-test --drive common", "--drive.*does not go with --self-test"),
    "no network": ("--network none.npz --out run", "none.npz.*no such file"),
    "no file of ours": ("--network file", "no .npz archive"),
    "duration without unit": ("--network net.npz --duration 10", "--duration = '10'.*with a unit"),
    "duration in hertz": ("--network net.npz --duration 10Hz", "--duration = '10Hz'"),
    "negative duration": ("--network net.npz --duration=-10s", "duration = -10"),
    "short duration": ("--network net.npz --duration 60ms", "duration.*5 segments"),
    "dt without unit": ("--network net.npz --dt 0.1", "--dt = '0.1'"),
    "dt that does not fit": ("--network net.npz --dt 0.3ms --t-renorm 3ms --out run", "timing"),
    "t_renorm off the grid": ("--network net.npz --t-renorm 0.25ms", "--t-renorm.*whole number"),
    "d0 = 0": ("--network net.npz --d0 0", "--d0.*positive"),
    "d0 nan": ("--network net.npz --d0 nan", "--d0.*positive"),
    "no segments": ("--network net.npz --segments 0", "--segments.*>= 1"),
    "unit on a flow": ("--system lorenz63 --duration 10s", "--duration = '10s'.*without a unit"),
    "flow too short": ("--system lorenz63 --duration 0.01 --out run", "duration = 0.01"),
    "step of a map": ("--system henon --dt 0.1", "--dt = '0.1': henon is a map"),
    "half an iteration": ("--system henon --duration 10.5", "--duration.*whole number"),
    "self-test with k": ("--self-test --k 2", "--k = 2: does not go with --self-test"),
    "self-test of one": ("--self-test --system henon", "--system.*does not go"),
    "seed": ("--system henon --seed -1", "--seed"),
    "device": ("--network net.npz --device gpu", "--device"),
    "out under a file": ("--system henon --out file/run", "--out"),
    "out is a file": ("--system henon --out file", "is a file"),
    "out is full": ("--network net.npz --out full", "not a run directory"),
    "unknown option": ("--sistem henon", "did you mean '--system'"),
}


@pytest.mark.parametrize("words", [pytest.param(w, id=name) for name, w in BAD.items()])
def test_bad_input_is_one_clear_line_and_leaves_nothing(words, network, capfd):
    command, message = words
    before = sorted(network.parent.rglob("*"))
    assert main(["lyapunov", *command.split()]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("hrsnn: ")
    assert err.count("\n") == 1
    assert re.search(message, err), err
    assert sorted(network.parent.rglob("*")) == before


def test_a_folder_of_another_computation_is_refused_and_left_alone(here, capfd, monkeypatch):
    words = ["--system", "henon", "--duration", "50", "--segments", "4", "--out", "run"]
    lines_of(capfd, *words)
    result = (here / "run" / "result.json").read_bytes()
    for change in (["--seed", "1"], ["--k", "1"], ["--d0", "1e-8"]):
        _, err = lines_of(capfd, *words, *change, status=2)
        assert "holds another run" in err
        assert err.count("\n") == 1
    with monkeypatch.context() as patch:
        patch.setattr("hrsnn_brian.files.identity.package_digest", lambda: "other")
        _, err = lines_of(capfd, *words, status=2)
        assert "the source files of hrsnn_brian have changed; give another directory" in err
    assert (here / "run" / "result.json").read_bytes() == result
    assert (here / "run" / "DONE").exists()
    lines_of(capfd, *words)
    assert (here / "run" / "result.json").read_bytes() == result


# ---- flows and maps ----


def test_a_map_has_its_known_exponents_dimension_and_entropy(here, capfd):
    result = json_of(capfd, "--system", "henon", "--segments", "40", "--out", "run")
    first, second = result["exponents"]
    assert first == pytest.approx(0.4192, abs=0.01)
    assert first + second == pytest.approx(np.log(0.3), abs=1e-4)
    assert result["kaplan_yorke"] == pytest.approx(1 + first / abs(second))
    assert result["entropy_rate"] == pytest.approx(first)
    assert result["unit"] == "per iteration"
    assert result["valid"]
    assert "history" not in result
    stored = json.loads((here / "run" / "result.json").read_text())
    assert {name: stored[name] for name in result} == result
    assert stored["history"][-1] == result["exponents"]


def test_options_of_a_flow_are_in_its_own_time(capfd):
    words = ["--system", "lorenz63", "--segments", "20", "--k", "1"]
    own = ["--duration", "20", "--dt", "0.02", "--t-renorm", "0.2", "--d0", "1e-7"]
    result = json_of(capfd, *words, *own)
    settings = result["settings"]
    assert {name: settings[name] for name in ("duration", "dt", "t_renorm", "d0")} == {
        "duration": pytest.approx(20),
        "dt": 0.02,
        "t_renorm": pytest.approx(0.2),
        "d0": 1e-7,
    }
    assert result["exponents"] == [pytest.approx(0.9, abs=0.15)]


def test_a_failed_check_gives_no_value_a_reason_and_status_1(capfd):
    words = ["--system", "lorenz63", "--duration", "50", "--segments", "2", "--t-renorm", "25"]
    out, err = lines_of(capfd, *words, status=1)
    assert "no value: " in out
    assert "Kaplan" not in out
    assert "Traceback" not in err
    result = json_of(capfd, *words, status=1)
    assert result["exponents"] == [None, None, None]
    assert not result["valid"]
    assert result["flags"]


def test_systems_are_listed(capfd):
    capfd.readouterr()
    assert main(["list", "systems", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["systems"]
    networks = {f"network-{letter}" for letter in "ABCD"}
    assert set(found) == networks | {"lorenz63", "rossler", "logistic", "henon"}
    assert all(found.values())


# ---- self-test ----


def row(name: str, found: tuple[float, ...]) -> ValidationRow:
    return ValidationRow(name, ("x, 1/s", "y, 1/s"), (1.0, -2.0), (0.1, 0.5), lambda: found)


@pytest.mark.parametrize(
    ("found", "passed"),
    [
        ((1.05, -2.4), [True, True]),
        ((1.2, -2.0), [False, True]),
        ((1.0, float("nan")), [True, False]),
        ((1.0,), [True, False]),
    ],
)
def test_the_self_test_prints_every_quantity_and_fails_on_any_miss(
    found, passed, capfd, monkeypatch
):
    rows = (row("good", (1.0, -2.0)), row("tested", found))
    monkeypatch.setattr(validation, "validation_rows", lambda engine: rows)
    status = 0 if all(passed) else 1
    out, _ = lines_of(capfd, "--self-test", "--device", "numpy", status=status)
    last = out.splitlines()[-3:-1]
    assert [line.split()[-1] for line in last] == ["pass" if p else "MISS" for p in passed]
    assert all(text in last[1] for text in ("y, 1/s", "-2", "0.5"))
    assert out.splitlines()[-1].startswith(f"{2 - status} of 2 rows passed")
    result = json_of(capfd, "--self-test", "--device", "numpy", status=status)
    assert result["passed"] is all(passed)
    assert [entry["passed"] for entry in result["rows"]] == [True, True, *passed]
    assert {"expected", "found", "tolerance"} <= set(result["rows"][0])


# ---- networks ----


@pytest.mark.compiled
def test_the_largest_exponent_is_given_at_two_time_steps(network, capfd):
    words = ["--network", "net.npz", "--duration", "2 s", "--segments", "2", "--seed", "3"]
    result = json_of(capfd, *words)
    assert result["valid"]
    assert list(result["at_dt"]) == ["0.1 ms", "0.05 ms"]
    plan = Protocol(duration=2.0, segments=2)
    engine = Engine()
    for text, dt in (("0.1 ms", 1e-4), ("0.05 ms", 5e-5)):
        plan = Protocol(duration=2.0, segments=2, dt=dt)
        same = lyapunov_spectrum(load_network(network), engine=engine, protocol=plan, seed=3)
        assert result["at_dt"][text]["exponents"] == [same.largest]
    assert result["lambda_inf"] == result["exponents"][0] == same.largest
    assert 0 <= result["d0_difference"] < 0.5
    assert result["standard_error"][0] > 0
    out, err = lines_of(capfd, *words)
    assert "0.05 ms" in out
    assert "lambda_inf = " in out
    assert re.search(r"segments 6/6 \| elapsed .* \| left 0:00", err)


@pytest.mark.compiled
def test_common_noise_gives_its_exponent_growth_and_echo(here, capfd, compiled_engine):
    """One of the default network's kind, in programs that other tests build as well."""
    assert main(["build", "--set", "N=40", "--out", "net.npz"]) == 0
    words = ["--network", "net.npz", "--duration", "1 s", "--segments", "2", "--seed", "3"]
    common = json_of(capfd, *words, "--drive", "common", "--out", "run")
    own = json_of(capfd, *words, "--drive", "independent")
    measure, network = Measurements(compiled_engine, 3), load_network("net.npz")
    assert common["input_echo"] == measure.echo(network)
    assert common["input_echo_se"] == measure.echo_error
    assert common["growth_per_s"] == measure.common_growth(network)
    assert own["growth_per_s"] == measure.growth(network)
    assert "input_echo" not in own
    for drive, found in (("common", common), ("independent", own)):
        assert found["settings"]["drive"] == drive
        plan = Protocol(duration=1.0, segments=2, dt=5e-5)
        same = lyapunov_spectrum(
            network, engine=compiled_engine, protocol=plan, drive=DRIVES[drive], seed=3
        )
        assert found["lambda_inf"] == same.largest
    _, err = lines_of(capfd, *words, "--out", "run", status=2)
    assert "holds another run" in err
    out, _ = lines_of(capfd, *words, "--drive", "common", "--out", "run")
    assert "common noise, rate" in out
    assert re.search(r"input echo S = \S+ \+- \S+; above 2", out)
    assert "growth of random perturbations in 200 ms: -" in out


@pytest.mark.compiled
def test_shorter_steps_are_tried_and_said(here, capfd):
    """50 neurons without refractoriness, whose exponent needs spikes in their order."""
    small = ["--set", "N=50", "--set", "graph.K=10", "--set", "neuron.t_ref=0 ms", "--seed", "6"]
    assert main(["build", "--preset", "network-C", *small, "--out", "net.npz"]) == 0
    words = ["--network", "net.npz", "--duration", "1 s", "--segments", "2"]
    for k, runs in (("1", 5), ("2", 4)):  # of two segments each
        out, err = lines_of(capfd, *words, "--k", k, "--out", f"run{k}")
        assert out.count("a shorter step was tried: dt = ") == 2
        assert re.search(rf"segments {2 * runs}/{2 * runs} \| elapsed .* \| left 0:00", err)
        stored = json.loads((here / f"run{k}" / "result.json").read_text())
        assert list(stored["at_dt"]) == ["0.1 ms", "0.05 ms", "0.025 ms", "0.0125 ms"]
        assert stored["exponents"] == stored["at_dt"]["0.0125 ms"]["exponents"]
        assert len(stored["abandoned"]) == 2


@pytest.mark.compiled
def test_a_spectrum_survives_a_kill(network, capfd):
    """Killed after at least one segment, the same command computes the rest, to the same bytes."""
    here = network.parent
    words = ["--network", "net.npz", "--k", "3", "--duration", "12 s", "--segments", "6"]
    words += ["--dt", "0.02 ms"]
    whole = json_of(capfd, *words, "--out", "whole")
    process = subprocess.Popen(
        [sys.executable, "-m", "hrsnn_brian", "lyapunov", *words, "--out", "killed"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list((here / "killed").rglob("dt-2e-05*/segment-1.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = list((here / "killed").rglob("segment-*.json"))
    assert 2 <= len(finished) < 12
    assert not (here / "killed" / "DONE").exists()
    assert not (here / "killed" / "result.json").exists()
    written = {path: path.stat().st_mtime_ns for path in finished}

    resumed = json_of(capfd, *words, "--out", "killed")
    assert resumed["engine"]["runs"] == 12 - len(finished)  # six at each of two steps
    assert {path: path.stat().st_mtime_ns for path in finished} == written
    stored = [json.loads((here / f / "result.json").read_text()) for f in ("whole", "killed")]
    for entry in stored:
        del entry["engine"]
    assert stored[0] == stored[1]
    assert resumed["exponents"] == whole["exponents"] == sorted(whole["exponents"], reverse=True)
    assert len(whole["exponents"]) == 3
    assert (here / "killed" / "DONE").exists()


@pytest.mark.compiled
def test_a_folder_belongs_to_the_network_not_to_its_file_name(network, capfd):
    words = ["--network", "net.npz", "--duration", "1 s", "--segments", "1", "--out", "run"]
    lines_of(capfd, *words, "--k", "2")
    assert main(["build", *SMALL, "--seed", "1", "--out", "net.npz"]) == 0
    _, err = lines_of(capfd, *words, "--k", "2", status=2)
    assert "holds another run" in err
