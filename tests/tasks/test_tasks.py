"""Chaotic series against known statistics and an independent integration; splits; bad input."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hrsnn_brian.errors import InputError
from hrsnn_brian.seeds import rng
from hrsnn_brian.tasks import ForecastTask, VptProtocol, get_task, list_tasks, own_series_task
from hrsnn_brian.tasks.chaotic import (
    LAMBDA_MAX,
    lorenz63_series,
    mackey_glass_series,
    rossler_series,
)
from hrsnn_brian.tasks.data import FILES, data_file
from hrsnn_brian.tasks.image_task import OPTIONS
from hrsnn_brian.tasks.narma import DIVERGED, narma10_series
from hrsnn_brian.tasks.series import google_series, read_series, wind_series

SHARED = Path(__file__).parents[3] / "shared" / "data"
DT = 0.02


@pytest.fixture(scope="module")
def lorenz() -> np.ndarray:
    return lorenz63_series(20_000, rng(5, "task", "test"), DT)


def _flow_map(start: np.ndarray, substeps: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """States after DT and the tangent maps of the Lorenz flow, for many states at once (RK4)."""

    def slope(s: np.ndarray, tangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y, z = s.T
        jacobian = np.zeros((len(s), 3, 3))
        jacobian[:, 0, 0], jacobian[:, 0, 1] = -10.0, 10.0
        jacobian[:, 1] = np.stack([28.0 - z, -np.ones_like(z), -x], axis=1)
        jacobian[:, 2] = np.stack([y, x, np.full_like(x, -8.0 / 3.0)], axis=1)
        flow = np.stack([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z], axis=1)
        return flow, jacobian @ tangent

    h = DT / substeps
    s, m = start.copy(), np.broadcast_to(np.eye(3), (len(start), 3, 3)).copy()
    for _ in range(substeps):
        s1, m1 = slope(s, m)
        s2, m2 = slope(s + h / 2 * s1, m + h / 2 * m1)
        s3, m3 = slope(s + h / 2 * s2, m + h / 2 * m2)
        s4, m4 = slope(s + h * s3, m + h * m3)
        s = s + h / 6 * (s1 + 2 * s2 + 2 * s3 + s4)
        m = m + h / 6 * (m1 + 2 * m2 + 2 * m3 + m4)
    return s, m


def test_lorenz_statistics_are_the_attractors(lorenz: np.ndarray) -> None:
    x, y, z = lorenz.T
    assert z.mean() == pytest.approx(23.55, abs=0.15)
    assert x.std() == pytest.approx(7.92, abs=0.15)
    # stationarity of x^2 and of z: <x x> = <x y> = beta <z>
    assert np.mean(x * x) == pytest.approx(np.mean(x * y), rel=0.01)
    assert np.mean(x * y) == pytest.approx(8.0 / 3.0 * z.mean(), rel=0.01)
    # symmetric under (x, y) -> (-x, -y): both wings visited alike
    assert abs(x.mean()) < 0.8
    assert abs(np.mean(x > 0) - 0.5) < 0.05
    assert 0 < z.min() < 5
    assert 45 < z.max() < 50


def test_lorenz_samples_follow_the_flow_and_its_exponents(lorenz: np.ndarray) -> None:
    after, tangent = _flow_map(lorenz[:-1])
    assert np.max(np.abs(after - lorenz[1:])) < 1e-6
    frame, growth = np.eye(3), np.zeros(3)
    for step in tangent:
        frame, r = np.linalg.qr(step @ frame)
        growth += np.log(np.abs(np.diag(r)))
    exponents = growth / (DT * len(tangent))
    assert exponents[0] == pytest.approx(LAMBDA_MAX["lorenz63"], abs=0.04)
    assert exponents[1] == pytest.approx(0.0, abs=0.03)
    assert exponents.sum() == pytest.approx(-(10.0 + 1.0 + 8.0 / 3.0), abs=1e-6)


def test_lorenz_depends_on_the_seed_alone() -> None:
    first = lorenz63_series(50, rng(1, "task", "lorenz63"))
    np.testing.assert_array_equal(first, lorenz63_series(50, rng(1, "task", "lorenz63")))
    assert np.max(np.abs(first - lorenz63_series(50, rng(2, "task", "lorenz63")))) > 1.0


def test_chaotic_series_are_the_same_on_every_machine() -> None:
    """IEEE 754 additions and products in a fixed order: the last bit of 40 Lyapunov times agrees.

    The hashes stand for themselves: another one means other series on this machine.
    """
    series = (
        (lorenz63_series(7800, rng(1, "task", "lorenz63")), "31eaca2823a64d8b"),
        (rossler_series(7800, rng(1, "task", "rossler")), "74faa981b93049dc"),
        (mackey_glass_series(7200, rng(1, "task", "mackey-glass")), "9590a3f8eba2f811"),
        (narma10_series(7200, 1), "9c44c33564c712ee"),
    )
    for values, digest in series:
        assert hashlib.sha256(values.astype("<f8").tobytes()).hexdigest()[:16] == digest


def test_lorenz_agrees_with_an_integration_of_high_order() -> None:
    """DOP853 from the same state, over two time units: 1.8 Lyapunov times."""
    path = lorenz63_series(101, rng(4, "task", "test"))

    def flow(_: float, s: np.ndarray) -> tuple[float, float, float]:
        return 10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]

    times = DT * np.arange(101)
    exact = solve_ivp(
        flow, (0, 2), path[0], method="DOP853", t_eval=times, rtol=1e-12, atol=1e-12
    ).y.T
    assert np.max(np.abs(path - exact)) < 1e-5


def test_rossler_agrees_with_an_integration_of_high_order_and_has_its_exponent() -> None:
    """DOP853 from the same state; the exponent by tangent vectors along the samples."""
    path = rossler_series(6001, rng(4, "task", "test"))

    def flow(_: float, s: np.ndarray) -> list[float]:
        x, y, z = s[:3]
        found = [-y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)]
        for p, q, r in s[3:].reshape(-1, 3):  # the linearised flow
            found += [-q - r, p + 0.2 * q, z * p + (x - 5.7) * r]
        return found

    def exact(start: np.ndarray, times: np.ndarray) -> np.ndarray:
        span = (0.0, float(times[-1]))
        return solve_ivp(flow, span, start, method="DOP853", t_eval=times, rtol=1e-10, atol=1e-11).y

    times = 0.2 * np.arange(101)
    assert np.max(np.abs(path[:101] - exact(path[0], times).T)) < 1e-5
    tangent, growth = np.array([1.0, 0.0, 0.0]), 0.0
    for start in path[:-1:50]:
        tangent = exact(np.append(start, tangent), np.array([10.0]))[3:, -1]
        growth += np.log(np.linalg.norm(tangent))
        tangent = tangent / np.linalg.norm(tangent)
    assert growth / 1200.0 == pytest.approx(LAMBDA_MAX["rossler"], abs=0.01)


def test_narma_obeys_its_recurrence_and_refuses_draws_that_run_away() -> None:
    u, y = narma10_series(2000, 3).T
    assert 0.0 <= u.min() < u.max() <= 0.5
    windows = np.lib.stride_tricks.sliding_window_view(y, 10)[:-1]  # y(t - 9), ..., y(t)
    here, late, now = y[9:-1], u[: len(windows)], u[9:-1]
    again = 0.3 * here + 0.05 * here * windows.sum(axis=1) + 1.5 * late * now + 0.1
    np.testing.assert_allclose(y[10:], again, rtol=1e-12)
    # the first draw of this seed runs away at sample 6000 or so; the second is what is given
    first = 0.5 * rng(6, "task", "narma10", 0).random(7400)
    second = 0.5 * rng(6, "task", "narma10", 1).random(7400)
    given = narma10_series(7200, 6)
    assert given[:, 1].max() < 1.2 < DIVERGED
    np.testing.assert_array_equal(given[:, 0], second[200:])
    assert not np.array_equal(given[:, 0], first[200:])
    with pytest.raises(InputError, match="n = 0: must be a whole number"):
        narma10_series(0, 1)


def test_narma_shows_the_input_alone_and_asks_for_the_output() -> None:
    task = get_task("narma10", 1, quick=True)
    assert (task.shown.shape[1], task.targets().shape[1]) == (1, 1)
    np.testing.assert_array_equal(task.shown[:, 0], task.z[:, 0])
    rows = task.train_rows
    np.testing.assert_array_equal(
        task.target(rows, 1)[:, 0], task.z[rows.start + 1 : rows.stop + 1, 1]
    )
    scores = task.baselines()
    assert "persistence" not in scores  # y is not shown
    nrmse = {
        name: next(s.value for s in row if s.name == "nrmse_h1") for name, row in scores.items()
    }
    # u(t) u(t - 9) is a product of delays; y needs its own past besides
    assert nrmse["NG-RC"] < 0.75 * nrmse["linear AR"] < nrmse["input only"] < 1.01


def test_training_noise_is_on_what_is_shown_before_the_test_block_alone() -> None:
    clean, noisy = (get_task("rossler-x", 1, quick=True, input_noise=x) for x in (0.0, 0.05))
    difference = (noisy.shown - clean.shown)[:, 0]
    np.testing.assert_array_equal(clean.shown, clean.z)
    assert difference[: noisy.test_block.start].std() == pytest.approx(0.05, rel=0.05)
    assert not difference[noisy.test_block].any()
    rows = noisy.train_rows
    np.testing.assert_allclose(noisy.now(rows) + noisy.target(rows, 1), clean.truth[201:3200])
    with pytest.raises(InputError, match="input_noise = -1"):
        get_task("rossler", 1, input_noise=-1)


@pytest.mark.parametrize("name", ["lorenz63-x", "rossler", "mackey-glass-84", "google", "wind"])
def test_every_series_can_be_predicted_at_several_horizons(name: str) -> None:
    task = get_task(name, 1, ["horizons=7,1"], quick=True)
    assert task.horizons == (1, 7)
    names = {score.name for score in task.fit({}).scores}
    assert {kind for kind in names if kind.startswith("nrmse_")} >= {"nrmse_h1", "nrmse_h7"}
    assert not get_task(name, 1, ["horizons=7"], quick=True).closed_loop
    if name != "mackey-glass-84":
        with pytest.raises(InputError, match="starts = 3: has no effect: without 1 among"):
            get_task(name, 1, horizons=[7], starts=3)


def test_the_development_task_ends_where_the_test_block_begins() -> None:
    """Its test block is the validation block; the free runs stay inside it."""
    task = get_task("lorenz63-x", 1)
    other = task.development()
    np.testing.assert_array_equal(other.series, task.series[: task.test_block.start])
    assert other.test_block == slice(task.test_block.start - task.validation, task.test_block.start)
    assert other.vpt is not None
    assert other.vpt.max_steps == task.validation // 2
    assert other.vpt.cap == pytest.approx(other.vpt.max_steps / other.vpt.steps_per_unit)


def test_mackey_glass_agrees_with_an_independent_finer_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Heun with linear history at a 40 times finer step, over 300 time units from the start."""
    monkeypatch.setattr("hrsnn_brian.tasks.chaotic.MACKEY_GLASS_TRANSIENT", 0)
    series = mackey_glass_series(301, np.random.default_rng(3))
    per_unit, delay = 400, 17 * 400
    x = np.empty(delay + 300 * per_unit + 1)
    x[: delay + 1] = series[0]  # a constant history up to t = 0
    h = 1.0 / per_unit
    for k in range(300 * per_unit):
        feed, feed_next = (0.2 * v / (1.0 + v**10) for v in (float(x[k]), float(x[k + 1])))
        here = float(x[delay + k])
        slope = feed - 0.1 * here
        ahead = here + h * slope
        x[delay + k + 1] = here + 0.5 * h * (slope + feed_next - 0.1 * ahead)
    assert 1.1 < series[0] < 1.3
    assert np.max(np.abs(series - x[delay::per_unit])) < 1e-6


