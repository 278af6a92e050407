"""One digest of a network: the same after saving, another after any change that counts."""

from dataclasses import replace

from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.digest import network_digest
from hrsnn_brian.network.io import load_network, save_network
from hrsnn_brian.network.presets import load_preset


def test_a_digest_tells_networks_apart_and_survives_a_file(tmp_path):
    network = build_network(load_preset("default", ["N=20", "K=4"]), 1)
    save_network(network, tmp_path / "net.npz")
    assert network_digest(load_network(tmp_path / "net.npz")) == network_digest(network)
    assert network_digest(network.with_weights(network.W, note="seen")) == network_digest(network)
    others = [
        network.with_weights(1.01 * network.W),
        network.with_weights(network.W.T.copy() * 0),
        network.without_neurons([3]),
        replace(network, tau_m=1.5 * network.tau_m),
        replace(network, bias=network.bias + 1e-12),
        replace(network, seed=2),
    ]
    assert len({network_digest(n) for n in [network, *others]}) == 1 + len(others)
