"""LNP step 2, neurons: who leaves."""

import numpy as np
import pytest
from probes import Deaf, Facts, Stub, iteration

from hrsnn_brian.dynamics.betweenness import betweenness
from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams
from hrsnn_brian.pruning.keep_neurons import RULES, KeepNeurons, leavers
from hrsnn_brian.pruning.keep_synapses import edge_strength
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.recipes import MAGNITUDE
from hrsnn_brian.pruning.size import Size

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def network():
    return build_network(HRSNNParams(N=120, graph=GraphParams(K=8)), 3)


def leaving(network, count, *, seen=None, **settings):
    """Who leaves, on the graph of |w| unless another is asked for."""
    step = KeepNeurons(**{"graph": "magnitude", **settings})
    after = step(iteration(network, neurons=count, **(seen or {}))).network
    assert after.n_neurons == count
    return np.setdiff1d(np.arange(network.n_neurons), after.neuron_id)


def test_lowest_betweenness_leaves(network):
    """Without proportion, every leaver is at most as central as every neuron that stays."""
    score = betweenness(network.W)
    leave = leaving(network, 80, proportional="off")
    stay = np.setdiff1d(np.arange(120), leave)
    assert len(leave) == 40
    assert score[leave].max() <= score[stay].min()


def test_pivots_choose_who_leaves_by_an_estimate(network):
    """The pivots drawn first from the generator decide; as many as neurons are all of them."""
    exact = leaving(network, 80)
    assert np.array_equal(leaving(network, 80, pivots=120), exact)
    random = iteration(network).random("neurons")
    score = betweenness(network.W, pivots=random.choice(120, 60, replace=False))
    expected = leavers(score, network.is_e, 80, random)
    found = leaving(network, 80, pivots=60)
    assert np.array_equal(found, expected)
    assert len(np.intersect1d(found, exact)) > 25  # of 40; 13 by chance
    with pytest.raises(InputError, match=r"neurons.pivots = -1: must be a whole number >= 0"):
        KeepNeurons(pivots=-1)


def test_proportional_removal_keeps_the_balance(network):
    """E and I stay in proportion, and in each class the least central leave."""
    score = betweenness(network.W)
    leave = leaving(network, 80)
    stay = np.setdiff1d(np.arange(120), leave)
    assert network.is_e[stay].sum() == 64
    for members in (network.is_e, ~network.is_e):
        assert score[leave[members[leave]]].max() <= score[stay[members[stay]]].min()


def test_inverse_weight_distance_spares_inhibition(network):
    """The artefact that the option is for: with 1/|w| the strong inhibitory neurons are central."""
    leave = leaving(network, 80, proportional="off")
    assert network.is_e[leave].all()
    by_class = leaving(network, 80, proportional="off", distance="class")
    assert not network.is_e[by_class].all()


def test_strength_decides_who_is_central(network):
    """On the graph of exponents an edge is as long as the harmonic mean of growth is small."""
    exponents = -20 - 40 * RNG(5).random(120)
    growth = np.exp(exponents * Stub.T)
    W = network.W.tocoo()
    strength = 2 / (1 / growth[W.row] + 1 / growth[W.col])
    now = iteration(network, exponents=exponents)
    relative = edge_strength(network.W, now, "endpoints")
    np.testing.assert_allclose(relative, strength / strength.max())
    score = betweenness(network.W, strength)
    leave = leaving(
        network, 60, seen={"exponents": exponents}, graph="exponent", proportional="off"
    )
    np.testing.assert_allclose(np.sort(score[leave]), np.sort(score)[:60])
    assert not np.array_equal(leave, leaving(network, 60, proportional="off"))


def test_lowest_activity_leaves_and_ties_by_lot(network):
    rates = np.arange(120.0)[::-1].copy()
    for rule, fact in (
        ("activity", "rates"),
        ("task activity", "task_rates"),
        ("readout", "readout_weight"),
    ):
        leave = leaving(network, 100, rule=rule, seen={fact: rates}, proportional="off")
        np.testing.assert_array_equal(leave, np.arange(100, 120))
    silent = np.zeros(120)
    draws = {
        tuple(leavers(silent, network.is_e, 100, RNG(s), proportional=False)) for s in range(5)
    }
    assert len(draws) == 5
    again = leavers(silent, network.is_e, 100, RNG(0), proportional=False)
    np.testing.assert_array_equal(
        again, leavers(silent, network.is_e, 100, RNG(0), proportional=False)
    )


def test_random_leavers_with_and_without_proportion(network):
    left = leavers(None, network.is_e, 30, RNG(0))
    assert (~np.isin(np.flatnonzero(network.is_e), left)).sum() == 24
    by_rule = leaving(network, 30, rule="random")
    drawn = iteration(network).random("neurons")
    np.testing.assert_array_equal(by_rule, leavers(None, network.is_e, 30, drawn))
    kept = [
        120 - 24 - (leavers(None, network.is_e, 96, RNG(s), False) < 96).sum() for s in range(9)
    ]
    assert len(set(kept)) > 1  # the number of E that stay is drawn by lot


def test_neuron_refusals(network):
    is_e = network.is_e
    with pytest.raises(InputError, match=r"neurons.rule = 'betweennes': .*mean 'betweenness'"):
        KeepNeurons(rule="betweennes")
    for count in (0, 121):
        for rule in set(RULES) - {"off"}:
            recipe = LNP.changed(neurons=rule, timescales="off")
            with pytest.raises(InputError, match=rf"neurons = {count}: must be from 1 to 120"):
                prune(network, recipe, Size(count, synapses=50), probe=Facts(120), rounds=2)
    by_rate = MAGNITUDE.changed(neurons="activity")
    with pytest.raises(InputError, match=r"probe = 'Deaf': recipe 'magnitude' needs .*rates"):
        prune(network, by_rate, Size(50, synapses=50), probe=Deaf())
    with pytest.raises(InputError, match="score"):
        leavers(np.full(120, np.nan), is_e, 10, RNG(0))
    with pytest.raises(InputError, match="score"):
        leavers(np.ones(3), is_e, 10, RNG(0))


def test_neurons_that_leave_at_once_may_be_chosen_by_any_rule(network):
    """What the steps before the first round look at is measured for them."""
    facts, size = Facts(120), Size(60, synapses=100)
    for rule, score in (
        ("activity", facts.rates(network)),
        ("task activity", facts.hz),
        ("readout", facts.weight),
    ):
        recipe = MAGNITUDE.changed(neurons=rule, proportional="off")
        found = prune(network, recipe, size, probe=facts, rounds=3).network
        np.testing.assert_array_equal(found.neuron_id, np.sort(np.argsort(score)[-60:]))
    by_paths = MAGNITUDE.changed(neurons="betweenness", graph="exponent", proportional="off")
    found = prune(network, by_paths, size, probe=Stub()).network
    growth = np.exp(Stub().node_exponents(network) * Stub.T)
    W = network.W.tocoo()
    score = betweenness(network.W, 2 / (1 / growth[W.row] + 1 / growth[W.col]))
    assert score[found.neuron_id].min() >= np.sort(score)[59]
