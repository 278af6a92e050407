"""Runs that are killed at any moment, shared by processes, cut into shards: the same bytes."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError, PointsFailedError
from hrsnn_brian.runs.records import point_name
from hrsnn_brian.runs.run_directory import RunDirectory
from hrsnn_brian.runs.runner import Shard, plan_study, run_study
from hrsnn_brian.runs.study import load_study

STUDY = """
import os, time
from hrsnn_brian.runs.study import Study
from hrsnn_brian.seeds import rng

def points(options, seed):
    return [{"seed": seed + k, "x": x} for k in range(options["seeds"]) for x in options["x"]]

def run(point, engine):
    with open("calls", "a") as stream:
        stream.write(f"{os.getpid()} {point['seed']} {point['x']}\\n")
    time.sleep(0.02)
    if point["x"] < 0:
        os.kill(os.getpid(), 9)
    draw = rng(point["seed"], "task", str(point["x"])).normal(size=(40, 40))
    return [{"seed": point["seed"], "x": point["x"], "value": float((draw @ draw).sum())}]

STUDY = Study("noop", "hardly any work", points, run, uses_engine=False,
              presets={"quick": {"seeds": 20, "x": [1, 2, 3]}})
"""
TABLE = Path("tables") / "noop.csv"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "noop.py").write_text(STUDY)
    return tmp_path


def noop(*overrides: str, out: str = "whole", seed: int = 0, **options):
    plan = plan_study(load_study("noop.py"), overrides=overrides, seed=seed)
    return run_study(plan, out=out, **options)


def started(*words: str, out: str = "run") -> subprocess.Popen:
    command = [sys.executable, "-m", "hrsnn_brian", "study", "noop.py", "--out", out, *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finished(out: Path = Path("run")) -> int:
    return len(list((out / "points").glob("*.json")))


def kill_when(count: int, pid: int | None = None) -> None:
    """SIGKILL to the process `pid`, or to whichever worker began a point last, once so many points
    are finished."""
    deadline = time.monotonic() + 60
    while finished() < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    last = pid or int(Path("calls").read_text().splitlines()[-1].split()[0])
    os.kill(last, signal.SIGKILL)


def all_gone() -> None:
    """Waits until no process that began a point is left: workers outlive a killed run a little."""
    deadline = time.monotonic() + 60
    begun = {line.split()[0] for line in Path("calls").read_text().splitlines()}
    while any(is_running(pid) for pid in begun):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: str) -> bool:
    """A process nobody has waited for is none any more."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True)
    return bool(found.stdout.strip("Z+<Nsl \n"))


@pytest.mark.signals
def test_a_run_killed_at_five_moments_has_the_table_of_one_that_was_not(here):
    """A worker, twice a run in one process, a run with its workers, and a worker again."""
    at = sorted(random.Random(time.time_ns()).sample(range(1, 50), 5))
    print("killed after", at)
    first = started("--jobs", "2")
    kill_when(at[0])
    kill_when(at[1], first.pid)
    first.wait()
    all_gone()
    for moment in at[2:4]:
        one = started("--jobs", "1")
        kill_when(max(moment, finished() + 1), one.pid)
        assert one.wait() == -signal.SIGKILL
    before = finished()
    Path("calls").unlink()
    last = started("--jobs", "2")
    kill_when(max(at[4], before + 1))
    assert last.wait() == 0
    counted = Counter(line.split(" ", 1)[1] for line in Path("calls").read_text().splitlines())
    assert len(counted) == 60 - before
    assert sum(counted.values()) <= 60 - before + 2  # what was in flight in the killed pool
    assert (here / "run" / TABLE).read_bytes() == noop().files[0].read_bytes()
    assert not list(Path("run").rglob("*.part"))
    assert not list(Path("run").rglob("*.claim"))
    told = json.loads(Path("run/provenance.json").read_text())["sessions"]
    assert [one["status"] for one in told] == ["killed", "killed", "killed", "done"]


@pytest.mark.signals
def test_three_processes_share_a_run_and_one_is_killed(here):
    three = [started("--jobs", "1") for _ in range(3)]
    kill_when(12, three[1].pid)
    assert [process.wait() for process in three] == [0, -signal.SIGKILL, 0]
    calls = [line.split(" ", 1) for line in Path("calls").read_text().splitlines()]
    assert len(calls) <= 61  # only what was in flight is computed again
    assert len({pid for pid, _ in calls}) > 1
    assert (here / "run" / TABLE).read_bytes() == noop().files[0].read_bytes()
    assert (here / "run" / "DONE").exists()


