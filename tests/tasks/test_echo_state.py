"""The echo-state rival against a re-derived update; its search sees the validation block alone."""

from dataclasses import replace

import numpy as np
import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.rivals import rival_rows
from hrsnn_brian.files.columns import IDENTITY
from hrsnn_brian.readout.held_out import ALPHAS, noiseless
from hrsnn_brian.tasks import ForecastTask, VptProtocol, get_task
from hrsnn_brian.tasks.echo_state import (
    STATES,
    EchoStateParams,
    echo_state_scores,
    make_reservoir,
    run_freely,
    settings_of,
    tuned,
)
from hrsnn_brian.tasks.forecast import fit_forecast

pytest.importorskip("reservoirpy", reason="the extra 'rivals' is not installed")

SMALL = EchoStateParams(units=30, leak=0.4, connectivity=0.3, spectral_radius=0.8)


def tiny(**changes: object) -> ForecastTask:
    """A sine with a harmonic, 900 samples, with short free runs."""
    t = np.arange(900.0)
    fields: dict[str, object] = {
        "name": "tiny",
        "description": "",
        "unit": "1",
        "step": "1",
        "series": (np.sin(t / 5) + 0.5 * np.sin(t / 3))[:, None],
        "horizons": (1,),
        "washout": 50,
        "train": 600,
        "validation": 150,
        "test": 250,
        "predict_increment": True,
        "vpt": VptProtocol(4, 30, 40, 0.4, 10.0, "units", 4.0),
    }
    return ForecastTask(**(fields | changes))  # type: ignore[arg-type]


def rederived(params: EchoStateParams, inputs: np.ndarray, seed: int) -> np.ndarray:
    """x <- (1 - a) x + a tanh(W x + W_in u + b), from the arrays of the reservoir."""
    reservoir = make_reservoir(params, inputs.shape[1], seed)
    W, W_in = reservoir.W.toarray(), np.asarray(reservoir.Win)
    x, states = np.zeros(params.units), []
    for u in inputs:
        x = (1 - params.leak) * x + params.leak * np.tanh(W @ x + W_in @ u + reservoir.bias)
        states.append(x)
    return np.array(states)


def test_states_scores_and_free_runs_are_those_of_the_formula() -> None:
    task = tiny()
    states = rederived(SMALL, task.shown, 5)
    reservoir = make_reservoir(SMALL, 1, 5)
    np.testing.assert_allclose(reservoir.run(task.shown), states, atol=1e-12)
    fitted = fit_forecast(task, {STATES: states}, noiseless(31))
    found, weights = echo_state_scores(task, SMALL, 5)
    W = reservoir.W.toarray()
    assert weights == np.count_nonzero(W) + 30
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(0.8, rel=0.02)
    assert np.abs(reservoir.Win).max() <= 0.5
    assert np.abs(reservoir.bias).max() <= 0.2
    for one, other in zip(found, fitted.scores, strict=False):
        assert one.name == other.name
        assert one.value == pytest.approx(other.value, rel=1e-5)

    # the free run, step by step: shown is what the readout makes of the state before
    assert fitted.closed_loop is not None
    loop = fitted.closed_loop
    reservoir.reset()
    shown = run_freely(reservoir, loop)
    np.testing.assert_array_equal(shown[~loop.free], loop.teacher[~loop.free])
    again = rederived(SMALL, shown, 5)
    k = np.flatnonzero(loop.free)
    weight = loop.readout.from_states[STATES]
    expected = loop.readout.intercept + shown[k - 1] @ loop.readout.from_u + again[k - 1] @ weight
    np.testing.assert_allclose(shown[k], expected, atol=1e-9)
    (vpt,) = (score for score in found if score.primary)
    assert vpt.name == "vpt_units"
    assert vpt.value > 2.0  # a sine is easy


def test_a_reset_puts_the_reservoir_back() -> None:
    task = tiny(cuts=(400,), vpt=None)
    whole = rederived(SMALL, task.shown[:400], 5), rederived(SMALL, task.shown[400:], 5)
    expected = fit_forecast(task, {STATES: np.concatenate(whole)}, noiseless(31)).scores
    found, _ = echo_state_scores(task, SMALL, 5)
    assert found[1].value == pytest.approx(expected[1].value, rel=1e-5)


def test_a_search_is_deterministic_and_blind_to_the_test_block() -> None:
    task = tiny()
    changed = task.series.copy()
    changed[task.test_block] = np.random.default_rng(0).normal(size=(250, 1))
    first, again = (tuned(task, 20, 8, seed=3) for _ in range(2))
    blind = tuned(replace(task, series=changed), 20, 8, seed=3)
    assert first.scores == again.scores
    assert settings_of(first.params) == settings_of(again.params) == settings_of(blind.params)
    assert first.objective == blind.objective
    assert first.scores != blind.scores
    assert settings_of(tuned(task, 20, 8, seed=4).params) != settings_of(first.params)


def test_more_trials_are_no_worse_on_the_validation_block() -> None:
    task = get_task("mackey-glass-84", 1, quick=True)
    asked: list[tuple[int, int]] = []
    few = tuned(task, 40, 1, seed=1)
    many = tuned(task, 40, 4, 1, lambda done, trials: asked.append((done, trials)))
    assert many.objective >= few.objective
    assert asked == [(k + 1, 4) for k in range(4)]
    nrmse = {score.name: score.value for score in many.scores}["nrmse_h84"]
    assert nrmse < 0.6  # input alone: 0.93


