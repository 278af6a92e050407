"""LNP step 3, delocalisation: what it must and must not do."""

import numpy as np
import pytest
from probes import Stub, iteration
from scipy import sparse

from hrsnn_brian.dynamics.eigenmodes import linearised, participation_ratio
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.heterogeneity import degree_heterogeneity, heterogeneity_with
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.pruning.spread_modes import (
    Linearisation,
    delocalise,
    draw_weights_of_senders,
    lyapunov_matrix,
    with_edge,
)

RNG = np.random.default_rng
GAIN = 3.0


@pytest.fixture(scope="module")
def network():
    return build_network(HRSNNParams(N=120, graph=GraphParams(K=8)), 3)


def mean_participation(W, tau_m, modes=10):
    """The dense route: P and the abscissa from a full decomposition."""
    values, vectors = np.linalg.eig(linearised(W, tau_m, GAIN).toarray())
    lead = np.argsort(-values.real, kind="stable")[:modes]
    return participation_ratio(vectors[:, lead]).mean(), values.real.max()


def run(network, edges=6, seed=0, **options):
    linear = Linearisation(network.tau_m, GAIN, options.pop("modes", 10))
    return delocalise(network.W, network.is_e, linear, edges, RNG(seed), **options)


@pytest.fixture(scope="module")
def by_lot(network):
    return run(network, edges=13, choice="random")


def test_an_edge_that_lowers_participation_is_rejected(network, by_lot):
    """Replayed with a dense solver: an edge is kept exactly if the mean ratio rose."""
    W, current = network.W, mean_participation(network.W, network.tau_m)[0]
    assert by_lot.before == pytest.approx(current)
    verdicts = set()
    for trial in by_lot.trials:
        larger = with_edge(W, trial.post, trial.pre, trial.weight)
        reached = mean_participation(larger, network.tau_m)[0]
        assert trial.participation == pytest.approx(reached, rel=1e-6)
        assert trial.accepted == (reached > current)
        if trial.accepted:
            W, current = larger, reached
        verdicts.add(trial.accepted)
    assert verdicts == {True, False}
    assert by_lot.after == pytest.approx(current)
    assert (by_lot.W != W).nnz == 0


@pytest.mark.parametrize("choice", ["gradient", "random"])
def test_what_addition_leaves_alone(network, choice):
    """Dale's law, no self-loop, no duplicate, old weights as they were, budget met or below."""
    before = network.W.toarray()
    found = run(network, edges=5, choice=choice)
    after = found.W.toarray()
    assert 0 < found.added <= 5
    assert len(found.trials) <= 15
    assert found.W.nnz == network.W.nnz + found.added == np.count_nonzero(after)
    np.testing.assert_array_equal(after[before != 0], before[before != 0])
    assert not np.diag(after).any()
    post, pre = np.nonzero((before == 0) & (after != 0))
    assert {(t.post, t.pre) for t in found.trials if t.accepted} == set(
        zip(post.tolist(), pre.tolist(), strict=True)
    )
    for i, j in zip(post, pre, strict=True):
        assert after[i, j] in before[:, j]  # hence also the sign of the sender
    np.testing.assert_array_equal(network.W.toarray(), before)
    assert network.with_weights(found.W).n_synapses == found.W.nnz
    assert found.after > found.before


def test_gradient_adds_better_than_chance(network, by_lot):
    """A larger rise with as many edges; only what promises a rise is measured at all."""
    found = run(network, edges=13)
    assert found.after - found.before > 3 * (by_lot.after - by_lot.before)
    assert all((t.predicted > 0) == np.isfinite(t.participation) for t in found.trials)


def test_slope_is_the_derivative_by_a_weight(network):
    """The forecast of a rise: central differences of the mean ratio in W, present entry or not."""
    slope = Linearisation(network.tau_m, GAIN, 10).slope(network.W)
    h = 1e-5
    for post, pre in ((3, int(network.W[[3]].indices[0])), (3, 4), (60, 117)):
        mean = []
        for sign in (1, -1):
            dense = network.W.toarray()
            dense[post, pre] += sign * h
            mean.append(mean_participation(sparse.csr_array(dense), network.tau_m)[0])
        assert (mean[0] - mean[1]) / (2 * h) == pytest.approx(slope[post, pre], rel=1e-3)


def test_sites_are_the_poorest_neighbourhoods(network, by_lot):
    poorest = np.argsort(degree_heterogeneity(network.W), kind="stable")[:40]
    tried = [trial.site for trial in by_lot.trials]
    assert tried == [s for s in poorest if s in tried]
    assert all(t.site in (t.post, t.pre) for t in by_lot.trials)


def test_each_addition_raises_heterogeneity_at_its_site(network):
    """The forecast used for screening is what adding the edge really does, either direction."""
    forecast = heterogeneity_with(network.W, 7)
    for other in (0, 30, 119):
        for post, pre in ((7, other), (other, 7)):
            if network.W[post, pre] == 0:
                larger = with_edge(network.W, post, pre, 1.0)
                assert degree_heterogeneity(larger)[7] == pytest.approx(forecast[other])
    for trial in run(network, edges=3).trials:
        now = degree_heterogeneity(network.W)[trial.site]
        assert heterogeneity_with(network.W, trial.site)[trial.pre + trial.post - trial.site] > now


