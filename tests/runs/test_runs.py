"""Run directories: whole files only, resumption after a kill, the same bytes for any `jobs`."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.errors import InputError, PointsFailedError
from hrsnn_brian.files.atomic import plain, replacing, write_json, write_npz, write_text
from hrsnn_brian.files.tables import columns_of, read_table, table_text, write_table
from hrsnn_brian.files.toml import dump_toml
from hrsnn_brian.runs.points import named, telling
from hrsnn_brian.runs.progress import EngineProgress, Lines, Progress, Steps, clock_text
from hrsnn_brian.runs.records import point_name
from hrsnn_brian.runs.run_directory import RunDirectory, free_directory
from hrsnn_brian.runs.runner import plan_study, run_study
from hrsnn_brian.runs.study import load_study, resolve_options
from hrsnn_brian.simulation.engine import EngineStats

STUDY = """
import time
from pathlib import Path
from hrsnn_brian.runs.study import Study
from hrsnn_brian.seeds import rng

def points(options, seed):
    return [{"seed": seed + k, "x": x, "pause_s": options["pause_s"], "calls": options["calls"]}
            for k in range(options["seeds"]) for x in options["x"]]

def run(point, engine):
    assert engine is None
    if point["calls"]:
        with open(point["calls"], "a") as stream:
            stream.write(f"start {point['seed']} {point['x']}\\n")
    if point["x"] < 0:
        raise RuntimeError("negative point")
    time.sleep(point["pause_s"])
    draw = rng(point["seed"], "task", str(point["x"])).normal(size=(60, 60))
    value = float((draw @ draw).sum())          # BLAS: its threads could change the last bit
    if point["calls"]:
        with open(point["calls"], "a") as stream:
            stream.write(f"end {point['seed']} {point['x']}\\n")
    return [{"seed": point["seed"], "x": point["x"], "value_mv": value, "bad": float("nan")}]

STUDY = Study("sums", "sums of random products", points, run, uses_engine=False,
              presets={"quick": {"seeds": 2, "x": [1, 2, 3], "pause_s": 0.0, "calls": ""}})
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    path = tmp_path / "sums.py"
    path.write_text(STUDY)
    return path


def run_sums(study_file: Path, out: Path, *overrides: str, jobs: int = 1, seed: int = 0):
    study = load_study(str(study_file))
    plan = plan_study(study, overrides=overrides, seed=seed)
    return run_study(plan, jobs=jobs, out=out)


# ---- files ----


def test_a_run_removes_its_own_unfinished_files_and_nobody_elses(study_file, tmp_path):
    out = tmp_path / "run"
    run_sums(study_file, out)
    (out / "DONE").unlink()
    ours = out / "points" / ".hrsnn-12345-0a1b2c3d.part"
    theirs = [out / ".thesis.part", out / "tables" / ".sums.csv.part"]
    for path in (ours, *theirs):
        path.write_text("half")
    run_sums(study_file, out)
    assert not ours.exists()
    assert all(path.read_text() == "half" for path in theirs)


