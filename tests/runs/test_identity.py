"""Identity of a run: other code, files, libraries or numbers are another run, and it is said."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError, PointsFailedError, StudyError
from hrsnn_brian.files import identity
from hrsnn_brian.files.identity import files_named, package_digest
from hrsnn_brian.runs import provenance
from hrsnn_brian.runs.runner import plan_study, run_study
from hrsnn_brian.runs.study import load_study

STUDY = """
from pathlib import Path
from helper import value
from hrsnn_brian.runs.study import Study

def points(options, seed):
    for x in options["x"]:
        yield {"seed": seed, "x": x, "data": options["data"]}

def run(point, engine):
    if point["x"] == 2 and not Path("mended").exists():
        raise KeyError("tpyo")
    return {"x": point["x"], "value": value(point["x"]), "data": Path(point["data"]).read_text()}

STUDY = Study("own", "a study of three files", points, run, uses_engine=False,
              presets={"quick": {"x": [1, 2], "data": "data.csv"}})
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(STUDY)
    (tmp_path / "helper.py").write_text(
        "from deep.inner import ONE\ndef value(x): return ONE * x\n"
    )
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "inner.py").write_text("ONE = 1\n")
    (tmp_path / "data.csv").write_text("a")
    (tmp_path / "unused.py").write_text("")
    return tmp_path


def own(*overrides: str, **options):
    plan = plan_study(load_study("own.py"), overrides=overrides)
    return run_study(plan, **options)


def stopped_at_2() -> None:
    with pytest.raises(StudyError):
        own(out="run")


def study_with(run: str, name: str = "own", points: str = "[{'x': 1.0}]", head: str = "") -> None:
    Path("own.py").write_text(
        "from hrsnn_brian.runs.study import Study\n"
        f"{head}\n"
        f"STUDY = Study({name!r}, 'd', lambda options, seed: {points},\n"
        f"    lambda point, engine: {run},\n"
        "    presets={'quick': {'x': [1.0]}}, uses_engine=False)\n"
    )


# ---- what a resumed run asks to be the same ----


def test_a_run_that_is_resumed_unchanged_computes_what_is_missing(here):
    stopped_at_2()
    (here / "mended").touch()
    (here / "unused.py").write_text("x = 1")
    result = own(out="run", retry_failed=True)
    assert (len(result.plan.points), result.computed) == (2, 1)
    assert [row["value"] for row in result.rows] == [1, 2]
    files = tomllib.loads((here / "run" / "config.toml").read_text())["files"]
    assert set(files) == {"own.py", "helper.py", "deep/inner.py", "data.csv"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("own.py", STUDY + "\n"),
        ("helper.py", "from deep.inner import ONE\ndef value(x): return 10 * x\n"),
        ("deep/inner.py", "ONE = 10\n"),
        ("data.csv", "b"),
    ],
)
def test_a_changed_file_stops_the_resumption_and_is_named(here, file, text):
    stopped_at_2()
    before = sorted((here / "run").rglob("*"))
    (here / "mended").touch()
    (here / file).write_text(text)
    with pytest.raises(InputError) as refusal:
        own(out="run")
    line = str(refusal.value)
    assert f"{file} has changed; --fresh begins anew beside it" in line
    assert ("code/own.py finishes it as it began" in line) == file.endswith(".py")
    assert sorted((here / "run").rglob("*")) == before


def test_a_file_that_is_gone_is_named(here):
    stopped_at_2()
    (here / "data.csv").unlink()
    with pytest.raises(InputError, match=r"data\.csv is gone or no longer used"):
        own(out="run")


def test_a_changed_package_or_library_stops_the_resumption(here, monkeypatch):
    stopped_at_2()
    with monkeypatch.context() as patch:
        patch.setattr(identity, "package_digest", lambda: "another")
        with pytest.raises(InputError, match="the source files of hrsnn_brian have changed"):
            own(out="run")
    version_of = identity.version_of
    monkeypatch.setattr(
        identity, "version_of", lambda name: "9.9" if name == "numpy" else version_of(name)
    )
    with pytest.raises(InputError, match=r"numpy was [0-9.]+, now 9\.9"):
        own(out="run")


def test_fresh_begins_beside_and_the_kept_code_finishes_the_old_run(here, capfd):
    stopped_at_2()
    (here / "mended").touch()
    (here / "helper.py").write_text("def value(x): return 10 * x\n")
    words = ["study", "own.py", "--jobs", "1", "--out", "run"]
    assert main([*words, "--fresh"]) == 0
    assert (here / "run-2" / "tables" / "own.csv").read_text() == "x,value,data\n1,10,a\n2,20,a\n"
    words[1] = "run/code/own.py"
    assert main([*words, "--retry-failed"]) == 0
    assert "1 of 2 points" in capfd.readouterr().out
    assert (here / "run" / "tables" / "own.csv").read_text() == "x,value,data\n1,1,a\n2,2,a\n"