def test_heterogeneity_of_known_graphs():
    """A ring is homogeneous, H = 1; the hub of a star of n has <d^2>/<d>^2 over hub and leaves."""
    n = 9
    ring = sparse.csr_array((np.ones(n), (np.arange(n), np.roll(np.arange(n), 1))), shape=(n, n))
    np.testing.assert_allclose(degree_heterogeneity(ring), 1)
    star = sparse.csr_array((np.ones(n - 1), (np.arange(1, n), np.zeros(n - 1, int))), shape=(n, n))
    d = np.array([n - 1] + [1] * (n - 1))
    found = degree_heterogeneity(star)
    assert found[0] == pytest.approx(np.mean(d**2) / np.mean(d) ** 2)
    assert found[3] == pytest.approx(np.mean(d[:2] ** 2) / np.mean(d[:2]) ** 2)
    assert degree_heterogeneity(sparse.csr_array((4, 4))).tolist() == [1.0] * 4


def test_new_weights_come_from_the_sender(network):
    dense = network.W.toarray()
    dense[:, [5, 110]] = 0  # an excitatory and an inhibitory neuron without synapses
    W = sparse.csr_array(dense)
    drawn = draw_weights_of_senders(W, network.is_e, RNG(0))
    for j in range(120):
        if j not in (5, 110):
            assert drawn[j] in dense[:, j]
    assert drawn[5] in W.data[W.data > 0]
    assert drawn[110] in W.data[W.data < 0]


def test_trivial_budgets(network):
    none = run(network, edges=0)
    assert (none.added, none.trials, none.W.nnz) == (0, (), network.n_synapses)
    empty = delocalise(
        sparse.csr_array((30, 30)),
        np.arange(30) < 24,
        Linearisation(np.linspace(0.01, 0.03, 30)),
        3,
        RNG(0),
    )
    assert empty.added == 0  # no synapse to draw a weight from
    assert empty.before == 1


def test_delocalisation_is_reproducible(network):
    one, two, other = run(network), run(network), run(network, seed=1)
    assert (one.W != two.W).nnz == 0
    assert one.trials == two.trials
    assert one.trials != other.trials


# ---- the step


def test_additions_take_the_place_of_the_least_important():
    first = build_network(HRSNNParams(N=60, graph=GraphParams(K=12)), 3)
    quick = LNP.changed(timescales="off", delocalisation="random")
    pruned = prune(first, quick, Size(synapses=200), probe=Stub(), rounds=5).network
    small = first.with_weights(pruned.W)
    stub = Stub()
    seen = {"covariance": stub.covariance(small), "exponents": stub.node_exponents(small)}
    now = iteration(small, **seen)
    after = LNP.step("delocalisation")(now)
    added = after.told["added"]
    assert added > 0
    assert after.network.n_synapses == small.n_synapses
    before, now_there = small.W.toarray() != 0, after.network.W.toarray() != 0
    assert (now_there & ~before).sum() == added
    q = np.zeros((60, 60))
    q[before] = LNP.step("synapses").importance(small.W, now)
    assert q[before & ~now_there].max() <= q[before & now_there].min()


def test_where_no_synapse_may_leave_none_does(network):
    off = LNP.changed(synapses="off", delocalisation__gain=GAIN)
    after = off.step("delocalisation")(iteration(network, recipe=off))
    added = after.told["added"]
    assert 0 < added <= 5
    assert after.network.n_synapses == network.n_synapses + added
    none = LNP.changed(added_edges=0).step("delocalisation")(iteration(network))
    assert none.network is network
    assert none.told == {"added": 0}


# ---- A = -D + L ---------------------------------------------------------------------------


def exponents_of(network):
    return -20.0 - 40.0 * RNG(5).random(network.n_neurons)


def test_the_lyapunov_matrix_has_the_signs_of_the_weights_and_the_growth_of_the_edges(network):
    exponents = exponents_of(network)
    L = lyapunov_matrix(network.W, iteration(network, exponents=exponents)).tocoo()
    growth, W = np.exp(exponents * Stub.T), network.W.tocoo()
    harmonic = 2 / (1 / growth[W.row] + 1 / growth[W.col])
    assert np.array_equal((L.row, L.col), (W.row, W.col))
    expected = np.sign(W.data) * harmonic
    expected *= np.linalg.norm(W.data) / np.linalg.norm(harmonic)
    np.testing.assert_allclose(L.data, expected, rtol=1e-10)


def test_delocalisation_of_minus_d_plus_l_raises_the_participation_of_its_own_modes(network):
    recipe = LNP.changed(matrix="exponents", delocalisation__gain=GAIN, synapses="off")
    step, exponents = recipe.step("delocalisation"), exponents_of(network)
    assert step.needs == {"exponents"}
    assert not LNP.changed(matrix="exponents", delocalisation="off").step("delocalisation").needs
    now = iteration(network, recipe=recipe, exponents=exponents)
    after = step(now)
    assert after.told["added"] > 0
    before, then = (
        mean_participation(lyapunov_matrix(net.W, now), network.tau_m)[0]
        for net in (network, after.network)
    )
    note = after.network.history[-1]
    assert (note["before"], note["after"]) == pytest.approx((before, then), rel=1e-6)
    assert then > before
    plain = LNP.changed(delocalisation__gain=GAIN, synapses="off").step("delocalisation")
    assert plain(now).network.history[-1]["before"] != pytest.approx(before, rel=1e-3)
