"""Scores of known errors and costs counted by hand."""

import numpy as np
import pytest
import scipy.sparse as sp

from hrsnn_brian.dynamics.cost import (
    network_cost,
    readout_ops_per_s,
    silent_fraction,
    synaptic_ops_per_s,
)
from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.scores import nrmse, rmse, valid_prediction_time


def test_rmse_and_nrmse_of_known_errors() -> None:
    target = np.array([[0.0, 10.0], [2.0, 30.0]])  # standard deviations 1 and 10
    prediction = target + np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert rmse(prediction, target) == pytest.approx(np.sqrt(0.5))
    assert nrmse(prediction, target) == pytest.approx(np.sqrt(0.5))
    assert nrmse(target + [3.0, 0.0], target) == pytest.approx(3.0 / np.sqrt(2.0))


def test_nrmse_is_one_for_the_mean_and_blind_to_units() -> None:
    generator = np.random.default_rng(1)
    target, noise = generator.normal(size=(2, 500, 3))
    mean = np.broadcast_to(target.mean(axis=0), target.shape)
    assert nrmse(mean, target) == pytest.approx(1.0)
    scale, shift = np.array([1.0, 20.0, 0.3]), np.array([5.0, -2.0, 0.0])
    predicted = target + noise
    assert nrmse(predicted * scale + shift, target * scale + shift) == pytest.approx(
        nrmse(predicted, target)
    )


@pytest.mark.parametrize("value", [5.0, 5.1])  # the variance of 5.1 is a rounding error, not 0
def test_nrmse_of_a_constant_target_is_undefined(value: float) -> None:
    assert np.isnan(nrmse(np.zeros((7, 1)), np.full((7, 1), value)))
    varies = np.column_stack([np.full(7, value), np.arange(7.0)])
    assert np.isnan(nrmse(varies, varies))


def test_vpt_of_a_growing_error() -> None:
    """e(k) = 1e-3 exp(0.018 k) passes 0.4 at k = ln(400)/0.018 = 332.9: 333 valid steps."""
    truth = np.zeros((600, 1))
    prediction = 1e-3 * np.exp(0.018 * np.arange(600.0))[:, None]
    assert valid_prediction_time(prediction, truth, 0.4) == 333
    assert valid_prediction_time(prediction, truth, 0.4, steps_per_unit=50.0) == 333 / 50
    assert valid_prediction_time(prediction, truth, 0.4, 50.0, cap=5.0) == 5.0


def test_vpt_at_its_ends() -> None:
    truth = np.zeros((40, 2))
    small, large = np.full((40, 2), 0.4), np.full((40, 2), 0.4001)
    assert valid_prediction_time(small, truth, 0.4, steps_per_unit=4.0) == 10.0  # never exceeds
    assert valid_prediction_time(small, truth, 0.4, 4.0, cap=7.5) == 7.5
    assert valid_prediction_time(large, truth, 0.4) == 0.0  # exceeds at step 0


def test_vpt_takes_the_first_crossing_and_the_mean_over_variables() -> None:
    truth = np.zeros((10, 4))
    prediction = np.zeros((10, 4))
    prediction[3, 0] = 0.79  # root mean square over four variables: 0.395
    prediction[5, 0] = 0.81  # 0.405, and back below afterwards
    assert valid_prediction_time(prediction, truth, 0.4) == 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_vpt_counts_a_diverged_run_as_exceeding(bad: float) -> None:
    prediction = np.zeros((10, 1))
    prediction[4:] = bad
    assert valid_prediction_time(prediction, np.zeros((10, 1)), 0.4) == 4


def test_scores_refuse_shapes_that_do_not_match() -> None:
    with pytest.raises(InputError, match="prediction"):
        rmse(np.zeros(3), np.zeros((3, 1)))
    with pytest.raises(InputError, match="empty"):
        rmse(np.zeros((0, 1)), np.zeros((0, 1)))
    with pytest.raises(InputError, match="steps, variables"):
        valid_prediction_time(np.zeros(3), np.zeros(3))


def test_synaptic_operations_count_fan_out_not_fan_in() -> None:
    dense = np.zeros((4, 4))
    dense[1:, 0] = 0.1  # neuron 0 projects to three, 3 to one; [post, pre]
    dense[0, 3] = -0.2
    W = sp.csr_array(dense)
    counts = np.array([10, 5, 0, 2])
    assert synaptic_ops_per_s(W, counts, seconds=2.0) == (10 * 3 + 2 * 1) / 2.0
    assert readout_ops_per_s(counts, 2.0, n_traces=3, n_outputs=2) == 17 * 6 / 2.0
    assert silent_fraction(counts, 2.0) == 0.25
    assert silent_fraction(counts, 2.0, at_most_hz=1.0) == 0.5
    cost = network_cost(W, counts, 2.0, n_traces=3, n_outputs=2)
    assert (cost.neurons, cost.synapses, cost.rate_hz) == (4, 4, 17 / 8)
    assert cost.to_dict()["synaptic_ops_per_s"] == 16.0


def test_synaptic_operations_equal_the_deliveries_of_a_simulated_raster() -> None:
    generator = np.random.default_rng(4)
    W = sp.random_array((60, 60), density=0.1, format="csr", rng=generator)
    raster = generator.random((500, 60)) < 0.03
    delivered = sum(int((W.toarray()[:, row] != 0).sum()) for row in raster)
    assert synaptic_ops_per_s(W, raster.sum(axis=0), 0.5) == pytest.approx(delivered / 0.5)


def test_cost_refuses_impossible_input() -> None:
    W = sp.csr_array((3, 3))
    with pytest.raises(InputError, match="seconds"):
        synaptic_ops_per_s(W, np.ones(3), 0.0)
    with pytest.raises(InputError, match="negative"):
        synaptic_ops_per_s(W, np.array([1, -1, 0]), 1.0)
    with pytest.raises(InputError, match="square"):
        synaptic_ops_per_s(W, np.ones(4), 1.0)