def test_mackey_glass_has_its_known_range_and_moments() -> None:
    series = mackey_glass_series(8000, rng(1, "task", "test"))
    assert 0.38 < series.min() < 0.45
    assert 1.30 < series.max() < 1.34
    # stationarity: gamma <x> = beta <x/(1 + x^10)>
    assert 0.1 * series.mean() == pytest.approx(np.mean(0.2 * series / (1 + series**10)), rel=0.01)
    assert series.mean() == pytest.approx(0.93, abs=0.005)


def test_mackey_glass_without_feedback_decays_as_its_leak() -> None:
    """beta = 0 leaves dx/dt = -gamma x."""
    series = mackey_glass_series(50, np.random.default_rng(0), beta=0.0)
    np.testing.assert_allclose(series[1:] / series[:-1], np.exp(-0.1), rtol=1e-8)


def test_shipped_series_are_the_sources() -> None:
    google, wind = google_series(), wind_series()
    assert google.shape == (2148,)
    assert wind.shape == (4038,)
    assert (google[0], google[-1]) == (100.335, 806.19)
    assert 0.0 <= wind.min() < wind.max() < 30.0
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here: only lengths and ends were checked")
    with (SHARED / "goog_daily_2004_2013.csv").open() as file:
        np.testing.assert_array_equal(google, [float(r["close"]) for r in csv.DictReader(file)])
    with np.load(SHARED / "wind_la_haute_borne_hourly.npz", allow_pickle=False) as source:
        column = list(source["turbine"]).index("R80711")
        np.testing.assert_allclose(wind, source["wind_speed"][:4038, column], rtol=5.1e-5)


