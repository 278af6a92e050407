"""Ridge in its primal and dual form against eigendecompositions; several readouts from one fit."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout import ridge
from hrsnn_brian.readout.held_out import ALPHAS, RULES, Selection
from hrsnn_brian.readout.linear import RidgeReadout
from hrsnn_brian.readout.moments import Moments, let_go
from hrsnn_brian.readout.penalised import FACTORS, WIDTH, solve_penalised
from hrsnn_brian.readout.ridge import fit_moments, fit_readouts, fit_ridge, fit_selections

Rows = dict[str, np.ndarray]


def states(n: int, width: int, seed: int = 0) -> tuple[Rows, np.ndarray]:
    """Traces of the same noise (nearly collinear), silent and constant features, an offset."""
    generator = np.random.default_rng(seed)
    hidden = np.cumsum(generator.normal(size=(n, 5)), axis=0) * 0.1
    slow = np.tanh(np.sin(hidden) @ generator.normal(size=(5, width)))
    slow[:, : width // 8] = 0.0
    blocks = {
        "u": np.sin(hidden[:, :1]),
        "fast": slow + 1e-4 * generator.normal(size=slow.shape) * (slow != 0),
        "slow": slow,
        "v": -70.0 + 3.0 * slow[:, : width // 2] + 0.1 * generator.normal(size=(n, width // 2)),
        "stuck": np.full((n, 3), 0.1),
    }
    targets = np.roll(np.sin(hidden[:, :3]), -1, axis=0)
    return blocks, targets + 0.05 * generator.normal(size=targets.shape) * [0.0, 1.0, 10.0]


def by_eigenvectors(
    blocks: Rows, targets: np.ndarray, n_held: int
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Held errors (alphas, targets); per rule the penalties and the predictions for all rows."""
    x = np.hstack(list(blocks.values()))
    x = x - x.mean(axis=0)
    start = 0
    for name, block in blocks.items():
        part = slice(start, start + block.shape[1])
        x[:, part] = 0.0 if name == "stuck" else x[:, part] / np.sqrt(x[:, part].var(axis=0).mean())
        start = part.stop

    def curves(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        mean, y_mean = x[rows].mean(axis=0), targets[rows].mean(axis=0)
        centred = x[rows] - mean
        s, v = np.linalg.eigh(centred.T @ centred)
        rotated, n = v.T @ centred.T @ (targets[rows] - y_mean), len(centred)
        everywhere = (x - mean) @ v
        filtered = [rotated / (np.maximum(s, 0) + a * n)[:, None] for a in ALPHAS]
        return np.array([everywhere @ f + y_mean for f in filtered]), y_mean

    n_fit = len(targets) - n_held
    squared = (curves(slice(0, n_fit))[0][:, n_fit:] - targets[n_fit:]) ** 2
    errors, spread = squared.mean(axis=1), squared.std(axis=1) / np.sqrt(n_held)
    columns = np.arange(targets.shape[1])
    smallest = errors.argmin(axis=0)
    within = errors <= errors[smallest, columns] + spread[smallest, columns]
    largest = len(ALPHAS) - 1 - within[::-1].argmax(axis=0)  # ALPHAS ascend
    final = curves(slice(0, None))[0]
    penalties = [np.array(ALPHAS)[best] for best in (smallest, largest)]
    return errors, penalties, [final[best, :, columns].T for best in (smallest, largest)]


@pytest.mark.parametrize(("n", "width"), [(600, 120), (300, 160)], ids=["primal", "dual"])
def test_scores_are_those_of_an_eigendecomposition(n: int, width: int) -> None:
    """The very penalties of the full grid, by both rules, and predictions to nine digits."""
    blocks, targets = states(n, width)
    errors, penalties, predictions = by_eigenvectors(blocks, targets, 100)
    readouts = fit_readouts(blocks, targets, 100)
    assert len({float(a) for chosen in penalties for a in chosen}) > 2  # not one answer to all
    for readout, alpha, predicted in zip(readouts, penalties, predictions, strict=True):
        np.testing.assert_array_equal(readout.alpha, alpha)
        index = np.searchsorted(ALPHAS, alpha)
        np.testing.assert_allclose(
            readout.validation_rmse, np.sqrt(errors[index, np.arange(3)]), rtol=1e-8
        )
        np.testing.assert_allclose(readout.predict(blocks), predicted, atol=1e-8)
        np.testing.assert_allclose(readout.coefficients["stuck"], 0.0, atol=1e-12)
        np.testing.assert_allclose(readout.coefficients["slow"][: width // 8], 0.0, atol=1e-9)


def same(found: RidgeReadout, expected: RidgeReadout, blocks: Rows, tolerance: float) -> None:
    assert tuple(found.coefficients) == tuple(expected.coefficients)
    np.testing.assert_array_equal(found.alpha, expected.alpha)
    np.testing.assert_allclose(found.validation_rmse, expected.validation_rmse, rtol=1e-7)
    np.testing.assert_allclose(found.predict(blocks), expected.predict(blocks), atol=tolerance)


@pytest.mark.parametrize(("n", "width"), [(500, 60), (200, 160)], ids=["primal", "dual"])
@pytest.mark.parametrize(
    "names",
    [
        [("u", "fast"), ("u", "fast", "v")],  # nested, as spikes in spikes and membranes
        [("u", "fast", "v"), ("u", "fast")],
        [("u", "slow"), ("fast", "v"), ("u", "slow")],  # nothing in common
        [("u", "fast", "slow"), ("fast", "slow", "v"), ("fast", "slow")],  # most in common
    ],
)
def test_selections_fitted_together_are_those_fitted_alone(
    n: int, width: int, names: list[tuple[str, ...]]
) -> None:
    blocks, targets = states(n, width, seed=1)
    together = fit_selections(blocks, targets, 60, names)
    for some, readouts in zip(names, together, strict=True):
        alone = fit_readouts({name: blocks[name] for name in some}, targets, 60)
        for a, b in zip(readouts, alone, strict=True):
            same(a, b, blocks, 1e-7)


def moments_of(blocks: Rows, targets: np.ndarray, *edges: int) -> Moments:
    moments = Moments()
    for part in np.split(np.arange(len(targets)), edges):
        moments.add({name: block[part] for name, block in blocks.items()}, targets[part])
    return moments


@pytest.mark.parametrize(("n", "width"), [(500, 60), (200, 160)], ids=["primal", "dual"])
def test_streamed_rows_give_the_readout_of_rows_at_hand(n: int, width: int) -> None:
    """`fit_moments` is always primal: with few rows this is dual against primal."""
    blocks, targets = states(n, width, seed=2)
    n_fit = n - 60
    moments = moments_of({k: b[:n_fit] for k, b in blocks.items()}, targets[:n_fit], 7, 90)
    held = {name: block[n_fit:] for name, block in blocks.items()}
    for rule in RULES:
        for some in (None, ("u", "fast")):  # twice from the same moments: they stay untouched
            streamed = fit_moments(moments, held, targets[n_fit:], names=some, rule=rule)
            used = {name: blocks[name] for name in some or blocks}
            same(streamed, fit_ridge(used, targets, 60, rule=rule), blocks, 1e-7)


def test_blocks_on_disk_in_single_precision_and_silent_blocks() -> None:
    blocks, targets = states(200, 160)
    single = {name: block.astype(np.float32) for name, block in blocks.items()}
    single["silent"] = np.zeros((200, 40), np.float32)
    readout = fit_ridge(single, targets, 50)
    double = {name: block.astype(float) for name, block in single.items()}
    same(readout, fit_ridge(double, targets, 50), double, 1e-9)
    np.testing.assert_array_equal(readout.coefficients["silent"], 0.0)


@pytest.mark.parametrize("p", [1, 2, WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH + 1, 250])
@pytest.mark.parametrize("k", [1, FACTORS - 1, FACTORS, 9])
def test_penalised_systems_are_solved(p: int, k: int) -> None:
    """By factors and by a band, with coordinates that nothing reaches (silent neurons)."""
    generator = np.random.default_rng(p)
    x = generator.normal(size=(p + 20, p))
    x[:, p // 3 : p // 2] = 0.0
    matrix, right = x.T @ x, generator.normal(size=(p, 2))
    penalties = list(np.geomspace(1e-3, 1e3, k))
    lower = np.asfortranarray(np.tril(matrix))  # nothing else may be read
    found = solve_penalised(lower, right, penalties)
    for j, penalty in enumerate(penalties):
        exact = np.linalg.solve(matrix + penalty * np.eye(p), right)
        np.testing.assert_allclose(found[:, j], exact, rtol=1e-8, atol=1e-9 * abs(exact).max())


@pytest.mark.parametrize("k", [1, FACTORS])
def test_a_penalty_that_drowns_in_rounding_is_refused(k: int) -> None:
    x = np.random.default_rng(0).normal(size=(20, 40))
    with pytest.raises(InputError, match=r"penalty = 1e-300: drowns"):
        solve_penalised(np.asfortranarray(x.T @ x), np.ones((40, 1)), [1e-300] * k)


def classes(n: int = 400, seed: int = 0) -> tuple[Rows, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(4, size=n)
    centres = generator.normal(size=(4, 30))
    x = centres[labels] + 3.0 * generator.normal(size=(n, 30))
    return {"a": x[:, :10], "b": x[:, 10:]}, np.eye(4)[labels], labels


@pytest.mark.parametrize("rule", RULES)
def test_an_error_rate_chooses_one_penalty_for_all_classes(rule: str) -> None:
    """Counted again: each penalty alone, its error rate on the held rows, ties to the largest."""
    blocks, targets, labels = classes()
    n_fit, held = 300, {name: block[300:] for name, block in blocks.items()}
    moments = moments_of({k: b[:n_fit] for k, b in blocks.items()}, targets[:n_fit])
    scale = {k: np.sqrt(b.var(axis=0).mean()) for k, b in blocks.items()}
    x = np.hstack([block / scale[name] for name, block in blocks.items()])
    fitted, y_mean = x[:n_fit] - x[:n_fit].mean(axis=0), targets[:n_fit].mean(axis=0)
    rates = []
    for alpha in ALPHAS:
        gram = fitted.T @ fitted + alpha * n_fit * np.eye(30)
        w = np.linalg.solve(gram, fitted.T @ (targets[:n_fit] - y_mean))
        predicted = (x[n_fit:] - x[:n_fit].mean(axis=0)) @ w + y_mean
        rates.append(np.mean(predicted.argmax(axis=1) != labels[n_fit:]))
    least = min(rates)
    bound = least + (rule == RULES[1]) * np.sqrt(least * (1 - least) / 100)
    expected = max(a for a, rate in zip(ALPHAS, rates, strict=True) if rate <= bound)
    readout = fit_moments(moments, held, targets[n_fit:], rule=rule, loss="error rate")
    np.testing.assert_array_equal(readout.alpha, expected)
    assert readout.validation_error_rate == rates[ALPHAS.index(expected)]
    assert 0.0 < least < 0.6  # of four classes
    at_hand = fit_readouts(blocks, targets, 100, Selection(rules=(rule,), loss="error rate"))[0]
    same(at_hand, readout, blocks, 1e-9)
    assert at_hand.validation_error_rate == readout.validation_error_rate
    assert fit_ridge(blocks, targets, 100).validation_error_rate is None


@pytest.mark.parametrize("width", [5, 400], ids=["primal", "dual"])
def test_penalties_at_the_edges(width: int) -> None:
    generator = np.random.default_rng(1)
    x = generator.normal(size=(300, width))
    x[:, 1:] *= 1e-6  # in the dual form too the rows of one feature are enough
    exact = fit_ridge({"x": x}, 2.0 * x[:, :1], 100)
    assert exact.at_edge.all()
    assert exact.alpha[0] == min(ALPHAS)
    noise = fit_ridge({"x": generator.normal(size=(300, width))}, x[:, :1], 100)
    assert noise.alpha[0] >= 10.0
    assert not noise.at_edge.any()
    one = fit_ridge({"x": x}, 2.0 * x[:, :1], 100, alphas=(0.3,))
    assert one.at_edge.all()
    assert one.alpha[0] == 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": ["c"]}, "block = 'c': unknown"),
        ({"alphas": (1.0, 0.0)}, "alphas"),
        ({"alphas": ()}, "alphas"),
        ({"rule": "smallest"}, "rule = 'smallest': unknown; did you mean 'smallest error'"),
        ({"loss": "errors"}, "loss"),
        ({"held": {"a": np.ones((100, 10))}}, "blocks"),
        ({"held": {"a": np.ones((100, 9)), "b": np.ones((100, 20))}}, "must have 10 columns"),
        ({"held_targets": np.ones((100, 3))}, "must have 4 columns"),
        ({"held_targets": np.ones((0, 4))}, "must have rows"),
        ({"moments": Moments()}, "at least two rows"),
    ],
)
def test_bad_fits_of_moments_are_refused(arguments: dict[str, object], message: str) -> None:
    blocks, targets, _ = classes()
    given: dict[str, object] = {
        "moments": moments_of({k: b[:300] for k, b in blocks.items()}, targets[:300]),
        "held": {name: block[300:] for name, block in blocks.items()},
        "held_targets": targets[300:],
    }
    with pytest.raises(InputError, match=message):
        fit_moments(**(given | arguments))  # type: ignore[arg-type]


def test_the_smaller_form_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 rows of 400 features: no matrix is larger than rows by rows."""
    sizes = []
    blocks, targets = states(300, 160)

    def count(matrix: np.ndarray, *rest: object) -> np.ndarray:
        sizes.append(len(matrix))
        return solve_penalised(matrix, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("hrsnn_brian.readout.dual.solve_penalised", count)
    monkeypatch.setattr(ridge, "solve_penalised", count)
    fit_readouts(blocks, targets, 60)
    fit_readouts({"u": blocks["u"], "v": blocks["v"]}, targets, 60)
    assert sizes == [240, 300, 81, 81]
    fit_selections(blocks, targets, 60, [tuple(blocks), ("u", "v")])  # each in its own
    assert sizes[4:] == [81, 81, 240, 300]


def test_the_kernel_is_never_held_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the allocations that numpy reports; what comes beside it shrinks with more rows."""
    monkeypatch.setattr("hrsnn_brian.readout.dual.COLUMNS", 64)
    n = 1500
    x = np.random.default_rng(0).normal(size=(n, 1600)).astype(np.float32)
    targets = np.eye(2)[(x[:, 0] > 0).astype(int)]
    tracemalloc.start()
    try:
        fit_readouts({"x": x}, targets, 200, Selection(rules=RULES[:1], loss="error rate"))
        assert tracemalloc.get_traced_memory()[1] < 1.7 * 8 * n**2
    finally:
        tracemalloc.stop()


def test_mapped_rows_leave_memory_and_stay_what_they_are(tmp_path: Path) -> None:
    """Also those changed in memory alone, of which the disk knows nothing."""
    blocks, targets = states(200, 160)
    np.save(tmp_path / "slow.npy", blocks["slow"])
    wanted = fit_readouts({"slow": blocks["slow"]}, targets, 60)
    for mode in ("r", "c"):
        mapped = np.load(tmp_path / "slow.npy", mmap_mode=mode)
        if mode == "c":
            mapped[:] = blocks["slow"][:, ::-1]
        found = fit_readouts({"slow": mapped}, targets, 60)
        for a, b in zip(found, wanted, strict=True):
            w = a.coefficients["slow"][:: 1 if mode == "r" else -1]
            np.testing.assert_allclose(w, b.coefficients["slow"], atol=1e-6)
        del mapped
    mapped = np.load(tmp_path / "slow.npy", mmap_mode="r")
    mapped.sum()
    kept = _resident(tmp_path / "slow.npy")
    let_go(mapped)
    assert _resident(tmp_path / "slow.npy") == 0 < kept


def _resident(file: Path) -> int:
    """Kilobytes of a mapped file that count as ours."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    starts = [k for k, line in enumerate(lines) if line.endswith(str(file))]
    following = [line for k in starts for line in lines[k : k + 6] if line.startswith("Rss:")]
    return sum(int(line.split()[1]) for line in following)