@pytest.mark.signals
def test_a_point_that_kills_every_worker_fails_and_no_other(here):
    with pytest.raises(PointsFailedError, match=r"1 of 4 points failed.*killed three times"):
        noop("seeds=1", "x=1,-1,2,3", out="run", jobs=2)
    assert (here / "run" / TABLE).read_text().count("\n") == 4
    calls = Counter(line.split()[-1] for line in Path("calls").read_text().splitlines())
    assert calls["-1"] == 3


@pytest.mark.signals
def test_a_time_limit_leaves_a_run_that_can_be_resumed(here):
    limited = started("--jobs", "1")
    while finished() < 3:
        time.sleep(0.005)
    limited.terminate()
    assert limited.wait() == 143
    assert noop(out="run").computed < 60
    told = json.loads(Path("run/provenance.json").read_text())["sessions"]
    assert [one["status"] for one in told] == ["stopped", "done"]


def test_shards_of_one_directory_and_the_last_writes_the_table(here):
    for number in (2, 3):
        part = noop(out="run", shard=Shard(number, 3))
        assert (part.computed, part.rows, part.files) == (20, [], [])
        assert not (here / "run" / "DONE").exists()
    last = noop(out="run", shard=Shard(1, 3))
    assert (last.computed, len(last.rows)) == (20, 60)
    assert last.files[0].read_bytes() == noop().files[0].read_bytes()
    late = noop(out="run", shard=Shard(2, 3))
    assert (late.computed, len(late.rows)) == (0, 60)


def test_a_late_shard_without_a_directory_belongs_to_the_run_of_the_others(here):
    for number in (1, 2, 1):
        assert main(["study", "noop.py", "--jobs", "1", "--shard", f"{number}/2"]) == 0
    assert [run.name for run in Path("runs").iterdir()] == ["noop-quick-seed0"]


def test_a_run_waits_for_a_point_that_another_process_holds(here, capsys, monkeypatch):
    """The other ends without having computed it, as one that is killed."""
    plan = plan_study(load_study("noop.py"), overrides=["seeds=1"])
    other = RunDirectory.claim("run", plan.config(), shared=True)
    assert other.owner.take(point_name(plan.study, plan.points[1])) is None
    waits = SimpleNamespace(sleep=lambda seconds: other.release())
    monkeypatch.setattr("hrsnn_brian.runs.computing.time", waits)
    found = run_study(plan, out="run")
    assert found.computed == 3
    assert [row["x"] for row in found.rows] == [1, 2, 3]
    held = rf"in work elsewhere: 1 of the points, .* process {os.getpid()}"
    assert re.search(held, capsys.readouterr().err)


@pytest.mark.parametrize("text", ["5/3", "0/3", "1/0", "a/3", "2", "-1/2", "1/2/3"])
def test_a_shard_that_is_none_is_one_line(here, capsys, text):
    for command in (["study", "noop.py"], ["reproduce", "--preset", "paper"]):
        assert main([*command, f"--shard={text}"]) == 2
        assert "--shard = " in capsys.readouterr().err
    assert not Path("runs").exists()


# ---- joined ----


def test_shards_and_repeats_are_joined_to_the_very_table_of_one_run(here, capsys):
    noop(out="a", shard=Shard(1, 2))
    noop(out="b", shard=Shard(2, 2))
    assert main(["join", "a", "b", "--out", "ab"]) == 0
    noop("seeds=5", out="five", seed=20)
    assert main(["join", "five", "ab", "--out", "all"]) == 0
    capsys.readouterr()
    for joined, options in (("ab", []), ("all", ["seeds=25"])):
        whole = noop(*options, out=f"{joined}-whole")
        assert (here / joined / TABLE).read_bytes() == whole.files[0].read_bytes()
        resumed = noop(*options, out=joined)
        assert resumed.computed == 0


def test_half_a_run_is_joined_as_far_as_it_goes_and_the_study_finishes_it(here, capsys):
    noop(out="a", shard=Shard(1, 2))
    assert main(["join", "a", "--out", "half"]) == 0
    assert "30 points are missing" in capsys.readouterr().out
    assert not (here / "half" / "DONE").exists()
    assert noop(out="half").computed == 30


