"""Looking at runs: what they are, how far, who works at them, and what differs between two."""

import json
import os
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.files.tables import read_table
from hrsnn_brian.runs.compare import compare_runs
from hrsnn_brian.runs.run_directory import RunDirectory
from hrsnn_brian.runs.runner import Shard, plan_study, run_study
from hrsnn_brian.runs.status import status_of
from hrsnn_brian.runs.study import load_study
from hrsnn_brian.statistics.comparison import compare_family

STUDY = """
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.score import Score
from hrsnn_brian.runs.study import Study
from hrsnn_brian.seeds import rng

def points(options, seed):
    return [{"seed": seed + k, "x": x, "gain": options["gain"], "fail": options["fail"]}
            for x in options["x"] for k in range(options["seeds"])]

def run(point, engine):
    if point["fail"] and point["seed"] == 1:
        raise RuntimeError("no")
    noise = float(rng(point["seed"], "task", str(point["x"])).normal())
    value = point["gain"] * (point["x"] == 2) + noise
    return [{"seed": point["seed"], "x": point["x"], "words": f"x is {point['x']}",
             "nrmse": Score("nrmse", value, "1", "lower", "error"), "rate_hz": 3.0 + noise}]

STUDY = Study("seen", "a study to look at", points, run, uses_engine=False,
              columns=(Column("x", "the setting", role="identity"),),
              presets={"quick": {"seeds": 4, "x": [1, 2], "gain": 0.0, "fail": False}})
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seen.py").write_text(STUDY)
    return tmp_path


def seen(*overrides: str, out: str, seed: int = 0, **options):
    plan = plan_study(load_study("seen.py"), overrides=overrides, seed=seed)
    return run_study(plan, out=out, **options)


# ---- one run ----


def test_runs_are_listed_with_what_how_far_and_their_state(here, capsys):
    seen(out="runs/done")
    seen(out="runs/half", shard=Shard(1, 2), seed=7)
    assert main(["study", "seen.py", "--set", "fail=true", "--out", "runs/bad", "--jobs", "1"]) == 3
    (here / "runs" / "foreign").mkdir()
    (here / "runs" / "foreign" / "config.toml").write_text("[tool]\nx = 1\n")
    capsys.readouterr()
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    cells = {line.split()[0]: re.split(r" {2,}", line) for line in lines[1:]}
    assert [cell[:2] + cell[3:6] for cell in cells.values()] == [
        ["runs/done", "seen quick seed 0", "8/8", "0", "done"],
        ["runs/half", "seen quick seed 7", "4/8", "0", "stopped"],
        ["runs/bad", "seen quick seed 0", "6/8", "2", "failed"],
    ]
    assert main(["runs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["runs"]
    size = sum(p.stat().st_size for p in (here / "runs" / "done").rglob("*") if p.is_file())
    assert told[0]["size"] == size
    assert main(["runs", "none"]) == 2


def test_watch_says_who_works_and_ends_with_the_run(here, capsys, monkeypatch):
    seen(out="run", shard=Shard(1, 2))
    assert main(["watch", "run"]) == 1
    assert "nobody works at it" in capsys.readouterr().out
    plan = plan_study(load_study("seen.py"))
    other = RunDirectory.claim("run", plan.config(), shared=True)
    looks = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            other.release()
            seen(out="run")

    with monkeypatch.context() as patch:
        patch.setattr("hrsnn_brian.cli.watch_command.time", SimpleNamespace(sleep=pause))
        assert main(["watch", "run", "--every", "3"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"seen .* 4/8 \| running \| left .* process {os.getpid()}", first)
    assert last.startswith("seen quick seed 0 8/8 | done | left 0:00")
    assert looks == [3, 3]
    assert main(["watch", "seen.py"]) == 2


def test_the_time_left_is_told_by_the_points_that_came_last(here):
    seen(out="run", shard=Shard(1, 2))
    now = time.time()
    for k, point in enumerate((here / "run" / "points").glob("*.json")):
        os.utime(point, (now + 10 * k, now + 10 * k))
    assert status_of(here / "run").left_s == pytest.approx(40, abs=0.1)


def test_the_time_of_a_killed_session_is_that_until_it_was_heard_of_last(here):
    seen(out="run")
    path = next((here / "run" / "sessions").glob("*.json"))
    entry = json.loads(path.read_text()) | {"status": "running", "machine": "other", "jobs": 4}
    path.write_text(json.dumps(entry | {"started": "2026-01-01T00:00:00+00:00"}))
    (here / "run" / "DONE").unlink()
    began = 1767225600
    os.utime(path, (began + 90, began + 90))
    status = status_of(here / "run")
    assert (status.state, status.wall_s, status.core_s) == ("killed", 90, 360)


# ---- two runs ----


def test_equal_runs_are_equal_byte_for_byte(here, capsys):
    seen(out="a")
    seen(out="b")
    assert main(["compare", "a", "b"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "settings: the same",
        "code and files: the same",
        "seen.csv: equal, byte for byte (8 rows)",
    ]


def test_a_difference_is_found_where_it_is_and_tested_over_the_seeds_both_have(here, capsys):
    seen(out="a")
    (here / "seen.py").write_text(STUDY + "\n")
    seen("gain=0.5", "seeds=6", "x=1,2,3", out="b")
    found = compare_runs(Path("a"), Path("b"))
    assert found.settings == {
        "options.gain": (0.0, 0.5),
        "options.seeds": (4, 6),
        "options.x": ([1, 2], [1, 2, 3]),
    }
    assert list(found.code) == ["files.seen.py"]
    (table,) = found.tables
    assert (table.rows, table.only, table.unequal) == ((8, 18), (0, 10), 4)
    by_x = {row["condition"]: row for row in table.scores}
    assert list(by_x) == ["x=1", "x=2"]
    assert (by_x["x=1"]["pairs"], by_x["x=1"]["difference"]) == (4, 0)
    assert by_x["x=2"]["difference"] == pytest.approx(0.5)
    frames = [read_table(Path(run) / "tables" / "seen.csv") for run in "ab"]
    mine = [
        [float(f[(f["x"] == 2) & (f["seed"] == s)]["nrmse"].iloc[0]) for s in range(4)]
        for f in frames
    ]
    by_hand = compare_family({"1": ([0.0, 0], [0.0, 0]), "2": (mine[1], mine[0])})["2"]
    assert by_x["x=2"]["p_wilcoxon"] == by_hand.p_wilcoxon_holm == 0.25
    assert main(["compare", "a", "b", "--out", "all.csv"]) == 0
    said = capsys.readouterr().out
    assert "options.gain: 0.0 | 0.5" in said
    assert "8 common rows, 4 of them with other scores" in said
    assert "x=1" not in said  # equal
    assert list(read_table("all.csv")["condition"]) == ["x=1", "x=2"]


def test_what_is_no_run_or_has_no_seed_is_one_line(here, capsys):
    seen(out="a")
    assert main(["compare", "a", "none"]) == 2
    assert "RUN = 'none': is not a run directory" in capsys.readouterr().err
    text = STUDY.replace('{"seed": point["seed"], "x"', '{"x"')
    for out in ("c", "d"):
        (here / "seen.py").write_text(text)
        seen(f"gain={ord(out)}", out=out)
    assert main(["compare", "c", "d"]) == 2
    assert "has no column seed" in capsys.readouterr().err
    (here / "seen.py").write_text(STUDY.replace('role="identity"', 'role="note"'))
    for gain in (0, 1):
        seen(f"gain={gain}", out=f"e{gain}")
    assert main(["compare", "e0", "e1"]) == 0  # whole numbers and words tell rows apart
    text = STUDY.replace(
        '"x": point["x"], "words": f"x is {point[\'x\']}"', '"w": 1.5 * point["x"]'
    )
    (here / "seen.py").write_text(text)
    for gain in (0, 1):
        seen(f"gain={gain}", out=f"f{gain}")
    assert main(["compare", "f0", "f1"]) == 2
    assert "several rows of seed 0 and nothing else: its study must declare" in (
        capsys.readouterr().err
    )
