"""Which seeds count in a mean, and what is said of the others."""

import math

import pytest

from hrsnn_brian.statistics.paired_seeds import (
    by_seed,
    count_of,
    left_out,
    paired,
    relative,
    spread,
    why_not,
)

ROWS = [
    {"seed": 0, "name": "a", "x": 1.0, "note": ""},
    {"seed": 1, "name": "a", "x": 3.0, "note": math.nan},  # an empty cell, read back
    {"seed": 2, "name": "a", "x": 9.0, "note": "rate out of reach"},
    {"seed": 3, "name": "a", "x": 9.0, "met_budget": False, "stopped": "refused: too few"},
    {"seed": 4, "name": "a", "x": math.inf},
    {"seed": 5, "name": "a", "x": None, "exponent_check": "saturated: 3 of 8"},
    {"seed": 0, "name": "b", "x": 2.0},
]


def test_a_seed_counts_by_its_value_its_size_and_its_rate_and_else_says_why_not():
    found = by_seed(ROWS, "name", "x")
    assert found["a"] == {0: 1.0, 1: 3.0}
    reasons = ["rate out of reach", "refused", "no value", "saturated"]
    assert found["a"].left_out == dict(zip((2, 3, 4, 5), reasons, strict=True))
    assert (found["a"].count, found["b"].count) == ("2 of 6", "1")
    assert left_out(found.values()).startswith("; left out: 1 rate out of reach, 1 refused")
    assert (left_out([found["b"]]), count_of(3, 3)) == ("", "3")
    assert (spread(found["a"]), spread(found["b"])) == ("2 ± 1 (2 of 6)", "2")


def test_networks_of_the_size_reached_count_where_it_is_that_of_all():
    assert why_not(ROWS[3], "x") == "refused"
    assert why_not(ROWS[3], "x", any_size=True) == ""
    assert by_seed(ROWS[3:4], "name", "x", any_size=True)["a"] == {3: 9.0}


@pytest.mark.parametrize("order", [1, -1])
def test_a_seed_that_has_a_value_in_another_row_is_not_left_out(order):
    twice = [{"seed": 7, "name": "a", "x": 1.0}, {"seed": 7, "name": "a", "x": None}]
    (seeds,) = by_seed(twice[::order], "name", "x").values()
    assert (seeds, seeds.left_out) == ({7: 1.0}, {})


def test_pairs_are_of_two_seeds_at_least():
    assert paired({1: 1.0, 2: 2.0, 3: 3.0}, {3: 6.0, 1: 4.0}) == ([1.0, 3.0], [4.0, 6.0])
    assert paired({1: 1.0}, {1: 4.0, 2: 2.0}) is None


def test_a_relative_score_is_above_one_where_it_is_better_on_the_same_seed():
    values = {"base": (2.0, 4.0, 0.0), "mine": (1.0, 8.0, 5.0)}
    rows = [
        {"seed": seed, "name": name, "x": x}
        for name, found in values.items()
        for seed, x in enumerate(found)
    ]
    rows += [{"seed": 3, "name": "mine", "x": 1.0}, {"seed": 4, "name": "mine", "x": None}]
    found = by_seed(rows, "name", "x")
    higher, lower = (relative(found, "base", better)["mine"] for better in ("higher", "lower"))
    assert higher == {0: 0.5, 1: 2.0}
    assert higher.left_out == {
        2: "a score of 0 to divide by",
        3: "no value of base",
        4: "no value",
    }
    assert lower == {0: 2.0, 1: 0.5, 2: 0.0}
    assert relative(found, "base", "lower")["base"] == {0: 1.0, 1: 1.0}
    assert relative(found, "base", "lower")["base"].left_out == {2: "a score of 0 to divide by"}