def test_what_does_not_belong_together_is_not_joined(here, monkeypatch, capsys):
    (here / "other").mkdir()
    noop("seeds=1", out="a")
    noop("seeds=1", "x=1,2", out="x")
    noop("seeds=1", out="gap", seed=2)
    (here / "noop.py").write_text(STUDY + "\n")
    noop("seeds=1", out="code")
    cases = {
        ("a", "x"): "its options.x is [1, 2], not [1, 2, 3]",
        ("a", "gap"): "no run has seed 1",
        ("a", "code"): "noop.py has changed",
        ("a", "other"): "is not a run directory",
    }
    for runs, said in cases.items():
        capsys.readouterr()
        assert main(["join", *runs, "--out", "joined"]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    point = next((here / "a" / "points").glob("*.json"))
    noop("seeds=1", out="again")  # of the changed code
    with monkeypatch.context() as patch:
        patch.setattr("hrsnn_brian.files.identity.package_digest", lambda: "another")
        assert main(["join", "a", "--out", "joined"]) == 2
    assert "the source files of hrsnn_brian have changed" in capsys.readouterr().err
    copy = here / "a2"
    subprocess.run(["cp", "-r", "a", "a2"], check=True)
    twin = copy / "points" / point.name
    twin.write_text(re.sub(r'"value": .*', '"value": 1.0', twin.read_text()))
    assert main(["join", "a", "a2", "--out", "joined"]) == 2
    assert "other rows of one point" in capsys.readouterr().err
    assert not (here / "joined").exists()


def test_an_own_options_none_survives_the_way_through_the_configuration(here):
    text = STUDY.replace('"seeds": 20', '"cap": None, "seeds": 1').replace(
        '"x": x}', '"x": x, "cap": options["cap"]}'
    )
    (here / "noop.py").write_text(text)
    noop(out="a")
    assert main(["join", "a", "--out", "joined"]) == 0
    assert (here / "joined" / TABLE).read_bytes() == (here / "a" / TABLE).read_bytes()


# ---- before a long run ----


def test_a_dry_run_times_samples_elsewhere_and_a_begun_run_needs_none(here, capsys):
    words = ["study", "noop.py", "--jobs", "2", "--out", "run", "--dry-run"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "points: 60, 60 of them to compute, 2 at a time" in said
    assert re.search(r"time: .*3 points took [\d.e-]+ to [\d.]+ s each", said)
    assert re.search(r"memory: [\d.]+ MB per process", said)
    assert not (here / "run").exists()
    assert len(Path("calls").read_text().splitlines()) == 3
    noop(out="run", shard=Shard(1, 2))
    calls = Path("calls").read_text()
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path("calls").read_text() == calls
    assert (told["points"], told["left"], len(told["seconds"])) == (60, 30, 30)
    files = list((here / "run" / "points").iterdir())
    assert told["disk"] == pytest.approx(sum(file.stat().st_size for file in files), rel=0.2)
    assert told["wall_seconds"] == pytest.approx(30 / 2 * sum(told["seconds"]) / 30)


def test_what_is_short_is_said_before_and_during_the_run(here, capsys, monkeypatch):
    from hrsnn_brian.runs import estimate

    monkeypatch.setattr(estimate, "_free_disk", lambda folder: 100.0)
    monkeypatch.setattr(estimate, "free_memory", lambda: 0.0)
    noop("seeds=2")
    said = capsys.readouterr().err
    assert "warning: about " in said
    assert "of results are to come, 0.1 kB are free" in said
    assert main(["study", "noop.py", "--jobs", "2", "--dry-run", "--out", "whole2"]) == 0
    assert "2 processes of " in (said := capsys.readouterr().out)
    assert "give fewer --jobs" in said


@pytest.mark.signals
def test_a_sample_that_fails_is_told(here, capsys):
    (here / "noop.py").write_text(STUDY.replace("os.kill(os.getpid(), 9)", "1 / 0"))
    words = ["study", "noop.py", "--set", "x=-1", "--dry-run", "--jobs", "1"]
    assert main(words) == 3
    assert "a sampled point failed: " in capsys.readouterr().err


def test_executors_that_do_not_fit_are_one_line(here, capsys, monkeypatch):
    from hrsnn_brian.runs import cluster

    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    cases = {
        ("--executor", "dsk"): "did you mean 'dask'",
        ("--scheduler", "tcp://a:1"): "is for --executor dask",
        ("--executor", "dask"): "needs distributed, which is not installed: pip install 'hrsnn-br",
        ("--executor", "dask", "--scheduler", "a", "--slurm", "b"): "leave --scheduler out",
    }
    for words, said in cases.items():
        assert main(["study", "noop.py", *words]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    with (
        pytest.raises(InputError, match=r"--slurm = 's\.toml': needs dask_jobqueue"),
        cluster.slurm_cluster("s.toml"),
    ):
        pass
