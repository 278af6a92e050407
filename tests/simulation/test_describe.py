"""The model on one screen: what is printed is what runs."""

import json

import brian2 as b2
import numpy as np
import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.io import save_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.simulation import Drive, simulate
from hrsnn_brian.simulation.description import model_equations, model_parameters, step_order
from hrsnn_brian.simulation.own_brian import own_brian
from hrsnn_brian.simulation.runtime import runtime_functions
from hrsnn_brian.simulation.scene import initial_potential, noise_stream

VARIETY = {
    "default": [],
    "two currents": ["currents=two", "reset=hard", "v_reset=0.1", "tau_i=80 ms", "delay=2 ms"],
    "poisson": ["encoder.kind=poisson", "t_ref=0 ms", "J=0.5"],
}
pytestmark = pytest.mark.filterwarnings("ignore:t_ref = 0 and strong excitation")


def a_network(*overrides: str):
    return build_network(load_preset("default", ["N=20", "K=5", "J=2", *overrides]), 1)


def set_values(group, values: dict[str, np.ndarray]) -> None:
    for name, value in values.items():
        if name in group.variables and not group.variables[name].read_only:
            setattr(group, f"{name}_" if name != "neuron_id" else name, value)


def spikes_of_what_is_printed(equations, network, drive: Drive) -> tuple[np.ndarray, np.ndarray]:
    """Brian's objects made from the texts alone, integrated by Brian's own exact method."""
    n, (rows, D), params = network.n_neurons, drive.stimulus.shape, network.params
    dt, sample = params.timing.dt * b2.second, params.timing.sample * b2.second
    numbers = {"sample": [params.timing.sample], "stimulus_rows": [rows], "stimulus_columns": [D]}
    space = runtime_functions({**numbers, "stimulus": drive.stimulus, "free": np.zeros(rows)})
    rows_of = {
        row.symbol: row.mean * (1e-3 if row.unit == "ms" else 1)
        for row in model_parameters(network)
    }
    arrays = {k: getattr(network, k) for k in ("tau_m", "tau_e", "tau_i", "v_th", "bias", "center")}
    values = rows_of | arrays | {"neuron_id": network.neuron_id}
    b2.defaultclock.dt = dt

    def group(name: str, size: int, **more) -> b2.NeuronGroup:
        return b2.NeuronGroup(size, equations[name]["equations"], namespace=space, **more)

    channels, encoder = group("channels", D, dt=sample), group("encoder", n, dt=sample)
    spiking = {
        k: v for k, v in equations["neurons"].items() if k in ("threshold", "reset", "refractory")
    }
    neurons = group("neurons", n, method="exact", **spiking)
    channels.run_regularly(equations["channels"]["every sample"], dt=sample, when="start", order=-7)
    encoder.run_regularly(equations["encoder"]["every sample"], dt=sample, when="start", order=-4)
    projection = b2.Synapses(channels, encoder, equations["projection"]["equations"])
    projection.connect()
    projection.p = network.directions(D)[projection.j[:], projection.i[:]]
    projection.summed_updaters["x_post"].when = "start"
    projection.summed_updaters["x_post"].order = -5
    neurons.I_in = b2.linked_var(encoder, "I")
    set_values(encoder, values | {"stream": noise_stream(drive, "noise")})
    if "every step" in equations["neurons"]:
        neurons.rate = b2.linked_var(encoder, "rate")
        neurons.run_regularly(equations["neurons"]["every step"], when="start", order=-3)
    set_values(neurons, values | {"stream": noise_stream(drive, "input")})
    neurons.v = initial_potential(network, drive.seed)
    post, pre = network.W.nonzero()
    weights = network.W[post, pre]
    synapses = []
    for name in ("recurrent", "excitatory", "inhibitory"):
        if name in equations:
            chosen = np.ones(weights.size, dtype=bool)
            if name != "recurrent":
                chosen = (weights > 0) == (name == "excitatory")
            made = b2.Synapses(
                neurons,
                neurons,
                equations[name]["equations"],
                on_pre=equations[name]["on_pre"],
                delay=params.synapse.delay * b2.second,
            )
            made.connect(i=pre[chosen], j=post[chosen])
            made.w = weights[chosen] if name == "recurrent" else abs(weights[chosen])
            synapses.append(made)
    monitor = b2.SpikeMonitor(neurons)
    whole = b2.Network(channels, encoder, projection, neurons, *synapses, monitor)
    whole.run(rows * sample + dt)
    return np.array(monitor.i[:]), np.array(monitor.t_[:])


