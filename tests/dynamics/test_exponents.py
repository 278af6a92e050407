"""Exponents of systems with known ones, the algebra of edges, and what failed checks must give."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from hrsnn_brian.dynamics.exponents.edges import edge_exponents, edge_weights, signed_harmonic_mean
from hrsnn_brian.dynamics.exponents.finite_time import (
    finite_time_exponents,
    split_half_reliability,
)
from hrsnn_brian.dynamics.exponents.flows import map_exponents
from hrsnn_brian.dynamics.exponents.growth import growth_logs
from hrsnn_brian.dynamics.exponents.hard_cases import HARD_ROWS
from hrsnn_brian.dynamics.exponents.qr import (
    block_means,
    entropy_rate,
    kaplan_yorke,
    orthonormalise,
    running_exponents,
    standard_errors,
)
from hrsnn_brian.dynamics.exponents.result import spectrum_result
from hrsnn_brian.dynamics.exponents.systems import (
    SYSTEM_ROWS,
    SYSTEMS,
    ValidationRow,
    estimate,
    lorenz63,
    run_self_test,
    system_exponents,
)
from hrsnn_brian.errors import InputError


def rotation(dim: int, seed: int = 0) -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))
    return q


def linear_map(matrix: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: x @ matrix.T


def linear_flow(matrix: np.ndarray) -> Callable[[float, np.ndarray], np.ndarray]:
    return lambda t, x: x @ matrix.T


# --- linear systems: the exponents are known to rounding --------------------------------------


@pytest.mark.parametrize("turn", [np.eye(4), rotation(4)], ids=["diagonal", "rotated"])
def test_linear_map_gives_the_log_of_its_factors(turn: np.ndarray) -> None:
    factors = np.array([0.2, 3.0, 1.0, 0.7])
    matrix = turn @ np.diag(factors) @ turn.T
    result = estimate("map", linear_map(matrix), np.zeros(4), n=200, transient=300)
    assert result.valid
    np.testing.assert_allclose(result.exponents, np.sort(np.log(factors))[::-1], atol=1e-12)


def test_linear_map_from_a_point_that_grows_out_of_sight() -> None:
    """The state grows to 1e60; the distance of the copies follows its size."""
    factors = np.array([2.0, 0.5])
    result = estimate("map", linear_map(np.diag(factors)), np.ones(2), n=200, transient=60)
    np.testing.assert_allclose(result.exponents[0], math.log(2.0), atol=1e-6)


@pytest.mark.parametrize("turn", [np.eye(3), rotation(3)], ids=["diagonal", "rotated"])
def test_linear_flow_gives_its_rates(turn: np.ndarray) -> None:
    """One RK4 step multiplies by the Taylor polynomial of exp(rate*dt): exact in the result."""
    rates, dt = np.array([0.3, -1.0, -4.0]), 0.05
    matrix = turn @ np.diag(rates) @ turn.T
    z = rates * dt
    discrete = np.log(1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24) / dt
    arguments = {"dt": dt, "duration": 20.0, "transient": 40.0}
    result = estimate("flow", linear_flow(matrix), np.zeros(3), **arguments)
    np.testing.assert_allclose(result.exponents, discrete, atol=1e-11)
    np.testing.assert_allclose(result.exponents, rates, atol=1e-4)
    euler = estimate("flow", linear_flow(matrix), np.zeros(3), method="euler", **arguments)
    np.testing.assert_allclose(euler.exponents, np.log1p(z) / dt, atol=1e-11)


def test_reversed_time_reverses_the_spectrum() -> None:
    """A non-symmetric flow and its reverse; the area-preserving cat map and its inverse."""
    matrix = rotation(3, 1) @ np.diag([0.5, -0.2, -1.0]) @ rotation(3, 1).T
    matrix = matrix + 0.3 * (rotation(3, 2) - rotation(3, 2).T)
    arguments = {"dt": 0.02, "duration": 200.0, "transient": 100.0}
    forward = estimate("flow", linear_flow(matrix), np.zeros(3), **arguments).exponents
    backward = estimate("flow", linear_flow(-matrix), np.zeros(3), **arguments).exponents
    np.testing.assert_allclose(forward, -backward[::-1], atol=5e-3)
    np.testing.assert_allclose(forward.sum(), np.trace(matrix), atol=1e-6)
    cat = np.array([[2.0, 1.0], [1.0, 1.0]])
    golden = math.log((3 + math.sqrt(5)) / 2)
    for matrix in (cat, np.linalg.inv(cat)):
        found = estimate("map", linear_map(matrix), np.zeros(2), n=50, transient=50).exponents
        np.testing.assert_allclose(found, [golden, -golden], atol=1e-12)


def test_leading_exponents_do_not_depend_on_how_many_are_asked() -> None:
    matrix = rotation(5) @ np.diag([1.5, 1.2, 0.9, 0.6, 0.3]) @ rotation(5).T
    for k in (1, 2, 4):
        found = estimate("map", linear_map(matrix), np.zeros(5), k=k, n=50, transient=200)
        np.testing.assert_allclose(found.exponents, np.log([1.5, 1.2, 0.9, 0.6][:k]), atol=1e-10)


# --- known chaotic systems --------------------------------------------------------------------


@pytest.mark.parametrize("row", [*SYSTEM_ROWS, *HARD_ROWS], ids=lambda row: row.name)
def test_named_system_within_its_tolerance(row: ValidationRow) -> None:
    (outcome,) = run_self_test([row])
    assert outcome.passed, outcome


def test_lorenz63_dimension_and_sum() -> None:
    result = system_exponents("lorenz63", seed=2, duration=100.0)
    assert result.valid
    assert result.kaplan_yorke == pytest.approx(2.062, abs=0.002)
    assert result.entropy_rate == pytest.approx(0.9056, abs=0.01)
    # the divergence is constant: -(10 + 1 + 8/3)
    assert result.exponents.sum() == pytest.approx(-41.0 / 3.0, abs=5e-4)
    assert result.standard_error[0] < 0.005


def test_lorenz63_is_independent_of_renormalisation_distance_and_norm() -> None:
    base = {"segments": 30, "duration": 60.0, "transient": 10.0}
    reference = system_exponents("lorenz63", **base).exponents
    for change in ({"t_renorm": 0.02}, {"t_renorm": 0.2}, {"d0": 1e-6}, {"d0": 1e-10}):
        changed = system_exponents("lorenz63", **{**base, **change}).exponents
        np.testing.assert_allclose(changed, reference, atol=2e-3, err_msg=str(change))
    # another norm: the same trajectories in other coordinates
    shape = np.diag([1.0, 5.0, 0.2]) @ rotation(3)
    inverse = np.linalg.inv(shape)

    def transformed(t: float, y: np.ndarray) -> np.ndarray:
        return lorenz63(t, y @ inverse.T) @ shape.T

    system = SYSTEMS["lorenz63"]
    start = system.starting_points(100) @ shape.T
    changed = estimate(
        "flow", transformed, start, **{**system.settings, "duration": 50.0}
    ).exponents
    np.testing.assert_allclose(changed, system.expected, atol=0.03)


def test_standard_error_covers_the_spread_of_repetitions() -> None:
    base = {"segments": 20, "duration": 20.0, "transient": 5.0, "dt": 0.02, "k": 1}
    runs = [system_exponents("lorenz63", seed=seed, **base) for seed in range(12)]
    spread = np.std([run.exponents[0] for run in runs], ddof=1)
    claimed = np.mean([run.standard_error[0] for run in runs])
    assert 0.5 < spread / claimed < 2.0


def test_same_seed_same_numbers_and_copies_do_not_mix_segments() -> None:
    start = SYSTEMS["henon"].starting_points(3)
    step = SYSTEMS["henon"].function
    together = map_exponents(step, start, n=300)
    again = map_exponents(step, start, n=300)
    np.testing.assert_array_equal(together.exponents, again.exponents)
    # a segment alone, settled, has the same first exponent up to its directions' transient
    alone = [map_exponents(step, row, n=300).exponents[0] for row in start]
    assert np.mean(alone) == pytest.approx(together.exponents[0], abs=1e-4)


# --- failed checks give NaN and a reason ------------------------------------------------------


def test_zero_distance_is_no_number() -> None:
    result = map_exponents(lambda x: 0.0 * x, np.array([0.3]), n=20)
    assert np.isnan(result.exponents).all()
    assert not result.valid
    assert any("zero distance" in flag for flag in result.flags)


def test_difference_lost_in_rounding_is_no_number() -> None:
    """The second direction shrinks by 1e-12 an interval beside a state of size one; the first
    does not depend on it."""
    slow = estimate(
        "flow",
        linear_flow(np.diag([0.0, -30.0])),
        np.array([1.0, 0.0]),
        dt=0.01,
        duration=10.0,
        t_renorm=1.0,
    )
    np.testing.assert_array_equal(slow.exponents, [0.0, np.nan])
    assert not slow.valid
    (flag,) = slow.flags
    assert flag.startswith("exponent 2: distance at the rounding floor in 10 of 10 growths")
    # at rest: the dimension is that of the zero, whatever the lost one is
    assert (slow.kaplan_yorke, slow.entropy_rate) == (1.0, 0.0)


def test_saturated_distance_is_no_number() -> None:
    result = system_exponents("lorenz63", segments=2, duration=60.0, t_renorm=20.0, k=1)
    assert np.isnan(result.exponents).all()
    assert any("saturation" in flag for flag in result.flags)
    assert result.kaplan_yorke is None
    assert result.entropy_rate is None


def test_escape_to_infinity_is_no_number() -> None:
    result = map_exponents(lambda x: x * x, np.array([2.0]), n=100)
    assert np.isnan(result.exponents).all()
    assert any("finite numbers" in flag for flag in result.flags)


def test_a_settled_fixed_point_is_not_saturated() -> None:
    result = map_exponents(lambda x: 0.5 * x + 1.0, np.array([5.0]), n=100)
    assert result.valid, result.flags
    assert result.exponents[0] == pytest.approx(-math.log(2.0), abs=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [
        {"dt": 0.0, "duration": 1.0},
        {"dt": 0.1, "duration": -1.0},
        {"dt": 0.1, "duration": math.nan},
        {"dt": 0.1, "duration": 0.1, "t_renorm": 1.0},
        {"dt": 0.1, "duration": 1.0, "k": 3},
        {"dt": 0.1, "duration": 1.0, "k": 0},
        {"dt": 0.1, "duration": 1.0, "d0": 0.0},
        {"dt": 0.1, "duration": 1.0, "method": "rk5"},
        {"dt": 0.1, "duration": 1.0, "transient": -1.0},
    ],
)
def test_unusable_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(InputError):
        estimate("flow", linear_flow(np.eye(2)), np.zeros(2), **arguments)


def test_unusable_starts_and_names_are_refused() -> None:
    for start in (np.zeros((2, 2, 2)), np.array([np.nan]), np.zeros(0)):
        with pytest.raises(InputError, match="x0"):
            map_exponents(lambda x: x, start, n=10)
    with pytest.raises(InputError, match="n_renorm"):
        estimate("map", lambda x: x, np.zeros(1), n=10, n_renorm=0)
    with pytest.raises(InputError, match="lorenz63"):
        system_exponents("lorentz")


def test_self_test_counts_nan_as_a_miss() -> None:
    rows = [
        ValidationRow("hit", ("a",), (1.0,), (0.1,), lambda: [1.05]),
        ValidationRow("far", ("a", "b"), (1.0, 2.0), (0.1, 0.1), lambda: [1.0, 2.2]),
        ValidationRow("nan", ("a",), (1.0,), (0.1,), lambda: [math.nan]),
        ValidationRow("short", ("a",), (1.0,), (0.1,), list),
    ]
    seen: list[str] = []
    outcomes = run_self_test(rows, report=lambda outcome: seen.append(outcome.row.name))
    assert [outcome.passed for outcome in outcomes] == [True, False, False, False]
    assert seen == ["hit", "far", "nan", "short"]


# --- kernels ----------------------------------------------------------------------------------


def test_orthonormalise_is_a_gram_schmidt_process() -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 4, 6))
    q, growth = orthonormalise(vectors)
    np.testing.assert_allclose(q @ np.swapaxes(q, 1, 2), np.broadcast_to(np.eye(4), (3, 4, 4)),
                               atol=1e-14)  # fmt: skip
    # the product of the growths is the volume, the first direction that of the first row
    gram = vectors @ np.swapaxes(vectors, 1, 2)
    np.testing.assert_allclose(growth.prod(axis=1), np.sqrt(np.linalg.det(gram)))
    np.testing.assert_allclose(q[:, 0] * growth[:, :1], vectors[:, 0])
    lower = np.einsum("sjn,sin->sji", vectors, q)
    np.testing.assert_allclose(lower[:, 0, 1:], 0.0, atol=1e-13)
    np.testing.assert_allclose(np.diagonal(lower, axis1=1, axis2=2), growth)


def test_orthonormalise_keeps_nearly_parallel_directions_orthogonal() -> None:
    base = np.random.default_rng(1).normal(size=50)
    vectors = base + 1e-10 * np.random.default_rng(2).normal(size=(5, 50))
    q, _ = orthonormalise(vectors)
    np.testing.assert_allclose(q @ q.T, np.eye(5), atol=1e-12)


def test_kaplan_yorke_by_hand() -> None:
    assert kaplan_yorke(np.array([0.9056, 0.0, -14.572])) == pytest.approx(2.0621, abs=1e-4)
    assert kaplan_yorke(np.array([1.0, -0.5, -2.0])) == pytest.approx(2.25)
    assert kaplan_yorke(np.array([-2.0, 1.0, -0.5])) == pytest.approx(2.25)  # any order
    assert kaplan_yorke(np.array([-1.0, -2.0])) == 0.0  # a stable fixed point
    assert kaplan_yorke(np.array([1.0, -0.5])) is None  # more exponents needed
    assert kaplan_yorke(np.array([1.0, -0.5]), complete=True) == 2.0
    assert kaplan_yorke(np.array([1.0, np.nan])) is None


def test_entropy_rate_by_hand() -> None:
    assert entropy_rate(np.array([2.0, 0.5, 0.0, -3.0])) == 2.5
    assert entropy_rate(np.array([2.0, 0.5])) is None  # others may be positive too
    assert entropy_rate(np.array([2.0, 0.5]), complete=True) == 2.5
    assert entropy_rate(np.array([-1.0, -2.0])) == 0.0
    assert entropy_rate(np.array([np.nan])) is None


def test_running_mean_leaves_excluded_intervals_out() -> None:
    logs = np.array([[0.1], [np.nan], [0.3]])
    np.testing.assert_allclose(running_exponents(logs, 0.1)[:, 0], [1.0, 1.0, 2.0])
    assert np.isnan(running_exponents(logs[1:2], 0.1)).all()
    stacked = np.stack([logs, logs + 0.1])
    np.testing.assert_allclose(running_exponents(stacked, 0.1)[-1, 0], 2.5)


def test_standard_error_by_hand_and_from_blocks() -> None:
    np.testing.assert_allclose(standard_errors(np.array([[1.0], [3.0], [5.0]])), 2 / math.sqrt(3))
    assert np.isnan(standard_errors(np.array([[1.0], [np.nan]]))).all()
    logs = np.repeat(np.array([1.0, 3.0]), 5)[:, None]
    np.testing.assert_allclose(block_means(logs, 0.5, 2)[:, 0], [2.0, 6.0])
    # white growth: the standard error is sd/sqrt(n)/interval
    noise = np.random.default_rng(0).normal(size=(40_000, 3))
    result = spectrum_result(noise, 0.1)
    np.testing.assert_allclose(result.standard_error, 0.05, rtol=0.6)


def test_result_sorts_and_is_json_able_and_frozen() -> None:
    logs = np.tile([[-1.0, 2.0]], (5, 1))
    result = spectrum_result(logs, 0.5, complete=True, settings={"dt": 0.1})
    np.testing.assert_allclose(result.exponents, [4.0, -2.0])
    np.testing.assert_allclose(result.history[-1], result.exponents)
    np.testing.assert_allclose(result.times, [0.5, 1.0, 1.5, 2.0, 2.5])
    assert result.largest == 4.0
    with pytest.raises(ValueError, match="read-only"):
        result.exponents[0] = 1.0
    failed = spectrum_result(logs, 0.5, flags=["zero distance in 1 of 5 intervals"])
    text = json.dumps(failed.to_dict(), allow_nan=False)
    assert json.loads(text)["exponents"] == [None, None]
    assert json.loads(text)["flags"] == ["zero distance in 1 of 5 intervals"]


# --- finite-time exponents --------------------------------------------------------------------


def test_growth_logs_count_what_has_no_logarithm() -> None:
    distances = np.array([1e-8, 2e-8, 0.0, 0.5, np.inf, 1e-3])
    growth = growth_logs(distances, 1e-8, saturation=0.1)
    np.testing.assert_allclose(growth.logs[[0, 1, 5]], np.log([1.0, 2.0, 1e5]), atol=1e-12)
    assert np.isnan(growth.logs[2:5]).all()
    assert (growth.zero, growth.saturated) == (1, 2)
    assert len(growth.flags()) == 2
    assert growth_logs(np.full(3, 1e-8), 1e-8).flags() == ()
    with pytest.raises(InputError, match="d0"):
        growth_logs(distances, 0.0)
    with pytest.raises(InputError, match="negative"):
        growth_logs(-distances, 1e-8)


def test_every_column_of_growths_is_judged_by_itself() -> None:
    """One in twenty intervals of one column of fifty is lost; another decays by e^5 each time."""
    logs = np.zeros((40, 50))
    logs[:, 49] = np.random.default_rng(0).normal(-5.0, 0.3, 40)
    growth = growth_logs(1e-10 * np.exp(logs), 1e-10, saturation=0.05)
    np.testing.assert_allclose(growth.logs, logs, atol=1e-9)
    assert growth.flags(20e-3) == ()
    logs[:2, 7] = 21.0
    lost = growth_logs(1e-10 * np.exp(logs), 1e-10, saturation=0.05)
    assert lost.saturated == 2  # of 2000, but of 40 in its column
    assert "straddles a renormalisation" in lost.flags(20e-3)[0]


def test_finite_time_exponents_of_a_linear_system() -> None:
    """Perturbing one component of dx/dt = A x: |exp(A T) e_i| is the column's length."""
    from scipy.linalg import expm

    T = 0.08
    A = np.random.default_rng(3).normal(scale=20.0, size=(6, 6)) - 10 * np.eye(6)
    columns = np.linalg.norm(expm(A * T), axis=0)
    d0 = 1e-8
    result = finite_time_exponents(np.tile(d0 * columns, (4, 1)), d0, T)
    np.testing.assert_allclose(result.exponents, np.log(columns) / T)
    assert result.valid


