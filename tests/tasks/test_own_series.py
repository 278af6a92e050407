"""The user's own series: cells, marks and times are read as they are meant, or named."""

import json
import re
import warnings
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.present import present
from hrsnn_brian.files.csv_cells import read_cells
from hrsnn_brian.simulation import Engine
from hrsnn_brian.tasks import ForecastTask, own_series_task
from hrsnn_brian.tasks.closed_loop import closed_loop_schedule
from hrsnn_brian.tasks.delays import Delays
from hrsnn_brian.tasks.series import Reading, read_series
from hrsnn_brian.training.train import Trained

VALUES = np.round(5 + np.sin(np.arange(400) / 5), 2)
HOURS = [datetime(2014, 1, 1) + timedelta(hours=k) for k in range(400)]


def written(path: Path, lines: list[str], header: str = "") -> Path:
    path.write_bytes("\n".join([*([header] if header else []), *lines, ""]).encode())
    return path


def comma(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")


# ---- rows and names ----

PLAIN = [f"{k},{v}" for k, v in enumerate(VALUES)]
RAGGED = {
    "decimal commas unquoted": (
        "hour,speed",
        [f"{k},{comma(v)}" for k, v in enumerate(VALUES)],
        r"line 2 has 3 cells, the header has 2, .*decimal comma needs quotes",
    ),
    "header one name short": ("speed", PLAIN, r"line 2 has 2 cells, the header has 1, .*name each"),
    "one long row": ("hour,speed", [*PLAIN[:9], "9,1,2", *PLAIN[10:]], "line 11 has 3 cells, .* 2"),
    "one short row": ("hour,speed", [*PLAIN[:9], "9", *PLAIN[10:]], "line 11 has 1 cell, .* has 2"),
    "cut at the end": ("hour,speed,x", [f"{p},1" for p in PLAIN] + ["400,5"], "line 402 has 2"),
    "a name twice": ("speed,speed", PLAIN, "name of columns 1 and 2"),
    "open quote": ("hour,speed", [*PLAIN[:9], '9,"5', *PLAIN[10:]], "line 11 is no CSV"),
    "underscore": ("hour,speed", [*PLAIN, "400,1_0"], "line 402 holds '1_0', not a finite"),
    "no header": ("0,5.25", PLAIN, "line 1 holds numbers"),
}


@pytest.mark.parametrize("case", RAGGED)
def test_rows_that_do_not_fit_are_named(case: str, tmp_path: Path) -> None:
    header, rows, message = RAGGED[case]
    with pytest.raises(InputError, match=message) as caught:
        read_series(written(tmp_path / "s.csv", rows, header), "speed")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("hour,speed", [f"{p}," for p in PLAIN]),  # a surplus empty cell
        ("hour,speed,", [f"{p}," for p in PLAIN]),
        ("hour,speed", [*PLAIN[:7], "", *PLAIN[7:], "", "  "]),  # blank lines
        ("x,speed,x", [f"{p},0" for p in PLAIN]),  # a name twice that is not asked for
        ('hour,speed,"a,\nb"', [f'{p},"1,\n2"' for p in PLAIN]),  # lines inside quotes
    ],
)
def test_rows_that_may_pass_give_the_values(header: str, rows: list[str], tmp_path: Path) -> None:
    series = read_series(written(tmp_path / "s.csv", rows, header), "speed")
    np.testing.assert_array_equal(series.values[:, 0], VALUES)


def test_lines_are_counted_in_the_file(tmp_path: Path) -> None:
    rows = ['0,"1\n2",5', "", "1,a,5"]
    cells = read_cells(written(tmp_path / "s.csv", rows, 't,"no\nte",x'), "data")
    assert cells.lines == [3, 6]
    assert cells.column("no\nte") == ["1\n2", "a"]


# ---- separators and decimal marks ----


@pytest.mark.parametrize("sep", [";", "\t", "|", " ", ","])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("given", [True, False])
def test_marks_are_recognised_or_given(sep: str, decimal: str, given: bool, tmp_path: Path) -> None:
    quote = '"' if sep == decimal else ""
    rows = [f"{k}{sep}{quote}{str(v).replace('.', decimal)}{quote}" for k, v in enumerate(VALUES)]
    path = written(tmp_path / "s.csv", rows, f"t{sep}power")
    marks = {"sep": sep, "decimal": decimal} if given else {}
    np.testing.assert_array_equal(read_series(path, "power", Reading(**marks)).values[:, 0], VALUES)


