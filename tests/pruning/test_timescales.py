"""LNP step 4, timescales: groups, distributions, the resumable search and the step itself."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from equality import equal_networks
from probes import Stub, iteration
from scipy import stats

from hrsnn_brian.errors import InputError, NoEchoError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.distributions import Gamma
from hrsnn_brian.network.io import load_network, save_network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams, NeuronParams
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.timescales import (
    MEANS,
    RATIOS,
    SHAPES,
    TimescaleSpace,
    neuron_groups,
    retime,
    search_timescales,
)
from hrsnn_brian.pruning.tune_timescales import check_rounds
from hrsnn_brian.statistics.search import Evaluation, Search, best_evaluation, maximise, propose


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


# ---- groups and distributions


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
    space = TimescaleSpace.of(network, "all")
    law = space.gammas(space.point(network, "all"))["all"]
    assert law.mean == pytest.approx(network.tau_m.mean())
    assert law.shape == pytest.approx(network.tau_m.mean() ** 2 / network.tau_m.var())
    corner = space.gammas((0.0, 1.0))["all"]
    assert (corner.shape, corner.mean) == (SHAPES[0], pytest.approx(MEANS[1]))


@pytest.mark.parametrize("grouping", ["all", "class", "class and cluster"])
def test_fixed_mean_stays_whatever_the_point(clustered, grouping):
    """Shapes and ratios at their bounds, where the most time constants are clipped, included."""
    space = TimescaleSpace.of(clustered, grouping, fixed=True)
    groups = neuron_groups(clustered, grouping)
    assert space.dimensions == 2 * len(groups) - 1
    corners = ((0.0,), (1.0,), (0.0, 1.0), (1.0, 0.0), (0.3, 0.9, 0.6))
    for corner in corners:
        point = tuple(np.resize(corner, space.dimensions))
        tau_m = retime(clustered, space.gammas(point), grouping).tau_m
        assert tau_m.mean() == pytest.approx(clustered.tau_m.mean(), rel=1e-12)
    assert not np.allclose(tau_m, clustered.tau_m)


def test_coordinates_of_a_fixed_mean_are_shapes_and_ratios(network):
    space = TimescaleSpace.of(network, "class", fixed=True)
    laws = space.gammas((1.0, 0.5, 0.25))
    assert laws["e"].shape == pytest.approx(SHAPES[1])
    assert laws["i"].mean / laws["e"].mean == pytest.approx(RATIOS[0] ** 0.5)
    start = space.gammas(space.point(network, "class"))
    for name, members in neuron_groups(network, "class").items():
        tau = network.tau_m[members]
        # but for what clipping and the quantiles of few neurons do
        assert start[name].mean == pytest.approx(tau.mean(), rel=0.02)
        assert start[name].shape == pytest.approx(tau.mean() ** 2 / tau.var())
    slow = replace(network, tau_m=np.full(network.n_neurons, 0.4))
    with pytest.raises(InputError, match=r"mean of tau_m = 0.4: must be between 0.002 and 0.3 s"):
        TimescaleSpace.of(slow, "class", fixed=True)


# ---- the search


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


def search(network, objective, trials=7, fixed=False, **options):
    return search_timescales(network, objective, Search(trials, **options), "all", fixed)


def test_search_finds_the_better_timescales(network):
    found = search(network, Objective(), trials=12)
    assert len(found.evaluations) == 12
    assert found.objective > found.evaluations[0].objective
    assert found.best["all"].mean == pytest.approx(40e-3, rel=0.25)
    blind = search(network, Objective(), trials=12, method="sobol")
    late, blind_late = (
        np.mean([trial.objective for trial in s.evaluations[6:]]) for s in (found, blind)
    )
    assert late > blind_late
    assert max(trial.objective for trial in found.evaluations) == found.objective
    trial = found.evaluations[5]
    law = TimescaleSpace.of(network, "all").gammas(trial.point)["all"]
    assert trial.measures["rate_hz"] == pytest.approx(1e3 * law.mean)


@pytest.mark.parametrize(("method", "fixed"), [("bayesian", False), ("sobol", True)])
def test_killed_search_resumes_to_the_same_points(network, tmp_path, method, fixed):
    """A search killed in its sixth evaluation continues as if nothing had been; then it replays."""
    log = tmp_path / "search.jsonl"
    how = {"method": method, "fixed": fixed}
    whole = search(network, Objective(), **how)
    killed = Objective(die_at=6)
    with pytest.raises(KeyboardInterrupt):
        search(network, killed, **how, log=log)
    assert len(log.read_text().splitlines()) == 1 + 5
    resumed = Objective()
    assert search(network, resumed, **how, log=log).evaluations == whole.evaluations
    assert resumed.calls == 2
    replayed = Objective()
    again = search(network, replayed, **how, log=log)
    assert replayed.calls == 0
    assert again.evaluations == whole.evaluations
    assert again.best == whole.best
    with pytest.raises(InputError, match="other settings"):
        search(network, Objective(), method=method, fixed=not fixed, log=log)
    longer = Objective()
    extended = search(network, longer, trials=8, **how, log=log)
    assert extended.evaluations[:7] == whole.evaluations
    assert longer.calls == 1
    assert list(tmp_path.iterdir()) == [log]


def test_same_seed_same_search(network):
    one = search(network, Objective(), method="sobol").evaluations
    assert one == search(network, Objective(), method="sobol").evaluations
    assert one != search(network, Objective(), method="sobol", seed=1).evaluations


def test_bayesian_proposal_is_a_function_of_history_and_seed():
    points = np.random.default_rng(0).random((5, 2)).tolist()
    history = [Evaluation(tuple(p), {"objective": -abs(p[0] - 0.3)}) for p in points]
    one = propose(history, 2, 0)
    np.random.default_rng(1).random(7)
    assert one == propose(history, 2, 0)
    assert one != propose(history, 2, 1)
    assert all(0 <= x <= 1 for x in one)


def test_failed_evaluations_are_kept_but_not_chosen(network, tmp_path):
    log = tmp_path / "search.jsonl"
    values = iter([-3.0, np.nan, -1.0, np.inf, -2.0, -5.0])
    found = search(network, lambda gammas: next(values), trials=6, log=log)
    assert found.objective == -1.0
    assert sum(not np.isfinite(row.objective) for row in found.evaluations) == 2
    replay = search(network, Objective(), trials=6, log=log)
    assert replay.best == found.best
    assert search(network, lambda gammas: float("nan"), trials=3) is None
    failed = [Evaluation((0.5,), {"objective": value}) for value in (np.nan, np.inf, -np.inf)]
    assert best_evaluation(failed) is None


def test_search_refusals(network, tmp_path):
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
    with pytest.raises(InputError, match="group of neurons"):
        retime(network, {"e7": Gamma(shape=2, mean="20 ms")})
    with pytest.raises(InputError, match="seconds"):
        retime(network, {"e0": Gamma(shape=2, mean=20.0)})
    with pytest.raises(InputError, match="objective"):
        maximise(lambda point: {"rate": 1.0}, 2, Search(1, method="sobol"))


# ---- the step


def tuned(network, probe, number=4, source=None, log=None, **changes):
    recipe = LNP.changed(**{"timescales": "sobol", "timescale_rate": "off", **changes})
    now = iteration(network, recipe=recipe, probe=probe, number=number, source=source)
    return recipe.step("timescales")(replace(now, log=lambda name: log)).network


def trials(log):
    """What was measured, in order."""
    return [json.loads(line)["measures"] for line in log.read_text().splitlines()[1:]]


class Leaky(Stub):
    """Echoes as measured in pruned networks: of the membranes alone s goes as tau_m^2.4; what the
    recurrence adds as the root of tau_m and of the summed weights. Nothing is unstable."""

    def lambda_1(self, network):
        return -5.0

    def echo(self, network):
        slow = network.tau_m.mean() / 20e-3
        added = abs(network.W).sum() / network.n_neurons
        return 0.025 * slow**2.4 + 0.25 * math.sqrt(slow * added)


class Unasked(Stub):
    """Fails when asked for anything under common noise."""

    echo = common_lambda_1 = common_growth = None


def test_timescales_change_only_for_a_better_stable_trial():
    """lambda grows with tau_m and 0 is the target: tau_m grows, but stays on the stable side."""
    network = build_network(HRSNNParams(N=60, graph=GraphParams(K=12)), 3)
    better = tuned(network, Stub(), timescale_trials=12)
    before, after = Stub().lambda_1(network), Stub().lambda_1(better)
    assert before < after <= 0
    told = better.history[-1]
    assert told["operation"] == "timescale search"
    assert told["objective"] == -abs(after) > told["before"]
    assert told["before"] == pytest.approx(-abs(before), rel=0.01)  # a gamma like the present
    never = tuned(network, Stub(unstable=(60,)), timescale_trials=3)
    assert equal_networks(never, network)


def test_the_step_has_its_turn_every_few_iterations(network):
    for number in (1, 2, 3, 5, 7):
        assert tuned(network, None, number) is network
    assert tuned(network, None, 8, timescale_every=3) is network
    assert tuned(network, None, 4, timescales="off") is network
    assert tuned(network, Stub(), 8, timescale_trials=12) is not network


def test_too_few_iterations_for_a_search_are_refused():
    check_rounds(LNP, 4)
    check_rounds(LNP.changed(timescales="off"), 1)
    with pytest.raises(
        InputError, match=r"rounds = 3: step 4 comes every timescale_every = 4 of them"
    ):
        check_rounds(LNP, 3)


def test_a_slow_leak_reaches_the_echo_but_not_the_objective(network, tmp_path):
    """Free means find trials with the unpruned network's S; all of them are worse than none."""
    pruned, log, probe = network.with_weights(0.05 * network.W), tmp_path / "log", Leaky()
    options = {"objective": "echo", "grouping": "all", "timescale_trials": 24}
    tuned(pruned, probe, source=network, log=log, **options)
    first, *others = trials(log)
    wanted = probe.echo(network)
    leaks = [t for t in others if abs(math.log(t["input_echo"] / wanted)) < 0.25]
    assert leaks
    assert all(t["membrane_echo"] > 4 * first["membrane_echo"] for t in leaks)
    assert all(t["objective"] < first["objective"] < 0 for t in leaks)
    # the unpruned network meets it; at the fixed mean nothing can leak
    tuned(network, probe, source=network, log=tmp_path / "full", **options)
    assert trials(tmp_path / "full")[0]["objective"] == pytest.approx(0, abs=0.1)
    tuned(pruned, probe, source=network, log=tmp_path / "fixed", mean="fixed", **options)
    echoes = [t["membrane_echo"] for t in trials(tmp_path / "fixed")]
    assert echoes == pytest.approx([echoes[0]] * 24)