@pytest.mark.parametrize("name", FILES)
def test_every_shipped_series_has_its_licence(name: str) -> None:
    text = data_file(name).with_name(f"LICENCE-{name}.txt").read_text()
    assert f"{FILES[name]} -" in text
    assert "icence" in text


@pytest.mark.parametrize("name", [name for name in list_tasks() if name not in OPTIONS])
def test_blocks_are_chronological_and_do_not_overlap(name: str) -> None:
    task = get_task(name, 1, quick=True)
    longest = max(task.horizons)
    assert task.train_block.stop == task.test_block.start
    assert task.washout + task.train + task.test == task.n_samples
    # the last target of the training rows is the last sample of the training block
    assert task.train_rows.stop - 1 + longest == task.train_block.stop - 1
    assert task.test_rows.start == task.test_block.start
    assert task.test_rows.stop - 1 + longest == task.n_samples - 1
    for horizon in task.horizons:
        target = task.target(task.test_rows, horizon)
        ahead = task.truth[task.test_rows.start + horizon : task.test_rows.stop + horizon]
        np.testing.assert_allclose(task.now(task.test_rows) + target, ahead, atol=1e-12)


def test_z_score_uses_the_training_block_alone() -> None:
    task = get_task("wind", 1)
    inside = task.z[task.train_block]
    np.testing.assert_allclose(inside.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(inside.std(axis=0), 1.0, rtol=1e-12)
    changed = np.array(task.series)
    changed[task.test_block] += 100.0
    other = ForecastTask(**{**_fields(task), "series": changed})
    np.testing.assert_array_equal(other.z[task.train_block], inside)
    np.testing.assert_allclose(task.in_units(task.z), task.series, atol=1e-12)


def _fields(task: ForecastTask) -> dict[str, object]:
    return {name: getattr(task, name) for name in ForecastTask.__dataclass_fields__}


def test_the_paper_protocol_of_lorenz() -> None:
    task = get_task("lorenz63-x", 2)
    assert (task.washout, task.train, task.n_variables) == (200, 4000, 1)
    assert task.vpt is not None
    assert task.vpt.starts >= 20
    assert task.test - task.vpt.max_steps >= 3000
    assert task.vpt.steps_per_unit * 0.9056 * 0.02 == pytest.approx(1.0)
    assert task.vpt.max_steps >= 10 * task.vpt.steps_per_unit > task.vpt.max_steps - 1
    full = get_task("lorenz63", 2)
    np.testing.assert_array_equal(full.series[:, :1], task.series)


def test_own_series_follows_the_protocol_of_wind(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("t,speed\n" + "".join(f"{k},{v}\n" for k, v in enumerate(wind_series())))
    own, wind = own_series_task(path, "speed"), get_task("wind", 0)
    np.testing.assert_array_equal(own.z, wind.z)
    assert own.protocol() | {"name": 0, "unit": 0, "step": 0, "vpt": 0} == wind.protocol() | {
        "name": 0,
        "unit": 0,
        "step": 0,
        "vpt": 0,
    }


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'lorenz63'"):
        get_task("lorentz63", 1)
    with pytest.raises(InputError, match="did you mean 'quick'"):
        get_task("wind", 1, quik=True)


def _csv(tmp_path: Path, cells: list[str], header: str = "t,price") -> Path:
    path = tmp_path / "series.csv"
    path.write_text(header + "\n" + "".join(f"{k},{c}\n" for k, c in enumerate(cells)))
    return path


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        (["1"] * 7 + ["nan"] * 300, "price", "is constant"),
        (["nan"] * 400, "price", "0 rows are left of 400, .*no value in 400 rows, .* line 2"),
        (["1"] * 3 + ["inf"] + ["2"] * 400, "price", "line 5 holds 'inf'"),
        (["1"] * 3 + ["broken"] + ["2"] * 400, "price", "line 5 holds 'broken'"),
        (["1", "2"] * 140 + [""] + ["1", "2"] * 9, "price", "299 rows, at least 300"),
        ([*["1", "2"] * 15, ""] * 20, "price", "segments that are long enough 0 rows are left"),
        (["1", "2"] * 400, "prise", "did you mean 'price'"),
        (["4.5"] * 400, "price", "is constant"),
        (["1", "2"] * 20, "price", "40 rows, at least 300"),
    ],
)
def test_bad_series_are_refused(
    tmp_path: Path, cells: list[str], column: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        own_series_task(_csv(tmp_path, cells), column)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_series(tmp_path / "none.csv", "x")
    with pytest.raises(InputError, match="cannot be read"):
        read_series(tmp_path, "x")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="UTF-8 text"):
        read_series(binary, "x")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(InputError, match="column names"):
        read_series(empty, "x")