def test_names_of_separators_and_spreadsheets_first_line(tmp_path: Path) -> None:
    rows = [f"{k}\t{comma(v)}" for k, v in enumerate(VALUES)]
    path = written(tmp_path / "s.csv", rows, "t\tpower, kW")
    for sep in ("tab", "\\t", "\t", None):
        np.testing.assert_array_equal(
            read_series(path, "power, kW", Reading(sep=sep)).values[:, 0], VALUES
        )
    path.write_text(f"sep=\t\n{path.read_text()}")
    np.testing.assert_array_equal(read_series(path, "power, kW").values[:, 0], VALUES)
    path.write_text(path.read_text(), encoding="utf-16")
    np.testing.assert_array_equal(read_series(path, "power, kW").values[:, 0], VALUES)
    single = written(tmp_path / "one.csv", list(map(comma, VALUES)), "power")
    np.testing.assert_array_equal(
        read_series(single, "power", Reading(decimal=",")).values[:, 0], VALUES
    )
    with pytest.raises(InputError, match="decimal comma needs"):
        read_series(single, "power")


def test_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path / "s.csv", PLAIN, "hour,speed")
    np.testing.assert_array_equal(read_series("~/s.csv", "speed").values[:, 0], VALUES)


def test_commas_that_may_mark_thousands_are_decided_by_the_rest_of_the_file(tmp_path: Path) -> None:
    three = [f"{5 + v / 10:.3f}".replace(".", ",") for v in VALUES]
    wanted = [float(text.replace(",", ".")) for text in three]
    sure = [f"{text}\t{comma(v)}" for text, v in zip(three, VALUES, strict=True)]
    found = read_series(written(tmp_path / "s.csv", sure, "x\ty"), "x")
    np.testing.assert_array_equal(found.values[:, 0], wanted)
    assert not any("decimal" in remark for remark in found.remarks)
    spreadsheet = [f"{k};{text}" for k, text in enumerate(three)]
    found = read_series(written(tmp_path / "s.csv", spreadsheet, "t;x"), "x")
    np.testing.assert_array_equal(found.values[:, 0], wanted)
    assert "its comma taken as a decimal one" in found.remarks[0]


@pytest.mark.parametrize(
    ("header", "row", "marks", "message"),
    [
        ("a;b,x", "1;2;3,4,5", {}, r"data = 's.csv': ',' and ';' do not separate .* \(--sep\)"),
        ("a;x;b,x,c", "1;2;3,4,5", {}, "',' and ';' may each separate"),
        ("t\tx", "1\t1,234", {}, r"'1,234': if the comma is a decimal one"),
        ("t;x;y", "1;1,234;1.5", {}, r"'1,234': if the comma is a decimal one"),
        ("t;x", "1;1,5", {"decimal": "."}, "line 2 holds '1,5', not a finite number"),
        ("t;x", "1;1.234,5", {}, "line 2 holds '1.234,5'"),
        ("t;x", "1;1,5", {"decimal": ";"}, "must be . or ,"),
        ("t;x", "1;1,5", {"sep": "ab"}, "must be one character or one of comma, semicolon"),
        ("t;x", "1;1,5", {"sep": ",", "decimal": ","}, "line 2 has 2 cells, the header has 1"),
    ],
)
def test_marks_that_cannot_be_known_are_asked_for(
    header: str, row: str, marks: dict[str, str], message: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    written(Path("s.csv"), [row] * 400, header)
    with pytest.raises(InputError, match=message):
        read_series("s.csv", "x", Reading(**marks))


def test_of_two_separators_that_fit_the_one_with_the_column_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path / "s.csv", ["1;2,x;4"] * 3, "x;a,x;y")
    assert read_cells(path, "data", wanted="a,x").header == ["x", "a,x", "y"]
    assert read_cells(path, "data", wanted="x;a").header == ["x;a", "x;y"]


# ---- the time column ----


def timed(path: Path, times: list[str], name: str = "time") -> Path:
    rows = [f"{t},{v}" for t, v in zip(times, VALUES, strict=False)]
    return written(path, rows, f"{name},speed")


def text(form: str) -> list[str]:
    return [time.strftime(form) for time in HOURS]