def test_the_row_of_a_rival_has_its_cost_and_settings() -> None:
    (row,) = rival_rows(tiny(), 20, seed=3, trials=2)
    assert list(row)[: len(IDENTITY)] == list(IDENTITY)
    assert (row["network"], row["neurons"], row["readout"]) == ("ESN", 20, STATES)
    assert row["multiply_adds"].value == row["synapses"] + 40
    assert row["trials"].value == 2
    assert {"vpt_units", "nrmse_h1", "esn_leak", "esn_spectral_radius"} <= set(row)


def test_what_cannot_be_a_rival_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"units = 0: must be a whole number >= 1"):
        tuned(tiny(), 0)
    with pytest.raises(InputError, match="trials = 0: must be at least 1"):
        tuned(tiny(), 10, 0)
    with pytest.raises(InputError, match="no series"):
        tuned(type("Other", (), {"name": "x"})(), 10)  # type: ignore[arg-type]
    monkeypatch.setattr("hrsnn_brian.tasks.echo_state.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed: pip install 'hrsnn-brian\[rivals\]'"):
        tuned(tiny(), 10)


def test_evaluate_prints_the_rival_beside_the_network(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "n.npz", "--task", "wind", "--trials", "2"]) == 2
    assert "--trials = 2: has no effect without --rivals" in capfd.readouterr().err
    assert main(["build", "--set", "N=20", "--out", "net.npz"]) == 0
    (tmp_path / "own.csv").write_text("\n".join(["x", *map(str, np.sin(np.arange(400) / 5))]))
    words = (
        "evaluate net.npz --device numpy --controls basic --data own.csv --column x --horizons 6 "
        "--out s.csv"
    )
    capfd.readouterr()
    assert main([*words.split(), "--rivals", "esn", "--trials", "2"]) == 0
    out, err = capfd.readouterr()
    assert any(line.split()[0] == "ESN" for line in out.splitlines() if line.split())
    assert "echo-state network 2/2" in err
    assert "ESN" in (tmp_path / "s.csv").read_text()


def by_hand(z: np.ndarray, blocks: tuple[int, int, int], horizon: int, seed: int) -> float:
    """NRMSE on the test block of an echo-state network with the settings of `SETTING`.

    Nothing of the package is in it. blocks: end of the washout, of what is fitted before the
    penalty is chosen, and of the training block.
    """
    generator, n = np.random.default_rng(seed), SETTING.units
    W = generator.normal(size=(n, n)) * (generator.random((n, n)) < SETTING.connectivity)
    W *= SETTING.spectral_radius / np.abs(np.linalg.eigvals(W)).max()
    W_in = SETTING.input_scaling * generator.uniform(-1, 1, n)
    b = SETTING.bias * generator.uniform(-1, 1, n)
    x, rows = np.zeros(n), []
    for u in z:
        x = (1 - SETTING.leak) * x + SETTING.leak * np.tanh(W @ x + W_in * u + b)
        rows.append([1.0, u, *x])
    X, y = np.array(rows)[:-horizon], z[horizon:]
    washout, chosen, end = blocks

    def weights(last: int, penalty: float) -> np.ndarray:
        part = X[washout : last - horizon]
        system = part.T @ part + penalty * len(part) * np.diag([0.0, *np.ones(n + 1)])
        return np.linalg.solve(system, part.T @ y[washout : last - horizon])

    def error(w: np.ndarray, first: int, last: int) -> float:
        return float(np.sqrt(np.mean((X[first:last] @ w - y[first:last]) ** 2)))

    best = min(
        10.0 ** np.arange(-13, 0),
        key=lambda penalty: error(weights(chosen, penalty), chosen - horizon, end - horizon),
    )
    return error(weights(end, best), end, len(X)) / float(np.std(y[end:]))


SETTING = EchoStateParams(
    units=80, spectral_radius=0.9, leak=0.3, input_scaling=0.3, connectivity=0.2, bias=0.1
)


def test_an_implementation_of_its_own_is_as_good_as_the_rival() -> None:
    """Of the same setting, on Mackey-Glass 84 ahead: networks of other draws, level within them."""
    task = get_task("mackey-glass-84", 1, quick=True)
    end = task.train_block.stop
    blocks = (task.washout, end - task.validation, end)
    ours, theirs = [], []
    for seed in range(4):
        scores, _ = echo_state_scores(task, SETTING, seed)
        ours.append({score.name: score.value for score in scores}["nrmse_h84"])
        theirs.append(by_hand(task.z[:, 0], blocks, 84, 100 + seed))
    spread = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / len(ours))
    assert abs(np.mean(ours) - np.mean(theirs)) < 2 * spread
    assert spread < 0.1 * np.mean(ours)


def test_the_rival_may_take_penalties_down_to_rounding() -> None:
    """With the usual ones alone it would be worse: its states have no noise of spikes."""
    few, many = (noiseless(features).alphas for features in (1, 10**9))
    assert many == ALPHAS
    assert min(few) < 1e-13
    assert list(few) == sorted({*few, *ALPHAS})
    task = get_task("mackey-glass-84", 1, quick=True)
    states = {STATES: make_reservoir(SETTING, 1, 0).run(task.shown)}
    usual, wider = (fit_forecast(task, states, s) for s in (None, noiseless(81)))
    assert usual.readout.at_edge.all()
    errors = [{s.name: s.value for s in fit.scores}["nrmse_h84"] for fit in (wider, usual)]
    assert errors[0] < errors[1]