def test_an_error_while_writing_keeps_the_former_file_and_leaves_nothing(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "former")

    def fail_half_way() -> None:
        with replacing(target) as stream:
            stream.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert target.read_text() == "former"
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_writer_leaves_no_half_file(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "former")
    program = (
        "import os, signal, sys\n"
        "from hrsnn_brian.files.atomic import replacing\n"
        "with replacing(sys.argv[1]) as stream:\n"
        "    stream.write(b'half'); stream.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_text() == "former"


def test_npz_refuses_objects_and_json_is_strict(tmp_path):
    with pytest.raises(ValueError, match="objects"):
        write_npz(tmp_path / "a.npz", {"a": np.array([{}], dtype=object)})
    write_json(tmp_path / "a.json", {"a": np.float32(0.5), "b": float("inf"), "c": np.arange(2)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 0.5, "b": None, "c": [0, 1]}
    assert plain((1, np.int64(2))) == [1, 2]
    assert plain(frozenset("cab")) == plain(set("bca")) == ["a", "b", "c"]
    with pytest.raises(TypeError, match="object"):
        plain(object())


def test_toml_is_read_back_unchanged():
    config = {
        "name": 'a "quoted" \\ name\n',
        "empty": [],
        "numbers": [1, 2.5, 1e-7, 1e22],
        "yes": True,
        "infinite": [float("inf"), -float("inf")],
        "run": {"seed": 3, "deep": {"odd key.": "x", "list": [{"a": 1}, {"b": [2]}]}},
    }
    assert tomllib.loads(dump_toml(config)) == config
    assert "nothing" not in dump_toml({"nothing": None, "some": 1})
    assert tomllib.loads(dump_toml({"x": [1, None]})) != tomllib.loads(dump_toml({"x": [1]}))


def test_table_text_is_exact_and_columns_keep_their_place(tmp_path):
    rows = [{"seed": 0, "x": 0.1 + 0.2, "ok": True}, {"seed": 1, "note": "a,b", "x": float("nan")}]
    assert columns_of(rows) == ["seed", "note", "x", "ok"]
    assert table_text(rows) == 'seed,note,x,ok\n0,,0.30000000000000004,true\n1,"a,b",,\n'
    frame = read_table(write_table(tmp_path / "t.csv", rows)[0])
    assert frame["x"][0] == 0.1 + 0.2
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv")


# ---- progress ----


def test_progress_without_a_terminal_prints_lines_with_the_time_left(capsys):
    now, logged = [0.0], []
    progress = Progress(
        "sweep", 6, already=2, lines=Lines(logged.append, every_s=15, clock=lambda: now[0])
    )
    for _ in range(4):
        now[0] += 10
        progress.advance("x=1")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "sweep 3/6 | elapsed 0:10 | left 0:30 | x=1"
    assert lines[1] == "sweep 5/6 | elapsed 0:30 | left 0:10 | x=1"  # 4/6 came too soon after
    assert lines[-1] == "sweep 6/6 | elapsed 0:40 | left 0:00 | x=1"
    assert len(logged) == 4
    assert (clock_text(59.6), clock_text(3725)) == ("1:00", "1:02:05")


def test_the_time_left_counts_what_is_done_once_only_until_something_better_is_known(capsys):
    """Four workers, of which one compiles for 60 s while the others wait; a point takes 10 s."""
    now = [70.0]
    progress = Progress("sweep", 20, jobs=4, lines=Lines(every_s=0, clock=lambda: now[0]))
    assert progress.seconds_left() is None
    progress.advance(seconds=70, cold=True)
    assert progress.seconds_left() == 70 * 19 / 4
    progress.advance(seconds=10, cold=True)
    assert progress.seconds_left() == 10 * 18 / 4
    progress.advance(seconds=12)
    assert progress.seconds_left() == 12 * 17 / 4
    for _ in range(15):
        progress.advance(seconds=12)
    assert progress.seconds_left() == 12  # two are left, and worked on at the same time
    assert "sweep 1/20 | elapsed 0:00 | left 5:32" in capsys.readouterr().err


def test_the_time_left_leaves_out_the_overhead_so_far():
    now, compiled = [0.0], [0.0]
    progress = Progress("lnp", 3, overhead=lambda: compiled[0], lines=Lines(clock=lambda: now[0]))
    now[0], compiled[0] = 50.0, 40.0
    progress.advance()
    assert progress.seconds_left() == 20
    now[0] = 60.0
    progress.advance()
    assert progress.seconds_left() == 10


def test_a_sweep_hands_over_seconds_without_those_of_compiling(study_file, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(Progress, "advance", lambda self, *values: seen.append(values))

    class Engine:
        stats = EngineStats()

        def work(self):
            self.stats.builds += 1
            self.stats.build_seconds += 1000.0

    monkeypatch.setattr("hrsnn_brian.runs.work._engine", lambda *_: Engine())
    text = STUDY.replace("assert engine is None", "engine.work()").replace("uses_engine=False,", "")
    study_file.write_text(text)
    plan = plan_study(load_study(str(study_file)), device="numpy", overrides=["x=1"])
    run_study(plan, out=tmp_path / "run")
    assert [cold for _, _, cold in seen] == [True, False]
    assert all(-1000 < seconds < -900 for _, seconds, _ in seen)


def test_steps_say_what_is_begun_and_how_long_it_has_been(capsys):
    now = [0.0]
    steps = Steps("frugal", Lines(clock=lambda: now[0]))
    for second in (0, 1, 3, 65):
        now[0] = second
        steps("rates")
    assert capsys.readouterr().err.splitlines() == [
        "frugal: step 1, rates | elapsed 0:00",
        "frugal: step 3, rates | elapsed 0:03",
        "frugal: step 4, rates | elapsed 1:05",
    ]


def test_a_build_announces_itself_and_says_how_long_is_left(capsys):
    now = [0.0]
    report = EngineProgress(Lines(every_s=5.0, clock=lambda: now[0]))
    for second, fraction in ((0, 0.0), (2, 0.1), (6, 0.25), (9, 0.5), (20, 1.0)):
        now[0] = second
        report("build", fraction)
    report("run", 0.5)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        "compiling the simulation program",
        "compiling 25% | left 0:18",
        "compiled in 0:20",
    ]


# ---- directories ----


def test_a_foreign_or_other_or_unwritable_directory_is_refused_and_left_alone(tmp_path):
    config = {"run": {"seed": 0}, "options": {"x": [1]}}
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match=r"--out = .*not a run directory"):
        RunDirectory.claim(foreign, config)
    assert [p.name for p in foreign.iterdir()] == ["thesis.tex"]

    held = RunDirectory.claim(tmp_path / "run", config)
    with pytest.raises(InputError, match="in use by another process"):
        RunDirectory.claim(tmp_path / "run", config)
    held.release()
    with pytest.raises(InputError, match=r"holds another run \(its run.seed is 0, not 1\)"):
        RunDirectory.claim(tmp_path / "run", config | {"run": {"seed": 1}})

    plain_file = tmp_path / "file"
    plain_file.write_text("x")
    with pytest.raises(InputError, match="is a file"):
        RunDirectory.claim(plain_file, config)
    with pytest.raises(InputError, match="cannot be made"):
        RunDirectory.claim(plain_file / "a" / "b", config)
    with pytest.raises(InputError, match="cannot be"):
        RunDirectory.claim("/proc/hrsnn/run", config)
    with pytest.raises(InputError, match="cannot be made"):
        RunDirectory.claim(tmp_path / "new" / ("n" * 300), config)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "foreign", "run"]


