"""Sizes: one number of synapses from the three ways of saying it."""

import math

import numpy as np
import pytest
from probes import Deaf
from random_networks import network

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.size import Size


def test_budget_from_keep_density_and_number():
    net = network()  # 40 neurons, 480 synapses
    assert Size(keep=0.1).resolve(net)[1] == 48
    assert Size(density=0.1).resolve(net)[1] == 156
    assert Size(density=0.1, neurons=30).resolve(net)[1] == 87
    assert Size(synapses=np.int64(7)).resolve(net)[1] == 7
    assert Size(keep=1).resolve(net)[1] == 480
    half = prune(net, "random", Size(synapses=240), probe=Deaf()).network
    assert Size(keep=0.1).resolve(half)[1] == 48  # of the original


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"budget = None: give exactly one of keep, density and synapses"),
        ({"keep": 0.1, "density": 0.1}, r"budget = .*: give exactly one"),
        ({"keep": 0.0}, r"keep = 0.0: must be in \(0, 1\]"),
        ({"keep": 1.1}, r"keep = 1.1: must be in \(0, 1\]"),
        ({"keep": math.nan}, r"keep = nan: must be a number in \(0, 1\]"),
        ({"density": "dense"}, r"density = 'dense': must be a number in \(0, 1\]"),
        ({"density": True}, r"density = True: must be a number"),
        ({"density": math.inf}, r"density = inf: must be in"),
        ({"density": 0.9}, r"density = 0.9: asks for 1404 synapses; .* holds 480"),
        ({"keep": 1e-4}, r"keep = 0.0001: must leave at least one"),
        ({"synapses": 481}, r"synapses = 481: .* holds 480"),
        ({"synapses": 10.0}, r"synapses = 10.0: must be a whole number"),
        ({"synapses": -1}, r"synapses = -1: must leave at least one"),
        ({"synapses": 300, "neurons": 10}, r"synapses = 300: .*10 neurons have room for 90"),
        ({"keep": 0.1, "neurons": 41}, r"neurons = 41: must be from 1 to 40"),
        ({"keep": 0.1, "neurons": 0}, r"neurons = 0: must be from 1 to 40"),
    ],
)
def test_budget_refusals_name_argument_value_and_what_is_allowed(given, message):
    with pytest.raises(InputError, match=message) as refused:
        Size(**given).resolve(network())
    assert isinstance(refused.value, SizeOutOfReachError) == ("asks for" in str(refused.value))


def test_a_size_has_neurons_and_synapses():
    net = network()
    assert Size(keep=0.1).resolve(net) == (40, 48)
    assert Size(neurons=30, density=0.1).resolve(net) == (30, 87)
    assert not Size(neurons=30).asks_for_synapses
    assert Size(synapses=1).asks_for_synapses
