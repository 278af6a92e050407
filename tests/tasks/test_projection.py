"""Few columns to a neuron: who sees what, and what becomes of it."""

from dataclasses import replace

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.tasks.projection import InputSettings, few_columns, projected


@pytest.fixture(scope="module")
def network() -> hb.Network:
    return hb.build_network(hb.HRSNNParams(N=400, K=5), seed=1)


def test_a_neuron_sees_so_many_columns_with_signs_and_norm_one(network):
    weights = few_columns(network, 50, 9).toarray()
    np.testing.assert_array_equal((weights != 0).sum(axis=1), 9)
    np.testing.assert_allclose(np.abs(weights[weights != 0]), 1 / 3)
    # 400 neurons of 9 of 50 columns: 72 a column, sd 7.7; signs of 3600: sd 1/60
    assert np.abs((weights != 0).sum(axis=0) - 72).max() < 5 * 7.7
    assert abs(np.sign(weights).sum() / 3600) < 5 / 60
    assert (few_columns(network, 4, 9).toarray() != 0).all()


def test_columns_belong_to_the_original_neurons_and_to_the_seed_of_the_network(network):
    pruned = network.without_neurons(np.arange(0, 400, 3))
    whole = few_columns(network, 50, 9).toarray()
    np.testing.assert_array_equal(few_columns(pruned, 50, 9).toarray(), whole[pruned.neuron_id])
    assert not np.array_equal(few_columns(replace(network, seed=2), 50, 9).toarray(), whole)


def test_currents_are_gain_times_sum_and_offset_of_variance_one(network):
    trials = np.random.default_rng(0).standard_normal((200, 3, 50))
    found = projected(InputSettings(seen=9, offset=0.5), network, trials)
    weights = few_columns(network, 50, 9).toarray()
    gain = network.params.encoder.gain
    np.testing.assert_allclose(found, gain * (trials @ weights.T + 0.5))
    assert found.std() == pytest.approx(gain, rel=0.02)


def test_a_trial_gets_the_same_currents_to_the_bit_whatever_is_shown_beside_it(network):
    trials = np.random.default_rng(0).standard_normal((7, 3, 50))
    found = projected(InputSettings(), network, trials)
    for k in range(7):
        np.testing.assert_array_equal(
            projected(InputSettings(), network, trials[k : k + 1])[0], found[k]
        )


def test_what_a_neuron_sees_stays_what_saved_models_were_fitted_to(network):
    signs = np.sign(few_columns(network, 6, 3).toarray()[:2])
    assert signs.tolist() == [[0, 0, 1, 1, 0, -1], [-1, 0, 0, -1, -1, 0]]
