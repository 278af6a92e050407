"""Sparsification: what pruning must conserve, hit and leave alone."""

import math

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import expm

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network, equal_networks
from hrsnn_brian.parameters.model import HRSNNParams
from hrsnn_brian.pruning.budget import resolve_budget
from hrsnn_brian.pruning.compensation import (
    Compensation,
    class_sums,
    parse_compensation,
    row_power,
    variance_preserving,
)
from hrsnn_brian.pruning.covariance import (
    linear_covariance,
    linear_operator,
    stationary_covariance,
    trace_covariance,
)
from hrsnn_brian.pruning.methods import METHODS, get_method, list_methods, prune
from hrsnn_brian.pruning.sampling import (
    _integer_lengths,
    probabilities,
    sample_fixed,
    sample_independent,
    select_top,
)
from hrsnn_brian.pruning.scores import noise
from hrsnn_brian.pruning.synapses import (
    Pruning,
    geometric_schedule,
    keep_entries,
    prune_synapses,
)

RNG = np.random.default_rng


def weights(n=40, in_degree=12, seed=0):
    """Signed CSR: the first 80 % of the columns excitatory, gamma magnitudes, no diagonal."""
    random = RNG(seed)
    dense = np.zeros((n, n))
    for post in range(n):
        others = np.delete(np.arange(n), post)
        pre = random.choice(others, in_degree, replace=False)
        dense[post, pre] = random.gamma(2, 0.5, in_degree)
    dense[:, int(0.8 * n) :] *= -6
    return sparse.csr_array(dense)


def network(n=40, in_degree=12, seed=0):
    W = weights(n, in_degree, seed)
    one = np.ones(n)
    return Network(
        W=W,
        is_e=np.arange(n) < int(0.8 * n),
        cluster=np.zeros(n, int),
        tau_m=RNG(seed).gamma(3, 0.02 / 3, n) + 2e-3,
        tau_e=0.1 * one,
        tau_i=0.1 * one,
        v_th=one,
        bias=0 * one,
        center=0 * one,
        neuron_id=np.arange(n),
        params=HRSNNParams(),
        seed=seed,
        n_original=n,
        synapses_original=W.nnz,
    )


def covariance_matrix(n, seed=1):
    X = RNG(seed).standard_normal((3 * n, n)) * RNG(seed + 1).gamma(2, 1, n)
    return X.T @ X / (3 * n)


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


# ---- unbiasedness and compensation --------------------------------------------------------


@pytest.mark.parametrize("selection", ["fixed", "independent"])
@pytest.mark.parametrize("budgets", [(60,), (110, 60)])
def test_literal_noise_pruning_is_unbiased(selection, budgets):
    """E[W'] = W, in one round and when the second round's p depends on the first's outcome."""
    W = weights(20, 8)
    C, random, draws = covariance_matrix(20), RNG(10), 3000
    total, squares = np.zeros((20, 20)), np.zeros((20, 20))
    for _ in range(draws):
        state = Pruning.start(W)
        for budget in budgets:
            literal = Compensation("literal", math.inf)
            q = noise(state.W, C)
            state = prune_synapses(state, q, budget, random, selection, literal)
        sample = state.W.toarray()
        total, squares = total + sample, squares + sample**2
    mean = total / draws
    error = np.sqrt(np.maximum(squares / draws - mean**2, 0) / draws)
    edges = W.toarray() != 0
    certain = edges & (error == 0)
    np.testing.assert_allclose(mean[certain], W.toarray()[certain], rtol=1e-12)
    z = ((mean - W.toarray()) / np.where(error > 0, error, 1))[edges & ~certain]
    assert np.abs(z).max() < 5  # 160 edges
    assert abs(z.mean()) < 0.5
    assert not mean[~edges].any()


def test_the_cap_bounds_the_literal_factor_and_only_bites_below_its_inverse():
    W = weights()
    q = noise(W, covariance_matrix(40)) ** 2
    p = sparse.csr_array((probabilities(q, 48), W.indices, W.indptr), shape=W.shape).toarray()
    state = prune_synapses(Pruning.start(W), q, 48, RNG(3), compensation=Compensation("literal", 5))
    kept = state.W.toarray() != 0
    factor = state.W.toarray()[kept] / W.toarray()[kept]
    np.testing.assert_allclose(factor, np.minimum(1 / p[kept], 5), rtol=1e-9)
    assert factor.max() == pytest.approx(5)


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