def test_free_directory_resumes_an_unfinished_run_and_never_reuses_a_finished_one(tmp_path):
    config, base = {"run": {"seed": 0}}, tmp_path / "a"
    with RunDirectory.claim(base, config) as run:
        assert free_directory(base, config) == base
        run.finish("now")
    assert free_directory(base, config) == tmp_path / "a-2"
    assert free_directory(base, {"run": {"seed": 1}}) == tmp_path / "a-2"


def test_a_run_refused_for_bad_options_makes_no_directory(study_file, tmp_path):
    for overrides in (["xs=1"], ["seeds=many"], ["x"]):
        with pytest.raises(InputError):
            run_sums(study_file, tmp_path / "run", *overrides)
    assert not (tmp_path / "run").exists()


# ---- sweeps ----


def test_run_directory_explains_itself_and_done_is_last(study_file, tmp_path):
    result = run_sums(study_file, tmp_path / "run", "x=4,5", seed=7)
    path = tmp_path / "run"
    config = tomllib.loads((path / "config.toml").read_text())
    assert config["options"]["x"] == [4, 5]
    assert config["run"]["seed"] == 7
    provenance = json.loads((path / "provenance.json").read_text())
    assert provenance["libraries"]["numpy"] == np.__version__
    assert provenance["status"] == provenance["sessions"][0]["status"] == "done"
    assert provenance["sessions"][0]["points_computed"] == provenance["points"] == 4
    assert "sums 4/4" in (path / "log.txt").read_text()
    assert len(read_table(path / "tables" / "sums.csv")) == len(result.rows) == 4
    done = (path / "DONE").stat().st_mtime_ns
    others = [p for p in path.rglob("*") if p.is_file() and p.name != "DONE"]
    assert all(p.stat().st_mtime_ns <= done for p in others)


