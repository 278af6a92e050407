"""LNP steps 2 (neurons), 3 (delocalisation) and 4 (timescales): what each must and must not do."""

import json
import sys

import numpy as np
import pytest
from scipy import sparse, stats

from hrsnn_brian.connectivity.betweenness import betweenness
from hrsnn_brian.connectivity.heterogeneity import degree_heterogeneity, heterogeneity_with
from hrsnn_brian.errors import InputError
from hrsnn_brian.metrics.eigenmodes import linearised, participation_ratio
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.io import load_network, save_network
from hrsnn_brian.network.network import equal_networks
from hrsnn_brian.parameters.distributions import Gamma
from hrsnn_brian.parameters.model import GraphParams, HRSNNParams, NeuronParams
from hrsnn_brian.pruning.delocalisation import (
    _Linearisation,
    delocalise,
    draw_weights_of_senders,
    with_edge,
)
from hrsnn_brian.pruning.neurons import (
    choose_leavers,
    lowest_leavers,
    random_leavers,
)
from hrsnn_brian.pruning.search import Evaluation, maximise, propose
from hrsnn_brian.pruning.timescales import (
    TimescaleSpace,
    neuron_groups,
    retime,
    search_timescales,
)

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def network():
    return build_network(HRSNNParams(N=120, graph=GraphParams(K=8)), 3)


@pytest.fixture(scope="module")
def clustered():
    laws = (Gamma(shape=3, mean="10 ms"), Gamma(shape=3, mean="40 ms"))
    params = HRSNNParams(
        N=200,
        graph=GraphParams(kind="clustered", clusters=2, K=8),
        neuron=NeuronParams(tau_m_clusters=laws),
    )
    return build_network(params, 1)


# ---- step 2: neurons


def test_lowest_betweenness_leaves(network):
    """Without proportion, every leaver is at most as central as every neuron that stays."""
    score = betweenness(network.W)
    leave = choose_leavers("betweenness", network.W, network.is_e, 80, RNG(0), proportional=False)
    stay = np.setdiff1d(np.arange(120), leave)
    assert len(leave) == 40
    assert score[leave].max() <= score[stay].min()


def test_pivots_choose_who_leaves_by_an_estimate(network):
    """The pivots drawn first from the generator decide; as many as neurons are all of them."""
    arguments = ("betweenness", network.W, network.is_e, 80)
    exact = choose_leavers(*arguments, RNG(0))
    assert np.array_equal(choose_leavers(*arguments, RNG(0), pivots=120), exact)
    random = RNG(0)
    score = betweenness(network.W, pivots=random.choice(120, 60, replace=False))
    expected = lowest_leavers(score, network.is_e, 80, random)
    found = choose_leavers(*arguments, RNG(0), pivots=60)
    assert np.array_equal(found, expected)
    assert len(np.intersect1d(found, exact)) > 25  # of 40; 13 by chance
    with pytest.raises(InputError, match="pivots"):
        choose_leavers(*arguments, RNG(0), pivots=-1)


def test_proportional_removal_keeps_the_balance(network):
    """E and I stay in proportion, and in each class the least central leave."""
    score = betweenness(network.W)
    leave = choose_leavers("betweenness", network.W, network.is_e, 80, RNG(0))
    stay = np.setdiff1d(np.arange(120), leave)
    assert network.is_e[stay].sum() == 64
    for members in (network.is_e, ~network.is_e):
        assert score[leave[members[leave]]].max() <= score[stay[members[stay]]].min()


def test_inverse_weight_distance_spares_inhibition(network):
    """The artefact that the option is for: with 1/|w| the strong inhibitory neurons are central."""
    leave = choose_leavers("betweenness", network.W, network.is_e, 80, RNG(0), proportional=False)
    assert network.is_e[leave].all()
    by_class = choose_leavers(
        "betweenness", network.W, network.is_e, 80, RNG(0), proportional=False, distance="class"
    )
    assert not network.is_e[by_class].all()


def test_strength_decides_who_is_central(network):
    strength = RNG(5).gamma(2, 1, network.n_synapses)
    score = betweenness(network.W, strength)
    leave = choose_leavers(
        "betweenness",
        network.W,
        network.is_e,
        60,
        RNG(0),
        strength=strength,
        proportional=False,
    )
    np.testing.assert_array_equal(np.sort(score[leave]), np.sort(score)[:60])


