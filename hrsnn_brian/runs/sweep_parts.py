"""What a sweep varies: presets and settings of the network, recipes, sizes, tasks; each a list.

Names and settings of one part stand together: `recipe = {name = ["lnp", "none"], rounds = [4, 8]}`,
or only the names. A setting is called as everywhere ("J", "tau_m.shape", "synapses.score"); its
values are those of `settings.levels`.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hrsnn_brian.dynamics.probe import ProbeLengths
from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.columns import FULL, KNOWN, NO_RECURRENCE, Column
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import DEFAULT_PRESET, preset_table
from hrsnn_brian.pruning.recipes import ALIASES, RECIPES, get_recipe
from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.fields import Real, Text, Whole
from hrsnn_brian.settings.keys import Keys
from hrsnn_brian.settings.levels import Span, Values, values_in
from hrsnn_brian.settings.listing import shown
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.units import measure
from hrsnn_brian.tasks.registry import task_options

PRESET, NAME, NO_RECIPE = "preset", "name", "none"
WHOLE = {NO_RECIPE: FULL, NO_RECURRENCE: NO_RECURRENCE}  # no recipe: what `network` calls it


class Varied(dict[str, Values]):
    """Name or path -> its values; not to be changed, so that it can be a default."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))


class Choice(Checked[Varied]):
    """Names, under the key `called`, and settings, each with the values it takes in turn."""

    nested = True
    called = NAME

    def allowed(self) -> str:
        return "names, or a table of names and settings, each a value, a list or a range"

    @abstractmethod
    def known(self, name: str) -> str:
        """The name as it is filed. Raises InputError if there is none like it."""

    @abstractmethod
    def keys(self, names: Iterable[str]) -> Keys:
        """What can be set of things of these names."""

    def columns(self, path: str) -> str:
        """What the column of a setting is called."""
        return path

    def inside(self, held: Any, key: str, value: Any) -> dict[str, Any]:
        table = held if isinstance(held, Mapping) else {} if held is None else {self.called: held}
        return {**table, key: value}

    def convert(self, value: Any) -> Varied:
        table = value if isinstance(value, Mapping) else {self.called: value}
        found = Varied()
        names: tuple[str, ...] = ()
        if self.called:
            given = table.get(self.called, self._default[self.called])
            names = tuple(map(self.known, _listed(given, self.argument)))
            found[self.called] = names
        keys = self.keys(names)
        for key, given in _leaves({k: v for k, v in table.items() if k != self.called}):
            paths = keys.paths(key)
            path = paths[0] if len(paths) == 1 else _alias(key, keys)
            if path in found:
                raise InputError(self.argument, key, f"is given twice, also as {path}")
            found[path] = _values(given, keys.fields.get(paths[0]), path)
        for name, values in found.items():
            if isinstance(values, tuple) and len(set(map(shown, values))) < len(values):
                raise InputError(name, shown(list(values)), "names a value twice")
        return found

    def plain(self, value: Varied) -> dict[str, Any]:
        return {name: _plain(values) for name, values in value.items()}

    def column(self, path: str, names: Iterable[str]) -> Column:
        """The column of a setting, with its unit and meaning."""
        name, keys = self.columns(path), self.keys(names)
        first = keys.aliases.get(path, (path,))[0]
        if first in keys.fields:
            checked, inner = keys.fields[first], ""
        else:
            held, _, inner = first.rpartition(".")
            checked = keys.fields[held]
        if name in KNOWN:
            return KNOWN[name]
        meaning = f"{inner} of {checked.meaning}" if inner else checked.meaning
        unit = checked.unit if not inner or inner in ("mean", "low", "high", "value") else ""
        return Column(name, meaning, unit or "1", role="identity")