TIMES = {
    "iso": ("time", text("%Y-%m-%dT%H:%M:%S"), "1 h"),
    "iso with a zone": ("zeitpunkt", text("%Y-%m-%d %H:%M:%S+01:00"), "1 h"),
    "day first": ("Datum", text("%d.%m.%Y %H:%M"), "1 h"),
    "day or month first": ("when", text("%d/%m/%Y %H:%M"), "1 h"),
    "month first": ("when", text("%m/%d/%Y %I:%M %p"), "1 h"),
    "numbers": ("t (s)", [f"{k / 30:.4f}" for k in range(400)], "0.0333"),
    "an index": ("", list(map(str, range(400))), "1"),
    "months": ("date", [f"{1950 + k // 12}-{k % 12 + 1:02d}-01" for k in range(400)], "1 month"),
    "days": ("date", [f"{datetime(2001, 1, 1) + timedelta(k):%Y%m%d}" for k in range(400)], "1 d"),
}


@pytest.mark.parametrize("case", TIMES)
def test_regular_times_are_found_and_a_gap_is_named(case: str, tmp_path: Path) -> None:
    name, times, step = TIMES[case]
    whole = read_series(timed(tmp_path / "s.csv", times, name), "speed")
    assert (whole.step, whole.remarks) == (step, ())
    gap = times[:200] + times[240:]
    series = read_series(timed(tmp_path / "s.csv", gap, name), "speed")
    (remark,) = series.remarks
    assert remark.startswith(f"1 of 359 steps of the time column {name!r} are not {step}; ")
    assert f"from line 201 ({times[199]}) to line 202 ({times[240]})" in remark
    np.testing.assert_array_equal(series.values[:, 0], VALUES[:360])
    assert series.cuts == (200,)
    assert remark.endswith("the series is cut there")


def test_forty_missing_hours_are_called_so(tmp_path: Path) -> None:
    times = text("%Y-%m-%d %H:%M")
    path = timed(tmp_path / "s.csv", times[:200] + times[240:])
    (remark,) = read_series(path, "speed").remarks
    assert "the first is 41 h, from line 201" in remark
    with pytest.warns(UserWarning, match="41 h"):
        assert own_series_task(path, "speed").remarks == (remark,)


def test_date_and_time_of_day_in_two_columns(tmp_path: Path) -> None:
    rows = [f"{t:%d.%m.%Y},{t:%H:%M},{v}" for t, v in zip(HOURS, VALUES, strict=True)]
    whole = read_series(written(tmp_path / "s.csv", rows, "Date,Time,speed"), "speed")
    assert (whole.step, whole.remarks) == ("1 h", ())
    del rows[50]
    (remark,) = read_series(written(tmp_path / "s.csv", rows, "Date,Time,speed"), "speed").remarks
    assert "the first is 2 h, from line 51" in remark


@pytest.mark.parametrize("form", ["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"])
def test_days_and_months_that_may_be_exchanged_are_read_as_even_steps(
    form: str, tmp_path: Path
) -> None:
    """Twelve days of January: either order can be read, one of them makes 12 months of them."""
    first = [(datetime(2014, 1, 1) + timedelta(minutes=30 * k)).strftime(form) for k in range(400)]
    series = read_series(timed(tmp_path / "s.csv", first, "when"), "speed")
    assert (series.step, series.remarks) == ("30 min", ())


def test_trading_days_are_remarked_and_scored(shared_data: Path) -> None:
    google = read_series(shared_data / "goog_daily_2004_2013.csv", "close")
    (remark,) = google.remarks
    assert google.step == "1 d"
    assert "the first is 3 d, from line 3 (2004-08-20) to line 4 (2004-08-23)" in remark
    # counted without this package: weekends and holidays of the file
    lines = (shared_data / "goog_daily_2004_2013.csv").read_text().splitlines()
    dates = np.array([line[:10] for line in lines[1:]], "M8[D]")
    count = int((np.diff(dates).astype(int) != 1).sum())
    assert remark.startswith(f"{count} of {len(dates) - 1} steps")