def test_tables_are_the_same_bytes_for_one_and_two_jobs(study_file, tmp_path):
    run_sums(study_file, tmp_path / "one", jobs=1)
    run_sums(study_file, tmp_path / "two", jobs=2)
    one, two = ((tmp_path / name / "tables" / "sums.csv").read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.count(b"\n") == 7
    run_sums(study_file, tmp_path / "other", seed=5)
    assert (tmp_path / "other" / "tables" / "sums.csv").read_bytes() != one


def test_point_names_depend_on_content_not_on_order(study_file):
    study = load_study(str(study_file))
    assert point_name(study, {"a": 1, "b": 2}) == point_name(study, {"b": 2, "a": 1})
    assert point_name(study, {"a": 1}) != point_name(study, {"a": 2})
    study_file.write_text(STUDY.replace("60, 60", "61, 61"))
    assert point_name(load_study(str(study_file)), {"a": 1}) != point_name(study, {"a": 1})


def test_a_line_of_progress_names_what_tells_its_point_apart():
    points = [
        {
            "seed": seed,
            "recipe": recipe,
            "stability": True,
            "pictured": seed == 0,
            "tasks": ["wind"],
        }
        for seed in (0, 1)
        for recipe in ("lnp", "frugal")
    ]
    assert telling(points) == ["seed", "recipe"]
    assert named(points[3], telling(points)) == "seed=1 recipe=frugal"
    assert telling([*points, points[0] | {"pictured": False}])[-1] == "pictured"  # it does tell
    assert named(points[0], telling(points[:1])) == "seed=0 recipe=lnp stability=True pictured=True"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_killed_with_sigkill_resumes_and_repeats_only_what_was_in_flight(
    study_file, tmp_path, jobs
):
    calls, out = tmp_path / "calls.txt", tmp_path / "run"
    overrides = [f"calls={calls}", "pause_s=0.3", "x=1,2,3,4"]
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from hrsnn_brian.runs.runner import plan_study, run_study\n"
        "from hrsnn_brian.runs.study import load_study\n"
        "plan = plan_study(load_study(sys.argv[1]), overrides=sys.argv[4:])\n"
        "run_study(plan, out=Path(sys.argv[2]), jobs=int(sys.argv[3]))\n"
    )
    arguments = [sys.executable, "-c", program, str(study_file), str(out), str(jobs), *overrides]
    sweep = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not calls.exists() or calls.read_text().count("end") < 3:
        assert time.monotonic() < deadline
        assert sweep.poll() is None
        time.sleep(0.01)
    os.kill(sweep.pid, signal.SIGKILL)
    sweep.wait()
    time.sleep(1.5)  # workers notice and end themselves
    assert not (out / "DONE").exists()
    finished = set()
    for path in (out / "points").glob("*.json"):
        point = json.loads(path.read_text())["point"]
        finished.add(f"{point['seed']} {point['x']}")
    assert len(finished) >= 2
    before = calls.read_text()

    result = run_sums(study_file, out, *overrides, jobs=jobs)
    again = calls.read_text()[len(before) :].splitlines()
    started_again = {line.removeprefix("start ") for line in again if line.startswith("start")}
    assert started_again.isdisjoint(finished)
    assert result.computed == len(started_again) == 8 - len(finished)
    assert (out / "DONE").exists()
    assert not list(out.rglob("*.part"))
    run_sums(study_file, tmp_path / "whole", "x=1,2,3,4")
    whole = (tmp_path / "whole" / "tables" / "sums.csv").read_bytes()
    assert (out / "tables" / "sums.csv").read_bytes() == whole
    statuses = [s["status"] for s in json.loads((out / "provenance.json").read_text())["sessions"]]
    assert statuses == ["killed", "done"]


def test_a_finished_run_is_not_computed_again(study_file, tmp_path):
    calls = tmp_path / "calls.txt"
    first = run_sums(study_file, tmp_path / "run", f"calls={calls}")
    text = calls.read_text()
    second = run_sums(study_file, tmp_path / "run", f"calls={calls}")
    assert calls.read_text() == text
    assert (first.computed, second.computed) == (6, 0)
    assert first.rows == second.rows


def test_a_damaged_point_file_is_computed_again(study_file, tmp_path):
    first = run_sums(study_file, tmp_path / "run")
    victim = next(iter((tmp_path / "run" / "points").glob("*.json")))
    victim.write_text(victim.read_text()[:40])
    second = run_sums(study_file, tmp_path / "run")
    assert second.computed == 1
    assert second.rows == first.rows


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_point_that_fails_is_filed_with_its_traceback_and_the_others_go_on(
    study_file, tmp_path, jobs
):
    out = tmp_path / "run"
    with pytest.raises(PointsFailedError, match=r"^2 of 4 points failed.*negative point"):
        run_sums(study_file, out, "x=-1,1", jobs=jobs)
    assert not (out / "DONE").exists()
    assert [row["x"] for row in read_table(out / "tables" / "sums.csv").to_dict("records")] == [
        1,
        1,
    ]
    failures = [json.loads(path.read_text()) for path in (out / "failed").iterdir()]
    assert sorted(failure["point"]["seed"] for failure in failures) == [0, 1]
    assert all("RuntimeError: negative point" in failure["traceback"] for failure in failures)
    assert "Traceback" in (out / "log.txt").read_text()
    session = json.loads((out / "provenance.json").read_text())["sessions"][0]
    assert (session["status"], session["points_computed"]) == ("failed", 2)


