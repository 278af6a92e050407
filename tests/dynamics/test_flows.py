"""Flows and maps as users write them: their functions, their units, and what is zero."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hrsnn_brian.dynamics.exponents.flows import map_exponents
from hrsnn_brian.dynamics.exponents.hard_cases import OwnArray, folded, two_phases, van_der_pol
from hrsnn_brian.dynamics.exponents.qr import zero_within_error
from hrsnn_brian.dynamics.exponents.result import LostExponents, SpectrumResult, spectrum_result
from hrsnn_brian.dynamics.exponents.systems import estimate, henon, lorenz63
from hrsnn_brian.errors import InputError

ONE = np.array([1.0, 2.0, 20.0])
THREE = np.array([[1.0, 2.0, 20.0], [-3.0, 4.0, 22.0], [5.0, 5.0, 15.0]])
SHORT: dict[str, Any] = {"dt": 0.01, "duration": 5.0, "transient": 1.0}


def exponents_of(rhs: Callable[..., Any], x0: np.ndarray = ONE, **settings: Any) -> np.ndarray:
    return estimate("flow", rhs, x0, **(SHORT | settings)).exponents


# --- functions ----------------------------------------------------------------------------------


def one_state(t: float, s: np.ndarray) -> np.ndarray:
    x, y, z = s
    return np.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - (8.0 / 3.0) * z])


def as_list(t: float, s: np.ndarray) -> list[Any]:
    return list(one_state(t, s))


def list_of_stacks(t: float, s: np.ndarray) -> list[Any]:
    return as_list(t, np.moveaxis(s, -1, 0))


def rows(t: float, s: np.ndarray) -> np.ndarray:
    return one_state(t, (s[:, 0], s[:, 1], s[:, 2])).T


def column(t: float, s: np.ndarray) -> np.ndarray:
    return one_state(t, s)[:, None]


def branching(t: float, s: np.ndarray) -> np.ndarray:
    return one_state(t, s) if s[0] > -1e9 else s


def coupled(t: float, s: np.ndarray) -> np.ndarray:
    """Every state is drawn to the mean of the stack; a state alone is Lorenz 1963."""
    return lorenz63(t, s) - 0.1 * (s - s.mean(axis=tuple(range(s.ndim - 1))))


def changes_its_input(t: float, s: np.ndarray) -> np.ndarray:
    found = lorenz63(t, s)
    s += 1.0
    return found


@pytest.mark.parametrize("x0", [ONE, THREE], ids=["one start", "three starts"])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    "rhs",
    [
        *(OwnArray(), one_state, as_list, list_of_stacks, rows, column, branching, coupled),
        changes_its_input,
    ],
    ids=lambda rhs: getattr(rhs, "__name__", "OwnArray"),
)
def test_a_function_written_another_way_gives_the_same_numbers(
    rhs: Callable[..., Any], k: int, x0: np.ndarray
) -> None:
    np.testing.assert_array_equal(exponents_of(rhs, x0, k=k), exponents_of(lorenz63, x0, k=k))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_matrix_before_the_state(k: int) -> None:
    """With k = 2 there are as many copies as variables, and the product mixes them unnoticed."""
    A = np.array([[-1.0, 0.5, 0.0], [0.0, -2.0, 0.3], [0.0, 0.0, -3.0]])
    settings = {"k": k, "duration": 20.0, "transient": 30.0}
    found = exponents_of(lambda t, x: A @ x, **settings)
    np.testing.assert_allclose(found, [-1.0, -2.0, -3.0][:k], atol=1e-5)


def test_maps_that_return_their_own_array_a_tuple_or_their_input() -> None:
    own = np.empty((1, 3, 2)), np.empty((1, 1, 2))

    def step(x: np.ndarray) -> np.ndarray:
        found = next((array for array in own if array.shape == x.shape), np.empty(x.shape))
        found[..., 0] = 1.0 - 1.4 * x[..., 0] * x[..., 0] + x[..., 1]
        found[..., 1] = 0.3 * x[..., 0]
        return found

    def in_place(x: np.ndarray) -> np.ndarray:
        x[...] = henon(x)
        return x

    start, settings = np.array([0.1, 0.1]), {"n": 200, "n_renorm": 3}
    wanted = estimate("map", henon, start, **settings).exponents
    pair = lambda s: (1.0 - 1.4 * s[0] * s[0] + s[1], 0.3 * s[0])  # noqa: E731
    for function in (step, in_place, pair):
        np.testing.assert_array_equal(
            estimate("map", function, start, **settings).exponents, wanted
        )
    number = map_exponents(lambda x: 4.0 * x[0] * (1.0 - x[0]), [0.3], n=200).exponents
    np.testing.assert_array_equal(
        number, map_exponents(lambda x: 4.0 * x * (1.0 - x), [0.3], n=200).exponents
    )


def noisy() -> Callable[..., Any]:
    random = np.random.default_rng(0)
    return lambda t, x: lorenz63(t, x) + random.normal(size=x.shape)


@pytest.mark.parametrize(
    ("rhs", "reason"),
    [
        (lambda t, x: None, "returned None"),
        (lambda t, x: x[..., :2], r"returned shape \(2,\) for a state of shape \(3,\)"),
        (lambda t, x: -1.0, r"returned shape \(\) for a state of shape \(3,\)"),
        (lambda t, x: lorenz63(t, x) + 0j, "complex128, not real numbers"),
        (lambda t, x: lorenz63(t, x).astype(np.float32), "float32, whose rounding"),
        (lambda x, t: one_state(t, x), "TypeError: cannot unpack"),
        (noisy(), "other values when called again"),
        ("lorenz", "must be a function"),
    ],
)
def test_a_function_that_cannot_be_used_is_refused_with_the_shape_wanted(
    rhs: Any, reason: str
) -> None:
    with pytest.raises(InputError, match=reason) as raised:
        exponents_of(rhs)
    assert str(raised.value).startswith("rhs = ")
    assert "\n" not in str(raised.value)
    if callable(rhs):
        assert "rhs(t, x) takes x of shape (..., 3), or one state (3,)" in str(raised.value)
    if "None" in reason:
        with pytest.raises(InputError, match=r"step\(x\) takes x of shape \(\.\.\., 1\)"):
            map_exponents(lambda x: None, [0.3], n=10)


def test_states_that_are_coupled_later_on_are_noticed() -> None:
    def rhs(t: float, x: np.ndarray) -> np.ndarray:
        far = np.abs(x).max() > 24.0  # of all states together
        return lorenz63(t, x) - far * 0.1 * (x - x.mean(axis=tuple(range(x.ndim - 1))))

    with pytest.raises(InputError, match="if not yet at x0"):
        exponents_of(rhs, 0.5 * ONE, duration=1.0, transient=0.0)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"dt": "0.01"}, "dt = '0.01'"),
        ({"dt": None}, "dt = None"),
        ({"duration": True}, "duration = True"),
        ({"transient": math.nan}, "transient = nan"),
        ({"transient": "1"}, "transient = '1'"),
        ({"k": 2.0}, "k = 2.0"),
        ({"d0": math.inf}, "d0 = inf"),
        ({"x0": [1.0, 2.0, 3j]}, "x0 = .* real numbers"),
        ({"x0": ["a", "b"]}, "x0 = .* real numbers"),
        ({"x0": [[1.0, 2.0], [1.0]]}, "x0 = .* same dimension"),
    ],
)
def test_arguments_of_the_wrong_kind_are_named(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        estimate("flow", lorenz63, **({"x0": ONE} | SHORT | changed))


# --- units --------------------------------------------------------------------------------------


def rescaled(rhs: Callable[..., np.ndarray], unit: Any, offset: Any = 0.0) -> Callable[..., Any]:
    return lambda t, y: rhs(t, (y - offset) / unit) * unit


@pytest.mark.parametrize(
    ("unit", "offset"),
    [
        ([1e6, 1, 1], 0.0),
        ([1, 1, 1e7], 0.0),
        ([1e9, 1, 1], 0.0),
        ([1, 1e-7, 1], 0.0),
        ([1e-9, 1e-9, 1e-9], 0.0),
        ([1e-6, 1.0, 1e6], 0.0),
        ([1, 1, 1], [1e6, 0, 0]),
        ([1, 1, 1], [0, 1e8, 0]),
    ],
)
def test_exponents_do_not_depend_on_units_and_origin(unit: Any, offset: Any) -> None:
    """The same trajectories up to rounding; another norm at the ends of 15 time units."""
    start = np.random.default_rng(0).normal(size=(20, 3)) * 5 + np.array([0.0, 0.0, 25.0])
    settings = {"duration": 15.0, "transient": 10.0}
    wanted = estimate("flow", lorenz63, start, **(SHORT | settings))
    y0 = start * np.array(unit) + np.array(offset)
    function = rescaled(lorenz63, np.array(unit), np.array(offset))
    found = estimate("flow", function, y0, **(SHORT | settings))
    assert found.valid
    np.testing.assert_allclose(found.exponents, wanted.exponents, atol=0.05)
    assert found.exponents.sum() == pytest.approx(-41 / 3, abs=2e-3)


def test_a_map_does_not_depend_on_units() -> None:
    unit = np.array([1.0, 1e7])
    start = np.random.default_rng(0).uniform(-0.1, 0.1, size=(20, 2))
    found = map_exponents(lambda y: henon(y / unit) * unit, start * unit, n=1000)
    np.testing.assert_allclose(found.exponents, [0.4192, math.log(0.3) - 0.4192], atol=0.01)
    tiny = map_exponents(lambda y: henon(y / 1e-9) * 1e-9, start * 1e-9, n=1000)
    np.testing.assert_allclose(tiny.exponents, [0.4192, math.log(0.3) - 0.4192], atol=0.01)


def test_a_single_interval_saturates_too() -> None:
    """It has one state after it: its range is that from the state before."""
    found = estimate("flow", lorenz63, ONE, dt=0.01, duration=20.0, t_renorm=20.0, transient=20.0)
    assert any("saturation" in flag for flag in found.flags)


def test_perturbations_that_are_not_small_are_refused() -> None:
    fine = estimate("flow", lorenz63, ONE, d0=1e-3, **SHORT)
    assert fine.valid
    coarse = estimate("flow", lorenz63, ONE, d0=0.1, **SHORT)
    assert np.isnan(coarse.exponents).all()
    assert "not small: they move variable" in coarse.flags[0]


@pytest.mark.parametrize("start", [[0.0, 0.0], [1e-12, 0.0], [1.0, 1.0], [1e5, 1.0]])
def test_variables_at_rest_or_settling_keep_their_exponents(start: list[float]) -> None:
    """A stable fixed point at (0, 0) and, shifted, at (3, -2): no range is left to compare with."""
    rates = np.array([-1.0, -3.0])
    for rest in (np.zeros(2), np.array([3.0, -2.0])):
        found = estimate(
            "flow",
            lambda t, x, rest=rest: rates * (x - rest),
            rest + np.array(start),
            dt=0.01,
            duration=5.0,
            transient=20.0,
        )
        assert found.valid, found.flags
        np.testing.assert_allclose(found.exponents, rates, atol=1e-4)
        assert found.kaplan_yorke == 0.0


# --- what is zero -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_dimension_of_a_cycle_is_1_and_of_a_torus_2_whatever_the_sign_of_rounding(
    seed: int,
) -> None:
    settings: dict[str, Any] = {"dt": 0.04, "duration": 30.0, "transient": 15.0, "seed": seed}
    torus = estimate("flow", two_phases, np.array([1.0, 0.0, 0.0, 1.0]), **settings)
    assert (torus.kaplan_yorke, torus.entropy_rate) == (2.0, 0.0)
    starts = np.array([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.6, 0.8]])
    assert estimate("flow", two_phases, starts, **settings).kaplan_yorke == 2.0
    assert estimate("flow", two_phases, starts, k=3, **settings).kaplan_yorke == 2.0
    assert estimate("flow", two_phases, starts, k=2, **settings).kaplan_yorke is None

    def circle(t: float, x: np.ndarray) -> np.ndarray:
        return two_phases(t, np.concatenate([x, np.zeros_like(x)], axis=-1))[..., :2]

    cycle = estimate("flow", circle, np.array([1.0, 0.0]), **settings)
    assert (cycle.kaplan_yorke, cycle.entropy_rate) == (1.0, 0.0)
    shift = map_exponents(lambda x: x + 0.618, np.array([0.1]), n=200, seed=seed)
    assert (shift.kaplan_yorke, shift.entropy_rate) == (1.0, 0.0)


@pytest.mark.parametrize("start", [[2.0, 0.0], [[2.0, 0.0], [2.0, 0.0]]])
def test_a_cycle_that_ends_elsewhere_on_its_way_round_is_still_a_cycle(start: Any) -> None:
    """Growth goes up and down; blocks in step with the period, and equal starts, do not scatter."""
    found = estimate("flow", van_der_pol, start, dt=0.02, duration=100.0, transient=20.0)
    assert abs(found.exponents[0]) > 2 * found.standard_error[0]
    assert found.kaplan_yorke == 1.0


def test_a_conserved_and_a_slowly_damped_oscillation_are_told_apart() -> None:
    def oscillator(damping: float) -> SpectrumResult:
        A = np.array([[-damping, -1.0], [1.0, -damping]])
        return estimate(
            "flow",
            lambda t, x: x @ A.T,
            np.array([1.0, 0.0]),
            dt=0.02,
            duration=40.0,
            transient=5.0,
        )

    conserved, damped = oscillator(0.0), oscillator(1e-3)
    assert (conserved.kaplan_yorke, damped.kaplan_yorke) == (2.0, 0.0)
    np.testing.assert_allclose(damped.exponents, -1e-3, atol=1e-6)


@pytest.mark.parametrize("second", [1e-3, -1e-3])
def test_entropy_of_a_flow_is_known_from_its_zero(second: float) -> None:
    """The second exponent is 0, of either sign in numbers: no positive one follows."""
    noise = np.random.default_rng(0).normal(size=(5, 40, 2))
    logs = noise - noise.mean(axis=(0, 1)) + np.array([2.0, second])
    flow, network = spectrum_result(logs, 1.0, resolution=1e-6), spectrum_result(logs, 1.0)
    assert flow.entropy_rate == pytest.approx(2.0, abs=2e-3)
    assert network.entropy_rate == (None if second > 0 else pytest.approx(2.0))
    assert flow.kaplan_yorke is None


def test_zero_within_error_by_hand() -> None:
    values = np.array([1.0, -0.9, 0.0, np.nan, 1e-7, 2.0])
    errors = np.array([0.4, 0.5, 0.0, 1.0, np.nan, 1.1])
    found = zero_within_error(values, errors, 1e-6)
    np.testing.assert_array_equal(found, [False, True, True, False, True, True])


def test_an_open_sign_leaves_the_dimension_of_a_network_open() -> None:
    """Frozen input holds no exponent at 0: the dimension may be 0 or above 1."""
    noise = np.random.default_rng(0).normal(size=(5, 40, 2)) - np.array([0.0, 3.0])
    noise -= noise.mean(axis=(0, 1))
    for shift, dimension in ((1.0, 1.25), (1e-3, None), (-1e-3, None), (-1.0, 0.0)):
        logs = noise + np.array([shift, -4.0])
        found = spectrum_result(logs, 1.0)
        np.testing.assert_allclose(found.exponents, [shift, -4.0])
        assert found.kaplan_yorke == (dimension if dimension is None else pytest.approx(dimension))
        assert found.entropy_rate == pytest.approx(max(shift, 0.0), abs=1e-12)


# --- exponents that are lost --------------------------------------------------------------------


@pytest.mark.parametrize("second", ["nothing", "rounding"])
def test_a_singular_direction_leaves_the_leading_exponent(second: str) -> None:
    """ln 2 is kept; the second is -inf in theory, and below what can be resolved."""

    def to_nothing(x: np.ndarray) -> np.ndarray:
        return folded(x) * np.array([1.0, 0.0])

    function = to_nothing if second == "nothing" else folded
    start = np.random.default_rng(0).uniform(0.05, 0.95, size=(50, 2))
    found = map_exponents(function, start, n=500)
    assert found.exponents[0] == pytest.approx(math.log(2.0), abs=0.005)
    assert np.isnan(found.exponents[1])
    assert found.largest == found.exponents[0]
    assert not found.valid
    assert found.entropy_rate == pytest.approx(found.exponents[0])
    assert found.kaplan_yorke is None
    (flag,) = found.flags
    assert flag.startswith("exponent 2: ")
    assert flag.endswith(", or -inf")
    assert "of 25000 growths" in flag
    alone = map_exponents(function, start, k=1, n=500)
    assert alone.valid
    assert alone.largest == pytest.approx(found.largest, abs=1e-3)
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert stored["exponents"] == [found.largest, None]


def test_lost_columns_come_last_and_spare_the_others() -> None:
    logs = np.tile([[1.0, 2.0, 9.0, -1.0]], (5, 1))
    logs[:, 2] = np.nan
    found = spectrum_result(logs, 1.0, complete=True, lost=LostExponents(2, "lost", negative=True))
    np.testing.assert_array_equal(found.exponents, [2.0, 1.0, np.nan, np.nan])
    assert found.flags == ("lost",)
    assert (found.kaplan_yorke, found.entropy_rate) == (None, 3.0)
    failed = spectrum_result(logs, 1.0, flags=["all"], lost=LostExponents(2, "lost"))
    assert np.isnan(failed.exponents).all()
    assert failed.flags == ("all", "lost")
    assert (failed.kaplan_yorke, failed.entropy_rate) == (None, None)
    open_sign = spectrum_result(logs, 1.0, complete=True, lost=LostExponents(2, "lost"))
    assert open_sign.entropy_rate is None