def test_without_out_an_unfinished_run_of_other_code_is_passed_over_with_a_word(here, capfd):
    with pytest.raises(StudyError):
        own()
    (here / "mended").touch()
    (here / "own.py").write_text(STUDY + "\n")
    assert own().path.name == "own-quick-seed0-2"
    line = "own-quick-seed0 is unfinished but not resumed: own.py has changed"
    assert line in capfd.readouterr().err


def test_a_file_changed_while_the_study_runs_stops_it(here):
    study_with(
        "__import__('pathlib').Path('data.csv').write_text(str(point['x'])) and {'x': 1}",
        points="[{'x': 1.0}, {'x': 2.0}]",
    )
    Path("own.py").write_text(Path("own.py").read_text().replace("[1.0]}", "'data.csv'}"))
    with pytest.raises(InputError, match=r"data\.csv'?: was changed while the study ran"):
        own(out="run")
    assert not list((here / "run" / "points").glob("*.json"))


def test_two_studies_each_get_their_own_neighbour_of_the_same_name(here):
    for number in (1, 2):
        folder = here / str(number)
        folder.mkdir()
        (folder / "helper.py").write_text(f"N = {number}\n")
        study_with("{'n': N}", head="from helper import N")
        (here / "own.py").rename(folder / "own.py")
    for number in (1, 2, 1):
        result = run_study(plan_study(load_study(f"{number}/own.py")), out=f"run{number}")
        assert result.rows == [{"n": number}]
    (here / "1" / "helper.py").write_text("N = 7\n")
    assert run_study(plan_study(load_study("1/own.py")), out="run7").rows == [{"n": 7}]


def test_neighbours_reach_the_workers(here):
    (here / "mended").touch()
    assert [row["value"] for row in own(out="run", jobs=2).rows] == [1, 2]


# ---- the digests ----


def test_the_digest_of_the_package_is_that_of_its_sources_wherever_they_are(tmp_path):
    """A copy laid out as an installation agrees; a figure changes nothing, a C++ file does."""
    root = Path(identity.__file__).parents[1]
    studies = Path(load_study("improve").run.__code__.co_filename).parent
    copy = tmp_path / "hrsnn_brian"
    for source, target in ((root, copy), (studies, copy / "studies")):
        for path in source.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                place = target / path.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(path.read_bytes())

    def digest() -> str:
        program = "from hrsnn_brian.files.identity import package_digest; print(package_digest())"
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()

    assert digest() == package_digest()
    (copy / "figures").mkdir()
    (copy / "figures" / "new.py").touch()
    assert digest() == package_digest()
    (copy / "simulation" / "scene.cpp").write_text("// changed")
    assert digest() != package_digest()


def test_provenance_names_the_sources_and_the_commit_an_installation_came_from(
    here, monkeypatch, capfd
):
    (here / "mended").touch()
    facts = json.loads((own(out="run").path / "provenance.json").read_text())
    assert facts["package_digest"] == package_digest()

    class Distribution:
        def read_text(self, name: str) -> str:
            assert name == "direct_url.json"
            return '{"url": "x", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}'

    monkeypatch.setattr(provenance, "__file__", str(here / "a" / "b" / "c.py"))
    monkeypatch.setattr(provenance.metadata, "distribution", lambda name: Distribution())
    assert provenance.git_commit() == "abc123"


def test_files_are_those_that_a_text_among_the_options_is_the_path_of(here):
    Path("wind").write_text("no data")
    found = files_named({"a": ["data.csv", "none.csv", 3], "b": {"c": "./helper.py"}, "t": "wind"})
    assert set(found) == {"data.csv", "./helper.py"}


# ---- numbers that JSON and TOML do not tell apart by themselves ----


def test_points_that_differ_by_nan_inf_none_or_kind_are_different_points(here):
    values = "[float('nan'), float('inf'), -float('inf'), None, 1, 1.0, True]"
    study_with("{'x': repr(point['x'])}", points=f"[{{'x': x}} for x in {values}]")
    rows = own(out="run").rows
    assert [row["x"] for row in rows] == ["nan", "inf", "-inf", "None", "1", "1.0", "True"]
    again = own(out="run")
    assert (again.computed, again.rows) == (0, rows)


@pytest.mark.parametrize("other", ["x=1,nan", "x=1,-inf", "x=1"])
def test_runs_that_differ_by_nan_or_inf_are_different_runs(here, other):
    study_with("{'x': repr(point['x'])}", points="[{'x': x} for x in options['x']]")
    own("x=1,inf", out="run")
    with pytest.raises(InputError, match=r"holds another run \(its options.x is \[1.0, inf\]"):
        own(other, out="run")


def test_a_run_with_nan_among_its_settings_is_resumed(here):
    study_with("{'x': repr(point['x'])}", points="[{'x': x} for x in options['x']]")
    own("x=1,nan", out="run")
    assert own("x=1,nan", out="run").computed == 0


def test_infinite_values_of_rows_survive_nan_is_missing(here):
    study_with("{'a': float('inf'), 'b': float('nan'), 'c': -float('inf')}")
    assert own(out="run").rows == [{"a": float("inf"), "b": None, "c": -float("inf")}]


