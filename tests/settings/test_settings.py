"""Settings: declared once with meaning and unit, read in one place, listed for everything."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.cli.options_list import groups, options_of, protocols
from hrsnn_brian.dynamics.exponents.spiking import Protocol
from hrsnn_brian.dynamics.probe import ProbeLengths
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.toml import dump_toml
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.keep_synapses import KeepSynapses
from hrsnn_brian.pruning.lnp import LNP
from hrsnn_brian.pruning.recipe import with_lengths
from hrsnn_brian.pruning.recipes import RECIPES, get_recipe
from hrsnn_brian.runs.study import list_studies, load_study, resolve_options, undecided
from hrsnn_brian.settings.fields import OneOf, Real, Whole
from hrsnn_brian.settings.listing import shown
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.settings.reader import assignments
from hrsnn_brian.settings.section import Section, checked_fields
from hrsnn_brian.settings.times import Span, Time
from hrsnn_brian.statistics.comparison import seeds_needed
from hrsnn_brian.tasks.image_task import OPTIONS as IMAGES
from hrsnn_brian.tasks.registry import TASKS, get_task, task_options

NAMES = [name for group in groups().values() for name in group]
SECTIONS = {
    "network": HRSNNParams,
    **protocols(),
    **{f"task {name}": task.options for name, task in TASKS.items()},
    **{f"study {name}": load_study(name).options for name in list_studies()},
}
# in an order of their own: the workers of a run of the tests must agree
STEPS = dict.fromkeys(type(part) for recipe in RECIPES.values() for part in recipe.sections())
# Fields whose numbers have a dimension, by what they are called.
TIMED = re.compile(r"(^|_)(tau|dt|seconds|duration|divergence|warmup|align|delay|t_ref|t_renorm)")


def fields_of(kind):
    return [(path, checked) for path, checked in kind.keys().fields.items()]


# ---- declared once


@pytest.mark.parametrize("kind", [*SECTIONS.values(), *STEPS])
def test_every_field_says_what_it_means_whose_choice_it_is_and_in_which_unit(kind):
    for path, checked in fields_of(kind):
        assert checked.meaning, path
        assert checked.grade in ("paper", "review", "choice"), path
        assert not checked.allowed().startswith("must"), path
        assert len(checked.meaning.splitlines()) == 1
        name = path.rpartition(".")[2]
        of_number = not isinstance(checked, OneOf | Whole)
        if (TIMED.search(name) or name.endswith("_s")) and of_number and name != "timescale_rate":
            assert checked.unit == "s", path
        if name.startswith("rate_max") or name in ("min_rate", "max_rate"):
            assert checked.unit == "Hz", path
        if name.startswith("lambda"):
            assert checked.unit == "1/s", path


@pytest.mark.parametrize("kind", [*SECTIONS.values(), *STEPS])
def test_what_a_field_allows_stands_in_its_refusals(kind):
    """One text for the list and for the error line."""
    for path, checked in fields_of(kind):
        if isinstance(checked, Many) or checked.nested:
            continue
        with pytest.raises(InputError) as refusal:
            checked.convert(object())
        unit_first = isinstance(checked, Time) or "with a unit" in refusal.value.allowed
        if not unit_first and "be a list" not in refusal.value.allowed:
            words = refusal.value.allowed.removeprefix("must be ")
            assert words == checked.allowed() or "one of" in words, path


# ---- one list


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_can_be_set_is_listed(name, capfd):
    assert main(["list", "options", name, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["options"]
    assert [entry["name"] for entry in found] == [entry["name"] for entry in options_of(name)]
    assert all({"name", "default", "unit", "allowed", "meaning", "grade"} <= set(e) for e in found)
    assert main(["list", "options", name]) == 0
    out = capfd.readouterr().out
    for entry in found:
        assert entry["meaning"] in out
        assert f"must be {entry['allowed']}" in out
        assert f"{entry['name']} = {shown(entry['default'])}" in out


def test_no_name_has_two_kinds_of_options():
    assert len(NAMES) == len(set(NAMES))
    assert set(NAMES) >= {*RECIPES, *TASKS, *list_studies(), "default", *protocols()}


def test_a_list_shows_the_values_of_that_recipe_and_preset():
    frugal = {entry["name"]: entry["default"] for entry in options_of("frugal")}
    assert (frugal["synapses.price"], frugal["gain.rule"]) == (0.35, 1.5)
    dense = {entry["name"]: entry["default"] for entry in options_of("dense")}
    assert dense["neuron.t_ref"] == "0 ms"
    curve = {entry["name"]: entry["default"] for entry in options_of("pruning_curve")}
    assert (curve["network.N"], curve["keep"]) == (250, [1.0, 0.5, 0.2, 0.1, 0.05])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_listed_can_be_set_to_its_own_default(name):
    """But lists of names with commas in them, which no one can type; there is none."""
    of = {group: names for group, names in groups().items() if name in names}
    (kind,) = (group.split()[0] for group in of)
    for entry in options_of(name):
        if entry["default"] in (None, []) or kind == "measuring":
            continue
        text = f"{entry['name']}={shown(entry['default'])}"
        if kind == "recipes":
            recipe = get_recipe(name)
            assert with_lengths(recipe, [text]) == (recipe, ProbeLengths())
        elif kind == "presets" and not name.startswith("network"):
            assert load_preset(name, [text]) == load_preset(name)
        elif kind == "studies" and not entry["name"].startswith("network."):
            assert resolve_options(load_study(name), None, [text]) == resolve_options(
                load_study(name), None, []
            )
        elif kind == "tasks":
            if name in IMAGES and name != "digits":  # images are files the user has
                task_options(name)(**assignments(task_options(name).keys(), [text]))
            else:
                get_task(name, 0, [text])


def test_the_list_of_a_users_own_study_and_preset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.toml").write_text('description = "mine"\nN = 77\n')
    assert options_of("own.toml")[0]["default"] == 77
    Path("own.py").write_text(
        "from hrsnn_brian.runs.study import Study\n"
        "STUDY = Study('own', 'x', lambda o, s: [], lambda p, e: [], {'a': {'x': [1, 2]}})\n"
    )
    (entry,) = options_of("own.py")
    assert (entry["name"], entry["default"]) == ("x", [1, 2])
    assert entry["allowed"] == "a list, each a whole number"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("list options frugl", "did you mean 'frugal'"),
        ("list options none.toml", "cannot be read"),
        ("list tasks wind", "only hrsnn list options takes a name"),
        ("list recipe", "did you mean 'recipes'"),
        ("study pruning_curve --set sedes=3", "see hrsnn list options pruning_curve"),
        ("build --out n.npz --set tref=1", "see hrsnn list options default"),
        ("evaluate n.npz --task wind --set start=3", "see hrsnn list options wind"),
        ("evaluate n.npz --task wind --set starts=0", "starts = 0: must be a whole number >= 1"),
        ("evaluate n.npz --data d.csv --column x --set starts=3", "is about a task"),
        ("build --out n.npz --set gone.toml", "gone.toml': cannot be read"),
        ("build --out n.npz --set bad.toml", "bad.toml': is not valid TOML"),
        ("build --out n.npz --set far.toml", "did you mean 'neuron.t_ref'"),
    ],
)
def test_bad_input_is_one_line_that_says_where_to_look(
    words, message, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text("N = = 3\n")
    Path("far.toml").write_text('[neuron]\ntref = "1 ms"\n')
    before = sorted(tmp_path.iterdir())
    assert main(words.split()) == 2
    err = capfd.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


# ---- one reader


def test_texts_a_file_and_python_give_the_same_parameters(tmp_path):
    texts = ["N=60", "J=0.2", "neuron.tau_m.mean=30 ms", "tau_syn=50 ms", "traces=30 ms,100 ms"]
    by_text = load_preset("default", texts)
    tau_m = by_text.neuron.tau_m
    in_python = HRSNNParams(N=60, J=0.2, tau_m=tau_m, tau_syn="50 ms", traces=["30 ms", "100 ms"])
    assert by_text == in_python
    path = tmp_path / "mine.toml"
    path.write_text('J = 0.2\nN = 60\ntau_syn = "50 ms"\n[timing]\ntraces = ["30 ms", "100 ms"]\n'
                    '[neuron]\ntau_m.mean = "30 ms"\n')  # fmt: skip
    assert load_preset("default", [str(path)]) == replace(in_python, tau_m=tau_m)
    assert load_preset("default", [str(path), "J=0.3"]) == replace(by_text, J=0.3)
    path.write_text(dump_toml(by_text.to_dict()))
    assert load_preset("dense", [str(path)]) == by_text


def test_a_recipe_and_a_study_read_the_same_three(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('score = "magnitude"\n[timescales]\ntimescale_trials = 9\n')
    by_text = LNP.with_settings(["score=magnitude", "timescale_trials=9"])
    table = {"score": "magnitude", "timescales": {"timescale_trials": 9}}
    assert by_text == LNP.with_settings([str(path)]) == LNP.with_settings(table)
    assert by_text == LNP.changed(score="magnitude", timescale_trials=9)
    path.write_text('seeds = 4\nrecipes = ["noise"]\n[network]\nN = 60\ngraph.K = 7\n')
    study = load_study("pruning_curve")
    texts = ["seeds=4", "methods=noise", "N=60", "graph.K=7"]
    by_text = resolve_options(study, None, texts)
    assert by_text == resolve_options(study, None, [str(path)])
    in_python = study.options(seeds=4, rules=["noise"], network=load_preset("default", texts[2:]))
    assert by_text == in_python.to_dict()


def test_old_words_stand_for_the_new_ones_and_not_beside_them():
    words = {"pruning_curve": "methods", "improve": "rules", "ablation": "variants"}
    for name, old in words.items():
        kind = load_study(name).options
        chosen = [kind().recipes[0]]
        assert kind(**{old: chosen}) == kind(recipes=chosen)
        with pytest.raises(InputError, match="is also given in recipes"):
            kind(**{old: chosen, "recipes": chosen})
    methods = load_study("pruning_methods")
    assert resolve_options(methods, None, ["match=raw"])["match"] == ["none"]
    dynamics = load_study("dynamics").options
    assert dynamics(controls=["random, same classes"]).controls == ("random same classes",)


def test_every_name_of_a_list_can_be_chosen_from_the_command_line():
    for name in list_studies():
        for path, checked in load_study(name).options.keys().fields.items():
            if isinstance(checked, Many) and isinstance(checked.item, OneOf):
                known = list(checked.item.known)
                assert checked.convert(checked.read(",".join(known))) == tuple(known), path


def test_a_new_option_of_a_step_is_one_field():
    @dataclass(frozen=True)
    class Mine(KeepSynapses):
        luck: Real = Real(0.5, 0, 1).about("chance that a synapse stays whatever it does")  # noqa: RUF009

    recipe = replace(LNP, steps=(Mine(), *LNP.steps[1:]))
    assert recipe.with_settings(["luck=0.25"]).step("synapses").luck == 0.25
    with pytest.raises(InputError, match=r"synapses.luck = 2: must be a number >= 0 and <= 1"):
        recipe.with_settings(["luck=2"])
    assert recipe.keys().fields["synapses.luck"].meaning.startswith("chance")


def test_sections_of_sections_take_aliases_and_keys_inside_values():
    @dataclass(frozen=True)
    class Inner(Section):
        section: ClassVar[str] = "inner"
        aliases: ClassVar = {"both": ("a", "b")}
        a: Whole = Whole(1, low=0)  # noqa: RUF009
        b: Whole = Whole(2, low=0)  # noqa: RUF009

    assert Inner(both=3) == Inner(a=3, b=3) == Inner.from_dict({"both": 3})
    with pytest.raises(InputError, match=r"inner parameter = 'c': unknown"):
        Inner.from_dict({"c": 1})
    assert [name for name, _ in checked_fields(Inner)] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "seconds"), [(2, 2.0), (0.5, 0.5), ("20 ms", 0.02), ("1.5 s", 1.5)]
)
def test_a_span_is_a_number_of_seconds_or_a_text_with_its_unit(value, seconds):
    assert Protocol(duration=10, warmup=value).warmup == seconds
    with pytest.raises(InputError, match="number of seconds > 0"):
        Span(1.0).convert(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration": 0.0}, "duration = 0.0: must be a number of seconds > 0"),
        ({"segments": 0}, "segments = 0: must be a whole number >= 1"),
        ({"d0": float("nan")}, "d0 = nan: must be a number > 0"),
        ({"segments": 1000}, "two intervals or more"),
        ({"durations": 1.0}, "did you mean 'duration'"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        Protocol(**change)


# ---- what can be decided is said beforehand


def test_a_preset_that_can_decide_nothing_says_so():
    assert seeds_needed() == 6
    methods = load_study("pruning_methods")
    few, some, enough = (
        undecided(methods, resolve_options(methods, None, [f"seeds={n}"])) for n in (5, 6, 30)
    )
    assert few.startswith("5 seeds can decide no verdict: a single comparison needs 6 seeds")
    assert some.startswith("6 seeds decide single comparisons only")
    assert enough is None
    confirm = load_study("improve")
    assert undecided(confirm, resolve_options(confirm, "quick", [])) is None
    assert "no verdict" in undecided(confirm, resolve_options(confirm, "confirm", ["seeds=4"]))