def test_failed_points_are_computed_again_when_asked_for_and_not_before(study_file, tmp_path):
    study_file.write_text(
        STUDY.replace('if point["x"] < 0', 'if point["x"] == 2 and not Path("mended").exists()')
    )
    out, calls, study = tmp_path / "run", tmp_path / "calls", load_study(str(study_file))
    plan = plan_study(study, overrides=[f"calls={calls}"])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for _ in range(2):
            with pytest.raises(PointsFailedError, match="2 of 6 points failed"):
                run_study(plan, out=out)
        assert calls.read_text().count("start") == 6
        (tmp_path / "mended").touch()
        again = run_study(plan, out=out, retry_failed=True)
        whole = run_sums(study_file, tmp_path / "whole")
    assert (again.computed, calls.read_text().count("start")) == (2, 8)
    assert list((out / "failed").iterdir()) == []
    assert again.files[0].read_bytes() == whole.files[0].read_bytes()


def test_a_warning_of_activity_is_a_line_with_its_point(tmp_path, capfd):
    text = STUDY.replace("import time\n", "import time\nimport warnings\n").replace(
        '    if point["x"] < 0:',
        "    from hrsnn_brian.dynamics.cost import ActivityWarning\n"
        '    if point["x"] == 2:\n'
        '        warnings.warn("the network is silent", ActivityWarning)\n'
        '    if point["x"] < 0:',
    )
    (tmp_path / "warned.py").write_text(text)
    run_sums(tmp_path / "warned.py", tmp_path / "run", "seeds=1")
    said = "warning: seed=0 x=2 pause_s=0.0: the network is silent"
    assert capfd.readouterr().err.splitlines().count(said) == 1
    assert (tmp_path / "run" / "log.txt").read_text().count(said) == 1


# ---- studies ----


def test_options_of_a_study_are_typed_and_unknown_keys_name_the_nearest(study_file):
    study = load_study(str(study_file))
    assert resolve_options(study, None, ["x=7, 8", "pause_s=1"])["x"] == [7, 8]
    assert resolve_options(study, "quick", ["pause_s=1"])["pause_s"] == 1.0
    with pytest.raises(InputError, match="did you mean 'pause_s'"):
        resolve_options(study, None, ["pauses=1"])
    with pytest.raises(InputError, match="did you mean 'quick'"):
        resolve_options(study, "quik", [])


def test_an_option_without_a_kind_is_read_as_toml(study_file):
    study_file.write_text(STUDY.replace('"calls": ""', '"calls": "", "cap": None, "map": {"a": 1}'))
    options = resolve_options(load_study(str(study_file)), None, ["cap=3", "map={a = 2.5}"])
    assert (options["cap"], options["map"]) == (3, {"a": 2.5})


def test_a_study_file_named_without_its_suffix_is_offered(study_file, monkeypatch):
    monkeypatch.chdir(study_file.parent)
    with pytest.raises(InputError, match=r"did you mean 'sums\.py'"):
        load_study("sums")


def test_a_study_with_a_network_offers_its_own_options_and_those_of_the_network(study_file):
    network = '{"preset": "default"}'
    text = STUDY.replace(
        '"calls": ""', f'"calls": "", "methods": ["a"], "gains": 2, "network": {network}'
    )
    study_file.write_text(text)
    study = load_study(str(study_file))
    assert resolve_options(study, None, ["gain=3"])["network"]["encoder"]["gain"] == 3
    for key, hint in (
        ("method", "did you mean 'methods'"),
        ("pauses", "did you mean 'pause_s'"),
        ("tref", "did you mean 't_ref'"),
        ("foo", "unknown; known: J, K, N, bias, calls, center,"),
    ):
        with pytest.raises(InputError) as refusal:
            resolve_options(study, None, [f"{key}=1"])
        assert hint in str(refusal.value)
        assert "methods" in str(refusal.value)
        assert "network" not in str(refusal.value).split("known: ")[1].split(", ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("x = 1\n", "defines no STUDY"),
        ("import os\n1/0\n", r"ZeroDivisionError.*line 2"),
    ],
)
def test_a_file_that_is_no_study_is_refused(tmp_path, text, message):
    path = tmp_path / "broken.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_study(str(path))
