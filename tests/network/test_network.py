"""Networks: drawing, pruning bookkeeping, files, and that nothing about a neuron moves."""

import itertools
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from equality import equal_networks
from scipy import sparse, stats

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.io import load_network, save_network
from hrsnn_brian.network.network import NEURON_ARRAYS, Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import list_presets, load_preset


def small(*overrides: str, seed: int = 3) -> Network:
    return build_network(load_preset("default", ["N=120", *overrides]), seed)


@pytest.fixture(scope="module")
def network() -> Network:
    return small()


# --- drawing -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_builds_what_it_says(name: str) -> None:
    params = load_preset(name)
    network = build_network(params, 1)
    assert network.n_neurons == params.N
    assert network.n_synapses == params.N * params.in_degree
    assert network.is_e.sum() == round(0.8 * params.N)
    assert network.is_e[: network.is_e.sum()].all()
    assert np.array_equal(network.W.data > 0, network.is_e[network.W.indices])
    assert network.keep == 1.0
    assert network.density == pytest.approx(params.in_degree / (params.N - 1))
    if params.synapse.currents == "one":
        assert np.array_equal(network.tau_e, network.tau_i)


def test_the_default_gives_every_neuron_40_excitatory_and_10_inhibitory_inputs() -> None:
    network = build_network(load_preset(), 1)
    excitatory = (network.W.toarray()[:, network.is_e] > 0).sum(axis=1)
    assert set(excitatory) == {40}
    assert set(np.diff(network.W.indptr)) == {50}


def test_the_same_seed_draws_the_same_network_and_another_does_not() -> None:
    assert equal_networks(small(), small())
    other = small(seed=4)
    for name in ("tau_m", "v_th", "bias", "center"):
        assert not np.array_equal(getattr(other, name), getattr(small(), name))
    assert not np.array_equal(other.W.toarray(), small().W.toarray())


def test_changing_one_parameter_leaves_the_other_draws_alone(network: Network) -> None:
    constant = small("tau_m=20 ms")
    assert set(constant.tau_m) == {0.020}
    assert equal_networks(replace(constant, tau_m=network.tau_m, params=network.params), network)
    stronger = small("J=0.2")
    assert np.allclose(stronger.W.toarray(), 2 * network.W.toarray(), rtol=1e-14)


def test_quantities_are_drawn_independently() -> None:
    network = build_network(load_preset("default", ["N=2000", "K=5"]), 1)
    names = ("tau_m", "v_th", "bias", "center")
    for a, b in itertools.combinations(names, 2):
        assert stats.spearmanr(getattr(network, a), getattr(network, b)).pvalue > 1e-3


def test_neurons_follow_the_laws_of_their_parameters() -> None:
    network = build_network(load_preset("default", ["N=5000", "K=5"]), 1)
    assert stats.kstest(network.bias, stats.uniform(-2.7, 2.0).cdf).pvalue > 1e-3
    assert stats.kstest(network.center, stats.uniform(-2.5, 5.0).cdf).pvalue > 1e-3
    law = stats.gamma(3, scale=0.020 / 3)
    inside = network.tau_m[network.tau_m > 0.002]
    assert stats.kstest(inside, lambda x: 1 - law.sf(x) / law.sf(0.002)).pvalue > 1e-3


def test_clusters_are_equal_parts_of_both_classes_with_their_own_time_constants() -> None:
    network = build_network(load_preset("chrsnn"), 1)
    for is_e, size in ((True, 200), (False, 50)):
        assert np.bincount(network.cluster[network.is_e == is_e]).tolist() == [size, size]
    for k, mean in ((0, 0.010), (1, 0.030)):
        law = stats.gamma(3, scale=mean / 3)
        inside = network.tau_m[(network.cluster == k) & (network.tau_m > 0.002)]
        # by the probability transform, so that no function closes over the loop's law
        ranks = 1 - law.sf(inside) / law.sf(0.002)
        assert stats.kstest(ranks, "uniform").pvalue > 1e-3
    edges = network.W.tocoo()
    own = network.cluster[edges.row] == network.cluster[edges.col]
    assert own.mean() == 0.8


def test_small_world_mixes_both_classes_on_its_ring() -> None:
    network = small("graph.kind=small_world", "rewire=0")
    inhibitory = (network.W.toarray() < 0).sum(axis=1)
    # 12 of 119 others without order: hypergeometric; a sorted ring would give 0 or 12 to most
    assert inhibitory.mean() == pytest.approx(12 * 24 / 120, rel=0.1)
    assert np.mean((inhibitory > 0) & (inhibitory < 6)) > 0.8


def test_weights_of_a_random_graph_are_scaled_by_the_wanted_in_degree() -> None:
    network = small("graph.kind=erdos_renyi", "family=constant", "K=16")
    assert np.allclose(network.W.data[network.W.data > 0], 0.10 / 4, rtol=1e-14)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True])
