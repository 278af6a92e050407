"""A user's own Brian script: read as a network, pruned, and its synapses rewritten in place."""

import warnings

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms, mV, second

from hrsnn_brian.errors import InputError
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.simulation.from_brian2 import OwnModelWarning, from_brian2, rewrite_synapses
from hrsnn_brian.simulation.own_brian import own_brian

N, N_E, DT = 60, 48, 0.1e-3
EQUATIONS = """
dv/dt = (ge + gi - (v - El))/tau : volt (unless refractory)
dge/dt = -ge/(5*ms) : volt
dgi/dt = -gi/tau_gi : volt
tau : second
El : volt
Vt : volt
"""
CONSTANTS = {"Vr": -60 * mV, "tau_gi": 10 * ms}


@pytest.fixture
def brian():
    with own_brian("numpy"):
        b2.defaultclock.dt = DT * second
        yield


def cuba(**changes):
    """A network like Brian's CUBA example, with membranes and thresholds that differ."""
    random = np.random.default_rng(7)
    settings = {
        "threshold": "v > Vt",
        "reset": "v = Vr",
        "refractory": 5 * ms,
        "method": "exact",
    }
    group = b2.NeuronGroup(N, EQUATIONS, **settings | changes, namespace=CONSTANTS)
    group.tau = random.uniform(10, 30, N) * ms
    group.Vt = random.uniform(-52, -48, N) * mV
    group.El = -45 * mV
    group.v = random.uniform(-60, -50, N) * mV
    made = [group]
    for current, low, high, w in (("ge", 0, N_E, 1.6), ("gi", N_E, N, -9.0)):
        synapses = b2.Synapses(
            group, group, "w : volt\nmark : 1", on_pre=f"{current} += w", delay=0.3 * ms
        )
        ends = np.array(
            [(i, j) for i in range(low, high) for j in range(N) if i != j and random.random() < 0.3]
        )
        synapses.connect(i=ends[:, 0], j=ends[:, 1])
        synapses.w = w * random.uniform(0.5, 1.5, len(ends)) * mV
        synapses.mark = np.arange(len(ends))
        made.append(synapses)
    return made


def test_spikes_of_the_network_are_those_of_the_script(brian):
    group, *synapses = cuba()
    network = from_brian2(group, *synapses)
    start = (np.array(group.v / mV) + 60) / float(np.mean(group.Vt / mV + 60))
    spikes = b2.SpikeMonitor(group)
    b2.Network(group, *synapses, spikes).run(60 * ms + DT * second)
    drive = Drive(np.zeros((3, N)), direct=True, record_spikes=True, start={"v": start})
    found = simulate(Engine("numpy"), network, drive)
    assert len(spikes.i) > 50
    assert np.array_equal(np.array(spikes.i), found.spike_index)
    assert np.allclose(np.array(spikes.t / second), found.spike_time, atol=1e-9)


def test_values_in_units_of_the_distance_to_the_threshold(brian):
    group, *synapses = cuba()
    network = from_brian2(group, *synapses, settings={"encoder.kind": "current"}, seed=4)
    scale = np.mean(group.Vt / mV + 60)
    assert np.allclose(network.tau_m, group.tau / second)
    assert np.allclose(network.v_th, (group.Vt / mV + 60) / scale)
    assert np.allclose(network.bias, 15 / scale)
    assert np.allclose(network.tau_e, 5e-3)
    assert np.allclose(network.tau_i, 10e-3)
    i, j = int(synapses[1].i[3]), int(synapses[1].j[3])
    assert network.W[j, i] == pytest.approx(float(synapses[1].w[3] / mV) / scale)
    assert network.is_e.tolist() == [k < N_E for k in range(N)]
    assert network.params.neuron.reset == "hard"
    assert network.params.synapse.currents == "two"
    assert network.params.synapse.delay == pytest.approx(0.3e-3)
    assert network.params.neuron.t_ref == pytest.approx(5e-3)
    assert network.params.encoder.kind == "current"


def test_a_reset_that_subtracts(brian):
    group, *synapses = cuba(reset="v -= 12*mV")
    network = from_brian2(group, *synapses)
    assert network.params.neuron.reset == "subtractive"
    assert np.allclose(network.v_th, 1)  # the origin is where a spike at the threshold lands
    assert np.allclose(network.bias, (-45 + 12 - group.Vt / mV) / 12)


def test_pruned_synapses_are_rewritten_in_place(brian):
    group, *synapses = cuba()
    net = b2.Network(group, *synapses, b2.SpikeMonitor(group))
    net.run(5 * ms)
    network = from_brian2(group, *synapses)
    before = [{(i, j): m for i, j, m in zip(s.i, s.j, s.mark, strict=True)} for s in synapses]
    size = Size(neurons=50, keep=0.3)
    pruned = prune(network, "magnitude", size, engine=Engine("numpy")).network
    rewrite_synapses(synapses, pruned)
    assert sum(map(len, synapses)) == pruned.n_synapses < network.n_synapses
    for item, marks in zip(synapses, before, strict=True):
        assert all(marks[i, j] == m for i, j, m in zip(item.i, item.j, item.mark, strict=True))
        assert item.N_outgoing[:].size == len(item)
    again = from_brian2(group, *synapses).W.toarray()
    ids = pruned.neuron_id
    assert np.allclose(again[np.ix_(ids, ids)], pruned.W.toarray(), rtol=1e-12)
    gone = np.setdiff1d(np.arange(N), ids)
    assert not again[gone].any()
    assert not again[:, gone].any()
    net.run(5 * ms)  # queues of spikes follow


