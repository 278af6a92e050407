"""`hrsnn prune --method lnp` on networks and budgets that cannot be pruned or met.

Each ends with status 2 and one line that says what to change, and leaves nothing behind.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from hrsnn_brian.cli.main import main
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.io import save_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams, NeuronParams


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    """40 neurons and 400 synapses, saved as net.npz."""
    monkeypatch.chdir(tmp_path)
    network = build_network(HRSNNParams(N=40, graph=GraphParams(K=10)), 1)
    save_network(network, "net.npz")
    return network


def refusal(capfd: pytest.CaptureFixture[str], words: str, device: str = "numpy") -> str:
    """The one line on standard error of a command that is refused; checks what it leaves."""
    command = ["prune", "net.npz", "--method", "lnp", *words.split(), "--out", "a.npz"]
    before = set(Path().iterdir())
    assert main([*command, "--device", device]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    progress = ("compil", "lnp: step ")
    lines = [line for line in err.splitlines() if not line.startswith(progress)]
    assert len(lines) == 1
    assert set(Path().iterdir()) == before
    return lines[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--density .9", ["density = 0.9", "holds 400"]),
        ("--neurons 15 --synapses 211", ["synapses = 211", "15 neurons", "room for 210"]),
        ("--neurons 41 --keep .5", ["neurons = 41", "from 1 to 40"]),
        ("--synapses 401", ["synapses = 401", "holds 400"]),
        ("--keep .5 --set exponent_every=0", ["exponent_every = 0", ">= 1"]),
        ("--keep .5 --set pivots=some", ["pivots = 'some'", "must be a whole number >= 0"]),
    ],
)
def test_budgets_and_options_that_cannot_be_met(
    network: Network, capfd: pytest.CaptureFixture[str], words: str, says: list[str]
) -> None:
    line = refusal(capfd, words)
    assert all(part in line for part in says)


def test_a_network_in_parts(network: Network, capfd: pytest.CaptureFixture[str]) -> None:
    block = network.W.toarray()
    block[:10, 10:] = block[10:, :10] = 0
    save_network(network.with_weights(sparse.csr_array(block)), "net.npz")
    line = refusal(capfd, "--keep .5")
    assert "in 2 parts, the largest of 30 neurons" in line
    assert "give a denser network, or the option disconnected=allow" in line


@pytest.mark.compiled
def test_a_silent_network(network: Network, capfd: pytest.CaptureFixture[str]) -> None:
    save_network(replace(network, bias=np.full(40, -1e3)), "net.npz")
    line = refusal(capfd, "--keep .5", "standalone")
    assert "silent (no spikes)" in line
    assert "raise its bias or its drive" in line


@pytest.mark.compiled
def test_an_exploding_network(network: Network, capfd: pytest.CaptureFixture[str]) -> None:
    """A refractory time of one step lets neurons fire in every one: 1000 Hz."""
    params = HRSNNParams(N=40, graph=GraphParams(K=10), neuron=NeuronParams(t_ref="1 ms"))
    excited = build_network(params, 1)
    save_network(replace(excited, bias=np.full(40, 1e3)), "net.npz")
    line = refusal(capfd, "--keep .5", "standalone")
    assert "explodes: " in line
    assert "above max_rate = 500" in line
    assert "weaken the weights or the drive" in line
