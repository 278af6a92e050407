"""Controls at the network's own rate: what they keep, how they are matched, what they say."""

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.evaluation.controls import (
    HOMOGENEOUS,
    TaskRate,
    homogeneous,
    matched_controls,
    with_membranes,
)
from hrsnn_brian.evaluation.slow_input import SLOW_INPUT, encoded
from hrsnn_brian.network.network import NEURON_ARRAYS
from hrsnn_brian.tasks import Fitted, RunTask, Trial


class Waves(RunTask):
    """A sine of two stretches, of which the first is the training input; nothing is learnt."""

    name, description, step, remarks = "waves", "a sine", "1 sample", ()

    def __init__(self, samples: int = 20) -> None:
        self.wave = np.sin(np.arange(samples) / 3)[:, None]

    def trials(self) -> list[Trial]:
        return [Trial(self.wave)]

    def training_trials(self) -> list[Trial]:
        return [Trial(self.wave[: len(self.wave) // 2])]

    def targets(self) -> np.ndarray:
        return self.wave

    def fit(self, states) -> Fitted:
        raise NotImplementedError


@pytest.fixture(scope="module")
def network() -> hb.Network:
    return hb.build_network(hb.HRSNNParams(N=30, e_slower=2.0), seed=1)


def test_a_homogeneous_network_has_the_mean_of_each_class_and_all_else(network):
    equal = homogeneous(network)
    for members in (network.is_e, ~network.is_e):
        assert np.ptp(equal.tau_m[members]) < 1e-12
        assert equal.tau_m[members].mean() == pytest.approx(network.tau_m[members].mean())
    assert equal.tau_m[0] == pytest.approx(2 * equal.tau_m[-1], rel=0.5)  # e_slower is kept
    assert (equal.W != network.W).nnz == 0
    for name in NEURON_ARRAYS.keys() - {"tau_m"}:
        np.testing.assert_array_equal(getattr(equal, name), getattr(network, name))
    assert equal.history[-1] == {"operation": HOMOGENEOUS}
    assert homogeneous(equal) is equal


def test_membranes_are_scaled_to_the_means_of_the_network(network):
    drawn = np.random.default_rng(0).uniform(1, 9, 30)
    found = with_membranes(network, drawn)
    for members in (network.is_e, ~network.is_e):
        assert found.tau_m[members].mean() == pytest.approx(network.tau_m[members].mean())
        ratio = found.tau_m[members] / drawn[members]
        np.testing.assert_allclose(ratio, ratio[0])


@pytest.mark.compiled
def test_controls_fire_as_the_network_does_on_training_input(compiled_engine):
    network, task = hb.build_network(hb.HRSNNParams(N=100), seed=1), Waves(200)
    rate = TaskRate(compiled_engine, task, 3)
    wanted = rate(network)
    found = list(matched_controls(compiled_engine, network, task, 3))
    assert [control.name for control in found] == [HOMOGENEOUS, SLOW_INPUT]
    for control in found:
        assert (control.match, control.note) == ("bias", "")
        assert rate(control.network, control.currents) == pytest.approx(wanted, rel=0.02)
        offset = control.network.bias - network.bias
        np.testing.assert_allclose(offset, offset[0])
    assert (found[0].network.W != network.W).nnz == 0
    assert found[1].network.n_synapses == 0
    again = list(matched_controls(compiled_engine, network, task, 3))
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one.network.bias, other.network.bias)


def test_the_rate_is_that_of_the_training_input_alone(network, numpy_engine):
    task = Waves()
    first = TaskRate(numpy_engine, task, 3)(network)
    task.wave[10:] = 2.0
    assert TaskRate(numpy_engine, task, 3)(network) == first > 0


def test_the_currents_of_a_run_are_those_of_the_encoder(network, numpy_engine):
    """Shown unfiltered they make the very same spikes."""
    rate = TaskRate(numpy_engine, Waves(), 3)
    assert rate(network, lambda x: encoded(network, x)) == rate(network) > 0


def test_what_cannot_be_matched_says_so_and_what_means_nothing_is_left_out(network, monkeypatch):
    def names(other):
        return [(c.name, c.match, c.note) for c in matched_controls(None, other, Waves(), 3)]

    monkeypatch.setattr(TaskRate, "__call__", lambda *_: 0.0)
    silent = ("none", "the network is silent")
    assert names(network) == [(HOMOGENEOUS, *silent), (SLOW_INPUT, *silent)]
    monkeypatch.setattr(TaskRate, "__call__", lambda rate, other, *_: 10.0 + other.n_synapses)
    assert [(name, match) for name, match, _ in names(network)] == [
        (HOMOGENEOUS, "bias"),
        (SLOW_INPUT, "none"),
    ]
    assert "out of reach" in names(network)[1][2]
    poisson = hb.HRSNNParams.from_dict({"N": 20, "encoder": {"kind": "poisson"}})
    assert [name for name, *_ in names(hb.build_network(poisson, 1))] == [HOMOGENEOUS]
    assert [name for name, *_ in names(homogeneous(network))] == [SLOW_INPUT]


def test_unknown_controls_are_refused(network, numpy_engine):
    with pytest.raises(hb.InputError, match=r"controls = .*basics"):
        hb.evaluate(network, "wind", engine=numpy_engine, controls="basics")
