"""A network as Brian objects in a plain script: its spikes are the engine's on every target."""

import subprocess
import sys

import brian2 as b2
import numpy as np
import pytest

from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.settings.reader import read
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.simulation.own_brian import own_brian
from hrsnn_brian.simulation.to_brian2 import to_brian2

SAMPLES, SEED = 12, 5
KINDS = {
    "population": {},
    "noisy": {"neuron.noise": 0.4},
    "two currents, hard reset, delay": {
        "reset": "hard",
        "v_reset": 0.1,
        "currents": "two",
        "tau_i": "10 ms",
        "delay": "2 ms",
        "encoder.kind": "current",
    },
    "poisson": {"encoder.kind": "poisson", "gain": 6},
    "no synapses": {"J": 0},
}


def drawn(kind: str):
    network = build_network(read(HRSNNParams, {"N": 40}, KINDS[kind]), seed=3)
    return network, np.random.default_rng(0).standard_normal((SAMPLES, 2))


def engine_spikes(network, stimulus):
    drive = Drive(stimulus, seed=SEED, record_spikes=True)
    return simulate(Engine("numpy"), network, drive)


def script_spikes(network, stimulus):
    """(indices, times in s) in a plain script, as long as the engine's run."""
    neurons, *synapses = to_brian2(network, stimulus, seed=SEED)
    spikes = b2.SpikeMonitor(neurons)
    timing = network.params.timing
    seconds = SAMPLES * timing.sample + timing.dt
    b2.Network(neurons, *synapses, spikes).run(seconds * b2.second)
    return np.array(spikes.i), np.array(spikes.t / b2.second)


@pytest.mark.parametrize("kind", KINDS)
def test_spikes_are_the_engines(kind):
    network, stimulus = drawn(kind)
    wanted = engine_spikes(network, stimulus)
    with own_brian("numpy"):
        index, time = script_spikes(network, stimulus)
    assert len(index) > 20
    assert np.array_equal(index, wanted.spike_index)
    assert np.array_equal(time, wanted.spike_time)


@pytest.mark.cython
@pytest.mark.usefixtures("cython_unoptimised")
def test_spikes_are_the_engines_under_cython():
    network, stimulus = drawn("poisson")
    wanted = engine_spikes(network, stimulus)
    with own_brian("cython"):
        index, time = script_spikes(network, stimulus)
    assert np.array_equal(index, wanted.spike_index)
    assert np.array_equal(time, wanted.spike_time)


SCRIPT = """
import sys

import brian2 as b2

b2.set_device("cpp_standalone", directory=sys.argv[1])
b2.prefs["codegen.cpp.extra_compile_args_gcc"] = ["-w", "-O0"]  # compiles in half the time
from test_to_brian2 import drawn, engine_spikes, script_spikes

network, stimulus = drawn("poisson")
index, time = script_spikes(network, stimulus)
wanted = engine_spikes(network, stimulus)
assert len(index) > 20
assert index.tolist() == wanted.spike_index.tolist()
assert time.tolist() == wanted.spike_time.tolist()
"""


@pytest.mark.compiled
def test_spikes_are_the_engines_in_a_standalone_program(tmp_path):
    folder = str(tmp_path / "project")
    path = [*filter(None, sys.path)]
    script = f"import sys; sys.path[:0] = {path!r}\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_own_input_and_the_bias_drive_a_network_without_stimulus():
    network, _ = drawn("poisson")
    with own_brian("numpy"):
        neurons, synapses = to_brian2(network)
        assert "I_shot" not in neurons.variables
        count = b2.SpikeMonitor(neurons, record=False)
        net = b2.Network(neurons, synapses, count)
        neurons.I_ext = -100
        net.run(20 * b2.ms)
        assert count.num_spikes == 0
        neurons.I_ext = 5
        net.run(50 * b2.ms)
        assert count.num_spikes > 20


def test_plain_run_finds_the_objects_by_their_variables():
    network, stimulus = drawn("population")
    with own_brian("numpy"):
        neurons, synapses = to_brian2(network, stimulus, seed=SEED)
        spikes = b2.SpikeMonitor(neurons)
        b2.run(50 * b2.ms)
        assert spikes.num_spikes > 0
        assert neurons.clock.dt == network.params.timing.dt * b2.second
        assert len(synapses) == network.n_synapses
