"""The ablation: every variant changes what it names and nothing else, sizes are never mixed."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError, SizeOutOfReachError
from hrsnn_brian.figures import ablation as figure
from hrsnn_brian.files.tables import Table, read_table, write_table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import GraphParams, HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.compensation import parse_compensation
from hrsnn_brian.pruning.iteration import Iteration
from hrsnn_brian.pruning.lnp import LITERAL, LNP
from hrsnn_brian.pruning.prune import Pruned
from hrsnn_brian.statistics.comparison import paired_test
from hrsnn_brian.statistics.paired_seeds import against, by_seed, spread
from hrsnn_brian.studies import ablation as study
from hrsnn_brian.studies.ablation_recipes import (
    ALONE,
    BASELINE,
    INGREDIENTS,
    LEFT_OUT,
    NO_STEP,
    QUICK,
    STEPS,
    VARIANTS,
)

# Settings of the steps that rivals are for, or that change a size or who may be pruned.
OF_RIVALS = ("power", "price", "shuffle", "within")
RIVALS_VALUES = {
    ("score", "readout"),
    ("selection", "independent"),
    ("neurons", "task activity"),
    ("neurons", "readout"),
}


def short(path: str) -> str:
    """The name an option goes by: its own, or that of the step whose rule it is."""
    section, _, name = path.partition(".")
    return section if name == "rule" else name


def values(recipe):
    return {short(path): value for path, (_, value) in recipe.options().items()}


DEFAULT = values(LNP)


def options(**choices):
    network = load_preset("default", ["N=40", "K=10"])
    return study.AblationOptions(network=network, **choices).to_dict()


def changed(variant):
    return {k: v for k, v in values(variant.recipe(8)).items() if v != DEFAULT[k]}


def in_full(changes):
    """With a compensation as the options write it: "literal" is "literal 1000"."""
    rules = {k: str(parse_compensation(v)) for k, v in changes.items() if k == "compensation"}
    return changes | rules


# ---- the variants


def test_every_variant_changes_exactly_what_it_says():
    for variant in VARIANTS.values():
        assert changed(variant) == in_full(variant.changes)
    for option, values in INGREDIENTS.items():
        for value in values:
            assert changed(VARIANTS[f"{option}: {value}"]) == in_full({option: value})


def test_no_two_variants_are_the_same():
    recipes = [variant.recipe(8) for variant in VARIANTS.values()]
    seen = [(tuple(values(recipe).values()), recipe.rounds) for recipe in recipes]
    assert len(set(seen)) == len(seen)


def test_every_named_option_and_value_is_exchanged():
    """But those that change a size or who may be pruned."""
    tried = {(k, v) for variant in VARIANTS.values() for k, v in variant.changes.items()}
    known = {short(path): getattr(f, "known", None) for path, (f, _) in LNP.options().items()}
    for option, allowed in known.items():
        if allowed is None or option in ("synapses", "disconnected", *OF_RIVALS):
            continue
        for value in set(allowed) - {DEFAULT[option]}:
            if (option, value) in RIVALS_VALUES:
                continue
            other = value == "gain" or option == "grouping"  # one of several stands for all
            assert (option, value) in tried or other or (option, value) == ("neurons", "off")
    assert {"none", "row 1", "variance", "literal"} == set(INGREDIENTS["compensation"])
    assert DEFAULT["compensation"] == "row 0.5"


def test_left_out_and_alone_are_complementary():
    for step in STEPS:
        out, alone = VARIANTS[f"left out: {step}"], VARIANTS[f"alone: {step}"]
        assert (out.group, alone.group) == (LEFT_OUT, ALONE)
        assert not out.changes.keys() & alone.changes.keys()
        assert out.changes | alone.changes == VARIANTS[NO_STEP].changes


def test_a_step_left_out_knows_nothing():
    nothing = VARIANTS[NO_STEP].recipe(8)
    assert not nothing.needs
    network = build_network(HRSNNParams(N=40, graph=GraphParams(K=10)), 1)
    keep = VARIANTS["left out: synapses"].recipe(8).step("synapses")
    assert not keep.needs
    size = {"neurons": 40, "synapses": 100, "budget": 100, "number": 1, "rounds": 8, "seed": 0}
    ends = {"network": network, "source": network, "original": network}
    asked = {"original_hz": float, "original_echo": float}
    now = Iteration(recipe=LNP, probe=None, **asked, **size, **ends)
    assert np.ptp(keep.importance(network.W, now)) == 0
    rules = values(nothing)
    assert rules["neurons"] == "random"
    assert rules["delocalisation"] == rules["timescales"] == "off"


def test_the_variants_that_are_recipes_of_their_own():
    assert VARIANTS["literal"].recipe(20).to_dict() == LITERAL.to_dict()
    assert VARIANTS[BASELINE].recipe(20) == LNP
    assert (VARIANTS["one shot"].recipe(8).rounds, VARIANTS["literal"].recipe(8).rounds) == (2, 8)


# ---- points


def test_points_hold_every_variant_once_and_always_the_baseline():
    found = study.points(options(seeds=2, keep=[0.2, 0.1], recipes=["score: uniform"]), 5)
    assert len(found) == 2 * 2 * 2
    assert [p["recipe"] for p in found[:2]] == [BASELINE, "score: uniform"]
    assert {p["seed"] for p in found} == {5, 6}
    everything = study.points(options(seeds=1), 0)
    assert [p["recipe"] for p in everything] == list(QUICK)
    assert study.STUDY.presets["paper"]["recipes"] == list(VARIANTS)


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"recipes": ["score: magnitud"]}, "did you mean 'score: magnitude'"),
        ({"tasks": ["wnd"]}, "did you mean 'wind'"),
        ({"readouts": ["spike"]}, "did you mean 'spikes'"),
        ({"keep": [1.0]}, "keep"),
        ({"neuron_fraction": [0.0]}, "neuron_fraction"),
        ({"seeds": 0}, "seeds"),
        ({"iterations": 3}, "step 4 never has its turn"),
    ],
)
def test_bad_options_are_refused(choice, named):
    with pytest.raises(InputError, match=named):
        study.points(options(**choice), 0)


# ---- rows


def test_a_refused_run_is_a_row_without_numbers(monkeypatch):
    def refuse(*_, **__):
        raise SizeOutOfReachError("synapses", 40, "only 30 are left")

    monkeypatch.setattr("hrsnn_brian.pruning.prune.prune", refuse)
    (point, *_) = study.points(options(seeds=1, recipes=[BASELINE]), 0)
    rows = study.run(point, None)
    assert [row["task"] for row in rows] == point["tasks"]
    for row in rows:
        assert "only 30 are left" in row["stopped"]
        assert not row["met_budget"]
        assert row["neurons"] is row["synapses"] is None


def test_a_run_that_stopped_early_says_so_and_tells_of_the_last_stable_network():
    network = build_network(HRSNNParams(N=40, graph=GraphParams(K=10)), 1)
    history = tuple(
        {"stable": stable, "lambda_1_per_s": value}
        for stable, value in ((True, -9.0), (True, -5.0), (False, 3.0))
    )
    early = Pruned(network, history, "stopped after iteration 2")
    told = study._told(early, (24, 100))
    assert (told["met_budget"], told["stable"]) == (False, True)
    assert (told["neurons"], told["synapses"]) == (40, 400)
    assert told["lambda_1_per_s"] == -5.0
    reached = study._told(replace(early, stopped=None), (40, 400))
    assert (reached["met_budget"], reached["stable"], reached["stopped"]) == (True, False, "")
    assert reached["lambda_1_per_s"] == 3.0


@pytest.mark.compiled
def test_variants_have_the_same_size(compiled_engine):
    tasks = ["mackey-glass-84"]
    points = study.points(options(seeds=1, recipes=[NO_STEP], tasks=tasks, keep=[0.2]), 1)
    rows = Table(row for point in points for row in study.run(point, compiled_engine))
    assert [row["recipe"] for row in rows] == [BASELINE, NO_STEP]
    assert {(row["neurons"], row["synapses"]) for row in rows} == {(24, 80)}
    assert all(row["met_budget"] and not row["stopped"] for row in rows)
    assert all(0 < row["nrmse_h84"] < 2 for row in rows)
    assert len({row["nrmse_h84"] for row in rows}) == 2


# ---- summary and figure


def effect(variant: str) -> float:
    return {BASELINE: 0.0, "alone: neurons": 0.3}.get(variant, 0.1)


def synthetic_rows() -> list[dict]:
    noise = {0: 0.00, 1: 0.02, 2: -0.03}
    rows = []
    for seed in noise:
        for number, (name, variant) in enumerate(VARIANTS.items()):
            for task, scored in (("mackey-glass-84", nrmse_84), ("lorenz63-x", vpt)):
                wobble = noise[seed] * (-1) ** number * (name != BASELINE)
                score = scored(1.0 + 0.2 * seed + effect(name) + wobble)
                rows.append(
                    {
                        "network": "pruned",
                        "recipe": name,
                        "seed": seed,
                        "group": variant.group,
                        "keep": 0.1,
                        "neuron_fraction": 0.6,
                        "task": task,
                        "readout": "spikes",
                        "met_budget": (name, seed) != ("literal", 1),
                        "rate_hz": 10.0,
                        "synaptic_ops_per_s": 1e4,
                        score.name: score,
                    }
                )
    return rows


def test_summary_compares_equal_sizes_on_the_same_seeds_only():
    text = study.summary(synthetic_rows())
    blocks = text.split("\n\n")
    assert blocks[0].startswith("mackey-glass-84, keep 0.1, 0.6 of the neurons (lower is better)")
    line = next(x for x in blocks[0].splitlines() if x.startswith("literal"))
    assert " 2 of 3 " in line
    odd = list(VARIANTS).index("literal") % 2
    assert spread([1.1, 1.5 + (0.03 if odd else -0.03)]) in line  # seeds 0 and 2 alone
    only = next(x for x in blocks[1].splitlines() if x.startswith("alone: synapses"))
    assert float(only.split()[2]) == pytest.approx(0.0, abs=0.04)
    assert "Holm over all variants" in blocks[-1]


def test_scores_by_seed_leave_out_what_is_missing():
    rows = [
        {"seed": s, "variant": v, "x": x}
        for v, values in {"a": (1.0, 2.0, 3.0), "b": (1.5, None, 3.0), "c": (math.nan,) * 3}.items()
        for s, x in enumerate(values)
    ]
    scores = by_seed(rows, "variant", "x")
    assert scores == {"a": {0: 1.0, 1: 2.0, 2: 3.0}, "b": {0: 1.5, 2: 3.0}, "c": {}}
    tests = against(scores, "a")
    assert list(tests) == ["b"]
    assert tests["b"].mean_difference == 0.25
    assert (spread([]), spread([2.0]), spread([1.0, 3.0])) == ("-", "2", "2 ± 1")


@pytest.fixture
def table(tmp_path):
    write_table(tmp_path / "ablation.csv", synthetic_rows())
    return read_table(tmp_path / "ablation.csv")


def test_figure_shows_paired_differences_with_their_interval(table):
    axes = figure.draw(table)
    assert [axis.get_title(loc="left").split()[0] for axis in axes] == [
        "mackey-glass-84",
        "lorenz63-x",
    ]
    assert "right is worse" in axes[0].get_title(loc="left")
    for axis in axes:
        drawn = {c.get_label(): c for c in axis.containers}
        assert set(drawn) == set(VARIANTS) - {BASELINE}
        bar = drawn["alone: neurons"]
        wobble = -1.0 if list(VARIANTS).index("alone: neurons") % 2 else 1.0
        wanted = paired_test(np.array([0.3, 0.3, 0.3]) + wobble * np.array([0, 0.02, -0.03]),
                             np.zeros(3))  # fmt: skip
        assert bar[0].get_xdata()[0] == pytest.approx(wanted.mean_difference)
        ends = bar[2][0].get_segments()[0][:, 0]
        np.testing.assert_allclose(ends, [wanted.low, wanted.high])
        assert [t.get_text() for t in axis.texts] == ["2 of 3 seeds"]
    figure_ = axes[0].figure
    assert figure_.get_suptitle().endswith("; left out: 1 another size")
    assert (
        "interval (small dots: seeds) 10 % of synapses, 60 % of neu"
        in figure_.get_suptitle().replace("\n", " ")
    )


def test_figure_labels_do_not_overlap_and_bad_tables_are_refused(table):
    axes = figure.draw(table)
    axes[0].figure.draw_without_rendering()
    labels = [label.get_window_extent() for label in axes[0].get_yticklabels()]
    for above, below in pairwise(labels):
        assert not above.overlaps(below)
    with pytest.raises(InputError, match="no column 'met_budget'"):
        figure.draw(table.drop(columns="met_budget"))
    with pytest.raises(InputError, match="no variant but the baseline"):
        figure.draw(table[table["recipe"] == BASELINE])
    with pytest.raises(InputError, match="no baseline"):
        figure.draw(table[table["recipe"] != BASELINE])