def test_lowest_activity_leaves_and_ties_by_lot(network):
    rates = np.arange(120.0)[::-1].copy()
    leave = choose_leavers(
        "activity", network.W, network.is_e, 100, RNG(0), rates=rates, proportional=False
    )
    np.testing.assert_array_equal(leave, np.arange(100, 120))
    silent = np.zeros(120)
    draws = {
        tuple(lowest_leavers(silent, network.is_e, 100, RNG(s), proportional=False))
        for s in range(5)
    }
    assert len(draws) == 5
    again = lowest_leavers(silent, network.is_e, 100, RNG(0), proportional=False)
    np.testing.assert_array_equal(
        again, lowest_leavers(silent, network.is_e, 100, RNG(0), proportional=False)
    )


def test_random_leavers_with_and_without_proportion(network):
    left = random_leavers(network.is_e, 30, RNG(0))
    assert (~np.isin(np.flatnonzero(network.is_e), left)).sum() == 24
    np.testing.assert_array_equal(
        left, choose_leavers("random", network.W, network.is_e, 30, RNG(0))
    )
    kept = [
        120 - 24 - (random_leavers(network.is_e, 96, RNG(s), False) < 96).sum() for s in range(9)
    ]
    assert len(set(kept)) > 1  # the number of E that stay is drawn by lot


def test_neuron_refusals(network):
    W, is_e = network.W, network.is_e
    with pytest.raises(InputError, match="betweenness"):
        choose_leavers("betweennes", W, is_e, 10, RNG(0))
    for rule in ("betweenness", "activity", "random"):
        for count in (0, 121):
            with pytest.raises(InputError, match="1 to 120"):
                choose_leavers(rule, W, is_e, count, RNG(0), rates=np.ones(120))
    with pytest.raises(InputError, match="needs each neuron's firing rate"):
        choose_leavers("activity", W, is_e, 10, RNG(0))
    with pytest.raises(InputError, match="score"):
        lowest_leavers(np.full(120, np.nan), is_e, 10, RNG(0))


# ---- step 3: delocalisation

GAIN = 3.0


def mean_participation(W, tau_m, modes=10):
    """The dense route: P and the abscissa from a full decomposition."""
    values, vectors = np.linalg.eig(linearised(W, tau_m, GAIN).toarray())
    lead = np.argsort(-values.real, kind="stable")[:modes]
    return participation_ratio(vectors[:, lead]).mean(), values.real.max()


def run(network, edges=6, seed=0, **options):
    return delocalise(
        network.W, network.is_e, network.tau_m, edges, RNG(seed), gain=GAIN, **options
    )


@pytest.fixture(scope="module")
def by_lot(network):
    return run(network, edges=8, proposals=40, choice="random")


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
    assert by_lot.abscissa == pytest.approx(mean_participation(W, network.tau_m)[1])
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
    found = run(network, edges=8, proposals=40)
    assert found.after - found.before > 3 * (by_lot.after - by_lot.before)
    assert all((t.predicted > 0) == np.isfinite(t.participation) for t in found.trials)


def test_slope_is_the_derivative_by_a_weight(network):
    """The forecast of a rise: central differences of the mean ratio in W, present entry or not."""
    slope = _Linearisation(network.tau_m, GAIN, 10).slope(network.W)
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


def test_abscissa_limit_and_trivial_budgets(network):
    _, abscissa = mean_participation(network.W, network.tau_m)
    options = {"edges": 8, "proposals": 40, "choice": "random", "seed": 1}
    free = run(network, **options)
    held = run(network, **options, max_abscissa=abscissa)
    assert free.abscissa > abscissa >= held.abscissa
    assert held.added > 0
    none = run(network, edges=0)
    assert (none.added, none.trials, none.W.nnz) == (0, (), network.n_synapses)
    empty = delocalise(
        sparse.csr_array((30, 30)), np.arange(30) < 24, np.linspace(0.01, 0.03, 30), 3, RNG(0)
    )
    assert empty.added == 0  # no synapse to draw a weight from
    assert empty.before == 1


def test_delocalisation_is_reproducible(network):
    one, two, other = run(network), run(network), run(network, seed=1)
    assert (one.W != two.W).nnz == 0
    assert one.trials == two.trials
    assert one.trials != other.trials
    json.dumps([trial.to_dict() for trial in one.trials])


