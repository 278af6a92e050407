"""The step that keeps synapses: importance, survivors, and what rescaling refers to."""

import numpy as np
import pytest
from equality import equal_networks
from probes import Deaf, Given, Stub, iteration
from random_networks import covariance_matrix, network, weights
from scipy import sparse

from hrsnn_brian.dynamics.covariance import linear_covariance, trace_covariance
from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams
from hrsnn_brian.pruning.compensation import class_sums, row_power
from hrsnn_brian.pruning.importance import covariance_factor
from hrsnn_brian.pruning.keep_synapses import KeepSynapses, without_least
from hrsnn_brian.pruning.lnp import LITERAL, LNP
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.recipes import NOISE, get_recipe
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.pruning.survivors import keep_entries, probabilities

RNG = np.random.default_rng


def kept(net, step, synapses, *, source=None, seed=0, **seen):
    """The network after the step."""
    return step(iteration(net, source=source, synapses=synapses, seed=seed, **seen)).network


def noise(W, C, **settings):
    """Importance (nnz,) of matrix entries by |w| F, as the recipe noise has it."""
    step = KeepSynapses(**{"score": "magnitude", **settings})
    return step.importance(W, iteration(network(), covariance=C))


def larger():
    return build_network(HRSNNParams(N=60, graph=GraphParams(K=12)), 3)


def facts(net):
    """What the steps of lnp look at."""
    stub = Stub()
    return {"covariance": stub.covariance(net), "exponents": stub.node_exponents(net)}


# ---- unbiasedness and compensation --------------------------------------------------------


@pytest.mark.parametrize("selection", ["fixed", "independent"])
@pytest.mark.parametrize("budgets", [(60,), (110, 60)])
def test_literal_noise_pruning_is_unbiased(selection, budgets):
    """E[W'] = W, in one round and when the second round's p depends on the first's outcome."""
    net, C, draws = network(20, 8), covariance_matrix(20), 3000
    step = KeepSynapses(score="magnitude", selection=selection, compensation="literal inf")
    total, squares = np.zeros((20, 20)), np.zeros((20, 20))
    for draw in range(draws):
        state = net
        for budget in budgets:
            state = kept(state, step, budget, source=net, seed=3 * draw + budget, covariance=C)
        sample = state.W.toarray()
        total, squares = total + sample, squares + sample**2
    W = net.W
    mean = total / draws
    error = np.sqrt(np.maximum(squares / draws - mean**2, 0) / draws)
    edges = W.toarray() != 0
    certain = edges & (error == 0)
    np.testing.assert_allclose(mean[certain], W.toarray()[certain], rtol=1e-12)
    z = ((mean - W.toarray()) / np.where(error > 0, error, 1))[edges & ~certain]
    assert np.abs(z).max() < 5  # 160 edges
    assert abs(z.mean()) < 0.5
    assert not mean[~edges].any()


def test_literal_synapse_step_is_unbiased():
    """E[W'] = W over many samples, entry by entry, within five standard errors of w/p."""
    net, samples = larger(), 1500
    step = LITERAL.changed(neighbourhood="endpoints").step("synapses")  # as good here, and quick
    seen = facts(net)
    total = np.zeros((60, 60))
    for k in range(samples):
        total += kept(net, step, 360, seed=k, **seen).W.toarray()
    W = net.W.tocoo()
    p = probabilities(step.importance(net.W, iteration(net, **seen)), 360)
    error = np.abs(W.data) * np.sqrt((1 / p - 1) / samples)
    assert p.min() > 1e-3  # no weight is capped
    assert np.all(np.abs(total[W.row, W.col] / samples - W.data) <= 5 * error + 1e-12)
    assert np.all(total[net.W.toarray() == 0] == 0)


def test_the_cap_bounds_the_literal_factor_and_only_bites_below_its_inverse():
    net, C = network(), covariance_matrix(40)
    W = net.W
    q = np.abs(W.data) * covariance_factor(W, C) ** 2
    p = sparse.csr_array((probabilities(q, 48), W.indices, W.indptr), shape=W.shape).toarray()
    step = KeepSynapses(score="magnitude", power=2, compensation="literal 5")
    state = kept(net, step, 48, seed=3, covariance=C)
    there = state.W.toarray() != 0
    factor = state.W.toarray()[there] / W.toarray()[there]
    np.testing.assert_allclose(factor, np.minimum(1 / p[there], 5), rtol=1e-9)
    assert factor.max() == pytest.approx(5)


