"""`prune` for every recipe: refusals before any work, the course it reports, resuming."""

import shutil

import numpy as np
import pytest
from equality import equal_networks
from probes import Deaf, Facts, Growing, Stub
from random_networks import network

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams
from hrsnn_brian.pruning.iteration import FACTS, OF_TASK
from hrsnn_brian.pruning.prune import Rounds, prune
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import MAGNITUDE, NOISE, RECIPES
from hrsnn_brian.pruning.size import Size

N = 60
SIZE = Size(40, synapses=200)
METHODS = {"exponents": "node_exponents"}
NEEDS = [(name, need) for name, recipe in RECIPES.items() for need in recipe.needs]
RIVALS = ("magnitude", "noise top variance (8 rounds)", "class-rewired", "frugal", "thrifty")
OTHERS = ("lottery", "activity", "random neurons", "fresh", "no recurrence", "lnp revised")


@pytest.fixture(scope="module")
def net():
    return build_network(HRSNNParams(N=N, graph=GraphParams(K=12)), 3)


def without_seconds(history):
    return [{k: v for k, v in row.items() if not k.startswith("seconds")} for row in history]


# ---- refusals -----------------------------------------------------------------------------


class Counting(Facts):
    """Has all facts but one, and counts what it is asked for."""

    def __init__(self, missing):
        super().__init__(N)
        self.calls = self.asked
        setattr(self, METHODS.get(missing, missing), None)


@pytest.mark.parametrize(("name", "need"), NEEDS)
def test_a_recipe_whose_need_is_not_met_is_refused_in_one_line(net, tmp_path, name, need):
    probe, method = Counting(need), METHODS.get(need, need)
    with pytest.raises(InputError) as refused:
        prune(net, name, SIZE, probe=probe, rounds=Rounds(work=tmp_path / "w"))
    if need in OF_TASK:
        message = f"task = None: recipe {name!r} prunes for a task: give one"
    else:
        message = (
            f"probe = 'Counting': recipe {name!r} needs a probe with {method}(...): {FACTS[need]}"
        )
    assert str(refused.value) == message
    assert not probe.asked
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", [name for name in RECIPES if not RECIPES[name].needs])
def test_a_recipe_without_needs_asks_nothing(net, name):
    found = prune(net, name, SIZE, probe=Deaf())
    assert found.network.n_neurons == 40


def test_the_first_missing_fact_is_named_whatever_the_hash_seed(net):
    with pytest.raises(InputError, match=r"needs a probe with covariance\("):
        prune(net, "lnp", SIZE, probe=Deaf())
    rates_for_task = type("Rates", (), {"task_rates": lambda *_: np.ones(N)})()
    with pytest.raises(InputError, match=r"probe = 'Rates': recipe 'activity' needs .* rates\("):
        prune(net, RECIPES["activity"].changed(price=0.5), SIZE, probe=rates_for_task)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "magnitud"}, r"recipe = 'magnitud': unknown; did you mean 'magnitude'\?"),
        ({"probe": Deaf()}, r"probe = 'Deaf': recipe 'noise' needs a probe with covariance\("),
        ({"size": Size(synapses=0)}, r"synapses = 0: must leave at least one"),
        ({"size": Size(synapses=481)}, r"synapses = 481: .*holds 480"),
        ({"size": Size(synapses=10.5)}, r"synapses = 10.5: must be a whole number"),
        ({"size": Size(50, synapses=50)}, r"neurons = 50: must be from 1 to 40"),
        ({"size": Size(30)}, r"budget = None: give exactly one of keep, density and synapses"),
        ({"rounds": 0}, r"rounds = 0: must be a whole number >= 1"),
        ({"rounds": 1.5}, r"rounds = 1.5: must be a whole number >= 1"),
        ({"rounds": True}, r"rounds = True: must be a whole number >= 1"),
        ({"seed": -1}, r"seed = -1"),
    ],
)
@pytest.mark.parametrize("neurons_leave", [False, True])
def test_refusals_name_argument_value_and_what_is_allowed(
    changes, message, neurons_leave, tmp_path
):
    recipe = NOISE.changed(covariance="linear") if "probe" not in changes else NOISE
    good = {"recipe": recipe, "size": Size(synapses=50), "seed": 1, "probe": Stub()}
    if neurons_leave:
        good["size"] = Size(30, synapses=50)
    words = good | changes | {"rounds": Rounds(changes.get("rounds"), work=tmp_path / "w")}
    with pytest.raises(InputError, match=message) as caught:
        prune(network(), **words)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_size_out_of_reach_is_an_error_of_its_own(net, name):
    for size in (Size(40, synapses=721), Size(10, synapses=91), Size(40, density=0.9)):
        with pytest.raises(SizeOutOfReachError) as refused:
            prune(net, name, size, probe=Facts(N))
        assert "\n" not in str(refused.value)


def test_a_network_without_synapses_is_refused(net):
    for name in ("random", "lnp", "fresh"):
        with pytest.raises(InputError, match=r"network = '60 neurons': has no synapses to prune"):
            prune(net.without_recurrence(), name, Size(40), probe=Facts(N))


# ---- the course ---------------------------------------------------------------------------