def test_finite_time_exponent_of_a_dead_perturbation_is_no_number() -> None:
    distances = np.full((4, 3), 2e-8)
    distances[1, 0] = 0.0
    distances[2, 1] = 0.7
    strict = finite_time_exponents(distances, 1e-8, 0.1, saturation=0.1)
    assert np.isnan(strict.exponents[:2]).all()
    assert strict.exponents[2] == pytest.approx(math.log(2.0) / 0.1)
    np.testing.assert_array_equal(strict.zero, [1, 0, 0])
    np.testing.assert_array_equal(strict.saturated, [0, 1, 0])
    np.testing.assert_array_equal(strict.resolved, [False, False, True])
    assert strict.valid
    assert [flag.split(":")[0] for flag in strict.flags] == ["zero distance", "saturation"]
    assert all("1 of 3 neurons" in flag and "T" in flag for flag in strict.flags)


@pytest.mark.parametrize(("segments", "noise"), [(6, 1.0), (6, 3.0), (20, 4.0), (7, 1.0)])
def test_split_half_reliability_of_known_signal_and_noise(segments: int, noise: float) -> None:
    generator = np.random.default_rng(11)
    signal = generator.normal(size=20_000)
    data = signal + noise * generator.normal(size=(segments, 20_000))
    found = split_half_reliability(data)
    half = segments // 2
    expected = 1.0 / (1.0 + noise**2 / half)
    assert found.half == pytest.approx(expected, abs=0.02)
    assert found.full == pytest.approx(1.0 / (1.0 + noise**2 / (2 * half)), abs=0.02)