def test_capped_rescales_by_the_probability_of_each_survivor_and_not_above_their_median():
    net, C = network(), covariance_matrix(40)
    step = KeepSynapses(score="magnitude", compensation="capped")
    q = np.abs(net.W.data) * covariance_factor(net.W, C)
    chance = (probabilities(q, 48), net.W.indices, net.W.indptr)
    p = sparse.csr_array(chance, shape=net.W.shape).toarray()
    there = (state := kept(net, step, 48, seed=3, covariance=C)).W.toarray() != 0
    factor = state.W.toarray()[there] / net.W.toarray()[there]
    np.testing.assert_allclose(factor, np.minimum(1 / p[there], np.median(1 / p[there])), rtol=1e-9)
    with pytest.raises(InputError, match=r"compensation = 'capped': needs probabilities"):
        KeepSynapses(compensation="capped", selection="top")
    with pytest.raises(InputError, match=r"compensation = 'capped': needs base = 'carried'"):
        KeepSynapses(compensation="capped", base="original")


def dense_sums(W, sign, power):
    W = W.toarray()
    return (np.where(sign * W > 0, np.abs(W), 0) ** power).sum(axis=1)


def test_the_former_sum_is_that_of_the_original_matrix_in_every_round():
    net = network(40, 20)
    W = net.W
    by_size = {"score": "magnitude", "factor": "none"}
    half = KeepSynapses(**by_size, compensation="row 0.5")
    one = KeepSynapses(**by_size, compensation="row 1")
    state, by_hand, exact = net, W, net
    for number, budget in enumerate((500, 300)):
        state = kept(state, half, budget, source=net, seed=number)
        exact = kept(exact, one, budget, source=net, seed=number)
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
    net = network(40, 20)
    W, state = net.W, net
    step = KeepSynapses(score="magnitude", factor="none", base="original")
    for number, budget in enumerate((600, 450, 300)):
        state = kept(state, step, budget, source=net, seed=number)
    mask = state.W.toarray()[np.nonzero(W.toarray())] != 0
    one_shot = row_power(keep_entries(W, mask), W, 0.5)
    np.testing.assert_allclose(state.W.toarray(), one_shot.toarray(), rtol=1e-12)


# ---- importance ---------------------------------------------------------------------------


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


def test_noise_score_takes_other_strengths():
    W = sparse.csr_array(np.array([[0.0, 1.0], [3.0, 0.0]]))
    C = np.array([[1.0, 0.25], [0.25, 2.0]])
    np.testing.assert_allclose(noise(W, C), [2.5, 7.5])
    np.testing.assert_allclose(noise(W, C, score="uniform"), [2.5, 2.5])
    np.testing.assert_allclose(noise(-W, C, factor="sum"), [3, 9])
    np.testing.assert_allclose(noise(W, C, power=2), [6.25, 18.75])
    np.testing.assert_allclose(noise(W, C, factor="none"), [1, 3])


def test_importance_is_score_times_factor():
    """The default, derived anew per synapse: harmonic mean of growth factors times noise."""
    net = larger()
    now, W = iteration(net, **facts(net)), net.W.tocoo()
    growth, C = np.exp(now.seen["exponents"] * now.probe.T), now.seen["covariance"]
    harmonic = 2 / (1 / growth[W.row] + 1 / growth[W.col])
    F = C[W.row, W.row] + C[W.col, W.col] - 2 * np.sign(W.data) * C[W.row, W.col]

    def importance(**changes):
        return LNP.changed(**changes).step("synapses").importance(net.W, now)

    q = importance()
    assert q / q.max() == pytest.approx(harmonic * F / (harmonic * F).max())
    product = importance(score="product")
    assert product / q == pytest.approx(np.abs(W.data) * (product[0] / q[0] / abs(W.data[0])))
    plain = importance(score="magnitude", factor="none")
    assert plain == pytest.approx(np.abs(W.data))