def test_a_synapse_that_pruning_added_is_like_others_of_its_neuron(brian):
    group, *synapses = cuba()
    network = from_brian2(group, *synapses)
    W = network.W.tolil()
    i = int(synapses[0].i[0])
    j = next(k for k in range(N) if k != i and W[k, i] == 0)
    W[j, i] = 0.25
    rewrite_synapses(synapses, network.with_weights(W.tocsr()))
    assert (synapses[0].i[-1], synapses[0].j[-1]) == (i, j)
    assert synapses[0].mark[-1] == 0
    assert from_brian2(group, *synapses).W[j, i] == pytest.approx(0.25)


def test_objects_that_were_not_connected_are_connected(brian):
    group, *synapses = cuba()
    network = from_brian2(group, *synapses)
    fresh = [
        b2.Synapses(group, group, "w : volt", on_pre=f"{current} {sign}= w", delay=0.3 * ms)
        for current, sign in (("ge", "+"), ("gi", "-"))
    ]
    rewrite_synapses(fresh[:1], network.with_weights(np.maximum(network.W.toarray(), 0)))
    rewrite_synapses(fresh[1:], network.with_weights(np.minimum(network.W.toarray(), 0)))
    assert np.all(fresh[1].w > 0 * mV)
    assert np.allclose(from_brian2(group, *fresh).W.toarray(), network.W.toarray())


def test_what_varies_in_time_is_left_out_with_a_warning(brian):
    equations = EQUATIONS.replace("(v - El))/tau", "(v - El))/tau + xi*mV*(5*ms)**-0.5")
    group = b2.NeuronGroup(
        N, equations, threshold="v > Vt", reset="v = Vr", method="euler", namespace=CONSTANTS
    )
    group.tau, group.Vt, group.El = 20 * ms, -50 * mV, -45 * mV
    synapses = b2.Synapses(group, group, "w : volt", on_pre="ge += w")
    synapses.connect(i=0, j=1)
    synapses.w = 1 * mV
    with pytest.warns(OwnModelWarning, match="varies in time: .*xi"):
        network = from_brian2(group, synapses)
    assert np.allclose(network.bias, 1.5)


def test_changed_biases_are_told(brian):
    from dataclasses import replace

    group, *synapses = cuba()
    network = from_brian2(group, *synapses)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rewrite_synapses(synapses, network)
    with pytest.warns(OwnModelWarning, match="pruning changed bias"):
        rewrite_synapses(synapses, replace(network, bias=network.bias + 0.1))


GROUPS = {
    "reset of 'neurons'": {"reset": "v = Vr; ge = 0*mV"},
    "threshold of 'neurons'": {"threshold": "v > Vt and ge > 0*mV"},
}


@pytest.mark.parametrize("part", GROUPS)
def test_another_model_is_refused(brian, part):
    group, *synapses = cuba(name="neurons", **GROUPS[part])
    with pytest.raises(InputError, match=part):
        from_brian2(group, *synapses)


@pytest.mark.parametrize(
    ("membrane", "part"),
    [
        ("dv/dt = (ge - v + 1*mV*exp(v/mV))/tau : volt", "dv/dt"),
        ("dv/dt = (ge + v)/tau : volt", "dv/dt"),
        ("dv/dt = (ge + a - v)/tau : volt\nda/dt = (v - a)/tau : volt", "da/dt"),
    ],
)
def test_equations_that_are_no_lif_are_refused(brian, membrane, part):
    equations = membrane + "\ndge/dt = -ge/tau : volt\ntau : second"
    group = b2.NeuronGroup(5, equations, threshold="v > 1*mV", reset="v = 0*mV", method="euler")
    group.tau = 10 * ms
    synapses = b2.Synapses(group, group, "w : volt", on_pre="ge += w")
    synapses.connect(i=0, j=1)
    with pytest.raises(InputError, match=part):
        from_brian2(group, synapses)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"on_pre": "v += w"}, "on_pre must be one jump"),
        ({"on_pre": "ge += w\nx += 1", "model": "w : volt\nx : 1"}, "on_pre must be one jump"),
        ({"delay": None}, "must be one for all synapses"),
        ({"loop": True}, "self_loops='drop'"),
    ],
)
def test_synapses_that_the_model_has_not_are_refused(brian, arguments, what):
    group, *_ = cuba()
    given = {"model": "w : volt", "on_pre": "ge += w"} | arguments
    loop = given.pop("loop", False)
    varied = given.pop("delay", 0) is None
    synapses = b2.Synapses(group, group, **given)
    synapses.connect(i=[0, 1], j=[0 if loop else 2, 2])
    synapses.w = 1 * mV
    if varied:
        synapses.delay = [1, 2] * ms
    with pytest.raises(InputError, match=what):
        from_brian2(group, synapses)
    if loop:
        assert from_brian2(group, synapses, self_loops="drop").n_synapses == 1


def test_one_weight_for_all_cannot_be_rewritten(brian):
    group, *_ = cuba()
    synapses = b2.Synapses(group, group, on_pre="ge += 2*mV")
    synapses.connect(i=[0, 1], j=[1, 2])
    network = from_brian2(group, synapses)
    with pytest.raises(InputError, match="must be a variable of every synapse"):
        rewrite_synapses(synapses, network)
    assert len(synapses) == 2


def test_dales_law_is_asked_for(brian):
    group, *_ = cuba()
    synapses = b2.Synapses(group, group, "w : volt", on_pre="ge += w")
    synapses.connect(i=[0, 0], j=[1, 2])
    synapses.w = [1, -1] * mV
    with pytest.raises(InputError, match="Dale"):
        from_brian2(group, synapses)