def test_a_bad_seed_is_refused(seed: object) -> None:
    with pytest.raises(InputError, match="seed"):
        build_network(HRSNNParams(N=10), seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_smallest_networks_build(n: int) -> None:
    assert build_network(HRSNNParams(N=n), 1).n_neurons == n


def test_a_loaded_matrix_is_the_network(tmp_path: Path, network: Network) -> None:
    path = tmp_path / "w.npz"
    order = np.random.default_rng(0).permutation(120)
    W = sparse.csr_array(network.W[order][:, order])
    sparse.save_npz(path, W)
    table = {"graph": {"kind": "matrix", "matrix": str(path)}}
    loaded = build_network(HRSNNParams.from_dict(table), 1)
    assert np.array_equal(loaded.W.toarray(), W.toarray())
    assert np.array_equal(loaded.is_e, network.is_e[order])
    assert (loaded.params.N, loaded.params.in_degree) == (120, 12)
    assert loaded.params.fraction_e == 0.8
    with pytest.raises(InputError, match="120 neurons"):
        build_network(HRSNNParams.from_dict({"N": 100, **table}), 1)


# --- the network itself --------------------------------------------------------------------


def test_arrays_cannot_be_written_to(network: Network) -> None:
    for array in (network.W.data, network.W.indices, network.tau_m, network.is_e):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_network_does_not_share_memory_with_what_it_was_made_from(network: Network) -> None:
    W = network.W.copy()
    made = network.with_weights(W)
    W.data[:] = 0.0
    assert made.n_synapses == network.n_synapses


@pytest.mark.parametrize(
    ("n", "capacity"),
    [(1, 1000), (437, 1000), (1000, 1000), (1001, 1100), (1234, 1300), (9901, 10000)],
)
def test_capacity_is_two_digits_rounded_up_and_one_for_small_networks(
    n: int, capacity: int
) -> None:
    network = build_network(HRSNNParams.from_dict({"N": n, "graph": {"K": 0}}), 1)
    assert network.capacity == capacity


def test_pruned_synapses_are_counted_against_the_original(network: Network) -> None:
    half = network.W.copy()
    half.data[::2] = 0.0
    pruned = network.with_weights(half, method="every second", keep_asked=np.float64(0.5))
    assert pruned.n_synapses == network.n_synapses // 2
    assert pruned.keep == 0.5
    assert pruned.density == pytest.approx(network.density / 2)
    assert pruned.history == ({"method": "every second", "keep_asked": 0.5},)
    assert pruned.with_weights(half.toarray()).history == pruned.history
    again = pruned.with_weights(half * 0.5, method="scaled")
    assert [entry["method"] for entry in again.history] == ["every second", "scaled"]
    assert network.history == ()


def test_without_recurrence_keeps_everything_but_the_synapses(network: Network) -> None:
    control = network.without_recurrence()
    assert (control.n_synapses, control.keep, control.density) == (0, 0.0, 0.0)
    assert equal_networks(replace(control, W=network.W, history=()), network)


def test_removed_neurons_leave_and_the_others_stay_what_they_were(network: Network) -> None:
    gone = np.arange(120) % 4 == 1
    pruned = network.without_neurons(gone, method="test")
    by_index = network.without_neurons(np.flatnonzero(gone), method="test")
    assert equal_networks(pruned, by_index)
    assert (pruned.n_neurons, pruned.n_original, pruned.capacity) == (90, 120, network.capacity)
    assert np.array_equal(pruned.W.toarray(), network.W.toarray()[~gone][:, ~gone])
    for name in NEURON_ARRAYS:
        assert np.array_equal(getattr(pruned, name), getattr(network, name)[~gone])
    assert pruned.keep == pruned.n_synapses / network.n_synapses
    assert pruned.density == pruned.n_synapses / (90 * 89)
    twice = pruned.without_neurons([0, 5])
    assert np.array_equal(twice.neuron_id, np.flatnonzero(~gone)[[*range(1, 5), *range(6, 90)]])
    assert equal_networks(network.without_neurons([]), network)


@pytest.mark.parametrize("removed", [[120], [-1], np.ones(120, bool), np.ones(7, bool), [0.5]])
def test_impossible_removals_are_refused(network: Network, removed: object) -> None:
    with pytest.raises(InputError, match="removed"):
        network.without_neurons(removed)  # type: ignore[arg-type]


@pytest.mark.parametrize("D", [1, 2, 3])
def test_neurons_keep_their_directions_when_others_leave(network: Network, D: int) -> None:
    directions = network.directions(D)
    assert directions.shape == (120, D)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1.0, rtol=1e-14)
    gone = np.arange(0, 120, 3)
    pruned = network.without_neurons(gone)
    assert np.array_equal(pruned.directions(D), np.delete(directions, gone, axis=0))


