"""What each factor does: equal settings only, averaged over the others, paired by seed."""

import itertools

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.schema import Schema
from hrsnn_brian.statistics.comparison import compare_family
from hrsnn_brian.statistics.designs import unit_points
from hrsnn_brian.statistics.factors import MANY, effects, factors_of, levels
from hrsnn_brian.statistics.search import propose


def rows_of(value, sizes=(0.1, 0.2), shapes=(1, 2), seeds=7):
    found = []
    for seed in range(seeds):
        for shape in shapes:
            for keep in sizes:
                row = {"name": "frugal", "recipe": "frugal", "keep": keep}
                found.append(row | {"shape": shape, "seed": seed})
            found.append({"name": "full", "recipe": "", "keep": 1.0, "shape": shape, "seed": seed})
    return [row | {"y": value(row)} for row in found]


def noise(row):
    key = [row["seed"], int(100 * row["keep"]), row["shape"]]
    return float(np.random.default_rng(key).normal())


FACTORS = ("name", "keep", "shape")


def test_an_effect_is_the_mean_difference_at_equal_settings():
    def value(row):
        return 10 * row["shape"] + 3 * (row["name"] == "full") + 100 * row["keep"] + noise(row)

    rows = rows_of(value)
    found = effects(rows, FACTORS, "y")
    assert [*found] == [("name", "frugal", "full"), ("keep", 0.1, 0.2), ("shape", 1, 2)]
    y = {(r["seed"], r["name"], r["keep"], r["shape"]): r["y"] for r in rows}
    own = {
        "name": [(np.mean([y[s, "frugal", k, h] for k in (0.1, 0.2) for h in (1, 2)]),
                  np.mean([y[s, "full", 1.0, h] for h in (1, 2)])) for s in range(7)],
        "keep": [tuple(np.mean([y[s, "frugal", k, h] for h in (1, 2)]) for k in (0.1, 0.2))
                 for s in range(7)],
    }  # fmt: skip
    for factor, pairs in own.items():
        test = next(t for (name, *_), t in found.items() if name == factor)
        differences = [a - b for a, b in pairs]
        assert test.mean_difference == pytest.approx(np.mean(differences))
        assert test.pairs == 7
    # the full network has no keep: it meets both sizes in the comparison of shapes
    assert found["shape", 1, 2].mean_difference == pytest.approx(-10, abs=1.5)
    by_hand = compare_family({name: tuple(zip(*pairs, strict=True)) for name, pairs in own.items()})
    assert found["keep", 0.1, 0.2].p_t == pytest.approx(by_hand["keep"].p_t)
    raw = sorted(test.p_t for test in found.values())
    assert min(t.p_t_holm for t in found.values()) == pytest.approx(min(3 * raw[0], 1))


def test_an_unbalanced_table_is_compared_where_both_are_there():
    """Where shape 2 lacks the small size, the large one alone is compared; a trap otherwise."""
    rows = rows_of(lambda row: 100 * row["keep"] + row["shape"])
    rows = [row for row in rows if not (row["shape"] == 2 and row["keep"] == 0.1)]
    found = effects(rows, FACTORS, "y")
    assert found["shape", 1, 2].mean_difference == pytest.approx(-1)


def test_rows_that_do_not_count_are_left_out():
    rows = rows_of(lambda row: row["shape"])
    for row in rows:
        if row["shape"] == 2 and row["seed"] < 5:
            row["note"] = "size out of reach"
    assert effects(rows, ["shape"], "y")["shape", 1, 2].pairs == 2


def test_of_many_levels_only_neighbours_are_compared():
    shapes = tuple(range(1, MANY + 3))
    found = effects(rows_of(noise, shapes=shapes), ["shape"], "y")
    assert [key[1:] for key in found] == [*itertools.pairwise(shapes)]


def test_factors_are_what_takes_several_values():
    own = (Column("shape", role="identity"), Column("J", role="identity"), Column("rate_hz"))
    known = {c.name: c for c in (Column("keep", role="size"), Column("seed", role="identity"))}
    schema = Schema(known | {c.name: c for c in own})
    rows = [row | {"J": 0.1, "rate_hz": row["seed"]} for row in rows_of(noise)]
    assert [factor.name for factor in factors_of(schema, rows)] == ["name", "keep", "shape"]
    assert levels(rows, "keep") == [0.1, 0.2]  # the 1.0 of the unpruned one was not asked for


def test_designs_fill_the_cube_and_follow_their_seed():
    sobol = unit_points("sobol", 64, 2, np.random.default_rng(3))
    cells = {(int(8 * x), int(8 * y)) for x, y in sobol}
    assert len(cells) == 64  # a (0, 6, 2) net has one point in each of 64 squares
    same = unit_points("sobol", 64, 2, np.random.default_rng(3))
    np.testing.assert_array_equal(sobol, same)
    assert not np.array_equal(sobol, unit_points("sobol", 64, 2, np.random.default_rng(4)))
    assert unit_points("random", 5, 3, 1).shape == (5, 3)
    assert propose([], 3, 11, "sobol") == tuple(unit_points("sobol", 1, 3, 11)[0])
    with pytest.raises(InputError, match="design = 'grid'"):
        unit_points("grid", 3, 2, 0)
