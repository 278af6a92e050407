"""Rivals of LNP: equal size whatever the method, and each is what its name says."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from equality import equal_networks
from probes import Deaf, Facts, Given
from scipy import stats

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.io import load_network, save_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.pruning.importance import (
    shuffled_covariance,
    within_class,
)
from hrsnn_brian.pruning.keep_neurons import KeepNeurons
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.rate_match import lower_rates
from hrsnn_brian.pruning.recipes import (
    ALIASES,
    RECIPES,
    get_recipe,
    list_recipes,
    prunes_for_a_task,
)
from hrsnn_brian.pruning.rivals import fresh_network, rewire_within_class
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.seeds import rng

RNG = np.random.default_rng
N, K = 80, 16
NEURONS, SYNAPSES = 50, 130
RIVALS = sorted(name for name, recipe in RECIPES.items() if recipe.family != "lnp")


def network(seed=0, **graph):
    return build_network(HRSNNParams(N=N, graph={"K": K, **graph}), seed)


def pruned(
    recipe,
    net=None,
    *,
    synapses=SYNAPSES,
    neurons=NEURONS,
    compensation=None,
    options=None,
    **more,
):
    """Pruned in one round, unless more are asked for."""
    net = network() if net is None else net
    options = {**(options or {}), **({"compensation": compensation} if compensation else {})}
    more = {"probe": Facts(N), "rounds": 1, "seed": 1} | more
    recipe = get_recipe(recipe).with_settings([f"{key}={value}" for key, value in options.items()])
    return prune(net, recipe, Size(neurons, synapses=synapses), **more).network


# ---- every recipe -------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [1, 5, 20])
@pytest.mark.parametrize("name", RIVALS)
def test_every_recipe_hits_neurons_and_synapses_and_keeps_the_rules(name, rounds, tmp_path):
    net = network()
    family = RECIPES[name].family
    for seed in (0, 1):
        small = pruned(name, net, seed=seed, rounds=rounds)
        assert small.n_neurons == NEURONS
        assert small.n_synapses == (0 if family == "no-recurrence" else SYNAPSES)
        assert int(small.is_e.sum()) == 40
        assert not small.W.diagonal().any()
        assert np.array_equal(small.W.data > 0, small.is_e[small.W.indices])
        assert small.capacity == net.capacity
        assert small.synapses_original == net.synapses_original
        save_network(small, tmp_path / "small.npz")
        assert equal_networks(load_network(tmp_path / "small.npz"), small)
        if family not in ("fresh", "class-rewired"):
            edges = net.W[small.neuron_id][:, small.neuron_id].toarray() != 0
            assert not (small.W.toarray() != 0)[~edges].any()
    assert (net.n_neurons, net.n_synapses, net.history) == (N, N * K, ())


@pytest.mark.parametrize("name", RIVALS)
def test_same_seed_same_network_and_another_seed_another(name):
    one, two = (pruned(name, seed=5, rounds=3) for _ in range(2))
    assert equal_networks(one, two)
    other = pruned(name, seed=6, rounds=3)
    # where neurons are measured, there are lots only among ties, and in synapses that are drawn
    family = RECIPES[name].family
    if family not in ("activity", "lottery", "frugal"):
        assert not np.array_equal(one.neuron_id, other.neuron_id) or family == "fresh"
        assert family == "no-recurrence" or not np.array_equal(one.W.indices, other.W.indices)


@pytest.mark.parametrize(
    "kind",
    [
        {"kind": "erdos_renyi"},
        {"kind": "small_world"},
        {"kind": "clustered", "clusters": 2, "within": 0.6},
    ],
)
def test_fresh_and_rewired_hit_the_size_on_every_kind_of_graph(kind):
    net = network(**kind)
    for method in ("fresh", "class-rewired", "activity"):
        small = pruned(method, net, rounds=2)
        assert (small.n_neurons, small.n_synapses) == (NEURONS, SYNAPSES)


def test_facts_are_asked_of_the_network_of_each_round_and_only_where_needed():
    for name in RIVALS:
        measure = Facts(N)
        pruned(name, rounds=3, probe=measure)
        looks = {need for step in RECIPES[name].steps for need in step.needs}
        assert len(measure.asked) == (3 if looks else 0)
    measure = Facts(N)
    pruned("activity", rounds=3, probe=measure)
    sizes, synapses = zip(*measure.asked, strict=True)
    ratio = (NEURONS / N) ** (1 / 3)
    assert sizes == (N, round(N * ratio), round(N * ratio**2))
    assert synapses[0] == N * K
    np.testing.assert_allclose(np.diff(np.log(synapses)), np.log(SYNAPSES / N / K) / 3, atol=1e-2)


# ---- frugal -------------------------------------------------------------------------------


def frugal(**options):
    return pruned("frugal", neurons=N, options=options)


def test_frugal_ranks_the_inputs_of_each_neuron_by_noise_per_operation():
    net, measure = network(), Facts(N)
    variance = np.diag(measure.covariance(net))
    price = 0.35
    small = frugal(gain="1", rate="0")
    kept, W = small.W.toarray(), net.W.toarray()
    q = np.abs(W) * (variance[:, None] + variance[None, :])
    q /= np.maximum(measure.rates(net), 0.1)[None, :] ** price
    for post in range(N):
        stay = np.flatnonzero(kept[post])
        assert abs(stay.size - SYNAPSES / N) < 1
        assert set(stay) == set(np.argsort(q[post])[-stay.size :])
    for sign in (1, -1):  # the compensation: sums of squares by class
        former, now = (np.where(sign * x > 0, x**2, 0).sum(axis=1) for x in (W, kept))
        np.testing.assert_allclose(now[now > 0], former[now > 0], rtol=1e-10)


def test_frugal_lets_the_neurons_of_lowest_rate_under_noise_leave():
    small = pruned("frugal", options={"proportional": "no"}, rounds=1)
    net, measure = network(), Facts(N)
    assert set(small.neuron_id) == set(np.argsort(measure.rates(net))[-NEURONS:])


def test_a_price_moves_the_choice_to_sources_that_fire_less():
    hz = Facts(N).hz
    spent = [hz[frugal(price=price).W.indices].mean() for price in ("0", "0.35", "0.5", "1")]
    assert spent == sorted(spent, reverse=True)
    assert spent[0] > 1.2 * spent[-1]


def test_frugal_turns_the_weights_up_and_the_rate_back():
    net, measure = network(), Facts(N)
    plain, strong = frugal(gain="1", rate="0"), frugal(gain="2", rate="0")
    np.testing.assert_allclose(strong.W.data, 2 * plain.W.data)
    some = pruned("frugal", options={"rate": "1"})
    wanted = measure.rates(net).mean()
    assert measure.rates(some).mean() == pytest.approx(wanted, rel=0.02)
    assert np.ptp(some.bias - net.bias[some.neuron_id]) == pytest.approx(0, abs=1e-12)
    measure.rates = lambda net: np.full(net.n_neurons, float(net.n_neurons))  # deaf to the bias
    left = pruned("frugal", probe=measure, options={"rate": "1"})
    assert left.history[-1]["operation"] == "rate match"
    assert left.history[-1]["reached"] is False
    np.testing.assert_array_equal(left.bias, net.bias[left.neuron_id])


def test_thrifty_holds_the_fastest_neurons_back_by_their_biases_alone():
    net, measure = network(), Facts(N)
    same = {"power": "0.5", "gain": "2.5"}
    free, held = frugal(**same), pruned("thrifty", neurons=N)
    top = 1.3 * measure.rates(net).mean()
    before, after = measure.rates(free), measure.rates(held)
    assert (held.W != free.W).nnz == 0
    assert before.max() > 2 * top
    assert after.max() <= 1.05 * top
    slow = before <= 1.02 * top
    np.testing.assert_array_equal(held.bias[slow], free.bias[slow])
    assert held.history[-1]["largest_hz"] == after.max()
    np.testing.assert_array_equal(held.bias, frugal(ceiling="1.3", **same).bias)


def test_a_ceiling_that_is_out_of_reach_ends_and_says_so():
    net, measure = network(), Facts(N)
    measure.rates = lambda net: np.full(net.n_neurons, 50.0)  # deaf to the bias
    held = lower_rates(net, 10.0, measure.rates)
    assert held.history[-1] == {
        "operation": "rate ceiling",
        "ceiling_hz": 10.0,
        "largest_hz": 50.0,
    }


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("ceiling", "-1", "gain.ceiling = -1: must be a number >= 0 and <= 100"),
        ("price", "cheap", "price = 'cheap': must be a number >= 0 and <= 2"),
        ("price", "3", "synapses.price = 3"),
        ("gain", "0", "gain.rule = 0: must be echo, none or a number >= 0.1"),
        ("rate", "nan", "gain.rate = nan"),
        ("within", "neurons", "did you mean 'neuron'"),
    ],
)
def test_what_frugal_refuses(option, value, named):
    with pytest.raises(InputError, match=re.escape(named)):
        frugal(**{option: value})


@pytest.mark.parametrize("method", ["magnitude", "noise", "class-rewired"])
def test_within_neuron_every_neuron_keeps_its_share(method):
    small = pruned(method, neurons=N, rounds=3, options={"within": "neuron", "selection": "top"})
    assert np.ptp(np.diff(small.W.indptr)) <= 1


# ---- activity, neurons by lot, lottery ----------------------------------------------------


def test_activity_removes_exactly_the_lowest_rates():
    rates = Facts(N).hz
    for rounds in (1, 4):
        small = pruned("activity", rounds=rounds, options={"proportional": "no"})
        assert set(small.neuron_id) == set(np.argsort(rates)[-NEURONS:])
        within = pruned("activity", rounds=rounds)
        is_e = network().is_e
        for members, stay in ((np.flatnonzero(is_e), 40), (np.flatnonzero(~is_e), 10)):
            best = set(members[np.argsort(rates[members])[-stay:]])
            assert set(within.neuron_id) & set(members) == best


def test_activity_then_keeps_the_largest_weights_or_any():
    net = network()
    small = pruned("activity", net, compensation="none")
    among = np.abs(net.W[small.neuron_id][:, small.neuron_id].data)
    np.testing.assert_array_equal(np.sort(np.abs(small.W.data)), np.sort(among)[-SYNAPSES:])
    lots = pruned("activity", net, compensation="none", options={"score": "random"})
    np.testing.assert_array_equal(lots.neuron_id, small.neuron_id)
    assert np.abs(lots.W.data).mean() < 0.7 * np.abs(small.W.data).mean()


def test_activity_of_a_trained_network_prunes_the_weights_that_training_left():
    net = network()
    trained = Facts(N).trained(net)
    small = pruned("activity stdp", net, rounds=4)
    assert equal_networks(
        replace(small, history=()), replace(pruned("activity", trained, rounds=4), history=())
    )
    assert next(entry["operation"] for entry in small.history) == "train"
    untrained = pruned("activity", net, rounds=4)
    np.testing.assert_array_equal(untrained.neuron_id, small.neuron_id)
    assert (untrained.W != small.W).nnz
    assert prunes_for_a_task(RECIPES["activity stdp"])


def test_former_sums_are_those_of_the_neurons_that_stay_whatever_the_rounds():
    net = network()
    for method in ("activity", "random-neurons", "lottery"):
        small = pruned(method, net, synapses=300, rounds=4, compensation="row 1")
        former = net.W[small.neuron_id][:, small.neuron_id].toarray()
        now = small.W.toarray()
        for sign in (1, -1):
            sums = np.where(sign * now > 0, now, 0).sum(axis=1)
            wanted = np.where(sign * former > 0, former, 0).sum(axis=1)
            np.testing.assert_allclose(sums[sums != 0], wanted[sums != 0], rtol=1e-10)


def test_random_neurons_do_not_depend_on_their_rate():
    net, hits = network(), np.zeros(N)
    for seed in range(300):
        hits[pruned("random-neurons", net, seed=seed, probe=Deaf()).neuron_id] += 1
    expected = 300 * NEURONS / N
    z = (hits - expected) / math.sqrt(expected * (1 - NEURONS / N))
    assert np.abs(z).max() < 4.5


def test_lottery_keeps_what_the_readout_uses():
    net, measure = network(), Facts(N)
    every = pruned("lottery", net, neurons=N, synapses=200, compensation="none", probe=measure)
    score = net.W.copy()
    score.data = np.abs(net.W.data) * measure.weight[np.nonzero(net.W.toarray())[0]]
    least = np.sort(score.data)[-200]
    np.testing.assert_array_equal((every.W.toarray() != 0), score.toarray() >= least)
    fewer = pruned("lottery", net, options={"proportional": "no"}, rounds=3, probe=measure)
    assert set(fewer.neuron_id) == set(np.argsort(measure.weight)[-NEURONS:])
    once = pruned("lottery", net, compensation="none", probe=measure)  # leave, then rank
    among = score[once.neuron_id][:, once.neuron_id].toarray()
    least = np.sort(among[among > 0])[-SYNAPSES]
    np.testing.assert_array_equal(once.W.toarray() != 0, among >= least)


# ---- magnitude within class ---------------------------------------------------------------


def test_within_class_keeps_the_share_of_inhibition_and_the_largest_of_each():
    net = network()
    for rounds in (1, 4):
        options = {"within": "class"}
        small = pruned(
            "magnitude", net, neurons=N, rounds=rounds, compensation="none", options=options
        )
        share = np.mean(net.W.data < 0)
        for sign in (1, -1):
            size = np.sort(np.abs(net.W.data[sign * net.W.data > 0]))
            kept = np.sort(np.abs(small.W.data[sign * small.W.data > 0]))
            wanted = SYNAPSES * (share if sign < 0 else 1 - share)
            assert abs(kept.size - wanted) <= rounds
            np.testing.assert_array_equal(kept, size[-kept.size :])
    apart = pruned("magnitude", net, neurons=N, compensation="none")
    assert np.mean(apart.W.data < 0) > 1.5 * share  # the confound that this option removes


def test_sampling_within_class_gives_each_class_its_share_on_average():
    q = RNG(3).gamma(2, 1, 1000)
    excitatory = np.arange(1000) < 800
    q[~excitatory] *= 6
    scaled = within_class(q, excitatory, "fixed", RNG(0))
    assert scaled[excitatory].sum() == pytest.approx(800)
    assert scaled[~excitatory].sum() == pytest.approx(200)
    np.testing.assert_allclose(scaled[excitatory] / q[excitatory], scaled[0] / q[0])
    ties = [within_class(np.ones(10), np.arange(10) < 5, "top", RNG(k))[:5] for k in range(4)]
    assert len({tuple(order) for order in ties}) > 1


# ---- controls of the noise score ----------------------------------------------------------


def test_shuffling_keeps_the_spectrum_and_within_class_each_class_block():
    C = Facts(N).covariance(network())
    shuffled = shuffled_covariance(C, RNG(0))
    np.testing.assert_allclose(np.linalg.eigvalsh(shuffled), np.linalg.eigvalsh(C), rtol=1e-9)
    np.testing.assert_array_equal(np.sort(np.diag(shuffled)), np.sort(np.diag(C)))
    assert np.mean(np.diag(shuffled) == np.diag(C)) < 0.1
    is_e = network().is_e
    apart = shuffled_covariance(C, RNG(0), is_e)
    for members in (is_e, ~is_e):
        np.testing.assert_allclose(
            np.linalg.eigvalsh(apart[members][:, members]),
            np.linalg.eigvalsh(C[members][:, members]),
            rtol=1e-9,
        )


def test_the_shuffled_control_is_noise_with_names_exchanged_once_for_all_rounds():
    """Where all names are the same, nothing changes; else what stays no longer fits C."""
    net = network()
    flat = np.eye(N) + 0.5
    top = {"selection": "top"}

    def by(recipe, C, rounds=1, options=None):
        more = {"seed": 3, "rounds": rounds, "probe": Given(C), "options": options}
        return pruned(recipe, net, neurons=None, synapses=200, **more).W

    same = [by(recipe, flat, options=top).toarray() for recipe in ("noise", "noise-shuffled")]
    np.testing.assert_array_equal(*same)
    variance = np.where(np.arange(N) % 2, 10.0, 0.1)  # half of the neurons are lively
    noise, shuffled = (by(recipe, np.diag(variance), 4) for recipe in ("noise", "noise-shuffled"))
    lively = [np.mean(variance[W.indices] > 1) for W in (noise, shuffled)]
    assert lively[0] > 0.7
    assert abs(lively[1] - 0.5) < 0.15
    C = Facts(N).covariance(net)
    exchanged = shuffled_covariance(C, rng(3, "prune", "shuffle"))
    np.testing.assert_array_equal(
        by("noise-shuffled", C, 4, top).toarray(), by("noise", exchanged, 4, top).toarray()
    )


def test_rewiring_keeps_in_degrees_and_weights_by_class_and_nothing_else():
    net = pruned("noise", neurons=N, synapses=400)
    rewired = rewire_within_class(net, 3)
    before, after = net.W.toarray(), rewired.W.toarray()
    for sign in (1, -1):
        for post in range(N):
            old, new = before[post][sign * before[post] > 0], after[post][sign * after[post] > 0]
            np.testing.assert_array_equal(np.sort(old), np.sort(new))
    common = np.count_nonzero((before != 0) & (after != 0))
    assert common < 0.25 * 400  # by chance about 400 * in-degree / members
    assert equal_networks(rewired, rewire_within_class(net, 3))
    assert not equal_networks(rewired, rewire_within_class(net, 4))
    assert not np.array_equal(np.bincount(net.W.indices), np.bincount(rewired.W.indices))


def test_class_rewired_is_noise_of_that_seed_rewired():
    small = pruned("class-rewired", rounds=2)
    as_noise = pruned("noise", rounds=2)
    np.testing.assert_array_equal(small.neuron_id, as_noise.neuron_id)
    assert small.history[-1]["operation"] == "rewiring"


def test_rewired_sources_are_uniform_over_the_class():
    net = pruned("noise", neurons=N, synapses=400)
    counts = sum(
        np.bincount(rewire_within_class(net, seed).W.indices, minlength=N) for seed in range(150)
    )
    for members in (net.is_e, ~net.is_e):
        assert stats.variation(counts[members]) < 5 / math.sqrt(counts[members].mean())
        assert np.ptp(counts[members]) > 0


# ---- fresh and no recurrence --------------------------------------------------------------


def sizes(net, K):
    """|w| without the factor of its class and in-degree: the law of X."""
    weights = net.params.weights
    return np.abs(net.W.data) / np.where(net.W.data > 0, 1, weights.g) * math.sqrt(K) / weights.J


@pytest.mark.parametrize(("kind", "even"), [("fixed_indegree", True), ("erdos_renyi", False)])
def test_fresh_has_the_law_of_weights_and_the_in_degree_of_its_size(kind, even):
    net = network(kind=kind)
    small = fresh_network(net, 60, 500, seed=2)
    assert stats.kstest(sizes(small, 500 / 60), stats.gamma(2, scale=0.5).cdf).pvalue > 0.01
    unscaled = fresh_network(net, 60, 500, seed=2, scale="original")
    for sign in (1, -1):
        ours, theirs = (np.abs(x.W.data[sign * x.W.data > 0]) for x in (unscaled, net))
        assert stats.ks_2samp(ours, theirs).pvalue > 0.01
    degrees = np.diff(small.W.indptr)
    assert (set(degrees) == {8, 9}) == even
    assert small.density == 500 / (60 * 59)
    assert stats.ks_2samp(small.tau_m, net.tau_m).pvalue > 0.01
    assert not np.isin(small.W.data, net.W.data).any()
    assert not np.array_equal(small.directions(1), net.directions(1)[:60])


def test_fresh_keeps_a_spectral_radius_that_was_asked_for():
    params = HRSNNParams(N=N, graph={"K": K}, weights={"spectral_radius": 1.5})
    small = fresh_network(build_network(params, 0), 60, 500, seed=1)
    radius = np.abs(np.linalg.eigvals(small.W.toarray()) - 1).max()
    assert radius == pytest.approx(1.5, rel=1e-6)
    assert small.params.weights.spectral_radius == 1.5


def test_fresh_refuses_what_has_no_law():
    net = network()
    silent = replace(net, params=HRSNNParams(N=N, weights={"J": 0}))
    with pytest.raises(InputError, match=r"needs J > 0 and g > 0"):
        fresh_network(silent, 50, 100, 0)
    with pytest.raises(InputError, match=r"synapses = 91: 10 neurons have room for 90"):
        fresh_network(net, 10, 91, 0)
    assert fresh_network(net, 10, 90, 0).density == 1


def test_no_recurrence_keeps_neurons_and_input():
    net = network()
    small = pruned("no-recurrence", net)
    assert small.n_synapses == 0
    np.testing.assert_array_equal(small.tau_m, net.tau_m[small.neuron_id])
    np.testing.assert_array_equal(small.directions(2), net.directions(2)[small.neuron_id])
    assert pruned("no-recurrence", net, neurons=None).n_neurons == N


# ---- names and refusals -------------------------------------------------------------------


def test_an_alias_is_the_recipe_itself():
    assert get_recipe("moore-chaudhuri") is RECIPES["noise"]
    assert get_recipe("no-recurrence") is RECIPES["no recurrence"]
    for alias, name in ALIASES.items():
        assert f"(also: {alias})" in list_recipes()[name]
    assert equal_networks(pruned("moore-chaudhuri"), pruned("noise"))


@pytest.mark.parametrize(
    ("recipe", "changes", "message"),
    [
        ("activity", {"probe": Deaf()}, r"task = None: recipe 'activity' prunes for a task: give"),
        ("lottery", {"probe": Deaf()}, r"task = None: recipe 'lottery' prunes for a task: give"),
        (
            "activity",
            {"neurons": None},
            r"neurons = None: .*'activity' chooses who leaves: give fewer than 80",
        ),
        (
            "random-neurons",
            {"neurons": N},
            r"neurons = 80: .*chooses who leaves: give fewer than 80",
        ),
        ("noise", {"probe": Deaf()}, r"probe = 'Deaf': recipe 'noise' needs .*covariance\("),
        ("noise-shuffled", {"probe": Deaf()}, r"probe = 'Deaf': recipe 'noise-shuffled' needs"),
        ("class-rewired", {"probe": Deaf()}, r"probe = 'Deaf': recipe 'class-rewired' needs"),
        ("frugal", {"probe": Given(np.eye(N))}, r"probe = 'Given': recipe 'frugal' needs .*rates"),
        ("fresh", {"options": {"compensation": "row"}}, r"recipe 'fresh' = 'compensation': unknow"),
        ("fresh", {"options": {"scale": "one"}}, r"scale = 'one': unknown"),
        ("no-recurrence", {"options": {"scale": "one"}}, r"'no recurrence' = 'scale': unknown"),
        ("activity", {"options": {"importance": "noise"}}, r"'importance': is called score"),
        ("activity", {"options": {"score": "noise"}}, r"score = 'noise': unknown"),
        ("moore-chaudhry", {}, r"recipe = 'moore-chaudhry': .*'moore-chaudhuri'"),
        ("activity", {"synapses": 1200}, r"synapses = 1200: only \d+ are left between the 50"),
        (
            "noise-shuffled",
            {"probe": Given(np.eye(3)), "neurons": N},
            r"covariance = \(3, 3\): must be \(80, 80\)",
        ),
        (
            "frugal",  # where neurons leave before the covariance is looked at
            {"probe": type("Odd", (Facts,), {"covariance": lambda *_: np.eye(3)})(N)},
            r"covariance = \(3, 3\): must be \(80, 80\)",
        ),
    ],
)
def test_refusals_name_what_is_missing(recipe, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        pruned(recipe, **changes)
    assert "\n" not in str(caught.value)


def test_measured_facts_that_do_not_fit_are_refused():
    for rates, message in (
        (np.ones(3), r"task_rates = \(3,\): must be 80 finite"),
        (np.full(N, np.nan), r"task_rates = \(80,\): must be 80 finite"),
        (np.zeros(N), r"task_rates = 0.0: is zero everywhere: a silent network"),
    ):
        measure = Facts(N)
        measure.task_rates = lambda net, rates=rates: rates
        with pytest.raises(InputError, match=message):
            pruned("activity", probe=measure)


def test_what_recipes_look_at_and_choose():
    of_task = {name for name, recipe in RECIPES.items() if prunes_for_a_task(recipe)}
    plain = {"activity", "activity random synapses", "activity stdp", "lottery"}
    assert of_task == plain | {"activity echo", "lottery echo"}

    def leave_by_choice(recipe):
        return any(isinstance(step, KeepNeurons) for step in recipe.steps)

    choosing = {RECIPES[name].family for name in RECIPES if leave_by_choice(RECIPES[name])}
    assert choosing == {"lnp", "frugal", "activity", "random-neurons", "lottery"}
    by_task = RECIPES["magnitude"].changed(neurons="readout")
    assert isinstance(by_task.start[0], KeepNeurons)
    assert prunes_for_a_task(by_task)
