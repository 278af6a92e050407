"""Compensation: what rescaling restores, on matrices alone."""

import math

import numpy as np
import pytest
from random_networks import weights
from scipy import sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.pruning.compensation import (
    Compensation,
    compensate,
    parse_compensation,
    row_power,
    variance_preserving,
)
from hrsnn_brian.pruning.survivors import keep_entries

RNG = np.random.default_rng


def dense_sums(W, sign, power):
    W = W.toarray()
    return (np.where(sign * W > 0, np.abs(W), 0) ** power).sum(axis=1)


def thinned(W, fraction, seed=11):
    return keep_entries(W, RNG(seed).random(W.nnz) < fraction)


@pytest.mark.parametrize("sign", [1, -1])
def test_row_compensation_with_alpha_one_restores_each_class_sum(sign):
    W = weights()
    kept = thinned(W, 0.4)
    restored = row_power(kept, W, 1.0)
    alive = dense_sums(kept, sign, 1) > 0
    assert alive.sum() > 20
    np.testing.assert_allclose(
        dense_sums(restored, sign, 1)[alive], dense_sums(W, sign, 1)[alive], rtol=1e-12
    )
    assert not dense_sums(restored, sign, 1)[~alive].any()


def test_row_half_and_variance_preserving_against_their_formulas():
    W = weights()
    kept = thinned(W, 0.4)
    half, variance = row_power(kept, W, 0.5).toarray(), variance_preserving(kept, W).toarray()
    dense, survivors = W.toarray(), kept.toarray()
    for post, pre in zip(*np.nonzero(survivors), strict=True):
        same = np.sign(dense[post]) == np.sign(dense[post, pre])
        former, now = dense[post][same], survivors[post][same]
        w = dense[post, pre]
        assert half[post, pre] == pytest.approx(w * math.sqrt(former.sum() / now.sum()), rel=1e-12)
        factor = math.sqrt((former**2).sum() / (now**2).sum())
        assert variance[post, pre] == pytest.approx(w * factor, rel=1e-12)
    np.testing.assert_array_equal(half != 0, survivors != 0)
    assert row_power(kept, W, 0.0).toarray() == pytest.approx(survivors)


@pytest.mark.parametrize("rescale", [row_power, variance_preserving])
def test_a_class_input_that_was_added_keeps_its_weight(rescale):
    """Neuron 0 had no inhibitory synapse before: there is no sum to restore, and none vanishes."""
    before = sparse.csr_array(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, -4.0], [0.0, 0.0, 0.0]]))
    now = sparse.csr_array(np.array([[0.0, 2.0, -3.0], [1.0, 0.0, -1.0], [0.5, 0.0, 0.0]]))
    after = rescale(now, before).toarray()
    assert after[0].tolist() == [0.0, 2.0, -3.0]
    assert after[2].tolist() == [0.5, 0.0, 0.0]
    assert after[1, 2] == pytest.approx(-2.0 if rescale is row_power else -4.0)


def test_capped_at_the_median_no_factor_is_above_it_and_half_are_as_they_were():
    W, p = weights(), RNG(2).uniform(0.01, 1.0, weights().nnz)
    factor = compensate(W, W, parse_compensation("capped"), p).data / W.data
    median = np.median(1 / p)
    np.testing.assert_allclose(factor, np.minimum(1 / p, median), rtol=1e-12)
    assert (factor > median * (1 + 1e-12)).sum() == 0
    assert np.isclose(factor, 1 / p).mean() == pytest.approx(0.5, abs=1 / W.nnz)
    none = keep_entries(W, np.zeros(W.nnz, dtype=bool))
    assert compensate(none, W, parse_compensation("capped"), np.zeros(0)).nnz == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("rows", r"compensation = 'rows': unknown; did you mean 'row'\?"),
        ("row 2", r"compensation = 'row 2': alpha must be from 0 to 1"),
        ("row nan", r"compensation = 'row nan': alpha must be"),
        ("literal 0.5", r"cap must be from 1 to inf"),
        ("row half", r"'half' is not a number"),
        ("none 1", r"'none' takes no number"),
        ("capped 2", r"'capped' takes no number"),
        ("row 1 2", r"must be one of none, row, variance, literal"),
    ],
)
def test_words_that_are_no_rule_are_refused(words, message):
    with pytest.raises(InputError, match=message):
        parse_compensation(words)


def test_rules_from_words():
    assert str(parse_compensation("row .5")) == "row 0.5"
    assert parse_compensation("literal").number == 1000
    assert parse_compensation("literal inf") == Compensation("literal", math.inf)
