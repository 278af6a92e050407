"""Ridge against its normal equations; no leak from the test block; baselines that must recover."""

from collections.abc import Iterable

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import Score
from hrsnn_brian.readout.ridge import ALPHAS, fit_ridge
from hrsnn_brian.tasks import ForecastTask, VptProtocol, get_task
from hrsnn_brian.tasks.baselines import AR_ORDERS, baseline_scores
from hrsnn_brian.tasks.closed_loop import (
    closed_loop_schedule,
    closed_loop_scores,
    valid_prediction_times,
)
from hrsnn_brian.tasks.delays import DelayModel, Delays, fit_delays
from hrsnn_brian.tasks.forecast import fit_forecast


def _regression(
    n: int = 400, m: int = 2, seed: int = 0
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    generator = np.random.default_rng(seed)
    blocks = {
        "u": 3.0 + generator.normal(size=(n, 2)),
        "trace": 40.0 * generator.gamma(2.0, size=(n, 30)) * generator.random(30),
        "v": -70.0 + generator.normal(size=(n, 10)),
    }
    x = np.hstack(list(blocks.values()))
    targets = x @ generator.normal(size=(42, m)) * 0.1 + 5.0 + generator.normal(size=(n, m))
    return blocks, targets


def _penalised_residual(
    blocks: dict[str, np.ndarray], weights: dict[str, np.ndarray], y: np.ndarray, alpha: float
) -> dict[str, np.ndarray]:
    """Gradient of |y - b - Xw|^2 / n + alpha sum of scale^2 |w|^2: zero at the optimum."""
    centred = {k: x - x.mean(axis=0) for k, x in blocks.items()}
    residual = y - y.mean(axis=0) - sum(centred[k] @ weights[k] for k in blocks)
    return {
        k: centred[k].T @ residual / len(y) - alpha * x.var(axis=0).mean() * weights[k]
        for k, x in blocks.items()
    }


def test_ridge_solves_the_normal_equations_in_raw_units() -> None:
    blocks, y = _regression()
    readout = fit_ridge(blocks, y, 100)
    for k in range(y.shape[1]):
        weights = {name: w[:, [k]] for name, w in readout.coefficients.items()}
        gradient = _penalised_residual(blocks, weights, y[:, [k]], readout.alpha[k])
        for name, value in gradient.items():
            assert np.max(np.abs(value)) < 1e-9 * np.abs(blocks[name]).max()
    # the free intercept makes the training residuals sum to zero
    np.testing.assert_allclose(readout.predict(blocks).mean(axis=0), y.mean(axis=0))


def test_ridge_equals_augmented_least_squares_and_picks_the_best_penalty() -> None:
    """Independent route: lstsq with rows sqrt(alpha n) I, and a loop over the validation block."""
    blocks, y = _regression(seed=3)
    n, held = len(y), 120
    scale = np.concatenate(
        [np.full(x.shape[1], np.sqrt(x.var(axis=0).mean())) for x in blocks.values()]
    )
    x = np.hstack(list(blocks.values())) / scale

    def fit(x: np.ndarray, y: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        augmented = np.vstack([x - x.mean(axis=0), np.sqrt(alpha * len(x)) * np.eye(x.shape[1])])
        wanted = np.vstack([y - y.mean(axis=0), np.zeros((x.shape[1], y.shape[1]))])
        w = np.linalg.lstsq(augmented, wanted, rcond=None)[0]
        return w, y.mean(axis=0) - x.mean(axis=0) @ w

    errors = []
    for alpha in ALPHAS:
        w, b = fit(x[: n - held], y[: n - held], alpha)
        errors.append(np.mean((x[n - held :] @ w + b - y[n - held :]) ** 2, axis=0))
    readout = fit_ridge(blocks, y, held)
    np.testing.assert_array_equal(readout.alpha, np.array(ALPHAS)[np.argmin(errors, axis=0)])
    np.testing.assert_allclose(readout.validation_rmse, np.sqrt(np.min(errors, axis=0)))
    for k in range(y.shape[1]):
        w, b = fit(x, y[:, [k]], readout.alpha[k])
        raw = np.vstack(list(readout.coefficients.values()))[:, [k]]
        np.testing.assert_allclose(raw, w / scale[:, None], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(readout.intercept[k], b[0], rtol=1e-8)


def test_ridge_does_not_care_about_a_blocks_unit_or_offset() -> None:
    blocks, y = _regression(seed=1)
    readout = fit_ridge(blocks, y, 100)
    changed = blocks | {"v": 1e-3 * blocks["v"] + 0.5}
    np.testing.assert_allclose(
        fit_ridge(changed, y, 100).predict(changed), readout.predict(blocks), rtol=1e-8
    )


def test_silent_neurons_get_small_coefficients() -> None:
    """A feature with one tiny blip is not blown up to unit variance."""
    blocks, y = _regression(seed=2)
    blocks["trace"][:, 0] = 0.0
    blocks["trace"][7, 0] = 1e-6
    blocks["dead"] = np.zeros((len(y), 4))
    readout = fit_ridge(blocks, y, 100)
    assert np.max(np.abs(readout.coefficients["trace"][0])) * 1e-6 < 1e-6
    np.testing.assert_array_equal(readout.coefficients["dead"], 0.0)


def test_several_targets_are_fitted_as_if_alone() -> None:
    blocks, y = _regression(m=3)
    together = fit_ridge(blocks, y, 100)
    for k in range(3):
        alone, part = fit_ridge(blocks, y[:, [k]], 100), together.select(slice(k, k + 1))
        np.testing.assert_array_equal(alone.alpha, part.alpha)
        np.testing.assert_allclose(alone.predict(blocks), part.predict(blocks), rtol=1e-9)


def test_more_features_than_rows_stays_finite() -> None:
    generator = np.random.default_rng(0)
    blocks = {"a": generator.normal(size=(60, 200))}
    y = blocks["a"][:, :1] * 2.0
    readout = fit_ridge(blocks, y, 20)
    assert np.isfinite(readout.predict(blocks)).all()


def test_the_grid_reaches_far_and_its_edges_are_flagged() -> None:
    assert min(ALPHAS) < 1e-7 < max(ALPHAS)
    generator = np.random.default_rng(1)
    x = generator.normal(size=(300, 5))
    exact = fit_ridge({"x": x}, x @ np.ones((5, 1)), 100)
    assert exact.at_edge.all()
    assert exact.alpha[0] == min(ALPHAS)
    noise = fit_ridge({"x": x}, generator.normal(size=(300, 1)), 100)
    assert noise.alpha[0] == max(ALPHAS)
    assert not noise.at_edge.any()  # the largest is no accident: noise is best met by a constant
    many = generator.normal(size=(300, 150))
    noisy = many @ generator.normal(size=(150, 1)) + 12.0 * generator.normal(size=(300, 1))
    assert not fit_ridge({"x": many}, noisy, 100).at_edge.any()


@pytest.mark.parametrize(
    ("change", "n_validation", "message"),
    [
        ({"u": np.ones((399, 2))}, 100, "block u"),
        ({"u": np.full((400, 2), np.nan)}, 100, "finite"),
        ({}, 399, "n_validation"),
        ({}, 0, "n_validation"),
    ],
)
def test_bad_fits_are_refused(
    change: dict[str, np.ndarray], n_validation: int, message: str
) -> None:
    blocks, y = _regression()
    with pytest.raises(InputError, match=message):
        fit_ridge(blocks | change, y, n_validation)


def _task(series: np.ndarray, **changes: object) -> ForecastTask:
    n = len(series)
    fields: dict[str, object] = {
        "name": "test",
        "description": "",
        "unit": "1",
        "step": "1",
        "series": series.reshape(n, -1),
        "horizons": (1, 4),
        "washout": 100,
        "train": n // 2,
        "validation": n // 10,
        "test": n - n // 2 - 100,
        "predict_increment": True,
        "vpt": VptProtocol(7, 40, 60, 0.4, 5.0, "periods", 12.0),
    }
    return ForecastTask(**(fields | changes))  # type: ignore[arg-type]


def plain(scores: Iterable[Score]) -> dict[str, object]:
    return {score.name: score.value for score in scores}


def _states(task: ForecastTask, seed: int = 0) -> dict[str, np.ndarray]:
    """Random nonlinear features of the recent past, a stand-in for a network."""
    generator = np.random.default_rng(seed)
    past = np.hstack([np.roll(task.z, k, axis=0) for k in range(4)])
    return {"trace": np.tanh(past @ generator.normal(size=(past.shape[1], 40)))}


def test_nothing_is_fitted_to_the_test_block() -> None:
    series = np.array(get_task("wind", 0).series)
    task = _task(series)
    changed = series.copy()
    changed[task.test_block] = np.random.default_rng(1).normal(20.0, 9.0, size=(task.test, 1))
    other = _task(changed)
    states = _states(task)
    altered = {"trace": states["trace"].copy()}
    altered["trace"][task.test_block] = 3.0
    first, second = fit_forecast(task, states), fit_forecast(other, altered)
    np.testing.assert_array_equal(first.readout.alpha, second.readout.alpha)
    np.testing.assert_array_equal(first.readout.intercept, second.readout.intercept)
    for name, weights in first.readout.coefficients.items():
        np.testing.assert_array_equal(weights, second.readout.coefficients[name])
    assert plain(first.scores)["rmse_h1"] != plain(second.scores)["rmse_h1"]
    one, two = _linear_ar(task), _linear_ar(other)
    assert one.delays == two.delays
    for h in task.horizons:
        np.testing.assert_array_equal(one.readouts[h].intercept, two.readouts[h].intercept)


def _linear_ar(task: ForecastTask, orders: tuple[int, ...] = AR_ORDERS) -> DelayModel:
    return fit_delays(task, [Delays(order) for order in orders])


@pytest.mark.parametrize("increment", [True, False])
def test_a_perfect_state_gives_perfect_forecasts_in_data_units(increment: bool) -> None:
    generator = np.random.default_rng(0)
    task = _task(200.0 + 30.0 * generator.normal(size=(2000, 2)), predict_increment=increment)
    future = {f"f{h}": np.roll(task.series, -h, axis=0) for h in task.horizons}
    forecast = fit_forecast(task, future)
    for h in task.horizons:
        rows = task.test_rows
        truth = task.series[rows.start + h : rows.stop + h]
        np.testing.assert_allclose(forecast.predictions[h], truth, atol=1e-4)
        assert float(plain(forecast.scores)[f"nrmse_h{h}"]) < 1e-5


def test_readouts_fitted_together_are_those_of_each_alone() -> None:
    task = _task(np.array(get_task("wind", 0).series))
    states = _states(task) | {"v": _states(task, 1)["trace"]}
    together = task.fits(states, [("trace",), ("trace", "v"), ()])
    alone = [task.fit({n: states[n] for n in names}) for names in (("trace",), ("trace", "v"), ())]
    for found, expected in zip(together, alone, strict=True):
        assert found.weights.keys() == expected.weights.keys()
        for name, weights in expected.weights.items():
            np.testing.assert_allclose(found.weights[name], weights, rtol=1e-6, atol=1e-12)
        assert plain(found.scores) == pytest.approx(plain(expected.scores), rel=1e-9)


def test_states_must_fit_the_task() -> None:
    task = _task(np.random.default_rng(0).normal(size=1000))
    with pytest.raises(InputError, match="must have 1000 rows"):
        fit_forecast(task, {"trace": np.zeros((999, 3))})
    with pytest.raises(InputError, match="input's own block"):
        fit_forecast(task, {"u": np.zeros((1000, 3))})


@pytest.fixture
def small_ngrc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few delays, where it is not NG-RC that is asked about."""
    few = (Delays(2, quadratic=True),)
    monkeypatch.setattr("hrsnn_brian.tasks.baselines.NGRC_DELAYS", few)


@pytest.mark.usefixtures("small_ngrc")
def test_ar_recovers_a_second_order_process() -> None:
    """x(t) = 1.5 x(t-1) - 0.7 x(t-2) + noise: coefficients, order and irreducible error."""
    generator = np.random.default_rng(2)
    noise = generator.normal(size=20_000)
    x = np.zeros(20_000)
    for t in range(2, len(x)):
        x[t] = 1.5 * x[t - 1] - 0.7 * x[t - 2] + noise[t]
    task = _task(x, predict_increment=False, vpt=None, horizons=(1, 2))
    ar = _linear_ar(task, orders=(1, 2))
    assert ar.delays[1] == Delays(2)
    weights = ar.readouts[1].coefficients["lags"][:, 0]
    np.testing.assert_allclose(weights, [1.5, -0.7], atol=0.03)
    # two steps ahead: 1.5 (1.5 a - 0.7 b) - 0.7 a
    two = ar.readouts[2].coefficients["lags"][:, 0]
    np.testing.assert_allclose(two, [1.5**2 - 0.7, -1.5 * 0.7], atol=0.05)
    scores = plain(baseline_scores(task)["linear AR"])
    assert float(scores["rmse_h1"]) == pytest.approx(1.0, rel=0.03)
    assert float(scores["rmse_h2"]) == pytest.approx(np.sqrt(1 + 1.5**2), rel=0.04)


@pytest.mark.usefixtures("small_ngrc")
def test_persistence_of_a_random_walk_grows_as_the_root_of_the_horizon() -> None:
    walk = np.cumsum(np.random.default_rng(3).normal(scale=2.0, size=20_000))
    task = _task(walk, horizons=(1, 4, 16), vpt=None)
    rows = {name: plain(scores) for name, scores in baseline_scores(task).items()}
    for h in task.horizons:
        expected = 2.0 * np.sqrt(h)
        assert float(rows["persistence"][f"rmse_h{h}"]) == pytest.approx(expected, rel=0.06)
        # nothing beats it, and the linear model must not lose by more than its fit's noise
        assert float(rows["linear AR"][f"rmse_h{h}"]) == pytest.approx(expected, rel=0.08)


@pytest.mark.usefixtures("small_ngrc")
def test_ar_runs_freely_through_a_sine_and_persistence_does_not() -> None:
    """A sine obeys x(t+1) = 2 cos(w) x(t) - x(t-1) exactly: the free run never leaves it."""
    t = np.arange(2000.0)
    for increment in (True, False):
        task = _task(5.0 + 3.0 * np.sin(0.3 * t), predict_increment=increment)
        rows = {name: plain(scores) for name, scores in baseline_scores(task).items()}
        assert rows["linear AR"]["vpt_periods"] == 12.0  # 60 steps, 5 per unit: the cap
        assert rows["linear AR"]["vpt_capped_fraction"] == 1.0
        assert float(rows["persistence"]["vpt_periods"]) < 2.0
        assert rows["linear AR"].keys() >= rows["persistence"].keys()


def test_ngrc_is_exact_where_the_law_is_quadratic() -> None:
    """Logistic and Henon map: one and two delays, squares among the products."""
    logistic, henon = np.empty(1500), np.empty(1500)
    logistic[0], henon[:2] = 0.3, 0.1
    for t in range(1499):
        logistic[t + 1] = 3.9 * logistic[t] * (1 - logistic[t])
        if t:
            henon[t + 1] = 1.0 - 1.4 * henon[t] ** 2 + 0.3 * henon[t - 1]
    for series, taps in ((logistic, 1), (henon, 2)):
        task = _task(series, horizons=(1,), vpt=None)
        exact = fit_delays(task, [Delays(taps, quadratic=True)])
        linear = fit_delays(task, [Delays(taps)])
        truth = series[task.test_rows.start + 1 : task.test_rows.stop + 1, None]
        error = np.abs(exact.forecast(task)[1] - truth).max()
        assert error < 1e-8  # of the smallest penalty of the grid
        assert np.abs(linear.forecast(task)[1] - truth).max() > 0.1
        # fed its own predictions it is the map, too
        known = task.truth[None, 600:640]
        step = task.in_units(exact.next_sample(known))
        assert step[0, 0] == pytest.approx(series[640], abs=1e-8)


def test_ngrc_runs_freely_and_nothing_overflows(monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(Delays(taps, quadratic=True) for taps in (2, 4))
    monkeypatch.setattr("hrsnn_brian.tasks.baselines.NGRC_DELAYS", few)
    task = get_task("lorenz63", 1, quick=True)
    rows = {name: plain(scores) for name, scores in baseline_scores(task).items()}
    assert float(rows["NG-RC"]["vpt_lyapunov_times"]) > 4.0
    assert float(rows["linear AR"]["vpt_lyapunov_times"]) < 0.5
    assert rows["NG-RC"]["taps_free"] in (2, 4)
    with np.errstate(all="raise"):  # without noise in training it runs away within a few samples
        baseline_scores(get_task("rossler-x", 1, quick=True, input_noise=0.0, starts=2))


def test_products_are_those_of_every_two_delays() -> None:
    z = np.arange(1.0, 13.0).reshape(6, 2)
    blocks = Delays(2, 3, quadratic=True).of_rows(z, slice(4, 5))
    np.testing.assert_array_equal(blocks["lags"], [[9, 10, 3, 4]])
    products = [81, 90, 27, 36, 100, 30, 40, 9, 12, 16]
    np.testing.assert_array_equal(blocks["products"], [products])
    recent = Delays(2, 3, quadratic=True).of_recent(z[None, :5])
    for name, block in blocks.items():
        np.testing.assert_array_equal(recent[name], block)
    assert Delays(2, 3, quadratic=True).n_features(2) == 14


def test_lags_put_the_newest_sample_first() -> None:
    z = np.arange(20.0).reshape(10, 2)
    np.testing.assert_array_equal(
        Delays(3).of_rows(z, slice(4, 6))["lags"], [[8, 9, 6, 7, 4, 5], [10, 11, 8, 9, 6, 7]]
    )


def test_schedule_segments_show_the_truth_then_run_free() -> None:
    task = _task(np.random.default_rng(0).normal(size=(1500, 2)))
    schedule = closed_loop_schedule(task)
    assert schedule.teacher.shape == (7 * 100, 2)
    assert schedule.free.sum() == 7 * 60
    assert schedule.starts[0] == task.test_block.start
    assert schedule.starts[-1] + 60 == task.n_samples
    assert np.ptp(np.diff(schedule.starts)) <= 1
    for k, start in enumerate(schedule.starts):
        segment = slice(100 * k, 100 * (k + 1))
        np.testing.assert_array_equal(schedule.free[segment], np.arange(100) >= 40)
        np.testing.assert_array_equal(schedule.teacher[segment][:40], task.z[start - 40 : start])
        assert not schedule.teacher[segment][40:].any()  # no future is handed over


def test_closed_loop_scores_of_known_runs() -> None:
    task = _task(np.random.default_rng(0).normal(size=1500))
    schedule = closed_loop_schedule(task)
    run = schedule.teacher.copy()
    for k, start in enumerate(schedule.starts):
        free = slice(100 * k + 40, 100 * (k + 1))
        run[free] = task.z[start : start + 60]
        run[free][5 * k :] += 1.0  # valid for 5 k of 60 steps, that is k units of 5 steps
    np.testing.assert_array_equal(valid_prediction_times(task, schedule, run), np.arange(7.0))
    found = closed_loop_scores(task, schedule, run)
    scores = plain(found)
    assert scores["vpt_periods"] == 3.0
    assert scores["vpt_median_periods"] == 3.0
    assert float(scores["vpt_sem_periods"]) == pytest.approx(
        np.std(np.arange(7), ddof=1) / np.sqrt(7)
    )
    assert scores["vpt_capped_fraction"] == 0.0
    assert {score.unit for score in found[:3]} == {"periods"}
    assert [score.name for score in found if score.primary] == ["vpt_periods"]


def test_the_readout_for_the_closed_loop_iterates_to_the_one_step_forecast() -> None:
    """The formula in `Schedule` is the one-step readout; it is shrunk at least as much."""
    task = _task(np.array(get_task("wind", 0).series))
    states = _states(task)
    forecast = fit_forecast(task, states)
    assert forecast.one_step is not None
    row = task.test_rows.start + 17
    weights = forecast.one_step.coefficients
    u = task.z[row]
    step = forecast.one_step.intercept + u @ weights["u"] + states["trace"][row] @ weights["trace"]
    seen = {"u": task.z[[row]], "trace": states["trace"][[row]]}
    np.testing.assert_allclose(step, forecast.one_step.predict(seen)[0])
    assert forecast.one_step.alpha >= forecast.readout.alpha[0]


def test_tasks_without_a_closed_loop_say_so() -> None:
    task = get_task("mackey-glass-84", 1, quick=True)
    assert fit_forecast(task, {}).one_step is None
    with pytest.raises(InputError, match="has no closed loop"):
        closed_loop_schedule(task)
