"""The study improve: candidates, fresh seeds, the order of its summary and its tests."""

import pytest
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.recipes import RECIPES, prunes_for_a_task
from hrsnn_brian.studies import improve
from hrsnn_brian.studies.compared_recipes import BOTH, COMPARED, STAY

MG, LORENZ = "mackey-glass-84", "lorenz63-x"


def options(preset="quick", **choices):
    table = {
        **improve.STUDY.presets[preset],
        "network": load_preset("default", ["N=40"]),
        **choices,
    }
    return improve.SearchOptions.from_dict(table).to_dict()


def test_shipped_rules_are_named_and_every_rival_by_magnitude_or_lot_stands_against_them():
    assert set(improve.SHIPPED) <= set(COMPARED) & set(improve.CANDIDATES)
    for name in COMPARED:
        simple = RECIPES[name].family in ("random", "magnitude", "fresh")
        assert (name in improve.RIVALS) == simple
        assert not (simple and prunes_for_a_task(RECIPES[name]))
    # candidates of their own are frugal or noise with other numbers
    named = {name for name in improve.CANDIDATES if name in COMPARED}
    assert {COMPARED[name] for name in named} <= {STAY, BOTH}
    families = {improve.CANDIDATES[name].family for name in improve.CANDIDATES if name not in named}
    assert families == {"frugal", "noise"}
    assert not any(prunes_for_a_task(recipe) for recipe in improve.CANDIDATES.values())
    assert {recipe.rounds for recipe in improve.CANDIDATES.values()} == {1, 8}


def test_candidates_change_what_their_names_say():
    candidates = {
        "price .35 gain 2.5": {"rule": 2.5},
        "power .75 gain 2.5 ceiling 1": {"power": 0.75, "price": 0.5, "rule": 2.5, "ceiling": 1.0},
        "price .35 all compete": {"within": "all"},
        "root F gain 2": {"power": 0.5, "rule": 2.0},
        "noise top in class": {"selection": "top", "within": "class", "compensation": "variance"},
    }
    for name, changes in candidates.items():
        recipe = improve.CANDIDATES[name]
        plain = RECIPES[recipe.family].options()
        found = {
            path.partition(".")[2]: value
            for path, (_, value) in recipe.options().items()
            if value != plain[path][1]
        }
        assert found == changes


def test_no_seed_of_the_confirmation_is_one_of_the_development():
    looked_at = {p["seed"] for p in improve.points(options("paper", seeds=improve.FRESH), 3)}
    fresh = {p["seed"] for p in improve.points(options("confirm"), 3)}
    assert len(fresh) == 16
    assert not looked_at & fresh
    assert {p["recipe"] for p in improve.points(options("confirm"), 3)} == {
        "full",
        "no recurrence",
        *improve.SHIPPED,
        *improve.RIVALS,
    }


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"phase": "confirm"}, "did you mean 'confirmation'"),
        ({"recipes": ["frugl"]}, "did you mean 'frugal'"),
        ({"tasks": ["wind"]}, "task = 'wind'"),
        ({"keep": 1.5}, "keep = 1.5"),
        ({"seeds": 0}, "seeds = 0"),
        ({"vpt_starts": 0}, "vpt_starts = 0"),
    ],
)
def test_bad_options_are_refused(choice, named):
    with pytest.raises(InputError, match=named):
        improve.points(options(**choice), seed=0)


def rows(phase="confirmation", seeds=10):
    """The shipped rule wins everywhere, by different amounts; one rival only by luck."""
    levels = {"full": 0.1, "no recurrence": 0.4, "frugal": 0.12, "random raw": 0.3, "fresh": 0.12}
    found = []
    for seed in range(seeds):
        for rule, level in levels.items():
            noise = 0.01 * ((7 * seed + len(rule)) % 5 - 2) / 2
            pruned = rule not in ("full", "no recurrence")
            common = {"phase": phase, "seed": seed, "rate_hz": 20.0}
            common |= {"network": "pruned" if pruned else rule, "recipe": rule if pruned else ""}
            common |= {"synaptic_ops_per_s": 1e4}
            found.append(common | {"task": MG, "nrmse_h84": nrmse_84(level + noise)})
            found.append(common | {"task": LORENZ, "vpt_lyapunov_times": vpt(2 - level + noise)})
    return found


def test_summary_ranks_by_both_tasks_and_tests_a_confirmation_only():
    text = improve.summary(rows("development"))
    order = [line.split("  ")[0] for line in text.splitlines()[2:]]
    assert order[0] == "full"
    assert order[-2:] == ["random raw", "no recurrence"]
    assert "Holm" not in text
    tests = improve.summary(rows()).split("Holm over 4 tests")[1].splitlines()
    verdicts = {line.split("  ")[0].strip(): line.split()[-1] for line in tests if ":" in line}
    assert verdicts == {
        f"{MG}: random raw": "better",
        f"{LORENZ}: random raw": "better",
        f"{MG}: fresh": "-",
        f"{LORENZ}: fresh": "-",
    }


@pytest.mark.compiled
def test_a_point_scores_a_candidate_on_every_task(compiled_engine):
    chosen = options(seeds=1, recipes=["price .35 no gain"], keep=0.3)
    found = [p for p in improve.points(chosen, 2) if p["recipe"] == "price .35 no gain"]
    rows = [row for point in found for row in improve.run(point, compiled_engine)]
    assert [(row["task"], row["readout"], row["synapses"]) for row in rows] == [
        (MG, "spikes", 48),
        (LORENZ, "spikes", 48),
    ]
    assert rows[1]["vpt_starts"].value == 10