def _listed(value: Any, argument: str) -> list[str]:
    if isinstance(value, str):
        value = values_in(value, Text(), argument)
    if isinstance(value, Span) or not isinstance(value, Iterable) or not (found := list(value)):
        raise InputError(argument, value, "must be a name or a list of names")
    if not all(isinstance(name, str) for name in found):
        raise InputError(argument, found, "must be a list of names")
    return found


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of all that a table of tables sets; a distribution is one value."""
    for name, value in table.items():
        if isinstance(value, Mapping) and "family" not in value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _alias(key: str, keys: Keys) -> str:
    return next(name for name in keys.aliases if name == key or name.endswith(f".{key}"))


def _values(given: Any, checked: Checked[Any] | None, path: str) -> Values:
    """The values of a setting, checked where a field says what they are."""
    if isinstance(given, str):
        given = values_in(given, checked, path)
    if isinstance(given, Span):
        ends = (given.at(0.0), given.at(1.0))
        if checked is not None:
            _ = [checked.convert(end) for end in ends]
        return given
    values = tuple(given) if isinstance(given, list | tuple) else (given,)
    if not values:
        raise InputError(path, given, "give at least one value")
    if checked is None:
        return values
    return tuple(value if (p := checked.plain(checked.convert(value))) is None else p
                 for value in values)  # fmt: skip


def _plain(values: Values) -> Any:
    if isinstance(values, Span):
        return str(values)
    only = values[0]
    hidden = isinstance(only, list) or (isinstance(only, str) and any(c in ",:[{'\"" for c in only))
    return only if len(values) == 1 and not hidden else list(values)


def in_column(value: Any) -> Any:
    """A value of a setting as its column holds it: in SI, or as a word."""
    constant = isinstance(value, Mapping) and value.get("family") == "constant"
    number = measure(value["value"] if constant else value)
    if number is not None and not isinstance(value, int):
        return number[0]
    return value if isinstance(value, bool | int | str) else shown(value)


class Networks(Choice):
    """Presets (or FILE.toml), and settings of the network."""

    called = PRESET

    def known(self, name: str) -> str:
        preset_table(name)
        return name

    def keys(self, names: Iterable[str]) -> Keys:
        return replace(HRSNNParams.keys(), argument="setting of network", see=DEFAULT_PRESET)


class Pruning(Choice):
    """Recipes, `none` and `no recurrence` among them, and options of theirs."""

    def known(self, name: str) -> str:
        if name in WHOLE:
            return name
        if name not in RECIPES and name not in ALIASES:
            raise unknown_name("recipe", name, [*WHOLE, *RECIPES])
        return get_recipe(name).name

    def keys(self, names: Iterable[str]) -> Keys:
        found = Keys({}, argument="option of recipe " + ", ".join(names))
        for name in names:
            if name not in WHOLE:
                recipe = get_recipe(name)
                found |= recipe.keys()
                if recipe.measures:
                    found |= ProbeLengths.keys().under(ProbeLengths.section)
                found |= Keys({"rounds": _ROUNDS})
        return found

    def columns(self, path: str) -> str:
        return f"recipe.{path}"


_ROUNDS = Whole(1, low=1).about("iterations")
_ROUNDS.argument = "rounds"


@dataclass(frozen=True)
class SizeOptions(Section):
    """How large pruned networks are; see `Size`."""

    keep: Real = Real(1.0, 0, 1, above=True).about("fraction of the synapses kept")
    density: Real = Real(1.0, 0, 1, above=True).about("synapses over possible ones")
    synapses: Whole = Whole(1, low=1).about("synapses that stay")
    neuron_fraction: Real = Real(1.0, 0, 1, above=True).about("fraction of the neurons kept")
    neurons: Whole = Whole(1, low=1).about("neurons that stay")


class Sizes(Choice):
    """keep, density or synapses; neuron_fraction or neurons."""

    called = ""

    def allowed(self) -> str:
        return "a table of sizes, each a value, a list or a range"

    def known(self, name: str) -> str:
        return name

    def keys(self, names: Iterable[str]) -> Keys:
        return replace(SizeOptions.keys(), argument="size")

    def columns(self, path: str) -> str:
        return path if path in ("keep", "neuron_fraction") else f"size.{path}"

    def convert(self, value: Any) -> Varied:
        if not isinstance(value, Mapping):
            raise self.refused(value)
        found = super().convert(value)
        for one in (("keep", "density", "synapses"), ("neuron_fraction", "neurons")):
            if len(given := [name for name in one if name in found]) > 1:
                raise InputError(self.argument, ", ".join(given), "give one of them")
        return found


class Shown(Choice):
    """Tasks, and options of theirs."""

    def known(self, name: str) -> str:
        task_options(name)
        return name

    def keys(self, names: Iterable[str]) -> Keys:
        found = Keys({}, argument="option of task " + ", ".join(names))
        for name in names:
            found |= task_options(name).keys()
        return found

    def columns(self, path: str) -> str:
        return f"task.{path}"
