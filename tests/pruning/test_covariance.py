"""Covariance of the filtered rates: from samples, and from the linear response."""

import math

import numpy as np
import pytest
from random_networks import weights
from scipy.linalg import expm

from hrsnn_brian.dynamics.covariance import (
    linear_covariance,
    linear_operator,
    stationary_covariance,
    trace_covariance,
)
from hrsnn_brian.errors import InputError

RNG = np.random.default_rng


def test_covariance_of_uncoupled_and_of_two_coupled_neurons_is_the_analytic_one():
    tau = np.array([0.01, 0.02, 0.05])
    C = linear_covariance(np.zeros((3, 3)), tau, sigma=0.3)
    np.testing.assert_allclose(C, np.diag(0.3**2 / (2 * tau)), atol=1e-12)
    # feed-forward chain x -> y, rates a and b: moments of the two-dimensional OU by hand
    a, b, k = 1 / 0.01, 1 / 0.02, 0.7
    W = np.array([[0.0, 0.0], [k, 0.0]])
    C = linear_covariance(W, np.array([0.01, 0.02]), gain=1.0)
    xx = a / 2
    xy = k * b * xx / (a + b)
    yy = b / 2 + k * xy
    np.testing.assert_allclose(C, [[xx, xy], [xy, yy]], rtol=1e-10)


def test_covariance_agrees_with_a_simulated_ornstein_uhlenbeck_process():
    """Exact discretisation by Van Loan's block exponential, which never solves for C."""
    W, tau = weights(6, 3, seed=2) * 0.1, np.linspace(0.01, 0.03, 6)
    A, Q, step = linear_operator(W.toarray(), tau, 1.0), np.diag(tau**-2.0), 0.005
    block = expm(np.block([[-A, Q], [np.zeros((6, 6)), A.T]]) * step)
    F = block[6:, 6:].T
    kick = np.linalg.cholesky(F @ block[:6, 6:])
    random, x = RNG(14), np.zeros((4000, 6))
    for _ in range(100):  # 0.5 s, >= 10 slowest time constants; replicas are independent
        x = x @ F.T + random.standard_normal(x.shape) @ kick.T
    C = linear_covariance(W, tau, gain=1.0)
    measured = trace_covariance(x)
    error = np.sqrt((np.outer(np.diag(C), np.diag(C)) + C**2) / x.shape[0])
    assert np.abs((measured - C) / error).max() < 4.5
    np.testing.assert_allclose(A @ C + C @ A.T, -Q, atol=1e-8 * Q.max())


def test_an_unstable_network_is_refused_at_a_given_gain_and_tamed_by_default():
    W, tau = weights(), np.full(40, 0.02)
    with pytest.raises(InputError, match=r"A = .*must be stable"):
        linear_covariance(W, tau, gain=10.0)
    A = linear_operator(W.toarray(), tau, 10.0)
    assert np.linalg.eigvals(A).real.max() > 0
    with pytest.raises(InputError, match="must be stable"):
        stationary_covariance(A, np.eye(40))
    for tau_m in (tau, RNG(0).gamma(0.5, 0.04, 40) + 1e-3):
        assert np.linalg.eigvalsh(linear_covariance(W, tau_m)).min() > 0
    chain = np.diag(np.full(9, 3.0), -1)  # no loops: spectral radius 0
    assert np.isfinite(linear_covariance(chain, tau[:10])).all()


def test_trace_covariance_refuses_what_is_no_sample():
    with pytest.raises(InputError, match="traces"):
        trace_covariance(np.ones((1, 5)))
    with pytest.raises(InputError, match="traces = nan: must be finite"):
        trace_covariance(np.array([[1.0], [math.nan]]))