def test_the_former_sum_is_that_of_the_original_matrix_in_every_round():
    W = weights(40, 20)
    one, half = Compensation("row", 1.0), Compensation("row", 0.5)
    state, by_hand = Pruning.start(W), W
    exact = Pruning.start(W)
    for number, budget in enumerate((500, 300)):
        q = np.abs(state.W.data)
        state = prune_synapses(state, q, budget, RNG(number), compensation=half)
        exact = prune_synapses(exact, np.abs(exact.W.data), budget, RNG(number), compensation=one)
        survivors = by_hand.toarray() * (state.W.toarray() != 0)
        for sign in (1, -1):
            now = (np.where(sign * survivors > 0, np.abs(survivors), 0)).sum(axis=1)
            factor = np.sqrt(dense_sums(W, sign, 1) / np.where(now > 0, now, 1))
            survivors = np.where(sign * survivors > 0, survivors * factor[:, None], survivors)
        by_hand = sparse.csr_array(survivors)
        np.testing.assert_allclose(state.W.toarray(), survivors, rtol=1e-12)
    sums, former = class_sums(exact.W), class_sums(W)
    np.testing.assert_allclose(sums[sums > 0], former[sums > 0], rtol=1e-12)


def test_with_the_original_base_the_weights_depend_on_the_surviving_edges_alone():
    W = weights(40, 20)
    state = Pruning.start(W)
    for number, budget in enumerate((600, 450, 300)):
        q = np.abs(state.W.data)
        state = prune_synapses(state, q, budget, RNG(number), base="original")
    mask = state.W.toarray()[np.nonzero(W.toarray())] != 0
    one_shot = row_power(keep_entries(W, mask), W, 0.5)
    np.testing.assert_allclose(state.W.toarray(), one_shot.toarray(), rtol=1e-12)


# ---- scores and covariance ----------------------------------------------------------------


@pytest.mark.parametrize("factor", ["difference", "sum"])
def test_noise_score_against_the_variance_of_the_difference(factor):
    """q = |w| Var(x_i -+ x_j), from samples, not from the formula; "sum" has no cross term."""
    W = weights(12, 5)
    x = RNG(12).standard_normal((50, 12)) @ RNG(13).standard_normal((12, 12))
    C = trace_covariance(x)
    q = sparse.csr_array((noise(W, C, factor=factor), W.indices, W.indptr), shape=W.shape).toarray()
    dense = W.toarray()
    for post, pre in zip(*np.nonzero(dense), strict=True):
        if factor == "difference":
            F = np.var(x[:, post] - np.sign(dense[post, pre]) * x[:, pre], ddof=1)
        else:
            F = np.var(x[:, post], ddof=1) + np.var(x[:, pre], ddof=1)
        assert q[post, pre] == pytest.approx(abs(dense[post, pre]) * F, rel=1e-9)


def test_noise_score_takes_other_strengths_and_excludes_the_diagonal():
    W = sparse.csr_array(np.array([[2.0, 1.0], [3.0, 4.0]]))
    C = np.array([[1.0, 0.25], [0.25, 2.0]])
    np.testing.assert_allclose(noise(W, C), [0, 2.5, 7.5, 0])
    np.testing.assert_allclose(noise(W, C, strength=np.array([1.0, 2, 4, 1])), [0, 5, 10, 0])
    np.testing.assert_allclose(noise(-W, C, factor="sum"), [0, 3, 9, 0])
    with pytest.raises(InputError, match=r"strength = \(3,\): must be \(4,\)"):
        noise(W, C, strength=np.ones(3))


def test_synapses_between_silent_neurons_leave_first_and_silence_is_refused():
    net = network()
    C = covariance_matrix(40)
    silent = np.arange(40) % 3 == 0
    C[silent] = C[:, silent] = 0
    dead = np.outer(silent, silent)
    inside = int(np.count_nonzero(net.W.toarray()[dead]))
    assert inside > 10
    pruned = prune(net, "noise", net.n_synapses - inside, seed=1, covariance=C)
    assert not pruned.W.toarray()[dead].any()
    fewer = prune(net, "noise", net.n_synapses - inside + 5, seed=1, covariance=C)
    assert np.count_nonzero(fewer.W.toarray()[dead]) == 5
    with pytest.raises(InputError, match=r"covariance = 0.0: is zero everywhere"):
        prune(net, "noise", 100, seed=1, covariance=np.zeros((40, 40)))


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


# ---- budget -------------------------------------------------------------------------------