def test_delocalisation_refusals(network):
    with pytest.raises(InputError, match="edges"):
        run(network, edges=-1)
    with pytest.raises(InputError, match="gradient"):
        run(network, choice="gradiant")
    with pytest.raises(InputError, match="is_e"):
        delocalise(network.W, np.ones(3, bool), network.tau_m, 1, RNG(0))


# ---- step 4: timescales


def test_groups_partition_the_neurons(clustered):
    for grouping, names in (
        ("all", ["all"]),
        ("class", ["e", "i"]),
        ("cluster", ["0", "1"]),
        ("class and cluster", ["e0", "i0", "e1", "i1"]),
    ):
        groups = neuron_groups(clustered, grouping)
        assert list(groups) == names
        assert (np.sum(list(groups.values()), axis=0) == 1).all()
    groups = neuron_groups(clustered)
    np.testing.assert_array_equal(groups["e1"], clustered.is_e & (clustered.cluster == 1))


def test_retime_gives_the_distribution_and_keeps_ranks(clustered):
    laws = {
        "e0": Gamma(shape=2, mean="30 ms"),
        "i1": Gamma(shape=6, mean="12 ms"),
        "e1": Gamma(shape=2, mean="30 ms", low="20 ms", high="50 ms"),
    }
    found = retime(clustered, laws)
    groups = neuron_groups(clustered)
    for name, shape, mean in (("e0", 2, 30e-3), ("i1", 6, 12e-3)):
        members = groups[name]
        old, new = clustered.tau_m[members], found.tau_m[members]
        np.testing.assert_array_equal(np.argsort(old), np.argsort(new))
        law = stats.gamma(shape, scale=mean / shape)
        # midpoint quantiles: the smallest KS distance n values can have, 1/(2n)
        distance = stats.kstest(new, law.cdf).statistic
        assert distance == pytest.approx(0.5 / members.sum(), rel=1e-6)
        assert new.mean() == pytest.approx(mean, rel=0.05)
    clipped = found.tau_m[groups["e1"]]
    assert (clipped.min(), clipped.max()) == (20e-3, 50e-3)
    np.testing.assert_array_equal(found.tau_m[groups["i0"]], clustered.tau_m[groups["i0"]])
    assert (found.W != clustered.W).nnz == 0
    assert equal_networks(found, retime(clustered, laws))
    assert found.history[-1]["operation"] == "timescales"


def test_retimed_network_is_saved_whole(clustered, tmp_path):
    found = retime(clustered, {"e": Gamma(shape=2, mean="30 ms")}, "class")
    save_network(found, tmp_path / "n.npz")
    assert equal_networks(load_network(tmp_path / "n.npz"), found)


def test_start_of_the_search_is_the_network_itself(network):
    space = TimescaleSpace(("all",))
    law = space.gammas(space.point(network, "all"))["all"]
    assert law.mean == pytest.approx(network.tau_m.mean())
    assert law.shape == pytest.approx(network.tau_m.mean() ** 2 / network.tau_m.var())
    corner = space.gammas((0.0, 1.0))["all"]
    assert (corner.shape, corner.mean) == (space.shapes[0], pytest.approx(space.means[1]))


class Objective:
    """Best at a mean of 40 ms and shape 4; counts its calls and can be killed at one of them."""

    def __init__(self, die_at=None):
        self.calls, self.die_at = 0, die_at

    def __call__(self, gammas):
        self.calls += 1
        if self.calls == self.die_at:
            raise KeyboardInterrupt
        loss = sum(
            np.log(law.mean / 40e-3) ** 2 + 0.1 * np.log(law.shape / 4) ** 2
            for law in gammas.values()
        )
        return {"objective": -float(loss), "rate_hz": 1e3 * gammas["all"].mean}


def search(network, objective, trials=7, **options):
    return search_timescales(
        network, objective, trials, options.pop("seed", 0), grouping="all", **options
    )


def test_search_finds_the_better_timescales(network):
    pytest.importorskip("bayes_opt")
    found = search(network, Objective(), trials=12)
    assert len(found.history) == 12
    assert found.objective > found.history[0]["objective"]
    assert found.best["all"].mean == pytest.approx(40e-3, rel=0.25)
    blind = search(network, Objective(), trials=12, method="sobol")
    late, blind_late = (
        np.mean([row["objective"] for row in s.history[6:]]) for s in (found, blind)
    )
    assert late > blind_late
    best = [row["best_so_far"] for row in found.history]
    assert best == sorted(best)
    assert best[-1] == found.objective
    row = found.history[5]
    assert row["rate_hz"] == pytest.approx(1e3 * row["all.mean_s"])


