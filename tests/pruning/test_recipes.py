"""Recipes: the registry, what `changed` and `with_settings` understand, and what they refuse."""

import math
from dataclasses import dataclass, replace

import pytest
from probes import Facts
from random_networks import network

from hrsnn_brian.errors import InputError
from hrsnn_brian.pruning.history import size_row
from hrsnn_brian.pruning.iteration import FACTS
from hrsnn_brian.pruning.keep_neurons import KeepNeurons
from hrsnn_brian.pruning.keep_synapses import KeepSynapses
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.recipe import Recipe, Stability, with_lengths
from hrsnn_brian.pruning.recipes import ALIASES, MAGNITUDE, RECIPES, get_recipe, list_recipes
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.settings.fields import Whole
from hrsnn_brian.settings.section import Part

# ---- the registry -------------------------------------------------------------------------


def test_recipes_say_what_they_are():
    assert list(list_recipes()) == list(RECIPES)
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert all((recipe.description, recipe.source, recipe.cost))
        assert recipe.rounds >= 1
        line = list_recipes()[name]
        assert recipe.description in line
        assert recipe.source in line
        assert f"{recipe.rounds} rounds; cost: {recipe.cost}" in line
        sections = [part.section for part in recipe.sections()]
        assert len(set(sections)) == len(sections)  # else a setting would be of two steps
        assert set(recipe.needs) <= set(FACTS)
    assert not set(ALIASES) & set(RECIPES)
    assert get_recipe("noise") is RECIPES["noise"]
    assert get_recipe(LNP) is LNP


def test_every_option_takes_its_own_value_and_says_what_it_means():
    for recipe in RECIPES.values():
        for path, (checked, value) in recipe.options().items():
            assert not isinstance(checked, Part)
            assert checked.convert(value) == value
            assert checked.meaning, path
            assert checked.grade in ("paper", "review", "choice")
            assert recipe.changed(**{path.replace(".", "__"): value}) == recipe


def test_no_two_recipes_of_the_registry_do_the_same():
    """But those that carry the name under which the published tables compare them."""
    does = {name: (r.rounds, str(r.to_dict())) for name, r in RECIPES.items()}
    same = {
        frozenset(n for n in does if does[n] == value)
        for value in does.values()
        if list(does.values()).count(value) > 1
    }
    assert same == {
        frozenset({"random", "random variance"}),
        frozenset({"magnitude", "magnitude row .5"}),
    }


# ---- changed and with_settings ------------------------------------------------------------


def test_settings_go_by_their_short_name_their_path_or_the_step_itself():
    assert LNP.changed(score="magnitude").step("synapses").score == "magnitude"
    assert LNP.changed(synapses__score="magnitude") == LNP.changed(score="magnitude")
    assert LNP.with_settings(["synapses.score=magnitude"]) == LNP.changed(score="magnitude")
    assert LNP.with_settings({"score": "magnitude"}) == LNP.changed(score="magnitude")
    assert LNP.changed(neurons="random").step("neurons").rule == "random"
    assert LNP.changed(neurons__rule="random") == LNP.changed(neurons="random")
    assert LNP.with_settings(["neurons=random"]) == LNP.with_settings(["neurons.rule=random"])
    assert LNP.changed(lambda_max=2.0).stability == replace(Stability(), lambda_max=2.0)
    changed = LNP.changed(name="mine", description="d", source="s", cost="c", rounds=3)
    assert (changed.name, changed.description, changed.rounds) == ("mine", "d", 3)
    assert (changed.steps, changed.stability) == (LNP.steps, LNP.stability)


def test_a_change_leaves_the_recipe_itself_and_all_other_settings_alone():
    before = LNP.to_dict()
    after = LNP.changed(score="uniform", modes=3).to_dict()
    assert LNP.to_dict() == before
    changed = {
        (section, name)
        for section, table in after.items()
        if isinstance(table, dict)
        for name, value in table.items()
        if before[section][name] != value
    }
    assert changed == {("synapses", "score"), ("delocalisation", "modes")}