# ---- studies of one's own ----


@pytest.mark.parametrize(
    ("returned", "rows"),
    [
        ("{'x': 1}", [{"x": 1}]),
        ("({'x': k} for k in (1, 2))", [{"x": 1}, {"x": 2}]),
        ("({'x': 1},)", [{"x": 1}]),
        ("None if point['x'] == 1 else {'x': 2}", [{"x": 2}]),
    ],
)
def test_rows_may_be_a_dict_any_iterable_or_none(here, returned, rows):
    study_with(returned, points="({'x': x} for x in (1.0, 3.0))")
    found = own(out="run").rows
    assert found == (rows if "None" in returned else rows * 2)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("3", r"the point x=1.0 returned 3 \(int\): give dicts"),
        ("'ab'", r"the point x=1.0 returned 'ab' \(str\)"),
        ("[1, 2]", r"the point x=1.0 returned \[1, 2\] \(list\)"),
        ("{'a': object()}", "the point x=1.0 returned a of a kind no table holds: object has no"),
        ("None", "no point returned a row"),
    ],
)
def test_what_is_no_row_is_refused_with_the_point(here, capfd, returned, message):
    study_with(returned)
    nothing = returned == "None"  # is no fault of the point, but the run has no table
    with pytest.raises(InputError if nothing else PointsFailedError, match=message):
        own(out="run")
    words = ["study", "own.py", "--out", "run", "--jobs", "1"]
    assert main(words) == (2 if nothing else 3)
    assert not (here / "run" / "DONE").exists()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("[3]", r"points\(\) gives 3 \(int\): a point is a dict"),
        ("[{'x': 1}, {'x': 1}]", "the point x=1 comes twice"),
        ("[{'x': object()}]", "object has no plain form"),
        ("[]", "these options give no points"),
        ("options['y']", r"points\(\) fails with KeyError: 'y' \(line 3\)"),
        ("3", r"points\(\) fails with TypeError"),
    ],
)
def test_what_are_no_points_is_refused_before_anything_is_made(here, points, message):
    study_with("{'x': 1}", points=points)
    with pytest.raises(InputError, match=message):
        own(out="run")
    assert not (here / "run").exists()


@pytest.mark.parametrize("name", ["a/b", "../a", ".", "", "a\\b", "-a", "a\nb", "n" * 200, 3])
def test_names_that_no_file_can_bear_are_refused(here, name):
    study_with("{'x': 1}", name=name)
    with pytest.raises(InputError, match="study name = "):
        load_study("own.py")
    study_with("{'x': 1}")
    text = Path("own.py").read_text()
    Path("own.py").write_text(text.replace("'quick'", repr(name)))
    with pytest.raises(InputError, match="preset = "):
        load_study("own.py")


@pytest.mark.parametrize(
    ("part", "other", "message"),
    [
        ("{'quick': {'x': [1.0]}}", "{}", "presets = .*at least one"),
        ("{'quick': {'x': [1.0]}}", "{'quick': [1]}", "preset quick = .*dict of options"),
        ("{'x': [1.0]}", "{'network': {}}", "network = .*must have the form"),
        ("lambda point, engine: {'x': 1}", "3", "run = 3: must be a function"),
        ("STUDY =", "import sys; sys.exit(0)\nSTUDY =", "fails with SystemExit"),
        ("STUDY =", "import helpr\nSTUDY =", r"No module named 'helpr' \(line 3\)"),
    ],
)
def test_a_study_that_cannot_be_used_is_refused_in_one_line(here, part, other, message):
    study_with("{'x': 1}")
    Path("own.py").write_text(Path("own.py").read_text().replace(part, other))
    with pytest.raises(InputError, match=message):
        load_study("own.py")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_study_that_fails_names_the_point_the_line_and_the_log(here, jobs):
    with pytest.raises(StudyError) as failure:
        own("x=2,1", out="run", jobs=jobs)
    line = str(failure.value)
    assert "study own fails at the point seed=0 x=2 data=data.csv: KeyError: 'tpyo'" in line
    assert "(line 12)" in line
    assert f"traceback in {here / 'run' / 'log.txt'}" in line
    log = (here / "run" / "log.txt").read_text()
    assert "Traceback" in log
    assert "after a change --fresh begins anew" in log


def test_a_failure_in_a_neighbour_names_its_file(here):
    (here / "helper.py").write_text("def value(x):\n    return 1 / 0\n")
    with pytest.raises(StudyError, match=r"\(helper.py, line 2\)"):
        own(out="run")


def test_input_refused_at_a_point_names_the_point(here):
    head = (
        "from hrsnn_brian.errors import InputError\ndef no(x):\n    raise InputError('K', x, 'no')"
    )
    study_with("no(point['x'])", head=head)
    with pytest.raises(PointsFailedError, match=r"K = 1.0: no \(at the point x=1.0\)"):
        own(out="run")
