"""The study of all pruning rules: its points, its rows and what it refuses."""

import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.parameters.presets import load_preset
from hrsnn_brian.runs.study import load_study
from hrsnn_brian.sparsification.methods import METHODS
from hrsnn_brian.studies import pruning_methods


def options(**choices):
    network = load_preset("default", ["N=40"]).to_dict()
    quick = pruning_methods.STUDY.presets["quick"]
    return {**quick, "seeds": 1, "network": network, **choices}


def test_every_rule_is_a_method_with_options_it_has():
    for method, rounds, _, chosen in pruning_methods.RULES.values():
        assert rounds >= 1
        for name, value in chosen.items():
            assert value in METHODS[method].options[name].allowed


def test_points_hold_every_rule_at_every_size_beside_full_and_bare():
    found = pruning_methods.points(options(keep=[0.1, 0.05]), seed=7)
    rules = len(pruning_methods.RULES)
    assert len(found) == 2 * (2 + 2 * rules)
    assert {point["seed"] for point in found} == {7}
    assert {pruning_methods.FULL, pruning_methods.BARE} < {point["rule"] for point in found}


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"rules": ["magnitude, row 5"]}, "magnitude, row .5"),
        ({"tasks": ["wnd"]}, "lorenz63-x"),
        ({"keep": [1.0]}, "keep"),
        ({"seeds": 0}, "seeds"),
    ],
)
def test_bad_options_are_refused(choice, named):
    with pytest.raises(InputError, match=named):
        pruning_methods.points(options(**choice), seed=0)


@pytest.mark.compiled
def test_rules_meet_the_same_size_and_the_bare_network_has_none(compiled_engine):
    chosen = ["noise, row .5, 8 rounds", "fresh"]
    points = pruning_methods.points(
        options(rules=chosen, keep=[0.5], tasks=["mackey-glass-84"]), seed=1
    )
    rows = [row for point in points for row in pruning_methods.run(point, compiled_engine)]
    synapses = {(row["rule"], row["synapses"]) for row in rows}
    assert synapses == {
        ("full", 160),
        ("no recurrence", 0),
        *((rule, 80) for rule in chosen),
    }
    assert {row["readout"] for row in rows} == {"spikes", "spikes+v"}
    assert all(0 < row["nrmse_h84"] < 2 for row in rows)
    text = load_study("pruning_methods").summary(rows)
    assert "mackey-glass-84, keep 0.5" in text