@pytest.mark.parametrize("overrides", VARIETY.values(), ids=VARIETY)
def test_what_is_printed_is_what_runs(numpy_engine, overrides):
    network = a_network(*overrides)
    stimulus = np.random.default_rng(2).standard_normal((12, 2))
    drive = Drive(stimulus, seed=4, record_spikes=True)
    expected = simulate(numpy_engine, network, drive)
    with own_brian("numpy"):
        i, t = spikes_of_what_is_printed(model_equations(network), network, drive)
    assert i.size > 100
    np.testing.assert_array_equal(i, expected.spike_index)
    np.testing.assert_allclose(t, expected.spike_time)


@pytest.mark.parametrize("overrides", VARIETY.values(), ids=VARIETY)
def test_every_constant_has_a_row_with_the_values_of_this_network(overrides):
    network = a_network(*overrides)
    rows = {row.symbol: row for row in model_parameters(network)}
    declared = {
        line.partition(" : ")[0]
        for role in ("neurons", "encoder")
        for line in model_equations(network)[role]["equations"].splitlines()
        if "constant" in line
    }
    assert declared - {"stream", "neuron_id"} <= rows.keys()
    tau_m = rows["tau_m"]
    assert (tau_m.unit, tau_m.mean) == ("ms", pytest.approx(1e3 * network.tau_m.mean()))
    extremes = (1e3 * network.tau_m.min(), 1e3 * network.tau_m.max())
    assert (tau_m.low, tau_m.high) == pytest.approx(extremes)
    assert rows["w_e"].mean == pytest.approx(network.W.data[network.W.data > 0].mean())
    assert all(row.grade in ("paper", "review", "choice", "") for row in rows.values())
    assert ("v_reset" in rows) == (network.params.neuron.reset == "hard")


def test_kicks_are_a_step_of_poisson_input_alone():
    assert any("Poisson" in step for step in step_order(a_network(*VARIETY["poisson"])))
    assert not any("Poisson" in step for step in step_order(a_network()))


def test_the_command_prints_the_same_to_people_and_programs(tmp_path, capsys):
    network, file = a_network(), str(tmp_path / "net.npz")
    save_network(network, file)
    assert main(["describe", file]) == 0
    shown = capsys.readouterr().out
    for parts in model_equations(network).values():
        for text in parts.values():
            assert all(line in shown for line in text.splitlines())
    out = tmp_path / "model.json"
    assert main(["describe", file, "--json", "--out", str(out)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result == json.loads(out.read_text())
    assert result["equations"] == model_equations(network)
    assert [row["symbol"] for row in result["parameters"]] == [
        row.symbol for row in model_parameters(network)
    ]


def test_a_network_without_a_synapse_is_described(tmp_path, capsys):
    file = str(tmp_path / "net.npz")
    save_network(a_network("J=0"), file)
    assert main(["describe", file, "--json"]) == 0
    rows = {row["symbol"]: row for row in json.loads(capsys.readouterr().out)["parameters"]}
    assert rows["w_e"]["mean"] is None


@pytest.mark.parametrize("words", [["no.npz"], [], ["net.npz", "--out", "model.txt"]])
def test_what_cannot_be_described_is_one_line(tmp_path, capsys, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    save_network(a_network(), "net.npz")
    assert main(["describe", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]