def test_history_of_a_rival_says_its_sizes_and_falls_in_equal_ratios(net):
    seen = []
    found = prune(
        net,
        "frugal",
        SIZE,
        probe=Facts(N),
        rounds=Rounds(on_round=lambda k, total, row: seen.append((k, total, row["synapses"]))),
    )
    assert [row["iteration"] for row in found.history] == list(range(9))
    assert (found.history[0]["neurons"], found.history[0]["synapses"]) == (60, 720)
    assert (found.history[-1]["neurons"], found.history[-1]["synapses"]) == (40, 200)
    for name in ("neurons", "synapses"):
        ratios = np.diff(np.log([row[name] for row in found.history]))
        np.testing.assert_allclose(ratios, ratios.mean(), atol=0.02)
    assert seen == [(k, 8, row["synapses"]) for k, row in enumerate(found.history)]
    last = found.history[-1]
    parts = sum(v for k, v in last.items() if k.startswith("seconds_"))
    assert last["seconds"] == pytest.approx(parts)
    assert (found.stopped, found.stable) == (None, True)


def test_rounds_are_those_of_the_recipe_unless_others_are_asked_for(net):
    assert len(prune(net, "frugal", SIZE, probe=Facts(N)).history) == 9
    assert len(prune(net, "frugal", SIZE, probe=Facts(N), rounds=3).history) == 4
    assert len(prune(net, MAGNITUDE.changed(rounds=5), SIZE, probe=Deaf()).history) == 6


def test_neurons_that_leave_by_lot_are_gone_before_the_first_round(net):
    found = prune(net, "magnitude", SIZE, probe=Deaf(), rounds=3)
    assert [row["neurons"] for row in found.history] == [40] * 4


# ---- resuming -----------------------------------------------------------------------------


class Killed(Exception):
    """In the place of a kill."""


def dies_after(k):
    def on_round(done, _total, _row):
        if done == k:
            raise Killed

    return on_round


class Changing(Facts, Growing):
    """Facts that depend on the weights too, so that a round taken twice would show."""

    def covariance(self, net):
        return super().covariance(net) * (1 + abs(net.W).sum() / net.n_neurons)

    def node_exponents(self, net):
        return Growing.node_exponents(self, net)


@pytest.mark.parametrize("survived", [0, 1, 4])
@pytest.mark.parametrize("name", [*RIVALS, *OTHERS])
def test_every_recipe_continues_after_a_kill_to_the_same_bytes(net, tmp_path, name, survived):
    def run(work, **more):
        rounds = Rounds(5, work, **more)
        return prune(net, name, SIZE, probe=Changing(N), seed=5, rounds=rounds)

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", on_round=dies_after(survived))
    assert len(list((tmp_path / "killed").glob("iteration-*.json"))) == survived + 1
    seen = []
    resumed = run(tmp_path / "killed", on_round=lambda done, total, row: seen.append((done, total)))
    assert seen == [(k, 5) for k in range(survived, 6)]
    assert equal_networks(resumed.network, whole.network)
    assert resumed.network.history == whole.network.history
    assert without_seconds(resumed.history) == without_seconds(whole.history)
    for file in (tmp_path / "whole").glob("iteration-*.npz"):
        with np.load(file) as a, np.load(tmp_path / "killed" / file.name) as b:
            assert a.files == b.files
            assert all(a[part].tobytes() == b[part].tobytes() for part in a.files)
    again = run(tmp_path / "killed")
    assert equal_networks(again.network, whole.network)
    assert equal_networks(run(None).network, whole.network)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 6},
        {"size": Size(40, synapses=201)},
        {"rounds": 4},
        {"recipe": "noise"},
        {"recipe": MAGNITUDE.changed(compensation="none")},
        {"recipe": MAGNITUDE.changed(neurons="off"), "size": Size(synapses=200)},
    ],
)
def test_a_folder_of_another_run_of_a_rival_is_refused(net, tmp_path, changes):
    good = {"recipe": MAGNITUDE, "size": SIZE, "seed": 5, "probe": Facts(N)}
    work = tmp_path / "w"
    good["rounds"] = Rounds(3, work)
    prune(net, **good)
    before = sorted((p.name, p.read_bytes()) for p in (tmp_path / "w").iterdir())
    words = good | changes | {"rounds": Rounds(changes.get("rounds", 3), work)}
    told = r"holds iterations of another run \(its .* differ\); remove it"
    with pytest.raises(InputError, match=told):
        prune(net, **words)
    assert sorted((p.name, p.read_bytes()) for p in (tmp_path / "w").iterdir()) == before
    renamed = MAGNITUDE.changed(name="the same by another name", description="")
    assert isinstance(renamed, Recipe)
    prune(net, **(good | {"recipe": renamed}))
    shutil.rmtree(tmp_path / "w")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files; give a new folder"):
        prune(net, **good)


def test_a_file_in_the_place_of_the_folder_is_refused_and_left_alone(net, tmp_path):
    (tmp_path / "w").write_text("mine")
    with pytest.raises(InputError, match=r"work = .*/w': is a file; give a folder"):
        prune(net, "random", SIZE, probe=Deaf(), rounds=Rounds(work=tmp_path / "w"))
    assert (tmp_path / "w").read_text() == "mine"
