"""Survivors: probabilities, the three selections, the schedule."""

import math

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.pruning.survivors import (
    _integer_lengths,
    geometric_schedule,
    probabilities,
    sample_fixed,
    sample_independent,
    select_top,
)

RNG = np.random.default_rng

# ---- probabilities ------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 7, 50, 199, 300, 399])
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_probabilities_sum_to_the_budget_and_are_proportional_below_one(budget, scale):
    q = RNG(3).pareto(1.1, 400) * scale
    p = probabilities(q, budget)
    assert p.sum() == pytest.approx(budget, rel=1e-12)
    assert np.all((p > 0) & (p <= 1))
    free = p < 1
    if free.any():
        K = p[free] / (q[free] / q.max())
        np.testing.assert_allclose(K, K[0], rtol=1e-10)
        assert np.all(K[0] * q[~free] / q.max() >= 1 - 1e-10)


def test_probabilities_agree_with_plain_bisection_on_K():
    q = RNG(4).lognormal(0, 2, 1000)
    for budget in (10, 250, 800):
        low, high = 0.0, 1000.0 / q.min()
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (
                (low, middle) if np.minimum(1, middle * q).sum() > budget else (middle, high)
            )
        np.testing.assert_allclose(probabilities(q, budget), np.minimum(1, low * q), rtol=1e-9)


def test_probabilities_with_ties_zeros_and_saturation_by_hand():
    np.testing.assert_allclose(probabilities(np.ones(8), 2), np.full(8, 0.25), rtol=1e-15)
    # 10 saturates; what is left, 1, is shared 1:1:2 and the zero gets nothing
    np.testing.assert_allclose(
        probabilities(np.array([10.0, 1, 1, 2, 0]), 2), [1, 0.25, 0.25, 0.5, 0], rtol=1e-14
    )
    # K q = 1 exactly for the largest: both readings give the same p
    np.testing.assert_allclose(probabilities(np.array([2.0, 1, 1]), 2), [1, 0.5, 0.5], rtol=1e-15)
    np.testing.assert_array_equal(probabilities(np.array([5.0, 0, 3, 0]), 2), [1, 0, 1, 0])
    np.testing.assert_array_equal(probabilities(np.array([5.0, 0, 3, 0]), 3), [1, 0.5, 1, 0.5])
    np.testing.assert_array_equal(probabilities(np.array([5.0, 0, 3, 0]), 4), [1, 1, 1, 1])
    np.testing.assert_array_equal(probabilities(np.zeros(4), 1), [0.25] * 4)
    np.testing.assert_array_equal(probabilities(np.array([1.0, 2]), 0), [0, 0])


@pytest.mark.parametrize("q", [[1.0, -1e-9], [1.0, math.nan], [1.0, math.inf]])
def test_probabilities_refuse_importances_that_are_none(q):
    with pytest.raises(InputError, match=r"importance q = .*finite and >= 0 \(entry 1\)"):
        probabilities(np.array(q), 1)
    with pytest.raises(InputError, match=r"budget = 3: must be from 0 to 2"):
        probabilities(np.ones(2), 3)


# ---- sampling -----------------------------------------------------------------------------


def test_fixed_size_sampling_keeps_exactly_the_budget_with_the_wanted_probabilities():
    p = probabilities(np.concatenate((RNG(5).gamma(1, 1, 58), [40.0, 0.0])), 20)
    assert p[-2] == 1
    assert p[-1] == 0
    random, draws = RNG(6), 4000
    hits = np.zeros(60)
    for _ in range(draws):
        mask = sample_fixed(p, random)
        assert mask.sum() == 20
        hits += mask
    certain = (p == 0) | (p == 1)
    np.testing.assert_array_equal(hits[certain], draws * p[certain])
    z = ((hits - draws * p) / np.sqrt(draws * p * (1 - p) + certain))[~certain]
    assert z.size > 50
    assert np.abs(z).max() < 4.5
    assert np.mean(z**2) == pytest.approx(1, abs=5 * math.sqrt(2 / z.size))


def test_fixed_size_sampling_is_exact_where_floating_point_would_not_be():
    random = RNG(7)
    for p in (
        np.full(30, 0.1),
        np.concatenate((np.full(9, 1 - 1e-16), [1.0])),
        np.concatenate((np.full(500, 1 - 1e-13), np.full(500, 1e-13))),
        probabilities(random.pareto(0.5, 200_000), 150_001),
        np.zeros(4),
    ):
        assert sample_fixed(p, random).sum() == round(p.sum())
    with pytest.raises(InputError, match=r"sum of p = 1\.5: must be a whole number"):
        sample_fixed(np.array([0.5, 0.5, 0.5]), random)


def test_round_off_of_the_comb_is_spread_and_never_changes_the_count():
    for p, count in ((np.full(30, 0.1), 3), (np.array([1, 0, 0.7, 0.7, 0.6]), 3)):
        lengths = _integer_lengths(p, count, bits=4)  # coarse: 0.1 is 1.6 units of 1/16
        assert lengths.sum() == count * 16
        assert np.all(np.abs(lengths - 16 * p) < 2)
        np.testing.assert_array_equal(lengths[p == 0], 0)
        np.testing.assert_array_equal(lengths[p == 1], 16)


def test_fixed_size_sampling_has_no_order():
    """Neighbours in the array are not favoured or excluded: pairs occur as for equal p."""
    p, random, draws = np.full(10, 0.3), RNG(8), 6000
    both = sum(bool(m[0] and m[1]) for m in (sample_fixed(p, random) for _ in range(draws)))
    expected = 3 * 2 / (10 * 9)  # simple random sampling of 3 of 10
    assert abs(both / draws - expected) < 4.5 * math.sqrt(expected * (1 - expected) / draws)


def test_independent_sampling_meets_the_budget_within_its_stated_variance():
    p = probabilities(RNG(9).gamma(1, 1, 500), 100)
    counts = np.array([sample_independent(p, RNG(k)).sum() for k in range(1500)])
    variance = np.sum(p * (1 - p))
    assert abs(counts.mean() - 100) < 4.5 * math.sqrt(variance / counts.size)
    assert counts.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / counts.size))


def test_top_keeps_the_largest_and_draws_lots_among_ties():
    q = np.array([3.0, 1, 1, 5, 1, 1, 0])
    hits = np.sum([select_top(q, 4, RNG(k)) for k in range(2000)], axis=0)
    assert hits[0] == hits[3] == 2000
    assert hits[6] == 0
    assert np.all(np.abs(hits[[1, 2, 4, 5]] - 1000) < 4.5 * math.sqrt(500))
    assert select_top(q, 0, RNG(0)).sum() == 0
    assert select_top(q, 7, RNG(0)).all()


# ---- schedule -----------------------------------------------------------------------------


def test_schedule_is_geometric_and_ends_on_the_budget():
    schedule = geometric_schedule(20_000, 1_000, 8)
    assert schedule[-1] == 1_000
    assert len(schedule) == 8
    ratios = np.diff(np.log((20_000, *schedule)))
    np.testing.assert_allclose(ratios, np.log(0.05) / 8, atol=1e-3)
    assert geometric_schedule(10, 10, 3) == (10, 10, 10)
