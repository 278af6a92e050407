"""What a network must meet under common noise, where bounds are given."""

import math

import pytest

from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.recipe import COHERENT, Stability

ROW = {
    "rate_hz": 10.0,
    "lambda_1_per_s": -9.0,
    "lambda_common_per_s": -2.0,
    "input_echo": 1.9,
}


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, ()),
        ({"input_echo": 2.1}, ("its input echo of 2.1 is above echo_max = 2",)),
        ({"input_echo": math.nan}, ()),  # silence is refused as such
        (
            {"lambda_common_per_s": 0.2},
            ("its lambda under common noise of 0.2/s is above lambda_common_max = 0",),
        ),
        (
            {"lambda_common_per_s": math.nan},
            ("its lambda under common noise could not be measured",),
        ),
    ],
)
def test_common_noise_is_judged_where_bounds_are_given(change, reasons):
    assert COHERENT.failures(ROW | change) == reasons
    assert Stability().failures(ROW | change) == ()  # `lnp` as it was


def test_a_network_that_is_shown_nothing_is_judged_by_the_rest():
    row = {name: ROW[name] for name in ("rate_hz", "lambda_1_per_s")}
    assert COHERENT.failures(row) == ()
    assert COHERENT.failures(row | {"lambda_1_per_s": 1.0})


def test_bounds_are_options_of_the_recipe():
    changed = LNP.changed(echo_max=2, lambda_common_max=0)
    assert changed.stability == COHERENT
    assert LNP.stability == Stability()