def test_split_half_reliability_at_its_ends() -> None:
    generator = np.random.default_rng(1)
    same = np.tile(generator.normal(size=50), (6, 1))
    assert split_half_reliability(same).half == pytest.approx(1.0)
    assert abs(split_half_reliability(generator.normal(size=(6, 5000))).half) < 0.05
    same[0, :10] = np.nan
    assert split_half_reliability(same).n_neurons == 40
    assert math.isnan(split_half_reliability(np.ones((4, 10))).half)
    with pytest.raises(InputError, match="segments"):
        split_half_reliability(np.ones((1, 10)))


# --- edges ------------------------------------------------------------------------------------


def chain() -> sp.csr_array:
    """0 -> 1 -> 2 -> 3, weights of both signs, W[post, pre]."""
    return sp.csr_array(([0.5, -0.2, 0.1], ([1, 2, 3], [0, 1, 2])), shape=(4, 4))


def test_edge_exponents_of_a_chain_by_hand() -> None:
    T = 0.1
    growth = np.array([1.0, 2.0, 4.0, 8.0])
    nodes = np.log(growth) / T
    endpoints = edge_exponents(chain(), nodes, T)
    harmonic = [2 / (1 + 1 / 2), 2 / (1 / 2 + 1 / 4), 2 / (1 / 4 + 1 / 8)]
    np.testing.assert_allclose(edge_weights(endpoints, T), harmonic)
    union = edge_exponents(chain(), nodes, T, "union")
    # 1 <- 0: {0, 1, 2}; 2 <- 1: all four; 3 <- 2: {1, 2, 3}
    sets = [[0, 1, 2], [0, 1, 2, 3], [1, 2, 3]]
    expected = [len(members) / sum(1 / growth[members]) for members in sets]
    np.testing.assert_allclose(edge_weights(union, T), expected)