@pytest.mark.parametrize(
    ("text", "section", "name", "value"),
    [
        ("modes=3", "delocalisation", "modes", 3),
        ("gain = 0.5", "gain", "rule", 0.5),
        ("gain=echo", "gain", "rule", "echo"),
        ("gain = 'none'", "gain", "rule", "none"),
        ("delocalisation.gain=2", "delocalisation", "gain", 2.0),
        ("lambda_max=1e-1", "stability", "lambda_max", 0.1),
        ("compensation=row 1", "synapses", "compensation", "row 1"),
        ("compensation='variance'", "synapses", "compensation", "variance"),
        ("proportional=no", "neurons", "proportional", "off"),
        ("proportional=yes", "neurons", "proportional", "on"),
        ("proportional=off", "neurons", "proportional", "off"),
        ("score=random", "synapses", "score", "uniform"),
        ("timescales=off", "timescales", "rule", "off"),
    ],
)
def test_values_are_read_from_text(text, section, name, value):
    found = getattr(LNP.with_settings([text]).step(section), name)
    assert found == value
    assert type(found) is type(value)


def test_the_last_of_several_settings_counts_and_none_changes_nothing():
    assert LNP.with_settings(["modes=3", "modes=4"]).step("delocalisation").modes == 4
    assert LNP.with_settings([]) == LNP.with_settings({}) == LNP


def test_on_and_off_may_be_booleans():
    assert LNP.changed(proportional=False).step("neurons").proportional == "off"
    assert LNP.changed(synapses=True).step("synapses").rule == "on"


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("lnp", ["scor=uniform"], r"option of recipe 'lnp' = 'scor': unknown; .*mean 'score'"),
        ("lnp", ["synapses.scor=uniform"], r"'synapses.scor': .*did you mean 'synapses.score'"),
        ("lnp", ["neurons.score=uniform"], r"'neurons.score': unknown; did you mean"),
        ("lnp", ["rule=off"], r"'rule': is ambiguous: synapses.rule, neurons.rule, delocal"),
        ("lnp", ["importance=random"], r"recipe 'lnp' = 'importance': is called score \(magnitude"),
        ("lnp", ["name=mine"], r"option of recipe 'lnp' = 'name': unknown"),
        ("lnp", ["rounds=3"], r"option of recipe 'lnp' = 'rounds': unknown"),
        ("lnp", ["modes"], r"--set = 'modes': must be key=value"),
        ("lnp", ["=3"], r"--set = '=3': must be key=value"),
        ("lnp", ["modes=three"], r"delocalisation.modes = 'three': must be a whole number >= 1"),
        ("lnp", ["modes=3.5"], r"delocalisation.modes = 3.5: must be a whole number >= 1"),
        ("lnp", ["modes=true"], r"delocalisation.modes = True: must be a whole number >= 1"),
        ("lnp", ["modes=[3"], r"value = '\[3': is not valid TOML"),
        ("lnp", ["gain=inf"], r"gain.rule = inf: must be echo, none or a number >= 0.1 and <= 10"),
        ("lnp", ["proportional=maybe"], r"neurons.proportional = 'maybe': unknown.*off, on"),
        ("lnp", ["min_rate=-1"], r"stability.min_rate = -1: must be a number >= 0"),
        ("noise", ["min_rate=1"], r"option of recipe 'noise' = 'min_rate': unknown"),
        ("lnp", ["gain=eco"], r"gain.rule = 'eco': must be echo, none or a number"),
        ("no recurrence", ["scale=original"], r"'no recurrence' = 'scale': unknown"),
        ("class-rewired", ["factr=sum"], r"'factr': unknown; did you mean 'factor'"),
    ],
)
def test_what_settings_refuse(name, settings, message):
    with pytest.raises(InputError, match=message) as refused:
        RECIPES[name].with_settings(settings)
    assert "\n" not in str(refused.value)


