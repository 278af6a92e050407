"""Multinomial logistic regression against scikit-learn, its own gradient, and rows on disk."""

from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout import logistic
from hrsnn_brian.readout.logistic import PENALTIES, LogisticReadout, fit_logistic

Rows = dict[str, np.ndarray]


def classes(n: int = 600, seed: int = 0) -> tuple[Rows, np.ndarray]:
    """Four classes that no line tells apart for certain."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 20))
    score = x @ generator.normal(size=(20, 4)) + 2.0 * generator.gumbel(size=(n, 4))
    return {"a": 5.0 + 3.0 * x[:, :5], "v": -70.0 + x[:, 5:]}, score.argmax(axis=1)


def standardised(blocks: Rows) -> np.ndarray:
    return np.hstack(
        [(b - b.mean(axis=0)) / np.sqrt(b.var(axis=0).mean()) for b in blocks.values()]
    )


def log_probabilities(readout: LogisticReadout, blocks: Rows) -> np.ndarray:
    score = readout.intercept + sum(blocks[k] @ w for k, w in readout.coefficients.items())
    return score - np.log(np.exp(score).sum(axis=1, keepdims=True))


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-8)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("loss", logistic.LOSSES)
def test_fits_are_those_of_scikit_learn(loss: str) -> None:
    """The path, its end, the penalty chosen, the refit to all rows: each by another solver."""
    from sklearn.linear_model import LogisticRegression

    blocks, labels = classes()
    x, n_fit = standardised(blocks), 450
    alphas = (0.3, 0.03, 0.003)

    def fit(rows: slice, alpha: float) -> LogisticRegression:
        n = len(labels[rows])
        solver = LogisticRegression(C=1 / (n * alpha), tol=1e-9, max_iter=5000)
        return solver.fit(x[rows], labels[rows])

    held = []
    for alpha in alphas:
        log_p = fit(slice(0, n_fit), alpha).predict_log_proba(x[n_fit:])
        log_loss = -np.mean(log_p[np.arange(150), labels[n_fit:]])
        rate = np.mean(log_p.argmax(axis=1) != labels[n_fit:])
        held.append((log_loss, rate) if loss == "log loss" else (rate, log_loss))
    best = int(np.argmin([first for first, _ in held]))
    readout = fit_logistic(blocks, labels, 150, 4, alphas=alphas, loss=loss)
    assert readout.alpha == alphas[best]
    chosen = (readout.validation_log_loss, readout.validation_error_rate)
    np.testing.assert_allclose(chosen[:: 1 if loss == "log loss" else -1], held[best], rtol=1e-5)
    assert readout.converged
    final = fit(slice(None), alphas[best])
    found = log_probabilities(readout, blocks)
    np.testing.assert_allclose(found, final.predict_log_proba(x), atol=1e-5)
    np.testing.assert_array_equal(readout.predict(blocks), found.argmax(axis=1))


def test_the_gradient_is_that_of_the_loss() -> None:
    blocks, labels = classes(80)
    problem = logistic._Problem(blocks, labels, 4)
    generator = np.random.default_rng(1)
    weights = 0.3 * generator.normal(size=problem.start().shape)
    _, gradient = problem._objective(weights, 0.1)
    for _ in range(5):
        step = 1e-6 * generator.normal(size=weights.shape)
        ahead, behind = (problem._objective(weights + sign * step, 0.1)[0] for sign in (1, -1))
        assert ahead - behind == pytest.approx(2 * gradient @ step.ravel(), rel=1e-5)


def test_chunks_and_the_place_of_the_rows_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks, labels = classes()
    whole = fit_logistic(blocks, labels, 150, 4)
    mapped = {}
    for name, block in blocks.items():
        block.astype(np.float32).tofile(tmp_path / name)
        mapped[name] = np.memmap(tmp_path / name, np.float32, "r", shape=block.shape)
    monkeypatch.setattr(logistic, "CHUNK", 64)
    for rows, tolerance in ((blocks, 1e-6), (mapped, 1e-3)):
        readout = fit_logistic(rows, labels, 150, 4)
        assert readout.alpha == whole.alpha
        found, expected = log_probabilities(readout, blocks), log_probabilities(whole, blocks)
        np.testing.assert_allclose(found, expected, atol=tolerance)
    again = fit_logistic(mapped, labels, 150, 4)
    for name, weights in again.coefficients.items():
        np.testing.assert_array_equal(weights, readout.coefficients[name])


@pytest.mark.usefixtures("exact")
def test_a_blocks_unit_and_offset_do_not_matter() -> None:
    blocks, labels = classes()
    changed = blocks | {"v": 1e-3 * blocks["v"] + 0.5}
    a, b = (fit_logistic(rows, labels, 150, 4) for rows in (blocks, changed))
    assert a.alpha == b.alpha
    np.testing.assert_allclose(
        log_probabilities(a, blocks), log_probabilities(b, changed), atol=1e-5
    )


def test_silent_and_stuck_features_get_no_weight() -> None:
    blocks, labels = classes()
    blocks["a"][:, 2] = 0.0
    blocks |= {"silent": np.zeros((600, 3)), "stuck": np.full((600, 2), 0.1)}
    readout = fit_logistic(blocks, labels, 150, 4)
    for weights in (readout.coefficients["silent"], readout.coefficients["a"][2]):
        np.testing.assert_array_equal(weights, 0.0)
    np.testing.assert_allclose(readout.coefficients["stuck"], 0.0, atol=1e-12)


def test_the_path_ends_where_weaker_penalties_are_no_better() -> None:
    blocks, labels = classes()
    assert not fit_logistic(blocks, labels, 150, 4).at_edge
    separable = {"a": np.eye(4)[labels] + 0.01 * blocks["a"][:, :4]}
    certain = fit_logistic(separable, labels, 150, 4, alphas=PENALTIES[:4])
    assert certain.at_edge
    assert certain.alpha == PENALTIES[3]
    assert certain.validation_error_rate == 0.0
    assert fit_logistic(blocks, labels, 150, 4, alphas=(0.1,)).alpha == 0.1


def test_a_class_without_rows_is_never_predicted() -> None:
    blocks, labels = classes()
    readout = fit_logistic(blocks, labels, 150, 6)
    assert readout.predict(blocks).max() == 3
    assert np.isfinite(readout.validation_log_loss)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": np.full(600, 4)}, "labels = 4: must lie between 0 and 3"),
        ({"labels": np.full(600, -1)}, "labels = -1"),
        ({"labels": np.zeros(600)}, "integers"),
        ({"labels": np.zeros(599, int)}, "must have 599 rows"),
        ({"rows": {"a": np.full((600, 2), np.nan)}}, "finite"),
        ({"rows": {}}, "at least one block"),
        ({"n_validation": 0}, "n_validation"),
        ({"n_validation": 599}, "n_validation"),
        ({"classes": 1}, "classes"),
        ({"alphas": (0.1, -1.0)}, "alphas"),
        ({"alphas": ()}, "alphas"),
        ({"loss": "errors"}, "loss = 'errors': unknown"),
    ],
)
def test_bad_fits_are_refused(arguments: dict[str, object], message: str) -> None:
    rows, labels = classes()
    given = {"rows": rows, "labels": labels, "n_validation": 150, "classes": 4}
    with pytest.raises(InputError, match=message):
        fit_logistic(**(given | arguments))  # type: ignore[arg-type]


def test_prediction_asks_for_the_blocks_of_the_fit() -> None:
    blocks, labels = classes()
    readout = fit_logistic(blocks, labels, 150, 4)
    with pytest.raises(InputError, match=r"block v = 'missing': must be \(rows, 15\)"):
        readout.predict({"a": blocks["a"]})