def test_times_that_are_no_running_times_are_left_alone_or_named(tmp_path: Path) -> None:
    cyclic = timed(tmp_path / "a.csv", [str(k % 24) for k in range(400)], "hour")
    assert read_series(cyclic, "speed").remarks == ()
    assert read_series(timed(tmp_path / "b.csv", list("ab") * 200, "site"), "speed").remarks == ()
    unread = timed(tmp_path / "c.csv", [*text("%Y-%m-%d %H:%M")[:9], "soon", *["x"] * 390])
    (remark,) = read_series(unread, "speed").remarks
    assert "'time' are not checked: line 11 holds 'soon'" in remark
    with pytest.raises(InputError, match=r"time = 'time': line 11 holds 'soon'"):
        read_series(unread, "speed", Reading(time="time"))
    with pytest.raises(InputError, match="did you mean 'time'"):
        read_series(unread, "speed", Reading(time="tme"))
    still = timed(tmp_path / "e.csv", text("%Y-%m-%d"), "date")
    (remark,) = read_series(still, "speed").remarks
    assert "'date' does not advance in most rows" in remark
    back = timed(tmp_path / "d.csv", text("%Y-%m-%d %H:%M")[::-1])
    with pytest.raises(InputError, match="'time': runs backwards: reverse the rows"):
        read_series(back, "speed")


def test_the_time_column_can_be_said(tmp_path: Path) -> None:
    rows = [
        f"{t:%Y-%m-%d %H:%M},{k},{v}" for k, (t, v) in enumerate(zip(HOURS, VALUES, strict=True))
    ]
    path = written(tmp_path / "s.csv", rows, "made,uur,speed")
    assert read_series(path, "speed").step == "1 h"
    assert read_series(path, "speed", Reading(time="uur")).step == "1"


# ---- a stuck sensor ----


@pytest.mark.parametrize(
    ("block", "stuck"),
    [("training", slice(20, 286)), ("validation", slice(233, 286)), ("test", slice(286, 400))],
)
@pytest.mark.parametrize("value", [5.0, 5.1])
def test_a_stuck_block_is_refused_before_any_simulation(
    block: str, stuck: slice, value: float, tmp_path: Path
) -> None:
    values = VALUES.copy()
    values[stuck] = value
    path = written(tmp_path / "s.csv", list(map(str, values)), "speed")
    message = f"constant over the {block} block, samples {stuck.start} to {stuck.stop - 1}, at"
    with pytest.raises(InputError, match=message), warnings.catch_warnings(action="ignore"):
        own_series_task(path, "speed", Reading(stuck=0))