def test_synapses_between_silent_neurons_leave_first_and_silence_is_refused():
    net = network()
    C = covariance_matrix(40)
    silent = np.arange(40) % 3 == 0
    C[silent] = C[:, silent] = 0
    dead = np.outer(silent, silent)
    inside = int(np.count_nonzero(net.W.toarray()[dead]))
    assert inside > 10

    def by_noise(synapses, C):
        return prune(net, "noise", Size(synapses=synapses), probe=Given(C), seed=1).network

    assert not by_noise(net.n_synapses - inside, C).W.toarray()[dead].any()
    fewer = by_noise(net.n_synapses - inside + 5, C)
    assert np.count_nonzero(fewer.W.toarray()[dead]) == 5
    with pytest.raises(InputError, match=r"covariance = 0.0: is zero everywhere"):
        by_noise(100, np.zeros((40, 40)))


def test_additions_take_the_place_of_the_least_important():
    W = sparse.csr_array(np.ones((20, 20)) - np.eye(20))
    W.sort_indices()
    uniform = KeepSynapses(score="uniform", factor="none")
    now, left = iteration(network()), set()
    for seed in range(30):
        missing = W - without_least(W, [0 * 20 + 1], uniform, now, RNG(seed))
        post, _pre = missing.nonzero()
        assert (len(post), missing[0, 1]) == (1, 0)
        left.add(int(post[0]))
    assert len(left) > 10  # where all count the same any may leave, but never the new one
    by_size = KeepSynapses(score="magnitude", factor="none")
    W.data[:] = 2 + RNG(0).random(W.nnz)
    W.data[[0, 50, 100]] = (0.1, 0.3, 0.2)
    gone = W - without_least(W, [0 * 20 + 1, 3 * 20 + 5], by_size, now, RNG(0))
    assert sorted(gone.data[gone.data != 0]) == [0.2, 0.3]  # entry 0 is the new synapse 0 <- 1


# ---- who stays ----------------------------------------------------------------------------


SYNAPSE_RECIPES = ("magnitude", "noise", "random")  # the others: test_rivals.py


def by_recipe(recipe, synapses, seed, net=None, rounds=1, probe=None, **settings):
    """Pruned with the covariance of the linear response, where one is asked for."""
    chosen = get_recipe(recipe)
    if chosen.needs and probe is None:
        settings = {"covariance": "linear", **settings}
    probe = Given(np.eye(3)) if probe is None else probe
    net = network() if net is None else net
    return prune(
        net,
        chosen.with_settings([f"{key}={value}" for key, value in settings.items()]),
        Size(synapses=synapses),
        probe=probe,
        seed=seed,
        rounds=rounds,
    ).network


@pytest.mark.parametrize("recipe", SYNAPSE_RECIPES)
@pytest.mark.parametrize("rounds", [1, 4])
def test_every_recipe_meets_the_budget_keeps_dale_and_adds_no_edge(recipe, rounds):
    net = network()
    for seed in range(3):
        pruned = by_recipe(recipe, 61, seed, net, rounds)
        assert pruned.n_synapses == 61
        before, after = net.W.toarray(), pruned.W.toarray()
        survivors = after != 0
        assert np.all(np.sign(before[survivors]) == np.sign(after[survivors]))
        assert [entry["round"] for entry in pruned.history] == list(range(1, rounds + 1))
        assert pruned.history[-1]["recipe"] == recipe
        assert pruned.keep == 61 / 480
    assert net.n_synapses == 480
    assert not net.history


@pytest.mark.parametrize("recipe", SYNAPSE_RECIPES)
def test_same_seed_same_network_and_another_seed_another(recipe):
    one, two, other = (by_recipe(recipe, 50, s, rounds=3, selection="fixed") for s in (5, 5, 6))
    assert equal_networks(one, two)
    assert (one.W != other.W).nnz > 0


def test_magnitude_keeps_the_largest_weights_and_sampling_by_magnitude_prefers_them():
    net = network()
    raw = by_recipe("magnitude", 100, 0, compensation="none")
    np.testing.assert_array_equal(np.sort(np.abs(raw.W.data)), np.sort(np.abs(net.W.data))[-100:])
    sampled = by_recipe("magnitude", 100, 0, compensation="none", selection="fixed")
    random = by_recipe("random", 100, 0, compensation="none")
    size = {n: np.abs(x.W.data).mean() for n, x in (("m", raw), ("s", sampled), ("r", random))}
    assert size["m"] > size["s"] > 1.5 * size["r"]