def test_an_option_that_two_steps_have_is_ambiguous_by_its_short_name():
    two = replace(MAGNITUDE, finish=(Wide(),))
    with pytest.raises(InputError, match=r"'base': is ambiguous: synapses.base, wide.base"):
        two.changed(base="original")
    assert two.changed(wide__base=3).finish[0].base == 3


def test_the_lengths_of_measurements_go_with_what_a_recipe_then_measures():
    texts = ["gain=echo", "probe.echo_samples=1500"]
    recipe, lengths = with_lengths(RECIPES["random"], texts)
    assert (recipe.step("gain").rule, lengths.echo_samples) == ("echo", 1500)
    with pytest.raises(InputError, match=r"recipe 'random' = 'probe.echo_samples': unknown"):
        with_lengths(RECIPES["random"], texts[1:])


# ---- stability ----------------------------------------------------------------------------


def test_stability_names_every_reason():
    ok = {"rate_hz": 10.0, "lambda_1_per_s": -3.0}
    for row, reasons in (
        ({}, ()),
        ({"rate_hz": 0.0}, ("it is silent (no spikes)",)),
        ({"rate_hz": 0.05}, ("its rate of 0.05 Hz is below min_rate = 0.1",)),
        ({"rate_hz": 900.0}, ("it explodes: 900 Hz, above max_rate = 500",)),
        ({"lambda_1_per_s": math.nan}, ("its lambda_1 could not be measured",)),
        ({"lambda_1_per_s": 3.0}, ("its lambda_1 of 3/s is above lambda_max = 0",)),
        (
            {"rate_hz": 900.0, "lambda_1_per_s": 3.0},
            (
                "it explodes: 900 Hz, above max_rate = 500",
                "its lambda_1 of 3/s is above lambda_max = 0",
            ),
        ),
    ):
        assert Stability().failures(ok | row) == reasons


# ---- what an extension takes --------------------------------------------------------------


@dataclass(frozen=True)
class Wide(KeepSynapses):
    """A step with a field of its own."""

    section = "wide"
    base: Whole = Whole(1, low=0).about("anything")  # noqa: RUF009


def test_a_rival_is_one_recipe():
    mine = Recipe(
        name="quiet first",
        description="neurons of lowest rate leave, synapses by lot",
        source="a test",
        cost="a run",
        family="quiet",
        rounds=3,
        steps=(KeepNeurons(rule="activity"), KeepSynapses(score="uniform", factor="none")),
    )
    net, probe = network(), Facts(40)
    found = prune(net, mine, Size(30, synapses=100), probe=probe, seed=2)
    assert (found.network.n_neurons, found.network.n_synapses) == (30, 100)
    assert found.stable
    assert len(found.history) == 1 + 3
    assert set(size_row(net, 0)) <= set(found.history[0])
    assert {entry["recipe"] for entry in found.network.history} == {"quiet first"}
    lively = mine.changed(proportional="off")
    stay = prune(net, lively, Size(30, synapses=100), probe=probe).network.neuron_id
    assert set(stay) == set(probe.rates(net).argsort()[-30:])


def test_a_new_option_of_a_step_is_one_field():
    @dataclass(frozen=True)
    class KeepTwoHops(KeepSynapses):
        hops: Whole = Whole(2, low=1).about("a made-up option")  # noqa: RUF009

        def _score(self, W, now):
            return super()._score(W, now) ** self.hops

    first, *others = LNP.steps
    mine = replace(LNP, steps=(KeepTwoHops(**vars(first)), *others))
    assert mine.with_settings(["hops=5"]).step("synapses").hops == 5
    assert mine.to_dict()["synapses"]["hops"] == 2
    assert mine.options()["synapses.hops"][0].meaning == "a made-up option"
    with pytest.raises(InputError, match=r"synapses.hops = 0: must be a whole number >= 1"):
        mine.with_settings(["hops=0"])
    with pytest.raises(InputError, match=r"'hop': unknown; did you mean 'hops'"):
        mine.with_settings(["hop=3"])
