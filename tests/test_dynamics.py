"""Measures of dynamics against values known in closed form."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.metrics import eigenmodes
from hrsnn_brian.metrics.dynamics import (
    autocorrelation_time,
    effective_dimension,
    isi_cv,
    memory_capacity,
    population_rate,
)
from hrsnn_brian.metrics.eigenmodes import (
    leading_modes,
    linearised,
    participation_gradient,
    participation_ratio,
    spectral_abscissa,
)
from hrsnn_brian.sparsification.covariance import linear_operator

RNG = np.random.default_rng


def random_weights(n, degree, seed=0, inhibition=6.0):
    random = RNG(seed)
    W = np.zeros((n, n))
    for post in range(n):
        pre = random.choice(np.delete(np.arange(n), post), degree, replace=False)
        W[post, pre] = random.gamma(2, 0.5, degree) / np.sqrt(degree)
    W[:, int(0.8 * n) :] *= -inhibition
    return sparse.csr_array(W)


def test_population_rate():
    """Spikes per bin over neurons and bin width; bin edges belong to the later bin."""
    times = [0.0, 0.01, 0.1, 0.2, 0.25, 0.3, 0.95]
    found = population_rate(np.array(times), 2, 1.0, 0.1)
    np.testing.assert_allclose(found, np.array([2, 1, 2, 1, 0, 0, 0, 0, 0, 1]) / 0.2)
    assert len(population_rate(np.array([0.95]), 1, 0.99, 0.1)) == 9
    assert not population_rate(np.array([]), 3, 1.0, 0.5).any()


def test_isi_cv_of_clock_two_intervals_and_poisson():
    random = RNG(0)
    trains = [np.arange(10) * 0.1, np.cumsum([1.0, 1, 3, 1, 3]), np.array([0.0, 1.0])]
    trains.append(np.cumsum(random.exponential(0.02, 20_000)))
    index = np.repeat([0, 1, 2, 4], [len(t) for t in trains])
    times = np.concatenate(trains)
    shuffled = random.permutation(len(times))
    found = isi_cv(index[shuffled], times[shuffled], 5)
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert found[1] == pytest.approx(0.5)  # intervals 1, 3, 1, 3: sd 1, mean 2
    assert np.isnan(found[2])  # one interval
    assert np.isnan(found[3])  # silent
    assert found[4] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_autocorrelation_time_of_ar1(phi):
    """rho_k = phi^k gives dt (1/2 + phi/(1 - phi)); shifts and scales do not matter."""
    random = RNG(1)
    x = np.zeros(200_000)
    noise = random.standard_normal(len(x))
    for t in range(1, len(x)):
        x[t] = phi * x[t - 1] + noise[t]
    expected = 0.002 * (0.5 + phi / (1 - phi))
    assert autocorrelation_time(x, 0.002) == pytest.approx(expected, rel=0.07)
    assert autocorrelation_time(100 + 7 * x, 0.002) == pytest.approx(
        autocorrelation_time(x, 0.002), rel=1e-6
    )


def test_autocorrelation_time_of_a_fine_exponential():
    """Sampled finely, an Ornstein-Uhlenbeck process gives back its relaxation time."""
    random, dt, tau = RNG(2), 1e-3, 20e-3
    decay = np.exp(-dt / tau)
    x = np.zeros(400_000)
    noise = random.standard_normal(len(x)) * np.sqrt(1 - decay**2)
    for t in range(1, len(x)):
        x[t] = decay * x[t - 1] + noise[t]
    assert autocorrelation_time(x, dt) == pytest.approx(tau, rel=0.07)
    assert np.isnan(autocorrelation_time(np.full(50, 0.1), dt))


def test_effective_dimension_of_known_spectra():
    """Equal variances in m directions give m; one direction 1; a spectrum s its own ratio."""
    T, N = 400, 9
    q, _ = np.linalg.qr(np.column_stack((np.ones(T), RNG(3).standard_normal((T, N)))))
    orthogonal = q[:, 1:]  # zero mean, orthonormal
    assert effective_dimension(orthogonal) == pytest.approx(N)
    assert effective_dimension(5 + np.outer(orthogonal[:, 0], np.arange(1.0, 6))) == pytest.approx(
        1
    )
    scale = np.array([3.0, 2, 1, 1, 0.5, 0, 0, 0, 0])
    expected = np.sum(scale**2) ** 2 / np.sum(scale**4)
    assert effective_dimension(orthogonal * scale) == pytest.approx(expected)
    rotation, _ = np.linalg.qr(RNG(4).standard_normal((N, N)))
    assert effective_dimension(orthogonal * scale @ rotation) == pytest.approx(expected)
    wide = RNG(5).standard_normal((6, 40))
    C = np.cov(wide, rowvar=False)
    assert effective_dimension(wide) == pytest.approx(np.trace(C) ** 2 / np.sum(C**2))
    assert np.isnan(effective_dimension(np.ones((5, 3))))
    # 0.1 is not the mean of seven times 0.1: what is left is rounding
    assert np.isnan(effective_dimension(np.full((7, 3), 0.1)))
    held = np.column_stack([orthogonal[:, 0] * 1e-9, np.full(len(orthogonal), 1e9 / 7)])
    assert effective_dimension(held) == pytest.approx(1.0)
    for unit in (1e-100, 1e200):
        assert effective_dimension(orthogonal * scale * unit) == pytest.approx(expected)


def test_memory_of_a_delay_line_is_its_length():
    u = RNG(6).uniform(-1, 1, 3000)
    line = np.column_stack([np.roll(u, k) for k in range(1, 8)])
    found = memory_capacity({"line": line}, u, max_delay=30, washout=20)
    np.testing.assert_allclose(found.by_delay[:7], 1, atol=1e-6)
    assert not found.by_delay[7:].any()
    assert found.total == pytest.approx(7, abs=1e-5)


def test_memory_of_a_leaky_unit():
    """x(t) = a x(t-1) + u(t) recalls delay k with r^2 = (1 - a^2) a^(2k)."""
    a, u = 0.8, RNG(7).uniform(-1, 1, 60_000)
    x = np.zeros(len(u))
    for t in range(len(u)):
        x[t] = a * x[t - 1] + u[t]
    found = memory_capacity({"x": x[:, None]}, u, max_delay=20, washout=100)
    expected = (1 - a**2) * a ** (2 * np.arange(1, 21))
    np.testing.assert_allclose(found.by_delay, expected, atol=0.01)
    assert found.total == pytest.approx(a**2, abs=0.03)


def test_memory_without_memory():
    """States that know nothing, or only the present, score 0 and not a sum of chance values."""
    u = RNG(8).uniform(-1, 1, 2000)
    blocks = {"now": np.column_stack((u, u**2)), "noise": RNG(9).standard_normal((2000, 20))}
    assert memory_capacity(blocks, u, max_delay=60).total < 0.1
    assert memory_capacity({"silent": np.zeros((2000, 5))}, u, max_delay=10).total == 0


def test_linearised_is_the_dense_operator():
    W, tau = random_weights(30, 6), RNG(0).gamma(3, 0.02 / 3, 30) + 2e-3
    np.testing.assert_allclose(
        linearised(W, tau, 0.7).toarray(), linear_operator(W.toarray(), tau, 0.7)
    )
    gains = np.linspace(0, 2, 30)  # of the presynaptic neurons: columns
    expected = (W.toarray() * gains[None, :] - np.eye(30)) / tau[:, None]
    np.testing.assert_allclose(linearised(W, tau, gains).toarray(), expected)


def test_modes_of_a_ring():
    """-1 + w times a directed ring: eigenvalues -1 + w exp(2 pi i k / N), all spread over N."""
    n, w = 240, 0.5
    ring = sparse.csr_array((np.full(n, w), (np.arange(n), np.roll(np.arange(n), 1))), shape=(n, n))
    A = linearised(ring, np.ones(n))
    values, vectors = leading_modes(A, 7)
    angle = 2 * np.pi * np.array([0, 1, -1, 2, -2, 3, -3]) / n
    np.testing.assert_allclose(values, -1 + w * np.exp(1j * angle), atol=1e-8)
    np.testing.assert_allclose(participation_ratio(vectors), n, rtol=1e-6)
    assert spectral_abscissa(A) == pytest.approx(-1 + w)


def test_uncoupled_neurons_have_localised_modes():
    """Without synapses the abscissa is minus the slowest rate and every mode one neuron."""
    tau = np.linspace(5e-3, 80e-3, 20)
    A = linearised(sparse.csr_array((20, 20)), tau)
    values, vectors = leading_modes(A)
    np.testing.assert_allclose(values, -1 / tau[::-1])
    np.testing.assert_allclose(participation_ratio(vectors), 1)
    assert spectral_abscissa(A) == pytest.approx(-1 / 80e-3)


@pytest.mark.parametrize("gain", [0.8, 3.0])
def test_arnoldi_agrees_with_the_dense_solver(gain, monkeypatch):
    n = 320
    A = linearised(random_weights(n, 12), RNG(0).gamma(3, 0.02 / 3, n) + 2e-3, gain)
    values, vectors = leading_modes(A, 8)
    monkeypatch.setattr(eigenmodes, "DENSE", n)
    dense_values, dense_vectors = leading_modes(A, 8)
    np.testing.assert_allclose(values, dense_values, rtol=1e-7)
    np.testing.assert_allclose(
        participation_ratio(vectors), participation_ratio(dense_vectors), rtol=1e-5
    )
    residual = A @ vectors - vectors * values
    assert np.abs(residual).max() < 1e-5 * np.abs(values).max()


def test_participation_ratio_of_known_vectors():
    n = 50
    delta, uniform = np.eye(n)[:, 3], np.full(n, 1 / np.sqrt(n))
    phases = uniform * np.exp(2j * np.pi * np.arange(n) / 7)
    pair = np.zeros(n)
    pair[[4, 9]] = 1, -1
    found = participation_ratio(np.column_stack((delta, uniform, phases, pair)))
    np.testing.assert_allclose(found, [1, n, n, 2])
    assert participation_ratio(1e-200 * uniform) == pytest.approx(n)  # any length
    gauss = participation_ratio(RNG(0).standard_normal((5000, 20)))
    assert gauss.mean() == pytest.approx(5000 / 3, rel=0.03)


@pytest.mark.parametrize("gain", [0.5, 3.0])
def test_participation_gradient_is_the_derivative(gain):
    """Against central differences, for real modes and conjugate pairs, entries present or not."""
    n, k, h = 40, 6, 1e-4
    A = linearised(random_weights(n, 8), RNG(0).gamma(3, 0.02 / 3, n) + 2e-3, gain).toarray()
    values, vectors = leading_modes(A, k)
    if values[-1].imag > 0 and not np.isclose(values, values[-1].conj()).any():
        values, vectors, k = values[:-1], vectors[:, :-1], k - 1
    gradient = participation_gradient(A, values, vectors)
    for i, j in RNG(1).integers(n, size=(12, 2)):
        mean = []
        for sign in (1, -1):
            moved = A.copy()
            moved[i, j] += sign * h
            mean.append(participation_ratio(leading_modes(moved, k)[1]).mean())
        assert (mean[0] - mean[1]) / (2 * h) == pytest.approx(gradient[i, j], rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("gap", [0.0, 2e-16])
def test_a_mode_of_a_multiple_eigenvalue_counts_as_zero(gap):
    """Also where rounding has parted the two: the derivative would be of the order 1/gap."""
    A = np.diag([-1.0, -1.0 - gap, -5.0, -6.0])
    A[3, 0] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient = participation_gradient(A, np.array([-1.0]), np.array([[0.8, 0.6, 0, 0]]).T)
    assert not gradient.any()


def test_refusals():
    u = RNG(0).uniform(size=50)
    with pytest.raises(InputError, match="too few rows"):
        memory_capacity({"x": u[:, None]}, u, max_delay=48)
    with pytest.raises(InputError, match="must have 50 rows"):
        memory_capacity({"x": u[:9, None]}, u, max_delay=4)
    with pytest.raises(InputError, match="varies"):
        memory_capacity({"x": u[:, None]}, np.ones(50), max_delay=4)
    with pytest.raises(InputError, match="spike_time"):
        population_rate(np.array([2.0]), 3, 1.0, 0.1)
    with pytest.raises(InputError, match="bin_width"):
        population_rate(np.array([0.5]), 3, 1.0, 0.0)
    with pytest.raises(InputError, match="spike_index"):
        isi_cv(np.array([5]), np.array([0.1]), 5)
    with pytest.raises(InputError, match="spike_index = -1"):
        isi_cv(np.array([-1, 3]), np.array([0.1, 0.2]), 5)
    with pytest.raises(InputError, match=r"spike_time = -0\.5"):
        population_rate(np.array([0.2, -0.5]), 3, 1.0, 0.1)
    with pytest.raises(InputError, match="finite"):
        isi_cv(np.array([1, 1]), np.array([0.1, np.nan]), 5)
    with pytest.raises(InputError, match="signal"):
        autocorrelation_time(np.array([1.0, np.nan, 2.0]), 1e-3)
    with pytest.raises(InputError, match="states"):
        effective_dimension(np.ones(5))
    with pytest.raises(InputError, match="tau_m"):
        linearised(sparse.csr_array((2, 2)), np.array([0.01, 0.0]))
    with pytest.raises(InputError, match="finite"):
        leading_modes(np.array([[np.nan]]), 1)
