"""The command line: fast help, one line and status 2 for bad input, one JSON object on request."""

import json
import os
import pickle
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.cli.main import COMMANDS, main

SQUARES = """
from hrsnn_brian.runs.study import Study
STUDY = Study(
    "squares", "squares of a few numbers", presets={"quick": {"x": [1, 2, 3]}},
    points=lambda options, seed: [{"seed": seed, "x": x} for x in options["x"]],
    run=lambda point, engine: [{**point, "square": point["x"] ** 2}],
    uses_engine=False,
)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def network(here: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    assert main(["build", "--set", "N=40", "--set", "K=8", "--out", "net.npz"]) == 0
    capfd.readouterr()
    return here / "net.npz"


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, timeout=60
    )


# ---- speed and shape ----


def test_help_answers_at_once_and_loads_nothing_heavy():
    start = time.monotonic()
    done = python("-X", "importtime", "-m", "hrsnn_brian", "--help")
    assert time.monotonic() - start < 2
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert loaded.isdisjoint({"numpy", "scipy", "pandas", "matplotlib", "brian2", "joblib"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_the_common_options(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for option in ("--seed", "--jobs", "--device", "--out", "--json"):
        assert option in text


def test_no_command_prints_help_and_version_prints_the_version(capsys):
    assert main([]) == 0
    assert "reproduce" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hrsnn 0.")


# ---- bad input ----


def bad_files(here: Path) -> None:
    (here / "corrupt.npz").write_bytes(b"PK\x03\x04 not really")
    (here / "text.npz").write_text("hello")
    with open(here / "pickled.npz", "wb") as stream:
        pickle.dump({"W": [1]}, stream)
    np.savez(here / "other.npz", a=np.arange(3))
    np.savez(here / "objects.npz", W=np.array([{}], dtype=object))
    np.save(here / "oblong.npy", np.ones((3, 4)))
    np.save(here / "infinite.npy", np.full((3, 3), np.inf))
    rows = [f"{k},{np.sin(k)}" for k in range(400)]
    (here / "good.csv").write_text("\n".join(["t,speed", *rows]))
    (here / "file").write_text("x")
    (here / "full").mkdir()
    (here / "full" / "mine.txt").write_text("x")


BAD = {
    "unknown command": ("prun", "did you mean 'prune'"),
    "unknown option": ("build --out a.npz --sead 3", "did you mean '--seed'"),
    "unknown task": ("evaluate net.npz --task wnd", "did you mean 'wind'"),
    "unknown method": ("prune net.npz --method nois --keep .5 --out a.npz", "did you mean 'noise'"),
    "unknown preset": ("build --preset defalt --out a.npz", "did you mean 'default'"),
    "unknown key": ("build --set grph.K=3 --out a.npz", "graph.K"),
    "unknown study": ("study pruning_curv", "did you mean 'pruning_curve'"),
    "unknown study preset": ("reproduce --preset papr", "did you mean 'paper'"),
    "unknown study key": ("reproduce --set sedes=3", "did you mean 'seeds'"),
    "unknown figure": ("figure prunig --run file", "is not a run directory"),
    "unknown list": ("list taks", "did you mean 'tasks'"),
    "unknown device": ("doctor --device nunpy", "did you mean 'numpy'"),
    "unknown method option": (
        "prune net.npz --method noise --keep .5 --set factr=1 --out a.npz",
        "did you mean 'factor'",
    ),
    "keep above 1": ("prune net.npz --method random --keep 1.5 --out a.npz", r"--keep.*\(0, 1\]"),
    "keep 0": ("prune net.npz --method random --keep 0 --out a.npz", r"--keep.*\(0, 1\]"),
    "keep nan": ("prune net.npz --method random --keep nan --out a.npz", r"--keep.*\(0, 1\]"),
    "keep word": ("prune net.npz --method random --keep half --out a.npz", r"--keep.*'half'"),
    "density": ("prune net.npz --method random --density -1 --out a.npz", r"--density.*\(0, 1\]"),
    "two budgets": (
        "prune net.npz --method random --keep .5 --synapses 9 --out a.npz",
        "exactly one of --keep",
    ),
    "no budget": ("prune net.npz --method random --out a.npz", "exactly one of --keep"),
    "too many synapses": (
        "prune net.npz --method random --synapses 99999 --out a.npz",
        "99999",
    ),
    "too many neurons": (
        "prune net.npz --method random --keep .1 --neurons 41 --out a.npz",
        "neurons",
    ),
    "N = 0": ("build --set N=0 --out a.npz", "N = 0"),
    "N = -5": ("build --set N=-5 --out a.npz", "N = -5"),
    "N word": ("build --set N=many --out a.npz", "N = 'many'"),
    "no value": ("build --set N --out a.npz", "key=value"),
    "oblong matrix": (
        "build --set graph.kind=matrix --set graph.matrix=oblong.npy --out a.npz",
        "square",
    ),
    "infinite matrix": (
        "build --set graph.kind=matrix --set graph.matrix=infinite.npy --out a.npz",
        "finite",
    ),
    "corrupt npz": ("evaluate corrupt.npz --task wind", "corrupt.npz"),
    "text npz": ("evaluate text.npz --task wind", "text.npz"),
    "pickled npz": ("evaluate pickled.npz --task wind", "pickled.npz"),
    "objects npz": ("evaluate objects.npz --task wind", "objects.npz"),
    "foreign npz": ("prune other.npz --method random --keep .5 --out a.npz", "other.npz"),
    "missing npz": ("evaluate none.npz --task wind", "none.npz"),
    "missing column": ("evaluate net.npz --data good.csv --column sped", "did you mean 'speed'"),
    "missing data": ("evaluate net.npz --data none.csv --column x", "none.csv"),
    "data without column": ("evaluate net.npz --data good.csv", "--column"),
    "data with another task": (
        "evaluate net.npz --task lorenz63 --data good.csv --column speed",
        "--data",
    ),
    "no task": ("evaluate net.npz", "--task"),
    "out under a file": ("build --out file/a.npz", "--out"),
    "out in /proc": ("build --out /proc/a.npz", "--out"),
    "out in no folder": ("build --out none/a.npz", "folder does not exist"),
    "out is a folder": ("prune net.npz --method random --keep .5 --out full", "npz"),
    "run under a file": ("study squares.py --out file/run", "--out"),
    "run in /proc": ("study squares.py --out /proc/run", "--out"),
    "run in a full folder": ("study squares.py --out full", "not a run directory"),
    "run is a file": ("study squares.py --out file", "is a file"),
    "no study file": ("study none.py", "no such file"),
    "negative seed": ("build --seed -1 --out a.npz", "--seed"),
    "no jobs": ("study squares.py --jobs 0", "--jobs"),
    "figure of nothing": ("figure all --run none", "not a run directory"),
}


@pytest.mark.parametrize("words", [pytest.param(w, id=name) for name, w in BAD.items()])
def test_bad_input_is_one_clear_line_and_leaves_nothing(words, network, capfd):
    command, message = words
    here = network.parent
    bad_files(here)
    (here / "squares.py").write_text(SQUARES)
    before = sorted(here.rglob("*"))
    assert main(command.split()) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("hrsnn: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert re.search(message, err), err
    assert [p for p in sorted(here.rglob("*")) if "__pycache__" not in p.parts] == before


def test_out_holding_another_run_is_refused_and_left_alone(here, capfd):
    (here / "squares.py").write_text(SQUARES)
    assert main(["study", "squares.py", "--out", "run", "--jobs", "1"]) == 0
    table = (here / "run" / "tables" / "squares.csv").read_bytes()
    capfd.readouterr()
    assert main(["study", "squares.py", "--out", "run", "--seed", "1"]) == 2
    err = capfd.readouterr().err
    assert "holds another run" in err
    assert err.count("\n") == 1
    (here / "squares.py").write_text(SQUARES + "\n# changed\n")
    assert main(["study", "squares.py", "--out", "run"]) == 2
    err = capfd.readouterr().err
    assert "squares.py has changed; --fresh begins anew beside it" in err
    assert "run/code/squares.py finishes it as it began" in err
    assert (here / "run" / "tables" / "squares.csv").read_bytes() == table
    assert (here / "run" / "DONE").exists()


def test_a_failing_study_keeps_its_traceback_in_the_log(here):
    (here / "bad.py").write_text(SQUARES.replace('point["x"] ** 2', "1 / 0"))
    done = python("-m", "hrsnn_brian", "study", "bad.py", "--out", "run", "--jobs", "1")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "ZeroDivisionError" in (here / "run" / "log.txt").read_text()
    assert not (here / "run" / "DONE").exists()


def test_interrupting_ends_with_130(here, monkeypatch, capsys):
    def interrupt(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hrsnn_brian.cli.list_command.run", interrupt)
    assert main(["list", "tasks"]) == 130
    assert capsys.readouterr().err == "hrsnn: interrupted\n"


# ---- results ----


def json_of(capfd: pytest.CaptureFixture[str], *words: str) -> dict:
    capfd.readouterr()
    assert main([*words, "--json"]) == 0
    out = capfd.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


def test_json_of_a_study_is_the_only_thing_on_standard_output(here, capfd):
    noisy = SQUARES.replace(
        "run=lambda point, engine: [",
        "run=lambda point, engine: __import__('os').system('echo child') or print('lib') or [",
    )
    (here / "squares.py").write_text(noisy)
    result = json_of(capfd, "study", "squares.py", "--jobs", "1", "--set", "x=2,5")
    assert result["points"] == result["points_computed"] == 2
    assert result["run"] == str(here / "runs" / "squares-quick-seed0")
    assert Path(result["files"][0]).read_text() == "seed,x,square\n0,2,4\n0,5,25\n"
    again = json_of(capfd, "study", "squares.py", "--jobs", "2", "--set", "x=2,5")
    assert again["run"].endswith("squares-quick-seed0-2")
    assert Path(again["files"][0]).read_bytes() == Path(result["files"][0]).read_bytes()


@pytest.mark.parametrize("what", ["tasks", "methods", "studies", "figures", "presets"])
def test_lists_hold_the_names_other_commands_take(what, capfd):
    expected = {
        "tasks": {"lorenz63", "lorenz63-x", "mackey-glass-84", "google", "wind"},
        "methods": {"random", "magnitude", "noise"},
        "studies": {"pruning_curve"},
        "figures": {"pruning_curve"},
        "presets": {"default", "chrsnn"},
    }
    found = json_of(capfd, "list", what)[what]
    assert expected[what] <= set(found)
    assert all(found.values())


def test_build_is_decided_by_preset_settings_and_seed(here, capfd):
    words = ["build", "--set", "N=60", "--set", "graph.K=10", "--seed", "3"]
    first = json_of(capfd, *words, "--out", "a.npz")
    json_of(capfd, *words, "--out", "b.npz")
    assert (first["neurons"], first["synapses"], first["keep"]) == (60, 600, 1.0)
    assert first["density"] == pytest.approx(600 / (60 * 59))
    with np.load("a.npz") as a, np.load("b.npz") as b:
        assert all(np.array_equal(a[name], b[name]) for name in a.files)


def test_cache_is_listed_and_cleared(here, capfd, monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", str(here / "cache"))
    found = json_of(capfd, "cache")
    assert (found["root"], found["programs"]) == (str(here / "cache"), [])
    assert json_of(capfd, "cache", "--clear")["removed"] == 0


def test_doctor_without_a_compiler_fails_and_says_what_helps(here, capfd, monkeypatch):
    monkeypatch.setenv("PATH", str(here))
    monkeypatch.delenv("CXX", raising=False)
    assert main(["doctor", "--json"]) == 1
    out, err = capfd.readouterr()
    report = json.loads(out)
    assert report["ok"] is False
    assert "install g++" in report["problem"]
    assert "--device numpy" in err
    assert "Traceback" not in err


def test_doctor_on_numpy_needs_no_compiler(here, capfd, monkeypatch):
    monkeypatch.setenv("PATH", str(here))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setitem(sys.modules, "igraph", None)
    report = json_of(capfd, "doctor", "--device", "numpy")
    assert report["ok"] is True
    assert report["igraph"].startswith("not installed (faster betweenness")
    assert report["trial"]["runs"] == 2


@pytest.mark.compiled
def test_prune_and_evaluate_report_size_cost_scores_and_engine(network, capfd):
    here = network.parent
    series = np.sin(np.arange(600) / 5) + np.cos(np.arange(600) / 3)
    (here / "own.csv").write_text("\n".join(["speed", *map(str, series)]))
    pruned = json_of(
        capfd, "prune", "net.npz", "--method", "noise", "--keep", "0.5", "--out", "half.npz"
    )
    assert (pruned["neurons"], pruned["synapses"], pruned["keep"]) == (40, 160, 0.5)
    assert pruned["density"] == pytest.approx(160 / (40 * 39))
    assert pruned["rate_hz"] > 0
    assert pruned["synaptic_ops_per_s"] > 0
    assert pruned["engine"]["builds"] <= 1
    assert pruned["engine"]["runs"] == 2

    words = ["evaluate", "half.npz", "--data", "own.csv", "--column", "speed"]
    words += ["--controls", "basic"]
    result = json_of(capfd, *words, "--out", "scores.csv")
    assert result["engine"]["builds"] == 0  # the program pruning used
    assert (result["neurons"], result["synapses"], result["keep"]) == (40, 160, 0.5)
    assert 0 < result["scores"]["nrmse_h1"] < 1
    assert {row["network"] for row in result["rows"]} == {
        "pruned",
        "no recurrence",
        "persistence",
        "input only",
        "linear AR",
        "NG-RC",
    }
    header = (here / "scores.csv").read_text().splitlines()[0].split(",")
    assert {"rmse_h1_speed", "vpt_samples", "rate_hz"} <= set(header)
    schema = json.loads((here / "scores.schema.json").read_text())
    assert list(schema["columns"]) == header
    assert schema["tasks"]["own:speed"]["primary"] == "vpt_samples"


@pytest.mark.compiled
def test_two_jobs_give_the_table_of_one_and_the_same_commands_draw_it(here, capfd):
    base = ["study", "pruning_curve", "--set", "N=40", "--set", "K=8", "--set", "seeds=2"]
    base += ["--set", "tasks=wind", "--set", "keep=1,0.2", "--set", "methods=noise"]
    one = json_of(capfd, *base, "--jobs", "1", "--out", "one")
    two = json_of(capfd, *base, "--jobs", "2", "--out", "two")
    tables = [Path(run["run"]) / "tables" / "pruning_curve.csv" for run in (one, two)]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    assert tables[0].read_bytes().count(b"\n") == 1 + 2 * (2 + 2 + 2 + 4)
    assert [Path(file).suffix for file in one["files"]] == [".csv", ".json", ".pdf", ".svg", ".png"]
    redrawn = json_of(capfd, "figure", "all", "--run", "one", "--out", "again")
    assert [Path(f).read_bytes() for f in redrawn["files"]] == [
        Path(f).read_bytes() for f in one["files"][2:]
    ]
    assert os.listdir("again")


@pytest.mark.compiled
def test_a_silent_network_is_evaluated_with_a_warning(here, capfd):
    (here / "own.csv").write_text("\n".join(["x", *map(str, np.sin(np.arange(400) / 5))]))
    assert main(["build", "--set", "N=20", "--set", "bias=-50", "--out", "silent.npz"]) == 0
    words = ["evaluate", "silent.npz", "--data", "own.csv", "--column", "x"]
    assert main([*words, "--controls", "basic", "--horizons", "6"]) == 0  # no free runs
    assert "the network is silent" in capfd.readouterr().err
    words = ["prune", "silent.npz", "--method", "magnitude", "--keep", "0.5", "--out", "a.npz"]
    assert main(words) == 0
    assert "the network is silent" in capfd.readouterr().err


@pytest.mark.compiled
def test_activity_pruning_needs_a_task_and_prunes_for_it(network, capfd):
    words = ["prune", "net.npz", "--method", "activity", "--neurons", "30", "--keep", "0.2"]
    assert main([*words, "--out", "a.npz"]) == 2
    assert "task" in capfd.readouterr().err
    pruned = json_of(capfd, *words, "--out", "a.npz", "--task", "wind", "--rounds", "2")
    assert (pruned["neurons"], pruned["synapses"]) == (30, 64)
    assert pruned["scores"]["rmse_h1_m_per_s"] > 0
