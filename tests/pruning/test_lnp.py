"""Lyapunov Noise Pruning as a whole: budgets, switches, seeds, stop rule, resuming, refusals."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from equality import equal_networks
from probes import Growing, Stub
from scipy import sparse

from hrsnn_brian.cli.main import main
from hrsnn_brian.cli.prune_command import VARIANTS
from hrsnn_brian.dynamics.probe import Measurements, ProbeLengths
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.task_probe import TaskProbe
from hrsnn_brian.files import identity
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.io import save_network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.look import Look
from hrsnn_brian.pruning.prune import Rounds, prune
from hrsnn_brian.pruning.recipes import RECIPES, get_recipe
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.simulation import Engine
from hrsnn_brian.tasks.registry import get_task

COLUMNS = [
    *("iteration", "neurons", "synapses", "density", "rate_hz"),
    *("lambda_1_per_s", "lambda_1_error_per_s"),
    *("spectral_abscissa_per_s", "participation_ratio", "memory_capacity", "synaptic_ops_per_s"),
    *("stable", "seconds"),
]


OPTIONS = LNP.changed(
    timescales="sobol", timescale_every=2, timescale_trials=3, timescale_rate="off"
)
SIZE = {"neurons": 40, "synapses": 200}


@pytest.fixture(scope="module")
def network():
    return build_network(HRSNNParams(N=60, graph=GraphParams(K=12)), 3)


def pruned(network, stub=None, *, options=OPTIONS, rounds=5, **changes):
    size = {name: changes.pop(name) for name in vars(Size(1, synapses=1)) if name in changes}
    size = Size(**(SIZE | size))
    course = {name: changes.pop(name) for name in ("work", "on_round") if name in changes}
    rounds = Rounds(rounds, **course)
    return prune(network, options, size, probe=stub or Stub(), rounds=rounds, **changes)


def without_seconds(history):
    return [{k: v for k, v in row.items() if not k.startswith("seconds")} for row in history]


# ---- what comes out


@pytest.mark.parametrize(
    ("budget", "rounds"),
    [
        ({"neurons": 40, "synapses": 200}, 5),
        ({"neurons": 33, "density": 0.1}, 3),
        ({"neurons": None, "keep": 0.05}, 1),
        ({"neurons": 59, "synapses": 650}, 7),
        ({"neurons": 25, "synapses": 120}, 2),
    ],
)
@pytest.mark.parametrize("variant", ["lnp", "lnp literal", "lnp revised"])
def test_budget_is_met_exactly(network, budget, rounds, variant):
    recipe = get_recipe(variant).changed(timescales="off", disconnected="allow")
    result = prune(network, recipe, Size(**budget), probe=Stub(), rounds=rounds)
    n = budget["neurons"] or 60
    wanted = budget.get("synapses") or round(
        budget["density"] * n * (n - 1) if "density" in budget else budget["keep"] * 720
    )
    assert result.stopped is None
    assert (result.network.n_neurons, result.network.n_synapses) == (n, wanted)


def test_removed_neurons_leave_and_what_stays_is_a_part_of_the_original(network):
    result = pruned(network, options=OPTIONS.changed(timescales="off")).network
    ids = result.neuron_id
    assert result.W.shape == (40, 40)
    assert result.tau_m.shape == result.bias.shape == (40,)
    for name in ("tau_m", "v_th", "bias", "center", "is_e"):
        assert np.array_equal(getattr(result, name), getattr(network, name)[ids])
    assert result.is_e.sum() == 32  # E and I leave in proportion
    assert result.capacity == network.capacity  # the engine's program is that of the original


def test_dales_law_no_loops_and_additions_are_noted(network):
    result = pruned(network, neurons=None, rounds=8, synapses=300).network
    dense = result.W.toarray()
    assert (dense[:, result.is_e] >= 0).all()
    assert (dense[:, ~result.is_e] <= 0).all()
    assert not dense.diagonal().any()
    new = np.argwhere((dense != 0) & (network.W.toarray() == 0))
    added = sum(e["added"] for e in result.history if e["operation"] == "delocalisation")
    assert 0 < len(new) <= added


def test_history_has_its_columns_and_falls_to_the_budget(network):
    history = pruned(network).history
    assert [row["iteration"] for row in history] == list(range(6))
    for row in history:
        assert set(COLUMNS) <= set(row)
    for name in ("neurons", "synapses"):
        values = [row[name] for row in history]
        assert values == sorted(values, reverse=True)
    assert (history[0]["neurons"], history[0]["synapses"]) == (60, 720)
    ratios = np.diff(np.log([row["synapses"] for row in history]))
    assert np.all(np.abs(ratios - ratios.mean()) < 0.12)
    last = history[-1]
    assert last["density"] == pytest.approx(200 / (40 * 39))
    parts = sum(v for k, v in last.items() if k.startswith("seconds_"))
    assert last["seconds"] == pytest.approx(parts)


def test_same_seed_same_network_another_seed_another(network):
    first, again, other = (pruned(network, seed=s) for s in (1, 1, 2))
    assert equal_networks(first.network, again.network)
    assert without_seconds(first.history) == without_seconds(again.history)
    assert not equal_networks(first.network, other.network)


# ---- switches


def operations(result):
    return {entry["operation"] for entry in result.network.history}


@pytest.mark.parametrize(
    ("step", "operation", "measured"),
    [
        ("synapses", "synapses", "covariance"),
        ("neurons", "neurons", None),
        ("delocalisation", "delocalisation", None),
        ("timescales", "timescales", None),
    ],
)
def test_each_step_can_be_switched_off(network, step, operation, measured):
    stub = Stub()
    changes = {"options": OPTIONS.changed(**{step: "off"})}
    changes |= {"synapses": None} if step == "synapses" else {}
    changes |= {"neurons": None} if step == "neurons" else {}
    result = pruned(network, stub, **changes)
    everything = operations(pruned(network))
    assert operation in everything
    assert operation not in operations(result)
    assert measured not in stub.calls


def test_with_every_step_off_nothing_changes_and_nothing_is_measured_in_vain(network):
    off = dict.fromkeys(("synapses", "neurons", "delocalisation", "timescales"), "off")
    stub = Stub()
    result = pruned(network, stub, neurons=None, synapses=None, options=OPTIONS.changed(**off))
    assert equal_networks(result.network, network)
    assert stub.calls == []


@pytest.mark.parametrize("step", ["synapses", "neurons", "delocalisation", "timescales"])
def test_each_step_alone_does_its_own_work_only(network, step):
    off = dict.fromkeys({"synapses", "neurons", "delocalisation", "timescales"} - {step}, "off")
    result = pruned(
        network,
        neurons=40 if step == "neurons" else None,
        synapses=200 if step == "synapses" else None,
        options=OPTIONS.changed(**off),
    )
    assert operations(result) - {"timescale search"} == {step}
    assert np.array_equal(result.network.tau_m, network.tau_m[result.network.neuron_id]) == (
        step != "timescales"
    )


def test_only_what_is_asked_for_is_measured(network):
    stub = Stub()
    options = OPTIONS.changed(score="magnitude", factor="none", neurons="random")
    pruned(network, stub, options=options)
    assert stub.calls == []
    pruned(network, stub, options=options.changed(graph="exponent", neurons="betweenness"))
    assert stub.calls == ["node_exponents"] * 5
    stub = Stub()
    pruned(network, stub, options=OPTIONS.changed(exponent_every=2))
    assert stub.calls.count("node_exponents") == 3  # iterations 1, 3 and 5


def test_neurons_without_an_exponent_are_counted_in_the_history(network):
    class Losing(Stub):
        def node_exponents(self, network):
            self.unresolved = 60 - network.n_neurons
            return super().node_exponents(network)

    rows = pruned(network, Losing(), options=OPTIONS.changed(exponent_every=2)).history
    sizes = [row["neurons"] for row in rows]
    lost = [row.get("neurons_without_exponent") for row in rows]
    # measured at the start of iterations 1, 3 and 5
    assert lost == [None, 0, 0, *[60 - sizes[2]] * 2, 60 - sizes[4]]
    assert lost[-1] > lost[3] > 0


def test_between_measurements_neurons_keep_their_exponents(network):
    smaller = network.without_neurons([0, 7, 30]).without_recurrence()
    networks = {1: network, 2: smaller, 3: smaller}
    stub = Growing()
    recipe = LNP.changed(exponent_every=2, factor="none")

    def exponents(look, k):
        return look(k, networks.__getitem__)["exponents"]

    look = Look(stub, recipe)
    first, carried, anew = (exponents(look, k) for k in (1, 2, 3))
    assert np.array_equal(first, stub.node_exponents(network))
    assert np.array_equal(carried, np.delete(first, [0, 7, 30]))
    assert np.array_equal(anew, stub.node_exponents(smaller))
    assert not np.allclose(anew, carried)
    assert np.array_equal(exponents(Look(stub, recipe), 2), carried)  # resumed


# ---- the ingredients


def test_row_compensation_refers_to_the_sums_of_the_start(network):
    """alpha = 1 restores, in every iteration, each class input that has survivors."""
    options = OPTIONS.changed(compensation="row 1", delocalisation="off", timescales="off")
    result = pruned(network, neurons=None, options=options).network
    for sign in (1, -1):
        before = np.maximum(sign * network.W.toarray(), 0).sum(axis=1)
        after = np.maximum(sign * result.W.toarray(), 0).sum(axis=1)
        assert after[after > 0] == pytest.approx(before[after > 0])


def test_former_sums_may_include_the_neurons_that_left(network):
    options = OPTIONS.changed(compensation="row 1", delocalisation="off", timescales="off")
    result = pruned(network, options=options.changed(former="all")).network
    before = np.maximum(network.W.toarray(), 0).sum(axis=1)[result.neuron_id]
    after = np.maximum(result.W.toarray(), 0).sum(axis=1)
    assert after[after > 0] == pytest.approx(before[after > 0])


def test_original_base_does_not_depend_on_the_number_of_iterations(network):
    """Row 0.5 from the original weights: w (S/s)^.5 at the surviving edges, after 5 rounds."""
    options = OPTIONS.changed(base="original", delocalisation="off", timescales="off")
    result = pruned(network, neurons=None, options=options).network.W.toarray()
    W = network.W.toarray()
    for sign in (1, -1):
        kept = np.where(sign * result > 0, W, 0)
        former, now = np.where(sign * W > 0, W, 0).sum(1), kept.sum(1)
        some = now != 0
        expected = kept[some] * np.sqrt(former[some] / now[some])[:, None]
        assert np.where(sign * result > 0, result, 0)[some] == pytest.approx(expected)


# ---- stability


def test_three_failures_in_a_row_return_the_last_stable_network(network):
    free = pruned(network)
    sizes = [row["neurons"] for row in free.history]
    result = pruned(network, Stub(unstable=sizes[2:5]))
    assert len(result.history) == 5  # iterations 2, 3 and 4 failed, 5 was not tried
    assert [row["stable"] for row in result.history] == [True, True, False, False, False]
    assert result.network.n_neurons == sizes[1]
    assert result.network.n_synapses == result.history[1]["synapses"]
    assert "iteration 1" in result.stopped
    assert "lambda_1 of 3/s" in result.stopped


def test_fewer_failures_do_not_stop(network):
    sizes = [row["neurons"] for row in pruned(network).history]
    result = pruned(network, Stub(unstable=sizes[1:3]))
    assert result.stopped is None
    assert result.stable
    assert result.network.n_synapses == 200


def test_a_network_that_falls_silent_stops_at_once(network):
    sizes = [row["neurons"] for row in pruned(network).history]
    result = pruned(network, Stub(silent=sizes[3:4]))
    assert len(result.history) == 4
    assert result.network.n_neurons == sizes[2]
    assert "silent" in result.stopped


def test_an_exponent_that_cannot_be_measured_is_not_stable(network):
    stub = Stub()
    stub.lambda_1 = lambda network: math.nan if network.n_neurons < 60 else -5.0
    result = pruned(network, stub)
    assert equal_networks(result.network, network)
    assert "could not be measured" in result.stopped


# ---- checkpoints


@pytest.mark.parametrize(("survived", "every"), [(0, 1), (1, 3), (2, 3), (2, 1), (4, 2)])
def test_a_resumed_run_equals_an_uninterrupted_one(network, tmp_path, survived, every):
    """Killed in the iteration after `survived`, whatever that one had already written."""
    changes = {"synapses": 150, "options": OPTIONS.changed(exponent_every=every, pivots=20)}
    whole = pruned(network, Growing(), work=tmp_path / "whole", **changes)
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    for k in range(survived + 1, 6):
        (tmp_path / "killed" / f"iteration-{k:03d}.json").unlink()
        if k > survived + 1:
            (tmp_path / "killed" / f"iteration-{k:03d}.npz").unlink()
            (tmp_path / "killed" / f"timescales-{k:03d}.jsonl").unlink(missing_ok=True)
    (tmp_path / "killed" / ".hrsnn-1-0a1b2c3d.part").write_bytes(b"half")
    stub, seen = Growing(), []
    changes["on_round"] = lambda d, t, row: seen.append((d, t))
    resumed = pruned(network, stub, work=tmp_path / "killed", **changes)
    assert seen == [(k, 5) for k in range(survived, 6)]
    assert stub.calls.count("covariance") == 5 - survived
    assert equal_networks(resumed.network, whole.network)
    assert without_seconds(resumed.history) == without_seconds(whole.history)
    without_folder = pruned(network, Growing(), **changes)
    assert equal_networks(resumed.network, without_folder.network)
    assert not list((tmp_path / "killed").glob(".*"))


def test_a_stopped_run_stays_stopped_when_resumed(network, tmp_path):
    sizes = [row["neurons"] for row in pruned(network).history]
    stub = Stub(unstable=sizes[2:5])
    first = pruned(network, stub, work=tmp_path / "w")
    again = pruned(network, stub, work=tmp_path / "w")
    assert again.stopped == first.stopped
    assert equal_networks(again.network, first.network)


def test_a_folder_of_other_code_or_another_device_is_refused(network, tmp_path, monkeypatch):
    pruned(network, work=tmp_path / "w")
    stub = Stub()
    stub.identity = {"device": "numpy"}
    with pytest.raises(InputError, match=r"another run \(its device differ"):
        pruned(network, stub, work=tmp_path / "w")
    other = Measurements(Engine("numpy"), lengths=ProbeLengths(seconds=20.0)).identity
    stub.identity = Measurements(Engine("numpy")).identity
    pruned(network, stub, work=tmp_path / "v")
    stub.identity = other
    with pytest.raises(InputError, match=r"another run \(its lengths differ"):
        pruned(network, stub, work=tmp_path / "v")
    monkeypatch.setattr(identity, "package_digest", lambda: "other")
    with pytest.raises(InputError, match=r"another run \(its package differ"):
        pruned(network, work=tmp_path / "w")


def test_a_folder_of_another_run_is_refused(network, tmp_path):
    pruned(network, work=tmp_path / "w")
    for changes in ({"seed": 7}, {"synapses": 201}, {"options": LNP.changed(timescales="off")}):
        with pytest.raises(InputError, match="another run"):
            pruned(network, work=tmp_path / "w", **changes)
    other = build_network(HRSNNParams(N=60, graph=GraphParams(K=12)), 4)
    with pytest.raises(InputError, match="another run"):
        pruned(other, work=tmp_path / "w")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="other files"):
        pruned(network, work=tmp_path / "x")
    assert (tmp_path / "x" / "thesis.txt").read_text() == "mine"


# ---- refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neurons": 61}, "neurons = 61: must be from 1 to 60"),
        ({"synapses": 721}, "holds 720"),
        ({"synapses": None, "density": 0.9}, "density = 0.9.*holds 720"),
        ({"neurons": 10, "synapses": 91}, "room for 90"),
        ({"neurons": 20, "synapses": 379}, "left between the .* neurons"),
        ({"synapses": None}, "exactly one of keep, density and synapses"),
        (
            {"rounds": 1, "options": OPTIONS.changed(timescales="off")},
            "at least 2 where neurons leave",
        ),
        (
            {"rounds": 3, "options": OPTIONS.changed(timescale_every=4)},
            "rounds = 3: step 4 comes every timescale_every = 4",
        ),
        ({"options": OPTIONS.changed(synapses="off")}, "with step 1 off"),
        ({"options": OPTIONS.changed(neurons="off")}, "with step 2 off"),
    ],
)
def test_budgets_that_cannot_be_met_are_refused(network, changes, message):
    with pytest.raises(InputError, match=message):
        pruned(network, **changes)


@pytest.mark.parametrize(
    ("stub", "message"),
    [
        (Stub(rate=0.0), "silent .no spikes.; raise its bias"),
        (Stub(rate=900.0), "explodes: .* above max_rate = 500; weaken"),
        (Stub(unstable=(60,)), "lambda_1 of 3/s is above lambda_max = 0; .*raise that bound"),
    ],
)
def test_networks_that_cannot_be_pruned_are_refused(network, stub, message, tmp_path):
    with pytest.raises(InputError, match=message) as refused:
        pruned(network, stub, work=tmp_path / "w")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "w").exists()


def test_a_network_in_parts_is_refused_unless_allowed(network):
    block = network.W.toarray()
    block[:30, 30:] = block[30:, :30] = 0
    parts = network.with_weights(sparse.csr_array(block))
    with pytest.raises(InputError, match="in 2 parts, the largest of 30 neurons"):
        pruned(parts)
    allowed = pruned(parts, options=OPTIONS.changed(disconnected="allow"), synapses=150)
    assert allowed.network.n_synapses == 150


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scor": "exponent"}, "did you mean 'score'"),
        ({"score": "exponents"}, "did you mean 'exponent'"),
        ({"added_edges": "-1"}, "added_edges = -1.*>= 0"),
        ({"exponent_every": "0"}, "exponent_every = 0.*>= 1"),
        ({"pivots": "-1"}, "pivots = -1.*>= 0"),
        ({"added_edges": "2.5"}, "added_edges = 2.5.*whole number"),
        ({"patience": "many"}, "patience = 'many': must be a whole number >= 1"),
        ({"gain": "much"}, "gain.rule = 'much': must be echo, none or a number"),
        ({"delocalisation.gain": "inf"}, "delocalisation.gain = inf: must be a number"),
        ({"lambda_max": "nan"}, "lambda_max = nan: must be a number"),
        ({"min_rate": "600"}, "min_rate.*0 .. 500"),
        ({"compensation": "row 2"}, "alpha must be from 0 to 1"),
        ({"selection": "top", "compensation": "literal"}, "needs probabilities"),
    ],
)
def test_options_are_checked(settings, message):
    with pytest.raises(InputError, match=message) as refused:
        LNP.with_settings([f"{key}={value}" for key, value in settings.items()])
    assert "\n" not in str(refused.value)


def test_a_budget_on_average_is_refused_where_iterations_ask_for_it(network):
    independent = OPTIONS.changed(selection="independent")
    with pytest.raises(InputError, match=r"selection = 'independent': .*fixed or top"):
        pruned(network, options=independent)


def test_options_from_text():
    texts = ["modes=3", "delocalisation.gain=0.5", "score=magnitude", "gain=2"]
    recipe = get_recipe("lnp literal").with_settings(texts)
    keep, spread = recipe.step("synapses"), recipe.step("delocalisation")
    assert (spread.modes, spread.gain, keep.score) == (3, 0.5, "magnitude")
    assert (keep.compensation, recipe.step("gain").rule) == ("literal inf", 2.0)
    with pytest.raises(InputError, match=r"recipe = 'lnp literl': .*did you mean 'lnp literal'"):
        get_recipe("lnp literl")


# ---- with an engine


@pytest.fixture
def saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = build_network(HRSNNParams(N=40, graph=GraphParams(K=10)), 1)
    save_network(network, "net.npz")
    return network


@pytest.mark.compiled
def test_measurements_on_an_engine(saved, compiled_engine):
    """Shapes, units and agreement with each other; nothing random between two calls."""
    measure = Measurements(compiled_engine, 0, ProbeLengths(seconds=20.0, segments=3))
    rates = measure.rates(saved)
    assert rates.shape == (40,)
    assert measure.rate_hz(saved) == pytest.approx(rates.mean())
    assert np.array_equal(rates, measure.rates(saved))
    assert np.linalg.eigvalsh(measure.covariance(saved)).min() > -1e-9
    assert -40 < measure.lambda_1(saved) < 20
    assert 0 < measure.lambda_1_error < 10
    nodes = measure.node_exponents(saved)
    assert np.isfinite(nodes).all()
    assert 0 <= measure.unresolved < 40
    assert np.ptp(nodes) > 1
    # 40 neurons and a memory of a few samples of 20 ms
    assert 0.3 < measure.memory_capacity(saved) < 5
    silent = replace(saved, bias=np.full(40, -1e3))
    assert measure.memory_capacity(silent) == 0.0
    assert not measure.rates(silent).any()


@pytest.mark.compiled
def test_readout_weights_are_those_of_the_neurons_that_matter(saved, compiled_engine):
    """A silent neuron contributes nothing to the trained readout; the others do."""
    bias = saved.bias.copy()
    bias[:5] = -1e3
    task = get_task("mackey-glass-84", 0, quick=True)
    probe = TaskProbe(compiled_engine, task=task)
    weight = probe.readout_weight(replace(saved, bias=bias))
    rates = probe.task_rates(replace(saved, bias=bias))
    assert weight.shape == rates.shape == (40,)
    assert not weight[:5].any()
    assert (rates[weight > 0] > 0).all()
    assert weight.max() > 0


@pytest.mark.compiled
def test_the_command_prunes_reports_and_resumes(saved, tmp_path, capfd):
    words = ["prune", "net.npz", "--method", "lnp", "--neurons", "30", "--synapses", "150"]
    words += ["--iterations", "3", "--json"]
    words += ["--set", "timescale_every=3", "--set", "timescale_trials=2", "--seed", "4"]
    assert main([*words, "--out", "a.npz"]) == 0
    out, err = capfd.readouterr()
    result = json.loads(out)
    assert "lnp 3/3" in err
    assert "left 0:00" in err
    assert (result["neurons"], result["synapses"]) == (30, 150)
    # one program each for runs, node exponents and the largest exponent
    assert result["engine"]["builds"] <= 3
    assert [row["iteration"] for row in result["history"]] == [0, 1, 2, 3]
    assert (tmp_path / "a.npz.lnp" / "history.csv").read_text().count("\n") == 5
    told = read_schema(tmp_path / "a.npz.lnp" / "history.csv").columns
    assert all(column.meaning for column in told.values())
    assert told["seconds_neurons"].unit == "s"

    shutil.copytree("a.npz.lnp", "b.npz.lnp")
    for file in [*Path("b.npz.lnp").glob("*-003.*"), *Path("b.npz.lnp").glob("*-002.json")]:
        file.unlink()
    assert main([*words, "--out", "b.npz"]) == 0
    again = json.loads(capfd.readouterr().out)
    assert without_seconds(again["history"]) == without_seconds(result["history"])
    with np.load("a.npz") as a, np.load("b.npz") as b:
        assert all(np.array_equal(a[name], b[name]) for name in a.files)
    assert main([*words, "--set", "probe.seconds=20", "--out", "b.npz"]) == 2
    assert "its lengths differ" in capfd.readouterr().err


@pytest.mark.compiled
def test_the_command_continues_a_rival_too(saved, tmp_path, capfd):
    """--rounds and --iterations are one; without --work a rival keeps no folder."""
    words = ["prune", "net.npz", "--method", "magnitude", "--neurons", "30", "--synapses", "99"]
    assert main([*words, "--rounds", "4", "--json", "--out", "a.npz"]) == 0
    plain = json.loads(capfd.readouterr().out)
    assert (plain["iterations"], plain["stopped"], plain["stable"]) == (4, None, None)
    assert plain["work"] is None
    assert not list(tmp_path.glob("*.lnp"))
    words += ["--iterations", "4", "--json", "--work", "w"]
    assert main([*words, "--out", "b.npz"]) == 0
    capfd.readouterr()
    for file in [*Path("w").glob("*-003.*"), *Path("w").glob("*-004.*")]:
        file.unlink()
    assert main([*words, "--out", "c.npz"]) == 0
    out, err = capfd.readouterr()
    again = json.loads(out)
    assert "iteration 2: 30 neurons" in err
    assert without_seconds(again["history"]) == without_seconds(plain["history"])
    assert again["work"] == "w"
    with np.load("a.npz") as a, np.load("b.npz") as b, np.load("c.npz") as c:
        for name in a.files:
            assert np.array_equal(a[name], b[name])
            assert np.array_equal(a[name], c[name])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--method lnp --keep .1 --rounds 3", "rounds = 3: step 4 comes every timescale_ev"),
        (
            "--method lnp --keep .1 --variant litral",
            "--variant = 'litral': unknown; did you mean 'literal'?",
        ),
        ("--method lnp --keep .1 --set scor=a", "did you mean 'score'"),
        ("--method random --keep .1 --variant literal", "option of --method lnp"),
        ("--method LNP --keep .1", "did you mean 'lnp'"),
        ("--method random --keep .1 --out net.npz", "is the network to prune"),
        ("--method lnp --keep .1 --neurons 41", "neurons = 41"),
        ("--method lnp --keep .1 --work net.npz", "is a file"),
        ("--method random --keep .1 --work net.npz", "is a file"),
        ("--method random --keep .1 --work none/w", "its folder does not exist"),
        ("--method random --keep .1 --rounds 0", "--rounds"),
        ("--method noise --keep .1 --set importance=random", "is called score"),
    ],
)
def test_the_command_refuses_in_one_line(saved, tmp_path, capfd, words, message):
    before = Path("net.npz").read_bytes()
    assert main(["prune", "net.npz", "--out", "a.npz", "--device", "numpy", *words.split()]) == 2
    assert Path("net.npz").read_bytes() == before
    err = capfd.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.glob("a.npz*"))


def test_lnp_is_listed_with_its_source_and_cost(capfd):
    assert main(["list", "methods"]) == 0
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("lnp")]
    assert len(lines) == 6
    assert all("cost" in line for line in lines)
    assert ["Chakraborty" in line for line in lines] == [True, True, True, False, True, True]


def test_the_variants_are_recipes_that_draw_alike():
    variants = [recipe for recipe in RECIPES.values() if recipe.family == "lnp"]
    names = ["lnp", "lnp literal", "lnp capped", "lnp revised", "lnp echo", "lnp echo gain"]
    assert (
        [recipe.name for recipe in variants] == names == sorted(VARIANTS.values(), key=names.index)
    )
    assert {recipe.stream("synapses", 3) for recipe in variants} == {("lnp", "synapses", 3)}
    assert get_recipe("lnp") is LNP


def test_engine_is_made_only_without_a_probe(network):
    """The engine given is not used where a probe is."""
    engine = Engine("numpy")
    pruned(network, engine=engine)
    assert engine.stats.runs == 0