def test_covariance_is_computed_anew_from_the_network_of_each_round():
    seen = []

    class Linear:
        def covariance(self, net):
            seen.append(net.n_synapses)
            return linear_covariance(net.W, net.tau_m)

    by_function = by_recipe("noise", 60, 2, rounds=3, probe=Linear())
    assert seen == [480, 240, 120]
    by_name = by_recipe("noise", 60, 2, rounds=3)
    np.testing.assert_array_equal(by_function.W.toarray(), by_name.W.toarray())


def test_neurons_leave_in_proportion_and_what_was_seen_follows_them():
    net = network()
    C = np.diag(np.arange(1.0, 41))
    size = Size(neurons=20, synapses=60)
    pruned = prune(net, "noise", size, probe=Given(C), seed=4).network
    assert (pruned.n_neurons, pruned.n_synapses, int(pruned.is_e.sum())) == (20, 60, 16)
    assert pruned.density == 60 / (20 * 19)
    now = iteration(net, covariance=C, rates=np.arange(40.0))
    fewer = now.without(np.array([0, 7, 39]))
    stay = np.delete(np.arange(40), [0, 7, 39])
    assert fewer.network.neuron_id.tolist() == stay.tolist()
    np.testing.assert_array_equal(fewer.seen["covariance"], np.diag(stay + 1.0))
    np.testing.assert_array_equal(fewer.seen["rates"], stay)
    with pytest.raises(InputError, match=r"synapses = 300: only \d+ are left between the 20"):
        prune(net, "random", Size(neurons=20, synapses=300), probe=Deaf(), seed=4)


def test_independent_selection_iterates_even_when_a_round_leaves_less_than_the_next_asks_for():
    counts = [
        by_recipe("random", 400, s, rounds=20, selection="independent").n_synapses
        for s in range(20)
    ]
    assert len(set(counts)) > 1
    assert abs(np.mean(counts) - 400) < 20


# ---- refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compensation": "rows"}, r"compensation = 'rows': unknown; did you mean 'row'\?"),
        ({"compensation": "row 2"}, r"compensation = 'row 2': alpha must be from 0 to 1"),
        ({"compensation": "row nan"}, r"compensation = 'row nan': alpha must be"),
        ({"compensation": "literal 0.5"}, r"cap must be from 1 to inf"),
        ({"compensation": "row half"}, r"'half' is not a number"),
        ({"compensation": "none 1"}, r"'none' takes no number"),
        ({"compensation": "row 1 2"}, r"must be one of none, row, variance, literal"),
        ({"selecton": "top"}, r"option of recipe 'noise' = 'selecton': .*mean 'selection'\?"),
        ({"selection": "tops"}, r"synapses.selection = 'tops': unknown; did you mean 'top'\?"),
        ({"base": "new"}, r"synapses.base = 'new': unknown"),
        ({"selection": "top", "compensation": "literal"}, r"needs probabilities"),
        ({"base": "original", "compensation": "literal"}, r"needs base = 'carried'"),
        ({"covariance": "lineal"}, r"covariance = 'lineal': unknown; did you mean 'linear'\?"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        NOISE.with_settings([f"{key}={value}" for key, value in settings.items()])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shuffle", ["no", "all", "class"])
@pytest.mark.parametrize(
    ("C", "neurons", "message"),
    [
        (np.eye(3), None, r"covariance = \(3, 3\): must be \(40, 40\)"),
        (np.eye(3), 30, r"covariance = \(3, 3\): must be \(30, 30\)"),
        (np.full((40, 40), np.nan), None, r"covariance = nan: must be finite"),
        (-np.eye(40), None, r"covariance = -1.0: has a variance < 0"),
    ],
)
def test_a_covariance_that_is_none_is_refused(shuffle, C, neurons, message):
    recipe = NOISE.changed(shuffle=shuffle)
    with pytest.raises(InputError, match=message) as caught:
        prune(network(), recipe, Size(neurons, synapses=50), probe=Given(C), seed=1)
    assert "\n" not in str(caught.value)