def test_budget_from_keep_density_and_number():
    net = network()  # 40 neurons, 480 synapses
    assert resolve_budget(net, keep=0.1) == 48
    assert resolve_budget(net, density=0.1) == 156
    assert resolve_budget(net, density=0.1, neurons=30) == 87
    assert resolve_budget(net, synapses=np.int64(7)) == 7
    assert resolve_budget(net, keep=1) == 480
    half = prune(net, "random", 240, seed=0)
    assert resolve_budget(half, keep=0.1) == 48  # of the original


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"budget = None: give exactly one of keep, density and synapses"),
        ({"keep": 0.1, "density": 0.1}, r"budget = .*: give exactly one"),
        ({"keep": 0.0}, r"keep = 0.0: must be in \(0, 1\]"),
        ({"keep": 1.1}, r"keep = 1.1: must be in \(0, 1\]"),
        ({"keep": math.nan}, r"keep = nan: must be a number in \(0, 1\]"),
        ({"density": "dense"}, r"density = 'dense': must be a number in \(0, 1\]"),
        ({"density": True}, r"density = True: must be a number"),
        ({"density": math.inf}, r"density = inf: must be in"),
        ({"density": 0.9}, r"density = 0.9: asks for 1404 synapses; .* holds 480"),
        ({"keep": 1e-4}, r"keep = 0.0001: must leave at least one"),
        ({"synapses": 481}, r"synapses = 481: .* holds 480"),
        ({"synapses": 10.0}, r"synapses = 10.0: must be a whole number"),
        ({"synapses": -1}, r"synapses = -1: must leave at least one"),
        ({"synapses": 300, "neurons": 10}, r"synapses = 300: .*10 neurons have room for 90"),
        ({"keep": 0.1, "neurons": 41}, r"neurons = 41: must be from 1 to 40"),
        ({"keep": 0.1, "neurons": 0}, r"neurons = 0: must be from 1 to 40"),
    ],
)
def test_budget_refusals_name_argument_value_and_what_is_allowed(given, message):
    with pytest.raises(InputError, match=message):
        resolve_budget(network(), **given)


def test_schedule_is_geometric_and_ends_on_the_budget():
    schedule = geometric_schedule(20_000, 1_000, 8)
    assert schedule[-1] == 1_000
    assert len(schedule) == 8
    ratios = np.diff(np.log((20_000, *schedule)))
    np.testing.assert_allclose(ratios, np.log(0.05) / 8, atol=1e-3)
    assert geometric_schedule(10, 10, 3) == (10, 10, 10)
    for rounds in (0, 1.5, True):
        with pytest.raises(InputError, match=r"rounds = .*whole number >= 1"):
            geometric_schedule(10, 5, rounds)


# ---- methods ------------------------------------------------------------------------------


SYNAPSE_METHODS = ("magnitude", "noise", "random")  # the others: test_rivals.py


def covariance_of(method):
    return "linear" if METHODS[method].needs_covariance else None


@pytest.mark.parametrize("method", SYNAPSE_METHODS)
@pytest.mark.parametrize("rounds", [1, 4])
def test_every_method_meets_the_budget_keeps_dale_and_adds_no_edge(method, rounds):
    net = network()
    for seed in range(3):
        pruned = prune(net, method, 61, seed, rounds=rounds, covariance=covariance_of(method))
        assert pruned.n_synapses == 61
        before, after = net.W.toarray(), pruned.W.toarray()
        survivors = after != 0
        assert np.all(np.sign(before[survivors]) == np.sign(after[survivors]))
        assert [entry["round"] for entry in pruned.history] == list(range(1, rounds + 1))
        assert pruned.history[-1]["method"] == method
        assert pruned.keep == 61 / 480
    assert net.n_synapses == 480
    assert not net.history


@pytest.mark.parametrize("method", SYNAPSE_METHODS)
def test_same_seed_same_network_and_another_seed_another(method):
    options = {"selection": "fixed"}
    one, two, other = (
        prune(network(), method, 50, s, 3, options=options, covariance=covariance_of(method))
        for s in (5, 5, 6)
    )
    assert equal_networks(one, two)
    assert (one.W != other.W).nnz > 0


def test_magnitude_keeps_the_largest_weights_and_sampling_by_magnitude_prefers_them():
    net = network()
    raw = prune(net, "magnitude", 100, seed=0, compensation="none")
    np.testing.assert_array_equal(np.sort(np.abs(raw.W.data)), np.sort(np.abs(net.W.data))[-100:])
    options = {"selection": "fixed"}
    sampled = prune(net, "magnitude", 100, seed=0, compensation="none", options=options)
    random = prune(net, "random", 100, seed=0, compensation="none")
    size = {n: np.abs(x.W.data).mean() for n, x in (("m", raw), ("s", sampled), ("r", random))}
    assert size["m"] > size["s"] > 1.5 * size["r"]


