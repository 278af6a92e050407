"""`hrsnn list options WHAT`: the options of a recipe, task, study or preset, with their values."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.settings.listing import Entry, entries, option_values, plain_values

if TYPE_CHECKING:
    from hrsnn_brian.settings.section import Section

Lister = Callable[[], list[Entry]]
STUDY_FILE, PRESET_FILE = ".py", ".toml"


def options_of(what: str) -> list[Entry]:
    """The entries of what is called so, or of a study or preset of the user's in that file.

    Raises InputError for an unknown name, naming the nearest.
    """
    if what.endswith(STUDY_FILE):
        return _study(what)
    if what.endswith(PRESET_FILE):
        return _preset(what)
    known = {name: lister for group in groups().values() for name, lister in group.items()}
    if what not in known:
        raise unknown_name("options of", what, known)
    return known[what]()


def groups() -> dict[str, dict[str, Lister]]:
    """Everything that has options, by kind and name."""
    from hrsnn_brian.network.presets import preset_names
    from hrsnn_brian.pruning.recipes import ALIASES, RECIPES
    from hrsnn_brian.runs.study import list_studies
    from hrsnn_brian.tasks.registry import TASKS
    from hrsnn_brian.training.train import MODES

    return {
        "recipes (hrsnn prune --set)": _each(_recipe, [*RECIPES, *ALIASES]),
        "tasks (hrsnn evaluate --set)": _each(_task, TASKS),
        "training (hrsnn train --set)": {
            name: lambda kind=kind: _section(kind, {})  # type: ignore[misc]
            for name, kind in MODES.items()
        },
        "studies (hrsnn study --set)": _each(_study, list_studies()),
        "presets (hrsnn build --set)": _each(_preset, preset_names()),
        "settings of a search (hrsnn tune --set)": {"tune": _tuning},
        "measuring (Python: protocol=, lengths=)": {
            name: lambda kind=kind: _section(kind, {})  # type: ignore[misc]
            for name, kind in protocols().items()
        },
    }


def list_groups() -> dict[str, str]:
    """Kind -> the names of that kind that have options."""
    return {kind: ", ".join(names) for kind, names in groups().items()}


def protocols() -> "dict[str, type[Section]]":
    """What says how something is measured; `exponents` is that of `hrsnn lyapunov`, too."""
    from hrsnn_brian.dynamics.echo import InputEchoProtocol
    from hrsnn_brian.dynamics.exponents.finite_size import EchoProtocol, SizeProtocol
    from hrsnn_brian.dynamics.exponents.nodes import NodeProtocol
    from hrsnn_brian.dynamics.exponents.short_time import GrowthProtocol
    from hrsnn_brian.dynamics.exponents.spiking import Protocol
    from hrsnn_brian.dynamics.probe import ProbeLengths

    return {
        "exponents": Protocol,
        "node exponents": NodeProtocol,
        "short growth": GrowthProtocol,
        "finite size": SizeProtocol,
        "echo": EchoProtocol,
        "input echo": InputEchoProtocol,
        "probe": ProbeLengths,
    }


def _each(lister: Callable[[str], list[Entry]], names: Any) -> dict[str, Lister]:
    return {name: lambda name=name: lister(name) for name in names}  # type: ignore[misc]


def _recipe(name: str) -> list[Entry]:
    """Those of its steps; the lengths of its measurements follow, if it takes any."""
    from hrsnn_brian.dynamics.probe import ProbeLengths
    from hrsnn_brian.pruning.recipes import get_recipe

    recipe, keys = get_recipe(name), ProbeLengths.keys().under(ProbeLengths.section)
    found = entries(recipe.keys(), option_values(recipe.options()))
    return found + entries(keys, {}) * recipe.measures


def _section(kind: "type[Section]", table: dict[str, Any]) -> list[Entry]:
    return entries(kind.keys(), plain_values(kind.keys(), table))


def _task(name: str) -> list[Entry]:
    from hrsnn_brian.tasks.registry import task_options

    return _section(task_options(name), task_options(name)().to_dict())


def _study(source: str) -> list[Entry]:
    """Those of the study; the parameters of its network follow."""
    from hrsnn_brian.runs.options import own_keys
    from hrsnn_brian.runs.study import load_study, resolve_options

    study = load_study(source)
    preset = next(iter(study.presets.values()))
    keys = own_keys(preset) if study.options is None else study.options.keys()
    return entries(keys, plain_values(keys, resolve_options(study, None, [])))


def _tuning() -> list[Entry]:
    from hrsnn_brian.runs.tune_options import TuneOptions

    return _section(TuneOptions, TuneOptions().to_dict())


def _preset(name: str) -> list[Entry]:
    from hrsnn_brian.network.parameters import HRSNNParams
    from hrsnn_brian.network.presets import load_preset

    return _section(HRSNNParams, load_preset(name).to_dict())