def test_the_step_keeps_a_fixed_mean(network):
    class Mixed(Leaky):
        """More memory, the faster inhibition is."""

        def memory_capacity(self, network):
            return float(1 / network.tau_m[~network.is_e].mean())

    options = {"mean": "fixed", "objective": "memory", "timescale_trials": 8}
    better = tuned(network, Mixed(), **options)
    assert better.history[-1]["operation"] == "timescale search"
    assert better.tau_m.mean() == pytest.approx(network.tau_m.mean(), rel=1e-12)
    assert better.tau_m[~network.is_e].mean() < 0.8 * network.tau_m[~network.is_e].mean()


def test_trials_are_judged_under_common_noise_where_bounds_are_given(network, tmp_path):
    log = tmp_path / "log"
    options = {"grouping": "all", "timescale_trials": 12}
    tuned(network, Leaky(), log=log, echo_max=0.3, lambda_common_max=0.0, **options)
    found = trials(log)
    assert {t["objective"] is None for t in found} == {True, False}
    for trial in found:
        assert (trial["objective"] is None) == (trial["input_echo"] > 0.3)
        assert trial["lambda_common_per_s"] == -9.0
    tuned(network, Leaky(), log=tmp_path / "b", lambda_common_max=-9.5, **options)
    assert all(t["objective"] is None for t in trials(tmp_path / "b"))
    tuned(network, Unasked(), **options)  # `lnp` is judged as it was


def test_neurons_that_keep_nothing_alone_are_refused(network):
    class Deaf(Leaky):
        def echo(self, network):
            return 0.6 if network.n_synapses else 0.0

    with pytest.raises(NoEchoError, match="no input echo without recurrence"):
        tuned(network, Deaf(), objective="echo")
    assert tuned(network, Unasked(), 4, objective="echo", timescales="off") is network
    assert "echo" in LNP.changed(objective="echo").needs
    assert "echo" not in LNP.changed(objective="echo", timescales="off").needs