def test_directions_are_signs_in_one_dimension_and_isotropic_in_three() -> None:
    network = build_network(load_preset("default", ["N=4000", "K=2"]), 1)
    signs = network.directions(1)
    assert set(signs[:, 0]) == {-1.0, 1.0}
    assert stats.binomtest(int((signs > 0).sum()), 4000).pvalue > 1e-3
    # each coordinate of a uniform point on the sphere is uniform (Archimedes)
    for coordinate in network.directions(3).T:
        assert stats.kstest(coordinate, stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert np.array_equal(signs, network.directions(1))
    with pytest.raises(InputError):
        network.directions(0)


def test_networks_that_contradict_themselves_are_refused(network: Network) -> None:
    wrong_sign = network.W.copy()
    wrong_sign.data[0] *= -1
    not_finite = network.W.copy()
    not_finite.data[0] = np.nan
    loop = network.W.toarray()
    loop[3, 3] = 1.0
    for W, named in (
        (wrong_sign, "wrong sign"),
        (not_finite, "finite"),
        (loop, "onto itself"),
        (network.W[:50], "shape"),
    ):
        with pytest.raises(InputError, match=named):
            network.with_weights(W)
    for change, named in (
        ({"tau_m": network.tau_m[:-1]}, "shape"),
        ({"tau_m": network.tau_m * -1}, "> 0"),
        ({"bias": network.bias * np.inf}, "finite"),
        ({"neuron_id": network.neuron_id[::-1]}, "neuron_id"),
    ):
        with pytest.raises(InputError, match=named):
            replace(network, **change)


# --- files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "chrsnn", "network-A"])
def test_saving_and_loading_is_exact(tmp_path: Path, name: str) -> None:
    network = build_network(load_preset(name, ["N=80", "K=10"]), 2**40)
    pruned = network.without_neurons([1, 5], method="a", p=[0.1, 1 / 3]).with_weights(
        network.without_neurons([1, 5]).W * (1 / 3), method="b", rows=np.arange(3), none=None
    )
    for each in (network, pruned, network.without_recurrence()):
        loaded = load_network(save_network(each, tmp_path / "net.npz"))
        assert equal_networks(loaded, each)
        assert loaded.params == each.params
        assert np.array_equal(loaded.directions(3), each.directions(3))
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_the_file_is_the_documented_one(tmp_path: Path, network: Network) -> None:
    path = save_network(network, tmp_path / "net.npz")
    with np.load(path, allow_pickle=False) as archive:
        assert str(archive["format"]) == "hrsnn-network"
        assert int(archive["version"]) == 1
        W = sparse.csr_array(
            (archive["W_data"], archive["W_indices"], archive["W_indptr"]), shape=(120, 120)
        )
        assert np.array_equal(W.toarray(), network.W.toarray())
        meta = json.loads(str(archive["meta"]))
        assert HRSNNParams.from_dict(meta["params"]) == network.params
        for name in NEURON_ARRAYS:
            assert archive[name].shape == (120,)


def spoiled(path: Path, network: Network, **changes: np.ndarray | None) -> Path:
    save_network(network, path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"format": np.array("other")}, "not a network saved by hrsnn"),
        ({"version": np.array(99)}, "version 99"),
        ({"tau_m": None}, "lacks tau_m"),
        ({"W_data": None}, "lacks W_data"),
        ({"tau_m": np.ones(5)}, "network.tau_m"),
        ({"tau_m": np.full(120, np.nan)}, "finite"),
        ({"tau_m": np.array(["x"] * 120)}, "tau_m holds"),
        ({"is_e": np.zeros(120, bool)}, "wrong sign"),
        ({"W_data": np.ones(3)}, "damaged"),
        ({"W_indices": np.full(1440, 500)}, "damaged"),
        ({"W_indptr": np.arange(7)}, "damaged"),
        ({"neuron_id": np.array(0)}, "damaged"),
        ({"meta": np.array("{")}, "damaged"),
        ({"meta": np.array("[]")}, "damaged"),
        ({"meta": np.array("{}")}, "damaged"),
    ],
)
def test_unusable_network_files_are_refused_in_one_line(
    tmp_path: Path, network: Network, changes: dict[str, np.ndarray | None], named: str
) -> None:
    path = spoiled(tmp_path / "net.npz", network, **changes)
    with pytest.raises(InputError) as error:
        load_network(path)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("error")
def test_corrupt_pickled_and_missing_files_are_refused(tmp_path: Path, network: Network) -> None:
    whole = save_network(network, tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    middle = bytearray(whole)
    middle[200:400] = bytes(200)
    (tmp_path / "flipped.npz").write_bytes(middle)
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("not a network")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "pickled.npz", format=np.array({"a": 1}, dtype=object))
    names = ("cut.npz", "flipped.npz", "empty.npz", "text.npz", "array.npy", "pickled.npz", "no")
    for name in (*names, "."):
        with pytest.raises(InputError) as error:
            load_network(tmp_path / name)
        assert "\n" not in str(error.value)


def test_a_damaged_byte_is_found_or_harmless(tmp_path: Path, network: Network) -> None:
    whole = save_network(network, tmp_path / "net.npz").read_bytes()
    random = np.random.default_rng(5)
    for place in random.integers(0, len(whole), 150):
        damaged = bytearray(whole)
        damaged[place] ^= int(random.integers(1, 256))
        (tmp_path / "net.npz").write_bytes(damaged)
        with suppress(InputError):
            assert equal_networks(load_network(tmp_path / "net.npz"), network)


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path, network: Network) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        save_network(network, tmp_path / "no folder" / "net.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save_network(network, tmp_path / "folder.npz")
    with pytest.raises(InputError, match=r"\.npz"):
        save_network(network, tmp_path / "net.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["folder.npz"]
