"""The user's own Brian session and ours: neither changes the other."""

import logging
import os
import subprocess
import sys
from importlib import import_module

import brian2 as b2
import numpy as np
import pytest

from hrsnn_brian.errors import EngineError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import Drive, Engine, Perturbation, simulate, simulate_perturbed

devices = import_module("brian2.devices.device")
PREFERENCES = {
    "codegen.target": "cython",
    "core.default_float_dtype": np.float32,
    "devices.cpp_standalone.openmp_threads": 2,
    "core.stop_on_keyboard_interrupt": True,
}


def small() -> tuple:
    return build_network(HRSNNParams(N=60), seed=3), Drive(np.sin(np.arange(40) / 5)[:, None])


@pytest.fixture
def session(tmp_path):
    """A user who has set up a standalone project with a clock of their own."""
    former = {name: b2.prefs[name] for name in PREFERENCES}
    b2.set_device("cpp_standalone", build_on_run=False, directory=str(tmp_path / "theirs"))
    b2.defaultclock.dt = 0.05 * b2.ms
    for name, value in PREFERENCES.items():
        b2.prefs[name] = value
    yield
    b2.prefs.update(former)
    b2.get_device().reinit()
    devices.reset_device()
    b2.defaultclock.dt = 0.1 * b2.ms


def fingerprint() -> dict:
    level = logging.getLogger("brian2").level
    return {
        "device": b2.get_device(),
        "options": (b2.get_device().build_on_run, b2.get_device().build_options),
        "stack": list(devices.previous_devices),
        "clock": (id(b2.get_device().defaultclock), float(b2.defaultclock.dt)),
        "runtime": float(devices.runtime_device.defaultclock.dt),
        "prefs": dict(b2.prefs.prefs),
        "log": level,
        "running": b2.Network._globally_running,
    }


def test_a_run_leaves_the_session_as_it_was_and_does_not_see_it(session):
    network, drive = small()
    theirs = b2.NeuronGroup(3, "v : 1", name="neurons")  # the name of one of our groups
    before = fingerprint()
    inside = simulate(Engine("numpy"), network, drive)
    assert fingerprint() == before
    assert inside.states["v"].dtype == np.float64
    assert theirs.name == "neurons"
    b2.get_device().reinit()
    devices.reset_device()
    outside = simulate(Engine("numpy"), network, drive)
    assert inside.rate_hz == outside.rate_hz > 0
    np.testing.assert_array_equal(inside.states["v"], outside.states["v"])


def test_a_run_of_copies_leaves_the_session_as_it_was(session):
    network, drive = small()
    before = fingerprint()
    directions = np.ones((1, network.n_neurons)) / np.sqrt(network.n_neurons)
    perturbation = Perturbation(directions, d0=1e-6, start=0.1, interval=0.1, interpolated=False)
    simulate_perturbed(Engine("numpy"), network, drive, perturbation)
    assert fingerprint() == before


def test_a_run_that_fails_leaves_the_session_as_it_was(session, monkeypatch):
    network, drive = small()
    before = fingerprint()

    def fail(*arguments, **keywords):
        raise RuntimeError("in the middle")

    monkeypatch.setattr("hrsnn_brian.simulation.runtime._recorded", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        simulate(Engine("numpy"), network, drive)
    assert fingerprint() == before


def test_the_users_simulation_goes_on_around_ours():
    group = b2.NeuronGroup(1, "dv/dt = 1/second : 1", method="euler")
    theirs = b2.Network(group)
    theirs.run(10 * b2.ms)
    simulate(Engine("numpy"), *small())
    theirs.run(10 * b2.ms)
    assert group.v[0] == pytest.approx(0.02)
    assert float(theirs.t) == pytest.approx(0.02)


def test_a_run_that_brian_ends_early_is_no_result(monkeypatch):
    network, drive = small()
    run = b2.Network.run

    def stopped(self, duration, *arguments, **keywords):
        return run(self, duration / 2, *arguments, **keywords)

    monkeypatch.setattr(b2.Network, "run", stopped)
    with pytest.raises(EngineError, match=r"ended after 40\d of 801 steps"):
        simulate(Engine("numpy"), network, drive)


RATE = """
import numpy as np
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import Drive, Engine, simulate
import sys
network = build_network(HRSNNParams(N=60), seed=3)
drive = Drive(np.sin(np.arange(40) / 5)[:, None])
recording = simulate(Engine(sys.argv[1]), network, drive)
print(recording.rate_hz, recording.states["v"].sum().hex())
"""
FILE = """
codegen.target = 'cython'
core.default_float_dtype = float32
devices.cpp_standalone.openmp_threads = 2
codegen.cpp.extra_compile_args = ['-ffast-math', '--no-such-flag']
"""


@pytest.mark.parametrize(
    "device", ["numpy", pytest.param("standalone", marks=pytest.mark.compiled)]
)
def test_preference_files_do_not_leak_in(tmp_path, device):
    programs = tmp_path / "programs"  # a build stands there
    for place in (
        "brian_preferences",
        "home/.brian/user_preferences",
        "programs/brian_preferences",
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(FILE)
    cache = {"HRSNN_CACHE": str(programs)}
    done = subprocess.run(
        [sys.executable, "-c", RATE, device],
        cwd=tmp_path,
        env={**os.environ, **cache, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = simulate(Engine("numpy"), *small())
    rate, total = done.stdout.split()
    assert float(rate) == expected.rate_hz > 0
    assert float.fromhex(total) == pytest.approx(expected.states["v"].sum(), rel=1e-9)
