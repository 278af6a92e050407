"""Equal rates: one number turned until the mean rate is met."""

import math

import numpy as np
import pytest
from probes import Deaf

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.rate_match import RateOutOfReachError, match_rate, turned
from hrsnn_brian.pruning.size import Size


def network():
    return build_network(HRSNNParams(N=80, graph={"K": 16}), 0)


def strength(net):
    return float(np.abs(net.W.data).sum())


WALKED = {2.0: 3, 0.25: 4, 8.0: 5}  # steps, each twice as long, until the wanted gain is passed


@pytest.mark.parametrize(("wanted", "gain"), [(40.0, 2.0), (5.0, 0.25), (160.0, 8.0)])
def test_the_gain_meets_the_rate_of_a_monotone_function(wanted, gain):
    net = network()
    whole = strength(net)

    def rate(x):
        return 20 * strength(x) / whole

    match = match_rate(net, wanted, rate, knob="gain", tolerance=1e-3)
    assert match.rate_hz == pytest.approx(wanted, rel=1e-3)
    assert rate(match.network) == match.rate_hz
    assert match.value == pytest.approx(gain, rel=1e-3)
    np.testing.assert_allclose(match.network.W.data, net.W.data * match.value)
    assert match.network.history[-1]["value"] == match.value
    assert len(match.tried) < 25
    # walked away in both directions, then cut where the rate is expected; halves take 6 to 8 more
    assert len(match.tried) <= 2 * WALKED[gain] + 3


def test_a_falling_rate_is_matched_too_and_the_bias_reaches_what_the_gain_cannot():
    net = network()
    whole, level = strength(net), net.bias.mean()

    def rate(x):
        return 30 * math.exp(x.bias.mean() - level) / (1 + strength(x) / whole)  # inhibition

    assert match_rate(net, 10.0, rate, knob="gain").value == pytest.approx(2.0, rel=0.05)
    with pytest.raises(
        RateOutOfReachError, match=r"wanted_hz = 60.0: out of reach: gain 0.1 to 10 gives .*"
    ):
        match_rate(net, 60.0, rate, knob="gain")
    match = match_rate(net, 60.0, rate)
    assert match.value == pytest.approx(math.log(4), abs=0.02)
    np.testing.assert_allclose(match.network.bias, net.bias + match.value)
    assert (match.network.W != net.W).nnz == 0


def test_biases_move_first_the_way_that_should_help_and_the_other_way_if_it_does_not():
    net = network()
    level = net.bias.mean()
    rising = match_rate(net, 40.0, lambda x: 20 * math.exp(x.bias.mean() - level))
    assert min(value for value, _ in rising.tried) == 0
    falling = match_rate(net, 40.0, lambda x: 20 * math.exp(level - x.bias.mean()))
    assert falling.value == pytest.approx(-math.log(2), abs=0.02)
    assert max(value for value, _ in falling.tried) == 3


def test_of_several_solutions_the_nearest_to_the_network_is_taken():
    net = network()
    whole = strength(net)

    def rate(x):
        gain = strength(x) / whole
        return 10 * (1 + 4 * math.exp(-((math.log(gain / 3) / 0.4) ** 2)))  # a hump at 3

    match = match_rate(net, 30.0, rate, knob="gain")
    assert 1 < match.value < 3


def test_a_network_at_the_rate_comes_back_as_it_is():
    net = network()
    match = match_rate(net, 20.0, lambda _: 20.1)
    assert match.network is net
    assert match.tried == ((0.0, 20.1),)
    assert turned(net, "gain", 1.0) is net


def test_rates_out_of_reach_and_jumps_are_refused():
    net = network()
    whole = strength(net)
    silent = prune(net, "no-recurrence", Size(synapses=1), probe=Deaf()).network
    with pytest.raises(
        RateOutOfReachError, match=r"gives 20 to 20 Hz; want another rate, or turn the bias"
    ):
        match_rate(silent, 10.0, lambda _: 20.0, knob="gain")
    with pytest.raises(RateOutOfReachError, match=r"not met within 2 %: .* goes from 5 to 300 Hz"):
        match_rate(net, 40.0, lambda x: 300.0 if strength(x) > 1.5 * whole else 5.0, knob="gain")
    with pytest.raises(InputError, match=r"rate of the network = nan: must be a finite") as broken:
        match_rate(net, 40.0, lambda _: math.nan)
    assert not isinstance(broken.value, RateOutOfReachError)
    for changes, message in (
        ({"wanted_hz": 0.0}, r"wanted_hz = 0.0: must be a finite number > 0"),
        ({"tolerance": math.nan}, r"tolerance = nan"),
    ):
        with pytest.raises(InputError, match=message):
            match_rate(net, **({"wanted_hz": 5.0, "rate": lambda _: 1.0} | changes))
