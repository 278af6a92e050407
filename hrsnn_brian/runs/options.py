"""The options of a study: typed fields of its own, or what its dict of defaults shows them to be.

A study of the package declares a `StudyOptions`; that of a user may have plain dicts as presets,
whose values say of what kind the options are.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.recipes import ALIASES, RECIPES
from hrsnn_brian.settings.fields import Like, OneOf, Real, Whole
from hrsnn_brian.settings.keys import Keys
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.settings.reader import applied, read
from hrsnn_brian.settings.section import Part, Section
from hrsnn_brian.tasks.registry import list_tasks

Options: TypeAlias = dict[str, Any]
NETWORK = "network"


class StudyNetwork(Part[HRSNNParams]):
    """The parameters of a study's network: those of a preset, changed by texts, or a table."""

    def __init__(self, preset: str = "default", *changes: str) -> None:
        super().__init__(HRSNNParams)
        self._default = {"preset": preset, "set": changes}

    def convert(self, value: Any) -> HRSNNParams:
        if isinstance(value, Mapping) and "preset" in value:
            return load_preset(value["preset"], value.get("set", ()))
        return super().convert(value)


class Names(Many):
    """A list of names, each with what it means; one: what a single one is called."""

    def __init__(
        self,
        known: Mapping[str, str] | Iterable[str],
        default: Iterable[str],
        one: str = "",
        also: Mapping[str, str] | None = None,
    ) -> None:
        meanings = known if isinstance(known, Mapping) else dict.fromkeys(known, "")
        chosen = tuple(default)
        super().__init__(OneOf(chosen[0], meanings, also), chosen, one)


class Fractions(Many):
    """A list of fractions in (0, 1], or in (0, 1)."""

    def __init__(self, *default: float, below_one: bool = False) -> None:
        super().__init__(Real(default[0], 0, 1, above=True, below=below_one), default)


class Tasks(Names):
    """A list of tasks, by default of all."""

    def __init__(self, *default: str, known: Iterable[str] = ()) -> None:
        tasks = list_tasks()
        super().__init__({name: tasks[name] for name in known or tasks}, default, one="task")


class Recipes(Names):
    """A list of pruning recipes; known: those to choose from, by default all of the registry."""

    def __init__(self, *default: str, known: Iterable[str] = RECIPES) -> None:
        names = {name: RECIPES[name].description if name in RECIPES else "" for name in known}
        also = {alias: name for alias, name in ALIASES.items() if name in names}
        super().__init__(names, default, one="recipe", also=also)


@dataclass(frozen=True)
class StudyOptions(Section):
    """What every study has."""

    seeds: Whole = Whole(3, low=1).about("seeds, counted from the root seed on")


@dataclass(frozen=True)
class RecipeOptions(StudyOptions):
    """What a study of recipes has: their names, which were called otherwise in one or another."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
        ("methods", "rules", "variants"), ("recipes",)
    )


def resolved(
    kind: type[Section] | None, preset: Options, settings: Sequence[str], see: str
) -> Options:
    """The options of a preset with texts applied, as plain values; kind: None for plain dicts."""
    if kind is None:
        return _resolved_own(preset, settings, see)
    return read(kind, kind.from_dict(preset).to_dict(), settings, see).to_dict()


def own_keys(preset: Options, see: str = "") -> Keys:
    """The keys of a user's own dict of options: its values, and the parameters of its network."""
    fields = {name: Like(value) for name, value in preset.items() if name != NETWORK}
    for name, checked in fields.items():
        checked.argument = name
    keys = Keys(fields, see=see)
    return keys | HRSNNParams.keys().under(NETWORK) if NETWORK in preset else keys


def _resolved_own(preset: Options, settings: Sequence[str], see: str) -> Options:
    table, keys = deepcopy(dict(preset)), own_keys(preset, see)
    if NETWORK not in table:
        return applied(keys, table, settings)[0]
    table[NETWORK] = StudyNetwork().convert(table[NETWORK]).to_dict()
    after, given = applied(keys, table, settings)
    start = f"{NETWORK}."
    inner = {k.removeprefix(start): v for k, v in given.items() if k.startswith(start)}
    network = HRSNNParams.reconciled(table[NETWORK], after[NETWORK], inner)
    return after | {NETWORK: HRSNNParams.from_dict(network).to_dict()}


def check_network(value: object) -> None:
    """Raises InputError unless the network of a user's own preset can be read."""
    if not isinstance(value, Mapping) or "preset" not in value:
        allowed = 'must have the form {"preset": "default", "set": ["N=300"]}'
        raise InputError(NETWORK, value, allowed)