def test_a_byte_order_mark_and_spaces_do_not_hide_a_column(tmp_path: Path) -> None:
    path = tmp_path / "bom.csv"
    path.write_text("\ufeffspeed , t\r\n" + " 1.5,0\r\n2,1\r\n" * 200, encoding="utf-8")
    assert read_series(path, "speed").values[:2].tolist() == [[1.5], [2.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": 99}, "add up"),
        ({"validation": 600}, "validation"),
        ({"horizons": ()}, "horizons"),
        ({"horizons": (2,)}, "needs horizon 1"),
        ({"series": np.zeros((1000, 1))}, "constant over the training block"),
        ({"outputs": (1,)}, r"outputs = \[1\]: must be different numbers of variables from 0 to 0"),
        ({"cuts": (0,)}, "cuts = .*rise between 1 and 999"),
        ({"cuts": (500, 400)}, "cuts = .*rise between"),
        ({"cuts": tuple(range(40, 1000, 40))}, "cuts = .*leave 0 rows to train"),
        ({"cuts": tuple(range(640, 1000, 60))}, "starts = 5: .*room for 0 free runs"),
        ({"vpt": VptProtocol(5, 10, 500, 0.4, 1.0, "h", 5.0)}, "max_steps"),
    ],
)
def test_inconsistent_tasks_are_refused(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {
        "name": "t",
        "description": "",
        "unit": "1",
        "step": "1",
        "series": np.sin(np.arange(1000.0))[:, None],
        "horizons": (1,),
        "washout": 50,
        "train": 600,
        "validation": 100,
        "test": 350,
        "predict_increment": True,
        "vpt": VptProtocol(5, 10, 50, 0.4, 1.0, "h", 50.0),
    }
    ForecastTask(**fields)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        ForecastTask(**(fields | change))  # type: ignore[arg-type]
