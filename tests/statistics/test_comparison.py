"""Paired statistics: against scipy, against enumeration, and on cases known by hand."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from hrsnn_brian.errors import InputError
from hrsnn_brian.statistics.comparison import compare_family, holm, paired_test, signed_rank_test
from hrsnn_brian.statistics.paired_seeds import by_seed

RNG = np.random.default_rng


def scores(n=12, shift=0.3, seed=0):
    random = RNG(seed)
    base = random.normal(size=n)
    return base + shift + 0.4 * random.normal(size=n), base


@pytest.mark.parametrize("n", [6, 10, 25])
def test_both_tests_agree_with_scipy(n):
    a, b = scores(n, seed=n)
    test = paired_test(a, b, confidence=0.9)
    reference = stats.ttest_rel(a, b)
    interval = reference.confidence_interval(0.9)
    assert test.t == pytest.approx(reference.statistic, rel=1e-12)
    assert test.p_t == pytest.approx(reference.pvalue, rel=1e-10)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    exact = stats.wilcoxon(a, b, method="exact")
    assert test.p_wilcoxon == pytest.approx(exact.pvalue, rel=1e-12)
    ranks = stats.rankdata(np.abs(a - b))
    assert test.signed_rank == ranks[a > b].sum()
    assert test.dz == pytest.approx(np.mean(a - b) / np.std(a - b, ddof=1), rel=1e-12)
    assert (test.pairs, test.wins, test.ties) == (n, int(np.sum(a > b)), 0)


@pytest.mark.parametrize(
    "d", [[1, 1, -1, 2, 2, 2, -3], [0.5, 0, -0.5, 1, 1, 4], [1.0, -1, 2, -2, 3, 0, 0, 5, 5]]
)
def test_the_signed_rank_p_is_exact_with_ties_and_zeros(d):
    """Against all sign patterns of the mean ranks, one by one."""
    d = np.array(d, dtype=float)
    d = d[d != 0]
    ranks = stats.rankdata(np.abs(d))
    observed = ranks[d > 0].sum()
    law = [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=d.size)]
    centre = ranks.sum() / 2
    p = np.mean(np.abs(np.array(law) - centre) >= abs(observed - centre))
    assert signed_rank_test(d) == pytest.approx((observed, p), rel=1e-12)


def test_the_smallest_p_of_ten_seeds_and_the_law_of_many():
    assert signed_rank_test(np.arange(1.0, 11)) == (55.0, 2.0**-9)
    assert signed_rank_test(np.zeros(5)) == (0.0, 1.0)
    d = RNG(1).normal(0.15, 1, 300)  # far beyond 2^-n in any term; the normal law holds here
    assert signed_rank_test(d)[1] == pytest.approx(
        stats.wilcoxon(d, method="approx", correction=True).pvalue, rel=0.02
    )


def test_under_the_null_five_percent_are_false_alarms():
    random, trials = RNG(2), 1500
    p = np.array([paired_test(random.normal(size=10), np.zeros(10)).p_t for _ in range(trials)])
    assert abs(np.mean(p < 0.05) - 0.05) < 4.5 * math.sqrt(0.05 * 0.95 / trials)


def test_equal_scores_are_no_difference_and_a_constant_one_is_infinitely_clear():
    same = paired_test([1.0, 2, 3], [1.0, 2, 3])
    assert (same.mean_difference, same.dz, same.t, same.p_t, same.p_wilcoxon) == (0, 0, 0, 1, 1)
    assert same.ties == 3
    assert not same.favours("lower")
    assert not same.favours("higher")
    constant = paired_test([1.5, 2.5, 3.5], [1.0, 2, 3])
    assert (constant.mean_difference, constant.low, constant.high) == (0.5, 0.5, 0.5)
    assert constant.dz == constant.t == math.inf
    assert constant.p_t == 0


def test_swapping_the_methods_mirrors_everything_and_keeps_p():
    a, b = scores()
    one, other = paired_test(a, b), paired_test(b, a)
    assert (one.p_t, one.p_wilcoxon) == pytest.approx((other.p_t, other.p_wilcoxon))
    assert (one.dz, one.t, one.low) == pytest.approx((-other.dz, -other.t, -other.high))
    assert one.signed_rank + other.signed_rank == 12 * 13 / 2


def test_holm_by_hand_and_never_above_bonferroni():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_array_equal(holm([0.9, 0.8]), [1, 1])
    np.testing.assert_array_equal(holm([]), [])
    np.testing.assert_array_equal(holm([0.2]), [0.2])
    p = RNG(3).random(20) ** 3
    corrected = holm(p)
    assert np.all((corrected >= p) & (corrected <= np.minimum(1, 20 * p) + 1e-15))
    np.testing.assert_array_equal(np.argsort(corrected[np.argsort(p)], kind="stable"), range(20))
    order = RNG(4).permutation(20)
    np.testing.assert_array_equal(holm(p[order]), corrected[order])


def test_a_family_is_corrected_as_one_and_a_verdict_needs_sign_and_both_tests():
    family = {name: scores(12, shift, k) for k, (name, shift) in enumerate(SHIFTS.items())}
    tests = compare_family(family)
    np.testing.assert_allclose(
        [t.p_t_holm for t in tests.values()], holm([t.p_t for t in tests.values()])
    )
    np.testing.assert_allclose(
        [t.p_wilcoxon_holm for t in tests.values()], holm([t.p_wilcoxon for t in tests.values()])
    )
    assert tests["large"].favours("higher")
    assert not tests["large"].favours("lower")
    assert tests["negative"].favours("lower")
    assert not tests["none"].favours("higher")
    assert not tests["none"].favours("lower")
    five = paired_test(np.arange(1.0, 6) + 100, np.zeros(5))  # five pairs: p of ranks is 1/16
    assert five.p_t < 1e-6
    assert not five.favours("higher")


SHIFTS = {"large": 1.5, "none": 0.0, "negative": -1.5}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired_test([1.0], [2.0]), r"scores a = \(1,\): .*at least 2"),
        (lambda: paired_test([1.0, 2], [2.0, 1, 3]), r"scores b = \(3,\): must be \(2,\)"),
        (lambda: paired_test([1.0, 2], [2.0, math.nan]), r"scores b = nan: .*entry 1"),
        (lambda: paired_test([1.0, 2], [2.0, 3], confidence=1), r"confidence = 1: "),
        (lambda: holm([0.1, 1.2]), r"p values = .* from 0 to 1"),
        (lambda: holm([0.1, math.nan]), r"p values = .* from 0 to 1"),
        (lambda: compare_family({"x": ([1.0], [1.0])}), r"scores a of 'x' = \(1,\)"),
        (lambda: paired_test(*scores()).favours("lowest"), r"did you mean 'lower'"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_cell_that_is_no_number_is_refused():
    rows = [{"rule": "a", "seed": 1, "score": "0.5"}, {"rule": "a", "seed": 2, "score": "foo"}]
    with pytest.raises(InputError, match="column 'score' holds 'foo', not a number"):
        by_seed(rows, "rule", "score")
    assert by_seed([*rows[:1], {"rule": "b", "seed": 1}], "rule", "score") == {
        "a": {1: 0.5},
        "b": {},
    }