def test_edge_exponents_against_a_loop_over_sets() -> None:
    generator = np.random.default_rng(4)
    W = sp.random_array((30, 30), density=0.12, rng=generator, format="csr")
    W.setdiag(0)
    W.eliminate_zeros()
    W.sort_indices()
    nodes, T = generator.normal(scale=30.0, size=30), 0.08
    dense = W.toarray() != 0
    for neighbourhood in ("endpoints", "union"):
        found = edge_exponents(W, nodes, T, neighbourhood)
        for value, post, pre in zip(found, *W.tocoo().coords, strict=True):
            members = {int(post), int(pre)}
            if neighbourhood == "union":
                for k in (post, pre):
                    members |= set(np.flatnonzero(dense[k])) | set(np.flatnonzero(dense[:, k]))
            picked = nodes[sorted(members)]
            assert value == pytest.approx(math.log(len(picked) / np.exp(-picked * T).sum()) / T)
            # damped towards the smaller: between the minimum and the arithmetic mean
            assert picked.min() - 1e-9 <= value <= picked.mean() + 1e-9


def test_equal_exponents_pass_through_and_large_ones_do_not_overflow() -> None:
    for value in (-3e4, 0.0, 5e4):
        found = edge_exponents(chain(), np.full(4, value), 0.1, "union")
        np.testing.assert_allclose(found, value, atol=1e-9)


