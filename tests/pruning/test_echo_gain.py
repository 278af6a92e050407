"""The echo gain: the search on known functions of the gain, the step on probes of such a law."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from equality import equal_networks
from probes import Deaf, Facts, Stub, iteration

from hrsnn_brian.errors import InputError, NoEchoError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.pruning.echo_gain import EchoGain, EchoOutOfReachError, GainWarning, search_gain
from hrsnn_brian.pruning.prune import Rounds, prune
from hrsnn_brian.pruning.recipes import RECIPES, echoed
from hrsnn_brian.pruning.size import Size

N = 60


@pytest.fixture(scope="module")
def net():
    return build_network(HRSNNParams(N=N, graph={"K": 12}), 3)


class Echoing(Stub):
    """S is a function of the gain that weights have over those of `start`; rates rise with bias."""

    def __init__(self, start, law, wanted=0.6):
        super().__init__()
        self.start, self.law, self.wanted = abs(start.W).sum(), law, wanted
        self.seen = []

    def rates(self, network):
        return super().rates(network) * (abs(network.W).sum() / self.start) * np.exp(network.bias)

    def echo(self, network):
        if not self.seen:  # first of all the unpruned network
            self.seen.append(1.0)
            return self.wanted
        gain = abs(network.W).sum() / self.start
        self.seen.append(gain)
        return self.law(gain)


# ---- the search ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "gain"),
    [
        (lambda g: 0.2 * g**1.65, (0.6 / 0.2) ** (1 / 1.65)),
        (lambda g: 0.05 * g**2.5, 12 ** (1 / 2.5)),
        (lambda g: 0.59 * g**0.8, 1.0),
        (lambda g: 1.5 * g**3, 0.4 ** (1 / 3)),
        (lambda g: 0.1 * math.exp(0.9 * g), math.log(6) / 0.9),
        (lambda g: 0.1 + 0.05 * g**4, 10**0.25),  # flat, then steep
    ],
)
def test_the_search_finds_the_gain_in_five_trials(law, gain):
    found, tried = search_gain(law, 0.6)
    assert len(tried) <= 5
    assert abs(math.log(law(found.gain) / 0.6)) <= 0.12
    assert found.gain == pytest.approx(gain, rel=0.2)
    assert found == tried[-1]
    assert all(trial.echo == law(trial.gain) for trial in tried)


def test_a_network_that_echoes_as_it_should_is_left_as_it_is():
    found, tried = search_gain(lambda g: 0.63 * g, 0.6)
    assert (found.gain, len(tried)) == (1.0, 1)


def test_of_several_gains_the_nearest_is_found_where_the_echo_is_not_monotone():
    def law(gain):  # 0.6 at about 1.5, 2.4 and 3.5
        return 0.6 * math.exp(math.sin(3 * (gain - 1.5)))

    found, _ = search_gain(law, 0.6)
    assert found.gain == pytest.approx(1.5, abs=0.1)


def test_where_the_echo_jumps_the_side_that_does_not_explode_is_taken():
    found, tried = search_gain(lambda g: 0.2 if g < 1.7 else 30.0, 0.6)
    assert len(tried) == 5
    assert found.echo == 0.2
    assert 1.3 < found.gain < 1.7


@pytest.mark.parametrize(
    ("law", "highest", "lowest"),
    [
        (lambda g: 0.01 * g, 4.0, 1.0),
        (lambda g: 0.0, 4.0, 1.0),  # no synapse left that could echo anything
        (lambda g: 3.0 * g**0.1, 1.0, 0.25),
    ],
)
def test_an_echo_out_of_reach_is_an_error_of_its_own(law, highest, lowest):
    with pytest.raises(EchoOutOfReachError, match=r"gain = 'echo': .* 0.6 is out of reach") as no:
        search_gain(law, 0.6)
    assert f"gain {lowest:.3g} to {highest:.3g} gives" in str(no.value)
    assert "\n" not in str(no.value)
    with pytest.raises(EchoOutOfReachError):
        search_gain(lambda g: 0.1 * g, 0.6, largest=1.5)
    assert search_gain(lambda g: 0.1 * g, 0.6, largest=10)[0].gain == pytest.approx(6, rel=0.12)


@pytest.mark.parametrize("wanted", [0.0, -1.0, math.nan, math.inf])
def test_an_echo_that_is_none_cannot_be_wanted(wanted):
    with pytest.raises(InputError, match=r"input echo = .*finite number > 0"):
        search_gain(lambda g: g, wanted)


# ---- the step -----------------------------------------------------------------------------


def stepped(net, law, wanted=0.6, **settings):
    probe = Echoing(net, law, wanted)
    now = iteration(net, probe=probe)
    hz, echo = now.original_hz(), probe.echo(net)
    now = EchoGain(rule="echo", **settings)(measured(now, hz, echo))
    return now.network, probe, hz


def measured(now, hz, echo):
    return replace(now, original_hz=lambda: hz, original_echo=lambda: echo)


def test_the_step_turns_all_weights_up_and_the_mean_rate_back(net):
    turned, probe, hz = stepped(net, lambda g: 0.2 * g**1.5)
    note = turned.history[-1]
    np.testing.assert_allclose(turned.W.data, note["gain"] * net.W.data)
    assert note["gain"] == pytest.approx(3 ** (1 / 1.5), rel=0.1)
    assert note["wanted"] == 0.6
    assert note["echo"] == pytest.approx(0.6, rel=0.13)
    assert [gain for gain, _ in note["trials"]] == pytest.approx(probe.seen[1:])
    assert probe.rate_hz(turned) == pytest.approx(hz, rel=0.02)
    assert np.ptp(turned.bias - net.bias) == pytest.approx(0, abs=1e-12)


def test_every_trial_is_measured_at_the_mean_rate_and_below_the_ceiling(net):
    rates = []

    class Watching(Echoing):
        def echo(self, network):
            rates.append(self.rates(network))
            return super().echo(network)

    probe = Watching(net, lambda g: 0.2 * g**1.5)
    now = measured(iteration(net, probe=probe), 10.0, 0.6)
    probe.seen.append(1.0)
    EchoGain(rule="echo")(now)
    assert [float(hz.mean()) for hz in rates] == pytest.approx([10.0] * len(rates), rel=0.02)
    assert max(hz.max() for hz in rates) > 14
    rates.clear()
    EchoGain(rule="echo", ceiling=1.2)(now)
    assert max(hz.max() for hz in rates) < 12 * 1.03
    rates.clear()
    EchoGain(rule="echo", rate=0)(now)
    assert rates[-1].mean() > 1.5 * probe.rate_hz(net)  # the rate of the gain itself


def test_a_number_is_that_gain_and_none_touches_nothing(net):
    probe = Echoing(net, lambda g: 0.2 * g)
    now = iteration(net, probe=probe)
    assert EchoGain()(now).network is net
    doubled = EchoGain(rule=2)(now).network
    np.testing.assert_array_equal(doubled.W.data, 2 * net.W.data)
    assert probe.rate_hz(doubled) == pytest.approx(probe.rate_hz(net), rel=0.02)
    assert not probe.seen
    free = EchoGain(rule=2, rate=0)(now).network
    np.testing.assert_array_equal(free.bias, net.bias)
    held = EchoGain(ceiling=1.0)(now).network
    np.testing.assert_array_equal(held.W.data, net.W.data)
    assert (held.bias < net.bias).any()


@pytest.mark.parametrize(
    ("law", "wanted", "message"),
    [
        (
            lambda g: 0.2 if g < 1.7 else 30.0,
            0.6,
            r"0.6 was not met in 5 trials: with gain 1.\d+ it is 0.2$",
        ),
        (lambda g: 2.05 * g, 1.9, r"the pruned network has an input echo of 2\.05, above 2"),
    ],
)
def test_what_the_step_warns_of(net, law, wanted, message):
    with pytest.warns(GainWarning, match=message):
        stepped(net, law, wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stepped(net, lambda g: 0.2 * g**1.5, 0.6)


def test_a_network_that_no_spike_answers_with_has_less_than_any_echo(net):
    def law(gain):
        if gain < 1.9:
            raise NoEchoError("network", "60 neurons", "no spike answers")
        return 0.15 * gain**2

    turned, _, _ = stepped(net, law)
    assert turned.history[-1]["gain"] == pytest.approx(2.0, rel=0.07)


# ---- recipes ------------------------------------------------------------------------------

SIZE = Size(45, synapses=140)


@pytest.mark.parametrize(
    "name", sorted(name for name, r in RECIPES.items() if r.family != "no-recurrence")
)
def test_the_twin_of_every_recipe_ends_at_the_size_and_the_echo(net, name):
    twin, probe = echoed(RECIPES[name]), Facts(N)
    assert twin.name == f"{name} echo"
    assert "echo" in twin.needs
    twin = twin.changed(timescales="off") if twin.step("timescales") else twin
    small = prune(net, twin, SIZE, probe=probe, rounds=2, seed=1).network
    assert (small.n_neurons, small.n_synapses) == (45, 140)
    assert probe.echo(small) == pytest.approx(probe.echo(net), rel=0.13)
    if not twin.step("gain").ceiling:
        assert probe.rate_hz(small) == pytest.approx(probe.rate_hz(net), rel=0.02)
    notes = [entry for entry in small.history if entry["operation"] == "echo gain"]
    assert [note["recipe"] for note in notes] == [twin.name]


def test_the_last_row_of_the_history_is_of_the_network_with_its_gain(net, tmp_path):
    probe, work = Facts(N), Rounds(3, work=tmp_path / "w")
    found = prune(net, "lnp echo gain", SIZE, probe=probe, rounds=work)
    echoes = [row["input_echo"] for row in found.history]
    assert echoes[0] == probe.echo(net)
    assert echoes[1] > echoes[2]
    assert echoes[3] == probe.echo(found.network) == found.network.history[-1]["echo"]
    assert echoes[3] == pytest.approx(echoes[0], rel=0.13)
    again = prune(
        net, "lnp echo gain", SIZE, probe=probe, rounds=work
    )  # nothing is turned up twice
    assert equal_networks(again.network, found.network)


def test_without_synapses_no_gain_gives_an_echo(net):
    probe = Facts(N)
    assert prune(net, "no recurrence", SIZE, probe=probe).network.n_synapses == 0
    with pytest.raises(EchoOutOfReachError, match=r"0 to 0; keep more synapses"):
        prune(net, RECIPES["no recurrence"].changed(gain="echo"), SIZE, probe=probe)


def test_what_has_no_echo_is_refused_before_the_first_round(net, tmp_path):
    class Silent(Facts):
        def echo(self, network):
            raise NoEchoError(
                "network", f"{network.n_neurons} neurons", "is silent: it has no echo"
            )

    probe, work = Silent(N), tmp_path / "w"
    with pytest.raises(InputError, match=r"network = '60 neurons': is silent: it has no echo"):
        prune(net, "frugal echo", SIZE, probe=probe, rounds=Rounds(work=work))
    assert not probe.asked
    assert not work.exists()
    with pytest.raises(InputError, match=r"recipe 'random echo' needs a probe with echo\("):
        prune(net, "random echo", SIZE, probe=type("Rates", (Deaf,), {"rates": len})())


def test_an_unpruned_network_on_the_eve_of_an_explosion_is_warned_of(net):
    probe = Facts(N)
    probe.echo = lambda network: 2.5
    with pytest.warns(
        GainWarning, match=r"the unpruned network has an input echo of 2\.5, above 2"
    ):
        prune(net, "random echo", SIZE, probe=probe)