def test_killed_search_resumes_to_the_same_points(network, tmp_path):
    """A search killed in its sixth evaluation continues as if nothing had been; then it replays."""
    pytest.importorskip("bayes_opt")
    log = tmp_path / "search.jsonl"
    whole = search(network, Objective())
    killed = Objective(die_at=6)
    with pytest.raises(KeyboardInterrupt):
        search(network, killed, log=log)
    assert len(log.read_text().splitlines()) == 1 + 5
    resumed = Objective()
    assert search(network, resumed, log=log).history == whole.history
    assert resumed.calls == 2
    replayed = Objective()
    again = search(network, replayed, log=log)
    assert replayed.calls == 0
    assert again.history == whole.history
    assert again.best == whole.best
    longer = Objective()
    assert search(network, longer, trials=8, log=log).history[:7] == whole.history
    assert longer.calls == 1
    assert list(tmp_path.iterdir()) == [log]


def test_same_seed_same_search(network):
    one = search(network, Objective(), method="sobol").history
    assert one == search(network, Objective(), method="sobol").history
    assert one != search(network, Objective(), method="sobol", seed=1).history


def test_bayesian_proposal_is_a_function_of_history_and_seed():
    pytest.importorskip("bayes_opt")
    points = np.random.default_rng(0).random((5, 2)).tolist()
    history = [Evaluation(tuple(p), {"objective": -abs(p[0] - 0.3)}) for p in points]
    one = propose(history, 2, 0)
    np.random.default_rng(1).random(7)
    assert one == propose(history, 2, 0)
    assert one != propose(history, 2, 1)
    assert all(0 <= x <= 1 for x in one)


def test_failed_evaluations_are_kept_but_not_chosen(network, tmp_path):
    pytest.importorskip("bayes_opt")
    log = tmp_path / "search.jsonl"
    values = iter([-3.0, np.nan, -1.0, np.inf, -2.0, -5.0])
    found = search(network, lambda gammas: next(values), trials=6, log=log)
    assert found.objective == -1.0
    assert sum(not np.isfinite(row["objective"]) for row in found.history) == 2
    replay = search(network, Objective(), trials=6, log=log)
    assert replay.best == found.best
    with pytest.raises(InputError, match="none of 3 evaluations"):
        search(network, lambda gammas: float("nan"), trials=3)


def test_search_refusals(network, tmp_path, monkeypatch):
    log = tmp_path / "search.jsonl"
    search(network, Objective(), trials=2, method="sobol", log=log)
    for other in ({"seed": 1}, {"settings": {"objective": "memory"}}):
        with pytest.raises(InputError, match="other settings"):
            search(network, Objective(), trials=2, method="sobol", log=log, **other)
    log.write_text(log.read_text()[:-20])
    with pytest.raises(InputError, match="is not the log"):
        search(network, Objective(), trials=2, method="sobol", log=log)
    with pytest.raises(InputError, match="trials"):
        search(network, Objective(), trials=0)
    with pytest.raises(InputError, match="bayesian"):
        search(network, Objective(), method="baysian")
    with pytest.raises(InputError, match="grouping"):
        search_timescales(network, Objective(), 2, 0, grouping="clas")
    with pytest.raises(InputError, match="group of neurons"):
        retime(network, {"e7": Gamma(shape=2, mean="20 ms")})
    with pytest.raises(InputError, match="seconds"):
        retime(network, {"e0": Gamma(shape=2, mean=20.0)})
    with pytest.raises(InputError, match="means"):
        TimescaleSpace(("all",), means=(0.1, 0.01))
    with pytest.raises(InputError, match="objective"):
        maximise(lambda point: {"rate": 1.0}, 2, 1, 0, method="sobol")
    monkeypatch.setitem(sys.modules, "bayes_opt", None)
    with pytest.raises(InputError, match=r"pip install .bayesian-optimization"):
        search(network, Objective())
    assert search(network, Objective(), trials=2, method="sobol").objective < 0