def test_a_missing_node_takes_its_edges_with_it() -> None:
    nodes = np.array([np.nan, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(
        np.isnan(edge_exponents(chain(), nodes, 0.1)), [True, False, False]
    )
    np.testing.assert_array_equal(
        np.isnan(edge_exponents(chain(), nodes, 0.1, "union")), [True, True, False]
    )
    assert np.isnan(edge_exponents(chain(), np.full(4, np.nan), 0.1)).all()


def test_signed_harmonic_mean_leaves_the_range_of_what_it_averages() -> None:
    """Why it is not used: of -1.0 and 1.1 it makes a mean of -22."""
    nodes = np.array([-1.0, 1.1, 2.0, 2.0])
    unsound = signed_harmonic_mean(chain(), nodes)
    np.testing.assert_allclose(unsound, [2 / (-1 + 1 / 1.1), 2 / (1 / 1.1 + 0.5), 2.0])
    assert unsound[0] < -20
    sound = edge_exponents(chain(), nodes, 0.1)
    assert -1.0 <= sound[0] <= 1.1


def test_unusable_edges_are_refused() -> None:
    for arguments, named in (
        ((chain(), np.zeros(3), 0.1), "node_exponents"),
        ((chain(), np.zeros(4), 0.0), "T"),
        ((chain(), np.zeros(4), 0.1, "unions"), "neighbourhood"),
        ((sp.csr_array((2, 3)), np.zeros(3), 0.1), "W"),
    ):
        with pytest.raises(InputError, match=named):
            edge_exponents(*arguments)
