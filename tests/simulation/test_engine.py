"""The compiled engine: equal spikes on every device, one build per shape, a cache one can trust."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.errors import CompilerMissingError, EngineError, InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.simulation import (
    Drive,
    LinearReadout,
    generate,
    network_scene,
    network_shape,
    simulate,
    toolchain,
)
from hrsnn_brian.simulation.arrays import read_arrays, write_arrays
from hrsnn_brian.simulation.cache import ProgramCache
from hrsnn_brian.simulation.engine import Engine
from hrsnn_brian.simulation.program import program_key
from hrsnn_brian.simulation.shape import ModelShape

TWO = {"currents": "two", "tau_e": "20 ms", "tau_i": "40 ms", "delay": "3 ms"}
MODELS = {
    "population": {},
    "current": {
        "encoder": {"kind": "current", "gain": 1.0},
        "synapse": TWO,
        "neuron": {"reset": "hard", "bias": 0.8},
    },
    "poisson": {
        "encoder": {"kind": "poisson"},
        "synapse": TWO,
        "neuron": {"reset": "hard", "t_ref": "0 ms"},
    },
    "direct": {"synapse": TWO},
}


def driven_network(kind: str) -> tuple:
    network = build_network(HRSNNParams.from_dict({"N": 60, **MODELS[kind]}), seed=7)
    random = np.random.default_rng(1)
    if kind == "direct":
        stimulus = 2 + random.standard_normal((60, 60))
        return network, Drive(stimulus, direct=True, noise_sd=0.3, record_spikes=True)
    free = np.arange(60) >= 45
    readout = LinearReadout(
        np.array([0.1]), np.array([[0.9]]), {"trace_100ms": random.normal(size=(60, 1)) * 0.01}
    )
    u = np.sin(np.arange(60) / 5)[:, None]
    return network, Drive(u, free=free, readout=readout, noise_sd=0.3, record_spikes=True)


@pytest.mark.compiled
@pytest.mark.parametrize("kind", MODELS)
def test_standalone_and_numpy_give_equal_spikes(kind, numpy_engine, compiled_engine):
    network, drive = driven_network(kind)
    expected = simulate(numpy_engine, network, drive)
    found = simulate(compiled_engine, network, drive)
    assert len(expected.spike_index) > 200
    np.testing.assert_array_equal(found.spike_index, expected.spike_index)
    np.testing.assert_allclose(found.spike_time, expected.spike_time, atol=1e-9)
    np.testing.assert_array_equal(found.spike_count, expected.spike_count)
    for name, states in expected.states.items():
        np.testing.assert_allclose(found.states[name], states, atol=1e-9)
    if expected.u is not None:
        np.testing.assert_allclose(found.u, expected.u, atol=1e-9)


@pytest.mark.compiled
def test_the_states_asked_for_are_the_only_ones_and_those_of_a_full_recording(
    numpy_engine, compiled_engine
):
    network, drive = driven_network("population")
    for engine in (numpy_engine, compiled_engine):
        whole = simulate(engine, network, drive)
        assert list(whole.states) == ["trace_30ms", "trace_100ms", "trace_300ms", "v"]
        for asked in [("trace_100ms",), ("v", "trace_30ms")]:
            some = replace(drive, record_states=asked)
            shape = network_shape(network, some)
            left = engine.run(shape, network_scene(network, some, shape, engine.prepare(shape)))
            sizes = [left[f"states.{name}"].size for name in shape.state_names]
            assert sizes.count(0) == 4 - len(asked)  # neither kept nor written
            found = simulate(engine, network, some)
            assert set(found.states) == set(asked)
            for name in asked:
                np.testing.assert_array_equal(found.states[name], whole.states[name])
            np.testing.assert_array_equal(found.spike_time, whole.spike_time)
            np.testing.assert_array_equal(found.u, whole.u)


def test_a_state_that_was_not_recorded_is_named(numpy_engine, hand_made):
    network = hand_made(np.zeros((2, 2)), bias=1.5)
    with pytest.raises(
        InputError, match=r"record_states = 'trace_31ms'.*did you mean 'trace_30ms'"
    ):
        simulate(numpy_engine, network, Drive(np.zeros((2, 1)), record_states=("trace_31ms",)))
    found = simulate(numpy_engine, network, Drive(np.zeros((2, 1)), record_states=("v",)))
    assert "trace_30ms" not in found.states
    with pytest.raises(InputError, match=r"states = 'trace_30ms': was not recorded.*kept v"):
        found.states["trace_30ms"]


@pytest.mark.cython
@pytest.mark.usefixtures("cython_unoptimised")
def test_cython_and_numpy_give_equal_spikes(numpy_engine):
    network, drive = driven_network("poisson")
    expected = simulate(numpy_engine, network, drive)
    found = simulate(Engine("cython"), network, drive)
    np.testing.assert_array_equal(found.spike_index, expected.spike_index)
    np.testing.assert_allclose(found.spike_time, expected.spike_time, atol=1e-9)


@pytest.mark.compiled
def test_twenty_densities_and_fewer_neurons_need_one_build(tmp_path):
    engine = Engine("standalone", cache=ProgramCache(tmp_path))
    network = build_network(HRSNNParams(N=1000), seed=1)
    drive = Drive(np.sin(np.arange(50) / 5)[:, None], record_states=False)
    synapses = []
    for keep in np.geomspace(1, 0.02, 20):
        pruned = prune(network, "magnitude", Size(keep=float(keep)), engine=engine).network
        assert simulate(engine, pruned, drive).spike_count.sum() > 0
        synapses.append(pruned.n_synapses)
    assert synapses == sorted(synapses, reverse=True)
    small = prune(network, "noise", Size(600, synapses=5000), engine=engine).network
    recording = simulate(engine, small, drive)
    assert recording.spike_count.shape == (600,)
    assert engine.stats.builds == 1
    assert engine.stats.runs == 22  # 21 densities, and one white-noise run for the covariance
    again = Engine("standalone", cache=ProgramCache(tmp_path))
    simulate(again, network, drive)
    assert again.stats.builds == 0


@pytest.mark.compiled
def test_a_smaller_network_simulates_the_same_in_a_larger_capacity(numpy_engine, compiled_engine):
    """Parked room is never touched: N = 42 survivors of 60 in the binary made for 60."""
    network, drive = driven_network("population")
    cut = network.without_neurons(np.arange(0, 60, 3)[:18])
    weights = {name: w[:42] for name, w in drive.readout.from_states.items()}
    readout = LinearReadout(drive.readout.intercept, drive.readout.from_u, weights)
    drive = Drive(drive.stimulus, free=drive.free, readout=readout, record_spikes=True)
    expected, found = (simulate(e, cut, drive) for e in (numpy_engine, compiled_engine))
    np.testing.assert_array_equal(found.spike_index, expected.spike_index)
    np.testing.assert_allclose(
        found.states["trace_300ms"], expected.states["trace_300ms"], atol=1e-9
    )


@pytest.mark.compiled
def test_wrong_arrays_are_refused_by_the_program(compiled_engine):
    network, drive = driven_network("population")
    shape = network_shape(network, drive)
    scene = network_scene(network, drive, shape, compiled_engine.prepare(shape))
    for name, value, said in [
        ("neurons.tau_m", np.zeros(shape.capacity + 1), "neurons.tau_m"),
        ("neurons.v_th", np.zeros(3, dtype=np.float32), "neurons.v_th"),
        (
            "recurrent._synaptic_post",
            np.full(network.n_synapses, shape.capacity, dtype=np.int32),
            "exist",
        ),
        ("stimulus", np.zeros(5), "stimulus"),
    ]:
        with pytest.raises(EngineError, match=said):
            compiled_engine.run(shape, {**scene, name: value})
    del scene["encoder.gain"]
    with pytest.raises(EngineError, match=r"encoder\.gain"):
        compiled_engine.run(shape, scene)


@pytest.mark.compiled
def test_a_run_leaves_no_temporary_files(compiled_engine, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    network, drive = driven_network("population")
    simulate(compiled_engine, network, drive)
    assert list(tmp_path.iterdir()) == []


BUILD = """
import json, sys
from pathlib import Path
from hrsnn_brian.simulation.cache import ProgramCache
from hrsnn_brian.simulation.program import program_key
from hrsnn_brian.simulation.shape import ModelShape
program, built = ProgramCache(Path(sys.argv[1])).get(ModelShape(capacity=10, traces=1))
print(json.dumps(built))
"""


@pytest.mark.compiled
def test_two_processes_build_a_program_once(tmp_path):
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    builders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    built = [json.loads(builder.communicate(timeout=300)[0]) for builder in builders]
    assert sorted(built) == [False, True]


@pytest.mark.compiled
def test_a_killed_build_leaves_nothing_that_looks_finished(tmp_path):
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    builder = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".building-*/main.cpp")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(builder.pid, signal.SIGKILL)
    builder.wait()
    cache = ProgramCache(tmp_path)
    assert cache.entries() == []
    program, built = cache.get(ModelShape(capacity=10, traces=1))
    assert built
    assert program.executable.exists()
    assert not list(tmp_path.glob(".building-*"))


MANIFEST = json.dumps({"shape": {}, "system": {}, "compiler": {}})
OLD, MIDDLE, NEW = ("a" * 24, "b" * 24, "c" * 24)


def fake_programs(root: Path, sizes: dict[str, int]) -> ProgramCache:
    for age, (key, size) in enumerate(reversed(sizes.items())):
        (root / key).mkdir()
        (root / key / "program").write_bytes(b"x" * size)
        (root / key / "manifest.json").write_text(MANIFEST)
        os.utime(root / key / "manifest.json", (1e9 - age, 1e9 - age))
    return ProgramCache(root, limit_bytes=350)


def test_the_least_recently_used_programs_go_first(tmp_path):
    cache = fake_programs(tmp_path, {OLD: 100, MIDDLE: 100, NEW: 100})
    cache.trim()
    assert [entry.key for entry in cache.entries()] == [NEW, MIDDLE]
    assert cache.clear() == 2
    assert cache.total_bytes() == 0


def test_trimming_spares_the_program_about_to_run(tmp_path):
    cache = fake_programs(tmp_path, {OLD: 300, NEW: 100})
    cache.trim(keep=OLD)
    assert [entry.key for entry in cache.entries()] == [OLD]


def test_the_key_changes_with_shape_and_compiler_and_nothing_else():
    gcc, other = (toolchain.Compiler(("/usr/bin/g++",), v) for v in ("12", "13"))
    shape = ModelShape(capacity=10)
    keys = {
        program_key(shape, gcc),
        program_key(shape, other),
        program_key(ModelShape(capacity=20), gcc),
    }
    assert len(keys) == 3
    assert program_key(ModelShape(capacity=10), gcc) in keys


def test_without_a_compiler_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(CompilerMissingError, match=r"install g\+\+.*--device numpy"):
        toolchain.find_compiler()


def test_a_compiler_that_is_named_but_missing_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CompilerMissingError, match="no-such-compiler"):
        toolchain.find_compiler()


@pytest.mark.parametrize("copies", [False, True])
def test_changed_code_generation_in_brian_is_noticed(tmp_path, copies):
    source = tmp_path / "encode_codeobject.cpp"
    source.write_text("for (int i = 0; i < total; i++) {}")
    with pytest.raises(EngineError, match="encode_codeobject"):
        generate.rewrite_loops(tmp_path, ["encode_codeobject.cpp"], copies)


@pytest.mark.parametrize(
    "code", ["void f() {}\n", "\nnamespace {\n}\nvoid f() {}\n", "using namespace brian;\n"]
)
def test_code_objects_that_do_not_read_as_expected_are_not_gathered(tmp_path, code):
    (tmp_path / "code_objects").mkdir()
    (tmp_path / "code_objects" / "encode.cpp").write_text(code)
    with pytest.raises(EngineError, match="generates encode differently"):
        generate.unite(tmp_path, ["code_objects/encode.cpp", "main.cpp"])


def test_every_code_object_is_in_one_unit_and_its_helpers_in_a_namespace_of_its_own(tmp_path):
    names = [f"code_objects/o{k}.cpp" for k in range(6)]
    (tmp_path / "code_objects").mkdir()
    for name in names:
        code = "\nnamespace {\nint help();\n}\nvoid run()\n{\n    using namespace brian;\n}\n"
        (tmp_path / name).write_text(code)
    sources = generate.unite(tmp_path, [*names, "main.cpp"])
    assert sources[-1] == "main.cpp"
    included = [line for unit in sources[:-1] for line in (tmp_path / unit).read_text().split("\n")]
    assert sorted(filter(None, included)) == [f'#include "{name}"' for name in names]
    assert "namespace of_o3 {\nint help();" in (tmp_path / names[3]).read_text()
    assert "using namespace brian; using namespace of_o3;" in (tmp_path / names[3]).read_text()


def test_arrays_survive_the_file_format(tmp_path):
    arrays = {
        "a": np.arange(5.0),
        "spike_count": np.arange(3, dtype=np.int32),
        "empty": np.zeros(0),
    }
    write_arrays(tmp_path / "scene", arrays)
    back = read_arrays(tmp_path / "scene")
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
    (tmp_path / "cut").write_bytes((tmp_path / "scene").read_bytes()[:20])
    with pytest.raises(EngineError, match="cut short"):
        read_arrays(tmp_path / "cut")


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"device": "gpu"}, "standalone"),
        ({"encoding": "populaton"}, "population"),
        ({"reset": "soft"}, "subtractive"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(choice, named):
    with pytest.raises(InputError, match=named):
        Engine(**choice) if "device" in choice else ModelShape(capacity=1, **choice)