def test_a_long_stuck_run_is_cut_out(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[100:130] = 5.5
    path = written(tmp_path / "s.csv", list(map(str, values)), "speed")
    series = read_series(path, "speed")
    (remark,) = series.remarks
    assert remark == (
        "column 'speed' holds 5.5 in 30 rows on end, lines 102 to 131: a stuck sensor, "
        "cut out (from 10 rows on end)"
    )
    np.testing.assert_array_equal(series.values[:, 0], [*values[:100], *values[130:]])
    assert series.cuts == (100,)
    assert read_series(path, "speed", Reading(stuck=0)).remarks == ()
    assert read_series(path, "speed", Reading(stuck=31)).remarks == ()
    values[100:121] = VALUES[100:121]  # 9 are left
    path = written(tmp_path / "s.csv", list(map(str, values)), "speed")
    assert read_series(path, "speed").remarks == ()
    values[200:207] = 5.75
    path = written(tmp_path / "s.csv", list(map(str, values)), "speed")
    series = read_series(path, "speed", Reading(stuck=7))
    (remark,) = series.remarks
    assert "9 rows on end, lines 123 to 131, the first of 2 such runs (16 rows)" in remark
    assert series.cuts == (121, 191)


def test_nights_of_a_solar_plant_are_no_stuck_sensor(tmp_path: Path) -> None:
    day = [0.0] * 13 + [1.5, 3.25, 4.5, 5.25, 5.75, 6.0, 5.5, 4.25, 3.0, 1.25, 0.5]
    values = [round(x * (1 + k / 97), 3) for k in range(30) for x in day]
    path = written(tmp_path / "s.csv", list(map(str, values)), "power")
    assert read_series(path, "power").remarks == ()


# ---- missing values, several columns, segments ----


def test_missing_values_are_cut_out_and_told(tmp_path: Path) -> None:
    cells = list(map(str, VALUES))
    cells[50], cells[51], cells[300] = "", "NaN", "n/a"
    cells[0] = "null"
    rows = [f"{k},{cell}" for k, cell in enumerate(cells)]
    series = read_series(written(tmp_path / "s.csv", rows, "hour,speed"), "speed")
    (remark,) = series.remarks
    assert remark == "column 'speed' has no value in 4 rows, the first at line 2: cut out"
    np.testing.assert_array_equal(series.values[:, 0], np.delete(VALUES, [0, 50, 51, 300]))
    assert series.cuts == (49, 297)


def test_rows_of_several_columns_go_together(tmp_path: Path) -> None:
    other = np.round(np.cos(np.arange(400) / 7), 3)
    rows = [f"{k},{v},{w}" for k, (v, w) in enumerate(zip(VALUES, other, strict=True))]
    rows[200] = f"200,{VALUES[200]},"
    path = written(tmp_path / "s.csv", rows, "hour,a,b")
    for asked in ("a,b", ["a", "b"], "a, b"):
        series = read_series(path, asked)
        assert (series.names, series.cuts) == (("a", "b"), (200,))
        np.testing.assert_array_equal(
            series.values, np.delete(np.column_stack([VALUES, other]), 200, axis=0)
        )
    for asked in ("a,a", ["a", "a"], []):
        with pytest.raises(InputError, match="must be different columns, at least one"):
            read_series(path, asked)
    with pytest.raises(InputError, match=r"column = 'c'"):
        read_series(path, "a,c")

    with warnings.catch_warnings(action="ignore"):
        both = own_series_task(path, "a,b", horizons=(1, 2))
        one = own_series_task(path, "a,b", horizons=(1, 2), target="b")
    assert (both.name, both.closed_loop, both.names) == ("s:a+b", True, ("a", "b"))
    assert (one.name, one.closed_loop, one.outputs) == ("s:b from a+b", False, (1,))
    assert one.shown.shape[1] == 2
    errors = {score.name: score.value for score in both.fit({}).scores}
    alone = {score.name: score.value for score in one.fit({}).scores}
    assert errors["rmse_h2_b"] == pytest.approx(alone["rmse_h2_b"])
    assert {"rmse_h2_a", "nrmse_h2"} <= set(errors)
    with pytest.raises(InputError, match="target = 'c'"):
        own_series_task(path, "a,b", target="c")


def in_two_pieces(path: Path) -> ForecastTask:
    """A moving average of noise, of which 50 rows are missing after the first 550."""
    noise = np.random.default_rng(3).normal(size=1600)
    values = np.convolve(noise, np.ones(5), "same")
    rows = [f"{k},{v:.6f}" for k, v in enumerate(values) if k not in range(550, 600)]
    written(path, rows, "t,x")
    with warnings.catch_warnings(action="ignore"):
        return own_series_task(path, "x", horizons=(1, 5), starts=4)


def test_nothing_reaches_across_a_cut(tmp_path: Path) -> None:
    """Washout, targets, lags and free runs stay inside a segment, which is shown by itself."""
    task = in_two_pieces(tmp_path / "s.csv")
    assert task.cuts == (550,)
    rows = task.train_rows
    around = [k for k in range(500, 700) if k not in rows]
    assert around == list(range(545, 550 + task.washout))
    assert np.isnan(task.targets()[549]).all()
    np.testing.assert_array_equal(np.isnan(task.targets()[545]), [False, True])
    first, second = task.trials()
    assert second.reset
    np.testing.assert_array_equal(first.inputs, task.shown[:550])
    starts = closed_loop_schedule(task).starts
    assert starts.min() >= task.test_block.start
    cut_late = replace(task, cuts=(550, 1300))
    for start in closed_loop_schedule(cut_late).starts:
        assert not 1300 - 48 < start < 1300 + 100


def test_a_network_trains_on_what_the_task_shows_it(tmp_path: Path) -> None:
    """Inputs alone, noise and cuts included, up to the end of the training block."""
    cut = in_two_pieces(tmp_path / "s.csv")
    for task in (cut, hb.get_task("narma10", 0), hb.get_task("rossler-x", 0)):
        shown = task.training_trials()
        end = task.train_block.stop
        np.testing.assert_array_equal(np.vstack([t.inputs for t in shown]), task.shown[:end])
        assert np.cumsum([len(t.inputs) for t in shown]).tolist() == [*task.cuts, end]
        assert all(t.reset for t in shown)


def test_what_is_before_a_cut_changes_no_row_after_it(tmp_path: Path) -> None:
    """With the first segment shuffled, states, delays and targets of the second are the same."""
    task = in_two_pieces(tmp_path / "s.csv")
    series = task.series.copy()
    np.random.default_rng(0).shuffle(series[:550])
    other = replace(task, series=series)
    vars(other).update(mean=task.mean, std=task.std)  # which see both segments, and may
    network = hb.build_network(hb.load_preset("default", ["N=20", "sample=2 ms"]), seed=1)
    states, shuffled = (present(Engine("numpy"), network, t, 1).states for t in (task, other))
    for name in states:
        np.testing.assert_array_equal(states[name][550:], shuffled[name][550:])
        assert not np.array_equal(states[name][:550], shuffled[name][:550])
    np.testing.assert_array_equal(task.targets()[550:], other.targets()[550:])
    late = np.array([k for k in [*task.train_rows, *task.test_rows] if k >= 550])
    furthest = Delays(12, 7, quadratic=True)
    assert furthest.reach == task.history
    for name, block in furthest.of_rows(task.shown, late).items():
        np.testing.assert_array_equal(block, furthest.of_rows(other.shown, late)[name])


def test_the_ten_minute_wind_is_cut_and_scored(shared_data: Path, tmp_path: Path) -> None:
    """Its gaps and runs of exact zeros, counted without this package."""
    with np.load(shared_data / "wind_la_haute_borne_10min.npz", allow_pickle=False) as source:
        wind = source["wind_speed"][:12000, 0]
    start = datetime(2014, 1, 1)
    rows = [
        f"{start + timedelta(minutes=10 * k):%Y-%m-%d %H:%M},{v:.3f}"
        for k, v in enumerate(wind)
        if not np.isnan(v)
    ]
    path = written(tmp_path / "wind.csv", rows, "time,speed")
    series = read_series(path, "speed")
    missing = np.isnan(wind)
    gaps = int(np.sum(np.diff(missing.astype(int)) == 1))
    assert series.step == "10 min"
    assert series.remarks[-1].startswith(f"{gaps} of {len(rows) - 1} steps")
    # calms below the threshold of the anemometer, the first where line 2 is row 0
    assert "holds 0 in 17 rows on end, lines 8669 to 8685, the first of 5" in series.remarks[0]
    assert len(series.cuts) == gaps + 5
    with warnings.catch_warnings(action="ignore"):
        task = own_series_task(path, "speed")
    assert len(task.cuts) <= len(series.cuts)
    assert task.closed_loop


# ---- horizons, units, and what contradicts ----


def test_horizons_and_unit_are_the_users(tmp_path: Path) -> None:
    path = written(tmp_path / "s.csv", PLAIN, "hour,speed")
    task = own_series_task(path, "speed", horizons=(1, 6, 24), unit="m/s")
    assert (task.horizons, task.unit, task.closed_loop) == ((1, 6, 24), "m/s", True)
    assert not own_series_task(path, "speed", horizons=(6,)).closed_loop
    for horizons in [(1, 400), (1, 114)]:
        with pytest.raises(InputError, match=r"horizons = .* from 1 to 113 for 400 samples"):
            own_series_task(path, "speed", horizons=horizons)
    for horizons in [(0, 1), (1.5,), (True,)]:
        with pytest.raises(InputError, match=r"horizons = .*: must be a whole number >= 1"):
            own_series_task(path, "speed", horizons=horizons)
    assert own_series_task(path, "speed", unit="%").unit == "%"
    for unit, column in {"%": "rmse_h1_percent", "1": "rmse_h1"}.items():
        scores = own_series_task(path, "speed", unit=unit).baselines()["persistence"]
        assert column in {score.name for score in scores}
    for unit in ("", " ", "€"):
        with pytest.raises(InputError, match=r"unit = .*such as m/s or EUR, or (be )?1 for none"):
            own_series_task(path, "speed", unit=unit)


CONTRADICTIONS = {
    "--task wind --data s.csv --column speed": "--task = 'wind': contradicts --data s.csv",
    "--task wind --column speed": r"--column = .speed.: .*give --data",
    "--task wind --stuck 9": "--stuck = '9': .*give --data",
    "--data s.csv --column speed --stuck x": "stuck = 'x': must be a whole number >= 0",
    "--data s.csv --column speed --irregular 2": "irregular = 2: must be a number >= 0 and <= 1",
    "--data s.csv --column speed --target sped": "target = 'sped': .*did you mean 'speed'",
    "--task wind --horizons 1,2": r"--horizons = \(1, 2\): .*give --data",
    "--task wind --unit K": "--unit = 'K': .*give --data",
    "--data s.csv": "--column = None: name the column",
    "--data s.csv --column speed --horizons 1,x": "'1,x' is not whole numbers .* 1,6,24",
    "--data s.csv --column speed --horizons 1,,2": "'1,,2' is not whole numbers",
    "--data s.csv --column speed --horizons 0": "'0' is not whole numbers",
}


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_options_that_contradict_are_refused(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("s.csv"), PLAIN, "hour,speed")
    assert main(["evaluate", "none.npz", *words.split()]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert re.search(CONTRADICTIONS[words], err)


# ---- the whole command ----


def json_of(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[dict, str]:
    assert main([*words, "--json"]) == 0
    out, err = capfd.readouterr()
    return json.loads(out), err


def test_a_series_with_a_gap_is_scored_with_a_warning_at_the_users_horizons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    times = text("%Y-%m-%d %H:%M")
    rows = [f"{t};{comma(v)}" for t, v in zip(times, VALUES, strict=True)]
    written(tmp_path / "s.csv", [*rows[:200], *rows[240:]], "time;power")
    assert main(["build", "--set", "N=20", "--out", "net.npz"]) == 0
    words = (
        "evaluate net.npz --device numpy --controls basic --data s.csv --column power "
        "--horizons 6,2 --unit MW"
    )
    capfd.readouterr()
    result, err = json_of(capfd, *words.split())
    assert "warning: 1 of 359 steps of the time column 'time' are not 1 h; the first is 41 h" in err
    assert result["warnings"][0].startswith("1 of 359 steps")
    assert {k for k in result["scores"] if "mse" in k} == {
        *("rmse_h2_mw", "nrmse_h2"),
        *("rmse_h6_mw", "nrmse_h6"),
    }
    assert "RMSE 6 steps ahead (MW)" in err


def test_a_network_trains_on_columns_of_the_users_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    times = text("%Y-%m-%d %H:%M")
    rows = [f"{t};{comma(v)};{comma(v / 2)}" for t, v in zip(times, VALUES, strict=True)]
    written(tmp_path / "s.csv", [*rows[:200], *rows[240:]], "time;power;half")
    assert main(["build", "--set", "N=20", "--out", "net.npz"]) == 0
    capfd.readouterr()
    seen = []

    def train_on(network, inputs, how, **told):
        seen.append([run.stimulus.shape for run in inputs])
        return Trained(network, {"operation": "train", "input": told["name"]})

    monkeypatch.setattr("hrsnn_brian.evaluation.train.train_on", train_on)
    words = "train net.npz --data s.csv --column power,half --device numpy --out t.npz"
    result, err = json_of(capfd, *words.split())
    with pytest.warns(UserWarning, match="the series is cut there"):
        task = own_series_task(tmp_path / "s.csv", "power,half")
    assert task.cuts == (200,)
    assert seen == [[(200, 2), (task.train_block.stop - 200, 2)]]
    assert result["input"] == "s:power+half"
    assert "warning: 1 of 359 steps" in err
    for option in ("--task wind --column x", "--task-set train=9 --data s.csv --column power"):
        assert main(f"train net.npz {option} --out u.npz".split()) == 2
        assert "file of your own" in capfd.readouterr().err
    assert not (tmp_path / "u.npz").exists()


def test_scores_without_an_nrmse_are_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A sensor that sticks one sample into the test block: not constant, but every target is."""
    monkeypatch.chdir(tmp_path)
    values = VALUES.copy()
    values[287:] = 5.1
    written(tmp_path / "s.csv", list(map(str, values)), "speed")
    assert main(["build", "--set", "N=20", "--out", "net.npz"]) == 0
    words = (
        "evaluate net.npz --device numpy --controls basic --data s.csv --column speed --stuck 0 "
        "--horizons 2,6 --out s.json"
    )
    capfd.readouterr()
    result, err = json_of(capfd, *words.split())
    note = "targets 2, 6 ahead are constant: no NRMSE"
    assert f"warning: {note}" in err
    for row in result["rows"]:
        assert (row["nrmse_h6"], row["nrmse_note"]) == (None, note)
        assert row["rmse_h6_speed"] >= 0
    assert json.loads((tmp_path / "s.json").read_text()) == result