def test_covariance_is_computed_anew_from_the_network_of_each_round():
    seen = []

    def covariance(net):
        seen.append(net.n_synapses)
        return linear_covariance(net.W, net.tau_m)

    by_function = prune(network(), "noise", 60, seed=2, rounds=3, covariance=covariance)
    assert seen == [480, 240, 120]
    by_name = prune(network(), "noise", 60, seed=2, rounds=3, covariance="linear")
    np.testing.assert_array_equal(by_function.W.toarray(), by_name.W.toarray())


def test_neurons_leave_in_proportion_and_an_array_covariance_follows_them():
    net = network()
    C = np.diag(np.arange(1.0, 41))
    pruned = prune(net, "noise", 60, seed=4, covariance=C, neurons=20)
    assert (pruned.n_neurons, pruned.n_synapses, int(pruned.is_e.sum())) == (20, 60, 16)
    assert pruned.density == 60 / (20 * 19)

    def sliced(small):
        return C[np.ix_(small.neuron_id, small.neuron_id)]

    by_function = prune(net, "noise", 60, seed=4, covariance=sliced, neurons=20)
    np.testing.assert_array_equal(pruned.W.toarray(), by_function.W.toarray())
    with pytest.raises(InputError, match=r"synapses = 300: only \d+ are left between the 20"):
        prune(net, "random", 300, seed=4, neurons=20)


def test_independent_selection_iterates_even_when_a_round_leaves_less_than_the_next_asks_for():
    net = network()
    counts = [
        prune(net, "random", 400, s, 20, options={"selection": "independent"}).n_synapses
        for s in range(20)
    ]
    assert len(set(counts)) > 1
    assert abs(np.mean(counts) - 400) < 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "magnitud"}, r"method = 'magnitud': unknown; did you mean 'magnitude'\?"),
        ({"compensation": "rows"}, r"compensation = 'rows': unknown; did you mean 'row'\?"),
        ({"compensation": "row 2"}, r"compensation = 'row 2': alpha must be from 0 to 1"),
        ({"compensation": "row nan"}, r"compensation = 'row nan': alpha must be"),
        ({"compensation": "literal 0.5"}, r"cap must be from 1 to inf"),
        ({"compensation": "row half"}, r"'half' is not a number"),
        ({"compensation": "none 1"}, r"'none' takes no number"),
        ({"compensation": "row 1 2"}, r"must be one of none, row, variance, literal"),
        ({"options": {"selecton": "top"}}, r"selecton'?.*did you mean 'selection'\?"),
        ({"options": {"selection": "tops"}}, r"selection = 'tops': unknown; did you mean 'top'\?"),
        ({"options": {"base": "new"}}, r"base = 'new': unknown"),
        ({"options": {"selection": "top"}, "compensation": "literal"}, r"needs probabilities"),
        ({"options": {"base": "original"}, "compensation": "literal"}, r"needs base = 'carried'"),
        ({"covariance": None}, r"covariance = None: method 'noise' needs"),
        ({"covariance": "lineal"}, r"covariance = 'lineal': unknown; did you mean 'linear'\?"),
        ({"covariance": np.eye(3)}, r"covariance = \(3, 3\): must be \(40, 40\)"),
        ({"covariance": np.eye(3), "neurons": 30}, r"covariance = \(3, 3\): must be \(40, 40\)"),
        ({"covariance": np.full((40, 40), np.nan)}, r"covariance = nan: must be finite"),
        ({"covariance": -np.eye(40)}, r"covariance = -1.0: has a variance < 0"),
        ({"budget": 0}, r"synapses = 0: must leave at least one"),
        ({"budget": 481}, r"synapses = 481: .*holds 480"),
        ({"budget": 10.5}, r"synapses = 10.5: must be a whole number"),
        ({"rounds": 0}, r"rounds = 0: must be a whole number >= 1"),
        ({"seed": -1}, r"seed = -1"),
        ({"neurons": 50}, r"neurons = 50: must be from 1 to 40"),
    ],
)
def test_prune_refusals_name_argument_value_and_what_is_allowed(changes, message):
    good = {"method": "noise", "budget": 50, "seed": 1, "covariance": "linear"}
    with pytest.raises(InputError, match=message) as caught:
        prune(network(), **(good | changes))
    assert "\n" not in str(caught.value)


def test_methods_say_what_they_are():
    assert set(list_methods()) == set(METHODS) >= set(SYNAPSE_METHODS)
    for method in METHODS.values():
        assert method.description
        assert method.source
        assert method.cost
        parse_compensation(method.compensation)
        for option in method.options.values():
            assert option.check("option", option.default) == option.default
    assert get_method("noise").name == "noise"
    assert str(parse_compensation("row .5")) == "row 0.5"
    assert parse_compensation("literal").number == 1000
